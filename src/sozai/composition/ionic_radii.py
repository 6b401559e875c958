"""Shannon radius of an ion by charge, number of neighbors and spin, or of the nearest entry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from sozai.composition.symbols import ELEMENTS
from sozai.contracts.errors import InputError, sentence
from sozai.datasets.load import load_shannon_radii

__all__ = ["IonRadius", "charges_with_radius", "ionic_radius"]

#: Ions that Shannon's table lacks: charge, radius in Å for any number of neighbors. Divalent tin as in
#: Bartel et al. (2019).
_ADDED = {"Sn": {2: 1.15}}


class IonRadius(NamedTuple):
    """A radius and the entries it comes from.

    Attributes
    ----------
    radius : float
        Å.
    coordination : int
        Of the entry; of the lower charge where two were joined, 0 where the table has none.
    exact : bool
        Whether the entry has the wanted charge and number of neighbors.

    Examples
    --------
    >>> ionic_radius("Ag", 1, 12)
    IonRadius(radius=1.28, coordination=8, exact=False)
    """

    radius: float
    coordination: int
    exact: bool


@cache
def _table() -> Mapping[str, dict[int, dict[int, dict[str, float]]]]:
    """Radii by element, charge, coordination number and spin; unusual geometries only where alone."""
    table: dict[str, dict[int, dict[int, dict[str, float]]]] = {}
    frame = load_shannon_radii().frame.sort_values("geometry", kind="stable")
    for row in frame.itertuples():
        spins = table.setdefault(row.element, {}).setdefault(row.charge, {}).setdefault(row.coordination, {})
        spins.setdefault(row.spin, row.radius)
    for element, charges in _ADDED.items():
        for charge, radius in charges.items():
            table.setdefault(element, {}).setdefault(charge, {0: {"": radius}})
    return MappingProxyType(table)


def charges_with_radius(element: str) -> tuple[int, ...]:
    """Charges for which an element has a radius, lowest first; empty for an element without any.

    Parameters
    ----------
    element : str
        Symbol.

    Examples
    --------
    >>> charges_with_radius("Mn"), charges_with_radius("He")
    ((2, 3, 4, 5, 6, 7), ())
    """
    return tuple(sorted(_table().get(element, {})))


def ionic_radius(element: str, charge: float, coordination: int, *, spin: str = "high") -> IonRadius:
    """Effective ionic radius, at the number of neighbors nearest to the wanted one.

    Parameters
    ----------
    element : str
        Symbol.
    charge : float
        A charge between two entries gives the weighted mean of their radii, as in a mixed valence.
    coordination : int
        Number of neighbors. Of two entries equally near, the one with fewer neighbors is taken.
    spin : {"high", "low"}, default="high"
        For transition metals with both.

    Returns
    -------
    IonRadius

    Raises
    ------
    InputError
        When the element has no radius, or none between whose charges the wanted one lies.

    References
    ----------
    .. [1] R. D. Shannon, Acta Cryst. A 32, 751 (1976).

    Examples
    --------
    >>> ionic_radius("La", 3, 12).radius, round(ionic_radius("Mn", 3.3, 6).radius, 4)
    (1.36, 0.6105)
    """
    place = "ionic_radius"
    if spin not in ("high", "low"):
        raise InputError(sentence(place, "spin", "be 'high' or 'low'", spin, remedy="Take 'high'."))
    known = charges_with_radius(element)
    if not known:
        remedy = "Correct the symbol." if element not in ELEMENTS else "Leave the element out."
        raise InputError(sentence(place, "element", "have a Shannon radius", element, remedy=remedy))
    below = [q for q in known if q <= charge + 1e-9]
    above = [q for q in known if q >= charge - 1e-9]
    if not below or not above or below[-1] * above[0] < 0:
        listed = ", ".join(f"{q:+d}" for q in known)
        raise InputError(
            sentence(
                place, "charge", f"lie within the charges of {element} that have a radius ({listed})",
                charge, remedy="Choose one of them.",
            )
        )  # fmt: skip
    low, high = below[-1], above[0]
    first = _entry(element, low, coordination, spin)
    if low == high:
        return first
    second = _entry(element, high, coordination, spin)
    share = (charge - low) / (high - low)
    radius = (1.0 - share) * first.radius + share * second.radius
    return IonRadius(radius, first.coordination, first.exact and second.exact)


@cache
def _entry(element: str, charge: int, coordination: int, spin: str) -> IonRadius:
    """Entry of a whole charge."""
    entries = _table()[element][charge]
    nearest = min(entries, key=lambda number: (abs(number - coordination), number))
    spins = entries[nearest]
    radius = spins.get(spin, next(iter(spins.values())))
    return IonRadius(float(radius), nearest, nearest == coordination)
