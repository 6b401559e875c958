"""Overlap of classes: ranges, hulls and their measures against linear programs and known solids."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sozai.contracts.errors import InputError
from sozai.symbolic.classification.domain_overlap import DomainOverlap
from sozai.symbolic.classification.nearest_point import is_inside
from sozai.symbolic.classification.overlap_search import hull_overlap, search_overlap
from sozai.symbolic.classification.planar import orientation


def is_mixture(corners, point):
    """Whether a point is a mixture of corners, by a linear program."""
    system = np.vstack([corners, np.ones(corners.shape[1])])
    return linprog(np.zeros(corners.shape[1]), A_eq=system, b_eq=[*point, 1.0]).status == 0


def undecided_samples(values, y):
    """Number over pairs of classes and flags of the samples inside the hull of another class."""
    count, flags = 0, np.zeros(y.size, dtype=bool)
    for c, t in itertools.product(np.unique(y), range(y.size)):
        if y[t] != c and is_mixture(values[:, y == c], values[:, t]):
            count += 1
            flags[t] = True
    return count, flags


# -- one feature ------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6), n_classes=st.integers(2, 4))
def test_ranges_of_one_feature(seed, n_classes):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(n_classes, 20))
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, m - n_classes)]
    feature = np.round(rng.normal(size=m), int(rng.integers(0, 3)))
    count, length = 0, []
    for a, b in itertools.combinations(range(n_classes), 2):
        one, other = feature[y == a], feature[y == b]
        low, high = max(one.min(), other.min()), min(one.max(), other.max())
        both = np.r_[one, other]
        count += np.sum((low <= both) & (both <= high))
        length.append((high - low) / np.ptp(both) if np.ptp(both) else 1.0)
    score = DomainOverlap(y)
    found = score.parts(score.evaluate([feature]))
    assert found[0][0] == count
    assert found[1][0] == pytest.approx(np.mean(length), abs=1e-9)


def test_ends_that_touch_overlap_and_a_gap_is_negative():
    score = DomainOverlap([0, 0, 1, 1])
    count, length = score.parts(score.evaluate([[0, 1, 1, 2], [0, 1, 2, 4], [0, 3, 1, 2], [5, 5, 5, 5]]))
    assert count.tolist() == [2, 0, 2, 4]
    np.testing.assert_allclose(length, [0, -0.25, 1 / 3, 1], atol=1e-9)


def test_the_best_of_several_remainders_counts():
    y, feature = np.array([0, 0, 0, 1, 1, 1]), np.array([0.0, 1.0, 5.0, 2.0, 3.0, 4.0])
    without = feature < 5
    score = DomainOverlap(y, remaining=[np.ones(6, bool), without])
    assert score.parts(score.evaluate([feature]))[0][0] == 0
    alone = DomainOverlap(y, remaining=[y == 0])
    assert alone.parts(alone.evaluate([feature]))[0][0] == 0
    assert np.isneginf(DomainOverlap(y).evaluate([[1, 2, 3, 4, 5, np.inf]]))[0]


# -- hulls ------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_orientation_has_the_exact_sign(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        corners = rng.integers(-3, 4, 6) * 0.1 + rng.integers(-2, 3, 6) * 2.0**-53
        ax, ay, bx, by, cx, cy = (Fraction(float(value)) for value in corners)
        exact = (ax - cx) * (by - cy) - (ay - cy) * (bx - cx)
        found = orientation(*(float(value) for value in corners))
        assert (found > 0) - (found < 0) == (exact > 0) - (exact < 0)


@given(seed=st.integers(0, 10**6), n_terms=st.integers(1, 3), lattice=st.booleans())
@settings(max_examples=15)
def test_samples_in_the_hull_of_another_class(seed, n_terms, lattice):
    rng = np.random.default_rng(seed)
    n_classes, m = int(rng.integers(2, 4)), 14
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, m - n_classes)]
    values = rng.normal(size=(n_terms, m))
    values = np.round(values) if lattice else values
    count, _, flags = hull_overlap(values, y)
    expected = undecided_samples(values, y)
    assert count == expected[0]
    np.testing.assert_array_equal(flags, expected[1])


def corners_of_boxes(shift, n_terms):
    """Corners of a unit box (class 0) and of one moved by ``shift`` along every axis (class 1)."""
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=n_terms))).T
    return np.hstack([corners, corners + shift]), np.repeat([0, 1], 2**n_terms)


@pytest.mark.parametrize("n_terms", [1, 2, 3])
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_common_measure_of_two_boxes(n_terms, shift, scale):
    values, y = corners_of_boxes(shift, n_terms)
    values = values * scale * np.arange(1, n_terms + 1)[:, None]
    count, overlap, _ = hull_overlap(values, y)
    common = (1 - shift) ** n_terms
    wanted = common / (2 - common) if n_terms > 1 else (1 - shift) / (1 + shift)
    assert overlap == pytest.approx(wanted, abs=1e-9)
    assert count == (2 ** (n_terms + 1) if shift == 0 else 2)


def test_an_affine_map_moves_no_sample_out_of_a_hull():
    rng = np.random.default_rng(3)
    values, y = rng.normal(size=(2, 60)), np.arange(60) % 2
    count, overlap, flags = hull_overlap(values, y)
    moved = hull_overlap(np.array([[3.0, 1.0], [-1.0, 2.0]]) @ values + [[100.0], [-7.0]], y)
    assert (moved[0], moved[1]) == (count, pytest.approx(overlap, rel=1e-9))
    np.testing.assert_array_equal(moved[2], flags)


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_nearest_point_agrees_with_a_linear_program(dimension):
    rng = np.random.default_rng(dimension)
    for trial in range(60):
        corners, point = rng.normal(size=(dimension, 9)), 0.6 * rng.normal(size=dimension)
        if trial % 3 == 0:
            corners, point = np.round(corners), np.round(point)
        if trial % 7 == 0:
            point = corners[:, 2].copy()
        assert is_inside(np.ascontiguousarray(corners), point, 1e-9) == is_mixture(corners, point)


# -- search -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_terms", [1, 2, 3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_search_finds_the_best_of_all_sets(n_terms, n_classes):
    rng = np.random.default_rng(n_terms)
    values, y = rng.normal(size=(7, 40)), np.arange(40) % n_classes
    values[:4] += 1.2 * y
    complexity = rng.integers(1, 5, 7)
    rows = []
    for columns in itertools.combinations(range(7), n_terms):
        count, overlap, _ = hull_overlap(values[list(columns)], y)
        rows.append((count, overlap, complexity[list(columns)].sum(), columns))
    rows.sort()
    found = search_overlap(values, y, n_terms, n_best=8, complexity=complexity)
    n_found = min(8, len(rows))
    assert [tuple(row) for row in found.columns] == [row[3] for row in rows[:n_found]]
    assert found.n_overlap.tolist() == [row[0] for row in rows[:n_found]]
    assert found.n_searched == math.comb(7, n_terms)
    assert found.to_frame()["columns"].iloc[0] == rows[0][3]


@pytest.mark.parametrize("n_terms", [2, 3])
@pytest.mark.parametrize("n_jobs", [2, 4])
def test_any_number_of_workers_gives_the_same_list(n_terms, n_jobs):
    rng = np.random.default_rng(5)
    values, y = rng.normal(size=(9, 50)), rng.integers(0, 2, 50)
    one, many = (search_overlap(values, y, n_terms, n_best=10, n_jobs=n) for n in (1, n_jobs))
    np.testing.assert_array_equal(one.columns, many.columns)
    np.testing.assert_array_equal(one.overlap, many.overlap)


def test_equal_overlaps_go_to_the_simplest():
    values = np.array([[0.0, 1.0, 2.0, 3.0]] * 4) + np.arange(4)[:, None]
    found = search_overlap(values, [0, 0, 1, 1], 2, complexity=[4, 3, 2, 1], n_best=2)
    assert found.columns.tolist() == [[2, 3], [1, 3]]
    triples = search_overlap(values, [0, 0, 1, 1], 3, complexity=[4, 3, 2, 1], n_best=1)
    assert triples.columns.tolist() == [[1, 2, 3]]
    assert repr(triples) == "OverlapList(1 of 4 sets, best 0 samples)"


def test_what_is_refused():
    values = np.arange(8.0).reshape(2, 4)
    with pytest.raises(InputError, match=r"n_terms must be 1, 2 or 3. Got 4"):
        search_overlap(values, [0, 1, 0, 1], 4)
    with pytest.raises(InputError, match=r"n_best must be at least 1. Got 0"):
        search_overlap(values, [0, 1, 0, 1], n_best=0)
    with pytest.raises(InputError, match=r"have at least 3 features. Got 2"):
        search_overlap(values, [0, 1, 0, 1], 3)
    values[1, 2] = np.inf
    with pytest.raises(InputError, match=r"be finite. Got inf in feature 1, sample 2"):
        search_overlap(values, [0, 1, 0, 1])
