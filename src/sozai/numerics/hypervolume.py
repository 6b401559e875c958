"""Who is beaten in every respect, how much a front covers, and the free space above it cut into boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.fast_exponential import fast_exp
from sozai.numerics.improvement import excess_ratio

__all__ = [
    "FreeBoxes",
    "box_sums_of_excess",
    "free_boxes",
    "front_depth",
    "hypervolume",
    "log_box_sums",
    "nondominated",
    "nondominated_rank",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_KEEP = {"contract"}
#: Sums of products below this are summed again as logarithms.
_SMALL = 1e-270


def nondominated(Y: Array) -> NDArray[np.bool_]:
    r"""Rows that no other row beats: nowhere smaller and somewhere larger.

    Parameters
    ----------
    Y : ndarray of shape (n, l)
        Larger is better. Equal rows do not beat each other.

    Returns
    -------
    ndarray of bool of shape (n,)

    Notes
    -----
    :math:`O(n \log n)` for one and two columns, :math:`O(nf)` comparisons for a front of f rows otherwise.

    Examples
    --------
    >>> nondominated(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 1.0]])).tolist()
    [True, True, False]
    """
    values, order = _sorted_rows(Y, "nondominated")
    mask = np.zeros(len(values), dtype=bool)
    if len(values):
        mask[order] = _first_front(values[order])
    return mask


def nondominated_rank(Y: Array) -> Integers:
    r"""Number of the front of every row: 0 for rows nobody beats, 1 for those only rows of front 0 beat, ...

    Parameters
    ----------
    Y : ndarray of shape (n, l)
        Larger is better.

    Returns
    -------
    ndarray of int of shape (n,)

    Notes
    -----
    Rows are taken from the largest first column on; the front of each is found by bisection over the
    fronts so far. With two columns only the last row of a front can beat a new one: :math:`O(n \log n)`
    in all [1]_, [2]_.

    References
    ----------
    .. [1] M. T. Jensen, Reducing the run-time complexity of multiobjective EAs, IEEE Trans. Evol.
       Comput. 7, 503 (2003).
    .. [2] X. Zhang, Y. Tian, R. Cheng, Y. Jin, An efficient approach to nondominated sorting for
       evolutionary multiobjective optimization, IEEE Trans. Evol. Comput. 19, 201 (2015).

    Examples
    --------
    >>> nondominated_rank(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 1.0], [0.0, 1.0]])).tolist()
    [0, 0, 1, 2]
    """
    values, order = _sorted_rows(Y, "nondominated_rank")
    ranks = np.zeros(len(values), dtype=np.int64)
    if len(values):
        ranks[order] = _ranks(values[order])
    return ranks


def _sorted_rows(Y: Array, place: str) -> tuple[Array, Integers]:
    """Checked rows, and their order from the largest first column on, ties by the next."""
    values = np.asarray(Y, dtype=np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise InputError(
            sentence(place, "Y", "be a 2D array of rows by objectives", f"shape {values.shape}",
                     remedy="Use Y.reshape(-1, 1) for one objective.")
        )  # fmt: skip
    if len(values):
        values = as_matrix(values, place=place, argument="Y")
    return values, np.lexsort(-values.T[::-1])


@njit(cache=True, nogil=True, error_model="numpy")
def _beats(a: Array, b: Array) -> bool:
    """Whether a is nowhere smaller and somewhere larger."""
    larger = False
    for j in range(a.shape[0]):
        if a[j] < b[j]:
            return False
        larger |= a[j] > b[j]
    return larger


@njit(cache=True, nogil=True, error_model="numpy")
def _first_front(Y: Array) -> NDArray[np.bool_]:
    """Mask of the rows nobody beats; Y sorted in descending lexicographic order."""
    n, n_goals = Y.shape
    front = np.empty(n, np.int64)
    mask = np.zeros(n, np.bool_)
    size = 0
    for i in range(n):
        beaten = False
        for a in range(size - 1, -1, -1):
            if _beats(Y[front[a]], Y[i]):
                beaten = True
                break
            if n_goals <= 2:
                break
        if not beaten:
            front[size] = i
            size += 1
            mask[i] = True
    return mask


@njit(cache=True, nogil=True, error_model="numpy")
def _ranks(Y: Array) -> Integers:
    """Fronts by bisection; Y sorted in descending lexicographic order."""
    n, n_goals = Y.shape
    last = np.full(n, -1, np.int64)  # last row of every front
    before = np.full(n, -1, np.int64)  # row before it in its front
    ranks = np.empty(n, np.int64)
    n_fronts = 0
    for i in range(n):
        low, high = 0, n_fronts
        while low < high:
            middle = (low + high) // 2
            row, beaten = last[middle], False
            while row >= 0:
                if _beats(Y[row], Y[i]):
                    beaten = True
                    break
                row = -1 if n_goals <= 2 else before[row]
            if beaten:
                low = middle + 1
            else:
                high = middle
        ranks[i] = low
        before[i], last[low] = last[low], i
        n_fronts = max(n_fronts, low + 1)
    return ranks


# --- boxes -------------------------------------------------------------------------------------------


def hypervolume(Y: Array, reference: Array) -> float:
    r"""Volume that points cover above a reference point.

    Parameters
    ----------
    Y : ndarray of shape (n, l)
        Larger is better; rows that do not exceed the reference everywhere cover nothing.
    reference : ndarray of shape (l,)

    Returns
    -------
    float

    Notes
    -----
    The covered region is a union of disjoint boxes, one for each corner between the points [1]_. Two
    objectives :math:`O(n\log n)`, three :math:`O(n^2)`, more :math:`O(n^{\lfloor l/2 \rfloor + 1})`.

    References
    ----------
    .. [1] R. Lacour, K. Klamroth, C. M. Fonseca, A box decomposition algorithm to compute the hypervolume
       indicator, Comput. Oper. Res. 79, 347 (2017), doi 10.1016/j.cor.2016.06.021.

    Examples
    --------
    >>> hypervolume(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.zeros(2))
    6.0
    """
    points, corner = _above(Y, reference, "hypervolume")
    if not len(points):
        return 0.0
    if points.shape[1] == 2:
        points = points[np.argsort(-points[:, 0])]
        steps = np.diff(np.concatenate([corner[1:], points[:, 1]]))
        return float(steps @ (points[:, 0] - corner[0]))
    lower, upper = _dominated_boxes(-points, -corner, None)
    return float(np.prod(upper - lower, axis=1).sum())


@dataclass(frozen=True, eq=False, repr=False)
class FreeBoxes:
    """Disjoint boxes that fill the space above a reference and not below any point of a front.

    Attributes
    ----------
    front : ndarray of shape (f, l)
        Points nobody beats, above the reference.
    reference : ndarray of shape (l,)
    lower, upper : ndarray of shape (n_boxes, l)
        Corners; the upper ones may be infinite.
    levels : tuple of ndarray
        Distinct coordinates of the corners for each objective, ascending, the last one infinite.
    lower_at, upper_at : ndarray of int of shape (n_boxes, l)
        Places of the corners in ``levels``.

    Examples
    --------
    >>> free_boxes(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.zeros(2))
    FreeBoxes(4 boxes above a front of 3, 2 objectives)
    """

    front: Array
    reference: Array
    lower: Array
    upper: Array
    levels: tuple[Array, ...]
    lower_at: Integers
    upper_at: Integers

    def __repr__(self) -> str:
        n, n_goals = self.lower.shape
        return f"FreeBoxes({n} boxes above a front of {len(self.front)}, {n_goals} objectives)"

    def __len__(self) -> int:
        return len(self.lower)

    def improvement(self, Y: Array) -> Array:
        """Hypervolume that each of some points would add, shape (n,).

        Parameters
        ----------
        Y : ndarray of shape (n, l)

        Returns
        -------
        ndarray of shape (n,)

        Examples
        --------
        >>> boxes = free_boxes(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.zeros(2))
        >>> boxes.improvement(np.array([[2.5, 2.5]])).tolist()
        [1.25]
        """
        out = np.empty(len(Y))
        _fill_improvement(np.ascontiguousarray(Y, dtype=np.float64), self.lower, self.upper, out)
        return out


def free_boxes(Y: Array, reference: Array, *, limit: int | None = None) -> FreeBoxes | None:
    """Cut the space above a reference point and not below any of the points into disjoint boxes.

    Parameters
    ----------
    Y : ndarray of shape (n, l)
        Larger is better.
    reference : ndarray of shape (l,)
    limit : int, optional
        Give up when there would be more boxes.

    Returns
    -------
    FreeBoxes or None
        None beyond the limit.

    Notes
    -----
    The free space is the union of the orthants above the corners between the points; it is decomposed by
    the method of [1]_, applied first to the points and then to the corners. Coordinates are replaced by
    ranks without ties, which leaves boxes of no volume where there were ties; they are dropped. Boxes:
    n + 1 for two objectives, about 4n for three.

    References
    ----------
    .. [1] R. Lacour, K. Klamroth, C. M. Fonseca, A box decomposition algorithm to compute the hypervolume
       indicator, Comput. Oper. Res. 79, 347 (2017), doi 10.1016/j.cor.2016.06.021.

    Examples
    --------
    >>> free_boxes(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.zeros(2)).lower.tolist()
    [[3.0, 0.0], [2.0, 1.0], [1.0, 2.0], [0.0, 3.0]]
    """
    points, corner = _above(Y, reference, "free_boxes")
    endless = np.full(len(corner), np.inf)
    if len(corner) == 2:
        lower, upper = _strips(points, corner)
    else:
        corners = -_corners(-points, -corner, limit)
        lower, upper = _dominated_boxes(corners, endless, limit)
    if not 0 < len(lower) <= (len(lower) if limit is None else limit):
        return None
    order = np.lexsort(-lower.T[::-1])
    lower, upper = lower[order], upper[order]
    levels = tuple(np.unique(np.append(lower[:, k], upper[:, k])) for k in range(len(corner)))
    places = [
        np.column_stack([np.searchsorted(levels[k], part[:, k]) for k in range(len(corner))])
        for part in (lower, upper)
    ]
    return FreeBoxes(points, corner, lower, upper, levels, places[0], places[1])


def _above(Y: Array, reference: Array, place: str) -> tuple[Array, Array]:
    """Nondominated rows strictly above the reference."""
    values = np.asarray(Y, dtype=np.float64)
    corner = as_vector(reference, place=place, argument="reference")
    if values.ndim != 2 or values.shape[1] != len(corner):
        raise InputError(
            sentence(place, "reference", f"have one entry per objective (Y has shape {values.shape})",
                     len(corner), remedy="Give one number for each column of Y.")
        )  # fmt: skip
    kept = values[(values > corner).all(axis=1)]
    kept = np.unique(kept[nondominated(kept)], axis=0)
    return kept, corner


def _strips(points: Array, reference: Array) -> tuple[Array, Array]:
    """Free boxes of two objectives, endless in the second; points nobody beats in ascending order."""
    steps = np.concatenate([reference[:1], points[:, 0], [np.inf]])
    floors = np.concatenate([points[:, 1], reference[1:]])
    lower = np.column_stack([steps[:-1], floors])
    return lower, np.column_stack([steps[1:], np.full(len(floors), np.inf)])


def _ranked(points: Array) -> tuple[Integers, Array]:
    """Ranks without ties along every column, and the sorted columns."""
    order = np.argsort(points, axis=0, kind="stable")
    ranks = np.empty(points.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(len(points))[:, None], axis=0)
    return ranks, np.take_along_axis(points, order, axis=0)


def _corners(points: Array, reference: Array, limit: int | None) -> Array:
    """Upper corners of the region below no point, minimization; empty beyond the limit."""
    ranks, columns = _ranked(points)
    at, _, fits = _local_bounds(ranks, 2**62 if limit is None else limit)
    if not fits:
        return np.empty((0, points.shape[1]))
    known = np.vstack([columns, reference])
    return np.unique(np.take_along_axis(known, at, axis=0), axis=0)


def _dominated_boxes(points: Array, reference: Array, limit: int | None) -> tuple[Array, Array]:
    """Disjoint boxes of the region above points and below the reference, minimization."""
    n_goals = points.shape[1]
    ranks, columns = _ranked(points)
    upper_at, definers, fits = _local_bounds(ranks, 2**62 if limit is None else limit)
    if not fits:
        return np.empty((0, n_goals)), np.empty((0, n_goals))
    lower_at = upper_at.copy()
    real = definers[:, 0] >= 0
    upper_at, definers, lower_at = upper_at[real], definers[real], lower_at[real]
    for j in range(1, n_goals):
        past = np.where(definers[:, :j] >= 0, ranks[definers[:, :j], j], -1)
        lower_at[:, j] = past.max(axis=1)
    upper_at[:, 0] = len(points)
    known = np.vstack([columns, reference])
    lower, upper = (np.take_along_axis(known, at, axis=0) for at in (lower_at, upper_at))
    full = (upper > lower).all(axis=1)
    return np.ascontiguousarray(lower[full]), np.ascontiguousarray(upper[full])


@njit(cache=True, nogil=True, error_model="numpy")
def _local_bounds(ranks: Integers, limit: int) -> tuple[Integers, Integers, bool]:
    """Corners between points whose ranks (n, l) have no ties along a column, minimization.

    Returns ranks of the corners (m, l), n for the reference, the points that define each coordinate
    (m, l), -1 for the reference, and whether there were no more than the limit.
    """
    n, n_goals = ranks.shape
    room = 4 * n + 16
    corners, definers = np.empty((room, n_goals), np.int64), np.empty((room, n_goals), np.int64)
    corners[0], definers[0] = n, -1
    size = 1
    new_corners, new_definers = np.empty((16, n_goals), np.int64), np.empty((16, n_goals), np.int64)
    gone = np.empty(16, np.int64)
    for i in range(n):
        point = ranks[i]
        n_gone = n_new = 0
        for a in range(size):
            inside = True
            for j in range(n_goals):
                if point[j] >= corners[a, j]:
                    inside = False
                    break
            if not inside:
                continue
            if n_gone == gone.shape[0]:
                gone = np.concatenate((gone, np.empty_like(gone)))
            gone[n_gone] = a
            n_gone += 1
            for j in range(n_goals):
                needed = True
                for k in range(n_goals):
                    if k != j and definers[a, k] >= 0 and ranks[definers[a, k], j] > point[j]:
                        needed = False
                        break
                if not needed:
                    continue
                if n_new == new_corners.shape[0]:
                    new_corners = np.concatenate((new_corners, np.empty_like(new_corners)))
                    new_definers = np.concatenate((new_definers, np.empty_like(new_definers)))
                new_corners[n_new], new_definers[n_new] = corners[a], definers[a]
                new_corners[n_new, j], new_definers[n_new, j] = point[j], i
                n_new += 1
        while size - n_gone + n_new > corners.shape[0]:
            corners = np.concatenate((corners, np.empty_like(corners)))
            definers = np.concatenate((definers, np.empty_like(definers)))
        for a in range(max(n_gone, n_new)):
            if a < n_new:
                to = gone[a] if a < n_gone else size
                size += 0 if a < n_gone else 1
                corners[to], definers[to] = new_corners[a], new_definers[a]
        for a in range(n_gone - 1, n_new - 1, -1):  # slots left over are filled from the end
            size -= 1
            corners[gone[a]], definers[gone[a]] = corners[size], definers[size]
        if size > limit:
            return corners[:1], definers[:1], False
    return corners[:size].copy(), definers[:size].copy(), True


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def _fill_improvement(Y: Array, lower: Array, upper: Array, out: Array) -> None:
    """Added hypervolume of every row on its own."""
    n_boxes, n_goals = lower.shape
    for i in range(Y.shape[0]):
        total = 0.0
        for b in range(n_boxes):
            volume = 1.0
            for j in range(n_goals):
                side = min(Y[i, j], upper[b, j]) - lower[b, j]
                if side <= 0.0:
                    volume = 0.0
                    break
                volume *= side
            total += volume
        out[i] = total


def front_depth(Y: Array, front: Array) -> Array:
    """How much must be added to every objective of each row until no point of a front beats it.

    Parameters
    ----------
    Y : ndarray of shape (n, l)
    front : ndarray of shape (f, l)

    Returns
    -------
    ndarray of shape (n,)
        0 for rows that nothing beats.

    Examples
    --------
    >>> front_depth(np.array([[0.0, 1.0], [4.0, 0.0]]), np.array([[1.0, 3.0], [3.0, 1.0]])).tolist()
    [1.0, 0.0]
    """
    out = np.zeros(len(Y))
    points = np.ascontiguousarray(front, dtype=np.float64)
    _fill_depth(np.ascontiguousarray(Y, dtype=np.float64), points, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_depth(Y: Array, front: Array, out: Array) -> None:
    for i in range(Y.shape[0]):
        deepest = 0.0
        for a in range(front.shape[0]):
            least = np.inf
            for j in range(Y.shape[1]):
                least = min(least, front[a, j] - Y[i, j])
            deepest = max(deepest, least)
        out[i] = deepest


def box_sums_of_excess(mean: Array, std: Array, boxes: FreeBoxes) -> Array:
    r"""Expected hypervolume improvement of normal predictions, not its log.

    Parameters
    ----------
    mean, std : ndarray of shape (n, l)
    boxes : FreeBoxes

    Returns
    -------
    ndarray of shape (n,)
        0 where it underflows; :func:`log_box_sums` goes further.

    Examples
    --------
    >>> boxes = free_boxes(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.zeros(2))
    >>> box_sums_of_excess(np.full((1, 2), 2.5), np.full((1, 2), 1e-9), boxes).round(9).tolist()
    [1.25]
    """
    widest = max(len(level) for level in boxes.levels)
    levels = np.full((len(boxes.levels), widest), np.inf)
    for k, level in enumerate(boxes.levels):
        levels[k, : len(level)] = level
    counts = np.array([int(np.isfinite(level).sum()) for level in boxes.levels])
    out = np.empty(len(mean))
    parts = [np.ascontiguousarray(part, dtype=np.float64) for part in (mean, std)]
    _fill_excess_sums(parts[0], parts[1], levels, counts, boxes.lower_at, boxes.upper_at, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def _fill_excess_sums(
    mean: Array, std: Array, levels: Array, counts: Integers, lower: Integers, upper: Integers, out: Array
) -> None:
    n, n_goals = mean.shape
    n_boxes = lower.shape[0]
    value = np.zeros((n_goals, levels.shape[1]))
    for i in range(n):
        for k in range(n_goals):
            middle, spread = mean[i, k], std[i, k]
            inverse, row = 1.0 / spread, value[k]
            for t in range(counts[k]):
                u = (middle - levels[k, t]) * inverse
                v = min(abs(u), 37.0)
                tail = 0.3989422804014327 * fast_exp(-0.5 * v * v) * excess_ratio(v)
                row[t] = spread * (tail + max(u, 0.0))
        total = 0.0
        for b in range(n_boxes):
            product = 1.0
            for k in range(n_goals):
                product *= value[k, lower[b, k]] - value[k, upper[b, k]]
            total += product
        out[i] = total


def log_box_sums(tables: list[Array], boxes: FreeBoxes) -> Array:
    r"""Log of :math:`\sum_B \prod_k [G_k(\mathrm{lower}) - G_k(\mathrm{upper})]` for many candidates.

    Parameters
    ----------
    tables : list of l ndarray of shape (n, number of levels of objective k)
        :math:`\log G_k` at the levels of the boxes, falling along each row; minus infinity at infinity.
    boxes : FreeBoxes

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    With :math:`G = \psi`, the expected excess, it is the expected hypervolume improvement; with the
    probability of exceeding a level, the probability to end beyond the front. Sums that come near to
    underflow are taken as logarithms.

    Examples
    --------
    >>> boxes = free_boxes(np.array([[1.0]]), np.zeros(1))
    >>> log_box_sums([np.array([[-3.0, -np.inf]])], boxes).tolist()
    [-3.0]
    """
    widest = max(len(level) for level in boxes.levels)
    stacked = np.full((len(tables[0]), len(tables), widest), -np.inf)
    for k, table in enumerate(tables):
        stacked[:, k, : table.shape[1]] = table
    out = np.empty(len(stacked))
    _fill_box_sums(stacked, boxes.lower_at, boxes.upper_at, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def _fill_box_sums(tables: Array, lower: Integers, upper: Integers, out: Array) -> None:
    n, n_goals, n_levels = tables.shape
    n_boxes = lower.shape[0]
    value = np.empty((n_goals, n_levels))
    logs = np.empty(n_boxes)
    for i in range(n):
        for k in range(n_goals):
            for t in range(n_levels):
                log = tables[i, k, t]
                value[k, t] = fast_exp(log) if log > -700.0 else 0.0
        total = 0.0
        for b in range(n_boxes):
            product = 1.0
            for k in range(n_goals):
                product *= value[k, lower[b, k]] - value[k, upper[b, k]]
            total += product
        if total > _SMALL:
            out[i] = np.log(total)
            continue
        largest = -np.inf
        for b in range(n_boxes):
            log = 0.0
            for k in range(n_goals):
                first, second = tables[i, k, lower[b, k]], tables[i, k, upper[b, k]]
                log += first + np.log1p(-np.exp(second - first)) if second < first else -np.inf
            logs[b] = log
            largest = max(largest, log)
        if largest == -np.inf:
            out[i] = -np.inf
            continue
        total = 0.0
        for b in range(n_boxes):
            total += np.exp(logs[b] - largest)
        out[i] = largest + np.log(total)
