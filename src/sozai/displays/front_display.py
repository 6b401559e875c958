"""Front of several objectives: results that no other beats, and what the proposals are expected to add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, INK, MUTED, VERMILION, axis_label, dress, readable

__all__ = ["FrontDisplay"]


class FrontDisplay(Display):
    """Results of two objectives, the front of the best compromises, and proposals with their errors.

    Parameters
    ----------
    values : array-like of shape (n, 2)
        Results.
    on_front : array-like of bool of shape (n,)
        Results that no other beats in both objectives.
    mean, std : array-like of shape (m, 2), optional
        Predictions for proposals.
    names : sequence of str
        The objectives.
    units : sequence of (str or None), optional
    goals : sequence of str, optional
        In words, for the axes: ``"max"``.
    labels : sequence of str, optional
        Of the proposals.

    Examples
    --------
    >>> shown = FrontDisplay([[1, 3], [2, 2], [1, 1]], [True, True, False], names=["a", "b"])
    >>> shown.front.tolist()
    [[1.0, 3.0], [2.0, 2.0]]
    """

    size = (5.4, 4.2)

    def __init__(
        self,
        values: ArrayLike,
        on_front: ArrayLike,
        mean: ArrayLike | None = None,
        std: ArrayLike | None = None,
        *,
        names: Sequence[str],
        units: Sequence[str | None] | None = None,
        goals: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
    ):
        self.values = np.asarray(values, dtype=float)
        if self.values.ndim != 2 or self.values.shape[1] != 2 or len(names) != 2:
            raise InputError(
                sentence("FrontDisplay", "values", "have two columns, one a name", self.values.shape,
                         remedy="Choose two of the objectives.")
            )  # fmt: skip
        self.on_front = np.asarray(on_front, dtype=bool)
        if self.on_front.shape != (len(self.values),):
            raise InputError(
                sentence("FrontDisplay", "on_front", f"have one entry a result ({len(self.values)})",
                         self.on_front.shape, remedy="Mark every result.")
            )  # fmt: skip
        self.mean = np.empty((0, 2)) if mean is None else np.asarray(mean, dtype=float).reshape(-1, 2)
        self.std = np.zeros_like(self.mean) if std is None else np.asarray(std, dtype=float).reshape(-1, 2)
        self.names = [str(name) for name in names]
        self.units = [None, None] if units is None else list(units)
        self.goals = ["", ""] if goals is None else list(goals)
        self.labels = [] if labels is None else [str(label) for label in labels]

    @classmethod
    def from_campaign(
        cls, campaign: Any, proposals: Sequence[Any] = (), *, pair: tuple[int, int] = (0, 1)
    ) -> Self:
        """Results, front and proposals of a campaign, of two of its objectives.

        Parameters
        ----------
        campaign : Campaign
            With ``observations_``, ``front_`` and ``objectives``.
        proposals : sequence of Proposal
        pair : (int, int)
            Which objectives. With more than two, the front is that of all of them.
        """
        seen = campaign.observations_
        chosen = [campaign.objectives[k] for k in pair]
        names = [objective.name for objective in chosen]
        shown = [p for p in proposals if isinstance(p.mean, dict)]
        return cls(
            seen.Y[:, list(pair)],
            np.isin(seen.rows, np.asarray(campaign.front_.index)),
            [[p.mean[name] for name in names] for p in shown],
            [[p.std[name] for name in names] for p in shown],
            names=names,
            units=[objective.unit for objective in chosen],
            goals=[objective.goal if isinstance(objective.goal, str) else "" for objective in chosen],
            labels=[str(p.index) for p in shown],
        )

    @property
    def front(self) -> np.ndarray:
        """Points of the front, by the first objective."""
        points = self.values[self.on_front]
        return points[np.lexsort((points[:, 1], points[:, 0]))]

    def _draw(self, ax: Any) -> None:
        front = self.front
        ax.plot(*self.values[~self.on_front].T, "o", color=MUTED, alpha=0.6, markersize=4, label="measured")
        ax.plot(*front.T, "o-", color=BLUE, markersize=6, linewidth=1.0, label="no other is better in both")
        known = np.isfinite(self.mean).all(axis=1)
        if known.any():
            ax.errorbar(
                *self.mean[known].T, xerr=self.std[known, 0], yerr=self.std[known, 1], fmt="D", zorder=4,
                color=VERMILION, markersize=5, elinewidth=1.0, capsize=2, label="proposed, expected",
            )  # fmt: skip
        for label, place in zip(self.labels, self.mean, strict=False):
            if np.isfinite(place).all():
                ax.annotate(
                    readable(label, 14), place, (6, 5), textcoords="offset points", fontsize=8, color=INK
                )
        ax.legend(loc="best")
        words = [
            f"{axis_label(name, unit)}{f' ({goal})' if goal else ''}"
            for name, unit, goal in zip(self.names, self.units, self.goals, strict=True)
        ]
        dress(ax, x=words[0], y=words[1])
