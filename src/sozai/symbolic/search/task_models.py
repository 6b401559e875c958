"""One law for several tasks: shared terms, an intercept and coefficients for each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sozai.numerics.least_squares import fit_least_squares, regression_scores
from sozai.numerics.task_tables import CenteredTask, independent_columns
from sozai.symbolic.selectors.models import SymbolicModel

__all__ = ["TaskModel"]


@dataclass(frozen=True, eq=False, repr=False)
class TaskModel:
    r"""Linear models of several tasks with the same terms; stands in a :class:`ModelList` like any model.

    Attributes
    ----------
    tasks : tuple
        Labels.
    models : tuple of SymbolicModel
        One a task. A term that depends on the terms before it within a task is
        not in the model of that task.
    rows : tuple of ndarray of int
        Rows of every task.
    weights : ndarray of shape (n_tasks,)
        Weights of the squared errors, of mean one over the rows.
    terms, columns : tuple
        Terms as text, and their columns in the table they were selected from.
    coefficients, standard_errors : ndarray of shape (n_tasks, n_terms)
        Zero and NaN where the term is not in the model of the task.
    intercepts : ndarray of shape (n_tasks,)
    n_terms, n_parameters, complexity : int
        Parameters of all tasks together; the complexity of the shared terms.
    fitted, residuals, loo_residuals : ndarray of shape (n_samples,)
        In the order of the rows of the table, times the root of the weight.
    rmse, mae, max_abs_error, rmse_loo, gcv, residual_variance : float
        Of the weighted residuals.
    r2, adj_r2, q2 : float
        Against the mean of every task: what the terms explain, not what tells
        the tasks apart.
    tr2, tq2 : float
        Against zero.
    aic, aicc, bic : float
        Sums over tasks, each with a variance of its own.
    condition_number : float
        The worst of the tasks.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [4.0], [1.0], [2.0], [3.0]])
    >>> rows = (np.arange(3), np.arange(3, 6))
    >>> y = np.array([1.0, 2.0, 4.0, 6.0, 4.0, 2.0])
    >>> law = TaskModel.fit(x, y, ("a", "b"), rows, np.ones(2), (0,), ("x",), 1)
    >>> law.coefficients.round(9).tolist(), law.intercepts.round(9).tolist()
    ([[1.0], [-2.0]], [-0.0, 8.0])
    """

    tasks: tuple[Hashable, ...]
    models: tuple[SymbolicModel, ...]
    rows: tuple[np.ndarray, ...]
    weights: np.ndarray
    terms: tuple[str, ...]
    columns: tuple[int, ...]
    coefficients: np.ndarray
    standard_errors: np.ndarray
    intercepts: np.ndarray
    n_terms: int
    n_parameters: int
    complexity: int
    fitted: np.ndarray
    residuals: np.ndarray
    loo_residuals: np.ndarray
    rmse: float
    mae: float
    max_abs_error: float
    rmse_loo: float
    gcv: float
    residual_variance: float
    r2: float
    adj_r2: float
    q2: float
    tr2: float
    tq2: float
    aic: float
    aicc: float
    bic: float
    condition_number: float
    has_intercept: bool = True
    holds: str = ""
    equivalents: tuple = ()

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        y: np.ndarray,
        tasks: Sequence[Hashable],
        rows: Sequence[np.ndarray],
        weights: np.ndarray,
        columns: Sequence[int],
        terms: Sequence[str],
        complexity: int,
    ) -> TaskModel:
        """Fit every task by least squares.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
        y : ndarray of shape (n_samples,)
        tasks : sequence
            Labels.
        rows : sequence of ndarray of int
            Rows of every task; more than ``len(columns) + 1`` each.
        weights : ndarray of shape (n_tasks,)
        columns : sequence of int
            Terms of the law among the columns of ``values``.
        terms : sequence of str
        complexity : int

        Returns
        -------
        TaskModel
        """
        design = values[:, list(columns)]
        models = tuple(_fit_one(design[r], y[r], columns, terms, complexity) for r in rows)
        sizes = np.array([len(r) for r in rows])
        weights = weights * (sizes.sum() / float(weights @ sizes))
        where = {column: k for k, column in enumerate(columns)}
        coefficients = np.zeros((len(models), len(columns)))
        errors = np.full((len(models), len(columns)), np.nan)
        for t, model in enumerate(models):
            own = [where[column] for column in model.columns]
            coefficients[t, own], errors[t, own] = model.coefficients, model.standard_errors
        return cls(
            tasks=tuple(tasks),
            models=models,
            rows=tuple(rows),
            weights=weights,
            terms=tuple(terms),
            columns=tuple(int(column) for column in columns),
            coefficients=coefficients,
            standard_errors=errors,
            intercepts=np.array([model.intercept for model in models]),
            n_terms=len(columns),
            complexity=int(complexity),
            **_pooled(models, rows, weights, len(y)),
        )

    @property
    def n_samples(self) -> int:
        """Rows of all tasks."""
        return len(self.fitted)

    @property
    def target(self) -> np.ndarray:
        """The target, times the root of the weight of its task."""
        return self.fitted + self.residuals

    def model_of(self, task: Hashable) -> SymbolicModel:
        """Model of one task."""
        return self.models[self.tasks.index(task)]

    def to_frame(self) -> pd.DataFrame:
        """One row a task and coefficient: task, term, coefficient, standard error."""
        frames = [model.to_frame() for model in self.models]
        return pd.concat(frames, keys=self.tasks, names=["task", None]).reset_index("task").reset_index(
            drop=True
        )  # fmt: skip

    def __str__(self) -> str:
        return "; ".join(f"{task}: {model}" for task, model in zip(self.tasks, self.models, strict=True))

    def __repr__(self) -> str:
        terms = ", ".join(self.terms) or "1"
        terms = terms if len(terms) <= 120 else f"{terms[:90]} ... ({self.n_terms} terms)"
        errors = f"RMSE {self.rmse:.4g}, LOO {self.rmse_loo:.4g}"
        return f"TaskModel({terms}; {len(self.tasks)} tasks, {errors}, Q2 {self.q2:.4f})"


def _fit_one(
    design: np.ndarray, y: np.ndarray, columns: Sequence[int], terms: Sequence[str], complexity: int
) -> SymbolicModel:
    """Model of one task on the terms that do not depend on each other there."""
    kept = independent_columns(CenteredTask.of(design, y).matrix)
    matrix = np.column_stack([np.ones(len(y)), design[:, kept]])
    labels = [terms[k] for k in kept]
    fit = fit_least_squares(matrix, y, names=["1", *labels], place="TaskModel.fit")
    return SymbolicModel.from_least_squares(
        fit, [columns[k] for k in kept], labels, complexity, has_intercept=True
    )


def _pooled(
    models: Sequence[SymbolicModel], rows: Sequence[np.ndarray], weights: np.ndarray, n_samples: int
) -> dict:
    """Scores of all tasks together."""
    residuals, loo, target, centered = (np.empty(n_samples) for _ in range(4))
    for model, r, weight in zip(models, rows, weights, strict=True):
        root = np.sqrt(weight)
        residuals[r], loo[r] = root * model.residuals, root * model.loo_residuals
        target[r] = root * model.target
        centered[r] = root * (model.target - model.target.mean())
    n_parameters = sum(int(model.n_parameters) for model in models)
    against_zero = regression_scores(target, residuals, loo, n_parameters)
    total, free = float(centered @ centered), n_samples - n_parameters
    floor = 1e-28 * float(target @ target)
    known = total > floor
    sse, press = float(residuals @ residuals), float(loo @ loo)
    adjusted = (sse / free) / (total / (n_samples - len(models))) if known and free > 0 else np.nan
    return {
        "n_parameters": n_parameters,
        "fitted": target - residuals,
        "residuals": residuals,
        "loo_residuals": loo,
        "r2": 1.0 - sse / total if known else np.nan,
        "adj_r2": 1.0 - adjusted,
        "q2": 1.0 - press / total if known else np.nan,
        **{name: float(sum(getattr(model, name) for model in models)) for name in ("aic", "aicc", "bic")},
        **{
            name: getattr(against_zero, name)
            for name in ("rmse", "mae", "max_abs_error", "rmse_loo", "gcv", "residual_variance", "tr2", "tq2")
        },
        "condition_number": max(float(model.condition_number) for model in models),
    }
