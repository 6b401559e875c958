"""What one more term, or one less, does to the evidence at fixed coupling and noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from sozai.assimilation.evidence_sums import assemble
from sozai.assimilation.inner_fit import InnerFit

__all__ = ["term_gains", "term_losses"]

Array = NDArray[np.float64]


def _assembled(fit: InnerFit, phi: Array) -> tuple[Array, Array, Array, Array]:
    """Lower Cholesky factor of A, the coefficients, J and the inverse covariances."""
    g, u = fit.grams, fit.unknowns
    J = fit.inverse_of(phi)
    A, b, _, K = assemble(
        J,
        fit.noise(phi),
        g.counts,
        g.observed,
        g.known,
        g.xx,
        g.xy,
        g.yy,
        g.label,
        u.source,
        u.column,
        u.group,
    )
    A[np.diag_indices(len(A))] += fit.precision(phi)
    lower, _ = lapack.dpotrf(A, lower=1)
    return lower, lapack.dpotrs(lower, b, lower=1)[0], J, K


def term_gains(
    fit: InnerFit, phi: Array, correction: int, outside: Sequence[int], directions: Array | None
) -> Array:
    r"""Gain of log evidence by every term that is outside a correction.

    With v the part of the term that is new to the correction, of length 1,
    :math:`s = A_{vv} - A_{vS}A_{SS}^{-1}A_{Sv}` (prior included) and
    :math:`q = b_v - A_{vS}\hat\theta` the gain is :math:`\tfrac12[q^2/s + \log(p_0/s)]`.

    Parameters
    ----------
    fit : InnerFit
    phi : ndarray
    correction : int
        0 for the second source.
    outside : sequence of int
        Terms.
    directions : ndarray of shape (P, P), optional
        Plain terms in basis columns.

    Returns
    -------
    ndarray of shape (len(outside),)
    """
    g, u, P, j = fit.grams, fit.unknowns, fit.n_terms, correction + 1
    lower, theta, J, K = _assembled(fit, phi)
    V = np.eye(P) if directions is None else directions
    V = V[:, list(outside)]
    B = fit.kept.columns(correction, P)
    for _ in range(2):
        V = V - B @ (B.T @ V)
    norms = np.linalg.norm(V, axis=0)
    V = V / np.where(norms > 1e-10, norms, 1.0)
    cross, own, right = np.zeros((P, len(theta))), np.zeros((P, P)), np.zeros(P)
    for o in range(len(g.counts)):
        weights = J[:, j] @ K[o] @ J
        if not weights.any():
            continue
        active = (u.group < 0) | (u.group == g.label[o])
        cross += g.xx[o][:P][:, u.column] * (weights[u.source] * active)
        own += weights[j] * g.xx[o][:P, :P]
        right += g.xy[o][:P] @ (K[o] @ J[:, j])
    p0 = 1 / fit.prior.correction_variance
    mixed = V.T @ cross
    s = np.einsum("ka,kl,la->a", V, own, V) + p0
    s = s - (solve_triangular(lower, mixed.T, lower=True, check_finite=False) ** 2).sum(axis=0)
    q = V.T @ right - mixed @ theta
    return np.where(norms > 1e-10, 0.5 * (q**2 / s + np.log(max(p0, 1e-300) / s)), -np.inf)


def term_losses(fit: InnerFit, phi: Array, correction: int, directions: Array | None) -> Array:
    """Loss of log evidence by every term inside a correction, when it alone is left out."""
    lower, theta, *_ = _assembled(fit, phi)
    terms = list(fit.kept.terms[correction])
    if not terms:
        return np.zeros(0)
    first = fit.n_terms + sum(len(t) for t in fit.kept.terms[:correction])
    block = slice(first, first + len(terms))
    if directions is None:
        W = np.eye(len(terms))
    else:
        triangle = fit.kept.columns(correction, fit.n_terms).T @ directions[:, terms]
        W = np.linalg.inv(triangle).T
        W = W / np.linalg.norm(W, axis=0)
    spread = np.zeros((len(theta), len(terms)))
    spread[block] = W
    variance = (solve_triangular(lower, spread, lower=True, check_finite=False) ** 2).sum(axis=0)
    p0 = 1 / fit.prior.correction_variance
    return 0.5 * ((W.T @ theta[block]) ** 2 / variance + np.log(max(p0, 1e-300) * variance))
