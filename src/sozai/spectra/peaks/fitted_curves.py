"""What a fitted mixture can tell after the fit: curves on any axis, and spectra drawn from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.noise import PoissonNoise, RobustNoise
from sozai.spectra.peaks.fit_report import output_order
from sozai.spectra.peaks.peak_fit import PeakFit
from sozai.spectra.peaks.peak_problem import PeakProblem, Solution
from sozai.spectra.spectrum import Spectrum

__all__ = ["as_spectrum", "background_at", "components_at", "drawn_spectra", "inside"]

Array = NDArray[np.float64]

_PLACE = "PeakMixture.fit"


def components_at(problem: PeakProblem, solution: Solution, x: Array) -> Array:
    """Content of every peak in channels around ``x`` that are as wide as the fitted ones there.

    Parameters
    ----------
    problem : PeakProblem
    solution : Solution
    x : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (K, m)
        In the order of the record.
    """
    model, theta = solution.model, solution.theta
    width = np.interp(x, model.grid.axis, model.grid.width)
    window = (float(model.grid.edges[0]), float(model.grid.edges[-1]))
    rows = []
    for k in output_order(problem.roster, theta):
        shape = model.shapes[k]
        own = dict(zip(shape.parameters, (float(v) for v in theta[model.block(k)]), strict=True))
        if model.grid.mode == 0:
            rows.append(shape.density(x, tail=model.grid.tail, window=window, **own) * width)
        else:
            ends = np.concatenate([x - 0.5 * width, x + 0.5 * width])
            low, high = shape.cdf(ends, tail=model.grid.tail, window=window, **own).reshape(2, -1)
            rows.append(high - low)
    return np.array(rows).reshape(len(rows), len(x))


def background_at(problem: PeakProblem, solution: Solution, result: PeakFit, x: Array) -> Array:
    """Background between the fitted channels, by a cubic spline through its values."""
    grid = solution.model.grid
    curve = np.empty(grid.n_channels)
    curve[problem.checked.order] = result.background_curve
    spline = CubicSpline(grid.axis, curve / grid.width)
    return np.asarray(spline(x) * np.interp(x, grid.axis, grid.width))


def drawn_spectra(
    problem: PeakProblem, solution: Solution, expected: Array, n: int, rng: np.random.Generator
) -> Array:
    """Spectra with the noise of the fit, shape (n, n_channels), in the user's order."""
    checked, order = problem.checked, problem.checked.order
    mean = np.empty(len(checked.axis))
    mean[order] = expected
    used = np.where(checked.weights > 0.0, checked.weights, np.nan)
    weights = np.where(np.isnan(used), np.nanmedian(used), used)
    shape = (n, len(mean))
    if isinstance(checked.noise, PoissonNoise):
        made = rng.poisson(np.maximum(mean, 0.0) * weights, size=shape) / weights
        if checked.noise.read > 0.0:
            made = made + rng.normal(scale=checked.noise.read, size=shape)
    elif isinstance(checked.noise, RobustNoise):
        df = checked.noise.df
        scale = np.sqrt(solution.dispersion * (df + 1) / (df + 3) / weights)
        made = mean + scale * rng.standard_t(df, size=shape)
    else:
        made = mean + np.sqrt(solution.dispersion / weights) * rng.standard_normal(shape)
    return np.asarray(made[:, order], dtype=np.float64)


def inside(axis: Any, fitted: Array, window: tuple[float, float], place: str) -> Array | None:
    """Axis values inside the window; None where they are the fitted ones.

    Raises
    ------
    InputError
        For values outside.
    """
    if axis is None:
        return None
    x = _column(axis.axis if isinstance(axis, Spectrum) else axis, place)
    if x.shape == fitted.shape and (x == fitted).all():
        return None
    low, high = window
    outside = np.flatnonzero(~((x >= low) & (x <= high)))
    if outside.size:
        k = int(outside[0])
        raise InputError(
            sentence(place, "axis", f"lie in the fitted window from {low:.6g} to {high:.6g}", float(x[k]),
                     at=f"at channel {k}", remedy="Fit a wider window.")
        )  # fmt: skip
    return x


def as_spectrum(axis: Any, counts: ArrayLike | None, mask: ArrayLike | None) -> Spectrum:
    """Spectrum with all masks joined."""
    if isinstance(axis, Spectrum):
        if counts is not None:
            raise InputError(
                sentence(_PLACE, "counts", "be left out with a Spectrum", remedy="Pass the Spectrum alone.")
            )
        spectrum = axis
    else:
        if counts is None:
            raise InputError(
                sentence(_PLACE, "counts", "be given", remedy="Pass a Spectrum, or axis and counts.")
            )
        spectrum = Spectrum(_column(axis, _PLACE), np.asarray(counts))
    if mask is None:
        return spectrum
    own = np.asarray(mask)
    joined = own if spectrum.mask is None or own.dtype != np.bool_ else spectrum.mask | own
    return replace(spectrum, mask=joined)


def _column(axis: Any, place: str) -> Array:
    """One-dimensional axis, from one column too."""
    x = np.asarray(axis)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1:
        raise InputError(
            sentence(place, "axis", "have the shape (n,) or (n, 1)", f"shape {x.shape}",
                     remedy="Pass the axis of one spectrum.")
        )  # fmt: skip
    return x.astype(np.float64) if x.dtype.kind in "biu" else x
