import numpy as np
import pandas as pd
import pytest

from sozai.composition import mean_discrepancy
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.mean_discrepancy import discrepancies, grouped_factors, isometric_factor, nearest_rows
from sozai.contracts.errors import InputError

FRAME = pd.DataFrame(
    np.random.default_rng(3).normal(size=(5, 4)), index=["Na", "K", "O", "Cl", "Br"], columns=list("abcd")
)
SALTS = ["NaCl", "KCl", "NaBr", "KBr", "Na2O", "K2O"]


def test_factor_of_a_singular_matrix():
    A = np.random.default_rng(0).normal(size=(6, 3))
    L = isometric_factor(A @ A.T)
    assert L.shape == (6, 3)
    np.testing.assert_allclose(L @ L.T, A @ A.T, atol=1e-13)
    assert (np.diff((L**2).sum(axis=0)) <= 0).all()
    assert (L[np.abs(L).argmax(axis=0), range(3)] > 0).all()


def test_what_no_kernel_gives():
    with pytest.raises(InputError, match=r"least eigenvalue -1, largest 3"):
        isometric_factor(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_parts_add_up():
    rng = np.random.default_rng(0)
    grams = [(name, a @ a.T) for name in "ab" for a in [rng.normal(size=(4, 2))]]
    factors = grouped_factors(grams, 0.5, 1e-10)
    total = sum(L @ L.T for _, L in factors)
    np.testing.assert_allclose(total, 0.5 * (grams[0][1] + grams[1][1]), atol=1e-13)


def test_nearest_rows_are_exact_and_ties_go_to_the_earlier_row(monkeypatch):
    rng = np.random.default_rng(0)
    database = np.concatenate([rng.normal(size=(50, 4)), np.zeros((20, 4))])
    queries = np.concatenate([rng.normal(size=(7, 4)), np.zeros((1, 4))])
    expected = np.sqrt(((queries[:, None] - database[None]) ** 2).sum(axis=2))
    for scores in (4_000_000, 100):
        monkeypatch.setattr(mean_discrepancy, "_SCORES", scores)
        rows, distances = nearest_rows(queries, database, 6)
        np.testing.assert_array_equal(rows, np.argsort(expected, axis=1, kind="stable")[:, :6])
        np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :6], atol=1e-14)
    assert rows[-1].tolist() == [50, 51, 52, 53, 54, 55]
    with pytest.raises(InputError, match=r"number of rows \(70\)\. Got 71"):
        nearest_rows(queries, database, 71)


def test_distances_of_all_pairs():
    A = np.random.default_rng(0).normal(size=(5, 3))
    expected = np.sqrt(((A[:, None] - A[None]) ** 2).sum(axis=2))
    np.testing.assert_allclose(discrepancies(A), expected, atol=1e-14)
    np.testing.assert_allclose(discrepancies(A, A[:2]), expected[:, :2], atol=1e-14)


def test_similar_formulas():
    descriptor = KernelMeanDescriptor(FRAME, on_error="nan").fit()
    hits = descriptor.similar_formulas("NaCl", ["KBr", "xx", "Na3Cl3", "KCl"], k=2)
    expected = descriptor.mmd_distance(["NaCl"], ["KBr", "KCl"])[0]
    assert hits.formulas[0, 0] == "Na3Cl3"
    assert hits.rows[0, 0] == 2
    assert hits.distances[0] == pytest.approx([0.0, expected.min()], abs=1e-12)
    assert len(hits.to_frame()) == 2
    assert repr(hits) == "SimilarFormulas(1 query, 2 hits each)"
    by_fractions = descriptor.similar_formulas(np.array([[0.5, 0, 0, 0.5, 0]]), SALTS, k=1)
    assert by_fractions.to_frame().loc[0, ["query", "formula"]].to_list() == ["NaCl", "NaCl"]


def test_rows_that_cannot_be_read_have_no_distance():
    descriptor = KernelMeanDescriptor(FRAME, on_error="nan").fit()
    distances = descriptor.mmd_distance(["NaCl", "xx", "KCl"])
    assert np.isnan(distances).sum() == 5
    assert distances[0, 2] == descriptor.mmd_distance(["NaCl", "KCl"])[0, 1]


def test_one_block_for_each_feature_or_group():
    descriptor = KernelMeanDescriptor(FRAME).fit()
    blocks = descriptor.isometric_blocks()
    assert [name for name, _ in blocks] == list("abcd")
    np.testing.assert_allclose(sum(L @ L.T for _, L in blocks), descriptor.gram_, atol=1e-9)
    groups = descriptor.isometric_blocks({"first": ["a", "b"], "last": ["d"]})
    np.testing.assert_allclose(groups[0][1] @ groups[0][1].T, sum(L @ L.T for _, L in blocks[:2]), atol=1e-9)
    with pytest.raises(
        InputError, match=r"parts of the descriptor \(a, b, c, d, \.\.\.\)\. Got 'e' in group 'x'"
    ):
        descriptor.isometric_blocks({"x": ["e"]})
