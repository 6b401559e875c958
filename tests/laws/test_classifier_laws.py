"""Laws of classification: screening is brute force, order, units and names of classes do not matter."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic.classification.domain_overlap import DomainOverlap
from sozai.symbolic.classification.logistic import LogisticScore
from sozai.symbolic.classification.thresholds import AreaScore, ThresholdScore
from sozai.symbolic.classifier import SymbolicClassifier
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import grow
from sozai.symbolic.search.screening import screen

SCORES = {
    "threshold": ThresholdScore,
    "interval": lambda y: ThresholdScore(y, interval=True),
    "area": AreaScore,
    "overlap": DomainOverlap,
    "logistic": LogisticScore,
}


def table(seed, m=60):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(1, 3, (m, 3)), columns=["a", "b", "c"])
    y = np.where(X["a"] / X["b"] + 0.15 * rng.normal(size=m) < 0.95, "low", "high")
    return X, y


def everything(X):
    """Columns, sums, products and ratios, by hand."""
    rows = [*X.T]
    for one, other in itertools.combinations(X.T, 2):
        rows += [one + other, one * other, one / other, other / one]
    return np.array(rows)


@pytest.mark.parametrize(
    ("name", "n_classes"), [(name, n) for name in SCORES for n in (2, 3) if (name, n) != ("interval", 3)]
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_screening_gives_the_scores_of_brute_force(name, n_classes, n_jobs):
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, (50, 5))
    y = np.digitize(X[:, 0] / X[:, 3] + 0.1 * rng.normal(size=50), [0.9, 1.2][: n_classes - 1])
    score = SCORES[name](y)
    space = CandidateSpace.of(grow(X, rung=0), (), ["sum", "product", "ratio"])
    found = screen(space, score, n_keep=12, n_jobs=n_jobs)
    expected = np.sort(score.evaluate(everything(X)))[::-1][:12]
    np.testing.assert_allclose(found.scores, expected, atol=1e-9)
    np.testing.assert_array_equal(score.evaluate(found.values), found.scores)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_of_rows_and_columns_does_not_matter(seed):
    X, y = table(seed)
    rows = np.random.default_rng(seed).permutation(len(X))
    plain = SymbolicClassifier(None, ["ratio"], calibration=None).fit(X, y)
    shuffled = SymbolicClassifier(None, ["ratio"], calibration=None).fit(
        X.iloc[rows][["c", "a", "b"]], y[rows]
    )
    assert shuffled.model_.criterion == pytest.approx(plain.model_.criterion, abs=1e-6)
    np.testing.assert_array_equal(shuffled.predict(X), plain.predict(X))


@settings(max_examples=8, deadline=None)
@given(scales=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3), seed=st.integers(0, 1000))
def test_other_units_give_the_same_classes(scales, seed):
    X, y = table(seed)
    plain = SymbolicClassifier(None, ["product", "ratio"], calibration=None).fit(X, y)
    rescaled = SymbolicClassifier(None, ["product", "ratio"], calibration=None).fit(X * scales, y)
    assert rescaled.model_.terms == plain.model_.terms
    assert rescaled.model_.criterion == pytest.approx(plain.model_.criterion, abs=1e-5)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_names_of_classes_do_not_matter(seed):
    X, y = table(seed)
    other = np.where(y == "low", 7, -3)
    plain = SymbolicClassifier(None, ["ratio"], calibration="boundary").fit(X, y)
    renamed = SymbolicClassifier(None, ["ratio"], calibration="boundary").fit(X, -other)
    assert renamed.model_.terms == plain.model_.terms
    np.testing.assert_array_equal(renamed.predict(X) == -7, plain.predict(X) == "low")
    swapped = plain.predict_proba(X)[:, list(plain.classes_).index("low")]
    np.testing.assert_allclose(renamed.predict_proba(X)[:, 0], swapped, rtol=1e-6, atol=1e-9)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_likeliest_class_is_the_predicted_one(seed):
    X, y = table(seed)
    for max_terms in (1, 2):
        law = SymbolicClassifier(
            None, ["ratio"], max_terms=max_terms, criterion="score", calibration=None
        ).fit(X, y)
        chance = law.predict_proba(X)
        np.testing.assert_array_equal(law.classes_[chance.argmax(axis=1)], law.predict(X))
        np.testing.assert_array_equal(law.decision_function(X) > 0, law.predict(X) == law.classes_[1])
        np.testing.assert_allclose(chance.sum(axis=1), 1)
