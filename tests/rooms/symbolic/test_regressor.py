"""The joined estimator: what it finds, what it refuses, what it warns about."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, UnitError
from sozai.contracts.estimator import NotFittedError
from sozai.symbolic import BackwardElimination, Exhaustive, SymbolicRegressor, parse_expression


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.uniform(1, 2, (30, 4)), columns=list("abcd"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks():
    check_estimator(SymbolicRegressor(), on_skip=None)


def test_formula_evaluates_to_the_predictions(table):
    y = 3 * table["a"] * table["b"] / table["d"] + 2
    law = SymbolicRegressor(["inverse"], max_order=3).fit(table, y)
    assert law.model_.n_terms == 1
    values = parse_expression(law.formula_, list(table.columns)).evaluate(table)
    np.testing.assert_allclose(values, y, rtol=1e-9)
    np.testing.assert_allclose(law.predict(table), y, rtol=1e-9)


def test_quotient_reads_as_a_quotient(table):
    law = SymbolicRegressor(["inverse"], max_order=2).fit(table, 2 * table["a"] / table["d"])
    assert law.formula_ == "2*a/d"


def test_chance_terms_are_not_kept(table):
    rng = np.random.default_rng(3)
    y = table["a"] * table["b"]
    law = SymbolicRegressor(["inverse"], max_order=3).fit(table, y + 0.05 * y.std() * rng.normal(size=30))
    assert law.model_.terms == ("a*b",)
    assert law.n_candidates_ > 100


def test_noise_alone_gives_the_mean(table):
    y = np.random.default_rng(5).normal(size=30)
    law = SymbolicRegressor(["inverse"], max_order=2).fit(table, y)
    assert law.model_.n_terms == 0
    np.testing.assert_allclose(law.predict(table), y.mean())


def test_criteria_choose_differently(table):
    rng = np.random.default_rng(1)
    y = table["a"] + 0.3 * rng.normal(size=30)
    least = SymbolicRegressor(criterion="rmse").fit(table, y)
    assert least.model_.n_terms == 3
    assert least.model_.rmse == min(model.rmse for model in least.models_)
    assert SymbolicRegressor(criterion="q2").fit(table, y).model_.n_terms < 3
    bic = SymbolicRegressor(criterion="bic").fit(table, y)
    assert bic.model_.bic == min(model.bic for model in bic.models_)


def test_models_list_starts_with_the_law(table):
    y = table["a"] * table["b"] + 0.01 * np.random.default_rng(0).normal(size=30)
    law = SymbolicRegressor(n_best=7).fit(table, y)
    assert law.models_[0] is law.model_
    assert len(law.models_) == 7
    assert {model.n_terms for model in law.models_} == {0, 1, 2, 3}


def test_candidates_basis_or_all(table):
    y = table["a"] * table["b"]
    basis = SymbolicRegressor(["inverse"], max_order=3, candidates="basis").fit(table, y)
    everything = SymbolicRegressor(["inverse"], max_order=3, candidates="all").fit(table, y)
    assert basis.n_candidates_ == basis.rank_ - 1 == 29
    assert everything.n_candidates_ > 100
    assert everything.formula_ == "a*b"


def test_relations_are_counted(table):
    table["e"] = 2 * table["a"] - table["b"] + 1
    law = SymbolicRegressor(max_order=1).fit(table, table["c"])
    assert (law.rank_, law.n_relations_) == (5, 1)
    assert law.relations_.relation("e").kind == "exact"


def test_rewrite_offers_the_preferred_column(table):
    table["e"] = 2 * table["a"]
    law = SymbolicRegressor(max_order=1).fit(table, 3 * table["a"] + 1)
    forms = law.rewrite(prefer=["e"])
    assert "e" in str(forms[0])


def test_automatic_order_stops_at_the_true_one(table):
    rng = np.random.default_rng(7)
    y = table["a"] * table["b"] + 0.01 * rng.normal(size=30)
    law = SymbolicRegressor(max_order="auto", random_state=0).fit(table, y)
    assert law.order_ == 2
    assert law.model_.terms == ("a*b",)


def test_groups_refuse_a_law_that_only_tells_the_groups_apart():
    rng = np.random.default_rng(11)
    system = np.repeat(np.arange(6), 8)
    X = pd.DataFrame({"label": rng.uniform(1, 2, 6)[system], "b": rng.uniform(1, 2, 48)})
    X["twin"] = X["label"] + 1e-3 * rng.normal(size=48)
    y = X["b"] + 0.5 * rng.normal(size=6)[system]
    plain = SymbolicRegressor(max_order=2, criterion="rmse").fit(X, y)
    grouped = SymbolicRegressor(max_order=2, criterion="rmse").fit(X, y, groups=system)

    def error_on_new_groups(terms):
        values = np.column_stack(
            [np.ones(48), *(parse_expression(t, list(X.columns)).evaluate(X) for t in terms)]
        )
        square = 0.0
        for g in range(6):
            beta = np.linalg.lstsq(values[system != g], y[system != g], rcond=None)[0]
            square += ((y[system == g] - values[system == g] @ beta) ** 2).sum()
        return square

    assert error_on_new_groups(grouped.model_.terms) < error_on_new_groups(plain.model_.terms)


def test_groups_keep_a_planted_law(table):
    y = table["a"] * table["b"] + 0.02 * np.random.default_rng(1).normal(size=30)
    law = SymbolicRegressor(["inverse"], max_order=3).fit(table, y, groups=np.arange(30) % 5)
    assert law.model_.terms == ("a*b",)


def test_groups_are_checked(table):
    with pytest.raises(InputError, match=r"one label per row \(30\)\. Got 'shape \(3,\)'"):
        SymbolicRegressor().fit(table, table["a"], groups=[1, 2, 3])
    with pytest.raises(InputError, match=r"at least two groups\. Got '1'"):
        SymbolicRegressor().fit(table, table["a"], groups=[1] * 30)


def test_units_are_read_and_converted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (30, 2)), columns=["r_A [Å]", "r_B [nm]"])
    y = pd.Series(abs(X.iloc[:, 0] - 10 * X.iloc[:, 1]), name="d [Å]")
    law = SymbolicRegressor(pair_operations=["abs_difference"], max_order=1).fit(X, y)
    assert law.formula_ == "abs(r_A - r_B)"
    assert law.units_ == {"r_A": "Å", "r_B": "Å"}
    assert law.model_.unit == "Å"
    np.testing.assert_allclose(law.predict(X), y)


def test_sums_of_unlike_units_are_never_formed():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (30, 2)), columns=["r [Å]", "E [eV]"])
    law = SymbolicRegressor(pair_operations=["sum"], max_order=1).fit(X, X.iloc[:, 0])
    assert law.generated_.names == ("1", "r", "E")
    free = SymbolicRegressor(pair_operations=["sum"], max_order=1, dimensions="ignore").fit(X, X.iloc[:, 0])
    assert "r + E" in free.generated_.names


def test_target_dimension_match():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (30, 2)), columns=["r [Å]", "E [eV]"])
    y = pd.Series(X["E [eV]"] * 2, name="U [eV]")
    law = SymbolicRegressor(["inverse"], max_order=2, target_dimension="match").fit(X, y)
    assert {term for model in law.models_ for term in model.terms} <= {"E", "E*r/r"}
    with pytest.raises(InputError, match=r"have a unit when target_dimension=.match.\. Got .U."):
        SymbolicRegressor(target_dimension="match").fit(X, y.rename("U"))


def test_declared_dimensions_must_name_columns(table):
    with pytest.raises(InputError, match=r"name columns of the table \(a, b, c, d\). Got 'z'"):
        SymbolicRegressor(dimensions={"z": "eV"}).fit(table, table["a"])


def test_unknown_unit_warns():
    X = pd.DataFrame(np.random.default_rng(0).uniform(1, 2, (9, 2)), columns=["a [furlongs]", "b [Å]"])
    with pytest.warns(UserWarning, match="the unit 'furlongs' of 'a' is not known"):
        SymbolicRegressor(max_order=1).fit(X, X.iloc[:, 1])


def test_domain_forbids_a_singular_operation(table):
    shifted = table - 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        law = SymbolicRegressor(["inverse"], max_order=1, domain={"a": (-1, 1)}).fit(shifted, shifted["b"])
    assert "1/a" not in law.generated_.names
    assert "1/b" in law.generated_.names


def test_symmetry_is_kept_and_measured():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (40, 4)), columns=["r_A", "r_B", "x_A", "x_B"])
    y = X["x_A"] * X["r_A"] + X["x_B"] * X["r_B"]
    law = SymbolicRegressor(symmetry="A<->B", max_order=2).fit(X, y)
    assert law.model_.n_terms == 1
    assert law.symmetry_error_ <= 1e-12
    swapped = X[["r_B", "r_A", "x_B", "x_A"]].set_axis(X.columns, axis=1)
    np.testing.assert_allclose(law.predict(swapped), law.predict(X), rtol=1e-12)


def test_selection_object_is_used(table):
    y = table["a"] + 2 * table["b"]
    law = SymbolicRegressor(selection=BackwardElimination(), max_order=1, criterion="q2").fit(table, y)
    assert set(law.model_.terms) == {"a", "b"}
    assert law.selection_path_ is not None
    four = SymbolicRegressor(selection=Exhaustive(max_terms=1), max_order=1).fit(table, y)
    assert four.model_.n_terms == 1


def test_same_law_for_any_number_of_threads(table):
    y = table["a"] * table["b"] + 0.1 * np.random.default_rng(0).normal(size=30)
    laws = [SymbolicRegressor(["inverse"], n_jobs=n).fit(table, y) for n in (1, 2, 4)]
    for law in laws[1:]:
        assert law.formula_ == laws[0].formula_
        assert [m.rmse for m in law.models_] == [m.rmse for m in laws[0].models_]


def test_prediction_outside_the_domain_warns_and_says_why(table):
    law = SymbolicRegressor(["inverse"]).fit(table, 2 / table["a"])
    new = table.head(3).copy()
    new.loc[0, "a"] = 0.0
    new.loc[1, "a"] = 5.0
    new.loc[2, "d"] = 99.0
    with pytest.warns(ExtrapolationWarning, match="2 of 3 rows lie outside"):
        predicted = law.predict(new)
    assert np.isnan(predicted[0])
    assert np.isfinite(predicted[1:]).all()
    frame = law.applicability(new)
    assert frame["in_domain"].tolist() == [False, False, True]
    assert "1/a is not defined here" in frame["reason"][0]
    assert "a = 5 is above" in frame["reason"][1]


def test_new_sign_inside_a_magnitude_is_told():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.uniform(1, 3, 30), "b": rng.uniform(-1, 0.9, 30)})
    law = SymbolicRegressor(pair_operations=["abs_difference"], max_order=1).fit(X, abs(X["a"] - X["b"]) ** 1)
    new = pd.DataFrame({"a": [1.0], "b": [2.5]})
    reason = law.applicability(new)["reason"][0]
    assert law.formula_ != "abs(a - b)" or "sign never seen" in reason


def test_training_rows_are_inside_their_own_domain(table):
    law = SymbolicRegressor(["inverse"]).fit(table, table["a"] / table["b"])
    assert law.applicability(table)["in_domain"].all()


def test_columns_are_put_in_order_and_missing_ones_named(table):
    law = SymbolicRegressor().fit(table, table["a"])
    np.testing.assert_allclose(law.predict(table[["d", "c", "b", "a"]]), table["a"])
    with pytest.raises(InputError, match="missing: b"):
        law.predict(table[["a", "c", "d"]])
    with pytest.raises(NotFittedError):
        SymbolicRegressor().predict(table)


def test_interval_level_is_checked(table):
    law = SymbolicRegressor().fit(table, table["a"])
    with pytest.raises(InputError, match=r"lie between 0 and 1. Got 1.5"):
        law.predict_interval(table, level=1.5)


def test_interval_covers_new_observations():
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(200):
        X = pd.DataFrame(rng.uniform(1, 2, (25, 2)), columns=["a", "b"])
        y = X["a"] * X["b"] + 0.1 * rng.normal(size=25)
        law = SymbolicRegressor(max_order=2, selection=Exhaustive(1)).fit(X.head(24), y.head(24))
        low, high = law.predict_interval(X.tail(1), level=0.9)
        hits.append(low[0] <= y.iloc[-1] <= high[0])
    assert 0.84 <= np.mean(hits) <= 0.95


def test_standard_deviation_matches_the_interval(table):
    y = table["a"] + 0.1 * np.random.default_rng(0).normal(size=30)
    law = SymbolicRegressor(max_order=1).fit(table, y)
    mean, std = law.predict(table, return_std=True)
    low, high = law.predict_interval(table, level=0.95)
    np.testing.assert_allclose((low + high) / 2, mean)
    assert (std > 0).all()
    assert ((high - low) / (2 * std) > 1.95).all()


def test_file_round_trip(table, tmp_path):
    y = table["a"] / table["b"] + 0.01 * np.random.default_rng(0).normal(size=30)
    law = SymbolicRegressor(["inverse"]).fit(table, y)
    law.save(tmp_path / "law.zip")
    again = SymbolicRegressor.load(tmp_path / "law.zip")
    assert again.formula_ == law.formula_
    assert again.formula_of(again.model_, digits=4) == law.formula_of(law.model_, digits=4)
    np.testing.assert_array_equal(again.predict(table), law.predict(table))
    np.testing.assert_array_equal(again.predict_interval(table), law.predict_interval(table))
    far = table * 3
    assert again.applicability(far)["reason"].tolist() == law.applicability(far)["reason"].tolist()


def test_one_changed_byte_is_refused(table, tmp_path):
    path = tmp_path / "law.zip"
    SymbolicRegressor().fit(table, table["a"]).save(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"rmse_loo") + 20] ^= 0x01
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"law\.zip"):
        SymbolicRegressor.load(path)


def test_too_few_rows(table):
    with pytest.raises(InputError, match="minimum of 3"):
        SymbolicRegressor().fit(table.head(2), table["a"].head(2))


def test_missing_value_is_named(table):
    table.loc[4, "c"] = np.nan
    with pytest.raises(InputError, match=r"first at row 4, column 'c'"):
        SymbolicRegressor().fit(table, table["a"])


def test_text_is_refused(table):
    table["d"] = "steel"
    with pytest.raises(InputError, match="steel"):
        SymbolicRegressor().fit(table, table["a"])


def test_constant_target_gives_the_mean(table):
    with pytest.warns(ConvergenceWarning, match="y is constant"):
        law = SymbolicRegressor().fit(table, np.full(30, 2.5))
    assert law.formula_ == "2.5"
    assert np.isnan(law.model_.q2)


def test_constant_that_is_no_binary_fraction_has_no_q2(table):
    with pytest.warns(ConvergenceWarning, match="y is constant"):
        law = SymbolicRegressor().fit(table, np.full(30, 45.52))
    assert np.isnan(law.model_.q2)


def test_repeated_rows_are_counted(table):
    double = pd.concat([table, table.head(2)], ignore_index=True)
    with pytest.warns(UserWarning, match="2 of 32 rows repeat"):
        SymbolicRegressor().fit(double, double["a"])


def test_memory_limit_refuses_before_allocating(table):
    with pytest.raises(InputError, match="memory"):
        SymbolicRegressor(["inverse"], max_order=4, memory_limit=1e4).fit(table, table["a"])


def test_huge_and_tiny_columns_work(table):
    X = table * np.array([1e150, 1e-150, 1, 1])
    y = table["a"] + table["b"]
    law = SymbolicRegressor(max_order=1).fit(X, y)
    assert set(law.model_.terms) == {"a", "b"}
    np.testing.assert_allclose(law.predict(X), y, rtol=1e-9)


def test_unknown_parameter_value(table):
    with pytest.raises(ValueError, match="criterion"):
        SymbolicRegressor(criterion="best").fit(table, table["a"])
    with pytest.raises(InputError, match="inverse"):
        SymbolicRegressor(["invers"]).fit(table, table["a"])


def test_in_a_pipeline(table):
    pipe = make_pipeline(
        FunctionTransformer(np.log, feature_names_out="one-to-one"), SymbolicRegressor(max_order=1)
    )
    pipe.set_output(transform="pandas")
    pipe.fit(table, 2 * np.log(table["a"]) - 1)
    assert pipe[-1].formula_ == "2*a - 1"


def test_celsius_enters_products_as_kelvin():
    T = pd.DataFrame({"T [°C]": np.linspace(20, 600, 25)})
    law = SymbolicRegressor(["inverse"], max_order=1).fit(T, 3 - 2000 / (T["T [°C]"] + 273.15))
    assert law.units_ == {"T": "K"}
    assert law.formula_ == "-2000/T + 3" or law.formula_ == "3 - 2000/T"
    np.testing.assert_allclose(law.predict(T[:3]), 3 - 2000 / (T["T [°C]"][:3] + 273.15), rtol=1e-9)


def test_new_rows_may_name_and_measure_columns_otherwise():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (30, 2)), columns=["r", "T [K]"])
    law = SymbolicRegressor(["inverse"], dimensions={"r": "Å"}).fit(X, X["r"] / X["T [K]"])
    other = pd.DataFrame({"T": X["T [K]"], "r [nm]": X["r"] / 10})
    np.testing.assert_allclose(law.predict(other), law.predict(X), rtol=1e-12)
    with pytest.raises(UnitError):
        law.predict(other.rename(columns={"r [nm]": "r [eV]"}))
    with pytest.raises(InputError, match="missing: r"):
        law.predict(other[["T"]])
