"""Amounts with variables, such as 1-x or 3-δ: exact arithmetic with the four operations and brackets."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from numbers import Real

from sozai.composition.formula_repairs import MAX_DEPTH, Refusal, brief, refuse_symbol
from sozai.contracts.errors import InputError, sentence

__all__ = ["NAME", "as_values", "read_amount", "starts_expression"]

_LETTER = "a-z\u03b1-\u03c9\u03f5"
#: A variable: small Latin or Greek letters.
NAME = re.compile(f"[{_LETTER}]+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_SPACE = re.compile(r"\s*")
# an operator continues an amount when a number, a variable or a bracket comes after it; a star
# continues it inside brackets only, because elsewhere it separates parts of a formula
_GOES_ON = re.compile(rf"\s*[+\-/]\s*[0-9.(\[{{{_LETTER}]")
_PLAIN_BRACKET = re.compile(rf"[(\[{{][0-9{_LETTER}+\-*/.\s()\[\]{{}}]*")
_OPEN, _CLOSE = "([{", ")]}"
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}


def as_values(values: object, *, place: str) -> dict[str, Fraction] | None:
    """Values of variables as exact numbers; ``None`` stays ``None``.

    A float is taken as the decimal number it is printed as, so that ``1-x`` at ``x=0.9`` is 0.1.
    """
    if values is None:
        return None
    if not isinstance(values, Mapping):
        raise InputError(
            sentence(place, "values", "be a dictionary of variables", values, remedy="Write {'x': 0.1}.")
        )
    exact = {}
    for name, value in values.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            must = "name variables by small Latin or Greek letters"
            raise InputError(sentence(place, "values", must, name, remedy="Write {'x': 0.1, 'δ': 0.05}."))
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            must = f"hold a finite number for {name}"
            raise InputError(sentence(place, "values", must, value, remedy="Write {'x': 0.1}."))
        exact[name] = Fraction(value) if isinstance(value, int | Fraction) else Fraction(repr(float(value)))
    return exact


def starts_expression(text: str, start: int, number_end: int) -> bool:
    """Tell whether what stands at ``start`` is more than a number, which ends at ``number_end``."""
    if number_end > start:
        number_end = _SPACE.match(text, number_end).end()  # type: ignore[union-attr]
        return _operator(text, number_end, inside=False) is not None
    char = text[start]
    if char in _OPEN:
        return _bracket_without_symbols(text, start)
    return NAME.match(text, start) is not None


def read_amount(text: str, start: int, values: Mapping[str, Fraction] | None) -> tuple[float, int]:
    """Value and end of the expression at ``start``.

    Operators and operands wait on two stacks, so that deep brackets cost no recursion.

    Raises
    ------
    Refusal
        A variable without value, a division by zero, a negative or infinite amount, bad brackets.
    """
    numbers: list[Fraction] = []
    waiting: list[str] = []
    at, want_operand = start, True
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        char = text[at] if at < len(text) else ""
        if want_operand:
            if char and char in _OPEN:
                if len(waiting) > 2 * MAX_DEPTH:
                    raise _refuse(text, at, "depth", f"nest brackets at most {MAX_DEPTH} deep", "Simplify.")
                waiting.append(char)
                at += 1
                continue
            number, at = _operand(text, at, values)
            numbers.append(number)
            want_operand = False
        elif char and char in _CLOSE and any(c in _OPEN for c in waiting):
            _close(text, at, numbers, waiting)
            at += 1
        elif (operator := _operator(text, at, any(c in _OPEN for c in waiting))) is not None:
            while waiting and _PRECEDENCE.get(waiting[-1], 0) >= _PRECEDENCE[operator]:
                _apply(text, at, numbers, waiting.pop())
            waiting.append(operator)
            at += char == operator
            want_operand = True
        else:
            break
    if any(c in _OPEN for c in waiting):
        raise _refuse(text, start, "brackets", "close every bracket", "Close the bracket.")
    while waiting:
        _apply(text, start, numbers, waiting.pop())
    return _as_float(text, start, at, numbers[0]), at


def _operand(text: str, at: int, values: Mapping[str, Fraction] | None) -> tuple[Fraction, int]:
    """A number or the value of a variable."""
    number = _NUMBER.match(text, at)
    if number:
        return Fraction(number.group()), number.end()
    name = NAME.match(text, at)
    if name is None:
        remedy = "Write amounts such as 1-x or 3-δ."
        raise _refuse(text, min(at, len(text) - 1), "expression", "have a number or a variable here", remedy)
    word = name.group()
    if values is None or word not in values:
        if not (word in "xyznm" or ord(word[0]) > 127):
            raise refuse_symbol(text, at, word)
        remedy = f"Pass values={{{brief(word)!r}: 0.1}} with the value you mean."
        raise _refuse(
            text, at, "variable", f"have numbers as amounts; it needs a value for {brief(word)}", remedy
        )
    return values[word], name.end()


def _operator(text: str, at: int, inside: bool) -> str | None:
    """Operator at a position, "*" for a product that is not written, or ``None`` where the amount ends."""
    char = text[at] if at < len(text) else ""
    if not char or char.isupper():
        return None
    if NAME.match(char) or (char in _OPEN and (inside or _bracket_without_symbols(text, at))):
        return "*"
    goes_on = char in "+-/*" and (inside or _GOES_ON.match(text, at) is not None)
    return char if goes_on else None


def _close(text: str, at: int, numbers: list[Fraction], waiting: list[str]) -> None:
    """Work out everything back to the bracket that the one at ``at`` closes."""
    while waiting[-1] not in _OPEN:
        _apply(text, at, numbers, waiting.pop())
    if _OPEN.index(waiting.pop()) != _CLOSE.index(text[at]):
        must = "close brackets by their own kind"
        raise _refuse(text, at, "brackets", must, "Write matching brackets.")


def _apply(text: str, at: int, numbers: list[Fraction], operator: str) -> None:
    """One operation on the two numbers on top."""
    right = numbers.pop()
    left = numbers.pop()
    if operator == "/":
        if not right:
            must = "divide by something other than zero"
            raise _refuse(text, min(at, len(text) - 1), "expression", must, "Change the value.")
        numbers.append(left / right)
    elif operator == "*":
        numbers.append(left * right)
    else:
        numbers.append(left + right if operator == "+" else left - right)


def _as_float(text: str, start: int, end: int, amount: Fraction) -> float:
    """An amount as a float; zero is allowed, as the end of a series of compositions."""
    written = brief(text[start:end].strip())
    if amount < 0:
        must = f"have positive amounts; {written} is {float(amount):.6g} here"
        raise _refuse(text, start, "negative", must, "Choose values that keep every amount at or above zero.")
    try:
        return float(amount)
    except OverflowError:
        must = "have finite amounts"
        raise _refuse(text, start, "too large", must, "Choose smaller values.") from None


def _refuse(text: str, column: int, code: str, must: str, remedy: str) -> Refusal:
    return Refusal(code, must, remedy, column=column, text=text)


def _bracket_without_symbols(text: str, start: int) -> bool:
    """Tell whether the bracket at ``start`` closes before any capital letter, and holds something."""
    run = _PLAIN_BRACKET.match(text, start)
    if run is None or len(run.group()) < 3:
        return False
    depth = 0
    for at in range(start, run.end()):
        depth += (text[at] in _OPEN) - (text[at] in _CLOSE)
        if depth == 0:
            return at > start + 1
    return False
