"""Where a law is singular inside a region, and whether it grows without bound towards that place."""

from __future__ import annotations

import numpy as np

from sozai.symbolic.formulas.box_bounds import point_values, upper_bounds
from sozai.symbolic.formulas.global_maximum import Region
from sozai.symbolic.formulas.law_program import LawProgram

__all__ = ["grows_without_bound", "singular_point"]

_HALVINGS = 64
_STEPS = (2.0**-12, 2.0**-24, 2.0**-48)  # distances at which growth is judged, each the square of the last
_N_DIRECTIONS = 256
_SEED = 20240602


def singular_point(program: LawProgram, region: Region, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Point without a finite bound, to rounding, by halving a small box that holds one.

    Parameters
    ----------
    program : LawProgram
    region : Region
    low, high : ndarray of shape (n_variables,)
        The small box.

    Examples
    --------
    >>> from sozai.symbolic.operations import Expressions, parse_into
    >>> from sozai.symbolic.formulas.law_program import compile_law
    >>> store = Expressions(["x"])
    >>> law = compile_law(store, [parse_into(store, "1/(x - 3)")], [1.0], 0.0, columns=[0])
    >>> region = Region(np.array([2.0]), np.array([5.0]), np.empty((0, 1)), np.empty(0), np.empty(0))
    >>> singular_point(law, region, np.array([2.9]), np.array([3.1])).round(9), grows_without_bound(
    ...     law, region, np.array([3.0])
    ... )
    (array([3.]), True)
    """
    slack = region.slack
    rows = (region.matrix, region.row_low - slack, region.row_high + slack)
    bound, center, state = np.empty(2), np.empty(2), np.empty(2, dtype=np.int64)
    for step in range(_HALVINGS * low.size):
        side = step % low.size
        middle = 0.5 * low[side] + 0.5 * high[side]
        first_high, second_low = high.copy(), low.copy()
        first_high[side] = second_low[side] = middle
        lows, highs = np.array([low, second_low]), np.array([first_high, high])
        upper_bounds(program, *rows, lows.copy(), highs.copy(), bound, center, state)
        if bound.max() < np.inf:
            break
        kept = int(np.argmax(bound))
        low, high = lows[kept], highs[kept]
    return np.where((low <= 0.0) & (high >= 0.0), 0.0, 0.5 * low + 0.5 * high)


def grows_without_bound(program: LawProgram, region: Region, point: np.ndarray) -> bool:
    """Whether the law keeps growing towards a singular point.

    Notes
    -----
    The best value around the point is taken at three distances, each the square
    of the one before. Growth that goes on gains at least as much in the second
    step as in the first: a logarithm twice as much, a pole far more, while
    ``x*log(x)`` and everything else that stays finite gains less.
    """
    rng = np.random.default_rng(_SEED)
    n = point.size
    directions = np.vstack([rng.uniform(-1, 1, (_N_DIRECTIONS, n)), np.eye(n), -np.eye(n)])
    best = []
    for step in _STEPS:
        points = region.restored(np.ascontiguousarray(point + step * directions * region.width))
        lower, upper = np.empty(len(points)), np.empty(len(points))
        point_values(program, points, lower, upper)
        inside = region.contains(points) & np.isfinite(lower)
        best.append(float(lower[inside].max()) if inside.any() else -np.inf)
    return bool(np.isfinite(best).all() and best[2] - best[1] >= best[1] - best[0] > 0)
