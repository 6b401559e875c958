"""The named peaks of a map: blind fits of its mean and of the means of groups of alike pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from sozai.contracts.estimator import NotFittedError
from sozai.spectra.peaks.map_fit import MapModel, fit_map_rows
from sozai.spectra.peaks.map_labels import ascending, assign_labels
from sozai.spectra.peaks.map_presence import tied_model

__all__ = ["find_template", "group_means"]

Array = NDArray[np.float64]

#: Groups of alike cells, and cells that a group needs on average.
_N_GROUPS, _PER_GROUP = 6, 4
#: Principal components that cells are compared in.
_N_COMPONENTS = 4
#: Centers that differ by less than this many widths are the same solution.
_SAME = 0.2

BlindFit = Callable[[Array, int], Array]
"""Blind fit of one spectrum (n,), and which one it is among the means; gives θ (p,)."""


def group_means(
    cells: Array, numbers: Array, seed: tuple[int, ...]
) -> tuple[Array, Array, NDArray[np.int64]]:
    r"""Mean of all pixels, then means of up to six groups of alike cells.

    Cells are compared in scaled principal components: counts divided by the square roots of the mean
    spectrum and of the mean image [1]_, so that counting noise is alike everywhere.

    Parameters
    ----------
    cells, numbers : ndarray of shape (C, n), (C,)
        Sums, and how many pixels each holds.
    seed : tuple of int

    Returns
    -------
    means : ndarray of shape (1 + G, n)
        G = 0 for fewer than 8 cells.
    numbers : ndarray of shape (1 + G,)
        Pixels of each.
    groups : ndarray of int of shape (C,)
        Group of every cell.

    References
    ----------
    .. [1] M. R. Keenan, P. G. Kotula, Surf. Interface Anal. 36, 203 (2004). https://doi.org/10.1002/sia.1657
    """
    n_groups = min(_N_GROUPS, len(cells) // _PER_GROUP)
    if n_groups < 2:
        alone = np.zeros(len(cells), dtype=np.int64)
        return cells.sum(axis=0)[None] / numbers.sum(), numbers.sum(keepdims=True), alone
    level = np.sqrt(np.maximum(np.abs(cells).mean(axis=0), 1e-12 * np.abs(cells).max()))
    size = np.sqrt(np.maximum(np.abs(cells).sum(axis=1), 1e-300))
    scaled = cells / level / size[:, None]
    direction = size / np.linalg.norm(size)
    scaled = scaled - direction[:, None] * (direction @ scaled)  # without what all have in common
    rank = min(_N_COMPONENTS, *scaled.shape)
    vectors = np.linalg.eigh(scaled.T @ scaled)[1][:, ::-1][:, :rank]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(rank)])
    scores = scaled @ vectors
    state = int(np.random.SeedSequence(seed, spawn_key=(0,)).generate_state(1)[0] >> 1)
    with warnings.catch_warnings():  # fewer kinds of cells than groups is nothing to warn of
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = KMeans(n_groups, n_init=3, random_state=state).fit_predict(scores)
    groups = [np.ones(len(cells), dtype=bool), *(labels == g for g in range(n_groups) if (labels == g).any())]
    size_of = np.array([numbers[group].sum() for group in groups])
    means = np.array([cells[group].sum(axis=0) for group in groups]) / size_of[:, None]
    return means, size_of, labels.astype(np.int64)


def find_template(setup: MapModel, means: Array, weights: Array, blind: BlindFit) -> MapModel:
    """Blind fits of all means; the one whose peaks, held in place, describe all of them best names the peaks.

    Held in place, because a peak that is free to go would serve one phase here and another there.

    Parameters
    ----------
    setup : MapModel
        Template and solutions are not used yet.
    means, weights : ndarray of shape (G, n)
    blind : callable

    Returns
    -------
    MapModel
        With template and solutions.
    """
    used = weights[0] > 0
    sizes = means[:, used].sum(axis=1)
    found = np.array([blind(counts, g) for g, counts in enumerate(means)])
    fine = np.isfinite(found).all(axis=1)
    if not fine.any():
        raise NotFittedError("SpectrumMapPeaks: the sum of the map could not be fitted. Use a smaller model.")
    found, own = found[fine], sizes[fine]
    n_means, n_found = len(means), len(found)
    starts = setup.scaled(np.repeat(found, n_means, axis=0), (sizes[None] / own[:, None]).ravel())
    fits = fit_map_rows(setup, np.tile(means, (n_found, 1)), np.tile(weights, (n_found, 1)), starts)
    worth = np.where(np.isfinite(fits.deviance), fits.deviance, np.inf).reshape(n_found, n_means)
    floor = 1e-12 * np.maximum(sizes, 1e-300)
    held = [
        _held_deviances(setup, means, weights, row, size, sizes) for row, size in zip(found, own, strict=True)
    ]
    best = int(np.argmin(np.log(np.maximum(held, floor)).sum(axis=1)))
    template = ascending(setup.model, setup.scaled(found[best], sizes[0] / own[best]))
    lowest = worth.argmin(axis=0)
    solutions = fits.theta.reshape(n_found, n_means, -1)[lowest, np.arange(n_means)]
    named = assign_labels(setup.model, template, solutions)[0]
    keep = _distinct(setup, named)
    return setup.with_template(template, float(sizes[0]), named[keep], sizes[keep])


def _held_deviances(
    setup: MapModel, means: Array, weights: Array, theta: Array, size: float, sizes: Array
) -> Array:
    """Deviances of all means when the peaks stay where they are and only areas and background move."""
    model = setup.model
    inside = np.zeros(model.n_parameters, dtype=bool)
    for k in range(len(model.shapes)):
        inside[model.block(k)] = True
    move = (model.T[~inside | setup.scales] != 0.0).any(axis=0)
    drop = (model.T[inside & ~setup.scales] != 0.0).any(axis=0) | ~move
    t0 = model.t0 + model.T[:, drop] @ model.free_of(theta)[drop]
    held = tied_model(model, model.T[:, ~drop], t0, model.free_lower[~drop], model.free_upper[~drop])
    starts = setup.scaled(theta[None], sizes / size)
    found = fit_map_rows(replace(setup, model=held), means, weights, starts).deviance
    return np.where(np.isfinite(found), found, np.inf)


def _distinct(setup: MapModel, solutions: Array) -> NDArray[np.int64]:
    """Rows that are not the same solution as an earlier one."""
    model = setup.model
    at = [model.block(k).start for k in range(len(model.shapes))]
    kept: list[int] = []
    for s, row in enumerate(solutions):
        widths = np.abs(row[[i + 1 for i in at]])
        new = all((np.abs(row[at] - solutions[k][at]) > _SAME * widths).any() for k in kept)
        if new or not kept:
            kept.append(s)
    return np.array(kept, dtype=np.int64)
