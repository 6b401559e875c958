"""From the numbers of a fit to its record: order of peaks, errors, limits, curves, notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks.bound_notes import bound_notes
from sozai.spectra.peaks.fit_errors import ONE_SIDED, profile_interval
from sozai.spectra.peaks.fit_quality import (
    background_notes,
    deviance_p_value,
    model_notes,
    peak_notes,
    runs_p_value,
    support_notes,
    too_close,
)
from sozai.spectra.peaks.multi_start import Search
from sozai.spectra.peaks.peak_fit import Peak, PeakFit, StartTable
from sozai.spectra.peaks.peak_names import WIDTHS, Roster
from sozai.spectra.peaks.peak_problem import STATUS, PeakProblem, Solution
from sozai.spectra.peaks.shape_description import describe_peak

__all__ = ["ordered", "output_order", "record_of"]

Array = NDArray[np.float64]

_SEEN = ("position", "fwhm", "area", "height", "lorentz_fraction")
#: Areas of fewer errors than this are not supported.
_SUPPORT = 3.0


def ordered(roster: Roster, names: tuple[str, ...], theta: Array) -> NDArray[np.int64]:
    """Permutation of parameters that puts peaks which nothing tells apart in ascending position.

    Parameters
    ----------
    roster : Roster
    names : tuple of str
    theta : ndarray of shape (p,)

    Returns
    -------
    ndarray of int of shape (p,)
    """
    order = np.arange(len(names))
    slots = roster.alike
    positions = [theta[roster.firsts[k]] for k in slots]
    if positions == sorted(positions):
        return order
    by_position = sorted(slots, key=lambda k: theta[roster.firsts[k]])
    for slot, source in zip(slots, by_position, strict=True):
        here, there = (slice(roster.firsts[k], roster.firsts[k + 1]) for k in (slot, source))
        order[here] = np.arange(len(names))[there]
        step, other = (f"background.step[{roster.labels[k]}]" for k in (slot, source))
        if step in names:
            order[names.index(step)] = names.index(other)
    return order


def output_order(roster: Roster, theta: Array) -> list[int]:
    """Peaks by position; those that follow another come after it."""
    heads = [k for k in range(len(roster.shapes)) if roster.parents[k] == k]
    heads.sort(key=lambda k: theta[roster.firsts[k]])
    result: list[int] = []

    def add(peak: int) -> None:
        result.append(peak)
        for other in range(len(roster.shapes)):
            if other != peak and roster.parents[other] == peak:
                add(other)

    for head in heads:
        add(head)
    return result


def _sorted_starts(roster: Roster, rows: Array) -> Array:
    """Every start with its peaks in order; all at once where nothing tells any of them apart."""
    n_peaks = len(roster.shapes)
    if len(roster.alike) < n_peaks or any("background.step[" in name for name in roster.names):
        return np.array([row[ordered(roster, roster.names, row)] for row in rows])
    last = roster.firsts[-1]
    if last == 0:
        return rows
    blocks = rows[:, :last].reshape(len(rows), n_peaks, -1)
    order = np.argsort(blocks[:, :, 0], axis=1, kind="stable")
    blocks = np.take_along_axis(blocks, order[:, :, None], axis=1)
    return np.concatenate([blocks.reshape(len(rows), -1), rows[:, last:]], axis=1)


def sorted_solution(problem: PeakProblem, solution: Solution) -> Solution:
    """The same solution with its peaks in order."""
    fit = solution.fit
    order = ordered(problem.roster, problem.roster.names, solution.theta)
    if (order == np.arange(len(order))).all():
        return solution
    fisher = None if fit.fisher is None else fit.fisher[:, order][:, :, order]
    return replace(
        solution, fit=replace(fit, theta=fit.theta[:, order], at_bound=fit.at_bound[:, order], fisher=fisher)
    )


def record_of(
    problem: PeakProblem, found: Search, header: dict[str, Any], given: tuple[Array, Array]
) -> PeakFit:
    """Everything that a user is told, and what he must be warned of.

    Parameters
    ----------
    problem : PeakProblem
    found : Search
        Its solution sorted.
    header : dict
        Unit, label and the like.
    given : (ndarray, ndarray)
        Axis and counts in the user's order.
    """
    solution, roster = found.solution, problem.roster
    model, theta, order = solution.model, solution.theta, problem.checked.order
    score = problem.score(solution)
    covariance = solution.covariance(score=score)
    whole = covariance if score is None else solution.covariance(None, score)
    sequence = output_order(roster, theta)
    window = (float(model.grid.edges[0]), float(model.grid.edges[-1]))
    limits = _limits(problem, solution)
    peaks = _peaks(problem, solution, covariance, whole, limits, window)
    peaks = [peaks[k] for k in sequence]
    floors = _floors(model, theta, roster)
    alarms = peak_notes(peaks, window, floors, roster.labels)
    mean = model.expected(theta)
    parts = model.components(theta)[sequence]
    rest = mean - problem.offset - parts.sum(axis=0)
    alarms += background_notes(model.grid.axis, rest, float(np.abs(mean).max()))
    residuals = _residuals(problem, solution, mean)
    p_value, runs, dof = _p_value(problem, solution, mean), runs_p_value(residuals), int(solution.fit.dof[0])
    doubts = model_notes(p_value, runs, solution.deviance, dof)
    walls = bound_notes(model, theta, limits, floors)
    notes = (*problem.checked.notes, *alarms, *support_notes(peaks), *walls, *doubts)
    n_table = len(roster.names) - (problem.offset > 0.0)
    errors = np.sqrt(np.diagonal(covariance))
    first = model.n_peak_parameters
    starts = _sorted_starts(roster, found.starts)
    dispersion = _dispersion(problem, solution, residuals)
    status = STATUS.get(int(solution.fit.status[0]), "numerical")
    record = PeakFit(
        peaks=tuple(peaks),
        background={
            name.partition(".")[2]: (float(value), float(error))
            for name, value, error in list(zip(roster.names, theta, errors, strict=True))[first:n_table]
        },
        axis=given[0], counts=given[1], expected=(mean - problem.offset)[order], background_curve=rest[order],
        components=parts[:, order], residuals=residuals[order], mask=_mask(problem, given[1]),
        deviance=solution.deviance, dof=dof, p_value=p_value,
        runs_p_value=runs, dispersion=dispersion, converged=status == "converged",
        status=status, n_iter=int(solution.fit.n_iter[0]), n_free=model.n_free,
        minus_two_log_likelihood=solution.minus_two_log_likelihood, optimum_hits=found.hits,
        n_starts=len(found.deviances),
        start_table=StartTable(roster.names[:n_table], starts[:, :n_table], found.deviances, found.chosen),
        theta=theta[:n_table].copy(), covariance=covariance[:n_table, :n_table], notes=notes, **header,
    )  # fmt: skip
    return record, alarms


# --- pieces ------------------------------------------------------------------------------------------


def _mask(problem: PeakProblem, counts: Array) -> NDArray[np.bool_]:
    """Channels left out, in the user's order."""
    return (problem.checked.weights == 0.0)[problem.checked.order] | ~np.isfinite(counts)


def _residuals(problem: PeakProblem, solution: Solution, mean: Array) -> Array:
    """In standard deviations, NaN where masked."""
    weights = problem.checked.weights
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (mean if problem.kernel == "poisson" else 1.0) / weights
        if problem.kernel == "gaussian":
            variance = variance * solution.dispersion
        return np.where(weights > 0.0, (problem.y - mean) / np.sqrt(variance), np.nan)


def _dispersion(problem: PeakProblem, solution: Solution, residuals: Array) -> float:
    """Pearson's chi-square per degree of freedom, or the variance where it was not known."""
    noise = problem.checked.noise
    if problem.kernel == "gaussian" and getattr(noise, "sigma", None) is None:
        return float(solution.dispersion)
    return float(np.nansum(residuals**2) / max(int(solution.fit.dof[0]), 1))


def _p_value(problem: PeakProblem, solution: Solution, mean: Array) -> float:
    noise, weights = problem.checked.noise, problem.checked.weights
    dof = int(solution.fit.dof[0])
    if problem.kernel == "poisson":
        if problem.checked.estimate_dispersion:
            return float("nan")
        return deviance_p_value(solution.deviance, dof, (mean * weights)[weights > 0.0])
    if isinstance(noise, GaussianNoise) and noise.sigma is not None:
        return deviance_p_value(solution.deviance, dof)
    return float("nan")


def _peaks(
    problem: PeakProblem,
    solution: Solution,
    covariance: Array,
    whole: Array,
    limits: dict[int, float],
    window: tuple[float, float],
) -> list[Peak]:
    """Peaks in the order of the model; ``whole`` knows how far inside parameters on a bound may be."""
    roster, theta, tail = problem.roster, solution.theta, solution.model.grid.tail
    n_peaks = len(roster.shapes)
    seen: list[dict[str, float]] = [{} for _ in range(n_peaks)]
    for shape in dict.fromkeys(roster.shapes):  # all peaks of one shape at once
        same = [k for k in range(n_peaks) if roster.shapes[k] == shape]
        rows = np.array([np.arange(roster.firsts[k], roster.firsts[k + 1]) for k in same])
        blocks, held = whole[rows[:, :, None], rows[:, None, :]], np.isnan(np.diagonal(covariance)[rows])
        told = describe_peak(shape, theta[rows], blocks, tail=tail, window=window, held=held)
        for i, k in enumerate(same):
            seen[k] = {name: float(values[i]) for name, values in told.items()}
    close = {
        k
        for pair in too_close(*(np.array([one[n] for one in seen]) for n in ("position", "fwhm")))
        for k in pair
    }
    errors = np.sqrt(np.diagonal(covariance))
    return [
        _peak(problem, solution, k, seen[k], errors, limits, supported=k not in close) for k in range(n_peaks)
    ]


def _peak(
    problem: PeakProblem,
    solution: Solution,
    k: int,
    seen: dict[str, float],
    errors: Array,
    limits: dict[int, float],
    *,
    supported: bool,
) -> Peak:
    roster = problem.roster
    rows = range(roster.firsts[k], roster.firsts[k + 1])
    names = roster.shapes[k].parameters
    values = {name: seen[name] for name in _SEEN} | {f"{name}_error": seen[f"{name}_error"] for name in _SEEN}
    if np.isnan(seen["lorentz_fraction"]) and not {"area_gauss"} & set(names):
        values["lorentz_fraction"] = values["lorentz_fraction_error"] = None  # type: ignore[assignment]
    area, error = seen["area"], seen["area_error"]
    strong = area > 0.0 and not area < _SUPPORT * error  # without an error nothing is said
    return Peak(
        label=roster.labels[k],
        maximum=seen["maximum"],
        parameters={name: float(solution.theta[i]) for name, i in zip(names, rows, strict=True)},
        errors={name: float(errors[i]) for name, i in zip(names, rows, strict=True)},
        at_bound=bool(solution.fit.at_bound[0, rows.start : rows.stop].any()),
        limits={name: limits[i] for name, i in zip(names, rows, strict=True) if i in limits},
        supported=supported and bool(strong),
        **values,
    )


def _limits(problem: PeakProblem, solution: Solution) -> dict[int, float]:
    """One-sided limits of parameters on a bound, by their place; tied ones share one profile."""
    model, fit = solution.model, solution.fit
    found: dict[int, float] = {}
    columns: dict[int, tuple[float, float]] = {}
    if int(fit.status[0]) != 0:
        return found
    free = model.free_of(solution.theta)
    for i in np.flatnonzero(fit.at_bound[0][: model.n_peak_parameters]):
        (own,) = np.nonzero(model.T[i])
        if own.size != 1:
            continue
        j, factor, constant = int(own[0]), model.T[i, own[0]], model.t0[i]
        if j not in columns:
            low, high = profile_interval(
                model, problem.y, solution.theta, model.names[i], ONE_SIDED, noise=problem.kernel,
                weights=solution.weights, dispersion=_scale_of(solution, problem),
            )  # fmt: skip
            ends = sorted(((low - constant) / factor, (high - constant) / factor))
            columns[j] = (ends[0], ends[1])
        ends_u = columns[j]
        far = ends_u[1] if abs(free[j] - ends_u[0]) <= abs(free[j] - ends_u[1]) else ends_u[0]
        found[int(i)] = float(factor * far + constant)
    return found


def _scale_of(solution: Solution, problem: PeakProblem) -> float:
    """What a rise of the weighted deviance by one is worth."""
    df = getattr(problem.checked.noise, "df", None)
    return solution.dispersion if df is None else solution.dispersion * (df + 1) / (df + 3)


def _floors(model: Any, theta: Array, roster: Roster) -> dict[str, float]:
    """Peaks whose width is on its lower bound."""
    found = {}
    for k, label in enumerate(roster.labels):
        for name in ("fwhm", "half_width"):
            for i in roster.rows(k, (name,)):
                low = model.lower[i]
                if model.T[i].any() and low > 0.0 and theta[i] <= low * (1 + 1e-9):
                    found[label] = float(low * WIDTHS[name])
    return found
