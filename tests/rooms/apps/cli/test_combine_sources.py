"""From calculated and measured columns to predictions of the experiment; from a wrong table to a sentence."""

import json

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.tables import read_table


def rows():
    """Calculations on [0, 1], exactly 2 T above measurements at every second point of the left half."""
    x = np.linspace(0, 1, 21)
    calculated = 5 + 3 * x - 4 * x**2 + 0.01 * np.cos(40 * x)
    measured = np.where((x < 0.5) & (np.arange(21) % 2 == 0), calculated - 2.0, np.nan)
    return pd.DataFrame({"x": x.round(3), "M_calc [T]": calculated, "M_expt [T]": measured})


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "magnets.csv"
    rows().to_csv(path, index=False)
    return path


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text("x\n0.9\n\n0.25\nnone\n", encoding="utf-8")
    return path


COLUMNS = (
    "--descriptors",
    "x",
    "--simulation",
    "M_calc",
    "--experiment",
    "M_expt",
    "--basis",
    "polynomial:2",
)


def combine(run, path, *options, columns=COLUMNS):
    code, out, err = run("combine", "sources", path, *columns, *options, "--json")
    assert code == 0, err
    return json.loads(out)


def refused(run, code, path, *options, columns=COLUMNS):
    found, out, err = run("combine", "sources", path, *columns, *options)
    assert (found, out) == (code, "")
    return " ".join(err.replace("│", " ").split())


def test_json_has_the_promised_keys(run, table, grid):
    found = combine(run, table, "--predict", grid)
    assert found["schema"] == "sozai.combine.sources/1"
    assert {"version", "input", "warnings", "units", "log_evidence", "patterns", "noise"} <= set(found)
    assert found["units"] == {"x": None, "M_calc": "T", "M_expt": "T"}
    assert found["n_values"] == {"M_calc": 21, "M_expt": 5}
    assert found["coupling"] == pytest.approx(1.0, abs=0.15)
    assert found["coupling_std"] > 0
    assert found["kept_terms"] == ["1"]
    places = [(record["x"]["x"], record["source"]) for record in found["predictions"]]
    assert places == [(x, source) for x in (0.9, 0.25, None) for source in ("M_calc", "M_expt")]
    measured = {record["x"]["x"]: record for record in found["predictions"] if record["source"] == "M_expt"}
    assert measured[0.9]["mean"] == pytest.approx(5 + 2.7 - 3.24 - 2, abs=0.25)
    assert measured[0.9]["std"] > measured[0.25]["std"] > 0
    assert measured[None]["mean"] is None
    assert any("1 of 3 rows" in note and "no number in column 'x'" in note for note in found["warnings"])


def test_a_known_coupling_and_the_rows_of_the_file(run, table):
    found = combine(run, table, "--coupling", "1")
    assert (found["coupling"], found["coupling_std"]) == (1.0, 0.0)
    predicted = [r["mean"] for r in found["predictions"] if r["source"] == "M_expt"]
    x = np.linspace(0, 1, 21)
    np.testing.assert_allclose(predicted, 3 + 3 * x - 4 * x**2, atol=0.02)


def test_a_second_simulation_gives_a_matrix(run, tmp_path):
    frame = rows()
    frame.insert(1, "M_fast [T]", frame["M_calc [T]"] * 0.9 + 0.3)
    path = tmp_path / "three.csv"
    frame.to_csv(path, index=False)
    columns = (
        "--descriptors", "x", "--simulation", "M_fast", "--simulation", "M_calc", "--experiment", "M_expt",
        "--basis", "polynomial:2",
    )  # fmt: skip
    found = combine(run, path, columns=columns)
    assert np.shape(found["coupling"]) == np.shape(found["coupling_std"]) == (3, 3)
    assert set(found["kept_terms"]) == {"M_calc", "M_expt"}
    assert found["sources"] == ["M_fast", "M_calc", "M_expt"]


def test_other_units_are_converted(run, tmp_path, table):
    frame = rows().rename(columns={"M_calc [T]": "M_calc [mT]"})
    frame["M_calc [mT]"] *= 1000
    path = tmp_path / "milli.csv"
    frame.to_csv(path, index=False)
    found, same = combine(run, path), combine(run, table)
    assert found["unit"] == "T"
    assert "Column 'M_calc' is converted from mT to T." in found["warnings"]
    assert found["coupling"] == pytest.approx(same["coupling"], rel=1e-6)


def test_files_and_screen(run, table, grid, tmp_path):
    out, folder = tmp_path / "predicted.csv", tmp_path / "report"
    code, said, err = run(
        "combine", "sources", table, *COLUMNS, "--predict", grid, "-o", out, "--output", folder
    )
    assert (code, err) == (0, "")
    assert "M_expt follows M_calc by" in said
    assert "M_expt differs by a constant" in said
    written = read_table(out)
    assert {"M_expt mean", "M_expt lower", "M_expt upper", "M_calc std"} <= set(written.frame)
    assert written.units["M_expt mean"] == "T"
    assert written.frame["row"].tolist() == [2, 4, 5]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "which cells are empty does not depend" in page
    assert {path.name for path in (folder / "figures").iterdir()} >= {
        "along_1.svg",
        "coupling.png",
        "patterns.svg",
    }


def test_names_of_rows_come_along(run, tmp_path):
    frame = rows().assign(alloy=[f"A{k}" for k in range(21)])
    path, out = tmp_path / "named.csv", tmp_path / "o.csv"
    frame.to_csv(path, index=False)
    assert run("combine", "sources", path, *COLUMNS, "--id", "alloy", "-o", out)[0] == 0
    assert read_table(out).frame["id"].tolist() == frame["alloy"].tolist()


def test_an_experiment_without_values(run, tmp_path):
    path = tmp_path / "none.csv"
    rows().assign(**{"M_expt [T]": np.nan}).to_csv(path, index=False)
    assert "--allow-prior" in refused(run, 3, path)
    found = combine(run, path, "--allow-prior")
    assert found["n_values"]["M_expt"] == 0
    spread = {r["source"]: r["std"] for r in found["predictions"]}
    assert spread["M_expt"] > spread["M_calc"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--coupling", "strong"), 2, "--coupling: the value must be fit, average or a number. Got 'strong'"),
        (("--simulation", "x"), 2, "--simulation: the column must be named once. Got 'x'. It is named by"),
        (("--level", "2"), 2, "must lie between 0 and 1. Got 2."),
        (("--predict", "absent.csv"), 3, "must name an existing file. Got 'absent.csv'"),
        (("--descriptors", "temperature"), 3, "--descriptors: the column must be in the table"),
        (("-o", "a.xlsx"), 3, "be a CSV or TSV file"),
        (("--sheet", "One"), 3, "--sheet: the file must be a workbook"),
    ],
)
def test_wrong_options(run, table, options, code, words):
    assert words in refused(run, code, table, *options)


def test_an_unknown_basis(run, table):
    columns = (*COLUMNS[:-1], "spline:3")
    assert "--basis: the basis must be kind:number" in refused(run, 2, table, columns=columns)


def test_units_of_other_quantities(run, tmp_path):
    path = tmp_path / "wrong.csv"
    rows().rename(columns={"M_expt [T]": "M_expt [K]"}).to_csv(path, index=False)
    said = refused(run, 3, path)
    assert "column 'M_calc' beside the experiment" in said
    assert "'K' (temperature)" in said


def test_an_empty_descriptor_is_named_or_left_out(run, tmp_path):
    frame = rows()
    frame.loc[4, "x"] = np.nan
    path = tmp_path / "gap.csv"
    frame.to_csv(path, index=False)
    assert "column 'x' must hold a number in every row" in refused(run, 3, path)
    found = combine(run, path, "--missing", "drop")
    assert "1 row is left out for a missing cell: 6." in found["warnings"]
    assert found["n_rows"] == 20
