"""The candidates of a campaign: descriptors, identities, and which rows are the same candidate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.checks import as_names
from sozai.contracts.errors import InputError, sentence
from sozai.proposals.candidate_identity import identities, identity_number, identity_text

__all__ = ["CandidatePool", "as_numbers"]


class CandidatePool:
    """Descriptor values of all candidates, addressed by row or by identity.

    Parameters
    ----------
    frame : DataFrame
        One row a candidate, numeric columns only.
    place : str
        Who asks, for messages.
    salt : int, optional
        Salt of the identities; found when left out.
    space : Space, optional
        Where there is no list: the points that were named so far, categories by level.

    Attributes
    ----------
    names : tuple of str
        Descriptors.
    X : ndarray of shape (n_candidates, n_descriptors)
    codes : ndarray of uint64
        Identity of each row.
    first : ndarray of int
        Row where the same candidate stands first; its own row for most.

    Examples
    --------
    >>> pool = CandidatePool(pd.DataFrame({"x": [0, 1, 0], "y": [0.5, 0.5, 0.5]}))
    >>> len(pool), pool.first.tolist(), pool.values(1)
    (3, [0, 1, 0], {'x': 1, 'y': 0.5})
    >>> pool.rows([pool.identity(2)]).tolist()
    [0]
    """

    def __init__(
        self, frame: pd.DataFrame, *, place: str = "Campaign", salt: int | None = None, space: Any = None
    ) -> None:
        self.place = place
        self.space = space
        self.names = as_names(frame.columns, frame.shape[1], place=place)
        self.whole = tuple(pd.api.types.is_integer_dtype(dtype) for dtype in frame.dtypes)
        self.X = as_numbers(frame, place)
        self.X.flags.writeable = False
        self.salt = 0 if salt is None else salt
        self._index()
        while salt is None and self._collides():
            self.salt += 1
            self._index()

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        return f"CandidatePool({len(self)} candidates, descriptors: {', '.join(self.names)})"

    @property
    def n_repeated(self) -> int:
        """Rows that repeat an earlier candidate."""
        return int((self.first != np.arange(len(self.X))).sum())

    def identity(self, row: int) -> str:
        """Twelve hexadecimal digits of one row."""
        return identity_text(self.codes[row])

    def values(self, row: int) -> dict[str, Any]:
        """Descriptors of one row by name; integers where the column holds integers."""
        return self.as_mapping(self.X[row])

    def as_mapping(self, point: Sequence[float] | NDArray[np.float64]) -> dict[str, Any]:
        """Descriptor values by name."""
        if self.space is not None:
            return dict(self.space.values(np.asarray(point, dtype=np.float64)))
        numbers = [float(value) for value in point]
        pairs = zip(self.names, numbers, self.whole, strict=True)
        return {name: int(value) if whole and value.is_integer() else value for name, value, whole in pairs}

    def rows(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """First row of each identity, -1 for one that is not here."""
        codes = np.array([identity_number(text) for text in ids], dtype=np.int64)
        return self.rows_of_codes(codes)

    def rows_of_codes(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """First row of each identity given as a number, -1 for one that is not here."""
        if not len(self.X):
            return np.full(len(codes), -1, dtype=np.int64)
        wanted = codes.astype(np.uint64)
        at = np.minimum(np.searchsorted(self._sorted_codes, wanted), len(self._sorted_codes) - 1)
        return np.where((self._sorted_codes[at] == wanted) & (codes >= 0), self._sorted_rows[at], -1)

    def point(self, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """Descriptor vector of a mapping that names every descriptor.

        Raises
        ------
        InputError
            For a missing descriptor or a value that is no finite number.
        """
        if self.space is not None:
            return np.asarray(self.space.matrix([values], place=self.place)[0])
        missing = [name for name in self.names if name not in values]
        if missing:
            raise InputError(
                sentence(self.place, "descriptors", f"be given for all of {list(self.names)}",
                         sorted(map(str, values)), remedy=f"Add {', '.join(map(repr, missing))}.")
            )  # fmt: skip
        frame = pd.DataFrame([{name: values[name] for name in self.names}])
        return as_numbers(frame, self.place)[0]

    def identity_of(self, point: NDArray[np.float64]) -> str:
        """Identity of any descriptor vector, in the list or not."""
        return identity_text(identities(point[None, :], self.salt)[0])

    def points(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Descriptor vectors of a frame that has every descriptor."""
        if self.space is not None:
            return np.asarray(self.space.matrix(frame[list(self.names)], place=self.place))
        return as_numbers(frame[list(self.names)], self.place)

    def append(self, points: NDArray[np.float64]) -> None:
        """Add candidates at the end of a list; rows already there keep their number."""
        self._set(np.concatenate([self.X, points]))

    def hold(self, points: NDArray[np.float64]) -> None:
        """Hold these points of a space, each once, in ascending order, and no others."""
        self._set(np.unique(points.reshape(len(points), len(self.names)) + 0.0, axis=0))

    def _set(self, points: NDArray[np.float64]) -> None:
        """Other candidates, their identities and rows."""
        self.X = points
        self.X.flags.writeable = False
        self._index()

    def frame(self) -> pd.DataFrame:
        """Descriptors of all candidates."""
        return pd.DataFrame([self.values(row) for row in range(len(self))], columns=list(self.names))

    def _index(self) -> None:
        """Identities, and the first row of each."""
        self.codes = identities(self.X, self.salt)
        self._sorted_codes, self._sorted_rows, inverse = np.unique(
            self.codes, return_index=True, return_inverse=True
        )
        self.first = self._sorted_rows[inverse]

    def _collides(self) -> bool:
        """Whether two different candidates have the same identity."""
        repeated = np.flatnonzero(self.first != np.arange(len(self.X)))
        return bool((self.X[repeated] != self.X[self.first[repeated]]).any())


def as_numbers(frame: pd.DataFrame, place: str) -> NDArray[np.float64]:
    """Columns as finite float64, or one error that names row, column and value.

    Parameters
    ----------
    frame : DataFrame
    place : str
        Who asks, for the message.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)

    Examples
    --------
    >>> as_numbers(pd.DataFrame({"x": [1, 2], "y": ["0.5", "1e3"]}), "here").tolist()
    [[1.0, 0.5], [2.0, 1000.0]]
    """
    matrix = np.empty(frame.shape, dtype=np.float64)
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        is_time = column.dtype.kind in "mM" or isinstance(column.dtype, pd.DatetimeTZDtype)
        numbers = (
            column if is_number else pd.to_numeric(column.astype(str) if is_time else column, errors="coerce")
        )
        matrix[:, position] = values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            value = column.iloc[int(bad[0])]
            raise InputError(
                sentence(place, "descriptors", "be finite numbers", "a blank" if pd.isna(value) else value,
                         at=f"at row {int(bad[0])}, column {str(name)!r} "
                         f"({len(bad)} such cell{'s' * (len(bad) > 1)})",
                         remedy="Correct the cell, or leave the column out.")
            )  # fmt: skip
    return matrix
