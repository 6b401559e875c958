"""Exact Gaussian process: learned length scales, closed-form leave-one-out, mean and standard deviation."""

from __future__ import annotations

import contextlib
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from sozai.contracts.checks import RandomState, as_generator, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    HasMethods,
    Interval,
    RegressorMixin,
    StrOptions,
    check_is_fitted,
    fit_context,
    input_names,
    validate_table,
)
from sozai.contracts.parallel import one_thread
from sozai.numerics.kernels import Kernel, Matern
from sozai.numerics.process_evidence import (
    Evidence,
    ProcessParameters,
    ProcessPriors,
    factorize,
    maximize_evidence,
)

__all__ = ["GaussianProcess", "LeaveOneOut"]

Array = NDArray[np.float64]

#: Rows of new points handled at once; their cross-covariance is never larger than this times n.
_BLOCK = 2048
#: Rows on which every start is tried; with more, only the best goes on.
_FIRST_ROWS = 250
#: Rows up to which one thread is enough, and safer on a busy machine.
_SMALL = 1000


class LeaveOneOut:
    """What the process says of every training row without that row.

    Attributes
    ----------
    mean : ndarray of shape (n,)
    std : ndarray of shape (n,)
        Of a new measurement, noise included.
    latent_std : ndarray of shape (n,)
        Of the function alone.

    Examples
    --------
    >>> import numpy as np
    >>> LeaveOneOut(np.zeros(2), np.ones(2), np.ones(2))
    LeaveOneOut(2 rows)
    """

    def __init__(self, mean: Array, std: Array, latent_std: Array) -> None:
        self.mean, self.std, self.latent_std = mean, std, latent_std

    def __repr__(self) -> str:
        return f"LeaveOneOut({len(self.mean)} rows)"


class GaussianProcess(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    r"""Smooth function of all columns with its own error bar, learned by the marginal likelihood.

    Every column has a length scale; those without influence grow until the
    column no longer counts. A constant, and if wanted a linear part, is
    estimated along with it.

    Parameters
    ----------
    kernel : Kernel, optional
        :class:`~sozai.numerics.kernels.Matern` with :math:`\nu = 5/2` when left out.
    mean : {"constant", "linear"}, default="constant"
        ``"linear"`` adds a linear function of the columns whose size is learned and which shares the
        length scales.
    noise : "fit" or float, default="fit"
        Noise variance, in squared units of the target.
    priors : ProcessPriors, optional
        Weak priors that keep few and noisy rows from being followed exactly.
    n_restarts : int, default=1
        Starts drawn from the prior, beside two fixed ones.
    max_rows : int, default=800
        With more rows the parameters are learned on a random subset of this size, never of fewer than
        250; the posterior always uses all rows.
    groups : array-like of int of shape (n_features,), optional
        Columns of one number (0, 1, ...) are coordinates of one space: they keep their distances, divided
        by one number, and share one length scale. Left out, every column has a length scale of its own.
    random_state : int, RandomState or Generator, optional
        Draws the starts and the subset.

    Attributes
    ----------
    length_scales_ : ndarray of shape (n_features,)
        In the unit of every column.
    amplitude_, noise_ : float
        Variances of process and noise, in squared units of the target.
    theta_ : ndarray
        Logarithms for columns scaled to the unit cube and a target of variance 1: length scales,
        amplitude, slope (linear mean), noise (if fitted).
    log_posterior_ : float
        Log marginal likelihood plus log prior (without its constant), of the standardized target.
    hyper_status_ : tuple of str
        Which parameters ended at a bound, and what that means.
    factor_ : ndarray of shape (n, n)
        Lower Cholesky factor of the standardized covariance.
    n_iter_ : int
        Iterations of all starts.

    See Also
    --------
    sklearn.gaussian_process.GaussianProcessRegressor : Any kernel by composition; its gradient holds
        an n by n by p tensor.

    Notes
    -----
    Symbols as in :class:`~sozai.numerics.process_evidence.Evidence`. With :math:`K = LL^T` and
    :math:`v = L^{-1}k_*`: mean :math:`k_*^T\alpha`, variance :math:`k_{**} - v^Tv`; without row i
    :math:`y_i - \alpha_i/[K^{-1}]_{ii}` and variance :math:`1/[K^{-1}]_{ii}`. Time :math:`O(n^3)` once
    and :math:`O(m^3)` per evaluation of the evidence on :math:`m = \min(n, \texttt{max_rows})` rows;
    memory two n by n arrays (144 MB for n = 3,000).

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006),
       chapters 2 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 6, 15)[:, None]
    >>> process = GaussianProcess(random_state=0).fit(x, np.sin(x[:, 0]))
    >>> mean, std = process.predict([[2.0], [12.0]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(2.0)) < 0.01), bool(std[1] > 10 * std[0])
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kernel": [HasMethods(["matrix", "matrix_and_pullback", "diagonal"]), None],
        "mean": [StrOptions({"constant", "linear"})],
        "noise": [StrOptions({"fit"}), Interval(Real, 0, None, closed="left")],
        "priors": [ProcessPriors, None],
        "n_restarts": [Interval(Integral, 0, None, closed="left")],
        "max_rows": [Interval(Integral, 2, None, closed="left")],
        "groups": ["array-like", None],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        kernel: Kernel | None = None,
        *,
        mean: str = "constant",
        noise: str | float = "fit",
        priors: ProcessPriors | None = None,
        n_restarts: int = 1,
        max_rows: int = 800,
        groups: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.kernel = kernel
        self.mean = mean
        self.noise = noise
        self.priors = priors
        self.n_restarts = n_restarts
        self.max_rows = max_rows
        self.groups = groups
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, known_noise: Any = None) -> GaussianProcess:
        """Learn the parameters and condition on all rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        known_noise : array-like of shape (n_samples,), optional
            Noise variance of every row, in squared units of the target, on top of the fitted one.

        Returns
        -------
        GaussianProcess

        Raises
        ------
        InputError
            For NaN and inf, one row, or a negative variance, which is named.
        """
        X, y = validate_table(self, X, y, need_target=True, min_samples=2)
        self.kernel_ = self.kernel if self.kernel is not None else Matern()
        self._groups = self._column_groups(X.shape[1])
        self._middle, self._span = _middle_and_span(X, self._groups)
        self._shift, spread = float(y.mean()), float(y.std())
        self._scale = spread if spread > 1e-12 * float(np.abs(y).max()) else 1.0
        known = None if known_noise is None else self._known_noise(known_noise, len(y))
        self._Z, self._y = self._cube(X), (y - self._shift) / self._scale
        self._known = known
        with one_thread() if len(y) <= _SMALL else contextlib.nullcontext():
            self._condition(self._learn(len(y)))
        return self

    def predict(self, X: Any, return_std: bool = False, observation: bool = False) -> Any:
        """Mean of the function, and its standard deviation.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        return_std : bool, default=False
            Give (mean, standard deviation).
        observation : bool, default=False
            Standard deviation of a new measurement, noise included, instead of the function's.

        Returns
        -------
        ndarray of shape (n_samples,), or a pair of them
        """
        check_is_fitted(self)
        Z = self._cube(validate_table(self, X, reset=False))
        mean, variance = np.empty(len(Z)), np.empty(len(Z))
        for first in range(0, len(Z), _BLOCK):
            block = slice(first, first + _BLOCK)
            cross = self._parameters.covariance(self.kernel_, Z[block], self._Z)
            mean[block] = cross @ self._alpha
            if return_std:
                solved = solve_triangular(self.factor_, cross.T, lower=True, check_finite=False)
                prior = self._parameters.variance(self.kernel_, Z[block])
                variance[block] = prior - (solved**2).sum(axis=0)
        mean = self._shift + self._scale * mean
        if not return_std:
            return mean
        floor = 1e-12 * self._parameters.amplitude
        variance = np.maximum(variance, floor) + (self._parameters.noise if observation else 0.0)
        return mean, self._scale * np.sqrt(variance)

    def sample_y(self, X: Any, n_samples: int = 1, random_state: RandomState = 0) -> Array:
        """Draw functions from the posterior, at given points.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
        n_samples : int, default=1
        random_state : int, RandomState or Generator, default=0

        Returns
        -------
        ndarray of shape (n_points, n_samples)
        """
        check_is_fitted(self)
        Z = self._cube(validate_table(self, X, reset=False))
        cross = self._parameters.covariance(self.kernel_, Z, self._Z)
        solved = solve_triangular(self.factor_, cross.T, lower=True, check_finite=False)
        covariance = self._parameters.covariance(self.kernel_, Z) - solved.T @ solved
        root, _ = factorize(covariance, place="GaussianProcess.sample_y")
        normal = as_generator(random_state).standard_normal((len(Z), n_samples))
        drawn = (cross @ self._alpha)[:, None] + root @ normal
        return np.asarray(self._shift + self._scale * drawn)

    def log_marginal_likelihood(self, theta: Any = None, eval_gradient: bool = False) -> Any:
        """Log marginal likelihood of the standardized target, without the priors.

        Parameters
        ----------
        theta : array-like, optional
            As ``theta_``, which is taken when left out.
        eval_gradient : bool, default=False
            Give (value, gradient).

        Returns
        -------
        float, or the pair (float, ndarray)
        """
        check_is_fitted(self)
        point = self.theta_ if theta is None else np.asarray(theta, dtype=np.float64)
        value, gradient = self._evidence(np.arange(len(self._y))).likelihood(point)
        return (-value, -gradient) if eval_gradient else -value

    @property
    def leave_one_out_(self) -> LeaveOneOut:
        """Every training row predicted without itself, the parameters kept; O(n^3) per call."""
        check_is_fitted(self)
        inverse, _ = lapack.dtrtri(self.factor_, lower=1)
        precision = (inverse**2).sum(axis=0)
        mean = self._shift + self._scale * (self._y - self._alpha / precision)
        noise = self._parameters.noise + (0.0 if self._known is None else self._known)
        latent = np.maximum(1.0 / precision - noise, 1e-12)
        return LeaveOneOut(mean, self._scale / np.sqrt(precision), self._scale * np.sqrt(latent))

    # --- inside --------------------------------------------------------------------------------------

    def _cube(self, X: Array) -> Array:
        """Columns scaled to [-1/2, 1/2] of the training rows; coordinates of one space to their spread."""
        return np.asarray((X - self._middle) / self._span)

    def _column_groups(self, n_columns: int) -> NDArray[np.int64]:
        """Number of the length scale of every column."""
        if self.groups is None:
            return np.arange(n_columns)
        groups = np.asarray(self.groups)
        whole = groups.shape == (n_columns,) and groups.dtype.kind in "iu"
        if not whole or set(groups.tolist()) != set(range(int(groups.max()) + 1)):
            raise InputError(
                sentence(
                    "GaussianProcess.fit", "groups", f"number the groups of {n_columns} columns 0, 1, ...",
                    groups.tolist(), remedy="Pass one number per column, none left out.",
                )
            )  # fmt: skip
        return groups.astype(np.int64)

    def _known_noise(self, known_noise: Any, n_samples: int) -> Array:
        """Standardized noise variances; a negative one is named."""
        place = "GaussianProcess.fit"
        known = as_vector(known_noise, n_samples, place=place, argument="known_noise")
        if (known < 0).any():
            row = int(np.argmax(known < 0))
            raise InputError(
                sentence(
                    place, "known_noise", "be variances of zero or more", float(known[row]),
                    at=f"at row {row}", remedy="Pass squared standard deviations.",
                )
            )  # fmt: skip
        return known / self._scale**2

    def _learn(self, n_samples: int) -> Evidence:
        """Find the parameters; of many rows first on a part from all starts, then on more from the best."""
        rng = as_generator(self.random_state)
        order = np.arange(n_samples) if n_samples <= _FIRST_ROWS else rng.permutation(n_samples)
        few = self._evidence(order[:_FIRST_ROWS])
        theta, value, n_iterations = maximize_evidence(few, few.starts(self.n_restarts, rng))
        evidence = few
        if n_samples > _FIRST_ROWS:
            evidence = self._evidence(order[: max(self.max_rows, _FIRST_ROWS)])
            theta, value, n_more = maximize_evidence(evidence, [theta])
            n_iterations += n_more
        self.theta_, self.log_posterior_, self.n_iter_ = theta, -value, n_iterations
        return evidence

    def _evidence(self, rows: NDArray[np.int64]) -> Evidence:
        """Evidence of some rows."""
        known = self._known
        fixed = None if isinstance(self.noise, str) else max(float(self.noise) / self._scale**2, 1e-10)
        return Evidence(
            self.kernel_,
            self._Z[rows],
            self._y[rows],
            linear=self.mean == "linear",
            known_noise=None if known is None else known[rows],
            fixed_noise=fixed,
            priors=self.priors,
            groups=self._groups,
        )

    def _condition(self, evidence: Evidence) -> None:
        """Factor and weights of all rows at the learned parameters."""
        part: ProcessParameters = evidence.parameters(self.theta_)
        self._parameters = part
        K = part.covariance(self.kernel_, self._Z)
        K.flat[:: len(K) + 1] += part.noise + (0.0 if self._known is None else self._known)
        self.factor_, self.jitter_ = factorize(K, warn=True, place="GaussianProcess.fit")
        half = solve_triangular(self.factor_, self._y, lower=True, check_finite=False)
        self._alpha = solve_triangular(self.factor_, half, lower=True, trans=1, check_finite=False)
        self.length_scales_ = part.length_scales * self._span
        self.amplitude_ = part.amplitude * self._scale**2
        self.noise_ = part.noise * self._scale**2
        self.hyper_status_ = self._at_bounds(evidence)

    def _at_bounds(self, evidence: Evidence) -> tuple[str, ...]:
        """Say which parameters ended at a bound."""
        columns = np.array(input_names(self), dtype=object)
        names = [", ".join(columns[self._groups == k][:3].tolist()) for k in range(evidence.n_lengths)]
        found = []
        for k, name in enumerate(names):
            if self.theta_[k] >= evidence.bounds[k, 1] - 1e-6:
                found.append(f"column {name!r} looks irrelevant: its length scale is at the upper bound")
            elif self.theta_[k] <= evidence.bounds[k, 0] + 1e-6:
                found.append(
                    f"column {name!r} varies faster than its rows tell: length scale at the lower bound"
                )
        if evidence.fixed_noise is None and self.theta_[-1] <= evidence.bounds[-1, 0] + 1e-6:
            found.append("the noise is at its lower bound: the rows look exact")
        if evidence.fixed_noise is None and self.theta_[-1] >= evidence.bounds[-1, 1] - 1e-6:
            found.append("the noise is at its upper bound: the columns say nothing of the target")
        return tuple(found)


def _middle_and_span(X: Array, groups: NDArray[np.int64]) -> tuple[Array, Array]:
    """What is subtracted from and divides every column, shapes (n_columns,).

    A column of its own is put into the unit cube; coordinates of one space are centered and divided by
    the side of the cube whose rows would spread as much, the root of twelve times their variance.
    """
    low, high = X.min(axis=0), X.max(axis=0)
    middle, span = low + 0.5 * (high - low), high - low
    sizes = np.bincount(groups)
    shared = sizes[groups] > 1
    total = np.bincount(groups, weights=X.var(axis=0))[groups]
    middle = np.where(shared, X.mean(axis=0), middle)
    span = np.where(shared, np.sqrt(12.0 * total), span)
    return middle, np.where(span > 0, span, 1.0)
