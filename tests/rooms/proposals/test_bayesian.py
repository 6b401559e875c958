import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.contracts.estimator import NotFittedError
from sozai.contracts.observations import Observations
from sozai.numerics.improvement import log_expected_improvement
from sozai.proposals.acquisition import ExpectedImprovement, UpperConfidenceBound
from sozai.proposals.batch import ConstantLiar, Fantasies, LocalPenalty, Thompson, TopScores, as_batch
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.objectives import Objective, Range, Target
from sozai.proposals.pool_scores import PoolScorer
from sozai.proposals.surrogate import Surrogate

GRID = np.array([[i / 14, j / 14] for i in range(15) for j in range(15)])
HEIGHT = np.exp(-8 * ((GRID[:, 0] - 0.71) ** 2 + (GRID[:, 1] - 0.36) ** 2)) + 0.3 * GRID[:, 0]
ROWS = np.random.default_rng(0).permutation(225)[:12]


def seen_of(rows=ROWS, y=HEIGHT, goal="maximize", X=GRID, unit=None, noise=None, **options):
    objective = Objective("y", goal, unit=unit, noise=noise)
    return Observations.of(X, {int(k): y[k] for k in rows}, objectives=[objective], **options)


def test_it_climbs_to_the_top_of_a_hill():
    rows = list(ROWS[:6])
    for _ in range(14):
        rows.append(BayesianProposer().propose(seen_of(rows), 1)[0].row)
    assert HEIGHT[rows].max() == HEIGHT.max()


def test_attributes_and_reason_speak_the_users_unit():
    proposer = BayesianProposer()
    (choice,) = proposer.propose(seen_of(y=100 * HEIGHT + 300, unit="K"), 1)
    assert "log expected improvement: mean" in choice.reason
    assert " K, the best mean of a measured candidate." in choice.reason
    assert 300 < choice.mean[0] < 450
    assert 0 < choice.std[0] < 60
    assert proposer.scores_.shape == (225,)
    assert np.argmax(proposer.scores_) == choice.row
    assert (proposer.scores_[ROWS] == -np.inf).all()
    assert proposer.posterior_.n_observed == 12
    assert abs(proposer.incumbent_ - (100 * HEIGHT[ROWS] + 300).max()) < 5
    assert "12 results" in repr(proposer.gp_[0])


def test_goals_choose_their_score():
    near = BayesianProposer().propose(seen_of(goal=Target(0.6)), 1)[0]
    assert abs(HEIGHT[near.row] - 0.6) < 0.15
    within = BayesianProposer().propose(seen_of(goal=Range(0.55, 0.65)), 1)[0]
    assert abs(HEIGHT[within.row] - 0.6) < 0.15
    assert "nearness" in near.reason
    assert "probability of the range" in within.reason
    half_open = BayesianProposer().propose(seen_of(goal=Range(0.5, np.inf)), 1)[0]
    assert HEIGHT[half_open.row] > 0.4
    with pytest.raises(InputError, match=r"acquisition must fit the goal Target\(value=0.6\). Got UpperConf"):
        BayesianProposer("ucb").propose(seen_of(goal=Target(0.6)), 1)
    with pytest.raises(InputError, match=r"fit the goal 'maximize'. Got TargetImprovement"):
        BayesianProposer("target").propose(seen_of(), 1)


def test_few_results_fill_the_list():
    for rows in ([], [7], [7, 200]):
        choices = BayesianProposer().propose(seen_of(rows), 3)
        assert len({choice.row for choice in choices}) == 3
        assert all(
            choice.reason.startswith("Fills the list") and np.isnan(choice.mean[0]) for choice in choices
        )
    assert "2 results are too few for a model" in choices[0].reason
    assert "nothing is measured yet" in BayesianProposer().propose(seen_of([]), 1)[0].reason
    assert not np.isnan(BayesianProposer(n_start=2).propose(seen_of([7, 200]), 1)[0].mean[0])


def test_equal_results_are_learned_about():
    choices = BayesianProposer().propose(seen_of(y=np.full(225, 3.0)), 2)
    assert choices[0].reason.startswith("All results are equal")
    assert "are equal" in BayesianProposer(batch="thompson").propose(seen_of(y=np.ones(225)), 1)[0].reason
    assert choices[0].mean[0] == pytest.approx(3.0)
    zero = BayesianProposer().propose(seen_of(y=np.zeros(225)), 1)
    assert zero[0].mean[0] == pytest.approx(0.0)


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_results_of_any_size(factor):
    plain = BayesianProposer().propose(seen_of(), 1)[0]
    scaled = BayesianProposer().propose(seen_of(y=HEIGHT * factor), 1)[0]
    assert scaled.row == plain.row
    assert scaled.mean[0] == pytest.approx(plain.mean[0] * factor, rel=1e-6)


def test_columns_of_any_size_and_columns_that_say_nothing():
    wide = GRID * [1e150, 1e-150]
    assert (
        BayesianProposer().propose(seen_of(X=wide), 1)[0].row
        == BayesianProposer().propose(seen_of(), 1)[0].row
    )
    with pytest.warns(ConvergenceWarning, match="column 'x2' is constant over the candidates"):
        found = BayesianProposer().propose(seen_of(X=np.column_stack([GRID, np.ones(225)])), 1)
    assert found[0].row == BayesianProposer().propose(seen_of(), 1)[0].row
    with pytest.warns(ConvergenceWarning, match="columns 'x0' and 'x2' are the same after scaling"):
        BayesianProposer().propose(seen_of(X=np.column_stack([GRID, 3 * GRID[:, 0]])), 1)
    huge = GRID.copy()
    huge[0, 0], huge[1, 0] = -1.7e308, 1.7e308
    with pytest.raises(InputError, match=r"have a range that is a number. Got 'x0'"):
        BayesianProposer().propose(seen_of(X=huge), 1)
    broken = GRID.copy()
    broken[4, 1] = np.nan
    with pytest.raises(InputError, match=r"NaN .* first at row 4, column 'x1'"):
        BayesianProposer().propose(seen_of(X=broken), 1)


def test_all_candidates_taken_and_more_asked_than_left():
    with pytest.warns(UserWarning, match="no candidate is open"):
        assert BayesianProposer().propose(seen_of(closed=list(range(225))), 2) == []
    left = [k for k in range(225) if k not in ROWS][:2]
    closed = [k for k in range(225) if k not in left]
    with pytest.warns(UserWarning, match="2 of 5 candidates: no more are open"):
        found = BayesianProposer().propose(seen_of(closed=closed), 5)
    assert sorted(choice.row for choice in found) == left


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_n_is_a_whole_number(n):
    with pytest.raises(InputError, match=f"n must be a whole number of 1 or more. Got {n}"):
        BayesianProposer().propose(seen_of(), n)


def test_two_objectives_are_served():
    results = {int(k): [HEIGHT[k], GRID[k, 0]] for k in ROWS}
    seen = Observations.of(GRID, results, objectives=[Objective("a"), Objective("b")])
    (choice,) = BayesianProposer().propose(seen, 1)
    assert choice.mean.shape == (2,)


def test_equal_rows_with_other_results_get_noise():
    X = np.vstack([GRID, GRID[ROWS[:2]]])
    y = np.append(HEIGHT, HEIGHT[ROWS[:2]] + 0.2)
    rows = [*ROWS, 225, 226]
    with pytest.warns(ConvergenceWarning, match="rows with the same descriptors have different results"):
        choices = BayesianProposer(surrogate=Surrogate(noise=0.0)).propose(seen_of(rows, y, X=X), 1)
    assert len(choices) == 1


def test_known_noise_and_replicates_count():
    exact = BayesianProposer()
    exact.propose(seen_of(), 1)
    noisy = BayesianProposer()
    noisy.propose(seen_of(sigma=0.3), 1)
    assert noisy.posterior_.variance[ROWS].mean() > 2 * exact.posterior_.variance[ROWS].mean()
    by_objective = BayesianProposer()
    by_objective.propose(seen_of(noise=0.3), 1)
    np.testing.assert_array_equal(by_objective.posterior_.variance, noisy.posterior_.variance)


def test_running_candidates_are_reckoned_with():
    proposer = BayesianProposer()
    first, second = proposer.propose(seen_of(), 2)
    (after,) = proposer.propose(seen_of(pending=[first.row]), 1)
    assert after.row == second.row
    assert after.score == second.score


@pytest.mark.parametrize(
    "batch", [Fantasies(16), ConstantLiar("best"), LocalPenalty(), TopScores(), Thompson()]
)
def test_batches_have_different_members(batch):
    rows = [choice.row for choice in BayesianProposer(batch=batch).propose(seen_of(), 5)]
    assert len(set(rows)) == 5
    if not isinstance(batch, (TopScores, LocalPenalty)):
        top = [choice.row for choice in BayesianProposer(batch="top").propose(seen_of(), 5)]
        assert rows != top


def test_batches_that_reckon_with_themselves_spread_out():
    rng = np.random.default_rng(4)
    X = np.vstack([GRID, rng.random((3000, 2))])
    y = np.zeros(len(X))
    y[:225] = HEIGHT

    def spread(batch):
        choices = BayesianProposer(batch=batch).propose(seen_of(ROWS, y, X=X), 4)
        points = X[[choice.row for choice in choices]]
        return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2)).sum()

    assert spread(Fantasies()) > spread(TopScores())
    assert spread(LocalPenalty()) > spread(TopScores())


def test_bad_batches_are_named():
    with pytest.raises(InputError, match=r"one of fantasies, liar, penalty, top, thompson. Got 'many'"):
        as_batch("many", place="ask")
    with pytest.raises(InputError, match=r"n must be a whole number of 1 or more. Got 0"):
        Fantasies(0)
    with pytest.raises(InputError, match=r"'worst', 'mean' or 'best'. Got 'low'"):
        ConstantLiar("low")


def test_dear_candidates_must_promise_more():
    plain = BayesianProposer().propose(seen_of(), 1)[0]
    cost = np.ones(225)
    cost[plain.row] = 1e6
    assert BayesianProposer().propose(seen_of(cost=cost), 1)[0].row != plain.row
    assert BayesianProposer(cost_weight=0.0).propose(seen_of(cost=cost), 1)[0].row == plain.row
    # twelve results have spent the whole budget: the cost has no weight any more
    assert BayesianProposer(budget=12.0).propose(seen_of(cost=cost), 1)[0].row == plain.row
    half = BayesianProposer(budget=24.0)
    half.propose(seen_of(cost=cost), 1)
    assert half._cost_power(seen_of(cost=cost)) == pytest.approx(0.5)
    with pytest.warns(ConvergenceWarning, match="is no logarithm"):
        BayesianProposer("ucb").propose(seen_of(cost=cost), 1)


def test_outcomes_weigh_the_scores():
    class Never:
        def log_weight(self, observations):
            return np.where(observations.X[:, 0] > 0.5, -1e9, 0.0)

    assert GRID[BayesianProposer().propose(seen_of(), 1)[0].row, 0] > 0.5
    assert GRID[BayesianProposer(outcomes=[Never()]).propose(seen_of(), 1)[0].row, 0] <= 0.5


def test_collapsed_weights_and_bounds_are_told():
    proposer = BayesianProposer(surrogate=Surrogate(n_hyper=16))
    proposer.propose(seen_of(), 1)
    draws = proposer.gp_[0].draws
    assert draws.status == "" or draws.status in proposer.hyper_status_
    flat = BayesianProposer(surrogate=Surrogate(noise=1e-9))
    flat.propose(seen_of(y=GRID[:, 0]), 1)
    assert all(isinstance(line, str) for line in flat.hyper_status_)


def test_explain_lists_the_nearest_results():
    proposer = BayesianProposer()
    with pytest.raises(NotFittedError, match="Call propose or ask first"):
        proposer.explain(0)
    (choice,) = proposer.propose(seen_of(), 1)
    table = proposer.explain(choice, n=3)
    assert table["row"].tolist()[0] == choice.row
    assert (np.diff(table["distance"]) >= 0).all()
    np.testing.assert_allclose(table["result"][1:], HEIGHT[table["row"][1:]])
    assert table["mean"][0] == pytest.approx(choice.mean[0])
    assert table["score"][0] == pytest.approx(choice.score)
    assert proposer.explain(int(choice.row), n=3).equals(table)


def test_manners_of_an_estimator():
    proposer = BayesianProposer(UpperConfidenceBound(3.0), "liar", refit=5)
    twin = clone(proposer)
    assert twin.get_params() == proposer.get_params()
    assert "refit=5" in repr(twin)
    seen = seen_of()
    before = seen.X.copy(), seen.Y.copy()
    proposer.propose(seen, 2)
    np.testing.assert_array_equal(before[0], seen.X)
    np.testing.assert_array_equal(before[1], seen.Y)
    with pytest.raises(ValueError, match="refit"):
        BayesianProposer(refit=0).propose(seen, 1)
    with pytest.raises(ValueError, match="refit"):  # right before, wrong now
        proposer.set_params(refit=0).propose(seen, 1)
    with pytest.raises(ValueError, match="n_start"):
        BayesianProposer(n_start="few").propose(seen, 1)


def test_ask_and_tell():
    with pytest.raises(NotFittedError, match=r"Call open\(candidates, objectives\) first"):
        BayesianProposer().ask()
    proposer = BayesianProposer(ExpectedImprovement()).open(GRID, Objective("y", "maximize"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(9):
            (proposal,) = proposer.ask()
            assert proposer.ask()[0] == proposal
            proposer.tell(proposal, HEIGHT[proposal.index])
    assert len(proposer.campaign_.results_) == 9
    table = proposer.explain(proposal)
    assert table["row"][0] == proposal.index


def test_a_list_longer_than_the_short_list_is_scored_as_a_short_one():
    rng = np.random.default_rng(3)
    X = rng.random((9000, 2))
    y = np.sin(4 * X).sum(axis=1)
    rows = rng.permutation(9000)[:10]
    choices = BayesianProposer(surrogate=Surrogate(n_hyper=8)).propose(seen_of(rows, y, X=X), 3)
    assert len({choice.row for choice in choices}) == 3
    assert choices[0].score >= choices[-1].score - 5


def test_any_objective_with_the_right_names_serves():
    goal = SimpleNamespace(name="Tc", goal="minimize", unit=None, noise=None)
    seen = Observations.of(GRID, {int(k): HEIGHT[k] for k in ROWS}, objectives=[goal])
    low = BayesianProposer().propose(seen, 1)[0]
    assert HEIGHT[low.row] < 0.4


@pytest.mark.parametrize("n_rows", [6, 40])
def test_the_bound_over_pretended_values_loses_no_candidate(n_rows, monkeypatch):
    rng = np.random.default_rng(5)
    X = rng.random((3000, 2))
    y = np.sin(5 * X).sum(axis=1)
    computed = []
    search = PoolScorer.best_pretended

    def beside_all(scorer, chosen, n_values):
        rows, scores = search(scorer, chosen, n_values)
        everything = np.flatnonzero(scorer.is_open)
        exact = scorer._pretended(everything, *scorer._history(chosen, n_values, None))
        assert everything[exact.argmax()] == rows[scores.argmax()]
        assert exact.max() == scores.max()
        computed.append(np.isfinite(scores).sum() / len(everything))
        return rows, scores

    monkeypatch.setattr(PoolScorer, "best_pretended", beside_all)
    cost = 1.0 + rng.random(3000)
    BayesianProposer().propose(seen_of(rng.permutation(3000)[:n_rows], y, X=X, cost=cost), 5)
    assert len(computed) == 4
    assert max(computed) < 0.5


def test_an_average_over_pretended_values_is_that_of_refitted_posteriors():
    # the mean improvement over histories, each told as if it were real
    proposer = BayesianProposer(batch=Fantasies(6))
    first, second = proposer.propose(seen_of(), 2)
    fitted = proposer.gp_[0]
    rows = proposer.posterior_.observed
    part = fitted.evidence.parameters(fitted.theta)
    draws = np.random.default_rng([0, 2, 0, 1]).standard_normal(3)
    total = 0.0
    for draw in np.concatenate([draws, -draws]):
        told = fitted.posterior((GRID - 0.5), rows)
        best = told.mean[rows].max()
        spread = np.sqrt(told.variance[first.row] + part.noise)
        told.condition(int(first.row), told.mean[first.row] + draw * spread)
        best = max(best, told.mean[first.row])
        total += np.exp(log_expected_improvement(told.mean, np.sqrt(told.variance), best))[second.row] / 6
    assert second.score == pytest.approx(np.log(total), abs=1e-7)


def test_predictions_hold_new_results_and_speak_the_users_unit():
    rng = np.random.default_rng(8)
    noisy = 40 * HEIGHT + 300 + 2.0 * rng.standard_normal(225)
    proposer = BayesianProposer()
    with pytest.raises(NotFittedError, match="Call propose or ask first"):
        proposer.predict([0])
    rows = rng.permutation(225)
    proposer.propose(seen_of(rows[:40], -noisy, goal="minimize"), 1)
    found = proposer.predict(rows[40:])
    assert found.columns.tolist() == ["row", "mean", "std", "low", "high"]
    held = (found["low"] <= -noisy[rows[40:]]) & (-noisy[rows[40:]] <= found["high"])
    assert 0.82 < held.mean() < 0.98
    assert 1.5 < np.median(found["std"]) < 4.0
    assert (found["low"] < found["mean"]).all()
    assert (found["mean"] < found["high"]).all()
    narrow = proposer.predict(rows[40:], level=0.5)
    assert (narrow["high"] < found["high"]).all()
    sure = proposer.predict(rows[40:], n_draws=0)
    assert sure["std"].mean() < found["std"].mean()
    assert proposer.predict(rows[40:]).equals(found)


def test_predictions_name_what_is_wrong():
    proposer = BayesianProposer()
    proposer.propose(seen_of(), 1)
    with pytest.raises(InputError, match=r"be candidates \(0 to 224\). Got 225"):
        proposer.predict([3, 225])
    with pytest.raises(InputError, match=r"be candidates \(0 to 224\). Got array\(\[0.5\]\)"):
        proposer.predict([0.5])
    with pytest.raises(InputError, match=r"level must lie between 0 and 1. Got 1.5"):
        proposer.predict([3], level=1.5)


def reasons(n=1, goal="maximize", cost=None, failed=(), **options):
    seen = seen_of(goal=goal, unit="K", cost=cost, failed=failed)
    return [choice.reason for choice in BayesianProposer(**options).propose(seen, n)]


def test_a_reason_names_what_was_done():
    assert reasons(acquisition="variance")[0].startswith("Highest standard deviation: mean ")
    first, second = reasons(2, batch="thompson")
    assert first.startswith("Best value of the drawn function: mean")
    assert second.startswith("Of those left, the best value of the drawn function: mean")
    start = "Highest log expected improvement"
    assert reasons(cost=np.full(225, 2.0))[0].startswith(f"{start} per cost: mean")
    assert reasons(cost=np.ones(225), budget=24.0)[0].startswith(f"{start} per cost^0.5: mean")
    assert reasons(cost=np.ones(225), budget=12.0)[0].startswith(f"{start}: mean")
    weighted = reasons(cost=np.ones(225), failed=[224])[0]
    assert weighted.startswith(f"{start} per cost, weighted by the probability of success: mean")


def test_a_reason_for_a_range_says_how_probable_it_is():
    (reason,) = reasons(goal=Range(0.2, 0.5))
    inside = sum(0.2 <= HEIGHT[row] <= 0.5 for row in ROWS)
    assert ", within 0.2 to 0.5 K with probability 0.9" in reason or "with probability 1;" in reason
    assert reason.endswith(f"; results inside so far: {inside} of 12.")
    (reason,) = reasons(goal=Range(50.0, np.inf))
    assert ", at least 50 K with probability " in reason
    assert "; no result lies inside yet, the nearest mean of a measured candidate is " in reason


def test_drawn_functions_seek_the_goal():
    for goal in (Target(0.6), Range(0.55, 0.65)):
        choices = BayesianProposer(batch="thompson").propose(seen_of(goal=goal), 3)
        assert max(abs(HEIGHT[choice.row] - 0.6) for choice in choices) < 0.25


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"acquisition": "eii"}, "one of ei,.*Got 'eii'"),
        ({"batch": "bogus"}, "one of fan.*Got 'bogus'"),
    ],
)
def test_a_wrong_word_is_refused_before_there_is_a_model(options, said):
    with pytest.raises(InputError, match=said):
        BayesianProposer(**options).propose(seen_of(rows=[]), 1)
    two = Observations.of(GRID, {}, objectives=[Objective("a"), Objective("b")])
    with pytest.raises(InputError, match=r"acquisition must serve several objectives.*Got 'ei'"):
        BayesianProposer("ei").propose(two, 1)
