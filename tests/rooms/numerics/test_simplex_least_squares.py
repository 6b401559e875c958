"""Least squares on the simplex against enumeration of supports, dense algebra and SciPy's NNLS."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from sozai.contracts.errors import InputError
from sozai.numerics.simplex_least_squares import SimplexSystem, solve_simplex_least_squares


def best_by_enumeration(A, b):
    """Smallest objective over all supports, each solved by its dense optimality system."""
    m, best = A.shape[1], (np.inf, None)
    for k in range(1, m + 1):
        for support in itertools.combinations(range(m), k):
            P = A[:, support]
            system = np.block([[P.T @ P, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
            w = np.linalg.lstsq(system, np.append(P.T @ b, 1.0), rcond=None)[0][:k]
            if w.min() < -1e-10 or abs(w.sum() - 1) > 1e-9:
                continue
            value = 0.5 * np.sum((b - P @ w) ** 2)
            if value < best[0]:
                full = np.zeros(m)
                full[list(support)] = w
                best = (value, full)
    return best


def dense_optimum(A, b):
    """NNLS with a heavy sum row finds the support; a dense solve on it gives the weights."""
    heavy = 1e5 * np.linalg.norm(A)
    w = nnls(np.vstack([A, np.full(A.shape[1], heavy)]), np.append(b, heavy))[0]
    P = A[:, w > 1e-9]
    k = P.shape[1]
    system = np.block([[P.T @ P, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    out = np.zeros(A.shape[1])
    out[w > 1e-9] = np.linalg.solve(system, np.append(P.T @ b, 1.0))[:k]
    return out


def kkt_violation(A, b, w):
    """Largest violation of the optimality conditions, by the dense gradient."""
    gradient = A.T @ (A @ w - b)
    slack = gradient - w @ gradient
    steepest = np.linalg.norm(A, axis=0).max() * (np.linalg.norm(A, axis=0).max() + np.linalg.norm(b))
    return max(-slack.min(), np.abs(slack * w).max()) / steepest


@pytest.mark.parametrize(("p", "m"), [(8, 5), (5, 5), (3, 6), (1, 4), (2, 1)])
def test_equals_enumeration_of_all_supports(p, m):
    rng = np.random.default_rng(p * 10 + m)
    A = rng.normal(size=(p, m))
    B = np.vstack([2 * rng.normal(size=(12, p)), rng.dirichlet(np.ones(m), 4) @ A.T])
    solution = solve_simplex_least_squares(A, B)
    for b, w, value in zip(B, solution.weights, solution.objective, strict=True):
        expected, weights = best_by_enumeration(A, b)
        assert value == pytest.approx(expected, rel=1e-10, abs=1e-14)
        if m <= p:
            np.testing.assert_allclose(w, weights, atol=1e-9)
    assert solution.weights.min() >= 0
    np.testing.assert_allclose(solution.weights.sum(axis=1), 1.0, atol=1e-14)
    assert solution.kkt_residual.max() < 1e-13


def test_equals_dense_solver_on_ninety_columns():
    rng = np.random.default_rng(5)
    A = np.exp(-((rng.uniform(size=(1, 90)) - np.linspace(0, 1, 40)[:, None]) ** 2) * 60)
    A = np.vstack([A, np.exp(-(rng.uniform(size=(120, 90)) ** 2))])
    W = rng.dirichlet(np.full(90, 0.03), 40)
    B = W @ A.T + 1e-2 * rng.normal(size=(40, len(A)))
    solution = solve_simplex_least_squares(A, B)
    for b, w in zip(B, solution.weights, strict=True):
        assert kkt_violation(A, b, w) < 1e-12
        np.testing.assert_allclose(w, dense_optimum(A, b), atol=1e-8)
    assert (solution.n_iter > 0).all()


def test_reports_multipliers_and_objective_of_the_dense_formulas():
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(7, 4)), rng.normal(size=(9, 7))
    solution = solve_simplex_least_squares(A, B)
    for b, w, d, value in zip(B, solution.weights, solution.multipliers, solution.objective, strict=True):
        gradient = A.T @ (A @ w - b)
        np.testing.assert_allclose(d, gradient - w @ gradient, atol=1e-12)
        assert value == pytest.approx(0.5 * np.sum((b - A @ w) ** 2))


def test_feasible_rows_need_no_exchange():
    rng = np.random.default_rng(2)
    A, W = rng.normal(size=(30, 10)), rng.dirichlet(np.ones(10), 300)
    W[:, :4] = 0
    W /= W.sum(axis=1, keepdims=True)
    solution = solve_simplex_least_squares(A, W @ A.T)
    assert (solution.n_iter == 0).all()
    assert np.abs(solution.weights - W).sum(axis=1).max() < 1e-13
    assert (solution.weights >= 0).all()


def test_a_row_has_the_same_bits_in_any_company_and_for_any_number_of_workers():
    rng = np.random.default_rng(3)
    system = SimplexSystem.from_matrix(rng.normal(size=(50, 20)))
    B = rng.normal(size=(8192 + 300, 50))
    whole, two = system.solve(B), system.solve(B, n_jobs=2)
    part = system.solve(B[8190:8200])
    for name in ("weights", "multipliers", "objective", "kkt_residual", "n_iter"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(two, name))
        np.testing.assert_array_equal(getattr(whole, name)[8190:8200], getattr(part, name))


def test_metric_is_the_same_as_scaled_rows():
    rng = np.random.default_rng(4)
    A, B = rng.normal(size=(9, 5)), rng.normal(size=(6, 9))
    errors = rng.uniform(0.1, 2, 9)
    by_errors = solve_simplex_least_squares(A, B, metric=errors)
    scaled = solve_simplex_least_squares(A / errors[:, None], B / errors)
    np.testing.assert_allclose(by_errors.weights, scaled.weights, atol=1e-12)
    np.testing.assert_allclose(by_errors.objective, scaled.objective, rtol=1e-12)
    diagonal = solve_simplex_least_squares(A, B, metric=np.diag(errors**2))
    np.testing.assert_allclose(diagonal.weights, scaled.weights, atol=1e-12)


def test_covariance_metric_minimizes_the_mahalanobis_distance():
    rng = np.random.default_rng(6)
    A, b, root = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(6, 6))
    covariance = root @ root.T + 0.1 * np.eye(6)
    found = solve_simplex_least_squares(A, b[None], metric=covariance).weights[0]
    inverse = np.linalg.inv(covariance)

    def distance(w):
        return (b - A @ w) @ inverse @ (b - A @ w)

    assert all(distance(found) <= distance(w) + 1e-12 for w in rng.dirichlet(np.ones(3), 3000))


def test_variances_equal_the_dense_formula():
    rng = np.random.default_rng(7)
    A = rng.normal(size=(12, 6))
    W = rng.dirichlet(np.ones(6), 5)
    W[:, [1, 4]] = 0
    W /= W.sum(axis=1, keepdims=True)
    P = A[:, [0, 2, 3, 5]]
    Z = np.linalg.svd(np.ones((1, 4)))[2][1:].T  # directions that keep the sum
    expected = np.diag(Z @ np.linalg.inv(Z.T @ P.T @ P @ Z) @ Z.T)
    found = SimplexSystem.from_matrix(A).variances(W)
    np.testing.assert_allclose(found[:, [0, 2, 3, 5]], np.tile(expected, (5, 1)), rtol=1e-10)
    assert (found[:, [1, 4]] == 0).all()


def test_any_rank_and_repeated_columns():
    rng = np.random.default_rng(8)
    base = rng.normal(size=(10, 3))
    A = np.column_stack([base, base[:, 0], base @ [0.2, 0.3, 0.5], np.zeros(10)])
    B = rng.normal(size=(20, 10))
    system = SimplexSystem.from_matrix(A)
    assert system.rank == 3
    assert system.condition_number == np.inf
    assert not system.unique
    solution = system.solve(B)
    for b, value in zip(B, solution.objective, strict=True):
        assert value == pytest.approx(best_by_enumeration(A, b)[0], rel=1e-9)


def test_the_sum_counts_as_one_more_equation():
    assert SimplexSystem.from_matrix([[0.0, 1.0]]).unique
    assert not SimplexSystem.from_matrix([[0.0, 1.0, 2.0]]).unique
    assert not SimplexSystem.from_matrix([[1.0, 1.0]]).unique


def test_edge_sizes():
    empty = solve_simplex_least_squares(np.eye(3), np.empty((0, 3)))
    assert empty.weights.shape == (0, 3)
    assert repr(empty) == "SimplexSolution(0 rows, 3 columns, at most 0 positive, KKT residual 0.0e+00)"
    one = solve_simplex_least_squares([[2.0], [1.0]], [[5.0, 5.0]])
    assert one.weights.tolist() == [[1.0]]
    assert repr(SimplexSystem.from_matrix(np.eye(2))) == "SimplexSystem(2 x 2, rank 2, condition number 1)"
    flat = solve_simplex_least_squares(np.zeros((2, 3)), [[1.0, 1.0]])
    assert flat.weights.sum() == 1.0


@given(seed=st.integers(0, 10**6), shift=st.floats(-5, 5), scale=st.floats(0.01, 100))
def test_moving_and_scaling_both_sides_changes_nothing(seed, shift, scale):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(6, 4)), rng.normal(size=(3, 6))
    first = solve_simplex_least_squares(A, B).weights
    second = solve_simplex_least_squares(scale * (A + shift), scale * (B + shift)).weights
    np.testing.assert_allclose(first, second, atol=1e-8)


@given(seed=st.integers(0, 10**6))
def test_order_of_columns_only_orders_weights(seed):
    rng = np.random.default_rng(seed)
    A, B, order = rng.normal(size=(6, 5)), rng.normal(size=(3, 6)), rng.permutation(5)
    first = solve_simplex_least_squares(A, B).weights
    np.testing.assert_allclose(
        solve_simplex_least_squares(A[:, order], B).weights, first[:, order], atol=1e-10
    )


def test_errors_state_their_numbers():
    with pytest.raises(InputError, match=r"targets must have 3 columns.*Got 2"):
        solve_simplex_least_squares(np.eye(3), [[1.0, 2.0]])
    with pytest.raises(InputError, match=r"contains NaN \(1 non-finite of 6 values\), first at row 1"):
        solve_simplex_least_squares(np.eye(3), [[1.0, 2.0, 3.0], [np.nan, 1.0, 1.0]])
    with pytest.raises(InputError, match=r"metric must have shape \(3,\) or \(3, 3\). Got \(2,\)"):
        solve_simplex_least_squares(np.eye(3), [[1.0, 2.0, 3.0]], metric=[1.0, 1.0])
    with pytest.raises(InputError, match=r"positive standard errors. Got 0.0 at column 1"):
        solve_simplex_least_squares(np.eye(3), [[1.0, 2.0, 3.0]], metric=[1.0, 0.0, 1.0])
    with pytest.raises(InputError, match=r"positive definite covariance. Got 'smallest eigenvalue -1'"):
        solve_simplex_least_squares(np.eye(3), [[1.0, 2.0, 3.0]], metric=np.diag([1.0, -1.0, 1.0]))
