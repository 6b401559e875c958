"""Gaussian processes of labels and of phases: streams against direct algebra."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern as PeerMatern

from sozai.contracts.errors import InputError
from sozai.numerics.kernels import Laplace, Matern
from sozai.proposals.phase_chances import OneHotStream, PresenceStream, phase_members, sharpened
from sozai.proposals.phase_classifiers import OneHotGaussianProcess, PresenceGaussianProcess

rng = np.random.default_rng(0)
Z = rng.normal(size=(80, 2))
LABELS = (Z[:, 0] > 0).astype(int) + 2 * (Z[:, 1] > 0.3)


def direct(points, noises, E, prior, at, scale, kernel="half"):
    """Posterior mean by the textbook."""
    distance = lambda A, B: np.linalg.norm(A[:, None] - B[None], axis=-1) / scale  # noqa: E731
    K = np.exp(-distance(points, points)) + np.diag(noises)
    return prior + np.exp(-distance(at, points)) @ np.linalg.solve(K, E - prior)


def raw(stream):
    return (stream.values + stream.rest / stream.n_classes).T


def test_streaming_equals_the_textbook_and_scikit_learn():
    stream = OneHotStream(Z, 4, Matern(0.5), 1e-3, np.full(2, 0.7))
    rows = rng.choice(80, 25, replace=False)
    for row in rows:
        stream.add(int(row), int(LABELS[row]))
    E = np.eye(4)[LABELS[rows]]
    expected = direct(Z[rows], np.full(25, 1e-3), E, 0.25, Z, 0.7)
    np.testing.assert_allclose(raw(stream), expected, atol=1e-10)
    peer = GaussianProcessRegressor(PeerMatern(0.7, nu=0.5), alpha=1e-3, optimizer=None)
    np.testing.assert_allclose(expected, 0.25 + peer.fit(Z[rows], E - 0.25).predict(Z), atol=1e-8)


def test_a_class_that_appears_late_changes_nothing_else():
    late = OneHotStream(Z, 2, Matern(0.5), 1e-3, np.full(2, 0.7))
    late.add(0, 0).add(1, 1).add_class().add(2, 2)
    early = OneHotStream(Z, 3, Matern(0.5), 1e-3, np.full(2, 0.7)).add(0, 0).add(1, 1).add(2, 2)
    np.testing.assert_allclose(late.probabilities(), early.probabilities(), atol=1e-12)


@pytest.mark.parametrize("kernel", [Matern(0.5), Matern(1.5), Laplace()])
@pytest.mark.parametrize("limit", [2**30, 0])
def test_batch_stream_off_list_and_without_memory_agree(kernel, limit):
    options = {"memory_limit": limit, "tune": False}
    batch = OneHotStream(Z, 4, kernel, 1e-3, np.full(2, 0.7), **options)
    noises = np.array([1e-3] * 20 + [1e-2])
    outside = np.array([[0.1, 0.2]])
    labels = [*LABELS[:20].tolist(), 3]
    batch.add_many(np.vstack([Z[:20], outside]), [*range(20), -1], labels, noises)
    one = OneHotStream(Z, 4, kernel, 1e-3, np.full(2, 0.7), **options)
    for row in range(20):
        one.add(row, labels[row])
    one.add_point(outside[0], 3, 1e-2)
    np.testing.assert_allclose(one.values, batch.values, atol=1e-9)
    np.testing.assert_allclose(one.rest, batch.rest, atol=1e-9)
    np.testing.assert_allclose(one.probabilities_at(Z), one.probabilities(), atol=1e-9)


@pytest.mark.parametrize("kind", ["one-hot", "presence"])
def test_left_out_equals_refit(kind):
    names = np.array(["A", "A+B", "B", "C"])[LABELS]
    make = OneHotStream if kind == "one-hot" else PresenceStream
    stream = make(Z, 0, Matern(0.5), 1e-3, np.full(2, 0.7))
    for row in range(20):
        stream.add(row, stream.code(names[row]))
    found = stream.left_out()
    for row in (0, 7, 19):
        other = make(Z, 0, Matern(0.5), 1e-3, np.full(2, 0.7))
        for name in stream.names:
            other.code(name)
        if kind == "presence":
            other._prior = stream._prior  # the prior mean is that of all labels
        for k in range(20):
            if k != row:
                other.add(k, other.code(names[k]))
        np.testing.assert_allclose(found[row], other.probabilities()[:, row], atol=1e-9)


def test_a_mark_brings_everything_back():
    stream = OneHotStream(Z, 4, Matern(0.5), 1e-3, np.full(2, 0.7)).add(0, 0).add(1, 1)
    before = stream.probabilities()
    mark = stream.mark()
    for row in range(2, 70):
        stream.add(row, int(LABELS[row]))
    stream.back(mark)
    np.testing.assert_array_equal(stream.probabilities(), before)
    stream.add(5, 2)
    again = OneHotStream(Z, 4, Matern(0.5), 1e-3, np.full(2, 0.7)).add(0, 0).add(1, 1).add(5, 2)
    np.testing.assert_allclose(stream.probabilities(), again.probabilities(), atol=1e-12)


def test_length_scale_has_the_least_brier_score_of_the_grid():
    model = OneHotGaussianProcess().fit(Z, np.where(np.arange(80) < 50, LABELS, -1))
    stream = model.stream_
    grid = [stream.loss(np.full(2, scale)) for scale in np.geomspace(0.05, 12.8, 17)]
    assert stream.loss(model.length_scale_) <= min(grid) + 1e-15
    E, n = np.eye(4)[LABELS[:50]], 50
    p = np.array([
        direct(np.delete(Z[:50], k, 0), np.full(n - 1, 1e-3), np.delete(E, k, 0), 0.25, Z[k : k + 1],
               model.length_scale_[0])[0] for k in range(n)
    ])  # fmt: skip
    p = np.maximum(p, 1e-9)
    p /= p.sum(axis=1, keepdims=True)
    order = [stream.names.index(str(k)) for k in range(4)]
    np.testing.assert_allclose(stream.left_out()[:, order], p, atol=1e-9)
    np.testing.assert_allclose(stream.loss(model.length_scale_), ((p - E) ** 2).sum(axis=1).mean(), rtol=1e-9)


def test_groups_get_length_scales_of_their_own():
    X = np.column_stack([rng.uniform(-1.7, 1.7, 200), rng.uniform(-1.7, 1.7, 200)])
    y = (X[:, 0] > 0).astype(int)  # the second column means nothing
    stream = OneHotGaussianProcess().stream(X, groups=np.array([0, 1]))
    for name in ("0", "1"):
        stream.code(name)
    stream.add_many(X[:60], range(60), y[:60], np.full(60, 1e-3))
    assert stream.length_scales[1] > 3 * stream.length_scales[0]
    joint = OneHotGaussianProcess().stream(X)
    for name in ("0", "1"):
        joint.code(name)
    joint.add_many(X[:60], range(60), y[:60], np.full(60, 1e-3))
    assert stream.loss(stream.length_scales) <= joint.loss(joint.length_scales)


def test_temperature_sharpens_careful_probabilities():
    y = np.where(np.arange(80) < 60, (Z[:, 0] > 0).astype(int), -1)
    model = OneHotGaussianProcess(length_scale=0.2).fit(Z, y)  # too short: too careful
    assert model.temperature_ < 0.8
    plain = OneHotGaussianProcess(length_scale=0.2, calibrate=False).fit(Z, y)
    assert plain.temperature_ == 1.0
    np.testing.assert_allclose(
        model.label_distributions_.T, sharpened(plain.label_distributions_.T, 1 / model.temperature_)
    )


def test_presence_of_phases_multiplies_to_sets():
    stream = PresenceStream(Z, 0, Matern(0.5), 1e-3, np.full(2, 0.7))
    for row, name in ((0, "A"), (1, "A+B"), (2, "B"), (3, "C+A")):
        stream.add(row, stream.code(name))
    E = np.array([[1, -1, -1], [1, 1, -1], [-1, 1, -1], [1, -1, 1]])
    f = direct(Z[:4], np.full(4, 1e-3), E, E.mean(axis=0), Z, 0.7)
    p = np.clip((1 + f) / 2, 1e-3, 1 - 1e-3)
    sets = E > 0
    chances = np.array([np.where(one, p, 1 - p).prod(axis=1) for one in sets])
    np.testing.assert_allclose(stream.probabilities(), chances / chances.sum(axis=0), atol=1e-9)


def test_presence_names_a_set_that_was_never_seen():
    line = np.linspace(-1.5, 1.5, 7)[:, None]
    cross = np.vstack([np.column_stack([line, 0 * line]), np.column_stack([0 * line, line]), [[1.5, 1.5]]])
    stream = PresenceStream(cross, 0, Matern(1.5), 1e-3, np.full(2, 3.0), most_phases=3)
    for row in range(7):
        stream.add(row, stream.code("A+B" if cross[row, 0] > 0.6 else "A"))
    for row in range(7, 14):
        stream.add(row, stream.code("A+C" if cross[row, 1] > 0.6 else "A"))
    assert stream.imagine().unseen == ["A+B+C"]
    assert stream.all_names[int(stream.probabilities()[:, 14].argmax())] == "A+B+C"
    stream.most_phases = 2
    assert stream.imagine().unseen == []


def test_gap_keeps_its_two_phases_apart():
    assert phase_members("A + A") == ("A", "A#2")
    stream = PresenceStream(Z, 0, Matern(0.5), 1e-3, np.full(2, 0.7))
    for row, name in ((0, "A"), (1, "A+A")):
        stream.add(row, stream.code(name))
    assert stream.phases == ["A", "A#2"]
    assert stream.probabilities()[1, 1] > 0.9


def test_classifiers_take_text_and_place_new_points():
    y = np.array(["low", "high"], dtype=object)[(Z[:, 0] > 0).astype(int)]
    y[40:] = None
    for model in (OneHotGaussianProcess(), PresenceGaussianProcess()):
        fitted = model.fit(Z, y)
        assert fitted.classes_.tolist() == ["high", "low"]
        np.testing.assert_allclose(fitted.predict_proba(Z), fitted.label_distributions_, atol=1e-9)
        assert fitted.predict([[2.0, 0.0], [-2.0, 0.0]]).tolist() == ["high", "low"]


def test_bad_length_scale():
    with pytest.raises(InputError, match=r"length_scale must be 'loo' or positive\. Got \[0\.5, -1\.0\]"):
        OneHotGaussianProcess(length_scale=[0.5, -1.0]).fit(Z, LABELS)
