"""Certified maximum of a law over a box and linear constraints, by branch and bound on intervals."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sozai.symbolic.formulas.box_bounds import EMPTY, point_slopes, point_values, upper_bounds
from sozai.symbolic.formulas.law_program import LawProgram

__all__ = ["Maximum", "Region", "maximize"]

_FIRST_POINTS = 256
_POLISHED = 4  # starting points of the local search
_LARGEST_BATCH = 4096
_NARROWEST = 2.0**-20  # relative width at which a box without a finite bound is taken as singular
_SMALLEST = 1e-14  # relative width below which a box is not split
_INFEASIBLE = 2  # status of a linear programme without a solution
_SEED = 20240601  # of the starting points; they decide how fast the search is, not what it finds


@dataclass(frozen=True, eq=False)
class Region:
    r"""Box and linear constraints :math:`l \le A x \le u`.

    Attributes
    ----------
    low, high : ndarray of shape (n_variables,)
    matrix : ndarray of shape (n_constraints, n_variables)
    row_low, row_high : ndarray of shape (n_constraints,)

    Examples
    --------
    >>> region = Region(np.zeros(2), np.ones(2), np.ones((1, 2)), np.ones(1), np.ones(1))
    >>> region.contains(region.restored(np.array([[0.5, 0.8]]))).tolist()
    [True]
    """

    low: np.ndarray
    high: np.ndarray
    matrix: np.ndarray
    row_low: np.ndarray
    row_high: np.ndarray

    @property
    def slack(self) -> np.ndarray:
        """Rounding allowed in every constraint: 1e-12 of the size of its parts."""
        ends = np.maximum(np.abs(self.low), np.abs(self.high))
        sides = np.maximum(*(np.where(np.isfinite(side), np.abs(side), 0.0) for side in self.sides))
        return 1e-12 * (np.abs(self.matrix) @ ends + sides + 1e-300)

    @property
    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper sides of the constraints."""
        return self.row_low, self.row_high

    @property
    def width(self) -> np.ndarray:
        """Widths of the box."""
        return self.high - self.low

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Whether each point lies inside; half the allowed rounding is used."""
        inside = np.all((points >= self.low) & (points <= self.high), axis=1)
        forms, half = points @ self.matrix.T, self.slack / 2
        return inside & np.all((forms >= self.row_low - half) & (forms <= self.row_high + half), axis=1)

    def restored(self, points: np.ndarray, sweeps: int = 60) -> np.ndarray:
        """Near points inside: in turn moved onto violated constraints and back into the box."""
        points = np.clip(points, self.low, self.high)
        for _ in range(sweeps if len(self.matrix) else 0):
            for row, low, high in zip(self.matrix, self.row_low, self.row_high, strict=True):
                free = self._free(points, row, low, high)
                forms = points @ row
                excess = forms - np.clip(forms, low, high)
                size = np.maximum((free * row) @ row, 1e-300)
                points = np.clip(points - (excess / size)[:, None] * free * row, self.low, self.high)
            if self.contains(points).all():
                break
        return points

    def _free(self, points: np.ndarray, row: np.ndarray, low: float, high: float) -> np.ndarray:
        """Variables that can still move towards the constraint."""
        forms = points @ row
        away = np.sign(forms - np.clip(forms, low, high))[:, None] * row
        stuck = ((away > 0) & (points <= self.low)) | ((away < 0) & (points >= self.high))
        return ~stuck * (row != 0) * (self.width > 0)


@dataclass(frozen=True, eq=False)
class Maximum:
    """What the search has certified.

    Attributes
    ----------
    x : ndarray of shape (n_variables,) or None
        Best point found; None when no point of the region is known at which the law is defined.
    lower, upper : float
        Attained at ``x``, and bound for every point of the region.
    complete : bool
        The two differ by no more than the tolerance.
    n_boxes : int
        Boxes looked at; 0 boxes left means the constraints leave nothing.
    singular : (low, high) or None
        Small box without a finite bound.

    Examples
    --------
    >>> Maximum(np.zeros(1), 1.0, 1.0, True, 1).empty
    False
    """

    x: np.ndarray | None
    lower: float
    upper: float
    complete: bool
    n_boxes: int
    singular: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def empty(self) -> bool:
        """Whether no point meets the constraints."""
        return self.upper == -np.inf and self.x is None


def maximize(
    program: LawProgram,
    region: Region,
    *,
    tolerance: float,
    max_boxes: float = 1e5,
    stop_above: float = np.inf,
    stop_below: float = -np.inf,
    progress: Callable[[int, float, float], object] | None = None,
) -> Maximum:
    """Largest value of a law, with a bound that holds whenever the search ends.

    Parameters
    ----------
    program : LawProgram
    region : Region
    tolerance : float
        Difference of the two bounds at which the search is complete.
    max_boxes : float, default=1e5
        Boxes to look at before giving up.
    stop_above, stop_below : float
        End as soon as a value above the first is attained, or the bound falls below the second.
    progress : callable, optional
        Gets the number of boxes and both bounds.

    Returns
    -------
    Maximum

    Notes
    -----
    Best first; a box is cut in the middle of the side that is widest relative
    to the region. Values come from the centers of boxes and from a local search;
    bounds from :func:`sozai.symbolic.formulas.box_bounds.upper_bounds`.

    Examples
    --------
    >>> from sozai.symbolic.operations import Expressions, parse_into
    >>> from sozai.symbolic.formulas.law_program import compile_law
    >>> store = Expressions(["b", "h"])
    >>> law = compile_law(store, [parse_into(store, "b*h")], [0.5], 0.0, columns=[0, 1])
    >>> none = np.empty((0, 2)), np.empty(0), np.empty(0)
    >>> found = maximize(law, Region(np.zeros(2), np.array([2.0, 3.0]), *none), tolerance=1e-9)
    >>> found.x.tolist(), round(found.lower, 9), round(found.upper, 9)
    ([2.0, 3.0], 3.0, 3.0)
    """
    search = _Search(program, region, tolerance)
    while not search.finished(max_boxes, stop_above, stop_below):
        search.split(int(max_boxes) - search.n_boxes)
        if progress is not None:
            progress(search.n_boxes, search.best, search.upper)
    return search.result()


class _Search:
    """Open boxes and the best point so far."""

    def __init__(self, program: LawProgram, region: Region, tolerance: float) -> None:
        self.program, self.region, self.tolerance = program, region, tolerance
        self.scale = np.where(region.width > 0, region.width, 1.0)
        slack = region.slack
        self.rows = (region.matrix, region.row_low - slack, region.row_high + slack)
        self.best, self.x = -np.inf, None
        self.closed = -np.inf  # bound of boxes that are too small to split
        self.n_boxes, self.singular = 0, None
        self.polished = -np.inf
        self.low, self.high = np.empty((0, region.low.size)), np.empty((0, region.low.size))
        self.bound = np.empty(0)
        if _has_points(region):
            self._look(region.low[None].copy(), region.high[None].copy())
        if self.bound.size:
            self._first_points()

    @property
    def upper(self) -> float:
        """Bound for the whole region."""
        return float(max(self.bound.max(initial=-np.inf), self.closed, self.best))

    def finished(self, max_boxes: float, stop_above: float, stop_below: float) -> bool:
        """Whether the search has its answer or its boxes are used up."""
        if not self.bound.size or self.singular is not None or self.n_boxes >= max_boxes:
            return True
        upper = self.upper
        return upper - self.best <= self.tolerance or self.best > stop_above or upper < stop_below

    def result(self) -> Maximum:
        """What is certain now."""
        upper = self.upper
        complete = upper - self.best <= self.tolerance if np.isfinite(upper) else upper == -np.inf
        singular = self.singular
        if upper == np.inf and singular is None:
            place = self._narrowest_first(1)[0][0]
            singular = (self.low[place], self.high[place])
        return Maximum(self.x, self.best, upper, complete, self.n_boxes, singular)

    def split(self, left: int) -> None:
        """Cut the best boxes in two and look at the halves."""
        size = self.bound.size
        batch = min(max(32, size // 8), _LARGEST_BATCH, size, max(left // 2, 1))
        order = np.argpartition(-self.bound, batch - 1) if batch < size else np.arange(size)
        chosen, rest = order[:batch], order[batch:]
        if not np.isfinite(self.bound[chosen]).all():
            chosen, rest = self._narrowest_first(batch)
        low, high = self.low[chosen], self.high[chosen]
        relative = (high - low) / self.scale
        if not relative.shape[1]:
            self.closed, self.bound = float(self.bound.max()), np.empty(0)
            return
        side = np.argmax(relative, axis=1)
        row = np.arange(len(chosen))
        middle = 0.5 * low[row, side] + 0.5 * high[row, side]
        small = (relative[row, side] < _SMALLEST) | (middle <= low[row, side]) | (middle >= high[row, side])
        if small.any():
            self.closed = max(self.closed, float(self.bound[chosen[small]].max()))
            low, high, side, middle = (part[~small] for part in (low, high, side, middle))
            row = np.arange(len(low))
        self.low, self.high, self.bound = self.low[rest], self.high[rest], self.bound[rest]
        first_high, second_low = high.copy(), low.copy()
        first_high[row, side] = second_low[row, side] = middle
        self._look(np.concatenate([low, second_low]), np.concatenate([first_high, high]))

    def _narrowest_first(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Boxes without finite bound, the smallest first, so that a singular place is found soon."""
        width = np.max((self.high - self.low) / self.scale, axis=1)
        order = np.lexsort((width, -self.bound))
        return order[:batch], order[batch:]

    def _look(self, low: np.ndarray, high: np.ndarray) -> None:
        """Bound new boxes, keep those that may hold a better point, try their centers."""
        if not len(low):
            return
        size = len(low)
        bound, center, state = np.empty(size), np.empty(size), np.empty(size, dtype=np.int64)
        upper_bounds(self.program, *self.rows, low, high, bound, center, state)
        self.n_boxes += size
        self._try_centers(low, high, center)
        keep = (state != EMPTY) & (bound > self.best)
        infinite = keep & (bound == np.inf)
        if infinite.any():
            narrow = np.max((high - low) / self.scale, axis=1) <= _NARROWEST
            if (infinite & narrow).any():
                place = int(np.flatnonzero(infinite & narrow)[0])
                self.singular = (low[place].copy(), high[place].copy())
        old = self.bound > self.best
        self.low = np.concatenate([self.low[old], low[keep]])
        self.high = np.concatenate([self.high[old], high[keep]])
        self.bound = np.concatenate([self.bound[old], bound[keep]])

    def _try_centers(self, low: np.ndarray, high: np.ndarray, value: np.ndarray) -> None:
        """Offer centers that promise more than the best point, and search on from a new best one."""
        promising = np.flatnonzero(value > self.best)
        if not promising.size or not np.isfinite(value[promising]).any():
            return
        promising = promising[np.argsort(-value[promising], kind="stable")][:8]
        self.offer(0.5 * low[promising] + 0.5 * high[promising])
        if self.x is not None and self.best > self.polished + self.tolerance:
            self._polish(self.x)

    def offer(self, points: np.ndarray) -> np.ndarray:
        """Take the best of some points once they lie in the region; their certified values."""
        points = self.region.restored(np.ascontiguousarray(points, dtype=np.float64))
        lower, upper = np.empty(len(points)), np.empty(len(points))
        point_values(self.program, points, lower, upper)
        lower[~self.region.contains(points) | ~np.isfinite(lower)] = -np.inf
        place = int(np.argmax(lower))
        if lower[place] > self.best:
            self.best, self.x = float(lower[place]), points[place].copy()
        return lower

    def _first_points(self) -> None:
        """Center, corners and random points; the best few are searched on from."""
        low, high = self.region.low, self.region.high
        rng = np.random.default_rng(_SEED)
        n = low.size
        corners = rng.integers(0, 2, (_FIRST_POINTS, n))
        if 2**n <= _FIRST_POINTS:
            corners = np.arange(2**n)[:, None] >> np.arange(n) & 1
        share = np.vstack([np.full(n, 0.5), corners, rng.random((_FIRST_POINTS, n))])
        points = np.clip(low + share * (high - low), low, high)
        if len(self.region.matrix):
            points = np.vstack([points, _vertices(self.region, rng)])
        values = self.offer(points)
        order = np.argsort(-values, kind="stable")[:_POLISHED]
        for place in order[np.isfinite(values[order])]:
            self._polish(points[place])

    def _polish(self, start: np.ndarray) -> None:
        """Local search from a point; what it finds is offered, also with bounds it has nearly reached."""
        region, span = self.region, self.scale
        self.polished = self.best
        if not region.width.any():
            return
        end = _local_maximum(self.program, region, start, span)
        points = [end]
        for reach in (1e-9, 1e-6, 1e-3):
            near = np.where(end - region.low <= reach * span, region.low, end)
            points.append(np.where(region.high - end <= reach * span, region.high, near))
        self.offer(np.array(points))
        self.polished = max(self.polished, self.best)


def _has_points(region: Region) -> bool:
    """Whether the constraints leave anything of the box, by linear programming."""
    return not len(region.matrix) or _farthest(region, np.zeros(region.low.size)).status != _INFEASIBLE


def _vertices(region: Region, rng: np.random.Generator) -> np.ndarray:
    """Extreme points of the region in random directions, and points between them."""
    directions = rng.normal(size=(2 * region.low.size + 2, region.low.size))
    found = [_farthest(region, direction) for direction in directions]
    span = np.where(region.width > 0, region.width, 1.0)
    corners = np.array([region.low + one.x * span for one in found if one.status == 0])
    if not len(corners):
        return np.empty((0, region.low.size))
    return np.vstack([corners, rng.dirichlet(np.ones(len(corners)), _FIRST_POINTS) @ corners])


def _farthest(region: Region, direction: np.ndarray) -> Any:
    """Linear programme: the point of the region that goes farthest, in shares of the box."""
    from scipy.optimize import linprog

    span = np.where(region.width > 0, region.width, 1.0)
    matrix, shift = region.matrix * span, region.matrix @ region.low
    size = np.maximum(np.abs(matrix).max(axis=1, initial=0.0), 1e-300)
    rows = np.vstack([matrix, -matrix]) / np.tile(size, 2)[:, None]
    ends = np.concatenate([region.row_high - shift, shift - region.row_low]) / np.tile(size, 2)
    used = np.isfinite(ends)
    ends = ends + np.tile(region.slack / size, 2)
    box = np.column_stack([np.zeros(span.size), np.where(region.width > 0, 1.0, 0.0)])
    return linprog(-direction, A_ub=rows[used], b_ub=ends[used], bounds=box, method="highs")


def _local_maximum(program: LawProgram, region: Region, start: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Stationary point near ``start``, by sequential quadratic programming."""
    from scipy.optimize import Bounds, LinearConstraint, minimize

    slopes = np.empty(start.size)
    origin = np.clip(start, region.low, region.high)
    first = point_slopes(program, origin, slopes)
    size = max(np.nanmax(np.abs(slopes * span), initial=0.0), 1e-300)
    if not np.isfinite(first) or not np.isfinite(size):
        return origin

    def loss(u: np.ndarray) -> tuple[float, np.ndarray]:
        point = np.clip(region.low + u * span, region.low, region.high)
        value = point_slopes(program, point, slopes)
        if not (np.isfinite(value) and np.isfinite(slopes).all()):
            return 1e10, np.zeros(start.size)
        return (first - value) / size, -slopes * span / size

    bounds = Bounds(np.zeros(start.size), np.where(region.width > 0, 1.0, 0.0))
    rows: Any = ()
    if len(region.matrix):
        shift = region.matrix @ region.low
        rows = LinearConstraint(region.matrix * span, region.row_low - shift, region.row_high - shift)
    options = {"maxiter": 200, "ftol": 1e-15}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the search may stop early: only the point it reached counts
        found = minimize(
            loss,
            (origin - region.low) / span,
            jac=True,
            bounds=bounds,
            constraints=rows,
            method="SLSQP",
            options=options,
        )
    return np.clip(region.low + found.x * span, region.low, region.high)
