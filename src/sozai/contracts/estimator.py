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
    _refuse_kinds(X, place)
    if with_target:
        target = np.asarray(y)
        if target.dtype.kind == "f" and target.ndim == 1:
            require_finite(target[:, None].astype(np.float64), place=place, argument="y")
        if target.dtype.kind in "OUST" and target.ndim == 1:
            _refuse_words(target, place)
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


def _refuse_kinds(X: Any, place: str) -> None:
    """Sparse, complex and text tables, by dtype and column; mixed cells are left to the conversion."""
    if hasattr(X, "toarray"):
        raise InputError(
            sentence(place, "X", "be dense", f"sparse {X.dtype}", remedy="Call X.toarray() first.")
        )
    frame = hasattr(X, "dtypes") and hasattr(X, "columns")
    pairs = zip(X.columns, X.dtypes, strict=True) if frame else [("", getattr(X, "dtype", None))]
    for name, dtype in pairs:
        where = f"column {str(name)!r} of " if frame else ""
        if getattr(dtype, "kind", "") == "c":
            requirement = f"be real in every column. Complex data not supported: {where}X has dtype {dtype}"
            raise InputError(sentence(place, "X", requirement, dtype, remedy="Pass real columns."))
        if getattr(dtype, "kind", "-") in "SU":
            raise InputError(
                sentence(
                    place, "X", "hold numbers", f"dtype {dtype}", remedy="Convert or leave out the text."
                )
            )
        if frame and getattr(dtype, "kind", "-") in "OT":
            _refuse_text(X[name], str(name), dtype, place)


def _refuse_text(cells: Any, name: str, dtype: Any, place: str) -> None:
    """Name the first cell of an object column that is text and no number."""
    if getattr(cells, "ndim", 1) != 1:
        return  # two columns of one name are refused elsewhere
    for row, cell in enumerate(cells):
        if isinstance(cell, str):
            try:
                float(cell)
            except ValueError:
                raise InputError(
                    sentence(
                        place,
                        "X",
                        "hold numbers",
                        cell,
                        at=f"in row {row} of column {name!r} (dtype {dtype})",
                        remedy="Convert the column or leave it out.",
                    )
                ) from None


def _refuse_words(y: Any, place: str) -> None:
    """Name the first entry of a target that is text and no number."""
    for row, cell in enumerate(y.tolist()):
        if isinstance(cell, str):
            try:
                float(cell)
            except ValueError:
                remedy = "Correct or drop the row; names of classes are for a classifier."
                raise InputError(
                    sentence(place, "y", "hold numbers", cell, at=f"at row {row}", remedy=remedy)
                ) from None


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
