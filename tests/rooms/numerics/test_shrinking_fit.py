"""Dropping columns in closed form against fresh fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.numerics.least_squares import fit_least_squares
from sozai.numerics.shrinking_fit import ShrinkingFit


def table(seed, m, p):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(m), rng.normal(size=(m, p - 1)) * 10.0 ** rng.integers(-3, 4, p - 1) + 0.5])
    return X, X @ (rng.normal(size=p) / np.abs(X).max(axis=0)) + 0.3 * rng.normal(size=m)


@given(st.integers(0, 10_000), st.sampled_from([1, 3, 1000]))
@settings(max_examples=10, deadline=None)
def test_shrinking_fit_equals_refits_all_the_way(seed, rebuild_after):
    rng = np.random.default_rng(seed)
    X, y = table(seed, m=40, p=12)
    fit = ShrinkingFit(X, y, rebuild_after=rebuild_after)
    for column in rng.permutation(12)[:10]:
        press = dict(zip(fit.active.tolist(), fit.press_without(), strict=True))[column]
        rise = dict(zip(fit.active.tolist(), fit.increases, strict=True))[column]
        before = fit.sse
        fit.drop(column)
        fresh = fit_least_squares(X[:, fit.active], y)
        np.testing.assert_allclose(fit.residuals, fresh.residuals, atol=1e-9)
        np.testing.assert_allclose(fit.leverages, fresh.leverages, atol=1e-9)
        np.testing.assert_allclose(
            fit.coefficients * fresh.norms, fresh.coefficients * fresh.norms, atol=1e-8
        )
        np.testing.assert_allclose(fit.share_of_fit, fresh.share_of_fit, atol=1e-8)
        np.testing.assert_allclose(fit.total_r2, fresh.total_r2, atol=1e-8)
        assert press == pytest.approx(fresh.press, rel=1e-7)
        assert before + rise == pytest.approx(fresh.sse, rel=1e-8)


def test_a_long_path_stays_exact_on_ill_conditioned_columns():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(200, 10))
    X = np.column_stack([base, base[:, [0]] + 1e-4 * rng.normal(size=(200, 50))])
    y = base @ np.arange(1.0, 11.0) + rng.normal(size=200)
    fit = ShrinkingFit(X, y)
    for column in rng.permutation(60)[:50]:
        fit.drop(column)
    fresh = fit_least_squares(X[:, fit.active], y)
    np.testing.assert_allclose(fit.residuals, fresh.residuals, atol=1e-9)
    np.testing.assert_allclose(fit.leverages, fresh.leverages, atol=1e-9)
