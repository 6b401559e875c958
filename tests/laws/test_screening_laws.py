"""Laws of the large search: what may change leaves the answer, what counts adds up."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic.operations import PAIR_OPERATIONS, UNARY_OPERATIONS
from sozai.symbolic.search import screening
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import grow
from sozai.symbolic.search.screening import PartialGain, screen

seeds = st.integers(0, 10_000)
unary = st.lists(st.sampled_from(sorted(UNARY_OPERATIONS)), max_size=3, unique=True)
pairs = st.lists(st.sampled_from(sorted(PAIR_OPERATIONS)), min_size=1, max_size=3, unique=True)


def problem(seed, m=25, n=4):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 2.0, size=(m, n))
    return X, X[:, 0] * X[:, 1] + 0.3 * np.abs(X[:, 2] - X[:, 3]) + 0.1 * rng.normal(size=m)


def search(X, y, operations, pair_operations, n_keep=10, **options):
    rungs = grow(X, pair_operations=["sum", "difference"])
    space = CandidateSpace.of(rungs, operations, pair_operations)
    return screen(space, PartialGain(y, **options), n_keep=n_keep)


@settings(max_examples=15)
@given(seeds, unary, pairs)
def test_a_shorter_list_is_the_beginning_of_a_longer_one(seed, operations, pair_operations):
    X, y = problem(seed)
    long, short = (search(X, y, operations, pair_operations, n) for n in (20, 4))
    assert short.names == long.names[:4]
    assert short.scores.tolist() == long.scores[:4].tolist()
    assert short.n_equivalents.tolist() == long.n_equivalents[:4].tolist()


@settings(max_examples=15)
@given(seeds, unary, pairs)
def test_samples_may_come_in_any_order_and_the_target_in_any_unit(seed, operations, pair_operations):
    X, y = problem(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    one = search(X, y, operations, pair_operations)
    other = search(X[order], 1e8 * y[order] - 3, operations, pair_operations)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-11)
    assert one.names == other.names


@settings(max_examples=15)
@given(seeds, pairs)
def test_columns_in_other_units_give_the_same_products(seed, pair_operations):
    X, y = problem(seed)
    scale = np.array([1e-9, 1.0, 3e12, 1e3])
    pair_operations = [name for name in pair_operations if "product" in name or name == "ratio"] or [
        "product"
    ]
    found = [
        screen(CandidateSpace.of(grow(table), ["square"], pair_operations), PartialGain(y), n_keep=8)
        for table in (X, X * scale)
    ]
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=1e-11)
    assert found[0].names == found[1].names


@settings(max_examples=15)
@given(seeds, unary, pairs)
def test_no_two_survivors_are_the_same_and_none_is_undefined(seed, operations, pair_operations):
    X, y = problem(seed)
    result = search(X, y, operations, pair_operations, 40)
    centered = result.values - result.values.mean(axis=1, keepdims=True)
    unit = centered / np.linalg.norm(centered, axis=1, keepdims=True)
    assert (np.abs(np.triu(unit @ unit.T, 1)) < 1 - 0.9e-10).all()
    assert np.isfinite(result.values).all()
    assert np.isfinite(result.scores).all()
    correlation = unit @ (y - y.mean()) / np.linalg.norm(y - y.mean())
    np.testing.assert_allclose(result.scores, correlation**2, atol=1e-9)
    assert (np.diff(np.round(result.scores, 12)) <= 0).all()


@settings(max_examples=10)
@given(seeds, unary, pairs, st.sampled_from([1, 2, 4]), st.floats(1e-6, 1e-1))
def test_chunks_and_workers_leave_every_bit(seed, operations, pair_operations, n_jobs, seconds):
    X, y = problem(seed)
    results = []
    for jobs, size in ((1, 1e3), (n_jobs, seconds)):
        space = CandidateSpace.of(grow(X, pair_operations=["sum"]), operations, pair_operations)
        results.append(
            screening._screen(space, PartialGain(y), 12, True, jobs, None, None, chunk_seconds=(size, size))
        )
    one, other = results
    assert one.names == other.names
    assert one.scores.tobytes() == other.scores.tobytes()
    assert one.values.tobytes() == other.values.tobytes()
    assert one.equivalents == other.equivalents
    assert one.n_suspects == other.n_suspects
    assert one.n_rejected.equals(other.n_rejected)


@settings(max_examples=15)
@given(seeds, st.integers(1, 3))
def test_tasks_with_one_law_score_like_their_own_fits(seed, n_tasks):
    X, y = problem(seed, m=30)
    tasks = np.arange(30) % n_tasks
    score = PartialGain(y, tasks=tasks)
    values = np.array([X[:, 0], X[:, 1] * X[:, 0]])
    error = total = 0.0
    for k in range(n_tasks):
        part = tasks == k
        design = np.column_stack([np.ones(part.sum()), values[1][part]])
        error += np.linalg.lstsq(design, y[part], rcond=None)[1][0]
        total += ((y[part] - y[part].mean()) ** 2).sum()
    np.testing.assert_allclose(score.evaluate(values)[1], 1 - error / total, atol=1e-11)


@settings(max_examples=10)
@given(seeds, unary, pairs)
def test_scored_and_rejected_make_the_space(seed, operations, pair_operations):
    X, y = problem(seed)
    space = CandidateSpace.of(grow(X, domain={"x0": (-1, 2)}), operations, pair_operations)
    result = screen(space, PartialGain(y), n_keep=3)
    assert result.n_scored + int(result.n_rejected["count"].sum()) == space.n_candidates
    assert space.complexity_counts[1].sum() == space.n_candidates
