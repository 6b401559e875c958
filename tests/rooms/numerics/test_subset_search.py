"""The subset search against brute force by lstsq, and its manners."""

import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.numerics import subset_walkers
from sozai.numerics.subset_search import SubsetProblem


def brute_force(X, y, size, *, center=True, fixed=(), score="sse"):
    """Every subset by lstsq, best first."""
    found = []
    free = [j for j in range(X.shape[1]) if j not in fixed]
    for chosen in itertools.combinations(free, size - len(fixed)):
        subset = tuple(sorted((*chosen, *fixed)))
        A = X[:, subset]
        A = np.column_stack([np.ones(len(y)), A]) if center else A
        e = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
        if score == "press":
            e = e / (1 - np.einsum("ti,it->t", A, np.linalg.pinv(A)))
        found.append((e @ e, subset))
    return [subset for _, subset in sorted(found)]


def table(seed, m=25, n=10):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n)) + rng.normal(size=(m, 1))
    return X, X[:, 1] - 2 * X[:, 4 % n] + 0.5 * X[:, 7 % n] + rng.normal(size=m)


def found(result):
    return [tuple(subset) for subset in result.subsets.tolist()]


@given(st.integers(0, 10_000), st.integers(1, 8), st.booleans(), st.sampled_from(["direct", "bounds"]))
@settings(max_examples=25, deadline=None)
def test_equals_brute_force(seed, size, center, method):
    X, y = table(seed)
    result = SubsetProblem(X, y, center=center).search(size, n_keep=15, method=method)
    assert found(result) == brute_force(X, y, size, center=center)[:15]
    assert result.complete
    assert result.n_scored + result.n_skipped == result.n_subsets


@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
@settings(max_examples=15, deadline=None)
def test_press_equals_brute_force(seed, size, center):
    X, y = table(seed, n=8)
    result = SubsetProblem(X, y, center=center).search(size, n_keep=9, score="press")
    assert found(result) == brute_force(X, y, size, center=center, score="press")[:9]


@pytest.mark.parametrize("size", [2, 3, 4, 6])
@pytest.mark.parametrize("score", ["sse", "press"])
def test_fixed_columns_are_in_every_subset(size, score):
    X, y = table(3)
    result = SubsetProblem(X, y, fixed=[2, 9]).search(size, n_keep=10, score=score)
    assert found(result) == brute_force(X, y, size, fixed=(2, 9), score=score)[:10]
    assert SubsetProblem(X, y, fixed=[2, 9]).count(4) == 28


def test_beam_is_labelled_and_finds_an_easy_optimum():
    X, y = table(5)
    result = SubsetProblem(X, y).search(4, n_keep=3, method="beam")
    assert found(result) == brute_force(X, y, 4)[:3]
    assert not result.complete
    assert result.method == "beam"


@pytest.mark.parametrize("score", ["sse", "press"])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_threads_change_no_bit(size, score):
    X, y = table(7, m=60, n=22)
    problem = SubsetProblem(X, y)
    one, two, four = (problem.search(size, n_jobs=k, score=score) for k in (1, 2, 4))
    for other in (two, four):
        assert np.array_equal(one.subsets, other.subsets)
        assert one.screening_scores.tobytes() == other.screening_scores.tobytes()
        assert (one.n_scored, one.n_skipped) == (other.n_scored, other.n_skipped)


@pytest.mark.parametrize("budget", [1, 50, 10**9])
def test_the_budget_between_looks_changes_no_bit(budget, monkeypatch):
    X, y = table(8, n=12)
    expected = {s: SubsetProblem(X, y).search(5, score=s).subsets for s in ("sse", "press")}
    bounds = SubsetProblem(X, y).search(5, method="bounds").subsets
    monkeypatch.setattr(subset_walkers, "BUDGET", budget)
    for score, subsets in expected.items():
        assert np.array_equal(SubsetProblem(X, y).search(5, score=score).subsets, subsets)
    assert np.array_equal(SubsetProblem(X, y).search(5, method="bounds").subsets, bounds)


def test_ties_go_to_less_complexity_then_lower_columns():
    X, y = table(9, n=5)
    X = np.column_stack([X, -3 * X[:, 4], X[:, 4] + 0.0])  # columns 4, 5, 6 are the same information
    y = X[:, 1] + X[:, 4]
    costs = np.array([1, 1, 1, 1, 5, 2, 2])
    result = SubsetProblem(X, y, complexity=costs).search(2, n_keep=3)
    assert found(result) == [(1, 5), (1, 6), (1, 4)]
    assert result.screening_scores.tolist() == [0.0, 0.0, 0.0]
    assert found(SubsetProblem(X, y).search(2, n_keep=3)) == [(1, 4), (1, 5), (1, 6)]


def test_collinear_columns_are_skipped_and_counted():
    X, y = table(10, n=6)
    X[:, 5] = X[:, 0] + X[:, 1]
    X[:, 3] = 7.0
    problem = SubsetProblem(X, y)
    assert problem.excluded.tolist() == [3]
    result = problem.search(3)
    assert (0, 1, 5) not in found(result)
    assert (result.n_scored, result.n_skipped, result.n_subsets) == (9, 1, 10)
    X[:, 1] = 2 * X[:, 0]
    assert SubsetProblem(X, y).search(3).n_collinear_pivots == 1


def test_extreme_scales_do_not_matter():
    X, y = table(11)
    scale = 10.0 ** np.linspace(-150, 150, 10)
    assert found(SubsetProblem(X * scale, y * 1e-120).search(3)) == found(SubsetProblem(X, y).search(3))


def test_sizes_that_do_not_exist_give_nothing():
    X, y = table(12, n=4)
    assert len(SubsetProblem(X, y).search(5).subsets) == 0
    assert found(SubsetProblem(X, y).search(4)) == [(0, 1, 2, 3)]
    assert found(SubsetProblem(X, y).search(0)) == [()]
    assert SubsetProblem(X, y).largest_size == 4
    assert SubsetProblem(X[:5], y[:5]).largest_size == 3


def test_bounds_leave_out_most_of_a_large_search():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 40))
    y = X[:, :8].sum(axis=1) + 0.5 * rng.normal(size=120)
    result = SubsetProblem(X, y).search(8, n_keep=5)
    assert result.method == "bounds"
    assert found(result)[0] == tuple(range(8))
    assert result.n_subsets == 76_904_685
    assert result.n_scored < 1e5


def test_too_many_subsets_are_refused_with_number_and_time():
    X, y = table(13, m=100, n=80)
    with pytest.raises(
        InputError, match=r"2\.404e\+07 subsets of 5 of 80 columns\. Got 1000000\.0\. They take about 0\.12 s"
    ):
        SubsetProblem(X, y).search(5, max_subsets=1e6)


def test_wrong_choices_are_refused():
    X, y = table(14)
    problem = SubsetProblem(X, y)
    for options, words in (
        ({"method": "magic"}, "method must be .* Got 'magic'"),
        ({"score": "luck"}, "score must be .* Got 'luck'"),
        ({"on_interrupt": "pray"}, "on_interrupt must be .* Got 'pray'"),
        ({"method": "bounds", "score": "press"}, "10 columns, 25 samples, score='press'"),
    ):
        with pytest.raises(InputError, match=words):
            problem.search(2, **options)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_raises_or_returns_the_best_so_far(n_jobs, ctrl_c):
    rng = np.random.default_rng(0)
    problem = SubsetProblem(rng.normal(size=(50, 400)), rng.normal(size=50))
    problem.search(4, max_subsets=1e12, time_limit=0.01)  # compiled before the clock starts

    def interrupt():
        sent.append(time.perf_counter())
        ctrl_c()

    for mode in ("raise", "return"):
        sent = []
        timer = threading.Timer(0.15, interrupt)
        timer.start()
        if mode == "raise":
            with pytest.raises(KeyboardInterrupt):
                problem.search(4, max_subsets=1e12, n_jobs=n_jobs)
        else:
            result = problem.search(4, max_subsets=1e12, n_jobs=n_jobs, on_interrupt="return")
            assert not result.complete
            assert len(result.subsets) == 50
            assert 0 < result.n_scored < result.n_subsets
        assert time.perf_counter() - sent[0] < 3.0  # a busy machine; usually a tenth of a second
        timer.join()


def test_time_limit_and_progress():
    rng = np.random.default_rng(0)
    problem = SubsetProblem(rng.normal(size=(50, 300)), rng.normal(size=50))
    calls = []
    result = problem.search(4, time_limit=0.05, progress=lambda done, total: calls.append((done, total)))
    assert not result.complete
    assert "incomplete" in repr(result)
    assert calls[-1][1] == 330_791_175
    assert 0 < calls[-1][0] < 330_791_175
    calls.clear()
    problem.search(2, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (44_850, 44_850)
