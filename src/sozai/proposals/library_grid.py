"""Map of a library: the property over a triangle of compositions, or over a line of two components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["LibraryGrid", "corner_groups", "grid_compositions"]

Array = NDArray[np.float64]

_PLACE = "LibraryMap.map"
#: Where the least amounts of the corners add up to this share, only the triangle above them is drawn.
_ZOOM = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class LibraryGrid:
    """Property over the compositions between two or three corners.

    Attributes
    ----------
    corners : tuple of str
        Two or three; several components that stand together are joined by ``+``.
    origin : tuple of float
        Least amount of every corner in the drawing: 0, or more where a library is small.
    grid : DataFrame
        Components; corners; ``mean`` and ``std`` of the property, drift taken off; ``known``, whether the
        results reach so far: the standard deviation is less than half of that of the results.
    positions : DataFrame
        Corners; ``value`` (measured, drift taken off), ``error``, ``mean``, ``std``, ``probability``.
    name, unit : str
        Of the property.
    total : float
        Sum of the corners.
    groups : dict of str to tuple of str
        Components of each corner.

    Examples
    --------
    >>> shown = LibraryGrid(("A", "B"), (0.0, 0.0), pd.DataFrame({"mean": [1.0]}), pd.DataFrame({"A": [0.3]}))
    >>> shown
    LibraryGrid(A-B, 1 compositions, 1 positions)
    """

    corners: tuple[str, ...]
    origin: tuple[float, ...]
    grid: pd.DataFrame
    positions: pd.DataFrame
    name: str = ""
    unit: str | None = None
    total: float = 1.0
    groups: Mapping[str, tuple[str, ...]] | None = None

    def __repr__(self) -> str:
        return (
            f"LibraryGrid({'-'.join(self.corners)}, {len(self.grid)} compositions, "
            f"{len(self.positions)} positions)"
        )

    def to_frame(self) -> pd.DataFrame:
        """The grid."""
        return self.grid


def corner_groups(
    corners: Sequence[str | Sequence[str]] | None, components: Sequence[str], varying: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Components of every corner by its name.

    Parameters
    ----------
    corners : sequence of (str or sequence of str), or None
        Two or three. None: every component that varies, those after the second joined.
    components, varying : sequence of str

    Returns
    -------
    dict of str to tuple of str

    Examples
    --------
    >>> corner_groups(None, "ABCD", "ABCD")
    {'A': ('A',), 'B': ('B',), 'C + D': ('C', 'D')}
    """
    given = [(name,) if isinstance(name, str) else tuple(map(str, name)) for name in corners or ()]
    if corners is None:
        head, rest = varying[:2], tuple(varying[2:])
        given = [(name,) for name in head] + ([rest] if rest else [])
    flat = [name for group in given for name in group]
    missing = [name for name in varying if name not in flat]
    unknown = [name for name in flat if name not in components]
    if unknown:
        raise InputError(
            sentence(_PLACE, "corners", f"name components ({', '.join(components)})", unknown[0],
                     remedy="Correct the name.")
        )  # fmt: skip
    if len(given) not in (2, 3) or missing or len(set(flat)) < len(flat) or not all(given):
        raise InputError(
            sentence(_PLACE, "corners", "be two or three groups with every component that varies once",
                     [list(group) for group in given],
                     remedy=f"Write for example {[[name] for name in varying[:2]] + [list(varying[2:])]}.")
        )  # fmt: skip
    return {" + ".join(group): group for group in given}


def grid_compositions(
    X: Array, at: Array, groups: Sequence[Sequence[int]], n_steps: int
) -> tuple[Array, Array, Array]:
    """Compositions between corners, the ratios inside a corner those of one composition.

    Parameters
    ----------
    X : ndarray of shape (n, k)
        Those of the library.
    at : ndarray of shape (k,)
        Where ratios are taken from; means of the library where a corner is empty there.
    groups : sequence of sequence of int
        Components of two or three corners.
    n_steps : int

    Returns
    -------
    points : ndarray of shape (g, k)
    amounts : ndarray of shape (g, n_corners)
        Of the corners.
    origin : ndarray of shape (n_corners,)

    Examples
    --------
    >>> points, _, origin = grid_compositions(np.eye(2), np.array([0.5, 0.5]), [[0], [1]], 2)
    >>> points.tolist(), origin.tolist()
    ([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]], [0.0, 0.0])
    """
    middle = X.mean(axis=0)
    sums = np.column_stack([X[:, list(group)].sum(axis=1) for group in groups])
    whole = float(sums.sum(axis=1).mean())
    mesh = 0.05 * whole
    origin = np.floor(sums.min(axis=0) / mesh + 1e-9) * mesh
    if origin.sum() < _ZOOM * whole:
        origin = np.zeros(len(groups))
    if len(groups) == 2:
        share = np.linspace(0.0, 1.0, n_steps + 1)
        shares = np.column_stack([share, 1.0 - share])
    else:
        first, second = np.meshgrid(np.arange(n_steps + 1), np.arange(n_steps + 1), indexing="ij")
        inside = first + second <= n_steps
        shares = np.column_stack([first[inside], second[inside], n_steps - first[inside] - second[inside]])
        shares = shares / n_steps
    amounts = origin + shares * (whole - origin.sum())
    points = np.repeat(middle[None, :], len(amounts), axis=0)
    for k, group in enumerate(groups):
        part = at[list(group)] if at[list(group)].sum() > 0 else middle[list(group)]
        points[:, list(group)] = amounts[:, k, None] * (part / part.sum())
    return points, amounts, origin
