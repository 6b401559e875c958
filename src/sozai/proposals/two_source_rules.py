"""Which of experiment and simulation next, and where: the published rule, and one that knows the prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.acquisition import Acquisition, Situation
from sozai.proposals.two_source_posterior import PretendedDesign

__all__ = ["Action", "CostAware", "MaximumVariance", "Mean", "SourceRule", "SourceTask"]

Array = NDArray[np.float64]
SIMULATION, EXPERIMENT = 0, 1


@dataclass(frozen=True)
class Mean(Acquisition):
    """The prediction itself: the next experiment is the best one that is predicted.

    Examples
    --------
    >>> Mean().score(np.array([1.0, 2.0]), np.ones(2), 0.0).tolist()
    [1.0, 2.0]
    """

    is_log = False
    label = "prediction"

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Return the mean."""
        return np.array(mean)


@dataclass(frozen=True)
class Action:
    """One thing to do: which source, at which row, with which score, and why."""

    row: int
    source: int
    score: float
    reason: str


@dataclass(eq=False)
class SourceTask:
    """What a rule chooses from; larger means are better.

    Attributes
    ----------
    design : PretendedDesign
    mean : ndarray of shape (N,)
        Predicted experiment, the sign turned where small values are wanted.
    scale : float
        Spread of the measured values.
    situation : Situation
        In units of the scale.
    exploit : Acquisition
    open : list of ndarray of bool of shape (N,)
        By source: what is neither done, failed nor chosen.
    costs : tuple of float
    budget : float
        What is left; infinite without a budget.
    rng : Generator
    names : tuple of str
        Of the sources.
    """

    design: PretendedDesign
    mean: Array
    scale: float
    situation: Situation
    exploit: Acquisition
    open: list[NDArray[np.bool_]]
    costs: tuple[float, ...]
    budget: float
    rng: np.random.Generator
    names: tuple[str, ...]
    drawn: Array | None = field(default=None)

    def can(self, source: int) -> bool:
        """Whether a source can be asked somewhere, and paid."""
        return self.costs[source] <= self.budget and bool(self.open[source].any())

    def is_established(self) -> bool:
        """Whether the calculation is known everywhere better than a single value of it is."""
        where = self.open[SIMULATION]
        noise = self.design.noise[SIMULATION]
        return not where.any() or float(self.design.variances[SIMULATION][where].max()) < noise

    def take(self, action: Action) -> Action:
        """Pretend that an action was done, and pay for it."""
        self.design.take(action.row, action.source)
        self.open[action.source] = self.open[action.source].copy()
        self.open[action.source][action.row] = False
        self.budget -= self.costs[action.source]
        return action

    def scores(self) -> Array:
        """Score of every candidate as an experiment."""
        std = np.sqrt(self.design.variances[EXPERIMENT])
        mean = self.mean
        if self.exploit.draws:
            mean = self.design.draw(mean, EXPERIMENT, self.rng)
        reference = self.exploit.prepare(self.situation)
        return self.exploit.score(mean / self.scale, std / self.scale, reference)

    def experiment(self) -> Action:
        """The experiment with the highest score."""
        scores = np.where(self.open[EXPERIMENT], self.scores(), -np.inf)
        row = int(np.argmax(scores))
        score = float(scores[row])
        plain = score * self.scale if not self.exploit.is_log else score
        return Action(row, EXPERIMENT, plain, f"Highest {self.exploit.label} among the experiments left.")


class SourceRule:
    """Chooses actions one by one; each is pretended before the next is chosen."""

    def round(self, task: SourceTask) -> list[Action]:
        """Actions that belong together, taken from the task; empty when there is nothing left to do."""
        raise NotImplementedError


@dataclass(frozen=True)
class MaximumVariance(SourceRule):
    r"""The published rule: one experiment where its score is highest, m calculations that teach most.

    Parameters
    ----------
    m : int, default=5
        Calculations for one experiment; 0 never calculates.

    Notes
    -----
    Calculations are to *establish the simulation*, not to seek its maximum: each is made where
    the calculated value is least known, :math:`\max_x h^T A^{-1} h`, and the variances of all others are
    lowered before the next is chosen: greedy D-optimal design, O(NP) each. They end when that variance is
    below the noise of a single calculation. The rule of [1]_.

    References
    ----------
    .. [1] arXiv:2408.08539 (2024).

    Examples
    --------
    >>> MaximumVariance(m=2)
    MaximumVariance(m=2)
    """

    m: int = 5

    def __post_init__(self) -> None:
        _whole("MaximumVariance", "m", self.m, 0)

    def round(self, task: SourceTask) -> list[Action]:
        """One experiment, then the calculations."""
        found = [task.take(task.experiment())] if task.can(EXPERIMENT) else []
        for _ in range(self.m):
            if not task.can(SIMULATION) or task.is_established():
                break
            found.append(task.take(least_known(task)))
        return found


@dataclass(frozen=True)
class CostAware(SourceRule):
    r"""The rule that knows prices: the source that tells most about the promising candidates for its cost.

    Parameters
    ----------
    q : int, default=32
        Promising candidates: those with the largest :math:`\mu + \beta\sigma` of the experiment.
    beta : float, default=2.0
    batch : int, default=8
        Most calculations in one round; a round ends where an experiment is worth more.

    Notes
    -----
    A value of source s at x takes

    .. math:: \frac{1}{c_s} \sum_{t \in \mathrm{top}}
        \frac{\mathrm{cov}(f_E(t), f_s(x))^2}{\tau_s^2 + \mathrm{var} f_s(x)}

    off the variance of the experiment at the promising candidates t, per unit of its cost c. While the
    largest such gain belongs to a calculation, it is made there. When it belongs to an experiment, what is
    left to be learned is what calculations cannot tell, the difference between both sources: then the
    experiment with the highest score is made. That it is made there and not where it would tell most is
    essential: a rule of information alone circles the best candidate without ever measuring it. One action
    costs O(qN); the promising candidates are chosen once a round.

    Examples
    --------
    >>> CostAware()
    CostAware(q=32, beta=2.0, batch=8)
    """

    q: int = 32
    beta: float = 2.0
    batch: int = 8

    def __post_init__(self) -> None:
        _whole("CostAware", "q", self.q, 1)
        _whole("CostAware", "batch", self.batch, 1)
        if not (isinstance(self.beta, (int, float)) and np.isfinite(self.beta) and self.beta >= 0):
            raise InputError(sentence("CostAware", "beta", "be zero or a positive number", self.beta))

    def round(self, task: SourceTask) -> list[Action]:
        """Calculations up to the next experiment, or the experiment."""
        if not task.open[EXPERIMENT].any():
            return self._simulation_alone(task)
        top = self.top(task)
        shared = {s: task.design.covariance(top, EXPERIMENT, s) for s in (SIMULATION, EXPERIMENT)}
        found: list[Action] = []
        while len(found) < self.batch:
            action = self.next(task, shared)
            if action is None or (found and action.source == EXPERIMENT):
                break
            found.append(task.take(action))
            if action.source == EXPERIMENT:
                break
            taken = task.design.last
            for s, whole in shared.items():
                whole -= np.outer(taken[EXPERIMENT][top], taken[s])
        return found

    def next(self, task: SourceTask, shared: Mapping[int, Array]) -> Action | None:
        """The action that is worth most; None when there is none.

        Parameters
        ----------
        task : SourceTask
        shared : mapping of int to ndarray of shape (q, N)
            By source, the covariance of the experiment at the promising candidates with all its values.
        """
        worth = {
            source: np.where(task.open[source], self.gains(task, part, source), -np.inf)
            for source, part in shared.items()
            if task.can(source)
        }
        if not worth:
            return None
        source = max(worth, key=lambda one: float(worth[one].max()))
        if source == EXPERIMENT:
            return task.experiment()
        row = int(np.argmax(worth[source]))
        count = len(shared[EXPERIMENT])
        why = f"takes most uncertainty off the {count} most promising candidates for its price"
        return Action(row, source, float(worth[source][row]), f"This {task.names[source]} {why}.")

    def top(self, task: SourceTask) -> NDArray[np.int64]:
        """Rows of the promising candidates, in order of rows."""
        bound = task.mean + self.beta * np.sqrt(task.design.variances[EXPERIMENT])
        bound = np.where(task.open[EXPERIMENT], bound, -np.inf)
        order = np.argsort(-bound, kind="stable")[: min(self.q, int(task.open[EXPERIMENT].sum()))]
        return np.sort(order)

    def gains(self, task: SourceTask, shared: Array, source: int) -> Array:
        """Variance taken off the promising candidates, per unit of cost, for an action anywhere."""
        known = task.design.noise[source] + task.design.variances[source]
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = (shared**2).sum(axis=0) / known / task.costs[source]
        return np.asarray(np.nan_to_num(gains, nan=0.0, posinf=0.0))

    def _simulation_alone(self, task: SourceTask) -> list[Action]:
        """Where no experiment is left: calculations until the simulation is established."""
        found: list[Action] = []
        while len(found) < self.batch and task.can(SIMULATION) and not task.is_established():
            found.append(task.take(least_known(task)))
        return found


def least_known(task: SourceTask) -> Action:
    """The calculation with the largest variance."""
    variance = np.where(task.open[SIMULATION], task.design.variances[SIMULATION], -np.inf)
    row = int(np.argmax(variance))
    std = float(np.sqrt(variance[row]))
    noise = float(np.sqrt(task.design.noise[SIMULATION]))
    why = (
        f"Least known {task.names[SIMULATION]}: standard deviation {std:.3g}, of a single value {noise:.3g}."
    )
    return Action(row, SIMULATION, std, why)


def _whole(place: str, argument: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(sentence(place, argument, f"be a whole number of {least} or more", value))
