"""The loop of a phase diagram with files: proposals, samples told, running points, figures, the report."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

GRID = "ternary:step=0.1,names=Cu-Mg-Zn"


def ternary_text(labels=None, step=10, phase="phase", first=False):
    """A list of compositions in per cent with some labels, by row."""
    rows = [(a, b, 100 - a - b) for a in range(100, -1, -step) for b in range(100 - a, -1, -step)]
    lines = []
    for k, row in enumerate(rows):
        cells = [*map(str, row)]
        cells.insert(0 if first else 3, (labels or {}).get(k, ""))
        lines.append(",".join(cells))
    header = f"{phase},Cu,Mg,Zn" if first else f"Cu,Mg,Zn,{phase}"
    return header + "\n" + "\n".join(lines) + "\n"


@pytest.fixture
def ask(run):
    """Answer of ``propose phases`` as an object."""

    def call(*options):
        code, out, err = run("propose", "phases", *options, "--json")
        assert (code, err) == (0, ""), err
        return json.loads(out)

    return call


@pytest.fixture
def refused(run):
    """Sentence of a refusal with nothing on stdout."""

    def call(*options, code=3):
        found, out, err = run("propose", "phases", *options)
        assert (found, out) == (code, ""), err
        return " ".join(err.replace("│", " ").split())

    return call


# --- the answer ---------------------------------------------------------------------------------


def test_json_has_the_promised_keys_and_asking_writes_nothing(ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "FCC", 10: "LIQUID", 65: "FCC+LIQUID"}), "d.csv")
    before = path.read_bytes()
    answer = ask(path, "--phase", "phase", "-n", 3)
    assert (answer["schema"], answer["input"]) == ("sozai.propose.phases/1", str(path))
    assert answer["phases_found"] == ["FCC", "LIQUID", "FCC+LIQUID"]
    assert answer["phases"] == ["FCC", "LIQUID"]
    assert (answer["n_labelled"], answer["n_candidates"], answer["suspects"]) == (3, 66, [])
    assert answer["composition"] == ["Cu", "Mg", "Zn"]
    assert len(answer["proposals"]) == 3
    for proposal in answer["proposals"]:
        assert proposal["index"] not in (0, 10, 65)
        assert sum(proposal["x"].values()) == 100
        assert set(proposal["probabilities"]) == {"FCC", "LIQUID", "FCC+LIQUID"}
        assert abs(sum(proposal["probabilities"].values()) - 1) < 1e-9
        assert proposal["reason"].endswith(".")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["d.csv"]
    assert ask(path, "-n", 2)["proposals"] == answer["proposals"][:2]


def test_costs_are_no_condition_and_count(ask, written, tmp_path):
    text = ternary_text({0: "FCC", 10: "LIQUID", 65: "FCC+LIQUID"})
    path = written(tmp_path, text, "d.csv")
    (plain,) = ask(path, "--no-corners")["proposals"]
    head, *rows = text.splitlines()
    prices = [f"{row},{1000 if k == plain['index'] else 1}" for k, row in enumerate(rows)]
    priced = written(tmp_path, "\n".join([f"{head},price [yen]", *prices]) + "\n", "p.csv")
    (other,) = ask(priced, "--no-corners", "--phase", "phase", "--cost", "price [yen]")["proposals"]
    assert other["index"] != plain["index"]
    assert set(other["x"]) == {"Cu", "Mg", "Zn"}


def test_start_from_nothing(run, ask, tmp_path):
    answer = ask("--grid", GRID, "-n", 4)
    assert [proposal["index"] for proposal in answer["proposals"][:3]] == [0, 55, 65]
    assert answer["proposals"][0]["probabilities"] == {}
    assert (answer["input"], answer["grid"], answer["n_labelled"]) == (None, GRID, 0)
    path = tmp_path / "d.csv"
    code, out, _ = run("propose", "phases", path, "--grid", GRID, "-n", 2)
    assert code == 0
    assert "Written: d.csv with 66 points." in out
    table = pd.read_csv(path)
    assert list(table) == ["Cu", "Mg", "Zn", "phase"]
    assert table["phase"].isna().all()
    np.testing.assert_allclose(table[["Cu", "Mg", "Zn"]].sum(axis=1), 1)
    assert ask(path)["n_candidates"] == 66


@pytest.mark.parametrize(
    ("grid", "size", "names"),
    [
        ("binary:step=0.25,T=300..500..100", 15, ["A", "B", "T"]),
        ("binary:step=0.25,T=300/450/700/1000", 20, ["A", "B", "T"]),
        ("quaternary:step=25%", 35, ["A", "B", "C", "D"]),
    ],
)
def test_other_grids(ask, grid, size, names):
    answer = ask("--grid", grid)
    assert (answer["n_candidates"], answer["descriptors"]) == (size, names)


def test_what_is_said_on_the_terminal(run, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "FCC", 10: "液相"}), "d.csv")
    code, out, err = run("propose", "phases", path, "-n", 2, "--no-corners")
    assert (code, err) == (0, "")
    assert "Where to look for phases next (Cu-Mg-Zn)" in out
    assert "2 of 66 points measured" in out
    assert "Phases found: 2 (FCC, 液相); column 'phase'." in out
    assert "Highest least confidence (0.5): FCC 0.50, 液相 0.50." in out
    assert "--tell" in out


# --- files --------------------------------------------------------------------------------------


def test_a_loop_by_rows_ends_with_every_point_measured(ask, tmp_path):
    path = tmp_path / "d.csv"
    answer = ask(path, "--grid", "binary:step=0.2", "-n", 3)
    for _ in range(9):
        rows = [proposal["index"] for proposal in answer["proposals"]]
        if not rows:
            break
        told = [option for row in rows for option in ("--tell", f"{row}={'A' if row < 3 else 'A+B'}")]
        answer = ask(path, *told, "-n", 3)
        assert answer["entered"] == len(rows)
    table = pd.read_csv(path)
    assert table["phase"].tolist() == ["A", "A", "A", "A+B", "A+B", "A+B"]
    assert answer["proposals"] == []
    assert answer["warnings"][-1] == (
        "Finished: nothing is left to propose (6 of 6 measured; points that could be prepared are further "
        "rows with a blank phase)."
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932", "utf-16"])
def test_cells_are_entered_and_all_others_keep_their_bytes(ask, written, tmp_path, encoding):
    text = "試料;Cu;Zn;相\r\nア;0,10;0,90;\r\nイ;0,50;0,50;固溶体\r\nウ;0,90;0,10;\r\n"
    path = written(tmp_path, text, "表.csv", encoding)
    answer = ask(path, "--id", "試料", "--tell", "ウ=液相\uff0b固溶体", "-n", 1)
    assert answer["phases_found"] == ["固溶体", "液相+固溶体"]
    assert path.read_bytes().decode(encoding) == text.replace("0,10;\r\n", "0,10;液相+固溶体\r\n")
    assert answer["proposals"][0]["name"] == "ア"
    again = ask(path, "--id", "試料", "--tell", "ア=液相")
    assert again["phases_found"] == ["液相", "固溶体", "液相+固溶体"]


def test_proposals_are_written_as_in_the_list(run, written, tmp_path):
    path = written(tmp_path, "Cu;Zn;phase\r\n0,10;0,90;A\r\n0,50;0,50;\r\n0,90;0,10;B\r\n", "d.csv")
    out = tmp_path / "p.csv"
    code, said, _ = run("propose", "phases", path, "-n", 5, "-o", out)
    assert code == 0
    assert out.read_bytes() == b"actions;Cu;Zn\r\n1;0,50;0,50\r\n"
    beside = pd.read_csv(tmp_path / "p.sozai.csv")
    assert list(beside) == ["actions", "proposal_id", "score", "p A", "p B", "reason"]
    assert str(out) in said


@pytest.mark.parametrize("first", [True, False])
def test_tables_of_aiphad_and_nimo_are_read_and_written(ask, written, tmp_path, first):
    text = ternary_text({0: "A", 55: "B", 65: "C", 30: "A+B"}, phase="phase_name", first=first)
    path = written(tmp_path, text, "d.csv")
    answer = ask(path, "--tell", "7=A", "-n", 2)
    assert answer["phase_column"] == "phase_name"
    line = path.read_text(encoding="utf-8").splitlines()[8].split(",")
    assert line[0 if first else -1] == "A"
    assert answer["n_labelled"] == 5


def test_running_points_are_not_proposed_until_released(ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 55: "B", 65: "C"}), "d.csv")
    first = ask(path, "-n", 2, "--start")
    assert first["started"]
    second = ask(path, "-n", 2)
    rows = [[proposal["index"] for proposal in answer["proposals"]] for answer in (first, second)]
    assert not set(rows[0]) & set(rows[1])
    assert second["n_running"] == 2
    third = ask(path, "--tell", f"{rows[0][0]}=A", "-n", 1)
    assert third["n_running"] == 1
    assert ask(path, "--release", "all", "-n", 1)["n_running"] == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["d.csv", "d.phases.json"]


def test_a_folder_and_letters_that_its_encoding_lacks(ask, refused, written, tmp_path):
    path = written(tmp_path, "Cu,Zn,相\n0,100,液相\n50,50,\n100,0,\n", "candidates.csv", "cp932")
    assert "must fit the encoding cp932" in refused(tmp_path, "--tell", "1=Na\u2082S")
    assert path.read_bytes().count(b"Na") == 0
    assert ask(tmp_path, "--tell", "1=β")["phases_found"] == ["液相", "β"]
    assert path.read_text(encoding="cp932").splitlines()[2] == "50,50,β"


def test_a_second_label_counts_beside_the_first_and_can_be_withdrawn(ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 55: "B", 65: "C", 30: "A"}), "d.csv")
    answer = ask(path, "--tell", "30=B")
    assert "Row 30 was A and is now B: both count, the cell holds the latest." in answer["warnings"][0]
    assert {(one["index"], one["phase"]) for one in answer["suspects"]} == {(30, "A"), (30, "B")}
    later = ask(path, "--recheck")
    assert len(later["suspects"]) == 2
    assert later["proposals"][0]["index"] == 30
    assert later["proposals"][0]["reason"].startswith("Measure again?")
    same = ask(path, "--tell", "30=B")
    assert same["entered"] == 0
    assert "was known already" in same["warnings"][0]
    back = ask(path, "--withdraw", "30")
    assert (back["withdrawn"], back["suspects"]) == (1, [])
    assert path.read_text(encoding="utf-8").splitlines()[31].endswith(",A")


def test_figures_and_the_report(run, written, tmp_path):
    labels = {0: "FCC", 10: "LIQUID", 65: "液相", 30: "FCC+LIQUID", 55: "LIQUID"}
    path = written(tmp_path, ternary_text(labels), "d.csv")
    svg, gif, out = tmp_path / "map.svg", tmp_path / "map.gif", tmp_path / "report"
    code, _, _ = run("propose", "phases", path, "-n", 2, "--figure", svg, "--output", out)
    assert code == 0
    text = svg.read_text(encoding="utf-8")
    assert "液相" in text
    assert "measure next" in text
    names = sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file())
    assert names == [
        "figures/diagram.png", "figures/diagram.svg", "figures/probability.png", "figures/probability.svg",
        "figures/uncertainty.png", "figures/uncertainty.svg", "map.csv", "proposals.csv", "report.html",
    ]  # fmt: skip
    table = pd.read_csv(out / "map.csv")
    np.testing.assert_allclose(table.filter(like="p ").sum(axis=1), 1, atol=1e-4)
    page = (out / "report.html").read_text(encoding="utf-8")
    for word in ("Measure next", "How sure it is", "Doubts", "FCC+LIQUID", "液相"):
        assert word in page
    assert "<script" not in page
    assert run("propose", "phases", path, "--figure", gif)[0] == 0
    with Image.open(gif) as picture:
        assert picture.n_frames == 5


def test_compositions_of_coexisting_phases(ask, refused, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 65: "C", 55: "B"}), "d.csv")
    more = tmp_path / "phases.csv"
    more.write_text("row,phase,Cu,Mg,Zn\n24,A,80,10,10\n24,B,10,80,10\n24,C,10,10,80\n", encoding="utf-8")
    answer = ask(path, "--tell", "24=A+B+C", "--compositions", more, "-n", 1)
    assert answer["n_closed_by_phase_rule"] > 10
    assert answer["warnings"] == []
    assert ask(path, "-n", 1)["n_closed_by_phase_rule"] == 0
    more.write_text("row,phase,Cu,Mg,Zn\n24,A,80,10,10\n24,B,10,80,10\n", encoding="utf-8")
    assert "be those of its label (A+B+C). Got 'A+B'" in refused(path, "--compositions", more)
    more.write_text("row,phase,Cu,Mg\n24,A,80,10\n", encoding="utf-8")
    assert "have a column for each of Cu, Mg, Zn" in refused(path, "--compositions", more)
    more.write_text("row,phase,Cu,Mg,Zn\n99,A,80,10,10\n", encoding="utf-8")
    assert "row must be one of the list, 0 to 65. Got '99' at line 2" in refused(path, "--compositions", more)


@pytest.mark.parametrize("estimator", ["one-hot", "presence", "propagation", "spreading"])
def test_every_estimator_proposes(ask, written, tmp_path, estimator):
    path = written(tmp_path, ternary_text({0: "A", 55: "B", 65: "C", 30: "A+B"}), "d.csv")
    answer = ask(path, "--estimator", estimator, "-n", 3)
    assert (answer["estimator"], len(answer["proposals"])) == (estimator, 3)


@pytest.mark.parametrize(
    ("score", "batch"),
    [
        ("least-confident", "top"),
        ("margin", "fantasies"),
        ("entropy", "determinantal"),
        ("random", "neighbors"),
    ],
)
def test_scores_and_batches(ask, written, tmp_path, score, batch):
    path = written(tmp_path, ternary_text({0: "A", 55: "B", 65: "C", 30: "A+B"}), "d.csv")
    rows = [one["index"] for one in ask(path, "--score", score, "--batch", batch, "-n", 3)["proposals"]]
    assert len(set(rows)) == 3
    assert not set(rows) & {0, 55, 65, 30}


def test_the_seed_is_the_answer_of_chance(ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 55: "B"}), "d.csv")
    rows = [
        [one["index"] for one in ask(path, "--score", "random", "-n", 4, "--seed", k)["proposals"]]
        for k in (1, 1, 2)
    ]
    assert rows[0] == rows[1] != rows[2]


def test_points_that_share_a_temperature_or_only_change_it(ask, tmp_path):
    path = tmp_path / "d.csv"
    ask(path, "--grid", "binary:step=0.1,T=300..500..100")
    options = ("--no-corners", "-n", 4)
    answer = ask(path, "--tell", "12=A", "--tell", "15=B", "--same", "T", *options)
    assert {one["x"]["T"] for one in answer["proposals"]} == {400}
    answer = ask(path, "--free", "T", *options)
    assert {one["x"]["A"] for one in answer["proposals"][:2]} == {0.6}


# --- the table of bad input ---------------------------------------------------------------------


def test_a_phase_written_as_a_number_is_a_name(ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "1.0", 55: "1", 65: "2"}), "d.csv")
    answer = ask(path, "-n", 1)
    assert answer["phases_found"] == ["1", "2"]
    assert answer["n_labelled"] == 3
    assert "are numbers and were read as names: '1.0' as '1'" in answer["warnings"][0]


def test_minus_one_among_numbers_is_not_measured(ask, written, tmp_path):
    labels = dict.fromkeys(range(66), "-1") | {0: "1", 55: "2"}
    answer = ask(written(tmp_path, ternary_text(labels), "d.csv"), "--phase", "phase")
    assert answer["n_labelled"] == 2
    assert any("read as not measured" in note for note in answer["warnings"])


def test_full_width_text_and_the_order_of_phases_mean_nothing(ask, written, tmp_path):
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in "FCC+LIQUID")
    labels = {0: wide, 55: "LIQUID + FCC", 65: "液相\uff0f固相"}
    answer = ask(written(tmp_path, ternary_text(labels), "d.csv"))
    assert answer["phases_found"] == ["FCC+LIQUID", "液相+固相"]
    assert answer["warnings"] == []


def test_spelling_variants_are_kept_with_a_question(ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "FCC_A1", 30: "LIQUID", 65: "FCCA1"}), "d.csv")
    answer = ask(path)
    assert answer["phases_found"] == ["FCC_A1", "LIQUID", "FCCA1"]
    assert any("'FCCA1' for row 65 is new. Did you mean 'FCC_A1'?" in n for n in answer["warnings"])


@pytest.mark.parametrize("word", ["nan", "?", "未測定", "-"])
def test_words_that_may_mean_not_measured_are_doubted(ask, written, tmp_path, word):
    path = written(tmp_path, ternary_text({0: "A", 55: "B", 30: word}), "d.csv")
    answer = ask(path, "--phase", "phase")
    assert any(
        "was read as a phase (1 such cell)" in note and "line 32" in note for note in answer["warnings"]
    )


def test_contradicting_labels_are_suspects_or_the_latest_wins(ask, written, tmp_path):
    text = ternary_text({0: "A", 55: "B", 65: "C"}) + "100,0,0,B\n"
    path = written(tmp_path, text, "d.csv")
    answer = ask(path)
    assert {(one["index"], one["phase"]) for one in answer["suspects"]} == {(0, "A"), (0, "B")}
    graph = ask(path, "--estimator", "propagation")
    assert any("was 'A' and is now 'B'; a graph keeps the latest" in note for note in graph["warnings"])


def test_a_label_far_from_its_neighbors_is_a_suspect(ask, written, tmp_path):
    labels = dict.fromkeys(range(40), "A") | {12: "B"} | dict.fromkeys(range(55, 66), "C")
    answer = ask(written(tmp_path, ternary_text(labels), "d.csv"), "--recheck")
    assert [one["index"] for one in answer["suspects"]] == [12]
    assert answer["proposals"][0]["index"] == 12


def test_more_phases_than_the_rule_allows(ask, refused, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 30: "A+B+C+D"}), "d.csv")
    answer = ask(path)
    assert any("hold at most 3 phases by the phase rule" in note for note in answer["warnings"])
    assert answer["phases_found"] == ["A", "A+B+C+D"]
    assert "at most 3 phases" in refused(path, "--phase-rule", "strict")
    assert ask(path, "--phase-rule", "none")["warnings"] == []


def test_compositions_that_do_not_span_the_sample_are_not_used(ask, refused, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 65: "C", 24: "A+B"}), "d.csv")
    more = tmp_path / "phases.csv"
    more.write_text("row,phase,Cu,Mg,Zn\n24,A,80,20,0\n24,B,20,80,0\n", encoding="utf-8")
    answer = ask(path, "--compositions", more)
    assert any("is no mixture of its phases: it lies" in note for note in answer["warnings"])
    more.write_text("row,phase,Cu,Mg,Zn\n24,A,-10,90,20\n24,B,20,80,0\n", encoding="utf-8")
    assert "be 0 or more and add up to 100" in refused(path, "--compositions", more)


@pytest.mark.parametrize("labels", [{}, {30: "A"}, {0: "A", 55: "A", 65: "A"}])
def test_no_label_and_one_phase_only_fill_the_list(ask, written, tmp_path, labels):
    answer = ask(written(tmp_path, ternary_text(labels), "d.csv"), "-n", 5)
    assert len({one["index"] for one in answer["proposals"]} - set(labels)) == 5
    assert answer["phases_found"] == (["A"] if labels else [])
    assert "Far from every other sample" in answer["proposals"][-1]["reason"]


def test_all_labeled_is_finished(run, ask, written, tmp_path):
    path = written(tmp_path, ternary_text(dict.fromkeys(range(66), "A")), "d.csv")
    code, out, _ = run("propose", "phases", path, "-o", tmp_path / "p.csv", "--figure", tmp_path / "m.svg")
    assert code == 0
    assert "Finished: nothing is left to propose (66 of 66 measured; points" in out
    assert (tmp_path / "p.csv").read_bytes() == b"actions,Cu,Mg,Zn\n"
    assert ask(path)["proposals"] == []


def test_fewer_than_two_points_are_refused(refused, written, tmp_path):
    path = written(tmp_path, "Cu,Mg,Zn,phase\n100,0,0,A\n100,0,0,\n", "d.csv")
    assert "at least 2 distinct points. Got 1" in refused(path)


def test_compositions_that_do_not_add_up(ask, refused, written, tmp_path):
    near = written(tmp_path, ternary_text({0: "A"}).replace("50,50,0,", "50,50.1,0,"), "near.csv")
    assert any("and were rescaled" in note for note in ask(near)["warnings"])
    text = ternary_text({0: "A"}).replace("50,50,0,", "50,60,0,")
    wrong = refused(written(tmp_path, text, "wrong.csv"), "--phase", "phase")
    assert "composition must add up to 100 within 0.2 %. Got 110.0 at row 15" in wrong


def test_isolated_nodes_of_a_graph_are_said(ask, written, tmp_path):
    lines = "".join(f"{t},{p},{'A' if k == 0 else ''}\n" for k, (t, p) in enumerate(
        [(300, 1), (301, 1), (302, 1), (1000, 9), (1001, 9)]))  # fmt: skip
    path = written(tmp_path, f"T,p,phase\n{lines}", "d.csv")
    answer = ask(path, "--estimator", "propagation", "--tell", "2=B")
    assert answer["n_labelled"] == 2
    assert answer["proposals"]


# --- wrong use ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 2, "FILE or --grid must be given"),
        (("--grid", "round:step=1"), 2, "begin with one of binary, ternary"),
        (("--grid", "ternary:step=0.3"), 2, "step must divide the whole"),
        (("--grid", GRID, "--start"), 2, "FILE must be given where something is remembered"),
        (("--grid", GRID, "--same", "A", "--free", "B"), 2, "--free must not be given with it"),
        (("--grid", GRID, "--same", "T"), 3, "--same: the name must be a column"),
        (("--grid", GRID, "--figure", "map.bmp"), 3, "end in .svg, .png, .pdf or .gif"),
        (("--grid", GRID, "--phase", "Cu"), 2, "--phase: the name must be none of the grid"),
        (("absent.csv",), 3, "absent.csv"),
    ],
)  # fmt: skip
def test_wrong_options_are_one_sentence(refused, monkeypatch, tmp_path, options, code, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(*options, code=code)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--tell", "5"), 2, "--tell: each entry must read ROW=PHASE. Got '5'"),
        (("--tell", "x=A"), 2, "a row from 0"),
        (("--tell", "66=A"), 3, "be one of the list, 0 to 65. Got 66"),
        (("--tell", "5=failed"), 3, "A sample that failed has none"),
        (("--tell", "5=NaN"), 3, "Leave out what was not measured"),
        (("--withdraw", "5"), 3, "--withdraw: the row must have a label. Got 5"),
        (("--phase", "phse"), 3, "Did you mean 'phase'?"),
        (("--grid", GRID), 3, "FILE must be a new list"),
        (("--ignore", "phase", "--phase", "phase"), 2, "not be that of phases"),
        (("--sheet", "1"), 3, "be an XLSX file"),
        (("-o", "d.csv"), 3, "not be one of the input files"),
    ],
)  # fmt: skip
def test_wrong_entries_leave_the_list_alone(refused, written, monkeypatch, tmp_path, options, code, words):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, ternary_text({0: "A"}), "d.csv")
    before = path.read_bytes()
    assert words in refused("d.csv", *options, code=code)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["d.csv"]


def test_a_record_that_was_changed_is_refused(refused, ask, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 55: "B"}), "d.csv")
    ask(path, "--start")
    record = tmp_path / "d.phases.json"
    record.write_text(record.read_text(encoding="ascii").replace('"phase"', '"phases"'), encoding="ascii")
    assert "be as it was written" in refused(path)


def test_columns_of_words_and_counters_are_said(ask, written, tmp_path):
    rows = [line.split(",") for line in ternary_text({0: "A", 55: "B"}).splitlines()]
    text = "\n".join(
        ",".join(["no", "operator", *rows[0]] if k == 0 else [str(k), "Suzuki", *row])
        for k, row in enumerate(rows)
    )
    notes = ask(written(tmp_path, text + "\n", "d.csv"))["warnings"]
    assert "Not used: 'operator' (not numbers)." in notes
    assert any("Column 'no' only counts the rows" in note for note in notes)


def test_a_sheet_of_a_workbook_is_read_and_never_written(ask, refused, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for line in ternary_text({0: "A", 55: "1.0"}).splitlines():
        sheet.append([float(c) if c.isdecimal() else c or None for c in line.split(",")])
    path = tmp_path / "d.xlsx"
    book.save(path)
    assert ask(path, "-n", 1)["phases_found"] == ["A", "1"]
    assert "into which phases are entered" in refused(path, "--tell", "3=A")


# --- odd tables ---------------------------------------------------------------------------------


def test_the_phase_column_is_not_that_of_sample_names(ask, written, tmp_path):
    lines = "".join(f"S{k:02d},{10 * k},{'α' if k < 3 else 'α+β' if k == 8 else ''}\n" for k in range(11))
    path = written(tmp_path, f"sample,x_B,XRD結果\n{lines}", "d.csv", "utf-16")
    answer = ask(path)
    assert (answer["phase_column"], answer["phases_found"]) == ("XRD結果", ["α", "α+β"])
    assert "Not used: 'sample' (not numbers)." in answer["warnings"]


def test_fractions_without_their_last_component_are_said(ask, written, tmp_path):
    rows = [line.split(",") for line in ternary_text({0: "A", 55: "B"}).splitlines()]
    path = written(tmp_path, "\n".join(",".join([row[0], row[1], row[3]]) for row in rows) + "\n", "d.csv")
    answer = ask(path)
    assert answer["composition"] == []
    assert any("Cu, Mg look like fractions of a composition whose last" in n for n in answer["warnings"])


def test_a_composition_that_never_adds_up_is_said(ask, written, tmp_path):
    rows = [line.split(",") for line in ternary_text({0: "A", 55: "B"}).splitlines()]
    text = "\n".join(
        ",".join(row if k == 0 else [row[0], row[1], f"{float(row[2]) + 1:g}", row[3]])
        for k, row in enumerate(rows)
    )
    answer = ask(written(tmp_path, text + "\n", "d.csv"))
    assert any("66 of 66 rows do not add up to 100 (line 2: 101)" in note for note in answer["warnings"])


def test_phases_joined_by_a_comma_are_doubted_and_names_in_brackets_are_not(ask, written, tmp_path):
    labels = {0: "FCC", 30: '"FCC, LIQUID"', 55: '"(Al,Zn)"'}
    notes = ask(written(tmp_path, ternary_text(labels), "d.csv"))["warnings"]
    assert sum("was read as one phase (1 such labels)" in note for note in notes) == 1
    assert "'FCC, LIQUID'" in notes[0]


def test_a_list_without_a_column_of_phases(refused, written, tmp_path):
    path = written(tmp_path, "Cu,Mg,Zn\n100,0,0\n0,100,0\n", "d.csv")
    said = refused(path, code=2)
    assert "--phase: the column of phases must be named. Got ['Cu', 'Mg', 'Zn']" in said
    assert "add an empty column 'phase'" in said


def test_a_cost_that_cannot_be_paid_is_named_with_its_line(refused, written, tmp_path):
    lines = ternary_text({0: "A"}).splitlines()
    text = "\n".join(
        [lines[0] + ",price", *(f"{line},{-1 if k == 2 else 3}" for k, line in enumerate(lines[1:]))]
    )
    said = refused(written(tmp_path, text + "\n", "d.csv"), "--cost", "price")
    assert "--cost: column 'price' must hold positive numbers. Got -1.0 at line 4 of" in said


def test_an_animation_of_nothing_is_refused_before_anything_is_written(refused, written, tmp_path):
    path = written(tmp_path, ternary_text(), "d.csv")
    said = refused(path, "--figure", tmp_path / "m.gif")
    assert "--figure: an animation must begin with a sample. Got 'none in the list'" in said
    assert [file.name for file in tmp_path.iterdir()] == ["d.csv"]


def test_remedies_are_options_and_candidates_are_rows(ask, refused, written, tmp_path):
    path = written(tmp_path, ternary_text({0: "A", 30: "A+B+C+D"}), "d.csv")
    said = refused(path, "--phase-rule", "strict")
    assert said.startswith("propose phases: phase must hold")
    assert "for row 30." in said
    assert "pass --phase-rule none for" in said
    assert any("for row 30." in note and "--phase-rule none" in note for note in ask(path)["warnings"])
    assert "--grid: step must divide" in refused("--grid", "ternary:step=0.3", code=2)


def test_the_fraction_of_a_binary_without_its_other_component_is_said(ask, written, tmp_path):
    lines = [f"{x / 4},{T}," for T in (300, 400, 500) for x in range(5)]
    text = "\n".join(["x,T [K],phase", *lines]) + "\n"
    notes = ask(written(tmp_path, text.replace("0.0,300,", "0.0,300,A"), "d.csv"))["warnings"]
    assert any("Column 'x' looks like the fraction of a binary" in note for note in notes)
