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
        Change of the limit when the bound rises by one unit.
    unit, multiplier_unit : str or None
    weight : float
        Change of the limit over the width of the box: what orders the hints.

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

    def __str__(self) -> str:
        if self.kind == "constraint":
            return self.of
        sign = {"upper bound": "<=", "lower bound": ">=", "fixed value": "=="}[self.kind]
        return f"{self.of} {sign} {self.bound:.6g}"


def active_bounds(law: Any, where: LawRegion, point: np.ndarray, goal: str) -> tuple[ActiveBound, ...]:
    r"""Active bounds and constraints at an optimum with their multipliers, the weightiest first.

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
    The slopes are explained as :math:`g = A^T \lambda + \mu` by least squares
    within the signs that an optimum allows. At a kink the slope that leads out
    of the region counts on a bound, the mean of both sides elsewhere.
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
    found = sign * _bounded_least_squares(matrix, slopes, free_below, free_above)
    unit, size = law.columns_.target_unit, float(np.abs(slopes).max(initial=0.0))
    active = [
        _active_row(where, where.constraints[c], side, value, unit, size)
        for (c, side), value in zip(rows, found[: len(rows)], strict=True)
    ]
    for i, value in zip(bounded, found[len(rows) :], strict=True):
        active.append(_active_column(where, i, at_low[i], at_high[i], value / span[i], unit, size))
    # equal to six digits: in table order, whatever the rounding
    return tuple(sorted(active, key=lambda bound: -float(f"{bound.weight:.6g}")))


def _active_column(
    where: LawRegion, i: int, at_low: bool, at_high: bool, slope: float, unit: str | None, size: float
) -> ActiveBound:
    """Record of one active bound; ``slope`` is per unit of the law."""
    kind = "fixed value" if at_low and at_high else "upper bound" if at_high else "lower bound"
    width = where.high[i] - where.low[i] or where.training_high[i] - where.training_low[i]
    multiplier = float(slope * where.scale[i])
    return ActiveBound(
        kind,
        where.names[i],
        float(where.low[i] if at_low else where.high[i]),
        multiplier,
        where.units[i],
        per_unit(unit, where.units[i]),
        _weight(multiplier * width, size),
    )


def _active_row(
    where: LawRegion, one: LinearConstraint, side: str, multiplier: float, unit: str | None, size: float
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
    weight = _weight(multiplier * width, size)
    return ActiveBound("constraint", str(one), bound, float(multiplier), own, per_unit(unit, own), weight)


def _weight(change: float, size: float) -> float:
    """Change over the width of the box; zero for what is only rounding beside the slopes."""
    return abs(float(change)) if abs(change) > 1e-9 * size else 0.0


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


def _bounded_least_squares(
    matrix: np.ndarray, slopes: np.ndarray, free_below: list[bool], free_above: list[bool]
) -> np.ndarray:
    """Multipliers within their signs that explain the slopes."""
    from scipy.optimize import lsq_linear

    if not matrix.shape[1]:
        return np.empty(0)
    size = max(float(np.abs(slopes).max(initial=0.0)), 1e-300)
    lengths = np.maximum(np.sqrt((matrix**2).sum(axis=0)), 1e-300)
    bounds = (np.where(free_below, -np.inf, 0.0), np.where(free_above, np.inf, 0.0))
    found = lsq_linear(matrix / lengths, slopes / size, bounds=bounds, method="bvls", tol=1e-14)
    return found.x * size / lengths
