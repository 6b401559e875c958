"""Other words for the same formula: exchange terms, shorten it, put in what the user prefers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import comb

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, NotIndependentError, sentence
from sozai.numerics.row_reduction import row_reduce
from sozai.symbolic.formulas.canonical import factors_of
from sozai.symbolic.formulas.hash_consing import PRODUCT
from sozai.symbolic.formulas.operators import INVERSE
from sozai.symbolic.operations import parse_into
from sozai.symbolic.relations.exact_relations import exactly_dependent
from sozai.symbolic.relations.relation_engine import dimension_texts
from sozai.symbolic.relations.residues import ExpressionColumns, random_points
from sozai.symbolic.selectors.exhaustive import Exhaustive
from sozai.symbolic.subspaces import combination

__all__ = ["Rewrite", "RewriteList", "rewrite"]

_SAME = 1e-8
_NOTHING = 1e-10
_AFFORDABLE = 2e7


@dataclass(frozen=True)
class Rewrite:
    """One formula with the predictions of another.

    Attributes
    ----------
    terms : tuple of str
    coefficients : tuple of float
    intercept : float
    n_terms : int
        Without the intercept.
    complexity : int
        Sum over the terms.
    max_abs_difference : float
        Largest change of a prediction in the sample.
    holds : str
        ``"always"`` when the predictions stay the same for every sample,
        ``"in this sample"`` when a coincidence was used.
    condition : float
        Condition number of the unit-norm columns, the constant included.
    units : tuple of str or None
        Physical dimension of each term.

    Examples
    --------
    >>> Rewrite(("a",), (2.0,), 1.0, 1, 1, 0.0, "always", 1.0)
    1 + 2 a  (always)
    """

    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float
    n_terms: int
    complexity: int
    max_abs_difference: float
    holds: str
    condition: float
    units: tuple[str, ...] | None = field(default=None, repr=False)

    @property
    def formula(self):
        """The formula as text."""
        body = combination(self.terms, self.coefficients)
        if not self.intercept:
            return body
        if not self.terms:
            return f"{self.intercept:.6g}"
        return (
            f"{self.intercept:.6g} - {body[1:]}" if body.startswith("-") else f"{self.intercept:.6g} + {body}"
        )

    @property
    def same_dimension(self):
        """Whether all terms have one physical dimension; None when dimensions are unknown."""
        return None if self.units is None or "own unit" in self.units else len(set(self.units)) <= 1

    def __repr__(self):
        """One line: formula and validity."""
        return f"{self.formula}  ({self.holds})"


class RewriteList(Sequence):
    """Equivalent formulas, best first.

    Parameters
    ----------
    rewrites : sequence of Rewrite
    notes : sequence of str
        What was not searched.

    Examples
    --------
    >>> len(RewriteList([]))
    0
    """

    def __init__(self, rewrites, notes=()):
        self._rewrites = tuple(rewrites)
        self.notes = tuple(notes)

    def __len__(self):
        """Count the formulas."""
        return len(self._rewrites)

    def __getitem__(self, k):
        """Return one formula, or a list of them."""
        return RewriteList(self._rewrites[k], self.notes) if isinstance(k, slice) else self._rewrites[k]

    def __repr__(self):
        """One formula a line."""
        return "\n".join(map(repr, self._rewrites)) or "no other formula"

    def to_frame(self):
        """Table of the formulas.

        Returns
        -------
        DataFrame
        """
        names = [
            "formula",
            "n_terms",
            "complexity",
            "holds",
            "max_abs_difference",
            "condition",
            "same_dimension",
        ]
        return pd.DataFrame([[getattr(r, name) for name in names] for r in self], columns=names)


def rewrite(model, table, *, prefer=None, max_terms=None, n_results=20, additions=()):
    r"""Find formulas with other terms and the same predictions.

    Parameters
    ----------
    model : SymbolicModel or mapping of term to coefficient
        The formula; terms are columns of ``table``.
    table : RelationTable
        Relations among the columns.
    prefer : sequence of str, optional
        Terms to see first; formulas that hold more of them are listed first.
    max_terms : int, optional
        Most terms of a formula; as many as it has now by default.
    n_results : int
        Most formulas returned.
    additions : sequence of str
        Expressions typed by the user, e.g. ``"x*(1-x)"``; each must lie in the
        span of the columns.

    Returns
    -------
    RewriteList
        Identities first, coincidences of this sample last.

    Raises
    ------
    NotIndependentError
        The terms of the formula obey a relation themselves.
    InputError
        A term is no column, or an addition brings something new.

    Notes
    -----
    Exchange of term j for column k with :math:`x_k = \sum_i B_{ik} x_i` in a
    basis that contains the terms:
    :math:`\beta'_k = \beta_j / B_{jk}` and
    :math:`\beta'_i = \beta_i - \beta_j B_{ik} / B_{jk}`. Shorter formulas are
    found by the exhaustive subset search with the fitted values as target: an
    equivalent is a model without residual (1e-8 of the norm).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sozai.symbolic.independence import find_relations
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.random(9), rng.random(9)
    >>> table = find_relations(pd.DataFrame({"a": a, "b": b, "sum": a + b}))
    >>> rewrite({"a": 2.0, "b": 2.0}, table)[0]
    2 sum  (in this sample)
    """
    columns = _Columns(table, additions)
    formula = columns.read(model)
    most = int(np.count_nonzero(formula.beta[columns.variable])) if max_terms is None else int(max_terms)
    if most < 1 or n_results < 1:
        raise InputError(
            sentence(
                "rewrite",
                "max_terms and n_results",
                "be at least 1",
                (most, n_results),
                remedy="Leave them out.",
            )
        )
    found, notes = _exchanges(columns, formula, most)
    shorter, more_notes = _shortest(columns, formula, most, n_results)
    records = [columns.record(candidate, formula) for candidate in _distinct([*found, *shorter], formula)]
    wanted = {*(prefer or ()), *additions}
    records = [r for r in records if r is not None and not any(columns.cancels(t, wanted) for t in r.terms)]
    records.sort(key=lambda r: _merit(r, prefer))
    return RewriteList(records[:n_results], [*notes, *more_notes])


@dataclass(frozen=True, eq=False)
class _Formula:
    """Coefficients over all columns, and the part that no column can carry."""

    beta: np.ndarray
    loose: float  # intercept of a table without a column of ones
    fitted: np.ndarray


class _Columns:
    """The columns of a relation table, with the user's additions behind them."""

    def __init__(self, table, additions):
        engine = table.engine
        self.table, self.engine = table, engine
        self.matrix, self.names = engine.matrix, list(table.names)
        self.complexity = (
            np.ones(len(self.names), dtype=int) if engine.complexity is None else engine.complexity
        )
        self.ids = None if engine.generated is None else np.asarray(engine.generated.ids)
        for text in additions:
            self._add(text)
        ones = np.flatnonzero((self.matrix == 1.0).all(axis=0))
        self.constant = int(ones[0]) if ones.size else None
        self.variable = np.arange(len(self.names)) != (-1 if self.constant is None else self.constant)
        self.scales = np.maximum(np.linalg.norm(self.matrix, axis=0), np.finfo(float).tiny)
        self.place = {name: j for j, name in enumerate(self.names)}

    def _add(self, text):
        """Take a typed expression in, if it lies in the span."""
        if self.engine.generated is None:
            raise InputError(
                sentence(
                    "rewrite",
                    "additions",
                    "come with expressions",
                    text,
                    remedy="Make the table with generated=...",
                )
            )
        store = self.engine.generated.expressions
        node = parse_into(store, text)
        name = store.text(node)
        if name in self.names:
            return
        x = store.evaluate(np.array([node]), self.engine.primary)[:, 0]
        q = self.table.reduction.factors[0]
        size = float(np.linalg.norm(x))
        left = x - q @ (q.T @ x)
        distance = float(np.linalg.norm(left - q @ (q.T @ left))) / max(size, np.finfo(float).tiny)
        if not np.isfinite(x).all() or distance > _SAME:
            raise InputError(
                sentence(
                    "rewrite",
                    "additions",
                    "lie in the span of the generated columns",
                    text,
                    at=f"at relative distance {distance:.2e}",
                    remedy="Raise the order of the generation, or fit it as a column of its own.",
                )
            )
        self.matrix = np.column_stack([self.matrix, x])
        self.names.append(name)
        self.complexity = np.append(self.complexity, store.complexity[node])
        self.ids = np.append(self.ids, node)

    def cancels(self, name, wanted):
        """Whether a term is a simpler one in disguise, such as ``x*y/x``, and nobody asked for it."""
        if self.ids is None or name in wanted or name not in self.place:
            return False
        store, node = self.engine.generated.expressions, int(self.ids[self.place[name]])
        if store.form[node] != PRODUCT:
            return False
        factors = factors_of(store, node)
        return any(store.op[factor] == INVERSE and int(store.left[factor]) in factors for factor in factors)

    def read(self, model):
        """Coefficients of a model over the columns."""
        terms = (
            dict(model)
            if isinstance(model, Mapping)
            else dict(zip(model.terms, model.coefficients, strict=True))
        )
        intercept = 0.0 if isinstance(model, Mapping) else float(model.intercept)
        unknown = [name for name in terms if name not in self.place]
        if unknown:
            raise InputError(
                sentence(
                    "rewrite",
                    "model",
                    "have terms that are columns of the table",
                    unknown,
                    remedy="Use its names.",
                )
            )
        beta = np.zeros(len(self.names))
        for name, value in terms.items():
            beta[self.place[name]] += float(value)
        loose = intercept
        if self.constant is not None:
            beta[self.constant] += intercept
            loose = 0.0
        return _Formula(beta, loose, self.matrix @ beta)

    def basis_of(self, formula):
        """Columns of the formula first, then what completes a basis; coordinates of every column."""
        used = np.flatnonzero(formula.beta)
        rest = self.table.basis[~np.isin(self.table.basis, used)]
        others = np.setdiff1d(np.arange(len(self.names)), np.concatenate([used, rest]))
        first = row_reduce(self.matrix[:, used])
        if first.rank < used.size:
            k = int(first.dependents[0])
            b = first.coefficients([k])[:, 0]
            relation = combination(
                [self.names[used[j]] for j in first.basis], np.where(np.abs(b) < _NOTHING, 0, b)
            )
            raise NotIndependentError(
                sentence(
                    "rewrite",
                    "model",
                    "have independent terms",
                    tuple(self.names[j] for j in used),
                    remedy=f"They obey {self.names[used[k]]} = {relation}. Leave one of them out.",
                )
            )
        order = np.concatenate([used, rest, others])
        reduction = row_reduce(self.matrix, order=order)
        coordinates = reduction.coefficients(np.arange(len(self.names)), unit=True)
        coordinates[np.abs(coordinates) < 1e-9] = 0.0
        return reduction.basis, coordinates

    def record(self, beta, formula):
        """Refit one candidate; None when it does not reproduce the formula."""
        used = np.flatnonzero(beta)
        x = self.matrix[:, used]
        unit = x / self.scales[used]
        fit, *_ = np.linalg.lstsq(unit, formula.fitted, rcond=None)
        difference = float(np.abs(unit @ fit - formula.fitted).max()) if used.size else np.inf
        if np.linalg.norm(unit @ fit - formula.fitted) > _SAME * np.linalg.norm(formula.fitted):
            return None
        sigma = np.linalg.svd(unit, compute_uv=False)
        value = dict(zip(used.tolist(), fit / self.scales[used], strict=True))
        terms = [int(j) for j in used if j != self.constant]
        return Rewrite(
            terms=tuple(self.names[j] for j in terms),
            coefficients=tuple(float(value[j]) for j in terms),
            intercept=float(value.get(self.constant, 0.0)) + formula.loose,
            n_terms=len(terms),
            complexity=int(sum(self.complexity[j] for j in terms)),
            max_abs_difference=difference,
            holds=self.holds(np.flatnonzero(formula.beta), used),
            condition=float(sigma[0] / sigma[-1]) if sigma[-1] > 0 else np.inf,
            units=self._units(terms),
        )

    def holds(self, old, new):
        """Whether the difference of two formulas is an identity."""
        if self.ids is None:
            return "in this sample"
        joint = np.concatenate([old, np.setdiff1d(new, old)])
        reduction = row_reduce(self.matrix[:, joint])
        points, roots = random_points(
            self.engine.intervals, 2 * joint.size + 80, np.random.default_rng(141421)
        )
        columns = ExpressionColumns(self.engine.generated.expressions, self.ids[joint], points, roots)
        return (
            "always"
            if exactly_dependent(columns, reduction.basis, reduction.dependents).all()
            else "in this sample"
        )

    def _units(self, terms):
        """Dimension per term, of generated columns."""
        if self.ids is None:
            return None
        return dimension_texts(self.engine.generated.expressions, self.ids[terms])


def _exchanges(columns, formula, most):
    """Candidates with one term exchanged, by the closed form."""
    basis, a = columns.basis_of(formula)
    beta = (formula.beta * columns.scales)[basis]
    outside = np.setdiff1d(np.arange(len(columns.names)), basis)
    found = []
    for j in np.flatnonzero(beta):
        step = np.zeros(outside.size)
        usable = np.abs(a[j, outside]) > _SAME
        step[usable] = beta[j] / a[j, outside[usable]]
        new = beta[:, None] - a[:, outside] * step
        new[j] = 0.0
        new[np.abs(new) <= _NOTHING * np.abs(beta).max()] = 0.0
        size = np.count_nonzero(new[columns.variable[basis]], axis=0) + columns.variable[outside]
        for k in np.flatnonzero(usable & (size <= most)):
            candidate = np.zeros(len(columns.names))
            candidate[basis] = new[:, k] / columns.scales[basis]
            candidate[outside[k]] = step[k] / columns.scales[outside[k]]
            found.append(candidate)
    return found, []


def _shortest(columns, formula, most, n_results):
    """Candidates with the fewest terms, by subset search on the fitted values."""
    free = np.flatnonzero(columns.variable & (np.ptp(columns.matrix, axis=0) > 0))
    with_intercept = columns.constant is not None
    largest = most
    while largest > 0 and comb(free.size, largest) > _AFFORDABLE:
        largest -= 1
    largest = min(largest, columns.matrix.shape[0] - 2)
    notes = []
    if largest < most:
        notes.append(f"formulas of more than {largest} terms: single exchanges only ({free.size} columns)")
    if largest < 1 or np.ptp(formula.fitted) == 0:
        return [], notes
    search = Exhaustive(max_terms=largest, n_best=max(4 * n_results, 50))
    models = search.select(
        columns.matrix[:, free],
        formula.fitted,
        [columns.names[j] for j in free],
        complexity=np.asarray(columns.complexity)[free],
        fit_intercept=with_intercept,
    )
    found = []
    for model in models:
        if model.rmse * np.sqrt(len(formula.fitted)) > _SAME * np.linalg.norm(formula.fitted):
            continue
        candidate = np.zeros(len(columns.names))
        candidate[free[list(model.columns)]] = model.coefficients
        if with_intercept and abs(model.intercept) > _NOTHING * np.abs(formula.fitted).max():
            candidate[columns.constant] = model.intercept
        size = np.abs(candidate * columns.scales)
        candidate[size <= _NOTHING * size.max()] = 0.0
        found.append(candidate)
    return found, notes


def _distinct(candidates, formula):
    """Candidates with different terms, none of them the formula itself."""
    seen = {tuple(np.flatnonzero(formula.beta))}
    for candidate in candidates:
        key = tuple(np.flatnonzero(candidate))
        if key not in seen:
            seen.add(key)
            yield candidate


def _merit(record, prefer):
    """Sort key: preferred terms, identities, few terms, simple, well conditioned."""
    wanted = set() if prefer is None else {str(name) for name in prefer}
    return (
        -len(wanted & set(record.terms)),
        record.holds != "always",
        record.n_terms,
        record.complexity,
        record.condition,
        record.terms,
    )
