"""What makes a candidate worth measuring: one score from its mean and standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.improvement import (
    log_expected_improvement,
    log_mean_improvement,
    log_probability_of_improvement,
    log_range_probability,
    log_target_improvement,
)

__all__ = [
    "Acquisition",
    "ExpectedImprovement",
    "NoisyExpectedImprovement",
    "ProbabilityOfImprovement",
    "RangeProbability",
    "Situation",
    "TargetImprovement",
    "ThompsonSampling",
    "UpperConfidenceBound",
    "Variance",
    "as_acquisition",
]

Array = NDArray[np.float64]

_KEEP_OPEN = -np.inf


@dataclass(frozen=True, eq=False)
class Situation:
    """What is known when candidates are scored, in the unit of the model; larger is better.

    Attributes
    ----------
    values : ndarray of shape (m,)
        Results so far.
    mean : ndarray of shape (m,)
        Posterior mean at the candidates they belong to.
    n_columns : int
        Descriptors.
    target : float or None
        Wanted value.
    span : (float, float) or None
        Wanted range.
    """

    values: Array
    mean: Array
    n_columns: int
    target: float | None = None
    span: tuple[float, float] | None = None


class Acquisition:
    """A score in three small parts, so that averages and batches are written once.

    ``prepare`` condenses what is known into a reference, ``score`` compares candidates with it, and
    ``follow`` moves it after a candidate has been measured, or pretended to be.

    Attributes
    ----------
    is_log : bool
        Whether the score is the logarithm of what is averaged over parameters and pretended values.
    draws : bool
        Whether ``score`` wants one drawn function in place of the mean.

    Notes
    -----
    A score of several objectives keeps the three parts: means and deviations of shape (n, l), the
    reference a front.
    """

    is_log = True
    draws = False
    #: What its sentence calls the score.
    label = "score"

    def prepare(self, situation: Situation) -> Any:
        """Reference of this situation."""
        return 0.0

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Scores, shape (n,); the largest is proposed."""
        raise NotImplementedError

    def drawn(self) -> Acquisition:
        """The rule that takes the place of this one where functions are drawn."""
        return ThompsonSampling()

    def follow(self, references: Array, means: Array) -> Array:
        """References of k pretended histories after their new means, both of shape (k,)."""
        return references

    def score_all(self, means: Array, std: Array, references: Array) -> Array:
        """Scores averaged over k pretended histories: means (n, k), references (k,), result (n,)."""
        columns = [
            self.score(np.ascontiguousarray(column), std, reference)
            for column, reference in zip(means.T, references, strict=True)
        ]
        return average_scores(np.array(columns), np.full(len(columns), 1.0 / len(columns)), log=self.is_log)


def average_scores(scores: Array, weights: Array, *, log: bool) -> Array:
    """Weighted mean over the first axis; of what the logarithms stand for when ``log`` is set.

    Parameters
    ----------
    scores : ndarray of shape (k, n)
    weights : ndarray of shape (k,)
        Sum 1.
    log : bool

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> average_scores(np.log([[1.0], [3.0]]), np.array([0.5, 0.5]), log=True).round(6).tolist()
    [0.693147]
    """
    if len(scores) == 1:
        return np.array(scores[0])
    if not log:
        return weights @ scores
    top = scores.max(axis=0)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(top + np.log(weights @ np.exp(scores - top)))


@dataclass(frozen=True)
class ExpectedImprovement(Acquisition):
    r"""Logarithm of the expected gain over the best so far.

    Parameters
    ----------
    incumbent : {"mean", "observed"}, default="mean"
        Best so far: the largest posterior mean at a measured candidate, which noise does not inflate, or
        the best value itself.
    margin : float, default=0.0
        :math:`\xi`, in standard deviations of the results.

    Notes
    -----
    :math:`\log E\max(f - y^+ - \xi, 0) = \log\sigma + \log(\varphi(u) + u\Phi(u))`,
    :math:`u = (\mu - y^+ - \xi)/\sigma`, without underflow [1]_.

    References
    ----------
    .. [1] S. Ament et al., Unexpected improvements to expected improvement for Bayesian optimization,
       NeurIPS (2023), arXiv:2310.20708.

    Examples
    --------
    >>> known = Situation(np.array([1.0]), np.array([0.9]), 2)
    >>> rule = ExpectedImprovement()
    >>> rule.score(np.array([0.9, 1.4]), np.ones(2), rule.prepare(known)).round(4).tolist()
    [-0.9189, -0.3598]
    """

    incumbent: str = "mean"
    margin: float = 0.0
    label = "log expected improvement"

    def __post_init__(self) -> None:
        if self.incumbent not in ("mean", "observed"):
            raise InputError(
                sentence("ExpectedImprovement", "incumbent", "be 'mean' or 'observed'", self.incumbent)
            )
        _require_number("ExpectedImprovement", "margin", self.margin)

    def prepare(self, situation: Situation) -> float:
        """What is to be exceeded."""
        best = situation.mean if self.incumbent == "mean" else situation.values
        return float(best.max()) + self.margin

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Log expected improvement."""
        return log_expected_improvement(mean, std, reference)

    def follow(self, references: Array, means: Array) -> Array:
        """A pretended value may become the best."""
        return np.maximum(references, means + self.margin)

    def score_all(self, means: Array, std: Array, references: Array) -> Array:
        """Log of the average expected improvement, in one pass."""
        return log_mean_improvement(means, std, references)


@dataclass(frozen=True)
class NoisyExpectedImprovement(ExpectedImprovement):
    r"""Expected improvement over a best that is itself uncertain.

    The true values at the measured candidates are drawn from the posterior; each draw has its own best,
    and the improvement over them is averaged.

    Parameters
    ----------
    incumbent : {"mean", "observed"}, default="mean"
        Where nothing is drawn.
    margin : float, default=0.0
    n_draws : int, default=16

    Notes
    -----
    With a draw :math:`f_D` taken as exact data, the variance is the same for all draws and the means
    differ: one cross-covariance serves them all [1]_.

    References
    ----------
    .. [1] B. Letham, B. Karrer, G. Ottoni, E. Bakshy, Constrained Bayesian optimization with noisy
       experiments, Bayesian Analysis 14, 495 (2019).

    Examples
    --------
    >>> NoisyExpectedImprovement(n_draws=8).n_draws
    8
    """

    n_draws: int = 16
    label = "log noisy expected improvement"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.n_draws, (int, np.integer)) and self.n_draws >= 1):
            raise InputError(
                sentence(
                    "NoisyExpectedImprovement", "n_draws", "be a whole number of 1 or more", self.n_draws
                )
            )


@dataclass(frozen=True)
class ProbabilityOfImprovement(Acquisition):
    r"""Logarithm of the probability of exceeding the best so far, :math:`\Phi((\mu - y^+ - \xi)/\sigma)`.

    Parameters
    ----------
    margin : float, default=0.0
        :math:`\xi`, in standard deviations of the results.

    Examples
    --------
    >>> rule = ProbabilityOfImprovement()
    >>> rule.score(np.zeros(1), np.ones(1), 0.0).round(4).tolist()
    [-0.6931]
    """

    margin: float = 0.0
    label = "log probability of improvement"

    def __post_init__(self) -> None:
        _require_number("ProbabilityOfImprovement", "margin", self.margin)

    def prepare(self, situation: Situation) -> float:
        """What is to be exceeded."""
        return float(situation.mean.max()) + self.margin

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Log probability."""
        return log_probability_of_improvement(mean, std, reference)

    def follow(self, references: Array, means: Array) -> Array:
        """A pretended value may become the best."""
        return np.maximum(references, means + self.margin)


@dataclass(frozen=True)
class UpperConfidenceBound(Acquisition):
    r"""Optimism: :math:`\mu + \beta\sigma`.

    Parameters
    ----------
    beta : float or "schedule", default=2.0
        ``"schedule"``: :math:`\beta_t^2 = 2\log(p\,t^2\pi^2/0.6)`, which bounds the regret [1]_.

    References
    ----------
    .. [1] N. Srinivas et al., Gaussian process optimization in the bandit setting, ICML (2010).

    Examples
    --------
    >>> UpperConfidenceBound(2.0).score(np.ones(1), np.ones(1), 2.0).tolist()
    [3.0]
    """

    beta: float | str = 2.0
    is_log = False
    label = "upper confidence bound"

    def __post_init__(self) -> None:
        if self.beta != "schedule":
            _require_number("UpperConfidenceBound", "beta", self.beta)

    def prepare(self, situation: Situation) -> float:
        """The width of the bound."""
        if self.beta != "schedule":
            return float(self.beta)
        t = max(len(situation.values), 1)
        return float(np.sqrt(2.0 * np.log(situation.n_columns * t**2 * np.pi**2 / 0.6)))

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Upper end of the interval."""
        return mean + reference * std


@dataclass(frozen=True)
class Variance(Acquisition):
    """Pure learning: the standard deviation itself.

    Examples
    --------
    >>> Variance().score(np.zeros(2), np.array([1.0, 2.0]), 0.0).tolist()
    [1.0, 2.0]
    """

    is_log = False
    label = "standard deviation"

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Return the deviation."""
        return np.array(std)


@dataclass(frozen=True)
class ThompsonSampling(Acquisition):
    """The best candidate of one function drawn from the posterior.

    Examples
    --------
    >>> ThompsonSampling().draws
    True
    """

    is_log = False
    draws = True
    label = "value of the drawn function"

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Return the drawn function, which takes the place of the mean."""
        return np.array(mean)


@dataclass(frozen=True)
class TargetImprovement(Acquisition):
    r"""Logarithm of the expected gain in nearness to the wanted value, :math:`E\max(d - |f - t|, 0)`.

    The score of goals ``Target(t)``; d is the distance of the nearest posterior mean so far.

    Examples
    --------
    >>> rule = TargetImprovement()
    >>> known = Situation(np.array([0.4]), np.array([0.4]), 1, target=0.9)
    >>> np.exp(rule.score(np.array([0.3]), np.array([0.7]), rule.prepare(known))).round(7).tolist()
    [0.0975082]
    """

    label = "log expected gain in nearness"

    def prepare(self, situation: Situation) -> tuple[float, float]:
        """Wanted value, and how near the best is."""
        if situation.target is None:
            raise InputError(
                sentence("TargetImprovement", "goal", "be Target(value)", remedy="Set the objective's goal.")
            )
        return situation.target, float(np.abs(situation.mean - situation.target).min())

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Log expected gain; where the best is exact, the nearest mean with the largest deviation."""
        target, distance = reference
        return log_target_improvement(mean, std, target, max(distance, 1e-6))

    def follow(self, references: Array, means: Array) -> Array:
        """A pretended value may be nearer."""
        nearer = [(t, min(d, abs(m - t))) for (t, d), m in zip(references, means, strict=True)]
        return np.array(nearer)


@dataclass(frozen=True)
class RangeProbability(Acquisition):
    """Logarithm of the probability that the value lies in the wanted range; the score of goals ``Range``.

    Examples
    --------
    >>> rule = RangeProbability()
    >>> known = Situation(np.array([0.4]), np.array([0.4]), 1, span=(-1.0, 1.0))
    >>> rule.score(np.zeros(1), np.ones(1), rule.prepare(known)).round(4).tolist()
    [-0.3817]
    """

    label = "log probability of the range"

    def prepare(self, situation: Situation) -> tuple[float, float]:
        """Ends of the range."""
        if situation.span is None:
            raise InputError(
                sentence(
                    "RangeProbability", "goal", "be Range(low, high)", remedy="Set the objective's goal."
                )
            )
        return situation.span

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Log probability."""
        return log_range_probability(mean, std, *reference)


_BY_NAME: dict[str, type[Acquisition]] = {
    "ei": ExpectedImprovement,
    "nei": NoisyExpectedImprovement,
    "pi": ProbabilityOfImprovement,
    "ucb": UpperConfidenceBound,
    "ts": ThompsonSampling,
    "variance": Variance,
    "target": TargetImprovement,
    "range": RangeProbability,
}


def as_acquisition(acquisition: Any, *, place: str) -> Acquisition:
    """Acquisition from an object or the name of one's defaults.

    Examples
    --------
    >>> as_acquisition("ucb", place="ask")
    UpperConfidenceBound(beta=2.0)
    """
    if isinstance(acquisition, Acquisition):
        return acquisition
    if isinstance(acquisition, str) and acquisition.lower() in _BY_NAME:
        return _BY_NAME[acquisition.lower()]()
    raise InputError(
        sentence(place, "acquisition", f"be an acquisition object or one of {', '.join(_BY_NAME)}",
                 acquisition, remedy="Write ExpectedImprovement().")
    )  # fmt: skip


def _require_number(place: str, argument: str, value: Any) -> None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise InputError(sentence(place, argument, "be a finite number", value))
