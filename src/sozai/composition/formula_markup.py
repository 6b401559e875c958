r"""Formulas as papers and web pages set them: LaTeX, HTML and fraction signs made plain."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["has_markup", "without_markup"]

_MARK = re.compile(r"[_$<\\]")
_HTML = re.compile(r"<su([bp])>([^<>]*)</su\1>", re.IGNORECASE)
_LATEX = re.compile(r"\$|\\(?:mathrm|mathit|text|ce|rm)(?![A-Za-z])|\\[,;! ]")
_LATEX_SIGN = re.compile(r"\\(cdot|bullet|delta)(?![A-Za-z])\s*")
_SIGNS = {"cdot": "·", "bullet": "·", "delta": "δ"}
_SUBSCRIPT = re.compile("_(?:\\{\\s*([0-9.]+)\\s*\\}|\\{([^{}A-Z]+)\\}|(?=[0-9a-z\u03b1-\u03c9]))")
# a fraction sign at the beginning of a part, behind a whole number there, or behind a symbol or bracket;
# behind a dot it begins a part, since no decimal number goes on with it
_FRACTION = re.compile(
    "((?:^|[·\u2022\u2219\u22c5*])\\s*[0-9]*|\\.|(?<=[A-Za-z)\\]}]))([\u00bc-\u00be\u2150-\u215e])"
)


def has_markup(text: str) -> bool:
    """Tell whether a text holds signs of LaTeX or HTML; other markup is not plain ASCII.

    Examples
    --------
    >>> has_markup("Fe$_2$O$_3$"), has_markup("Fe2O3")
    (True, False)
    """
    return _MARK.search(text) is not None


def without_markup(text: str) -> tuple[str, list[str]]:
    r"""Plain form of a formula, and sentences about what was left out.

    Subscripts become amounts, superscripts a charge behind ``^``, and a fraction sign a decimal number
    wherever it has one meaning: not in ``SO4½``, which may be 4.5 oxygen or half of something.

    Examples
    --------
    >>> without_markup("Fe$_2$O$_3$"), without_markup("SO<sub>4</sub><sup>2-</sup>")[0]
    (('Fe2O3', ['LaTeX left out']), 'SO4^{2-}')
    >>> without_markup("CaSO4·½H2O")
    ('CaSO4·0.5H2O', ['fraction signs written as decimals'])
    """
    said = []
    lowered = "_" in text
    if "<" in text and _HTML.search(text):
        text = _HTML.sub(lambda match: f"{'_' if match[1] in 'bB' else '^'}{{{match[2]}}}", text)
        said.append("HTML tags left out")
    if "$" in text or "\\" in text:
        plain = _LATEX.sub("", _LATEX_SIGN.sub(lambda match: _SIGNS[match[1]], text))
        said += ["LaTeX left out"] if plain != text else []
        text = plain
    if "_" in text:
        text = _SUBSCRIPT.sub(_amount, text)
        said += ["underscores of subscripts left out"] if lowered and not said else []
    if not text.isascii():
        plain = _FRACTION.sub(_decimal, text)
        said += ["fraction signs written as decimals"] if plain != text else []
        text = plain
    return text, said


def _amount(match: re.Match[str]) -> str:
    """Amount that a subscript writes."""
    if match.group(1):
        return match.group(1)
    return f"({match.group(2)})" if match.group(2) else ""


def _decimal(match: re.Match[str]) -> str:
    """Decimal number that a fraction sign, and perhaps a whole number before it, writes."""
    before = match.group(1)
    head = before.rstrip("0123456789")
    value = float(before[len(head) :] or 0) + unicodedata.numeric(match.group(2))
    return f"{'·' if head == '.' else head}{value!r}"
