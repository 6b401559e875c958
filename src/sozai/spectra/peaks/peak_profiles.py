"""Intervals by profile likelihood of what the user sees: parameters, whole areas, Lorentz shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.fit_errors import profile_interval
from sozai.spectra.peaks.likelihood_fit import fit_spectra
from sozai.spectra.peaks.peak_problem import PeakProblem, Solution
from sozai.spectra.peaks.tie_expressions import Expression, Tie, of
from sozai.spectra.peaks.ties import TieTable, compile_ties

__all__ = ["profile_of"]

_TRIALS = 40


def profile_of(problem: PeakProblem, solution: Solution, name: str, delta: float) -> tuple[float, float]:
    """Interval in which the deviance rises by less than ``delta``.

    Parameters
    ----------
    problem : PeakProblem
    solution : Solution
    name : str
        ``"label.parameter"``, internal or ``area`` or ``lorentz_fraction``.
    delta : float

    Raises
    ------
    InputError
        For names that are unknown, fixed, or tied to several others.
    """
    roster, model = problem.roster, solution.model
    df = getattr(problem.checked.noise, "df", None)
    scale = solution.dispersion if df is None else solution.dispersion * (df + 1) / (df + 3)
    if name in roster.names:
        return profile_interval(
            model, problem.y, solution.theta, name, delta, noise=problem.kernel, weights=solution.weights,
            dispersion=scale,
        )  # fmt: skip
    label, _, quantity = name.rpartition(".")
    two = label in roster.labels and f"{label}.area_gauss" in roster.names
    if not two or quantity not in ("area", "lorentz_fraction"):
        known = [
            *roster.names,
            *(f"{one}.area" for one in roster.labels if f"{one}.area" not in roster.names),
        ]
        raise InputError(
            sentence("PeakMixture.profile", "name", f"be one of {', '.join(known)}", name,
                     remedy="Write it as 'label.parameter'.")
        )  # fmt: skip
    return _Constrained(problem, solution, label, quantity, scale).interval(delta)


class _Constrained:
    """Deviance with a whole area, or a share, held: an affine tie of the two parts."""

    def __init__(
        self, problem: PeakProblem, solution: Solution, label: str, quantity: str, scale: float
    ) -> None:
        names = problem.roster.names
        self.gauss, self.lorentz = f"{label}.area_gauss", f"{label}.area_lorentz"
        table = problem.roster.table
        if table is not None and not {self.gauss, self.lorentz} <= set(table.free_names):
            raise InputError(
                sentence("PeakMixture.profile", "name", "be free, not fixed or tied", f"{label}.{quantity}",
                         remedy="Profile another parameter.")
            )  # fmt: skip
        self.problem, self.solution, self.quantity, self.scale = problem, solution, quantity, scale
        theta = solution.theta
        a, b = (float(theta[names.index(one)]) for one in (self.gauss, self.lorentz))
        self.best = a + b if quantity == "area" else b / (a + b)
        rows = [names.index(self.gauss), names.index(self.lorentz)]
        block = solution.covariance(on_bound=0.0)[np.ix_(rows, rows)]
        slope = np.ones(2) if quantity == "area" else np.array([-b, a]) / (a + b) ** 2
        self.error = float(np.sqrt(max(slope @ block @ slope, 0.0))) or 0.05 * max(abs(self.best), 0.1)
        self.wall = (0.0, np.inf) if quantity == "area" else (0.0, 1.0)

    def _rise(self, value: float) -> float:
        """Rise of the deviance with the quantity held."""
        roster, solution = self.problem.roster, self.solution
        if self.quantity == "area":
            extra: list[Tie] = [Tie(self.lorentz, value - of(self.gauss))]
            held: dict[str, float] = {}
        elif value >= 1.0:
            extra, held = [], {self.gauss: 0.0}
        else:
            extra, held = [Tie(self.lorentz, value / (1.0 - value) * of(self.gauss))], {}
        ties = [*extra, *_as_ties(roster.table)]
        table = compile_ties(roster.names, ties, held)
        narrowed = replace(self.problem, roster=replace(roster, table=table))
        model = narrowed.model(solution.model.grid)
        fixed = replace(narrowed, checked=replace(self.problem.checked, weights=solution.weights))
        found = (
            fixed.solve(model, solution.theta) if self._plain() else _gaussian(fixed, model, solution.theta)
        )
        now = found.deviance if self._plain() else found
        then = solution.deviance if self._plain() else _gaussian(fixed, solution.model, solution.theta)
        return (now - then) / self.scale

    def _plain(self) -> bool:
        return not hasattr(self.problem.checked.noise, "df")

    def interval(self, delta: float) -> tuple[float, float]:
        """Both crossings."""
        ends = []
        for side, wall in zip((-1, 1), self.wall, strict=True):
            near, reach = self.best, self.error * np.sqrt(delta)
            for _ in range(_TRIALS):
                far = self.best + side * reach
                far = max(far, wall) if side < 0 else min(far, wall)
                if self._rise(far) >= delta:
                    ends.append(float(brentq(lambda x: self._rise(x) - delta, near, far, rtol=1e-6)))
                    break
                if far == wall:
                    ends.append(wall)
                    break
                near, reach = far, 2.0 * reach
            else:
                ends.append(side * np.inf)
        return ends[0], ends[1]


def _gaussian(problem: PeakProblem, model: CompiledModel, theta: NDArray[np.float64]) -> float:
    """Weighted sum of squares at its minimum, the weights of outliers held."""
    fit = fit_spectra(model, problem.y, theta, noise="gaussian", weights=problem.checked.weights)
    return float(fit.deviance[0])


def _as_ties(table: TieTable | None) -> list[Tie]:
    """Rows of a table that are not free, as ties."""
    if table is None:
        return []
    found = []
    for i, name in enumerate(table.names):
        if name in table.free_names:
            continue
        terms = tuple((table.free_names[j], float(table.T[i, j])) for j in np.flatnonzero(table.T[i]))
        found.append(Tie(name, Expression(terms, float(table.t0[i]))))
    return found
