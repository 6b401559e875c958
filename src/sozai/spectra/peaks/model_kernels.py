"""Expectation of every channel and its derivatives for a compiled sum of peaks and background."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.spectra.peaks.inelastic_losses import add_losses, loss_slopes, tougaard_kernel
from sozai.spectra.peaks.shape_kernels import fill_shape

__all__ = ["Program", "Room", "fill_components", "fill_model", "room_for"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Below this half exponent the mean of an exponential over a channel is taken from its series.
_SERIES = 0.05


class Program(NamedTuple):
    """A model as arrays: what compiled loops need to know of shapes, grid and background.

    ``codes`` (K,) are those of the shapes and ``firsts`` (K + 1,) the first row of every peak's parameters;
    the last entry is the number of rows of all peaks. Rows of the background come after: ``basis``
    (M, n) with the rows ``basis_rows`` (M,); amplitude and decay of an exponential from each of
    ``exponential_firsts`` (E,) on, its amplitude quoted at ``references`` (E,); Shirley steps from
    ``shirley_first`` on, one of all or one for each peak; B, C and D of the losses from
    ``loss_first`` on. A first row of -1 says that there is none. ``loss_distance`` and ``loss_kernel`` have
    the shapes of :func:`~sozai.spectra.peaks.inelastic_losses.add_losses`; the kernel is made anew for
    every θ where ``loss_moves``.
    """

    codes: Ints
    firsts: Ints
    axis: Floats
    edges: Floats
    width: Floats
    mode: int
    tail: int
    basis: Floats
    basis_rows: Ints
    exponential_firsts: Ints
    references: Floats
    shirley_first: int
    shirley_per_peak: bool
    loss_first: int
    loss_has_d: bool
    loss_chain: bool
    loss_even: bool
    loss_moves: bool
    loss_distance: Floats
    loss_kernel: Floats


class Room(NamedTuple):
    """Scratch for one model evaluation; made once and used for every θ."""

    value: Floats
    below: Floats
    below_jac: Floats
    sums: Floats
    steps: Floats
    kernel: Floats
    slopes: Floats


@njit(cache=True, nogil=True)
def room_for(program: Program) -> Room:
    """Scratch for :func:`fill_model`."""
    n = program.axis.shape[0]
    n_peaks, n_rows = program.codes.shape[0], program.firsts[-1]
    active = program.shirley_first >= 0
    a, b = program.loss_distance.shape
    n_slopes = (2 if program.loss_has_d else 1) if program.loss_moves else 0
    return Room(
        np.zeros(n), np.zeros((n_peaks if active else 1, n)), np.zeros((n_rows if active else 8, n)),
        np.zeros(n), np.zeros(n), np.zeros((a, b)), np.zeros((n_slopes, a, b)),
    )  # fmt: skip


@njit(inline="always", error_model="numpy")
def _add_peaks(program: Program, theta: Floats, mu: Floats, jacobian: Floats, room: Room) -> None:
    """Sum of the primary peaks and the rows of their parameters."""
    active = program.shirley_first >= 0
    mu[:] = 0.0
    for k in range(program.codes.shape[0]):
        first, last = program.firsts[k], program.firsts[k + 1]
        below = room.below[k] if active else room.below[0]
        below_jac = room.below_jac[first:last] if active else room.below_jac
        fill_shape(
            program.codes[k], theta[first:last], program.axis, program.edges, program.width, program.mode,
            program.tail, room.value, jacobian[first:last], below, below_jac, active,
        )  # fmt: skip
        for n in range(mu.shape[0]):
            mu[n] += room.value[n]


@njit(cache=True, nogil=True, error_model="numpy")
def _add_losses(
    program: Program, theta: Floats, mu: Floats, jacobian: Floats, wanted: Flags, room: Room
) -> None:  # fmt: skip
    """Losses of all peaks together, with the kernel of this θ."""
    first = program.loss_first
    kernel = program.loss_kernel
    if program.loss_moves:
        kernel = room.kernel
        d = theta[first + 2] if program.loss_has_d else 0.0
        unused = np.empty(0)
        for i in range(kernel.shape[0]):
            line = program.loss_distance[i]
            by_d = room.slopes[1, i] if program.loss_has_d else unused
            tougaard_kernel(line, theta[first + 1], d, program.loss_has_d, kernel[i])
            loss_slopes(line, theta[first + 1], d, program.loss_has_d, room.slopes[0, i], by_d)
    add_losses(
        theta[first], kernel, room.slopes, program.loss_even, program.width, program.tail,
        program.loss_chain, mu, jacobian, wanted, program.firsts[-1], first, room.sums,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _add_steps(program: Program, theta: Floats, mu: Floats, jacobian: Floats, room: Room) -> None:
    """Shirley: h s_k times the part of peak k at higher kinetic energy."""
    first, n_channels = program.shirley_first, mu.shape[0]
    width, steps = program.width, room.steps
    if program.codes.shape[0] == 0 and not program.shirley_per_peak:
        jacobian[first] = 0.0
    for k in range(program.codes.shape[0]):
        row = first + (k if program.shirley_per_peak else 0)
        s, out = theta[row], jacobian[row]
        below = room.below[k]
        if program.shirley_per_peak or k == 0:
            out[:] = 0.0
        for n in range(n_channels):
            steps[n] = s * width[n]
            out[n] += width[n] * below[n]
            mu[n] += steps[n] * below[n]
        for i in range(program.firsts[k], program.firsts[k + 1]):
            line, slope = jacobian[i], room.below_jac[i]
            for n in range(n_channels):
                line[n] += steps[n] * slope[n]


@njit(cache=True, nogil=True, error_model="numpy")
def _add_exponential(
    program: Program, first: int, reference: float, theta: Floats, mu: Floats, jacobian: Floats
) -> None:  # fmt: skip
    """Content b1 exp(-b2 (x - reference)) h/h̄, its mean over the channel in bin mode."""
    amplitude, decay = theta[first], theta[first + 1]
    width, edges = program.width, program.edges
    n_channels = mu.shape[0]
    mean_width = (edges[n_channels] - edges[0]) / n_channels
    for n in range(n_channels):
        if program.mode == 0:
            at, mean, slope = program.axis[n] - reference, 1.0, 0.0
        else:
            at = 0.5 * (edges[n] + edges[n + 1]) - reference
            half = 0.5 * width[n]
            v = decay * half
            if abs(v) < _SERIES:  # sinh v / v and its derivative by the decay
                mean = 1.0 + v * v / 6.0 * (1.0 + v * v / 20.0 * (1.0 + v * v / 42.0))
                slope = half * v / 3.0 * (1.0 + v * v / 10.0 * (1.0 + v * v / 28.0))
            else:
                mean = np.sinh(v) / v
                slope = half * (np.cosh(v) - mean) / v
        unit = np.exp(-decay * at) * width[n] / mean_width
        jacobian[first, n] = unit * mean
        jacobian[first + 1, n] = amplitude * unit * (slope - at * mean)
        mu[n] += amplitude * unit * mean


@njit(cache=True, nogil=True, error_model="numpy")
def fill_model(
    program: Program, theta: Floats, mu: Floats, jacobian: Floats, wanted: Flags, room: Room
) -> None:  # fmt: skip
    """Expectation of every channel and its derivatives.

    Parameters
    ----------
    program : Program
    theta : ndarray of shape (p,)
        Parameters, blocks of peaks first.
    mu, jacobian : ndarray of shape (n,), (p, n)
        Filled.
    wanted : ndarray of bool of shape (p,)
        Rows that count; rows of held loss parameters are left as they are.
    room : Room
        From :func:`room_for`.
    """
    _add_peaks(program, theta, mu, jacobian, room)
    if program.loss_first >= 0:
        _add_losses(program, theta, mu, jacobian, wanted, room)
    if program.shirley_first >= 0:
        _add_steps(program, theta, mu, jacobian, room)
    for e in range(program.exponential_firsts.shape[0]):
        first = program.exponential_firsts[e]
        _add_exponential(program, first, program.references[e], theta, mu, jacobian)
    for m in range(program.basis.shape[0]):
        row = program.basis_rows[m]
        line, out, b = program.basis[m], jacobian[row], theta[row]
        for n in range(mu.shape[0]):
            out[n] = line[n]
            mu[n] += b * line[n]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_components(program: Program, theta: Floats, components: Floats) -> None:
    """Primary contents of every peak, one row each, without steps and losses.

    Parameters
    ----------
    program : Program
    theta : ndarray of shape (p,)
    components : ndarray of shape (K, n)
        Filled.
    """
    n = program.axis.shape[0]
    jacobian, below, below_jac = np.empty((program.firsts[-1], n)), np.empty(n), np.empty((8, n))
    want_below = n < 0  # never; a variable, because a literal would compile all shapes a second time
    for k in range(program.codes.shape[0]):
        first, last = program.firsts[k], program.firsts[k + 1]
        fill_shape(
            program.codes[k], theta[first:last], program.axis, program.edges, program.width, program.mode,
            program.tail, components[k], jacobian[first:last], below, below_jac, want_below,
        )  # fmt: skip
