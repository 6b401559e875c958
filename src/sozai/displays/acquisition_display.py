"""Why this point: what the model believes along each descriptor, and where its score is high."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    VERMILION,
    axis_label,
    blank_figure,
    dress,
    house_style,
    readable,
)

__all__ = ["AcquisitionDisplay"]

_MOST = 6
_DEEP = 20.0  # a score is a logarithm: e^-20 of the best is nothing


class AcquisitionDisplay(Display):
    """Posterior mean and standard deviation along each descriptor through a proposal, above the score.

    Parameters
    ----------
    curves : DataFrame
        Columns ``descriptor, value, mean, std``.
    profile : DataFrame
        Columns ``descriptor, value, score``: the highest score near each value.
    observed : DataFrame
        Measured candidates: a column for each descriptor, and ``name``.
    x : dict of str to float
        The proposal.
    name, unit : str
        What is measured, and its unit.

    Notes
    -----
    A line holds all other descriptors at the proposal, so a result may lie far from it: results are drawn
    the paler, the farther they are from the line (in ranges of the descriptors). Six descriptors are drawn
    at most, those along which the mean changes most. Scores more than 20 below the highest are cut off.

    Examples
    --------
    >>> import pandas as pd
    >>> curves = pd.DataFrame({"descriptor": "a", "value": [0.0, 1.0], "mean": [1.0, 2.0], "std": [0.1, 0.5]})
    >>> profile = pd.DataFrame({"descriptor": "a", "value": [0.0, 1.0], "score": [-3.0, -1.0]})
    >>> measured = pd.DataFrame({"a": [0.0], "y": [1.1]})
    >>> AcquisitionDisplay(curves, profile, measured, {"a": 1.0}, name="y").descriptors
    ['a']
    """

    def __init__(
        self,
        curves: pd.DataFrame,
        profile: pd.DataFrame,
        observed: pd.DataFrame,
        x: dict[str, float],
        *,
        name: str = "y",
        unit: str | None = None,
    ):
        for argument, frame, wanted in (
            ("curves", curves, ["descriptor", "value", "mean", "std"]),
            ("profile", profile, ["descriptor", "value", "score"]),
            ("observed", observed, [*x, name]),
        ):
            missing = [column for column in wanted if column not in frame.columns]
            if missing:
                raise InputError(
                    sentence("AcquisitionDisplay", argument, f"have the columns {wanted}", missing[0],
                             remedy="Add this column.")
                )  # fmt: skip
        self.curves, self.profile, self.observed = curves, profile, observed
        self.x, self.name, self.unit = dict(x), name, unit
        self.size = (2.0 + 2.6 * min(len(self.descriptors), 3), 3.4 * -(-len(self.descriptors) // 3))

    @classmethod
    def from_slices(cls, slices: Any, objective: str | None = None) -> Self:
        """Drawing of ``posterior_slices``, of its first objective when none is named."""
        name = next(iter(slices.units)) if objective is None else objective
        curves = slices.curves[slices.curves["objective"] == name]
        return cls(curves, slices.profile, slices.observed, slices.x, name=name, unit=slices.units[name])

    @property
    def descriptors(self) -> list[str]:
        """Those that are drawn, in the order of the list."""
        by_name = self.curves.groupby("descriptor", sort=False)
        span = by_name["mean"].agg(np.ptp)[by_name["value"].agg(np.ptp) > 0]
        kept = set(span.sort_values(ascending=False, kind="stable").index[:_MOST])
        return [name for name in self.x if name in kept]

    def to_figure(self) -> Any:
        """Draw on a figure that belongs to no window; for files and reports."""
        with house_style():
            figure = blank_figure(*self.size, interactive=False)
            self._draw_on(figure, figure.add_gridspec(*self._grid))
        return figure

    @property
    def _grid(self) -> tuple[int, int]:
        n = len(self.descriptors)
        return -(-n // 3), min(n, 3)

    def _draw(self, ax: Any) -> None:
        """Let the panels take the place of the axes."""
        ax.set_axis_off()
        spec = ax.get_subplotspec()
        if spec is None:
            box = ax.get_position()
            place = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
            grid = ax.figure.add_gridspec(*self._grid, **place)
        else:
            grid = spec.subgridspec(*self._grid)
        self._draw_on(ax.figure, grid)

    def _draw_on(self, figure: Any, grid: Any) -> None:
        """One pair of panels for each descriptor."""
        first = None
        for k, name in enumerate(self.descriptors):
            pair = grid[k // 3, k % 3].subgridspec(2, 1, height_ratios=(3, 1), hspace=0.06)
            above = figure.add_subplot(pair[0], sharey=first)
            first = first or above
            below = figure.add_subplot(pair[1], sharex=above)
            self._draw_mean(above, name, first=k % 3 == 0)
            self._draw_score(below, name, first=k % 3 == 0)

    def _draw_mean(self, ax: Any, name: str, *, first: bool) -> None:
        """Mean, band and results along one descriptor."""
        curve = self.curves[self.curves["descriptor"] == name]
        value, mean, std = (curve[column].to_numpy() for column in ("value", "mean", "std"))
        ax.fill_between(value, mean - std, mean + std, color=BLUE, alpha=0.18, linewidth=0)
        ax.plot(value, mean, color=BLUE, label="mean ± sd")
        alpha = np.clip(np.exp(-3.0 * self._distance(name)), 0.08, 1.0)
        ax.scatter(
            self.observed[name], self.observed[self.name], s=14, color=INK, alpha=alpha, linewidths=0,
            label="measured", zorder=3,
        )  # fmt: skip
        ax.axvline(self.x[name], color=VERMILION, linewidth=1.1, label="proposed")
        if first:
            ax.legend(loc="best", handlelength=1.2)
        dress(ax, y=axis_label(self.name, self.unit) if first else "")
        ax.tick_params(labelbottom=False)

    def _draw_score(self, ax: Any, name: str, *, first: bool) -> None:
        """Highest score near each value."""
        part = self.profile[self.profile["descriptor"] == name]
        ax.plot(part["value"], part["score"], color=GREEN, linewidth=1.2)
        ax.axvline(self.x[name], color=VERMILION, linewidth=1.1)
        top = part["score"].max()
        if top - part["score"].min() > _DEEP:  # far below the best nothing is to be seen
            ax.set_ylim(top - _DEEP, top + 0.08 * _DEEP)
        ax.yaxis.get_major_locator().set_params(nbins=2)
        dress(ax, x=readable(name, 26), y="score" if first else "", grid="x")
        ax.tick_params(axis="y", labelcolor=MUTED)

    def _distance(self, name: str) -> np.ndarray:
        """Distance of each result from the line along one descriptor, in ranges."""
        others = [other for other in self.x if other != name]
        squared = np.zeros(len(self.observed))
        for other in others:
            values = self.curves.loc[self.curves["descriptor"] == other, "value"]
            width = float(np.ptp(values)) if len(values) else 0.0
            if width > 0:
                squared += ((self.observed[other].to_numpy() - self.x[other]) / width) ** 2
        return np.sqrt(squared)
