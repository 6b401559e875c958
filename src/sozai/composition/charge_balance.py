"""Oxidation states that make a formula neutral."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.composition.symbols import ELEMENTS
from sozai.contracts.errors import InputError, sentence

__all__ = ["assign_states", "can_be_neutral", "nearest_charge", "preferred_states", "state_table"]

Ints = NDArray[np.int64]

#: How the atoms of one component are charged: ((state, atoms), ...).
Choice = tuple[tuple[int, int], ...]
#: ``valence`` of the functions below: one state for each element, or two for one of them.
SINGLE, MIXED = 1, 2
#: Atomic numbers of the noble gases.
_NOBLE = (2, 10, 18, 36, 54, 86, 118)
#: State of most oxides of elements with open d and f shells.
_USUAL: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        [
            "Sc",
            "Y",
            "La",
            "Ce",
            "Pr",
            "Nd",
            "Pm",
            "Sm",
            "Eu",
            "Gd",
            "Tb",
            "Dy",
            "Ho",
            "Er",
            "Tm",
            "Yb",
            "Lu",
            "Ac",
            "Cr",
            "Fe",
            "Rh",
            "Au",
        ],
        (3,),
    ),
    **dict.fromkeys(["Ti", "Zr", "Hf", "Ru", "Ir", "Th", "U"], (4,)),
    **dict.fromkeys(["V", "Nb", "Ta", "Pa"], (5,)),
    **dict.fromkeys(["Mo", "W"], (6,)),
    **dict.fromkeys(["Mn", "Co", "Ni", "Cu", "Zn", "Cd", "Hg", "Pd", "Pt"], (2,)),
    "Ag": (1,),
}


def state_table(
    components: Sequence[str], oxidation_states: Mapping[str, Sequence[int]], *, place: str = "decode"
) -> tuple[Ints, Ints]:
    """Allowed states of all components as one padded table.

    Parameters
    ----------
    components : sequence of str
    oxidation_states : mapping of str to sequence of int
        The preferred state first. Components that are missing have none.
    place : str
        Who asks, for messages.

    Returns
    -------
    states : ndarray of shape (m, s), int64
    n_states : ndarray of shape (m,), int64

    Raises
    ------
    InputError
        A state that is no whole number.

    Examples
    --------
    >>> states, n_states = state_table(["Fe", "O"], {"Fe": (3, 2), "O": (-2,)})
    >>> states.tolist(), n_states.tolist()
    ([[3, 2], [-2, 0]], [2, 1])
    """
    known = [tuple(dict.fromkeys(oxidation_states.get(name, ()))) for name in components]
    for name, values in zip(components, known, strict=True):
        for value in values:
            if value != int(value):
                raise InputError(
                    sentence(
                        place, "oxidation_states", "hold whole numbers", value, at=f"for {name}",
                        remedy="Give both neighboring states and set mixed_valence=True.",
                    )
                )  # fmt: skip
    states = np.zeros((len(known), max(1, *map(len, known)) if known else 1), dtype=np.int64)
    for row, values in enumerate(known):
        states[row, : len(values)] = values
    return states, np.array([len(values) for values in known], dtype=np.int64)


def preferred_states(symbol: str, common: Sequence[int], known: Sequence[int] = ()) -> tuple[int, ...]:
    """States of an element with the likeliest first: full shells, then a lone pair, then the others.

    Of the transition metals and lanthanides the state of most of their oxides comes first.

    Parameters
    ----------
    symbol : str
        Element; another name keeps the order as given.
    common, known : sequence of int
        Common states come before those that are only known.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> preferred_states("P", (-3, 3, 4, 5)), preferred_states("Fe", (2, 3), (-2, 2, 3, 6))
    ((-3, 5, 3, 4), (3, 2, -2, 6))
    """
    valence = _main_group_valence(symbol)
    full = (valence - 8, valence) if valence >= 5 else (valence, valence - 8)
    likely = (*full, valence - 2) if valence else _USUAL.get(symbol, ())

    def rank(state: int) -> int:
        return likely.index(state) if state in likely else len(likely)

    return tuple(dict.fromkeys((*sorted(common, key=rank), *sorted(known, key=rank))))


def _main_group_valence(symbol: str) -> int:
    """Electrons outside the closed shells of an s or p element, 0 for all others."""
    if symbol not in ELEMENTS:
        return 0
    number = ELEMENTS.index(symbol) + 1
    below = max((noble for noble in (0, *_NOBLE) if noble < number), default=0)
    above = next(noble for noble in _NOBLE if noble >= number)
    if number - below <= 2:
        return number - below
    return 8 - (above - number) if 0 < above - number <= 5 else 0


@njit(cache=True, nogil=True)
def can_be_neutral(
    members: Ints, counts: Ints, k: int, states: Ints, n_states: Ints, valence: int, ranks: Ints
) -> bool:
    """Whether Σ n q = 0 for some choice of states: dynamic programming over partial charges.

    With ``valence`` 2 the atoms of one component may be split between two states. Where
    ``ranks`` (order of electronegativity) are not negative, all cations must rank below all anions.
    Cost O(k s C), C the largest possible charge; a split adds a factor of the number of atoms.
    """
    reach = 0
    for i in range(k):
        largest = 0
        for s in range(n_states[members[i]]):
            largest = max(largest, abs(states[members[i], s]))
        reach += counts[i] * largest
    if ranks[members[0]] < 0:
        return _reaches_zero(members, counts, k, states, n_states, valence, ranks, -1, reach)
    for i in range(k):  # the most electronegative cation
        if _reaches_zero(members, counts, k, states, n_states, valence, ranks, ranks[members[i]], reach):
            return True
    return False


@njit(cache=True, nogil=True)
def _reaches_zero(
    members: Ints, counts: Ints, k: int, states: Ints, n_states: Ints, valence: int,
    ranks: Ints, cut: int, reach: int,
) -> bool:  # fmt: skip
    """Whether partial charges up to ``reach`` can end at zero, cations up to rank ``cut``, anions beyond."""
    # row 0: no component split yet, row 1: one has been
    now, after = np.zeros((2, 2 * reach + 1), np.bool_), np.zeros((2, 2 * reach + 1), np.bool_)
    now[0, reach] = True
    for i in range(k):
        after[:] = False
        here, n_here, rank = states[members[i]], n_states[members[i]], ranks[members[i]]
        low = cut >= 0 and rank <= cut  # no anion here
        high = cut >= 0 and rank > cut  # no cation here
        for charge in range(2 * reach + 1):
            for layer in range(valence):
                if not now[layer, charge]:
                    continue
                for s in range(n_here):
                    if (low and here[s] < 0) or (high and here[s] > 0):
                        continue
                    after[layer, charge + counts[i] * here[s]] = True
                    if layer == 1 or valence == 1:
                        continue
                    for t in range(s):
                        if (low and here[t] < 0) or (high and here[t] > 0):
                            continue
                        for part in range(1, counts[i]):
                            after[1, charge + part * here[s] + (counts[i] - part) * here[t]] = True
        now, after = after, now
    return bool(now[0, reach] or now[1, reach])


def _choices(count: int, states: Sequence[int], split: bool) -> list[tuple[int, int, Choice]]:
    """Charge, price and ((state, atoms), ...) of every choice for one component."""
    found: list[tuple[int, int, Choice]] = [(count * q, rank, ((q, count),)) for rank, q in enumerate(states)]
    if split:
        for (a, p), (b, q) in itertools.combinations(enumerate(states), 2):
            found += [
                (part * p + (count - part) * q, a + b + len(states), ((p, part), (q, count - part)))
                for part in range(1, count)
            ]
    return found


def assign_states(
    counts: Sequence[int],
    states: Sequence[Sequence[int]],
    *,
    mixed_valence: bool = False,
    ranks: Sequence[int] | None = None,
) -> tuple[Choice, ...] | None:
    """Preferred neutral choice of states, or None.

    Parameters
    ----------
    counts : sequence of int
        Atoms of each component.
    states : sequence of sequence of int
        Allowed states of each, the preferred first.
    mixed_valence : bool
        Let the atoms of one component be split between two states.
    ranks : sequence of int, optional
        Order of electronegativity: all cations must rank below all anions.

    Returns
    -------
    tuple or None
        For each component ((state, atoms), ...). The sum of the ranks of the states is smallest; a
        split is taken only where no choice without one is neutral.

    Examples
    --------
    >>> assign_states([2, 3], [(2, 3), (-2,)])
    (((3, 2),), ((-2, 3),))
    >>> assign_states([3, 4], [(2, 3), (-2,)], mixed_valence=True)
    (((2, 1), (3, 2)), ((-2, 4),))
    """
    for split in (False, True) if mixed_valence else (False,):
        found = [_cheapest(counts, allowed, split).get(0) for allowed in _by_sign(states, ranks)]
        entries = [entry for entry in found if entry is not None]
        if entries:
            return min(entries, key=lambda entry: entry[0])[1]
    return None


def _by_sign(states: Sequence[Sequence[int]], ranks: Sequence[int] | None) -> list[Sequence[Sequence[int]]]:
    """Allowed states, once for every place of the cut between cations and anions."""
    if ranks is None:
        return [states]
    return [
        [
            [q for q in allowed if (q >= 0 if rank <= cut else q <= 0)]
            for allowed, rank in zip(states, ranks, strict=True)
        ]
        for cut in sorted(set(ranks))
    ]


def _cheapest(
    counts: Sequence[int], states: Sequence[Sequence[int]], split: bool
) -> dict[int, tuple[int, tuple[Choice, ...]]]:
    """Cheapest choice for every total charge, by dynamic programming."""
    table: dict[tuple[int, bool], tuple[int, tuple[Choice, ...]]] = {(0, False): (0, ())}
    for count, allowed in zip(counts, states, strict=True):
        grown: dict[tuple[int, bool], tuple[int, tuple[Choice, ...]]] = {}
        for (charge, used), (price, chosen) in table.items():
            for more, cost, choice in _choices(count, allowed, split and not used):
                key = (charge + more, used or len(choice) > 1)
                if key not in grown or price + cost < grown[key][0]:
                    grown[key] = (price + cost, (*chosen, choice))
        table = grown
    totals: dict[int, tuple[int, tuple[Choice, ...]]] = {}
    for (charge, _), entry in table.items():
        if charge not in totals or entry[0] < totals[charge][0]:
            totals[charge] = entry
    return totals


def nearest_charge(
    counts: Sequence[int],
    states: Sequence[Sequence[int]],
    *,
    mixed_valence: bool = False,
    ranks: Sequence[int] | None = None,
) -> int | None:
    """Total charge nearest to 0 that the states allow; None when a component has no state.

    Parameters are those of :func:`assign_states`.

    Examples
    --------
    >>> nearest_charge([1, 1], [(3,), (-2,)])
    1
    """
    charges = [q for allowed in _by_sign(states, ranks) for q in _cheapest(counts, allowed, mixed_valence)]
    return min(charges, key=lambda charge: (abs(charge), charge < 0), default=None)
