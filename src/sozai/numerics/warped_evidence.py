"""Marginal likelihood of a process seen through a bent scale: the bend is learned with the length scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from sozai.numerics.kernels import Kernel
from sozai.numerics.process_evidence import Evidence
from sozai.numerics.small_evidence import bent_moments

__all__ = ["WarpedEvidence", "bend", "bend_slope", "unbend"]

Array = NDArray[np.float64]

#: Below this distance of an exponent from zero the power becomes its logarithm.
_FLAT = 1e-6
#: Prior of the bend, mean and standard deviation, and its bounds: from 0 on a bent scale has no upper end.
BEND_PRIOR, BEND_BOUNDS = (1.0, 1.0), (0.0, 5.0)


def bend(y: Array, exponent: float) -> Array:
    r"""Bend a scale by one number (Yeo-Johnson): exponent 1 leaves it, larger ones draw the low tail in.

    Parameters
    ----------
    y : ndarray
        Standardized values.
    exponent : float
        :math:`\lambda`.

    Returns
    -------
    ndarray
        :math:`((1+y)^\lambda - 1)/\lambda` for :math:`y \ge 0`,
        :math:`-((1-y)^{2-\lambda} - 1)/(2-\lambda)` below; increasing for every exponent.

    See Also
    --------
    sklearn.preprocessing.PowerTransformer : The same map, its exponent from the values alone.

    References
    ----------
    .. [1] I.-K. Yeo, R. A. Johnson, A new family of power transformations to improve normality or
       symmetry, Biometrika 87, 954 (2000).

    Examples
    --------
    >>> bend(np.array([-1.0, 0.0, 1.0]), 2.0).round(4).tolist()
    [-0.6931, 0.0, 1.5]
    """
    values = np.asarray(y, dtype=np.float64)
    above = values >= 0
    size = np.log1p(np.abs(values))
    power = np.where(above, exponent, 2.0 - exponent)
    flat = np.abs(power) < _FLAT
    safe = np.where(flat, 1.0, power)
    grown = np.where(flat, size, np.expm1(safe * size) / safe)
    return np.asarray(np.where(above, grown, -grown))


def bend_slope(y: Array, exponent: float) -> Array:
    """Derivative of :func:`bend` by y.

    Examples
    --------
    >>> bend_slope(np.array([-1.0, 0.0, 1.0]), 2.0).tolist()
    [0.5, 1.0, 2.0]
    """
    power = np.where(np.asarray(y) >= 0, exponent - 1.0, 1.0 - exponent)
    return np.asarray((1.0 + np.abs(y)) ** power)


def unbend(w: Array, exponent: float) -> Array:
    """Inverse of :func:`bend`; values beyond its range give the largest number that does not overflow.

    Examples
    --------
    >>> unbend(bend(np.array([-1.0, 0.5]), 2.5), 2.5).round(12).tolist()
    [-1.0, 0.5]
    """
    values = np.asarray(w, dtype=np.float64)
    above = values >= 0
    power = np.where(above, exponent, 2.0 - exponent)
    flat = np.abs(power) < _FLAT
    safe = np.where(flat, 1.0, power)
    inside = np.maximum(safe * np.abs(values), -1.0 + 1e-12)
    size = np.where(flat, np.abs(values), np.log1p(inside) / safe)
    size = np.expm1(np.minimum(size, 300.0))
    return np.asarray(np.where(above, size, -size))


class WarpedEvidence(Evidence):
    r"""Negative log posterior of the parameters of a process and of the bend of its target's scale.

    Parameters
    ----------
    kernel, Z, y, options
        As for :class:`~sozai.numerics.process_evidence.Evidence`.

    Notes
    -----
    The last parameter is the exponent :math:`\lambda` of :func:`bend`, with prior N(1, 1). The bent
    target w is standardized again, so that the priors keep their meaning; with its standard deviation s,

    .. math:: J = J_0(w) + n\log s - (\lambda - 1)\sum_i \mathrm{sign}(y_i)\log(1+|y_i|)
              + \tfrac12(\lambda - 1)^2,

    and :math:`\partial J_0/\partial w = \alpha`, so the exponent costs nothing beside the rest [1]_.
    It is 0 (the logarithm of large values) or more: below, the bent scale would end at a finite number,
    and what is predicted past it would have no value.
    Known noise is not bent: it is a variance of the standardized target.

    References
    ----------
    .. [1] E. Snelson, C. E. Rasmussen, Z. Ghahramani, Warped Gaussian processes, NIPS (2003).

    Examples
    --------
    >>> from sozai.numerics.kernels import Matern
    >>> from sozai.numerics.process_evidence import maximize_evidence
    >>> Z = np.linspace(-0.5, 0.5, 20)[:, None]
    >>> y = np.exp(2 * np.sin(6 * Z[:, 0]))
    >>> evidence = WarpedEvidence(Matern(), Z, (y - y.mean()) / y.std())
    >>> theta, _, _ = maximize_evidence(evidence, evidence.starts(0, np.random.default_rng(0)))
    >>> bool(theta[-1] < 1.0)
    True
    """

    def __init__(self, kernel: Kernel, Z: Array, y: Array, **options: Any) -> None:
        super().__init__(kernel, Z, y, **options)
        mean, deviation = BEND_PRIOR
        self._moment = float((np.sign(y) * np.log1p(np.abs(y))).sum())
        self.prior_mean = np.append(self.prior_mean, mean)
        self.prior_deviation = np.append(self.prior_deviation, deviation)
        self.bounds = np.vstack([self.bounds, BEND_BOUNDS])
        self.prior_root = block_diag(self.prior_root, deviation)
        self.prior_precision = block_diag(self.prior_precision, deviation**-2.0)

    def _start(self, length: float, amplitude: float, slope: float, noise: float) -> Array:
        """Every fixed start leaves the scale as it is."""
        theta = super()._start(length, amplitude, slope, noise)
        theta[-1] = 1.0
        return theta

    def target(self, exponent: float) -> Array:
        """The bent target, standardized again."""
        bent = bend(self.y, exponent)
        return np.asarray((bent - bent.mean()) / bent.std())

    def likelihood(self, theta: Array) -> tuple[float, Array]:
        """Negative log marginal likelihood of the target as it came, and its gradient."""
        exponent = float(theta[-1])
        w, slopes = np.empty(len(self.y)), np.empty(len(self.y))
        spread, stretch = bent_moments(self.y, exponent, w, slopes)
        value, inner, alpha = self.likelihood_and_weights(theta[:-1], w)
        moved = float(alpha @ (slopes - w * stretch)) + len(w) * stretch - self._moment
        value += len(w) * math.log(spread) - (exponent - 1.0) * self._moment
        return value, np.append(inner, moved)
