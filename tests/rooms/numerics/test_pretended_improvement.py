import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from sozai.numerics.pretended_improvement import (
    log_improvement_bound,
    log_pretended_improvement,
    symmetric_draws,
)


def a_case(q=3, k=16, n=200, seed=0):
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.1, 2.0, n)
    std = np.sqrt(variance * rng.uniform(0.05, 1.0, n))
    rows = rng.standard_normal((n, q))
    rows *= np.sqrt((variance - std**2) / (rows**2).sum(axis=1))[:, None]
    draws = np.array([symmetric_draws(rng, k) for _ in range(q)])
    best = 1.0 + np.maximum(rng.standard_normal(k), 0.0)
    return rng.standard_normal(n), variance, std, rows, draws, best


def test_it_is_the_mean_of_textbook_improvements():
    mean, _, std, rows, draws, best = a_case()
    u = (mean[:, None] + rows @ draws - best) / std[:, None]
    expected = np.log((std[:, None] * (norm.pdf(u) + u * norm.cdf(u))).mean(axis=1))
    extra = np.linspace(-1, 1, 200)
    np.testing.assert_allclose(log_pretended_improvement(mean, std, rows, draws, best), expected, rtol=1e-9)
    shifted = log_pretended_improvement(mean, std, rows, draws, best, extra=extra)
    np.testing.assert_allclose(shifted, expected + extra, rtol=1e-9)


def test_far_below_the_best_nothing_underflows():
    mean, _, std, rows, draws, best = a_case()
    found = log_pretended_improvement(mean - 200.0, 0.1 * std, 0.1 * rows, draws, best)
    assert np.isfinite(found).all()
    assert found.max() < -1e5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 33), st.sampled_from([0.0, -3.0, -30.0, 3.0]))
def test_no_value_is_above_the_bound(seed, q, k, shift):
    mean, variance, std, rows, draws, best = a_case(q, k, 100, seed)
    exact = log_pretended_improvement(mean + shift, std, rows, draws, best)
    bound = log_improvement_bound(mean + shift, variance, std, draws, best)
    assert (bound >= exact - 1e-9).all()


def test_the_bound_is_the_value_where_nothing_moves():
    mean, _, std, rows, draws, _ = a_case()
    best = np.full(16, 9.0)
    exact = log_pretended_improvement(mean, std, 0 * rows, draws, best)
    np.testing.assert_allclose(log_improvement_bound(mean, std**2, std, draws, best), exact, atol=1e-2)


def test_what_cannot_be_best_is_passed_over():
    mean, _, std, rows, draws, best = a_case(n=5000)
    exact = log_pretended_improvement(mean, std, rows, draws, best)
    hurried = log_pretended_improvement(mean, std, rows, draws, best, least=float(exact.max()) - 0.5)
    assert hurried.max() == exact.max()
    assert hurried.argmax() == exact.argmax()
    kept = np.isfinite(hurried)
    np.testing.assert_array_equal(hurried[kept], exact[kept])
    assert kept.mean() < 0.2


@pytest.mark.parametrize(("n", "total"), [(1, None), (2, 0.0), (7, None), (64, 0.0)])
def test_draws_come_in_pairs(n, total):
    draws = symmetric_draws(np.random.default_rng(0), n)
    assert len(draws) == n
    if total is not None:
        assert abs(draws.sum()) < 1e-12
