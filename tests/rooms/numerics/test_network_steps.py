import pickle
from itertools import pairwise

import numpy as np
import pytest

from sozai.numerics.network_steps import Layers, adam_step


def double(sizes, seed=0):
    """Layers in double precision, so that differences are exact enough."""
    rng = np.random.default_rng(seed)
    n = sum(a * b + b for a, b in pairwise(sizes))
    return Layers(sizes, rng.normal(size=n) / 2)


def loss(layers, rows, target):
    return np.abs(layers(rows) - target).mean()


def test_the_gradient_is_that_of_differences():
    layers, rng = double((3, 4, 5, 1)), np.random.default_rng(1)
    rows, target = rng.normal(size=(7, 3)), rng.normal(size=7)
    found = layers.loss_gradient(rows, target).copy()
    step = 1e-6
    for k in range(len(layers.flat)):
        kept = layers.flat[k]
        layers.flat[k] = kept + step
        up = loss(layers, rows, target)
        layers.flat[k] = kept - step
        down = loss(layers, rows, target)
        layers.flat[k] = kept
        assert found[k] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-7)


def test_the_output_is_written_out_by_hand():
    layers = Layers((1, 1, 1), np.array([2.0, -1.0, 3.0, 0.5]))
    z = 2.0 * 0.7 - 1.0
    assert layers(np.array([[0.7]]))[0] == pytest.approx(3.0 * z / (1 + np.exp(-z)) + 0.5)


def test_first_weights_keep_the_spread():
    layers = Layers.drawn((200, 300, 1), np.random.default_rng(0))
    assert np.abs(layers.matrices[0]).max() <= np.sqrt(6 / 200)
    assert layers.matrices[0].std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)
    assert not layers.offsets[0].any()


def test_a_step_of_adam_by_the_textbook():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=5).astype(np.float32)
    expected, mean, square = weights.astype(np.float64), np.zeros(5), np.zeros(5)
    moments = np.zeros((2, 5), dtype=np.float32)
    for step in range(1, 4):
        slope = rng.normal(size=5).astype(np.float32)
        adam_step(weights, slope, moments, step, 0.01, 0.1)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope.astype(np.float64) ** 2
        ahead = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        expected = (1 - 0.01 * 0.1) * expected - 0.01 * ahead
    assert weights == pytest.approx(expected, rel=1e-4)


def test_a_network_survives_being_sent():
    layers = Layers.drawn((2, 3, 1), np.random.default_rng(0))
    rows = np.ones((4, 2), dtype=np.float32)
    sent = pickle.loads(pickle.dumps(layers))
    assert (sent(rows) == layers(rows)).all()
    sent.flat[:] = 0
    assert (sent(rows) == 0).all()  # matrices are views of the vector again
