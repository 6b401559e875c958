"""How many peaks a map has, decided on small neighborhoods: in a large sum, a drift looks like more peaks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.noise import PoissonNoise
from sozai.spectra.peaks.map_fit import MapModel, best_of, fit_map_rows
from sozai.spectra.peaks.map_presence import information_criterion
from sozai.spectra.peaks.map_source import BLOCK, Block, MapSource, Survey, cells_of

__all__ = ["Sample", "gain_of_more", "sample_of", "sample_scores"]

Array = NDArray[np.float64]

#: Counts of a neighborhood that the number of peaks is decided on.
_COUNTS = 1e4
#: Blocks of the sample from every group of alike cells, and neighborhoods of every block.
_BLOCKS, _PER_BLOCK = 4, 12
#: Starts of a neighborhood, the best of template and solutions.
_N_STARTS = 3
_MAD_OF_SECOND_DIFFERENCES = 1.4826 / np.sqrt(6.0)


@dataclass(frozen=True, eq=False)
class Sample:
    """Means over small neighborhoods from all kinds of pixels.

    Attributes
    ----------
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n)
        Those of a pixel times the pixels of the neighborhood.
    edge : int
        Pixels along the edge of a neighborhood.
    """

    counts: Array
    weights: Array
    edge: int


def sample_of(source: MapSource, survey: Survey, groups: NDArray[np.int64]) -> Sample:
    """Draw neighborhoods evenly from all groups of alike cells.

    Parameters
    ----------
    source : MapSource
        With its noise.
    survey : Survey
    groups : ndarray of int of shape (C,)
        Group of every cell of the survey.

    Returns
    -------
    Sample

    Notes
    -----
    The edge is the least of 1, 2, 4, 8, 16 with which the median neighborhood has ten thousand counts; with
    Gaussian noise, that many times the squared ratio of signal to noise. Reads at most 28 blocks of 256
    pixels.
    """
    edge = 1
    pixels = survey.total[survey.status == 0]
    size = float(np.median(pixels)) if isinstance(source.cube.noise, PoissonNoise) or survey.whole else None
    size = _squared_ratio(survey) if size is None else size
    while edge < BLOCK and size * edge * edge < _COUNTS:
        edge *= 2
    rows: list[Array] = []
    lines: list[Array] = []
    for block in _blocks(source, survey, groups):
        raw = source.read((block,))
        counts, weights = source.prepare(raw, (block,), block)
        live = source.state(counts, weights, source.dead(block)) == 0
        number = cells_of(live[:, None].astype(np.float64), block.shape, edge, source.is_line)[:, 0]
        total = cells_of(counts * live[:, None], block.shape, edge, source.is_line)
        line = np.repeat(weights.max(axis=0)[None], len(total), axis=0)
        if len(weights) > 1:
            lost = (live[:, None] & (weights == 0)).astype(np.float64)
            line[cells_of(lost, block.shape, edge, source.is_line) > 0] = 0.0
        whole = np.flatnonzero((number > 0) & ((total != 0) & (line > 0)).any(axis=1))
        kept = whole[_spread(len(whole), _PER_BLOCK)]
        rows.append(total[kept] / number[kept, None])
        lines.append(line[kept] * number[kept, None])
    return Sample(np.concatenate(rows), np.concatenate(lines), edge)


def sample_scores(setup: MapModel, sample: Sample) -> Array:
    """Criterion of every neighborhood with all peaks of a template, shape (S,); inf where no fit succeeded.

    Parameters
    ----------
    setup : MapModel
        With template and solutions.
    sample : Sample
    """
    counts, weights = sample.counts, sample.weights
    totals = np.where(weights > 0, counts, 0.0).sum(axis=1)
    template = setup.scaled(setup.template[None], totals / max(setup.template_counts, 1e-300))
    others = setup.scaled(setup.solutions[None], totals[:, None] / setup.solution_counts)
    every = np.concatenate([template[:, None], others], axis=1)
    n_rows, n_starts = every.shape[:2]
    groups = np.repeat(np.arange(n_rows), n_starts)
    standing = replace(setup, max_iter=0)
    near = fit_map_rows(standing, counts[groups], weights[groups], every.reshape(len(groups), -1)).deviance
    near = np.where(np.isfinite(near), near, np.inf).reshape(n_rows, n_starts)
    first = np.argsort(near, axis=1, kind="stable")[:, :_N_STARTS]
    starts = np.take_along_axis(every, first[:, :, None], axis=1)
    groups = np.repeat(np.arange(n_rows), starts.shape[1])
    fit, _ = best_of(setup, counts, weights, starts.reshape(len(groups), -1), groups)
    n_used = (weights > 0).sum(axis=1)
    return information_criterion(setup, fit.deviance, np.full(n_rows, setup.model.n_free), n_used)


def gain_of_more(fewer: Array, more: Array) -> float:
    """By how much the criterion falls when every neighborhood may choose the larger template.

    Parameters
    ----------
    fewer : ndarray of shape (S,)
        Best criterion of every neighborhood so far.
    more : ndarray of shape (S,)

    Examples
    --------
    >>> gain_of_more(np.array([10.0, 20.0, 5.0]), np.array([12.0, 7.0, 4.0]))
    14.0
    """
    better = more < fewer
    fall = np.minimum(fewer[better], 1e300) - more[better]
    return float(fall.sum())


def _squared_ratio(survey: Survey) -> float:
    """Squared ratio of signal to noise of a pixel, summed over channels."""
    mean = survey.cells / np.maximum(survey.numbers, 1)[:, None]
    if mean.shape[1] < 5:
        return _COUNTS
    noise = _MAD_OF_SECOND_DIFFERENCES * np.median(np.abs(np.diff(mean, 2, axis=1)), axis=1)
    variance = np.maximum(noise**2 * survey.numbers, 1e-300)
    signal = ((mean - np.median(mean, axis=1)[:, None]) ** 2).sum(axis=1)
    return float(np.median(signal / variance))


def _blocks(source: MapSource, survey: Survey, groups: NDArray[np.int64]) -> list[Block]:
    """Some blocks of every group, evenly through it."""
    found: dict[tuple[int, int], Block] = {}
    rows, columns = source.image_shape
    tall, wide = (BLOCK * BLOCK, 1) if source.is_line else (BLOCK, BLOCK)
    for group in np.unique(groups):
        row, column = np.divmod(survey.places[groups == group], columns)
        corners = np.unique(np.stack([row // tall * tall, column // wide * wide], axis=1), axis=0)
        for top, left in corners[_spread(len(corners), _BLOCKS)].tolist():
            found[top, left] = Block(top, min(top + tall, rows), left, min(left + wide, columns))
    return [found[corner] for corner in sorted(found)]


def _spread(n: int, most: int) -> NDArray[np.int64]:
    """At most ``most`` of n places, evenly."""
    if n <= most:
        return np.arange(n)
    return ((np.arange(most) + 0.5) * n / most).astype(np.int64)
