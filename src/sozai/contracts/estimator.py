"""What our estimators share; the only place that imports scikit-learn's private names."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OneToOneFeatureMixin,
    RegressorMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sozai.contracts.checks import require_finite
from sozai.contracts.errors import InputError, sentence

__all__ = [
    "BaseEstimator",
    "ClassNamePrefixFeaturesOutMixin",
    "HasMethods",
    "Interval",
    "NotFittedError",
    "OneToOneFeatureMixin",
    "RegressorMixin",
    "StrOptions",
    "TransformerMixin",
    "check_is_fitted",
    "fit_context",
    "input_names",
    "validate_table",
]

fit_context = _fit_context


def validate_table(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    reset: bool = True,
    min_samples: int = 1,
    need_target: bool = False,
    finite: bool = True,
) -> Any:
    """Check ``X`` (and ``y``) in scikit-learn's manner, with our sentence for what is not finite.

    A DataFrame whose columns come in another order than in ``fit`` is put in
    order; missing columns are named.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), or the pair (X, y)
    """
    place = f"{type(estimator).__name__}.{'fit' if reset else 'predict'}"
    if not reset and hasattr(estimator, "feature_names_in_") and hasattr(X, "columns"):
        X = _reorder(estimator, X, place)
    with_target = y is not None or need_target
    if with_target and y is None:
        raise InputError(
            f"{place}: y must be given; this estimator requires y to be passed, but the target y is None."
        )
    options = {
        "dtype": np.float64,
        "ensure_all_finite": False,
        "ensure_min_samples": min_samples,
        "reset": reset,
    }
    try:
        if with_target:
            X, y = validate_data(estimator, X, y, y_numeric=True, **options)
        else:
            X = validate_data(estimator, X, **options)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error
    if finite:
        require_finite(X, place=place, argument="X", names=input_names(estimator))
    if not with_target:
        return X
    require_finite(np.asarray(y, dtype=np.float64).reshape(len(y), -1), place=place, argument="y")
    return X, np.asarray(y, dtype=np.float64)


def input_names(estimator: Any) -> tuple[str, ...]:
    """Names of the columns seen in ``fit``: the DataFrame's, or ``x0, x1, ...``."""
    if hasattr(estimator, "feature_names_in_"):
        return tuple(str(name) for name in estimator.feature_names_in_)
    return tuple(f"x{j}" for j in range(estimator.n_features_in_))


def _reorder(estimator: Any, X: Any, place: str) -> Any:
    """Columns in the order of ``fit``; extra columns are left out, missing ones are an error."""
    wanted = list(estimator.feature_names_in_)
    missing = [name for name in wanted if name not in set(X.columns)]
    if missing:
        if len(missing) == len(wanted):
            return X
        raise InputError(
            sentence(
                place,
                "X",
                f"have the columns seen in fit ({', '.join(map(str, wanted))})",
                f"missing: {', '.join(map(str, missing))}",
                remedy="Add these columns or rename yours.",
            )
        )
    return X[wanted]
