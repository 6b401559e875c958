"""Effects plot: how much the law changes when one column moves and the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.displays.display import Display
from sozai.displays.style import BLUE, INK, MUTED, VERMILION, axis_label, dress, readable

__all__ = ["EffectsDisplay"]

_MOST = 20


class EffectsDisplay(Display):
    """Change of the law for each column moved from its 25 % to its 75 % quantile, the largest on top.

    Parameters
    ----------
    names : sequence of str
        Columns.
    effects, errors : array-like of shape (n_columns,)
        Change of the law, and its standard error.
    ranges : array-like of shape (n_columns, 2), optional
        From where to where each column moves; written beside its name.
    same_sign : array-like of shape (n_columns,), optional
        Share of rows whose slope has one sign; columns below 1 are drawn open.
    column_units : sequence of str or None, optional
    name, unit : str
        What the target is called, and its unit.

    See Also
    --------
    sklearn.inspection.PartialDependenceDisplay : Curves instead of one number a column, for any model.

    Examples
    --------
    >>> shown = EffectsDisplay(["base", "height"], [0.4, -0.9], [0.1, 0.1], name="area", unit="m^2")
    >>> shown.order.tolist()
    [1, 0]
    """

    size = (5.6, 3.2)

    def __init__(
        self,
        names: Sequence[str],
        effects: ArrayLike,
        errors: ArrayLike,
        *,
        ranges: ArrayLike | None = None,
        same_sign: ArrayLike | None = None,
        column_units: Sequence[str | None] | None = None,
        name: str = "y",
        unit: str | None = None,
    ):
        self.names = [str(label) for label in names]
        n = len(self.names)
        self.effects = as_vector(effects, n, place="EffectsDisplay", argument="effects")
        self.errors = as_vector(errors, n, place="EffectsDisplay", argument="errors")
        self.ranges = None if ranges is None else np.asarray(ranges, dtype=float).reshape(n, 2)
        self.same_sign = np.ones(n) if same_sign is None else np.asarray(same_sign, dtype=float)
        self.column_units = [None] * n if column_units is None else list(column_units)
        self.name, self.unit = name, unit
        self.size = (5.6, 1.2 + 0.4 * max(min(n, _MOST), 3))

    @classmethod
    def from_effects(cls, effects: Any) -> Self:
        """Plot of a record with ``names``, ``finite_effects``, ``finite_errors`` and ``quantiles``."""
        return cls(
            effects.names,
            np.nan_to_num(effects.finite_effects),
            np.nan_to_num(effects.finite_errors),
            ranges=effects.quantiles,
            same_sign=effects.same_sign,
            column_units=effects.column_units,
            name=effects.target or "y",
            unit=effects.target_unit,
        )

    @property
    def order(self) -> np.ndarray:
        """Columns by size of their effect, the largest first."""
        return np.argsort(-np.abs(self.effects), kind="stable")[:_MOST]

    def _draw(self, ax: Any) -> None:
        order = self.order[::-1]
        place = np.arange(len(order))
        ax.axvline(0, color=MUTED, linewidth=1)
        for at, i in zip(place, order, strict=True):
            color = BLUE if self.effects[i] >= 0 else VERMILION
            steady = self.same_sign[i] >= 1.0
            ax.hlines(at, 0, self.effects[i], color=color, linewidth=2, alpha=0.5)
            ax.errorbar(
                self.effects[i],
                at,
                xerr=self.errors[i],
                fmt="o",
                color=color,
                markerfacecolor=color if steady else "none",
                capsize=3,
                markersize=6,
            )
        ax.set_yticks(place, [readable(self._label(i), 44) for i in order], color=INK)
        ax.set_ylim(-0.6, len(order) - 0.4)
        dress(ax, x=f"change of {axis_label(self.name, self.unit)}", grid="x")
        if (self.same_sign[order] < 1.0).any():
            ax.set_title("open: the slope changes its sign", color=INK, fontsize=8.5, loc="left")

    def _label(self, i: int) -> str:
        """Name of a column and how far it moves."""
        if self.ranges is None:
            return self.names[i]
        unit = f" {self.column_units[i]}" if self.column_units[i] else ""
        return f"{self.names[i]}, {self.ranges[i, 0]:.3g} to {self.ranges[i, 1]:.3g}{unit}"
