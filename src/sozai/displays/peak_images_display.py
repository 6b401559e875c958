"""All images of a map on one sheet: a row for every peak, a column for every quantity, quality below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import (
    BLUE,
    GRID,
    INK,
    MUTED,
    axis_label,
    blank_figure,
    dress,
    house_style,
    readable,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PeakImagesDisplay"]

Array = NDArray[np.float64]

_DRAWN = ("position", "fwhm", "area")
_HEADS = {"fwhm": "FWHM"}
#: Colors of the states of a pixel, fine first.
_STATES = ("#d7e9f4", "#e69f00", "#d55e00", "#9aa3ad", "#5c6773", "#cc79a7", "#1b2027")
#: Quantiles at the ends of the colors.
_SPAN = (0.01, 0.99)


class PeakImagesDisplay(Display):
    """Small images of position, width and area of every peak, of the deviance, and of the state of pixels.

    Images of one row belong to one peak, those of one column show one quantity, each with its own colors
    between the 1 % and 99 % quantiles. Pixels without a value are gray. A series of spectra gives
    lines in the place of images.

    Parameters
    ----------
    images : mapping of (str, str) to array-like of shape (ny, nx) or (m,)
        By label of the peak and name of the quantity.
    units : mapping of str to str, optional
        By name of the quantity.
    errors : mapping like ``images``, optional
        Drawn as bands along a series.
    quality : array-like of the same shape, optional
        Deviance per degree of freedom.
    status : array-like of int of the same shape, optional
    states : sequence of str
        Names of the codes of ``status``.

    See Also
    --------
    sozai.displays.PeakMapDisplay : One of these images, large.

    Examples
    --------
    >>> images = {("peak 1", "position"): [[284.8, 284.9]], ("peak 1", "area"): [[900.0, float("nan")]]}
    >>> sheet = PeakImagesDisplay(images, units={"position": "eV"}, status=[[0, 4]])
    >>> sheet.labels, sheet.quantities, sheet.n_panels
    (('peak 1',), ('position', 'area'), 3)
    """

    def __init__(
        self,
        images: Mapping[tuple[str, str], ArrayLike],
        *,
        units: Mapping[str, str | None] | None = None,
        errors: Mapping[tuple[str, str], ArrayLike] | None = None,
        quality: ArrayLike | None = None,
        status: ArrayLike | None = None,
        states: Sequence[str] = ("ok", "max iter", "numerical", "empty", "dead", "unmatched", "failed"),
    ):
        self.images = {key: np.asarray(image, dtype=np.float64) for key, image in images.items()}
        self.errors = {key: np.asarray(image, dtype=np.float64) for key, image in (errors or {}).items()}
        self.quality = None if quality is None else np.asarray(quality, dtype=np.float64)
        self.status = None if status is None else np.asarray(status, dtype=np.int64)
        every = [*self.images.values(), self.quality, self.status]
        shapes = {image.shape for image in every if image is not None}
        if len(shapes) != 1 or len(next(iter(shapes))) not in (1, 2):
            raise InputError(
                sentence(
                    "PeakImagesDisplay", "images", "have one shape, (ny, nx) or (m,)",
                    f"{len(shapes)} shapes: {', '.join(map(str, sorted(shapes)))}",
                    remedy="Take all of them from one map.",
                )
            )  # fmt: skip
        self.shape: tuple[int, ...] = next(iter(shapes))
        self.labels = tuple(dict.fromkeys(label for label, _ in self.images))
        self.quantities = tuple(dict.fromkeys(name for _, name in self.images))
        self.units, self.states = dict(units or {}), tuple(states)
        ny, nx = self.shape if len(self.shape) == 2 else (9, 16)
        tall = float(np.clip(2.4 * ny / nx, 0.9, 3.2))
        rows, columns = self._grid
        self.size = (3.1 * columns + 0.6, (tall + 0.35) * rows + 0.5)

    @classmethod
    def from_map(cls, found: Any) -> Self:
        """Display of a record with ``labels``, ``parameters``, ``image(name)``, ``units()``, ``status``."""
        keys = [(label, name) for label in found.labels for name in _DRAWN if name in found.parameters]
        told = found.units()
        units = {name: told.get(f"{label}.{name}") for label, name in keys}
        errors = {}
        if len(found.shape) == 1:
            errors = {key: found.image(".".join(key), error=True) for key in keys}
        return cls(
            {key: found.image(".".join(key)) for key in keys},
            units={name: unit for name, unit in units.items() if unit not in ("", "1", "axis unit")},
            errors=errors,
            quality=found.image("reduced_deviance"),
            status=np.asarray(found.status).reshape(found.shape),
        )

    @property
    def n_panels(self) -> int:
        """Images on the sheet."""
        return len(self.images) + (self.quality is not None) + (self.status is not None)

    @property
    def _grid(self) -> tuple[int, int]:
        """Rows and columns of the sheet."""
        below = (self.quality is not None) + (self.status is not None)
        return len(self.labels) + (below > 0), max(len(self.quantities), below, 1)

    def to_figure(self) -> Figure:
        """Draw on a figure that belongs to no window; for files and reports."""
        with house_style():
            figure = blank_figure(*self.size, interactive=False)
            self._draw_on(figure, figure.add_gridspec(*self._grid))
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # laid out once, however often it is written
        return figure

    def _draw(self, ax: Any) -> None:
        """Let the sheet take the place of the axes."""
        ax.set_axis_off()
        spec = ax.get_subplotspec()
        if spec is None:
            box = ax.get_position()
            grid = ax.figure.add_gridspec(*self._grid, left=box.x0, right=box.x1, bottom=box.y0, top=box.y1)
        else:
            grid = spec.subgridspec(*self._grid)
        self._draw_on(ax.figure, grid)

    def _draw_on(self, figure: Any, grid: Any) -> None:
        """One panel after another."""
        below = self._grid[0] - 1
        for (label, name), image in self.images.items():
            place = figure.add_subplot(grid[self.labels.index(label), self.quantities.index(name)])
            title = _HEADS.get(name, name) if len(self.labels) == 1 else f"{label}: {_HEADS.get(name, name)}"
            titled = axis_label(title, self.units.get(name))
            self._panel(place, image, titled, self.errors.get((label, name)))
        if self.quality is not None:
            place = figure.add_subplot(grid[below, 0])
            self._panel(place, self.quality, "deviance per degree of freedom", None)
        if self.status is not None:
            self._draw_states(figure.add_subplot(grid[below, int(self.quality is not None)]))

    def _panel(self, ax: Axes, values: Array, title: str, errors: Array | None) -> None:
        """One quantity: an image with its colors, or a line with its band."""
        if values.ndim == 1:
            at = np.arange(len(values))
            if errors is not None:
                ax.fill_between(at, values - errors, values + errors, color=BLUE, alpha=0.25, linewidth=0)
            ax.plot(at, values, ".-", color=BLUE, markersize=2.5, linewidth=0.8)
            ax.set_xlim(-0.5, len(values) - 0.5)
            dress(ax, title=title, grid="y")
            ax.title.set_fontsize(9)  # type: ignore[attr-defined]
            return
        from matplotlib import colormaps
        from matplotlib.ticker import MaxNLocator

        finite = values[np.isfinite(values)]
        low, high = (0.0, 1.0)
        if finite.size:
            low, high = (float(end) for end in np.quantile(finite, _SPAN, method="nearest"))
        high = high if low < high else low + 1e-9 * max(abs(low), 1.0)
        image = ax.imshow(
            np.ma.masked_invalid(values), cmap=colormaps["viridis"].with_extremes(bad=GRID), vmin=low,
            vmax=high, interpolation="nearest", aspect="equal",
        )  # fmt: skip
        ends = (bool((finite < low).any()), bool((finite > high).any()))
        beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(ends, "neither")
        bar = ax.figure.colorbar(  # type: ignore[union-attr]
            image, ax=ax, pad=0.02, fraction=0.06, extend=beyond, ticks=MaxNLocator(4)
        )
        self._finish(ax, bar, title)

    def _draw_states(self, ax: Axes) -> None:
        """Which pixels are fine, and what is the matter with the others."""
        assert self.status is not None
        codes = np.unique(self.status).tolist()
        names = [self.states[code] if code < len(self.states) else str(code) for code in codes]
        rank = np.searchsorted(codes, self.status)
        if self.status.ndim == 1:
            ax.plot(np.arange(len(rank)), rank, ".", color=INK, markersize=3)
            ax.set_xlim(-0.5, len(rank) - 0.5)
            dress(ax, title="status", grid="")
            ax.set_yticks(range(len(codes)), [readable(name) for name in names])
            ax.title.set_fontsize(9)  # type: ignore[attr-defined]
            return
        from matplotlib.colors import ListedColormap

        colors = ListedColormap([_STATES[code % len(_STATES)] for code in codes])
        image = ax.imshow(
            rank, cmap=colors, vmin=-0.5, vmax=len(codes) - 0.5, interpolation="nearest", aspect="equal"
        )
        bar = ax.figure.colorbar(image, ax=ax, pad=0.02, fraction=0.06, ticks=range(len(codes)))  # type: ignore[union-attr]
        bar.ax.set_yticklabels([readable(name) for name in names])
        self._finish(ax, bar, "status")

    def _finish(self, ax: Axes, bar: Any, title: str) -> None:
        """Quiet ticks and one title; the axes of all images are pixels."""
        bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=7, length=2)
        bar.outline.set_visible(False)
        ax.set_facecolor("none")
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.tick_params(colors=MUTED, labelcolor=MUTED, labelsize=6.5, length=2, width=0.6)
        ax.locator_params(nbins=4, integer=True)
        ax.set_title(readable(title, 44), color=INK, fontsize=9, loc="left")
