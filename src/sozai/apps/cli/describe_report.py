"""Numbers of formulas, as a folder: report.html, the table, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.describe_output import write_numbers
from sozai.apps.cli.report_parts import Figures, notes_section, write_figures
from sozai.contracts.tables import write_table
from sozai.displays.composition_map import CompositionMapDisplay
from sozai.displays.kernel_mean_profile import KernelMeanProfileDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from sozai.apps.cli.describe_formulas import DescribedFormulas

__all__ = ["write_folder"]

_MOST_CELLS = 2_000_000  # numbers up to which the report folder has them as text
_N_NEAREST = 3
_N_CURVES = 6


def write_folder(found: DescribedFormulas, folder: Path) -> None:
    """Write report.html, the numbers, the elements and the figures into ``folder``."""
    kind = "csv" if found.values.size <= _MOST_CELLS else "npz"
    write_numbers(found, folder / f"described.{kind}")
    elements = _elements(found)
    write_table(elements, folder / "elements.csv")
    figures = _figures(found)
    _report(found, figures, elements, f"described.{kind}").write(folder / "report.html")
    write_figures(figures, folder)


def _elements(found: DescribedFormulas) -> pd.DataFrame:
    """Every element that occurs: in how many rows, and its largest fraction; the most frequent first."""
    import numpy as np
    import pandas as pd

    parsed = found.rows.parsed
    n, largest = len(parsed.components), np.zeros(len(parsed.components))
    counts = np.bincount(parsed.fractions.indices, minlength=n)
    np.maximum.at(largest, parsed.fractions.indices, parsed.fractions.data)
    table = found.components
    shares = table.imputed.mean(axis=1)
    used = np.flatnonzero(counts)
    frame = pd.DataFrame(
        {
            "element": [parsed.components[j] for j in used],
            "rows": counts[used],
            "largest fraction": largest[used],
            "filled-in features": [f"{100 * shares[j]:.0f} %" for j in used],
        }
    )
    return frame.sort_values("rows", ascending=False, kind="stable", ignore_index=True)


def _figures(found: DescribedFormulas) -> Figures:
    """Map of all formulas; for kernel means, the profile of the first beside its nearest."""
    import numpy as np

    from sozai.composition import KernelMeanDescriptor

    rows = found.rows
    readable = np.flatnonzero(~rows.refused)
    if len(readable) < 2:
        return {}
    place = KernelMeanDescriptor(found.components, representation="isometric", on_error="nan").fit()
    coordinates = place.transform(rows.parsed)[readable]
    name, values = _property(found, readable)
    caption = "All formulas, near each other where their elements are alike"
    figures: Figures = {
        "map": (
            CompositionMapDisplay.from_coordinates(
                coordinates, values=values, name=name or "",
                unit=None if name is None else rows.table.units.get(name),
            ),
            f"{caption}{'' if name is None else f', colored by {name}'}.",
        )
    }  # fmt: skip
    if found.question.method == "kmd" and found.question.representation != "isometric":
        figures["profile"] = _profile(found, readable, coordinates)
    return figures


def _profile(found: DescribedFormulas, readable: np.ndarray, coordinates: np.ndarray) -> tuple[Any, str]:
    """Kernel means of the first formula and of those nearest to it."""
    import numpy as np

    gaps = np.sqrt(((coordinates - coordinates[0]) ** 2).sum(axis=1))
    order = [at for at in np.argsort(gaps, kind="stable") if at != 0 and gaps[at] > 1e-9][:_N_NEAREST]
    chosen = [readable[at] for at in [0, *order]]
    texts, grid = found.rows.texts(), found.descriptor.grid_
    display = KernelMeanProfileDisplay(
        found.values[chosen],
        grid["feature"].to_list(),
        [texts[at] for at in chosen],
        shown=_N_CURVES,
        values=grid["value"].to_numpy(dtype=np.float64),
        units=grid["unit"].to_list(),
    )
    caption = f"{texts[chosen[0]]} and the formulas nearest to it, in the features in which they differ most."
    return display, caption


def _property(found: DescribedFormulas, readable: np.ndarray) -> tuple[str | None, np.ndarray | None]:
    """First column of numbers beside the formulas, and its values."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    beside = found.rows.beside
    for name in beside.columns:
        column = beside[name].iloc[readable]
        if is_numeric_dtype(column) and not is_bool_dtype(column) and column.min() < column.max():
            return str(name), column.to_numpy(dtype="float64", na_value=float("nan"))
    return None, None


def _report(found: DescribedFormulas, figures: Figures, elements: pd.DataFrame, file: str) -> Report:
    """Page with counts, figures, elements and what could not be read."""
    import pandas as pd

    rows, table = found.rows, found.components
    lead = f"Column {rows.column!r} of {rows.table.source.name} as {found.method_name}."
    report = Report("Formulas as numbers", lead=lead)
    report.section("What was made").facts(
        {
            "rows": len(rows.parsed),
            "could not be read": int(rows.refused.sum()),
            "columns": len(found.names),
            "different formulas": len(set(rows.parsed.keys()[~rows.refused])),
            "elements": len(elements),
            "table of elements": f"{table.name} ({len(table.components)} x {len(table.features)})",
        }
    )
    report.text(f"All numbers are in {file}; its rows are those of the file, in the same order.")
    if figures:
        report.section("Figures").figures(list(figures.values()))
    report.section("Elements").table(elements)
    if rows.issues:
        frame = pd.DataFrame(rows.issues)
        report.section("Formulas that were repaired or refused").table(
            frame, caption="Rows as the file counts them, from 1, its header included."
        )
    notes_section(report, found.notes)
    return report
