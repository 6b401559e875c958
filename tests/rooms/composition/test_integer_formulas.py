"""Integer formulas against enumeration of all whole numbers."""

import itertools
from math import gcd

import numpy as np
import pytest

from sozai.composition.integer_formulas import search_integers


def run(D, w, max_atoms, price=0.0, prices=None, n_best=5, states=None, valence=0):
    k = len(w)
    scores, sources = np.full(n_best, np.inf), np.zeros(n_best, dtype=np.int64)
    numbers = np.zeros((n_best, k), dtype=np.int64)
    table = np.zeros((k, 1), dtype=np.int64) if states is None else np.array(states)
    n = search_integers(
        D, np.arange(k)[None], np.array([k]), np.array([w]), np.array([w @ D @ w]),
        np.zeros(k + 1) if prices is None else prices, max_atoms, price, table,
        np.full(k, table.shape[1]), valence, np.full(k, -1), scores, sources, numbers,
    )  # fmt: skip
    return numbers[:n], scores[:n]


def metric(seed, w):
    """Squared distance wᵀDw with its minimum on the simplex at w."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(len(w), 8))
    shifted = points - w @ points
    return shifted @ shifted.T


@pytest.mark.parametrize("seed", range(6))
def test_best_formula_of_all_whole_numbers(seed):
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.full(3, 3.0))
    D, eta = metric(seed, w), 1e-3
    everything = [
        (np.array(n) @ D @ np.array(n) / sum(n) ** 2 + eta * np.log(sum(n)), n)
        for n in itertools.product(range(1, 19), repeat=3)
        if sum(n) <= 20 and gcd(*n) == 1
    ]
    expected = min(everything)
    numbers, scores = run(D, w, 20, eta)
    assert tuple(numbers[0]) == expected[1]
    assert scores[0] == pytest.approx(expected[0], rel=1e-9)
    assert (np.diff(scores) >= 0).all()
    known = {n: score for score, n in everything}
    for row, score in zip(numbers, scores, strict=True):
        assert known[tuple(row.tolist())] == pytest.approx(score, rel=1e-9)


@pytest.mark.parametrize("exact", [(2, 3), (1, 1, 4), (3, 5, 12, 20), (13, 17, 10)])
def test_rational_fractions_give_the_exact_formula(exact):
    w = np.array(exact) / sum(exact)
    numbers, scores = run(metric(1, w), w, 40)
    assert tuple(numbers[0]) == exact
    assert scores[0] < 1e-12


def test_multiples_are_left_out_and_formulas_differ():
    numbers, _ = run(metric(2, np.array([0.5, 0.5])), np.array([0.5, 0.5]), 40, n_best=30)
    assert all(gcd(*row) == 1 for row in numbers.tolist())
    assert len({tuple(row) for row in numbers.tolist()}) == 30


def test_only_neutral_formulas_when_asked():
    w = np.array([0.42, 0.58])
    numbers, _ = run(metric(3, w), w, 12, states=[[2, 3], [-2, -2]], valence=1)
    assert sorted(tuple(row) for row in numbers.tolist()) == [(1, 1), (2, 3)]


def test_price_of_components_passes_supports_over():
    D = metric(4, np.array([0.3, 0.7]))
    _, scores = run(D, np.array([0.3, 0.7]), 10, prices=np.array([0.0, 1.0, 2.0]))
    assert scores[0] == pytest.approx(2.0, abs=1e-12)


def test_one_component_is_one_atom():
    numbers, _ = run(np.array([[0.5]]), np.array([1.0]), 40)
    assert numbers.tolist() == [[1]]
