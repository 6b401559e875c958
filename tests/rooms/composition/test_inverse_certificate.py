"""Certificates of uniqueness against linear programs."""

import numpy as np
from scipy.optimize import linprog

from sozai.composition.inverse_certificate import certify
from sozai.numerics.simplex_least_squares import SimplexSystem


def other_optimum_exists(H, w):
    """Whether some w' != w has H w' = H w, by the widest change of each weight (residual zero)."""
    m = H.shape[1]
    A, b = np.vstack([H, np.ones(m)]), np.append(H @ w, 1.0)
    widest = 0.0
    for j in range(m):
        for sign in (1, -1):
            cost = np.zeros(m)
            cost[j] = sign
            widest = max(widest, abs(linprog(cost, A_eq=A, b_eq=b, bounds=(0, None)).x[j] - w[j]))
    return widest > 1e-6


def test_agrees_with_linear_programs():
    rng = np.random.default_rng(0)
    seen = set()
    for trial in range(60):
        H = rng.normal(size=(3, 7))
        k = 1 + trial % 4
        w = np.zeros(7)
        w[rng.choice(7, k, replace=False)] = rng.dirichlet(np.ones(k))
        system = SimplexSystem.from_matrix(H)
        _, unique, words = certify(system, system.solve((H @ w)[None]), tuple("abcdefg"))
        assert bool(unique[0]) != other_optimum_exists(H, w)
        assert (words[0] is None) == unique[0]
        seen.add(bool(unique[0]))
    assert seen == {True, False}


def test_rows_off_the_reachable_set_are_unique_when_only_one_optimum_touches_them():
    H = np.array([[0.0, 1.0, 2.0, 3.0]])  # four points on a line
    system = SimplexSystem.from_matrix(H)
    _, unique, _ = certify(system, system.solve([[5.0], [-1.0], [1.5]]), tuple("abcd"))
    assert unique.tolist() == [True, True, False]


def test_many_chunks_give_the_same():
    H = np.random.default_rng(1).normal(size=(3, 6))
    rows = np.random.default_rng(2).dirichlet(np.ones(6), 600) @ H.T
    system = SimplexSystem.from_matrix(H)
    solution = system.solve(rows)
    one, two = (certify(system, solution, tuple("abcdef"), n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one[0], two[0])
    assert one[2] == two[2]
