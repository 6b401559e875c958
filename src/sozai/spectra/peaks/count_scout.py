"""One spectrum, checked once, and what the search for the number of its peaks builds from it."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from sozai.contracts.checks import as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.tables import counted
from sozai.spectra.peaks.background import as_background
from sozai.spectra.peaks.count_criteria import AnnealedDirichlet, Criterion, Evidence
from sozai.spectra.peaks.count_path import CountPath, Level
from sozai.spectra.peaks.dirichlet import annealed_paths
from sozai.spectra.peaks.fit_report import record_of, sorted_solution
from sozai.spectra.peaks.fitted_curves import as_spectrum
from sozai.spectra.peaks.mixture import PeakMixture
from sozai.spectra.peaks.multi_start import drawn_starts, n_starts_of
from sozai.spectra.peaks.peak_evidence import PeakPosterior, sample_posteriors
from sozai.spectra.peaks.peak_fit import PeakFit
from sozai.spectra.peaks.peak_problem import PeakProblem, free_count, with_offset
from sozai.spectra.peaks.start_model import StartModel
from sozai.spectra.spectrum import Spectrum

__all__ = ["CountScout"]

Array = NDArray[np.float64]

_PLACE = "select_n_components"
#: Streams of annealing and of replica exchange, beside those of the fits.
_ANNEALING, _LADDERS = 2**20, 2**21


class CountScout:
    """The spectrum, checked once, and what is built from it for every number of peaks."""

    def __init__(
        self, spectrum: Spectrum, mixture: PeakMixture, first: PeakProblem, numbers: list[int]
    ) -> None:
        self.spectrum, self.mixture, self.first, self.numbers = spectrum, mixture, first, numbers
        self.notes: list[str] = []
        self.seed = _root_of(mixture.random_state)

    @classmethod
    def of(cls, axis: Any, counts: Any, mask: Any, options: dict[str, Any], numbers: list[int]) -> CountScout:
        """Check options and data."""
        if "method" in options:
            what = "not hold 'method': fits are by likelihood"
            raise InputError(sentence(_PLACE, "options", what, options["method"], remedy="Leave it out."))
        mixture = PeakMixture(numbers[0], **options)
        mixture._validate_params()
        if isinstance(mixture.shape, list | tuple):
            raise InputError(
                sentence(
                    _PLACE, "shape", "be one shape for all peaks", mixture.shape, remedy="Pass one shape."
                )
            )
        spectrum = as_spectrum(axis, counts, mask)
        first = mixture._problem(spectrum)
        if first.integration == "auto":
            first = replace(first, integration="bin")
        scout = cls(spectrum, mixture, first, list(range(numbers[0], numbers[-1] + 1)))
        scout._leave_out_too_large()
        return scout

    def _leave_out_too_large(self) -> None:
        """Numbers with more parameters than channels."""
        used = int(np.count_nonzero(self.first.checked.weights))
        fits = []
        for k in self.numbers:
            problem = self.problem(k)
            if free_count(problem.roster, problem.background) >= used:
                self.notes.append(
                    f"{counted(k, 'peak')} and more have as many parameters as the {used} channels or more: "
                    "left out."
                )
                break
            fits.append(k)
        self.numbers = fits

    def problem(self, n_peaks: int) -> PeakProblem:
        """The problem with a number of peaks."""
        mixture, first = self.mixture, self.first
        labels = mixture.labels
        options = {
            "labels": None if labels is None else list(labels)[:n_peaks], "ties": mixture.ties,
            "bounds": mixture.bounds, "fixed": mixture.fixed, "width_range": mixture.width_range,
            "place": _PLACE,
        }  # fmt: skip
        known = first.checked.noise if first.offset > 0.0 else None
        background = as_background(mixture.background, place=_PLACE)
        whole, roster, _ = with_offset(background, known, n_peaks, mixture.shape, options)
        return replace(first, background=whole, roster=roster)

    @property
    def n_threads(self) -> int:
        """Threads."""
        return int(joblib.effective_n_jobs(self.mixture.n_jobs))

    def path(self, rule: Criterion) -> CountPath:
        """Path of fits, blind or along the annealing."""
        starts_for = None
        if isinstance(rule, AnnealedDirichlet):
            met = self._annealed(rule)
            starts_for = met.get
        seed, mixture = self.seed, self.mixture
        return CountPath(
            self.problem, lambda k: n_starts_of(mixture.n_init, k), seed, self.n_threads,
            None if starts_for is None else lambda problem: starts_for(problem.n_peaks),
        )  # fmt: skip

    def _annealed(self, rule: AnnealedDirichlet) -> dict[int, Array]:
        """Starts for every number of peaks met on the way from hot to cold."""
        most = max(rule.n_max, self.numbers[-1], 1)
        if rule.alpha is not None and np.ndim(rule.alpha) and rule.n_max < most:
            what = f"have {most} entries, one for each of the most peaks asked for"
            raise InputError(sentence("AnnealedDirichlet", "alpha", what, len(rule.alpha)))
        problem = self.problem(most)
        if problem.roster.table is not None and problem.offset == 0.0:
            raise InputError(
                sentence(_PLACE, "criterion", "not be AnnealedDirichlet where peaks are tied or fixed", rule,
                         remedy="Use criterion=BIC().")
            )  # fmt: skip
        start = StartModel.of(problem)
        child = np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, _ANNEALING))
        rows = drawn_starts(start, rule.n_runs, child)
        d = len(problem.roster.shapes[0].parameters) - 1
        alpha = rule.alphas(most, d)
        least = max(self.numbers[0], 1)
        runs = [annealed_paths(start, row, alpha, rule.n_temperatures, least) for row in rows]
        met: dict[int, Array] = {}
        for k in self.numbers:
            found = [run[k] for run in runs if k in run]
            if found and k:
                met[k] = StartModel.of(self.problem(k)).to_theta(np.array(found))
        return met

    def posteriors(self, path: CountPath, kept: list[int], rule: Evidence) -> dict[int, PeakPosterior]:
        """Replica exchange for every number of peaks."""
        tasks = {}
        for k in kept:
            level = path.levels[k]
            child = np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, _LADDERS + k))
            tasks[k] = level.problem, level.solution, child
        return sample_posteriors(tasks, rule, self.n_threads)

    def record(self, level: Level) -> PeakFit:
        """What a user is told about one fit."""
        problem = level.problem
        found = replace(level.search, solution=sorted_solution(problem, level.solution))
        spectrum, parts = self.spectrum, as_background(self.mixture.background).parts
        header = {
            "unit": spectrum.unit, "axis_kind": spectrum.axis_kind, "counts_unit": spectrum.counts_unit,
            "shape": ", ".join(dict.fromkeys(type(one).__name__ for one in problem.roster.shapes)),
            "background_name": " + ".join(type(one).__name__ for one in parts),
            "noise_name": repr(problem.checked.noise), "label": spectrum.label, "source": spectrum.source,
        }  # fmt: skip
        return record_of(problem, found, header, (spectrum.axis, spectrum.counts))[0]


def _root_of(random_state: Any) -> np.random.SeedSequence:
    """Root of all streams; no seed is seed 0."""
    if random_state is None or isinstance(random_state, Integral):
        return np.random.SeedSequence(0 if random_state is None else int(random_state))
    return np.random.SeedSequence(int(as_generator(random_state).integers(2**63)))
