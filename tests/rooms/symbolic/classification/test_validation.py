"""Nested accuracy: every row classed by a fit that did not see it, with errors checked by hand."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

from sozai.contracts.errors import InputError
from sozai.symbolic.classification.classes import Classes
from sozai.symbolic.classification.validation import fold_labels, nested_accuracy


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)), columns=["a", "b"])
    return X, np.where(X["a"] + rng.normal(size=90) > 0.5, "yes", "no")


def test_scores_are_those_of_the_left_out_predictions(table):
    X, y = table
    score = nested_accuracy(GaussianNB(), X, y, cv=6)
    splits = [(np.setdiff1d(np.arange(90), test), test) for test in score.folds]
    chance = cross_val_predict(GaussianNB(), X, y, cv=splits, method="predict_proba")
    labels = np.array(["no", "yes"])[chance.argmax(axis=1)]
    np.testing.assert_allclose(score.probabilities, chance)
    np.testing.assert_array_equal(score.predictions, labels)
    assert score.accuracy == pytest.approx(accuracy_score(y, labels))
    assert score.balanced_accuracy == pytest.approx(balanced_accuracy_score(y, labels))
    assert score.log_loss == pytest.approx(log_loss(y, chance))
    share = score.accuracy
    assert score.accuracy_standard_error == pytest.approx(np.sqrt(share * (1 - share) / 90))
    per_class = [np.mean(labels[y == name] == name) for name in ("no", "yes")]
    sizes = [np.sum(y == name) for name in ("no", "yes")]
    spread = np.sqrt(sum(p * (1 - p) / n for p, n in zip(per_class, sizes, strict=True))) / 2
    assert score.balanced_accuracy_standard_error == pytest.approx(spread)
    assert len(score.to_frame()) == 6
    assert repr(score).startswith(f"NestedAccuracy({share:.4f} ± ")


def test_the_error_over_groups_is_that_of_their_totals(table):
    X, y = table
    groups = np.arange(90) // 9
    score = nested_accuracy(GaussianNB(), X, y, groups=groups)
    assert len(score.folds) == 10
    right = (score.predictions == y).astype(float)
    totals = np.bincount(groups, right - right.mean())
    assert score.accuracy_standard_error == pytest.approx(np.sqrt(np.sum(totals**2) * 10 / 9) / 90)


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_any_number_of_workers_gives_the_same_scores(table, n_jobs):
    one = nested_accuracy(GaussianNB(), *table, cv=3)
    with joblib.parallel_config(backend="threading"):
        many = nested_accuracy(GaussianNB(), *table, cv=3, n_jobs=n_jobs)
    np.testing.assert_array_equal(one.probabilities, many.probabilities)


class Undefined(ClassifierMixin, BaseEstimator):
    """Knows nothing about rows whose first column is negative."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.rule_ = "a rule"
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X):
        return np.where(np.asarray(X)[:, :1] < 0, np.nan, [[0.9, 0.1]])


def test_rows_without_a_probability_count_with_the_frequencies(table):
    X, y = table
    score = nested_accuracy(Undefined(), X, y, cv=2)
    assert score.n_undefined == np.sum(X["a"] < 0)
    assert score.rules == ("a rule", "a rule")
    train, test = score.folds[1], score.folds[0]
    row = test[np.flatnonzero(X["a"].to_numpy()[test] < 0)[0]]
    assert score.probabilities[row, 1] == pytest.approx(np.mean(y[train] == "yes"))
    assert score.to_frame().columns.tolist() == ["n_test", "rule"]


def test_a_classifier_without_probabilities_has_no_log_loss(table):
    class Bare(Undefined):
        predict_proba = None

        def __getattribute__(self, name):
            if name == "predict_proba":
                raise AttributeError(name)
            return super().__getattribute__(name)

    score = nested_accuracy(Bare(), *table, cv=3)
    assert np.isnan(score.log_loss)
    assert score.accuracy == pytest.approx(np.mean(table[1] == "no"))


def test_folds_share_every_class_evenly_and_keep_groups_together():
    classes = Classes.of([0] * 21 + [1] * 9)
    for seed in (None, 0, np.random.default_rng(1)):
        label = fold_labels(classes, 3, random_state=seed)
        assert [np.bincount(label[classes.codes == c]).tolist() for c in (0, 1)] == [[7, 7, 7], [3, 3, 3]]
    groups = np.repeat(np.arange(10), 3)
    label = fold_labels(classes, 3, groups, 0)
    assert all(len(set(label[groups == g])) == 1 for g in range(10))
    assert sorted(np.bincount(label)) == [9, 9, 12]


def test_splitters_and_leave_one_out(table):
    X, y = table
    groups = np.arange(90) % 5
    assert len(nested_accuracy(DummyClassifier(), X, y, cv=GroupKFold(5), groups=groups).folds) == 5
    assert len(nested_accuracy(DummyClassifier(), X[:20], y[:20], cv="loo").folds) == 20
    half = nested_accuracy(DummyClassifier(), X, y, cv=[(np.arange(45), np.arange(45, 90))])
    assert half.seen.sum() == 45


def test_what_is_refused(table):
    X, y = table
    with pytest.raises(InputError, match=r"cv must lie between 2 and 90 samples. Got 1"):
        nested_accuracy(GaussianNB(), X, y, cv=1)
    with pytest.raises(InputError, match=r"'loo', a number or a splitter. Got 'all'"):
        nested_accuracy(GaussianNB(), X, y, cv="all")
    with pytest.raises(InputError, match=r"X must have one row per label of y \(80\). Got 90"):
        nested_accuracy(GaussianNB(), X, y[:80])
    with pytest.raises(InputError, match=r"groups must have one row per label of y \(90\). Got 3"):
        nested_accuracy(GaussianNB(), X, y, groups=[1, 2, 3])
    with pytest.raises(InputError, match=r"keep groups together. Got '0' on both sides"):
        nested_accuracy(GaussianNB(), X, y, cv=[(np.arange(45), np.arange(45, 90))], groups=np.zeros(90, int))
    rare = y.astype(object)
    rare[0] = "once"
    with pytest.raises(InputError, match=r"every class to train on. Got 'once' in no training row"):
        nested_accuracy(GaussianNB(), X, rare, cv=5)


def test_the_interval_is_that_of_wilson():
    """Printed in many textbooks: 45 of 50 gives 0.786 to 0.957; 10 of 10 gives 0.722 to 1."""
    for n_right, n, low, high in ((45, 50, 0.786, 0.957), (10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278)):
        y = np.arange(n) % 2
        score = nested_accuracy(Told(np.where(np.arange(n) < n_right, y, 1 - y)), np.arange(n)[:, None], y, 5)
        assert score.accuracy == pytest.approx(n_right / n)
        np.testing.assert_allclose(score.interval(), (low, high), atol=5e-4)
    assert score.interval(0.5)[1] < score.interval(0.99)[1]
    with pytest.raises(InputError, match=r"level must lie between 0 and 1. Got 95"):
        score.interval(95)


def test_rows_of_one_group_count_as_few():
    """Groups that are right or wrong as a whole are as many samples as there are groups."""
    n, groups = 60, np.repeat(np.arange(10), 6)
    y = np.arange(n) % 2
    rows = np.arange(n)[:, None]
    whole = Told(np.where(groups < 7, y, 1 - y))
    alone = nested_accuracy(whole, rows, y, 10)
    together = nested_accuracy(whole, rows, y, groups=groups)
    assert (alone.n_independent, together.n_independent) == (60, 10)
    narrow, wide = np.diff(alone.interval())[0], np.diff(together.interval())[0]
    assert wide == pytest.approx(narrow * np.sqrt(6), rel=0.12)
    assert together.confusion().to_numpy().tolist() == [[21, 9], [9, 21]]
    assert together.confusion().index.tolist() == [0, 1]


class Told(ClassifierMixin, BaseEstimator):
    """Says of row k what it was told."""

    def __init__(self, answers=None):
        self.answers = answers

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.asarray(self.answers)[np.asarray(X)[:, 0]]
