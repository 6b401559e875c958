"""Laws every selector obeys: order, scale, units and threads do not matter; intervals cover."""

import numpy as np
import pytest

from sozai.numerics.least_squares import fit_least_squares
from sozai.symbolic.selection import (
    AllTerms,
    BackwardElimination,
    Exhaustive,
    ForwardSelection,
    Lasso,
    LassoThenL0,
    OrthogonalMatchingPursuit,
    PartialLeastSquares,
    PrincipalComponents,
    Ridge,
    Stepwise,
    nested_score,
)

SELECTORS = [
    AllTerms(),
    BackwardElimination(),
    ForwardSelection(),
    OrthogonalMatchingPursuit(6),
    Stepwise(),
    Exhaustive(3),
    Exhaustive(3, rank_by="q2", exact_press=True),
    Exhaustive(3, method="beam"),
    Lasso(n_penalties=40),
    LassoThenL0(6, 3),
    Ridge(),
    PrincipalComponents(),
    PartialLeastSquares(),
]
ROW_FOLDS = (Lasso,)  # folds are made of row numbers, so the order of the rows is part of the question

every = pytest.mark.parametrize("selector", SELECTORS, ids=repr)


def table(seed=0, m=36, n=9):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n)) + 0.5 * rng.normal(size=(m, 1))
    return X, 2 * X[:, 1] - X[:, 5] + 3 + 0.4 * rng.normal(size=m)


def names(n):
    return [f"x{j}" for j in range(n)]


def answer(models):
    model = models.simplest()
    return dict(zip(model.terms, model.coefficients, strict=True)), model


@every
def test_column_order_does_not_matter(selector):
    X, y = table()
    order = np.random.default_rng(1).permutation(9)
    one, first = answer(selector.select(X, y, names(9)))
    two, second = answer(selector.select(X[:, order], y, [f"x{j}" for j in order]))
    assert set(one) == set(two)
    for term, value in one.items():
        assert two[term] == pytest.approx(value, rel=1e-6, abs=1e-8)
    np.testing.assert_allclose(second.fitted, first.fitted, rtol=1e-6, atol=1e-8)


@every
def test_row_order_does_not_matter(selector):
    if isinstance(selector, ROW_FOLDS):
        pytest.skip("its folds are made of row numbers")
    X, y = table()
    order = np.random.default_rng(2).permutation(36)
    _, first = answer(selector.select(X, y, names(9)))
    _, second = answer(selector.select(X[order], y[order], names(9)))
    assert first.terms == second.terms
    np.testing.assert_allclose(second.fitted, first.fitted[order], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(second.loo_residuals, first.loo_residuals[order], rtol=1e-7, atol=1e-9)


@every
@pytest.mark.parametrize("factor", [1e-30, 1000.0])
def test_scale_of_the_target_does_not_matter(selector, factor):
    X, y = table()
    _, first = answer(selector.select(X, y, names(9)))
    _, second = answer(selector.select(X, factor * y, names(9)))
    assert first.terms == second.terms
    np.testing.assert_allclose(second.coefficients, factor * first.coefficients, rtol=1e-5)
    assert second.q2 == pytest.approx(first.q2, abs=1e-6)


@every
def test_units_of_the_columns_do_not_matter(selector):
    X, y = table()
    scale = 10.0 ** np.arange(-4, 5)
    _, first = answer(selector.select(X, y, names(9)))
    _, second = answer(selector.select(X * scale, y, names(9)))
    assert first.terms == second.terms
    np.testing.assert_allclose(second.fitted, first.fitted, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        second.coefficients * scale[list(second.columns)], first.coefficients, rtol=1e-5, atol=1e-8
    )


@every
def test_input_is_unchanged_and_the_answer_repeats(selector):
    X, y = table()
    kept = X.copy(), y.copy()
    _, first = answer(selector.select(X, y, names(9)))
    _, second = answer(selector.select(X, y, names(9)))
    assert np.array_equal(X, kept[0])
    assert np.array_equal(y, kept[1])
    assert first.coefficients.tobytes() == second.coefficients.tobytes()
    assert first.loo_residuals.tobytes() == second.loo_residuals.tobytes()


@pytest.mark.parametrize("options", [{}, {"rank_by": "q2", "exact_press": True}], ids=repr)
def test_threads_change_no_bit(options):
    X, y = table(3, m=50, n=18)
    lists = [Exhaustive(4, n_jobs=k, **options).select(X, y) for k in (1, 2, 4)]
    for other in lists[1:]:
        assert [m.columns for m in other] == [m.columns for m in lists[0]]
        assert all(
            a.coefficients.tobytes() == b.coefficients.tobytes() for a, b in zip(other, lists[0], strict=True)
        )


def test_scores_depend_on_the_span_only():
    X, y = table(4)
    mix = np.random.default_rng(5).normal(size=(9, 9))
    one, two = AllTerms().select(X, y)[0], AllTerms().select(X @ mix, y)[0]
    for name in ("rmse", "mae", "r2", "q2", "tq2", "aic", "bic", "gcv", "rmse_loo"):
        assert getattr(two, name) == pytest.approx(getattr(one, name), rel=1e-8)
    np.testing.assert_allclose(two.leverages, one.leverages, atol=1e-9)


def test_fit_improves_and_leave_one_out_is_never_better_than_the_fit():
    X, y = table(6)
    models = Exhaustive(5, n_best=1).select(X, y)
    errors = [m.rmse for m in models]
    assert errors == sorted(errors, reverse=True)
    assert all(m.rmse_loo >= m.rmse for m in models)


def test_intervals_of_a_fixed_model_cover_the_truth_in_95_percent():
    rng = np.random.default_rng(7)
    truth = np.array([1.0, -2.0, 0.5, 0.0])
    X = np.column_stack([np.ones(20), rng.normal(size=(20, 3))])
    inside = []
    for _ in range(1500):
        fit = fit_least_squares(X, X @ truth + rng.normal(size=20))
        lower, upper = fit.interval(0.95).T
        inside.append((lower <= truth) & (truth <= upper))
    coverage = np.mean(inside)
    assert 0.93 <= coverage <= 0.97


def test_prediction_intervals_cover_new_observations_in_95_percent():
    rng = np.random.default_rng(8)
    inside = []
    for _ in range(400):
        X = rng.normal(size=(25, 2))
        model = AllTerms().select(X, 1 + X @ [1.0, -1.0] + rng.normal(size=25))[0]
        new = rng.normal(size=(5, 2))
        observed = 1 + new @ [1.0, -1.0] + rng.normal(size=5)
        # Student's t for 22 degrees of freedom at 97.5 %
        half = 2.0738730679 * np.sqrt(model.prediction_variance(new))
        inside.append(np.abs(observed - model.predict(new)) <= half)
    assert 0.93 <= np.mean(inside) <= 0.97


def test_nested_q2_is_not_optimistic_on_average():
    excess = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(50, 12))
        y = X[:, 0] - X[:, 1] + 1.5 * rng.normal(size=50)
        score = nested_score(Exhaustive(2), X, y, cv=10)
        truth = 1 - 1.5**2 / y.var()
        excess.append((score.q2 - truth) / score.q2_standard_error)
    assert np.mean(excess) < 1.0
