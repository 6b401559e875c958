import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from sozai.contracts.errors import InputError
from sozai.numerics.smooth_networks import SmoothNetworks

SMALL = {"n_networks": 2, "hidden": (16, 16), "n_passes": 60, "batch_size": 16, "random_state": 0}


def waves(n, seed=0):
    x = np.random.default_rng(seed).uniform(-2, 2, (n, 2))
    return x, np.sin(2 * x[:, 0]) + x[:, 1] ** 2


def test_it_is_an_estimator():
    # 200 rows of the check need more steps than a test should take
    check_estimator(
        SmoothNetworks(1, (16,), n_passes=200, batch_size=16, validation_share=0.0, random_state=0),
        on_skip=None,
    )


def test_it_learns_a_curved_function_better_than_a_plane():
    X, y = waves(800)
    X_new, y_new = waves(200, seed=1)
    error = np.abs(SmoothNetworks(**SMALL).fit(X, y).predict(X_new) - y_new).mean()
    plane = np.column_stack([X, np.ones(800)])
    linear = np.column_stack([X_new, np.ones(200)]) @ np.linalg.lstsq(plane, y, rcond=None)[0]
    assert error < 0.15 * np.abs(linear - y_new).mean()


def test_one_wild_value_hardly_moves_a_fit_of_least_absolute_errors():
    X, y = waves(400)
    wild = y.copy()
    wild[7] = 40.0
    quiet, disturbed = (SmoothNetworks(**SMALL).fit(X, target).predict(X) for target in (y, wild))
    away = np.abs(X - X[7]).max(axis=1) > 0.5
    assert np.abs(quiet - disturbed)[away].mean() < 0.15


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_the_same_bits_for_any_number_of_jobs(n_jobs):
    X, y = waves(120)
    alone = SmoothNetworks(**SMALL).fit(X, y).predict(X)
    assert (SmoothNetworks(**SMALL, n_jobs=n_jobs).fit(X, y).predict(X) == alone).all()


def test_the_spread_is_that_of_the_networks():
    X, y = waves(100)
    networks = SmoothNetworks(**SMALL).fit(X, y)
    each = []
    for layers in networks.networks_:
        rows = ((X - networks._center) / networks._spread).astype(np.float32)
        each.append(networks._shift + networks._scale * layers(rows).astype(np.float64))
    mean, std = networks.predict(X, return_std=True)
    assert mean == pytest.approx(np.mean(each, axis=0), rel=1e-4, abs=1e-5)
    assert std == pytest.approx(np.std(each, axis=0, ddof=1), rel=1e-3, abs=1e-5)


def test_a_common_scale_keeps_distances_and_own_scales_do_not():
    X, y = waves(100)
    X[:, 1] *= 10
    assert np.ptp(SmoothNetworks(**SMALL).fit(X, y)._spread) == 0
    assert SmoothNetworks(**SMALL, scale="columns").fit(X, y)._spread == pytest.approx(X.std(axis=0))


def test_rows_kept_back_choose_the_look_and_none_take_the_last():
    X, y = waves(300)
    assert SmoothNetworks(**SMALL, validation_share=0.0).fit(X, y).chosen_looks_ == (20, 20)
    noise = np.random.default_rng(2).normal(size=300)
    assert min(SmoothNetworks(**SMALL, validation_share=0.3).fit(X, noise).chosen_looks_) < 20


def test_a_constant_target_is_predicted():
    X, _ = waves(50)
    assert SmoothNetworks(**SMALL).fit(X, np.full(50, 3.0)).predict(X) == pytest.approx(
        np.full(50, 3.0), abs=0.5
    )


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="NaN"):
        SmoothNetworks(**SMALL).fit([[np.nan], [1.0]], [1.0, 2.0])
