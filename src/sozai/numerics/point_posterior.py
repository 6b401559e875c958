"""Posterior of a Gaussian process at one point after the other, with the gradients of mean and variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from sozai.contracts.parallel import one_thread
from sozai.numerics.kernels import Kernel, _Radial
from sozai.numerics.process_evidence import MEAN_VARIANCE, factorize

__all__ = ["PointPosterior"]

Array = NDArray[np.float64]

#: Step of differences, in length scales, for kernels without a slope.
_STEP = 1e-5


class PointPosterior:
    r"""Mean and variance at any point, and how they change with it.

    Parameters
    ----------
    kernel : Kernel
    Z : ndarray of shape (n, p)
    y : ndarray of shape (n,)
    noise : ndarray of shape (n,)
        Noise variance of every datum.
    length_scales : ndarray of shape (p,)
    amplitude : float
    mean_variance : float, default=100.0

    Notes
    -----
    With :math:`k_a = s^2k(z, z_a) + b^2` and :math:`K\alpha = y`: :math:`\mu = k^T\alpha`,
    :math:`v = s^2 + b^2 - k^TK^{-1}k` and, h as in :class:`~sozai.numerics.kernels.Kernel`,

    .. math:: \partial k_a/\partial z_j = -s^2h(r_a)(z_j - z_{aj})/\ell_j^2, \quad
       \partial\mu = \alpha^T\partial k, \quad \partial v = -2(K^{-1}k)^T\partial k.

    One point costs :math:`O(n^2 + np)`.

    Examples
    --------
    >>> from sozai.numerics.kernels import Matern
    >>> Z = np.array([[0.0], [1.0]])
    >>> posterior = PointPosterior(Matern(), Z, np.array([0.0, 1.0]), np.full(2, 1e-6), np.ones(1), 1.0)
    >>> mean, variance, slope, _ = posterior(np.array([0.5]))
    >>> round(mean, 2), bool(slope[0] > 0)
    (0.5, True)
    """

    def __init__(
        self,
        kernel: Kernel,
        Z: Array,
        y: Array,
        noise: Array,
        length_scales: Array,
        amplitude: float,
        mean_variance: float = MEAN_VARIANCE,
    ) -> None:
        self.kernel, self.Z, self.length_scales = kernel, Z, length_scales
        self.amplitude, self.mean_variance = amplitude, mean_variance
        K = amplitude * kernel.matrix(Z, None, length_scales) + mean_variance
        K.flat[:: len(K) + 1] += noise
        with one_thread():
            self._factor, _ = factorize(K)
            half = solve_triangular(self._factor, np.eye(len(K)), lower=True, check_finite=False)
            self._inverse = half.T @ half
            self._weights = self._inverse @ y

    def __repr__(self) -> str:
        return f"PointPosterior({len(self.Z)} data, {self.Z.shape[1]} columns)"

    def __call__(self, point: Array) -> tuple[float, float, Array, Array]:
        """Mean, variance and their gradients at one point (p,)."""
        value, slope = self._kernel_and_slope(point)
        solved = self._inverse @ value
        variance = self.amplitude + self.mean_variance - float(value @ solved)
        floor = 1e-12 * self.amplitude
        gradient = -2.0 * (solved @ slope) if variance > floor else np.zeros_like(point)
        return float(value @ self._weights), max(variance, floor), self._weights @ slope, gradient

    def _kernel_and_slope(self, point: Array) -> tuple[Array, Array]:
        """Covariance with the data (n,), and its derivative (n, p)."""
        if isinstance(self.kernel, _Radial):
            scales = self.kernel.width * self.length_scales
            steps = (point - self.Z) / scales
            value, slope = self.kernel.value_and_slope((steps**2).sum(axis=1))
            return (
                self.amplitude * value + self.mean_variance,
                -self.amplitude * slope[:, None] * steps / scales,
            )
        widths = _STEP * self.length_scales
        around = np.vstack([point, point + np.diag(widths), point - np.diag(widths)])
        table = self.amplitude * self.kernel.matrix(self.Z, around, self.length_scales)
        p = len(point)
        slope = (table[:, 1 : p + 1] - table[:, p + 1 :]) / (2.0 * widths)
        return table[:, 0] + self.mean_variance, slope
