"""Shannon radii by charge, neighbors and spin."""

import pytest

from sozai.composition.ionic_radii import charges_with_radius, ionic_radius
from sozai.contracts.errors import InputError


@pytest.mark.parametrize(
    ("element", "charge", "neighbors", "radius"),
    [("O", -2, 6, 1.40), ("Ba", 2, 12, 1.61), ("Ti", 4, 6, 0.605), ("Fe", 3, 6, 0.645), ("F", -1, 6, 1.33)],
)
def test_printed_radii(element, charge, neighbors, radius):
    assert ionic_radius(element, charge, neighbors) == (radius, neighbors, True)


def test_low_spin():
    assert ionic_radius("Fe", 3, 6, spin="low").radius == 0.55
    assert ionic_radius("Ti", 4, 6, spin="low").radius == 0.605


def test_nearest_number_of_neighbors():
    assert ionic_radius("Y", 3, 12) == (1.075, 9, False)
    assert ionic_radius("Br", 5, 6) == (0.31, 3, False)


def test_usual_geometry_goes_before_square_planar():
    assert ionic_radius("Ni", 2, 4).radius == 0.55


def test_mixed_valence_is_the_weighted_mean():
    assert ionic_radius("Mn", 3.25, 6).radius == pytest.approx(0.75 * 0.645 + 0.25 * 0.53)


def test_divalent_tin_is_added():
    assert 2 in charges_with_radius("Sn")
    assert ionic_radius("Sn", 2, 6) == (1.15, 0, False)


def test_messages():
    with pytest.raises(InputError, match=r"within the charges of Ti that have a radius \(\+2, \+3, \+4\)"):
        ionic_radius("Ti", 5, 6)
    with pytest.raises(InputError, match=r"have a Shannon radius. Got 'Xx'"):
        ionic_radius("Xx", 1, 6)
    with pytest.raises(InputError, match=r"be 'high' or 'low'. Got 'up'"):
        ionic_radius("Fe", 2, 6, spin="up")
