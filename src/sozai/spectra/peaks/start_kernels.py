"""Local parabolas and the lower convex hull of a spectrum: what the guesses of peaks are read from."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["curvature_tops", "local_parabolas", "lower_hull"]

Floats = NDArray[np.float64]

# sums may be taken in any order; NaN stays NaN
_FAST = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def local_parabolas(values: Floats, half: int, level: Floats, bend: Floats) -> None:
    """Least-squares parabola through the 2 half + 1 channels around each: its value and second derivative.

    Savitzky and Golay's filter of second order, in units of channels. Near the ends the last whole window
    is used. With offsets j, m2 the mean of j²: the curvature is 2 Σ(j² − m2) y/Σ(j² − m2)².
    """
    n, length = values.shape[0], 2 * half + 1
    square = half * (half + 1) / 3.0
    slopes = length * square
    bends = 0.0
    for j in range(-half, half + 1):
        bends += (j * j - square) ** 2
    for i in range(n):
        center = min(max(i, half), n - 1 - half)
        mean, first, second = 0.0, 0.0, 0.0
        for j in range(-half, half + 1):
            y = values[center + j]
            mean += y
            first += j * y
            second += (j * j - square) * y
        mean, first, second = mean / length, first / slopes, second / bends
        u = i - center
        level[i] = mean + first * u + second * (u * u - square)
        bend[i] = 2.0 * second


@njit(cache=True, nogil=True, error_model="numpy")
def lower_hull(axis: Floats, values: Floats, out: Floats) -> None:
    """Lower convex hull of a curve, at every channel."""
    n = axis.shape[0]
    kept, size = np.zeros(n, np.int64), 0
    for i in range(n):
        while size > 1:
            a, b = kept[size - 2], kept[size - 1]
            rise = (values[i] - values[a]) * (axis[b] - axis[a])
            if (values[b] - values[a]) * (axis[i] - axis[a]) < rise:
                break
            size -= 1
        kept[size] = i
        size += 1
    out[:] = values
    for k in range(size - 1):
        a, b = kept[k], kept[k + 1]
        slope = (values[b] - values[a]) / (axis[b] - axis[a])
        for i in range(a + 1, b):
            out[i] = values[a] + slope * (axis[i] - axis[a])


@njit(cache=True, nogil=True, error_model="numpy")
def curvature_tops(
    counts: Floats, base: Floats, half: int, level: Floats, bend: Floats, tops: Floats, found: int
) -> int:
    """Add the minima of the second derivative at one window to ``tops``; returns how many there are now.

    Rows of ``tops``: significance, channel, width in channels, height. With y of variance y the curvature has
    the variance 4 y/Σ(j² − m2)².
    """
    n = counts.shape[0]
    local_parabolas(counts, half, level, bend)
    square = half * (half + 1) / 3.0
    bends = 0.0
    for j in range(-half, half + 1):
        bends += (j * j - square) ** 2
    for i in range(1, n - 1):
        height = level[i] - base[i]
        top = bend[i] < 0.0 and bend[i] < bend[i - 1] and bend[i] <= bend[i + 1]
        if top and height > 0.0 and found < tops.shape[0]:
            noise = 2.0 * np.sqrt(max(level[i], 1.0) / bends)
            tops[found, 0] = -bend[i] / noise
            tops[found, 1] = i
            tops[found, 2] = np.sqrt(-8.0 * np.log(2.0) * height / bend[i])
            tops[found, 3] = height
            found += 1
    return found
