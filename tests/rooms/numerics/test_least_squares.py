"""One QR against explicit refits, definitions and textbook identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.errors import InputError, NotIndependentError
from sozai.numerics.least_squares import fit_least_squares, regression_scores


def table(seed, m=24, p=5, noise=0.3):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(m), rng.normal(size=(m, p - 1)) * 10.0 ** rng.integers(-3, 4, p - 1) + 0.5])
    return X, X @ (rng.normal(size=p) / np.abs(X).max(axis=0)) + noise * rng.normal(size=m)


def lstsq(X, y):
    return np.linalg.lstsq(X, y, rcond=None)[0]


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_coefficients_and_press_are_those_of_explicit_refits(seed):
    X, y = table(seed)
    fit = fit_least_squares(X, y)
    np.testing.assert_allclose(fit.fitted, X @ lstsq(X, y), rtol=1e-9, atol=1e-9)
    left_out = []
    for t in range(len(y)):
        rest = np.arange(len(y)) != t
        left_out.append(y[t] - X[t] @ lstsq(X[rest], y[rest]))
    np.testing.assert_allclose(fit.loo_residuals, left_out, rtol=1e-8, atol=1e-10)
    assert fit.press == pytest.approx(np.sum(np.square(left_out)), rel=1e-9)
    assert fit.scores.q2 == pytest.approx(
        1 - np.sum(np.square(left_out)) / np.sum((y - y.mean()) ** 2), abs=1e-10
    )


@given(st.integers(0, 10_000), st.integers(2, 8))
@settings(max_examples=15, deadline=None)
def test_k_fold_residuals_are_those_of_explicit_refits(seed, n_folds):
    X, y = table(seed)
    rows = np.random.default_rng(seed).permutation(len(y))
    folds = np.array_split(rows, n_folds)
    expected = np.empty(len(y))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(y)), fold)
        expected[fold] = y[fold] - X[fold] @ lstsq(X[rest], y[rest])
    np.testing.assert_allclose(fit_least_squares(X, y).kfold_residuals(folds), expected, rtol=1e-8, atol=1e-9)


def test_rows_outside_every_fold_are_nan():
    X, y = table(0)
    residuals = fit_least_squares(X, y).kfold_residuals([[0, 1]])
    assert np.isnan(residuals[2:]).all()
    assert np.isfinite(residuals[:2]).all()


def test_a_fold_without_which_the_model_is_not_fixed_is_infinite():
    X = np.column_stack([np.ones(6), np.r_[1.0, 1.0, np.zeros(4)]])
    residuals = fit_least_squares(X, np.arange(6.0)).kfold_residuals([[0, 1], [2, 3]])
    assert np.isinf(residuals[:2]).all()
    assert np.isfinite(residuals[2:4]).all()


def test_standard_errors_and_intervals_follow_their_definition():
    X, y = table(3)
    fit = fit_least_squares(X, y)
    P = np.linalg.inv(X.T @ X)
    e = y - X @ lstsq(X, y)
    s2 = e @ e / (len(y) - X.shape[1])
    np.testing.assert_allclose(fit.covariance, P, rtol=1e-6)
    np.testing.assert_allclose(fit.standard_errors, np.sqrt(s2 * np.diag(P)), rtol=1e-7)
    lower, upper = fit.interval(0.95).T
    # Student's t for 19 degrees of freedom at 97.5 %
    np.testing.assert_allclose(upper - lower, 2 * 2.0930240544 * fit.standard_errors, rtol=1e-8)
    row = X[:2] + 0.1
    expected = s2 * (1 + np.einsum("ti,ij,tj->t", row, P, row))
    np.testing.assert_allclose(fit.prediction_variance(row), expected, rtol=1e-7)


def test_share_of_fit_is_what_comes_back_without_the_column():
    X, y = table(4)
    fit = fit_least_squares(X, y)
    for i in range(X.shape[1]):
        rest = np.delete(X, i, axis=1)
        e = y - rest @ lstsq(rest, y)
        assert fit.share_of_fit[i] == pytest.approx(1 - fit.sse / (e @ e), abs=1e-10)
        t2 = fit.t_values[i] ** 2
        assert fit.share_of_fit[i] == pytest.approx(t2 / (t2 + len(y) - X.shape[1]), abs=1e-10)
    assert (fit.p_values >= 0).all()
    assert (fit.p_values <= 1).all()


def test_near_multicollinearity_measures_are_those_of_auxiliary_regressions():
    X, y = table(5)
    fit = fit_least_squares(X, y)
    for i in range(X.shape[1]):
        rest = np.delete(X, i, axis=1)
        e = X[:, i] - rest @ lstsq(rest, X[:, i])
        assert fit.total_r2[i] == pytest.approx(1 - e @ e / (X[:, i] @ X[:, i]), abs=1e-9)
        if i:
            centered = X[:, i] - X[:, i].mean()
            assert fit.variance_inflation[i] == pytest.approx(centered @ centered / (e @ e), rel=1e-7)
    assert np.isnan(fit.variance_inflation[0])
    for i, j in [(1, 2), (0, 4)]:
        rest = np.delete(X, [i, j], axis=1)
        a, b = (X[:, k] - rest @ lstsq(rest, X[:, k]) for k in (i, j))
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert fit.partial_correlations[i, j] == pytest.approx(cosine, abs=1e-8)
    np.testing.assert_allclose(fit.correlations[1:, 1:], np.corrcoef(X[:, 1:].T), atol=1e-10)
    unit = X / np.linalg.norm(X, axis=0)
    np.testing.assert_allclose(fit.cosines, unit.T @ unit, atol=1e-12)


def test_condition_indices_and_variance_proportions():
    X, y = table(6)
    X[:, 4] = X[:, 3] * (1 + 1e-4 * np.random.default_rng(0).normal(size=len(y)))
    fit = fit_least_squares(X, y)
    indices, proportions = fit.condition_indices()
    assert indices[-1] == pytest.approx(np.linalg.cond(X / np.linalg.norm(X, axis=0)), rel=1e-8)
    assert fit.condition_number == pytest.approx(indices[-1])
    np.testing.assert_allclose(proportions.sum(axis=0), 1)
    assert (proportions[-1, 3:] > 0.99).all()
    assert (proportions[-1, :3] < 0.5).all()


def test_outlier_measures_are_those_of_explicit_refits():
    X, y = table(7)
    fit = fit_least_squares(X, y)
    m, p = X.shape
    for t in (0, 5):
        rest = np.arange(m) != t
        beta = lstsq(X[rest], y[rest])
        e = y[rest] - X[rest] @ beta
        s2 = e @ e / (m - 1 - p)
        h = fit.leverages[t]
        assert fit.studentized_external[t] == pytest.approx(
            fit.residuals[t] / np.sqrt(s2 * (1 - h)), rel=1e-7
        )
        change = fit.fitted[t] - X[t] @ beta
        assert fit.dffits[t] == pytest.approx(change / np.sqrt(s2 * h), rel=1e-7)
        shift = fit.fitted - X @ beta
        assert fit.cook_distances[t] == pytest.approx(shift @ shift / (p * fit.residual_variance), rel=1e-7)
    assert fit.leverage_limit == pytest.approx(15 / 24)


def test_scores_follow_their_definitions():
    y = np.array([1.0, 2.0, 3.0, 5.0])
    e = np.array([0.1, -0.1, 0.2, -0.2])
    loo = np.array([0.2, -0.2, 0.4, -0.4])
    s = regression_scores(y, e, loo, 2)
    assert s.rmse == pytest.approx(np.sqrt(0.025))
    assert s.mae == pytest.approx(0.15)
    assert s.max_abs_error == pytest.approx(0.2)
    assert s.r2 == pytest.approx(1 - 0.1 / 8.75)
    assert s.adj_r2 == pytest.approx(1 - 0.05 / (8.75 / 3))
    assert s.tr2 == pytest.approx(1 - 0.1 / 39)
    assert s.q2 == pytest.approx(1 - 0.4 / 8.75)
    assert s.tq2 == pytest.approx(1 - 0.4 / 39)
    assert s.aic == pytest.approx(4 * np.log(0.1) + 4 + 4 * np.log(2 * np.pi / 4) + 4)
    assert s.bic == pytest.approx(s.aic - 4 + 2 * np.log(4))
    assert s.aicc == pytest.approx(s.aic + 2 * 2 * 3 / 1)
    assert s.gcv == pytest.approx(0.025 / 0.25)
    assert s.residual_variance == pytest.approx(0.05)


def test_q2_predictive_is_against_the_leave_one_out_mean():
    X, y = table(8)
    fit = fit_least_squares(X, y)
    means = (y.sum() - y) / (len(y) - 1)
    assert fit.q2_predictive == pytest.approx(1 - fit.press / np.sum((y - means) ** 2), rel=1e-10)


def test_extreme_scales_do_not_matter():
    X, y = table(9)
    scale = np.array([1e150, 1e-150, 1e100, 1.0, 1e-100])
    fit, plain = fit_least_squares(X * scale, y), fit_least_squares(X, y)
    np.testing.assert_allclose(fit.coefficients * scale, plain.coefficients, rtol=1e-9)
    np.testing.assert_allclose(fit.loo_residuals, plain.loo_residuals, rtol=1e-9)


def test_leverage_one_row_makes_q2_minus_infinity_and_is_named():
    X = np.column_stack([np.ones(6), np.eye(6)[3]])
    fit = fit_least_squares(X, np.arange(6.0))
    assert fit.unpredictable.tolist() == [3]
    assert fit.scores.q2 == -np.inf


def test_dependent_columns_are_refused_with_their_relation():
    X, y = table(10)
    X[:, 4] = 2 * X[:, 1] - 3 * X[:, 0]
    with pytest.raises(NotIndependentError, match=r"Got 'e = -3 a \+2 b'"):
        fit_least_squares(X, y, names=list("abcde"))
    X[:, 2] = 0
    with pytest.raises(NotIndependentError, match="column 2 = 0"):
        fit_least_squares(X, y)


def test_too_few_samples_are_refused_with_both_numbers():
    with pytest.raises(
        InputError, match=r"more than the 3 parameters\. Got 3\. The fit needs at least 4 samples"
    ):
        fit_least_squares(np.eye(3), np.ones(3))


def test_interval_level_is_checked():
    X, y = table(0)
    with pytest.raises(InputError, match=r"between 0 and 1\. Got 95"):
        fit_least_squares(X, y).interval(95)
