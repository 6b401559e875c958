"""How far a law can go: its certified optimum over a box, what holds it back, and by how much."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, sentence
from sozai.symbolic.formulas.global_maximum import Maximum, maximize
from sozai.symbolic.formulas.grammar import parse_into
from sozai.symbolic.formulas.law_program import LawProgram, compile_law
from sozai.symbolic.formulas.singular_places import grows_without_bound, singular_point
from sozai.symbolic.limit_multipliers import ActiveBound, active_bounds
from sozai.symbolic.limit_region import LawRegion, read_region

__all__ = ["ActiveBound", "Limit", "limits", "mean_interval"]

_LEVEL = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class Limit:
    r"""Largest or smallest value of a law inside a region, with bounds that hold.

    Attributes
    ----------
    goal : {"max", "min"}
    value : float
        The law at ``x``; infinite where it grows without bound.
    lower, upper : float
        No point of the region lies outside these on the side of the goal, and
        the other one is attained: for a maximum ``lower`` at ``x``, for a
        minimum ``upper``.
    x : dict of str to float
        Where, in the units of the table. Columns that do not occur in the law
        are left out: they may have any value.
    active : tuple of ActiveBound
        Bounds and constraints on which ``x`` lies, the most important first.
    interval : (float, float)
        95 % interval of the mean of the law at ``x``, from the errors of its coefficients.
    applicable : bool
        The region and ``x`` lie inside what the law has seen.
    reasons : tuple of str
        Why not, and why a bound is not finite.
    complete : bool
        The bounds differ by no more than the tolerance.
    n_boxes : int
        Boxes looked at.
    target, unit, formula : str or None
    units : dict of str to str or None
    domain, training : dict of str to (float, float)
        The region's box, and what the law has seen, in the units of the table.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sozai.symbolic import SymbolicRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"base": rng.uniform(0, 3, 30), "height": rng.uniform(0, 3, 30)})
    >>> law = SymbolicRegressor().fit(X, (X["base"] * X["height"] / 2).rename("area"))
    >>> found = limits(law, {"base": (1, 2), "height": (1, 2.5)})
    >>> found
    Limit(max area = 2.5 at base = 2, height = 2.5; bound 2.5)
    >>> {bound: round(value, 6) for bound, value in found.multipliers.items()}
    {'height <= 2.5': 1.0, 'base <= 2': 1.25}
    """

    goal: str
    value: float
    lower: float
    upper: float
    x: dict[str, float]
    active: tuple[ActiveBound, ...]
    interval: tuple[float, float]
    applicable: bool
    reasons: tuple[str, ...]
    complete: bool
    n_boxes: int
    target: str | None
    unit: str | None
    formula: str
    units: dict[str, str | None]
    domain: dict[str, tuple[float, float]]
    training: dict[str, tuple[float, float]]

    @property
    def multipliers(self) -> dict[str, float]:
        """Change of the limit when one bound or right side alone rises by one unit, as it relaxes."""
        return {str(bound): bound.multiplier for bound in self.active}

    @property
    def bound(self) -> float:
        """The certified end: nothing in the region goes beyond it."""
        return self.upper if self.goal == "max" else self.lower

    @property
    def hint(self) -> str:
        """What to move, and what it brings, in words."""
        if not np.isfinite(self.value):
            return ""
        acting = [bound for bound in self.active if bound.weight > 0]
        if not acting and self.active:
            touched = ", ".join(map(str, self.active))
            moves = [abs(move) for bound in self.active for move in (bound.raised, bound.lowered)]
            if any(0 < move < np.inf for move in moves):
                wanted = self.target or "the target"
                return (
                    f"Several bounds meet here ({touched}); no single one limits {wanted}, "
                    "several would have to move together."
                )
            return f"It lies on {touched}, but moving one of these alone brings nothing near it."
        if not acting:
            return (
                "No bound holds it: the limit lies inside the region, and a wider one brings nothing near it."
            )
        parts = [self._said(bound) for bound in acting]
        name = acting[0].of if acting[0].kind != "constraint" else f"the constraint {acting[0].of}"
        parts[0] += f": {name} is what limits {self.target or 'the target'}"
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."

    def _said(self, bound: ActiveBound) -> str:
        """One bound in words."""
        up = (bound.multiplier > 0) == (self.goal == "max")
        what = "bound of the constraint" if bound.kind == "constraint" else f"{bound.kind} of"
        step = f"1 {bound.unit}" if bound.unit else "1"
        gain = f"{abs(bound.multiplier):.4g}{f' {self.unit}' if self.unit else ''}"
        effect = "raises" if self.goal == "max" else "lowers"
        return (
            f"{'raising' if up else 'lowering'} the {what} {bound.of} by {step} {effect} the limit by {gain}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a column, then one a constraint: place, interval, and multipliers of what is active."""
        by_name = {bound.of: bound for bound in self.active}
        rows = []
        for name, value in self.x.items():
            low, high = self.domain[name]
            rows.append({"name": name, "unit": self.units[name], "at": value, "low": low, "high": high})
        rows += [
            {"name": bound.of, "unit": bound.unit, "at": bound.bound}
            for bound in self.active
            if bound.kind == "constraint"
        ]
        for row in rows:
            bound = by_name.get(row["name"])
            row["active"] = bound.kind if bound else ""
            row["multiplier"] = bound.multiplier if bound else 0.0
            row["multiplier_unit"] = bound.multiplier_unit if bound else None
        columns = ["name", "unit", "at", "low", "high", "active", "multiplier", "multiplier_unit"]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        place = ", ".join(f"{name} = {_with_unit(v, self.units[name])}" for name, v in self.x.items())
        note = "" if self.applicable else "; extrapolated"
        return (
            f"Limit({self.goal} {self.target or 'y'} = {self.value:.6g}{unit}"
            f"{f' at {place}' if place else ''}; bound {self.bound:.6g}{unit}{note})"
        )

    def __str__(self) -> str:
        return "\n".join(text for text in (repr(self), self.hint, *self.reasons) if text)


def limits(
    law: Any,
    domain: Any = None,
    constraints: Any = (),
    goal: str = "max",
    *,
    tolerance: float = 1e-6,
    max_boxes: float = 1e5,
    progress: Callable[[int, int], object] | None = None,
) -> Limit:
    r"""Certified optimum of a fitted law over a box and linear constraints.

    Parameters
    ----------
    law : SymbolicRegressor
        Fitted.
    domain : dict of str to (low, high) or float, optional
        Interval of a column, or the value it is held at, in the unit of the
        table; a key may carry another unit: ``{"base [mm]": (0, 20)}``.
        Columns that are not named keep their training interval.
    constraints : str, (coefficients, low, high), or a sequence of these
        ``"x_A + x_B == 1"``, ``"2*a + b <= 3"``, ``({"a": 2, "b": 1}, 0, 3)``;
        numbers in the units of the table.
    goal : {"max", "min"}, default="max"
    tolerance : float, default=1e-6
        The search ends when its two bounds differ by this share of the range
        of the target.
    max_boxes : float, default=1e5
        Boxes after which it ends in any case, with both bounds as they are then.
    progress : callable, optional
        Gets the number of boxes and ``max_boxes``.

    Returns
    -------
    Limit

    Raises
    ------
    InputError
        Unknown columns, empty intervals, constraints that are not linear or
        leave nothing of the box, a law that is not defined in it.

    Warns
    -----
    ExtrapolationWarning
        The box is wider than the training data.
    ConvergenceWarning
        The bounds are farther apart than the tolerance, or not finite.

    Notes
    -----
    Branch and bound [1]_: each box of the region gets an upper bound from
    interval arithmetic, rounded outwards, and the best one is cut in two, until
    the best bound and the best value found agree. The bounds are for the law
    with the coefficients as they are; what those are worth says ``interval``.
    Constraints count as met within 1e-12 of the size of their terms.

    Multipliers are those of Karush, Kuhn and Tucker at ``x``: with slopes
    :math:`g`, active constraints :math:`A` and active bounds,
    :math:`g = A^T \lambda + \mu`, :math:`\lambda` and :math:`\mu` the change of
    the limit with every right side and bound. Where more bounds meet than there
    are directions these are not unique, and each counts with what its bound
    brings alone, the smallest that solves the equation [2]_. At a kink the slope
    out of the region counts.

    Where a singular point lies in the box, the limit may not be finite:
    ``value`` and the bound are then infinite, or, where the law stays finite
    but no bound could be certified, the bound alone; ``reasons`` says which
    part of the law is singular where. Cost: about ten microseconds a box.
    Laws of two to four columns take up to a few thousand boxes; from six
    columns on the tolerance may be out of reach, and the bounds say by how much.

    References
    ----------
    .. [1] E. Hansen, G. W. Walster, Global Optimization Using Interval Analysis (2004).
    .. [2] J. F. Bonnans, A. Shapiro, Perturbation Analysis of Optimization Problems (2000).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic import SymbolicRegressor
    >>> X = np.random.default_rng(0).uniform(0, 1, (30, 2))
    >>> law = SymbolicRegressor().fit(X, X[:, 0] * X[:, 1])
    >>> round(limits(law, {"x0": (0.1, 0.9), "x1": (0.1, 0.9)}, "x0 + x1 == 1").value, 6)
    0.25
    """
    _check(goal, tolerance, max_boxes)
    where = read_region(law, domain, constraints, place="limits")
    sign = 1.0 if goal == "max" else -1.0
    model = law.model_
    program = compile_law(
        law.expressions_,
        law._ids(model),
        sign * model.coefficients,
        sign * model.intercept,
        columns=where.columns,
    )
    size = max(float(np.abs(model.target).max()), float(np.ptp(model.target)))
    found = maximize(
        program,
        where.region,
        tolerance=max(tolerance * float(np.ptp(model.target)), 1e-13 * size),
        max_boxes=max_boxes,
        progress=None if progress is None else lambda count, _low, _high: progress(count, int(max_boxes)),
    )
    _require_point(found, where)
    limit = _limit(law, where, program, found, goal)
    _warn(limit, where, max_boxes)
    return limit


def _check(goal: str, tolerance: float, max_boxes: float) -> None:
    """Refuse arguments outside their range."""
    if goal not in ("max", "min"):
        raise InputError(sentence("limits", "goal", "be 'max' or 'min'", goal, remedy="Choose one of them."))
    if not 0 < tolerance < 1:
        raise InputError(
            sentence("limits", "tolerance", "lie between 0 and 1", tolerance, remedy="Use 1e-6.")
        )
    if not 1 <= max_boxes <= 1e8:
        raise InputError(
            sentence("limits", "max_boxes", "lie between 1 and 1e8", max_boxes, remedy="Use 1e5.")
        )


def _require_point(found: Maximum, where: LawRegion) -> None:
    """Say why there is no point: the constraints exclude each other, or the law is not defined."""
    if found.empty:
        shown = ", ".join(map(str, where.constraints))
        raise InputError(
            sentence(
                "limits",
                "constraints",
                "leave some of the domain",
                shown,
                at=f"in {_box_text(where)}",
                remedy="Widen the domain or drop a constraint.",
            )
        )
    if found.x is None:
        raise InputError(
            sentence(
                "limits",
                "the law",
                "be defined at some point of the domain",
                _box_text(where),
                remedy="Choose a domain in which its roots, logarithms and divisions exist.",
            )
        )


def _box_text(where: LawRegion) -> str:
    """The box as text."""
    return ", ".join(
        f"{name} {where.low[i]:.6g} to {_with_unit(where.high[i], where.units[i])}"
        for i, name in enumerate(where.names)
    )


def _limit(law: Any, where: LawRegion, program: LawProgram, found: Maximum, goal: str) -> Limit:
    """Record of what was found, in the units of the table."""
    sign = 1.0 if goal == "max" else -1.0
    point, infinite, why = where.snapped(found.x), False, ()
    if not np.isfinite(found.upper):
        place = singular_point(program, where.region, *found.singular)
        infinite = grows_without_bound(program, where.region, place)
        why = (_why_not_finite(law, where, place, infinite),)
        point = place if infinite else point
    value, interval, outside = sign * np.inf, (np.nan, np.nan), ""
    if not infinite:
        rows = where.full_rows(law, point[None])
        terms = law.expressions_.evaluate(law._ids(law.model_), rows)
        value, outside = float(law.model_.predict(terms)[0]), law._reasons(rows, terms)[0]
        interval = mean_interval(law.model_, terms[0], value)
    lower, upper = sorted((sign * found.lower, sign * found.upper))
    return Limit(
        goal=goal,
        value=value if infinite else float(np.clip(value, lower, upper)),
        lower=lower,
        upper=upper,
        x=dict(zip(where.names, where.as_given(point).tolist(), strict=True)),
        active=() if infinite else active_bounds(law, where, point, goal),
        interval=interval,
        applicable=not (where.wider or outside or infinite),
        reasons=(
            *(f"The domain is wider than the training data: {text}." for text in where.wider),
            *why,
            *([f"The law has not been tested at this point: {outside}."] if outside else []),
        ),
        complete=found.complete,
        n_boxes=found.n_boxes,
        target=law.columns_.target,
        unit=law.columns_.target_unit,
        formula=law.formula_,
        units=dict(zip(where.names, where.units, strict=True)),
        domain=_intervals(where.names, where.low, where.high),
        training=_intervals(where.names, where.training_low, where.training_high),
    )


def _intervals(names: Any, low: np.ndarray, high: np.ndarray) -> dict[str, tuple[float, float]]:
    """Intervals by name."""
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}


def mean_interval(model: Any, terms: np.ndarray, value: float) -> tuple[float, float]:
    """Student interval of the mean of the law where its terms have these values, 95 %."""
    row = np.concatenate([[1.0], terms])
    freedom = max(len(model.fitted) - model.n_parameters, 1)
    variance = model.residual_variance * max(float(row @ model.covariance @ row), 0.0)
    half = float(student.ppf((1 + _LEVEL) / 2, freedom) * np.sqrt(variance))
    return value - half, value + half


def _warn(limit: Limit, where: LawRegion, max_boxes: float) -> None:
    """Warn about extrapolation, bounds that are apart, and bounds that are not finite."""
    if where.wider:
        warnings.warn(
            f"limits: the domain is wider than the training data ({'; '.join(where.wider)}), so the limit "
            "is an extrapolation.",
            ExtrapolationWarning,
            stacklevel=3,
        )
    if not np.isfinite(limit.bound):
        text = next(reason for reason in limit.reasons if "finite" in reason)
        warnings.warn(f"limits: {text}", ConvergenceWarning, stacklevel=3)
    elif not limit.complete:
        warnings.warn(
            f"limits: after {limit.n_boxes} boxes the {limit.goal}imum is known to lie between "
            f"{limit.lower:.6g} and {limit.upper:.6g} only. Raise max_boxes (now {max_boxes:.0f}), narrow "
            "the domain, or take a larger tolerance.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _why_not_finite(law: Any, where: LawRegion, place: np.ndarray, infinite: bool) -> str:
    """Which part of the law is singular where."""
    rows = where.full_rows(law, place[None])
    parts = []
    for kind, text, smallest, _ in law.domain_.guards:
        if kind == "singular":
            argument = law.expressions_.evaluate([parse_into(law.expressions_, text)], rows)[0, 0]
            if abs(argument) <= 1e-9 * max(smallest, 1e-3 * float(np.abs(rows).max())):
                parts.append(text)
    given = where.as_given(place)
    at = ", ".join(f"{name} = {_with_unit(given[i], where.units[i])}" for i, name in enumerate(where.names))
    cause = f"{' and '.join(dict.fromkeys(parts))} reaches 0" if parts else "the law overflows"
    start = "The limit is not finite" if infinite else "No finite bound could be certified"
    return f"{start}: {cause} at {at}, inside the domain. Narrow the domain."


def _with_unit(value: float, unit: str | None) -> str:
    """Number with its unit."""
    return f"{value:.6g}{f' {unit}' if unit else ''}"
