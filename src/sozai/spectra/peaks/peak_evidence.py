"""Evidence of a number of peaks and samples of its posterior, by replica exchange on a unit cube."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, logsumexp, xlogy

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.numerics.tempered_evidence import log_ratios, ratio_error, split_r_hat
from sozai.spectra.noise import GaussianNoise, RobustNoise
from sozai.spectra.peaks.background import Exponential, Shirley, Tougaard
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.count_criteria import Evidence
from sozai.spectra.peaks.evidence_kernels import Ladder, Scene, run_ladder
from sozai.spectra.peaks.likelihood_sums import GAUSSIAN, POISSON, prepare_counts
from sozai.spectra.peaks.peak_problem import PeakProblem, Solution

__all__ = ["PeakPosterior", "sample_posterior"]

Array = NDArray[np.float64]

#: R-hat above which ladders disagree; exchange rate below which replicas do not travel.
DISAGREE, STUCK = 1.05, 0.1
#: Shares of the burn-in after which the ladder is spaced anew.
_STAGES = (0.1, 0.25, 0.45)
#: From this many channels on a peak is taken at their centers: its height is wrong by 0.231/400 then.
_CHANNELS = 20.0
#: The ladder of an unknown noise reaches this many times the precision of the best fit.
_BEYOND = 3.0


@dataclass(frozen=True, eq=False, repr=False)
class PeakPosterior:
    """What replica exchange says about one number of peaks.

    Attributes
    ----------
    names : tuple of str
        ``"peak 1.position"``, ... and ``"background.level"``; peaks by position in every sample.
    samples : ndarray of shape (n_samples, d)
        Of the posterior, ladder after ladder.
    log_evidence, log_evidence_error : float
        ln Z and its standard error. For Poisson counts and known σ it is that of the data themselves.
    forward, reverse : float
        Stepping-stone estimates from the lower and the upper β of every pair; far from each other, they
        say that neighbors hardly overlap.
    beta : ndarray of shape (L,)
    exchange_rates : ndarray of shape (L - 1,)
    acceptance : ndarray of shape (L, d)
        Of the moves; NaN at β = 0, where every sample is drawn anew.
    r_hat : ndarray of shape (d,)
        Of the posterior; 1 where ladders agree.
    sigma : float or None
        Gaussian noise of unknown size: where the free energy is least; None otherwise.
    residual_ratio : float or None
        Mean residual sum of squares over n σ² there; 1 where all is well.

    Examples
    --------
    >>> posterior = PeakPosterior(
    ...     ("peak 1.position",), np.arange(101.0)[:, None], -3.0, 0.1, -3.1, -2.9, np.array([0.0, 1.0]),
    ...     np.array([0.5]), np.array([[np.nan], [0.4]]), np.ones(1),
    ... )
    >>> posterior, posterior.interval("peak 1.position", 0.5)
    (PeakPosterior(101 samples, ln Z = -3.000 ± 0.100, R-hat 1.000), (25.0, 75.0))
    """

    names: tuple[str, ...]
    samples: Array
    log_evidence: float
    log_evidence_error: float
    forward: float
    reverse: float
    beta: Array
    exchange_rates: Array
    acceptance: Array
    r_hat: Array
    sigma: float | None = None
    residual_ratio: float | None = None

    def __repr__(self) -> str:
        worst = float(self.r_hat.max()) if len(self.r_hat) else 1.0
        return (
            f"PeakPosterior({len(self.samples)} samples, ln Z = {self.log_evidence:.3f} ± "
            f"{self.log_evidence_error:.3f}, R-hat {worst:.3f})"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per sample."""
        return pd.DataFrame(self.samples, columns=list(self.names))

    def interval(self, name: str, level: float = 0.68) -> tuple[float, float]:
        """Central interval that holds a share of the samples.

        Raises
        ------
        InputError
            For an unknown name.
        """
        if name not in self.names:
            raise InputError(
                sentence("PeakPosterior.interval", "name", f"be one of {', '.join(self.names)}", name)
            )
        tail = 0.5 * (1.0 - level)
        low, high = np.quantile(self.samples[:, self.names.index(name)], [tail, 1.0 - tail])
        return float(low), float(high)


def sample_posterior(
    problem: PeakProblem,
    solution: Solution,
    settings: Evidence,
    seed: np.random.SeedSequence,
    n_threads: int = 1,
) -> PeakPosterior:
    r"""Evidence and posterior of one number of peaks.

    Parameters
    ----------
    problem : PeakProblem
        Peaks of one shape without ties, fixed values or bounds; a background linear in its coefficients.
    solution : Solution
        Its best fit, which tells the size of an unknown noise.
    settings : Evidence
    seed : SeedSequence
        Child c belongs to ladder c.
    n_threads : int
        Threads that share the ladders; the result has the same bits for any number.

    Returns
    -------
    PeakPosterior

    Raises
    ------
    InputError
        For models with a prior of another kind.

    Notes
    -----
    All coordinates are quantiles of the prior, so that this is the unit cube. At every β each coordinate
    makes one Metropolis step per sweep; its width is adapted to an acceptance of 0.44 in the burn-in only.
    A move of one peak computes that peak anew and adds the difference to the sum. Replicas at β = 0 are drawn
    anew in every sweep: all K! labelings are reached there, and the estimate needs no factor. (A run that
    stays in one labeling at every β would miss ln K!.) The ladder is geometric at first; three times in the
    burn-in it is spaced anew so that all neighbors refuse alike. ln Z is the sum of Bennett's ratios.

    Cost: n (K s + K + M) evaluations of one peak or row per replica and sweep, s shape parameters. Memory
    8 L n_sweeps d bytes.
    """
    prior = _Prior.of(problem, solution.model)
    scale = _precision(problem, solution)
    scene = prior.scene(problem, scale)
    run = _Run.open(scene, problem.n_peaks, settings, seed)
    n_sweeps = settings.n_sweeps // settings.n_ladders
    with ThreadPoolExecutor(max(1, min(n_threads, settings.n_ladders))) as pool:
        run.burn_in(pool, n_sweeps // 2)
        samples, energies = run.keep(pool, n_sweeps, settings.thin)
    return _report(prior, problem, run, samples, energies, scale)


# --- prior -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Prior:
    """Prior of the coordinates of one peak and of the background."""

    model: CompiledModel
    lowest: Array
    span: Array
    is_log: NDArray[np.bool_]
    has_share: bool
    mean_area: float
    mean_back: Array
    basis: Array
    code: int

    @classmethod
    def of(cls, problem: PeakProblem, model: CompiledModel) -> _Prior:
        """Boxes of the shape, and means of areas."""
        _require_symmetric(problem)
        used = problem.checked.weights > 0
        total = float(np.maximum(problem.y - problem.offset, 0.0)[used].sum())
        kept = [
            m
            for m in range(len(model.program.basis))
            if not (problem.offset > 0 and m == len(model.program.basis) - 1)
        ]
        basis = np.ascontiguousarray(model.program.basis[kept])
        mean = total / (problem.n_peaks + max(len(basis), 1))
        shape = problem.roster.shapes[0] if problem.n_peaks else None
        boxes = _boxes(problem, shape, model) if shape is not None else np.zeros((0, 3))
        per_unit = np.maximum((basis * used).sum(axis=1), 1e-300)
        return cls(
            model, boxes[:, 0].copy(), boxes[:, 1] - boxes[:, 0], boxes[:, 2] > 0,
            shape is not None and "area_gauss" in shape.parameters, mean, mean / per_unit, basis,
            0 if shape is None else shape.code,
        )  # fmt: skip

    def scene(self, problem: PeakProblem, scale: float) -> Scene:
        """Arrays for the compiled loop; weights times ``scale``."""
        checked, grid = problem.checked, self.model.grid
        weights = np.ascontiguousarray(checked.weights * scale)
        n = len(problem.y)
        y, inverse, empty = np.empty(n), np.empty(n), np.empty(n)
        floor = prepare_counts(np.ascontiguousarray(problem.y, dtype=np.float64), weights, y, inverse, empty)
        noise = POISSON if problem.kernel == "poisson" else GAUSSIAN
        basis, mean_back = self.basis, self.mean_back
        if problem.offset > 0.0:  # read-out noise is in the data and in the least expectation alike
            floor = max(floor, problem.offset)
        even = grid.is_even and grid.mode == 1
        wide = _CHANNELS * float(grid.width.max()) if even else np.inf
        return Scene(
            self.code, self.has_share, self.lowest, self.span, self.is_log, self.mean_area, mean_back,
            grid.axis, grid.edges, grid.width, grid.mode, grid.tail, wide, noise, y, inverse, empty, weights,
            floor, basis,
        )  # fmt: skip

    def natural(self, cube: Array, n_peaks: int) -> tuple[tuple[str, ...], Array]:
        """Names and values that a user knows, of points (..., d); peaks by position."""
        s = len(self.lowest)
        blocks = cube[..., : n_peaks * (s + 1)].reshape(*cube.shape[:-1], n_peaks, s + 1)
        values = np.empty_like(blocks)
        values[..., :s] = self.lowest + blocks[..., :s] * self.span
        values[..., :s] = np.where(
            self.is_log, np.exp(np.where(self.is_log, values[..., :s], 0.0)), values[..., :s]
        )
        values[..., s] = -self.mean_area * np.log1p(-np.minimum(blocks[..., s], 1.0 - 1e-15))
        if n_peaks:
            order = np.argsort(values[..., 0], axis=-1, kind="stable")
            values = np.take_along_axis(values, order[..., None], axis=-2)
        rest = -self.mean_back * np.log1p(-np.minimum(cube[..., n_peaks * (s + 1) :], 1.0 - 1e-15))
        labels = self.model.labels
        own = _coordinates(self.model.shapes[0].parameters) if n_peaks else ()
        names = [f"{label}.{name}" for label in labels for name in (*own, "area")]
        names += list(self.model.names[self.model.n_peak_parameters :][: rest.shape[-1]])
        flat = values.reshape(*cube.shape[:-1], n_peaks * (s + 1))
        return tuple(names), np.concatenate([flat, rest], axis=-1)


def _coordinates(parameters: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the coordinates of a shape without its area."""
    names = [name for name in parameters if name not in ("area", "area_gauss", "area_lorentz")]
    return (*names, "lorentz_fraction") if "area_gauss" in parameters else tuple(names)


def _boxes(problem: PeakProblem, shape: Any, model: CompiledModel) -> Array:
    """Lower end, upper end and whether logarithmic, of every coordinate of a peak."""
    grid = model.grid
    ends = (float(grid.edges[0]), float(grid.edges[-1]))
    low, high = 1.5 * float(np.median(grid.width)), 0.5 * (ends[1] - ends[0])
    wanted = problem.roster.bounds
    boxes = []
    for name in _coordinates(shape.parameters):
        given = wanted.get(f"{problem.roster.labels[0]}.{name}", (None, None))
        if name == "position":
            boxes.append((*ends, 0.0))
        elif name in ("fwhm", "half_width", "fwhm_gauss", "fwhm_lorentz"):
            factor = 0.5 if name == "half_width" else 1.0
            least, most = given[0] or low * factor, given[1] or high * factor
            boxes.append((np.log(least), np.log(max(most, least * 1.0001)), 1.0))
        elif name == "exponent":
            boxes.append((*np.log(shape.default_bounds["exponent"]), 1.0))
        elif name == "lorentz_fraction":
            boxes.append((0.0, 1.0, 0.0))
        else:
            pair = np.array(shape.default_bounds[name], dtype=np.float64)
            limit = 2.0 / np.sqrt(low * high)  # asymmetry in inverse units of the axis
            boxes.append((*np.where(np.isfinite(pair), pair, [-limit, limit]), 0.0))
    return np.array(boxes)


def _require_symmetric(problem: PeakProblem) -> None:
    """Refuse models whose prior would not be the one described."""
    roster = problem.roster
    place = "select_n_components"
    lines = {name.rpartition(".")[2] for name in roster.bounds} - {
        "fwhm",
        "half_width",
        "fwhm_gauss",
        "fwhm_lorentz",
    }
    tied = roster.table is not None and problem.offset == 0.0
    if tied or lines or len(roster.alike) != problem.n_peaks:
        raise InputError(
            sentence(place, "criterion", "be an information criterion with ties, fixed values or bounds",
                     "Evidence", remedy="Use criterion=BIC(), or only width_range.")
        )  # fmt: skip
    for part in problem.background.parts:
        signed = not getattr(part, "positive", True)
        if signed or isinstance(part, Exponential | Shirley | Tougaard):
            raise InputError(
                sentence(place, "background", "be linear in coefficients that are not negative for Evidence",
                     part,     remedy="Use criterion=BIC(), or StaticShirley() for a step.")
            )  # fmt: skip
    if isinstance(problem.checked.noise, RobustNoise):
        raise InputError(
            sentence(place, "noise", "be Poisson or Gaussian for Evidence", problem.checked.noise,
                     remedy="Mask the outliers, or use criterion=BIC().")
        )  # fmt: skip


def _precision(problem: PeakProblem, solution: Solution) -> float:
    """Factor of the weights: beyond 1/σ² of the best fit where σ is not known, else one."""
    noise = problem.checked.noise
    if not (isinstance(noise, GaussianNoise) and noise.sigma is None):
        return 1.0
    n_used = int(np.count_nonzero(problem.checked.weights))
    return _BEYOND * n_used / max(solution.deviance, 1e-300)


# --- ladders -------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Run:
    """C ladders that share their β."""

    scene: Scene
    ladders: list[Ladder]
    streams: list[np.random.Generator]
    beta: Array
    n_swept: int = 0

    @classmethod
    def open(cls, scene: Scene, n_peaks: int, settings: Evidence, seed: np.random.SeedSequence) -> _Run:
        """Draw first points; a geometric ladder from where the better half of the prior stands out."""
        L, C = settings.n_replicas, settings.n_ladders
        d = n_peaks * (len(scene.lowest) + 1) + len(scene.basis)
        ladders = [
            Ladder(
                np.arange(L), np.full((L, d), 0.5), np.zeros((L, n_peaks, len(scene.y))), np.zeros(L),
                np.full((L, d), 0.2), np.zeros((L, d)), np.zeros(L - 1),
            )
            for _ in range(C)
        ]  # fmt: skip
        streams = [
            np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, c)))
            for c in range(C)
        ]
        run = cls(scene, ladders, streams, np.zeros(L))
        prior = np.concatenate([run._advance(c, 16, 1, True)[1].ravel() for c in range(C)])  # all at β = 0
        spread = float(np.quantile(prior, 0.5) - np.quantile(prior, 0.05))
        lowest = min(0.1, 1.0 / spread) if spread > 0.0 else 0.1
        run.beta = np.concatenate([[0.0], np.geomspace(lowest, 1.0, L - 1)])
        run._forget()
        return run

    def _advance(self, c: int, n_sweeps: int, thin: int, adapt: bool) -> tuple[Array, Array]:
        """Sweeps of one ladder."""
        L, d = self.ladders[c].cube.shape
        samples, energies = np.empty((n_sweeps // thin, L, d)), np.empty((n_sweeps // thin, L))
        run_ladder(
            self.scene, self.ladders[c], self.beta, n_sweeps, self.n_swept, adapt, thin, self.streams[c],
            samples, energies,
        )  # fmt: skip
        return samples, energies

    def _all(self, pool: ThreadPoolExecutor, n_sweeps: int, thin: int, adapt: bool) -> tuple[Array, Array]:
        """Sweeps of all ladders: samples (C, n, L, d), energies (C, n, L)."""
        done = list(pool.map(lambda c: self._advance(c, n_sweeps, thin, adapt), range(len(self.ladders))))
        self.n_swept += n_sweeps
        return np.array([one[0] for one in done]), np.array([one[1] for one in done])

    def _forget(self) -> None:
        """Empty the books."""
        self.n_swept = 0
        for ladder in self.ladders:
            ladder.accepted[:] = 0.0
            ladder.exchanged[:] = 0.0

    def rates(self) -> Array:
        """Exchange rates of neighbors."""
        tried = np.array([(self.n_swept + 1 - low % 2) // 2 for low in range(len(self.beta) - 1)])
        total = sum(ladder.exchanged for ladder in self.ladders)
        return np.asarray(total / np.maximum(tried * len(self.ladders), 1))

    def acceptance(self) -> Array:
        """Acceptance of all moves."""
        share = sum(ladder.accepted for ladder in self.ladders) / (len(self.ladders) * max(self.n_swept, 1))
        share[0] = np.nan
        return np.asarray(share)

    def burn_in(self, pool: ThreadPoolExecutor, n_sweeps: int) -> None:
        """Adapt steps all the time, the ladder after some."""
        done = 0
        for share in _STAGES:
            until = max(int(share * n_sweeps), done + 8)
            self._all(pool, until - done, 1, True)
            self._respace()
            done = until
        self._all(pool, max(n_sweeps - done, 1), 1, True)
        self._forget()

    def _respace(self) -> None:
        """Space the ladder so that all neighbors refuse alike; steps and points go to the nearest β."""
        refused = np.clip(1.0 - self.rates(), 1e-3, 1.0)
        length = np.concatenate([[0.0], np.cumsum(refused)])
        wanted = np.linspace(0.0, length[-1], len(length))
        with np.errstate(divide="ignore"):
            beta = np.exp(np.interp(wanted, length[1:], np.log(self.beta[1:])))
        beta = np.where(wanted < length[1], self.beta[1] * wanted / length[1], beta)
        beta[0], beta[-1] = 0.0, 1.0
        for ladder in self.ladders:
            with np.errstate(divide="ignore"):
                here, there = np.log(np.maximum(beta, 1e-300)), np.log(np.maximum(self.beta, 1e-300))
            steps = [np.interp(here[1:], there[1:], np.log(column[1:])) for column in ladder.step.T]
            ladder.step[1:] = np.exp(np.array(steps).reshape(len(ladder.step.T), -1).T)
        self.beta = beta
        self._forget()

    def keep(self, pool: ThreadPoolExecutor, n_sweeps: int, thin: int) -> tuple[Array, Array]:
        """Sweeps that count: samples (L, C, n, d), energies (L, C, n)."""
        samples, energies = self._all(pool, n_sweeps, thin, False)
        return samples.transpose(2, 0, 1, 3), energies.transpose(2, 0, 1)


# --- report --------------------------------------------------------------------------------------------


def _report(
    prior: _Prior, problem: PeakProblem, run: _Run, samples: Array, energies: Array, scale: float
) -> PeakPosterior:
    """Evidence, its error, and the samples of the posterior."""
    gap = np.diff(run.beta)
    flat = energies.reshape(len(run.beta), -1)
    ratios = log_ratios(flat[:-1], flat[1:], gap)
    log_n = np.log(flat.shape[1])
    forward = float((logsumexp(-gap[:, None] * flat[:-1], axis=1) - log_n).sum())
    reverse = float((log_n - logsumexp(gap[:, None] * flat[1:], axis=1)).sum())
    partial = np.concatenate([[0.0], np.cumsum(ratios)])
    log_z, top, sigma, ratio = float(partial[-1]), len(run.beta) - 1, None, None
    noise = problem.checked.noise
    if isinstance(noise, GaussianNoise) and noise.sigma is None:
        log_z, beta, ratio = _least_free_energy(run.beta, partial, flat, problem, scale)
        top = int(np.argmin(np.abs(np.log(np.maximum(run.beta, 1e-300)) - np.log(beta))))
        sigma = float((beta * scale) ** -0.5)
    else:
        log_z += _saturated(problem)
    names, values = prior.natural(samples[top], problem.n_peaks)
    error = ratio_error(energies, gap)
    d = values.shape[-1]
    r_hat = split_r_hat(values[None])[0] if d else np.ones(0)
    return PeakPosterior(
        names, values.reshape(-1, d), log_z, error, forward, reverse, run.beta, run.rates(), run.acceptance(),
        r_hat, sigma, ratio,
    )  # fmt: skip


def _saturated(problem: PeakProblem) -> float:
    """Log-likelihood at a deviance of zero."""
    weights = problem.checked.weights
    used = weights > 0
    y, w = problem.y[used], weights[used]
    if problem.kernel == "gaussian":
        return float(0.5 * np.log(w / (2.0 * np.pi)).sum())
    counts = np.maximum(y * w, 0.0)
    return float((xlogy(counts, counts) - counts - gammaln(counts + 1.0)).sum())


def _least_free_energy(
    beta: Array, log_z: Array, energies: Array, problem: PeakProblem, scale: float
) -> tuple[float, float, float]:
    """−F at its least over b = β × scale, that β, and the mean residual sum of squares over n σ²."""
    weights = problem.checked.weights
    n_used = int(np.count_nonzero(weights))
    mean = energies[1:].mean(axis=1)
    x = np.log(beta[1:])
    curve = CubicHermiteSpline(x, log_z[1:], -beta[1:] * mean)
    squares = CubicHermiteSpline(x, mean, np.gradient(mean, x)) if len(x) > 1 else None

    def free_energy(at: float) -> float:
        return -float(curve(at)) - 0.5 * n_used * (at + np.log(scale / (2.0 * np.pi)))

    values = np.array([free_energy(at) for at in x])
    k = int(np.argmin(values))
    low, high = x[max(k - 1, 0)], x[min(k + 1, len(x) - 1)]
    best = float(
        minimize_scalar(free_energy, bounds=(low, high), method="bounded", options={"xatol": 1e-6}).x
    )
    constant = 0.5 * float(np.log(weights[weights > 0]).sum())
    ratio = 2.0 * float(np.exp(best) * squares(best)) / n_used if squares is not None else np.nan
    return -free_energy(best) + constant, float(np.exp(best)), ratio


def doubts(posterior: PeakPosterior, n_peaks: int) -> list[str]:
    """What is wrong with a run, in sentences; also warned of by the caller for the number that is chosen."""
    found = []
    if len(posterior.r_hat) and float(np.nanmax(posterior.r_hat)) > DISAGREE:
        worst = int(np.nanargmax(posterior.r_hat))
        found.append(
            f"With {n_peaks} peaks the ladders disagree on {posterior.names[worst]!r}, R-hat "
            f"{posterior.r_hat[worst]:.3f} > {DISAGREE}. Give more sweeps."
        )
    low = int(np.argmin(posterior.exchange_rates))
    if posterior.exchange_rates[low] < STUCK:
        found.append(
            f"With {n_peaks} peaks replicas {low} and {low + 1} exchange at a rate of "
            f"{posterior.exchange_rates[low]:.3f} < {STUCK}. Give more replicas."
        )
    return found


def warn_of(sentences: list[str], stacklevel: int = 3) -> None:
    """Warn of every doubt."""
    for one in sentences:
        warnings.warn(f"Evidence: {one}", ConvergenceWarning, stacklevel=stacklevel)
