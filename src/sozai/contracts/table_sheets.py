"""Cells of an Excel workbook: one sheet, values as shown, formulas checked."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.optional import need
from sozai.contracts.table_files import Cell, Record
from sozai.contracts.table_report import RepairLog, counted

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_workbook", "read_sheet", "refuse_merged"]

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_workbook(data: bytes, path: Path) -> bool:
    """Whether the bytes are an .xlsx workbook; other office files are refused by name."""
    if data.startswith(_OLD_WORKBOOK):
        remedy = "Save it as .xlsx without password, or as CSV."
        raise InputError(
            sentence(
                "read_table",
                "file",
                "be an .xlsx workbook, not an old .xls or a protected one",
                str(path),
                remedy=remedy,
            )
        )
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        members = []
    if not any(name.startswith("xl/") for name in members):
        raise InputError(
            sentence(
                "read_table",
                "file",
                "be a whole .xlsx workbook",
                str(path),
                remedy="Save it again as .xlsx or CSV.",
            )
        )
    return True


def read_sheet(data: bytes, sheet: str | int | None, log: RepairLog) -> tuple[list[Record], str, list[str]]:
    """Rows of one sheet, its name, and the ranges of merged cells.

    Parameters
    ----------
    data : bytes
        The workbook.
    sheet : str, int or None
        Name or place (from 0); the first sheet that holds cells when None.
    log : RepairLog
        Receives the choice of sheet and hidden rows.
    """
    shown, formulas = _open(data, log, values=True), _open(data, log, values=False)
    name = _choose(shown, sheet, log)
    page, source = shown[name], formulas[name]
    hidden = sorted(row for row, size in page.row_dimensions.items() if size.hidden and row <= page.max_row)
    if hidden:
        log.add(
            hidden[0],
            None,
            "hidden_row",
            f"{counted(len(hidden), 'row')} hidden in the sheet",
            "read like the others",
        )
    records = []
    for row, source_row in zip(page.iter_rows(), source.iter_rows(), strict=True):
        cells = [_cell(cell, original, log) for cell, original in zip(row, source_row, strict=True)]
        records.append(Record(row[0].row, cells))
    return records, name, [str(area) for area in page.merged_cells.ranges]


def refuse_merged(areas: list[str], header_row: int, log: RepairLog) -> None:
    """Merged cells from the header on leave cells whose value cannot be known."""
    from openpyxl.utils import range_boundaries

    for area in sorted(areas):
        _, _, _, last = range_boundaries(area)
        if last >= header_row:
            row = range_boundaries(area)[1]
            log.fail(
                "sheet", "have no merged cells in the table", area, row=row,
                remedy="Unmerge them and write the value into every cell.",
            )  # fmt: skip


def _open(data: bytes, log: RepairLog, *, values: bool) -> Any:
    """Workbook with cached values, or with formulas."""
    openpyxl = need("openpyxl", for_="Reading .xlsx files", extra="excel")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and validations that openpyxl leaves out
            return openpyxl.load_workbook(io.BytesIO(data), data_only=values)
    except Exception as error:  # noqa: BLE001 - openpyxl raises anything on a damaged workbook
        log.fail(
            "file",
            f"be a whole .xlsx workbook ({type(error).__name__})",
            log.source.name,
            remedy="Save it again in Excel.",
        )


def _choose(book: Any, sheet: str | int | None, log: RepairLog) -> str:
    """Name of the wanted sheet."""
    names = [page.title for page in book.worksheets]
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 0 <= sheet < len(names):
        return str(names[sheet])
    if sheet is not None:
        if sheet in names:
            return str(sheet)
        log.fail(
            "sheet", f"be one of {', '.join(map(repr, names))}", sheet, remedy="Name one of these sheets."
        )
    filled = [
        page.title
        for page in book.worksheets
        if any(cell.value is not None for row in page.iter_rows() for cell in row)
    ]
    if not filled:
        log.fail("workbook", "hold a table", "no filled sheet", remedy="Check that the right file was saved.")
    if len(filled) > 1:
        others = ", ".join(repr(name) for name in filled[1:])
        log.add(
            None,
            None,
            "sheet",
            f"other sheets hold cells too: {others}",
            f"read the first, {filled[0]!r}; choose with sheet=",
        )
    return str(filled[0])


def _cell(cell: Any, source: Any, log: RepairLog) -> Cell:
    """Value of one cell as the user sees it."""
    value = cell.value
    if value is None:
        if source.data_type == "f":
            log.fail(
                "formula", "have a stored value", str(getattr(source.value, "text", source.value)),
                row=cell.row, column=cell.column_letter,
                remedy="Open the file in Excel, save it, and read it again.",
            )  # fmt: skip
        return ""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (datetime, date, time, timedelta)):
        return (
            value.isoformat(sep=" ").removesuffix(" 00:00:00") if isinstance(value, datetime) else str(value)
        )
    if not isinstance(value, (int, float)):
        return str(value)
    return _formatted(value, str(cell.number_format))


def _formatted(value: int | float, style: str) -> Cell:
    """Number with the meaning of its format: percents, and digits padded with zeros."""
    if re.fullmatch(r"0{2,}", style) and float(value).is_integer() and value >= 0:
        return str(int(value)).zfill(len(style))
    if "%" in style.split(";")[0]:
        return f"{(Decimal(repr(value)) * 100).normalize():f} %"
    return value
