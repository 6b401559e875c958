"""The careful path: entries in the order of the text."""

import pytest

from sozai.composition.formula_charge import split_charge
from sozai.composition.formula_grammar import merge_entries, read_formula
from sozai.composition.formula_repairs import Refusal


def test_entries_stay_in_the_order_of_the_text():
    reading = read_formula("CH3(CH2)2OH")
    assert reading.codes == [5, 0, 5, 0, 7, 0]
    assert reading.amounts == [1, 3, 2, 4, 1, 1]
    assert reading.charge == 0
    assert reading.repairs == ()


def test_entries_of_one_element_are_added_and_zeros_left_out():
    assert merge_entries([7, 0, 7, 5], [1.0, 2.0, 0.5, 0.0]) == ([0, 7], [2.0, 1.5])


def test_a_hydrate_in_odd_characters_is_repaired_twice():
    reading = read_formula("CuSO\u2084.5H\u2082O")
    assert [repair.code for repair in reading.repairs] == ["characters", "hydrate"]
    assert [repair.read_as for repair in reading.repairs] == ["CuSO4.5H2O", "CuSO4\u00b75H2O"]


def test_percent_signs_and_commas_need_permission():
    assert read_formula("Fe 70%, Cr 30%", percent=True).amounts == [70, 30]
    with pytest.raises(Refusal, match="not ','"):
        read_formula("Fe,Cr")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("Fe2(O3", "brackets"), ("Fe0", "zero"), ("Fe()", "empty"), ("", "missing"), (1, "not text")),
        *(
            ("Fe-2O3", "parts"),
            ("X", "placeholder"),
            ("Va", "vacancy"),
            ("qq", "symbol"),
            ("Fe?", "character"),
        ),
        *(("FeO1.5H2O", "hydrate"), ("MnOx", "variable"), ("O1/3", "expression"), ("SO42-", "charge")),
        *(("2Fe", "amount"), ("Fe1e5", "exponent"), ("Fe5%", "percent"), ("{'Fe': a}", "dictionary")),
        *(
            ("(" * 65, "depth"),
            ("Fe" * 2049, "length"),
            ("Fe" + "9" * 400, "too large"),
            ("Fe2..", "character"),
        ),
        *(("(Fe0.0000000000000000000001)" * 2, "-"),),
    ],
)
def test_each_trouble_has_a_code(text, code):
    if code == "-":
        assert read_formula(text).amounts == [1e-22, 1e-22]
        return
    with pytest.raises(Refusal) as caught:
        read_formula(text)
    assert caught.value.code == code
    assert caught.value.remedy.endswith(".")


def test_an_amount_that_vanishes_in_brackets_is_refused():
    with pytest.raises(Refusal, match="above zero"):
        read_formula("(" * 20 + "Fe" + ")0.00000000000000000001" * 20 + "O")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fe", ("Fe", 0)),
        ("Fe2+", ("Fe", 2)),
        ("FeO2+", ("FeO2", 1)),
        ("O2.5-", ("O2.5", -1)),
        ("Fe ^ {3+}", ("Fe ", 3)),
        ("(VO)2+", ("(VO)", 2)),
        ("(VO)(OH)2+", ("(VO)(OH)2", 1)),
    ],
)
def test_charges_are_split_off(text, expected):
    assert split_charge(text) == expected


def test_dictionaries_may_hold_exponents_and_nothing_else():
    assert read_formula("{'Fe': 1e-05, 'O': 2.}").amounts == [1e-05, 2.0]
    for text in ("{'Fe': 1e999}", "{'Fe': 0}", "{'Fe': -1}", "{'Fe' 1}", "{'Fe': 1,}", "{'Fe': 1"):
        with pytest.raises(Refusal):
            read_formula(text)
