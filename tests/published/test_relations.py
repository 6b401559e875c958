"""Relations printed for Slater-Pauling alloys and octet binaries, and the ranks that follow from algebra.

Sources: H. Fujii, LIDG program and manual, version 0.4 (2024), example of 99 X-Fe alloys;
Y. Kanda, H. Fujii, T. Oguchi, Sci. Technol. Adv. Mater. 20, 1178 (2019), 82 octet binaries.
"""

from itertools import combinations, combinations_with_replacement
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sozai.datasets import load_calculated_radii
from sozai.symbolic.generation import generate
from sozai.symbolic.independence import IndependentDescriptors, find_relations
from sozai.symbolic.operations import Expressions
from sozai.symbolic.relations.exact_relations import exact_reduction
from sozai.symbolic.relations.residues import ExpressionColumns

PRIMARY = ["x", "M_A", "Z_A", "M_B", "Z_B", "M_AB", "M_BA"]


@pytest.fixture(scope="module")
def alloys(data_folder):
    """Target and the seven primary columns of the 99 rows."""
    lines = (data_folder / "symbolic" / "slater_pauling_99.dat").read_text(encoding="utf-8").splitlines()[1:]
    values = np.array([line.split()[1:] for line in lines], dtype=float)
    assert values.shape == (99, 8)
    return values[:, 0], values[:, 1:]


@pytest.fixture(scope="module")
def first_order(alloys):
    """The 44 columns x0...x7, a(x2)...a(x7), a(xi+xj), a(xi-xj), and their names in the printed form."""
    x = [np.ones(99), *alloys[1].T]
    pairs = list(combinations(range(2, 8), 2))
    columns = {f"x{i}": x[i] for i in range(8)}
    columns |= {f"a(x{i})": np.abs(x[i]) for i in range(2, 8)}
    columns |= {f"a(x{i}+x{j})": np.abs(x[i] + x[j]) for i, j in pairs}
    columns |= {f"a(x{i}-x{j})": np.abs(x[i] - x[j]) for i, j in pairs}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def first_relations(first_order):
    return find_relations(first_order, method="rref")


def scores(columns, target):
    """The printed scores of ordinary least squares, written out."""
    X = np.asarray(columns, dtype=float)
    m, p = X.shape
    q = np.linalg.qr(X / np.linalg.norm(X, axis=0))[0]
    e = target - q @ (q.T @ target)
    loo = e / (1 - (q**2).sum(axis=1))
    total, e2, eq2 = ((target - target.mean()) ** 2).sum(), e @ e, loo @ loo
    return {
        "e2": e2,
        "rmse": np.sqrt(e2 / m),
        "r2": 1 - e2 / total,
        "eq2": eq2,
        "q2": 1 - eq2 / total,
        "tr2": 1 - e2 / (target @ target),
        "tq2": 1 - eq2 / (target @ target),
        "aic": m * np.log(e2) + m + m * np.log(2 * np.pi / m) + 2 * p,
    }


def check(found, **printed):
    for name, value in printed.items():
        assert found[name] == pytest.approx(value, abs=1.001e-6), name


def test_first_order_rank_and_order_of_columns(first_relations):
    assert (first_relations.rank, first_relations.n_relations) == (10, 34)
    head = [0, 1, 2, 3, 6, 33, 17, 28, 40, 35]
    assert first_relations.order.tolist() == head + [k for k in range(44) if k not in head]


def test_first_order_printed_relations(first_relations):
    found = {r.dependent: r for r in first_relations.relations}
    assert found["x4"].basis == found["x5"].basis == ("x0",)
    assert found["x4"].coefficients == pytest.approx((2.2604,), abs=1e-12)
    assert found["x5"].coefficients == (8.0,)
    assert max(r.relative_residual for r in found.values()) < 1e-12


def test_first_order_subspace_lists(first_relations):
    assert [str(s) for s in first_relations.subspaces] == [
        "[a(x3), [x3]]",
        "[a(x2), [x2]]",
        "[x4, x5, a(x4), a(x5), a(x4+x5), a(x4-x5), [x0]]",
        "[a(x3+x6), a(x3-x6), [x3, x6]]",
        "[a(x2+x3), a(x2-x3), [x2, x3]]",
        "[a(x3+x4), a(x3+x5), a(x3-x4), [x0, x3]]",
        "[a(x4+x6), a(x5+x6), a(x4-x6), a(x5-x6), [x0, x6]]",
        "[a(x2+x4), a(x2+x5), a(x2-x4), a(x2-x5), [x0, x2]]",
        (
            "[x7, a(x6), a(x7), a(x2+x7), a(x3+x7), a(x4+x7), a(x5+x7), a(x2-x6), a(x3-x7), a(x5-x7), "
            "a(x6-x7), [x0, x2, x3, x6, a(x2-x7), a(x2+x6), a(x6+x7), a(x4-x7), a(x3-x5)]]"
        ),
    ]


def test_first_order_regression(first_order, first_relations, alloys):
    found = scores(first_order[list(first_relations.basis_names)], alloys[0])
    check(found, e2=6.026001, rmse=0.246716, r2=0.906386, eq2=7.552861, q2=0.882666)
    check(found, tr2=0.971003, tq2=0.963655, aic=23.845240)


def test_hand_chosen_basis_has_the_same_span(first_order, first_relations, alloys):
    chosen = ["x0", "x1", "x2", "x3", "x6", "x7", "a(x6)", "a(x6+x7)", "a(x2+x6)", "a(x7)"]
    assert first_relations.space.is_valid(chosen)
    assert first_relations.choose(chosen) == tuple(chosen)
    printed = scores(first_order[list(first_relations.basis_names)], alloys[0])
    for name, value in scores(first_order[chosen], alloys[0]).items():
        assert value == pytest.approx(printed[name], abs=1e-9), name
    check(scores(first_order[chosen[:-1]], alloys[0]), e2=6.043920, rmse=0.247082, q2=0.886105, aic=22.139194)


def test_hypervolumes(first_relations):
    printed = {
        "a(x6+x7)": 2.431384e-7,
        "a(x3-x5)": 6.671216e-8,
        "a(x4-x7)": 4.540304e-8,
        "a(x6-x7)": 4.403741e-9,
        "a(x2-x7)": 1.977179e-13,
    }
    fixed = ["x0", "x2", "x3", "x6", "x7", "a(x6)", "a(x2+x6)", "a(x7)"]
    ranked = first_relations.space.rank_choices(fixed, list(printed), 1)
    assert [choice for (choice,) in ranked["choice"]] == list(printed)
    for (choice,), volume in zip(ranked["choice"][:4], ranked["volume"][:4], strict=True):
        assert volume == pytest.approx(printed[choice], rel=1e-6), choice
    # a(x2-x7) lies in the span of the eight: its printed volume is the rounding of 0
    assert ranked["volume"][4] <= printed["a(x2-x7)"]
    assert not first_relations.space.is_valid([*fixed, "a(x2-x7)", "x1"])
    assert first_relations.space.is_valid([*fixed, "a(x6-x7)", "x1"])


def products(table, kept, factors, order):
    """Kept columns, then the products of ``order`` factors from the first-order list without the constant."""
    new = {
        "*".join(names): np.prod([table[name] for name in names], axis=0)
        for names in combinations_with_replacement(factors, order)
    }
    return pd.concat([kept, pd.DataFrame(new)], axis=1)


@pytest.mark.parametrize(
    ("chosen", "second", "third"),
    [
        (
            None,
            (55, 19, {"rmse": 0.141890, "q2": 0.944391, "aic": -67.685204}),
            (184, 28, {"rmse": 0.043300, "r2": 0.997116, "q2": 0.992703, "aic": -284.690920}),
        ),
        (
            ["x0", "x1", "x2", "x3", "x6", "x7", "a(x6)", "a(x6+x7)", "a(x2+x6)"],
            (45, 18, {"rmse": 0.141892, "q2": 0.948495, "aic": -69.682357}),
            (138, 27, {"rmse": 0.044781, "r2": 0.996916, "q2": 0.992727, "aic": -280.034296}),
        ),
    ],
    ids=["automatic", "pruned"],
)
def test_second_and_third_order(first_order, first_relations, alloys, chosen, second, third):
    chosen = list(first_relations.basis_names) if chosen is None else chosen
    factors = [name for name in chosen if name != "x0"]
    kept = first_order[chosen]
    for order, (n_columns, rank, printed) in ((2, second), (3, third)):
        table = products(first_order, kept, factors, order)
        assert table.shape[1] == n_columns
        relations = find_relations(table, method="rref")
        assert relations.rank == rank
        assert find_relations(table).rank == rank
        kept = table[list(relations.basis_names)]
        check(scores(kept, alloys[0]), **printed)


def test_generated_columns_are_the_printed_ones(first_order, alloys):
    made = generate(
        alloys[1],
        PRIMARY,
        operations=["abs"],
        pair_operations=["abs_sum", "abs_difference"],
        columns=PRIMARY[1:],
        keep_constant=True,
    )
    assert np.array_equal(made.values, first_order.to_numpy())
    table = find_relations(alloys[1], generated=made, method="exact")
    assert (table.rank, table.n_relations) == (10, 34)
    fractions = {r.dependent: (r.basis, r.fractions, r.holds) for r in table.relations}
    assert fractions["M_B"][0] == ("1",)
    assert [str(f) for f in fractions["M_B"][1]] == ["5651/2500"]  # 2.2604
    assert fractions["M_B"][2] == "in this sample"  # only because B is iron in every row
    assert fractions["abs(M_A)"] == (("M_A",), (1,), "always")


def every_operation(alloys, order):
    """|x|, |x_i ± x_j| and all finite reciprocals, with products."""
    return generate(
        alloys[1],
        PRIMARY,
        operations=["abs", "inverse_abs"],
        pair_operations=["abs_sum", "abs_difference", "inverse_abs_sum", "inverse_abs_difference"],
        keep_constant=True,
        order=order,
    )


def test_97_columns_have_rank_23_by_every_method(alloys):
    made = every_operation(alloys, 1)
    assert len(made) == 97
    columns = made.to_frame().to_numpy()
    unit = columns / np.linalg.norm(columns, axis=0)
    assert np.linalg.matrix_rank(unit, tol=1e-10) == 23
    for options in ({}, {"method": "exact"}, {"method": "rref", "tolerance": 1e-9, "pivot_tolerance": 1e-10}):
        assert find_relations(alloys[1], generated=made, **options).rank == 23


def test_4753_columns_have_full_row_rank(alloys):
    made = every_operation(alloys, 2)
    assert len(made) == 4753
    assert exact_reduction(ExpressionColumns(made.expressions, made.ids, alloys[1]), 4753).rank == 99


def test_order_k_has_rank_9k_plus_1(first_order, first_relations, alloys):
    # nine alloys: functions of the alloy span nine dimensions, times powers of x below k
    made = generate(
        alloys[1],
        PRIMARY,
        operations=["abs"],
        pair_operations=["abs_sum", "abs_difference"],
        columns=PRIMARY[1:],
        keep_constant=True,
        order=2,
    )
    table = IndependentDescriptors(method="exact").relate(alloys[1], made)
    assert table.rank == 19


@pytest.fixture(scope="module")
def octet(data_folder):
    """Calculated radii of A and B in the 82 binaries."""
    radius = load_calculated_radii().frame.set_index("element")["radius"]
    table = pd.read_csv(data_folder / "symbolic" / "octet82.csv")
    return np.column_stack([radius.loc[table["A"]], radius.loc[table["B"]]])


def octet_columns(octet, order):
    """1, S = r_A + r_B, D = |r_A - r_B|, 1/S and all products."""
    store = Expressions(["r_A", "r_B"])
    s = store.add("add", 1, 2)
    first = np.array([0, s, store.add("abs", store.add("subtract", 1, 2)), store.add("inverse", s)])
    ids = np.array(
        [
            np.asarray(_product(store, [int(first[k]) for k in factors]))
            for factors in combinations_with_replacement(range(4), order)
        ]
    )
    return SimpleNamespace(
        expressions=store,
        ids=ids,
        values=store.evaluate(ids, octet),
        names=tuple(f"column {k}" for k in range(ids.size)),
        complexity=np.arange(ids.size),
    )


def _product(store, factors):
    result = factors[0]
    for factor in factors[1:]:
        result = store.add("multiply", result, factor)
    return result


@pytest.mark.parametrize("order", range(1, 9))
def test_octet_ranks_are_squares_and_relations_identities(octet, order):
    made = octet_columns(octet, order)
    n = made.ids.size
    assert n == [4, 10, 20, 35, 56, 84, 120, 165][order - 1]
    table = find_relations(octet, generated=made, method="exact")
    assert table.rank == (order + 1) ** 2
    assert table.n_relations == n - (order + 1) ** 2
    assert set(table.holds) <= {"always"}
    assert table.generic_rank == (order + 1) ** 2


@pytest.mark.parametrize("order", range(1, 7))
def test_octet_ranks_in_floating_point_up_to_order_six(octet, order):
    table = find_relations(octet_columns(octet, order).values, names=None, prefer="input")
    assert table.rank == (order + 1) ** 2
    assert table.residuals[table.dependents].max(initial=0) < 1e-15
    if order == 6:
        assert table.residuals[table.basis].min() == pytest.approx(7e-10, rel=0.1)
