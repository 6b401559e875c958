"""The symmetric form of the Slater-Pauling alloys, and the table joined from its relational parts.

Source: H. Fujii, LIDG program and manual, version 0.4 (2024), example of 99 X-Fe alloys.
"""

import numpy as np
import pandas as pd
import pytest

from sozai.symbolic import SymbolicRegressor
from sozai.symbolic.generation import generate
from sozai.symbolic.independence import find_relations
from sozai.symbolic.symmetry import SymmetryGroup

SLOTS = ["x[0]", "x[1]", "M_P[0]", "M_P[1]", "Z[0]", "Z[1]", "M_I[0,1]", "M_I[1,0]"]


@pytest.fixture(scope="module")
def parts(data_folder):
    """Alloys, fractions, elements and ordered pairs of elements."""
    folder = data_folder / "symbolic"
    return [pd.read_csv(folder / f"lidg_binary_alloy_rdb{k}.dat", sep=r"\s+") for k in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def joined(parts):
    """One row per alloy with the columns of both slots."""
    alloys, fractions, elements, pairs = parts
    table = alloys.copy()
    x = fractions.set_index("con")["x"]
    table["x[0]"], table["x[1]"] = table["con1"].map(x), table["con2"].map(x)
    for column, name in (("MP", "M_P"), ("Z", "Z")):
        value = elements.set_index("E")[column]
        table[f"{name}[0]"], table[f"{name}[1]"] = table["E1"].map(value), table["E2"].map(value)
    both = pairs.set_index(["E1", "E2"])["MI"].to_dict()
    ordered = list(zip(table["E1"], table["E2"], strict=True))
    table["M_I[0,1]"] = [both[a, b] for a, b in ordered]
    table["M_I[1,0]"] = [both[b, a] for a, b in ordered]
    return table


def test_joined_parts_are_the_table_of_99_alloys(joined, data_folder):
    text = (data_folder / "symbolic" / "slater_pauling_99.dat").read_text(encoding="utf-8").splitlines()[1:]
    expected = np.array([line.split()[1:] for line in text], dtype=float)
    columns = ["M", "x[1]", "M_P[0]", "Z[0]", "M_P[1]", "Z[1]", "M_I[0,1]", "M_I[1,0]"]
    np.testing.assert_allclose(joined[columns].to_numpy(dtype=float), expected, atol=1e-12)


def test_fractions_that_add_to_one_are_found_as_a_relation(joined):
    made = generate(joined[SLOTS], symmetry=SymmetryGroup.from_slots(SLOTS), order=1, keep_constant=True)
    (total,) = find_relations(joined[SLOTS], generated=made).relations
    assert total.dependent == "`x[0]` + `x[1]`"
    assert (total.basis, total.coefficients, total.kind) == (("1",), (1.0,), "exact")


def test_law_does_not_change_when_the_elements_change_places(joined):
    law = SymbolicRegressor(symmetry="0<->1", max_order=2).fit(joined[SLOTS], joined["M"])
    swapped = joined[[SLOTS[k ^ 1] for k in range(8)]].set_axis(SLOTS, axis=1)
    np.testing.assert_allclose(law.predict(swapped), law.predict(joined[SLOTS]), rtol=0, atol=1e-12)
    assert law.symmetry_error_ <= 1e-12
