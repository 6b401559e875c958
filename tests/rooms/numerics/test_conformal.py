"""Quantiles by hand, exactness on exchangeable numbers, groups, and their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.numerics.conformal import CrossConformal, conformal_quantile


@pytest.mark.parametrize(
    ("n", "level", "rank"), [(19, 0.9, 18), (9, 0.9, 9), (8, 0.9, None), (40, 0.9, 37), (99, 0.95, 95)]
)
def test_rank_of_the_quantile(n, level, rank):
    values = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert conformal_quantile(values, level) == (np.inf if rank is None else rank)


def test_weights_of_equal_rows_change_nothing():
    values = np.random.default_rng(0).normal(size=(40, 5))
    for level in (0.5, 0.8, 0.9, 0.95):
        weighted = conformal_quantile(values, level, weights=np.full(40, 1 / 40))
        np.testing.assert_array_equal(weighted, conformal_quantile(values, level))


@settings(max_examples=25)
@given(n=st.integers(10, 60), level=st.sampled_from([0.5, 0.8, 0.9]), seed=st.integers(0, 999))
def test_rank_is_uniform_for_exchangeable_numbers(n, level, seed):
    """Of n + 1 numbers in random order the last exceeds the quantile of the others as often as counted."""
    values = np.random.default_rng(seed).normal(size=n + 1)
    inside = [values[i] <= conformal_quantile(np.delete(values, i), level) for i in range(n + 1)]
    assert np.sum(inside) == int(np.ceil(level * (n + 1) - 1e-9))


def by_hand(means, scores, folds, level, stds):
    """CV+ as printed, one new row, by sorting."""
    n = len(scores)
    reach = scores * stds[folds]
    upper = np.sort(means[folds] + reach)
    lower = np.sort(means[folds] - reach)
    high, low = int(np.ceil(level * (n + 1) - 1e-9)), int(np.floor((1 - level) * (n + 1) + 1e-9))
    return (lower[low - 1] if low >= 1 else -np.inf, upper[high - 1] if high <= n else np.inf)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.97])
def test_interval_is_the_printed_formula(level):
    rng = np.random.default_rng(1)
    y, mean, std = rng.normal(size=(3, 30))
    std = np.abs(std) + 0.1
    folds = rng.permutation(np.arange(30) % 5)
    errors = CrossConformal.of(y, mean, folds, std=std)
    np.testing.assert_allclose(errors.scores, np.abs(y - mean) / std)
    means, stds = rng.normal(size=(5, 7)), rng.uniform(0.5, 2, (5, 7))
    lower, upper = errors.interval(means, stds, level=level)
    for j in range(7):
        assert (lower[j], upper[j]) == by_hand(means[:, j], errors.scores, folds, level, stds[:, j])


def test_interval_around_one_prediction():
    errors = CrossConformal(np.arange(1.0, 20.0), np.arange(19))
    lower, upper = errors.interval_around([10.0, 0.0], [1.0, 2.0], level=0.9)
    assert (lower.tolist(), upper.tolist()) == ([-8.0, -36.0], [28.0, 36.0])
    assert errors.highest_level == pytest.approx(0.95)


def test_groups_weigh_the_same():
    errors = CrossConformal.of(np.arange(6.0), np.zeros(6), np.arange(6), groups=list("aaaabc"))
    np.testing.assert_allclose(errors.weights, [1 / 12] * 4 + [1 / 3] * 2)
    assert errors.to_frame()["group"].tolist() == [0, 0, 0, 0, 1, 2]


def test_independent_rows_lie_between_groups_and_rows():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 5)
    alone = CrossConformal(rng.uniform(size=1000), groups % 10, groups)
    together = CrossConformal(rng.uniform(size=200)[groups], groups % 10, groups)
    half = CrossConformal(rng.normal(size=200)[groups] + rng.normal(size=1000) + 9.0, groups % 10, groups)
    assert 800 < alone.n_independent <= 1000
    assert together.n_independent == pytest.approx(200)
    assert half.n_independent == pytest.approx(1000 / (1 + 4 * 0.5), rel=0.1)  # m G / (1 + (m - 1) rho)


def test_too_few_rows_give_an_infinite_interval():
    errors = CrossConformal(np.arange(5.0), np.arange(5))
    lower, upper = errors.interval(np.zeros((5, 2)), level=0.9)
    assert np.isneginf(lower).all()
    assert np.isposinf(upper).all()
    assert np.isfinite(errors.score_quantile(errors.highest_level))
    grouped = CrossConformal(np.arange(12.0), np.arange(12) // 3, np.arange(12) // 3)
    assert grouped.score_quantile(0.9) == 11.0
    assert grouped.trusted_level < 0.9 < grouped.highest_level


@pytest.mark.parametrize("strength", [0.0, 1.0, 5.0])
def test_exchangeable_scores_are_covered_as_promised(strength):
    """Many independent tables of known scores, the next one drawn like them."""
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(2000):
        values = np.abs(strength * np.repeat(rng.normal(size=21), 4) + rng.normal(size=84))
        groups = np.repeat(np.arange(20), 4) if strength else None
        errors = CrossConformal(values[:80], np.arange(80) // 4, groups)
        hits.append(np.mean(values[80:] <= errors.score_quantile(0.9)))
    assert 0.88 <= np.mean(hits) <= 0.92


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: conformal_quantile([1.0, 2.0], 1.0), r"level must lie between 0 and 1\. Got 1\.0"),
        (lambda: conformal_quantile([], 0.9), r"values must hold at least one value\. Got 0"),
        (
            lambda: CrossConformal.of([1.0, 2.0], [1.0, 2.0], [0, 1], std=[1.0, 0.0]),
            r"std must be positive\. Got 0\.0 at row 1",
        ),
        (
            lambda: CrossConformal.of([1.0, 2.0], [1.0], [0, 1]),
            r"mean must have one value per row of X \(2\)\. Got 1",
        ),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_repr_says_how_many_and_how_large():
    errors = CrossConformal(np.arange(1.0, 20.0), np.arange(19) % 4)
    assert repr(errors) == "CrossConformal(19 rows, 4 folds, 90 % quantile 18)"


def test_the_reach_of_a_scored_row_comes_from_the_other_folds():
    scores = np.r_[np.full(9, 1.0), np.full(9, 5.0)]
    errors = CrossConformal(scores, np.repeat([0, 1], 9))
    reach = errors.left_out_reach(np.full(18, 2.0), level=0.9)
    assert reach.tolist() == [10.0] * 9 + [2.0] * 9
    assert errors.left_out_reach(level=0.5).tolist() == [5.0] * 9 + [1.0] * 9
