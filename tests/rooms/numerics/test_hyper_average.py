import numpy as np
import pytest

from sozai.numerics.hyper_average import draw_parameters
from sozai.numerics.kernels import Matern
from sozai.numerics.process_evidence import Evidence, maximize_evidence


class Bowl:
    """J of a normal posterior with known covariance."""

    bounds = np.array([[-50.0, 50.0]] * 2)
    prior_precision = 0.01 * np.eye(2)

    def __init__(self, covariance):
        self.precision = np.linalg.inv(covariance)

    def __call__(self, theta):
        return 0.5 * theta @ self.precision @ theta, self.precision @ theta


COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.5]])


def test_draws_of_a_normal_posterior_have_its_moments():
    draws = draw_parameters(Bowl(COVARIANCE), np.zeros(2), 4000, np.random.default_rng(0))
    moments = (draws.thetas * draws.weights[:, None]).T @ draws.thetas
    np.testing.assert_allclose(moments, COVARIANCE, atol=0.08)
    np.testing.assert_allclose(draws.weights @ draws.thetas, 0.0, atol=1e-9)  # both sides of the optimum
    assert draws.effective > 2500


def test_the_same_generator_draws_the_same():
    first, second = (
        draw_parameters(Bowl(COVARIANCE), np.zeros(2), 9, np.random.default_rng(4)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.thetas, second.thetas)
    assert first.weights.sum() == pytest.approx(1.0)


def test_no_draws_are_the_optimum():
    draws = draw_parameters(Bowl(COVARIANCE), np.ones(2), 0, np.random.default_rng(0))
    np.testing.assert_array_equal(draws.thetas, [[1.0, 1.0]])


def test_weights_that_collapse_are_said():
    class Spike(Bowl):
        def __call__(self, theta):
            value, slope = super().__call__(theta)
            return value + 1e4 * (np.abs(theta).max() > 0.05), slope

    draws = draw_parameters(Spike(COVARIANCE), np.zeros(2), 16, np.random.default_rng(1))
    # every draw pays the same where none is inside
    assert draws.status == ""

    class Cliff(Bowl):
        def __call__(self, theta):
            return 300.0 * theta[0], self.precision @ theta

    draws = draw_parameters(Cliff(COVARIANCE), np.zeros(2), 16, np.random.default_rng(1))
    assert draws.status.startswith("only 1.0 of 16 draws of the parameters count")
    np.testing.assert_array_equal(draws.thetas, [[0.0, 0.0]])


def test_draws_stay_within_the_bounds_of_an_evidence():
    Z = np.linspace(-0.5, 0.5, 6)[:, None]
    evidence = Evidence(Matern(), Z, np.array([0.1, -1.0, 1.4, -0.8, 0.9, -0.6]))
    theta, _, _ = maximize_evidence(evidence, evidence.starts(0, np.random.default_rng(0)))
    draws = draw_parameters(evidence, theta, 32, np.random.default_rng(0))
    assert (draws.thetas >= evidence.bounds[:, 0]).all()
    assert (draws.thetas <= evidence.bounds[:, 1]).all()
