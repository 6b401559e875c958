"""Limits of fitted laws: truths by hand, units, multipliers, extrapolation, singular places, targets."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, UnitError
from sozai.contracts.estimator import NotFittedError
from sozai.symbolic import AllTerms, Exhaustive, SymbolicRegressor
from sozai.symbolic.limit_region import read_region
from sozai.symbolic.limits import limits
from sozai.symbolic.reach import reach


def fitted(columns, target, name="y", n=40, seed=0, noise=0.0, low=0.0, high=1.0, **options):
    """Law fitted to random rows of a function of named columns."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({label: rng.uniform(low, high, n) for label in columns})
    X.iloc[0], X.iloc[1] = low, high  # so that the training ranges are known
    y = pd.Series(target(*X.to_numpy().T) + noise * rng.normal(size=n), name=name)
    return SymbolicRegressor(**options).fit(X, y), X, y


@pytest.fixture(scope="module")
def triangle():
    """Area of triangles with base up to 3 m and height up to 3 m."""
    return fitted(["base [m]", "height [m]"], lambda b, h: b * h / 2, "area [m^2]", high=3.0)[0]


@pytest.fixture(scope="module")
def mixture():
    """Product of two fractions."""
    return fitted(["x_A", "x_B"], lambda a, b: a * b)[0]


def test_the_triangle(triangle):
    found = limits(triangle, {"base": (0, 2), "height": (0, 2.5)})
    assert found.value == pytest.approx(0.5 * 2 * 2.5, rel=1e-9)
    assert found.x == {"base": 2.0, "height": 2.5}
    assert found.multipliers == pytest.approx({"base <= 2": 2.5 / 2, "height <= 2.5": 2 / 2}, rel=1e-8)
    assert found.complete
    assert found.applicable
    assert found.lower <= found.value <= found.upper
    assert found.upper - found.lower <= 1e-6 * 4.5
    assert found.interval[0] <= 2.5 <= found.interval[1]
    assert [bound.multiplier_unit for bound in found.active] == ["m^2/m", "m^2/m"]


def test_the_triangle_in_words(triangle):
    found = limits(triangle, {"base": (1, 2), "height": (1, 2.5)})
    assert found.hint == (
        "Raising the upper bound of height by 1 m raises the limit by 1 m^2: height is what limits area; "
        "raising the upper bound of base by 1 m raises the limit by 1.25 m^2."
    )
    assert repr(found) == "Limit(max area = 2.5 m^2 at base = 2 m, height = 2.5 m; bound 2.5 m^2)"
    assert str(found).splitlines() == [repr(found), found.hint]
    least = limits(triangle, {"base": (1, 2), "height": (1, 2.5)}, goal="min")
    assert least.value == pytest.approx(0.5)
    assert "owering the lower bound of base by 1 m lowers the limit by 0.5 m^2" in least.hint
    assert least.upper == pytest.approx(0.5)
    assert least.bound == least.lower


def test_the_frame_names_every_column_and_constraint(triangle):
    frame = limits(triangle, {"base": (0, 2)}, "base + height <= 3").to_frame()
    assert frame["name"].tolist() == ["base", "height", "base + height <= 3"]
    assert frame["active"].tolist() == ["", "", "constraint"]
    # b = h = 1.5; the area s²/8 of a sum s grows by s/4
    assert frame["at"].tolist() == pytest.approx([1.5, 1.5, 3.0], abs=1e-3)
    assert frame["multiplier"].tolist() == pytest.approx([0, 0, 0.75], abs=1e-3)


def test_the_training_ranges_are_the_default(triangle):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = limits(triangle)
    assert found.domain == {"base": (0.0, 3.0), "height": (0.0, 3.0)}
    assert found.value == pytest.approx(4.5)
    assert found.training == found.domain


def test_a_saved_law_has_the_same_limits(triangle, tmp_path):
    triangle.save(tmp_path / "law.zip")
    loaded = SymbolicRegressor.load(tmp_path / "law.zip")
    assert repr(limits(loaded, {"base": (0, 2)})) == repr(limits(triangle, {"base": (0, 2)}))


def test_fractions_that_add_up_to_one(mixture):
    found = limits(mixture, constraints="x_A + x_B == 1")
    assert found.value == pytest.approx(0.25, abs=1e-6)
    assert found.x == pytest.approx({"x_A": 0.5, "x_B": 0.5}, abs=1e-3)
    # s²/4 of a sum s: slope s/2
    assert found.multipliers == pytest.approx({"x_A + x_B == 1": 0.5}, abs=1e-3)
    assert "the constraint x_A + x_B == 1 is what limits y" in found.hint
    held = limits(mixture, {"x_A": (0, 0.2)}, "x_A + x_B == 1")
    # x_A = 0.2, x_B = 0.8: d/ds = x_A, and d/d(bound of x_A) = x_B - x_A
    assert held.multipliers == pytest.approx({"x_A <= 0.2": 0.6, "x_A + x_B == 1": 0.2}, abs=1e-6)
    triple = limits(mixture, {"x_A": (0, 0.2)}, ({"x_A": 1, "x_B": 1}, 1, 1))
    assert triple.value == pytest.approx(held.value)


def test_a_minimum_under_an_inequality():
    law, _, _ = fitted(["a", "b"], lambda a, b: a * a + b * b)
    found = limits(law, constraints=["a + 2*b >= 1", "a <= 0.9"], goal="min")
    # nearest point of the line to the origin: (1/5, 2/5); value c²/5 of a right side c, slope 2c/5
    assert found.value == pytest.approx(0.2, abs=1e-6)
    assert found.x == pytest.approx({"a": 0.2, "b": 0.4}, abs=2e-3)
    assert found.multipliers == pytest.approx({"a + 2*b >= 1": 0.4}, abs=2e-3)
    assert "Lowering the bound of the constraint a + 2*b >= 1 by 1 lowers the limit by 0.4" in found.hint


def test_multipliers_are_the_change_of_the_limit(triangle):
    """Against limits of regions whose bounds are moved, in both goals."""
    for goal, bounds in (("max", ((0.5, 2.0), (0.7, 2.5))), ("min", ((0.5, 2.0), (0.7, 2.5)))):
        found = limits(triangle, {"base": bounds[0], "height": bounds[1]}, goal=goal)
        for active in found.active:
            domain = {"base": bounds[0], "height": bounds[1]}
            low, high = domain[active.of]
            ends = []
            for step in (-1e-3, 1e-3):
                moved = (low, high + step) if active.kind == "upper bound" else (low + step, high)
                ends.append(limits(triangle, {**domain, active.of: moved}, goal=goal).value)
            assert active.multiplier == pytest.approx((ends[1] - ends[0]) / 2e-3, rel=1e-6)


@pytest.fixture(scope="module")
def composition():
    """2 x_C + 5 x_A x_B of three fractions that are not tied in the table."""
    return fitted(["x_A", "x_B", "x_C"], lambda a, b, c: 2 * c + 5 * a * b)[0]


WHOLE = "x_A + x_B + x_C == 1"


def moved_limit(law, bound, step, goal="max", domain=None, whole=1.0):
    """Value of the limit where one active bound alone is moved by a step."""
    box = {name: (0.0, 1.0) for name in ("x_A", "x_B", "x_C")} | (domain or {})
    if bound.kind == "constraint":
        whole += step
    else:
        low, high = box[bound.of]
        box[bound.of] = (low, high + step) if bound.kind == "upper bound" else (low + step, high)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return limits(law, box, ({"x_A": 1, "x_B": 1, "x_C": 1}, whole, whole), goal).value


def test_where_several_bounds_meet_none_alone_limits_it(composition):
    """The pure component C: each bound, relaxed alone, brings nothing; tightened, it costs 2."""
    found = limits(composition, constraints=WHOLE)
    assert found.x == {"x_A": 0.0, "x_B": 0.0, "x_C": 1.0}
    assert found.multipliers == {WHOLE: 0.0, "x_A >= 0": 0.0, "x_B >= 0": 0.0, "x_C <= 1": 0.0}
    assert found.hint == (
        f"Several bounds meet here ({', '.join(map(str, found.active))}); no single one limits y, "
        "several would have to move together."
    )
    by_name = {bound.of: bound for bound in found.active}
    assert (by_name["x_C"].raised, by_name["x_C"].lowered) == pytest.approx((0, -2))
    assert (by_name["x_A"].raised, by_name["x_A"].lowered) == pytest.approx((-2, 0))
    assert (by_name[WHOLE].raised, by_name[WHOLE].lowered) == pytest.approx((0, -2))


@pytest.mark.parametrize("goal", ["max", "min"])
@pytest.mark.parametrize(
    ("domain", "active"),
    [
        ({}, 4),  # a corner of the triangle
        ({"x_C": (0.0, 0.5)}, None),  # x_C at its bound, x_A and x_B inside
        ({"x_C": (0.1, 0.5), "x_A": (0.0, 0.2)}, None),  # a corner of the region, on no side of the triangle
        ({"x_B": 0.0, "x_C": (0.0, 0.5)}, None),  # an edge of the triangle
        ({"x_A": (0.2, 1.0), "x_B": (0.3, 1.0)}, None),
    ],
)
def test_every_move_of_one_bound_is_worth_what_is_said(composition, goal, domain, active):
    """Against the limit searched again with that bound moved, up and down."""
    found = limits(composition, domain, WHOLE, goal)
    assert active is None or len(found.active) == active
    step, n_compared = 1e-4, 0
    for bound in found.active:
        if bound.kind == "fixed value":
            continue
        for change, size in ((bound.raised, step), (bound.lowered, -step)):
            if not np.isfinite(change):
                continue
            again = moved_limit(composition, bound, size, goal, domain)
            gained = again - found.value
            # another corner of the same value may gain where this one does not
            better = 1 if goal == "max" else -1
            ties = goal == "min" and "x_A" not in (domain or {})
            assert gained * better >= change * step * better - 2e-6
            assert ties or gained == pytest.approx(change * step, abs=2e-6)
            n_compared += 1
    assert n_compared >= 2


def test_an_equation_that_cannot_be_moved_one_way(composition):
    """x_A + x_B = 0 with both at least 0: there is nothing below."""
    found = limits(composition, constraints="x_A + x_B == 0")
    tied = next(bound for bound in found.active if bound.kind == "constraint")
    assert tied.lowered == -np.inf
    assert tied.raised == pytest.approx(0)


def test_a_bound_said_twice_is_not_what_limits(triangle):
    found = limits(triangle, {"base": (1, 2), "height": (1, 2.5)}, "base <= 2")
    assert found.multipliers == pytest.approx({"height <= 2.5": 1.0, "base <= 2": 0.0})
    assert "of height by 1 m raises the limit by 1 m^2: height is what limits area." in found.hint
    assert "base" not in found.hint


def test_rounding_beside_a_bound_is_the_bound(composition):
    where = read_region(composition, {"x_A": (0, 1), "x_B": (0.1, 0.7)}, (), place="limits")
    point = np.array([5.55e-17, 0.7 - 1e-16, 0.5])
    assert where.snapped(point).tolist() == [0.0, 0.7, 0.5]
    assert where.as_given(point).tolist() == [0.0, 0.7, 0.5]


def test_an_optimum_inside_has_nothing_to_move():
    law, _, _ = fitted(["x"], lambda x: x - x * x, max_order=2)
    found = limits(law)
    assert found.value == pytest.approx(0.25, abs=1e-6)
    assert found.active == ()
    assert found.hint.startswith("No bound holds it")


def test_a_kink_at_the_bound_limits_nothing():
    """At x = 1 the law -|x - 1| has its ridge: moving the bound there brings nothing."""
    law, _, _ = fitted(
        ["x", "one"],
        lambda x, one: 1 - np.abs(x - one),
        pair_operations=["abs_difference"],
        max_order=1,
        high=2.0,
    )
    found = limits(law, {"x": (0, 1), "one": 1.0})
    assert found.value == pytest.approx(1)
    assert found.multipliers["x <= 1"] == pytest.approx(0, abs=1e-9)


def test_several_columns_with_several_local_optima():
    """x³ - x on [-1, 1.2]: the end 1.2 (0.528) beats the hill at -1/sqrt 3 (0.385); y² is highest at 1.2."""
    law, _, _ = fitted(["x", "y"], lambda x, y: x**3 - x + y * y, low=-1, high=1.2, max_order=3)
    assert limits(law).value == pytest.approx(1.2**3 - 1.2 + 1.44, abs=1e-5)
    inner = limits(law, {"x": (-1, 1)})
    assert inner.value == pytest.approx(2 / 27**0.5 + 1.44, abs=1e-5)
    assert inner.x == pytest.approx({"x": -(3**-0.5), "y": 1.2}, abs=2e-3)
    assert limits(law, goal="min").x == pytest.approx({"x": 3**-0.5, "y": 0.0}, abs=2e-3)


def test_units_of_domain_constraints_and_answer():
    """Base in mm, height in m: the law converts, the user does not notice."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"base [mm]": rng.uniform(100, 3000, 40), "height [m]": rng.uniform(0.1, 3, 40)})
    law = SymbolicRegressor().fit(
        X, pd.Series(X["base [mm]"] / 1000 * X["height [m]"] / 2, name="area [m^2]")
    )
    assert law.columns_.units["height"] == "mm"
    one = limits(law, {"base [mm]": (500, 2000), "height": (1, 2.5)})
    assert one.value == pytest.approx(2.5)
    assert one.x == {"base": 2000.0, "height": 2.5}
    assert one.multipliers == pytest.approx({"base <= 2000": 0.00125, "height <= 2.5": 1.0})
    assert {bound.of: bound.multiplier_unit for bound in one.active} == {"base": "m^2/mm", "height": "m^2/m"}
    other = limits(law, {"base [cm]": (50, 200), "height [km]": (0.001, 0.0025)})
    assert other.x == pytest.approx({"base": 2000.0, "height": 2.5})
    # base + 1000 height <= 4000, both sides in the numbers of the table: 2 m and 2 m
    bounded = limits(law, constraints="base + 1000*height <= 4000")
    assert bounded.value == pytest.approx(2.0, abs=1e-5)
    assert bounded.multipliers["base + 1000*height <= 4000"] == pytest.approx(1e-3, rel=1e-2)


def test_temperatures_in_celsius():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"T [degC]": rng.uniform(0, 100, 30)})
    law = SymbolicRegressor(max_order=1).fit(X, pd.Series(2 * (X["T [degC]"] + 273.15), name="E [J]"))
    found = limits(law, {"T": (20, 30)}, "T <= 25")
    assert found.value == pytest.approx(2 * (25 + 273.15))
    assert found.x["T"] == pytest.approx(25)
    assert found.multipliers["T <= 25"] == pytest.approx(2)
    assert limits(law, {"T [K]": (293.15, 303.15)}).x["T"] == pytest.approx(30)


def test_a_held_column(triangle):
    found = limits(triangle, {"base": 2.0, "height": (0, 1)})
    assert found.value == pytest.approx(1)
    assert {bound.of: bound.kind for bound in found.active} == {
        "base": "fixed value",
        "height": "upper bound",
    }
    assert found.multipliers == pytest.approx({"base == 2": 0.5, "height <= 1": 1.0})


def test_a_domain_wider_than_the_training_data_warns(triangle):
    with pytest.warns(ExtrapolationWarning, match=r"base from 0 to 10 m, seen from 0 to 3 m\), so the limit"):
        found = limits(triangle, {"base": (0, 10)})
    assert not found.applicable
    assert (
        "The domain is wider than the training data: base from 0 to 10 m, seen from 0 to 3 m."
        in found.reasons
    )
    assert "base = 10 is above 3" in found.reasons[-1]
    assert repr(found).endswith("; extrapolated)")


def test_stopped_early_both_bounds_are_given():
    law, _, _ = fitted(
        ["a", "b", "c"], lambda a, b, c: a - a * a + b - b * b + c - c * c, selection=AllTerms(), max_order=2
    )
    with pytest.warns(
        ConvergenceWarning, match=r"after \d+ boxes the maximum is known to lie between"
    ) as said:
        found = limits(law, max_boxes=20)
    low, high = map(float, re.search(r"between ([\d.]+) and ([\d.]+) only", str(said[0].message)).groups())
    assert (low, high) == pytest.approx((found.lower, found.upper), rel=1e-5)
    assert "(now 20)" in str(said[0].message)
    assert not found.complete
    assert found.lower - 1e-9 <= 0.75 <= found.upper


def test_the_interval_is_that_of_the_mean():
    law, X, y = fitted(["x"], lambda x: 1 + 2 * x, noise=0.1, max_order=1)
    found = limits(law)
    design = np.column_stack([np.ones(len(X)), X["x"]])
    beta, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    row = np.array([1.0, found.x["x"]])
    error = np.sqrt(rss[0] / 38 * row @ np.linalg.inv(design.T @ design) @ row)
    assert found.value == pytest.approx(row @ beta)
    quantile = 2.024394164  # Student, 38 degrees of freedom, printed in tables as 2.024
    assert found.interval == pytest.approx((row @ beta - quantile * error, row @ beta + quantile * error))


def test_a_pole_inside_the_domain():
    law, _, _ = fitted(["x"], lambda x: 2 / x, operations=["inverse"], max_order=1, low=0.5, high=3)
    with pytest.warns((ConvergenceWarning, ExtrapolationWarning)) as said:
        found = limits(law, {"x": (-1, 1)})
    text = "The limit is not finite: x reaches 0 at x = 0, inside the domain. Narrow the domain."
    assert f"limits: {text}" in [str(one.message) for one in said]
    assert text in found.reasons
    assert (found.value, found.upper, found.x) == (np.inf, np.inf, {"x": 0.0})
    assert np.isfinite(found.lower)
    assert not found.complete
    assert not found.applicable
    assert found.hint == ""
    assert np.isnan(found.interval).all()
    with pytest.warns((ConvergenceWarning, ExtrapolationWarning)):
        assert limits(law, {"x": (-1, 1)}, goal="min").value == -np.inf
    with pytest.warns(ExtrapolationWarning):
        least = limits(law, {"x": (0, 1)}, goal="min")  # the side on which nothing is singular is answered
    assert least.value == pytest.approx(2)
    assert least.complete


def test_a_singular_place_at_which_the_law_stays_finite():
    law, _, _ = fitted(["x"], lambda x: x * np.log(x), operations=["log"], low=0.1, high=3)
    with pytest.warns((ConvergenceWarning, ExtrapolationWarning)) as said:
        found = limits(law, {"x": (0, 1)}, goal="min")
    assert found.value == pytest.approx(-np.exp(-1), abs=1e-5)
    assert found.lower == -np.inf
    text = "No finite bound could be certified: x reaches 0 at x = 0, inside the domain. Narrow the domain."
    assert f"limits: {text}" in [str(one.message) for one in said]


def test_a_law_without_columns():
    X = pd.DataFrame({"x": np.linspace(0, 1, 12)})
    y = pd.Series(1 + 0.1 * np.array([1, -1] * 6), name="y")
    law = SymbolicRegressor(max_order=1).fit(X, y)
    assert law.model_.terms == ()
    found = limits(law)
    assert (found.value, found.x, found.active) == (pytest.approx(1.0), {}, ())
    assert repr(found) == "Limit(max y = 1; bound 1)"
    assert found.to_frame().empty


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"goal": "maximum"}, InputError, r"limits: goal must be 'max' or 'min'\. Got 'maximum'"),
        ({"tolerance": 0}, InputError, r"tolerance must lie between 0 and 1\. Got 0"),
        ({"max_boxes": 0}, InputError, r"max_boxes must lie between 1 and 1e8\. Got 0"),
        ({"domain": {"bas": (0, 1)}}, InputError, r"columns of the law \(base, height\)\. Got 'bas'.*base"),
        ({"domain": {"base": (2, 1)}}, InputError, r"domain\['base'\] must be finite.*Got \(2, 1\)"),
        ({"domain": {"base": (0, np.inf)}}, InputError, r"Got \(0, inf\)"),
        ({"domain": {"base": "wide"}}, InputError, r"Got 'wide'"),
        ({"domain": {"base": (1, 2, 3)}}, InputError, r"Got \(1, 2, 3\)"),
        ({"domain": {"base": (0, 1), "base [m]": (0, 2)}}, InputError, r"column once\. Got 'base \[m\]'"),
        ({"domain": [(0, 1)]}, InputError, r"domain must map columns to \(low, high\)"),
        ({"domain": {"base [kg]": (0, 1)}}, UnitError, r"units must have equal dimensions. Got 'kg'"),
        ({"constraints": "base*height <= 1"}, InputError, r"limits: a constraint must be linear"),
        ({"constraints": "base + height >= 9"}, InputError,
         r"leave some of the domain\. Got 'base \+ height >= 9' in base 0 to 3 m, height 0 to 3 m"),
    ],
)  # fmt: skip
def test_wrong_arguments_get_a_sentence(triangle, arguments, error, message):
    with pytest.raises(error, match=message):
        limits(triangle, **arguments)


def test_a_unit_where_the_table_has_none(mixture):
    with pytest.raises(
        UnitError, match=r"domain\['x_A \[m\]'\] must have no unit, as in the table\. Got 'm'"
    ):
        limits(mixture, {"x_A [m]": (0, 1)})


def test_a_law_that_is_not_defined_in_the_domain():
    law, _, _ = fitted(["x"], lambda x: np.sqrt(x), operations=["sqrt"], max_order=1, low=0.5, high=3)
    with pytest.raises(InputError, match=r"be defined at some point of the domain\. Got 'x -2 to -1'"):
        limits(law, {"x": (-2, -1)})


def test_only_one_fitted_law_has_limits():
    with pytest.raises(NotFittedError):
        limits(SymbolicRegressor())
    with pytest.raises(InputError, match=r"law must be a fitted SymbolicRegressor\. Got 'Exhaustive'"):
        limits(Exhaustive())
    with pytest.raises(InputError, match=r"reach: law must be a fitted SymbolicRegressor\. Got 'float'"):
        reach(1.0, 2.0)


def test_a_law_of_the_large_search_has_limits():
    law, _, _ = fitted(["a", "b", "c"], lambda a, b, c: a / (b + c), low=0.5, high=2.0, max_rung=2)
    found = limits(law)
    assert found.value == pytest.approx(2 / (0.5 + 0.5), rel=1e-6)
    # f = a/s, s = b + c: df/da = 1/s = 1, df/db = -a/s² = -2
    assert found.multipliers == pytest.approx({"a <= 2": 1.0, "b >= 0.5": -2.0, "c >= 0.5": -2.0}, rel=1e-5)


def test_progress_is_reported():
    law, _, _ = fitted(["a", "b"], lambda a, b: a - a * a + b - b * b + a * b)
    calls = []
    limits(law, progress=lambda done, total: calls.append((done, total)))
    assert calls
    assert calls == sorted(calls)
    assert {total for _, total in calls} == {100_000}


# -- reach ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noisy_triangle():
    return fitted(["base [m]", "height [m]"], lambda b, h: b * h / 2, "area [m^2]", high=3.0, noise=0.05)[0]


@pytest.mark.parametrize("goal", [">=", "<="])
@pytest.mark.parametrize("level", [0.95, None])
def test_boxes_reach_the_target_and_little_else_does(noisy_triangle, goal, level):
    found = reach(noisy_triangle, 2.4, {"base": (0.5, 2.8), "height": (0.5, 2.8)}, goal=goal, level=level)
    points = np.random.default_rng(1).uniform(0.5, 2.8, (4000, 2))
    rows = pd.DataFrame(points, columns=["base [m]", "height [m]"])
    lower, upper = noisy_triangle.predict_interval(rows)
    if level is None:
        lower = upper = noisy_triangle.model_.predict(noisy_triangle._evaluate(rows)[1])
    reached = lower >= 2.4 if goal == ">=" else upper <= 2.4
    inside = ((points[:, None] >= found.low) & (points[:, None] <= found.high)).all(axis=2).any(axis=1)
    assert not (inside & ~reached).any()
    assert (reached & ~inside).mean() <= 0.02 + 3 * np.sqrt(0.02 / 4000)
    assert found.share == pytest.approx(inside.mean(), abs=0.03)
    assert found.answer == "reachable"
    assert found.undecided <= 0.02
    assert found.applicable
    ends = found.certified >= 2.4 if goal == ">=" else found.certified <= 2.4
    assert ends.all()


def test_the_best_point_is_the_one_with_the_best_prediction_bound(noisy_triangle):
    found = reach(noisy_triangle, 2.4)
    assert found.best == {"base": 3.0, "height": 3.0}
    row = pd.DataFrame({"base [m]": [3.0], "height [m]": [3.0]})
    assert found.best_value == pytest.approx(noisy_triangle.predict_interval(row)[0][0])
    assert found.best_bound == pytest.approx(found.best_value, abs=1e-3)


def test_a_target_beyond_the_limit(noisy_triangle):
    found = reach(noisy_triangle, 5)
    assert found.answer == "not reachable"
    assert found.best_bound < 5
    assert found.to_frame().empty
    assert repr(found).startswith("Reach(area >= 5 m^2: not reachable inside the domain; at best 4.")
    everywhere = reach(noisy_triangle, 5, goal="<=")
    assert everywhere.share == 1.0
    assert len(everywhere.low) == 1


def test_the_margin_between_law_and_prediction_bound_counts(noisy_triangle):
    """4.45 is within the law but not within its lower prediction bound."""
    assert reach(noisy_triangle, 4.45, level=None).answer == "reachable"
    assert reach(noisy_triangle, 4.45).answer == "not reachable"


def test_boxes_under_constraints(mixture):
    found = reach(mixture, 0.24, constraints="x_A + x_B == 1", level=None)
    # x (1 - x) >= 0.24 for 0.4 <= x <= 0.6
    assert found.answer == "reachable"
    assert found.low[:, 0].min() == pytest.approx(0.4, abs=0.02)
    assert found.high[:, 0].max() == pytest.approx(0.6, abs=0.02)
    assert reach(mixture, 0.26, constraints="x_A + x_B == 1", level=None).answer == "not reachable"


def test_the_frame_of_boxes_and_its_length():
    law, _, _ = fitted(["a", "b", "c [m]"], lambda a, b, c: a * b + c, noise=0.01)
    found = reach(law, 1.0)
    frame = found.to_frame()
    assert len(frame) == 1000
    assert found.share > np.prod(found.high - found.low, axis=1).sum()  # the share counts all of them
    assert list(frame.columns[-3:]) == ["c [m] from", "c [m] to", "certified"]
    assert np.all(frame["certified"] >= 1.0)


def test_what_stays_undecided_is_said(noisy_triangle):
    with pytest.warns(
        ConvergenceWarning, match=r"reach: [\d.]+ % of the domain are undecided after \d+ boxes"
    ):
        found = reach(noisy_triangle, 2.4, max_boxes=40)
    assert found.undecided > 0.02
    assert "undecided" in repr(found)


def test_a_target_in_a_domain_wider_than_the_data(noisy_triangle):
    with pytest.warns(ExtrapolationWarning, match=r"reach: the domain is wider .*base from 0 to 5 m"):
        assert not reach(noisy_triangle, 2.4, {"base": (0, 5)}).applicable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": np.nan}, r"reach: target must be finite\. Got nan"),
        ({"goal": ">"}, r"goal must be '>=' or '<='\. Got '>'"),
        ({"level": 1.0}, r"level must lie between 0 and 1, or be None\. Got 1\.0"),
        ({"tolerance": 2}, r"tolerance must lie between 0 and 1\. Got 2"),
        ({"max_boxes": 0}, r"max_boxes must lie between 1 and 1e8\. Got 0"),
        ({"constraints": "base >= 9"}, r"hold a point that meets the constraints .* Got 'base >= 9'"),
    ],
)
def test_wrong_arguments_of_reach_get_a_sentence(noisy_triangle, arguments, message):
    with pytest.raises(InputError, match=message):
        reach(noisy_triangle, **{"target": 1.0, **arguments})
