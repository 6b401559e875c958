"""The matrix of fractions: columns by name, keys, and fractions that are there already."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sozai.composition.compositions import ParsedFormulas
from sozai.composition.formula import parse_formulas
from sozai.contracts.errors import InputError


def test_columns_are_taken_by_name():
    parsed = parse_formulas(["Fe2O3", "NaCl"])
    moved = parsed.with_components(["Cl", "O", "Na", "Am", "Fe"], place="test")
    assert moved.dense().tolist() == [[0, 0.6, 0, 0, 0.4], [0.5, 0, 0.5, 0, 0]]
    assert moved.fractions.has_canonical_format
    fresh = sp.csr_array(
        (moved.fractions.data, moved.fractions.indices, moved.fractions.indptr), shape=(2, 5)
    )
    assert fresh.has_canonical_format
    assert moved.with_components(parsed.components, place="test").keys().tolist() == ["Fe2O3", "NaCl"]
    assert moved.with_components(moved.components, place="test") is moved


def test_rows_with_strange_components_are_marked_or_left_out():
    parsed = parse_formulas(pd.Series(["Fe2O3", "AmO2", "CmO2"], index=list("abc")))
    skipped = parsed.with_components(["Fe", "O"], place="test", on_error="skip")
    assert skipped.rows.tolist() == [0]
    assert skipped.index.tolist() == ["a"]
    assert skipped.issues["row"].tolist() == [1, 2]
    assert "knows; it holds Am" in skipped.issues["message"][0]
    marked = parsed.with_components(["Fe", "O"], place="test", on_error="nan")
    assert np.isnan(marked.dense()).any(axis=1).tolist() == [False, True, True]
    with pytest.raises(InputError, match=r"it holds Am, .* Got 'AmO2' at row 1"):
        parsed.with_components(["Fe", "O"], place="test")


def test_one_key_for_one_composition():
    parsed = parse_formulas(["Fe2O3", "Fe4O6", "O3Fe2", "Fe0.4O0.6", "FeO1.5", "Fe3O4"])
    assert parsed.keys().tolist() == ["Fe2O3"] * 5 + ["Fe3O4"]
    assert parsed.chemical_systems().tolist() == ["Fe-O"] * 6
    assert parse_formulas(["LiFePO4"]).chemical_systems().tolist() == ["Fe-Li-O-P"]


def test_the_frame_has_a_column_for_each_component_that_occurs():
    frame = parse_formulas(pd.Series(["NaCl", "Qq"], index=["a", "b"]), on_error="nan").to_frame()
    assert list(frame) == ["text", "formula", "n_atoms", "charge", "Na", "Cl"]
    assert frame.loc["a", "Na"] == 0.5
    assert frame.loc["b", ["n_atoms", "charge", "Na", "Cl"]].isna().all()
    assert parse_formulas(["NaCl"]).to_frame().index.name == "row"


def test_fractions_are_renormalized_or_refused():
    names = ["Fe", "O"]
    parsed = ParsedFormulas.from_fractions([[0.4, 0.6], [0.399, 0.599]], names, place="test")
    np.testing.assert_allclose(parsed.dense().sum(axis=1), 1.0, rtol=1e-15)
    assert parsed.dense()[0].tolist() == [0.4, 0.6]
    assert parsed.issues[["row", "code", "repair"]].to_numpy().tolist() == [[1, "renormalized", "sum 0.998"]]
    assert np.isnan(parsed.n_atoms).all()
    for row, said in (
        ([0.4, 0.5], r"sum to 1 within 0\.005; they sum to 0\.9\. Found at row 1"),
        ([1.4, -0.4], r"column 'O' holds -0\.4\. Found at row 1"),
        ([np.nan, 1.0], r"column 'Fe' holds nan\. Found at row 1"),
        ([np.inf, 1.0], r"column 'Fe' holds inf\. Found at row 1"),
        ([0.0, 0.0], r"hold at least one atom\. Found at row 1"),
    ):
        for table in ([[0.4, 0.6], row], sp.csr_matrix([[0.4, 0.6], row])):
            with pytest.raises(InputError, match=said):
                ParsedFormulas.from_fractions(table, names, place="test")
        marked = ParsedFormulas.from_fractions([[0.4, 0.6], row], names, place="test", on_error="nan")
        assert marked.refused.tolist() == [False, True]


def test_stored_zeros_and_duplicates_are_cleaned_without_touching_the_input():
    given = sp.csr_array(
        (np.array([0.25, 0.0, 0.5, 0.25]), np.array([1, 0, 1, 2]), np.array([0, 4])), shape=(1, 3)
    )
    before = given.data.copy()
    parsed = ParsedFormulas.from_fractions(given, ["H", "C", "O"], place="test")
    assert parsed.fractions.indices.tolist() == [1, 2]
    assert parsed.fractions.data.tolist() == [0.75, 0.25]
    np.testing.assert_array_equal(given.data, before)


def test_atoms_must_be_positive_numbers_one_for_each_row():
    with pytest.raises(InputError, match=r"n_atoms must be positive\. Got 0\.0 at row 0"):
        ParsedFormulas.from_fractions([[1.0]], ["Fe"], n_atoms=[0], place="test")
    with pytest.raises(InputError, match="one value per row"):
        ParsedFormulas.from_fractions([[1.0]], ["Fe"], n_atoms=[1, 2], place="test")


def test_the_record_says_what_it_is():
    parsed = parse_formulas(["NaCl", "Qq", "CuSO4.5H2O"], on_error="nan")
    assert repr(parsed) == ("ParsedFormulas: 3 formulas, 6 of 118 components occur, 1 refused, 1 repaired")
    assert len(parsed) == 3
