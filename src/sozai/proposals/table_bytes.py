"""A table as the bytes of its cells, so that what is not changed keeps every byte."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_files import decode_text, sniff_delimiter
from sozai.contracts.table_report import RepairLog
from sozai.proposals.number_cells import BLANK, LONG, ODD, parse_column

__all__ = ["TableBytes", "plain_numbers", "read_cells"]

_QUOTE, _LF, _CR = (ord(letter) for letter in '"\n\r')
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# encodings in which a byte below 0x40 is always that ASCII character, so that cells divide on bytes
_DIVISIBLE = re.compile(
    r"utf-8|cp932|shift_jis|euc_jp|ascii|latin|iso8859|cp125\d|gb|big5|euc_kr", re.IGNORECASE
)
_DELIMITERS = (",", ";", "\t")
# "sep=;" in the first line, by which Excel is told the delimiter
_SEPARATOR = re.compile(rb'"?sep=(?P<sign>[,;\t])"?[ ,;\t]*(?:\r\n?|\n)', re.IGNORECASE)
_HEAD = 64 * 1024


@dataclass(frozen=True, eq=False, repr=False)
class TableBytes:
    r"""Cells of a delimited table as spans of its bytes.

    Attributes
    ----------
    body : bytes
        Without byte-order mark, in an encoding that divides on bytes.
    mark : bytes
        Byte-order mark of the file.
    encoding : str
        Of the body, ``wire`` of the file; they differ for UTF-16 only.
    wire : str
    newline, delimiter : str
    header : tuple of str
        Trimmed.
    lines : ndarray of shape (n_rows,)
        Line of the file where each row stands, from 1.

    Examples
    --------
    >>> table = read_cells("x,y [K]\r\n1.50,\r\n2,300\r\n".encode())
    >>> table
    TableBytes(2 rows, 2 columns, utf-8, ',', '\r\n')
    >>> table.text(0, 0), table.column(1)
    ('1.50', ['', '300'])
    >>> table.replaced({(0, 1): "4.2"})
    b'x,y [K]\r\n1.50,4.2\r\n2,300\r\n'
    """

    body: bytes
    mark: bytes
    encoding: str
    wire: str
    newline: str
    delimiter: str
    header: tuple[str, ...]
    lines: NDArray[np.int64]
    header_line: int
    _ends: NDArray[np.int64]  # of every cell: where its delimiter or line end stands
    _first: NDArray[np.int64]  # place in _ends of the first cell of each line
    _counts: NDArray[np.int64]  # cells of each line

    def __repr__(self) -> str:
        shape = f"{self.n_rows} rows, {self.n_columns} columns"
        return f"TableBytes({shape}, {self.wire}, {self.delimiter!r}, {self.newline!r})"

    @property
    def n_rows(self) -> int:
        """Rows below the header."""
        return len(self.lines)

    @property
    def n_columns(self) -> int:
        """Cells of the header."""
        return len(self.header)

    @property
    def data(self) -> NDArray[np.uint8]:
        """The body as an array."""
        return np.frombuffer(self.body, dtype=np.uint8)

    def to_bytes(self) -> bytes:
        """The file as it was read."""
        return self._sent(self.body)

    def spans(self, column: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First byte and end of each cell of a column; equal where a short row has none."""
        return self._spans(self.lines - 1, column)

    def text(self, row: int, column: int) -> str:
        """One cell, without quotes."""
        starts, ends = self._spans(self.lines[row : row + 1] - 1, column)
        return self._unquoted(self.body[int(starts[0]) : int(ends[0])])

    def column(self, column: int, rows: NDArray[np.int64] | None = None) -> list[str]:
        """Cells of a column, or some of them, without quotes."""
        lines = self.lines if rows is None else self.lines[rows]
        starts, ends = self._spans(lines - 1, column)
        body, unquoted = self.body, self._unquoted
        return [unquoted(body[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def raw(self, row: int, columns: Sequence[int]) -> list[bytes]:
        """Cells of one row as they stand in the body; -1 is the header."""
        line = self.header_line if row < 0 else int(self.lines[row])
        found = []
        for column in columns:
            starts, ends = self._spans(np.array([line - 1]), column)
            found.append(self.body[int(starts[0]) : int(ends[0])])
        return found

    def replaced(self, cells: Mapping[tuple[int, int], str], rows: Sequence[Sequence[str]] = ()) -> bytes:
        """The file with some cells changed and some rows added below; all other bytes stay.

        Parameters
        ----------
        cells : mapping of (row, column) to str
            New texts.
        rows : sequence of sequence of str
            Rows to add.

        Returns
        -------
        bytes

        Raises
        ------
        InputError
            For a character that the encoding of the file lacks.
        """
        edits = []
        for (row, column), text in cells.items():
            line = int(self.lines[row]) - 1
            starts, ends = self._spans(np.array([line]), column)
            missing = max(0, column + 1 - int(self._counts[line]))
            fill = self.delimiter.encode() * missing
            edits.append((int(starts[0]), int(ends[0]), fill + self.encoded(text)))
        parts, at = [], 0
        for start, end, payload in sorted(edits):
            parts += [self.body[at:start], payload]
            at = end
        parts.append(self.body[at:])
        if rows:
            newline = self.newline.encode()
            if self.body and not self.body.endswith((b"\n", b"\r")):
                parts.append(newline)
            between = self.delimiter.encode()
            parts += [between.join(map(self.encoded, row)) + newline for row in rows]
        return self._sent(b"".join(parts))

    def encoded(self, text: str) -> bytes:
        """One cell as bytes of the body, quoted where the dialect asks for it."""
        special = any(letter in text for letter in (self.delimiter, '"', "\n", "\r"))
        if special or (text[:1] in tuple("=+-@") and not _is_number(text)):
            text = '"' + text.replace('"', '""') + '"'
        return self.in_encoding(text)

    def in_encoding(self, text: str) -> bytes:
        """Text as bytes of the body."""
        try:
            if self.wire != self.encoding:
                text.encode(self.wire)
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise InputError(
                sentence("candidates table", "text", f"fit the encoding {self.wire} of the file",
                         text[error.start], at=f"in {text[:60]!r}", remedy="Save the file as 'CSV UTF-8'.")
            ) from None  # fmt: skip

    def sent(self, lines: Sequence[Sequence[bytes]]) -> bytes:
        """Another small file in the same dialect, from cells in the encoding of the body."""
        between, newline = self.delimiter.encode(), self.newline.encode()
        return self._sent(b"".join(between.join(cells) + newline for cells in lines))

    def _sent(self, body: bytes) -> bytes:
        """Bytes of the body as bytes of a file."""
        if self.wire != self.encoding:
            body = body.decode(self.encoding).encode(self.wire)
        return self.mark + body

    def _unquoted(self, cell: bytes) -> str:
        if cell[:1] == b'"' and cell[-1:] == b'"' and len(cell) > 1:
            cell = cell[1:-1].replace(b'""', b'"')
        return cell.decode(self.encoding)

    def _spans(self, lines: NDArray[np.int64], column: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Spans of one column on some lines, counted from 0; a carriage return is no part of a cell."""
        there = column < self._counts[lines]
        at = self._first[lines] + np.minimum(column, self._counts[lines] - 1)
        ends = self._ends[at]
        starts = np.where(at > 0, self._ends[at - 1] + 1, 0)
        if self.newline != "\r":
            data = self.data
            last = column >= self._counts[lines] - 1
            before = data[np.maximum(ends - 1, 0)] if len(data) else np.zeros(len(ends), dtype=np.uint8)
            ends = ends - (last & (ends > starts) & (before == _CR))
        return np.where(there, starts, ends), ends


def read_cells(
    data: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    source: str = "candidates.csv",
) -> TableBytes:
    r"""Find the cells of a table.

    Parameters
    ----------
    data : bytes
        The file.
    encoding, delimiter : str, optional
        Found when left out: UTF-8, UTF-16 with mark, CP932; comma, semicolon, tab.
    source : str
        Name of the file, for messages.

    Returns
    -------
    TableBytes

    Raises
    ------
    InputError
        For an empty file, an unknown encoding, an open quote, a row that is too
        long, and a header with a name twice.

    Notes
    -----
    Delimiters and line ends are found on the bytes, those in quotes left out;
    about eight bytes a cell besides the file itself. Lines without any
    character are skipped, and lines of nothing but delimiters at the end. A
    first line ``sep=;``, as for Excel, names the delimiter and stays.

    Examples
    --------
    >>> read_cells("温度;磁化\n300;1,5\n".encode("cp932")).wire
    'cp932'
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe\x1a"):
        _fail(
            source, "file", "hold a table", "a file that has no rows", "Check that the right file was saved."
        )
    body, mark, codec, wire = _as_divisible(data, encoding, source)
    named = _SEPARATOR.match(body)
    head = body[named.end() if named else 0 :][:_HEAD].decode(codec, errors="ignore")
    found = delimiter or (named["sign"].decode() if named else sniff_delimiter(head, RepairLog(Path(source))))
    if found not in _DELIMITERS:
        found = ","
    array = np.frombuffer(body, dtype=np.uint8)
    line_end = _LF if _LF in body else _CR
    newline = "\r" if line_end == _CR and b"\r" in body else "\n"
    if newline == "\n" and b"\r\n" in body[: body.find(b"\n") + 1]:
        newline = "\r\n"
    is_end = array == line_end
    is_cell_end = is_end | (array == ord(found))
    if b'"' in body:
        inside = (np.cumsum(array == _QUOTE, dtype=np.uint8) & 1).astype(bool)
        if inside[-1]:
            _fail(source, "quotes", "come in pairs", _open_quote(body, found, codec), 'Close the quote (").')
        is_cell_end &= ~inside
    ends = np.flatnonzero(is_cell_end)
    closes = is_end[ends]
    if not len(ends) or not closes[-1] or ends[-1] != len(body) - 1:
        ends, closes = np.append(ends, len(body)), np.append(closes, True)
    last = np.flatnonzero(closes)
    counts = np.diff(last, prepend=-1)
    first = last - counts + 1
    return _divided(body, mark, codec, wire, newline, found, ends, first, counts, source, named is not None)


def plain_numbers(
    table: TableBytes, column: int, *, decimal: str = "."
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_], bool]:
    r"""Numbers of a column that stand there plainly.

    Parameters
    ----------
    table : TableBytes
    column : int
    decimal : {".", ","}

    Returns
    -------
    values : ndarray of shape (n_rows,)
        NaN where the cell is no plain number.
    odd : ndarray of int
        Rows whose cell is neither blank nor a plain number.
    blank : ndarray of bool
    whole : bool
        Whether every number is written as an integer.

    Notes
    -----
    One pass over the bytes, about twenty nanoseconds a cell.

    Examples
    --------
    >>> values, odd, blank, whole = plain_numbers(read_cells(b"x,y\n1,\n2,300 K\n"), 1)
    >>> values.tolist(), odd.tolist(), blank.tolist()
    ([nan, nan], [1], [True, False])
    """
    values = np.empty(table.n_rows)
    kinds = np.empty(table.n_rows, dtype=np.int8)
    whole = parse_column(
        table.data, table._ends, table._first, table._counts, table.lines, column, table.newline != "\r",
        ord(decimal), values, kinds,
    )  # fmt: skip
    long = np.flatnonzero(kinds == LONG)
    if len(long):
        texts = [text.strip().replace(decimal, ".") for text in table.column(column, long)]
        values[long] = np.array([float(text) for text in texts])
        kinds[long[np.isinf(values[long])]] = ODD
        values[~np.isfinite(values)] = np.nan
    return values, np.flatnonzero(kinds == ODD), kinds == BLANK, bool(whole)


# --- inside -------------------------------------------------------------------------------------


def _at(data: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Bytes at some places, those beyond the end repeating the last."""
    return data[np.clip(places, 0, len(data) - 1)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _as_divisible(data: bytes, encoding: str | None, source: str) -> tuple[bytes, bytes, str, str]:
    """Body that divides on bytes, byte-order mark, encoding of the body and of the file."""
    try:
        text, codec = decode_text(data, encoding)
    except InputError as error:
        raise InputError(str(error).replace("decode_text: file", f"'{source}'", 1)) from None
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    wire = _MARKS.get(mark, codec)
    if _DIVISIBLE.match(wire):
        return (
            data[len(mark) :],
            mark,
            "utf-8" if wire.startswith("utf-8") else wire,
            wire.replace("-sig", ""),
        )
    if mark + text.encode(wire) != data:
        _fail(source, "encoding", "be one that keeps every byte", wire, "Save the file as 'CSV UTF-8'.")
    return text.encode("utf-8"), mark, "utf-8", wire


def _divided(
    body: bytes, mark: bytes, codec: str, wire: str, newline: str, delimiter: str,
    ends: NDArray[np.int64], first: NDArray[np.int64], counts: NDArray[np.int64], source: str, named: bool,
) -> TableBytes:  # fmt: skip
    """The table, once its lines are known to fit; ``named``: its first line only names the delimiter."""
    data = np.frombuffer(body, dtype=np.uint8)
    starts = np.where(first > 0, ends[first - 1] + 1, 0)
    stops = ends[first + counts - 1]
    stops = stops - ((stops > starts) & (_at(data, stops - 1) == _CR) & (newline != "\r"))
    written = stops - starts - (counts - 1)
    filled = np.flatnonzero(written > 0)
    if b"\x1a" in body[-3:] and len(filled) and stops[filled[-1]] - starts[filled[-1]] == 1:
        filled = filled[:-1]  # Ctrl-Z of an old editor
    filled = filled[int(named) :]
    if not len(filled):
        _fail(
            source, "file", "hold a table", "a file that has no rows", "Check that the right file was saved."
        )
    top, bottom = int(filled[0]), int(filled[-1])
    rows = np.arange(top + 1, bottom + 1)
    rows = rows[(stops - starts)[rows] > 0]
    table = TableBytes(
        body, mark, codec, wire, newline, delimiter, (), rows + 1, top + 1, ends, first, counts
    )
    header = tuple(table._unquoted(cell).strip() for cell in table.raw(-1, range(int(counts[top]))))
    long = rows[counts[rows] > len(header)]
    for line in long.tolist():
        extra = body[int(ends[first[line] + len(header) - 1]) + 1 : int(stops[line])]
        if extra.strip(delimiter.encode() + b" "):
            _fail(
                source, "row", f"have {len(header)} cells, as the header has", int(counts[line]),
                "Quote cells with the delimiter in them, or remove the extra cell.",
                f"at line {line + 1} of '{source}'",
            )  # fmt: skip
    twice = next((name for k, name in enumerate(header) if name and name in header[:k]), None)
    if twice is not None:
        _fail(source, "header", "name each column once", twice, "Rename one of the two columns.")
    return TableBytes(
        body, mark, codec, wire, newline, delimiter, header, rows + 1, top + 1, ends, first, counts
    )


def _open_quote(body: bytes, delimiter: str, codec: str) -> str:
    """Start of the cell whose quote is not closed."""
    text = body.decode(codec)
    try:
        for _ in csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return text[text.rfind('"') :][:40]
    return text[text.rfind('"') :][:40]


def _fail(source: str, argument: str, requirement: str, value: object, remedy: str, at: str = "") -> None:
    raise InputError(
        sentence("candidates table", argument, requirement, value, at=at or f"in '{source}'", remedy=remedy)
    )
