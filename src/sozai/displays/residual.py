"""Residual plot: where the law is wrong, and which rows hold it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GRID, INK, MUTED, ORANGE, VERMILION, axis_label, dress, readable

__all__ = ["ResidualDisplay"]


class ResidualDisplay(Display):
    """Measured minus predicted, fitted and left out, with the rows of high leverage marked.

    Parameters
    ----------
    fitted : array-like of shape (n_samples,)
        Values of the law.
    residuals : array-like of shape (n_samples,)
        Measured minus fitted.
    left_out : array-like of shape (n_samples,), optional
        Leave-one-out residuals.
    leverages : array-like of shape (n_samples,), optional
        Diagonal of the hat matrix; rows above ``leverage_limit`` are ringed.
    leverage_limit : float, optional
        By default three times the mean leverage, 3p/m.
    labels : sequence of str, optional
        Names of the rows; the three largest residuals are named.
    name, unit : str
        What the target is called, and its unit.

    See Also
    --------
    ParityDisplay : The same errors against the measured value.

    Examples
    --------
    >>> shown = ResidualDisplay([1.0, 2.0, 3.0], [0.1, -0.2, 0.1], labels=["Ti", "V", "Cr"])
    >>> shown.largest(1)
    [(1, 'V', -0.2)]
    """

    size = (5.4, 3.6)

    def __init__(
        self,
        fitted: ArrayLike,
        residuals: ArrayLike,
        *,
        left_out: ArrayLike | None = None,
        leverages: ArrayLike | None = None,
        leverage_limit: float | None = None,
        labels: Sequence[object] | None = None,
        name: str = "y",
        unit: str | None = None,
    ):
        self.fitted = as_vector(fitted, place="ResidualDisplay", argument="fitted")
        n_samples = self.fitted.shape[0]
        self.residuals = as_vector(residuals, n_samples, place="ResidualDisplay", argument="residuals")
        self.left_out = None if left_out is None else np.asarray(left_out, dtype=float)
        self.leverages = None if leverages is None else np.asarray(leverages, dtype=float)
        if leverage_limit is None and self.leverages is not None:
            leverage_limit = 3 * float(self.leverages.mean())
        self.leverage_limit = leverage_limit
        self.labels = [str(label) for label in (range(n_samples) if labels is None else labels)]
        self.name, self.unit = name, unit

    @classmethod
    def from_model(
        cls,
        model: Any,
        target: ArrayLike,
        *,
        labels: Sequence[object] | None = None,
        name: str = "y",
        unit: str | None = None,
    ) -> Self:
        """Residuals of a fitted record with ``fitted``, ``loo_residuals`` and ``leverages``."""
        return cls(
            model.fitted,
            np.asarray(target, dtype=float) - model.fitted,
            left_out=model.loo_residuals,
            leverages=model.leverages,
            labels=labels,
            name=name,
            unit=unit,
        )

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike, *, name: str = "y", unit: str | None = None
    ) -> Self:
        """Residuals of any fitted regressor on ``X, y``."""
        fitted = estimator.predict(X)
        labels = getattr(X, "index", None)
        return cls(fitted, np.asarray(y, dtype=float) - fitted, labels=labels, name=name, unit=unit)

    def largest(self, n: int = 3) -> list[tuple[int, str, float]]:
        """Row number, row name and residual of the ``n`` worst rows, worst first."""
        order = np.argsort(-np.abs(self.residuals), kind="stable")[:n]
        return [(int(k), self.labels[k], float(self.residuals[k])) for k in order]

    def _draw(self, ax: Any) -> None:
        size = 24 if self.fitted.shape[0] <= 300 else 9
        ax.axhline(0, color=MUTED, linewidth=1)
        if self.left_out is not None:
            pairs = np.stack([self.residuals, self.left_out])
            ax.vlines(self.fitted, pairs.min(axis=0), pairs.max(axis=0), color=GRID, linewidth=1, zorder=1)
            ax.scatter(
                self.fitted,
                self.left_out,
                s=size,
                facecolors="none",
                edgecolors=ORANGE,
                label="row left out",
                zorder=3,
            )
        ax.scatter(self.fitted, self.residuals, s=size * 0.7, color=BLUE, linewidths=0, label="fit", zorder=2)
        if self.leverages is not None and self.leverage_limit is not None:
            high = self.leverages > self.leverage_limit
            if high.any():
                label = f"leverage above {self.leverage_limit:.2g}"
                ring = {"facecolors": "none", "edgecolors": VERMILION, "linewidths": 1.4}
                ax.scatter(self.fitted[high], self.residuals[high], s=size * 4, label=label, zorder=4, **ring)
        for k, label, value in self.largest(3):
            place = (self.fitted[k], value)
            ax.annotate(readable(label, 18), place, (4, 4), textcoords="offset points", fontsize=8, color=INK)
        ax.legend(loc="best", handletextpad=0.3)
        label = axis_label(self.name, self.unit)
        dress(ax, x=f"law {label}", y=f"measured − law{f' [{self.unit}]' if self.unit else ''}")
