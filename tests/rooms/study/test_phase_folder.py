"""A phase diagram in files: cells as results, a record of what no cell can hold, two writers at once."""

import json

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals import MarginSampling, PhaseDiagramProposer
from sozai.study import PhaseStudy, open_campaign, open_phase_diagram
from sozai.study.phase_folder import phase_record_path

TEXT = "A,B,phase\n1.00,0,FCC\n0.75,0.25,\n0.50,0.50,\n0.25,0.75,\n0,1.00,BCC\n"


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "diagram.csv"
    place.write_text(TEXT, encoding="utf-8")
    return place


def test_a_study_without_changes_leaves_no_trace(path):
    study = open_phase_diagram(path)
    assert repr(study) == "PhaseStudy(2 of 5 points labeled in 'phase', 0 running)"
    assert study.results == {0: ["FCC"], 4: ["BCC"]}
    assert [proposal.index for proposal in study.ask()] == [2]
    study.save()
    assert path.read_text(encoding="utf-8") == TEXT
    assert [file.name for file in path.parent.iterdir()] == ["diagram.csv"]


def test_settings_of_a_proposer_count(path):
    study = open_phase_diagram(path, proposer=PhaseDiagramProposer(score=MarginSampling(), phase_rule=None))
    assert study.proposer.score == MarginSampling()
    assert study.proposer.phase_rule is None
    assert len(study.proposer.candidates) == 5


def test_the_same_answer_as_without_files(path):
    study = open_phase_diagram(path).tell(2, "BCC + FCC").tell(1, "FCC")
    plain = PhaseDiagramProposer(np.column_stack([np.linspace(1, 0, 5), np.linspace(0, 1, 5)]))
    plain.tell([0, 1, 2, 4], ["FCC", "FCC", "BCC+FCC", "BCC"])
    study.save()
    again = open_phase_diagram(path)
    np.testing.assert_allclose(again.proposer.probabilities_, plain.probabilities_, atol=1e-12)
    assert "0.50,0.50,BCC+FCC\n" in path.read_text(encoding="utf-8")


def test_running_points_and_earlier_labels_are_remembered(path):
    study = open_phase_diagram(path)
    study.start(study.ask(1))
    study.tell(0, "BCC").save()
    record = json.loads(phase_record_path(path).read_text(encoding="ascii"))
    assert len(record["running"]) == 1
    assert list(record["labels"].values()) == [["FCC", "BCC"]]
    again = open_phase_diagram(path)
    assert (again.running, again.results[0]) == ([2], ["FCC", "BCC"])
    assert set(again.proposer.suspects_["phase"]) == {"FCC", "BCC"}
    assert [proposal.index for proposal in again.ask(2)] == [1, 3]
    assert again.release() == 1
    assert again.withdraw(0) == "BCC"
    again.save()
    record = json.loads(phase_record_path(path).read_text(encoding="ascii"))
    assert (record["running"], record["labels"]) == ([], {})
    assert path.read_text(encoding="utf-8") == TEXT


def test_a_sorted_and_edited_list_is_still_understood(path):
    study = open_phase_diagram(path)
    study.start([2]).tell(0, "BCC").save()
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="utf-8")
    turned = open_phase_diagram(path)
    assert (turned.running, turned.results[4]) == ([2], ["FCC", "BCC"])
    path.write_text(TEXT, encoding="utf-8")
    edited = open_phase_diagram(path)
    assert edited.results[0] == ["FCC"]
    assert edited.notes == ["Row 0 was changed by hand; its earlier labels (FCC, BCC) are forgotten."]


def test_two_writers_keep_each_other_s_results(path):
    one, other = open_phase_diagram(path), open_phase_diagram(path)
    one.start([3]).tell(1, "FCC").save()
    other.start([2]).tell(0, "BCC").save()
    both = open_phase_diagram(path)
    assert both.results == {0: ["FCC", "BCC"], 1: ["FCC"], 4: ["BCC"]}
    assert sorted(both.running) == [2, 3]


def test_compositions_are_told_with_a_sample(path):
    study = open_phase_diagram(path).tell(2, "FCC+BCC", {"FCC": [0.8, 0.2], "BCC": [0.2, 0.8]})
    assert study.proposer.samples_[-1].lever.fractions == pytest.approx({"FCC": 0.5, "BCC": 0.5})
    assert study.proposer.fields_ == {1: "FCC+BCC", 3: "FCC+BCC"}
    other = open_phase_diagram(path).with_compositions({2: (("FCC", "BCC"), [[0.8, 0.2], [0.2, 0.8]])})
    assert other.tell(2, "BCC+FCC").proposer.fields_ == {1: "BCC+FCC", 3: "BCC+FCC"}


def test_what_cannot_be_is_refused(path):
    study = open_phase_diagram(path)
    with pytest.raises(InputError, match=r"row must lie in the list \(0 to 4\)\. Got 5"):
        study.tell(5, "FCC")
    with pytest.raises(InputError, match=r"the row must have a label\. Got 1"):
        study.withdraw(1)
    with pytest.raises(InputError, match=r"phase must be text\. Got 1\.0 \(float\) for row 1"):
        study.tell(1, 1.0)
    with pytest.raises(InputError, match="path must name a text table"):
        PhaseStudy(study.table).save()
    path.with_name("diagram.phases.json").write_text("{}", encoding="ascii")
    with pytest.raises(InputError, match="be the record of a phase diagram"):
        open_phase_diagram(path)


def test_a_campaign_of_numbers_says_where_phases_belong(path):
    with pytest.raises(InputError, match=r"open_phase_diagram"):
        open_campaign(path, label="phase", settle=0)


def test_a_list_of_numbers_has_no_phases(tmp_path):
    place = tmp_path / "numbers.csv"
    place.write_text("x,y\n1,2\n3,4\n", encoding="utf-8")
    with pytest.raises(InputError, match="label must be given where not exactly one column"):
        open_phase_diagram(place)
