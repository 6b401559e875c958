"""Units in headers, conversion at the door, floats inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import UnitError
from sozai.contracts.unit_dimensions import (
    Dimension,
    Unit,
    base_unit,
    dimension_text,
    multiply_dimensions,
    power_dimension,
)
from sozai.contracts.unit_grammar import parse_unit
from sozai.contracts.unit_headers import split_unit

__all__ = [
    "Dimension",
    "Unit",
    "base_unit",
    "convert",
    "convertible",
    "dimension_text",
    "multiply_dimensions",
    "parse_unit",
    "power_dimension",
    "split_unit",
]


def convert(values: Any, from_: str | Unit, to: str | Unit) -> NDArray[np.float64]:
    """Convert numbers from one unit to another.

    Parameters
    ----------
    values : array-like of float
        Numbers in the unit ``from_``.
    from_, to : str or Unit
        Units of equal dimension. Energies per mole and per particle convert
        into each other.

    Returns
    -------
    ndarray of float64
        In the unit ``to``; the same bits when the two units are equal.

    Raises
    ------
    UnitError
        When the dimensions differ, or when the units count different things
        (eV/atom and eV/f.u., wt% and at%, V vs RHE and V vs SCE).

    Examples
    --------
    >>> convert([1.0], "eV", "kJ/mol").round(6)
    array([96.485332])
    >>> convert([27.0, 300.0], "degC", "K")
    array([300.15, 573.15])
    """
    source, target = _as_unit(from_), _as_unit(to)
    numbers = np.asarray(values, dtype=np.float64)
    if source.dimension != target.dimension:
        remedy = _remedy(source.dimension, target.dimension)
        raise UnitError(
            f"convert: units must have equal dimensions. Got '{source}' ({dimension_text(source.dimension)}) "
            f"and '{target}' ({dimension_text(target.dimension)}). {remedy}"
        )
    if source.of and target.of and source.of != target.of:
        raise UnitError(
            f"convert: units must count the same thing. Got '{source}' ({dimension_text(source.of)}) and "
            f"'{target}' ({dimension_text(target.of)}). "
            "Convert them with the composition, structure or reference at hand."
        )
    if source.scale == target.scale and source.offset == target.offset:
        return numbers.copy()
    if source.offset == target.offset:
        return numbers * (source.scale / target.scale)
    return (numbers * source.scale + (source.offset - target.offset)) / target.scale


def convertible(from_: str | Unit, to: str | Unit) -> bool:
    """Whether :func:`convert` would accept the two units.

    Examples
    --------
    >>> convertible("eV", "kcal/mol"), convertible("wt%", "at%"), convertible("K", "unknown")
    (True, False, False)
    """
    try:
        convert(0.0, from_, to)
    except UnitError:
        return False
    return True


def _as_unit(unit: str | Unit) -> Unit:
    return unit if isinstance(unit, Unit) else parse_unit(unit)


def _remedy(source: Dimension, target: Dimension) -> str:
    """Hint for the pairs people mix up."""
    field, induction = parse_unit("A/m").dimension, parse_unit("T").dimension
    if {source, target} == {field, induction}:
        return "Multiply H by the magnetic constant to get B."
    if any(name == "arbitrary" for name, _ in source + target):
        return "Arbitrary units (a.u.) have no size; for atomic units write Ha or bohr."
    return "Choose a unit of the same quantity."
