"""Which fitted peak is which: assignment of the peaks of every pixel to those of the template."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sozai.spectra.peaks.compiled_model import CompiledModel

__all__ = ["UNMATCHED_COST", "ascending", "assign_labels", "exchangeable", "peak_widths"]

Array = NDArray[np.float64]

#: A peak that costs more than this is none of the template's.
UNMATCHED_COST = 2.0
#: A forbidden exchange.
_NEVER = 1e6


def peak_widths(model: CompiledModel, theta: Array) -> Array:
    """Rough full width of every peak, shape (S, K), to compare with; positive."""
    widths = np.empty((len(theta), len(model.shapes)))
    for k, shape in enumerate(model.shapes):
        block = theta[:, model.block(k)]
        rows = {name: block[:, i] for i, name in enumerate(shape.parameters)}
        if "half_width" in rows:
            widths[:, k] = 2.0 * rows["half_width"] + rows.get("fwhm_gauss", 0.0)
        elif "fwhm" in rows:
            widths[:, k] = rows["fwhm"]
        else:
            widths[:, k] = np.hypot(rows["fwhm_gauss"], rows["fwhm_lorentz"])
    return np.maximum(widths, 1e-300)


def exchangeable(model: CompiledModel) -> NDArray[np.int64]:
    """Group of every peak, shape (K,): peaks of one group may change places, and -1 stays where it is.

    Peaks keep their place when they are tied, fixed or have a step of their own; those with
    the same shape and the same box form a group.
    """
    groups = np.full(len(model.shapes), -1, dtype=np.int64)
    if model.program.shirley_per_peak:
        return groups
    kinds: dict[tuple[object, ...], int] = {}
    for k, shape in enumerate(model.shapes):
        block = model.block(k)
        rows = model.T[block]
        columns = np.flatnonzero(rows.any(axis=0))
        own = len(columns) == len(rows) and np.count_nonzero(model.T[:, columns]) == len(rows)
        if own and np.count_nonzero(rows) == len(rows):
            box = (tuple(model.free_lower[columns]), tuple(model.free_upper[columns]))
            groups[k] = kinds.setdefault((shape, box), len(kinds))
    return groups


def assign_labels(
    model: CompiledModel, template: Array, theta: Array, present: NDArray[np.bool_] | None = None
) -> tuple[Array, NDArray[np.int64], NDArray[np.bool_]]:
    r"""Put the peaks of every pixel into the order of the template.

    Parameters
    ----------
    model : CompiledModel
    template : ndarray of shape (p,)
    theta : ndarray of shape (S, p)
    present : ndarray of bool of shape (S, K), optional
        Peaks that a pixel has; the others go anywhere for nothing, and never count as unmatched.

    Returns
    -------
    theta : ndarray of shape (S, p)
    order : ndarray of int of shape (S, K)
        Where each peak was before.
    unmatched : ndarray of bool of shape (S,)
        Some peak costs more than :data:`UNMATCHED_COST`; peaks of such a pixel that may change places
        stand in ascending position among those that match nothing.

    Notes
    -----
    The assignment of least total cost :math:`\sum |x_0 - x_0'|/w' + |\ln(w/w')|`, by the Hungarian method
    [1]_; it is only run where the best of some peak is not itself.

    References
    ----------
    .. [1] H. W. Kuhn, Nav. Res. Logist. Q. 2, 83 (1955). https://doi.org/10.1002/nav.3800020109
    """
    n_peaks = len(model.shapes)
    order = np.tile(np.arange(n_peaks, dtype=np.int64), (len(theta), 1))
    if n_peaks == 0:
        return theta, order, np.zeros(len(theta), dtype=bool)
    at = [model.block(k).start for k in range(n_peaks)]
    width, width0 = peak_widths(model, theta), peak_widths(model, template[None])[0]
    shift = np.abs(theta[:, at][:, None, :] - template[at][None, :, None]) / width0[None, :, None]
    cost = shift + np.abs(np.log(width[:, None, :] / width0[None, :, None]))  # (S, template, peak)
    groups = exchangeable(model)
    allowed = (groups[:, None] == groups) & (groups >= 0) | np.eye(n_peaks, dtype=bool)
    cost = np.where(allowed, cost, _NEVER)
    if present is not None:
        cost = np.where(allowed & ~present[:, None, :], 0.0, cost)
    own = np.einsum("skk->sk", cost)
    for s in np.flatnonzero((cost.min(axis=2) < own).any(axis=1)):
        order[s] = linear_sum_assignment(cost[s])[1]
    paid = np.take_along_axis(cost, order[:, :, None], axis=2)[:, :, 0]
    lost = paid > UNMATCHED_COST
    if present is not None:
        lost &= np.take_along_axis(present, order, axis=1)
    for s in np.flatnonzero(lost.sum(axis=1) > 1):
        for group in range(groups.max() + 1):
            places = np.flatnonzero(lost[s] & (groups == group))
            order[s, places] = sorted(order[s, places], key=lambda k, s=s: theta[s, at[k]])  # type: ignore[misc]
    moved = np.array(theta)
    for k in range(n_peaks):
        for other in np.unique(order[:, k]):
            rows = np.flatnonzero(order[:, k] == other)
            if other != k:
                moved[rows, model.block(k)] = theta[rows, model.block(int(other))]
    return moved, order, lost.any(axis=1)


def ascending(model: CompiledModel, theta: Array) -> Array:
    """One θ with its exchangeable peaks in ascending position."""
    groups, sorted_theta = exchangeable(model), np.array(theta)
    for group in range(int(groups.max(initial=-1)) + 1):
        peaks = np.flatnonzero(groups == group)
        by_position = sorted(peaks, key=lambda k: theta[model.block(k).start])
        for place, peak in zip(peaks, by_position, strict=True):
            sorted_theta[model.block(int(place))] = theta[model.block(int(peak))]
    return sorted_theta
