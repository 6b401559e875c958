"""How far every row lies from the constant of an invariant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, INK, MUTED, ORANGE, dress, readable

__all__ = ["InvariantDisplay"]

_MOST_NAMED = 30  # rows that fit on the axis by name
_STEPS = ((0.01, 1.0, ""), (1e-5, 100.0, " %"), (0.0, 1e6, " ppm"))


class InvariantDisplay(Display):
    """Relative deviation of every row from the constant, with the spread as a band.

    Up to thirty rows stand under each other by name; of more, in the order of the
    table, the three farthest are named.

    Parameters
    ----------
    deviations : array-like of shape (n_samples,)
        (value − constant)/constant, or relative to the largest term of a sum.
    spread : float, optional
        Half width of the band; the root mean square of the deviations when left out.
    labels : sequence of str, optional
        Names of the rows.
    name : str
        The invariant as text.

    See Also
    --------
    ResidualDisplay : What a law with a target leaves.

    Examples
    --------
    >>> shown = InvariantDisplay([1e-4, -3e-4, 2e-4], labels=["Earth", "Mars", "Venus"], name="a**3/T**2")
    >>> shown.farthest(1), shown.unit
    ([(1, 'Mars', -0.0003)], ' %')
    """

    size = (5.4, 3.4)

    def __init__(
        self,
        deviations: ArrayLike,
        *,
        spread: float | None = None,
        labels: Sequence[object] | None = None,
        name: str = "",
    ):
        place = "InvariantDisplay"
        self.deviations = as_vector(deviations, place=place, argument="deviations")
        n_samples = self.deviations.shape[0]
        self.spread = float(np.sqrt(np.mean(self.deviations**2))) if spread is None else float(spread)
        self.labels = [str(label) for label in (range(n_samples) if labels is None else labels)]
        if len(self.labels) != n_samples:
            raise InputError(
                sentence(
                    place, "labels", f"name every row ({n_samples})", len(self.labels),
                    remedy="Pass one label per deviation.",
                )
            )  # fmt: skip
        self.name = name
        if n_samples <= _MOST_NAMED:
            self.size = (5.4, max(1.6, 0.8 + 0.24 * n_samples))

    @classmethod
    def from_invariant(cls, invariant: Any, *, labels: Sequence[object] | None = None) -> Self:
        """Deviations of a record with ``deviations``, ``spread`` and ``formula``."""
        return cls(invariant.deviations, spread=invariant.spread, labels=labels, name=invariant.formula)

    @property
    def unit(self) -> str:
        """Unit of the axis: none, per cent or parts per million, by the largest deviation."""
        return self._step[2]

    @property
    def _step(self) -> tuple[float, float, str]:
        largest = float(np.abs(self.deviations).max(initial=0.0))
        return next(step for step in _STEPS if largest >= 10 * step[0] or step[0] == 0)

    def farthest(self, n: int = 3) -> list[tuple[int, str, float]]:
        """Row number, row name and deviation of the ``n`` rows farthest from the constant."""
        order = np.argsort(-np.abs(self.deviations), kind="stable")[:n]
        return [(int(k), self.labels[k], float(self.deviations[k])) for k in order]

    def _draw(self, ax: Any) -> None:
        factor = self._step[1]
        values, band = factor * self.deviations, factor * self.spread
        label = f"deviation of {readable(self.name, 40)}" if self.name else "deviation"
        label += f" [{self.unit.strip()}]" if self.unit else ""
        rows = np.arange(values.shape[0])
        if rows.size <= _MOST_NAMED:
            ax.axvspan(-band, band, color=ORANGE, alpha=0.18, linewidth=0)
            ax.axvline(0, color=MUTED, linewidth=1)
            ax.hlines(rows, 0, values, color=BLUE, linewidth=1.4)
            ax.scatter(values, rows, s=26, color=BLUE, linewidths=0, zorder=3)
            ax.set_yticks(rows, [readable(text, 24) for text in self.labels])
            ax.set_ylim(rows.size - 0.4, -0.6)
            dress(ax, x=label, grid="x")
            return
        ax.axhspan(-band, band, color=ORANGE, alpha=0.18, linewidth=0)
        ax.axhline(0, color=MUTED, linewidth=1)
        ax.scatter(rows + 1, values, s=14 if rows.size <= 300 else 5, color=BLUE, linewidths=0)
        for row, text, _ in self.farthest(3):
            place = (row + 1, values[row])
            ax.annotate(readable(text, 18), place, (4, 4), textcoords="offset points", fontsize=8, color=INK)
        dress(ax, x="row", y=label)
