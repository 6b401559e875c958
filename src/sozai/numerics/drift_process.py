"""Gaussian process of some columns plus a linear drift of others, which is told apart and taken off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.kernels import Kernel, Matern
from sozai.numerics.process_evidence import (
    MEAN_VARIANCE,
    Evidence,
    ProcessPriors,
    factorize,
    maximize_evidence,
)

__all__ = ["DriftProcess"]

Array = NDArray[np.float64]

#: New points handled at once; their cross-covariance is never larger than this times n.
_BLOCK = 2048


class DriftProcess:
    r"""Smooth function of some columns, beside which a linear function of others is estimated.

    Parameters
    ----------
    kernel : Kernel, optional
        :class:`~sozai.numerics.kernels.Matern` with :math:`\nu = 5/2` when left out.
    shared : bool, default=True
        All columns of ``X`` are coordinates of one space and share one length scale; otherwise each has its
        own.
    priors : ProcessPriors, optional
    n_restarts : int, default=1
    max_rows : int, default=500
        With more rows the parameters are learned on this many of them, drawn at random; the posterior uses
        all.
    random_state : int, default=0

    Attributes
    ----------
    length_scales_ : ndarray of shape (p,)
        In the unit of ``X``.
    amplitude_, noise_ : float
        Variances, in squared units of y.
    slopes_ : ndarray of shape (q,)
        Posterior mean of the drift for each unit of the side columns.
    slopes_covariance_ : ndarray of shape (q, q)
    theta_ : ndarray
        Logarithms of the parameters, for a target of variance 1.
    log_posterior_ : float

    See Also
    --------
    sozai.numerics.gaussian_process.GaussianProcess : Without drift; leave-one-out in closed form.

    Notes
    -----
    With side columns R, centered, :math:`y = f(x) + R\beta + \epsilon`, :math:`\beta \sim N(0, b^2)` so wide
    (100 times the target's variance over the half range of a column) that it hardly counts:

    .. math:: K = s^2 k(X, X) + b^2(11^T + RR^T) + D, \qquad \alpha = K^{-1}y, \qquad
       \mu = (s^2 k_* + b^2)^T\alpha, \qquad \hat\beta = b^2R^T\alpha,

    universal kriging in the limit of large b. What is predicted is f, the drift taken off, at the middle of
    the side columns; its variance knows how far drift and function can be told apart. Time
    :math:`O(n^3)`, and :math:`O(m^3)` for each evaluation of the evidence on m rows; memory three n by n
    arrays.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006),
       section 2.7.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, r = rng.random((60, 1)), rng.random((60, 1))
    >>> process = DriftProcess().fit(x, np.sin(6 * x[:, 0]) + 2.0 * r[:, 0], r)
    >>> process.slopes_.round(2).tolist()
    [2.0]
    """

    def __init__(
        self,
        kernel: Kernel | None = None,
        *,
        shared: bool = True,
        priors: ProcessPriors | None = None,
        n_restarts: int = 1,
        max_rows: int = 500,
        random_state: int = 0,
    ) -> None:
        self.kernel = Matern() if kernel is None else kernel
        self.shared, self.priors = shared, priors
        self.n_restarts, self.max_rows, self.random_state = n_restarts, max_rows, random_state

    def __repr__(self) -> str:
        if not hasattr(self, "theta_"):
            return f"DriftProcess({self.kernel!r})"
        return f"DriftProcess({len(self._y)} rows, {self._R.shape[1]} drift columns)"

    def fit(self, X: Any, y: Any, drift: Any = None, known_noise: Any = None) -> DriftProcess:
        """Learn the parameters, then condition on all rows.

        Parameters
        ----------
        X : array-like of shape (n, p)
        y : array-like of shape (n,)
        drift : array-like of shape (n, q), optional
            Side columns; none of them constant.
        known_noise : array-like of shape (n,), optional
            Noise variances on top of the fitted one.

        Returns
        -------
        DriftProcess
            Itself.

        Raises
        ------
        InputError
            For NaN and inf, a constant side column, or a negative variance.
        """
        place = "DriftProcess.fit"
        points = as_matrix(X, place=place, min_samples=2)
        target = as_vector(y, len(points), place=place)
        self._take_sides(drift, len(points), place)
        self._middle = points.mean(axis=0)
        total = float(points.var(axis=0).sum())
        self._span = float(np.sqrt(12.0 * total)) or 1.0
        self._shift, spread = float(target.mean()), float(target.std())
        self._scale = spread if spread > 1e-12 * float(np.abs(target).max()) else 1.0
        known = np.zeros(len(target))
        if known_noise is not None:
            known = as_vector(known_noise, len(target), place=place, argument="known_noise")
            if (known < 0).any():
                row = int(np.argmax(known < 0))
                raise InputError(
                    sentence(place, "known_noise", "be variances of zero or more", float(known[row]),
                             at=f"at row {row}", remedy="Pass squared standard errors.")
                )  # fmt: skip
        self._Z, self._y = (points - self._middle) / self._span, (target - self._shift) / self._scale
        self._known = known / self._scale**2
        with one_thread():
            self._learn()
            self._condition()
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Mean of the function without drift and noise, and its standard deviation.

        Parameters
        ----------
        X : array-like of shape (m, p)
        return_std : bool, default=False

        Returns
        -------
        ndarray of shape (m,), or a pair of them
        """
        Z = self._scaled(X)
        mean, variance = np.empty(len(Z)), np.empty(len(Z))
        with one_thread():
            for first in range(0, len(Z), _BLOCK):
                block = slice(first, first + _BLOCK)
                cross = self._parameters.covariance(self.kernel, Z[block], self._Z)
                mean[block] = cross @ self._alpha
                if return_std:
                    half = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
                    prior = self._parameters.variance(self.kernel, Z[block])
                    variance[block] = prior - (half**2).sum(axis=0)
        mean = self._shift + self._scale * mean
        if not return_std:
            return mean
        floor = 1e-12 * self._parameters.amplitude
        return mean, self._scale * np.sqrt(np.maximum(variance, floor))

    def sample(self, X: Any, n: int, rng: np.random.Generator) -> Array:
        """Draw functions without drift at some points, from their joint posterior.

        Parameters
        ----------
        X : array-like of shape (m, p)
        n : int
        rng : Generator

        Returns
        -------
        ndarray of shape (m, n)
            Time :math:`O(m^2(n + m + n_{rows}))`, memory two m by m arrays.
        """
        Z = self._scaled(X)
        with one_thread():
            cross = self._parameters.covariance(self.kernel, Z, self._Z)
            half = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
            joint = self._parameters.covariance(self.kernel, Z)
            joint -= half.T @ half
            joint.flat[:: len(Z) + 1] += 1e-9 * self._parameters.amplitude
            root, _ = factorize(joint, place="DriftProcess.sample")
            drawn = (cross @ self._alpha)[:, None] + root @ rng.standard_normal((len(Z), n))
        return np.asarray(self._shift + self._scale * drawn)

    def drift_of(self, drift: Any) -> Array:
        """Estimated drift at some places, zero at the middle of the fitted ones.

        Parameters
        ----------
        drift : array-like of shape (m, q)

        Returns
        -------
        ndarray of shape (m,)
        """
        sides = np.asarray(drift, dtype=np.float64).reshape(-1, len(self.slopes_))
        return np.asarray((sides - self._side_middle) @ self.slopes_)

    # --- inside --------------------------------------------------------------------------------------

    def _scaled(self, X: Any) -> Array:
        return np.asarray((as_matrix(X, place="DriftProcess.predict") - self._middle) / self._span)

    def _take_sides(self, drift: Any, n: int, place: str) -> None:
        """Side columns about their means, in half ranges."""
        sides = np.empty((n, 0)) if drift is None else np.asarray(drift, dtype=np.float64).reshape(n, -1)
        if sides.shape[1]:
            sides = as_matrix(sides, place=place, argument="drift")
        self._side_middle, self._side_span = sides.mean(axis=0), 0.5 * np.ptp(sides, axis=0)
        if not (self._side_span > 0).all():
            column = int(np.argmin(self._side_span))
            raise InputError(
                sentence(place, "drift", "vary in every column", float(sides[0, column]),
                         at=f"in all rows of column {column}", remedy="Leave constant columns out.")
            )  # fmt: skip
        self._R = (sides - self._side_middle) / self._side_span

    def _learn(self) -> None:
        """Most probable parameters, of some rows where there are many."""
        rng = np.random.default_rng(self.random_state)
        rows = np.arange(len(self._y))
        if len(rows) > self.max_rows:
            rows = np.sort(rng.permutation(rows)[: self.max_rows])
        groups = np.zeros(self._Z.shape[1], dtype=np.int64) if self.shared else None
        self._evidence = Evidence(
            self.kernel, self._Z[rows], self._y[rows], priors=self.priors, groups=groups,
            known_noise=self._known[rows], drift=self._R[rows] if self._R.shape[1] else None,
        )  # fmt: skip
        starts = self._evidence.starts(self.n_restarts, rng)
        self.theta_, value, self.n_iter_ = maximize_evidence(self._evidence, starts)
        self.log_posterior_ = -value
        self._parameters = self._evidence.parameters(self.theta_)
        self.length_scales_ = self._parameters.length_scales * self._span
        self.amplitude_ = self._parameters.amplitude * self._scale**2
        self.noise_ = self._parameters.noise * self._scale**2

    def _condition(self) -> None:
        """Factor, weights and slopes of all rows."""
        K = self._parameters.covariance(self.kernel, self._Z) + MEAN_VARIANCE * (self._R @ self._R.T)
        K.flat[:: len(K) + 1] += self._parameters.noise + self._known
        self._factor, _ = factorize(K, warn=True, place="DriftProcess.fit")
        self._alpha = cho_solve((self._factor, True), self._y, check_finite=False)
        half = solve_triangular(self._factor, self._R, lower=True, check_finite=False)
        unit = self._scale / self._side_span
        slopes = MEAN_VARIANCE * (self._R.T @ self._alpha)
        spread = MEAN_VARIANCE * np.eye(len(slopes)) - MEAN_VARIANCE**2 * (half.T @ half)
        self.slopes_ = slopes * unit
        self.slopes_covariance_ = spread * np.outer(unit, unit)
