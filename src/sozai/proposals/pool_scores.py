"""Scores of all open candidates, and exact ones of the few that can win."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.parallel import one_thread
from sozai.numerics.fantasy_posterior import FantasyPosterior
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.numerics.pretended_improvement import (
    log_improvement_bound,
    log_pretended_improvement,
    symmetric_draws,
)
from sozai.proposals.acquisition import (
    Acquisition,
    ExpectedImprovement,
    NoisyExpectedImprovement,
    Situation,
    average_scores,
)
from sozai.proposals.pareto import Near, Within
from sozai.proposals.surrogate import FittedSurrogate

__all__ = ["PoolScorer"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Candidates that are scored over all draws and pretended values: best by plain score, most uncertain.
_BEST, _UNCERTAIN = 4096, 512
#: Candidates whose pretended improvement is computed before the bound rules out the first.
_FIRST = 64


class PoolScorer:
    """Scores for one objective.

    Parameters
    ----------
    fitted : FittedSurrogate
    Z : ndarray of shape (N, p)
        All candidates in the unit cube.
    rows : ndarray of shape (m,)
        Measured ones, in the order of the surrogate's target.
    is_open : ndarray of bool of shape (N,)
    acquisition : Acquisition
    extra : ndarray of shape (N,) or None
        Added to every score: log probability of success, minus log cost.
    seed : int
    goal : (float or None, (float, float) or None)
        Wanted value and wanted range, in the model's unit.
    posterior : PoolPosterior, optional
        Already conditioned on the results.
    counts : ndarray of bool of shape (m,), optional
        Results that may be the best so far: those that keep to all limits.

    Notes
    -----
    Plain scores cost one pass over the list, and so does the expected improvement averaged over pretended
    values: a bound leaves a few candidates to compute, and the best of them is the best of all. Averages
    over parameters (``n_hyper``), and other scores over pretended values, take a short list: the 4,096 best
    by plain score, with the deviation already reduced by what is running or chosen, and the 512 most
    uncertain.
    """

    def __init__(
        self,
        fitted: FittedSurrogate,
        Z: Array,
        rows: Rows,
        is_open: NDArray[np.bool_],
        acquisition: Acquisition,
        *,
        extra: Array | None = None,
        seed: int = 0,
        goal: tuple[float | None, tuple[float, float] | None] = (None, None),
        posterior: PoolPosterior | None = None,
        counts: NDArray[np.bool_] | None = None,
    ) -> None:
        self.counts = slice(None) if counts is None or not counts.any() else counts
        self.fitted, self.Z, self.rows, self.is_open = fitted, Z, rows, is_open.copy()
        self.acquisition, self.extra, self.seed, self.goal = acquisition, extra, int(seed), goal
        self.posterior = fitted.posterior(Z, rows) if posterior is None else posterior
        self.mean, self.std = self.posterior.moments()
        self._believer: FantasyPosterior | None = None
        self._believed: list[int] = []
        self.running: list[int] = []

    def rng(self, step: int, part: int) -> np.random.Generator:
        """Sub-stream of one member of the batch."""
        return np.random.default_rng([self.seed & (2**63 - 1), 2, step, part])

    def reference(self, mean: Array) -> Any:
        """What candidates are compared with, from the posterior mean at the measured ones."""
        target, span = self.goal
        values = self.fitted.target[self.counts]
        known = Situation(values, mean[self.counts], self.Z.shape[1], target, span)
        return self.acquisition.prepare(known)

    def lie(self, rule: Any) -> float:
        """Worst, mean or best result."""
        return float(rule(self.fitted.target))

    def close(self, row: int) -> None:
        """Take a candidate out of the race."""
        self.is_open[row] = False

    def finish(self, scores: Array, rows: Rows | None = None) -> Array:
        """Add what is added, and rule out what is not open."""
        if self.extra is not None:
            scores = scores + (self.extra if rows is None else self.extra[rows])
        return np.where(self.is_open if rows is None else self.is_open[rows], scores, -np.inf)

    def deviation(self, chosen: list[int]) -> Array:
        """Standard deviation of all candidates after the chosen ones will have been measured."""
        if not chosen:
            return self.std
        if self._believer is None or self._believed != chosen[: len(self._believed)]:
            self._believer, self._believed = FantasyPosterior(self.posterior), []
        for row in chosen[len(self._believed) :]:
            self._believer.fantasise(row, [0.0])
            self._believed.append(row)
        return np.sqrt(self._believer.variance)

    def plain(self, chosen: list[int]) -> Array:
        """Score of every candidate at the most probable parameters, shape (N,)."""
        scores = self.acquisition.score(
            self.mean, self.deviation(chosen), self.reference(self.mean[self.rows])
        )
        return self.finish(scores)

    def drawn(self, step: int) -> Array:
        """One function of the posterior, parameters drawn too, at every candidate."""
        rng, draws = self.rng(step, 0), self.fitted.draws
        posterior = self.posterior
        if len(draws.weights) > 1:
            theta = draws.thetas[rng.choice(len(draws.weights), p=draws.weights)]
            posterior = self.fitted.posterior(self.Z, self.rows, theta)
        values, (target, span) = posterior.sample(1, rng)[0], self.goal
        if target is not None:
            values = Near(target).merit(values)
        elif span is not None:
            values = Within(*span).merit(values)
        return self.finish(values)

    def short_list(self, scores: Array, chosen: list[int]) -> Rows:
        """Open candidates worth an exact score, ascending."""
        n_open = int(self.is_open.sum())
        if n_open <= _BEST + _UNCERTAIN:
            return np.flatnonzero(self.is_open)
        best = np.argpartition(-scores, _BEST)[:_BEST]
        wide = np.where(self.is_open, self.deviation(chosen), -1.0)
        return np.union1d(best, np.argpartition(-wide, _UNCERTAIN)[:_UNCERTAIN])

    @property
    def is_bounded(self) -> bool:
        """Whether the best of all candidates can be found without computing them all."""
        return type(self.acquisition) is ExpectedImprovement and len(self.fitted.draws.weights) == 1

    def best_pretended(self, chosen: list[int], n_values: int) -> tuple[Rows, Array]:
        """Candidates among which the best is, ascending, and their scores averaged over pretended values.

        Parameters
        ----------
        chosen : list of int
            Running or chosen, in order.
        n_values : int
            Pretended values of each.

        Returns
        -------
        rows : ndarray of shape (k,)
        scores : ndarray of shape (k,)
        """
        draws, references = self._history(chosen, n_values, None)
        variance, std = self.posterior.variance, self.deviation(chosen)
        bound = self.finish(log_improvement_bound(self.mean, variance, std, draws, references))
        left, size, least = np.flatnonzero(self.is_open), _FIRST, -np.inf
        rows: list[Rows] = []
        scores: list[Array] = []
        while len(left):
            hopes = bound[left]
            first = np.argpartition(-hopes, size)[:size] if len(left) > size else np.arange(len(left))
            rows.append(left[first])
            scores.append(self._pretended(left[first], draws, references, least))
            least = max(least, float(scores[-1].max()))
            keep = hopes >= least - 1e-9
            keep[first] = False
            left, size = left[keep], 4 * size
        found, values = np.concatenate(rows), np.concatenate(scores)
        order = np.argsort(found)
        return found[order], values[order]

    def _history(self, chosen: list[int], n_values: int, lie: float | None) -> tuple[Array, Array]:
        """Draws (q, k) at the chosen ones, and references (k,) after them."""
        self.deviation(chosen)
        assert self._believer is not None
        references = np.array([self.reference(self.mean[self.rows])] * (1 if lie is not None else n_values))
        draws = np.empty((len(chosen), len(references)))
        for step, row in enumerate(chosen):
            steps = np.array([past[row] for past in self._believer.rows[: step + 1]])
            mean = self.mean[row] + steps[:-1] @ draws[:step]
            if lie is None:
                draws[step] = symmetric_draws(self.rng(step, 1), n_values)
            else:
                draws[step] = (lie - mean) / self._believer.pivots[step]
            references = self.acquisition.follow(references, mean + steps[-1] * draws[step])
        return draws, references

    def _pretended(self, listed: Rows, draws: Array, references: Array, least: float = -np.inf) -> Array:
        """Scores of listed candidates over pretended histories; minus infinity where ``least`` is missed."""
        assert self._believer is not None
        mean, std = self.mean[listed], np.sqrt(self._believer.variance[listed])
        rows = np.column_stack([row[listed] for row in self._believer.rows])
        if type(self.acquisition) is ExpectedImprovement:
            extra = None if self.extra is None else self.extra[listed]
            return log_pretended_improvement(mean, std, rows, draws, references, extra=extra, least=least)
        with one_thread():
            means = mean[:, None] + rows @ draws
        return self.finish(self.acquisition.score_all(means, std, references), listed)

    def averaged(self, listed: Rows, chosen: list[int], n_values: int, lie: float | None = None) -> Array:
        """Score of listed candidates, averaged over parameters and over values of the chosen ones.

        Parameters
        ----------
        listed : ndarray of shape (k,)
        chosen : list of int
            Running or chosen, in order.
        n_values : int
            Pretended values of each.
        lie : float, optional
            One value for all, in the model's unit, in place of pretended ones.

        Returns
        -------
        ndarray of shape (k,)
        """
        alone = len(self.fitted.draws.weights) == 1
        if alone and chosen and not isinstance(self.acquisition, NoisyExpectedImprovement):
            scores = self._pretended(listed, *self._history(chosen, n_values, lie))
            return np.where(self.is_open[listed], scores, -np.inf)
        points = self.Z[np.concatenate([self.rows, np.array(chosen, dtype=np.int64), listed])]
        draws = self.fitted.draws
        each = max(n_values // len(draws.weights), 4)
        parts = []
        for k, theta in enumerate(draws.thetas):
            posterior = self.fitted.posterior(points, np.arange(len(self.rows)), theta)
            parts.append(self._score_one(posterior, len(chosen), each, k, lie))
        return self.finish(
            average_scores(np.array(parts), draws.weights, log=self.acquisition.is_log), listed
        )

    def _score_one(
        self, posterior: PoolPosterior, n_chosen: int, n_values: int, part: int, lie: float | None
    ) -> Array:
        """Scores at one set of parameters; the points are measured, chosen, listed."""
        n = len(self.rows)
        if isinstance(self.acquisition, NoisyExpectedImprovement):
            return self._noisy(posterior, n + n_chosen, part)
        reference = self.reference(posterior.mean[:n])
        after = n + n_chosen
        if not n_chosen:
            std = np.sqrt(posterior.variance[after:])
            return self.acquisition.score(posterior.mean[after:], std, reference)
        pretended = FantasyPosterior(posterior)
        references = np.array([reference] * (1 if lie is not None else n_values))
        for step in range(n_chosen):
            if lie is None:
                draws = symmetric_draws(self.rng(step, part + 1), n_values)
            else:
                spread = np.sqrt(pretended.variance[n + step] + posterior.noise)
                draws = (lie - pretended.means[n + step, :1]) / spread
            pretended.fantasise(n + step, draws)
            references = self.acquisition.follow(references, pretended.means[n + step])
        std = np.sqrt(pretended.variance[after:])
        return self.acquisition.score_all(pretended.means[after:], std, references)

    def _noisy(self, posterior: PoolPosterior, n_known: int, part: int) -> Array:
        """Improvement over drawn true values at the measured and chosen candidates."""
        rule = self.acquisition
        assert isinstance(rule, NoisyExpectedImprovement)
        covariance = posterior.rows(np.arange(n_known))[:, :n_known]
        values, vectors = np.linalg.eigh(covariance)
        normal = self.rng(0, part + 1).standard_normal((n_known, rule.n_draws))
        drawn = posterior.mean[:n_known, None] + vectors @ (
            np.sqrt(np.maximum(values, 0.0))[:, None] * (vectors.T @ normal)
        )
        exact = PoolPosterior(
            posterior.points(np.arange(len(posterior))), posterior.kernel, posterior.length_scales,
            amplitude=posterior.amplitude, noise=1e-8 * posterior.amplitude,
        ).condition(np.arange(n_known), np.zeros(n_known))  # fmt: skip
        means = exact.means_of(drawn)[n_known:]
        std = np.sqrt(exact.variance[n_known:])
        return rule.score_all(means, std, self._best_of(drawn) + rule.margin)

    def _best_of(self, drawn: Array) -> Array:
        """Best drawn value of those that may be the best, measured first, then chosen ones."""
        m = len(self.rows)
        return np.asarray(np.concatenate([drawn[:m][self.counts], drawn[m:]]).max(axis=0))
