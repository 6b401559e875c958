"""What every estimator of formulas promises, whatever it does."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sozai.composition import (
    CompositionClassifier,
    CompositionRegressor,
    CompositionVectorizer,
    KernelMeanDescriptor,
    SummaryStatistics,
)
from sozai.contracts.errors import InputError

FORMULAS = [
    "LiF",
    "NaF",
    "KF",
    "LiCl",
    "NaCl",
    "KCl",
    "LiBr",
    "NaBr",
    "KBr",
    "RbCl",
    "MgO",
    "CaO",
    "SrO",
    "BaO",
]
FORMULAS += ["Al2O3", "Fe2O3", "TiO2", "ZnO", "NiO", "CoO"]
LABELS = ["salt"] * 10 + ["oxide"] * 10
NUMBERS = np.linspace(1, 3, 20) ** 2

TRANSFORMERS = [
    CompositionVectorizer(),
    SummaryStatistics(),
    KernelMeanDescriptor(),
    KernelMeanDescriptor(mode="md"),
]
PREDICTORS = [
    (CompositionRegressor(random_state=3), NUMBERS),
    (CompositionClassifier(random_state=3), LABELS),
]
EVERY = [(transformer, None) for transformer in TRANSFORMERS] + PREDICTORS
NAMES = [type(estimator).__name__ + getattr(estimator, "mode", "") for estimator, _ in EVERY]


def output(estimator, X):
    answer = estimator.transform(X) if hasattr(estimator, "transform") else estimator.predict(X)
    return answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)


@pytest.mark.parametrize(("estimator", "y"), EVERY, ids=NAMES)
def test_parameters_survive_a_clone(estimator, y):
    twin = clone(estimator)
    assert repr(twin) == repr(estimator)
    assert twin.get_params() is not estimator.get_params()
    assert twin.set_params(**estimator.get_params()) is twin


@pytest.mark.parametrize(("estimator", "y"), EVERY, ids=NAMES)
def test_nothing_is_said_before_fit(estimator, y):
    with pytest.raises(NotFittedError):
        output(clone(estimator), FORMULAS)


@pytest.mark.parametrize(("estimator", "y"), EVERY, ids=NAMES)
def test_input_parameters_and_bits_stay(estimator, y):
    X, kept = list(FORMULAS), copy.deepcopy(FORMULAS)
    first = clone(estimator)
    before = copy.deepcopy(first.get_params())
    assert first.fit(X, y) is first
    assert kept == X
    assert repr(before) == repr(first.get_params())
    again = clone(estimator).fit(pd.Series(FORMULAS, index=range(100, 120)), y)
    assert (output(first, X) == output(again, X)).all()
    assert (output(pickle.loads(pickle.dumps(first)), X) == output(first, X)).all()


@pytest.mark.parametrize(("estimator", "y"), EVERY, ids=NAMES)
def test_rows_do_not_know_of_each_other(estimator, y):
    fitted = clone(estimator).fit(FORMULAS, y)
    whole = output(fitted, FORMULAS)
    parts = np.concatenate([output(fitted, FORMULAS[:7]), output(fitted, FORMULAS[7:])])
    if whole.dtype.kind in "OU":
        assert (parts == whole).all()
    else:
        assert parts == pytest.approx(whole, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("estimator", "y"), EVERY, ids=NAMES)
def test_a_formula_that_cannot_be_read_is_named(estimator, y):
    fitted = clone(estimator).fit(FORMULAS, y)
    with pytest.raises(InputError, match="row 1"):
        output(fitted, ["NaCl", "Xx2O3"])
    with pytest.raises(InputError, match="row 0"):
        output(fitted, [None, "NaCl"])


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=NAMES[:4])
def test_columns_have_names(transformer):
    fitted = clone(transformer).fit(FORMULAS)
    names = fitted.get_feature_names_out()
    assert len(names) == output(fitted, FORMULAS).shape[1] == len(set(names))


@pytest.mark.parametrize("transformer", TRANSFORMERS[1:], ids=NAMES[1:4])
def test_pandas_comes_out_when_asked_for(transformer):
    frame = (
        clone(transformer).set_output(transform="pandas").fit_transform(pd.Series(FORMULAS, name="formula"))
    )
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 20
