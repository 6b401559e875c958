import gc

import numpy as np
import pytest

from sozai.contracts.errors import ConvergenceWarning
from sozai.contracts.observations import Observations
from sozai.proposals import unit_cube as module
from sozai.proposals.objectives import Objective
from sozai.proposals.unit_cube import unit_cube

GOAL = [Objective("y")]


def cube(X, **options):
    return unit_cube(Observations.of(X, {}, objectives=GOAL, **options), place="here")


def test_the_same_list_is_scaled_once_and_never_after_a_change():
    X = np.array([[0.0, 1.0], [4.0, 3.0], [2.0, 7.0]])
    first = cube(X)
    assert cube(X) is first
    assert not first.flags.writeable
    np.testing.assert_allclose(first[:, 0], [-0.5, 0.5, 0.0])
    X[2, 0] = 4.0
    changed = cube(X)
    np.testing.assert_allclose(changed[:, 0], [-0.5, 0.5, 0.5])
    np.testing.assert_allclose(first[:, 0], [-0.5, 0.5, 0.0])
    np.testing.assert_allclose(cube(X.copy()), changed)


def test_removed_candidates_set_no_scale_remembered_or_not():
    X = np.array([[0.0], [1.0], [2.0], [100.0]])
    assert cube(X).ravel()[2] == pytest.approx(2 / 100 - 0.5)
    assert cube(X, closed=[3]).ravel()[2] == pytest.approx(0.5)
    assert cube(X, closed=[3], failed=[3]).ravel()[2] == pytest.approx(2 / 100 - 0.5)
    assert cube(X, pending=[3]).ravel()[2] == pytest.approx(2 / 100 - 0.5)


def test_warnings_come_every_time():
    X = np.column_stack([np.arange(4.0), np.ones(4), 3 * np.arange(4.0)])
    for names in (["a", "b", "c"], ["d", "e", "f"]):
        with pytest.warns(ConvergenceWarning) as told:
            found = cube(X, names=names)
        assert found.shape == (4, 2)
        assert f"column {names[1]!r} is constant" in str(told[0].message)
        assert f"columns {names[0]!r} and {names[2]!r} are the same" in str(told[1].message)


def test_a_list_that_is_gone_is_forgotten():
    X = np.random.default_rng(0).random((5, 2))
    cube(X)
    assert len(module._kept) == 1
    del X
    gc.collect()
    assert module._kept == []
