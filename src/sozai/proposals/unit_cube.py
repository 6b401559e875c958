"""Candidates scaled to the unit cube, with a word about columns that say nothing or the same."""

from __future__ import annotations

import warnings
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.checks import require_finite
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.observations import Observations
from sozai.numerics.pool_kernels import same_entries

__all__ = ["unit_cube"]

Array = NDArray[np.float64]

#: Scaled columns that differ by less than this are one.
_SAME = 1e-12


def unit_cube(observations: Observations, *, place: str) -> Array:
    """Descriptors scaled to [-1/2, 1/2] over the candidates that count; constant columns are left out.

    Parameters
    ----------
    observations : Observations
        Candidates that were removed (closed, neither measured nor failed) do not count: they lie where
        they lie, and change nothing.
    place : str
        Who asks, for messages.

    Returns
    -------
    ndarray of shape (n_candidates, n_columns)
        Read-only; asked again for the same list, the same array.

    Raises
    ------
    InputError
        For NaN and inf, and for a range that is no number.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> seen = Observations.of([[0.0], [5.0], [10.0]], {}, objectives=[Objective("y")])
    >>> unit_cube(seen, place="example").ravel().tolist()
    [-0.5, 0.0, 0.5]
    """
    cube = _cube_of(observations, place)
    if len(cube.constant):
        names = ", ".join(repr(observations.names[j]) for j in cube.constant)
        warnings.warn(
            f"{place}: column {names} is constant over the candidates and is left out.",
            ConvergenceWarning,
            stacklevel=4,
        )
    if cube.copies is not None:
        first, second = (observations.names[j] for j in cube.copies)
        warnings.warn(
            f"{place}: columns {first!r} and {second!r} are the same after scaling; both are "
            "kept. Drop one of them.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return cube.Z


@dataclass(frozen=True, eq=False)
class _Cube:
    """One list of candidates in its cube; kept while the list lives, for the next proposal from it.

    Entries that may change are kept too, to see whether they have.
    """

    X: Any  # weak reference
    content: Array | None
    counts: NDArray[np.bool_] | None
    Z: Array
    constant: tuple[int, ...]
    copies: tuple[int, int] | None

    def is_of(self, X: Array, counts: NDArray[np.bool_] | None) -> bool:
        """Whether list, entries and the candidates that count are the same."""
        if self.X() is not X or X.flags.writeable != (self.content is not None):
            return False
        if self.content is not None and not same_entries(self.content, X):
            return False
        if counts is None or self.counts is None:
            return counts is self.counts
        return np.array_equal(counts, self.counts)


_kept: list[_Cube] = []


def _forget(list_of: Any) -> None:
    """Let the cube of a list go with it."""
    _kept[:] = [cube for cube in _kept if cube.X is not list_of]


def _cube_of(observations: Observations, place: str) -> _Cube:
    """The cube of the last list, or a new one."""
    X = observations.X
    counts = _counting(observations)
    for cube in _kept:
        if cube.is_of(X, counts):
            return cube
    Z, constant = _scaled(observations, X if counts is None else X[counts], place)
    kept = [j for j in range(X.shape[1]) if j not in constant]
    pair = _copies(Z)
    copies = None if pair is None else (kept[pair[0]], kept[pair[1]])
    Z.flags.writeable = False
    content = X.copy() if X.flags.writeable else None
    cube = _Cube(weakref.ref(X, _forget), content, counts, Z, constant, copies)
    _kept[:] = [cube]
    return cube


def _counting(observations: Observations) -> NDArray[np.bool_] | None:
    """Candidates that set the scale: all but the removed ones; None for all."""
    if set(observations.closed.tolist()) <= {*observations.rows.tolist(), *observations.failed.tolist()}:
        return None
    counts = observations.is_open
    for rows in (observations.rows, observations.failed, observations.pending):
        counts[rows] = True
    return None if counts.all() else counts


def _scaled(observations: Observations, used: Array, place: str) -> tuple[Array, tuple[int, ...]]:
    """All candidates scaled by the range of some, and the columns left out."""
    X = observations.X
    require_finite(X, place=place, names=observations.names)
    low, high = used.min(axis=0), used.max(axis=0)
    with np.errstate(over="ignore"):
        span = high - low
    if not np.isfinite(span).all():
        name = observations.names[int(np.argmin(np.isfinite(span)))]
        raise InputError(
            sentence(place, "X", "have a range that is a number", name, at="(column)",
                     remedy="Measure the column in a larger unit.")
        )  # fmt: skip
    kept = np.flatnonzero(span > 0)
    Z = np.empty((len(X), len(kept)))
    for k, j in enumerate(kept):
        Z[:, k] = (X[:, j] - low[j]) / span[j] - 0.5
    return Z, tuple(np.flatnonzero(~(span > 0)).tolist())


def _copies(Z: Array) -> tuple[int, int] | None:
    """First two columns that are equal after scaling."""
    some = Z[:: max(len(Z) // 256, 1)]
    for k in range(Z.shape[1]):
        for j in range(k):
            if all(np.abs(part[:, j] - part[:, k]).max() < _SAME for part in (some, Z)):
                return j, k
    return None
