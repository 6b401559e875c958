"""Laws of prediction: units and order do not matter, promises of coverage are kept, bounds hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from sozai.numerics.gaussian_process import GaussianProcess
from sozai.numerics.table_predictor import TablePredictor


def table(seed, n=24, p=2):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, p))
    return X, np.sin(4 * X[:, 0]) + X[:, 1] + 0.1 * rng.normal(size=n)


@settings(max_examples=8)
@given(seed=st.integers(0, 999), scale=st.floats(1e-6, 1e6), shift=st.floats(-10, 10))
def test_unit_of_the_target_scales_every_answer(seed, scale, shift):
    X, y = table(seed)
    plain = TablePredictor(cv=4, random_state=0).fit(X, y)
    other = TablePredictor(cv=4, random_state=0).fit(X, scale * (y + shift))
    for a, b in zip(plain.predict_interval(X), other.predict_interval(X), strict=True):
        np.testing.assert_allclose(b / scale - shift, a, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(other.predict(X, True)[1] / scale, plain.predict(X, True)[1], rtol=1e-3)
    assert other.validation_.coverage == pytest.approx(plain.validation_.coverage, abs=1.5 / 24)


@settings(max_examples=8)
@given(seed=st.integers(0, 999))
def test_order_of_rows_does_not_matter_to_the_process(seed):
    X, y = table(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    first = GaussianProcess(random_state=0).fit(X, y)
    second = GaussianProcess(random_state=0).fit(X[order], y[order])
    np.testing.assert_allclose(second.predict(X), first.predict(X), atol=1e-4)


@settings(max_examples=8)
@given(seed=st.integers(0, 999))
def test_more_level_is_more_interval(seed):
    X, y = table(seed)
    predictor = TablePredictor(cv=4, random_state=0).fit(X, y)
    widths = [np.subtract(*predictor.predict_interval(X, level=level)[::-1]) for level in (0.5, 0.8, 0.9)]
    assert (widths[0] <= widths[1]).all()
    assert (widths[1] <= widths[2]).all()
    assert (widths[0] >= 0).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 999), steep=st.floats(0.1, 30), whole=st.sampled_from([1.0, 100.0]))
def test_a_fraction_never_leaves_its_bounds(seed, steep, whole):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(20, 2))
    y = whole * np.clip(expit(steep * (X[:, 0] - 0.5)) + 0.1 * rng.normal(size=20), 0, 1)
    predictor = TablePredictor(target="fraction", cv=4, random_state=0)
    predictor.fit(X, pd.Series(y, name="yield [%]" if whole == 100.0 else "yield"))
    new = np.vstack([X, rng.uniform(-50, 50, (30, 2))])
    lower, upper = predictor.predict_interval(new, level=0.9)
    mean, std = predictor.predict(new, return_std=True)
    for values in (lower, upper, mean, predictor.validation_.lower, predictor.validation_.upper):
        assert values.min() >= 0.0
        assert values.max() <= whole
    assert (lower <= upper).all()
    assert np.isfinite(std).all()


def straight(X):
    return 2 * X[:, 0] - X[:, 1]


def curved(X):
    return np.exp(2 * X[:, 0]) * X[:, 1] + X[:, 2]


@pytest.mark.slow
@pytest.mark.parametrize("function", [straight, curved])
@pytest.mark.parametrize("uneven", [False, True])
def test_intervals_hold_what_they_promise(function, uneven):
    """Coverage of new rows over 25 tables of 40 rows; its standard error is about 0.012."""
    shares = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        X = rng.uniform(size=(340, 3))
        noise = 0.2 * np.std(function(X)) * (2 * X[:, 0] ** 2 + 0.1 if uneven else 1.0)
        y = function(X) + noise * rng.normal(size=340)
        predictor = TablePredictor(random_state=0).fit(X[:40], y[:40])
        lower, upper = predictor.predict_interval(X[40:], level=0.9)
        shares.append(np.mean((lower <= y[40:]) & (y[40:] <= upper)))
    assert 0.86 <= np.mean(shares) <= 0.95
