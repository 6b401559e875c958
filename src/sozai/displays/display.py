"""What every display shares: where it draws, how it looks, how it is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sozai.displays.style import blank_figure, house_style, inline_svg, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Display"]


class Display:
    """Drawing of one result; children say only what is drawn.

    A child keeps plain arrays and implements ``_draw(ax)``; this class finds the
    axes, applies the house style and keeps ``ax_`` and ``figure_``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where :meth:`plot` has drawn.
    figure_ : matplotlib Figure
        The figure around it.

    See Also
    --------
    sklearn.metrics.PredictionErrorDisplay : The same protocol in scikit-learn.

    Examples
    --------
    >>> class Dot(Display):
    ...     def _draw(self, ax):
    ...         _ = ax.plot([0], [0], "o")
    >>> Dot().to_svg("one dot").startswith("<svg")
    True
    """

    size: tuple[float, float] = (5.2, 4.0)

    ax_: Axes
    figure_: Figure

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on ``ax``, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure is made when left out.

        Returns
        -------
        Display
            This object, with ``ax_`` and ``figure_``.
        """
        with house_style():
            if ax is None:
                ax = blank_figure(*self.size).add_subplot()
            self._draw(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def to_figure(self) -> Figure:
        """Draw on a figure that belongs to no window; for files and reports."""
        with house_style():
            figure = blank_figure(*self.size, interactive=False)
            self._draw(figure.add_subplot())
        return figure

    def to_svg(self, label: str = "", *, prefix: str = "figure") -> str:
        """Drawing as an ``<svg>`` element for an HTML page."""
        return inline_svg(self.to_figure(), label=label, prefix=prefix)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a PNG, SVG or PDF file, by the ending of ``path``."""
        return save_figure(self.to_figure(), path)

    def _draw(self, ax: Any) -> None:
        raise NotImplementedError
