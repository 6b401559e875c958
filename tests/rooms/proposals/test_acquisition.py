import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.acquisition import (
    ExpectedImprovement,
    NoisyExpectedImprovement,
    ProbabilityOfImprovement,
    RangeProbability,
    Situation,
    TargetImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
    Variance,
    as_acquisition,
    average_scores,
)

KNOWN = Situation(np.array([0.2, 1.5]), np.array([0.3, 1.1]), 3)
MEAN, STD = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.5, 2.0])


def test_the_incumbent_is_the_best_mean_or_the_best_value():
    assert ExpectedImprovement().prepare(KNOWN) == 1.1
    assert ExpectedImprovement("observed", margin=0.5).prepare(KNOWN) == 2.0
    assert ProbabilityOfImprovement(margin=0.1).prepare(KNOWN) == pytest.approx(1.2)


def test_a_pretended_value_may_become_the_incumbent():
    for rule in (ExpectedImprovement(), ProbabilityOfImprovement()):
        assert rule.follow(np.array([1.0, 1.0]), np.array([0.5, 3.0])).tolist() == [1.0, 3.0]
    nearer = TargetImprovement().follow(np.array([[2.0, 1.0], [2.0, 1.0]]), np.array([5.0, 2.25]))
    assert nearer.tolist() == [[2.0, 1.0], [2.0, 0.25]]
    assert Variance().follow(np.zeros(2), np.ones(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "rule", [ExpectedImprovement(), ProbabilityOfImprovement(), UpperConfidenceBound()], ids=repr
)
def test_equal_histories_average_to_the_score_itself(rule):
    reference = rule.prepare(KNOWN)
    means = np.repeat(MEAN[:, None], 4, axis=1)
    averaged = rule.score_all(means, STD, np.full(4, reference))
    np.testing.assert_allclose(averaged, rule.score(MEAN, STD, reference), rtol=1e-12)


def test_scores_rise_with_the_mean_and_with_the_deviation():
    for rule in (ExpectedImprovement(), UpperConfidenceBound(), NoisyExpectedImprovement()):
        reference = rule.prepare(KNOWN)
        assert (np.diff(rule.score(MEAN, np.ones(3), reference)) > 0).all()
        assert (np.diff(rule.score(np.ones(3), np.sort(STD), reference)) > 0).all()
    assert Variance().score(MEAN, STD, 0.0).tolist() == STD.tolist()
    assert ThompsonSampling().score(MEAN, STD, 0.0).tolist() == MEAN.tolist()


def test_the_schedule_of_the_bound_grows_with_the_results():
    beta = UpperConfidenceBound("schedule").prepare(KNOWN)
    assert beta == pytest.approx(np.sqrt(2 * np.log(3 * 4 * np.pi**2 / 0.6)))


def test_target_and_range_take_the_nearest_mean():
    known = Situation(np.zeros(2), np.array([0.0, 3.0]), 1, target=2.5, span=(1.0, 2.0))
    assert TargetImprovement().prepare(known) == (2.5, 0.5)
    assert RangeProbability().prepare(known) == (1.0, 2.0)
    exact = Situation(np.zeros(1), np.array([2.5]), 1, target=2.5)
    scores = TargetImprovement().score(
        np.array([2.4, 2.6, 9.0]), np.ones(3), TargetImprovement().prepare(exact)
    )
    assert scores[0] == pytest.approx(scores[1])
    assert scores[0] > scores[2]


def test_averages_of_logarithms_are_those_of_what_they_stand_for():
    scores, weights = np.log(np.array([[1.0, 1e-300], [3.0, 2.0]])), np.array([0.25, 0.75])
    np.testing.assert_allclose(average_scores(scores, weights, log=True), np.log([2.5, 1.5]))
    np.testing.assert_allclose(average_scores(np.array([[1.0], [3.0]]), weights, log=False), [2.5])
    none = average_scores(np.full((2, 1), -np.inf), weights, log=True)
    assert none[0] == -np.inf


def test_bad_settings_are_named():
    with pytest.raises(InputError, match=r"incumbent must be 'mean' or 'observed'. Got 'best'"):
        ExpectedImprovement("best")
    with pytest.raises(InputError, match=r"margin must be a finite number. Got nan"):
        ExpectedImprovement(margin=np.nan)
    with pytest.raises(InputError, match=r"beta must be a finite number. Got 'big'"):
        UpperConfidenceBound("big")
    with pytest.raises(InputError, match=r"n_draws must be a whole number of 1 or more. Got 0"):
        NoisyExpectedImprovement(n_draws=0)
    with pytest.raises(InputError, match=r"one of ei, nei, pi, ucb, ts, variance, target, range. Got 'best'"):
        as_acquisition("best", place="ask")
    with pytest.raises(InputError, match=r"goal must be Target\(value\)"):
        TargetImprovement().prepare(KNOWN)
    with pytest.raises(InputError, match=r"goal must be Range\(low, high\)"):
        RangeProbability().prepare(KNOWN)
    assert as_acquisition("EI", place="ask") == ExpectedImprovement()
