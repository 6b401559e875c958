"""From the settings of a mixture and a survey of the counts to the model of a pixel."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.noise import GaussianNoise, Noise, PoissonNoise, as_noise
from sozai.spectra.peaks.background import as_background
from sozai.spectra.peaks.map_fit import MapModel
from sozai.spectra.peaks.map_number import gain_of_more, sample_of, sample_scores
from sozai.spectra.peaks.map_source import MapSource, Survey
from sozai.spectra.peaks.map_template import find_template, group_means
from sozai.spectra.peaks.multi_start import n_starts_of, search
from sozai.spectra.peaks.peak_problem import PeakProblem, with_offset
from sozai.spectra.spectrum_checks import CheckedSpectrum, SpectrumWarning

__all__ = ["MapNoise", "choose_noise", "reference_of"]

Array = NDArray[np.float64]

#: Numbers of peaks tried in vain, one after another, that end the search.
_IN_VAIN = 2
#: A larger template must lower the criterion of all neighborhoods together by more.
_WORTH = 10.0
_NUMBER = 2**30


@dataclass(frozen=True)
class MapNoise:
    """Noise of a map, and how it was chosen."""

    noise: Noise
    unknown_gain: bool
    notes: tuple[str, ...]


def choose_noise(wanted: Any, source: MapSource, survey: Survey, *, place: str) -> MapNoise:
    """Noise as asked for, as the map says, or as the counts look.

    Raises
    ------
    InputError
        For negative counts where Poisson noise was asked for.

    Warns
    -----
    SpectrumWarning
        For negative counts, and counts per second without a dwell time.
    """
    cube, negative = source.cube, survey.negative
    asked = as_noise(wanted, place=place)
    if negative is not None:
        pixel, channel, value = negative
        where = f"at pixel {source.named_pixel(pixel)}, {source.axis[channel]:.6g} on the axis"
        if isinstance(asked, PoissonNoise):
            raise InputError(
                sentence(
                    place, "counts", "be >= 0 for PoissonNoise", value, at=where,
                    remedy="Pass noise=GaussianNoise() or subtract no dark level before fitting.",
                )
            )  # fmt: skip
        if asked is None and (cube.noise is None or isinstance(cube.noise, PoissonNoise)):
            text = (
                f"{place}: some counts are negative, the first {value:.6g} {where}; Gaussian noise assumed."
            )
            warnings.warn(text, SpectrumWarning, stacklevel=4)
            return MapNoise(GaussianNoise(), False, (text,))
    noise = asked if asked is not None else cube.noise
    if noise is not None:
        return MapNoise(noise, False, ())
    if cube.counts_unit == "counts/s":
        if cube.dwell:
            gain = 1.0 / (cube.dwell * (cube.sweeps or 1))
            text = f"Counts per second; one count is {gain:.6g} counts/s, from the dwell time."
            return MapNoise(PoissonNoise(gain=gain), False, (text,))
        text = (
            f"{place}: counts per second without a known dwell time; Poisson noise assumed, the size of one "
            "count is estimated from the residuals. Pass dwell= or noise=PoissonNoise(gain=...)."
        )
        warnings.warn(text, SpectrumWarning, stacklevel=4)
        return MapNoise(PoissonNoise(), True, (text,))
    if survey.whole:
        return MapNoise(
            PoissonNoise(), False, ("The counts are whole numbers >= 0, so Poisson noise is assumed.",)
        )
    return MapNoise(
        GaussianNoise(), False, ("The counts are not whole numbers, so Gaussian noise is assumed.",)
    )


def reference_of(
    mixture: Any,
    n_components: tuple[int, int],
    source: MapSource,
    survey: Survey,
    noise: MapNoise,
    seed: tuple[int, ...],
) -> MapModel:
    """Model and template of a map.

    Parameters
    ----------
    mixture : PeakMixture
    n_components : (int, int)
        Fewest and most; between them as many as some neighborhoods want, see
        :mod:`~sozai.spectra.peaks.map_number`.
    source : MapSource
        With its noise.
    survey : Survey
    noise : MapNoise
    seed : tuple of int

    Returns
    -------
    MapModel
        With template and solutions.

    Notes
    -----
    The number of peaks grows as long as BIC, summed over small neighborhoods of which each takes the best
    number so far, falls by more than 10. Sums of many pixels would not do: where a peak drifts, its sum is
    none of the line shapes, and several peaks describe it better.
    """
    means, numbers, groups = group_means(survey.cells, survey.numbers, seed)
    means = means + source.offset
    weights = source.weights * source.repeats * numbers[:, None]
    fewest, most = n_components
    best = _reference(mixture, fewest, source, means, weights, noise, seed)
    if fewest == most:
        return best
    sample = sample_of(source, survey, groups)
    score, in_vain = sample_scores(best, sample), 0
    for k in range(fewest + 1, most + 1):
        if 4 * k + 1 >= len(source.axis) or in_vain == _IN_VAIN:
            break
        found = _reference(mixture, k, source, means, weights, noise, seed)
        own = sample_scores(found, sample)
        if gain_of_more(score, own) > _WORTH:
            best, score, in_vain = found, np.minimum(score, own), 0
        else:
            in_vain += 1
    return best


def _reference(
    mixture: Any,
    n_peaks: int,
    source: MapSource,
    means: Array,
    weights: Array,
    noise: MapNoise,
    seed: tuple[int, ...],
) -> MapModel:
    """Template of a number of peaks."""
    problem = _problem(mixture, n_peaks, source, means[0], noise)
    model = problem.model(problem.grid(None), _main_line(problem))
    if len(source.axis) <= model.n_free:
        raise InputError(
            f"{source.place}: there must be more channels than free parameters. "
            f"Got n = {len(source.axis)} channels (n_features = {len(source.axis)}) for p = {model.n_free} "
            "parameters. Widen the range or use a smaller model."
        )
    nothing = np.zeros((0, model.n_parameters))
    base = np.clip(np.where(np.isfinite(model.lower), model.lower, 0.0), model.lower, model.upper)
    base = model.theta_of(
        np.clip(model.free_of(_plain_start(model, base)), model.free_lower, model.free_upper)
    )
    setup = MapModel(
        model, noise.noise, base, 1.0, nothing, np.ones(0), seed, noise.unknown_gain, int(mixture.max_iter),
        float(mixture.tol), tuple(mixture.width_range),
    )  # fmt: skip

    def blind(counts: Array, index: int) -> Array:
        checked = replace(problem.checked, counts=counts - problem.offset, weights=weights[index])
        mean = replace(problem, checked=checked, y=counts)
        root = np.random.SeedSequence(seed, spawn_key=(_NUMBER + index,))
        return search(mean, n_starts_of(mixture.n_init, n_peaks), root).solution.theta

    return find_template(setup, means, weights, blind)


def _problem(mixture: Any, n_peaks: int, source: MapSource, mean: Array, noise: MapNoise) -> PeakProblem:
    """The peaks wanted, on the channels of the map."""
    options = {
        "labels": mixture.labels, "ties": mixture.ties, "bounds": mixture.bounds,
        "fixed": mixture.fixed, "width_range": mixture.width_range, "place": source.place,
    }  # fmt: skip
    background = as_background(mixture.background, place=source.place)
    background, roster, offset = with_offset(background, noise.noise, n_peaks, mixture.shape, options)
    checked = CheckedSpectrum(
        source.axis, mean - offset, source.weights * source.repeats, np.arange(len(mean)), noise.noise,
        source.cube.tail, noise.unknown_gain, np.zeros(0, dtype=np.intp), noise.notes,
    )  # fmt: skip
    integration = mixture.integration
    return PeakProblem(
        checked, background, roster, mean, offset, integration, int(mixture.max_iter), float(mixture.tol)
    )


def _main_line(problem: PeakProblem) -> float | None:
    """Where the mean spectrum is highest."""
    return float(problem.checked.axis[int(np.argmax(problem.checked.counts))]) if problem.n_peaks else None


def _plain_start(model: Any, base: Array) -> Array:
    """Defaults of the shapes and of backgrounds that blind starts do not know."""
    theta = base.copy()
    grid = model.grid
    middle, width = float(np.mean(grid.axis)), 0.1 * float(grid.edges[-1] - grid.edges[0])
    for k, shape in enumerate(model.shapes):
        theta[model.block(k)] = shape.start(middle, width, 1.0, 0.5)
    program = model.program
    theta[program.basis_rows] = np.where(theta[program.basis_rows] > 0, theta[program.basis_rows], 0.0)
    for first in program.exponential_firsts:
        theta[first], theta[first + 1] = 1.0, 1.0 / float(grid.edges[-1] - grid.edges[0])
    if program.shirley_first >= 0:
        n_steps = len(model.shapes) if program.shirley_per_peak else 1
        theta[program.shirley_first : program.shirley_first + n_steps] = 0.01 / width
    for i, name in enumerate(model.names[model.n_peak_parameters :], start=model.n_peak_parameters):
        parameter = name.rpartition(".")[2]
        part = next((p for p in model.background.parts if parameter in p.parameters(model.labels)), None)
        value = getattr(part, parameter, None)
        if program.loss_first >= 0 and i >= program.loss_first and isinstance(value, int | float):
            theta[i] = float(value)
    return theta
