"""Notations that have more than one reading: alloys by percent, mixtures, dopants, names of phases."""

from __future__ import annotations

import re

from sozai.composition.formula_repairs import Refusal, brief, refuse_character

__all__ = ["amounts_behind", "joins_parts", "refuse_amount_before", "refuse_joint", "refuse_notation"]

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_ALLOY = re.compile(rf"\s*([A-Z][a-z]?)((?:\s*-\s*{_NUMBER}\s*[A-Z][a-z]?)+)\s*")
_ADDED = re.compile(rf"({_NUMBER})\s*([A-Z][a-z]?)")
_SYSTEM = re.compile(r"\s*[A-Z][a-z]?(?:\s*-\s*[A-Z][a-z]?)+\s*")
_JOINT = re.compile(rf"\s*[+-]\s*{_NUMBER}?\s*[A-Z]")
_BETWEEN = re.compile("[-+·\u2022\u2219\u22c5*]")
_PART = re.compile(rf"\s*({_NUMBER})\s*([A-Z(\[{{].*?)\s*")
_ELEMENTS = re.compile(rf"(?:[A-Z][a-z]?{_NUMBER})+")
_PHASE = re.compile("[\u03b1-\u03c9]['\u2032]?\\s*-\\s*(.+)")
_LONGEST = 200  # characters up to which a formula is written anew for a message


def joins_parts(text: str, column: int) -> bool:
    """Tell whether a plus or a hyphen at a column stands before a symbol, not before an amount or the end.

    Examples
    --------
    >>> joins_parts("CuSO4-5H2O", 5), joins_parts("SO4-2", 3), joins_parts("LaMnO3-x", 6)
    (True, False, False)
    """
    return _JOINT.match(text, column) is not None


def refuse_joint(text: str, column: int) -> Refusal:
    """Refusal of hyphens between symbols: an alloy by percent, a chemical system, or parts of a mixture.

    Examples
    --------
    >>> refuse_joint("Ti-6Al-4V", 2).remedy
    "Write Ti90Al6V4 with basis='wt%' if percent by weight are meant, with basis='at%' if by atoms."
    """
    if len(text) <= _LONGEST and (alloy := _ALLOY.fullmatch(text)):
        must = "say what its numbers count; they may be percent by weight or by atoms"
        meant = _with_balance(alloy.group(1), alloy.group(2))
        example = meant or "Ti90Al6V4 for Ti-6Al-4V"
        remedy = (
            f"Write {brief(example)} with basis='wt%' if percent by weight are meant, "
            "with basis='at%' if by atoms."
        )
        return Refusal("alloy", must, remedy, column=column, text=text, suggestion=meant)
    if len(text) <= _LONGEST and _SYSTEM.fullmatch(text):
        must = "have amounts; symbols joined by hyphens are a chemical system"
        return Refusal("system", must, "Write amounts, as in Fe2O3.", column=column, text=text)
    must = f"have amounts above zero and · between parts; {text[column:].lstrip()[0]!r} is neither"
    parted = "·".join(piece.strip() for piece in re.split("[-+]", text) if piece.strip())
    remedy = f"Write {brief(parted)}, or amounts behind the parts, as in (Li2O)0.5(SiO2)0.5."
    return Refusal("parts", must, remedy, column=column, text=text, suggestion=parted)


def refuse_amount_before(text: str, column: int) -> Refusal:
    """Refusal of an amount before the first symbol.

    Examples
    --------
    >>> refuse_amount_before("0.5Li2O-0.5SiO2", 0).remedy
    'Write (Li2O)0.5(SiO2)0.5.'
    """
    must, meant = "begin with a symbol or a bracket", amounts_behind(text)
    remedy = f"Write {brief(meant)}" if meant else "Put the amount behind, as in (H2O)2"
    if "-" in text and _ELEMENTS.fullmatch(meant):
        remedy += ", with basis='wt%' if percent by weight are meant"
    return Refusal("amount", must, f"{remedy}.", column=column, text=text, suggestion=meant)


def amounts_behind(text: str) -> str:
    """Parts with their amounts behind them; empty where a part has none before it.

    Examples
    --------
    >>> amounts_behind("0.5Li2O-0.5SiO2"), amounts_behind("70Cu-30Zn"), amounts_behind("2H-MoS2")
    ('(Li2O)0.5(SiO2)0.5', 'Cu70Zn30', '')
    """
    if len(text) > _LONGEST:
        return ""
    parts = [_PART.fullmatch(piece) for piece in _BETWEEN.split(text)]
    written = [
        f"{part[2]}{part[1]}" if part[2].isalpha() and len(part[2]) <= 2 else f"({part[2]}){part[1]}"
        for part in parts
        if part
    ]
    return "".join(written) if len(written) == len(parts) else ""


def refuse_notation(text: str, column: int) -> Refusal:
    """Refusal of a character that has no place in a formula, by what it usually means.

    Examples
    --------
    >>> refuse_notation("Al2O3:Cr", 5).code, refuse_notation("α-Al2O3", 0).suggestion
    ('dopant', 'Al2O3')
    """
    char = text[column]
    if char == ":":
        must = "say how much of every element it holds and where; ':' names a dopant"
        remedy = "Write it on its site, as in Al1.98Cr0.02O3 for Al2O3:Cr, or leave it out."
        return Refusal("dopant", must, remedy, column=column, text=text)
    if char in "/@|":
        must = f"be one material; {char!r} joins several"
        remedy = "Write one formula a row, or amounts behind the parts, as in (Li2O)0.5(SiO2)0.5."
        return Refusal("several", must, remedy, column=column, text=text)
    if phase := _PHASE.match(text, column):
        must = f"hold no name of a phase; {char!r} is one"
        remedy = f"Write {brief(phase.group(1))}."
        return Refusal("phase", must, remedy, column=column, text=text, suggestion=phase.group(1))
    return refuse_character(text, column)


def _with_balance(base: str, added: str) -> str:
    """``Ti90Al6V4`` of ``Ti`` and ``-6Al-4V``; empty where nothing is left for the base."""
    numbers = {symbol: float(number) for number, symbol in _ADDED.findall(added)}
    left = 100.0 - sum(numbers.values())
    if left <= 0.0 or base in numbers or len(numbers) < len(_ADDED.findall(added)):
        return ""
    return "".join(f"{symbol}{amount:.10g}" for symbol, amount in {base: left, **numbers}.items())
