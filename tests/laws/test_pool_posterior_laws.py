"""Laws of the posterior over a list, and of the proposers that stand on it."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.observations import Observations
from sozai.numerics.kernels import Gaussian, Laplace, Matern
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.numerics.process_evidence import Evidence, ProcessPriors
from sozai.numerics.warped_evidence import WarpedEvidence
from sozai.proposals.acquisition import NoisyExpectedImprovement, UpperConfidenceBound
from sozai.proposals.batch import ConstantLiar, Fantasies, LocalPenalty, Thompson, TopScores
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.objectives import Objective
from sozai.proposals.simulate import simulate_campaign
from sozai.proposals.surrogate import Surrogate

KERNELS = [Matern(0.5), Matern(1.5), Matern(2.5), Gaussian(), Laplace()]
LENGTHS = np.array([0.4, 0.7])


def a_pool(n=60, p=2, seed=0):
    return np.random.default_rng(seed).random((n, p))


def a_posterior(pool, kernel=KERNELS[2], **options):
    given_options = {"amplitude": 1.3, "noise": 1e-2, **options}
    return PoolPosterior(pool, kernel, LENGTHS, **given_options)


def observed(X, y, rows, goal="maximize", **options):
    results = {int(k): float(y[k]) for k in rows}
    return Observations.of(X, results, objectives=[Objective("y", goal)], **options)


def a_task(seed=1, n=80):
    X = a_pool(n, 2, seed)
    y = np.sin(5 * X[:, 0]) + np.cos(4 * X[:, 1]) + X[:, 0] * X[:, 1]
    return X, y, np.random.default_rng(seed).permutation(n)[:9]


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_the_posterior_is_the_textbook_formula(kernel):
    pool, rows = a_pool(), np.array([3, 50, 7, 21, 33])
    y, known = np.sin(6 * pool[rows, 0]), np.array([0.0, 0.1, 0.0, 0.02, 0.0])
    K = 1.3 * kernel.matrix(pool[rows], None, LENGTHS) + 100.0 + np.diag(0.01 + known)
    cross = 1.3 * kernel.matrix(pool[rows], pool, LENGTHS) + 100.0
    posterior = a_posterior(pool, kernel).condition(rows, y, known)
    np.testing.assert_allclose(posterior.mean, cross.T @ np.linalg.solve(K, y), atol=1e-9)
    expected = 101.3 - np.einsum("ab,ab->b", cross, np.linalg.solve(K, cross))
    np.testing.assert_allclose(posterior.variance, expected, atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_one_by_one_in_any_order_is_all_at_once(kernel):
    pool, rows = a_pool(), np.array([3, 50, 7, 21, 33, 3])
    y = np.array([0.3, -1.0, 0.2, 0.9, 0.1, 0.4])
    batch = a_posterior(pool, kernel).condition(rows, y)
    for order in (range(6), [5, 2, 0, 4, 1, 3]):
        single = a_posterior(pool, kernel)
        for k in order:
            single.condition(int(rows[k]), float(y[k]))
        np.testing.assert_allclose(single.mean, batch.mean, atol=1e-9)
        np.testing.assert_allclose(single.variance, batch.variance, atol=1e-9)
        np.testing.assert_allclose(single.rows(9), batch.rows(9), atol=1e-9)


def test_a_row_told_twice_is_one_row_with_half_the_noise():
    pool = a_pool()
    twice = a_posterior(pool).condition([4, 9, 4], [1.0, -1.0, 2.0])
    once = a_posterior(pool).condition([4, 9], [1.5, -1.0], replicates=[2, 1])
    np.testing.assert_allclose(twice.mean, once.mean, atol=1e-10)
    np.testing.assert_allclose(twice.variance, once.variance, atol=1e-10)


@settings(max_examples=10)
@given(
    st.integers(0, 59), st.floats(-2, 2), st.lists(st.integers(0, 59), min_size=1, max_size=6, unique=True)
)
def test_pretending_the_value_that_is_told_equals_telling_it(new, value, rows):
    pool = a_pool()
    y = np.sin(7 * pool[rows, 1])
    before = a_posterior(pool).condition(rows, y)
    draw = (value - before.mean[new]) / np.sqrt(before.variance[new] + before.noise)
    pretended = before.fantasise(new, [draw, 0.0])
    told = a_posterior(pool).condition([*rows, new], [*y, value])
    np.testing.assert_allclose(pretended.means[:, 0], told.mean, atol=1e-8)
    np.testing.assert_allclose(pretended.variance, told.variance, atol=1e-8)
    assert pretended.means[new, 1] == pytest.approx(before.mean[new])


def test_markov_without_noise_a_datum_hides_what_is_behind_it():
    # the process of Matern 1/2 on a line with mean 0 has no memory
    pool = np.linspace(0, 1, 9)[:, None]
    options = {"noise": 0.0, "mean_variance": 0.0}
    near = PoolPosterior(pool, Matern(0.5), [0.5], **options).condition([4], [1.0])
    both = PoolPosterior(pool, Matern(0.5), [0.5], **options).condition([4, 1], [1.0, -3.0])
    np.testing.assert_allclose(both.mean[4:], near.mean[4:], atol=1e-9)
    np.testing.assert_allclose(both.variance[4:], near.variance[4:], atol=1e-9)


@pytest.mark.parametrize("priors", [ProcessPriors(), ProcessPriors(spread=0.4)], ids=["free", "shrunk"])
@pytest.mark.parametrize("kind", [Evidence, WarpedEvidence])
def test_gradient_of_the_evidence_is_its_difference(kind, priors):
    rng = np.random.default_rng(3)
    Z = rng.random((14, 3))
    y = np.exp(Z.sum(axis=1))
    evidence = kind(
        Matern(), Z, (y - y.mean()) / y.std(), priors=priors, noise_shares=rng.uniform(0.2, 1.0, 14),
        known_noise=rng.uniform(0, 0.1, 14),
    )  # fmt: skip
    for scale in (0.1, 0.5):
        theta = scale * rng.standard_normal(len(evidence.prior_mean))
        steps = 1e-5 * np.eye(len(theta))
        slopes = [(evidence(theta + step)[0] - evidence(theta - step)[0]) / 2e-5 for step in steps]
        np.testing.assert_allclose(evidence(theta)[1], slopes, rtol=1e-6, atol=1e-6)


BATCHES = [Fantasies(8), ConstantLiar(), LocalPenalty(), TopScores(), Thompson()]


@pytest.mark.parametrize("batch", BATCHES, ids=repr)
@pytest.mark.parametrize("n_hyper", [0, 8])
def test_the_same_question_has_the_same_answer_and_longer_ones_begin_alike(batch, n_hyper):
    X, y, rows = a_task()
    proposer = BayesianProposer(batch=batch, surrogate=Surrogate(n_hyper=n_hyper))
    seen = observed(X, y, rows, pending=[int(k) for k in range(80) if k not in rows][:2])
    four = proposer.propose(seen, 4)
    assert four == proposer.propose(seen, 4)
    assert four[:2] == proposer.propose(seen, 2)
    assert len({choice.row for choice in four}) == 4
    assert not {choice.row for choice in four} & {*rows.tolist(), *seen.pending.tolist()}


@pytest.mark.parametrize(
    "acquisition", [None, UpperConfidenceBound(), NoisyExpectedImprovement(n_draws=4), "pi"], ids=repr
)
def test_largest_y_and_smallest_minus_y_are_one_question(acquisition):
    X, y, rows = a_task()
    proposer = BayesianProposer(acquisition)
    up = proposer.propose(observed(X, y, rows), 3)
    down = proposer.propose(observed(X, -y, rows, goal="minimize"), 3)
    assert [choice.row for choice in up] == [choice.row for choice in down]
    np.testing.assert_allclose([c.mean for c in up], [-c.mean for c in down])


@settings(max_examples=6)
@given(st.floats(-12, 12), st.floats(-1e3, 1e3), st.integers(0, 1000))
def test_units_do_not_change_the_ranking(power, shift, seed):
    X, y, rows = a_task(seed % 5)
    factor = 10.0**power
    plain = BayesianProposer().propose(observed(X, y, rows), 2)
    scaled = BayesianProposer().propose(observed(X * [factor, 1.0] + [0.0, shift], y * factor, rows), 2)
    kelvin = BayesianProposer().propose(observed(X, y + 273.15, rows), 2)
    assert [c.row for c in scaled] == [c.row for c in plain] == [c.row for c in kelvin]


@pytest.mark.parametrize("seed", range(3))
def test_another_order_of_candidates_permutes_the_answer(seed):
    X, y, rows = a_task(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    place = np.argsort(order)
    plain = BayesianProposer().propose(observed(X, y, rows), 3)
    mixed = BayesianProposer().propose(observed(X[order], y[order], place[rows]), 3)
    assert [order[c.row] for c in mixed] == [c.row for c in plain]
    assert [c.score for c in mixed] == [c.score for c in plain]


def test_a_candidate_that_cannot_be_reached_changes_nothing():
    X, y, rows = a_task()
    more = np.vstack([X, [[50.0, -50.0]]])
    plain = BayesianProposer().propose(observed(X, y, rows), 3)
    masked = BayesianProposer().propose(observed(more, np.append(y, 0.0), rows, closed=[80]), 3)
    assert [c.row for c in masked] == [c.row for c in plain]
    np.testing.assert_allclose([c.score for c in masked], [c.score for c in plain])


def test_many_pretended_values_around_a_told_one_choose_what_telling_chooses():
    X, y, rows = a_task()
    options = {"surrogate": Surrogate(noise=1e-10, transform="standardize")}
    running = int(np.setdiff1d(np.arange(80), rows)[5])
    pretended = BayesianProposer(batch=Fantasies(512), **options)
    # where the model is already sure of the running candidate, its value brings no news
    near = X.copy()
    near[running] = X[rows[0]] + 1e-6
    y = y.copy()
    y[running] = y[rows[0]]
    asked = pretended.propose(observed(near, y, rows, pending=[running]), 1)
    told = pretended.propose(observed(near, y, rows, closed=[running]), 1)
    assert asked[0].row == told[0].row


@pytest.mark.slow
def test_studies_do_not_depend_on_the_number_of_workers():
    X, y, _ = a_task()
    tables = [
        simulate_campaign(X, y, BayesianProposer(surrogate=Surrogate(n_hyper=4)), 6, 9, 4, n_jobs=n_jobs)
        for n_jobs in (1, 2, 4)
    ]
    for table in tables[1:]:
        assert table.drop(columns="seconds").equals(tables[0].drop(columns="seconds"))


def test_results_added_one_by_one_choose_as_results_all_at_once():
    X, y, rows = a_task()
    keeping = BayesianProposer(refit=50)
    first = observed(X, y, rows)
    (choice,) = keeping.propose(first, 1)
    fitted = keeping.gp_[0]
    for _ in range(4):
        rows = np.append(rows, choice.row)
        (choice,) = keeping.propose(observed(X, y, rows), 1)
        assert np.array_equal(keeping.gp_[0].theta, fitted.theta)
    again = fitted.with_results(keeping.gp_[0].target, keeping.gp_[0].known_noise, keeping.gp_[0].counts)
    posterior = again.posterior(keeping.posterior_.points(np.arange(80)), keeping.posterior_.observed)
    np.testing.assert_allclose(posterior.mean, keeping.posterior_.mean, atol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        changed = keeping.propose(observed(X, y + 1.0, rows), 1)  # other values: learned anew
    assert changed[0].row == BayesianProposer().propose(observed(X, y + 1.0, rows), 1)[0].row


def test_a_list_changed_in_place_is_a_new_list_for_what_is_kept():
    X, y, rows = a_task()
    keeping = BayesianProposer(refit=50)
    keeping.propose(observed(X, y, rows), 1)
    X[rows[0], 0] += 0.25
    (kept,), (fresh,) = (p.propose(observed(X, y, rows), 1) for p in (keeping, BayesianProposer()))
    assert kept.row == fresh.row
    np.testing.assert_allclose(kept.mean, fresh.mean)
