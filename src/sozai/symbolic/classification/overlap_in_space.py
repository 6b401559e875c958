"""Triples of features whose classes overlap least: samples inside the hulls of other classes in space."""

from __future__ import annotations

from bisect import insort
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from sozai.symbolic.classification.class_cloud import ClassCloud
from sozai.symbolic.classification.nearest_point import is_inside
from sozai.symbolic.classification.overlap_kernels import fill_masks
from sozai.symbolic.classification.threads import bounds_of, on_threads

__all__ = ["best_triples", "inside_in_space"]

_TOLERANCE = 1e-9  # of the range of a feature
_CHUNKS = 32
_MOST_TIES = 1000  # triples whose common volume is computed to rank them


def best_triples(
    cloud: ClassCloud, weight: np.ndarray, n_best: int, n_jobs: int | None
) -> tuple[list[tuple], tuple[str, ...]]:
    """Triples that may be among the best, as ``(count, volume, complexity, i, j, k)``, and what was left out.

    Parameters
    ----------
    cloud : ClassCloud
    weight : ndarray of int64 of shape (n_features,)
        Complexities.
    n_best : int
        Length of the list they are for; triples that tie with its last entry
        are ranked by volume, at most the 1,000 least complex of them.
    n_jobs : int or None
        Threads.
    """
    n, m = cloud.values.shape
    words = -(-m * (cloud.starts.size - 1) // 64)
    masks = np.zeros((n, n, words), dtype=np.uint64)
    fill_masks(cloud.values, cloud.order, cloud.starts, masks)
    scan = partial(_scan_chunk, cloud, masks, weight, n_best)
    found = sorted(row for rows in on_threads(scan, bounds_of(n - 2, _CHUNKS), n_jobs) for row in rows)
    worst = found[n_best - 1][0]
    below = [row for row in found if row[0] < worst]
    ties = [row for row in found if row[0] == worst]
    notes = ()
    if len(ties) > _MOST_TIES:
        notes = (f"the common volume ranks only the {_MOST_TIES} least complex of the triples that tie",)
    measured = [
        (count, _common_volume(cloud, columns), complexity, *columns)
        for count, complexity, *columns in below + ties[:_MOST_TIES]
    ]
    return measured, notes


def _scan_chunk(
    cloud: ClassCloud, masks: np.ndarray, weight: np.ndarray, n_best: int, chunk: tuple[int, int]
) -> list[tuple]:
    """Triples ``(count, complexity, i, j, k)`` of the chunk that may be among the best, sorted."""
    n = len(cloud.values)
    kept: list[tuple] = []
    for i in range(*chunk):
        for j in range(i + 1, n):
            for k in range(j + 1, n):
                limit = kept[n_best - 1][0] if len(kept) >= n_best else cloud.most
                count = _count_in_space(cloud, [i, j, k], masks[i, j] & masks[i, k] & masks[j, k], limit)
                if count <= limit:
                    insort(kept, (count, int(weight[i] + weight[j] + weight[k]), i, j, k))
                    del kept[n_best + _MOST_TIES :]
    return kept


def _count_in_space(cloud: ClassCloud, columns: list[int], mask: np.ndarray, limit: int) -> int:
    """Samples of the mask that lie inside the hull of their bit; counting stops above ``limit``."""
    bits = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little"))
    m, count = cloud.values.shape[1], 0
    hulls, samples = bits // m, bits % m
    for hull in np.unique(hulls):
        count += int(inside_in_space(cloud, columns, int(hull), samples[hulls == hull]).sum())
        if count > limit:
            break
    return count


def inside_in_space(cloud: ClassCloud, columns: list[int], hull: int, samples: np.ndarray) -> np.ndarray:
    """Whether samples lie inside the hull of a class in space, or within the tolerance of it."""
    corners = cloud.scaled[columns, cloud.starts[hull] : cloud.starts[hull + 1]]
    points = cloud.scaled[np.ix_(columns, samples)]
    solid = _convex_hull(corners)
    if solid is not None:
        heights = solid.equations[:, :-1] @ points + solid.equations[:, -1:]
        return heights.max(axis=0, initial=-np.inf) <= _TOLERANCE
    columns_of = np.ascontiguousarray(points.T)
    return np.array([is_inside(corners, point, _TOLERANCE) for point in columns_of], dtype=bool)


def _convex_hull(corners: np.ndarray) -> Any:
    """Hull of points of shape (3, n), or None where they lie in one plane."""
    from scipy.spatial import ConvexHull, QhullError

    if corners.shape[1] < 4 or np.ptp(corners, axis=1).min() == 0:
        return None
    try:
        return ConvexHull(corners.T)
    except QhullError:
        return None


def _common_volume(cloud: ClassCloud, columns: list[int]) -> float:
    """Common volume over that of both hulls, averaged over pairs of classes; flat hulls have none."""
    hulls = [_convex_hull(cloud.scaled[columns, first:last]) for first, last in pairwise(cloud.starts)]
    shares = []
    for a, one in enumerate(hulls):
        for other in hulls[:a]:
            if one is None or other is None:
                shares.append(0.0)
                continue
            common = _volume_of_both(np.vstack([one.equations, other.equations]))
            shares.append(common / (one.volume + other.volume - common))
    return round(float(np.mean(shares)), 12)


def _volume_of_both(planes: np.ndarray) -> float:
    """Volume inside all planes ``n.x + c <= 0``: around the center of the largest ball, by duality."""
    from scipy.optimize import linprog
    from scipy.spatial import ConvexHull, HalfspaceIntersection

    normal, offset = planes[:, :-1], planes[:, -1]
    reach = np.column_stack([normal, np.linalg.norm(normal, axis=1)])
    ball = linprog([0.0, 0.0, 0.0, -1.0], A_ub=reach, b_ub=-offset, bounds=[(None, None)] * 3 + [(0, None)])
    if ball.status != 0 or ball.x[3] < 1e-9:
        return 0.0
    return float(ConvexHull(HalfspaceIntersection(planes, ball.x[:3]).intersections).volume)
