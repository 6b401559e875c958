"""The bundled table of elements: checksums, flags, ranges, rank, and numbers that any handbook holds."""

import numpy as np
import pytest

from sozai import datasets
from sozai.datasets.birth_certificate import read_certificate
from sozai.numerics.row_reduction import row_reduce


@pytest.fixture(scope="module")
def table():
    data = datasets.load_elements()
    frame = data.frame.set_index("element")
    values = frame[list(data.feature_names)]
    flags = np.array([[name in str(text).split() for name in values] for text in frame["imputed"].fillna("")])
    return data, values, flags


def test_hydrogen_to_lawrencium_without_gaps(table):
    data, values, flags = table
    assert values.shape == flags.shape == (103, 59)
    assert list(values.index[[0, 25, 102]]) == ["H", "Fe", "Lr"]
    assert np.isfinite(values.to_numpy()).all()
    np.testing.assert_array_equal(values["atomic_number"], np.arange(1, 104))
    assert len(data.feature_names) == 59


def test_every_flag_names_a_column_and_no_column_is_mostly_predicted(table):
    data, values, flags = table
    named = {name for text in data.frame["imputed"].dropna() for name in text.split()}
    assert named <= set(values)
    assert int(flags.sum()) == 528
    assert flags.mean(axis=0).max() <= 0.35
    whole = [name for name, any_flag in zip(values, flags.any(axis=0), strict=True) if not any_flag]
    assert {"atomic_weight", "group", "num_d_valence", "dipole_polarizability", "melting_point"} <= set(whole)


def test_predicted_cells_stay_within_their_range(table):
    _, values, flags = table
    for column, flag in zip(values, flags.T, strict=True):
        known, predicted = values[column][~flag], values[column][flag]
        width = known.max() - known.min()
        rounding = 1e-3 * np.abs(known).max()  # four digits are written
        stretched = [*known, *predicted]
        assert max(stretched) - min(stretched) <= 1.2 * width + rounding
        assert (known >= 0).all() <= (predicted >= 0).all()


def test_columns_vary_and_are_independent(table):
    _, values, _ = table
    x = values.to_numpy()
    assert (x.std(axis=0) > 0).all()
    assert row_reduce(np.column_stack([np.ones(len(x)), x])).rank == 60
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    correlation = np.abs(standard.T @ standard) / len(x) - np.eye(59)
    assert correlation.max() < 0.9995


def test_leave_one_out_is_reported_for_every_predicted_column(table):
    _, values, flags = table
    for column in read_certificate("elements").columns[1:-1]:
        gaps = int(flags[:, list(values).index(column.name)].sum())
        assert (f"; {gaps} imputed, R² " in column.meaning) == (gaps > 0)
        if gaps:
            assert 0.5 <= float(column.meaning.split("R² ")[1].split(",")[0]) <= 1


def test_handbook_values(table):
    """CRC Handbook of Chemistry and Physics, 97th edition, and NIST, to the digits printed there."""
    data, values, _ = table
    assert values.loc["Na", "en_pauling"] == 0.93
    assert values.loc["Fe", "atomic_weight"] == pytest.approx(55.845, abs=2e-3)
    assert values.loc["H", "ionization_energy_1"] == pytest.approx(13.598, abs=1e-3)
    assert values.loc["W", "melting_point"] == pytest.approx(3695, abs=10)
    assert values.loc["Cl", "electron_affinity"] == pytest.approx(3.613, abs=2e-3)
    assert values.loc["Cu", "thermal_conductivity"] == pytest.approx(400, abs=5)
    assert values.loc["Au", "density"] == pytest.approx(19.3, abs=0.05)
    assert data.units["gs_volume"] == "Å³/atom"


def test_counts_of_electrons(table):
    """Ground states of the atoms: Cr 3d5 4s1, Pd 4d10, Gd 4f7 5d1 6s2, Cl 3s2 3p5."""
    _, values, _ = table
    counts = [f"num_{kind}_valence" for kind in "spdf"]
    holes = [f"num_{kind}_unfilled" for kind in "pdf"]
    expected = {"Cr": [1, 0, 5, 0], "Pd": [0, 0, 10, 0], "Gd": [2, 0, 1, 7], "Cl": [2, 5, 0, 0]}
    for symbol, numbers in expected.items():
        assert values.loc[symbol, counts].to_list() == numbers
    assert values.loc["Gd", holes].to_list() == [0, 9, 7]
    assert values.loc["Cl", holes].to_list() == [1, 0, 0]
    assert values.loc[["H", "He", "La", "Lu", "Hf", "Tl", "U"], "group"].to_list() == [1, 18, 3, 3, 4, 13, 3]
    assert values.loc[["H", "Ne", "Na", "Xe", "Cs", "Lr"], "period"].to_list() == [1, 2, 3, 5, 6, 7]


def test_oxidation_states():
    frame = datasets.load_oxidation_states().frame.set_index("element")
    assert len(frame) == 103
    common = {symbol: [int(word) for word in text.split()] for symbol, text in frame["common"].items()}
    known = {symbol: [int(word) for word in text.split()] for symbol, text in frame["known"].items()}
    assert common["Fe"] == [2, 3]
    assert common["O"] == [-2]
    assert common["Ti"] == [2, 3, 4]
    assert common["He"] == []
    assert all(set(common[symbol]) <= set(known[symbol]) for symbol in common)
    assert all(0 not in states and states == sorted(states) for states in known.values())
    assert all(frame.loc[symbol, "source"] == "none" for symbol in common if not known[symbol])
