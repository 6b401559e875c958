"""Flaws that a detector leaves in a spectrum: cosmic spikes and clipped peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, percentile_filter
from scipy.special import betainc, ndtri

__all__ = ["find_plateau", "find_spikes"]

#: Channels around one whose scatter counts as its own; 80 and 95 % of a normal distribution lie within.
_NEARBY, _NORMAL_80, _NORMAL_95 = 41, 1.2816, 1.96


def find_spikes(
    axis: NDArray[np.float64],
    counts: NDArray[np.float64],
    gain: float | None = None,
    *,
    false_alarms: float = 1e-3,
) -> NDArray[np.intp]:
    r"""Find channels that stand out alone, or in pairs, as cosmic rays do.

    Parameters
    ----------
    axis, counts : ndarray of shape (n,)
        NaN where there is no measurement.
    gain : float, optional
        Size of one count; left out, the scatter of the differences is taken.
    false_alarms : float, default=1e-3
        Share of spectra without spikes in which chance may find one, at most.

    Returns
    -------
    ndarray of int
        Channels, rising.

    Notes
    -----
    If y and the higher b of its neighbors have one expectation, y is binomial among y + b with
    probability 1/2, whatever the expectation is: no level has to be estimated, and the test is
    exact at any counts [1]_. A spike has a probability below false_alarms / 2n there (n channels, alone or
    in pairs); without a known gain, the same of a Gaussian with twice the variance of the scatter, taken from
    second differences nearby (41 channels) or everywhere, whichever is larger. It also rises four times
    as far above the local median (21 channels) as the higher of its neighbors does. A Gaussian peak needs a
    FWHM below 1.5 channels to do that with one channel and below 2 channels with two, less than any fit
    accepts. Cost O(n).

    References
    ----------
    .. [1] J. Przyborowski, H. Wilenski, Biometrika 31, 313 (1940). https://doi.org/10.1093/biomet/31.3-4.313

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
    chance = 0.5 * false_alarms / len(y)
    limit = None if gain is not None else -ndtri(chance) * np.sqrt(2.0) * _scatter_of(y)
    found = np.zeros(len(y), dtype=bool)
    base = None
    for width in (1, 2):
        side = np.maximum(y[: -width - 1], y[width + 1 :])
        low = y[1:-1] if width == 1 else np.minimum(y[1:-2], y[2:-1])
        if limit is None:  # three standard errors first: cheap, and far below the chance of the exact test
            rises = low - side > 3.0 * np.sqrt(gain * np.maximum(low + side, 0.0))
        else:
            rises = low - side > limit[1 : len(low) + 1]
        if not rises.any():
            continue
        base = median_filter(y, size=min(21, len(y)), mode="nearest") if base is None else base
        level = base[1 : len(low) + 1]
        rises &= low - level > 4 * np.maximum(side - level, 0)
        if limit is None:
            high, other = np.maximum(low[rises], 0.0) / gain, np.maximum(side[rises], 0.0) / gain
            rises[rises] = betainc(np.maximum(high, 1e-300), other + 1.0, 0.5) < chance
        for k in range(width):
            found[np.flatnonzero(rises) + 1 + k] = True
    return np.sort(order[found])


def _scatter_of(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of every channel, from second differences that spikes are too rare to rule."""
    bend = np.abs(np.diff(y, 2)) / np.sqrt(6.0)
    everywhere = float(np.quantile(bend, 0.95)) / _NORMAL_95
    size = min(_NEARBY, len(bend))
    nearby = percentile_filter(bend, 80, size=size, mode="nearest") / _NORMAL_80
    floor = 1e-12 * float(np.abs(y).max()) + 1e-300
    return np.maximum(np.pad(nearby, 1, mode="edge"), max(everywhere, floor))


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
