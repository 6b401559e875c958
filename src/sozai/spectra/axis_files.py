"""An axis in a file of its own: one number per channel, with or without a header."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_cells import read_cell
from sozai.contracts.table_files import read_bytes
from sozai.contracts.tables import decode_text
from sozai.spectra.axis_headers import axis_meaning

__all__ = ["AxisFile", "read_axis"]

_PLACE = "read_axis"
_COMMENT = re.compile(r"\s*(#|%|//|!|\*)\s?")
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d+,\d+(?:[eE][+-]?\d+)?\s*")
_MOST_HEADERS = 50


class AxisFile(NamedTuple):
    """An axis as read.

    Attributes
    ----------
    values : ndarray of shape (n,)
    kind, unit : str or None
        What the header says.
    """

    values: NDArray[np.float64]
    kind: str | None
    unit: str | None


def read_axis(path: str | os.PathLike[str]) -> AxisFile:
    r"""Read the axis of an array that holds counts alone.

    Parameters
    ----------
    path : path-like
        ``.npy`` of one dimension, or text: the first column counts. Lines of words above are a header,
        of which the last one names the axis; comment lines are skipped.

    Returns
    -------
    AxisFile

    Raises
    ------
    InputError
        With the line where a number is missing, and for files without numbers.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "axis.txt"
    >>> _ = path.write_text("Binding energy [eV]\n285,5\n285,4\n", encoding="utf-8")
    >>> found = read_axis(path)
    >>> found.values.tolist(), found.kind, found.unit
    ([285.5, 285.4], 'binding', 'eV')
    """
    source = Path(path)
    if source.suffix.lower() == ".npy":
        return AxisFile(_array(source), None, None)
    try:
        lines = decode_text(read_bytes(source))[0].splitlines()
    except InputError as error:
        raise InputError(re.sub(r"^(read_table|decode_text):", f"{_PLACE}:", str(error))) from None
    rows = [(k, line) for k, line in enumerate(lines, start=1) if line.strip()]
    plain = [(k, line) for k, line in rows if not _COMMENT.match(line)]
    comma = _has_decimal_commas([line for _, line in plain])
    values: list[float] = []
    header = next((_COMMENT.sub("", line) for _, line in reversed(rows) if _COMMENT.match(line)), "")
    for k, line in plain:
        cell = _first_cell(line, comma)
        found = read_cell(cell.replace(",", ".") if comma else cell)
        if found.kind == "number":
            values.append(float(cell.replace(",", ".") if comma else cell))
        elif values or k > _MOST_HEADERS:
            raise InputError(
                sentence(
                    _PLACE, "file", "hold a number in every line below its header", line.strip()[:60],
                    at=f"in line {k} of '{source}'", remedy="Remove this line.",
                )
            )  # fmt: skip
        else:
            header = cell
    if not values:
        raise InputError(
            sentence(_PLACE, "file", "hold one number per line", "no number", at=f"in '{source}'",
                     remedy="Write the axis values, one per channel.")
        )  # fmt: skip
    return AxisFile(np.array(values), *axis_meaning(header))


def _array(source: Path) -> NDArray[np.float64]:
    """One-dimensional array of a file."""
    try:
        values = np.load(source, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(
            sentence(_PLACE, "file", f"be a whole .npy file ({error})", str(source), remedy="Save it again.")
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(sentence(_PLACE, "file", f"be readable ({reason})", str(source))) from None
    if values.dtype.kind not in "biuf" or np.squeeze(values).ndim != 1:
        raise InputError(
            sentence(
                _PLACE, "file", "hold one row of numbers", f"{values.dtype} of shape {values.shape}",
                at=f"in '{source}'", remedy="Save the axis alone.",
            )
        )  # fmt: skip
    return np.asarray(np.squeeze(values), dtype=np.float64)


def _first_cell(line: str, comma: bool) -> str:
    """First cell of a row; words between blanks are one cell."""
    for sign in ("\t", ";", *(() if comma else (",",))):
        if sign in line:
            return line.split(sign)[0].strip().strip('"').strip()
    first = line.split()[0]
    return first if read_cell(first.replace(",", ".") if comma else first).kind == "number" else line.strip()


def _has_decimal_commas(lines: list[str]) -> bool:
    """Whether commas are decimal signs: beside semicolons, or where what stands before them repeats."""
    numbers = [line for line in lines if any(letter.isdigit() for letter in line)]
    cells = [re.split(r"[;\t]", line)[0] for line in numbers]
    body = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    if not body or len(body) < len(cells) - 1:
        return False
    if any(";" in line or "\t" in line for line in numbers):
        return True
    whole = [int(cell.split(",")[0]) for cell in body]
    steps = np.sign(np.diff(whole))
    return bool(len(whole) < 2 or (steps == 0).any() or (steps != steps[0]).any())
