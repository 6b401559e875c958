"""Importance: which columns a prediction needs, and which are noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.displays.display import Display
from sozai.displays.style import BLUE, INK, MUTED, axis_label, dress, readable

__all__ = ["ImportanceDisplay"]


class ImportanceDisplay(Display):
    """Growth of the error when each block of columns is shuffled, with its standard error.

    A bar whose error reaches zero says nothing about its columns.

    Parameters
    ----------
    blocks : sequence of str
        Names of the columns of each block.
    importance : array-like of shape (n_blocks,)
    standard_error : array-like of shape (n_blocks,), optional
    unit : str, optional
        Unit of the target.
    max_blocks : int, default=15
        Most bars; the largest are drawn.

    See Also
    --------
    sklearn.inspection.permutation_importance : One column at a time, so correlated ones hide each other.

    Examples
    --------
    >>> shown = ImportanceDisplay(["T", "p"], [0.1, 3.0], [0.2, 0.4], unit="%")
    >>> shown.blocks, shown.significant.tolist()
    (['p', 'T'], [True, False])
    """

    def __init__(
        self,
        blocks: Sequence[str],
        importance: ArrayLike,
        standard_error: ArrayLike | None = None,
        *,
        unit: str | None = None,
        max_blocks: int = 15,
    ):
        place = "ImportanceDisplay"
        values = as_vector(importance, len(blocks), place=place, argument="importance")
        errors = np.zeros(len(values)) if standard_error is None else np.asarray(standard_error, dtype=float)
        order = np.argsort(-values, kind="stable")
        kept = order[:max_blocks]
        self.blocks = [str(blocks[k]) for k in kept]
        self.importance, self.standard_error = values[kept], np.nan_to_num(errors[kept])
        self.unit, self.n_left_out = unit, len(order) - len(kept)

    @property
    def size(self) -> tuple[float, float]:  # type: ignore[override]
        """Width and height; a line for every bar."""
        return 5.6, 1.2 + 0.28 * len(self.blocks)

    @property
    def significant(self) -> np.ndarray:
        """Whether each bar is more than two standard errors above zero."""
        return self.importance > 2.0 * self.standard_error

    @classmethod
    def from_frame(cls, frame: Any, *, unit: str | None = None, max_blocks: int = 15) -> Self:
        """Bars of a table with ``block``, ``importance`` and ``standard_error``."""
        return cls(
            list(frame["block"]),
            frame["importance"].to_numpy(),
            frame["standard_error"].to_numpy(),
            unit=unit,
            max_blocks=max_blocks,
        )

    @classmethod
    def from_estimator(cls, estimator: Any, *, unit: str | None = None, max_blocks: int = 15) -> Self:
        """Bars of a fitted estimator that carries ``importances_``."""
        return cls.from_frame(estimator.importances_, unit=unit, max_blocks=max_blocks)

    def _draw(self, ax: Any) -> None:
        rows = np.arange(len(self.blocks))[::-1]
        colors = [BLUE if clear else MUTED for clear in self.significant]
        ax.barh(rows, self.importance, height=0.62, color=colors, alpha=0.85)
        ax.errorbar(
            self.importance, rows, xerr=self.standard_error, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3
        )
        ax.axvline(0.0, color=MUTED, linewidth=0.8)
        ax.set_yticks(rows, [readable(block, 34) for block in self.blocks])
        ax.set_ylim(-0.7, len(self.blocks) - 0.3)
        title = f"{self.n_left_out} smaller ones are not shown" if self.n_left_out else ""
        dress(ax, x=axis_label("growth of the RMSE when shuffled", self.unit), title=title, grid="x")
