"""Peaks in a spectrum: data, components, background and sum, with the residual below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_vector
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
    axis_label,
    dress,
    house_style,
    readable,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PeakDisplay"]

_COLORS = (BLUE, ORANGE, GREEN, PURPLE, "#56b4e9", VERMILION)
_AXIS_WORDS = {
    "binding": "binding energy", "kinetic": "kinetic energy", "photon": "photon energy",
    "loss": "energy loss", "shift": "shift", "wavelength": "wavelength", "angle": "angle",
}  # fmt: skip
_N_NAMED = 8  # peaks that get their name and position written
_AT_EDGE = 0.04  # share of the axis at its ends where names stay inside


class PeakDisplay(Display):
    r"""Data, fitted components over their background, the sum, and the residual in a panel below.

    Binding energies fall from left to right, as the field draws them. The residual is in units of the
    expected scatter, :math:`(y - \mu)/\sqrt{\mu}` for counts: it stays between -2 and 2 in 95 of 100
    channels when the model is right.

    Parameters
    ----------
    axis : array-like of shape (n_channels,)
    counts : array-like of shape (n_channels,)
        NaN where nothing was measured.
    expected : array-like of shape (n_channels,)
        Sum of everything fitted.
    background : array-like of shape (n_channels,)
    components : array-like of shape (n_peaks, n_channels)
        Peaks without background.
    residuals : array-like of shape (n_channels,)
        In units of the expected scatter.
    labels : sequence of str, optional
        Of the peaks.
    positions : sequence of float, optional
        Written beside the labels.
    mask : array-like of bool of shape (n_channels,), optional
        True where a channel was left out.
    unit, axis_kind : str, optional
        Unit of the axis, and what it measures (``"binding"``, ``"kinetic"``, ...).
    counts_unit : str, default="counts"
    scatter : str, default="√μ"
        What the residual was divided by.
    title : str

    See Also
    --------
    sozai.displays.PeakCountDisplay : Why this many peaks.
    sozai.displays.PeakMapDisplay : One number of a peak over an image.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(280.0, 290.0, 101)
    >>> peak = 100 * np.exp(-((x - 285.0) ** 2))
    >>> shown = PeakDisplay(x, peak + 5, peak + 5, np.full(101, 5.0), [peak], np.zeros(101), unit="eV",
    ...                     axis_kind="binding")
    >>> shown.falls, shown.axis_name
    (True, 'binding energy [eV]')
    """

    size = (6.4, 4.8)

    def __init__(
        self,
        axis: ArrayLike,
        counts: ArrayLike,
        expected: ArrayLike,
        background: ArrayLike,
        components: ArrayLike,
        residuals: ArrayLike,
        *,
        labels: Sequence[str] | None = None,
        positions: Sequence[float] | None = None,
        mask: ArrayLike | None = None,
        unit: str | None = None,
        axis_kind: str | None = None,
        counts_unit: str = "counts",
        scatter: str = "√μ",
        title: str = "",
    ):
        given = as_vector(axis, place="PeakDisplay", argument="axis")
        n = len(given)
        order = np.argsort(given, kind="stable")
        self.axis = given[order]
        self.counts = _curve(counts, n, "counts")[order]
        self.expected = _curve(expected, n, "expected")[order]
        self.background = _curve(background, n, "background")[order]
        self.residuals = _curve(residuals, n, "residuals")[order]
        rows = np.asarray(components, dtype=np.float64).reshape(-1, n) if np.size(components) else None
        self.components = np.zeros((0, n)) if rows is None else rows[:, order]
        self.mask = np.zeros(n, bool) if mask is None else np.asarray(mask, dtype=bool)[order]
        n_peaks = len(self.components)
        self.labels = [f"peak {k + 1}" for k in range(n_peaks)] if labels is None else list(labels)
        self.positions = None if positions is None else [float(value) for value in positions]
        for argument, values in (("labels", self.labels), ("positions", self.positions)):
            if values is not None and len(values) != n_peaks:
                raise InputError(
                    sentence(
                        "PeakDisplay", argument, f"have one entry per component ({n_peaks})", len(values),
                        remedy="Take both from the same fit.",
                    )
                )  # fmt: skip
        self.unit, self.axis_kind, self.counts_unit = unit, axis_kind, counts_unit
        self.scatter, self.title = scatter, title

    @classmethod
    def from_fit(cls, fit: Any, *, title: str | None = None) -> Self:
        """Display of a fitted record with ``peaks``, ``components``, ``residuals`` and their curves."""
        return cls(
            fit.axis,
            fit.counts,
            fit.expected,
            fit.background_curve,
            fit.components,
            fit.residuals,
            labels=[peak.label for peak in fit.peaks],
            positions=[peak.position for peak in fit.peaks],
            mask=fit.mask,
            unit=fit.unit,
            axis_kind=fit.axis_kind,
            counts_unit=fit.counts_unit,
            scatter="√μ" if "poisson" in str(fit.noise_name).casefold() else "σ",
            title=str(fit.label) if title is None else title,
        )

    @property
    def falls(self) -> bool:
        """Whether the axis is drawn falling from left to right."""
        return self.axis_kind == "binding"

    @property
    def axis_name(self) -> str:
        """What the axis measures, and its unit."""
        return axis_label(_AXIS_WORDS.get(self.axis_kind or "", "axis"), self.unit)

    def to_figure(self) -> Figure:
        """Draw on a figure that belongs to no window; for files and reports."""
        figure = super().to_figure()
        with house_style():
            figure.draw_without_rendering()  # the layout of a panel below its axes settles in two drawings
        return figure

    def _draw(self, ax: Any) -> None:
        below = ax.inset_axes((0.0, -0.36, 1.0, 0.26), sharex=ax)
        used = np.where(self.mask, np.nan, self.counts)
        ax.plot(self.axis, used, ".", color=INK, markersize=2.6, zorder=4, label="data")
        if self.mask.any():
            left_out = np.where(self.mask, self.counts, np.nan)
            ax.plot(self.axis, left_out, "x", color=MUTED, markersize=3.5, zorder=3, label="left out")
        for k, component in enumerate(self.components):
            color = _COLORS[k % len(_COLORS)]
            top = self.background + component
            ax.fill_between(self.axis, self.background, top, color=color, alpha=0.22, linewidth=0, zorder=1)
            ax.plot(self.axis, top, color=color, linewidth=1.1, zorder=2)
        ax.plot(self.axis, self.background, "--", color=MUTED, linewidth=1.1, zorder=2, label="background")
        ax.plot(self.axis, self.expected, color=VERMILION, linewidth=1.4, zorder=3, label="sum")
        ax.set_xlim(self.axis[0], self.axis[-1])
        if self.falls:
            ax.invert_xaxis()
        self._name_peaks(ax)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, handlelength=1.6)
        dress(ax, y=self.counts_unit, title="", grid="y")
        ax.tick_params(axis="x", labelbottom=False)
        if self.title:
            ax.set_title(readable(self.title, 60), color=INK, fontsize=10, loc="right")
        self._draw_residual(below)

    def _draw_residual(self, ax: Any) -> None:
        """Residual in units of the expected scatter, with the band of two of them."""
        ax.axhspan(-2, 2, color=GRID, alpha=0.5, linewidth=0)
        ax.axhline(0.0, color=MUTED, linewidth=0.8)
        shown = np.where(self.mask, np.nan, self.residuals)
        ax.plot(self.axis, shown, ".", color=INK, markersize=2.2)
        finite = np.abs(shown[np.isfinite(shown)])
        reach = max(4.0, 1.08 * float(finite.max())) if finite.size else 4.0
        ax.set_ylim(-reach, reach)
        if reach < 8.0:
            ax.set_yticks([-3, 0, 3])
        else:
            ax.locator_params(axis="y", nbins=3)
        dress(ax, x=self.axis_name, y=f"residual/{self.scatter}", grid="")

    def _name_peaks(self, ax: Any) -> None:
        """Name and position at the summit of the largest components."""
        if not len(self.components) or not np.isfinite(self.components).any():
            return
        heights, (left, right) = np.nan_to_num(self.components.max(axis=1)), ax.get_xlim()
        for k in np.argsort(-heights)[:_N_NAMED]:
            at = int(np.nanargmax(self.components[k]))
            text = readable(self.labels[k], 22)
            if self.positions is not None:
                text = f"{text}\n{self.positions[k]:.6g}"
            top = np.fmax(self.expected[at], self.background[at] + self.components[k, at])
            place = (self.axis[at], top)
            share = (place[0] - left) / (right - left)
            side = "left" if share < _AT_EDGE else "right" if share > 1 - _AT_EDGE else "center"
            ax.annotate(
                text, place, (0, 6), textcoords="offset points", ha=side, va="bottom", fontsize=7,
                color=INK, zorder=5,
            )  # fmt: skip
        ax.margins(y=0.14)
        ax.autoscale_view(scalex=False)
        low, high = ax.get_ylim()
        if low < 0.0 <= np.nanmin(self.counts):
            ax.set_ylim(0.0, high)


def _curve(values: ArrayLike, n: int, argument: str) -> NDArray[np.float64]:
    """One number per channel; NaN is a gap."""
    curve = np.asarray(values, dtype=np.float64)
    if curve.shape != (n,):
        raise InputError(
            sentence(
                "PeakDisplay", argument, f"have one entry per channel ({n})", f"shape {curve.shape}",
                remedy="Take all curves from the same fit.",
            )
        )  # fmt: skip
    return curve
