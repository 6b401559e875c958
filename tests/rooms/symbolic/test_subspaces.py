"""Subspace lists: valid choices, exchanges and what they cost."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError, NotIndependentError
from sozai.symbolic.independence import find_relations


@pytest.fixture
def table():
    rng = np.random.default_rng(11)
    x, y, u = rng.uniform(1, 2, size=(3, 20))
    return find_relations(
        pd.DataFrame({"x": x, "y": y, "u": u, "sum": x + y, "difference": x - y, "twice": 2 * u, "x4": 4 * x})
    )


@pytest.fixture
def plane(table):
    return next(s for s in table.subspaces if set(s.members) == {"sum", "difference", "x", "y"})


def test_lists_are_merged_by_support_and_sorted(table):
    assert [str(s) for s in table.subspaces] == ["[twice, [u]]", "[x4, [x]]", "[sum, difference, [x, y]]"]
    assert [s.dimension for s in table.subspaces] == [1, 1, 2]


def test_components_partition_the_columns(table):
    parts = [set(s.members) for s in table.components]
    assert parts == [{"x", "y", "sum", "difference", "x4"}, {"u", "twice"}]
    assert sum(s.dimension for s in table.components) == table.rank == 3


def test_every_choice_is_judged_by_the_rank_of_its_columns(table):
    space = table.space
    matrix = dict(zip(table.names, table.engine.matrix.T, strict=True))
    for names in combinations(space.members, 3):
        independent = np.linalg.matrix_rank(np.column_stack([matrix[n] for n in names])) == 3
        assert space.is_valid(names) == independent
    assert not space.is_valid(["x", "y"])
    assert not space.is_valid(["x", "x", "u"])


def test_dependent_choice_names_relation_and_neighbor(table):
    message = (
        r"names must be independent\. Got \('sum', 'difference', 'x'\)\. "
        r"They obey x = 0\.5 sum \+ 0\.5 difference\. "
        r"Choose sum, difference, u instead\."
    )
    with pytest.raises(NotIndependentError, match=message):
        table.space.check(["sum", "difference", "x"])
    assert table.space.check(["sum", "x", "u"]) == ("sum", "x", "u")


def test_relation_of_a_refused_choice_is_in_original_units(table):
    with pytest.raises(NotIndependentError, match=r"They obey x4 = 4 x\. Choose x, u, y instead\."):
        table.space.check(["x", "x4", "u"])


def test_wrong_number_of_members(plane):
    with pytest.raises(InputError, match=r"names must be 2 different members\. Got '1 different of 2'"):
        plane.check(["x", "x"])


def test_choose_is_greedy_and_strict_on_demand(table):
    space = table.space
    assert space.choose() == ("x", "y", "u")
    assert space.choose(["difference", "sum", "x", "twice"]) == ("difference", "sum", "twice")
    assert table.choose(["twice"])[0] == "twice"
    with pytest.raises(NotIndependentError, match=r"SubspaceList\.choose: .* They obey twice = 2 u"):
        space.choose(["u", "twice"], strict=True)


def test_exchange_keeps_the_span(table):
    space = table.space.exchange("x", "sum").exchange("u", "twice")
    assert space.basis_names == ("sum", "y", "twice")
    matrix = dict(zip(table.names, table.engine.matrix.T, strict=True))
    unit = {name: column / np.linalg.norm(column) for name, column in matrix.items()}
    basis = np.column_stack([unit[name] for name in space.basis_names])
    rebuilt = basis @ space.coordinates
    assert np.abs(rebuilt - np.column_stack([unit[name] for name in space.members])).max() < 1e-12


def test_forbidden_exchanges(plane):
    with pytest.raises(InputError, match=r"out must be a basis member\. Got 'sum'\. They are: x, y\."):
        plane.exchange("sum", "x")
    with pytest.raises(InputError, match=r"into must be outside the basis\. Got 'y'"):
        plane.exchange("x", "y")
    with pytest.raises(
        InputError, match=r"name must be a member\. Got 'q'\. Members are: sum, difference, x, y\."
    ):
        plane.exchange("x", "q")


def test_exchange_with_zero_coefficient_names_the_relation(table):
    with pytest.raises(NotIndependentError, match=r"SubspaceList\.exchange: .* twice = 2 u"):
        table.space.exchange("x", "twice")


def test_volumes_and_conditions_are_those_of_the_columns(table):
    matrix = dict(zip(table.names, table.engine.matrix.T, strict=True))

    def unit(names):
        return np.column_stack([matrix[n] / np.linalg.norm(matrix[n]) for n in names])

    frame = table.space.alternatives("x")
    assert set(frame["name"]) == {"sum", "difference", "x4"}
    assert frame["condition"].is_monotonic_increasing
    for row in frame.itertuples():
        u = unit([row.name, "y", "u"])
        assert row.volume == pytest.approx(np.sqrt(np.linalg.det(u.T @ u)), rel=1e-9)
        assert row.condition == pytest.approx(np.linalg.cond(u), rel=1e-9)
    ranked = table.space.rank_choices(["u"], ["x", "y", "sum", "difference"], 2)
    assert len(ranked) == 6
    assert ranked["volume"].is_monotonic_decreasing
    for row in ranked.itertuples():
        u = unit(["u", *row.choice])
        assert row.volume == pytest.approx(np.sqrt(np.linalg.det(u.T @ u)), rel=1e-6)
        assert row.log_volume == pytest.approx(np.log(row.volume))


def test_many_candidates_are_ranked_by_pivoting():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(40, 8))
    table = find_relations(np.hstack([basis, basis @ rng.normal(size=(8, 60))]))
    ranked = table.space.rank_choices([], table.names, 6, max_results=5)
    volumes = table.space.volume(ranked["choice"][0])
    some = [table.space.volume(rng.choice(table.names, 6, replace=False)) for _ in range(200)]
    assert len(ranked) == 5
    assert volumes == pytest.approx(ranked["volume"][0], rel=1e-9)
    assert volumes > max(some)


def test_bad_number_of_choices(plane):
    with pytest.raises(InputError, match=r"between 1 and the number of candidates \(2\)\. Got 3"):
        plane.rank_choices([], ["x", "y"], 3)


def test_alternatives_need_a_basis_member(plane):
    with pytest.raises(InputError, match=r"name must be a basis member\. Got 'sum'"):
        plane.alternatives("sum")


def test_rebased_gives_the_same_relations(table):
    space = table.space.rebased(["sum", "difference", "twice"])
    assert space.basis_names == ("sum", "difference", "twice")
    names = list(space.members)
    norms = dict(zip(table.names, np.linalg.norm(table.engine.matrix, axis=0), strict=True))
    x = space.coordinates[:, names.index("x")] * norms["x"] / [norms[n] for n in space.basis_names]
    assert x == pytest.approx([0.5, 0.5, 0.0], abs=1e-10)
