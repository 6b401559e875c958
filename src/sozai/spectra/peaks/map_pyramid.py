"""Starts of a block of pixels from the means of their neighborhoods, coarse to fine; no path is followed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.likelihood_fit import FitBatch
from sozai.spectra.peaks.map_fit import MapModel, best_of, fit_map_rows
from sozai.spectra.peaks.map_labels import assign_labels
from sozai.spectra.peaks.map_source import BLOCK, cells_of
from sozai.spectra.peaks.map_starts import blind_starts

__all__ = ["LEVELS", "fit_pyramid"]

Array = NDArray[np.float64]

#: Edges of the cells whose means are fitted before the pixels.
LEVELS = (BLOCK, 8, 4, 2)
#: Blind starts of a cell, by its edge.
_BLIND = {BLOCK: 2}
#: Cells that also try the solutions of the reference.
_TRY_SOLUTIONS = (BLOCK,)
#: Most iterations of a cell.
_CELL_STEPS = 25


@dataclass(frozen=True, eq=False)
class _Level:
    """Means over the cells of one level that can be fitted."""

    counts: Array
    weights: Array
    cell: NDArray[np.int64]
    row_of: NDArray[np.int64]
    edge: int


def fit_pyramid(
    setup: MapModel, counts: Array, weights: Array, live: NDArray[np.bool_], shape: tuple[int, int],
    first_pixel: int,
    *, is_line: bool,
) -> FitBatch:  # fmt: skip
    """Fit the pixels of one block.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (s, n)
        Row by row.
    weights : ndarray of shape (s, n) or (1, n)
    live : ndarray of bool of shape (s,)
        Pixels to fit; one at least.
    shape : (rows, columns)
    first_pixel : int
        Number of the first pixel, which the seeds of cells follow from.
    is_line : bool

    Returns
    -------
    FitBatch
        One row per live pixel.

    Notes
    -----
    The mean of 16 x 16 pixels starts from the blind solutions of the reference and from its own blind
    starts; every smaller cell starts from the one that holds it, with areas scaled by the counts. Four
    fits in three per pixel, all near their optimum. A cell's result depends on the counts inside its block
    alone, never on the order in which cells or blocks are visited.
    """
    parents: Array | None = None
    above: _Level | None = None
    for edge in LEVELS:
        level = _level(setup, counts, weights, live, shape, edge, is_line)
        if level is None:
            continue
        starts = _inherited(setup, level, above, parents, shape, is_line)
        number = np.int64(2) ** 40 * edge + first_pixel + level.cell
        parents = _fitted(setup, level, starts, edge, number).theta
        parents = assign_labels(setup.model, setup.template, parents)[0]
        above = level
    rows = np.flatnonzero(live)
    lines = weights if len(weights) == 1 else weights[rows]
    pixels = _Level(counts[rows], lines, rows, np.cumsum(live) - 1, 1)
    starts = _inherited(setup, pixels, above, parents, shape, is_line)
    return fit_map_rows(setup, pixels.counts, pixels.weights, starts)


def _level(
    setup: MapModel, counts: Array, weights: Array, live: NDArray[np.bool_], shape: tuple[int, int],
    edge: int,
    is_line: bool,
) -> _Level | None:  # fmt: skip
    """Means over cells, weighted by their members; a channel that some pixel of a cell lacks is left out.

    Means and not sums, so that a constant that every pixel has stays what it is.
    """
    if np.prod(shape) < 2:
        return None
    total = cells_of(counts * live[:, None], shape, edge, is_line)
    number = cells_of(live[:, None].astype(np.float64), shape, edge, is_line)
    base = np.repeat(weights.max(axis=0)[None], len(total), axis=0)
    if len(weights) > 1:
        base[cells_of((live[:, None] & (weights == 0)).astype(np.float64), shape, edge, is_line) > 0] = 0.0
    fits = (number[:, 0] > 0) & ((base > 0).sum(axis=1) > setup.model.n_free)
    fits &= ((total != 0) & (base > 0)).any(axis=1)
    if not fits.any():
        return None
    row_of = np.where(fits, np.cumsum(fits) - 1, -1)
    return _Level(total[fits] / number[fits], base[fits] * number[fits], np.flatnonzero(fits), row_of, edge)


def _inherited(
    setup: MapModel, level: _Level, above: _Level | None, parents: Array | None, shape: tuple[int, int],
    is_line: bool,
) -> Array:  # fmt: skip
    """Parameters of the cell that holds each cell, at its counts; the template's where there is none."""
    totals = _total(level.counts, level.weights)
    starts = setup.scaled(setup.template[None], totals / max(setup.template_counts, 1e-300))
    if above is None or parents is None:
        return starts
    holder = _holders(shape, level.edge, above.edge, is_line)[level.cell]
    row = above.row_of[holder]
    factor = totals / np.maximum(_total(above.counts, above.weights)[row], 1e-300)
    inherited = setup.scaled(parents[row], factor)
    fine = (row >= 0) & np.isfinite(inherited).all(axis=1)
    return np.where(fine[:, None], inherited, starts)


def _total(counts: Array, weights: Array) -> Array:
    """Counts in the channels in use."""
    return np.asarray(np.where(weights > 0, counts, 0.0).sum(axis=1))


def _holders(shape: tuple[int, int], edge: int, outer: int, is_line: bool) -> NDArray[np.int64]:
    """Number of the outer cell that holds each cell, row by row."""
    inside, outside = (edge * edge, outer * outer) if is_line else (edge, outer)
    rows = np.arange(0, shape[0], inside) // outside
    if is_line:
        return rows
    columns = np.arange(0, shape[1], edge) // outer
    return np.asarray(rows[:, None] * -(-shape[1] // outer) + columns).ravel()


def _fitted(setup: MapModel, level: _Level, starts: Array, edge: int, numbers: NDArray[np.int64]) -> FitBatch:
    """Fit the cells of one level; the coarse ones try more than their parents."""
    n_cells = len(level.counts)
    trials: list[Any] = [starts[:, None]]
    if edge in _TRY_SOLUTIONS:
        factor = _total(level.counts, level.weights)[:, None] / setup.solution_counts
        trials.append(setup.scaled(setup.solutions[None], factor))
    if _BLIND.get(edge):
        trials.append(blind_starts(setup, level.counts, level.weights, starts, numbers, _BLIND[edge]))
    every = np.concatenate(trials, axis=1)
    groups = np.repeat(np.arange(n_cells), every.shape[1])
    rough = replace(setup, max_iter=min(_CELL_STEPS, setup.max_iter))  # cells are starts, not results
    return best_of(rough, level.counts, level.weights, every.reshape(len(groups), -1), groups)[0]
