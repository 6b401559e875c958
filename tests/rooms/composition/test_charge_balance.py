"""Neutral choices of oxidation states against plain enumeration."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.composition.charge_balance import (
    MIXED,
    SINGLE,
    assign_states,
    can_be_neutral,
    nearest_charge,
    preferred_states,
    state_table,
)
from sozai.contracts.errors import InputError

states_of_one = st.lists(st.integers(-4, 6), min_size=0, max_size=4, unique=True)
formulas = st.lists(st.tuples(st.integers(1, 6), states_of_one), min_size=1, max_size=4)


def all_charges(formula, mixed):
    """Total charges by enumerating the states of every atom (at most one element split in two states)."""
    options = []
    for count, states in formula:
        pure = [(count * q, 0) for q in states]
        split = [
            (part * p + (count - part) * q, 1)
            for p, q in itertools.combinations(states, 2)
            for part in range(1, count)
        ]
        options.append(pure + split if mixed else pure)
    choices = [choice for choice in itertools.product(*options) if sum(s for _, s in choice) <= 1]
    return {sum(q for q, _ in choice) for choice in choices}


@pytest.mark.parametrize("mixed", [False, True])
@given(formula=formulas)
def test_agrees_with_enumeration(formula, mixed):
    charges = all_charges(formula, mixed)
    counts, states = [n for n, _ in formula], [q for _, q in formula]
    names = [str(j) for j in range(len(formula))]
    table, n_states = state_table(names, dict(zip(names, states, strict=True)))
    members = np.arange(len(formula))
    ranks = np.full(len(formula), -1)
    valence = MIXED if mixed else SINGLE
    found = can_be_neutral(members, np.array(counts), len(formula), table, n_states, valence, ranks)
    assert found == (0 in charges)
    assert (assign_states(counts, states, mixed_valence=mixed) is not None) == (0 in charges)
    nearest = nearest_charge(counts, states, mixed_valence=mixed)
    assert nearest is None if not charges else abs(nearest) == min(abs(q) for q in charges)


def test_prefers_the_first_states_and_no_split():
    assert assign_states([1, 1, 1, 4], [(1,), (2, 3), (5, 3), (-2,)]) == (
        ((1, 1),), ((2, 1),), ((5, 1),), ((-2, 4),),
    )  # fmt: skip
    assert assign_states([2, 3], [(2, 3), (-2,)], mixed_valence=True) == (((3, 2),), ((-2, 3),))
    assert assign_states([3, 4], [(2, 3), (-2,)]) is None


def test_cations_must_be_less_electronegative():
    # HF with H 2.20 and F 3.98: H+ F- is allowed, H- F+ is not
    assert assign_states([1, 1], [(1, -1), (-1, 1)], ranks=[0, 1]) == (((1, 1),), ((-1, 1),))
    assert assign_states([1, 1], [(-1,), (1,)], ranks=[0, 1]) is None
    table, n_states = state_table(["H", "F"], {"H": (-1,), "F": (1,)})
    members, counts = np.array([0, 1]), np.array([1, 1])
    assert can_be_neutral(members, counts, 2, table, n_states, SINGLE, np.array([-1, -1]))
    assert not can_be_neutral(members, counts, 2, table, n_states, SINGLE, np.array([0, 1]))
    assert can_be_neutral(members, counts, 2, table, n_states, SINGLE, np.array([1, 0]))


def test_full_shells_come_first():
    assert preferred_states("S", (-2, 2, 4, 6)) == (-2, 6, 4, 2)
    assert preferred_states("Si", (-4, 4)) == (4, -4)
    assert preferred_states("Pb", (2, 4)) == (4, 2)
    assert preferred_states("Na", (1,), (-1, 1)) == (1, -1)
    assert preferred_states("H", (-1, 1)) == (1, -1)
    assert preferred_states("Mn", (2, 3, 4, 7)) == (2, 3, 4, 7)
    assert preferred_states("Xe", (2, 4)) == (2, 4)
    assert preferred_states("bead", (2, -1)) == (2, -1)


def test_states_must_be_whole():
    with pytest.raises(InputError, match=r"whole numbers. Got 2.5 for Fe"):
        state_table(["Fe"], {"Fe": (2.5,)})
