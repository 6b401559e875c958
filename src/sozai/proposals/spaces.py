"""Kinds of spaces: a list, a box, a mixture, categories, and products of them with linear limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import helmert

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.space import LinearConstraint, Space, check_names
from sozai.proposals.space_sampling import round_to_sum

__all__ = ["Box", "Categorical", "Mixture", "Pool", "Product"]

Array = NDArray[np.float64]


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
        check_names("Box", "step", steps, self.names)
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
        check_names("Mixture", "bounds", given, self.names)
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
            check_names("LinearConstraint", "coefficients", constraint.coefficients, numeric)
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
