"""Supports against enumeration with dense algebra."""

import itertools

import numpy as np
import pytest

from sozai.composition.decoding_supports import find_supports, solve_two_sums

NONE = np.array([], dtype=np.int64)


def all_supports(H, phi, allowed, k_max, include=()):
    """{members: (square, weights)} of all sets whose equality-constrained optimum is positive."""
    found = {}
    for k in range(1, k_max + 1):
        for held in itertools.combinations(sorted(allowed), k):
            if not set(include) <= set(held):
                continue
            P = H[:, held]
            system = np.block([[P.T @ P, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
            w = np.linalg.solve(system, np.append(P.T @ phi, 1.0))[:k]
            if w.min() > 0:
                found[held] = (np.sum((phi - P @ w) ** 2), w)
    return found


def case(seed, m=9, p=20):
    rng = np.random.default_rng(seed)
    H = rng.normal(size=(p, m))
    phi = H @ rng.dirichlet(np.full(m, 0.3)) + 0.1 * rng.normal(size=p)
    shifted = H.T - phi
    return H, phi, shifted @ shifted.T


@pytest.mark.parametrize("include", [(), (4,), (2, 7)])
def test_pool_of_all_components_is_plain_enumeration(include):
    H, phi, D = case(0)
    found = find_supports(D, np.arange(9), np.array(include, dtype=np.int64), 4)
    expected = all_supports(H, phi, range(9), 4, include)
    got = {tuple(members[:k].tolist()) for members, k in zip(found.members, found.sizes, strict=True)}
    assert got == set(expected)
    assert (np.diff(found.squares) >= 0).all()
    for members, k, w, square in zip(found.members, found.sizes, found.weights, found.squares, strict=True):
        reference, weights = expected[tuple(members[:k].tolist())]
        assert square == pytest.approx(reference, rel=1e-8)
        np.testing.assert_allclose(w[:k], weights, rtol=1e-6)


def test_exchanges_try_every_other_component_in_the_three_nearest_sets():
    H, phi, D = case(3, m=30)
    order = np.random.default_rng(0).permutation(30)
    pool, others = order[:8], order[8:]
    inside = all_supports(H, phi, pool.tolist(), 3)
    parents = sorted(inside, key=lambda held: inside[held][0])[:3]
    squares = [inside[held][0] for held in parents]
    for held, other in itertools.product(parents, others.tolist()):
        for kept in [held, *itertools.combinations(held, len(held) - 1)]:
            full = tuple(sorted((*kept, other)))
            if len(full) <= 3:
                squares += [square for square, _ in all_supports(H, phi, full, 3, full).values()]
    found = find_supports(D, order, NONE, 3, pool=8)
    assert found.squares[0] == pytest.approx(min(squares), rel=1e-9)
    assert found.pool.tolist() == pool.tolist()
    assert len({tuple(row.tolist()) for row in found.members}) == len(found.members)
    assert not np.isin(found.members[0], pool).all()


def test_sets_larger_than_the_pool():
    rng = np.random.default_rng(5)
    H = rng.normal(size=(40, 20))
    phi = H[:, :15].mean(axis=1)
    shifted = H.T - phi
    found = find_supports(shifted @ shifted.T, np.arange(20), NONE, 15)
    assert found.sizes[0] == 15
    np.testing.assert_allclose(found.weights[0], 1 / 15, atol=1e-8)


def test_two_sums_equal_dense_algebra():
    _, _, D = case(7, m=3)
    q = np.array([[2.0, 3.0, -2.0], [1.0, 1.0, 1.0]])
    weights, squares = solve_two_sums(D, q)
    system = np.zeros((5, 5))
    system[:3, :3] = D
    system[3, :3] = system[:3, 3] = 1
    system[4, :3] = system[:3, 4] = q[0]
    w = np.linalg.solve(system, [0, 0, 0, 1, 0])[:3]
    np.testing.assert_allclose(weights[0], w, rtol=1e-7)
    assert squares[0] == pytest.approx(w @ D @ w, rel=1e-7)
    assert np.isnan(weights[1]).all()  # equal charges cannot cancel
