"""The published route: expectation-maximization of a Gaussian mixture from many starts, nothing after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.background import Constant, NoBackground
from sozai.spectra.peaks.expectation import gaussian_em
from sozai.spectra.peaks.likelihood_fit import CONVERGED, MAX_ITER
from sozai.spectra.peaks.multi_start import Search, drawn_starts
from sozai.spectra.peaks.peak_problem import PeakProblem
from sozai.spectra.peaks.start_model import StartModel

__all__ = ["search_published"]

_SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))
#: Iterations per iteration of a likelihood fit: 3000 for the default of 100.
_PER_STEP = 30


def check_published(problem: PeakProblem) -> bool:
    """Whether a uniform background joins.

    Raises
    ------
    InputError
        For anything but Gaussian peaks, at most a constant background, and neither ties nor masks.
    """
    place = "PeakMixture.fit"
    background = problem.background
    if any(shape.code != 0 for shape in problem.roster.shapes) or not problem.n_peaks:
        raise InputError(
            sentence(place, "shape", "be Gaussian for method='em', with at least one peak",
                     remedy="Use method='em-lm' for everything else.")
        )  # fmt: skip
    if not isinstance(background, Constant | NoBackground):
        raise InputError(
            sentence(place, "background", "be Constant or NoBackground for method='em'", background,
                     remedy="Use method='em-lm' for everything else.")
        )  # fmt: skip
    if problem.roster.table is not None or problem.roster.bounds:
        raise InputError(
            sentence(place, "ties, bounds and fixed", "be empty for method='em'",
                     remedy="Use method='em-lm' for everything else.")
        )  # fmt: skip
    return isinstance(background, Constant)


def search_published(problem: PeakProblem, n_starts: int, seed: np.random.SeedSequence) -> Search:
    """Run the published iteration from every start and keep the largest likelihood.

    Parameters
    ----------
    problem : PeakProblem
        Gaussian peaks, constant background or none.
    n_starts : int
    seed : SeedSequence

    Returns
    -------
    Search
        Without information: no errors.
    """
    uniform = check_published(problem)
    n_peaks = problem.n_peaks
    start = StartModel.of(problem)
    rows = drawn_starts(start, n_starts, seed)
    used = problem.checked.weights > 0.0
    axis, counts = problem.checked.axis[used], np.maximum(problem.y[used], 0.0)
    total, span = float(counts.sum()), float(axis[-1] - axis[0])
    grid = problem.grid(float(rows[0, 1 : 4 * n_peaks : 4].min()))
    theta, best, likelihoods = np.empty((n_starts, len(problem.roster.names))), 0, np.empty(n_starts)
    status, n_iter = CONVERGED, 0
    for r, row in enumerate(rows):
        blocks = row[: 4 * n_peaks].reshape(n_peaks, 4)
        shares = blocks[:, 2] / blocks[:, 2].sum()
        weights = np.append(0.8 * shares, 0.2) if uniform else shares
        found = gaussian_em(
            axis, counts, blocks[:, 0], blocks[:, 1] * _SIGMA, weights, uniform=uniform, tol=problem.tol,
            max_iter=_PER_STEP * problem.max_iter,
        )  # fmt: skip
        peaks = np.column_stack([found.means, found.sigmas / _SIGMA, total * found.weights[:n_peaks]])
        level = [total * found.weights[-1] * float(grid.width.mean()) / span] if uniform else []
        theta[r] = np.concatenate([peaks.ravel(), level])
        likelihoods[r] = found.log_likelihoods[-1]
        if r == 0 or likelihoods[r] > likelihoods[best]:
            best, n_iter = r, found.n_iter
            status = MAX_ITER if found.n_iter >= _PER_STEP * problem.max_iter else CONVERGED
    model = problem.model(grid)
    held = replace(problem, max_iter=0)
    solution = held.solve(model, theta[best : best + 1])
    chosen_row = theta[best : best + 1]
    fit = replace(
        solution.fit, theta=chosen_row, fisher=np.zeros_like(solution.fit.fisher),
        status=np.array([status], dtype=np.int8), n_iter=np.array([n_iter]),
        at_bound=np.zeros_like(solution.fit.at_bound), deviance=problem.deviances(model, chosen_row),
    )  # fmt: skip
    gap = np.abs(likelihoods - likelihoods[best])
    hits = int((gap <= 1e-7 * abs(likelihoods[best])).sum())
    chosen = np.arange(n_starts) == best
    return Search(replace(solution, fit=fit), theta, problem.deviances(model, theta), chosen, hits)
