"""What every classifier and proposer of phase diagrams obeys."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from sozai.proposals.label_graph import LabelPropagation, LabelSpreading
from sozai.proposals.phase_classifiers import OneHotGaussianProcess, PresenceGaussianProcess
from sozai.proposals.phase_diagram import PhaseDiagramProposer
from sozai.proposals.phase_grids import composition_grid

MODELS = [
    OneHotGaussianProcess(),
    PresenceGaussianProcess(),
    LabelPropagation(gamma=5),
    LabelSpreading(gamma=5),
]
GRID = composition_grid(3, 0.1, ["Zn", "Mg", "Cu"])
TRUTH = np.where(GRID["Zn"] > 0.55, "A", np.where(GRID["Mg"] > 0.45, "B", "A+B")).astype(object)

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


def expected_failures(estimator):
    """Checks that mark a class by -1; scikit-learn excuses classes named like its own."""
    process = "GaussianProcess" in type(estimator).__name__
    return {"check_classifiers_classes": "-1 stands for no label"} if process else {}


@parametrize_with_checks(
    [clone(model) for model in MODELS], expected_failed_checks=expected_failures, xfail_strict=False
)
def test_scikit_learn_manners(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def proposer_of(model, rows, truth=TRUTH, grid=GRID):
    proposer = PhaseDiagramProposer(grid, clone(model))
    for row in rows:
        proposer.tell(int(row), truth[row])
    return proposer


samples = st.lists(st.integers(0, len(GRID) - 1), min_size=4, max_size=25, unique=True)


@every_model
@given(rows=samples, seed=st.integers(0, 100))
@settings(max_examples=8)
def test_order_of_telling_and_asking_again(model, rows, seed):
    one = proposer_of(model, rows)
    two = proposer_of(model, np.random.default_rng(seed).permutation(rows))
    np.testing.assert_allclose(one.probabilities_, two.probabilities_, atol=1e-9)
    asked = [proposal.index for proposal in one.ask(3)]
    assert asked == [proposal.index for proposal in two.ask(3)]
    assert one.ask(5)[:3] == one.ask(3)
    assert not set(asked) & set(rows)


@every_model
@given(rows=samples)
@settings(max_examples=6)
def test_probabilities_add_up_and_renaming_permutes_them(model, rows):
    one = proposer_of(model, rows)
    p = one.probabilities_
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    assert p.min() >= 0
    names = {"A": "Z", "B": "M", "A+B": "Z+M"}
    two = proposer_of(model, rows, np.array([names[label] for label in TRUTH], dtype=object))
    order = [list(two.classes_).index(names[name]) for name in one.classes_]
    np.testing.assert_allclose(two.probabilities_[:, order], p, atol=1e-9)


@every_model
@given(rows=samples, order=st.permutations([0, 1, 2]))
@settings(max_examples=6)
def test_order_of_components_and_of_points_changes_nothing(model, rows, order):
    one = proposer_of(model, rows)
    two = proposer_of(model, rows, grid=GRID[GRID.columns[list(order)]])
    np.testing.assert_allclose(two.probabilities_, one.probabilities_, atol=1e-8)
    turn = np.random.default_rng(0).permutation(len(GRID))
    back = np.argsort(turn)
    three = proposer_of(model, back[rows], TRUTH[turn], GRID.iloc[turn].reset_index(drop=True))
    np.testing.assert_allclose(three.probabilities_[back], one.probabilities_, atol=1e-8)


@every_model
@pytest.mark.parametrize("n", [15, 45])
def test_streaming_equals_all_at_once(model, n):
    rows = np.random.default_rng(0).choice(len(GRID), n, replace=False)
    slow = PhaseDiagramProposer(GRID, clone(model))
    for row in rows:
        slow.tell(int(row), TRUTH[row]).ask()
    scales = slow.length_scale_
    if scales is None:
        np.testing.assert_allclose(slow.probabilities_, proposer_of(model, rows).probabilities_, atol=1e-9)
        return
    fixed = clone(model).set_params(length_scale=scales, calibrate=False)
    slow.estimator, slow._calibrates, slow._derived = fixed, False, None
    np.testing.assert_allclose(slow.probabilities_, proposer_of(fixed, rows).probabilities_, atol=1e-8)


@given(rows=samples)
@settings(max_examples=10)
def test_propagation_obeys_the_maximum_principle_and_its_labels(rows):
    y = np.full(len(GRID), "", dtype=object)
    y[rows] = TRUTH[rows]
    model = LabelPropagation(gamma=100).fit(GRID.to_numpy(), y)
    F = model.stream_.values
    assert F.min() >= -1e-9
    assert F.max() <= 1 + 1e-9
    assert (model.transduction_[rows] == TRUTH[rows]).all()
    np.testing.assert_allclose(model.label_distributions_[rows].max(axis=1), 1.0, atol=1e-8)


@every_model
def test_one_class_is_that_class(model):
    rows = np.flatnonzero(TRUTH == "A")[:5]
    proposer = proposer_of(model, rows)
    np.testing.assert_allclose(proposer.probabilities_, 1.0)
    assert set(proposer.labels_) == {"A"}


@every_model
def test_same_seed_same_bits(model):
    rows = range(0, 60, 4)
    for batch in ("fantasies", "top", "neighbors", "determinantal"):
        both = []
        for _ in range(2):
            proposer = PhaseDiagramProposer(GRID, clone(model), batch=batch, score="random", random_state=3)
            for row in rows:
                proposer.tell(row, TRUTH[row])
            both.append(proposer.ask(4))
        assert both[0] == both[1]
    assert repr(clone(proposer)).startswith("PhaseDiagramProposer(")
