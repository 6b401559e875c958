"""The expression store: canonical forms, dimensions, intervals, evaluation, rendering, files."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError, UnitError
from sozai.symbolic.formulas.linear_formula import render_formula, simple_fraction
from sozai.symbolic.operations import Expression, Expressions, parse_expression, parse_into

LENGTH = (("length", Fraction(1)),)
ENERGY = (("energy", Fraction(1)),)


@pytest.fixture
def store():
    return Expressions(["a", "b", "c"])


def test_constant_is_first_and_leaves_follow(store):
    assert store.text(0) == "1"
    assert [store.leaf(name) for name in "abc"] == [1, 2, 3]
    assert store.left[1:4].tolist() == [0, 1, 2]
    assert store.op[:4].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a*b", "b*a"),
        ("a + b", "b + a"),
        ("abs(a - b)", "abs(b - a)"),
        ("inverse(inverse(a))", "a"),
        ("abs(a*b)", "abs(b)*abs(a)"),
        ("abs(1/a)", "1/abs(a)"),
        ("(a*b)*c", "a*(c*b)"),
        ("(a + b) + c", "c + (b + a)"),
        ("a*a", "a**2"),
        ("a + a", "2*a"),
        ("a - a", "0"),
        ("-(a - b)", "b - a"),
        ("a/(1/b)", "a/inverse(b)"),
        ("exp(-a)", "exp_neg(a)"),
        ("exp(b - a)", "exp_neg(a - b)"),
        ("log(exp(a))", "a"),
        ("abs(-a)", "abs(a)"),
        ("(2*a)*(3*b)", "6*a*b"),
        ("1/(a/b)", "b/a"),
        ("abs(a**2)", "a*a"),
        ("abs(abs(a))", "abs(a)"),
        ("0.1 + 0.2", "3/10"),
        ("sqrt(9/4)", "1.5"),
        ("2*a + 2*b", "2*(b + a)"),
        ("a - (b - c)", "a + c - b"),
        ("cbrt(-a)", "-cbrt(a)"),
        ("a**-2", "1/(a*a)"),
        ("abs(a/b)", "abs(a)/abs(b)"),
        ("a/(b*c)", "a/b/c"),
        ("a/(b*c)", "a*(1/b)*(1/c)"),
        ("a/(b*c)", "1/(b*c)*a"),
        ("1/(b*c)", "(1/b)*(1/c)"),
        ("a/(b/c)", "a*c/b"),
        ("a/(-2*b)", "-0.5*(1/b)*a"),
        ("(a/b)**3", "a**3/b**3"),
        ("abs(b)/abs(a)", "abs(1/a)*abs(b)"),
        ("exp(0*a)", "1"),
    ],
)
def test_equal_expressions_are_equal_ids(one, other):
    store = Expressions(list("abc"))
    assert parse_into(store, one) == parse_into(store, other)
    assert parse_expression(one, "abc") == parse_expression(other, "cab")


@pytest.mark.parametrize(
    "pair", [("a*(1/a)", "1"), ("a*b/b", "a"), ("abs(a)*abs(a)", "a*a"), ("a/a", "1"), ("sqrt(a*a)", "a")]
)
def test_relations_that_must_be_found_are_not_folded(pair):
    one, other = (parse_expression(text, "abc") for text in pair)
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/a", "1"),
        ("a/(a*b)", "1/b"),
        ("a*b/b", "a"),
        ("a/(a*a)", "1/a"),
        ("-a*b/a", "-b"),
        ("(a + b)*c/(b + a)", "c"),
        ("2*a/(3*a)", "2/3"),
        ("(a/b)*(b/c)", "a/c"),
        ("(a*b)**2/(b*c*b)", "a*a/c"),
    ],
)
def test_a_factor_and_its_reciprocal_cancel_where_asked(one, other):
    store = Expressions(list("abc"), cancel=True)
    assert parse_into(store, one) == parse_into(store, other)


def test_cancelling_compiled_and_exact_agree():
    store, rng = Expressions(list("abcd"), cancel=True), np.random.default_rng(3)
    ids = np.arange(1, 5)
    for _ in range(5):
        left, right = rng.choice(ids, 60), rng.choice(ids, 60)
        many = store.add("divide", left, right)
        for a, b, quotient in zip(left.tolist(), right.tolist(), many.tolist(), strict=True):
            assert store.product_of([a, store.add("inverse", b)]) == quotient
        ids = np.setdiff1d(np.unique(np.concatenate([ids, many, store.add("multiply", left, right)])), [0])
    X = rng.uniform(1, 2, (3, 4))
    np.testing.assert_allclose(
        store.evaluate(many, X), store.evaluate(left, X) / store.evaluate(right, X), rtol=1e-12
    )


def test_difference_keeps_its_value_in_either_order(store):
    forward, backward = store.add("subtract", 1, 2), store.add("subtract", 2, 1)
    values = store.evaluate([forward, backward], [[5.0, 3.0, 0.0]])
    assert values.tolist() == [[2.0, -2.0]]
    assert store.complexity[forward] == store.complexity[backward]


def test_magnitude_disappears_only_on_a_declared_domain():
    known = Expressions(["a"], domain={"a": (0, 5)})
    seen = Expressions(["a"], observed=np.array([[0.5], [5.0]]))
    assert known.add("abs", 1) == 1
    assert seen.add("abs", 1) != 1


def test_vectorised_add_is_the_scalar_add(store):
    rng = np.random.default_rng(1)
    ids = np.arange(1, 4)
    for name in ("add", "multiply", "subtract", "divide"):
        left, right = rng.choice(ids, 20), rng.choice(ids, 20)
        many = store.add(name, left, right)
        assert many.tolist() == [int(store.add(name, a, b)) for a, b in zip(left, right, strict=True)]
        ids = np.unique(np.concatenate([ids, many]))


def test_divide_is_the_product_with_the_reciprocal(store):
    quotient = store.add("divide", [1, 2, 1], [2, 1, 1])
    assert quotient.tolist() == store.add("multiply", [1, 2, 1], store.add("inverse", [2, 1, 1])).tolist()
    assert store.texts(quotient) == ["a/b", "b/a", "a/a"]
    assert store.add("inverse", quotient).tolist() == quotient[[1, 0, 2]].tolist()
    assert store.allowed("divide", 1, 2)
    with pytest.raises(InputError, match="the divisor must not be zero"):
        store.add("divide", 1, store.constant(0))


def test_reciprocal_of_a_long_product_grows_the_store():
    store = Expressions([f"x{j}" for j in range(300)])
    product = store.product_of(range(1, 301))
    reciprocal = store.add("inverse", product)
    assert store.order[reciprocal] == 300
    assert store.add("inverse", reciprocal) == product


def test_store_grows_and_keeps_ids():
    store = Expressions([f"x{j}" for j in range(60)])
    left, right = (index + 1 for index in np.triu_indices(60))
    first = store.add("multiply", left, right)
    assert np.unique(first).size == 1830
    assert (store.add("multiply", right, left) == first).all()


def test_complexity_counts_leaves_and_weights():
    for text, expected in [
        ("a", 1),
        ("a*b", 3),
        ("a + b - c", 5),
        ("abs(a)", 2),
        ("exp(a)", 3),
        ("cbrt(a)", 3),
        ("a**2", 2),
        ("a**3", 3),
        ("1/(a + b)", 4),
        ("1/b", 2),
        ("a/b", 3),
        ("1/(b*c)", 4),
        ("a/(b*c)", 5),
        ("a*c/b", 5),
        ("a/b**2", 4),
        ("1/b**2", 3),
        ("2/b", 3),
        ("2*a/b", 5),
        ("-a/b", 3),
        ("b - a", 3),
        ("1", 0),
    ]:  # fmt: skip
        assert parse_expression(text, "abc").complexity == expected, text
    heavy = Expressions(["a"], weights={"exp": 9})
    assert heavy.complexity_of(heavy.add("exp", 1)) == 10


def test_order_counts_factors(store):
    product = store.product_of([1, 2, 1])
    assert store.order[product] == 3
    total, reciprocal = store.add("add", product, 1), store.add("inverse", product)
    assert (store.order[total], store.order[reciprocal]) == (3, 3)


def test_hash_is_the_same_in_every_run_and_any_order():
    code = (
        "from sozai.symbolic.operations import Expressions as E; s = E(['a','b','c']);"
        "p = s.product_of([3, s.add('add', 2, 1), 1]); import sys; sys.stdout.write(str(int(s.hash[p])))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    other = Expressions(["c", "b", "a"])
    node = other.product_of([3, other.add("add", 2, 3), 1])
    assert int(run.stdout) == int(other.hash[node])


def test_hashes_of_different_expressions_differ():
    store = Expressions([f"x{j}" for j in range(40)])
    left, right = (index + 1 for index in np.triu_indices(40, 1))
    for name in ("add", "subtract", "multiply", "divide"):
        store.add(name, left, right)
    assert np.unique(store.hash).size == len(store)


# -- dimensions -----------------------------------------------------------------------------------


def test_sum_of_unequal_dimensions_shows_both():
    store = Expressions(["r", "E"], dimensions={"r": LENGTH, "E": ENERGY})
    with pytest.raises(UnitError, match=r"both sides of add.*'r \[length\] and E \[energy\]'"):
        store.add("add", 1, 2)
    assert store.allowed("add", [1, 1], [1, 2]).tolist() == [True, False]


def test_rational_exponents():
    store = Expressions(["r", "E"], dimensions={"r": LENGTH, "E": ENERGY})
    root = store.add("sqrt", store.add("multiply", 1, store.add("square", 2)))
    assert store.dimension_of(root) == (("energy", Fraction(1)), ("length", Fraction(1, 2)))
    assert store.dimension_of(store.add("divide", root, root)) == ()
    assert store.dimension_of(store.add("cbrt", 1)) == (("length", Fraction(1, 3)),)


def test_exponential_needs_a_pure_number():
    store = Expressions(["r", "s"], dimensions={"r": LENGTH, "s": LENGTH})
    with pytest.raises(UnitError, match=r"the argument of exp must be dimensionless\. Got 'r \[length\]'"):
        store.add("exp", 1)
    assert store.dimension_of(store.add("exp", store.add("divide", 1, 2))) == ()


def test_undeclared_column_is_a_group_of_its_own(caplog):
    with caplog.at_level("WARNING", logger="sozai.symbolic"):
        store = Expressions(["r", "n", "m"], dimensions={"r": LENGTH, "n": ""})
    assert "No unit for m" in caplog.text
    assert store.allowed("add", [1, 2, 2, 3], [3, 3, 2, 3]).tolist() == [False, False, True, True]
    assert store.dimension_of(3) is None


def test_no_units_at_all_forbid_nothing():
    store = Expressions(["a", "b"], dimensions={})
    assert store.allowed("add", 1, 2)
    assert store.allowed("exp", 1)


def test_groups_forbid_sums_of_equal_units():
    store = Expressions(
        ["r", "a"], dimensions={"r": LENGTH, "a": LENGTH}, groups={"r": "radius", "a": "lattice"}
    )
    assert not store.allowed("add", 1, 2)
    assert store.dimension_of(1) == LENGTH


def test_units_of_different_scale_are_never_mixed():
    store = Expressions(["r", "s", "q"], dimensions={"r": "Å", "s": "nm", "q": "Å"})
    assert store.allowed("add", [1, 1], [2, 3]).tolist() == [False, True]
    assert store.dimension_of(1) == store.dimension_of(2)


# -- intervals ------------------------------------------------------------------------------------


def test_declared_singularity_is_rejected_and_observed_one_is_unsafe():
    declared = Expressions(["x"], domain={"x": (-1, 1)})
    observed = Expressions(["x"], observed=np.array([[-1.0], [1.0]]))
    safe = Expressions(["x"], domain={"x": (0.5, 1)})
    for store, rejected, unsafe in [(declared, True, False), (observed, False, True), (safe, False, False)]:
        node = store.add("add", store.add("inverse", 1), 1)
        assert (store.rejected[node], store.unsafe[node]) == (rejected, unsafe)


@pytest.mark.parametrize(("name", "interval"), [("log", (0, 1)), ("sqrt", (-1, 1)), ("inverse", (0, 1))])
def test_singular_points(name, interval):
    store = Expressions(["x"], domain={"x": interval})
    node = store.add(name, 1)
    assert store.rejected[node]


def test_domain_errors():
    with pytest.raises(InputError, match=r"domain\['x'\] must be \(low, high\).*Got \(2, 1\)"):
        Expressions(["x"], domain={"x": (2, 1)})
    with pytest.raises(InputError, match=r"domain must name columns \(x\)\. Got 'y'"):
        Expressions(["x"], domain={"y": (0, 1)})


# -- errors ---------------------------------------------------------------------------------------


def test_store_errors(store):
    with pytest.raises(InputError, match=r"op_name must be one of add, .*Got 'sin'"):
        store.add("sin", 1)
    with pytest.raises(InputError, match=r"add must get 2 arguments\. Got 1"):
        store.add("add", 1)
    with pytest.raises(InputError, match=r"ids must lie in 0\.\.\.\d+\. Got 99"):
        store.add("abs", 99)
    with pytest.raises(InputError, match=r"column must be one of a, b, c\. Got 'd'"):
        store.leaf("d")
    with pytest.raises(InputError, match=r"X must have the 3 columns a, b, c\. Got '2 columns'"):
        store.evaluate([1], np.zeros((4, 2)))
    with pytest.raises(InputError, match=r"weights must name operators .*Got 'sin'"):
        Expressions(["a"], weights={"sin": 1})
    with pytest.raises(InputError, match=r"at most 4096 factors\. Got 5000"):
        store.product_of([1] * 5000)


# -- evaluation -----------------------------------------------------------------------------------


def test_evaluation_by_hand():
    formula = parse_expression("2*a*abs(b - 3)/(1 + c**2) - exp(-a)*log(c) + sqrt(c) + cbrt(b)", "abc")
    rng = np.random.default_rng(0)
    X = rng.uniform(0.5, 2, (7, 3))
    a, b, c = X.T
    expected = 2 * a * np.abs(b - 3) / (1 + c**2) - np.exp(-a) * np.log(c) + np.sqrt(c) + np.cbrt(b)
    np.testing.assert_allclose(formula.evaluate(X), expected, rtol=1e-14)
    frame = pd.DataFrame(X, columns=list("abc"))[["c", "a", "b"]]
    np.testing.assert_array_equal(formula.evaluate(frame), formula.evaluate(X))
    np.testing.assert_array_equal(formula.evaluate(dict(zip("abc", X.T, strict=True))), formula.evaluate(X))


def test_result_does_not_depend_on_the_block():
    store = Expressions(list("abc"))
    ids = [1, 2, 3]
    rng = np.random.default_rng(2)
    for name in ("multiply", "add", "divide"):
        ids = np.unique(np.concatenate([ids, store.add(name, rng.choice(ids, 30), rng.choice(ids, 30))]))
    ids = np.concatenate([ids, store.add("exp_neg", ids), ids[:5]])
    X = rng.normal(size=(1001, 3))
    whole = store.evaluate(ids, X)
    assert whole.flags.f_contiguous
    for size in (1, 1 << 12, 1 << 15):
        np.testing.assert_array_equal(store.evaluate(ids, X, block_bytes=size), whole)
    rows = np.vstack([store.evaluate(ids, X[k : k + 97]) for k in range(0, 1001, 97)])
    np.testing.assert_array_equal(rows, whole)


def test_missing_column_is_named():
    with pytest.raises(InputError, match="missing: b"):
        parse_expression("a*b", "ab").evaluate({"a": [1.0]})


# -- rendering ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2*a*(1/d)", "2*a/d"),
        ("a*b*(1/e)", "a*b/e"),
        ("a*(1/b)*(1/c)", "a/(b*c)"),
        ("c*(1/a)*(1/a)", "c/a**2"),
        ("inverse(b)", "1/b"),
        ("inverse(b)*inverse(c)", "1/(b*c)"),
        ("inverse(abs(b - a))", "1/abs(a - b)"),
        ("3*(a*(1/d))", "3*a/d"),
        ("-(a/d)", "-a/d"),
        ("a/(2*d)", "0.5*a/d"),
        ("2/(3*a)", "2/3/a"),
        ("2*a/(3*d)", "2/3*a/d"),
        ("-1/(b*c)", "-1/(b*c)"),
        ("(a + b)/(c - d)", "(a + b)/(c - d)"),
        ("exp(-(a/b))", "exp(-a/b)"),
        ("1 - a/b", "1 - a/b"),
    ],
)
def test_quotients_are_written_with_one_stroke(text, shown):
    formula = parse_expression(text, "abcde")
    assert str(formula) == shown
    assert parse_into(formula.store, shown) == formula.id
    X = np.random.default_rng(5).uniform(1, 2, (4, 5))
    scope: dict = {}
    exec(formula.to_python(), scope)
    values = scope["formula"](*(X[:, "abcde".index(name)] for name in formula.names))
    np.testing.assert_allclose(values, formula.evaluate(X), rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("abs(r_A - r_B)", r"\left|r_{\mathrm{A}} - r_{\mathrm{B}}\right|"),
        ("r_A/sqrt(r_B)", r"\frac{r_{\mathrm{A}}}{\sqrt{r_{\mathrm{B}}}}"),
        ("(1/r_A)**3*r_B", r"\frac{r_{\mathrm{B}}}{r_{\mathrm{A}}^{3}}"),
        ("r_A*(1/r_B)", r"\frac{r_{\mathrm{A}}}{r_{\mathrm{B}}}"),
        ("1/(r_A*r_B)", r"\frac{1}{r_{\mathrm{A}}\,r_{\mathrm{B}}}"),
        ("3/r_B", r"\frac{3}{r_{\mathrm{B}}}"),
        ("0.5*r_A", r"\frac{1}{2}\,r_{\mathrm{A}}"),
        ("exp(-r_A)", r"\mathrm{e}^{-r_{\mathrm{A}}}"),
        ("log(r_A)", r"\ln\left(r_{\mathrm{A}}\right)"),
        ("cbrt(r_A)", r"\sqrt[3]{r_{\mathrm{A}}}"),
        ("(r_A + r_B)**2", r"\left(r_{\mathrm{A}} + r_{\mathrm{B}}\right)^{2}"),
        ("r_A*(r_A + r_B)", r"r_{\mathrm{A}}\,\left(r_{\mathrm{A}} + r_{\mathrm{B}}\right)"),
        ("1.5e-9*r_A", r"1.5 \times 10^{-9}\,r_{\mathrm{A}}"),
    ],
)
def test_latex(text, latex):
    assert parse_expression(text, ["r_A", "r_B"]).to_latex() == latex


def test_python_source_runs_and_agrees():
    names = ["heat flow", "x", "磁化", "lambda", "x [1]"]
    text = "`heat flow`*exp(-x)/(1 + 磁化**2) - abs(`lambda` - `x [1]`)**3 + sqrt(`x [1]`)/3"
    formula = parse_expression(text, names)
    scope: dict = {}
    exec(formula.to_python(), scope)
    X = np.random.default_rng(3).uniform(1, 2, (6, 5))
    expected = (
        X[:, 0] * np.exp(-X[:, 1]) / (1 + X[:, 2] ** 2)
        - np.abs(X[:, 3] - X[:, 4]) ** 3
        + np.sqrt(X[:, 4]) / 3
    )
    np.testing.assert_allclose(scope["formula"](*X.T), expected, rtol=1e-14)
    np.testing.assert_allclose(formula.to_callable()(*X.T), expected, rtol=1e-14)


def test_callable_says_what_it_needs():
    with pytest.raises(InputError, match=r"be the 2 columns a, b\. Got '1 arguments'"):
        parse_expression("a*b", "ab").to_callable()(1.0)


def test_deep_expression_renders_without_recursion(store):
    node = 1
    for _ in range(3000):
        node = store.add("log", store.add("inverse", node))
    assert store.text(node).count("log") == 3000


# -- files ----------------------------------------------------------------------------------------


def test_expression_json_round_trip():
    formula = parse_expression("0.1*a*(1 - b) - exp(-a)/3", "ab")
    data = formula.to_json()
    again = Expression.from_json(data)
    assert str(again) == str(formula)
    assert data["names"] == ["a", "b"]
    with pytest.raises(InputError, match="every node after its children"):
        Expression.from_json({"names": ["a"], "nodes": [["abs", 3]]})


def test_store_json_keeps_ids_flags_and_dimensions():
    store = Expressions(
        ["r", "n"], dimensions={"r": LENGTH, "n": ""}, domain={"n": (0, 1)}, groups={"r": "g"}
    )
    store.add("inverse", store.add("multiply", 1, store.add("subtract", 0, 2)))
    store.constant("1/3")
    store.add("sqrt", 1)
    again = Expressions.from_json(store.to_json())
    for field in ("op", "left", "right", "complexity", "order", "hash", "unsafe", "rejected", "declared"):
        np.testing.assert_array_equal(getattr(again, field), getattr(store, field), err_msg=field)
    assert [again.dimension_of(k) for k in range(len(again))] == [
        store.dimension_of(k) for k in range(len(store))
    ]
    damaged = store.to_json()
    damaged["left"][-1] = 10**6
    with pytest.raises(InputError, match="children that come before"):
        Expressions.from_json(damaged)


# -- a linear model as a formula ------------------------------------------------------------------


def test_snapping_needs_nearness_and_precision():
    assert simple_fraction(0.4998, 0.0003) == Fraction(1, 2)
    assert simple_fraction(2.3, 0.3) is None
    assert simple_fraction(0.4998, 0.00001) is None
    assert simple_fraction(0.0, 0.001) is None


def test_quotient_in_a_linear_model():
    law = render_formula(["a*b*(1/e)"], [29.998], 2.0, digits=5)
    assert law.text == "29.998*a*b/e + 2"
    assert law.latex == r"29.998\,\frac{a\,b}{e} + 2"


def test_formula_parses_back_to_its_numbers():
    law = render_formula(["1/S", "abs(D)", "S*D"], [6.938, -4.881, 1e-7], -0.189, digits=3)
    assert law.text == "6.94/S - 4.88*abs(D) + 0.0000001*S*D - 0.189" or "e-" in law.text
    S, D = 2.0, -3.0
    expected = 6.94 / S - 4.88 * 3 + 1e-7 * S * D - 0.189
    assert parse_expression(law.text).evaluate({"S": [S], "D": [D]})[0] == pytest.approx(expected, rel=1e-14)


def test_automatic_digits_are_the_fewest_that_hold():
    rng = np.random.default_rng(4)
    design, beta = rng.normal(size=(50, 2)), np.array([1.23456789, -0.00987654321])
    law = render_formula(["x", "y"], beta, 0.333333, design=design, rmse=0.1)

    def moved(digits):
        shown = [float(f"{value:.{digits - 1}e}") for value in (*beta, 0.333333)]
        return np.sqrt(np.mean((design @ (beta - shown[:2]) + 0.333333 - shown[2]) ** 2))

    assert moved(law.digits) < 1e-4 <= moved(law.digits - 1)


def test_formula_errors():
    with pytest.raises(InputError, match=r"one number per term \(2\)\. Got 1"):
        render_formula(["x", "y"], [1.0])
    with pytest.raises(InputError, match=r"be 'auto' or 1\.\.\.17\. Got 0"):
        render_formula(["x"], [1.0], digits=0)
    with pytest.raises(InputError, match="must be finite"):
        render_formula(["x"], [np.nan])
