"""From a file with a column of classes to a rule, and from a wrong one to a sentence."""

import json

import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli.class_plan import plan_classes, seconds_of_search
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.table_reading import read_question
from sozai.symbolic import SymbolicClassifier, parse_expression


def rows(n=60, seed=0):
    """Layered where r_A < 0.9 r_B."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.uniform(1, 3, (n, 3)).round(4), columns=["r_A [nm]", "r_B [nm]", "n"])
    frame.insert(0, "name", [f"S{k:02}" for k in range(n)])
    return frame.assign(phase=np.where(frame["r_A [nm]"] < 0.9 * frame["r_B [nm]"], "layered", "cubic"))


@pytest.fixture
def file(tmp_path):
    def write(frame, name="phases.csv"):
        path = tmp_path / name
        frame.to_csv(path, index=False)
        return path

    return write


QUICK = ("--max-terms", "1", "--operations", "ratio")


def explain(run, path, *options):
    code, out, err = run("explain", "table", path, "--target", "phase", *options, "--json")
    assert code == 0, err
    return json.loads(out)


def refused(run, path, *options, code=3):
    got, out, err = run("explain", "table", path, "--target", "phase", *options)
    assert (got, out) == (code, "")
    assert err.count("\n") == 1
    return err


# -- what is found ----------------------------------------------------------------------------------------


def test_json_has_the_promised_keys_and_the_rule(run, file):
    found = explain(run, file(rows()), *QUICK)
    assert {"schema", "version", "input", "warnings", "seconds", "rules", "calibration"} <= set(found)
    assert found["schema"] == "sozai.explain.table.classes/1"
    (cut,) = found["boundary"]["cuts"]
    assert found["rule"] == f"layered if r_A/r_B < {cut:g}, else cubic"
    ratio = rows()["r_A [nm]"] / rows()["r_B [nm]"]
    assert ratio[ratio < 0.9].max() < cut < ratio[ratio >= 0.9].min()
    assert found["boundary"]["pieces"] == ["layered", "cubic"]
    assert found["formula"] == "r_A/r_B"
    assert [record["class"] for record in found["classes"]] == ["cubic", "layered"]
    frame = rows()
    assert [record["n_rows"] for record in found["classes"]] == [
        int((frame["phase"] == label).sum()) for label in ("cubic", "layered")
    ]
    assert found["training"]["accuracy"] == 1
    assert found["training"]["conditional_on_search"] is True
    assert found["training"]["largest_class"] == pytest.approx((frame["phase"] == "cubic").mean())
    assert "Column 'name' holds no numbers and is left out." in found["warnings"]


def test_accuracy_is_that_of_rows_left_out_with_an_interval(run, file):
    score = explain(run, file(rows()), *QUICK)["validation"]
    assert (score["protocol"], score["n_folds"]) == ("10 shuffled folds", 10)
    n_right = round(60 * score["accuracy"])
    low, high = score["accuracy_interval"]
    z2 = 1.959963984540054**2  # Wilson (1927): the roots of (p - share)^2 = z^2 p (1 - p)/n
    for p in (low, high):
        assert (p - n_right / 60) ** 2 == pytest.approx(z2 * p * (1 - p) / 60, rel=1e-6)
    assert np.sum(score["confusion"]) == 60
    assert np.trace(score["confusion"]) == n_right
    assert all("if r_A/r_B <" in fold["rule"] for fold in score["folds"])


@pytest.mark.parametrize(
    ("labels", "rule"),
    [
        (lambda phase: phase == "layered", "True if r_A/r_B <"),
        (lambda phase: np.where(phase == "layered", "層状", "立方"), "立方 if r_A/r_B >"),
        (lambda phase: np.where(phase == "layered", "NG", "OK"), "OK if r_A/r_B >"),
    ],
    ids=["bool", "Japanese", "words for missing values"],
)
def test_text_and_truth_values_are_classes(run, file, labels, rule):
    frame = rows()
    assert explain(run, file(frame.assign(phase=labels(frame["phase"]))), *QUICK)["rule"].startswith(rule)


def test_whole_numbers_are_a_quantity_unless_they_are_said_to_be_classes(run, file):
    frame = rows()
    path = file(frame.assign(phase=np.where(frame["phase"] == "layered", -1, 10)))
    quantity = explain(run, path, "--order", "1", "--operations", "none")
    assert quantity["schema"] == "sozai.explain.table/1"
    _, out, _ = run("explain", "table", path, "--target", "phase", "--order", "1", "--operations", "none")
    assert "--classify takes the whole numbers" in out
    found = explain(run, path, "--classify", *QUICK)
    assert found["rule"].startswith("10 if r_A/r_B >")
    assert [record["class"] for record in found["classes"]] == [-1, 10]


def test_labels_that_look_like_numbers_are_classes_when_asked(run, file):
    frame = rows()
    path = file(frame.assign(phase=np.where(frame["phase"] == "layered", "3C", "4H")))
    assert "Or take its values as classes with --classify." in refused(run, path)
    assert explain(run, path, "--classify", *QUICK)["rule"].startswith("4H if r_A/r_B >")


def test_three_classes_along_one_line(run, file):
    frame = rows()
    labels = np.select([frame["n"] < 1.6, frame["n"] < 2.3], ["a", "b"], "c")
    found = explain(run, file(frame.assign(phase=labels)), *QUICK)
    low, high = found["boundary"]["cuts"]
    assert found["rule"] == f"a if n < {low:g}, b if {low:g} < n < {high:g}, c if n > {high:g}"


def test_two_formulas_are_separated_by_log_odds(run, file):
    rng = np.random.default_rng(1)
    frame = rows(150, seed=1)
    odds = 8 * (frame["r_A [nm]"] / frame["r_B [nm]"]) + 6 * frame["n"] - 20 + rng.logistic(size=150)
    found = explain(run, file(frame.assign(phase=np.where(odds > 0, "yes", "no"))), "--operations", "ratio")
    assert found["boundary"]["kind"] == "linear"
    assert len(found["terms"]) == 2
    assert found["rule"].startswith("yes if ")
    frame.columns = ["name", "r_A", "r_B", "n", "phase"]
    value = parse_expression(found["formula"], ["r_A", "r_B", "n"]).evaluate(frame[["r_A", "r_B", "n"]])
    agree = np.mean((value > 0) == (odds > 0))
    assert agree == pytest.approx(found["training"]["accuracy"], abs=0.01)


def test_noise_has_no_rule_and_that_is_said(run, file):
    frame = rows()
    labels = np.random.default_rng(0).permutation(frame["phase"])
    code, out, _ = run("explain", "table", file(frame.assign(phase=labels)), "--target", "phase")
    assert code == 0
    assert out.startswith("phase: always cubic")
    assert "No formula tells the classes apart better than luck" in out


def test_the_screen_names_the_rule_the_honest_accuracy_and_the_next_step(run, file):
    code, out, err = run("explain", "table", file(rows()), "--target", "phase", *QUICK)
    assert (code, err) == (0, "")
    first, *rest = out.splitlines()
    assert first.startswith("phase: layered if r_A/r_B < 0.8")
    text = "\n".join(rest)
    assert "the whole search repeated without the rows to be classed (10 shuffled folds)" in text
    assert "On the rows the rule was chosen by: 1.0000 (conditional on the search, not to be quoted)" in text
    assert "--groups COL tests the rule on whole groups" in text


def test_groups_are_left_out_together(run, file):
    path = file(rows().assign(batch=np.arange(60) // 6))
    score = explain(run, path, "--groups", "batch", *QUICK)["validation"]
    assert score["protocol"] == "each of 10 groups of 'batch' left out in turn"
    frame = rows()
    lonely = explain(run, file(frame.assign(batch=frame["phase"])), "--groups", "batch", *QUICK)["validation"]
    assert lonely["n_folds"] == 0
    assert lonely["protocol"].startswith("not tested, a class occurs in one group only")
    assert lonely["accuracy"] is None


@pytest.mark.slow
def test_the_answer_does_not_depend_on_threads(run, file):
    path, answers = file(rows()), []
    for n in (1, 2):
        answers.append(explain(run, path, "--n-jobs", str(n), "--seed", "3"))
        for record in (answers[-1], *answers[-1]["search"]["screens"]):
            del record["seconds"]
    assert answers[0] == answers[1]


def test_other_classifiers_are_scored_on_the_same_folds(run, file):
    found = explain(run, file(rows()), "--compare", *QUICK)
    methods = {row["method"]: row for row in found["comparison"]}
    assert len(methods) == 6
    assert methods["short rule"]["accuracy"] == found["validation"]["accuracy"]
    assert (methods["short rule"]["gains"], methods["short rule"]["losses"]) == (0, 0)
    blind = methods["always the largest class"]
    assert blind["accuracy"] == pytest.approx(found["training"]["largest_class"])
    n_more = blind["losses"] - blind["gains"]
    assert n_more == round(60 * (methods["short rule"]["accuracy"] - blind["accuracy"]))
    accuracies = [row["accuracy"] for row in found["comparison"]]
    assert accuracies == sorted(accuracies, reverse=True)
    frame = rows()
    path = file(frame.assign(batch=frame["phase"]))
    found = explain(run, path, "--groups", "batch", "--compare", *QUICK)
    assert "comparison" not in found
    assert any("no folds to compare on" in note for note in found["warnings"])


# -- new rows, files --------------------------------------------------------------------------------------


def test_new_rows_get_a_class_probabilities_and_a_reason(run, file):
    new = file(
        pd.DataFrame(
            {
                "r_B [Å]": [25, 12, 25, 0, np.nan],
                "r_A [Å]": [12, 25, 90, 20, 20],
                "n": 2.0,
                "name": list("abcde"),
            }
        ),
        "new.csv",
    )
    found = explain(run, file(rows()), "--apply", new, "--id", "name", *QUICK)["predictions"]
    inside, other, far, pole, empty = found
    assert [row["row"] for row in found] == [2, 3, 4, 5, 6]
    assert [row["id"] for row in found] == list("abcde")
    assert (inside["class"], other["class"], far["class"]) == ("layered", "cubic", "cubic")
    assert inside["probabilities"]["layered"] > 0.9
    assert sum(inside["probabilities"].values()) == pytest.approx(1)
    assert inside["in_domain"]
    assert inside["reason"] == ""
    assert not far["in_domain"]
    assert "r_A = 9 is above" in far["reason"]
    assert pole["class"] is None  # a division by zero: nothing is known
    assert pole["probabilities"] == {"cubic": None, "layered": None}
    assert "r_A/r_B is not defined here" in pole["reason"]
    assert empty["class"] is None
    assert empty["reason"] == "no number in column 'r_B'"


def test_a_saved_rule_classes_the_same(run, file, tmp_path):
    path = file(rows())
    found = explain(run, path, "--save", tmp_path / "rule.zip", "--apply", path, *QUICK)
    law = SymbolicClassifier.load(tmp_path / "rule.zip")
    X = rows()[["r_A [nm]", "r_B [nm]", "n"]]
    assert law.rule_ == found["rule"]
    assert law.predict(X).tolist() == [row["class"] for row in found["predictions"]]
    chance = [[row["probabilities"][label] for label in law.classes_] for row in found["predictions"]]
    np.testing.assert_array_equal(law.predict_proba(X), chance)


def test_the_folder_has_report_tables_and_the_class_map(run, file, tmp_path):
    path, out = file(rows()), tmp_path / "out"
    code, said, err = run(
        "explain", "table", path, "--target", "phase", "--output", out, "--apply", path, *QUICK
    )
    assert code == 0, err
    assert f"Report: {out / 'report.html'}" in said
    assert sorted(item.name for item in out.iterdir()) == [
        "classes.csv", "confusion.csv", "figures", "left_out.csv", "predictions.csv", "report.html",
        "rules.csv",
    ]  # fmt: skip
    assert sorted(item.name for item in (out / "figures").iterdir()) == ["class_map.png", "class_map.svg"]
    html = (out / "report.html").read_text(encoding="utf-8")
    for words in (
        "A rule for phase",
        "layered if r_A/r_B",
        "95 % interval",
        "Rows that",
        "The rule found in every",
    ):
        assert words in html or words == "Rows that"
    assert "<script" not in html
    left_out = pd.read_csv(out / "left_out.csv")
    assert len(left_out) == 60
    assert (left_out["right"] == (left_out["class"] == left_out["given"])).all()
    confusion = pd.read_csv(out / "confusion.csv", index_col="class")
    assert confusion.loc["cubic", "cubic"] == ((left_out["class"] == "cubic") & left_out["right"]).sum()


# -- what is refused --------------------------------------------------------------------------------------


def test_one_class_only(run, file):
    assert "must hold at least 2 classes. Got 'only cubic'" in refused(
        run, file(rows().assign(phase="cubic"))
    )


@pytest.mark.parametrize(
    ("n", "said"), [(1, "Got '1 row of hcp' (row 12; 3"), (2, "Got '2 rows of hcp' (row 12")]
)
def test_a_class_of_one_or_two_rows_is_named_with_its_row(run, file, n, said):
    frame = rows()
    frame.loc[10 : 9 + n, "phase"] = "hcp"
    assert said in refused(run, file(frame))


def test_two_rows_a_class(run, file):
    assert "at least 3 rows of every class" in refused(run, file(rows().groupby("phase").head(2)))


def test_names_are_no_classes(run, file):
    err = refused(run, file(rows().assign(phase=[f"S{k}" for k in range(60)])))
    assert "Got '1 row of S0' (row 2; 60 classes in 60 rows)" in err
    assert "if the column holds names, choose another" in err


def test_missing_labels(run, file):
    frame = rows()
    frame.loc[3, "phase"] = None
    path = file(frame)
    assert "column 'phase' must name a class in every row. Got '' at row 5" in refused(run, path)
    found = explain(run, path, "--missing", "drop", *QUICK)
    assert (found["n_rows"], found["dropped_rows"]) == (59, [{"row": 5, "column": "phase", "text": ""}])
    frame.loc[2, "n"] = None
    dropped = explain(run, file(frame), "--missing", "drop", *QUICK)["dropped_rows"]
    assert [(record["row"], record["column"]) for record in dropped] == [(4, "n"), (5, "phase")]


@pytest.mark.parametrize("options", [(), ("--classify",)])
def test_no_label_at_all(run, file, options):
    err = refused(run, file(rows().assign(phase=np.nan)), *options)
    assert "column 'phase' must" in err
    assert ("no label in any row" in err) is bool(options)


def test_a_stray_word_in_numbers_is_no_class(run, file):
    frame = rows()
    words = frame["n"].astype(str)
    words[7] = "oops"
    assert "must hold numbers. Got 'oops' at row 9" in refused(run, file(frame.assign(phase=words)))


def test_broken_numbers_are_no_classes(run, file):
    err = refused(run, file(rows().assign(phase=lambda frame: frame["n"])), "--classify")
    assert "--classify: column 'phase' must hold whole numbers or text. Got 1.0819 at row 2" in err


@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        ("--limits", "n=0:1", "'n=0:1'"),
        ("--order", "2", "2. --max-rung says"),
        ("--symmetry", "r_A<->r_B", "'r_A<->r_B'"),
        ("--select", "lasso", "'lasso'"),
        ("--criterion", "q2", "'q2'"),
        ("--candidates", "all", "'all'"),
        ("--prefer", "n", "'n'"),
        ("--relations", None, "True"),
    ],
)
def test_options_about_a_quantity_are_refused(run, file, option, value, shown):
    err = refused(run, file(rows()), option, *([] if value is None else [value]), code=2)
    assert f"{option}: the option must be left out where the target holds classes. Got {shown}" in err


def test_four_terms_are_refused(run, file):
    assert "must be at most 3 where the target holds classes. Got 4" in refused(
        run, file(rows()), "--max-terms", "4", code=2
    )


def test_classes_are_refused_beside_invariants(run, file):
    code, _, err = run("explain", "table", file(rows()), "--invariants", "--classify")
    assert code == 2
    assert "--classify: the option must be left out with --invariants" in err


# -- the plan ---------------------------------------------------------------------------------------------


def plan_of(path, **options):
    question = TableQuestion(file=path, target="phase", **options)
    return plan_classes(question, read_question(question, classes=True))


def test_the_plan_is_cut_to_the_time(file):
    path = file(rows())
    small = plan_of(path, max_rung=3, max_candidates=500.0)
    assert small.n_candidates <= 500
    whole = plan_of(path)
    assert whole.n_candidates < whole.max_candidates
    assert (whole.rung, whole.n_folds, whole.calibration) == (2, 10, "search")
    deep = plan_of(path, max_rung=3)
    assert deep.n_candidates > 100 * whole.n_candidates
    assert deep.seconds <= 60
    long = plan_of(path, max_rung=3, max_candidates=3e8)
    assert long.seconds == pytest.approx(seconds_of_search(long.n_candidates, 60, 2, 2))
    assert (long.calibration, long.n_folds) == (
        "boundary" if 5 * long.seconds > 60 else "search",
        0 if 5 * long.seconds > 600 else 5 if 10 * long.seconds > 10 else 10,
    )


def test_a_cut_space_is_said_in_the_words_of_the_command_line(run, file):
    found = explain(run, file(rows()), "--max-terms", "1", "--max-candidates", "50")
    assert found["n_candidates"] <= 50
    (cut,) = (note for note in found["warnings"] if "complexity" in note)
    assert "more complex ones exceed --max-candidates" in cut
    assert cut not in found["search"]["log"]


def test_near_equal_labels_are_pointed_out(run, file):
    frame = rows()
    frame.loc[::2, "phase"] = frame.loc[::2, "phase"].str.upper()
    notes = explain(run, file(frame), *QUICK)["warnings"]
    assert "Classes 'CUBIC' and 'cubic' of column 'phase' differ only in case or width." in notes
