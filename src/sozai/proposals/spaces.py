"""Where candidates live: a list, a box, a mixture, categories, or a product of them with linear limits."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import helmert

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.proposals.space_sampling import Polytope, round_to_sum

__all__ = ["Box", "Categorical", "LinearConstraint", "Mixture", "Pool", "Product", "Space"]

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
                X[:, column] = rng.permutation(np.arange(n) % len(level))
        return X

    def contains(self, X: Array) -> NDArray[np.bool_]:
        """Which rows satisfy bounds, sums and limits."""
        numbers = ~self.is_level
        inside = np.ones(len(X), dtype=bool)
        return self.polytope.contains(X[:, numbers]) if numbers.any() else inside

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


class Box(Space):
    """Numbers between bounds.

    Parameters
    ----------
    bounds : mapping of str to (float, float)
    step : float or mapping of str to float, optional
        Spacing of allowed values, counted from the lower bound.

    Examples
    --------
    >>> space = Box({"T": (300.0, 900.0), "p": (0.0, 1.0)}, step={"T": 25.0})
    >>> space.snap(np.array([[338.0, 0.123]])).tolist()
    [[350.0, 0.123]]
    """

    def __init__(self, bounds: Mapping[str, Sequence[float]], step: Any = None) -> None:
        self.names = tuple(map(str, bounds))
        if not self.names:
            raise InputError(sentence("Box", "bounds", "name at least one descriptor", dict(bounds)))
        pairs = []
        for name, pair in bounds.items():
            ends = np.asarray(pair, dtype=np.float64)
            if ends.shape != (2,) or not np.isfinite(ends).all() or not ends[0] < ends[1]:
                raise InputError(
                    sentence("Box", "bounds", "be two finite numbers, the lower first", tuple(pair),
                             at=f"for {str(name)!r}", remedy="Write {'T': (300, 900)}.")
                )  # fmt: skip
            pairs.append(ends)
        self._bounds = np.array(pairs)
        steps = step if isinstance(step, Mapping) else dict.fromkeys(self.names, step)
        _check_names("Box", "step", steps, self.names)
        self.step = {name: steps.get(name) for name in self.names}
        for name, (low, high) in zip(self.names, self._bounds, strict=True):
            size = self.step[name]
            if size is not None and not 0 < size <= high - low:
                raise InputError(
                    sentence("Box", "step", f"be positive and at most {high - low:g}", size,
                             at=f"for {name!r}", remedy="Leave it out for continuous values.")
                )  # fmt: skip

    def __repr__(self) -> str:
        ends = ", ".join(f"{n} {a:g} to {b:g}" for n, (a, b) in zip(self.names, self._bounds, strict=True))
        return f"Box({ends})"

    @property
    def bounds(self) -> Array:
        """Lowest and highest value of each column."""
        return self._bounds

    def snap(self, X: Array) -> Array:
        """Nearest allowed values."""
        out = np.clip(X, *self._bounds.T)
        for k, axis in enumerate(self._axes()):
            if axis is not None:
                steps = np.rint((out[:, k] - axis[0]) / (axis[1] - axis[0])).astype(np.int64)
                out[:, k] = axis[np.clip(steps, 0, len(axis) - 1)]
        return np.asarray(out)

    def _axes(self) -> list[Array | None]:
        """Allowed values of each column."""
        found: list[Array | None] = []
        for name, (low, high) in zip(self.names, self._bounds, strict=True):
            size = self.step[name]
            n = 0 if size is None else int(np.floor((high - low) / size + 1e-9)) + 1
            found.append(None if size is None else low + size * np.arange(n))
        return found


class Mixture(Space):
    r"""Fractions with a fixed sum.

    Parameters
    ----------
    names : sequence of str
        At least two components.
    total : float, default=1.0
    bounds : (float, float) or mapping of str to (float, float), optional
        Of each fraction; 0 to ``total`` where left out.
    step : float, optional
        Fractions are multiples of it.

    Notes
    -----
    Distances are those of the fractions: :math:`k - 1` Helmert coordinates, an isometry of the regular
    simplex up to :math:`\sqrt2`, in units of the widest range. Points are rounded by the largest remainder,
    which keeps the sum.

    Examples
    --------
    >>> space = Mixture(["Fe", "Co", "Ni"], step=0.05, bounds={"Ni": (0.0, 0.2)})
    >>> space.n_grid()
    95
    >>> space.snap(np.array([[0.52, 0.33, 0.15]])).round(12).tolist()
    [[0.5, 0.35, 0.15]]
    """

    def __init__(
        self, names: Sequence[str], total: float = 1.0, bounds: Any = None, step: float | None = None
    ) -> None:
        self.names, self.step = tuple(map(str, names)), step
        if len(self.names) < 2 or len(set(self.names)) < len(self.names):
            raise InputError(sentence("Mixture", "names", "be at least two different names", list(names)))
        if not (np.isfinite(total) and total > 0):
            raise InputError(sentence("Mixture", "total", "be positive", total, remedy="Write 1 or 100."))
        self._total = float(total)
        given = bounds if isinstance(bounds, Mapping) else dict.fromkeys(self.names, bounds)
        _check_names("Mixture", "bounds", given, self.names)
        pairs = [(0.0, self._total) if given.get(n) is None else given[n] for n in self.names]
        self._bounds = np.array(pairs, dtype=np.float64)
        self._check()
        # what the others leave over
        low, high = self._bounds.T
        spare = self._total - low.sum(), high.sum() - self._total
        self._bounds = np.column_stack([np.maximum(low, high - spare[1]), np.minimum(high, low + spare[0])])

    def _check(self) -> None:
        """Bounds and step between which there is a point."""
        low, high = self._bounds.T
        bad = ~((low >= 0) & (high <= self._total * (1 + 1e-12)) & (low <= high))
        if bad.any():
            k = int(np.argmax(bad))
            raise InputError(
                sentence("Mixture", "bounds", f"lie between 0 and {self._total:g}, the lower first",
                         (float(low[k]), float(high[k])), at=f"for {self.names[k]!r}")
            )  # fmt: skip
        if not low.sum() <= self._total * (1 + 1e-12) or not high.sum() >= self._total * (1 - 1e-12):
            raise InputError(
                sentence("Mixture", "bounds", f"allow the sum {self._total:g}",
                         f"sums from {low.sum():g} to {high.sum():g}", remedy="Widen some of them.")
            )  # fmt: skip
        if self.step is None:
            return
        if not 0 < self.step <= self._total:
            raise InputError(
                sentence("Mixture", "step", f"be positive and at most {self._total:g}", self.step)
            )
        count = self._total / self.step
        least, most = self._whole()
        if abs(count - round(count)) > 1e-6 or not least.sum() <= round(count) <= most.sum():
            ends = f"{least.sum() * self.step:g} to {most.sum() * self.step:g}"
            raise InputError(
                sentence("Mixture", "step",
                         f"divide the total {self._total:g} and leave sums that reach it (multiples: {ends})",
                         self.step, remedy="Take a step that divides the total and the bounds.")
            )  # fmt: skip

    def _whole(self) -> tuple[Array, Array]:
        """Bounds in steps."""
        assert self.step is not None
        low, high = self._bounds.T
        return np.ceil(low / self.step - 1e-9), np.floor(high / self.step + 1e-9)

    def __repr__(self) -> str:
        step = "" if self.step is None else f", step {self.step:g}"
        return f"Mixture({', '.join(self.names)}, total {self._total:g}{step})"

    @property
    def bounds(self) -> Array:
        """Lowest and highest value of each fraction that the others allow."""
        return self._bounds

    @property
    def total(self) -> float | None:
        """Sum of the fractions."""
        return self._total

    def encode(self, X: Array) -> Array:
        """Helmert coordinates about the center, in units of the widest range."""
        return np.asarray((X - self._bounds.mean(axis=1)) @ self.encoding_slope().T)

    def encoding_slope(self) -> Array:
        """Helmert matrix over the widest range."""
        width = float(np.ptp(self._bounds, axis=1).max()) or 1.0
        return np.asarray(helmert(len(self.names)) / width)

    def snap(self, X: Array) -> Array:
        """Multiples of the step with the same sum."""
        low, high = self._bounds.T
        if self.step is None:
            inside = np.clip(X, low, high)
            return _with_sum(inside, self._total, low, high)
        return round_to_sum(X, self.step, self._total, low, high)

    def n_grid(self) -> int | None:
        """Points of the grid, counted without making them."""
        if self.step is None:
            return None
        least, most = self._whole()
        n = round(self._total / self.step)
        ways = [1] + [0] * n
        for a, b in zip(least.astype(int), most.astype(int), strict=True):
            ways = [sum(ways[max(t - b, 0) : t - a + 1]) if t >= a else 0 for t in range(n + 1)]
        return ways[n]

    def _grid_rows(self) -> Array:
        """Rows of the grid, in lexicographic order."""
        assert self.step is not None
        least, most = self._whole()
        rest = np.array([float(round(self._total / self.step))])
        rows = np.zeros((1, 0))
        for k in range(len(self.names)):
            after_low, after_high = least[k + 1 :].sum(), most[k + 1 :].sum()
            first = np.maximum(least[k], rest - after_high)
            last = np.minimum(most[k], rest - after_low)
            counts = np.maximum(last - first + 1, 0).astype(int)
            parent = np.repeat(np.arange(len(rest)), counts)
            inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            value = first[parent] + inside
            rows, rest = np.column_stack([rows[parent], value]), rest[parent] - value
        return np.asarray(rows * self.step)


class Categorical(Space):
    """One of several levels.

    Parameters
    ----------
    name : str
    levels : sequence
        At least two, all different.
    descriptors : DataFrame or array-like of shape (n_levels, d), optional
        Numbers that say how alike levels are. Left out, all levels are equally unlike: one column for each,
        with a length scale of its own.

    Examples
    --------
    >>> space = Categorical("solvent", ["water", "toluene", "DMF"])
    >>> Z = space.encode(space.matrix([{"solvent": "DMF"}, {"solvent": "water"}]))
    >>> round(float(np.linalg.norm(Z[0] - Z[1])), 12)
    1.0
    """

    def __init__(self, name: str, levels: Sequence[Any], descriptors: Any = None) -> None:
        self.names, self._levels = (str(name),), tuple(levels)
        if len(self._levels) < 2 or len(set(self._levels)) < len(self._levels):
            raise InputError(
                sentence("Categorical", "levels", "be at least two, all different", list(levels),
                         at=f"for {name!r}")
            )  # fmt: skip
        self.descriptors = descriptors
        n = len(self._levels)
        if descriptors is None:
            self._table = np.eye(n) / np.sqrt(2.0)
        else:
            table = np.asarray(descriptors, dtype=np.float64)
            if table.ndim != 2 or len(table) != n or not np.isfinite(table).all():
                raise InputError(
                    sentence("Categorical", "descriptors", f"be finite, one row for each of {n} levels",
                             f"shape {table.shape}")
                )  # fmt: skip
            span = np.ptp(table, axis=0)
            self._table = (table - table.min(axis=0))[:, span > 0] / span[span > 0] - 0.5

    def __repr__(self) -> str:
        return f"Categorical({self.names[0]}: {', '.join(map(str, self._levels))})"

    @property
    def levels(self) -> tuple[tuple[Any, ...] | None, ...]:
        """Levels of the column."""
        return (self._levels,)

    @property
    def bounds(self) -> Array:
        """First and last number of a level."""
        return np.array([[0.0, len(self._levels) - 1.0]])

    def encode(self, X: Array) -> Array:
        """Rows of the table of levels."""
        return np.asarray(self._table[X[:, 0].astype(int)])

    def encoding_slope(self) -> Array:
        """Zeros: levels do not change by small steps."""
        return np.zeros((self._table.shape[1], 1))


class Product(Space):
    """Several spaces at once, with linear limits over their columns.

    Parameters
    ----------
    *spaces : Space
    constraints : sequence of LinearConstraint

    Examples
    --------
    >>> space = Product(Mixture(["A", "B"]), Box({"T": (300, 500)}),
    ...                 constraints=[LinearConstraint({"T": 1.0, "A": 100.0}, high=450.0)])
    >>> space.names
    ('A', 'B', 'T')
    >>> bool(space.contains(space.sample(100, np.random.default_rng(0))).all())
    True
    """

    def __init__(self, *spaces: Space, constraints: Sequence[LinearConstraint] = ()) -> None:
        if not spaces or not all(isinstance(space, Space) for space in spaces):
            raise InputError(
                sentence("Product", "spaces", "be Box, Mixture, Categorical or Product objects", spaces)
            )
        self._parts = tuple(part for space in spaces for part in space.parts)
        self._constraints = (*constraints, *(c for space in spaces for c in space.constraints))
        self.names = tuple(name for part in self._parts for name in part.names)
        if len(set(self.names)) < len(self.names):
            raise InputError(sentence("Product", "names", "be different in all spaces", list(self.names)))
        numeric = [n for n, level in zip(self.names, self.levels, strict=True) if level is None]
        for constraint in self._constraints:
            _check_names("LinearConstraint", "coefficients", constraint.coefficients, numeric)
        if numeric and self.polytope.center is None:
            raise InputError(
                sentence("Product", "constraints", "leave at least one point",
                         [repr(constraint) for constraint in self._constraints],
                         remedy="Loosen one of them.")
            )  # fmt: skip

    def __repr__(self) -> str:
        limits = f", {len(self._constraints)} constraints" if self._constraints else ""
        return f"Product({', '.join(map(repr, self._parts))}{limits})"

    @property
    def parts(self) -> tuple[Space, ...]:
        """The factors."""
        return self._parts

    @property
    def constraints(self) -> tuple[LinearConstraint, ...]:
        """Linear limits."""
        return self._constraints

    @property
    def levels(self) -> tuple[tuple[Any, ...] | None, ...]:
        """Levels of each column."""
        return tuple(level for part in self._parts for level in part.levels)

    @property
    def bounds(self) -> Array:
        """Lowest and highest value of each column."""
        return np.vstack([part.bounds for part in self._parts])

    def _columns(self, X: Array) -> list[Array]:
        """Columns of each factor."""
        ends = np.cumsum([len(part.names) for part in self._parts])[:-1]
        return np.split(X, ends, axis=1)

    def encode(self, X: Array) -> Array:
        """Coordinates of all factors side by side."""
        pairs = zip(self._parts, self._columns(X), strict=True)
        return np.column_stack([part.encode(columns) for part, columns in pairs])

    def encoding_slope(self) -> Array:
        """Block diagonal."""
        from scipy.linalg import block_diag

        return np.asarray(block_diag(*[part.encoding_slope() for part in self._parts]))

    def snap(self, X: Array) -> Array:
        """Nearest points that the steps of all factors allow."""
        pairs = zip(self._parts, self._columns(X), strict=True)
        return np.column_stack([part.snap(columns) for part, columns in pairs])

    def n_grid(self) -> int | None:
        """Points of the grid, limits not counted."""
        counts = [part.n_grid() for part in self._parts]
        return None if None in counts else int(np.prod([float(count) for count in counts]))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Pool:
    """A list of candidates.

    Parameters
    ----------
    candidates : DataFrame or array-like of shape (N, p)

    Examples
    --------
    >>> Pool([[0.0], [1.0]])
    Pool(2 candidates)
    """

    candidates: Any

    def __repr__(self) -> str:
        return f"Pool({len(self.candidates)} candidates)"


def _check_names(place: str, argument: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
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


def _with_sum(X: Array, total: float, low: Array, high: Array) -> Array:
    """Shift rows between their bounds until they have the sum: free parts share what is missing."""
    out = X.copy()
    for _ in range(2 * X.shape[1]):
        missing = total - out.sum(axis=1)
        room = np.where(missing[:, None] > 0, high - out, out - low)
        whole = room.sum(axis=1)
        share = np.divide(room, whole[:, None], out=np.zeros_like(room), where=whole[:, None] > 0)
        out += np.sign(missing)[:, None] * share * np.minimum(np.abs(missing), whole)[:, None]
        if np.abs(missing).max(initial=0.0) <= 1e-15 * total:
            break
    return np.asarray(out)
