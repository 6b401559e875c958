"""Selectors, their lists and the honest scores."""

import itertools
import logging
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict

from sozai.contracts.errors import ConvergenceWarning, InputError, NotIndependentError
from sozai.symbolic.selection import (
    AllTerms,
    BackwardElimination,
    Exhaustive,
    ForwardSelection,
    Lasso,
    LassoThenL0,
    ModelList,
    OrthogonalMatchingPursuit,
    PartialLeastSquares,
    PrincipalComponents,
    Ridge,
    Stepwise,
    nested_score,
    selection_frequency,
)
from sozai.symbolic.selectors.validation import SILENCE

NAMES = list("abcdefgh")


def planted(seed=0, m=40, n=8, noise=0.1):
    """y = 3 b - 2 e + 1 + noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n))
    return X, 3 * X[:, 1] - 2 * X[:, 4] + 1 + noise * rng.normal(size=m)


SPARSE = [
    BackwardElimination(),
    BackwardElimination("q2"),
    BackwardElimination("near_multicollinearity", stop="q2"),
    BackwardElimination(stop="bic"),
    BackwardElimination(max_loss=0.01),
    ForwardSelection(),
    ForwardSelection(rule="q2", stop="bic"),
    OrthogonalMatchingPursuit(5),
    Stepwise(),
    Stepwise("aicc"),
    Stepwise("q2"),
    Lasso(),
    LassoThenL0(6, 3),
    Exhaustive(3),
    Exhaustive(3, rank_by="q2"),
    Exhaustive(3, rank_by="q2", exact_press=True),
    Exhaustive(3, method="beam"),
]


@pytest.mark.parametrize(
    "selector", [s for s in SPARSE if "near" not in repr(s) and "aicc" not in repr(s)], ids=repr
)
def test_every_sparse_selector_finds_a_planted_law(selector):
    models = selector.select(*planted(), NAMES)
    assert models.simplest().terms == ("b", "e")
    model = models.simplest()
    np.testing.assert_allclose(model.coefficients, [3, -2], atol=0.06)
    assert model.intercept == pytest.approx(1, abs=0.06)
    assert model.columns == (1, 4)


@pytest.mark.parametrize("selector", [s for s in SPARSE if "near" not in repr(s)], ids=repr)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_noiseless_laws_come_back_exactly(selector, fit_intercept):
    X, _ = planted(3)
    y = 3 * X[:, 1] - 2 * X[:, 4] + fit_intercept
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models = selector.select(X, y, NAMES, fit_intercept=fit_intercept)
    assert models.simplest().terms == ("b", "e")
    np.testing.assert_allclose(models.simplest().coefficients, [3, -2], atol=1e-12)
    assert models.best("rmse").n_terms == 2


@pytest.mark.parametrize("seed", range(10))
def test_planted_product_laws_are_recovered_among_all_products(seed):
    rng = np.random.default_rng(seed)
    Z = rng.uniform(0.5, 2.0, size=(30, 4))
    pairs = list(itertools.combinations_with_replacement(range(4), 2))
    X = np.column_stack([Z, *[Z[:, i] * Z[:, j] for i, j in pairs]])
    names = [*"abcd", *["abcd"[i] + "abcd"[j] for i, j in pairs]]
    first, second = rng.choice(len(names), 2, replace=False)
    y = 0.5 * X[:, first] - 4 * X[:, second]
    model = Exhaustive(3).select(X, y, names, complexity=[len(name) for name in names]).simplest()
    assert set(model.terms) == {names[first], names[second]}


def test_model_record_agrees_with_a_plain_fit():
    X, y = planted()
    model = AllTerms().select(X, y, NAMES, complexity=np.arange(8))[0]
    peer = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coefficients, peer.coef_)
    assert model.intercept == pytest.approx(peer.intercept_)
    np.testing.assert_allclose(model.fitted, peer.predict(X))
    np.testing.assert_allclose(model.target, y)
    left_out = y - cross_val_predict(LinearRegression(), X, y, cv=LeaveOneOut())
    np.testing.assert_allclose(model.loo_residuals, left_out, rtol=1e-9, atol=1e-12)
    assert (model.n_terms, model.n_parameters, model.complexity) == (8, 9, 28)
    A = np.column_stack([np.ones(40), X])
    np.testing.assert_allclose(model.covariance, np.linalg.inv(A.T @ A), rtol=1e-9, atol=1e-12)
    new = np.zeros((1, 8))
    expected = model.residual_variance * (1 + np.linalg.inv(A.T @ A)[0, 0])
    assert model.prediction_variance(new)[0] == pytest.approx(expected)
    np.testing.assert_allclose(model.predict(X), model.fitted)
    assert model.to_frame()["term"].tolist() == ["1", *NAMES]


def test_model_without_intercept_has_zeros_for_it():
    X, y = planted()
    model = Exhaustive(2).select(X, y, NAMES, fit_intercept=False)[0]
    assert not model.has_intercept
    assert model.intercept == 0
    assert model.n_parameters == model.n_terms
    assert (model.covariance[0] == 0).all()
    assert model.covariance.shape == (model.n_terms + 1, model.n_terms + 1)


def test_text_forms():
    X, y = planted(noise=0)
    models = Exhaustive(2).select(X, y, NAMES)
    model = models.best("rmse")
    assert str(model) == "3 b -2 e +1"
    assert repr(model).startswith("SymbolicModel(3 b -2 e +1; RMSE ")
    assert repr(models).startswith("ModelList(")
    frame = models.to_frame()
    assert len(frame) == len(models) == 8 + 28
    assert {"n_terms", "complexity", "formula", "rmse", "q2", "aic", "terms"} <= set(frame.columns)


def test_list_behaves_as_a_sequence():
    models = Exhaustive(2, n_best=3).select(*planted(), NAMES)
    assert [m.n_terms for m in models] == [1, 1, 1, 2, 2, 2]
    assert isinstance(models[:2], ModelList)
    assert len(models.of_size(2)) == 3
    assert models[-1] in list(models)
    assert models.best("rmse") is models.of_size(2)[0]
    assert models.best("n_terms").n_terms == 1


def test_pareto_front_falls_as_the_cost_rises():
    X, y = planted(noise=0.5)
    front = Exhaustive(4).select(X, y, NAMES, complexity=[1, 3, 1, 2, 3, 1, 1, 1]).pareto()
    costs = [m.complexity for m in front]
    errors = [m.rmse for m in front]
    assert costs == sorted(set(costs))
    assert errors == sorted(errors, reverse=True)
    assert len(errors) == len(set(errors))


def test_simplest_follows_the_one_standard_error_rule():
    X, y = planted(noise=1.0)
    models = Exhaustive(4).select(X, y, NAMES)
    best, simplest = models.best("q2"), models.simplest("q2")
    d = simplest.loo_residuals**2 - best.loo_residuals**2
    assert d.mean() <= d.std(ddof=1) / np.sqrt(len(d))
    for model in models.of_size(simplest.n_terms - 1):
        d = model.loo_residuals**2 - best.loo_residuals**2
        assert d.mean() > d.std(ddof=1) / np.sqrt(len(d))


def test_unknown_criterion_and_empty_list_are_refused():
    models = Exhaustive(1).select(*planted(), NAMES)
    with pytest.raises(InputError, match=r"criterion must be one of q2, .* Got 'beauty'"):
        models.best("beauty")
    with pytest.raises(InputError, match=r"the list must hold a model\. Got 0"):
        ModelList(()).simplest()


@pytest.mark.parametrize("stop", ["q2", "aic", "bic", "aicc", "gcv", "adj_r2"])
def test_backward_path_equals_refitting(stop):
    X, y = planted(5, noise=2.0)
    models = BackwardElimination(stop=stop, min_terms=1).select(X, y, NAMES)
    left = list(range(8))
    for row in models.path.itertuples():
        if row.change:
            refits = {}
            for j in left:
                A = np.column_stack([np.ones(40), X[:, [k for k in left if k != j]]])
                e = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
                refits[j] = e @ e
            gone = min(refits, key=refits.get)
            left.remove(gone)
            assert row.change == f"- {NAMES[gone]}"
            assert row.rmse**2 * 40 == pytest.approx(refits[gone], rel=1e-9)
        assert row.columns == tuple(left)
    assert len(models.path) == 8
    assert models.selected in list(models)


def test_backward_by_q2_drops_what_leaves_the_largest_q2():
    X, y = planted(6, noise=2.0)
    path = BackwardElimination("q2").select(X, y, NAMES).path
    first = path["columns"][1]
    options = [AllTerms().select(np.delete(X, j, axis=1), y)[0].q2 for j in range(8)]
    assert first == tuple(k for k in range(8) if k != int(np.argmax(options)))
    assert path["q2"][1] == pytest.approx(max(options), abs=1e-10)


def test_long_backward_paths_keep_the_path_and_the_short_models():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 70))
    models = BackwardElimination().select(X, X[:, 3] + 0.1 * rng.normal(size=150))
    assert len(models.path) == 70
    assert len(models) < 60
    assert models.notes[0].endswith("models of the path not kept")
    assert "x3" in models.selected.terms
    assert models.selected.n_terms < 10


def test_backward_by_near_multicollinearity_drops_the_most_explained_column_first():
    X, y = planted()
    X[:, 6] = X[:, 0] + X[:, 2] + 0.01 * np.random.default_rng(0).normal(size=40)
    path = BackwardElimination("near_multicollinearity").select(X, y, NAMES).path
    assert path["change"][1] in ("- a", "- c", "- g")


def test_forward_selection_equals_greedy_refitting():
    X, y = planted(7, noise=2.0)
    path = ForwardSelection(5).select(X, y, NAMES).path
    chosen = []
    for row in path.itertuples():
        rest = [j for j in range(8) if j not in chosen]
        sse = {}
        for j in rest:
            A = np.column_stack([np.ones(40), X[:, [*chosen, j]]])
            e = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
            sse[j] = e @ e
        chosen.append(min(sse, key=sse.get))
        assert row.columns == tuple(sorted(chosen))
        assert row.rmse**2 * 40 == pytest.approx(sse[chosen[-1]], rel=1e-9)


def test_forward_by_q2_picks_the_largest_q2():
    X, y = planted(8, noise=2.0)
    first = ForwardSelection(1, rule="q2").select(X, y, NAMES).path["columns"][0]
    q2 = [AllTerms().select(X[:, [j]], y)[0].q2 for j in range(8)]
    assert first == (int(np.argmax(q2)),)


def test_stepwise_can_drop_a_term_it_took_before():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 60))
    X = np.column_stack([a + b + 0.3 * rng.normal(size=60), a, b])
    path = Stepwise().select(X, a + b + 0.01 * rng.normal(size=60), ["sum", "a", "b"]).path
    assert path["change"].tolist()[1] == "+ sum"
    assert path["change"].tolist()[-1] == "- sum"
    assert path["columns"].tolist()[-1] == (1, 2)


def test_exhaustive_equals_brute_force_over_sizes():
    X, y = planted(9, noise=1.0)
    models = Exhaustive(3, n_best=4).select(X, y, NAMES)
    for size in (1, 2, 3):
        scores = {}
        for subset in itertools.combinations(range(8), size):
            A = np.column_stack([np.ones(40), X[:, subset]])
            e = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
            scores[subset] = e @ e
        expected = sorted(scores, key=scores.get)[:4]
        assert [m.columns for m in models.of_size(size)] == expected


def test_constant_as_an_ordinary_column():
    X, y = planted()
    table = np.column_stack([np.ones(40), X])
    with_column = Exhaustive(3, min_terms=3).select(table, y, ["1", *NAMES], fit_intercept=False)[0]
    with_intercept = Exhaustive(2, min_terms=2).select(X, y, NAMES)[0]
    assert with_column.terms == ("1", "b", "e")
    assert with_column.rmse == pytest.approx(with_intercept.rmse, rel=1e-12)
    assert with_column.aic == pytest.approx(with_intercept.aic, rel=1e-12)
    assert with_column.n_parameters == with_intercept.n_parameters


def test_fixed_columns_by_name_and_number():
    X, y = planted()
    models = Exhaustive(3, fixed=["h", 0]).select(X, y, NAMES)
    assert all({"a", "h"} <= set(m.terms) for m in models)
    assert {m.n_terms for m in models} == {2, 3}
    with pytest.raises(InputError, match=r"fixed must name columns of X\. Got 'z'"):
        Exhaustive(3, fixed=["z"]).select(X, y, NAMES)
    X[:, 7] = 2 * X[:, 0]
    with pytest.raises(NotIndependentError, match="h = 2 a"):
        Exhaustive(3, fixed=["h", "a"]).select(X, y, NAMES)


def test_min_terms_zero_adds_the_mean():
    X, y = planted()
    model = Exhaustive(1, min_terms=0).select(X, y, NAMES)[0]
    assert (model.n_terms, model.n_parameters) == (0, 1)
    assert model.intercept == pytest.approx(y.mean())
    assert str(model) == f"{y.mean():.4g}"


def test_notes_say_what_was_not_done():
    X, y = planted()
    X[:, 3] = 5.0
    notes = Exhaustive(3, rank_by="q2").select(X, y, NAMES).notes
    assert notes[0].startswith("1 columns left out: constant, zero or dependent on fixed ones (d)")
    assert "ranked by Q2 among the 500 best by RMSE of every size" in notes
    assert any("heuristic" in n for n in Exhaustive(3, method="beam").select(X, y, NAMES).notes)
    short = Exhaustive(9).select(X[:6], y[:6], NAMES)
    assert "models end at 4 terms: 6 samples, 8 columns" in short.notes
    assert max(m.n_terms for m in short) == 4


def test_time_limit_gives_a_list_flagged_incomplete():
    rng = np.random.default_rng(0)
    models = Exhaustive(4, max_combinations=1e12, time_limit=0.05).select(
        rng.normal(size=(40, 400)), rng.normal(size=40)
    )
    assert not models.complete
    assert len(models) > 50
    assert "incomplete" in repr(models)
    assert "stopped after" in models.notes[-1]


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (Exhaustive(3, rank_by="luck"), r"rank_by must be 'rmse' or 'q2'\. Got 'luck'"),
        (Exhaustive(2, min_terms=3), r"max_terms must be at least 3\. Got 2"),
        (Exhaustive(2, n_best=0), r"n_best must be at least 1\. Got 0"),
        (
            Exhaustive(60, min_terms=50),
            r"min_terms must be at most 8 for 40 samples and 8 usable columns\. Got 50",
        ),
        (Exhaustive(4, max_combinations=10), r"at least the 70 subsets of 4 of 8 columns\. Got 10"),
        (BackwardElimination("luck"), r"rule must be one of share_of_fit, .* Got 'luck'"),
        (BackwardElimination(stop="luck"), r"stop must be one of q2, .* Got 'luck'"),
        (ForwardSelection(rule="luck"), r"rule must be one of share_of_fit, q2\. Got 'luck'"),
        (Stepwise("luck"), r"criterion must be one of aic, .* Got 'luck'"),
        (Lasso("luck"), r"Got 'luck'"),
        (Lasso(cv=41), r"cv must lie between 2 and 40 samples\. Got 41"),
        (LassoThenL0(0), r"n_keep must be at least 1\. Got 0"),
        (Ridge([-1.0]), r"penalties must be positive numbers\. Got \[-1.0\]"),
        (PrincipalComponents(9), r"n_components must lie between 1 and 8\. Got 9"),
    ],
    ids=repr,
)
def test_wrong_parameters_are_refused(selector, words):
    with pytest.raises(InputError, match=words):
        selector.select(*planted(), NAMES)


def test_wrong_tables_are_refused():
    X, y = planted()
    with pytest.raises(
        InputError, match=r"complexity must have one entry per column \(8\)\. Got 'shape \(3,\)'"
    ):
        Exhaustive().select(X, y, NAMES, complexity=[1, 2, 3])
    with pytest.raises(InputError, match=r"one value per row of X \(40\)\. Got 39"):
        Exhaustive().select(X, y[:39], NAMES)
    with pytest.raises(InputError, match=r"at least 3 rows and 1 columns\. Got 'shape \(2, 8\)'"):
        Exhaustive().select(X[:2], y[:2], NAMES)
    X[3, 2] = np.nan
    with pytest.raises(InputError, match="first at row 3, column 'c'"):
        Exhaustive().select(X, y, NAMES)
    with pytest.raises(InputError, match="8 parameters"):
        AllTerms().select(planted()[0][:8, :7], y[:8], NAMES[:7])
    with pytest.raises(
        InputError, match=r"have a column that is not constant\. Got '1 columns, none of use'"
    ):
        ForwardSelection().select(np.ones((5, 1)), np.arange(5.0))


def test_constant_target_warns_and_gives_the_mean():
    X, _ = planted()
    with pytest.warns(ConvergenceWarning, match="y is constant; the model is its mean"):
        models = Exhaustive(2).select(X, np.full(40, 2.5), NAMES)
    assert models.simplest().terms == ()
    assert models.simplest().intercept == pytest.approx(2.5)


def test_leverage_one_is_named():
    X = np.column_stack([np.eye(6)[2], np.arange(6.0) ** 2])
    with pytest.warns(ConvergenceWarning, match="row 2 has leverage 1"):
        model = AllTerms().select(X, np.arange(6.0))[0]
    assert model.q2 == -np.inf


def test_names_come_from_a_data_frame():
    X, y = planted()
    assert Exhaustive(2).select(pd.DataFrame(X, columns=NAMES), y).simplest().terms == ("b", "e")


def test_selectors_are_cloneable_records():
    selector = Exhaustive(5, n_best=7)
    assert clone(selector).get_params() == selector.get_params()
    assert repr(selector) == "Exhaustive(max_terms=5, n_best=7)"


# -- penalties and components --------------------------------------------------------------------------


def test_lasso_solves_the_stated_problem():
    X, y = planted(noise=1.0)
    models = Lasso(n_penalties=30).select(X, y, NAMES)
    assert models.path["n_terms"].iloc[0] == 0
    assert (np.diff(models.path["penalty"]) < 0).all()
    # at the largest penalty the strongest column is about to enter: lambda = 2 max |x'y|
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert models.path["penalty"][0] == pytest.approx(2 * np.abs(Z.T @ (y - y.mean())).max())
    assert models.selected in list(models)
    minimum = Lasso("minimum", n_penalties=30).select(X, y, NAMES).selected
    assert minimum.n_terms >= models.selected.n_terms


def test_lasso_then_l0_searches_the_first_columns():
    X, y = planted(n=30, noise=0.5)
    models = LassoThenL0(5, 2).select(X, y)
    assert models.notes[0] == "searched the first 5 of 30 columns to enter the LASSO path"
    assert models.best().columns == (1, 4)
    assert len({c for m in models for c in m.columns}) <= 5


def test_ridge_leave_one_out_is_exact():
    X, y = planted(noise=1.0)
    model = Ridge([7.0]).select(X, y, NAMES)[0]
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    peer = SklearnRidge(alpha=7.0).fit(Z, y)
    np.testing.assert_allclose(model.fitted, peer.predict(Z), rtol=1e-9)
    np.testing.assert_allclose(model.predict(X), model.fitted, rtol=1e-9)
    left_out = y - cross_val_predict(SklearnRidge(alpha=7.0), Z, y, cv=LeaveOneOut())
    # the mean is refitted by the peer and by h; Z is not restandardized by either
    np.testing.assert_allclose(model.loo_residuals, left_out, rtol=1e-9, atol=1e-12)
    assert 1 < model.n_parameters < 9


def test_ridge_interval_of_a_weak_penalty_is_that_of_least_squares():
    X, y = planted(noise=1.0)
    ridge, plain = Ridge([1e-9]).select(X, y, NAMES)[0], AllTerms().select(X, y, NAMES)[0]
    np.testing.assert_allclose(ridge.standard_errors, plain.standard_errors, rtol=1e-6)
    assert ridge.intercept_standard_error == pytest.approx(plain.intercept_standard_error, rel=1e-6)


@pytest.mark.parametrize("selector", [PrincipalComponents, PartialLeastSquares])
def test_all_components_are_least_squares(selector):
    X, y = planted(noise=1.0)
    plain = AllTerms().select(X, y, NAMES)[0]
    model = selector(8).select(X, y, NAMES)[0]
    np.testing.assert_allclose(model.fitted, plain.fitted, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X), model.fitted, rtol=1e-9)
    np.testing.assert_allclose(model.loo_residuals, plain.loo_residuals, rtol=1e-6, atol=1e-9)
    assert model.n_parameters == 9
    chosen = selector().select(X, y, NAMES)
    assert chosen.path["rmse_loo"].min() == pytest.approx(chosen[0].rmse_loo)
    assert "leave-one-out scores from refits without one row" in chosen.notes[0]


def test_principal_components_survive_collinear_columns():
    X, y = planted(noise=1.0)
    X[:, 7] = X[:, 0]
    model = PrincipalComponents(8).select(X, y, NAMES)[0]
    np.testing.assert_allclose(model.fitted, AllTerms().select(X[:, :7], y)[0].fitted, rtol=1e-7)


# -- honest validation --------------------------------------------------------------------------------


class Mean(RegressorMixin, BaseEstimator):
    """Predicts the training mean and remembers what it saw."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        Mean.seen.append(len(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_nested_score_refits_in_every_fold():
    X, y = planted()
    Mean.seen.clear()
    score = nested_score(Mean(), X, y, cv=KFold(4))
    assert Mean.seen == [30, 30, 30, 30]
    expected = np.concatenate([np.full(10, np.delete(y, range(k, k + 10)).mean()) for k in (0, 10, 20, 30)])
    np.testing.assert_allclose(score.predictions, expected)
    assert score.rmse == pytest.approx(np.sqrt(np.mean((y - expected) ** 2)))
    assert score.q2 == pytest.approx(1 - np.mean((y - expected) ** 2) / y.var())
    assert score.fold_rmse[2] == pytest.approx(np.sqrt(np.mean((y - expected)[20:30] ** 2)))
    square = (y - expected) ** 2
    error = square.std(ddof=1) / np.sqrt(40)
    assert score.q2_standard_error == pytest.approx(error / y.var())
    assert score.rmse_standard_error == pytest.approx(error / 2 / score.rmse)
    assert len(score.to_frame()) == 4
    assert repr(score).startswith("NestedScore(Q2 ")


def test_nested_loo_of_a_fixed_model_is_its_closed_form():
    X, y = planted()
    score = nested_score(LinearRegression(), X, y, cv="loo")
    assert score.q2 == pytest.approx(AllTerms().select(X, y)[0].q2, abs=1e-10)


def test_groups_are_left_out_together():
    X, y = planted()
    groups = np.repeat(np.arange(8), 5)
    for cv in (None, 4, "loo"):
        score = nested_score(Mean(), X, y, cv=cv, groups=groups)
        for fold in score.folds:
            assert set(np.flatnonzero(np.isin(groups, groups[fold]))) == set(fold)
    with pytest.raises(InputError, match=r"keep groups together\. Got .*0.* on both sides"):
        nested_score(Mean(), X, y, cv=KFold(16), groups=groups)
    with pytest.raises(InputError, match=r"between 2 and 8 groups\. Got 9"):
        nested_score(Mean(), X, y, cv=9, groups=groups)


def test_nested_score_unmasks_selection_from_noise():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 200)), rng.normal(size=30)
    apparent = Exhaustive(3).select(X, y).best().q2
    nested = nested_score(Exhaustive(3), X, y, cv=10)
    assert apparent > 0.4
    assert nested.q2 < nested.q2_standard_error
    assert len(nested.formulas) == 10


@pytest.mark.parametrize("seed", range(5))
def test_nested_q2_is_not_above_the_truth(seed):
    X, y = planted(seed, m=60, n=15, noise=1.5)
    truth = 1 - 1.5**2 / y.var()
    score = nested_score(Exhaustive(3), X, y, cv=10)
    assert score.q2 <= truth + 2 * score.q2_standard_error


def test_validation_refuses_wrong_input():
    X, y = planted()
    for options, words in (
        ({"cv": 41}, r"between 2 and 40 samples\. Got 41"),
        ({"cv": "magic"}, "Got 'magic'"),
        ({"groups": [1, 2]}, r"one label per row \(40\)\. Got 2"),
    ):
        with pytest.raises(InputError, match=words):
            nested_score(Mean(), X, y, **options)
    with pytest.raises(InputError, match=r"one value per row of X \(40\)\. Got 39"):
        nested_score(Mean(), X, y[:39])
    with pytest.raises(InputError, match=r"n_repeats must be at least 1\. Got 0"):
        selection_frequency(Exhaustive(2), X, y, n_repeats=0)


def test_selection_frequency_separates_signal_from_noise():
    X, y = planted(noise=0.5)
    frequency = selection_frequency(Exhaustive(3), X, y, n_repeats=40)
    assert frequency.terms["x1"] == frequency.terms["x4"] == 1.0
    assert all(share < 0.5 for term, share in frequency.terms.items() if term not in ("x1", "x4"))
    assert next(iter(frequency.models)) == ("x1", "x4")
    assert sum(frequency.models.values()) == pytest.approx(1)
    again = selection_frequency(Exhaustive(3), X, y, n_repeats=40)
    assert again.terms == frequency.terms
    assert frequency.to_frame()["term"][0] == "x1"
    assert "40 half-samples" in repr(frequency)


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_folds_on_several_workers_give_the_same_bits(n_jobs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 5))
    y = X[:, 0] - X[:, 3] + 0.1 * rng.normal(size=24)
    with joblib.parallel_config(backend="threading"):
        many = nested_score(Exhaustive(2), X, y, cv=4, n_jobs=n_jobs)
        half = selection_frequency(Exhaustive(2), X, y, n_repeats=6, n_jobs=n_jobs)
    one = nested_score(Exhaustive(2), X, y, cv=4)
    np.testing.assert_array_equal(many.predictions, one.predictions)
    assert half.models == selection_frequency(Exhaustive(2), X, y, n_repeats=6).models


def test_folds_fitted_side_by_side_leave_the_log_as_it_was(caplog):
    logger = logging.getLogger("sozai.symbolic")
    one, other = SILENCE.kept(), SILENCE.kept()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    logger.warning("still silent")
    logger.error("errors are heard")
    other.__exit__(None, None, None)
    logger.warning("heard again")
    assert [record.getMessage() for record in caplog.records] == ["errors are heard", "heard again"]
