"""Formula map: the law over two columns, where it was learned and where it only guesses."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import INK, axis_label, dress, readable

__all__ = ["FormulaMapDisplay"]


class FormulaMapDisplay(Display):
    """Predicted property over two columns, the measured rows on top, the outside hatched.

    Parameters
    ----------
    x, y : array-like of shape (n_x,) and (n_y,)
        Grid of the two columns.
    values : array-like of shape (n_y, n_x)
        Prediction on the grid; NaN where the law is not defined.
    in_domain : array-like of bool of shape (n_y, n_x), optional
        False where the law leaves the range it was learned on; hatched.
    points : tuple of three array-like, optional
        x, y and measured value of the rows.
    x_name, y_name, name, unit : str
        Labels.
    held : str
        What the other columns were held at; written as the title.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.linspace(0, 1, 3), np.linspace(0, 2, 4)
    >>> FormulaMapDisplay(x, y, np.outer(y, x), x_name="base", y_name="height", name="area").values.shape
    (4, 3)
    """

    size = (5.6, 4.2)

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        values: ArrayLike,
        *,
        in_domain: ArrayLike | None = None,
        points: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
        x_name: str = "x",
        y_name: str = "y",
        name: str = "property",
        unit: str | None = None,
        held: str = "",
    ):
        self.x = as_vector(x, place="FormulaMapDisplay", argument="x")
        self.y = as_vector(y, place="FormulaMapDisplay", argument="y")
        self.values = as_matrix(values, place="FormulaMapDisplay", argument="values", finite=False)
        if self.values.shape != (self.y.size, self.x.size):
            raise InputError(
                sentence(
                    "FormulaMapDisplay",
                    "values",
                    f"have shape (n_y, n_x) = ({self.y.size}, {self.x.size})",
                    f"shape {self.values.shape}",
                    remedy="Transpose the values or check the grid.",
                )
            )
        self.in_domain = None if in_domain is None else np.asarray(in_domain, dtype=bool)
        self.points = points
        self.x_name, self.y_name, self.name, self.unit, self.held = x_name, y_name, name, unit, held

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        target: ArrayLike | None = None,
        *,
        x: str,
        y: str,
        n_grid: int = 60,
        name: str = "property",
        unit: str | None = None,
        units: dict[str, str | None] | None = None,
    ) -> Self:
        """Map of a fitted regressor over two columns of the table ``X``, the others held at their medians."""
        import warnings

        import pandas as pd

        medians = X.median()
        grids = [_grid(X[column], n_grid) for column in (x, y)]
        inner, outer = np.meshgrid(*grids)
        rows = pd.DataFrame({column: np.full(inner.size, medians[column]) for column in X.columns})
        rows[x], rows[y] = inner.ravel(), outer.ravel()
        with warnings.catch_warnings():
            # Leaving the learned range is what the hatching shows.
            warnings.simplefilter("ignore")
            values = np.asarray(estimator.predict(rows), dtype=float).reshape(inner.shape)
            applicable = estimator.applicability(rows) if hasattr(estimator, "applicability") else None
        in_domain = (
            None if applicable is None else np.asarray(applicable["in_domain"], bool).reshape(inner.shape)
        )
        others = [column for column in X.columns if column not in (x, y)]
        shown = ", ".join(f"{column} = {medians[column]:.4g}" for column in others[:3])
        held = f"{shown}{', …' if len(others) > 3 else ''}" if others else ""
        units = units or {}
        return cls(
            *grids,
            values,
            in_domain=in_domain,
            points=None if target is None else (X[x], X[y], target),
            x_name=axis_label(x, units.get(x)),
            y_name=axis_label(y, units.get(y)),
            name=name,
            unit=unit,
            held=held,
        )

    def _draw(self, ax: Any) -> None:
        low, high = self._limits()
        extent = (self.x[0], self.x[-1], self.y[0], self.y[-1])
        look = {"cmap": "cividis", "vmin": low, "vmax": high}
        image = ax.imshow(
            self.values, origin="lower", aspect="auto", extent=extent, interpolation="bilinear", **look
        )
        if self.in_domain is not None and not self.in_domain.all():
            outside = np.where(self.in_domain, np.nan, 1.0)
            ax.contourf(self.x, self.y, outside, levels=[0.5, 1.5], colors=["#ffffff60"], hatches=["///"])
        if self.points is not None:
            along_x, along_y, measured = self.points
            ax.scatter(
                along_x, along_y, c=measured, s=28, edgecolors="#ffffff", linewidths=0.8, zorder=3, **look
            )
        bar = ax.figure.colorbar(image, ax=ax)
        bar.outline.set_visible(False)
        bar.set_label(readable(axis_label(self.name, self.unit)), color=INK)
        bar.ax.tick_params(labelsize=8, labelcolor=INK, length=2)
        title = "hatched: outside the learned range" if self.in_domain is not None else ""
        title = f"{title}\nheld: {self.held}" if self.held else title
        dress(ax, x=self.x_name, y=self.y_name, grid="")
        ax.set_title(readable(title), color=INK, fontsize=8.5, loc="left")

    def _limits(self) -> tuple[float, float]:
        """Color range: that of the measured rows, a little widened, or the middle 96 % of the map."""
        if self.points is not None:
            measured = np.asarray(self.points[2], dtype=float)
            pad = 0.1 * np.ptp(measured)
            return float(measured.min() - pad), float(measured.max() + pad)
        inside = self.values[np.isfinite(self.values)]
        low, high = np.quantile(inside, [0.02, 0.98]) if inside.size else (0.0, 1.0)
        return float(low), float(high)


def _grid(column: Any, n_grid: int) -> np.ndarray:
    """Even grid over a column's range, widened by a tenth so the border of the learned range is seen."""
    low, high = float(column.min()), float(column.max())
    pad = 0.1 * ((high - low) or abs(high) or 1.0)
    return np.linspace(low - pad, high + pad, n_grid)
