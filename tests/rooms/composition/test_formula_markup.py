"""LaTeX, HTML and fraction signs as plain formulas."""

import pytest

from sozai.composition.formula import parse_formula, parse_formulas
from sozai.composition.formula_markup import has_markup, without_markup


@pytest.mark.parametrize(
    ("text", "plain", "said"),
    [
        ("Fe$_2$O$_3$", "Fe2O3", "LaTeX"),
        ("Fe$_{2}$O$_{3}$", "Fe2O3", "LaTeX"),
        (r"$\mathrm{Fe_2O_3}$", "{Fe2O3}", "LaTeX"),
        (r"\ce{Ca(OH)2}", "{Ca(OH)2}", "LaTeX"),
        (r"CuSO$_4 \cdot 5$H$_2$O", "CuSO4 ·5H2O", "LaTeX"),
        (r"LaMnO$_{3-\delta}$", "LaMnO(3-δ)", "LaTeX"),
        ("SO$_4^{2-}$", "SO4^{2-}", "LaTeX"),
        ("Fe_2O_3", "Fe2O3", "underscores"),
        ("Fe<sub>2</sub>O<sub>3</sub>", "Fe2O3", "HTML"),
        ("La<SUB>1-x</SUB>Sr<sub>x</sub>MnO<sub>3</sub>", "La(1-x)Sr(x)MnO3", "HTML"),
        ("SO<sub>4</sub><sup>2-</sup>", "SO4^{2-}", "HTML"),
        ("CaSO4·½H2O", "CaSO4·0.5H2O", "fraction"),
        ("CaSO4.½H2O", "CaSO4·0.5H2O", "fraction"),
        ("CaSO4 · 1½ H2O", "CaSO4 · 1.5 H2O", "fraction"),
        ("Li½CoO2", "Li0.5CoO2", "fraction"),
        ("Ca(OH)¼", "Ca(OH)0.25", "fraction"),
    ],
)
def test_markup_becomes_plain(text, plain, said):
    found, sentences = without_markup(text)
    assert found == plain
    assert len(sentences) == 1
    assert said in sentences[0]


@pytest.mark.parametrize("text", ["Fe2O3", "SO4½", "Fe<3", "CaSO4·2H2O", "La1-xSrx"])
def test_everything_else_stays(text):
    assert without_markup(text) == (text, [])


def test_plain_formulas_are_passed_over():
    assert not has_markup("La0.7(Sr,Ca)0.3MnO3-δ·2H2O^{2-}")
    assert all(map(has_markup, ("Fe_2", "Fe$", r"\ce{Fe}", "Fe<sub>")))


def test_markup_is_read_with_a_note():
    half = parse_formula("CaSO4·½H2O")
    assert dict(half.amounts) == {"Ca": 1.0, "S": 1.0, "O": 4.5, "H": 1.0}
    assert half.repairs == ("fraction signs written as decimals",)
    texts = ["Fe$_2$O$_3$", "Fe<sub>2</sub>O<sub>3</sub>", r"$\mathrm{Fe_2O_3}$", "Fe⅔O"]
    parsed = parse_formulas(texts)
    assert parsed.keys().tolist() == ["Fe2O3", "Fe2O3", "Fe2O3", "Fe2O3"]
    assert parsed.issues["repair"].to_list() == ["Fe2O3", "Fe2O3", "{Fe2O3}", "Fe0.6666666666666666O"]
