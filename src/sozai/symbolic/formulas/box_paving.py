"""Boxes in which a quantity is certainly high enough, certainly not, or undecided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sozai.symbolic.formulas.box_bounds import EMPTY, OPEN, contract_boxes, upper_bounds
from sozai.symbolic.formulas.global_maximum import Region
from sozai.symbolic.formulas.law_program import LawProgram

__all__ = ["Paving", "merge_boxes", "pave"]

_SMALLEST = 2.0**-30  # relative width below which a box is not split


@dataclass(frozen=True, eq=False)
class Paving:
    """Result of :func:`pave`.

    Attributes
    ----------
    low, high : ndarray of shape (n_boxes, n_variables)
        Boxes in which the quantity is at least the threshold wherever the
        constraints are met; merged, the largest first.
    floor : ndarray of shape (n_boxes,)
        Certified lower bound of the quantity in each.
    inside, outside, undecided : float
        Shares of the volume; what the constraints exclude is not counted.
    n_boxes : int
        Boxes looked at.

    Examples
    --------
    >>> Paving(np.empty((0, 1)), np.empty((0, 1)), np.empty(0), 0.0, 1.0, 0.0, 1).outside
    1.0
    """

    low: np.ndarray
    high: np.ndarray
    floor: np.ndarray
    inside: float
    outside: float
    undecided: float
    n_boxes: int


def pave(
    program: LawProgram,
    region: Region,
    threshold: float,
    *,
    tolerance: float = 1e-3,
    max_boxes: float = 1e5,
    progress: Callable[[int, int], object] | None = None,
) -> Paving:
    """Sort the region into boxes above a threshold, below it, and undecided.

    Parameters
    ----------
    program : LawProgram
        The quantity.
    region : Region
    threshold : float
    tolerance : float
        Share of the volume that may stay undecided; a tenth of it, or of what
        is inside, where that is less.
    max_boxes : float
        Boxes after which the rest stays undecided.
    progress : callable, optional
        Gets the number of boxes and ``max_boxes``.

    Examples
    --------
    >>> from sozai.symbolic.operations import Expressions, parse_into
    >>> from sozai.symbolic.formulas.law_program import compile_law
    >>> store = Expressions(["x"])
    >>> law = compile_law(store, [parse_into(store, "x")], [1.0], 0.0, columns=[0])
    >>> region = Region(np.zeros(1), np.ones(1), np.empty((0, 1)), np.empty(0), np.empty(0))
    >>> paved = pave(law, region, 0.75)
    >>> paved.low.round(2).tolist(), paved.high.tolist(), round(paved.inside, 2)
    ([[0.75]], [[1.0]], 0.25)
    """
    negative, slack = program.negated(), region.slack
    rows = (region.matrix, region.row_low - slack, region.row_high + slack)
    low, high = _contracted(rows, region, region.low[None].copy(), region.high[None].copy())
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = [(low[:0], high[:0], np.empty(0))]
    inside = outside = stuck = 0.0
    n_boxes = 0
    while len(low):
        floor, answer = _classify(program, negative, rows, low, high, threshold)
        n_boxes += len(low)
        volume, sure = _shares(low, high, region), answer == 1
        kept.append((low[sure], high[sure], floor[sure]))
        inside, outside = inside + volume[sure].sum(), outside + volume[answer == -1].sum()
        low, high, volume = low[answer == 0], high[answer == 0], volume[answer == 0]
        left = stuck + volume.sum()
        total = inside + outside + left
        fine = left <= max(0.1 * inside, 0.1 * tolerance * total)
        if (left <= tolerance * total and fine) or n_boxes >= max_boxes:
            stuck = left
            break
        if progress is not None:
            progress(n_boxes, int(max_boxes))
        low, high, lost = _halves(low, high, volume, region, int(max_boxes) - n_boxes)
        low, high = _contracted(rows, region, low, high)
        stuck += lost
    total = max(inside + outside + stuck, 1e-300)
    merged = merge_boxes(*(np.concatenate(parts) for parts in zip(*kept, strict=True)))
    order = np.argsort(-_shares(merged[0], merged[1], region), kind="stable")
    shares = (float(part / total) for part in (inside, outside, stuck))
    return Paving(*(part[order] for part in merged), *shares, n_boxes)


def _contracted(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], region: Region, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes shrunk by the constraints, without those that are left empty or flat."""
    if not len(rows[0]):
        return low, high
    empty = np.empty(len(low), dtype=np.bool_)
    contract_boxes(*rows, low, high, empty)
    flat = np.any((high - low < _SMALLEST * region.width) & (region.width > 0), axis=1)
    return low[~empty & ~flat], high[~empty & ~flat]


def _classify(
    program: LawProgram,
    negative: LawProgram,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    threshold: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Certified floor, and 1 above the threshold, -1 below, 0 undecided, -2 without a point."""
    size = len(low)
    bound, center, state = np.empty(size), np.empty(size), np.empty(size, dtype=np.int64)
    upper_bounds(program, *rows, low.copy(), high.copy(), bound, center, state)
    answer = np.where(bound < threshold, -1, 0)
    answer[state == EMPTY] = -2
    floor = np.full(size, -np.inf)
    open_ = np.flatnonzero((answer == 0) & (state == OPEN))
    if open_.size:
        depth, found = np.empty(open_.size), np.empty(open_.size, dtype=np.int64)
        center = np.empty(open_.size)
        upper_bounds(negative, *rows, low[open_], high[open_], depth, center, found)
        floor[open_] = -depth
        answer[open_[(found == OPEN) & (-depth >= threshold)]] = 1
    return floor, answer


def _shares(low: np.ndarray, high: np.ndarray, region: Region) -> np.ndarray:
    """Volumes as shares of the region's box; variables that are held do not count."""
    free = region.width > 0
    return np.prod((high[:, free] - low[:, free]) / region.width[free], axis=1)


def _halves(
    low: np.ndarray, high: np.ndarray, volume: np.ndarray, region: Region, left: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Halves of the boxes, the largest first while there is room, and the volume that is given up."""
    order = np.argsort(-volume, kind="stable")
    given_up = float(volume[order[max(left // 2, 1) :]].sum())
    order = order[: max(left // 2, 1)]
    low, high, volume = low[order], high[order], volume[order]
    relative = (high - low) / np.where(region.width > 0, region.width, 1.0)
    small = relative.max(axis=1, initial=0.0) < _SMALLEST
    given_up += float(volume[small].sum())
    low, high, relative = low[~small], high[~small], relative[~small]
    row = np.arange(len(low))
    side = np.argmax(relative, axis=1) if len(low) else row
    middle = 0.5 * low[row, side] + 0.5 * high[row, side]
    first_high, second_low = high.copy(), low.copy()
    first_high[row, side] = second_low[row, side] = middle
    return np.concatenate([low, second_low]), np.concatenate([first_high, high]), given_up


def merge_boxes(
    low: np.ndarray, high: np.ndarray, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join boxes that share a whole face until no two do; the floor of a joint box is the lower one.

    Examples
    --------
    >>> low, high = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [3.0, 1.0]])
    >>> [part.tolist() for part in merge_boxes(low, high, np.array([5.0, 4.0]))]
    [[[0.0, 0.0]], [[3.0, 1.0]], [4.0]]
    """
    n_before = -1
    while n_before != len(low):
        n_before = len(low)
        for side in range(low.shape[1]):
            low, high, floor = _merge_along(low, high, floor, side)
    return low, high, floor


def _merge_along(
    low: np.ndarray, high: np.ndarray, floor: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join runs of boxes that differ along one side only and touch."""
    if len(low) < 2:
        return low, high, floor
    others = np.delete(np.arange(low.shape[1]), side)
    keys = [low[:, side], *(high[:, j] for j in others), *(low[:, j] for j in others)]
    order = np.lexsort(keys)
    low, high, floor = low[order], high[order], floor[order]
    same = np.all((low[1:, others] == low[:-1, others]) & (high[1:, others] == high[:-1, others]), axis=1)
    starts = np.flatnonzero(np.concatenate([[True], ~(same & (low[1:, side] == high[:-1, side]))]))
    joint = high[starts].copy()
    joint[:, side] = np.maximum.reduceat(high[:, side], starts)
    return low[starts], joint, np.minimum.reduceat(floor, starts)
