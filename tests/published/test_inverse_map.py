"""Inverse of the kernel mean descriptor with the published table of elements.

M. Kusaba, Y. Hayashi, C. Liu, A. Wakiuchi, R. Yoshida, Representation of materials by kernel mean
embedding, Phys. Rev. B 108, 134107 (2023): 94 elements, 58 features, 10 grid points; the formulas
are the 35,463 stable compounds of the Materials Project that come with it.
"""

import re
from functools import reduce
from math import gcd

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from sozai.composition.decoding import decode
from sozai.composition.kernel_mean_inverse import invert, invertibility


@pytest.fixture(scope="module")
def published(data_folder):
    folder = data_folder / "composition"
    if not folder.is_dir():
        pytest.skip("needs composition/element_features.csv in SOZAI_DATA")
    table = pd.read_csv(folder / "element_features.csv", index_col=0)
    formulas = pd.read_csv(folder / "MP_stable_formula_20220807.csv")["formula_pretty"]
    values = table.to_numpy()
    scaled = (values - values.min(axis=0)) / (values.max(axis=0) - values.min(axis=0))
    return scaled, tuple(table.index), counts_of(formulas, list(table.index))


def matrix(scaled, n_points):
    """One Gaussian per feature and grid point, γ = 1/Δ²."""
    grid, step = np.linspace(0, 1, n_points), 1 / (n_points - 1)
    return np.exp(-(((scaled[:, :, None] - grid) / step) ** 2)).reshape(len(scaled), -1).T.copy()


def counts_of(formulas, symbols):
    """Atoms of each element in the reduced formulas, by a small parser with brackets."""
    column = {symbol: j for j, symbol in enumerate(symbols)}
    counts = np.zeros((len(formulas), len(symbols)), dtype=np.int64)
    for row, formula in enumerate(formulas):
        stack = [{}]
        for symbol, n, opened, _, times in re.findall(r"([A-Z][a-z]?)(\d*)|(\()|(\))(\d*)", formula):
            if symbol:
                stack[-1][symbol] = stack[-1].get(symbol, 0) + int(n or 1)
            elif opened:
                stack.append({})
            else:
                for name, amount in stack.pop().items():
                    stack[-1][name] = stack[-1].get(name, 0) + amount * int(times or 1)
        for symbol, n in stack[0].items():
            counts[row, column[symbol]] = n
        counts[row] //= reduce(gcd, counts[row].tolist())
    return counts


@pytest.mark.parametrize(
    ("n_points", "condition", "half_a_digit"),
    [(2, 1.2e4, 500), (3, 2.2e3, 50), (4, 742, 0.5), (5, 341, 0.5), (10, 89, 0.5), (20, 30, 0.5)],
)
def test_rank_and_condition_number(published, n_points, condition, half_a_digit):
    record = invertibility(matrix(published[0], n_points))
    assert record.rank == 94
    assert record.unique
    assert record.condition_number == pytest.approx(condition, abs=half_a_digit)


def test_round_trip_of_all_formulas(published):
    scaled, names, counts = published
    H, W = matrix(scaled, 10), counts / counts.sum(axis=1, keepdims=True)
    result = invert(H, W @ H.T, names)
    assert len(result) == 35463
    assert np.abs(result.fractions - W).sum(axis=1).max() <= 1e-13
    assert result.unique.all()
    assert (result.n_iter == 0).all()


@pytest.mark.parametrize(("noise", "error"), [(1e-4, 1.9e-4), (1e-3, 1.9e-3), (1e-2, 1.9e-2)])
def test_noise_on_the_descriptor(published, noise, error):
    scaled, names, counts = published
    rng = np.random.default_rng(7)
    chosen = counts[rng.choice(35463, 4000, replace=False)]
    H, W = matrix(scaled, 10), chosen / chosen.sum(axis=1, keepdims=True)
    phi = W @ H.T + noise * rng.standard_normal((4000, 580))
    result = invert(H, phi, names)
    assert np.abs(result.fractions - W).sum(axis=1).mean() == pytest.approx(error, rel=0.05)
    assert result.kkt_residual.max() <= 1e-10
    gradient = result.fractions @ (H.T @ H) - phi @ H
    slack = gradient - (gradient * result.fractions).sum(axis=1)[:, None]
    assert slack.min() > -1e-10
    assert np.abs(slack * result.fractions).max() < 1e-10
    for k in range(40):
        np.testing.assert_allclose(result.fractions[k], dense_optimum(H, phi[k]), atol=1e-7)


def dense_optimum(H, phi):
    """SciPy's NNLS with a heavy row for the sum, then the dense optimality system of its support."""
    weight = 1e4
    rough = nnls(np.vstack([H, np.full(94, weight)]), np.append(phi, weight))[0]
    held = np.flatnonzero(rough > 1e-8)
    P, k = H[:, held], len(held)
    system = np.block([[P.T @ P, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    out = np.zeros(94)
    out[held] = np.linalg.solve(system, np.append(P.T @ phi, 1.0))[:k]
    return out


def test_few_features_still_give_every_stable_formula(published):
    scaled, names, counts = published
    rng = np.random.default_rng(8)
    H = matrix(scaled[:, :5], 10)  # 50 columns for 94 elements: refused by a test of rank alone
    W = (counts / counts.sum(axis=1, keepdims=True))[rng.choice(35463, 300, replace=False)]
    result = invert(H, W @ H.T, names)
    assert not result.invertibility.unique
    assert result.unique.all()
    assert np.abs(result.fractions - W).sum(axis=1).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "exact", "same_elements"), [(1e-3, 0.95, 0.97), (1e-2, 0.95, 0.97)])
def test_formulas_come_back(published, noise, exact, same_elements):
    scaled, names, counts = published
    rng = np.random.default_rng(9)
    chosen = counts[rng.choice(np.flatnonzero(counts.sum(axis=1) <= 20), 500, replace=False)]
    H, W = matrix(scaled, 10), chosen / chosen.sum(axis=1, keepdims=True)
    phi = W @ H.T + noise * rng.standard_normal((500, 580))
    right = elements = 0
    for answers, row in zip(decode(H, phi, names, n_best=3), chosen, strict=True):
        truth = {names[j]: row[j] / row.sum() for j in np.flatnonzero(row)}
        elements += set(answers[0].fractions) == set(truth)
        right += answers[0].fractions == pytest.approx(truth)
    assert right / 500 >= exact
    assert elements / 500 >= same_elements
