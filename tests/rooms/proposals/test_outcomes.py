import warnings

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sozai.contracts.errors import InputError
from sozai.contracts.observations import Observations
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.censored_results import censored_sites, fit_objective
from sozai.proposals.objectives import Objective
from sozai.proposals.outcomes import Constraint, Feasibility, LearnedCost, SuccessProbability, weigh
from sozai.proposals.surrogate import Surrogate


def a_line(n=41):
    x = np.linspace(0, 1, n)
    return x[:, None], x


# --- failures ----------------------------------------------------------------------------------------


def test_nothing_failed_weighs_nothing():
    X, _ = a_line()
    seen = Observations.of(X, {0: 1.0, 20: 2.0}, objectives=[Objective("y")])
    assert (SuccessProbability().log_weight(seen) == 0).all()


def test_success_falls_towards_the_failures():
    X, _ = a_line()
    seen = Observations.of(
        X, {k: 1.0 for k in range(0, 20, 4)}, failed=[28, 34, 40], objectives=[Objective("y")]
    )
    probability = SuccessProbability().probability(seen)
    assert (probability[:17] > 0.9).all()
    assert (probability[[28, 34, 40]] < 0.01).all()
    assert 0.2 < probability[22] < 0.8
    np.testing.assert_allclose(SuccessProbability(power=2.0).log_weight(seen), 2.0 * np.log(probability))


def test_away_from_all_runs_the_prior_counts():
    X = np.array([[0.0], [0.01], [1.0]])
    seen = Observations.of(X, {0: 1.0}, failed=[1], objectives=[Objective("y")])
    chances = [SuccessProbability(prior).probability(seen)[2] for prior in (0.2, 0.5, 0.8)]
    assert chances[0] < 0.5 < chances[2]
    assert chances[1] == pytest.approx(0.5, abs=0.02)


def test_the_probability_of_two_runs_is_the_textbook_formula():
    X = np.array([[0.0], [0.25], [1.0]])
    seen = Observations.of(X, {0: 1.0}, failed=[2], objectives=[Objective("y")])
    spread = np.sqrt(np.var([-0.5, -0.25, 0.5]))
    best = None
    for length in spread * 0.05 * 2.0 ** (0.5 * np.arange(17)[::-1]):
        k = np.exp(-1.0 / length)
        inverse = np.linalg.inv(np.array([[1.001, k], [k, 1.001]]))
        y = np.array([0.5, -0.5])
        error = (((inverse @ y) / np.diag(inverse)) ** 2).sum()
        if best is None or error < best[0] * (1 - 1e-9):
            cross = np.exp(-np.array([0.25, 0.75]) / length)
            best = (error, 0.5 + cross @ inverse @ y)
    assert SuccessProbability().probability(seen)[1] == pytest.approx(best[1], abs=1e-9)


def test_a_proposer_avoids_what_failed():
    X, x = a_line(101)
    y = x  # the best lies where everything fails
    results = {int(k): y[k] for k in (0, 10, 20, 30, 40, 50, 60)}
    failed = [70, 75, 80, 85, 90, 95, 100]
    seen = Observations.of(X, results, failed=failed, objectives=[Objective("y")])
    with_weight = BayesianProposer().propose(seen, 1)[0].row
    without = BayesianProposer(outcomes=()).propose(seen, 1)[0].row
    assert with_weight < 70 < without


def test_settings_of_success_are_checked():
    with pytest.raises(InputError, match=r"between 0 and 1. Got 1.0"):
        SuccessProbability(1.0)
    with pytest.raises(InputError, match=r"power must be 0 or more. Got -2"):
        SuccessProbability(power=-2)


# --- bounds ------------------------------------------------------------------------------------------


def truncated_mean(mean, sd, bound, noise, side):
    """Mean and variance of f under N(mean, sd²) times Φ(±(f - bound)/noise), by quadrature."""

    def weight(f):
        return norm.pdf(f, mean, sd) * norm.cdf(side * (f - bound) / noise)

    ends = (mean - 12 * sd, mean + 12 * sd)
    mass = quad(weight, *ends, points=[bound])[0]
    first = quad(lambda f: f * weight(f), *ends, points=[bound])[0] / mass
    return first, quad(lambda f: (f - first) ** 2 * weight(f), *ends, points=[bound])[0] / mass


@pytest.mark.parametrize(("bound", "side"), [(0.5, 1), (-1.5, 1), (0.5, -1), (2.0, -1), (3.0, 1)])
def test_one_bound_is_exact(bound, side):
    sites = censored_sites(np.array([[1.7]]), np.array([bound]), np.array([side]), np.array([0.04]))
    mean, variance = truncated_mean(0.0, np.sqrt(1.7), bound, 0.2, side)
    assert sites.mean[0] == pytest.approx(mean, abs=1e-6)
    assert sites.spread[0] == pytest.approx(variance, abs=1e-6)


def test_two_bounds_are_near_the_draws():
    K = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.5], [0.3, 0.5, 1.0]])
    values, side = np.array([0.3, 0.8, -0.5]), np.array([1, 0, -1])
    sites = censored_sites(K, values, side, np.full(3, 0.01))
    f = np.random.default_rng(0).multivariate_normal(np.zeros(3), K, size=2_000_000)
    weight = norm.pdf(0.8, f[:, 1], 0.1) * norm.cdf((f[:, 0] - 0.3) / 0.1) * norm.cdf((-0.5 - f[:, 2]) / 0.1)
    mean = (weight[:, None] * f).sum(axis=0) / weight.sum()
    np.testing.assert_allclose(sites.mean, mean, atol=0.03)


def test_a_bound_that_says_nothing_changes_nothing():
    K = np.array([[1.0, 0.5], [0.5, 1.0]])
    told = censored_sites(K, np.array([0.4, -9.0]), np.array([0, 1]), np.full(2, 0.01))
    alone = 0.5 * 0.4 / 1.01
    assert told.mean[1] == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_bounds_pull_the_prediction_to_their_side(goal):
    X, _ = a_line(21)
    results = {0: 0.0, 5: 0.25, 10: 0.5, 15: 0.55}
    options = {"objectives": [Objective("y", goal)]}
    plain = Observations.of(X, results, **options)
    from dataclasses import replace

    bound = replace(plain, censored=np.array([[0], [0], [0], [1]], dtype=np.int8))
    means = []
    for seen in (plain, bound):
        fitted = fit_objective(Surrogate(transform="standardize"), X - 0.5, seen, np.arange(4), 0, 0)
        posterior = fitted.posterior(X - 0.5, seen.rows)
        means.append(fitted.scale.to_user(posterior.mean, np.sqrt(posterior.variance))[0][15])
    assert means[0] == pytest.approx(0.55, abs=0.05)
    assert means[1] > means[0] + 0.05


def test_a_proposer_takes_bounds():
    X, x = a_line(41)
    y = 1.0 - (x - 0.7) ** 2
    results = {0: y[0], 10: y[10], 20: y[20], 28: 0.9, 40: y[40]}
    from dataclasses import replace

    seen = Observations.of(X, results, objectives=[Objective("y")])
    seen = replace(seen, censored=np.array([[0], [0], [0], [1], [0]], dtype=np.int8))
    (choice,) = BayesianProposer().propose(seen, 1)
    assert 0.5 < x[choice.row] < 0.9
    assert np.isfinite(choice.mean).all()


# --- constraints and cost ----------------------------------------------------------------------------


def two_columns(rows, n=101, goal="maximize"):
    X, x = a_line(n)
    results = {int(k): [x[k], x[k] ** 2] for k in rows}
    return Observations.of(X, results, objectives=[Objective("y", goal), Objective("gap")]), x


def test_a_constraint_keeps_proposals_inside():
    seen, x = two_columns([0, 15, 30, 45, 60, 80, 100])
    proposer = BayesianProposer(outcomes=[Constraint("gap", high=0.49)])
    (choice,) = proposer.propose(seen, 1)
    assert 0.6 < x[choice.row] <= 0.72
    assert proposer.incumbent_ == pytest.approx(0.6, abs=0.02)  # the best that keeps to the limit
    assert choice.mean[1] == pytest.approx(x[choice.row] ** 2, abs=0.02)


def test_without_any_feasible_result_feasibility_alone_counts():
    seen, x = two_columns([60, 70, 80, 90, 100])
    (choice,) = BayesianProposer(outcomes=[Constraint("gap", high=0.01)]).propose(seen, 1)
    assert x[choice.row] < 0.2
    assert "keeping to the limits" in choice.reason


def test_the_weight_of_a_constraint_is_its_probability():
    seen, _ = two_columns([0, 25, 50, 75, 100])
    rule = Constraint("gap", low=0.1, high=0.5)
    weighted = weigh(seen, [rule], seen.X - 0.5)
    fitted, posterior = weighted.models[1]
    low, high = fitted.scale.to_model(np.array([0.1, 0.5]))
    spread = np.sqrt(posterior.variance)
    expected = norm.cdf((high - posterior.mean) / spread) - norm.cdf((low - posterior.mean) / spread)
    inside = expected > 1e-6
    np.testing.assert_allclose(np.exp(weighted.log_weight)[inside], expected[inside], rtol=1e-6)
    assert weighted.counts.tolist() == [False, False, True, False, False]
    assert [o.name for o in weighted.observations.objectives] == ["y"]


def test_constraints_on_several_objectives():
    X, x = a_line(61)
    results = {k: [x[k], 1 - x[k] ** 2, x[k]] for k in range(0, 61, 10)}
    seen = Observations.of(X, results, objectives=[Objective("a"), Objective("b"), Objective("T")])
    (choice,) = BayesianProposer(outcomes=[Constraint("T", high=0.4)]).propose(seen, 1)
    assert x[choice.row] <= 0.45
    assert choice.mean.shape == (3,)
    assert choice.mean[2] == pytest.approx(x[choice.row], abs=0.02)


def test_learned_cost_prefers_the_cheap():
    X, x = a_line(101)
    y = np.sin(2 * np.pi * x) ** 2  # two equal maxima
    results = {int(k): [y[k], np.exp(4 * x[k])] for k in (0, 12, 40, 50, 60, 88, 100)}
    seen = Observations.of(X, results, objectives=[Objective("y"), Objective("time")])
    (choice,) = BayesianProposer(outcomes=[LearnedCost("time")]).propose(seen, 1)
    assert x[choice.row] < 0.5
    weight = LearnedCost("time").log_weight(seen)
    np.testing.assert_allclose(weight, -4 * x, atol=0.2)
    assert (LearnedCost("time", budget=1.0).log_weight(seen) == 0).all()


def test_messages_read_their_numbers():
    with pytest.raises(InputError, match=r"low must lie below high \(1.0\), one of them finite. Got 2.0"):
        Constraint("gap", 2.0, 1.0)
    seen, _ = two_columns([0, 50, 100])
    with pytest.raises(InputError, match=r"one of the result columns \['y', 'gap'\]. Got 'width'"):
        Constraint("width", high=1.0).log_weight(seen)
    with pytest.raises(InputError, match=r"leave at least one result column"):
        BayesianProposer(outcomes=[Constraint("gap", high=1.0), Constraint("y", high=1.0)]).propose(seen, 1)
    with pytest.raises(InputError, match=r"budget must be positive. Got 0"):
        LearnedCost("time", budget=0)
    with pytest.raises(InputError, match=r"power must be 0 or more. Got -1"):
        LearnedCost("time", power=-1)
    assert Feasibility().score(np.zeros(3), np.ones(3), None).tolist() == [0, 0, 0]


def test_remarks_on_columns_come_once():
    X = np.column_stack([np.linspace(0, 1, 21), np.ones(21)])
    seen = Observations.of(X, {k: float(k) for k in (0, 5, 10)}, failed=[20], objectives=[Objective("y")])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BayesianProposer().propose(seen, 1)
    assert sum("is constant" in str(w.message) for w in caught) == 1
