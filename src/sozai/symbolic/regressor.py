"""One estimator from a table to a short law: generate, find relations, select, check, predict."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.stats import t as student
from sklearn.base import clone

from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    HasMethods,
    Interval,
    RegressorMixin,
    StrOptions,
    check_is_fitted,
    fit_context,
    input_names,
    validate_table,
)
from sozai.contracts.model_file import load_model, save_model
from sozai.contracts.units import parse_unit
from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.descriptors.permutations import as_group
from sozai.symbolic.formulas.grammar import parse_into
from sozai.symbolic.formulas.linear_formula import render_formula
from sozai.symbolic.generation import generate
from sozai.symbolic.independence import IndependentDescriptors
from sozai.symbolic.law_file import KIND, from_state, to_state
from sozai.symbolic.rewriting import rewrite
from sozai.symbolic.selectors.adequacy import adequate_for_groups, clearly_smaller
from sozai.symbolic.selectors.exhaustive import Exhaustive
from sozai.symbolic.selectors.law_search import DescriptionLength, search_laws
from sozai.symbolic.selectors.models import sort_models
from sozai.symbolic.selectors.validation import nested_score
from sozai.symbolic.symmetry import augment

__all__ = ["SymbolicRegressor"]

_log = logging.getLogger("sozai.symbolic")

_HIGHEST_AUTOMATIC_ORDER = 4
_ROUNDED = 1e-12  # an intercept this small beside the target is rounding
_STORED_DIGITS = 6  # of a law read from a file, whose training rows are not kept


class SymbolicRegressor(RegressorMixin, BaseEstimator):
    r"""Short law :math:`y = b_0 + \sum_j \beta_j x_j` over descriptors built from a table.

    Basic operations and direct products make descriptors :math:`x_j` from the
    columns of ``X``; all linear relations among them are found, so that every
    fit is well defined and every law can be rewritten; a selector then finds
    the best few terms, and the simplest adequate law is kept beside the list.

    Parameters
    ----------
    operations : sequence of str, optional
        Unary operations on the columns: ``"abs"``, ``"inverse"``,
        ``"inverse_abs"``, ``"sqrt"``, ``"square"``, ``"exp"``, ``"log"``, ...
    pair_operations : sequence of str, optional
        Operations on pairs of columns: ``"sum"``, ``"difference"``,
        ``"abs_sum"``, ``"abs_difference"``, ``"inverse_sum"``, ...
    max_order : int or "auto", default=2
        Largest number of factors in a product. ``"auto"`` raises the order
        while the cross-validated error falls by more than one standard error.
    symmetry : str or permutation group, optional
        Exchange of columns that leaves the target unchanged, e.g. ``"A<->B"``
        or a group from :mod:`sozai.symbolic.symmetry`. Descriptors are then
        symmetrised after their products are formed.
    domain : dict of str to (low, high), optional
        Interval a column may take in future; operations that are singular
        inside it are refused.
    dimensions : {"infer", "ignore"} or dict of str to str, default="infer"
        Units of the columns. ``"infer"`` reads them from labels such as
        ``"r_A [Å]"``; a dict names them. Sums of unequal dimension are never
        formed. Where no column has a unit, nothing is forbidden.
    target_dimension : {"any", "match"}, default="any"
        ``"match"`` keeps only descriptors with the dimension of the target.
    independence : IndependentDescriptors, optional
        How relations are found; default ``IndependentDescriptors()``.
    selection : selector, optional
        Object with ``select(X, y, names)``; default
        ``Exhaustive(max_terms=3)``.
    candidates : {"auto", "basis", "all"}, default="auto"
        Descriptors the selector sees: an independent basis, or every column
        that is not an affine image of an earlier one. ``"auto"`` searches all
        for laws as long as an exhaustive search can afford (about 2e8
        subsets), and the basis for longer ones; ``models_.notes`` says so.
    criterion : {"ebic", "q2", "rmse", "aic", "aicc", "bic"}, default="ebic"
        How the kept law is chosen from the list. ``"ebic"`` charges every term
        for the number of descriptors as simple as it, so that a term found
        only because thousands were tried is not kept (see Notes). ``"q2"``
        takes the simplest law within one standard error of the best
        leave-one-out error; the others take the smallest value.
    n_best : int, default=50
        Length of the list of laws.
    memory_limit : float, default=2e9
        Most bytes the descriptor matrix may take.
    n_jobs : int, optional
        Threads of the search; the result does not depend on it.
    random_state : int, RandomState or Generator, optional
        Shuffles the folds of ``max_order="auto"``.

    Attributes
    ----------
    formula_, latex_ : str
        The kept law; ``formula_`` parses with
        :func:`sozai.symbolic.operations.parse_expression`.
    model_ : SymbolicModel
        The kept law with scores, standard errors and residuals.
    models_ : ModelList
        All laws found, best first.
    relations_ : RelationTable
        Every linear relation among the descriptors.
    rank_ : int
        Rank of the descriptors, constant included.
    candidate_columns_ : ndarray of int
        Columns of ``generated_`` the selector searched.
    n_candidates_ : int
        Their number.
    description_length_ : DescriptionLength
        The extended Bayesian criterion of this search.
    generated_ : Generated
        The descriptors, their expressions and values.
    generation_report_ : DataFrame
        Descriptors dropped, counted by reason.
    domain_ : TrainingDomain
        The region the law has seen.
    order_ : int
        Largest number of factors used.
    units_ : dict of str to str or None
        Unit in which every column enters the law.
    symmetry_error_ : float or None
        Largest change of the prediction under the symmetry.
    selection_path_ : DataFrame or None
        Scores along the path of a stepwise selector.

    See Also
    --------
    sklearn.linear_model.LassoCV : Sparse linear model over given columns only.

    Notes
    -----
    The extended Bayesian criterion [3]_ is
    :class:`sozai.symbolic.selectors.law_search.DescriptionLength`.
    With ``groups`` the criterion chooses among the laws whose left-out-group
    error is within one standard error of the best.

    Cost: generation O(m n), relations O(m n r), exhaustive search of d terms
    O(n^d) independent of m. Scores printed for the kept law are conditional on
    the selection; :func:`sozai.symbolic.selection.nested_score` repeats the
    selection inside every fold and is the honest figure.

    References
    ----------
    .. [1] L. M. Ghiringhelli et al., Phys. Rev. Lett. 114, 105503 (2015).
    .. [2] Y. Kanda, H. Fujii, T. Oguchi, Sci. Technol. Adv. Mater. 20, 1178 (2019).
    .. [3] J. Chen, Z. Chen, Biometrika 95, 759 (2008).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"base": rng.uniform(1, 2, 20), "height": rng.uniform(1, 2, 20)})
    >>> law = SymbolicRegressor().fit(X, X["base"] * X["height"] / 2)
    >>> law.formula_
    '0.5*base*height'
    """

    _parameter_constraints: ClassVar = {
        "operations": ["array-like", None],
        "pair_operations": ["array-like", None],
        "max_order": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "symmetry": [str, HasMethods("permute"), None],
        "domain": [dict, None],
        "dimensions": [StrOptions({"infer", "ignore"}), dict],
        "target_dimension": [StrOptions({"any", "match"})],
        "independence": [HasMethods("fit"), None],
        "selection": [HasMethods("select"), None],
        "candidates": [StrOptions({"auto", "basis", "all"})],
        "criterion": [StrOptions({"ebic", "q2", "rmse", "aic", "aicc", "bic"})],
        "n_best": [Interval(Integral, 1, None, closed="left")],
        "memory_limit": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        operations=None,
        pair_operations=None,
        *,
        max_order=2,
        symmetry=None,
        domain=None,
        dimensions="infer",
        target_dimension="any",
        independence=None,
        selection=None,
        candidates="auto",
        criterion="ebic",
        n_best=50,
        memory_limit=2e9,
        n_jobs=None,
        random_state=None,
    ):
        self.operations = operations
        self.pair_operations = pair_operations
        self.max_order = max_order
        self.symmetry = symmetry
        self.domain = domain
        self.dimensions = dimensions
        self.target_dimension = target_dimension
        self.independence = independence
        self.selection = selection
        self.candidates = candidates
        self.criterion = criterion
        self.n_best = n_best
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, groups=None):
        """Find laws for ``y``.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Primary columns; labels may carry units.
        y : array-like of shape (n_samples,)
            Target; the name of a Series may carry a unit.
        groups : array-like of shape (n_samples,), optional
            Rows that belong together (one alloy system, one batch). The criterion
            then chooses among the laws that predict left-out groups as well as
            the best one does, within its standard error; the automatic order is
            judged by leaving out whole groups too.

        Returns
        -------
        SymbolicRegressor

        Raises
        ------
        InputError
            Fewer than three rows, NaN, text, too many descriptors for the memory.
        """
        target = getattr(y, "name", None)
        table = X
        X, y = validate_table(self, X, y, need_target=True, min_samples=3)
        groups = None if groups is None else _check_groups(groups, len(y))
        _warn_about_rows(X, y)
        self.order_ = (
            self._automatic_order(table, y, groups) if self.max_order == "auto" else int(self.max_order)
        )
        self.columns_ = PrimaryColumns.read(input_names(self), self.dimensions, target)
        self.units_ = dict(self.columns_.units)
        primary = self.columns_.convert(X)
        self.symmetry_ = as_group(self.symmetry, self.columns_.names)
        if self.symmetry_ is not None:
            augment(primary, y, self.symmetry_)  # warns about rows that contradict the symmetry
        self.generated_ = self._generate(primary)
        self.generation_report_ = self.generated_.report
        independence = self.independence if self.independence is not None else IndependentDescriptors()
        self.relations_ = independence.relate(primary, self.generated_)
        self.rank_ = self.relations_.rank
        self._select(y, groups)
        self._describe(primary, y)
        return self

    def predict(self, X, return_std=False):
        r"""Value of the law; NaN where it is not defined, with a warning that counts rows outside its domain.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        return_std : bool
            Also return the standard deviation of a new observation,
            :math:`s\sqrt{1 + x^T P x}`.

        Returns
        -------
        y : ndarray of shape (n_samples,), or the pair (y, std)
        """
        primary, values = self._evaluate(X)
        reasons = self._reasons(primary, values)
        outside = sum(1 for reason in reasons if reason)
        if outside:
            first = next(i for i, reason in enumerate(reasons) if reason)
            warnings.warn(
                f"SymbolicRegressor.predict: {outside} of {len(reasons)} rows lie outside the training "
                f"region, first row {first}: {reasons[first]}. See applicability(X).",
                ExtrapolationWarning,
                stacklevel=2,
            )
        mean = self.model_.predict(values)
        if not return_std:
            return mean
        return mean, np.sqrt(self.model_.prediction_variance(values))

    def predict_interval(self, X, level=0.95):
        """Student interval for a new observation, shape (n_samples,) each.

        Holds for a law fixed beforehand; after a search it is a lower bound of
        the uncertainty, which the nested score shows.
        """
        if not 0 < level < 1:
            raise InputError(
                sentence(
                    "SymbolicRegressor.predict_interval",
                    "level",
                    "lie between 0 and 1",
                    level,
                    remedy="Use 0.95.",
                )
            )
        _, values = self._evaluate(X)
        mean = self.model_.predict(values)
        freedom = max(len(self.model_.fitted) - self.model_.n_parameters, 1)
        half = student.ppf((1 + level) / 2, freedom) * np.sqrt(self.model_.prediction_variance(values))
        return mean - half, mean + half

    def applicability(self, X):
        """Say for every row whether the law has been tested there, and why not.

        Returns
        -------
        DataFrame with columns ``in_domain`` (bool) and ``reason`` (text)
        """
        primary, values = self._evaluate(X)
        return self.domain_.frame(self._reasons(primary, values), getattr(X, "index", None))

    def formula_of(self, model, *, digits="auto", snap=False):
        """Text of any model of ``models_``; parses in our grammar.

        Parameters
        ----------
        model : SymbolicModel
        digits : int or "auto", default="auto"
            Significant digits; ``"auto"`` takes the fewest that move no
            prediction by a thousandth of the error.
        snap : bool, default=False
            Write a coefficient as a simple fraction where it lies within two
            standard errors of one and that is no coincidence.
        """
        return self._render(model, digits, snap).text

    def latex_of(self, model, *, digits="auto", snap=False):
        """LaTeX of any model of ``models_``; parameters as :meth:`formula_of`."""
        return self._render(model, digits, snap).latex

    def rewrite(self, prefer=None, max_terms=None, n_results=20, additions=()):
        """Write the kept law with other members of the same span.

        Parameters
        ----------
        prefer : sequence of str, optional
            Terms you would like to see; forms that hold more of them come first.
        max_terms : int, optional
            Most terms of a form; as many as the law has now by default.
        n_results : int, default=20
            Most forms returned.
        additions : sequence of str
            Expressions of your own, e.g. ``"x*(1-x)"``; each must lie in the span.

        Returns
        -------
        RewriteList
            Forms with the same predictions in this sample; those that hold
            always come first.

        Raises
        ------
        NotIndependentError, InputError
            As :func:`sozai.symbolic.rewriting.rewrite`.
        """
        check_is_fitted(self, "relations_")
        return rewrite(
            self.model_,
            self.relations_,
            prefer=prefer,
            max_terms=max_terms,
            n_results=n_results,
            additions=additions,
        )

    def save(self, path):
        """Write the fitted law to a zip of JSON and npy with hashes."""
        check_is_fitted(self, "model_")
        save_model(path, KIND, to_state(self))

    @classmethod
    def load(cls, path):
        """Read a law written by :meth:`save`.

        The law predicts, judges applicability and shows its scores as before;
        the descriptors it was chosen from are not kept.
        """
        return from_state(cls, load_model(path, KIND))

    def _automatic_order(self, table, y, groups):
        """Raise the order while the cross-validated error falls by more than one standard error."""
        _require_rows_to_leave_out(len(y), groups)
        best, kept = None, 1
        floor = (1e-12 * np.abs(y).max()) ** 2
        for order in range(1, _HIGHEST_AUTOMATIC_ORDER + 1):
            trial = clone(self).set_params(max_order=order)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    score = nested_score(
                        trial,
                        table,
                        y,
                        groups=groups,
                        cv=_folds(len(y), groups),
                        random_state=self.random_state,
                    )
            except InputError as error:
                if order == 1:
                    raise
                _log.info("order %d is left out: %s", order, error)
                break
            error = np.where(np.isfinite(score.predictions), (y - score.predictions) ** 2, np.inf)
            if best is not None and not clearly_smaller(error, best, groups=groups, floor=floor):
                break
            best, kept = error, order
        return kept

    def _generate(self, primary):
        """Descriptors of the primary columns."""
        columns = self.columns_
        return generate(
            primary,
            columns.names,
            operations=tuple(self.operations or ()),
            pair_operations=tuple(self.pair_operations or ()),
            order=self.order_,
            dimensions=columns.dimensions if self.dimensions != "ignore" else None,
            domain=self.domain,
            symmetry=self.symmetry_,
            keep_constant=True,
            memory_limit=self.memory_limit,
        )

    def _allowed_columns(self):
        """Columns of the generated table a law may use, never the constant."""
        allowed = np.arange(1, len(self.generated_))
        if self.target_dimension == "match":
            allowed = allowed[self._matches_target(self.generated_.ids[allowed])]
            if not allowed.size:
                warnings.warn(
                    f"SymbolicRegressor.fit: none of {len(self.generated_) - 1} descriptors has the "
                    f"dimension of the target [{self.columns_.target_unit}]. Raise max_order, add "
                    "operations, or use target_dimension='any'.",
                    ConvergenceWarning,
                    stacklevel=5,
                )
        return allowed

    def _matches_target(self, ids):
        """Descriptors with the dimension of the target."""
        unit = self.columns_.target_unit
        if unit is None:
            raise InputError(
                sentence(
                    "SymbolicRegressor.fit",
                    "y",
                    "have a unit when target_dimension='match'",
                    self.columns_.target,
                    remedy="Name the target e.g. 'E [eV]', or use target_dimension='any'.",
                )
            )
        wanted = parse_unit(unit).dimension
        store = self.generated_.expressions
        found = [store.dimension_of(int(node)) for node in ids]
        return np.array([dimension == wanted for dimension in found], dtype=bool)

    def _select(self, y, groups):
        """Search the candidates and keep the simplest adequate law."""
        selector = clone(self.selection) if self.selection is not None else self._default_selection()
        found, self.candidate_columns_ = search_laws(
            self.generated_,
            self.relations_.basis,
            y,
            selector,
            candidates=self.candidates,
            allowed=self._allowed_columns(),
        )
        self.selection_ = selector
        self.n_candidates_ = len(self.candidate_columns_)
        self.selection_path_ = found.path
        models = tuple(replace(model, unit=self.columns_.target_unit) for model in found)
        found = replace(found, models=models)
        self.description_length_ = DescriptionLength(self.generated_.complexity[self.candidate_columns_])
        self.model_ = self._keep(found, y, groups)
        self.models_ = replace(found, models=tuple(self._rank(models)), selected=self.model_)

    def _default_selection(self):
        """Exhaustive search up to three terms, the mean among its answers."""
        return Exhaustive(max_terms=3, min_terms=0, n_best=self.n_best, n_jobs=self.n_jobs)

    def _keep(self, found, y, groups):
        """The law the criterion asks for."""
        if groups is not None:
            found = adequate_for_groups(found, self.generated_.values, y, groups)
        if self.criterion == "ebic":
            return min(found, key=self._length)
        if self.criterion == "q2":
            return found.simplest("q2")
        return found.best(self.criterion)

    def _length(self, model):
        """Extended Bayesian criterion of a model."""
        return self.description_length_(model, self.generated_.complexity[list(model.columns)])

    def _rank(self, models):
        """The kept law, then the best law of every other size, then the rest by the criterion."""
        ordered = (
            sorted(models, key=self._length)
            if self.criterion == "ebic"
            else sort_models(models, self.criterion)
        )
        leaders, sizes = [self.model_], {self.model_.n_terms}
        for model in ordered:
            if model.n_terms not in sizes:
                sizes.add(model.n_terms)
                leaders.append(model)
        leaders[1:] = sorted(leaders[1:], key=lambda model: model.n_terms)
        taken = {id(model) for model in leaders}
        return (leaders + [model for model in ordered if id(model) not in taken])[: self.n_best]

    def _describe(self, primary, y):
        """Formula, domain and symmetry of the kept law."""
        self.expressions_ = self.generated_.expressions
        self.n_relations_ = self.relations_.n_relations
        self._primary = primary
        model = self.model_
        limit = max(3 * model.n_parameters / len(y), float(np.max(model.leverages)))
        seen = primary
        if self.symmetry_ is not None:
            seen = np.vstack([self.symmetry_.permute(primary, g) for g in range(len(self.symmetry_))])
        self.domain_ = TrainingDomain.of(
            self.expressions_, self._ids(model), seen, leverage_limit=limit, declared=self.domain
        )
        self.formula_ = self.formula_of(model)
        self.latex_ = self.latex_of(model)
        self.symmetry_error_ = None if self.symmetry_ is None else self._symmetry_error(primary, y)

    def _symmetry_error(self, primary, y):
        """Largest change of the prediction under the group; a warning names the worst term."""
        group, ids = self.symmetry_, self._ids(self.model_)
        values = self.expressions_.evaluate(ids, primary)
        fitted = self.model_.predict(values)
        worst, term = 0.0, None
        for g in range(len(group)):
            image = self.expressions_.evaluate(ids, group.permute(primary, g))
            change = np.abs(self.model_.predict(image) - group.characters[g] * fitted).max()
            if change > worst:
                shift = np.abs(image - group.characters[g] * values).max(axis=0) * np.abs(
                    self.model_.coefficients
                )
                worst, term = float(change), self.model_.terms[int(np.argmax(shift))]
        if worst > 1e-10 * max(np.ptp(y), np.abs(y).max() * 1e-6):
            warnings.warn(
                f"SymbolicRegressor.fit: the law changes by {worst:.3g} under the symmetry, most in {term}.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return worst

    def _ids(self, model):
        """Expressions of the terms of a model."""
        return np.array([parse_into(self.expressions_, term) for term in model.terms], dtype=np.int64)

    def _evaluate(self, X):
        """Primary columns in the law's units, and the values of its terms."""
        check_is_fitted(self, "model_")
        if hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            X = self.columns_.aligned(X)
        primary = self.columns_.convert(validate_table(self, X, reset=False))
        with np.errstate(all="ignore"):
            values = self.expressions_.evaluate(self._ids(self.model_), primary)
        values[~np.isfinite(values)] = np.nan
        return primary, values

    def _reasons(self, primary, values):
        """Why each row lies outside the training region; empty text inside."""
        rows = np.column_stack([np.ones(len(values)), values])
        leverage = np.einsum("ti,ij,tj->t", rows, self.model_.covariance, rows)
        leverage = np.where(np.isfinite(leverage), leverage, 0.0)
        return self.domain_.reasons(self.expressions_, self._ids(self.model_), primary, leverage)

    def _render(self, model, digits, snap=False):
        """Text and LaTeX of a law with just the digits that matter; rounding alone is written as zero."""
        scale = float(np.sqrt(np.mean(model.target**2)))
        intercept = 0.0 if abs(model.intercept) <= _ROUNDED * scale else model.intercept
        design = None
        if digits == "auto" and hasattr(self, "generated_"):
            design = self.generated_.values[:, list(model.columns)]
        return render_formula(
            [self.expressions_.expression(int(node)) for node in self._ids(model)],
            model.coefficients,
            intercept,
            digits=digits if design is not None or digits != "auto" else _STORED_DIGITS,
            design=design,
            rmse=max(model.rmse, 1e-8 * scale),
            standard_errors=model.standard_errors if snap else None,
            intercept_standard_error=model.intercept_standard_error if snap else None,
            snap=snap,
        )


def _check_groups(groups, n_samples):
    """One label a row, at least two different ones."""
    groups = np.asarray(groups)
    if groups.shape != (n_samples,):
        raise InputError(
            sentence(
                "SymbolicRegressor.fit",
                "groups",
                f"have one label per row ({n_samples})",
                f"shape {groups.shape}",
                remedy="Pass the column that names the system of every row.",
            )
        )
    if len(np.unique(groups)) < 2:
        raise InputError(
            sentence(
                "SymbolicRegressor.fit",
                "groups",
                "name at least two groups",
                str(groups[0]),
                remedy="Leave groups out if all rows belong together.",
            )
        )
    return groups


def _require_rows_to_leave_out(n_samples, groups):
    """The automatic order leaves rows out and needs three others."""
    largest = 1 if groups is None else int(np.unique(groups, return_counts=True)[1].max())
    if n_samples - largest < 3:
        raise InputError(
            sentence(
                "SymbolicRegressor.fit",
                "X",
                f"have at least {3 + largest} rows for max_order='auto', which leaves rows out",
                n_samples,
                remedy="Give max_order as a number, or add rows.",
            )
        )


def _warn_about_rows(X, y):
    """Warn about rows that occur twice."""
    table = np.column_stack([X, y])
    n_double = len(table) - len(np.unique(table, axis=0))
    if n_double:
        warnings.warn(
            f"SymbolicRegressor.fit: {n_double} of {len(table)} rows repeat an earlier row and count again.",
            UserWarning,
            stacklevel=4,
        )


def _folds(n_samples, groups):
    """Ten folds, fewer where there are fewer rows or groups; one group at a time up to ten."""
    members = n_samples if groups is None else len(np.unique(groups))
    return min(10, members)
