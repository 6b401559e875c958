"""How the peaks of spectra are told: on the terminal, as JSON, as a table and a folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.formula_places import delimiter_of, write_arrays
from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.apps.cli.peaks_words import axis_words, noise_words
from sozai.contracts.optional import need
from sozai.contracts.records import with_error
from sozai.contracts.tables import write_table

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.peaks_answer import FittedSpectrum, PeaksAnswer

__all__ = [
    "as_payload", "background_rows", "count_sentence", "deliver", "on_bounds", "peak_table",
    "quality_sentence", "write_workbook",
]  # fmt: skip

_COLUMNS = (
    "position", "position_error", "fwhm", "fwhm_error", "area", "area_error", "height", "height_error",
    "lorentz_fraction", "lorentz_fraction_error", "maximum",
)  # fmt: skip
_ON_AXIS = ("position", "position_error", "fwhm", "fwhm_error", "maximum")
_ON_COUNTS = ("area", "area_error")


def deliver(found: PeaksAnswer) -> None:
    """Write the files that were asked for, then speak."""
    question = found.question
    if question.output is not None and found.spectra:
        from sozai.apps.cli.peaks_report import write_folder

        with staged_folder(question.output) as stage:
            write_folder(found, stage)
    if question.table is not None and found.spectra:
        frame, units = peak_table(found.spectra)
        if question.table.suffix.lower() == ".xlsx":
            write_workbook(frame, question.table, units)
        else:
            write_table(frame, question.table, units=units, delimiter=delimiter_of(question.table))
    if question.json:
        source = ", ".join(str(file) for file in question.files)
        emit_json(as_payload(found), schema="sozai.explain.peaks/1", source=source, notes=_all_notes(found))
    else:
        say_peaks(found)


# --- JSON --------------------------------------------------------------------------------------------


def as_payload(found: PeaksAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    return {"spectra": [_spectrum_payload(one) for one in found.spectra], "failures": found.failures}


def _spectrum_payload(one: FittedSpectrum) -> dict[str, Any]:
    """One spectrum; its region is named where the file has several."""
    fit = one.fit
    region = {"region": one.region} if one.several else {}
    return {
        "file": str(one.file),
        **region,
        "status": str(fit.status),
        "converged": bool(fit.converged),
        "axis_unit": fit.unit,
        "shape": one.model.shape,
        "n_peaks": len(fit.peaks),
        "peaks": [
            {
                "label": peak.label,
                "position": peak.position,
                "position_error": peak.position_error,
                "fwhm": peak.fwhm,
                "fwhm_error": peak.fwhm_error,
                "area": peak.area,
                "area_error": peak.area_error,
                "lorentz_fraction": peak.lorentz_fraction,
                "at_bound": bool(peak.at_bound),
            }
            for peak in fit.peaks
        ],
        "background": {
            "name": one.background,
            "coefficients": {
                name: {"value": value, "error": error} for name, (value, error) in fit.background.items()
            },
        },
        "deviance": fit.deviance,
        "dof": fit.dof,
        "warnings": one.notes,
    }


def _all_notes(found: PeaksAnswer) -> list[str]:
    """Notes of the command, and of every spectrum with its name where there are several."""
    alone = len(found.spectra) == 1
    own = [note if alone else f"{one.title}: {note}" for one in found.spectra for note in one.notes]
    return [*found.notes, *own]


# --- tables ------------------------------------------------------------------------------------------


def peak_table(spectra: list[FittedSpectrum]) -> tuple[pd.DataFrame, dict[str, str | None]]:
    """One row per peak of all spectra, and the unit of every column where all spectra share it."""
    import pandas as pd

    records = [
        {
            "file": str(one.file),
            "region": one.region,
            "label": peak.label,
            **{name: getattr(peak, name) for name in _COLUMNS},
            "at_bound": bool(peak.at_bound),
            "on_bound": ", ".join(on_bounds(peak)) if peak.at_bound else "",
            "supported": bool(peak.supported),
            "status": str(one.fit.status),
            "axis_unit": one.fit.unit or "",
            "counts_unit": one.fit.counts_unit or "",
        }
        for one in spectra
        for peak in one.fit.peaks
    ]
    names = ["file", "region", "label", *_COLUMNS, "at_bound", "on_bound", "supported", "status"]
    frame = pd.DataFrame(records, columns=[*names, "axis_unit", "counts_unit"])
    units: dict[str, str | None] = {}
    for column, members in (("axis_unit", _ON_AXIS), ("counts_unit", _ON_COUNTS)):
        told = frame[column].unique()
        if len(told) <= 1:
            units |= dict.fromkeys(members, told[0] or None if len(told) else None)
            frame = frame.drop(columns=column)
    return frame, units


def write_workbook(frame: pd.DataFrame, path: Path, units: Mapping[str, str | None]) -> None:
    """Write a table as the only sheet of a workbook, with units in its header, whole or not at all."""
    need("openpyxl", for_="writing .xlsx files")
    named = {name: f"{name} [{unit}]" for name, unit in units.items() if unit}
    write_arrays(
        path, lambda file: frame.rename(columns=named).to_excel(file, sheet_name="peaks", index=False)
    )


def background_rows(one: FittedSpectrum) -> pd.DataFrame:
    """Coefficients of the background with their errors."""
    import pandas as pd

    rows = [(name, value, error) for name, (value, error) in one.fit.background.items()]
    return pd.DataFrame(rows, columns=["coefficient", "value", "error"])


# --- sentences ---------------------------------------------------------------------------------------


def count_sentence(one: FittedSpectrum) -> str:
    """How many peaks there are, and why."""
    n_peaks = len(one.fit.peaks)
    peaks = f"{n_peaks} peak{'' if n_peaks == 1 else 's'}"
    if one.count is None:
        return f"{peaks}, as asked"
    table = one.count.table
    tried = table["n_components"].to_numpy()
    own = table[table["n_components"] == n_peaks].iloc[0]
    others = table[(table["n_components"] != n_peaks) & table["criterion"].notna() & table["admitted"]]
    slopes = len(own["background_like"])
    peaks += f" ({n_peaks - slopes} and {slopes} like a background)" if slopes else ""
    why = f"chosen by {one.model.criterion_name} among {tried.min()} to {tried.max()}"
    if len(others):
        next_best = others.loc[others["criterion"].idxmin()]
        gap = float(next_best["criterion"] - own["criterion"])
        why += f"; next {int(next_best['n_components'])}, {gap:+.1f}"
    return f"{peaks}, {why}"


def quality_sentence(one: FittedSpectrum) -> str:
    """How good the fit is and how it was found."""
    fit = one.fit
    what = "sum of squares" if "sigma=None" in str(fit.noise_name) else "deviance"
    text = f"{what} {fit.deviance:.5g} for {fit.dof} degrees of freedom"
    if fit.p_value is not None and fit.p_value == fit.p_value:  # NaN where the noise is estimated
        text += f" (p = {fit.p_value:.2g})"
    if fit.n_starts and not fit.optimum_hits:
        text += f"; none of {fit.n_starts} starts came near at once: "
        text += "more --starts may find better" if one.count is None else "found by way of other numbers"
    elif fit.n_starts:
        text += f"; {fit.optimum_hits} of {fit.n_starts} starts led here"
    return text if fit.converged else f"{text}; NOT CONVERGED: {fit.status}"


def say_peaks(found: PeaksAnswer) -> None:
    """Say the peaks of every spectrum, what failed, and what to try next."""
    screen = console()
    for one in found.spectra:
        _say_spectrum(one, screen)
    for note in found.notes:
        screen.print(f"Note: {note}", soft_wrap=True)
    for failure in found.failures:
        sys.stderr.write(f"{failure['file']}: {failure['message']}\n")
    question = found.question
    if found.spectra:
        say_end(screen, (), {"Table": question.table}, question.output)
        _say_hints(found, screen)


def _say_spectrum(one: FittedSpectrum, screen: Any) -> None:
    """Heading, table of peaks, background, quality, notes."""
    from rich.table import Table

    fit = one.fit
    screen.print(one.title, style="bold", soft_wrap=True)
    noise = noise_words(str(fit.noise_name))
    axis = axis_words(fit.axis_kind)
    told = f"{count_sentence(one)}; {one.model.shape} on {one.background}; {noise}"
    screen.print(f"{told}; axis: {axis}" if axis else told, soft_wrap=True)
    unit = f" [{fit.unit}]" if fit.unit else ""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    grid.add_column("peak", overflow="fold")
    for head in (f"position{unit}", f"FWHM{unit}", f"area [{fit.counts_unit}]", "Lorentz share"):
        grid.add_column(head, justify="right", overflow="fold")
    grid.add_column("")
    for peak in fit.peaks:
        grid.add_row(
            str(peak.label), with_error(peak.position, peak.position_error),
            with_error(peak.fwhm, peak.fwhm_error), with_error(peak.area, peak.area_error),
            with_error(peak.lorentz_fraction, peak.lorentz_fraction_error), _remark(peak),
        )  # fmt: skip
    if fit.peaks:
        screen.print(grid)
    for name, (value, error) in fit.background.items():
        screen.print(f"background {name}: {with_error(value, error)}", soft_wrap=True)
    screen.print(quality_sentence(one), soft_wrap=True)
    for note in one.notes:
        screen.print(f"Note: {note}", soft_wrap=True)
    screen.print()


def _remark(peak: Any) -> str:
    """What should be known of a peak before it is believed."""
    remarks = [] if peak.supported else ["doubtful"]
    if peak.at_bound:
        remarks.append(f"at a bound: {', '.join(on_bounds(peak))}")
    return ", ".join(remarks)


def on_bounds(peak: Any) -> list[str]:
    """Parameters of a peak that have a limit in the place of an error."""
    return [name for name, error in peak.errors.items() if error != error]


def _say_hints(found: PeaksAnswer, screen: Any) -> None:
    """What to try next."""
    question = found.question
    hints = [
        (question.output is None, "--output DIR writes a report with figures"),
        (question.table is None, "-o TABLE writes the peaks"),
        (not question.model.is_given and question.start is None, "--peaks K sets their number"),
        (question.how.window is None, "--range LOW:HIGH cuts the axis"),
    ]
    shown = "; ".join(text for wanted, text in hints if wanted)
    screen.print(f"{found.seconds:.1f} s. Next: {shown}." if shown else f"{found.seconds:.1f} s.",
                 style="dim", soft_wrap=True)  # fmt: skip
