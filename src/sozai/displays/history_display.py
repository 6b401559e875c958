"""History of a campaign: the best result so far against the number of measurements, beside chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, axis_label, dress

__all__ = ["HistoryDisplay"]

_COLORS = (BLUE, GREEN, PURPLE, INK)


class HistoryDisplay(Display):
    """Best result so far against the number of measurements.

    Parameters
    ----------
    curves : mapping of str to array-like of shape (n,) or (repeats, n)
        Best so far after 1, 2, ... measurements. Of several repeats the median is drawn, and a band that
        holds 8 of 10.
    random : array-like of shape (repeats, n), optional
        The same by chance; drawn in gray.
    values : array-like of shape (n,), optional
        Single results of the only curve, in order; NaN for a failure.
    optimum : float, optional
        Best value of the list, where it is known.
    name, unit : str
        What is measured, and its unit.

    Examples
    --------
    >>> shown = HistoryDisplay({"campaign": [1.0, 1.0, 3.0]}, random=[[1, 1, 2], [0, 2, 2]], name="Tc")
    >>> [part.tolist() for part in shown.band(shown.random)]
    [[0.5, 1.5, 2.0], [0.1, 1.1, 2.0], [0.9, 1.9, 2.0]]
    """

    size = (6.0, 3.6)

    def __init__(
        self,
        curves: Mapping[str, ArrayLike],
        *,
        random: ArrayLike | None = None,
        values: ArrayLike | None = None,
        optimum: float | None = None,
        name: str = "best result",
        unit: str | None = None,
    ):
        self.curves = {str(label): _as_repeats(part, f"curves[{label!r}]") for label, part in curves.items()}
        self.random = None if random is None else _as_repeats(random, "random")
        self.values = None if values is None else np.asarray(values, dtype=float).ravel()
        self.optimum, self.name, self.unit = optimum, name, unit

    @classmethod
    def from_campaign(cls, campaign: Any, *, random: ArrayLike | None = None) -> Self:
        """History of a campaign of one objective, result by result as they were told.

        Parameters
        ----------
        campaign : Campaign
            With ``results_`` and ``objectives``.
        random : array-like, optional
            As for the class.
        """
        objective = campaign.objectives[0]
        results = campaign.results_
        values = results[objective.label].to_numpy(dtype=float)
        exact = np.where(results[f"{objective.name}__status"].to_numpy() == "ok", values, np.nan)
        best = _best_so_far(exact, objective)
        return cls(
            {"best so far": best}, random=random, values=exact, name=objective.name, unit=objective.unit
        )

    @classmethod
    def from_simulations(
        cls,
        tables: Mapping[str, Any],
        *,
        random: Any = None,
        optimum: float | None = None,
        name: str = "best result",
        unit: str | None = None,
    ) -> Self:
        """Histories of replayed campaigns, beside chance.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            With columns ``repeat, evaluation, best``, as ``simulate_campaign`` gives them.
        random : DataFrame, optional
            The same of a random proposer.
        optimum, name, unit
            As for the class.
        """

        def wide(table: Any) -> np.ndarray:
            return table.pivot_table(index="repeat", columns="evaluation", values="best").to_numpy()

        return cls(
            {label: wide(table) for label, table in tables.items()},
            random=None if random is None else wide(random),
            optimum=optimum,
            name=name,
            unit=unit,
        )

    @staticmethod
    def band(repeats: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Median, and the ends that hold 8 of 10 repeats."""
        median, low, high = np.nanquantile(repeats, [0.5, 0.1, 0.9], axis=0)
        return median, low, high

    def _draw(self, ax: Any) -> None:
        if self.random is not None:
            self._draw_band(ax, self.random, MUTED, f"at random ({len(self.random)} repeats)", dashed=True)
        for k, (label, repeats) in enumerate(self.curves.items()):
            color = _COLORS[k % len(_COLORS)]
            if len(repeats) > 1:
                self._draw_band(ax, repeats, color, f"{label} ({len(repeats)} repeats)")
            else:
                steps = np.arange(1, repeats.shape[1] + 1)
                ax.plot(steps, repeats[0], color=color, drawstyle="steps-post", label=label, zorder=3)
        if self.values is not None:
            steps = np.arange(1, len(self.values) + 1)
            ax.plot(steps, self.values, "o", color=ORANGE, markersize=4, label="result", zorder=4)
            failed = np.flatnonzero(np.isnan(self.values))
            if len(failed):
                floor = np.zeros(len(failed))
                look = {"color": MUTED, "markersize": 5, "clip_on": False, "label": "no exact value"}
                ax.plot(failed + 1, floor, "x", transform=ax.get_xaxis_transform(), **look)
        if self.optimum is not None:
            ax.axhline(
                self.optimum, color=INK, linewidth=0.9, linestyle=":", label="best of the list", zorder=1
            )
        ax.legend(loc="best")
        dress(ax, x="measurements", y=axis_label(self.name, self.unit))

    def _draw_band(
        self, ax: Any, repeats: np.ndarray, color: str, label: str, *, dashed: bool = False
    ) -> None:
        """Median and band of several repeats."""
        median, low, high = self.band(repeats)
        steps = np.arange(1, len(median) + 1)
        ax.fill_between(steps, low, high, color=color, alpha=0.18, linewidth=0, zorder=1)
        ax.plot(steps, median, "--" if dashed else "-", color=color, label=label, zorder=2)


def _as_repeats(curve: ArrayLike, argument: str) -> np.ndarray:
    """One row a repeat."""
    rows = np.atleast_2d(np.asarray(curve, dtype=float))
    if rows.ndim != 2 or not rows.shape[1]:
        raise InputError(
            sentence("HistoryDisplay", argument, "have shape (n,) or (repeats, n)", rows.shape,
                     remedy="Give the best value after each measurement.")
        )  # fmt: skip
    return rows


def _best_so_far(values: np.ndarray, objective: Any) -> np.ndarray:
    """The value with the smallest loss among the first 1, 2, ...; NaN before the first."""
    best, kept = np.full(len(values), np.nan), np.nan
    for k, value in enumerate(values):
        if not np.isnan(value) and (np.isnan(kept) or objective.loss(value) < objective.loss(kept)):
            kept = value
        best[k] = kept
    return best
