"""Phases that are intervals of a measured number: the thresholds between them, and their names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.proposals.threshold_proposer import ThresholdProposer

__all__ = ["PhaseGoal"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PhaseGoal:
    """Goal of knowing in which interval of a number every candidate lies.

    Parameters
    ----------
    thresholds : sequence of float
        Ends of the intervals, ascending, in the unit of the results.
    unit : str, optional
        Unit of the thresholds; where the column has another, they are converted.
    transform : {"log"} or None, default=None
        ``"log"`` for numbers that span decades: the model learns their logarithm.
    names : sequence of str, optional
        One more than thresholds; ``"<0.15"``, ``"0.15-0.6"``, ``">0.6"`` when left out.

    Raises
    ------
    InputError
        For thresholds that do not ascend, or are not positive with ``"log"``.

    Examples
    --------
    >>> goal = PhaseGoal([0.15, 0.6], unit="%/h", transform="log")
    >>> goal.names
    ('<0.15', '0.15-0.6', '>0.6')
    >>> goal.phase_of(0.2), goal.loss(0.6)
    ('0.15-0.6', 0.0)
    """

    thresholds: Sequence[float]
    unit: str | None = None
    transform: str | None = None
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        ends = np.atleast_1d(np.asarray(self.thresholds, dtype=np.float64))
        if self.transform not in (None, "log"):
            raise InputError(sentence("PhaseGoal", "transform", "be 'log' or None", self.transform))
        if ends.ndim != 1 or not len(ends) or not np.isfinite(ends).all() or (np.diff(ends) <= 0).any():
            raise InputError(
                sentence("PhaseGoal", "thresholds", "be ascending finite numbers", self.thresholds)
            )
        if self.transform == "log" and ends[0] <= 0:
            raise InputError(
                sentence("PhaseGoal", "thresholds", "be positive with transform='log'", float(ends[0]))
            )
        words = [f"{end:g}" for end in ends]
        middle = [f"{low}-{high}" for low, high in itertools.pairwise(words)]
        names = tuple(self.names) or (f"<{words[0]}", *middle, f">{words[-1]}")
        if len(names) != len(ends) + 1 or len(set(names)) < len(names):
            raise InputError(
                sentence("PhaseGoal", "names", f"be {len(ends) + 1} different names", list(names))
            )
        object.__setattr__(self, "thresholds", tuple(float(end) for end in ends))
        object.__setattr__(self, "names", names)

    def phase_of(self, value: float) -> str:
        """Name of the interval of a value; a threshold belongs to the interval above."""
        return str(self.names[int(np.searchsorted(self.thresholds, value, side="right"))])

    def loss(self, value: float) -> float:
        """Distance from the nearest threshold, in the scale of the model."""
        if self.transform == "log" and value <= 0:
            return float("inf")
        scaled, ends = self.to_model(np.array([value])), self.to_model(np.array(self.thresholds))
        return float(np.abs(scaled - ends).min())

    def to_model(self, values: Array) -> Array:
        """Values or their logarithms."""
        return np.log(values) if self.transform == "log" else np.asarray(values, dtype=np.float64)

    def in_unit(self, unit: str | None) -> PhaseGoal:
        """The same goal for results in another unit."""
        from sozai.contracts.units import convert

        if self.unit is None or unit is None or unit == self.unit:
            return self
        ends = [float(convert(end, self.unit, unit)) for end in self.thresholds]
        return PhaseGoal(ends, unit, self.transform, self.names)

    def proposer(self) -> ThresholdProposer:
        """Who chooses where a campaign has this goal and no proposer."""
        from sozai.proposals.threshold_proposer import ThresholdProposer

        return ThresholdProposer()
