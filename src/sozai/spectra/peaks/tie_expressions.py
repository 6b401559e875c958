"""Expressions that tie one parameter to others: numbers times names, built by arithmetic, never from text."""

from __future__ import annotations

import numbers
from dataclasses import dataclass

from sozai.contracts.errors import InputError, sentence

__all__ = ["Expression", "Tie", "of", "tie"]


@dataclass(frozen=True)
class Expression:
    """A number plus multiples of parameters; made by :func:`of` and arithmetic, never from text.

    Attributes
    ----------
    terms : tuple of (str, float)
        Parameters and their factors.
    constant : float

    Examples
    --------
    >>> 0.5 * of("a.area") - of("b.area") / 4 + 3
    Expression(0.5 a.area - 0.25 b.area + 3)
    """

    terms: tuple[tuple[str, float], ...]
    constant: float = 0.0

    def __repr__(self) -> str:
        pieces = [(factor, f" {name}") for name, factor in self.terms]
        if self.constant or not pieces:
            pieces.append((self.constant, ""))
        text = ""
        for factor, name in pieces:
            size = name.lstrip() if name and abs(factor) == 1 else f"{abs(factor):.6g}{name}"
            sign = "-" if factor < 0 else "+" if text else ""
            text += f" {sign} {size}" if text else f"{sign}{size}"
        return f"Expression({text})"

    def __add__(self, other: object) -> Expression:
        if isinstance(other, numbers.Real):
            return Expression(self.terms, self.constant + float(other))
        if not isinstance(other, Expression):
            return NotImplemented
        merged = dict(self.terms)
        for name, factor in other.terms:
            merged[name] = merged.get(name, 0.0) + factor
        return Expression(tuple(merged.items()), self.constant + other.constant)

    __radd__ = __add__

    def __mul__(self, other: object) -> Expression:
        if isinstance(other, Expression):
            raise InputError(
                sentence(
                    "Expression", "a tie", "be affine in the parameters", f"({self!r}) * ({other!r})",
                    remedy="Multiply parameters by numbers only.",
                )
            )  # fmt: skip
        if not isinstance(other, numbers.Real):
            return NotImplemented
        factor = float(other)
        return Expression(tuple((name, factor * f) for name, f in self.terms), factor * self.constant)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Expression:
        if isinstance(other, Expression):
            return self * other  # refused there
        if not isinstance(other, numbers.Real):
            return NotImplemented
        if float(other) == 0.0:
            raise InputError(
                sentence("Expression", "the divisor", "not be 0", 0, remedy="Divide by a number.")
            )
        return self * (1.0 / float(other))

    def __neg__(self) -> Expression:
        return self * -1.0

    def __sub__(self, other: object) -> Expression:
        if not isinstance(other, (Expression, numbers.Real)):
            return NotImplemented
        return self + (-1.0 * other)  # type: ignore[operator]

    def __rsub__(self, other: object) -> Expression:
        return -self + other


def of(name: str) -> Expression:
    """Value of a parameter, for use in a tie.

    Parameters
    ----------
    name : str
        ``"label.parameter"``.

    Examples
    --------
    >>> of("Si 2p3/2.position") + 0.6
    Expression(Si 2p3/2.position + 0.6)
    """
    if not isinstance(name, str) or not name:
        raise InputError(sentence("of", "name", "be text", name, remedy="Write 'label.parameter'."))
    return Expression(((name, 1.0),))


@dataclass(frozen=True)
class Tie:
    """One parameter given by an expression; made by :func:`tie`.

    Attributes
    ----------
    name : str
    expression : Expression

    Examples
    --------
    >>> tie("b.fwhm", "a.fwhm").expression
    Expression(a.fwhm)
    """

    name: str
    expression: Expression

    def __repr__(self) -> str:
        return f"Tie({self.name} = {repr(self.expression)[11:-1]})"


def tie(name: str, expression: Expression | str | float) -> Tie:
    """Give a parameter by others.

    Parameters
    ----------
    name : str
        ``"label.parameter"`` of the tied parameter. ``"label.area"`` of a peak whose area has two parts
        stands for both.
    expression : Expression, str or float
        Affine in other parameters; text is the name of one parameter, never code.

    Returns
    -------
    Tie

    Raises
    ------
    InputError
        An expression of another type.

    Examples
    --------
    >>> tie("Si 2p1/2.area", 0.5 * of("Si 2p3/2.area"))
    Tie(Si 2p1/2.area = 0.5 Si 2p3/2.area)
    """
    if isinstance(expression, str):
        expression = of(expression)
    elif isinstance(expression, numbers.Real):
        expression = Expression((), float(expression))
    if not isinstance(expression, Expression):
        raise InputError(
            sentence(
                "tie", "expression", "be affine in of(name), a name or a number", expression,
                remedy="Write it like 0.5 * of('a.area').",
            )
        )  # fmt: skip
    return Tie(of(name).terms[0][0], expression)
