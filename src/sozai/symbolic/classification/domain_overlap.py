"""Overlap of the ranges of classes along one line: how many samples a feature leaves undecided."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sozai.symbolic.classification.classes import Classes, as_rows

__all__ = ["DomainOverlap"]


class DomainOverlap:
    r"""Number of samples where the ranges of two classes overlap, the length of the overlap as tie-break.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels.
    remaining : sequence of ndarray of bool of shape (n_samples,), optional
        Look at these samples only, e.g. at those that a first term has left
        undecided. With several masks the best of them counts.

    Attributes
    ----------
    classes : Classes
        The labels as codes.

    Notes
    -----
    Two classes a, b have the ranges :math:`[l_a, h_a]`, :math:`[l_b, h_b]`, which
    share :math:`[\max l, \min h]`, ends included. Their overlap is the number of
    samples in there, and its normalized length
    :math:`(\min h - \max l)/(\max h - \min l)`, negative for a gap. The score is
    minus the number of samples, less a quarter of one plus the length; over
    several classes numbers are summed and lengths averaged over all pairs.
    Cost O(m) a feature [1]_.

    References
    ----------
    .. [1] R. Ouyang et al., Phys. Rev. Materials 2, 083802 (2018).

    Examples
    --------
    >>> score = DomainOverlap(["a", "a", "b", "a", "b"])
    >>> count, length = score.parts(score.evaluate([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    >>> count.tolist(), length.tolist()
    ([2], [0.25])
    """

    def __init__(self, y: Any, *, remaining: Any = None) -> None:
        self.classes = Classes.of(y, place="DomainOverlap")
        m, codes = self.classes.codes.size, self.classes.codes
        masks = [np.ones(m, dtype=bool)] if remaining is None else [np.asarray(r, bool) for r in remaining]
        rows, starts = [], [0]
        for mask in masks:
            for code in range(len(self.classes)):
                rows.append(np.flatnonzero(mask & (codes == code)))
                starts.append(starts[-1] + rows[-1].size)
        self._rows = np.concatenate(rows).astype(np.int64)
        self._starts = np.array(starts, dtype=np.int64)

    def evaluate(self, values: Any) -> np.ndarray:
        """Score of every feature; ``values`` of shape (b, n_samples), larger is better."""
        rows = as_rows(values, self.classes.codes.size, "DomainOverlap.evaluate")
        scores = np.empty(len(rows))
        _overlaps(rows, self._rows, self._starts, len(self.classes), scores)
        return scores

    def parts(self, scores: Any) -> tuple[np.ndarray, np.ndarray]:
        """Number of samples in the overlap and its normalized length."""
        loss = -np.asarray(scores, dtype=np.float64)
        count = np.floor(loss + 1e-9)
        return count.astype(np.int64), 4 * (loss - count) - 1


@numba.njit(cache=True, nogil=True)
def _overlaps(values, rows, starts, n_classes, scores):
    """Score of every row of values; minus infinity where one is not finite."""
    low, high = np.empty(n_classes), np.empty(n_classes)
    n_masks = (starts.size - 1) // n_classes
    for b in range(values.shape[0]):
        best = -np.inf
        finite = True
        for mask in range(n_masks):
            offset = mask * n_classes
            for c in range(n_classes):
                low[c], high[c] = np.inf, -np.inf
                for t in range(starts[offset + c], starts[offset + c + 1]):
                    value = values[b, rows[t]]
                    finite &= np.isfinite(value)
                    low[c], high[c] = min(low[c], value), max(high[c], value)
            best = max(best, _score(values[b], rows, starts, offset, low, high))
        scores[b] = best if finite else -np.inf


@numba.njit(cache=True, nogil=True)
def _score(value, rows, starts, offset, low, high):
    """Minus the number of samples in the overlap of any two classes, less the share of its length."""
    n_classes = low.size
    count, length = 0, 0.0
    for a in range(n_classes):
        for c in range(a):
            left, right = max(low[a], low[c]), min(high[a], high[c])
            extent = max(high[a], high[c]) - min(low[a], low[c])
            if high[a] < low[a] or high[c] < low[c]:
                length -= 1.0  # a class without samples here is apart from all others
                continue
            length += (right - left) / extent if extent > 0.0 else 1.0
            if left <= right:
                for t in range(starts[offset + a], starts[offset + a + 1]):
                    count += left <= value[rows[t]] <= right
                for t in range(starts[offset + c], starts[offset + c + 1]):
                    count += left <= value[rows[t]] <= right
    return -(count + 0.25 * (1.0 + length / (n_classes * (n_classes - 1) / 2)))
