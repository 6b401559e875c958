"""Shortest formulas, and one key for one composition."""

import numpy as np
import pytest

from sozai.composition import formula_scan
from sozai.composition.reduced_formula import integer_ratio, reduced_formula, reduced_formulas, row_keys


@pytest.mark.parametrize(
    ("symbols", "amounts", "expected"),
    [
        (["O", "Fe"], [6, 4], "Fe2O3"),
        (["Li", "Fe", "P", "O"], [1, 1, 1, 4], "LiFePO4"),
        (["O"], [2], "O"),
        (["Fe", "O"], [0.4, 0.6], "Fe2O3"),
        (["La", "Sr", "Mn", "O"], [0.7, 0.3, 1, 3], "Sr3La7Mn10O30"),
        (["Al", "Cu", "Li"], [88.6, 19.4, 50.3], "Li503Al886Cu194"),
        (["Fe", "C"], [9_999_999, 1], "Fe9999999C"),
        (["Fe", "C"], [1e11, 1.5], "Fe66666700000C"),
        (["Fe", "O"], [1, np.pi], "FeO3.14159"),
        (["EO", "O"], [2, 1], "O(EO)2"),
        (["He", "Na"], [1, 2], "Na2He"),
    ],
)
def test_shortest_formulas(symbols, amounts, expected):
    total = float(sum(amounts))
    fractions = [amount / total for amount in amounts]
    assert reduced_formula(symbols, fractions, total) == expected
    for n in (1, 150):  # one by one, and compiled
        found = reduced_formulas(
            np.arange(n + 1) * len(amounts),
            np.tile(np.arange(len(amounts)), n),
            np.tile(fractions, n),
            np.full(n, total),
            symbols,
        )
        assert found.tolist() == [expected] * n


def test_fractions_alone_give_the_same_key():
    for amounts in ([2, 3], [1, 1, 4], [886, 194, 503], [1, 499]):
        fractions = np.array(amounts) / sum(amounts)
        for rounded in (fractions, np.round(fractions, 10)):
            counts = [0] * len(amounts)
            assert integer_ratio(rounded.tolist(), np.nan, 0, len(amounts), counts)
            assert counts == amounts


def test_there_is_no_ratio_of_a_circle_to_its_diameter():
    assert not integer_ratio([1 / np.pi, 1 - 1 / np.pi], np.nan, 0, 2, [0, 0])


def test_empty_rows_have_no_formula():
    found = reduced_formulas(
        np.array([0, 0, 1]), np.array([0]), np.array([1.0]), np.array([np.nan, 1.0]), ["Fe"]
    )
    assert found.tolist() == [None, "Fe"]


def test_hashes_that_collide_are_noticed(monkeypatch):
    monkeypatch.setattr(
        formula_scan, "hash_rows", lambda indptr, *_: np.zeros(len(indptr) - 1, dtype=np.uint64)
    )
    for n in (3, 300):
        codes, first = row_keys(np.arange(n + 1), np.arange(n) % 2, np.ones(n, dtype=np.int64))
        assert codes.tolist() == [row % 2 for row in range(n)]
        assert first.tolist() == [0, 1]


def test_one_sodium_and_one_nitrogen_cannot_be_taken_for_a_missing_value():
    from sozai.composition import parse_formulas

    for n in (1, 300):  # written one by one, and all together
        keys = parse_formulas(["Na1N1", "Na2N2", "NaN3"] * n).keys()
        assert keys[:3].tolist() == ["Na1N1", "Na1N1", "NaN3"]
        assert parse_formulas(list(keys)).refused.sum() == 0
