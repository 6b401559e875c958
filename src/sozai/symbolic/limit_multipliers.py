"""What holds a limit back: active bounds and constraints, and what each is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sozai.symbolic.effects import per_unit
from sozai.symbolic.formulas.derivatives import derivatives
from sozai.symbolic.formulas.global_maximum import Region
from sozai.symbolic.formulas.linear_constraints import LinearConstraint
from sozai.symbolic.limit_region import LawRegion

__all__ = ["ActiveBound", "active_bounds"]

_TOUCHES = 1e-7  # distance from a bound, relative to the box, that counts as lying on it
_DEPENDENT = 1e-9  # singular value, relative to the largest, below which active bounds depend on each other
_ROUNDING = 1e-9  # multiplier, relative to the slopes, that is only rounding


@dataclass(frozen=True)
class ActiveBound:
    """A bound or constraint on which the optimum lies.

    Attributes
    ----------
    kind : str
        ``"upper bound"``, ``"lower bound"``, ``"fixed value"`` or ``"constraint"``.
    of : str
        The column, or the constraint as it was typed.
    bound : float
        Its value, in the unit of the table.
    multiplier : float
        Change of the limit when this bound alone rises by one unit, on the
        side on which the region grows; of a fixed value or an equation, on the
        side on which the limit gets better, and 0 where it does so on neither.
    unit, multiplier_unit : str or None
    weight : float
        Change of the limit over the width of the box: what orders the hints.
    raised, lowered : float
        Change of the limit when this bound alone is moved up, and down, by one
        unit. They differ in more than the sign only where more bounds meet than
        there are directions; infinite where the move leaves no point. NaN when
        not known.

    Examples
    --------
    >>> print(ActiveBound("upper bound", "base", 2.0, 0.44, "m", "m^2/m", 0.88))
    base <= 2
    """

    kind: str
    of: str
    bound: float
    multiplier: float
    unit: str | None = None
    multiplier_unit: str | None = None
    weight: float = 0.0
    raised: float = np.nan
    lowered: float = np.nan

    def __str__(self) -> str:
        if self.kind == "constraint":
            return self.of
        sign = {"upper bound": "<=", "lower bound": ">=", "fixed value": "=="}[self.kind]
        return f"{self.of} {sign} {self.bound:.6g}"


def active_bounds(law: Any, where: LawRegion, point: np.ndarray, goal: str) -> tuple[ActiveBound, ...]:
    r"""Active bounds and constraints at an optimum with what each is worth, the weightiest first.

    Parameters
    ----------
    law : SymbolicRegressor
        Fitted.
    where : LawRegion
    point : ndarray of shape (n_variables,)
        The optimum, in the law's units.
    goal : {"max", "min"}

    Notes
    -----
    With slopes :math:`g` and active constraints :math:`a_i`, moved by
    :math:`e_i`, a maximum rises to first order by

    .. math:: v'(e) = \max_d \{ g^T d : a_i^T d \le e_i \}
              = \min_\lambda \{ \lambda^T e : A^T \lambda = g,\ \lambda_i \ge 0 \}

    (equations: :math:`a_i^T d = e_i`, :math:`\lambda_i` of any sign; the two are
    dual linear programs) [1]_ [2]_. Bound :math:`i` alone, raised, is therefore
    worth the smallest :math:`\lambda_i` of all multipliers, and, lowered, minus
    the largest. Where the :math:`a_i` are independent there is one
    :math:`\lambda`; in a corner where more bounds meet than there are
    directions, such as a pure component, any one choice of :math:`\lambda`
    would promise what no bound brings alone.

    The slopes are first explained as :math:`g = A^T \lambda` by least squares
    within the signs that an optimum allows, so that the programs have a
    solution. At a kink the slope that leads out of the region counts on a
    bound, the mean of both sides elsewhere. Another optimum of the same value
    may gain from what brings nothing here.

    References
    ----------
    .. [1] A. V. Fiacco, Introduction to Sensitivity and Stability Analysis in
       Nonlinear Programming (1983).
    .. [2] J. F. Bonnans, A. Shapiro, Perturbation Analysis of Optimization Problems (2000).
    """
    region, sign = where.region, 1.0 if goal == "max" else -1.0
    span = np.where(region.width > 0, region.width, 1.0)
    at_low = point - region.low <= _TOUCHES * span
    at_high = region.high - point <= _TOUCHES * span
    slopes = sign * span * _outward_slopes(law, where, point, at_low, at_high)
    rows = _active_rows(region, point)
    bounded = np.flatnonzero(at_low | at_high)
    free_below = [side != "high" for _, side in rows] + at_low[bounded].tolist()
    free_above = [side != "low" for _, side in rows] + at_high[bounded].tolist()
    matrix = np.hstack([(region.matrix[[c for c, _ in rows]] * span).T, np.eye(span.size)[:, bounded]])
    smallest, largest = _multiplier_ranges(matrix, slopes, free_below, free_above)
    smallest[len(rows) :] /= span[bounded]
    largest[len(rows) :] /= span[bounded]
    unit, size = law.columns_.target_unit, float(np.abs(slopes).max(initial=0.0))
    active = []
    for k, (c, side) in enumerate(rows):
        worth = _Worth(float(smallest[k]), float(largest[k]), free_below[k], free_above[k], sign)
        active.append(_active_row(where, where.constraints[c], side, worth, unit, size))
    for k, i in enumerate(bounded, start=len(rows)):
        # a unit of the table is worth `scale` units of the law
        ends = float(smallest[k] * where.scale[i]), float(largest[k] * where.scale[i])
        worth = _Worth(*ends, free_below[k], free_above[k], sign)
        active.append(_active_column(where, i, at_low[i], at_high[i], worth, unit, size))
    # equal to six digits: in table order, whatever the rounding
    return tuple(sorted(active, key=lambda bound: -float(f"{bound.weight:.6g}")))


@dataclass(frozen=True)
class _Worth:
    """Range of one multiplier of the maximum of ``sign`` times the law, and its free sides."""

    smallest: float
    largest: float
    has_low: bool
    has_high: bool
    sign: float

    @property
    def raised(self) -> float:
        """Change of the limit when the bound is moved up by one unit."""
        return self.sign * self.smallest + 0.0  # no negative zero

    @property
    def lowered(self) -> float:
        """Change of the limit when the bound is moved down by one unit."""
        return -self.sign * self.largest + 0.0

    @property
    def multiplier(self) -> float:
        """Slope of the limit on the side that relaxes the bound."""
        if not self.has_low:
            return self.raised
        if not self.has_high:
            return -self.lowered + 0.0
        better = self.smallest if self.smallest > 0 else min(self.largest, 0.0)
        return self.sign * better + 0.0


def _active_column(
    where: LawRegion, i: int, at_low: bool, at_high: bool, worth: _Worth, unit: str | None, size: float
) -> ActiveBound:
    """Record of one active bound."""
    kind = "fixed value" if at_low and at_high else "upper bound" if at_high else "lower bound"
    width = where.high[i] - where.low[i] or where.training_high[i] - where.training_low[i]
    return ActiveBound(
        kind,
        where.names[i],
        float(where.low[i] if at_low else where.high[i]),
        worth.multiplier,
        where.units[i],
        per_unit(unit, where.units[i]),
        _weight(worth.multiplier * width, size),
        worth.raised,
        worth.lowered,
    )


def _active_row(
    where: LawRegion, one: LinearConstraint, side: str, worth: _Worth, unit: str | None, size: float
) -> ActiveBound:
    """Record of one active constraint; it has a unit where it adds columns of one unit."""
    places = [where.names.index(name) for name in one.coefficients]
    units = {where.units[i] for i in places}
    own = units.pop() if len(units) == 1 and set(map(abs, one.coefficients.values())) == {1.0} else None
    width = sum(
        abs(a) * (where.high[i] - where.low[i])
        for a, i in zip(one.coefficients.values(), places, strict=True)
    )
    bound = one.low if side == "low" else one.high
    weight, per = _weight(worth.multiplier * width, size), per_unit(unit, own)
    return ActiveBound(
        "constraint", str(one), bound, worth.multiplier, own, per, weight, worth.raised, worth.lowered
    )


def _weight(change: float, size: float) -> float:
    """Change over the width of the box; zero for what is only rounding beside the slopes."""
    return abs(float(change)) if abs(change) > _ROUNDING * size else 0.0


def _active_rows(region: Region, point: np.ndarray) -> list[tuple[int, str]]:
    """Constraints on which a point lies, and which side."""
    forms = region.matrix @ point
    size = np.abs(region.matrix) @ np.maximum(np.abs(point), region.width)
    rows = []
    for c, (low, high) in enumerate(zip(*region.sides, strict=True)):
        if low == high:
            rows.append((c, "both"))
        elif abs(forms[c] - high) <= _TOUCHES * size[c]:
            rows.append((c, "high"))
        elif abs(forms[c] - low) <= _TOUCHES * size[c]:
            rows.append((c, "low"))
    return rows


def _outward_slopes(
    law: Any, where: LawRegion, point: np.ndarray, at_low: np.ndarray, at_high: np.ndarray
) -> np.ndarray:
    """Slopes out of the region at active bounds, the mean of both sides elsewhere; per unit of the law."""
    rows, ids = where.full_rows(law, point[None]), law._ids(law.model_)
    above, below = (
        derivatives(law.expressions_, ids, rows, side=side)[1][0][:, list(where.columns)].T
        @ law.model_.coefficients
        for side in (1, -1)
    )
    above, below = np.where(np.isfinite(above), above, below), np.where(np.isfinite(below), below, above)
    middle = 0.5 * above + 0.5 * below
    slopes = np.where(at_high & ~at_low, above, np.where(at_low & ~at_high, below, middle))
    return np.where(np.isfinite(slopes), slopes, 0.0)


def _multiplier_ranges(
    matrix: np.ndarray, slopes: np.ndarray, free_below: list[bool], free_above: list[bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of every multiplier among all that explain the slopes."""
    n = matrix.shape[1]
    if not n:
        return np.empty(0), np.empty(0)
    size = max(float(np.abs(slopes).max(initial=0.0)), 1e-300)
    lengths = np.maximum(np.sqrt((matrix**2).sum(axis=0)), 1e-300)
    unit, ends = matrix / lengths, np.array([free_below, free_above]).T
    found = _bounded_least_squares(unit, slopes / size, *ends.T)
    smallest, largest = found.copy(), found.copy()
    if np.linalg.matrix_rank(unit, tol=_DEPENDENT * n) < n:
        explained = unit @ found
        for k in range(n):
            smallest[k] = _extreme(unit, explained, ends, k, 1.0)
            largest[k] = _extreme(unit, explained, ends, k, -1.0)
    for ranges in (smallest, largest):
        ranges[np.abs(ranges) <= _ROUNDING] = 0.0
    return smallest * size / lengths, largest * size / lengths


def _extreme(matrix: np.ndarray, slopes: np.ndarray, free: np.ndarray, k: int, sign: float) -> float:
    """Smallest (``sign`` 1) or largest (-1) multiplier ``k``; infinite where it has no end."""
    from scipy.optimize import linprog

    cost = np.zeros(matrix.shape[1])
    cost[k] = sign
    bounds = [(None if below else 0.0, None if above else 0.0) for below, above in free]
    found = linprog(cost, A_eq=matrix, b_eq=slopes, bounds=bounds, method="highs")
    return sign * float(found.fun) if found.status == 0 else -sign * np.inf


def _bounded_least_squares(
    matrix: np.ndarray, slopes: np.ndarray, free_below: np.ndarray, free_above: np.ndarray
) -> np.ndarray:
    """Multipliers within their signs that explain the slopes; columns of unit length."""
    from scipy.optimize import lsq_linear

    bounds = (np.where(free_below, -np.inf, 0.0), np.where(free_above, np.inf, 0.0))
    return lsq_linear(matrix, slopes, bounds=bounds, method="bvls", tol=1e-14).x
