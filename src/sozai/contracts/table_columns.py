"""Decide column by column what a table holds: numbers, truth values or text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.table_cell_units import report_column, settle_units
from sozai.contracts.table_cells import as_ascii, read_cell
from sozai.contracts.table_decimal import decide_decimal, file_dialect
from sozai.contracts.table_report import RepairLog, counted
from sozai.contracts.table_scan import Column, scan_column

__all__ = ["type_columns"]

_MARKS = (-99.0, -999.0, -9999.0, -99999.0, -999.9, -999.99, 9999.0, 99999.0, 9999.99)
_WHOLE_COLUMN = {
    "characters": ("full-width or special characters", "read as their ASCII form"),
    "thousands": ("thousands separators", "removed"),
    "power_of_ten": ("powers of ten in another notation", "read as numbers"),
}
_EACH_CELL = {
    "uncertainty": ("holds an uncertainty", "value kept, uncertainty left out"),
    "approximate": ("is marked as approximate", "value kept, mark left out"),
}
_MISSING_KINDS = {
    "missing": "is no number",
    "spreadsheet error": "is an error value of the spreadsheet",
    "censored": "is a bound, not a value",
    "infinite": "is not finite",
}


def type_columns(columns: Sequence[Column], log: RepairLog, decimal: str | None) -> None:
    """Give every column its series, unit and record of unread cells.

    Parameters
    ----------
    columns : sequence of Column
        Changed in place.
    log : RepairLog
        Receives what was repaired.
    decimal : {None, ".", ","}
        Decimal sign; decided from all cells when None.
    """
    for column in columns:
        scan_column(column)
    dialect = file_dialect(columns)
    for column in columns:
        if column.kind == "number":
            _finish_numbers(column, log, decimal, dialect)
        elif column.kind == "boolean":
            _finish_booleans(column, log)
        else:
            _finish_text(column, log)


# --------------------------------------------------------------------------------------------
# Numbers
# --------------------------------------------------------------------------------------------


def _finish_numbers(column: Column, log: RepairLog, decimal: str | None, dialect: set[str]) -> None:
    """Values, unit and report of a number column."""
    import pandas as pd

    if column.readings:
        sign = decide_decimal(column, log, decimal, dialect)
        column.numbers = _read_values(column, log, sign)
        _report_notes(column, log, sign)
        settle_units(column, log)
        _report_missing(column, log)
        whole = all(reading.whole for reading in column.readings)
        if whole and np.array_equal(column.numbers, np.round(column.numbers)):
            column.numbers = column.numbers.astype(np.int64)
    elif decimal == "," and any("." in str(cell) for cell in column.cells):
        column.readings = [read_cell(str(cell)) for cell in column.cells]
        return _finish_numbers(column, log, decimal, dialect)
    elif "," in dialect:
        decide_decimal(column, log, decimal, dialect)
    assert column.numbers is not None
    _report_empty(column, log, np.isnan(column.numbers) & _empty_mask(column))
    _report_marks(column, log)
    column.series = pd.Series(column.numbers)
    return None


def _empty_mask(column: Column) -> NDArray[np.bool_]:
    """Where the cell is blank."""
    if column.readings:
        return np.array([reading.kind == "empty" for reading in column.readings])
    assert column.numbers is not None
    empty: NDArray[np.bool_] = np.isnan(column.numbers)
    return empty


def _read_values(column: Column, log: RepairLog, sign: str) -> NDArray[np.float64]:
    """Values under the decimal sign; a cell that is no number under it is refused."""
    values = np.full(len(column.readings), np.nan)
    for position, reading in enumerate(column.readings):
        if reading.kind != "number":
            continue
        value = reading.dot if sign == "." else reading.comma
        if value is None:
            name = "point" if sign == "." else "comma"
            log.fail(
                "number", f"have a decimal {name}", column.cells[position], row=int(column.rows[position]),
                column=column.label, remedy="Write one decimal sign in the column, or pass decimal=.",
            )  # fmt: skip
        values[position] = value
    return values


def _report_notes(column: Column, log: RepairLog, sign: str) -> None:
    """Report what was repaired in the cells, once a column or once a cell."""
    readings = column.readings
    for code, (found, done) in _WHOLE_COLUMN.items():
        report_column(column, log, code, [code in reading.notes for reading in readings], found, done)
    grouped = "," if sign == "." else "."
    text = [reading.kind == "number" and "native" not in reading.notes for reading in readings]
    groups = [on and grouped in as_ascii(str(cell)) for on, cell in zip(text, column.cells, strict=True)]
    report_column(column, log, "thousands", groups, f"{grouped!r} as thousands separator", "removed")
    if sign == ",":
        commas = [on and "," in as_ascii(str(cell)) for on, cell in zip(text, column.cells, strict=True)]
        report_column(column, log, "decimal_comma", commas, "a decimal comma", "read as a decimal point")
    if column.native:
        report_column(column, log, "text_number", text, "numbers stored as text", "read as numbers")
    for code, (found, done) in _EACH_CELL.items():
        at = [position for position, reading in enumerate(readings) if code in reading.notes]
        log.add_cells(
            column.rows[at].tolist(), column.label, code, [f"{column.cells[k]!r} {found}" for k in at], done
        )


def _report_missing(column: Column, log: RepairLog) -> None:
    """Report each cell that is no number, and keep its text."""
    for kind, why in _MISSING_KINDS.items():
        at = [k for k, reading in enumerate(column.readings) if reading.kind == kind]
        column.texts |= {k: str(column.cells[k]) for k in at}
        code = kind.replace(" ", "_")
        messages = [f"{column.cells[k]!r} {why}" for k in at]
        log.add_cells(column.rows[at].tolist(), column.label, code, messages, "read as missing")


def _report_empty(column: Column, log: RepairLog, empty: NDArray[np.bool_]) -> None:
    """Report empty cells once a column."""
    count = int(empty.sum())
    if count:
        row = int(column.rows[int(np.argmax(empty))])
        what = "the whole column is empty" if count == len(empty) else counted(count, "empty cell")
        log.add(row, column.label, "empty", what, "read as missing")


def _report_marks(column: Column, log: RepairLog) -> None:
    """Point at numbers that often stand for a missing value; they stay numbers."""
    values = column.numbers
    if values is None or not len(values):
        return
    for mark in _MARKS:
        hits = values == mark
        if hits.any() and (mark < 0 or int(hits.sum()) > 1):
            row = int(column.rows[int(np.argmax(hits))])
            message = f"{mark:g} in {counted(int(hits.sum()), 'cell')} often stands for a missing value"
            log.add(
                row, column.label, "mark", message, "kept as a number; empty these cells if they are missing"
            )


# --------------------------------------------------------------------------------------------
# Truth values and text
# --------------------------------------------------------------------------------------------


def _finish_booleans(column: Column, log: RepairLog) -> None:
    """True and False, with their spelling; missing cells make the column nullable."""
    import pandas as pd

    spelled = enumerate(zip(column.readings, column.cells, strict=True))
    column.texts |= {k: str(cell).strip() for k, (reading, cell) in spelled if reading.kind == "boolean"}
    _report_missing(column, log)
    _report_empty(column, log, _empty_mask(column))
    values = [bool(reading.dot) if reading.kind == "boolean" else None for reading in column.readings]
    column.series = pd.Series(values, dtype="boolean" if None in values else "bool")


def _finish_text(column: Column, log: RepairLog) -> None:
    """Text as it stands, trimmed; only blank cells and error values of a spreadsheet are missing."""
    import pandas as pd

    kinds = [reading.kind for reading in column.readings]
    gone = np.array([kind in ("empty", "spreadsheet error") for kind in kinds], dtype=bool)
    values: list[str | None] = [str(cell).strip() for cell in column.cells]
    for k in np.flatnonzero(gone):
        values[k] = None
    broken = [k for k, kind in enumerate(kinds) if kind == "spreadsheet error"]
    column.texts |= {k: str(column.cells[k]) for k in broken}
    why = _MISSING_KINDS["spreadsheet error"]
    messages = [f"{column.cells[k]!r} {why}" for k in broken]
    log.add_cells(
        column.rows[broken].tolist(), column.label, "spreadsheet_error", messages, "read as missing"
    )
    _report_empty(column, log, np.array([kind == "empty" for kind in kinds], dtype=bool))
    if not column.as_text:
        _report_text(column, log, kinds)
    column.series = pd.Series(values, dtype="object" if not values or gone.all() else None)


def _report_text(column: Column, log: RepairLog, kinds: Sequence[str]) -> None:
    """Say why a column that looks like numbers, or cells that look missing, stay text."""
    readings = column.readings
    kept = [k for k, kind in enumerate(kinds) if kind == "missing"]
    messages = [f"{column.cells[k]!r} in a column of text" for k in kept]
    log.add_cells(
        column.rows[kept].tolist(), column.label, "kept_text", messages, "kept as text, not read as missing"
    )
    numbers = [reading for reading in readings if reading.kind == "number"]
    if not numbers:
        censored = [kind == "censored" for kind in kinds]
        report_column(column, log, "censored", censored, "bounds and no value", "kept as text")
        return
    others = [kind in ("text", "boolean") for kind in kinds]
    if not any(others):
        zeros = [reading.leading_zero for reading in readings]
        if any(zeros):
            report_column(column, log, "identifier", zeros, "leading zeros", "whole column kept as text")
        else:
            numeric = [kind == "number" for kind in kinds]
            report_column(
                column, log, "identifier", numeric, "labels made of digits", "whole column kept as text"
            )
    elif len(numbers) >= sum(others):
        first = others.index(True)
        count = counted(len(numbers), "cell")
        message = f"{column.cells[first]!r} is no number, but {count} of the column hold numbers"
        log.add(
            int(column.rows[first]),
            column.label,
            "mixed",
            message,
            "whole column kept as text; correct the cell",
        )
