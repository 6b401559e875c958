"""How many of the template's peaks a pixel has, by the Bayesian information criterion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.noise import RobustNoise
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.likelihood_fit import FitBatch
from sozai.spectra.peaks.map_fit import MapModel, best_of, covariances
from sozai.spectra.peaks.parameter_box import ties_of

__all__ = ["choose_peaks", "information_criterion", "peaks_together", "tied_model", "without_peaks"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: A peak whose squared area over variance exceeds this many penalties is there beyond doubt.
_BEYOND_DOUBT = 4.0
_AREAS = ("area", "area_gauss", "area_lorentz")


def tied_model(model: CompiledModel, T: Array, t0: Array, lower: Array, upper: Array) -> CompiledModel:
    """Return the same model with another map θ = T u + t0 and box of u."""
    T = np.ascontiguousarray(T)
    ties = ties_of(T, t0, lower, upper, model.penalty)
    return replace(
        model, T=T, t0=t0, free_lower=lower, free_upper=upper, ties=ties, inverse=np.linalg.pinv(T)
    )


def peaks_together(model: CompiledModel) -> list[frozenset[int]]:
    """Peaks that appear and vanish together: those whose areas follow from the same free parameters."""
    groups: list[tuple[set[int], set[int]]] = []
    for k, shape in enumerate(model.shapes):
        first = model.block(k).start
        rows = [first + i for i, name in enumerate(shape.parameters) if name in _AREAS]
        columns = set(np.flatnonzero(model.T[rows].any(axis=0)).tolist())
        if not columns:  # an area that is held is always there
            continue
        peaks = {k}
        for other in [group for group in groups if group[1] & columns]:
            groups.remove(other)
            peaks, columns = peaks | other[0], columns | other[1]
        groups.append((peaks, columns))
    return [frozenset(peaks) for peaks, _ in groups]


def without_peaks(model: CompiledModel, gone: frozenset[int], template: Array) -> CompiledModel:
    """Hold the areas of some peaks at 0, and whatever nothing but these peaks depends on at the template."""
    inside = np.zeros(model.n_parameters, dtype=bool)
    empty = inside.copy()
    for k in gone:
        block = model.block(k)
        inside[block] = True
        empty[block] = [name in _AREAS for name in model.shapes[k].parameters]
    if model.program.shirley_per_peak:
        inside[[model.program.shirley_first + k for k in gone]] = True
    drop = ~(model.T[~inside] != 0.0).any(axis=0)
    drop |= (model.T[empty] != 0.0).any(axis=0)
    T = model.T[:, ~drop].copy()
    t0 = model.t0 + model.T[:, drop] @ model.free_of(template)[drop]
    T[empty], t0[empty] = 0.0, 0.0
    return tied_model(model, T, t0, model.free_lower[~drop], model.free_upper[~drop])


def choose_peaks(
    setup: MapModel, counts: Array, weights: Array, fit: FitBatch, factor: Array
) -> tuple[FitBatch, Flags]:
    r"""Take peaks away as long as the criterion falls.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    fit : FitBatch
        With all peaks.
    factor : ndarray of shape (S,)
        Counts of each pixel over those of the template.

    Returns
    -------
    fit : FitBatch
    present : ndarray of bool of shape (S, K)

    Notes
    -----
    BIC = D + p ln n, or n ln(D/n) + p ln n where the size of the noise is not known; p counts the free
    parameters and n the channels in use. From all peaks, each that is not beyond doubt
    is removed in turn and the rest fitted again; the best of these is kept if its criterion is lower, and the
    next peak tried. Only models of up to 2^K kinds are met, each compiled once per block.
    """
    model = setup.model
    present = np.ones((len(fit), len(model.shapes)), dtype=bool)
    together = peaks_together(model)
    n_used = np.broadcast_to((weights > 0).sum(axis=1), len(fit))
    now = information_criterion(setup, fit.deviance, np.full(len(fit), model.n_free), n_used)
    template = setup.scaled(setup.template[None], factor)
    models: dict[frozenset[int], CompiledModel] = {}
    active = np.arange(len(fit))
    for _ in range(len(together)):
        trials: dict[frozenset[int], list[int]] = {}
        doubted = _doubted(setup, fit, present, together, n_used)
        for s in active:
            for group in doubted[s]:
                gone = group | frozenset(np.flatnonzero(~present[s]).tolist())
                trials.setdefault(gone, []).append(int(s))
        best: dict[int, tuple[float, FitBatch, int, frozenset[int]]] = {}
        for gone in sorted(trials, key=sorted):
            rows = np.array(trials[gone])
            reduced = models.setdefault(gone, without_peaks(model, gone, setup.template))
            starts = np.stack([fit.theta[rows], template[rows]], axis=1).reshape(2 * len(rows), -1)
            lines = weights if len(weights) == 1 else weights[rows]
            small = replace(setup, model=reduced)
            found, _ = best_of(small, counts[rows], lines, starts, np.repeat(np.arange(len(rows)), 2))
            worth = information_criterion(
                setup, found.deviance, np.full(len(rows), reduced.n_free), n_used[rows]
            )
            for i, s in enumerate(rows.tolist()):
                if worth[i] < now[s] and (s not in best or worth[i] < best[s][0]):
                    best[s] = (float(worth[i]), found, i, gone)
        for s, (worth_s, found, i, gone) in best.items():
            _put(fit, s, found, i)
            now[s] = worth_s
            present[s, sorted(gone)] = False
        active = np.array(sorted(best), dtype=np.int64)
        if not len(active):
            break
    return fit, present


def information_criterion(
    setup: MapModel, deviance: Array, n_free: NDArray[np.int64], n_used: NDArray[np.int64]
) -> Array:
    """BIC of every row; inf where there is no deviance.

    Parameters
    ----------
    setup : MapModel
    deviance : ndarray of shape (S,)
    n_free, n_used : ndarray of int of shape (S,)
        Free parameters, and channels in use.
    """
    size = np.maximum(n_used, 1)
    fine = np.isfinite(deviance)
    value = np.where(fine, deviance, np.inf)
    if setup.free_dispersion and not isinstance(setup.noise, RobustNoise):
        value = np.where(fine, size * np.log(np.maximum(value, 1e-300) / size), np.inf)
    return np.asarray(value + n_free * np.log(size))


def _doubted(
    setup: MapModel, fit: FitBatch, present: Flags, together: list[frozenset[int]], n_used: NDArray[np.int64]
) -> list[list[frozenset[int]]]:
    """Groups of peaks of every pixel that may be none."""
    model = setup.model
    assert fit.fisher is not None
    dispersion = np.ones(len(fit))
    if setup.free_dispersion and not isinstance(setup.noise, RobustNoise):
        dispersion = fit.deviance / np.maximum(fit.dof, 1)
    covariance = np.nan_to_num(covariances(model, fit.theta, fit.fisher, dispersion))
    doubted: list[list[frozenset[int]]] = [[] for _ in range(len(fit))]
    for group in together:
        rows = [
            model.block(k).start + i
            for k in group
            for i, name in enumerate(model.shapes[k].parameters)
            if name in _AREAS
        ]
        area = fit.theta[:, rows].sum(axis=1)
        variance = covariance[:, rows][:, :, rows].sum(axis=(1, 2))
        columns = {k: model.block(k).stop - model.block(k).start for k in group}
        limit = _BEYOND_DOUBT * sum(columns.values()) * np.log(np.maximum(n_used, 2))
        unsure = ~(area**2 > limit * variance) | (variance <= 0)
        here = present[:, sorted(group)].any(axis=1) & unsure & np.isfinite(fit.deviance)
        for s in np.flatnonzero(here):
            doubted[s].append(group)
    return doubted


def _put(fit: FitBatch, row: int, other: FitBatch, other_row: int) -> None:
    """One row of a batch from another."""
    assert fit.fisher is not None
    assert other.fisher is not None
    for name in ("theta", "deviance", "status", "n_iter", "fisher", "at_bound", "dof"):
        getattr(fit, name)[row] = getattr(other, name)[other_row]
