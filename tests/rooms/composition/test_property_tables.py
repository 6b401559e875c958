"""Long tables of properties: units, replicates, conflicts, kinds."""

import numpy as np
import pandas as pd
import pytest

from sozai.composition.property_tables import PropertySource, assemble
from sozai.contracts.errors import InputError, UnitError
from sozai.datasets import load_planets

FIRST = pd.DataFrame({"formula": ["Fe2O3", "NaCl"], "gap [eV]": [2.2, 8.5], "a [Å]": [5.04, np.nan]})
SECOND = pd.DataFrame({"formula": ["O3Fe2", "KCl"], "gap [meV]": [2100.0, 8400.0], "err [meV]": [50.0, 60.0]})


def second(**options):
    return PropertySource(SECOND, properties=["gap [meV]"], sigma={"gap [meV]": "err [meV]"}, **options)


def test_columns_units_and_keys():
    table = assemble([FIRST, second(source="paper", laboratory="north")])
    frame = table.to_frame()
    wanted = ["material", "property", "value", "unit", "sigma", "kind", "source", "laboratory"]
    assert list(frame) == wanted
    assert frame["material"].to_list() == ["Fe2O3", "NaCl", "Fe2O3", "Fe2O3", "KCl"]
    np.testing.assert_allclose(frame["value"], [2.2, 8.5, 5.04, 2.1, 8.4])
    np.testing.assert_allclose(frame["sigma"].iloc[3:], [0.05, 0.06])
    assert dict(table.units) == {"gap": "eV", "a": "Å"}
    assert frame["laboratory"].to_list() == ["", "", "", "north", "north"]


def test_wanted_unit_and_offset_units():
    melting = pd.DataFrame({"formula": ["NaCl"], "T_m [degC]": [801.0]})
    source = PropertySource(melting, sigma={"T_m": 2.0})
    frame = assemble(source, units={"T_m": "K"}).frame
    assert frame.loc[0, ["value", "sigma", "unit"]].to_list() == [
        pytest.approx(1074.15),
        pytest.approx(2.0),
        "K",
    ]


def test_long_tables_and_data_sets_are_taken():
    long = pd.DataFrame(
        {"material": ["NaCl", "NaCl"], "property": ["gap", "a"], "value": [8.5, 5.64], "unit": ["eV", "Å"]}
    )
    table = assemble([long, FIRST])
    assert len(table) == 5
    planets = assemble(PropertySource(load_planets(), material="planet"), key="text")
    assert dict(planets.units) == {"a": "AU", "T": "yr"}


def test_replicates_stay_and_are_joined_only_to_learn():
    table = assemble([FIRST, second()])
    assert (table.frame["material"] == "Fe2O3").sum() == 3
    values = table.values("gap")
    row = values.materials.tolist().index("Fe2O3")
    assert (values.values[row, 0], values.counts[row, 0]) == (pytest.approx(2.15), 2)
    assert values.variances[row, 0] == pytest.approx(0.05**2 / 4)


def test_kinds_are_never_averaged():
    table = assemble([FIRST, second(kind="calculation")])
    with pytest.raises(InputError, match=r"kind must be given where a property has several. Got 'gap'"):
        table.values("gap")
    found = table.values("gap", kind="calculation").to_frame()["gap"]
    assert found.to_dict() == pytest.approx({"Fe2O3": 2.1, "KCl": 8.4})
    assert table.conflicts.empty


def test_conditions():
    frame = pd.DataFrame({"formula": ["NaCl", "NaCl"], "kappa": [6.5, 3.0], "T [K]": [300.0, 500.0]})
    table = assemble(PropertySource(frame, conditions=["T [K]"]))
    assert table.conditions == ("T [K]",)
    with pytest.raises(
        InputError, match=r"fix the condition 'T \[K\]'\. Got '2 values of it' for property 'kappa'"
    ):
        table.values("kappa")
    assert table.values("kappa", at={"T [K]": 500.0}).values.tolist() == [[3.0]]
    with pytest.raises(InputError, match=r"at must name conditions of the table \(T \[K\]\)\. Got 'p'"):
        table.values("kappa", at={"p": 1})


def many_replicates(n=40, spread=0.1):
    rng = np.random.default_rng(0)
    true = rng.uniform(1, 9, size=n)
    names = [f"m{k}" for k in range(n)]
    tables = [
        pd.DataFrame({"formula": names, "gap [eV]": true + spread * rng.normal(size=n)}) for _ in range(3)
    ]
    return tables, true


def test_conflicts_are_listed_and_nothing_else():
    tables, true = many_replicates()
    tables[1].loc[7, "gap [eV]"] = true[7] + 3.0
    sources = [PropertySource(table, source=name) for table, name in zip(tables, "abc", strict=True)]
    conflicts = assemble(sources, key="text").conflicts
    assert conflicts["material"].to_list() == ["m7"]
    row = conflicts.iloc[0]
    assert (row["n"], row["sources"]) == (3, "a, b, c")
    assert row["highest"] - row["lowest"] == pytest.approx(3.0, abs=0.5)
    assert row["deviations"] == pytest.approx((row["highest"] - row["lowest"]) / 0.1, rel=0.4)


def test_a_large_stated_error_is_no_conflict():
    tables, true = many_replicates()
    tables[1].loc[7, "gap [eV]"] = true[7] + 3.0
    sources = [PropertySource(table, sigma={"gap": 1.0}) for table in tables]
    assert assemble(sources, key="text").conflicts.empty


def test_copies_are_no_replicates():
    tables, _ = many_replicates()
    assert assemble([tables[0]] * 3, key="text").conflicts.empty


def test_a_value_far_off_is_found_among_exact_copies():
    first = pd.DataFrame({"formula": ["GaAs", "InP", "GaP"], "gap [eV]": [1.42, 1.34, 2.24]})
    same = pd.DataFrame({"formula": ["GaAs", "GaP"], "gap [meV]": [1420.0, 2240.0]})
    other = pd.DataFrame({"formula": ["InP"], "gap [eV]": [9.0]})
    conflicts = assemble([first, same, other]).conflicts
    assert conflicts[["material", "n", "lowest", "highest"]].to_numpy().tolist() == [["InP", 2, 1.34, 9.0]]
    assert conflicts.loc[0, "deviations"] == pytest.approx((9.0 - 1.34) / (0.01 / 12**0.5))
    last_digit = other.assign(**{"gap [eV]": 1.35})
    assert assemble([first, same, last_digit]).conflicts.empty
    assert assemble([first, other]).conflicts.empty  # one pair, and nothing says how well values repeat


def test_a_key_of_one_s_own():
    table = assemble(FIRST, key=lambda text: text.lower())
    assert set(table.frame["material"]) == {"fe2o3", "nacl"}


def test_messages():
    with pytest.raises(
        UnitError, match=r"'gap' must come with a unit in every table, or in none\. Got 'eV' and None"
    ):
        assemble([FIRST, pd.DataFrame({"formula": ["KCl"], "gap": [8.4]})])
    with pytest.raises(UnitError, match=r"equal dimensions"):
        assemble([FIRST, pd.DataFrame({"formula": ["KCl"], "gap [K]": [8.4]})])
    with pytest.raises(InputError, match=r"table 0: material must name the column .* \(x\)"):
        assemble(pd.DataFrame({"x": [1.0]}))
    with pytest.raises(InputError, match=r"kind must be one of experiment, calculation, filled. Got 'guess'"):
        assemble(PropertySource(FIRST, kind="guess"))
    text = pd.DataFrame({"formula": ["KCl", "NaCl"], "gap [eV]": ["8.4", "wide"]})
    with pytest.raises(
        InputError, match=r"column 'gap \[eV\]' must hold finite numbers. Got 'wide' at row 1"
    ):
        assemble(PropertySource(text, properties=["gap [eV]"]))
    with pytest.raises(InputError, match=r"hold at least one table. Got 0"):
        assemble([])
    with pytest.raises(InputError, match=r"properties of the table \(gap, a\)\. Got 'mass'"):
        assemble(FIRST).values("mass")
    with pytest.raises(InputError, match=r"key must be 'reduced_formula', 'text' or a function. Got 'name'"):
        assemble(FIRST, key="name")
    with pytest.raises(InputError, match=r"conditions must name columns of the table. Got 'T'"):
        assemble(PropertySource(FIRST, conditions=["T"]))


def test_one_line():
    assert repr(assemble([FIRST, second(kind="calculation")])) == (
        "PropertyTable(5 values of 2 properties of 3 materials: 3 experiment, 2 calculation; 0 conflicts)"
    )
