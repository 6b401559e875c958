"""Charges of the cations of a compound: neutrality first, then electronegativity and usual valence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from sozai.composition.ionic_radii import charges_with_radius
from sozai.composition.symbols import ELECTRONEGATIVITY, ELEMENTS
from sozai.contracts.errors import InputError

__all__ = ["ANIONS", "ORGANIC", "allowed_charges", "balance_charges", "electronegativity"]

#: Charges of anions.
ANIONS = {
    "N": -3.0,
    "O": -2.0,
    "S": -2.0,
    "Se": -2.0,
    "Te": -2.0,
    "F": -1.0,
    "Cl": -1.0,
    "Br": -1.0,
    "I": -1.0,
}
#: Organic cations, charge 1: methylammonium, formamidinium, ammonium.
ORGANIC = ("MA", "FA", "NH4")
#: Cations with one charge.
_ONE = frozenset({"H", "Li", "Na", "K", "Rb", "Cs", "Fr", "Ag", *ORGANIC})
_TWO = frozenset({"Be", "Mg", "Ca", "Sr", "Ba", "Ra"})
#: Cations whose charge is 3 unless neutrality says otherwise.
_THREE = frozenset(
    {
        *("Sc", "Y", "La", "Al", "Ga", "In"),
        *("Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu"),
    }
)
#: Charge to lean to in oxides with three or more cations; 3 for those above, else the highest one.
_USUAL = {
    **dict.fromkeys(("Cr", "Mn", "Fe", "Co", "Bi", "Ce", "Rh", "As", "Tl"), 3),
    **dict.fromkeys(("Ni", "Cu", "Zn", "Cd", "Hg", "Pb", "Ge", "Pd", "Pt"), 2),
    **dict.fromkeys(("Ti", "Zr", "Hf", "Sn", "Si", "Ru", "Ir", "Os", "Re", "Te", "Th", "Pu", "U"), 4),
    **dict.fromkeys(("Nb", "Ta", "V", "Sb"), 5),
    **dict.fromkeys(("Mo", "W"), 6),
}
#: Cations that take up or give away electrons first where the mean charge is not whole.
_REDOX = frozenset(
    {"Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Mo", "Ru", "Rh", "Pd", "W", "Re", "Os", "Ir", "Pt"}
)
_PAULING = dict(zip(ELEMENTS, ELECTRONEGATIVITY, strict=True))


def electronegativity(cation: str) -> float:
    """Pauling electronegativity, NaN for an organic cation.

    Examples
    --------
    >>> electronegativity("La")
    1.1
    """
    return float(_PAULING.get(cation, np.nan))


def allowed_charges(cation: str) -> tuple[int, ...]:
    """Charges a cation may have: one for the firm ones, else those with a Shannon radius.

    Examples
    --------
    >>> allowed_charges("Sr"), allowed_charges("Fe")
    ((2,), (2, 3, 4, 6))
    """
    if cation in _ONE:
        return (1,)
    return (2,) if cation in _TWO else tuple(q for q in charges_with_radius(cation) if q > 0)


def balance_charges(
    amounts: Mapping[str, float], needed: float, *, oxide: bool, place: str, text: str
) -> dict[str, float]:
    r"""Charges of the cations that add up to what the anions need.

    Parameters
    ----------
    amounts : mapping of str to float
        Cations and their amounts.
    needed : float
        Sum of the positive charges.
    oxide : bool
        Whether oxygen is the only anion.
    place, text : str
        Who asks, and the formula, for the message.

    Returns
    -------
    dict of str to float
        Whole charges where some fit; else the charges nearest to the usual ones,

        .. math:: \min_q \sum_i c_i (q_i - u_i)^2 \quad\text{with}\quad \sum_i c_i q_i = Q,

        shared by the transition metals, and by all others only where these do not suffice.

    Raises
    ------
    InputError
        When no allowed charges fit; the nearest sum is named.

    Notes
    -----
    For two cations in equal amounts the rules of Bartel et al. [1]_: a single choice is taken; of two
    that mirror each other the one with the higher charge on the more electropositive cation; both 3 in an
    oxide of a trivalent cation; else the least difference of charges if the electronegativities differ by
    less than a tenth, and the largest if by more.

    References
    ----------
    .. [1] C. J. Bartel et al., Sci. Adv. 5, eaav0693 (2019).

    Examples
    --------
    >>> balance_charges({"Ca": 1.0, "Ti": 1.0}, 6.0, oxide=True, place="here", text="CaTiO3")
    {'Ca': 2.0, 'Ti': 4.0}
    """
    names = list(amounts)
    shares = np.array([amounts[name] for name in names])
    states = [allowed_charges(name) for name in names]
    for name, found in zip(names, states, strict=True):
        if not found:
            raise InputError(
                f"{place}: every cation must have a Shannon radius. Got {name} in {text!r}. "
                "Leave the compound out."
            )
    combinations = np.array(list(product(*states)), dtype=np.float64)
    off = combinations @ shares - needed
    whole = combinations[np.abs(off) <= 1e-6 * max(1.0, abs(needed))]
    if len(whole):
        pair = len(names) == 2 and abs(shares[0] - shares[1]) <= 1e-9
        chosen = _of_pair(names, whole, oxide) if pair else _of_many(names, shares, states, whole, needed)
        return dict(zip(names, chosen.tolist(), strict=True))
    if off.min() > 0 or off.max() < 0:
        nearest = needed + (off.min() if off.min() > 0 else off.max())
        raise InputError(
            f"{place}: the charges of the cations must balance the anions ({needed:g} per formula unit). "
            f"Got {nearest:g} as the nearest sum in {text!r}. Check the formula and its oxygen content."
        )
    return dict(zip(names, _mixed(names, shares, states, needed).tolist(), strict=True))


def _of_pair(names: Sequence[str], whole: np.ndarray, oxide: bool) -> np.ndarray:
    """Choose among whole charges of two cations, shape (2,)."""
    chi = np.nan_to_num(np.array([electronegativity(name) for name in names]), nan=0.0)
    positive = int(chi[1] < chi[0])  # place of the more electropositive cation
    if len(whole) == 1:
        return whole[0]
    if len(whole) == 2 and (whole[0] == whole[1][::-1]).all():
        return whole[int(np.argmax(whole[:, positive]))]
    trivalent = (whole == 3).all(axis=1)
    if oxide and trivalent.any() and not _THREE.isdisjoint(names):
        return whole[int(np.argmax(trivalent))]
    difference = np.abs(whole[:, 0] - whole[:, 1])
    wanted = difference.min() if chi.min() > 0.9 * chi.max() else difference.max()
    best = whole[difference == wanted]
    return best[int(np.argmax(best[:, positive]))]


def _lean(name: str) -> int:
    """Usual charge."""
    found = allowed_charges(name)
    usual = 3 if name in _THREE else _USUAL.get(name, found[-1])
    return usual if usual in found else min(found, key=lambda q: abs(q - usual))


def _of_many(
    names: Sequence[str],
    shares: np.ndarray,
    states: Sequence[tuple[int, ...]],
    whole: np.ndarray,
    needed: float,
) -> np.ndarray:
    """Whole charges near the usual ones, unless only others than transition metals would have to move."""
    chosen = _usual(names, shares, whole)
    usual = np.array([_lean(name) for name in names], dtype=np.float64)
    redox = np.array([name in _REDOX for name in names])
    if (chosen == usual)[~redox].all():
        return chosen
    low = np.where(redox, [found[0] for found in states], usual)
    high = np.where(redox, [found[-1] for found in states], usual)
    feasible = shares @ low - 1e-9 <= needed <= shares @ high + 1e-9
    return _shifted(usual, low, high, shares, needed) if feasible and redox.any() else chosen


def _usual(names: Sequence[str], shares: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Whole charges nearest to the usual ones; of equally near ones the most even."""
    away = np.abs(whole - np.array([_lean(name) for name in names])) @ shares
    spread = whole.max(axis=1) - whole.min(axis=1)
    return whole[np.lexsort((spread, np.round(away, 9)))[0]]


def _mixed(
    names: Sequence[str], shares: np.ndarray, states: Sequence[tuple[int, ...]], needed: float
) -> np.ndarray:
    """Charges that are not whole: the nearest to the usual ones, transition metals first."""
    usual = np.array([_lean(name) for name in names], dtype=np.float64)
    low = np.array([found[0] for found in states], dtype=np.float64)
    high = np.array([found[-1] for found in states], dtype=np.float64)
    redox = np.array([name in _REDOX for name in names])
    firm = np.array([name in _THREE for name in names])
    for free in (redox, ~firm, np.ones(len(names), dtype=bool)):
        least, most = np.where(free, low, usual), np.where(free, high, usual)
        if shares @ least - 1e-9 <= needed <= shares @ most + 1e-9:
            return _shifted(usual, least, most, shares, needed)
    return _shifted(usual, low, high, shares, needed)


def _shifted(
    usual: np.ndarray, low: np.ndarray, high: np.ndarray, shares: np.ndarray, needed: float
) -> np.ndarray:
    """Usual charges moved by one common step, each within its limits, so that the sum is right."""
    breaks = np.sort(np.concatenate([low - usual, high - usual]))
    sums = np.array([shares @ np.clip(usual + step, low, high) for step in breaks])
    return np.clip(usual + np.interp(needed, sums, breaks), low, high)
