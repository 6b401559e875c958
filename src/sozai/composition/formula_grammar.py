"""One formula read with care: brackets, hydrates, charges, percentages and variables, in linear time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sozai.composition.formula_charge import split_charge
from sozai.composition.formula_markup import has_markup
from sozai.composition.formula_notations import (
    joins_parts,
    refuse_amount_before,
    refuse_joint,
    refuse_notation,
)
from sozai.composition.formula_repairs import (
    MAX_DEPTH,
    MAX_LENGTH,
    Refusal,
    Repair,
    brief,
    is_missing,
    missing,
    normalize,
    refuse_symbol,
)
from sozai.composition.formula_variables import NAME, read_amount, starts_expression
from sozai.composition.symbols import CODES

__all__ = ["Reading", "hydrate_repair", "merge_entries", "read_formula"]

_OPEN, _CLOSE = "([{", ")]}"
_SEPARATORS = "·\u2022\u2219\u22c5*"
_ADDUCT = "(?:H2O|D2O|NH3|CO2|HCl|C2H5OH|CH3OH|H2SO4)"
_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
# a dot, an optional number, one adduct - bare or in brackets -, more of the same, and the end of the part
_WATER = rf"{_ADDUCT}|\({_ADDUCT}\)|\[{_ADDUCT}\]"
_ONE = rf"\.\s*({_NUMBER}?)\s*({_WATER})\s*"
_MORE = rf"(?:\.\s*{_NUMBER}?\s*(?:{_WATER})\s*){{0,8}}"
_HYDRATE_DOT = re.compile(rf"{_ONE}{_MORE}(?=$|[)\]}}{_SEPARATORS}]|\.\s*[^0-9\s.])")
# a whole number between a symbol and a capital is read with its symbol: most tokens are of this kind
_TOKEN = re.compile(
    r"\s*(?:(?P<symbol>[A-Z][a-z]?)(?P<count>[1-9][0-9]{0,14}(?=[A-Z]|$))?"
    rf"|(?P<number>{_NUMBER})|(?P<open>[(\[{{])|(?P<close>[)\]}}])"
    rf"|(?P<separator>[{_SEPARATORS}])|(?P<dot>\.)|(?P<percent>%)|(?P<list>[,;])|(?P<other>\S))"
)
_UNITS = ("symbol", "count", "open", "number")
_EXPONENT = re.compile(r"[eE][+-]?[0-9]")
_VARIABLES = frozenset("xyznm")
_HUGE = "have finite amounts"


@dataclass(slots=True)
class Reading:
    """What one formula says: entries in the order of the text, charge, repairs."""

    codes: list[int]
    amounts: list[float]
    charge: float = 0.0
    repairs: tuple[Repair, ...] = ()


def read_formula(
    text: object,
    *,
    values: Mapping[str, Fraction] | None = None,
    percent: bool = False,
    allow_nan_like: bool = False,
) -> Reading:
    """Entries (symbol, amount) of one formula.

    Parameters
    ----------
    text : object
        The formula; anything that is no text is refused.
    values : mapping of str to Fraction, optional
        Values of variables.
    percent : bool
        Allow ``%`` after amounts and commas between them.
    allow_nan_like : bool
        Read ``NaN`` as sodium nitride.

    Returns
    -------
    Reading

    Raises
    ------
    Refusal
        With the character where the trouble is.

    Notes
    -----
    One pass over the tokens with a stack of open brackets; no step back, no recursion.

    Examples
    --------
    >>> reading = read_formula("Ca(OH)2")
    >>> reading.codes, reading.amounts
    ([19, 7, 0], [1.0, 2.0, 2.0])
    """
    if not isinstance(text, str):
        raise _not_text(text)
    if len(text) > MAX_LENGTH:
        must = f"be at most {MAX_LENGTH} characters long; it has {len(text)}"
        raise Refusal("length", must, "Split the text: one formula a row.")
    if is_missing(text) and not (allow_nan_like and text.strip() == "NaN"):
        raise missing(text)
    repairs: tuple[Repair, ...] = ()
    if not text.isascii() or (has_markup(text) and not _DICTIONARY.match(text)):
        text, repairs = normalize(text)
        if is_missing(text):
            raise missing(text)
    if _DICTIONARY.match(text):
        return _read_dictionary(text, repairs)
    body, charge = split_charge(text)
    reader = _Reader(body, text, values, percent)
    reader.read()
    return Reading(reader.codes, reader.amounts, charge, repairs + tuple(reader.repairs))


def merge_entries(codes: list[int], amounts: list[float]) -> tuple[list[int], list[float]]:
    """Codes in increasing order with their summed amounts; zeros left out.

    Amounts of one symbol are added in the order of the text.
    """
    summed: dict[int, float] = {}
    for code, amount in zip(codes, amounts, strict=True):
        summed[code] = summed.get(code, 0.0) + amount
    kept = sorted(code for code, amount in summed.items() if amount > 0.0)
    return kept, [summed[code] for code in kept]


class _Reader:
    """State of one pass: entries so far, where the last unit and the current part began, open brackets."""

    def __init__(self, body: str, text: str, values: Mapping[str, Fraction] | None, percent: bool) -> None:
        self.body, self.text, self.values, self.percent = body, text, values, percent
        self.codes: list[int] = []
        self.amounts: list[float] = []
        self.repairs: list[Repair] = []
        self.stack: list[tuple[str, int, int, int, float]] = []  # bracket, column, group, part, factor
        self.unit = -1  # first entry of the unit an amount would belong to; -1 where none may follow
        self.part, self.factor, self.fresh = 0, 1.0, False  # fresh: an amount may open the part

    def read(self) -> None:
        """Read the body from the first token to the last."""
        body, at, match = self.body, 0, _TOKEN.match
        codes, amounts = self.codes, self.amounts
        while token := match(body, at):
            kind, start, at = token.lastgroup, token.start(token.lastgroup), token.end()  # type: ignore[arg-type]
            if kind == "count":  # a symbol, a whole number, and then a capital or the end
                symbol, count = token.group("symbol", "count")
                code = CODES.get(symbol)
                if code is None:
                    raise self._strange(token.start("symbol"), symbol)
                codes.append(code)
                amounts.append(float(count))
                self.unit, self.fresh = -1, False
            elif kind == "symbol":
                code = CODES.get(token.group(kind))
                if code is None:
                    code, at = self._one_letter(start, token.group(kind))
                self.unit, self.fresh = len(codes), False
                codes.append(code)
                amounts.append(1.0)
            elif kind == "number":
                at = self._number(start, at)
            elif kind == "open":
                at = self._open(start)
            elif kind == "close":
                self._close(start)
            elif kind == "separator":
                self._separate(start)
            else:
                at = self._rest(kind, start)
        if self.stack:
            _, column, *_ = self.stack[-1]
            raise self._refuse(
                "brackets", "close every bracket", column, "Close the bracket above the caret."
            )
        self._end_part(len(body))
        for amount in amounts:
            if not math.isfinite(amount):
                raise self._refuse("too large", _HUGE, -1, "Write smaller amounts: only ratios count.")
        if not any(amounts) or (self.values is None and not all(amounts)):
            raise self._refuse("zero", "have amounts above zero", -1, "Leave out what is not there.")

    def _refuse(self, code: str, must: str, column: int, remedy: str) -> Refusal:
        return Refusal(code, must, remedy, column=column, text=self.text)

    def _one_letter(self, start: int, symbol: str) -> tuple[int, int]:
        """``Kx``: potassium and a variable, where the pair is no symbol."""
        code = CODES.get(symbol[0])
        names = self.values or {}
        word = NAME.match(self.body, start + 1)
        if code is None or word is None or symbol in ("Va", "Xx"):
            raise self._strange(start, symbol)
        if word.group() not in names and not (word.group() in _VARIABLES and len(word.group()) == 1):
            raise self._strange(start, symbol)
        return code, start + 1

    def _strange(self, start: int, symbol: str) -> Refusal:
        """Refusal of a symbol that is none."""
        return refuse_symbol(self.text, start, "Vac" if self.body.startswith("Vac", start) else symbol)

    # --- amounts -----------------------------------------------------------------------------------------

    def _number(self, start: int, end: int) -> int:
        """An amount after a unit or at the start of a part; returns where reading goes on."""
        body = self.body
        dot = body.find(".", start, end)
        if dot >= 0 and self.unit >= 0 and (hydrate := _HYDRATE_DOT.match(body, dot)):
            left = body[start:dot].lstrip("0")
            if start < dot and left in ("", "1"):
                raise self._two_readings(start, dot, hydrate)
            if start < dot:
                self._apply(start, float(body[start:dot]))
            return self._hydrate(dot)
        if _EXPONENT.match(body, end):
            must = "have amounts as plain numbers, without an exponent"
            raise self._refuse("exponent", must, end, "Write the digits out: only ratios count.")
        if starts_expression(body, start, end):
            if self.values is None and self.unit >= 0 and joins_parts(body, end):
                raise refuse_joint(self.text, end)
            return self._expression(start)
        amount = float(body[start:end])
        if amount == 0.0:
            raise self._refuse("zero", "have amounts above zero", start, "Leave out what is not there.")
        self._apply(start, amount)
        return end

    def _apply(self, start: int, amount: float) -> None:
        """Multiply the last unit, or set the factor of a part that has just begun."""
        if self.unit >= 0:
            for entry in range(self.unit, len(self.amounts)):
                self.amounts[entry] *= amount
            self.unit = -1
        elif self.fresh:
            self.factor, self.fresh = amount, False
        elif self.amounts:
            must = "have one amount after each symbol or bracket"
            raise self._refuse(
                "amount", must, start, "Remove the second number or the space inside the first."
            )
        else:
            raise refuse_amount_before(self.text, start)

    def _expression(self, start: int) -> int:
        """An amount with operators or variables."""
        amount, end = read_amount(self.body, start, self.values)
        if self.values is None:
            written = brief(self.body[start:end])
            must = f"have plain numbers as amounts, not {written}"
            remedy = "Write the number itself, or SO4^{2-} if a charge is meant; values={} has it worked out."
            raise self._refuse("expression", must, start, remedy)
        self._apply(start, amount)
        return end

    # --- brackets and parts ------------------------------------------------------------------------------

    def _open(self, start: int) -> int:
        """Begin a group; an amount in brackets, such as (1-x), is read at once."""
        body = self.body
        if (self.unit >= 0 or self.fresh) and starts_expression(body, start, start):
            return self._expression(start)
        if len(self.stack) == MAX_DEPTH:
            must = f"nest brackets at most {MAX_DEPTH} deep"
            raise self._refuse("depth", must, start, "Write the formula with fewer brackets.")
        self.stack.append((body[start], start, len(self.codes), self.part, self.factor))
        self.part, self.factor, self.fresh, self.unit = len(self.codes), 1.0, False, -1
        return start + 1

    def _close(self, start: int) -> None:
        """End a group: it is one unit of the part around it."""
        kind = self.body[start]
        if not self.stack:
            remedy = "Open the bracket or remove this one."
            raise self._refuse("brackets", f"open every bracket; {kind!r} closes none", start, remedy)
        self._end_part(start)
        opened, _, group, self.part, self.factor = self.stack.pop()
        if _OPEN.index(opened) != _CLOSE.index(kind):
            must = f"close {opened!r} by its own kind, not by {kind!r}"
            raise self._refuse("brackets", must, start, "Write matching brackets.")
        self.unit, self.fresh = group, False

    def _separate(self, start: int) -> None:
        """End a part of a hydrate or double salt and begin the next."""
        self._end_part(start)
        self.part, self.factor, self.fresh, self.unit = len(self.codes), 1.0, True, -1

    def _end_part(self, column: int) -> None:
        """Multiply the entries of a part by the amount written before it."""
        if len(self.codes) == self.part:
            column = min(column, len(self.text) - 1)
            must = "have a symbol inside every bracket and between separators"
            raise self._refuse("empty", must, column, "Fill in or remove the empty part.")
        if self.factor != 1.0:
            for entry in range(self.part, len(self.amounts)):
                self.amounts[entry] *= self.factor

    # --- everything else ---------------------------------------------------------------------------------

    def _rest(self, kind: str | None, start: int) -> int:
        """Dots between parts, percent signs, commas, variables; the rest is refused."""
        body = self.body
        if kind == "dot":
            follows = _TOKEN.match(body, start + 1)
            plain = follows is not None and follows.lastgroup in _UNITS
            if self.codes and (plain or NAME.match(body, start + 1)):
                return self._hydrate(start)
            raise self._refuse("character", "have digits behind a dot", start, "Remove the dot.")
        if kind in ("percent", "list"):
            if not self.percent:
                remedy = "Pass basis='at%' or basis='wt%'."
                if body[start] in ",\uff0c\u3001":
                    remedy = "Write amounts with a point, and elements that share a site one after the other."
                must = f"hold amounts in atoms, not {body[start]!r}"
                raise self._refuse("percent", must, start, remedy)
            return start + 1
        if (self.unit >= 0 or self.fresh) and starts_expression(body, start, start):
            return self._expression(start)
        if self.codes and joins_parts(body, start):
            raise refuse_joint(self.text, start)
        if body[start] in "+-\u2213\xb1":
            must = f"have amounts above zero and charges at the end; {body[start]!r} is neither"
            remedy = "Write amounts without sign and a charge as ^{2-} at the end."
            raise self._refuse("sign", must, start, remedy)
        if self.codes and NAME.match(body[start]) and (body[start] in _VARIABLES or ord(body[start]) > 127):
            must = f"have one amount after each symbol; {body[start]!r} follows another"
            raise self._refuse("variable", must, start, "Write amounts such as 1-x or 3-δ.")
        raise refuse_notation(self.text, start)

    def _hydrate(self, dot: int) -> int:
        """Take a dot as the separator of parts, and say so."""
        self._separate(dot)
        so_far = self.repairs.pop().read_as if self.repairs else self.text
        self.repairs.append(hydrate_repair(so_far, dot))
        return dot + 1

    def _two_readings(self, start: int, dot: int, hydrate: re.Match[str]) -> Refusal:
        """Both readings of ``FeO1.5H2O``."""
        body = self.body
        as_hydrate = f"{body[:dot]}·{body[dot + 1 :]}"
        as_decimal = f"{body[: dot + 1]}{hydrate.group(1)} {hydrate.group(2)}"
        both = f"a hydrate ({brief(as_hydrate)}) and a decimal amount ({brief(as_decimal)})"
        must = f"have one reading; {both} are both possible"
        remedy = "Write · for a hydrate, or put the adduct first for a decimal amount."
        return Refusal("hydrate", must, remedy, column=dot, text=self.text, suggestion=as_hydrate)


def hydrate_repair(text: str, dot: int) -> Repair:
    """Record that the dot at a column was read as a separator."""
    return Repair("hydrate", "dot read as a separator of parts", f"{text[:dot]}·{text[dot + 1 :]}")


# --- what is no formula, dictionaries as text ----------------------------------------------------


def _not_text(value: object) -> Refusal:
    """Refusal of a cell that is no text; gaps are told apart from numbers."""
    gap = value is None or type(value).__name__ in ("NAType", "NaTType")
    if gap or (isinstance(value, float) and math.isnan(value)):
        return missing(value)
    must = f"be text, not {type(value).__name__} {str(value)[:40]}"
    return Refusal("not text", must, "Write formulas as text, e.g. 'Fe2O3'.")


_DICTIONARY = re.compile(r"\s*\{\s*['\"]")
_PAIR = re.compile(
    r"""\s*(['"])([A-Z][a-z]?)\1\s*:\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?|\.[0-9]+)\s*([,}])"""
)


def _read_dictionary(text: str, repairs: tuple[Repair, ...]) -> Reading:
    """``{'Sr': 1.0, 'Ag': 4.0}``: symbols in quotes, colons, plain numbers, nothing else."""
    at = text.index("{") + 1
    found: dict[int, float] = {}
    while True:
        pair = _PAIR.match(text, at)
        if pair is None:
            remedy = "Write {'Fe': 2, 'O': 3}."
            column = min(at + len(text[at:]) - len(text[at:].lstrip()), len(text) - 1)
            must = "be pairs of a quoted symbol and a number"
            raise Refusal("dictionary", must, remedy, column=column, text=text)
        code = CODES.get(pair.group(2))
        if code is None:
            raise refuse_symbol(text, pair.start(2), pair.group(2))
        if code in found:
            must = f"name each element once; {pair.group(2)} comes twice"
            raise Refusal("dictionary", must, "Add the two amounts.", column=pair.start(2), text=text)
        found[code] = float(pair.group(3))
        if not math.isfinite(found[code]):
            raise Refusal("too large", _HUGE, "Write smaller amounts.", column=pair.start(3), text=text)
        at = pair.end()
        if pair.group(4) == "}":
            break
    if text[at:].strip():
        raise Refusal("dictionary", "end at its brace", "Remove the rest.", column=at, text=text)
    if not any(found.values()):
        raise Refusal("zero", "hold at least one atom", "Fill in or drop the row.", column=0, text=text)
    return Reading(list(found), list(found.values()), 0.0, repairs)
