"""From a file of one's own to a law, and from a wrong file to a sentence."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from sozai.datasets import load_triangle_area


@pytest.fixture
def triangles(tmp_path):
    path = tmp_path / "triangles.csv"
    load_triangle_area().frame.to_csv(path, index=False)
    return path


def explain(run, path, *options, target="area"):
    code, out, err = run("explain", "table", path, "--target", target, *options, "--json")
    assert code == 0, err
    return json.loads(out)


def test_json_has_the_promised_keys_and_the_law(run, triangles):
    found = explain(run, triangles)
    shared = {"schema", "version", "input", "warnings"}
    own = {"laws", "target", "unit", "n_rows", "dropped_rows", "rank", "n_relations", "n_candidates"}
    assert shared | own <= set(found)
    assert found["schema"] == "sozai.explain.table/1"
    assert (found["target"], found["unit"], found["n_rows"], found["dropped_rows"]) == ("area", None, 20, [])
    best = found["laws"][0]
    assert {
        "formula", "latex", "intercept", "n_terms", "complexity", "rmse", "q2", "terms",
    } <= set(best)  # fmt: skip
    assert best["n_terms"] == 1
    (term,) = best["terms"]
    assert term["name"] == "base*height"
    assert term["coefficient"] == pytest.approx(0.499806, abs=5e-7)
    assert 0 < term["standard_error"] < 1e-3
    assert best["intercept"] == pytest.approx(2.333e-5, abs=5e-9)


@pytest.mark.slow
def test_formula_parses_in_our_grammar_and_predicts(run, triangles):
    from sozai.symbolic.operations import parse_expression

    frame = pd.read_csv(triangles)
    for law in explain(run, triangles)["laws"][:5]:
        value = parse_expression(law["formula"], ["base", "height"]).evaluate(frame[["base", "height"]])
        rmse = np.sqrt(np.mean((frame["area"] - value) ** 2))
        assert rmse == pytest.approx(law["rmse"], rel=2e-3)


@pytest.mark.slow
def test_same_seed_same_answer_for_any_number_of_threads(run, triangles):
    answers = [explain(run, triangles, "--n-jobs", str(n), "--seed", "3") for n in (1, 2)]
    for answer in answers:
        del answer["seconds"]
    assert answers[0] == answers[1]


def test_the_screen_names_the_law_and_the_next_step(run, triangles):
    code, out, _ = run("explain", "table", triangles, "--target", "area")
    assert code == 0
    assert out.startswith("area = 0.49")
    assert "base*height" in out
    assert "each row left out" in out
    assert "--output DIR writes a report" in out


def test_japanese_table_in_cp932_with_units(run, tmp_path):
    frame = load_triangle_area().frame.rename(
        columns={"area": "面積 [m^2]", "base": "底辺 [m]", "height": "高さ（m）"}
    )
    path = tmp_path / "三角形.csv"
    path.write_bytes(frame.to_csv(index=False).encode("cp932"))
    found = explain(run, path, target="面積")
    assert found["unit"] == "m^2"
    assert found["units"]["底辺"] == "m"
    assert found["laws"][0]["terms"][0]["name"] == "底辺*高さ"


@pytest.mark.slow
def test_folder_holds_report_tables_and_figures(run, triangles, tmp_path):
    output = tmp_path / "out"
    code, out, _ = run("explain", "table", triangles, "--target", "area", "--output", output)
    assert code == 0
    assert f"Report: {output / 'report.html'}" in out
    names = {path.name for path in output.iterdir()}
    assert {"report.html", "models.csv", "relations.csv", "subspaces.csv", "figures"} <= names
    assert {"parity.png", "residuals.svg"} <= {path.name for path in (output / "figures").iterdir()}
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert page.count("<figure>") >= 4
    assert "http:" not in page
    assert "https:" not in page
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_column_named_like_a_script_is_harmless(run, tmp_path):
    evil = "<script>alert(1)</script>"
    frame = load_triangle_area().frame.rename(columns={"base": evil})
    path = tmp_path / "evil.csv"
    frame.to_csv(path, index=False)
    code, _, err = run("explain", "table", path, "--target", "area", "--output", tmp_path / "out")
    assert code == 0, err
    assert "<script" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_missing_cells_are_refused_with_row_and_column_or_dropped_and_counted(run, triangles):
    lines = triangles.read_text().splitlines()
    lines[4] = "0.0102,failed,0.0514"
    triangles.write_text("\n".join(lines) + "\n")
    code, out, err = run("explain", "table", triangles, "--target", "area", "--json")
    assert (code, out) == (3, "")
    assert "'base'" in err
    assert "row 5" in err
    assert "--missing drop" in err
    found = explain(run, triangles, "--missing", "drop")
    assert found["n_rows"] == 19
    assert [(row["row"], row["column"]) for row in found["dropped_rows"]] == [(5, "base")]
    assert found["warnings"] == ["1 row is left out for a missing cell: 5."]
    _, out, _ = run("explain", "table", triangles, "--target", "area", "--missing", "drop")
    assert out.count("left out for a missing cell") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "aera"], "Did you mean 'area'"),
        (["--target", "area", "--features", "bse"], "Did you mean 'base'"),
        (
            ["--target", "area", "--ignore", "base", "--ignore", "height"],
            "have a column of numbers beside the target",
        ),
    ],
)
def test_wrong_words_get_a_sentence_and_exit_3(run, triangles, options, said):
    code, out, err = run("explain", "table", triangles, *options, "--json")
    assert (code, out) == (3, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--features", "area"], "--features: a feature must not also be target"),
        (["--operations", "abs_summ"], "Did you mean 'abs_sum'"),
        (["--units", "base:m"], "read COL=UNIT. Got 'base:m'"),
        (["--memory", "lots"], "--memory: the size must be a number of bytes, MB or GB. Got 'lots'"),
        (
            ["--max-candidates", "500"],
            "be left out without --search large or classes. Got 500.0. Add --search",
        ),
    ],
)
def test_wrong_use_of_options_exits_2(run, triangles, options, said):
    code, out, err = run("explain", "table", triangles, "--target", "area", *options, "--json")
    assert (code, out) == (2, "")
    assert said in err


def test_a_constant_target_is_refused_in_one_sentence(run, triangles):
    frame = pd.read_csv(triangles).assign(area=5)
    frame.to_csv(triangles, index=False)
    for options in ((), ("--search", "large")):
        code, out, err = run("explain", "table", triangles, "--target", "area", *options)
        assert (code, out) == (3, "")
        assert err == (
            f"--target: column 'area' must hold different values. Got 5.0 in all {len(frame)} rows of "
            f"'{triangles}'. There is nothing to explain: name another column, or add rows that differ.\n"
        )


def test_a_column_that_new_rows_lack_has_a_remedy(run, triangles, tmp_path):
    new = tmp_path / "new.csv"
    new.write_text("base\n1\n")
    code, _, err = run("explain", "table", triangles, "--target", "area", "--apply", new)
    assert code == 3
    assert "--apply: the column must be in the table. Got 'height'" in err
    assert "Add the column, or do without it: --ignore 'height'." in err


def test_a_file_that_is_not_there(run, tmp_path):
    code, out, err = run("explain", "table", tmp_path / "nowhere.csv", "--target", "y", "--json")
    assert (code, out) == (3, "")
    assert "nowhere.csv" in err


def test_two_rows_are_too_few(run, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("a,y\n1,2\n2,3\n")
    code, _, err = run("explain", "table", path, "--target", "y")
    assert code == 3
    assert "at least 3 complete rows. Got 2" in err


def test_three_rows_give_a_law_that_cannot_be_tested(run, tmp_path):
    path = tmp_path / "three.csv"
    path.write_text("a,y\n1,2\n2,4\n3,6\n")
    found = explain(run, path, target="y")
    assert found["laws"][0]["terms"][0]["coefficient"] == pytest.approx(2)
    assert found["validation"]["protocol"] == "too few rows to leave some out"
    assert found["validation"]["q2"] is None


def test_numerical_trouble_exits_4(run, triangles, monkeypatch):
    from sozai.apps.cli import table_law

    def broken(*_):
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(table_law, "_fit", broken)
    code, out, err = run("explain", "table", triangles, "--target", "area", "--json")
    assert (code, out, err) == (4, "", "SVD did not converge\n")


def test_text_columns_are_left_out_with_a_note_and_ids_name_the_rows(run, triangles):
    frame = pd.read_csv(triangles)
    frame.insert(0, "sample", [f"{k:03}" for k in range(20)])
    frame["remark"] = "fine"
    frame.to_csv(triangles, index=False)
    found = explain(run, triangles, "--id", "sample")
    assert found["features"] == ["base", "height"]
    assert "Column 'remark' holds no numbers and is left out." in found["warnings"]


def test_relations_and_subspaces(run, triangles):
    frame = pd.read_csv(triangles)
    frame["double"] = 2 * frame["base"]
    frame.to_csv(triangles, index=False)
    found = explain(run, triangles, "--relations", "--order", "1", "--operations", "none")
    assert found["n_relations"] == 1
    (relation,) = found["relations"]
    assert (relation["dependent"], relation["basis"], relation["kind"]) == ("double", ["base"], "exact")
    assert relation["coefficients"] == [pytest.approx(2)]
    assert relation["holds"] == "in this sample"
    assert {"double", "base"} == set(found["subspaces"][0]["members"])
    assert found["subspaces"][0]["dimension"] == 1


def test_new_rows_are_predicted_with_interval_and_reason(run, triangles, tmp_path):
    new = tmp_path / "new.csv"
    new.write_text("name,height,base\ninside,0.5,0.5\noutside,0.5,7\nempty,,0.5\n")
    found = explain(run, triangles, "--apply", new)
    inside, outside, empty = found["predictions"]
    assert [row["row"] for row in found["predictions"]] == [2, 3, 4]
    assert inside["mean"] == pytest.approx(0.125, abs=1e-4)
    assert inside["lower"] < inside["mean"] < inside["upper"]
    assert inside["in_domain"]
    assert not outside["in_domain"]
    assert "base = 7 is above" in outside["reason"]
    assert empty["mean"] is None
    assert empty["reason"] == "no number in column 'height'"


def test_new_rows_in_another_unit_are_converted(run, triangles, tmp_path):
    new = tmp_path / "new.csv"
    new.write_text("base [mm],height [m]\n500,0.5\n")
    found = explain(run, triangles, "--apply", new, "--units", "base=m", "--units", "height=m")
    assert found["predictions"][0]["mean"] == pytest.approx(0.125, abs=1e-4)


def test_groups_are_left_out_together(run, triangles):
    frame = pd.read_csv(triangles)
    frame["batch"] = np.repeat(["a", "b", "c", "d"], 5)
    frame.to_csv(triangles, index=False)
    score = explain(run, triangles, "--groups", "batch")["validation"]
    assert score["protocol"] == "each of 4 groups of 'batch' left out in turn"
    assert score["n_folds"] == 4
    assert 0.99 < score["q2"] <= 1


def test_one_group_is_refused(run, triangles):
    frame = pd.read_csv(triangles).assign(batch="a")
    frame.to_csv(triangles, index=False)
    code, _, err = run("explain", "table", triangles, "--target", "area", "--groups", "batch")
    assert code == 3
    assert "at least 2 different values. Got 1" in err


def test_saved_law_predicts_the_same(run, triangles, tmp_path):
    from sozai.symbolic import SymbolicRegressor

    law = tmp_path / "laws" / "law.zip"
    found = explain(run, triangles, "--save", law)
    loaded = SymbolicRegressor.load(law)
    frame = pd.read_csv(triangles)
    (term,) = found["laws"][0]["terms"]
    expected = found["laws"][0]["intercept"] + term["coefficient"] * frame["base"] * frame["height"]
    np.testing.assert_allclose(loaded.predict(frame[["base", "height"]]), expected, rtol=1e-12)
    assert [path.name for path in law.parent.iterdir()] == ["law.zip"]


@pytest.mark.slow
@pytest.mark.parametrize("select", ["backward", "forward", "stepwise", "lasso", "lasso-l0"])
def test_every_selection_finds_the_product(run, triangles, select):
    found = explain(run, triangles, "--select", select, "--operations", "none")
    assert "base*height" in [term["name"] for term in found["laws"][0]["terms"]]


def test_preferred_descriptors_rewrite_the_law(run, tmp_path):
    path = tmp_path / "alloys.csv"
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.uniform(1, 2, 12), "b": rng.uniform(1, 2, 12)})
    frame["twice"] = 2 * frame["a"]
    frame["y"] = 3 * frame["a"] + frame["b"]
    frame.to_csv(path, index=False)
    found = explain(run, path, "--order", "1", "--operations", "none", "--prefer", "twice", target="y")
    names = [{term["name"] for term in form["terms"]} for form in found["rewritten"]]
    assert {"twice", "b"} in names


@pytest.mark.slow
def test_comparison_scores_every_method_on_the_same_folds(run, triangles):
    found = explain(run, triangles, "--compare", "--operations", "none")
    methods = found["comparison"]
    assert len(methods) == 6 + 4  # and four black boxes
    assert found["price"]["lower"] <= found["price"]["ratio"] <= found["price"]["upper"]
    assert found["price"]["best"] in {row["method"] for row in methods}
    assert all(
        {"method", "n_terms", "complexity", "rmse", "nested_rmse", "nested_q2", "seconds"} <= set(row)
        for row in methods
    )
    scores = {row["method"]: row["nested_rmse"] for row in methods}
    assert scores["short law (exhaustive)"] < scores["ridge, columns as they are"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_in_a_long_search_exits_130_and_writes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "long.csv"
    frame = pd.DataFrame(rng.normal(size=(60, 34)), columns=[f"c{k}" for k in range(34)])
    frame["y"] = rng.normal(size=60)
    frame.to_csv(path, index=False)
    command = [
        sys.executable, "-m", "sozai", "explain", "table", str(path), "--target", "y", "--order", "2",
        "--operations", "none", "--candidates", "all", "--max-terms", "4",
        "--output", str(tmp_path / "out"), "--json",
    ]  # fmt: skip
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(8)
    assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert [file.name for file in tmp_path.iterdir()] == ["long.csv"]
