"""Flaws that a detector leaves in a spectrum: cosmic spikes and clipped peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

__all__ = ["find_plateau", "find_spikes"]


def find_spikes(
    axis: NDArray[np.float64],
    counts: NDArray[np.float64],
    gain: float | None = None,
    *,
    threshold: float = 8.0,
) -> NDArray[np.intp]:
    """Find channels that stand out alone, or in pairs, as cosmic rays do.

    Parameters
    ----------
    axis, counts : ndarray of shape (n,)
        NaN where there is no measurement.
    gain : float, optional
        Size of one count; left out, the scatter of the differences is taken.
    threshold : float, default=8
        Height above both neighbors in standard deviations.

    Returns
    -------
    ndarray of int
        Channels, rising.

    Notes
    -----
    A spike also rises four times as far above the local median (21 channels) as the higher of its
    neighbors does. A Gaussian peak needs a FWHM below 1.5 channels to do that with one channel and
    below 2 channels with two, less than any fit accepts. Cost O(n).

    Examples
    --------
    >>> counts = np.full(50, 100.0)
    >>> counts[[20, 33, 34]] = 900.0
    >>> find_spikes(np.arange(50.0), counts, 1.0)
    array([20, 33, 34])
    """
    known = np.flatnonzero(np.isfinite(counts))
    order = known[np.argsort(axis[known], kind="stable")]
    y = counts[order]
    if len(y) < 9:
        return np.zeros(0, dtype=np.intp)
    base = median_filter(y, size=min(21, len(y)), mode="nearest")
    step = np.abs(np.diff(y))
    scatter = max(1.4826 * float(np.median(step)) / np.sqrt(2), 1e-12 * float(np.abs(y).max()) + 1e-300)
    found = np.zeros(len(y), dtype=bool)
    for width in (1, 2):
        inside = np.arange(1, len(y) - width)
        side = np.maximum(y[inside - 1], y[inside + width])
        low = np.min([y[inside + k] for k in range(width)], axis=0)
        sigma = scatter if gain is None else np.sqrt(gain * np.maximum(side, gain))
        rises = low - side > threshold * np.maximum(sigma, scatter if gain is None else 0)
        alone = low - base[inside] > 4 * np.maximum(side - base[inside], 0)
        for k in range(width):
            found[inside[rises & alone] + k] = True
    return np.sort(order[found])


def find_plateau(counts: NDArray[np.float64]) -> NDArray[np.intp]:
    """Channels of the longest run at the maximum when it is three or longer, as a clipped peak has.

    Small whole numbers repeat by chance: the maximum must be 25 or more distinct steps high.

    Examples
    --------
    >>> find_plateau(np.array([3.0, 400, 900, 900, 900, 500, 2]))
    array([2, 3, 4])
    """
    finite = counts[np.isfinite(counts)]
    nothing = np.zeros(0, dtype=np.intp)
    if finite.size < 5:
        return nothing
    top = finite.max()
    grain = np.diff(np.unique(finite))
    if not grain.size or top - finite.min() < 25 * grain.min():
        return nothing
    at = np.concatenate([[False], counts == top, [False]]).astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(at) == 1), np.flatnonzero(np.diff(at) == -1)
    longest = int(np.argmax(stops - starts))
    run = np.arange(starts[longest], stops[longest])
    return run if len(run) >= 3 else nothing
