"""Map of a composition-spread library: property over composition, positions, and the next libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, INK, MUTED, VERMILION, axis_label, dress, readable

__all__ = ["LibraryMapDisplay"]

Array = NDArray[np.float64]

#: Height of a triangle of edge 1; marks along an edge.
_HEIGHT, _MARKS = float(np.sqrt(3.0) / 2.0), 5
_SHOWN = ("mean", "std")


class LibraryMapDisplay(Display):
    """Property of a library over two or three corners, drift taken off.

    Parameters
    ----------
    grid : DataFrame
        Amounts of the corners, ``mean``, ``std`` and ``known``.
    positions : DataFrame
        Amounts of the corners, ``value``, ``mean`` and ``probability``; ``error`` where there is one.
    corners : sequence of str
        Two or three columns of both.
    origin : array-like of shape (n_corners,), optional
        Least amount of every corner in the drawing; 0 when left out.
    total : float, default=1.0
        Sum of the corners.
    boxes : sequence of pairs of array-like of shape (n_corners,)
        Low and high ends of libraries to come.
    name, unit : str
        Of the property.
    show : {"mean", "std"}, default="mean"
        What the color of a triangle stands for.

    Notes
    -----
    Compositions that the results do not reach (column ``known``) stay blank.
    Dots are the larger, the more probable it is that they are the best; a ring marks the best expected one.
    Of a box over components that share a corner the sums are drawn.

    Examples
    --------
    >>> import pandas as pd
    >>> grid = pd.DataFrame({"A": [0.0, 0.5, 1.0], "B": [1.0, 0.5, 0.0], "mean": [1.0, 2.0, 1.5], "std": 0.1})
    >>> dots = pd.DataFrame({"A": [0.5], "B": [0.5], "value": [2.1], "mean": [2.0], "probability": [1.0]})
    >>> shown = LibraryMapDisplay(grid.assign(known=True), dots, ["A", "B"], name="Ms", unit="T")
    >>> shown.best, shown.to_svg().startswith("<svg")
    (0, True)
    """

    size = (5.6, 4.8)

    def __init__(
        self,
        grid: pd.DataFrame,
        positions: pd.DataFrame,
        corners: Sequence[str],
        *,
        origin: ArrayLike | None = None,
        total: float = 1.0,
        boxes: Sequence[tuple[ArrayLike, ArrayLike]] = (),
        name: str = "",
        unit: str | None = None,
        show: str = "mean",
        best: int | None = None,
    ):
        self.corners = [str(corner) for corner in corners]
        if len(self.corners) not in (2, 3):
            raise InputError(
                sentence("LibraryMapDisplay", "corners", "be two or three", self.corners,
                         remedy="Join components: LibraryMap.map(corners=['A', 'B', ['C', 'D']]).")
            )  # fmt: skip
        for argument, frame, wanted in (
            ("grid", grid, [*self.corners, "mean", "std", "known"]),
            ("positions", positions, [*self.corners, "value", "mean", "probability"]),
        ):
            missing = [column for column in wanted if column not in frame.columns]
            if missing:
                raise InputError(
                    sentence("LibraryMapDisplay", argument, f"have the columns {wanted}", missing[0],
                             remedy="Add this column.")
                )  # fmt: skip
        if show not in _SHOWN:
            raise InputError(sentence("LibraryMapDisplay", "show", f"be one of {', '.join(_SHOWN)}", show))
        self.grid, self.positions = grid, positions
        self.origin = np.zeros(len(self.corners)) if origin is None else np.asarray(origin, dtype=float)
        self.total, self.name, self.unit, self.show = float(total), name, unit, show
        self.boxes = [(np.asarray(low, dtype=float), np.asarray(high, dtype=float)) for low, high in boxes]
        self.best = int(np.argmax(positions["mean"])) if best is None else int(best)
        if len(self.corners) == 2:
            self.size = (5.6, 3.8)

    @classmethod
    def from_map(
        cls, record: Any, libraries: Sequence[Any] = (), *, best: Any = None, show: str = "mean"
    ) -> Self:
        """Drawing of what ``LibraryMap.map`` gives.

        Parameters
        ----------
        record : LibraryGrid or LibraryMap
            A fitted map of two or three components is asked for its grid.
        libraries : sequence of NextLibrary
        best : LibraryBest, optional
            Position with a ring; the largest mean when left out.
        show : {"mean", "std"}
        """
        if callable(getattr(record, "map", None)):
            best = record.best_ if best is None else best
            record = record.map()
        groups: Mapping[str, Sequence[str]] = record.groups or {name: (name,) for name in record.corners}
        boxes = [
            tuple([sum(end[part] for part in groups[corner]) for corner in record.corners]
                  for end in (library.low, library.high))
            for library in libraries
        ]  # fmt: skip
        return cls(
            record.grid, record.positions, record.corners, origin=record.origin, total=record.total,
            boxes=boxes, name=record.name, unit=record.unit, show=show,  # type: ignore[arg-type]
            best=None if best is None else best.row,
        )  # fmt: skip

    def _draw(self, ax: Any) -> None:
        if len(self.corners) == 2:
            self._draw_line(ax)
        else:
            self._draw_triangle(ax)

    # --- two corners ---------------------------------------------------------------------------------

    def _draw_line(self, ax: Any) -> None:
        """Mean and band over the amount of the first corner."""
        first = self.corners[0]
        grid = self.grid.sort_values(first)
        amount, mean, std = (grid[column].to_numpy() for column in (first, "mean", "std"))
        known = grid["known"].to_numpy(dtype=bool)
        for low, high in self.boxes:
            ax.axvspan(low[0], high[0], color=VERMILION, alpha=0.12, linewidth=0)
        ax.fill_between(amount, mean - std, mean + std, where=known, color=BLUE, alpha=0.18, linewidth=0)
        ax.plot(amount, np.where(known, mean, np.nan), color=BLUE, label="mean ± sd, drift taken off")
        dots = self.positions
        if "error" in dots and (dots["error"] > 0).any():
            ax.errorbar(
                dots[first], dots["value"], yerr=dots["error"], fmt="none", ecolor=MUTED, elinewidth=0.8
            )
        ax.scatter(
            dots[first], dots["value"], s=self._areas(), color=INK, linewidths=0, zorder=3, label="measured"
        )
        best = dots.iloc[self.best]
        ring = {"facecolors": "none", "edgecolors": VERMILION, "linewidths": 1.4}
        ax.scatter([best[first]], [best["mean"]], s=110, zorder=4, label="best expected", **ring)
        ax.legend(loc="best", handlelength=1.2)
        dress(ax, x=readable(first, 40), y=axis_label(self.name, self.unit))

    # --- three corners -------------------------------------------------------------------------------

    def place(self, amounts: ArrayLike) -> Array:
        """Points of the drawing, shape (n, 2), for amounts of the three corners."""
        share = (np.atleast_2d(np.asarray(amounts, dtype=float)) - self.origin) / self._edge
        return np.column_stack([share[:, 1] + 0.5 * share[:, 2], _HEIGHT * share[:, 2]])

    @property
    def _edge(self) -> float:
        """Amount along an edge of the triangle."""
        return self.total - float(self.origin.sum())

    def _draw_triangle(self, ax: Any) -> None:
        """Field, positions, boxes and frame."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.tri import Triangulation

        ax.set_axis_off()
        ax.set_aspect("equal")
        known = self.grid["known"].to_numpy(dtype=bool)
        field = self.grid[self.show].to_numpy(dtype=float)
        dots = self.positions
        value = dots["value"].to_numpy(dtype=float)
        shown = np.concatenate([field[known], value[np.isfinite(value)] if self.show == "mean" else []])
        low, high = (0.0, 1.0) if not len(shown) else (float(shown.min()), float(shown.max()))
        scale = Normalize(low, high if high > low else low + 1.0)
        at = self.place(self.grid[self.corners])
        if known.sum() >= 3:
            mesh = Triangulation(*at.T)
            mesh.set_mask(~known[mesh.triangles].all(axis=1))
            if not mesh.mask.all():
                ax.tripcolor(mesh, field, shading="gouraud", cmap="cividis", norm=scale, rasterized=True)
        self._draw_positions(ax, value, scale)
        for k, (below, above) in enumerate(self.boxes):
            polygon = self.place(_box_corners(below, above, self.origin, self._edge))
            if len(polygon) > 2:
                ax.fill(*polygon.T, facecolor="none", edgecolor=VERMILION, linewidth=1.6, zorder=5,
                        label="next library" if k == 0 else None)  # fmt: skip
        self._draw_frame(ax)
        bar = ax.figure.colorbar(
            ScalarMappable(scale, "cividis"), ax=ax, pad=0.04, fraction=0.04, shrink=0.75
        )
        words = axis_label(self.name, self.unit)
        bar.set_label(readable(words if self.show == "mean" else f"sd of {words}"), color=INK)
        bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=8)
        bar.outline.set_visible(False)
        ax.legend(loc="upper left", bbox_to_anchor=(-0.05, 1.05), handletextpad=0.3)

    def _draw_positions(self, ax: Any, value: Array, scale: Any) -> None:
        """Measured positions in the color of their value, the others hollow."""
        at = self.place(self.positions[self.corners])
        measured, area = np.isfinite(value), self._areas()
        color = {"c": value[measured], "cmap": "cividis", "norm": scale}
        if self.show != "mean":
            color = {"color": "white"}
        ax.scatter(*at[measured].T, s=area[measured], edgecolors=INK, linewidths=0.5, zorder=3, **color,
                   label="measured, drift taken off")  # fmt: skip
        if not measured.all():
            hollow = {"facecolors": "none", "edgecolors": MUTED, "linewidths": 0.7}
            ax.scatter(*at[~measured].T, s=area[~measured], zorder=3, label="not measured", **hollow)
        ring = {"facecolors": "none", "edgecolors": VERMILION, "linewidths": 1.5}
        ax.scatter(*at[[self.best]].T, s=150, zorder=4, label="best expected", **ring)

    def _areas(self) -> Array:
        """Sizes of dots, by the probability of being best."""
        chance = self.positions["probability"].to_numpy(dtype=float)
        base = 16.0 if len(chance) <= 300 else 8.0
        return base * (1.0 + 4.0 * np.sqrt(np.clip(chance, 0.0, 1.0)))

    def _draw_frame(self, ax: Any) -> None:
        """Edges, marks along them and names of the corners."""
        tips = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, _HEIGHT]])
        ax.plot(*np.vstack([tips, tips[:1]]).T, color=MUTED, linewidth=0.9, zorder=2)
        # corner k grows from the edge opposite to it; its marks stand on the edge that ends in it
        away = np.array([[-0.035, 0.02], [0.02, -0.035], [0.035, 0.02]])
        for k in range(3):
            start, end = tips[k - 1], tips[k]
            for step in np.linspace(0.0, 1.0, _MARKS + 1)[1:-1]:
                x, y = start + step * (end - start)
                text = f"{self.origin[k] + step * self._edge:.3g}"
                ax.plot([x], [y], ".", color=MUTED, markersize=3, zorder=2)
                ax.text(
                    x + away[k, 0], y + away[k, 1], text, fontsize=7, color=MUTED, ha="center", va="center"
                )
        names = [readable(corner, 24) for corner in self.corners]
        for (x, y), name, down in zip(tips, names, (True, True, False), strict=True):
            ax.text(
                x, y + (-0.06 if down else 0.04), name, ha="center", va="top" if down else "bottom", color=INK
            )
        ax.set_xlim(-0.12, 1.12)
        ax.set_ylim(-0.14, _HEIGHT + 0.1)


def _box_corners(low: Array, high: Array, origin: Array, edge: float) -> Array:
    """Corners of the part of a triangle between ends, by cutting it along every end, shape (n, 3)."""
    polygon = origin + edge * np.eye(3)
    for k in range(3):
        for sign, end in ((1.0, low[k]), (-1.0, high[k])):
            depth = sign * (polygon[:, k] - end)
            cut = []
            for point, after, a, b in zip(
                polygon, np.roll(polygon, -1, axis=0), depth, np.roll(depth, -1), strict=True
            ):
                if a >= 0:
                    cut.append(point)
                if (a > 0 > b) or (a < 0 < b):
                    cut.append(point + a / (a - b) * (after - point))
            if not cut:
                return np.empty((0, 3))
            polygon = np.array(cut)
    return polygon
