"""Metropolis moves of one peak at a time on a ladder of temperatures: only that peak is computed anew."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp
from sozai.spectra.peaks.likelihood_sums import deviance_of
from sozai.spectra.peaks.shape_kernels import fill_shape

__all__ = ["Ladder", "Scene", "run_ladder"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Wanted acceptance of a move of one parameter; bounds of its step in the unit cube.
_ACCEPTED, _SMALLEST, _LARGEST = 0.44, 1e-7, 1.0
_LN2 = np.log(2.0)
#: Heights of unit area and unit FWHM.
_GAUSS_HEIGHT, _LORENTZ_HEIGHT = 2.0 * np.sqrt(np.log(2.0) / np.pi), 2.0 / np.pi
_FAST = {"reassoc", "contract", "nsz"}


class Scene(NamedTuple):
    """Data, prior and shape, which do not change.

    The prior is uniform in the unit cube: of every peak first ``lowest.shape[0]`` shape coordinates, which
    are lowest + u span, exponentials of it where ``is_log``, then its area −``mean_area`` ln(1 − u);
    then the coefficients of the background, −``mean_back`` ln(1 − u). ``has_share``: the last
    coordinate is the Lorentz share of a shape with two areas. Symmetric peaks at least as wide as ``wide``
    are taken at the centers of channels whatever ``mode`` says.
    """

    code: int
    has_share: bool
    lowest: Floats
    span: Floats
    is_log: NDArray[np.bool_]
    mean_area: float
    mean_back: Floats
    axis: Floats
    edges: Floats
    width: Floats
    mode: int
    tail: int
    wide: float
    noise: int
    y: Floats
    inverse: Floats
    empty: Floats
    weights: Floats
    floor: float
    basis: Floats


class Ladder(NamedTuple):
    """State of L replicas of K peaks: points in the unit cube, contents of unit area, and books.

    ``slot`` (L,) says where the replica of each β is stored; arrays ``cube`` (L, d), ``unit`` (L, K, n),
    ``energy`` (L,) go by storage, ``step``, ``accepted`` (L, d), ``exchanged`` (L − 1,) by β.
    """

    slot: Ints
    cube: Floats
    unit: Floats
    energy: Floats
    step: Floats
    accepted: Floats
    exchanged: Floats


@njit(cache=True, nogil=True, error_model="numpy")
def _amount(u: float, mean: float) -> float:
    """Quantile of an exponential prior."""
    return -mean * np.log1p(-min(u, 1.0 - 1e-15))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _fill_wide(
    axis: Floats, width: Floats, x0: float, w: float, gauss: float, lorentz: float, out: Floats
) -> None:
    """Density at the centers times the width, of a pseudo-Voigt peak without derivatives."""
    per_half, top_gauss, top_lorentz = 2.0 / w, gauss * _GAUSS_HEIGHT / w, lorentz * _LORENTZ_HEIGHT / w
    for i in range(out.shape[0]):
        z = (axis[i] - x0) * per_half
        z2 = z * z
        out[i] = width[i] * (top_gauss * fast_exp(-_LN2 * z2) + top_lorentz / (1.0 + z2))


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_unit(scene: Scene, u: Floats, p: Floats, out: Floats, jac: Floats, below: Floats) -> None:
    """Contents of a peak of unit area at a point of the cube."""
    s = scene.lowest.shape[0]
    for j in range(s):
        value = scene.lowest[j] + u[j] * scene.span[j]
        p[j] = np.exp(value) if scene.is_log[j] else value
    n_par = s + 1
    if scene.code <= 2 and p[1] >= scene.wide:
        lorentz = p[s - 1] if scene.has_share else float(scene.code)
        _fill_wide(scene.axis, scene.width, p[0], p[1], 1.0 - lorentz, lorentz, out)
        return
    if scene.has_share:
        share = p[s - 1]
        p[s - 1], p[s] = 1.0 - share, share
    else:
        p[s] = 1.0
    fill_shape(
        scene.code, p[:n_par], scene.axis, scene.edges, scene.width, scene.mode, scene.tail, out, jac, below,
        jac, False,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_mean(scene: Scene, cube: Floats, unit: Floats, mean: Floats) -> None:
    """Expectation of the whole."""
    n_peaks, each = unit.shape[0], scene.lowest.shape[0] + 1
    mean[:] = 0.0
    for k in range(n_peaks):
        area = _amount(cube[k * each + each - 1], scene.mean_area)
        _add(area, unit[k], mean, mean)
    for m in range(scene.basis.shape[0]):
        b = _amount(cube[n_peaks * each + m], scene.mean_back[m])
        _add(b, scene.basis[m], mean, mean)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _add(factor: float, row: Floats, base: Floats, out: Floats) -> None:
    for i in range(out.shape[0]):
        out[i] = base[i] + factor * row[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _exchange_rows(factor: float, new: Floats, old: Floats, base: Floats, out: Floats) -> None:
    for i in range(out.shape[0]):
        out[i] = max(base[i] + factor * (new[i] - old[i]), 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _energy(scene: Scene, mean: Floats) -> float:
    """Half the deviance; the mean is raised to the floor in place."""
    return 0.5 * deviance_of(
        scene.noise, scene.y, scene.inverse, scene.empty, scene.weights, scene.floor, mean
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _redraw(
    scene: Scene, ladder: Ladder, at: int, rng: Any, mean: Floats, p: Floats, jac: Floats, below: Floats
):
    """A new point from the prior."""
    cube, unit = ladder.cube[at], ladder.unit[at]
    each = scene.lowest.shape[0] + 1
    for j in range(cube.shape[0]):
        cube[j] = rng.random()
    for k in range(unit.shape[0]):
        _fill_unit(scene, cube[k * each : (k + 1) * each], p, unit[k], jac, below)
    _fill_mean(scene, cube, unit, mean)
    ladder.energy[at] = _energy(scene, mean)


@njit(cache=True, nogil=True, error_model="numpy")
def _move_replica(
    scene: Scene, ladder: Ladder, level: int, beta: float, rate: float, rng: Any, mean: Floats, trial: Floats,
    shape: Floats, p: Floats, jac: Floats, below: Floats,
) -> None:  # fmt: skip
    """Every parameter of one replica once; a move of a peak computes only that peak anew."""
    at = ladder.slot[level]
    cube, unit = ladder.cube[at], ladder.unit[at]
    n_peaks, each = unit.shape[0], scene.lowest.shape[0] + 1
    _fill_mean(scene, cube, unit, mean)
    energy = _energy(scene, mean)
    for j in range(cube.shape[0]):
        old = cube[j]
        new = old + ladder.step[level, j] * rng.standard_normal()
        chance = rng.random()
        share = 0.0
        if 0.0 <= new < 1.0:
            k, part = j // each, j % each
            of_shape = k < n_peaks and part < each - 1
            if of_shape:
                first = k * each
                cube[j] = new
                _fill_unit(scene, cube[first : first + each], p, shape, jac, below)
                cube[j] = old
                area = _amount(cube[first + each - 1], scene.mean_area)
                _exchange_rows(area, shape, unit[k], mean, trial)
            elif k < n_peaks:
                more = _amount(new, scene.mean_area) - _amount(old, scene.mean_area)
                _add(more, unit[k], mean, trial)
            else:
                m = j - n_peaks * each
                more = _amount(new, scene.mean_back[m]) - _amount(old, scene.mean_back[m])
                _add(more, scene.basis[m], mean, trial)
            then = _energy(scene, trial)
            gain = -beta * (then - energy)
            share = 1.0 if gain >= 0.0 else np.exp(gain)
            if chance < share:
                cube[j] = new
                energy = then
                mean[:] = trial
                if of_shape:
                    unit[k, :] = shape
        ladder.accepted[level, j] += share
        if rate > 0.0:
            step = ladder.step[level, j] * np.exp(rate * (share - _ACCEPTED))
            ladder.step[level, j] = min(max(step, _SMALLEST), _LARGEST)
    ladder.energy[at] = energy


@njit(cache=True, nogil=True, error_model="numpy")
def _exchange(ladder: Ladder, beta: Floats, parity: int, rng: Any) -> None:
    """Exchange the replicas of every second pair of neighbors."""
    for low in range(parity, beta.shape[0] - 1, 2):
        a, b = ladder.slot[low], ladder.slot[low + 1]
        gain = (beta[low + 1] - beta[low]) * (ladder.energy[b] - ladder.energy[a])
        share = 1.0 if gain >= 0.0 else np.exp(gain)
        ladder.exchanged[low] += share
        if rng.random() < share:
            ladder.slot[low], ladder.slot[low + 1] = b, a


@njit(cache=True, nogil=True, error_model="numpy")
def run_ladder(
    scene: Scene, ladder: Ladder, beta: Floats, n_sweeps: int, n_before: int, adapt: bool, thin: int,
    rng: Any, samples: Floats, energies: Floats,
) -> None:  # fmt: skip
    """Sweeps of one ladder, in place.

    Parameters
    ----------
    scene : Scene
    ladder : Ladder
    beta : ndarray of shape (L,)
        From 0 up; the replica at 0 is drawn anew from the prior in every sweep.
    n_sweeps : int
    n_before : int
        Sweeps made at this ladder already: steps are adapted the less the more there are.
    adapt : bool
    thin : int
        Every so many sweeps are kept.
    rng : Generator
    samples, energies : ndarray of shape (n_sweeps // thin, L, d), (n_sweeps // thin, L)
        Filled with points of the cube and energies.
    """
    n = scene.y.shape[0]
    mean, trial, shape = np.zeros(n), np.zeros(n), np.zeros(n)
    p, jac, below = np.zeros(scene.lowest.shape[0] + 2), np.zeros((8, n)), np.zeros(n)
    kept = 0
    for sweep in range(n_sweeps):
        rate = 1.0 / np.sqrt(1.0 + n_before + sweep) if adapt else 0.0
        _redraw(scene, ladder, ladder.slot[0], rng, mean, p, jac, below)
        for level in range(1, beta.shape[0]):
            _move_replica(scene, ladder, level, beta[level], rate, rng, mean, trial, shape, p, jac, below)
        _exchange(ladder, beta, (n_before + sweep) % 2, rng)
        if (sweep + 1) % thin == 0 and kept < samples.shape[0]:
            for level in range(beta.shape[0]):
                samples[kept, level] = ladder.cube[ladder.slot[level]]
                energies[kept, level] = ladder.energy[ladder.slot[level]]
            kept += 1
