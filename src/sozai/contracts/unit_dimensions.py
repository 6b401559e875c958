"""Physical dimensions as exponents, and the record of a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

__all__ = [
    "Dimension",
    "Unit",
    "base_unit",
    "dimension_text",
    "multiply_dimensions",
    "per_particle",
    "power_dimension",
]

Dimension = tuple[tuple[str, Fraction], ...]

AVOGADRO = Fraction("6.02214076e23")


def multiply_dimensions(a: Dimension, b: Dimension) -> Dimension:
    """Dimension of a product: exponents add, zeros vanish, names stay sorted.

    Examples
    --------
    >>> from fractions import Fraction
    >>> multiply_dimensions((("length", Fraction(1)),), (("length", Fraction(-1)),))
    ()
    """
    total = dict(a)
    for name, exponent in b:
        total[name] = total.get(name, Fraction(0)) + exponent
    return tuple(sorted((name, exponent) for name, exponent in total.items() if exponent))


def power_dimension(a: Dimension, power: Fraction | int) -> Dimension:
    """Dimension of a power: every exponent times ``power``.

    Examples
    --------
    >>> from fractions import Fraction
    >>> power_dimension((("length", Fraction(2)),), Fraction(1, 2))
    (('length', Fraction(1, 1)),)
    """
    return tuple((name, exponent * power) for name, exponent in a) if power else ()


def dimension_text(dimension: Dimension) -> str:
    """Write a dimension for a message.

    Examples
    --------
    >>> from fractions import Fraction
    >>> dimension_text((("length", Fraction(1)), ("time", Fraction(-2))))
    'length time^-2'
    >>> dimension_text(())
    'dimensionless'
    """
    if not dimension:
        return "dimensionless"
    return " ".join(
        name if exponent == 1 else f"{name}^{_exponent_text(exponent)}" for name, exponent in dimension
    )


def per_particle(scale: float, dimension: Dimension) -> tuple[float, Dimension]:
    """Turn an energy per mole into an energy per particle; leave anything else alone."""
    exponents = dict(dimension)
    energy_like = exponents.get("mass") == 1 and exponents.get("time") == -2 and exponents.get("amount") == -1
    if not energy_like or set(exponents) - {"length", "mass", "time", "amount", "temperature"}:
        return scale, dimension
    del exponents["amount"]
    return scale / float(AVOGADRO), tuple(sorted(exponents.items()))


@dataclass(frozen=True)
class Unit:
    """A unit of measurement: its size in SI and its physical dimension.

    Parameters
    ----------
    symbol : str
        The text the user wrote.
    scale, offset : float
        ``value_in_SI = value * scale + offset``; the offset is 0 except for
        temperatures in °C and °F standing alone. In a compound such as
        ``°C/min`` they are temperature differences.
    dimension : tuple of (str, Fraction)
        Exponents of the base dimensions, sorted by name, without zeros.
    of : tuple of (str, Fraction)
        What is counted or referred to (``atom``, ``mass fraction``, ``vs RHE``).
        It has no dimension, but eV/atom is not eV/cell and wt% is not at%.

    Notes
    -----
    Energies per mole (J/mol, kcal/mol/Å, J/(mol K)) are read as energies per
    particle, so that they share the dimension of eV; arithmetic does the same,
    hence ``kJ / mol * mol`` is an energy times an amount.

    Examples
    --------
    >>> from sozai.contracts.units import parse_unit
    >>> speed = parse_unit("km") / parse_unit("h")
    >>> str(speed), round(speed.scale, 6)
    ('km/h', 0.277778)
    >>> str(speed**2)
    '(km/h)^2'
    """

    symbol: str
    scale: float
    offset: float
    dimension: Dimension
    of: Dimension = ()

    def __str__(self) -> str:
        return self.symbol

    def __mul__(self, other: Unit) -> Unit:
        return self._joined(other, 1, f"{_wrapped(self.symbol)}*{_wrapped(other.symbol)}")

    def __truediv__(self, other: Unit) -> Unit:
        left = self.symbol if _is_product(self.symbol) else _wrapped(self.symbol)
        return self._joined(other, -1, f"{left}/{_wrapped(other.symbol)}")

    def __pow__(self, power: Fraction | int) -> Unit:
        if power == 1:
            return self
        exponent = Fraction(power)
        number = exponent.numerator if exponent.denominator == 1 else float(exponent)
        symbol = f"{_wrapped(self.symbol)}^{_exponent_text(exponent)}"
        dimension, of = power_dimension(self.dimension, exponent), power_dimension(self.of, exponent)
        return _made(symbol, self.scale**number, dimension, of)

    def _joined(self, other: Unit, sign: int, symbol: str) -> Unit:
        """Product (sign 1) or quotient (sign -1)."""
        return _made(
            symbol,
            self.scale * other.scale if sign == 1 else self.scale / other.scale,
            multiply_dimensions(self.dimension, power_dimension(other.dimension, sign)),
            multiply_dimensions(self.of, power_dimension(other.of, sign)),
        )


def _made(symbol: str, scale: float, dimension: Dimension, of: Dimension) -> Unit:
    """Unit made by arithmetic: no offset, energies per particle, as if its text were read."""
    scale, dimension = per_particle(scale, dimension)
    return Unit(symbol, scale, 0.0, dimension, of)


def base_unit(symbol: str, dimension: str | None = None) -> Unit:
    """Make a unit of a dimension of your own, e.g. an electron count.

    Parameters
    ----------
    symbol : str
        How it is written in headers.
    dimension : str, optional
        Name of the base dimension; the symbol when left out.

    Examples
    --------
    >>> from sozai.contracts.units import parse_unit
    >>> parse_unit("e/atom", extra={"e": base_unit("e", "electron_count")}).dimension
    (('electron_count', Fraction(1, 1)),)
    """
    return Unit(symbol, 1.0, 0.0, ((dimension or symbol, Fraction(1)),))


def _is_product(symbol: str) -> bool:
    """Whether the symbol is a plain product, which needs no brackets above a slash."""
    return re.fullmatch(r"[\w %°Åμµ^*-]+", symbol) is not None


def _wrapped(symbol: str) -> str:
    """Symbol in brackets unless it is a single one."""
    return symbol if re.fullmatch(r"[^\W\d]+|[%°]|°[CF]|1", symbol) else f"({symbol})"


def _exponent_text(exponent: Fraction) -> str:
    return str(exponent.numerator) if exponent.denominator == 1 else f"({exponent})"
