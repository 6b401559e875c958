"""Lines of the phase diagram of water: check values of IAPWS R14-08(2011), table 2, and IF97, table 35."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.datasets import make_water_diagram
from sozai.datasets.make_water import melting_pressure, saturation_pressure, sublimation_pressure


@pytest.mark.parametrize(
    ("ice", "T", "MPa", "digits"),
    [
        ("ICE_IH", 260.0, 138.268, 3), ("ICE_III", 254.0, 268.685, 3), ("ICE_V", 265.0, 479.640, 3),
        ("ICE_VI", 320.0, 1356.76, 2), ("ICE_VII", 550.0, 6308.71, 2),
    ],
)  # fmt: skip
def test_melting_pressures_of_the_release(ice, T, MPa, digits):
    assert round(float(melting_pressure(T, ice)) / 1e6, digits) == MPa


def test_sublimation_pressure_of_the_release():
    assert round(float(sublimation_pressure(230.0)), 5) == 8.94735


@pytest.mark.parametrize(
    ("T", "MPa"), [(300.0, 0.353658941e-2), (500.0, 0.263889776e1), (600.0, 0.123443146e2)]
)
def test_saturation_pressures_of_the_formulation(T, MPa):
    assert float(saturation_pressure(T)) / 1e6 == pytest.approx(MPa, rel=2e-9)


def test_the_lines_meet_in_the_triple_and_critical_points():
    assert float(sublimation_pressure(273.16)) == pytest.approx(611.657, rel=1e-9)
    assert float(melting_pressure(273.16)) == pytest.approx(611.657, rel=1e-9)
    assert float(saturation_pressure(273.16)) == pytest.approx(611.657, rel=1e-4)
    assert float(saturation_pressure(647.096)) == pytest.approx(22.064e6, rel=1e-6)
    for (lower, upper), T, MPa in (
        (("ICE_IH", "ICE_III"), 251.165, 208.566), (("ICE_III", "ICE_V"), 256.164, 350.1),
        (("ICE_V", "ICE_VI"), 273.31, 632.4), (("ICE_VI", "ICE_VII"), 355.0, 2216.0),
    ):  # fmt: skip
        assert float(melting_pressure(T, lower)) / 1e6 == pytest.approx(MPa, rel=2e-4)
        assert float(melting_pressure(T, upper)) / 1e6 == pytest.approx(MPa, rel=1e-12)


@pytest.mark.parametrize(
    ("T", "p", "phase"),
    [
        (260, 1e2, "GAS"), (260, 1e5, "ICE_IH"), (260, 2e8, "LIQUID"), (260, 6e8, "ICE_V"),
        (300, 1e3, "GAS"), (300, 1e5, "LIQUID"), (300, 1.1e9, "ICE_VI"), (500, 8e9, "ICE_VII"),
        (372.5, 1.0e5, "LIQUID"), (373.2, 1.0e5, "GAS"), (660, 1e7, "GAS"), (660, 3e7, "SUPERCRITICAL"),
        (200, 1e5, "ICE_IH"), (253, 2.5e8, "ICE_III"),
    ],
)  # fmt: skip
def test_phases_that_everybody_knows(T, p, phase):
    table = make_water_diagram(2, 2, T=(T, T + 0.1), p=(p, 1.001 * p), ices=True)
    assert table["phase"][0] == phase
    plain = make_water_diagram(2, 2, T=(T, T + 0.1), p=(p, 1.001 * p))["phase"][0]
    assert plain == ("SOLID" if phase.startswith("ICE") else phase)


def test_the_diagram_covers_its_grid():
    table = make_water_diagram(31, 41)
    assert table.shape == (31 * 41, 3)
    assert set(table["phase"]) == {"GAS", "LIQUID", "SOLID", "SUPERCRITICAL"}
    np.testing.assert_allclose(table["log_p"].iloc[[0, -1]], [-1, 10])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"T": (20, 300)}, "T must be two ascending numbers within 50 and 715"),
        ({"T": (300, 200)}, "T must be two ascending"),
        ({"p": (0, 1e5)}, "p must be two ascending"),
        ({"n_T": 1}, "n_T must be a whole number of 2 or more. Got 1"),
    ],
)
def test_limits_outside_the_equations_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        make_water_diagram(**options)


def test_an_unknown_ice_is_refused():
    with pytest.raises(InputError, match="ice must be one of ICE_IH"):
        melting_pressure(300.0, "ICE_IX")
