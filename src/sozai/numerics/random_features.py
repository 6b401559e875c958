"""Random features of a stationary kernel: prior functions, and regression in time linear in the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.kernels import Kernel
from sozai.numerics.process_evidence import factorize

__all__ = ["FeaturePosterior", "RandomFeatures"]

Array = NDArray[np.float64]

#: Candidates handled at once.
_BLOCK = 4096


class RandomFeatures:
    r"""Cosines and sines whose inner product is, on average, a kernel.

    Parameters
    ----------
    kernel : Kernel
        One with ``sample_frequencies``: Gaussian, Matern, Laplace.
    length_scales : array-like of shape (p,)
    amplitude : float
    n : int
        F, number of frequencies.
    rng : Generator

    Attributes
    ----------
    frequencies : ndarray of shape (n, p)
        Per unit of the points.
    n_columns : int
        Two for each frequency.

    See Also
    --------
    sklearn.kernel_approximation.RBFSampler : Of the Gaussian kernel, with random phases.

    Notes
    -----
    :math:`\phi(z) = \sqrt{s^2/F}\,[\sin\omega^Tz, \cos\omega^Tz]`; :math:`\phi(z)^T\phi(z')` differs from
    :math:`k(z, z')` by :math:`O(F^{-1/2})` and is exact for z = z' [1]_.

    References
    ----------
    .. [1] A. Rahimi, B. Recht, Random features for large-scale kernel machines, NIPS (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Matern
    >>> basis = RandomFeatures(Matern(), [1.0], 2.0, 500, np.random.default_rng(0))
    >>> phi = basis.matrix(np.zeros((1, 1)))
    >>> phi.shape, round(float((phi @ phi.T)[0, 0]), 12)
    ((1, 1000), 2.0)
    """

    def __init__(
        self, kernel: Kernel, length_scales: Any, amplitude: float, n: int, rng: np.random.Generator
    ) -> None:
        if not hasattr(kernel, "sample_frequencies"):
            raise InputError(
                sentence(
                    "RandomFeatures", "kernel", "have a spectral density", kernel,
                    remedy="Use Gaussian(), Matern() or Laplace().",
                )
            )  # fmt: skip
        scales = as_vector(length_scales, place="RandomFeatures", argument="length_scales")
        self.frequencies = np.asarray(kernel.sample_frequencies(int(n), len(scales), rng) / scales)
        self.amplitude, self.n_columns = float(amplitude), 2 * int(n)

    def __repr__(self) -> str:
        n, p = self.frequencies.shape
        return f"RandomFeatures({n} frequencies, {p} columns)"

    def matrix(self, points: Array) -> Array:
        """Features of some points, shape (m, 2 F); m rows at a time are the caller's choice."""
        phase = points @ self.frequencies.T
        n = len(self.frequencies)
        out = np.empty((len(points), 2 * n))
        np.sin(phase, out=out[:, :n])
        np.cos(phase, out=out[:, n:])
        out *= np.sqrt(self.amplitude / n)
        return out


class FeaturePosterior:
    r"""Posterior over a list of candidates in the space of random features: time linear in the data.

    Parameters
    ----------
    pool : array-like of shape (N, p)
    features : RandomFeatures
    noise : float
        :math:`\sigma^2`, positive.
    mean_variance : float, default=100.0
        :math:`b^2`, prior variance of the constant.

    Attributes
    ----------
    mean, variance : ndarray of shape (N,)
        Computed anew, in blocks, whenever asked for: :math:`O(NF^2)`.
    n_observed : int

    See Also
    --------
    sozai.numerics.pool_posterior.PoolPosterior : Exact; for up to some thousand data.

    Notes
    -----
    With a constant column b beside the features, :math:`A = I + \Phi^TD^{-1}\Phi`, :math:`D` the noise
    variances, the weights are :math:`N(A^{-1}\Phi^TD^{-1}y, A^{-1})`. n data cost :math:`O(nF^2)`, memory
    :math:`O(F^2)` whatever n and N are.

    References
    ----------
    .. [1] A. Rahimi, B. Recht, Random features for large-scale kernel machines, NIPS (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> basis = RandomFeatures(Gaussian(), [0.5], 1.0, 400, np.random.default_rng(0))
    >>> posterior = FeaturePosterior(np.linspace(0, 1, 3)[:, None], basis, 1e-4)
    >>> posterior.condition([0, 2], [1.0, -1.0]).mean.round(1).tolist()
    [1.0, 0.0, -1.0]
    """

    def __init__(
        self, pool: Any, features: RandomFeatures, noise: float, *, mean_variance: float = 100.0
    ) -> None:
        self._pool = as_matrix(pool, place="FeaturePosterior", argument="pool")
        if not (np.isfinite(noise) and noise > 0):
            raise InputError(
                sentence("FeaturePosterior", "noise", "be positive", noise,
                         remedy="In weight space the data need noise; 1e-6 of their variance will do.")
            )  # fmt: skip
        self._features, self.noise = features, float(noise)
        self._level = float(np.sqrt(mean_variance))
        self._gram = np.eye(features.n_columns + 1)
        self._moment = np.zeros(features.n_columns + 1)
        self.n_observed = 0
        self._factor: Array | None = None

    def __repr__(self) -> str:
        return f"FeaturePosterior({len(self._pool)} candidates, {self.n_observed} data)"

    def _matrix(self, points: Array) -> Array:
        """Features with the constant behind them."""
        return np.column_stack([self._features.matrix(points), np.full(len(points), self._level)])

    def condition(self, index: Any, y: Any, known_noise: Any = 0.0) -> FeaturePosterior:
        """Take in data; same as for the exact posterior.

        Parameters
        ----------
        index : int or array-like of int
        y : float or array-like
        known_noise : float or array-like
            Noise variance on top of ``noise``.

        Returns
        -------
        FeaturePosterior
            Itself.
        """
        place = "FeaturePosterior.condition"
        rows = np.atleast_1d(np.asarray(index, dtype=np.int64))
        if ((rows < 0) | (rows >= len(self._pool))).any():
            wrong = int(rows[(rows < 0) | (rows >= len(self._pool))][0])
            raise InputError(
                sentence(place, "index", f"lie in the pool (0 to {len(self._pool) - 1})", wrong,
                         remedy="Count candidates from 0.")
            )  # fmt: skip
        values = as_vector(np.atleast_1d(np.asarray(y)), len(rows), place=place)
        known = np.broadcast_to(np.asarray(known_noise, dtype=np.float64), rows.shape)
        if not (known >= 0).all():
            k = int(np.argmin(known >= 0))
            raise InputError(
                sentence(place, "known_noise", "be variances of zero or more", float(known[k]),
                         at=f"at row {k}", remedy="Pass squared standard deviations.")
            )  # fmt: skip
        with one_thread():
            for first in range(0, len(rows), _BLOCK):
                part = slice(first, first + _BLOCK)
                phi = self._matrix(self._pool[rows[part]])
                weighted = phi / (self.noise + known[part])[:, None]
                self._gram += phi.T @ weighted
                self._moment += weighted.T @ values[part]
        self.n_observed += len(rows)
        self._factor = None
        return self

    @property
    def factor(self) -> Array:
        """Lower Cholesky factor of A."""
        if self._factor is None:
            with one_thread():
                self._factor, _ = factorize(self._gram, warn=True, place="FeaturePosterior")
        return self._factor

    @property
    def weights(self) -> Array:
        """Posterior mean of the weights, shape (2 F + 1,); the constant's is the last."""
        solved, _ = lapack.dpotrs(self.factor, self._moment, lower=1)
        return np.asarray(solved)

    @property
    def mean(self) -> Array:
        """Posterior mean of every candidate."""
        weights = self.weights
        blocks = range(0, len(self._pool), _BLOCK)
        return np.concatenate([self._matrix(self._pool[k : k + _BLOCK]) @ weights for k in blocks])

    @property
    def variance(self) -> Array:
        """Posterior variance of the function at every candidate."""
        out = np.empty(len(self._pool))
        factor = self.factor
        with one_thread():
            for first in range(0, len(out), _BLOCK):
                phi = self._matrix(self._pool[first : first + _BLOCK])
                half = solve_triangular(factor, phi.T, lower=True, check_finite=False, overwrite_b=True)
                out[first : first + _BLOCK] = np.einsum("ab,ab->b", half, half)
        return out

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw functions from the posterior, at every candidate, shape (n, N)."""
        normal = rng.standard_normal((len(self._moment), n))
        drawn = solve_triangular(self.factor, normal, lower=True, trans=1, check_finite=False)
        drawn += self.weights[:, None]
        blocks = range(0, len(self._pool), _BLOCK)
        return np.concatenate([(self._matrix(self._pool[k : k + _BLOCK]) @ drawn).T for k in blocks], axis=1)
