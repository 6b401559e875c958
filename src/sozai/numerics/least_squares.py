"""Least squares: one QR factorisation gives coefficients, errors, leverages and every score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dtrtri
from scipy.stats import t as student

from sozai.contracts.errors import InputError, NotIndependentError, sentence

__all__ = ["LeastSquares", "Scores", "fit_least_squares", "invert_triangular", "regression_scores"]

Array = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)
#: A pivot of the unit-norm QR below this is a linear relation, not a column.
DEPENDENCE = 1e-12
#: A sample with 1 - leverage below this is reproduced whatever its target is.
LEVERAGE_GAP = 1e-10
#: Residuals below this fraction of the target's norm are rounding.
ROUNDING = 64 * EPSILON


@dataclass(frozen=True)
class Scores:
    """How well a linear model fits, and how well it predicts the sample it has not seen.

    Attributes
    ----------
    rmse, mae, max_abs_error : float
        Root mean square, mean and largest absolute residual.
    r2, adj_r2, tr2 : float
        Centred, adjusted and uncentred coefficient of determination.
    rmse_loo, q2, tq2 : float
        Leave-one-out error and the two R² made from it; minus infinity when a sample has leverage 1.
    aic, aicc, bic, gcv : float
        Information criteria (``m ln e² + m + m ln(2π/m) + 2p``: p counts the constant, not the
        variance) and generalized cross-validation.
    residual_variance : float
        e²/(m − p).
    """

    rmse: float
    mae: float
    max_abs_error: float
    r2: float
    adj_r2: float
    tr2: float
    rmse_loo: float
    q2: float
    tq2: float
    aic: float
    aicc: float
    bic: float
    gcv: float
    residual_variance: float


def regression_scores(target: Array, residuals: Array, loo_residuals: Array, n_parameters: float) -> Scores:
    r"""Compute every score of a fit from its residuals and leave-one-out residuals.

    Parameters
    ----------
    target, residuals, loo_residuals : ndarray of shape (n_samples,)
    n_parameters : float
        Parameters of the model, the constant included.

    Returns
    -------
    Scores

    Notes
    -----
    The information criteria read a sum of squares at rounding level as
    :math:`(64\,\epsilon)^2 \sum y^2`, so that two exact laws are not ranked by their rounding.

    Examples
    --------
    >>> import numpy as np
    >>> y, e = np.array([1.0, 2.0, 4.0]), np.array([0.1, -0.2, 0.1])
    >>> round(regression_scores(y, e, 2 * e, 1).r2, 4)
    0.9871
    """
    m, p = target.shape[0], n_parameters
    sse, press = float(residuals @ residuals), float(loo_residuals @ loo_residuals)
    uncentered = float(target @ target)
    deviations = target - target.mean()
    floor = max(ROUNDING**2 * uncentered, np.finfo(np.float64).tiny)
    centered = float(deviations @ deviations)
    centered = centered if centered > floor else 0.0  # a constant target has no variance to explain
    free = m - p
    likelihood = m * np.log(max(sse, floor)) + m + m * np.log(2 * np.pi / m)
    aic = likelihood + 2 * p
    correction = 2 * p * (p + 1) / (m - p - 1) if m - p - 1 > 0 else np.inf
    variance = sse / free if free > 0 else np.nan
    absolute = np.abs(residuals)
    return Scores(
        rmse=float(np.sqrt(sse / m)),
        mae=float(absolute.mean()),
        max_abs_error=float(absolute.max()),
        r2=_explained(sse, centered),
        adj_r2=_explained(variance, centered / (m - 1)) if m > 1 else np.nan,
        tr2=_explained(sse, uncentered),
        rmse_loo=float(np.sqrt(press / m)),
        q2=_explained(press, centered),
        tq2=_explained(press, uncentered),
        aic=float(aic),
        aicc=float(aic + correction),
        bic=float(likelihood + p * np.log(m)),
        gcv=float((sse / m) / (1 - p / m) ** 2) if free > 0 else np.inf,
        residual_variance=float(variance),
    )


def _explained(unexplained: float, total: float) -> float:
    """1 - unexplained/total, with NaN for a total of nothing."""
    return float(1.0 - unexplained / total) if total > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class LeastSquares:
    r"""An ordinary least-squares fit and every diagnostic that follows from its one QR.

    Made by :func:`fit_least_squares`; nothing here refits.

    Attributes
    ----------
    design : ndarray of shape (n_samples, n_parameters)
        Columns as given; a constant is a column like any other.
    target : ndarray of shape (n_samples,)
    coefficients : ndarray of shape (n_parameters,)
    orthonormal : ndarray of shape (n_samples, n_parameters)
        Q of the unit-norm columns.
    triangular, inverse_triangular : ndarray of shape (n_parameters, n_parameters)
        R of the unit-norm columns, and R⁻¹.
    norms : ndarray of shape (n_parameters,)
        2-norms of the columns.
    residuals : ndarray of shape (n_samples,)

    Notes
    -----
    ===================== ===================== ======================
    Symbol                Code                  Shape
    ===================== ===================== ======================
    :math:`\beta`         ``coefficients``      (n_parameters,)
    :math:`P=(X^TX)^{-1}` ``covariance``        (n_parameters,) * 2
    :math:`e`             ``residuals``         (n_samples,)
    :math:`h`             ``leverages``         (n_samples,)
    :math:`s^2`           ``residual_variance`` scalar
    ===================== ===================== ======================

    Cost :math:`O(m p^2)` for everything together.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6.0)
    >>> fit = fit_least_squares(np.column_stack([np.ones(6), x]), 1 + 2 * x)
    >>> fit.coefficients.round(12).tolist()
    [1.0, 2.0]
    """

    design: Array
    target: Array
    coefficients: Array
    orthonormal: Array
    triangular: Array
    inverse_triangular: Array
    norms: Array
    residuals: Array

    @property
    def n_samples(self) -> int:
        """Rows of the design."""
        return int(self.design.shape[0])

    @property
    def n_parameters(self) -> int:
        """Columns of the design, a constant included."""
        return int(self.design.shape[1])

    @property
    def fitted(self) -> Array:
        """Target minus residual."""
        return self.target - self.residuals

    @cached_property
    def unit_covariance(self) -> Array:
        """P of the unit-norm columns, shape (n_parameters, n_parameters)."""
        inverse = self.inverse_triangular
        return np.asarray(inverse @ inverse.T, dtype=np.float64)

    @cached_property
    def covariance(self) -> Array:
        """P = (XᵀX)⁻¹ in the units of the columns; times ``residual_variance`` it is the covariance of β."""
        with np.errstate(over="ignore"):  # beyond float64: infinite
            return np.asarray(self.unit_covariance / self.norms[:, None] / self.norms, dtype=np.float64)

    @cached_property
    def sse(self) -> float:
        """Sum of squared residuals."""
        return float(self.residuals @ self.residuals)

    @cached_property
    def residual_variance(self) -> float:
        """s² = e²/(m − p)."""
        free = self.n_samples - self.n_parameters
        return self.sse / free if free > 0 else float("nan")

    @cached_property
    def standard_errors(self) -> Array:
        """Square roots of s² P_ii."""
        return np.asarray(
            np.sqrt(self.residual_variance * np.diag(self.unit_covariance)) / self.norms, dtype=np.float64
        )

    @cached_property
    def leverages(self) -> Array:
        """h_t = Σ_i Q_ti²."""
        return np.asarray(np.minimum(np.einsum("ti,ti->t", self.orthonormal, self.orthonormal), 1.0))

    @cached_property
    def loo_residuals(self) -> Array:
        """Leave-one-out residuals e_t/(1 − h_t); infinite where the leverage is 1."""
        gap = 1.0 - self.leverages
        alone = gap < LEVERAGE_GAP
        return np.where(alone, np.inf, self.residuals / np.where(alone, 1.0, gap))

    @property
    def unpredictable(self) -> NDArray[np.intp]:
        """Rows of leverage 1: no other row says anything about them."""
        return np.flatnonzero(~np.isfinite(self.loo_residuals))

    @cached_property
    def press(self) -> float:
        """Sum of squared leave-one-out residuals."""
        return float(self.loo_residuals @ self.loo_residuals)

    @cached_property
    def scores(self) -> Scores:
        """Every score, see :class:`Scores`."""
        return regression_scores(self.target, self.residuals, self.loo_residuals, self.n_parameters)

    @property
    def q2_predictive(self) -> float:
        """Q² against the leave-one-out mean: the denominator of Q² times (m/(m−1))²."""
        m = self.n_samples
        return float(1.0 - (1.0 - self.scores.q2) * ((m - 1) / m) ** 2)

    def kfold_residuals(self, folds: Iterable[Sequence[int] | NDArray[np.intp]]) -> Array:
        """Residuals of each fold when it is left out, without refitting.

        Parameters
        ----------
        folds : iterable of int sequences
            Row numbers of every test fold; rows in no fold get NaN.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``(I - H_FF)⁻¹ e_F`` in every fold F; infinite where the other rows cannot fix the model.
        """
        out = np.full(self.n_samples, np.nan)
        for fold in folds:
            rows = np.asarray(fold, dtype=np.intp)
            basis = self.orthonormal[rows]
            gap, vectors = np.linalg.eigh(np.eye(len(rows)) - basis @ basis.T)
            seen = vectors.T @ self.residuals[rows]
            if gap.min(initial=1.0) < LEVERAGE_GAP:
                out[rows] = np.inf
            else:
                out[rows] = vectors @ (seen / gap)
        return out

    # -- coefficients ------------------------------------------------------------------------------
    @cached_property
    def t_values(self) -> Array:
        """β_i / se(β_i)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.coefficients / self.standard_errors, dtype=np.float64)

    @property
    def p_values(self) -> Array:
        """Two-sided Student p-values; not honest for columns that were selected by the same data."""
        free = self.n_samples - self.n_parameters
        return np.asarray(2 * student.sf(np.abs(self.t_values), free), dtype=np.float64)

    def interval(self, level: float = 0.95) -> Array:
        """Student intervals of the coefficients, shape (n_parameters, 2)."""
        if not 0 < level < 1:
            raise InputError(
                sentence("LeastSquares.interval", "level", "lie between 0 and 1", level, remedy="Use 0.95.")
            )
        free = self.n_samples - self.n_parameters
        half = student.ppf(0.5 + level / 2, free) * self.standard_errors
        return np.column_stack([self.coefficients - half, self.coefficients + half])

    @property
    def share_of_fit(self) -> Array:
        """G_i² = 1 − e²/e²₍₋ᵢ₎: the share of the residual that comes back without column i."""
        dropped = self.coefficients**2 * self.norms**2 / np.diag(self.unit_covariance)
        total = dropped + self.sse
        return np.divide(dropped, total, out=np.zeros_like(dropped), where=total > 0)

    # -- near-multicollinearity --------------------------------------------------------------------
    @property
    def total_r2(self) -> Array:
        """TR_i² = 1 − 1/(‖x_i‖² P_ii): uncentred R² of column i on all others."""
        return np.asarray(1.0 - 1.0 / np.diag(self.unit_covariance), dtype=np.float64)

    @property
    def variance_inflation(self) -> Array:
        """Centred variance inflation factors; NaN for a constant column."""
        unit = self.design / self.norms
        spread = ((unit - unit.mean(axis=0)) ** 2).sum(axis=0)
        spread = np.where(np.ptp(unit, axis=0) <= 1e-12 * np.abs(unit).max(axis=0), np.nan, spread)
        return np.asarray(spread * np.diag(self.unit_covariance), dtype=np.float64)

    @property
    def cosines(self) -> Array:
        """n_ij: cosines between the columns."""
        return np.asarray(self.triangular.T @ self.triangular, dtype=np.float64)

    @property
    def correlations(self) -> Array:
        """r_ij: correlations between the columns; NaN for a constant column."""
        unit = self.design / self.norms
        unit = unit - unit.mean(axis=0)
        spread = np.sqrt((unit**2).sum(axis=0))
        spread = np.where(spread <= 1e-12, np.nan, spread)
        unit = unit / spread
        return np.asarray(unit.T @ unit, dtype=np.float64)

    @property
    def partial_correlations(self) -> Array:
        """g_ij = −P_ij/√(P_ii P_jj): cosine of columns i and j with all others taken out."""
        inverse = self.unit_covariance
        scale = np.sqrt(np.diag(inverse))
        partial = -inverse / scale[:, None] / scale
        np.fill_diagonal(partial, 1.0)
        return np.asarray(partial, dtype=np.float64)

    @cached_property
    def singular_values(self) -> Array:
        """Singular values of the unit-norm columns, descending."""
        return np.asarray(np.linalg.svd(self.triangular, compute_uv=False), dtype=np.float64)

    @property
    def condition_number(self) -> float:
        """Largest over smallest singular value of the unit-norm columns."""
        return float(self.singular_values[0] / self.singular_values[-1])

    def condition_indices(self) -> tuple[Array, Array]:
        """Belsley's condition indices and variance proportions.

        Returns
        -------
        indices : ndarray of shape (n_parameters,)
            σ_max/σ_k of the unit-norm columns, ascending.
        proportions : ndarray of shape (n_parameters, n_parameters)
            Row k: the share of every coefficient's variance that belongs to index k; columns sum to 1.
        """
        _, sigma, right = np.linalg.svd(self.triangular)
        parts = (right / sigma[:, None]) ** 2
        return np.asarray(sigma[0] / sigma), np.asarray(parts / parts.sum(axis=0))

    # -- outliers ----------------------------------------------------------------------------------
    @cached_property
    def studentized_internal(self) -> Array:
        """e_t / (s √(1 − h_t)); NaN where the leverage is 1."""
        gap = 1.0 - self.leverages
        gap = np.where(gap < LEVERAGE_GAP, np.nan, gap)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.residuals / np.sqrt(self.residual_variance * gap), dtype=np.float64)

    @property
    def studentized_external(self) -> Array:
        """As above with s of the fit without sample t."""
        free = self.n_samples - self.n_parameters
        r = self.studentized_internal
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(r * np.sqrt((free - 1) / (free - r**2)), dtype=np.float64)

    @property
    def dffits(self) -> Array:
        """Change of the fitted value of sample t, in its standard errors, when it is left out."""
        gap = np.maximum(1.0 - self.leverages, LEVERAGE_GAP)
        return np.asarray(self.studentized_external * np.sqrt(self.leverages / gap), dtype=np.float64)

    @property
    def cook_distances(self) -> Array:
        """Change of the whole fit when sample t is left out, in units of p s²."""
        gap = np.maximum(1.0 - self.leverages, LEVERAGE_GAP)
        scale = gap * self.n_parameters
        return np.asarray(self.studentized_internal**2 * self.leverages / scale, dtype=np.float64)

    @property
    def leverage_limit(self) -> float:
        """3p/m: leverages above this deserve a look."""
        return 3 * self.n_parameters / self.n_samples

    def prediction_variance(self, rows: ArrayLike) -> Array:
        """s² (1 + xᵀPx) of new observations at ``rows`` (n_new, n_parameters)."""
        unit = np.asarray(rows, dtype=np.float64) / self.norms
        along = unit @ self.inverse_triangular
        return np.asarray(self.residual_variance * (1 + (along**2).sum(axis=1)), dtype=np.float64)


def fit_least_squares(
    design: Array, target: Array, *, names: Sequence[str] | None = None, place: str = "fit_least_squares"
) -> LeastSquares:
    """Fit ``target`` by the columns of ``design`` with one QR of the unit-norm columns.

    Parameters
    ----------
    design : ndarray of shape (n_samples, n_parameters)
        Finite columns; add a column of ones for an intercept.
    target : ndarray of shape (n_samples,)
    names : sequence of str, optional
        Column names for messages.
    place : str
        Who asks, for messages.

    Returns
    -------
    LeastSquares

    Raises
    ------
    InputError
        Not more rows than columns.
    NotIndependentError
        A column is a linear combination of those before it; the message says which.

    Examples
    --------
    >>> import numpy as np
    >>> fit_least_squares(np.ones((4, 1)), np.array([1.0, 2.0, 3.0, 4.0])).scores.rmse.__round__(6)
    1.118034
    """
    m, p = design.shape
    if m <= p:
        raise InputError(
            sentence(
                place,
                "samples",
                f"number more than the {p} parameters",
                m,
                remedy=f"The fit needs at least {p + 1} samples: add rows or take fewer terms.",
            )
        )
    largest = np.abs(design).max(axis=0) if p else np.ones(0)
    largest = np.where(largest > 0, largest, 1.0)
    scaled = design / largest
    norms = np.sqrt(np.einsum("ti,ti->i", scaled, scaled))
    if p and norms.min() == 0:
        j = int(np.argmin(norms))
        raise NotIndependentError(_relation_sentence(place, names, j, np.zeros(0), []))
    orthonormal, triangular = np.linalg.qr(scaled / norms)
    norms = norms * largest
    pivots = np.abs(np.diag(triangular))
    if p and pivots.min() < DEPENDENCE:
        raise NotIndependentError(_dependence(place, names, triangular, norms))
    projection = orthonormal.T @ target
    residuals = target - orthonormal @ projection
    again = orthonormal.T @ residuals
    residuals = residuals - orthonormal @ again
    inverse = invert_triangular(triangular)
    coefficients = inverse @ (projection + again) / norms
    return LeastSquares(design, target, coefficients, orthonormal, triangular, inverse, norms, residuals)


def invert_triangular(triangular: Array) -> Array:
    """Invert an upper triangular matrix without zeros on its diagonal."""
    if not len(triangular):
        return np.zeros((0, 0))
    return np.asarray(np.triu(dtrtri(triangular)[0]), dtype=np.float64)


def _dependence(place: str, names: Sequence[str] | None, triangular: Array, norms: Array) -> str:
    """Message with the first relation found in R."""
    k = int(np.argmax(np.abs(np.diag(triangular)) < DEPENDENCE))
    weights = invert_triangular(triangular[:k, :k]) @ triangular[:k, k]
    support = np.flatnonzero(np.abs(weights) >= 1e-5)
    return _relation_sentence(place, names, k, weights[support] * norms[k] / norms[support], support.tolist())


def _relation_sentence(
    place: str, names: Sequence[str] | None, column: int, weights: Array, support: Sequence[int]
) -> str:
    """``x3 = 2 x1 - 1 x2`` in the sentence form."""

    def label(j: int) -> str:
        return names[j] if names is not None else f"column {j}"

    right = " ".join(f"{w:+.6g} {label(j)}" for w, j in zip(weights, support, strict=True)) or "0"
    return sentence(
        place,
        "columns",
        "be linearly independent",
        f"{label(column)} = {right.removeprefix('+')}",
        remedy="Leave one of these columns out.",
    )
