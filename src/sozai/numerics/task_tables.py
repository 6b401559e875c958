"""Several tasks in one table: the task of every row, the weight of each, its centred columns."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls

from sozai.contracts.errors import InputError, sentence

__all__ = ["CenteredTask", "independent_columns", "number_tasks", "weigh_tasks"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def number_tasks(tasks: Any, n_samples: int, *, place: str) -> tuple[tuple[Hashable, ...], Integers]:
    """Turn one label a row into numbers.

    Parameters
    ----------
    tasks : array-like of shape (n_samples,) or None
        Text, numbers or anything hashable; None for one task.
    n_samples : int
    place : str
        Who asks, for messages.

    Returns
    -------
    labels : tuple
        Sorted where they can be, else in the order of their first row.
    numbers : ndarray of int64 of shape (n_samples,)

    Raises
    ------
    InputError
        A wrong number of labels, a label that is missing or not hashable.

    Examples
    --------
    >>> labels, numbers = number_tasks(["b", "a", "b"], 3, place="example")
    >>> labels, numbers.tolist()
    (('a', 'b'), [1, 0, 1])
    """
    if tasks is None:
        return (0,), np.zeros(n_samples, np.int64)
    given = _labels(tasks, place)
    if len(given) != n_samples:
        raise InputError(
            sentence(
                place,
                "tasks",
                f"have one label per row ({n_samples})",
                len(given),
                remedy="Pass the column that names the task of every row.",
            )
        )
    for row, label in enumerate(given):
        if label is None or label is pd.NA or label != label:
            raise InputError(
                sentence(
                    place, "tasks", "name a task in every row", label, at=f"at row {row}", remedy="Fill it."
                )
            )
    labels = list(dict.fromkeys(given))
    with contextlib.suppress(TypeError):  # text and numbers side by side keep their order
        labels.sort()
    where = {label: number for number, label in enumerate(labels)}
    return tuple(labels), np.array([where[label] for label in given], dtype=np.int64)


def _labels(tasks: Any, place: str) -> list[Any]:
    """Labels as plain Python objects that can be keys."""
    if isinstance(tasks, str) or not isinstance(tasks, Iterable):
        raise InputError(
            sentence(place, "tasks", "have one label per row", tasks, remedy="Pass a list or a column.")
        )
    given = [label.item() if isinstance(label, np.generic) else label for label in tasks]
    try:
        hash(tuple(given))
    except TypeError:
        raise InputError(
            sentence(
                place,
                "tasks",
                "be one-dimensional",
                type(given[0]).__name__,
                remedy="Pass one label, text or number, per row.",
            )
        ) from None
    return given


def weigh_tasks(
    weights: Any, labels: Sequence[Hashable], y: Array, numbers: Integers, *, place: str
) -> Array:
    """Weight of every task.

    Parameters
    ----------
    weights : None, "variance", mapping or array-like
        Ones; the reciprocals of the variances of the target; by label; or in the order of ``labels``.
    labels : sequence
    y : ndarray of shape (n_samples,)
    numbers : ndarray of int of shape (n_samples,)
        Task of every row, as :func:`number_tasks` gives it.
    place : str
        Who asks, for messages.

    Returns
    -------
    ndarray of shape (n_tasks,)
        Positive.

    Examples
    --------
    >>> y, numbers = np.array([0.0, 2.0, 0.0, 20.0]), np.array([0, 0, 1, 1])
    >>> weigh_tasks("variance", ["a", "b"], y, numbers, place="example").tolist()
    [1.0, 0.01]
    """
    if weights is None:
        return np.ones(len(labels))
    if isinstance(weights, str):
        if weights != "variance":
            raise InputError(sentence(place, "weights", "be None, 'variance', a mapping or a list", weights))
        spread = np.array([float(np.var(y[numbers == t])) for t in range(len(labels))])
        return np.where(spread > 0, 1.0 / np.where(spread > 0, spread, 1.0), 1.0)
    if isinstance(weights, Mapping):
        unknown = [label for label in labels if label not in weights]
        if unknown or len(weights) != len(labels):
            shown = unknown or [label for label in weights if label not in labels]
            raise InputError(
                sentence(place, "weights", f"have one entry per task ({list(labels)})", shown[:5])
            )
        weights = [weights[label] for label in labels]
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (len(labels),):
        raise InputError(
            sentence(place, "weights", f"have one number per task ({len(labels)})", f"shape {values.shape}")
        )
    if not (np.isfinite(values) & (values > 0)).all():
        raise InputError(
            sentence(place, "weights", "be positive", values.tolist(), remedy="Leave the rows of a task out.")
        )
    return values


@dataclass(frozen=True, eq=False)
class CenteredTask:
    """Rows of one task, centred, columns at unit norm.

    Attributes
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Centred unit columns; zero where a column is constant here.
    scales, norms, means : ndarray of shape (n_columns,)
        What the columns were divided by; their centred norm in units of their largest entry, 0 for a
        constant; their means.
    target : ndarray of shape (n_rows,)
        Centred, in units of ``largest``; zero where it is constant to rounding.
    largest, mean : float
        Largest magnitude and mean of the target.

    Examples
    --------
    >>> task = CenteredTask.of(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0]))
    >>> slope, intercept, sse = task.fit(np.array([0]), sign=0, tolerance=1e-9)
    >>> slope.round(12).tolist(), round(abs(intercept), 12), round(sse, 12)
    ([2.0], 0.0, 0.0)
    """

    matrix: Array
    scales: Array
    norms: Array
    means: Array
    target: Array
    largest: float
    mean: float

    @classmethod
    def of(cls, X: Array, y: Array) -> CenteredTask:
        """Centre the rows ``X`` (n_rows, n_columns) and ``y`` (n_rows,) of one task."""
        size = np.abs(X).max(axis=0, initial=0.0)
        size = np.where(size > 0, size, 1.0)
        work = X / size
        means = work.mean(axis=0)
        work = work - means
        work = work - work.mean(axis=0)
        norms = np.sqrt(np.einsum("ti,ti->i", work, work))
        norms = np.where(norms > 1e-12 * np.sqrt(X.shape[0]), norms, 0.0)
        divisor = np.where(norms > 0, norms, 1.0)
        work = np.where(norms > 0, work / divisor, 0.0)
        largest = float(np.abs(y).max(initial=0.0))
        unit = y / (largest or 1.0)
        target = unit - unit.mean()
        floor = 64 * np.finfo(np.float64).eps * float(np.linalg.norm(unit))
        if float(np.linalg.norm(target)) <= floor:
            target = np.zeros(len(y))
        return cls(work, divisor * size, norms, means * size, target, largest, float(unit.mean()) * largest)

    def fit(self, columns: Integers, sign: int, tolerance: float) -> tuple[Array, float, float]:
        """Least squares on some columns.

        Parameters
        ----------
        columns : ndarray of int
        sign : {-1, 0, 1}
            Sign the coefficients of dependent columns must have; 0 for any.
        tolerance : float
            See :func:`independent_columns`.

        Returns
        -------
        coefficients : ndarray of shape (len(columns),)
            Zero for columns that depend on those before them.
        intercept, sse : float
            Constant and residual sum of squares.
        """
        Z = self.matrix[:, columns]
        unit = np.zeros(len(columns))
        kept = independent_columns(Z, tolerance)
        if len(kept) < len(columns) and sign:
            unit = sign * nnls(sign * Z, self.target)[0]
        elif len(kept):
            unit[kept] = np.linalg.lstsq(Z[:, kept], self.target, rcond=None)[0]
        residual = (self.target - Z @ unit) * self.largest
        coefficients = unit * (self.largest / self.scales[columns])
        intercept = self.mean - float(coefficients @ self.means[columns])
        return coefficients, intercept, float(residual @ residual)


def independent_columns(matrix: Array, tolerance: float = 1e-9) -> Integers:
    """Columns that do not depend on those before them.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_columns)
        Columns of unit norm, or zero.
    tolerance : float, default=1e-9
        Least squared norm of what is left of a column.

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> independent_columns(np.array([[1.0, 0.6, 0.0], [0.0, 0.8, 1.0]])).tolist()
    [0, 1]
    """
    left, kept = matrix.copy(), []
    for j in range(matrix.shape[1]):
        square = float(left[:, j] @ left[:, j])
        if square < tolerance:
            continue
        kept.append(j)
        direction = left[:, j] / np.sqrt(square)
        left[:, j + 1 :] -= np.outer(direction, direction @ left[:, j + 1 :])
    return np.array(kept, dtype=np.int64)
