"""Inner loops over iterations and starts: peaks that die are put elsewhere; and the mixture of Gaussians."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp
from sozai.spectra.peaks.expectation_kernels import (
    Members,
    Room,
    Window,
    areas_cycle,
    deviance,
    fill_shapes,
    find_mean,
    room_for,
    shapes_cycle,
    weigh_channels,
)

__all__ = ["gaussian_iterations", "run_starts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# sums may be taken in any order; NaN stays NaN
_FAST = {"reassoc", "contract", "nsz"}

# --- dead peaks, and the whole -------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy")
def _typical_width(members: Members, theta: Floats, n_peaks: int) -> float:
    """Geometric mean of the widths of the peaks, which is what most of them have."""
    total = 0.0
    for k in range(n_peaks):
        total += math.log(theta[4 * k + 1])
    return math.exp(total / n_peaks)


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_residual(window: Window, counts: Floats, room: Room, fwhm: float) -> tuple[int, float]:
    """Channel around which most counts per standard error are missing, within half a width; and how many."""
    axis, mean, n = window.axis, room.mean, room.mean.shape[0]
    first, last, extra, noise = 0, 0, 0.0, 0.0
    best, where, found = 0.0, -1, 0.0
    for i in range(n):
        while last < n and axis[last] <= axis[i] + 0.5 * fwhm:
            extra += window.seen[last] * (counts[last] - mean[last])
            noise += window.seen[last] * mean[last]
            last += 1
        while axis[first] < axis[i] - 0.5 * fwhm:
            extra -= window.seen[first] * (counts[first] - mean[first])
            noise -= window.seen[first] * mean[first]
            first += 1
        score = extra / math.sqrt(max(noise, 1.0))
        if score > best:
            best, where, found = score, i, extra
    return where, found


@njit(cache=True, nogil=True, error_model="numpy")
def _revive(
    window: Window, members: Members, counts: Floats, theta: Floats, shares: Floats, k: int, room: Room
) -> bool:
    """Put a dead peak where most counts are missing; False when none are."""
    fwhm = _typical_width(members, theta, room.gauss.shape[0])
    fwhm = min(max(fwhm, members.lowest[k, 1]), members.highest[k, 1])
    where, found = _largest_residual(window, counts, room, fwhm)
    if where < 0:
        return False
    theta[4 * k] = min(max(window.axis[where], members.lowest[k, 0]), members.highest[k, 0])
    theta[4 * k + 1] = fwhm
    theta[4 * k + 2] = found * (1.0 - shares[k])
    theta[4 * k + 3] = found * shares[k]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _is_alone(members: Members, k: int) -> bool:
    """Whether no other peak depends on this one, nor it on another."""
    for j in range(members.position_of.shape[0]):
        tied = members.position_of[j] == k or members.width_of[j] == k or members.area_of[j] == k
        if tied and j != k:
            return False
    return members.position_of[k] == k and members.width_of[k] == k and members.area_of[k] == k


@njit(cache=True, nogil=True, error_model="numpy")
def _run_start(
    window: Window, members: Members, counts: Floats, theta: Floats, n_iter: int, least_counts: float,
    before: Floats, shares: Floats, revived: Ints, room: Room,
) -> None:  # fmt: skip
    """All iterations of one start, in place."""
    n_peaks = room.gauss.shape[0]
    for k in range(n_peaks):
        area = theta[4 * k + 2] + theta[4 * k + 3]
        shares[k] = theta[4 * k + 3] / area if area > 0.0 else 0.5
        revived[k] = 0
    fill_shapes(window, theta, room)
    for iteration in range(n_iter):
        areas_cycle(window, members, counts, theta, room)
        changed = False
        for k in range(n_peaks):
            dead = room.sums[k, 0] < least_counts and revived[k] == 0 and 2 * iteration < n_iter
            if dead and _is_alone(members, k):
                revived[k] = 1
                changed = _revive(window, members, counts, theta, shares, k, room) or changed
        if changed:
            fill_shapes(window, theta, room)
        shapes_cycle(window, members, counts, theta, before, room)


@njit(cache=True, nogil=True, error_model="numpy")
def run_starts(
    window: Window, members: Members, counts: Floats, which: Ints, theta: Floats, n_iter: int,
    least_counts: float, deviances: Floats,
) -> None:  # fmt: skip
    """Iterate every row of ``theta`` (R, p) in place on spectrum ``which[r]`` of ``counts`` (S, n)."""
    n_peaks, n = members.shift.shape[0], window.axis.shape[0]
    room = room_for(n_peaks, n)
    before, shares = np.zeros(theta.shape[1]), np.zeros(n_peaks)
    revived = np.zeros(n_peaks, np.int64)
    weigh_channels(window, room)
    for r in range(theta.shape[0]):
        y, start = counts[which[r]], theta[r]
        _run_start(window, members, y, start, n_iter, least_counts, before, shares, revived, room)
        find_mean(window, y, start, room)
        deviances[r] = deviance(window, y, room.mean)


# --- Gaussian mixture of counts -----------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _log_density(axis: Floats, mean: float, sigma: float, weight: float, out: Floats) -> None:
    """Write ln(weight × normal density)."""
    level = math.log(weight) - math.log(sigma) - 0.5 * math.log(2.0 * math.pi)
    steepness = 0.5 / (sigma * sigma)
    for i in range(out.shape[0]):
        u = axis[i] - mean
        out[i] = level - steepness * u * u


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _share_out(logs: Floats, top: Floats, total: Floats) -> None:
    """Responsibilities in place of the logarithms; ``total`` their sum before division, times exp(−top)."""
    n_parts, n = logs.shape
    top[:] = logs[0]
    for k in range(1, n_parts):
        row = logs[k]
        for i in range(n):
            top[i] = max(top[i], row[i])
    total[:] = 0.0
    for k in range(n_parts):
        row = logs[k]
        for i in range(n):
            row[i] = fast_exp(row[i] - top[i])
            total[i] += row[i]
    for k in range(n_parts):
        row = logs[k]
        for i in range(n):
            row[i] /= total[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _weighted_moments(axis: Floats, counts: Floats, shares: Floats) -> tuple[float, float, float]:
    """Counts of one component, its mean, and its variance about that mean."""
    owned, first = 0.0, 0.0
    for i in range(axis.shape[0]):
        r = counts[i] * shares[i]
        owned += r
        first += r * axis[i]
    mean, second = first / owned, 0.0
    for i in range(axis.shape[0]):
        u = axis[i] - mean
        second += counts[i] * shares[i] * u * u
    return owned, mean, second / owned


@njit(cache=True, nogil=True, error_model="numpy")
def gaussian_iterations(
    axis: Floats, counts: Floats, means: Floats, sigmas: Floats, weights: Floats, uniform: bool,
    tolerance: float, max_iter: int, narrowest: float, path: Floats,
) -> int:  # fmt: skip
    """Expectation-maximization in place until L changes by less than ``tolerance`` of itself.

    ``path`` (max_iter + 1,) gets L before the first iteration and after each. Returns how many there were.
    """
    n_peaks, n = means.shape[0], axis.shape[0]
    n_parts = n_peaks + 1 if uniform else n_peaks
    logs, top, total = np.zeros((n_parts, n)), np.zeros(n), np.zeros(n)
    all_counts = counts.sum()
    for iteration in range(max_iter + 1):
        for k in range(n_peaks):
            _log_density(axis, means[k], sigmas[k], weights[k], logs[k])
        if uniform:
            logs[n_peaks, :] = math.log(weights[n_peaks] / (axis[n - 1] - axis[0]))
        _share_out(logs, top, total)
        likelihood = 0.0
        for i in range(n):
            if counts[i] > 0.0:
                likelihood += counts[i] * (top[i] + math.log(total[i]))
        path[iteration] = likelihood
        if iteration == max_iter:
            break
        if iteration > 0 and abs(likelihood - path[iteration - 1]) < tolerance * abs(likelihood):
            return iteration
        for k in range(n_peaks):
            owned, mean, variance = _weighted_moments(axis, counts, logs[k])
            weights[k] = owned / all_counts
            if owned > 0.0:
                means[k] = mean
                sigmas[k] = max(math.sqrt(variance), narrowest)
        if uniform:
            weights[n_peaks] = (counts * logs[n_peaks]).sum() / all_counts
    return max_iter
