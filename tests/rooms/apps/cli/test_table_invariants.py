"""From a file without a target to what stays constant in it."""

import json

import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli.table_invariants import answer, as_records, columns_of, find, read_columns, table_of
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.table_reading import read_question
from sozai.contracts.errors import InputError
from sozai.datasets import load_planets


@pytest.fixture
def planets(tmp_path):
    path = tmp_path / "planets.csv"
    load_planets().to_frame().to_csv(path, index=False)
    return path


def ask(path, **options):
    return TableQuestion(file=path, target=None, **options)


def test_json_has_the_law_its_honesty_and_the_rows(planets, capsys):
    answer(ask(planets, json=True))
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "sozai.explain.table.invariants/1"
    assert {"schema", "version", "input", "warnings"} <= set(found)
    assert found["features"] == ["a", "T"]
    assert found["rows"][:2] == ["Mercury", "Venus"]
    (law,) = found["invariants"]
    assert (law["formula"], law["kind"], law["unit"]) == ("a**3/T**2", "independent", "AU^3/yr^2")
    assert law["p_value"] == 0.005
    assert [term["exponent"] for term in law["terms"]] == [3, -2]
    assert round(law["terms"][1]["found"], 4) == -2.0002
    assert len(law["deviations"]) == found["n_rows"] == 8
    assert found["searches"]["power"]["n_subsets"] == 1


def test_screen_says_the_law_and_what_was_tried(planets, capsys):
    answer(ask(planets))
    out = capsys.readouterr().out
    assert out.startswith("a**3/T**2 = 1.00047 AU^3/yr^2")
    assert "1 independent law stays constant beyond chance. 8 rows, 2 columns; 1 combination" in out
    assert "--output DIR" in out


def test_folder_holds_report_table_and_figure(planets, tmp_path, capsys):
    folder = tmp_path / "out"
    answer(ask(planets, output=folder))
    assert str(folder / "report.html") in capsys.readouterr().out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "What stays constant" in page
    assert "<math" in page
    assert "Neptune" in page
    table = pd.read_csv(folder / "invariants.csv")
    assert table["formula"].tolist() == ["a**3/T**2"]
    assert (folder / "figures" / "invariant_1.png").read_bytes()[:4] == b"\x89PNG"


def test_columns_without_logarithm_join_sums_only(tmp_path):
    rng = np.random.default_rng(0)
    x, v = rng.random(20), rng.normal(size=20)
    frame = pd.DataFrame({"x_A": x, "x_B": 1 - x, "v": v, "w": 3 - v, "g": 9.81})
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = find(read_columns(ask(tmp_path / "t.csv")))
    assert {law.formula for law in found.invariants} == {"x_A + x_B", "v + w"}
    notes = " ".join(found.notes)
    assert "Columns with values that are not positive take no part in products of powers: v" in notes
    assert "Column 'g' is constant by itself (9.81) and takes no part." in notes
    assert set(table_of(found)["form"]) == {"linear"}


def test_nothing_is_said_of_a_table_without_law(tmp_path, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).random((12, 3)), columns=list("abc"))
    frame.to_csv(tmp_path / "t.csv", index=False)
    answer(ask(tmp_path / "t.csv"))
    out = capsys.readouterr().out
    assert "Nothing stays constant beyond chance. 12 rows, 3 columns; 8 combinations" in out
    assert table_of(find(read_columns(ask(tmp_path / "t.csv")))).empty


def test_four_rows_cannot_tell(tmp_path, capsys):
    text = "a,T,m\n0.387,0.2408,1\n0.723,0.6152,7\n1.0,1.0,3\n1.524,1.881,4\n"
    (tmp_path / "t.csv").write_text(text)
    answer(ask(tmp_path / "t.csv"))
    out = capsys.readouterr().out
    assert (
        "So few rows cannot tell a law from chance: there are 4, and 6 are needed to be sure among 3" in out
    )
    assert "Nothing stays constant" not in out
    assert "Note" not in out
    assert as_records(find(read_columns(ask(tmp_path / "t.csv"))))["n_rows_needed"] == 6


def test_a_question_with_a_target_shares_its_columns(planets):
    reading = read_question(TableQuestion(file=planets, target="T"))
    found = find(columns_of(reading))
    assert found.invariants[0].formula == "a**3/T**2"
    assert as_records(found)["features"] == ["a", "T"]


def test_many_columns_shorten_the_laws(tmp_path):
    found = find(read_columns(ask(write_random(tmp_path, 70))))
    assert found.max_terms == 3
    assert "70 columns: laws of up to 3 columns are sought" in found.notes[0]


def write_random(folder, n_columns):
    path = folder / "wide.csv"
    values = np.random.default_rng(0).random((8, n_columns)) + 1
    pd.DataFrame(values, columns=[f"c{k}" for k in range(n_columns)]).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,4\n5,6\n", r"have at least 4 complete rows. Got 3"),
        ("a,name\n1,x\n2,y\n3,z\n4,w\n", r"have two columns of numbers or more. Got 1"),
        ("name\nx\ny\nz\nw\n", r"have two columns of numbers\. Got 'name'\. Add columns"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_columns(ask(path))
