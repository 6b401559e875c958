"""Damped steps on small systems: against dense solves, at bounds, and when nothing can be solved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sozai.numerics.damped_steps import (
    DAMPING_START,
    GROWTH_START,
    clip_step,
    free_of_bounds,
    nielsen,
    predicted_decrease,
    solve_damped,
    step_in_box,
)


def system(seed, p=5, n=9):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-3, 3, p)
    return rows.T @ rows, rows.T @ rng.normal(size=n)


@given(st.integers(0, 10_000), st.floats(1e-6, 1e3), st.integers(1, 31))
def test_the_free_block_is_solved(seed, damping, mask):
    information, score = system(seed)
    free = np.array([bool(mask >> j & 1) for j in range(5)])
    step = np.full(5, np.nan)
    assert solve_damped(information, score, damping, free, step)
    block = information[np.ix_(free, free)]
    scale = np.sqrt(np.diag(block))
    scaled = block / np.outer(scale, scale) + damping * np.eye(free.sum())
    assert np.allclose(
        step[free] * scale, np.linalg.solve(scaled, score[free] / scale), rtol=1e-8, atol=1e-12
    )
    assert (step[~free] == 0).all()


def test_only_the_lower_triangle_is_read():
    information, score = system(3)
    lower = np.where(np.tril(np.ones((5, 5), bool)), information, np.nan)
    steps = np.empty((2, 5))
    free = np.ones(5, bool)
    assert solve_damped(information, score, 0.1, free, steps[0])
    assert solve_damped(lower, score, 0.1, free, steps[1])
    assert (steps[0] == steps[1]).all()
    assert predicted_decrease(lower, score, steps[0]) == pytest.approx(
        2 * score @ steps[0] - steps[0] @ information @ steps[0], rel=1e-12
    )


def test_units_do_not_matter():
    information, score = system(4)
    unit = 2.0 ** np.array([30, -20, 0, 7, -11])
    steps, free = np.empty((2, 5)), np.ones(5, bool)
    solve_damped(information, score, 0.01, free, steps[0])
    solve_damped(information * np.outer(unit, unit), score * unit, 0.01, free, steps[1])
    assert np.allclose(steps[1] * unit, steps[0], rtol=1e-13)


def test_a_parameter_without_effect_stays():
    step = np.full(2, np.nan)
    information, score = np.diag([4.0, 0.0]), np.array([8.0, 0.0])
    assert solve_damped(information, score, 0.0, np.ones(2, bool), step)
    assert step.tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    "information", [np.ones((2, 2)), np.array([[1.0, np.nan], [np.nan, 1.0]]), np.diag([-1.0, 1.0])]
)
def test_what_cannot_be_solved_is_said(information):
    step, trial = np.full(2, 7.0), np.zeros(2)
    free, wide = np.ones(2, bool), np.full(2, np.inf)
    assert not solve_damped(information, np.ones(2), 0.0, free, step)
    assert step.tolist() == [0.0, 0.0]
    assert not step_in_box(information, np.ones(2), 0.0, np.zeros(2), -wide, wide, free, step, trial)


def test_damping_makes_a_singular_system_solvable():
    step = np.empty(2)
    assert solve_damped(np.ones((2, 2)), np.ones(2), 1.0, np.ones(2, bool), step)
    assert np.allclose(step, 1 / 3)


def test_frozen_and_released():
    theta = np.array([0.0, 0.0, 1.0, 1.0, 0.5, 0.0, np.nan])
    score = np.array([-1.0, 1.0, 1.0, -1.0, 9.0, np.nan, 1.0])
    lower, upper = np.zeros(7), np.ones(7)
    free = np.empty(7, bool)
    assert free_of_bounds(theta, score, lower, upper, free) == 4
    assert free.tolist() == [False, True, False, True, True, False, True]
    assert free_of_bounds(theta, score, theta, theta, free) == 1  # equal bounds hold; NaN equals nothing


def test_clipped_entries_are_exact():
    theta, step, trial = np.array([0.1, 0.3]), np.array([0.7, -9.0]), np.empty(2)
    assert clip_step(theta, np.array([0.0, 0.1]), np.array([0.2, 1.0]), step, trial) == 2
    assert trial.tolist() == [0.2, 0.1]
    assert step == pytest.approx([0.1, -0.2])


@given(st.integers(0, 10_000), st.floats(0.05, 3.0))
def test_steps_in_the_box_satisfy_the_equations_of_what_still_moves(seed, room):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(8, 4))
    information, score = rows.T @ rows, rng.normal(size=4) * 5
    theta, lower, upper = np.zeros(4), np.full(4, -room), np.full(4, room)
    step, trial = np.empty(4), np.empty(4)
    assert step_in_box(information, score, 0.1, theta, lower, upper, np.ones(4, bool), step, trial)
    assert (trial >= lower).all()
    assert (trial <= upper).all()
    inside = np.abs(trial) < room
    damped = information + 0.1 * np.diag(np.diag(information)) * np.outer(inside, inside)
    assert np.allclose((score - damped @ step)[inside], 0, atol=1e-9)


def test_many_small_damped_steps_in_the_box_find_the_constrained_minimum():
    information, score = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([1.0, 0.0])
    theta, step, trial, free = np.array([0.5, 0.5]), np.empty(2), np.empty(2), np.empty(2, bool)
    lower, upper = np.zeros(2), np.ones(2)
    for _ in range(60):
        now = score - information @ theta
        free_of_bounds(theta, now, lower, upper, free)
        assert step_in_box(information, now, 0.1, theta, lower, upper, free, step, trial)
        theta = trial.copy()
    assert theta.tolist() == [1.0, 0.0]


def test_the_damping_rule():
    assert (DAMPING_START, GROWTH_START) == (1e-3, 2.0)
    assert nielsen(0.25, 1.0, 8.0) == (1.125, 2.0)
    assert nielsen(-1.0, 1.0, 8.0) == (8.0, 16.0)
    assert nielsen(np.nan, 1.0, 2.0) == (2.0, 4.0)
    assert nielsen(1e300, 1.0, 2.0) == (1 / 3, 2.0)
    assert nielsen(1.0, 1e-20, 2.0)[0] == 1e-20
    assert nielsen(-1.0, 1e20, 2.0)[0] == 1e20


def test_callable_from_a_compiled_loop():
    @njit
    def iterate(information, target, n):
        theta, step, trial = np.zeros(2), np.zeros(2), np.zeros(2)
        free, lower, upper = np.ones(2, np.bool_), np.full(2, -9.0), np.full(2, 9.0)
        damping, growth = 1e-3, 2.0
        for _ in range(n):
            score = information @ (target - theta)
            free_of_bounds(theta, score, lower, upper, free)
            step_in_box(information, score, damping, theta, lower, upper, free, step, trial)
            damping, growth = nielsen(1.0, damping, growth)
            theta[:] = trial
        return theta

    theta = iterate(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([1.0, 2.0]), 9)
    assert np.allclose(theta, [1.0, 2.0], atol=1e-12)
