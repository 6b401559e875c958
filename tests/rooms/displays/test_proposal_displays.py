"""What the drawings of a campaign hold: history, slices through a proposal, front."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays import AcquisitionDisplay, FrontDisplay, HistoryDisplay
from sozai.proposals import Campaign, Objective, SpaceFillingProposer

POOL = pd.DataFrame({"x": [0.0, 0.25, 0.5, 0.75, 1.0]})


def campaign(goal="maximize"):
    made = Campaign(POOL, Objective("Tc [K]", goal), proposer=SpaceFillingProposer())
    for row, value in ((2, 4.0), (0, "failed"), (4, 6.0), (1, 5.0)):
        made.tell(row, value)
    return made


@pytest.mark.parametrize(("goal", "best"), [("maximize", [4, 4, 6, 6]), ("minimize", [4, 4, 4, 4])])
def test_history_follows_the_goal_and_marks_failures(goal, best):
    display = HistoryDisplay.from_campaign(campaign(goal))
    np.testing.assert_array_equal(display.curves["best so far"], [best])
    np.testing.assert_array_equal(display.values, [4.0, np.nan, 6.0, 5.0])
    svg = display.to_svg()
    assert "Tc [K]" in svg
    assert "no exact value" in svg


def test_history_of_simulations_has_a_band():
    table = pd.DataFrame(
        {
            "repeat": [0, 0, 1, 1],
            "evaluation": [1, 2, 1, 2],
            "best": [1.0, 3.0, 2.0, 2.0],
            "rank": [1, 1, 1, 1],
        }
    )
    display = HistoryDisplay.from_simulations({"model": table}, random=table, optimum=3.0)
    median, low, high = display.band(display.curves["model"])
    np.testing.assert_allclose(median, [1.5, 2.5])
    np.testing.assert_allclose(low, [1.1, 2.1])
    np.testing.assert_allclose(high, [1.9, 2.9])
    svg = display.to_svg()
    assert "at random (2 repeats)" in svg
    assert "best of the list" in svg


def test_history_refuses_a_cube():
    with pytest.raises(InputError, match=r"have shape \(n,\) or \(repeats, n\)\. Got \(1, 1, 1\)"):
        HistoryDisplay({"a": np.zeros((1, 1, 1))})


def slices(n):
    names = [f"d{j}" for j in range(n)]
    curves = pd.concat(
        pd.DataFrame({"descriptor": name, "value": [0.0, 1.0], "mean": [0.0, float(j)], "std": 0.1})
        for j, name in enumerate(names)
    )
    profile = curves.assign(score=[-1e6, 0.0] * n)
    observed = pd.DataFrame({name: [0.0, 1.0] for name in names} | {"y": [1.0, 2.0]})
    return AcquisitionDisplay(curves, profile, observed, dict.fromkeys(names, 0.0), name="y", unit="K")


def test_six_descriptors_are_drawn_at_most_the_steepest():
    assert slices(8).descriptors == ["d2", "d3", "d4", "d5", "d6", "d7"]
    assert slices(2).descriptors == ["d0", "d1"]


def test_far_results_are_pale():
    display = slices(2)
    np.testing.assert_allclose(display._distance("d0"), [0.0, 1.0])


def test_scores_far_below_the_highest_are_cut_off():
    figure = slices(1).to_figure()
    low, high = figure.axes[1].get_ylim()
    assert (low, round(high, 3)) == (-20.0, 1.6)


def test_slices_name_what_they_lack():
    display = slices(1)
    with pytest.raises(InputError, match=r"profile must have the columns .* Got 'score'"):
        AcquisitionDisplay(display.curves, display.curves, display.observed, {"d0": 0.0}, name="y")


def test_front_of_a_campaign():
    two = Campaign(POOL, [Objective("a"), Objective("b [K]", "minimize")], proposer=SpaceFillingProposer())
    for row, values in ((0, [1.0, 1.0]), (1, [2.0, 2.0]), (2, [1.0, 3.0])):
        two.tell(row, values)
    display = FrontDisplay.from_campaign(two, two.ask(1))
    assert display.front.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    svg = display.to_svg()
    assert "b [K] (minimize)" in svg


def test_front_counts_its_marks():
    with pytest.raises(InputError, match=r"one entry a result \(2\)\. Got \(1,\)"):
        FrontDisplay([[1, 2], [3, 4]], [True], names=["a", "b"])
    with pytest.raises(InputError, match=r"two columns, one a name\. Got \(2, 3\)"):
        FrontDisplay(np.zeros((2, 3)), [True, True], names=["a", "b"])
