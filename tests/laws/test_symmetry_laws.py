"""Laws of symmetry: projections, orbit counts, invariance, the augmentation law."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic.generation import generate
from sozai.symbolic.operations import Expressions
from sozai.symbolic.symmetry import SymmetryGroup, augment, count_orbits

GROUPS = {
    "exchange": SymmetryGroup.from_generators("abcde", [(1, 0, 3, 2, 4)]),
    "sign": SymmetryGroup.from_generators("abcde", [(1, 0, 3, 2, 4)], [-1]),
    "cycle": SymmetryGroup.from_generators("abcde", [(1, 2, 3, 0, 4)]),
    "all": SymmetryGroup.from_generators("abcde", [(1, 0, 2, 3, 4), (1, 2, 3, 0, 4)]),
    "alternating": SymmetryGroup.from_generators("abcde", [(1, 0, 2, 3, 4), (0, 2, 1, 3, 4)], [-1, -1]),
}
every_group = pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS.keys())


def brute_orbits(group, order):
    """Orbits of multisets by enumeration, those whose signed sum vanishes left out."""
    seen, count = set(), 0
    for members in itertools.combinations_with_replacement(range(len(group.names)), order):
        images = [tuple(sorted(p[list(members)])) for p in group.permutations]
        if members in seen:
            continue
        seen.update(images)
        total = sum(sign for image, sign in zip(images, group.characters, strict=True) if image == members)
        count += total != 0
    return count


@every_group
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_molien_counts_the_orbits(group, order):
    assert group.count_orbits(order) == brute_orbits(group, order)


@settings(max_examples=40, deadline=None)
@given(f=st.integers(0, 4), s=st.integers(0, 4), k=st.integers(1, 5))
def test_burnside_for_one_exchange(f, s, k):
    """Closed form for f fixed columns and s swapped pairs."""

    def multisets(n, r):
        return int(r == 0) if n == 0 else math.comb(n + r - 1, r)

    n = f + 2 * s
    permutation = [*range(f), *(f + (j ^ 1) for j in range(2 * s))]
    fixed = sum(multisets(s, j) * multisets(f, k - 2 * j) for j in range(k // 2 + 1))
    group = np.array([list(range(n)), permutation], dtype=int).reshape(2, n)
    assert count_orbits(group, k) == (multisets(n, k) + fixed) // 2


@every_group
@pytest.mark.parametrize("order", [1, 2, 3])
def test_generation_makes_one_descriptor_per_orbit(group, order):
    X = np.random.default_rng(0).normal(size=(20, 5))
    made = generate(X, group.names, order=order, cumulative=False, symmetry=group)
    assert len(made) - 1 == group.count_orbits(order)
    for g in range(len(group)):
        image = made.expressions.evaluate(made.ids[1:], group.permute(X, g))
        np.testing.assert_allclose(image, group.characters[g] * made.values[:, 1:], rtol=1e-9, atol=1e-12)


@every_group
def test_orbit_sums_span_all_invariants(group):
    X = np.random.default_rng(1).normal(size=(60, 5))
    made = generate(X, group.names, order=2, cumulative=False, symmetry=group)
    plain = generate(X, group.names, order=2, cumulative=False)
    projected = sum(
        sign * plain.expressions.evaluate(plain.ids[1:], group.permute(X, g))
        for g, sign in enumerate(group.characters)
    ) / len(group)
    assert np.linalg.matrix_rank(np.hstack([made.values[:, 1:], projected]), tol=1e-9) == len(made) - 1
    assert np.linalg.matrix_rank(projected, tol=1e-9) == len(made) - 1


@every_group
def test_projection_identities(group):
    """P P = P, S S = |G| S, g S = chi(g) S, on values."""
    store = Expressions(group.names)
    ids = np.array(
        [1, store.add("multiply", 1, 3), store.add("abs", store.add("subtract", 1, 2)), store.add("exp", 5)]
    )
    X = np.random.default_rng(2).normal(size=(6, 5))
    average, total = group.symmetrize(store, ids, average=True), group.symmetrize(store, ids)
    value = store.evaluate(average, X)
    np.testing.assert_allclose(
        store.evaluate(group.symmetrize(store, average, average=True), X), value, atol=1e-14
    )
    np.testing.assert_allclose(
        store.evaluate(group.symmetrize(store, total), X), len(group) * store.evaluate(total, X), atol=1e-12
    )
    for g in range(len(group)):
        moved = store.evaluate(group.apply(store, total, g), X)
        np.testing.assert_allclose(moved, group.characters[g] * store.evaluate(total, X), atol=1e-13)


@every_group
def test_group_is_closed(group):
    elements = {tuple(p) for p in group.permutations.tolist()}
    assert group.permutations[0].tolist() == list(range(5))
    assert all(tuple(p[q]) in elements for p in group.permutations for q in group.permutations)
    assert all(tuple(np.argsort(p).tolist()) in elements for p in group.permutations)


@pytest.mark.parametrize("group", [GROUPS["exchange"], GROUPS["cycle"]], ids=["exchange", "cycle"])
def test_augmentation_law(group):
    """Weighted least squares on the images is least squares on the projected span."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 5))
    X[0, :4] = X[0, 0]
    y = rng.normal(size=40)
    plain = generate(X, group.names, order=2)
    symmetric = generate(X, group.names, order=2, symmetry=group)
    more = augment(X, y, group)
    assert len(more.y) == 39 * len(group) + 1
    design = plain.expressions.evaluate(plain.ids, more.X)
    root = np.sqrt(more.weight)
    beta = np.linalg.lstsq(design * root[:, None], more.y * root, rcond=None)[0]
    projected = symmetric.values @ np.linalg.lstsq(symmetric.values, y, rcond=None)[0]
    np.testing.assert_allclose(plain.values @ beta, projected, atol=1e-9)
