"""Fitted classifiers and laws of several tasks on disk: the same bits come back, changed ones are refused."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import ExtrapolationWarning, InputError
from sozai.contracts.estimator import NotFittedError
from sozai.symbolic import (
    Expressions,
    MultiTaskSymbolicRegressor,
    ScreenThenL0,
    SymbolicClassifier,
    SymbolicRegressor,
)
from sozai.symbolic.law_nodes import nodes_of, store_of

PAIRS = ["sum", "difference", "product", "ratio"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.uniform(1, 3, (120, 4)), columns=["r_A [nm]", "r_B [Å]", "n", "Z"])


def classes(table, kind):
    code = (table["n"] * table["Z"] > 4).to_numpy().astype(int) + (table["n"] > 2).to_numpy()
    return {
        "text": np.array(["low", "mid", "high"])[code],
        "object": np.array(["low", "mid", "high"], dtype=object)[code],
        "whole": code * 10,
        "bool": code > 0,
    }[kind]


def same_classifier(law, again, rows):
    for method in ("predict", "predict_proba", "decision_function"):
        ours, theirs = getattr(law, method)(rows), getattr(again, method)(rows)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(theirs, ours)
    pd.testing.assert_frame_equal(again.applicability(rows), law.applicability(rows))
    pd.testing.assert_frame_equal(again.term_values(rows), law.term_values(rows))


@pytest.mark.filterwarnings("ignore::sozai.contracts.errors.ExtrapolationWarning")
@pytest.mark.parametrize("boundary", ["auto", "logistic", "svm"])
@pytest.mark.parametrize("kind", ["text", "object", "whole", "bool"])
def test_a_loaded_classifier_is_the_same_bit_for_bit(table, tmp_path, kind, boundary):
    law = SymbolicClassifier(
        None, PAIRS, max_terms=2, n_keep=20, boundary=boundary, criterion="score", calibration="boundary"
    ).fit(table, classes(table, kind))
    law.save(tmp_path / "law.zip")
    again = SymbolicClassifier.load(tmp_path / "law.zip")
    assert (again.rule_, again.formula_, again.latex_) == (law.rule_, law.formula_, law.latex_)
    assert again.classes_.dtype == law.classes_.dtype
    assert again.classes_.tolist() == law.classes_.tolist()
    assert again.get_params() == law.get_params()
    assert repr(again.calibration_) == repr(law.calibration_)
    assert [model.terms for model in again.models_] == [model.terms for model in law.models_]
    for rows in (table, table.head(1), 2 * table):
        same_classifier(law, again, rows)


def test_a_cut_and_no_term_at_all_come_back(table, tmp_path):
    rng = np.random.default_rng(1)
    for labels in (np.where(table["n"] < 2, "a", "b"), rng.permutation(np.repeat(["a", "b"], 60))):
        law = SymbolicClassifier(None, ["ratio"], max_terms=1, calibration=None).fit(table, labels)
        law.save(tmp_path / "law.zip")
        again = SymbolicClassifier.load(tmp_path / "law.zip")
        assert again.rule_ == law.rule_
        same_classifier(law, again, table)
        assert again.boundary_.text(
            [again.expressions_.expression(i) for i in again.model_.ids], again.classes_
        ) == law.rule_  # fmt: skip


def test_a_loaded_classifier_takes_other_units_and_says_what_is_new(table, tmp_path):
    law = SymbolicClassifier(None, ["ratio"], max_terms=1, calibration=None)
    law.fit(table, np.where(table["r_A [nm]"] < 0.9 * table["r_B [Å]"], "layered", "cubic"))
    law.save(tmp_path / "law.zip")
    again = SymbolicClassifier.load(tmp_path / "law.zip")
    new = table.rename(columns={"r_A [nm]": "r_A [Å]"}).assign(**{"r_A [Å]": 10 * table["r_A [nm]"]})
    np.testing.assert_array_equal(again.predict(new), law.predict(new))
    with pytest.warns(ExtrapolationWarning, match="lie outside the training region"):
        again.predict(5 * new.assign(**{"r_B [Å]": -1.0}))


def tasks_of(table):
    task = np.array([1, 2, 3])[np.arange(len(table)) % 3]
    first, second = table["n"] * table["Z"] / table["r_B [Å]"], table["Z"] ** 2
    noise = 0.05 * np.random.default_rng(2).normal(size=len(table))
    return task, task * first - 2 * second + 10 * task + noise


def test_loaded_laws_of_several_tasks_are_the_same_bit_for_bit(table, tmp_path):
    task, y = tasks_of(table)
    law = MultiTaskSymbolicRegressor(search=ScreenThenL0(20, 2), max_rung=2).fit(table, y, task)
    law.save(tmp_path / "law.zip")
    again = MultiTaskSymbolicRegressor.load(tmp_path / "law.zip")
    assert (again.tasks_, again.terms_, again.formulas_) == (law.tasks_, law.terms_, law.formulas_)
    for name in ("coefficients_", "standard_errors_", "scores_", "selection_path_"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(law, name))
    pd.testing.assert_series_equal(again.intercepts_, law.intercepts_)
    assert again.models_[0].terms == law.terms_
    far = 1.5 * table
    np.testing.assert_array_equal(again.predict(table, task), law.predict(table, task))
    with pytest.warns(ExtrapolationWarning, match="training region of their task"):
        ours = law.predict(far, task, return_std=True)
    with pytest.warns(ExtrapolationWarning, match="training region of their task"):
        np.testing.assert_array_equal(again.predict(far, task, return_std=True), ours)
    pd.testing.assert_frame_equal(again.applicability(far, task), law.applicability(far, task))
    with pytest.raises(InputError, match="be among 1, 2, 3"):
        again.predict(table, np.full(len(table), 4))


def test_a_law_of_the_large_search_keeps_the_order_of_its_factors(tmp_path):
    """(ab)c and a(bc) differ in the last bit; text alone does not say which it was."""
    rng = np.random.default_rng(7)
    X = pd.DataFrame(rng.uniform(1, 2, (40, 5)), columns=list("edcba"))
    y = X["a"] * (X["b"] - X["c"]) / (X["d"] + X["e"]) + X["e"] * X["c"] * X["a"] + 0.1 * rng.normal(size=40)
    law = SymbolicRegressor(["inverse"], ["sum", "difference"], max_order=3).fit(X, y)
    law.save(tmp_path / "law.zip")
    np.testing.assert_array_equal(SymbolicRegressor.load(tmp_path / "law.zip").predict(X), law.predict(X))


def test_nodes_keep_their_order():
    store = Expressions(["a", "b", "c"])
    a, b, c = (store.leaf(j) for j in range(3))
    late = store.add("multiply", store.add("add", b, c), store.add("subtract", a, c))
    early = store.add("multiply", store.add("multiply", a, b), store.constant("3/7"))
    again, ids = store_of(nodes_of(store, [early, late]))
    assert again.texts(ids) == store.texts([early, late])
    assert len(again) < len(store) + 2
    X = np.random.default_rng(0).uniform(1, 2, (50, 3))
    np.testing.assert_array_equal(again.evaluate(ids, X), store.evaluate([early, late], X))


def classifier(table):
    return SymbolicClassifier(None, ["ratio"], max_terms=1, calibration=None).fit(table, table["n"] < 2)


def several(table):
    task, y = tasks_of(table)
    return MultiTaskSymbolicRegressor(search=ScreenThenL0(10, 1), max_rung=1).fit(table, y, task)


@pytest.mark.parametrize("fit", [classifier, several])
def test_changed_bytes_are_refused(table, tmp_path, fit):
    path, law = tmp_path / "law.zip", fit(table)
    law.save(path)
    content, said = path.read_bytes(), []
    for place in range(len(content) // 30, len(content), len(content) // 12):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        path.write_bytes(bytes(changed))
        try:
            again = type(law).load(path)
        except InputError as error:
            said.append(str(error))
            continue
        assert str(again.__dict__.get("rule_", "")) == str(law.__dict__.get("rule_", ""))
        np.testing.assert_array_equal(again.columns_.names, law.columns_.names)
    assert len(said) >= 9  # a date in the frame of the archive is no part of the law
    assert all("law.zip" in text for text in said)


def test_another_kind_is_named(table, tmp_path):
    classifier(table).save(tmp_path / "law.zip")
    with pytest.raises(InputError, match=r"hold a MultiTaskSymbolicRegressor\. Got 'SymbolicClassifier'"):
        MultiTaskSymbolicRegressor.load(tmp_path / "law.zip")


@pytest.mark.parametrize("estimator", [SymbolicClassifier(), MultiTaskSymbolicRegressor()])
def test_it_must_be_fitted_before_it_is_kept(estimator, tmp_path):
    with pytest.raises(NotFittedError):
        estimator.save(tmp_path / "law.zip")


def test_a_killed_search_of_classes_goes_on_with_the_same_bits(table, tmp_path):
    """Parts of the passes lie in the store; a second fit reads them, and a damaged one is made again."""
    labels = np.where(table["n"] * table["Z"] < 4, "a", "b")
    law = SymbolicClassifier(None, PAIRS, max_rung=2, max_terms=1, calibration_folds=2)
    plain = law.fit(table, labels).models_
    law.set_params(store=tmp_path / "parts").fit(table, labels)
    parts = sorted((tmp_path / "parts").rglob("chunk-*.zip"))
    assert len({part.parent for part in parts}) == 3  # the whole table and two folds
    for part in parts[::2]:
        part.unlink()
    again = law.fit(table, labels).models_
    assert [model.terms for model in again] == [model.terms for model in plain]
    assert [model.criterion for model in again] == [model.criterion for model in plain]
