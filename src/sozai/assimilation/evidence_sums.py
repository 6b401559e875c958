"""Sums of the closed inner fit and of its gradient over all patterns, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["assemble", "gradients"]


@njit(cache=True, nogil=True, error_model="numpy")
def inverse_and_log(matrix, size):
    """Inverse and log determinant of the leading block of a small symmetric positive matrix."""
    lower = np.zeros((size, size))
    log = 0.0
    for i in range(size):
        for j in range(i + 1):
            s = matrix[i, j]
            for k in range(j):
                s -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = np.sqrt(s)
                log += 2 * np.log(lower[i, i])
            else:
                lower[i, j] = s / lower[j, j]
    back = np.zeros((size, size))
    for j in range(size):
        back[j, j] = 1 / lower[j, j]
        for i in range(j + 1, size):
            s = 0.0
            for k in range(j, i):
                s -= lower[i, k] * back[k, j]
            back[i, j] = s / lower[i, i]
    return back.T @ back, log


@njit(cache=True, nogil=True, error_model="numpy")
def assemble(J, noise, counts, observed, known, xx, xy, yy, label, source, column, group):
    r"""Precision A (lower half), right side b, the constant, and every :math:`\Sigma_{oo}^{-1}`."""
    m, d = observed.shape
    p = len(source)
    A, b = np.zeros((p, p)), np.zeros(p)
    K = np.zeros((m, d, d))
    total = 0.0
    where = np.empty(d, dtype=np.int64)
    for o in range(m):
        size = 0
        for j in range(d):
            if observed[o, j]:
                where[size] = j
                size += 1
        S = np.zeros((size, size))
        for i in range(size):
            for k in range(size):
                s = 0.0
                for q in range(d):
                    s += J[where[i], q] * noise[q] * J[where[k], q]
                S[i, k] = s
            S[i, i] += known[o, where[i]]
        small, log = inverse_and_log(S, size)
        total += counts[o] * (size * np.log(2 * np.pi) + log)
        for i in range(size):
            for k in range(size):
                K[o, where[i], where[k]] = small[i, k]
                total += small[i, k] * yy[o, where[i], where[k]]
        B = K[o] @ J
        W = J.T @ B
        for a in range(p):
            if group[a] >= 0 and group[a] != label[o]:
                continue
            sa, ca = source[a], column[a]
            for i in range(d):
                b[a] += B[i, sa] * xy[o, ca, i]
            for c in range(a + 1):
                if group[c] >= 0 and group[c] != label[o]:
                    continue
                A[a, c] += W[sa, source[c]] * xx[o, ca, column[c]]
    return A, b, total, K


@njit(cache=True, nogil=True, error_model="numpy")
def gradients(
    J, noise, counts, observed, xx, xy, yy, label, source, column, group, K, theta, inverse, weight
):
    r"""Gradient of the log evidence by C (d, d) and by the noise variances (d,).

    ``inverse`` is :math:`A^{-1}` (lower half), ``weight`` 1 for the evidence and 0 for the profile.
    """
    m, d = observed.shape
    p = len(source)
    by_J, by_noise = np.zeros((d, d)), np.zeros(d)
    for o in range(m):
        V, U = np.zeros((d, d)), np.zeros((d, d))
        for a in range(p):
            if group[a] >= 0 and group[a] != label[o]:
                continue
            sa, ca = source[a], column[a]
            for i in range(d):
                U[i, sa] += xy[o, ca, i] * theta[a]
            for c in range(a + 1):
                if group[c] >= 0 and group[c] != label[o]:
                    continue
                v = (weight * inverse[a, c] + theta[a] * theta[c]) * xx[o, ca, column[c]]
                V[sa, source[c]] += v
                if c != a:
                    V[source[c], sa] += v
        Ko = K[o]
        by_K = -0.5 * yy[o] + U @ J.T - 0.5 * J @ V @ J.T
        by_K = 0.5 * (by_K + by_K.T)
        by_S = -0.5 * counts[o] * Ko - Ko @ by_K @ Ko
        here = Ko @ U - Ko @ J @ V
        spread = by_S @ J
        for i in range(d):
            if observed[o, i]:
                for q in range(d):
                    by_J[i, q] += here[i, q] + 2 * spread[i, q] * noise[q]
                    by_noise[q] += J[i, q] * spread[i, q]
    return J.T @ by_J @ J.T, by_noise
