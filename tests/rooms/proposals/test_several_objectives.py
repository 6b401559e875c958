import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.observations import Observations
from sozai.proposals.acquisition import ThompsonSampling
from sozai.proposals.batch import ConstantLiar, LocalPenalty, Thompson, TopScores
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.novelty import SteinNovelty, stein_novelty
from sozai.proposals.objectives import Objective
from sozai.proposals.pareto import Climb
from sozai.proposals.several_objectives import (
    ExpectedHypervolumeImprovement,
    Front,
    HypervolumeProbability,
    HypervolumeThompson,
    NonDominatedRank,
    ParEGO,
    SeveralSituation,
    as_several,
)
from sozai.proposals.surrogate import Surrogate


def a_task(n_goals=2, n=100, m=10, seed=0, **options):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 2))
    centers = np.array([[0.3, 0.3], [0.7, 0.7], [0.3, 0.7], [0.7, 0.3]])[:n_goals]
    Y = -np.column_stack([((X - c) ** 2).sum(axis=1) for c in centers])
    names = ["a", "b [K]", "c", "d"][:n_goals]
    results = {int(r): Y[r] for r in rng.permutation(n)[:m]}
    return X, Y, Observations.of(X, results, objectives=[Objective(name) for name in names], **options)


def test_names():
    assert as_several("HVPI", place="x") == HypervolumeProbability()
    assert as_several(ThompsonSampling(), place="x") == HypervolumeThompson()
    with pytest.raises(InputError, match=r"one of ehvi, hvpi, ts, parego, rank. Got 'ei'"):
        as_several("ei", place="x")


def test_a_front_takes_in_what_is_not_beaten():
    front = Front(np.array([[1.0, 3.0], [3.0, 1.0]]), np.zeros(2), (Climb(), Climb()))
    assert front.with_point(np.array([1.0, 1.0])) is front
    assert len(front.with_point(np.array([2.0, 2.0])).points) == 3
    assert front.with_point(np.array([4.0, 4.0])).points.tolist() == [[4.0, 4.0]]


def test_rows_with_holes_are_on_the_front_only_where_all_have_some():
    values = np.array([[1.0, np.nan], [0.0, 2.0]])
    mean = np.array([[1.0, 9.0], [0.1, 1.9]])
    known = SeveralSituation(values, mean, (Climb(), Climb()))
    assert known.known("mean").tolist() == [[0.1, 1.9]]
    assert known.known("observed").tolist() == [[0.0, 2.0]]
    lonely = SeveralSituation(values[:1], mean[:1], (Climb(), Climb()))
    assert lonely.known("observed").tolist() == [[1.0, 9.0]]


def test_the_reference_is_in_the_users_unit():
    _, _, seen = a_task()
    proposer = BayesianProposer(ExpectedHypervolumeImprovement(reference=(-0.4, -0.5)))
    proposer.propose(seen, 1)
    np.testing.assert_allclose(proposer.reference_, [-0.4, -0.5])
    assert proposer.front_.shape[1] == 2


def test_a_reference_better_than_all_results_is_refused_with_their_range():
    _, _, seen = a_task()
    low, high = seen.Y.min(axis=0), seen.Y.max(axis=0)
    with pytest.raises(InputError) as error:
        BayesianProposer(ExpectedHypervolumeImprovement(reference=(0.5, 0.5))).propose(seen, 1)
    assert f"a {low[0]:.6g} to {high[0]:.6g}, b {low[1]:.6g} to {high[1]:.6g}" in str(error.value)
    assert "Got [0.5, 0.5]" in str(error.value)
    with pytest.raises(InputError, match=r"have 2 numbers, one per objective. Got \[0.0\]"):
        BayesianProposer(ExpectedHypervolumeImprovement(reference=(0.0,))).propose(seen, 1)


def test_settings_are_checked():
    with pytest.raises(InputError, match=r"'mean' or 'observed'. Got 'best'"):
        ExpectedHypervolumeImprovement(incumbent="best")
    with pytest.raises(InputError, match=r"one finite number for each objective. Got \(nan, 1\)"):
        HypervolumeProbability(reference=(np.nan, 1))
    with pytest.raises(InputError, match=r"0 or more. Got -1"):
        ParEGO(weight=-1)
    with pytest.raises(InputError, match=r"positive. Got 0"):
        SteinNovelty(width=0)
    with pytest.raises(InputError, match=r"serve several objectives. Got LocalPenalty"):
        BayesianProposer(batch=LocalPenalty()).propose(a_task()[2], 1)


@pytest.mark.parametrize("batch", [TopScores(), Thompson(), ConstantLiar(), ConstantLiar("best")], ids=repr)
def test_other_batches(batch):
    _, _, seen = a_task(seed=1)
    three = [c.row for c in BayesianProposer(batch=batch).propose(seen, 3)]
    assert len(set(three)) == 3
    assert [c.row for c in BayesianProposer(batch=batch).propose(seen, 2)] == three[:2]


@pytest.mark.parametrize("acquisition", ["ehvi", "ts", "parego"])
def test_averaged_parameters(acquisition):
    _, _, seen = a_task(seed=2)
    proposer = BayesianProposer(acquisition, surrogate=Surrogate(n_hyper=8))
    two = proposer.propose(seen, 2)
    assert [c.row for c in proposer.propose(seen, 1)] == [two[0].row]


def test_the_best_known_point_is_found_by_rank():
    X, _, seen = a_task(seed=3, m=25)
    (choice,) = BayesianProposer("rank").propose(seen, 1)
    # both objectives only trade on the line between the two centers
    distance = abs(X[choice.row, 0] - X[choice.row, 1]) / np.sqrt(2)
    assert distance < 0.15


def test_three_and_four_objectives():
    for n_goals in (3, 4):
        _, _, seen = a_task(n_goals, seed=4, m=14)
        choices = BayesianProposer().propose(seen, 2)
        assert choices[0].mean.shape == (n_goals,)
        assert choices[0].row != choices[1].row


def test_too_many_boxes_are_drawn_instead(monkeypatch):
    from sozai.proposals import several_objectives

    monkeypatch.setattr(several_objectives, "MOST_BOXES", 5)
    _, _, seen = a_task(3, seed=5, m=20)
    with pytest.warns(UserWarning, match=r"in 3 objectives has more than .* boxes; functions are drawn"):
        (choice,) = BayesianProposer().propose(seen, 1)
    assert "drawn functions" in choice.reason


def test_drawn_improvement_without_boxes_is_the_same():
    rng = np.random.default_rng(0)
    points = rng.random((6, 3))
    front = Front(points, np.zeros(3), (Climb(),) * 3)
    new = rng.random((30, 3)) * 1.3
    with_boxes = front.improvement(new)
    bare = Front(points, np.zeros(3), (Climb(),) * 3)
    object.__setattr__(bare, "_boxes", None)
    np.testing.assert_allclose(bare.improvement(new), with_boxes, atol=1e-12)


def test_explain_shows_all_objectives():
    _, _, seen = a_task(seed=6)
    proposer = BayesianProposer()
    (choice,) = proposer.propose(seen, 1)
    table = proposer.explain(choice, n=3)
    assert len(table) == 4
    assert table["row"][0] == choice.row
    assert np.isnan(table["result 0"][0])
    row = int(table["row"][1])
    place = int(np.flatnonzero(seen.rows == row)[0])
    assert table["result 1"][1] == pytest.approx(seen.Y[place, 1], abs=1e-9)


def test_novelty_by_hand():
    # kernel l/b² - d²/b⁴ times exp(-d²/2b²), two seen points
    got = stein_novelty(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 2.0]]), 1.0)[0]
    expected = -((2 - 1) * np.exp(-0.5) + (2 - 4) * np.exp(-2.0))
    assert got == pytest.approx(expected, rel=1e-12)


def test_novelty_goes_where_results_are_few():
    _, Y, seen = a_task(seed=7, m=30)
    (choice,) = BayesianProposer(SteinNovelty()).propose(seen, 1)
    spread = seen.Y.std(axis=0)

    def nearest(y, others):
        return np.sqrt((((others - y) / spread) ** 2).sum(axis=1)).min()

    others = [nearest(Y[k], seen.Y) for k in seen.open]
    assert nearest(Y[choice.row], seen.Y) > np.median(others)


def test_ranks_prefer_the_front():
    rule = NonDominatedRank()
    front = Front(np.array([[1.0, 1.0]]), np.zeros(2), (Climb(), Climb()))
    scores = rule.score(np.array([[2.0, 2.0], [1.5, 1.5], [0.5, 0.5]]), np.ones((3, 2)), front)
    assert scores.tolist() == [0.75, -1.0 + 1.25 / 2.25, -3.0]
