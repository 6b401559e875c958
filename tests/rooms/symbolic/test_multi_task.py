"""Laws of several tasks: what they share, what they predict, what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError
from sozai.contracts.estimator import NotFittedError
from sozai.symbolic import SymbolicRegressor, parse_expression
from sozai.symbolic.multi_task import MultiTaskSymbolicRegressor
from sozai.symbolic.search.screen_then_l0 import ScreenThenL0

METALS = ("gold", "iron", "zinc")
FAST = {"max_rung": 1, "search": ScreenThenL0(30, 2)}


def make_table(seed=0, m=60, noise=0.0):
    """y = 2, -3, 0.5 times a/b plus 1, 0, 10, task by task."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(1, 2, (m, 3)), columns=list("abc"))
    task = rng.permutation(np.array(METALS)[np.arange(m) % 3])
    slope, constant = dict(zip(METALS, (2, -3, 0.5), strict=True)), dict(zip(METALS, (1, 0, 10), strict=True))
    y = np.array([slope[t] for t in task]) * X["a"] / X["b"] + np.array([constant[t] for t in task])
    return X, y + noise * rng.normal(size=m), task


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks():
    check_estimator(MultiTaskSymbolicRegressor(max_rung=1), on_skip=None)


def test_shared_terms_and_own_coefficients():
    X, y, task = make_table()
    law = MultiTaskSymbolicRegressor().fit(X, y, task)
    assert law.tasks_ == METALS
    assert law.terms_ == ("a/b",)
    assert law.formulas_ == {"gold": "2*a/b + 1", "iron": "-3*a/b", "zinc": "0.5*a/b + 10"}
    assert law.coefficients_.loc["iron", "a/b"] == pytest.approx(-3)
    assert law.intercepts_["zinc"] == pytest.approx(10)
    assert law.latex_["iron"].startswith("-3")
    np.testing.assert_allclose(law.predict(X, task), y, rtol=1e-10)
    new, truth, labels = make_table(9)
    inside = law.applicability(new, labels)["in_domain"].to_numpy()
    assert inside.sum() > 20
    np.testing.assert_allclose(law.predict(new[inside], labels[inside]), truth[inside], rtol=1e-10)
    for metal in METALS:
        values = parse_expression(law.formulas_[metal], list("abc")).evaluate(new)
        np.testing.assert_allclose(values[labels == metal], truth[labels == metal], rtol=1e-9)
    assert law.score(X, y, tasks=task) == pytest.approx(1)


def test_coefficients_and_errors_are_those_of_every_task_alone():
    X, y, task = make_table(1, noise=0.3)
    law = MultiTaskSymbolicRegressor(n_terms=1, **FAST).fit(X, y, task)
    for metal in METALS:
        r = task == metal
        f = parse_expression(law.terms_[0], list("abc")).evaluate(X[r])
        A = np.column_stack([np.ones(r.sum()), f])
        beta, rest = np.linalg.lstsq(A, y[r], rcond=None)[:2]
        s2 = rest[0] / (r.sum() - 2)
        P = np.linalg.inv(A.T @ A)
        assert law.intercepts_[metal] == pytest.approx(beta[0])
        assert law.coefficients_.loc[metal].iloc[0] == pytest.approx(beta[1])
        assert law.standard_errors_.loc[metal].iloc[0] == pytest.approx(np.sqrt(s2 * P[1, 1]))
        assert law.scores_.loc[metal, "n_rows"] == r.sum()
        assert law.scores_.loc[metal, "rmse"] == pytest.approx(np.sqrt(rest[0] / r.sum()))
        mean, std = law.predict(X[r], task[r], return_std=True)
        np.testing.assert_allclose(mean, A @ beta)
        np.testing.assert_allclose(std, np.sqrt(s2 * (1 + np.einsum("ti,ij,tj->t", A, P, A))))


def test_tasks_find_together_what_most_do_not_find_alone():
    together = alone = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame(rng.uniform(0.5, 3, (60, 3)), columns=list("abc"))
        task = np.arange(60) % 6
        y = (1 + task) * (X["a"] * X["b"] + 1.2 * rng.normal(size=60)) + 5 * task
        law = MultiTaskSymbolicRegressor(weights="variance", **FAST).fit(X, y, task)
        together += law.terms_ == ("a*b",)
        lone = [MultiTaskSymbolicRegressor(**FAST).fit(X[task == t], y[task == t]) for t in (0, 3)]
        alone += sum(law.terms_ == ("a*b",) for law in lone)
    assert together >= 4
    assert alone <= 3  # of ten


def test_one_task_is_the_symbolic_regressor():
    X, y, _ = make_table(2)
    y = X["a"] * X["b"] + 0.05 * np.random.default_rng(0).normal(size=60)
    mine = MultiTaskSymbolicRegressor(max_rung=2).fit(X, y)
    other = SymbolicRegressor(max_rung=2).fit(X, y)
    assert mine.terms_ == other.model_.terms == ("a*b",)
    assert mine.formulas_[0] == other.formula_
    np.testing.assert_allclose(mine.predict(X), other.predict(X))
    assert mine.n_candidates_ == other.n_candidates_
    value = mine.criterion_of(mine.model_)[0]
    assert value == pytest.approx(other.description_length_(other.model_, other.model_.complexity)[0])


def test_number_of_terms():
    X, y, task = make_table(3, noise=0.05)
    y = y + np.where(task == "iron", 1, 2) * X["c"]
    law = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    assert set(law.terms_) == {"a/b", "c"}
    path = law.selection_path_
    assert path["n_terms"].tolist() == [0, 1, 2]
    assert path["kept"].tolist() == [False, False, True]
    assert path["criterion"].idxmin() == 2
    one = MultiTaskSymbolicRegressor(n_terms=1, **FAST).fit(X, y, task)
    assert len(one.terms_) == 1
    assert one.model_.rmse == min(model.rmse for model in one.models_)
    three = MultiTaskSymbolicRegressor(n_terms=3, max_rung=1).fit(X, y, task)
    assert {"a/b", "c"} <= set(three.terms_)
    assert len(three.terms_) == 3
    none = MultiTaskSymbolicRegressor(n_terms=0, **FAST).fit(X, y, task)
    assert none.terms_ == ()
    np.testing.assert_allclose(none.predict(X, task), y.groupby(task).transform("mean"))


def test_noise_alone_gives_the_means():
    X, _, task = make_table(4)
    y = np.random.default_rng(0).normal(size=60) + 5 * (task == "iron")
    law = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    assert law.terms_ == ()
    assert law.coefficients_.shape == (3, 0)


def test_sign_of_the_coefficients():
    X, _, task = make_table(5)
    rng = np.random.default_rng(0)
    y = np.where(task == "iron", 2, 3) * X["a"] - X["b"] * 2 + 0.1 * rng.normal(size=60)
    options = {"operations": ["inverse"], "pair_operations": ["product"], "max_rung": 1, "n_terms": 2}
    free = MultiTaskSymbolicRegressor(**options).fit(X, y, task)
    signed = MultiTaskSymbolicRegressor(**options, coefficient_sign=1).fit(X, y, task)
    assert (free.coefficients_.to_numpy() < 0).any()
    assert (signed.coefficients_.to_numpy() > 0).all()
    assert set(signed.terms_) == {"a", "1/b"}


def test_weights_of_tasks_in_different_units():
    X, y, task = make_table(6, noise=0.1)
    y = np.where(task == "iron", 1e4 * X["c"], y)  # iron alone would choose the term
    plain = MultiTaskSymbolicRegressor(n_terms=1, **FAST).fit(X, y, task)
    assert plain.terms_ == ("c",)
    fair = MultiTaskSymbolicRegressor(n_terms=1, weights="variance", **FAST).fit(X, y, task)
    assert fair.terms_ == ("a/b",)
    named = MultiTaskSymbolicRegressor(n_terms=1, weights={"iron": 1e-12, "gold": 1, "zinc": 1}, **FAST).fit(
        X, y, task
    )
    assert named.terms_ == ("a/b",)


def test_a_term_that_is_constant_within_a_task():
    X, y, task = make_table(7)
    X.loc[task == "zinc", "c"] = 1.5
    y = y + 2 * X["c"]
    law = MultiTaskSymbolicRegressor(n_terms=2, **FAST).fit(X, y, task)
    assert set(law.terms_) == {"a/b", "c"}
    assert law.coefficients_.loc["zinc", "c"] == 0
    assert np.isnan(law.standard_errors_.loc["zinc", "c"])
    assert "c" not in law.formulas_["zinc"]
    np.testing.assert_allclose(law.predict(X, task), y, rtol=1e-9)
    mean, std = law.predict(X, task, return_std=True)
    assert np.isfinite(std).all()
    np.testing.assert_allclose(mean, y, rtol=1e-9)


def test_units_and_order_of_columns():
    rng = np.random.default_rng(8)
    X = pd.DataFrame(rng.uniform(1, 2, (40, 2)), columns=["r [Å]", "a [nm]"])
    task = np.arange(40) % 2
    y = (1 + task) * (X["r [Å]"] + 10 * X["a [nm]"])
    law = MultiTaskSymbolicRegressor(max_rung=1).fit(X, y, task)
    assert law.terms_ == ("r + a",)
    assert law.units_ == {"r": "Å", "a": "Å"}
    np.testing.assert_allclose(law.predict(X[["a [nm]", "r [Å]"]], task), y)
    other = pd.DataFrame({"a [Å]": 10 * X["a [nm]"], "r": X["r [Å]"]})
    np.testing.assert_allclose(law.predict(other, task), y)


def test_applicability_is_that_of_the_task():
    X, y, task = make_table(9)
    X["a"] = np.where(task == "iron", X["a"] + 5, X["a"])
    y = X["a"] / X["b"] + 0.0
    law = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    row = pd.DataFrame({"a": [6.5, 6.5], "b": [1.5, 1.5], "c": [1.5, 1.5]})
    with pytest.warns(
        ExtrapolationWarning, match=r"1 of 2 rows lie outside .* first row 1: a = 6\.5 is above"
    ):
        law.predict(row, ["iron", "zinc"])
    table = law.applicability(row, ["iron", "zinc"])
    assert table["in_domain"].tolist() == [True, False]
    assert table["reason"][1].startswith("a = 6.5 is above")


def test_singular_rows_are_nan_with_a_warning():
    X, y, task = make_table(10)
    law = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    row = pd.DataFrame({"a": [1.5], "b": [0.0], "c": [1.5]})
    with pytest.warns(ExtrapolationWarning, match="a/b is not defined here"):
        assert np.isnan(law.predict(row, ["iron"])).all()


def test_workers_and_copies_change_no_bit():
    X, y, task = make_table(11, noise=0.2)
    one = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    two = clone(one).set_params(n_jobs=2).fit(X, y, task)
    assert one.formulas_ == two.formulas_
    assert one.predict(X, task).tobytes() == two.predict(X, task).tobytes()
    copy = pickle.loads(pickle.dumps(one))
    assert copy.predict(X, task).tobytes() == one.predict(X, task).tobytes()


def test_order_of_rows_does_not_matter():
    X, y, task = make_table(12, noise=0.2)
    order = np.random.default_rng(0).permutation(60)
    one = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    two = MultiTaskSymbolicRegressor(**FAST).fit(X.iloc[order], y.iloc[order], task[order])
    assert one.terms_ == two.terms_
    np.testing.assert_allclose(one.coefficients_, two.coefficients_, rtol=1e-9)


def test_constant_target_is_its_mean():
    X, _, task = make_table(13)
    with pytest.warns(ConvergenceWarning, match="y is constant"):
        law = MultiTaskSymbolicRegressor(**FAST).fit(X, (task == "iron") * 4.0, task)
    assert law.intercepts_.to_dict() == {"gold": 0, "iron": 4, "zinc": 0}


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_terms", "rows", "words"),
    [
        (3, 4, r"at least 5 rows for 3 terms and an intercept\. Got 4 in task 'tin'"),
        (1, 2, r"at least 3 rows for 1 term and an intercept\. Got 2 in task 'tin'"),
        ("auto", 1, r"at least 3 rows for 1 term and an intercept\. Got 1 in task 'tin'"),
    ],
)
def test_small_tasks_are_named(n_terms, rows, words):
    X, y, task = make_table(14)
    task = np.where(np.arange(60) < rows, "tin", task)
    with pytest.raises(InputError, match=words):
        MultiTaskSymbolicRegressor(n_terms=n_terms, max_rung=1).fit(X, y, task)


def test_small_tasks_end_the_laws_early():
    X, y, task = make_table(15, noise=0.1)
    task = np.where(np.arange(60) < 3, "tin", task)
    law = MultiTaskSymbolicRegressor(max_rung=1).fit(X, y, task)
    assert max(model.n_terms for model in law.models_) == 1
    assert "laws end at 1 term: 3 samples in the smallest task" in law.models_.notes


def test_unknown_tasks_are_named():
    X, y, task = make_table(16)
    law = MultiTaskSymbolicRegressor(**FAST).fit(X, y, task)
    with pytest.raises(InputError, match=r"be among 'gold', 'iron', 'zinc'\. Got 'lead' at row 1"):
        law.predict(X[:3], ["iron", "lead", "lead"])
    with pytest.raises(InputError, match=r"name the task of every row\. Got None\. Known are 'gold', 'iron'"):
        law.predict(X)
    with pytest.raises(InputError, match=r"one label per row \(60\)\. Got 2"):
        law.predict(X, ["iron", "zinc"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tasks": ["iron"]}, r"one label per row \(60\)\. Got 1"),
        ({"tasks": [None] * 60}, r"name a task in every row\. Got None at row 0"),
        ({"y": np.zeros(59)}, "inconsistent numbers of samples"),
        ({"y": np.full(60, np.nan)}, r"60 non-finite of 60 values"),
        ({"X": np.full((60, 3), np.inf)}, r"180 non-finite of 180 values"),
        ({"X": np.array([["a"] * 3] * 60)}, "hold numbers"),
    ],
)
def test_wrong_data_are_refused(change, words):
    X, y, task = make_table(17)
    with pytest.raises(InputError, match=words):
        MultiTaskSymbolicRegressor(**FAST).fit(**{"X": X, "y": y, "tasks": task, **change})


@pytest.mark.parametrize(
    "options",
    [
        {"n_terms": -1},
        {"n_terms": "all"},
        {"max_rung": 0},
        {"coefficient_sign": 2},
        {"coefficient_sign": 0},
        {"weights": "luck"},
        {"search": "fast"},
    ],
)
def test_wrong_parameters_are_refused(options):
    X, y, task = make_table(18)
    with pytest.raises(ValueError, match=next(iter(options))):
        MultiTaskSymbolicRegressor(**options).fit(X, y, task)


def test_no_law_of_that_sign_and_number_of_terms():
    X = pd.DataFrame({"a": np.linspace(1, 2, 12)})
    search = MultiTaskSymbolicRegressor(
        ["square"], [], max_rung=1, n_terms=1, coefficient_sign=-1, domain={"a": (0, 3)}
    )
    with pytest.raises(
        InputError, match=r"leave a law to find\. Got 1\. The search says: .* no law has negative"
    ):
        search.fit(X, 2 * X["a"] + 1)


def test_predict_before_fit():
    with pytest.raises(NotFittedError):
        MultiTaskSymbolicRegressor().predict(np.ones((3, 2)))
