"""Rewriting a formula: same predictions in other words."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError, NotIndependentError
from sozai.symbolic.independence import find_relations
from sozai.symbolic.operations import Expressions, parse_into
from sozai.symbolic.rewriting import Rewrite, RewriteList, rewrite
from sozai.symbolic.selectors.exhaustive import Exhaustive


def relate(names, formulas, X, **options):
    store = Expressions(names, **options)
    ids = np.array([parse_into(store, text) for text in formulas])
    columns = SimpleNamespace(
        expressions=store,
        ids=ids,
        values=store.evaluate(ids, X),
        names=tuple(formulas),
        complexity=np.asarray(store.complexity)[ids],
    )
    return find_relations(X, generated=columns)


@pytest.fixture
def alloy():
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.uniform(0, 1, 30).round(3), rng.uniform(1, 3, 30).round(3), np.full(30, 8.0)])
    return relate(["x", "m", "z"], ["1", "x", "m", "z", "x**2", "x*m", "x**2*m", "x+m", "z*x"], X), X


def predictions(rewritten, table):
    column = dict(zip(table.names, table.engine.matrix.T, strict=True))
    return rewritten.intercept + sum(
        c * column[t] for t, c in zip(rewritten.terms, rewritten.coefficients, strict=True)
    )


def test_typed_addition_shortens_the_formula(alloy):
    table, _ = alloy
    found = rewrite({"x": 3.0, "x**2": -3.0}, table, additions=["x*(1-x)"])
    best = found[0]
    assert best.terms == ("x*(1 - x)",)
    assert best.coefficients == pytest.approx((3.0,))
    assert (best.holds, best.n_terms, best.intercept) == ("always", 1, pytest.approx(0.0, abs=1e-9))
    assert best.formula == "3 x*(1 - x)"
    assert rewrite({"x": 2.0, "m": 2.0}, table)[0].formula == "2 (x+m)"


def test_every_rewrite_keeps_the_predictions(alloy):
    table, _ = alloy
    terms = {"x": 2.0, "m": 2.0, "x*m": 1.0}
    target = sum(c * table.engine.matrix[:, table.column(t)] for t, c in terms.items())
    found = rewrite(terms, table, max_terms=3)
    assert len(found) >= 2
    for r in found:
        assert np.abs(predictions(r, table) - target).max() < 1e-7 * np.abs(target).max()
        assert r.max_abs_difference < 1e-7 * np.abs(target).max()
        assert set(r.terms) != set(terms)
        assert r.n_terms <= 3


def test_identities_come_before_coincidences(alloy):
    table, _ = alloy
    found = rewrite({"x": 2.0, "m": 2.0}, table)
    assert (found[0].terms, found[0].holds) == (("x+m",), "always")
    other = next(r for r in found if "z*x" in r.terms)  # z is 8 in every row, so z*x stands for 8 x
    assert other.holds == "in this sample"
    assert dict(zip(other.terms, other.coefficients, strict=True))["z*x"] == pytest.approx(0.25)
    order = [r.holds for r in found]
    assert order == sorted(order, key=lambda h: h != "always")


def test_preferred_terms_come_first(alloy):
    table, _ = alloy
    found = rewrite({"x": 2.0, "m": 2.0}, table, prefer=["z*x"])
    assert "z*x" in found[0].terms


def test_intercept_is_a_term_like_any_other(alloy):
    table, _ = alloy
    X = table.engine.matrix[:, 1:]
    target = 5.0 + X[:, 0]
    model = Exhaustive(max_terms=1, n_best=1).select(X, target, table.names[1:])[0]
    found = rewrite(model, table, max_terms=2)
    with_z = next(r for r in found if "z" in r.terms)
    assert with_z.intercept == pytest.approx(0.0, abs=1e-9)
    assert dict(zip(with_z.terms, with_z.coefficients, strict=True))["z"] == pytest.approx(5 / 8)


def test_exchange_formula_by_hand():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 12))
    table = find_relations(pd.DataFrame({"a": a, "b": b, "c": 3 * a - 2 * b}))
    found = {r.terms: r.coefficients for r in rewrite({"a": 6.0, "b": 1.0}, table)}
    # a = (c + 2 b)/3, so 6 a + b = 2 c + 5 b;  b = (3 a - c)/2, so 6 a + b = 7.5 a - c/2
    assert found["b", "c"] == pytest.approx((5.0, 2.0))
    assert found["a", "c"] == pytest.approx((7.5, -0.5))


def test_dimensions_are_shown():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, size=(15, 2)).round(3)
    table = relate(["r", "s"], ["1", "r", "s", "r+s"], X, dimensions={"r": "m", "s": "m"})
    best = rewrite({"r": 1.0, "s": 1.0}, table)[0]
    assert best.units == ("length",)
    assert best.same_dimension is True


def test_long_formulas_in_wide_tables_are_exchanged_only():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(50, 40))
    table = find_relations(np.hstack([base, base[:, :10] + base[:, 10:20]]))
    found = rewrite({f"x{k}": 1.0 for k in range(8)}, table)
    assert "single exchanges only" in found.notes[0]


def test_list_and_frame():
    empty = RewriteList([])
    assert repr(empty) == "no other formula"
    one = RewriteList([Rewrite(("a", "b"), (-1.0, 2.0), 0.5, 2, 3, 0.0, "always", 4.0)] * 3)
    assert one[0].formula == "0.5 - a + 2 b"
    assert len(one[:2]) == 2
    assert one.to_frame()["formula"].tolist() == ["0.5 - a + 2 b"] * 3
    assert Rewrite((), (), 2.0, 0, 0, 0.0, "always", 1.0).formula == "2"


@pytest.mark.parametrize(
    ("terms", "options", "error", "message"),
    [
        ({"q": 1.0}, {}, InputError, r"terms that are columns of the table\. Got \['q'\]"),
        ({"x": 1.0}, {"max_terms": 0}, InputError, r"be at least 1\. Got \(0, 20\)"),
        (
            {"x": 1.0, "m": 1.0, "x+m": 1.0},
            {},
            NotIndependentError,
            r"They obey x\+m = x \+ m\. Leave one of them out",
        ),
        (
            {"x": 1.0},
            {"additions": ["x**3"]},
            InputError,
            r"Got 'x\*\*3' at relative distance \d\.\d\de-\d\d",
        ),
    ],
)
def test_bad_requests(alloy, terms, options, error, message):
    with pytest.raises(error, match=message):
        rewrite(terms, alloy[0], **options)


def test_additions_need_expressions():
    table = find_relations(pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 4.0]}))
    with pytest.raises(InputError, match=r"additions must come with expressions\. Got 'a\*a'"):
        rewrite({"a": 1.0}, table, additions=["a*a"])


def test_terms_that_cancel_are_not_offered():
    from sozai.symbolic import SymbolicRegressor

    X = pd.DataFrame(np.random.default_rng(0).uniform(1, 2, (30, 2)), columns=["T", "H"])
    law = SymbolicRegressor(["inverse"], max_order=3).fit(X, 2 * X["H"] + X["T"])
    assert law.relations_.n_relations > 0
    assert not [term for form in law.rewrite() for term in form.terms if "T" in term and "/T" in term]
    asked = law.rewrite(prefer=["T*H/T"])
    assert any("T*H/T" in form.terms for form in asked)
