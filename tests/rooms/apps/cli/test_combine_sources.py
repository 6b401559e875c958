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
    assert "Single values scatter by: M_calc" in page
    assert "lower [T]" in page
    assert "empty cells" not in page
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


def screen(run, path, *options, columns=COLUMNS):
    code, said, err = run("combine", "sources", path, *columns, *options)
    assert (code, err) == (0, "")
    return said


def test_the_screen_has_errors_and_units_and_no_word_on_cells_meant_to_be_empty(run, table, grid):
    said = screen(run, table, "--predict", grid)
    head, first, *_ = said[said.index("Predictions ±") :].splitlines()[1:]
    assert head.split() == ["row", "x", "M_calc", "[T]", "M_expt", "[T]", "lower", "[T]", "upper", "[T]"]
    assert first.split()[:2] == ["2", "0.9"]
    assert first.count("±") == 2
    assert "Repaired, row 2, column 'M_expt'" not in said
    assert "follows M_calc by 1, as given" in screen(run, table, "--coupling", "1")


def test_rows_of_json_are_told_apart(run, table, grid):
    found = combine(run, table, "--predict", grid)
    assert [record["row"] for record in found["predictions"]] == [2, 2, 4, 4, 5, 5]


def test_sources_the_wrong_way_round_are_doubted(run, table):
    columns = ("--descriptors", "x", "--simulation", "M_expt", "--experiment", "M_calc")
    notes = combine(run, table, columns=columns)["warnings"]
    assert any("'M_calc' has more values (21) than 'M_expt' (5)" in note for note in notes)
    assert not any("has more values" in note for note in combine(run, table)["warnings"])


def test_predictions_beyond_the_data_are_said(run, tmp_path, table):
    new = tmp_path / "new.csv"
    new.write_text("x\n0.5\n1.25\n", encoding="utf-8")
    notes = combine(run, table, "--predict", new)["warnings"]
    assert "1 predicted row lies outside the data (x 0 to 1): there all rests on the basis." in notes


@pytest.mark.parametrize("basis", ["sine:2", "polynomial:1*sine:2"])
def test_sines_span_the_range_of_a_descriptor_of_whole_numbers(run, tmp_path, basis):
    T = np.arange(300, 701, 10)
    calculated = 2 + np.sin(2 * np.pi * (T - 300) / 400)
    measured = np.where(T % 50 == 0, calculated - 0.5, np.nan)
    frame = pd.DataFrame({"a": T % 7, "T": T, "M_calc": calculated, "M_expt": measured})
    path = tmp_path / "sines.csv"
    frame.to_csv(path, index=False)
    names = ("T",) if "*" not in basis else ("a", "T")
    columns = [part for name in names for part in ("--descriptors", name)]
    columns += ["--simulation", "M_calc", "--experiment", "M_expt", "--basis", basis]
    found = combine(run, path, columns=columns)
    assert found["noise"]["M_calc"] < 0.01  # sines with a period of 1 K are zero at whole numbers


def test_refusals_speak_of_the_command(run, tmp_path):
    path = tmp_path / "none.csv"
    frame = rows().assign(lab="Sendai")
    frame.assign(**{"M_expt [T]": np.nan}).to_csv(path, index=False)
    assert "every column must have a value. Got none in 'M_expt'." in refused(run, 3, path)
    frame.to_csv(path, index=False)
    assert "combine sources: column 'lab' must hold numbers" in refused(
        run, 3, path, columns=("--descriptors", "lab", *COLUMNS)
    )
    said = screen(run, path, "--allow-prior")
    assert "believed" not in said
    frame.assign(**{"M_expt [T]": np.nan}).to_csv(path, index=False)
    assert "(believed, no values)" in screen(run, path, "--allow-prior")


def test_a_prediction_does_not_depend_on_the_rows_beside_it(run, tmp_path, table):
    near, far = tmp_path / "near.csv", tmp_path / "far.csv"
    near.write_text("x\n0.8\n", encoding="utf-8")
    far.write_text("x\n0.8\n30\n", encoding="utf-8")
    one, two = (combine(run, table, "--predict", path) for path in (near, far))
    assert one["log_evidence"] == two["log_evidence"]
    for alone, beside in zip(one["predictions"], two["predictions"][:2], strict=True):
        assert alone["mean"] == pytest.approx(beside["mean"], rel=1e-12)
        assert alone["std"] == pytest.approx(beside["std"], rel=1e-9)
    assert two["predictions"][3]["std"] > 10 * one["predictions"][1]["std"]
    assert any("outside the data (x 0 to 1)" in note for note in two["warnings"])
