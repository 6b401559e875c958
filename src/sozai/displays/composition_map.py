"""Map of compositions: formulas as points whose distances say how much their elements differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    VERMILION,
    axis_label,
    dress,
    readable,
)

__all__ = ["CompositionMapDisplay"]

_COLORS = (BLUE, ORANGE, GREEN, PURPLE, "#56b4e9")
_MARKERS = "osD^v"
_N_NAMED = 6  # new formulas that get their name


class CompositionMapDisplay(Display):
    """Formulas in the plane of two coordinates, colored by a property; new ones marked in or out of domain.

    Parameters
    ----------
    points : array-like of shape (n_formulas, 2)
    values : array-like of shape (n_formulas,), optional
        Property, or classes.
    name, unit : str
        What the property is called, and its unit.
    new : array-like of shape (n_new, 2), optional
        Further formulas.
    in_domain : array-like of bool of shape (n_new,), optional
        Whether each lies where known formulas are; all do when left out.
    new_labels : sequence of str, optional
        Their names; the first six outside (or inside, if none is outside) are written.
    shares : pair of float, optional
        Share of the spread along each axis.

    See Also
    --------
    sozai.displays.KernelMeanProfileDisplay : Few materials, all features.

    Examples
    --------
    >>> coordinates = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    >>> shown = CompositionMapDisplay.from_coordinates(coordinates, values=[1.0, 2.0, 3.0], name="gap")
    >>> shown.points.shape, [round(share, 3) for share in shown.shares]
    ((3, 2), [0.861, 0.139])
    """

    size = (5.8, 4.4)

    def __init__(
        self,
        points: ArrayLike,
        *,
        values: ArrayLike | None = None,
        name: str = "",
        unit: str | None = None,
        new: ArrayLike | None = None,
        in_domain: ArrayLike | None = None,
        new_labels: Sequence[str] | None = None,
        shares: Sequence[float] | None = None,
    ):
        self.points = _pairs(points, "points")
        self.new = np.empty((0, 2)) if new is None else _pairs(new, "new")
        self.values = None if values is None else np.asarray(values)
        everywhere = np.ones(len(self.new))
        self.in_domain = np.asarray(everywhere if in_domain is None else in_domain, dtype=bool)
        self.new_labels = None if new_labels is None else [str(label) for label in new_labels]
        for argument, given, n in (
            ("values", self.values, len(self.points)),
            ("in_domain", self.in_domain, len(self.new)),
            ("new_labels", self.new_labels, len(self.new)),
        ):
            if given is not None and len(given) != n:
                raise InputError(
                    sentence(
                        "CompositionMapDisplay", argument, f"have one entry per point ({n})", len(given),
                        remedy="Take both from the same rows.",
                    )
                )  # fmt: skip
        self.name, self.unit = name, unit
        self.shares = None if shares is None else tuple(float(share) for share in shares)

    @classmethod
    def from_coordinates(
        cls, coordinates: ArrayLike, *, new_coordinates: ArrayLike | None = None, **options: Any
    ) -> Self:
        """Map along the first two principal axes of coordinates of any number of columns.

        Parameters
        ----------
        coordinates : array-like of shape (n_formulas, n_columns)
            Isometric coordinates, whose distances are those of the compositions.
        new_coordinates : array-like of shape (n_new, n_columns), optional
            Placed on the same axes.
        **options
            As for the class.

        Returns
        -------
        CompositionMapDisplay
        """
        known = np.atleast_2d(np.asarray(coordinates, dtype=np.float64))
        center, axes, shares = _principal_axes(known)
        new = None if new_coordinates is None else (np.asarray(new_coordinates) - center) @ axes
        return cls((known - center) @ axes, new=new, shares=shares, **options)

    @property
    def is_class(self) -> bool:
        """Whether the property holds classes."""
        return self.values is not None and self.values.dtype.kind not in "fiu"

    def _draw(self, ax: Any) -> None:
        n = len(self.points)
        self._size = 22.0 if n <= 300 else 9.0 if n <= 3000 else 3.0
        if self.values is None:
            self._scatter(ax, self.points, BLUE, label=f"{n} formulas" if len(self.new) else None)
        elif self.is_class:
            self._draw_classes(ax)
        else:
            self._draw_values(ax)
        self._draw_new(ax)
        shares = self.shares or (None, None)
        labels = [
            f"principal axis {k}" + ("" if share is None else f" ({100 * share:.0f} % of the spread)")
            for k, share in enumerate(shares, start=1)
        ]
        ax.set_aspect("equal", adjustable="datalim")
        if ax.get_legend_handles_labels()[1]:
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, handletextpad=0.2)
        dress(ax, x=labels[0], y=labels[1])

    def _scatter(self, ax: Any, points: np.ndarray, color: Any, **options: Any) -> Any:
        rest = {"s": self._size, "linewidths": 0, "alpha": 0.8, "zorder": 3}
        kind = {"c": color} if isinstance(color, np.ndarray) else {"color": color}
        return ax.scatter(points[:, 0], points[:, 1], rasterized=len(points) > 3000, **rest | kind | options)

    def _draw_values(self, ax: Any) -> None:
        """Color by a number; the scale leaves out the outermost hundredths."""
        values = np.asarray(self.values, dtype=np.float64)
        missing = ~np.isfinite(values)
        if missing.any():
            self._scatter(ax, self.points[missing], MUTED, alpha=0.3, label="no value")
        if missing.all():
            return
        low, high = np.percentile(values[~missing], [1, 99])
        drawn = self._scatter(
            ax, self.points[~missing], values[~missing], cmap="cividis", vmin=low, vmax=high
        )
        extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
        beyond = (bool(np.nanmin(values) < low), bool(np.nanmax(values) > high))
        bar = ax.figure.colorbar(drawn, ax=ax, pad=0.02, fraction=0.05, extend=extend[beyond])
        bar.set_label(readable(axis_label(self.name, self.unit)), color=INK)
        bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=8)
        bar.outline.set_visible(False)

    def _draw_classes(self, ax: Any) -> None:
        """Color and mark by class, the most frequent five; the others gray. Rare classes lie on top."""
        labels = np.array([str(label) for label in self.values])  # type: ignore[union-attr]
        names, counts = np.unique(labels, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        for k, at in enumerate(order[: len(_COLORS)]):
            mine = labels == names[at]
            self._scatter(
                ax, self.points[mine], _COLORS[k], marker=_MARKERS[k], label=readable(names[at], 24),
                zorder=3 + k / 10,
            )  # fmt: skip
        if len(order) > len(_COLORS):
            other = np.isin(labels, names[order[len(_COLORS) :]])
            more = f"{len(order) - len(_COLORS)} other classes"
            self._scatter(ax, self.points[other], MUTED, alpha=0.5, label=more)

    def _draw_new(self, ax: Any) -> None:
        """Rings inside the domain, crosses outside, some with their names."""
        inside, outside = self.in_domain, ~self.in_domain
        if inside.any():
            ax.scatter(
                self.new[inside, 0], self.new[inside, 1], s=42, facecolors="none", edgecolors=INK,
                linewidths=1.1, label=f"{int(inside.sum())} new, in the domain", zorder=5,
            )  # fmt: skip
        if outside.any():
            ax.scatter(
                self.new[outside, 0], self.new[outside, 1], s=42, marker="x", color=VERMILION,
                linewidths=1.4, label=f"{int(outside.sum())} new, outside", zorder=5,
            )  # fmt: skip
        if self.new_labels is None:
            return
        for at in np.flatnonzero(outside if outside.any() else inside)[:_N_NAMED]:
            ax.annotate(
                readable(self.new_labels[at], 24), self.new[at], xytext=(4, 4), textcoords="offset points",
                fontsize=7.5, color=INK, zorder=6,
            )  # fmt: skip


def _pairs(points: ArrayLike, argument: str) -> np.ndarray:
    """Finite points of a plane, shape (n, 2)."""
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        shown = f"shape {array.shape}" if array.ndim != 2 or array.shape[1] != 2 else "NaN or infinity"
        raise InputError(
            sentence(
                "CompositionMapDisplay", argument, "be finite numbers of shape (n, 2)", shown,
                remedy="Use from_coordinates for coordinates of more columns; leave unread formulas out.",
            )
        )  # fmt: skip
    return array


def _principal_axes(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Center, two axes as columns (largest entry positive), and the share of the spread along each."""
    center = known.mean(axis=0)
    _, vectors = np.linalg.eigh((known - center).T @ (known - center))
    axes = vectors[:, ::-1][:, :2]
    if axes.shape[1] < 2:
        axes = np.column_stack([axes, np.zeros(len(axes))])
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), range(2)])
    axes = axes * np.where(signs == 0, 1.0, signs)
    spread = ((known - center) ** 2).sum()
    along = (((known - center) @ axes) ** 2).sum(axis=0) / (spread if spread > 0 else 1.0)
    return center, axes, (float(along[0]), float(along[1]))
