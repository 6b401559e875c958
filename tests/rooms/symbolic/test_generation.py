"""Descriptors from a table: order, counts, limits, drops, transformers."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator

from sozai.contracts.errors import ExtrapolationWarning, InputError
from sozai.symbolic.generation import (
    BasicOperations,
    DirectProducts,
    count_products,
    generate,
    iterate_products,
)
from sozai.symbolic.operations import parse_expression

RNG = np.random.default_rng(0)
DATA = Path(os.environ.get("SOZAI_DATA", "missing")) / "symbolic" / "slater_pauling_99.dat"


# -- order and counts -----------------------------------------------------------------------------


def test_published_column_order():
    """Order of the 44 columns of the binary-alloy example: primaries, a, a+, a-."""
    names = ["x", *(f"x{j}" for j in range(2, 8))]
    X = RNG.uniform(-2, 2, (30, 7))
    made = generate(X, names, operations=["a"], pair_operations=["a+", "a-"], columns=names[1:])
    pairs = list(itertools.combinations(names[1:], 2))
    assert made.names == (
        "1",
        *names,
        *(f"abs({n})" for n in names[1:]),
        *(f"abs({a} + {b})" for a, b in pairs),
        *(f"abs({a} - {b})" for a, b in pairs),
    )
    assert len(made) == 44


@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
def test_published_basis_order_follows_from_the_columns():
    """Complete pivoting of the 44 alloy columns brings forward 0,1,2,3,6,33,17,28,40,35 (LIDG manual)."""
    table = pd.read_csv(DATA, sep=r"\s+").drop(columns="M")
    table.columns = ["x", *(f"x{j}" for j in range(2, 8))]
    made = generate(
        table, operations=["a"], pair_operations=["a+", "a-"], columns=table.columns[1:], keep_constant=True
    )
    X = made.values / np.linalg.norm(made.values, axis=0)
    order, weak = np.arange(44), 1 / (100 * np.sqrt(99))
    for i in range(44):
        row = i + np.argmax(np.abs(X[i:, i]))
        if abs(X[row, i]) <= weak:
            largest = np.abs(X[i:, i:]).max()
            if largest <= weak / 100:
                break
            column = i + int(np.argmax((np.abs(X[i:, i:]) == largest).any(axis=0)))
            move = [*range(i), column, *(j for j in range(i, 44) if j != column)]
            X, order = X[:, move], order[move]
            row = i + np.argmax(np.abs(X[i:, i]))
        X[[i, row]] = X[[row, i]]
        X[i] /= X[i, i]
        others = np.arange(99) != i
        X[others] -= np.outer(X[others, i], X[i])
    assert order[:10].tolist() == [0, 1, 2, 3, 6, 33, 17, 28, 40, 35]
    assert i == 10


@pytest.mark.parametrize(("n", "k"), [(3, 1), (4, 2), (3, 4), (5, 3)])
def test_products_are_all_multisets_in_lexicographic_order(n, k):
    X = RNG.normal(size=(6, n))
    made = generate(X, order=k, cumulative=False)
    multisets = list(itertools.combinations_with_replacement(range(n), k))
    assert len(made) - 1 == len(multisets) == math.comb(n + k - 1, k)
    expected = np.column_stack([np.prod(X[:, list(members)], axis=1) for members in multisets])
    np.testing.assert_allclose(made.values[:, 1:], expected, rtol=1e-13)
    assert (made.values[:, 0] == 1).all()
    assert made.values.flags.f_contiguous
    assert set(made.order[1:].tolist()) == {k}


def test_cumulative_orders_are_appended():
    made = generate(RNG.normal(size=(5, 2)), ["a", "b"], order=3)
    assert made.names == ("1", "a", "b", "a**2", "a*b", "b**2", "a**3", "a**2*b", "a*b**2", "b**3")


def test_octet_counts():
    """Raw columns of {S, D, 1/S}: C(k+3, 3) = 4, 10, 20, 35 with the constant, identities kept."""
    r_A, r_B = RNG.uniform(1, 2, (2, 40))
    X = np.column_stack([r_A + r_B, np.abs(r_A - r_B), 1 / (r_A + r_B)])
    assert [len(generate(X, "SDI", order=k, keep_constant=True)) for k in (1, 2, 3, 4)] == [4, 10, 20, 35]


def test_values_are_those_of_the_expressions():
    X = RNG.uniform(0.5, 2, (9, 3))
    made = generate(X, "abc", operations=["sqrt", "exp_neg"], pair_operations=["ratio", "r-"], order=2)
    np.testing.assert_array_equal(made.values, made.expressions.evaluate(made.ids, X))
    for k in (5, 20, 60):
        np.testing.assert_allclose(
            parse_expression(made.names[k], "abc").evaluate(X), made.values[:, k], rtol=1e-13
        )
    assert len(set(made.names)) == len(made)


def test_ratio_is_made_both_ways():
    made = generate(RNG.uniform(1, 2, (4, 2)), "ab", pair_operations=["ratio"])
    assert made.names == ("1", "a", "b", "a/b", "b/a")


# -- drops ----------------------------------------------------------------------------------------


def report_of(made):
    return {(row.reason, row.operation): (row.count, row.examples) for row in made.report.itertuples()}


def test_drops_are_counted_by_reason():
    X = pd.DataFrame(
        {"z": [0.0, 0, 0], "k": [2.0, 2, 2], "u": [0.0, 1, 2], "h": [1e200, 2e200, 3e200], "w": [-1.0, 1, 3]}
    )
    made = generate(X, operations=["inverse", "log", "square"])
    found = report_of(made)
    assert found["zero", "column"] == (1, ("z",))
    assert found["constant", "column"] == (1, ("k",))
    assert found["non-finite", "inverse"] == (2, ("1/z", "1/u"))
    assert found["non-finite", "log"] == (3, ("log(z)", "log(u)", "log(w)"))
    assert found["overflow", "square"] == (1, ("h**2",))
    assert "1/k" not in made.names
    assert "1/w" in made.names
    assert made.unsafe[made.names.index("1/w")]
    assert not made.unsafe[made.names.index("1/h")]


def test_constant_columns_are_kept_for_relations():
    X = pd.DataFrame({"z": [0.0, 0, 0], "k": [2.0, 2, 2], "u": [0.5, 1, 2]})
    assert generate(X, keep_constant=True).names == ("1", "k", "u")


def test_declared_domain_drops_singular_operations():
    X = pd.DataFrame({"x": [0.25, 0.5, 0.75], "y": [1.0, 2, 5]})
    made = generate(X, operations=["inverse"], domain={"x": (0, 1), "y": (1, 9)})
    assert report_of(made) == {("singular inside the domain", "inverse"): (1, ("1/x",))}
    assert made.names == ("1", "x", "y", "1/y")


def test_duplicates_are_kept_once():
    made = generate(RNG.normal(size=(4, 2)), "ab", pair_operations=["product"], order=2)
    assert report_of(made)["duplicate", "product"] == (1, ("a*b",))
    assert len(made) == 1 + 3 + 6 - 1


def test_products_of_dropped_products_are_made():
    X = np.array([[1.0, 2.0], [2.0, 1.0], [4.0, 0.5]])
    made = generate(X, "ab", order=3)
    assert report_of(made)["constant", "product"] == (1, ("a*b",))
    assert "a**2*b" in made.names


# -- dimensions -----------------------------------------------------------------------------------


def test_illegal_sums_are_never_made():
    X = pd.DataFrame(RNG.uniform(1, 2, (5, 4)), columns=["r", "s", "E", "n"])
    made = generate(X, pair_operations=["sum", "ratio"], dimensions={"r": "Å", "s": "Å", "E": "eV"})
    assert [name for name in made.names if "+" in name] == ["r + s"]
    count, examples = report_of(made)["illegal dimension", "sum"]
    assert (count, examples[0]) == (5, "sum(r, E)")
    assert sum("/" in name for name in made.names) == 12


def test_dimensionless_and_groups():
    X = pd.DataFrame(RNG.uniform(1, 2, (5, 4)), columns=["r", "a", "n", "m"])
    units = {"r": "Å", "a": "Å"}
    made = generate(
        X, pair_operations=["+"], dimensions=units, dimensionless=["n", "m"], groups=[["r"], ["a"]]
    )
    assert made.names[5:] == ("n + m",)
    made = generate(X, operations=["exp"], dimensions=units, dimensionless=["n"])
    assert made.names[5:] == ("exp(n)",)


def test_without_units_everything_is_allowed():
    assert (
        len(generate(RNG.uniform(1, 2, (5, 3)), pair_operations=["+"], operations=["exp"])) == 1 + 3 + 3 + 3
    )


# -- limits and errors ----------------------------------------------------------------------------


def test_too_many_columns_are_refused_before_they_are_made():
    with pytest.raises(
        InputError, match=r"max_features=1,000,000 columns\. Got 29583961 columns \(28\.2 GB\)"
    ):
        generate(RNG.normal(size=(99, 560)), order=3)
    with pytest.raises(
        InputError, match=r"memory_limit=1e\+06 bytes \(1 MB\)\. Got 5151 columns of 99 rows, about 4\.9"
    ):
        generate(RNG.normal(size=(99, 100)), order=2, memory_limit=1e6)
    with pytest.raises(InputError, match="basic operations must make at most max_features=10 columns"):
        generate(RNG.normal(size=(9, 8)), pair_operations=["+"], max_features=10)


def test_argument_errors():
    X = RNG.normal(size=(5, 2))
    with pytest.raises(InputError, match=r"columns must name columns \(a, b\)\. Got 'c'"):
        generate(X, "ab", columns=["c"])
    with pytest.raises(InputError, match=r"dimensionless must name columns \(a, b\)\. Got 'c'"):
        generate(X, "ab", dimensionless=["c"])
    with pytest.raises(InputError, match=r"groups must hold every column at most once\. Got 'a'"):
        generate(X, "ab", groups=[["a"], ["a", "b"]])
    with pytest.raises(InputError, match=r"order must be at least 1\. Got 0"):
        generate(X, order=0)
    with pytest.raises(InputError, match="first at row 1, column 'b'"):
        generate([[1.0, 2.0], [1.0, np.nan]], "ab")


def test_wide_scales_work():
    X = RNG.uniform(1, 2, (5, 2)) * [1e150, 1e-150]
    made = generate(X, "ab", order=2)
    assert made.names == ("1", "a", "b", "a**2", "a*b", "b**2")


# -- products by blocks ---------------------------------------------------------------------------


@pytest.mark.parametrize("block_bytes", [1, 500, 1e9])
def test_streamed_products_are_the_stored_ones(block_bytes):
    X = RNG.normal(size=(7, 5))
    whole = generate(X, order=4, cumulative=False).values[:, 1:]
    blocks = list(iterate_products(X, 4, block_bytes=block_bytes))
    np.testing.assert_array_equal(np.hstack([block.values for block in blocks]), whole)
    assert [block.start for block in blocks] == np.cumsum([0, *(len(b.factors) for b in blocks)])[
        :-1
    ].tolist()
    multisets = list(itertools.combinations_with_replacement(range(5), 4))
    assert np.vstack([block.factors for block in blocks]).tolist() == [list(m) for m in multisets]


def test_ranges_of_products_join():
    X = RNG.normal(size=(3, 6))
    whole = np.hstack([block.values for block in iterate_products(X, 3)])
    parts = [next(iterate_products(X, 3, start=k, stop=k + 7)).values for k in range(0, 56, 7)]
    np.testing.assert_array_equal(np.hstack(parts), whole)
    with pytest.raises(InputError, match=r"order must be at least 1\. Got 0"):
        next(iterate_products(X, 0))


def test_counts():
    assert [count_products(97, k) for k in (1, 2, 3)] == [97, 4753, 156849]


# -- transformers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [BasicOperations(), BasicOperations((), pair_operations=["ratio"]), DirectProducts(), DirectProducts(3)],
)
def test_transformers_keep_the_contract(estimator):
    check_estimator(estimator, on_skip=None)


def test_transformer_names_units_and_pandas():
    X = pd.DataFrame({"r_A [Å]": [1.0, 2, 4], "r_B [nm]": [0.1, 0.3, 0.2], "E [eV]": [1.0, 3, 2]})
    made = BasicOperations((), pair_operations=["+"]).set_output(transform="pandas").fit(X)
    table = made.transform(X)
    assert table.columns.tolist() == ["r_A", "r_B", "E", "r_A + r_B"]
    np.testing.assert_allclose(table["r_A + r_B"], [2.0, 5.0, 6.0])
    assert made.generation_report_["reason"].tolist() == ["illegal dimension"]
    assert [str(expression) for expression in made.expressions_[:2]] == ["r_A", "r_B"]


def test_singular_new_rows_become_nan_with_a_warning():
    made = BasicOperations(["inverse"], pair_operations=[]).fit([[1.0], [2.0], [4.0]])
    with pytest.warns(ExtrapolationWarning, match=r"1 values in 1 descriptors are not defined.*1/x0"):
        values = made.transform([[0.0], [5.0]])
    np.testing.assert_array_equal(values, [[0.0, np.nan], [5.0, 0.2]])


@pytest.mark.slow
def test_products_of_three_from_97_columns():
    made = generate(RNG.uniform(1, 2, (99, 97)), order=3, cumulative=False)
    assert len(made) == 156_850
    assert made.names[-1] == "x96**3"
