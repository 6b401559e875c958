"""Repairs and refusals: plain characters, and what was probably meant."""

# ruff: noqa: RUF001 - odd characters are what is tested

import pytest

from sozai.composition.formula_repairs import (
    MISSING_WORDS,
    Refusal,
    brief,
    is_missing,
    missing,
    normalize,
    refuse_character,
    refuse_symbol,
    suggest,
)


@pytest.mark.parametrize(
    ("text", "plain", "said"),
    [
        ("Fe₂O₃", "Fe2O3", "subscripts"),
        ("（ＮＨ４）２ＳＯ４", "(NH4)2SO4", "full-width"),
        ("La1−xSrx", "La1-xSrx", "minus"),
        ("La1–xSrx", "La1-xSrx", "minus"),
        ("Fe\u2009O", "Fe O", "spaces"),
        ("\ufeffFe\u200bO", "FeO", "invisible"),
        ("CuSO4・5H2O", "CuSO4·5H2O", "hydrate"),
        ("SO₄²⁻", "SO4^2-", "charge"),
        ("Na⁺", "Na^+", "charge"),
        ("O_{3-δ}", "O(3-δ)", "underscores"),
        ("Fe_{10}", "Fe10", "underscores"),
        ("A" * 40 + "²⁺", "A" * 40 + "^2+", "charge"),
    ],
)
def test_odd_characters_become_plain(text, plain, said):
    found, repairs = normalize(text)
    assert found == plain
    assert [repair.read_as for repair in repairs] == [plain]
    assert said in repairs[0].message


@pytest.mark.parametrize("text", ["CaSO4·2H2O", "LaMnO3-δ", "鉄", "Fe²", "Fe"])
def test_everything_else_stays_as_it_is(text):
    assert normalize(text) == (text, ())


def test_gaps_are_words_that_programs_write():
    for word in MISSING_WORDS | {"", " \t"}:
        assert is_missing(word)
    for word in ("Na", "No", "NO", "In", "Na N", "N2"):
        assert not is_missing(word)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("fe2o3", ("Fe2O3",)),
        ("FE2O3", ("Fe2O3",)),
        ("nacl", ("NaCl",)),
        ("co", ("Co", "CO")),
        ("(nh4)2so4", ("(NH4)2SO4",)),
        ("bcs", ("BCs", "BCS")),
        ("ch3cooh", ("CH3CoOH", "CH3COOH")),
        ("Nacl", ("NaCl",)),
        ("Foo", ()),
        ("Bar", ()),
        ("water", ()),
        ("unknown", ()),
        ("yag:ce", ()),
        ("Qq", ()),
        ("Fe2O3", ()),
        ("o" * 201, ()),
    ],
)
def test_capitals_are_suggested(text, meant):
    assert suggest(text) == meant


def test_only_the_word_of_sodium_nitride_is_told_about_it():
    assert "sodium nitride" in missing("NaN").remedy
    for gap in ("", "  ", None, "NA", "nan", "None", "-"):
        assert missing(gap).remedy == "Fill in or drop the row."


def test_a_refusal_points_at_the_character():
    assert Refusal("x", "be", "Do.", column=3, text="Fe2(O").pointer() == "\n    Fe2(O\n       ^"
    assert Refusal("x", "be", "Do.").pointer() == ""
    long = Refusal("x", "be", "Do.", column=500, text="Fe" * 400).pointer().splitlines()
    assert len(long[1]) == 84
    assert long[2].index("^") == 54


def test_kinds_of_strange_symbols():
    assert refuse_symbol("Va", 0, "Va").code == "vacancy"
    assert refuse_symbol("Xx", 0, "Xx").code == "placeholder"
    assert refuse_symbol("Qq", 0, "Qq").code == "symbol"
    assert refuse_symbol("nacl", 0, "n").suggestion == "NaCl"
    assert refuse_character("Fe□", 2).code == "vacancy"
    assert refuse_symbol("Al2O3(s)", 6, "s").must.endswith("(s) is a label")
    assert refuse_symbol("TiO2 (rutile)", 6, "rutile").code == "label"
    assert refuse_symbol("ca(oh)2", 3, "oh").suggestion == "Ca(OH)2"
    assert "CaSO4·0.5H2O" in refuse_character("SO4½", 3).remedy
    assert refuse_character("Fe?", 2).must.endswith("'?' (question mark) is none")


def test_long_texts_are_cut_in_messages():
    assert brief("Fe" * 30) == "Fe" * 18 + "F..."
