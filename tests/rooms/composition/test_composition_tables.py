"""Amounts to fractions: sums, weights, and parts put together."""

import numpy as np
import pytest

from sozai.composition.composition_tables import Entries, Issue, parse_table
from sozai.contracts.errors import InputError


def test_parts_are_joined_with_their_rows():
    first = Entries(
        np.array([0, 1]), np.array([0], np.int32), np.array([1.0]), np.zeros(1), [Issue(0, "a", "b")]
    )
    second = Entries(
        np.array([0, 0, 2]),
        np.array([1, 2], np.int32),
        np.array([2.0, 3.0]),
        np.ones(2),
        [Issue(1, "c", "d")],
    )
    whole = Entries.joined([first, second])
    assert whole.indptr.tolist() == [0, 1, 1, 3]
    assert whole.codes.tolist() == [0, 1, 2]
    assert whole.charge.tolist() == [0, 1, 1]
    assert [issue.row for issue in whole.issues] == [0, 2]
    assert Entries.joined([first]) is first


def test_weights_are_known_for_elements_only():
    options = {"n_atoms": None, "place": "test", "on_error": "raise"}
    parsed = parse_table([[50.0, 50.0]], ("Fe", "Cr"), basis="wt%", **options)
    assert parsed.dense()[0, 0] == pytest.approx((1 / 55.845) / (1 / 55.845 + 1 / 51.996), rel=1e-14)
    assert parsed.n_atoms.tolist() == [100]
    with pytest.raises(InputError, match=r"name elements when basis='wt%'\. Got 'EO'"):
        parse_table([[50.0, 50.0]], ("Fe", "EO"), basis="wt%", **options)


def test_whole_formulas_are_told_from_fractions_with_a_gap():
    options = {"n_atoms": None, "place": "test", "on_error": "raise"}
    assert parse_table([[2.0, 3.0]], ("Fe", "O"), basis="amount", **options).n_atoms.tolist() == [5]
    with pytest.raises(InputError, match=r"the amounts sum to 0\.5"):
        parse_table([[0.2, 0.3]], ("Fe", "O"), basis="amount", **options)
