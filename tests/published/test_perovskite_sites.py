"""Tolerance factors of 576 compounds ABX3, from the printed radii and from the formula alone.

C. J. Bartel et al., Sci. Adv. 5, eaav0693 (2019), table S1: accuracy 0.74 of Goldschmidt's t between 0.825
and 1.059, 0.92 of tau below 4.18.
"""

import numpy as np
import pytest

from sozai.composition.perovskites import (
    octahedral_factor,
    perovskite_descriptors,
    perovskite_sites,
    tau_factor,
    tolerance_factor,
)
from sozai.datasets import fetch_perovskites


@pytest.fixture(scope="module")
def table(data_folder):
    return fetch_perovskites().frame


def accuracies(t, tau, table):
    perovskite = (table["label"] == 1).to_numpy()
    t, tau = np.asarray(t), np.asarray(tau)
    return np.mean(((t > 0.825) & (t < 1.059)) == perovskite), np.mean((tau < 4.18) == perovskite)


def test_accuracies_with_the_printed_radii_and_charges(table):
    t = tolerance_factor(table["r_A"], table["r_B"], table["r_X"])
    tau = tau_factor(table["r_A"], table["r_B"], table["r_X"], table["n_A"])
    assert accuracies(t, tau, table) == pytest.approx((425 / 576, 528 / 576))
    assert [round(x, 4) for x in accuracies(t, tau, table)] == [0.7378, 0.9167]
    np.testing.assert_allclose(octahedral_factor(table["r_B"], table["r_X"]), table["r_B"] / table["r_X"])


def test_accuracies_from_the_formula_alone(table):
    found = perovskite_descriptors(table["formula"])
    assert [round(x, 4) for x in accuracies(found["t"], found["tau"], table)] == [0.7378, 0.9167]


def test_sites_charges_and_radii_are_the_printed_ones(table):
    """All 576: A and B, their charges, radii within rounding to two decimals."""
    for row in table.itertuples():
        sites = perovskite_sites(row.formula)
        assert (list(sites.A.ions), list(sites.B.ions), list(sites.X.ions)) == ([row.A], [row.B], [row.X])
        assert (sites.A.charge, sites.B.charge, sites.X.charge) == (row.n_A, row.n_B, row.n_X)
        found = [sites.A.radius, sites.B.radius, sites.X.radius]
        np.testing.assert_allclose(found, [row.r_A, row.r_B, row.r_X], atol=0.0051)
        assert sites.delta == 0.0


def test_printed_tau(table):
    found = perovskite_descriptors(table["formula"])
    calm = (table["tau"] < 20).to_numpy()  # near r_A = r_B rounding of radii moves tau a lot
    np.testing.assert_allclose(found["tau"][calm], table["tau"][calm], rtol=0.01, atol=0.006)
    np.testing.assert_allclose(found["t"], table["t"], atol=0.0051)
