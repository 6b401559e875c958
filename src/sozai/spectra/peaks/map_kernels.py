"""Score and information of many spectra at given parameters, in one compiled loop."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.spectra.peaks.likelihood_sums import deviance_of, information_of, prepare_counts, weigh
from sozai.spectra.peaks.model_kernels import Program, fill_model, room_for

__all__ = ["score_rows"]

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def score_rows(
    program: Program, counts: Floats, weights: Floats, noise: int, theta: Floats, deviance: Floats,
    score: Floats, information: Floats,
) -> None:  # fmt: skip
    """Deviance, JᵀV(y − μ) and JᵀVJ of every row.

    Parameters
    ----------
    program : Program
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    noise : int
    theta : ndarray of shape (S, p)
    deviance, score, information : ndarray of shape (S,), (S, p), (S, p, p)
        Filled.
    """
    n_spectra, n = counts.shape
    p = theta.shape[1]
    size = 3 * ((p + 3) // 3)
    members = np.full(size, p + 1, np.int64)
    members[: p + 1] = np.arange(p + 1)
    rows, products = np.zeros((p + 2, n)), np.zeros((size, size))
    y, inverse, empty = np.empty(n), np.empty(n), np.empty(n)
    mu, variance, wanted, room = np.zeros(n), np.zeros(n), np.ones(p, np.bool_), room_for(program)
    for s in range(n_spectra):
        line = weights[s if weights.shape[0] > 1 else 0]
        floor = prepare_counts(counts[s], line, y, inverse, empty)
        fill_model(program, theta[s], mu, rows, wanted, room)
        deviance[s] = deviance_of(noise, y, inverse, empty, line, floor, mu)
        weigh(noise, y, line, mu, variance, rows[p])
        information_of(rows, members, variance, products)
        for a in range(p):
            score[s, a] = products[p, a]
            for b in range(a + 1):
                information[s, a, b] = products[a, b]
                information[s, b, a] = products[a, b]
