"""What a result cell says: a number with its error, a bound, a failure, or nothing yet."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from sozai.contracts.table_cells import as_ascii, read_cell

__all__ = ["ResultCell", "read_result"]

_FAILED = frozenset(
    {
        "failed", "failure", "fail", "error", "err", "ng", "n.g.", "失敗", "測定失敗", "合成失敗", "作製失敗",
        "エラー", "×",
    }
)  # fmt: skip
_SPREAD = re.compile(r"(?:±|\+/?-)\s*(?P<size>\d[\d.,]*(?:[eE][+-]?\d+)?)")
_DIGITS = re.compile(r"(?P<number>\d[\d.,]*)\((?P<last>[\d.]+)\)(?P<power>[eE][+-]?\d+)?")
_BOUND = re.compile(r"(?P<side>[<>≤≥≦≧])=?\s*(?P<number>.+)")
_BOUND_BEHIND = re.compile(r"(?P<number>.*\d\D{0,8}?)\s*(?P<side>以上|以下|未満|超)")
_BELOW = frozenset("<≤≦") | {"以下", "未満"}


class ResultCell(NamedTuple):
    """One result cell.

    Attributes
    ----------
    status : str
        ``ok``, ``failed``, ``censored_low``, ``censored_high``; ``blank`` for not
        measured, ``noted`` for a word that means not measured, ``infinite`` and
        ``text`` for what cannot be a result.
    value, sigma : float
        NaN where there is none.
    unit : str or None
        Unit behind the number.
    repaired : bool
        The cell was not a plain number.
    """

    status: str
    value: float = math.nan
    sigma: float = math.nan
    unit: str | None = None
    repaired: bool = True


def read_result(text: str, decimal: str = ".") -> ResultCell:
    """Read one result cell.

    Parameters
    ----------
    text : str
        As it stands in the file.
    decimal : {".", ","}
        Decimal sign of the column.

    Returns
    -------
    ResultCell

    Notes
    -----
    ``<0.1`` is a true value *below* 0.1 and has the status ``censored_low``.
    ``NG`` and 失敗 say that the experiment failed; ``NA``, ``-`` and 未測定 that
    there is no result.

    Examples
    --------
    >>> read_result("1.5 ± 0.2")[:3], read_result("1.52(3)").sigma
    (('ok', 1.5, 0.2), 0.03)
    >>> read_result("<0.1")[:2], read_result("失敗").status, read_result("").status
    (('censored_low', 0.1), 'failed', 'blank')
    >>> read_result("1,5", decimal=",").value, read_result("300 K").unit
    (1.5, 'K')
    """
    clean = as_ascii(text)
    if not clean:
        return ResultCell("blank", repaired=False)
    if clean.casefold() in _FAILED:
        return ResultCell("failed")
    reading = read_cell(text)
    if reading.kind == "number":
        value = reading.dot if decimal == "." else reading.comma
        if value is None:
            return ResultCell("text")
        plain = (
            not reading.notes and reading.unit is None and (decimal if decimal == "," else ".") in clean + "."
        )
        sigma = _sigma(clean, decimal) if "uncertainty" in reading.notes else math.nan
        return ResultCell("ok", value, sigma, reading.unit, not plain)
    if reading.kind == "censored":
        return _bound(clean, decimal)
    if reading.kind in ("missing", "spreadsheet error"):
        return ResultCell("noted")
    return ResultCell("infinite" if reading.kind == "infinite" else "text")


def _bound(clean: str, decimal: str) -> ResultCell:
    """``<0.1``, ``5 以上``: the number and the side; words such as ND say no number."""
    match = _BOUND.fullmatch(clean) or _BOUND_BEHIND.fullmatch(clean)
    if match is None:
        return ResultCell("noted")
    inner = read_cell(match["number"])
    value = inner.dot if decimal == "." else inner.comma
    if inner.kind != "number" or value is None:
        return ResultCell("noted")
    status = "censored_low" if match["side"] in _BELOW else "censored_high"
    return ResultCell(status, value, unit=inner.unit)


def _sigma(clean: str, decimal: str) -> float:
    """Size of ``± 0.2`` or of the ``(3)`` in ``1.52(3)``."""
    spread = _SPREAD.search(clean)
    if spread is not None:
        inner = read_cell(spread["size"])
        size = inner.dot if decimal == "." else inner.comma
        return math.nan if size is None else size
    match = _DIGITS.search(clean)
    if match is None:
        return math.nan
    last = match["last"]
    power = float(f"1{match['power']}") if match["power"] else 1.0
    if "." in last:
        return float(last) * power
    _, _, fraction = match["number"].partition(decimal)
    return round(int(last) * 10.0 ** -len(fraction), 15) * power
