"""What is read, refused and said about the tables of a question."""

import json

import numpy as np
import pytest


@pytest.fixture
def rows():
    rng = np.random.default_rng(5)
    r, d = rng.uniform(1, 3, (2, 20))
    return [f"{a!r},{b!r},{5 / a - 2 * b!r}" for a, b in zip(r.tolist(), d.tolist(), strict=True)]


@pytest.fixture
def write(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def test_a_stray_word_does_not_silently_cost_a_column(run, write, rows):
    rows[3] = rows[3].replace(",", "*,", 1)
    path = write("a.csv", "r,d,E", *rows)
    code, _, err = run("explain", "table", path, "--target", "E")
    assert code == 3
    assert "at row 5, column 'r'" in err
    assert "leave the column out with --ignore 'r'" in err
    code, out, _ = run("explain", "table", path, "--target", "E", "--ignore", "r", "--json")
    assert code == 0
    assert json.loads(out)["features"] == ["d"]


def test_a_header_alone_has_no_rows(run, write):
    code, _, err = run("explain", "table", write("h.csv", "r,d,E"), "--target", "E")
    assert code == 3
    assert "must have rows below its header. Got 'no row'" in err


def test_a_title_set_off_by_a_blank_row_is_skipped(run, write, rows):
    path = write("t.csv", "FeCo 磁化測定, 2025", "", "r,d,E", *rows)
    code, out, err = run("explain", "table", path, "--target", "E", "--json")
    assert code == 0, err
    assert json.loads(out)["n_rows"] == 20


def test_a_column_of_another_sheet_is_pointed_to(run, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "cover"
    book.active.append(["notebook"])
    book.create_sheet("data").append(["T", "M"])
    book.save(tmp_path / "b.xlsx")
    code, _, err = run("explain", "table", tmp_path / "b.xlsx", "--target", "M")
    assert code == 3
    assert err.startswith("--target: the column must be in the table. Got 'M'")
    assert "'data'" in err
    assert "--sheet" in err


def test_a_text_file_has_no_sheet(run, write, rows):
    code, _, err = run("explain", "table", write("a.csv", "r,d,E", *rows), "--target", "E", "--sheet", "x")
    assert code == 3
    assert "--sheet: the file must be a workbook" in err


def test_a_binary_file_is_named(run, tmp_path):
    path = tmp_path / "b.csv"
    path.write_bytes(b"\x00\x01\xff\xfe\x81" * 50)
    code, _, err = run("explain", "table", path, "--target", "E")
    assert code == 3
    assert "b.csv' must be a text table" in err


def test_the_encoding_can_be_told(run, tmp_path, rows):
    path = tmp_path / "w.csv"
    path.write_bytes("\n".join(["r [µm],d [µm],E", *rows, ""]).encode("cp1252"))
    code, _, err = run("explain", "table", path, "--target", "E")
    assert code == 3
    assert '--encoding "cp1252"' in err
    code, out, err = run("explain", "table", path, "--target", "E", "--encoding", "cp1252", "--json")
    assert code == 0, err
    assert json.loads(out)["units"]["r"] == "µm"


def test_new_units_are_converted_refused_or_said(run, write, rows):
    path = write("a.csv", "r [Å],d [Å],E", *rows)
    ask = ("explain", "table", path, "--target", "E", "--json", "--apply")
    new = write("nm.csv", "d [nm],r [nm]", "0.2,0.25")
    _, out, _ = run(*ask, new)
    assert json.loads(out)["predictions"][0]["mean"] == pytest.approx(5 / 2.5 - 2 * 2, abs=1e-6)
    code, _, err = run(*ask, write("eV.csv", "d [eV],r [Å]", "2,2.5"))
    assert code == 3
    assert "--apply: column 'd' of" in err
    assert "eV.csv" in err
    _, out, _ = run(*ask, write("bare.csv", "d,r", "2,2.5", "2,9"))
    notes = json.loads(out)["warnings"]
    assert any("Column 'd' of" in note and "is read in Å" in note for note in notes)
    assert any("1 of 2 rows" in note and "row 3: r = 9 is above" in note for note in notes)
    assert not any("applicability(X)" in note for note in notes)


def test_a_formula_in_another_unit_than_the_file_says_so(run, write, rows):
    path = write("c.csv", "r [°C],d [T],E", *rows)
    code, out, err = run("explain", "table", path, "--target", "E", "--json")
    assert code == 0, err
    found = json.loads(out)
    if found["formula_units"]["r"] != "°C":
        assert "In the law 'r' is meant in K; the file has it in °C." in found["warnings"]
    _, out, _ = run("explain", "table", path, "--target", "E", "--units", "r=K", "--json")
    assert "--units: column 'r' is taken in K; the file says °C." in json.loads(out)["warnings"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--seed", "-1"), 2, "--seed"),
        (("--n-jobs", "0"), 2, "'--n-jobs': must be 1, 2, ..., or -1 for all. Got 0."),
        (("--prefer", "r**"), 3, "parse_expression"),
        (("--save", "."), 3, "--save: the place must be a file. Got '.'"),
        (("--order", "99"), 3, "Give a lower --order"),
    ],
)
def test_wrong_options_are_said_before_the_search(run, write, rows, options, code, said):
    path = write("a.csv", "r,d,E", *rows)
    got, out, err = run("explain", "table", path, "--target", "E", *options)
    assert (got, out) == (code, "")
    assert said in err
