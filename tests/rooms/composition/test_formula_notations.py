"""Notations with more than one reading are refused, and the message says how to write them."""

import pytest

from sozai.composition.formula import parse_formula, parse_formulas
from sozai.composition.formula_notations import amounts_behind, refuse_joint
from sozai.contracts.errors import InputError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Ti-6Al-4V",
            "Got 'Ti-6Al-4V' at character 3. Write Ti90Al6V4 with basis='wt%' if percent by weight",
        ),
        ("Fe-18Cr-8.5Ni", "Write Fe73.5Cr18Ni8.5 with basis='wt%'"),
        ("Cu-60Zn-50Al", "Write Ti90Al6V4 for Ti-6Al-4V with basis='wt%'"),
        ("Fe-Cr-Al", "symbols joined by hyphens are a chemical system"),
        ("0.5Li2O-0.5SiO2", "Got '0.5Li2O-0.5SiO2' at character 1. Write (Li2O)0.5(SiO2)0.5."),
        ("0.5Li2O·0.5SiO2", "Write (Li2O)0.5(SiO2)0.5."),
        ("70Cu-30Zn", "Write Cu70Zn30, with basis='wt%' if percent by weight are meant."),
        ("2H-MoS2", "Put the amount behind, as in (H2O)2."),
        ("Li2O-SiO2", "'-' is neither. Got 'Li2O-SiO2' at character 5. Write Li2O·SiO2, or amounts"),
        ("CuSO4-5H2O", "Write CuSO4·5H2O, or amounts"),
        ("Fe2O3 + SiO2", "Write Fe2O3·SiO2, or amounts"),
        ("Al2O3:Cr", "':' names a dopant. Got 'Al2O3:Cr' at character 6. Write it on its site"),
        ("YAG:Ce", "'A' is a placeholder"),
        ("Fe2O3/SiO2", "'/' joins several. Got 'Fe2O3/SiO2' at character 6. Write one formula a row"),
        ("Fe3O4@SiO2", "'@' joins several"),
        ("α-Al2O3", "'α' is one. Got 'α-Al2O3' at character 1. Write Al2O3."),
        ("Al2O3(s)", "(s) is a label. Got 'Al2O3(s)' at character 7. Leave it out."),
        ("SO4½", "Write it as a decimal number, as in CaSO4·0.5H2O."),
    ],
)
def test_the_message_says_how_to_write_it(text, said):
    with pytest.raises(InputError) as caught:
        parse_formula(text)
    assert said in str(caught.value)


def test_what_is_advised_is_read():
    alloy = refuse_joint("Ti-6Al-4V", 2).suggestion
    assert dict(parse_formula(alloy).amounts) == {"Ti": 90.0, "Al": 6.0, "V": 4.0}
    fractions = parse_formulas([alloy], components=["Ti", "Al", "V"], basis="wt%").dense()[0]
    moles = [90 / 47.867, 6 / 26.9815385, 4 / 50.9415]
    assert fractions.tolist() == pytest.approx([each / sum(moles) for each in moles], rel=1e-4)
    glass = parse_formula(amounts_behind("0.5Li2O-0.5SiO2"))
    assert dict(glass.amounts) == {"Li": 1.0, "O": 1.5, "Si": 0.5}


def test_long_texts_are_not_written_anew():
    long = "-".join(["0.5Li2O"] * 60)
    assert amounts_behind(long) == ""
    assert refuse_joint("Ti" + "-6Al" * 60, 2).code == "parts"


def test_amounts_and_charges_with_a_hyphen_stay_what_they_were():
    assert dict(parse_formula("LaMnO3-x", values={"x": 0.1}).amounts)["O"] == 2.9
    assert parse_formula("SO4^2-").charge == -2.0
    assert dict(parse_formula("La1-0.5Sr0.5MnO3", values={}).amounts)["La"] == 0.5
