"""What a proposal says of itself: its score and all that was added, what is predicted, the best so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from sozai.contracts.observations import Observations
from sozai.contracts.records import with_error
from sozai.numerics.improvement import log_range_probability
from sozai.proposals.acquisition import Acquisition
from sozai.proposals.objectives import Range, Target
from sozai.proposals.outcomes import Constraint, Feasibility, LearnedCost, SuccessProbability, Weighted
from sozai.proposals.pool_scores import PoolScorer

__all__ = ["reason_for_one", "score_words"]


def score_words(rule: Acquisition, weighted: Weighted, outcomes: Any, cost_power: float) -> str:
    """Name of a score and of everything that was added to it.

    Parameters
    ----------
    rule : Acquisition
    weighted : Weighted
    outcomes : "auto" or sequence
        As the proposer has them.
    cost_power : float
        Of the known cost; 0 where it plays no part.

    Returns
    -------
    str

    Examples
    --------
    >>> from sozai.proposals.acquisition import ExpectedImprovement
    >>> from sozai.proposals.objectives import Objective
    >>> seen = Observations.of([[0.0], [1.0]], {0: 1.0}, failed=[1], objectives=[Objective("y")])
    >>> score_words(ExpectedImprovement(), Weighted(seen), "auto", 1.0)
    'log expected improvement per cost, weighted by the probability of success'
    """
    seen = weighted.observations
    if isinstance(outcomes, str):
        outcomes = (SuccessProbability(),)
    columns = dict.fromkeys(o.name for o in outcomes if isinstance(o, (Constraint, LearnedCost)))
    known = {name for name, k in zip(columns, weighted.columns, strict=True) if k in weighted.models}
    factors: dict[str, None] = {}
    for outcome in outcomes:
        if isinstance(outcome, LearnedCost):
            cost_power = outcome.power if outcome.name in known else cost_power
        elif isinstance(outcome, Constraint):
            said = outcome.name not in known or isinstance(rule, Feasibility)
            factors |= {} if said else {"the probability of keeping to the limits": None}
        elif isinstance(outcome, SuccessProbability):
            factors |= {"the probability of success": None} if len(seen.failed) and outcome.power else {}
        else:
            factors[type(outcome).__name__] = None
    per = "" if not cost_power else " per cost" if cost_power == 1 else f" per cost^{cost_power:.2g}"
    weights = f", weighted by {' and '.join(factors)}" if factors else ""
    apart = rule.draws and seen.n_objectives == 1 and isinstance(seen.objectives[0].goal, (Target, Range))
    label = "nearness of a drawn function to what is wanted" if apart else rule.label
    return f"{label}{per}{weights}"


def reason_for_one(
    observations: Observations,
    scorer: PoolScorer,
    row: int,
    told: tuple[float, float],
    best: float,
    words: str,
) -> str:
    """Sentence of a candidate chosen by one objective.

    Parameters
    ----------
    observations : Observations
    scorer : PoolScorer
    row : int
    told : (float, float)
        Mean and deviation in the user's unit.
    best : float
        Best posterior mean at a measured candidate, in the user's unit.
    words : str
        How it was chosen.

    Returns
    -------
    str
    """
    objective = observations.objectives[0]
    unit = f" {objective.unit}" if objective.unit else ""
    start = f"{words}: mean {with_error(*told)}{unit}"
    goal = objective.goal
    nearest = f"the nearest mean of a measured candidate is {best:.4g}{unit}"
    if isinstance(goal, Target):
        return f"{start}, wanted {goal.value:g}{unit}; {nearest}."
    if not isinstance(goal, Range):
        return f"{start}, against {best:.4g}{unit}, the best mean of a measured candidate."
    at, span = slice(row, row + 1), scorer.goal[1]
    assert span is not None
    chance = float(np.exp(log_range_probability(scorer.mean[at], scorer.std[at], *span))[0])
    results = observations.Y[~np.isnan(observations.Y[:, 0]) & (observations.censored[:, 0] == 0), 0]
    inside = sum(goal.loss(float(value)) == 0 for value in results)
    wanted = f"within {goal.low:g} to {goal.high:g}"
    wanted = f"at least {goal.low:g}" if np.isinf(goal.high) else wanted
    wanted = f"at most {goal.high:g}" if np.isinf(goal.low) else wanted
    so_far = f"results inside so far: {inside} of {len(results)}"
    so_far = so_far if inside else f"no result lies inside yet, {nearest}"
    return f"{start}, {wanted}{unit} with probability {chance:.2g}; {so_far}."
