import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.records import Proposal
from sozai.proposals.objectives import Objective

GOALS = [Objective("y")]


def test_rows_outside_the_candidates_are_refused():
    with pytest.raises(InputError, match=r"pending must be rows of X \(0 to 1\)\. Got 5"):
        Observations.of([[0.0], [1.0]], {}, objectives=GOALS, pending=[5])


def test_shapes_must_fit():
    seen = Observations.of([[0.0], [1.0]], {0: 1.0}, objectives=GOALS)
    fields = {name: getattr(seen, name) for name in seen.__dataclass_fields__}
    with pytest.raises(InputError, match=r"Y must have shape \(1, 1\) \(rows, objectives\)\. Got \(2, 1\)"):
        Observations(**(fields | {"Y": np.zeros((2, 1))}))
    with pytest.raises(InputError, match="noise must be a variance of 0 or more wherever Y has a value"):
        Observations(**(fields | {"noise": np.array([[-1.0]])}))
    with pytest.raises(InputError, match=r"Y must be finite or NaN\. Got 'inf at row 0'"):
        Observations(**(fields | {"Y": np.array([[np.inf]])}))
    with pytest.raises(InputError, match="cost must hold 2 positive numbers"):
        Observations(**(fields | {"cost": np.array([1.0, 0.0])}))
    with pytest.raises(InputError, match=r"closed must name each row once, ascending\. Got \[1, 0\]"):
        Observations(**(fields | {"closed": np.array([1, 0])}))


def test_open_leaves_out_observed_failed_and_running():
    seen = Observations.of(np.arange(6.0)[:, None], {1: 2.0}, objectives=GOALS, failed=[2], pending=[5])
    assert seen.open.tolist() == [0, 3, 4]


def test_choices_and_proposals_are_equal_with_nan():
    nan = np.array([np.nan])
    assert Choice(1, 0.0, nan, nan, "r") == Choice(1, 0.0, nan, nan, "r")
    assert Choice(1, 0.0, nan, nan, "r") != Choice(2, 0.0, nan, nan, "r")
    one = Proposal("a", 1, {"x": 1}, 0.0, float("nan"), float("nan"), "r")
    assert one == Proposal("a", 1, {"x": 1}, 0.0, float("nan"), float("nan"), "r")
    assert one != Proposal("a", 1, {"x": 2}, 0.0, float("nan"), float("nan"), "r")
    several = Proposal("a", 1, {"x": 1}, 0.0, {"u": 1.0, "v": 2.0}, {"u": 0.1, "v": 0.2}, "r")
    assert several.to_frame().loc[0, ["mean u", "std v"]].tolist() == [1.0, 0.2]
