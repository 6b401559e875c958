import numpy as np
import pytest
from numba import njit
from scipy.special import erfc

from sozai.numerics.fast_exponential import (
    fast_atan,
    fast_exp,
    fast_log,
    fast_sincos,
    gauss_cdf_parts,
    lorentz_cdf_parts,
)


@njit
def _each(code, x):
    first, second = np.empty_like(x), np.empty_like(x)
    for n in range(x.size):
        if code == 0:
            first[n] = fast_exp(x[n])
        elif code == 1:
            first[n] = fast_log(x[n])
        elif code == 2:
            first[n] = fast_atan(x[n])
        elif code == 3:
            first[n], second[n] = fast_sincos(x[n])
        elif code == 4:
            first[n], second[n] = gauss_cdf_parts(x[n], fast_exp(-x[n] * x[n]))
        else:
            first[n], second[n] = lorentz_cdf_parts(x[n])
    return first, second


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(7)


def test_exponential_against_libm(rng):
    x = np.concatenate([rng.uniform(-708, 700, 20_000), rng.normal(size=20_000)])
    np.testing.assert_allclose(_each(0, x)[0], np.exp(x), rtol=1e-15)


def test_exponential_of_extremes():
    low, high, none = _each(0, np.array([-1e9, 1e9, np.nan]))[0]
    assert 0.0 < low < 1e-300
    assert 1e300 < high < np.inf
    assert np.isnan(none)


def test_logarithm_against_libm(rng):
    x = np.exp(np.concatenate([rng.uniform(-600, 600, 20_000), 1e-6 * rng.normal(size=20_000)]))
    np.testing.assert_allclose(_each(1, x)[0], np.log(x), rtol=1e-15)


def test_arctangent_against_libm(rng):
    x = np.concatenate([rng.normal(size=20_000), 10 * rng.standard_cauchy(20_000), [0.0, np.inf, -np.inf]])
    np.testing.assert_allclose(_each(2, x)[0], np.arctan(x), rtol=1e-15)


def test_sine_and_cosine_against_libm(rng):
    x = rng.uniform(-1e3, 1e3, 20_000)
    sine, cosine = _each(3, x)
    np.testing.assert_allclose(sine, np.sin(x), atol=3e-16)
    np.testing.assert_allclose(cosine, np.cos(x), atol=3e-16)


def test_gaussian_tails_keep_relative_accuracy(rng):
    x = rng.uniform(0.0, 26.0, 20_000)
    whole, rest = _each(4, -x)
    np.testing.assert_allclose(rest, 0.5 * erfc(x), rtol=3e-15)
    assert np.all(whole == 0.0)
    whole, rest = _each(4, x[x > 0])
    np.testing.assert_allclose(-rest, 0.5 * erfc(x[x > 0]), rtol=3e-15)
    assert np.all(whole == 1.0)


def test_lorentzian_share(rng):
    z = np.concatenate([rng.normal(size=10_000), 1e3 * rng.standard_cauchy(10_000)])
    whole, rest = _each(5, z)
    np.testing.assert_allclose(whole + rest, 0.5 + np.arctan(z) / np.pi, atol=3e-16)
    far = z < -10
    np.testing.assert_allclose((whole + rest)[far], np.arctan(-1 / z[far]) / np.pi, rtol=2e-15)
