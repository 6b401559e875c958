"""Rungs: every feature of the definition, each once, everything dropped counted."""

import tracemalloc
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.search.rungs import grow


def table(m=12, n=4, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 2.0, size=(m, n))


def distinct(rows):
    """Rows that differ by more than 1e-10, up to sign."""
    kept = []
    for row in rows:
        norm = np.linalg.norm(row)
        if all(min(np.linalg.norm(row - k), np.linalg.norm(row + k)) > 1e-10 * norm for k in kept):
            kept.append(row)
    return np.array(kept)


def by_definition(X, rung, unary, pairs):
    """Features by the definition: functions of all, pairs of all, nothing remembered but the values."""
    features = list(X.T)
    for _ in range(rung):
        made = [f(x) for f in unary for x in features]
        for operation, ordered in pairs:
            chosen = permutations(features, 2) if ordered else combinations(features, 2)
            made += [operation(a, b) for a, b in chosen]
        made = [f for f in made if np.isfinite(f).all() and np.ptp(f) > 1e-12 * np.abs(f).max()]
        features = list(distinct(features + made))
    return np.array(features)


@pytest.mark.parametrize(("rung", "columns"), [(0, 4), (1, 4), (2, 3)])
def test_values_are_those_of_the_definition(rung, columns):
    X = table(n=columns)
    made = grow(X, operations=["square"], pair_operations=["sum", "product", "ratio"], rung=rung)
    pairs = [(np.add, False), (np.multiply, False), (np.divide, True)]
    expected = by_definition(X, rung, [np.square], pairs)
    assert len(made) == len(expected)
    ours, theirs = (rows[np.lexsort(np.round(rows, 8).T)] for rows in (made.values, expected))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert made.values.flags.c_contiguous
    assert made.rung.max() == rung


def test_values_are_those_of_the_formulas():
    X = table()
    pairs = ["sum", "abs_difference", "inverse_product", "ratio"]
    made = grow(X, operations=["exp", "inverse"], pair_operations=pairs, rung=2, max_complexity=6)
    np.testing.assert_allclose(made.values, made.expressions.evaluate(made.ids, X).T, rtol=1e-9)
    assert len(set(made.names)) == len(made)
    assert (made.expressions.complexity[made.ids] <= 6).all()


def test_arguments_may_come_from_one_rung():
    made = grow(table(n=4), ["A", "B", "C", "D"], pair_operations=["sum", "ratio"], rung=3, max_complexity=7)
    assert "A/(B + C + D)" in made.names
    assert "(A + B)/(C + D)" in made.names


def test_rungs_are_in_order_of_birth():
    made = grow(table(n=3), pair_operations=["sum", "product"], rung=2)
    assert made.rung.tolist() == sorted(made.rung.tolist())
    assert made.names[:3] == ("x0", "x1", "x2")
    frame = made.to_frame()
    assert frame["formula"].tolist() == list(made.names)
    assert repr(made).startswith(f"Rungs({len(made)} features, rung 2")


def counts(made):
    return {(r.reason, r.operation): r.count for r in made.report.itertuples()}


def test_a_number_in_front_is_taken_off():
    made = grow(table(n=2), ["a", "b"], pair_operations=["sum", "difference"], rung=2)
    assert not any(
        name.startswith(("2*", "-")) and "+" not in name and " - " not in name for name in made.names
    )
    assert made.names[:2] == ("a", "b")
    assert counts(made)["duplicate", "sum"] == 2  # (a + b) + (a - b) = 2*a, b + (a - b) = a


def test_sums_need_equal_units_and_groups():
    X = pd.DataFrame(table(n=4), columns=["E", "F", "r", "s"])
    units = {"E": "eV", "F": "eV", "r": "Å", "s": "Å"}
    options = {"operations": ["exp"], "pair_operations": ["sum", "product"], "dimensions": units}
    made = grow(X, **options)
    assert [name for name in made.names if "+" in name] == ["E + F", "r + s"]
    report = counts(made)
    assert report["illegal dimension", "sum"] == 4
    assert report["illegal dimension", "exp"] == 4
    examples = made.report.set_index(["reason", "operation"])["examples"]
    assert examples["illegal dimension", "exp"][0] == "exp(E)"
    grouped = grow(X, **options, groups=[["r"], ["s"]])
    assert [name for name in grouped.names if "+" in name] == ["E + F"]
    assert counts(grouped)["illegal dimension", "sum"] == 5


def test_what_is_dropped_is_counted_by_reason():
    X = table(n=5)
    X[3, 1] = 0.0
    X[:, 2] = 1 - X[:, 0]
    X[:, 3] *= 800
    made = grow(
        X,
        ["a", "b", "c", "d", "e"],
        operations=["inverse", "exp"],
        pair_operations=["sum"],
        domain={"e": (-1, 3)},
    )
    report = counts(made)
    assert report["non-finite", "inverse"] == 1  # 1/b
    assert report["overflow", "exp"] == 1  # exp(d)
    assert report["constant", "sum"] == 1  # a + c
    assert report["singular inside the domain", "inverse"] == 1  # 1/e
    examples = made.report.set_index(["reason", "operation"])["examples"]
    assert examples["singular inside the domain", "inverse"] == ("1/e",)
    assert np.isfinite(made.values).all()


def test_equal_columns_and_equal_values_are_kept_once():
    X = table(n=3)
    X[:, 2] = X[:, 0]
    made = grow(X, ["a", "b", "c"], pair_operations=["product"])
    assert made.names == ("a", "b", "a*b")
    assert counts(made) == {("equal values", "column"): 1}
    X[:, 2] = X[:, 0] * X[:, 1]
    made = grow(X, ["a", "b", "c"], operations=["square"], pair_operations=["product"])
    assert "a*b" not in made.names
    assert counts(made) == {("equal values", "product"): 1}


def test_complexity_is_limited():
    made = grow(table(n=3), operations=["exp", "square"], pair_operations=["sum"], rung=2, max_complexity=3)
    assert made.complexity.max() == 3
    assert "exp(x0)" in made.names
    assert "x0**2 + x1" not in made.names


def test_limits_are_checked_before_anything_is_made():
    X = table(n=4)
    options = {"pair_operations": ["sum", "product", "ratio"], "rung": 2}
    # rung 1: 4 + 6 + 6 + 12 = 28; rung 2: 28 + (378 - 6) * (1 + 1 + 2)
    with pytest.raises(
        InputError, match=r"rung 2 must fit into max_features=100\. Got 1516 features of 12 rows"
    ):
        grow(X, **options, max_features=100)
    with pytest.raises(
        InputError, match=r"rung 2 must fit into memory_limit=1e\+05 bytes.*raise memory_limit"
    ):
        grow(X, **options, memory_limit=1e5)


def test_memory_stays_near_what_is_kept():
    X = table(m=400, n=6)
    options = {"operations": ["square"], "pair_operations": ["sum", "abs_difference", "product", "ratio"]}
    grow(X[:10], **options, rung=2)
    tracemalloc.start()
    made = grow(X, **options, rung=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(made) > 5000
    assert peak < 2.5 * made.values.nbytes + 30e6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operations": ["sin"]}, "operations must be among"),
        ({"rung": -1}, r"rung must lie in 0\.\.\.100\. Got -1"),
        ({"dimensionless": ["z"]}, "name columns"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(InputError, match=message):
        grow(table(n=2), **options)


def test_columns_that_never_vary():
    with pytest.raises(InputError, match=r"have a column that varies\. Got '2 constant columns'"):
        grow(np.ones((4, 2)))
    with pytest.raises(InputError, match=r"NaN .*row 1, column 'b'"):
        grow(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, np.nan]}))
