"""Invariants: planted laws come back, chance does not, and every refusal names its numbers."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from sozai.contracts.errors import ConvergenceWarning, InputError, UnitError
from sozai.symbolic.invariants import find_invariants
from sozai.symbolic.relations.invariant_record import power_text, product_unit, sum_text
from sozai.symbolic.relations.partial_correlations import (
    chance_of_looseness,
    count_subsets,
    looseness_at_chance,
    tied_subsets,
    weakest_ties,
)
from sozai.symbolic.relations.tightest_combination import (
    simple_weights,
    tightest_combination,
    whole_numbers,
)


def noisy(columns, noise, rng):
    """Table of columns, each with relative noise."""
    table = pd.DataFrame(columns)
    return table * np.exp(noise * rng.normal(size=table.shape))


@pytest.fixture
def gas():
    """Forty states of an ideal gas, one per cent of noise in every column, and a column without part."""
    rng = np.random.default_rng(1)
    V, T, n = rng.uniform(1, 5, 40), rng.uniform(250, 400, 40), rng.uniform(0.5, 2, 40)
    columns = {
        "p [kPa]": n * 8.314 * T / V,
        "V [L]": V,
        "n [mol]": n,
        "T [K]": T,
        "age": rng.uniform(1, 2, 40),
    }
    return noisy(columns, 0.01, rng)


# --- subsets -----------------------------------------------------------------------------------------


def brute_looseness(X, subset):
    """Largest 1 - g² from residuals of explicit regressions on the other members."""
    columns = X[:, subset] - X[:, subset].mean(axis=0)
    worst = 0.0
    for i, j in combinations(range(len(subset)), 2):
        others = np.delete(columns, [i, j], axis=1)
        rest = [
            columns[:, k] - others @ np.linalg.lstsq(others, columns[:, k], rcond=None)[0] for k in (i, j)
        ]
        worst = max(worst, 1 - (rest[0] @ rest[1]) ** 2 / (rest[0] @ rest[0]) / (rest[1] @ rest[1]))
    return worst


def test_looseness_equals_explicit_regressions():
    X = np.random.default_rng(0).normal(size=(15, 6))
    X[:, 5] = X[:, 0] - X[:, 3] + 0.1 * X[:, 5]
    R, classes = np.corrcoef(X.T), np.array([0, 0, 1, 0, 1, 0])
    for size in (2, 3, 4):
        legal = [s for s in combinations(range(6), size) if len({classes[j] for j in s}) == 1]
        truth = {s: brute_looseness(X, list(s)) for s in legal}
        assert count_subsets(classes, size) == len(legal)
        assert weakest_ties(R, classes, (size,))[0] == pytest.approx(min(truth.values()), rel=1e-7)
        found, looseness = tied_subsets(R, classes, size, loosest=0.9, largest_ratio=1.0)
        wanted = [s for s in legal if truth[s] <= 0.9]
        assert [tuple(s) for s in found.tolist()] == wanted
        np.testing.assert_allclose(looseness, [truth[s] for s in wanted], rtol=1e-7)


def test_more_subsets_than_room_are_all_kept():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(50, 1))
    R = np.corrcoef((common + 0.01 * rng.normal(size=(50, 30))).T)
    found, _ = tied_subsets(R, np.zeros(30, np.int64), 2, loosest=0.5, largest_ratio=0.1)
    assert len(found) == 30 * 29 // 2


def test_chance_of_looseness_is_uniform_for_independent_normal_columns():
    rng, size, m = np.random.default_rng(5), 3, 9
    chances = []
    for _ in range(400):
        P = np.linalg.inv(np.corrcoef(rng.normal(size=(size, m))))
        chances.append(chance_of_looseness(1 - P[0, 1] ** 2 / P[0, 0] / P[1, 1], m, size))
    assert kstest(chances, "uniform").pvalue > 0.01
    assert chance_of_looseness(looseness_at_chance(0.2, m, size), m, size) == pytest.approx(0.2)


def test_two_exact_laws_in_one_subset_are_no_law_of_the_whole():
    a, c = np.random.default_rng(0).normal(size=(2, 30))
    R = np.corrcoef([a, 2 * a, c, 3 * c])
    assert weakest_ties(R, np.zeros(4, np.int64), (4,))[0] > 0.9


# --- weights -----------------------------------------------------------------------------------------


def test_left_out_rows_equal_explicit_refits():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(12, 3))
    X[:, 2] = X[:, 0] - 2 * X[:, 1] + 0.02 * rng.normal(size=12)
    found = tightest_combination(X)
    spreads = np.linalg.norm(X - X.mean(axis=0), axis=0)
    for row in range(12):
        others = np.delete(X, row, axis=0)
        centred = others - others.mean(axis=0)
        direction = np.linalg.svd(centred / spreads)[2][-1] / spreads
        weights = direction / direction[found.reference]
        np.testing.assert_allclose(found.left_out_weights[row], weights, rtol=1e-8)
        distance = (X[row] - others.mean(axis=0)) @ weights
        assert found.left_out[row] == pytest.approx(distance, rel=1e-7, abs=1e-10)


def test_errors_of_the_weights_cover_the_truth():
    """95 % intervals of a planted law with noise in all columns, 400 tables."""
    from scipy.stats import t

    rng, inside = np.random.default_rng(7), 0
    reach = t.ppf(0.975, 20 - 3)
    for _ in range(400):
        logs = rng.normal(size=(20, 3))
        logs[:, 2] = -(logs[:, 0] + logs[:, 1])
        found = tightest_combination(logs + 0.02 * np.sqrt([1.0, 1.0, 2.0]) * rng.normal(size=(20, 3)))
        errors = np.sqrt(np.diag(found.covariance))
        other = next(j for j in range(3) if j != found.reference)
        inside += abs(found.weights[other] - 1) <= reach * errors[other]
    assert 0.92 <= inside / 400 <= 0.975


def test_weights_become_whole_numbers_only_where_the_data_say_so():
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)

    def snapped(weight, noise):
        found = tightest_combination(np.column_stack([x, -x / weight + noise * rng.normal(size=30)]))
        return simple_weights(found, 28, 6)

    assert snapped(1.5, 1e-3) == (Fraction(2), Fraction(3))
    assert snapped(5 / 6, 1e-4) == (Fraction(6), Fraction(5))
    assert snapped(1.0, 0.05) == (Fraction(1), Fraction(1))
    assert snapped(np.sqrt(2), 1e-3) is None  # known too well to be simple
    assert snapped(1.37, 0.5) is None  # known too badly to say


def test_whole_numbers_have_no_common_divisor_and_start_positive():
    assert whole_numbers([Fraction(-1), Fraction(2, 3), Fraction(1, 2)]) == (6, -4, -3)


def test_texts():
    assert power_text(["a b", "c"], [Fraction(1, 2), Fraction(-1)]) == "`a b`**(1/2)/c"
    assert power_text(["a", "b", "c"], [1, -1, -2]) == "a/(b*c**2)"
    assert power_text(["a"], [1.00000001]) == "a"
    assert sum_text(["a", "b"], [-1, 2.5]) == "-a + 2.5*b"
    assert product_unit(["kPa", "L", "mol", "K"], [1, 1, -1, -1]) == "kPa*L/(mol*K)"
    assert product_unit(["g/cm3", "m/s"], [1, -1]) == "(g/cm3)/(m/s)"
    assert product_unit(["K"], [-1]) == "1/K"


# --- planted laws ------------------------------------------------------------------------------------


def test_the_ideal_gas_law_with_its_constant_and_unit(gas):
    found = find_invariants(gas)
    (law,) = found
    assert law.formula == "p*V/(n*T)"
    assert law.unit == "kPa*L/(mol*K)"
    assert law.constant == pytest.approx(8.314, rel=4 * 0.02 / np.sqrt(40))
    assert 0.014 < law.spread < 0.027  # four columns of one per cent each
    assert law.p_value == 0.005
    assert law.expected_by_chance < 1e-9
    assert law.spread < law.left_out_spread < 1.2 * law.spread
    assert 0 < law.exponent_shift < 0.1
    assert (found.n_columns, found.n_samples, found.n_subsets, found.n_independent) == (5, 40, 25, 1)
    # standard errors: the true exponents lie within four
    for name, free, error in zip(law.names, law.free_exponents, law.standard_errors, strict=True):
        assert abs(free - {"p": 1, "V": 1, "n": -1, "T": -1}[name]) <= 4 * error
    np.testing.assert_allclose(law.deviations, law.evaluate(gas) / law.constant - 1, rtol=1e-9, atol=1e-12)


def test_celsius_enters_in_kelvin(gas):
    warm = gas.rename(columns={"T [K]": "T [°C]"})
    warm["T [°C]"] -= 273.15
    (law,) = find_invariants(warm)
    assert law.formula == "p*V/(n*T)"
    assert law.unit == "kPa*L/(mol*K)"
    np.testing.assert_allclose(law.evaluate(gas), law.evaluate(warm), rtol=1e-12)


def test_two_independent_laws_in_six_columns():
    rng = np.random.default_rng(2)
    a, b, c, d = rng.uniform(1, 5, (4, 30))
    table = noisy({"a": a, "b": b, "c": c, "d": d, "e": 7 * a**2 / b, "g": 3 * c / np.sqrt(d)}, 0.005, rng)
    found = find_invariants(table)
    assert {law.formula for law in found} == {"a**2/(b*e)", "c**2/(d*g**2)"}
    assert found.n_independent == found.n_found == 2
    constants = {law.formula: law.constant for law in found}
    assert constants["a**2/(b*e)"] == pytest.approx(1 / 7, rel=0.01)
    assert constants["c**2/(d*g**2)"] == pytest.approx(1 / 9, rel=0.01)


def test_a_law_that_follows_from_two_others_is_implied():
    rng = np.random.default_rng(3)
    a, b, c = rng.uniform(1, 5, (3, 30))
    found = find_invariants(noisy({"a": a, "b": b, "e": a / b, "c": c, "g": a * c / b}, 0.004, rng))
    kinds = {law.formula: law.kind for law in found}
    assert kinds == {"a/(b*e)": "independent", "e*c/g": "independent", "a*c/(b*g)": "implied"}
    assert found.n_independent == 2


def test_four_proportional_columns_have_three_independent_laws():
    rng = np.random.default_rng(4)
    size = rng.uniform(1, 5, 30)
    found = find_invariants(noisy({name: size * k for k, name in enumerate("stuv", 1)}, 0.01, rng))
    assert found.n_independent == 3
    assert found.n_found == 6
    assert all(len(law.names) == 2 for law in found)


def test_a_law_that_holds_more_closely_with_one_more_column_is_coarse():
    """Boyle's law at nearly constant temperature, and the law that knows the temperature."""
    rng = np.random.default_rng(5)
    T, V = 300 * np.exp(0.02 * rng.normal(size=60)), rng.uniform(1, 5, 60)
    found = find_invariants(noisy({"p": T / V, "V": V, "T": T}, 0.002, rng))
    assert [(law.formula, law.kind) for law in found] == [("p*V/T", "independent"), ("p*V", "coarse")]
    assert found[0].spread < 0.3 * found[1].spread
    assert found.n_independent == 1


def test_fractions_of_a_mixture_add_up():
    rng = np.random.default_rng(6)
    table = pd.DataFrame(rng.dirichlet([1, 1, 1], 30), columns=["x_A", "x_B", "x_C"]).assign(q=rng.random(30))
    (law,) = find_invariants(table, "linear")
    assert law.formula == "x_A + x_B + x_C"
    assert law.constant == pytest.approx(1, abs=1e-12)
    assert law.spread < 1e-14
    assert law.equation.startswith("x_A + x_B + x_C = 1 ± ")
    np.testing.assert_allclose(law.evaluate(table), 1, rtol=1e-12)
    assert len(find_invariants(table)) == 0


def test_a_difference_without_constant():
    x = np.random.default_rng(0).normal(size=20)
    (law,) = find_invariants(np.column_stack([x, 2 * x]), "linear", names=["a", "b"])
    assert law.formula == "2*a - b"
    assert "= 0 ± " in law.equation


def test_sums_are_formed_within_a_dimension_only():
    x = np.random.default_rng(0).random(20)
    same = pd.DataFrame({"a [eV]": x, "b [meV]": 1000 * (1 - x)})
    (law,) = find_invariants(same, "linear")
    assert (law.formula, law.unit) == ("a + b", "eV")
    assert law.constant == pytest.approx(1)
    other = pd.DataFrame({"a [eV]": x, "b [Å]": 1 - x})
    assert find_invariants(other, "linear").n_subsets == 0
    assert find_invariants(other, "linear", dimensions="ignore")[0].formula == "a + b"
    assert find_invariants(other, "linear", dimensions={"b": "eV"})[0].formula == "a + b"


def test_exponents_that_are_not_simple_stay_as_found():
    x = np.random.default_rng(0).uniform(1, 5, 40)
    (law,) = find_invariants(np.column_stack([x, x**np.pi]), names=["x", "y"])
    assert not law.snapped
    assert law.free_exponents[0] / law.free_exponents[1] == pytest.approx(-np.pi, rel=1e-9)
    assert law.formula == "x/y**0.3183"


# --- chance ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [8, 20])
def test_columns_that_have_nothing_to_do_with_each_other_give_nothing(m):
    found = find_invariants(np.exp(np.random.default_rng(0).normal(size=(m, 6))))
    assert len(found) == 0
    assert found.n_subsets == 15 + 20 + 15
    assert found.to_frame().empty
    assert "formula" in found.to_frame()
    assert repr(found) == (
        f"InvariantList: 0 independent of 0 found, form power, 6 columns, {m} rows, 50 subsets tried"
    )


@pytest.mark.parametrize("kind", ["normal", "outliers", "few values"])
def test_false_findings_are_no_more_frequent_than_asked_for(kind):
    """100 tables, five in a hundred allowed, any spread accepted: at most 11 by chance (p < 0.01)."""
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        if kind == "normal":
            X = np.exp(rng.normal(size=(8, 5)))
        elif kind == "outliers":
            X = np.exp(np.clip(rng.standard_cauchy(size=(8, 5)), -40, 40))
        else:
            X = rng.integers(1, 4, size=(8, 5)) + 0.0
        hits += len(find_invariants(X, tolerance=0.99, significance=0.05, n_permutations=99, rng=seed)) > 0
    assert hits <= 11


def test_too_few_rows_are_never_significant():
    x = np.array([1.0, 2.0, 3.0, 5.0])
    with pytest.warns(ConvergenceWarning, match="so few rows cannot tell a law from chance"):
        assert len(find_invariants(np.column_stack([x, x**2]))) == 0  # 24 shuffles: one in 12 is as good
    longer = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0])
    assert find_invariants(np.column_stack([longer, longer**2]))[0].formula == "x0**2/x1"


def test_a_strong_correlation_is_not_yet_a_law():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    table = np.exp(np.column_stack([x, x + 0.3 * rng.normal(size=200)]))
    assert len(find_invariants(table)) == 0
    assert len(find_invariants(table, tolerance=0.3)) == 1


def test_constant_columns_take_no_part_and_are_named(gas):
    found = find_invariants(gas.assign(g=9.81, zero=0.0))
    assert found.constant_columns == (("g", 9.81), ("zero", 0.0))
    assert found[0].formula == "p*V/(n*T)"
    assert found.n_columns == 5
    alone = find_invariants(pd.DataFrame({"x": [1.0, 2, 3, 4], "g": 9.81}))
    assert (len(alone), alone.n_subsets) == (0, 0)


def test_one_row_that_carries_a_law_is_seen():
    """Two columns that differ in one row only: without it there is no law."""
    x = np.ones(8)
    x[3] = 5.0
    rng = np.random.default_rng(0)
    X = np.column_stack([x, x**2]) * np.exp(1e-13 * rng.normal(size=(8, 2)))
    assert len(find_invariants(X)) == 0  # one shuffle in eight brings the two rows together


# --- answers -----------------------------------------------------------------------------------------


def test_only_the_best_are_listed_and_all_are_counted():
    rng = np.random.default_rng(4)
    size = rng.uniform(1, 5, 30)
    found = find_invariants(noisy({name: size for name in "stuv"}, 0.01, rng), n_best=2)
    assert (len(found), found.n_found, found.n_independent) == (2, 6, 3)
    assert [law.kind for law in found[:2]] == ["independent", "independent"]
    assert found.to_frame().shape[0] == 2


def test_a_law_has_a_table_and_one_line(gas):
    law = find_invariants(gas)[0]
    assert law.to_frame()["exponent"].tolist() == [1, 1, -1, -1]
    assert list(law.to_frame()) == ["column", "exponent", "found", "standard_error"]
    assert repr(law).startswith("p*V/(n*T) = 8.27724 kPa*L/(mol*K) ± ")
    assert repr(law).endswith("%")
    assert "\n" not in repr(law)


def test_a_law_is_evaluated_by_name_and_unit(gas):
    law = find_invariants(gas)[0]
    new = pd.DataFrame({"T [°C]": [26.85], "n [mmol]": [1000.0], "V [mL]": [1000.0], "p [bar]": [24.942]})
    assert law.evaluate(new)[0] == pytest.approx(8.314, rel=1e-12)
    assert law.evaluate([[2494.2, 1.0, 1.0, 300.0]])[0] == pytest.approx(8.314, rel=1e-12)
    with pytest.raises(InputError, match=r"missing: n \[mol\], T \[K\]"):
        law.evaluate(new[["p [bar]", "V [mL]"]])
    with pytest.raises(InputError, match=r"one column for each of p \[kPa\].* Got 'shape \(1, 3\)'"):
        law.evaluate([[1.0, 2.0, 3.0]])


def test_a_power_that_does_not_exist_is_nan():
    x = np.random.default_rng(0).uniform(1, 5, 40)
    law = find_invariants(np.column_stack([x, x**2]), names=["x", "y"])[0]
    assert law.formula == "x**2/y"
    assert np.isnan(law.evaluate([[1.0, 0.0]])[0])


# --- refusals ----------------------------------------------------------------------------------------


def test_values_without_logarithm_are_named():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, -2, 3, 0]})
    with pytest.raises(
        InputError, match=r"positive for form='power'\. Got -2\.0 at row 1, column 'b' \(2 such values\)"
    ):
        find_invariants(table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "sum"}, r"form must be 'power' or 'linear'\. Got 'sum'"),
        ({"max_terms": 1}, r"max_terms must be a whole number of at least 2\. Got 1"),
        ({"max_denominator": 0}, r"max_denominator must be a whole number of at least 1\. Got 0"),
        ({"n_best": 0}, r"n_best must be a whole number of at least 1\. Got 0"),
        ({"tolerance": 1.5}, r"tolerance must lie between 0 and 1\. Got 1\.5"),
        ({"significance": 0}, r"significance must lie between 0 and 1\. Got 0"),
        ({"n_permutations": 50}, r"n_permutations must be at least 99 for significance=0\.01\. Got 50"),
        ({"names": ["a"]}, r"one entry per column \(2\)\. Got 1"),
        ({"dimensions": {"q": "eV"}}, r"^find_invariants: dimensions must name columns .*Got 'q'"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(InputError, match=message):
        find_invariants(np.arange(1.0, 13.0).reshape(6, 2) ** 2, **options)


def test_tables_that_cannot_be_used():
    with pytest.raises(InputError, match=r"at least 4 rows and 2 columns. Got 'shape \(3, 2\)'"):
        find_invariants(np.ones((3, 2)))
    with pytest.raises(InputError, match=r"at least 4 rows and 2 columns. Got 'shape \(8, 1\)'"):
        find_invariants(pd.DataFrame({"a": np.arange(1.0, 9.0)}))
    with pytest.raises(InputError, match=r"contains NaN .* first at row 2, column 'b'"):
        find_invariants(pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1, 2, np.nan, 4]}))
    with pytest.raises(InputError, match=r"unique. Got 'a'"):
        find_invariants(np.ones((5, 2)), names=["a", "a"])


def test_too_few_rows_are_said_where_nothing_is_found():
    X = np.array([[1.0, 1], [2, 8], [3, 27], [4, 64]])
    with pytest.warns(ConvergenceWarning, match=r"cannot tell a law .* are 4, and 6 are needed .* 2 columns"):
        found = find_invariants(X)
    assert (len(found), found.n_samples_needed) == (0, 6)
    rows = np.arange(1.0, 7.0)
    laws = find_invariants(np.column_stack([rows, rows**3]))
    assert laws[0].exponents == (3, -1)
    assert laws.too_few == ""


def test_a_search_that_would_take_too_long_says_how_long():
    X = np.exp(np.random.default_rng(0).normal(size=(30, 200)))
    with pytest.raises(InputError, match=r"3e\+09 subsets .* Got '66,018,.* subsets of up to 4 of 200 col"):
        find_invariants(X)


def test_columns_of_any_size():
    x = np.random.default_rng(0).uniform(1, 5, 12)
    law = find_invariants(np.column_stack([1e150 * x, x**2 / 1e-150]))[0]
    assert law.formula == "x0**2/x1"
    assert law.constant == pytest.approx(1e150)
    total = find_invariants(np.column_stack([1e200 * x, 1e201 - 1e200 * x]), "linear")[0]
    assert total.formula == "x0 + x1"
    assert total.constant == pytest.approx(1e201)
    assert total.spread < 1e-15
    with pytest.raises(InputError, match=r"powers of x0, x1 must lie between .* Got '10\^450'"):
        find_invariants(np.column_stack([1e150 * x, 1e-150 * x**2]))


def test_an_unknown_unit_matters_for_sums_only():
    x = np.random.default_rng(0).random(20) + 0.5
    table = pd.DataFrame({"a [AU_x]": x, "b [AU_x]": 2 - x})
    with pytest.warns(UserWarning, match=r"^find_invariants: the unit 'AU_x' of '[ab]' is not known"):
        found = find_invariants(table, "linear")
    assert found[0].unit == "AU_x"
    assert find_invariants(pd.DataFrame({"a [AU_x]": x, "b": x**2}))[0].unit == "AU_x^2"


def test_units_that_cannot_be_converted_are_refused(gas):
    law = find_invariants(gas)[0]
    with pytest.raises(UnitError):
        law.evaluate(gas.rename(columns={"V [L]": "V [kg]"}))
