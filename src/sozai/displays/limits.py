"""Limits plot: where inside the region the law is largest and smallest, and what holds it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GRID, INK, MUTED, VERMILION, axis_label, dress, readable

__all__ = ["LimitsDisplay"]


class LimitsDisplay(Display):
    """One bar a column: its interval, the interval seen in training, and the places of the limits.

    Parameters
    ----------
    names : sequence of str
        Columns.
    domain, training : array-like of shape (n_columns, 2)
        Interval asked for, and interval the law has seen.
    places : dict of str to array-like of shape (n_columns,)
        What each place is, e.g. ``"max 2.5 m^2"``, and where it lies.
    multipliers : dict of str to array-like of shape (n_columns,), optional
        Change of that limit when the bound of a column rises by one; NaN where none is active.
    units : sequence of str or None, optional
        Of the columns.
    name, unit : str
        What the target is called, and its unit.

    Examples
    --------
    >>> shown = LimitsDisplay(["b", "h"], [[0, 2], [0, 1]], [[0, 3], [0, 1]], {"max 1": [2, 1]})
    >>> shown.relative(np.array([2.0, 0.5])).tolist()
    [1.0, 0.5]
    """

    size = (6.0, 3.2)

    def __init__(
        self,
        names: Sequence[str],
        domain: ArrayLike,
        training: ArrayLike,
        places: dict[str, ArrayLike],
        *,
        multipliers: dict[str, ArrayLike] | None = None,
        units: Sequence[str | None] | None = None,
        name: str = "y",
        unit: str | None = None,
    ):
        self.names = [str(label) for label in names]
        n = len(self.names)
        self.domain, self.training = (
            np.asarray(box, dtype=float).reshape(n, 2) for box in (domain, training)
        )
        self.places = {label: np.asarray(place, dtype=float) for label, place in places.items()}
        for label, place in self.places.items():
            if place.shape != (n,):
                raise InputError(
                    sentence(
                        "LimitsDisplay",
                        f"places[{label!r}]",
                        f"have one value per column ({n})",
                        f"shape {place.shape}",
                        remedy="Give the value of every column.",
                    )
                )
        self.multipliers = {k: np.asarray(v, dtype=float) for k, v in (multipliers or {}).items()}
        self.units = [None] * n if units is None else list(units)
        self.name, self.unit = name, unit
        self.size = (6.0, 1.4 + 0.6 * max(n, 2))

    @classmethod
    def from_limits(cls, *limits: Any) -> Self:
        """Plot of records with ``x, domain, training, active, goal`` and ``value``: one region, any goals."""
        first = limits[0]
        names = list(first.x)
        places, multipliers = {}, {}
        for limit in limits:
            unit = f" {limit.unit}" if limit.unit else ""
            label = f"{limit.goal}imum {limit.value:.4g}{unit}"
            places[label] = [limit.x[name] for name in names]
            known = {bound.of: bound.multiplier for bound in limit.active if bound.kind != "constraint"}
            multipliers[label] = [known.get(name, np.nan) for name in names]
        return cls(
            names,
            [first.domain[name] for name in names],
            [first.training[name] for name in names],
            places,
            multipliers=multipliers,
            units=[first.units[name] for name in names],
            name=first.target or "y",
            unit=first.unit,
        )

    def relative(self, place: np.ndarray) -> np.ndarray:
        """Place as a share of the interval of every column; one half where it has no width."""
        low, high = self.domain.T
        with np.errstate(all="ignore"):
            return np.where(high > low, (place - low) / (high - low), 0.5)

    def _draw(self, ax: Any) -> None:
        rows = np.arange(len(self.names))[::-1]
        seen = np.column_stack([self.relative(end) for end in self.training.T])
        ax.hlines(rows, 0, 1, color=GRID, linewidth=9, zorder=1)
        ax.hlines(rows, *np.clip(seen, 0, 1).T, color=MUTED, linewidth=3, zorder=2, label="seen in training")
        looks = (("^", BLUE), ("v", VERMILION), ("o", INK))
        for k, (label, place) in enumerate(self.places.items()):
            marker, color = looks[k % len(looks)]
            at, side = self.relative(place), 1 if k % 2 == 0 else -1
            beside = rows + 0.17 * side  # so that two limits at one end are both seen
            ax.scatter(at, beside, marker=marker, s=60, color=color, label=readable(label, 40), zorder=3)
            for i, value in enumerate(self.multipliers.get(label, ())):
                if np.isfinite(value) and value != 0:
                    text = f"{value:+.3g}".replace("-", "\u2212")
                    look = {"ha": "center", "va": "center", "fontsize": 8, "color": color}
                    ax.annotate(text, (at[i], beside[i]), (0, 12 * side), textcoords="offset points", **look)
        ax.set_yticks(
            rows, [readable(axis_label(n, u), 30) for n, u in zip(self.names, self.units, strict=True)]
        )
        ax.set_xticks([0, 1], ["low end", "high end"])
        for i, row in enumerate(rows):
            for at, end, side in ((-0.03, 0, "right"), (1.03, 1, "left")):
                ax.text(at, row, f"{self.domain[i, end]:.4g}", ha=side, va="center", fontsize=8, color=INK)
        ax.set(xlim=(-0.2, 1.2), ylim=(-0.7, len(rows) - 0.3))
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handletextpad=0.3)
        dress(ax, grid="")
