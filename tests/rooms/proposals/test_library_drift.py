import numpy as np

from sozai.numerics.drift_process import DriftProcess
from sozai.proposals.library_drift import DriftDirections

RNG = np.random.default_rng(2)
Z = RNG.random((200, 2))


def test_places_of_their_own_are_kept():
    R = np.column_stack([100 * RNG.random(200), RNG.random(200) - 5])
    found = DriftDirections.of(R, Z)
    assert repr(found) == "DriftDirections(2 of 2)"
    assert not found.is_confounded
    assert (found.explained < 0.1).all()
    sides = found.coordinates(R)
    np.testing.assert_allclose(sides.T @ sides / 200, np.eye(2), atol=1e-9)
    y = np.sin(4 * Z[:, 0]) + 0.03 * R[:, 0] - 2 * R[:, 1]
    table = found.slopes(DriftProcess().fit(Z, y, sides), ["x", "y"])
    np.testing.assert_allclose(table["slope"], [0.03, -2.0], rtol=0.02)


def test_a_curved_function_of_composition_is_no_place():
    R = np.column_stack([Z[:, 0] ** 2 - Z[:, 0] * Z[:, 1], RNG.random(200)])
    found = DriftDirections.of(R, Z)
    assert repr(found) == "DriftDirections(1 of 2)"
    assert found.is_confounded
    assert found.names(["x", "y"]) == ["x"]
    assert found.worst > 0.999


def test_a_mixture_of_columns_may_be_what_composition_explains():
    own = RNG.standard_normal(200)
    R = np.column_stack([own + 0.3 * Z[:, 0], -own + 0.3 * Z[:, 0]])
    found = DriftDirections.of(R, Z)
    assert found.is_confounded
    assert found.directions.shape == (2, 1)
    assert found.names(["x", "y"]) == ["x", "y"]


def test_without_places_there_is_no_drift():
    found = DriftDirections.of(np.empty((200, 0)), Z)
    assert found.worst == 0.0
    assert not found.is_confounded
    assert found.coordinates(np.empty((3, 0))).shape == (3, 0)


def test_few_positions_are_compared_by_a_straight_line():
    found = DriftDirections.of(RNG.random((8, 1)), Z[:8])
    assert found.worst < 0.95
