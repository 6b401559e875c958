"""Which points may come next: the same temperature as the last one, free columns, any mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["FreeColumns", "SameValue", "allowed_rows"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Values nearer than this part of the range of their column are the same.
_SAME = 1e-9


@dataclass(frozen=True)
class SameValue:
    """The next point shares some columns with a point measured before.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns, e.g. ``["T"]``.
    reference : {"last"} or int, default="last"
        The last point told, or a row of the list.

    Examples
    --------
    >>> X = np.array([[0.0, 300.0], [1.0, 300.0], [0.0, 400.0]])
    >>> SameValue(["T"])(X, ("x", "T"), X[0]).tolist()
    [True, True, False]
    """

    columns: Sequence[str]
    reference: str | int = "last"

    def __post_init__(self) -> None:
        columns = (self.columns,) if isinstance(self.columns, str) else tuple(self.columns)
        object.__setattr__(self, "columns", columns)
        if self.reference != "last" and (
            isinstance(self.reference, (bool, str)) or not isinstance(self.reference, (int, np.integer))
        ):
            raise InputError(sentence("SameValue", "reference", "be 'last' or a row", self.reference))

    def __call__(self, X: Array, names: tuple[str, ...], last: Array | None) -> Mask:
        """Which rows are allowed, given the last point told."""
        point = last if self.reference == "last" else X[int(self.reference)]
        if point is None:
            return np.ones(len(X), dtype=np.bool_)
        return _same(X, point, _positions("SameValue", self.columns, names))


@dataclass(frozen=True)
class FreeColumns:
    """Only some columns may change; all others stay as they were at the last point told.

    Parameters
    ----------
    columns : sequence of str
        Columns that may change.

    Examples
    --------
    >>> X = np.array([[0.0, 300.0], [1.0, 300.0], [0.0, 400.0]])
    >>> FreeColumns(["T"])(X, ("x", "T"), X[0]).tolist()
    [True, False, True]
    """

    columns: Sequence[str]

    def __post_init__(self) -> None:
        columns = (self.columns,) if isinstance(self.columns, str) else tuple(self.columns)
        object.__setattr__(self, "columns", columns)

    def __call__(self, X: Array, names: tuple[str, ...], last: Array | None) -> Mask:
        """Which rows are allowed, given the last point told."""
        free = set(_positions("FreeColumns", self.columns, names))
        if last is None:
            return np.ones(len(X), dtype=np.bool_)
        return _same(X, last, [j for j in range(X.shape[1]) if j not in free])


def allowed_rows(
    constraint: Any, X: Array, names: tuple[str, ...], last: Array | None, *, place: str
) -> Mask:
    """Rows that a constraint allows.

    Parameters
    ----------
    constraint : None, array of bool, or callable
        A callable gets ``(X, names, last)`` and returns a mask.
    X : ndarray of shape (n, p)
    names : tuple of str
    last : ndarray of shape (p,) or None
        The last point told.
    place : str

    Raises
    ------
    InputError
        For a mask of another length or type.

    Examples
    --------
    >>> allowed_rows([True, False], np.zeros((2, 1)), ("x",), None, place="ask").tolist()
    [True, False]
    """
    if constraint is None:
        return np.ones(len(X), dtype=np.bool_)
    mask: Any = constraint(X, names, last) if isinstance(constraint, Callable) else constraint  # type: ignore[arg-type]
    found = np.asarray(mask)
    if found.shape != (len(X),) or found.dtype != np.bool_:
        raise InputError(
            sentence(
                place, "constraint", f"be a mask of {len(X)} booleans or give one",
                f"{found.dtype} of shape {found.shape}",
                remedy="Pass SameValue(['T']), FreeColumns([...]) or an array of bool.",
            )
        )  # fmt: skip
    return found


def _positions(place: str, columns: Sequence[str], names: tuple[str, ...]) -> list[int]:
    """Columns by name."""
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(sentence(place, "columns", f"be among {list(names)}", missing[0]))
    return [names.index(name) for name in columns]


def _same(X: Array, point: Array, columns: list[int]) -> Mask:
    """Rows equal to a point in some columns."""
    if not columns:
        return np.ones(len(X), dtype=np.bool_)
    width = np.ptp(X[:, columns], axis=0)
    near = np.abs(X[:, columns] - point[columns]) <= _SAME * np.where(width > 0, width, 1.0)
    return np.asarray(near.all(axis=1))
