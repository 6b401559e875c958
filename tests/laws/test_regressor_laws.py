"""Laws of the joined estimator: planted laws come back, units and order of rows do not matter."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic import SymbolicRegressor, parse_expression

PLANTED = {
    "kinetic energy": ("m*v**2/2", ["m", "v", "T"]),
    "coulomb": ("2*q/r**2", ["q", "T", "r"]),
    "density": ("3*m/V + 1", ["m", "V", "T"]),
    "regular solution": ("1.5*a + 4*x*y", ["a", "x", "y"]),
    "difference": ("abs(r - s)*t", ["r", "s", "t"]),
}


def _table(names, seed, n_samples=30):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.uniform(1, 3, (n_samples, len(names))), columns=names)


@pytest.mark.parametrize("law", PLANTED)
@pytest.mark.parametrize("seed", range(10))
def test_planted_law_comes_back(law, seed):
    text, names = PLANTED[law]
    X = _table(names, seed)
    y = parse_expression(text, names).evaluate(X)
    found = SymbolicRegressor(["inverse"], ["abs_difference"], max_order=3).fit(X, y)
    new = _table(names, seed + 100)
    truth = parse_expression(text, names).evaluate(new)
    values = parse_expression(found.formula_, names).evaluate(new)
    assert np.abs(values - truth).max() <= 1e-6 * np.abs(truth).max()


@settings(max_examples=15, deadline=None)
@given(scales=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3), seed=st.integers(0, 1000))
def test_other_units_give_the_same_predictions(scales, seed):
    X = _table(["a", "b", "c"], seed)
    y = X["a"] / X["b"] + 0.1 * np.random.default_rng(seed).normal(size=len(X))
    plain = SymbolicRegressor(["inverse"], max_order=2).fit(X, y)
    rescaled = SymbolicRegressor(["inverse"], max_order=2).fit(X * scales, y)
    assert rescaled.model_.terms == plain.model_.terms
    np.testing.assert_allclose(rescaled.predict(X * scales), plain.predict(X), rtol=1e-8)


@pytest.mark.parametrize(("other", "factor"), [("nm", 0.1), ("pm", 100.0)])
def test_declared_units_are_one_length(other, factor):
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.uniform(1, 3, (30, 2)), columns=["r [Å]", "s [Å]"])
    y = np.abs(X["r [Å]"] - X["s [Å]"]) + 0.05 * rng.normal(size=30)
    same = SymbolicRegressor(pair_operations=["abs_difference"], max_order=1).fit(X, y)
    mixed = X.rename(columns={"s [Å]": f"s [{other}]"})
    mixed[f"s [{other}]"] *= factor
    law = SymbolicRegressor(pair_operations=["abs_difference"], max_order=1).fit(mixed, y)
    assert law.formula_ == same.formula_
    np.testing.assert_allclose(law.predict(mixed), same.predict(X), rtol=1e-10)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_of_rows_and_columns_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    X = _table(["a", "b", "c"], seed)
    y = X["a"] * X["c"] + 0.05 * rng.normal(size=len(X))
    plain = SymbolicRegressor(max_order=2).fit(X, y)
    rows = rng.permutation(len(X))
    shuffled = SymbolicRegressor(max_order=2).fit(X.iloc[rows][["c", "a", "b"]], y.iloc[rows])
    np.testing.assert_allclose(shuffled.predict(X), plain.predict(X), rtol=1e-8)


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(1e-6, 1e6), seed=st.integers(0, 1000))
def test_scale_of_the_target_scales_the_law(factor, seed):
    X = _table(["a", "b"], seed)
    y = X["a"] * X["b"] + 0.1 * np.random.default_rng(seed).normal(size=len(X))
    plain = SymbolicRegressor().fit(X, y)
    scaled = SymbolicRegressor().fit(X, factor * y)
    assert scaled.model_.terms == plain.model_.terms
    np.testing.assert_allclose(scaled.model_.coefficients, factor * plain.model_.coefficients, rtol=1e-8)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_every_rewriting_keeps_the_predictions(seed):
    X = _table(["a", "b"], seed)
    X["double"] = 2 * X["a"]
    X["sum"] = X["a"] + X["b"]
    law = SymbolicRegressor(max_order=1).fit(X, 3 * X["a"] + X["b"])
    for form in law.rewrite():
        assert form.max_abs_difference <= 1e-9 * np.abs(law.predict(X)).max()
