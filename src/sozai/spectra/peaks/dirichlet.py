"""Annealed expectation-maximization with a Dirichlet prior on areas: needless peaks die on the way."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.spectra.peaks.expectation_kernels import (
    Members,
    Room,
    Window,
    areas_cycle,
    fill_shapes,
    room_for,
    shapes_cycle,
    weigh_channels,
)
from sozai.spectra.peaks.expectation_window import make_members, make_window
from sozai.spectra.peaks.start_model import StartModel

__all__ = ["annealed_paths"]

Floats = NDArray[np.float64]

#: Effective counts at the highest temperature.
COOLEST_COUNTS = 1e3
#: Iterations at one temperature at most, and the relative change of an area that ends them.
_ITERATIONS, _CHANGE = 300, 1e-4


@njit(cache=True, nogil=True, error_model="numpy")
def _areas_with_prior(
    window: Window, members: Members, counts: Floats, theta: Floats, alpha: Floats, room: Room
) -> float:
    """One cycle of areas and one of shapes; counts of a peak are N_k + α − 1. Largest change of an area."""
    n_peaks = room.gauss.shape[0]
    largest, total = 0.0, 0.0
    for k in range(n_peaks):
        room.sums[k, 7] = theta[4 * k + 2] + theta[4 * k + 3]
        total += room.sums[k, 7]
    old = room.sums[:, 7].copy()
    areas_cycle(window, members, counts, theta, room)
    for k in range(n_peaks):
        owned = room.sums[k, 0]
        share = max(owned + alpha[k] - 1.0, 0.0) / owned if owned > 0.0 else 0.0
        theta[4 * k + 2] *= share
        theta[4 * k + 3] *= share
        largest = max(largest, abs(theta[4 * k + 2] + theta[4 * k + 3] - old[k]))
    return largest / total if total > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def anneal_at(
    window: Window, members: Members, counts: Floats, theta: Floats, alpha: Floats, n_iter: int,
    tolerance: float, room: Room,
) -> int:  # fmt: skip
    """Iterate in place until areas rest or a peak dies; returns the dead peak or −1.

    Parameters
    ----------
    window, members : Window, Members
    counts : ndarray of shape (n,)
        Scaled counts βy.
    theta : ndarray of shape (4 K + M,)
        Areas and background scaled alike.
    alpha : ndarray of shape (K,)
    n_iter : int
    tolerance : float
    room : Room
    """
    n_peaks = room.gauss.shape[0]
    before = np.zeros(theta.shape[0])
    fill_shapes(window, theta, room)
    for _ in range(n_iter):
        change = _areas_with_prior(window, members, counts, theta, alpha, room)
        for k in range(n_peaks):
            if theta[4 * k + 2] + theta[4 * k + 3] <= 0.0:
                return k
        shapes_cycle(window, members, counts, theta, before, room)
        if change < tolerance:
            break
    return -1


def annealed_paths(
    start: StartModel, row: Floats, alpha: Floats, n_temperatures: int, n_least: int
) -> dict[int, Floats]:
    r"""One run from hot to cold.

    Parameters
    ----------
    start : StartModel
        Of the problem with the most peaks; channels, background and bounds are taken from it.
    row : ndarray of shape (4 K + M,)
        Where to start.
    alpha : ndarray of shape (K,)
    n_temperatures : int
    n_least : int
        After the last temperature the smallest peak goes until this many are left.

    Returns
    -------
    dict of int to ndarray of shape (4 k + M,)
        For every number of peaks that was met, its last state, in counts.

    Notes
    -----
    With Poisson counts the prior is :math:`A_k^{\alpha_k - 1}` on every area, the same as the Dirichlet
    prior on fractions up to a common factor that the next E-step takes out. One peak dies at a time,
    its counts go to the others before the next may die. Cost O(nK) per iteration, at most 300 for
    each temperature and peak.
    """
    y = np.ascontiguousarray(np.where(start.weights > 0.0, np.maximum(start.counts, 0.0), 0.0))
    window = make_window(
        start.grid, start.basis, start.step, start.operator, start.weights, y[None], "annealed_paths"
    )
    total = max(float(y.sum()), 1.0)
    hot = min(COOLEST_COUNTS / total, 1.0)
    betas = np.geomspace(hot, 1.0, n_temperatures) if n_temperatures > 1 else np.ones(1)
    state = _State(start, window, np.array(row, dtype=np.float64), np.array(alpha, dtype=np.float64))
    met: dict[int, Floats] = {}
    for beta in betas:
        state.cool(y, float(beta), met)
    while state.n_peaks > max(n_least, 1):
        state.drop(int(np.argmin(state.areas)))
        state.cool(y, 1.0, met)
    return met


class _State:
    """Peaks that live, with their prior and bounds."""

    def __init__(self, start: StartModel, window: Window, row: Floats, alpha: Floats) -> None:
        self.start, self.window, self.alpha = start, window, alpha
        self.n_peaks = len(alpha)
        self.blocks = row[: 4 * self.n_peaks].reshape(-1, 4).copy()
        self.rest = row[4 * self.n_peaks :].copy()
        self.widths = start._em_widths()

    @property
    def areas(self) -> Floats:
        """Area of every peak that lives."""
        return np.asarray(self.blocks[:, 2:].sum(axis=1))

    def drop(self, peak: int) -> None:
        """Take a peak away; what it owned is found again by the others."""
        keep = np.arange(self.n_peaks) != peak
        self.blocks, self.alpha, self.n_peaks = self.blocks[keep], self.alpha[keep], self.n_peaks - 1
        self.widths = [pair for k, pair in enumerate(self.widths) if keep[k]]

    def cool(self, y: Floats, beta: float, met: dict[int, Floats]) -> None:
        """Iterate at one temperature until nobody dies any more."""
        while self.n_peaks:
            members = make_members(self.window, self.n_peaks, self.widths, None, None, "annealed_paths")
            room = room_for(self.n_peaks, len(y))
            weigh_channels(self.window, room)
            theta = np.concatenate([self.blocks.ravel(), self.rest])
            scaled = self._scaled(theta, beta)
            dead = anneal_at(self.window, members, y * beta, scaled, self.alpha, _ITERATIONS, _CHANGE, room)
            theta = self._scaled(scaled, 1.0 / beta)
            self.blocks = theta[: 4 * self.n_peaks].reshape(-1, 4).copy()
            self.rest = theta[4 * self.n_peaks :].copy()
            if dead < 0:
                met[self.n_peaks] = theta
                return
            self.drop(dead)
        met.setdefault(0, self.rest.copy())

    def _scaled(self, theta: Floats, factor: float) -> Floats:
        """Areas and background times a factor; the coefficient of a step stays."""
        result = theta.copy()
        blocks = result[: 4 * self.n_peaks].reshape(-1, 4)
        blocks[:, 2:] *= factor
        step = self.start.step
        for m in range(len(self.rest)):
            if m != step:
                result[4 * self.n_peaks + m] *= factor
        return result
