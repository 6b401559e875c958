"""Symbols: 118 elements, an order to write them in, and weights that agree with a published table."""

import math

import pandas as pd

from sozai.composition.symbols import (
    ATOMIC_WEIGHTS,
    CODES,
    ELECTRONEGATIVITY,
    ELEMENTS,
    FORMULA_RANK,
    ISOTOPES,
    SYMBOLS,
)


def test_there_are_118_elements_in_the_order_of_their_numbers():
    assert len(ELEMENTS) == len(set(ELEMENTS)) == 118
    known = {1: "H", 2: "He", 26: "Fe", 57: "La", 79: "Au", 94: "Pu", 103: "Lr", 118: "Og"}
    assert {z: ELEMENTS[z - 1] for z in known} == known
    assert (*ELEMENTS, "D", "T") == SYMBOLS
    assert ISOTOPES == ("D", "T")
    assert CODES["O"] == 7


def test_every_symbol_has_a_place_and_a_weight():
    assert sorted(FORMULA_RANK) == list(range(120))
    assert len(ATOMIC_WEIGHTS) == 120
    assert len(ELECTRONEGATIVITY) == 118
    assert [ELECTRONEGATIVITY[CODES[name]] for name in ("Fe", "O", "F")] == [1.83, 3.44, 3.98]
    assert [name for name in ELEMENTS[:103] if math.isnan(ELECTRONEGATIVITY[CODES[name]])] == [
        "He",
        "Ne",
        "Ar",
    ]
    assert min(ATOMIC_WEIGHTS) == 1.008


def test_cations_come_before_anions():
    order = sorted(["O", "Li", "P", "Fe"], key=lambda name: FORMULA_RANK[CODES[name]])
    assert order == ["Li", "Fe", "P", "O"]


def test_elements_without_a_value_stand_first_or_last():
    order = sorted(SYMBOLS, key=lambda name: FORMULA_RANK[CODES[name]])
    assert order[0] == "Rf"
    assert order[-3:] == ["He", "Ne", "Ar"]


def test_weights_agree_with_the_published_table(data_folder):
    table = pd.read_csv(data_folder / "composition" / "element_features.csv", index_col=0)["atomic_weight"]
    for name, weight in table.items():
        slack = 0.01 if name in ("Tc", "Pm", "Po", "At") else 1e-4
        assert abs(ATOMIC_WEIGHTS[CODES[name]] / weight - 1.0) < slack, name
