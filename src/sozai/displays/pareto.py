"""Pareto front: accuracy against complexity, the choice that remains yours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.displays.display import Display
from sozai.displays.style import BLUE, INK, MUTED, VERMILION, axis_label, dress, readable

__all__ = ["ParetoDisplay"]


class ParetoDisplay(Display):
    """Error of every ranked law against its complexity, with the front that no law beats.

    Parameters
    ----------
    complexity : array-like of shape (n_models,)
        Leaves plus operator weights.
    error : array-like of shape (n_models,)
        Leave-one-out error, or any error.
    labels : sequence of str, optional
        Short names; written beside the front.
    chosen : int, optional
        Index of the law that was kept.
    error_name, unit : str
        What the error is, and its unit.

    Examples
    --------
    >>> ParetoDisplay([3, 5, 6, 9], [0.5, 0.2, 0.3, 0.1]).front.tolist()
    [0, 1, 3]
    """

    size = (6.2, 3.8)

    def __init__(
        self,
        complexity: ArrayLike,
        error: ArrayLike,
        *,
        labels: Sequence[str] | None = None,
        chosen: int | None = None,
        error_name: str = "leave-one-out RMSE",
        unit: str | None = None,
    ):
        self.complexity = as_vector(complexity, place="ParetoDisplay", argument="complexity")
        self.error = np.asarray(error, dtype=float)
        self.labels = None if labels is None else [str(label) for label in labels]
        self.chosen, self.error_name, self.unit = chosen, error_name, unit

    @classmethod
    def from_models(cls, models: Any, *, chosen: int | None = None, unit: str | None = None) -> Self:
        """Front of a list of models with ``complexity`` and ``rmse_loo``, labelled by their rank in it."""
        labels = [str(rank) for rank in range(1, len(models) + 1)]
        complexity = [model.complexity for model in models]
        return cls(complexity, [model.rmse_loo for model in models], labels=labels, chosen=chosen, unit=unit)

    @property
    def front(self) -> np.ndarray:
        """Indices of the laws with no law both simpler and better, from simple to complex."""
        error = np.where(np.isfinite(self.error), self.error, np.inf)
        order = np.lexsort((error, self.complexity))
        best = np.minimum.accumulate(np.concatenate([[np.inf], error[order][:-1]]))
        return order[error[order] < best]

    def _draw(self, ax: Any) -> None:
        front = self.front
        ax.scatter(
            self.complexity, self.error, s=16, color=MUTED, alpha=0.5, linewidths=0, label="ranked laws"
        )
        ax.plot(
            self.complexity[front],
            self.error[front],
            "o-",
            color=BLUE,
            drawstyle="steps-post",
            label="nothing better",
        )
        if self.chosen is not None:
            place = (self.complexity[self.chosen], self.error[self.chosen])
            ax.scatter(
                *place, s=120, facecolors="none", edgecolors=VERMILION, linewidths=1.8, label="kept", zorder=4
            )
        if self.labels is not None:
            for k in front:
                place = (self.complexity[k], self.error[k])
                text = readable(self.labels[k], 20)
                ax.annotate(text, place, (5, 5), textcoords="offset points", fontsize=8, color=INK)
        # Laws far above the front would press it flat; they say nothing here.
        worst = [self.error[self.chosen]] if self.chosen is not None else []
        ax.set_ylim(0, 1.4 * max([*self.error[front], *worst], default=1.0) or 1.0)
        ax.margins(x=0.15)
        ax.legend(loc="upper right")
        dress(ax, x="complexity (leaves + operations)", y=axis_label(self.error_name, self.unit))
