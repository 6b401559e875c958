"""Which ABX3 is a perovskite: printed accuracies of the tolerance factors, and what a search finds.

C. J. Bartel et al., Sci. Adv. 5, eaav0693 (2019), table S1: 576 compounds, 313 of them perovskites.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import ExtrapolationWarning
from sozai.datasets import fetch_perovskites
from sozai.symbolic.classification.cut_rule import best_rule
from sozai.symbolic.classification.domain_overlap import DomainOverlap
from sozai.symbolic.classification.thresholds import ThresholdScore
from sozai.symbolic.classifier import SymbolicClassifier, nested_accuracy
from sozai.symbolic.operations import parse_expression

GOLDSCHMIDT = "(r_A + r_X)/(r_B + r_X)"  # times sqrt(2)
TAU = "r_X/r_B - n_A*(n_A - (r_A/r_B)/log(r_A/r_B))"
NAMES = ["n_A", "r_A", "r_B", "r_X"]


@pytest.fixture(scope="module")
def table(data_folder):
    return fetch_perovskites().frame


@pytest.fixture(scope="module")
def perovskite(table):
    return (table["label"] > 0).to_numpy()


@pytest.fixture(scope="module")
def tau(table):
    return parse_expression(TAU, NAMES).evaluate(table[NAMES])


@pytest.fixture(scope="module")
def goldschmidt(table):
    return parse_expression(GOLDSCHMIDT, NAMES).evaluate(table[NAMES]) / np.sqrt(2)


def test_the_set_is_the_published_one(table, perovskite):
    assert (len(table), perovskite.sum()) == (576, 313)


def test_accuracy_of_the_tolerance_factor_of_goldschmidt(goldschmidt, perovskite):
    inside = (goldschmidt > 0.825) & (goldschmidt < 1.059)
    assert np.mean(inside == perovskite) == pytest.approx(0.7378, abs=5e-5)
    score = ThresholdScore(perovskite, interval=True)
    assert score.parts(score.evaluate([goldschmidt]))[0][0] == pytest.approx(430 / 576)


def test_accuracy_of_tau_recomputed_and_rounded(table, tau, perovskite):
    assert np.mean((tau < 4.18) == perovskite) == pytest.approx(0.9167, abs=5e-5)
    assert np.mean((table["tau"] < 4.18) == perovskite) == pytest.approx(0.9149, abs=5e-5)  # two decimals


def test_the_best_cut_of_tau_is_the_printed_one(tau, perovskite):
    rule = best_rule(tau, perovskite, interval=True)
    assert rule.text("tau", ["other", "perovskite"]) == "perovskite if tau < 4.18, else other"
    assert rule.n_correct == 528
    law = SymbolicClassifier(max_terms=1, calibration="boundary").fit(pd.DataFrame({"tau": tau}), perovskite)
    assert law.rule_ == "True if tau < 4.18, else False"


def test_the_published_probability_is_calibrated_like_ours(table, tau, perovskite):
    law = SymbolicClassifier(max_terms=1).fit(pd.DataFrame({"tau": tau}), perovskite)
    ours = law.predict_proba(pd.DataFrame({"tau": tau}))[:, 1]
    # theirs is Platt's sigmoid of tau with a constant of its own
    assert np.corrcoef(ours, table["tau_probability"])[0, 1] > 0.98
    assert np.mean((ours > 0.5) == perovskite) == pytest.approx(0.9167, abs=5e-5)


def test_overlap_of_the_classes_along_the_factors(goldschmidt, tau, perovskite):
    score = DomainOverlap(perovskite)
    count, _ = score.parts(score.evaluate([goldschmidt, tau]))
    for feature, found in zip((goldschmidt, tau), count, strict=True):
        low = max(feature[perovskite].min(), feature[~perovskite].min())
        high = min(feature[perovskite].max(), feature[~perovskite].max())
        assert found == np.sum((low <= feature) & (feature <= high))
    assert count[1] < count[0]


@pytest.mark.slow
def test_tau_is_found_again_from_its_building_blocks(table, perovskite):
    """From r_X/r_B, n_A and (r_A/r_B)/ln(r_A/r_B), tau is the best of 4,024 formulas, in every fold too."""
    ratio = table["r_A"] / table["r_B"]
    X = pd.DataFrame({"u": table["r_X"] / table["r_B"], "n": table["n_A"], "L": ratio / np.log(ratio)})
    law = SymbolicClassifier(None, ["difference", "product"], max_rung=3, max_terms=1, calibration=None)
    law.fit(X, perovskite)
    assert law.n_candidates_ == 4024
    assert law.rule_ == "True if u - n*(n - L) < 4.18, else False"
    assert law.screens_[0].names[0] == law.formula_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        score = nested_accuracy(law, X, perovskite)
    assert score.accuracy == pytest.approx(528 / 576)
    assert all("if u - n*(n - L) < 4.1" in rule for rule in score.rules)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:future versions will not create a writeable array:FutureWarning")
def test_a_search_of_two_rungs_lies_between_the_two_factors(table, perovskite):
    """4 columns, 1,948 formulas: the best single one beats Goldschmidt's, which is no candidate."""
    X = table[NAMES].rename(columns={name: f"{name} [Å]" for name in NAMES[1:]})
    law = SymbolicClassifier(
        ["square", "log"],
        ["sum", "difference", "product", "ratio"],
        max_rung=2,
        max_terms=1,
        calibration=None,
        dimensions={"n_A": ""},
    )
    law.fit(X, perovskite)
    assert law.n_candidates_ == 1948
    assert 0.80 < law.model_.n_correct / 576 < 0.9167
    score = nested_accuracy(law, X, perovskite, cv=5)
    assert 0.75 < score.accuracy < 0.9167
    two = law.set_params(max_terms=2).fit(X, perovskite)
    assert two.model_.n_terms == 2  # a second term pays here
    assert two.model_.criterion < law.models_[-1].criterion
