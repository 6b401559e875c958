"""Subsets shared by tasks, and subsets of one sign, against brute force; and their manners."""

import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from sozai.contracts.errors import InputError
from sozai.numerics import task_subsets
from sozai.numerics.subset_search import SubsetProblem
from sozai.numerics.task_subsets import TaskSubsetProblem, best_task_subsets
from sozai.numerics.task_tables import number_tasks, weigh_tasks


def task_fit(X, y, subset):
    """Least squares with intercept by lstsq: coefficients, intercept, SSE."""
    A = np.column_stack([np.ones(len(y)), X[:, subset]])
    beta = np.linalg.lstsq(A, y, rcond=None)[0]
    e = y - A @ beta
    return beta[1:], beta[0], e @ e


def brute_force(X, y, tasks, size, *, weights=None, sign=None):
    """Every subset, task by task, best first: (score, subset)."""
    labels = sorted(set(tasks))
    weights = np.ones(len(labels)) if weights is None else weights
    total = sum(w * len(y[tasks == t]) * y[tasks == t].var() for w, t in zip(weights, labels, strict=True))
    found = []
    for subset in itertools.combinations(range(X.shape[1]), size):
        fits = [task_fit(X[tasks == t], y[tasks == t], subset) for t in labels]
        if sign is None or all((sign * beta > 0).all() for beta, _, _ in fits):
            sse = sum(w * fit[2] for w, fit in zip(weights, fits, strict=True))
            found.append((sse / total, subset))
    return sorted(found)


def table(seed, n=9, rows=(14, 20, 11)):
    """Correlated columns, three tasks of different sizes with coefficients of their own."""
    rng = np.random.default_rng(seed)
    m = sum(rows)
    X = rng.normal(size=(m, n)) + rng.normal(size=(m, 1))
    tasks = rng.permutation(np.repeat(np.arange(len(rows)), rows))
    slopes = rng.normal(size=(len(rows), n)) * (rng.random(n) < 0.5)
    return X, (X * slopes[tasks]).sum(axis=1) + 3.0 * tasks + rng.normal(size=m), tasks


def found(result):
    return [tuple(subset) for subset in result.subsets.tolist()]


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_equals_brute_force(seed, size):
    X, y, tasks = table(seed)
    expected = brute_force(X, y, tasks, size)[:12]
    result = best_task_subsets(X, y, tasks, size, n_keep=12)
    assert found(result) == [subset for _, subset in expected]
    np.testing.assert_allclose(result.scores, [score for score, _ in expected], atol=2e-13)
    assert result.n_scored + result.n_skipped == result.n_subsets
    for rank, subset in enumerate(found(result)):
        for t in range(3):
            beta, intercept, sse = task_fit(X[tasks == t], y[tasks == t], subset)
            np.testing.assert_allclose(result.coefficients[rank, t], beta, rtol=1e-8, atol=1e-10)
            assert result.intercepts[rank, t] == pytest.approx(intercept)
            assert result.task_sse[rank, t] == pytest.approx(sse)


@given(
    st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([1, -1]), st.sampled_from([(30,), (25, 20)])
)
@settings(max_examples=20, deadline=None)
def test_signs_equal_brute_force(seed, size, sign, rows):
    X, y, tasks = table(seed, n=8, rows=rows)
    result = best_task_subsets(X, y, tasks, size, sign=sign, n_keep=10)
    assert found(result) == [subset for _, subset in brute_force(X, y, tasks, size, sign=sign)[:10]]
    assert (sign * result.coefficients > 0).all()


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([1, -1]))
@settings(max_examples=15, deadline=None)
def test_the_best_of_one_sign_is_the_best_nonnegative_least_squares(seed, size, sign):
    X, y, _ = table(seed, n=7, rows=(25,))
    A, b = sign * (X - X.mean(axis=0)), y - y.mean()
    everywhere = itertools.chain.from_iterable(
        itertools.combinations(range(7), k) for k in range(1, size + 1)
    )
    expected = min(nnls(A[:, subset], b)[1] ** 2 for subset in everywhere)
    problem = TaskSubsetProblem(X, y, sign=sign)
    mine = [problem.search(k, n_keep=1).scores for k in range(size + 1)]
    assert min(float(s[0]) for s in mine if len(s)) == pytest.approx(expected / (b @ b), abs=3e-13)


def test_several_tasks_of_one_sign_are_not_nonnegative_least_squares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    tasks = np.repeat([0, 1], 30)
    y = X[:, 0] + np.where(tasks == 0, X[:, 1], -0.2 * X[:, 1])  # the bound is active in task 1 alone
    assert found(best_task_subsets(X, y, tasks, 2)) == [(0, 1)]
    assert found(best_task_subsets(X, y, tasks, 2, sign=1)) == []
    assert found(best_task_subsets(X, y, tasks, 1, sign=1)) == [(0,)]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4])
def test_one_task_without_signs_is_the_plain_search(size):
    X, y, _ = table(4, n=14, rows=(40,))
    X[:, 6] = X[:, 2] - X[:, 9]
    X[:, 11] = 3.0
    costs = np.arange(14) % 5
    plain = SubsetProblem(X, y, complexity=costs).search(size, n_keep=30)
    mine = TaskSubsetProblem(X, y, complexity=costs).search(size, n_keep=30)
    assert np.array_equal(plain.subsets, mine.subsets)
    np.testing.assert_allclose(plain.screening_scores, mine.scores, atol=2e-13)
    assert (plain.n_subsets, plain.n_scored, plain.n_skipped, plain.n_collinear_pivots) == (
        mine.n_subsets, mine.n_scored, mine.n_skipped, mine.n_collinear_pivots,
    )  # fmt: skip


@pytest.mark.parametrize("weights", [[1.0, 5.0, 0.2], {0: 1.0, 1: 5.0, 2: 0.2}])
def test_weights_count(weights):
    X, y, tasks = table(5)
    expected = brute_force(X, y, tasks, 2, weights=[1.0, 5.0, 0.2])[:9]
    result = best_task_subsets(X, y, tasks, 2, weights=weights, n_keep=9)
    assert found(result) == [subset for _, subset in expected]
    np.testing.assert_allclose(result.scores, [score for score, _ in expected], atol=2e-13)


def test_variance_weights_do_not_see_the_unit_of_a_task():
    X, y, tasks = table(6)
    scaled = np.where(tasks == 1, 1e6 * y, np.where(tasks == 2, 1e-90 * y, y))
    a = best_task_subsets(X, y, tasks, 3, weights="variance")
    b = best_task_subsets(X, scaled, tasks, 3, weights="variance")
    assert np.array_equal(a.subsets, b.subsets)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-12)


def test_a_column_that_depends_within_one_task_adds_nothing_there():
    X, y, tasks = table(7)
    X[tasks == 0, 3] = 2 * X[tasks == 0, 1]  # dependent in task 0
    X[tasks == 2, 5] = -4.0  # constant in task 2
    X[:, 8] = 1.0  # constant everywhere
    problem = TaskSubsetProblem(X, y, tasks)
    assert problem.excluded.tolist() == [8]
    for size in (1, 2, 3, 4):
        result = problem.search(size, n_keep=20)
        expected = [row for row in brute_force(X, y, tasks, size) if 8 not in row[1]][:20]
        assert found(result) == [subset for _, subset in expected]
        np.testing.assert_allclose(result.scores, [score for score, _ in expected], atol=2e-13)
        assert result.n_skipped == 0
        for rank, subset in enumerate(found(result)):
            if 5 in subset:
                assert result.coefficients[rank, 2, subset.index(5)] == 0
    assert problem.search(3).n_collinear_pivots == 1 + 5 + 1  # (5), (0...4, 5) in task 2, (1, 3) in task 0
    assert problem.search(1).n_collinear_pivots == 1


def test_a_column_that_depends_in_every_task_is_skipped():
    X, y, tasks = table(8)
    X[:, 4] = X[:, 0] + X[:, 1] * np.array([1.0, -3.0, 0.5])[tasks]
    result = best_task_subsets(X, y, tasks, 3, n_keep=100)
    assert (0, 1, 4) not in found(result)
    assert (result.n_scored, result.n_skipped, result.n_subsets) == (83, 1, 84)


def test_signs_where_columns_depend_within_a_task():
    rng = np.random.default_rng(9)
    X = rng.normal(size=(40, 4))
    tasks = np.repeat([0, 1], 20)
    X[20:, 1] = -X[20:, 0]
    y = X[:, 0] + X[:, 1] + 2 * X[:, 2]
    y[20:] = -3 * X[20:, 0] + X[20:, 2]  # in task 1 column 1 can take the sign that column 0 lacks
    X[20:, 3] = 0.5
    for subset in itertools.combinations(range(4), 2):
        feasible = True
        for t in (0, 1):
            A = X[tasks == t][:, subset] - X[tasks == t][:, subset].mean(axis=0)
            b = y[tasks == t] - y[tasks == t].mean()
            least = np.linalg.norm(b - A @ np.linalg.lstsq(A, b, rcond=None)[0])
            full = np.linalg.matrix_rank(A) == 2
            signed = nnls(A, b)
            feasible &= signed[1] <= least + 1e-9 and (not full or (signed[0] > 1e-9).all())
        sought = found(best_task_subsets(X[:, list(subset)], y, tasks, 2, sign=1))
        assert sought == ([(0, 1)] if feasible else []), subset
    best = best_task_subsets(X, y, tasks, 3, sign=1, n_keep=1)
    assert found(best) == [(0, 1, 2)]
    assert best.scores[0] == 0
    assert (best.coefficients > -1e-12).all()
    np.testing.assert_allclose(best.coefficients[0, 1], [0, 3, 1], atol=1e-9)


def test_coefficients_that_are_zero_to_rounding_have_no_sign():
    X, _, _ = table(10, rows=(30,))
    result = best_task_subsets(X, 2 * X[:, 3], None, 2, sign=1, n_keep=3)
    assert all(3 not in subset for subset in found(result))
    assert found(best_task_subsets(X, 2 * X[:, 3], None, 1, sign=1, n_keep=1)) == [(3,)]


@pytest.mark.parametrize("sign", [None, 1])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_threads_and_budget_change_no_bit(size, sign, monkeypatch):
    X, y, tasks = table(11, n=16)
    one, two, four = (best_task_subsets(X, y, tasks, size, sign=sign, n_jobs=k) for k in (1, 2, 4))
    monkeypatch.setattr(task_subsets, "BUDGET", 1)
    for other in (two, four, best_task_subsets(X, y, tasks, size, sign=sign, n_jobs=-1)):
        assert np.array_equal(one.subsets, other.subsets)
        assert one.scores.tobytes() == other.scores.tobytes()
        assert one.coefficients.tobytes() == other.coefficients.tobytes()
        assert (one.n_scored, one.n_skipped) == (other.n_scored, other.n_skipped)


def test_ties_go_to_less_complexity_then_lower_columns():
    X, _, tasks = table(12, n=5)
    X = np.column_stack([X, -3 * X[:, 4], X[:, 4]])
    y = X[:, 1] + X[:, 4] * (1 + tasks)
    costs = [1, 1, 1, 1, 5, 2, 2]
    result = best_task_subsets(X, y, tasks, 2, complexity=costs, n_keep=3)
    assert found(result) == [(1, 5), (1, 6), (1, 4)]
    assert result.scores.tolist() == [0.0, 0.0, 0.0]


def test_extreme_scales_do_not_matter():
    X, y, tasks = table(13)
    scale = 10.0 ** np.linspace(-150, 150, 9)
    a, b = best_task_subsets(X, y, tasks, 3), best_task_subsets(X * scale, y * 1e-120, tasks, 3)
    assert np.array_equal(a.subsets, b.subsets)
    expected = a.coefficients[0] * 1e-120 / scale[a.subsets[0]]
    np.testing.assert_allclose(b.coefficients[0], expected, rtol=1e-7)


def test_constant_targets():
    X, y, tasks = table(14)
    y[tasks == 1] = 7.0
    result = best_task_subsets(X, y, tasks, 2, sign=1, n_keep=5)  # task 1 has no say
    rest = tasks != 1
    assert found(result) == found(best_task_subsets(X[rest], y[rest], tasks[rest], 2, sign=1, n_keep=5))
    everywhere = best_task_subsets(X, np.full(len(y), 3.0), tasks, 2, n_keep=2)
    assert everywhere.scores.tolist() == [0.0, 0.0]
    assert (everywhere.coefficients == 0).all()
    assert (everywhere.intercepts == 3).all()


def test_sizes_that_do_not_exist_give_nothing():
    X, y, tasks = table(15, n=3)
    assert found(best_task_subsets(X, y, tasks, 4)) == []
    assert best_task_subsets(X, y, tasks, 4).coefficients.shape == (0, 3, 4)
    mean = best_task_subsets(X, y, tasks, 0)
    assert found(mean) == [()]
    assert mean.scores[0] == pytest.approx(1.0)
    np.testing.assert_allclose(mean.intercepts[0], [y[tasks == t].mean() for t in range(3)])
    assert TaskSubsetProblem(X, y, tasks).largest_size == 3
    assert TaskSubsetProblem(X[:5], y[:5], [0, 0, 0, 1, 1]).largest_size == 0


def test_labels_of_any_kind():
    X, y, tasks = table(16)
    names = np.array(["zinc", "iron", "gold"])[tasks]
    result = best_task_subsets(X, y, names, 2, n_keep=1)
    assert result.tasks == ("gold", "iron", "zinc")
    assert found(result) == found(best_task_subsets(X, y, tasks, 2, n_keep=1))
    mixed, numbers = number_tasks(["b", 1, "b"], 3, place="test")
    assert mixed == ("b", 1)
    assert numbers.tolist() == [0, 1, 0]
    frame = result.to_frame()
    assert frame["task"].tolist() == ["gold", "iron", "zinc"]
    assert frame["columns"][0] == found(result)[0]
    assert repr(result) == "TaskSubsetResult(1 best of 36 subsets, 3 tasks, complete)"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tasks": [0, 1]}, r"one label per row \(45\)\. Got 2"),
        ({"tasks": "zinc"}, r"one label per row\. Got 'zinc'"),
        ({"tasks": [None] * 45}, r"name a task in every row\. Got None at row 0"),
        ({"tasks": [0.0] * 44 + [np.nan]}, r"Got nan at row 44"),
        ({"tasks": [[1]] * 45}, r"be one-dimensional\. Got 'list'"),
        ({"weights": [1.0, 2.0]}, r"one number per task \(3\)\. Got 'shape \(2,\)'"),
        ({"weights": [1.0, 2.0, -3.0]}, r"be positive\. Got \[1\.0, 2\.0, -3\.0\]"),
        ({"weights": "luck"}, "Got 'luck'"),
        ({"weights": {0: 1.0, 1: 1.0}}, r"one entry per task \(\[0, 1, 2\]\)\. Got \[2\]"),
        ({"weights": {0: 1.0, 1: 1.0, 2: 1.0, 9: 1.0}}, r"Got \[9\]"),
        ({"sign": 2}, r"None, 1 or -1\. Got 2"),
        ({"n_keep": 0}, r"n_keep must be at least 1\. Got 0"),
        ({"size": -1}, r"size must be at least 0\. Got -1"),
        ({"complexity": [1, 2]}, r"one entry per column \(9\)\. Got 'shape \(2,\)'"),
    ],
)
def test_wrong_input_is_refused(options, words):
    X, y, tasks = table(17)
    with pytest.raises(InputError, match=words):
        best_task_subsets(**{"X": X, "y": y, "tasks": tasks, "size": 2, **options})


def test_too_many_subsets_are_refused_with_number_and_time():
    X, y, tasks = table(18, n=80)
    problem = TaskSubsetProblem(X, y, tasks)
    with pytest.raises(
        InputError, match=r"2\.404e\+07 subsets of 5 of 80 columns\. Got 1000000\.0\. They take about 0\.55"
    ):
        problem.search(5, max_subsets=1e6)
    with pytest.raises(InputError, match=r"on_interrupt must be .* Got 'pray'"):
        problem.search(2, on_interrupt="pray")


def test_variance_of_a_constant_task_is_weighed_as_one():
    y = np.array([1.0, 1.0, 0.0, 4.0])
    assert weigh_tasks("variance", [0, 1], y, np.array([0, 0, 1, 1]), place="test").tolist() == [1.0, 0.25]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_raises_or_returns_the_best_so_far(n_jobs, ctrl_c):
    rng = np.random.default_rng(0)
    problem = TaskSubsetProblem(rng.normal(size=(60, 300)), rng.normal(size=60), np.repeat([0, 1], 30))
    problem.search(4, max_subsets=1e12, time_limit=0.01)  # compiled before the clock starts

    def interrupt():
        sent.append(time.perf_counter())
        ctrl_c()

    for mode in ("raise", "return"):
        sent = []
        timer = threading.Timer(0.2, interrupt)
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


def test_progress_ends_at_the_total():
    X, y, tasks = table(19, n=30)
    calls = []
    TaskSubsetProblem(X, y, tasks).search(3, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (4060, 4060)
