"""The two cycles of the start-up of peaks: one exponential per peak, channel and iteration."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp, fast_log

__all__ = [
    "NO_STEP",
    "OPERATOR",
    "SHIRLEY",
    "Members",
    "Room",
    "Window",
    "areas_cycle",
    "deviance",
    "fill_shapes",
    "find_mean",
    "room_for",
    "shapes_cycle",
    "weigh_channels",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: How electrons that lost energy come back into the window.
NO_STEP, SHIRLEY, OPERATOR = 0, 1, 2
#: Expected counts are at least this share of their mean.
_FLOOR = 1e-9
_LN2 = math.log(2.0)
# sums may be taken in any order; NaN stays NaN
_FAST = {"reassoc", "contract", "nsz"}


class Window(NamedTuple):
    """One window of channels: all that does not change while a fit runs.

    ``axis`` and ``width`` (n,) ascend and are positive, ``seen`` (n,) is 1 or 0 for masked, ``basis``
    (M, n) holds the background in counts per unit coefficient. ``step`` says what the last
    coefficient multiplies: nothing, the Shirley step, or ``operator`` (n, n) applied to the peaks.
    """

    axis: Floats
    width: Floats
    seen: Floats
    basis: Floats
    step: int
    operator: Floats
    steepness: float


class Members(NamedTuple):
    """Which peak gives every peak its position, width and areas; a free one names itself.

    position = that of its leader + ``shift``, fwhm = ``width_ratio`` × that of its leader, areas alike.
    ``lowest`` and ``highest`` (K, 2) bound positions (column 0) and widths (column 1).
    """

    position_of: Ints
    shift: Floats
    width_of: Ints
    width_ratio: Floats
    area_of: Ints
    area_ratio: Floats
    lowest: Floats
    highest: Floats


class Room(NamedTuple):
    """Working memory of one fit: O((2K + 8) n) numbers."""

    gauss: Floats  # (K, n) densities of unit area
    lorentz: Floats  # (K, n)
    peaks: Floats  # (n,) contents of the channels without the step
    tail: Floats  # (n,) step per unit coefficient
    mean: Floats  # (n,) expected counts
    excess: Floats  # (n,) y/mean - 1, zero where masked
    pull: Floats  # (n,) excess carried back to where the electrons came from, times the width
    weight: Floats  # (n,) the same of ones: the width, and width times the chance to be scattered
    scattered: Floats  # (n,)
    smooth: Floats  # (n,)
    below: Floats  # (K, 2) share of Gaussian and Lorentzian below the window
    sums: Floats  # (K, 8)


@njit(cache=True, nogil=True)
def room_for(n_peaks: int, n: int) -> Room:
    """Room for one fit of ``n_peaks`` in ``n`` channels."""
    return Room(
        np.zeros((n_peaks, n)), np.zeros((n_peaks, n)), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n),
        np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n_peaks, 2)), np.zeros((n_peaks, 8)),
    )  # fmt: skip


# --- expected counts -----------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _fill_gauss(axis: Floats, position: float, fwhm: float, out: Floats) -> None:
    """Density of a Gaussian."""
    steepness = -4.0 * _LN2 / (fwhm * fwhm)
    top = 2.0 * math.sqrt(_LN2 / math.pi) / fwhm
    for i in range(out.shape[0]):
        u = axis[i] - position
        out[i] = top * fast_exp(steepness * u * u)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _fill_lorentz(axis: Floats, position: float, fwhm: float, out: Floats) -> None:
    """Density of a Lorentzian."""
    half = 0.5 * fwhm
    square, top = half * half, half / math.pi
    for i in range(out.shape[0]):
        u = axis[i] - position
        out[i] = top / (square + u * u)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_shapes(window: Window, theta: Floats, room: Room) -> None:
    """Densities of all peaks; those of a part without area are left zero."""
    for k in range(room.gauss.shape[0]):
        position, fwhm = theta[4 * k], theta[4 * k + 1]
        if theta[4 * k + 2] > 0.0:
            _fill_gauss(window.axis, position, fwhm, room.gauss[k])
        else:
            room.gauss[k, :] = 0.0
        if theta[4 * k + 3] > 0.0:
            _fill_lorentz(window.axis, position, fwhm, room.lorentz[k])
        else:
            room.lorentz[k, :] = 0.0
        if window.step == SHIRLEY:
            z = 2.0 * (window.axis[0] - 0.5 * window.width[0] - position) / fwhm
            room.below[k, 0] = 0.5 * math.erfc(-math.sqrt(_LN2) * z)
            room.below[k, 1] = 0.5 + math.atan(z) / math.pi


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _add_rows(a: float, first: Floats, b: float, second: Floats, out: Floats) -> None:
    for i in range(out.shape[0]):
        out[i] += a * first[i] + b * second[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _scatter(window: Window, peaks: Floats, from_below: float, out: Floats) -> None:
    """What the peaks send on, per unit coefficient: h (everything below + half of the channel's own)."""
    if window.step == SHIRLEY:
        running = from_below
        for i in range(out.shape[0]):
            out[i] = window.width[i] * (running + 0.5 * peaks[i])
            running += peaks[i]
    else:
        for i in range(out.shape[0]):
            total = 0.0
            for j in range(out.shape[0]):
                total += window.operator[i, j] * peaks[j]
            out[i] = total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _gather(window: Window, values: Floats, out: Floats) -> None:
    """Transpose of :func:`_scatter`: what arrives from every channel, weighted with ``values``."""
    n = out.shape[0]
    if window.step == SHIRLEY:
        running = 0.0
        for i in range(n - 1, -1, -1):
            here = window.width[i] * values[i]
            out[i] = running + 0.5 * here
            running += here
    else:
        out[:] = 0.0
        for i in range(n):
            value, row = values[i], window.operator[i]
            for j in range(n):
                out[j] += value * row[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _compare(
    window: Window, counts: Floats, coefficient: float, peaks: Floats, tail: Floats, mean: Floats,
    excess: Floats,
) -> None:  # fmt: skip
    """Add peaks and step to the background in ``mean``; excess = y/mean − 1."""
    n = mean.shape[0]
    if window.step == NO_STEP:
        for i in range(n):
            mean[i] += peaks[i]
    else:
        for i in range(n):
            mean[i] += peaks[i] + coefficient * tail[i]
    total = 0.0
    for i in range(n):
        total += mean[i]
    floor = _FLOOR * total / n
    for i in range(n):
        mean[i] = max(mean[i], floor)
        excess[i] = window.seen[i] * (counts[i] / mean[i] - 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def find_mean(window: Window, counts: Floats, theta: Floats, room: Room) -> None:
    """Expected counts of the shapes in ``room`` with the areas of ``theta``, and the relative excess."""
    n_peaks, n = room.gauss.shape
    peaks, mean = room.peaks, room.mean
    peaks[:] = 0.0
    mean[:] = 0.0
    from_below = 0.0
    for k in range(n_peaks):
        a, b = theta[4 * k + 2], theta[4 * k + 3]
        _add_rows(a, room.gauss[k], b, room.lorentz[k], peaks)
        from_below += a * room.below[k, 0] + b * room.below[k, 1]
    for i in range(n):
        peaks[i] *= window.width[i]
    for m in range(window.basis.shape[0]):
        b = theta[4 * n_peaks + m]
        _add_rows(b, window.basis[m], 0.0, window.basis[m], mean)
    coefficient = 0.0
    if window.step != NO_STEP:
        coefficient = theta[theta.shape[0] - 1]
        _scatter(window, peaks, from_below, room.tail)
    _compare(window, counts, coefficient, peaks, room.tail, mean, room.excess)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def deviance(window: Window, counts: Floats, mean: Floats) -> float:
    """Poisson deviance of the seen channels."""
    total = 0.0
    for i in range(mean.shape[0]):
        y = max(counts[i], 1e-300)
        total += window.seen[i] * (mean[i] - y + y * (fast_log(y) - fast_log(mean[i])))
    return 2.0 * total


# --- areas ---------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _times(a: Floats, b: Floats, out: Floats) -> None:
    for i in range(out.shape[0]):
        out[i] = a[i] * b[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _pulled(window: Window, coefficient: float, room: Room) -> float:
    """Excess carried back to the channel of origin, times the width; returns Σ h × excess."""
    width, excess, pull = window.width, room.excess, room.pull
    n = pull.shape[0]
    if window.step == NO_STEP:
        _times(width, excess, pull)
        return 0.0
    _gather(window, excess, pull)
    total = 0.0
    for i in range(n):
        total += width[i] * excess[i]
        pull[i] = width[i] * (excess[i] + coefficient * pull[i])
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _dot(a: Floats, b: Floats) -> float:
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _two_dots(a: Floats, first: Floats, second: Floats) -> tuple[float, float]:
    one, two = 0.0, 0.0
    for i in range(a.shape[0]):
        one += a[i] * first[i]
        two += a[i] * second[i]
    return one, two


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_channels(window: Window, room: Room) -> None:
    """Set ``weight`` and ``scattered``: what the seen channels count of a unit density."""
    _times(window.width, window.seen, room.weight)
    if window.step != NO_STEP:
        _gather(window, window.seen, room.scattered)
        _times(room.scattered, window.width, room.scattered)


@njit(cache=True, nogil=True, error_model="numpy")
def areas_cycle(window: Window, members: Members, counts: Floats, theta: Floats, room: Room) -> None:
    """E-step and M-step of areas and background, with the shapes that ``room`` holds.

    a ← a Σ (y/λ) f / Σ f over the seen channels, f = content of the channel and, with a step, its share
    of the step; then the coefficient of the step for the new areas. Leaves the counts that every peak
    owns in ``room.sums[:, 0]``.
    """
    n_peaks = room.gauss.shape[0]
    find_mean(window, counts, theta, room)
    stepped = window.step != NO_STEP
    coefficient = theta[theta.shape[0] - 1] if stepped else 0.0
    total = _pulled(window, coefficient, room)
    sums = room.sums
    below_weight = _dot(window.width, window.seen) if window.step == SHIRLEY else 0.0
    for k in range(n_peaks):
        more_g, more_l = _two_dots(room.pull, room.gauss[k], room.lorentz[k])
        own_g, own_l = _two_dots(room.weight, room.gauss[k], room.lorentz[k])
        sent_g, sent_l = 0.0, 0.0
        if stepped:
            sent_g, sent_l = _two_dots(room.scattered, room.gauss[k], room.lorentz[k])
            if window.step == SHIRLEY:
                below_g, below_l = room.below[k, 0], room.below[k, 1]
                more_g += coefficient * below_g * total
                more_l += coefficient * below_l * total
                sent_g += below_g * below_weight
                sent_l += below_l * below_weight
        sums[k, 1], sums[k, 2] = own_g + coefficient * sent_g, own_l + coefficient * sent_l
        sums[k, 3], sums[k, 4] = more_g, more_l
        sums[k, 5], sums[k, 6] = sent_g, sent_l
    for m in range(window.basis.shape[0]):
        more, all_of_it = _two_dots(window.basis[m], room.excess, window.seen)
        if all_of_it > 0.0:
            theta[4 * n_peaks + m] *= max(1.0 + more / all_of_it, 0.0)
    tail_counts = 0.0
    if stepped:
        more, all_of_it = _two_dots(room.tail, room.excess, window.seen)
        tail_counts = coefficient * (more + all_of_it)
    _set_areas(members, theta, sums)
    if stepped:
        sent = 0.0
        for k in range(n_peaks):
            sent += theta[4 * k + 2] * sums[k, 5] + theta[4 * k + 3] * sums[k, 6]
        if sent > 0.0:
            theta[theta.shape[0] - 1] = max(tail_counts, 0.0) / sent


@njit(cache=True, nogil=True, error_model="numpy")
def _set_areas(members: Members, theta: Floats, sums: Floats) -> None:
    """M-step of the areas; tied ones pool their counts. ``sums[:, 0]`` gets the counts of each peak."""
    n_peaks = sums.shape[0]
    for k in range(n_peaks):
        a, b = theta[4 * k + 2], theta[4 * k + 3]
        sums[k, 0] = a * (sums[k, 1] + sums[k, 3]) + b * (sums[k, 2] + sums[k, 4])
    for leader in range(n_peaks):
        if members.area_of[leader] != leader:
            continue
        for part in range(2):
            got, given = 0.0, 0.0
            for k in range(n_peaks):
                if members.area_of[k] == leader:
                    a = theta[4 * k + 2 + part]
                    got += a * (sums[k, 1 + part] + sums[k, 3 + part])
                    given += a * sums[k, 1 + part]
            if given > 0.0:
                theta[4 * leader + 2 + part] *= max(got / given, 0.0)
    for k in range(n_peaks):
        leader = members.area_of[k]
        if leader != k:
            theta[4 * k + 2] = members.area_ratio[k] * theta[4 * leader + 2]
            theta[4 * k + 3] = members.area_ratio[k] * theta[4 * leader + 3]


# --- shapes --------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _moments(
    axis: Floats, pull: Floats, gauss: Floats, lorentz: Floats,
    position: float, fwhm: float, area_gauss: float, area_lorentz: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Σ of excess counts, and Σ c, Σ c u, Σ c u² with c = 8 ln2 (Gaussian) + 4 τ (Lorentzian), u = x − x0.

    τ = 2/(1+z²) = π fwhm × the density of the Lorentzian.
    """
    counts, c0, c1, c2 = 0.0, 0.0, 0.0, 0.0
    stiff = 4.0 * math.pi * fwhm
    for i in range(axis.shape[0]):
        u = axis[i] - position
        g = pull[i] * area_gauss * gauss[i]
        l = pull[i] * area_lorentz * lorentz[i]  # noqa: E741
        c = 8.0 * _LN2 * g + stiff * lorentz[i] * l
        counts += g + l
        c0 += c
        c1 += c * u
        c2 += c * u * u
    return counts, c0, c1, c2


@njit(cache=True, nogil=True, error_model="numpy")
def _moments_below(
    edge: float, position: float, fwhm: float, area_gauss: float, area_lorentz: float
) -> tuple[float, float, float, float]:
    """Sums of :func:`_moments` over all that lies below the window, per unit excess, in closed form."""
    u, z = edge - position, 2.0 * (edge - position) / fwhm
    square = fwhm * fwhm / (8.0 * _LN2)
    density = 2.0 * math.sqrt(_LN2 / math.pi) / fwhm * math.exp(-_LN2 * z * z)
    mass_g = 0.5 * math.erfc(-math.sqrt(_LN2) * z)
    mass_l, half = 0.5 + math.atan(z) / math.pi, 0.5 * fwhm
    bend = z / (1.0 + z * z) / math.pi
    g0, g1, g2 = mass_g, -square * density, square * (mass_g - u * density)
    l0, l1, l2 = mass_l + bend, -half / (math.pi * (1.0 + z * z)), half * half * (mass_l - bend)
    a, b = 8.0 * _LN2 * area_gauss, 4.0 * area_lorentz
    return area_gauss * mass_g + area_lorentz * mass_l, a * g0 + b * l0, a * g1 + b * l1, a * g2 + b * l2


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_moments(window: Window, theta: Floats, room: Room) -> None:
    """Moments of the excess of every peak into ``room.sums[:, :4]``."""
    stepped = window.step != NO_STEP
    coefficient = theta[theta.shape[0] - 1] if stepped else 0.0
    total = _pulled(window, coefficient, room)
    edge = window.axis[0] - 0.5 * window.width[0]
    for k in range(room.gauss.shape[0]):
        x0, w, a, b = theta[4 * k], theta[4 * k + 1], theta[4 * k + 2], theta[4 * k + 3]
        counts, c0, c1, c2 = _moments(window.axis, room.pull, room.gauss[k], room.lorentz[k], x0, w, a, b)
        if window.step == SHIRLEY:
            n_, d0, d1, d2 = _moments_below(edge, x0, w, a, b)
            arriving = coefficient * total
            counts += arriving * n_
            c0 += arriving * d0
            c1 += arriving * d1
            c2 += arriving * d2
        sums = room.sums
        sums[k, 0], sums[k, 1], sums[k, 2], sums[k, 3] = counts, c0, c1, c2


@njit(cache=True, nogil=True, error_model="numpy")
def _move_shapes(members: Members, theta: Floats, sums: Floats, most: float) -> bool:
    """M-step of positions and widths; False when the sums allow none.

    ``most`` is the number of events per emitted electron that the complete data hold.
    """
    n_peaks = sums.shape[0]
    for k in range(n_peaks):  # the complete data: what the model expects, and the excess
        w, a, b = theta[4 * k + 1], theta[4 * k + 2], theta[4 * k + 3]
        sums[k, 4] = most * (a + b) + sums[k, 0]
        sums[k, 5] = most * (8.0 * _LN2 * a + 4.0 * b) + sums[k, 1]
        sums[k, 6] = sums[k, 2]
        sums[k, 7] = most * w * w * (a + b) + sums[k, 3]
        if a + b > 0.0 and (sums[k, 4] <= 0.0 or sums[k, 5] <= 0.0):
            return False
    for leader in range(n_peaks):
        if members.position_of[leader] != leader:
            continue
        slope, stiff = 0.0, 0.0
        low, high = members.lowest[leader, 0], members.highest[leader, 0]
        for k in range(n_peaks):
            if members.position_of[k] == leader:
                w = theta[4 * k + 1]
                slope += sums[k, 6] / (w * w)
                stiff += sums[k, 5] / (w * w)
        if stiff > 0.0:
            step = min(max(slope / stiff, low - theta[4 * leader]), high - theta[4 * leader])
            for k in range(n_peaks):
                if members.position_of[k] == leader:
                    sums[k, 7] += step * (step * sums[k, 5] - 2.0 * sums[k, 6])
                    theta[4 * k] += step
    for leader in range(n_peaks):
        if members.width_of[leader] != leader:
            continue
        square, counts = 0.0, 0.0
        for k in range(n_peaks):
            if members.width_of[k] == leader:
                ratio = members.width_ratio[k]
                square += sums[k, 7] / (ratio * ratio)
                counts += sums[k, 4]
        if counts > 0.0 and square > 0.0:
            w = math.sqrt(square / counts)
            w = min(max(w, members.lowest[leader, 1]), members.highest[leader, 1])
            for k in range(n_peaks):
                if members.width_of[k] == leader:
                    theta[4 * k + 1] = members.width_ratio[k] * w
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def shapes_cycle(
    window: Window, members: Members, counts: Floats, theta: Floats, before: Floats, room: Room
) -> None:
    """E-step and M-step of positions and widths; leaves the new shapes in ``room``.

    With a step, the electrons that left the window unseen make the exact step short. The step of a
    peak without them is tried first, and kept unless the deviance rises.
    """
    find_mean(window, counts, theta, room)
    _sum_moments(window, theta, room)
    if window.step == NO_STEP:
        _move_shapes(members, theta, room.sums, 1.0)
        fill_shapes(window, theta, room)
        return
    old = deviance(window, counts, room.mean)
    before[:] = theta
    if _move_shapes(members, theta, room.sums, 1.0):
        fill_shapes(window, theta, room)
        find_mean(window, counts, theta, room)
        if deviance(window, counts, room.mean) <= old:
            return
    theta[:] = before
    _move_shapes(members, theta, room.sums, 1.0 + theta[theta.shape[0] - 1] * window.steepness)
    fill_shapes(window, theta, room)
