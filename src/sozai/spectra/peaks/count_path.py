"""Fits with 0, 1, 2, ... peaks, started from their neighbors too: one peak more never fits worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.peaks.likelihood_fit import CONVERGED
from sozai.spectra.peaks.multi_start import Search, search
from sozai.spectra.peaks.peak_problem import PeakProblem, Solution
from sozai.spectra.peaks.start_model import StartModel
from sozai.spectra.peaks.starts import choose_distinct, split_and_move

__all__ = ["CountPath", "Level", "StartsFor"]

Array = NDArray[np.float64]
StartsFor = Callable[[PeakProblem], Array | None]

#: Iterations of the start-up of every proposal, and how many proposals are fitted to the end.
_EM, _N_FITTED = 30, 2
#: Steps of the likelihood fit of every proposal, and how far behind the best one is given up then.
_SHORT, _HOPELESS = 15, 5.0
#: A fall of the objective that is more than rounding, absolute and relative.
_FALL, _ROUNDING = 1e-6, 1e-9
#: Passes down and up the path at most.
_PASSES = 4
#: A peak that is split gives two at this many of its widths to either side of its center.
_APART = 0.3
_8LN2 = 8.0 * np.log(2.0)
_AREAS = ("area", "area_gauss", "area_lorentz")


@dataclass(frozen=True, eq=False)
class Level:
    """The best fit with one number of peaks.

    Attributes
    ----------
    problem : PeakProblem
    start : StartModel
        The same problem as the start-up sees it.
    search : Search
        With the best solution known by now.
    """

    problem: PeakProblem
    start: StartModel
    search: Search

    @property
    def solution(self) -> Solution:
        """Best solution."""
        return self.search.solution

    @property
    def objective(self) -> float:
        """Twice the negative log-likelihood, up to a constant of the data."""
        return self.solution.minus_two_log_likelihood

    @property
    def n_free(self) -> int:
        """Parameters that are fitted."""
        return self.solution.model.n_free

    def solve(self, theta: Array) -> Solution:
        """Best fit from rows of parameters, on the channels of the solution known.

        All rows go some steps; the best goes on unless it is far behind what is known.
        """
        problem, model = self.problem, self.solution.model
        short = replace(problem, max_iter=min(_SHORT, problem.max_iter)).solve(model, theta)
        behind = short.minus_two_log_likelihood - self.objective
        if int(short.fit.status[0]) == CONVERGED or behind > _HOPELESS * max(short.dispersion, 1.0):
            return short
        return problem.solve(model, short.theta[None])

    def better_of(self, other: Solution) -> Level:
        """Level with the better of its solution and another one.

        Blind starts did not come to a solution that a neighbor gave, so its hits are none.
        """
        fall = self.objective - other.minus_two_log_likelihood
        if not fall > 0.0:
            return self
        hits = self.search.hits if fall < 1e-3 * max(self.solution.dispersion, 1e-300) else 0
        return replace(self, search=replace(self.search, solution=other, hits=hits))


class CountPath:
    """Fits with every number of peaks from the least to the most.

    Parameters
    ----------
    problem_of : callable
        Problem with a number of peaks; all on the same integration over channels.
    n_starts_of : callable
        Number of blind starts for a number of peaks.
    seed : SeedSequence
        Child K seeds the starts of K peaks.
    n_threads : int
    starts_for : callable, optional
        Parameters (R, p) to start a problem from in the place of blind starts; None is no start.
    """

    def __init__(
        self,
        problem_of: Callable[[int], PeakProblem],
        n_starts_of: Callable[[int], int],
        seed: np.random.SeedSequence,
        n_threads: int = 1,
        starts_for: StartsFor | None = None,
    ) -> None:
        self.problem_of, self.n_starts_of, self.seed = problem_of, n_starts_of, seed
        self.n_threads, self.starts_for = n_threads, starts_for
        self.levels: dict[int, Level] = {}

    def climb(self, numbers: Iterable[int]) -> Iterator[Level]:
        """Fit one number of peaks after the other, until the caller stops asking."""
        for k in numbers:
            level = self._blind(k)
            if k - 1 in self.levels:
                level = level.better_of(solution_from_below(self.levels[k - 1], level))
            self.levels[k] = level
            yield level

    def settle(self) -> None:
        """Start every fit from its neighbors, until no fit with more peaks is worse than one with fewer."""
        numbers = sorted(self.levels)
        changed = set(numbers)
        for _ in range(_PASSES):
            moved = set()
            for k in reversed(numbers[:-1]):
                if k + 1 in changed | moved and self._improve(
                    k, solution_from_above(self.levels[k + 1], self.levels[k])
                ):
                    moved.add(k)
            for k in numbers[1:]:
                if k - 1 in moved and self._improve(
                    k, solution_from_below(self.levels[k - 1], self.levels[k])
                ):
                    moved.add(k)
            changed = moved
            if not changed:
                break
        self._require_descent(numbers)

    def _improve(self, k: int, proposal: Solution | None) -> bool:
        """Take a better solution; whether it was one."""
        if proposal is None:
            return False
        old = self.levels[k]
        self.levels[k] = old.better_of(proposal)
        return _falls(old.objective, self.levels[k].objective)

    def _blind(self, n_peaks: int) -> Level:
        problem = self.problem_of(n_peaks)
        child = np.random.SeedSequence(
            self.seed.entropy, spawn_key=(*self.seed.spawn_key, n_peaks), pool_size=self.seed.pool_size
        )
        given = None if self.starts_for is None or n_peaks == 0 else self.starts_for(problem)
        n_starts = self.n_starts_of(n_peaks)
        moves = 0 if n_peaks - 1 in self.levels else 1  # a neighbor proposes them
        short = replace(problem, max_iter=min(_SHORT, problem.max_iter))  # the best of them goes on
        found = search(short, n_starts, child, given=given, n_threads=self.n_threads, moves=moves)
        if int(found.solution.fit.status[0]) != CONVERGED:
            found = replace(found, solution=problem.solve(found.solution.model, found.solution.theta[None]))
        return Level(problem, StartModel.of(problem), found)

    def _require_descent(self, numbers: list[int]) -> None:
        """A model that contains another cannot fit worse."""
        for k in numbers[1:]:
            if k - 1 not in self.levels or not _nested(self.levels[k - 1], self.levels[k]):
                continue
            below, above = self.levels[k - 1].objective, self.levels[k].objective
            slack = max(1e-3, _ROUNDING * abs(below)) if np.isfinite(below) else 0.0
            assert not above > below + slack, f"{k} peaks fit worse ({above}) than {k - 1} ({below})"


def _falls(old: float, new: float) -> bool:
    return new < old - max(_FALL, _ROUNDING * abs(old))


def _nested(small: Level, big: Level) -> bool:
    """Whether the last peak of the larger model may vanish."""
    label = f"{big.problem.roster.labels[-1]}."
    table = big.problem.roster.table
    held = table is not None and any(
        name.startswith(label) and not table.T[i].any() for i, name in enumerate(big.problem.roster.names)
    )
    free = (len(big.problem.roster.shapes) - 1) in big.problem.roster.alike
    return free and not held and set(small.problem.roster.names) <= set(big.problem.roster.names)


# --- one peak more -------------------------------------------------------------------------------------


def solution_from_below(small: Level, big: Level) -> Solution:
    """Best fit that starts from the solution with one peak less.

    Proposals: a peak at the largest residual, every peak split in two, and a peak without area, which
    fits exactly as well as before.
    """
    old_row = small.start.from_theta(small.solution.model, small.solution.theta)
    rows = np.array([_inserted(small, old_row), *_splits(old_row, small.problem.n_peaks)])
    better, falls = big.start.run(rows, _EM)
    best = choose_distinct(better, falls, big.problem.n_peaks, _N_FITTED)
    found = big.solve(big.start.to_theta(better[best] if len(best) else rows[:1]))
    if min(found.minus_two_log_likelihood, big.objective) <= small.objective:
        return found
    same = _extended(small, big, big.start.to_theta(rows[:1])[0])
    nothing = same.copy()
    nothing[big.problem.roster.rows(big.problem.n_peaks - 1, _AREAS)] = 0.0
    return big.solve(np.array([same, nothing]))


def _inserted(small: Level, row: Array) -> Array:
    """Row of the start-up with a peak at the largest residual as its last."""
    problem, start = small.problem, small.start
    k, model, theta = problem.n_peaks, small.solution.model, small.solution.theta
    contents, rest = model.components(theta), model.background_at(theta)
    rest = np.maximum(rest - problem.offset + start.lift, 0.0)
    blocks = row[: 4 * k].reshape(k, 4)
    width = float(np.exp(np.log(blocks[:, 1]).mean())) if k else _width_of_residual(small)
    kind = int(start.kinds[-1]) if k else 2
    share = {0: (1.0, 0.0), 1: (0.0, 1.0), 2: (0.5, 0.5)}[kind]
    empty = np.array([float(start.grid.axis[0]), width, 1e-9 * share[0], 1e-9 * share[1]])
    longer = np.concatenate([row[: 4 * k], empty, row[4 * k :]])
    parts = np.concatenate([contents * start.scale, np.zeros((1, len(rest)))])
    return split_and_move(
        start.grid, start.counts, longer, k + 1, parts, rest * start.scale, weights=start.weights
    )[0]


def _width_of_residual(small: Level) -> float:
    """A twentieth of the window, where no peak tells the width."""
    grid = small.start.grid
    return max(0.05 * float(grid.edges[-1] - grid.edges[0]), 3.0 * float(np.median(grid.width)))


def _splits(row: Array, n_peaks: int) -> list[Array]:
    """Rows in which one peak has become two, 0.3 widths to either side and narrower."""
    made = []
    for k in range(n_peaks):
        longer = np.concatenate([row[: 4 * n_peaks], row[4 * k : 4 * k + 4], row[4 * n_peaks :]])
        here, there = longer[4 * k : 4 * k + 4], longer[4 * n_peaks : 4 * n_peaks + 4]
        shift = _APART * row[4 * k + 1]
        here[0], there[0] = row[4 * k] - shift, row[4 * k] + shift
        for half in (here, there):
            half[1] *= 0.75
            half[2:] *= 0.5
        made.append(longer)
    return made


def _extended(small: Level, big: Level, theta: Array) -> Array:
    """Parameters with all that is old exactly as it was, by name."""
    names = {name: i for i, name in enumerate(small.problem.roster.names)}
    old = small.solution.theta
    result = theta.copy()
    for i, name in enumerate(big.problem.roster.names):
        if name in names:
            result[i] = old[names[name]]
    return result


# --- one peak less -------------------------------------------------------------------------------------


def solution_from_above(big: Level, small: Level) -> Solution | None:
    """Best fit that starts from the solution with one peak more: two peaks merged, or one left out.

    None where ties leave no peak that could go.
    """
    rows = np.array(list(_reduced(big, small)))
    if not len(rows):
        return None
    if small.problem.n_peaks == 0:
        return small.solve(small.start.to_theta(rows))
    better, falls = small.start.run(rows, _EM)
    best = choose_distinct(better, falls, small.problem.n_peaks, _N_FITTED)
    best = best if len(best) else np.zeros(1, dtype=np.int64)
    return small.solve(small.start.to_theta(better[best]))


def _reduced(big: Level, small: Level) -> Iterator[Array]:
    """Rows of the start-up with one peak less."""
    k = big.problem.n_peaks
    row = big.start.from_theta(big.solution.model, big.solution.theta)
    blocks, rest = row[: 4 * k].reshape(k, 4), row[4 * k :]
    free = [j for j in range(k) if set(range(j, k)) <= set(big.problem.roster.alike)]
    if big.start.step is not None and len(rest) != len(small.start.basis) + 1:
        return
    for j in free:
        yield np.concatenate([np.delete(blocks, j, axis=0).ravel(), rest])
    order = sorted(free, key=lambda j: blocks[j, 0])
    for a, b in pairwise(order):
        one = blocks.copy()
        one[a] = _merged(blocks[a], blocks[b])
        yield np.concatenate([np.delete(one, b, axis=0).ravel(), rest])


def _merged(a: Array, b: Array) -> Array:
    """One peak with the counts, the center and the spread of two."""
    areas = np.array([a[2:].sum(), b[2:].sum()])
    share = areas / areas.sum() if areas.sum() > 0.0 else np.array([0.5, 0.5])
    center = share @ [a[0], b[0]]
    spread = share @ [a[1] ** 2 + _8LN2 * (a[0] - center) ** 2, b[1] ** 2 + _8LN2 * (b[0] - center) ** 2]
    return np.array([center, np.sqrt(spread), a[2] + b[2], a[3] + b[3]])
