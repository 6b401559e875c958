"""Search without a model: children of the best results so far, by crossing, by differences, or as a swarm."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import BaseEstimator, Interval, StrOptions
from sozai.contracts.observations import Choice, Observations
from sozai.numerics.hypervolume import nondominated_rank
from sozai.proposals.base import AskTell
from sozai.proposals.space import Space
from sozai.proposals.spaces import Box

__all__ = ["EvolutionaryProposer"]

Array = NDArray[np.float64]

#: Mutation of a coordinate: share of the population's spread, and of the range.
_SHARE, _LEAST = 0.3, 0.02
#: Probability that a category is drawn anew.
_NEW_LEVEL = 0.1
#: Attempts to find a child that is not known yet.
_ATTEMPTS = 64
#: Children nearer than this to a known point are the same.
_SAME = 1e-7


class EvolutionaryProposer(AskTell, BaseEstimator):  # type: ignore[misc]
    r"""Children of the best results, without any model.

    Parameters
    ----------
    method : {"ga", "de", "pso"}, default="ga"
        Genetic algorithm, differential evolution (current to best), or a bare-bones particle swarm.
    size : int, default=20
        Best results that may have children; until there are so many, points are drawn at random.
    space : Space, optional
        Children are points of it. Without, they are the nearest open candidates of a list.
    mutation : float, default=1.0
        Multiplies the size of random changes.
    random_state : int, default=0
        Added to the sub-stream of the round.

    See Also
    --------
    sozai.proposals.bayesian.BayesianProposer : Needs fewer results; this one needs no time.

    Notes
    -----
    The population is the ``size`` best of the results, by rank of the front and then by distance to the
    neighbors on it for several objectives [1]_: a function of the results and the seed, so that a
    stopped search goes on with nothing but its results. Children keep the sums of a mixture: crossing
    weighs whole rows, differences of rows have sum 0, mutation and swarm move along a basis of the
    differences; a child outside the limits is drawn back towards its parent until it is inside.

    ``"ga"``: two parents by tournament, blend, mutate. ``"de"``:
    :math:`x_i + F(x_b - x_i) + F(x_r - x_s)`, F from 0.4 to 0.9 [2]_. ``"pso"``: each coordinate normal about
    the middle between a good point and the best, with their distance as deviation, which needs no
    velocities [3]_. A proposal costs :math:`O(Np)`.

    References
    ----------
    .. [1] K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, A fast and elitist multiobjective genetic algorithm:
       NSGA-II, IEEE Trans. Evol. Comput. 6, 182 (2002), doi 10.1109/4235.996017.
    .. [2] R. Storn, K. Price, Differential evolution, J. Glob. Optim. 11, 341 (1997),
       doi 10.1023/A:1008202821328.
    .. [3] J. Kennedy, Bare bones particle swarms, IEEE Swarm Intelligence Symposium, 80 (2003),
       doi 10.1109/SIS.2003.1202251.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> x = np.linspace(0, 1, 101)
    >>> results = {k: -(x[k] - 0.3) ** 2 for k in range(0, 101, 5)}
    >>> seen = Observations.of(x[:, None], results, objectives=[Objective("y")])
    >>> choice, = EvolutionaryProposer("de", size=10).propose(seen, 1)
    >>> bool(abs(x[choice.row] - 0.3) < 0.3)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "method": [StrOptions({"ga", "de", "pso"})],
        "size": [Interval(Integral, 4, None, closed="left")],
        "space": [Space, None],
        "mutation": [Interval(Real, 0, None, closed="left")],
        "random_state": [Integral],
    }

    def __init__(
        self,
        method: str = "ga",
        size: int = 20,
        *,
        space: Space | None = None,
        mutation: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.size = size
        self.space = space
        self.mutation = mutation
        self.random_state = random_state

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose children, one after the other.

        Parameters
        ----------
        observations : Observations
        n : int

        Returns
        -------
        list of Choice
            Without predictions; fewer when no more are open.
        """
        self._validate_params()
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise InputError(
                sentence("EvolutionaryProposer.propose", "n", "be a whole number of 1 or more", n)
            )
        space = self.space or _box_of(observations)
        X = observations.X if self.space is not None else _inside(observations.X, space)
        best = _population(observations, int(self.size))
        is_open = observations.is_open
        known = observations.X
        low, high = space.bounds.T
        span = np.where(high > low, high - low, 1.0)
        seed = (int(observations.seed) + int(self.random_state)) & (2**63 - 1)
        choices: list[Choice] = []
        for step in range(int(n)):
            rng = np.random.default_rng([seed, 7, step])
            if self.space is None:
                if not is_open.any():
                    break
                child, reason = self._child(space, X, best, rng)
                distance = (((X - child) / span) ** 2).sum(axis=1)
                row = int(np.argmin(np.where(is_open, distance, np.inf)))
                is_open[row] = False
                choices.append(_choice(observations, row, None, reason))
                continue
            for _ in range(_ATTEMPTS):
                child, reason = self._child(space, X, best, rng)
                child = space.snap(child[None, :])[0]
                new = not len(known) or np.abs((known - child) / span).max(axis=1).min() > _SAME
                if new and space.contains(child[None, :])[0]:
                    known = np.vstack([known, child])
                    choices.append(_choice(observations, None, space.values(child), reason))
                    break
        return choices

    def _child(
        self, space: Space, X: Array, best: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Array, str]:
        """One child and its sentence."""
        if len(best) < self.size:
            word = f"Drawn at random: {len(best)} of {self.size} results for a population."
            return space.sample(1, rng)[0], word
        parents = X[best]
        numbers, levels = np.flatnonzero(~space.is_level), np.flatnonzero(space.is_level)
        rule = {"ga": _cross, "de": _differ, "pso": _swarm}[self.method]
        first, child = parents[0], parents[0].copy()
        if len(numbers):
            at, moved = rule(space, parents[:, numbers], rng, float(self.mutation))
            first, child = parents[at], parents[at].copy()
            child[numbers] = _drawn_inside(space, parents[at][numbers], moved)
        other = parents[int(rng.integers(len(parents)))]
        for column in levels:
            child[column] = first[column] if rng.random() < 0.5 else other[column]
            if rng.random() < _NEW_LEVEL * self.mutation:
                child[column] = rng.integers(len(space.levels[column] or ()))
        names = {"ga": "Child of two good results", "de": "A good result moved by a difference of two others",
                 "pso": "Between a good result and the best"}  # fmt: skip
        return child, f"{names[self.method]}, of the best {self.size}."


def _cross(space: Space, parents: Array, rng: np.random.Generator, mutation: float) -> tuple[int, Array]:
    """Genetic algorithm: two tournaments, a blend, a mutation."""
    first, second = (int(rng.integers(len(parents), size=2).min()) for _ in range(2))
    weight = rng.uniform(-0.25, 1.25)
    if space.polytope.is_box:
        weight = rng.uniform(-0.25, 1.25, size=parents.shape[1])
    child = parents[first] + weight * (parents[second] - parents[first])
    return first, child + mutation * _along(space, parents, rng)


def _along(space: Space, parents: Array, rng: np.random.Generator) -> Array:
    """A random change that keeps all sums."""
    polytope = space.polytope
    span = polytope.high - polytope.low
    size = _SHARE * parents.std(axis=0) + _LEAST * span
    basis = polytope.basis
    if polytope.is_box:
        return size * rng.standard_normal(len(size))
    width = np.sqrt((basis**2 * size[:, None] ** 2).sum(axis=0))
    return np.asarray(basis @ (width * rng.standard_normal(basis.shape[1])))


def _differ(space: Space, parents: Array, rng: np.random.Generator, mutation: float) -> tuple[int, Array]:
    """Differential evolution from a good point towards the best."""
    at, one, two = (int(k) for k in rng.permutation(len(parents))[:3])
    factor, push = rng.uniform(0.4, 0.9, size=2)
    step = factor * (parents[0] - parents[at]) + mutation * push * (parents[one] - parents[two])
    if space.polytope.is_box:
        kept = rng.random(len(step)) < 0.9
        kept[int(rng.integers(len(step)))] = True
        step = np.where(kept, step, 0.0)
    return at, parents[at] + step


def _swarm(space: Space, parents: Array, rng: np.random.Generator, mutation: float) -> tuple[int, Array]:
    """Bare-bones swarm: normal about the middle between a good point and the best."""
    at = int(rng.integers(len(parents)))
    polytope = space.polytope
    basis = np.eye(parents.shape[1]) if polytope.is_box else polytope.basis
    apart = basis.T @ (parents[0] - parents[at])
    if at == 0:
        return at, parents[0] + mutation * _along(space, parents, rng)
    change = 0.5 * apart + mutation * np.abs(apart) * rng.standard_normal(len(apart))
    return at, parents[at] + basis @ change


def _drawn_inside(space: Space, parent: Array, child: Array) -> Array:
    """The point nearest to the child on the way from its parent that satisfies all limits."""
    polytope = space.polytope
    room = np.maximum(polytope.limits - polytope.normals @ parent, 0.0)
    if polytope.is_box:
        return np.clip(child, polytope.low, polytope.high)
    speed = polytope.normals @ (child - parent)
    with np.errstate(divide="ignore", invalid="ignore"):
        furthest = np.where(speed > 1e-14, room / speed, np.inf).min(initial=np.inf)
    return np.asarray(parent + min(1.0, furthest) * (child - parent))


def _population(observations: Observations, size: int) -> NDArray[np.int64]:
    """Rows of the best results, best first; ties by descriptors, so that order in the list plays no part."""
    merits = np.array(
        [
            [
                -objective.loss(float(value))
                for objective, value in zip(observations.objectives, row, strict=True)
            ]
            for row in observations.Y
        ]
    ).reshape(len(observations.Y), observations.n_objectives)
    complete = ~np.isnan(merits).any(axis=1)
    rows, merits = observations.rows[complete], merits[complete]
    if not len(rows):
        return rows
    rank = nondominated_rank(merits)
    keys = [*observations.X[rows].T[::-1], -_crowding(merits, rank), rank]
    return rows[np.lexsort(keys)][:size]


def _crowding(merits: Array, rank: NDArray[np.int64]) -> Array:
    """Distance to the neighbors on the same front, in units of the front; infinite at its ends."""
    distance = np.zeros(len(merits))
    for front in np.unique(rank):
        at = np.flatnonzero(rank == front)
        for column in merits[at].T:
            order = np.argsort(column, kind="stable")
            extent = column[order[-1]] - column[order[0]]
            distance[at[order[[0, -1]]]] = np.inf
            if extent > 0 and len(at) > 2:
                distance[at[order[1:-1]]] += (column[order[2:]] - column[order[:-2]]) / extent
    return distance


def _box_of(observations: Observations) -> Box:
    """Box around a list of candidates."""
    low, high = observations.X.min(axis=0), observations.X.max(axis=0)
    high = np.where(high > low, high, low + 1.0)
    pairs = zip(observations.names, low.tolist(), high.tolist(), strict=True)
    return Box({name: (a, b) for name, a, b in pairs})


def _inside(X: Array, space: Space) -> Array:
    """Candidates are inside their own box."""
    return np.clip(X, *space.bounds.T)


def _choice(observations: Observations, row: int | None, x: Any, reason: str) -> Choice:
    """A choice without a prediction."""
    nan = np.full(observations.n_objectives, np.nan)
    return Choice(row, 0.0, nan, nan, reason, x)
