import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.numerics.hypervolume import (
    free_boxes,
    front_depth,
    hypervolume,
    log_box_sums,
    nondominated,
    nondominated_rank,
)


def test_hypervolume_of_three_boxes_by_hand():
    # two unit-thick plates crossing: 2*2*1 + 1*1*2 minus the shared 1*1*1
    assert hypervolume(np.array([[2.0, 2.0, 1.0], [1.0, 1.0, 2.0]]), np.zeros(3)) == 5.0


def test_points_at_or_below_the_reference_cover_nothing():
    assert hypervolume(np.array([[0.0, 5.0], [-1.0, 2.0]]), np.zeros(2)) == 0.0


def test_one_objective_is_an_interval():
    assert hypervolume(np.array([[1.0], [4.0]]), np.array([1.5])) == 2.5
    boxes = free_boxes(np.array([[1.0], [4.0]]), np.array([1.5]))
    assert boxes.lower.tolist() == [[4.0]]
    assert np.isinf(boxes.upper).all()


def test_boxes_of_an_empty_front_are_the_quadrant():
    boxes = free_boxes(np.empty((0, 3)), np.zeros(3))
    assert boxes.lower.tolist() == [[0.0, 0.0, 0.0]]
    assert repr(boxes) == "FreeBoxes(1 boxes above a front of 0, 3 objectives)"


@pytest.mark.parametrize("n_goals", [2, 3, 4])
def test_a_limit_gives_up(n_goals):
    Y = np.random.default_rng(0).standard_normal((60, n_goals))
    Y = Y / np.linalg.norm(Y, axis=1)[:, None]
    assert free_boxes(Y, np.full(n_goals, -2.0), limit=3) is None
    whole = free_boxes(Y, np.full(n_goals, -2.0))
    assert len(free_boxes(Y, np.full(n_goals, -2.0), limit=100_000)) == len(whole)


def test_boxes_grow_with_the_front_as_stated():
    rng = np.random.default_rng(1)
    for n_goals, most in ((2, 51), (3, 200)):
        Y = np.abs(rng.standard_normal((50, n_goals)))
        Y /= np.linalg.norm(Y, axis=1)[:, None]
        assert len(free_boxes(Y, np.full(n_goals, -0.1))) <= most


def test_equal_points_do_not_beat_each_other():
    Y = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 2.0], [0.0, 1.0]])
    assert nondominated(Y).tolist() == [True, True, True, False]
    assert nondominated_rank(Y).tolist() == [0, 0, 0, 1]


def test_long_lists_are_sorted_in_no_time():
    Y = np.random.default_rng(0).random((200_000, 2))
    rank = nondominated_rank(Y)
    assert (rank == 0).sum() == nondominated(Y).sum()


def test_depth_below_a_front():
    front = np.array([[1.0, 3.0], [2.0, 2.0]])
    assert front_depth(np.array([[1.0, 1.0], [1.5, 2.0], [5.0, 5.0]]), front).tolist() == [1.0, 0.0, 0.0]


def test_sums_without_underflow():
    boxes = free_boxes(np.array([[1.0, 1.0]]), np.zeros(2))
    tables = [np.array([[-900.0, -905.0, -np.inf]]), np.array([[-800.0, -803.0, -np.inf]])]
    # strips: [0, 1) above 1, and [1, inf) above 0
    first = -900.0 + np.log1p(-np.exp(-5.0)) - 803.0
    second = -905.0 - 800.0
    expected = np.logaddexp(first, second)
    assert log_box_sums(tables, boxes)[0] == pytest.approx(expected, abs=1e-9)


def test_messages_read_their_numbers():
    with pytest.raises(InputError, match=r"2D array of rows by objectives. Got 'shape \(3,\)'"):
        nondominated(np.zeros(3))
    with pytest.raises(
        InputError, match=r"contains NaN \(1 non-finite of 4 values\), first at row 1, column 0"
    ):
        nondominated_rank(np.array([[0.0, 1.0], [np.nan, 1.0]]))
    with pytest.raises(InputError, match=r"one entry per objective \(Y has shape \(1, 2\)\). Got 3"):
        hypervolume(np.zeros((1, 2)), np.zeros(3))
