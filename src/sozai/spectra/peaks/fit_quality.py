"""Whether a fit describes its counts, and what looks wrong about its peaks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, gammaincc, gammaln, xlogy

from sozai.spectra.peaks.peak_fit import Peak

__all__ = [
    "acts_as_background", "background_notes", "deviance_p_value", "model_notes", "peak_notes",
    "runs_p_value", "support_notes", "too_close",
]  # fmt: skip

Array = NDArray[np.float64]

#: Expectations from which on the deviance of a channel is a chi-square to 2 %.
_BRIGHT = 20.0
#: Centers closer than this share of a width are one peak to the data.
CLOSE = 0.25
#: A model with so small a probability is wrong, however many spectra are looked at.
_SURELY_WRONG = 1e-6
#: A center within this many widths of the end of the window is on the edge.
_EDGE = 0.5
#: A peak this many times as wide as the highest one acts as a background.
_SLOPE = 4.0


def deviance_p_value(deviance: float, dof: int, expected: Array | None = None) -> float:
    r"""Probability of a larger deviance by chance.

    Parameters
    ----------
    deviance : float
    dof : int
    expected : ndarray of shape (n,), optional
        Expected counts of the channels in use, for a Poisson deviance: where some are below 20 its mean and
        variance are not those of :math:`\chi^2`. They are taken from the Poisson distribution itself, as in
        [1]_, and a gamma distribution with both.

    Returns
    -------
    float

    References
    ----------
    .. [1] J. S. Kaastra, Astron. Astrophys. 605, A51 (2017). https://doi.org/10.1051/0004-6361/201629319

    Examples
    --------
    >>> round(deviance_p_value(3.841, 1), 4)
    0.05
    """
    if dof < 1 or not np.isfinite(deviance):
        return float("nan")
    if expected is None or not len(expected) or expected.min() >= _BRIGHT:
        return float(gammaincc(0.5 * dof, 0.5 * deviance))
    at, means, variances = _channel_moments()
    share = dof / len(expected)
    logs = np.log(np.clip(expected, 1e-6, 1e3))
    mean = share * float(np.interp(logs, at, means).sum())
    variance = share * float(np.interp(logs, at, variances).sum())
    return float(gammaincc(mean**2 / variance, deviance * mean / variance))


@lru_cache(maxsize=1)
def _channel_moments() -> tuple[Array, Array, Array]:
    """Logarithm of the expectation, mean and variance of the deviance of one channel."""
    at = np.linspace(np.log(1e-6), np.log(1e3), 240)
    mu = np.exp(at)[:, None]
    k = np.arange(1400.0)
    chance = np.exp(xlogy(k, mu) - mu - gammaln(k + 1.0))
    deviance = 2.0 * (mu - k + xlogy(k, k / mu))
    mean = (chance * deviance).sum(axis=1)
    return at, mean, (chance * (deviance - mean[:, None]) ** 2).sum(axis=1)


def runs_p_value(residuals: Array) -> float:
    """Probability that residuals change their sign so seldom by chance (Wald and Wolfowitz).

    Parameters
    ----------
    residuals : ndarray of shape (n,)
        Along the axis; NaN is left out.

    Examples
    --------
    >>> runs_p_value(np.repeat([1.0, -1.0], 20)) < 1e-8
    True
    """
    signs = residuals[np.isfinite(residuals)] > 0.0
    n, up = len(signs), int(signs.sum())
    down = n - up
    if up == 0 or down == 0 or n < 3:
        return float("nan")
    runs = 1 + int(np.count_nonzero(signs[1:] != signs[:-1]))
    mean = 1.0 + 2.0 * up * down / n
    variance = (mean - 1.0) * (mean - 2.0) / (n - 1.0)
    if not variance > 0.0:
        return float("nan")
    return float(0.5 * erfc((mean - runs - 0.5) / np.sqrt(2.0 * variance)))


def too_close(positions: Array, widths: Array) -> list[tuple[int, int]]:
    """Pairs of peaks whose centers are closer than a quarter of the smaller width.

    Examples
    --------
    >>> too_close(np.array([1.0, 1.1, 5.0]), np.array([1.0, 2.0, 1.0]))
    [(0, 1)]
    """
    n = len(positions)
    return [
        (a, b)
        for a in range(n)
        for b in range(a + 1, n)
        if abs(positions[a] - positions[b]) < CLOSE * min(widths[a], widths[b])
    ]


def acts_as_background(
    positions: Array, widths: Array, heights: Array, window: tuple[float, float]
) -> NDArray[np.bool_]:
    """Peaks that describe a slope rather than a line.

    Their center lies within half a width of an end of the window, or they are wider than half the window, or
    wider than four times the highest peak.

    Parameters
    ----------
    positions, widths, heights : ndarray of shape (K,)
    window : (float, float)

    Returns
    -------
    ndarray of bool of shape (K,)

    Examples
    --------
    >>> at, wide, high = np.array([10.0, 12.0, 20.0]), np.array([1.0, 4.5, 1.0]), np.array([9.0, 1.0, 1.0])
    >>> acts_as_background(at, wide, high, (0.0, 20.0))
    array([False,  True,  True])
    """
    if not len(positions):
        return np.zeros(0, dtype=bool)
    low, high = window
    edge = (positions < low + _EDGE * widths) | (positions > high - _EDGE * widths)
    typical = widths[int(np.argmax(np.where(edge, -np.inf, heights)))]
    return np.asarray(edge | (widths > 0.5 * (high - low)) | (widths > _SLOPE * typical))


def peak_notes(
    peaks: Sequence[Peak], window: tuple[float, float], floors: dict[str, float], labels: Sequence[str]
) -> list[str]:
    """What a user should look at.

    Parameters
    ----------
    peaks : sequence of Peak
        By position.
    window : (float, float)
    floors : dict
        Labels of peaks whose width lies on its lower bound, and that bound.
    labels : sequence of str
        In the order that the user gave.
    """
    notes = []
    low, high = window
    for a, b in too_close(np.array([p.position for p in peaks]), np.array([p.fwhm for p in peaks])):
        one, other = peaks[a], peaks[b]
        gap = abs(other.position - one.position) / min(one.fwhm, other.fwhm)
        notes.append(
            f"Merge suggested: {one.label!r} and {other.label!r} lie {gap:.3g} widths apart "
            f"(at {one.position:.6g} and {other.position:.6g})."
        )
    for peak in peaks:
        if peak.fwhm > high - low:
            notes.append(
                f"{peak.label!r} is {peak.fwhm:.6g} wide, more than the window of {high - low:.6g}: it acts "
                "as a background."
            )
        elif not low + _EDGE * peak.fwhm <= peak.position <= high - _EDGE * peak.fwhm:
            notes.append(
                f"{peak.label!r} at {peak.position:.6g} lies on the edge of the window from {low:.6g} to "
                f"{high:.6g}; its area continues outside."
            )
        if peak.label in floors:
            notes.append(f"The width of {peak.label!r} is at its floor of {floors[peak.label]:.6g}.")
    ranks = [labels.index(peak.label) for peak in peaks]
    if ranks != sorted(ranks):
        order = ", ".join(repr(peak.label) for peak in peaks)
        notes.append(f"Labels are not in the order in which they were given: by position they are {order}.")
    return notes


def background_notes(axis: Array, background: Array, scale: float) -> list[str]:
    """Say where a background that may be negative is so.

    Parameters
    ----------
    axis, background : ndarray of shape (n,)
    scale : float
        Largest expected counts; a billionth of it is rounding.

    Examples
    --------
    >>> background_notes(np.array([1.0, 2.0]), np.array([5.0, -3.0]), 100.0)
    ['The background is negative in 1 of 2 channels, to -3 at 2.']
    """
    below = background < -1e-9 * scale
    if not below.any():
        return []
    least = int(np.argmin(background))
    lowest = f"to {background[least]:.6g} at {axis[least]:.6g}"
    return [f"The background is negative in {int(below.sum())} of {len(axis)} channels, {lowest}."]


def support_notes(peaks: Sequence[Peak]) -> list[str]:
    """Peaks that the data do not support: flagged, never removed.

    Parameters
    ----------
    peaks : sequence of Peak
    """
    return [
        f"{peak.label!r} is not supported by the data: its area is {in_errors(peak)}, or another center is "
        f"closer than {CLOSE:g} widths."
        for peak in peaks
        if not peak.supported
    ]


def model_notes(p_value: float, runs: float, deviance: float, dof: int) -> list[str]:
    """Structure in the counts that the model misses: then errors are too small, whatever their digits.

    Parameters
    ----------
    p_value, runs : float
        Of the deviance (NaN where the noise is estimated) and of the runs of the residuals.
    deviance : float
    dof : int

    Returns
    -------
    list of str

    Examples
    --------
    >>> model_notes(0.2, 0.3, 240.0, 242)
    []
    >>> print(model_notes(0.0, 0.3, 3091.0, 242)[0])
    The model misses structure in the counts (deviance 3091 for 242 degrees of freedom): errors are too \
small, and other peaks, a shape or a background may be missing. Look at the residual.
    """
    seen = []
    if p_value < _SURELY_WRONG:
        seen.append(f"deviance {deviance:.5g} for {dof} degrees of freedom")
    if runs < _SURELY_WRONG:
        seen.append(f"residuals keep their sign too long, p = {runs:.1g}")
    if not seen:
        return []
    note = (
        f"The model misses structure in the counts ({'; '.join(seen)}): errors are too small, and other "
        "peaks, a shape or a background may be missing. Look at the residual."
    )
    return [note]


def in_errors(peak: Peak) -> str:
    """Area in errors."""
    if not (np.isfinite(peak.area_error) and peak.area_error > 0.0):
        return f"{peak.area:.6g} without an error"
    return f"{peak.area / peak.area_error:.3g} errors"
