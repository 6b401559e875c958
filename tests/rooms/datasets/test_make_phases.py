"""Sections whose tie-lines are known."""

import numpy as np
import pytest
from scipy.optimize import brentq

from sozai.contracts.errors import InputError
from sozai.datasets.make_phases import make_binary_section, make_ternary_section

R = 8.31446261815324


def test_binary_edge_has_the_solubility_of_the_regular_solution():
    omega, T = 2.2e4, 900.0
    made = make_ternary_section({"FCC": {(0, 1): omega}}, T, step=0.01)
    phases, compositions, amounts = made.equilibrium([0.5, 0.5, 0.0])
    limit = brentq(lambda x: R * T * np.log(x / (1 - x)) + omega * (1 - 2 * x), 1e-6, 0.45)
    assert phases == ("FCC", "FCC")
    assert np.sort(compositions[:, 0])[0] == pytest.approx(limit, abs=0.01)
    np.testing.assert_allclose(amounts @ compositions, [0.5, 0.5, 0.0], atol=1e-12)
    assert made.equilibrium([limit / 2, 1 - limit / 2, 0.0])[0] == ("FCC",)


def test_symmetric_gap_is_a_symmetric_triangle():
    same = {(0, 1): 2e4, (0, 2): 2e4, (1, 2): 2e4}
    made = make_ternary_section({"FCC": same}, 700, step=0.02)
    phases, compositions, amounts = made.equilibrium([1 / 3, 1 / 3, 1 / 3])
    assert phases == ("FCC",) * 3
    np.testing.assert_allclose(amounts, 1 / 3, atol=0.01)
    purest = np.sort(compositions.max(axis=1))
    assert purest[0] == pytest.approx(purest[2], abs=0.021)
    table = made.table(0.05)
    assert set(table["phase"]) == {"FCC", "FCC+FCC", "FCC+FCC+FCC"}
    swapped = table.rename(columns={"A": "B", "B": "A"})[["A", "B", "C", "phase"]]
    merged = table.round(9).merge(swapped.round(9), on=["A", "B", "C"])
    assert (merged["phase_x"] == merged["phase_y"]).mean() > 0.97  # ties on edges of fields only


def test_every_answer_is_a_balance_with_no_lower_energy():
    made = make_ternary_section(
        {"LIQUID": {(0, 1): -5e3}, "HCP": {(0, 1): 1e4, (1, 2): 1.5e4}},
        800,
        reference={"LIQUID": [500, 800, -500], "HCP": [0, 0, 1500]},
        step=0.025,
    )
    for x in np.random.default_rng(0).dirichlet(np.ones(3), 30):
        phases, compositions, amounts = made.equilibrium(x)
        np.testing.assert_allclose(amounts @ compositions, x, atol=1e-9)
        assert len(phases) <= 3
    assert {"LIQUID", "HCP", "HCP+LIQUID"} <= set(made.table(0.05)["phase"])


def test_binary_diagram_closes_its_gap():
    table = make_binary_section({"FCC": {(0, 1): 2e4}}, T=[800, 1100, 1300], grid=0.05)
    width = table[table["phase"] == "FCC+FCC"].groupby("T").size()
    assert width[800] > width[1100]
    assert 1300 not in width  # critical temperature 2e4 / 2R = 1203 K


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_ternary_section({"A": {}}, -1), "T must be a positive temperature in K. Got -1"),
        (lambda: make_ternary_section({"A": {}}, 300, step=0.3), "step must divide 1.*Got 0.3"),
        (lambda: make_ternary_section({"A": {(0, 3): 1.0}}, 300, step=0.5), r"0 to 2. Got \(0, 3\)"),
        (lambda: make_ternary_section({"A": {}}, 300, components="AB"), "be 3 names"),
        (lambda: make_ternary_section({"A": {}}, 300, reference={"A": [1.0]}), r"3 numbers. Got \[1\.0\]"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(InputError, match=words):
        call()
