"""Selection by penalties and by change of basis: LASSO, ridge, principal components, PLS."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.cross_decomposition import PLSRegression
from sklearn.exceptions import ConvergenceWarning as SolverWarning
from sklearn.linear_model import lasso_path

from sozai.contracts.errors import InputError, NotIndependentError, sentence
from sozai.numerics.least_squares import LEVERAGE_GAP, regression_scores
from sozai.symbolic.selectors.exhaustive import Exhaustive
from sozai.symbolic.selectors.models import ModelList, SymbolicModel
from sozai.symbolic.selectors.selector import SelectionTask, Selector

__all__ = ["Lasso", "LassoThenL0", "PartialLeastSquares", "PrincipalComponents", "Ridge"]

#: With more samples than this, baselines leave out a tenth at a time instead of one.
LEAVE_ONE_OUT_UNTIL = 200


@dataclass(frozen=True, eq=False)
class _Standardized:
    """Columns at mean 0 (with an intercept) and unit root mean square."""

    X: np.ndarray
    y: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    target_mean: float

    @classmethod
    def of(cls, X: np.ndarray, y: np.ndarray, fit_intercept: bool) -> _Standardized:
        """Standardize a table; a constant column gets weight zero."""
        mean = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
        centered = X - mean
        scale = np.sqrt(np.mean(centered**2, axis=0))
        scale = np.where(scale > 1e-12 * np.abs(X).max(axis=0), scale, np.inf)
        target_mean = float(y.mean()) if fit_intercept else 0.0
        return cls(centered / scale, y - target_mean, mean, scale, target_mean)

    def original(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and intercepts in original units for weights (n, ...)."""
        coefficients = (weights.T / self.scale).T
        return coefficients, self.target_mean - self.mean @ coefficients


class Lasso(Selector):
    r"""Least squares with an L1 penalty, refitted without it.

    Parameters
    ----------
    rule : {"one_standard_error", "minimum"}, default="one_standard_error"
        Penalty of the selected model: the strongest one whose k-fold error is within one standard error of
        the smallest, or that of the smallest.
    cv : int, default=10
        Folds (interleaved rows, so nothing is drawn at random).
    n_penalties : int, default=100
        Points of the path, down to 1/1000 of the largest penalty.

    Notes
    -----
    Solves :math:`\min \|y - X\beta\|^2 + \lambda \|\beta\|_1` on standardized columns (scikit-learn's
    ``alpha`` is :math:`\lambda/(2m)`). Every set of terms on the path is refitted by least squares; the path
    holds λ, the number of terms and the k-fold error.

    References
    ----------
    .. [1] R. Tibshirani, J. R. Stat. Soc. B 58, 267 (1996).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 6))
    >>> Lasso().select(X, 3 * X[:, 1] + 0.1 * rng.normal(size=60), list("abcdef")).selected.terms
    ('b',)
    """

    def __init__(self, rule="one_standard_error", *, cv=10, n_penalties=100):
        self.rule = rule
        self.cv = cv
        self.n_penalties = n_penalties

    def _select(self, task: SelectionTask) -> ModelList:
        if self.rule not in ("one_standard_error", "minimum"):
            raise InputError(sentence(task.place, "rule", "be 'one_standard_error' or 'minimum'", self.rule))
        if not 2 <= self.cv <= task.n_samples:
            raise InputError(
                sentence(task.place, "cv", f"lie between 2 and {task.n_samples} samples", self.cv)
            )
        penalties, weights, notes = _path(task.X, task.y, task.fit_intercept, self.n_penalties)
        errors = self._errors(task, penalties)
        mean, spread = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
        lowest = int(np.argmin(mean))
        within = np.flatnonzero(mean <= mean[lowest] + spread[lowest])
        chosen = int(within[0]) if self.rule == "one_standard_error" else lowest
        path = pd.DataFrame(
            {
                "penalty": 2 * task.n_samples * penalties,
                "n_terms": (weights != 0).sum(axis=0),
                "fold_mse": mean,
                "fold_mse_standard_error": spread,
            }
        )
        supports = [tuple(np.flatnonzero(weights[:, i]).tolist()) for i in range(len(penalties))]
        models = _refit_all(task, supports)
        selected = next((models[s] for s in supports[chosen::-1] if s in models), None)
        return ModelList(tuple(models.values()), path=path, notes=notes, selected=selected)

    def _errors(self, task: SelectionTask, penalties: np.ndarray) -> np.ndarray:
        """Mean squared error of every fold and penalty."""
        errors = []
        for train, test in _folds(task.n_samples, self.cv):
            table = _Standardized.of(task.X[train], task.y[train], task.fit_intercept)
            weights = _coordinate_path(table, penalties)[0]
            coefficients, intercepts = table.original(weights)
            errors.append(
                np.mean((task.y[test, None] - task.X[test] @ coefficients - intercepts) ** 2, axis=0)
            )
        return np.array(errors)


class LassoThenL0(Selector):
    """Take the columns that enter a LASSO path first, then search all their subsets.

    Parameters
    ----------
    n_keep : int, default=30
        Columns to search.
    max_terms : int, default=3
    n_best, rank_by, exact_press, n_jobs, progress
        As in :class:`Exhaustive`.

    References
    ----------
    .. [1] L. M. Ghiringhelli et al., Phys. Rev. Lett. 114, 105503 (2015).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 20))
    >>> LassoThenL0(5, 2).select(X, X[:, 3] - X[:, 9]).best().terms
    ('x3', 'x9')
    """

    def __init__(
        self,
        n_keep=30,
        max_terms=3,
        *,
        n_best=50,
        rank_by="rmse",
        exact_press=False,
        n_jobs=None,
        progress=None,
    ):
        self.n_keep = n_keep
        self.max_terms = max_terms
        self.n_best = n_best
        self.rank_by = rank_by
        self.exact_press = exact_press
        self.n_jobs = n_jobs
        self.progress = progress

    def _select(self, task: SelectionTask) -> ModelList:
        if self.n_keep < 1:
            raise InputError(sentence(task.place, "n_keep", "be at least 1", self.n_keep))
        _, weights, notes = _path(task.X, task.y, task.fit_intercept, 200)
        kept = np.sort(_order_of_entry(weights)[: self.n_keep])
        search = Exhaustive(
            self.max_terms,
            n_best=self.n_best,
            rank_by=self.rank_by,
            exact_press=self.exact_press,
            n_jobs=self.n_jobs,
            progress=self.progress,
        )
        names = tuple(task.names[j] for j in kept)
        part = replace(task, X=task.X[:, kept], names=names, complexity=task.complexity[kept])
        found = search._select(part)
        models = tuple(replace(m, columns=tuple(int(kept[j]) for j in m.columns)) for m in found)
        note = f"searched the first {len(kept)} of {task.n_columns} columns to enter the LASSO path"
        return ModelList(models, complete=found.complete, notes=(note, *notes, *found.notes))


class Ridge(Selector):
    r"""Least squares with an L2 penalty on all columns; a baseline.

    Parameters
    ----------
    penalties : array-like, optional
        λ on standardized columns; 61 points over 12 decades when left out.

    Notes
    -----
    :math:`\min \|y - X\beta\|^2 + \lambda\|\beta\|^2` on standardized columns, no penalty on the intercept.
    One SVD gives :math:`h_t(\lambda)` and so the exact leave-one-out error of every penalty; the smallest
    wins.
    ``n_parameters`` is the trace of the hat matrix.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 6))
    >>> round(Ridge().select(X, X[:, 0])[0].r2, 3)
    1.0
    """

    def __init__(self, penalties=None):
        self.penalties = penalties

    def _select(self, task: SelectionTask) -> ModelList:
        table = _Standardized.of(task.X, task.y, task.fit_intercept)
        left, sigma, right = np.linalg.svd(table.X, full_matrices=False)
        given = self.penalties
        grid = (
            sigma[0] ** 2 * np.logspace(-12, 0, 61) if given is None else np.asarray(given, dtype=np.float64)
        )
        if grid.ndim != 1 or not len(grid) or not (grid > 0).all():
            raise InputError(sentence(task.place, "penalties", "be positive numbers", given))
        mean_part = 1.0 / task.n_samples if task.fit_intercept else 0.0
        rows, fits = [], []
        for penalty in grid:
            shrink = sigma**2 / (sigma**2 + penalty)
            leverages = np.minimum(mean_part + left**2 @ shrink, 1.0)
            residuals = table.y - left @ (shrink * (left.T @ table.y))
            gap = 1.0 - leverages
            alone = gap < LEVERAGE_GAP
            loo = np.where(alone, np.inf, residuals / np.where(alone, 1.0, gap))
            scores = regression_scores(task.y, residuals, loo, float(leverages.sum()))
            rows.append({"penalty": penalty, "n_parameters": leverages.sum(), **vars(scores)})
            fits.append((residuals, leverages, loo))
        path = pd.DataFrame(rows)
        best = int(np.argmin(path["rmse_loo"]))
        filtered = sigma / (sigma**2 + grid[best])
        weights = right.T @ (filtered * (left.T @ table.y))
        model = _whole_table_model(
            task, table, weights, *fits[best], float(fits[best][1].sum()), (right.T * filtered**2) @ right
        )
        return ModelList((model,), path=path, selected=model)


class _Components(Selector):
    """Regression on a few combinations of all columns; the number is chosen by left-out samples."""

    def __init__(self, n_components=None, *, max_components=20):
        self.n_components = n_components
        self.max_components = max_components

    def _select(self, task: SelectionTask) -> ModelList:
        folds = list(_folds(task.n_samples, task.n_samples if task.n_samples <= LEAVE_ONE_OUT_UNTIL else 10))
        fewest = min(len(train) for train, _ in folds)
        room = min(fewest - 1 - task.fit_intercept, len(task.usable()))
        counts = (
            [self.n_components] if self.n_components else list(range(1, min(self.max_components, room) + 1))
        )
        if not counts or not 1 <= counts[-1] <= room:
            raise InputError(
                sentence(task.place, "n_components", f"lie between 1 and {room}", self.n_components)
            )
        left_out = np.zeros((task.n_samples, len(counts)))
        for train, test in folds:
            table = _Standardized.of(task.X[train], task.y[train], task.fit_intercept)
            coefficients, intercepts = table.original(self._weights(table, counts))
            left_out[test] = task.y[test, None] - task.X[test] @ coefficients - intercepts
        best = int(np.argmin((left_out**2).sum(axis=0)))
        table = _Standardized.of(task.X, task.y, task.fit_intercept)
        weights = self._weights(table, counts)
        residuals = table.y[:, None] - table.X @ weights
        path = pd.DataFrame(
            {
                "n_components": counts,
                "rmse": np.sqrt(np.mean(residuals**2, axis=0)),
                "rmse_loo": np.sqrt(np.mean(left_out**2, axis=0)),
            }
        )
        nothing = np.full(task.n_samples, np.nan)
        size = counts[best] + float(task.fit_intercept)
        unknown = np.full((task.n_columns, task.n_columns), np.nan)
        model = _whole_table_model(
            task, table, weights[:, best], residuals[:, best], nothing, left_out[:, best], size, unknown
        )
        how = "one row" if len(folds) == task.n_samples else f"1/{len(folds)} of the rows"
        note = f"{counts[best]} components; leave-one-out scores from refits without {how}"
        return ModelList((model,), path=path, notes=(note,), selected=model)

    def _weights(self, table: _Standardized, counts: list[int]) -> np.ndarray:
        """Weights (n, len(counts)) of the standardized columns."""
        raise NotImplementedError


class PrincipalComponents(_Components):
    """Regression on the leading principal components of all columns; a baseline.

    Parameters
    ----------
    n_components : int, optional
        Chosen by leaving samples out when not given.
    max_components : int, default=20

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> PrincipalComponents().select(X, X @ [1.0, 2.0, 3.0])[0].n_parameters
    4.0
    """

    def _weights(self, table: _Standardized, counts: list[int]) -> np.ndarray:
        left, sigma, right = np.linalg.svd(table.X, full_matrices=False)
        kept = sigma > 1e-12 * sigma[0]
        along = np.divide(left.T @ table.y, sigma, out=np.zeros_like(sigma), where=kept)
        parts = np.cumsum(right.T * along, axis=1)
        return parts[:, np.minimum(np.array(counts), parts.shape[1]) - 1]


class PartialLeastSquares(_Components):
    """Regression on the combinations of columns that vary with the target; a baseline.

    Parameters
    ----------
    n_components : int, optional
        Chosen by leaving samples out when not given.
    max_components : int, default=20

    See Also
    --------
    sklearn.cross_decomposition.PLSRegression : Does the work.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> round(PartialLeastSquares().select(X, X @ [1.0, 2.0, 3.0])[0].r2, 6)
    1.0
    """

    def _weights(self, table: _Standardized, counts: list[int]) -> np.ndarray:
        size = np.abs(table.y).max() or 1.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "y residual is constant": the fit is exact
            pls = PLSRegression(n_components=max(counts), scale=False).fit(table.X, table.y / size)
        along = pls.x_scores_
        norms = (along**2).sum(axis=0)
        slopes = np.divide(along.T @ table.y, norms, out=np.zeros_like(norms), where=norms > 0)
        parts = np.cumsum(pls.x_rotations_ * slopes, axis=1)
        return parts[:, np.array(counts) - 1]


def _whole_table_model(
    task: SelectionTask,
    table: _Standardized,
    weights: np.ndarray,
    residuals: np.ndarray,
    leverages: np.ndarray,
    loo_residuals: np.ndarray,
    n_parameters: float,
    spread: np.ndarray,
) -> SymbolicModel:
    """Record of a linear model of all columns; ``spread`` is Cov(weights)/s² (n, n)."""
    coefficients, intercept = table.original(weights)
    scores = regression_scores(task.y, residuals, loo_residuals, n_parameters)
    n = task.n_columns
    covariance = np.zeros((n + 1, n + 1))
    covariance[1:, 1:] = spread / table.scale[:, None] / table.scale
    if task.fit_intercept:
        covariance[0, 1:] = covariance[1:, 0] = -covariance[1:, 1:] @ table.mean
        covariance[0, 0] = 1.0 / task.n_samples - covariance[0, 1:] @ table.mean
    errors = np.sqrt(scores.residual_variance * np.diag(covariance))
    sigma = np.linalg.svd(table.X[:, np.isfinite(table.scale)], compute_uv=False)
    return SymbolicModel(
        terms=task.names,
        columns=tuple(range(n)),
        coefficients=coefficients,
        standard_errors=errors[1:],
        intercept=float(intercept),
        intercept_standard_error=float(errors[0]),
        has_intercept=task.fit_intercept,
        n_terms=n,
        n_parameters=n_parameters,
        complexity=int(task.complexity.sum()),
        condition_number=float(sigma[0] / sigma[-1]) if sigma[-1] > 0 else np.inf,
        covariance=covariance,
        leverages=leverages,
        fitted=task.y - residuals,
        residuals=residuals,
        loo_residuals=loo_residuals,
        **vars(scores),
    )


def _path(
    X: np.ndarray, y: np.ndarray, fit_intercept: bool, n_penalties: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Penalties (scikit-learn's alpha, descending), weights (n, n_penalties), notes."""
    table = _Standardized.of(X, y, fit_intercept)
    largest = float(np.abs(table.X.T @ table.y).max()) / len(y)
    penalties = (largest or 1.0) * np.logspace(0, -3, n_penalties)
    weights, notes = _coordinate_path(table, penalties)
    return penalties, weights, notes


def _coordinate_path(table: _Standardized, penalties: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Weights along the path by coordinate descent; a note where it did not settle."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SolverWarning)
        _, weights, _ = lasso_path(table.X, table.y, alphas=penalties, max_iter=5000, tol=1e-5)
    stuck = [w for w in caught if issubclass(w.category, SolverWarning)]
    notes = (f"coordinate descent did not settle at {len(stuck)} penalties",) if stuck else ()
    return weights, notes


def _order_of_entry(weights: np.ndarray) -> np.ndarray:
    """Columns that ever enter, the first to enter first; ties to the larger weight."""
    inside = weights != 0
    entry = np.where(inside.any(axis=1), inside.argmax(axis=1), weights.shape[1])
    size = np.abs(weights[np.arange(len(entry)), np.minimum(entry, weights.shape[1] - 1)])
    order = np.lexsort((np.arange(len(entry)), -size, entry))
    return order[entry[order] < weights.shape[1]]


def _refit_all(task: SelectionTask, supports: list[tuple[int, ...]]) -> dict[tuple[int, ...], SymbolicModel]:
    """Least squares on every distinct support that leaves a degree of freedom."""
    models = {}
    for support in dict.fromkeys(supports):
        if (not support and not task.fit_intercept) or task.n_samples <= len(support) + task.fit_intercept:
            continue
        try:
            models[support] = task.model(support)
        except NotIndependentError:  # the penalty allows dependent columns, least squares does not
            continue
    return models


def _folds(n_samples: int, n_folds: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Train and test rows; row t is in fold t mod n_folds."""
    fold = np.arange(n_samples) % n_folds
    for k in range(n_folds):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)
