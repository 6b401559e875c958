"""Phases defined by a number: intervals, chances, units, bounds, and the loop of a campaign."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sozai.contracts.errors import InputError
from sozai.contracts.observations import Observations
from sozai.proposals import Campaign, Objective
from sozai.proposals.phase_goal import PhaseGoal
from sozai.proposals.threshold_proposer import ThresholdProposer, interval_chances
from sozai.study import open_campaign, save_campaign

GRID = np.linspace(0, 1, 21)
X = np.array([(a, b) for a in GRID for b in GRID])
RATE = 0.02 * np.exp(5 * X[:, 0] * X[:, 1] + X[:, 0])
GOAL = PhaseGoal([0.05, 0.5], unit="%/h", transform="log")


def seen(values, rows, goal=GOAL, unit="%/h", **options):
    objective = Objective("rate", goal, unit)
    return Observations.of(X, {row: values[row] for row in rows}, objectives=[objective], **options)


def test_names_and_the_interval_above_a_threshold():
    assert GOAL.names == ("<0.05", "0.05-0.5", ">0.5")
    assert [GOAL.phase_of(value) for value in (0.01, 0.05, 0.4, 0.5, 9)] == [
        "<0.05", "0.05-0.5", "0.05-0.5", ">0.5", ">0.5",
    ]  # fmt: skip
    assert PhaseGoal([1], names=["弱い", "強い"]).phase_of(2) == "強い"
    assert GOAL.loss(0.05 * np.e) == pytest.approx(1)
    assert GOAL.loss(0.0) == np.inf


def test_chances_are_those_of_the_normal_distribution():
    mean, std, ends = np.array([0.3, -1.0]), np.array([0.5, 2.0]), np.array([-0.2, 0.4, 1.0])
    found = interval_chances(mean, std, ends)
    for k in range(2):
        edges = norm(mean[k], std[k]).cdf([-np.inf, *ends, np.inf])
        np.testing.assert_allclose(found[:, k], np.diff(edges), atol=1e-14)
    np.testing.assert_allclose(found.sum(axis=0), 1)


@pytest.mark.parametrize("score", ["least_confident", "margin", "entropy", "straddle", "random"])
def test_a_change_of_unit_leaves_the_proposals(score):
    rows = [0, 20, 200, 300, 440, 110]
    one = ThresholdProposer(score).propose(seen(RATE, rows), 4)
    per_second = seen(RATE / 3600, rows, goal=GOAL, unit="%/s")
    assert [c.row for c in ThresholdProposer(score).propose(per_second, 4)] == [c.row for c in one]
    other = PhaseGoal([0.05 / 3600, 0.5 / 3600], transform="log")
    scaled = ThresholdProposer(score).propose(seen(RATE / 3600, rows, goal=other, unit=None), 4)
    assert [c.row for c in scaled] == [c.row for c in one]
    plain = [
        [c.row for c in ThresholdProposer(score).propose(
            seen(factor * RATE, rows, goal=PhaseGoal([factor * 0.05, factor * 0.5]), unit=None), 3)]
        for factor in (1.0, 1024.0)
    ]  # fmt: skip
    assert plain[0] == plain[1]


def test_more_proposals_begin_with_the_fewer_and_none_is_measured_or_running():
    rows = [0, 20, 200, 300, 440, 110]
    observations = seen(RATE, rows, pending=[221])
    few, many = (ThresholdProposer().propose(observations, n) for n in (2, 4))
    assert many[:2] == few
    chosen = {choice.row for choice in many}
    assert len(chosen) == 4
    assert not chosen & {*rows, 221}
    assert ThresholdProposer().propose(observations, 4) == many


def test_the_straddle_lies_near_a_threshold_and_chances_are_kept():
    proposer = ThresholdProposer("straddle")
    (choice,) = proposer.propose(seen(RATE, range(0, 441, 11)), 1)
    assert min(abs(np.log(RATE[choice.row] / end)) for end in (0.05, 0.5)) < 0.5
    assert proposer.probabilities_.shape == (441, 3)
    guess = np.array(GOAL.names)[proposer.probabilities_.argmax(axis=1)]
    truth = np.array([GOAL.phase_of(value) for value in RATE])
    assert (guess == truth).mean() > 0.97
    assert choice.reason.startswith("Highest nearest to a threshold")
    assert "%/h" in choice.reason


def test_bounds_teach_the_side_of_a_threshold():
    pool = pd.DataFrame({"x": np.linspace(0, 1, 41)})
    campaign = Campaign(pool, Objective("rate [%/h]", PhaseGoal([0.15, 0.6, 1.2])))
    for row, value in ((0, 0.1), (10, 0.5), (20, 0.9), (40, ">1.2"), (30, ">1.2")):
        campaign.tell(row, value)
    (proposal,) = campaign.ask()
    assert isinstance(campaign.proposer, ThresholdProposer)
    assert campaign.proposer.probabilities_[35].argmax() == 3
    assert proposal.index not in (0, 10, 20, 30, 40)


def test_too_few_results_fill_the_list():
    first = ThresholdProposer().propose(seen(RATE, []), 3)
    assert len({choice.row for choice in first}) == 3
    assert "nothing is measured yet" in first[0].reason
    second = ThresholdProposer().propose(seen(np.full(441, 0.1), [0, 5, 9]), 1)
    assert "3 results are too few for a model" in second[0].reason


def test_a_number_needs_fewer_samples_than_its_name():
    """Level sets of a smooth function: labels until nine points of ten are right."""
    from sozai.proposals import PhaseDiagramProposer

    truth = np.array([GOAL.phase_of(value) for value in RATE])
    rows = [0, 20, 200, 300, 440]
    by_number, by_name = list(rows), list(rows)
    proposer = ThresholdProposer()
    while True:
        (choice,) = proposer.propose(seen(RATE, by_number), 1)
        if (np.array(GOAL.names)[proposer.probabilities_.argmax(axis=1)] == truth).mean() >= 0.95:
            break
        by_number.append(choice.row)
    named = PhaseDiagramProposer(pd.DataFrame(X, columns=["a", "b"])).tell(rows, truth[rows].tolist())
    while (named.labels_ == truth).mean() < 0.95:
        row = named.ask()[0].index
        named.tell(row, truth[row])
        by_name.append(row)
    assert len(by_number) <= 0.7 * len(by_name)


def test_a_goal_is_kept_in_the_folder_of_a_campaign(tmp_path):
    path = tmp_path / "candidates.csv"
    path.write_text("x,rate [%/h]\n" + "".join(f"{k / 10},\n" for k in range(11)), encoding="utf-8")
    campaign = open_campaign(path, objectives=Objective("rate [%/h]", GOAL), settle=0)
    for row, value in ((0, 0.02), (5, 0.2), (10, 2.0)):
        campaign.tell(row, value)
    save_campaign(campaign, path)
    again = open_campaign(path)
    assert again.objectives[0].goal == GOAL
    assert again.ask(2) == campaign.ask(2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thresholds": []}, "thresholds must be ascending finite numbers"),
        ({"thresholds": [2, 1]}, "thresholds must be ascending finite numbers"),
        ({"thresholds": [0, 1], "transform": "log"}, r"be positive with transform='log'\. Got 0\.0"),
        ({"thresholds": [1], "transform": "sqrt"}, r"transform must be 'log' or None\. Got 'sqrt'"),
        ({"thresholds": [1], "names": ["a"]}, "names must be 2 different names"),
    ],
)
def test_goals_that_make_no_sense_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        PhaseGoal(**options)


def test_results_without_a_logarithm_and_other_goals_are_refused():
    values = RATE.copy()
    values[300] = -0.1
    with pytest.raises(InputError, match=r"be positive with transform='log'\. Got -0\.1 at row 300"):
        ThresholdProposer().propose(seen(values, [0, 20, 200, 300, 440]), 1)
    with pytest.raises(InputError, match="goal must be one PhaseGoal"):
        ThresholdProposer().propose(seen(RATE, [0], goal="maximize"), 1)
