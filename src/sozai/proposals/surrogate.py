"""The process behind a proposal: scale, bend, parameters and their draws, learned from the results so far."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.hyper_average import HyperDraws, draw_parameters
from sozai.numerics.kernels import Kernel, Matern
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.numerics.process_evidence import Evidence, ProcessPriors, maximize_evidence
from sozai.numerics.warped_evidence import WarpedEvidence, bend, bend_slope, unbend

__all__ = ["FittedSurrogate", "Prediction", "Scale", "Surrogate"]

Array = NDArray[np.float64]

#: Columns differ in their influence, but ten results cannot tell by how much; and what a few results do not
#: show is taken for structure, not for noise, or the search would stay where it is.
PRIORS = ProcessPriors(noise=(-6.0, 2.0), spread=0.5)
#: Noise variance, in units of the results' variance, under rows that contradict each other.
_CONTRADICTION = 1e-6
#: Noise variance, in units of the results' variance, from which a fit is tried again: from a lively function
#: (logarithms of length scale and amplitude) with little noise.
_NOISY = 0.3
_LIVELY, _QUIET = (-2.0, 0.0), -6.0
#: Results beyond this size, or closer than its inverse, have squares that are no numbers.
_LARGEST = 1e150
#: Results from which the bend of the scale is learned; fewer leave it straight.
_LEAST_FOR_BEND = 5
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
#: In standard deviations: the nodes, the mean and the ends of the range of 68 %.
_PLACES = np.concatenate([_NODES, [0.0, -1.0, 1.0]])
#: Deviation over half the range of 68 %, above which moments say nothing.
_HEAVY = 3.0


@dataclass(frozen=True)
class Scale:
    """From the user's unit to the model's, where results have mean 0 and variance 1, and back.

    Attributes
    ----------
    sign : float
        -1 where small is good: the model always climbs.
    shift, spread : float
        Mean and standard deviation of the results (of their logarithms, if ``log``).
    exponent : float
        Bend of the scale; 1 is none.
    bent_shift, bent_spread : float
        Mean and standard deviation after the bend.
    log : bool
    lowest : float
        Standardized result below which a bent scale goes on straight: a bend of more than 2 would end there.

    Examples
    --------
    >>> scale = Scale(sign=-1.0, shift=300.0, spread=10.0)
    >>> scale.to_model(np.array([290.0])).tolist(), scale.to_user(np.array([1.0]), np.array([0.1]))
    ([1.0], (array([290.]), array([1.])))
    """

    sign: float = 1.0
    shift: float = 0.0
    spread: float = 1.0
    exponent: float = 1.0
    bent_shift: float = 0.0
    bent_spread: float = 1.0
    log: bool = False
    lowest: float = -np.inf

    @property
    def is_straight(self) -> bool:
        """Whether the scale is a shift and a factor only."""
        return self.exponent == 1.0 and not self.log

    @property
    def _end(self) -> float:
        """Bent value from which the scale is straight."""
        return float(bend(np.array(self.lowest), self.exponent)) if np.isfinite(self.lowest) else -np.inf

    @property
    def _slope(self) -> float:
        """Slope of the bend at the lowest result."""
        return float(bend_slope(np.array(self.lowest), self.exponent)) if np.isfinite(self.lowest) else 1.0

    def to_model(self, values: Array) -> Array:
        """Model values of results."""
        raw = np.log(values) if self.log else np.asarray(values, dtype=np.float64)
        standard = self.sign * (raw - self.shift) / self.spread
        if self.exponent != 1.0:
            inside = np.maximum(standard, self.lowest)
            straight = (standard - inside) * self._slope
            standard = (bend(inside, self.exponent) + straight - self.bent_shift) / self.bent_spread
        return np.asarray(standard)

    def value(self, model: Array) -> Array:
        """Result of a model value."""
        standard = np.asarray(model, dtype=np.float64)
        if self.exponent != 1.0:
            bent = standard * self.bent_spread + self.bent_shift
            inside = np.maximum(bent, self._end)
            standard = unbend(inside, self.exponent) + (bent - inside) / self._slope
        raw = self.sign * standard * self.spread + self.shift
        return np.asarray(np.exp(np.minimum(raw, 700.0)) if self.log else raw)

    def to_user(self, mean: Array, std: Array) -> tuple[Array, Array]:
        """Mean and standard deviation in the user's unit; on a bent scale by 32 quadrature points.

        Moments of a bent scale may be those of values that hardly ever come. Where the deviation exceeds
        three times half the range that holds 68 of 100 values, median and that half are given.
        """
        if self.is_straight:
            return self.value(mean), np.asarray(std) * self.spread
        found = self.value(np.asarray(mean)[..., None] + np.asarray(std)[..., None] * _PLACES)
        values, at_mean, below, above = found[..., :-3], found[..., -3], found[..., -2], found[..., -1]
        middle = values @ _WEIGHTS
        spread = np.sqrt((values - middle[..., None]) ** 2 @ _WEIGHTS)
        half = np.abs(above - below) / 2.0
        heavy = spread > _HEAVY * half
        return np.where(heavy, at_mean, middle), np.where(heavy, half, spread)


@dataclass(frozen=True)
class Surrogate:
    r"""How the results are modelled.

    Parameters
    ----------
    kernel : Kernel, default=Matern(2.5)
    noise : "fit" or float, default="fit"
        Noise variance of one result, in squared units of the results. Fitted, it is shared by all;
        variances that come with the results are added. A mean of m results has 1/m of it.
    priors : ProcessPriors
        By default those of the process, with columns held together (``spread=0.5``) and little noise.
    transform : {"auto", "standardize", "yeo-johnson", "log"}, default="auto"
        ``"yeo-johnson"`` bends the scale by one exponent, learned with the length scales; ``"auto"`` does
        so where a largest or smallest value is wanted and no noise is known, and standardizes otherwise.
    n_hyper : int, default=0
        Draws of the parameters over which scores are averaged; 0 takes the most probable ones.
    n_restarts : int, default=1
    max_rows : int, default=800
        With more results the parameters are learned on this many of them, drawn at random.
    memory_limit : int, default=2**30
        As for :class:`~sozai.numerics.pool_posterior.PoolPosterior`.

    Examples
    --------
    >>> Surrogate(n_hyper=16).kernel
    Matern(nu=2.5, width=1.0)
    """

    kernel: Kernel = field(default_factory=Matern)
    noise: str | float = "fit"
    priors: ProcessPriors = PRIORS
    transform: str = "auto"
    n_hyper: int = 0
    n_restarts: int = 1
    max_rows: int = 800
    memory_limit: int = 2**30

    def __post_init__(self) -> None:
        known = ("auto", "standardize", "yeo-johnson", "log")
        if self.transform not in known:
            raise InputError(sentence("Surrogate", "transform", f"be one of {known}", self.transform))
        if self.noise != "fit" and not (
            isinstance(self.noise, (int, float)) and np.isfinite(self.noise) and self.noise >= 0
        ):
            raise InputError(
                sentence("Surrogate", "noise", "be 'fit' or a variance of 0 or more", self.noise)
            )
        for name, least in (("n_hyper", 0), ("n_restarts", 0), ("max_rows", 10), ("memory_limit", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
                raise InputError(sentence("Surrogate", name, f"be a whole number of {least} or more", value))

    def fit(
        self,
        Z: Array,
        y: Array,
        *,
        known_noise: Array | None = None,
        counts: Array | None = None,
        replicate_variance: float = np.nan,
        sign: float = 1.0,
        bend_allowed: bool = True,
        seed: int = 0,
    ) -> FittedSurrogate:
        """Learn scale and parameters.

        Parameters
        ----------
        Z : ndarray of shape (m, p)
            Measured points in the unit cube.
        y : ndarray of shape (m,)
        known_noise, counts : ndarray of shape (m,), optional
            Known variances of ``y``, and results behind each.
        replicate_variance : float
            Variance of one result, from replicates; where finite, the noise is expected there.
        sign : float
            -1 where small is good.
        bend_allowed : bool
            Whether ``"auto"`` may bend the scale.
        seed : int

        Returns
        -------
        FittedSurrogate
        """
        counts = np.ones(len(y)) if counts is None else np.maximum(np.asarray(counts, float), 1.0)
        scale = _straight_scale(y, sign, log=self.transform == "log")
        target = scale.to_model(y)
        known = (np.zeros(len(y)) if known_noise is None else known_noise) / _unit(scale, y) ** 2
        simple = bend_allowed and not (known > 0).any()
        bent = self.transform == "yeo-johnson" or (self.transform == "auto" and simple)
        options = self._options(Z, target, scale, known, counts, replicate_variance / scale.spread**2)
        rng = np.random.default_rng([int(seed) & (2**63 - 1), 1])
        some = np.arange(len(y))
        if len(y) > self.max_rows:
            some = np.sort(rng.permutation(len(y))[: self.max_rows])
            options |= {
                k: options[k][some] for k in ("known_noise", "noise_shares") if options[k] is not None
            }
        with one_thread():
            if bent and len(y) >= _LEAST_FOR_BEND and np.ptp(target) > 0:
                warped = WarpedEvidence(self.kernel, Z[some], target[some], **options)
                theta, value = _most_probable(warped, warped.starts(self.n_restarts, rng))
                scale = _bent_scale(scale, target, float(theta[-1]))
                known = known * (bend_slope(target, scale.exponent) / scale.bent_spread) ** 2
                target, theta = scale.to_model(y), theta[:-1]
                options |= {"known_noise": known[some] if (known > 0).any() else None}
                evidence = Evidence(self.kernel, Z[some], target[some], **options)
            else:
                evidence = Evidence(self.kernel, Z[some], target[some], **options)
                theta, value = _most_probable(evidence, evidence.starts(self.n_restarts, rng))
            draws = draw_parameters(evidence, theta, self.n_hyper, rng)
        return FittedSurrogate(self, evidence, theta, draws, scale, target, known, counts, -value)

    def _options(
        self, Z: Array, target: Array, scale: Scale, known: Array, counts: Array, replicate: float
    ) -> dict[str, Any]:
        """Options of the evidence: noise, its shares, priors."""
        fixed, priors = None, self.priors
        if self.noise != "fit":
            fixed = float(self.noise) / scale.spread**2
            if fixed < _CONTRADICTION and _contradict(Z, target):
                fixed = _CONTRADICTION
                warnings.warn(
                    f"Surrogate: rows with the same descriptors have different results, and noise is "
                    f"{self.noise!r}; a noise variance of {fixed * scale.spread**2:.3g} was assumed. "
                    "Leave noise='fit', or add the descriptor that tells them apart.",
                    ConvergenceWarning,
                    stacklevel=4,
                )
            fixed = max(fixed, 1e-10)
        elif np.isfinite(replicate) and replicate > 0:
            priors = ProcessPriors(
                priors.length, priors.amplitude, priors.slope, (float(np.log(replicate)), 0.5), priors.spread
            )
        shares = None if (counts == 1).all() else 1.0 / counts
        return {
            "known_noise": known if (known > 0).any() else None,
            "noise_shares": shares,
            "fixed_noise": fixed,
            "priors": priors,
        }


@dataclass(frozen=True, eq=False)
class Prediction:
    """New results at some points, in the user's unit.

    Attributes
    ----------
    mean, std : ndarray of shape (N,)
        Of one new result, noise included.
    low, high : ndarray of shape (N,)
        Ends of the interval.
    level : float
        Share of new results that it is to hold.

    Examples
    --------
    >>> Prediction(np.zeros(2), np.ones(2), np.full(2, -1.6), np.full(2, 1.6), 0.9)
    Prediction(2 points, level 0.9)
    """

    mean: Array
    std: Array
    low: Array
    high: Array
    level: float

    def __repr__(self) -> str:
        return f"Prediction({len(self.mean)} points, level {self.level:g})"


@dataclass(frozen=True, eq=False, repr=False)
class FittedSurrogate:
    """What was learned.

    Attributes
    ----------
    settings : Surrogate
    evidence : Evidence
    theta : ndarray
        Most probable logarithms: length scales, amplitude, noise (if fitted).
    draws : HyperDraws
    scale : Scale
    target, known_noise, counts : ndarray of shape (m,)
        In the model's unit.
    log_posterior : float
    """

    settings: Surrogate
    evidence: Evidence
    theta: Array
    draws: HyperDraws
    scale: Scale
    target: Array
    known_noise: Array
    counts: Array
    log_posterior: float

    def __repr__(self) -> str:
        lengths = ", ".join(f"{value:.3g}" for value in self.length_scales)
        bent = "" if self.scale.exponent == 1.0 else f", exponent {self.scale.exponent:.2f}"
        return f"FittedSurrogate({len(self.target)} results, length scales {lengths}{bent})"

    @property
    def length_scales(self) -> Array:
        """In the unit cube."""
        return self.evidence.parameters(self.theta).length_scales

    @property
    def noise(self) -> float:
        """Noise variance of one result, in the model's unit."""
        return self.evidence.parameters(self.theta).noise

    def with_results(self, target: Array, known_noise: Array, counts: Array) -> FittedSurrogate:
        """The same parameters with other results, already in the model's unit."""
        return FittedSurrogate(
            self.settings, self.evidence, self.theta, self.draws, self.scale, target, known_noise, counts,
            self.log_posterior,
        )  # fmt: skip

    def posterior(self, points: Array, rows: NDArray[np.int64], theta: Array | None = None) -> PoolPosterior:
        """Posterior over some points, of which ``rows`` are the measured ones, in order."""
        part = self.evidence.parameters(self.theta if theta is None else theta)
        posterior = PoolPosterior(
            points, self.settings.kernel, part.length_scales, amplitude=part.amplitude, noise=part.noise,
            memory_limit=self.settings.memory_limit,
        )  # fmt: skip
        if len(rows):
            posterior.condition(rows, self.target, self.known_noise, replicates=self.counts)
        return posterior

    def predict(
        self, points: Array, rows: NDArray[np.int64], *, level: float = 0.9, n_draws: int = 32, seed: int = 0
    ) -> Prediction:
        r"""What a new result at some points would be, parameters uncertain too.

        Parameters
        ----------
        points : ndarray of shape (N, p)
            In the unit cube.
        rows : ndarray of shape (m,)
            The measured ones, in order.
        level : float, default=0.9
            Share of new results that the interval is to hold.
        n_draws : int, default=32
            Draws of the parameters (:func:`~sozai.numerics.hyper_average.draw_parameters`); 0 takes the most
            probable ones for the truth.
        seed : int, default=0

        Returns
        -------
        Prediction
            In the user's unit.

        Notes
        -----
        The mixture over the draws is taken for the normal distribution of its mean and variance,
        :math:`\bar v + \mathrm{Var}(\mu)`, before the scale is bent back: ends of intervals go through any
        bend.
        """
        draws = draw_parameters(self.evidence, self.theta, n_draws, np.random.default_rng([seed, 4]))
        mean, square = np.zeros(len(points)), np.zeros(len(points))
        for theta, weight in zip(draws.thetas, draws.weights, strict=True):
            posterior = self.posterior(points, rows, theta)
            mean += weight * posterior.mean
            square += weight * (posterior.mean**2 + posterior.variance + posterior.noise)
        std = np.sqrt(np.maximum(square - mean**2, 1e-300))
        half = float(ndtri(0.5 + 0.5 * level)) * std
        ends = np.sort(np.array([self.scale.value(mean - half), self.scale.value(mean + half)]), axis=0)
        return Prediction(*self.scale.to_user(mean, std), ends[0], ends[1], level)

    def predict_rows(
        self, posterior: PoolPosterior, rows: NDArray[np.int64], *, level: float = 0.9, n_draws: int = 32,
        seed: int = 0,
    ) -> Prediction:  # fmt: skip
        """What a new result at some candidates of a posterior would be, parameters uncertain too.

        Parameters
        ----------
        posterior : PoolPosterior
            Of :meth:`posterior`.
        rows : ndarray of shape (k,)
            Candidates.
        level, n_draws, seed
            As for :meth:`predict`.

        Returns
        -------
        Prediction
            Of the k candidates.
        """
        m = posterior.n_observed
        points = posterior.points(np.concatenate([posterior.observed, rows]))
        found = self.predict(points, np.arange(m), level=level, n_draws=n_draws, seed=seed)
        return Prediction(found.mean[m:], found.std[m:], found.low[m:], found.high[m:], level)

    def status(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """What the parameters say that a user should know."""
        bounds, found = self.evidence.bounds, []
        for name, value, (low, high) in zip(names, self.theta, bounds, strict=False):
            if value >= high - 1e-6:
                found.append(f"column {name!r} looks irrelevant: its length scale is at the upper bound")
            elif value <= low + 1e-6:
                found.append(f"column {name!r} varies faster than its rows tell: length scale at the bound")
        if self.evidence.fixed_noise is None:
            if self.theta[-1] <= bounds[-1, 0] + 1e-6:
                found.append("the noise is at its lower bound: the results look exact")
            elif self.theta[-1] >= bounds[-1, 1] - 1e-6:
                found.append("the noise is at its upper bound: the columns say nothing of the results")
        if self.draws.status:
            found.append(self.draws.status)
        return tuple(found)


def _most_probable(evidence: Evidence, starts: list[Array]) -> tuple[Array, float]:
    """Most probable parameters and J there; where they call the results noise, a lively function is tried.

    With few results that contradict each other there are two optima, and twelve steps from every start,
    which is what the search allows itself, may end in the basin of the worse: all noise, nothing to climb.
    """
    theta, value, _ = maximize_evidence(evidence, starts)
    at = evidence.n_lengths + 1
    if evidence.fixed_noise is not None or theta[at] < np.log(_NOISY):
        return theta, value
    start = theta.copy()
    start[: evidence.n_lengths] = _LIVELY[0] + 0.5 * np.log(evidence.n_lengths)
    start[evidence.n_lengths], start[at] = _LIVELY[1], _QUIET
    other, level, _ = maximize_evidence(evidence, [start])
    return (other, level) if level < value else (theta, value)


def _straight_scale(y: Array, sign: float, *, log: bool) -> Scale:
    """Mean and standard deviation of the results."""
    if log and not (y > 0).all():
        row = int(np.argmin(y > 0))
        raise InputError(
            sentence("Surrogate.fit", "y", "be positive for transform='log'", float(y[row]),
                     at=f"at result {row}", remedy="Use transform='yeo-johnson'.")
        )  # fmt: skip
    raw = np.log(y) if log else y
    if np.abs(raw).max() > _LARGEST or 0.0 < np.ptp(raw) < 1.0 / _LARGEST:
        far = float(raw[np.argmax(np.abs(raw))])
        raise InputError(
            sentence("Surrogate.fit", "y", f"be below {_LARGEST:g} and differ by {1 / _LARGEST:g}", far,
                     remedy="Write the results in another unit.")
        )  # fmt: skip
    shift, spread = float(raw.mean()), float(raw.std())
    largest = float(np.abs(raw).max())
    if not spread > 1e-12 * largest:
        spread = max(largest, 1.0) if not log else 1.0
    return Scale(sign, shift, spread, log=log)


def _bent_scale(scale: Scale, target: Array, exponent: float) -> Scale:
    """The same scale with a bend."""
    bent = bend(target, exponent)
    return replace(
        scale, exponent=exponent, bent_shift=float(bent.mean()), bent_spread=float(bent.std()),
        lowest=float(target.min()),
    )  # fmt: skip


def _unit(scale: Scale, y: Array) -> Array | float:
    """User's unit per model unit, at every result: what known standard deviations are divided by."""
    return np.asarray(y * scale.spread) if scale.log else scale.spread


def _contradict(Z: Array, target: Array) -> bool:
    """Whether equal points have different results."""
    _, inverse = np.unique(Z, axis=0, return_inverse=True)
    labels = inverse.ravel()
    low = np.full(labels.max() + 1, np.inf)
    high = -low
    np.minimum.at(low, labels, target)
    np.maximum.at(high, labels, target)
    return bool((high > low).any())
