import re

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.numerics.hypervolume import free_boxes
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.campaign import Campaign
from sozai.proposals.objectives import Objective
from sozai.proposals.outcomes import Constraint
from sozai.proposals.pareto import (
    Near,
    Within,
    check_reference,
    expected_hypervolume_improvement,
    hypervolume_improvement,
    log_expected_hypervolume_improvement,
    reference_point,
)

FRONT = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]


def test_the_reference_lies_a_tenth_beyond_the_worst_values():
    np.testing.assert_allclose(reference_point([*FRONT, [0.0, 0.0]]), [-0.3, -0.3])
    np.testing.assert_allclose(reference_point([[2.0, 5.0], [1.0, 1.0]]), [0.9, 0.6])
    np.testing.assert_allclose(reference_point([[2.0, 5.0]]), [1.9, 4.9])


def test_improvement_of_a_point():
    assert hypervolume_improvement([[2.5, 2.5], [0.5, 0.5]], FRONT, [0, 0]).tolist() == [1.25, 0.0]


def test_a_reference_that_nothing_exceeds_is_refused_with_the_range():
    with pytest.raises(InputError, match=r"front: 1 to 3, 1 to 3\). Got \[4.0, 0.0\]"):
        check_reference([4, 0], np.array(FRONT), "here")
    with pytest.raises(InputError, match=r"front: 1 to 3, 1 to 3\). Got \[3.0, 3.0\]"):
        expected_hypervolume_improvement([[1, 1]], [[1, 1]], FRONT, [3, 3])


def test_deviations_are_positive_and_columns_fit():
    with pytest.raises(InputError, match=r"have 2 columns, and std be positive"):
        expected_hypervolume_improvement([[1, 1]], [[1, 0]], FRONT, [0, 0])


def test_nothing_is_nearer_than_the_target_itself():
    rule = Near(1.0)
    table = rule.log_excess(np.zeros(2), np.ones(2), np.array([-0.5, 0.0]))
    assert np.isneginf(table[:, 1]).all()
    assert np.isfinite(table[:, 0]).all()
    assert Within(0.0, 1.0).merit(np.array([0.2, 3.0])).tolist() == [0.0, -2.0]


def test_blocks_do_not_change_a_bit():
    rng = np.random.default_rng(0)
    boxes = free_boxes(rng.random((20, 2)), np.zeros(2))
    mean, std = rng.random((5000, 2)), rng.random((5000, 2)) + 0.1
    whole = log_expected_hypervolume_improvement(mean, std, boxes)
    some = rng.permutation(5000)[:700]
    np.testing.assert_array_equal(
        log_expected_hypervolume_improvement(mean[some], std[some], boxes), whole[some]
    )


def test_a_campaign_proposes_for_two_objectives():
    pool = pd.DataFrame({"x": np.linspace(0, 1, 21)})
    campaign = Campaign(pool, [Objective("a [K]"), Objective("b", "minimize")])
    for row in (0, 5, 10, 15, 20):
        x = row / 20
        campaign.tell(row, [-((x - 0.4) ** 2), (x - 0.6) ** 2])
    (proposal,) = campaign.ask()
    assert 0.3 < proposal.x["x"] < 0.7
    assert set(proposal.mean) == {"a", "b"}
    assert "against a front of" in proposal.reason
    assert campaign.front_.index.tolist() == [10]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, r"Highest log expected hypervolume improvement per cost: a "),
        ({"acquisition": "parego"}, r"weighted objectives per cost \(weights 0\.\d+ a, 0\.\d+ b\): a "),
        ({"outcomes": [Constraint("b", high=1.0)]},
         r"expected improvement per cost, weighted by the probability of keeping to the limits: mean"),
    ],
)  # fmt: skip
def test_reasons_of_two_objectives(options, said):
    pool = pd.DataFrame({"x": np.linspace(0, 1, 21)})
    campaign = Campaign(
        pool, [Objective("a [K]"), Objective("b", "minimize")], cost=np.ones(21),
        proposer=BayesianProposer(**options),
    )  # fmt: skip
    for row in (0, 5, 10, 15, 20):
        campaign.tell(row, [row * (25 - row), row / 20])
    assert re.search(said, campaign.ask()[0].reason)


def test_drawn_functions_take_the_place_of_the_score():
    pool = pd.DataFrame({"x": np.linspace(0, 1, 21)})
    proposals = []
    for options in ({"batch": "thompson"}, {"acquisition": "ts"}):
        campaign = Campaign(pool, ["a", "b"], proposer=BayesianProposer(**options))
        for row in (0, 7, 13, 20):
            campaign.tell(row, [row * (25 - row), -row])
        proposals.append([(p.index, p.reason) for p in campaign.ask(2)])
    assert proposals[0] == proposals[1]
    assert "hypervolume added by the drawn functions" in proposals[0][0][1]
