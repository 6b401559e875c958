"""One estimator from a table to a formula that tells classes apart: grow, screen, combine, cut, calibrate."""

from __future__ import annotations

import os
import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, clone

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    input_names,
    validate_table,
)
from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.classification.boundary import fit_boundary
from sozai.symbolic.classification.calibration import Calibration, calibration_slope
from sozai.symbolic.classification.classes import Classes, read_labels
from sozai.symbolic.classification.separating_terms import SCORES, SeparatingTerms, TermSearch
from sozai.symbolic.classification.validation import NestedAccuracy, fold_labels, nested_accuracy
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.fitted_classes import FittedClasses
from sozai.symbolic.search.budget import space_within, where_cut

__all__ = ["Calibration", "NestedAccuracy", "SeparatingTerms", "SymbolicClassifier", "nested_accuracy"]


class SymbolicClassifier(FittedClasses, ClassifierMixin, BaseEstimator):
    r"""Short formula whose value, or whose few values, tell classes apart.

    Operations grow formulas from the columns of ``X``, rung by rung; the last
    rung is screened without being stored; the best formulas, alone and in sets,
    are compared; one of them is cut, or a plane is laid through several.

    Parameters
    ----------
    operations : sequence of str, optional
        Operations on one formula: ``"inverse"``, ``"square"``, ``"sqrt"``,
        ``"log"``, ``"exp"``, ``"abs"``, ...
    pair_operations : sequence of str, optional
        Operations on two: ``"sum"``, ``"difference"``, ``"product"``,
        ``"ratio"``, ``"abs_difference"``, ...
    max_rung : int, default=1
        Largest depth of a formula; 0 takes the columns as they are.
    rank_by : {"threshold", "interval", "auc", "domain_overlap", "logistic"}, default="threshold"
        What makes one formula better than another: the accuracy of its best
        cut, or (two classes) of its best two cuts; the ROC area; the number of samples where
        the ranges of the classes overlap; the likelihood of a logistic model.
    max_terms : {1, 2, 3}, default=2
        Most formulas used together.
    n_keep : int, default=100
        Formulas kept from every pass over the space.
    n_residuals : int, default=10
        Sets of formulas for which the next pass seeks partners.
    n_best : int, default=50
        Sets of every size that the criterion compares.
    criterion : {"ebic", "score"}, default="ebic"
        ``"ebic"`` keeps the set that explains the classes best for the number
        of formulas that were tried, so that a second term is kept only if it
        pays, and none if none does. ``"score"`` keeps the best-scoring set of
        exactly ``max_terms`` formulas.
    boundary : {"auto", "cut", "logistic", "svm"}, default="auto"
        ``"auto"`` cuts a single formula in two (``"interval"``: at most three)
        and separates several by logistic regression; ``"svm"`` is a linear
        support vector machine.
    calibration : {"search", "boundary"} or None, default="search"
        How rows are left out to calibrate ``predict_proba``: the whole search
        is repeated without them, or only the boundary is fitted again (much
        faster, a little too sure of itself, because the formulas have seen all
        rows); ``None`` calibrates on the training rows.
    calibration_folds : int, default=5
        Times rows are left out.
    dimensions : {"infer", "ignore"} or dict of str to str, default="infer"
        Units of the columns, as in
        :class:`sozai.symbolic.regressor.SymbolicRegressor`; ``""`` is a pure number.
    domain : dict of str to (low, high), optional
        Interval a column may take in future; formulas that are singular inside
        it are refused.
    max_complexity : int, optional
        Most leaves and operations in one formula; found from ``max_candidates``
        and ``memory_limit`` when left out.
    max_candidates : float, default=1e9
        Most formulas. A larger space is cut, the simplest formulas first, and
        ``notes_`` says where; with ``max_complexity`` it is refused.
    memory_limit : float, default=2e9
        Most bytes the rungs below the last may take.
    store : path-like, optional
        Folder in which finished parts of every pass over the space are kept, so
        that a run that was killed goes on where it stopped, with the same bits.
    progress : object with ``advance(n)``, bool or None
        Watches the parts of every pass, see :func:`sozai.contracts.progress.progress_bar`.
    n_jobs : int, optional
        Threads; the answer does not depend on it, bit for bit.
    random_state : int, RandomState or Generator, optional
        Shuffles the rows before they are dealt to the folds of the calibration;
        dealt in their order, class by class, when left out.

    Attributes
    ----------
    formula_, latex_ : str
        The formula that is cut, or the log-odds of the second class (of every
        class, separated by semicolons, where there are more).
    rule_ : str
        The law in words, e.g. ``"perovskite if tau < 4.18, else other"``.
    classes_ : ndarray of shape (n_classes,)
        Labels, ascending.
    model_ : SeparatingTerms
        The formulas kept.
    models_ : list of SeparatingTerms
        All sets compared, best by the criterion first.
    boundary_ : CutBoundary or LinearBoundary
        Where the classes meet.
    calibration_ : Calibration
        How probabilities were made, with the accuracy on rows left out.
    screens_ : list of ScreenResult
        What every pass over the space kept.
    n_candidates_ : int
        Formulas in the space.
    notes_ : tuple of str
        Where the search was cut short.
    generation_report_ : DataFrame
        Formulas dropped while growing, counted by reason.
    domain_ : TrainingDomain
        The region the law has seen.
    expressions_ : Expressions
        The store of all formulas.
    units_ : dict of str to str or None
        Unit in which every column enters the law.

    See Also
    --------
    sklearn.tree.DecisionTreeClassifier : Cuts one given column after another.

    Notes
    -----
    Scores: :class:`~sozai.symbolic.classification.thresholds.ThresholdScore`,
    :class:`~sozai.symbolic.classification.domain_overlap.DomainOverlap`,
    :class:`~sozai.symbolic.classification.logistic.LogisticScore`; every candidate
    is scored exactly, so the list is that of brute force. Sets of two and three
    are compared by the hulls of the classes (``rank_by="domain_overlap"``, [1]_) or
    by the likelihood of a logistic model, and judged by the criterion of
    :class:`~sozai.symbolic.classification.separating_terms.TermSearch`. A cut lies
    half-way between two samples, with as few digits as stay between them.

    Probabilities come from margins z by :math:`\mathrm{softmax}(a z)`, where the one
    slope a is fitted to margins of rows that took no part in the fit. So the
    likeliest class is always the predicted one. A slope fitted to few rows is
    uncertain; ``calibration_.log_loss`` is of those rows.

    Where the formula is not defined (a division by zero, the logarithm of a
    negative number) nothing is known: ``decision_function`` and
    ``predict_proba`` return NaN. ``predict`` has to name a class and names the most
    frequent one; a warning counts these rows and :meth:`applicability` names them.

    Cost: about 7 ns a sample and candidate for ``"threshold"`` and ``"auc"``, 4 ns
    for ``"domain_overlap"``, 100 ns for ``"logistic"``; the calibration by search
    repeats it ``calibration_folds`` times. Accuracy printed for training rows is
    conditional on the search; :func:`nested_accuracy` repeats it in every fold.

    References
    ----------
    .. [1] R. Ouyang et al., Phys. Rev. Materials 2, 083802 (2018).
    .. [2] C. J. Bartel et al., Sci. Adv. 5, eaav0693 (2019).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.uniform(1, 3, (80, 3)), columns=["r_A", "r_B", "n"])
    >>> y = np.where(X["r_A"] < 0.9 * X["r_B"], "layered", "cubic")
    >>> law = SymbolicClassifier(None, ["ratio"], max_terms=1).fit(X, y)
    >>> law.rule_
    'layered if r_A/r_B < 0.897, else cubic'
    """

    _parameter_constraints: ClassVar = {
        "operations": ["array-like", None],
        "pair_operations": ["array-like", None],
        "max_rung": [Interval(Integral, 0, None, closed="left")],
        "rank_by": [StrOptions(set(SCORES))],
        "max_terms": [Interval(Integral, 1, 3, closed="both")],
        "n_keep": [Interval(Integral, 1, None, closed="left")],
        "n_residuals": [Interval(Integral, 1, None, closed="left")],
        "n_best": [Interval(Integral, 1, None, closed="left")],
        "criterion": [StrOptions({"ebic", "score"})],
        "boundary": [StrOptions({"auto", "cut", "logistic", "svm"})],
        "calibration": [StrOptions({"search", "boundary"}), None],
        "calibration_folds": [Interval(Integral, 2, None, closed="left")],
        "dimensions": [StrOptions({"infer", "ignore"}), dict],
        "domain": [dict, None],
        "max_complexity": [Interval(Integral, 1, None, closed="left"), None],
        "max_candidates": [Interval(Real, 1, None, closed="left")],
        "memory_limit": [Interval(Real, 0, None, closed="neither")],
        "store": [str, os.PathLike, None],
        "progress": [HasMethods("advance"), "boolean", None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        operations=None,
        pair_operations=None,
        *,
        max_rung=1,
        rank_by="threshold",
        max_terms=2,
        n_keep=100,
        n_residuals=10,
        n_best=50,
        criterion="ebic",
        boundary="auto",
        calibration="search",
        calibration_folds=5,
        dimensions="infer",
        domain=None,
        max_complexity=None,
        max_candidates=1e9,
        memory_limit=2e9,
        store=None,
        progress=None,
        n_jobs=None,
        random_state=None,
    ):
        self.operations = operations
        self.pair_operations = pair_operations
        self.max_rung = max_rung
        self.rank_by = rank_by
        self.max_terms = max_terms
        self.n_keep = n_keep
        self.n_residuals = n_residuals
        self.n_best = n_best
        self.criterion = criterion
        self.boundary = boundary
        self.calibration = calibration
        self.calibration_folds = calibration_folds
        self.dimensions = dimensions
        self.domain = domain
        self.max_complexity = max_complexity
        self.max_candidates = max_candidates
        self.memory_limit = memory_limit
        self.store = store
        self.progress = progress
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, groups=None):
        """Find formulas that tell the classes of ``y`` apart.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Primary columns; labels may carry units.
        y : array-like of shape (n_samples,)
            Class labels: text, whole numbers or bool.
        groups : array-like of shape (n_samples,), optional
            Rows that belong together; the calibration leaves them out together.

        Returns
        -------
        SymbolicClassifier

        Raises
        ------
        InputError
            One class only, a continuous target, NaN, text in ``X``, too large a space.
        """
        table = X
        if self.boundary == "cut" and self.max_terms > 1:
            raise InputError(
                sentence(
                    "SymbolicClassifier.fit",
                    "max_terms",
                    "be 1 for boundary='cut'",
                    self.max_terms,
                    remedy="Use boundary='auto' to separate several terms by logistic regression.",
                )
            )
        X = validate_table(self, X, min_samples=2)
        _need_labels(y)
        classes = read_labels(X, y, place="SymbolicClassifier.fit")
        if groups is not None and len(groups) != len(X):
            raise InputError(
                sentence(
                    "SymbolicClassifier.fit",
                    "groups",
                    f"have one label per row ({len(X)})",
                    len(groups),
                    remedy="Pass the column that names the system of every row.",
                )
            )
        self.classes_ = classes.labels
        self.columns_ = PrimaryColumns.read(input_names(self), self.dimensions)
        self.units_ = dict(self.columns_.units)
        primary = self.columns_.convert(X)
        self._search(primary, classes)
        values = self.expressions_.evaluate(self._ids(), primary).T
        self.boundary_ = self._fit_boundary(values, classes)
        self._most_frequent = classes.most_frequent
        self._describe(primary, values)
        self.calibration_ = self._calibrate(table, values, classes, groups)
        return self

    # -- fitting ----------------------------------------------------------------------------------

    def _space(self, primary):
        """Formulas to search, cut by complexity where there would be too many."""
        operations, pairs = tuple(self.operations or ()), tuple(self.pair_operations or ())
        columns = self.columns_
        space = space_within(
            primary,
            columns.names,
            operations=operations if self.max_rung else (),
            pair_operations=pairs if self.max_rung else (),
            rung=max(self.max_rung, 1),
            dimensions=columns.dimensions if self.dimensions != "ignore" else None,
            domain=self.domain,
            max_complexity=self.max_complexity,
            max_candidates=self.max_candidates,
            memory_limit=self.memory_limit,
        )
        self.generation_report_ = space.base.report
        if not len(space.base):
            raise InputError(
                sentence(
                    "SymbolicClassifier.fit",
                    "X",
                    "have a column that varies",
                    f"{primary.shape[1]} constant columns",
                    remedy="Add columns.",
                )
            )
        return space

    def _search(self, primary, classes):
        """Screen the space and keep the set the criterion asks for."""
        space = self._space(primary)
        self.n_candidates_ = space.n_candidates
        search = TermSearch(
            space,
            classes,
            self.rank_by,
            self.max_terms,
            self.n_keep,
            self.n_residuals,
            self.n_best,
            self.n_jobs,
            self.boundary,
            store=self.store,
            progress=self.progress,
        )
        self.models_ = search.run()
        cut = where_cut(space) if self.max_complexity is None else ""
        self.screens_, self.notes_ = search.screens, (*search.notes, *([cut] if cut else ()))
        self.expressions_ = space.base.expressions
        self.model_ = self.models_[0]
        if self.criterion == "score":
            largest = max(model.n_terms for model in self.models_)
            full = [model for model in self.models_ if model.n_terms == largest]
            self.model_ = min(
                full, key=lambda model: (-round(model.score, 12), model.complexity, model.terms)
            )

    def _fit_boundary(self, values, classes):
        """Boundary in the space of the terms kept."""
        return fit_boundary(self.boundary, values, classes, interval=self.rank_by == "interval")

    def _calibrate(self, table, values, classes, groups):
        """Slope from margins of rows the fit has not seen."""
        folds = min(self.calibration_folds, len(classes.codes))
        unseen = np.full((len(classes.codes), len(classes)), np.nan)
        n_folds = 0
        if self.calibration is not None and len(values):
            label = fold_labels(classes, folds, groups, self.random_state)
            for fold in np.unique(label):
                train, test = np.flatnonzero(label != fold), np.flatnonzero(label == fold)
                if len(np.unique(classes.codes[train])) < len(classes):
                    continue  # a class of which every row is left out
                unseen[test] = self._margins_without(table, values, classes, train, test)
                n_folds += 1
        if not n_folds:
            slope = 1.0
            if len(values):
                slope = calibration_slope(self.boundary_.margins(values), classes)
            return Calibration(slope, 0, np.nan, np.nan)
        return Calibration.of(unseen, classes, n_folds)

    def _margins_without(self, table, values, classes, train, test):
        """Margins of test rows by a fit to the others."""
        if self.calibration == "boundary":
            part = Classes.of(classes.codes[train])
            return self._fit_boundary(values[:, train], part).margins(values[:, test])
        rows = table.iloc if hasattr(table, "iloc") else np.asarray(table)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is to be said is said of the whole table
            other = (
                clone(self)
                .set_params(calibration=None)
                .fit(rows[train], classes.labels[classes.codes[train]])
            )
            return other._margins(rows[test], "predict")

    def _describe(self, primary, values):
        """Formula, rule and domain of the law."""
        terms = [self.expressions_.expression(int(node)) for node in self._ids()]
        self.formula_, self.latex_ = self.boundary_.formula(terms)
        self.rule_ = self.boundary_.text(terms, self.classes_)
        design = np.column_stack([np.ones(len(primary)), values.T])
        self._center, self._spread = values.mean(axis=1), np.maximum(values.std(axis=1), 1e-300)
        rows = self._standard_rows(values)
        self._covariance = np.linalg.pinv(rows.T @ rows)
        largest = float(np.max(np.einsum("ti,ij,tj->t", rows, self._covariance, rows)))
        self.domain_ = TrainingDomain.of(
            self.expressions_,
            self._ids(),
            primary,
            leverage_limit=max(3 * design.shape[1] / len(design), largest),
            declared=self.domain,
        )


def _need_labels(y):
    """Refuse a row without label by its number; whether the labels make sense is seen later."""
    labels = np.asarray(y)
    if labels.ndim != 1:
        return
    missing = pd.isna(labels)
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(
            f"SymbolicClassifier.fit: y must have a label in every row. Input y contains NaN or None: "
            f"{labels[row]} at row {row} ({int(missing.sum())} of {labels.size} rows). Drop these rows first."
        )
