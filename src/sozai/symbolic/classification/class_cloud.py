"""Samples sorted by class and by every feature, scaled for exact comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sozai.symbolic.classification.classes import Classes

__all__ = ["ClassCloud"]


@dataclass(frozen=True, eq=False)
class ClassCloud:
    """Samples sorted by class.

    Attributes
    ----------
    values : ndarray of shape (n_features, n_samples)
        Features multiplied by a power of two, which is exact, to at most 1 in
        magnitude.
    scaled : ndarray of shape (n_features, n_samples)
        Features between 0 and 1.
    order : ndarray of int64 of shape (n_features, n_samples)
        Sorts every class of every feature.
    starts : ndarray of int64 of shape (n_classes + 1,)
        First samples of the classes.
    samples : ndarray of int64 of shape (n_samples,)
        Their numbers in the table.

    Examples
    --------
    >>> cloud = ClassCloud.of(np.array([[3.0, 1.0, 2.0, 4.0]]), Classes.of([1, 0, 1, 0]))
    >>> cloud.samples.tolist(), cloud.values.tolist(), cloud.starts.tolist()
    ([1, 3, 0, 2], [[0.125, 0.5, 0.375, 0.25]], [0, 2, 4])
    """

    values: np.ndarray
    scaled: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    samples: np.ndarray

    @property
    def most(self) -> int:
        """More samples than can be undecided."""
        return self.values.shape[1] * (self.starts.size - 1)

    @classmethod
    def of(cls, rows: np.ndarray, classes: Classes) -> ClassCloud:
        """Sort and scale features of shape (n_features, n_samples)."""
        samples = np.argsort(classes.codes, kind="stable")
        values = np.ascontiguousarray(rows[:, samples])
        exponent = np.frexp(np.abs(values).max(axis=1))[1]
        values = np.ldexp(values, -exponent[:, None])
        low = values.min(axis=1, keepdims=True)
        extent = values.max(axis=1, keepdims=True) - low
        scaled = (values - low) / np.where(extent > 0, extent, 1.0)
        starts = np.r_[0, np.cumsum(classes.sizes)].astype(np.int64)
        order = np.empty(values.shape, dtype=np.int64)
        for first, last in pairwise(starts):
            order[:, first:last] = first + np.argsort(values[:, first:last], axis=1, kind="stable")
        return cls(values, scaled, order, starts, samples)
