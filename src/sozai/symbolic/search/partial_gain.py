"""The score of regression: what a candidate explains beside the terms of given models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.search.screening_kernels import TRUSTED, Models

__all__ = ["PartialGain"]


class PartialGain:
    r"""How much of the target a candidate explains beside the terms of given models.

    Parameters
    ----------
    y : array-like of shape (m,)
        Target.
    models : sequence of tuples of int, default=((),)
        Models a candidate may join: rows of ``values`` that are their terms.
        Every model has an intercept. The empty model screens by correlation.
    values : ndarray of shape (n_terms, m), optional
        Terms as rows.
    tasks : array-like of shape (m,), optional
        Task of every sample. Each task has its own intercept and coefficients.
    weights : mapping or array-like, optional
        Weight of every task, ascending by task; default 1.

    Attributes
    ----------
    base_scores : ndarray of shape (n_models,)
        Scores of the models without a candidate.
    tasks : ndarray
        Tasks, ascending.

    Notes
    -----
    The score of f is the largest determination over the models that f joins,

    .. math:: \max_t \Big(1 - \frac{1}{\mathrm{SST}} \sum_k w_k
              \big(\mathrm{SSE}_{tk} - \mathrm{gain}_{tk}(f)\big)\Big), \qquad
              \mathrm{gain} = \frac{(r_t^\top f_c)^2}{f_c^\top f_c - |Q_t f_c|^2},

    with :math:`f_c` centred in task k, :math:`r_t` the residual of model t and
    :math:`Q_t` an orthonormal basis of its centred terms. With
    :math:`U = [y_c, \text{terms}]` and :math:`g = U f_c` the same reads

    .. math:: \mathrm{gain} = \frac{(g_0 - \beta_t^\top g_T)^2}{f_c^\top f_c - |L_t g_T|^2},

    :math:`Q_t = L_t U_T`, so that one more product of matrices per column of U
    serves all models. A candidate in the span of the model's own terms
    (denominator within 1e-9 of zero, relative) gains nothing.

    ============== =================== ===================
    symbol         code name           shape
    ============== =================== ===================
    :math:`U`      ``columns``         (1 + n_terms, m)
    :math:`\beta`  ``models.slopes``   (T, K, p)
    :math:`L`      ``models.lower``    (T, K, p, p)
    :math:`r_t`    ``residuals``       (T, m)
    :math:`Q_t`    ``bases``           (T, p, m)
    :math:`w/SST`  ``models.share``    (K,)
    ============== =================== ===================

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0, 5.0], [1.0, -1.0, 1.0, 1.0]])
    >>> score = PartialGain(2 * x[0] + 3 * x[1], models=[(0,)], values=x[:1])
    >>> score.evaluate(x).round(6).tolist(), score.base_scores.round(3).tolist()
    ([0.691429, 1.0], [0.691])
    """

    def __init__(
        self,
        y: Any,
        *,
        models: Sequence[Sequence[int]] = ((),),
        values: Any = None,
        tasks: Any = None,
        weights: Any = None,
    ) -> None:
        y = as_vector(y, place="PartialGain")
        rows = (
            np.zeros((0, y.size)) if values is None else as_matrix(values, place="PartialGain", min_columns=0)
        )
        _check_models(models, rows, y)
        labels = np.zeros(y.size, np.int64) if tasks is None else np.asarray(tasks)
        if labels.shape != y.shape:
            raise InputError(
                sentence("PartialGain", "tasks", f"have one entry per sample ({y.size})", labels.shape)
            )
        self.tasks, label = np.unique(labels, return_inverse=True)
        self.order = np.argsort(label, kind="stable")
        self.starts = np.searchsorted(label[self.order], np.arange(self.tasks.size + 1)).astype(np.int64)
        weight = _task_weights(weights, self.tasks)
        self.n_samples = y.size
        scale = 2.0 ** -np.frexp(np.abs(y).max())[1]
        target = self._centered((y * scale)[None])[0]
        sums = np.add.reduceat(target * target, self.starts[:-1])
        total = float(weight @ sums)
        if not total > 0.0:
            raise InputError(
                sentence(
                    "PartialGain", "y", "vary", float(y[0]), at="in every row", remedy="Pass another target."
                )
            )
        used = sorted({term for model in models for term in model})
        terms = self._centered(_unit(rows[used])) if used else np.zeros((0, y.size))
        self.columns = np.concatenate([target[None], terms])
        place = {term: k + 1 for k, term in enumerate(used)}
        self._prepare([tuple(place[term] for term in model) for model in models], weight / total, sums)

    def __repr__(self) -> str:
        tasks = f", {self.tasks.size} tasks" if self.tasks.size > 1 else ""
        return f"PartialGain({self.base_scores.size} models, {self.n_samples} samples{tasks})"

    @property
    def base_scores(self) -> np.ndarray:
        """Scores of the models without a candidate."""
        return self.models.scores

    @property
    def shape(self) -> tuple[int, int]:
        """Number of tasks, and of the columns a scan needs: target and terms."""
        return self.tasks.size, self.columns.shape[0]

    def evaluate(self, values: Any) -> np.ndarray:
        """Scores of features in two passes: exact, and the same bits in any company.

        Parameters
        ----------
        values : ndarray of shape (b, m)
            Features as rows, finite.

        Returns
        -------
        ndarray of shape (b,)
        """
        values = np.require(values, np.float64, ["C", "A"])
        scores = np.empty(values.shape[0])
        _fill_scores(
            values, self.order, self.starts, self.residuals, self.bases, self.models.sizes,
            self.models.scores, self.models.share, scores,
        )  # fmt: skip
        return scores

    def _centered(self, rows: np.ndarray) -> np.ndarray:
        """Rows sorted by task, the mean of each task taken out."""
        rows = np.ascontiguousarray(rows[:, self.order])
        for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            for _ in range(2):
                rows[:, begin:end] -= rows[:, begin:end].mean(axis=1, keepdims=True)
        return rows

    def _prepare(self, models: list[tuple[int, ...]], share: np.ndarray, sums: np.ndarray) -> None:
        """Residuals, bases, slopes and triangles of all models."""
        n_models, n_tasks = len(models), share.size
        p = max((len(model) for model in models), default=0)
        terms = np.zeros((n_models, p), np.int64)
        slopes, lower = np.zeros((n_models, n_tasks, p)), np.zeros((n_models, n_tasks, p, p))
        self.bases = np.zeros((n_models, p, self.n_samples))
        self.residuals = np.empty((n_models, self.n_samples))
        for t, model in enumerate(models):
            terms[t, : len(model)] = model
            for k, (begin, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
                part, s = self.columns[:, begin:end], len(model)
                basis, triangle = _orthonormal(part[list(model)])
                residual = part[0].copy()
                for _ in range(2):
                    residual -= (basis @ residual) @ basis
                self.residuals[t, begin:end] = residual
                self.bases[t, :s, begin:end] = basis
                lower[t, k, :s, :s] = triangle
                slopes[t, k, :s] = triangle.T @ (basis @ part[0])
        squares = np.add.reduceat(self.residuals**2, self.starts[:-1], axis=1)
        sizes = np.array([len(model) for model in models], dtype=np.int64)
        self.models = Models(1.0 - squares @ share, sizes, terms, slopes, lower, share, 1e-22 * sums)


def _check_models(models: Sequence[Sequence[int]], rows: np.ndarray, y: np.ndarray) -> None:
    """Models name rows of ``values``; rows have one value per sample."""
    if rows.shape[1] != y.size:
        raise InputError(
            sentence("PartialGain", "values", f"have one column per sample ({y.size})", rows.shape[1])
        )
    if not len(models):
        raise InputError(
            sentence("PartialGain", "models", "hold at least one model", models, remedy="Pass ((),).")
        )
    for model in models:
        for term in model:
            if not 0 <= term < rows.shape[0]:
                raise InputError(
                    sentence(
                        "PartialGain",
                        "models",
                        f"name rows of values (0...{rows.shape[0] - 1})",
                        tuple(model),
                        remedy="Pass the terms as rows of values.",
                    )
                )


def _task_weights(weights: Any, tasks: np.ndarray) -> np.ndarray:
    """Weight of every task."""
    if weights is None:
        return np.ones(tasks.size)
    if isinstance(weights, dict):
        weights = [weights.get(task, np.nan) for task in tasks.tolist()]
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != tasks.shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise InputError(
            sentence(
                "PartialGain",
                "weights",
                f"hold one number >= 0 for each of the tasks {tasks.tolist()}",
                weights.tolist(),
                remedy="Leave weights out for equal weights.",
            )
        )
    return weights


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to a largest magnitude near 1."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return rows * 2.0 ** -np.frexp(np.where(largest > 0, largest, 1.0))[1]


def _orthonormal(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal rows Q and lower triangle L with Q = L terms; a dependent term gives zeros."""
    basis, triangle = np.zeros_like(terms), np.eye(len(terms))
    for a, term in enumerate(terms):
        row = term.copy()
        for _ in range(2):
            along = basis[:a] @ row
            row -= along @ basis[:a]
            triangle[a] -= along @ triangle[:a]
        length = np.sqrt(row @ row)
        if length * length > TRUSTED * (term @ term):
            basis[a] = row / length
            triangle[a] /= length
        else:
            triangle[a] = 0.0
    return basis, triangle


@numba.njit(cache=True, nogil=True)
def _scale(row):
    """Multiply a row by a power of two that brings its largest magnitude near 1."""
    largest = 0.0
    for t in range(row.size):
        largest = max(largest, abs(row[t]))
    if largest == 0.0:
        return
    lift = 2.0**600 if largest < 1e-280 else 1.0  # one step would overflow for the smallest numbers
    scale = 2.0 ** -np.floor(np.log2(largest * lift))
    for t in range(row.size):
        row[t] *= lift
        row[t] *= scale


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"}, error_model="numpy")
def _center(row):
    """Take the mean out of a row, twice; its sum of squares."""
    for _ in range(2):
        mean = 0.0
        for t in range(row.size):
            mean += row[t]
        mean /= row.size
        for t in range(row.size):
            row[t] -= mean
    total = 0.0
    for t in range(row.size):
        total += row[t] * row[t]
    return total


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"}, error_model="numpy")
def _gain(row, residual, basis, work):
    """(r f)^2 / |f - Q f|^2 of a centred row; 0 where f lies in the span of Q."""
    before = 0.0
    for t in range(row.size):
        work[t] = row[t]
    for t in range(row.size):
        before += row[t] * row[t]
    for _ in range(2):
        for a in range(basis.shape[0]):
            along = 0.0
            for t in range(row.size):
                along += basis[a, t] * work[t]
            for t in range(row.size):
                work[t] -= along * basis[a, t]
    left = projection = 0.0
    for t in range(row.size):
        left += work[t] * work[t]
    for t in range(row.size):
        projection += residual[t] * work[t]
    return projection * projection / left if left > TRUSTED * before else 0.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fill_scores(values, order, starts, residuals, bases, sizes, base_scores, share, scores):
    """Largest score over the models of every row."""
    m = values.shape[1]
    row, work = np.empty(m), np.empty(m)
    for k in range(values.shape[0]):
        best = -np.inf
        for model in range(sizes.size):
            best = max(best, base_scores[model])
        for task in range(share.size):
            begin, end = starts[task], starts[task + 1]
            for t in range(begin, end):
                row[t] = values[k, order[t]]
            _scale(row[begin:end])
            if _center(row[begin:end]) <= 1e-24 * (end - begin):  # rounding of a constant
                row[begin:end] = 0.0
        for model in range(sizes.size):
            score = base_scores[model]
            for task in range(share.size):
                begin, end = starts[task], starts[task + 1]
                basis = bases[model, : sizes[model], begin:end]
                score += share[task] * _gain(
                    row[begin:end], residuals[model, begin:end], basis, work[begin:end]
                )
            best = max(best, score)
        scores[k] = best
