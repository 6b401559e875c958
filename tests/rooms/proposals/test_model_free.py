import numpy as np
import pytest

from sozai.contracts.observations import Observations
from sozai.contracts.protocols import PoolProposer
from sozai.proposals.model_free import (
    ExhaustiveProposer,
    RandomProposer,
    SpaceFillingProposer,
    farthest_points,
)
from sozai.proposals.objectives import Objective

GOALS = [Objective("y")]
ALL = [ExhaustiveProposer(), RandomProposer(), SpaceFillingProposer()]


@pytest.mark.parametrize("proposer", ALL, ids=repr)
def test_only_open_candidates_each_once(proposer):
    X = np.random.default_rng(0).random((40, 3))
    seen = Observations.of(X, {3: 1.0}, objectives=GOALS, failed=[4], pending=[5], closed=[6], seed=9)
    rows = [choice.row for choice in proposer.propose(seen, 99)]
    assert sorted(rows) == [row for row in range(40) if row not in (3, 4, 5, 6)]
    assert isinstance(proposer, PoolProposer)


def test_farthest_points_on_a_line():
    X = np.array([[0.0], [1.0], [2.0], [4.0], [8.0], [16.0]])
    found = farthest_points(Observations.of(X, {0: 1.0}, objectives=GOALS), 3)
    assert found == [(5, 1.0), (4, 0.5), (3, 0.25)]


def test_scale_and_shift_of_a_column_change_nothing():
    X = np.random.default_rng(1).random((50, 2))
    other = X * [1e6, 1e-6] + [5.0, 1.0]
    picked = [farthest_points(Observations.of(Z, {}, objectives=GOALS), 8) for Z in (X, other)]
    assert [row for row, _ in picked[0]] == [row for row, _ in picked[1]]


def test_every_open_candidate_is_drawn_equally_often():
    drawn = np.zeros(10)
    for seed in range(4000):
        seen = Observations.of(np.arange(10.0)[:, None], {0: 1.0}, objectives=GOALS, seed=seed)
        drawn[RandomProposer().propose(seen, 1)[0].row] += 1
    assert drawn[0] == 0
    assert np.abs(drawn[1:] - 4000 / 9).max() < 5 * np.sqrt(4000 / 9)
