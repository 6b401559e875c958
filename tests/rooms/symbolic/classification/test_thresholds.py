"""Cuts of one line: accuracy and ROC area against all cuts tried one by one, and the rule written down."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from sozai.contracts.errors import InputError
from sozai.symbolic.classification.cut_rule import best_rule, short_number
from sozai.symbolic.classification.thresholds import AreaScore, ThresholdScore


def cuts_of(feature):
    points = np.unique(feature)
    return np.r_[points[0] - 1, (points[1:] + points[:-1]) / 2, points[-1] + 1]


def most_right(feature, y, interval):
    """Try every cut, or every pair of cuts, in both directions."""
    best = 0
    for low, high in (
        itertools.combinations(cuts_of(feature), 2)
        if interval
        else [(-np.inf, cut) for cut in cuts_of(feature)]
    ):
        inside = (low < feature) & (feature < high)
        best = max(best, int(np.sum(inside == y)), int(np.sum(inside != y)))
    return best


def area_of(feature, y):
    low, high = feature[~y], feature[y]
    area = np.mean((low[:, None] < high) + 0.5 * (low[:, None] == high))
    return max(area, 1 - area)


@st.composite
def features(draw):
    """A feature, often with ties, and labels of two classes."""
    m = draw(st.integers(2, 18))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return np.round(rng.normal(size=m), draw(st.integers(0, 3))), np.r_[False, True, rng.random(m - 2) < 0.5]


@given(features(), st.booleans())
def test_accuracy_is_that_of_the_best_of_all_cuts(case, interval):
    feature, y = case
    score = ThresholdScore(y, interval=interval)
    accuracy, area = score.parts(score.evaluate([feature]))
    assert round(accuracy[0] * y.size) == most_right(feature, y, interval)
    assert area[0] == pytest.approx(area_of(feature, y), abs=1e-9)
    assert AreaScore(y).evaluate([feature])[0] == pytest.approx(area_of(feature, y), abs=1e-12)


@given(features(), st.booleans())
def test_the_rule_classes_as_many_samples_as_the_score_counts(case, interval):
    feature, y = case
    rule = best_rule(feature, y, interval=interval)
    assert rule.n_correct == most_right(feature, y, interval)
    predicted = rule.distances(feature, 2).argmax(axis=1)
    assert np.sum(predicted == y) == rule.n_correct
    assert len(rule.pieces) == len(rule.cuts) + 1 <= 3


@given(seed=st.integers(0, 10**6))
def test_three_classes_hold_one_piece_each_in_the_order_of_their_mean_ranks(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(4, 14))
    feature, y = np.round(rng.normal(size=m), 1), np.r_[0, 1, 2, rng.integers(0, 3, m - 3)]
    ranks = rankdata(feature)
    order = np.argsort([ranks[y == c].mean() for c in range(3)], kind="stable")
    best = 0
    for cuts in itertools.combinations_with_replacement(cuts_of(feature), 2):
        best = max(best, int(np.sum(order[np.searchsorted(cuts, feature)] == y)))
    score = ThresholdScore(y)
    accuracy, area = score.parts(score.evaluate([feature]))
    assert round(accuracy[0] * m) == best
    pairs = [area_of(feature[y != c], y[y != c] == max({0, 1, 2} - {c})) for c in range(3)]
    assert area[0] == pytest.approx(np.mean(pairs), abs=1e-9)
    rule = best_rule(feature, y)
    assert np.sum(rule.distances(feature, 3).argmax(axis=1) == y) == rule.n_correct == best


def test_values_that_differ_by_rounding_are_one_block():
    feature = np.array([0.1 * 3, 0.3, 0.3, 0.1 * 3])  # 0.30000000000000004 and 0.3
    score = ThresholdScore([1, 0, 0, 1])
    assert score.parts(score.evaluate([feature]))[0] == 0.5
    assert best_rule(feature, [1, 0, 0, 1]).cuts == ()


def test_one_block_of_rows_gives_the_same_bits_as_many():
    rng = np.random.default_rng(0)
    values, y = rng.normal(size=(150, 40)), rng.integers(0, 2, 40)
    score = ThresholdScore(y)
    whole = score.evaluate(values)
    again = pickle.loads(pickle.dumps(score))
    np.testing.assert_array_equal(whole, np.concatenate([again.evaluate(row) for row in values]))


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_scale_and_direction_do_not_matter(scale):
    rng = np.random.default_rng(1)
    feature, y = rng.normal(size=30), rng.integers(0, 2, 30)
    score = ThresholdScore(y, interval=True)
    assert score.evaluate([feature]) == score.evaluate([-scale * feature])


def test_a_feature_that_is_not_finite_comes_last():
    values = [[1.0, 2.0, np.inf], [1.0, np.nan, 2.0], [2.0, 1.0, 3.0]]
    scores = ThresholdScore([0, 1, 1]).evaluate(values)
    assert np.isneginf(scores[:2]).all()
    assert scores[2] > 0
    assert np.isneginf(AreaScore([0, 1, 1]).evaluate(values)[:2]).all()


def test_the_cut_lies_in_the_widest_gap_with_few_digits():
    rule = best_rule([1.0, 2.0, 2.1, 7.34, 7.4], [0, 0, 0, 1, 1])
    assert rule.cuts == (5.0,)
    assert rule.text("x", ["no", "yes"]) == "yes if x > 5, else no"
    outside = best_rule([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 1, 0, 0, 1, 1], interval=True)
    assert outside.text("x", ["no", "yes"]) == "yes if x < 2.5 or x > 4.5, else no"
    inside = best_rule([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0, 0, 1, 1, 0, 0], interval=True)
    assert inside.text("x", ["no", "yes"]) == "yes if 2.5 < x < 4.5, else no"
    three = best_rule([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], list("aabbcc"))
    assert three.text("x", ["a", "b", "c"]) == "a if x < 2.5, b if 2.5 < x < 4.5, c if x > 4.5"


def test_a_feature_without_information_is_not_cut():
    rule = best_rule([1.0, 1.0, 1.0], ["a", "b", "b"])
    assert (rule.cuts, rule.text("x", ["a", "b"])) == ((), "always b")
    assert rule.log_likelihood == pytest.approx(np.log(1 / 3) + 2 * np.log(2 / 3))


@pytest.mark.parametrize(("low", "high", "number"), [(4.1734, 4.1891, 4.18), (-1, 1, 0), (99, 101, 100)])
def test_short_numbers(low, high, number):
    assert short_number(low, high) == number


def test_what_is_refused():
    with pytest.raises(InputError, match=r"at least two classes and at most 256. Got '1 class'"):
        ThresholdScore(["a", "a"])
    with pytest.raises(InputError, match=r"at most 256. Got '300 classes'"):
        ThresholdScore(np.arange(300))
    with pytest.raises(InputError, match=r"one column per sample \(3\). Got 'shape \(1, 2\)'"):
        ThresholdScore([0, 1, 1]).evaluate([[1.0, 2.0]])
    with pytest.raises(InputError, match=r"two classes for interval=True. Got '3 classes'"):
        ThresholdScore([0, 1, 2], interval=True)
