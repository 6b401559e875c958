"""Made pairs of sources: the planted numbers are there, and the bundled example is the printed one."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.datasets import (
    load_assimilation_example,
    make_assimilation_demo,
    make_magnet_pair,
    make_sine_pair,
)

MAKERS = [make_assimilation_demo, make_sine_pair, make_magnet_pair]


def test_the_example_keeps_its_empty_cells():
    frame = load_assimilation_example().frame
    assert frame["x"].tolist() == [1.0, 0.9, 0.8, 0.7, 0.6]
    assert frame["simulation"].tolist() == [933.718, 945.811, 962.004, 981.454, 1002.318]
    assert frame["experiment"].isna().tolist() == [False, False, True, False, True]


@pytest.mark.parametrize("make", MAKERS)
def test_same_seed_same_rows(make):
    first, again, other = make(rng=3), make(rng=np.random.default_rng(3)), make(rng=4)
    assert first.frame.equals(again.frame)
    assert not first.frame.equals(other.frame)


@pytest.mark.parametrize("make", MAKERS)
def test_rows_are_the_functions_with_noise(make):
    made = make(noise=(0.0, 0.0), rng=0)
    exact = made.exact(made.features)
    told = made.sources.to_numpy()
    np.testing.assert_allclose(told[~np.isnan(told)], exact[~np.isnan(told)], rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(made.truth, exact, rtol=1e-13, atol=1e-13)
    assert ((made.features >= made.domain["low"]) & (made.features <= made.domain["high"])).all(axis=None)


def test_noise_is_of_the_size_asked_for():
    made = make_sine_pair(2, 101, noise=(0.03, 0.1), rng=1)
    scatter = (made.sources - made.truth).std()
    np.testing.assert_allclose(scatter, [0.03, 0.1], rtol=0.03)


def test_the_demonstration_is_measured_on_the_left_half_only():
    made = make_assimilation_demo(200, 300, noise=(0.03, 0.1), rng=0)
    told = made.frame["experiment"].notna()
    assert (told.sum(), (~told).sum()) == (300, 200)
    assert made.frame.loc[told, "x"].max() <= 0.5 < made.frame.loc[~told, "x"].max()
    # f1(0) = 2 + 5*0.49 - 20/8 and f1(1) = 1 + 5*0.09 + 20/8; the experiment lies 1.5 lower
    np.testing.assert_allclose(made.exact([[0.0], [1.0]]), [[1.95, 0.45], [3.95, 2.45]])
    x = np.linspace(0.5, 1.0, 5001)[:, None]
    assert np.ptp(made.exact(x)[:, 1]) == pytest.approx(2.52, abs=0.01)


def test_one_series_is_the_printed_one():
    x = np.array([[0.1], [0.37]])
    wave = [np.sin(2 * np.pi * k * x[:, 0]) for k in range(7)]
    first = 2 + 0.2 * wave[1] + 0.3 * wave[2] - 0.2 * wave[3] + 0.1 * wave[4] - 0.3 * wave[5] + 0.2 * wave[6]
    np.testing.assert_allclose(
        make_sine_pair(1, rng=0).exact(x), np.column_stack([first, first - 2 - 0.6 * wave[1]])
    )


def test_two_dimensions_have_49_terms_and_differ_by_three():
    made = make_sine_pair(2, 21, rng=0)
    x = made.features.to_numpy()
    waves = [np.column_stack([np.ones(len(x)), *(np.sin(2 * np.pi * k * x[:, [j]]) for k in range(1, 7))])
             for j in (0, 1)]  # fmt: skip
    design = (waves[0][:, :, None] * waves[1][:, None, :]).reshape(len(x), 49)
    coefficients = np.linalg.lstsq(design, made.truth.to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(design @ coefficients, made.truth, atol=1e-10)
    series = [2, 0.2, 0.3, -0.2, 0.1, -0.3, 0.2]
    np.testing.assert_allclose(coefficients[:, 0].reshape(7, 7), np.outer(series, series) / 2, atol=1e-10)
    difference = (coefficients[:, 1] - coefficients[:, 0]).reshape(7, 7)
    assert np.abs(difference).round(9).sum() == pytest.approx(2 + 0.6 + 0.6)
    assert made.truth["experiment"].idxmax() == made.facts["best_row"]


def slope_with_cobalt(made, source, temperature, cobalt, step=1e-5):
    points = np.zeros((2, 6))
    points[:, 3] = cobalt - step, cobalt + step
    points[:, 5] = temperature
    low, high = made.exact(points)[:, source]
    return (high - low) / (2 * step)


def test_cobalt_weakens_the_cold_magnet_and_strengthens_the_hot_one():
    made = make_magnet_pair(rng=0)
    cobalt, crossover = made.facts["crossover_Co"], made.facts["crossover"]
    assert crossover == 320.0
    assert abs(slope_with_cobalt(made, 1, crossover, cobalt)) < 1e-6
    assert slope_with_cobalt(made, 1, crossover - 10, cobalt) < -0.005
    assert slope_with_cobalt(made, 1, crossover + 10, cobalt) > 0.005
    # the calculation is far off: its slope is still negative
    assert slope_with_cobalt(made, 0, crossover + 30, cobalt) < 0


def test_a_magnet_of_neodymium_and_iron_alone():
    made = make_magnet_pair(rng=0)
    calculated, measured = made.exact([[0, 0, 0, 0, 0, 300.0]])[0]
    t = 300 / 586
    assert measured == pytest.approx(1.85 * (1 - 0.7 * t**1.5 - 0.3 * t**2.5) ** (1 / 3))
    t /= 1.2
    assert calculated == pytest.approx(2.0 * (1 - 0.7 * t**1.5 - 0.3 * t**2.5) ** (1 / 3))
    assert made.exact([[0, 0, 0, 0, 0, 800.0]])[0, 1] == 0.0


def test_measured_magnets_lie_in_a_corner():
    made = make_magnet_pair(400, 100, rng=5)
    measured = made.frame["experiment"].notna()
    assert made.frame.loc[measured, "Ce"].max() <= 0.2 < made.frame.loc[~measured, "Ce"].max()
    assert made.frame.loc[measured, "T"].between(250, 420).all()
    assert (made.features[["Pr", "La", "Ce"]].sum(axis=1) <= 1).all()
    assert made.units["T"] == "K"
    assert made.to_frame().columns[-1] == "experiment [T]"


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (make_assimilation_demo, {"n_simulation": 0}, "must be a whole number of 1 or more. Got 0"),
        (make_magnet_pair, {"n_experiment": 2.5}, "experiment must be a whole number of 1 or more. Got 2.5"),
        (make_sine_pair, {"n_features": 3}, "n_features must be 1 or 2. Got 3"),
        (make_sine_pair, {"n_steps": 1}, "n_steps must be a whole number of 2 or more. Got 1"),
        (make_sine_pair, {"noise": (0.1, -0.5)}, "noise must be two standard deviations of 0 or more"),
        (make_magnet_pair, {"noise": 0.1}, "of simulation and experiment. Got 0.1"),
    ],
)  # fmt: skip
def test_wrong_options(make, options, words):
    with pytest.raises(InputError) as caught:
        make(rng=0, **options)
    assert words in str(caught.value)


def test_points_with_too_few_columns():
    with pytest.raises(InputError, match=r"X must have 2 columns \(x0, x1\)\. Got 1"):
        make_sine_pair(2, rng=0).exact([[0.5]])
