"""Amounts with variables: exact, with four operations, and nothing evaluated."""

from fractions import Fraction

import numpy as np
import pytest

from sozai.composition.formula_repairs import Refusal
from sozai.composition.formula_variables import as_values, read_amount, starts_expression
from sozai.contracts.errors import InputError

VALUES = {"x": Fraction(3, 10), "y": Fraction(1, 10), "δ": Fraction(1, 20)}


@pytest.mark.parametrize(
    ("text", "amount", "end"),
    [
        ("1-x", 0.7, 3),
        ("1-xSr", 0.7, 3),
        ("3-δ", 2.95, 3),
        ("2x", 0.6, 2),
        ("1-x-y", 0.6, 5),
        ("x/2", 0.15, 3),
        ("(1-x)/2", 0.35, 7),
        ("2(1-x)", 1.4, 6),
        ("((1-x)*2)", 1.4, 9),
        ("1-2x+y", 0.5, 6),
        ("8/2/2", 2.0, 5),
        ("1-x*H2O", 0.7, 3),
        ("1/3", 1 / 3, 3),
        ("x-0.3", 0.0, 5),
    ],
)
def test_amounts_are_worked_out(text, amount, end):
    assert read_amount(text, 0, VALUES) == (amount, end)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("x-1", "negative", "x-1 is -0.7 here"),
        ("x/(y-y)", "expression", "divide by something other than zero"),
        ("1-z", "variable", "it needs a value for z"),
        ("1-q", "symbol", "'q' is none"),
        ("(1-x", "brackets", "close every bracket"),
        ("(1-x]", "brackets", "close brackets by their own kind"),
        ("(1-)", "expression", "have a number or a variable here"),
        ("(" * 200 + "x", "depth", "at most 64 deep"),
    ],
)
def test_amounts_that_are_none_are_refused(text, code, said):
    with pytest.raises(Refusal) as caught:
        read_amount(text, 0, VALUES)
    assert caught.value.code == code
    assert said in caught.value.must


def test_an_amount_beyond_all_floats_is_refused():
    with pytest.raises(Refusal, match="finite"):
        read_amount("9" * 400, 0, VALUES)


@pytest.mark.parametrize(
    ("text", "number_end", "starts"),
    [
        *(("2-x", 1, True), ("2x", 1, True), ("2O", 1, False), ("2", 1, False), ("2*5H2O", 1, False)),
        *(
            ("2(1-x)", 1, True),
            ("2(OH)", 1, False),
            ("2 -x", 1, True),
            ("(1-x)", 0, True),
            ("(OH)", 0, False),
        ),
        *(("x", 0, True), ("()", 0, False), ("δ", 0, True)),
    ],
)
def test_expressions_are_told_from_numbers_and_groups(text, number_end, starts):
    assert starts_expression(text, 0, number_end) is starts


def test_values_become_exact():
    assert as_values({"x": 0.1, "delta": 2, "y": Fraction(1, 3)}, place="p") == {
        "x": Fraction(1, 10),
        "delta": 2,
        "y": Fraction(1, 3),
    }
    assert as_values(None, place="p") is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.1], "values must be a dictionary of variables"),
        ({"X": 0.1}, "name variables by small Latin or Greek letters. Got 'X'"),
        ({"x": "0.1"}, "hold a finite number for x. Got '0.1'"),
        ({"x": float("inf")}, "hold a finite number for x. Got inf"),
        ({"x": True}, "hold a finite number for x. Got True"),
    ],
)
def test_values_that_are_none_are_refused(values, said):
    with pytest.raises(InputError, match=r"^p: ") as caught:
        as_values(values, place="p")
    assert said in str(caught.value)


def test_every_row_has_a_value_of_its_own():
    from sozai.composition import parse_formulas

    formulas = ["La1-xSrxMnO3"] * 3 + ["Fe2O3"]
    parsed = parse_formulas(formulas, values={"x": [0.1, 0.3, np.nan, 0.0]}, on_error="nan")
    assert parsed.keys()[[0, 1, 3]].tolist() == ["SrLa9Mn10O30", "Sr3La7Mn10O30", "Fe2O3"]
    assert parsed.refused.tolist() == [False, False, True, False]
    assert "needs a value for x" in parsed.issues["message"].iloc[0]
    assert parsed.texts.tolist() == formulas
    many = parse_formulas(["La1-xSrxMnO3", "NaCl"] * 400, values={"x": np.tile([0.25, 0.5], 400)})
    assert set(many.keys()) == {"SrLa3Mn4O12", "NaCl"}


def test_values_for_other_rows_are_refused():
    from sozai.composition import parse_formulas

    with pytest.raises(InputError, match=r"one for each of the 2 rows, for x. Got 'shape \(3,\)'"):
        parse_formulas(["Bi2-xSbx", "NaCl"], values={"x": [0.1, 0.2, 0.3]})
