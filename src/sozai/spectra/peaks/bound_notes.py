"""Which parameters lie on which bound, in sentences: for one fit, and for all pixels of a map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.compiled_model import CompiledModel

__all__ = ["bound_notes", "map_bound_note", "walls_of"]

Array = NDArray[np.float64]

#: What a vanishing part of an area means.
_SHARES = {"area_lorentz": "the Lorentz share is 0", "area_gauss": "the Lorentz share is 1"}
#: Most parameters that a note of a map names.
_NAMED = 8


def walls_of(model: CompiledModel, theta: Array) -> tuple[NDArray[np.int8], Array]:
    """Sides of parameters on a bound of their own: -1 lower, 1 upper, 0 inside; and the bounds.

    Parameters
    ----------
    model : CompiledModel
    theta : ndarray of shape (S, p)

    Returns
    -------
    sides : ndarray of int8 of shape (S, p)
        0 for parameters that are fixed, or that follow another one.
    bounds : ndarray of shape (2, p)
        Lower and upper, NaN where nothing lies on one of its own.
    """
    sides = np.zeros(theta.shape, dtype=np.int8)
    bounds = np.full((2, theta.shape[1]), np.nan)
    free = model.free_of(theta)
    slack = 1e-13 * np.maximum(np.abs(free), 1e-300)
    low, high = free - slack <= model.free_lower, free + slack >= model.free_upper
    for j in np.flatnonzero((low | high).any(axis=0)):
        rows = np.flatnonzero(model.T[:, j])
        i = int(rows[0])
        if np.count_nonzero(model.T[i]) != 1 or model.free_lower[j] == model.free_upper[j]:
            continue
        ends = model.T[i, j] * np.array([model.free_lower[j], model.free_upper[j]]) + model.t0[i]
        bounds[:, i] = np.sort(ends)
        sign = 1 if model.T[i, j] > 0 else -1
        sides[low[:, j], i] = -sign
        sides[high[:, j], i] = sign
    return sides, bounds


def bound_notes(
    model: CompiledModel, theta: Array, limits: Mapping[int, float], told: Mapping[str, float]
) -> list[str]:
    """Parameters of one fit that lie on a bound, each with the bound and its one-sided limit.

    Parameters
    ----------
    model : CompiledModel
    theta : ndarray of shape (p,)
    limits : mapping of int to float
        One-sided 95 % limits by the place of the parameter.
    told : mapping
        Labels of peaks of whose width another note tells.

    Returns
    -------
    list of str
    """
    sides, bounds = walls_of(model, theta[None])
    empty = _empty_peaks(model, theta[None])[0]
    notes = []
    for i in np.flatnonzero(sides[0]):
        label, _, name = model.names[i].rpartition(".")
        if label in told and name in ("fwhm", "half_width"):
            continue
        lower = sides[0, i] < 0
        meaning = (
            _SHARES.get(name) if label in model.labels and not empty[model.labels.index(label)] else None
        )
        text = f"{model.names[i]!r} is on its {'lower' if lower else 'upper'} bound"
        text += f" {bounds[0 if lower else 1, i]:.6g}"
        text += f" ({meaning})" if meaning else ""
        limit = limits.get(int(i))
        if limit is not None and np.isfinite(limit):
            text += f"; 95 % limit {limit:.4g}"
        notes.append(f"{text}.")
    return notes


def map_bound_note(
    model: CompiledModel, theta: Array, present: NDArray[np.bool_], fitted: NDArray[np.bool_]
) -> str | None:
    """How many pixels have which parameter on a bound; None where none has.

    Parameters
    ----------
    model : CompiledModel
    theta : ndarray of shape (N, p)
    present : ndarray of bool of shape (N, K)
        Peaks that a pixel has.
    fitted : ndarray of bool of shape (N,)
    """
    if not fitted.any():
        return None
    sides, bounds = walls_of(model, theta[fitted])
    for k in range(len(model.labels)):
        sides[np.ix_(~present[fitted, k], np.arange(*_ends(model, k)))] = 0
    found = []
    for i in range(len(model.names)):
        for row, (side, word) in enumerate(((-1, "lower"), (1, "upper"))):
            n = int((sides[:, i] == side).sum())
            if n:
                found.append((n, f"{model.names[i]!r} ({word}, {bounds[row, i]:.4g}) in {n}"))
    if not found:
        return None
    found.sort(key=lambda one: -one[0])
    told = ", ".join(text for _, text in found[:_NAMED])
    more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    n = int(fitted.sum())
    return f"On a bound, of {n} fitted {'pixel' if n == 1 else 'pixels'}: {told}{more}."


def _ends(model: CompiledModel, k: int) -> tuple[int, int]:
    """First parameter of a peak and the one behind its last."""
    block = model.block(k)
    return block.start, block.stop


def _empty_peaks(model: CompiledModel, theta: Array) -> NDArray[np.bool_]:
    """Peaks without any area, shape (S, K)."""
    found = np.zeros((len(theta), len(model.labels)), dtype=bool)
    for k, shape in enumerate(model.shapes):
        rows = [
            model.block(k).start + i for i, name in enumerate(shape.parameters) if name.startswith("area")
        ]
        found[:, k] = (theta[:, rows] == 0.0).all(axis=1)
    return found
