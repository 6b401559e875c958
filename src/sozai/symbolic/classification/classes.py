"""Class labels as numbers: codes, sizes and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sozai.contracts.errors import InputError, sentence

__all__ = ["MOST_CLASSES", "Classes", "as_rows", "read_labels"]

MOST_CLASSES = 256
"""A label takes one byte of a sorting key."""


@dataclass(frozen=True, eq=False, repr=False)
class Classes:
    """The labels of some samples.

    Attributes
    ----------
    labels : ndarray of shape (n_classes,)
        Different labels, ascending.
    codes : ndarray of int64 of shape (n_samples,)
        Place of every sample's label in ``labels``.
    sizes : ndarray of int64 of shape (n_classes,)
        Samples of every class.

    Examples
    --------
    >>> classes = Classes.of(["metal", "insulator", "metal"])
    >>> classes.labels.tolist(), classes.codes.tolist(), classes.sizes.tolist()
    (['insulator', 'metal'], [1, 0, 1], [1, 2])
    """

    labels: np.ndarray
    codes: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, y: Any, *, place: str = "Classes.of") -> Classes:
        """Read the labels ``y`` of shape (n_samples,), at least two different ones."""
        labels, codes = np.unique(np.asarray(y), return_inverse=True)
        if not 2 <= labels.size <= MOST_CLASSES:
            raise InputError(
                sentence(
                    place,
                    "y",
                    f"hold at least two classes and at most {MOST_CLASSES}",
                    f"{labels.size} class{'' if labels.size == 1 else 'es'}",
                    remedy="Add rows of another class, or use a regressor for a quantity.",
                )
            )
        codes = codes.reshape(-1).astype(np.int64)
        return cls(labels, codes, np.bincount(codes).astype(np.int64))

    def __len__(self) -> int:
        return self.labels.size

    def __repr__(self) -> str:
        parts = [f"{size} {label}" for label, size in zip(self.labels, self.sizes, strict=True)]
        return f"Classes({', '.join(parts[:6])}{', ...' if len(parts) > 6 else ''})"

    @property
    def most_frequent(self) -> int:
        """Code of the largest class, the first of equal ones."""
        return int(np.argmax(self.sizes))

    def rows_of(self, code: int) -> np.ndarray:
        """Sample numbers of one class, ascending."""
        return np.flatnonzero(self.codes == code)


def read_labels(X: Any, y: Any, *, place: str) -> Classes:
    """Labels of the rows of ``X``; a target that is missing, continuous or of another length is refused.

    Examples
    --------
    >>> read_labels([[1.0], [2.0]], ["a", "b"], place="example")
    Classes(1 a, 1 b)
    """
    if y is None:
        raise InputError(
            f"{place}: y must be given; this estimator requires y to be passed, but the target y is None."
        )
    try:
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        if y.dtype.kind == "f" and not np.isfinite(y).all():
            raise ValueError(
                f"y must be finite. Input y contains {'NaN' if np.isnan(y).any() else 'infinity'}."
            )
        check_classification_targets(y)
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error
    return Classes.of(y, place=place)


def as_rows(values: Any, n_samples: int, place: str) -> np.ndarray:
    """Feature rows as a C-contiguous float64 array of shape (b, n_samples)."""
    rows = np.require(np.atleast_2d(values), np.float64, ["C", "A", "W"])
    if rows.ndim != 2 or rows.shape[1] != n_samples:
        raise InputError(
            sentence(
                place,
                "values",
                f"have one column per sample ({n_samples})",
                f"shape {rows.shape}",
                remedy="Give one feature a row.",
            )
        )
    return rows
