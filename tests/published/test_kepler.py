"""Kepler's third law: J. Kepler, Harmonices mundi libri V (1619), from the orbits of eight planets."""

import numpy as np
import pytest

from sozai.datasets import load_planets
from sozai.symbolic.invariants import find_invariants


@pytest.fixture(scope="module")
def law():
    planets = load_planets().to_frame()
    found = find_invariants(planets[["a [AU]", "T [yr]"]])
    assert found.n_found == found.n_independent == 1
    return found[0]


def test_exponents(law):
    assert law.formula == "a**3/T**2"
    assert law.exponents == (3, -2)
    assert law.free_exponents[0] == 3
    assert round(law.free_exponents[1], 4) == -2.0002


def test_spread_and_constant(law):
    assert f"{law.spread:.1e}" == "5.8e-04"
    assert law.constant == pytest.approx(1, abs=1e-3)
    assert law.unit == "AU^3/yr^2"


def test_it_is_no_chance(law):
    assert law.p_value == 1 / 200
    assert law.expected_by_chance < 1e-20
    assert law.ratio < 1e-4


def test_mass_of_jupiter(law):
    """Newton's form: a³/T² ∝ 1 + m/M. Jupiter 1/1047.35 of the sun, against the inner planets."""
    deviations = dict(zip(load_planets().frame["planet"], law.deviations, strict=True))
    inner = np.mean([deviations[name] for name in ("Mercury", "Venus", "Earth", "Mars")])
    assert deviations["Jupiter"] - inner == pytest.approx(1 / 1047.35, rel=0.3)
