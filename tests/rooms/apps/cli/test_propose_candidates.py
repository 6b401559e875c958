"""The closed loop with files: proposals, results told, what is running, the report."""

import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli.propose_question import goal_words, read_goal
from sozai.apps.cli.usage import UsageError
from sozai.proposals.objectives import Range, Target

# --- the answer --------------------------------------------------------------------------------------


def test_json_has_the_promised_keys_and_asking_writes_nothing(ask, listed):
    answer = ask(listed, "--objective", "Tc [K]:max", "-n", 2)
    assert (answer["schema"], answer["input"]) == ("sozai.propose.candidates/1", str(listed))
    assert answer["units"] == {"x": None, "T": "K", "Tc": "K"}
    assert answer["objectives"] == [{"name": "Tc", "goal": "max", "unit": "K"}]
    status = answer["status"]
    assert [status[key] for key in ("n_candidates", "n_observed", "n_failed", "finished")] == [8, 4, 0, False]
    assert len(answer["proposals"]) == 2
    for proposal in answer["proposals"]:
        assert proposal["index"] in {0, 2, 4, 6}
        assert proposal["x"] == {
            "x": (proposal["index"] + 1) / 10,
            "T [K]": 300 + 10 * (proposal["index"] // 3),
        }
        assert 30 < proposal["mean"] < 50
        assert proposal["std"] > 0
        assert proposal["low"] < proposal["mean"] < proposal["high"]
        assert proposal["high"] - proposal["low"] > 2 * 1.6 * proposal["std"]  # noise and parameters included
        assert proposal["reason"].endswith(".")
        assert "K" in proposal["reason"]
    assert answer["best"] == [{"index": 3, "x": {"x": 0.4, "T [K]": 310}, "values": {"Tc": 43.25}}]
    assert sorted(path.name for path in listed.parent.iterdir()) == ["candidates.csv"]


def test_more_proposals_begin_with_the_fewer(ask, listed):
    few, many = (ask(listed, "--objective", "Tc:max", "-n", n)["proposals"] for n in (2, 3))
    assert many[:2] == few


def test_minimizing_the_negative_asks_for_the_same(ask, written, listed, tmp_path):
    rows = [line.split(",") for line in listed.read_text(encoding="utf-8").splitlines()[1:]]
    text = "x,T [K],Tc [K]\r\n" + "".join(f"{x},{t},{'-' + y if y else ''}\r\n" for x, t, y in rows)
    up = ask(listed, "--maximize", "-n", 2)["proposals"]
    down = ask(written(tmp_path, text, "negative.csv"), "--minimize", "-n", 2)["proposals"]
    assert [p["index"] for p in down] == [p["index"] for p in up]
    np.testing.assert_allclose([p["mean"] for p in down], [-p["mean"] for p in up], rtol=1e-9)


def test_what_is_said_on_the_terminal(run, listed):
    code, out, err = run("propose", "candidates", listed, "--objective", "Tc:max", "-n", 2)
    assert (code, err) == (0, "")
    assert "What to measure next (Tc [K]: max)" in out
    assert "4 of 8 measured, 0 failed, 0 running, 4 open" in out
    assert "Best so far: 43.25 K in row 3." in out
    assert "Highest log expected improvement" in out
    assert "--start marks them as running" in out


def test_proposals_are_written_as_in_the_list(run, written, listed, tmp_path):
    text = listed.read_text(encoding="utf-8").replace(",", ";").replace("\n", "\r\n")
    path = written(tmp_path, text, encoding="utf-8-sig")
    out = tmp_path / "proposals.csv"
    code, said, _ = run(
        "propose", "candidates", path, "--objective", "Tc:max", "--method", "exhaustive", "-n", 2, "-o", out
    )
    assert code == 0
    assert out.read_bytes() == b"\xef\xbb\xbfactions;x;T [K]\r\n0;0.10;300\r\n2;0.30;300\r\n"
    beside = pd.read_csv(tmp_path / "proposals.sozai.csv")
    assert list(beside) == ["actions", "proposal_id", "score", "mean", "std", "reason"]
    assert beside["actions"].tolist() == [0, 2]
    assert str(out) in said


@pytest.mark.parametrize("method", ["bayesian", "random", "exhaustive", "space-filling", "evolutionary"])
def test_every_method_proposes_open_candidates(ask, listed, method):
    answer = ask(listed, "--objective", "Tc:max", "--method", method, "-n", 3, "--seed", 5)
    rows = [proposal["index"] for proposal in answer["proposals"]]
    assert len(set(rows)) == 3
    assert set(rows) <= {0, 2, 4, 6}
    assert answer["method"] == method


def test_the_seed_is_the_answer_of_chance_and_jobs_are_not(ask, written, tmp_path):
    text = "x,y\n" + "".join(f"{k},\n" for k in range(200))
    path = written(tmp_path, text)
    rows = [
        [p["index"] for p in ask(path, "--method", "random", "-n", 5, "--seed", seed)["proposals"]]
        for seed in (1, 1, 2)
    ]
    assert rows[0] == rows[1] != rows[2]
    one, two = (ask(path, "-n", 3, "--n-jobs", n)["proposals"] for n in (1, 2))
    assert one == two


@pytest.mark.parametrize("goal", ["target=42", "range=41..42", "range=44..", "range=..30"])
def test_targets_and_ranges(ask, listed, goal):
    answer = ask(listed, "--objective", f"Tc [K]:{goal}")
    assert answer["objectives"][0]["goal"] == goal
    assert answer["proposals"][0]["index"] in {0, 2, 4, 6}


def test_goals_are_read():
    assert read_goal("a:b=c [K]:MAX") == ("a:b=c [K]", "maximize")
    assert read_goal("gap:target=-1.5e3") == ("gap", Target(-1500.0))
    assert read_goal("gap:range=-1..2") == ("gap", Range(-1.0, 2.0))
    assert goal_words(read_goal("gap:range=..2")[1]) == "range=..2"
    for wrong in ("Tc", ":max", "Tc:", "Tc:best", "Tc:target=", "Tc:target=x", "Tc:range=1", "Tc:range=2..1",
                  "Tc:range=..", "Tc:target=nan"):  # fmt: skip
        with pytest.raises(UsageError, match="--objective"):
            read_goal(wrong)


def test_several_objectives_have_a_number_each(ask, written, tmp_path):
    rng = np.random.default_rng(0)
    strong = ["" if k % 2 else f"{k - 0.04 * k * k:.3f}" for k in range(21)]
    price = ["" if k % 2 else f"{20 - k + rng.random():.3f}" for k in range(21)]
    lines = [f"{k / 20:g},{strong[k]},{price[k]}" for k in range(21)]
    path = written(tmp_path, "x,strength [MPa],price\n" + "\n".join(lines) + "\n")
    options = ("--objective", "price:min", "--objective", "strength:max", "-n", 2)
    answer = ask(path, *options)
    for proposal in answer["proposals"]:
        assert set(proposal["mean"]) == set(proposal["std"]) == {"strength", "price"}
        assert min(proposal["std"].values()) > 0
        assert 0 < proposal["mean"]["price"] < 25
    assert [o["goal"] for o in answer["objectives"]] == ["min", "max"]
    nimo = ask(path, "--objectives", 2, "--minimize")
    assert [(o["name"], o["goal"]) for o in nimo["objectives"]] == [("strength", "min"), ("price", "min")]


# --- the loop ----------------------------------------------------------------------------------------


def test_told_results_stand_in_the_list_and_other_bytes_stay(run, ask, listed):
    before = listed.read_bytes()
    code, out, err = run(
        "propose", "candidates", listed, "--objective", "Tc:max", "--tell", "0=38.75", "--tell", "4=failed"
    )
    assert (code, err) == (0, "")
    assert listed.read_bytes() == before.replace(b"0.10,300,", b"0.10,300,38.75")
    assert "Entered 2 results into candidates.csv: other cells keep their bytes" in out
    assert "candidates.sozai.json" in out
    answer = ask(listed)  # goals are remembered
    assert answer["objectives"] == [{"name": "Tc", "goal": "max", "unit": "K"}]
    assert (answer["status"]["n_observed"], answer["status"]["n_failed"]) == (5, 1)
    assert answer["proposals"][0]["index"] in {2, 6}


def test_the_same_command_twice_enters_a_result_once(ask, listed):
    first = ask(listed, "--objective", "Tc:max", "--tell", "0=38.75")
    data = listed.read_bytes()
    again = ask(listed, "--objective", "Tc:max", "--tell", "0=38.75")
    assert (first["entered"], again["entered"]) == (1, 0)
    assert listed.read_bytes() == data
    assert "Row 0: 38.75 was known already" in again["warnings"][0]
    other = ask(listed, "--tell", "0=39.25")  # another value is a second measurement
    assert other["entered"] == 1
    assert b"0.10,300,39.0\r\n" in listed.read_bytes()


def test_equal_results_in_one_command_are_replicates(ask, listed):
    assert ask(listed, "--objective", "Tc:max", "--tell", "0=38", "--tell", "0=38")["entered"] == 2


def test_started_proposals_are_not_proposed_again_until_released(ask, listed):
    options = ("--objective", "Tc:max", "-n", 2)
    first = ask(listed, *options, "--start")
    assert first["started"] is True
    rows = {proposal["index"] for proposal in first["proposals"]}
    second = ask(listed, *options)
    assert second["status"]["n_running"] == 2
    assert not rows & {proposal["index"] for proposal in second["proposals"]}
    one = min(rows)
    assert ask(listed, "--release", one)["status"]["n_running"] == 1
    third = ask(listed, "--release", *options)  # alone: all of them
    assert third["status"]["n_running"] == 0
    assert {proposal["index"] for proposal in third["proposals"]} == rows


def test_a_slip_of_the_hand_is_taken_back(run, ask, refused, listed):
    before = listed.read_bytes()
    row = ask(listed, "--objective", "Tc:max", "--tell", "0=38.75")["best"][0]["index"]
    assert row == 3
    answer = ask(listed, "--tell", "0=38.10", "--tell", "3=failed")
    assert (answer["entered"], answer["withdrawn"]) == (2, 0)
    note = "Row 0 has 2 results of Tc; the list holds their mean, 38.425. --withdraw 0 takes the latest back."
    assert note in answer["warnings"]
    assert b"0.10,300,38.425\r\n" in listed.read_bytes()
    code, out, _ = run("propose", "candidates", listed, "--withdraw", 0)
    assert code == 0
    assert "Withdrawn: 38.1 of row 0; it stays in the history." in out
    assert b"0.10,300,38.75\r\n" in listed.read_bytes()
    _, out, _ = run("propose", "candidates", listed, "--withdraw", 0, "--withdraw", 3)
    assert "Withdrawn: failed of row 3" in out
    assert listed.read_bytes() == before
    assert "--withdraw: the row must have a result. Got 0." in refused(listed, "--withdraw", 0)
    assert "must be a row from 0" in refused(listed, "--withdraw", "x", code=2)


def test_a_mean_of_replicates_is_written_as_people_write_it(ask, written, tmp_path):
    path = written(tmp_path, "x,y\n0,1.72\n1,\n2,1\n")
    ask(path, "--tell", "0=2.01", "--method", "exhaustive")
    assert path.read_text().splitlines()[1] == "0,1.865"


def test_running_rows_are_released_by_name(ask, written, tmp_path):
    path = written(tmp_path, "name,x,y\na,0,1\nb,1,\nc,2,\nd,3,2\n")
    options = ("--id", "name", "--method", "exhaustive", "--objective", "y:max")
    assert ask(path, *options, "-n", 2, "--start")["status"]["n_running"] == 0 + 2
    assert ask(path, *options, "--release", "b")["proposals"][0]["index"] == 1
    assert ask(path, *options, "--release")["status"]["n_running"] == 0


def test_unused_and_counting_columns_are_pointed_at(ask, refused, written, tmp_path):
    path = written(tmp_path, "No,x,memo,y\n1,0.3,old,1\n2,0.1,new,\n3,0.2,new,\n4,0.7,old,2\n")
    notes = ask(path, "--objective", "y:max", "--method", "exhaustive")["warnings"]
    assert notes[0] == "Not used: 'memo' (not numbers)."
    assert notes[1].startswith("Column 'No' only counts the rows")
    quiet = ask(path, "--objective", "y:max", "--method", "exhaustive", "--ignore", "memo", "--id", "No")
    assert quiet["warnings"] == []
    assert "Got 'old' at line 2, column 'memo'" in refused(path)
    assert refused(path).strip().endswith("Give its column to --id or --ignore.")


def test_predictions_end_at_the_second_digit_of_their_error(run, ask, written, tmp_path):
    path = written(
        tmp_path,
        "x,a [K],b\n" + "".join(f"{k},{k * k if k % 2 else ''},{-k if k % 2 else ''}\n" for k in range(12)),
    )
    answer = ask(path, "--objectives", 2)["proposals"][0]
    _, out, _ = run("propose", "candidates", path, "--objectives", 2)
    from sozai.contracts.records import with_error

    assert f"a {with_error(answer['mean']['a'], answer['std']['a'])} K, b " in out
    assert answer["low"]["a"] < answer["mean"]["a"] < answer["high"]["a"]
    blind = ask(path, "--objectives", 2, "--method", "random")["proposals"][0]
    assert (blind["low"], blind["high"]) == (None, None)
    assert f"--tell {answer['index']}=V1,V2 enters a result" in out


def test_results_typed_into_the_file_are_taken_over(ask, written, listed):
    ask(listed, "--objective", "Tc:max", "--start")
    text = listed.read_bytes().decode().replace("0.70,320,", "0.70,320,39.5")
    written(listed.parent, text)
    answer = ask(listed)
    assert answer["status"]["n_observed"] == 5
    assert any("1 result was entered by hand" in note for note in answer["warnings"])


def test_parts_of_several_objectives(ask, written, tmp_path):
    path = written(tmp_path, "x,a,b\n0,1,2\n1,3,1\n2,,\n3,,\n4,2,2\n5,,\n")
    options = ("--objectives", 2, "--method", "random")
    ask(path, *options, "--tell", "2=5,4", "--tell", "3:b=7", "--tell", "3:a=6")
    assert path.read_text() == "x,a,b\n0,1,2\n1,3,1\n2,5.0,4.0\n3,6.0,7.0\n4,2,2\n5,,\n"
    ask(path, "--method", "random", "--tell", "5=,9")
    assert path.read_text().endswith("5,,9.0\n")


def test_rows_by_name(ask, written, tmp_path):
    path = written(tmp_path, "sample,x,y\nA-1,0,1\nA-2,1,\nA-3,2,3\nA-4,3,\n")
    options = ("--objective", "y:max", "--id", "sample", "--method", "exhaustive")
    answer = ask(path, *options)
    assert (answer["proposals"][0]["name"], answer["proposals"][0]["x"]) == ("A-2", {"x": 1})
    ask(path, *options, "--tell", "A-2=5")
    assert "A-2,1,5.0" in path.read_text()


def test_cost_is_no_descriptor(ask, written, tmp_path):
    path = written(tmp_path, "x,price,y\n0,1,1\n1,1,\n2,9,3\n3,1,\n4,2,2\n")
    answer = ask(path, "--objective", "y:max", "--cost", "price")
    assert answer["descriptors"] == ["x"]
    ignored = ask(path, "--objective", "y:max", "--ignore", "price")
    assert ignored["descriptors"] == ["x"]


def test_a_workbook_is_read_and_never_written(ask, refused, written, tmp_path):
    frame = pd.DataFrame({"x": [0.5, 1.5, 2.5, 3.5], "Tc [K]": [1.25, None, 3.0, None]})
    path = tmp_path / "list.xlsx"
    with pd.ExcelWriter(path) as book:
        frame.iloc[:2].to_excel(book, sheet_name="old", index=False)
        frame.to_excel(book, sheet_name="new", index=False)
    out = tmp_path / "proposals.csv"
    answer = ask(
        path, "--sheet", "new", "--objective", "Tc:max", "--method", "exhaustive", "-n", 2, "-o", out
    )
    assert [proposal["x"] for proposal in answer["proposals"]] == [{"x": 1.5}, {"x": 3.5}]
    assert out.read_bytes() == b"\xef\xbb\xbfactions,x\r\n1,1.5\r\n3,3.5\r\n"
    assert "Save the sheet as CSV" in refused(path, "--sheet", "new", "--tell", "1=2")
    assert "Leave it out" in refused(written(tmp_path), "--sheet", "new")


def test_only_what_runs_is_left(ask, written, tmp_path):
    path = written(tmp_path, "x,y\n0,1\n1,\n2,3\n")
    ask(path, "--start", "--method", "random")
    answer = ask(path)
    assert (answer["proposals"], answer["status"]["finished"]) == ([], False)
    assert "until results come in (2 of 3 measured, 0 failed, 1 running)" in answer["warnings"][0]


def test_a_folder_and_units_in_parentheses(ask, written, tmp_path):
    path = written(tmp_path, "a (mm),Tc (measured) (K)\n0,1\n1,\n2,3\n3,\n")
    options = ("--objective", "Tc (measured):min", "--method", "exhaustive")
    answer = ask(tmp_path, *options, "--tell", "1=2.5 K")
    assert answer["objectives"] == [{"name": "Tc (measured)", "goal": "min", "unit": "K"}]
    assert answer["units"] == {"a": "mm", "Tc (measured)": "K"}
    assert path.read_text().splitlines()[2] == "1,2.5"
    assert ask(tmp_path, "--method", "exhaustive")["proposals"][0]["index"] == 3


def test_replicates_in_the_list_are_one_candidate(ask, written, tmp_path):
    path = written(tmp_path, "x,y\n0,1\n0,1.5\n1,\n2,3\n3,\n4,2\n")
    answer = ask(path, "--maximize", "-n", 5)
    assert [answer["status"][key] for key in ("n_candidates", "n_observed", "n_open")] == [5, 3, 2]
    assert {proposal["index"] for proposal in answer["proposals"]} == {2, 4}
    assert "1 row repeats a candidate" in answer["warnings"][0]


def test_bounds_are_results(ask, written, tmp_path):
    path = written(tmp_path, "x,y\n0,<1\n1,\n2,3\n3,\n4,2\n5,4±0.5\n")
    answer = ask(path, "--maximize")
    assert answer["status"]["n_observed"] == 4
    ask(path, "--maximize", "--tell", "1=<0.5", "--method", "random")
    assert path.read_text().splitlines()[2] == "1,"
    assert ask(path, "--method", "random")["status"]["n_observed"] == 5


# --- the report --------------------------------------------------------------------------------------


def test_the_report_says_why(run, listed, tmp_path):
    out = tmp_path / "out"
    code, said, err = run("propose", "candidates", listed, "--objective", "Tc:max", "-n", 2, "--output", out)
    assert (code, err) == (0, "")
    page = (out / "report.html").read_text(encoding="utf-8")
    for words in (
        "What to measure next",
        "Why these",
        "Highest log expected improvement",
        "Best so far",
        "<svg",
    ):
        assert words in page
    assert sorted(path.name for path in (out / "figures").iterdir()) == [
        "history.png", "history.svg", "why.png", "why.svg",
    ]  # fmt: skip
    assert len(pd.read_csv(out / "proposals.csv")) == 2
    assert len(pd.read_csv(out / "overview.csv")) == 8
    assert str(out / "report.html") in said


@pytest.mark.parametrize("text", ["x,y\n0,1\n1,2\n", "x,y\n0,\n1,\n", "x,y\n0,failed\n1,\n2,1\n"])
def test_the_report_of_an_end_and_of_a_beginning(run, written, tmp_path, text):
    code, _, err = run("propose", "candidates", written(tmp_path, text), "--output", tmp_path / "out")
    assert (code, err) == (0, "")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "How the campaign stands" in page


def test_the_report_of_several_objectives(run, written, tmp_path):
    lines = [f"{k},{k * k if k % 2 else ''},{-k if k % 2 else ''}" for k in range(12)]
    path = written(tmp_path, "x,a [K],b\n" + "\n".join(lines) + "\n")
    out = tmp_path / "out"
    code, said, err = run("propose", "candidates", path, "--objectives", 2, "--output", out)
    assert (code, err) == (0, "")
    assert "Best compromises so far: 6" in said
    names = {path.name for path in (out / "figures").iterdir()}
    assert {"front.svg", "why.svg", "why_2.svg"} <= names


@pytest.mark.parametrize("score", [None, "straddle", "margin"])
def test_thresholds_are_a_goal(ask, written, tmp_path, score):
    text = "x,rate [%/h]\n" + "".join(
        f"{k / 20:g},{'' if k % 4 else format(0.02 * 10 ** (k / 8), '.4g')}\n" for k in range(21)
    )
    path = written(tmp_path, text)
    goal = "rate [%/h]:log-thresholds=0.15/0.6"
    options = () if score is None else ("--acquisition", score)
    answer = ask(path, "--objective", goal, "-n", 2, "--output", tmp_path / "out", *options)
    assert answer["objectives"][0]["goal"] == "log-thresholds=0.15/0.6"
    crossed = [8 * np.log10(end / 0.02) for end in (0.15, 0.6)]
    assert min(abs(answer["proposals"][0]["index"] - place) for place in crossed) < 1.5
    assert "0.15-0.6" in answer["proposals"][0]["reason"]


def test_scores_of_phases_are_for_thresholds(refused, listed):
    said = refused(listed, "--objective", "Tc:thresholds=40", "--acquisition", "ei", code=2)
    assert "--acquisition: score must be a score object or one of least_confident" in said
