"""Logistic models of a few terms: the maximum against a general optimizer, separation, one more term."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from sozai.contracts.errors import InputError
from sozai.symbolic.classification.logistic import LogisticScore, fit_logistic, score_subsets
from sozai.symbolic.classification.logistic_gain import LogisticGain


def table(n_terms, n_classes, m=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, m - n_classes)]
    values = rng.normal(size=(n_terms, m)) * np.array([1.0, 50.0, 0.01])[:n_terms, None] + 3
    values[0] += 0.7 * y
    return values, y


def best_likelihood(values, y, n_classes, penalty=0.01):
    """Largest penalized log-likelihood by a quasi-Newton method."""
    rows = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    shape = (n_classes, len(rows) + 1)

    def loss(flat):
        weights = flat.reshape(shape)
        odds = weights[:, :1] + weights[:, 1:] @ rows
        likelihood = odds[y, np.arange(y.size)].sum() - logsumexp(odds, axis=0).sum()
        return -likelihood + 0.5 * penalty * np.sum(weights[:, 1:] ** 2)

    return -minimize(loss, np.zeros(shape[0] * shape[1]), method="BFGS", options={"gtol": 1e-7}).fun


@pytest.mark.parametrize("n_terms", [1, 2, 3])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_the_maximum_is_that_of_a_general_optimizer(n_terms, n_classes):
    values, y = table(n_terms, n_classes)
    model = fit_logistic(values, y)
    assert model.penalized == pytest.approx(best_likelihood(values, y, n_classes), abs=1e-6)
    odds = np.column_stack([np.zeros(y.size), model.log_odds(values)])
    likelihood = odds[np.arange(y.size), y].sum() - logsumexp(odds, axis=1).sum()
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-8)
    sizes = np.bincount(y)
    assert model.null == pytest.approx(np.sum(sizes * np.log(sizes / y.size)))
    assert model.n_parameters == (n_classes - 1) * (n_terms + 1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_of_features_and_of_sets(n_classes):
    values, y = table(3, n_classes)
    scores = LogisticScore(y).evaluate(values)
    null = fit_logistic(values[:1], y).null
    for row, score in zip(values, scores, strict=True):
        assert score == pytest.approx(1 - best_likelihood(row[None], y, n_classes) / null, abs=1e-7)
    subsets, of_sets = score_subsets(values, y, 2)
    assert [tuple(row) for row in subsets] == list(itertools.combinations(range(3), 2))
    for rows, score in zip(subsets, of_sets, strict=True):
        assert score == pytest.approx(1 - best_likelihood(values[rows], y, n_classes) / null, abs=1e-7)


def test_the_score_is_the_same_in_other_units_and_for_other_names_of_classes():
    values, y = table(2, 3)
    scores = LogisticScore(y).evaluate(values)
    np.testing.assert_allclose(LogisticScore(y).evaluate(7e-200 - 1e-200 * values), scores, atol=1e-9)
    np.testing.assert_allclose(LogisticScore(y).evaluate(-3e150 * values + 1e149), scores, atol=1e-9)
    np.testing.assert_allclose(LogisticScore((y + 1) % 3).evaluate(values), scores, atol=1e-9)


def test_separated_classes_have_a_finite_score_that_grows_with_the_gap():
    y = np.repeat([0, 1], 10)
    features = [np.r_[np.linspace(0, 1, 10), np.linspace(0, 1, 10) + shift] for shift in (1.1, 2.0, 4.0)]
    scores = LogisticScore(y).evaluate(features)
    assert np.all(np.diff(scores) > 0)
    assert 0.9 < scores[0] < scores[2] < 1
    assert np.isfinite(fit_logistic(features[:1], y).coefficients).all()


def test_a_constant_feature_explains_nothing_and_infinity_has_no_score():
    scores = LogisticScore([0, 1, 1]).evaluate([[2.0, 2.0, 2.0], [1.0, np.inf, 2.0], [1.0, 2.0, 3.0]])
    assert scores[0] == pytest.approx(0, abs=1e-9)
    assert np.isneginf(scores[1])
    assert scores[2] > 0.5


def test_chunks_and_workers_give_the_same_bits():
    rng = np.random.default_rng(0)
    values, y = rng.normal(size=(120, 30)), rng.integers(0, 2, 30)
    whole = LogisticScore(y).evaluate(values)
    np.testing.assert_array_equal(whole, np.concatenate([LogisticScore(y).evaluate(row) for row in values]))
    one, many = score_subsets(values, y, 2, n_jobs=1)[1], score_subsets(values, y, 2, n_jobs=4)[1]
    np.testing.assert_array_equal(one, many)
    gain = LogisticGain(y, [values[:1], values[3:5]])
    np.testing.assert_array_equal(
        gain.evaluate(values), np.concatenate([gain.evaluate(row) for row in values])
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_gain_orders_partners_as_the_fit_does(n_classes):
    rng = np.random.default_rng(2)
    values = rng.normal(size=(12, 400))
    y = np.digitize(0.6 * values[0] + 0.5 * values[5] + 0.2 * values[8] + rng.normal(size=400), [-0.4, 0.6])
    y = np.minimum(y, n_classes - 1)
    gained = LogisticGain(y, [values[:1]]).evaluate(values[1:])
    null = fit_logistic(values[:1], y).null
    fitted = [1 - fit_logistic(values[[0, j]], y).penalized / null for j in range(1, 12)]
    assert np.argmax(gained) == np.argmax(fitted) == 4
    base = 1 - fit_logistic(values[:1], y).penalized / null
    assert gained.max() - base == pytest.approx(max(fitted) - base, rel=0.15)


def test_a_term_that_is_there_already_adds_nothing():
    values, y = table(2, 2)
    score = LogisticGain(y, [values])
    base = 1 - fit_logistic(values, y).penalized / fit_logistic(values, y).null
    np.testing.assert_allclose(score.evaluate([values[0], 2 - 3 * values[1]]), base, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.0, -1.0, np.nan])
def test_a_penalty_must_be_positive(penalty):
    with pytest.raises(InputError, match=rf"penalty must be positive. Got {penalty}"):
        fit_logistic([[1.0, 2.0]], [0, 1], penalty=penalty)
