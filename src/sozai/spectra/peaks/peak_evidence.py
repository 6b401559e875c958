"""Evidence of a number of peaks and samples of its posterior, by replica exchange on a unit cube."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, logsumexp, xlogy

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.numerics.tempered_evidence import log_ratios, ratio_error, split_r_hat
from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks.count_criteria import Evidence
from sozai.spectra.peaks.evidence_kernels import Ladder, Scene, run_ladder
from sozai.spectra.peaks.evidence_prior import EvidencePrior
from sozai.spectra.peaks.peak_problem import PeakProblem, Solution

__all__ = ["PeakPosterior", "sample_posterior", "sample_posteriors"]

Array = NDArray[np.float64]

#: R-hat above which ladders disagree; exchange rate below which replicas do not travel.
DISAGREE, STUCK = 1.05, 0.1
#: Shares of the burn-in after which the ladder is spaced anew.
_STAGES = (0.1, 0.25, 0.45)
#: Rounds of kept sweeps at most, and the least sweeps of one.
_ROUNDS, _LEAST = 8, 64
#: A number this far in ln Z and this many errors below the best makes no more sweeps.
_FAR, _ERRORS = 3.0, 4.0
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


def sample_posteriors(
    tasks: Mapping[int, tuple[PeakProblem, Solution, np.random.SeedSequence]],
    settings: Evidence,
    n_threads: int = 1,
) -> dict[int, PeakPosterior]:
    r"""Evidence and posterior of several numbers of peaks.

    Parameters
    ----------
    tasks : mapping of int to (PeakProblem, Solution, SeedSequence)
        For every number: peaks of one shape without ties, fixed values or bounds, a background linear in its
        coefficients; its best fit, which tells the size of an unknown noise; a seed, whose child c
        belongs to ladder c.
    settings : Evidence
    n_threads : int
        Threads that share the ladders; the result has the same bits for any number.

    Returns
    -------
    dict of int to PeakPosterior

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

    Sweeps are kept in eight rounds. After each one, a number whose ln Z is below the largest by more than 3
    and four errors of both makes no more sweeps, and when only one is left it makes no more either: what
    a hopeless number would have said more exactly changes no decision. One number alone makes all sweeps.

    Cost: n (K s + K + M) evaluations of one peak or row per replica and sweep, s shape parameters. Memory
    8 L n_sweeps d bytes for each number.
    """
    chains = {k: _Chain.open(problem, best, settings, seed) for k, (problem, best, seed) in tasks.items()}
    open_ones = set(chains)
    with ThreadPoolExecutor(max(1, min(n_threads, settings.n_ladders))) as pool:
        for chain in chains.values():
            chain.run.burn_in(pool, chain.n_sweeps // 2)
        for sweeps in _rounds(settings):
            for k in sorted(open_ones):
                chains[k].extend(pool, sweeps, settings.thin)
            if len(chains) > 1:
                open_ones &= _contenders(chains)
                if len(open_ones) < 2:
                    break
    return {k: chain.report() for k, chain in chains.items()}


def sample_posterior(
    problem: PeakProblem,
    solution: Solution,
    settings: Evidence,
    seed: np.random.SeedSequence,
    n_threads: int = 1,
) -> PeakPosterior:
    """Evidence and posterior of one number of peaks, with all sweeps.

    Parameters
    ----------
    problem : PeakProblem
    solution : Solution
    settings : Evidence
    seed : SeedSequence
    n_threads : int

    See Also
    --------
    sample_posteriors : Several numbers, and how.
    """
    return sample_posteriors({0: (problem, solution, seed)}, settings, n_threads)[0]


def _rounds(settings: Evidence) -> list[int]:
    """Sweeps of every round of one ladder: multiples of ``thin``, together all."""
    kept = settings.n_sweeps // settings.n_ladders // settings.thin
    parts = np.array_split(np.arange(kept), max(1, min(_ROUNDS, kept // _LEAST)))
    return [len(part) * settings.thin for part in parts]


def _contenders(chains: dict[int, _Chain]) -> set[int]:
    """Numbers that may still win."""
    told = {k: chain.log_evidence() for k, chain in chains.items()}
    best = max(told, key=lambda k: told[k][0])
    top, error = told[best]
    return {
        k for k, (value, own) in told.items() if value + _FAR + _ERRORS * float(np.hypot(own, error)) >= top
    }


@dataclass(eq=False)
class _Chain:
    """Ladders of one number of peaks, and what they have kept."""

    prior: EvidencePrior
    problem: PeakProblem
    run: _Run
    scale: float
    n_sweeps: int
    samples: list[Array]
    energies: list[Array]

    @classmethod
    def open(
        cls, problem: PeakProblem, solution: Solution, settings: Evidence, seed: np.random.SeedSequence
    ) -> _Chain:
        """Ladders with their first points."""
        prior = EvidencePrior.of(problem, solution.model)
        scale = _precision(problem, solution)
        run = _Run.open(prior.scene(problem, scale), problem.n_peaks, settings, seed)
        return cls(prior, problem, run, scale, settings.n_sweeps // settings.n_ladders, [], [])

    def extend(self, pool: ThreadPoolExecutor, n_sweeps: int, thin: int) -> None:
        """Keep some more sweeps."""
        samples, energies = self.run.keep(pool, n_sweeps, thin)
        self.samples.append(samples)
        self.energies.append(energies)

    def report(self) -> PeakPosterior:
        """What all sweeps say."""
        samples, energies = np.concatenate(self.samples, axis=2), np.concatenate(self.energies, axis=2)
        return _report(self.prior, self.problem, self.run, samples, energies, self.scale)

    def log_evidence(self) -> tuple[float, float]:
        """Estimate of ln Z and its error by now."""
        energies = np.concatenate(self.energies, axis=2)
        gap = np.diff(self.run.beta)
        flat = energies.reshape(len(self.run.beta), -1)
        partial = np.concatenate([[0.0], np.cumsum(log_ratios(flat[:-1], flat[1:], gap))])
        value, _, _ = _log_evidence(self.problem, self.run.beta, partial, flat, self.scale)
        return value, ratio_error(energies, gap)


# --- ladders ------------------------------------------------------------------------------------------


def _precision(problem: PeakProblem, solution: Solution) -> float:
    """Factor of the weights: beyond 1/σ² of the best fit where σ is not known, else one."""
    noise = problem.checked.noise
    if not (isinstance(noise, GaussianNoise) and noise.sigma is None):
        return 1.0
    n_used = int(np.count_nonzero(problem.checked.weights))
    return _BEYOND * n_used / max(solution.deviance, 1e-300)


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
    prior: EvidencePrior, problem: PeakProblem, run: _Run, samples: Array, energies: Array, scale: float
) -> PeakPosterior:
    """Evidence, its error, and the samples of the posterior."""
    gap = np.diff(run.beta)
    flat = energies.reshape(len(run.beta), -1)
    ratios = log_ratios(flat[:-1], flat[1:], gap)
    log_n = np.log(flat.shape[1])
    forward = float((logsumexp(-gap[:, None] * flat[:-1], axis=1) - log_n).sum())
    reverse = float((log_n - logsumexp(gap[:, None] * flat[1:], axis=1)).sum())
    partial = np.concatenate([[0.0], np.cumsum(ratios)])
    log_z, beta, ratio = _log_evidence(problem, run.beta, partial, flat, scale)
    top, sigma = len(run.beta) - 1, None
    if beta is not None:
        top = int(np.argmin(np.abs(np.log(np.maximum(run.beta, 1e-300)) - np.log(beta))))
        sigma = float((beta * scale) ** -0.5)
    names, values = prior.natural(samples[top], problem.n_peaks)
    error = ratio_error(energies, gap)
    d = values.shape[-1]
    r_hat = split_r_hat(values[None])[0] if d else np.ones(0)
    return PeakPosterior(
        names, values.reshape(-1, d), log_z, error, forward, reverse, run.beta, run.rates(), run.acceptance(),
        r_hat, sigma, ratio,
    )  # fmt: skip


def _log_evidence(
    problem: PeakProblem, beta: Array, partial: Array, flat: Array, scale: float
) -> tuple[float, float | None, float | None]:
    """Estimate of ln Z; with an unknown σ also the β of the least free energy and the squares' ratio."""
    noise = problem.checked.noise
    if isinstance(noise, GaussianNoise) and noise.sigma is None:
        return _least_free_energy(beta, partial, flat, problem, scale)
    return float(partial[-1]) + _saturated(problem), None, None


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
