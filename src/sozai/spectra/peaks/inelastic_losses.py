r"""Inelastic losses of photoelectrons: Tougaard's kernels, applied to peaks channel by channel.

An electron that loses the energy T on its way out is counted T lower in kinetic energy. With the loss
kernel K the peaks' contents P bring losses :math:`(HP)_n = h_n\sum_m K(|x_m - x_n|)\,P_m`, the sum over
channels m of higher kinetic energy. One loss: P + HP. Any number of them: (1 − H)⁻¹ P, solved channel
by channel from the high-energy end.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["add_losses", "loss_slopes", "tougaard_kernel"]

Floats = NDArray[np.float64]

# sums may be taken in any order; NaN and infinity keep their meaning
_FAST = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, error_model="numpy")
def tougaard_kernel(distance: Floats, c: float, d: float, has_d: bool, out: Floats) -> None:
    """Tougaard's kernel at B = 1: T/(C + T²)², or T/((C − T²)² + D T²) with a third parameter.

    Parameters
    ----------
    distance : ndarray of shape (m,)
        Energy losses T ≥ 0 in eV.
    c, d : float
        C and D in eV².
    has_d : bool
        Three parameters.
    out : ndarray of shape (m,)
        Filled, in 1/eV³.

    Examples
    --------
    >>> out = np.empty(1)
    >>> tougaard_kernel(np.array([1.0]), 3.0, 0.0, False, out)
    >>> out.tolist()
    [0.0625]
    """
    for n in range(distance.shape[0]):
        t = distance[n]
        if has_d:
            out[n] = t / ((c - t * t) ** 2 + d * t * t)
        else:
            out[n] = t / (c + t * t) ** 2


@njit(cache=True, nogil=True, error_model="numpy")
def loss_slopes(distance: Floats, c: float, d: float, has_d: bool, by_c: Floats, by_d: Floats) -> None:
    """Derivatives of :func:`tougaard_kernel` by C and by D.

    Parameters
    ----------
    distance, c, d, has_d
        As in :func:`tougaard_kernel`.
    by_c, by_d : ndarray of shape (m,)
        Filled; ``by_d`` only with a third parameter.
    """
    for n in range(distance.shape[0]):
        t = distance[n]
        if has_d:
            square = ((c - t * t) ** 2 + d * t * t) ** 2
            by_c[n] = -2.0 * t * (c - t * t) / square
            by_d[n] = -(t**3) / square
        else:
            by_c[n] = -2.0 * t / (c + t * t) ** 3


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _even_sums(kernel: Floats, source: Floats, sums: Floats) -> None:
    """Sums over m < n of kernel[n - m] source[m], four source channels per pass."""
    n_channels = source.shape[0]
    sums[:] = 0.0
    whole = 4 * (n_channels // 4)
    for m in range(0, whole, 4):
        s0, s1, s2, s3 = source[m], source[m + 1], source[m + 2], source[m + 3]
        sums[m + 1] += kernel[1] * s0
        sums[m + 2] += kernel[2] * s0 + kernel[1] * s1
        sums[m + 3] += kernel[3] * s0 + kernel[2] * s1 + kernel[1] * s2
        out = sums[m + 4 :]
        k0, k1, k2, k3 = kernel[4:], kernel[3:], kernel[2:], kernel[1:]
        for i in range(out.shape[0]):
            out[i] += k0[i] * s0 + k1[i] * s1 + k2[i] * s2 + k3[i] * s3
    for m in range(whole, n_channels):
        for n in range(m + 1, n_channels):
            sums[n] += kernel[n - m] * source[m]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _even_chain(kernel: Floats, factor: Floats, source: Floats) -> None:
    """Solve E_n = P_n + f_n Σ_{m<n} kernel[n - m] E_m in place, f being B times the width."""
    n_channels = source.shape[0]
    sums = np.zeros(n_channels)
    for m in range(n_channels):
        source[m] += factor[m] * sums[m]
        s = source[m]
        out, k = sums[m + 1 :], kernel[1:]
        for i in range(out.shape[0]):
            out[i] += k[i] * s


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _uneven_sums(kernel: Floats, source: Floats, sums: Floats) -> None:
    """As :func:`_even_sums` for a full matrix, whose row m holds what channel m brings to n > m."""
    sums[:] = 0.0
    for m in range(source.shape[0]):
        s, line = source[m], kernel[m]
        for n in range(m + 1, source.shape[0]):
            sums[n] += line[n] * s


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _uneven_chain(kernel: Floats, factor: Floats, source: Floats) -> None:
    """As :func:`_even_chain` for a full matrix."""
    sums = np.zeros(source.shape[0])
    for m in range(source.shape[0]):
        source[m] += factor[m] * sums[m]
        s, line = source[m], kernel[m]
        for n in range(m + 1, source.shape[0]):
            sums[n] += line[n] * s


@njit(cache=True, nogil=True, error_model="numpy")
def _sums(kernel: Floats, even: bool, source: Floats, sums: Floats) -> None:
    """Losses of all channels per unit factor."""
    if even:
        _even_sums(kernel[0], source, sums)
    else:
        _uneven_sums(kernel, source, sums)


@njit(cache=True, nogil=True, error_model="numpy")
def _apply(kernel: Floats, even: bool, factor: Floats, chain: bool, row: Floats, sums: Floats) -> None:
    """Put P + HP or (1 - H)⁻¹ P in the place of P."""
    if chain:
        if even:
            _even_chain(kernel[0], factor, row)
        else:
            _uneven_chain(kernel, factor, row)
    else:
        _sums(kernel, even, row, sums)
        for n in range(row.shape[0]):
            row[n] += factor[n] * sums[n]


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(row: Floats) -> None:
    """Reverse in place."""
    last = row.shape[0] - 1
    for n in range(row.shape[0] // 2):
        row[n], row[last - n] = row[last - n], row[n]


@njit(cache=True, nogil=True, error_model="numpy")
def add_losses(
    b: float, kernel: Floats, slopes: Floats, even: bool, width: Floats, tail: int, chain: bool,
    primary: Floats, jacobian: Floats, wanted: NDArray[np.bool_], n_rows: int, first: int, sums: Floats,
) -> None:  # fmt: skip
    """Add the losses to the peaks' contents and to all their derivatives; fill those by B, C and D.

    Parameters
    ----------
    b : float
        B in eV².
    kernel : ndarray of shape (1, n) or (n, n)
        :func:`tougaard_kernel` at the distances of an even axis from its first channel, or at all pairs;
        in the second case in the order of falling kinetic energy.
    slopes : ndarray of shape (k, ...)
        Derivatives of the kernel by C and D, each shaped like the kernel; k = 0 where they are held.
    even : bool
    width : ndarray of shape (n,)
    tail : int
        +1 where kinetic energy falls along the axis.
    chain : bool
        Any number of losses; else one.
    primary : ndarray of shape (n,)
        Sum of the peaks; replaced by the sum with losses.
    jacobian : ndarray of shape (p, n)
        Its first ``n_rows`` rows hold derivatives of ``primary`` and are replaced likewise.
    wanted : ndarray of bool of shape (p,)
        Rows that count.
    n_rows, first : int
        Number of rows of the peaks; row of B, which is followed by those of C and D.
    sums : ndarray of shape (n,)
        Scratch.

    Notes
    -----
    Cost n²/2 per row, in vector instructions: below some 2000 channels as fast as Fourier transforms,
    and exact on any axis.
    """
    n_channels = primary.shape[0]
    factor = np.empty(n_channels)
    for n in range(n_channels):
        factor[n] = b * width[n]
    if tail < 0:
        _turn(primary)
        _turn(factor)
    before = primary.copy()
    _apply(kernel, even, factor, chain, primary, sums)
    source = primary if chain else before
    for k in range(1 + slopes.shape[0]):
        if wanted[first + k]:
            row = jacobian[first + k]
            _sums(kernel if k == 0 else slopes[k - 1], even, source, row)
            for n in range(n_channels):
                row[n] *= factor[n] if k > 0 else (width[n] if tail > 0 else width[n_channels - 1 - n])
            if chain:
                _apply(kernel, even, factor, True, row, sums)
            if tail < 0:
                _turn(row)
    for i in range(n_rows):
        if wanted[i]:
            row = jacobian[i]
            if tail < 0:
                _turn(row)
            _apply(kernel, even, factor, chain, row, sums)
            if tail < 0:
                _turn(row)
    if tail < 0:
        _turn(primary)
