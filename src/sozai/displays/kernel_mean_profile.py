"""Kernel-mean profiles: one material beside others, feature by feature, and where their elements differ."""

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
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    VERMILION,
    diverging,
    dress,
    readable,
)

__all__ = ["KernelMeanProfileDisplay"]

_COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, MUTED)
_GAP = 0.25  # between two features, in widths of one


class KernelMeanProfileDisplay(Display):
    """Kernel means of one material and of others: some features as curves, or all of them as a strip.

    A curve is high where the elements of the material lie on the axis of the feature; two materials with
    the same curves in all features are told apart by nothing the table of elements knows.

    Parameters
    ----------
    profiles : array-like of shape (n_materials, n_columns)
        Kernel means; the first row is the material in question.
    features : sequence of str of length n_columns
        Feature of every column; the columns of one feature stand together.
    labels : sequence of str of length n_materials
        What the materials are called.
    shown : int, sequence of str or None, default=None
        Features drawn as curves: that many in which the first material differs most from the others, or
        these. ``None`` draws all as a strip: the first material, below it how the others differ from it.
    values : array-like of shape (n_columns,), optional
        Where each column lies on the axis of its feature.
    units : sequence of str or None, optional
        Of every column.

    See Also
    --------
    sozai.displays.CompositionMapDisplay : Many materials, one point each.

    Examples
    --------
    >>> profiles = [[0.9, 0.1, 0.5, 0.5], [0.1, 0.9, 0.5, 0.6]]
    >>> shown = KernelMeanProfileDisplay(profiles, ["Z", "Z", "r", "r"], ["LiF", "CsI"], shown=1)
    >>> shown.names, shown.chosen
    (('Z', 'r'), ('Z',))
    """

    def __init__(
        self,
        profiles: ArrayLike,
        features: Sequence[str],
        labels: Sequence[str],
        *,
        shown: int | Sequence[str] | None = None,
        values: ArrayLike | None = None,
        units: Sequence[str | None] | None = None,
    ):
        self.profiles = np.atleast_2d(np.asarray(profiles, dtype=np.float64))
        self.features, self.labels = [str(name) for name in features], [str(label) for label in labels]
        shape = (len(self.labels), len(self.features))
        if self.profiles.shape != shape:
            raise InputError(
                sentence(
                    "KernelMeanProfileDisplay", "profiles",
                    f"have a row for each of the {shape[0]} labels and a column for each of the {shape[1]} "
                    "entries of features", f"shape {self.profiles.shape}",
                    remedy="Pass what transform gave, with its features.",
                )
            )  # fmt: skip
        self.values = None if values is None else np.asarray(values, dtype=np.float64)
        self.units = [None] * shape[1] if units is None else list(units)
        self.names = tuple(dict.fromkeys(self.features))
        own = np.array(self.features)
        self._columns = {name: np.flatnonzero(own == name) for name in self.names}
        self.chosen = self._choose(shown)
        n_shown = len(self.chosen or self.names)
        wide = 2.2 + 1.25 * n_shown if self.chosen else 2.2 + 0.17 * n_shown
        tall = 3.4 if self.chosen else 2.4 + 0.26 * len(self.labels)
        self.size = (float(np.clip(wide, 5.2, 13.0)), tall)

    @classmethod
    def from_descriptor(
        cls,
        descriptor: Any,
        formulas: Sequence[Any],
        *,
        labels: Sequence[str] | None = None,
        shown: int | Sequence[str] | None = None,
    ) -> Self:
        """Profiles of formulas by a fitted descriptor with ``transform`` and ``grid_``."""
        profiles, grid = np.asarray(descriptor.transform(list(formulas))), descriptor.grid_
        if profiles.shape[1] != len(grid):
            raise InputError(
                sentence(
                    "KernelMeanProfileDisplay.from_descriptor", "descriptor",
                    f"have one column for each of its {len(grid)} grid points", profiles.shape[1],
                    remedy="Fit it with representation='grid' and without extra columns.",
                )
            )  # fmt: skip
        return cls(
            profiles,
            grid["feature"].to_list(),
            [str(formula) for formula in (formulas if labels is None else labels)],
            shown=shown,
            values=grid["value"].to_numpy(dtype=np.float64),
            units=grid["unit"].to_list(),
        )

    def differences(self) -> dict[str, float]:
        """Root mean squared difference between the first material and the others, feature by feature."""
        gaps = (self.profiles[1:] - self.profiles[0]) ** 2
        if not len(gaps):
            gaps = (self.profiles - self.profiles.mean()) ** 2
        return {name: float(np.sqrt(gaps[:, at].mean())) for name, at in self._columns.items()}

    # --- inside --------------------------------------------------------------------------------------

    def _choose(self, shown: int | Sequence[str] | None) -> tuple[str, ...]:
        """Features drawn as curves; none for a strip."""
        if shown is None:
            return ()
        if isinstance(shown, (int, np.integer)):
            gaps = self.differences()
            order = sorted(self.names, key=lambda name: -gaps[name])[: max(int(shown), 1)]
            return tuple(name for name in self.names if name in order)
        wanted = (shown,) if isinstance(shown, str) else tuple(shown)
        unknown = [name for name in wanted if name not in self._columns]
        if unknown or not wanted:
            raise InputError(
                sentence(
                    "KernelMeanProfileDisplay", "shown", f"name some of the {len(self.names)} features",
                    unknown[0] if unknown else wanted, remedy=f"Choose from {', '.join(self.names[:12])}.",
                )
            )  # fmt: skip
        return wanted

    def _draw(self, ax: Any) -> None:
        if self.chosen:
            self._draw_curves(ax)
        else:
            self._draw_strip(ax)

    def _draw_curves(self, ax: Any) -> None:
        """Curves feature beside feature, each over the span of its own axis."""
        centers, ticks = [], []
        for place, name in enumerate(self.chosen):
            at = self._columns[name]
            x = place * (1.0 + _GAP) + self._along(at)
            for row in range(len(self.labels))[::-1]:
                first = row == 0
                ax.plot(
                    x, self.profiles[row, at], color=_COLORS[min(row, len(_COLORS) - 1)],
                    linewidth=2.2 if first else 1.2, alpha=1.0 if first else 0.8,
                    marker="o" if first else None, markersize=3.5,
                    label=readable(self.labels[row], 40) if place == 0 else None, zorder=4 if first else 3,
                )  # fmt: skip
            if place:
                ax.axvline(place * (1.0 + _GAP) - _GAP / 2, color=GRID, linewidth=0.8)
            centers.append(place * (1.0 + _GAP) + 0.5)
            ticks.append(f"{readable(name, 22)}\n{self._span(at)}")
        ax.set_xticks(centers, ticks)
        ax.tick_params(axis="x", length=0)
        ax.set_ylim(0.0, None)
        ax.set_xlim(-_GAP / 2, len(self.chosen) * (1.0 + _GAP) - _GAP / 2)
        handles, texts = ax.get_legend_handles_labels()
        columns = min(len(texts), max(2, int(self.size[0] // 2)))
        ax.legend(handles[::-1], texts[::-1], loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns)
        dress(ax, y="kernel mean", grid="y")

    def _draw_strip(self, ax: Any) -> None:
        """Every column as a shade: the first material itself, below it what the others have more or less."""
        from matplotlib.colors import LinearSegmentedColormap

        order = np.concatenate([self._columns[name] for name in self.names])
        ends = np.cumsum([len(self._columns[name]) for name in self.names])
        profiles, n_rows, wide = self.profiles[:, order], len(self.labels), (-0.5, len(order) - 0.5)
        shades = LinearSegmentedColormap.from_list("sozai", ["#ffffff", MUTED, INK])
        rest = {"aspect": "auto", "interpolation": "nearest"}
        ax.imshow(profiles[:1], cmap=shades, vmin=0.0, extent=(*wide, 0.5, -0.5), **rest)
        if n_rows > 1:
            gaps = profiles[1:] - profiles[0]
            reach = float(np.abs(gaps).max()) or 1.0
            image = ax.imshow(
                gaps, cmap=diverging(), vmin=-reach, vmax=reach, extent=(*wide, n_rows - 0.5, 0.5), **rest
            )
            bar = ax.figure.colorbar(image, ax=ax, pad=0.01, fraction=0.04)
            bar.set_label(f"less or more than {readable(self.labels[0], 24)}", color=INK)
            bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=8)
            bar.outline.set_visible(False)
        ax.set(xlim=wide, ylim=(n_rows - 0.5, -0.5))
        for end in ends[:-1]:
            ax.axvline(end - 0.5, color=GRID, linewidth=0.6)
        starts = np.concatenate([[0], ends[:-1]])
        names = [readable(name, 24) for name in self.names]
        ax.set_xticks((starts + ends - 1) / 2, names, rotation=90)
        ax.set_yticks(range(n_rows), [readable(label, 34) for label in self.labels])
        dress(ax, grid="")
        ax.tick_params(axis="x", length=0, labelsize=6.5)

    def _along(self, at: np.ndarray) -> np.ndarray:
        """Places of the columns of one feature between 0 and 1."""
        if self.values is None or not np.isfinite(self.values[at]).all() or np.ptp(self.values[at]) == 0:
            return np.linspace(0.0, 1.0, len(at)) if len(at) > 1 else np.array([0.5])
        return (self.values[at] - self.values[at].min()) / np.ptp(self.values[at])

    def _span(self, at: np.ndarray) -> str:
        """From where to where the axis of a feature goes, and its unit."""
        if self.values is None or not np.isfinite(self.values[at]).all():
            return ""
        unit = self.units[at[0]]
        unit = f" {readable(unit, 14)}" if isinstance(unit, str) and unit else ""
        return f"{self.values[at].min():.3g} to {self.values[at].max():.3g}{unit}"
