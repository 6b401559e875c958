"""One number of one peak over an image of spectra: color by value, gray where there is none."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GRID, INK, MUTED, axis_label, dress, readable

__all__ = ["PeakMapDisplay"]


class PeakMapDisplay(Display):
    """Image of a position, width or area; a line where the spectra are a series.

    Colors span the values between two quantiles, so that a few failed pixels do not hide the rest;
    values beyond them take the end colors. Pixels without a value are gray.

    Parameters
    ----------
    values : array-like of shape (ny, nx) or (m,)
        NaN where there is none.
    name, unit : str
        What is drawn, and its unit.
    errors : array-like of the same shape, optional
        Standard errors; drawn as a band along a series.
    span : pair of float, default=(0.01, 0.99)
        Quantiles at the two ends of the colors.

    See Also
    --------
    sozai.displays.PeakDisplay : One spectrum with its peaks.

    Examples
    --------
    >>> shown = PeakMapDisplay([[284.8, 284.9], [285.0, float("nan")]], name="C-C position", unit="eV")
    >>> shown.n_missing, [round(end, 2) for end in shown.limits]
    (1, [284.8, 285.0])
    """

    def __init__(
        self,
        values: ArrayLike,
        *,
        name: str = "value",
        unit: str | None = None,
        errors: ArrayLike | None = None,
        span: tuple[float, float] = (0.01, 0.99),
    ):
        self.values = np.asarray(values, dtype=np.float64)
        if self.values.ndim not in (1, 2) or not self.values.size:
            raise InputError(
                sentence(
                    "PeakMapDisplay", "values", "have the shape (ny, nx) or (m,)",
                    f"shape {self.values.shape}", remedy="Take image(...) of a map.",
                )
            )  # fmt: skip
        self.errors = None if errors is None else np.asarray(errors, dtype=np.float64)
        if self.errors is not None and self.errors.shape != self.values.shape:
            raise InputError(
                sentence(
                    "PeakMapDisplay", "errors", f"have the shape of values {self.values.shape}",
                    f"shape {self.errors.shape}", remedy="Take both from the same map.",
                )
            )  # fmt: skip
        if not 0.0 <= span[0] < span[1] <= 1.0:
            raise InputError(
                sentence("PeakMapDisplay", "span", "be two rising quantiles from 0 to 1", tuple(span))
            )
        self.name, self.unit, self.span = name, unit, tuple(span)
        ny, nx = self.values.shape if self.values.ndim == 2 else (3, 5)
        wide = float(np.clip(4.0 * (nx / ny) ** 0.5, 3.0, 7.0))
        self.size = (wide + 1.2, float(np.clip(wide * ny / nx, 1.8, 6.5)) + 0.7)

    @classmethod
    def from_map(cls, found: Any, name: str, *, unit: str | None = None, **options: Any) -> Self:
        """Display of a record with ``image(name)``, such as ``"C-O.position"``."""
        return cls(found.image(name), name=name, unit=unit, **options)

    @property
    def n_missing(self) -> int:
        """Pixels without a value."""
        return int(np.count_nonzero(~np.isfinite(self.values)))

    @property
    def limits(self) -> tuple[float, float]:
        """Values at the two ends of the colors."""
        finite = self.values[np.isfinite(self.values)]
        if not finite.size:
            return 0.0, 1.0
        low, high = (float(end) for end in np.quantile(finite, self.span, method="nearest"))
        return (low, high) if low < high else (low - 0.5, high + 0.5)

    def _draw(self, ax: Any) -> None:
        if self.values.ndim == 1:
            self._draw_series(ax)
        else:
            self._draw_image(ax)

    def _draw_image(self, ax: Any) -> None:
        """Draw the picture, a bar of its colors, and how many pixels have none."""
        from matplotlib import colormaps

        low, high = self.limits
        colors = colormaps["viridis"].with_extremes(bad=GRID)
        image = ax.imshow(
            np.ma.masked_invalid(self.values), cmap=colors, vmin=low, vmax=high, interpolation="nearest",
            aspect="equal",
        )  # fmt: skip
        finite = self.values[np.isfinite(self.values)]
        beyond = "neither"
        if finite.size:
            ends = (bool((finite < low).any()), bool((finite > high).any()))
            beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(ends, "neither")
        bar = ax.figure.colorbar(image, ax=ax, pad=0.02, fraction=0.05, extend=beyond)
        bar.set_label(readable(axis_label(self.name, self.unit)), color=INK)
        bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=8)
        bar.outline.set_visible(False)
        note = (
            f"pixel; {self.n_missing:,} of {self.values.size:,} have no value" if self.n_missing else "pixel"
        )
        dress(ax, x=note, y="pixel", grid="")

    def _draw_series(self, ax: Any) -> None:
        """Draw a line along the series with its band of one standard error."""
        at = np.arange(len(self.values))
        if self.errors is not None:
            low, high = self.values - self.errors, self.values + self.errors
            ax.fill_between(at, low, high, color=BLUE, alpha=0.25, linewidth=0)
        ax.plot(at, self.values, ".-", color=BLUE, markersize=3.5, linewidth=0.9)
        note = f"spectrum; {self.n_missing:,} have no value" if self.n_missing else "spectrum"
        dress(ax, x=note, y=axis_label(self.name, self.unit))
