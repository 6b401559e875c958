"""Basic operations by name and by code."""

from __future__ import annotations

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.operations import (
    OPERATIONS,
    PAIR_OPERATIONS,
    UNARY_OPERATIONS,
    Expressions,
    resolve_operations,
)

X = np.array([[1.5, -2.0], [-0.5, 0.25], [3.0, 4.0]])
A, B = X.T

UNARY = {
    "inverse": 1 / A,
    "abs": np.abs(A),
    "inverse_abs": 1 / np.abs(A),
    "cbrt": np.cbrt(A),
    "square": A * A,
    "cube": A * A * A,
    "exp": np.exp(A),
    "exp_neg": np.exp(-A),
}
PAIR = {
    "sum": A + B,
    "inverse_sum": 1 / (A + B),
    "abs_sum": np.abs(A + B),
    "inverse_abs_sum": 1 / np.abs(A + B),
    "difference": A - B,
    "inverse_difference": 1 / (A - B),
    "abs_difference": np.abs(A - B),
    "inverse_abs_difference": 1 / np.abs(A - B),
    "product": A * B,
    "inverse_product": 1 / (A * B),
    "abs_product": np.abs(A * B),
    "inverse_abs_product": 1 / np.abs(A * B),
    "ratio": A / B,
}


def test_codes_are_places_in_the_mapping():
    assert [operation.code for operation in OPERATIONS.values()] == list(range(len(OPERATIONS)))
    assert (OPERATIONS["constant"].code, OPERATIONS["leaf"].code) == (0, 1)


@pytest.mark.parametrize("name", sorted(UNARY))
def test_unary_operation_computes_what_it_says(name):
    store = Expressions(["a", "b"])
    values = store.evaluate(UNARY_OPERATIONS[name].apply(store, store.leaf(0)), X)[:, 0]
    np.testing.assert_allclose(values, UNARY[name], rtol=1e-15)


@pytest.mark.parametrize("name", sorted(PAIR))
def test_pair_operation_computes_what_it_says(name):
    store = Expressions(["a", "b"])
    values = store.evaluate(PAIR_OPERATIONS[name].apply(store, store.leaf(0), store.leaf(1)), X)[:, 0]
    np.testing.assert_allclose(values, PAIR[name], rtol=1e-15)


def test_sqrt_and_log_of_positive_values():
    store = Expressions(["a"])
    ids = [UNARY_OPERATIONS[name].apply(store, 1) for name in ("sqrt", "log")]
    np.testing.assert_allclose(store.evaluate(ids, [[2.25]]), [[1.5, 0.8109302162163288]], rtol=1e-15)


def test_short_codes_are_the_long_names():
    pair = resolve_operations(["+", "-", "*", "r+", "a+", "b+", "r-", "a-", "b-"], pair=True, place="t")
    assert [operation.name for operation in pair] == [
        "sum", "difference", "product", "inverse_sum", "abs_sum", "inverse_abs_sum", "inverse_difference",
        "abs_difference", "inverse_abs_difference",
    ]  # fmt: skip
    unary = resolve_operations(["r", "a", "b", "ln"], pair=False, place="t")
    assert [operation.name for operation in unary] == ["inverse", "abs", "inverse_abs", "log"]


def test_repeated_operations_count_once():
    assert len(resolve_operations(["a", "abs", "a"], pair=False, place="t")) == 1


def test_unknown_operation_lists_near_names():
    with pytest.raises(
        InputError, match=r"generate: operations must be among inverse, abs.*Got 'invers'.*inverse"
    ):
        resolve_operations(["invers"], pair=False, place="generate")


def test_pair_operation_among_unary_is_sent_to_its_place():
    with pytest.raises(InputError, match=r"Got 'abs_sum'\. Put it into pair_operations\."):
        resolve_operations(["abs_sum"], pair=False, place="generate")
