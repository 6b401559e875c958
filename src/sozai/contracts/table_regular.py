"""The short way for a table without irregularities: pandas reads it, the same values come out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.table_cells import read_cell
from sozai.contracts.table_files import Record, is_comment, split_line
from sozai.contracts.table_layout import Head, Names, find_layout, name_columns
from sozai.contracts.table_report import RepairLog
from sozai.contracts.table_scan import Column

__all__ = ["read_regular"]

_LINE_END = ord("\n")
_LARGEST_EXACT = 2**53
_HEAD_ROWS = 24


def read_regular(
    text: str, delimiter: str, log: RepairLog, id_columns: Sequence[str] = ()
) -> tuple[list[Column], Names] | None:
    """Columns of a table in which every line has as many cells as the header; None for any other.

    Parameters
    ----------
    text : str
        The whole file.
    delimiter : str
        One character, or ``"whitespace"`` (never regular).
    log : RepairLog
        Receives repairs of the header only when the table is regular.
    id_columns : sequence of str
        Columns to leave as text.

    Notes
    -----
    Lines, delimiters and leading zeros are counted on the bytes. What pandas
    reads as numbers is taken over when our rules would read the same: finite,
    integers up to 2**53, no leading zeros. Every other column comes back as
    text and goes the long way.
    """
    if len(delimiter) != 1:
        return None
    cells = _cell_ends(text, delimiter)
    if cells is None:
        return None
    width = cells.ends.shape[1]
    head, trial = _regular_head(text, delimiter, width, log)
    if head is None:
        return None
    frame = _parse(text, delimiter, width, skip=head.body[0].row - 1)
    numeric = [_taken_over(frame[place]) for place in range(width)]
    if not any(numeric):
        return None
    numeric = [on and not zero for on, zero in zip(numeric, _leading_zeros(cells), strict=True)]
    log.entries.extend(trial.entries)
    names = name_columns(head, log)
    declared = set(id_columns)
    texts = [
        place
        for place, spellings in enumerate(zip(names.labels, names.originals, strict=True))
        if not numeric[place] or declared & set(spellings)
    ]
    words = _parse(text, delimiter, width, skip=head.body[0].row - 1, only=texts) if texts else {}
    rows = np.arange(head.body[0].row, head.body[0].row + len(frame), dtype=np.int64)
    columns = [
        Column(label, unit, rows, cells=[cell.strip(" ") for cell in words[place]])
        if place in texts
        else Column(label, unit, rows, numbers=frame[place].to_numpy())
        for place, (label, unit) in enumerate(zip(names.labels, names.units, strict=True))
    ]
    return columns, names


class _Cells(NamedTuple):
    """The bytes of a file and where each cell ends, shape (n_lines, n_cells)."""

    data: NDArray[np.uint8]
    ends: NDArray[np.intp]


def _cell_ends(text: str, delimiter: str) -> _Cells | None:
    """Ends of all cells when all lines agree and none is quoted, commented or blank; else None."""
    body = text.find("\n")
    if body < 0 or '"' in text or text.find("#", body) >= 0 or text.count("\r") != text.count("\r\n"):
        return None
    if delimiter != "," and text.find(",", body) >= 0:
        return None
    closed = text if text.endswith("\n") else text + "\n"
    data = np.frombuffer(closed.encode("utf-8"), dtype=np.uint8)
    ends = np.flatnonzero((data == ord(delimiter)) | (data == _LINE_END))
    is_line_end = data[ends] == _LINE_END
    width = int(np.argmax(is_line_end)) + 1
    if len(ends) % width or len(ends) // width < 3:
        return None
    ends_of, is_line_end = ends.reshape(-1, width), is_line_end.reshape(-1, width)
    lengths = np.diff(ends_of[:, -1], prepend=-1) - 1
    if not is_line_end[:, -1].all() or is_line_end[:, :-1].any() or not (lengths > width).all():
        return None
    return _Cells(data, ends_of)


def _regular_head(text: str, delimiter: str, width: int, log: RepairLog) -> tuple[Head | None, RepairLog]:
    """Header and unit row, found on the first lines by the same rules as for any table."""
    trial = RepairLog(log.source)
    lines = text[: 1 << 20].split("\n", _HEAD_ROWS + 1)[:_HEAD_ROWS]
    lines = [line for line in lines if line.strip()]
    records = [Record(row, list(split_line(line, delimiter))) for row, line in enumerate(lines, start=1)]
    if is_comment(records[0].cells[0]) or not all(str(cell).strip() for cell in records[0].cells):
        return None, trial
    head = find_layout(records, delimiter, trial)
    plain = head.row == 1 and len(head.header) == width and bool(head.body)
    skipped = {repair.code for repair in trial.entries} - {"unit_row"}
    plain = plain and not any(read_cell(name).kind == "number" for name in head.header)
    return (head if plain and not skipped else None), trial


def _parse(text: str, delimiter: str, width: int, *, skip: int, only: list[int] | None = None) -> Any:
    """Let pandas read the rows, as numbers where it can, or some columns as text."""
    import pandas as pd

    exact: dict[str, Any] = {}
    if tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1):
        exact["float_precision"] = "round_trip"
    options: dict[str, Any] = {"na_values": [""], "low_memory": False, **exact}
    if only is not None:
        options = {"dtype": "object", "na_filter": False, "usecols": only}
    return pd.read_csv(
        io.StringIO(text), sep=delimiter, header=None, names=range(width), skiprows=skip, index_col=False,
        keep_default_na=False, **options,
    )  # fmt: skip


def _taken_over(series: Any) -> bool:
    """Whether pandas' numbers are what our own rules would read."""
    values = series.to_numpy()
    if values.dtype == np.int64:
        return bool(((values <= _LARGEST_EXACT) & (values >= -_LARGEST_EXACT)).all())
    if values.dtype != np.float64:
        return False
    return not np.isinf(values).any() and not np.isnan(values).all() and not _may_be_large_integers(values)


def _may_be_large_integers(values: NDArray[np.float64]) -> bool:
    """Integers with gaps become floats in pandas; large ones need another look at their text."""
    return bool(np.nanmax(np.abs(values)) > _LARGEST_EXACT and np.isnan(values).any())


def _leading_zeros(cells: _Cells) -> NDArray[np.bool_]:
    """Columns where a cell starts with 0 and another digit, as identifiers do, or with a space."""
    ends = cells.ends.ravel()
    starts = np.concatenate([[0], ends[:-1] + 1])
    first = cells.data[starts]
    starts = starts + ((first == ord("+")) | (first == ord("-")))
    second = cells.data[np.minimum(starts + 1, len(cells.data) - 1)]
    zero = (cells.data[starts] == ord("0")) & (second >= ord("0")) & (second <= ord("9"))
    zero |= first == ord(" ")
    found: NDArray[np.bool_] = zero.reshape(cells.ends.shape)[1:].any(axis=0)
    return found
