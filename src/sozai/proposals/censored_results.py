"""Results that are only bounds: what a Gaussian process may learn from "below 0.1" and "above 5"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import log_ndtr

from sozai.contracts.observations import Observations
from sozai.contracts.parallel import one_thread
from sozai.numerics.process_evidence import MEAN_VARIANCE, factorize
from sozai.proposals.surrogate import FittedSurrogate, Surrogate

__all__ = ["CensoredSites", "censored_sites", "fit_objective", "objective_results"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Rounds at most, and the change of a site (in standard deviations of the results) that ends them.
_ROUNDS, _CHANGE = 40, 1e-6
#: With more rows than this a few rounds must do.
_MANY, _FEW_ROUNDS = 500, 8
#: Exact results from which the parameters are learned without the bounds at first.
_LEAST_EXACT = 3
#: Variance of a bound that says nothing.
_NOTHING = 1e8


@dataclass(frozen=True, eq=False)
class CensoredSites:
    """Normal stand-ins of bounds.

    Attributes
    ----------
    value, variance : ndarray of shape (m,)
        A datum with this value and this noise variance says of the function what the bound says; exact
        results have their own.
    mean, spread : ndarray of shape (m,)
        Mean and variance of the function at the datum, bound included.
    """

    value: Array
    variance: Array
    mean: Array
    spread: Array


def objective_results(observations: Observations, order: Rows, column: int) -> tuple[Array, Array, Array]:
    """Values, known noise variances and numbers of results of one objective, in some order.

    Parameters
    ----------
    observations : Observations
    order : ndarray of int
        Places in ``observations.rows``.
    column : int
        Objective.

    Returns
    -------
    tuple of ndarray
    """
    values = observations.Y[order, column]
    counts = np.maximum(observations.counts[order, column], 1).astype(np.float64)
    noise = observations.noise[order, column]
    single = observations.objectives[column].noise
    if single is not None:
        noise = np.where(noise > 0, noise, float(single) ** 2 / counts)
    return values, noise, counts


def fit_objective(
    surrogate: Surrogate, Z: Array, observations: Observations, order: Rows, column: int, seed: int
) -> FittedSurrogate:
    """Learn one objective from its results, bounds among them.

    Parameters
    ----------
    surrogate : Surrogate
    Z : ndarray of shape (N, p)
        All candidates in the unit cube.
    observations : Observations
    order : ndarray of int
        Places in ``observations.rows`` where the objective was measured.
    column : int
    seed : int

    Returns
    -------
    FittedSurrogate
        Its target holds the stand-ins of the bounds.

    Notes
    -----
    With bounds the parameters are learned twice: from the exact results, and with the bounds replaced by
    the mean of the truncated normal with its variance as known noise. The posterior itself uses the
    stand-ins of :func:`censored_sites`, which do not count the prior twice.
    """
    objective = observations.objectives[column]
    values, noise, counts = objective_results(observations, order, column)
    points, side = Z[observations.rows[order]], observations.censored[order, column]
    options: dict[str, Any] = {
        "replicate_variance": float(observations.replicate_variance[column]),
        "sign": -1.0 if objective.goal == "minimize" else 1.0,
        "bend_allowed": isinstance(objective.goal, str),
        "seed": seed,
    }
    if not side.any():
        return surrogate.fit(points, values, known_noise=noise, counts=counts, **options)
    exact = side == 0
    some = exact if exact.sum() >= _LEAST_EXACT else np.ones(len(side), dtype=bool)
    fitted = surrogate.fit(
        points[some], values[some], known_noise=noise[some], counts=counts[some], **options
    )
    sites, _ = _sites_of(fitted, points, values, noise, counts, side)
    unit = _unit(fitted, values)
    middle = np.where(exact, values, fitted.scale.value(sites.mean))
    blurred = np.where(exact, noise, noise + sites.spread * unit**2)
    fitted = surrogate.fit(points, middle, known_noise=blurred, counts=counts, **options)
    sites, own = _sites_of(fitted, points, values, noise, counts, side)
    known = np.where(exact, noise / _unit(fitted, values) ** 2, np.maximum(sites.variance - own, 0.0))
    return fitted.with_results(sites.value, known, counts)


def _sites_of(
    fitted: FittedSurrogate, points: Array, values: Array, noise: Array, counts: Array, side: Any
) -> tuple[CensoredSites, Array]:
    """Stand-ins in the unit of a fitted model, and its own noise of each."""
    part = fitted.evidence.parameters(fitted.theta)
    K = part.amplitude * fitted.settings.kernel.matrix(points, None, part.length_scales) + MEAN_VARIANCE
    own = part.noise / counts
    bounds = fitted.scale.to_model(values)
    which = side * int(fitted.scale.sign)
    return censored_sites(K, bounds, which, own + noise / _unit(fitted, values) ** 2), own


def _unit(fitted: FittedSurrogate, values: Array) -> Array:
    """User's unit per model unit at every result, without the bend."""
    spread = np.full(len(values), fitted.scale.spread)
    return np.asarray(spread * values if fitted.scale.log else spread)


def censored_sites(K: Array, values: Array, side: NDArray[Any], noise: Array) -> CensoredSites:
    r"""Normal stand-ins of bounds by expectation propagation.

    Parameters
    ----------
    K : ndarray of shape (m, m)
        Prior covariance of the function.
    values : ndarray of shape (m,)
        Results, or bounds.
    side : ndarray of int of shape (m,)
        0 for a result, -1 where the truth lies below the bound, +1 above.
    noise : ndarray of shape (m,)
        Noise variance of a measurement, positive.

    Returns
    -------
    CensoredSites

    Notes
    -----
    A bound c has the likelihood :math:`\Phi(\pm(f - c)/\sigma)`. With mean m and variance v of f from
    all other data, :math:`z = \pm(m - c)/\sqrt{v + \sigma^2}`, :math:`\rho = \varphi(z)/\Phi(z)` and
    :math:`\beta = \rho(z + \rho)/(v + \sigma^2)`, the stand-in has

    .. math:: \tilde y = m \pm \rho/(\beta\sqrt{v + \sigma^2}), \qquad \tilde v = 1/\beta - v,

    found for all bounds in turn until nothing changes [1]_. To replace a bound by the mean and variance of
    the truncated normal as if they were a measurement would count the other data twice. Cost
    :math:`O(m^3)` a round.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006),
       section 3.6.

    Examples
    --------
    >>> sites = censored_sites(np.eye(1), np.array([0.0]), np.array([1]), np.array([1e-12]))
    >>> bool(abs(sites.mean[0] - np.sqrt(2 / np.pi)) < 1e-6)  # mean of half a normal
    True
    """
    m = len(values)
    bound = np.flatnonzero(side)
    sign = side[bound].astype(np.float64)
    value, variance = values.astype(np.float64), noise.astype(np.float64)
    variance[bound] = _NOTHING
    mean, spread = value.copy(), np.zeros(m)
    rounds = _ROUNDS if m <= _MANY else _FEW_ROUNDS
    with one_thread():
        for turn in range(rounds):
            mean, spread = _posterior(K, value, variance)
            free = 1.0 / np.maximum(1.0 / spread[bound] - 1.0 / variance[bound], 1e-12)
            middle = free * (mean[bound] / spread[bound] - value[bound] / variance[bound])
            total = free + noise[bound]
            z = np.clip(sign * (middle - values[bound]) / np.sqrt(total), -1e6, 30.0)
            ratio = np.exp(-0.5 * z**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(z))
            bend = np.maximum(ratio * (z + ratio), 1e-12)
            new_variance = np.clip(total / bend - free, noise[bound], _NOTHING)
            new_value = middle + sign * ratio * np.sqrt(total) / bend
            step = 1.0 if turn < 3 else 0.7
            precision = (1.0 - step) / variance[bound] + step / new_variance
            pull = (1.0 - step) * value[bound] / variance[bound] + step * new_value / new_variance
            change = np.abs(pull - value[bound] / variance[bound]).max() if len(bound) else 0.0
            variance[bound], value[bound] = 1.0 / precision, pull / precision
            if change < _CHANGE:
                break
        mean, spread = _posterior(K, value, variance)
    return CensoredSites(value, variance, mean, spread)


def _posterior(K: Array, value: Array, variance: Array) -> tuple[Array, Array]:
    """Mean and variance of the function at its data."""
    root = 1.0 / np.sqrt(variance)
    scaled = root[:, None] * K * root
    scaled.flat[:: len(K) + 1] += 1.0
    factor, _ = factorize(scaled)
    half = solve_triangular(factor, root[:, None] * K, lower=True, check_finite=False)
    seen = solve_triangular(factor, root * value, lower=True, check_finite=False)
    return half.T @ seen, np.maximum(np.diag(K) - (half**2).sum(axis=0), 1e-14 * np.diag(K))
