"""Formulas of columns: what is read, what it is worth, how errors go through, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.column_formulas import ColumnFormula
from sozai.contracts.errors import InputError

TABLE = {"a": np.array([2.0, 3.0]), "b": np.array([5.0, 4.0]), "S [uV/K]": np.array([1.0, 2.0])}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b*2", [12.0, 11.0]),
        ("a - b - 1", [-4.0, -2.0]),
        ("a/b/2", [0.2, 0.375]),
        ("-a^2", [-4.0, -9.0]),
        ("(-a)^2", [4.0, 9.0]),
        ("a**2*b", [20.0, 36.0]),
        ("a²·b", [20.0, 36.0]),
        ("a⁻¹ × b", [2.5, 4 / 3]),
        ("b^(1/2)", [5**0.5, 2.0]),
        ("2^3^2 + 0*a", [512.0, 512.0]),
        ("a^-1", [0.5, 1 / 3]),
        ("√b", [5**0.5, 2.0]),
        ("S * 1e-6", [1e-6, 2e-6]),
        ("`S [uV/K]`**2", [1.0, 4.0]),
        ("log10(exp(ln(a)))", [np.log10(2.0), np.log10(3.0)]),
        ("abs(a − b)", [3.0, 1.0]),
        ("\uff41\uff0b\uff11", [3.0, 4.0]),
    ],
)
def test_formulas_are_read_as_they_are_written(text, value):
    np.testing.assert_allclose(ColumnFormula(text, TABLE).value(TABLE), value)


def test_every_name_is_a_column_where_no_list_is_given():
    assert ColumnFormula("S^2*sigma/kappa*T + S").columns == ("S", "sigma", "kappa", "T")


def test_a_column_that_occurs_twice_counts_once():
    value, error = ColumnFormula("a*a", ["a"]).value_and_error(TABLE, {"a": 0.1})
    np.testing.assert_allclose(value, [4.0, 9.0])
    np.testing.assert_allclose(error, [0.4, 0.6])
    np.testing.assert_allclose(ColumnFormula("a - a").value_and_error(TABLE, {"a": 0.1})[1], 0.0)


def test_errors_are_those_of_draws():
    rng = np.random.default_rng(0)
    truth = {"S": 200.0, "sigma": 900.0, "kappa": 2.0}
    errors = {"S": 2.0, "sigma": 18.0, "kappa": 0.03}
    formula = ColumnFormula("S^2*sigma/kappa")
    drawn = {name: truth[name] + errors[name] * rng.standard_normal(200_000) for name in truth}
    _, error = formula.value_and_error({name: np.array([truth[name]]) for name in truth}, errors)
    assert error[0] == pytest.approx(formula.value(drawn).std(), rel=0.01)


NODES = st.recursive(
    st.sampled_from(["a", "b", "1.5", "2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
        st.tuples(inner, st.sampled_from(["2", "0.5", "-1"])).map(lambda t: f"abs({t[0]})^{t[1]}"),
        inner.map(lambda t: f"exp(-abs({t}))"),
    ),
    max_leaves=6,
)


@given(NODES)
def test_derivatives_are_those_of_small_steps(text):
    try:
        formula = ColumnFormula(text)
        table = {"a": np.array([1.3]), "b": np.array([2.7])}
        _, error = formula.value_and_error(table, {"a": 1.0})
        step = 1e-6
        above = formula.value(table | {"a": np.array([1.3 + step])})
        below = formula.value(table | {"a": np.array([1.3 - step])})
    except InputError:
        return  # a formula of numbers alone, or one that divides by zero
    scale = max(1.0, abs(float(above[0])), float(error[0]))
    if float(error[0]) < 1e3:
        assert abs(abs(above - below)[0] / (2 * step) - error[0]) < 1e-3 * scale


def test_missing_cells_stay_missing():
    table = {"a": np.array([1.0, np.nan]), "b": np.array([0.0, 0.0])}
    value, error = ColumnFormula("a + b").value_and_error(table, {"b": 1.0})
    np.testing.assert_array_equal(value, [1.0, np.nan])
    np.testing.assert_array_equal(error, [1.0, np.nan])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"text must hold a formula\. Got ''"),
        ("1 + 2", r"text must name at least one column\. Got '1 \+ 2'"),
        ("a $ b", r"hold numbers, columns, .* Got '\$' at character 3 of 'a \$ b'"),
        ("a b", r"operator between two terms\. Got 'b' at character 3 of 'a b'\. Write \* for a product"),
        ("a +", r"number, a column or a parenthesis here\. Got 'the end' at character 4"),
        ("(a + b", r"close the parenthesis of character 1\. Got 'the end' at character 7"),
        ("system(a)", r"use the functions sqrt, .* Got 'system' at character 1"),
        ("a.b", r"hold finite numbers with digits\. Got '\.b'"),
        ("a^b", r"numbers as exponents\. Got 'a column' at character 2"),
        ("sgma*2", r"name columns of the table\. Got 'sgma' at character 1 .* Did you mean sigma\?"),
        ("`a", r"close every backtick"),
        ("a^(1/0)", r"finite exponents\. Got inf"),
        ("(" * 60 + "a" + ")" * 60, r"at most 50 levels deep"),
        ("a + " * 300 + "a", r"at most 1000 characters\. Got 1201"),
        ("a¹⁻", r"whole numbers as superscripts\. Got '¹⁻'"),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(text, message):
    with pytest.raises(InputError, match=message):
        ColumnFormula(text, ["a", "b", "sigma"])


def test_two_headers_of_one_name_are_not_guessed():
    with pytest.raises(InputError, match=r"Got 'S' at character 1 of 'S'\. Did you mean S \[V\] or S \[mV\]"):
        ColumnFormula("S", ["S [V]", "S [mV]"])


def test_values_that_are_not_defined_name_the_row():
    with pytest.raises(InputError, match=r"values of 'log\(a\)' must be finite\. Got -inf at row 1, from"):
        ColumnFormula("log(a)").value({"a": np.array([1.0, 0.0])})
    with pytest.raises(InputError, match=r"errors of 'sqrt\(a\)' must be finite\. Got inf at row 0"):
        ColumnFormula("sqrt(a)").value_and_error({"a": np.array([0.0])}, {"a": 0.1})
