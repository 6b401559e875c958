"""The classifier: what it finds, how sure it is, what it refuses and what it warns about."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from sozai.contracts.citations import cite
from sozai.contracts.errors import ExtrapolationWarning, InputError, UnitError
from sozai.contracts.estimator import NotFittedError
from sozai.symbolic.classifier import SymbolicClassifier, nested_accuracy
from sozai.symbolic.operations import parse_expression


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.uniform(1, 3, (120, 3)), columns=["r_A", "r_B", "n"])


@pytest.fixture
def layered(table):
    return np.where(table["r_A"] < 0.9 * table["r_B"], "layered", "cubic")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks():
    check_estimator(SymbolicClassifier(), on_skip=None)


def test_a_planted_ratio_is_found_and_written(table, layered):
    law = SymbolicClassifier(None, ["sum", "product", "ratio"]).fit(table, layered)
    assert law.model_.terms == ("r_A/r_B",)
    assert law.rule_ == f"layered if r_A/r_B < {law.boundary_.rule.cuts[0]:g}, else cubic"
    assert law.boundary_.rule.cuts[0] == pytest.approx(0.9, abs=0.01)
    np.testing.assert_array_equal(law.predict(table), layered)
    assert law.model_.n_correct == 120
    assert law.calibration_.n_folds == 5
    assert law.calibration_.accuracy > 0.95
    assert law.n_candidates_ == 3 + 3 + 3 + 6
    assert [model.terms for model in law.models_].count(("r_A/r_B",)) == 1
    assert law.models_[0].to_frame().loc[0, "n_correct"] == 120


@pytest.mark.parametrize("rank_by", ["threshold", "interval", "auc", "domain_overlap", "logistic"])
@pytest.mark.parametrize("boundary", ["auto", "logistic", "svm"])
def test_every_score_and_boundary_finds_the_ratio(table, layered, rank_by, boundary):
    law = SymbolicClassifier(
        None, ["product", "ratio"], rank_by=rank_by, boundary=boundary, max_terms=1, calibration="boundary"
    ).fit(table, layered)
    # with a straight boundary a ratio and its reciprocal are two different laws
    assert law.model_.terms in (("r_A/r_B",), ("r_B/r_A",))
    assert np.mean(law.predict(table) == layered) > 0.98


def test_an_interval_is_found_where_one_cut_is_not_enough(table):
    y = (table["r_A"] * table["n"] > 1.5) & (table["r_A"] * table["n"] < 4)
    law = SymbolicClassifier(None, ["product"], rank_by="interval", max_terms=1).fit(table, y)
    assert law.formula_ == "r_A*n"
    low, high = law.boundary_.rule.cuts
    assert law.rule_ == f"True if {low:g} < r_A*n < {high:g}, else False"
    np.testing.assert_array_equal(law.predict(table), y)
    assert SymbolicClassifier(None, ["product"], max_terms=1).fit(table, y).model_.n_correct < 120


@pytest.mark.parametrize("rank_by", ["threshold", "domain_overlap"])
def test_a_second_term_is_kept_only_if_it_pays(table, rank_by):
    rng = np.random.default_rng(1)
    two = 2 * (table["r_A"] / table["r_B"]) - table["n"] + 0.05 * rng.normal(size=120) > 0
    law = SymbolicClassifier(None, ["ratio"], rank_by=rank_by, calibration=None).fit(table, two)
    assert set(law.model_.terms) == {"r_A/r_B", "n"}
    text = law.formula_
    odds = parse_expression(text, list(table.columns)).evaluate(table)
    np.testing.assert_array_equal(odds > 0, law.predict(table))
    assert law.rule_ == f"True if {text} > 0, else False"
    one = table["r_A"] + 0.2 * rng.normal(size=120) > 2
    law = SymbolicClassifier(None, ["ratio"], rank_by=rank_by, calibration=None).fit(table, one)
    assert law.model_.n_terms == 1


def test_chance_alone_gives_the_most_frequent_class(table):
    y = np.random.default_rng(5).random(120) < 0.3
    law = SymbolicClassifier(["square", "inverse"], ["product", "ratio"], calibration=None).fit(table, y)
    assert law.model_.n_terms == 0
    assert law.rule_ == "always False"
    assert not law.predict(table).any()
    np.testing.assert_allclose(law.predict_proba(table)[:, 1], y.mean())
    assert law.applicability(table)["in_domain"].all()


def test_criterion_score_keeps_the_best_set_of_the_largest_size(table, layered):
    law = SymbolicClassifier(None, ["ratio"], criterion="score", max_terms=3, n_keep=8, calibration=None)
    law.fit(table, layered)
    assert law.model_.n_terms == 3
    best = [model for model in law.models_ if model.n_terms == 3]
    assert law.model_.score == max(model.score for model in best)
    assert len(law.screens_) == 3


def test_three_classes(table):
    ratio = table["r_A"] / table["r_B"]
    y = np.select([ratio < 0.8, ratio < 1.3], ["low", "middle"], "high")
    law = SymbolicClassifier(None, ["ratio"]).fit(table, y)
    assert law.formula_ == "r_A/r_B"
    np.testing.assert_array_equal(law.predict(table), y)
    assert law.rule_.startswith("low if r_A/r_B < 0.")
    chance = law.predict_proba(table)
    assert chance.shape == law.decision_function(table).shape == (120, 3)
    np.testing.assert_array_equal(law.classes_[chance.argmax(axis=1)], y)


def test_probabilities_are_those_of_rows_left_out():
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"a": rng.normal(size=1500), "b": rng.normal(size=1500)})
    chance = 1 / (1 + np.exp(-3 * X["a"]))
    y = rng.random(1500) < chance
    for calibration in ("search", "boundary"):
        law = SymbolicClassifier(max_terms=1, calibration=calibration).fit(X, y)
        fresh = pd.DataFrame({"a": np.linspace(-2, 2, 41), "b": 0.0})
        found = law.predict_proba(fresh)[:, 1]
        cut = law.boundary_.rule.cuts[0]
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-3 * (fresh["a"] - cut))), atol=0.06)
        np.testing.assert_array_equal(found > 0.5, law.predict(fresh))
        entropy = -np.mean(chance * np.log(chance) + (1 - chance) * np.log(1 - chance))
        assert law.calibration_.log_loss == pytest.approx(entropy, abs=0.04)


def test_groups_are_left_out_together(table, layered):
    groups = np.arange(120) // 40
    law = SymbolicClassifier(None, ["ratio"], calibration_folds=3).fit(table, layered, groups=groups)
    assert law.calibration_.n_folds == 3
    with pytest.raises(InputError, match=r"groups must have one label per row \(120\). Got 7"):
        SymbolicClassifier().fit(table, layered, groups=np.arange(7))
    split = np.where(layered == "cubic", 0, 1)  # a class of which every row is left out cannot be learned
    law = SymbolicClassifier(None, ["ratio"], calibration_folds=2).fit(table, layered, groups=split)
    assert law.calibration_.n_folds == 0
    assert np.isnan(law.calibration_.accuracy)


@pytest.mark.parametrize("random_state", [None, 3])
@pytest.mark.parametrize("rank_by", ["threshold", "domain_overlap"])
def test_any_number_of_workers_gives_the_same_bits(table, layered, rank_by, random_state):
    answers = []
    for n_jobs in (1, 2, 4):
        law = SymbolicClassifier(
            ["square"],
            ["sum", "ratio"],
            rank_by=rank_by,
            n_keep=12,
            calibration_folds=3,
            n_jobs=n_jobs,
            random_state=random_state,
        ).fit(table, layered)
        answers.append((law.rule_, [model.criterion for model in law.models_], law.predict_proba(table)))
    for rule, criteria, chance in answers[1:]:
        assert (rule, criteria) == answers[0][:2]
        np.testing.assert_array_equal(chance, answers[0][2])


# -- outside what was seen --------------------------------------------------------------------------------


def test_a_formula_without_a_value_gives_nan_and_says_so(table, layered):
    law = SymbolicClassifier(None, ["ratio"], max_terms=1).fit(table, layered)
    new = pd.DataFrame({"r_A": [2.0, 1.1], "r_B": [0.0, 2.2], "n": [2.0, 2.0]})
    frequent = "cubic" if np.mean(layered == "cubic") > 0.5 else "layered"
    message = (
        r"predict: 1 of 2 rows lie outside the training region, first row 0: r_A/r_B is not defined here.*"
        rf"In 1 rows the formula has no value: probability NaN, class '{frequent}' as the most frequent"
    )
    with pytest.warns(ExtrapolationWarning, match=message):
        assert law.predict(new).tolist() == [frequent, "layered"]
    with pytest.warns(ExtrapolationWarning, match="predict_proba: 1 of 2"):
        chance = law.predict_proba(new)
    assert np.isnan(chance[0]).all()
    assert chance[1].sum() == pytest.approx(1)
    with pytest.warns(ExtrapolationWarning, match="decision_function: 1 of 2"):
        assert np.isnan(law.decision_function(new)[0])
    told = law.applicability(new)
    assert told["in_domain"].tolist() == [False, True]
    assert "r_A/r_B is not defined here" in told["reason"][0]
    assert law.term_values(new).iloc[1, 0] == 0.5


def test_rows_outside_the_training_region_are_counted(table, layered):
    law = SymbolicClassifier(None, ["ratio"], max_terms=1).fit(table, layered)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        law.predict(table)
    with pytest.warns(ExtrapolationWarning, match=r"1 of 1 rows .* first row 0: r_A = 5 is above 2.9"):
        law.predict(pd.DataFrame({"r_A": [5.0], "r_B": [2.0], "n": [2.0]}))


def test_units_are_kept_apart_and_converted(table, layered):
    measured = table.rename(columns={"r_A": "r_A [Å]", "r_B": "r_B [nm]", "n": "n [K]"})
    measured["r_B [nm]"] /= 10
    law = SymbolicClassifier(None, ["sum", "ratio"], max_terms=1).fit(measured, layered)
    assert law.formula_ == "r_A/r_B"
    np.testing.assert_array_equal(law.predict(measured), layered)
    sums = [term for screen in law.screens_ for term in screen.names if "+" in term]
    assert sums == ["r_A + r_B"]
    assert law.units_["r_B"] == "Å"
    pure = SymbolicClassifier(["log"], ["ratio"], dimensions={"n": ""}, max_terms=1, calibration=None)
    table = table.rename(columns={"r_A": "r_A [Å]", "r_B": "r_B [Å]"})
    assert "log(n)" in pure.fit(table, layered).screens_[0].names
    with pytest.raises(UnitError, match=r"'K' \(temperature\) and 'Å' \(length\)"):
        law.predict(measured.rename(columns={"r_A [Å]": "r_A [K]"}))


def test_a_declared_domain_forbids_singular_formulas(table, layered):
    free = SymbolicClassifier(None, ["ratio"], max_terms=1, calibration=None)
    assert free.fit(table, layered).model_.terms == ("r_A/r_B",)
    bound = SymbolicClassifier(
        None, ["ratio"], max_terms=1, calibration=None, domain={"r_A": (-1, 3), "r_B": (-1, 3), "n": (1, 3)}
    ).fit(table, layered)
    assert not {"r_A/r_B", "r_B/r_A"} & set(bound.screens_[0].names)


def test_a_space_beyond_the_budget_is_cut_and_the_cut_is_noted(table, layered):
    law = SymbolicClassifier(None, ["sum", "product", "ratio"], max_candidates=10, calibration=None)
    law.fit(table, layered)
    assert law.n_candidates_ == 3  # the columns; 12 pairs would be too many
    assert law.notes_[-1] == (
        "formulas of complexity up to 1 were searched (3); more complex ones exceed max_candidates"
    )
    assert law.set_params(max_candidates=15).fit(table, layered).notes_ == ()


# -- manners ----------------------------------------------------------------------------------------------


def test_it_stands_in_pipelines_and_cross_validation(table, layered):
    law = SymbolicClassifier(None, ["ratio"], max_terms=1, calibration=None)
    pipeline = make_pipeline(FunctionTransformer(), law)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        scores = cross_val_score(pipeline, table, layered, cv=4)
        losses = cross_val_score(law, table, layered, cv=4, scoring="neg_log_loss")
    assert scores.mean() > 0.95
    assert losses.mean() > -0.2
    score = nested_accuracy(law, table, layered, cv=4)
    assert score.accuracy > 0.95
    assert all("if r_" in rule for rule in score.rules)


def test_its_papers_are_cited():
    assert "bartel2019" in [paper.key for paper in cite(SymbolicClassifier())]


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "applicability"])
def test_it_must_be_fitted_first(table, method):
    with pytest.raises(NotFittedError):
        getattr(SymbolicClassifier(), method)(table)


def test_what_is_refused(table, layered):
    with pytest.raises(InputError, match=r"y must hold at least two classes .* Got '1 class'"):
        SymbolicClassifier().fit(table, ["a"] * 120)
    with pytest.raises(InputError, match=r"Unknown label type: continuous"):
        SymbolicClassifier().fit(table, table["r_A"])
    with pytest.raises(InputError, match=r"y must have a label in every row. Input y contains NaN"):
        SymbolicClassifier().fit(table, np.r_[np.nan, np.ones(119)])
    with pytest.raises(InputError, match=r"y must be given"):
        SymbolicClassifier().fit(table, None)
    with pytest.raises(InputError, match=r"inconsistent numbers of samples: \[120, 100\]"):
        SymbolicClassifier().fit(table, layered[:100])
    with pytest.raises(InputError, match=r"max_terms must be 1 for boundary='cut'. Got 2"):
        SymbolicClassifier(boundary="cut").fit(table, layered)
    with pytest.raises(InputError, match=r"max_candidates must be at least the 15 formulas .* Got 10"):
        SymbolicClassifier(None, ["sum", "product", "ratio"], max_candidates=10, max_complexity=9).fit(
            table, layered
        )
    with pytest.raises(InputError, match=r"two classes for interval=True. Got '3 classes'"):
        SymbolicClassifier(rank_by="interval").fit(table, np.arange(120) % 3)
    with pytest.raises(InputError, match=r"a column that varies. Got '2 constant columns'"):
        SymbolicClassifier().fit(np.ones((4, 2)), [0, 1, 0, 1])
    with pytest.raises(InputError, match="row 3, column 'n'"):
        SymbolicClassifier().fit(table.assign(n=table["n"].where(table.index != 3)), layered)
    law = SymbolicClassifier(None, ["ratio"], max_terms=1, calibration=None).fit(table, layered)
    with pytest.raises(InputError, match=r"missing: r_B"):
        law.predict(table[["r_A", "n"]])


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_a_row_without_label_is_named(nothing):
    X = np.random.default_rng(0).uniform(1, 3, (12, 2))
    y = np.array(["p", "q"] * 6, dtype=object)
    y[[4, 9]] = nothing
    with pytest.raises(InputError, match=r"must have a label in every row\. .* at row 4 \(2 of 12 rows\)"):
        SymbolicClassifier().fit(X, y)
