"""What a fitted classifier can do: class, say how sure it is, know its limits, be kept."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from sozai.contracts.errors import ExtrapolationWarning
from sozai.contracts.estimator import check_is_fitted, validate_table
from sozai.contracts.model_file import load_model, save_model
from sozai.symbolic.classification.calibration import probabilities
from sozai.symbolic.classifier_file import KIND, from_state, to_state

__all__ = ["FittedClasses"]


class FittedClasses:
    """Methods of an estimator that holds ``model_``, ``boundary_``, ``calibration_`` and ``domain_``.

    :class:`sozai.symbolic.classifier.SymbolicClassifier` finds them; what is here
    needs only them.
    """

    def predict(self, X):
        """Class of every row; the most frequent one, with a warning, where the formula is not defined.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        margins = self._margins(X, "predict")
        codes = np.argmax(np.where(np.isnan(margins), -np.inf, margins), axis=1)
        codes[np.isnan(margins).any(axis=1)] = self._most_frequent
        return self.classes_[codes]

    def predict_proba(self, X):
        """Probability of every class, calibrated on rows left out; NaN where the formula is not defined.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        margins = self._margins(X, "predict_proba")
        return probabilities(margins, self.calibration_.slope)

    def decision_function(self, X):
        """Calibrated log-odds of the second class; for more classes a score of each, the largest wins.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        margins = self._margins(X, "decision_function")
        margins = self.calibration_.slope * margins
        return margins[:, 1] - margins[:, 0] if margins.shape[1] == 2 else margins

    def applicability(self, X):
        """Say for every row whether the law has been tested there, and why not.

        Returns
        -------
        DataFrame with columns ``in_domain`` (bool) and ``reason`` (text)
        """
        primary, values = self._evaluate(X)
        return self.domain_.frame(self._reasons(primary, values), getattr(X, "index", None))

    def term_values(self, X):
        """Values of the formulas of the law, one column each.

        Returns
        -------
        DataFrame of shape (n_samples, n_terms)
        """
        _, values = self._evaluate(X)
        return pd.DataFrame(values.T, columns=list(self.model_.terms), index=getattr(X, "index", None))

    def save(self, path):
        """Write the fitted classifier to a zip of JSON and npy with hashes."""
        check_is_fitted(self, "boundary_")
        save_model(path, KIND, to_state(self))

    @classmethod
    def load(cls, path):
        """Read a classifier written by :meth:`save`.

        It classes, gives probabilities and judges applicability as before, bit
        for bit; what the passes over the space kept is not there.
        """
        return from_state(cls, load_model(path, KIND))

    def _ids(self):
        """Expressions of the terms kept."""
        return np.array(self.model_.ids, dtype=np.int64)

    def _standard_rows(self, values):
        """Constant and standardized terms, one row a sample."""
        return np.column_stack([np.ones(values.shape[1]), (values.T - self._center) / self._spread])

    def _evaluate(self, X):
        """Primary columns in the law's units, and the values of its terms, one row each."""
        check_is_fitted(self, "boundary_")
        if hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            X = self.columns_.aligned(X)
        primary = self.columns_.convert(validate_table(self, X, reset=False))
        with np.errstate(all="ignore"):
            values = self.expressions_.evaluate(self._ids(), primary).T
        return primary, np.where(np.isfinite(values), values, np.nan)

    def _margins(self, X, method):
        """Margins of every row; one warning counts the rows outside the learned region."""
        primary, values = self._evaluate(X)
        reasons = self._reasons(primary, values)
        undefined = np.isnan(values).any(axis=0)
        outside = [row for row, reason in enumerate(reasons) if reason]
        if outside:
            text = (
                f"SymbolicClassifier.{method}: {len(outside)} of {len(reasons)} rows lie outside the "
                f"training region, first row {outside[0]}: {reasons[outside[0]]}."
            )
            if undefined.any():
                named = self.classes_[self._most_frequent]
                text += (
                    f" In {int(undefined.sum())} rows the formula has no value: probability NaN, "
                    f"class {str(named)!r} as the most frequent."
                )
            warnings.warn(f"{text} See applicability(X).", ExtrapolationWarning, stacklevel=3)
        return self.boundary_.margins(values)

    def _reasons(self, primary, values):
        """Why each row lies outside the training region; empty text inside."""
        rows = self._standard_rows(values)
        with np.errstate(all="ignore"):
            leverage = np.einsum("ti,ij,tj->t", rows, self._covariance, rows)
        leverage = np.where(np.isfinite(leverage), leverage, 0.0)
        return self.domain_.reasons(self.expressions_, self._ids(), primary, leverage)
