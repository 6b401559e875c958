"""From results in several columns to proposals: a process for each column, one front, one score."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.records import with_error
from sozai.proposals.acquisition import Acquisition
from sozai.proposals.batch import Batch, LocalPenalty, as_batch
from sozai.proposals.censored_results import fit_objective
from sozai.proposals.model_free import farthest_points
from sozai.proposals.objectives import Range, Target
from sozai.proposals.outcomes import Weighted
from sozai.proposals.pareto import Climb, Near, Within, nondominated
from sozai.proposals.proposal_reasons import score_words
from sozai.proposals.several_objectives import (
    MOST_BOXES,
    ExpectedHypervolumeImprovement,
    Front,
    HypervolumeThompson,
    ParEGO,
    SeveralAcquisition,
    SeveralSituation,
    as_several,
)
from sozai.proposals.several_scores import ParEGOScorer, SeveralScorer
from sozai.proposals.surrogate import FittedSurrogate, Surrogate

__all__ = ["explain_several", "is_several", "propose_several", "several_rules"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

_PLACE = "BayesianProposer.propose"


def is_several(acquisition: Any) -> bool:
    """Whether an acquisition is one of several objectives, even if there is one only.

    Examples
    --------
    >>> is_several("ehvi"), is_several("ei"), is_several(ExpectedHypervolumeImprovement())
    (True, False, True)
    """
    by_name = isinstance(acquisition, str) and acquisition.lower() in ("ehvi", "hvpi", "parego", "rank")
    return by_name or isinstance(acquisition, SeveralAcquisition)


def propose_several(proposer: Any, weighted: Weighted, Z: Array, n: int) -> list[Choice]:
    """Choose candidates by several objectives; the proposer's settings, and its attributes are set.

    Parameters
    ----------
    proposer : BayesianProposer
    weighted : Weighted
        Observations and weights.
    Z : ndarray of shape (N, p)
    n : int
        At most as many as are open.

    Returns
    -------
    list of Choice
    """
    seen = weighted.observations
    _, batch = several_rules(proposer)
    used = _usable(seen)
    if not used:
        return [_filling(seen, row, distance) for row, distance in farthest_points(seen, n)]
    scorer = _scorer(proposer, weighted, Z, used)
    _describe(proposer, scorer, used)
    power = proposer._cost_power(seen) if scorer.acquisition.is_log else 0.0
    words = score_words(scorer.acquisition, weighted, proposer.outcomes, power)
    chosen = [int(row) for row in seen.pending]
    proposer._scorer_used, scorer.running = scorer, list(chosen)
    choices = []
    for step in range(n):
        rows, scores = batch.scores(scorer, chosen)  # type: ignore[arg-type]
        if step == 0:
            proposer.scores_ = scores if len(scores) == len(Z) else scorer.plain(chosen)
        k = int(np.argmax(scores))
        row = int(rows[k])
        how = f"Highest {words}{_weights(scorer, len(chosen), seen, used)}"
        choices.append(_choice(seen, proposer, scorer, used, row, float(scores[k]), how))
        chosen.append(row)
        scorer.close(row)
    return choices


def several_rules(proposer: Any) -> tuple[Acquisition, Batch]:
    """Acquisition and batch rule of a proposer, if they serve several objectives.

    Parameters
    ----------
    proposer : BayesianProposer

    Returns
    -------
    Acquisition, Batch
    """
    rule = as_several(proposer.acquisition, place="BayesianProposer")
    batch = as_batch(proposer.batch, place="BayesianProposer")
    if isinstance(batch, LocalPenalty):
        raise InputError(
            sentence("BayesianProposer", "batch", "serve several objectives", batch,
                     remedy="Use Fantasies() or Thompson().")
        )  # fmt: skip
    return batch.rule(rule), batch


def _weights(scorer: SeveralScorer, step: int, seen: Observations, used: list[int]) -> str:
    """Weights of the objectives, where one number is made of them."""
    if not isinstance(scorer, ParEGOScorer):
        return ""
    pairs = zip(scorer.weights[step], used, strict=True)
    return f" (weights {', '.join(f'{weight:.2g} {seen.objectives[k].name}' for weight, k in pairs)})"


def _usable(seen: Observations) -> list[int]:
    """Objectives with at least two results; the others are named in a warning."""
    counts = (~np.isnan(seen.Y)).sum(axis=0)
    used = [int(k) for k in np.flatnonzero(counts >= 2)]
    if len(used) < len(counts):
        names = ", ".join(
            f"{objective.name!r} ({counts[k]} result{'' if counts[k] == 1 else 's'})"
            for k, objective in enumerate(seen.objectives)
            if k not in used
        )
        warnings.warn(
            f"{_PLACE}: {names} has fewer than 2 results and is left out of the score. Measure it twice.",
            ConvergenceWarning,
            stacklevel=5,
        )
    return used


def _scorer(proposer: Any, weighted: Weighted, Z: Array, used: list[int]) -> SeveralScorer:
    """Fit every objective, and everything that scores."""
    seen = weighted.observations
    seed = int(seen.seed) + int(proposer.random_state)
    order = np.flatnonzero(~np.isnan(seen.Y[:, used]).all(axis=1))
    order = order[np.lexsort(np.column_stack([Z, seen.X])[seen.rows[order]].T[::-1])]
    surrogate = proposer.surrogate or Surrogate()
    own = [np.flatnonzero(~np.isnan(seen.Y[order, k])) for k in used]
    fitted = proposer.__dict__.get("_given") or [
        fit_objective(surrogate, Z, seen, order[at], k, seed) for k, at in zip(used, own, strict=True)
    ]
    proposer.gp_ = fitted
    proposer.hyper_status_ = tuple(
        f"{seen.objectives[k].name}: {word}"
        for k, model in zip(used, fitted, strict=True)
        for word in model.status(seen.names)
    )
    rule: Any = several_rules(proposer)[0]
    merits = tuple(_merit(seen.objectives[k], model) for k, model in zip(used, fitted, strict=True))
    corner = _corner(rule, seen, used, fitted)
    options: dict[str, Any] = {
        "reference": corner, "seed": seed, "extra": proposer._extra(seen, rule, weighted.log_weight),
        "counts": None if weighted.counts is None else weighted.counts[order],
    }  # fmt: skip
    parts = (fitted, Z, seen.rows[order], own, seen.is_open, rule, merits)
    if isinstance(rule, ParEGO):
        return ParEGOScorer(surrogate, *parts, **options)
    scorer = SeveralScorer(*parts, **options)
    front = scorer.reference(scorer.mean[scorer.rows])
    if isinstance(front, Front):
        _check_front(front, scorer, seen, used)
        if front.boxes is None and not rule.draws:
            warnings.warn(
                f"{_PLACE}: the space above a front of {len(front.points)} points in {len(used)} objectives "
                f"has more than {MOST_BOXES} boxes; functions are drawn instead. Use ParEGO().",
                ConvergenceWarning,
                stacklevel=5,
            )
            scorer.acquisition = HypervolumeThompson(rule.reference, rule.incumbent)
    return scorer


def _merit(objective: Any, model: FittedSurrogate) -> Any:
    """Merit of an objective in its model's unit."""
    goal, scale = objective.goal, model.scale
    if isinstance(goal, Target):
        return Near(float(scale.to_model(np.array([goal.value]))[0]))
    if isinstance(goal, Range):
        low, high = (float(scale.to_model(np.array([end]))[0]) for end in (goal.low, goal.high))
        return Within(low, high)
    if isinstance(goal, str):
        return Climb()
    raise InputError(
        sentence("BayesianProposer", "goal", "be 'maximize', 'minimize', Target or Range", goal,
                 at=f"for {objective.name!r}")
    )  # fmt: skip


def _corner(rule: Any, seen: Observations, used: list[int], fitted: list[FittedSurrogate]) -> Array | None:
    """The user's reference point in merits and model units."""
    given = getattr(rule, "reference", None)
    if given is None:
        return None
    if len(given) != seen.n_objectives:
        raise InputError(
            sentence(type(rule).__name__, "reference", f"have {seen.n_objectives} numbers, one per objective",
                     list(given), remedy="Give the worst acceptable value of each.")
        )  # fmt: skip
    corner = []
    for k, model in zip(used, fitted, strict=True):
        if isinstance(seen.objectives[k].goal, (Target, Range)):
            corner.append(-abs(given[k]) / model.scale.spread)
        else:
            corner.append(float(model.scale.to_model(np.array([given[k]]))[0]))
    return np.array(corner)


def _check_front(front: Front, scorer: SeveralScorer, seen: Observations, used: list[int]) -> None:
    """A given reference point lies below some result."""
    if scorer.corner is None:
        return
    found = scorer.values[~np.isnan(scorer.values).any(axis=1)]
    points = np.vstack([front.points, front.merit(found)]) if len(found) else front.points
    if (points > scorer.corner).all(axis=1).any():
        return
    ends = []
    for k, model in zip(used, scorer.models, strict=True):
        values = model.scale.value(scorer.values[:, used.index(k)])
        ends.append(f"{seen.objectives[k].name} {np.nanmin(values):.6g} to {np.nanmax(values):.6g}")
    raise InputError(
        sentence(type(scorer.acquisition).__name__, "reference",
                 f"be worse than at least one result in all objectives (results: {', '.join(ends)})",
                 list(scorer.acquisition.reference),  # type: ignore[attr-defined]
                 remedy="Leave it out to have it placed beyond the worst results.")
    )  # fmt: skip


def _describe(proposer: Any, scorer: SeveralScorer, used: list[int]) -> None:
    """Set what the proposer shows of its last call."""
    proposer.posterior_, proposer._used = scorer.posteriors, used
    at = scorer.mean[scorer.rows]
    situation = SeveralSituation(scorer.values, at, scorer.merits, scorer.corner, scorer.counts)
    front = ExpectedHypervolumeImprovement().prepare(situation)
    known = np.flatnonzero(situation.usable())
    known = known[nondominated(front.merit(at[known]))]
    columns = [model.scale.value(at[known, j]) for j, model in enumerate(scorer.models)]
    proposer.front_ = np.column_stack(columns)
    corner = [
        model.scale.value(front.reference[j : j + 1])[0]
        if isinstance(rule, Climb)
        else -front.reference[j] * model.scale.spread
        for j, (model, rule) in enumerate(zip(scorer.models, scorer.merits, strict=True))
    ]
    proposer.reference_ = np.array(corner)


def _choice(
    seen: Observations,
    proposer: Any,
    scorer: SeveralScorer,
    used: list[int],
    row: int,
    score: float,
    how: str,
) -> Choice:
    """One candidate with its predictions and its sentence, ``how`` it was chosen first."""
    mean, std = np.full((2, seen.n_objectives), np.nan)
    words = []
    for j, (k, model) in enumerate(zip(used, scorer.models, strict=True)):
        at = slice(row, row + 1)
        found = model.scale.to_user(scorer.mean[at, j], scorer.std[at, j])
        mean[k], std[k] = found[0][0], found[1][0]
        unit = f" {seen.objectives[k].unit}" if seen.objectives[k].unit else ""
        words.append(f"{seen.objectives[k].name} {with_error(mean[k], std[k])}{unit}")
    size = len(proposer.front_)
    return Choice(row, score, mean, std, f"{how}: {', '.join(words)}, against a front of {size}.")


def _filling(seen: Observations, row: int, distance: float) -> Choice:
    """A choice while there is no model."""
    nan = np.full(seen.n_objectives, np.nan)
    reason = "Fills the list: no objective has two results yet."
    return Choice(int(row), float(distance), nan, nan, reason)


def explain_several(proposer: Any, proposal: Any, n: int = 5) -> pd.DataFrame:
    """What a proposal rests on, for several objectives: the measured candidates that are nearest.

    Parameters
    ----------
    proposer : BayesianProposer
    proposal : Choice, Proposal or int
    n : int, default=5

    Returns
    -------
    DataFrame
        First the candidate, then the measured ones, nearest first: row, distance in length scales (mean
        over the objectives), and for each objective mean, std and result.
    """
    row = proposal if isinstance(proposal, (int, np.integer)) else getattr(proposal, "row", None)
    row = int(proposal.index if row is None else row)
    measured = np.unique(np.concatenate([posterior.observed for posterior in proposer.posterior_]))
    distance = np.zeros(len(measured))
    for posterior, model in zip(proposer.posterior_, proposer.gp_, strict=True):
        steps = (posterior.points(measured) - posterior.points([row])) / model.length_scales
        distance += np.sqrt((steps**2).sum(axis=1)) / len(proposer.gp_)
    near = np.argsort(distance, kind="stable")[:n]
    rows = np.concatenate([[row], measured[near]])
    table: dict[str, Any] = {"row": rows, "distance": np.concatenate([[0.0], distance[near]])}
    for k, (posterior, model) in enumerate(zip(proposer.posterior_, proposer.gp_, strict=True)):
        mean, std = model.scale.to_user(posterior.mean[rows], np.sqrt(posterior.variance[rows]))
        told = np.full(len(posterior), np.nan)
        told[posterior.observed] = model.scale.value(model.target)
        table |= {f"mean {k}": mean, f"std {k}": std, f"result {k}": told[rows]}
    table["score"] = proposer.scores_[rows]
    return pd.DataFrame(table)
