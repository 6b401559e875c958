"""Bytes of a text file to rows of cells: encoding, delimiter, quotes."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_report import RepairLog

__all__ = [
    "Record",
    "decode_text",
    "is_comment",
    "read_bytes",
    "read_records",
    "sniff_delimiter",
    "split_line",
]

Cell = str | int | float | bool

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HALF_WIDTH_KANA = re.compile("[\uff61-\uff9f]+")
_EXCEL_ERROR = re.compile(r"#(N/A|NA|DIV/0!|VALUE!|REF!|NUM!|NAME\?|NULL!)")
_SNIFFED_ROWS = 200

DELIMITERS = {
    ",": ",",
    ";": ";",
    "\t": "\t",
    "tab": "\t",
    "|": "|",
    "whitespace": "whitespace",
    " ": "whitespace",
}


class Record(NamedTuple):
    """One row of cells and the line of the file where it starts, counted from 1."""

    row: int
    cells: list[Cell]


def read_bytes(path: Path) -> bytes:
    """Content of a file, or one error that names the path."""
    if path.is_dir():
        raise InputError(
            sentence("read_table", "path", "name a file", str(path), remedy="Name a file inside this folder.")
        )
    try:
        return path.read_bytes()
    except FileNotFoundError:
        there = "exists" if path.parent.is_dir() else "does not exist either"
        folder = "" if path.parent == Path() else f"; the folder '{path.parent}' {there}"
        remedy = f"Check the spelling{folder}."
        raise InputError(
            sentence("read_table", "path", "name an existing file", str(path), remedy=remedy)
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            sentence(
                "read_table",
                "path",
                f"name a readable file ({reason})",
                str(path),
                remedy="Close it elsewhere and check its rights.",
            )
        ) from error


def decode_text(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Decode the bytes of a text file and say which encoding they had.

    Parameters
    ----------
    data : bytes
        The file.
    encoding : str, optional
        Known encoding; found when left out: byte-order mark, UTF-8, UTF-16
        without mark, CP932 (which contains Shift_JIS).

    Returns
    -------
    text : str
        Without byte-order mark.
    encoding : str
        Python's name of the encoding.

    Raises
    ------
    InputError
        For binary content, for bytes that no candidate explains, and where two
        encodings explain them (EUC-JP or CP932, Western European or CP932).

    Examples
    --------
    >>> decode_text("温度,磁化".encode("cp932"))
    ('温度,磁化', 'cp932')
    """
    if encoding is not None:
        return _decode_as(data, encoding)
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decode_as(data, name)
    if b"\x00" in data[:4096]:
        return _without_mark(data)
    if re.search(rb"\x1b\$[@B]|\x1b\([BJI]", data):
        _refuse_encoding(
            "ISO-2022-JP (JIS) escape sequences", "Pass encoding='iso2022_jp' or save the file as UTF-8."
        )
    if _is_valid(data, "utf-8"):
        return data.decode("utf-8"), "utf-8"
    return _decode_japanese(data)


def _decode_as(data: bytes, encoding: str) -> tuple[str, str]:
    """Decode strictly by a named encoding."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise InputError(
            sentence(
                "decode_text",
                "encoding",
                "be known to Python",
                encoding,
                remedy="Use e.g. 'utf-8', 'cp932' or 'utf-16'.",
            )
        ) from None
    name = "cp932" if name == "shift_jis" else name
    try:
        return data.decode(name).removeprefix("\ufeff"), name
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            sentence(
                "decode_text", "file", f"be text in {name}", data[error.start : error.start + 4],
                at=f"at byte {error.start}, near line {line}",
                remedy="Save it as 'CSV UTF-8', or leave encoding out.",
            )
        ) from None  # fmt: skip


def _without_mark(data: bytes) -> tuple[str, str]:
    """UTF-16 without a byte-order mark shows as zeros in every second byte; else the file is binary."""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 0.2 * len(head) / 2 and others < 0.02 * len(head) / 2 and _is_valid(data, name):
            return data.decode(name), name
    raise InputError(
        sentence(
            "decode_text",
            "file",
            "be a text table or an .xlsx workbook",
            data[:8],
            remedy="Export the table as CSV.",
        )
    )


def _decode_japanese(data: bytes) -> tuple[str, str]:
    """CP932, unless another 8-bit encoding explains the bytes as well."""
    cp932, euc = _is_cp932(data), _is_valid(data, "euc_jp")
    if not cp932 and not euc:
        _refuse_encoding(
            "bytes that are neither UTF-8 nor CP932",
            "Save it as 'CSV UTF-8', or pass e.g. encoding='cp1252'.",
        )
    if euc:
        also = " or CP932" if cp932 else ""
        _refuse_encoding(
            f"bytes that fit EUC-JP{also}", "Pass encoding='euc_jp' or encoding='cp932', or save it as UTF-8."
        )
    text = data.decode("cp932")
    japanese = any(
        "\u3000" <= char < "\uff61" or "Ͱ" <= char <= "ӿ" or char in "°±×÷Å‰\u2032\u2033" for char in text
    )
    runs = [len(run) for run in _HALF_WIDTH_KANA.findall(text)]
    if runs and max(runs) <= 2 and not japanese:
        _refuse_encoding(
            "single bytes that fit Western European (°, µ, Å) or CP932 (half-width katakana)",
            "Pass encoding='cp1252' or encoding='cp932', or save it as UTF-8.",
        )
    return text, "cp932"


def _is_cp932(data: bytes) -> bool:
    """Whether the bytes are CP932; Python's codec also lets four unassigned bytes through."""
    return _is_valid(data, "cp932") and not re.search("[\x80\uf8f0-\uf8f3]", data.decode("cp932"))


def _refuse_encoding(found: str, remedy: str) -> None:
    raise InputError(f"decode_text: file must have an encoding that can be told. Found {found}. {remedy}")


def _is_valid(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


# --------------------------------------------------------------------------------------------
# Delimiter and records
# --------------------------------------------------------------------------------------------


def is_comment(first_cell: object) -> bool:
    """Whether a row is a comment: ``#`` first, but not an error value of a spreadsheet."""
    text = str(first_cell).lstrip()
    return text.startswith("#") and not _EXCEL_ERROR.match(text)


def split_line(line: str, delimiter: str) -> list[str]:
    """Cells of one line."""
    if delimiter != "whitespace":
        return next(csv.reader([line], delimiter=delimiter), [])
    if '"' not in line:
        return line.split()
    return [quoted if quoted else bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', line)]


def sniff_delimiter(text: str, log: RepairLog) -> str:
    """Delimiter under which the rows agree in their number of cells.

    A delimiter that divides every row alike wins; among such ones tab, then
    semicolon, then comma, then bar. White space is tried last.
    """
    lines = [line for line in _head_lines(text) if line.strip() and not is_comment(line)]
    scores: dict[str, float] = {}
    for delimiter in ("\t", ";", ",", "|", "whitespace"):
        counts = Counter(len(split_line(line, delimiter)) for line in _joined_quotes(lines))
        width, rows = max(counts.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        scores[delimiter] = rows / sum(counts.values()) if width > 1 else 0.0
    perfect = [delimiter for delimiter in ("\t", ";", ",", "|") if scores[delimiter] == 1.0]
    if {";", ","} <= set(perfect) and "\t" not in perfect:
        log.fail(
            "delimiter", "be plain; ';' and ',' both divide every row alike", lines[0][:60],
            row=1, remedy="Pass delimiter=';' or delimiter=','.",
        )  # fmt: skip
    if perfect:
        return perfect[0]
    marked = max(("\t", ";", ",", "|"), key=lambda delimiter: scores[delimiter])
    if scores["whitespace"] > scores[marked] and (marked not in lines[0] or scores[marked] < 0.5):
        return "whitespace"
    return marked if scores[marked] > 0 else ","


def read_records(text: str, delimiter: str, log: RepairLog) -> list[Record]:
    """Read all rows, blank ones too; a quoted cell may run over several lines."""
    if delimiter == "whitespace":
        lines = enumerate(io.StringIO(text, newline=None), start=1)
        return [Record(row, list(split_line(line, delimiter))) for row, line in lines]
    csv.field_size_limit(max(csv.field_size_limit(), min(sys.maxsize, 2**31 - 1)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return list(_numbered(reader, log))


def _numbered(reader: Iterable[list[str]], log: RepairLog) -> Iterator[Record]:
    """Records with the line where each one starts."""
    row = 0
    rows = iter(reader)
    while True:
        start = row + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            log.fail(
                "quotes", f"come in pairs around a whole cell ({error})", '"', row=start,
                remedy='Close the quote, or double it ("") inside a quoted cell.',
            )  # fmt: skip
        row = reader.line_num  # type: ignore[attr-defined]
        yield Record(start, list(cells))


def _head_lines(text: str) -> list[str]:
    """First lines of the text, cut at a line end."""
    head = text[: 64 * 1024]
    lines = re.split(r"\r\n|\r|\n", head)
    return lines[: -1 if len(head) < len(text) and len(lines) > 1 else None][:_SNIFFED_ROWS]


def _joined_quotes(lines: list[str]) -> Iterator[str]:
    """Lines, with those that a quoted line break divided joined again."""
    held = ""
    for line in lines:
        held = f"{held} {line}" if held else line
        if held.count('"') % 2 == 0:
            yield held
            held = ""
    if held:
        yield held
