"""Every trap of a list of candidates through the command line: encodings, wrong cells, names, options."""

from pathlib import Path

import pytest

# --- traps of the dialect ----------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_encodings_come_back_as_they_were(ask, written, tmp_path, encoding):
    text = "組成,温度 [K],磁化\r\n0.1,300,\r\n0.2,310,1.5\r\n0.3,320,\r\n0.4,330,2.5\r\n"
    path = written(tmp_path, text, encoding=encoding)
    out = tmp_path / "proposals.csv"
    answer = ask(
        path, "--objective", "磁化:max", "--method", "exhaustive", "--tell", "0=2", "-o", out, "-n", 9
    )
    assert [p["index"] for p in answer["proposals"]] == [2]
    assert path.read_bytes().decode(encoding) == text.replace("0.1,300,", "0.1,300,2.0")
    assert path.read_bytes()[:3] == text.encode(encoding)[:3]
    assert out.read_bytes().decode(encoding) == "actions,組成,温度 [K]\r\n2,0.3,320\r\n"


def test_failed_cells_are_not_proposed_again(ask, written, tmp_path):
    path = written(tmp_path, "x,y\n0,1\n1,failed\n2,失敗\n3,\n4,2\n")
    answer = ask(path, "-n", 5)
    assert [proposal["index"] for proposal in answer["proposals"]] == [3]
    assert (answer["status"]["n_observed"], answer["status"]["n_failed"]) == (2, 2)
    assert "1 of 5 proposals" in answer["warnings"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,y\n0,1\n1,inf\n2,\n", "Got 'inf' at line 3, column 'y'"),
        ("x,y\n0,1\n,2\n2,\n", "Got 'a blank' at line 3, column 'x'"),
        ("x,y\n0,1\nabc,2\n2,\n", "Got 'abc' at line 3, column 'x'"),
        ("x,y\n", "only a header"),
        ("", "candidates.csv"),
        ("x,y\n0,1\n1,2,3\n2,\n", "line 3"),
        ("y\n0\n1\n", "Add a column of numbers that describes the candidates."),
        ("x,x,y\n0,1,2\n", "x"),
    ],
)
def test_what_cannot_be_read_is_refused_with_row_and_column(refused, written, tmp_path, text, words):
    assert words in refused(written(tmp_path, text))


def test_nothing_measured_fills_the_list(ask, written, tmp_path):
    path = written(tmp_path, "x,y\n" + "".join(f"{k},\n" for k in range(11)))
    proposals = ask(path, "-n", 3)["proposals"]
    assert [proposal["index"] for proposal in proposals] == [5, 0, 10]
    assert proposals[0]["mean"] is None
    assert "nothing is measured yet" in proposals[0]["reason"]


def test_everything_measured_is_the_end(run, ask, written, tmp_path):
    path = written(tmp_path, "x,y\n0,1\n1,failed\n2,3\n")
    out = tmp_path / "proposals.csv"
    code, said, err = run("propose", "candidates", path, "-o", out, "--start")
    assert (code, err) == (0, "")
    assert "Finished: nothing is left to propose (2 of 3 measured, 1 failed)." in said
    assert out.read_bytes() == b"actions,x\n"
    answer = ask(path, "-n", 4)
    assert (answer["proposals"], answer["status"]["finished"], answer["started"]) == ([], True, False)
    assert answer["warnings"] == ["Finished: nothing is left to propose (2 of 3 measured, 1 failed)."]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--objective", "Tk:max"], "be a column of"),
        (["--objective", "Tc [mK]:max"], "Did you mean 'Tc [K]'?"),
        (["--objective", "tc:max"], "Did you mean 'Tc [K]'?"),
        (["--objectives", "3"], "leave a descriptor when the last 3 of 3 columns are results"),
        (["--objective", "Tc:max", "--tell", "8=1"], "be one of the list, 0 to 7. Got 8"),
        (["--objective", "Tc:max", "--tell", "-1=1"], "be one of the list, 0 to 7. Got -1"),
        (["--objective", "Tc:max", "--tell", "0=nan"], "is ROW=failed"),
        (["--objective", "Tc:max", "--tell", "0=inf"], "be a finite number"),
        (["--objective", "Tc:max", "--tell", "0=1,5"], "Write a decimal point."),
        (["--objective", "Tc:max", "--tell", "0:Tk=1"], "be an objective ('Tc')"),
        (["--objective", "Tc:max", "--tell", "0=3 kg"], "kg"),
        (["--objective", "Tc:max", "--release", "99"], "be one of the list, 0 to 7. Got 99"),
        (["--cost", "prize"], "be a column of"),
        (["-o", "absent/proposals.csv"], "lie in a folder you may write"),
    ],
)
def test_wrong_names_and_rows_are_refused(refused, listed, options, words):
    assert words in refused(listed, *options)
    assert sorted(path.name for path in listed.parent.iterdir()) == ["candidates.csv"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--objective", "Tc"], "read NAME:GOAL"),
        (["--objective", "Tc:max", "--objective", "Tc [K]:min"], "have one goal"),
        (["--objective", "Tc:max", "--minimize"], "must be left out with --objective"),
        (["--objective", "Tc:max", "--tell", "row=1"], "a row from 0, as in 'actions'"),
        (["--objective", "Tc:max", "--tell", "3"], "read ROW=VALUE"),
        (["--objective", "Tc:max", "--tell", "3="], "read ROW=VALUE"),
        (["--objectives", "2", "--tell", "3=1"], "have one value for each objective (T, Tc)"),
        (["--objective", "Tc:max", "--acquisition", "luck"], "must be one of ei, nei, pi, ucb, ts"),
        (["--objectives", "2", "--acquisition", "ei"], "one of ehvi, hvpi, ts, parego, rank. Got 'ei'"),
        (["--method", "random", "--acquisition", "ei"], "which has no model"),
        (["--objective", "Tc:target=4", "--acquisition", "ei"], "must fit the goal target=4. Got 'ei'"),
        (["--maximize", "--acquisition", "range"], "must fit the goal max. Got 'range'"),
        (["--method", "luck"], "luck"),
        (["-n", "0"], "greater than or equal to 1"),
        (["--n-jobs", "0"], "Got 0."),
    ],
)
def test_wrong_options_leave_with_2(refused, listed, options, words):
    assert words in refused(listed, *options, code=2)
    assert sorted(path.name for path in listed.parent.iterdir()) == ["candidates.csv"]


def test_a_file_that_is_not_ours_is_not_overwritten(run, refused, listed, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("a,b\n1,2\n")
    assert "this one is left as it is" in refused(listed, "-o", mine)
    assert mine.read_text() == "a,b\n1,2\n"
    assert "not be one of the input files" in refused(listed, "-o", listed)
    mine.write_text("actions,x\n1,2\n")
    assert run("propose", "candidates", listed, "-o", mine)[0] == 0


def test_a_campaign_keeps_its_columns(ask, refused, listed):
    ask(listed, "--objective", "Tc:max", "--tell", "0=38", "--method", "random")
    assert "as when the campaign began" in refused(listed, "--objective", "T:max")
    assert "as when the campaign began" in refused(listed, "--ignore", "x")
    assert "be 0, as when the campaign began" in refused(listed, "--seed", "3", code=2)
    turned = ask(listed, "--objective", "Tc:min", "--method", "random")
    assert turned["objectives"][0]["goal"] == "min"


def test_a_missing_file_says_so(refused, tmp_path):
    assert "nowhere' does not exist either." in refused(tmp_path / "nowhere" / "list.csv")


def test_a_missing_file_beside_us(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused(Path("list.csv")).endswith("Got 'list.csv'. Check the spelling.")


def test_a_changed_record_is_refused(ask, refused, listed):
    ask(listed, "--objective", "Tc:max", "--tell", "0=38", "--method", "random")
    record = listed.parent / "candidates.sozai.json"
    record.write_bytes(record.read_bytes().replace(b"38.0", b"83.0"))
    assert "be unchanged since it was saved" in refused(listed)


def test_a_row_number_of_a_list_that_was_sorted_since_is_refused(ask, refused, written, tmp_path):
    path = written(tmp_path, "name,x,y\na,0,1\nb,1,\nc,2,\nd,3,2\n")
    ask(path, "--id", "name", "--objective", "y:max", "--method", "exhaustive", "--start")
    written(tmp_path, "name,x,y\nd,3,2\nc,2,\nb,1,\na,0,1\n")
    said = refused(path, "--tell", "1=5")
    assert "--tell: row 1 must be the candidate that it was at the last call. Got {'x': 2.0}." in said
    assert b"c,2,\n" in path.read_bytes()
    ask(path, "--tell", "b=5", "--method", "exhaustive")  # a name still means what it meant
    assert b"b,1,5" in path.read_bytes()
    assert ask(path, "--tell", "1=6", "--method", "exhaustive")["entered"] == 1


def test_a_model_that_sees_noise_only_says_so(ask, written, tmp_path):
    lines = [f"{k},\n{k + 0.01:.2f},{(-1) ** k}\n{k + 0.02:.2f},{-((-1) ** k)}" for k in range(8)]
    path = written(tmp_path, "x,y\n" + "\n".join(lines) + "\n")
    notes = ask(path)["warnings"]
    assert any(note.startswith("Most differences between the results of y look like noise") for note in notes)


def test_bounds_stand_in_the_report_as_they_were_told(run, written, tmp_path):
    path = written(tmp_path, "x,y\n0,<0.5\n1,\n2,2.0\n3,3.5\n4,\n")
    assert run("propose", "candidates", path, "--output", tmp_path / "out")[0] == 0
    assert "&lt;0.5" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
