"""Size of one count in the unit of the data: the step that all values share, or the scatter of neighbors."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

__all__ = ["counted_gain", "scatter_gain", "value_step"]

Array = NDArray[np.float64]

#: Distinct values, and differences of neighbors, that are needed to say anything.
_DISTINCT, _DIFFERENCES = 8, 30
#: Largest distance of a value from a multiple of the step, in steps.
_OFF = 0.05
#: Multiples above this cannot be told from chance in decimal text.
_MOST = 1e6
#: Differences of an order take a smooth curve away; scatter without memory is alike in these two.
_LOW, _ORDER, _HIGH = 2, 3, 4
#: Ratio of the scatter by the two orders in which it may lie.
_ALIKE = (0.6, 1.6)
#: Differences beyond this many standard deviations are steps of the curve or spikes.
_TRIM = 4.0
#: A step counts as the size of one count where the scatter is that of counts up to this factor.
_NEAR = 4.0
#: Gain of log-likelihood from which on scatter that grows with the counts is believed.
_SURE = 2.0


def value_step(counts: Array) -> float | None:
    r"""Step of which all values are multiples.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        Not negative; NaN is left out.

    Returns
    -------
    float or None
        None where no such step is seen.

    Notes
    -----
    Whole counts over a dwell time, averaged over sweeps or scaled, keep their grid: its step is the size of
    one count exactly. Numbers written with few decimals have a step too, that of their last decimal:
    :func:`counted_gain` tells the two apart. Cost O(n log n).

    Examples
    --------
    >>> counts = np.random.default_rng(0).poisson(200.0, 100)
    >>> round(value_step(counts / 0.4), 6)
    2.5
    """
    values = np.unique(counts[np.isfinite(counts) & (counts > 0.0)])
    if len(values) < _DISTINCT:
        return None
    gaps = np.diff(values)
    step = float(gaps[gaps > 1e-9 * values[-1]].min(initial=np.inf))
    if not np.isfinite(step) or values[-1] / step > _MOST:
        return None
    for samples in (gaps, values):  # small multiples first: they fix the step for the large ones
        multiples = np.round(samples / step)
        if not multiples.any():
            return None
        step = float((multiples @ samples) / (multiples @ multiples))
    off = np.abs(values / step - np.round(values / step))
    if float(off.max()) > _OFF:
        return None
    shared = int(np.gcd.reduce(np.round(values / step).astype(np.int64)))
    return step * shared


def counted_gain(counts: Array) -> float | None:
    """Step of which all values are multiples, where neighbors scatter as counts of that size do.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        Not negative, in the order of the axis; NaN marks a gap.

    Returns
    -------
    float or None
        None where there is no step, or it is that of the decimals or of a converter rather than of counts.

    Examples
    --------
    >>> counts = np.random.default_rng(0).poisson(200.0, 100)
    >>> counted_gain(2.5 * counts), counted_gain(np.round(2.5e3 * counts + 0.7 * np.arange(100.0)))
    (2.5, None)
    """
    step, found = value_step(counts), _size(counts, _ORDER)
    if step is None or found is None or not step / _NEAR < found[0] < step * _NEAR:
        return None
    return step


def scatter_gain(counts: Array) -> float | None:
    r"""Variance over mean, where neighbors scatter as counts do.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        In the order of the axis; NaN marks a gap.

    Returns
    -------
    float or None
        None where the scatter does not grow with the counts, has a memory from channel to channel, or cannot
        be told from a curve.

    Notes
    -----
    Third differences :math:`\Delta^3 y / \sqrt{20}` have the variance of the counts and hardly anything of a
    curve that is smooth over four channels. Their likelihood (Laplace's, which outliers do not rule) with
    variance :math:`g\,\bar y` must be higher by 2 than with one variance for all, and than with one that
    grows as the square, as what is left of narrow peaks does; g is their mean square over the local
    mean, those beyond four standard deviations left out. Second and fourth differences must agree:
    noise-free or smoothed data do not. Lines narrower than eight channels often hide the answer, which
    is None then. The standard error is :math:`g\sqrt{4.6/n}`. Cost O(n).

    Examples
    --------
    >>> mean = 20.0 + 2000.0 * np.exp(-((np.arange(300.0) - 150.0) ** 2) / 800.0)
    >>> counts = 0.37 * np.random.default_rng(0).poisson(mean)
    >>> abs(scatter_gain(counts) / 0.37 - 1.0) < 0.3
    True
    >>> scatter_gain(mean) is None
    True
    """
    sizes = {}
    for order in (_LOW, _ORDER, _HIGH):
        found = _size(counts, order)
        if found is None:
            return None
        sizes[order] = found
    ratio = sizes[_HIGH][0] / sizes[_LOW][0]
    gain, belief = sizes[_ORDER]
    if not _ALIKE[0] <= ratio <= _ALIKE[1] or belief < _SURE:
        return None
    return gain


def _size(counts: Array, order: int) -> tuple[float, float] | None:
    """Mean square of differences over the local mean, and its gain in log-likelihood over other laws."""
    if len(counts) < order + _DIFFERENCES:
        return None
    difference = np.diff(counts, order) / np.sqrt(comb(2 * order, order))
    sums = np.convolve(counts, np.ones(order + 1), "valid") / (order + 1)
    known = np.isfinite(difference) & (sums > 0.0)
    if int(known.sum()) < _DIFFERENCES:
        return None
    difference, local = difference[known], sums[known]
    scaled = [difference / local ** (0.5 * power) for power in (0, 1, 2)]
    sizes = [float(np.abs(values).mean()) for values in scaled]
    if not min(sizes) > 0.0:
        return None
    mean_log = float(np.log(local).mean())
    flat, grown, steep = (-len(local) * (np.log(v) + 0.5 * k * mean_log) for k, v in enumerate(sizes))
    near = np.abs(scaled[1]) <= _TRIM * 1.4826 * float(np.median(np.abs(scaled[1])))
    square = float((scaled[1][near] ** 2).mean()) if near.any() else 0.0
    return (square, float(grown - max(flat, steep))) if square > 0.0 else None
