"""The best point of a space: many points scored at once, the best of them led uphill by gradients."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sozai.contracts.observations import Choice, Observations
from sozai.contracts.parallel import one_thread
from sozai.numerics.point_posterior import PointPosterior
from sozai.proposals.space import Space

__all__ = ["propose_from_sample", "propose_in_space"]

Array = NDArray[np.float64]

#: Points scored for each coordinate, and at most.
_POINTS, _MOST_POINTS = 1024, 8192
#: Best points that are refined, iterations of each, and how many get all categories tried.
_BEST, _STEPS, _VARIED = 16, 40, 4
#: Combinations of categories up to which all are tried, beyond it one change at a time.
_ALL_LEVELS = 512
#: Points nearer than this (in units of the space) are the same.
_SAME = 1e-7
#: Digits of a value within its range: what a gradient leaves of zero is zero.
_DIGITS = 10


def propose_in_space(proposer: Any, space: Space, observations: Observations, n: int) -> list[Choice]:
    """Choose points of a space, one after the other.

    Parameters
    ----------
    proposer : BayesianProposer
    space : Space
    observations : Observations
        ``X`` holds the points told so far, as rows of the space.
    n : int

    Returns
    -------
    list of Choice
        With ``x`` in place of a row.

    Notes
    -----
    1,024 points for each coordinate (at most 8,192) from a Sobol sequence or a walk are scored as a list;
    the best 16 climb by L-BFGS-B, with sums or limits by SLSQP, along the analytic gradients of mean and
    variance, running points taken in with their mean. What they reach is rounded to the steps, with all
    combinations of categories (or one change at a time, beyond 512), and the best by the exact score, with
    pretended values, is proposed. The same parameters serve all points of a call.
    """
    seed = (int(observations.seed) + int(proposer.random_state)) & (2**63 - 1)
    chosen = np.empty((0, len(space.names)))
    choices: list[Choice] = []
    try:
        for step in range(n):
            rng = np.random.default_rng([seed, 5, step])
            known = np.vstack([observations.X, chosen])
            fresh = _new(space, space.sample(_count(space), rng), known)
            if not len(fresh):
                warnings.warn(
                    f"BayesianProposer.propose: {step} of {n} points: no other point was found in {space!r}.",
                    UserWarning,
                    stacklevel=3,
                )
                break
            first, X = _among(proposer, space, observations, chosen, fresh)
            if getattr(proposer, "gp_", []):
                proposer._given = proposer.gp_
                fresh = _refined(proposer, space, X, known)
                first, X = _among(proposer, space, observations, chosen, fresh)
            assert first.row is not None
            point = X[first.row]
            choices.append(replace(first, row=None, x=space.values(point)))
            chosen = np.vstack([chosen, point])
    finally:
        proposer.__dict__.pop("_given", None)
    return choices


def _among(
    proposer: Any, space: Space, observations: Observations, chosen: Array, fresh: Array
) -> tuple[Choice, Array]:
    """Best of a list of fresh points, and the list with all known points before it."""
    listed, X = _as_list(space, observations, chosen, fresh)
    return proposer._propose_over(listed, listed.X, 1)[0], X


def _as_list(
    space: Space, observations: Observations, chosen: Array, fresh: Array
) -> tuple[Observations, Array]:
    """Known points, chosen ones as running, and fresh ones as a list of coordinates; and their rows."""
    X = np.vstack([observations.X, chosen, fresh])
    Z = space.encode(X)
    n = len(observations.X)
    running = np.concatenate([observations.pending, np.arange(n, n + len(chosen))]).astype(np.int64)
    listed = replace(
        observations, X=Z, names=_axis_names(space, Z.shape[1]), pending=running, cost=None,
        closed=np.setdiff1d(np.arange(n), observations.pending),
    )  # fmt: skip
    return listed, X


def propose_from_sample(propose: Any, space: Space, observations: Observations, n: int) -> list[Choice]:
    """Choose points of a space by a rule for lists: 1,024 points for each coordinate are the list.

    Parameters
    ----------
    propose : callable
        From observations and a number to choices with rows.
    space : Space
    observations : Observations
        ``X`` holds the points told so far, as rows of the space.
    n : int

    Returns
    -------
    list of Choice
        With ``x`` in place of a row; fewer where the space has fewer points.
    """
    rng = np.random.default_rng([int(observations.seed) & (2**63 - 1), 11])
    fresh = _new(space, space.sample(_count(space), rng), observations.X)
    if not len(fresh):
        return []
    listed, X = _as_list(space, observations, np.empty((0, len(space.names))), fresh)
    choices = propose(listed, n)
    return [replace(choice, row=None, x=space.values(X[choice.row])) for choice in choices]


def _count(space: Space) -> int:
    """Points that are scored as a list."""
    return min(_POINTS * sum(len(part.encoding_slope()) for part in space.parts), _MOST_POINTS)


def _axis_names(space: Space, n: int) -> tuple[str, ...]:
    """Names of the coordinates: those of the columns where they agree."""
    names: list[str] = []
    for part in space.parts:
        width = len(part.encoding_slope())
        same = width == len(part.names) and part.total is None and width and part.levels[0] is None
        names += list(part.names) if same else [f"{'+'.join(part.names)} axis {k}" for k in range(width)]
    return tuple(names[:n])


def _new(space: Space, X: Array, known: Array) -> Array:
    """Snapped points inside the space, each once, none of them known."""
    X = space.snap(X)
    low, high = space.bounds.T
    span = np.where(high > low, high - low, 1.0)
    X = low + np.round((X - low) / span, _DIGITS) * span
    X = X[space.contains(X)]
    if not len(X):
        return X
    keys = np.round(space.encode(np.vstack([known, X])) / _SAME).astype(np.int64)
    _, first = np.unique(keys, axis=0, return_index=True)
    kept = np.sort(first[first >= len(known)]) - len(known)
    return np.asarray(X[kept])


def _refined(proposer: Any, space: Space, X: Array, known: Array) -> Array:
    """The best points of a scored list, those they lead to, and other categories for the best."""
    scores = proposer.scores_
    best = np.argsort(-scores, kind="stable")[:_BEST]
    best = best[np.isfinite(scores[best])]
    starts = X[best]
    climb = _Climb.of(proposer._scorer_used, space)
    with one_thread():
        ends = starts if climb is None else np.array([climb.run(start) for start in starts])
    pool = np.vstack([ends, starts, _other_levels(space, ends[:_VARIED])])
    fresh = _new(space, pool, known)
    return fresh if len(fresh) else _new(space, X, known)


def _other_levels(space: Space, points: Array) -> Array:
    """The same numbers with other categories."""
    columns = np.flatnonzero(space.is_level)
    sizes = [len(space.levels[column] or ()) for column in columns]
    if not sizes:
        return points[:0]
    found = []
    for point in points:
        if np.prod([float(size) for size in sizes]) <= _ALL_LEVELS:
            changes = [
                list(zip(columns, combo, strict=True)) for combo in itertools.product(*map(range, sizes))
            ]
        else:
            changes = [[(c, k)] for c, size in zip(columns, sizes, strict=True) for k in range(size)]
        for change in changes:
            other = point.copy()
            for column, level in change:
                other[column] = level
            found.append(other)
    return np.array(found)


class _Climb:
    """Local search for a larger score over the numbers of a point, its categories fixed."""

    def __init__(self, scorer: Any, space: Space, models: list[PointPosterior], reference: Any) -> None:
        self.scorer, self.space, self.models, self.reference = scorer, space, models, reference
        self.numbers = np.flatnonzero(~space.is_level)
        self.slope = space.encoding_slope()[:, self.numbers]
        self.low, self.span = space.polytope.low, space.polytope.high - space.polytope.low
        self.span = np.where(self.span > 0, self.span, 1.0)

    @classmethod
    def of(cls, scorer: Any, space: Space) -> _Climb | None:
        """A climb on the scores of a scorer; None where there is nothing to climb on."""
        running = list(getattr(scorer, "running", ()))
        scorer = scorer.point_scorer(len(running)) if hasattr(scorer, "point_scorer") else scorer
        if scorer.acquisition.draws or not (~space.is_level).any():
            return None
        several = hasattr(scorer, "models")
        fitted = scorer.models if several else [scorer.fitted]
        owns = [scorer.rows[at] for at in scorer.own] if several else [scorer.rows]
        means = scorer.mean.reshape(len(scorer.Z), -1)
        models = []
        for k, (model, rows) in enumerate(zip(fitted, owns, strict=True)):
            part = model.evidence.parameters(model.theta)
            noise = model.known_noise + part.noise / model.counts
            models.append(
                PointPosterior(
                    model.settings.kernel, scorer.Z[np.concatenate([rows, running]).astype(int)],
                    np.concatenate([model.target, means[running, k]]),
                    np.concatenate([noise, np.full(len(running), part.noise)]),
                    part.length_scales, part.amplitude,
                )
            )  # fmt: skip
        return cls(scorer, space, models, scorer.reference(scorer.mean[scorer.rows]))

    def run(self, start: Array) -> Array:
        """Where the climb from a point ends."""
        point = start.copy()
        u = (start[self.numbers] - self.low) / self.span
        polytope, limits = self.space.polytope, []
        if len(polytope.total):
            rows, rest = polytope.equal * self.span, polytope.total - polytope.equal @ self.low
            limits.append({"type": "eq", "fun": lambda v: rows @ v - rest, "jac": lambda v: rows})
        above = polytope.normals[2 * len(u) :] * self.span
        if len(above):
            room = polytope.limits[2 * len(u) :] - polytope.normals[2 * len(u) :] @ self.low
            limits.append({"type": "ineq", "fun": lambda v: room - above @ v, "jac": lambda v: -above})
        method = "SLSQP" if limits else "L-BFGS-B"
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            found = minimize(
                self._loss, u, args=(start,), jac=True, method=method, bounds=[(0.0, 1.0)] * len(u),
                constraints=limits if limits else (), options={"maxiter": _STEPS},
            )  # fmt: skip
        if np.isfinite(found.fun) and np.isfinite(found.x).all():
            point[self.numbers] = self.low + np.clip(found.x, 0.0, 1.0) * self.span
        return point

    def _loss(self, u: Array, start: Array) -> tuple[float, Array]:
        """Minus the score and its gradient in scaled numbers."""
        point = start.copy()
        point[self.numbers] = self.low + u * self.span
        z = self.space.encode(point[None, :])[0]
        parts = [model(z) for model in self.models]
        mean = np.array([part[0] for part in parts])
        std = np.sqrt([part[1] for part in parts])
        value, by_mean, by_std = self._score(mean, std)
        slope = np.zeros(len(z))
        for k, part in enumerate(parts):
            slope += by_mean[k] * part[2] + by_std[k] * part[3] / (2.0 * std[k])
        gradient = (slope @ self.slope) * self.span
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e10, np.zeros_like(u)
        return -value, -gradient

    def _score(self, mean: Array, std: Array) -> tuple[float, Array, Array]:
        """Score, and its derivatives by mean and deviation of each objective by central differences."""
        n_goals = len(mean)
        step = 1e-4 * std
        shift = np.vstack([np.zeros(n_goals), np.diag(step), -np.diag(step)])
        means = np.vstack([mean + shift, np.repeat(mean[None, :], 2 * n_goals, axis=0)])
        spreads = np.vstack([np.repeat(std[None, :], 2 * n_goals + 1, axis=0), std + shift[1:]])
        if n_goals == 1 and not hasattr(self.scorer, "models"):
            values = self.scorer.acquisition.score(means[:, 0].copy(), spreads[:, 0].copy(), self.reference)
        else:
            values = self.scorer.acquisition.score(means, spreads, self.reference)
        by_mean = (values[1 : n_goals + 1] - values[n_goals + 1 : 2 * n_goals + 1]) / (2.0 * step)
        by_std = (values[2 * n_goals + 1 : 3 * n_goals + 1] - values[3 * n_goals + 1 :]) / (2.0 * step)
        return float(values[0]), by_mean, by_std
