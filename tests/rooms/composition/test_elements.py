"""Tables by name, shares that rest on predicted cells, oxidation states."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sozai.composition.elements import ComponentTable, as_table, imputation_share, oxidation_states
from sozai.contracts.errors import InputError


def test_as_table(tmp_path):
    bundled = as_table()
    assert as_table("sozai") is bundled
    assert as_table("elements") is bundled
    assert as_table(bundled) is bundled
    frame = pd.DataFrame({"mass": [28.05, 42.08]}, index=["ethylene", "propylene"])
    assert as_table(frame).components == ("ethylene", "propylene")
    frame.to_csv(tmp_path / "monomers.csv")
    assert as_table(tmp_path / "monomers.csv").name == "monomers"
    assert as_table(str(tmp_path / "monomers.csv")).features == ("mass",)


@pytest.mark.parametrize(("table", "shown"), [("magpie", "'magpie'. There is no such file"), (3, "'int'")])
def test_as_table_refuses(table, shown):
    with pytest.raises(InputError, match=r"Me.fit: table must be 'sozai', 'published'") as caught:
        as_table(table, place="Me.fit")
    assert shown in str(caught.value)


def test_imputation_share():
    flags = [[True, False], [False, False], [True, True]]
    table = ComponentTable([[1, 2], [3, 4], [5, 6]], "ABC", "xy", imputed=flags)
    W = sp.csr_array(np.array([[0.25, 0.75, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]))
    share = imputation_share(W, table)
    np.testing.assert_array_equal(share, [[0.25, 0], [1.0, 0.5], [np.nan, np.nan]])
    with pytest.raises(InputError, match=r"one column per component of table 'table' \(3\). Got 2"):
        imputation_share(np.eye(2), table)


def test_oxidation_states():
    common, known = oxidation_states(), oxidation_states("known")
    assert len(common) == len(known) == 103
    assert common["Mn"] == (2, 3, 4, 7)
    assert common["Cl"] == (-1, 1, 3, 5, 7)
    assert known["O"] == (-2, -1, 1, 2)
    with pytest.raises(TypeError):
        common["Fe"] = (9,)
    with pytest.raises(InputError, match=r"which must be 'common' or 'known'. Got 'all'"):
        oxidation_states("all")
