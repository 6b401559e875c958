"""Predictions of rows left out against what was measured, each with its interval."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.displays.display import Display
from sozai.displays.style import BLUE, MUTED, VERMILION, axis_label, dress

__all__ = ["IntervalParityDisplay"]


class IntervalParityDisplay(Display):
    """Left-out predictions with intervals; those that miss the measured value are colored.

    Parameters
    ----------
    target : array-like of shape (n_samples,)
        Measured values.
    predictions, lower, upper : array-like of shape (n_samples,)
        By fits that had not seen the row.
    level : float, default=0.9
        Share of the values that the intervals promise to hold.
    name, unit : str
        What the target is called, and its unit.

    See Also
    --------
    sozai.displays.ParityDisplay : A law, fitted and left out.

    Examples
    --------
    >>> shown = IntervalParityDisplay([1.0, 2.0], [1.1, 2.9], [0.8, 2.6], [1.4, 3.2])
    >>> shown.inside.tolist(), round(shown.rmse, 4)
    ([True, False], 0.6403)
    """

    size = (4.6, 4.4)

    def __init__(
        self,
        target: ArrayLike,
        predictions: ArrayLike,
        lower: ArrayLike,
        upper: ArrayLike,
        *,
        level: float = 0.9,
        name: str = "y",
        unit: str | None = None,
    ):
        place = "IntervalParityDisplay"
        self.target = as_vector(target, place=place, argument="target")
        n_samples = len(self.target)
        self.predictions = as_vector(predictions, n_samples, place=place, argument="predictions")
        self.lower, self.upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        self.level, self.name, self.unit = level, name, unit

    @classmethod
    def from_score(cls, score: Any, target: ArrayLike, *, name: str = "y", unit: str | None = None) -> Self:
        """Parity of a record with ``predictions, lower, upper, level``."""
        return cls(
            target, score.predictions, score.lower, score.upper, level=score.level, name=name, unit=unit
        )

    @property
    def inside(self) -> np.ndarray:
        """Whether each measured value lies in its interval."""
        return (self.lower <= self.target) & (self.target <= self.upper)

    @property
    def rmse(self) -> float:
        """Root mean squared error of the left-out predictions."""
        return float(np.sqrt(np.mean((self.target - self.predictions) ** 2)))

    def _draw(self, ax: Any) -> None:
        values = np.concatenate([self.target, self.predictions])
        low, high = float(values.min()), float(values.max())
        pad = 0.08 * ((high - low) or abs(high) or 1.0)
        ends = (low - pad, high + pad)
        ax.plot(ends, ends, color=MUTED, linewidth=1, zorder=1)
        n_samples = len(self.target)
        bars, dots = (0.9, 26) if n_samples <= 300 else (0.4, 9)
        sides = np.array([self.predictions - self.lower, self.upper - self.predictions])
        sides = np.clip(np.nan_to_num(sides, posinf=high - low), 0.0, None)
        share = (
            f"{100 * np.mean(self.inside):.0f} % of {n_samples} in their {100 * self.level:.0f} % interval"
        )
        for which, color, label in ((self.inside, BLUE, share), (~self.inside, VERMILION, "outside")):
            if which.any():
                ax.errorbar(
                    self.target[which], self.predictions[which], yerr=sides[:, which], fmt="none",
                    ecolor=color, elinewidth=bars, alpha=0.45, zorder=2,
                )  # fmt: skip
                ax.scatter(
                    self.target[which], self.predictions[which], s=dots, color=color, linewidths=0,
                    label=label, zorder=3,
                )  # fmt: skip
        ax.set(xlim=ends, ylim=ends, aspect="equal")
        ax.legend(loc="upper left", handletextpad=0.3)
        label = axis_label(self.name, self.unit)
        dress(ax, x=f"measured {label}", y=f"predicted {label}, row left out")
