"""Starts that need no neighbor: drawn, brought near their optimum in closed form, turned into any shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.expectation import start_up_em
from sozai.spectra.peaks.map_fit import MapModel
from sozai.spectra.peaks.starts import draw_starts

__all__ = ["blind_starts"]

Array = NDArray[np.float64]

_KINDS = {0: 0, 1: 1}
_N_ITER = 30


def blind_starts(
    setup: MapModel, counts: Array, weights: Array, base: Array, pixels: NDArray[np.int64], n_starts: int
) -> Array:
    """Starts of every row from its counts alone.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    base : ndarray of shape (S, p)
        What the starts do not know (steps, losses, decays) is taken from here.
    pixels : ndarray of int of shape (S,)
        Row s draws from the stream of this number, so it does not matter who draws it, or when.
    n_starts : int
        R; the first is the guess from the curvature.

    Returns
    -------
    ndarray of shape (S, R, p)
    """
    model = setup.model
    n_peaks = len(model.shapes)
    starts = np.repeat(base[:, None, :], n_starts, axis=1)
    if n_peaks == 0 or n_starts == 0:
        return starts
    kinds = np.array([_KINDS.get(shape.code, 2) for shape in model.shapes])
    basis = _basis(model)
    drawn = []
    for s, pixel in enumerate(pixels):
        seed = np.random.SeedSequence(setup.seed, spawn_key=(int(pixel),))
        seen = weights[0 if len(weights) == 1 else s]
        drawn.append(
            draw_starts(
                model.grid, counts[s], n_peaks, n_starts, seed, setup.width_range, basis=basis, kinds=kinds,
                weights=seen,
            )
        )  # fmt: skip
    rows = np.repeat(np.arange(len(counts)), n_starts)
    theta = _climbed(setup, counts, weights, np.concatenate(drawn), rows, basis)
    theta = theta.reshape(len(counts), n_starts, -1)
    for k, shape in enumerate(model.shapes):
        starts[:, :, model.block(k)] = _as_shape(shape, theta[:, :, 4 * k : 4 * k + 4])
    if basis is not None and len(model.program.basis_rows) == len(basis):
        starts[:, :, model.program.basis_rows] = theta[:, :, 4 * n_peaks :]
    return np.clip(starts, model.lower, model.upper)


def _climbed(
    setup: MapModel, counts: Array, weights: Array, theta: Array, rows: NDArray[np.int64], basis: Array | None
) -> Array:
    """Starts after the closed form; rows with channels of their own left out are taken one by one."""
    model = setup.model
    options = {"n_iter": _N_ITER, "width_range": setup.width_range}
    n_peaks = len(model.shapes)
    seen = (weights > 0).astype(np.float64)
    if (seen == seen[0]).all():
        return start_up_em(
            model.grid, counts, theta, n_peaks, basis, weights=seen[0], spectrum_of=rows, **options
        )[0]
    found = np.empty_like(theta)
    for s in range(len(counts)):
        here = rows == s
        found[here] = start_up_em(
            model.grid, counts[s], theta[here], n_peaks, basis, weights=seen[s], **options
        )[0]
    return found


def _basis(model: CompiledModel) -> Array | None:
    """Curves of the background, if they are not negative; else one level, that only the start-up uses."""
    basis = model.program.basis
    if len(basis) and basis.min() >= 0.0 and basis.any(axis=1).all():
        return np.ascontiguousarray(basis)
    return np.ones((1, model.grid.n_channels)) if len(basis) else None


def _as_shape(shape: object, blocks: Array) -> Array:
    """Pseudo-Voigt blocks (S, R, 4) as parameters of a shape."""
    if getattr(shape, "code", 2) == 2:
        return blocks
    flat = blocks.reshape(-1, 4)
    area = np.maximum(flat[:, 2] + flat[:, 3], 1e-300)
    rows = [
        shape.start(float(x), float(w), float(a), float(b / a))  # type: ignore[attr-defined]
        for (x, w, _, b), a in zip(flat, area, strict=True)
    ]
    return np.array(rows).reshape(*blocks.shape[:2], -1)
