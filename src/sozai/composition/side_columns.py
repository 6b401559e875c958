"""Columns that stand beside a formula - temperature, pressure - and pass through unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence

__all__ = ["check_extra", "is_text", "row_blocks", "split_side_columns"]


def check_extra(extra: Any, *, place: str) -> tuple[str, ...]:
    """Names of side columns, each once.

    Parameters
    ----------
    extra : sequence of str
    place : str
        Who asks, for the message.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> check_extra(["n_atoms", "temperature"], place="example")
    ('n_atoms', 'temperature')
    """
    names = extra if isinstance(extra, (list, tuple)) else None
    if names is None or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise InputError(
            sentence(
                place, "extra", "be a tuple of names, each once", extra,
                remedy="Pass e.g. extra=('n_atoms', 'temperature').",
            )
        )  # fmt: skip
    return tuple(names)


def split_side_columns(X: Any, extra: tuple[str, ...], *, place: str) -> tuple[Any, pd.DataFrame | None]:
    """Take the side columns out of a frame.

    Parameters
    ----------
    X : DataFrame or what a formula reader takes
    extra : tuple of str
        ``"n_atoms"`` is computed from the formula unless it is a column.
    place : str
        Who asks, for the message.

    Returns
    -------
    X : the same without the side columns
    side : DataFrame or None
        Their numbers; None when there are none to take out.

    Raises
    ------
    InputError
        When a column is missing or holds something other than finite numbers.

    Examples
    --------
    >>> frame = pd.DataFrame({"formula": ["NaCl"], "temperature": [300]})
    >>> rest, side = split_side_columns(frame, ("n_atoms", "temperature"), place="example")
    >>> list(rest.columns), side.to_numpy().tolist()
    (['formula'], [[300.0]])
    """
    columns = list(X.columns) if isinstance(X, pd.DataFrame) else []
    missing = [name for name in extra if name not in columns and name != "n_atoms"]
    if missing:
        raise InputError(
            sentence(
                place, "X", f"be a DataFrame with the side columns {', '.join(map(repr, missing))}",
                f"{type(X).__name__} with {', '.join(map(str, columns)) or 'no named columns'}",
                remedy="Add the columns, or leave their names out of extra.",
            )
        )  # fmt: skip
    taken = [name for name in extra if name in columns]
    if not taken:
        return X, None
    numbers = {name: _numbers(X[name], name, place) for name in taken}
    return X.drop(columns=taken), pd.DataFrame(numbers)


def is_text(X: Any) -> bool:
    """Whether rows must be parsed, so that reading them a block at a time saves memory.

    Parameters
    ----------
    X : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_text(["NaCl"]), is_text(np.ones((1, 2)))
    (True, False)
    """
    if isinstance(X, pd.DataFrame):
        return X.shape[1] == 1 and not pd.api.types.is_numeric_dtype(X.dtypes.iloc[0])
    if isinstance(X, pd.Series):
        return True
    if isinstance(X, np.ndarray):
        return X.dtype.kind in "OUST"
    return isinstance(X, (list, tuple)) and not (len(X) and isinstance(X[0], (list, tuple, np.ndarray)))


def row_blocks(X: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Start and rows of every block of text rows.

    Parameters
    ----------
    X : list, tuple, Series, DataFrame or ndarray
    size : int
        Rows in a block.

    Yields
    ------
    start : int
    rows : of the type of ``X``

    Examples
    --------
    >>> list(row_blocks(["NaCl", "KCl", "LiF"], 2))
    [(0, ['NaCl', 'KCl']), (2, ['LiF'])]
    """
    for start in range(0, len(X), size):
        yield start, X.iloc[start : start + size] if hasattr(X, "iloc") else X[start : start + size]


def _numbers(column: pd.Series, name: str, place: str) -> np.ndarray:
    """Finite float64, or the first cell that is none."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        cell = column.iloc[row]
        raise InputError(
            sentence(
                place, "X", "hold finite numbers in its side columns",
                cell.item() if isinstance(cell, np.generic) else cell,
                at=f"at row {row}, column {name!r}", remedy="Fill or drop the row.",
            )
        )  # fmt: skip
    return numbers
