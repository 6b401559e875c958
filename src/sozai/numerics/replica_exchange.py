"""Replica exchange Monte Carlo: samples of a posterior at many temperatures, and its evidence."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from sozai.contracts.checks import RandomState, as_generator, as_names
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.tempered_evidence import log_ratios, ratio_error, split_r_hat

__all__ = ["TemperedSamples", "replica_exchange"]

Array = NDArray[np.float64]
Energy = Callable[[Array], ArrayLike]

#: Exchange rate between neighbors that n_replicas="auto" aims at, and how many replicas it may take.
TARGET_RATE, MOST_REPLICAS = 0.5, 128
#: Replicas with which an automatic ladder begins.
FIRST_REPLICAS = 16
#: Shares of the burn-in after which the ladder is spaced anew.
_STAGES = (0.1, 0.25, 0.45)
#: Wanted acceptance of a block of one parameter, and of more.
_SINGLE, _JOINT = 0.44, 0.3
#: Bounds of the step over the scale of the parameter.
_STEPS = (1e-6, 10.0)
#: R-hat above which chains disagree; exchange rate below which replicas do not travel.
_DISAGREE, _STUCK = 1.05, 0.1


@dataclass(frozen=True, eq=False, repr=False)
class TemperedSamples:
    r"""Samples of prior × exp(−βE) on a ladder of β, and the evidence at β = 1.

    Attributes
    ----------
    beta : ndarray of shape (L,)
        From 0 (the prior) to 1 (the posterior).
    samples : ndarray of shape (L, C, n, d)
        n kept sweeps of C independent ladders.
    energies : ndarray of shape (L, C, n)
    log_evidence, log_evidence_error : float
        :math:`\ln Z = \ln\int p(\theta)e^{-E(\theta)}d\theta` and its standard error.
    forward, reverse : float
        Stepping-stone estimates of ln Z from the samples of the lower and of the upper β of every pair. Far
        from each other, they say that neighbors hardly overlap.
    log_evidences : ndarray of shape (L,)
        ln Z(β).
    exchange_rates : ndarray of shape (L - 1,)
    acceptance : ndarray of shape (L, n_blocks)
        Of the Metropolis steps after the burn-in; NaN at β = 0, where every sample is drawn anew.
    steps : ndarray of shape (L, d)
        Standard deviations of the proposals.
    r_hat : ndarray of shape (L, d)
        Square root of total over within-chain variance of the halves of all chains; 1 where they agree.
    n_evaluations : int
        Energies computed.
    names : tuple of str

    Examples
    --------
    >>> import numpy as np
    >>> result = replica_exchange(
    ...     lambda theta: 0.5 * (theta[:, 0] / 0.1) ** 2,
    ...     lambda rng, n: rng.uniform(-1.0, 1.0, (n, 1)),
    ...     lambda theta: np.where(np.abs(theta[:, 0]) < 1.0, -np.log(2.0), -np.inf),
    ...     n_sweeps=400, random_state=0,
    ... )
    >>> bool(abs(result.log_evidence - np.log(0.1 * np.sqrt(2 * np.pi) / 2)) < 0.2)
    True
    >>> result.posterior().shape
    (800, 1)
    """

    beta: Array
    samples: Array
    energies: Array
    log_evidence: float
    log_evidence_error: float
    forward: float
    reverse: float
    log_evidences: Array
    exchange_rates: Array
    acceptance: Array
    steps: Array
    r_hat: Array
    n_evaluations: int
    names: tuple[str, ...]

    def posterior(self) -> Array:
        """Samples at β = 1 of all ladders, of shape (C n, d).

        Examples
        --------
        >>> import numpy as np
        >>> result = replica_exchange(
        ...     lambda theta: theta[:, 0], lambda rng, n: rng.exponential(1.0, (n, 1)),
        ...     lambda theta: np.where(theta[:, 0] > 0, -theta[:, 0], -np.inf), n_sweeps=500, random_state=1,
        ... )
        >>> bool(abs(result.posterior().mean() - 0.5) < 0.1)
        True
        """
        points: Array = self.samples[-1].reshape(-1, self.samples.shape[-1])
        return points

    def __repr__(self) -> str:
        low, high = self.exchange_rates.min(), self.exchange_rates.max()
        return (
            f"TemperedSamples({len(self.beta)} replicas, ln Z = {self.log_evidence:.3f} ± "
            f"{self.log_evidence_error:.3f}, exchange {low:.2f}-{high:.2f}, R-hat {self.r_hat[-1].max():.3f})"
        )


def replica_exchange(
    energy: Energy,
    draw_prior: Callable[[np.random.Generator, int], ArrayLike],
    log_prior: Energy,
    *,
    n_replicas: int | Literal["auto"] = "auto",
    n_ladders: int = 2,
    n_sweeps: int = 3000,
    n_burn_in: int | None = None,
    blocks: Sequence[Sequence[int]] | None = None,
    thin: int = 1,
    names: Sequence[str] | None = None,
    random_state: RandomState = None,
) -> TemperedSamples:
    r"""Sample prior × exp(−βE) for a ladder of β at once, with exchanges between neighbors.

    Parameters
    ----------
    energy : callable
        ``energy(theta)`` with theta (R, d) returns E = −ln likelihood of every row, (R,); +inf forbids
        a point.
    draw_prior : callable
        ``draw_prior(rng, n)`` returns n independent samples of the prior, (n, d).
    log_prior : callable
        ``log_prior(theta)`` returns the logarithm of the prior density up to a constant, (R,); −inf outside
        its support, where the energy is not asked for.
    n_replicas : int or "auto", default="auto"
        Length L of the ladder. "auto" takes as many as give an exchange rate of 0.5 between neighbors.
    n_ladders : int, default=2
        Independent copies C, from which R-hat is computed.
    n_sweeps : int, default=3000
        After the burn-in. A sweep tries every block once, then one exchange of every second pair.
    n_burn_in : int, optional
        Left out, half of ``n_sweeps``.
    blocks : sequence of sequences of int, optional
        Columns that are moved together; left out, every parameter by itself.
    thin : int, default=1
        Keep one sweep in so many.
    names : sequence of str, optional
        Of the parameters.
    random_state : int, RandomState or Generator, optional
        The same seed gives the same bits.

    Returns
    -------
    TemperedSamples

    Raises
    ------
    InputError
        Counts that make no sense, blocks that do not cover every column once, an energy that is NaN.

    Warns
    -----
    ConvergenceWarning
        R-hat above 1.05 at β = 1, or an exchange rate below 0.1.

    Notes
    -----
    β runs from 0 to 1 [1]_. The first ladder is geometric; three times in the burn-in it is spaced anew so
    that the rates of refused exchanges, which add up along it [2]_, are equal for all pairs; where
    the heat capacity is constant, that is geometric again. Replicas at β = 0 are drawn anew from the
    prior in every sweep, so that all modes are reached. Proposals are normal; their widths follow the
    spread at that β and the acceptance (0.44 for one parameter, 0.3 for more), in the burn-in only.
    Exchanges of even and odd pairs alternate [2]_.

    :math:`\ln Z = \sum_l \ln Z_{l+1}/Z_l`, where every ratio solves, with
    :math:`w = (\beta_{l+1}-\beta_l)E` and :math:`x = -\ln Z_{l+1}/Z_l`, [3]_

    .. math:: \sum_{l} \frac{1}{1+e^{w-x}} = \sum_{l+1} \frac{1}{1+e^{x-w}}.

    Its error is the largest of those from 4, 8 and 16 blocks of sweeps per ladder. Labels: a mixture of K
    like components with a symmetric prior needs no factor K!, since all labelings are in the prior.

    Cost: n_blocks energies for each of C (L − 1) replicas per sweep, in one call per block. Memory: C L n d
    numbers. The evidence is that of a normalized prior, whatever constant ``log_prior`` leaves out.

    References
    ----------
    .. [1] K. Hukushima, K. Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996). https://doi.org/10.1143/JPSJ.65.1604
    .. [2] S. Syed, A. Bouchard-Côté, G. Deligiannidis, A. Doucet, J. R. Stat. Soc. B 84, 321 (2022).
       https://doi.org/10.1111/rssb.12464
    .. [3] C. H. Bennett, J. Comput. Phys. 22, 245 (1976). https://doi.org/10.1016/0021-9991(76)90078-4

    Examples
    --------
    Two wells of which one holds a quarter of the weight:

    >>> import numpy as np
    >>> def wells(theta):
    ...     x = theta[:, 0]
    ...     return -np.logaddexp(np.log(0.75) - 50 * (x + 1) ** 2, np.log(0.25) - 50 * (x - 1) ** 2)
    >>> result = replica_exchange(
    ...     wells, lambda rng, n: rng.uniform(-3, 3, (n, 1)),
    ...     lambda theta: np.where(np.abs(theta[:, 0]) < 3, 0.0, -np.inf), n_sweeps=1000, random_state=0,
    ... )
    >>> bool(abs((result.posterior() > 0).mean() - 0.25) < 0.06)
    True
    """
    n_burn_in = n_sweeps // 2 if n_burn_in is None else n_burn_in
    auto = n_replicas == "auto"
    first = FIRST_REPLICAS if isinstance(n_replicas, str) else n_replicas
    _check_counts(n_replicas, n_ladders, n_sweeps, n_burn_in, thin)
    run = _Run.open(energy, draw_prior, log_prior, as_generator(random_state), first, n_ladders, blocks)
    labels = as_names(names, run.theta.shape[2], place="replica_exchange", prefix="theta")
    with one_thread():  # the same bits everywhere
        _burn_in(run, n_burn_in, auto)
        points, values = [], []
        for sweep in range(n_sweeps):
            run.sweep(sweep)
            if (sweep + 1) % thin == 0:
                points.append(run.theta.copy())
                values.append(run.energy.copy())
    result = _report(run, np.array(points).transpose(2, 1, 0, 3), np.array(values).transpose(2, 1, 0), labels)
    _warn(result)
    return result


def _burn_in(run: _Run, n_sweeps: int, auto: bool) -> None:
    """Adapt the steps in every sweep, and the ladder after some."""
    turns = {int(share * n_sweeps) for share in _STAGES}
    for sweep in range(n_sweeps):
        run.sweep(sweep, rate=1.0 / np.sqrt(1.0 + run.n_swept))
        if sweep < max(turns):
            run.trail.append(run.theta.copy())
        if sweep + 1 in turns:
            run.respace(auto)
    run.begin_to_count()


def _refuse(argument: str, requirement: str, value: object, remedy: str = "") -> InputError:
    return InputError(sentence("replica_exchange", argument, requirement, value, remedy=remedy))


def _check_counts(n_replicas: object, n_ladders: int, n_sweeps: int, n_burn_in: int, thin: int) -> None:
    """Refuse counts that make no sense."""
    if not (n_replicas == "auto" or (isinstance(n_replicas, int) and n_replicas >= 3)):
        raise _refuse("n_replicas", "be 'auto' or an int >= 3", n_replicas)
    if n_ladders < 1:
        raise _refuse("n_ladders", "be >= 1", n_ladders)
    if thin < 1 or n_sweeps // thin < 32:
        raise _refuse("n_sweeps", f"keep at least 32 sweeps with thin={thin}", n_sweeps, "Give more sweeps.")
    if n_burn_in < 20:
        raise _refuse("n_burn_in", "be at least 20", n_burn_in, "The ladder and the steps are set in it.")


@dataclass(eq=False)
class _Run:
    """State of C ladders of L replicas: θ (C, L, d), its energy and log prior, and how to move it."""

    evaluate: Energy
    draw_prior: Callable[[np.random.Generator, int], ArrayLike]
    log_density: Energy
    rng: np.random.Generator
    blocks: list[NDArray[np.int64]]
    beta: Array
    theta: Array
    energy: Array
    log_prior: Array
    scale: Array  # (L, d)
    log_step: Array  # (L, n_blocks)
    n_evaluations: int = 0
    n_swept: int = field(init=False)
    exchanged: Array = field(init=False)  # (L - 1,)
    tried: Array = field(init=False)
    accepted: Array = field(init=False)  # (L, n_blocks)
    trail: list[Array] = field(init=False)

    @classmethod
    def open(
        cls, energy: Energy, draw_prior: Callable[[np.random.Generator, int], ArrayLike], log_prior: Energy,
        rng: np.random.Generator, n_replicas: int, n_ladders: int, blocks: Sequence[Sequence[int]] | None,
    ) -> _Run:  # fmt: skip
        """Draw the first points, and a geometric ladder from the energies of the prior."""
        L, C = n_replicas, n_ladders
        n = max(L * C, 512)
        theta = np.array(draw_prior(rng, n), dtype=np.float64)
        if theta.ndim != 2 or theta.shape[0] != n:
            raise _refuse("draw_prior", f"return an array of shape ({n}, d)", theta.shape)
        d = theta.shape[1]
        columns = [np.array(block, dtype=np.int64) for block in (blocks or [[j] for j in range(d)])]
        if sorted(np.concatenate(columns).tolist()) != list(range(d)):
            raise _refuse("blocks", f"hold each of the columns 0..{d - 1} once", blocks)
        run = cls(
            energy, draw_prior, log_prior, rng, columns, np.zeros(L), theta, np.zeros(0), np.zeros(0),
            np.tile(theta.std(axis=0), (L, 1)), np.zeros((L, len(columns))),
        )  # fmt: skip
        values = run.energies(theta)
        run.beta = _first_ladder(values, L)
        run.theta = theta[: L * C].reshape(C, L, d).copy()
        run.energy = values[: L * C].reshape(C, L).copy()
        run.log_prior = run.densities(run.theta)
        run.begin_to_count()
        return run

    def begin_to_count(self) -> None:
        """Forget rates and points."""
        L = len(self.beta)
        self.exchanged, self.tried = np.zeros(L - 1), np.zeros(L - 1)
        self.accepted, self.n_swept, self.trail = np.zeros((L, len(self.blocks))), 0, []

    def energies(self, theta: Array) -> Array:
        """Energies of points (R, d)."""
        self.n_evaluations += len(theta)
        values = np.asarray(self.evaluate(theta), dtype=np.float64)
        if values.shape != (len(theta),):
            raise _refuse("energy", f"return an array of shape ({len(theta)},)", values.shape)
        bad = np.flatnonzero(np.isnan(values) | (values == -np.inf))
        if len(bad):
            raise _refuse(
                "energy", "be a number or +inf", float(values[bad[0]]), f"Found at {theta[bad[0]]}."
            )
        return values

    def densities(self, theta: Array) -> Array:
        """Log prior of points (..., d)."""
        flat = np.asarray(self.log_density(theta.reshape(-1, theta.shape[-1])), dtype=np.float64)
        return flat.reshape(theta.shape[:-1])

    def sweep(self, number: int, *, rate: float = 0.0) -> None:
        """Fresh points at β = 0, every block once, exchanges; steps are adapted at the given rate."""
        C, _, d = self.theta.shape
        fresh = np.asarray(self.draw_prior(self.rng, C), dtype=np.float64).reshape(C, d)
        self.theta[:, 0], self.energy[:, 0] = fresh, self.energies(fresh)
        self.log_prior[:, 0] = self.densities(fresh)
        for k, columns in enumerate(self.blocks):
            share = self._move(k, columns)
            self.accepted[1:, k] += share
            self.log_step[1:, k] += rate * (share - (_SINGLE if len(columns) == 1 else _JOINT))
        if rate:
            np.clip(self.log_step, *np.log(_STEPS), out=self.log_step)
        self.n_swept += 1
        self._exchange(number % 2)

    def _move(self, k: int, columns: NDArray[np.int64]) -> Array:
        """One Metropolis step of a block in all replicas with β > 0; shares accepted, (L - 1,)."""
        theta, energy, log_prior = self.theta[:, 1:], self.energy[:, 1:], self.log_prior[:, 1:]
        width = self.scale[1:, columns] * np.exp(self.log_step[1:, k : k + 1])
        trial = theta.copy()
        trial[:, :, columns] += width * self.rng.standard_normal((*theta.shape[:2], len(columns)))
        density = self.densities(trial)
        inside = density > -np.inf
        value = np.full(density.shape, np.inf)
        value[inside] = self.energies(trial[inside])
        with np.errstate(invalid="ignore"):  # the point now may have infinite energy: anything is better
            gain = density - log_prior - self.beta[1:] * (value - energy)
        accepted = inside & ~(np.log1p(-self.rng.random(gain.shape)) >= gain)
        theta[accepted], energy[accepted] = trial[accepted], value[accepted]
        log_prior[accepted] = density[accepted]
        share: Array = accepted.mean(axis=0)
        return share

    def _exchange(self, parity: int) -> None:
        """Exchange the points of every second pair of neighbors."""
        low = np.arange(parity, len(self.beta) - 1, 2)
        high = low + 1
        with np.errstate(invalid="ignore"):  # two infinite energies
            gain = (self.beta[high] - self.beta[low]) * (self.energy[:, high] - self.energy[:, low])
        gain = np.where(np.isnan(gain), 0.0, gain)
        self.exchanged[low] += np.exp(np.minimum(gain, 0.0)).mean(axis=0)
        self.tried[low] += 1
        ladder, pair = np.nonzero(np.log1p(-self.rng.random(gain.shape)) < gain)
        for values in (self.theta, self.energy, self.log_prior):
            held = values[ladder, low[pair]]
            values[ladder, low[pair]] = values[ladder, high[pair]]
            values[ladder, high[pair]] = held

    def respace(self, auto: bool) -> None:
        """Space the ladder so that all pairs refuse alike, and set the scales to the spread at each β."""
        refused = np.maximum(1.0 - self.exchanged / np.maximum(self.tried, 1.0), 1e-3)
        length = np.concatenate([[0.0], np.cumsum(refused)])
        L = len(self.beta)
        if auto:
            L = int(np.clip(np.ceil(length[-1] / (1.0 - TARGET_RATE)) + 1, 4, MOST_REPLICAS))
        wanted = np.linspace(0.0, length[-1], L)
        spread = np.concatenate(self.trail).std(axis=0)
        scale = np.where(spread > 0.0, spread, self.scale)
        size = np.array([self.scale[:, columns].prod(axis=1) for columns in self.blocks]).T
        new_size = np.array([scale[:, columns].prod(axis=1) for columns in self.blocks]).T
        self.log_step += np.log(size / new_size) / [len(columns) for columns in self.blocks]
        nearest = np.abs(wanted[:, None] - length).argmin(axis=1)
        self.beta = _interpolate_ladder(wanted, length, self.beta)
        self.scale, self.log_step = scale[nearest], self.log_step[nearest]
        self.theta, self.energy = self.theta[:, nearest].copy(), self.energy[:, nearest].copy()
        self.log_prior = self.log_prior[:, nearest].copy()
        self.begin_to_count()


def _first_ladder(energies: Array, n_replicas: int) -> Array:
    """0, then geometric from the β at which the better half of the prior begins to stand out."""
    finite = energies[np.isfinite(energies)]
    if len(finite) < 2:
        raise _refuse("energy", "be finite somewhere in the prior", "no finite value in the first draws")
    spread = float(np.quantile(finite, 0.5) - np.quantile(finite, 0.05))
    lowest = min(0.1, 1.0 / spread) if spread > 0.0 else 0.1
    return np.concatenate([[0.0], np.geomspace(lowest, 1.0, n_replicas - 1)])


def _interpolate_ladder(wanted: Array, length: Array, beta: Array) -> Array:
    """β at wanted lengths: linear in ln β, and in β between 0 and the first."""
    with np.errstate(divide="ignore"):
        new = np.exp(np.interp(wanted, length[1:], np.log(beta[1:])))
    new = np.where(wanted < length[1], beta[1] * wanted / length[1], new)
    new[0], new[-1] = 0.0, 1.0
    return new


def _report(run: _Run, samples: Array, energies: Array, names: tuple[str, ...]) -> TemperedSamples:
    """Evidence and diagnostics of samples (L, C, n, d) with energies (L, C, n)."""
    beta, L, d = run.beta, len(run.beta), samples.shape[3]
    gap = np.diff(beta)
    flat = energies.reshape(L, -1)
    ratios = log_ratios(flat[:-1], flat[1:], gap)
    log_n = np.log(flat.shape[1])
    forward = logsumexp(-gap[:, None] * flat[:-1], axis=1) - log_n
    reverse = log_n - logsumexp(gap[:, None] * flat[1:], axis=1)
    steps = np.zeros((L, d))
    for k, columns in enumerate(run.blocks):
        steps[:, columns] = run.scale[:, columns] * np.exp(run.log_step[:, k : k + 1])
    acceptance = run.accepted / run.n_swept
    acceptance[0] = np.nan
    return TemperedSamples(
        beta, samples, energies, float(ratios.sum()), ratio_error(energies, gap), float(forward.sum()),
        float(reverse.sum()), np.concatenate([[0.0], np.cumsum(ratios)]), run.exchanged / run.tried,
        acceptance, steps, split_r_hat(samples), run.n_evaluations, names,
    )  # fmt: skip


def _warn(result: TemperedSamples) -> None:
    """Say which parameter the chains disagree on, and which pair does not exchange."""
    worst = int(np.argmax(result.r_hat[-1]))
    value = float(result.r_hat[-1, worst])
    if value > _DISAGREE:
        text = (
            f"replica_exchange: chains disagree on {result.names[worst]!r}, R-hat {value:.3f} > {_DISAGREE}."
        )
        warnings.warn(f"{text} Give more sweeps.", ConvergenceWarning, stacklevel=3)
    low = int(np.argmin(result.exchange_rates))
    if result.exchange_rates[low] < _STUCK:
        text = (
            f"replica_exchange: replicas {low} and {low + 1} exchange at a rate of "
            f"{result.exchange_rates[low]:.3f} < {_STUCK}. Give more replicas."
        )
        warnings.warn(text, ConvergenceWarning, stacklevel=3)
