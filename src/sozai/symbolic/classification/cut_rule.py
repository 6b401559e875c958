"""The best cut of one line written down: where it is, what lies on each side, how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sozai.symbolic.classification.classes import Classes
from sozai.symbolic.classification.thresholds import sorting_keys

__all__ = ["CutRule", "best_rule", "short_number"]


@dataclass(frozen=True)
class CutRule:
    """Pieces of a line, one class each.

    Attributes
    ----------
    cuts : tuple of float
        Ascending; each lies half-way between two neighboring samples, rounded
        to the fewest digits that stay clear of them by a tenth of their distance.
    pieces : tuple of int
        Class code of every piece, one more than cuts.
    n_correct : int
        Training samples on the right side.
    log_likelihood : float
        Of the labels, each piece having the class frequencies found in it.

    Examples
    --------
    >>> rule = best_rule([1.0, 2.0, 3.0, 4.0, 5.1], ["a", "a", "b", "a", "b"])
    >>> rule.text("x", ["a", "b"]), rule.n_correct
    ('b if x > 4.5, else a', 4)
    """

    cuts: tuple[float, ...]
    pieces: tuple[int, ...]
    n_correct: int
    log_likelihood: float

    @property
    def n_parameters(self) -> int:
        """Cuts and, for two classes, one probability a piece."""
        return len(self.cuts) + len(self.pieces)

    def distances(self, values: Any, n_classes: int) -> np.ndarray:
        """How far inside its own pieces every class is at these values, negative outside.

        Parameters
        ----------
        values : array-like of shape (n,)
        n_classes : int

        Returns
        -------
        ndarray of shape (n, n_classes)
            Minus infinity for a class without a piece.
        """
        values = np.asarray(values, dtype=np.float64)
        ends = (-np.inf, *self.cuts, np.inf)
        inside = np.full((values.size, n_classes), -np.inf)
        for piece, (low, high) in zip(self.pieces, pairwise(ends), strict=True):
            inside[:, piece] = np.maximum(inside[:, piece], np.minimum(values - low, high - values))
        return inside

    def text(self, formula: str, labels: Any) -> str:
        """Say the rule in words, for two classes from the second one's side."""
        if not self.cuts:
            return f"always {labels[self.pieces[0]]}"
        cuts = [f"{cut:.17g}" if float(f"{cut:.12g}") != cut else f"{cut:.12g}" for cut in self.cuts]
        if len(labels) == 2:
            sides = [k for k, piece in enumerate(self.pieces) if piece == 1]
            where = " or ".join(_where(formula, cuts, k) for k in sides)
            return f"{labels[1]} if {where}, else {labels[0]}"
        parts = [f"{labels[piece]} if {_where(formula, cuts, k)}" for k, piece in enumerate(self.pieces)]
        return ", ".join(parts)


def best_rule(values: Any, y: Any, *, interval: bool = False, rounded: bool = True) -> CutRule:
    """Cut one line so that most samples lie on their side.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        One feature, finite.
    y : array-like of shape (n_samples,) or Classes
    interval : bool, default=False
        Allow a second cut, for two classes, where that is strictly better.
    rounded : bool, default=True
        Write cuts with few digits; otherwise they lie exactly half-way.

    Returns
    -------
    CutRule

    Notes
    -----
    As many samples are right as :class:`ThresholdScore` counts. Of equally good
    cuts the one in the widest gap is taken.
    """
    classes = y if isinstance(y, Classes) else Classes.of(y, place="best_rule")
    values = np.ascontiguousarray(values, dtype=np.float64)
    counts, low, high = _blocks(values, classes)
    if len(classes) > 2:
        cuts, pieces = _cut_many(counts, classes)
    else:
        cuts, pieces = _cut_once(counts, classes, low[1:] - high[:-1])
        if interval:
            twice = _cut_twice(counts, classes, low[1:] - high[:-1])
            if _count_right(counts, *twice) > _count_right(counts, cuts, pieces):
                cuts, pieces = twice
    number = short_number if rounded else _middle
    numbers = tuple(number(float(high[cut - 1]), float(low[cut])) for cut in cuts)
    inside = [counts[a:b].sum(axis=0) for a, b in _stretches(cuts, len(counts))]
    fit = sum(float(np.sum(n[n > 0] * np.log(n[n > 0] / n.sum()))) for n in inside)
    return CutRule(numbers, pieces, _count_right(counts, cuts, pieces), fit)


def short_number(low: float, high: float) -> float:
    """Number between two others with the fewest digits, a tenth of their distance from both.

    Examples
    --------
    >>> short_number(4.1734, 4.1891), short_number(-1.0, 1.0)
    (4.18, 0.0)
    """
    middle = _middle(low, high)
    if low < 0 < high and abs(middle) < 0.1 * (high - low):
        return 0.0
    margin = high / 10 - low / 10
    for digits in range(1, 18):
        number = float(f"{middle:.{digits}g}")
        if low + margin <= number <= high - margin and low < number < high:
            return number
    return middle


def _middle(low: float, high: float) -> float:
    """Half-way, without overflow."""
    return low / 2 + high / 2


def _where(formula: str, cuts: list[str], piece: int) -> str:
    """One piece of the line in words."""
    if piece == 0:
        return f"{formula} < {cuts[0]}"
    if piece == len(cuts):
        return f"{formula} > {cuts[-1]}"
    return f"{cuts[piece - 1]} < {formula} < {cuts[piece]}"


def _stretches(cuts: tuple[int, ...], n_blocks: int) -> list[tuple[int, int]]:
    """First and last block of every piece."""
    ends = (0, *cuts, n_blocks)
    return list(pairwise(ends))


def _count_right(counts: np.ndarray, cuts: tuple[int, ...], pieces: tuple[int, ...]) -> int:
    """Samples on the right side."""
    stretches = _stretches(cuts, len(counts))
    return int(sum(counts[a:b, piece].sum() for (a, b), piece in zip(stretches, pieces, strict=True)))


def _blocks(values: np.ndarray, classes: Classes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples of every class in each block of equal values, and the ends of the blocks."""
    keys = np.empty((1, values.size), dtype=np.int64)
    sorting_keys(values[None].view(np.int64), classes.codes, keys)
    order = np.argsort(keys[0], kind="stable")
    high_part = keys[0, order] >> 8
    starts = np.flatnonzero(np.r_[True, high_part[1:] != high_part[:-1]])
    one_hot = np.eye(len(classes), dtype=np.int64)[classes.codes[order]]
    ordered = values[order]
    return (
        np.add.reduceat(one_hot, starts),
        np.minimum.reduceat(ordered, starts),
        np.maximum.reduceat(ordered, starts),
    )


def _cut_once(
    counts: np.ndarray, classes: Classes, gaps: np.ndarray
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Block before which the line is cut, and the classes below and above."""
    first, second = classes.sizes
    ahead = np.r_[0, np.cumsum(counts[:, 0] - counts[:, 1])]
    right = np.array([second + ahead, first - ahead])
    gap = np.r_[-1.0, gaps, -1.0]  # a cut outside all samples only where no other is as good
    found = np.argwhere(right == right.max())
    side, cut = min(found.tolist(), key=lambda place: (-gap[place[1]], place[1], place[0]))
    pieces = (0, 1) if side == 0 else (1, 0)
    if cut in (0, len(counts)):
        return (), (pieces[1] if cut == 0 else pieces[0],)
    return (cut,), pieces


def _cut_twice(
    counts: np.ndarray, classes: Classes, gaps: np.ndarray
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Blocks before which the line is cut, and the classes outside, inside, outside."""
    n_blocks = len(counts)
    gap = np.r_[-1.0, gaps, -1.0]
    best, answer = -1, ((), (0,))
    for inside in (0, 1):
        ahead = np.r_[0, np.cumsum(counts[:, inside] - counts[:, 1 - inside])]
        later = np.r_[np.maximum.accumulate(ahead[::-1])[::-1][1:], -3 * counts.sum()]
        rise = int((later - ahead).max())
        if classes.sizes[1 - inside] + rise <= best:
            continue
        best = int(classes.sizes[1 - inside]) + rise
        starts = np.flatnonzero(later - ahead == rise)
        start = int(starts[np.argmax(gap[starts])])
        stops = start + 1 + np.flatnonzero(ahead[start + 1 :] == ahead[start] + rise)
        stop = int(stops[np.argmax(gap[stops])])
        cuts = [(start, 1 - inside), (stop, inside)]  # a cut, and the class below it
        kept = [(cut, below) for cut, below in cuts if 0 < cut < n_blocks]
        last = inside if stop == n_blocks else 1 - inside
        answer = tuple(cut for cut, _ in kept), (*(below for _, below in kept), last)
    return answer


def _cut_many(counts: np.ndarray, classes: Classes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Blocks before which the line is cut into at most one piece a class, in the order of mean ranks."""
    middle = np.cumsum(counts.sum(axis=1)) - counts.sum(axis=1) / 2
    order = np.argsort(middle @ counts / classes.sizes, kind="stable")
    n_blocks, n_classes = len(counts), len(classes)
    reached = np.zeros(n_classes, dtype=np.int64)
    previous = np.empty((n_blocks, n_classes), dtype=np.int64)
    for block in range(n_blocks):
        source = np.arange(n_classes)
        for j in range(1, n_classes):
            if reached[source[j - 1]] > reached[j]:
                source[j] = source[j - 1]
        previous[block] = source
        reached = reached[source] + counts[block, order]
    j = int(np.argmax(reached))
    path = np.empty(n_blocks, dtype=np.int64)
    for block in range(n_blocks - 1, -1, -1):
        path[block] = j
        j = int(previous[block, j])
    changes = np.flatnonzero(path[1:] != path[:-1]) + 1
    return tuple(changes.tolist()), tuple(int(order[path[k]]) for k in (0, *changes))
