"""Laws of the expression store: every text parses back, equal means equal, intervals enclose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic.formulas.grammar import parse_into
from sozai.symbolic.operations import Expression, Expressions

NAMES = ("a", "heat flow", "M_P[0]")
UNARY = ("abs", "inverse", "square", "cube", "sqrt", "cbrt", "exp", "exp_neg", "log")
BINARY = ("add", "subtract", "multiply", "divide")
CONSTANTS = ("1/3", "2", "-1", "1/2", "-7/5", "1e-12", "123456789012345678901234567890")

trees = st.recursive(
    st.sampled_from(NAMES) | st.sampled_from(CONSTANTS),
    lambda inner: st.tuples(st.sampled_from(UNARY), inner) | st.tuples(st.sampled_from(BINARY), inner, inner),
    max_leaves=9,
)
NUMPY = {
    "abs": np.abs,
    "inverse": lambda a: 1 / a,
    "square": lambda a: a * a,
    "cube": lambda a: a * a * a,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "exp_neg": lambda a: np.exp(-a),
    "log": np.log,
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
}


def build(store, tree):
    """Id of a random tree; ValueError where a constant falls outside a function."""
    if isinstance(tree, str):
        return store.leaf(tree) if tree in NAMES else store.constant(tree)
    return int(store.add(tree[0], *(build(store, part) for part in tree[1:])))


def value(tree, X):
    """The same tree by NumPy."""
    if isinstance(tree, str):
        return X[:, NAMES.index(tree)] if tree in NAMES else np.full(len(X), float(eval_fraction(tree)))
    return NUMPY[tree[0]](*(value(part, X) for part in tree[1:]))


def eval_fraction(text):
    from fractions import Fraction

    return Fraction(text)


@settings(max_examples=300, deadline=None)
@given(trees)
def test_every_text_parses_back_to_the_same_id(tree):
    store = Expressions(NAMES)
    try:
        node = build(store, tree)
    except ValueError:
        return
    text = store.text(node)
    if len(text) <= 2000:
        assert parse_into(store, text) == node


@settings(max_examples=200, deadline=None)
@given(trees)
def test_canonical_form_keeps_the_value(tree):
    store = Expressions(NAMES)
    try:
        node = build(store, tree)
    except ValueError:
        return
    X = np.random.default_rng(0).uniform(0.6, 1.4, (5, 3))
    with np.errstate(all="ignore"):
        expected, found = value(tree, X), store.evaluate([node], X)[:, 0]
        called = Expression(store, node).to_callable()(*(X[:, j] for j in store.columns_of(node)))
    usable = np.isfinite(expected) & (np.abs(expected) < 1e100) & (np.abs(expected) > 1e-3)
    # a canonical form rounds in another order; ill-conditioned trees are compared loosely
    np.testing.assert_allclose(found[usable], expected[usable], rtol=1e-3, atol=1e-6 if usable.any() else 0)
    np.testing.assert_allclose(np.broadcast_to(called, found.shape), found, rtol=1e-12)


@settings(max_examples=200, deadline=None)
@given(trees)
def test_json_round_trip(tree):
    store = Expressions(NAMES)
    try:
        node = build(store, tree)
    except ValueError:
        return
    assert Expression.from_json(Expression(store, node).to_json(), NAMES) == Expression(store, node)
    again = Expressions.from_json(store.to_json())
    assert (again.hash == store.hash).all()


@settings(max_examples=200, deadline=None)
@given(trees)
def test_intervals_enclose_values(tree):
    box = {"a": (-1.5, 2.0), "heat flow": (0.25, 3.0), "M_P[0]": (-2.0, -0.5)}
    store = Expressions(NAMES, domain=box)
    try:
        node = build(store, tree)
    except ValueError:
        return
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.uniform(*box[name], 200) for name in NAMES])
    values = store.evaluate([node], X)[:, 0]
    values = values[np.isfinite(values)]
    slack = 1e-9 * np.abs(values)
    assert (values >= store.lower[node] - slack).all()
    assert (values <= store.upper[node] + slack).all()
    if not store.rejected[node] and max(abs(store.lower[node]), abs(store.upper[node])) < 1e300:
        assert values.size == 200


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["multiply", "divide"]), trees), min_size=1, max_size=4), st.randoms()
)
def test_quotients_have_one_form_in_any_order(steps, random):
    store = Expressions(NAMES)
    try:
        factors = [(name, build(store, tree)) for name, tree in steps]
        chain = inverse = store.constant(1)
        for name, factor in factors:
            chain = store.add(name, chain, factor)
        for name, factor in random.sample(factors, len(factors)):
            inverse = store.add("divide" if name == "multiply" else "multiply", inverse, factor)
        at_once = store.add(
            "divide",
            store.product_of([factor for name, factor in factors if name == "multiply"]),
            store.product_of([factor for name, factor in factors if name == "divide"]),
        )
    except ValueError:
        return
    assert chain == at_once
    if chain != store.constant(0):
        assert store.add("inverse", chain) == inverse
        assert "*(1/" not in store.text(chain)
    if len(store.text(chain)) <= 2000:
        assert parse_into(store, store.text(chain)) == chain


@pytest.mark.parametrize("name", ["add", "multiply"])
@settings(max_examples=60, deadline=None)
@given(left=trees, right=trees)
def test_sums_and_products_commute(name, left, right):
    store = Expressions(NAMES)
    try:
        a, b = build(store, left), build(store, right)
    except ValueError:
        return
    assert store.add(name, a, b) == store.add(name, b, a)


@settings(max_examples=60, deadline=None)
@given(trees, st.permutations(range(3)))
def test_renaming_columns_is_exchanging_data(tree, permutation):
    store = Expressions(NAMES)
    try:
        node = build(store, tree)
    except ValueError:
        return
    X = np.random.default_rng(2).uniform(0.6, 1.4, (4, 3))
    image = store.substitute([node], permutation)
    with np.errstate(all="ignore"):
        one, other = store.evaluate(image, X), store.evaluate([node], X[:, list(permutation)])
    finite = np.isfinite(one) & np.isfinite(other)
    np.testing.assert_allclose(one[finite], other[finite], rtol=1e-6, atol=1e-9)
    back = store.substitute(image, np.argsort(permutation))
    assert back.tolist() == [node]
