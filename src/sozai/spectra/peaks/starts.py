"""Where a fit of peaks starts: one guess from the curvature, the others drawn, one peak per equal share."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.expectation_window import width_bounds
from sozai.spectra.peaks.grid import Grid
from sozai.spectra.peaks.start_kernels import curvature_tops, local_parabolas, lower_hull

__all__ = ["choose_distinct", "draw_starts", "split_and_move"]

Floats = NDArray[np.float64]

_LN2 = float(np.log(2.0))
#: Lorentz shares that a start may have, by kind of peak: Gaussian, Lorentzian, between.
_SHARES = ((0.0, 0.0), (1.0, 1.0), (0.1, 0.9))


def draw_starts(
    grid: Grid,
    counts: ArrayLike,
    n_peaks: int,
    n_starts: int,
    rng_seed_sequence: np.random.SeedSequence,
    width_range: tuple[float | None, float | None] = (None, None),
    *,
    basis: ArrayLike | None = None,
    shirley: int | None = None,
    kinds: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    r"""Draw starts for :func:`~sozai.spectra.peaks.expectation.start_up_em`.

    Parameters
    ----------
    grid : Grid
        Channels: ``axis`` (n,) ascending and ``width`` (n,).
    counts : array-like of shape (n,)
    n_peaks : int
        K.
    n_starts : int
        R, at least 1.
    rng_seed_sequence : SeedSequence
        Start r takes the r-th row of its stream, so it is the same whatever R is.
    width_range : (float or None, float or None)
        Bounds of the widths; three channels and window/(2K) when left out.
    basis : array-like of shape (M, n), optional
        Functions of the background in counts per unit coefficient.
    shirley : int, optional
        Place of the coefficient of the active step among the background coefficients.
    kinds : array-like of int of shape (K,), optional
        0 for a Gaussian, 1 for a Lorentzian, 2 for a pseudo-Voigt peak (default).
    weights : array-like of shape (n,), optional
        0 where a channel is masked.

    Returns
    -------
    ndarray of shape (R, 4 K + M)
        position, fwhm, area_gauss, area_lorentz of every peak in ascending position, then the background.

    Raises
    ------
    InputError
        Less than one start or peak, or no counts.

    Notes
    -----
    The background is guessed by the lower convex hull of the smoothed counts; what stands above is
    the signal. Start 0 takes the K most significant minima of the second derivative, by
    Savitzky and Golay's filter at widths of several sizes: at each the noise of the filter is known, and the
    width follows from height and curvature, w² = 8 ln2 × height/curvature. All others cut the
    distribution function of the signal into K equal shares and draw one position in each; widths are
    log-uniform, Lorentz shares uniform in 0.1 to 0.9. Peaks of one start have equal areas: the first
    cycle of the start-up finds better ones.
    Cost O(n log n + R K). Memory O(n + R p).

    References
    ----------
    .. [1] A. Savitzky, M. J. E. Golay, Anal. Chem. 36, 1627 (1964). https://doi.org/10.1021/ac60214a047

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.spectra.peaks.grid import Grid
    >>> axis = np.linspace(0.0, 100.0, 401)
    >>> grid = Grid.of(axis)
    >>> counts = 100 + 1000 * np.exp(-((axis - 30) / 4) ** 2) + 500 * np.exp(-((axis - 60) / 4) ** 2)
    >>> draw_starts(grid, counts, 2, 1, np.random.SeedSequence(0))[0, ::4].round(1).tolist()
    [30.0, 60.0]
    """
    place = "draw_starts"
    if n_peaks < 1 or n_starts < 1:
        raise InputError(
            sentence(place, "n_peaks and n_starts", "be at least 1", (n_peaks, n_starts))
        )  # fmt: skip
    scene = _Scene(grid, counts, weights, place)
    low, high = width_bounds(scene.axis, scene.width, width_range, place)
    low = max(low, 3.0 * scene.step) if width_range[0] is None else low
    high = min(high, scene.window / (2.0 * n_peaks)) if width_range[1] is None else high
    high = max(low, high)
    shares = np.array(_SHARES)[np.full(n_peaks, 2) if kinds is None else np.asarray(kinds, int)]
    background = _background_start(scene, basis, shirley)
    blocks = np.empty((n_starts, n_peaks, 4))
    positions, widths, areas = _curvature_peaks(scene, n_peaks, low, high)
    half = shares.mean(axis=1)
    blocks[0] = np.stack([positions, widths, areas * (1 - half), areas * half], axis=1)
    draws = np.random.default_rng(rng_seed_sequence).random((n_starts - 1, 3, n_peaks))
    lorentz = shares[:, 0] + draws[:, 2] * (shares[:, 1] - shares[:, 0])
    area = scene.counts_above / n_peaks
    blocks[1:, :, 0] = scene.quantile((np.arange(n_peaks) + draws[:, 0]) / n_peaks)
    blocks[1:, :, 1] = low * (high / low) ** draws[:, 1]
    blocks[1:, :, 2], blocks[1:, :, 3] = area * (1 - lorentz), area * lorentz
    starts = np.empty((n_starts, 4 * n_peaks + background.size))
    starts[:, : 4 * n_peaks] = blocks.reshape(n_starts, -1)
    starts[:, 4 * n_peaks :] = background
    return starts


def choose_distinct(
    theta: ArrayLike, deviance: ArrayLike, n_peaks: int, n_best: int = 3, separation: float = 0.2
) -> NDArray[np.int64]:
    """Rows of the best starts that are not the same solution.

    Parameters
    ----------
    theta : array-like of shape (R, p)
        Starts in the layout of :func:`draw_starts`.
    deviance : array-like of shape (R,)
    n_peaks : int
    n_best : int
        How many at most.
    separation : float
        Two are distinct when some pair of peaks, both sorted by position, is more than this many
        widths apart.

    Returns
    -------
    ndarray of int
        Row numbers, best first; ties go to the lower row. Rows whose deviance is not a number are left out.

    Examples
    --------
    >>> starts = [[10.0, 2.0, 1.0, 1.0], [10.1, 2.0, 1.0, 1.0], [13.0, 2.0, 1.0, 1.0]]
    >>> choose_distinct(starts, [5.0, 4.0, 9.0], 1).tolist()
    [1, 2]
    """
    rows = np.array(theta, dtype=np.float64, ndmin=2)
    values = np.asarray(deviance, dtype=np.float64)
    positions, widths = rows[:, : 4 * n_peaks : 4], rows[:, 1 : 4 * n_peaks : 4]
    order = np.argsort(positions, axis=1, kind="stable")
    positions, widths = np.take_along_axis(positions, order, 1), np.take_along_axis(widths, order, 1)
    chosen: list[int] = []
    for r in np.argsort(values, kind="stable"):
        if len(chosen) == n_best or not np.isfinite(values[r]):
            break
        gaps = np.abs(positions[chosen] - positions[r])
        if (gaps > separation * np.minimum(widths[chosen], widths[r])).any(axis=1).all():
            chosen.append(int(r))
    return np.array(chosen, dtype=np.int64)


def split_and_move(
    grid: Grid,
    counts: ArrayLike,
    theta: ArrayLike,
    n_peaks: int,
    contents: ArrayLike,
    background: ArrayLike,
    *,
    n_moves: int = 1,
    least_fall: float | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    r"""Propose to take the peak that matters least away, and put it where most counts are missing.

    A local optimum often has two peaks on one and one peak on two. Iterate the proposal (start-up, then the
    fit) and accept it when the deviance falls by more than 6.

    Parameters
    ----------
    grid : Grid
    counts : array-like of shape (n,)
    theta : array-like of shape (p,)
        A fitted row: position, fwhm, area_gauss, area_lorentz of every peak, then anything.
    n_peaks : int
    contents : array-like of shape (K, n)
        Expected counts of every peak (with its step, if any).
    background : array-like of shape (n,)
        Expected counts of the rest.
    n_moves : int
        Proposals at most: the n_moves least significant peaks are moved, one in each.
    least_fall : float, optional
        Fall of the deviance that a move must promise: twice the square of the largest running residual
        less what the peak is worth. Left out, all are proposed.
    weights : array-like of shape (n,), optional
        0 where a channel is masked.

    Returns
    -------
    ndarray of shape (min(n_moves, K) or fewer, p)

    Notes
    -----
    Significance of peak k: the deviance that its removal costs when the areas of the others
    adapt, to second order a_k²/(F⁻¹)_kk, F = Σ f_j f_k/λ over contents and background. The peak that
    it overlaps most takes its area over, and the free one goes to the largest
    running residual in units of its error, Σ(y − λ)/√Σλ over one typical width. Where that lies
    inside another peak, that one is split: it gets a neighbor at the residual, of half its width.
    Cost O(n K²).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.spectra.peaks.grid import Grid
    >>> axis = np.linspace(0.0, 100.0, 401)
    >>> grid = Grid.of(axis)
    >>> shape = lambda x0: np.exp(-((axis - x0) / 4) ** 2)
    >>> counts = 100 + 1000 * shape(30) + 500 * shape(60)
    >>> fitted = [30.0, 6.66, 3545.0, 0.0, 31.0, 6.66, 3545.0, 0.0]
    >>> contents = [500 * shape(30), 500 * shape(31)]
    >>> split_and_move(grid, counts, fitted, 2, contents, np.full(401, 100.0))[0, ::4].round(0).tolist()
    [60.0, 31.0]
    """
    place = "split_and_move"
    scene = _Scene(grid, counts, weights, place)
    fitted = np.asarray(theta, dtype=np.float64)
    parts = np.array(contents, dtype=np.float64, ndmin=2)
    if parts.shape != (n_peaks, scene.axis.size):
        wanted = f"have the shape ({n_peaks}, {scene.axis.size})"
        raise InputError(sentence(place, "contents", wanted, f"shape {parts.shape}"))
    rest = np.asarray(background, dtype=np.float64)
    mean = np.maximum(parts.sum(axis=0) + rest, 1e-9 * max(float(scene.counts.mean()), 1e-300))
    worth, overlap = _significance(parts, rest, mean, scene.seen)
    blocks = fitted[: 4 * n_peaks].reshape(n_peaks, 4)
    order = np.argsort(worth, kind="stable")[:n_moves]
    typical = float(np.exp(np.log(blocks[:, 1]).mean()))
    missing = _Missing(scene, mean, typical)
    if least_fall is not None:
        order = order[2.0 * missing.errors**2 - worth[order] > least_fall]
    moves = np.tile(fitted, (len(order), 1))
    for row, least in enumerate(order):
        moved = blocks.copy()
        if n_peaks > 1:
            _hand_over(moved, int(least), overlap[least])
        _insert(moved, int(least), scene, missing)
        moves[row, : 4 * n_peaks] = moved.ravel()
    return moves


# --- one spectrum as the starts see it -----------------------------------------------------------------


class _Scene:
    """Smoothed counts, the guess of the background, and the signal above it."""

    def __init__(self, grid: Grid, counts: ArrayLike, weights: ArrayLike | None, place: str) -> None:
        self.axis = np.asarray(grid.axis, dtype=np.float64)
        self.width = np.asarray(grid.width, dtype=np.float64)
        n = self.axis.size
        self.seen = np.ones(n, bool) if weights is None else np.asarray(weights) != 0.0
        given = np.asarray(counts, dtype=np.float64)
        if given.shape != (n,) or self.seen.shape != (n,):
            got = f"shape {given.shape}, weights {self.seen.shape}"
            raise InputError(sentence(place, "counts and weights", f"have the shape ({n},)", got))
        if not self.seen.any() or not (given[self.seen] > 0.0).any():
            total = float(given[self.seen].sum())
            raise InputError(
                sentence(
                    place, "counts", "be positive somewhere in the channels that are not masked", total,
                    remedy="Unmask channels or drop this spectrum.",
                )
            )  # fmt: skip
        seen = np.flatnonzero(self.seen)
        # gaps are bridged by straight lines: good enough to guess in
        filled = np.interp(self.axis, self.axis[seen], np.maximum(given[seen], 0.0))
        self.counts = filled
        self.step = grid.typical_width
        self.window = float(self.axis[-1] - self.axis[0])

    @cached_property
    def smooth(self) -> Floats:
        """Counts by local parabolas."""
        return _smoothed(self.counts, max(2, self.axis.size // 100))

    @cached_property
    def base(self) -> Floats:
        """Guess of the background: lower hull of the smoothed counts."""
        base = np.empty(self.axis.size)
        lower_hull(self.axis, self.smooth, base)
        return base

    @cached_property
    def signal(self) -> Floats:
        """What stands above the background."""
        return np.where(self.seen, np.maximum(self.smooth - self.base, 0.0), 0.0)

    @cached_property
    def counts_above(self) -> float:
        """Counts of the signal; never less than a thousandth of all."""
        return max(float(self.signal.sum()), 1e-3 * float(self.counts.sum()))

    @cached_property
    def _running(self) -> tuple[Floats, Floats]:
        """Distribution function of the signal and the edges where it is known; no place is impossible."""
        edges = np.append(self.axis - 0.5 * self.width, self.axis[-1] + 0.5 * self.width[-1])
        floor = 1e-3 * self.counts_above / self.axis.size
        running = np.append(0.0, np.cumsum(self.signal + floor))
        return running / running[-1], edges

    def quantile(self, u: Floats) -> Floats:
        """Positions below which the shares ``u`` of the signal lie."""
        running, edges = self._running
        return np.interp(u, running, edges)


def _smoothed(values: Floats, half: int) -> Floats:
    """Local parabolas over 2 half + 1 channels, as long as the data allow; not negative."""
    half = min(half, (values.size - 1) // 2)
    if half < 1:
        return values
    level, bend = np.empty(values.size), np.empty(values.size)
    local_parabolas(values, half, level, bend)
    return np.maximum(level, 0.0)


def _background_start(scene: _Scene, basis: ArrayLike | None, shirley: int | None) -> Floats:
    """Coefficients that make the guess of the background; none is zero, or it would stay so."""
    rows = np.zeros((0, scene.axis.size)) if basis is None else np.array(basis, float, ndmin=2)
    level = max(float(scene.counts.mean()), 1e-300)
    coefficients = np.zeros(0)
    if len(rows):
        coefficients = nnls(rows.T, scene.base)[0]
        typical = np.maximum(np.abs(rows).mean(axis=1), 1e-300)
        coefficients = np.maximum(coefficients, 0.01 * level / typical)
    if shirley is None:
        return coefficients
    n_end = max(1, scene.axis.size // 20)
    rise = abs(float(scene.smooth[-n_end:].mean() - scene.smooth[:n_end].mean()))
    step = max(rise, 0.01 * level) / (scene.step * scene.counts_above)
    return np.insert(coefficients, shirley, step)


# --- start 0 -------------------------------------------------------------------------------------------


def _curvature_peaks(scene: _Scene, n_peaks: int, low: float, high: float) -> tuple[Floats, Floats, Floats]:
    """Positions, widths and areas at the most significant minima of the second derivative."""
    n = scene.axis.size
    tops, found = np.empty((16 * n, 4)), 0
    level, bend = np.empty(n), np.empty(n)
    scale, widest = max(low, 4.0 * scene.step), max(high, 4.0 * scene.step)
    while scale <= widest:
        half = min(max(2, round(0.5 * scale / scene.step)), (n - 1) // 2)
        if half < 2:
            break
        found = curvature_tops(scene.counts, scene.base, half, level, bend, tops, found)
        scale *= 1.5
    chosen: list[tuple[float, float, float]] = []
    for row in np.argsort(-tops[:found, 0], kind="stable"):
        channel = int(tops[row, 1])
        position, fwhm = float(scene.axis[channel]), min(max(float(tops[row, 2]) * scene.step, low), high)
        apart = all(abs(position - x0) > 0.4 * max(fwhm, w) for x0, w, _ in chosen)
        if apart and scene.seen[channel]:
            area = float(tops[row, 3]) * fwhm / scene.step * np.sqrt(np.pi / (4.0 * _LN2))
            chosen.append((position, fwhm, area))
        if len(chosen) == n_peaks:
            break
    missing = n_peaks - len(chosen)
    if missing:  # as many as are needed, where the signal is
        places = scene.quantile((np.arange(missing) + 0.5) / missing)
        area = scene.counts_above / n_peaks
        chosen += [(float(x0), float(np.sqrt(low * high)), area) for x0 in places]
    positions, widths, areas = np.array(sorted(chosen)).T
    return positions, widths, areas


# --- one peak moved --------------------------------------------------------------------------------------


def _significance(
    parts: Floats, rest: Floats, mean: Floats, seen: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Deviance that each peak is worth, and the overlap of every pair."""
    rows = np.vstack([parts, rest])[:, seen] / np.sqrt(mean[seen])
    fisher = rows @ rows.T
    scale = np.sqrt(np.maximum(np.diag(fisher), 1e-300))
    scaled = fisher / np.outer(scale, scale)
    covariance = np.linalg.pinv(scaled, hermitian=True)
    n_peaks = len(parts)
    worth = scale[:n_peaks] ** 2 / np.maximum(np.diag(covariance)[:n_peaks], 1.0)
    overlap = scaled[:n_peaks, :n_peaks] - 2.0 * np.eye(n_peaks)
    return worth, overlap


def _hand_over(blocks: Floats, gone: int, overlap: Floats) -> None:
    """Give the areas of a peak to the one that it overlaps most, if it does."""
    heir = int(np.argmax(overlap))
    if overlap[heir] > 0.5:
        areas = blocks[gone, 2:].sum()
        own = blocks[heir, 2:].sum()
        if own > 0.0:
            blocks[heir, 2:] *= (own + areas) / own


class _Missing:
    """Where most counts are missing over one width, how many, and in how many of their errors."""

    def __init__(self, scene: _Scene, mean: Floats, width: float) -> None:
        self.width = width
        excess = np.where(scene.seen, scene.counts - mean, 0.0)
        expected = np.where(scene.seen, mean, 0.0)
        last = np.searchsorted(scene.axis, scene.axis + 0.5 * width, side="right")
        first = np.searchsorted(scene.axis, scene.axis - 0.5 * width, side="left")
        running = np.zeros((2, scene.axis.size + 1))
        np.cumsum([excess, expected], axis=1, out=running[:, 1:])
        found, noise = running[:, last] - running[:, first]
        noise = np.maximum(noise, 1.0)
        where = int(np.argmax(found / np.sqrt(noise)))
        self.position = float(scene.axis[where])
        self.errors = max(float(found[where] / np.sqrt(noise[where])), 0.0)
        self.counts = max(float(found[where]), float(np.sqrt(noise[where])))


def _insert(blocks: Floats, free: int, scene: _Scene, missing: _Missing) -> None:
    """Put a peak where most counts are missing."""
    others = np.delete(blocks, free, axis=0)
    share = blocks[free, 3] / blocks[free, 2:].sum() if blocks[free, 2:].sum() > 0.0 else 0.5
    area, width, position = missing.counts, missing.width, missing.position
    if len(others):
        near = int(np.argmin(np.abs(others[:, 0] - position) / others[:, 1]))
        if abs(others[near, 0] - position) < 0.5 * others[near, 1]:
            width = max(0.5 * float(others[near, 1]), 1.5 * scene.step)
    blocks[free] = position, width, area * (1.0 - share), area * share
