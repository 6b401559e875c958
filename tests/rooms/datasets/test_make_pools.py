"""Lists of candidates whose best ones are known by construction."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.datasets import make_noisy_pool, make_two_objective_pool


def test_noise_is_what_was_asked_for_and_row_0_is_the_best():
    made = make_noisy_pool(4000, 3, noise=0.1, rng=1)
    rest = made.target - made.truth["y"]
    assert np.std(rest) == pytest.approx(0.1, rel=0.05)
    assert made.truth["rank"].iloc[0] == 1
    assert sorted(made.truth["rank"]) == list(range(1, 4001))
    order = np.argsort(-made.truth["y"].to_numpy())
    assert made.truth["rank"].to_numpy()[order[:5]].tolist() == [1, 2, 3, 4, 5]
    x = made.features.iloc[0].to_numpy()
    np.testing.assert_allclose(x, 0.7, atol=0.15)


def test_values_are_those_of_the_formula():
    made = make_noisy_pool(50, 2, noise=0.0, rng=2)
    X = made.features.to_numpy()
    broad = np.exp(-((X - 0.25) ** 2).mean(axis=1) / (2 * 0.25**2))
    high = np.exp(-((X - 0.7) ** 2).mean(axis=1) / (2 * 0.125**2))
    np.testing.assert_allclose(made.target, 0.6 * broad + high, rtol=1e-14)


def test_the_front_is_on_the_circle():
    made = make_two_objective_pool(200, rng=3)
    a, b = made.frame["a"].to_numpy(), made.frame["b"].to_numpy()
    front = made.truth["on_front"].to_numpy()
    np.testing.assert_allclose(np.hypot(a, b)[::10], 1.0)
    assert front[::10].all()
    for k in np.flatnonzero(front):
        assert not ((a > a[k]) & (b > b[k])).any()
    for k in np.flatnonzero(~front):
        assert ((a >= a[k]) & (b >= b[k])).sum() > 1


def test_the_hypervolume_is_the_area_of_the_steps():
    made = make_two_objective_pool(100, rng=4)
    rng = np.random.default_rng(0)
    points = rng.uniform(size=(200_000, 2))
    front = made.frame.loc[made.truth["on_front"], ["a", "b"]].to_numpy()
    covered = (points[:, None, :] <= front[None, :, :]).all(axis=2).any(axis=1)
    assert made.truth.attrs["hypervolume"] == pytest.approx(covered.mean(), abs=0.005)


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (make_noisy_pool, {"n_candidates": 1}, "n_candidates must be a whole number of 2 or more. Got 1"),
        (make_noisy_pool, {"noise": -1}, "noise must be a standard deviation of 0 or more. Got -1"),
        (make_two_objective_pool, {"n_features": 1}, "n_features must be a whole number of 2"),
        (make_two_objective_pool, {"n_candidates": 9}, "n_candidates must be a whole number of 10 or more"),
    ],
)  # fmt: skip
def test_sizes_are_checked(make, options, words):
    with pytest.raises(InputError, match=words):
        make(**options)


def test_the_same_seed_makes_the_same_list():
    one, two = (make_noisy_pool(30, rng=5).frame for _ in range(2))
    assert one.equals(two)
