"""Directions across a wafer along which drift can be told from composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.numerics.drift_process import DriftProcess

__all__ = ["DriftDirections"]

Array = NDArray[np.float64]

#: A direction of whose variance composition explains all but this share has no drift of its own.
_OWN_SHARE = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class DriftDirections:
    r"""Where on the wafer composition says little of the place.

    Attributes
    ----------
    middle : ndarray of shape (q,)
        Mean place.
    directions : ndarray of shape (q, r)
        Columns: those that are told apart, in the unit of the place.
    explained : ndarray of shape (q,)
        Share of the variance of each position column that a quadratic function of composition explains.
    worst : float
        Largest such share of any direction; 0 without position columns.

    Notes
    -----
    With the standardized place s and the part e of it that composition leaves unexplained, directions are
    the eigenvectors of :math:`\mathrm{cov}(e)` in units of :math:`\mathrm{cov}(s)`; those with less than 5 %
    left are dropped: on a wafer where each composition has its own place, a drift along it is a change with
    composition, and no computation can tell.

    Examples
    --------
    >>> Z = np.linspace(0, 1, 12)[:, None]
    >>> R = np.column_stack([3.0 * Z[:, 0], np.arange(12) % 3])
    >>> found = DriftDirections.of(R, Z)
    >>> found
    DriftDirections(1 of 2)
    >>> found.names(["x", "y"])
    ['x']
    """

    middle: Array
    directions: Array
    explained: Array
    worst: float

    @classmethod
    def of(cls, R: Array, Z: Array) -> DriftDirections:
        """Find them.

        Parameters
        ----------
        R : ndarray of shape (n, q)
            Places.
        Z : ndarray of shape (n, d)
            Coordinates of the compositions.
        """
        varies = np.ptp(R, axis=0) > 0
        middle, spread = R.mean(axis=0), np.where(varies, R.std(axis=0), 1.0)
        s = (R - middle) / spread
        values, vectors = np.linalg.eigh(s.T @ s / len(s))
        kept = values > 1e-6
        whiten = vectors[:, kept] / np.sqrt(values[kept])
        own = s - _explained(Z, s)
        explained = np.where(varies, 1.0 - (own**2).mean(axis=0), 1.0)
        rest = own @ whiten
        shares, turned = np.linalg.eigh(rest.T @ rest / len(s))
        free = shares >= _OWN_SHARE
        worst = 0.0 if not len(shares) else 1.0 - float(shares.min())
        return cls(middle, (whiten @ turned[:, free]) / spread[:, None], explained, worst)

    def __repr__(self) -> str:
        return f"DriftDirections({self.directions.shape[1]} of {len(self.middle)})"

    @property
    def is_confounded(self) -> bool:
        """Whether a direction was dropped."""
        return self.worst > 1.0 - _OWN_SHARE

    def names(self, places: Sequence[str]) -> list[str]:
        """Columns that composition explains; all of them where only a mixture is explained."""
        bad = self.explained > 1.0 - _OWN_SHARE
        return [name for name, is_bad in zip(places, bad, strict=True) if is_bad] or list(places)

    def coordinates(self, R: Array) -> Array:
        """Coordinates of places along the directions, shape (n, r)."""
        return np.asarray((R - self.middle) @ self.directions)

    def slopes(self, process: DriftProcess, places: Sequence[str]) -> pd.DataFrame:
        """Slope and error for each position column, NaN where it was not told apart; and ``explained``."""
        T = self.directions
        error = np.sqrt(np.einsum("ab,bc,ac->a", T, process.slopes_covariance_, T))
        told = self.explained <= 1.0 - _OWN_SHARE
        return pd.DataFrame(
            {
                "slope": np.where(told, T @ process.slopes_, np.nan),
                "error": np.where(told, error, np.nan),
                "explained": self.explained,
            },
            index=pd.Index(list(places), name="position"),
        )


def _explained(Z: Array, s: Array) -> Array:
    """Part of some columns that a quadratic (of few positions linear) function of coordinates explains."""
    first, second = np.triu_indices(Z.shape[1])
    terms = np.column_stack([np.ones(len(Z)), Z, Z[:, first] * Z[:, second]])
    if terms.shape[1] > len(Z) / 3:
        terms = terms[:, : 1 + Z.shape[1]]
    left, sizes, _ = np.linalg.svd(terms, full_matrices=False)
    left = left[:, sizes > 1e-9 * sizes.max()]
    return np.asarray(left @ (left.T @ s))
