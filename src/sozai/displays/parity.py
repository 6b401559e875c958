"""Parity plot: what the law says against what was measured, fitted and left out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_vector
from sozai.displays.display import Display
from sozai.displays.style import BLUE, MUTED, ORANGE, axis_label, dress

__all__ = ["ParityDisplay"]


class ParityDisplay(Display):
    """Predicted against measured values, with leave-one-out predictions beside the fit.

    A row whose two points lie far apart decides the law on its own.

    Parameters
    ----------
    target : array-like of shape (n_samples,)
        Measured values.
    fitted : array-like of shape (n_samples,)
        Values of the law.
    left_out : array-like of shape (n_samples,), optional
        Prediction for each row by the law fitted without it.
    name, unit : str
        What the target is called, and its unit.

    See Also
    --------
    sklearn.metrics.PredictionErrorDisplay : Without the leave-one-out points.

    Examples
    --------
    >>> target, fitted, left_out = [1.0, 2.0, 3.0], [1.1, 1.9, 3.0], [1.2, 1.8, 3.1]
    >>> shown = ParityDisplay(target, fitted, left_out=left_out, name="M", unit="mu_B")
    >>> round(shown.rmse, 4), round(shown.rmse_left_out, 4)
    (0.0816, 0.1732)
    """

    size = (4.6, 4.4)

    def __init__(
        self,
        target: ArrayLike,
        fitted: ArrayLike,
        *,
        left_out: ArrayLike | None = None,
        name: str = "y",
        unit: str | None = None,
    ):
        self.target = as_vector(target, place="ParityDisplay", argument="target")
        n_samples = self.target.shape[0]
        self.fitted = as_vector(fitted, n_samples, place="ParityDisplay", argument="fitted")
        self.left_out = None if left_out is None else np.asarray(left_out, dtype=float)
        self.name, self.unit = name, unit

    @classmethod
    def from_model(cls, model: Any, target: ArrayLike, *, name: str = "y", unit: str | None = None) -> Self:
        """Parity of a fitted record that carries ``fitted`` and ``loo_residuals``."""
        measured = np.asarray(target, dtype=float)
        return cls(measured, model.fitted, left_out=measured - model.loo_residuals, name=name, unit=unit)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike, *, name: str = "y", unit: str | None = None
    ) -> Self:
        """Parity of any fitted regressor on ``X, y``; no row is left out."""
        return cls(y, estimator.predict(X), name=name, unit=unit)

    @property
    def rmse(self) -> float:
        """Root mean squared error of the fit."""
        return float(np.sqrt(np.mean((self.target - self.fitted) ** 2)))

    @property
    def rmse_left_out(self) -> float:
        """Root mean squared leave-one-out error; NaN without leave-one-out values."""
        if self.left_out is None:
            return float("nan")
        return float(np.sqrt(np.mean((self.target - self.left_out) ** 2)))

    def _draw(self, ax: Any) -> None:
        shown = [self.target, self.fitted] + ([] if self.left_out is None else [self.left_out])
        values = np.concatenate(shown)
        values = values[np.isfinite(values)]
        low, high = float(values.min()), float(values.max())
        pad = 0.05 * ((high - low) or abs(high) or 1.0)
        ends = (low - pad, high + pad)
        ax.plot(ends, ends, color=MUTED, linewidth=1, zorder=1)
        size = 26 if self.target.shape[0] <= 300 else 9
        if self.left_out is not None:
            label = f"each row left out, RMSE {self.rmse_left_out:.4g}"
            ax.scatter(
                self.target,
                self.left_out,
                s=size,
                facecolors="none",
                edgecolors=ORANGE,
                label=label,
                zorder=3,
            )
        label = f"fit, RMSE {self.rmse:.4g}"
        ax.scatter(
            self.target,
            self.fitted,
            s=size * 0.7,
            color=BLUE,
            alpha=0.85,
            linewidths=0,
            label=label,
            zorder=2,
        )
        ax.set(xlim=ends, ylim=ends, aspect="equal")
        ax.legend(loc="upper left", handletextpad=0.3)
        dress(
            ax, x=f"measured {axis_label(self.name, self.unit)}", y=f"law {axis_label(self.name, self.unit)}"
        )
