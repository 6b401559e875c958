"""Label propagation and spreading against scikit-learn's iterations and direct linear algebra."""

import warnings

import numpy as np
import pytest
from sklearn import semi_supervised

from sozai.contracts.errors import InputError
from sozai.proposals.graph_solvers import harmonic_graph, pivoted_factor, spreading_graph
from sozai.proposals.label_graph import LabelPropagation, LabelSpreading
from sozai.proposals.phase_coordinates import simplex_points
from sozai.proposals.phase_grids import composition_grid


def triangle(step, n_labels, seed=0):
    """Grid of unit spread with a few labels of a map of nine fields."""
    c = composition_grid(3, step).to_numpy()
    Z = simplex_points(c)
    Z = (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0).mean())
    truth = 4 * np.minimum((3 * c[:, 0]).astype(int), 2) + np.minimum((3 * c[:, 1]).astype(int), 2)
    rows = np.random.default_rng(seed).choice(len(Z), n_labels, replace=False)
    y = np.full(len(Z), -1)
    y[rows] = np.unique(truth[rows], return_inverse=True)[1]
    return Z, y, rows


def quiet(model, Z, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(Z, y)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["propagation", "spreading"])
def test_equals_the_converged_iteration_at_1326_nodes(kind):
    Z, y, _ = triangle(0.02, 80)
    if kind == "propagation":
        ours, peer = LabelPropagation(), semi_supervised.LabelPropagation
        default, tight = peer(gamma=20), peer(gamma=20, tol=1e-13, max_iter=100_000)
    else:
        ours, peer = LabelSpreading(), semi_supervised.LabelSpreading
        default, tight = peer(gamma=20), peer(gamma=20, tol=1e-15, max_iter=1000)
    found = ours.fit(Z, y).label_distributions_
    assert np.abs(found - quiet(tight, Z, y).label_distributions_).max() < 1e-8
    stopped = quiet(default, Z, y).label_distributions_
    np.testing.assert_array_equal(found.argmax(axis=1), stopped.argmax(axis=1))
    open_ = y < 0
    assert (
        np.where(open_, 1 - found.max(axis=1), -1).argmax()
        == np.where(open_, 1 - stopped.max(axis=1), -1).argmax()
    )


def test_propagation_is_harmonic():
    Z, y, rows = triangle(0.1, 12)
    found = LabelPropagation(gamma=5).fit(Z, y).label_distributions_
    W = np.exp(-5 * ((Z[:, None] - Z[None]) ** 2).sum(axis=-1))
    mean = W @ found / W.sum(axis=1, keepdims=True)
    free = np.setdiff1d(np.arange(len(Z)), rows)
    np.testing.assert_allclose(found[free], mean[free], atol=1e-12)
    np.testing.assert_array_equal(found[rows].argmax(axis=1), y[rows])
    np.testing.assert_allclose(found[rows].max(axis=1), 1.0, atol=1e-12)


def test_spreading_solves_its_linear_system():
    Z, y, _ = triangle(0.1, 12)
    W = np.exp(-5 * ((Z[:, None] - Z[None]) ** 2).sum(axis=-1))
    np.fill_diagonal(W, 0)
    root = 1 / np.sqrt(W.sum(axis=1))
    S = root[:, None] * W * root[None, :]
    F = np.linalg.solve(np.eye(len(Z)) - 0.3 * S, np.eye(y.max() + 1)[y] * (y >= 0)[:, None])
    found = LabelSpreading(gamma=5, alpha=0.3).fit(Z, y).label_distributions_
    np.testing.assert_allclose(found, F / F.sum(axis=1, keepdims=True), atol=1e-12)


@pytest.mark.parametrize("model", [LabelPropagation(gamma=5), LabelSpreading(gamma=5)])
def test_low_rank_comes_near_the_dense_answer(model):
    Z, y, _ = triangle(0.05, 30)
    dense = model.fit(Z, y).label_distributions_
    low = type(model)(gamma=5, solver="lowrank", tolerance=1e-8).fit(Z, y).label_distributions_
    assert np.abs(low - dense).max() < 1e-4
    rough = type(model)(gamma=5, solver="lowrank").fit(Z, y).label_distributions_
    assert (rough.argmax(axis=1) == dense.argmax(axis=1)).mean() > 0.95


def test_low_rank_inverses_are_those_of_the_low_rank_matrix():
    Z = np.random.default_rng(1).normal(size=(60, 2))
    Phi = pivoted_factor(Z, 1.0, 1e-3)
    W = Phi @ Phi.T
    D = W.sum(axis=1)
    u = D / np.sqrt(D.sum())
    M = np.linalg.inv(np.diag(D) - W + np.outer(u, u))
    graph = harmonic_graph(Z, 1.0, "lowrank", 1e-3, place="test")
    np.testing.assert_allclose(np.array([graph.column(k) for k in range(60)]), M, atol=1e-9)
    np.testing.assert_allclose(graph.diagonal(), np.diag(M), atol=1e-9)
    W0 = W - np.diag(np.diag(W))
    root = 1 / np.sqrt(W0.sum(axis=1))
    G = np.linalg.inv(np.eye(60) - 0.2 * root[:, None] * W0 * root[None])
    graph = spreading_graph(Z, 1.0, 0.2, "lowrank", 1e-3, place="test")
    np.testing.assert_allclose(np.array([graph.column(k) for k in range(60)]), G, atol=1e-10)


def test_pivoted_factor_meets_every_entry():
    Z = np.random.default_rng(0).normal(size=(300, 2))
    W = np.exp(-2 * ((Z[:, None] - Z[None]) ** 2).sum(axis=-1))
    Phi = pivoted_factor(Z, 2.0, 1e-4)
    assert Phi.shape[1] < 300
    assert np.abs(Phi @ Phi.T - W).max() < 1e-4 + 1e-9


def test_streaming_variance_is_that_of_kriging():
    Z, _, rows = triangle(0.2, 5)
    stream = LabelPropagation(gamma=2).stream(Z, 2)
    for row in rows:
        stream.add(int(row), 0)
    W = np.exp(-2 * ((Z[:, None] - Z[None]) ** 2).sum(axis=-1))
    L = np.diag(W.sum(axis=1)) - W
    free = np.setdiff1d(np.arange(len(Z)), rows)
    expected = np.zeros(len(Z))
    expected[free] = np.diag(np.linalg.inv(L[np.ix_(free, free)]))
    np.testing.assert_allclose(stream.variance(), expected, atol=1e-9)


@pytest.mark.parametrize("model", [LabelPropagation(gamma=3), LabelSpreading(gamma=3)])
def test_left_out_equals_refit(model):
    Z, y, rows = triangle(0.1, 15, seed=3)
    classes = y.max() + 1
    stream = model.stream(Z, classes)
    for row in rows:
        stream.add(int(row), int(y[row]))
    found = stream.left_out()
    for k, row in enumerate(rows):
        other = model.stream(Z, classes)
        for one in rows:
            if one != row:
                other.add(int(one), int(y[one]))
        np.testing.assert_allclose(found[k], other.probabilities()[:, row], atol=1e-8)


@pytest.mark.parametrize("model", [LabelPropagation(), LabelSpreading()])
def test_a_mark_brings_everything_back(model):
    Z, y, rows = triangle(0.1, 12)
    stream = model.stream(Z, y.max() + 1)
    for row in rows[:6]:
        stream.add(int(row), int(y[row]))
    before = stream.probabilities()
    mark = stream.mark()
    stream.add(int(rows[7]), 0).add(int(rows[8]), 1)
    stream.back(mark)
    np.testing.assert_array_equal(stream.probabilities(), before)
    again = stream.add(int(rows[9]), int(y[rows[9]])).probabilities()
    fresh = stream.fresh()
    for _ in range(y.max() + 1):
        fresh.add_class()
    for row in [*rows[:6], rows[9]]:
        fresh.add(int(row), int(y[row]))
    np.testing.assert_allclose(again, fresh.probabilities(), atol=1e-12)


def test_parts_without_a_label_know_nothing():
    Z = np.concatenate([np.linspace(0, 1, 6), np.linspace(50, 51, 6)])[:, None]
    y = np.full(12, -1)
    y[[0, 5]] = [0, 1]
    with pytest.warns(UserWarning, match="no label reaches 6 of 12 rows"):
        model = LabelPropagation().fit(Z, y)
    np.testing.assert_allclose(model.label_distributions_[6:], 0.5)
    y[6] = 1
    whole = LabelPropagation().fit(Z, y).label_distributions_
    np.testing.assert_allclose(whole[6:], [[0, 1]] * 6, atol=1e-12)
    np.testing.assert_allclose(whole[:6], model.label_distributions_[:6], atol=1e-12)


def test_same_label_twice_changes_nothing():
    Z, y, rows = triangle(0.1, 8)
    stream = LabelPropagation().stream(Z, y.max() + 1)
    for row in rows:
        stream.add(int(row), int(y[row]))
    before = stream.values.copy()
    stream.add(int(rows[0]), int(y[rows[0]])).add(int(rows[3]), int(y[rows[3]]))
    np.testing.assert_array_equal(stream.values, before)


def test_new_points_are_placed_by_similarity():
    Z, y, _ = triangle(0.1, 20)
    model = LabelPropagation().fit(Z, y)
    np.testing.assert_allclose(model.predict_proba(Z[:5]).sum(axis=1), 1.0)
    far = model.predict_proba([[1e3, 1e3]])
    assert np.isfinite(far).all()


def test_too_many_nodes_for_a_dense_solver():
    with pytest.raises(InputError, match=r"'lowrank' for 30001 nodes; all pairs need 7\.2 GB"):
        harmonic_graph(np.zeros((30_001, 1)), 1.0, "dense", 1e-3, place="LabelPropagation")


def test_bad_labels():
    Z = np.zeros((3, 1)) + np.arange(3.0)[:, None]
    with pytest.raises(InputError, match="at least one label"):
        LabelPropagation().fit(Z, [-1, -1, -1])
    with pytest.raises(InputError, match=r"one label per row of X \(3\)"):
        LabelPropagation().fit(Z, [0, 1])
    with pytest.raises(InputError, match=r"Unknown label type: continuous.*0\.5"):
        LabelPropagation().fit(Z, [0.5, 1.5, np.nan])
