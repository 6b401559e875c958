import numpy as np
import pytest
import scipy.sparse as sp

from sozai.composition import weighted_rows as module
from sozai.composition.weighted_rows import renormalize_known, reweight, weighted_rows


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_filled", [0, 1, 2, 3, 4, 5, 9])
def test_sums_of_any_number_of_components(dtype, n_filled):
    rng = np.random.default_rng(n_filled)
    W = np.zeros((6, 12))
    for row in W:
        row[rng.choice(12, n_filled, replace=False)] = rng.uniform(size=n_filled)
    rows = rng.normal(size=(12, 7)).astype(dtype)
    out = weighted_rows(sp.csr_array(W), rows, np.full((6, 9), 5.0, dtype=dtype))
    np.testing.assert_allclose(out[:, :7], W @ rows, atol=1e-14 if dtype is np.float64 else 3e-6)
    np.testing.assert_array_equal(out[:, 7:], 5.0)


def test_bits_depend_neither_on_threads_nor_on_blocks(monkeypatch):
    monkeypatch.setattr(module, "_FEWEST_ROWS", 10)
    W = sp.random_array((101, 20), density=0.2, format="csr", rng=np.random.default_rng(0))
    rows = np.random.default_rng(1).normal(size=(20, 33))
    whole = weighted_rows(W, rows, np.empty((101, 33)))
    for n_jobs in (2, 4):
        np.testing.assert_array_equal(weighted_rows(W, rows, np.empty((101, 33)), n_jobs=n_jobs), whole)
    parts = [
        weighted_rows(W[k : k + 7], rows, np.empty((len(range(101)[k : k + 7]), 33)))
        for k in range(0, 101, 7)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_weights_by_another_measure():
    W = sp.csr_array(np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    by_mass = reweight(W, np.array([3.0, 1.0, 7.0])).toarray()
    np.testing.assert_allclose(by_mass, [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 1]])


def test_unknown_parts_are_left_out():
    W = sp.csr_array(np.array([[0.2, 0.8], [0.0, 1.0], [0.0, 0.0]]))
    known = np.array([[True, True], [False, True]])
    full = np.array([[1.0, 10.0], [2.0, 20.0]])
    out = weighted_rows(W, np.array([[1.0, 10.0], [0.0, 20.0]]), np.empty((3, 2)))
    rests = renormalize_known(out, W, known, [slice(0, 1), slice(1, 2)], full, ["a", "b"])
    assert rests == {"a": 1}
    np.testing.assert_allclose(out, [[1.0, 18.0], [2.0, 20.0], [0.0, 0.0]])
