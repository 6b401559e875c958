"""One spectrum and the peaks wanted from it: data for the likelihood, models on its channels, their fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.noise import GaussianNoise, Noise, PoissonNoise, RobustNoise
from sozai.spectra.peaks.background import Background, Constant, Sum
from sozai.spectra.peaks.compiled_model import CompiledModel, compile_model
from sozai.spectra.peaks.fit_errors import covariance_of
from sozai.spectra.peaks.grid import COARSE, Grid
from sozai.spectra.peaks.likelihood_fit import CONVERGED, MAX_ITER, FitBatch, fit_spectra
from sozai.spectra.peaks.parameter_box import LEAST_CHANNELS
from sozai.spectra.peaks.peak_names import WIDTHS, Roster, make_roster
from sozai.spectra.spectrum_checks import CheckedSpectrum

__all__ = ["STATUS", "PeakProblem", "Solution", "free_count", "with_offset"]

Array = NDArray[np.float64]

#: Times that outliers are weighed anew, and the change of their scale that ends it.
_REWEIGHTINGS, _SETTLED = 100, 1e-7


def with_offset(
    background: Background, noise: Noise | None, n_peaks: int, shape: Any, options: dict[str, Any]
) -> tuple[Background, Roster, float]:
    """Background, peaks by name, and the constant that read-out noise adds; it is held.

    Parameters
    ----------
    background : Background
    noise : Noise or None
    n_peaks, shape, options
        For :func:`~sozai.spectra.peaks.peak_names.make_roster`.
    """
    offset = noise.offset if isinstance(noise, PoissonNoise) else 0.0
    if offset > 0.0:
        background = Sum((*background.parts, Constant()))
        name = f"background.{background.parameters(('',) * n_peaks)[-1]}"
        options = {**options, "fixed": {**(options["fixed"] or {}), name: offset}}
    return background, make_roster(n_peaks, shape, background, **options), offset


@dataclass(frozen=True, eq=False)
class Solution:
    """One fit of a problem, with what its errors need.

    Attributes
    ----------
    model : CompiledModel
    fit : FitBatch
        Of one spectrum.
    weights : ndarray of shape (n,)
        Of the channels at the end; those of outliers are small under robust noise.
    dispersion : float
        Factor of all variances.
    minus_two_log_likelihood : float
        Up to a constant of the data.
    """

    model: CompiledModel
    fit: FitBatch
    weights: Array
    dispersion: float
    minus_two_log_likelihood: float

    @property
    def theta(self) -> Array:
        """Parameters."""
        return np.asarray(self.fit.theta[0])

    @property
    def deviance(self) -> float:
        """Deviance without penalty."""
        return float(self.fit.deviance[0])

    def covariance(self, on_bound: float | None = np.nan, score: Array | None = None) -> Array:
        """Covariance of the parameters, see :func:`~sozai.spectra.peaks.fit_errors.covariance_of`."""
        return covariance_of(self.model, self.fit, dispersion=self.dispersion, on_bound=on_bound, score=score)


@dataclass(frozen=True, eq=False)
class PeakProblem:
    """Everything that is known before the first guess.

    Attributes
    ----------
    checked : CheckedSpectrum
    background : Background
        With the constant of read-out noise as its last part, if there is any.
    roster : Roster
    y : ndarray of shape (n,)
        Data plus ``offset``.
    offset : float
    integration : str
    max_iter : int
    tol : float
    """

    checked: CheckedSpectrum
    background: Background
    roster: Roster
    y: Array
    offset: float
    integration: str
    max_iter: int
    tol: float

    @property
    def kernel(self) -> str:
        """``"poisson"`` or ``"gaussian"``."""
        return self.checked.noise.kernel

    @property
    def n_peaks(self) -> int:
        """K."""
        return len(self.roster.shapes)

    def grid(self, narrowest: float | None) -> Grid:
        """Channels; integrated over where peaks are narrow."""
        return Grid.of(self.checked.axis, self.integration, narrowest, self.checked.tail)

    def model(self, grid: Grid, main_line: float | None = None) -> CompiledModel:
        """Peaks and background on a grid."""
        roster = self.roster
        model = compile_model(
            roster.shapes, self.background, grid, labels=roster.labels, ties=roster.table,
            bounds=self._bounds(grid), counts=self.checked.counts, main_line=main_line,
        )  # fmt: skip
        if self.offset == 0.0:
            return model
        basis = model.program.basis.copy()  # read-out noise is one per channel, however wide it is
        basis[-1] = 1.0
        return replace(model, program=model.program._replace(basis=basis))

    def _bounds(self, grid: Grid) -> dict[str, tuple[float | None, float | None]]:
        """Bounds of the user; a width that has only one keeps the usual other."""
        narrow, wide = (
            LEAST_CHANNELS * grid.typical_width,
            2.0 * float(grid.edges[-1] - grid.edges[0]),
        )
        found = dict(self.roster.bounds)
        for name, (low, high) in found.items():
            parameter = name.rpartition(".")[2]
            if parameter in WIDTHS:
                least = 0.0 if parameter.startswith("fwhm_") else narrow / WIDTHS[parameter]
                found[name] = (max(low or 0.0, least), wide / WIDTHS[parameter] if high is None else high)
                if found[name][0] > found[name][1]:
                    raise InputError(
                        sentence("PeakMixture.fit", "bounds",
                                 f"allow {parameter} of {least:.6g}, 1.5 channels", high, at=f"for {name!r}",
                                 remedy="Raise the upper bound.")
                    )  # fmt: skip
        return found

    # --- fits --------------------------------------------------------------------------------------

    def deviances(self, model: CompiledModel, theta: Array) -> Array:
        """Deviance of every row of parameters as it stands, shape (R,)."""
        counts = np.broadcast_to(self.y, (len(theta), len(self.y)))
        fit = fit_spectra(
            model,
            counts,
            theta,
            noise=self.kernel,
            weights=self.checked.weights,
            max_iter=0,
            want_fisher=False,
        )
        return fit.deviance

    def solve(self, model: CompiledModel, theta: Array) -> Solution:
        """Best fit from several starts, shape (R, p)."""
        rows = np.atleast_2d(theta)
        if isinstance(self.checked.noise, RobustNoise):
            found = [self._solve_robust(model, row) for row in rows]
            return min(found, key=lambda one: one.minus_two_log_likelihood)
        counts = np.broadcast_to(self.y, (len(rows), len(self.y)))
        weights = self.checked.weights
        fit = fit_spectra(
            model, counts, rows, noise=self.kernel, weights=weights, max_iter=self.max_iter, tol=self.tol
        )
        value = np.where(np.isfinite(fit.deviance), fit.deviance, np.inf)
        best = int(np.argmin(value))
        return self._judged(model, _row(fit, best), weights)

    def _judged(self, model: CompiledModel, fit: FitBatch, weights: Array) -> Solution:
        """Size of the errors, and the likelihood."""
        deviance, dof = float(fit.deviance[0]), max(int(fit.dof[0]), 1)
        dispersion, objective = 1.0, deviance
        noise = self.checked.noise
        if isinstance(noise, GaussianNoise) and noise.sigma is None:
            n_used = int(np.count_nonzero(weights))
            dispersion, objective = deviance / dof, n_used * float(np.log(max(deviance / n_used, 1e-300)))
        elif self.checked.estimate_dispersion:
            mean = np.maximum(model.expected(fit.theta[0]), 1e-300)
            dispersion = float((weights * (self.y - mean) ** 2 / mean).sum()) / dof
        return Solution(model, fit, weights, dispersion, objective)

    def _solve_robust(self, model: CompiledModel, theta: Array) -> Solution:
        """Student's t by reweighting: every residual gets the weight that the last fit gave it."""
        noise, base = self.checked.noise, self.checked.weights
        assert isinstance(noise, RobustNoise)
        used, n_iter, status = base > 0, 0, MAX_ITER
        rest = self.y - model.expected(theta)
        scale = 1.4826 * float(np.median(np.abs(rest[used]))) or float(np.abs(rest[used]).max()) or 1e-300
        fit = None
        for _ in range(_REWEIGHTINGS):
            weights = base * noise.reweight(rest * np.sqrt(base) / scale)
            fit = fit_spectra(
                model, self.y, theta, noise="gaussian", weights=weights, max_iter=self.max_iter, tol=self.tol
            )
            theta, n_iter = fit.theta[0], n_iter + int(fit.n_iter[0])
            rest = self.y - model.expected(theta)
            last, scale = scale, max(float(np.sqrt((weights * rest**2).sum() / used.sum())), 1e-300)
            if abs(scale - last) <= _SETTLED * scale:
                status = int(fit.status[0])
                break
        assert fit is not None
        excess = (noise.df + 1) * float(np.log1p(base * rest**2 / (noise.df * scale**2)).sum())
        plain = fit_spectra(model, self.y, theta, noise="gaussian", weights=base, max_iter=0)
        fit = replace(
            fit, deviance=np.array([excess]), fisher=plain.fisher, n_iter=np.array([n_iter]),
            status=np.array([status], dtype=np.int8),
        )  # fmt: skip
        objective = excess + 2.0 * float(used.sum()) * float(np.log(scale))
        spread = scale**2 * (noise.df + 3) / (noise.df + 1)  # inverse information of Student's t
        return Solution(model, fit, weights, spread, objective)

    def score(self, solution: Solution) -> Array | None:
        """Slope of the log-likelihood at a solution with a parameter on a bound, shape (p,); else None.

        It is 0 under noise with outliers: such a parameter then counts as free.
        """
        if not solution.fit.at_bound.any():
            return None
        if isinstance(self.checked.noise, RobustNoise):
            return np.zeros_like(solution.theta)
        mean = solution.model.expected(solution.theta)
        pull = np.where(solution.weights > 0.0, solution.weights * (self.y - mean), 0.0)
        if self.kernel == "poisson":
            pull = pull / np.maximum(mean, 1e-300)
        return np.asarray(solution.model.jacobian(solution.theta) @ pull)

    def settled(self, solution: Solution) -> Solution:
        """The same fit, integrated over channels if its narrowest peak turned out to need it."""
        model = solution.model
        if model.grid.mode or self.integration != "auto" or not self.n_peaks:
            return solution
        if float(model.grid.width.max()) <= COARSE * self.narrowest(model, solution.theta) * 1.001:
            return solution
        finer = replace(model.grid, mode=1)
        again = self.model(finer, self.main_line(model, solution.theta))
        return self.solve(again, solution.theta)

    def narrowest(self, model: CompiledModel, theta: Array) -> float:
        """Least full width at half maximum, roughly."""
        widths = [
            sum(
                WIDTHS.get(name, 0.0) * value
                for name, value in zip(shape.parameters, theta[model.block(k)], strict=True)
            )
            for k, shape in enumerate(model.shapes)
        ]
        return float(max(min(widths), 1e-300))

    def main_line(self, model: CompiledModel, theta: Array) -> float | None:
        """Position of the peak with the largest area."""
        if not self.n_peaks:
            return None
        areas = [
            theta[self.roster.rows(k, ("area", "area_gauss", "area_lorentz"))].sum()
            for k in range(self.n_peaks)
        ]
        return float(theta[model.block(int(np.argmax(areas)))][0])


def _row(fit: FitBatch, index: int) -> FitBatch:
    """One row of a batch."""
    here = slice(index, index + 1)
    fisher = None if fit.fisher is None else fit.fisher[here]
    return replace(
        fit, theta=fit.theta[here], deviance=fit.deviance[here], status=fit.status[here],
        n_iter=fit.n_iter[here], fisher=fisher, at_bound=fit.at_bound[here], dof=fit.dof[here],
    )  # fmt: skip


def free_count(roster: Roster, background: Background) -> int:
    """Free parameters before any data are seen."""
    n = len(roster.names) if roster.table is None else len(roster.table.free_names)
    return n - len(background.held)


STATUS = {CONVERGED: "converged", MAX_ITER: "max_iter"}
"""How a fit ended, in words; everything else is ``"numerical"``."""
