"""From a column of formulas to numbers, row by row, and from a wrong file to a sentence."""

import json

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.tables import read_table

FORMULAS = ["Fe2O3", "MgO", "Xx2O3", "", "CuSO4.5H2O", "NaCl"]


def frame():
    return pd.DataFrame(
        {
            "sample": [f"Q{k}" for k in range(6)],
            "formula": FORMULAS,
            "gap [eV]": [2.1, 7.8, 1.0, 2.0, 3.0, 8.5],
        }
    )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "oxides.csv"
    frame().to_csv(path, index=False)
    return path


def described(run, path, *options):
    code, out, err = run("describe", "formulas", path, *options, "--json")
    assert code == 0, err
    assert out.isascii()
    return json.loads(out)


def test_json_has_the_promised_keys_and_counts(run, file):
    found = described(run, file, "--formula", "formula")
    assert {
        "schema", "version", "input", "warnings", "n_rows", "n_columns", "n_refused", "table", "issues",
        "formula", "method", "components", "basis", "columns", "units",
    } <= set(found)  # fmt: skip
    assert found["schema"] == "sozai.describe.formulas/1"
    assert (found["n_rows"], found["n_refused"], found["table"]) == (6, 2, None)
    assert found["n_columns"] == len(found["columns"])
    assert found["n_columns"] % 10 == 0
    assert set(found["issues"][0]) == {"row", "text", "code", "message", "repair", "refused"}
    assert [(issue["row"], issue["refused"]) for issue in found["issues"]] == [
        (4, True),
        (5, True),
        (6, False),
    ]
    assert found["issues"][0]["text"] == "Xx2O3"
    assert found["issues"][2]["repair"] == "CuSO4·5H2O"
    assert any(
        "No formula could be read in 2 rows (4, 5) of column 'formula'" in n for n in found["warnings"]
    )


def test_fractions_stand_in_the_rows_of_the_file(run, file, tmp_path):
    place = tmp_path / "fractions.csv"
    found = described(run, file, "--method", "fractions", "-o", place)
    assert any("Column 'formula'" in note and "is taken as that" in note for note in found["warnings"])
    table = read_table(place)
    assert list(table.frame.columns[:3]) == ["sample", "formula", "gap"]
    assert table.units["gap"] == "eV"
    assert table.frame["sample"].tolist() == [f"Q{k}" for k in range(6)]
    assert table.frame["O"][[0, 1]].tolist() == [0.6, 0.5]
    assert table.frame["Na"].tolist()[5] == 0.5
    assert table.frame[["O", "Na", "Fe"]].iloc[[2, 3]].isna().all(axis=None)
    assert found["columns"] == ["H", "O", "Na", "Mg", "S", "Cl", "Fe", "Cu"]


def test_every_element_has_a_column_when_asked(run, file):
    found = described(run, file, "--method", "fractions", "--every-element")
    assert found["n_columns"] == 103
    assert not any("elements occur" in note for note in found["warnings"])


def test_statistics_carry_names_and_units(run, file, tmp_path):
    place = tmp_path / "statistics.tsv"
    found = described(run, file, "--method", "statistics", "-o", place)
    table = read_table(place)
    # mean atomic number of NaCl: (11 + 17)/2
    assert table.frame["mean:atomic_number"][5] == 14.0
    assert table.frame["sum:atomic_number"][5] == 28.0
    assert found["units"]["mean:atomic_weight"] == "Da"
    assert "var:atomic_weight" not in found["units"]


def test_numpy_files_hold_rows_names_and_gaps(run, file, tmp_path):
    described(run, file, "--dtype", "float32", "-o", tmp_path / "d.npy", "--grid", "4")
    values = np.load(tmp_path / "d.npy", allow_pickle=False)
    assert values.dtype == np.float32
    assert np.isnan(values).all(axis=1).tolist() == [False, False, True, True, False, False]
    found = described(run, file, "-o", tmp_path / "d.npz", "--representation", "isometric")
    with np.load(tmp_path / "d.npz", allow_pickle=False) as kept:
        assert kept["formulas"].tolist() == FORMULAS
        assert kept["rows"].tolist() == [2, 3, 4, 5, 6, 7]
        assert kept["refused"].tolist() == [False, False, True, True, False, False]
        assert kept["values"].shape == (6, found["n_columns"])
        assert kept["columns"].tolist() == found["columns"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_japanese_headers_in_cp932_and_percentages_in_the_header(run, tmp_path):
    path, place = tmp_path / "合金.csv", tmp_path / "out.csv"
    text = "試料,組成 [wt%],硬さ\nA,Fe 50 O 50,1\nB,Fe 90 Cr 10,2\n"
    path.write_bytes(text.encode("cp932"))
    found = described(run, path, "--method", "fractions", "-o", place)
    assert (found["formula"], found["basis"]) == ("組成", "wt%")
    assert any("read with --basis wt%" in note for note in found["warnings"])
    oxygen = (50 / 15.999) / (50 / 15.999 + 50 / 55.845)
    assert read_table(place).frame["O"][0] == pytest.approx(oxygen, rel=1e-4)
    assert "試料" in place.read_text(encoding="utf-8-sig")


def test_variables_take_their_values(run, tmp_path):
    path = tmp_path / "manganites.csv"
    path.write_text("formula\nLa1-xSrxMnO3\nLaMnO3\n", encoding="utf-8")
    assert described(run, path)["n_refused"] == 1
    found = described(run, path, "--values", "x=0.3", "--method", "fractions", "-o", tmp_path / "o.csv")
    assert found["n_refused"] == 0
    assert read_table(tmp_path / "o.csv").frame["Sr"].tolist() == pytest.approx([0.06, 0.0])


def test_columns_of_the_file_come_out_as_they_went_in(run, tmp_path):
    path = tmp_path / "salts.csv"
    lines = [
        "formula,n,gap,id,mass,word,limit",
        "MgO,1,2.5,007,1.0,a,<5",
        "CaO,,3,008,2.0,3,6",
        "NaCl,3,,009,3.0,b,7",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    described(run, path, "--method", "fractions", "-o", tmp_path / "o.csv")
    written = (tmp_path / "o.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[:7] for line in written] == [line.split(",") for line in lines]


def test_rows_of_a_note_are_in_order(run, tmp_path):
    path = tmp_path / "alloys.csv"
    path.write_text("formula\nMgO\nAmO2\nqqq\nNaCl\nCmO2\nFoo\n", encoding="utf-8")
    own = tmp_path / "own.csv"
    own.write_text("element,x\n" + "\n".join(f"{e},{k}" for k, e in enumerate(["Mg", "O", "Na", "Cl"])))
    found = described(run, path, "--table", own)
    assert [issue["row"] for issue in found["issues"]] == [3, 4, 6, 7]
    assert any("in 4 rows (3, 4, 6, 7) of" in note for note in found["warnings"])


def test_a_column_named_like_an_answer_keeps_its_name_apart(run, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("formula,O\nMgO,7\nCaO,8\n", encoding="utf-8")
    described(run, path, "--method", "fractions", "-o", tmp_path / "o.csv")
    table = read_table(tmp_path / "o.csv").frame
    assert table["O (given)"].tolist() == [7, 8]
    assert table["O"].tolist() == [0.5, 0.5]


def test_a_table_of_ones_own_says_what_the_elements_are(run, file, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("symbol,Z\nNa,11\nCl,17\nMg,12\nO,8\n", encoding="utf-8")
    found = described(run, file, "--table", own, "--method", "statistics")
    assert found["components"] == "own"
    assert [issue["code"] for issue in found["issues"] if issue["row"] == 2] == ["component"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("symbol,Z\nFe,x\nO,8\n", "--table: column 'Z' must hold numbers. Got 'x' at row 2"),
        ("symbol\nFe\n", "--table: the file must hold a column of symbols and one or more of features"),
    ],
)
def test_a_table_of_ones_own_that_holds_no_numbers(run, file, tmp_path, text, said):
    own = tmp_path / "own.csv"
    own.write_text(text, encoding="utf-8")
    code, _, err = run("describe", "formulas", file, "--table", own)
    assert code == 3
    assert said in err


def test_a_table_of_ones_own_may_be_in_cp932(run, file, tmp_path):
    own, place = tmp_path / "own.csv", tmp_path / "out.csv"
    own.write_bytes("元素,半径 [pm]\nNa,180\nCl,100\nMg,150\nO,60\n".encode("cp932"))
    found = described(run, file, "--table", own, "--method", "statistics", "-o", place)
    assert found["units"]["mean:半径"] == "pm"
    assert read_table(place).frame["mean:半径"][5] == 140.0


def test_screen_shows_a_corner_and_the_next_step(run, file):
    code, out, _ = run("describe", "formulas", file)
    assert code == 0
    assert out.startswith("'formula' as kernel mean descriptor, table 'sozai'")
    assert "6 rows, 2 could not be read" in out
    assert "-o OUT.csv" in out


@pytest.mark.slow
def test_folder_holds_report_table_and_figures(run, file, tmp_path):
    output = tmp_path / "out"
    code, out, err = run("describe", "formulas", file, "--output", output)
    assert code == 0, err
    assert f"Report: {output / 'report.html'}" in out
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert names == {
        "report.html", "described.csv", "elements.csv", "figures/map.png", "figures/map.svg",
        "figures/profile.png", "figures/profile.svg",
    }  # fmt: skip
    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2
    assert "Xx2O3" in page
    assert "http:" not in page
    elements = read_table(output / "elements.csv").frame
    assert elements[["element", "rows"]].iloc[0].tolist() == ["O", 3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--formula", "formla"], "--formula: the column must be in the table. Got 'formla'"),
        (["--formula", "gap"], "--formula: column 'gap' must hold chemical formulas such as Fe2O3. Got 2.1"),
        (["--formula", "sample"], "No formula of column 'sample'"),
        (["--on-error", "raise"], "Row 4 of"),
        (["--on-error", "raise"], "Got 'Xx2O3'. 1 more cannot be read. --on-error empty leaves"),
        (["--table", "none.csv"], "--table: table must be sozai, published or the path of a CSV file"),
        (["--basis", "at%"], "(6 rows). Row 2: formula must have amounts that sum to 100 %"),
        (["-o", "x.xlsx"], "-o: the place must be a CSV or TSV file, .npy or .npz. Got 'x.xlsx'"),
        (["-o", "no/such/x.csv"], "-o: the place must lie in a folder you may write"),
        (["--sheet", "one"], "--sheet: the file must be a workbook"),
    ],
)  # fmt: skip
def test_wrong_data_exits_3_with_a_sentence(run, file, options, said):
    code, out, err = run("describe", "formulas", file, *options, "--json")
    assert (code, out) == (3, "")
    assert said in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--method", "statistics", "--grid", "5"], "--grid: the option must be left out without"),
        (["--every-element"], "--every-element: the option must be left out without --method fractions"),
        (["--values", "x"], "--values: each entry must read NAME=NUMBER or NAME=COLUMN. Got 'x'"),
        (["--grid", "1"], "--grid"),
        (["--n-jobs", "0"], "must be 1, 2, ..., or -1"),
        (["--method", "magic"], "--method"),
    ],
)  # fmt: skip
def test_wrong_use_exits_2(run, file, options, said):
    code, out, err = run("describe", "formulas", file, *options)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold a table"),
        ("formula,y\n", "must have rows below its header"),
        (
            "a,b\n1,2\n",
            "must be named, since none reads as one. Found 'a', 'b'",
        ),
        ("a,b\nMgO,NaCl\nCaO,KCl\n", "must be named where several columns read as formulas. Found 'a', 'b'"),
        ("formula\nQq\n??\n", "No formula of column 'formula'"),
    ],
)
def test_files_without_formulas(run, tmp_path, text, said):
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    options = ["--formula", "formula"] if "Qq" in text else []
    code, _, err = run("describe", "formulas", path, *options)
    assert code == 3
    assert said in err


def test_of_several_columns_the_one_with_a_telling_name_is_taken(run, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("precursor,化学式\nMgO,MgCl2\nCaO,CaCl2\n", encoding="utf-8")
    assert described(run, path)["formula"] == "化学式"


def test_one_row_is_described(run, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("formula\nFe2O3\n", encoding="utf-8")
    code, out, _ = run("describe", "formulas", path, "--output", tmp_path / "out")
    assert code == 0
    assert "1 row;" in out


def test_variables_take_their_values_from_a_column(run, tmp_path):
    path, out = tmp_path / "lsmo.csv", tmp_path / "out.csv"
    path.write_text("formula,x,word\nLa1-xSrxMnO3,0.1,a\nLa1-xSrxMnO3,0.3,b\n", encoding="utf-8")
    code, _, err = run(
        "describe", "formulas", path, "--values", "x=x", "--method", "fractions", "-o", out, "--json"
    )
    assert (code, err) == (0, "")
    assert pd.read_csv(out)["Sr"].round(6).tolist() == [0.02, 0.06]
    code, _, err = run("describe", "formulas", path, "--values", "x=word", "--formula", "formula", "-o", out)
    assert code == 3
    assert "must hold numbers. Got 'a'" in err
    code, _, err = run("describe", "formulas", path, "--values", "x=", "-o", out)
    assert code == 2
    assert "NAME=NUMBER or NAME=COLUMN" in err


def test_a_column_that_is_called_formula_is_taken_with_many_bad_cells(run, tmp_path):
    path, out = tmp_path / "some.csv", tmp_path / "out.csv"
    path.write_text("組成,y\nNaCl,1\n不明,2\n?,3\nFe2O3,4\n欠測,5\n", encoding="cp932")
    code, said, _ = run("describe", "formulas", path, "--method", "fractions", "-o", out, "--json")
    assert code == 0
    assert '"n_refused": 3' in said
