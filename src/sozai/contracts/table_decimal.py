"""Point or comma: the decimal sign of a column, decided from all its cells or refused."""

from __future__ import annotations

from collections.abc import Sequence

from sozai.contracts.table_cells import read_cell
from sozai.contracts.table_report import RepairLog
from sozai.contracts.table_scan import Column

__all__ = ["decide_decimal", "file_dialect"]


def _evidence(column: Column) -> set[str]:
    """What the text cells of a number column say about the decimal sign."""
    if column.readings:
        return {reading.evidence for reading in column.readings if "native" not in reading.notes} - {""}
    if column.cells and any("." in str(cell) for cell in column.cells):
        return {read_cell(str(cell)).evidence for cell in column.cells if "." in str(cell)} - {""}
    return set()


def file_dialect(columns: Sequence[Column]) -> set[str]:
    """Decimal signs that are certain somewhere in the file."""
    if not any(reading.evidence in (",", "?,") for column in columns for reading in column.readings):
        return set()
    return {sign for column in columns if column.kind == "number" for sign in _evidence(column) & {".", ","}}


def decide_decimal(column: Column, log: RepairLog, decimal: str | None, dialect: set[str]) -> str:
    """Decimal sign of a column; refused when its cells have two readings."""
    found = _evidence(column)
    if decimal is not None or not found:
        return decimal or "."
    if {".", ","} <= found:
        _refuse_mixed(column, log, ".", ",")
    if "," in found and "?." in found and not _has_both(column):
        _refuse_mixed(column, log, "?.", ",")
    if found & {".", ","}:
        return "," if "," in found else "."
    if "?," in found and "?." in found:
        _refuse_mixed(column, log, "?.", "?,")
    if len(dialect) == 1:
        sign = next(iter(dialect))
        if "?," in found or sign == ".":
            return sign
    if found == {"?."} and "," not in dialect:
        return "."
    cell, row = _first(column, found)
    value = read_cell(cell)
    log.fail(
        "number", f"have one meaning; it can be {value.dot:g} or {value.comma:g}", cell,
        row=row, column=column.label,
        remedy="Pass decimal='.' or decimal=',', or name the column in id_columns.",
    )  # fmt: skip


def _refuse_mixed(column: Column, log: RepairLog, point: str, comma: str) -> None:
    """Two decimal signs in one column."""
    first, row = _first(column, {point})
    second, other_row = _first(column, {comma})
    log.fail(
        "decimal sign", f"be the same in a column; {first!r} stands at row {row}", second, row=other_row,
        column=column.label, remedy="Write one decimal sign, or pass decimal='.' or decimal=','.",
    )  # fmt: skip


def _has_both(column: Column) -> bool:
    """Whether a cell such as ``1.234,5`` shows that points separate thousands."""
    return any("." in str(cell) and "," in str(cell) for cell in column.cells)


def _first(column: Column, evidence: set[str]) -> tuple[str, int]:
    """First cell with such evidence, and its row."""
    for position, cell in enumerate(column.cells):
        if isinstance(cell, str) and read_cell(cell).evidence in evidence:
            return cell, int(column.rows[position])
    return "", int(column.rows[0])
