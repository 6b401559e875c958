"""Sums of all patterns side by side, with one shift and one scale common to all sources."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sozai.assimilation.patterns import PatternStatistics

__all__ = ["StandardGrams", "standard_grams"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StandardGrams:
    """Sums of the standardized data, one layer for every pattern.

    Attributes
    ----------
    shift, scale : float
        y = shift + scale * standardized, for every source.
    counts : ndarray of shape (m,)
    observed : ndarray of bool of shape (m, d)
    known : ndarray of shape (m, d)
        Mean known variance of a pattern, standardized.
    xx, xy, yy : ndarray of shape (m, k, k), (m, k, d), (m, d, d)
        Zero where a source is missing.
    label : ndarray of int of shape (m,)
        Laboratory, or -1.
    triangles : tuple of (ndarray of shape (p, k), ndarray of shape (p, n_observed))
        Columns x and y of the triangular factors, standardized.
    labels : tuple of str
        Names of the laboratories.
    """

    shift: float
    scale: float
    counts: Array
    observed: NDArray[np.bool_]
    known: Array
    xx: Array
    xy: Array
    yy: Array
    label: NDArray[np.int64]
    triangles: tuple[tuple[Array, Array], ...]
    labels: tuple[str, ...]

    @property
    def n_sources(self) -> int:
        """Count of the sources."""
        return self.observed.shape[1]

    def in_columns(self, map_: Array) -> StandardGrams:
        """The same sums for other columns x @ map_, of shape (k, k')."""
        return replace(
            self,
            xx=np.ascontiguousarray(map_.T @ self.xx @ map_),
            xy=np.ascontiguousarray(np.einsum("ka,mkd->mad", map_, self.xy)),
            triangles=tuple((x @ map_, y) for x, y in self.triangles),
        )


def shift_and_scale(statistics: PatternStatistics, shifted: bool) -> tuple[float, float]:
    """Mean and standard deviation of all values of all sources together."""
    total, count = 0.0, 0
    for key, factor in statistics.factors.items():
        ones = factor.triangle[0, 0]
        for i in range(len(key.observed)):
            total += float(ones * factor.triangle[0, statistics.n_terms + i])
            count += factor.count
    shift = total / count if shifted and count else 0.0
    squares, size = 0.0, 0.0
    for key, factor in statistics.factors.items():
        upper = np.triu(factor.triangle)
        for i in range(len(key.observed)):
            column = upper[:, statistics.n_terms + i]
            squares += float(((column - shift * upper[:, 0]) ** 2).sum())
            size += float((column**2).sum())
    spread = np.sqrt(squares / max(count, 1))
    flat = spread <= 1e-12 * np.sqrt(size / max(count, 1))
    return shift, 1.0 if flat else float(spread)


def standard_grams(
    statistics: PatternStatistics, *, shifted: bool = True, label_source: int | None = None
) -> StandardGrams:
    """Standardize the sums; nothing but the triangles is looked at.

    Parameters
    ----------
    statistics : PatternStatistics
    shifted : bool, default=True
        Subtract the common mean; without it zeros of the constant are zeros of the raw values.
    label_source : int, optional
        Source that has an offset for every laboratory.
    """
    P, d, m = statistics.n_terms, statistics.n_sources, len(statistics.factors)
    shift, scale = shift_and_scale(statistics, shifted)
    counts, known = np.zeros(m), np.zeros((m, d))
    observed, label = np.zeros((m, d), dtype=bool), np.full(m, -1)
    xx, xy, yy = np.zeros((m, P, P)), np.zeros((m, P, d)), np.zeros((m, d, d))
    names = tuple(sorted({key.label for key in statistics.factors if key.label is not None}))
    triangles = []
    for k, (key, factor) in enumerate(sorted(statistics.factors.items(), key=lambda item: repr(item[0]))):
        seen, upper = list(key.observed), np.triu(factor.triangle)
        x, y = upper[:, :P], (upper[:, P:] - shift * upper[:, :1]) / scale
        counts[k], observed[k, seen] = factor.count, True
        known[k, seen] = factor.known / factor.count / scale**2
        xx[k], xy[k][:, seen], yy[k][np.ix_(seen, seen)] = x.T @ x, x.T @ y, y.T @ y
        if key.label is not None and label_source is not None:
            label[k] = names.index(key.label)
        triangles.append((x, y))
    return StandardGrams(
        shift, scale, counts, observed, known, xx, xy, yy, label, tuple(triangles), names
    )  # fmt: skip
