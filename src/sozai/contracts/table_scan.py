"""One column on its way from cells to values, and what it holds: numbers, truth values or text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.table_cells import PLAIN_CHARACTERS, Reading, read_cell
from sozai.contracts.table_files import Cell
from sozai.contracts.unit_headers import suits
from sozai.contracts.units import convertible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "scan_column"]

_LARGEST_EXACT = 2.0**53


@dataclass
class Column:
    """One column on its way from cells to values.

    Parameters
    ----------
    label, unit : str
        Name without unit, and the unit of the header.
    rows : ndarray of int
        Row of each cell in the file.
    cells : sequence of str, int, float or bool
        As they stand in the file; empty when ``numbers`` is given.
    numbers : ndarray, optional
        Numbers that needed no repair; NaN where the cell is empty.
    as_text : bool
        The user declared the column as identifiers.
    native : bool
        Cells come from a workbook, where numbers are not text.
    """

    label: str
    unit: str | None
    rows: NDArray[np.int64]
    cells: Sequence[Cell] = ()
    numbers: NDArray[Any] | None = None
    as_text: bool = False
    native: bool = False
    texts: dict[int, str] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    kind: str = "text"
    series: pd.Series[Any] | None = None


def scan_column(column: Column) -> None:
    """Find the kind of a column; plain numbers take the short way."""
    if column.numbers is None and not column.as_text:
        column.numbers = _plain_numbers(column.cells)
    if column.numbers is not None:
        column.kind = "number"
        return
    column.readings = [read_cell(cell) if isinstance(cell, str) else _native(cell) for cell in column.cells]
    if column.as_text:
        return
    kinds = {reading.kind for reading in column.readings}
    numbers = [reading for reading in column.readings if reading.kind == "number"]
    if numbers and not kinds & {"text", "boolean"}:
        names_only = _has_identifiers(numbers) or any(_is_label(column, reading) for reading in numbers)
        column.kind = "text" if names_only else "number"
    elif "boolean" in kinds and not kinds & {"text", "number", "censored", "infinite"}:
        column.kind = "boolean"
    elif kinds <= {"empty"}:
        column.kind, column.numbers = "number", np.full(len(column.cells), np.nan)


def _plain_numbers(cells: Sequence[Cell]) -> NDArray[Any] | None:
    """Values when every cell is a plain number, or empty beside plain numbers; else None."""
    if not _all_text(cells):
        return None
    texts: Sequence[str] = cells  # type: ignore[assignment]
    joined = "\n".join(texts)
    if not set(joined) <= PLAIN_CHARACTERS | {"\n"} or re.search(r"(?m)^[+-]?0\d+$", joined):
        return None
    filled = [bool(text) for text in texts]
    if not any(filled):
        return None
    try:
        found = np.array(list(map(float, compress(texts, filled))))
    except ValueError:
        return None
    if not np.isfinite(found).all():
        return None
    if not set(joined) & set(".eE"):
        if np.abs(found).max() > _LARGEST_EXACT:
            return None
        if all(filled):
            return found.astype(np.int64)
    values = np.full(len(texts), np.nan)
    values[np.array(filled)] = found
    return values


def _all_text(cells: Sequence[Cell]) -> bool:
    return set(map(type, cells)) <= {str}


def _native(cell: int | float | bool) -> Reading:
    """Reading of a cell that a workbook stores as a number."""
    if isinstance(cell, bool):
        return Reading("boolean", dot=float(cell))
    value = float(cell)
    return Reading("number", value, value, whole=isinstance(cell, int), notes=("native",))


def _has_identifiers(numbers: Sequence[Reading]) -> bool:
    """Whether digits are names: leading zeros, or integers beyond what a float holds exactly."""
    return any(
        reading.leading_zero or (reading.whole and abs(reading.dot or reading.comma or 0.0) > _LARGEST_EXACT)
        for reading in numbers
    )


def _is_label(column: Column, reading: Reading) -> bool:
    """Whether ``3d`` or ``4H`` is a label: one letter attached that neither header nor name explains."""
    if reading.unit is None or not reading.attached or suits(column.label, reading.unit):
        return False
    return column.unit is None or not convertible(reading.unit, column.unit)
