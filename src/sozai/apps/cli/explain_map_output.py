"""How the peaks of an image are told: on the terminal, as JSON, as a table or arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.formula_places import delimiter_of
from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.contracts.records import digits_of, with_error
from sozai.contracts.tables import write_table

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.explain_map_answer import MapAnswer

__all__ = [
    "STATUS", "as_payload", "counted_peaks", "deliver", "parameter_unit", "status_counts", "summary_table",
    "summary_text",
]  # fmt: skip

STATUS = ("ok", "max_iter", "numerical", "empty", "dead", "unmatched", "failed")
"""Names of a pixel's status codes, in their order."""

_SHOWN = ("position", "fwhm", "area", "lorentz_fraction")


def deliver(result: MapAnswer) -> None:
    """Write the files that were asked for, then speak."""
    question = result.question
    if question.output is not None:
        from sozai.apps.cli.explain_map_report import write_folder

        with staged_folder(question.output) as stage:
            write_folder(result, stage)
    if question.table is not None:
        if question.table.suffix.lower() in (".npz", ".h5"):
            result.found.write(question.table)
        else:
            units = {name: unit for name, unit in result.found.units().items() if unit not in ("", "1")}
            frame, delimiter = result.found.to_frame(), delimiter_of(question.table)
            write_table(frame, question.table, units=units, delimiter=delimiter)
    if question.json:
        source = str(question.file)
        emit_json(as_payload(result), schema="sozai.explain.map/1", source=source, notes=result.notes)
    else:
        say_map(result)


def as_payload(result: MapAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    cube, found = result.cube, result.found
    summary = summary_table(result)
    columns = ["parameter", "unit", "median", "low", "high", "median_error"]
    return {
        "shape": list(cube.shape),
        "n_spectra": cube.n_spectra,
        "n_channels": len(cube.axis),
        "axis_unit": cube.unit,
        "line_shape": result.question.model.shape,
        "background": result.background,
        "n_peaks": len(found.labels),
        "peaks": [
            {"label": label, "parameters": summary.loc[summary["peak"] == label, columns].to_dict("records")}
            for label in found.labels
        ],
        "status": status_counts(found),
        "seconds": result.seconds,
    }


def status_counts(found: Any) -> dict[str, int]:
    """Number of pixels by the name of their status, those that occur."""
    import numpy as np

    counts = np.bincount(np.asarray(found.status, dtype=np.int64).ravel(), minlength=len(STATUS))
    return {name: int(count) for name, count in zip(STATUS, counts, strict=False) if count}


def parameter_unit(found: Any, label: str, parameter: str) -> str | None:
    """Unit of one parameter of a peak; none for pure numbers."""
    unit = found.units().get(f"{label}.{parameter}")
    return None if unit in (None, "", "1", "axis unit") else str(unit)


def summary_table(result: MapAnswer) -> pd.DataFrame:
    """Median, 5 % and 95 % quantile and median error of every parameter of every peak."""
    import numpy as np
    import pandas as pd

    found, rows = result.found, []
    for k, label in enumerate(found.labels):
        for j, parameter in enumerate(found.parameters):
            values, errors = found.values[:, k, j], found.errors[:, k, j]
            values, errors = values[np.isfinite(values)], errors[np.isfinite(errors)]
            if not values.size:  # a parameter that this line shape does not have
                continue
            low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
            rows.append(
                {
                    "peak": label, "parameter": parameter, "unit": parameter_unit(found, label, parameter),
                    "median": float(middle), "low": float(low), "high": float(high),
                    "median_error": float(np.median(errors)) if errors.size else np.nan,
                }
            )  # fmt: skip
    columns = ["peak", "parameter", "unit", "median", "low", "high", "median_error"]
    return pd.DataFrame(rows, columns=columns)


def summary_text(result: MapAnswer, parameters: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Summary for people: the error decides the digits of all numbers of its row."""
    import pandas as pd

    table = summary_table(result)
    if parameters is not None:
        table = table[table["parameter"].isin(parameters)]
    rows = [
        {
            "peak": row.peak,
            "parameter": row.parameter if pd.isna(row.unit) else f"{row.parameter} [{row.unit}]",
            "median ± error": with_error(row.median, row.median_error),
            "5 % to 95 %": " to ".join(digits_of(end, row.median_error) for end in (row.low, row.high)),
        }
        for row in table.itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=["peak", "parameter", "median ± error", "5 % to 95 %"])


def counted_peaks(result: MapAnswer) -> str:
    """How many peaks the pixels have.

    A pixel without a fit is not counted.
    """
    import numpy as np

    found, n_peaks = result.found, len(result.found.labels)
    named = f"{n_peaks} peak{'' if n_peaks == 1 else 's'}"
    if not n_peaks:
        return "no peak in any pixel"
    own = np.isfinite(found.values[:, :, 0]).sum(axis=1)[np.isfinite(found.deviance)]
    numbers, pixels = np.unique(own, return_counts=True)
    if (numbers == n_peaks).all():
        return f"{named} in every pixel"
    told = ", ".join(f"{k} in {n:,}" for k, n in zip(numbers, pixels, strict=True))
    return f"{named}; of these {told} pixels"


def say_map(result: MapAnswer) -> None:
    """Say how many pixels were fitted, where the peaks lie, and what to try next."""
    from sozai.apps.cli.property_output import as_grid

    screen, cube, question = console(), result.cube, result.question
    size = " x ".join(str(k) for k in cube.shape)
    screen.print(f"{question.file.name}: {size} spectra of {len(cube.axis)} channels", style="bold")
    screen.print(
        f"{counted_peaks(result)}; {question.model.shape} on {result.background}; {result.seconds:.1f} s",
        soft_wrap=True,
    )
    screen.print()
    if result.found.labels:
        screen.print(as_grid(summary_text(result, _SHOWN)))
    n_ok = status_counts(result.found).get("ok", 0)
    screen.print(f"{n_ok:,} of {cube.n_spectra:,} spectra fitted", soft_wrap=True)
    hints = [
        (question.output is None, "--output DIR writes images and a report, and keeps finished tiles"),
        (question.table is None, "-o FILE writes the peaks of all pixels"),
    ]
    say_end(screen, result.notes, {"Table": question.table}, question.output, hints)
