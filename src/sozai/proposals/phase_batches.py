"""Several samples at once: how the second knows of the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import squared_distances
from sozai.proposals.batch import Fantasies, TopScores
from sozai.proposals.label_streams import LabelStream
from sozai.proposals.phase_scores import PhaseScore

__all__ = [
    "Determinantal",
    "HighestScores",
    "NeighborExclusion",
    "PhaseBatch",
    "PretendedLabels",
    "as_phase_batch",
]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Scores nearer than this are equal: the point farther from every labeled one goes first.
_TIE = 1e-9
#: Distances nearer than this part of the largest are one.
_SAME = 1e-6


@dataclass(eq=False)
class BatchTask:
    """What a rule needs to choose points one after the other.

    Attributes
    ----------
    stream : LabelStream or None
        None while at most one class is known: then points are chosen by distance alone.
    score : PhaseScore
    Z : ndarray of shape (n_points, p)
    allowed : ndarray of bool of shape (n_points,)
    nearest : ndarray of shape (n_points,)
        Squared distance to the nearest point measured, running or chosen.
    rng : Generator
    values : (mean, std, thresholds) or None
    fixed : ndarray of shape (n_points,) or None
        Scores that do not change while a batch is built.
    worth : ndarray of shape (n_points,) or None
        What scores are multiplied with: the inverse of the cost.
    """

    stream: LabelStream | None
    score: PhaseScore
    Z: Array
    allowed: Mask
    nearest: Array
    rng: np.random.Generator
    values: Any = None
    fixed: Array | None = None
    worth: Array | None = None

    def scores(self, p: Array | None = None) -> Array:
        """Scores of all points, from given probabilities or those of the stream."""
        plain = self._plain(p)
        if self.worth is None:
            return plain
        return np.where(plain < 0, plain / self.worth, plain * self.worth)

    def _plain(self, p: Array | None) -> Array:
        """Scores without their cost."""
        if self.score.draws:
            if self.fixed is None:
                self.fixed = self.score(np.ones((1, len(self.Z))), rng=self.rng)
            return self.fixed
        if self.stream is None:
            return self.nearest
        p = self.stream.probabilities() if p is None else p
        return self.score(p, values=self.values)

    def best(self, scores: Array, allowed: Mask | None = None) -> int:
        """Highest score; ties by distance to what is measured, then by row."""
        mask = self.allowed if allowed is None else allowed
        rows = np.flatnonzero(mask)
        found = scores[rows]
        tied = rows[found >= found.max() - _TIE]
        return int(tied[np.argmax(self.nearest[tied])])

    def take(self, row: int) -> None:
        """Mark a point as chosen."""
        self.allowed[row] = False
        np.minimum(self.nearest, ((self.Z - self.Z[row]) ** 2).sum(axis=1), out=self.nearest)


class PhaseBatch:
    """Rule by which several points are chosen.

    Examples
    --------
    >>> PretendedLabels(), HighestScores(), NeighborExclusion(2)
    (PretendedLabels(n=1), HighestScores(), NeighborExclusion(k=2))
    """

    def choose(self, task: BatchTask, n: int) -> list[tuple[int, float]]:
        """Rows and scores, best first; more points begin with the fewer."""
        raise NotImplementedError


@dataclass(frozen=True)
class HighestScores(PhaseBatch):
    """The best scores, as if nothing were learned in between.

    Examples
    --------
    >>> HighestScores()
    HighestScores()
    """

    def choose(self, task: BatchTask, n: int) -> list[tuple[int, float]]:
        """Rows and scores, best first."""
        scores = task.scores()
        chosen = []
        for _ in range(min(n, int(task.allowed.sum()))):
            if task.stream is None:
                scores = task.scores()
            row = task.best(scores)
            chosen.append((row, float(scores[row])))
            task.take(row)
        return chosen


@dataclass(frozen=True)
class NeighborExclusion(PhaseBatch):
    """The best scores, none of them a close neighbor of another.

    Parameters
    ----------
    k : int, default=1
        Points nearer than or as near as the k-th distinct distance of the list to any chosen point are
        passed over.

    Notes
    -----
    Distances between points are measured from 1,000 rows of the list and rounded to 1e-6 of the largest; the
    k-th smallest of them that is not zero counts. When every point is excluded, the rest come by score.

    Examples
    --------
    >>> NeighborExclusion(3).k
    3
    """

    k: int = 1

    def __post_init__(self) -> None:
        _require_count("NeighborExclusion", "k", self.k)

    def choose(self, task: BatchTask, n: int) -> list[tuple[int, float]]:
        """Rows and scores, best first."""
        radius = kth_distance(task.Z, self.k)
        scores, free = task.scores(), task.allowed.copy()
        chosen = []
        for _ in range(min(n, int(task.allowed.sum()))):
            scores = task.nearest if task.stream is None else scores
            left = free & task.allowed
            row = task.best(scores, left if left.any() else None)
            chosen.append((row, float(scores[row])))
            task.take(row)
            free &= np.sqrt(((task.Z - task.Z[row]) ** 2).sum(axis=1)) > radius * (1 + 1e-6)
        return chosen


@dataclass(frozen=True)
class PretendedLabels(PhaseBatch):
    r"""Pretend that every chosen point has its most probable label, and choose the next one after that.

    Parameters
    ----------
    n : int, default=1
        Pretended labels of each: 1 for the most probable one, more for labels drawn by their probability;
        scores are then averaged over as many histories.

    Notes
    -----
    A pretended label costs one gain vector, shared by all histories, and O(N C) for each of them. The
    stream is put back afterwards.

    Examples
    --------
    >>> PretendedLabels(8).n
    8
    """

    n: int = 1

    def __post_init__(self) -> None:
        _require_count("PretendedLabels", "n", self.n)

    def choose(self, task: BatchTask, n: int) -> list[tuple[int, float]]:
        """Rows and scores, best first."""
        stream, chosen = task.stream, []
        if n == 1:
            return HighestScores().choose(task, 1)
        mark = stream.mark() if stream is not None else None
        histories = [stream.values.copy() for _ in range(self.n)] if stream is not None else []
        for step in range(min(n, int(task.allowed.sum()))):
            scores = self._averaged(task, histories)
            row = task.best(scores)
            chosen.append((row, float(scores[row])))
            task.take(row)
            if stream is not None and step + 1 < n:
                pretend(stream, histories, row, task.rng if self.n > 1 else None)
        if stream is not None:
            stream.back(mark)  # type: ignore[arg-type]
        return chosen

    def _averaged(self, task: BatchTask, histories: list[Array]) -> Array:
        """Mean score over histories."""
        if task.stream is None or not histories:
            return task.scores()
        total = task.scores(task.stream.probabilities(histories[0]))
        for values in histories[1:]:
            total = total + task.scores(task.stream.probabilities(values))
        return total / len(histories)


@dataclass(frozen=True)
class Determinantal(PhaseBatch):
    r"""Points that are unsure and unlike each other.

    Parameters
    ----------
    length : float, default=0.5
        Distance within which two points say the same, in coordinates of unit spread.

    Notes
    -----
    Greedy largest determinant of :math:`q_iK_{ij}q_j` with the score q and
    :math:`K_{ij} = e^{-|z_i-z_j|^2/2\ell^2}`: a Cholesky factorization with pivots, O(N n) for each point
    [1]_.

    References
    ----------
    .. [1] L. Chen, G. Zhang, E. Zhou, Fast greedy MAP inference for determinantal point process,
       NeurIPS 31 (2018).

    Examples
    --------
    >>> Determinantal(0.3).length
    0.3
    """

    length: float = 0.5

    def __post_init__(self) -> None:
        if not (np.isfinite(self.length) and self.length > 0):
            raise InputError(sentence("Determinantal", "length", "be a positive number", self.length))

    def choose(self, task: BatchTask, n: int) -> list[tuple[int, float]]:
        """Rows and scores, best first."""
        base = task.scores()
        quality = np.maximum(base, 0.0) if task.stream is not None else np.sqrt(np.maximum(base, 0.0))
        quality = np.where(np.isfinite(quality), quality, 1.0)
        left = quality**2
        factor: list[Array] = []
        chosen = []
        for _ in range(min(n, int(task.allowed.sum()))):
            row = task.best(np.sqrt(np.maximum(left, 0.0)))
            chosen.append((row, float(base[row])))
            if left[row] > 0:
                near = np.exp(-((task.Z - task.Z[row]) ** 2).sum(axis=1) / (2.0 * self.length**2))
                column = quality * quality[row] * near
                for earlier in factor:
                    column -= earlier * earlier[row]
                factor.append(column / np.sqrt(left[row]))
                left = left - factor[-1] ** 2
            task.take(row)
        return chosen


def pretend(stream: LabelStream, histories: list[Array], row: int, rng: np.random.Generator | None) -> None:
    """Give a row its most probable label, or a drawn one, in every history.

    Parameters
    ----------
    stream : LabelStream
        Remembers the gain; its own values become those of the first history.
    histories : list of ndarray of shape (n_columns, n_points)
        Changed in place.
    row : int
    rng : Generator, optional
        Draws labels when given.

    Examples
    --------
    >>> from sozai.proposals.label_graph import LabelPropagation
    >>> stream = LabelPropagation().stream(np.linspace(0, 1, 3)[:, None], 2).add(0, 0).add(2, 1)
    >>> histories = [stream.values.copy()]
    >>> pretend(stream, histories, 1, None)
    >>> float(histories[0][:, 1].max())
    1.0
    """
    labels = []
    for values in histories:
        p = stream.probabilities(values)[:, row]
        labels.append(int(np.argmax(p)) if rng is None else int(rng.choice(len(p), p=p)))
    surprises = [
        stream.surprise(stream.target(label), row, values)
        for label, values in zip(labels, histories, strict=True)
    ]
    gain = stream.gain(row)
    for values, surprise in zip(histories, surprises, strict=True):
        values += np.multiply.outer(surprise, gain)
    stream.values = histories[0].copy()
    stream.nodes.append(row)
    stream.labels.append(labels[0])


def kth_distance(Z: Array, k: int) -> float:
    """K-th smallest distinct distance between points of a list.

    Examples
    --------
    >>> kth_distance(np.arange(5.0)[:, None], 2)
    2.0
    """
    some = Z[np.unique(np.linspace(0, len(Z) - 1, 1000).astype(np.int64))]
    largest = 2.0 * float(np.sqrt(((Z - Z.mean(axis=0)) ** 2).sum(axis=1).max()))
    found = np.empty(0)
    for first in range(0, len(some), 100):
        block = np.sqrt(squared_distances(some[first : first + 100], Z)).ravel()
        block = np.sort(np.concatenate([found, block[block > _SAME * largest]]))
        new = np.concatenate([[True], np.diff(block) > _SAME * largest])
        found = block[new][: k + 1]
    distinct = found if len(found) else np.array([largest])
    return float(distinct[min(k, len(distinct)) - 1])


_BY_NAME: dict[str, type[PhaseBatch]] = {
    "fantasies": PretendedLabels,
    "top": HighestScores,
    "neighbors": NeighborExclusion,
    "determinantal": Determinantal,
}


def as_phase_batch(batch: Any, *, place: str) -> PhaseBatch:
    """Batch rule from an object or the name of one's defaults.

    The batches :class:`~sozai.proposals.batch.Fantasies` and :class:`~sozai.proposals.batch.TopScores` of
    numbers stand for the rules of the same meaning here.

    Examples
    --------
    >>> as_phase_batch("top", place="ask"), as_phase_batch(Fantasies(8), place="ask")
    (HighestScores(), PretendedLabels(n=8))
    """
    if isinstance(batch, Fantasies):
        return PretendedLabels(batch.n or 1)
    if isinstance(batch, TopScores):
        return HighestScores()
    if isinstance(batch, PhaseBatch):
        return batch
    if isinstance(batch, str) and batch in _BY_NAME:
        return _BY_NAME[batch]()
    raise InputError(
        sentence(place, "batch", f"be a batch object or one of {', '.join(_BY_NAME)}", batch,
                 remedy="Write Fantasies().")
    )  # fmt: skip


def _require_count(place: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(sentence(place, name, "be a whole number of 1 or more", value))
