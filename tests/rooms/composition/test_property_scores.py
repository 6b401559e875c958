import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from sozai.composition.property_scores import calibration_error, class_scores, fold_scores


def test_both_kinds_of_r2():
    y = np.array([1.0, 2.0, 3.0, 4.0])
    shifted = fold_scores(y, y + 1.0, [slice(None)]).iloc[0]
    assert shifted["R2"] == pytest.approx(1 - 4 / 5)
    assert shifted["squared_correlation"] == pytest.approx(1.0)
    folds = fold_scores(y, np.array([1.0, 3.0, 3.0, 2.0]), [np.array([0, 1]), np.array([2, 3])])
    assert folds["MAE"].tolist() == [0.5, 1.0]
    assert folds["RMSE"].tolist() == pytest.approx([0.5**0.5, 2**0.5])


def test_a_constant_has_no_correlation():
    assert np.isnan(fold_scores(np.ones(3), np.ones(3), [slice(None)])["R2"][0])


def test_class_scores_are_scikit_learns():
    rng = np.random.default_rng(0)
    truth, found = rng.choice(["a", "b", "c"], 200), rng.choice(["a", "b", "c"], 200)
    scores = class_scores(truth, found, ["a", "b", "c"])
    for column, function in (("recall", recall_score), ("precision", precision_score), ("f1", f1_score)):
        assert scores[column].to_numpy() == pytest.approx(function(truth, found, average=None))


def test_a_class_never_found_scores_zero():
    scores = class_scores(np.array(["a", "b"]), np.array(["a", "a"]), ["a", "b"])
    assert scores.loc[1, ["recall", "precision", "f1"]].tolist() == [0.0, 0.0, 0.0]


def test_true_probabilities_are_calibrated_and_overconfident_ones_are_not():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=20_000)
    truth = (rng.uniform(size=20_000) < p).astype(int)
    both = np.column_stack([1 - p, p])
    assert calibration_error(truth, both, [0, 1]) < 0.015
    sharp = np.column_stack([p < 0.5, p >= 0.5]).astype(float)
    assert calibration_error(truth, sharp, [0, 1]) == pytest.approx(0.25, abs=0.02)
