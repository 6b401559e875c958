"""Marginal likelihood of a Gaussian process, its gradient, and where it is largest."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import minimize

from sozai.contracts.errors import ConvergenceWarning, NotInvertibleError
from sozai.numerics.kernels import Kernel, PullBack
from sozai.numerics.pool_kernels import kernel_code
from sozai.numerics.small_evidence import small_evidence

__all__ = ["Evidence", "ProcessParameters", "ProcessPriors", "factorize", "maximize_evidence"]

Array = NDArray[np.float64]

#: Prior variance of the constant mean, in units of the target's variance.
MEAN_VARIANCE = 100.0
#: Shares of the mean diagonal that are added when a covariance has lost its definiteness.
JITTERS = (0.0, 1e-10, 1e-8, 1e-6, 1e-4)
#: Bounds of the logarithms: length scale (unit cube), amplitude, slope, noise.
BOUNDS = {"length": (-5.0, 5.0), "amplitude": (-12.0, 7.0), "slope": (-12.0, 14.0), "noise": (-18.4, 1.1)}
#: Starts that between them reached the best optimum of five test functions in 100 of 100 tables: a lively
#: function with little noise, and a smooth one that is nearly exact. From noisy starts the optimizer often
#: stays where everything is noise.
STARTS = (
    {"length": -0.5, "amplitude": 1.0, "slope": 0.0, "noise": -5.0},
    {"length": 1.0, "amplitude": 3.0, "slope": 0.0, "noise": -8.0},
)

#: Steps from every start before only the best goes on; loses at most one unit of log likelihood in 1 of 40
#: tables against following every start to its end.
FIRST_STEPS = 12

#: Rows and columns up to which compiled loops beat the library's factorization.
_FEW_ROWS, _FEW_COLUMNS = 200, 32


@dataclass(frozen=True)
class ProcessPriors:
    r"""Normal priors of the logarithms, for points in the unit cube and a target of variance 1.

    Each is a pair (mean, standard deviation).

    Parameters
    ----------
    length : (float, float)
        Of :math:`\log\ell_j`; half the logarithm of the number of columns is added to the mean, so
        that distances in many columns do not make all rows strangers.
    amplitude : (float, float)
        Of the logarithm of the variance of the process.
    slope : (float, float)
        Of the logarithm of the variance of the linear part.
    noise : (float, float)
        Of the logarithm of the noise variance.
    spread : float, optional
        Standard deviation of :math:`\log\ell_j` about a value common to all columns, which then has the
        prior ``length``: few rows do not tell the columns apart, and should not be made to. Left out,
        columns are independent.

    References
    ----------
    .. [1] C. Hvarfner, E. O. Hellsten, L. Nardi, Vanilla Bayesian optimization performs great in high
       dimensions, arXiv:2402.02229 (2024).

    Examples
    --------
    >>> ProcessPriors(noise=(-8.0, 1.0)).noise
    (-8.0, 1.0)
    """

    length: tuple[float, float] = (2.0**0.5, 3.0**0.5)
    amplitude: tuple[float, float] = (0.0, 2.0)
    slope: tuple[float, float] = (4.0, 3.0)
    noise: tuple[float, float] = (-3.0, 2.5)
    spread: float | None = None

    def layout(self, n_lengths: int, *, linear: bool, fit_noise: bool) -> tuple[Array, Array, Array]:
        """Means, standard deviations and bounds of all logarithms, shapes (k,), (k,), (k, 2)."""
        mean, deviation = self.length
        rows = [(mean + 0.5 * np.log(n_lengths), deviation, *BOUNDS["length"])] * n_lengths
        rows.append((*self.amplitude, *BOUNDS["amplitude"]))
        if linear:
            rows.append((*self.slope, *BOUNDS["slope"]))
        if fit_noise:
            rows.append((*self.noise, *BOUNDS["noise"]))
        table = np.array(rows)
        return table[:, 0], table[:, 1], table[:, 2:]

    def covariance(self, deviation: Array, n_lengths: int) -> Array:
        """Prior covariance of all logarithms, shape (k, k), from their standard deviations."""
        total = np.diag(deviation**2)
        if self.spread is not None:
            total[:n_lengths, :n_lengths] = self.length[1] ** 2 + self.spread**2 * np.eye(n_lengths)
        return total


@dataclass(frozen=True)
class ProcessParameters:
    """Parameters of a process on the unit cube.

    Attributes
    ----------
    length_scales : ndarray of shape (n_columns,)
    amplitude, slope, noise : float
        Variances; ``slope`` is 0 without a linear part.

    Examples
    --------
    >>> import numpy as np
    >>> ProcessParameters(np.ones(2), 1.0, 0.0, 0.1).noise
    0.1
    """

    length_scales: Array
    amplitude: float
    slope: float
    noise: float

    def covariance(self, kernel: Kernel, A: Array, B: Array | None = None) -> Array:
        """Prior covariance of the function, constant and linear part included, without noise."""
        total = self.amplitude * kernel.matrix(A, B, self.length_scales)
        total += MEAN_VARIANCE
        if self.slope > 0.0:
            left = A / self.length_scales
            total += self.slope * (left @ (left if B is None else B / self.length_scales).T)
        return np.asarray(total)

    def variance(self, kernel: Kernel, A: Array) -> Array:
        """Prior variance of the function at every point."""
        total = self.amplitude * kernel.diagonal(A) + MEAN_VARIANCE
        if self.slope > 0.0:
            total = total + self.slope * ((A / self.length_scales) ** 2).sum(axis=1)
        return np.asarray(total)


class Evidence:
    r"""Negative log posterior of the parameters of a process, with its gradient.

    Parameters
    ----------
    kernel : Kernel
    Z : ndarray of shape (n, n_columns)
        Points in the unit cube, the origin at its center.
    y : ndarray of shape (n,)
        Target of mean 0 and variance 1.
    linear : bool
        Whether a linear part stands beside the kernel.
    known_noise : ndarray of shape (n,) or None
        Noise variance of every row, on top of the fitted one.
    fixed_noise : float or None
        Noise variance that is not fitted.
    priors : ProcessPriors
    groups : ndarray of int of shape (n_columns,) or None
        Columns of one number share one length scale; left out, every column has its own.
    noise_shares : ndarray of shape (n,), optional
        Multiplies the noise of every row: 1/m for the mean of m results.
    drift : ndarray of shape (n, q), optional
        Columns beside those of ``Z`` whose linear function is integrated out, each slope with the prior
        variance of the constant.

    Notes
    -----
    With :math:`K = s^2 k(Z, Z) + t^2 \sum_j z_j z_j^T/\ell_j^2 + b^2 11^T + \sigma^2 I`,
    :math:`\alpha = K^{-1}y` and :math:`Q = K^{-1} - \alpha\alpha^T`,

    .. math:: J = \tfrac12 y^T\alpha + \sum_i \log L_{ii} + \tfrac n2\log 2\pi - \log p(\theta), \qquad
       \partial J/\partial\theta = \tfrac12 \mathrm{tr}(Q\,\partial K/\partial\theta) - \partial\log p.

    The linear part shares the length scales, so that a column without
    influence leaves both; the constant (and with it generalized least squares)
    is integrated out with prior variance :math:`b^2 = 100`. One value costs
    :math:`O(n^3 + n^2 p)` time and five n by n arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Z = np.linspace(-0.5, 0.5, 8)[:, None]
    >>> evidence = Evidence(Gaussian(), Z, np.sin(6 * Z[:, 0]))
    >>> value, gradient = evidence(evidence.starts(0, np.random.default_rng(0))[0])
    >>> gradient.shape
    (3,)
    """

    def __init__(
        self,
        kernel: Kernel,
        Z: Array,
        y: Array,
        *,
        linear: bool = False,
        known_noise: Array | None = None,
        fixed_noise: float | None = None,
        priors: ProcessPriors | None = None,
        groups: NDArray[np.int64] | None = None,
        noise_shares: Array | None = None,
        drift: Array | None = None,
    ) -> None:
        self._drift = None if drift is None else MEAN_VARIANCE * (drift @ drift.T)
        self.noise_shares: Array | float = 1.0 if noise_shares is None else noise_shares
        self.kernel, self.Z, self.y, self.linear = kernel, Z, y, linear
        self.known_noise, self.fixed_noise = known_noise, fixed_noise
        self.groups = np.arange(Z.shape[1]) if groups is None else groups
        self.n_lengths = int(self.groups.max()) + 1
        self._noise_at = self.n_lengths + 1 + int(linear)
        priors = priors or ProcessPriors()
        self.prior_mean, self.prior_deviation, self.bounds = priors.layout(
            self.n_lengths, linear=linear, fit_noise=fixed_noise is None
        )
        self.prior_root = np.linalg.cholesky(priors.covariance(self.prior_deviation, self.n_lengths))
        self.prior_precision = lapack.dpotri(self.prior_root, lower=1)[0]
        self.prior_precision += np.tril(self.prior_precision, -1).T
        is_small = len(Z) <= _FEW_ROWS and Z.shape[1] <= _FEW_COLUMNS and not linear and drift is None
        self._code = kernel_code(kernel) if is_small else -1
        if self._code >= 0:
            self._columns = np.ascontiguousarray(Z.T, dtype=np.float64)
            self._shares = np.ascontiguousarray(np.broadcast_to(self.noise_shares, len(Z)), dtype=np.float64)
            self._known = (
                np.zeros(len(Z)) if known_noise is None else np.asarray(known_noise, dtype=np.float64)
            )

    def starts(self, n_draws: int, rng: np.random.Generator) -> list[Array]:
        """Two fixed starts, then draws from the prior."""
        draws = rng.standard_normal((n_draws, len(self.prior_mean)))
        fixed = [self._start(**values) for values in STARTS]
        return fixed + [self.prior_mean + self.prior_root @ draw for draw in draws]

    def _start(self, length: float, amplitude: float, slope: float, noise: float) -> Array:
        """Logarithms of a start; the length scale is that of one column among many."""
        theta = np.full(len(self.prior_mean), length + 0.5 * np.log(self.n_lengths))
        theta[self.n_lengths] = amplitude
        if self.linear:
            theta[self.n_lengths + 1] = slope
        if self.fixed_noise is None:
            theta[self._noise_at] = noise
        return theta

    def parameters(self, theta: Array) -> ProcessParameters:
        """Parameters from their logarithms: length scales, amplitude, slope, noise."""
        values = np.exp(theta)
        return ProcessParameters(
            length_scales=values[self.groups],
            amplitude=float(values[self.n_lengths]),
            slope=float(values[self.n_lengths + 1]) if self.linear else 0.0,
            noise=float(values[self._noise_at]) if self.fixed_noise is None else self.fixed_noise,
        )

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient of J; a covariance that cannot be factorized counts as very bad."""
        value, gradient = self.likelihood(theta)
        deviation = theta - self.prior_mean
        pull = self.prior_precision @ deviation
        return value + 0.5 * float(deviation @ pull), gradient + pull

    def likelihood(self, theta: Array) -> tuple[float, Array]:
        """Negative log marginal likelihood and its gradient, without the priors."""
        return self.likelihood_and_weights(theta, self.y)[:2]

    def likelihood_and_weights(self, theta: Array, y: Array) -> tuple[float, Array, Array]:
        r"""Negative log marginal likelihood of a target, gradient, and :math:`\alpha`, its gradient in y."""
        part = self.parameters(theta)
        if self._code >= 0:
            alpha, slopes = np.empty(len(y)), np.empty(len(self._columns) + 2)
            level = small_evidence(
                self._code, self._columns, 1.0 / (self.kernel.width * part.length_scales), part.amplitude,
                MEAN_VARIANCE, part.noise, self._shares, self._known, y, alpha, slopes,
            )  # fmt: skip
            if np.isfinite(level):
                return level, self._grouped(slopes), alpha
        value, pullback = self.kernel.matrix_and_pullback(self.Z, part.length_scales)
        K = part.amplitude * value + MEAN_VARIANCE
        scaled = self.Z / part.length_scales
        if self.linear:
            K += part.slope * (scaled @ scaled.T)
        if self._drift is not None:
            K += self._drift
        K.flat[:: len(K) + 1] += part.noise * self.noise_shares + (
            0.0 if self.known_noise is None else self.known_noise
        )
        try:
            factor, _ = factorize(K)
        except NotInvertibleError:
            return 1e10, np.zeros_like(theta), np.zeros_like(y)
        inverse, _ = lapack.dpotri(factor, lower=1)
        inverse += np.tril(inverse, -1).T
        alpha = inverse @ y
        level = float(np.log(np.diag(factor)).sum()) + 0.5 * len(y) * np.log(2.0 * np.pi)
        Q = inverse - np.outer(alpha, alpha)
        gradient = self._gradient(part, value, pullback, scaled, Q)
        return 0.5 * float(y @ alpha) + level, gradient, alpha

    def _grouped(self, slopes: Array) -> Array:
        """Derivatives by columns, amplitude and noise, added up over the columns of a group."""
        p = len(self.groups)
        rest = slopes[p:] if self.fixed_noise is None else slopes[p : p + 1]
        lengths = slopes[:p]
        if self.n_lengths < p:
            lengths = np.asarray(np.bincount(self.groups, weights=lengths, minlength=self.n_lengths))
        return np.concatenate([lengths, rest])

    def _gradient(
        self, part: ProcessParameters, value: Array, pullback: PullBack, scaled: Array, Q: Array
    ) -> Array:
        """Half the trace of Q with every derivative of the covariance."""
        columns = 0.5 * part.amplitude * pullback(Q)
        rest = [0.5 * part.amplitude * float(np.vdot(Q, value))]
        if self.linear:
            per_column = part.slope * (Q @ scaled * scaled).sum(axis=0)
            columns = columns - per_column
            rest.append(0.5 * float(per_column.sum()))
        if self.fixed_noise is None:
            rest.append(0.5 * part.noise * float((np.diag(Q) * self.noise_shares).sum()))
        lengths = np.bincount(self.groups, weights=columns, minlength=self.n_lengths)
        return np.concatenate([lengths, rest])


def maximize_evidence(evidence: Evidence, starts: Sequence[Array]) -> tuple[Array, float, int]:
    """Best parameters by bounded quasi-Newton steps: a few from every start, then on from the best of them.

    Parameters
    ----------
    evidence : Evidence
    starts : sequence of ndarray of shape (k,)
        As :meth:`Evidence.starts` makes them, or the optimum of fewer rows.

    Returns
    -------
    theta : ndarray of shape (k,)
    value : float
        The smallest J.
    n_iterations : int
        Of all starts together.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Z = np.linspace(-0.5, 0.5, 8)[:, None]
    >>> evidence = Evidence(Gaussian(), Z, np.sin(6 * Z[:, 0]))
    >>> starts = evidence.starts(1, np.random.default_rng(0))
    >>> theta, value, _ = maximize_evidence(evidence, starts)
    >>> bool(value < evidence(starts[0])[0])
    True
    """
    points = [(np.clip(start, *evidence.bounds.T), np.inf) for start in starts]
    n_iterations = 0
    for n_steps in ([FIRST_STEPS] if len(starts) > 1 else []) + [200]:
        found = [_descend(evidence, theta, n_steps) for theta, _ in points]
        n_iterations += sum(n for _, _, n in found)
        points = [min(((theta, value) for theta, value, _ in found), key=lambda pair: pair[1])]
    return *points[0], n_iterations


def _descend(evidence: Evidence, theta: Array, n_steps: int) -> tuple[Array, float, int]:
    """Point, value and number of steps of one descent."""
    found = minimize(
        evidence,
        theta,
        jac=True,
        method="L-BFGS-B",
        bounds=evidence.bounds,
        options={"maxiter": n_steps, "ftol": 1e-8, "gtol": 1e-5},
    )
    return np.asarray(found.x), float(found.fun), int(found.nit)


def factorize(K: Array, *, warn: bool = False, place: str = "factorize") -> tuple[Array, float]:
    """Lower Cholesky factor, with the least jitter of the ladder that makes one possible.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Symmetric; only its lower half is read.
    warn : bool
        Warn when the jitter is 1e-6 or more of the mean diagonal.
    place : str
        Who asks, for the message.

    Returns
    -------
    factor : ndarray of shape (n, n)
        Lower triangular.
    jitter : float
        What was added to the diagonal.

    Raises
    ------
    NotInvertibleError
        If the whole ladder fails.

    Examples
    --------
    >>> import numpy as np
    >>> factor, jitter = factorize(np.ones((2, 2)))
    >>> jitter > 0, bool(np.allclose(factor @ factor.T, 1.0, atol=1e-5))
    (True, True)
    """
    scale = float(np.mean(np.diag(K)))
    for share in JITTERS:
        raised = K if share == 0.0 else K + share * scale * np.eye(len(K))
        factor, status = lapack.dpotrf(raised, lower=1, clean=1)
        if status == 0 and np.isfinite(factor[-1, -1]):
            if warn and share >= 1e-6:
                warnings.warn(
                    f"{place}: the covariance is singular to rounding; {share:g} of its diagonal was added. "
                    "Rows may repeat: merge them, or raise the noise.",
                    ConvergenceWarning,
                    stacklevel=3,
                )
            return factor, share * scale
    raise NotInvertibleError(
        f"{place}: the covariance must be positive definite. It is not, even with {JITTERS[-1]:g} of its "
        "diagonal added. Raise the noise or remove repeated rows."
    )
