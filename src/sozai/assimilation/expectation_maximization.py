"""The same optimum by another road: expectation and maximization from the sums alone."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.assimilation.evidence_sums import assemble
from sozai.assimilation.inner_fit import LOG_FLOOR, LOG_TOP, InnerFit
from sozai.assimilation.outer_search import maximize, polish
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence

__all__ = ["ExpectationMaximization", "cross_check"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ExpectationMaximization:
    """Optimum of the penalized observed-data likelihood, found in two ways.

    Attributes
    ----------
    coupling, noise : ndarray of shape (d, d), (d,)
        C and variances of the noise, of the standardized data, by expectation and maximization.
    coef : ndarray of shape (d, P)
        W, standardized.
    profile_coupling, profile_noise, profile_coef : ndarray
        The same by searching over coupling and noise with the coefficients at their best.
    log_likelihood : ndarray of shape (n_iterations,)
        Penalized, after every step; it never falls.
    profile_log_likelihood : float

    Examples
    --------
    >>> zero, one = np.zeros((1, 1)), np.ones(1)
    >>> ExpectationMaximization(zero, one, zero, zero, one, zero, np.array([-2.0, -1.0]), -1.0)
    ExpectationMaximization(2 steps, log likelihood -1, 0 below the search)
    """

    coupling: Array
    noise: Array
    coef: Array
    profile_coupling: Array
    profile_noise: Array
    profile_coef: Array
    log_likelihood: Array
    profile_log_likelihood: float

    def __repr__(self) -> str:
        last = float(self.log_likelihood[-1])
        return (
            f"ExpectationMaximization({len(self.log_likelihood)} steps, log likelihood {last:.6g}, "
            f"{self.profile_log_likelihood - last:.2g} below the search)"
        )

    def to_frame(self) -> pd.DataFrame:
        """Coupling, noise and coefficients side by side."""
        d = len(self.noise)
        rows = [
            (f"C[{j},{i}]", self.coupling[j, i], self.profile_coupling[j, i])
            for j in range(d)
            for i in range(j)
        ]
        rows += [(f"noise[{j}]", self.noise[j], self.profile_noise[j]) for j in range(d)]
        rows += [
            (f"W[{j},{k}]", self.coef[j, k], self.profile_coef[j, k]) for j, k in np.ndindex(self.coef.shape)
        ]
        return pd.DataFrame(rows, columns=["parameter", "expectation_maximization", "search"]).set_index(
            "parameter"
        )


def completed(fit: InnerFit, C: Array, noise: Array, R: Array) -> tuple[Array, Array, Array]:
    r"""Expected sums over all rows as if no value were missing: xx, xy, yy.

    With :math:`S = \Sigma_{\cdot o}(\Sigma_{oo} + D)^{-1}` a row is replaced by
    :math:`Wx + S(y_o - W_ox)`, and :math:`\Sigma - S\Sigma_{o\cdot}` is added once for every row.
    """
    g, d = fit.grams, fit.d
    J = np.linalg.inv(np.eye(d) - C)
    W, covariance = J @ R, (J * noise) @ J.T
    k = g.xx.shape[1]
    xx, xy, yy = np.zeros((k, k)), np.zeros((k, d)), np.zeros((d, d))
    for o in range(len(g.counts)):
        seen = np.flatnonzero(g.observed[o])
        inner = covariance[np.ix_(seen, seen)] + np.diag(g.known[o, seen])
        S = np.linalg.solve(inner, covariance[seen]).T
        F = W - S @ W[seen]
        cross, own = g.xy[o][:, seen], g.yy[o][np.ix_(seen, seen)]
        mixed = F @ cross @ S.T
        xx += g.xx[o]
        xy += g.xx[o] @ F.T + cross @ S.T
        yy += F @ g.xx[o] @ F.T + mixed + mixed.T + S @ own @ S.T
        yy += g.counts[o] * (covariance - S @ covariance[seen])
    return xx, xy, yy


def best_noise(rest: float, count: float, mean: float, spread: float) -> float:
    """Variance that maximizes the Gaussian likelihood of a sum of squares, with its log-normal prior."""
    if np.isinf(spread):
        return float(np.clip(rest / count, np.exp(LOG_FLOOR), np.exp(LOG_TOP)))
    low, high = LOG_FLOOR, LOG_TOP
    for _ in range(200):  # the derivative falls with the logarithm: halve the interval
        middle = 0.5 * (low + high)
        slope = 0.5 * (rest * np.exp(-middle) - count) - (middle - mean) / spread**2
        low, high = (middle, high) if slope > 0 else (low, middle)
    return float(np.exp(0.5 * (low + high)))


def maximized(
    fit: InnerFit, C: Array, noise: Array, R: Array, sums: tuple[Array, Array, Array]
) -> tuple[Array, Array, Array]:
    """One penalized regression for every source, then its noise."""
    xx, xy, yy = sums
    count = float(fit.grams.counts.sum())
    C, noise, R = C.copy(), noise.copy(), R.copy()
    means, prior = fit.prior.coupling_means(fit.d), fit.prior
    for j in range(fit.d):
        ours = np.flatnonzero(fit.unknowns.source == j)
        columns = fit.unknowns.column[ours]
        free = fit.columns[fit.rows == j]
        held = fit.fixed[j]
        right_x, right_y = xy[columns, j] - xy[columns] @ held, yy[free, j] - yy[free] @ held
        M = np.block(
            [
                [yy[np.ix_(free, free)], xy[np.ix_(columns, free)].T],
                [xy[np.ix_(columns, free)], xx[np.ix_(columns, columns)]],
            ]
        )
        penalty = np.concatenate(
            [np.full(len(free), 1 / prior.coupling_std**2), fit.unknowns.precision[ours]]
        )
        center = np.concatenate([means[j, free], np.zeros(len(ours))])
        right = np.concatenate([right_y, right_x])
        beta = np.linalg.solve(M / noise[j] + np.diag(penalty), right / noise[j] + penalty * center)
        own = yy[j, j] - 2 * held @ yy[:, j] + held @ yy @ held
        rest = float(own - 2 * beta @ right + beta @ M @ beta)
        noise[j] = best_noise(max(rest, 0.0), count, prior.noise_log_mean, prior.noise_log_std)
        C[j, free] = beta[: len(free)]
        R[j] = 0.0
        R[j, columns] = beta[len(free) :]
    return C, noise, R


def penalized(fit: InnerFit, C: Array, noise: Array, R: Array) -> float:
    """Observed-data log likelihood with all log priors, up to the constants the search leaves out."""
    g, u = fit.grams, fit.unknowns
    theta = R[u.source, u.column]
    J = np.linalg.inv(np.eye(fit.d) - C)
    A, b, total, _ = assemble(
        J, noise, g.counts, g.observed, g.known, g.xx, g.xy, g.yy, g.label, u.source, u.column, u.group
    )
    A = A + np.tril(A, -1).T + np.diag(u.precision)
    phi = np.concatenate([C[fit.rows, fit.columns], np.log(noise)])
    return float(-0.5 * total + b @ theta - 0.5 * theta @ A @ theta + fit._log_prior(phi)[0])


def cross_check(fit: InnerFit, n_iterations: int, tolerance: float) -> ExpectationMaximization:
    """Run both roads to the optimum of one pattern.

    Parameters
    ----------
    fit : InnerFit
        Without offsets.
    n_iterations : int
    tolerance : float
        Largest step of coupling, log noise and coefficients at which expectation and maximization stops.

    Warns
    -----
    ConvergenceWarning
        When the steps run out.
    """
    if fit.unknowns.offsets.any():
        raise InputError(
            sentence(
                "GaussianAssimilator.expectation_maximization", "offset", "be None", "GroupOffset",
                remedy="Leave offset out for the check.",
            )
        )  # fmt: skip
    searched = copy.copy(fit)
    searched.profile = True
    k, d = fit.grams.xx.shape[1], fit.d
    phi = fit.starts()[0]
    C, noise, R = fit.coupling(phi), fit.noise(phi), np.zeros((d, k))
    trace = [penalized(fit, C, noise, R)]
    for _ in range(n_iterations):
        before = np.concatenate([C.ravel(), np.log(noise), R.ravel()])
        C, noise, R = maximized(fit, C, noise, R, completed(fit, C, noise, R))
        trace.append(penalized(fit, C, noise, R))
        if np.abs(np.concatenate([C.ravel(), np.log(noise), R.ravel()]) - before).max() <= tolerance:
            break
    else:
        warnings.warn(
            f"GaussianAssimilator.expectation_maximization: still gaining {trace[-1] - trace[-2]:.2g} after "
            f"{n_iterations} steps. Rows with all sources present make it faster.",
            ConvergenceWarning,
            stacklevel=3,
        )
    optimum = maximize(searched)
    if trace[-1] > optimum.value + 1e-6:  # another valley: go to its bottom
        optimum = polish(searched, np.concatenate([C[fit.rows, fit.columns], np.log(noise)]))
    theta = fit.solution(optimum.phi).theta
    maps = [np.eye(fit.n_terms)] + [m for m in fit.kept.maps if m is not None]
    W = np.linalg.inv(np.eye(d) - C) @ R @ np.hstack(maps).T
    return ExpectationMaximization(
        C, noise, W, fit.coupling(optimum.phi), fit.noise(optimum.phi),
        fit.inverse_of(optimum.phi) @ fit.correction_of(theta), np.array(trace), optimum.value,
    )  # fmt: skip
