"""Whether an experiment will succeed, keep to its limits, and what it will cost: weights on every score."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.parallel import one_thread
from sozai.numerics.improvement import log_range_probability
from sozai.numerics.kernels import Matern
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.proposals.acquisition import Acquisition
from sozai.proposals.censored_results import fit_objective
from sozai.proposals.surrogate import FittedSurrogate, Surrogate
from sozai.proposals.unit_cube import unit_cube

__all__ = [
    "Constraint",
    "Feasibility",
    "LearnedCost",
    "SuccessProbability",
    "Weighted",
    "weigh",
    "without_columns",
]

Array = NDArray[np.float64]
Model = tuple[FittedSurrogate, PoolPosterior]

#: Noise of a label, and the length scales that are tried, in spreads of the candidates.
_LABEL_NOISE = 1e-3
_LENGTHS = 0.05 * 2.0 ** (0.5 * np.arange(17))
#: Runs on which the length scale is chosen.
_MOST_RUNS = 600
#: A result or failure is never certain.
_CERTAIN = 1e-9


@dataclass(frozen=True)
class SuccessProbability:
    r"""Logarithm of the probability that an experiment gives a result at all.

    Parameters
    ----------
    prior : float, default=0.5
        Probability far from everything tried.
    power : float, default=1.0
        Of the probability in the score; 0 ignores failures.

    Notes
    -----
    Runs that succeeded are 1, those that failed 0, both on equal terms; the probability is the mean of a
    Gaussian process (Matern 1/2, amplitude 1, noise 0.001, mean ``prior``) clipped to (0, 1). Its length
    scale is the one of 17 with the smallest squared error of leave-one-out,
    :math:`[K^{-1}y]_i/[K^{-1}]_{ii}`. Cost :math:`O(m^3)` for each length scale and :math:`O(mN)`.

    Examples
    --------
    >>> from sozai.proposals.objectives import Objective
    >>> x = np.linspace(0, 1, 5)[:, None]
    >>> seen = Observations.of(x, {0: 1.0, 1: 2.0}, failed=[4], objectives=[Objective("y")])
    >>> weight = SuccessProbability().log_weight(seen)
    >>> bool(weight[0] > weight[2] > weight[4])
    True
    """

    prior: float = 0.5
    power: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.prior < 1.0:
            raise InputError(
                sentence("SuccessProbability", "prior", "lie between 0 and 1", self.prior,
                         remedy="Write the share of runs that usually succeed.")
            )  # fmt: skip
        if not (np.isfinite(self.power) and self.power >= 0):
            raise InputError(sentence("SuccessProbability", "power", "be 0 or more", self.power))

    def log_weight(self, observations: Observations) -> Array:
        """Log probability of success of every candidate, times ``power``.

        Parameters
        ----------
        observations : Observations

        Returns
        -------
        ndarray of shape (n_candidates,)
        """
        return self.power * np.log(self.probability(observations))

    def probability(self, observations: Observations) -> Array:
        """Probability of success of every candidate.

        Parameters
        ----------
        observations : Observations

        Returns
        -------
        ndarray of shape (n_candidates,)
            Ones while nothing has failed.
        """
        if not len(observations.failed):
            return np.ones(observations.n_candidates)
        with _quiet():
            Z = unit_cube(observations, place="SuccessProbability")
        if not Z.shape[1]:
            Z = np.zeros((len(Z), 1))
        rows = np.union1d(observations.rows, observations.failed)
        good = np.isin(rows, observations.rows).astype(np.float64)
        good[np.isin(rows, observations.failed) & (good > 0)] = 0.5
        y = good - self.prior
        scale = float(np.sqrt(Z.var(axis=0).mean())) or 1.0
        length = scale * _best_length(Z[rows] / scale, y)
        posterior = PoolPosterior(
            Z, Matern(0.5), np.full(Z.shape[1], length), amplitude=1.0, noise=_LABEL_NOISE, mean_variance=0.0
        ).condition(rows, y)
        return np.clip(posterior.mean + self.prior, _CERTAIN, 1.0)


def _best_length(Z: Array, y: Array) -> float:
    """Length scale of the smallest leave-one-out error; the longest of equal ones."""
    if len(y) > _MOST_RUNS:
        some = np.sort(np.random.default_rng(0).permutation(len(y))[:_MOST_RUNS])
        Z, y = Z[some], y[some]
    best, found = np.inf, float(_LENGTHS[-1])
    with one_thread():
        for length in _LENGTHS[::-1]:
            K = Matern(0.5).matrix(Z, None, np.full(Z.shape[1], length))
            K.flat[:: len(K) + 1] += _LABEL_NOISE
            inverse = cho_solve(cho_factor(K, lower=True), np.eye(len(K)))
            error = float((((inverse @ y) / np.diag(inverse)) ** 2).sum())
            if error < best * (1.0 - 1e-9):
                best, found = error, float(length)
    return found


class _Column:
    """A result column that is not to be optimized but bears on the score."""

    name: str
    surrogate: Surrogate | None
    _transform = "standardize"

    def column(self, observations: Observations) -> int:
        """Place of the column among the objectives."""
        names = [objective.name for objective in observations.objectives]
        if self.name not in names:
            raise InputError(
                sentence(type(self).__name__, "name", f"be one of the result columns {names}", self.name,
                         remedy="Add it to the objectives of the campaign.")
            )  # fmt: skip
        return names.index(self.name)

    def model(self, observations: Observations, Z: Array) -> Model | None:
        """Fitted process of the column and its posterior over all candidates; None with fewer than two."""
        k = self.column(observations)
        order = np.flatnonzero(~np.isnan(observations.Y[:, k]))
        if len(order) < 2:
            return None
        order = order[np.lexsort(np.column_stack([Z, observations.X])[observations.rows[order]].T[::-1])]
        surrogate = replace(self.surrogate or Surrogate(), transform=self._transform)
        fitted = fit_objective(surrogate, Z, observations, order, k, int(observations.seed))
        return fitted, fitted.posterior(Z, observations.rows[order])

    def weight(self, observations: Observations, found: Model | None) -> Array:
        """What is added to every score, shape (n_candidates,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constraint(_Column):
    r"""Logarithm of the probability that another result keeps to its limits.

    Parameters
    ----------
    name : str
        A result column of the campaign; it is modelled, and no longer optimized.
    low, high : float
        Limits in its unit; one of them may be infinite.
    surrogate : Surrogate, optional

    Notes
    -----
    The score of a candidate is added :math:`\log[\Phi((h - \mu)/\sigma) - \Phi((l - \mu)/\sigma)]` [1]_.
    Only results that keep to all limits count as the best so far; while there are none, feasibility alone
    is the score.

    References
    ----------
    .. [1] J. R. Gardner et al., Bayesian optimization with inequality constraints, ICML (2014).

    Examples
    --------
    >>> Constraint("gap", high=2.0)
    Constraint('gap', low -inf, high 2.0)
    """

    name: str
    low: float = -np.inf
    high: float = np.inf
    surrogate: Surrogate | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high or (np.isinf(self.low) and np.isinf(self.high)):
            raise InputError(
                sentence("Constraint", "low", f"lie below high ({self.high!r}), one of them finite", self.low,
                         remedy="Write Constraint(name, high=...) for an upper limit.")
            )  # fmt: skip

    def __repr__(self) -> str:
        return f"Constraint({self.name!r}, low {self.low}, high {self.high})"

    def holds(self, observations: Observations) -> NDArray[np.bool_]:
        """Which observed rows keep to the limits; those not measured do not.

        Parameters
        ----------
        observations : Observations

        Returns
        -------
        ndarray of bool of shape (m,)
        """
        k = self.column(observations)
        values, side = observations.Y[:, k], observations.censored[:, k]
        above = (values >= self.low) & ((side >= 0) | np.isinf(self.low))
        below = (values <= self.high) & ((side <= 0) | np.isinf(self.high))
        return np.asarray(above & below & ~np.isnan(values))

    def log_weight(self, observations: Observations) -> Array:
        """Log probability of keeping to the limits, for every candidate.

        Parameters
        ----------
        observations : Observations

        Returns
        -------
        ndarray of shape (n_candidates,)
            Zeros while the column has fewer than two results.
        """
        with _quiet():
            Z = unit_cube(observations, place="Constraint")
        return self.weight(observations, self.model(observations, Z))

    def weight(self, observations: Observations, found: Model | None) -> Array:
        """As ``log_weight``, of a model that is there already."""
        if found is None:
            return np.zeros(observations.n_candidates)
        scale, posterior = found[0].scale, found[1]
        finite = [end if np.isfinite(end) else 0.0 for end in (self.low, self.high)]
        ends = scale.to_model(np.array(finite))
        infinite = np.isinf([self.low, self.high])
        low, high = np.sort(np.where(infinite, scale.sign * np.array([self.low, self.high]), ends))
        return log_range_probability(posterior.mean, np.sqrt(posterior.variance), float(low), float(high))


@dataclass(frozen=True)
class LearnedCost(_Column):
    r"""Minus the logarithm of a cost that is learned from what experiments did cost.

    Parameters
    ----------
    name : str
        A result column with positive costs; it is modelled, and no longer optimized.
    power : float, default=1.0
        a in :math:`\log EI - a\log c`.
    budget : float, optional
        When given, the power falls to 0 with the spent share.
    surrogate : Surrogate, optional

    Examples
    --------
    >>> LearnedCost("time", budget=100.0).power
    1.0
    """

    name: str
    power: float = 1.0
    budget: float | None = None
    surrogate: Surrogate | None = None
    _transform = "log"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.power) and self.power >= 0):
            raise InputError(sentence("LearnedCost", "power", "be 0 or more", self.power))
        if self.budget is not None and not self.budget > 0:
            raise InputError(sentence("LearnedCost", "budget", "be positive", self.budget))

    def log_weight(self, observations: Observations) -> Array:
        """Minus the expected log cost of every candidate, times the power.

        Parameters
        ----------
        observations : Observations

        Returns
        -------
        ndarray of shape (n_candidates,)
        """
        with _quiet():
            Z = unit_cube(observations, place="LearnedCost")
        return self.weight(observations, self.model(observations, Z))

    def weight(self, observations: Observations, found: Model | None) -> Array:
        """As ``log_weight``, of a model that is there already."""
        if found is None:
            return np.zeros(observations.n_candidates)
        fitted, posterior = found
        power = self.power
        if self.budget is not None:
            k = self.column(observations)
            spent = np.nansum(observations.Y[:, k] * np.maximum(observations.counts[:, k], 1))
            power *= float(np.clip(1.0 - spent / self.budget, 0.0, 1.0))
        scale = fitted.scale
        return -power * (scale.sign * posterior.mean * scale.spread + scale.shift)


@dataclass(frozen=True)
class Feasibility(Acquisition):
    """Nothing but the weights: what is sought while no result keeps to the limits.

    Examples
    --------
    >>> Feasibility().score(np.zeros(2), np.ones(2), 0.0).tolist()
    [0.0, 0.0]
    """

    label = "log probability of keeping to the limits"

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Zeros; the weights are added."""
        return np.zeros(len(mean))


@dataclass(frozen=True, eq=False)
class Weighted:
    """Observations without the columns that only weigh, and the weights.

    Attributes
    ----------
    observations : Observations
        Of the objectives alone.
    log_weight : ndarray of shape (n_candidates,) or None
        Added to every score.
    counts : ndarray of bool of shape (m,) or None
        Observed rows that keep to all limits; None without constraints.
    columns : tuple of int
        Result columns that were taken out.
    models : dict of int to (FittedSurrogate, PoolPosterior)
        Processes of those columns, where there are results enough.
    n_columns : int
        All result columns.
    """

    observations: Observations
    log_weight: Array | None = None
    counts: NDArray[np.bool_] | None = None
    columns: tuple[int, ...] = ()
    models: dict[int, Model] = field(default_factory=dict)
    n_columns: int = 1

    @property
    def only_feasibility(self) -> bool:
        """Whether nothing so far keeps to the limits."""
        return self.counts is not None and not self.counts.any()

    def complete(self, choices: list[Choice]) -> list[Choice]:
        """Put the predictions of the columns that were taken out back into choices."""
        if not self.columns:
            return choices
        kept = [k for k in range(self.n_columns) if k not in self.columns]
        done = []
        for choice in choices:
            mean, std = np.full((2, self.n_columns), np.nan)
            mean[kept], std[kept] = choice.mean, choice.std
            for k, (fitted, posterior) in self.models.items():
                at = slice(choice.row, None if choice.row is None else choice.row + 1)
                found = fitted.scale.to_user(posterior.mean[at], np.sqrt(posterior.variance[at]))
                mean[k], std[k] = found[0][0], found[1][0]
            done.append(replace(choice, mean=mean, std=std))
        return done


def weigh(observations: Observations, outcomes: Any, Z: Array) -> Weighted:
    """Weights of all candidates, and what is left to be optimized.

    Parameters
    ----------
    observations : Observations
    outcomes : "auto" or sequence
        ``"auto"`` is :class:`SuccessProbability` once something has failed. Others are objects with
        ``log_weight(observations)``.
    Z : ndarray of shape (n_candidates, p)
        Candidates in the unit cube.

    Returns
    -------
    Weighted
    """
    if isinstance(outcomes, str):
        outcomes = (SuccessProbability(),) if len(observations.failed) else ()
    total: Array | None = None
    counts: NDArray[np.bool_] | None = None
    models: dict[int, Model] = {}
    columns: list[int] = []
    for outcome in outcomes:
        if isinstance(outcome, _Column):
            k = outcome.column(observations)
            columns += [k] * (k not in columns)
            found = outcome.model(observations, Z)
            models |= {} if found is None else {k: found}
            weight = outcome.weight(observations, found)
        else:
            weight = np.asarray(outcome.log_weight(observations), dtype=np.float64)
        if isinstance(outcome, Constraint):
            holds = outcome.holds(observations)
            counts = holds if counts is None else counts & holds
        total = weight if total is None else total + weight
    left = without_columns(observations, columns) if columns else observations
    return Weighted(left, total, counts, tuple(columns), models, observations.n_objectives)


def without_columns(observations: Observations, columns: list[int]) -> Observations:
    """Observations without some result columns; rows left without any result stay closed.

    Parameters
    ----------
    observations : Observations
    columns : list of int

    Returns
    -------
    Observations
    """
    kept = [k for k in range(observations.n_objectives) if k not in columns]
    if not kept:
        raise InputError(
            sentence("BayesianProposer", "outcomes", "leave at least one result column to be optimized",
                     [objective.name for objective in observations.objectives],
                     remedy="Add the column that is wanted large or small.")
        )  # fmt: skip
    parts = {name: getattr(observations, name)[:, kept] for name in ("Y", "noise", "counts", "censored")}
    return replace(
        observations,
        **parts,
        replicate_variance=observations.replicate_variance[kept],
        objectives=tuple(observations.objectives[k] for k in kept),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Remarks on columns are made once, by the proposer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
