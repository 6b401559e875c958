"""What is wanted of a result: as large, as small, as near to a value or within a range as can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.unit_headers import split_unit

__all__ = ["Objective", "Range", "Target", "as_objectives", "in_units_of"]

_WORDS = {"maximize": "maximize", "maximise": "maximize", "max": "maximize"}
_WORDS |= {"minimize": "minimize", "minimise": "minimize", "min": "minimize"}


@dataclass(frozen=True, slots=True)
class Target:
    """Results as near to one value as can be.

    Parameters
    ----------
    value : float
        In the unit of the objective.

    Examples
    --------
    >>> Target(300.0).loss(297.5)
    2.5
    """

    value: float

    def __post_init__(self) -> None:
        _require_finite("Target", "value", self.value)

    def loss(self, value: float) -> float:
        """Distance from the wanted value."""
        return abs(value - self.value)


@dataclass(frozen=True, slots=True)
class Range:
    """Results between two values.

    Parameters
    ----------
    low, high : float
        In the unit of the objective; one of them may be infinite.

    Examples
    --------
    >>> Range(1.0, 2.0).loss(2.5), Range(1.0, 2.0).loss(1.5)
    (0.5, 0.0)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
                raise InputError(sentence("Range", name, "be a number", value))
        if not self.low < self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise InputError(
                sentence("Range", "low", f"lie below high ({self.high!r}), one of them finite", self.low,
                         remedy="Use Target(value) for a single value.")
            )  # fmt: skip

    def loss(self, value: float) -> float:
        """Distance from the range, 0 inside."""
        return max(self.low - value, value - self.high, 0.0)


@dataclass(frozen=True, slots=True)
class Objective:
    """One result column and what is wanted of it.

    Parameters
    ----------
    name : str
        Column of the table; a unit in brackets is split off, ``"Tc [K]"``.
    goal : {"maximize", "minimize"}, Target or Range
        What is wanted. Any other object with a method ``loss(value)`` serves too.
    unit : str, optional
        Unit of the results; taken from the name when left out.
    noise : float, optional
        Known standard deviation of one result, in that unit.

    Raises
    ------
    InputError
        For an unknown goal or a noise that is negative.
    UnitError
        When the unit in the name and ``unit`` differ.

    Examples
    --------
    >>> Objective("Tc [K]", "maximize")
    Objective('Tc', maximize, unit 'K')
    >>> objective = Objective("gap", Target(1.4), unit="eV")
    >>> objective.sign, objective.loss(1.5)
    (1, 0.10000000000000009)
    >>> Objective("E", "minimize").better(1.0, 2.0)
    True
    """

    name: str
    goal: Any = "maximize"
    unit: str | None = None
    noise: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(
                sentence("Objective", "name", "be text", self.name, remedy="Write the header of its column.")
            )
        name, unit = split_unit(self.name)
        if unit is not None and self.unit is not None and unit != self.unit:
            raise UnitError(
                sentence("Objective", "unit", f"be the one in the name ({unit!r})", self.unit,
                         remedy="Write the unit once.")
            )  # fmt: skip
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "unit", unit if unit is not None else self.unit)
        object.__setattr__(self, "goal", self._checked_goal())
        if self.noise is not None:
            _require_finite("Objective", "noise", self.noise)
            if self.noise < 0:
                raise InputError(sentence("Objective", "noise", "be 0 or more", self.noise))

    def _checked_goal(self) -> Any:
        """The goal as an object or one of the two words."""
        if isinstance(self.goal, str):
            if self.goal in _WORDS:
                return _WORDS[self.goal]
        elif callable(getattr(self.goal, "loss", None)) and not isinstance(self.goal, type):
            return self.goal
        raise InputError(
            sentence("Objective", "goal", "be 'maximize', 'minimize', Target(value) or Range(low, high)",
                     self.goal, at=f"for {self.name!r}")
        )  # fmt: skip

    @property
    def sign(self) -> int:
        """+1, or -1 where small is good; +1 for a goal that is an object."""
        return -1 if self.goal == "minimize" else 1

    @property
    def label(self) -> str:
        """Name with its unit, as a header."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def loss(self, value: float) -> float:
        """How far a value is from what is wanted: the smaller the better."""
        if isinstance(self.goal, str):
            return -self.sign * value
        return float(self.goal.loss(value))

    def better(self, left: float, right: float) -> bool:
        """Whether the left value serves the goal better."""
        return self.loss(left) < self.loss(right)

    def __repr__(self) -> str:
        goal = self.goal if isinstance(self.goal, str) else repr(self.goal)
        parts = [repr(self.name), goal]
        parts += [f"unit {self.unit!r}"] if self.unit is not None else []
        parts += [f"noise {self.noise!r}"] if self.noise is not None else []
        return f"Objective({', '.join(parts)})"


def as_objectives(objectives: Any, *, place: str) -> tuple[Objective, ...]:
    """Objectives from objects, names or one of either.

    Parameters
    ----------
    objectives : Objective, str or sequence of them
        A name alone is maximized.
    place : str
        Who asks, for the message.

    Returns
    -------
    tuple of Objective

    Raises
    ------
    InputError
        For no objective at all, another type, or a name that comes twice.

    Examples
    --------
    >>> as_objectives(["Tc [K]", Objective("cost", "minimize")], place="Campaign")
    (Objective('Tc', maximize, unit 'K'), Objective('cost', minimize))
    """
    given = [objectives] if isinstance(objectives, (str, Objective)) else list(objectives)
    found = []
    for entry in given:
        if not isinstance(entry, (str, Objective)):
            raise InputError(
                sentence(place, "objectives", "be Objective objects or names", entry,
                         remedy="Write Objective('Tc [K]', goal='maximize').")
            )  # fmt: skip
        found.append(Objective(entry) if isinstance(entry, str) else entry)
    names = [objective.name for objective in found]
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if not found or twice is not None:
        wanted = "hold at least one objective" if not found else "have different names"
        raise InputError(sentence(place, "objectives", wanted, given if not found else twice))
    return tuple(found)


def in_units_of(objectives: Sequence[Objective], table: Any) -> tuple[Objective, ...]:
    """Objectives without a unit take the one in the header of their column.

    Parameters
    ----------
    objectives : sequence of Objective
    table : DataFrame or anything else
        What has no columns names no units.

    Returns
    -------
    tuple of Objective

    Examples
    --------
    >>> import pandas as pd
    >>> in_units_of([Objective("Tc")], pd.DataFrame(columns=["x", "Tc (K)"]))
    (Objective('Tc', maximize, unit 'K'),)
    """
    headers = [split_unit(str(header)) for header in getattr(table, "columns", ())]
    units = {name: unit for name, unit in reversed(headers) if unit is not None}
    plain = {name for name, unit in headers if unit is None}
    return tuple(
        o if o.unit is not None or o.name in plain else replace(o, unit=units.get(o.name)) for o in objectives
    )


def _require_finite(place: str, argument: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(sentence(place, argument, "be a finite number", value))
