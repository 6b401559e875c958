"""How many peaks: the criterion against their number, with the choice marked."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GRID, MUTED, VERMILION, dress

__all__ = ["PeakCountDisplay"]


class PeakCountDisplay(Display):
    """Criterion above its smallest value against the number of peaks, and the weight of every number.

    A number within 2 of the best is nearly as good; 10 above it is not worth a thought.

    Parameters
    ----------
    n_components : array-like of int of shape (n_models,)
        Numbers of peaks that were tried.
    criterion : array-like of shape (n_models,)
        The smaller the better; NaN where a fit failed.
    chosen : int
        Number that was kept.
    weights : array-like of shape (n_models,), optional
        Share of belief in every number, sum 1.
    name : str, default="criterion"

    See Also
    --------
    sozai.displays.PeakDisplay : The peaks themselves.

    Examples
    --------
    >>> shown = PeakCountDisplay([0, 1, 2, 3], [9000.0, 620.0, 401.0, 409.0], 2, name="BIC")
    >>> shown.above.tolist(), shown.next_best
    ([8599.0, 219.0, 0.0, 8.0], (3, 8.0))
    """

    size = (4.6, 3.4)

    def __init__(
        self,
        n_components: ArrayLike,
        criterion: ArrayLike,
        chosen: int,
        *,
        weights: ArrayLike | None = None,
        name: str = "criterion",
    ):
        self.n_components = as_vector(n_components, place="PeakCountDisplay", argument="n_components").astype(
            int
        )
        n_models = len(self.n_components)
        self.criterion = np.asarray(criterion, dtype=np.float64)
        self.weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        for argument, values in (("criterion", self.criterion), ("weights", self.weights)):
            if values is not None and values.shape != (n_models,):
                raise InputError(
                    sentence(
                        "PeakCountDisplay", argument, f"have one entry per number of peaks ({n_models})",
                        f"shape {values.shape}", remedy="Take both from one table.",
                    )
                )  # fmt: skip
        if chosen not in self.n_components.tolist():
            raise InputError(
                sentence(
                    "PeakCountDisplay", "chosen", f"be one of {self.n_components.tolist()}", chosen,
                    remedy="Take it from the same table.",
                )
            )  # fmt: skip
        self.chosen, self.name = int(chosen), name

    @classmethod
    def from_count(cls, count: Any, *, name: str = "criterion") -> Self:
        """Display of a record with ``table`` (n_components, criterion, weight) and ``n_components``."""
        table = count.table
        return cls(
            table["n_components"].to_numpy(),
            table["criterion"].to_numpy(dtype=np.float64),
            int(count.n_components),
            weights=table["weight"].to_numpy(dtype=np.float64) if "weight" in table else None,
            name=name,
        )

    @property
    def above(self) -> np.ndarray:
        """Criterion above the smallest one."""
        return self.criterion - np.nanmin(self.criterion)

    @property
    def next_best(self) -> tuple[int, float] | None:
        """Best number that was not chosen, and how far it is above the chosen one."""
        others = [
            (float(value), int(k))
            for k, value in zip(self.n_components, self.criterion, strict=True)
            if k != self.chosen and np.isfinite(value)
        ]
        if not others:
            return None
        value, k = min(others)
        return k, value - float(self.criterion[self.n_components.tolist().index(self.chosen)])

    def _draw(self, ax: Any) -> None:
        ax.axhspan(0.0, 2.0, color=GRID, alpha=0.6, linewidth=0)
        ax.plot(self.n_components, self.above, color=BLUE, linewidth=1.2, zorder=2)
        ax.plot(self.n_components, self.above, "o", color=BLUE, markersize=5, zorder=3)
        at = self.n_components.tolist().index(self.chosen)
        ax.plot(
            [self.chosen], [self.above[at]], "o", markersize=11, markerfacecolor="none",
            markeredgecolor=VERMILION, markeredgewidth=1.6, zorder=4, label=f"chosen: {self.chosen}",
        )  # fmt: skip
        ax.set_yscale("symlog", linthresh=10.0, linscale=1.0)
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        top = float(np.nanmax(self.above)) if np.isfinite(self.above).any() else 1.0
        ax.set_ylim(-2.0, max(4.0 * top, 40.0))
        ax.set_xticks(self.n_components)
        if self.weights is not None:
            for k, value, weight in zip(self.n_components, self.above, self.weights, strict=True):
                if np.isfinite(value) and weight >= 0.005:
                    ax.annotate(
                        f"{weight:.2f}", (k, value), (0, 9), textcoords="offset points", ha="center",
                        fontsize=7.5, color=MUTED,
                    )  # fmt: skip
        ax.legend(loc="upper right")
        dress(ax, x="number of peaks", y=f"{self.name} above the best", grid="y")
        ax.minorticks_off()
