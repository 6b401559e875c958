"""The space that a budget allows: whole where it fits, else the simplest formulas."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.screening import CandidateSpace, PartialGain, grow, screen, space_within
from sozai.symbolic.search.budget import where_cut

PAIRS = ["sum", "product", "ratio"]
NAMES = ["a", "b", "c", "d"]


def table():
    return np.random.default_rng(0).uniform(1, 2, (20, 4))


def test_a_space_that_fits_is_whole():
    space = space_within(table(), NAMES, pair_operations=PAIRS, rung=2)
    base = grow(table(), NAMES, pair_operations=PAIRS, rung=1)
    assert space.n_candidates == CandidateSpace.of(base, (), PAIRS).n_candidates


def test_a_larger_one_is_cut_where_one_step_more_would_not_fit():
    space = space_within(table(), NAMES, pair_operations=PAIRS, rung=3, max_candidates=5_000)
    assert space.n_candidates <= 5_000
    assert space.complexity_counts[0].max() <= space.max_complexity
    with pytest.raises(InputError, match="max_candidates must be at least"):
        space_within(
            table(), NAMES, pair_operations=PAIRS, rung=3, max_complexity=space.max_complexity + 1,
            max_candidates=5_000,
        )  # fmt: skip


def test_memory_cuts_the_parts_and_not_what_is_made_of_them():
    limit = 200_000
    space = space_within(table(), NAMES, pair_operations=PAIRS, rung=3, memory_limit=limit)
    below = space.base.max_complexity
    assert space.base.values.nbytes <= limit
    assert space.base.complexity.max() <= below < space.complexity_counts[0].max()
    whole = CandidateSpace.of(
        grow(table(), NAMES, pair_operations=PAIRS, rung=2, max_complexity=below), (), PAIRS
    )
    assert space.n_candidates == whole.n_candidates
    assert f"made of parts of complexity up to {below} were searched" in where_cut(space)
    with pytest.raises(InputError, match="memory_limit"):
        grow(table(), NAMES, pair_operations=PAIRS, rung=2, max_complexity=below + 1, memory_limit=limit)


def test_both_cut():
    space = space_within(
        table(), NAMES, pair_operations=PAIRS, rung=3, memory_limit=200_000, max_candidates=20_000
    )
    assert space.n_candidates <= 20_000
    assert where_cut(space).endswith("exceed max_candidates and memory_limit")


def test_a_cut_space_holds_every_formula_up_to_its_complexity():
    space = space_within(table(), NAMES, pair_operations=PAIRS, rung=2, max_candidates=700)
    score = PartialGain(np.random.default_rng(1).normal(size=20))
    kept = screen(space, score, n_keep=700, merge_affine=False)
    made = grow(table(), NAMES, pair_operations=PAIRS, rung=2, max_complexity=space.max_complexity)
    assert 3 < space.max_complexity < 7
    assert set(made.names) == set(kept.names)


def test_a_given_complexity_that_does_not_fit_is_refused_with_the_count():
    with pytest.raises(InputError, match=r"formulas of this space\. Got 10"):
        space_within(table(), NAMES, pair_operations=PAIRS, rung=2, max_complexity=5, max_candidates=10)


def test_columns_alone_beyond_the_budget_are_refused():
    with pytest.raises(InputError, match="max_candidates must be at least"):
        space_within(table(), NAMES, pair_operations=PAIRS, rung=1, max_candidates=2)


def test_other_errors_are_not_taken_for_a_matter_of_size():
    with pytest.raises(InputError, match="must be among"):
        space_within(table(), NAMES, pair_operations=["plus"], rung=2)
