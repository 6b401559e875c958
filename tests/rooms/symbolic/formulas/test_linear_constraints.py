"""Linear constraints as users type them."""

import math

import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.formulas.linear_constraints import LinearConstraint, read_constraint, read_constraints

NAMES = ["a", "b", "x_A", "x_B", "磁化", "c <= d"]


@pytest.mark.parametrize(
    ("text", "coefficients", "low", "high"),
    [
        ("x_A + x_B == 1", {"x_A": 1, "x_B": 1}, 1, 1),
        ("x_A + x_B = 1", {"x_A": 1, "x_B": 1}, 1, 1),
        ("2*a + b <= 3", {"a": 2, "b": 1}, -math.inf, 3),
        ("2*a + b <= 3 - a", {"a": 3, "b": 1}, -math.inf, 3),
        ("a >= b", {"a": 1, "b": -1}, 0, math.inf),
        ("3 >= a", {"a": -1}, -3, math.inf),
        ("2*(a + b) - 4 < 2*a/3", {"a": 4 / 3, "b": 2}, -math.inf, 4),
        ("0.2 <= x_A + x_B <= 1", {"x_A": 1, "x_B": 1}, 0.2, 1),
        ("1 ≥ a - b ≥ -1", {"a": 1, "b": -1}, -1, 1),
        ("磁化 ≤ 2", {"磁化": 1}, -math.inf, 2),
        ("`c <= d` + a <= 1", {"c <= d": 1, "a": 1}, -math.inf, 1),
        ("-(a - b) <= 1e-3", {"a": -1, "b": 1}, -math.inf, 1e-3),
    ],
)
def test_text_is_read(text, coefficients, low, high):
    found = read_constraint(text, NAMES)
    assert found.coefficients == pytest.approx(coefficients)
    assert (found.low, found.high) == (low, high)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a*b <= 1", r"be linear in the columns. Got 'a\*b <= 1' with the term a\*b\. Only sums"),
        ("a + |b| <= 1", r"with the term abs\(b\)"),
        ("a + b", r"compare two linear expressions by <=, >= or ==\. Got 'a \+ b'"),
        ("<= 1", "compare two linear expressions"),
        ("a != 1", r"use <=, >= or ==\. Got 'a != 1'"),
        ("a <= b <= 1", r"read 'number <= expression <= number'"),
        ("0 <= a >= 1", r"read 'number <= expression <= number'"),
        ("1 <= 2", r"hold a column. Got '1 <= 2'"),
        ("a - a <= 2", r"hold a column"),
        ("2 <= a <= 1", r"leave some room between its sides. Got '2 <= a <= 1'"),
        ("q <= 1", r"a name must be a column of the table. Got 'q'"),
        ("a <= 1 <= b <= 2", "compare two linear expressions"),
        ("a.__class__ <= 1", "a number must have digits"),
    ],
)
def test_bad_text_is_refused_with_a_remedy(text, message):
    with pytest.raises(InputError, match=message):
        read_constraint(text, NAMES)


def test_records_and_triples_are_read_too():
    triple = ({"a": 2, "b": 0, "x_A": -1.5}, -math.inf, 4)
    found = read_constraints(
        [triple, "a <= 1", LinearConstraint("mine", {"b": 1.0}, 0.0, 1.0)], NAMES, place="p"
    )
    assert [str(one) for one in found] == ["2*a - 1.5*x_A <= 4", "a <= 1", "mine"]
    assert read_constraints(triple, NAMES, place="p")[0].coefficients == {"a": 2.0, "x_A": -1.5}
    assert read_constraints("a <= 1", NAMES, place="p")[0].high == 1.0
    assert read_constraints((), NAMES, place="p") == ()
    assert str(read_constraints(({"a": 1.0, "b": 1.0}, 1, 1), NAMES, place="p")[0]) == "a + b == 1"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (({"q": 1.0}, 0, 1), r"p: constraints must name columns of the law \(a, b.*Got 'q'"),
        (({"a": 1.0}, 2, 1), r"leave some room between its sides. Got '2 <= a <= 1'"),
        (({"a": math.nan}, 0, 1), "hold a column"),
        (({"a": 1.0}, math.inf, math.inf), "leave some room"),
        ([3.0], r"be text or \(coefficients, low, high\)\. Got 3\.0"),
    ],
)
def test_bad_records_are_refused(entry, message):
    with pytest.raises(InputError, match=message):
        read_constraints(entry, NAMES, place="p")
