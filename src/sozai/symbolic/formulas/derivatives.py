"""Slopes of many expressions at once: forward differentiation over the shared graph, one-sided at kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.evaluation import reachable
from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    CONSTANT,
    EXP,
    EXP_NEG,
    INVERSE,
    LEAF,
    LOG,
    MULTIPLY,
    SQRT,
    SUBTRACT,
)

if TYPE_CHECKING:
    from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["derivatives"]

_Slopes = dict[int, np.ndarray]  # column -> slope on every row; a column that does not occur is left out


def derivatives(store: Expressions, ids: Any, X: Any, *, side: int = 1) -> tuple[np.ndarray, np.ndarray]:
    r"""Values of expressions and their slopes with respect to every column.

    Parameters
    ----------
    store : Expressions
    ids : array-like of int of shape (n_ids,)
        Wanted expressions.
    X : array-like of shape (n_samples, n_columns)
        Primary columns, in the order of ``store.names``.
    side : {1, -1}, default=1
        Which slope is given at a kink of :math:`|u|`: that towards larger
        values of the column, or that towards smaller ones.

    Returns
    -------
    values : ndarray of shape (n_samples, n_ids)
    slopes : ndarray of shape (n_samples, n_ids, n_columns)
        :math:`\partial f_j / \partial x_i`; NaN where the expression is not
        defined, or not towards this side; infinite at the foot of a root.

    Raises
    ------
    InputError
        ``side`` is neither 1 nor -1.

    Notes
    -----
    Forward mode: every node carries its value and its slopes along the columns
    it depends on, by the rules :math:`(uv)' = u'v + uv'`, :math:`(1/u)' =
    -u'/u^2`, :math:`|u|' = \operatorname{sign}(u)\,u'` and so on. At
    :math:`u = 0` the one-sided slope of :math:`|u|` is :math:`|u'|` towards the
    chosen side, which is exact for nested magnitudes too. Cost: one evaluation
    times one plus the number of columns of each node.

    Examples
    --------
    >>> from sozai.symbolic.operations import Expressions, parse_into
    >>> store = Expressions(["b", "h"])
    >>> values, slopes = derivatives(store, [parse_into(store, "b*h/2")], [[3.0, 4.0]])
    >>> values.tolist(), slopes.tolist()
    ([[6.0]], [[[2.0, 1.5]]])
    >>> kink = [parse_into(store, "|b - h|")]
    >>> [derivatives(store, kink, [[1.0, 1.0]], side=side)[1][0, 0].tolist() for side in (1, -1)]
    [[1.0, 1.0], [-1.0, -1.0]]
    """
    if side not in (1, -1):
        raise InputError(
            sentence(
                "derivatives", "side", "be 1 or -1", side, remedy="Leave it out for slopes to the right."
            )
        )
    X = np.asarray(X, dtype=np.float64)
    ids = np.atleast_1d(np.asarray(ids, dtype=np.int64))
    values = np.empty((len(X), ids.size))
    slopes = np.zeros((len(X), ids.size, len(store.names)))
    with np.errstate(all="ignore"):
        known = _forward(store, ids, X, float(side))
        for j, node in enumerate(ids.tolist()):
            values[:, j], along = known[node]
            for column, slope in along.items():
                slopes[:, j, column] = side * slope
    slopes[~np.isfinite(values)] = np.nan
    return values, slopes


def _forward(
    store: Expressions, ids: np.ndarray, X: np.ndarray, side: float
) -> dict[int, tuple[np.ndarray, _Slopes]]:
    """Value and directional slopes of every node below ``ids``."""
    op, left, right = store.op, store.left, store.right
    known: dict[int, tuple[np.ndarray, _Slopes]] = {}
    for node in reachable(op, left, right, ids).tolist():
        code, a, b = int(op[node]), int(left[node]), int(right[node])
        if code == CONSTANT:
            known[node] = (np.full(len(X), float(store.constants[a])), {})
        elif code == LEAF:
            known[node] = (X[:, a], {a: np.full(len(X), side)})
        elif code in _BINARY:
            known[node] = _BINARY[code](*known[a], *known[b])
        else:
            value, outer = _UNARY[code](known[a][0])
            known[node] = (value, {column: outer(inner) for column, inner in known[a][1].items()})
    return known


def _sum(u: np.ndarray, du: _Slopes, v: np.ndarray, dv: _Slopes, sign: float = 1.0) -> tuple:
    """Sum, and difference with ``sign=-1``."""
    slopes = dict(du)
    for column, slope in dv.items():
        slopes[column] = slopes[column] + sign * slope if column in slopes else sign * slope
    return u + sign * v, slopes


def _difference(u: np.ndarray, du: _Slopes, v: np.ndarray, dv: _Slopes) -> tuple:
    """Difference."""
    return _sum(u, du, v, dv, sign=-1.0)


def _product(u: np.ndarray, du: _Slopes, v: np.ndarray, dv: _Slopes) -> tuple:
    """Product and (uv)' = u'v + uv'."""
    slopes = {column: slope * v for column, slope in du.items()}
    for column, slope in dv.items():
        slopes[column] = slopes[column] + u * slope if column in slopes else u * slope
    return u * v, slopes


_Function = Callable[[np.ndarray], tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]]


def _abs(u: np.ndarray) -> tuple:
    """|u|' = sign(u) u', and |u'| towards the chosen side where u = 0."""
    return np.abs(u), lambda du: np.where(u == 0.0, np.abs(du), np.sign(u) * du)


def _inverse(u: np.ndarray) -> tuple:
    """(1/u)' = -u'/u²."""
    value = 1.0 / u
    return value, lambda du: -du * value * value


def _sqrt(u: np.ndarray) -> tuple:
    """Root and u'/(2 sqrt u); not defined towards negative arguments."""
    value = np.sqrt(u)
    return value, lambda du: np.where((u == 0.0) & (du < 0.0), np.nan, du / (2.0 * value))


def _cbrt(u: np.ndarray) -> tuple:
    """Cubic root and u'/(3 u^(2/3))."""
    value = np.cbrt(u)
    return value, lambda du: du / (3.0 * value * value)


def _exp(u: np.ndarray) -> tuple:
    """exp(u)' = exp(u) u'."""
    value = np.exp(u)
    return value, lambda du: value * du


def _exp_neg(u: np.ndarray) -> tuple:
    """exp(-u)' = -exp(-u) u'."""
    value = np.exp(-u)
    return value, lambda du: -value * du


def _log(u: np.ndarray) -> tuple:
    """log(u)' = u'/u."""
    return np.log(u), lambda du: du / u


_BINARY = {ADD: _sum, SUBTRACT: _difference, MULTIPLY: _product}
_UNARY: dict[int, _Function] = {
    ABS: _abs,
    INVERSE: _inverse,
    SQRT: _sqrt,
    CBRT: _cbrt,
    EXP: _exp,
    EXP_NEG: _exp_neg,
    LOG: _log,
}
