"""What a relation table computes when asked: coefficients, validity, geometry."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sozai.numerics.modular_elimination import eliminate_modulo
from sozai.numerics.unit_columns import unit_columns, unit_singular_values
from sozai.symbolic.formulas.dimension_table import dimension_text
from sozai.symbolic.formulas.operators import ABS, ADD, INVERSE, LEAF, MULTIPLY, SUBTRACT
from sozai.symbolic.relations.exact_relations import ExactRelations, exactly_dependent, regular_primes
from sozai.symbolic.relations.relation_record import Relation
from sozai.symbolic.relations.residues import ExpressionColumns, random_points, widened_domain

__all__ = ["RelationEngine", "dimension_texts"]

#: Smallest coefficient between unit-norm columns that counts (published value).
SUPPORT = 1e-5
_LARGEST_DENOMINATOR = 64
_SNAP = 1e-9
_ROUNDING = 1e-13  # of a sum of few terms; an approximation that is no identity misses by more


class RelationEngine:
    """Answers about one table of columns and one basis of it.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_columns)
    reduction : RowReduction
        Float reduction whose basis is described (for ``"exact"``: of the exact basis).
    limits : ndarray of shape (n_columns,)
        Relative residual up to which a relation counts as fulfilled.
    exact : ExactRelations or None
        Source of rational coefficients.
    generated : Generated or None
        Expressions of the columns, and ``primary`` their table.
    domain : mapping or None
        Interval per primary column.
    """

    def __init__(self, matrix, reduction, limits, *, exact=None, generated=None, primary=None, domain=None):
        self.matrix, self.reduction, self.limits, self.exact = matrix, reduction, limits, exact
        self.generated, self.primary, self.domain = generated, primary, domain
        self.scales = reduction.scales

    # -- coefficients -------------------------------------------------------------------

    def coefficients(self, columns):
        """Coefficients in the basis, original units, shape (rank, len(columns))."""
        if self.exact is None:
            return self._float_coefficients(columns)
        values, complete = self.exact.coefficients(columns)
        if not complete.all():
            values[:, ~complete] = self._float_coefficients(columns[~complete])
        return values

    def _float_coefficients(self, columns):
        """Least squares, then the sparse form and the rational form where the residual allows."""
        basis = unit_columns(self.matrix, self.reduction.basis, self.scales)
        x = unit_columns(self.matrix, columns, self.scales)
        full = self.reduction.coefficients(columns, unit=True)
        residual = np.linalg.norm(x - basis @ full, axis=0)
        limit = np.maximum(self.limits[columns], 1.01 * residual)
        sparse = np.where(np.abs(full) >= SUPPORT, full, 0.0)
        bad = np.flatnonzero(np.linalg.norm(x - basis @ sparse, axis=0) > limit)
        for k in bad:
            sparse[:, k] = self._refit(basis, x[:, k], sparse[:, k] != 0, full[:, k], limit[k])
        ratio = self.scales[columns][None, :] / self.scales[self.reduction.basis][:, None]
        return self._snap(basis, x, sparse * ratio, ratio, limit)

    @staticmethod
    def _refit(basis, x, support, full, limit):
        """Least squares on the support, as small as it gets; the full coefficients when none is enough."""
        best = full
        while support.any():
            result = np.zeros_like(full)
            result[support] = np.linalg.lstsq(basis[:, support], x, rcond=None)[0]
            if np.linalg.norm(x - basis @ result) > limit:
                break
            best, before = result, support
            support = np.abs(result) >= SUPPORT
            if support.sum() == before.sum():
                break
        return best

    @staticmethod
    def _snap(basis, x, b, ratio, limit):
        """Replace coefficients by fractions p/q, q up to 64, where the relation stays fulfilled."""
        snapped = b.copy()
        open_ = b != 0
        for q in range(1, _LARGEST_DENOMINATOR + 1):
            if not open_.any():
                break
            near = np.round(b * q)
            hit = open_ & (near != 0) & (np.abs(b * q - near) <= _SNAP * np.maximum(np.abs(near), 1.0))
            snapped[hit] = near[hit] / q
            open_ &= ~hit
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = np.where(ratio > 0, snapped / ratio, 0.0)
        allowed = np.linalg.norm(x - basis @ unit, axis=0) <= limit
        return np.where(allowed, snapped, b)

    def fractions(self, columns, b):
        """Coefficients as fractions where they are known exactly, one list or None per column."""
        if self.exact is None:
            return [None] * len(columns)
        return self.exact.fractions(columns)

    def least_squares(self, column, before):
        """Coefficients of one column on others, original units, small ones left out."""
        if before.size == 0:
            return np.zeros(0)
        basis, x = (
            unit_columns(self.matrix, before, self.scales),
            unit_columns(self.matrix, np.array([column]), self.scales),
        )
        b = np.linalg.lstsq(basis, x[:, 0], rcond=None)[0]
        b[np.abs(b) < SUPPORT] = 0.0
        return b * self.scales[column] / self.scales[before]

    def relative_residuals(self, columns, b):
        """‖x − X_basis B‖/‖x‖ of relations as they are shown; 0 for zero columns."""
        ratio = self.scales[self.reduction.basis][:, None] / np.where(
            self.scales[columns] > 0, self.scales[columns], 1.0
        )
        basis = unit_columns(self.matrix, self.reduction.basis, self.scales)
        x = unit_columns(self.matrix, columns, self.scales)
        return np.linalg.norm(x - basis @ (b * ratio), axis=0)

    # -- geometry -------------------------------------------------------------------------

    @cached_property
    def singular_values(self):
        """Singular values of the unit-norm columns."""
        return unit_singular_values(self.matrix, self.scales)

    def triangle(self, columns):
        """R of the unit-norm columns."""
        r = np.linalg.qr(unit_columns(self.matrix, columns, self.scales), mode="r")
        return np.vstack([r, np.zeros((columns.size - r.shape[0], columns.size))])

    @property
    def complexity(self):
        """Complexity per column, or None."""
        return None if self.generated is None else np.asarray(self.generated.complexity)

    def dimensions(self, columns):
        """Physical dimension per column as text, or None."""
        if self.generated is None:
            return None
        return dimension_texts(self.generated.expressions, np.asarray(self.generated.ids)[columns])

    # -- validity -------------------------------------------------------------------------

    @cached_property
    def intervals(self):
        """Interval per primary column: declared here, declared at generation, or seen."""
        store = self.generated.expressions
        declared = {
            name: (float(store.lower[j + 1]), float(store.upper[j + 1]))
            for j, name in enumerate(store.names)
            if bool(store.declared[j + 1])
        }
        declared = {name: ends for name, ends in declared.items() if np.isfinite(ends).all()}
        return widened_domain(store.names, self.primary, {**declared, **(self.domain or {})})

    def random_columns(self, n):
        """Put the columns on ``n`` random points of the domain."""
        points, roots = random_points(self.intervals, n, np.random.default_rng(577215))
        return ExpressionColumns(self.generated.expressions, np.asarray(self.generated.ids), points, roots)

    def holds(self, basis, dependents, kinds):
        """Per dependent: identity or coincidence, see :class:`RelationTable`."""
        result = np.full(dependents.size, "in this sample", dtype=object)
        exact = np.flatnonzero(kinds[dependents] == "exact")
        if self.generated is None or exact.size == 0:
            return result
        columns = self.random_columns(max(2 * basis.size + 50, 128))
        always = exactly_dependent(columns, basis, dependents[exact])
        result[exact[always]] = "always"
        rational = columns.rational
        open_ = exact[~always]
        if open_.size and not (rational[basis].all() and rational[dependents[open_]].all()):
            which = open_[self._numerically(columns, basis, dependents[open_])]
            result[which] = "numerically always"
        return result

    def _numerically(self, columns, basis, dependents):
        """Places of dependents with a function that are fulfilled in floating point at random points."""
        points = columns.points.astype(np.float64)
        ids = np.asarray(self.generated.ids)
        with np.errstate(all="ignore"):
            x = self.generated.expressions.evaluate(ids[dependents], points)
            base = self.generated.expressions.evaluate(ids[basis], points)
        b = self.coefficients(dependents)
        open_ = _beyond_rules(self.generated.expressions)[ids]
        touched = open_[dependents] | ((b != 0) & open_[basis][:, None]).any(axis=0)
        found = [k for k in np.flatnonzero(touched) if _obeyed(base[:, b[:, k] != 0], x[:, k])]
        return np.array(found, dtype=np.int64)

    def generic_reduction(self, order, rank):
        """Elimination at random points, as many as it takes, and the columns there."""
        n = max(2 * rank + 50, 128)
        while True:
            columns = self.random_columns(n)
            rng = np.random.default_rng(69314)
            _, residues, prime = next(regular_primes(columns, np.arange(len(order)), rng))
            found = eliminate_modulo(residues, prime, order=order, rng=rng)
            if found.rank < n or found.rank == len(order):
                return found, columns
            n *= 2

    def generic_rank(self, order, rank):
        """Rank at random points; without expressions every column may change on its own."""
        return len(order) if self.generated is None else self.generic_reduction(order, rank)[0].rank

    def identities(self, order, rank, names):
        """Relations at random points, as records."""
        if self.generated is None:
            return ()
        reduction, columns = self.generic_reduction(order, rank)
        basis, dependents = reduction.basis, reduction.dependents
        result = []
        for column, row in zip(dependents, ExactRelations(columns, basis).fractions(dependents), strict=True):
            support = [] if row is None else [j for j, value in enumerate(row) if value]
            result.append(
                Relation(
                    names[column],
                    tuple(names[basis[j]] for j in support),
                    tuple(float(row[j]) for j in support),
                    self._misfit(column, basis[support], [float(row[j]) for j in support]),
                    "exact",
                    "always",
                    None if row is None else tuple(row[j] for j in support),
                )
            )
        return tuple(result)

    def _misfit(self, column, basis, b):
        """Relative residual of one relation in the sample."""
        unit = unit_columns(self.matrix, np.append(basis, column), self.scales)
        ratio = np.asarray(b) * self.scales[basis] / max(self.scales[column], np.finfo(float).tiny)
        return float(np.linalg.norm(unit[:, -1] - unit[:, :-1] @ ratio))


def _beyond_rules(store):
    """Which expressions hold a function of more than a product of columns: residues may miss an identity."""
    op, left, right = store.op.tolist(), store.left.tolist(), store.right.tolist()
    monomial, found = [False] * len(op), [False] * len(op)
    for node, code in enumerate(op):  # children come before parents
        if code <= LEAF:
            monomial[node] = code == LEAF
            continue
        children = [left[node]] if right[node] < 0 else [left[node], right[node]]
        monomial[node] = code in (MULTIPLY, INVERSE) and all(monomial[child] for child in children)
        function = code not in (ADD, SUBTRACT, MULTIPLY, INVERSE, ABS)
        found[node] = any(found[child] for child in children) or (function and not monomial[left[node]])
    return np.array(found)


def _obeyed(base, x):
    """Whether ``x`` is a combination of the columns of ``base`` down to rounding, with points to spare."""
    finite = np.isfinite(x) & np.isfinite(base).all(axis=1)
    if finite.sum() < 2 * base.shape[1] + 10:
        return False
    scale = np.abs(base[finite]).max(axis=0, initial=0.0)
    unit = base[finite] / np.where(scale > 0, scale, 1.0)
    b = np.linalg.lstsq(unit, x[finite], rcond=None)[0]
    size = np.abs(unit) @ np.abs(b) + np.abs(x[finite])
    return bool((np.abs(x[finite] - unit @ b) <= _ROUNDING * size).all())


def dimension_texts(store, ids):
    """Physical dimension of expressions as text; ``own unit`` where a column has none.

    Examples
    --------
    >>> from sozai.symbolic.operations import Expressions
    >>> dimension_texts(Expressions(["r"], dimensions={"r": "m"}), [0, 1])
    ('dimensionless', 'length')
    """
    vectors = [store.dimension_of(int(node)) for node in ids]
    return tuple("own unit" if vector is None else dimension_text(vector) for vector in vectors)
