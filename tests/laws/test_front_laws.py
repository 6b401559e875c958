"""Laws of fronts and of proposals for several objectives."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.observations import Observations
from sozai.numerics.hypervolume import free_boxes, hypervolume, nondominated, nondominated_rank
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.evolutionary import EvolutionaryProposer
from sozai.proposals.novelty import SteinNovelty
from sozai.proposals.objectives import Objective, Range, Target
from sozai.proposals.pareto import (
    Climb,
    Near,
    Within,
    expected_hypervolume_improvement,
    log_expected_hypervolume_improvement,
    log_probability_beyond,
)
from sozai.proposals.several_objectives import ExpectedHypervolumeImprovement, ParEGO
from sozai.proposals.surrogate import Surrogate

FRONT = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
ACQUISITIONS = ["ehvi", "hvpi", "ts", "parego", "rank", SteinNovelty()]


def beats(a, b):
    return bool((a >= b).all() and (a > b).any())


@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_nobody_on_a_front_is_beaten_and_all_others_are(seed, n_goals, ties):
    Y = np.random.default_rng(seed).random((30, n_goals))
    Y = np.round(Y * 3) if ties else Y
    expected = np.array([not any(beats(a, b) for a in Y) for b in Y])
    np.testing.assert_array_equal(nondominated(Y), expected)
    left, rank = np.arange(len(Y)), np.zeros(len(Y), dtype=int)
    for front in range(len(Y)):
        if not len(left):
            break
        best = np.array([not any(beats(Y[a], Y[b]) for a in left) for b in left])
        rank[left[best]] = front
        left = left[~best]
    np.testing.assert_array_equal(nondominated_rank(Y), rank)


@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_boxes_fill_what_no_point_covers_exactly_once(seed, n_goals, ties):
    rng = np.random.default_rng(seed)
    Y = rng.random((8, n_goals))
    Y = np.round(Y * 4) / 4 if ties else Y
    reference = np.full(n_goals, 0.1)
    boxes = free_boxes(Y, reference)
    points = rng.random((400, n_goals)) * 1.2
    covered = np.array([bool((point <= Y).all(axis=1).any()) for point in points])
    above = (points > reference).all(axis=1)
    inside = np.zeros(len(points), dtype=int)
    for lower, upper in zip(boxes.lower, boxes.upper, strict=True):
        inside += ((points > lower) & (points < upper)).all(axis=1)
    np.testing.assert_array_equal(inside, (above & ~covered).astype(int))


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_improvement_is_the_difference_of_two_hypervolumes(seed, n_goals):
    rng = np.random.default_rng(seed)
    Y, new, reference = rng.random((7, n_goals)), rng.random((3, n_goals)), np.full(n_goals, 0.2)
    gains = free_boxes(Y, reference).improvement(new)
    for point, gain in zip(new, gains, strict=True):
        grown = hypervolume(np.vstack([Y, point]), reference) - hypervolume(Y, reference)
        assert gain == pytest.approx(grown, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_hypervolume_does_not_care_for_order_or_for_beaten_points(seed, n_goals):
    rng = np.random.default_rng(seed)
    Y, reference = rng.random((12, n_goals)), np.zeros(n_goals)
    whole = hypervolume(Y, reference)
    assert hypervolume(Y[rng.permutation(12)], reference) == pytest.approx(whole, rel=1e-12)
    assert hypervolume(Y[nondominated(Y)], reference) == pytest.approx(whole, rel=1e-12)
    factors = rng.random(n_goals) + 0.5
    assert hypervolume(Y * factors, reference) == pytest.approx(whole * factors.prod(), rel=1e-12)


def test_the_known_front():
    assert hypervolume(FRONT, np.zeros(2)) == 6.0
    assert free_boxes(FRONT, np.zeros(2)).improvement(np.array([[2.5, 2.5]]))[0] == 1.25


@pytest.mark.parametrize("n_goals", [2, 3, 4])
def test_without_deviation_the_expectation_is_the_improvement(n_goals):
    rng = np.random.default_rng(n_goals)
    Y, mean, reference = rng.random((9, n_goals)), rng.random((40, n_goals)) * 1.3, np.full(n_goals, -0.1)
    boxes = free_boxes(Y, reference)
    expected = boxes.improvement(mean)
    got = np.exp(log_expected_hypervolume_improvement(mean, np.full((40, n_goals), 1e-10), boxes))
    np.testing.assert_allclose(got, expected, atol=1e-9)


@pytest.mark.parametrize(
    "merits",
    [
        (Climb(),),
        (Climb(), Climb()),
        (Climb(), Climb(), Climb()),
        (Near(0.5), Climb()),
        (Within(0.2, 0.4), Near(0.3)),
        (Within(-np.inf, 0.4), Within(0.5, np.inf)),
    ],
    ids=repr,
)
def test_expectation_and_probability_are_those_of_many_draws(merits):
    rng = np.random.default_rng(7)
    n_goals, n = len(merits), 1_000_000
    seen = np.column_stack([rule.merit(rng.random(6)) for rule in merits])
    boxes = free_boxes(seen, seen.min(axis=0) - 0.2)
    mean, std = rng.random((2, n_goals)), 0.1 + 0.3 * rng.random((2, n_goals))
    expected = np.exp(log_expected_hypervolume_improvement(mean, std, boxes, merits))
    chance = np.exp(log_probability_beyond(mean, std, boxes, merits))
    for k in range(2):
        drawn = mean[k] + std[k] * rng.standard_normal((n, n_goals))
        gain = boxes.improvement(np.column_stack([rule.merit(drawn[:, j]) for j, rule in enumerate(merits)]))
        assert abs(gain.mean() - expected[k]) < 3.0 * gain.std() / np.sqrt(n)
        assert abs((gain > 0).mean() - chance[k]) < 3.0 * np.sqrt(chance[k] * (1 - chance[k]) / n)


def test_far_below_the_front_candidates_stay_in_order():
    boxes = free_boxes(FRONT, np.zeros(2))
    mean = -np.array([[30.0, 30.0], [40.0, 40.0], [400.0, 400.0]])
    score = log_expected_hypervolume_improvement(mean, np.ones((3, 2)), boxes)
    assert np.isfinite(score).all()
    assert (np.diff(score) < 0).all()
    # next to nothing but the strip above both points counts: a product of two one-dimensional tails
    single = free_boxes(np.array([[0.0, 0.0]]), np.array([-1e-9, -1e-9]))
    value = log_expected_hypervolume_improvement(np.full((1, 2), -40.0), np.ones((1, 2)), single)[0]
    one = -800.0 - 0.9189385332 - 2.0 * np.log(40.0)
    assert value == pytest.approx(2 * one, abs=0.01)


# --- proposals ---------------------------------------------------------------------------------------


def a_task(seed=0, n=120):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 2))
    Y = -np.column_stack([((X - 0.3) ** 2).sum(axis=1), ((X - 0.7) ** 2).sum(axis=1)])
    return X, Y, rng.permutation(n)[:9]


def seen_of(X, Y, rows, goals=("maximize", "maximize"), names=("a", "b"), **options):
    objectives = [Objective(name, goal) for name, goal in zip(names, goals, strict=True)]
    return Observations.of(X, {int(r): Y[r] for r in rows}, objectives=objectives, **options)


def rows_of(choices):
    return [choice.row for choice in choices]


@pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=repr)
def test_more_proposals_begin_with_the_fewer(acquisition):
    seen = seen_of(*a_task(), pending=[3])
    if 3 in seen.rows:
        pytest.fail("row 3 is measured")
    four = rows_of(BayesianProposer(acquisition).propose(seen, 4))
    assert rows_of(BayesianProposer(acquisition).propose(seen, 3)) == four[:3]
    assert len(set(four) | {3}) == 5


@pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=repr)
def test_minimizing_the_negative_is_maximizing(acquisition):
    X, Y, rows = a_task(1)
    up = BayesianProposer(acquisition).propose(seen_of(X, Y, rows), 2)
    down = BayesianProposer(acquisition).propose(seen_of(X, -Y, rows, ("minimize", "minimize")), 2)
    assert rows_of(up) == rows_of(down)
    np.testing.assert_allclose(up[0].mean, -down[0].mean, atol=1e-9)


@pytest.mark.parametrize("acquisition", ["ehvi", "parego"])
def test_units_change_nothing(acquisition):
    X, Y, rows = a_task(2)
    plain = BayesianProposer(acquisition).propose(seen_of(X, Y, rows), 2)
    scaled = BayesianProposer(acquisition).propose(
        seen_of(X * [10, 1e3], Y * [1e3, 2] + [5, 273.15], rows), 2
    )
    assert rows_of(plain) == rows_of(scaled)


def test_the_order_of_candidates_changes_nothing():
    X, Y, rows = a_task(3)
    order = np.random.default_rng(0).permutation(len(X))
    place = np.argsort(order)
    plain = rows_of(BayesianProposer().propose(seen_of(X, Y, rows), 3))
    mixed = rows_of(BayesianProposer().propose(seen_of(X[order], Y[order], place[rows]), 3))
    assert [int(order[k]) for k in mixed] == plain


def test_for_one_objective_it_is_the_expected_improvement():
    X, Y, rows = a_task(4)
    seen = Observations.of(X, {int(r): Y[r, 0] for r in rows}, objectives=[Objective("a")])
    plain, several = BayesianProposer("ei"), BayesianProposer(ExpectedHypervolumeImprovement())
    assert rows_of(plain.propose(seen, 1)) == rows_of(several.propose(seen, 1))
    is_open = seen.is_open
    np.testing.assert_allclose(several.scores_[is_open], plain.scores_[is_open], atol=1e-9)


def test_parego_prefers_what_is_better_in_all_objectives():
    merits = np.array([[0.0, 0.0], [1.0, 1.0], [0.4, 0.6]])
    rng = np.random.default_rng(0)
    for weights in rng.dirichlet(np.ones(2), size=50):
        s = ParEGO().scalarize(merits, weights)
        assert s[1] > s[2] > s[0]
        assert s[1] == 0.0


@pytest.mark.parametrize("goals", [(Target(-0.1), "maximize"), (Range(-0.2, -0.05), Target(-0.3))], ids=repr)
def test_wanted_values_take_part(goals):
    X, Y, rows = a_task(5)
    (choice,) = BayesianProposer().propose(seen_of(X, Y, rows, goals), 1)
    wanted = [Objective("y", goal) for goal in goals]
    losses = np.array([[goal.loss(float(y)) for goal, y in zip(wanted, row, strict=True)] for row in Y])
    assert not any(beats(-losses[row], -losses[choice.row]) for row in rows)


def test_missing_cells_are_allowed_and_a_lonely_objective_is_left_out():
    X, Y, rows = a_task(6)
    holes = Y.copy()
    holes[rows[:5], 1] = np.nan
    (choice,) = BayesianProposer().propose(seen_of(X, holes, rows), 1)
    assert np.isfinite(choice.mean).all()
    holes[rows[:8], 1] = np.nan
    with pytest.warns(UserWarning, match=r"'b' \(1 result\) has fewer than 2 results"):
        (choice,) = BayesianProposer().propose(seen_of(X, holes, rows), 1)
    assert np.isnan(choice.mean[1])
    assert np.isfinite(choice.mean[0])


def test_a_told_value_in_all_histories_is_a_real_tell():
    X, Y, rows = a_task(7, n=60)
    settings = Surrogate(noise=1e-6, transform="standardize")
    proposer = BayesianProposer(surrogate=settings)
    first, _ = proposer.propose(seen_of(X, Y, rows), 2)
    from sozai.proposals.several_scores import SeveralScorer

    scorer = proposer._scorer_used
    assert isinstance(scorer, SeveralScorer)
    told = np.array([float(m.scale.to_model(Y[[first.row], k])[0]) for k, m in enumerate(scorer.models)])
    scorer.is_open[first.row] = False
    listed = np.flatnonzero(scorer.is_open)
    pretended = scorer.averaged(listed, [first.row], 1, lie=told)
    posteriors = [
        m.posterior(scorer.Z, scorer.rows).condition(first.row, told[k]) for k, m in enumerate(scorer.models)
    ]
    mean = np.column_stack([p.mean for p in posteriors])
    std = np.sqrt(np.column_stack([p.variance for p in posteriors]))
    front = scorer.reference(scorer.mean[scorer.rows]).with_point(mean[first.row])
    np.testing.assert_allclose(
        pretended, scorer.acquisition.score(mean[listed], std[listed], front), atol=1e-4
    )


def test_two_objectives_cover_more_than_chance():
    X, Y, rows = a_task(8, n=300)
    rows, reference = list(rows), np.array([-0.5, -0.5])
    start = hypervolume(Y[rows], reference)
    chance = np.median([
        hypervolume(Y[np.random.default_rng(k).permutation(300)[:17]], reference) for k in range(50)
    ])  # fmt: skip
    for _ in range(8):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows += rows_of(BayesianProposer().propose(seen_of(X, Y, rows), 1))
    assert hypervolume(Y[rows], reference) > max(start, chance)


@pytest.mark.parametrize("method", ["ga", "de", "pso"])
def test_evolution_is_a_function_of_results_and_seed(method):
    X, Y, rows = a_task(9)
    seen = seen_of(X, Y, rows, seed=5)
    proposer = EvolutionaryProposer(method, size=6)
    four = rows_of(proposer.propose(seen, 4))
    assert rows_of(EvolutionaryProposer(method, size=6).propose(seen, 3)) == four[:3]
    order = np.random.default_rng(0).permutation(len(X))
    place = np.argsort(order)
    mixed = rows_of(proposer.propose(seen_of(X[order], Y[order], place[rows], seed=5), 4))
    assert [int(order[k]) for k in mixed] == four
    down = rows_of(proposer.propose(seen_of(X, -Y, rows, ("minimize", "minimize"), seed=5), 4))
    assert down == four


def test_the_closed_form_of_two_objectives():
    from scipy.stats import norm

    def excess(mean, std, a):
        u = (mean - a) / std
        return (mean - a) * norm.cdf(u) + std * norm.pdf(u)

    mean, std = np.array([1.7, 2.2]), np.array([0.6, 0.9])
    a, b = [0.0, 1.0, 2.0, 3.0, np.inf], [3.0, 2.0, 1.0, 0.0]
    first = [excess(mean[0], std[0], level) if np.isfinite(level) else 0.0 for level in a]
    total = sum((first[i] - first[i + 1]) * excess(mean[1], std[1], b[i]) for i in range(4))
    got = expected_hypervolume_improvement(mean[None], std[None], FRONT, [0, 0])[0]
    assert got == pytest.approx(total, rel=1e-12)
