"""Parts that the report folders share: figures as files, notes, the table as it was read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from sozai.study.report import Report

__all__ = ["Figures", "notes_section", "ranges_and_repairs", "table_section", "write_figures"]

Figures = dict[str, tuple[Any, str]]
"""Displays with their captions, by file name."""


def write_figures(figures: Figures, folder: Path) -> None:
    """Every figure as PNG and SVG in a folder of its own."""
    (folder / "figures").mkdir()
    for name, (display, _) in figures.items():
        display.save(folder / "figures" / f"{name}.png")
        display.save(folder / "figures" / f"{name}.svg")


def notes_section(report: Report, notes: Iterable[str]) -> None:
    """Warnings, or that there are none."""
    report.section("Notes")
    for note in list(notes) or ["None."]:
        report.note(note)


def table_section(report: Report, reading: Any, file: Path) -> None:
    """The table that was learned from: file, ranges, repairs, rows left out."""
    report.section("The table").facts(
        {
            "file": file.name,
            "encoding": reading.table.encoding,
            "rows used": len(reading.y),
            "rows left out": len(reading.dropped),
        }
    )
    columns = reading.X if reading.is_class else reading.X.assign(**{reading.target: reading.y})
    ranges_and_repairs(report, columns, reading)


def ranges_and_repairs(report: Report, columns: pd.DataFrame, reading: Any) -> None:
    """Ranges of the columns, repairs, rows left out."""
    import pandas as pd

    shown = columns.describe().T.reset_index(names="column")
    shown.insert(1, "unit", [reading.units.get(name) or "" for name in shown["column"]])
    report.table(shown.drop(columns=["count", "25%", "75%"]).rename(columns={"50%": "median"}))
    if reading.table.repairs:
        report.table(reading.table.repairs.to_frame().drop(columns="code"), caption="Repaired while reading.")
    if reading.dropped:
        report.table(pd.DataFrame(reading.dropped), caption="Rows left out.")
