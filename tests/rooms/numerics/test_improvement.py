import numpy as np
import pytest
from scipy.special import log_ndtr

from sozai.contracts.errors import InputError
from sozai.numerics.improvement import (
    expected_excess,
    log_expected_improvement,
    log_mean_improvement,
    log_probability_of_improvement,
    log_range_probability,
    log_target_improvement,
    standard_log_improvement,
    target_improvement,
)

ONE = np.ones(1)


@pytest.mark.parametrize(
    ("u", "value"),
    [
        (-0.5, -1.6205162644), (-3.0, -7.8696860596), (-37.0, -692.64296016),
        (-100.0, -5010.1295788), (-1e4, -50000019.339619),
    ],
)  # fmt: skip
def test_log_h_has_its_certified_values(u, value):
    assert float(standard_log_improvement(u)) == pytest.approx(value, rel=2e-11)


def test_log_h_is_smooth_over_all_u_and_linear_above():
    u = np.linspace(-60, 60, 4001)
    value = standard_log_improvement(u)
    assert (np.diff(value) > 0).all()
    assert float(standard_log_improvement(1e6)) == pytest.approx(np.log(1e6), rel=1e-15)
    # h' = Phi, so d log h/du = Phi/h
    step = 1e-4
    slope = (standard_log_improvement(u + step) - standard_log_improvement(u - step)) / (2 * step)
    np.testing.assert_allclose(slope, np.exp(log_ndtr(u) - value), rtol=1e-6)


def test_improvement_agrees_with_a_million_draws():
    rng = np.random.default_rng(0)
    f = 0.3 + 0.7 * rng.standard_normal(10**6)
    mean, std = np.array([0.3]), np.array([0.7])
    for value, draws in (
        (np.exp(log_expected_improvement(mean, std, 0.5))[0], np.maximum(f - 0.5, 0)),
        (np.exp(log_probability_of_improvement(mean, std, 0.5))[0], (f > 0.5).astype(float)),
        (expected_excess(mean, std, -0.2)[0], np.maximum(f + 0.2, 0)),
        (target_improvement(mean, std, 0.9, 0.5)[0], np.maximum(0.5 - np.abs(f - 0.9), 0)),
        (np.exp(log_range_probability(mean, std, 0.1, 0.6))[0], ((f > 0.1) & (f < 0.6)).astype(float)),
    ):
        assert abs(value - draws.mean()) < 3.5 * draws.std() / 1000


def test_target_improvement_has_its_known_value():
    assert target_improvement(np.array([0.3]), np.array([0.7]), 0.9, 0.5)[0] == pytest.approx(
        0.0975082, abs=5e-8
    )


def test_log_probability_is_the_log_of_the_normal_integral():
    u = np.linspace(-300, 7, 2000)
    ours = log_probability_of_improvement(u, np.ones_like(u), 0.0)
    np.testing.assert_allclose(ours, log_ndtr(u), rtol=1e-12, atol=1e-18)


def test_ranges_and_targets_far_away_do_not_underflow():
    assert log_range_probability(0 * ONE, ONE, 40.0, 41.0)[0] == pytest.approx(-804.608442, abs=1e-5)
    assert log_range_probability(0 * ONE, ONE, -41.0, -40.0)[0] == pytest.approx(-804.608442, abs=1e-5)
    assert log_range_probability(0 * ONE, ONE, -np.inf, 1.0)[0] == pytest.approx(float(log_ndtr(1.0)))
    far = log_target_improvement(np.zeros(2), np.ones(2), 60.0, 0.5)
    # nearly all of it comes from the near corner of the tent: sd h(-59.5)
    assert far[0] == pytest.approx(float(standard_log_improvement(-59.5)), abs=1e-6)


@pytest.mark.parametrize("mean", [0.0, 3.0, 20.0])
def test_narrow_ranges_and_tents_join_wide_ones(mean):
    for rule in (
        lambda d: log_target_improvement(mean * ONE, ONE, 0.5, d) - 2 * np.log(d),
        lambda d: log_range_probability(mean * ONE, ONE, 0.5, 0.5 + d) - np.log(d),
    ):
        below, above = rule(0.99999e-3)[0], rule(1.00001e-3)[0]
        assert below == pytest.approx(above, abs=1e-5)


def test_average_over_histories_is_the_mean_of_improvements():
    rng = np.random.default_rng(1)
    means, std, best = rng.normal(size=(5, 7)), rng.uniform(0.1, 1, 5), rng.normal(size=7)
    each = np.array([np.exp(log_expected_improvement(means[:, k].copy(), std, best[k])) for k in range(7)])
    np.testing.assert_allclose(np.exp(log_mean_improvement(means, std, best)), each.mean(axis=0), rtol=1e-12)


def test_nan_stays_nan():
    assert np.isnan(log_expected_improvement(np.array([np.nan]), ONE, 0.0))[0]


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"std must be positive. Got 0.0 at row 1"):
        log_expected_improvement(np.zeros(2), np.array([1.0, 0.0]), 0.0)
    with pytest.raises(InputError, match=r"one length. Got \(\(2,\), \(1,\)\)"):
        log_probability_of_improvement(np.zeros(2), ONE, 0.0)
    with pytest.raises(InputError, match=r"low must lie below high \(1.0\). Got 2.0"):
        log_range_probability(0 * ONE, ONE, 2.0, 1.0)
    with pytest.raises(InputError, match=r"the distance 0 or more. Got \(1.0, -1.0\)"):
        log_target_improvement(0 * ONE, ONE, 1.0, -1.0)
    assert log_target_improvement(0 * ONE, ONE, 1.0, 0.0)[0] == -np.inf
