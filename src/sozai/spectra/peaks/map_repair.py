"""Pixels that look wrong beside their neighbors, and what is tried for them: all at once, in sweeps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.likelihood_fit import FitBatch
from sozai.spectra.peaks.map_fit import MapModel, best_of, fit_map_rows
from sozai.spectra.peaks.map_rows import MapRows
from sozai.spectra.peaks.map_starts import blind_starts

__all__ = ["find_suspects", "neighbors_of", "repair_rows"]

Array = NDArray[np.float64]

#: Robust standard deviations that make a deviance suspect, and a center or an area.
_DEVIANCE, _MOVED = 4.0, 3.0
#: Areas of fewer errors are no peak.
_SUPPORTED = 4.0
#: Median absolute deviation of normal numbers.
_MAD = 1.4826
#: Blind starts of a suspect pixel.
_BLIND = 5
#: Steps from every start of a suspect pixel, and how many of them are followed to the end.
_FEW_STEPS, _FINALISTS = 8, 3
#: Image rows that are compared at a time.
_STRIP = 64


@dataclass(frozen=True)
class _Offset:
    down: int
    right: int


_AROUND = tuple(_Offset(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


def neighbors_of(pixels: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Flat indices of the eight neighbors, shape (s, 8); -1 outside of the image.

    Examples
    --------
    >>> neighbors_of(np.array([0]), (2, 2)).tolist()
    [[-1, -1, -1, -1, 1, -1, 2, 3]]
    """
    row, column = np.divmod(pixels, shape[1])
    found = np.full((len(pixels), len(_AROUND)), -1, dtype=np.int64)
    for k, step in enumerate(_AROUND):
        i, j = row + step.down, column + step.right
        inside = (i >= 0) & (i < shape[0]) & (j >= 0) & (j < shape[1])
        found[inside, k] = i[inside] * shape[1] + j[inside]
    return found


def find_suspects(
    rows: MapRows, shape: tuple[int, int], position: int, area: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Fitted pixels whose fit failed, fits badly, or stands apart from its neighbors.

    Parameters
    ----------
    rows : MapRows
    shape : (ny, nx)
    position, area : int
        Which quantities these are; they are compared with those of the neighbors.

    Returns
    -------
    suspect, bad : ndarray of bool of shape (N,)
        Bad are those whose fit failed or fits badly: their neighbors' results may not help.

    Notes
    -----
    Deviance per degree of freedom more than 4 robust standard deviations above the median of the map; a
    center or an area more than 3 standard deviations from the median of the neighbors, where the
    standard deviation is that of the pixel's own error and of the neighbors' scatter together. Centers of
    peaks whose area is less than four of its errors may be anywhere, and are not compared.
    """
    fitted = rows.fitted
    suspect = fitted & np.isin(rows.status, (1, 2))
    ratio = rows.deviance / np.maximum(rows.dof, 1)
    known = fitted & np.isfinite(ratio)
    if known.any():
        middle = float(np.median(ratio[known]))
        spread = _MAD * float(np.median(np.abs(ratio[known] - middle)))
        suspect |= known & (ratio > middle + _DEVIANCE * spread)
        suspect |= fitted & ~known
    bad = suspect.copy()
    for top in range(0, shape[0], _STRIP):
        here = np.arange(top * shape[1], min(top + _STRIP, shape[0]) * shape[1])
        around = neighbors_of(here, shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = rows.values[here, :, area] >= _SUPPORTED * rows.errors[here, :, area]
        moved = _stands_apart(rows, here, around, position) & seen
        moved |= _stands_apart(rows, here, around, area)
        suspect[here] |= fitted[here] & moved.any(axis=1)
    return suspect, bad


def _stands_apart(
    rows: MapRows, here: NDArray[np.int64], around: NDArray[np.int64], j: int
) -> NDArray[np.bool_]:
    """Whether one quantity of each peak is far from the neighbors' median, shape (s, K)."""
    apart = np.zeros((len(here), rows.values.shape[1]), dtype=bool)
    known = (around >= 0) & rows.fitted[around]
    enough = known.sum(axis=1) >= 2
    for k in range(rows.values.shape[1]):
        others = np.where(known, rows.values[around, k, j], np.nan)
        middle = _row_median(others)
        spread = _MAD * _row_median(np.abs(others - middle[:, None]))
        error = np.nan_to_num(rows.errors[here, k, j])
        shift = np.abs(rows.values[here, k, j] - middle)
        with np.errstate(invalid="ignore"):
            apart[:, k] = enough & (shift > _MOVED * np.hypot(error, spread) + 1e-9 * np.abs(middle))
    return apart


def _row_median(values: Array) -> Array:
    """Median of what is no NaN in each row; NaN where nothing is."""
    ordered = np.sort(values, axis=1)
    n = np.isfinite(ordered).sum(axis=1)
    low, high = np.maximum((n - 1) // 2, 0), np.minimum(n // 2, values.shape[1] - 1)
    rows = np.arange(len(values))
    return np.where(n > 0, 0.5 * (ordered[rows, low] + ordered[rows, high]), np.nan)


def repair_rows(
    setup: MapModel, counts: Array, weights: Array, pixels: NDArray[np.int64], rows: MapRows, totals: Array,
    shape: tuple[int, int], blind: NDArray[np.bool_],
) -> FitBatch:  # fmt: skip
    """Refit some pixels from the results of their neighbors, the template, and their own blind starts.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (s, n)
        Of the pixels.
    weights : ndarray of shape (s, n) or (1, n)
    pixels : ndarray of int of shape (s,)
    rows : MapRows
        Of the whole map, as the last sweep left it.
    totals : ndarray of shape (N,)
        Counts of all pixels.
    shape : (ny, nx)
    blind : ndarray of bool of shape (s,)
        Which pixels also try blind starts.

    Returns
    -------
    FitBatch
        The best of each pixel, whether it is better than what was there or not.
    """
    factor = totals[pixels] / max(setup.template_counts, 1e-300)
    template = setup.scaled(setup.template[None], factor)
    around = neighbors_of(pixels, shape)
    known = (around >= 0) & rows.fitted[around] & np.isfinite(rows.theta[around, 0])
    ratio = totals[pixels][:, None] / np.maximum(totals[around], 1e-300)
    near = setup.scaled(rows.theta[around], ratio)
    trials = [np.where(known[:, :, None], near, np.nan), template[:, None]]
    own = rows.theta[pixels]
    trials.append(np.where(np.isfinite(own).all(axis=1)[:, None], own, np.nan)[:, None])
    if blind.any():
        own_starts = np.full((len(pixels), _BLIND, template.shape[1]), np.nan)
        lines = weights if len(weights) == 1 else weights[blind]
        own_starts[blind] = blind_starts(setup, counts[blind], lines, template[blind], pixels[blind], _BLIND)
        trials.append(own_starts)
    every = np.concatenate(trials, axis=1)
    use = np.isfinite(every).all(axis=2)
    return _tried(setup, counts, weights, every[use], np.nonzero(use)[0])


def _tried(
    setup: MapModel, counts: Array, weights: Array, starts: Array, groups: NDArray[np.int64]
) -> FitBatch:
    """Go a few steps from every start, and to the end from the best ones of each pixel."""
    few = replace(setup, max_iter=min(_FEW_STEPS, setup.max_iter))
    lines = weights if len(weights) == 1 else weights[groups]
    near = fit_map_rows(few, counts[groups], lines, starts)
    deviance = np.where(np.isfinite(near.deviance), near.deviance, np.inf)
    order = np.lexsort((np.arange(len(groups)), deviance, groups))
    rank = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    kept = order[rank < _FINALISTS]
    return best_of(setup, counts, weights, near.theta[kept], groups[kept])[0]
