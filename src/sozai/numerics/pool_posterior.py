"""Posterior of a Gaussian process over a whole list of candidates, one row for each new datum."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, solve_triangular

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.fantasy_posterior import LEAST_VARIANCE, FantasyPosterior
from sozai.numerics.kernels import Kernel
from sozai.numerics.pool_kernels import (
    add_datum,
    fill_kernel_block,
    fill_moments,
    fill_wave_block,
    kernel_code,
    radial_weights,
    subtract_rows,
)
from sozai.numerics.process_evidence import factorize
from sozai.numerics.random_features import RandomFeatures

__all__ = ["PoolPosterior"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Candidates solved for at once when many data come together.
_BLOCK = 4096
#: Candidates whose prior functions are drawn at once: 4 MB of features.
_WAVE_BLOCK = 256
#: Rows of the cross-covariance allocated at once.
_CHUNK = 32
#: Data after which the running variance is compared with a fresh one, on how many candidates, and how far
#: they may differ, in units of the amplitude.
_CHECK_EVERY, _CHECKED, _DRIFT = 64, 32, 1e-8
#: Smallest squared pivot, in units of the amplitude: the first step of the jitter ladder.
_PIVOT_FLOOR = 1e-10


class PoolPosterior:
    r"""Mean and variance of every candidate of a list, updated in one pass for each new datum.

    Parameters
    ----------
    pool : array-like of shape (N, p)
        Candidates, scaled so that one set of length scales fits them (the unit cube).
    kernel : Kernel
        Matern and Gaussian kernels run in compiled loops, others through their ``matrix``.
    length_scales : array-like of shape (p,)
        :math:`\ell`, in the unit of the pool.
    amplitude, noise : float
        :math:`s^2` and :math:`\sigma^2`, in squared units of y.
    mean_variance : float, default=100.0
        :math:`b^2`, prior variance of the constant mean, which is integrated out; 0 for a mean of 0.
    memory_limit : int, default=2**30
        Bytes for the cross-covariance V. When 8nN is more, V is kept in single precision (mean and variance
        stay in double, and agree to 1e-5 s); when 4nN is more, V is not kept but computed anew. Either is
        said once, by a ``ConvergenceWarning``.

    Attributes
    ----------
    mean, variance : ndarray of shape (N,)
        Of the latent function, without noise.
    n_observed : int
        Data so far.
    observed : ndarray of shape (n,)
        Their candidates, in order; a candidate may come more than once.
    storage : {"float64", "float32", "none"}
        How V is kept.

    See Also
    --------
    sozai.numerics.gaussian_process.GaussianProcess : Learns the parameters; places any point.

    Notes
    -----
    With :math:`K = LL^T` of the data without the constant, noise included, and V = :math:`L^{-1}K(Z, Z_*)`,
    :math:`t = L^{-1}1`, :math:`w = L^{-1}y`, :math:`g = 1 - V^Tt`, :math:`A = b^{-2} + t^Tt`,

    .. math:: \mu = V^Tw + g\,t^Tw/A, \qquad v = s^2 - \sum_a V_a^2 + g^2/A.

    A datum at candidate i adds to V the row :math:`(k(z_i, Z_*) - c^TV)/\delta` with
    :math:`c = L^{-1}k(Z, z_i)`, :math:`\delta^2 = s^2 - c^Tc + \sigma^2 + \sigma_i^2`. The constant is kept
    apart from K, rather than added to every entry of it, so that no digits go into :math:`b^2`.

    ================  ===============  ==========
    Symbol            Code             Shape
    ================  ===============  ==========
    :math:`Z_*`       ``pool``         (N, p)
    L                 ``factor``       (n, n)
    :math:`\mu`, v    mean, variance   (N,)
    :math:`\sigma_i`  ``known_noise``  (n,)
    ================  ===============  ==========

    A datum costs :math:`O(nN)`: one pass over V; n data at once :math:`O(n^2N)`. Memory 8nN bytes for V,
    8pN for the candidates and five vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Matern
    >>> posterior = PoolPosterior(np.linspace(0, 1, 5)[:, None], Matern(), [0.5], noise=1e-6)
    >>> posterior.condition(0, 1.0).condition(4, 0.0)
    PoolPosterior(5 candidates, 2 data)
    >>> posterior.mean.round(3).tolist()
    [1.0, 0.817, 0.5, 0.183, 0.0]
    """

    def __init__(
        self,
        pool: Any,
        kernel: Kernel,
        length_scales: Any,
        *,
        amplitude: float = 1.0,
        noise: float = 1e-4,
        mean_variance: float = 100.0,
        memory_limit: int = 2**30,
    ) -> None:
        points = as_matrix(pool, place="PoolPosterior", argument="pool")
        self._columns = np.ascontiguousarray(points.T)
        self.kernel, self._code = kernel, kernel_code(kernel)
        scales = as_vector(length_scales, points.shape[1], place="PoolPosterior", argument="length_scales")
        for name, value, least in (
            ("length_scales", float(scales.min()), True), ("amplitude", amplitude, True),
            ("noise", noise, False), ("mean_variance", mean_variance, False),
        ):  # fmt: skip
            if not (np.isfinite(value) and (value > 0 if least else value >= 0)):
                wanted = "be positive" if least else "be 0 or more"
                raise InputError(
                    sentence("PoolPosterior", name, wanted, value, remedy="Pass a finite number.")
                )
        self.length_scales, self.amplitude, self.noise = scales, float(amplitude), float(noise)
        self.mean_variance, self.memory_limit = float(mean_variance), int(memory_limit)
        width = kernel.width if self._code >= 0 else 1.0
        self._inverse = 1.0 / (width * scales)
        self._forget()

    def _forget(self) -> None:
        """The prior."""
        n_candidates = self._columns.shape[1]
        self.observed: Rows = np.empty(0, dtype=np.int64)
        self.factor = np.empty((0, 0))
        self._values, self._known = np.empty(0), np.empty(0)  # with the noise variance of every datum
        self._ones, self._seen = np.empty(0), np.empty(0)
        self._chunks: list[Any] = []
        self.storage = "float64"
        self._rest = np.ones(n_candidates)
        self._part_mean = np.zeros(n_candidates)
        self._part_variance = np.full(n_candidates, self.amplitude)
        self._precision = np.inf if self.mean_variance == 0.0 else 1.0 / self.mean_variance

    def __len__(self) -> int:
        return int(self._columns.shape[1])

    def __repr__(self) -> str:
        return f"PoolPosterior({len(self)} candidates, {self.n_observed} data)"

    @property
    def n_observed(self) -> int:
        """Data so far."""
        return len(self.observed)

    @property
    def constant(self) -> float:
        """Posterior mean of the constant."""
        return float(self._ones @ self._seen) / self._precision

    @property
    def mean(self) -> Array:
        """Posterior mean of every candidate, shape (N,)."""
        return self._part_mean + self._rest * self.constant

    @property
    def variance(self) -> Array:
        """Posterior variance of the function at every candidate, shape (N,)."""
        total = self._part_variance + self._rest**2 * (1.0 / self._precision)
        return np.maximum(total, LEAST_VARIANCE * self.amplitude)

    def moments(self) -> tuple[Array, Array]:
        """Posterior mean and standard deviation of the function at every candidate, in one pass.

        Returns
        -------
        mean, std : ndarray of shape (N,)
        """
        mean, std = np.empty(len(self)), np.empty(len(self))
        fill_moments(
            self._part_mean, self._part_variance, self._rest, self.constant, 1.0 / self._precision,
            LEAST_VARIANCE * self.amplitude, mean, std,
        )  # fmt: skip
        return mean, std

    def points(self, index: Any) -> Array:
        """Candidates by number, shape (m, p)."""
        return np.ascontiguousarray(self._columns[:, np.asarray(index)].T)

    # --- data ----------------------------------------------------------------------------------------

    def condition(self, index: Any, y: Any, known_noise: Any = 0.0, *, replicates: Any = 1) -> PoolPosterior:
        """Take in one datum or several.

        Parameters
        ----------
        index : int or array-like of int
            Candidates; one that is told again is a replicate.
        y : float or array-like
        known_noise : float or array-like
            Noise variance on top of ``noise``.
        replicates : int or array-like of int
            Results behind each value: the noise of their mean is ``noise`` over their number.

        Returns
        -------
        PoolPosterior
            Itself.

        Raises
        ------
        InputError
            For an index outside the pool, a value or variance that is not finite, a negative variance.
        """
        rows, values, known = self._checked(index, y, known_noise, replicates)
        if self.n_observed == 0 and len(rows) > 1:
            with one_thread():
                self._solve_all(rows, values, known)
            return self
        with self._thread():
            for row, value, variance in zip(rows, values, known, strict=True):
                self._add(int(row), float(value), float(variance))
        return self

    def _thread(self) -> contextlib.AbstractContextManager[Any]:
        """One thread for the matrices of other kernels; compiled loops, and one right-hand side, have one."""
        return one_thread() if self._code < 0 else contextlib.nullcontext()

    def _checked(self, index: Any, y: Any, known_noise: Any, replicates: Any) -> tuple[Rows, Array, Array]:
        """Indices, values and noise variances as vectors of one length."""
        place = "PoolPosterior.condition"
        rows = self._rows_of(index, place)
        values = as_vector(np.atleast_1d(np.asarray(y)), len(rows), place=place)
        spread = np.zeros(len(rows)) + known_noise
        bad = ~((spread >= 0) & np.isfinite(spread))
        if bad.any():
            k = int(np.argmax(bad))
            raise InputError(
                sentence(
                    place, "known_noise", "be variances of zero or more", float(spread[k]),
                    at=f"at row {k}", remedy="Pass squared standard deviations.",
                )
            )  # fmt: skip
        counts = np.zeros(len(rows)) + replicates
        if not (counts >= 1).all():
            k = int(np.argmin(counts >= 1))
            raise InputError(
                sentence(
                    place, "replicates", "be 1 or more", float(counts[k]), at=f"at row {k}",
                    remedy="Count the results behind each value.",
                )
            )  # fmt: skip
        return rows, values, spread + self.noise / counts

    def _rows_of(self, index: Any, place: str) -> Rows:
        """Indices inside the pool."""
        rows = np.atleast_1d(np.asarray(index))
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise InputError(
                sentence(place, "index", "be whole numbers", rows.dtype, remedy="Pass rows of the pool.")
            )
        outside = (rows < 0) | (rows >= len(self))
        if outside.any():
            k = int(np.argmax(outside))
            raise InputError(
                sentence(
                    place, "index", f"lie in the pool (0 to {len(self) - 1})", int(rows[k]),
                    at=f"at position {k}", remedy="Count candidates from 0.",
                )
            )  # fmt: skip
        return rows.astype(np.int64)

    def _solve_all(self, rows: Rows, values: Array, known: Array) -> None:
        """All data at once: factor, then V block by block."""
        n = len(rows)
        points = self.points(rows)
        K = self._prior(points)
        K.flat[:: n + 1] += known
        self.factor, _ = factorize(K, warn=True, place="PoolPosterior.condition")
        self.observed, self._values, self._known = rows, values, known
        self._ones = solve_triangular(self.factor, np.ones(n), lower=True, check_finite=False)
        self._seen = solve_triangular(self.factor, values, lower=True, check_finite=False)
        self._precision += float(self._ones @ self._ones)
        self._choose_storage(n)
        for first in range(0, len(self), _BLOCK):
            last = min(first + _BLOCK, len(self))
            V = self._solved_block(points, first, last)
            self._rest[first:last] -= self._ones @ V
            self._part_mean[first:last] += self._seen @ V
            self._part_variance[first:last] -= np.einsum("ab,ab->b", V, V)
            self._keep_block(V, first, last)

    def _solved_block(self, points: Array, first: int, last: int) -> Array:
        """L⁻¹K of a block of candidates, shape (n, block)."""
        V = self._cross(points, first, last)
        solved = blas.dtrsm(1.0, self.factor, V.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        return np.asarray(solved.T)

    def _cross(self, points: Array, first: int, last: int) -> Array:
        """Prior covariance of points with a block of candidates, without the constant."""
        if self._code < 0:
            block = self._columns[:, first:last].T
            value = self.kernel.matrix(points, block, self.length_scales)
            return np.ascontiguousarray(self.amplitude * value)
        out = np.empty((len(points), last - first))
        fill_kernel_block(self._code, self._columns, first, points, self._inverse, self.amplitude, out)
        return out

    def _prior(self, points: Array) -> Array:
        """Prior covariance of points with each other."""
        return np.asarray(self.amplitude * self.kernel.matrix(points, None, self.length_scales))

    def _add(self, row: int, value: float, known: float) -> None:
        """One datum more: a row of L, a row of V."""
        new = self._cross(self.points([row]), 0, len(self))[0]
        c = self._half_solved(new)
        latent = max(self.amplitude - float(c @ c), 0.0)
        pivot = float(np.sqrt(max(latent + known, _PIVOT_FLOOR * self.amplitude)))
        one = (1.0 - float(c @ self._ones)) / pivot
        seen = (value - float(c @ self._seen)) / pivot
        self._subtract_past(new, c)
        add_datum(new, pivot, one, seen, self._rest, self._part_mean, self._part_variance)
        self._grow(row, value, known, c, pivot, one, seen)
        self._keep_row(new)
        if self.n_observed % _CHECK_EVERY == 0:
            self._check_drift()

    def _half_solved(self, row: Array) -> Array:
        """L⁻¹k(Z, point), shape (n,), from the prior covariances (N,) of a point and not from V."""
        if self.n_observed == 0:
            return np.empty(0)
        return np.asarray(blas.dtrsv(self.factor, row[self.observed], lower=1))

    def _grow(
        self, row: int, value: float, known: float, c: Array, pivot: float, one: float, seen: float
    ) -> None:
        """Append to everything of length n."""
        n = self.n_observed
        factor = np.zeros((n + 1, n + 1), order="F")
        factor[:n, :n], factor[n, :n], factor[n, n] = self.factor, c, pivot
        self.factor = factor
        self.observed = _longer(self.observed, row)
        self._values, self._known = _longer(self._values, value), _longer(self._known, known)
        self._ones, self._seen = _longer(self._ones, one), _longer(self._seen, seen)
        self._precision += one * one

    # --- V -------------------------------------------------------------------------------------------

    def _choose_storage(self, n: int) -> None:
        """Single precision, or nothing, where n rows would not fit."""
        size, before = 8 * n * len(self), self.storage
        storage = "float64" if size <= self.memory_limit else "float32"
        storage = "none" if size > 2 * self.memory_limit else storage
        if storage == before or before == "none":
            return
        self.storage = storage
        how = "is kept in single precision" if storage == "float32" else "is computed anew for every datum"
        warnings.warn(
            f"PoolPosterior: {n} data of {len(self)} candidates need {size / 2**30:.3g} GiB, more than "
            f"memory_limit ({self.memory_limit / 2**30:.3g} GiB); the cross-covariance {how}. "
            "Raise memory_limit for full precision and speed.",
            ConvergenceWarning,
            stacklevel=4,
        )
        self._chunks = [chunk.astype(np.float32) for chunk in self._chunks] if storage == "float32" else []

    def _keep_block(self, V: Array, first: int, last: int) -> None:
        """Store the columns of a block of candidates."""
        if self.storage == "none":
            return
        n = len(V)
        if not self._chunks:
            kind = np.float64 if self.storage == "float64" else np.float32
            self._chunks = [np.empty((n, len(self)), dtype=kind)]
        self._chunks[0][:, first:last] = V

    def _keep_row(self, new: Array) -> None:
        """Store one row more; room is made for several at once."""
        n = self.n_observed
        self._choose_storage(n)
        if self.storage == "none":
            return
        held = sum(len(chunk) for chunk in self._chunks)
        if held < n:
            kind = np.float64 if self.storage == "float64" else np.float32
            self._chunks.append(np.zeros((_CHUNK, len(self)), dtype=kind))  # rows to come are read by casts
            held += _CHUNK
        self._chunks[-1][len(self._chunks[-1]) - (held - n) - 1] = new

    def _subtract_past(self, new: Array, c: Array) -> None:
        """Subtract cᵀV from a row of prior covariances."""
        if len(c) == 0:
            return
        if self.storage == "none":
            weights = solve_triangular(self.factor, c, lower=True, trans=1, check_finite=False)
            self._subtract_kernels(new, self.points(self.observed), weights)
            return
        done = 0
        for chunk in self._chunks:
            part = c[done : done + len(chunk)]
            if len(part):
                subtract_rows(chunk, part, new)
            done += len(chunk)

    def _subtract_kernels(self, new: Array, points: Array, weights: Array) -> None:
        """Subtract weighted prior covariances with all points."""
        if self._code >= 0:
            scaled = self.amplitude * weights
            radial_weights(self._code, self._columns, points, self._inverse, scaled, new)
            return
        for first in range(0, len(self), _BLOCK):
            last = min(first + _BLOCK, len(self))
            new[first:last] -= weights @ self._cross(points, first, last)

    def _check_drift(self) -> None:
        """Compare the running variance with a fresh one; start anew when rounding has added up."""
        some = np.unique(np.linspace(0, len(self) - 1, _CHECKED).astype(np.int64))
        k = self.amplitude * self.kernel.matrix(
            self.points(self.observed), self.points(some), self.length_scales
        )
        half = solve_triangular(self.factor, k, lower=True, check_finite=False)
        fresh = self.amplitude - (half**2).sum(axis=0)
        drift = float(np.abs(fresh - self._part_variance[some]).max())
        allowed = _DRIFT if self.storage == "float64" else 1e-5
        if drift > allowed * self.amplitude:
            rows, values, known = self.observed, self._values, self._known
            with contextlib.ExitStack() as stack:
                stack.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore", ConvergenceWarning)
                self._forget()
                with one_thread():
                    self._solve_all(rows, values, known)

    # --- questions -----------------------------------------------------------------------------------

    def rows(self, index: Any) -> Array:
        """Posterior covariances of some candidates with all.

        Parameters
        ----------
        index : int or array-like of int

        Returns
        -------
        ndarray of shape (m, N)
        """
        numbers = self._rows_of(index, "PoolPosterior.rows")
        out = np.empty((len(numbers), len(self)))
        for k, number in enumerate(numbers):
            out[k] = self._cross(self.points([number]), 0, len(self))[0]
            self._subtract_past(out[k], self._half_solved(out[k]))
            out[k] += self._rest[number] * self._rest * (1.0 / self._precision)
        return out

    def sample(self, n: int, rng: np.random.Generator, features: int = 1024) -> Array:
        r"""Draw functions from the posterior, at every candidate.

        Parameters
        ----------
        n : int
        rng : Generator
        features : int, default=1024
            Frequencies of the prior draw.

        Returns
        -------
        ndarray of shape (n, N)

        Notes
        -----
        :math:`f = f_0(Z_*) + c + \mu_0(y - f_0(Z) - c - \epsilon)` with :math:`f_0` a prior function of
        random features, c the constant and :math:`\mu_0` the posterior mean as a linear function of the
        data [1]_: exact in what the data say, approximate in the prior only. :math:`O(NFp)` once for
        sines and cosines, :math:`O(N(F + n))` a draw. Memory 8N bytes a draw and 4 kB for each frequency,
        whatever N is.

        References
        ----------
        .. [1] J. T. Wilson et al., Efficiently sampling functions from Gaussian process posteriors,
           ICML (2020), arXiv:2002.09309.
        """
        basis = RandomFeatures(self.kernel, self.length_scales, self.amplitude, features, rng)
        weights = rng.standard_normal((basis.n_columns, n))
        constant = np.sqrt(self.mean_variance) * rng.standard_normal(n)
        noise = rng.standard_normal((self.n_observed, n)) * np.sqrt(self._known)[:, None]
        with one_thread():
            out = np.empty((n, len(self)))
            self._draw_prior(basis, weights, out)
            out += constant[:, None]
            if self.n_observed:
                prior = out[:, self.observed].T
                self._correct(out, self._values[:, None] - prior - noise)
        return out

    def _draw_prior(self, basis: RandomFeatures, weights: Array, out: Array) -> None:
        """Prior functions (draws, N) of weighted features, block by block."""
        scaled = np.ascontiguousarray(weights.T) * np.sqrt(2.0 * self.amplitude / basis.n_columns)
        reach = np.abs(basis.frequencies) @ np.abs(self._columns).max(axis=1)
        waves = np.empty((basis.n_columns, min(_WAVE_BLOCK, len(self))))
        for first in range(0, len(self), _WAVE_BLOCK):
            last = min(first + _WAVE_BLOCK, len(self))
            if last - first < waves.shape[1]:
                waves = np.empty((basis.n_columns, last - first))
            fill_wave_block(self._columns, first, basis.frequencies, reach, waves)
            out[:, first:last] = scaled @ waves

    def _correct(self, out: Array, residual: Array) -> None:
        """Add the posterior mean of residuals (n, draws) to functions (draws, N)."""
        half = solve_triangular(self.factor, residual, lower=True, check_finite=False)
        out += (self._ones @ half / self._precision)[:, None] * self._rest
        if self.storage == "none":
            full = solve_triangular(self.factor, half, lower=True, trans=1, check_finite=False)
            for function, weights in zip(out, full.T, strict=True):
                self._subtract_kernels(function, self.points(self.observed), -weights)
            return
        done = 0
        for chunk in self._chunks:
            for function, weights in zip(out, half[done : done + len(chunk)].T, strict=True):
                subtract_rows(chunk, -np.ascontiguousarray(weights), function)
            done += len(chunk)

    def means_of(self, values: Array) -> Array:
        """Posterior means if the same candidates had had other values.

        Parameters
        ----------
        values : ndarray of shape (n, k)
            k histories of the n data.

        Returns
        -------
        ndarray of shape (N, k)
        """
        out = np.zeros((values.shape[1], len(self)))
        with one_thread():
            self._correct(out, values)
        return out.T

    def fantasise(self, index: int, draws: Any, known_noise: float = 0.0) -> FantasyPosterior:
        """Pretend that a candidate was measured, once for each draw.

        Parameters
        ----------
        index : int
        draws : array-like of shape (k,)
            Standard normal numbers; draw e pretends the value ``mean + e std`` with ``std`` of a measurement.
        known_noise : float

        Returns
        -------
        FantasyPosterior
            This posterior is left as it is.
        """
        return FantasyPosterior(self).fantasise(index, draws, known_noise)


def _longer(values: NDArray[Any], last: float) -> NDArray[Any]:
    """One entry more, of the same kind."""
    out = np.empty(len(values) + 1, dtype=values.dtype)
    out[:-1], out[-1] = values, last
    return out
