"""Choosing without a model: at random, in the order of the list, or so that the list is filled evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.observations import Choice, Observations
from sozai.proposals.space import Space
from sozai.proposals.space_search import propose_from_sample

__all__ = ["ExhaustiveProposer", "RandomProposer", "SpaceFillingProposer", "farthest_points"]

_BLOCK = 262144


class _SpaceOrList:
    """Choosing from a list; a sample of the space serves as one where there is a space.

    Parameters
    ----------
    space : Space, optional
        :class:`~sozai.proposals.spaces.Box`, ``Mixture``, ``Product``; a campaign hands over its own.
    """

    def __init__(self, space: Space | None = None) -> None:
        self.space = space

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose ``n`` open candidates, or points of the space."""
        if self.space is not None:
            return propose_from_sample(self._choose, self.space, observations, n)
        return self._choose(observations, n)

    def _choose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose from a list."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.space is None else repr(self.space)})"


class RandomProposer(_SpaceOrList):
    """Open candidates at random.

    Parameters
    ----------
    space : Space, optional
        Points of it are drawn in place of candidates of a list.

    Notes
    -----
    Every candidate draws one number from the sub-stream of the round; the
    largest win, so that more proposals begin with the fewer.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> seen = Observations.of(np.arange(9.0)[:, None], {0: 1.0}, objectives=[Objective("y")], seed=4)
    >>> [choice.row for choice in RandomProposer().propose(seen, 3)]
    [2, 8, 6]
    """

    def _choose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose ``n`` open candidates, each equally likely."""
        draws = np.random.default_rng(observations.seed).random(observations.n_candidates)
        draws[~observations.is_open] = -1.0
        rows = np.argsort(-draws, kind="stable")[: min(n, len(observations.open))]
        return [_choice(observations, row, 0.0, "Drawn at random from the open candidates.") for row in rows]


class ExhaustiveProposer:
    """Open candidates in the order of the list.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> seen = Observations.of(np.arange(9.0)[:, None], {0: 1.0}, objectives=[Objective("y")])
    >>> [choice.row for choice in ExhaustiveProposer().propose(seen, 3)]
    [1, 2, 3]
    """

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose the first ``n`` open candidates."""
        return [
            _choice(observations, row, 0.0, "Next in the order of the list.") for row in observations.open[:n]
        ]

    def __repr__(self) -> str:
        return "ExhaustiveProposer()"


class SpaceFillingProposer(_SpaceOrList):
    """Candidates far from everything measured, failed or running.

    Parameters
    ----------
    space : Space, optional
        Points of a sample of it are proposed in place of candidates of a list.

    Notes
    -----
    Descriptors are scaled to the range of the list. Without any measured point
    the candidate nearest to the centroid comes first; then, one after the other,
    the open candidate whose nearest chosen point is farthest away [1]_, ties by
    row. Cost O(n_candidates n_descriptors) for each point measured or chosen.

    References
    ----------
    .. [1] T. F. Gonzalez, "Clustering to minimize the maximum intercluster
       distance", Theor. Comput. Sci. 38, 293 (1985), doi 10.1016/0304-3975(85)90224-5.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> seen = Observations.of(np.arange(5.0)[:, None], {}, objectives=[Objective("y")])
    >>> choices = SpaceFillingProposer().propose(seen, 3)
    >>> [choice.row for choice in choices], choices[1].reason
    ([2, 0, 4], 'Farthest from every point measured, running or chosen (0.5 of the range).')
    """

    def _choose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose the ``n`` open candidates that fill the list best."""
        found = farthest_points(observations, n)
        return [_choice(observations, row, distance, _why(distance)) for row, distance in found]


def farthest_points(observations: Observations, n: int) -> list[tuple[int, float]]:
    """Open rows in farthest-point order, each with its distance to the nearest point taken before.

    Parameters
    ----------
    observations : Observations
    n : int

    Returns
    -------
    list of (int, float)
        The distance is in the unit cube; infinite for the very first point.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> seen = Observations.of(np.arange(5.0)[:, None], {0: 1.0}, objectives=[Objective("y")])
    >>> farthest_points(seen, 2)
    [(4, 1.0), (2, 0.5)]
    """
    low, high = observations.X.min(axis=0), observations.X.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    Z = (observations.X / width) - (low / width)
    is_open = observations.is_open
    taken = np.unique(np.concatenate([observations.rows, observations.failed, observations.pending]))
    nearest = np.full(len(Z), np.inf)
    for row in taken:
        _approach(nearest, Z, row)
    found: list[tuple[int, float]] = []
    for _ in range(min(n, int(is_open.sum()))):
        empty = not len(taken) and not found
        score = -((Z - Z.mean(axis=0)) ** 2).sum(axis=1) if empty else nearest
        row = int(np.argmax(np.where(is_open, score, -np.inf)))
        found.append((row, float(np.sqrt(nearest[row]))))
        is_open[row] = False
        _approach(nearest, Z, row)
    return found


def _approach(nearest: NDArray[np.float64], Z: NDArray[np.float64], row: int) -> None:
    """Squared distance to the nearest point taken, after one more was taken; in place."""
    for start in range(0, len(Z), _BLOCK):
        part = slice(start, start + _BLOCK)
        np.minimum(nearest[part], ((Z[part] - Z[row]) ** 2).sum(axis=1), out=nearest[part])


def _why(distance: float) -> str:
    if np.isinf(distance):
        return "Nearest to the middle of the candidates; nothing is measured yet."
    return f"Farthest from every point measured, running or chosen ({distance:.3g} of the range)."


def _choice(observations: Observations, row: int, score: float, reason: str) -> Choice:
    """A choice without a prediction."""
    nan = np.full(observations.n_objectives, np.nan)
    return Choice(int(row), float(score), nan, nan, reason)
