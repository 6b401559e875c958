"""Linear constraints typed by a user: one or two signs of comparison between linear expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.canonical import split_number, terms_of
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.formulas.grammar import parse_into
from sozai.symbolic.formulas.hash_consing import SUM
from sozai.symbolic.formulas.operators import LEAF

__all__ = ["LinearConstraint", "read_constraint", "read_constraints"]

_PIECES = re.compile(r"`[^`]*`|[<>=!]=?|[≤≥≦≧≠＝＜＞]|[^`<>=!≤≥≦≧≠＝＜＞]+|`")  # noqa: RUF001
_SIGNS = {
    "<=": "<=", ">=": ">=", "==": "==", "=": "==", "<": "<=", ">": ">=",
    "≤": "<=", "≥": ">=", "≦": "<=", "≧": ">=", "＝": "==", "＜": "<=", "＞": ">=",  # noqa: RUF001
}  # fmt: skip
_REMEDY = "Write for example 'x_A + x_B == 1' or '2*a + b <= 3'."


@dataclass(frozen=True)
class LinearConstraint:
    r"""A linear condition :math:`l \le \sum_i a_i x_i \le u` on the columns of a table.

    Attributes
    ----------
    text : str
        As the user wrote it.
    coefficients : dict of str to float
        :math:`a_i` by column; zeros are left out.
    low, high : float
        :math:`l, u`; equal for an equation, infinite where there is no such side.

    Examples
    --------
    >>> LinearConstraint("x_A + x_B == 1", {"x_A": 1.0, "x_B": 1.0}, 1.0, 1.0).is_equation
    True
    """

    text: str
    coefficients: dict[str, float]
    low: float
    high: float

    def __str__(self) -> str:
        return self.text

    @property
    def is_equation(self) -> bool:
        """Whether both sides are one number."""
        return self.low == self.high


def read_constraints(constraints: Any, names: Sequence[str], *, place: str) -> tuple[LinearConstraint, ...]:
    """Constraints as text, as records, or as ``(coefficients, low, high)``.

    Parameters
    ----------
    constraints : str, LinearConstraint, tuple, or a sequence of these
    names : sequence of str
        Columns that may occur.
    place : str
        Who asks, for the message.

    Examples
    --------
    >>> [str(one) for one in read_constraints(({"a": 2.0, "b": -1.0}, 0.0, 3.0), ["a", "b"], place="limits")]
    ['0 <= 2*a - b <= 3']
    """
    alone = isinstance(constraints, (str, LinearConstraint)) or _is_triple(constraints)
    entries = [constraints] if alone else list(constraints)
    return tuple(_read_one(entry, names, place) for entry in entries)


def read_constraint(text: str, names: Sequence[str], *, place: str = "read_constraint") -> LinearConstraint:
    """Read one constraint typed by a user.

    Parameters
    ----------
    text : str
        Linear expressions in our grammar with ``<=``, ``>=`` or ``==`` between
        them, or ``low <= expression <= high``.
    names : sequence of str
        Columns that may occur.
    place : str
        Who asks, for the message.

    Returns
    -------
    LinearConstraint

    Raises
    ------
    InputError
        There is no comparison, a product of columns, an unknown name, or no column at all.

    Examples
    --------
    >>> one = read_constraint("2*a + b <= 3 - a", ["a", "b"])
    >>> one.coefficients, one.low, one.high
    ({'a': 3.0, 'b': 1.0}, -inf, 3.0)
    >>> read_constraint("0.2 <= x_A + x_B <= 1", ["x_A", "x_B"]).low
    0.2
    """
    sides, signs = _split(text, place)
    store = Expressions(names)
    forms = [_linear_form(store, side.strip(), text, place) for side in sides]
    if len(forms) == 3:
        return _chain(text, forms, signs, place)
    (left, left_number), (right, right_number) = forms
    total = {name: left.get(name, Fraction(0)) - right.get(name, Fraction(0)) for name in {**left, **right}}
    bound = float(right_number - left_number)
    low = -math.inf if signs[0] == "<=" else bound
    high = math.inf if signs[0] == ">=" else bound
    return _made(text.strip(), total, low, high, place)


def _is_triple(entry: Any) -> bool:
    """Whether this is one ``(coefficients, low, high)``."""
    return isinstance(entry, Sequence) and len(entry) == 3 and isinstance(entry[0], Mapping)


def _read_one(entry: Any, names: Sequence[str], place: str) -> LinearConstraint:
    """One entry of any kind."""
    if isinstance(entry, str):
        return read_constraint(entry, names, place=place)
    if isinstance(entry, LinearConstraint):
        coefficients, low, high, text = entry.coefficients, entry.low, entry.high, entry.text
    elif _is_triple(entry):
        coefficients, low, high = entry
        text = ""
    else:
        raise InputError(
            sentence(place, "each constraint", "be text or (coefficients, low, high)", entry, remedy=_REMEDY)
        )
    unknown = [name for name in coefficients if name not in names]
    if unknown:
        raise InputError(
            sentence(
                place,
                "constraints",
                f"name columns of the law ({', '.join(names)})",
                unknown[0],
                remedy="Check the spelling.",
            )
        )
    return _made(text, coefficients, float(low), float(high), place)


def _made(
    text: str, coefficients: Mapping[str, Any], low: float, high: float, place: str
) -> LinearConstraint:
    """Record, checked."""
    kept = {name: float(value) for name, value in coefficients.items() if value}
    shown = text or _written(kept, low, high)
    if not kept or not all(map(math.isfinite, kept.values())):
        raise InputError(sentence(place, "a constraint", "hold a column", shown, remedy=_REMEDY))
    if not low <= high or low == math.inf or high == -math.inf:
        raise InputError(
            sentence(place, "a constraint", "leave some room between its sides", shown, remedy=_REMEDY)
        )
    return LinearConstraint(shown, kept, low, high)


def _written(coefficients: Mapping[str, float], low: float, high: float) -> str:
    """Text of a constraint given as numbers."""
    parts = []
    for name, value in coefficients.items():
        size = "" if abs(value) == 1 else f"{abs(value):.6g}*"
        parts.append(f"{'- ' if value < 0 else '+ '}{size}{name}")
    text = " ".join(parts).removeprefix("+ ")
    if low == high:
        return f"{text} == {low:.6g}"
    left = "" if low == -math.inf else f"{low:.6g} <= "
    return f"{left}{text}" + ("" if high == math.inf else f" <= {high:.6g}")


def _split(text: str, place: str) -> tuple[list[str], list[str]]:
    """Sides and the signs between them; what stands in backticks is a name."""
    sides, signs = [""], []
    for piece in _PIECES.findall(text):
        if piece in ("!", "!=", "≠"):
            raise InputError(sentence(place, "a constraint", "use <=, >= or ==", text, remedy=_REMEDY))
        if piece in _SIGNS:
            signs.append(_SIGNS[piece])
            sides.append("")
        else:
            sides[-1] += piece
    if len(signs) not in (1, 2) or not all(side.strip() for side in sides):
        raise InputError(
            sentence(
                place,
                "a constraint",
                "compare two linear expressions by <=, >= or ==",
                text,
                remedy=_REMEDY,
            )
        )
    return sides, signs


def _linear_form(
    store: Expressions, side: str, text: str, place: str
) -> tuple[dict[str, Fraction], Fraction]:
    """Coefficients and number of one side."""
    coefficients: dict[str, Fraction] = {}
    number = Fraction(0)
    stack = [(Fraction(1), parse_into(store, side))]
    while stack:
        outer, node = stack.pop()
        inner, rest = split_number(store, node)
        value = outer * inner
        if rest == 0:
            number += value
        elif store.form[rest] == SUM:
            stack.extend((value * part, term) for part, term in reversed(terms_of(store, rest)))
        elif store.op[rest] == LEAF:
            name = store.names[store.left[rest]]
            coefficients[name] = coefficients.get(name, Fraction(0)) + value
        else:
            raise InputError(
                sentence(
                    place,
                    "a constraint",
                    "be linear in the columns",
                    text,
                    at=f"with the term {store.text(rest)}",
                    remedy="Only sums of numbers times columns are kept; bound the columns instead.",
                )
            )
    return coefficients, number


def _chain(
    text: str, forms: Iterable[tuple[dict[str, Fraction], Fraction]], signs: list[str], place: str
) -> LinearConstraint:
    """``low <= expression <= high``, or the other way round."""
    (first, first_number), (middle, number), (last, last_number) = forms
    if first or last or signs[0] != signs[1] or signs[0] == "==":
        raise InputError(
            sentence(place, "a constraint", "read 'number <= expression <= number'", text, remedy=_REMEDY)
        )
    ends = (float(first_number - number), float(last_number - number))
    low, high = ends if signs[0] == "<=" else ends[::-1]
    return _made(text.strip(), middle, low, high, place)
