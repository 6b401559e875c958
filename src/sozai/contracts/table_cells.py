"""What one cell says: a number, a missing or censored value, a truth value or text."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from sozai.contracts.unit_headers import is_unit

__all__ = ["PLAIN_CHARACTERS", "Reading", "as_ascii", "read_cell"]

PLAIN_CHARACTERS = frozenset("0123456789+-.eE")

# Full-width ASCII, ideographic space, and every dash people type for a minus.
_TO_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_TO_ASCII |= {0x3000: 0x20, 0x2212: 0x2D, 0xFE63: 0x2D} | {code: 0x2D for code in range(0x2010, 0x2016)}
_TO_ASCII |= {0x200B: None, 0xFEFF: None, 0x2060: None, 0x00AD: None}  # type: ignore[dict-item]
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")

_MISSING_EXACT = frozenset(
    {
        "NA", "na", "N/A", "n/a", "n.a.", "N.A.", "NG", "N.G.", "×", "/", "\\", "*", "**", "***",
    }
)  # fmt: skip
_MISSING_FOLDED = frozenset(
    {
        "nan", "null", "none", "-nan", "failed", "failure", "fail", "error", "err", "missing",
        "unknown", "-", "--", "---", ".", "..", "...", "…", "?", "??", "x.x", "失敗", "欠測", "欠損",
        "欠測値", "欠損値", "未測定", "測定不可", "測定不能", "測定不良",
        "測定失敗", "測定せず", "測定なし", "エラー", "なし", "無し",
        "不明", "該当なし", "データなし", "データ無し", "1.#qnan", "1.#ind", "-1.#ind",
    }
)  # fmt: skip
_SPREADSHEET_ERRORS = frozenset(
    {
        "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!",
    }
)  # fmt: skip
_INFINITE = frozenset(
    {
        "inf", "-inf", "+inf", "infinity", "-infinity", "∞", "-∞", "1.#inf", "-1.#inf", "ol",
        "ovld", "overflow", "overload", "over",
    }
)  # fmt: skip
_NOT_DETECTED = frozenset(
    {"ND", "N.D.", "n.d.", "nd", "BDL", "LOD", "<LOD", "LOQ", "<LOQ", "検出せず", "検出限界以下"}
)
_CENSORED = re.compile(
    r"[<>≤≥≦≧]=?\s*[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?[^\d<>]{0,12}|[+-]?\d[\d.,]*\s*\D{0,8}(?:以上|以下|未満|超)"
)

_NUMBER = re.compile(
    r"(?P<about>(?:~|≈|≃|約|およそ|ca\.?|c\.)\s*)?"
    r"(?P<sign>[+-])?\s*"
    r"(?P<digits>\d[\d.,']*|[.,]\d+)"
    r"(?P<error>\(\d+\)|\([\d.]+\))?"
    r"(?P<power>[eEdD][+-]?\d+|\s*[×x·*]\s*10(?:\^\(?[+-]?\d+\)?|\*\*[+-]?\d+|[+-]\d+))?"
    r"(?P<spread>\s*(?:±|\+/?-)\s*\d[\d.,]*(?:[eE][+-]?\d+)?)?"
    r"(?P<unit>\s*[^\d\s.,+\-'()/].*)?",
    re.ASCII,
)
_POWER_OF_TEN = re.compile(r"(?P<sign>[+-])?10\^\(?(?P<power>[+-]?\d+)\)?", re.ASCII)
_GROUPED_BY_COMMA = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_GROUPED_BY_DOT = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?")
_GROUPED_BY_MARK = re.compile(r"[1-9]\d{0,2}(?:'\d{3})+(?:[.,]\d*)?")
_UNSAFE_UNIT = re.compile(r"\d\d|[5-9]|(?:^|\s)\d")


class Reading(NamedTuple):
    """One cell, read under a decimal point and under a decimal comma.

    Attributes
    ----------
    kind : {"number", "missing", "spreadsheet error", "censored", "infinite", "boolean", "text", "empty"}
    dot, comma : float or None
        Value when the decimal sign is a point or a comma; None when it is no number then.
    evidence : {"", ".", ",", "?,", "?."}
        What the cell says about the decimal sign: nothing, point, comma, or a
        group of three that may be thousands (``1,234`` and ``1.234``).
    whole : bool
        Whether it is written as an integer.
    unit : str or None
        Unit behind the number; ``attached`` when no space is between.
    notes : tuple of str
        Codes of what had to be repaired.
    """

    kind: str
    dot: float | None = None
    comma: float | None = None
    evidence: str = ""
    whole: bool = False
    unit: str | None = None
    attached: bool = False
    notes: tuple[str, ...] = ()
    leading_zero: bool = False


_TEXT = Reading("text")
_LONGEST_NUMBER = 80


def as_ascii(text: str) -> str:
    r"""Full-width letters, ideographic and no-break spaces, and dashes in their ASCII form.

    Examples
    --------
    >>> as_ascii("\u3000\uff11\u22122")
    '1-2'
    """
    if text.isascii():
        return " ".join(text.split()) if " " in text or "\t" in text or "\n" in text or "\r" in text else text
    text = text.translate(_TO_ASCII)
    text = re.sub("(?<=\\d)[\u00a0\u202f\u2009’](?=\\d{3}(?!\\d))", "'", text)
    text = re.sub("[ー\uff70](?=[\\d.])", "-", text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+", lambda run: "^" + run.group().translate(_SUPERSCRIPTS), text)
    return " ".join(text.split())


def read_cell(text: str) -> Reading:
    """Read the text of one cell.

    Parameters
    ----------
    text : str
        As it stands in the file.

    Returns
    -------
    Reading
        Whether the cell *is* missing or a number is decided for the whole
        column; see :mod:`sozai.contracts.table_columns`.

    Examples
    --------
    >>> read_cell("1.2×10^-3").dot, read_cell("300 K").unit, read_cell("<0.1").kind
    (0.0012, 'K', 'censored')
    >>> read_cell("Na").kind, read_cell("NA").kind, read_cell("1,234").evidence
    ('text', 'missing', '?,')
    """
    return (
        _read_cached(text) if len(text) <= _LONGEST_NUMBER else Reading("text" if text.strip() else "empty")
    )


@lru_cache(maxsize=65536)
def _read_cached(text: str) -> Reading:
    """Reading of a short text; columns repeat their cells."""
    clean = as_ascii(text)
    folded = clean.casefold()
    if not clean:
        return Reading("empty")
    if folded in ("true", "false"):
        return Reading("boolean", dot=float(folded == "true"))
    if clean.upper() in _SPREADSHEET_ERRORS:
        return Reading("spreadsheet error")
    if clean in _MISSING_EXACT or folded in _MISSING_FOLDED:
        return Reading("missing")
    if folded in _INFINITE:
        return Reading("infinite")
    if clean in _NOT_DETECTED or _CENSORED.fullmatch(clean):
        return Reading("censored")
    if clean[0].isalpha() and clean[0] not in "c約お":
        return _TEXT
    notes = () if clean == text.strip(" ") else ("characters",)
    return _read_power_of_ten(clean, notes) or _read_number(clean, notes) or _TEXT


def _read_power_of_ten(clean: str, notes: tuple[str, ...]) -> Reading | None:
    """Read ``10^-3``."""
    match = _POWER_OF_TEN.fullmatch(clean)
    if match is None:
        return None
    value = float(f"{match.group('sign') or ''}1e{match.group('power')}")
    return Reading("number", value, value, notes=(*notes, "power_of_ten"))


def _read_number(clean: str, notes: tuple[str, ...]) -> Reading | None:
    """Read sign, digits, power of ten, uncertainty and unit; None for anything else."""
    match = _NUMBER.fullmatch(clean)
    if match is None:
        return None
    part = match.groupdict()
    unit = (part["unit"] or "").strip() or None
    if unit is not None and (_UNSAFE_UNIT.search(unit) or not is_unit(unit)):
        return None
    exponent = _exponent(part["power"])
    dot, comma = (_value(part["sign"], part["digits"], exponent, decimal) for decimal in ".,")
    if dot is None and comma is None:
        return None
    if any(value is not None and math.isinf(value) for value in (dot, comma)):
        return Reading("infinite")
    codes = {"approximate": part["about"], "uncertainty": part["error"] or part["spread"]}
    codes |= {
        "power_of_ten": part["power"] and part["power"][0] not in "eE",
        "thousands": "'" in part["digits"],
    }
    found = tuple(code for code, present in codes.items() if present)
    bare = not (part["error"] or part["power"] or part["spread"])
    return Reading(
        "number",
        dot,
        comma,
        evidence=_evidence(part["digits"], bool(part["power"] or part["error"])),
        whole=bare
        and re.fullmatch(r"[\d,.']+", part["digits"]) is not None
        and not _has_fraction(part["digits"]),
        unit=unit,
        attached=unit is not None and not (part["unit"] or " ")[0].isspace(),
        notes=notes + found,
        leading_zero=unit is None and bare and re.fullmatch(r"0\d+", part["digits"]) is not None,
    )


def _exponent(power: str | None) -> str:
    """Power of ten as Python writes it."""
    if power is None:
        return ""
    if power[0] in "eEdD":
        return "e" + power[1:]
    return "e" + re.sub(r".*10(\^\(?|\*\*)?", "", power.replace(" ", "")).rstrip(")")


def _value(sign: str | None, digits: str, exponent: str, decimal: str) -> float | None:
    """Value of a group of digits when ``decimal`` is the decimal sign; None when it cannot be."""
    group = "," if decimal == "." else "."
    if group in digits or "'" in digits:
        pattern = _GROUPED_BY_COMMA if decimal == "." else _GROUPED_BY_DOT
        marked = _GROUPED_BY_MARK.fullmatch(digits) and group not in digits
        if not pattern.fullmatch(digits) and not marked:
            return None
        digits = digits.replace(group, "").replace("'", "")
    if digits.count(decimal) > 1:
        return None
    return float(f"{sign or ''}{digits.replace(decimal, '.')}{exponent}")


def _evidence(digits: str, has_more: bool) -> str:
    """What the digits say about the decimal sign."""
    commas, dots = digits.count(","), digits.count(".")
    if commas and dots:
        return "." if digits.rindex(".") > digits.rindex(",") else ","
    if not commas and not dots:
        return ""
    sign, other = (",", ".") if commas else (".", ",")
    if max(commas, dots) > 1:
        return other
    before, after = digits.split(sign)
    grouped = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0") and "'" not in before
    return f"?{sign}" if grouped and not has_more else sign


def _has_fraction(digits: str) -> bool:
    """Whether a decimal sign of either kind stands in the digits, thousands groups aside."""
    return "." in digits or "," in digits
