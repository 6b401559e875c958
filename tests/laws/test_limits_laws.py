"""Laws of certified bounds: no point of a box lies outside them, whatever the formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.symbolic.formulas.box_bounds import EMPTY, UNDEFINED, upper_bounds
from sozai.symbolic.formulas.derivatives import derivatives
from sozai.symbolic.formulas.global_maximum import Region, maximize
from sozai.symbolic.formulas.interval_slopes import slope_ranges, value_ranges
from sozai.symbolic.formulas.law_program import compile_law
from sozai.symbolic.operations import Expressions, parse_into

NAMES = ["x", "y", "z"]
LAWS = [
    (["x*y", "x"], [0.5, -0.3]),
    (["x^4 - x^2*y", "1/(x^2 + 0.1)"], [1.0, 0.2]),
    (["|x - y|", "|x + z|*y"], [-1.0, 0.7]),
    (["1/x", "y"], [1.0, 2.0]),
    (["1/(x - y)", "1/z^2"], [0.1, -1.0]),
    (["exp(x*y)", "exp(-z)*x^3"], [0.2, 1.0]),
    (["log(x + 3)", "sqrt(y + 2)*z"], [1.0, -2.0]),
    (["log(x)*x", "cbrt(y - z)"], [1.0, 1.0]),
    (["sqrt(x*y)", "x"], [1.0, -0.5]),
    (["x*y*z", "x^2", "y^2", "z^2"], [2.0, -1.0, -1.0, -1.0]),
]


def compiled(texts, coefficients, offset=0.0):
    """Program, and a function that evaluates the same law at points."""
    store = Expressions(NAMES)
    ids = [parse_into(store, text) for text in texts]
    program = compile_law(store, ids, coefficients, offset, columns=[0, 1, 2])

    def value(points):
        with np.errstate(all="ignore"):
            terms = store.evaluate(ids, points)
            return terms @ np.array(coefficients) + offset, np.abs(terms) @ np.abs(coefficients) + abs(offset)

    return program, value, store, ids


def no_rows():
    return np.empty((0, 3)), np.empty(0), np.empty(0)


def bounds_over(program, low, high, rows=None):
    """Certified lower and upper bounds of each box, and the state."""
    found = []
    for one in (program.negated(), program):
        size = len(low)
        bound, center, state = np.empty(size), np.empty(size), np.empty(size, dtype=np.int64)
        upper_bounds(one, *(rows or no_rows()), low.copy(), high.copy(), bound, center, state)
        found.append(bound)
    return -found[0], found[1], state


@pytest.mark.parametrize(("texts", "coefficients"), LAWS)
def test_bounds_contain_a_hundred_thousand_points(texts, coefficients):
    program, value, _, _ = compiled(texts, coefficients, 0.25)
    rng = np.random.default_rng(0)
    low = rng.uniform(-2, 2, (100, 3))
    high = low + rng.choice([0.01, 0.3, 2.0], (100, 3)) * rng.random((100, 3))
    lower, upper, _ = bounds_over(program, low, high)
    share = rng.random((1000, 3)) ** rng.choice([0, 0.3, 1, 3], (1000, 3))
    for k in range(100):
        found, size = value(low[k] + share * (high[k] - low[k]))
        defined = np.isfinite(found)
        slack = 1e-13 * size[defined]
        assert np.all(found[defined] <= upper[k] + slack)
        assert np.all(found[defined] >= lower[k] - slack)


@pytest.mark.parametrize(("texts", "coefficients"), LAWS)
def test_bounds_under_a_constraint_contain_its_points(texts, coefficients):
    program, value, _, _ = compiled(texts, coefficients)
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 0.6, (60, 3))
    high = low + rng.uniform(0, 0.5, (60, 3))
    rows = (np.ones((1, 3)), np.array([1.0 - 1e-12]), np.array([1.0 + 1e-12]))
    lower, upper, state = bounds_over(program, low, high, rows)
    for k in range(60):
        points = low[k] + rng.random((20000, 3)) * (high[k] - low[k])
        points[:, 2] = 1 - points[:, 0] - points[:, 1]
        points = points[(points[:, 2] >= low[k, 2]) & (points[:, 2] <= high[k, 2])]
        assert not (len(points) and state[k] == EMPTY)
        found, size = value(points)
        defined = np.isfinite(found)
        assert np.all(found[defined] <= upper[k] + 1e-13 * size[defined])
        assert np.all(found[defined] >= lower[k] - 1e-13 * size[defined])


@st.composite
def random_laws(draw):
    """Formula of random operations, a box, and coefficients."""
    store = Expressions(NAMES)
    nodes = [1, 2, 3, store.constant(draw(st.integers(-3, 3).filter(bool)))]
    for _ in range(draw(st.integers(2, 8))):
        name = draw(
            st.sampled_from(
                ["add", "subtract", "multiply", "divide", "abs", "sqrt", "exp_neg", "log", "square"]
            )
        )
        left = nodes[draw(st.integers(0, len(nodes) - 1))]
        right = nodes[draw(st.integers(0, len(nodes) - 1))]
        two = name in ("add", "subtract", "multiply", "divide")
        number = store.op[left] == 0 or (two and store.op[right] == 0 and name == "divide")
        if number and name in ("sqrt", "log", "divide"):
            continue
        try:
            nodes.append(int(store.add(name, left, right) if two else store.add(name, left)))
        except ValueError:  # a number outside the function's domain
            continue
    ids = nodes[-2:]
    coefficients = [draw(st.sampled_from([-2.0, -0.5, 0.3, 1.0])) for _ in ids]
    low = np.array([draw(st.sampled_from([-2.0, -1.0, -0.25, 0.0, 0.5, 1.0])) for _ in NAMES])
    width = np.array([draw(st.sampled_from([0.0, 1e-3, 0.25, 1.0, 3.0])) for _ in NAMES])
    return store, ids, coefficients, low, low + width, draw(st.integers(0, 2**32 - 1))


@given(random_laws())
@settings(max_examples=150)
def test_any_law_stays_inside_its_bounds(law):
    store, ids, coefficients, low, high, seed = law
    program = compile_law(store, ids, coefficients, 0.0, columns=[0, 1, 2])
    lower, upper, _ = bounds_over(program, low[None], high[None])
    points = low + np.random.default_rng(seed).choice([0.0, 0.1, 0.5, 0.77, 1.0], (300, 3)) * (high - low)
    with np.errstate(all="ignore"):
        terms = store.evaluate(ids, points)
        found = terms @ np.array(coefficients)
        slack = 1e-12 * np.abs(terms) @ np.abs(coefficients)
    defined = np.isfinite(found)
    assert np.all(found[defined] <= upper[0] + slack[defined])
    assert np.all(found[defined] >= lower[0] - slack[defined])


@given(random_laws())
@settings(max_examples=60)
def test_slopes_stay_inside_their_ranges(law):
    store, ids, coefficients, low, high, seed = law
    program = compile_law(store, ids, coefficients, 0.0, columns=[0, 1, 2])
    steps = program.op.size
    lower, upper = np.empty(steps), np.empty(steps)
    slope_low, slope_high = np.empty((steps, 3)), np.empty((steps, 3))
    if value_ranges(program, low, high, lower, upper):
        return
    slope_ranges(program, lower, upper, slope_low, slope_high)
    points = low + np.random.default_rng(seed).choice([0.0, 0.1, 0.5, 0.77, 1.0], (100, 3)) * (high - low)
    # where a variable has no width, a kink there lets only one side be inside the box
    wide = high > low
    _, slopes = derivatives(store, ids, points)
    along = np.einsum("tji,j->ti", slopes, coefficients)[:, wide]
    size = 1e-11 * (1 + np.abs(slopes).max(axis=1)[:, wide])
    inside = (points[:, wide] > low[wide]) & (points[:, wide] < high[wide]) & np.isfinite(along)
    if not wide.all():
        return
    assert np.all((along <= slope_high[-1, wide] + size)[inside])
    assert np.all((along >= slope_low[-1, wide] - size)[inside])


@given(random_laws(), st.sampled_from([1, 3, 20, 300]))
@settings(max_examples=60)
def test_the_search_is_right_whenever_it_stops(law, max_boxes):
    store, ids, coefficients, low, high, seed = law
    program = compile_law(store, ids, coefficients, 0.0, columns=[0, 1, 2])
    found = maximize(program, Region(low, high, *no_rows()), tolerance=1e-6, max_boxes=max_boxes)
    points = low + np.random.default_rng(seed).random((2000, 3)) * (high - low)
    with np.errstate(all="ignore"):
        terms = store.evaluate(ids, points)
        values = terms @ np.array(coefficients)
        slack = 1e-12 * np.abs(terms) @ np.abs(coefficients)
    defined = np.isfinite(values)
    assert np.all(values[defined] <= found.upper + slack[defined])
    if found.x is not None:
        assert found.lower <= found.upper
        assert np.all((found.x >= low) & (found.x <= high))
        with np.errstate(all="ignore"):
            at = store.evaluate(ids, found.x[None])[0]
        assert at @ np.array(coefficients) >= found.lower - 1e-12 * np.abs(at) @ np.abs(coefficients)
    if found.complete and found.x is not None:
        assert found.upper - found.lower <= 1e-6


def test_a_box_within_a_box_has_bounds_within_its_bounds():
    """Natural ranges are inclusion monotone; steps that choose a center need not be."""
    program, _, _, _ = compiled(*LAWS[5])
    rng = np.random.default_rng(3)
    steps = program.op.size
    for _ in range(50):
        low = rng.uniform(-1, 1, 3)
        high = low + rng.random(3)
        inner_low = low + 0.3 * (high - low)
        inner_high = high - 0.3 * (high - low)
        outer, inner = (np.empty((2, steps)) for _ in range(2))
        value_ranges(program, low, high, *outer)
        value_ranges(program, inner_low, inner_high, *inner)
        assert np.all(outer[0] <= inner[0])
        assert np.all(outer[1] >= inner[1])


def test_bounds_shrink_to_the_law_with_the_box():
    for texts, coefficients in LAWS:
        program, value, _, _ = compiled(texts, coefficients)
        point = np.array([[0.7, 1.3, -0.4]])
        if texts == ["sqrt(x*y)", "x"]:
            point = np.array([[0.7, 1.3, 0.4]])
        expected = value(point)[0][0]
        for width in (1e-2, 1e-4, 1e-6):
            lower, upper, state = bounds_over(program, point - width, point + width)
            assert state[0] != UNDEFINED
            assert lower[0] <= expected <= upper[0]
            assert upper[0] - lower[0] <= 1e3 * width
