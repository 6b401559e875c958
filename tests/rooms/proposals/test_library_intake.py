import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.proposals.library_intake import formulas_by_name, read_library, require_enough

TABLE = {
    "Fe [at%]": [20.0, 50.0, 80.0, 35.0],
    "Co [at%]": [80.0, 50.0, 20.0, 65.0],
    "x": [1.0, 2.0, 3.0, 4.0],
    "y": [7.0, 7.0, 7.0, 7.0],
    "S [V]": ["1", "2", "", "-4"],
    "sd": [0.1, 0.2, np.nan, 0.3],
}


def read(**changes):
    given = {
        "composition": ["Fe", "Co"],
        "columns": ["S"],
        "derived": {},
        "errors": {},
        "position": ["x", "y"],
    }
    return read_library(TABLE, **given | changes)


def test_columns_are_found_without_their_units():
    found = read(derived={"q [V2]": "S^2"}, errors={"S": "sd"})
    assert found.components == ("Fe [at%]", "Co [at%]")
    assert found.total == 100.0
    assert found.places == ("x",)  # the other is constant
    assert found.names == ("S", "q")
    assert found.units == ("V", "V2")
    np.testing.assert_array_equal(found.values, [[1, 1], [2, 4], [np.nan, np.nan], [-4, 16]])
    np.testing.assert_allclose(found.errors[:, 1], [0.2, 0.8, np.nan, 2.4])
    assert list(found.to_frame()) == ["S", "S error", "q", "q error"]


@pytest.mark.parametrize(("given", "errors"), [("5 %", [0.05, 0.1, 0, 0.2]), (0.3, [0.3, 0.3, 0, 0.3])])
def test_errors_may_be_shares_or_numbers(given, errors):
    np.testing.assert_allclose(read(errors={"S [V]": given}).errors[:, 0], errors)


def test_any_total_is_found():
    table = pd.DataFrame({"A": [0.5, 1.5, 1.0], "B": [1.5, 0.5, 1.0], "S": [1.0, 2.0, 3.0]})
    with pytest.warns(ConvergenceWarning, match=r"A \+ B add up to 2, neither 1 nor 100.*Say total=2 if"):
        assert read_library(table, ["A", "B"], ["S"], {}, {}, ()).total == 2.0
    assert read_library(table, ["A", "B"], ["S"], {}, {}, (), total=2.0).total == 2.0
    with pytest.raises(InputError, match=r"A \+ B must be 1\. Got 2\.0 at row 0"):
        read_library(table, ["A", "B"], ["S"], {}, {}, (), total=1.0)


def test_what_cannot_be_read_is_named():
    with pytest.raises(InputError, match=r"the error of 'S \[V\]' must be 0 or more\. Got -1\.0 at row 0"):
        read_library(TABLE | {"sd": [-1.0, 0, 0, 0]}, ["Fe", "Co"], ["S"], {}, {"S": "sd"}, ())
    with pytest.raises(InputError, match=r"'x' must hold finite numbers\. Got nan at row 2\. Fill or drop"):
        read_library(TABLE | {"x": [1, 2, np.nan, 4]}, ["Fe", "Co"], ["S"], {}, {}, ["x"])
    with pytest.raises(InputError, match=r"table must have rows\. Got 0"):
        read_library({"A": [], "B": [], "S": []}, ["A", "B"], ["S"], {}, {}, ())
    with pytest.raises(InputError, match=r"have results at 5 positions or more\. Got 3 of 4"):
        require_enough(np.array([1.0, np.nan, 2.0, 3.0]), "S", 2)
    twice = pd.DataFrame([[0.5, 0.5, 1.0, 2.0], [0.2, 0.8, 1.0, 2.0]], columns=["A", "B", "S", "S"])
    with pytest.raises(InputError, match=r"columns that occur once\. Got 'S'"):
        read_library(twice, ["A", "B"], ["S"], {}, {}, ())


def test_formulas_without_names_name_themselves():
    assert formulas_by_name("a*b") == {"a*b": "a*b"}
    assert formulas_by_name(["b", "a"]) == {"b": "b", "a": "a"}
    assert list(formulas_by_name({"b", "a"})) == ["a", "b"]


def test_a_path_is_no_table():
    with pytest.raises(
        InputError, match=r"X must be a table with headers. Got 'wafer.csv'. Read a file first"
    ):
        read_library("wafer.csv", ["A", "B"], ["S"], {}, {}, ())
