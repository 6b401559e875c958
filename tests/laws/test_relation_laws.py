"""Laws of linear relations: counts, spans, preferences, and what must not matter."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from sozai.symbolic.independence import IndependentDescriptors, find_relations

METHODS = ["qr", "rref", "exact"]


def planted(seed):
    """Table of small integers with known rank, and that rank."""
    rng = np.random.default_rng(seed)
    m, r, extra = int(rng.integers(6, 12)), int(rng.integers(1, 5)), int(rng.integers(0, 6))
    while True:
        base = rng.integers(-4, 5, size=(m, r)).astype(float)
        if np.linalg.matrix_rank(base) == r and np.linalg.cond(base) < 100:
            break
    columns = np.hstack([base, base @ rng.integers(-2, 3, size=(r, extra))])
    return columns[:, rng.permutation(columns.shape[1])], r


def shape_of(method):
    """Options under which the published elimination is a rank decision like the others."""
    return {"method": method, **({"tolerance": 1e-9, "pivot_tolerance": 1e-9} if method == "rref" else {})}


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6))
def test_number_of_relations_is_columns_minus_rank(method, seed):
    X, rank = planted(seed)
    table = find_relations(X, **shape_of(method))
    assert table.rank == rank
    assert table.n_relations == len(table.relations) == X.shape[1] - rank


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6))
def test_every_relation_is_fulfilled_and_the_span_is_kept(method, seed):
    X, _ = planted(seed)
    table = find_relations(X, **shape_of(method))
    assert np.abs(X[:, table.basis] @ table.coefficients - X[:, table.dependents]).max(initial=0) < 1e-9
    for relation in table.relations:
        right = sum(
            b * X[:, table.column(name)]
            for name, b in zip(relation.basis, relation.coefficients, strict=True)
        )
        assert np.abs(X[:, table.column(relation.dependent)] - right).max() < 1e-9


@given(seed=st.integers(0, 10**6))
def test_rows_order_and_column_scales_do_not_matter(seed):
    X, _ = planted(seed)
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-8, 9, size=X.shape[1])
    table = find_relations(X, prefer="input")
    other = find_relations((X * scale)[rng.permutation(X.shape[0])], prefer="input")
    assert other.basis.tolist() == table.basis.tolist()
    expected = table.coefficients * scale[table.dependents] / scale[table.basis][:, None]
    assert np.allclose(other.coefficients, expected, rtol=1e-6, atol=1e-300)


@given(seed=st.integers(0, 10**6))
def test_greedy_choice_has_the_largest_total_preference(seed):
    X, rank = planted(seed)
    weights = np.random.default_rng(seed).permutation(X.shape[1]).astype(float)
    basis = find_relations(X, prefer=weights).basis
    chosen = find_relations(X).space.choose(
        dict(zip([f"x{k}" for k in range(X.shape[1])], weights, strict=True))
    )
    best = max(
        sum(weights[list(c)])
        for c in combinations(range(X.shape[1]), rank)
        if np.linalg.matrix_rank(X[:, c], tol=1e-8) == rank
    )
    assert sum(weights[basis]) == sum(weights[int(name[1:])] for name in chosen) == best


@given(seed=st.integers(0, 10**6))
def test_every_allowed_exchange_keeps_span_and_predictions(seed):
    X, rank = planted(seed)
    target = np.random.default_rng(seed).normal(size=X.shape[0])
    table = find_relations(X)
    space = table.space

    def fitted(names):
        columns = X[:, [table.column(name) for name in names]]
        return columns @ np.linalg.lstsq(columns, target, rcond=None)[0]

    expected = fitted(space.basis_names)
    for out in space.basis_names:
        for into in space.alternatives(out)["name"]:
            exchanged = space.exchange(out, into)
            assert len(exchanged.basis) == rank
            assert np.abs(fitted(exchanged.basis_names) - expected).max() < 1e-9


@given(seed=st.integers(0, 10**6))
def test_components_partition_the_columns(seed):
    X, rank = planted(seed)
    table = find_relations(X)
    names = [name for part in table.components for name in part.members]
    nonzero = {table.names[k] for k in range(X.shape[1]) if np.any(X[:, k])}
    assert len(names) == len(set(names))
    assert nonzero <= set(names)
    assert sum(part.dimension for part in table.components) == rank


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_same_input_same_bits(seed):
    X, _ = planted(seed)
    first, second = find_relations(X), find_relations(X.copy())
    assert first.coefficients.tobytes() == second.coefficients.tobytes()
    assert first.residuals.tobytes() == second.residuals.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_input_is_left_alone(method):
    X, _ = planted(5)
    before = X.copy()
    find_relations(X, method=method).to_frame()
    assert np.array_equal(X, before)


@pytest.mark.parametrize(
    "estimator",
    [
        IndependentDescriptors(),
        IndependentDescriptors(method="rref"),
        IndependentDescriptors(with_constant=True),
    ],
    ids=repr,
)
def test_transformer_keeps_the_contract_of_scikit_learn(estimator):
    check_estimator(estimator, on_skip=None)
