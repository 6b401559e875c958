"""One estimator for several properties, classes or laboratories whose laws have the same terms."""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    HasMethods,
    Interval,
    RegressorMixin,
    StrOptions,
    fit_context,
    input_names,
    validate_table,
)
from sozai.numerics.task_tables import number_tasks
from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.fitted_tasks import FittedTasks
from sozai.symbolic.formulas.linear_formula import render_formula
from sozai.symbolic.search.budget import space_within, where_cut
from sozai.symbolic.search.screen_then_l0 import ScreenThenL0
from sozai.symbolic.selectors.law_search import DescriptionLength
from sozai.symbolic.selectors.models import rounding_error

__all__ = ["MultiTaskSymbolicRegressor"]

_OPERATIONS = ("square",)
_PAIR_OPERATIONS = ("sum", "difference", "product", "ratio")
_ROUNDED = 1e-12  # an intercept this small beside the target is rounding


class MultiTaskSymbolicRegressor(FittedTasks, RegressorMixin, BaseEstimator):
    r"""Laws :math:`y_t = b_t + \sum_j \beta_{tj} x_j` of several tasks t with the same terms :math:`x_j`.

    Every task (a property, a class of materials, a laboratory) has an intercept
    and coefficients of its own; all tasks together choose the terms, so that
    small tables help each other.

    Parameters
    ----------
    operations : sequence of str, optional
        Operations on one formula, see
        :func:`sozai.symbolic.generation.generate`.
    pair_operations : sequence of str, optional
        Operations on two. Where neither is given: ``"square"``; ``"sum"``,
        ``"difference"``, ``"product"`` and ``"ratio"``.
    max_rung : int, default=2
        Formulas are nested up to this deep.
    search : ScreenThenL0, optional
        How terms are searched; default ``ScreenThenL0()``.
    n_terms : "auto" or int, default="auto"
        Number of terms. ``"auto"`` takes the one, up to ``search.max_terms``,
        with the least criterion below.
    dimensions : {"infer", "ignore"} or dict of str to str, default="infer"
        Units of the columns, as in
        :class:`~sozai.symbolic.regressor.SymbolicRegressor`.
    domain : dict of str to (low, high), optional
        Interval a column may take in future; formulas that are singular inside
        it are refused.
    coefficient_sign : {None, 1, -1}, default=None
        Sign all coefficients of all tasks must have.
    weights : None, "variance", dict or array-like, optional
        Weight of every task in the choice of terms: one; the reciprocal of the
        variance of its target, for tasks in different units; by label; or in
        the order of the sorted labels.
    memory_limit : float, default=2e9
        Most bytes the stored formulas may take; a larger space is cut by
        complexity, and ``models_.notes`` says where.
    n_jobs : int, optional
        Workers; the result does not depend on it.

    Attributes
    ----------
    tasks_ : tuple
        Labels of the tasks.
    formulas_, latex_ : dict
        Law of every task; the text parses with
        :func:`sozai.symbolic.operations.parse_expression`.
    terms_ : tuple of str
        Shared terms.
    coefficients_, standard_errors_ : DataFrame, task by term
        Zero and NaN where a term depends on the others within a task.
    intercepts_ : Series by task
    scores_ : DataFrame by task
        Rows and scores of every task.
    model_ : TaskModel
        The kept law.
    models_ : ModelList
        All laws found, best first within every number of terms.
    selection_path_ : DataFrame
        The best law of every number of terms and its criterion.
    generated_, screens_, n_candidates_, generation_report_
        As in :class:`~sozai.symbolic.regressor.SymbolicRegressor`.
    domains_ : dict of TrainingDomain
        The region the law of every task has seen.

    See Also
    --------
    sozai.symbolic.SymbolicRegressor : One task, with more ways to search.
    sklearn.linear_model.MultiTaskLassoCV : Shared columns for targets measured on the same rows.

    Notes
    -----
    With m_t rows, d terms and error :math:`\sigma_t^2 = \mathrm{SSE}_t/m_t`, the
    number of terms has the least
    :math:`\sum_t [m_t \ln \sigma_t^2 + c_t (d+1) \ln m_t] - 2 c \sum_j \ln w_j`: a Schwarz
    criterion for each task, each with a noise of its own, and the price of the
    terms, paid *once* for all tasks, where :math:`w_j` is the prior weight of
    :class:`~sozai.symbolic.selectors.law_search.DescriptionLength`. The small-sample
    factors are :math:`c_t = m_t/(m_t-d-3)` and c the same for all rows and
    parameters together. With one task it is the criterion of
    :class:`~sozai.symbolic.regressor.SymbolicRegressor`. A term that tasks share
    is found at a noise at which each task alone would not pay for it.

    References
    ----------
    .. [1] R. Ouyang et al., J. Phys. Mater. 2, 024002 (2019).
    .. [2] J. Chen, Z. Chen, Biometrika 95, 759 (2008).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.uniform(1, 2, (40, 3)), columns=["r", "q", "T"])
    >>> task = np.repeat(["oxide", "halide"], 20)
    >>> y = np.where(task == "oxide", 2, -3) * X["q"] / X["r"] + 1
    >>> law = MultiTaskSymbolicRegressor(max_rung=1).fit(X, y, task)
    >>> law.formulas_
    {'halide': '1 - 3*q/r', 'oxide': '2*q/r + 1'}
    """

    _parameter_constraints: ClassVar = {
        "operations": ["array-like", None],
        "pair_operations": ["array-like", None],
        "max_rung": [Interval(Integral, 1, None, closed="left")],
        "search": [HasMethods(["find", "set_params"]), None],
        "n_terms": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "dimensions": [StrOptions({"infer", "ignore"}), dict],
        "domain": [dict, None],
        "coefficient_sign": [Interval(Integral, -1, 1, closed="both"), None],
        "weights": [StrOptions({"variance"}), dict, "array-like", None],
        "memory_limit": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        operations=None,
        pair_operations=None,
        *,
        max_rung=2,
        search=None,
        n_terms="auto",
        dimensions="infer",
        domain=None,
        coefficient_sign=None,
        weights=None,
        memory_limit=2e9,
        n_jobs=None,
    ):
        self.operations = operations
        self.pair_operations = pair_operations
        self.max_rung = max_rung
        self.search = search
        self.n_terms = n_terms
        self.dimensions = dimensions
        self.domain = domain
        self.coefficient_sign = coefficient_sign
        self.weights = weights
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, tasks=None):
        """Find the terms all tasks share, and the law of every task.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Primary columns; labels may carry units.
        y : array-like of shape (n_samples,)
        tasks : array-like of shape (n_samples,), optional
            Label of the task of every row; one task when left out.

        Returns
        -------
        MultiTaskSymbolicRegressor

        Raises
        ------
        InputError
            A task with fewer rows than parameters, NaN, text, too many formulas.
        """
        target = getattr(y, "name", None)
        X, y = validate_table(self, X, y, need_target=True, min_samples=3)
        self.tasks_, numbers = number_tasks(tasks, len(y), place="MultiTaskSymbolicRegressor.fit")
        self._require_rows(numbers)
        self.columns_ = PrimaryColumns.read(input_names(self), self.dimensions, target)
        self.units_ = dict(self.columns_.units)
        primary = self.columns_.convert(X)
        found = self._search(primary, y, numbers)
        self._keep(found)
        self._describe(primary)
        return self

    # -- fit --------------------------------------------------------------------------------------

    def _require_rows(self, numbers):
        """Every task has more rows than its law has parameters."""
        n_terms = 1 if self.n_terms == "auto" else int(self.n_terms)
        for task, count in zip(self.tasks_, np.bincount(numbers), strict=True):
            if count < n_terms + 2:
                terms = "1 term" if n_terms == 1 else f"{n_terms} terms"
                raise InputError(
                    sentence(
                        "MultiTaskSymbolicRegressor.fit",
                        "every task",
                        f"have at least {n_terms + 2} rows for {terms} and an intercept",
                        int(count),
                        at=f"in task {task!r}",
                        remedy="Add rows, join it with another task, or leave it out.",
                    )
                )

    def _search(self, primary, y, numbers):
        """Screen every formula for all tasks together."""
        nothing = self.operations is None and self.pair_operations is None
        operations = _OPERATIONS if nothing else tuple(self.operations or ())
        pairs = _PAIR_OPERATIONS if nothing else tuple(self.pair_operations or ())
        self.search_ = clone(self.search) if self.search is not None else ScreenThenL0()
        space = space_within(
            primary,
            self.columns_.names,
            operations=operations,
            pair_operations=pairs,
            rung=self.max_rung,
            dimensions=self.columns_.dimensions if self.dimensions != "ignore" else None,
            domain=self.domain,
            max_candidates=self.search_.max_candidates,
            memory_limit=self.memory_limit,
        )
        if self.n_terms != "auto":
            self.search_.set_params(max_terms=max(int(self.n_terms), 1), min_terms=int(self.n_terms))
        for name in ("coefficient_sign", "n_jobs"):
            if getattr(self, name) is not None:
                self.search_.set_params(**{name: getattr(self, name)})
        labels = [self.tasks_[k] for k in numbers]
        found = self.search_.find(space, y, tasks=labels, weights=self.weights)
        notes = (*found.models.notes, *filter(None, [where_cut(space)]))
        return replace(found, models=replace(found.models, notes=notes))

    def _keep(self, found):
        """The best law of the number of terms the criterion asks for."""
        self.generated_, self.screens_ = found.generated, found.screens
        self.generation_report_ = self.generated_.report
        self.n_candidates_ = found.n_candidates
        self.models_, self.expressions_ = found.models, found.generated.expressions
        self.description_length_ = DescriptionLength(*found.complexity_counts)
        wanted = None if self.n_terms == "auto" else int(self.n_terms)
        models = [model for model in found.models if wanted in (None, model.n_terms)]
        if not models:
            raise InputError(self._nothing_found(found, wanted))
        leaders = {}
        for model in models:
            best = leaders.get(model.n_terms)
            if best is None or self.criterion_of(model) < self.criterion_of(best):
                leaders[model.n_terms] = model
        self._leaders = leaders
        if wanted is not None:  # the number of terms is given: the search's own order decides
            self._leaders = leaders = {wanted: models[0]}
        self.model_ = min(leaders.values(), key=self.criterion_of)
        self.selection_path_ = pd.DataFrame(
            [
                {
                    "n_terms": size,
                    "terms": model.terms,
                    "criterion": self.criterion_of(model)[0],
                    "rmse": model.rmse,
                    "q2": model.q2,
                    "kept": model is self.model_,
                }
                for size, model in sorted(leaders.items())
            ]
        )

    def _nothing_found(self, found, wanted):
        """Why no law has the number of terms asked for."""
        notes = "; ".join(found.models.notes) or "no candidate varies"
        return sentence(
            "MultiTaskSymbolicRegressor.fit",
            "n_terms",
            "leave a law to find",
            "auto" if wanted is None else wanted,
            remedy=f"The search says: {notes}. Use n_terms='auto', other operations or another sign.",
        )

    def criterion_of(self, model):
        """Criterion of any law of ``models_``, see Notes; ties by complexity, then columns.

        Parameters
        ----------
        model : TaskModel

        Returns
        -------
        tuple
            The value, then what breaks ties.
        """
        value = 0.0
        for one in model.models:
            m, p = one.n_samples, one.n_parameters
            error = max(one.rmse, rounding_error(one), np.finfo(float).tiny)
            value += 2 * m * math.log(error) + m / max(m - p - 2, 0.5) * p * math.log(m)
        free = model.n_samples - model.n_parameters - 2 * len(model.tasks)
        if model.n_terms:
            costs = self.description_length_.cost(self.generated_.complexity[list(model.columns)])
            value += 2 * model.n_samples / max(free, 0.5) * float(np.sum(costs))
        return round(value, 10), model.complexity, model.columns

    def _describe(self, primary):
        """Formulas, tables and training regions of the kept law."""
        model = self.model_
        ids = self.generated_.ids[list(model.columns)].tolist()
        self._tabulate(dict(zip(model.columns, ids, strict=True)))
        written = [self._written(one) for one in model.models]
        self.formulas_ = {task: law.text for task, law in zip(self.tasks_, written, strict=True)}
        self.latex_ = {task: law.latex for task, law in zip(self.tasks_, written, strict=True)}
        self.domains_ = {}
        for task, rows, one in zip(self.tasks_, model.rows, model.models, strict=True):
            self.domains_[task] = TrainingDomain.of(
                self.expressions_,
                self._ids(one),
                primary[rows],
                leverage_limit=max(3 * one.n_parameters / len(rows), float(np.max(one.leverages))),
                declared=self.domain,
            )

    def _tabulate(self, nodes):
        """Tables of the kept law; ``nodes`` has the expression of every column."""
        model, self._nodes = self.model_, nodes
        self.terms_ = model.terms
        tasks = pd.Index(list(self.tasks_), name="task", tupleize_cols=False)
        terms = pd.Index(list(model.terms), name="term")
        self.coefficients_ = pd.DataFrame(model.coefficients, index=tasks, columns=terms)
        self.standard_errors_ = pd.DataFrame(model.standard_errors, index=tasks, columns=terms)
        self.intercepts_ = pd.Series(model.intercepts, index=tasks, name="intercept")
        self.scores_ = pd.DataFrame([_scores(one) for one in model.models], index=tasks)
        self._places = [[model.columns.index(column) for column in one.columns] for one in model.models]

    def _written(self, model):
        """Law of one task with just the digits that matter; rounding alone is written as zero."""
        scale = float(np.sqrt(np.mean(model.target**2)))
        rows = self.model_.rows[self.model_.models.index(model)]
        return render_formula(
            [self.expressions_.expression(int(node)) for node in self._ids(model)],
            model.coefficients,
            0.0 if abs(model.intercept) <= _ROUNDED * scale else model.intercept,
            design=self.generated_.values[np.ix_(rows, model.columns)],
            rmse=max(model.rmse, 1e-8 * scale),
            snap=False,
        )


def _scores(model):
    """Scores of one task."""
    names = ("rmse", "mae", "max_abs_error", "r2", "rmse_loo", "q2")
    return {"n_rows": model.n_samples, **{name: getattr(model, name) for name in names}}
