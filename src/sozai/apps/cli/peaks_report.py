"""Peaks of spectra as a folder: report.html, tables, curves, figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sozai.apps.cli.peaks_output import background_rows, count_sentence, peak_table, quality_sentence
from sozai.apps.cli.peaks_words import axis_words, noise_words
from sozai.apps.cli.report_parts import Figures
from sozai.contracts.records import with_error
from sozai.contracts.tables import write_table
from sozai.displays.peak_count_display import PeakCountDisplay
from sozai.displays.peak_display import PeakDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.peaks_answer import FittedSpectrum, PeaksAnswer

__all__ = ["cite_section", "write_folder"]

_CAPTION = (
    "Data, peaks over the background, and their sum; below, the residual in units of the expected scatter, "
    "of which 95 of 100 lie in the band."
)
_MEASURED = ("position", "fwhm", "area", "lorentz_fraction")


def write_folder(found: PeaksAnswer, folder: Path) -> None:
    """Write report.html, peaks.csv, one table of curves per spectrum, and the figures as PNG and SVG."""
    names = _file_names(found.spectra)
    figures = {name: _figures(one) for name, one in zip(names, found.spectra, strict=True)}
    _report(found, figures).write(folder / "report.html")
    frame, units = peak_table(found.spectra)
    write_table(frame, folder / "peaks.csv", units=units)
    (folder / "curves").mkdir()
    (folder / "figures").mkdir()
    for name, one in zip(names, found.spectra, strict=True):
        write_table(one.fit.curves(), folder / "curves" / f"{name}.csv", units={"axis": one.fit.unit})
        for kind, (display, _) in figures[name].items():
            for ending in ("png", "svg"):
                display.save(folder / "figures" / f"{name}{kind}.{ending}")


def _file_names(spectra: list[FittedSpectrum]) -> list[str]:
    """Names for files: those of the spectra, with a number where two are alike."""
    names: list[str] = []
    for one in spectra:
        text = f"{one.file.stem} {one.region}" if one.several else one.file.stem
        base = re.sub(r"[^\w.+-]+", "_", text).strip("_.")[:80] or "spectrum"
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def _figures(one: FittedSpectrum) -> Figures:
    """Displays of one spectrum with their captions, by the end of their file names."""
    fit = one.fit
    figures: Figures = {
        "": (
            PeakDisplay.from_fit(fit, title=one.title),
            _CAPTION,
        )
    }
    if one.count is not None:
        figures["_count"] = (
            PeakCountDisplay.from_count(one.count, name=one.model.criterion_name),
            "How much worse every other number of peaks is; beside the points, their weights.",
        )
    return figures


def _report(found: PeaksAnswer, figures: dict[str, Figures]) -> Report:
    """Page with a section for every spectrum, then settings, papers and notes."""
    spectra = found.spectra
    files = list(dict.fromkeys(one.file.name for one in spectra))
    named = ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
    number = f"{len(spectra)} {'spectrum' if len(spectra) == 1 else 'spectra'}"
    report = Report("Peaks", lead=f"{number} of {named}.")
    for (_, drawn), one in zip(figures.items(), spectra, strict=True):
        _spectrum_section(report, one, drawn)
    _settings_section(report, found)
    cite_section(report, _cited(found))
    if found.failures or found.notes:
        report.section("Notes")
        for note in found.notes:
            report.note(note)
        for failure in found.failures:
            report.note(f"{failure['file']}: {failure['message']}")
    return report


def _spectrum_section(report: Report, one: FittedSpectrum, figures: Figures) -> None:
    """Figure, table with units, background, count, notes of one spectrum."""
    fit = one.fit
    axis = axis_words(fit.axis_kind)
    axis = f" Axis: {axis}." if axis else ""
    report.section(one.title, f"{count_sentence(one)}; {quality_sentence(one)}.{axis}")
    report.figures(list(figures.values()))
    frame, units = peak_table([one])
    caption = (
        "Areas count the peak without its background, summed over its channels; errors are standard errors."
    )
    report.table(_with_errors(frame), units=units, caption=caption)
    if fit.background:
        rows = background_rows(one)
        rows["value"] = _told(rows["value"], rows["error"])
        report.table(rows[["coefficient", "value"]], caption=f"Background: {one.background}.")
    if one.count is not None:
        report.table(one.count.table, caption="Numbers of peaks that were tried.")
    for note in one.notes:
        report.note(note)


def _with_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Peaks with every value beside its error, to the digits that the error allows."""
    shown = frame[["label", *_MEASURED, "on_bound", "supported"]].copy()
    for name in _MEASURED:
        shown[name] = _told(frame[name], frame[f"{name}_error"])
    return shown


def _told(values: pd.Series, errors: pd.Series) -> list[str]:
    return [with_error(value, error) for value, error in zip(values, errors, strict=True)]


def _settings_section(report: Report, found: PeaksAnswer) -> None:
    """Everything that decides the numbers."""
    model, question = found.question.model, found.question
    low, high = model.peaks
    window = question.how.window
    first = found.spectra[0]
    report.section("Settings").facts(
        {
            "peaks": str(low) if model.is_given else f"{low} to {high}, by {model.criterion_name}",
            "line shape": model.shape,
            "background": first.background,
            "noise": model.noise or noise_words(str(first.fit.noise_name)),
            "range": "whole axis" if window is None else f"{window[0]:g} to {window[1]:g}",
            "start values": "found" if question.start is None else question.start.name,
            "starts": "auto" if model.starts is None else model.starts,
            "seed": model.seed,
        }
    )


def _cited(found: PeaksAnswer) -> list[str]:
    """Names whose papers belong to these fits."""
    names = ["PeakMixture"]
    if any(one.count is not None for one in found.spectra):
        names.append("select_n_components")
    words = found.question.model.shape + "+" + found.spectra[0].background
    by_word = {
        "doniach": "DoniachSunjic", "asymmetric": "AsymmetricPseudoVoigt", "shirley": "Shirley",
        "tougaard": "Tougaard",
    }  # fmt: skip
    return names + [name for word, name in by_word.items() if word in words]


def cite_section(report: Report, names: list[str]) -> None:
    """Papers behind what was run."""
    from sozai.contracts.citations import cite, cited_names

    known = cited_names()
    papers = list(dict.fromkeys(repr(paper) for name in names if name in known for paper in cite(name)))
    if papers:
        report.section("Papers")
        for paper in papers:
            report.text(paper)
