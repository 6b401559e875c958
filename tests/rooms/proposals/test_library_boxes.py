import numpy as np

from sozai.proposals import library_boxes
from sozai.proposals.library_boxes import NextLibrary, boxes_around, choose_boxes, next_region
from sozai.proposals.spaces import Mixture

RNG = np.random.default_rng(1)
POINTS = RNG.random((60, 2))
GAINS = np.maximum(RNG.standard_normal((60, 40)), 0.0)
LOW, HIGH = POINTS[:20] - 0.1, POINTS[:20] + 0.1


def by_hand():
    inside = [[((p >= a) & (p <= b)).all() for p in POINTS] for a, b in zip(LOW, HIGH, strict=True)]
    return np.array([[max(GAINS[j, s] for j in np.flatnonzero(row)) for s in range(40)] for row in inside])


def test_the_best_box_has_the_largest_expected_maximum():
    best = by_hand()
    chosen, scores, chances = choose_boxes(POINTS, LOW, HIGH, GAINS, 3)
    assert scores[0] >= 0.98 * best.mean(axis=1).max()
    assert scores[0] == best[chosen[0]].mean()
    assert chances[0] == (best[chosen[0]] > 0).mean()
    both = np.maximum(best[chosen[0]], best[chosen[1]]).mean()
    np.testing.assert_allclose(scores[:2].sum(), both)
    assert (np.diff(scores) <= 1e-12).all()


def test_little_memory_gives_the_same(monkeypatch):
    whole = choose_boxes(POINTS, LOW, HIGH, GAINS, 3)
    monkeypatch.setattr(library_boxes, "_AT_ONCE", 40 * 7)
    for ours, theirs in zip(choose_boxes(POINTS, LOW, HIGH, GAINS, 3), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_of_equal_boxes_the_one_around_the_gain_is_taken():
    points = np.linspace(0, 1, 21)[:, None]
    gains = np.exp(-((points - 0.5) ** 2) / 0.02) * np.ones((1, 3))
    chosen, _, _ = choose_boxes(points, points - 0.2, points + 0.2, gains, 1)
    assert abs(points[chosen[0], 0] - 0.5) < 0.06


def test_boxes_end_where_nothing_more_is_gained():
    gains = np.zeros((60, 4))
    gains[0] = 1.0
    chosen, scores, _ = choose_boxes(POINTS, LOW, HIGH, gains, 5)
    assert len(chosen) == 1
    assert scores.tolist() == [1.0]


def test_boxes_keep_to_the_region_and_to_round_numbers():
    X = np.array([[0.2, 0.5, 0.25, 0.05], [0.4, 0.35, 0.2, 0.05], [0.3, 0.3, 0.35, 0.05]])
    size, space, varying = next_region(X, ["A", "B", "C", "D"], 1.0, None, {"A": (0.25, 0.5)})
    assert varying == [0, 1, 2]
    np.testing.assert_allclose(size[:3], [0.1, 0.1, 0.075])
    assert space.bounds[0].round(9).tolist() == [0.25, 0.5]
    assert space.total == 1.0 - 0.05
    low, high = boxes_around(X, size, space, varying)
    np.testing.assert_allclose(low[:, :3] * 100, np.rint(low[:, :3] * 100), atol=1e-9)
    np.testing.assert_allclose(low[1], [0.35, 0.3, 0.16, 0.05], atol=1e-8)
    assert (high[:, 3] - low[:, 3] < 1e-8).all()
    assert low[0, 0] == 0.25


def test_the_record_is_a_space_and_a_table():
    box = NextLibrary({"A": 0.2, "B": 0.6}, {"A": 0.4, "B": 0.8}, 0.5, 0.25, {"A": 0.3, "B": 0.7}, 2.0, 0.1)
    assert isinstance(box.space, Mixture)
    assert box.to_frame().loc["A"].tolist() == [0.2, 0.4, 0.3]
    told = box.with_reason("S", 1.9, 2)
    assert told.reason == (
        "Between these ends something better than the best so far (S 1.9) lies with 25 % probability; the "
        "expected gain is 0.5, beyond 2 boxes before it. Most hopeful: S 2.00 ± 0.10."
    )
