"""Formulas typed by a user."""

# ruff: noqa: RUF001
from __future__ import annotations

import time
from fractions import Fraction

import pytest

from sozai.contracts.errors import InputError, UnitError
from sozai.symbolic.formulas.grammar import parse_expression, parse_into
from sozai.symbolic.operations import Expressions


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("ｘ＊（１−ｘ）", "x*(1 - x)"),
        ("x²·y", "x**2*y"),
        ("x^2", "x**2"),
        ("|x|", "abs(x)"),
        ("||x| - |y||", "abs(abs(x) - abs(y))"),
        ("x × y ÷ 2", "0.5*x*y"),
        ("ln(x)", "log(x)"),
        ("x**0.5", "sqrt(x)"),
        ("x^(1/3)", "cbrt(x)"),
        ("x⁻¹", "1/x"),
        ("+x", "x"),
        ("--x", "x"),
        ("2^3^2*x", "512*x"),
        ("x ÷ y ÷ 2", "0.5*x/y"),
        ("x*y⁻¹*x", "x**2/y"),
        (".5x".replace("x", "*x"), "0.5*x"),
        ("1e-3*x", "0.001*x"),
        ("-x^2", "-x**2"),
        ("x – y", "x - y"),
        ("(((x)))", "x"),
        ("x**0", "1"),
        ("2/3/x", "2/3/x"),
    ],
)
def test_notations(typed, plain):
    assert str(parse_expression(typed, ["x", "y"])) == plain


def test_numbers_are_exact():
    formula = parse_expression("0.1*x + 0.2*x", ["x"])
    assert formula.store.constants[formula.store.left[formula.store.left[formula.id]]] == Fraction(3, 10)


def test_names_that_are_no_identifiers():
    names = ["heat flow", "M_P[0]", "M_I[0,1]", "a`b", "exp", "磁化", "Fe-Co"]
    text = "`heat flow`*M_P[0]*M_I[0, 1]*`a``b`*`exp`*磁化*`Fe-Co`"
    formula = parse_expression(text, names)
    assert formula.names == tuple(names)
    assert str(formula) == "`heat flow`*`M_P[0]`*`M_I[0,1]`*`a``b`*`exp`*磁化*`Fe-Co`"


def test_names_are_collected_when_none_are_given():
    assert parse_expression("b*a + sqrt(`c d`)").store.names == ("b", "a", "c d")


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("x + __import__('os')", "a function must be one of abs", 4),
        ("x.real", "a number must have digits", 1),
        ("x + y[0]", r"Got '\['", 5),
        ("x; y", "Got ';'", 1),
        ("lambda: x", "Got 'lambda'", 0),
        ("x if y else x", "Got 'if'", 2),
        ("x y", "an operator must stand between", 2),
        ("x + ", "Got the end", 3),
        ("(x", r"'\)' must stand here", 1),
        ("|x", r"'\|' must stand here", 1),
        ("x**y", "an exponent must be a number", 3),
        ("x**0.1", "Got 1/10", 1),
        ("x**65", "up to 64", 1),
        ("1e400", "below 1e300", 0),
        ("eval(x)", "a function must be one of", 0),
        ("z", "Got 'z'", 0),
        ("x/0", "not be zero", 1),
        ("log(-1)", "the argument of log must be positive. Got '-1'", 0),
        ("x == y", "Got '='", 2),
        ("x @ y", "Got '@'", 2),
        ('"x"', "Got '\"'", 0),
        ("`x", "must be closed", 0),
        ("9**64**64**64", "whole number", 5),
    ],
)
def test_refused_at_once_with_a_caret(text, message, caret):
    with pytest.raises(InputError, match=message) as raised:
        parse_expression(text, ["x", "y"])
    shown, pointer = str(raised.value).splitlines()[-2:]
    assert pointer.index("^") - 4 <= max(len(text), caret)
    assert shown[4:] == text or text.isspace()
    if text not in ("x + ", "(x", "|x"):
        assert pointer.index("^") - 4 == caret


def test_near_names_are_listed():
    with pytest.raises(InputError, match=r"Got 'r_C'\. Did you mean r_\w or r_\w\?"):
        parse_expression("r_C", ["r_A", "r_B", "volume"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * 10_000, "at most 2000 characters. Got 10000"),
        ("(" * 1000 + "x" + ")" * 900, "at most 50 levels deep"),
        ("|" * 1999, "at most 50 levels deep"),
        ("2^" * 900 + "2", "at most 50 levels deep"),
        ("", "empty text"),
        ("   ", "empty text"),
        ("-" * 1999, "Got the end"),
        ("abs(" * 400 + "x", "at most 50 levels deep"),
    ],
)
def test_long_and_deep_texts_are_refused_fast(text, message):
    begin = time.perf_counter()
    with pytest.raises(InputError, match=message):
        parse_expression(text, ["x"])
    assert time.perf_counter() - begin < 0.5


def test_long_sums_are_fast():
    begin = time.perf_counter()
    assert str(parse_expression("+".join(["x"] * 1000), ["x"])) == "1000*x"
    parse_expression("+".join(f"x{j}" for j in range(380)))
    assert time.perf_counter() - begin < 2


def test_text_is_text():
    with pytest.raises(InputError, match=r"must be text\. Got int"):
        parse_expression(3, ["x"])


def test_dimensions_of_the_store_apply():
    length = (("length", Fraction(1)),)
    store = Expressions(["r", "s", "n"], dimensions={"r": length, "s": length, "n": ""})
    assert store.text(parse_into(store, "n*(r + s)")) == "n*(r + s)"
    with pytest.raises(UnitError, match=r"r \[length\] and n \[dimensionless\]"):
        parse_into(store, "r + n")
    with pytest.raises(UnitError, match="argument of exp must be dimensionless"):
        parse_into(store, "n*exp(r)")
