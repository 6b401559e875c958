"""Doniach-Sunjic lines and their convolution with a Gaussian: antiderivative, density and derivatives."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_atan, fast_exp, fast_log, fast_sincos

__all__ = ["N_ROWS", "convolved_table", "fill_doniach_sunjic", "plain_table", "unit_table"]

Floats = NDArray[np.float64]

#: Rows of a table: P, f = P', f', f'', ∂P/∂α, ∂f/∂α.
N_ROWS = 6

#: σ per FWHM of a Gaussian.
_SIGMA_PER_WIDTH = 1.0 / np.sqrt(8.0 * np.log(2.0))
#: Narrower Gaussians (in half widths of the line) are done by their moments.
_NARROW = 0.1
_N_MOMENTS = 18
#: Trapezoids in units of σ: step, shift of the path into the upper half plane, points to each side.
_STEP, _SHIFT, _N_SIDE = 0.5, 3.0, 18
_K = np.arange(-_N_SIDE, _N_SIDE + 1) * _STEP
_NODE_WEIGHTS = (_STEP / np.sqrt(2.0 * np.pi)) * np.exp(-0.5 * (_K - 1j * _SHIFT) ** 2)
_FAST = {"contract", "nsz"}


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, forceinline=True)
def _power(v: float, height: float, alpha: float) -> tuple[float, float, float, float, float]:
    """Parts of ln q and q^α, then 1/|q|² for q = v + i height, height > 0."""
    square = v * v + height * height
    log_size = 0.5 * fast_log(square)
    right = v > height
    angle = fast_atan(height / v if right else v / height)
    angle = angle if right else 0.5 * np.pi - angle
    size = fast_exp(alpha * log_size)
    sine, cosine = fast_sincos(alpha * angle)
    return log_size, angle, size * cosine, size * sine, 1.0 / square


@njit(cache=True, nogil=True, error_model="numpy")
def _curl(log_q: complex, alpha: float) -> complex:
    """∂/∂α of (q^α - 1)/α, which is (q^α (α ln q - 1) + 1)/α²."""
    y = alpha * log_q
    if abs(y) < 0.7:
        total, term = 0.5 + 0j, 1.0 + 0j
        for k in range(1, 18):
            term *= y / k
            total += term / (k + 2)
        return log_q * log_q * total
    return (np.exp(y) * (y - 1.0) + 1.0) / (alpha * alpha)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def plain_table(v: Floats, alpha: float, table: Floats) -> None:
    """Rows of the line of half width 1 at v = ε/g.

    With q = v + i: P = -Im q^α/α and f = P' = -Im q^(α-1), so that every derivative is a power of q.

    Parameters
    ----------
    v : ndarray of shape (n,)
    alpha : float
        Asymmetry, 0 ≤ α < 1.
    table : ndarray of shape (6, n)
        Filled with P, f, f', f'', ∂P/∂α, ∂f/∂α.
    """
    for n in range(v.shape[0]):
        log_size, angle, a_real, a_imag, inverse = _power(v[n], 1.0, alpha)
        i_real, i_imag = v[n] * inverse, -inverse
        b_real, b_imag = a_real * i_real - a_imag * i_imag, a_real * i_imag + a_imag * i_real
        c_real, c_imag = b_real * i_real - b_imag * i_imag, b_real * i_imag + b_imag * i_real
        d_imag = c_real * i_imag + c_imag * i_real
        table[0, n] = a_imag
        table[1, n] = -b_imag
        table[2, n] = (1.0 - alpha) * c_imag
        table[3, n] = -(1.0 - alpha) * (2.0 - alpha) * d_imag
        table[4, n] = log_size
        table[5, n] = -(log_size * b_imag + angle * b_real)
    for n in range(v.shape[0]):
        angle = math.atan2(1.0, v[n])
        table[0, n] = -(table[0, n] / alpha if alpha > 1e-150 else angle)
        table[4, n] = -_curl(complex(table[4, n], angle), alpha).imag


@njit(cache=True, nogil=True, error_model="numpy")
def _moments_table(v: Floats, alpha: float, s: float, table: Floats) -> None:
    """A narrow Gaussian: h becomes Σ_k s^2k h^(2k)/(2k)!!."""
    for n in range(v.shape[0]):
        log_size, angle, a_real, a_imag, inverse = _power(v[n], 1.0, alpha)
        log_q, inverse_q = complex(log_size, angle), complex(v[n] * inverse, -inverse)
        # d is the derivative of q^α/α of the order reached, e its derivative by α, all times s^2k/(2k)!!
        d = complex(a_real, a_imag) * inverse_q
        e = log_q * d
        total_p = angle if alpha <= 1e-150 else a_imag / alpha
        total_p_slope = _curl(log_q, alpha).imag
        f, f_slope, f_1, f_2 = 0.0, 0.0, 0.0, 0.0
        weight = 1.0
        for k in range(_N_MOMENTS):
            # here d = q^(α-1-2k) (α-1)...(α-2k)
            order = alpha - 1.0 - 2 * k
            f += weight * d.imag
            f_slope += weight * e.imag
            e = (order * e + d) * inverse_q
            d = order * d * inverse_q
            f_1 += weight * d.imag
            weight_next = weight * s * s / (2.0 * k + 2.0)
            total_p += weight_next * d.imag
            total_p_slope += weight_next * e.imag
            order -= 1.0
            e = (order * e + d) * inverse_q
            d = order * d * inverse_q
            f_2 += weight * d.imag
            weight = weight_next
        table[0, n], table[1, n], table[2, n] = -total_p, -f, -f_1
        table[3, n], table[4, n], table[5, n] = -f_2, -total_p_slope, -f_slope


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _path_values(
    first: float, step: float, height: float, alpha: float, path: NDArray[np.complex128]
) -> None:
    """The analytic functions behind the rows on the path q_j = first + j step + i height."""
    for j in range(path.shape[0]):
        v = first + j * step
        log_size, angle, a_real, a_imag, inverse = _power(v, height, alpha)
        log_q = complex(log_size, angle)
        inverse_q = complex(v * inverse, -height * inverse)
        a = complex(a_real, a_imag)
        b = a * inverse_q
        c = (alpha - 1.0) * b * inverse_q
        path[j, 0] = log_q
        path[j, 1] = b
        path[j, 2] = c
        path[j, 3] = (alpha - 2.0) * c * inverse_q
        path[j, 5] = log_q * b
    for j in range(path.shape[0]):
        log_q = path[j, 0]
        path[j, 4] = _curl(log_q, alpha)
        if alpha > 1e-150:
            grown, angle = alpha * log_q.real, alpha * log_q.imag
            half = math.sin(0.5 * angle)
            real = math.expm1(grown) * math.cos(angle) - 2.0 * half * half
            path[j, 0] = complex(real / alpha, math.exp(grown) * math.sin(angle) / alpha)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST | {"reassoc"})
def _path_table(v: Floats, alpha: float, s: float, table: Floats) -> None:
    """All points on one path of trapezoids; see :func:`convolved_table`."""
    n_points, step = v.shape[0], _STEP * s
    first = v.min() - (_N_SIDE + 1) * step
    n_path = math.ceil((v.max() - first) / step) + _N_SIDE + 2
    path = np.empty((n_path, N_ROWS), np.complex128)
    _path_values(first, step, 1.0 + _SHIFT * s, alpha, path)
    sums = np.empty(N_ROWS)
    n_nodes = 2 * _N_SIDE + 1
    for n in range(n_points):
        nearest = round((v[n] - first) / step)
        offset = (v[n] - (first + nearest * step)) / s
        # exp(-(offset - kδ - ib)²/2) = front · weight_k · grow^k, both signs of k
        front = np.exp(complex(-0.5 * offset * offset, _SHIFT * offset))
        grow = math.exp(offset * _STEP)
        factor = math.exp(-offset * _STEP * _N_SIDE)
        sums[:] = 0.0
        for k in range(n_nodes):
            weight = front * (_NODE_WEIGHTS[n_nodes - 1 - k] * factor)
            # a node to the right lies at a negative distance
            row = path[nearest - _N_SIDE + k]
            for r in range(N_ROWS):
                sums[r] += weight.real * row[r].imag + weight.imag * row[r].real
            factor *= grow
        for r in range(N_ROWS):
            table[r, n] = -sums[r]


@njit(cache=True, nogil=True, error_model="numpy")
def convolved_table(v: Floats, alpha: float, s: float, table: Floats) -> None:
    """Rows of the line of half width 1 under a Gaussian of standard deviation s, at v = ε/g.

    Every row is the imaginary part of a function h(q) that is analytic above the real axis. Its mean
    over a Gaussian is therefore the same on the path r - ib, r real, b = 3,
    ∫ h(v - st + i) N(t) dt = ∫ h(v - sr + i(1 + sb)) N(r - ib) dr,
    where the singularity at q = 0 is at least 3σ away and trapezoids of σ/2 err by 1e-16; the values of
    h are shared by all points. For s < 0.1 the moments of the Gaussian are summed instead.

    Parameters
    ----------
    v : ndarray of shape (n,)
    alpha : float
    s : float
        0 gives :func:`plain_table`.
    table : ndarray of shape (6, n)
        Filled; the second row is also ∂P/∂v, and ∂/∂s of every row is s ∂²/∂v² of it.
    """
    if s == 0.0:
        plain_table(v, alpha, table)
    elif s < _NARROW:
        _moments_table(v, alpha, s, table)
    elif (v.max() - v.min()) / (_STEP * s) < 2.0 * _N_SIDE * v.shape[0]:
        _path_table(v, alpha, s, table)
    else:  # points farther apart than the path is wide
        for n in range(v.shape[0]):
            _path_table(v[n : n + 1], alpha, s, table[:, n : n + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def unit_table(
    position: float, half_width: float, alpha: float, sigma: float, tail: int, at: Floats, table: Floats
) -> Floats:  # fmt: skip
    """Reduced distances v = ε/g of axis values, and the table there.

    ε is the kinetic energy from the center: x0 - x where the tail extends to larger values, else
    x - x0.
    """
    sign = -1.0 if tail > 0 else 1.0
    v = np.empty(at.shape[0])
    for n in range(at.shape[0]):
        v[n] = sign * (at[n] - position) / half_width
    convolved_table(v, alpha, sigma / half_width, table)
    return v


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def fill_doniach_sunjic(
    code: int, p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Codes 4 and 5; see :func:`sozai.spectra.peaks.shape_kernels.fill_shape`.

    Contents are A f(v) h/(g Z) or A ΔP/Z with Z = ΔP of the whole window; below is -A P(v)/Z, which
    counts the convergent side outside the window too.
    """
    x0, g, alpha = p[0], p[1], p[2]
    n, n_par = axis.shape[0], p.shape[0]
    area = p[n_par - 1]
    sigma = p[3] * _SIGMA_PER_WIDTH if code == 5 else 0.0
    s = sigma / g
    sign = -1.0 if tail > 0 else 1.0
    ends, end_table = np.array([edges[0], edges[n]]), np.empty((N_ROWS, 2))
    v_end = unit_table(x0, g, alpha, sigma, tail, ends, end_table)
    d_p, d_f, d_f1 = end_table[0], end_table[1], end_table[2]
    norm = sign * (d_p[1] - d_p[0])
    # derivatives of ln Z
    z_x0 = -(d_f[1] - d_f[0]) / (g * norm)
    z_g = -sign * (v_end[1] * d_f[1] - v_end[0] * d_f[0] + s * s * (d_f1[1] - d_f1[0])) / (g * norm)
    z_alpha = sign * (end_table[4, 1] - end_table[4, 0]) / norm
    z_s = sign * s * (d_f1[1] - d_f1[0]) / norm
    per = 1.0 / g
    top = area / norm
    last = n_par - 1
    s_width = _SIGMA_PER_WIDTH * per
    if mode == 0:
        table = np.empty((N_ROWS, n))
        v = unit_table(x0, g, alpha, sigma, tail, axis, table)
        for i in range(n):
            unit = top * width[i] * per
            whole = unit * table[1, i]
            value[i] = whole
            jac[0, i] = -sign * per * unit * table[2, i] - whole * z_x0
            jac[1, i] = -per * (unit * (v[i] * table[2, i] + s * s * table[3, i]) + whole) - whole * z_g
            jac[2, i] = unit * table[5, i] - whole * z_alpha
            jac[last, i] = width[i] * per / norm * table[1, i]
            if code == 5:
                jac[3, i] = s_width * (unit * s * table[3, i] - whole * z_s)
    else:
        table = np.empty((N_ROWS, n + 1))
        v = unit_table(x0, g, alpha, sigma, tail, edges, table)
        for i in range(n):
            unit = sign * (table[0, i + 1] - table[0, i]) / norm
            whole = area * unit
            step = table[1, i + 1] - table[1, i]
            bend = table[2, i + 1] - table[2, i]
            lift = v[i + 1] * table[1, i + 1] - v[i] * table[1, i]
            value[i] = whole
            jac[0, i] = -per * top * step - whole * z_x0
            jac[1, i] = -sign * per * top * (lift + s * s * bend) - whole * z_g
            jac[2, i] = sign * top * (table[4, i + 1] - table[4, i]) - whole * z_alpha
            jac[last, i] = unit
            if code == 5:
                jac[3, i] = s_width * (sign * top * s * bend - whole * z_s)
    if want_below:
        if mode != 0:
            table = np.empty((N_ROWS, n))
            v = unit_table(x0, g, alpha, sigma, tail, axis, table)
        for i in range(n):
            whole = -top * table[0, i]
            below[i] = whole
            below_jac[0, i] = sign * per * top * table[1, i] - whole * z_x0
            below_jac[1, i] = per * top * (v[i] * table[1, i] + s * s * table[2, i]) - whole * z_g
            below_jac[2, i] = -top * table[4, i] - whole * z_alpha
            below_jac[last, i] = -table[0, i] / norm
            if code == 5:
                below_jac[3, i] = s_width * (-top * s * table[2, i] - whole * z_s)
