"""Perovskite sites: mixed ones, double perovskites, missing oxygen, what is no perovskite."""

import numpy as np
import pandas as pd
import pytest

from sozai.composition.perovskites import perovskite_descriptors, perovskite_sites
from sozai.contracts.errors import InputError


def ions(site):
    return {name: pytest.approx(ion[0]) for name, ion in site.ions.items()}


@pytest.mark.parametrize(
    ("formula", "A", "B", "X", "delta"),
    [
        ("SrTiO3", {"Sr": 1}, {"Ti": 1}, {"O": 3}, 0),
        ("La0.7Sr0.3MnO3", {"La": 0.7, "Sr": 0.3}, {"Mn": 1}, {"O": 3}, 0),
        ("BaZr0.2Ti0.8O3", {"Ba": 1}, {"Zr": 0.2, "Ti": 0.8}, {"O": 3}, 0),
        ("Sr2FeMoO6", {"Sr": 1}, {"Fe": 0.5, "Mo": 0.5}, {"O": 3}, 0),
        ("Ba3CaNb2O9", {"Ba": 1}, {"Ca": 1 / 3, "Nb": 2 / 3}, {"O": 3}, 0),
        ("SrFeO2.5", {"Sr": 1}, {"Fe": 1}, {"O": 2.5}, 0.5),
        ("LaMnO3.15", {"La": 1}, {"Mn": 1}, {"O": 3.15}, -0.15),
        ("Ba0.5Sr0.5Co0.8Fe0.2O2.6", {"Ba": 0.5, "Sr": 0.5}, {"Co": 0.8, "Fe": 0.2}, {"O": 2.6}, 0.4),
        ("CsPbI2Br", {"Cs": 1}, {"Pb": 1}, {"I": 2, "Br": 1}, 0),
        ("BaTaO2N", {"Ba": 1}, {"Ta": 1}, {"O": 2, "N": 1}, 0),
        ("CH3NH3PbI3", {"MA": 1}, {"Pb": 1}, {"I": 3}, 0),
        ("NH4MgF3", {"NH4": 1}, {"Mg": 1}, {"F": 3}, 0),
        ("Na0.5WO3", {"Na": 0.5}, {"W": 1}, {"O": 3}, 0),
        ("Cs2SnI6", {"Cs": 1}, {"Sn": 0.5}, {"I": 3}, 0),
        ("La1.1Mn0.9O3", {"La": 1}, {"La": 0.1, "Mn": 0.9}, {"O": 3}, 0),
    ],
)
def test_sites(formula, A, B, X, delta):
    sites = perovskite_sites(formula)
    assert (ions(sites.A), ions(sites.B), ions(sites.X)) == (A, B, X)
    assert sites.delta == pytest.approx(delta)
    total = sum(n * q for site in (sites.A, sites.B, sites.X) for n, q, _ in site.ions.values())
    assert total == pytest.approx(0, abs=1e-9)


def test_factors_of_strontium_titanate():
    """Radii of Shannon: Sr 1.44, Ti 0.605, O 1.40."""
    sites = perovskite_sites("SrTiO3")
    assert sites.tolerance_factor == pytest.approx(2.84 / (np.sqrt(2) * 2.005))
    ratio = 1.44 / 0.605
    assert sites.tau == pytest.approx(1.40 / 0.605 - 2 * (2 - ratio / np.log(ratio)))
    assert sites.octahedral_factor == pytest.approx(0.605 / 1.40)


def test_means_and_mismatch_of_a_mixed_site():
    site = perovskite_sites("La0.7Sr0.3MnO3").A
    mean = 0.7 * 1.36 + 0.3 * 1.44
    assert site.radius == pytest.approx(mean)
    assert site.variance == pytest.approx(0.7 * (1.36 - mean) ** 2 + 0.3 * (1.44 - mean) ** 2)
    assert site.electronegativity == pytest.approx(0.7 * 1.10 + 0.3 * 0.95)
    assert (site.charge, site.vacancy) == (pytest.approx(2.7), 0.0)


def test_vacancies_and_notes():
    assert perovskite_sites("Na0.5WO3").A.vacancy == pytest.approx(0.5)
    assert perovskite_sites("Cs2SnI6").B.vacancy == pytest.approx(0.5)
    assert perovskite_sites("YAlO3").notes == ("radius of Y is that with 9 neighbors, not 12",)
    assert "La is on both sites" in perovskite_sites("La1.1Mn0.9O3").notes


def test_letters_take_values():
    assert perovskite_sites("SrFeO3-δ", values={"δ": 0.5}).delta == pytest.approx(0.5)


def test_other_structures_of_the_same_count_are_not_told_apart():
    """Counting ions cannot see a spinel: written as ABX3 it lacks oxygen."""
    assert perovskite_sites("MgAl2O4").delta == pytest.approx(1 / 3)


def test_spin_changes_the_radius():
    assert perovskite_sites("LaCoO3").B.radius == 0.61
    assert perovskite_sites("LaCoO3", spin="low").B.radius == 0.545


def test_table_equals_single_formulas_and_keeps_the_index():
    texts = pd.Series(["SrTiO3", "CsPbI3", "SrTiO3"], index=["a", "b", "c"])
    found = perovskite_descriptors(texts)
    assert list(found.index) == ["a", "b", "c"]
    expected = pd.concat([perovskite_sites(text).to_frame() for text in texts])
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    assert list(found)[:3] == ["r_A [Å]", "r_B [Å]", "r_X [Å]"]


def test_refused_rows():
    found = perovskite_descriptors(["SrTiO3", "NaCl", "Mn3GaN"], on_error="nan")
    assert found["t"].notna().tolist() == [True, False, False]
    assert set(found.attrs["refused"]) == {"NaCl", "Mn3GaN"}
    with pytest.raises(
        InputError, match=r"perovskite_descriptors: row 1: perovskite_sites: formula must hold two"
    ):
        perovskite_descriptors(["SrTiO3", "NaCl"])
    with pytest.raises(InputError, match="be 'raise' or 'nan'"):
        perovskite_descriptors(["SrTiO3"], on_error="skip")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("WO3", "Got 'WO3' with 1 cations and 1 anions"),
        ("Mn3GaN", "Got 'Mn3GaN' with 0.5"),
        ("CaSrO3", r"balance the anions \(6 per formula unit\)\. Got 4"),
    ],
)
def test_what_is_no_perovskite(formula, message):
    with pytest.raises(InputError, match=message):
        perovskite_sites(formula)


def test_one_line_representations():
    sites = perovskite_sites("La0.7Sr0.3MnO3")
    assert repr(sites) == (
        "PerovskiteSites(La0.7Sr0.3MnO3: A = La0.7 Sr0.3, B = Mn, X = O3; t = 0.979, tau = 2.48)"
    )
    assert repr(sites.A) == "PerovskiteSite(La0.7 Sr0.3, radius 1.384 Å, charge 2.7)"
