"""What every space of candidates can do: read points, sample, list its grid, say what lies inside."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.proposals.space_sampling import Polytope

__all__ = ["LinearConstraint", "Space", "check_names"]

Array = NDArray[np.float64]

#: Share of the total by which fractions may miss it and still be repaired.
_REPAIRED = 2e-3


@dataclass(frozen=True)
class LinearConstraint:
    """Bounds on a weighted sum of descriptors.

    Parameters
    ----------
    coefficients : mapping of str to float
    low, high : float
        One of them may be infinite.

    Examples
    --------
    >>> LinearConstraint({"Co": 1.0, "Ni": 1.0}, high=0.5).high
    0.5
    """

    coefficients: Mapping[str, float]
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        if not self.coefficients or not all(np.isfinite(list(self.coefficients.values()))):
            raise InputError(
                sentence("LinearConstraint", "coefficients", "be finite numbers by name", self.coefficients)
            )
        if not self.low < self.high or (np.isinf(self.low) and np.isinf(self.high)):
            raise InputError(
                sentence("LinearConstraint", "low", f"lie below high ({self.high!r}), one of them finite",
                         self.low, remedy="For a fixed sum use Mixture(names, total).")
            )  # fmt: skip


class Space:
    """Descriptors with bounds, sums and limits; every point is one row of numbers, categories by level.

    Attributes
    ----------
    names : tuple of str
    parts : tuple of Space
        Itself, or the factors of a product.
    polytope : Polytope
        Of all columns that are no categories.
    """

    names: tuple[str, ...]

    # --- what a kind of space says of itself ---------------------------------------------------------

    @property
    def levels(self) -> tuple[tuple[Any, ...] | None, ...]:
        """Levels of each column; None for numbers."""
        return (None,) * len(self.names)

    @property
    def bounds(self) -> Array:
        """Lowest and highest value of each column, shape (n_columns, 2)."""
        raise NotImplementedError

    @property
    def total(self) -> float | None:
        """Sum of the columns, if it is fixed."""
        return None

    @property
    def parts(self) -> tuple[Space, ...]:
        """The space itself, or the factors of a product."""
        return (self,)

    @property
    def constraints(self) -> tuple[LinearConstraint, ...]:
        """Linear limits over several columns."""
        return ()

    def encode(self, X: Array) -> Array:
        """Coordinates in which distances count, shape (n, n_coordinates), about one wide."""
        low, high = self.bounds.T
        return np.asarray((X - low) / (high - low) - 0.5)

    def encoding_slope(self) -> Array:
        """Derivative of the coordinates by the columns, shape (n_coordinates, n_columns)."""
        low, high = self.bounds.T
        return np.diag(1.0 / (high - low))

    def snap(self, X: Array) -> Array:
        """Nearest points that the steps allow."""
        return X

    # --- what all can do -----------------------------------------------------------------------------

    @property
    def is_level(self) -> NDArray[np.bool_]:
        """Mask of the columns that are categories."""
        return np.array([level is not None for level in self.levels])

    @property
    def polytope(self) -> Polytope:
        """Bounds, sums and limits of the columns that are numbers."""
        if "_polytope" not in self.__dict__:
            object.__setattr__(self, "_polytope", self._make_polytope())
        return self.__dict__["_polytope"]  # type: ignore[no-any-return]

    def _make_polytope(self) -> Polytope:
        numbers = np.flatnonzero(~self.is_level)
        low, high = self.bounds[numbers].T
        equal, total, above, limit, first = [], [], [], [], 0
        for part in self.parts:
            if part.total is not None:
                row = np.zeros(len(self.names))
                row[first : first + len(part.names)] = 1.0
                equal.append(row[numbers])
                total.append(part.total)
            first += len(part.names)
        for constraint in self.constraints:
            row = np.array([float(constraint.coefficients.get(name, 0.0)) for name in self.names])[numbers]
            for sign, end in ((1.0, constraint.high), (-1.0, constraint.low)):
                if np.isfinite(end):
                    above.append(sign * row)
                    limit.append(sign * end)
        n = len(numbers)
        return Polytope(
            low, high, np.array(equal).reshape(-1, n), np.array(total), np.array(above).reshape(-1, n),
            np.array(limit),
        )  # fmt: skip

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Points spread over the space, as rows of numbers.

        Parameters
        ----------
        n : int
        rng : Generator

        Returns
        -------
        ndarray of shape (n, n_columns)
        """
        X = np.empty((n, len(self.names)))
        numbers = ~self.is_level
        if numbers.any():
            X[:, numbers] = self.polytope.sample(n, rng)
        for column, level in enumerate(self.levels):
            if level is not None:
                X[:, column] = rng.permutation((np.arange(n) + rng.integers(len(level))) % len(level))
        return X

    def contains(self, X: Array) -> NDArray[np.bool_]:
        """Which rows satisfy bounds, sums and limits."""
        numbers = ~self.is_level
        inside = np.ones(len(X), dtype=bool)
        return self.polytope.contains(X[:, numbers]) if numbers.any() else inside

    def misses(self, row: Array) -> list[str]:
        """What keeps a point out of the space: a bound, a limit or a step, one sentence each."""
        low, high = self.bounds.T
        size = 1e-7 * np.where(high > low, high - low, 1.0)
        found = [
            f"{name} is {value:g}, outside {a:g} to {b:g}"
            for name, value, a, b, room in zip(self.names, row, low, high, size, strict=True)
            if not a - room <= value <= b + room
        ]
        by_name = dict(zip(self.names, row, strict=True))
        for limit in self.constraints:
            value = sum(factor * by_name[name] for name, factor in limit.coefficients.items())
            if not limit.low - 1e-7 <= value <= limit.high + 1e-7:
                words = " + ".join(f"{factor:g} {name}" for name, factor in limit.coefficients.items())
                found.append(f"{words} is {value:g}, outside {limit.low:g} to {limit.high:g}")
        near = row if found else self.snap(row[None, :])[0]
        found += [
            f"{self.names[k]} is {row[k]:g}, off its step; the nearest value is {near[k]:g}"
            for k in np.flatnonzero(np.abs(near - row) > size)
        ]
        return found

    def matrix(self, points: Any, *, place: str = "Space") -> Array:
        """Rows of numbers from points as the user writes them.

        Parameters
        ----------
        points : DataFrame, mapping, sequence of mappings, or array-like of shape (n, n_columns)
        place : str
            Who asks, for messages.

        Returns
        -------
        ndarray of shape (n, n_columns)

        Raises
        ------
        InputError
            For a missing descriptor, an unknown level, a value that is no finite number, and fractions that
            miss their total by more than 0.2 %; smaller differences are repaired, with a warning.
        """
        frame = self._frame(points, place)
        X = np.empty((len(frame), len(self.names)))
        for column, (name, level) in enumerate(zip(self.names, self.levels, strict=True)):
            for row, value in enumerate(frame[name].tolist()):
                X[row, column] = _number(value, name, level, row, place)
        first = 0
        for part in self.parts:
            if part.total is not None:
                _repair_sums(X[:, first : first + len(part.names)], part.total, part.names, place)
            first += len(part.names)
        return X

    def _frame(self, points: Any, place: str) -> pd.DataFrame:
        """Points as a table with the space's columns."""
        if isinstance(points, Mapping):
            points = [points]
        if not isinstance(points, pd.DataFrame):
            rows = list(points)
            named = bool(rows) and isinstance(rows[0], Mapping)
            if not named and rows and np.ndim(rows[0]) == 0:
                rows = [rows]
            if not named and any(len(row) != len(self.names) for row in rows):
                raise InputError(
                    sentence(place, "points", f"have {len(self.names)} values each ({', '.join(self.names)})",
                             len(rows[0]), remedy="Name them: {'name': value}.")
                )  # fmt: skip
            points = pd.DataFrame(rows) if named else pd.DataFrame(rows, columns=list(self.names))
        missing = [name for name in self.names if name not in points.columns]
        if missing:
            raise InputError(
                sentence(place, "points", f"have the descriptors {', '.join(self.names)}",
                         list(map(str, points.columns)), remedy=f"Add {', '.join(missing)}.")
            )  # fmt: skip
        return points

    def values(self, row: Array) -> dict[str, Any]:
        """One row of numbers as the user writes it."""
        return {
            name: float(f"{value:.12g}") if level is None else level[int(value)]
            for name, value, level in zip(self.names, row, self.levels, strict=True)
        }

    def n_grid(self) -> int | None:
        """Points of the grid of all steps, limits not counted; None where a column has no step."""
        counts = [axis if axis is None else len(axis) for axis in self._axes()]
        return None if None in counts else int(np.prod([float(count) for count in counts]))  # type: ignore[arg-type]

    def _axes(self) -> list[Array | None]:
        """Values of each column on the grid; None where there is no step."""
        return [None if level is None else np.arange(len(level), dtype=float) for level in self.levels]

    def grid(self, max_rows: int = 1_000_000) -> pd.DataFrame:
        """All points that the steps allow.

        Parameters
        ----------
        max_rows : int, default=1_000_000

        Returns
        -------
        DataFrame

        Raises
        ------
        InputError
            Before anything is allocated, when there are more; and without steps.
        """
        counts = [part.n_grid() for part in self.parts]
        if any(count is None for count in counts):
            raise InputError(
                sentence(f"{type(self).__name__}.grid", "step", "be given for every column",
                         remedy="Use sample(n, rng), or open the space itself.")
            )  # fmt: skip
        rows = float(np.prod([float(count) for count in counts if count is not None]))
        if rows > max_rows:
            size = rows * 8 * len(self.names) / 2**30
            raise InputError(
                sentence(f"{type(self).__name__}.grid", "max_rows", f"allow {rows:.4g} rows ({size:.3g} GiB)",
                         max_rows, remedy="Open the space itself: Mixture and Box are sampled, not listed.")
            )  # fmt: skip
        tables = [part._grid_rows() for part in self.parts]
        at = np.indices([len(table) for table in tables]).reshape(len(tables), -1)
        X = np.column_stack([table[k] for table, k in zip(tables, at, strict=True)])
        X = X[self.contains(X)]
        return pd.DataFrame([self.values(row) for row in X], columns=list(self.names))

    def _grid_rows(self) -> Array:
        """Rows of the grid."""
        axes = [axis for axis in self._axes() if axis is not None]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def check_names(place: str, argument: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Keys that exist."""
    unknown = [name for name in given if name not in names]
    if unknown:
        raise InputError(
            sentence(place, argument, f"name descriptors of {list(names)}", unknown[0],
                     remedy="Correct the name.")
        )  # fmt: skip


def _number(value: Any, name: str, level: tuple[Any, ...] | None, row: int, place: str) -> float:
    """Number of one cell."""
    if level is not None:
        if value in level:
            return float(level.index(value))
        raise InputError(
            sentence(place, name, f"be one of {', '.join(map(repr, level))}", value, at=f"at row {row}",
                     remedy="Correct the level, or add it to the space.")
        )  # fmt: skip
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    raise InputError(sentence(place, name, "be a finite number", value, at=f"at row {row}"))


def _repair_sums(fractions: Array, total: float, names: tuple[str, ...], place: str) -> None:
    """Scale fractions to their total in place; refuse what misses it by far."""
    sums = fractions.sum(axis=1)
    off = np.abs(sums - total) / total
    if (off > _REPAIRED).any():
        row = int(np.argmax(off > _REPAIRED))
        raise InputError(
            sentence(place, " + ".join(names), f"be {total:g}", float(f"{sums[row]:.9g}"), at=f"at row {row}",
                     remedy="Correct the fractions; up to 0.2 % is repaired.")
        )  # fmt: skip
    wrong = off > 1e-9
    if wrong.any():
        fractions[wrong] *= (total / sums[wrong])[:, None]
        warnings.warn(
            f"{place}: {' + '.join(names)} missed {total:g} by up to {100 * off.max():.2g} % in "
            f"{int(wrong.sum())} rows; the fractions were scaled.",
            ConvergenceWarning,
            stacklevel=4,
        )
