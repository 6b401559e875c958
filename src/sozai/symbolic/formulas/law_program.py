"""A law as a short straight-line program: the steps that interval arithmetic walks through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sozai.symbolic.formulas.canonical import factors_of, split_number
from sozai.symbolic.formulas.operators import (
    ADD,
    CONSTANT,
    INVERSE,
    LEAF,
    MULTIPLY,
    SQRT,
    SUBTRACT,
)

if TYPE_CHECKING:
    from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["LINEAR", "POWER", "LawProgram", "compile_bound", "compile_law"]

POWER, LINEAR = 20, 21
"""Steps beyond ``OPERATIONS``: a whole power, and a linear combination of the terms."""


class LawProgram(NamedTuple):
    """Steps in order; the last one is the quantity of interest.

    Attributes
    ----------
    op : ndarray of int64 of shape (n_steps,)
        Codes of ``OPERATIONS``, ``POWER`` or ``LINEAR``.
    left, right : ndarray of int64 of shape (n_steps,)
        Earlier steps; on the left the variable of a leaf, the place in
        ``numbers`` of a constant, the row of a linear combination; on the right
        the exponent of a power.
    numbers : ndarray of float64
    terms : ndarray of int64 of shape (n_terms,)
        Steps that linear combinations are made of.
    rows : ndarray of float64 of shape (n_rows, 1 + n_terms)
        Offset and coefficients of every linear combination.
    depends : ndarray of uint8 of shape (n_steps, n_variables)
        Whether a step depends on a variable.

    Examples
    --------
    >>> from sozai.symbolic.operations import Expressions, parse_into
    >>> store = Expressions(["x", "y"])
    >>> program = compile_law(store, [parse_into(store, "x*x/y")], [2.0], 1.0, columns=[0, 1])
    >>> program.op.tolist(), program.rows.tolist()
    ([1, 20, 1, 6, 4, 21], [[1.0, 2.0]])
    """

    op: np.ndarray
    left: np.ndarray
    right: np.ndarray
    numbers: np.ndarray
    terms: np.ndarray
    rows: np.ndarray
    depends: np.ndarray

    @property
    def n_variables(self) -> int:
        """Variables of the law."""
        return self.depends.shape[1]

    def negated(self) -> LawProgram:
        """Program of minus the quantity, for one that ends in a linear combination or a difference."""
        if self.op[-1] == SUBTRACT:
            left, right = self.left.copy(), self.right.copy()
            left[-1], right[-1] = right[-1], left[-1]
            return self._replace(left=left, right=right)
        rows = self.rows.copy()
        rows[self.left[-1]] *= -1.0
        return self._replace(rows=rows)


class _Builder:
    """Steps under construction; equal steps are kept once."""

    def __init__(self, store: Expressions, columns: Sequence[int]) -> None:
        self.store = store
        self.variable = {int(column): place for place, column in enumerate(columns)}
        self.steps: list[tuple[int, int, int]] = []
        self.place: dict[tuple[int, int, int], int] = {}
        self.numbers: list[float] = []
        self.terms: list[int] = []

    def step(self, op: int, left: int, right: int = -1) -> int:
        """Place of a step, appended when it is new."""
        key = (op, left, right)
        if key not in self.place:
            self.place[key] = len(self.steps)
            self.steps.append(key)
        return self.place[key]

    def number(self, value: float) -> int:
        """Place of a constant."""
        if value not in self.numbers:
            self.numbers.append(value)
        return self.step(CONSTANT, self.numbers.index(value))

    def node(self, node: int) -> int:
        """Steps of one expression; repeated factors become powers, so that x⁴ knows its sign."""
        store = self.store
        op, left, right = int(store.op[node]), int(store.left[node]), int(store.right[node])
        if op == LEAF:
            return self.step(LEAF, self.variable[left])
        if op in (CONSTANT, MULTIPLY):
            return self._product(node)
        return self.step(op, self.node(left), self.node(right) if right >= 0 else -1)

    def _product(self, node: int) -> int:
        """Powers of the factors, then the number in front."""
        number, rest = split_number(self.store, node)
        if rest == 0:
            return self.number(float(number))
        place = -1
        for factor, count in Counter(factors_of(self.store, rest)).items():
            turned = int(self.store.op[factor]) == INVERSE
            one = self.node(int(self.store.left[factor]) if turned else factor)
            one = one if count == 1 else self.step(POWER, one, count)
            one = self.step(INVERSE, one) if turned else one
            place = one if place < 0 else self.step(MULTIPLY, place, one)
        return place if number == 1 else self.step(MULTIPLY, self.number(float(number)), place)

    def finish(self, rows: Any) -> LawProgram:
        """Arrays of the steps."""
        op, left, right = (np.array(part, dtype=np.int64) for part in zip(*self.steps, strict=True))
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        terms = np.array(self.terms, dtype=np.int64)
        numbers = np.array(self.numbers or [0.0])
        depends = _dependence(op, left, right, terms, rows, len(self.variable))
        return LawProgram(op, left, right, numbers, terms, rows, depends)


def compile_law(
    store: Expressions, ids: Any, coefficients: Any, intercept: float, *, columns: Sequence[int]
) -> LawProgram:
    r"""Program of :math:`b_0 + \sum_j \beta_j f_j(x)`.

    Parameters
    ----------
    store : Expressions
    ids : array-like of int
        Terms :math:`f_j`.
    coefficients : array-like of float
    intercept : float
    columns : sequence of int
        Columns of the store that are the variables 0, 1, ... of the program.
    """
    builder, rows = _Builder(store, columns), [[intercept, *np.asarray(coefficients, dtype=float)]]
    builder.terms = [builder.node(int(node)) for node in np.atleast_1d(np.asarray(ids, dtype=np.int64))]
    builder.step(LINEAR, 0)
    return builder.finish(rows)


def compile_bound(
    store: Expressions,
    ids: Any,
    coefficients: Any,
    intercept: float,
    *,
    columns: Sequence[int],
    covariance: Any,
    variance: float,
    quantile: float,
) -> LawProgram:
    r"""Program of the lower prediction bound :math:`\hat y - t\,\sqrt{s^2(1 + r^T P r)}`.

    Parameters
    ----------
    store, ids, coefficients, intercept, columns
        As in :func:`compile_law`.
    covariance : array-like of shape (1 + n_terms, 1 + n_terms)
        :math:`P` of intercept and coefficients; :math:`r = (1, f_1, ...)`.
    variance, quantile : float
        :math:`s^2` and Student's :math:`t`.

    Notes
    -----
    With :math:`P = L L^T` the quadratic form is a sum of squares of linear
    combinations, each of which interval arithmetic handles without losing its sign.
    """
    builder = _Builder(store, columns)
    builder.terms = [builder.node(int(node)) for node in np.atleast_1d(np.asarray(ids, dtype=np.int64))]
    law = builder.step(LINEAR, 0)
    factors = _square_factors(np.asarray(covariance, dtype=float))
    total = builder.number(1.0)
    for row in range(len(factors)):
        total = builder.step(ADD, total, builder.step(POWER, builder.step(LINEAR, 1 + row), 2))
    width = builder.number(float(quantile * np.sqrt(variance)))
    builder.step(SUBTRACT, law, builder.step(MULTIPLY, width, builder.step(SQRT, total)))
    return builder.finish(np.vstack([[[intercept, *np.asarray(coefficients, dtype=float)]], factors]))


def _square_factors(covariance: np.ndarray) -> np.ndarray:
    """Rows whose squared products with r sum to the quadratic form; rounding below zero is cut."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    kept = values > 1e-15 * max(values.max(initial=0.0), 1e-300)
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T


def _dependence(
    op: np.ndarray, left: np.ndarray, right: np.ndarray, terms: np.ndarray, rows: np.ndarray, n_variables: int
) -> np.ndarray:
    """Which step depends on which variable."""
    depends = np.zeros((op.size, n_variables), dtype=np.uint8)
    for k, code in enumerate(op.tolist()):
        if code == LEAF:
            depends[k, left[k]] = 1
        elif code == LINEAR:
            for j in np.flatnonzero(rows[left[k], 1:]):
                depends[k] |= depends[terms[j]]
        elif code != CONSTANT:
            depends[k] |= depends[left[k]]
            if code != POWER and right[k] >= 0:
                depends[k] |= depends[right[k]]
    return depends
