"""Spectra and spectrum images whose peaks are known by construction, drawn with scipy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from sozai.contracts.checks import as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_report import counted
from sozai.datasets.dataset import Dataset

__all__ = ["MadeMap", "make_spectrum", "make_spectrum_map"]

_COLUMNS = ("position", "fwhm", "area", "lorentz_fraction")
_SIGMAS = np.sqrt(8 * np.log(2))


@dataclass(frozen=True, eq=False, repr=False)
class MadeMap:
    """A spectrum image and its truth.

    Attributes
    ----------
    axis : ndarray of shape (n_channels,)
    counts : ndarray of uint32 of shape (ny, nx, n_channels)
        0 at dead pixels.
    n_peaks : ndarray of int of shape (ny, nx)
        Number of peaks; one more on the far side of the boundary.
    position, fwhm, area, lorentz_fraction : ndarray of shape (ny, nx, n_peaks_largest)
        NaN where the peak is absent.
    background : ndarray of shape (ny, nx)
        Expected counts per channel.
    dead : ndarray of bool of shape (ny, nx)

    Examples
    --------
    >>> make_spectrum_map((8, 10), rng=0)
    MadeMap: 8 x 10 spectra, 400 channels, 2 or 3 peaks, 1 dead pixel
    """

    axis: NDArray[np.float64]
    counts: NDArray[np.uint32]
    n_peaks: NDArray[np.int64]
    position: NDArray[np.float64]
    fwhm: NDArray[np.float64]
    area: NDArray[np.float64]
    lorentz_fraction: NDArray[np.float64]
    background: NDArray[np.float64]
    dead: NDArray[np.bool_]

    def __repr__(self) -> str:
        ny, nx, n = self.counts.shape
        few, many, dead = int(self.n_peaks.min()), int(self.n_peaks.max()), int(self.dead.sum())
        words = f"{few} or {many} peaks" if few < many else f"{few} peaks"
        return f"MadeMap: {ny} x {nx} spectra, {n} channels, {words}, {counted(dead, 'dead pixel')}"


def make_spectrum(
    peaks: int | ArrayLike = 3,
    *,
    n_channels: int = 400,
    window: tuple[float, float] = (0.0, 100.0),
    total: float = 1e5,
    background: float = 0.2,
    width_range: tuple[float, float] = (5.0, 10.0),
    noise: str | float | None = "poisson",
    rng: Any = None,
) -> Dataset:
    r"""Make one spectrum of pseudo-Voigt peaks on a flat background.

    Parameters
    ----------
    peaks : int or array-like of shape (n_peaks, 4), default=3
        Rows of position, FWHM, area (counts) and Lorentzian fraction; or their number: then positions are
        drawn at least one mean FWHM apart and one FWHM inside the window, FWHM uniformly from
        ``width_range``, areas between 0.5 and 1.5 of their mean, fractions uniformly from 0 to 1.
    n_channels : int, default=400
    window : (low, high), default=(0, 100)
        First and last edge of the channels.
    total : float, default=1e5
        Expected counts in all, when ``peaks`` is a number.
    background : float, default=0.2
        Fraction of ``total`` in the background; with rows of peaks, expected counts per channel.
    width_range : (low, high), default=(5, 10)
    noise : {"poisson"}, float or None, default="poisson"
        Poisson counts; or Gaussian noise of this standard deviation; or none.
    rng : None, int, RandomState or Generator

    Returns
    -------
    Dataset
        Columns ``axis``, ``counts`` and ``expected``; ``truth`` has one row per peak, by position, and
        ``truth.attrs["background"]`` holds the background in counts per channel.

    Notes
    -----
    The expectation of a channel is the integral of the density over it, from the two distribution
    functions: nothing is shared with the fitting code.

    Examples
    --------
    >>> made = make_spectrum([[40.0, 6.0, 1e4, 0.3]], background=5.0, noise=None)
    >>> float(made.frame["expected"].sum().round(-2)), made.truth.columns.to_list()
    (11900.0, ['position', 'fwhm', 'area', 'lorentz_fraction'])
    """
    place = "make_spectrum"
    rng = as_generator(rng)
    edges = _edges(place, window, n_channels)
    if isinstance(peaks, int | np.integer):
        if not 0 <= background < 1:
            raise InputError(sentence(place, "background", "be a fraction from 0 to 1", background))
        rows = _drawn_peaks(place, int(peaks), window, width_range, total * (1 - background), rng)
        level = (background if len(rows) else 1.0) * total / n_channels
    else:
        rows, level = _given_peaks(place, peaks), float(background)
    expected = level + sum((_contents(edges, row) for row in rows), np.zeros(n_channels))
    counts = _noisy(place, expected, noise, rng)
    truth = pd.DataFrame(rows, columns=list(_COLUMNS))
    truth.attrs["background"] = level
    frame = {"axis": 0.5 * (edges[1:] + edges[:-1]), "counts": counts, "expected": expected}
    return Dataset(
        name="spectrum",
        frame=pd.DataFrame(frame),
        units=dict.fromkeys(frame),
        description="Made by sozai.datasets.make_spectrum; the truth is known by construction.",
        feature_names=("axis",),
        target_name="counts",
        truth=truth,
    )


def make_spectrum_map(
    shape: tuple[int, int] = (32, 32),
    *,
    n_channels: int = 400,
    total: float = 2e4,
    background: float = 0.2,
    drift: float = 2.0,
    dead: float = 0.01,
    rng: Any = None,
) -> MadeMap:
    """Make an image of spectra with a phase boundary: two peaks on one side, three on the other.

    Parameters
    ----------
    shape : (ny, nx), default=(32, 32)
    n_channels : int, default=400
        On the window 0 to 100.
    total : float, default=2e4
        Expected counts per pixel.
    background : float, default=0.2
        Fraction of the counts in the background.
    drift : float, default=2
        How far the positions move across the image, smoothly.
    dead : float, default=0.01
        Fraction of dead pixels, rounded up.
    rng : None, int, RandomState or Generator

    Returns
    -------
    MadeMap

    Notes
    -----
    The boundary is a sine wave down the middle. Peak 1 (at 30) and peak 2 (at 62) are everywhere, peak 3
    (at 45) only beyond the boundary; the areas of peaks 1 and 2 trade places across the image.

    Examples
    --------
    >>> made = make_spectrum_map((6, 6), dead=0, rng=1)
    >>> made.n_peaks[0, [0, -1]].tolist(), bool(np.isnan(made.position[0, 0, 2]))
    ([2, 3], True)
    """
    place = "make_spectrum_map"
    ny, nx = shape
    if min(ny, nx) < 2:
        raise InputError(sentence(place, "shape", "be two numbers of at least 2", shape))
    if not 0 <= dead < 1:
        raise InputError(sentence(place, "dead", "be a fraction from 0 to 1", dead))
    if not 0 <= background < 1:
        raise InputError(sentence(place, "background", "be a fraction from 0 to 1", background))
    rng = as_generator(rng)
    edges = _edges(place, (0.0, 100.0), n_channels)
    down, across = np.meshgrid(np.linspace(0, 1, ny), np.linspace(0, 1, nx), indexing="ij")
    third = across > 0.5 + 0.2 * np.sin(2 * np.pi * down)
    position = np.stack(
        [
            30 + drift * (across - 0.5),
            62 + drift * (down - 0.5),
            np.where(third, 45 + 0.5 * drift * (across - down), np.nan),
        ],
        axis=-1,
    )
    fwhm = np.stack([6 + down, 8 - across, np.where(third, 7.0, np.nan)], axis=-1)
    fraction = np.stack([0.2 + 0 * down, 0.4 + 0.2 * down, np.where(third, 0.3, np.nan)], axis=-1)
    share = np.stack([0.6 - 0.3 * across, 0.3 + 0.3 * across, np.where(third, 0.35, np.nan)], axis=-1)
    area = total * (1 - background) * share / np.nansum(share, axis=-1, keepdims=True)
    level = np.full(shape, total * background / n_channels)
    expected = np.repeat(level[..., None], n_channels, axis=-1)
    for k in range(3):
        rows = (values[..., k, None] for values in (position, fwhm, area, fraction))
        expected = expected + np.nan_to_num(_contents(edges, tuple(rows)))
    gone = np.zeros(ny * nx, dtype=bool)
    gone[rng.permutation(ny * nx)[: int(np.ceil(dead * ny * nx))]] = True
    gone = gone.reshape(shape)
    counts = rng.poisson(expected).astype(np.uint32)
    counts[gone] = 0
    return MadeMap(
        0.5 * (edges[1:] + edges[:-1]), counts, 2 + third.astype(np.int64), position, fwhm, area, fraction,
        level, gone,
    )  # fmt: skip


def _contents(edges: NDArray[np.float64], row: Sequence[Any]) -> NDArray[np.float64]:
    """Counts of one pseudo-Voigt peak in each channel, from the distribution functions at the edges."""
    position, fwhm, area, fraction = row
    z = (edges - position) / fwhm
    lorentz = 0.5 + np.arctan(2 * z) / np.pi
    return np.asarray(area * np.diff((1 - fraction) * ndtr(_SIGMAS * z) + fraction * lorentz, axis=-1))


def _drawn_peaks(
    place: str, n: int, window: tuple[float, float], widths: tuple[float, float], counts: float, rng: Any
) -> NDArray[np.float64]:
    """Peaks at least one mean FWHM apart, by position."""
    low, high = window
    if n < 0 or n * 1.5 * widths[1] > high - low:
        raise InputError(
            sentence(
                place, "peaks", f"fit the window with FWHM up to {widths[1]}", n,
                remedy="Ask for fewer or narrower peaks.",
            )
        )  # fmt: skip
    fwhm = rng.uniform(*widths, size=n)
    apart = fwhm.mean() if n else 0.0
    while True:
        position = np.sort(rng.uniform(low + widths[1], high - widths[1], size=n))
        if n < 2 or np.diff(position).min() > apart:
            break
    area = rng.uniform(0.5, 1.5, size=n)
    area *= counts / area.sum() if n else 1.0
    return np.column_stack([position, fwhm, area, rng.uniform(0, 1, size=n)])


def _given_peaks(place: str, peaks: ArrayLike) -> NDArray[np.float64]:
    """Rows of four numbers, checked, by position."""
    rows = np.asarray(peaks, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise InputError(
            sentence(place, "peaks", f"have the columns {', '.join(_COLUMNS)}", f"shape {rows.shape}")
        )
    bad = ~np.isfinite(rows).all(axis=1) | (rows[:, 1] <= 0) | (rows[:, 2] < 0)
    bad |= (rows[:, 3] < 0) | (rows[:, 3] > 1)
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(
            sentence(
                place, "peaks", "have fwhm > 0, area >= 0 and a Lorentzian fraction from 0 to 1",
                rows[first].tolist(), at=f"in row {first}",
            )
        )  # fmt: skip
    return rows[np.argsort(rows[:, 0], kind="stable")]


def _edges(place: str, window: tuple[float, float], n_channels: int) -> NDArray[np.float64]:
    """Edges of equal channels."""
    low, high = window
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(sentence(place, "window", "be (low, high) with low < high", window))
    if n_channels < 1:
        raise InputError(sentence(place, "n_channels", "be at least 1", n_channels))
    return np.linspace(low, high, n_channels + 1)


def _noisy(place: str, expected: NDArray[np.float64], noise: str | float | None, rng: Any) -> Any:
    """Counts drawn about their expectation."""
    if noise is None:
        return expected.copy()
    if noise == "poisson":
        return rng.poisson(expected)
    if isinstance(noise, str) or not (np.isfinite(noise) and noise >= 0):
        raise InputError(sentence(place, "noise", "be 'poisson', None or a standard deviation", noise))
    return expected + noise * rng.standard_normal(len(expected))
