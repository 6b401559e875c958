"""Where the header, the units and the rows of a table are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sozai.contracts.table_cells import as_ascii, read_cell
from sozai.contracts.table_files import Cell, Record, is_comment
from sozai.contracts.table_report import RepairLog, counted
from sozai.contracts.unit_grammar import near_units
from sozai.contracts.unit_headers import header_doubt, is_unit, split_unit, suits

__all__ = ["Head", "Names", "find_layout", "is_unit_row", "name_columns"]

_PREAMBLE_ROWS = 50


class Head(NamedTuple):
    """Header and rows of a table.

    Attributes
    ----------
    header : list of str
        One text a column.
    units : list of str
        Cells of a unit row below the header, empty where it has none; empty list without such a row.
    row : int
        Row of the header in the file.
    body : list of Record
        Rows as wide as the header.
    """

    header: list[str]
    units: list[str]
    row: int
    body: list[Record]


class Names(NamedTuple):
    """Unique column labels, their units and their original headers."""

    labels: list[str]
    units: list[str | None]
    originals: list[str]


def find_layout(
    records: Sequence[Record], delimiter: str | None, log: RepairLog, *, cut: bool = False
) -> Head:
    """Find header, unit row and rows, or say which row does not fit.

    Parameters
    ----------
    records : sequence of Record
        All rows of the file.
    delimiter : str or None
        None for a workbook.
    log : RepairLog
        Receives what was skipped and repaired.
    cut : bool
        The file does not end with a line end.
    """
    records, comments = _without_blanks_and_comments(records, delimiter, log)
    if not records and not comments:
        log.fail("file", "hold a table", "no row", remedy="Check that the right file was saved.")
    header, rest = _find_header(records, comments, delimiter, log)
    names = [_text(cell) for cell in header.cells]
    rest = _without_repeated_header(names, rest, log)
    units: list[str] = []
    if rest and is_unit_row([_text(cell) for cell in rest[0].cells], rest[1:], names):
        units = [re.sub(r"^[(\[{【（]\s*|\s*[)\]}】）]$", "", _text(cell)) for cell in rest[0].cells]
        log.add(rest[0].row, None, "unit_row", "units in a row of their own", "moved to the columns")
        rest = rest[1:]
    names, rest = _equal_widths(Record(header.row, list(names)), rest, delimiter, log, cut)
    units = (units + [""] * len(names))[: len(names)] if units else []
    return Head(names, units, header.row, rest)


# --------------------------------------------------------------------------------------------
# Header
# --------------------------------------------------------------------------------------------


def _without_blanks_and_comments(
    records: Sequence[Record], delimiter: str | None, log: RepairLog
) -> tuple[list[Record], list[Record]]:
    """Rows that hold cells, and the comment rows."""
    filled = [record for record in records if any(_text(cell) for cell in record.cells)]
    first, last = (filled[0].row, filled[-1].row) if filled else (0, 0)
    holding = {record.row for record in filled}
    inner = [record.row for record in records if first < record.row < last and record.row not in holding]
    if inner:
        log.add(inner[0], None, "blank_row", counted(len(inner), "blank row"), "skipped")
    if delimiter is None:
        return filled, []
    comments = [record for record in filled if is_comment(record.cells[0])]
    if not comments:
        return filled, []
    kept = [record for record in filled if not is_comment(record.cells[0])]
    log.add(comments[0].row, None, "comment", f"{counted(len(comments), 'comment row')} (#)", "skipped")
    return kept, comments


def _find_header(
    records: list[Record], comments: list[Record], delimiter: str | None, log: RepairLog
) -> tuple[Record, list[Record]]:
    """Header row and what follows it; title rows above it are reported."""
    if not records:
        log.fail("file", "hold a header", "comments only", remedy="Write the column names without '#'.")
    width = Counter(len(record.cells) for record in records).most_common(1)[0][0]
    hidden = _commented_header(records, comments, delimiter, width)
    if hidden is not None:
        log.add(hidden.row, None, "commented_header", "column names behind '#'", "taken as the header")
        return hidden, records
    start = 0 if width == 1 or _is_header(records[0], width) else _header_below_title(records, width)
    for record in records[:start]:
        title = " ".join(_text(cell) for cell in record.cells if _text(cell))
        log.add(record.row, None, "title", f"{title[:60]!r} above the header", "skipped")
    header = _joined_brackets(records[start], width, log) if delimiter == "whitespace" else records[start]
    _check_numeric_header(header, log)
    return header, records[start + 1 :]


def _commented_header(
    records: list[Record], comments: list[Record], delimiter: str | None, width: int
) -> Record | None:
    """Column names in the comment just above the first row, as numpy.savetxt writes them."""
    if not comments or delimiter is None:
        return None
    above = [record for record in comments if record.row < records[0].row]
    numbers = [_is_number(cell) for cell in records[0].cells]
    if not above or sum(numbers) * 2 < len(numbers):
        return None
    first, *others = above[-1].cells
    name = _text(first).lstrip("#").strip()
    cells: list[Cell] = [name or "#", *others] if name or len(others) + 1 == width else list(others)
    return Record(above[-1].row, cells) if len(cells) == width and not any(map(_is_number, cells)) else None


def _is_header(record: Record, width: int) -> bool:
    """Whether a row can be a header: as wide as the table, mostly filled, no number."""
    filled = sum(bool(_text(cell)) for cell in record.cells)
    return (
        len(record.cells) == width
        and filled * 2 >= width
        and filled > 1
        and not any(map(_is_value, record.cells))
    )


def _header_below_title(records: list[Record], width: int) -> int:
    """Place of a header below title rows; 0 unless it is plain that they are titles."""
    for place in range(1, min(len(records) - 1, _PREAMBLE_ROWS)):
        if not _is_header(records[place], width):
            continue
        filled = sum(bool(_text(cell)) for cell in records[place].cells)
        above = [sum(bool(_text(cell)) for cell in record.cells) for record in records[:place]]
        below = [cell for record in records[place + 1 : place + 3] for cell in record.cells]
        set_off = records[place].row > records[place - 1].row + 1  # a blank row between title and table
        titles = (
            max(above) <= max(1, filled // 2)
            or (set_off and max(above) < filled)
            or all(any(map(_is_date, row.cells)) for row in records[:place])
        )
        return place if titles and any(map(_is_number, below)) else 0
    return 0


def _joined_brackets(header: Record, width: int, log: RepairLog) -> Record:
    """Join ``T (K)`` that white space divided, where that makes the header as wide as the rows."""
    joined: list[Cell] = []
    for cell in header.cells:
        if joined and (str(cell)[:1] in "([" or str(joined[-1]).count("(") > str(joined[-1]).count(")")):
            joined[-1] = f"{joined[-1]} {cell}"
        else:
            joined.append(cell)
    if len(joined) == len(header.cells) or len(joined) != width:
        return header
    log.add(header.row, None, "header", "units set off by spaces in the header", "joined to their names")
    return Record(header.row, joined)


def _check_numeric_header(header: Record, log: RepairLog) -> None:
    """A header of numbers may be the first row of data."""
    numbers = [cell for cell in header.cells if _is_number(cell)]
    if not numbers:
        return
    if len({_text(cell) for cell in numbers}) < len(numbers):
        log.fail(
            "header",
            "name every column",
            _text(numbers[0]),
            row=header.row,
            remedy="Add a first row of column names.",
        )
    message = f"numbers among the {len(header.cells)} column names: {len(numbers)}"
    log.add(header.row, None, "numeric_header", message, "taken as names; add a header row if it is data")


def _without_repeated_header(names: list[str], rows: list[Record], log: RepairLog) -> list[Record]:
    """Rows without copies of the header, as joined files have them."""
    copies = [record for record in rows if [_text(cell) for cell in record.cells] == names]
    if not copies or len(names) < 2:
        return rows
    log.add(
        copies[0].row,
        None,
        "repeated_header",
        f"the header again in {counted(len(copies), 'row')}",
        "skipped",
    )
    gone = {record.row for record in copies}
    return [record for record in rows if record.row not in gone]


def _is_date(cell: Cell) -> bool:
    """Whether a cell holds a date, as the lines above a table do."""
    return re.match(r"\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}", _text(cell)) is not None


def _is_value(cell: Cell) -> bool:
    """Whether a cell holds a number or a date, which column names are not."""
    return _is_number(cell) or _is_date(cell)


def is_unit_row(cells: Sequence[str], below: Sequence[Record], names: Sequence[str]) -> bool:
    """Whether a row holds the units of the columns: units and blanks only, above numbers.

    Examples
    --------
    >>> is_unit_row(["", "K"], [Record(3, ["Fe", "300"])], ["alloy", "T"])
    True
    >>> is_unit_row(["T", "M"], [Record(3, ["300", "1.5"])], ["sample", "3"])
    False
    """
    bare = [re.sub(r"^[(\[{【（]\s*|\s*[)\]}】）]$", "", cell) for cell in cells]
    units = [k for k, cell in enumerate(bare) if cell and is_unit(cell)]
    if (
        not units
        or any(map(_is_number, cells))
        or any(cell and k not in units and cell != "-" for k, cell in enumerate(bare))
    ):
        return False
    if not any(cells[k] != bare[k] or suits(names[k] if k < len(names) else "", bare[k]) for k in units):
        return False
    for k in units:
        kinds = {read_cell(_text(row.cells[k])).kind for row in below[:20] if k < len(row.cells)}
        if "number" not in kinds or "text" in kinds:
            return False
    return True


# --------------------------------------------------------------------------------------------
# Rows as wide as the header
# --------------------------------------------------------------------------------------------


def _equal_widths(
    header: Record, rows: list[Record], delimiter: str | None, log: RepairLog, cut: bool
) -> tuple[list[str], list[Record]]:
    """Header and rows of equal width, or an error for the first row that does not fit."""
    names = [_text(cell) for cell in header.cells]
    width = len(names)
    if rows and all(len(row.cells) == width + 1 and not _text(row.cells[-1]) for row in rows):
        log.add(rows[0].row, None, "trailing_delimiter", "an empty cell ends every row", "removed")
        rows = [Record(row.row, row.cells[:-1]) for row in rows]
    for row in rows:
        if len(row.cells) > width:
            _refuse_long(names, row, delimiter, log)
    short = [row for row in rows if len(row.cells) < width]
    if short:
        rows = _padded(names, rows, short, delimiter, log, cut)
    return _without_empty_ends(header.row, names, rows, log)


def _refuse_long(names: list[str], row: Record, delimiter: str | None, log: RepairLog) -> None:
    """More cells than the header."""
    extra = len(names)
    sign = {"\t": "a tab", "whitespace": "a space"}.get(delimiter or "", f"{delimiter!r}")
    remedy = f"Quote cells that hold {sign}, or name the extra column in the header."
    if delimiter == "," and re.search(r"(?:^|,)\d+,\d+(?:,|$)", ",".join(map(str, row.cells))):
        remedy += " For decimal commas, separate the cells by ';'."
    log.fail(
        f"row of {len(row.cells)} cells", f"have as many cells as the header ({len(names)})",
        _text(row.cells[extra]), row=row.row, column=f"column {extra + 1}", remedy=remedy,
    )  # fmt: skip


def _padded(
    names: list[str],
    rows: list[Record],
    short: list[Record],
    delimiter: str | None,
    log: RepairLog,
    cut: bool,
) -> list[Record]:
    """Short rows filled up where the missing cells can only be blank remarks, as spreadsheets leave them."""
    width = len(names)
    fewest = min(len(row.cells) for row in short)
    numeric = [
        k for k in range(fewest, width) if any(_is_number(c) for row in rows for c in row.cells[k : k + 1])
    ]
    for row in short:
        last_and_cut = cut and row is rows[-1]
        if delimiter == "whitespace" or last_and_cut or any(k >= len(row.cells) for k in numeric):
            missing = len(row.cells)
            remedy = "Write the missing cells; leave those without value empty between delimiters."
            if last_and_cut:
                remedy = "The file may be cut off here; write the missing cells."
            log.fail(
                f"row of {missing} cells", f"have as many cells as the header ({width})",
                _text(row.cells[-1]), row=row.row, column=names[missing] or f"column {missing + 1}",
                remedy=remedy,
            )  # fmt: skip
        log.add(
            row.row,
            None,
            "padded",
            f"the last {counted(width - len(row.cells), 'cell')} missing",
            "read as empty",
        )
    return [Record(row.row, [*row.cells, *[""] * (width - len(row.cells))]) for row in rows]


def _without_empty_ends(
    header_row: int, names: list[str], rows: list[Record], log: RepairLog
) -> tuple[list[str], list[Record]]:
    """Drop columns without name and cells at either end."""
    empty = [not name and not any(_text(row.cells[k]) for row in rows) for k, name in enumerate(names)]
    if all(empty) or not (empty[0] or empty[-1]):
        return names, rows
    start, stop = empty.index(False), len(empty) - empty[::-1].index(False)
    gone = len(names) - (stop - start)
    log.add(header_row, None, "empty_column", f"{counted(gone, 'column')} without name and cells", "dropped")
    return names[start:stop], [Record(row.row, row.cells[start:stop]) for row in rows]


# --------------------------------------------------------------------------------------------
# Names
# --------------------------------------------------------------------------------------------


def name_columns(head: Head, log: RepairLog) -> Names:
    """Unique labels without units; every unit found in the header or in the unit row."""
    names = Names([], [], [])
    used = {split_unit(_spaced(text))[0] for text in head.header}
    for place, original in enumerate(head.header):
        label, unit = _name_and_unit(original, place, head, log)
        if label in names.labels:
            number = next(
                n for n in range(2, len(head.header) + 3) if f"{label}.{n}" not in used | set(names.labels)
            )
            log.add(
                head.row,
                f"{label}.{number}",
                "duplicate_name",
                f"the name of {original!r} again",
                f"renamed {label}.{number}",
            )
            label = f"{label}.{number}"
        names.labels.append(label)
        names.units.append(unit)
        names.originals.append(original)
    return names


def _name_and_unit(original: str, place: int, head: Head, log: RepairLog) -> tuple[str, str | None]:
    """Label and unit of one header."""
    text = _spaced(original)
    label, unit = split_unit(text)
    label, unit = label or f"column {place + 1}", unit and as_ascii(unit)
    if not text:
        log.add(head.row, label, "blank_name", f"column {place + 1} has no name", f"named '{label}'")
    if as_ascii(label) != label:
        log.add(
            head.row, as_ascii(label), "characters", f"full-width characters in {original!r}", "read as ASCII"
        )
        label = as_ascii(label)
    doubt = header_doubt(text)
    if doubt is not None:
        log.add(head.row, label, "header", doubt, "read as it stands")
    below = head.units[place] if head.units else ""
    if below and unit and as_ascii(below) != unit:
        log.fail(
            "unit", f"be the same in header and unit row; the header says {unit!r}", below, row=head.row + 1,
            column=label, remedy="Correct one of the two.",
        )  # fmt: skip
    return label, _checked_unit(label, unit or as_ascii(below) or None, head.row, log)


def _checked_unit(label: str, unit: str | None, row: int, log: RepairLog) -> str | None:
    """Point at units that are unknown or that mean something else."""
    if unit is None:
        return None
    if unit == "C" and suits(label, "K"):
        log.add(row, label, "unit", "'C' is coulomb, but stands behind a temperature", "read as °C")
        return "°C"
    if not is_unit(unit) and not re.fullmatch(r"-|1|[\d.^×x*· +-]+", unit):
        near = near_units(unit)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        log.add(row, label, "unit", f"{unit!r} is not a known unit{hint}", "kept as it stands")
    return unit


def _spaced(text: str) -> str:
    """Header on one line."""
    return " ".join(text.split())


def _text(cell: Cell) -> str:
    """Cell as trimmed text."""
    return cell.strip().strip("\u3000\ufeff\u200b") if isinstance(cell, str) else str(cell)


def _is_number(cell: Cell) -> bool:
    """Whether a cell holds a number, with or without unit."""
    if not isinstance(cell, str):
        return True
    reading = read_cell(cell)
    return reading.kind == "number" and not (reading.attached and len(reading.unit or "") == 1)
