"""Class map: the samples where a law separates them, along its one formula or in the plane of two."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GREEN, INK, ORANGE, PURPLE, VERMILION, dress, readable

__all__ = ["ClassMapDisplay"]

_COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE)
_MARKERS = "osD^v"
_REACH = 3.0  # interquartile ranges from the quartiles of a class that the frame shows


class ClassMapDisplay(Display):
    """Samples by class along one formula or in the plane of two, each region in the color of its class.

    Parameters
    ----------
    values : array-like of shape (n_terms, n_samples)
        One or two formulas, a row each.
    labels : array-like of shape (n_samples,)
        Classes.
    names : sequence of str
        The formulas as text.
    classes : sequence, optional
        Order of the classes; ascending when left out.
    region : callable, optional
        ``region(values)`` with values of shape (n_terms, n) gives the place in
        ``classes`` of the class predicted there; without it no region is drawn.
    title : str
        The rule.

    Attributes
    ----------
    n_outside : int
        Samples outside the frame, which ends three interquartile ranges beyond the
        quartiles of the classes.

    See Also
    --------
    sklearn.inspection.DecisionBoundaryDisplay : The same in the plane of two given columns.

    Examples
    --------
    >>> shown = ClassMapDisplay([[1.0, 2.0, 3.0]], ["a", "b", "b"], ["r_A/r_B"])
    >>> shown.classes, shown.n_outside
    (('a', 'b'), 0)
    """

    size = (5.4, 4.0)

    def __init__(
        self,
        values: ArrayLike,
        labels: ArrayLike,
        names: Any,
        *,
        classes: Any = None,
        region: Any = None,
        title: str = "",
    ):
        self.values = np.atleast_2d(np.asarray(values, dtype=np.float64))
        self.labels = np.asarray(labels)
        self.names = tuple(str(name) for name in names)
        if len(self.values) not in (1, 2) or self.values.shape[1] != self.labels.size:
            raise InputError(
                sentence(
                    "ClassMapDisplay",
                    "values",
                    f"hold one or two formulas of {self.labels.size} samples",
                    f"shape {self.values.shape}",
                    remedy="Choose two of the formulas, or draw the decision function.",
                )
            )
        if len(self.names) != len(self.values):
            raise InputError(
                sentence(
                    "ClassMapDisplay",
                    "names",
                    f"have one entry per formula ({len(self.values)})",
                    len(self.names),
                    remedy="Name every formula once.",
                )
            )
        self.classes = tuple(np.unique(self.labels).tolist() if classes is None else classes)
        self.region, self.title = region, title
        self.limits = [_frame(row, self.labels) for row in self.values]
        inside = np.ones(self.labels.size, dtype=bool)
        for row, (low, high) in zip(self.values, self.limits, strict=True):
            inside &= (low <= row) & (row <= high)
        self.n_outside = int(np.sum(~inside))

    @classmethod
    def from_estimator(cls, classifier: Any, X: Any, y: ArrayLike) -> Self:
        """Map of a fitted classifier with ``term_values``: its formulas, or its log-odds if it has three."""
        table = classifier.term_values(X)
        classes = classifier.classes_.tolist()
        if table.shape[1] in (1, 2):
            return cls(
                table.to_numpy().T,
                y,
                table.columns,
                classes=classes,
                region=lambda values: classifier.boundary_.margins(values).argmax(axis=1),
                title=classifier.rule_,
            )
        odds = classifier.decision_function(X)
        if not table.shape[1] or odds.ndim > 1:
            raise InputError(
                sentence(
                    "ClassMapDisplay.from_estimator",
                    "the classifier",
                    "have one or two formulas, or two classes",
                    f"{table.shape[1]} formulas and {len(classes)} classes",
                    remedy="Pass the values of two formulas to ClassMapDisplay itself.",
                )
            )
        return cls(
            [odds],
            y,
            [f"log-odds of {classes[1]}"],
            classes=classes,
            region=lambda values: (values[0] > 0).astype(int),
            title=classifier.rule_,
        )

    def _draw(self, ax: Any) -> None:
        if self.region is not None:
            self._draw_regions(ax)
        along = self.values[0]
        across = self.values[1] if len(self.values) == 2 else self._rows()
        for k, label in enumerate(self.classes):
            mine = self.labels == label
            ax.scatter(
                along[mine], across[mine], s=16, color=_COLORS[k % 5], marker=_MARKERS[k % 5], linewidths=0.4,
                edgecolors="#ffffff", label=readable(label, 24), zorder=3, alpha=0.85,
            )  # fmt: skip
        dress(
            ax, x=readable(self.names[0], 60), y=readable(self.names[-1], 50) if len(self.names) == 2 else ""
        )
        ax.set_xlim(*self.limits[0])
        if len(self.values) == 2:
            ax.set_ylim(*self.limits[1])
        else:
            ax.set_yticks(range(len(self.classes)), [readable(label, 16) for label in self.classes])
            ax.set_ylim(-0.6, len(self.classes) - 0.4)
        title = readable(self.title, 72)
        if self.n_outside:
            title += f"\n{self.n_outside} of {self.labels.size} samples outside the frame"
        ax.set_title(
            title.strip(), color=INK, fontsize=8.5, loc="left", pad=22 if len(self.values) == 2 else 6
        )
        if len(self.values) == 2:
            ax.legend(loc="lower left", bbox_to_anchor=(0, 0.99), ncols=min(len(self.classes), 4))

    def _rows(self) -> np.ndarray:
        """Height of every sample: that of its class, spread by its rank so that all are seen."""
        height = np.zeros(self.labels.size)
        for k, label in enumerate(self.classes):
            mine = np.flatnonzero(self.labels == label)
            order = np.argsort(self.values[0, mine], kind="stable")
            steps = np.arange(mine.size) * 0.6180339887498949 % 1.0  # golden steps fill a band evenly
            height[mine[order]] = k + 0.7 * (steps - 0.5)
        return height

    def _draw_regions(self, ax: Any) -> None:
        """Color every place by the class predicted there."""
        from matplotlib.colors import ListedColormap

        n = 600 if len(self.values) == 1 else 480
        grids = [np.linspace(low, high, n) for low, high in self.limits]
        rows = np.array([grid.ravel() for grid in np.meshgrid(*grids)])
        found = np.asarray(self.region(rows))
        image = found.reshape(1, n) if len(self.values) == 1 else found.reshape(n, n)
        bottom = self.limits[1] if len(self.values) == 2 else (-0.6, len(self.classes) - 0.4)
        colors = ListedColormap([f"{_COLORS[k % 5]}2e" for k in range(len(self.classes))])
        ax.imshow(
            image, origin="lower", aspect="auto", extent=(*self.limits[0], *bottom), cmap=colors, vmin=-0.5,
            vmax=len(self.classes) - 0.5, interpolation="nearest",
        )  # fmt: skip
        if len(self.values) == 2 and len(np.unique(found)) > 1:
            for k in np.unique(found)[1:]:
                ax.contour(*grids, (image == k).astype(float), levels=[0.5], colors=[INK], linewidths=0.9)


def _frame(row: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Where the classes lie, without what is far from the quartiles of all of them; a little widened."""
    lows, highs = [], []
    for label in np.unique(labels):
        mine = row[(labels == label) & np.isfinite(row)]
        if mine.size:
            first, third = np.percentile(mine, [25, 75])
            reach = _REACH * (third - first)
            mine = mine[(first - reach <= mine) & (mine <= third + reach)]
            lows.append(mine.min())
            highs.append(mine.max())
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    return float(low - pad), float(high + pad)
