"""Groups on columns, symmetrised descriptors, augmented tables."""

# ruff: noqa: RUF001
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.symbolic.generation import generate
from sozai.symbolic.operations import Expressions
from sozai.symbolic.symmetry import Symmetrizer, SymmetryGroup, as_group, augment

RNG = np.random.default_rng(0)
BINARY = ["x_A", "x_B", "M_A", "M_B", "MI_AB", "MI_BA"]


# -- making groups --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["A<->B", "A ↔ B", "Ａ＜－＞Ｂ", "x_A<->x_B, M_A<->M_B, MI_AB<->MI_BA"])
def test_exchange_from_text(text):
    assert SymmetryGroup.from_text(BINARY, text).permutations.tolist() == [
        [0, 1, 2, 3, 4, 5],
        [1, 0, 3, 2, 5, 4],
    ]


def test_tokens_inside_names():
    names = ["EA_A", "EA_B", "rA", "rB", "T", "M_AB", "M_BA", "V_A[0]", "V_B[0]"]
    assert SymmetryGroup.from_text(names, "A<->B").permutations[1].tolist() == [1, 0, 3, 2, 4, 6, 5, 8, 7]


def test_slots():
    names = ["M_P[0]", "M_P[1]", "M_I[0,1]", "M_I[1,0]", "x"]
    assert SymmetryGroup.from_slots(names).permutations.tolist() == [[0, 1, 2, 3, 4], [1, 0, 3, 2, 4]]
    three = SymmetryGroup.from_slots([f"M[{i}]" for i in range(3)])
    assert len(three) == 6
    assert len(SymmetryGroup.from_slots([f"M[{i}]" for i in range(4)], [(1, 2, 3, 0)])) == 4


def test_cycles_and_generators():
    names = ["p_A", "p_B", "p_C"]
    assert len(SymmetryGroup.from_text(names, "A->B->C")) == 3
    assert len(SymmetryGroup.from_text(names, "A<->B; B<->C")) == 6


def test_mapping_and_group_are_accepted():
    group = as_group({"x_A": "x_B"}, ["x_A", "x_B", "T"])
    assert group.permutations.tolist() == [[0, 1, 2], [1, 0, 2]]
    assert as_group(group, ["T", "x_B", "x_A"]).permutations.tolist() == [[0, 1, 2], [0, 2, 1]]
    assert as_group(None, ["a"]) is None


def test_given_elements_must_be_closed():
    rotation = (1, 2, 0)
    with pytest.raises(
        InputError, match=r"closed under composition\. Got '2 elements without \(a -> c -> b\)'"
    ):
        SymmetryGroup.from_elements("abc", [(0, 1, 2), rotation])
    assert len(SymmetryGroup.from_elements("abc", [(0, 1, 2), rotation, (2, 0, 1)])) == 3


def test_too_large_a_group_is_refused():
    with pytest.raises(InputError, match=r"at most 10000 elements\. Got 'more than \d+'"):
        SymmetryGroup.from_slots([f"M[{i}]" for i in range(8)])


@pytest.mark.parametrize(
    ("names", "text", "message"),
    [
        (["r_A", "x_A", "x_B"], "A<->B", r"Got 'r_B' \(the image of 'r_A'\), which is missing"),
        (["r_A", "r_B"], "C<->D", r"name columns or parts of columns \(r_A, r_B\)\. Got 'C<->D'"),
        (["r_A", "r_B"], "r_A<->r_C", r"be columns \(r_A, r_B\)\. Got 'r_C'"),
        (["r_A", "r_B"], "A", r"be exchanges such as 'A<->B' or cycles .*Got 'A'"),
        (["r_A", "r_B"], "A<->A", r"Got 'A<->A'"),
        (["a", "b", "c"], "a<->b, b<->c", r"Got 'a and c both onto 'b''|both onto"),
    ],
)
def test_text_errors(names, text, message):
    with pytest.raises(InputError, match=message):
        SymmetryGroup.from_text(names, text)


def test_other_errors():
    with pytest.raises(InputError, match=r"declare slots.*Got \('a', 'b'\)"):
        SymmetryGroup.from_slots(["a", "b"])
    with pytest.raises(InputError, match=r"Got 'M\[1\]' \(the image of 'M\[0\]'\), which is missing"):
        SymmetryGroup.from_slots(["M[0]", "x[0]", "x[1]"])
    with pytest.raises(InputError, match=r"permutation of the 2 columns\. Got \(0, 0\)"):
        SymmetryGroup.from_generators("ab", [(0, 0)])
    with pytest.raises(InputError, match=r"1 or -1 for each of the 1 generators\. Got \[2\]"):
        SymmetryGroup.from_generators("ab", [(1, 0)], [2])
    with pytest.raises(InputError, match=r"both \+1 and -1 for \(a -> b -> c\)|both \+1 and -1"):
        SymmetryGroup.from_generators("abc", [(1, 2, 0)], [-1])
    with pytest.raises(InputError, match=r"symmetry must be a text .*Got 3"):
        as_group(3, ["a"])
    with pytest.raises(InputError, match="missing: x_B"):
        as_group(SymmetryGroup.from_text(["x_A", "x_B"], "A<->B"), ["x_A"])


# -- symmetrised descriptors ----------------------------------------------------------------------


def test_first_order_identities():
    """S x_A = x_A + x_B, S M_I(A,B) = M_I(A,B) + M_I(B,A), S(x_A M_A) = x_A M_A + x_B M_B."""
    group, store = SymmetryGroup.from_text(BINARY, "A<->B"), Expressions(BINARY)
    mixed = store.add("multiply", store.leaf("x_A"), store.leaf("M_A"))
    sums = group.symmetrize(store, [store.leaf("x_A"), store.leaf("MI_AB"), mixed])
    assert store.texts(sums) == ["x_A + x_B", "MI_AB + MI_BA", "x_A*M_A + x_B*M_B"]
    x, m = sums[0], group.symmetrize(store, [store.leaf("M_A")])[0]
    assert sums[2] != store.add("multiply", x, m)
    gap = store.add("abs", store.add("subtract", 1, 2))
    assert group.apply(store, [gap], 1).tolist() == [gap]


def test_one_descriptor_per_orbit():
    made = generate(RNG.uniform(1, 2, (9, 4)), ["r_A", "r_B", "x_A", "x_B"], order=2, symmetry="A<->B")
    assert made.names == (
        "1",
        "r_A + r_B",
        "x_A + x_B",
        "r_A**2 + r_B**2",
        "r_A*r_B",
        "r_A*x_A + r_B*x_B",
        "r_A*x_B + r_B*x_A",
        "x_A**2 + x_B**2",
        "x_A*x_B",
    )


def test_pair_operations_under_exchange():
    made = generate(
        RNG.uniform(1, 2, (9, 2)),
        ["r_A", "r_B"],
        symmetry="A<->B",
        pair_operations=["sum", "abs_difference", "inverse_sum", "difference"],
    )
    assert made.names == ("1", "r_A + r_B", "abs(r_A - r_B)", "1/(r_A + r_B)")
    assert {"zero by symmetry", "duplicate"} == set(made.report["reason"])


def test_antisymmetric_target():
    group = SymmetryGroup.from_text(["a", "b"], "a<->b", sign=-1)
    made = generate(RNG.uniform(1, 2, (9, 2)), ["a", "b"], order=2, symmetry=group)
    assert made.names[1:] == ("a - b", "a**2 - b**2")


def test_descriptors_must_be_closed():
    with pytest.raises(InputError, match=r"Got 'abs\(r_A\)' whose image abs\(r_B\) is missing"):
        generate(
            RNG.normal(size=(5, 2)), ["r_A", "r_B"], operations=["abs"], columns=["r_A"], symmetry="A<->B"
        )


def test_descriptor_is_dropped_where_an_image_is_not_finite():
    X = pd.DataFrame({"r_A": [1.0, 2, 3], "r_B": [0.0, 1, 2]})
    made = generate(X, operations=["inverse"], symmetry="A<->B")
    assert made.names == ("1", "r_A + r_B")
    assert made.report.loc[0, ["reason", "operation", "count"]].tolist() == ["non-finite", "inverse", 2]


def test_symmetrizer():
    X = pd.DataFrame(RNG.uniform(1, 2, (6, 4)), columns=["r_A [Å]", "r_B [Å]", "x_A", "x_B"])
    made = Symmetrizer("A<->B", order=2).set_output(transform="pandas").fit(X)
    swapped = X[["r_B [Å]", "r_A [Å]", "x_B", "x_A"]].set_axis(X.columns, axis=1)
    np.testing.assert_allclose(made.transform(swapped), made.transform(X), rtol=1e-14)
    assert made.get_feature_names_out().tolist()[0] == "r_A + r_B"


@pytest.mark.parametrize("estimator", [Symmetrizer(), Symmetrizer(order=2)])
def test_symmetrizer_keeps_the_contract(estimator):
    check_estimator(estimator, on_skip=None)


# -- augmentation ---------------------------------------------------------------------------------


def test_augmented_rows():
    table = pd.DataFrame({"r_A": [1.0, 3, 4], "r_B": [2.0, 3, 5]}, index=["p", "q", "r"])
    more = augment(table, [5.0, 6.0, 7.0], "A<->B")
    assert more.X.to_numpy().tolist() == [[1, 2], [3, 3], [4, 5], [2, 1], [5, 4]]
    assert more.X.index.tolist() == ["p", "q", "r", "p", "r"]
    assert more.y.tolist() == [5, 6, 7, 5, 7]
    assert more.origin.tolist() == [0, 1, 2, 0, 2]
    assert more.weight.tolist() == [0.5, 1, 0.5, 0.5, 0.5]
    assert np.bincount(more.origin, more.weight).tolist() == [1, 1, 1]
    assert more.to_frame().shape == (5, 5)
    assert repr(more) == "AugmentedTable(5 rows from 3)"


def test_sign_of_the_images():
    group = SymmetryGroup.from_text(["a", "b"], "a<->b", sign=-1)
    assert augment(np.array([[1.0, 2.0]]), [3.0], group).y.tolist() == [3.0, -3.0]
    with pytest.warns(ConvergenceWarning, match=r"1 rows are their own images.*first row 1 with y = 4"):
        augment(np.array([[1.0, 2.0], [2.0, 2.0]]), [3.0, 4.0], group)


def test_contradicting_twins_are_named():
    X = np.array([[1.0, 2.0], [5.0, 6.0], [2.0, 1.0]])
    with pytest.warns(ConvergenceWarning, match=r"1 pairs of rows .*\(rows 0 and 2: 3 and 4\)"):
        more = augment(X, [3.0, 9.0, 4.0], SymmetryGroup.from_text(["a", "b"], "a<->b"))
    assert len(more.y) == 6


def test_augment_needs_a_symmetry():
    with pytest.raises(InputError, match=r"group must be a symmetry\. Got None"):
        augment([[1.0]], [1.0], None)


def test_text_exchanges_slots():
    names = ["M[0]", "M[1]", "I[0,1]", "I[1,0]", "T"]
    group = SymmetryGroup.from_text(names, "0<->1")
    assert group.permutations.tolist() == SymmetryGroup.from_slots(names).permutations.tolist()
    assert len(group) == 2
