"""Spectra in columns of text: found out from the file itself, read by the short way where it is regular."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_cells import read_cell
from sozai.contracts.table_columns import type_columns
from sozai.contracts.table_files import DELIMITERS, Record, read_bytes, read_records, sniff_delimiter
from sozai.contracts.table_layout import find_layout, name_columns
from sozai.contracts.table_report import RepairLog
from sozai.contracts.table_scan import Column
from sozai.contracts.tables import Repairs, decode_text, read_table, write_table
from sozai.spectra.axis_headers import axis_meaning, counts_meaning
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.vendor_text import is_scienta, is_specs, read_scienta, read_specs

__all__ = ["read_text_spectra", "write_text_spectra"]

_HEAD = 256 * 1024  # characters in which the first row of numbers must stand
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PLAIN = re.compile(_NUMBER)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_COMMENT = re.compile(r"\s*(#|%|//|!|\*)")
_KNOWN = (
    ("photon_energy", r"(excitation|photon)\s+energy|^h(v|\u03bd)$", ("ev", "")),
    ("pass_energy", r"pass\s+energy|^pe$", ("ev", "")),
    ("dwell", r"dwell|time per step|step time", ("s", "ms", "")),
    ("sweeps", r"^(number of )?(sweeps|scans)$", ("",)),
)
_AXIS_WORDS = {
    "binding": "Binding energy", "kinetic": "Kinetic energy", "photon": "Photon energy",
    "loss": "Energy loss", "shift": "Shift", "wavelength": "Wavelength", "angle": "Angle",
}  # fmt: skip


class _Columns(NamedTuple):
    """Columns as read: header texts, values of shape (n_columns, n), repairs, and what stands above."""

    headers: list[str]
    values: list[NDArray[np.float64] | None]
    repairs: Repairs
    above: list[str]


def read_text_spectra(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
) -> list[Spectrum]:
    """Read spectra from text in columns: the first column is the axis, each other one a spectrum.

    Parameters
    ----------
    path : path-like
        .txt, .csv, .tsv, .xy, .dat or .xlsx.
    encoding, delimiter, decimal
        As for :func:`~sozai.contracts.tables.read_table`; found when left out.

    Returns
    -------
    list of Spectrum

    Raises
    ------
    InputError
        With file, row and column, where a column is no numbers, a row is cut, or a declared number of
        values is not what follows.

    Notes
    -----
    SPECS .xy and Scienta .txt files are recognized by their headers. Other files may have comment lines
    (``#``, ``%``, ``//``, ``!``) and title lines above, one header row or none, and a row of units. Unit
    and kind of the axis come from the header: ``Binding energy [eV]``, ``KE/eV``, ``Raman shift (cm-1)``.
    Where every line is a plain row of numbers, pandas reads them; anything else goes through the table
    reader of the contracts, with its repairs (decimal commas, full-width digits, words for missing).

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "two.csv"
    >>> text = chr(10).join(["Binding Energy [eV];C 1s;O 1s", "285,1;10;20", "285,0;12;21"])
    >>> _ = path.write_text(text, encoding="utf-8")
    >>> read_text_spectra(path)[1]
    Spectrum 'O 1s': 2 channels, binding 285-285.1 eV, 41 counts
    """
    source = Path(path)
    try:
        data = read_bytes(source)
        if data.startswith(b"PK"):
            return _spectra(_from_workbook(source), source)
        text, found = decode_text(data, encoding)
        if is_scienta(text):
            return read_scienta(text, source)
        if is_specs(text):
            return read_specs(text, source)
        if delimiter is not None and delimiter not in DELIMITERS:
            raise InputError(
                sentence("read_table", "delimiter", "be ',', ';', '\\t', '|' or 'whitespace'", delimiter)
            )
        sign = None if delimiter is None else DELIMITERS[delimiter]
        as_is = source if found == "utf-8" else None
        plain = None if decimal == "," else _read_plain(text, sign, as_is)
        return _spectra(plain or _read_repaired(text, sign, decimal, source), source)
    except InputError as error:
        message = re.sub(r"^decode_text: file", f"read_spectra: '{source}'", str(error))
        raise InputError(re.sub(r"^read_table:", "read_spectra:", message)) from None


def write_text_spectra(path: str | os.PathLike[str], spectra: Sequence[Spectrum]) -> None:
    """Write spectra on one axis as a table, one column each; numbers read back to the last digit.

    Raises
    ------
    InputError
        When two spectra have different axes.
    """
    target, first = Path(path), spectra[0]
    for k, spectrum in enumerate(spectra):
        if not np.array_equal(spectrum.axis, first.axis):
            raise InputError(
                sentence(
                    "write_spectra", "spectra", "share one axis in a text file", f"spectrum {k}",
                    remedy="Write .vms, .npz or .h5, or one text file each.",
                )
            )  # fmt: skip
    name = _AXIS_WORDS.get(first.axis_kind or "", "axis")
    columns: dict[str, NDArray[np.float64]] = {name: first.axis}
    units: dict[str, str | None] = {name: first.unit}
    for k, spectrum in enumerate(spectra):
        label = base = spectrum.label or f"y{k}"
        number = 2
        while label in columns:
            label, number = f"{base} {number}", number + 1
        columns[label], units[label] = spectrum.counts, spectrum.counts_unit
    delimiter = "\t" if target.suffix.lower() in (".tsv", ".txt", ".xy", ".dat") else ","
    write_table(pd.DataFrame(columns), target, units=units, delimiter=delimiter)


# --------------------------------------------------------------------------------------------
# The short way: plain rows of numbers
# --------------------------------------------------------------------------------------------


def _read_plain(text: str, delimiter: str | None, source: Path | None) -> _Columns | None:
    """Columns of a file whose rows are all plain numbers; None where anything else stands.

    ``source`` is given where the bytes of the file are the text: pandas then reads the file itself.
    """
    found = _first_rows(text, delimiter)
    if found is None:
        return None
    above, offset, sign, width = found
    titles = [line for line in above if line.strip() and not _COMMENT.match(line)]
    headers = _split(titles[-1], sign) if titles else []
    comment_header = [_COMMENT.sub("", line).strip() for line in above if _COMMENT.match(line)][-1:]
    if not titles and comment_header and len(_split(comment_header[0], sign)) == width:
        headers = _split(comment_header[0], sign)
    if titles and (len(headers) != width or len(titles) > 1 or _has_numbers(headers)):
        return None
    frame = _parse(source, text, offset, len(above), sign, width)
    if frame is None or (sign != "whitespace" and text.count(sign, offset) != len(frame) * (width - 1)):
        return None
    columns: list[NDArray[np.float64] | None] = [frame[k].to_numpy() for k in range(width)]
    if not all(np.isfinite(values).all() for values in columns if values is not None):
        return None
    return _Columns(headers or [""] * width, columns, Repairs(), above)


def _parse(
    source: Path | None, text: str, offset: int, n_above: int, sign: str, width: int
) -> pd.DataFrame | None:
    """Let pandas read the rows; None where a cell is no number or a row is too short."""
    options: dict[str, Any] = {
        "sep": r"\s+" if sign == "whitespace" else sign, "header": None, "dtype": np.float64,
        "index_col": False, "na_filter": False, "names": range(width), "quoting": csv.QUOTE_NONE,
        "float_precision": _precision(), "skip_blank_lines": True,
    }  # fmt: skip
    try:
        if source is not None:
            frame = pd.read_csv(source, skiprows=n_above, **options)
        else:
            frame = pd.read_csv(io.BytesIO(text[offset:].encode()), **options)
    except (ValueError, pd.errors.ParserError):
        return None
    return frame if len(frame) else None


def _precision() -> str | None:
    """Exact conversion of decimal numbers, where it is not pandas' default."""
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    return "round_trip" if version < (3, 1) else None


def _first_rows(text: str, delimiter: str | None) -> tuple[list[str], int, str, int] | None:
    """Lines above the first row of numbers, where it starts, the delimiter and the number of cells."""
    head = text[:_HEAD]
    start = 0
    above: list[str] = []
    while start < len(head):
        stop = head.find("\n", start)
        line = head[start : stop if stop >= 0 else len(head)].rstrip("\r")
        for sign in [delimiter] if delimiter else ["\t", ";", ",", "whitespace"]:
            cells = _split(line, sign)
            if len(cells) > 1 and all(_PLAIN.fullmatch(cell) for cell in cells):
                return above, start, sign, len(cells)
        above.append(line)
        if stop < 0:
            return None
        start = stop + 1
    return None


def _split(line: str, sign: str) -> list[str]:
    """Cells of a line without quotes."""
    parts = line.split() if sign == "whitespace" else line.split(sign)
    return [part.strip().strip('"').strip() for part in parts]


def _has_numbers(headers: list[str]) -> bool:
    """Whether a header row holds numbers, which must be looked at more closely."""
    return any(read_cell(header).kind == "number" for header in headers)


# --------------------------------------------------------------------------------------------
# The long way: the table reader of the contracts
# --------------------------------------------------------------------------------------------


def _read_repaired(text: str, delimiter: str | None, decimal: str | None, source: Path) -> _Columns:
    """Columns of any table, row by row, with repairs."""
    log = RepairLog(source)
    if not text.strip():
        log.fail("file", "hold a spectrum", "an empty file", remedy="Check that the right file was saved.")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blanked = ["" if _COMMENT.match(line) else line for line in lines]
    above = [line for line in lines[:500] if _COMMENT.match(line)]
    bare = "\n".join(blanked)
    sign = delimiter or _sign_beside_commas(lines) or sniff_delimiter(bare, log)
    records = read_records(bare, sign, log)
    first = next(record for record in records if any(str(cell).strip() for cell in record.cells))
    kinds = [read_cell(str(cell)).kind for cell in first.cells if str(cell).strip()]
    headless = len(kinds) > 1 and set(kinds) <= {"number", "missing"}
    if headless:
        width = max(len(record.cells) for record in records)
        names: list[Any] = ["axis", *(f"y{k}" for k in range(1, width))]
        records = [Record(0, names), *records]
    head = find_layout(records, sign, log, cut=bool(lines[-1].strip()))
    labels = name_columns(head, log)
    rows = np.array([record.row for record in head.body], dtype=np.int64)
    by_column = list(zip(*(record.cells for record in head.body), strict=True)) or [()] * len(head.header)
    columns = [
        Column(label, unit, rows, cells=[str(cell).strip(" ") for cell in cells])
        for label, unit, cells in zip(labels.labels, labels.units, by_column, strict=True)
    ]
    type_columns(columns, log, decimal)
    units = [f"{c.label} [{c.unit}]" if c.unit else c.label for c in columns]
    headers = [""] * len(units) if headless else units
    return _Columns(headers, [_numeric(column.series) for column in columns], log.finish(), above)


def _is_numbers_by_semicolon(lines: list[str]) -> bool:
    """Whether the first rows are numbers between semicolons, so that commas in them are decimal."""
    rows = [line for line in lines[:200] if line.strip() and not _COMMENT.match(line)][:20]
    cells = [_split(row, ";") for row in rows]
    return bool(rows) and all(
        len(row) > 1 and all(read_cell(cell).kind in ("number", "empty", "missing") for cell in row)
        for row in cells
    )


def _sign_beside_commas(lines: list[str]) -> str | None:
    """Delimiter of rows whose commas are decimal; None where nothing proves that they are."""
    if _is_numbers_by_semicolon(lines):
        return ";"
    rows = [line.split() for line in lines if line.strip() and not _COMMENT.match(line)][:20]
    rows = rows[:1] * (len(rows) == 1) or rows[1:]  # the first may be a header
    by_space = all(len(row) > 1 and all(_COMMA_NUMBER.fullmatch(cell) for cell in row) for row in rows)
    tabs = any("\t" in line for line in lines[:20])
    return DELIMITERS["whitespace"] if rows and by_space and not tabs else None


def _from_workbook(source: Path) -> _Columns:
    """Columns of the first filled sheet of a workbook."""
    table = read_table(source)
    headers = [f"{name} [{unit}]" if unit else name for name, unit in table.units.items()]
    return _Columns(headers, [_numeric(table.frame[name]) for name in table.frame], table.repairs, [])


def _numeric(series: Any) -> NDArray[np.float64] | None:
    """Values of a column of numbers; None for text."""
    if not pd.api.types.is_numeric_dtype(series):
        return None
    values: NDArray[np.float64] = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


# --------------------------------------------------------------------------------------------
# Columns to spectra
# --------------------------------------------------------------------------------------------


def _spectra(columns: _Columns, source: Path) -> list[Spectrum]:
    """One spectrum per column of numbers beside the axis."""
    axis = columns.values[0]
    signals = [k for k, values in enumerate(columns.values) if k > 0 and values is not None]
    if axis is None or not signals:
        held = "text" if axis is None else "no second column of numbers"
        raise InputError(
            sentence(
                "read_spectra", "first column", "be the axis, with counts in the columns beside it",
                held, at=f"in '{source}'", remedy="Put the axis first and remove columns of text.",
            )
        )  # fmt: skip
    kind, unit = axis_meaning(columns.headers[0])
    known, metadata = _above(columns.above)
    found = []
    for k in signals:
        own, label = _header_fields(columns.headers[k])
        name, counts_unit = counts_meaning(label)
        generic = name.casefold() in ("", "counts", "intensity", "y")
        found.append(
            Spectrum(
                axis,
                columns.values[k],
                unit,
                kind,
                source.stem if generic and len(signals) == 1 else name or f"column {k + 1}",
                counts_unit=counts_unit,
                metadata={**metadata, **own},
                source=f"{source}, column {k + 1}",
                repairs=columns.repairs,
                **known,
            )
        )
    return found


def _header_fields(header: str) -> tuple[dict[str, Any], str]:
    """``PE: 20.0 eV`` above the counts is the pass energy, not a label."""
    match = re.fullmatch(rf"\s*([A-Za-z ]+?)\s*[:=]\s*({_NUMBER})\s*([A-Za-z]*)\s*", header)
    if match is None:
        return {}, header
    name, value, unit = match.groups()
    key = "pass_energy" if re.fullmatch(r"PE|pass energy", name, re.IGNORECASE) else name
    return ({key: float(value)}, "") if key == "pass_energy" else ({key: f"{value} {unit}".strip()}, header)


def _above(lines: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What comment lines say: fields of a spectrum, and everything as metadata."""
    known: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    rest = []
    for line in lines:
        bare = _COMMENT.sub("", line).strip() if _COMMENT.match(line) else ""
        name, sign, value = (part.strip() for part in re.match(r"([^:=]*)([:=]?)(.*)", bare).groups())  # type: ignore[union-attr]
        if not bare:
            continue
        if not sign or not name:
            rest.append(bare)
            continue
        metadata[name] = value
        number = re.fullmatch(rf"({_NUMBER})\s*([A-Za-z]*)", value)
        for key, pattern, units in _KNOWN if number else ():
            if re.search(pattern, name.casefold()) and number.group(2).casefold() in units:  # type: ignore[union-attr]
                size = float(number.group(1)) / (1000 if number.group(2) == "ms" else 1)  # type: ignore[union-attr]
                (metadata if key == "pass_energy" else known)[key] = int(size) if key == "sweeps" else size
    if rest:
        metadata["comment"] = rest
    return known, metadata
