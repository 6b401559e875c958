"""Decode, sniff and repair a user's table; the report of what was repaired."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_cells import read_cell
from sozai.contracts.table_columns import type_columns
from sozai.contracts.table_files import (
    DELIMITERS,
    decode_text,
    read_bytes,
    read_records,
    sniff_delimiter,
)
from sozai.contracts.table_layout import Head, Names, find_layout, name_columns
from sozai.contracts.table_regular import read_regular
from sozai.contracts.table_report import Repair, RepairLog, Repairs, counted
from sozai.contracts.table_scan import Column
from sozai.contracts.table_sheets import is_workbook, read_sheet, refuse_merged
from sozai.contracts.table_writing import write_table
from sozai.contracts.unit_headers import split_unit

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DroppedRow",
    "Numbers",
    "Repair",
    "Repairs",
    "Table",
    "decode_text",
    "read_table",
    "split_unit",
    "write_table",
]


class DroppedRow(NamedTuple):
    """A row left out because a cell has no number.

    Attributes
    ----------
    row : int
        Row in the file, counted from 1.
    label : int
        Row label in ``Table.frame``.
    column : str
        First column without a number.
    text : str
        What stands there; empty for an empty cell.
    """

    row: int
    label: int
    column: str
    text: str


class Numbers(NamedTuple):
    """Numeric columns of a table: values, labels of the rows kept, rows dropped."""

    values: pd.DataFrame
    kept: pd.Index[Any]
    dropped: tuple[DroppedRow, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    r"""A table as the user meant it, with a report of every repair.

    Attributes
    ----------
    frame : DataFrame
        Columns named without unit, unique. Rows are labelled 0, 1, ...
    units : dict of str to (str or None)
        Unit of each column as written.
    headers : dict of str to str
        Original header of each column.
    repairs : Repairs
        What was not taken as it stood; ``.to_frame()`` for a report.
    source : Path
        The file.
    encoding, delimiter : str or None
        What was found; None for a workbook.
    rows : ndarray of int
        Row of the file for each row of ``frame``, counted from 1.
    sheet : str or None
        Sheet of a workbook.
    texts : mapping of str to mapping of int to str
        What stands in cells that hold no number or a truth value, by column and position.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.csv"
    >>> _ = path.write_bytes("試料,磁化 [emu/g]\nA,1.5\nB,失敗\n".encode("cp932"))
    >>> table = read_table(path)
    >>> table
    Table(2 rows, 2 columns, 1 repair, 'm.csv')
    >>> table.units["磁化"], table.repairs[0].repair
    ('emu/g', 'read as missing')
    >>> table.numeric(["磁化 [emu/g]"], missing="drop").dropped[0].row
    3
    """

    frame: pd.DataFrame
    units: dict[str, str | None]
    headers: dict[str, str]
    repairs: Repairs
    source: Path
    encoding: str | None = None
    delimiter: str | None = None
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    sheet: str | None = None
    texts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        m, n = self.frame.shape
        parts = (counted(m, "row"), counted(n, "column"), counted(len(self.repairs), "repair"))
        return f"Table({', '.join(parts)}, {self.source.name!r})"

    def resolve(self, name: str) -> str:
        """Column label for a label, an original header, or either in another width or spacing.

        Parameters
        ----------
        name : str
            ``"T"``, ``"T (K)"``, ``"T [K]"``, also with full-width letters.

        Returns
        -------
        str
            The label in ``frame``.

        Raises
        ------
        InputError
            When no column, or more than one, has that name; near names are listed.
        """
        if name in self.headers:
            return name
        for same in (str, _folded, lambda text: _folded(split_unit(text)[0])):
            wanted = same(name)
            found = [label for label, header in self.headers.items() if wanted in (same(header), same(label))]
            if len(found) == 1:
                self._check_unit(name, found[0])
                return found[0]
            if found:
                self._fail("name one column", name, f"Write one of {', '.join(map(repr, found))}.")
        near = difflib.get_close_matches(name, list(self.headers), n=3, cutoff=0.5)
        hint = (
            f"Did you mean {', '.join(map(repr, near))}?" if near else f"Columns are {_listed(self.headers)}."
        )
        self._fail("be in the table", name, hint)
        raise AssertionError

    def numeric(self, columns: Iterable[str], *, missing: str = "error") -> Numbers:
        """Columns as float64, without rows that have no number.

        Parameters
        ----------
        columns : iterable of str
            Names that :meth:`resolve` accepts.
        missing : {"error", "drop"}
            Refuse the first missing cell, or leave its row out and say so.

        Returns
        -------
        values : DataFrame of float64
        kept : Index
            Row labels of ``values``.
        dropped : tuple of DroppedRow

        Raises
        ------
        InputError
            For a column of text, and for a missing cell unless dropped; the
            message names file, row, column and what stands there.
        """
        if missing not in ("error", "drop"):
            raise InputError(sentence("Table.numeric", "missing", "be 'error' or 'drop'", missing))
        labels = [self.resolve(name) for name in ([columns] if isinstance(columns, str) else columns)]
        twice = next((label for place, label in enumerate(labels) if label in labels[:place]), None)
        if twice is not None:
            raise InputError(
                sentence(
                    "Table.numeric", "columns", "be named once", twice, remedy="Leave one of the two out."
                )
            )
        for label in labels:
            self._require_numbers(label)
        values = self.frame[labels].astype("float64")
        gone = values.isna().to_numpy()
        dropped = tuple(
            self._dropped(int(row), labels, gone[row]) for row in np.flatnonzero(gone.any(axis=1))
        )
        if dropped and missing == "error":
            first = dropped[0]
            self._fail(
                "hold a number in every row", first.text,
                "Fill the cell, or leave such rows out with missing='drop'.", place="Table.numeric",
                argument=f"column {first.column!r}", row=first.row, column=first.column,
            )  # fmt: skip
        kept = values.iloc[np.flatnonzero(~gone.any(axis=1))]
        return Numbers(kept, kept.index, dropped)

    def _require_numbers(self, label: str) -> None:
        """Refuse a column of text at its first cell that is no number."""
        import pandas as pd

        series = self.frame[label]
        if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
            return
        kinds = ["empty" if pd.isna(cell) else read_cell(str(cell)).kind for cell in series]
        words = [k for k, kind in enumerate(kinds) if kind not in ("number", "empty")]
        # A bound or a word for a missing value would not by itself have kept the column from being numeric.
        at = next((k for k in words if kinds[k] == "text"), words[0] if words else 0)
        remedy = "Correct the cell or choose another column."
        if kinds and kinds[at] == "number":
            remedy = "It was kept as text (see repairs); write plain numbers without leading zeros."
        elif kinds and kinds[at] == "missing":
            remedy = "Leave cells without value empty."
        value, row = (series.iloc[at], int(self.rows[at])) if len(series) else ("no row", None)
        self._fail(
            "hold numbers",
            value,
            remedy,
            place="Table.numeric",
            argument=f"column {label!r}",
            row=row,
            column=label,
        )

    def _dropped(self, position: int, labels: Sequence[str], gone: NDArray[np.bool_]) -> DroppedRow:
        """Record of one row without a number."""
        column = labels[int(np.argmax(gone))]
        text = self.texts.get(column, {}).get(position, "")
        return DroppedRow(int(self.rows[position]), int(self.frame.index[position]), column, text)

    def _check_unit(self, name: str, label: str) -> None:
        """A name asked for with another unit than the column has is refused."""
        unit = split_unit(name)[1]
        have = self.units[label]
        if unit is None or have is None or _folded(name) == _folded(self.headers[label]):
            return
        if _folded(unit) != _folded(have):
            self._fail(
                "be asked for in its own unit", name, f"Write '{label} [{have}]' and convert afterwards."
            )

    def _fail(
        self, requirement: str, value: object, remedy: str, *, place: str = "Table.resolve",
        argument: str = "column", row: int | None = None, column: str | None = None,
    ) -> None:  # fmt: skip
        """Raise an error that points into the file."""
        at = f"in '{self.source}'" if row is None else f"at row {row}, column {column!r} of '{self.source}'"
        raise InputError(sentence(place, argument, requirement, value, at=at, remedy=remedy))


def read_table(
    path: str | os.PathLike[str],
    *,
    sheet: str | int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    id_columns: Iterable[str] = (),
) -> Table:
    r"""Read a table as people write them, repairing what is plain and refusing what is not.

    Parameters
    ----------
    path : path-like
        CSV, TSV, text in columns (.txt, .dat) or an Excel workbook (.xlsx).
    sheet : str or int, optional
        Sheet of a workbook, by name or place from 0.
    encoding : str, optional
        Found when left out: UTF-8 with or without mark, UTF-16, CP932.
    delimiter : {",", ";", "\t", "|", "whitespace"}, optional
        Found when left out.
    decimal : {".", ","}, optional
        Decimal sign; decided column by column when left out, and refused
        where cells such as ``1,234`` have two meanings.
    id_columns : iterable of str
        Columns that stay text though they look like numbers.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        With file, row, column and remedy.
    MissingPackageError
        For a workbook without openpyxl.

    Notes
    -----
    A column is numeric when every cell that is not missing is a number;
    otherwise it stays text as it stands, so that sodium (Na), nobelium (No)
    or NA in a column of elements is never lost. In a numeric column, words for
    a missing value, bounds (``<0.1``) and infinities become missing, each with
    a :class:`Repair`. Numbers are never guessed: full-width digits, units in
    cells, ``1.2(3)``, ``×10^-3``, thousands separators and decimal commas are
    read and reported.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("T (K);M\n300;1,25\n310;1,5\n", encoding="utf-8")
    >>> table = read_table(path)
    >>> table.frame["M"].tolist(), table.units["T"], table.repairs.codes()
    ([1.25, 1.5], 'K', {'decimal_comma': 1})
    """
    source = Path(path)
    id_columns = [id_columns] if isinstance(id_columns, str) else list(id_columns)
    log = RepairLog(source)
    if decimal not in (None, ".", ","):
        raise InputError(
            sentence("read_table", "decimal", "be '.' or ','", decimal, remedy="Leave it out to find it.")
        )
    data = read_bytes(source)
    found_encoding = found_delimiter = found_sheet = None
    if is_workbook(data, source):
        records, found_sheet, merged = read_sheet(data, sheet, log)
        head = find_layout(records, None, log)
        refuse_merged(merged, head.row, log)
        columns, names = _columns_of(head, log, native=True)
    else:
        try:
            text, found_encoding = decode_text(data, encoding)
        except InputError as error:
            raise InputError(str(error).replace("decode_text: file", f"read_table: '{source}'", 1)) from None
        text, found_delimiter = _choose_delimiter(text, delimiter, log)
        fast = read_regular(text, found_delimiter, log, id_columns) if decimal != "," else None
        columns, names = fast if fast is not None else _read_irregular(text, found_delimiter, log)
    _mark_identifiers(columns, names, id_columns, source)
    type_columns(columns, log, decimal)
    return _assemble(columns, names, log, found_encoding, found_delimiter, found_sheet)


# --------------------------------------------------------------------------------------------
# Steps of read_table
# --------------------------------------------------------------------------------------------


def _choose_delimiter(text: str, delimiter: str | None, log: RepairLog) -> tuple[str, str]:
    """Text without a ``sep=`` line, and the delimiter: given, declared in the file, or found."""
    if text.endswith("\x1a"):
        log.add(None, None, "end_mark", "a Ctrl-Z at the end of the file", "removed")
        text = text.rstrip("\x1a")
    declared = re.match(r"sep=(.)\r?\n", text)
    if declared is not None:
        log.add(1, None, "separator_line", "'sep=' line of a spreadsheet", "used and skipped")
        text = "\n" + text[declared.end() :]
    if not text.strip():
        log.fail("file", "hold a table", "an empty file", remedy="Check that the right file was saved.")
    if delimiter is None:
        return text, declared.group(1) if declared is not None else sniff_delimiter(text, log)
    if delimiter not in DELIMITERS:
        names = "',', ';', '\\t', '|' or 'whitespace'"
        raise InputError(
            sentence("read_table", "delimiter", f"be {names}", delimiter, remedy="Leave it out to find it.")
        )
    return text, DELIMITERS[delimiter]


def _read_irregular(text: str, delimiter: str, log: RepairLog) -> tuple[list[Column], Names]:
    """Columns of any table, row by row."""
    records = read_records(text, delimiter, log)
    return _columns_of(
        find_layout(records, delimiter, log, cut=not text.endswith(("\n", "\r"))), log, native=False
    )


def _columns_of(head: Head, log: RepairLog, *, native: bool) -> tuple[list[Column], Names]:
    """Columns from rows of equal width."""
    names = name_columns(head, log)
    if not head.body:
        log.add(head.row, None, "no_rows", "a header without rows", "read as an empty table")
    rows = np.array([record.row for record in head.body], dtype=np.int64)
    by_column = list(zip(*(record.cells for record in head.body), strict=True)) or [()] * len(head.header)
    columns = [
        Column(
            label,
            unit,
            rows,
            cells=[cell.strip(" ") if isinstance(cell, str) else cell for cell in cells],
            native=native,
        )
        for label, unit, cells in zip(names.labels, names.units, by_column, strict=True)
    ]
    return columns, names


def _mark_identifiers(columns: list[Column], names: Names, id_columns: Iterable[str], source: Path) -> None:
    """Mark columns that the user declared as text."""
    for name in id_columns:
        place = next(
            (k for k, pair in enumerate(zip(names.labels, names.originals, strict=True)) if name in pair),
            None,
        )
        if place is None:
            near = difflib.get_close_matches(name, names.labels, n=3, cutoff=0.5)
            hint = (
                f"Did you mean {', '.join(map(repr, near))}?"
                if near
                else f"Columns are {_listed(names.labels)}."
            )
            raise InputError(
                sentence("read_table", "id_columns", f"name columns of '{source}'", name, remedy=hint)
            )
        columns[place].as_text = True


def _assemble(
    columns: list[Column],
    names: Names,
    log: RepairLog,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
) -> Table:
    """Join typed columns into a table."""
    import pandas as pd

    series = {column.label: column.series for column in columns if column.series is not None}
    return Table(
        frame=pd.DataFrame(series),
        units={column.label: column.unit for column in columns},
        headers=dict(zip(names.labels, names.originals, strict=True)),
        repairs=log.finish(),
        source=log.source,
        encoding=encoding,
        delimiter=delimiter,
        rows=columns[0].rows,
        sheet=sheet,
        texts={column.label: column.texts for column in columns if column.texts},
    )


def _folded(text: str) -> str:
    """Text for comparing names: one width, one spacing, no case."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().replace("[", "(").replace("]", ")").split())


def _listed(names: Iterable[str]) -> str:
    """Up to twelve names."""
    shown = list(names)
    return ", ".join(map(repr, shown[:12])) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
