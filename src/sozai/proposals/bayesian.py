"""The proposer that learns: a Gaussian process of the results so far, and the candidate it hopes most of."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import BaseEstimator, Interval, NotFittedError, StrOptions
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.records import Proposal
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.proposals.acquisition import (
    Acquisition,
    ExpectedImprovement,
    RangeProbability,
    TargetImprovement,
    Variance,
    as_acquisition,
)
from sozai.proposals.base import AskTell
from sozai.proposals.batch import Fantasies, as_batch
from sozai.proposals.censored_results import fit_objective, objective_results
from sozai.proposals.model_free import farthest_points
from sozai.proposals.objectives import Range, Target
from sozai.proposals.outcomes import Constraint, Feasibility, LearnedCost, Weighted, weigh
from sozai.proposals.pool_scores import PoolScorer
from sozai.proposals.proposal_reasons import reason_for_one, score_words
from sozai.proposals.several_proposing import explain_several, is_several, propose_several, several_rules
from sozai.proposals.space import Space
from sozai.proposals.space_search import propose_in_space
from sozai.proposals.surrogate import FittedSurrogate, Surrogate
from sozai.proposals.unit_cube import unit_cube

__all__ = ["BayesianProposer"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

_PLACE = "BayesianProposer.propose"


@dataclass(eq=False)
class _Memory:
    """The last fit and its posterior, used again when ``refit`` allows it."""

    Z: Array
    rows: Rows
    values: Array
    noise: Array
    counts: Array
    fitted: FittedSurrogate
    n_fitted: int
    posterior: PoolPosterior
    objective: tuple[Any, ...]


class BayesianProposer(AskTell, BaseEstimator):  # type: ignore[misc]
    r"""Which candidate next, by a Gaussian process over the whole list.

    Parameters
    ----------
    acquisition : Acquisition, str or None
        Score of a candidate. None: :class:`~sozai.proposals.acquisition.ExpectedImprovement` for goals
        "maximize" and "minimize", ``TargetImprovement`` for targets, ``RangeProbability`` for ranges.
        Strings: ``"ei"``, ``"nei"``, ``"pi"``, ``"ucb"``, ``"ts"``, ``"variance"``. For several objectives
        :class:`~sozai.proposals.several_objectives.ExpectedHypervolumeImprovement`, or ``"ehvi"``,
        ``"hvpi"``, ``"ts"``, ``"parego"``, ``"rank"``.
    batch : Batch or str, default=Fantasies(64)
        How running and already chosen candidates count: ``"fantasies"``, ``"liar"``, ``"penalty"``,
        ``"top"``, ``"thompson"``.
    surrogate : Surrogate, optional
        Kernel, noise, priors, transform, averaging over parameters.
    n_start : int, optional
        Results from which the model takes over; before, candidates far from all others are proposed.
        ``max(2, n_descriptors + 1)`` when left out.
    outcomes : "auto" or sequence, default="auto"
        Objects with ``log_weight(observations) -> (n_candidates,)``, added to the score:
        :class:`~sozai.proposals.outcomes.SuccessProbability`, ``Constraint``, ``LearnedCost``. ``"auto"``
        is the probability of success once an experiment has failed.
    cost_weight : float or "auto", default="auto"
        Power of the cost in a score that is a logarithm: :math:`\log EI - a\log c`. ``"auto"`` is 1, or
        falls from 1 to 0 with the spent share of ``budget``.
    budget : float, optional
        In the unit of the cost.
    refit : int, default=1
        New results after which the parameters are learned again. 1 makes every proposal a function of the
        results alone; larger ones keep the last fit in this object and add results to it one by one.
    space : Space, optional
        :class:`~sozai.proposals.spaces.Box`, ``Mixture``, ``Product``: points of it are proposed in place of
        candidates of a list. Begin with ``open(objectives="Tc [K]")``.
    random_state : int, default=0
        Added to the sub-stream of the round.

    Attributes
    ----------
    gp_ : list of FittedSurrogate
        One for each objective, from the last proposal; empty before the model took over.
    posterior_ : PoolPosterior
        In the model's unit; a list of them for several objectives.
    scores_ : ndarray of shape (n_candidates,)
        Plain scores of the first member, minus infinity where not open.
    hyper_status_ : tuple of str
        Parameters at their bounds, and what that means.
    incumbent_ : float
        Best posterior mean at a measured candidate, in the user's unit; for one objective.
    front_ : ndarray of shape (f, l)
        For several objectives: the front so far in posterior means, in the user's units.
    reference_ : ndarray of shape (l,)
        For several objectives: the reference point, in the user's units.

    See Also
    --------
    sozai.proposals.campaign.Campaign : Keeps the results, and hands them over.
    sozai.proposals.model_free.RandomProposer : What every model must beat.

    Notes
    -----
    Minimization is maximization of the negative: the model always climbs, and the answers are the same.
    Results are put in an order of their own before they are used, so neither the order of the candidates
    nor that of the results changes a proposal. ``propose(o, n + 1)`` begins with ``propose(o, n)``.

    One proposal costs :math:`O(n^3)` for about 60 evaluations of the evidence and :math:`O(n^2 N)` for
    the list; a member of a batch :math:`O(nN)` more.

    References
    ----------
    .. [1] D. R. Jones, M. Schonlau, W. J. Welch, Efficient global optimization of expensive black-box
       functions, J. Glob. Optim. 13, 455 (1998).
    .. [2] K. Terayama, M. Sumita, R. Tamura, K. Tsuda, Black-box optimization for automated discovery,
       Acc. Chem. Res. 54, 1334 (2021).

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> x = np.linspace(0, 1, 101)
    >>> y = np.sin(5 * x) + x
    >>> seen = Observations.of(x[:, None], {k: y[k] for k in (0, 30, 70, 100)}, objectives=[Objective("y")])
    >>> proposer = BayesianProposer()
    >>> choice, = proposer.propose(seen, 1)
    >>> bool(abs(x[choice.row] - x[y.argmax()]) < 0.1)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "acquisition": [Acquisition, str, None],
        "n_start": [Interval(Integral, 1, None, closed="left"), None],
        "cost_weight": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "budget": [Interval(Real, 0, None, closed="neither"), None],
        "refit": [Interval(Integral, 1, None, closed="left")],
        "space": [Space, None],
        "random_state": [Integral],
        "surrogate": [Surrogate, None],
        "outcomes": [list, tuple, StrOptions({"auto"})],
    }

    def __init__(
        self,
        acquisition: Any = None,
        batch: Any = Fantasies(64),  # noqa: B008 - frozen
        *,
        surrogate: Surrogate | None = None,
        n_start: int | None = None,
        outcomes: Any = "auto",
        cost_weight: float | str = "auto",
        budget: float | None = None,
        refit: int = 1,
        space: Space | None = None,
        random_state: int = 0,
    ) -> None:
        self.acquisition = acquisition
        self.batch = batch
        self.surrogate = surrogate
        self.n_start = n_start
        self.outcomes = outcomes
        self.cost_weight = cost_weight
        self.budget = budget
        self.refit = refit
        self.space = space
        self.random_state = random_state

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose candidates, best first.

        Parameters
        ----------
        observations : Observations
        n : int

        Returns
        -------
        list of Choice
            Fewer than ``n``, with a warning, when fewer are open.

        Raises
        ------
        InputError
            For ``n`` below 1, and descriptors that are not finite.
        """
        self._check_parameters()
        self._check_rules(observations)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise InputError(sentence(_PLACE, "n", "be a whole number of 1 or more", n))
        if self.space is not None:
            self.gp_, self.hyper_status_ = [], ()
            return propose_in_space(self, self.space, observations, int(n))
        left = int(observations.is_open.sum())
        if left < n:
            warnings.warn(
                f"{_PLACE}: {left} of {n} candidates: no more are open."
                if left
                else f"{_PLACE}: no candidate is open; nothing is proposed.",
                UserWarning,
                stacklevel=2,
            )
        self.gp_, self.hyper_status_ = [], ()
        for name in ("posterior_", "scores_", "incumbent_", "front_", "reference_"):
            self.__dict__.pop(name, None)
        count = min(int(n), left)
        if not count:
            return []
        return self._propose_over(observations, unit_cube(observations, place=_PLACE), count)

    def _check_parameters(self) -> None:
        """Refuse wrong parameters; those of the last proposal are known to be right."""
        given = {name: value for name, value in vars(self).items() if name[0] != "_" != name[-1]}
        known = self.__dict__.get("_checked", {})
        if given.keys() != known.keys() or any(known[name] is not value for name, value in given.items()):
            self._validate_params()
            self._checked = given

    def _check_rules(self, observations: Observations) -> None:
        """Refuse an acquisition or a batch rule that the model could not use, before there is a model."""
        outcomes = () if isinstance(self.outcomes, str) else self.outcomes
        weighing = {o.name for o in outcomes if isinstance(o, (Constraint, LearnedCost))}
        kept = [o for o in observations.objectives if o.name not in weighing]
        if len(kept) > 1 or is_several(self.acquisition):
            several_rules(self)
        elif kept:
            as_batch(self.batch, place="BayesianProposer").rule(self._rule(kept[0].goal))

    def _propose_over(self, observations: Observations, Z: Array, count: int) -> list[Choice]:
        """Choose among candidates whose place in the unit cube is known."""
        self._scorer_used: Any = None
        measured = ~np.isnan(observations.Y).all(axis=1)
        wanted = max(2, Z.shape[1] + 1) if self.n_start is None else self.n_start
        if measured.sum() < wanted or not Z.shape[1]:
            return [_first(observations, *pair) for pair in farthest_points(observations, count)]
        weighted = weigh(observations, self.outcomes, Z)
        seen = weighted.observations
        if seen.n_objectives > 1 or is_several(self.acquisition):
            choices = propose_several(self, weighted, Z, count)
        elif (~np.isnan(seen.Y[:, 0])).sum() < 2:
            choices = [_first(seen, *pair) for pair in farthest_points(seen, count)]
        else:
            scorer = self._scorer(weighted, Z, ~np.isnan(seen.Y[:, 0]))
            choices = self._choose(seen, scorer, count)
        return weighted.complete(choices)

    # --- the model -----------------------------------------------------------------------------------

    def _scorer(self, weighted: Weighted, Z: Array, measured: NDArray[np.bool_]) -> PoolScorer:
        """Fit, condition, and everything that scores."""
        observations = weighted.observations
        goal = observations.objectives[0].goal
        order = np.flatnonzero(measured)
        order = order[_own_order(Z, observations, order)]
        seed = int(observations.seed) + int(self.random_state)
        fitted, rows, posterior = self._fitted(observations, Z, order, seed)
        self._fit, self._names = fitted, observations.names
        self.gp_, self.posterior_ = [fitted], posterior
        self.hyper_status_ = fitted.status(observations.names)
        asked = rule = as_batch(self.batch, place="BayesianProposer").rule(self._rule(goal))
        if np.ptp(fitted.target) == 0 and not isinstance(goal, (Target, Range)):
            rule = Variance()
        rule = Feasibility() if weighted.only_feasibility else rule
        power = self._cost_power(observations) if rule.is_log else 0.0
        words = score_words(rule, weighted, self.outcomes, power)
        is_flat = isinstance(rule, Variance) and not isinstance(asked, Variance)
        self._words = None if is_flat else f"{'best' if rule.draws else 'highest'} {words}"
        scale = fitted.scale
        target = float(scale.to_model(np.array([goal.value]))[0]) if isinstance(goal, Target) else None
        span = None
        if isinstance(goal, Range):
            ends = [float(scale.to_model(np.array([end]))[0]) for end in (goal.low, goal.high)]
            span = (ends[0], ends[1])
        return PoolScorer(
            fitted, Z, rows, observations.is_open, rule, seed=seed, goal=(target, span), posterior=posterior,
            extra=self._extra(observations, rule, weighted.log_weight),
            counts=None if weighted.counts is None else weighted.counts[order],
        )  # fmt: skip

    def _rule(self, goal: Any) -> Acquisition:
        """Acquisition of a goal."""
        if self.acquisition is None:
            if isinstance(goal, Target):
                return TargetImprovement()
            return RangeProbability() if isinstance(goal, Range) else ExpectedImprovement()
        rule = as_acquisition(self.acquisition, place="BayesianProposer")
        climbs = not isinstance(rule, (TargetImprovement, RangeProbability, Variance))
        if climbs == isinstance(goal, (Target, Range)) and not isinstance(rule, Variance):
            raise InputError(
                sentence("BayesianProposer", "acquisition", f"fit the goal {goal!r}", rule,
                         remedy="Leave it out: the goal chooses one.")
            )  # fmt: skip
        return rule

    def _fitted(
        self, observations: Observations, Z: Array, order: Rows, seed: int
    ) -> tuple[FittedSurrogate, Rows, PoolPosterior]:
        """Surrogate, measured rows in its order, and their posterior over all candidates."""
        memory = self._remembered(observations, Z, order)
        if memory is not None:
            return self._extended(memory, observations, order)
        objective, rows = observations.objectives[0], observations.rows[order]
        values, noise, counts = objective_results(observations, order, 0)
        given = self.__dict__.get("_given")
        fitted = given[0] if given else fit_objective(
            self.surrogate or Surrogate(), Z, observations, order, 0, seed
        )  # fmt: skip
        posterior = fitted.posterior(Z, rows)
        self.__dict__.pop("_memory", None)
        if self.refit > 1 and not given and not observations.censored.any():
            self._memory = _Memory(
                Z, rows, values, noise, counts, fitted, len(rows), posterior,
                (objective.name, repr(objective.goal)),
            )  # fmt: skip
        return fitted, rows, posterior

    def _remembered(self, observations: Observations, Z: Array, order: Rows) -> _Memory | None:
        """The last fit, if its results are all still there and few are new."""
        memory: _Memory | None = getattr(self, "_memory", None)
        objective = observations.objectives[0]
        if memory is None or self.refit == 1 or len(order) - memory.n_fitted >= self.refit:
            return None
        if observations.censored.any():
            return None
        same_list = memory.Z is Z or np.array_equal(memory.Z, Z)
        if not same_list or memory.objective != (objective.name, repr(objective.goal)):
            return None
        at = np.minimum(np.searchsorted(observations.rows, memory.rows), len(observations.rows) - 1)
        if (observations.rows[at] != memory.rows).any():
            return None
        now = objective_results(observations, at, 0)
        kept = (memory.values, memory.noise, memory.counts)
        return memory if all(np.array_equal(a, b) for a, b in zip(now, kept, strict=True)) else None

    def _extended(
        self, memory: _Memory, observations: Observations, order: Rows
    ) -> tuple[FittedSurrogate, Rows, PoolPosterior]:
        """The last posterior with the new results added one by one."""
        rows = observations.rows[order]
        old = set(memory.rows.tolist())
        new = order[[int(row) not in old for row in rows]]
        if len(new):
            values, noise, counts = objective_results(observations, new, 0)
            scale, fitted = memory.fitted.scale, memory.fitted
            known = noise / scale.spread**2
            target = scale.to_model(values)
            memory.posterior.condition(observations.rows[new], target, known, replicates=counts)
            memory.fitted = fitted.with_results(
                np.append(fitted.target, target), np.append(fitted.known_noise, known),
                np.append(fitted.counts, counts),
            )  # fmt: skip
            memory.rows = np.append(memory.rows, observations.rows[new])
            memory.values = np.append(memory.values, values)
            memory.noise, memory.counts = np.append(memory.noise, noise), np.append(memory.counts, counts)
        return memory.fitted, memory.rows, memory.posterior

    def _extra(self, observations: Observations, rule: Acquisition, total: Array | None) -> Array | None:
        """What is added to every score: the weights of the outcomes, and the cost."""
        if observations.cost is None:
            return total
        if not rule.is_log:
            warnings.warn(
                f"BayesianProposer: the {rule.label} is no logarithm, so the cost has no place in it. "
                "Use ExpectedImprovement().",
                ConvergenceWarning,
                stacklevel=4,
            )
            return total
        weight = self._cost_power(observations) * np.log(observations.cost)
        return -weight if total is None else total - weight

    def _cost_power(self, observations: Observations) -> float:
        """Power of the cost; 0 where there is none."""
        if observations.cost is None:
            return 0.0
        if self.cost_weight != "auto":
            return float(self.cost_weight)
        if self.budget is None:
            return 1.0
        used = np.concatenate([observations.rows, observations.failed, observations.pending])
        counts = np.ones(len(used))
        counts[: len(observations.rows)] = np.maximum(observations.counts.max(axis=1), 1)
        return float(np.clip(1.0 - (observations.cost[used] * counts).sum() / self.budget, 0.0, 1.0))

    # --- the choice ----------------------------------------------------------------------------------

    def _choose(self, observations: Observations, scorer: PoolScorer, n: int) -> list[Choice]:
        """Greedy choice of n candidates."""
        batch = as_batch(self.batch, place="BayesianProposer")
        chosen = [int(row) for row in observations.pending]
        self.incumbent_ = self._incumbent(scorer)
        self._scorer_used, scorer.running = scorer, list(chosen)
        choices = []
        for step in range(n):
            rows, scores = batch.scores(scorer, chosen)
            if step == 0:
                self.scores_ = scores if len(scores) == len(scorer.Z) else scorer.plain(chosen)
            k = int(np.argmax(scores))
            row = int(rows[k])
            choices.append(self._choice(observations, scorer, row, float(scores[k]), after=step))
            chosen.append(row)
            scorer.close(row)
        return choices

    def _incumbent(self, scorer: PoolScorer) -> float:
        """Best posterior mean at a measured candidate, in the user's unit."""
        rows = scorer.rows[scorer.counts]
        measured = scorer.mean[rows]
        target, span = scorer.goal
        if target is not None:
            k = int(np.argmin(np.abs(measured - target)))
        elif span is not None:
            k = int(np.argmin(np.maximum(np.maximum(span[0] - measured, measured - span[1]), 0.0)))
        else:
            k = int(np.argmax(measured))
        mean, _ = self._fit.scale.to_user(measured[k : k + 1], scorer.std[rows[k : k + 1]])
        return float(mean[0])

    def _choice(
        self, observations: Observations, scorer: PoolScorer, row: int, score: float, *, after: int
    ) -> Choice:
        """One candidate with its prediction and its sentence, ``after`` so many others."""
        mean, std = self._fit.scale.to_user(scorer.mean[row : row + 1], scorer.std[row : row + 1])
        reason = "All results are equal: the candidate about which least is known."
        if self._words is not None:
            words = f"{'of those left, the ' if after else ''}{self._words}"
            words = words[0].upper() + words[1:]
            told = float(mean[0]), float(std[0])
            reason = reason_for_one(observations, scorer, row, told, self.incumbent_, words)
        return Choice(row, score, mean, std, reason)

    def predict(self, rows: Any, *, level: float = 0.9, n_draws: int = 32) -> pd.DataFrame:
        """New results at some candidates, from the model of the last call, its parameters uncertain too.

        Parameters
        ----------
        rows : array-like of int
            Candidates.
        level : float, default=0.9
            Share of new results that the intervals are to hold.
        n_draws : int, default=32
            Draws of the parameters.

        Returns
        -------
        DataFrame
            row, mean, std, low, high: one new result, noise included, in the user's unit.

        Raises
        ------
        NotFittedError
            Before a proposal of the model.
        InputError
            For a level outside (0, 1), rows that do not exist, and several objectives.
        """
        if not getattr(self, "gp_", []):
            raise NotFittedError(
                sentence("BayesianProposer.predict", "a proposal of the model", "have been made",
                         remedy="Call propose or ask first.")
            )  # fmt: skip
        if isinstance(self.posterior_, list):
            raise InputError(
                sentence("BayesianProposer.predict", "the model", "have one objective", len(self.gp_),
                         remedy="Use gp_[k].predict_rows(posterior_[k], rows) of each.")
            )  # fmt: skip
        if not 0 < level < 1:
            raise InputError(sentence("BayesianProposer.predict", "level", "lie between 0 and 1", level))
        posterior, wanted = self.posterior_, np.atleast_1d(np.asarray(rows))
        outside = (wanted < 0) | (wanted >= len(posterior))
        if wanted.dtype.kind not in "iu" or outside.any():
            last = len(posterior) - 1
            bad = wanted if wanted.dtype.kind not in "iu" else int(wanted[outside][0])
            raise InputError(
                sentence("BayesianProposer.predict", "rows", f"be candidates (0 to {last})", bad)
            )
        found = self._fit.predict_rows(
            posterior, wanted, level=level, n_draws=n_draws, seed=int(self.random_state)
        )
        parts = {name: getattr(found, name) for name in ("mean", "std", "low", "high")}
        return pd.DataFrame({"row": wanted} | parts)

    def explain(self, proposal: Choice | Proposal | int, n: int = 5) -> pd.DataFrame:
        """What a proposal of the last call rests on: the nearest measured candidates.

        Parameters
        ----------
        proposal : Choice, Proposal or int
            Or the row of any candidate.
        n : int, default=5
            Measured candidates.

        Returns
        -------
        DataFrame
            First the candidate, then the measured ones, nearest first: row, distance in length scales,
            mean, std (user's unit), score, and result (NaN for the candidate).

        Raises
        ------
        NotFittedError
            Before a proposal of the model.
        """
        if not getattr(self, "gp_", []):
            raise NotFittedError(
                sentence("BayesianProposer.explain", "a proposal of the model", "have been made",
                         remedy="Call propose or ask first.")
            )  # fmt: skip
        if isinstance(self.posterior_, list):
            return explain_several(self, proposal, n)
        row = proposal if isinstance(proposal, (int, np.integer)) else getattr(proposal, "row", None)
        row = int(proposal.index if row is None else row)  # type: ignore[union-attr, arg-type]
        posterior, fit = self.posterior_, self._fit
        steps = (posterior.points(posterior.observed) - posterior.points([row])) / fit.length_scales
        distance = np.sqrt((steps**2).sum(axis=1))
        near = np.argsort(distance, kind="stable")[:n]
        rows = np.concatenate([[row], posterior.observed[near]])
        mean, std = fit.scale.to_user(posterior.mean[rows], np.sqrt(posterior.variance[rows]))
        return pd.DataFrame(
            {
                "row": rows,
                "distance": np.concatenate([[0.0], distance[near]]),
                "mean": mean,
                "std": std,
                "score": self.scores_[rows],
                "result": np.concatenate([[np.nan], fit.scale.value(fit.target[near])]),
            }
        )


def _own_order(Z: Array, observations: Observations, order: Rows) -> Rows:
    """Order of measured rows by their descriptors, whatever their places in the list."""
    rows = observations.rows[order]
    return np.lexsort(np.column_stack([Z[rows], observations.X[rows]]).T[::-1])


def _first(observations: Observations, row: int, distance: float) -> Choice:
    """A choice before there is a model."""
    nan = np.full(observations.n_objectives, np.nan)
    seen = int((~np.isnan(observations.Y)).any(axis=1).sum())
    few = "nothing is measured yet" if not seen else f"{seen} results are too few for a model"
    where = "near the middle" if np.isinf(distance) else "farthest from every point measured or running"
    return Choice(int(row), float(distance), nan, nan, f"Fills the list, {where}: {few}.")
