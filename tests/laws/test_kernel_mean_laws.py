"""Truths about kernel means, whatever the table and the mode."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.composition.kernel_mean import KernelMeanDescriptor

N = 8
NAMES = ["Li", "Na", "Mg", "Fe", "C", "N", "O", "Cl"]
MODES = [
    {},
    {"mode": "md"},
    {"mode": "product", "groups": {"p": ["a", "b"], "q": ["c", "d"]}},
    {"kernel": "laplace"},
    {"representation": "isometric"},
    {"representation": "isometric", "mode": "md"},
]
seeds = st.integers(0, 2**32 - 1)


def table(rng):
    return pd.DataFrame(rng.normal(size=(N, 4)), index=NAMES, columns=list("abcd"))


def fractions(rng, n):
    return rng.dirichlet(np.full(N, 0.5), size=n)


@pytest.mark.parametrize("options", MODES)
@given(seed=seeds)
@settings(max_examples=8)
def test_linear_in_the_fractions(options, seed):
    rng = np.random.default_rng(seed)
    descriptor = KernelMeanDescriptor(table(rng), **options).fit()
    a, b = fractions(rng, 3), fractions(rng, 3)
    t = rng.uniform()
    mixed = descriptor.transform(t * a + (1 - t) * b)
    np.testing.assert_allclose(
        mixed, t * descriptor.transform(a) + (1 - t) * descriptor.transform(b), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("options", MODES)
def test_one_material_has_one_descriptor(options):
    descriptor = KernelMeanDescriptor(table(np.random.default_rng(0)), **options).fit()
    phi = descriptor.transform(["Fe2O3", "Fe4O6", "O3Fe2", "Fe0.4O0.6"])
    np.testing.assert_allclose(phi - phi[0], 0.0, atol=1e-12)


@pytest.mark.parametrize("options", MODES)
@given(seed=seeds)
@settings(max_examples=8)
def test_units_do_not_matter(options, seed):
    rng = np.random.default_rng(seed)
    frame, W = table(rng), fractions(rng, 4)
    other = frame * 10 ** rng.uniform(-6, 6, size=4) + rng.normal(size=4)
    one, two = (KernelMeanDescriptor(one, **options).fit() for one in (frame, other))
    if "representation" in options:  # coordinates may turn, distances may not
        np.testing.assert_allclose(one.mmd_distance(W), two.mmd_distance(W), rtol=0, atol=1e-6)
    else:
        np.testing.assert_allclose(one.transform(W), two.transform(W), rtol=0, atol=1e-8)


def test_a_change_of_unit_by_a_factor_changes_nothing():
    rng = np.random.default_rng(1)
    frame, W = table(rng), fractions(rng, 50)
    one = KernelMeanDescriptor(frame).fit().transform(W)
    two = KernelMeanDescriptor(frame * [1e-10, 1.602e-19, 1e3, 100.0]).fit().transform(W)
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)


@pytest.mark.parametrize("options", MODES[:4])
@given(seed=seeds)
@settings(max_examples=8)
def test_order_of_components_does_not_matter(options, seed):
    rng = np.random.default_rng(seed)
    frame, W = table(rng), fractions(rng, 4)
    order = rng.permutation(N)
    one = KernelMeanDescriptor(frame, **options).fit()
    two = KernelMeanDescriptor(frame.iloc[order], **options).fit()
    phi, psi = one.transform(W), two.transform(W[:, order])
    names = list(two.get_feature_names_out())
    back = [names.index(name) for name in one.get_feature_names_out()]
    np.testing.assert_allclose(phi, psi[:, back], rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.mmd_distance(W), two.mmd_distance(W[:, order]), rtol=0, atol=1e-7)


@pytest.mark.parametrize("options", MODES[:4])
@given(seed=seeds)
@settings(max_examples=8)
def test_discrepancy_is_a_distance_without_a_grid(options, seed):
    rng = np.random.default_rng(seed)
    descriptor = KernelMeanDescriptor(table(rng), **options).fit()
    W = fractions(rng, 6)
    D, K = descriptor.mmd_distance(W), descriptor.gram_
    direct = np.einsum("abi,ij,abj->ab", W[:, None] - W[None], K, W[:, None] - W[None])
    np.testing.assert_allclose(D**2, direct, rtol=0, atol=1e-12)
    apart = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(D[apart], np.sqrt(direct[apart]), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(np.diag(D), 0.0)
    np.testing.assert_allclose(D, D.T, rtol=0, atol=1e-15)
    assert (D[apart] > 0).all()
    assert (D[:, :, None] <= D[:, None, :] + D[None, :, :].transpose(0, 2, 1) + 1e-12).all()
    assert D.max() <= np.sqrt(2) + 1e-12
    psi = KernelMeanDescriptor(descriptor.table, representation="isometric", **options).fit().transform(W)
    np.testing.assert_allclose(np.sqrt(((psi[:, None] - psi[None]) ** 2).sum(axis=2)), D, rtol=0, atol=1e-10)


@given(seed=seeds)
@settings(max_examples=8)
def test_fractions_come_back(seed):
    pytest.importorskip("sozai.composition.kernel_mean_inverse")
    rng = np.random.default_rng(seed)
    descriptor, W = KernelMeanDescriptor(table(rng)).fit(), fractions(rng, 4)
    np.testing.assert_allclose(descriptor.inverse_transform(descriptor.transform(W)).fractions, W, atol=1e-10)


def test_the_same_bits_for_any_number_of_threads_and_any_blocks(monkeypatch):
    monkeypatch.setattr("sozai.composition.weighted_rows._FEWEST_ROWS", 16)
    rng = np.random.default_rng(2)
    frame, W = table(rng), fractions(rng, 200)
    whole = KernelMeanDescriptor(frame).fit().transform(W)
    for n_jobs in (2, 4):
        np.testing.assert_array_equal(KernelMeanDescriptor(frame, n_jobs=n_jobs).fit().transform(W), whole)
    for chunk in (1, 33, 200):
        out = KernelMeanDescriptor(frame).fit().transform_to(W, np.empty_like(whole), chunk=chunk)
        np.testing.assert_array_equal(out, whole)
