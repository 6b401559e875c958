"""Certified maxima against truths computed by hand, and boxes sorted by a threshold."""

import numpy as np
import pytest
from scipy.optimize import brentq

from sozai.symbolic.formulas.box_paving import merge_boxes, pave
from sozai.symbolic.formulas.global_maximum import Region, maximize
from sozai.symbolic.formulas.law_program import POWER, compile_bound, compile_law
from sozai.symbolic.formulas.singular_places import grows_without_bound, singular_point
from sozai.symbolic.operations import Expressions, parse_into


def program_of(names, texts, coefficients, offset=0.0):
    store = Expressions(names)
    ids = [parse_into(store, text) for text in texts]
    return compile_law(store, ids, coefficients, offset, columns=range(len(names)))


def box(low, high, rows=(), row_low=(), row_high=()):
    n = len(low)
    sides = np.array(row_low, dtype=float), np.array(row_high, dtype=float)
    return Region(
        np.array(low, float), np.array(high, float), np.array(rows, float).reshape(len(rows), n), *sides
    )


@pytest.mark.parametrize(
    ("names", "texts", "coefficients", "region", "truth", "place"),
    [
        ("bh", ["b*h"], [0.5], box([0, 0], [2, 3]), 3.0, [2, 3]),
        ("x", ["x", "x^2"], [1, -1], box([0], [1]), 0.25, [0.5]),
        ("x", ["x", "x^2"], [-1, 1], box([0.2], [0.7]), -0.16, [0.2]),
        ("xy", ["|x - y|", "x", "x^2"], [-1, 1, -1], box([0, 0], [1, 1]), 0.25, [0.5, 0.5]),
        ("xy", ["1/(x + y)", "x"], [1, 1], box([1, 1], [2, 4]), 2 + 1 / 3, [2, 1]),
        ("xyz", ["x*y*z"], [1], box([-1, -1, -1], [1, 1, 2]), 2.0, None),
        # linear: 2a + 3b with a + 2b <= 2
        ("ab", ["a", "b"], [2, 3], box([0, 0], [1, 1], [[1, 2]], [-np.inf], [2]), 3.5, [1, 0.5]),
        # A B on A + B = 1, and A B + B C / 2 + A C / 5 on the simplex, where C = 0
        ("AB", ["A*B"], [1], box([0, 0], [1, 1], [[1, 1]], [1], [1]), 0.25, [0.5, 0.5]),
        ("ABC", ["A*B", "B*C", "A*C"], [1, 0.5, 0.2], box([0] * 3, [1] * 3, [[1] * 3], [1], [1]), 0.25,
         [0.5, 0.5, 0]),
        # smallest A² + B² on A + 2B = 1: at (1/5, 2/5), value 1/5
        ("AB", ["A^2", "B^2"], [-1, -1], box([0, 0], [1, 1], [[1, 2]], [1], [1]), -0.2, [0.2, 0.4]),
        # two constraints: x + y + z = 1, x - y = 0.2; x y z = x (x - 0.2)(1.2 - 2x)
        ("xyz", ["x*y*z"], [1],
         box([0] * 3, [1] * 3, [[1, 1, 1], [1, -1, 0]], [1, 0.2], [1, 0.2]), 0.033802, None),
        ("x", ["-1/x^2"], [1], box([-1], [2]), -0.25, [2]),
    ],
)  # fmt: skip
def test_truths(names, texts, coefficients, region, truth, place):
    found = maximize(program_of(names, texts, coefficients), region, tolerance=1e-7)
    assert found.complete
    assert found.lower <= truth + 1e-6
    assert found.upper >= truth - 1e-6
    assert found.upper - found.lower <= 1e-7
    assert region.contains(found.x[None]).all()
    if place is not None:
        np.testing.assert_allclose(found.x, place, atol=2e-3)


def test_several_local_maxima():
    """Four bumps of unequal height in two dimensions; the highest is not the one nearest to the middle."""
    bumps = [(0.2, 0.2, 1.0), (0.8, 0.3, 1.02), (0.3, 0.8, 0.97), (0.55, 0.55, 0.9)]
    texts = [f"exp(-150*(x - {a})^2 - 150*(y - {b})^2)" for a, b, _ in bumps]
    heights = [height for _, _, height in bumps]
    region = box([0, 0], [1, 1])
    found = maximize(program_of("xy", texts, heights), region, tolerance=1e-8)
    assert found.complete
    assert found.upper >= 1.02
    assert found.lower == pytest.approx(1.02, abs=1e-5)
    np.testing.assert_allclose(found.x, [0.8, 0.3], atol=1e-3)


def test_a_maximum_that_no_formula_gives():
    """Stationary point of x exp(-x) + log(x)/5 from the root of its derivative."""
    root = brentq(lambda x: np.exp(-x) * (1 - x) + 0.2 / x, 1, 2)
    truth = root * np.exp(-root) + 0.2 * np.log(root)
    found = maximize(program_of("x", ["x*exp(-x)", "log(x)"], [1, 0.2]), box([0.1], [3]), tolerance=1e-9)
    assert found.lower - 1e-12 <= truth <= found.upper + 1e-12
    assert found.complete


@pytest.mark.parametrize("max_boxes", [1, 2, 10, 100])
def test_stopped_early_both_bounds_hold(max_boxes):
    texts, coefficients = ["x*(1 - x)", "y*(1 - y)", "z*(1 - z)", "x*y*z"], [1, 1, 1, 0.3]
    program, region = program_of("xyz", texts, coefficients), box([0] * 3, [1] * 3)
    # by symmetry x = y = z: 3(1 - 2x) + 0.9 x² = 0
    at = (6 - np.sqrt(36 - 10.8)) / 1.8
    truth = 3 * at * (1 - at) + 0.3 * at**3
    found = maximize(program, region, tolerance=1e-12, max_boxes=max_boxes)
    assert not found.complete
    assert found.n_boxes <= max(max_boxes, 1) + 1
    assert found.lower <= truth <= found.upper


def test_six_variables_are_answered_honestly():
    texts = [f"{v}*(1 - {v})" for v in "abcdef"] + ["a*b*c*d", "a*b", "c*d", "a*d", "e*f"]
    program = program_of("abcdef", texts, [1] * 6 + [0.3, 0.5, -0.7, 0.6, 0.9])
    found = maximize(program, box([0] * 6, [1] * 6), tolerance=1e-6, max_boxes=5000)
    points = np.random.default_rng(0).random((100_000, 6))
    a, b, c, d, e, f = points.T
    values = (points * (1 - points)).sum(axis=1) + 0.3 * a * b * c * d + 0.5 * a * b - 0.7 * c * d
    values += 0.6 * a * d + 0.9 * e * f
    assert values.max() <= found.upper
    assert found.lower >= values.max() - 1e-9
    assert found.upper - found.lower <= 0.05


def test_constraints_that_leave_nothing():
    found = maximize(
        program_of("ab", ["a*b"], [1]), box([0, 0], [1, 1], [[1, 1]], [3], [np.inf]), tolerance=1e-6
    )
    assert found.empty


def test_a_law_that_is_nowhere_defined():
    found = maximize(program_of("x", ["sqrt(x)"], [1]), box([-2], [-1]), tolerance=1e-6)
    assert found.x is None
    assert not found.empty


def test_held_variables_and_no_variable_at_all():
    found = maximize(program_of("ab", ["a*b"], [1]), box([2, 0], [2, 3]), tolerance=1e-9)
    assert found.x.tolist() == [2, 3]
    assert found.lower == pytest.approx(6)
    held = maximize(program_of("ab", ["a*b"], [1]), box([2, 3], [2, 3]), tolerance=1e-9)
    assert held.complete
    assert held.upper == pytest.approx(6)
    constant = compile_law(Expressions(["a"]), [], [], 1.5, columns=[])
    found = maximize(constant, box([], []), tolerance=1e-9)
    assert (found.lower, found.upper) == (1.5, 1.5)


@pytest.mark.parametrize(
    ("text", "place", "grows"),
    [
        ("1/x", 0.0, True),
        ("1/(x - 3)^2", 3.0, True),
        ("-1*log(x)", 0.0, True),
        ("-1*x*log(x)", 0.0, False),
        ("1/sqrt(x)", 0.0, True),
    ],
)
def test_singular_places_are_found_and_judged(text, place, grows):
    program, region = program_of("x", [text], [1]), box([-1 if text == "1/x" else 0], [5])
    found = maximize(program, region, tolerance=1e-6)
    assert found.upper == np.inf
    assert not found.complete
    at = singular_point(program, region, *found.singular)
    assert at == pytest.approx([place], abs=1e-12)
    assert grows_without_bound(program, region, at) is grows


def test_one_sided_poles_bound_the_other_side():
    found = maximize(program_of("x", ["1/x^2"], [-1]), box([-1], [2]), tolerance=1e-9)
    assert found.upper == pytest.approx(-0.25, abs=1e-8)


def test_powers_know_their_sign():
    program = program_of("x", ["x^4*(1/x)^2"], [1])
    assert POWER in program.op
    found = maximize(program_of("x", ["x^4"], [-1]), box([-1], [2]), tolerance=1e-9)
    assert -1e-9 <= found.lower <= found.upper <= 1e-9


def test_the_prediction_bound_is_the_one_of_the_normal_equations():
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(12), rng.random((12, 2))])
    covariance = np.linalg.inv(design.T @ design)
    store = Expressions(["x", "y"])
    program = compile_bound(
        store, [1, 2], [2.0, -1.0], 0.5, columns=[0, 1], covariance=covariance, variance=0.04, quantile=2.1
    )
    row = np.array([1.0, 0.3, 0.8])
    truth = row @ [0.5, 2.0, -1.0] - 2.1 * np.sqrt(0.04 * (1 + row @ covariance @ row))
    region = box([0.3, 0.8], [0.3, 0.8])
    for one, sign in ((program, 1), (program.negated(), -1)):
        assert sign * maximize(one, region, tolerance=1e-9).lower == pytest.approx(truth, abs=1e-12)


def test_paving_of_a_half_plane():
    paved = pave(program_of("xy", ["x", "y"], [1, 1]), box([0, 0], [1, 1]), 1.0, tolerance=0.01)
    assert paved.inside + paved.outside + paved.undecided == pytest.approx(1)
    assert paved.inside <= 0.5 <= paved.inside + paved.undecided
    assert paved.undecided <= 0.01
    assert np.all(paved.low.sum(axis=1) >= 1 - 1e-12)
    assert np.all(paved.floor >= 1.0)
    sizes = np.prod(paved.high - paved.low, axis=1)
    assert np.all(np.diff(sizes) <= 1e-15)
    assert sizes.sum() == pytest.approx(paved.inside)


def test_paving_of_a_part_of_the_box_without_values():
    """The square root of x - 1/2 is at least 1/2 for x >= 3/4; below x = 1/2 it has no value."""
    paved = pave(program_of("x", ["sqrt(x - 1/2)"], [1]), box([0], [1]), 0.5, tolerance=1e-3)
    assert paved.inside == pytest.approx(0.25, abs=1e-3)
    assert paved.low.min() >= 0.75


def test_paving_stops_and_says_what_is_left():
    paved = pave(program_of("xy", ["x", "y"], [1, 1]), box([0, 0], [1, 1]), 1.0, tolerance=1e-6, max_boxes=50)
    assert paved.n_boxes <= 100
    assert paved.undecided > 0.01
    assert paved.inside + paved.outside + paved.undecided == pytest.approx(1)


def test_paving_with_an_excluded_part():
    paved = pave(
        program_of("xy", ["x"], [1]), box([0, 0], [1, 1], [[1, 0]], [-np.inf], [0.5]), 0.25, tolerance=1e-3
    )
    assert paved.inside == pytest.approx(0.5, abs=2e-3)  # of 0 <= x <= 1/2


def test_merged_boxes_cover_the_same_set():
    rng = np.random.default_rng(0)
    cells = np.array([(i, j) for i in range(8) for j in range(8) if rng.random() < 0.7], dtype=float)
    low, high, _floor = merge_boxes(cells, cells + 1, rng.random(len(cells)))
    assert len(low) < len(cells)
    assert np.prod(high - low, axis=1).sum() == len(cells)
    for cell in cells + 0.5:
        assert np.all((cell >= low) & (cell <= high), axis=1).sum() == 1
    empty = merge_boxes(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    assert [len(part) for part in empty] == [0, 0, 0]
