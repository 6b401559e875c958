import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.campaign import Campaign
from sozai.proposals.campaign_events import CampaignWarning
from sozai.proposals.model_free import ExhaustiveProposer, RandomProposer
from sozai.proposals.objectives import Objective, Range, Target
from sozai.proposals.spaces import Box, Categorical, Product
from sozai.study import campaign_folder
from sozai.study.campaign_folder import open_campaign, save_campaign, write_proposals
from sozai.study.file_lock import file_lock

LIST = "x,T [K],Tc [K]\r\n0.10,300,\r\n0.20,300,41.5\r\n0.30,350,\r\n0.40,350,\r\n".encode("cp932")
RECORD = "candidates.sozai.json"


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "candidates.csv"
    path.write_bytes(LIST)
    return path


def opened(place, **options):
    return open_campaign(place, settle=0, proposer=ExhaustiveProposer(), **options)


def edited(place, old, new):
    data = place.read_bytes()
    assert old in data
    place.write_bytes(data.replace(old, new))


class TestRoundTrip:
    def test_results_come_back(self, place):
        campaign = opened(place)
        campaign.tell(0, 39.25, sigma=0.5)
        campaign.tell(2, status="failed")
        campaign.start(3)
        save_campaign(campaign, place)
        assert place.read_bytes() == LIST.replace(b"0.10,300,", b"0.10,300,39.25")
        again = opened(place.parent)
        assert again.status_ == campaign.status_
        assert again.events_ == campaign.events_
        assert again.observations_.noise.ravel().tolist() == [0.25, 0.0]
        assert sorted(path.name for path in place.parent.iterdir()) == ["candidates.csv", RECORD]

    def test_replicates_write_their_mean_and_withdrawn_results_leave(self, place):
        campaign = opened(place)
        first = campaign.tell(0, 1.0).events[0]
        campaign.tell(0, 2.0)
        save_campaign(campaign, place)
        assert b"0.10,300,1.5\r\n" in place.read_bytes()
        for event in (first, *[r for r in campaign.results_["event"] if r != first]):
            campaign.correct(event, None)
        save_campaign(campaign, place)
        assert place.read_bytes() == LIST.replace(b"41.5", b"")
        assert opened(place).status_.n_observed == 0

    def test_unchanged_cells_after_a_thousand_results(self, tmp_path):
        rng = np.random.default_rng(3)
        lines = [f"{a:.4f},{b:+.3e}," for a, b in rng.random((1100, 2))]
        data = ("温度,磁場,y\r\n" + "\r\n".join(lines)).encode("cp932")
        path = tmp_path / "list.csv"
        path.write_bytes(data)
        campaign = opened(path)
        for row in range(1000):
            campaign.tell(row, row / 3)
            if row % 250 == 249:
                save_campaign(campaign, path)
        expected = [line + repr(row / 3) if row < 1000 else line for row, line in enumerate(lines)]
        assert path.read_bytes() == ("温度,磁場,y\r\n" + "\r\n".join(expected)).encode("cp932")

    def test_goals_units_and_proposals_survive(self, place):
        goals = Objective("Tc [K]", Target(40.0), noise=0.5)
        proposer = RandomProposer()
        first = open_campaign(place, objectives=goals, settle=0, proposer=proposer, random_state=7)
        asked = first.ask(2)
        save_campaign(first, place)
        again = open_campaign(place, proposer=proposer)
        assert again.objectives == (goals,)
        assert again.random_state == 7
        assert again.ask(2) == asked
        second = place.with_name("other.csv")
        second.write_bytes(LIST)
        open_campaign(second, objectives=Objective("Tc", Range(1.0, float("inf"))), settle=0)
        assert open_campaign(second).objectives[0].goal == Range(1.0, float("inf"))

    def test_a_campaign_without_a_file(self, tmp_path):
        campaign = Campaign(pd.DataFrame({"x": [0.1, 0.2], "温度": [1, 2]}), "y [K]", random_state=3)
        campaign.tell(1, 2.5)
        path = save_campaign(campaign, tmp_path / "new.csv")
        assert path.read_text(encoding="utf-8-sig").splitlines() == ["x,温度,y [K]", "0.1,1,", "0.2,2,2.5"]
        again = opened(path)
        assert again.best_ == campaign.best_
        with pytest.raises(InputError, match=r"path must name the list of this campaign"):
            save_campaign(Campaign(pd.DataFrame({"x": [0.1]}), "y"), path)

    def test_roles_are_remembered(self, tmp_path):
        path = tmp_path / "list.csv"
        path.write_bytes(b"name,x,price,Tc [K]\nA,1,5,\nB,2,6,3\n")
        campaign = open_campaign(path, objectives="Tc", id="name", cost="price", settle=0)
        assert campaign.observations_.cost.tolist() == [5.0, 6.0]
        again = open_campaign(path)
        assert again.observations_.cost.tolist() == [5.0, 6.0]
        assert again.pool.names == ("x",)
        with pytest.raises(InputError, match=r"n_objectives must be 1, as when the campaign began. Got 2"):
            open_campaign(path, 2)

    def test_proposals_for_a_robot(self, place):
        campaign = opened(place)
        asked = campaign.ask(2)
        edited(place, b"0.10,300,\r\n", b"")
        edited(place, b"0.40,350,\r\n", b"0.40,350,\r\n0.10,300,\r\n")
        write_proposals(asked, place.with_name("proposals.csv"), place)
        assert (
            place.with_name("proposals.csv").read_bytes()
            == b"actions,x,T [K]\r\n3,0.10,300\r\n1,0.30,350\r\n"
        )
        beside = pd.read_csv(place.with_name("proposals.sozai.csv"))
        assert beside["proposal_id"].tolist() == [proposal.id for proposal in asked]
        assert list(beside) == ["actions", "proposal_id", "score", "mean", "std", "reason"]
        edited(place, b"0.30,350,\r\n", b"")
        with pytest.raises(InputError, match=r"proposals must be candidates of"):
            write_proposals(asked, place.with_name("proposals.csv"), place)


class TestEditedByHand:
    def test_results_that_were_entered(self, place):
        opened(place)
        edited(place, b"0.30,350,", b"0.30,350,50\xb10.5".decode("latin-1").encode("cp932", "replace"))
        edited(place, b"0.10,300,", "0.10,300,失敗".encode("cp932"))
        place.write_bytes(place.read_bytes().replace(b"50?0.5", b"50+/-0.5"))
        with pytest.warns(CampaignWarning, match=r"2 results were entered by hand, for example in line 2\."):
            campaign = opened(place)
        assert campaign.status_.n_failed == 1
        assert campaign.best_.value == 50.0
        assert campaign.best_.std == 0.5
        other = opened(place)
        save_campaign(campaign, place)
        save_campaign(other, place)
        assert opened(place).observations_.counts.ravel().tolist() == [1, 1]
        assert "失敗".encode("cp932") in place.read_bytes()

    def test_a_changed_result_is_a_correction(self, place):
        opened(place)
        edited(place, b"41.5", b"43.5")
        with pytest.warns(
            CampaignWarning, match=r"1 result was changed by hand and corrected, for example in line 3"
        ):
            campaign = opened(place)
        assert campaign.best_.value == 43.5
        assert campaign.events_[-1].kind == "corrected"

    def test_a_changed_mean_is_not_taken_over(self, place):
        campaign = opened(place)
        campaign.tell([0, 0], [1.0, 2.0])
        save_campaign(campaign, place)
        edited(place, b"0.10,300,1.5", b"0.10,300,1.6")
        with pytest.warns(CampaignWarning, match=r"1 mean of replicates was changed by hand and not taken"):
            assert opened(place).observations_.Y.ravel().tolist() == [1.5, 41.5]

    def test_an_emptied_result_is_kept(self, place):
        opened(place)
        edited(place, b"41.5", b"")
        with pytest.warns(
            CampaignWarning, match=r"1 result was emptied by hand and kept, for example in line 3"
        ):
            campaign = opened(place)
        assert campaign.status_.n_observed == 1

    def test_sorted_cut_and_extended_lists(self, place):
        campaign = opened(place)
        campaign.start(campaign.ask(3)[2])
        save_campaign(campaign, place)
        place.write_bytes(b"x,T [K],Tc [K]\r\n0.30,350,\r\n0.20,300,41.5\r\n0.10,300,\r\n0.55,360,\r\n")
        with pytest.warns(CampaignWarning) as caught:
            again = opened(place)
        said = " ".join(str(warning.message) for warning in caught)
        assert "1 candidate was added, for example in line 5." in said
        assert "1 candidate was taken out" in said
        assert "Still running: 1; what comes out will be accepted." in said
        assert "2 rows were moved; candidates were matched by their descriptors." in said
        assert [proposal.x["x"] for proposal in again.ask(3)] == [0.3, 0.1, 0.55]
        assert again.best_.index == 1
        with pytest.warns(CampaignWarning, match="left the list; its result was recorded"):
            again.tell({"x": 0.4, "T [K]": 350}, 99.0)
        save_campaign(again, place)
        assert opened(place).best_.value == 99.0
        assert b"0.4," not in place.read_bytes()

    def test_candidates_that_join_a_campaign_join_the_list(self, place):
        campaign = opened(place)
        campaign.tell({"x": 0.9, "T [K]": 310.5}, 7.0, adopt=True)
        save_campaign(campaign, place)
        assert place.read_bytes() == LIST + b"0.9,310.5,7.0\r\n"
        assert opened(place).status_.n_candidates == 5

    def test_another_list_and_another_header(self, place):
        opened(place)
        place.write_bytes(b"x,T [K],Tc [K]\r\n7,7,\r\n")
        with pytest.raises(InputError, match=r"hold candidates of the campaign. Got 'none of them'"):
            opened(place)
        place.write_bytes(LIST.replace(b"T [K],", b"P [Pa],"))
        with pytest.raises(InputError, match=r"descriptors must be \['x', 'T \[K\]'\]"):
            opened(place)

    def test_columns_may_change_places(self, place):
        opened(place)
        place.write_bytes(b"Tc [K],T [K],x\r\n,300,0.10\r\n41.5,300,0.20\r\n,350,0.30\r\n8,350,0.40\r\n")
        with pytest.warns(CampaignWarning, match="1 result was entered by hand, for example in line 5"):
            campaign = opened(place)
        assert campaign.observations_.rows.tolist() == [1, 3]

    def test_rows_of_one_candidate_keep_their_own_results(self, tmp_path):
        path = tmp_path / "list.csv"
        data = b"x,y\n1,5.00\n1,7\n2,\n1,\n1,\n"
        path.write_bytes(data)
        with pytest.warns(CampaignWarning, match="3 rows repeat"):
            campaign = opened(path)
        assert campaign.observations_.Y.tolist() == [[6.0]]
        campaign.tell(0, 9.0)
        save_campaign(campaign, path)
        assert path.read_bytes() == b"x,y\n1,5.00\n1,7\n2,\n1,9.0\n1,\n"
        path.write_bytes(path.read_bytes().replace(b"1,\n", b"1,5\n"))
        by_hand = pytest.warns(CampaignWarning, match="1 result was entered by hand, for example in line 6")
        with by_hand, pytest.warns(CampaignWarning, match="rows repeat"):
            again = opened(path)
        assert sorted(again.results_["y"]) == [5.0, 5.0, 7.0, 9.0]

    def test_a_list_that_is_still_being_written(self, place):
        script = (
            "import sys, time\n"
            "with open(sys.argv[1], 'ab', buffering=0) as file:\n"
            "    print('go', flush=True)\n"
            "    for k in range(6):\n"
            "        file.write(b'%d,400,\\r\\n' % (k + 5)); time.sleep(0.1)\n"
        )
        writer = subprocess.Popen([sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE)
        writer.stdout.readline()
        campaign = open_campaign(place, settle=0.6)
        assert writer.wait() == 0
        writer.stdout.close()
        assert campaign.status_.n_candidates == 10


class TestRefused:
    def test_pickles(self, place):
        place.with_name(RECORD).write_bytes(pickle.dumps({"a": 1}))
        with pytest.raises(InputError, match=r"must be JSON. Got 'a pickle'. A pickle can run any program"):
            opened(place)
        with pytest.raises(
            InputError, match=r"name a CSV file; a pickle can run any program. Got .*state.pkl"
        ):
            open_campaign(place.with_name("state.pkl"))

    def test_newer_schema_changed_bytes_and_other_json(self, place):
        opened(place)
        beside = place.with_name(RECORD)
        good = beside.read_bytes()
        beside.write_bytes(good.replace(b'"schema": 1', b'"schema": 2'))
        with pytest.raises(InputError, match=r"have schema 1 or older. Got 2.*pip install --upgrade"):
            opened(place)
        beside.write_bytes(good.replace(b"41.5", b"42.5"))
        with pytest.raises(InputError, match=r"be unchanged since it was saved. Got 'SHA-256"):
            opened(place)
        beside.write_bytes(good[:-40])
        with pytest.raises(InputError, match="must be JSON"):
            opened(place)
        beside.write_bytes(b"[1, 2]")
        with pytest.raises(InputError, match=r"be the record of a campaign. Got 'list'"):
            opened(place)
        beside.write_bytes(good)
        assert json.loads(good)["version"]
        assert opened(place).status_.n_observed == 1

    def test_missing_folders_empty_lists_and_phases(self, tmp_path):
        with pytest.raises(InputError, match="be in an existing folder"):
            open_campaign(tmp_path / "nowhere" / "candidates.csv")
        with pytest.raises(InputError, match="name an existing file"):
            open_campaign(tmp_path / "candidates.csv")
        path = tmp_path / "phases.csv"
        path.write_bytes(b"x,phase\n1,A\n2,B\n")
        with pytest.raises(InputError, match=r"results must be numbers. Got \['A', 'B'\]"):
            open_campaign(path, settle=0)

    def test_objectives_must_fit_the_columns(self, place):
        with pytest.raises(InputError, match=r"objectives must name a column of .*Got 'Hc'"):
            open_campaign(place, objectives="Hc", settle=0)


class TestLocked:
    def test_a_list_that_is_open_elsewhere(self, place, monkeypatch):
        campaign = opened(place)
        campaign.tell(0, 1.0)
        real = campaign_folder.replace_file

        def refuses(path, payload):
            if path == place:
                raise PermissionError(13, "in use")
            real(path, payload)

        monkeypatch.setattr(campaign_folder, "replace_file", refuses)
        monkeypatch.setattr(campaign_folder.time, "sleep", lambda seconds: None)
        with pytest.warns(CampaignWarning, match="is open in another program and was not changed"):
            save_campaign(campaign, place)
        assert place.read_bytes() == LIST
        monkeypatch.undo()
        again = opened(place)
        assert again.status_.n_observed == 2
        save_campaign(again, place)
        assert b"0.10,300,1.0" in place.read_bytes()

    def test_a_living_process_is_waited_for(self, tmp_path):
        lock = tmp_path / "a.lock"
        script = (
            "import sys, time; from pathlib import Path; from sozai.study.file_lock import file_lock\n"
            "with file_lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(30)\n"
        )
        holder = subprocess.Popen([sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE)
        try:
            assert holder.stdout.readline().strip() == b"held"
            busy = pytest.raises(InputError, match=rf"be free within 0.1 s. Got .*{holder.pid}")
            with busy, file_lock(lock, timeout=0.1):
                pass
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()
        assert lock.exists()
        with file_lock(lock, timeout=1.0) as left_over:
            assert left_over["process"] == holder.pid
        assert not lock.exists()


# --- death at every step ------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
STEPS = [(os, name) for name in ("open", "fsync", "replace", "chmod", "unlink", "close", "write")]
STEPS += [(tempfile, "mkstemp"), (Path, "unlink"), (os, "fdopen")]


class HalfWritten:
    """A file that dies when half of what it should hold is on the disk."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def write(self, payload):
        self.file.write(payload[: len(payload) // 2])
        self.file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def test_goals_named_again_have_the_units_and_the_order_of_the_record(tmp_path):
    place = tmp_path / "list.csv"
    place.write_bytes(b"x,Tc [K],cost\n0.1,,\n0.2,41.5,3\n0.3,,\n")
    goals = [Objective("Tc"), Objective("cost", "minimize")]
    for named in (goals, goals[::-1]):
        campaign = open_campaign(place, objectives=named, settle=0)
        assert campaign.objectives == (Objective("Tc [K]"), Objective("cost", "minimize"))
        assert campaign.observations_.Y.tolist() == [[41.5, 3.0]]
    with pytest.raises(InputError, match=r"unit of 'Tc' must be that of the column \(K\)"):
        open_campaign(place, objectives=["Tc [mK]", "cost"])


def forked(work):
    """Run ``work`` in a child process; its wait status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def dies_at(step, after, work):
    """``work`` in a process that is killed before or after its ``step``-th system call."""

    def run():
        count = [0]

        def wrapped(function, name):
            def call(*args, **kwargs):
                count[0] += 1
                here = count[0] == step
                if here and not after and name != "fdopen":
                    os.kill(os.getpid(), signal.SIGKILL)
                if here and name == "fdopen":
                    return HalfWritten(function(*args, **kwargs))
                try:
                    return function(*args, **kwargs)
                finally:
                    if here:
                        os.kill(os.getpid(), signal.SIGKILL)

            return call

        for owner, name in STEPS:
            setattr(owner, name, wrapped(getattr(owner, name), name))
        work()

    _, status = os.waitpid(forked(run), 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@needs_fork
@pytest.mark.parametrize("after", [False, True])
def test_a_process_killed_at_any_step_loses_nothing(tmp_path, after):
    survived = 0
    for step in range(1, 200):
        folder = tmp_path / f"{after} {step}"
        folder.mkdir()
        place = folder / "candidates.csv"
        place.write_bytes(LIST)
        campaign = opened(place)
        campaign.tell(0, 1.25, run_id="a")
        save_campaign(campaign, place)
        campaign.tell(2, 2.25, run_id="b")
        if not dies_at(step, after, lambda: save_campaign(campaign, place)):  # noqa: B023
            break
        again = opened(place)
        assert set(again.observations_.Y.ravel()) in ({1.25, 41.5}, {1.25, 41.5, 2.25})
        again.tell(2, 2.25, run_id="b")
        save_campaign(again, place)
        expected = LIST.replace(b"0.10,300,", b"0.10,300,1.25").replace(b"0.30,350,", b"0.30,350,2.25")
        assert place.read_bytes() == expected
        assert opened(place).observations_.counts.ravel().tolist() == [1, 1, 1]
        assert sorted(path.name for path in folder.iterdir()) == ["candidates.csv", RECORD]
        survived += 1
    assert survived >= 25


@needs_fork
@pytest.mark.slow
def test_two_writers_lose_nothing(tmp_path):
    place = tmp_path / "candidates.csv"
    place.write_bytes(b"x,y\n" + b"".join(b"%d.50,\n" % k for k in range(400)))
    opened(place)

    def writer(part):
        def work():
            campaign = opened(place)
            for k in range(200):
                campaign.tell(2 * k + part, float(2 * k + part) + 0.25)
                save_campaign(campaign, place, timeout=120)

        return work

    children = [forked(writer(part)) for part in (0, 1)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    again = opened(place)
    assert again.status_.n_observed == 400
    assert again.observations_.Y.ravel().tolist() == [k + 0.25 for k in range(400)]
    assert place.read_bytes() == b"x,y\n" + b"".join(b"%d.50,%d.25\n" % (k, k) for k in range(400))


@pytest.mark.slow
def test_a_hundred_thousand_events_fold_within_a_second():
    from sozai.proposals.campaign_events import Event, fold

    events = [
        Event(
            k,
            f"a.{k}",
            "told",
            "",
            {"id": f"{k // 2:012x}", "values": [1.0 * k], "status": ["ok"], "x": [1.0]},
        )
        for k in range(100_000)
    ]
    seconds = []
    for _ in range(3):
        start = time.process_time()
        state = fold(events)
        seconds.append(time.process_time() - start)
    assert len(state.results) == 100_000
    assert min(seconds) < 1.0


def test_categories_are_not_written(tmp_path):
    space = Product(Box({"x": (0.0, 1.0)}), Categorical("s", ["u", "v"]))
    campaign = Campaign(space, "y")
    campaign.tell({"x": 0.5, "s": "u"}, 1.0)
    with pytest.raises(InputError, match=r"save_campaign: descriptors must be numbers. Got \['s'\]"):
        save_campaign(campaign, tmp_path / "candidates.csv")


def test_a_folder_keeps_the_points_of_a_space_and_says_so(tmp_path):
    place, space = tmp_path / "candidates.csv", Box({"x": (0.0, 1.0)})
    campaign = Campaign(space, "y")
    with pytest.raises(InputError, match="after the first tell"):
        save_campaign(campaign, place)
    campaign.tell({"x": 0.5}, 1.0)
    with pytest.warns(CampaignWarning, match="points told so far, not the space"):
        save_campaign(campaign, place)
    again = Campaign.from_events(space, "y", open_campaign(place).events_)
    assert again.status_ == campaign.status_
    again.tell({"x": 0.25}, 2.0)
    save_campaign(again, place)
    assert open_campaign(place).status_.n_observed == 2


class TestUnsavedEventsAndChangesByHand:
    """A list edited by hand while a campaign that has it open holds events that are not saved yet."""

    @pytest.fixture
    def saved(self, tmp_path):
        place = tmp_path / "list.csv"
        place.write_bytes(b"x,Tc [K]\n0.0,\n0.1,\n0.2,\n0.3,\n0.4,\n")
        campaign = open_campaign(place, settle=0)
        for row, value in ((0, 0.5), (3, 3.5)):
            campaign.tell(row, value)
        save_campaign(campaign, place)
        return place

    @staticmethod
    def write(place, row, text):
        lines = place.read_text().split("\n")
        lines[row + 1] = f"{lines[row + 1].partition(',')[0]},{text}"
        place.write_text("\n".join(lines))

    def saved_after(self, place, act, row=2, text="77"):
        campaign = open_campaign(place, settle=0)
        act(campaign)
        self.write(place, row, text)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            save_campaign(campaign, place)
        cells = [line.partition(",")[2] for line in place.read_text().split("\n")[1:-1]]
        return cells, [str(warning.message).partition(": ")[2] for warning in caught]

    def test_a_correction_and_a_rollback_stay(self, saved):
        second = [event for event in open_campaign(saved).events_ if event.kind == "told"][1]
        cells, notes = self.saved_after(saved, lambda campaign: campaign.correct(second.id, 9.0))
        assert cells == ["0.5", "", "77", "9.0", ""]
        assert notes == ["1 result was entered by hand, for example in line 4."]
        cells, notes = self.saved_after(saved, lambda campaign: campaign.rollback(0), row=4, text="5")
        assert cells == ["", "", "", "", "5"]
        assert notes == ["1 result was entered by hand, for example in line 6."]

    def test_what_was_told_is_not_taken_for_a_change(self, saved):
        def act(campaign):
            campaign.tell(1, 12.5)
            campaign.tell(0, 1.5)

        cells, notes = self.saved_after(saved, act)
        assert cells == ["1.0", "12.5", "77", "3.5", ""]
        assert notes == ["1 result was entered by hand, for example in line 4."]

    def test_one_cell_told_and_written(self, saved):
        cells, notes = self.saved_after(saved, lambda campaign: campaign.tell(2, 77.0))
        assert (cells[2], notes) == ("77", [])
        assert len(open_campaign(saved).results_) == 3
        cells, notes = self.saved_after(saved, lambda campaign: campaign.tell(4, 1.0), row=4, text="2")
        assert cells[4] == "1.5"
        assert "both count, as replicates" in notes[1]

    def test_a_new_column_is_left_alone(self, saved):
        lines = saved.read_text().split("\n")
        widened = [f"{line},{more}" for line, more in zip(lines, ("P", "", "3", "", "", "1"), strict=False)]
        saved.write_text("\n".join([*widened, ""]))
        campaign = open_campaign(saved, settle=0)
        assert campaign.pool.names == ("x",)
        assert campaign.status_.n_observed == 2
        campaign.tell(1, 2.0)
        save_campaign(campaign, saved)
        assert saved.read_text().split("\n")[2] == "0.1,2.0,3"

    def test_a_deleted_list_is_written_anew_in_silence(self, saved):
        campaign = open_campaign(saved, settle=0)
        campaign.tell(4, 1.0)
        saved.unlink()
        save_campaign(campaign, saved)
        assert open_campaign(saved).status_ == campaign.status_

    def test_candidates_cut_from_the_list_are_named_and_not_counted(self, saved):
        campaign = open_campaign(saved, settle=0)
        lines = saved.read_text().split("\n")
        saved.write_text("\n".join([lines[0], *lines[3:]]))
        with pytest.warns(CampaignWarning, match=r"2 candidates were taken out, for example x=0\."):
            save_campaign(campaign, saved)
        status = campaign.status_
        assert (status.n_candidates, status.n_observed, status.n_open) == (3, 1, 2)
