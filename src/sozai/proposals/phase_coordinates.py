"""Compositions and conditions as coordinates in which distance means something."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["PhaseCoordinates", "corner_rows", "simplex_corners", "simplex_points"]

Array = NDArray[np.float64]

_KINDS = ("auto", "simplex", "cartesian", "standard")
#: How far a sum of fractions may be from 1 and still be rescaled; part of rows that must come that near.
_NEAR, _MOST, _EXACT = 2e-3, 0.9, 1e-9
#: Columns among which fractions are sought.
_SOUGHT = 10


@dataclass(frozen=True, eq=False, repr=False)
class PhaseCoordinates:
    r"""Map from descriptor columns to coordinates of unit spread.

    Parameters are those of :meth:`fit`, which makes it.

    Attributes
    ----------
    kind : {"simplex", "cartesian", "standard"}
    composition : tuple of int
        Columns that are fractions of one composition; empty when there are none.
    whole : float
        What they add up to, 1 or 100.
    others : tuple of int
        The other columns.
    shift, scale : ndarray of shape (n_coordinates,)
    groups : ndarray of int of shape (n_coordinates,)
        Coordinates that share a length scale: 0 for the composition, one number for each other column.

    Notes
    -----
    ``"simplex"`` (what ``"auto"`` takes): fractions become a point of the regular simplex of edge 1, where
    all pairs of components are treated alike (ternary: :math:`x = c_2 + c_3/2`, :math:`y = \sqrt3c_3/2`),
    divided by one common spread; every other column by its own. ``"cartesian"``: the same point, every
    coordinate by its own spread, as in AIPHAD [1]_. ``"standard"``: every column by its own spread, as in
    PDC [2]_.

    References
    ----------
    .. [1] R. Tamura et al., Commun. Mater. 5, 139 (2024), doi 10.1038/s43246-024-00580-7.
    .. [2] K. Terayama et al., Phys. Rev. Mater. 3, 033802 (2019), doi 10.1103/PhysRevMaterials.3.033802.

    Examples
    --------
    >>> map_ = PhaseCoordinates.fit([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]], ["A", "B", "C"])
    >>> map_
    PhaseCoordinates(simplex, composition A-B-C)
    >>> Z = map_.transform([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    >>> np.linalg.norm(Z - Z[[1, 2, 0]], axis=1).round(6).tolist()
    [2.44949, 2.44949, 2.44949]
    """

    kind: str
    names: tuple[str, ...]
    composition: tuple[int, ...]
    whole: float
    others: tuple[int, ...]
    shift: Array
    scale: Array
    groups: NDArray[np.int64]
    place: str

    @classmethod
    def fit(
        cls,
        X: Any,
        names: Sequence[str] | None = None,
        *,
        kind: str = "auto",
        composition: Sequence[str] | None = None,
        weight: float = 1.0,
        place: str = "PhaseCoordinates",
    ) -> PhaseCoordinates:
        """Find the composition and the spreads.

        Parameters
        ----------
        X : array-like of shape (n, n_columns)
        names : sequence of str, optional
        kind : {"auto", "simplex", "cartesian", "standard"}
        composition : sequence of str, optional
            Columns of fractions; found by their sum (1 or 100 in nine rows of ten) when left out.
        weight : float, default=1
            Multiplies the coordinates of the other columns.
        place : str

        Raises
        ------
        InputError
            For a composition that does not add up, naming the row; fewer than two distinct points.
        """
        table = np.asarray(X, dtype=np.float64)
        labels = tuple(f"x{j}" for j in range(table.shape[1])) if names is None else tuple(map(str, names))
        if kind not in _KINDS:
            raise InputError(sentence(place, "coordinates", f"be one of {', '.join(_KINDS)}", kind))
        if not (np.isfinite(weight) and weight > 0):
            raise InputError(sentence(place, "weight", "be a positive number", weight))
        kind = "simplex" if kind == "auto" else kind
        parts = _composition_columns(table, labels, composition, place) if kind != "standard" else ()
        others = tuple(j for j in range(table.shape[1]) if j not in parts)
        whole = 1.0 if not parts else _whole_of(table[:, parts])
        width = max(len(parts) - 1, 0)
        groups = np.concatenate([np.zeros(width), np.arange(len(others)) + (1 if parts else 0)])
        blank = cls(kind, labels, parts, whole, others, np.zeros(width + len(others)),
                    np.ones(width + len(others)), groups.astype(np.int64), place)  # fmt: skip
        raw = blank.transform(table)
        spread = raw.std(axis=0)
        if kind == "simplex" and width:
            spread[:width] = np.sqrt((spread[:width] ** 2).mean())
        if len(np.unique(raw.round(12), axis=0)) < 2:
            raise InputError(
                sentence(place, "candidates", "hold at least 2 distinct points", len(np.unique(raw, axis=0)),
                         remedy="Add points.")
            )  # fmt: skip
        scale = np.where(spread > 0, spread, 1.0)
        scale[width:] /= weight
        return cls(kind, labels, parts, whole, others, raw.mean(axis=0), scale, blank.groups, place)

    def __repr__(self) -> str:
        parts = [self.kind]
        if self.composition:
            parts.append("composition " + "-".join(self.names[j] for j in self.composition))
        if self.others:
            parts.append("others " + ", ".join(self.names[j] for j in self.others))
        return f"PhaseCoordinates({', '.join(parts)})"

    def fractions(self, X: Any, *, place: str | None = None) -> Array:
        """Fractions of the composition, rows adding up to 1.

        Parameters
        ----------
        X : array-like of shape (n, n_columns)
        place : str, optional

        Returns
        -------
        ndarray of shape (n, n_components)

        Raises
        ------
        InputError
            For a row that does not add up to the whole within 0.2 %, or a negative fraction.
        """
        table = np.atleast_2d(np.asarray(X, dtype=np.float64))[:, self.composition]
        return _rescaled(table, self.whole, place or self.place)

    def transform(self, X: Any) -> Array:
        """Coordinates of any points.

        Parameters
        ----------
        X : array-like of shape (n, n_columns)

        Returns
        -------
        ndarray of shape (n, n_coordinates)
        """
        table = np.atleast_2d(np.asarray(X, dtype=np.float64))
        blocks = [table[:, self.others]]
        if self.composition:
            blocks.insert(0, simplex_points(self.fractions(table)))
        return np.ascontiguousarray((np.hstack(blocks) - self.shift) / self.scale)


def simplex_corners(n: int) -> Array:
    """Corners of the regular simplex of edge 1, shape (n, n - 1).

    Examples
    --------
    >>> simplex_corners(3).round(4).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.5, 0.866]]
    """
    corners = np.zeros((n, max(n - 1, 0)))
    for k in range(1, n):
        corners[k] = corners[:k].mean(axis=0)
        corners[k, k - 1] = np.sqrt((k + 1) / (2.0 * k))
    return corners


def simplex_points(fractions: Array) -> Array:
    """Points of the regular simplex with these barycentric coordinates, shape (m, n - 1).

    Examples
    --------
    >>> simplex_points(np.array([[0.0, 0.5, 0.5]])).round(4).tolist()
    [[0.75, 0.433]]
    """
    return np.asarray(fractions @ simplex_corners(fractions.shape[1]))


def corner_rows(X: Array, coordinates: PhaseCoordinates, most: int = 16) -> list[int]:
    """Rows of the pure components, at both ends of every condition.

    Parameters
    ----------
    X : ndarray of shape (n, n_columns)
    coordinates : PhaseCoordinates
    most : int, default=16
        More corners than this are none.

    Returns
    -------
    list of int
        Ascending; empty without a composition.

    Examples
    --------
    >>> X = np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    >>> corner_rows(X, PhaseCoordinates.fit(X))
    [1, 2]
    """
    varied = [j for j in coordinates.others if np.ptp(X[:, j]) > 0]
    parts = [j for j in coordinates.composition if np.ptp(X[:, j]) > 0]
    if not parts or len(parts) * 2 ** len(varied) > most:
        return []
    found = set()
    for ends in itertools.product(*[(X[:, j].min(), X[:, j].max()) for j in varied]):
        section = np.flatnonzero((X[:, varied] == np.array(ends)).all(axis=1))
        if len(section):
            found.update(int(section[np.argmax(X[section, j])]) for j in parts)
    return sorted(found)


def _composition_columns(
    table: Array, names: tuple[str, ...], given: Sequence[str] | None, place: str
) -> tuple[int, ...]:
    """Columns that are fractions of one composition."""
    if given is not None:
        missing = [name for name in given if name not in names]
        if missing:
            raise InputError(sentence(place, "composition", f"name columns among {list(names)}", missing[0]))
        return tuple(names.index(name) for name in given)
    width = table.shape[1]
    for size in range(min(width, _SOUGHT), 1, -1):
        for columns in itertools.combinations(range(min(width, _SOUGHT)), size):
            part = table[:, columns]
            total = part.sum(axis=1)
            near = np.abs(total / _whole_of(part) - 1.0) <= _NEAR
            if part.min() >= 0 and near.mean() >= _MOST:
                return columns
    return ()


def _whole_of(fractions: Array) -> float:
    """100 for per cent, 1 otherwise."""
    return 100.0 if float(np.median(fractions.sum(axis=1))) > 10.0 else 1.0


def _rescaled(table: Array, whole: float, place: str) -> Array:
    """Fractions of 1; rows that nearly add up are rescaled and reported."""
    if table.size and table.min() < 0:
        row, column = (int(k) for k in np.argwhere(table < 0)[0])
        raise InputError(
            sentence(place, "fractions", "be 0 or more", float(table[row, column]), at=f"at row {row}")
        )
    total = table.sum(axis=1)
    off = np.abs(total / whole - 1.0)
    if (off > _NEAR).any():
        row = int(np.argmax(off > _NEAR))
        raise InputError(
            sentence(place, "composition", f"add up to {whole:g} within 0.2 %", float(total[row]),
                     at=f"at row {row}", remedy="Correct the row.")
        )  # fmt: skip
    if (off > _EXACT).any():
        warnings.warn(
            f"{place}: {int((off > _EXACT).sum())} compositions add up to {whole:g} only within "
            f"{100 * off.max():.2g} % (first at row {int(np.argmax(off > _EXACT))}) and were rescaled.",
            UserWarning,
            stacklevel=2,
        )
    return np.asarray(table / total[:, None])
