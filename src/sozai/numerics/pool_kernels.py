"""Inner loops over a list of candidates: rows of a radial kernel, and one new row of a posterior."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp, fast_sincos
from sozai.numerics.kernels import Gaussian, Kernel, Matern

__all__ = [
    "add_datum",
    "fill_kernel_block",
    "fill_moments",
    "fill_wave_block",
    "kernel_code",
    "radial_weights",
    "same_entries",
    "subtract_rows",
]

Floats = NDArray[np.float64]

#: Candidates handled at once: their part of the arrays stays in the first cache.
_TILE = 512
_KEEP = {"contract"}
#: Phases up to which sine and cosine need no reduction beforehand.
_WIDEST_PHASE = 1e5


def kernel_code(kernel: Kernel) -> int:
    """Number of a kernel the loops know: 0 Gaussian, 1, 3, 5 for Matern of twice that order; -1 any other.

    Examples
    --------
    >>> kernel_code(Matern(2.5)), kernel_code(Gaussian())
    (5, 0)
    """
    if type(kernel) is Gaussian:
        return 0
    return round(2.0 * kernel.nu) if type(kernel) is Matern else -1


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, inline="always")
def _radial_tile(code: int, columns: Floats, first: int, point: Floats, inverse: Floats, out: Floats) -> None:
    """Kernel of one point with the candidates ``first`` and following, as many as ``out`` is long."""
    size = out.shape[0]
    for t in range(size):
        out[t] = 0.0
    for j in range(point.shape[0]):
        z, scale = point[j], inverse[j]
        column = columns[j, first : first + size]
        for t in range(size):
            step = (column[t] - z) * scale
            out[t] += step * step
    if code == 0:
        for t in range(size):
            out[t] = fast_exp(-0.5 * out[t])
    elif code == 1:
        for t in range(size):
            out[t] = fast_exp(-np.sqrt(out[t]))
    elif code == 3:
        for t in range(size):
            root = np.sqrt(3.0 * out[t])
            out[t] = (1.0 + root) * fast_exp(-root)
    else:
        for t in range(size):
            root = np.sqrt(5.0 * out[t])
            out[t] = (1.0 + root + (5.0 / 3.0) * out[t]) * fast_exp(-root)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def fill_kernel_block(
    code: int, columns: Floats, first: int, points: Floats, inverse: Floats, amplitude: float, out: Floats
) -> None:
    """Amplitude times kernel of all points (n, p) with a block of candidates, into ``out`` (n, block).

    Parameters
    ----------
    code : int
        As :func:`kernel_code`.
    columns : ndarray of shape (p, N)
        Candidates, one column of the table a row.
    first : int
        First candidate of the block.
    points, inverse : ndarray of shape (n, p), (p,)
        Points, and one over the length scales.
    amplitude : float
    out : ndarray of shape (n, block)
    """
    size = out.shape[1]
    for start in range(0, size, _TILE):
        stop = min(start + _TILE, size)
        for a in range(points.shape[0]):
            tile = out[a, start:stop]
            _radial_tile(code, columns, first + start, points[a], inverse, tile)
            for t in range(tile.shape[0]):
                tile[t] *= amplitude


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def radial_weights(
    code: int, columns: Floats, points: Floats, inverse: Floats, weights: Floats, out: Floats
) -> None:
    """Subtract from ``out`` (N,) the weighted sum of the kernels of all points; nothing is stored."""
    work = np.empty(_TILE)
    for start in range(0, out.shape[0], _TILE):
        stop = min(start + _TILE, out.shape[0])
        tile = work[: stop - start]
        for a in range(points.shape[0]):
            _radial_tile(code, columns, start, points[a], inverse, tile)
            weight = weights[a]
            for t in range(tile.shape[0]):
                out[start + t] -= weight * tile[t]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def subtract_rows(rows: Floats, weights: Floats, out: Floats) -> None:
    """Subtract from ``out`` (N,) the weighted sum of the first rows (m, N): one pass over them."""
    n = weights.shape[0]
    for start in range(0, out.shape[0], _TILE):
        stop = min(start + _TILE, out.shape[0])
        tile = out[start:stop]
        a = 0
        while a + 4 <= n:
            w0, w1, w2, w3 = weights[a], weights[a + 1], weights[a + 2], weights[a + 3]
            r0, r1 = rows[a, start:stop], rows[a + 1, start:stop]
            r2, r3 = rows[a + 2, start:stop], rows[a + 3, start:stop]
            for t in range(stop - start):
                tile[t] -= w0 * r0[t] + w1 * r1[t] + (w2 * r2[t] + w3 * r3[t])
            a += 4
        while a < n:
            weight, row = weights[a], rows[a, start:stop]
            for t in range(stop - start):
                tile[t] -= weight * row[t]
            a += 1


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def add_datum(
    row: Floats, pivot: float, one: float, seen: float, rest: Floats, mean: Floats, variance: Floats
) -> None:
    """Divide a new row by its pivot and take it into ``rest``, ``mean`` and ``variance``, all (N,)."""
    for t in range(row.shape[0]):
        value = row[t] / pivot
        row[t] = value
        rest[t] -= value * one
        mean[t] += value * seen
        variance[t] -= value * value


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def fill_moments(
    part_mean: Floats,
    part_variance: Floats,
    rest: Floats,
    constant: float,
    spread: float,
    least: float,
    mean: Floats,
    std: Floats,
) -> None:
    """Mean and standard deviation with the constant taken in: what it adds is ``rest`` times its own.

    Parameters
    ----------
    part_mean, part_variance, rest : ndarray of shape (N,)
    constant, spread : float
        Mean and variance of the constant.
    least : float
        Smallest variance.
    mean, std : ndarray of shape (N,)
        Filled.
    """
    for t in range(mean.shape[0]):
        mean[t] = part_mean[t] + rest[t] * constant
        std[t] = np.sqrt(max(part_variance[t] + rest[t] * rest[t] * spread, least))


@njit(cache=True, nogil=True, error_model="numpy")
def same_entries(first: Floats, second: Floats) -> bool:
    """Whether two tables of one shape hold the same numbers; any strides, no copy, ends at a difference."""
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            if first[i, j] != second[i, j]:
                return False
    return True


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def fill_wave_block(columns: Floats, first: int, frequencies: Floats, reach: Floats, out: Floats) -> None:
    """Sines, then cosines, of all frequencies (F, p) at a block of candidates, into ``out`` (2 F, block).

    Phases beyond 1e5 lose the digits that a double of their size does not have, and no more.

    Parameters
    ----------
    columns : ndarray of shape (p, N)
        Candidates, one column of the table a row.
    first : int
        First candidate of the block.
    frequencies : ndarray of shape (F, p)
    reach : ndarray of shape (F,)
        Largest absolute phase of each, or more.
    out : ndarray of shape (2 F, block)
    """
    n, size = frequencies.shape[0], out.shape[1]
    for f in range(n):
        sines, cosines = out[f], out[n + f]
        for t in range(size):
            sines[t] = 0.0
        for j in range(frequencies.shape[1]):
            frequency = frequencies[f, j]
            column = columns[j, first : first + size]
            for t in range(size):
                sines[t] += frequency * column[t]
        if reach[f] > _WIDEST_PHASE:
            for t in range(size):
                sines[t] -= 2.0 * np.pi * np.rint(sines[t] / (2.0 * np.pi))
        for t in range(size):
            sine, cosine = fast_sincos(sines[t])
            sines[t], cosines[t] = sine, cosine
