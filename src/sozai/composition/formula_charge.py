"""The charge at the end of a formula, and what belongs to it."""

from __future__ import annotations

import re

from sozai.composition.formula_repairs import Refusal, brief
from sozai.composition.symbols import CODES

__all__ = ["split_charge"]

_OPEN, _CLOSE = "([{", ")]}"
_AFTER_CARET = re.compile(r"\s*(?:([0-9]*)([+-]+)|([+-])([0-9]+))\s*$")


def split_charge(text: str) -> tuple[str, float]:
    """Body of a formula and its charge.

    Digits before a bare sign belong to the charge when one symbol, one bracket or a space stands
    before them (``Fe3+``), to the last amount otherwise (``NH4+``).

    Examples
    --------
    >>> split_charge("SO4^{2-}"), split_charge("Fe3+"), split_charge("NH4+")
    (('SO4', -2.0), ('Fe', 3.0), ('NH4', 1.0))
    """
    if "^" in text:
        body, _, tail = text.rpartition("^")
        inside = tail.strip()
        if inside.startswith("{") and inside.endswith("}"):
            inside = inside[1:-1]
        match = _AFTER_CARET.match(inside)
        if match is None or len(set(match.group(2) or "+")) > 1 or not body.strip():
            must = "have a charge such as ^{2-} or ^+ behind ^"
            raise Refusal("charge", must, "Write SO4^{2-}.", column=len(body), text=text)
        digits, signs, sign, number = match.groups()
        if sign:
            return body, _charge(text, number, sign)
        return body, _charge(text, digits, signs)
    bare = text.rstrip()
    body = bare.rstrip("+-")
    signs = bare[len(body) :]
    if not signs:
        return text, 0.0
    if len(set(signs)) > 1:
        raise Refusal("charge", "have a charge of one sign", "Write Fe^{3+}.", column=len(body), text=text)
    base = body.rstrip("0123456789")
    digits = body[len(base) :]
    if not base.strip() or len(signs) > 1 or not digits or base.endswith("."):
        return body, _charge(text, "", signs)
    if base[-1].isspace():
        return base, _charge(text, digits, signs)
    if len(digits) == 1:
        return (base, _charge(text, digits, signs)) if _one_unit(base) else (body, _charge(text, "", signs))
    first = f"{base}{digits[:-1]}^{{{digits[-1]}{signs}}}"
    must = f"have one reading; {brief(first)} and {brief(body)}^{signs} are both possible"
    remedy = "Write the charge behind ^, as in SO4^{2-}."
    raise Refusal("charge", must, remedy, column=len(base), text=text, suggestion=first)


def _charge(text: str, digits: str, signs: str) -> float:
    """Number of charges: written as digits, or as repeated signs."""
    if digits and (len(signs) > 1 or len(digits) > 3):
        raise Refusal("charge", "have a charge such as ^{2-}", "Write SO4^{2-}.", column=-1, text=text)
    size = int(digits) if digits else len(signs)
    return float(size if signs[0] == "+" else -size)


def _one_unit(base: str) -> bool:
    """Tell whether a text is one symbol, or one pair of brackets around everything."""
    bare = base.strip()
    if bare in CODES:
        return True
    depth = 0
    for at, char in enumerate(bare):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0:
            return at > 0 and at == len(bare) - 1
    return False
