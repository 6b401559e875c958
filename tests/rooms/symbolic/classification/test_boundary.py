"""Boundaries and probabilities: what is written is what is computed, and calibration finds the true slope."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.svm import LinearSVC

from sozai.symbolic.classification.boundary import fit_boundary
from sozai.symbolic.classification.calibration import Calibration, calibration_slope, probabilities
from sozai.symbolic.classification.classes import Classes
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.formulas.grammar import parse_expression

CLASSES = Classes.of(np.array(["no", "yes"])[np.arange(40) % 2])


def plane(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 40)) + 0.9 * CLASSES.codes


def terms(n):
    store = Expressions(["a", "b"])
    return [store.expression(store.leaf(k)) for k in range(n)]


def test_a_cut_is_halfway_and_counts_in_standard_deviations():
    boundary = fit_boundary("auto", np.array([np.arange(40.0)]), Classes.of(np.arange(40) >= 24))
    assert boundary.rule.cuts == (23.5,)
    margins = boundary.margins(np.array([[23.5, 23.5 + np.std(np.arange(40))]]))
    np.testing.assert_allclose(margins, [[0, 0], [-1, 1]])
    assert boundary.text(terms(1), [False, True]) == "True if a > 23.5, else False"
    assert boundary.formula(terms(1))[0] == "a"


@pytest.mark.parametrize("kind", ["auto", "logistic", "svm"])
def test_a_line_is_written_as_it_is_computed(kind):
    values = plane()
    boundary = fit_boundary(kind, values, CLASSES)
    text = boundary.text(terms(2), CLASSES.labels)
    formula = text.removeprefix("yes if ").removesuffix(" > 0, else no")
    held = parse_expression(formula, ["a", "b"]).evaluate(values.T) > 0
    np.testing.assert_array_equal(held, boundary.margins(values).argmax(axis=1) == 1)


def test_a_support_vector_machine_is_that_of_scikit_learn():
    values = plane() * [[1.0], [100.0]]
    rows = ((values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)).T
    reference = LinearSVC(dual=False, tol=1e-8).fit(rows, CLASSES.codes).decision_function(rows)
    margins = fit_boundary("svm", values, CLASSES).margins(values)
    np.testing.assert_allclose(margins[:, 1] - margins[:, 0], reference, atol=1e-9)


def test_no_term_leaves_the_class_frequencies():
    classes = Classes.of([0] * 30 + [1] * 10)
    boundary = fit_boundary("auto", np.empty((0, 40)), classes)
    np.testing.assert_allclose(probabilities(boundary.margins(np.empty((0, 2))), 1.0), [[0.75, 0.25]] * 2)
    assert boundary.text([], [0, 1]) == "always 0"
    three = Classes.of([0] * 10 + [1] * 20 + [2] * 10)
    boundary = fit_boundary("auto", np.empty((0, 40)), three)
    np.testing.assert_allclose(probabilities(boundary.margins(np.empty((0, 1))), 1.0), [[0.25, 0.5, 0.25]])
    assert boundary.text([], ["a", "b", "c"]) == "always b"


def test_three_classes_are_written_side_by_side():
    rng = np.random.default_rng(1)
    classes = Classes.of(np.arange(60) % 3)
    values = rng.normal(size=(2, 60)) + np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 2.0]])[:, classes.codes]
    boundary = fit_boundary("auto", values, classes)
    text, latex = boundary.formula(terms(2))
    assert text.count(";") == latex.count("quad") == 2
    assert boundary.text(terms(2), ["x", "y", "z"]).startswith("the largest of x: ")
    assert boundary.margins(values).shape == (60, 3)


def test_a_class_without_a_piece_is_least_likely():
    classes = Classes.of([0, 0, 1, 2, 2, 0, 2])
    boundary = fit_boundary("cut", np.array([[1.0, 1.1, 1.1, 3.0, 3.1, 1.2, 3.2]]), classes)
    assert boundary.rule.pieces == (0, 2)
    margins = boundary.margins(np.array([[1.0, 3.0]]))
    assert margins.argmax(axis=1).tolist() == [0, 2]
    assert margins.argmin(axis=1).tolist() == [1, 1]
    assert np.isfinite(margins).all()


# -- probabilities ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("slope", [0.2, 1.0, 5.0])
def test_calibration_finds_the_slope_that_made_the_labels(slope):
    rng = np.random.default_rng(4)
    odds = rng.normal(size=20_000) * 2 / slope
    classes = Classes.of(rng.random(odds.size) < expit(slope * odds))
    found = calibration_slope(np.column_stack([-odds / 2, odds / 2]), classes)
    assert found == pytest.approx(slope, rel=0.05)
    result = Calibration.of(np.column_stack([-odds / 2, odds / 2]), classes, 5)
    chance = expit(slope * odds)
    entropy = -np.mean(chance * np.log(chance) + (1 - chance) * np.log(1 - chance))
    assert result.log_loss == pytest.approx(entropy, abs=0.01)
    assert result.accuracy == pytest.approx(np.mean((odds > 0) == (classes.codes == 1)))
    assert result.to_frame().loc[0, "n_folds"] == 5


def test_the_likeliest_class_has_the_largest_margin_whatever_the_labels():
    rng = np.random.default_rng(0)
    margins = rng.normal(size=(50, 3))
    slope = calibration_slope(margins, Classes.of(rng.integers(0, 3, 50)))
    assert slope > 0
    chance = probabilities(margins, slope)
    np.testing.assert_array_equal(chance.argmax(axis=1), margins.argmax(axis=1))
    np.testing.assert_allclose(chance.sum(axis=1), 1)


def test_separated_margins_do_not_become_certainty():
    margins = np.column_stack([np.linspace(1, -1, 20), np.linspace(-1, 1, 20)])
    classes = Classes.of(margins[:, 1] > 0)
    slope = calibration_slope(margins, classes)
    assert 0 < slope < 100
    margins[3] = np.nan
    assert np.isfinite(calibration_slope(margins, classes))
    assert calibration_slope(np.full((20, 2), np.nan), classes) == 1.0
    assert np.isnan(Calibration.of(np.full((20, 2), np.nan), classes, 2).accuracy)
