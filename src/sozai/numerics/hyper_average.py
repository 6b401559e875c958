"""Parameters of a process drawn around the most probable ones, with weights, to average scores over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.numerics.process_evidence import Evidence

__all__ = ["HyperDraws", "draw_parameters"]

Array = NDArray[np.float64]

#: Degrees of freedom of the proposal, heavier in its tails than the posterior.
_FREEDOM = 5.0
#: Step of the central differences of the gradient, in units of a logarithm.
_STEP = 1e-3
#: Fewest draws that must count, as an effective number, for the average to be better than the optimum.
_LEAST_EFFECTIVE = 4.0
#: Draws of a smaller share of the largest weight are left out.
_NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class HyperDraws:
    r"""Weighted parameters.

    Attributes
    ----------
    thetas : ndarray of shape (n, k)
        Logarithms, as in :class:`~sozai.numerics.process_evidence.Evidence`.
    weights : ndarray of shape (n,)
        Sum 1.
    effective : float
        Effective number of draws, :math:`1/\sum w^2`.
    status : str
        Empty, or why the optimum alone is used.

    Examples
    --------
    >>> import numpy as np
    >>> HyperDraws(np.zeros((1, 3)), np.ones(1), 1.0, "")
    HyperDraws(1 of effectively 1.0)
    """

    thetas: Array
    weights: Array
    effective: float
    status: str

    def __repr__(self) -> str:
        return f"HyperDraws({len(self.weights)} of effectively {self.effective:.1f})"


def draw_parameters(evidence: Evidence, theta: Array, n: int, rng: np.random.Generator) -> HyperDraws:
    r"""Draw parameters from their posterior by importance sampling around its maximum.

    Parameters
    ----------
    evidence : Evidence
        Its value is J, the negative log posterior.
    theta : ndarray of shape (k,)
        Where J is smallest.
    n : int
        Draws; 0 gives the optimum alone.
    rng : Generator

    Returns
    -------
    HyperDraws

    Notes
    -----
    Proposal: Student t of 5 degrees of freedom with the Hessian of J at the optimum as precision
    (Laplace), from central differences of the analytic gradient; curvatures below that of the prior are
    raised to it. Draws come in pairs on both sides of the optimum, clipped to the bounds, weights
    :math:`e^{-J}/t`. When fewer than 4 draws count, the optimum alone is used and ``status`` says so.
    Cost: 2k + n evaluations of J.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Matern
    >>> from sozai.numerics.process_evidence import maximize_evidence
    >>> Z = np.linspace(-0.5, 0.5, 12)[:, None]
    >>> evidence = Evidence(Matern(), Z, np.sin(6 * Z[:, 0]) * 1.3)
    >>> theta, _, _ = maximize_evidence(evidence, evidence.starts(0, np.random.default_rng(0)))
    >>> draws = draw_parameters(evidence, theta, 16, np.random.default_rng(0))
    >>> round(float(draws.weights.sum()), 12), draws.status
    (1.0, '')
    """
    if n == 0:
        return HyperDraws(theta[None, :], np.ones(1), 1.0, "")
    values, vectors = np.linalg.eigh(_hessian(evidence, theta))
    values = np.maximum(values, float(np.linalg.eigvalsh(evidence.prior_precision)[0]))
    normal = rng.standard_normal(((n + 1) // 2, len(theta)))
    stretch = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, len(normal)))
    steps = (normal * stretch[:, None])[:, None, :] * np.array([1.0, -1.0])[None, :, None]
    steps = steps.reshape(-1, len(theta))[:n]
    thetas = np.clip(theta + (steps / np.sqrt(values)) @ vectors.T, *evidence.bounds.T)
    value = np.array([evidence(point)[0] for point in thetas])
    density = -0.5 * (_FREEDOM + len(theta)) * np.log1p((steps**2).sum(axis=1) / _FREEDOM)
    log_weights = -value - density
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    effective = 1.0 / float((weights**2).sum())
    if effective < min(_LEAST_EFFECTIVE, 0.5 * n):
        why = f"only {effective:.1f} of {n} draws of the parameters count; the most probable ones are used"
        return HyperDraws(theta[None, :], np.ones(1), effective, why)
    kept = weights > _NEGLIGIBLE * weights.max()
    return HyperDraws(thetas[kept], weights[kept] / weights[kept].sum(), effective, "")


def _hessian(evidence: Evidence, theta: Array) -> Array:
    """Second derivatives of J from central differences of its gradient."""
    steps = _STEP * np.eye(len(theta))
    rows = [(evidence(theta + step)[1] - evidence(theta - step)[1]) / (2.0 * _STEP) for step in steps]
    hessian = np.array(rows)
    return np.asarray(0.5 * (hessian + hessian.T))
