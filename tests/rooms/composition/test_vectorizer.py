"""The transformer: one row for each formula, in scikit-learn's manner."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sozai.composition.symbols import ELEMENTS
from sozai.composition.vectorizer import CompositionVectorizer
from sozai.contracts.errors import InputError


def test_rows_are_fractions_of_the_elements():
    rows = CompositionVectorizer().fit_transform(["Fe2O3", "NaCl"])
    assert sp.issparse(rows)
    assert rows.shape == (2, 118)
    assert rows.toarray()[0, [25, 7]].tolist() == [0.4, 0.6]


def test_columns_are_named():
    vectorizer = CompositionVectorizer(["O", "Fe"], dense_output=True).fit(["Fe2O3"])
    assert vectorizer.get_feature_names_out().tolist() == ["O", "Fe"]
    assert vectorizer.transform(pd.Series(["FeO"])).tolist() == [[0.5, 0.5]]
    assert CompositionVectorizer().fit(["Fe"]).components_ == ELEMENTS


def test_formulas_that_cannot_be_read_are_nan_in_both_outputs():
    texts = ["NaCl", "Qq", "FeO"]
    sparse = CompositionVectorizer(on_error="nan").fit(texts)
    full = CompositionVectorizer(on_error="nan", dense_output=True).fit(texts)
    np.testing.assert_array_equal(sparse.transform(texts).toarray(), full.transform(texts))
    assert np.isnan(full.transform(texts)).all(axis=1).tolist() == [False, True, False]
    assert full.issues_["row"].tolist() == [1]
    with pytest.raises(InputError, match=r"CompositionVectorizer\.fit: .* at row 1"):
        CompositionVectorizer().fit(texts)
    with pytest.raises(InputError, match=r"CompositionVectorizer\.transform: .* at row 1"):
        CompositionVectorizer().fit(["NaCl"]).transform(texts)


def test_a_component_outside_the_columns_is_refused():
    vectorizer = CompositionVectorizer(["Fe", "O"]).fit(["FeO"])
    with pytest.raises(InputError, match="it holds Na, Cl"):
        vectorizer.transform(["NaCl"])


def test_manners():
    vectorizer = CompositionVectorizer(["Fe", "O"], basis="at%")
    copy = clone(vectorizer)
    assert copy.get_params() == vectorizer.get_params()
    assert repr(copy) == "CompositionVectorizer(basis='at%', components=['Fe', 'O'])"
    with pytest.raises(NotFittedError):
        copy.transform(["FeO"])
    with pytest.raises(ValueError, match="on_error"):
        CompositionVectorizer(on_error="skip").fit(["FeO"])
    with pytest.raises(InputError, match="name at least one component"):
        CompositionVectorizer(components=[]).fit(["FeO"])


def test_it_stands_at_the_head_of_a_pipeline():
    model = make_pipeline(CompositionVectorizer(), Ridge(alpha=1e-6))
    texts = ["FeO", "Fe2O3", "Fe3O4", "Fe"]
    model.fit(texts, [0.5, 0.4, 3 / 7, 1.0])
    assert model.predict(["Fe2O"])[0] == pytest.approx(2 / 3, abs=1e-4)
