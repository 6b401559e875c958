"""Where the boundaries between intervals of a measured number run: the least known candidate next."""

from __future__ import annotations

import dataclasses
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import BaseEstimator, Interval
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.records import with_error
from sozai.proposals.censored_results import fit_objective
from sozai.proposals.model_free import farthest_points
from sozai.proposals.phase_goal import PhaseGoal
from sozai.proposals.phase_scores import PhaseScore, as_phase_score
from sozai.proposals.surrogate import Surrogate
from sozai.proposals.unit_cube import unit_cube

__all__ = ["ThresholdProposer", "interval_chances"]

Array = NDArray[np.float64]
_PLACE = "ThresholdProposer"


class ThresholdProposer(BaseEstimator):
    r"""Candidates whose interval of a number is least known, from a Gaussian process of the number.

    Parameters
    ----------
    score : PhaseScore or str, default="least_confident"
        ``"straddle"`` looks at the nearest threshold alone.
    surrogate : Surrogate, optional
        How the process is learned.
    n_start : int, optional
        Results before the first model; as many as descriptors, and one more, when left out.

    Attributes
    ----------
    probabilities_ : ndarray of shape (n_candidates, n_intervals)
        Of the last call with a model.
    mean_, std_ : ndarray of shape (n_candidates,)
        Of the number, or of its logarithm.
    model_ : FittedSurrogate or None

    See Also
    --------
    sozai.proposals.PhaseDiagramProposer : Where only names of phases are known.

    Notes
    -----
    A number says more than the name of its interval. With the posterior mean :math:`\mu` and deviation s of
    the value (or its logarithm) and thresholds :math:`t_1 < \dots < t_K`,

    .. math:: p_k = \Phi\Big(\frac{t_k-\mu}{s}\Big) - \Phi\Big(\frac{t_{k-1}-\mu}{s}\Big),

    and the scores are those of phase diagrams. Results such as ``>1.2`` are bounds of the process. Several at
    once: a chosen or running candidate is pretended to give its mean, which lowers s around it. Units do not
    matter: thresholds and results are scaled alike. Cost of a fit O(m³) with m results, of a further
    candidate O(m N).

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> X = np.linspace(0, 1, 11)[:, None]
    >>> goal = Objective("rate", PhaseGoal([0.5]))
    >>> seen = Observations.of(X, {0: 0.0, 3: 0.3, 10: 1.0}, objectives=[goal])
    >>> [choice.row for choice in ThresholdProposer().propose(seen, 1)]
    [5]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "score": [PhaseScore, str],
        "surrogate": [Surrogate, None],
        "n_start": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        score: Any = "least_confident",
        surrogate: Surrogate | None = None,
        *,
        n_start: int | None = None,
    ) -> None:
        self.score = score
        self.surrogate = surrogate
        self.n_start = n_start

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose candidates, best first.

        Parameters
        ----------
        observations : Observations
            Its first objective has a :class:`PhaseGoal`.
        n : int

        Returns
        -------
        list of Choice

        Raises
        ------
        InputError
            For another goal, or a result that has no logarithm.
        """
        objective = observations.objectives[0]
        if observations.n_objectives != 1:
            raise InputError(
                sentence(_PLACE, "objectives", "be one, with thresholds", observations.n_objectives,
                         remedy="Ask for the thresholds of one property, and leave the others out.")
            )  # fmt: skip
        if not isinstance(objective.goal, PhaseGoal):
            raise InputError(
                sentence(_PLACE, "goal", "be one PhaseGoal", objective.goal,
                         remedy="Write Objective(name, PhaseGoal([...])).")
            )  # fmt: skip
        goal = objective.goal.in_unit(objective.unit)
        score = as_phase_score(self.score, place=_PLACE)
        count = min(int(n), len(observations.open))
        measured = np.flatnonzero(~np.isnan(observations.Y[:, 0]))
        wanted = max(2, observations.X.shape[1] + 1) if self.n_start is None else self.n_start
        self.model_: Any = None
        if not count:
            return []
        if len(measured) < wanted or np.ptp(observations.Y[measured, 0]) == 0:
            return [self._first(pair, len(measured)) for pair in farthest_points(observations, count)]
        Z = unit_cube(observations, place=_PLACE)
        order = measured[np.lexsort(Z[observations.rows[measured]].T[::-1])]
        fitted = fit_objective(
            self.surrogate or Surrogate(), Z, _in_scale(observations, goal), order, 0, int(observations.seed)
        )
        self.model_ = fitted
        posterior = fitted.posterior(Z, observations.rows[order])
        ends = fitted.scale.to_model(goal.to_model(np.array(goal.thresholds)))
        return self._choose(observations, goal, (posterior, ends, fitted.scale), score, count)

    def _choose(
        self, observations: Observations, goal: PhaseGoal, model: Any, score: PhaseScore, count: int
    ) -> list[Choice]:
        """One candidate after the other, each pretended to give its mean."""
        posterior, ends, scale = model
        for row in observations.pending:
            posterior.condition(int(row), float(posterior.mean[row]))
        open_ = observations.is_open
        rng = np.random.default_rng([int(observations.seed), 11])
        fixed = score(np.ones((1, len(open_))), rng=rng) if score.draws else None
        choices: list[Choice] = []
        for step in range(count):
            mean, std = posterior.mean, np.sqrt(np.maximum(posterior.variance, 1e-300))
            p = interval_chances(mean, std, ends)
            scores = score(p, values=(mean, std, ends)) if fixed is None else fixed
            if step == 0:
                user = scale.to_user(mean, std)
                self.probabilities_, self.mean_, self.std_ = np.ascontiguousarray(p.T), *user
            row = int(np.argmax(np.where(open_, scores, -np.inf)))
            choices.append(self._choice(goal, row, float(scores[row]), score))
            open_[row] = False
            if step + 1 < count:
                posterior.condition(row, float(mean[row]))
        return choices

    def _choice(self, goal: PhaseGoal, row: int, value: float, score: PhaseScore) -> Choice:
        """A candidate with its prediction and its sentence."""
        mean, std = float(self.mean_[row]), float(self.std_[row])
        chances = self.probabilities_[row]
        best = np.argsort(-chances, kind="stable")[:2]
        shares = ", ".join(f"{goal.names[k]} {chances[k]:.2f}" for k in best)
        if goal.transform == "log":
            mean, std = float(np.exp(mean)), float(np.exp(mean) * std)
        unit = f" {goal.unit}" if goal.unit else ""
        how = score.words if score.draws else f"Highest {score.words} ({value:.3g})"
        reason = f"{how[0].upper()}{how[1:]}: {shares}; mean {with_error(mean, std)}{unit}."
        return Choice(row, value, np.array([mean]), np.array([std]), reason)

    def _first(self, pair: tuple[int, float], seen: int) -> Choice:
        """A choice before there is a model."""
        nan = np.array([np.nan])
        few = "nothing is measured yet" if not seen else f"{seen} results are too few for a model"
        return Choice(int(pair[0]), float(pair[1]), nan, nan, f"Far from every other candidate: {few}.")


def interval_chances(mean: Array, std: Array, thresholds: Array) -> Array:
    """Probability of every interval at every candidate, shape (n_thresholds + 1, n).

    Examples
    --------
    >>> interval_chances(np.array([0.0]), np.array([1.0]), np.array([0.0])).ravel().tolist()
    [0.5, 0.5]
    """
    below = ndtr((thresholds[:, None] - mean) / std)
    edges = np.vstack([np.zeros(len(mean)), below, np.ones(len(mean))])
    return np.asarray(np.diff(edges, axis=0))


def _in_scale(observations: Observations, goal: PhaseGoal) -> Observations:
    """Results, their noise and the noise of one result in the scale of the model."""
    if goal.transform is None:
        return observations
    values = observations.Y
    bad = values <= 0
    if bad.any():
        k = int(np.argmax(bad[:, 0]))
        raise InputError(
            sentence(_PLACE, "results", "be positive with transform='log'", float(values[k, 0]),
                     at=f"at row {int(observations.rows[k])}", remedy="Tell it as a bound, '<0.01'.")
        )  # fmt: skip
    objective: Any = observations.objectives[0]
    noise = observations.noise
    if objective.noise is not None:
        noise = np.where(noise > 0, noise, objective.noise**2 / np.maximum(observations.counts, 1))
    plain = type(objective)(objective.name, goal, objective.unit)
    return dataclasses.replace(
        observations, Y=np.log(values), noise=noise / values**2, objectives=(plain,),
        replicate_variance=np.full(1, np.nan),
    )  # fmt: skip
