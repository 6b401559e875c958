"""One entry for all line shapes: expected content of every channel, its derivatives, and running shares."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.spectra.peaks.doniach_sunjic import fill_doniach_sunjic
from sozai.spectra.peaks.shape_kernels_sums import fill_by_quadrature
from sozai.spectra.peaks.shape_kernels_symmetric import fill_gaussian, fill_lorentzian, fill_pseudo_voigt

__all__ = ["fill_shape"]

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_asymmetric(
    code: int, p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Code 6. Without asymmetry all but the derivative by it comes from the symmetric shape, to the bit.

    ``code`` is handed on as a variable: a literal would compile the quadrature a second time.
    """
    fill_by_quadrature(code, p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    if p[2] == 0.0:
        n = axis.shape[0]
        q = np.array([p[0], p[1], p[3], p[4]])
        rows, below_rows = np.empty((4, n)), np.empty((4, n))
        fill_pseudo_voigt(q, axis, edges, width, mode, tail, value, rows, below, below_rows, want_below)
        for r in range(4):
            target = r if r < 2 else r + 1
            jac[target] = rows[r]
            if want_below:
                below_jac[target] = below_rows[r]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_shape(
    code: int, p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Expected content of every channel and its derivatives for one peak.

    Parameters
    ----------
    code : int
        0 Gaussian, 1 Lorentzian, 2 pseudo-Voigt, 3 Voigt, 4 Doniach-Sunjic, 5 the same under a Gaussian,
        6 asymmetric pseudo-Voigt, 7 Pearson VII.
    p : ndarray of shape (n_par,)
        Internal parameters of the shape, in the order of ``shapes.py``.
    axis, edges, width : ndarray of shape (n,), (n + 1,), (n,)
        Ascending channel centers, their edges and widths.
    mode : int
        0: density at the center times the width. 1: integral over the channel.
    tail : int
        +1 when asymmetry and inelastic tails extend to larger axis values, -1 otherwise.
    value, jac : ndarray of shape (n,), (n_par, n)
        Filled: contents and their derivatives.
    below, below_jac : ndarray of shape (n,), (n_par, n)
        Filled when ``want_below``: content of the peak on the side away from the tail of ``axis[n]``.
    """
    if code == 0:
        fill_gaussian(p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    elif code == 1:
        fill_lorentzian(p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    elif code == 2:
        fill_pseudo_voigt(p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    elif code == 4 or code == 5:
        fill_doniach_sunjic(code, p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    elif code == 6:
        _fill_asymmetric(code, p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    else:
        fill_by_quadrature(code, p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
