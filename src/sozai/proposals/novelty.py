"""Search for what is unlike everything found so far: results spread evenly over all that is possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.fast_exponential import fast_exp
from sozai.proposals.several_objectives import SeveralAcquisition, SeveralSituation

__all__ = ["SteinNovelty", "stein_novelty"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Seen:
    """Results so far in units of their spread, and the width of the kernel."""

    points: Array
    center: Array
    spread: Array
    width: float

    def scaled(self, values: Array) -> Array:
        return np.ascontiguousarray((values - self.center) / self.spread)


@dataclass(frozen=True)
class SteinNovelty(SeveralAcquisition):
    r"""How much a predicted result would even out the results so far, whatever their goals.

    Parameters
    ----------
    width : float, optional
        b, in spreads of the results; the median distance between results when left out.

    Notes
    -----
    The Stein discrepancy of results :math:`q_i` from a uniform distribution has the kernel
    :math:`\kappa(q, q') = (l/b^2 - |q - q'|^2/b^4)e^{-|q - q'|^2/2b^2}`; the candidate whose mean q
    has the largest :math:`-\sum_i \kappa(q, q_i)` lowers it most [1]_. Results have mean 0 and spread 1.

    References
    ----------
    .. [1] K. Terayama et al., Pushing property limits in materials discovery via boundless objective-free
       exploration, Chem. Sci. 11, 5959 (2020), doi 10.1039/D0SC00982B.

    Examples
    --------
    >>> SteinNovelty()
    SteinNovelty(width=None)
    """

    width: float | None = None
    is_log = False
    label = "Stein novelty"

    def __post_init__(self) -> None:
        if self.width is not None and not (np.isfinite(self.width) and self.width > 0):
            raise InputError(
                sentence("SteinNovelty", "width", "be positive", self.width,
                         remedy="Leave it out for the median distance.")
            )  # fmt: skip

    def prepare(self, situation: SeveralSituation) -> _Seen:
        """Results so far; where one is missing its posterior mean."""
        values = np.where(np.isnan(situation.values), situation.mean, situation.values)
        center, spread = values.mean(axis=0), values.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        points = np.ascontiguousarray((values - center) / spread)
        return _Seen(points, center, spread, float(self.width or _median_distance(points)))

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Novelty of the predicted means."""
        return stein_novelty(reference.scaled(mean), reference.points, reference.width)

    def follow_one(self, reference: Any, mean: Array) -> _Seen:
        """A pretended value is no longer new."""
        points = np.vstack([reference.points, reference.scaled(mean[None, :])])
        return _Seen(points, reference.center, reference.spread, reference.width)


def stein_novelty(Q: Array, seen: Array, width: float) -> Array:
    r"""Minus the sum of Stein kernels of the uniform distribution, for each of some points.

    Parameters
    ----------
    Q : ndarray of shape (n, l)
    seen : ndarray of shape (m, l)
    width : float
        b, positive.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> stein_novelty(np.array([[0.0], [1.0], [3.0]]), np.array([[0.0]]), 1.0).round(4).tolist()
    [-1.0, -0.0, 0.0889]
    """
    out = np.empty(len(Q))
    points = [np.ascontiguousarray(part, dtype=np.float64) for part in (Q, seen)]
    _fill_novelty(points[0], points[1], float(width), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill_novelty(Q: Array, seen: Array, width: float, out: Array) -> None:
    n_goals = Q.shape[1]
    inverse = 1.0 / (width * width)
    for i in range(Q.shape[0]):
        total = 0.0
        for a in range(seen.shape[0]):
            squared = 0.0
            for j in range(n_goals):
                step = Q[i, j] - seen[a, j]
                squared += step * step
            squared *= inverse
            if squared < 1400.0:
                total += (n_goals - squared) * inverse * fast_exp(-0.5 * squared)
        out[i] = -total


def _median_distance(points: Array) -> float:
    """Median distance between different points, of at most 1,000 of them; 1 where there is none."""
    some = points[:: max(len(points) // 1000, 1)]
    squared = ((some[:, None, :] - some[None, :, :]) ** 2).sum(axis=2)
    apart = squared[np.triu_indices(len(some), 1)]
    apart = apart[apart > 0]
    return float(np.sqrt(np.median(apart))) if len(apart) else 1.0
