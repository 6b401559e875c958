"""From measured formulas to predictions of new ones: a quantity, classes, columns beside the formula."""

import json

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.tables import read_table

CATIONS = ["Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Zn"]
RADII = {
    "Li": 76,
    "Na": 102,
    "K": 138,
    "Rb": 152,
    "Cs": 167,
    "Mg": 72,
    "Ca": 100,
    "Sr": 118,
    "Ba": 135,
    "Zn": 74,
}
ANIONS = {"F": 133, "Cl": 181, "Br": 196, "I": 220, "O": 140, "S": 184}


def salts():
    """Sums of ionic radii, which a model of formulas can learn."""
    rows = [
        (f"{cation}{anion}", (RADII[cation] + ANIONS[anion]) / 100, anion in "OS", 300 + 10 * k)
        for k, cation in enumerate(CATIONS)
        for anion in ANIONS
        if (cation in CATIONS[:5]) == (anion not in "OS")
    ]
    names = ["formula", "distance [angstrom]", "oxide", "T [K]"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture
def train(tmp_path):
    path = tmp_path / "salts.csv"
    salts().to_csv(path, index=False)
    return path


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("name,formula\na,NaCl2\nb,Qq\nc,UH3\nd,CaO\n", encoding="utf-8")
    return path


def predict(run, path, *options, target="distance"):
    options = [*options, "--formula", "formula", "--target", target, "--json"]
    code, out, err = run("predict", "property", path, *options)
    assert code == 0, err
    return json.loads(out)


def test_json_has_the_promised_keys_and_honest_scores(run, train):
    found = predict(run, train, "--level", "0.8")
    assert {
        "schema", "version", "input", "warnings", "target", "unit", "kind", "model", "formula", "table",
        "features", "groups", "n_rows", "n_dropped", "dropped_rows", "issues", "level", "validation",
        "left_out", "predictions",
    } <= set(found)  # fmt: skip
    assert found["schema"] == "sozai.predict.property.formulas/1"
    assert (found["unit"], found["n_rows"], found["left_out"]) == ("angstrom", 30, True)
    table, y = pd.DataFrame(found["predictions"]), salts()["distance [angstrom]"].to_numpy()
    assert set(table.columns) == {
        "row", "id", "formula", "mean", "lower", "upper", "in_domain", "reason", "nearest", "distance",
    }  # fmt: skip
    assert table["row"].tolist() == list(range(2, 32))
    assert table["formula"].tolist() == salts()["formula"].tolist()
    scores = found["validation"]
    error = table["mean"].to_numpy() - y
    assert scores["mae"] == pytest.approx(np.abs(error).mean())
    assert scores["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert scores["r2"] == pytest.approx(1 - (error**2).mean() / y.var())
    assert scores["r2"] > 0.5
    assert scores["squared_correlation"] == pytest.approx(np.corrcoef(table["mean"], y)[0, 1] ** 2)
    inside = (table["lower"] <= y) & (y <= table["upper"])
    assert scores["coverage"] == pytest.approx(inside.mean())
    assert "folds of" in scores["protocol"]
    assert set(scores["folds"][0]) == {"fold", "n_test", "MAE", "RMSE", "R2", "squared_correlation"}


def test_new_formulas_have_intervals_domains_and_reasons(run, train, new, tmp_path):
    place = tmp_path / "predicted.csv"
    found = predict(run, train, new, "-o", place)
    first, refused, strange, known = found["predictions"]
    assert not found["left_out"]
    assert [row["row"] for row in found["predictions"]] == [2, 3, 4, 5]
    assert (refused["mean"], refused["in_domain"]) == (None, False)
    assert "formula must name known elements; 'Qq' is none" in refused["reason"]
    assert strange["reason"] == "holds H, U, which no training formula holds"
    assert known["in_domain"]
    assert known["nearest"] == "CaO"
    assert known["lower"] < 2.40 < known["upper"]
    assert first["lower"] < first["mean"] < first["upper"]
    assert any("2 of 4 rows" in note or "3 of 4 rows" in note for note in found["warnings"])
    table = read_table(place)
    assert table.units["mean"] == table.units["upper"] == "angstrom"
    assert table.frame["formula"].tolist() == ["NaCl2", "Qq", "UH3", "CaO"]


def test_rows_that_lack_something_are_named_left_out_and_counted(run, train):
    frame = salts()
    frame.loc[3, "formula"] = "Xx2O3"
    frame.loc[5, "formula"] = ""
    frame.loc[7, "distance [angstrom]"] = np.nan
    frame.to_csv(train, index=False)
    found = predict(run, train)
    assert (found["n_rows"], found["n_dropped"]) == (27, 3)
    assert [(row["row"], row["column"]) for row in found["dropped_rows"]] == [
        (5, "formula"), (7, "formula"), (9, "distance"),
    ]  # fmt: skip
    assert "'Xx' is a placeholder" in found["dropped_rows"][0]["reason"]
    assert any("No formula could be read in 2 rows (5, 7)" in note for note in found["warnings"])
    assert "1 row (9) is left out for an empty cell in column 'distance'." in found["warnings"]
    options = ["--formula", "formula", "--target", "distance", "--missing", "error"]
    code, out, err = run("predict", "property", train, *options)
    assert (code, out) == (3, "")
    assert "Row 5 of" in err
    assert "Got 'Xx2O3'" in err
    assert "--missing drop" in err


def test_columns_beside_the_formula_come_in_other_units(run, train, tmp_path):
    frame = salts()
    frame["distance [angstrom]"] += 0.01 * (frame["T [K]"] - 300)
    frame.to_csv(train, index=False)
    new = tmp_path / "new.csv"
    new.write_text("化学式,T [degC]\nNaCl,126.85\nNaCl,26.85\nNaCl,\n", encoding="utf-8")
    found = predict(run, train, new, "--features", "T")
    assert (found["features"], found["units"]["T"]) == (["T"], "K")
    hot, cold, gap = found["predictions"]
    assert hot["mean"] > cold["mean"]
    assert (gap["mean"], gap["reason"]) == (None, "no number in column 'T'")
    assert any("Column '化学式'" in note and "is taken as that" in note for note in found["warnings"])


def test_classes_come_with_probabilities_and_sets(run, train, new, tmp_path):
    place = tmp_path / "classes.csv"
    found = predict(run, train, new, "-o", place, target="oxide")
    assert found["schema"] == "sozai.predict.property.classes/1"
    assert found["kind"] == "classes"
    row, refused = found["predictions"][3], found["predictions"][1]
    assert row["class"] == "True"
    assert sum(row["probabilities"].values()) == pytest.approx(1.0)
    assert set(row["probabilities"]) == {"True", "False"}
    assert "True" in row["set"]
    assert (refused["class"], refused["probabilities"], refused["set"]) == (None, None, None)
    scores = found["validation"]
    assert scores["accuracy"] > 0.8
    assert np.sum(scores["confusion"]["counts"]) == 30
    assert [part["n"] for part in scores["classes"]] == [20, 10]
    assert {"macro_f1", "calibration_error", "protocol", "coverage", "level"} <= set(scores)
    table = read_table(place).frame
    assert {"class", "probability of True", "probability of False", "set"} <= set(table.columns)


def test_few_formulas_of_a_class_lower_the_folds_and_it_is_said(run, train):
    frame = salts()[lambda f: ~f["oxide"] | f["formula"].isin(["MgO", "CaO", "SrO"])]
    frame.assign(kind=np.where(frame["oxide"], "oxide", "halide")).to_csv(train, index=False)
    found = predict(run, train, target="kind")
    assert found["validation"]["n_folds"] == 3
    assert any("Class 'oxide' has 3 different formulas only" in note for note in found["warnings"])
    assert found["left_out"]
    assert len(found["predictions"]) == 23


def test_true_and_false_are_spelled_as_in_the_file(run, train, tmp_path):
    frame = salts().assign(oxide=lambda f: f["oxide"].map({True: "TRUE", False: "false"}))
    frame.assign(block=lambda f: f.index % 6).to_csv(train, index=False)
    place = tmp_path / "classes.tsv"
    options = ["--formula", "formula", "--target", "oxide", "--groups", "block", "-o", place]
    code, out, err = run("predict", "property", train, *options)
    assert code == 0, err
    assert "5 folds of whole groups" in out
    assert "probability of TRUE" in out
    assert "yes" not in out
    table = pd.read_csv(place, sep="\t", dtype=str)
    assert table["oxide"].tolist() == frame["oxide"].tolist()
    assert set(table["class"]) == {"TRUE", "false"}
    assert "measured oxide" not in table


def test_columns_of_the_new_rows_stay_and_keep_their_names(run, train, tmp_path):
    new, place = tmp_path / "new.csv", tmp_path / "predicted.csv"
    new.write_text("batch,mean,化学式,ok,T [K]\nA,7,CaO,TRUE,5\nB,8,Qq,false,6\n", encoding="utf-8")
    predict(run, train, new, "-o", place)
    table = pd.read_csv(place, dtype=str)
    assert table.columns[:5].tolist() == ["batch", "mean", "化学式", "ok", "T [K]"]
    assert table.iloc[:, :5].to_numpy().tolist() == [
        ["A", "7", "CaO", "TRUE", "5"], ["B", "8", "Qq", "false", "6"],
    ]  # fmt: skip
    assert table.columns[5:8].tolist() == ["row", "mean (sozai) [angstrom]", "lower [angstrom]"]
    assert table["row"].tolist() == ["2", "3"]
    assert 2.3 < float(table["mean (sozai) [angstrom]"][0]) < 2.5


def test_predictions_worse_than_the_mean_are_said(run, train):
    block = np.repeat([0, 1], 15)
    salts().assign(block=block, step=block * 10.0 + np.arange(30) % 3).to_csv(train, index=False)
    found = predict(run, train, "--groups", "block", target="step")
    assert found["validation"]["r2"] < 0
    said = " ".join(found["warnings"])
    assert "'step' of rows left out (2 folds of whole groups) is predicted worse than by the mean" in said
    assert f"R2 is {found['validation']['r2']:.3g}" in said


@pytest.mark.slow
def test_whole_numbers_are_classes_when_asked(run, train):
    salts().assign(code=lambda f: f["oxide"].astype(int)).to_csv(train, index=False)
    assert predict(run, train, "--classify", target="code")["kind"] == "classes"
    assert predict(run, train, target="code")["kind"] == "real"


@pytest.mark.parametrize(("word", "said"), [("system", "whole chemical systems"), ("rows", "folds of rows")])
def test_groups_may_be_words(run, train, word, said):
    frame = pd.concat([salts(), salts()], ignore_index=True)
    frame.to_csv(train, index=False)
    found = predict(run, train, "--groups", word)
    assert said in found["validation"]["protocol"]
    assert found["groups"] == word


@pytest.mark.slow
def test_groups_may_be_a_column(run, train):
    salts().assign(cation=lambda f: f["formula"].str[:2]).to_csv(train, index=False)
    found = predict(run, train, "--groups", "cation")
    assert "whole" in found["validation"]["protocol"]


def test_a_level_that_few_rows_cannot_promise_is_said(run, train):
    salts().head(9).to_csv(train, index=False)
    found = predict(run, train, "--level", "0.99")
    assert found["validation"]["level"] == pytest.approx(0.9)
    assert "9 formulas left out can promise intervals of 90 % at most, not 99 %." in found["warnings"]


def test_a_target_that_never_varies_is_said(run, train):
    salts().assign(same=4.0).to_csv(train, index=False)
    found = predict(run, train, target="same")
    assert "'same' is 4 in all 30 rows: there is nothing to learn from them." in found["warnings"]
    assert found["validation"]["r2"] is None


def test_japanese_table_in_cp932_and_screen(run, tmp_path):
    path = tmp_path / "塩.csv"
    names = {"formula": "化学式", "distance [angstrom]": "距離 [pm]"}
    path.write_bytes(salts().rename(columns=names).to_csv(index=False).encode("cp932"))
    code, out, err = run("predict", "property", path, "--formula", "化学式", "--target", "距離")
    assert code == 0, err
    assert out.startswith("距離 [pm] from formulas by a Gaussian process")
    assert "squared correlation" in out
    assert "--groups system leaves whole chemical systems out" in out
    code, out, _ = run("predict", "property", path, "--formula", "化学式", "--target", "oxide")
    assert code == 0
    assert "macro-F1" in out


@pytest.mark.slow
@pytest.mark.parametrize("target", ["distance", "oxide"])
def test_folder_holds_report_tables_and_figures(run, train, new, tmp_path, target):
    output = tmp_path / "out"
    code, out, err = run(
        "predict", "property", train, new, "--formula", "formula", "--target", target, "--output", output
    )
    assert code == 0, err
    assert f"Report: {output / 'report.html'}" in out
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    figures = {"map", "parity"} if target == "distance" else {"map"}
    tables = {"left_out.csv", "folds.csv"} if target == "distance" else {"classes.csv", "confusion.csv"}
    drawn = {f"figures/{name}.{kind}" for name in figures for kind in ("png", "svg")}
    assert names == {"report.html", "predictions.csv"} | tables | drawn
    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == len(figures)
    assert "new, outside" in page
    assert "http:" not in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "distanc", "--formula", "formula"], "Did you mean 'distance'"),
        (["--target", "distance", "--formula", "fomula"], "--formula: the column must be in the table"),
        (["--target", "distance", "--formula", "T"], "--formula: column 'T' must hold chemical formulas"),
        (["--target", "distance", "--formula", "formula", "--features", "no"], "--features: the column"),
        (["--target", "distance", "--formula", "formula", "--groups", "no"], "--groups: the column"),
        (["--target", "distance", "--formula", "formula", "-o", "x.xlsx"], "-o: the place must be a CSV"),
        (["--target", "distance", "--formula", "formula", "-o", "s.xyz"], "End its name in .csv, .tsv or"),
        (["--target", "distance", "--formula", "formula", "-o", ".csv"], "Got '.csv'"),
    ],
)
def test_wrong_data_exits_3(run, train, options, said):
    code, out, err = run("predict", "property", train, *options, "--json")
    assert (code, out) == (3, "")
    assert said in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "formula"], "--target: the column must not also be the target or that of the formulas"),
        (["--target", "distance", "--ignore", "T"], "--ignore: the option must be left out with --formula"),
        (["--target", "oxide", "--kind", "real"], "--kind: the option must be left out where the target"),
        (["--target", "oxide", "--model", "gp"], "--model: the option must be left out where the target"),
        (["--target", "distance", "--values", "x"], "--values: each entry must read NAME=NUMBER"),
        (["--target", "distance", "--model", "magic"], "--model"),
    ],
)
def test_wrong_use_exits_2(run, train, options, said):
    code, out, err = run("predict", "property", train, *options, "--formula", "formula")
    assert (code, out) == (2, "")
    assert said in err


def test_too_few_formulas_and_new_ones_that_all_fail(run, train, new):
    salts().head(4).to_csv(train, index=False)
    options = ["--formula", "formula", "--target", "distance"]
    code, _, err = run("predict", "property", train, *options)
    assert code == 3
    assert "have at least 5 complete rows. Got 4. Measure more formulas" in err
    salts().to_csv(train, index=False)
    new.write_text("formula\nQq\n", encoding="utf-8")
    code, _, err = run("predict", "property", train, new, *options)
    assert code == 3
    assert "can be read (1 row). Row 2: formula must name known elements" in err


@pytest.mark.slow
def test_same_seed_same_answer_for_any_number_of_workers(run, train, new):
    import joblib

    with joblib.parallel_config(backend="threading"):
        answers = [predict(run, train, new, "--n-jobs", str(n), "--seed", "3") for n in (1, 2)]
    for answer in answers:
        del answer["seconds"]
    assert answers[0] == answers[1]
