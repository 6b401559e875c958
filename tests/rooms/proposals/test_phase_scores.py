"""Scores, batches and constraints."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.label_graph import LabelPropagation
from sozai.proposals.phase_batches import (
    BatchTask,
    Determinantal,
    HighestScores,
    NeighborExclusion,
    PretendedLabels,
    as_phase_batch,
    kth_distance,
)
from sozai.proposals.phase_classifiers import OneHotGaussianProcess
from sozai.proposals.phase_constraints import FreeColumns, SameValue, allowed_rows
from sozai.proposals.phase_scores import (
    EntropyApproach,
    LeastConfident,
    MarginSampling,
    RandomSampling,
    Straddle,
    as_phase_score,
)

P = np.array([[0.5, 1.0, 0.4], [0.3, 0.0, 0.4], [0.2, 0.0, 0.2]])
Z = np.stack(np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9)), axis=-1).reshape(-1, 2)


def test_scores_are_their_formulas():
    np.testing.assert_allclose(LeastConfident()(P), [0.5, 0.0, 0.6])
    np.testing.assert_allclose(MarginSampling()(P), [0.8, 0.0, 1.0])
    entropy = [-(0.5 * np.log(0.5) + 0.3 * np.log(0.3) + 0.2 * np.log(0.2)), 0.0]
    np.testing.assert_allclose(EntropyApproach()(P)[:2], entropy, atol=1e-12)
    np.testing.assert_allclose(MarginSampling()(np.ones((1, 2))), 0.0)
    same = [RandomSampling()(P, rng=np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    numbers = np.array([0.0, 1.0]), np.array([0.1, 0.1]), np.array([0.2, 1.0])
    np.testing.assert_allclose(Straddle()(P[:, :2], values=numbers), [0.196 - 0.2, 0.196])
    np.testing.assert_allclose(Straddle()(P), LeastConfident()(P))


def stream_of(model=None):
    stream = (OneHotGaussianProcess(length_scale=1.0) if model is None else model).stream(Z, 3)
    for row, label in ((0, 0), (8, 1), (80, 2), (72, 0)):
        stream.add(row, label)
    return stream


def task(stream, seed=0):
    allowed = np.ones(81, dtype=bool)
    allowed[[0, 8, 80, 72]] = False
    nearest = ((Z[:, None] - Z[[0, 8, 80, 72]][None]) ** 2).sum(axis=-1).min(axis=1)
    return BatchTask(stream, LeastConfident(), Z, allowed, nearest, np.random.default_rng(seed))


BATCHES = [HighestScores(), NeighborExclusion(2), PretendedLabels(), PretendedLabels(4), Determinantal(0.4)]


@pytest.mark.parametrize("batch", BATCHES, ids=repr)
@pytest.mark.parametrize("model", [None, LabelPropagation(gamma=3)], ids=["process", "graph"])
def test_more_points_begin_with_the_fewer_and_nothing_is_left_changed(batch, model):
    stream = stream_of(model)
    before = stream.values.copy()
    five = batch.choose(task(stream), 5)
    np.testing.assert_array_equal(stream.values, before)
    three = batch.choose(task(stream), 3)
    assert five[:3] == three
    rows = [row for row, _ in five]
    assert len(set(rows)) == 5
    assert not set(rows) & {0, 8, 80, 72}
    assert five[0][0] == HighestScores().choose(task(stream), 1)[0][0]


@pytest.mark.parametrize("batch", BATCHES, ids=repr)
def test_without_labels_points_are_far_from_each_other(batch):
    rows = [row for row, _ in batch.choose(task(None), 2)]
    assert rows[0] == 40  # the middle is farthest from the corners
    assert len(set(rows)) == 2


def test_fantasies_are_told_labels():
    stream = stream_of()
    (first, _), (second, _) = PretendedLabels().choose(task(stream), 2)
    told = stream_of().add(first, int(stream.probabilities()[:, first].argmax()))
    after = task(told)
    after.take(first)
    assert second == after.best(LeastConfident()(told.probabilities()))


def test_neighbor_exclusion_keeps_its_distance():
    rows = [row for row, _ in NeighborExclusion(3).choose(task(stream_of()), 4)]
    distance = np.linalg.norm(Z[rows][:, None] - Z[rows][None], axis=-1)[np.triu_indices(4, 1)]
    assert distance.min() > 0.5  # 0.25, 0.354 and 0.5 are the three smallest of the grid
    assert kth_distance(Z, 3) == pytest.approx(0.5)
    assert kth_distance(Z, 1) == pytest.approx(0.25)


def test_neighbor_exclusion_goes_on_when_all_is_excluded():
    assert len(NeighborExclusion(40).choose(task(stream_of()), 6)) == 6


def test_determinantal_is_the_greedy_determinant():
    stream = stream_of()
    rows = [row for row, _ in Determinantal(0.4).choose(task(stream), 3)]
    q = LeastConfident()(stream.probabilities())
    L = q[:, None] * np.exp(-((Z[:, None] - Z[None]) ** 2).sum(axis=-1) / 0.32) * q[None]
    allowed = task(stream).allowed
    for k in range(1, 3):
        volume = [
            np.linalg.det(L[np.ix_([*rows[:k], row], [*rows[:k], row])]) if allowed[row] else -1
            for row in range(81)
        ]
        assert volume[rows[k]] == pytest.approx(max(volume), rel=1e-6)


def test_constraints():
    X = np.column_stack([Z, np.repeat([300.0, 400.0, 500.0], 27)])
    names = ("u", "v", "T")
    assert SameValue("T")(X, names, X[30]).sum() == 27
    assert SameValue(["T"], reference=0)(X, names, X[30])[:27].all()
    assert SameValue(["T"])(X, names, None).all()
    assert FreeColumns(["u", "T"])(X, names, X[0]).sum() == 9
    np.testing.assert_array_equal(
        allowed_rows(lambda X, names, last: X[:, 0] > 0, X, names, None, place="ask"), X[:, 0] > 0
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SameValue(["p"])(Z, ("u", "v"), Z[0]), r"among \['u', 'v'\]\. Got 'p'"),
        (lambda: SameValue(["u"], reference="first"), "be 'last' or a row. Got 'first'"),
        (lambda: allowed_rows([1, 0], Z, ("u", "v"), None, place="ask"), r"of 81 booleans.*shape \(2,\)"),
        (lambda: PretendedLabels(0), "n must be a whole number of 1 or more. Got 0"),
        (lambda: NeighborExclusion(-1), "k must be a whole number of 1 or more. Got -1"),
        (lambda: Determinantal(0), "length must be a positive number. Got 0"),
        (lambda: as_phase_batch("best", place="ask"), "one of fantasies, top.* Got 'best'"),
        (lambda: as_phase_score("best", place="ask"), "one of least_confident.* Got 'best'"),
    ],
)
def test_bad_choices(call, words):
    with pytest.raises(InputError, match=words):
        call()
