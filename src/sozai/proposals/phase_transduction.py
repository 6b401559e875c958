"""What the classifiers of phases share: labels of a part of a list, probabilities of all of it."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import BaseEstimator, check_is_fitted, fit_context, validate_table
from sozai.proposals.label_streams import LabelStream

__all__ = ["TransductiveClassifier", "read_partial_labels"]

Array = NDArray[np.float64]


class TransductiveClassifier(ClassifierMixin, BaseEstimator):
    """Base of the classifiers that label a whole list from a few of its points.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    label_distributions_ : ndarray of shape (n_samples, n_classes)
        Probabilities of every row of ``X``, labeled or not.
    transduction_ : ndarray of shape (n_samples,)
        The most probable class of every row.
    stream_ : LabelStream
        Takes further labels.

    Notes
    -----
    A child makes its stream in ``stream`` and places new points in ``predict_proba``.

    Examples
    --------
    >>> from sozai.proposals.label_graph import LabelPropagation
    >>> model = LabelPropagation().fit([[0.0], [0.4], [1.0]], ["a", "", "b"])
    >>> model.transduction_.tolist()
    ['a', 'a', 'b']
    """

    def stream(self, Z: Array, n_classes: int = 0, **options: Any) -> LabelStream:
        """Make an empty stream over a list.

        Parameters
        ----------
        Z : ndarray of shape (n, p)
            Coordinates of unit spread.
        n_classes : int
        **options
            ``groups``, for models with length scales: columns that share one.

        Returns
        -------
        LabelStream
        """
        raise NotImplementedError

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from the rows that have a label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Coordinates of unit spread, labeled and unlabeled.
        y : array-like of shape (n_samples,)
            Labels; ``-1`` (among numbers), ``None``, NaN or empty text stand for none.

        Returns
        -------
        Self
        """
        Z = np.ascontiguousarray(validate_table(self, X))
        place = f"{type(self).__name__}.fit"
        self.classes_, codes = read_partial_labels(y, len(Z), place=place)
        self.X_ = Z
        self.stream_ = self.stream(Z, len(self.classes_))
        self._learn(np.flatnonzero(codes >= 0), codes)
        p = self._reported(self.stream_)
        if self.stream_.unheard().any():
            warnings.warn(
                f"{place}: no label reaches {int(self.stream_.unheard().sum())} of {len(Z)} rows; their "
                "probabilities are equal. Label a row of every part of the list.",
                UserWarning,
                stacklevel=2,
            )
        self.label_distributions_ = np.ascontiguousarray(p.T)
        self.transduction_ = self.classes_[self.label_distributions_.argmax(axis=1)]
        return self

    def _learn(self, rows: NDArray[np.int64], codes: NDArray[np.int64]) -> None:
        """Hand all labels to the stream."""
        for row in rows:
            self.stream_.add(int(row), int(codes[row]))

    def _reported(self, stream: LabelStream) -> Array:
        """Probabilities as the user sees them."""
        return stream.probabilities()

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of new points, shape (n,)."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes of new points, shape (n, n_classes)."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def read_partial_labels(y: Any, n: int, *, place: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Classes, ascending, and the class of every row, -1 for a row without a label.

    Parameters
    ----------
    y : array-like of shape (n,)
    n : int
    place : str

    Raises
    ------
    InputError
        For another length, or no label at all.

    Examples
    --------
    >>> classes, codes = read_partial_labels(["b", None, "a"], 3, place="fit")
    >>> classes.tolist(), codes.tolist()
    (['a', 'b'], [1, -1, 0])
    """
    if y is None:
        raise InputError(f"{place}: this estimator requires y to be passed, but the target y is None.")
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        warnings.warn(
            f"A column-vector y was passed when a 1d array was expected, to {place}. Pass y.ravel().",
            _column_warning(),
            stacklevel=4,
        )
        values = values[:, 0]
    if values.shape != (n,):
        raise InputError(sentence(place, "y", f"have one label per row of X ({n})", f"shape {values.shape}"))
    if values.dtype.kind == "c":
        raise InputError(sentence(place, "y", "be labels. Complex data not supported", values.dtype))
    if values.dtype.kind in "OUST":
        text = values.astype(object)
        known = np.array([cell is not None and cell == cell and cell not in ("", -1) for cell in text])
    else:
        known = np.isfinite(values) & (values != -1) if values.dtype.kind == "f" else values != -1
        if values.dtype.kind == "f" and (np.isinf(values).any() or (values[known] % 1 != 0).any()):
            raise InputError(
                sentence(place, "y", "hold labels (whole numbers or text); Unknown label type: continuous",
                         values[known][:4].tolist(), remedy="Classify; for numbers take a regressor.")
            )  # fmt: skip
    if not known.any():
        raise InputError(
            sentence(place, "y", "hold at least one label", values.tolist()[:4], remedy="Label a row.")
        )
    classes, inverse = np.unique(values[known].astype(str) if values.dtype == object else values[known],
                                 return_inverse=True)  # fmt: skip
    codes = np.full(n, -1, dtype=np.int64)
    codes[known] = inverse
    return classes, codes


def _column_warning() -> type[Warning]:
    """The category scikit-learn warns with."""
    from sklearn.exceptions import DataConversionWarning

    return DataConversionWarning
