"""What fitted laws of several tasks can do: predict, know their limits, be kept."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.contracts.estimator import check_is_fitted, validate_table
from sozai.contracts.model_file import load_model, save_model
from sozai.numerics.task_tables import number_tasks
from sozai.symbolic.multi_task_file import KIND, from_state, to_state

__all__ = ["FittedTasks"]


class FittedTasks:
    """Methods of an estimator that holds ``model_``, ``tasks_``, ``columns_`` and ``domains_``.

    :class:`sozai.symbolic.multi_task.MultiTaskSymbolicRegressor` finds the laws;
    what is here needs only them.
    """

    def predict(self, X, tasks=None, return_std=False):
        r"""Value of the law of the task of every row; NaN where it is not defined.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        tasks : array-like of shape (n_samples,), optional
            Task of every row; may be left out where only one was fitted.
        return_std : bool
            Also return the standard deviation of a new observation,
            :math:`s_t\sqrt{1 + x^T P_t x}`.

        Returns
        -------
        y : ndarray of shape (n_samples,), or the pair (y, std)

        Raises
        ------
        InputError
            A task that was not among those of the fit.
        """
        primary, values, numbers = self._evaluate(X, tasks)
        reasons = self._reasons(primary, values, numbers)
        outside = sum(1 for reason in reasons if reason)
        if outside:
            first = next(i for i, reason in enumerate(reasons) if reason)
            warnings.warn(
                f"MultiTaskSymbolicRegressor.predict: {outside} of {len(reasons)} rows lie outside the "
                f"training region of their task, first row {first}: {reasons[first]}. "
                "See applicability(X, tasks).",
                ExtrapolationWarning,
                stacklevel=2,
            )
        mean, std = np.empty(len(values)), np.empty(len(values))
        for t, model in enumerate(self.model_.models):
            rows = np.flatnonzero(numbers == t)
            own = values[np.ix_(rows, self._places[t])]
            mean[rows] = model.predict(own)
            if return_std:
                std[rows] = np.sqrt(model.prediction_variance(own))
        return (mean, std) if return_std else mean

    def score(self, X, y, sample_weight=None, *, tasks=None):
        """Coefficient of determination of the predictions, over all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
        tasks : array-like of shape (n_samples,), optional

        Returns
        -------
        float
        """
        return r2_score(y, self.predict(X, tasks), sample_weight=sample_weight)

    def applicability(self, X, tasks=None):
        """Say for every row whether the law of its task has been tested there, and why not.

        Returns
        -------
        DataFrame with columns ``in_domain`` (bool) and ``reason`` (text)
        """
        reasons = self._reasons(*self._evaluate(X, tasks))
        inside = [not reason for reason in reasons]
        return pd.DataFrame({"in_domain": inside, "reason": reasons}, index=getattr(X, "index", None))

    def save(self, path):
        """Write the fitted laws to a zip of JSON and npy with hashes."""
        check_is_fitted(self, "model_")
        save_model(path, KIND, to_state(self))

    @classmethod
    def load(cls, path):
        """Read laws written by :meth:`save`.

        They predict and judge applicability as before, bit for bit; ``models_``
        has the best law of every number of terms, and the descriptors the laws
        were chosen from are not kept.
        """
        return from_state(cls, load_model(path, KIND))

    def _ids(self, model):
        """Expressions of the terms of a law."""
        return np.array([self._nodes[column] for column in model.columns], dtype=np.int64)

    def _evaluate(self, X, tasks):
        """Primary columns in the law's units, the values of the terms, the task of every row."""
        check_is_fitted(self, "model_")
        if hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            X = self.columns_.aligned(X)
        primary = self.columns_.convert(validate_table(self, X, reset=False))
        numbers = self._known_tasks(tasks, len(primary))
        with np.errstate(all="ignore"):
            values = self.expressions_.evaluate(self._ids(self.model_), primary)
        values[~np.isfinite(values)] = np.nan
        return primary, values, numbers

    def _known_tasks(self, tasks, n_samples):
        """Number of the task of every row."""
        place = "MultiTaskSymbolicRegressor.predict"
        known = ", ".join(repr(task) for task in self.tasks_[:20])
        if tasks is None:
            if len(self.tasks_) > 1:
                raise InputError(
                    sentence(place, "tasks", "name the task of every row", None, remedy=f"Known are {known}.")
                )
            return np.zeros(n_samples, dtype=np.int64)
        labels, numbers = number_tasks(tasks, n_samples, place=place)
        where = {task: number for number, task in enumerate(self.tasks_)}
        for label in labels:
            if label not in where:
                row = int(np.flatnonzero(numbers == labels.index(label))[0])
                raise InputError(
                    sentence(place, "tasks", f"be among {known}", label, at=f"at row {row}", remedy="Fit it.")
                )
        return np.array([where[label] for label in labels], dtype=np.int64)[numbers]

    def _reasons(self, primary, values, numbers):
        """Why each row lies outside the training region of its task; empty text inside."""
        reasons = np.full(len(values), "", dtype=object)
        for t, (task, model) in enumerate(zip(self.tasks_, self.model_.models, strict=True)):
            rows = np.flatnonzero(numbers == t)
            own = np.column_stack([np.ones(len(rows)), values[np.ix_(rows, self._places[t])]])
            leverage = np.einsum("ti,ij,tj->t", own, model.covariance, own)
            leverage = np.where(np.isfinite(leverage), leverage, 0.0)
            found = self.domains_[task].reasons(self.expressions_, self._ids(model), primary[rows], leverage)
            reasons[rows] = found
        return reasons.tolist()
