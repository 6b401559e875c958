"""How many factors a product may have, judged on rows left out."""

from __future__ import annotations

import logging
import warnings

import numpy as np
from sklearn.base import clone

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.selectors.adequacy import clearly_smaller
from sozai.symbolic.selectors.validation import nested_score

__all__ = ["automatic_order"]

_log = logging.getLogger("sozai.symbolic")

_HIGHEST_ORDER = 4


def automatic_order(regressor, X, y, groups=None, random_state=None) -> int:
    """Raise the order while the cross-validated error falls by more than one standard error.

    Parameters
    ----------
    regressor : SymbolicRegressor
        Cloned with ``max_order`` 1, 2, ...
    X : DataFrame or ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    groups : ndarray of shape (n_samples,), optional
        Rows that are left out together.
    random_state : int, RandomState or Generator, optional
        Shuffles the folds.

    Raises
    ------
    InputError
        Too few rows to leave some out.
    """
    _require_rows_to_leave_out(len(y), groups)
    members = len(y) if groups is None else len(np.unique(groups))
    best, kept = None, 1
    floor = (1e-12 * np.abs(y).max()) ** 2
    for order in range(1, _HIGHEST_ORDER + 1):
        trial = clone(regressor).set_params(max_order=order)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                score = nested_score(
                    trial, X, y, groups=groups, cv=min(10, members), random_state=random_state
                )
        except InputError as error:
            if order == 1:
                raise
            _log.info("order %d is left out: %s", order, error)
            break
        error = np.where(np.isfinite(score.predictions), (y - score.predictions) ** 2, np.inf)
        if best is not None and not clearly_smaller(error, best, groups=groups, floor=floor):
            break
        best, kept = error, order
    return kept


def _require_rows_to_leave_out(n_samples, groups):
    """The automatic order leaves rows out and needs three others."""
    largest = 1 if groups is None else int(np.unique(groups, return_counts=True)[1].max())
    if n_samples - largest < 3:
        raise InputError(
            sentence(
                "SymbolicRegressor.fit",
                "X",
                f"have at least {3 + largest} rows for max_order='auto', which leaves rows out",
                n_samples,
                remedy="Give max_order as a number, or add rows.",
            )
        )
