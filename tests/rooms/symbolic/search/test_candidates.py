"""The space of candidates: counted without being enumerated, cut into tiles that hold each once."""

from itertools import combinations, permutations

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.operations import OPERATIONS, PAIR_OPERATIONS, UNARY_OPERATIONS
from sozai.symbolic.search import candidates
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import grow

UNITS = {"E": "eV", "F": "eV", "r": "Å", "s": "Å"}
WEIGHTS = {"divide": 1, "cube": 2}


def rungs(rung=1):
    X = np.random.default_rng(0).uniform(0.5, 2.0, size=(12, 4))
    return grow(X, list(UNITS), pair_operations=["sum", "ratio"], dimensions=UNITS, rung=rung)


def weight(operation):
    return sum(WEIGHTS.get(step) or OPERATIONS[step].weight for step in operation.steps)


def enumerated(base, unary, pairs, wanted=None, limit=10**6):
    """(complexity, operation, rows) of every candidate, one by one, by applying the operation."""
    store, n, new, found = base.expressions, len(base), base.rung == base.rung.max(), []

    def offer(operation, rows, node):
        cost = sum(int(base.complexity[i]) for i in rows) + (weight(operation) if operation else 0)
        if cost <= limit and (wanted is None or store.dimension_of(node) == wanted):
            found.append((cost, operation.name if operation else None, rows))

    for i in range(n):
        offer(None, (i,), int(base.ids[i]))
    for name in unary:
        operation = UNARY_OPERATIONS[name]
        for i in np.flatnonzero(new & operation.allowed(store, base.ids)):
            offer(operation, (int(i),), int(operation.apply(store, base.ids[i])))
    for name in pairs:
        operation = PAIR_OPERATIONS[name]
        for i, j in (permutations if operation.ordered else combinations)(range(n), 2):
            ids = base.ids[i], base.ids[j]
            if (new[i] or new[j]) and operation.allowed(store, *ids):
                offer(operation, (i, j), int(operation.apply(store, *ids)))
    return found


UNARY, PAIRS = (
    ["square", "exp", "sqrt", "cube"],
    ["sum", "abs_difference", "product", "ratio", "inverse_product"],
)


@pytest.mark.parametrize("limit", [None, 5, 7])
@pytest.mark.parametrize("unit", [None, "eV", ""])
def test_counts_and_tiles_are_those_of_enumeration(limit, unit, monkeypatch):
    monkeypatch.setattr(candidates, "_ROWS", 5)
    monkeypatch.setattr(candidates, "_COLUMNS", 7)
    monkeypatch.setattr(candidates, "_FUNCTIONS", 3)
    base = rungs()
    space = CandidateSpace.of(base, UNARY, PAIRS, target_dimension=unit, max_complexity=limit)
    wanted = {None: None, "eV": base.expressions.dimension_of(1), "": ()}[unit]
    expected = enumerated(base, UNARY, PAIRS, wanted, limit or 10**6)
    assert space.n_candidates == len(expected)
    levels, counts = space.complexity_counts
    costs = [cost for cost, _, _ in expected]
    assert levels.tolist() == sorted(set(costs))
    assert counts.tolist() == [costs.count(level) for level in sorted(set(costs))]
    found = [(None, (int(i),)) for i in space.base_rows]
    for tile in space.tiles:
        name = space.operations[tile[0]].name
        for i, j in zip(*space.pairs(tile), strict=True):
            found.append((name, (int(i),) if j < 0 else (int(i), int(j))))
    assert sorted(map(str, found)) == sorted(str((name, rows)) for _, name, rows in expected)


def test_large_spaces_are_counted_at_once():
    X = np.random.default_rng(0).uniform(0.5, 2.0, size=(5, 5))
    base = grow(X, pair_operations=["sum", "product", "ratio"], rung=2)
    space = CandidateSpace.of(base, ["exp"], ["product", "ratio", "sum"])
    n, old = len(base), int((base.rung < 2).sum())
    n_pairs = n * (n - 1) // 2 - old * (old - 1) // 2
    assert space.n_candidates == n + (n - old) + 4 * n_pairs > 1_000_000
    assert space.complexity_counts[1].sum() == space.n_candidates
    assert repr(space).startswith(f"CandidateSpace({space.n_candidates:,} candidates: {n:,} features; exp")


def test_expression_is_added_in_canonical_form():
    base = rungs(0)
    space = CandidateSpace.of(base, ["square"], ["product", "ratio"])
    text = base.expressions.text
    assert [operation.name for operation in space.operations] == ["square", "product", "ratio"]
    assert text(space.expression(-1, 2)) == "r"
    assert text(space.expression(0, 1)) == "F**2"
    assert text(space.expression(2, 3, 0)) == "s/E"
    assert space.expression(1, 0, 1) == space.expression(1, 1, 0)


def test_bad_input():
    base = rungs(0)
    with pytest.raises(InputError, match="pair_operations must be among sum"):
        CandidateSpace.of(base, [], ["plus"])
    with pytest.raises(InputError, match=r"hold a candidate\. Got 0 of complexity <= 0 and dimension any"):
        CandidateSpace.of(base, ["square"], max_complexity=0)
    with pytest.raises(InputError, match=r"be a unit as text.*Got 3"):
        CandidateSpace.of(base, ["square"], target_dimension=3)
    bare = grow(np.random.default_rng(0).uniform(size=(5, 2)))
    with pytest.raises(InputError, match="have dimensions when target_dimension is"):
        CandidateSpace.of(bare, ["square"], target_dimension="eV")
