"""Gaussian process of several properties at once, learned from the cells that were measured."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sozai.contracts.checks import RandomState, as_generator, as_matrix
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    HasMethods,
    Interval,
    RegressorMixin,
    check_is_fitted,
    fit_context,
    validate_table,
)
from sozai.contracts.parallel import one_thread
from sozai.numerics.coregional_evidence import Cells, DenseEvidence, DensePosterior, Layout
from sozai.numerics.coregional_landmarks import LandmarkEvidence, LandmarkPosterior, choose_landmarks
from sozai.numerics.kernels import Kernel, Matern

__all__ = ["CoregionalProcess", "LeftOutCells"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Evidence = Callable[[Array], tuple[float, Array]]

#: Logarithms of length scale (typical distances) and noise (standardized) from which the search starts.
STARTS = ((0.0, -3.0), (-1.0, -5.0), (1.0, -1.5))
#: Cells on which every start is tried; only the best goes on.
FIRST_CELLS = 400
#: Points and landmarks of the last polish when the cells are too many for all pairs.
POLISH_POINTS, POLISH_LANDMARKS = 12_000, 256


@dataclass(frozen=True, eq=False, repr=False)
class LeftOutCells:
    """What the process says of every measured cell without it; NaN where nothing was measured.

    Attributes
    ----------
    mean, std : ndarray of shape (n, n_properties)
        Of a new measurement, noise included.
    scores : ndarray of shape (n, n_properties)
        (measured - mean)/std.

    Examples
    --------
    >>> import numpy as np
    >>> LeftOutCells(np.zeros((3, 2)), np.ones((3, 2)), np.ones((3, 2)))
    LeftOutCells(3 rows, 2 properties)
    """

    mean: Array
    std: Array
    scores: Array

    def __repr__(self) -> str:
        return f"LeftOutCells({self.mean.shape[0]} rows, {self.mean.shape[1]} properties)"


class CoregionalProcess(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    r"""Several smooth functions of the same columns that inform each other, from an incomplete table.

    Cells of the target may be missing; what was measured of one property at a
    point tells of the others, as far as the learned property covariance says so.

    Parameters
    ----------
    kernel : Kernel, optional
        :class:`~sozai.numerics.kernels.Matern` with :math:`\nu = 5/2` when left out.
    separate_lengths : bool, default=False
        Learn one length scale for every column instead of one for all; only for few columns whose units
        differ. Columns are then scaled to variance 1.
    dense_cells : int, default=3000
        Up to this many measured cells every pair of cells is used; above, landmarks stand for the points.
    n_landmarks : int, default=1000
        Number of them.
    learning_cells : int, default=1200
        Cells of the random points on which the parameters are learned with all pairs.
    max_iter : int, default=60
        Steps of the optimizer on those.
    random_state : int, RandomState or Generator, optional
        Draws points and landmarks.

    Attributes
    ----------
    length_scales_ : ndarray of shape (n_features,)
        In the unit of every column.
    covariance_ : ndarray of shape (n_properties, n_properties)
        Property covariance, in units of the target.
    correlation_ : ndarray of shape (n_properties, n_properties)
    noise_ : ndarray of shape (n_properties,)
        Noise variances, in squared units of the target.
    log_likelihood_ : float
        Of the standardized cells at the learned parameters, on the cells they were learned from last.
    n_landmarks_ : int
        0 where every pair was used.
    n_iter_ : int
        Steps of the optimizer, of all starts and sizes together.
    theta_ : ndarray
        Parameters of the standardized problem.

    See Also
    --------
    sozai.numerics.gaussian_process.GaussianProcess : One property, length scales for every column.
    sklearn.gaussian_process.GaussianProcessRegressor : Many targets share one kernel, but learn nothing
        from each other and must be complete.

    Notes
    -----
    Intrinsic coregionalization [1]_: :math:`\mathrm{cov}(f_t(x), f_{t'}(x')) = k(x, x')B_{tt'}` with
    free-form :math:`B = LL^T`, and noise :math:`\sigma_t^2` of every property. The cells that are missing
    are integrated out exactly. Where every property is measured at every point without noise, the others
    add nothing to a new point; they help at points where some properties are known, and where properties
    were measured at different points.

    Dense route: :math:`O(c^3)` time and four :math:`c^2` arrays for c cells (290 MB for 3,000). Landmarks:
    see :class:`~sozai.numerics.coregional_landmarks.LandmarkEvidence`.

    ======================  ====================  =========================
    symbol                  name                  shape
    ======================  ====================  =========================
    :math:`\ell`            ``length_scales_``    (n_features,)
    :math:`B`               ``covariance_``       (n_properties, n_properties)
    :math:`\sigma_t^2`      ``noise_``            (n_properties,)
    ======================  ====================  =========================

    References
    ----------
    .. [1] E. V. Bonilla, K. M. A. Chai, C. K. I. Williams, Multi-task Gaussian process prediction,
       Adv. Neural Inf. Process. Syst. 20, 153 (2008).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 6, 24)[:, None]
    >>> Y = np.column_stack([np.sin(x[:, 0]), 2 * np.sin(x[:, 0]) + 1])
    >>> Y[8:16, 0] = np.nan
    >>> process = CoregionalProcess(random_state=0).fit(x, Y)
    >>> filled = process.complete()
    >>> bool(np.abs(filled[8:16, 0] - np.sin(x[8:16, 0])).max() < 0.02)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kernel": [HasMethods(["matrix", "matrix_and_pullback", "diagonal"]), None],
        "separate_lengths": ["boolean"],
        "dense_cells": [Interval(Integral, 0, None, closed="left")],
        "n_landmarks": [Interval(Integral, 1, None, closed="left")],
        "learning_cells": [Interval(Integral, 2, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        kernel: Kernel | None = None,
        *,
        separate_lengths: bool = False,
        dense_cells: int = 3000,
        n_landmarks: int = 1000,
        learning_cells: int = 1200,
        max_iter: int = 60,
        random_state: RandomState = None,
    ) -> None:
        self.kernel = kernel
        self.separate_lengths = separate_lengths
        self.dense_cells = dense_cells
        self.n_landmarks = n_landmarks
        self.learning_cells = learning_cells
        self.max_iter = max_iter
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, n_replicates: Any = None, known_noise: Any = None) -> CoregionalProcess:
        """Learn the parameters and condition on the measured cells.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_properties)
            NaN where nothing was measured; in one dimension nothing may be missing.
        n_replicates : array-like of the shape of ``y``, optional
            Number of measurements whose mean a cell is; its noise variance is divided by it.
        known_noise : array-like of the shape of ``y``, optional
            Noise variance of a cell, in squared units, on top of the fitted one.

        Returns
        -------
        CoregionalProcess

        Raises
        ------
        InputError
            For inf, a property with fewer than two values, or a replicate number below 1.
        """
        values = self._target(y)
        X = (
            validate_table(self, X, y, need_target=True, min_samples=2)[0]
            if values is None
            else validate_table(self, X, min_samples=2)
        )
        self._one = values is None
        Y = np.asarray(y, dtype=np.float64).reshape(len(X), -1) if values is None else values
        self._check(X, Y)
        self.kernel_ = self.kernel if self.kernel is not None else Matern()
        self._center = X.mean(axis=0)
        spread = X.std(axis=0)
        spread = spread if self.separate_lengths else np.full(len(spread), np.sqrt((spread**2).sum()))
        self._scale = np.where(spread > 0, spread, 1.0)
        self._shift, size = np.nanmean(Y, axis=0), np.nanstd(Y, axis=0)
        self._size = np.where(size > 1e-12 * np.nanmax(np.abs(Y), axis=0), size, 1.0)
        share = 1.0 / self._extra(n_replicates, Y, "n_replicates", 1.0)
        known = self._extra(known_noise, Y, "known_noise", 0.0) / self._size**2
        self._cells = Cells.from_table(self._points(X), (Y - self._shift) / self._size, share, known)
        self._learn_and_condition()
        return self

    def predict(self, X: Any, return_std: bool = False, observation: bool = False) -> Any:
        """Means of all properties at new points, and their standard deviations.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        return_std : bool, default=False
            Give (means, standard deviations).
        observation : bool, default=False
            Standard deviations of new measurements, noise included, instead of the functions'.

        Returns
        -------
        ndarray of shape (n_samples, n_properties), or (n_samples,) after a fit to one column; or a pair
        """
        check_is_fitted(self)
        Z = self._points(validate_table(self, X, reset=False))
        return self._in_units(self._posterior.at_points(Z), return_std, observation)

    def complete(self, return_std: bool = False, observation: bool = False) -> Any:
        """As :meth:`predict` at the rows of ``fit``; what was measured there counts, in missing cells too.

        Returns
        -------
        ndarray of shape (n_samples, n_properties), or (n_samples,) after a fit to one column; or a pair
        """
        check_is_fitted(self)
        return self._in_units(self._posterior.at_cells(), return_std, observation)

    @property
    def leave_one_out_(self) -> LeftOutCells:
        """Every measured cell predicted without itself, the parameters kept."""
        check_is_fitted(self)
        mean, variance = self._posterior.leave_one_out()
        scores = (self._cells.Y - mean) / np.sqrt(variance)
        return LeftOutCells(self._shift + self._size * mean, self._size * np.sqrt(variance), scores)

    # --- inside --------------------------------------------------------------------------------------

    def _target(self, y: Any) -> Array | None:
        """Table of the target with NaN in it; None for one column, which is checked with X."""
        if y is None or np.asarray(y).ndim != 2 or np.asarray(y).shape[1] == 1:
            return None
        Y = as_matrix(y, place="CoregionalProcess.fit", argument="y", finite=False)
        if np.isinf(Y).any():
            row, column = (int(k) for k in np.argwhere(np.isinf(Y))[0])
            raise InputError(
                f"CoregionalProcess.fit: y must be finite or missing (NaN). Input y contains infinity, first "
                f"at row {row}, property {column}. Remove the value."
            )
        return Y

    def _check(self, X: Array, Y: Array) -> None:
        """Refuse other lengths, and a property that was hardly measured."""
        place = "CoregionalProcess.fit"
        if len(Y) != len(X):
            requirement = f"have one row per row of X ({len(X)})"
            raise InputError(sentence(place, "y", requirement, len(Y), remedy="Check both tables."))
        counts = np.isfinite(Y).sum(axis=0)
        if counts.min() < 2:
            t = int(np.argmin(counts))
            raise InputError(
                sentence(
                    place, "y", "hold two or more values of every property", int(counts[t]),
                    at=f"for property {t}", remedy="Measure it, or leave the property out.",
                )
            )  # fmt: skip
        if self.separate_lengths and X.shape[1] > max(1, len(X) // 20):
            raise InputError(
                sentence(
                    place, "separate_lengths", f"be False for more columns than rows/20 ({len(X) // 20})",
                    X.shape[1], remedy="Take separate_lengths=False, or fewer columns.",
                )
            )  # fmt: skip

    def _extra(self, given: Any, Y: Array, argument: str, least: float) -> Array:
        """Table beside the target: numbers not below ``least`` wherever a cell was measured."""
        if given is None:
            return np.full(Y.shape, least)
        place = "CoregionalProcess.fit"
        values = np.asarray(given, dtype=np.float64).reshape(len(Y), -1)
        if values.shape != Y.shape:
            raise InputError(
                sentence(
                    place, argument, f"have the shape of y {Y.shape}", values.shape,
                    remedy="Give one number per cell.",
                )
            )  # fmt: skip
        bad = np.isfinite(Y) & ~(values >= least)
        if bad.any():
            row, column = (int(k) for k in np.argwhere(bad)[0])
            raise InputError(
                sentence(
                    place, argument, f"be {least:g} or more", float(values[row, column]),
                    at=f"at row {row}, property {column}", remedy="Correct the number.",
                )
            )  # fmt: skip
        return np.where(np.isfinite(Y), values, least)

    def _points(self, X: Array) -> Array:
        """Centered columns in units of the typical distance."""
        return np.asarray((X - self._center) / self._scale)

    def _learn_and_condition(self) -> None:
        """Parameters from few points first, then more, then a posterior of all cells."""
        rng = as_generator(self.random_state)
        cells = self._cells
        layout = Layout(cells.Z.shape[1], cells.Y.shape[1], self.separate_lengths)
        order = _fair_order(cells, rng)
        correlation = _correlation(cells)
        starts = [layout.start(length, noise, correlation) for length, noise in STARTS]
        few = DenseEvidence(self.kernel_, cells.take(_first(cells, order, FIRST_CELLS)), layout)
        more = DenseEvidence(self.kernel_, cells.take(_first(cells, order, self.learning_cells)), layout)
        with one_thread():  # matrices this small wait longer for a second thread than it saves
            theta, value, self.n_iter_ = _best(few, starts, layout, 15)
            theta, value, n_more = _best(more, [theta], layout, self.max_iter)
        self.n_iter_ += n_more
        dense = len(cells) <= self.dense_cells
        if not dense:
            rows = order[:POLISH_POINTS]
            theta, value, n_more = self._polish(cells.take(rows), layout, theta, rng)
            self.n_iter_ += n_more
        self.theta_, self.log_likelihood_ = theta, -value
        self._condition(layout, dense, rng)

    def _polish(
        self, cells: Cells, layout: Layout, theta: Array, rng: np.random.Generator
    ) -> tuple[Array, float, int]:
        """A few steps on many points through few landmarks."""
        lengths = layout.unpack(theta).length_scales
        chosen = choose_landmarks(self.kernel_, cells.Z, lengths, POLISH_LANDMARKS, rng)
        evidence = LandmarkEvidence(self.kernel_, cells, layout, cells.Z[chosen])
        return _best(evidence, [theta], layout, 15)

    def _condition(self, layout: Layout, dense: bool, rng: np.random.Generator) -> None:
        """Posterior of all cells, and the parameters in the user's units."""
        part = layout.unpack(self.theta_)
        self._posterior: DensePosterior | LandmarkPosterior
        place = "CoregionalProcess.fit"
        if dense:
            self.n_landmarks_ = 0
            self._posterior = DenseEvidence(self.kernel_, self._cells, layout).posterior(
                self.theta_, place=place
            )
        else:
            Z = self._cells.Z
            chosen = choose_landmarks(self.kernel_, Z, part.length_scales, self.n_landmarks, rng)
            self.n_landmarks_ = len(chosen)
            evidence = LandmarkEvidence(self.kernel_, self._cells, layout, Z[chosen])
            self._posterior = evidence.posterior(self.theta_, place=place)
        self.length_scales_ = part.length_scales * self._scale
        self.covariance_ = part.covariance * np.outer(self._size, self._size)
        size = np.sqrt(np.maximum(np.diag(part.covariance), 1e-300))
        self.correlation_ = part.covariance / np.outer(size, size)
        self.noise_ = part.noise * self._size**2
        bounds = layout.bounds()
        if self.theta_[: layout.n_lengths].min() >= bounds[0, 1] - 1e-6:
            warnings.warn(
                f"{place}: every length scale ended at its upper bound ({np.exp(bounds[0, 1]):.0f} typical "
                "distances); the columns hardly tell the properties apart.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _in_units(self, found: tuple[Array, Array], return_std: bool, observation: bool) -> Any:
        """Means and standard deviations in the units of the target."""
        mean = self._shift + self._size * found[0]
        part = np.diag(self.covariance_) / self._size**2
        variance = np.maximum(found[1], 1e-12 * part)
        if observation:
            variance = variance + self.noise_ / self._size**2
        std = self._size * np.sqrt(variance)
        if self._one:
            mean, std = mean[:, 0], std[:, 0]
        return (mean, std) if return_std else mean


def _fair_order(cells: Cells, rng: np.random.Generator) -> Ints:
    """Points in a random order in which every property comes equally early."""
    rank = np.full(len(cells.Y), len(cells.Y) + 1)
    for rows in cells.rows:
        rank[rows] = np.minimum(rank[rows], rng.permutation(len(rows)))
    found = np.argsort(rank, kind="stable")
    return np.asarray(found[rank[found] <= len(cells.Y)])


def _first(cells: Cells, order: Ints, n_cells: int) -> Ints:
    """As many points of an order as hold about ``n_cells`` cells."""
    counts = np.cumsum(cells.measured[order].sum(axis=1))
    return order[: max(2, int(np.searchsorted(counts, n_cells, side="right")))]


def _correlation(cells: Cells) -> Array:
    """Correlations of the properties over the points they share, a tenth taken off."""
    both = cells.measured.astype(np.float64)
    size = np.sqrt((cells.Y**2).T @ both)
    found = (cells.Y.T @ cells.Y) / np.maximum(size * size.T, 1e-300)
    found = np.where(both.T @ both >= 5, 0.9 * found, 0.0)
    np.fill_diagonal(found, 1.0)
    values, vectors = np.linalg.eigh(found)
    return np.asarray((vectors * np.maximum(values, 0.05)) @ vectors.T)


def _best(
    evidence: Evidence, starts: Sequence[Array], layout: Layout, n_steps: int
) -> tuple[Array, float, int]:
    """Best end of bounded quasi-Newton steps from every start, its value, and the steps of all."""
    found = [
        minimize(
            evidence,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=layout.bounds(),
            options={"maxiter": n_steps, "ftol": 1e-6, "gtol": 1e-4},
        )
        for start in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    return np.asarray(best.x), float(best.fun), sum(int(result.nit) for result in found)
