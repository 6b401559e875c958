"""The large search behind the one estimator: same manners, millions of rivals."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic import (
    ScreenThenL0,
    SymbolicRegressor,
    nested_score,
    parse_expression,
    selection_frequency,
)

NAMES = ["a", "b", "c", "d"]


def table(seed, n_samples=60, names=NAMES):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.uniform(1, 3, (n_samples, len(names))), columns=names)


def truth(text, X):
    return parse_expression(text, list(X.columns)).evaluate(X)


@pytest.mark.parametrize("text", ["a/(b + c)", "3*(a - b)**2", "2*a*b/c + 1"])
def test_a_nested_law_comes_back_and_predicts_new_rows(text):
    X = table(0)
    law = SymbolicRegressor(max_rung=2).fit(X, truth(text, X))
    new = table(1).clip(1.5, 2.5)
    np.testing.assert_allclose(law.predict(new), truth(text, new), rtol=1e-8, atol=1e-9)
    assert law.n_candidates_ > 300
    assert law.order_ == 2
    assert len(law.screens_) >= 1


def test_a_shape_of_three_rungs_is_reachable():
    X = table(2)
    law = SymbolicRegressor(pair_operations=["sum", "ratio"], max_rung=3).fit(X, truth("a/(b + (c + d))", X))
    assert law.model_.n_terms == 1
    assert law.model_.terms == ("a/(b + c + d)",)


def test_threads_change_nothing():
    X = table(3)
    y = truth("a*b/c + d", X) + 0.05 * np.random.default_rng(0).normal(size=len(X))
    laws = [SymbolicRegressor(max_rung=2, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 4)]
    for law in laws[1:]:
        assert law.formula_ == laws[0].formula_
        assert [model.terms for model in law.models_] == [model.terms for model in laws[0].models_]
        assert law.model_.rmse == laws[0].model_.rmse


def test_units_forbid_most_of_the_space():
    X = table(4)
    y = truth("a*b", X)
    free = SymbolicRegressor(max_rung=2).fit(X, y)
    X.columns = ["a [m]", "b [kg]", "c [s]", "d [K]"]
    law = SymbolicRegressor(max_rung=2).fit(X, y)
    assert law.n_candidates_ < free.n_candidates_
    assert law.formula_ == "a*b"


def test_only_the_dimension_of_the_target_when_asked():
    X = table(5)
    y = pd.Series(truth("a/b", X), name="v [m/s]")
    X.columns = ["a [m]", "b [s]", "c [m]", "d [s]"]
    law = SymbolicRegressor(max_rung=2, target_dimension="match").fit(X, y)
    assert law.formula_ == "a/b"
    store, ids = law.generated_.expressions, law.generated_.ids[1:]
    assert {store.dimension_of(int(node)) for node in ids} == {(("length", 1), ("time", -1))}


def test_a_declared_interval_forbids_singular_formulas():
    X = table(6)
    y = truth("a/b", X)
    law = SymbolicRegressor(max_rung=2, domain={"b": (-1.0, 4.0)}).fit(X, y)
    assert not any("/b" in term for model in law.models_ for term in model.terms)


def test_noise_is_not_explained_by_a_million_formulas():
    rng = np.random.default_rng(7)
    kept = []
    for seed in range(10):
        law = SymbolicRegressor(max_rung=2).fit(table(seed, 40), rng.normal(size=40))
        kept.append(law.model_.n_terms)
    assert np.mean(np.array(kept) == 0) >= 0.9


def test_the_whole_search_is_repeated_in_every_fold():
    X = table(8, 40)
    y = truth("a*b/c", X) + 0.02 * np.random.default_rng(1).normal(size=len(X))
    score = nested_score(SymbolicRegressor(max_rung=2), X, y, cv=4)
    assert score.q2 > 0.99
    assert len(score.formulas) == 4
    frequency = selection_frequency(SymbolicRegressor(max_rung=2), X, y, n_repeats=3)
    assert frequency.n_repeats == 3


def test_a_law_is_kept_on_disk_with_its_search(tmp_path):
    X = table(9)
    law = SymbolicRegressor(max_rung=2).fit(X, truth("a/(b + c)", X))
    law.save(tmp_path / "law.zip")
    again = SymbolicRegressor.load(tmp_path / "law.zip")
    np.testing.assert_array_equal(again.predict(X), law.predict(X))
    assert again.formula_ == law.formula_


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_order", 3), ("symmetry", "a<->b"), ("candidates", "all")],
)
def test_options_of_the_small_search_are_refused(option, value):
    X = table(10)
    with pytest.raises(InputError, match=f"{option} must be left out when max_rung"):
        SymbolicRegressor(max_rung=2, **{option: value}).fit(X, X["a"])


def test_positive_coefficients_only():
    X = table(11)
    y = truth("2*a - 3*b", X)
    law = SymbolicRegressor(max_rung=1, search=ScreenThenL0(max_terms=2, coefficient_sign=1)).fit(X, y)
    assert all((model.coefficients > 0).all() for model in law.models_)


def test_rewriting_goes_through_the_survivors():
    X = table(12)
    law = SymbolicRegressor(max_rung=2).fit(X, truth("a*b", X) * 2)
    assert law.rewrite(n_results=3) is not None
    assert law.relations_.rank == law.rank_
