"""Fronts of several objectives: who is beaten by nobody, what a front covers, what a candidate may add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.hypervolume import (
    FreeBoxes,
    box_sums_of_excess,
    free_boxes,
    hypervolume,
    log_box_sums,
    nondominated,
    nondominated_rank,
)
from sozai.numerics.improvement import (
    log_probability_of_improvement,
    log_range_probability,
    log_target_improvement,
    standard_log_improvement,
)

__all__ = [
    "Climb",
    "Near",
    "Within",
    "expected_hypervolume_improvement",
    "hypervolume",
    "hypervolume_improvement",
    "log_expected_hypervolume_improvement",
    "log_probability_beyond",
    "nondominated",
    "nondominated_rank",
    "reference_point",
]

Array = NDArray[np.float64]

#: Numbers of one block of candidates by levels: what is worked on stays in the second cache.
_BLOCK = 2**16
#: Expected improvements below this, in units of the deviations, are summed as logarithms.
_SMALL = 1e-100


@dataclass(frozen=True)
class Climb:
    """Merit of an objective that is to be large: the value itself.

    Examples
    --------
    >>> Climb().log_excess(np.zeros(1), np.ones(1), np.array([0.0])).round(4).tolist()
    [[-0.9189]]
    """

    def merit(self, values: Array) -> Array:
        """Return the values."""
        return np.asarray(values, dtype=np.float64)

    def log_excess(self, mean: Array, std: Array, levels: Array) -> Array:
        """Log of the expected excess of the merit over each level, shape (n, n_levels)."""
        u = (mean[:, None] - levels) / std[:, None]
        return standard_log_improvement(u) + np.log(std)[:, None]

    def log_exceed(self, mean: Array, std: Array, levels: Array) -> Array:
        """Log of the probability that the merit exceeds each level, shape (n, n_levels)."""
        u = ((mean[:, None] - levels) / std[:, None]).ravel()
        log = log_probability_of_improvement(u, np.ones_like(u), 0.0)
        return log.reshape(len(mean), len(levels))


@dataclass(frozen=True)
class Near:
    """Merit of an objective with a wanted value: minus the distance from it.

    Parameters
    ----------
    target : float

    Examples
    --------
    >>> Near(0.9).log_exceed(np.array([0.9]), np.ones(1), np.array([-1.0])).round(4).tolist()
    [[-0.3817]]
    """

    target: float

    def merit(self, values: Array) -> Array:
        """Minus the distance from the wanted value."""
        return -np.abs(np.asarray(values) - self.target)

    def log_excess(self, mean: Array, std: Array, levels: Array) -> Array:
        """Log of the expected excess of the merit over each level, shape (n, n_levels)."""
        return _by_level(levels, len(mean), lambda d: log_target_improvement(mean, std, self.target, d))

    def log_exceed(self, mean: Array, std: Array, levels: Array) -> Array:
        """Log of the probability that the merit exceeds each level, shape (n, n_levels)."""
        low, high = self.target, self.target
        return _by_level(levels, len(mean), lambda d: log_range_probability(mean, std, low - d, high + d))


@dataclass(frozen=True)
class Within:
    """Merit of an objective with a wanted range: minus the distance from it.

    Parameters
    ----------
    low, high : float
        One of them may be infinite.

    Examples
    --------
    >>> Within(-1.0, 1.0).merit(np.array([-3.0, 0.5])).tolist()
    [-2.0, -0.0]
    """

    low: float
    high: float

    def merit(self, values: Array) -> Array:
        """Minus the distance from the range."""
        return -np.maximum(np.maximum(self.low - values, values - self.high), 0.0)

    def log_excess(self, mean: Array, std: Array, levels: Array) -> Array:
        """Log of the expected excess of the merit over each level, shape (n, n_levels)."""
        return _by_level(levels, len(mean), lambda d: self._log_tent(mean, std, d))

    def log_exceed(self, mean: Array, std: Array, levels: Array) -> Array:
        """Log of the probability that the merit exceeds each level, shape (n, n_levels)."""
        return _by_level(
            levels, len(mean), lambda d: log_range_probability(mean, std, self.low - d, self.high + d)
        )

    def _log_tent(self, mean: Array, std: Array, distance: float) -> Array:
        """Log of E max(d - distance from the range, 0): ramps at both feet and both shoulders."""
        low, high = self.low, self.high
        if np.isinf(low):
            mean, low, high = -mean, -high, np.inf
        elif np.isfinite(high):
            mean = np.where(mean > 0.5 * (low + high), low + high - mean, mean)
        first = standard_log_improvement((mean - low + distance) / std)
        rest = 1.0 - np.exp(standard_log_improvement((mean - low) / std) - first)
        if np.isfinite(high):
            rest = rest - np.exp(standard_log_improvement((mean - high) / std) - first)
            rest = rest + np.exp(standard_log_improvement((mean - high - distance) / std) - first)
        return np.asarray(first + np.log(np.maximum(rest, 1e-300)) + np.log(std))


def _by_level(levels: Array, n: int, function: Any) -> Array:
    """Column for each level of a merit that is at most 0; nothing exceeds 0."""
    table = np.full((n, len(levels)), -np.inf)
    for t, level in enumerate(levels):
        if level < 0:
            table[:, t] = function(-float(level))
    return table


def reference_point(Y: ArrayLike) -> Array:
    """Worst value of every objective, a tenth of its extent further out.

    Parameters
    ----------
    Y : array-like of shape (n, l)
        Larger is better.

    Returns
    -------
    ndarray of shape (l,)
        Where all values are equal, 0.1 further out.

    Notes
    -----
    The worst corner of the front alone would do for comparing fronts, but as the corner of what may be
    gained it moves with the front: candidates beyond its ends then add little, and the ends stay unknown.

    Examples
    --------
    >>> reference_point([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [0.0, 0.0]]).round(12).tolist()
    [-0.3, -0.3]
    """
    points = as_matrix(Y, place="reference_point", argument="Y")
    extent = np.ptp(points, axis=0)
    return np.asarray(points.min(axis=0) - 0.1 * np.where(extent > 0, extent, 1.0))


def hypervolume_improvement(Y: ArrayLike, front: ArrayLike, reference: ArrayLike) -> Array:
    """Hypervolume that each point would add to a front.

    Parameters
    ----------
    Y : array-like of shape (n, l)
        Larger is better.
    front : array-like of shape (f, l)
    reference : array-like of shape (l,)

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> hypervolume_improvement([[2.5, 2.5]], [[1, 3], [2, 2], [3, 1]], [0, 0]).tolist()
    [1.25]
    """
    place = "hypervolume_improvement"
    boxes = free_boxes(as_matrix(front, place=place, argument="front"), np.asarray(reference, dtype=float))
    assert boxes is not None
    return boxes.improvement(as_matrix(Y, place=place, argument="Y"))


def expected_hypervolume_improvement(
    mean: ArrayLike, std: ArrayLike, front: ArrayLike, reference: ArrayLike
) -> Array:
    r"""Expected hypervolume that candidates with normal predictions would add to a front.

    Parameters
    ----------
    mean, std : array-like of shape (n, l)
        Larger is better; objectives independent, deviations positive.
    front : array-like of shape (f, l)
    reference : array-like of shape (l,)

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    InputError
        For shapes that do not fit, and when no point of the front lies above the reference.

    Notes
    -----
    With :math:`\psi(a) = E\max(y - a, 0)`, for two objectives and a front
    :math:`a_1 < \dots < a_M` (b falling), :math:`a_0 = r_1, a_{M+1} = \infty, b_{M+1} = r_2`,

    .. math:: \sum_{i=0}^{M} [\psi_1(a_i) - \psi_1(a_{i+1})]\,\psi_2(b_{i+1}),

    and :math:`\sum_B \prod_k [\psi_k(\mathrm{lower}) - \psi_k(\mathrm{upper})]` over disjoint boxes of the
    free space for more [1]_. :math:`\psi` is taken once for each distinct coordinate. Cost
    :math:`O(n(fl + Bl))` for B boxes, f + 1 for two objectives; memory a few MB whatever n is.

    References
    ----------
    .. [1] I. Couckuyt, D. Deschrijver, T. Dhaene, Fast calculation of multiobjective probability of
       improvement and expected improvement criteria for Pareto optimization, J. Glob. Optim. 60, 575
       (2014), doi 10.1007/s10898-013-0118-2.

    Examples
    --------
    >>> expected_hypervolume_improvement([[2.5, 2.5]], [[1e-9, 1e-9]], [[1, 3], [2, 2], [3, 1]], [0, 0])
    array([1.25])
    """
    place = "expected_hypervolume_improvement"
    points = as_matrix(front, place=place, argument="front")
    corner = check_reference(reference, points, place)
    boxes = free_boxes(points, corner)
    assert boxes is not None
    values, spread = (as_matrix(part, place=place, argument="mean") for part in (mean, std))
    if values.shape != spread.shape or values.shape[1] != points.shape[1] or not (spread > 0).all():
        raise InputError(
            sentence(place, "mean and std", f"have {points.shape[1]} columns, and std be positive",
                     (values.shape, spread.shape), remedy="Give one pair of numbers for each objective.")
        )  # fmt: skip
    return np.exp(log_expected_hypervolume_improvement(values, spread, boxes))


def check_reference(reference: ArrayLike, front: Array, place: str) -> Array:
    """Reference point below at least one point of the front, or an error with the front's range."""
    corner = as_vector(reference, place=place, argument="reference")
    low, high = front.min(axis=0), front.max(axis=0)
    fits = len(corner) == front.shape[1]
    if not fits or not (front > corner).all(axis=1).any():
        ranges = ", ".join(f"{a:.6g} to {b:.6g}" for a, b in zip(low, high, strict=True))
        raise InputError(
            sentence(place, "reference",
                     f"lie below at least one point of the front in all objectives (front: {ranges})",
                     corner.tolist(), remedy="Leave it out to have it placed beyond the worst results.")
        )  # fmt: skip
    return corner


def log_expected_hypervolume_improvement(
    mean: Array, std: Array, boxes: FreeBoxes, merits: Sequence[Any] | None = None
) -> Array:
    """Log of the expected hypervolume improvement, without underflow.

    Parameters
    ----------
    mean, std : ndarray of shape (n, l)
    boxes : FreeBoxes
        Of the front, in merits.
    merits : sequence of Climb, Near or Within, optional
        Of each objective; all are to be large when left out.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> boxes = free_boxes(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.zeros(2))
    >>> mean, std = np.full((1, 2), 2.5), np.full((1, 2), 1e-9)
    >>> np.exp(log_expected_hypervolume_improvement(mean, std, boxes)).round(9).tolist()
    [1.25]
    """
    if merits is not None and not all(isinstance(rule, Climb) for rule in merits):
        return _in_blocks(mean, std, boxes, merits, "log_excess")
    value = box_sums_of_excess(mean, std, boxes)
    small = value < _SMALL * np.prod(std, axis=1)
    with np.errstate(divide="ignore"):
        out = np.log(np.maximum(value, 0.0))
    if small.any():
        out[small] = _in_blocks(mean[small], std[small], boxes, None, "log_excess")
    return out


def log_probability_beyond(
    mean: Array, std: Array, boxes: FreeBoxes, merits: Sequence[Any] | None = None
) -> Array:
    """Log of the probability that a candidate ends beyond the front.

    Parameters
    ----------
    mean, std : ndarray of shape (n, l)
    boxes : FreeBoxes
    merits : sequence of Climb, Near or Within, optional

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> boxes = free_boxes(np.array([[1.0]]), np.zeros(1))
    >>> log_probability_beyond(np.ones((1, 1)), np.ones((1, 1)), boxes).round(6).tolist()
    [-0.693147]
    """
    return _in_blocks(mean, std, boxes, merits, "log_exceed")


def _in_blocks(mean: Array, std: Array, boxes: FreeBoxes, merits: Sequence[Any] | None, table: str) -> Array:
    """Sum over boxes for a few candidates at a time."""
    rules = [Climb()] * len(boxes.levels) if merits is None else merits
    out = np.empty(len(mean))
    step = max(_BLOCK // sum(map(len, boxes.levels)), 16)
    for first in range(0, len(mean), step):
        part = slice(first, first + step)
        tables = []
        for k, (rule, levels) in enumerate(zip(rules, boxes.levels, strict=True)):
            finite = np.isfinite(levels)
            log = np.full((len(out[part]), len(levels)), -np.inf)
            log[:, finite] = getattr(rule, table)(mean[part, k], std[part, k], levels[finite])
            tables.append(log)
        out[part] = log_box_sums(tables, boxes)
    return out
