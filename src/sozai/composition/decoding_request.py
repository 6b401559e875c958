"""What a decoder is asked for: allowed elements, limits, charges; checked once for all descriptors."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.composition.charge_balance import MIXED, SINGLE, preferred_states, state_table
from sozai.composition.kernel_mean_inverse import read_descriptors
from sozai.contracts.checks import as_names
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.simplex_least_squares import SimplexSystem

__all__ = ["Request", "read_request"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Request:
    """What is the same for all descriptors; components are the allowed ones only.

    Attributes
    ----------
    system : SimplexSystem
        Of the columns of the allowed components.
    names : tuple of str
        Allowed components.
    include : ndarray of int64
        Numbers, among these, of the ones that must occur.
    max_elements, max_atoms, n_best : int
    noise : float or None
    valence : int
        0 without charges, else SINGLE or MIXED of :mod:`sozai.composition.charge_balance`.
    states, n_states : ndarray
        Oxidation states, see :func:`~sozai.composition.charge_balance.state_table`.
    ranks : ndarray of shape (m,), int64
        Order of electronegativity; -1 without Pauling's test.
    curvatures : ndarray of shape (m,)
        Least second-order cost of a unit of each component; 0 where the matrix does not fix it.
    """

    system: SimplexSystem
    names: tuple[str, ...]
    include: Ints
    max_elements: int
    max_atoms: int
    n_best: int
    noise: float | None
    valence: int
    states: Ints
    n_states: Ints
    ranks: Ints
    curvatures: Array


def read_request(
    matrix: ArrayLike, phi: ArrayLike, components: Sequence[str], *, place: str, **asked: Any
) -> tuple[Request, Array, bool]:
    """Check everything that :func:`~sozai.composition.decoding.decode` was given.

    Returns
    -------
    request : Request
    rows : ndarray of shape (n, p)
        Descriptors.
    single : bool
        Whether there was one descriptor only, not a table of them.
    """
    whole = SimplexSystem.from_matrix(matrix, place=place)
    names = as_names(components, whole.matrix.shape[1], place=place)
    rows = read_descriptors(phi, whole, place)
    for option, least in (("max_elements", 1), ("max_atoms", 1), ("n_best", 1)):
        _require_count(asked[option], option, least, place)
    if asked["noise"] is not None and not (np.isfinite(asked["noise"]) and asked["noise"] >= 0):
        raise InputError(
            sentence(
                place, "noise", "be a standard deviation, zero or more", asked["noise"],
                remedy="Leave it out to have it estimated.",
            )
        )  # fmt: skip
    allowed, include = _allowed(names, asked, place)
    kept = tuple(names[j] for j in allowed)
    system = whole if len(kept) == len(names) else SimplexSystem.from_matrix(whole.matrix[:, allowed])
    states, n_states, valence = _charges(kept, asked, place)
    request = Request(
        system, kept, np.array([kept.index(name) for name in include], dtype=np.int64),
        min(int(asked["max_elements"]), len(kept)), int(asked["max_atoms"]), int(asked["n_best"]),
        asked["noise"], valence, states, n_states, _ranks(kept, asked, place),
        _curvatures(system),
    )  # fmt: skip
    return request, rows, not hasattr(phi, "columns") and np.ndim(phi) == 1


def _require_count(value: Any, option: str, least: int, place: str) -> None:
    """Refuse what is no whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(
            sentence(
                place, option, f"be a whole number of at least {least}", value, remedy=f"Use {least} or more."
            )
        )


def _allowed(names: tuple[str, ...], asked: dict[str, Any], place: str) -> tuple[list[int], tuple[str, ...]]:
    """Numbers of the allowed components, and the names that must occur."""
    given = {
        option: _symbols(asked[option], names, option, place) for option in ("elements", "include", "exclude")
    }
    include = tuple(dict.fromkeys(given["include"]))
    only = set(names if asked["elements"] is None else (*given["elements"], *include))
    clash = [name for name in include if name in given["exclude"]]
    if clash:
        raise InputError(
            sentence(
                place, "exclude", "not hold what include asks for", clash[0],
                remedy="Name it in one of the two.",
            )
        )  # fmt: skip
    if len(include) > min(asked["max_elements"], asked["max_atoms"]):
        option = "max_elements" if len(include) > asked["max_elements"] else "max_atoms"
        raise InputError(
            sentence(
                place, option, f"be at least the number of elements in include ({len(include)})",
                asked[option], remedy="Raise it, or include fewer elements.",
            )
        )  # fmt: skip
    allowed = [j for j, name in enumerate(names) if name in only and name not in given["exclude"]]
    if not allowed:
        raise InputError(
            sentence(
                place, "elements", "leave at least one element", list(given["elements"]),
                remedy="Exclude fewer elements.",
            )
        )  # fmt: skip
    return allowed, include


def _symbols(given: Any, names: tuple[str, ...], option: str, place: str) -> tuple[str, ...]:
    """Names of components, each of them known."""
    listed = () if given is None else (given,) if isinstance(given, str) else tuple(given)
    for name in listed:
        if name not in names:
            close = difflib.get_close_matches(str(name), names, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else "See the components of the descriptor."
            raise InputError(sentence(place, option, "name components of the descriptor", name, remedy=hint))
    return listed


def _charges(names: tuple[str, ...], asked: dict[str, Any], place: str) -> tuple[Ints, Ints, int]:
    """Table of oxidation states, and how they may be used: 0 where nobody asked."""
    if not asked["charge_balance"]:
        for option in ("oxidation_states", "mixed_valence", "electronegativity"):
            if asked[option] is not None and asked[option] is not False:
                raise InputError(
                    sentence(
                        place, option, "be left out when charges are not balanced", asked[option],
                        remedy="Set charge_balance=True.",
                    )
                )  # fmt: skip
        return np.zeros((len(names), 1), dtype=np.int64), np.zeros(len(names), dtype=np.int64), 0
    states = asked["oxidation_states"]
    if states is None or isinstance(states, str):
        from sozai.composition.elements import oxidation_states

        common, wanted = oxidation_states("common"), oxidation_states(states or "common")
        states = {name: preferred_states(name, common.get(name, ()), wanted.get(name, ())) for name in names}
    return *state_table(names, states, place=place), MIXED if asked["mixed_valence"] else SINGLE


def _ranks(names: tuple[str, ...], asked: dict[str, Any], place: str) -> Ints:
    """Order of electronegativity of the components; -1 for all without Pauling's test."""
    given = asked["electronegativity"]
    if given is None:
        return np.full(len(names), -1, dtype=np.int64)
    missing = [name for name in names if not np.isfinite(given.get(name, np.nan))]
    if missing and asked["elements"] is not None:
        raise InputError(
            sentence(
                place, "electronegativity", "have a number for every element", missing[0],
                remedy="Add it, or leave the element out of elements.",
            )
        )  # fmt: skip
    values = [given.get(name, np.nan) for name in names]
    order = sorted({value for value in values if np.isfinite(value)})
    return np.array([order.index(v) if np.isfinite(v) else len(order) for v in values], dtype=np.int64)


def _curvatures(system: SimplexSystem) -> Array:
    """1/V_j, V the variances of the weights per unit noise when all are free."""
    m = len(system.columns)
    if not system.unique:
        return np.zeros(m)
    variances = system.variances(np.full((1, m), 1.0 / m))[0]
    return np.divide(1.0, variances, out=np.zeros(m), where=variances > 0)
