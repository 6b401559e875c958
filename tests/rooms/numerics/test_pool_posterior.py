import warnings

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel
from sklearn.gaussian_process.kernels import Matern as SkMatern

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.numerics import pool_posterior
from sozai.numerics.fantasy_posterior import FantasyPosterior
from sozai.numerics.kernels import Gaussian, Laplace, Matern
from sozai.numerics.pool_kernels import same_entries
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.numerics.random_features import RandomFeatures

RNG = np.random.default_rng(5)
POOL = RNG.random((300, 3))
ROWS = RNG.permutation(300)[:40]
Y = np.sin(5 * POOL[ROWS]).sum(axis=1)
LENGTHS = [0.4, 0.6, 0.9]


def a_posterior(**options):
    return PoolPosterior(POOL, Matern(), LENGTHS, **{"amplitude": 1.2, "noise": 1e-3, **options})


def test_without_data_it_is_the_prior():
    prior = a_posterior()
    assert prior.n_observed == 0
    np.testing.assert_array_equal(prior.mean, 0.0)
    np.testing.assert_allclose(prior.variance, 101.2)
    assert repr(prior) == "PoolPosterior(300 candidates, 0 data)"


def test_it_agrees_with_scikit_learn():
    kernel = SkMatern(LENGTHS, nu=2.5) * ConstantKernel(1.2) + ConstantKernel(100.0)
    rival = GaussianProcessRegressor(kernel, alpha=1e-3, optimizer=None).fit(POOL[ROWS], Y)
    mean, std = rival.predict(POOL, return_std=True)
    posterior = a_posterior().condition(ROWS, Y)
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-8)
    np.testing.assert_allclose(posterior.variance, std**2, atol=1e-8)


@pytest.mark.parametrize(("limit", "storage"), [(8 * 300 * 20, "float32"), (8 * 300 * 5, "none")])
def test_a_small_memory_costs_digits_or_time_and_says_so(limit, storage):
    exact = a_posterior().condition(ROWS, Y)
    for tell in ("at once", "one by one"):
        small = a_posterior(memory_limit=limit)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            if tell == "at once":
                small.condition(ROWS, Y)
            else:
                for row, value in zip(ROWS, Y, strict=True):
                    small.condition(int(row), value)
        assert small.storage == storage
        assert 1 <= len(said) <= 2
        assert "of 300 candidates need" in str(said[-1].message)
        np.testing.assert_allclose(small.mean, exact.mean, atol=1e-5)
        np.testing.assert_allclose(small.variance, exact.variance, atol=1e-5)
        np.testing.assert_allclose(small.rows(3), exact.rows(3), atol=1e-5)


def test_a_change_of_storage_reads_no_row_that_was_never_written(monkeypatch):
    """Memory the system hands out may hold anything: numbers too large for single precision too."""
    empty = np.empty
    monkeypatch.setattr(np, "empty", lambda *shape, **how: _filled(empty(*shape, **how)))
    small = a_posterior(memory_limit=8 * 300 * 20)
    for row, value in zip(ROWS[:20], Y, strict=False):
        small.condition(int(row), value)
    with pytest.warns(ConvergenceWarning, match="single precision"):
        small.condition(int(ROWS[20]), Y[20])
    assert np.isfinite(small.mean).all()


def _filled(array):
    if array.dtype == np.float64:
        array.fill(1e300)
    return array


def test_samples_have_the_posterior_mean_and_variance():
    posterior = a_posterior().condition(ROWS, Y)
    draws = posterior.sample(4000, np.random.default_rng(0), features=512)
    error = np.abs(draws.mean(axis=0) - posterior.mean) / np.sqrt(posterior.variance)
    assert error.max() < 5 / np.sqrt(4000)
    # features approximate the prior part, in units of its variance 1.2; what the data say is exact
    assert np.abs(draws.var(axis=0) - posterior.variance).max() < 0.05 * 1.2
    again = posterior.sample(4000, np.random.default_rng(0), features=512)
    np.testing.assert_array_equal(draws, again)


@pytest.mark.parametrize("kernel", [Matern(), Gaussian(), Laplace()])
def test_a_prior_draw_is_the_sum_of_its_features(kernel):
    pool = 1e3 * RNG.standard_normal((700, 2)) if type(kernel) is Laplace else RNG.random((700, 2))
    prior = PoolPosterior(pool, kernel, [0.4, 0.01], amplitude=1.7)
    draws = prior.sample(3, np.random.default_rng(8), features=50)
    rng = np.random.default_rng(8)
    basis = RandomFeatures(kernel, [0.4, 0.01], 1.7, 50, rng)
    weights, constant = rng.standard_normal((100, 3)), 10.0 * rng.standard_normal(3)
    # the phases of the last case are so large that a double holds few of their digits
    reach = np.abs(pool @ basis.frequencies.T).max()
    np.testing.assert_allclose(draws.T, basis.matrix(pool) @ weights + constant, atol=1e-11 + 1e-13 * reach)


def test_means_of_other_values_are_those_of_another_posterior():
    posterior = a_posterior().condition(ROWS, Y)
    other = np.cos(Y)
    means = posterior.means_of(np.column_stack([Y, other]))
    np.testing.assert_allclose(means[:, 0], posterior.mean, atol=1e-12)
    np.testing.assert_allclose(means[:, 1], a_posterior().condition(ROWS, other).mean, atol=1e-10)


def test_rounding_that_has_added_up_is_noticed(monkeypatch):
    posterior = a_posterior()
    for row in np.arange(63):
        posterior.condition(int(row), 0.1 * row)
    posterior._part_variance += 1e-6
    posterior.condition(63, 0.5)
    fresh = a_posterior().condition(np.arange(64), [*0.1 * np.arange(63), 0.5])
    np.testing.assert_allclose(posterior.variance, fresh.variance, atol=1e-9)


def test_two_pretended_candidates_reduce_the_variance_as_two_told_ones():
    posterior = a_posterior().condition(ROWS, Y)
    both = FantasyPosterior(posterior).fantasise(1, [0.0]).fantasise(2, [0.0])
    told = a_posterior().condition([*ROWS, 1, 2], [*Y, posterior.mean[1], posterior.mean[2]])
    np.testing.assert_allclose(both.variance, told.variance, atol=1e-9)
    np.testing.assert_allclose(both.means[:, 0], told.mean, atol=1e-9)
    assert repr(both) == "FantasyPosterior(300 candidates, 2 pretended, 1 values each)"
    assert posterior.n_observed == 40


def test_equal_rows_without_noise_do_not_break_it():
    pool = np.repeat(POOL[:5], 2, axis=0)
    single = PoolPosterior(pool, Matern(), LENGTHS, noise=0.0)
    for row in range(10):
        single.condition(row, float(row // 2))
    assert np.isfinite(single.mean).all()
    np.testing.assert_allclose(single.mean, np.arange(10) // 2, atol=1e-3)


def test_bad_input_is_named():
    posterior = a_posterior()
    for index, message in ((300, "Got 300 at position 0"), ([0, -1], "Got -1 at position 1")):
        with pytest.raises(InputError, match=message):
            posterior.condition(index, np.zeros(np.size(index)))
    with pytest.raises(InputError, match=r"index must be whole numbers"):
        posterior.condition([0.5], [1.0])
    with pytest.raises(InputError, match=r"variances of zero or more. Got -0.1 at row 1"):
        posterior.condition([0, 1], [1.0, 2.0], [0.0, -0.1])
    with pytest.raises(InputError, match=r"zero or more. Got nan at row 0"):
        posterior.condition(0, 1.0, np.nan)
    with pytest.raises(InputError, match=r"replicates must be 1 or more. Got 0.0 at row 0"):
        posterior.condition(0, 1.0, replicates=0)
    with pytest.raises(InputError, match="contains NaN"):
        posterior.condition(0, np.nan)
    with pytest.raises(InputError, match=r"length_scales must be positive. Got 0.0"):
        PoolPosterior(POOL, Matern(), [0.0, 1.0, 1.0])
    with pytest.raises(InputError, match=r"noise must be 0 or more. Got -1.0"):
        a_posterior(noise=-1.0)
    with pytest.raises(InputError, match="first at row 1"):
        PoolPosterior([[0.0], [np.nan]], Matern(), [1.0])
    with pytest.raises(InputError, match=r"draws must be 2 numbers, as before. Got 3"):
        posterior.fantasise(0, [0.0, 1.0]).fantasise(1, [0.0, 1.0, 2.0])
    assert posterior.n_observed == 0


def test_a_singular_batch_is_said(monkeypatch):
    monkeypatch.setattr(pool_posterior, "_PIVOT_FLOOR", 1e-10)
    pool = np.zeros((3, 1))
    posterior = PoolPosterior(pool, Matern(), [1.0], noise=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        posterior.condition([0, 1, 2], [1.0, 1.0, 1.0])
    np.testing.assert_allclose(posterior.mean, 1.0, atol=1e-2)


def test_mean_and_deviation_in_one_pass_are_those_one_by_one():
    posterior = PoolPosterior(RNG.random((700, 3)), Matern(), [0.3, 0.4, 0.5], noise=1e-3)
    for row in range(0, 60, 7):
        mean, std = posterior.moments()
        np.testing.assert_allclose(mean, posterior.mean, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(std, np.sqrt(posterior.variance), rtol=1e-13)
        posterior.condition(row, float(row % 5))


@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_tables_are_the_same_only_where_every_entry_is(order):
    table = RNG.random((50, 4))
    other = np.asarray(table, order="F") if order == "F" else np.repeat(table, 2, axis=1)[:, ::2]
    other = table.copy() if order == "C" else other
    assert same_entries(table, other)
    other[-1, -1] += 1e-15
    assert not same_entries(table, other)
