"""The front door: single formulas, columns, and whatever else an estimator is given."""

# ruff: noqa: RUF001 - full-width characters and dashes are what is tested

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sozai.composition.formula import ELEMENTS, Composition, as_compositions, parse_formula, parse_formulas
from sozai.contracts.errors import FormulaWarning, InputError


def amounts(text, **options):
    return dict(parse_formula(text, **options).amounts)


def message(text, **options):
    with pytest.raises(InputError) as caught:
        parse_formula(text, **options)
    return str(caught.value)


# --- what is read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fe2O3", {"Fe": 2, "O": 3}),
        ("CH3COOH", {"C": 2, "H": 4, "O": 2}),
        ("Ca10(PO4)6(OH)2", {"Ca": 10, "P": 6, "O": 26, "H": 2}),
        ("K4[Fe(CN)6]", {"K": 4, "Fe": 1, "C": 6, "N": 6}),
        ("{[Fe(CN)6]2}3", {"Fe": 6, "C": 36, "N": 36}),
        ("Zn 58 Mg 40 Dy 2", {"Zn": 58, "Mg": 40, "Dy": 2}),
        (" Al 88.6 Cu 19.4 Li 50.3 ", {"Al": 88.6, "Cu": 19.4, "Li": 50.3}),
        ("La0.5Sr0.5MnO3", {"La": 0.5, "Sr": 0.5, "Mn": 1, "O": 3}),
        ("La.5Sr.5MnO3", {"La": 0.5, "Sr": 0.5, "Mn": 1, "O": 3}),
        ("Co", {"Co": 1}),
        ("CO", {"C": 1, "O": 1}),
        ("Na1N1", {"Na": 1, "N": 1}),
        ("Na N", {"Na": 1, "N": 1}),
        ("Fe007", {"Fe": 7}),
        ("{'Sr': 1.0, 'Ag': 4.0}", {"Sr": 1, "Ag": 4}),
        ('{"Fe":2,"O":3}', {"Fe": 2, "O": 3}),
    ],
)
def test_plain_formulas(text, expected):
    assert amounts(text) == expected
    assert parse_formula(text).repairs == ()


@pytest.mark.parametrize(
    "text",
    [
        *("CuSO4.5H2O", "CuSO4·5H2O", "CuSO4*5H2O", "CuSO4•5H2O", "CuSO4∙5H2O", "CuSO4⋅5H2O", "CuSO4・5H2O"),
        *("CuSO4．5H2O", "CuSO4. 5 H2O", "CuSO4.5(H2O)", "CuSO4.(H2O)5", "(CuSO4.5H2O)", "CuSO₄·5H₂O"),
    ],
)
def test_hydrates(text):
    assert amounts(text) == {"Cu": 1, "S": 1, "O": 9, "H": 10}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CaSO4·2H2O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
        ("CaSO4·0.5H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("CaSO4.0.5H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("NaOH.H2O", {"Na": 1, "O": 2, "H": 3}),
        ("K2SO4.Al2(SO4)3.24H2O", {"K": 2, "S": 4, "O": 40, "Al": 2, "H": 48}),
        ("(CuSO4.5H2O)2", {"Cu": 2, "S": 2, "O": 18, "H": 20}),
        ("CuSO4.5NH3.5H2O", {"Cu": 1, "S": 1, "O": 9, "N": 5, "H": 25}),
        ("Fe0.5NH3.5", {"Fe": 0.5, "N": 1, "H": 3.5}),
        ("Li2.5CoO2", {"Li": 2.5, "Co": 1, "O": 2}),
    ],
)
def test_dots(text, expected):
    assert amounts(text) == expected


def test_a_hydrate_dot_is_recorded_and_a_decimal_point_is_not():
    assert parse_formula("CuSO4.5H2O").repairs == ("dot read as a separator of parts",)
    assert parse_formula("La0.5Sr0.5MnO3").repairs == ()


@pytest.mark.parametrize(
    "text",
    [
        "Fe₂O₃",
        "Ｆｅ２Ｏ３",
        "Fe2\u00a0O3",
        "Fe2\u200bO3",
        "\ufeffFe2O3",
        "Fe\u30002O3",
        "Fe_2O_3",
        "Fe_{2}O_{3}",
    ],
)
def test_copied_characters_are_repaired_and_recorded(text):
    found = parse_formula(text)
    assert dict(found.amounts) == {"Fe": 2, "O": 3}
    assert len(found.repairs) == 1


@pytest.mark.parametrize(
    ("text", "charge", "n_atoms"),
    [
        ("SO4^{2-}", -2, 5),
        ("SO4^2-", -2, 5),
        ("SO4^{-2}", -2, 5),
        ("SO4 2-", -2, 5),
        ("SO₄²⁻", -2, 5),
        ("Fe3+", 3, 1),
        ("Fe 3+", 3, 1),
        ("Fe+++", 3, 1),
        ("O2-", -2, 1),
        ("NH4+", 1, 5),
        ("NH₄⁺", 1, 5),
        ("MnO4-", -1, 5),
        ("[Fe(CN)6]4-", -4, 13),
        ("Cu^2+", 2, 1),
        ("Na", 0, 1),
    ],
)
def test_charges_are_read_and_not_counted(text, charge, n_atoms):
    found = parse_formula(text)
    assert (found.charge, found.n_atoms) == (charge, n_atoms)


def test_isotopes_are_hydrogen_with_a_warning_unless_they_are_kept():
    with pytest.warns(
        FormulaWarning, match=r"D and T are counted as hydrogen in 'D2O'\. Pass isotopes='keep'"
    ):
        assert amounts("D2O") == {"H": 2, "O": 1}
    assert amounts("D2O", isotopes="keep") == {"D": 2, "O": 1}
    with pytest.warns(FormulaWarning, match=r"'T2O' at row 1 \(2 in all\)"):
        parsed = parse_formulas(["H2O", "T2O", "D2O"])
    assert parsed.keys().tolist() == ["H2O"] * 3
    assert parsed.issues["code"].tolist() == ["isotope", "isotope"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = parse_formulas(["H2O", "D2O"], isotopes="keep")
    assert kept.components == (*ELEMENTS, "D", "T")
    assert kept.keys().tolist() == ["H2O", "D2O"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("La1-xSrxMnO3", {"La": 0.7, "Sr": 0.3, "Mn": 1, "O": 3}),
        ("LaMnO3-δ", {"La": 1, "Mn": 1, "O": 2.95}),
        ("LaMnO3+δ", {"La": 1, "Mn": 1, "O": 3.05}),
        ("La1−xSrxMnO3", {"La": 0.7, "Sr": 0.3, "Mn": 1, "O": 3}),
        ("Bi2-xSbx", {"Bi": 1.7, "Sb": 0.3}),
        ("La2-2xSr2xCuO4", {"La": 1.4, "Sr": 0.6, "Cu": 1, "O": 4}),
        ("La2(1-x)Sr2xCuO4", {"La": 1.4, "Sr": 0.6, "Cu": 1, "O": 4}),
        ("La_{1-x}Sr_{x}MnO_{3-δ}", {"La": 0.7, "Sr": 0.3, "Mn": 1, "O": 2.95}),
        ("Ba(Ti1-xZrx)O3", {"Ba": 1, "Ti": 0.7, "Zr": 0.3, "O": 3}),
        ("KxFe", {"K": 0.3, "Fe": 1}),
        ("CaSO4·xH2O", {"Ca": 1, "S": 1, "O": 4.3, "H": 0.6}),
        ("CaSO4*xH2O", {"Ca": 1, "S": 1, "O": 4.3, "H": 0.6}),
        ("CaSO4.xH2O", {"Ca": 1, "S": 1, "O": 4.3, "H": 0.6}),
    ],
)
def test_variables_take_their_values(text, expected):
    assert amounts(text, values={"x": 0.3, "δ": 0.05}) == expected


def test_an_end_member_leaves_the_element_out_and_decimals_are_exact():
    assert amounts("La1-xSrxMnO3", values={"x": 0}) == {"La": 1, "Mn": 1, "O": 3}
    assert amounts("La1-xSrxMnO3", values={"x": 0.9}) == {"La": 0.1, "Sr": 0.9, "Mn": 1, "O": 3}


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Null",
        "None",
        "NA",
        "nan",
        "",
        "   ",
        "N/A",
        "\ufeff",
        None,
        float("nan"),
        np.nan,
        pd.NA,
        pd.NaT,
    ],
)
def test_gaps_are_refused(text):
    said = message(text)
    assert "missing formula" in said
    assert "Fill in or drop the row" in said
    offered = "write Na1N1 (or pass allow_nan_like=True) if sodium nitride is meant" in said
    assert offered == (isinstance(text, str) and text == "NaN")


def test_nan_is_read_when_it_is_meant():
    assert amounts("NaN", allow_nan_like=True) == {"Na": 1, "N": 1}
    parsed = parse_formulas(["NaN"] * 400, allow_nan_like=True)
    assert set(parsed.keys()) == {"Na1N1"}  # written so that it is no missing value
    assert "missing formula" in message("nan", allow_nan_like=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fe2o3", "'f' is none. Got 'fe2o3' at character 1. Write Fe2O3: symbols are a capital"),
        ("Fe2o3", "at character 4. Write Fe2O3:"),
        ("NACL", "'A' is none. Got 'NACL' at character 2. Write NaCl:"),
        ("co", "Write Co or CO:"),
        ("Xx2", "'Xx' is a placeholder"),
        ("X", "'X' is a placeholder"),
        ("Va0.1Fe0.9", "'Va' is a vacancy. Got 'Va0.1Fe0.9' at character 1. Leave the vacancy out"),
        ("□Fe", "'□' is a vacancy"),
        ("Fe□", "'□' is a vacancy. Got 'Fe□' at character 3"),
        ("Qq", "'Qq' is none"),
        ("鉄", "(cjk unified ideograph-9244) is none"),
        ("Fe0", "have amounts above zero. Got 'Fe0' at character 3"),
        ("Fe-2O3", "'-' is neither. Got 'Fe-2O3' at character 3"),
        ("1e400", "without an exponent"),
        ("Fe1e400", "without an exponent. Got 'Fe1e400' at character 4"),
        ("Fe" + "9" * 400, "have finite amounts"),
        ("LaMnO3-δ", "it needs a value for δ. Got 'LaMnO3-δ' at character 8. Pass values={'δ': 0.1}"),
        ("Bi2-xSbx", "it needs a value for x. Got 'Bi2-xSbx' at character 5"),
        ("MnOx", "it needs a value for x"),
        ("O1/3", "plain numbers as amounts, not 1/3"),
        ("SO4-2", "not 4-2. Got 'SO4-2' at character 3. Write the number itself, or SO4^{2-} if a charge"),
        ("SO42-", "SO4^{2-} and SO42^- are both possible"),
        ("Hg22+", "Hg2^{2+} and Hg22^+ are both possible"),
        ("FeO1.5H2O", "a hydrate (FeO1·5H2O) and a decimal amount (FeO1.5 H2O) are both possible"),
        ("La0.5H2O", "a hydrate (La0·5H2O)"),
        ("2H2O", "begin with a symbol or a bracket. Got '2H2O' at character 1. Write (H2O)2."),
        ("Fe 2 3", "one amount after each symbol or bracket. Got 'Fe 2 3' at character 6"),
        ("Fe70%Cr30%", "hold amounts in atoms, not '%'. Got 'Fe70%Cr30%' at character 5. Pass basis='at%'"),
        ("Fe(O]2", "close '(' by its own kind, not by ']'. Got 'Fe(O]2' at character 5"),
        ("Fe2O3)", "')' closes none. Got 'Fe2O3)' at character 6"),
        ("Fe()", "have a symbol inside every bracket"),
        ("Fe·", "between separators"),
        ("(" * 65 + "Fe" + ")" * 65, "nest brackets at most 64 deep"),
        ("Fe" * 3000, "be at most 4096 characters long; it has 6000"),
        ("{'Sr': __import__('os')}", "be pairs of a quoted symbol and a number"),
        ("{'Sr': 1.0, 'Sr': 2.0}", "name each element once; Sr comes twice"),
        ("{'Xx': 1.0}", "'Xx' is a placeholder"),
        ("{'Sr': 1.0} + 1", "end at its brace"),
        ("Fe^x", "have a charge such as ^{2-}"),
        ("Fe+-", "have a charge of one sign"),
        ("Fe²", "(superscript two) is none"),
        (3.5, "be text, not float 3.5"),
        (b"Fe", "be text, not bytes"),
    ],
)
def test_refusals_name_the_place_and_the_remedy(text, said):
    found = message(text)
    assert found.startswith("parse_formula: formula must ")
    assert said in found


def test_the_caret_stands_under_the_open_bracket():
    lines = message("Fe2(O3").splitlines()
    assert "Got 'Fe2(O3' at character 4. Close the bracket" in lines[0]
    assert lines[1].index("(") == lines[2].index("^")


def test_depth_and_length_end_where_they_should():
    assert amounts("(" * 64 + "Fe" + ")" * 64) == {"Fe": 1}
    assert amounts("Fe" * 2048) == {"Fe": 2048}


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match=r"isotopes must be 'merge' or 'keep'\. Got 'drop'"):
        parse_formula("Fe", isotopes="drop")
    with pytest.raises(InputError, match=r"basis must be 'amount', 'at%' or 'wt%'\. Got 'mol'"):
        parse_formulas(["Fe"], basis="mol")
    with pytest.raises(InputError, match=r"on_error must be 'raise', 'nan' or 'skip'\. Got 'ignore'"):
        parse_formulas(["Fe"], on_error="ignore")
    with pytest.raises(InputError, match="be a column of formulas"):
        parse_formulas("Fe2O3")
    with pytest.raises(InputError, match=r"components must be distinct\. Got 'Fe'"):
        parse_formulas(["Fe"], components=["Fe", "O", "Fe"])


# --- the record ------------------------------------------------------------------------------------------


def test_soda_has_the_published_fractions():
    """Na2CO3, the example of Kusaba, Hayashi, Liu, Wakiuchi and Yoshida, Phys. Rev. B 108 (2023) 134107."""
    soda = parse_formula("Na2CO3")
    assert soda.fractions == {"Na": 2 / 6, "C": 1 / 6, "O": 3 / 6}
    assert soda.n_atoms == 6


def test_a_composition_says_what_it_is():
    found = parse_formula("O6Fe4")
    assert found.reduced_formula == "Fe2O3"
    assert found.chemical_system == "Fe-O"
    assert list(found.amounts) == ["O", "Fe"]
    assert repr(found) == "Composition Fe2O3: 10 atoms"
    assert repr(parse_formula("SO4^{2-}")) == "Composition SO4: 5 atoms, charge -2"
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(TypeError):
        found.amounts["O"] = 1
    assert isinstance(found, Composition)


# --- columns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 400])
def test_the_first_bad_row_is_named_and_the_others_are_counted(n):
    column = pd.Series(["NaCl"] * n + ["Fe2(O3", "Qq", "NaCl", None], name="formula")
    with pytest.raises(InputError) as caught:
        parse_formulas(column)
    said = str(caught.value)
    assert f"Got 'Fe2(O3' at row {n} of column 'formula', character 4. Close the bracket" in said
    assert "\n    Fe2(O3\n       ^\n" in said
    assert f"2 more rows are refused ({n + 1}, {n + 3})" in said
    labelled = pd.Series(["NaCl", "Qq"], index=["mp-1", "mp-2"])
    with pytest.raises(InputError, match=r"Got 'Qq' at row 1 \(index 'mp-2'\), character 1"):
        parse_formulas(labelled)


def test_bad_rows_become_nan_or_are_left_out():
    column = pd.Series(["NaCl", "Qq", "CuSO4.5H2O"], index=[10, 20, 30])
    kept = parse_formulas(column, on_error="nan")
    assert kept.refused.tolist() == [False, True, False]
    assert np.isnan(kept.dense()).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(kept.n_atoms).tolist() == [False, True, False]
    assert np.isnan(kept.charge).tolist() == [False, True, False]
    assert kept.keys().tolist() == ["NaCl", None, "CuH10SO9"]
    assert kept.issues[["row", "code"]].to_numpy().tolist() == [[1, "symbol"], [2, "hydrate"]]
    assert kept.issues["repair"].tolist() == ["", "CuSO4·5H2O"]
    assert list(kept.issues) == ["row", "text", "code", "message", "repair"]
    skipped = parse_formulas(column, on_error="skip")
    assert len(skipped) == 2
    assert skipped.rows.tolist() == [0, 2]
    assert skipped.index.tolist() == [10, 30]
    assert skipped.texts.tolist() == ["NaCl", "CuSO4.5H2O"]
    assert skipped.issues.equals(kept.issues)


def test_the_same_column_in_every_dress():
    class Foreign:
        def get_el_amt_dict(self):
            return {"Fe": 2.0, "O": 3.0}

    wanted = np.array([[0.4, 0.6]])
    for column in (
        ["Fe2O3"], ("Fe2O3",), np.array(["Fe2O3"]), np.array([["Fe2O3"]]), np.array(["Fe2O3"], dtype=object),
        pd.Series(["Fe2O3"]), pd.Series(["Fe2O3"], dtype="category"), pd.DataFrame({"formula": ["Fe2O3"]}),
        [["Fe2O3"]], [{"Fe": 2, "O": 3.0}], [{"Fe": 2, "O": 3, "H": 0}], [Foreign()],
        ["{'Fe': 2.0, 'O': 3.0}"], np.array([b"Fe2O3"]), pd.DataFrame({"Fe": [2.0], "O": [3]}),
    ):  # fmt: skip
        parsed = as_compositions(column, ["Fe", "O", "H"], place="test")
        np.testing.assert_array_equal(parsed.dense()[:, :2], wanted)
        assert parsed.n_atoms.tolist() == [5.0]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"Fe": -1}, "Fe has -1"),
        ({"Fe": float("nan")}, "Fe has nan"),
        ({"Fe": "2"}, "Fe has '2'"),
        ({"Fe": 0}, "hold at least one atom"),
        ({}, "hold at least one atom"),
        ({"Xx": 1}, "'Xx' is a placeholder"),
    ],
)
def test_bad_dictionaries_are_refused(cell, said):
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        parse_formulas(["NaCl", cell])
    assert "at row 1" in str(caught.value)


def test_percentages_of_atoms_and_of_weight():
    at = parse_formulas(["Fe70Cr20Ni10", "Fe 70% Cr 20%, Ni 10%", "Fe70Cr20Ni10.3"], basis="at%")
    np.testing.assert_allclose(at.dense()[:, [25, 23, 27]][:2], [[0.7, 0.2, 0.1]] * 2, rtol=1e-15)
    np.testing.assert_allclose(at.dense().sum(axis=1), 1.0, rtol=1e-15)
    assert at.n_atoms.tolist() == [100.0] * 3
    assert at.issues[["row", "code", "repair"]].to_numpy().tolist() == [[2, "renormalized", "sum 100.3"]]
    wt = parse_formulas(["Fe 50% Cr 50%"], basis="wt%")
    iron, chromium = 50 / 55.845, 50 / 51.996
    np.testing.assert_allclose(
        wt.dense()[0, [25, 23]], [iron / (iron + chromium), chromium / (iron + chromium)]
    )
    with pytest.raises(InputError, match=r"sum to 100 % within 0\.5; they sum to 90\. Got 'Fe90' at row 0"):
        parse_formulas(["Fe90"], basis="at%")


@pytest.mark.parametrize("n", [1, 400])
def test_an_unknown_component_is_named_and_never_dropped(n):
    names = ELEMENTS[:94]
    with pytest.raises(InputError) as caught:
        as_compositions(["UO2"] * n + ["AmO2", "CmO2"], names, place="KernelMeanDescriptor.transform")
    said = str(caught.value)
    assert said.startswith("KernelMeanDescriptor.transform: ")
    assert f"it holds Am, which the table does not know. Got 'AmO2' at row {n}" in said
    assert "94 components, H to Pu" in said
    assert "ComponentTable.with_components" in said
    assert "1 more row" in said
    kept = as_compositions(["UO2"] * n + ["AmO2"], names, place="test", on_error="nan")
    assert np.isnan(kept.dense()[n]).all()
    assert kept.issues["code"].tolist() == ["component"]


def test_any_component_may_be_named_by_a_dictionary():
    parsed = as_compositions([{"EO": 3, "PO": 1}], ["PO", "EO"], place="test")
    assert parsed.dense().tolist() == [[0.25, 0.75]]
    assert parsed.keys().tolist() == ["(EO)3(PO)"]


def test_fractions_and_parsed_formulas_pass_through():
    parsed = parse_formulas(["Fe2O3", "NaCl"])
    again = as_compositions(parsed, ["O", "Fe", "Na", "Cl"], place="test")
    assert again.dense().tolist() == [[0.6, 0.4, 0, 0], [0, 0, 0.5, 0.5]]
    assert as_compositions(parsed, place="test") is parsed
    for table in (again.dense(), again.fractions, sp.csc_matrix(again.dense()), again.dense().tolist()):
        same = as_compositions(table, again.components, place="test", n_atoms=[5, 2])
        assert same.fractions.data.tobytes() == again.fractions.data.tobytes()
        assert same.n_atoms.tolist() == [5, 2]
        assert same.keys().tolist() == ["Fe2O3", "NaCl"]
    with pytest.raises(InputError, match=r"one column for each of the 118 components\. Got '4 columns'"):
        as_compositions(again.dense(), place="test")
    with pytest.raises(InputError, match="0 sample"):
        as_compositions([], place="test")
    with pytest.raises(InputError, match="2 formulas"):
        as_compositions(parsed, place="test", n_atoms=[5])


def test_a_table_of_amounts_names_its_trouble():
    frame = pd.DataFrame({"Fe": [2.0, 0.4], "O": [3.0, 0.5]}, index=["a", "b"])
    with pytest.raises(
        InputError, match=r"hold at least one atom; the amounts sum to 0\.9\. Found at row 1 \(index 'b'\)"
    ):
        as_compositions(frame, place="test")
    with pytest.raises(InputError, match=r"columns named by components\. Got 'temperature'"):
        as_compositions(pd.DataFrame({"Fe": [1], "temperature": [300]}), place="test")
    with pytest.raises(InputError, match="one column of formulas"):
        as_compositions(pd.DataFrame({"a": ["Fe"], "b": ["O"]}), place="test")


def test_an_empty_column_gives_no_rows():
    parsed = parse_formulas([])
    assert len(parsed) == 0
    assert parsed.keys().tolist() == []
    assert parsed.dense().shape == (0, 118)


def test_input_is_left_alone():
    cells = [{"Fe": 2, "O": 3}, "NaCl"]
    parse_formulas(cells)
    assert cells == [{"Fe": 2, "O": 3}, "NaCl"]


# --- published columns -----------------------------------------------------------------------------------


def test_the_stable_formulas_of_the_materials_project(data_folder):
    """35,463 formulas, written by their database with the least electronegative element first."""
    path = data_folder / "composition" / "MP_stable_formula_20220807.csv"
    column = pd.read_csv(path)["formula_pretty"]
    parsed = parse_formulas(column)
    assert parsed.fractions.shape == (35_463, 118)
    assert len(parsed.issues) == 0
    np.testing.assert_allclose(parsed.fractions.sum(axis=1), 1.0, rtol=0, atol=1e-15)
    plain = ~column.str.contains("(", regex=False).to_numpy()
    same = parsed.keys()[plain] == column.to_numpy(dtype=object)[plain]
    assert same.mean() > 0.99  # the rest: ties, and O2 or Na2O2, which are no shortest formulas


def test_alloys_as_text_and_as_dictionaries_are_the_same(data_folder):
    path = data_folder / "composition" / "xenonpy_hypermaterials_QC_AC_data.csv"
    frame = pd.read_csv(path)
    texts, dictionaries = parse_formulas(frame.iloc[:, 0]), parse_formulas(frame["composition"])
    np.testing.assert_array_equal(texts.dense(), dictionaries.dense())
    assert texts.n_atoms[0] == 100
