"""Truths about the way back from a descriptor, whatever the table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.composition.decoding import decode
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.kernel_mean_inverse import invert, invertibility

NAMES = ("Li", "Na", "Mg", "Al", "P", "S", "Cl", "Fe", "Cu", "O")
seeds = st.integers(0, 2**32 - 1)


def kernel_matrix(rng, n_features=8, n_points=8):
    features = rng.uniform(size=(len(NAMES), n_features))
    distances = features[:, :, None] - np.linspace(0, 1, n_points)
    return np.exp(-(((n_points - 1) * distances) ** 2)).reshape(len(NAMES), -1).T.copy()


def sparse_fractions(rng, n, k=3):
    W = np.zeros((n, len(NAMES)))
    for row in W:
        row[rng.choice(len(NAMES), k, replace=False)] = rng.dirichlet(np.ones(k))
    return W


@given(seed=seeds)
@settings(max_examples=15)
def test_inverse_of_transform_is_the_identity(seed):
    rng = np.random.default_rng(seed)
    H, W = kernel_matrix(rng), sparse_fractions(rng, 5)
    result = invert(H, W @ H.T, NAMES)
    assert invertibility(H).unique
    assert result.unique.all()
    np.testing.assert_allclose(result.fractions, W, atol=1e-10)


@given(seed=seeds)
@settings(max_examples=15)
def test_optimality_conditions_hold_under_noise(seed):
    rng = np.random.default_rng(seed)
    H = kernel_matrix(rng)
    phi = sparse_fractions(rng, 5) @ H.T + 0.01 * rng.normal(size=(5, len(H)))
    result = invert(H, phi, NAMES)
    for target, w in zip(phi, result.fractions, strict=True):
        gradient = H.T @ (H @ w - target)
        slack = gradient - w @ gradient
        assert slack.min() > -1e-10
        assert np.abs(slack * w).max() < 1e-10
    assert result.kkt_residual.max() < 1e-10
    np.testing.assert_allclose(result.fractions.sum(axis=1), 1.0, atol=1e-14)


@given(seed=seeds)
@settings(max_examples=15)
def test_nearer_than_any_clipped_solution(seed):
    rng = np.random.default_rng(seed)
    H = kernel_matrix(rng)
    phi = sparse_fractions(rng, 5) @ H.T + 0.01 * rng.normal(size=(5, len(H)))
    clipped = np.maximum(np.linalg.lstsq(H, phi.T)[0].T, 0.0)
    clipped /= clipped.sum(axis=1, keepdims=True)
    objective = 0.5 * np.sum((phi - clipped @ H.T) ** 2, axis=1)
    assert (invert(H, phi, NAMES).objective <= objective + 1e-12).all()


@given(seed=seeds)
@settings(max_examples=10)
def test_order_of_components_and_of_features_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    H = kernel_matrix(rng)
    phi = sparse_fractions(rng, 3) @ H.T + 0.01 * rng.normal(size=(3, len(H)))
    rows, columns = rng.permutation(len(H)), rng.permutation(len(NAMES))
    names = [NAMES[j] for j in columns]
    first, second = invert(H, phi, NAMES), invert(H[rows][:, columns], phi[:, rows], names)
    np.testing.assert_allclose(second.fractions, first.fractions[:, columns], atol=1e-9)
    one, two = decode(H, phi, NAMES, n_best=1), decode(H[rows][:, columns], phi[:, rows], names, n_best=1)
    assert [answers[0].formula for answers in one] == [answers[0].formula for answers in two]


@given(seed=seeds, n_elements=st.integers(1, 4))
@settings(max_examples=20)
def test_formulas_of_few_atoms_come_back(seed, n_elements):
    rng = np.random.default_rng(seed)
    H = kernel_matrix(rng)
    held = rng.choice(len(NAMES), n_elements, replace=False)
    counts = rng.integers(1, 10, size=n_elements)
    w = np.zeros(len(NAMES))
    w[held] = counts / counts.sum()
    best = decode(H, H @ w, NAMES)[0]
    expected = {NAMES[j]: w[j] for j in held}
    assert best.fractions == pytest.approx(expected)
    assert best.n_atoms == counts.sum() // np.gcd.reduce(counts)


@pytest.mark.parametrize("options", [{}, {"mode": "md"}, {"kernel": "laplace"}])
def test_descriptor_and_its_inverse(options):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(len(NAMES), 6)), index=NAMES, columns=list("abcdef"))
    descriptor = KernelMeanDescriptor(table, **options).fit()
    phi = descriptor.transform(["LiFePO4", "Fe2O3", "NaCl", "Cu"])
    frame = descriptor.inverse_transform(phi).to_frame()
    assert frame.loc[1, ["Fe", "O"]].tolist() == pytest.approx([0.4, 0.6])
    assert [answers[0].formula for answers in descriptor.decode(phi)] == ["LiFePO4", "Fe2O3", "NaCl", "Cu"]
