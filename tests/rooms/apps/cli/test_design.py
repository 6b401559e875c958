import json

import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli.design_answer import read_goal
from sozai.apps.cli.usage import UsageError
from sozai.composition import KernelMeanDescriptor, parse_formula

LATTICE = {
    "LiF": 4.03, "LiCl": 5.13, "LiBr": 5.50, "LiI": 6.00, "NaF": 4.62, "NaCl": 5.64, "NaBr": 5.97,
    "NaI": 6.47, "KF": 5.35, "KCl": 6.29, "KBr": 6.60, "KI": 7.07, "RbF": 5.64, "RbCl": 6.58, "RbBr": 6.85,
}  # fmt: skip


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "格子定数.csv"
    frame = pd.DataFrame({"化学式": list(LATTICE), "格子定数 a [Å]": list(LATTICE.values())})
    frame.to_csv(path, index=False, encoding="utf-8-sig")
    return path


def test_formulas_for_a_wished_for_property(run, measured, tmp_path):
    out = tmp_path / "designed.csv"
    code, said, err = run(
        "design", "formula", measured, "--target", "格子定数 a=7.2:7.5", "--max-elements", 2,
        "--max-atoms", 2, "--anywhere", "--json", "-o", out,
    )  # fmt: skip
    assert (code, err) == (0, "")
    answer = json.loads(said)
    assert answer["schema"] == "sozai.design.formula/1"
    best = answer["formulas"][0]
    assert best["formula"] == "RbI"
    assert best["properties"]["格子定数 a"]["lower"] < 7.34 < best["properties"]["格子定数 a"]["upper"]
    assert best["neutral"] is True
    assert best["nearest"] in {"RbBr", "KI", "RbCl"}
    assert answer["goals"]["格子定数 a"] == {"low": 7.2, "high": 7.5, "unit": "Å"}
    assert answer["validation"]["格子定数 a"]["n_rows"] == 15
    assert pd.read_csv(out)["formula"][0] == "RbI"


def test_what_is_said_on_the_terminal(run, measured):
    code, said, _ = run(
        "design", "formula", measured, "--target", "格子定数 a=max", "--max-elements", 2, "-n", 3
    )
    assert code == 0
    assert "Formulas for 格子定数 a above 7.07 Å" in said
    assert "A prediction is no synthesis" in said


def test_no_formula_within_the_limits_is_said(run, measured):
    code, said, _ = run(
        "design", "formula", measured, "--target", "格子定数 a=max", "--elements", "Li", "--elements", "F",
        "--max-elements", 2, "--max-atoms", 2, "--json",
    )  # fmt: skip
    assert code == 0
    answer = json.loads(said)
    assert all(set(parse_formula(row["formula"]).amounts) <= {"Li", "F"} for row in answer["formulas"])
    assert not any(row["formula"] == "LiF" for row in answer["formulas"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--elements", "Ga,S,O"], "Got 'Ga,S,O'. Write --elements Ga --elements S --elements O."),
        (["--include", "Na K"], "Write --include Na --include K."),
        (["--max-elements", "1"], "Got 'none of 15 with at most 1 element and 40 atoms'"),
        (["--include", "Na", "--include", "K", "--max-atoms", "1"], "--max-atoms must be at least 2. Got 1"),
        (["--include", "U"], "--include and --elements must name elements of the training formulas. Got 'U'"),
        (["--include", "Na", "--exclude", "Na"], "--include and --exclude must leave some elements"),
        (["-o", "s.xyz"], "End its name in .csv, .tsv or .txt."),
    ],
)  # fmt: skip
def test_limits_are_checked_before_the_fit(run, measured, monkeypatch, options, words):
    from sozai.composition import CompositionRegressor

    monkeypatch.setattr(CompositionRegressor, "fit", None)
    code, said, err = run("design", "formula", measured, "--target", "格子定数 a=max", *options)
    assert code in (2, 3)
    assert said == ""
    plain = " ".join(err.replace("│", " ").split())
    assert words in plain


def test_formulas_behind_descriptors(run, tmp_path):
    descriptor = KernelMeanDescriptor().fit()
    names = descriptor.get_feature_names_out()
    phi = descriptor.transform(["LiFePO4", "Fe3O4"])
    phi += 1e-3 * np.random.default_rng(0).normal(size=phi.shape)
    path = tmp_path / "phi.csv"
    pd.DataFrame(phi, columns=names).assign(name=["a", "b"]).to_csv(path, index=False)
    code, said, err = run("design", "formula", "--descriptor", path, "--noise", 1e-3, "-n", 2, "--json")
    assert (code, err) == (0, "")
    rows = json.loads(said)["rows"]
    assert [row["formulas"][0]["formula"] for row in rows] == ["LiFePO4", "Fe3O4"]
    assert [row["row"] for row in rows] == [2, 3]
    code, said, _ = run("design", "formula", "--descriptor", path, "--noise", 1e-3, "-n", 1)
    assert code == 0
    assert "LiFePO4" in said


def test_descriptors_without_noise_have_no_ratio_of_rounding(run, tmp_path):
    descriptor = KernelMeanDescriptor().fit()
    path = tmp_path / "phi.csv"
    names = descriptor.get_feature_names_out()
    pd.DataFrame(descriptor.transform(["Fe2O3"]), columns=names).to_csv(path, index=False)
    code, said, err = run("design", "formula", "--descriptor", path, "-n", 3, "--json")
    assert (code, err) == (0, "")
    best, *others = json.loads(said)["rows"][0]["formulas"]
    assert (best["formula"], best["residual_ratio"]) == ("Fe2O3", 1.0)
    assert [other["residual_ratio"] for other in others] == [None, None]
    assert all("free fractions meet it" in other["reason"] for other in others)


def test_goals_are_read():
    assert read_goal("gap [eV]=1.2:1.5") == ("gap [eV]", (1.2, 1.5))
    assert read_goal("a=b=2") == ("a=b", 2.0)
    for wrong in ("gap", "gap=", "gap=1:2:3", "gap=:", "=3", "gap=best", "gap=5:3", "gap=nan", "gap=1:inf"):
        with pytest.raises(UsageError, match="COL=GOAL"):
            read_goal(wrong)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["{file}"], 2, "name a property and a goal"),
        (["{file}", "--target", "a=1"], 3, "Got 'a'"),
        (["{file}", "--target", "化学式=1"], 3, "must hold numbers. Got 'LiF'"),
        (["{file}", "--target", "格子定数 a=max", "--include", "Zz"], 2, "Got 'Zz'"),
        (["{file}", "--target", "格子定数 a=max", "--formula", "格子定数 a"], 3, "chemical formulas"),
        (["nothing.csv", "--target", "a=1"], 3, "nothing.csv"),
        (["--descriptor", "{file}"], 3, "0 of them"),
        (["--descriptor", "{file}", "--target", "a=1"], 2, "not with --descriptor"),
        ([], 2, "MEASURED"),
        (["{file}", "--target", "格子定数 a=max", "-o", "{file}"], 3, "not be one of the input files"),
    ],
)
def test_wrong_use_says_what_to_do(run, measured, arguments, code, words):
    left, said, err = run("design", "formula", *(str(a).replace("{file}", str(measured)) for a in arguments))
    assert left == code
    assert said == ""
    assert words in " ".join(err.split())


def test_a_goal_out_of_reach_is_said(run, measured):
    code, said, _ = run("design", "formula", measured, "--target", "格子定数 a=300:350", "--max-elements", 2)
    assert code == 0
    assert "No formula reaches the goal" in said
