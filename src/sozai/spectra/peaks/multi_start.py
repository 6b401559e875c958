"""Find the best fit blindly: many starts, a short start-up of each, fits of the best, one peak moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.peak_names import WIDTHS, Roster
from sozai.spectra.peaks.peak_problem import PeakProblem, Solution
from sozai.spectra.peaks.start_model import StartModel
from sozai.spectra.peaks.starts import choose_distinct, draw_starts, split_and_move

__all__ = ["Search", "drawn_starts", "n_starts_of", "search"]

Array = NDArray[np.float64]

#: Iterations of the start-up of all starts, of the best ones, and how many these are.
_FIRST, _MORE, _N_BEST = 15, 10, 3
#: Starts with a deviance so many times the least one are not fitted.
_HOPELESS = 3.0
#: Moves of one peak that are tried, one after the other, and the fall of the deviance that one must bring.
_MOVES, _WORTH = 3, 6.0
#: A start reached the optimum when all its centers lie within this share of a width.
_SAME = 0.3


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found.

    Attributes
    ----------
    solution : Solution
    starts : ndarray of shape (R, p)
        Parameters at the end of the start-up.
    deviances : ndarray of shape (R,)
        Deviances there.
    chosen : ndarray of bool of shape (R,)
        Which were fitted to the end.
    hits : int
        Starts that had come to the optimum.
    """

    solution: Solution
    starts: Array
    deviances: Array
    chosen: NDArray[np.bool_]
    hits: int


def n_starts_of(n_init: int | str, n_peaks: int) -> int:
    """Number of starts: 20 up to four peaks, 40 above; one without peaks.

    Examples
    --------
    >>> n_starts_of("auto", 3), n_starts_of("auto", 5), n_starts_of(7, 3)
    (20, 40, 7)
    """
    if n_peaks == 0:
        return 1
    return (20 if n_peaks <= 4 else 40) if n_init == "auto" else int(n_init)


def search(
    problem: PeakProblem,
    n_starts: int,
    seed: np.random.SeedSequence,
    *,
    given: Array | None = None,
    n_threads: int = 1,
    moves: int = _MOVES,
) -> Search:
    """Fit a problem.

    Parameters
    ----------
    problem : PeakProblem
    n_starts : int
    seed : SeedSequence
        Start r uses child r only.
    given : ndarray of shape (R, p), optional
        Parameters to start the fits from; nothing is drawn then.
    n_threads : int
        Threads that share the starts; the result has the same bits for any number.
    moves : int
        Peaks moved at most.

    Returns
    -------
    Search

    Notes
    -----
    The start-up runs on merged channels as long as the narrowest peak that the curvature shows has four of
    them: the time goes with the number of channels, the basins do not.
    """
    start = StartModel.of(problem) if problem.n_peaks or given is None else None
    if given is not None:
        return _from_given(problem, np.atleast_2d(given))
    assert start is not None
    if problem.n_peaks == 0:
        return _from_given(problem, _background_only(problem, start))
    drawn = drawn_starts(start, n_starts, seed)
    narrowest = float(drawn[0, 1 : 4 * problem.n_peaks : 4].min())
    coarse = start.coarse(narrowest)
    rows, falls = coarse.run(drawn, _FIRST, n_threads)
    best = choose_distinct(rows, falls, problem.n_peaks, _N_BEST)
    fine = start if coarse.operator is None else coarse
    better, left = coarse.run(rows[best], _MORE, n_threads)
    if len(better):
        left = np.where(np.isfinite(left), left, np.inf)
        kept = left <= _HOPELESS * left.min()
        best, better = best[kept], better[kept]
    else:
        better = rows[:1]
    model = _model_for(problem, better)
    solution = problem.solve(model, start.to_theta(better))
    for _ in range(moves):
        needed = _WORTH * (solution.dispersion if problem.kernel == "gaussian" else 1.0)
        moved = _moved(problem, fine, solution)
        if moved is None or not moved.deviance < solution.deviance - needed:
            break
        solution = moved
    solution = problem.settled(solution)
    theta = start.to_theta(rows)
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[best] = True
    hits = _hits(problem.roster, theta, solution)
    return Search(solution, theta, problem.deviances(solution.model, theta), chosen, hits)


# --- pieces ------------------------------------------------------------------------------------------


def _from_given(problem: PeakProblem, theta: Array) -> Search:
    """Fits from parameters that are known."""
    roster, narrowest, line = problem.roster, None, None
    if problem.n_peaks:
        narrowest = min(_width(roster, k, row) for row in theta for k in range(problem.n_peaks))
        line = _main_line(roster, theta[0])
    model = problem.model(problem.grid(narrowest), line)
    solution = problem.settled(problem.solve(model, theta))
    deviances = problem.deviances(solution.model, theta)
    hits = _hits(roster, theta, solution)
    return Search(solution, theta, deviances, np.ones(len(theta), dtype=bool), hits)


def _background_only(problem: PeakProblem, start: StartModel) -> Array:
    """Start of a background without peaks: the mean level."""
    level = max(float(start.counts.sum()) / max(float(np.abs(start.basis).sum()), 1e-300), 0.0)
    size = len(start.basis) + (start.step is not None)
    return start.to_theta(np.full((1, size), level))


def _model_for(problem: PeakProblem, rows: Array):
    """Model on channels that suit the narrowest peak of the best start."""
    n_peaks = problem.n_peaks
    blocks = rows[0, : 4 * n_peaks].reshape(n_peaks, 4)
    main = float(blocks[np.argmax(blocks[:, 2] + blocks[:, 3]), 0])
    return problem.model(problem.grid(float(blocks[:, 1].min())), main)


def _main_line(roster: Roster, theta: Array) -> float:
    """Position of the peak with the largest area."""
    areas = [
        theta[roster.rows(k, ("area", "area_gauss", "area_lorentz"))].sum() for k in range(len(roster.shapes))
    ]
    return float(theta[roster.firsts[int(np.argmax(areas))]])


def drawn_starts(start: StartModel, n_starts: int, seed: np.random.SeedSequence) -> Array:
    """Starts; peaks with a place of their own are put there, tied ones beside those they follow."""
    problem, pooled = start.problem, start.pooled
    n_peaks, roster = problem.n_peaks, problem.roster
    window = (float(start.grid.edges[0]), float(start.grid.edges[-1]))
    leads = [pooled.position_of[k] == k and k not in roster.relations for k in range(n_peaks)]
    boxed = [leads[k] and tuple(start.positions[k]) != window for k in range(n_peaks)]
    free = [k for k in range(n_peaks) if leads[k] and not boxed[k]]
    lows, highs = (tuple(pair[side] for pair in start.widths) for side in (0, 1))
    common = (
        None if None in lows else min(lows), None if None in highs else max(highs),
    )  # fmt: skip
    basis = start.basis if len(start.basis) else None
    some = free if free else [0]
    drawn = draw_starts(
        start.grid, start.counts, len(some), n_starts, seed, common, basis=basis, shirley=start.step,
        kinds=start.kinds[some], weights=start.weights,
    )  # fmt: skip
    if len(free) == n_peaks:
        return drawn
    n_free = len(some)
    rows = np.empty((n_starts, 4 * n_peaks + drawn.shape[1] - 4 * n_free))
    rows[:, 4 * n_peaks :] = drawn[:, 4 * n_free :]
    blocks = rows[:, : 4 * n_peaks].reshape(n_starts, n_peaks, 4)
    found = drawn[:, : 4 * n_free].reshape(n_starts, n_free, 4)
    blocks[:, free] = found[:, : len(free)]
    for k in range(n_peaks):
        if boxed[k]:
            _put_in_box(start, k, blocks, found, seed)
    for k in range(n_peaks):
        if not leads[k]:
            _put_beside(start, k, blocks)
    for k in range(n_peaks):
        low, high = start.widths[k]
        blocks[:, k, 1] = np.clip(blocks[:, k, 1], low or 0.0, np.inf if high is None else high)
    return rows


def _put_in_box(
    start: StartModel, peak: int, blocks: Array, found: Array, seed: np.random.SeedSequence
) -> None:
    """The highest channel of the box first, then anywhere in it."""
    low, high = start.positions[peak]
    inside = (start.grid.axis >= low) & (start.grid.axis <= high) & (start.weights > 0)
    here = np.flatnonzero(inside)
    key = (*seed.spawn_key, 2**20 + peak)
    draw = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=key)).random(len(blocks))
    blocks[:, peak, 0] = low + draw * (high - low)
    top = start.grid.axis[here[np.argmax(start.counts[here])]] if len(here) else 0.5 * (low + high)
    blocks[0, peak, 0] = np.clip(top, low, high)
    blocks[:, peak, 1] = np.exp(np.log(found[:, :, 1]).mean(axis=1))
    area = found[:, :, 2:].sum(axis=2).mean(axis=1)
    share = {0: 0.0, 1: 1.0, 2: 0.5}[int(start.kinds[peak])]
    blocks[:, peak, 2], blocks[:, peak, 3] = area * (1 - share), area * share


def _put_beside(start: StartModel, peak: int, blocks: Array) -> None:
    """Where its ties, or its doublet, put it."""
    pooled, roster = start.pooled, start.problem.roster
    doublet = roster.relations.get(peak)
    if doublet is None:
        leader, shift = pooled.position_of[peak], pooled.shift[peak]
        width, area = pooled.width_ratio[peak], pooled.area_ratio[peak]
    else:
        leader, shift = roster.parents[peak], doublet.splitting
        width, area = doublet.width_ratio, doublet.ratio
    blocks[:, peak, 0] = blocks[:, leader, 0] + shift
    blocks[:, peak, 1] = blocks[:, leader, 1] * width
    blocks[:, peak, 2:] = blocks[:, leader, 2:] * area
    if start.kinds[peak] < 2:
        total = blocks[:, peak, 2] + blocks[:, peak, 3]
        blocks[:, peak, 2:] = 0.0
        blocks[:, peak, 2 + int(start.kinds[peak])] = total


def _moved(problem: PeakProblem, fine: StartModel, solution: Solution) -> Solution | None:
    """The least significant peak put where most counts are missing, and fitted again; None if pointless."""
    model, theta = solution.model, solution.theta
    row = fine.from_theta(model, theta)
    contents, rest = model.components(theta), model.background_at(theta)
    if fine.grid.n_channels != model.grid.n_channels:  # merged channels
        firsts = np.searchsorted(model.grid.edges[:-1], fine.grid.edges[:-1])
        contents, rest = np.add.reduceat(contents, firsts, axis=1), np.add.reduceat(rest, firsts)
    rest = np.maximum(rest - problem.offset + fine.lift, 0.0)
    known = problem.kernel == "poisson" and not problem.checked.estimate_dispersion
    proposals = split_and_move(
        fine.grid,
        fine.counts,
        row,
        problem.n_peaks,
        contents * fine.scale,
        rest * fine.scale,
        least_fall=_WORTH if known else None,
        weights=fine.weights,
    )
    if not len(proposals):
        return None
    rows, _ = fine.run(proposals, _FIRST)
    return problem.solve(model, fine.to_theta(rows))


def _hits(roster: Roster, theta: Array, solution: Solution) -> int:
    """Starts whose centers are those of the solution."""
    if not roster.shapes:
        return len(theta)
    firsts = list(roster.firsts[:-1])
    best = solution.theta
    widths = np.array([_width(roster, k, best) for k in range(len(firsts))])
    positions, order = theta[:, firsts], np.argsort(best[firsts], kind="stable")
    if len(roster.alike) == len(firsts):
        positions = np.sort(positions, axis=1)
        gaps = np.abs(positions - best[firsts][order]) / widths[order]
    else:
        gaps = np.abs(positions - best[firsts]) / widths
    return int((gaps < _SAME).all(axis=1).sum())


def _width(roster: Roster, peak: int, theta: Array) -> float:
    """Full width of one peak, roughly."""
    own = theta[roster.firsts[peak] : roster.firsts[peak + 1]]
    names = roster.shapes[peak].parameters
    return float(
        max(sum(WIDTHS.get(name, 0.0) * value for name, value in zip(names, own, strict=True)), 1e-300)
    )
