"""Scores of all open candidates when several objectives are modelled, each by a process of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.numerics.fantasy_posterior import FantasyPosterior
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.proposals.acquisition import average_scores
from sozai.proposals.pool_scores import PoolScorer
from sozai.proposals.several_objectives import ParEGO, SeveralAcquisition, SeveralSituation
from sozai.proposals.surrogate import FittedSurrogate, Surrogate

__all__ = ["ParEGOScorer", "SeveralScorer"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Candidates that are scored over all draws and pretended values: best by plain score, most uncertain.
_BEST, _UNCERTAIN = 512, 128


class SeveralScorer:
    """Scores for several objectives; what :class:`~sozai.proposals.pool_scores.PoolScorer` is for one.

    Parameters
    ----------
    fitted : list of FittedSurrogate
    Z : ndarray of shape (N, p)
    rows : ndarray of shape (m,)
        Candidates measured in any objective, in an order of their own.
    own : list of ndarray
        For each objective, the places in ``rows`` where it was measured.
    is_open : ndarray of bool of shape (N,)
    acquisition : SeveralAcquisition
    merits : tuple
    reference : ndarray of shape (l,) or None
        In merits, in the models' units.
    extra : ndarray of shape (N,) or None
    seed : int
    counts : ndarray of bool of shape (m,) or None
        Which of ``rows`` may be on the front.

    Notes
    -----
    The variance of every objective after a measurement does not depend on its value; pretended values
    of one candidate are independent between objectives. Averages take a short list: the 512 best by plain
    score, with deviations already reduced, and the 128 most uncertain. From three objectives on, 16
    pretended values are enough and 64 would only be slow; 8 from four on.
    """

    def __init__(
        self,
        fitted: list[FittedSurrogate],
        Z: Array,
        rows: Rows,
        own: list[Rows],
        is_open: NDArray[np.bool_],
        acquisition: SeveralAcquisition,
        merits: tuple[Any, ...],
        *,
        reference: Array | None = None,
        extra: Array | None = None,
        seed: int = 0,
        counts: NDArray[np.bool_] | None = None,
    ) -> None:
        self.models, self.Z, self.rows, self.own = fitted, Z, rows, own
        self.is_open, self.acquisition, self.merits = is_open.copy(), acquisition, merits
        self.corner, self.extra, self.seed, self.counts = reference, extra, int(seed), counts
        self.posteriors = [model.posterior(Z, rows[at]) for model, at in zip(fitted, own, strict=True)]
        self.mean = np.column_stack([posterior.mean for posterior in self.posteriors])
        self.std = np.sqrt(np.column_stack([posterior.variance for posterior in self.posteriors]))
        self.values = np.full((len(rows), len(fitted)), np.nan)
        for k, (model, at) in enumerate(zip(fitted, own, strict=True)):
            self.values[at, k] = model.target
        self._thetas = self._aligned_draws()
        weights = np.full(len(self._thetas), 1.0 / len(self._thetas))
        self.fitted = SimpleNamespace(draws=SimpleNamespace(weights=weights))
        self._believers: list[FantasyPosterior] = []
        self._believed: list[int] = []
        self.running: list[int] = []

    def _aligned_draws(self) -> list[list[Array]]:
        """Sets of parameters for all objectives, of equal weight."""
        if all(len(model.draws.weights) == 1 for model in self.models):
            return [[model.theta for model in self.models]]
        n = max(len(model.draws.weights) for model in self.models)
        middles = (np.arange(n) + 0.5) / n
        picks = []
        for k, model in enumerate(self.models):
            shares = np.cumsum(model.draws.weights)
            at = np.minimum(np.searchsorted(shares, middles), len(shares) - 1)
            chosen = np.random.default_rng([self.seed & (2**63 - 1), 3, k]).permutation(at)
            picks.append([model.draws.thetas[j] for j in chosen])
        return [list(together) for together in zip(*picks, strict=True)]

    def rng(self, step: int, part: int) -> np.random.Generator:
        """Sub-stream of one member of the batch."""
        return np.random.default_rng([self.seed & (2**63 - 1), 2, step, part])

    def reference(self, mean: Array) -> Any:
        """Front so far, from the posterior means at measured candidates."""
        known = SeveralSituation(self.values, mean, self.merits, self.corner, self.counts)
        return self.acquisition.prepare(known)

    def lie(self, rule: Any) -> Array:
        """Worst, mean or best result of each objective."""
        return np.array([float(rule(model.target)) for model in self.models])

    def close(self, row: int) -> None:
        """Take a candidate out of the race."""
        self.is_open[row] = False

    def finish(self, scores: Array, rows: Rows | None = None) -> Array:
        """Add what is added, and rule out what is not open."""
        if self.extra is not None:
            scores = scores + (self.extra if rows is None else self.extra[rows])
        return np.where(self.is_open if rows is None else self.is_open[rows], scores, -np.inf)

    def deviation(self, chosen: list[int]) -> Array:
        """Standard deviations (N, l) after the chosen ones will have been measured."""
        if not chosen:
            return self.std
        if not self._believers or self._believed != chosen[: len(self._believed)]:
            self._believers, self._believed = [FantasyPosterior(part) for part in self.posteriors], []
        for row in chosen[len(self._believed) :]:
            for believer in self._believers:
                believer.fantasise(row, [0.0])
            self._believed.append(row)
        return np.sqrt(np.column_stack([believer.variance for believer in self._believers]))

    def plain(self, chosen: list[int]) -> Array:
        """Score of every candidate at the most probable parameters, shape (N,)."""
        reference = self.reference(self.mean[self.rows])
        return self.finish(self.acquisition.score(self.mean, self.deviation(chosen), reference))

    def drawn(self, step: int) -> Array:
        """Score of one function drawn for each objective, at every candidate."""
        rng = self.rng(step, 0)
        posteriors = self.posteriors
        if len(self._thetas) > 1:
            thetas = self._thetas[int(rng.integers(len(self._thetas)))]
            posteriors = self._conditioned(self.Z, self.rows, thetas)
        sample = np.column_stack([posterior.sample(1, rng)[0] for posterior in posteriors])
        return self.finish(self.acquisition.score(sample, self.std, self.reference(self.mean[self.rows])))

    def _conditioned(self, points: Array, rows: Rows, thetas: list[Array]) -> list[PoolPosterior]:
        """Posterior of every objective over some points, of which ``rows`` are the measured ones."""
        parts = zip(self.models, self.own, thetas, strict=True)
        return [model.posterior(points, rows[at], theta) for model, at, theta in parts]

    def short_list(self, scores: Array, chosen: list[int]) -> Rows:
        """Open candidates worth an exact score, ascending."""
        if int(self.is_open.sum()) <= _BEST + _UNCERTAIN:
            return np.flatnonzero(self.is_open)
        best = np.argpartition(-scores, _BEST)[:_BEST]
        spread = self.deviation(chosen) / self.std[self.is_open].mean(axis=0)
        wide = np.where(self.is_open, spread.sum(axis=1), -1.0)
        return np.union1d(best, np.argpartition(-wide, _UNCERTAIN)[:_UNCERTAIN])

    def averaged(self, listed: Rows, chosen: list[int], n_values: int, lie: Any = None) -> Array:
        """Score of listed candidates, averaged over parameters and over values of the chosen ones.

        Parameters
        ----------
        listed : ndarray of shape (k,)
        chosen : list of int
        n_values : int
            Pretended values of each; at most 16 for three objectives, 8 for more.
        lie : ndarray of shape (l,), optional
            One set of values for all, in place of pretended ones.

        Returns
        -------
        ndarray of shape (k,)
        """
        points = self.Z[np.concatenate([self.rows, np.array(chosen, dtype=np.int64), listed])]
        most = {1: n_values, 2: n_values, 3: 16}.get(len(self.models), 8)
        each = 1 if lie is not None else max(min(n_values, most) // len(self._thetas), 4)
        scores = [
            self._score_one(points, len(chosen), each, part, thetas, lie)
            for part, thetas in enumerate(self._thetas)
        ]
        weights = self.fitted.draws.weights
        return self.finish(average_scores(np.array(scores), weights, log=self.acquisition.is_log), listed)

    def _score_one(
        self, points: Array, n_chosen: int, n_values: int, part: int, thetas: list[Array], lie: Any
    ) -> Array:
        """Scores at one set of parameters; the points are measured, chosen, listed."""
        n, rule = len(self.rows), self.acquisition
        posteriors = self._conditioned(points, np.arange(n), thetas)
        reference = rule.prepare(
            SeveralSituation(
                self.values, np.column_stack([p.mean[:n] for p in posteriors]), self.merits, self.corner,
                self.counts,
            )
        )  # fmt: skip
        after = n + n_chosen
        if not n_chosen:
            std = np.sqrt(np.column_stack([p.variance[after:] for p in posteriors]))
            return rule.score(np.column_stack([p.mean[after:] for p in posteriors]), std, reference)
        pretended = [FantasyPosterior(posterior) for posterior in posteriors]
        references = [reference] * n_values
        for step in range(n_chosen):
            at = n + step
            for k, (fantasy, posterior) in enumerate(zip(pretended, posteriors, strict=True)):
                if lie is None:
                    rng = self.rng(step, 1 + part * len(posteriors) + k)
                    draws = rng.standard_normal(n_values)
                else:
                    spread = np.sqrt(fantasy.variance[at] + posterior.noise)
                    draws = (lie[k] - fantasy.means[at, :1]) / spread
                fantasy.fantasise(at, draws)
            means = np.column_stack([fantasy.means[at] for fantasy in pretended])
            references = [rule.follow_one(one, mean) for one, mean in zip(references, means, strict=True)]
        std = np.sqrt(np.column_stack([fantasy.variance[after:] for fantasy in pretended]))
        columns = [
            rule.score(np.column_stack([f.means[after:, h] for f in pretended]), std, references[h])
            for h in range(n_values)
        ]
        return average_scores(np.array(columns), np.full(n_values, 1.0 / n_values), log=rule.is_log)


class ParEGOScorer(SeveralScorer):
    """Scores of weighted objectives: for every member of a batch a process of one number.

    Parameters
    ----------
    surrogate : Surrogate
        How that number is modelled.
    *arguments, **options
        As for :class:`SeveralScorer`.

    Attributes
    ----------
    weights : dict of int to ndarray of shape (l,)
        Of the objectives, for each member of a batch so far.
    """

    def __init__(self, surrogate: Surrogate, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.surrogate = surrogate
        self._scorers: dict[int, PoolScorer] = {}
        self.weights: dict[int, Array] = {}

    def _scorer(self, step: int) -> PoolScorer:
        """Scorer of one member's weights."""
        if step not in self._scorers:
            rule = self.acquisition
            assert isinstance(rule, ParEGO)
            weights = self.weights[step] = self.rng(step, 0).dirichlet(np.ones(len(self.models)))
            at = self.mean[self.rows]
            missing = np.isnan(self.values)
            values = np.where(missing, at, self.values)
            known = np.zeros_like(values)
            for k, (model, own) in enumerate(zip(self.models, self.own, strict=True)):
                known[own, k] = model.known_noise
            known = np.where(missing, self.std[self.rows] ** 2, known)
            situation = SeveralSituation(values, at, self.merits)
            merits = situation.merit(values)
            y = rule.scalarize(merits, weights)
            noise = (rule.slopes(merits, weights) ** 2 * known).sum(axis=1)
            fitted = self.surrogate.fit(self.Z[self.rows], y, known_noise=noise, seed=self.seed + step)
            self._scorers[step] = PoolScorer(
                fitted, self.Z, self.rows, self.is_open, rule, extra=self.extra, seed=self.seed + step,
                counts=self.counts,
            )  # fmt: skip
            self.fitted = SimpleNamespace(draws=fitted.draws)
        scorer = self._scorers[step]
        scorer.is_open = self.is_open
        return scorer

    def point_scorer(self, step: int) -> PoolScorer:
        """Scorer of one number, for one member of a batch."""
        scorer = self._scorer(step)
        scorer.running = self.running
        return scorer

    def plain(self, chosen: list[int]) -> Array:
        """Score of every candidate with the weights of this member."""
        return self._scorer(len(chosen)).plain(chosen)

    def short_list(self, scores: Array, chosen: list[int]) -> Rows:
        """Open candidates worth an exact score, ascending."""
        return self._scorer(len(chosen)).short_list(scores, chosen)

    def averaged(self, listed: Rows, chosen: list[int], n_values: int, lie: Any = None) -> Array:
        """Score of listed candidates, averaged over parameters and over values of the chosen ones."""
        scorer = self._scorer(len(chosen))
        lie = None if lie is None else float(scorer.fitted.target.mean())
        return scorer.averaged(listed, chosen, n_values, lie)

    def drawn(self, step: int) -> Array:
        """One drawn function of the weighted objectives."""
        return self._scorer(step).drawn(step)
