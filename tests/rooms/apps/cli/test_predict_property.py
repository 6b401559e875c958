"""From measured rows to predictions of new ones, and from a wrong table to a sentence."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.tables import read_table


def rows(n=24, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "sample": [f"S{k}" for k in range(n)],
            "T [K]": rng.uniform(300, 400, n).round(2),
            "time [h]": rng.uniform(1, 20, n).round(3),
        }
    )
    z = -4 + 0.04 * (frame["T [K]"] - 300) + 0.2 * frame["time [h]"]
    frame["yield [%]"] = np.clip(100 / (1 + np.exp(-z)) + rng.normal(size=n), 0, 100).round(3)
    return frame


@pytest.fixture
def train(tmp_path):
    path = tmp_path / "measured.csv"
    rows().to_csv(path, index=False)
    return path


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.csv"
    frame = rows(5, seed=1).drop(columns="yield [%]")
    frame.loc[1, "T [K]"] = 900.0
    frame.loc[2, "time [h]"] = np.nan
    frame.to_csv(path, index=False)
    return path


def predict(run, path, *options, target="yield"):
    code, out, err = run("predict", "property", path, *options, "--target", target, "--json")
    assert code == 0, err
    return json.loads(out)


def test_json_has_the_promised_keys(run, train, new):
    found = predict(run, train, new)
    shared = {"schema", "version", "input", "warnings"}
    own = {
        "target",
        "unit",
        "kind",
        "level",
        "validation",
        "predictions",
        "importances",
        "n_rows",
        "left_out",
    }
    assert shared | own <= set(found)
    assert found["schema"] == "sozai.predict.property/1"
    assert (found["target"], found["unit"], found["n_rows"], found["level"]) == ("yield", "%", 24, 0.9)
    assert found["units"] == {"T": "K", "time": "h", "yield": "%"}
    assert set(found["predictions"][0]) == {"row", "id", "mean", "lower", "upper", "in_domain", "reason"}
    assert {"protocol", "n_folds", "rmse", "q2", "coverage"} <= set(found["validation"])
    assert found["validation"]["q2"] > 0.9
    assert {tuple(part["columns"]) for part in found["importances"]} == {("T",), ("time",)}


def test_new_rows_are_near_the_truth_and_strange_ones_are_said(run, train, new):
    found = predict(run, train, new)
    table = found["predictions"]
    assert [row["row"] for row in table] == [2, 3, 4, 5, 6]
    assert not found["left_out"]
    truth = rows(5, seed=1)["yield [%]"]
    for k in (0, 3, 4):
        assert table[k]["mean"] == pytest.approx(truth[k], abs=6)
        assert 0 <= table[k]["lower"] < table[k]["upper"] <= 100
    high = rows()["T [K]"].max()
    assert not table[1]["in_domain"]
    assert table[1]["reason"].startswith(f"T = 900 is above {high:.6g}")
    assert (table[2]["mean"], table[2]["in_domain"]) == (None, False)
    assert table[2]["reason"] == "no number in column 'time'"
    n_outside = sum(not row["in_domain"] for row in table)
    assert any(f"{n_outside} of 5 rows of" in note and "row 3: T = 900" in note for note in found["warnings"])


def test_without_new_rows_the_measured_ones_are_left_out(run, train):
    found = predict(run, train, "--level", "0.8", "--id", "sample")
    assert found["left_out"]
    assert found["new"] is None
    table = pd.DataFrame(found["predictions"])
    y = rows()["yield [%]"].to_numpy()
    assert table["row"].tolist() == list(range(2, 26))
    assert table["id"].tolist() == [f"S{k}" for k in range(24)]
    rmse = np.sqrt(np.mean((table["mean"] - y) ** 2))
    assert found["validation"]["rmse"] == pytest.approx(rmse)
    inside = (table["lower"] <= y) & (y <= table["upper"])
    assert found["validation"]["coverage"] == pytest.approx(inside.mean())
    assert 0.5 < inside.mean() < 1.0


def test_same_seed_same_answer_for_any_number_of_workers(run, train, new):
    import joblib

    with joblib.parallel_config(backend="threading"):
        answers = [predict(run, train, new, "--n-jobs", str(n), "--seed", "3") for n in (1, 2)]
    for answer in answers:
        del answer["seconds"]
    assert answers[0] == answers[1]


def test_unit_percent_makes_a_fraction_and_says_so(run, train, tmp_path):
    found = predict(run, train)
    assert found["kind"] == "fraction"
    assert any("has the unit %, so it is modelled as a percentage" in note for note in found["warnings"])
    assert predict(run, train, "--kind", "real")["kind"] == "real"
    bare = tmp_path / "bare.csv"
    rows().rename(columns={"yield [%]": "yield"}).to_csv(bare, index=False)
    found = predict(run, bare)
    assert found["kind"] == "real"
    assert any("with --kind fraction its predictions stay within 0 and 100" in n for n in found["warnings"])
    assert predict(run, bare, "--kind", "fraction")["kind"] == "fraction"
    strained = tmp_path / "strain.csv"
    rows().assign(**{"yield [%]": lambda f: 3 * f["yield [%]"]}).to_csv(strained, index=False)
    found = predict(run, strained)
    assert found["kind"] == "real"
    assert any("unit % but values outside 0 to 100" in note for note in found["warnings"])


def test_decades_are_pointed_out(run, tmp_path):
    path = tmp_path / "rates.csv"
    frame = rows().assign(rate=lambda f: np.exp(0.4 * f["time [h]"])).drop(columns="yield [%]")
    frame.to_csv(path, index=False)
    found = predict(run, path, target="rate")
    assert any("--kind positive may fit better" in note for note in found["warnings"])
    found = predict(run, path, "--kind", "positive", target="rate")
    assert min(row["lower"] for row in found["predictions"]) > 0


def test_japanese_table_in_cp932(run, tmp_path):
    names = {"sample": "試料", "T [K]": "温度 [K]", "time [h]": "時間（h）", "yield [%]": "収率 [%]"}
    path = tmp_path / "測定.csv"
    path.write_bytes(rows().rename(columns=names).to_csv(index=False).encode("cp932"))
    found = predict(run, path, "--id", "試料", target="収率")
    assert (found["target"], found["unit"], found["kind"]) == ("収率", "%", "fraction")
    assert found["units"]["時間"] == "h"


def test_new_rows_may_have_other_units(run, train, new):
    plain = predict(run, train, new)
    frame = pd.read_csv(new)
    frame["time [min]"] = 60 * frame.pop("time [h]")
    frame.to_csv(new, index=False)
    other = predict(run, train, new)
    assert other["predictions"][0]["mean"] == pytest.approx(plain["predictions"][0]["mean"], rel=1e-9)


def test_table_is_written_whole_with_units(run, train, new, tmp_path):
    place = tmp_path / "predicted.csv"
    code, out, _ = run("predict", "property", train, new, "--target", "yield", "--id", "sample", "-o", place)
    assert code == 0
    assert f"Table: {place}" in out
    table = read_table(place)
    assert list(table.frame.columns) == [
        "row", "id", "T", "time", "mean", "lower", "upper", "in_domain", "reason",
    ]  # fmt: skip
    assert table.units["mean"] == table.units["upper"] == "%"
    assert table.units["T"] == "K"
    assert table.frame["id"].tolist() == ["S0", "S1", "S2", "S3", "S4"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_feature_named_like_an_answer_keeps_its_name_apart(run, tmp_path):
    path = tmp_path / "odd.csv"
    rows().rename(columns={"T [K]": "mean [K]"}).to_csv(path, index=False)
    place = tmp_path / "out.tsv"
    assert run("predict", "property", path, "--target", "yield", "-o", place)[0] == 0
    table = read_table(place)
    assert {"mean (given)", "mean", "measured yield"} <= set(table.frame.columns)


def test_screen_names_score_importance_and_next_step(run, train, new):
    code, out, _ = run("predict", "property", train, new, "--target", "yield")
    assert code == 0
    assert out.startswith("yield [%] by a Gaussian process, as a fraction")
    assert "on rows it had not seen (20 folds of rows): RMSE" in out
    assert "growth of the RMSE [%] when shuffled" in out
    assert "T = 900 is above" in out
    assert "-o TABLE writes the predictions" in out


@pytest.mark.slow
def test_folder_holds_report_tables_and_figures(run, train, new, tmp_path):
    output = tmp_path / "out"
    code, out, err = run("predict", "property", train, new, "--target", "yield", "--output", output)
    assert code == 0, err
    assert f"Report: {output / 'report.html'}" in out
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert names == {
        "report.html", "predictions.csv", "importances.csv", "left_out.csv",
        "figures/parity.png", "figures/parity.svg", "figures/importance.png", "figures/importance.svg",
    }  # fmt: skip
    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2
    assert "T = 900 is above" in page
    assert "http:" not in page
    assert "https:" not in page


def test_groups_are_left_out_whole(run, tmp_path):
    path = tmp_path / "batches.csv"
    rows().assign(batch=np.repeat(list("abcdefghijkl"), 2)).to_csv(path, index=False)
    found = predict(run, path, "--groups", "batch")
    assert found["validation"]["protocol"] == "10 folds of whole groups"
    assert found["features"] == ["T", "time"]


def test_missing_cells_are_refused_or_dropped(run, train):
    lines = train.read_text().splitlines()
    lines[4] = "S3,failed,3.0,50"
    train.write_text("\n".join(lines) + "\n")
    code, out, err = run("predict", "property", train, "--target", "yield", "--json")
    assert (code, out) == (3, "")
    assert "row 5" in err
    assert "--missing drop" in err
    found = predict(run, train, "--missing", "drop")
    assert found["n_rows"] == 23
    assert [row["row"] for row in found["dropped_rows"]] == [5]


def change(train, **cells):
    frame = rows()
    for name, value in cells.items():
        frame.loc[5, name] = value
    frame.to_csv(train, index=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "yeild"], "Did you mean 'yield'"),
        (["--target", "yield", "--kind", "positive"], "'yield' must be positive. Got 0.0 in row 7"),
        (["--target", "yield", "--ignore", "T", "--ignore", "time"], "predict property: "),
        (["--target", "yield", "--groups", "sample", "--features", "nothing"], "--features: the column"),
        (["--target", "yield", "-o", "x.xlsx"], "-o: the place must be a CSV or TSV file. Got 'x.xlsx'"),
        (["--target", "yield", "-o", "no/such/folder/x.csv"], "-o: the place must lie in a folder you"),
    ],
)  # fmt: skip
def test_wrong_questions_exit_3_with_a_sentence(run, train, options, said):
    change(train, **{"yield [%]": 0.0})
    code, out, err = run("predict", "property", train, *options, "--json")
    assert (code, out) == (3, "")
    assert said in err
    assert "explain table" not in err


def test_a_percentage_above_100_is_named(run, train):
    change(train, **{"yield [%]": 120.0})
    code, _, err = run("predict", "property", train, "--target", "yield", "--kind", "fraction")
    assert code == 3
    assert "every value of 'yield' must lie between 0 and 100. Got 120.0 in row 7" in err


def test_a_percentage_above_100_is_named_where_it_is_allowed(run, train):
    change(train, **{"yield [%]": 120.0})
    notes = predict(run, train)["warnings"]
    assert (
        "'yield' has the unit % but values outside 0 to 100, the first 120 in row 7, "
        "so any number is allowed."
    ) in notes


@pytest.mark.parametrize(("n_above", "said"), [(0, "All values"), (2, "All but 2 of the 24 values")])
def test_fractions_said_to_be_percent_are_doubted(run, train, n_above, said):
    frame = rows()
    frame["yield [%]"] = frame["yield [%]"] / 100
    frame.loc[: n_above - 1, "yield [%]"] = 50.0
    frame.to_csv(train, index=False)
    assert (
        f"{said} of 'yield' lie between 0 and 1 although its unit is %: if these are fractions, write the "
        "unit as 1 (header 'yield [1]', or --units \"yield=1\") and add --kind fraction."
    ) in predict(run, train)["warnings"]


def test_a_percentage_far_outside_may_be_anything(run, train, new):
    far = pd.read_csv(new).assign(**{"time [h]": 1e4})
    far.to_csv(new, index=False)
    found = predict(run, train, new)
    assert {(row["lower"], row["upper"]) for row in found["predictions"] if not row["in_domain"]} == {
        (0, 100)
    }


@pytest.mark.parametrize(
    "options", [["--classify"], ["--model", "gp"], ["--table", "published"], ["--basis", "at%"]]
)
def test_options_about_formulas_need_a_column_of_them(run, train, options):
    code, out, err = run("predict", "property", train, "--target", "yield", *options)
    assert (code, out) == (2, "")
    assert f"{options[0]}: the option must be left out without --formula" in err
    assert "--formula COL" in err


def test_too_few_rows(run, train):
    rows(4).to_csv(train, index=False)
    code, _, err = run("predict", "property", train, "--target", "yield")
    assert code == 3
    assert "have at least 5 complete rows. Got 4" in err


def test_a_column_that_new_rows_lack_is_named(run, train, new):
    pd.read_csv(new).drop(columns="time [h]").to_csv(new, index=False)
    code, _, err = run("predict", "property", train, new, "--target", "yield")
    assert code == 3
    assert f"{new}: the column must be in the table. Got 'time" in err
    assert "--apply" not in err


def test_a_new_table_that_cannot_be_read_is_told_what_to_do(run, train, new):
    code, _, err = run("predict", "property", train, "--target", "yield", "--ignore", "time", "--json")
    assert code == 0, err
    frame = pd.read_csv(new)
    frame.drop(columns="time [h]").to_csv(new, index=False)
    _, _, err = run("predict", "property", train, new, "--target", "yield")
    assert "Add the column, or do without it: --ignore 'time'." in err
    frame.rename(columns={"time [h]": "time [m]"}).to_csv(new, index=False)
    code, _, err = run("predict", "property", train, new, "--target", "yield")
    assert code == 3
    assert f"{new}: the unit of column 'time' and that in {train} must have equal dimensions. Got 'm'" in err
    frame.assign(**{"time [h]": ["1", "2", "long", "4", "5"]}).to_csv(new, index=False)
    code, _, err = run("predict", "property", train, new, "--target", "yield")
    assert code == 3
    assert "Got 'long' at row 4, column 'time'" in err
    assert "empty it to skip its row, or learn without the column: --ignore 'time'." in err
    frame.head(0).to_csv(new, index=False)
    code, _, err = run("predict", "property", train, new, "--target", "yield")
    assert code == 3
    assert f"{new} must have rows below its header. Got 'no row'" in err


def test_columns_that_never_vary_are_named(run, train):
    rows().assign(**{"T [K]": 350.0, "time [h]": 2.0}).to_csv(train, index=False)
    code, _, err = run("predict", "property", train, "--target", "yield")
    assert code == 3
    assert f"{train} must have a column that varies. Got 'T = 350, time = 2'" in err
    assert "TablePredictor" not in err


def test_a_target_that_never_varies_is_said_by_name(run, train):
    rows().assign(**{"yield [%]": 40.0}).to_csv(train, index=False)
    code, out, _ = run("predict", "property", train, "--target", "yield")
    assert code == 0
    assert "Q2 undefined" in out
    assert "Note: yield is 40 in all 24 rows, so there is nothing to learn." in out


def test_few_rows_say_what_their_intervals_hold(run, train, new):
    rows(6).to_csv(train, index=False)
    for files in ((train,), (train, new)):
        code, out, _ = run("predict", "property", *files, "--target", "yield", "--json")
        assert code == 0
        said = [note for note in json.loads(out)["warnings"] if "needs at least 9 rows; there are 6" in note]
        assert len(said) == 1
        assert said[0].startswith("a level of 0.9 needs")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--level", "90"], "must lie between 0 and 1. Got 90"),
        (["--n-jobs", "0"], "1, 2, ..., or -1"),
        (["--kind", "magic"], "magic"),
        (["--seed", "1", "--seed", "2"], "can be given once"),
    ],
)
def test_usage_errors_exit_2(run, train, options, said):
    code, out, err = run("predict", "property", train, "--target", "yield", *options)
    assert (code, out) == (2, "")
    assert said in err


def test_a_missing_file_exits_3(run, tmp_path):
    code, _, err = run("predict", "property", tmp_path / "none.csv", "--target", "y")
    assert code == 3
    assert "none.csv" in err


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_nothing_behind(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(size=(900, 6)), columns=list("abcdef"))
    frame["y"] = frame["a"] + 0.1 * rng.normal(size=900)
    path, place = tmp_path / "long.csv", tmp_path / "out.csv"
    frame.to_csv(path, index=False)
    command = [
        sys.executable,
        "-m",
        "sozai",
        "predict",
        "property",
        str(path),
        "--target",
        "y",
        "-o",
        str(place),
    ]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(12)
    os.kill(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "Interrupted; no answer was written." in err
    assert not place.exists()
