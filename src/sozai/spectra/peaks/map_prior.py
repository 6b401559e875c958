"""What pixels may learn from each other: a prior centered at the neighbors, and parameters that all share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.likelihood_fit import FitBatch
from sozai.spectra.peaks.likelihood_sums import GAUSSIAN, POISSON
from sozai.spectra.peaks.map_fit import MapModel, fit_map_rows, view_names
from sozai.spectra.peaks.map_kernels import score_rows
from sozai.spectra.peaks.map_presence import tied_model
from sozai.spectra.peaks.map_repair import neighbors_of
from sozai.spectra.peaks.map_rows import MapRows

__all__ = ["Prior", "SharedSums", "fit_shared", "fit_with_prior", "shared_columns", "smoothness_prior"]

Array = NDArray[np.float64]

_MAD = 1.4826
#: Least prior variance as a share of the mean squared error.
_FLOOR = 0.1
_MAX_ITER, _NIL, _STUCK = 50, 1e-7, 1e12
_WIDTHS = ("fwhm", "fwhm_gauss", "fwhm_lorentz", "half_width")
_STRIP = 1 << 16
#: Areas below this many counts have no Lorentz share.
_NOTHING = 1e-6


@dataclass(frozen=True)
class _Quantity:
    """One number of one peak that the prior holds: ``kind`` is "position", "width" or "share"."""

    peak: int
    kind: str
    row: int
    view: int


@dataclass(frozen=True, eq=False)
class Prior:
    """Gaussian prior of positions, logarithms of widths, and Lorentz shares.

    Attributes
    ----------
    center : ndarray of shape (N, m)
        Mean of the neighbors; NaN where there are none, which is no prior.
    variance : ndarray of shape (m,)
    quantities : tuple
        The m numbers.
    """

    center: Array
    variance: Array
    quantities: tuple[_Quantity, ...]


def _quantities(setup: MapModel) -> tuple[_Quantity, ...]:
    """What the prior of a model holds."""
    names, model = view_names(setup.model), setup.model
    found = []
    for k, shape in enumerate(model.shapes):
        first = model.block(k).start
        for i, name in enumerate(shape.parameters):
            seen = "fwhm_internal" if name == "fwhm" and shape.code == 6 else name
            if name == "position":
                found.append(_Quantity(k, "position", first + i, names.index(seen)))
            elif name in _WIDTHS:
                found.append(_Quantity(k, "width", first + i, names.index(seen)))
            elif name == "area_lorentz":
                found.append(_Quantity(k, "share", first + i, names.index("lorentz_fraction")))
    return tuple(found)


def smoothness_prior(setup: MapModel, rows: MapRows, shape: tuple[int, int]) -> Prior:
    r"""Empirical-Bayes prior of a map.

    Notes
    -----
    Centered at the mean of the up to eight neighbors. The variance of each number is what is left of the
    squared scatter about that mean, by median absolute deviation, when the mean squared error is taken away,
    :math:`v = s^2/(1 + 1/8) - \overline{\sigma^2}`, and at least a tenth of the latter. A second
    round keeps the variances and takes new centers. A flat map shrinks strongly, a structured one hardly.
    """
    quantities = _quantities(setup)
    n = len(rows.status)
    center = np.full((n, len(quantities)), np.nan)
    variance = np.ones(len(quantities))
    for j, one in enumerate(quantities):
        value = rows.values[:, one.peak, one.view]
        error = rows.errors[:, one.peak, one.view]
        with np.errstate(invalid="ignore", divide="ignore"):
            if one.kind == "width":
                value, error = np.log(value), error / value
        known = rows.fitted & np.isfinite(value)
        for first in range(0, n, _STRIP):
            here = np.arange(first, min(first + _STRIP, n))
            around = neighbors_of(here, shape)
            use = (around >= 0) & known[around]
            total = np.where(use, value[around], 0.0).sum(axis=1)
            number = use.sum(axis=1)
            center[here, j] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
        sure = known & np.isfinite(error) & np.isfinite(center[:, j])
        if sure.any():
            scatter = _MAD * float(np.median(np.abs(value[sure] - center[sure, j])))
            noise = float(np.median(error[sure] ** 2))
            variance[j] = max(scatter**2 / 1.125 - noise, _FLOOR * noise, 1e-300)
        else:
            center[:, j] = np.nan
    return Prior(center, variance, quantities)


def _held(prior: Prior, theta: Array, center: Array) -> tuple[Array, Array]:
    """Distance of the held numbers from their centers (S, m), and slopes (S, m, p)."""
    distance = np.zeros_like(center)
    slope = np.zeros((*center.shape, theta.shape[1]))
    for j, one in enumerate(prior.quantities):
        value = theta[:, one.row]
        if one.kind == "position":
            distance[:, j], slope[:, j, one.row] = value, 1.0
        elif one.kind == "width":
            safe = np.maximum(value, 1e-300)
            distance[:, j], slope[:, j, one.row] = np.log(safe), 1.0 / safe
        else:
            area = theta[:, one.row - 1] + value
            lost = ~(area > _NOTHING)  # a peak that is not there has no share
            area = np.where(lost, 1.0, area)
            share = np.where(lost, center[:, j], value / area)
            distance[:, j] = share
            slope[:, j, one.row] = np.where(lost, 0.0, (1.0 - share) / area)
            slope[:, j, one.row - 1] = np.where(lost, 0.0, -share / area)
    known = np.isfinite(center)
    slope[~known] = 0.0
    return np.where(known, distance - np.where(known, center, 0.0), 0.0), slope


def _scores(setup: MapModel, counts: Array, weights: Array, theta: Array) -> tuple[Array, Array, Array]:
    """Deviance (S,), score (S, p), information (S, p, p)."""
    code = POISSON if setup.noise.kernel == "poisson" else GAUSSIAN
    n, p = theta.shape
    deviance, score, information = np.empty(n), np.empty((n, p)), np.empty((n, p, p))
    score_rows(
        setup.model.program, counts, np.ascontiguousarray(weights), code, theta, deviance, score, information
    )
    return deviance, score, information


def fit_with_prior(
    setup: MapModel, counts: Array, weights: Array, fit: FitBatch, prior: Prior, pixels: NDArray[np.int64]
) -> tuple[FitBatch, Array, Array]:
    """Most probable parameters of some pixels under the prior, from their present ones.

    Returns
    -------
    fit : FitBatch
        Its deviance is that of the data alone.
    information : ndarray of shape (S, p, p)
        Of data and prior together; that of roughness is left out, as in a fit.
    score : ndarray of shape (S, p)
        Slope of both.

    Notes
    -----
    Minimizes D + Σ (h − m)²/v over the box by damped Newton steps on all pixels at once.
    """
    model, T = setup.model, setup.model.T
    size = np.ones(len(fit))
    if setup.free_dispersion:
        size = np.maximum(fit.deviance / np.maximum(fit.dof, 1), 1e-300)
    center, precision = prior.center[pixels], 1.0 / prior.variance
    theta, free = fit.theta.copy(), np.clip(model.free_of(fit.theta), model.free_lower, model.free_upper)
    theta = model.theta_of(free)

    def objective(at: Array) -> tuple[Array, Array, Array, Array]:
        deviance, score, information = _scores(setup, counts, weights, at)
        distance, slope = _held(prior, at, center)
        pull = slope * (precision * size[:, None])[:, :, None]
        score = score - np.einsum("smp,sm->sp", pull, distance)
        information = information + np.einsum("smp,smr->spr", pull, slope)
        if model.penalty.size:
            score, information = score - at @ model.penalty, information + model.penalty
        total = deviance + size * (precision * distance**2).sum(axis=1)
        total = total + np.einsum("sp,pr,sr->s", at, model.penalty, at) if model.penalty.size else total
        return total, deviance, score, information

    value, deviance, score, information = objective(theta)
    damping, running = np.full(len(fit), 1e-3), np.isfinite(value) & _all_finite(score, information)
    score, information = (
        np.where(running[:, None], score, 0.0),
        np.where(running[:, None, None], information, 0.0),
    )
    for _ in range(_MAX_ITER):
        if not running.any():
            break
        step = _box_step(model, free, score @ T, T.T @ information @ T, damping)
        trial = np.clip(free + step, model.free_lower, model.free_upper)
        at = np.where(running[:, None], model.theta_of(trial), theta)
        now, deviance_now, score_now, information_now = objective(at)
        fell = running & (now < value) & _all_finite(score_now, information_now)
        small = value - now <= _NIL * np.maximum(size, 1e-12 * np.abs(value))
        damping = np.where(fell, np.maximum(0.2 * damping, 1e-12), 8.0 * damping)
        running &= ~(fell & small) & (damping < _STUCK)
        free[fell], theta[fell], value[fell] = trial[fell], at[fell], now[fell]
        deviance[fell], score[fell], information[fell] = (
            deviance_now[fell],
            score_now[fell],
            information_now[fell],
        )
    status = np.where(np.isfinite(value), fit.status, 2).astype(np.int8)
    if model.penalty.size:
        score, information = score + theta @ model.penalty, information - model.penalty
    hit = (free <= model.free_lower) | (free >= model.free_upper)
    at_bound = hit @ (T != 0.0).T
    found = replace(fit, theta=theta, deviance=deviance, status=status, fisher=information, at_bound=at_bound)
    return found, information, score


def _all_finite(score: Array, information: Array) -> NDArray[np.bool_]:
    """Rows that a step can be taken from."""
    return np.isfinite(score).all(axis=1) & np.isfinite(information).all(axis=(1, 2))


def _box_step(model: Any, free: Array, score: Array, information: Array, damping: Array) -> Array:
    """Damped Newton steps of all rows; what pushes against a bound stays."""
    stay = ((free <= model.free_lower) & (score < 0)) | ((free >= model.free_upper) & (score > 0))
    diagonal = np.einsum("sqq->sq", information)
    stay |= ~(diagonal > 0)
    scale = np.where(stay, 0.0, 1.0 / np.sqrt(np.where(stay, 1.0, diagonal)))
    matrix = information * scale[:, :, None] * scale[:, None, :]
    index = np.arange(free.shape[1])
    matrix[:, index, index] = 1.0 + damping[:, None] + 1e-12
    solved = np.linalg.solve(matrix, (score * scale)[:, :, None])[:, :, 0]
    return np.asarray(solved * scale)


# --- shared parameters -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SharedSums:
    """Score and information of the shared parameters after the others have followed, over some pixels."""

    score: Array
    information: Array


def shared_columns(setup: MapModel, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Free parameters that all pixels share: those of every peak with one of these names, or of one peak."""
    model = setup.model
    rows = [
        i
        for i, full in enumerate(model.names[: model.n_peak_parameters])
        if full in names or full.rpartition(".")[2] in names
    ]
    return np.flatnonzero((model.T[rows] != 0.0).any(axis=0)) if rows else np.zeros(0, dtype=np.int64)


def fit_shared(
    setup: MapModel, counts: Array, weights: Array, theta: Array, columns: NDArray[np.int64], value: Array
) -> tuple[FitBatch, SharedSums]:
    r"""Fit pixels with the shared parameters held, and say where these want to go.

    Notes
    -----
    With the information in blocks, C for shared and L for own parameters of pixel i, the step of the
    shared ones solves
    :math:`\sum_i (F_{CC} - F_{CL} F_{LL}^{-1} F_{LC})\,d = \sum_i (g_C - F_{CL} F_{LL}^{-1} g_L)`
    with the block-arrow normal equations of the whole map, O(N q²).
    """
    model, T = setup.model, setup.model.T
    own = np.setdiff1d(np.arange(model.n_free), columns)
    t0 = model.t0 + T[:, columns] @ value
    held = tied_model(model, T[:, own], t0, model.free_lower[own], model.free_upper[own])
    fit = fit_map_rows(replace(setup, model=held), counts, weights, theta)
    _, score, information = _scores(setup, counts, weights, fit.theta)
    g, F = score @ T, T.T @ (information + model.penalty if model.penalty.size else information) @ T
    free = model.free_of(fit.theta)
    fixed = (free <= model.free_lower) | (free >= model.free_upper) | ~(np.einsum("sqq->sq", F) > 0)
    fixed[:, columns] = False
    scale = np.where(
        fixed, 0.0, 1.0 / np.sqrt(np.where(fixed, 1.0, np.maximum(np.einsum("sqq->sq", F), 1e-300)))
    )
    local = F[:, own][:, :, own] * scale[:, own, None] * scale[:, None, own]
    index = np.arange(len(own))
    local[:, index, index] = 1.0 + 1e-12
    mixed = F[:, own][:, :, columns] * scale[:, own, None]
    solved = np.linalg.solve(local, np.concatenate([mixed, (g[:, own] * scale[:, own])[:, :, None]], axis=2))
    good = np.isfinite(fit.deviance) & np.isfinite(solved).all(axis=(1, 2))
    reduced = F[:, columns][:, :, columns] - np.einsum("slc,sld->scd", mixed, solved[:, :, :-1])
    pull = g[:, columns] - np.einsum("slc,sl->sc", mixed, solved[:, :, -1])
    return fit, SharedSums(pull[good].sum(axis=0), reduced[good].sum(axis=0))
