"""Ties: affine maps with names, circles refused with the chain, bounds carried to the free parameters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.spectra.peaks.ties import (
    D_RATIO,
    F_RATIO,
    P_RATIO,
    Doublet,
    Expression,
    compile_ties,
    of,
    tie,
)

NAMES = ("a.position", "a.fwhm", "a.area_gauss", "a.area_lorentz", "b.position", "b.fwhm", "b.area_gauss",
         "b.area_lorentz", "c.position")  # fmt: skip


def test_ratios_follow_from_the_number_of_electrons():
    for ratio, orbital in ((P_RATIO, 1), (D_RATIO, 2), (F_RATIO, 3)):
        low, high = 2 * (orbital - 0.5) + 1, 2 * (orbital + 0.5) + 1
        assert ratio == pytest.approx(low / high, rel=1e-15)


def test_arithmetic_is_that_of_affine_functions():
    a, b = of("a.area"), of("b.area")
    expression = (3 + 2 * a - b / 4 - 1) * 0.5 + (-a) + (5 - b)
    assert dict(expression.terms) == {"a.area": 0.0, "b.area": -1.125}
    assert expression.constant == 6.0
    assert repr(2 * a - b + 0.25) == "Expression(2 a.area - b.area + 0.25)"
    assert repr(-a) == "Expression(-a.area)"
    assert repr(Expression((), -2.0)) == "Expression(-2)"


def test_a_doublet_ties_all_internal_parameters():
    doublet = Doublet(0.6, P_RATIO, width_ratio=1.1)
    table = compile_ties(NAMES, doublet.ties("a", "b", ("position", "fwhm", "area_gauss", "area_lorentz")))
    assert table.free_names == ("a.position", "a.fwhm", "a.area_gauss", "a.area_lorentz", "c.position")
    theta = table.T @ [99.0, 0.8, 10.0, 4.0, 1.0] + table.t0
    np.testing.assert_allclose(theta, [99.0, 0.8, 10.0, 4.0, 99.6, 0.88, 5.0, 2.0, 1.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("fixed", "tied"),
    [(("splitting",), {"b.position"}), ("ratio", {"b.area"}), (("width_ratio",), {"b.fwhm"}), ((), set())],
)
def test_what_a_doublet_does_not_fix_is_free(fixed, tied):
    ties = Doublet(0.6, 0.5, fixed=fixed).ties("a", "b", ("position", "fwhm", "area"))
    assert {one.name for one in ties} == tied


def test_other_parameters_of_a_doublet_are_common():
    (one,) = Doublet(0.6, 0.5, fixed=()).ties("a", "b", ("asymmetry", "position"))
    assert one == tie("b.asymmetry", "a.asymmetry")


def test_a_whole_area_stands_for_both_parts():
    table = compile_ties(NAMES, [tie("b.area", 0.5 * of("a.area"))])
    assert "b.area_gauss" not in table.free_names
    assert "b.area_lorentz" not in table.free_names
    theta = dict(zip(NAMES, table.T @ np.arange(1.0, 8.0) + table.t0, strict=True))
    assert theta["b.area_gauss"] == 0.5 * theta["a.area_gauss"]
    assert theta["b.area_lorentz"] == 0.5 * theta["a.area_lorentz"]


def test_chains_of_ties_are_followed():
    ties = [tie("c.position", of("b.position") + 1), tie("b.position", 2 * of("a.position") - 3)]
    table = compile_ties(NAMES, ties, fixed={"a.position": 10.0})
    values = dict(zip(NAMES, table.t0, strict=True))
    assert (values["a.position"], values["b.position"], values["c.position"]) == (10.0, 17.0, 18.0)
    assert not table.T[[0, 4, 8]].any()


@settings(max_examples=25)
@given(
    st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    st.floats(-4, 4),
)
def test_every_tie_holds_for_every_free_vector(factors, free, constant):
    names = ("p.x", "q.x", "r.x", "s.x", "t.x")
    ties = [
        tie("s.x", factors[0] * of("p.x") + factors[1] * of("q.x") + constant),
        tie("t.x", factors[2] * of("s.x") - factors[3] * of("r.x")),
    ]
    table = compile_ties(names, ties)
    p, q, r, s, t = table.T @ free + table.t0
    assert [p, q, r] == free
    np.testing.assert_allclose(s, factors[0] * p + factors[1] * q + constant, atol=1e-12)
    np.testing.assert_allclose(t, factors[2] * s - factors[3] * r, atol=1e-12)


def test_bounds_of_tied_parameters_meet_on_the_free_one():
    table = compile_ties(
        ("a.x", "b.x"), [tie("b.x", 10 - 2 * of("a.x"))], bounds={"a.x": (0.0, None), "b.x": (2.0, 12.0)}
    )
    assert table.lower.tolist() == [0.0]
    assert table.upper.tolist() == [4.0]


def test_projection_is_the_nearest_point_that_obeys_the_ties():
    table = compile_ties(("a.x", "b.x"), [tie("b.x", 2 * of("a.x"))], bounds={"a.x": (0.0, 1.5)})
    np.testing.assert_allclose(table.project([[1.0, 2.0], [0.0, 1.0]]), [[1.0, 2.0], [0.4, 0.8]], atol=1e-12)
    np.testing.assert_allclose(table.project([9.0, 9.0]), [1.5, 3.0])


def test_a_circle_is_refused_with_its_chain():
    ties = [tie("a.fwhm", "b.fwhm"), tie("b.fwhm", 2 * of("c.position")), tie("c.position", "a.fwhm")]
    with pytest.raises(InputError, match=r"a\.fwhm -> b\.fwhm -> c\.position -> a\.fwhm"):
        compile_ties(NAMES, ties)
    with pytest.raises(InputError, match=r"a\.fwhm -> a\.fwhm"):
        compile_ties(NAMES, [tie("a.fwhm", of("a.fwhm") + 1)])


def test_unknown_names_are_refused_with_the_tie():
    with pytest.raises(InputError, match=r"Got 'd\.fwhm' in Tie\(a\.fwhm = 2 d\.fwhm\)"):
        compile_ties(NAMES, [tie("a.fwhm", 2 * of("d.fwhm"))])
    with pytest.raises(InputError, match=r"fixed must name parameters out of a\.position, .* Got 'x\.y'"):
        compile_ties(NAMES, fixed={"x.y": 1.0})
    with pytest.raises(InputError, match=r"bounds must name .* Got 'x\.y'"):
        compile_ties(NAMES, bounds={"x.y": (0.0, 1.0)})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: of(3), r"of: name must be text\. Got 3"),
        (lambda: tie("a.x", [1.0]), r"affine in of\(name\), a name or a number\. Got \[1\.0\]"),
        (lambda: of("a.x") * of("b.x"), r"affine in the parameters\. Got '\(Expression\(a\.x\)\) \* "),
        (lambda: of("a.x") / of("b.x"), r"affine in the parameters"),
        (lambda: of("a.x") / 0, r"the divisor must not be 0\. Got 0"),
        (lambda: Doublet(0.6, -0.5), r"Doublet: ratio must be positive and finite\. Got -0\.5"),
        (lambda: Doublet(np.nan, 0.5), r"splitting must be finite\. Got nan"),
        (lambda: Doublet(0.6, 0.5, fixed=("area",)), r"out of splitting, ratio, width_ratio\. Got 'area'"),
        (
            lambda: compile_ties(NAMES, [tie("a.fwhm", 2), tie("a.fwhm", 3)]),
            r"tied or fixed once\. Got Tie\(a\.fwhm = 3\) beside Tie\(a\.fwhm = 2\)",
        ),
        (
            lambda: compile_ties(NAMES, [tie("b.area", 0.5 * of("a.area") + 3)]),
            r"without a constant\. Got Tie\(b\.area = 0\.5 a\.area \+ 3\)",
        ),
        (lambda: compile_ties(NAMES, [tie("b.fwhm", of("a.area"))]), r"join peaks of the same shape"),
        (lambda: compile_ties(NAMES, fixed={"a.fwhm": np.inf}), r"finite\. Got inf for 'a\.fwhm'"),
        (
            lambda: compile_ties(NAMES, fixed={"a.fwhm": 5.0}, bounds={"a.fwhm": (1, 2)}),
            r"in its bounds \[1, 2\]\. Got 5\.0 for 'a\.fwhm'",
        ),
        (lambda: compile_ties(NAMES, bounds={"a.fwhm": (3, 2)}), r"Got \(3, 2\) for 'a\.fwhm'"),
        (
            lambda: compile_ties(
                NAMES, [tie("b.fwhm", "a.fwhm")], bounds={"a.fwhm": (0, 1), "b.fwhm": (2, 3)}
            ),
            r"leave room for all tied parameters\. Got \(2\.0, 1\.0\) for 'a\.fwhm'",
        ),
        (
            lambda: compile_ties(
                NAMES, [tie("c.position", of("a.position") + of("b.position"))], bounds={"c.position": (0, 1)}
            ),
            r"follow from one free one\. Got 'c\.position' which follows from a\.position, b\.position",
        ),
    ],
)
def test_refusals_name_what_came(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_names_are_never_code():
    evil = "__import__('os').getcwd()"
    assert of(evil).terms == ((evil, 1.0),)
    with pytest.raises(InputError, match="name parameters out of"):
        compile_ties(NAMES, [tie("a.fwhm", evil)])
