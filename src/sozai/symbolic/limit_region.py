"""The box and the constraints a limit is sought in: read in the user's units, handed over in the law's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.units import convert, split_unit
from sozai.symbolic.effects import require_law, unit_map
from sozai.symbolic.formulas.global_maximum import Region
from sozai.symbolic.formulas.linear_constraints import LinearConstraint, read_constraints

__all__ = ["LawRegion", "read_region"]


@dataclass(frozen=True, eq=False)
class LawRegion:
    r"""Where a law is to be maximized.

    Attributes
    ----------
    names : tuple of str
        Columns that occur in the law or in a constraint, in table order.
    columns : tuple of int
        Their column numbers.
    units : tuple of str or None
        Units of the table the law was fitted to.
    scale, offset : ndarray of shape (n_variables,)
        Value in the law's unit = scale * value in the table's unit + offset.
    low, high : ndarray of shape (n_variables,)
        The box, in the table's units.
    training_low, training_high : ndarray of shape (n_variables,)
        What the law has seen, in the table's units.
    constraints : tuple of LinearConstraint
        In the table's units.
    region : Region
        Box and constraints in the law's units.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic import SymbolicRegressor
    >>> X = np.random.default_rng(0).uniform(1, 2, (20, 2))
    >>> law = SymbolicRegressor().fit(X, X[:, 0] * X[:, 1])
    >>> read_region(law, {"x0": (1.2, 1.4)}, "x0 + x1 <= 3", place="limits").low[0]
    np.float64(1.2)
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]
    units: tuple[str | None, ...]
    scale: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray
    training_low: np.ndarray
    training_high: np.ndarray
    constraints: tuple[LinearConstraint, ...]
    region: Region

    def snapped(self, x: np.ndarray) -> np.ndarray:
        """Point in the law's units; what lies on a bound up to rounding is exactly that bound."""
        return self._snapped(x, x, self.region.low, self.region.high)

    def as_given(self, x: np.ndarray) -> np.ndarray:
        """Point in the table's units; what lies on a bound up to rounding is exactly that bound."""
        return self._snapped(x, (x - self.offset) / self.scale, self.low, self.high)

    def _snapped(self, x: np.ndarray, shown: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """``shown``, and ``low`` or ``high`` where ``x`` lies beside an end of the box."""
        rounding = 1e-12 * self.region.width
        shown = np.where(x - self.region.low <= rounding, low, shown)
        return np.where(self.region.high - x <= rounding, high, shown)

    @property
    def wider(self) -> tuple[str, ...]:
        """One text for every variable whose interval leaves the training data."""
        slack = 1e-9 * np.maximum(self.training_high - self.training_low, np.abs(self.training_high))
        found = []
        for i, name in enumerate(self.names):
            below = self.low[i] < self.training_low[i] - slack[i]
            above = self.high[i] > self.training_high[i] + slack[i]
            if below or above:
                unit = f" {self.units[i]}" if self.units[i] else ""
                given = f"{self.low[i]:.6g} to {self.high[i]:.6g}{unit}"
                seen = f"{self.training_low[i]:.6g} to {self.training_high[i]:.6g}{unit}"
                found.append(f"{name} from {given}, seen from {seen}")
        return tuple(found)

    def full_rows(self, law: Any, points: np.ndarray) -> np.ndarray:
        """Rows of all primary columns in the law's units; columns that do not act are in their middle."""
        middle = 0.5 * law.domain_.low + 0.5 * law.domain_.high
        rows = np.repeat(middle[None], len(points), axis=0)
        rows[:, list(self.columns)] = points
        return rows


def read_region(law: Any, domain: Any, constraints: Any, *, place: str) -> LawRegion:
    """Read the box and the constraints of a question about a fitted law.

    Parameters
    ----------
    law : SymbolicRegressor
        Fitted.
    domain : mapping of str to (low, high) or float, optional
        Interval of a column, or the one value it is held at. A key is a name,
        or a label with unit such as ``"base [mm]"``. Columns that are not named
        keep their training interval.
    constraints : str, LinearConstraint, tuple, or a sequence of these
    place : str
        Who asks, for the message.

    Raises
    ------
    InputError
        An unknown column, an interval that is empty or not finite, a
        constraint that is not linear.
    UnitError
        A unit that does not fit the column.
    """
    require_law(law, place)
    columns = law.columns_
    limits = read_constraints(constraints, columns.names, place=place)
    given = _read_domain(columns, domain, place)
    store = law.expressions_
    used = {column for node in law._ids(law.model_).tolist() for column in store.columns_of(node)}
    used |= {columns.names.index(name) for limit in limits for name in limit.coefficients}
    order = sorted(used)
    names = tuple(columns.names[j] for j in order)
    affine = np.array([unit_map(columns, name) for name in names]).reshape(-1, 2)
    scale, offset = affine[:, 0], affine[:, 1]
    seen_low = (law.domain_.low[order] - offset) / scale
    seen_high = (law.domain_.high[order] - offset) / scale
    low = np.array([given[n][0] if n in given else seen_low[i] for i, n in enumerate(names)])
    high = np.array([given[n][1] if n in given else seen_high[i] for i, n in enumerate(names)])
    keep = np.array([name in given for name in names], dtype=bool)
    return LawRegion(
        names=names,
        columns=tuple(order),
        units=tuple(columns.given_units[name] for name in names),
        scale=scale,
        offset=offset,
        low=low,
        high=high,
        training_low=seen_low,
        training_high=seen_high,
        constraints=limits,
        region=_region(
            names,
            np.where(keep, scale * low + offset, law.domain_.low[order]),
            np.where(keep, scale * high + offset, law.domain_.high[order]),
            limits,
            scale,
            offset,
        ),
    )


def _region(
    names: tuple[str, ...],
    low: np.ndarray,
    high: np.ndarray,
    constraints: Sequence[LinearConstraint],
    scale: np.ndarray,
    offset: np.ndarray,
) -> Region:
    """Box and constraints in the law's units: sum a u = sum (a / scale) x - sum a offset / scale."""
    matrix = np.array([[one.coefficients.get(name, 0.0) for name in names] for one in constraints])
    matrix = matrix.reshape(len(constraints), len(names)) / scale
    shift = matrix @ offset
    sides = np.array([(one.low, one.high) for one in constraints], dtype=np.float64).reshape(-1, 2)
    return Region(
        np.ascontiguousarray(low, dtype=np.float64),
        np.ascontiguousarray(high, dtype=np.float64),
        np.ascontiguousarray(matrix, dtype=np.float64),
        sides[:, 0] + shift,
        sides[:, 1] + shift,
    )


def _read_domain(columns: Any, domain: Any, place: str) -> dict[str, tuple[float, float]]:
    """Intervals by name, in the table's units."""
    if domain is None:
        return {}
    if not isinstance(domain, Mapping):
        raise InputError(
            sentence(
                place,
                "domain",
                "map columns to (low, high)",
                domain,
                remedy="Write for example {'base': (0, 2)}, or leave it out for the training ranges.",
            )
        )
    found: dict[str, tuple[float, float]] = {}
    for key, value in domain.items():
        name, unit = _column(columns, str(key), place)
        if name in found:
            raise InputError(
                sentence(place, "domain", "name every column once", str(key), remedy="Remove one of the two.")
            )
        low, high = _interval(value, str(key), place)
        given = columns.given_units[name]
        if unit is not None and unit != given:
            if given is None:
                raise UnitError(
                    sentence(
                        place,
                        f"domain[{key!r}]",
                        "have no unit, as in the table",
                        unit,
                        remedy=f"Write {name!r}.",
                    )
                )
            low, high = (float(v) for v in convert(np.array([low, high]), unit, given))
        found[name] = (low, high)
    return found


def _column(columns: Any, key: str, place: str) -> tuple[str, str | None]:
    """Name of the column a key stands for, and the unit the key names."""
    if key in columns.names:
        return key, None
    if key in columns.labels:
        return columns.names[columns.labels.index(key)], None
    name, unit = split_unit(key)
    if name in columns.names:
        return name, unit
    near = get_close_matches(name, columns.names, n=3)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Check the spelling."
    raise InputError(
        sentence(place, "domain", f"name columns of the law ({', '.join(columns.names)})", key, remedy=remedy)
    )


def _interval(value: Any, key: str, place: str) -> tuple[float, float]:
    """Interval, or the value a column is held at."""
    try:
        ends = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        ends = np.empty(0)
    low, high = (ends[0], ends[-1]) if ends.shape in ((1,), (2,)) else (np.nan, np.nan)
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise InputError(
            sentence(
                place,
                f"domain[{key!r}]",
                "be finite (low, high) with low <= high, or one number",
                value,
                remedy="Write the smallest value first.",
            )
        )
    return float(low), float(high)
