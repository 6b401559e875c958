"""From a formula to the materials most like it, from a file, a kept database or the published set."""

import json
import os

import pandas as pd
import pytest

from sozai.contracts.tables import read_table

FORMULAS = ["NaCl", "KCl", "MgO", "CaO", "Fe2O3", "LiFePO4", "GaAs", "qqq", "NaBr"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "compounds.csv"
    frame = pd.DataFrame({"formula": FORMULAS, "gap [eV]": [8.5, 8.4, 7.8, 7.0, 2.1, 3.7, 1.4, 0.0, 7.1]})
    frame.assign(row=range(9)).to_csv(path, index=False)
    return path


def similar(run, formula, *options):
    code, out, err = run("describe", "similar", formula, *options, "--json")
    assert code == 0, err
    return json.loads(out)


def names(found):
    return [hit["formula"] for hit in found["hits"]]


def test_json_has_the_promised_keys(run, file):
    found = similar(run, "NaCl", "--database", file, "-k", "3")
    assert {"schema", "version", "input", "warnings", "query", "database", "n_formulas", "hits"} <= set(found)
    assert found["schema"] == "sozai.describe.similar/1"
    assert (found["n_formulas"], found["n_refused"]) == (8, 1)
    assert names(found) == ["NaCl", "NaBr", "KCl"]
    first, second = found["hits"][:2]
    assert set(second) == {
        "rank", "row", "formula", "distance", "percentile", "groups", "features", "properties",
    }  # fmt: skip
    assert (first["distance"], first["groups"], first["features"]) == (0.0, {}, [])
    assert [hit["row"] for hit in found["hits"]] == [2, 10, 3]
    assert second["properties"] == {"gap [eV]": 7.1, "row (given)": 8}
    assert sum(second["groups"].values()) == pytest.approx(1.0)
    shares = [part["share"] for part in second["features"]]
    assert len(shares) == 5
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) < 1
    assert any("No formula could be read in 1 row (9)" in note for note in found["warnings"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--exclude", "Br", "--different"], ["KCl"]),
        (["--include", "O"], ["CaO"]),
        (["--range", "gap=:2"], ["GaAs"]),
        (["--range", "gap [eV]=7.7:8", "--include", "O"], ["MgO"]),
    ],
)
def test_filters(run, file, options, expected):
    assert names(similar(run, "NaCl", "--database", file, "-k", "1", *options)) == expected


def test_filters_that_nothing_passes_are_said(run, file):
    found = similar(run, "NaCl", "--database", file, "--range", "gap=100:")
    assert found["hits"] == []
    assert "No formula passes all filters, of the 8 of the database." in found["warnings"]
    code, out, _ = run("describe", "similar", "NaCl", "--database", file, "-k", "3", "--include", "As")
    assert code == 0
    assert "Only 1 formula passes all filters" in out


def test_a_kept_database_gives_the_same_hits(run, file, tmp_path):
    place = tmp_path / "compounds.sozai"
    code, out, err = run("describe", "database", file, "--save", place, "--json")
    assert code == 0, err
    kept = json.loads(out)
    assert kept["schema"] == "sozai.describe.database/1"
    assert (kept["n_rows"], kept["n_formulas"], kept["n_refused"]) == (9, 8, 1)
    assert kept["properties"] == ["gap [eV]", "row (given)"]
    assert [issue["row"] for issue in kept["issues"]] == [9]
    again = similar(run, "KBr", "--database", place, "-k", "4", "--range", "gap=5:")
    assert again["hits"] == similar(run, "KBr", "--database", file, "-k", "4", "--range", "gap=5:")["hits"]
    code, out, _ = run("describe", "database", file, "--save", place)
    assert code == 0
    assert f"Next: sozai describe similar FORMULA --database {place}" in out


def test_percentages_by_weight_and_variables(run, tmp_path):
    alloys = tmp_path / "alloys.csv"
    alloys.write_text("alloy,n\nTi90Al6V4,1\nFe50Ni50,\nFe18Cr8Ni,2\n", encoding="utf-8")
    options = ("--database", alloys, "--formula", "alloy", "--basis", "wt%")
    shares = {"Fe": 50 / 55.845, "Ni": 50 / 58.6934}
    total = sum(shares.values())
    query = "".join(f"{name}{share / total:.6f}" for name, share in shares.items())
    found = similar(run, query, *options, "-o", tmp_path / "hits.csv", "--output", tmp_path / "out")
    assert found["hits"][0]["formula"] == "Fe50Ni50"
    assert found["hits"][0]["distance"] < 1e-4
    assert any("count wt%, those of a FORMULA asked for atoms" in note for note in found["warnings"])
    assert any("1 row (4)" in note for note in found["warnings"])  # 27 percent
    place = tmp_path / "alloys.sozai"
    code, _, err = run("describe", "database", *options[1:], "--save", place)
    assert code == 0, err
    assert similar(run, query, "--database", place)["hits"] == found["hits"]

    series = tmp_path / "series.csv"
    series.write_text("formula,x\nLa1-xSrxMnO3,0\nLa1-xSrxMnO3,0.3\n", encoding="utf-8")
    found = similar(
        run, "La0.7Sr0.3MnO3", "--database", series, "--values", "x=x", "--output", tmp_path / "again"
    )
    assert [(hit["row"], hit["properties"]["x"]) for hit in found["hits"]] == [(3, 0.3), (2, 0)]
    assert found["hits"][0]["distance"] == 0.0


def test_whole_numbers_stay_whole(run, tmp_path):
    path, place = tmp_path / "salts.csv", tmp_path / "salts.sozai"
    path.write_text("formula,n,m\nNaCl,1,1\nKCl,,2\nLiF,3,3\n", encoding="utf-8")
    assert run("describe", "database", path, "--save", place)[0] == 0
    for database in (path, place):
        out = tmp_path / "hits.csv"
        hits = similar(run, "NaCl", "--database", database, "-o", out)["hits"]
        assert [hit["properties"] for hit in hits] == [
            {"n": 1, "m": 1}, {"n": None, "m": 2}, {"n": 3, "m": 3},
        ]  # fmt: skip
        written = out.read_text(encoding="utf-8-sig").splitlines()
        assert [line.split(",")[-2:] for line in written] == [["n", "m"], ["1", "1"], ["", "2"], ["3", "3"]]


def test_table_and_folder(run, file, tmp_path):
    place, output = tmp_path / "hits.csv", tmp_path / "out"
    code, out, err = run(
        "describe", "similar", "NaCl", "--database", file, "-o", place, "--output", output, "-k", "3"
    )
    assert code == 0, err
    assert "same composition" in out
    table = read_table(place)
    assert list(table.frame.columns) == [
        "rank", "row", "formula", "distance", "percentile", "differs most in", "features", "gap",
        "row (given)",
    ]  # fmt: skip
    assert table.units["gap"] == "eV"
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    figures = {f"figures/{name}.{kind}" for name in ("profile", "strip") for kind in ("png", "svg")}
    assert names == {"report.html", "similar.csv"} | figures


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Xx2O"], "FORMULA must name known elements; 'Xx' is a placeholder. Got 'Xx2O' at character 1"),
        (["NaCl", "--include", "Zz"], "--include: each entry must be the symbol of an element. Got 'Zz'"),
        (["NaCl", "--include", "F", "--exclude", "F"], "must not be in --include, too. Got 'F'"),
        (["NaCl", "--range", "gap"], "--range: each entry must read COL=LOW:HIGH. Got 'gap'"),
        (["NaCl", "--range", "gap=3:1"], "--range: LOW must not exceed HIGH. Got 'gap=3:1'"),
        (["NaCl", "--encoding", "cp932"], "--encoding"),
        (["NaCl", "-k", "0"], "-k"),
        (["NaCl", "--database", "a.sozai", "--table", "published"], "--table: the option must be left out"),
        (["NaCl", "--database", "a.sozai", "--formula", "f"], "--formula: the option must be left out"),
        (["NaCl", "--database", "a.sozai", "--basis", "wt%"], "--basis: the option must be left out"),
        (["NaCl", "--database", "a.sozai", "--values", "x=1"], "--values: the option must be left out"),
        (["NaCl", "--basis", "wt%"], "says how a file is read"),
        (["NaCl", "--values", "x=1"], "says how a file is read"),
    ],
)
def test_wrong_use_exits_2(run, arguments, said):
    code, out, err = run("describe", "similar", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_wrong_data_exits_3(run, file, tmp_path):
    for options, said in (
        (["--range", "gpa=1:2"], "--range: the column must be a property of the database ('gap [eV]'"),
        (["--formula", "nope"], "--formula: the column must be in the table. Got 'nope'"),
        (["-o", "x.xlsx"], "-o: the place must be a CSV or TSV file"),
    ):
        code, out, err = run("describe", "similar", "NaCl", "--database", file, *options, "--json")
        assert (code, out) == (3, "")
        assert said in err
    code, _, err = run("describe", "similar", "NaCl", "--database", tmp_path / "no.sozai")
    assert code == 3
    assert "--database: the file must exist" in err
    wrong = tmp_path / "wrong.sozai"
    wrong.write_bytes(b"nothing")
    assert run("describe", "similar", "NaCl", "--database", wrong)[0] == 3
    single = tmp_path / "one.csv"
    single.write_text("formula\nMgO\n", encoding="utf-8")
    code, _, err = run("describe", "similar", "NaCl", "--database", single)
    assert code == 3
    assert "at least 2 formulas that can be read. Got 1" in err


def test_a_database_must_be_named_as_one(run, file, tmp_path):
    code, _, err = run("describe", "database", file, "--save", tmp_path / "index.zip")
    assert code == 2
    assert "--save: the name must end in .sozai" in err
    assert "Write --save index.sozai." in err


def test_without_a_database_and_without_data_the_remedy_is_said(run, monkeypatch):
    monkeypatch.delenv("SOZAI_DATA", raising=False)
    code, out, err = run("describe", "similar", "NaCl", "--json")
    assert (code, out) == (3, "")
    assert "Or ask a table of your own: --database FILE --formula COL." in err


@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.isfile(
        os.path.join(os.environ.get("SOZAI_DATA", ""), "composition", "MP_stable_formula_20220807.csv")
    ),
    reason="SOZAI_DATA does not hold composition/MP_stable_formula_20220807.csv",
)
def test_the_stable_compounds_are_asked_when_no_database_is_named(run):
    found = similar(run, "LiFePO4", "-k", "2")
    assert found["n_formulas"] == 35463
    assert found["input"] is None
    assert names(found)[0] == "LiFePO4"
    assert list(found["hits"][0]["properties"]) == ["formation_energy [eV/atom]"]
