import numpy as np
import pandas as pd
import pytest

from sozai.composition import pooling as module
from sozai.composition.kernel_landmarks import RandomFourierFeatures
from sozai.composition.kernel_matrix import UserKernel
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.pooling import KernelMeanPooling
from sozai.contracts.errors import InputError
from sozai.numerics.kernels import Gaussian, Laplace, Matern

RNG = np.random.default_rng(5)
POINTS = RNG.normal(size=(6, 3))
SITES = RNG.normal(size=(9, 3))
OFFSETS = np.array([0, 2, 2, 6, 9])
FRAME = pd.DataFrame(RNG.uniform(size=(4, 3)), index=["Na", "K", "O", "Cl"], columns=["a", "b", "c"])


def test_the_sum_it_stands_for():
    phi = KernelMeanPooling(POINTS, length=0.7).pool(SITES, OFFSETS)
    K = np.exp(-((SITES[:, None] - POINTS[None]) ** 2).sum(axis=2) / (2 * 0.49))
    expected = [K[:2].mean(axis=0), np.zeros(6), K[2:6].mean(axis=0), K[6:].mean(axis=0)]
    np.testing.assert_allclose(phi, expected, atol=1e-14)
    weights = RNG.uniform(size=9)
    phi = KernelMeanPooling(POINTS, length=0.7).pool(SITES, OFFSETS, weights)
    np.testing.assert_allclose(phi[2], weights[2:6] @ K[2:6], atol=1e-14)


@pytest.mark.parametrize(
    "kernel", [Gaussian(), Gaussian(1.7), Matern(1.5), Matern(2.5), Laplace(), Matern(0.5)]
)
def test_gradients_are_differences(kernel):
    pooling = KernelMeanPooling(POINTS, kernel, length=0.8)
    weights, G = RNG.uniform(size=9), RNG.normal(size=(4, 6))
    phi, pullback = pooling.pool_and_pullback(SITES, OFFSETS, weights)
    by_site, by_weight = pullback(G)
    step = 1e-6
    for s in range(9):
        for j in range(3):
            moved = np.stack([SITES, SITES])
            moved[0, s, j] += step
            moved[1, s, j] -= step
            up, down = (np.vdot(G, pooling.pool(one, OFFSETS, weights)) for one in moved)
            assert by_site[s, j] == pytest.approx((up - down) / (2 * step), abs=2e-8)
        heavier = weights + step * (np.arange(9) == s)
        rise = np.vdot(G, pooling.pool(SITES, OFFSETS, heavier) - phi) / step
        assert by_weight[s] == pytest.approx(rise, abs=1e-8)


@pytest.mark.parametrize(
    "options",
    [{}, {"mode": "md"}, {"mode": "product", "groups": {"x": ["a", "c"], "y": ["b"]}}, {"kernel": "laplace"}],
)
def test_rows_of_a_table_give_the_descriptor(options):
    descriptor = KernelMeanDescriptor(FRAME, **options).fit()
    pooling = KernelMeanPooling.from_descriptor(descriptor)
    table = FRAME.to_numpy()
    sites = table[[0, 3, 0, 0, 2, 1, 1, 2]]
    phi = pooling.pool(sites, [0, 2, 5, 8])
    np.testing.assert_allclose(phi, descriptor.transform(["NaCl", "Na2O", "K2O"]), rtol=0, atol=1e-12)
    by_fractions = pooling.pool(table[[0, 2]], [0, 2], [2 / 3, 1 / 3])
    np.testing.assert_allclose(by_fractions, descriptor.transform(["Na2O"]), rtol=0, atol=1e-12)
    assert pooling.n_columns == descriptor.matrix_.shape[0]


def test_gradients_in_the_units_of_the_table():
    descriptor = KernelMeanDescriptor(FRAME * [100.0, 1.0, 0.01], grid=4).fit()
    pooling = KernelMeanPooling.from_descriptor(descriptor)
    sites = RNG.uniform(size=(5, 3)) * [100.0, 1.0, 0.01]
    G = RNG.normal(size=(2, 12))
    by_site, _ = pooling.pool_and_pullback(sites, [0, 2, 5])[1](G)
    for j, step in enumerate([1e-4, 1e-6, 1e-8]):
        moved = sites.copy()
        moved[3, j] += step
        back = sites.copy()
        back[3, j] -= step
        rise = np.vdot(G, pooling.pool(moved, [0, 2, 5]) - pooling.pool(back, [0, 2, 5])) / (2 * step)
        assert by_site[3, j] == pytest.approx(rise, rel=1e-6)


def test_order_of_sites_and_supercells_do_not_matter():
    pooling = KernelMeanPooling(POINTS)
    phi = pooling.pool(SITES, [0, 9])
    np.testing.assert_allclose(pooling.pool(SITES[::-1], [0, 9]), phi, atol=1e-15)
    np.testing.assert_allclose(pooling.pool(np.tile(SITES, (8, 1)), [0, 72]), phi, atol=1e-14)


def test_blocks_of_structures_do_not_matter(monkeypatch):
    pooling = KernelMeanPooling(POINTS)
    G = RNG.normal(size=(4, 6))
    whole, pullback = pooling.pool_and_pullback(SITES, OFFSETS)
    gradients = pullback(G)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 13)
    parts, pullback = pooling.pool_and_pullback(SITES, OFFSETS)
    np.testing.assert_array_equal(parts, whole)
    for one, other in zip(pullback(G), gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)


def test_a_site_on_a_point_has_no_slope_from_it():
    for kernel in (Laplace(), Matern(0.5), Gaussian()):
        pooling = KernelMeanPooling(np.zeros((1, 2)), kernel)
        by_site, by_weight = pooling.pool_and_pullback(np.zeros((1, 2)), [0, 1])[1](np.ones((1, 1)))
        np.testing.assert_array_equal(by_site, 0.0)
        np.testing.assert_array_equal(by_weight, 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KernelMeanPooling(POINTS, UserKernel(np.dot, characteristic=False)), r"Got 'UserKernel'"),
        (lambda: KernelMeanPooling(POINTS[0]), r"\(n_points, n_features\)\. Got 'shape \(3,\)'"),
        (lambda: KernelMeanPooling(POINTS, length=0.0), r"length must be a positive number\. Got 0\.0"),
        (
            lambda: KernelMeanPooling(POINTS).pool(SITES[:, :2], OFFSETS),
            r"\(n_sites, 3\)\. Got 'shape \(9, 2\)'",
        ),
        (lambda: KernelMeanPooling(POINTS).pool(SITES, [0, 8]), r"rise from 0 to the number of sites \(9\)"),
        (lambda: KernelMeanPooling(POINTS).pool(SITES, [0, 5, 4, 9]), r"rise from 0"),
        (lambda: KernelMeanPooling(POINTS).pool(SITES, OFFSETS, np.ones(8)), r"9 sites\. Got 'shape \(8,\)'"),
        (
            lambda: KernelMeanPooling(POINTS).pool_and_pullback(SITES, OFFSETS)[1](np.ones((4, 5))),
            r"have the shape \(4, 6\) of phi\. Got \(4, 5\)",
        ),
        (
            lambda: KernelMeanPooling.from_descriptor(
                KernelMeanDescriptor(FRAME, mode="md", landmarks=RandomFourierFeatures(4)).fit()
            ),
            r"have points and use every cell",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
