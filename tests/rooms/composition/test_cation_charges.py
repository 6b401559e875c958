"""Charges of cations from neutrality."""

import pytest

from sozai.composition.cation_charges import allowed_charges, balance_charges
from sozai.contracts.errors import InputError


def charges(amounts, needed=6.0, oxide=True):
    return balance_charges(amounts, needed, oxide=oxide, place="test", text="formula")


@pytest.mark.parametrize(
    ("amounts", "needed", "expected"),
    [
        ({"Pb": 1, "Ti": 1}, 6, {"Pb": 2, "Ti": 4}),  # mirrored choices: lead is more electronegative
        ({"La": 1, "Mn": 1}, 6, {"La": 3, "Mn": 3}),
        ({"Cs": 1, "Sn": 1}, 3, {"Cs": 1, "Sn": 2}),
        ({"La": 0.7, "Sr": 0.3, "Mn": 1}, 6, {"La": 3, "Sr": 2, "Mn": 3.3}),
        ({"Pr": 0.5, "Ca": 0.5, "Mn": 1}, 6, {"Pr": 3, "Ca": 2, "Mn": 3.5}),
        ({"Eu": 0.7, "Sr": 0.3, "Mn": 1}, 6, {"Eu": 3, "Sr": 2, "Mn": 3.3}),
        ({"Sr": 1, "Fe": 0.5, "Mo": 0.5}, 6, {"Sr": 2, "Fe": 3, "Mo": 5}),
        ({"Sr": 1, "Fe": 1}, 5, {"Sr": 2, "Fe": 3}),
        ({"Ba": 1, "Bi": 1}, 6, {"Ba": 2, "Bi": 4}),
        ({"Cs": 1, "Ag": 0.5, "Bi": 0.5}, 3, {"Cs": 1, "Ag": 1, "Bi": 3}),
        ({"La": 0.6, "Sr": 0.4, "Co": 0.2, "Fe": 0.8}, 6, {"La": 3, "Sr": 2, "Co": 3.4, "Fe": 3.4}),
        ({"Pb": 1, "Zr": 0.5, "Ti": 0.5}, 6, {"Pb": 2, "Zr": 4, "Ti": 4}),
        ({"MA": 1, "Pb": 1}, 3, {"MA": 1, "Pb": 2}),
    ],
)
def test_charges_known_to_chemistry(amounts, needed, expected):
    found = charges(amounts, float(needed))
    assert found == pytest.approx(expected)
    assert sum(amounts[name] * found[name] for name in amounts) == pytest.approx(needed)


def test_allowed_charges():
    assert allowed_charges("Na") == (1,)
    assert allowed_charges("Ti") == (2, 3, 4)


def test_messages_name_the_nearest_sum():
    with pytest.raises(InputError, match=r"balance the anions \(6 per formula unit\)\. Got 4 as the nearest"):
        charges({"Ca": 1, "Sr": 1})
    with pytest.raises(InputError, match=r"every cation must have a Shannon radius. Got He"):
        charges({"Ca": 1, "He": 1})
