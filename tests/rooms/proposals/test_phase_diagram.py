"""Asking and telling about phase diagrams."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.estimator import NotFittedError
from sozai.contracts.observations import Observations
from sozai.proposals.batch import Fantasies
from sozai.proposals.label_graph import LabelPropagation, LabelSpreading
from sozai.proposals.phase_classifiers import PresenceGaussianProcess
from sozai.proposals.phase_constraints import SameValue
from sozai.proposals.phase_diagram import PhaseDiagramProposer
from sozai.proposals.phase_grids import composition_grid, parse_grid

GRID = composition_grid(3, 0.1, ["Zn", "Mg", "Cu"])
TRUTH = np.where(GRID["Zn"] > 0.55, "A", np.where(GRID["Mg"] > 0.45, "B", "A+B"))
MODELS = {
    "process": None,
    "presence": PresenceGaussianProcess(),
    "propagation": LabelPropagation(gamma=5),
    "spreading": LabelSpreading(gamma=5),
}


def told(n=12, **options):
    proposer = PhaseDiagramProposer(GRID, **options)
    for row in np.random.default_rng(1).choice(len(GRID), n, replace=False):
        proposer.tell(int(row), TRUTH[row])
    return proposer


@pytest.mark.parametrize("name", MODELS)
def test_a_loop_draws_the_map(name):
    proposer = PhaseDiagramProposer(GRID, MODELS[name])
    for _ in range(30):
        (proposal,) = proposer.ask()
        proposer.tell(proposal, TRUTH[proposal.index])
    assert (proposer.labels_ == TRUTH).mean() > 0.9
    np.testing.assert_allclose(proposer.probabilities_.sum(axis=1), 1.0)
    assert proposer.classes_.tolist() == ["A", "A+B", "B"]
    assert proposer.phases_ == ("A", "B")
    assert proposer.closed_.sum() >= 30
    assert (proposer.length_scale_ is None) == (name in ("propagation", "spreading"))
    assert proposer.predict(GRID.to_numpy()[:3]).tolist() == proposer.labels_[:3].tolist()


def test_first_questions_are_corners_then_far_points():
    proposer = PhaseDiagramProposer(GRID)
    rows = [one.index for one in proposer.ask(4)]
    pure = [int(GRID[name].argmax()) for name in GRID]
    assert rows[:3] == sorted(pure)
    assert GRID.iloc[rows[3]].min() >= 0.2  # near the middle
    one = PhaseDiagramProposer(GRID, corners=False).tell(0, "A")
    assert "one label only is known" in one.ask()[0].reason
    assert PhaseDiagramProposer("binary:step=0.5,T=300..500..100").ask(4)[3].x["T"] == 500


def test_a_dear_point_must_be_more_doubtful():
    cheap = told(corners=False).ask()[0]
    cost = np.ones(len(GRID))
    cost[cheap.index] = 1e6
    assert told(corners=False, cost=cost).ask()[0].index != cheap.index
    assert told(corners=False, cost=cost, cost_weight=0.0).ask()[0] == cheap
    assert told(corners=False, cost=np.full(len(GRID), 7.0)).ask()[0].index == cheap.index
    scores = [one.score for one in told(corners=False, cost=cost, batch="top").ask(5)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("cost", "got"),
    [(np.ones(3), "Got (3,)"), (np.r_[-2.5, np.ones(len(GRID) - 1)], "Got -2.5"),
     (np.r_[np.inf, np.ones(len(GRID) - 1)], "Got inf")],
)  # fmt: skip
def test_costs_are_positive_numbers_one_a_candidate(cost, got):
    with pytest.raises(InputError, match="one a candidate") as caught:
        told(cost=cost).ask()
    assert got in str(caught.value)


def test_asking_twice_and_asking_for_more():
    proposer = told(batch=Fantasies(3))
    assert proposer.ask(3) == proposer.ask(3)
    assert proposer.ask(5)[:3] == proposer.ask(3)
    proposal = proposer.ask()[0]
    assert proposal.x == GRID.iloc[proposal.index].to_dict()
    assert proposal.model == "OneHotGaussianProcess"
    assert proposer.tell(proposal, TRUTH[proposal.index]).ask() != [proposal]


def test_all_told_is_finished():
    proposer = PhaseDiagramProposer("binary:step=0.5").tell([0, 1, 2], ["A", "A", "B"])
    assert proposer.ask(2) == []
    assert proposer.labels_.tolist() == ["A", "A", "B"]


def test_same_value_constraint_and_its_relaxation():
    grid = parse_grid("binary:step=0.25,T=300..400..100")
    proposer = PhaseDiagramProposer(grid, constraint=SameValue(["T"]), corners=False).tell([0, 4], ["A", "B"])
    assert {one.x["T"] for one in proposer.ask(3)} == {300}
    proposer.tell([1, 2, 3], ["A", "A", "B"])
    with pytest.warns(UserWarning, match=r"no open point obeys the constraint \(5 points do, all closed\)"):
        assert proposer.ask()[0].x["T"] == 400


def test_text_is_needed():
    proposer = PhaseDiagramProposer(GRID)
    with pytest.raises(InputError, match=r"phase must be text\. Got 1\.0 \(float\) for candidate 17\. Write"):
        proposer.tell(17, 1.0)
    with pytest.raises(InputError, match=r"lie in the list \(0 to 65\)\. Got 66"):
        proposer.tell(66, "A")
    with pytest.raises(InputError, match=r"values of \['Zn', 'Mg', 'Cu'\]\. Got \[0\.5\]"):
        proposer.tell([0.5], "A")
    with pytest.raises(InputError, match=r"one entry for each of the 2 points\. Got 1"):
        proposer.tell([0, 1], ["A"])
    with pytest.raises(InputError, match=r"hold at least one label\. Got 0"):
        proposer.labels_  # noqa: B018
    with pytest.raises(InputError, match=r"n must be a whole number of 1 or more\. Got 0"):
        proposer.ask(0)
    with pytest.raises(NotFittedError, match="candidates must be given"):
        PhaseDiagramProposer().ask()
    assert PhaseDiagramProposer(GRID).tell(0, "1.0").tell(1, "1").classes_.tolist() == ["1"]


def test_did_you_mean():
    proposer = PhaseDiagramProposer(GRID).tell(0, "FCC_A1")
    with pytest.warns(UserWarning, match=r"'FCCA1' for candidate 5 is new\. Did you mean 'FCC_A1'\?"):
        proposer.tell(5, "FCCA1")
    assert proposer.classes_.tolist() == ["FCCA1", "FCC_A1"]


def test_too_many_phases():
    with pytest.warns(UserWarning, match=r"at most 3 phases .* Got \"4 in 'A\+B\+C\+D'\" for candidate 3"):
        assert PhaseDiagramProposer(GRID).tell(3, "A+B+C+D").classes_.tolist() == ["A+B+C+D"]
    with pytest.raises(InputError, match="at most 3 phases"):
        PhaseDiagramProposer(GRID, phase_rule="strict").tell(3, "A+B+C+D")
    assert PhaseDiagramProposer(GRID, phase_rule=None).tell(3, "A+B+C+D").closed_.sum() == 1
    section = PhaseDiagramProposer("ternary:step=0.5,T=300..400..100")
    assert section.tell(3, "A+B+C+D").classes_.tolist() == ["A+B+C+D"]


def test_one_point_two_labels():
    process = told().tell(0, "A").tell(0, "B")
    suspects = process.suspects_
    assert suspects["index"].tolist()[-2:] == [0, 0]
    assert suspects["reason"].iloc[-2:].str.contains("Candidate 0 was also found to be").all()
    p = process.probabilities_[0]
    assert 0.2 < p[list(process.classes_).index("A")] < 0.8
    assert process.ask(2, recheck=True)[0].index in set(suspects["index"])
    graph = told(estimator=LabelPropagation(gamma=5))
    graph.tell(0, "A").labels_  # noqa: B018
    with pytest.warns(UserWarning, match="candidate 0 was 'A' and is now 'B'; a graph keeps the latest"):
        assert graph.tell(0, "B").labels_[0] == "B"
    fresh = told(estimator=LabelPropagation(gamma=5)).tell(0, "B")
    np.testing.assert_allclose(graph.probabilities_, fresh.probabilities_, atol=1e-10)


def test_a_label_among_others_is_suspected():
    proposer = PhaseDiagramProposer(GRID)
    rows = np.flatnonzero(GRID["Zn"] > 0.35)
    for row in rows:
        proposer.tell(int(row), "A")
    for row in np.flatnonzero(GRID["Zn"] < 0.25)[::3]:
        proposer.tell(int(row), "B")
    odd = int(np.flatnonzero((np.abs(GRID - [0.6, 0.2, 0.2]) < 1e-9).all(axis=1))[0])
    proposer.samples_[list(rows).index(odd)]
    wrong = PhaseDiagramProposer(GRID)
    for sample in proposer.samples_:
        wrong.tell(sample.row, "B" if sample.row == odd else sample.label)
    assert odd in wrong.suspects_["index"].tolist()
    assert len(wrong.suspects_) <= 2
    assert proposer.suspects_.empty
    assert wrong.ask(recheck=True)[0].reason.startswith("Measure again? B among A: p =")


def test_replicate_is_recorded_once():
    proposer = told()
    before = len(proposer.samples_)
    proposer.tell(3, "A", replicate="run 7").tell(3, "A", replicate="run 7")
    assert len(proposer.samples_) == before + 1


def triangle_sample():
    corners = [[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]]
    return {"A": corners[0], "B": corners[1], "C": corners[2]}


@pytest.mark.parametrize("name", MODELS)
def test_corners_close_their_field(name):
    row = int(np.flatnonzero((np.abs(GRID - [0.3, 0.3, 0.4]) < 1e-9).all(axis=1))[0])
    proposer = PhaseDiagramProposer(GRID, MODELS[name], corners=False)
    proposer.tell(row, "A+B+C", triangle_sample()).tell(0, "A")
    corners = np.array(list(triangle_sample().values()))
    inside = np.linalg.solve(corners.T, GRID.to_numpy().T).min(axis=0) > 1e-9
    fields = proposer.fields_
    assert set(fields) == set(np.flatnonzero(inside)) - {row, 0}
    assert set(fields.values()) == {"A+B+C"}
    assert proposer.closed_[inside].all()
    assert not {one.index for one in proposer.ask(8)} & set(fields)
    assert (proposer.labels_[inside] == "A+B+C").all()
    assert {"A+B", "A+C", "B+C", "A", "B", "C"} <= set(proposer.classes_)
    assert proposer.samples_[0].lever.residual < 1e-9


def test_a_tie_line_gives_its_label():
    row = int(np.flatnonzero((np.abs(GRID - [0.5, 0.5, 0.0]) < 1e-9).all(axis=1))[0])
    proposer = PhaseDiagramProposer(GRID).tell(row, "A+B", [[0.8, 0.2, 0], [0.2, 0.8, 0]])
    points = GRID.loc[sorted(proposer.fields_)].to_numpy()
    np.testing.assert_allclose(points[:, 2], 0)
    np.testing.assert_allclose(sorted(points[:, 0]), [0.3, 0.4, 0.6, 0.7], atol=1e-12)


def test_compositions_that_do_not_fit():
    proposer = PhaseDiagramProposer(GRID)
    with pytest.warns(UserWarning, match=r"lies 12 at\.% away \(tolerance 1 at\.%\)"):
        proposer.tell(int(np.flatnonzero((np.abs(GRID - [0.5, 0.4, 0.1]) < 1e-9).all(axis=1))[0]), "A+B",
                      [[0.8, 0.2, 0], [0.2, 0.8, 0]])  # fmt: skip
    assert proposer.fields_ == {}
    assert proposer.samples_[0].coexistence is None
    with pytest.raises(InputError, match=r"have 3 columns, one a component. Got 2 for candidate 1"):
        proposer.tell(1, "A+B", [[0.8, 0.2], [0.2, 0.8]])
    with pytest.raises(InputError, match="belong to candidates with a composition"):
        PhaseDiagramProposer([[0.1, 5.0], [0.2, 3.0]]).tell(1, "A+B", [[0.8, 0.2], [0.2, 0.8]])


def test_crossing_tie_lines_are_listed():
    proposer = PhaseDiagramProposer(GRID)
    proposer.tell({"Zn": 0.4, "Mg": 0.2, "Cu": 0.4}, "A+B", [[0.8, 0.2, 0.0], [0.0, 0.2, 0.8]])
    proposer.tell({"Zn": 0.4, "Mg": 0.3, "Cu": 0.3}, "C+D", [[0.4, 0.0, 0.6], [0.4, 0.6, 0.0]])
    (found,) = proposer.phase_rule_violations_
    assert (found.kind, found.labels) == ("crossing", ("A+B", "C+D"))
    assert PhaseDiagramProposer(GRID, phase_rule=None).tell(0, "A").phase_rule_violations_ == []
    assert all(isinstance(pair, tuple) for pair in proposer.boundary_violations())


def test_points_outside_the_list():
    process = PhaseDiagramProposer(GRID).tell({"Zn": 0.333, "Mg": 0.333, "Cu": 0.334}, "A").tell(0, "B")
    assert process.samples_[0].row == -1
    assert process.predict([[0.34, 0.33, 0.33]]).tolist() == ["A"]
    graph = PhaseDiagramProposer(GRID, LabelPropagation())
    graph.tell({"Zn": 0.31, "Mg": 0.29, "Cu": 0.4}, "A")
    assert GRID.iloc[graph.samples_[0].row].round(9).tolist() == [0.3, 0.3, 0.4]
    sparse = PhaseDiagramProposer(GRID.iloc[[0, 1, 65]], LabelPropagation())
    with pytest.raises(InputError, match="within half a step of a candidate for a graph"):
        sparse.tell({"Zn": 0.3, "Mg": 0.3, "Cu": 0.4}, "A")


def test_frame_of_the_map():
    frame = told().to_frame()
    assert list(frame.columns) == [
        "Zn", "Mg", "Cu", "phase", "predicted", "probability", "uncertainty", "closed"
    ]  # fmt: skip
    assert (frame["phase"] != "").sum() == 12
    assert len(PhaseDiagramProposer(GRID).to_frame()) == 66


class Numbers:
    name, goal, unit, noise = "phase", "maximize", None, None


class Named(Numbers):
    class goal:
        names = ("A", "A+B", "B")


@pytest.mark.parametrize("objective", [Numbers(), Named()])
def test_a_campaign_gets_choices(objective):
    codes = {int(row): float(np.unique(TRUTH, return_inverse=True)[1][row]) for row in range(0, 66, 6)}
    seen = Observations.of(
        GRID.to_numpy(), codes, objectives=[objective], names=list(GRID.columns), pending=[7], closed=[8]
    )
    proposer = PhaseDiagramProposer(corners=False)
    five = proposer.propose(seen, 5)
    assert proposer.propose(seen, 3) == five[:3]
    assert not {choice.row for choice in five} & {7, 8, *codes}
    assert ("A+B" in " ".join(choice.reason for choice in five)) == isinstance(objective, Named)
    wrong = Observations.of(GRID.to_numpy(), {3: 0.5}, objectives=[objective], names=list(GRID.columns))
    with pytest.raises(InputError, match=r"numbers of labels\. Got 0\.5 at row 3"):
        proposer.propose(wrong, 1)


def test_input_stays_as_it_was():
    grid, copy = GRID.copy(), GRID.copy()
    PhaseDiagramProposer(grid).tell(0, "A").ask(2)
    pd.testing.assert_frame_equal(grid, copy)
