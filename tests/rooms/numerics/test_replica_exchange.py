"""Replica exchange: analytic evidences, known weights of modes, rates, reproducibility, messages."""

import warnings

import numpy as np
import pytest
from scipy import stats

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.numerics.replica_exchange import replica_exchange
from sozai.numerics.tempered_evidence import log_ratios, ratio_error, split_r_hat


def briefly(*args, **kwargs):
    """Runs too short for their chains to agree, where that is not what is asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return replica_exchange(*args, **kwargs)


def box(half, d):
    """Uniform prior on a cube."""
    return (
        lambda rng, n: rng.uniform(-half, half, (n, d)),
        lambda theta: np.where(np.abs(theta).max(axis=1) < half, 0.0, -np.inf),
    )


def normal(width, d):
    return (
        lambda rng, n: rng.normal(0.0, width, (n, d)),
        lambda theta: -0.5 * (theta**2).sum(axis=1) / width**2,
    )


DESIGN = np.random.default_rng(0).normal(size=(12, 3))
DATA = DESIGN @ [0.5, -1.0, 2.0] + 0.1 * np.random.default_rng(1).normal(size=12)


def linear_energy(theta):
    residual = DATA - theta @ DESIGN.T
    return 0.5 * (residual**2).sum(axis=1) / 0.01 + 6 * np.log(2 * np.pi * 0.01)


def linear_evidence():
    return stats.multivariate_normal(cov=4.0 * DESIGN @ DESIGN.T + 0.01 * np.eye(12)).logpdf(DATA)


def test_the_evidence_of_a_linear_model_is_the_analytic_one():
    result = replica_exchange(linear_energy, *normal(2.0, 3), n_sweeps=4000, random_state=0)
    assert abs(result.log_evidence - linear_evidence()) < 0.1
    assert abs(result.forward - linear_evidence()) < 0.3
    assert abs(result.reverse - linear_evidence()) < 0.3
    assert result.log_evidence_error < 0.12
    precision = DESIGN.T @ DESIGN / 0.01 + np.eye(3) / 4.0
    assert np.allclose(
        result.posterior().mean(axis=0), np.linalg.solve(precision, DESIGN.T @ DATA / 0.01), atol=0.01
    )
    assert np.allclose(np.cov(result.posterior().T), np.linalg.inv(precision), rtol=0.2, atol=1e-4)


@pytest.mark.slow
def test_the_error_is_the_scatter_over_seeds():
    results = [briefly(linear_energy, *normal(2.0, 3), n_sweeps=600, random_state=seed) for seed in range(12)]
    z = [(r.log_evidence - linear_evidence()) / r.log_evidence_error for r in results]
    assert np.sqrt(np.mean(np.square(z))) < 1.6
    assert np.abs(z).max() < 4


def test_all_neighbors_exchange_at_the_wanted_rate():
    result = replica_exchange(linear_energy, *normal(2.0, 3), n_sweeps=1500, random_state=2)
    assert result.exchange_rates.min() > 0.3
    assert result.exchange_rates.max() < 0.65
    assert result.beta[0] == 0.0
    assert result.beta[-1] == 1.0
    assert (np.diff(result.beta) > 0).all()
    assert np.isnan(result.acceptance[0]).all()
    assert (np.abs(result.acceptance[1:] - 0.44) < 0.15).all()
    assert (result.r_hat < 1.05).all()


def test_a_given_number_of_replicas_is_spaced_evenly_in_rate():
    result = replica_exchange(
        linear_energy, *normal(2.0, 3), n_replicas=8, n_sweeps=1500, blocks=[[0, 2], [1]], random_state=3
    )
    assert len(result.beta) == 8
    assert np.ptp(result.exchange_rates) < 0.25
    assert abs(result.log_evidence - linear_evidence()) < 5 * result.log_evidence_error


def wells(theta):
    """Two narrow normals of weights 0.8 and 0.2, ten widths of the better apart in both columns."""
    left = np.log(0.8) + stats.norm.logpdf(theta, -1.0, 0.2).sum(axis=1)
    right = np.log(0.2) + stats.norm.logpdf(theta, 1.5, 0.1).sum(axis=1)
    return -np.logaddexp(left, right)


def test_modes_get_their_weights():
    result = replica_exchange(wells, *box(4.0, 2), n_sweeps=3000, random_state=4)
    share = (result.posterior()[:, 0] > 0.4).mean()
    assert abs(share - 0.2) < 0.04
    assert abs(result.log_evidence + 2 * np.log(8.0)) < 0.1


def test_samples_at_zero_are_the_prior():
    result = briefly(wells, *box(4.0, 2), n_sweeps=1000, random_state=5)
    prior = result.samples[0].reshape(-1, 2)
    assert stats.kstest(prior[::3, 0], stats.uniform(-4, 8).cdf).pvalue > 1e-3


def test_a_flat_energy_is_exact():
    result = briefly(lambda theta: np.full(len(theta), 3.0), *box(1.0, 1), n_sweeps=64, random_state=6)
    assert result.log_evidence == pytest.approx(-3.0, abs=1e-10)
    assert result.log_evidence_error < 1e-10
    assert (result.exchange_rates == 1.0).all()


def test_forbidden_points_cost_their_share_of_the_prior():
    result = briefly(
        lambda theta: np.where(theta[:, 0] > 0.5, 0.0, np.inf), *box(1.0, 1), n_sweeps=2000, random_state=7
    )
    assert abs(result.log_evidence - np.log(0.25)) < 0.1
    assert result.posterior().min() > 0.5


def test_the_same_seed_gives_the_same_bits():
    runs = [briefly(wells, *box(4.0, 2), n_sweeps=200, random_state=seed) for seed in (8, 8, 9)]
    assert (runs[0].samples == runs[1].samples).all()
    assert runs[0].log_evidence == runs[1].log_evidence
    assert runs[0].samples.shape != runs[2].samples.shape or (runs[0].samples != runs[2].samples).any()


def test_thinning_keeps_one_in_so_many():
    whole, thin = (
        briefly(wells, *box(4.0, 2), n_sweeps=200, n_ladders=3, thin=thin, random_state=8) for thin in (1, 5)
    )
    assert thin.samples.shape[1:] == (3, 40, 2)
    assert (thin.samples == whole.samples[:, :, 4::5]).all()
    assert repr(thin).startswith(f"TemperedSamples({len(thin.beta)} replicas, ln Z = ")
    recomputed = wells(whole.samples.reshape(-1, 2)).reshape(whole.energies.shape)
    assert (recomputed == whole.energies).all()


def test_chains_that_disagree_are_named():
    def far(theta):
        return -1000 * np.abs(theta[:, 1])  # two modes behind a wall

    with pytest.warns(ConvergenceWarning) as caught:
        replica_exchange(
            far, *box(1.0, 2), n_replicas=3, n_sweeps=40, n_burn_in=20, names=["a", "b"], random_state=1
        )
    texts = [str(one.message) for one in caught]
    assert any("exchange at a rate of 0.0" in text and "< 0.1. Give more replicas" in text for text in texts)
    assert any("chains disagree on 'b', R-hat" in text for text in texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_replicas": 2}, r"n_replicas must be 'auto' or an int >= 3\. Got 2"),
        ({"n_replicas": "many"}, r"Got 'many'"),
        ({"n_ladders": 0}, r"n_ladders must be >= 1\. Got 0"),
        ({"n_sweeps": 100, "thin": 4}, r"keep at least 32 sweeps with thin=4\. Got 100"),
        ({"n_burn_in": 3}, r"n_burn_in must be at least 20\. Got 3"),
        ({"blocks": [[0], [0, 1]]}, r"each of the columns 0\.\.1 once\. Got \[\[0\], \[0, 1\]\]"),
        ({"energy": lambda theta: theta[:, 0] * np.nan}, r"energy must be a number or \+inf\. Got nan"),
        ({"energy": lambda theta: theta}, r"energy must return an array of shape \(512,\)\. Got \(512, 2\)"),
        (
            {"energy": lambda theta: np.full(len(theta), np.inf)},
            "energy must be finite somewhere in the prior",
        ),
        ({"draw_prior": lambda rng, n: rng.normal(size=n)}, r"shape \(512, d\)\. Got \(512,\)"),
    ],
)
def test_refused(change, message):
    draw, density = box(4.0, 2)
    given = {"energy": wells, "draw_prior": draw, "log_prior": density} | change
    with pytest.raises(InputError, match=message):
        replica_exchange(**given)


def test_bennett_solves_its_equation():
    rng = np.random.default_rng(10)
    low, high, gap = rng.exponential(1.0, (3, 500)), rng.exponential(0.5, (3, 500)), np.array([0.2, 1.0, 3.0])
    x = -log_ratios(low, high, gap)[:, None]
    w_low, w_high = low * gap[:, None], high * gap[:, None]
    assert np.allclose((1 / (1 + np.exp(w_low - x))).sum(1), (1 / (1 + np.exp(x - w_high))).sum(1), rtol=1e-9)


def test_bennett_is_exact_for_exponential_energies():
    """Density of states E^(k-1) gives ln Z ratio -k ln(b2/b1)."""
    rng = np.random.default_rng(11)
    low, high = rng.gamma(2.5, 1.0, 40_000), rng.gamma(2.5, 0.5, 40_000)
    assert abs(log_ratios(low, high, np.array(1.0)) + 2.5 * np.log(2.0)) < 0.02
    parts = np.stack([low, high]).reshape(2, 4, 10_000)
    assert 0.002 < ratio_error(parts, np.array([1.0])) < 0.02


def test_r_hat_of_chains_that_agree_and_do_not():
    rng = np.random.default_rng(12)
    samples = rng.normal(size=(1, 4, 1000, 2))
    samples[0, 2, :, 1] += 3.0
    agree, differ = split_r_hat(samples)[0]
    assert agree == pytest.approx(1.0, abs=0.01)
    assert differ == pytest.approx(np.sqrt(1 + np.var(np.repeat([0, 0, 3, 0], 2), ddof=1)), rel=0.05)
    assert split_r_hat(np.zeros((1, 2, 10, 1))).tolist() == [[1.0]]
