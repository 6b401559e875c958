import numpy as np
import pytest

from sozai.numerics.kernels import Gaussian, Laplace, Matern
from sozai.numerics.point_posterior import PointPosterior
from sozai.numerics.pool_posterior import PoolPosterior


@pytest.mark.parametrize("kernel", [Matern(1.5), Matern(2.5), Gaussian(), Laplace()], ids=repr)
def test_it_is_the_posterior_of_the_list_with_its_slope(kernel):
    rng = np.random.default_rng(0)
    Z, y, lengths = rng.random((9, 3)), rng.standard_normal(9), np.array([0.3, 0.8, 1.5])
    point = rng.random(3)
    posterior = PointPosterior(kernel, Z, y, np.full(9, 0.01), lengths, 1.3)
    listed = PoolPosterior(np.vstack([Z, point]), kernel, lengths, amplitude=1.3, noise=0.01)
    listed.condition(np.arange(9), y)
    mean, variance, by_mean, by_variance = posterior(point)
    assert mean == pytest.approx(listed.mean[9], abs=1e-8)
    assert variance == pytest.approx(listed.variance[9], abs=1e-8)
    for j in range(3):
        step = np.zeros(3)
        step[j] = 1e-5
        up, down = posterior(point + step), posterior(point - step)
        assert by_mean[j] == pytest.approx((up[0] - down[0]) / 2e-5, rel=1e-4, abs=1e-6)
        assert by_variance[j] == pytest.approx((up[1] - down[1]) / 2e-5, rel=1e-4, abs=1e-5)
    assert repr(posterior) == "PointPosterior(9 data, 3 columns)"
