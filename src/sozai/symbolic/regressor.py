"""One estimator from a table to a short law: generate, find relations, select, check, predict."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import clone

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
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
from sozai.contracts.units import parse_unit
from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.descriptors.permutations import as_group
from sozai.symbolic.fitted_law import FittedLaw
from sozai.symbolic.generation import generate
from sozai.symbolic.independence import IndependentDescriptors
from sozai.symbolic.screening import ScreenThenL0, space_within
from sozai.symbolic.search.budget import where_cut
from sozai.symbolic.selectors.adequacy import adequate_for_groups
from sozai.symbolic.selectors.automatic_order import automatic_order
from sozai.symbolic.selectors.exhaustive import Exhaustive
from sozai.symbolic.selectors.law_search import DescriptionLength, search_laws
from sozai.symbolic.selectors.models import sort_models
from sozai.symbolic.symmetry import augment

__all__ = ["SymbolicRegressor"]

_MAX_CANDIDATES = 1e9  # for a search of another make that names no limit
_LARGE_OPERATIONS = ("square",)
_LARGE_PAIR_OPERATIONS = ("sum", "difference", "product", "ratio")
_SMALL_ONLY = {"max_order": 2, "symmetry": None, "selection": None, "candidates": "auto"}


class SymbolicRegressor(FittedLaw, RegressorMixin, BaseEstimator):
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
    max_rung : int, optional
        Ask for the large search: descriptors are formulas nested up to this
        deep, each rung applying every operation to all that came before.
        Rung 3 of a few columns has millions to billions of them; they are
        screened without being stored. Takes the place of ``max_order``.
        Operations left out are then ``"square"`` and, of pairs, ``"sum"``,
        ``"difference"``, ``"product"`` and ``"ratio"``.
    search : ScreenThenL0, optional
        How the large search goes; default
        :class:`sozai.symbolic.screening.ScreenThenL0`. Given without
        ``max_rung``, two rungs are searched. Its ``max_candidates`` is the
        budget; 1e9 formulas by default.
    max_complexity : int, optional
        Most complex formula of the large search. Left out, the space is cut
        where it would exceed ``max_candidates`` or ``memory_limit``, the
        simplest formulas first, and ``models_.notes`` says where.
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
        ``Exhaustive(max_terms="auto")``: three terms, or more of at most twelve descriptors.
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
        Number of descriptors searched; of a large search all that were
        screened, the survivors being in ``generated_``.
    screens_ : tuple of ScreenResult
        What every pass of a large search kept; empty otherwise.
    description_length_ : DescriptionLength
        The extended Bayesian criterion of this search.
    generated_ : Generated
        The descriptors, their expressions and values.
    generation_report_ : DataFrame
        Descriptors dropped, counted by reason.
    domain_ : TrainingDomain
        The region the law has seen.
    order_ : int
        Largest number of factors allowed; of a large search, the rung.
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
        "max_rung": [Interval(Integral, 1, None, closed="left"), None],
        "search": [HasMethods("find"), None],
        "max_complexity": [Interval(Integral, 1, None, closed="left"), None],
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
        max_rung=None,
        search=None,
        max_complexity=None,
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
        self.max_rung = max_rung
        self.search = search
        self.max_complexity = max_complexity
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
        large = self.max_rung is not None or self.search is not None
        if large:
            self._refuse_small_options()
        elif self.max_order == "auto":
            self.order_ = automatic_order(self, table, y, groups, self.random_state)
        else:
            self.order_ = int(self.max_order)
        self.columns_ = PrimaryColumns.read(input_names(self), self.dimensions, target)
        self.units_ = dict(self.columns_.units)
        primary = self.columns_.convert(X)
        found = self._search_large(primary, y) if large else self._search_small(primary, y)
        self._keep(found, y, groups)
        self._describe(primary, y)
        return self

    def _refuse_small_options(self):
        """Refuse options that the large search does not have."""
        for option, default in _SMALL_ONLY.items():
            value = getattr(self, option)
            if value is not default and value != default:
                raise InputError(
                    sentence(
                        "SymbolicRegressor.fit",
                        option,
                        "be left out when max_rung or search asks for the large search",
                        value,
                        remedy="Leave out max_rung and search, or this option.",
                    )
                )

    def _search_large(self, primary, y):
        """Screen every formula up to the highest rung; relations are those among the survivors."""
        columns = self.columns_
        nothing = self.operations is None and self.pair_operations is None
        operations = _LARGE_OPERATIONS if nothing else tuple(self.operations or ())
        pairs = _LARGE_PAIR_OPERATIONS if nothing else tuple(self.pair_operations or ())
        search = self.search if self.search is not None else ScreenThenL0(n_best=self.n_best)
        if self.n_jobs is not None:
            search = clone(search).set_params(n_jobs=self.n_jobs)
        self.order_ = 2 if self.max_rung is None else int(self.max_rung)
        self.symmetry_ = None
        space = space_within(
            primary,
            columns.names,
            operations=operations,
            pair_operations=pairs,
            rung=self.order_,
            dimensions=columns.dimensions if self.dimensions != "ignore" else None,
            domain=self.domain,
            max_complexity=self.max_complexity,
            max_candidates=getattr(search, "max_candidates", _MAX_CANDIDATES),
            memory_limit=self.memory_limit,
            target_dimension=self._target_dimension() if self.target_dimension == "match" else None,
        )
        answer = search.find(space, y)
        self.selection_ = search
        self.generated_, self.screens_ = answer.generated, answer.screens
        self.generation_report_ = self.generated_.report
        self.candidate_columns_ = np.arange(1, len(self.generated_))
        self.n_candidates_ = answer.n_candidates
        self.description_length_ = DescriptionLength(*answer.complexity_counts)
        with warnings.catch_warnings():  # survivors are often nearly dependent: the law does not rest on it
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._relate(primary)
        cut = where_cut(space) if self.max_complexity is None else ""
        return replace(answer.models, notes=(*answer.models.notes, *([cut] if cut else [])))

    def _search_small(self, primary, y):
        """Generate every descriptor, find all relations, and search."""
        self.symmetry_ = as_group(self.symmetry, self.columns_.names)
        if self.symmetry_ is not None:
            augment(primary, y, self.symmetry_)  # warns about rows that contradict the symmetry
        self.generated_, self.screens_ = self._generate(primary), ()
        self.generation_report_ = self.generated_.report
        self._relate(primary)
        self.selection_ = clone(self.selection) if self.selection is not None else self._default_selection()
        found, self.candidate_columns_ = search_laws(
            self.generated_,
            self.relations_.basis,
            y,
            self.selection_,
            candidates=self.candidates,
            allowed=self._allowed_columns(),
        )
        self.n_candidates_ = len(self.candidate_columns_)
        self.description_length_ = DescriptionLength(self.generated_.complexity[self.candidate_columns_])
        return found

    def _relate(self, primary):
        """Every linear relation among the descriptors at hand."""
        independence = self.independence if self.independence is not None else IndependentDescriptors()
        self.relations_ = independence.relate(primary, self.generated_)
        self.rank_ = self.relations_.rank

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
        wanted = self._target_dimension()
        store = self.generated_.expressions
        return np.array([store.dimension_of(int(node)) == wanted for node in ids], dtype=bool)

    def _target_dimension(self):
        """Dimension of the target's unit."""
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
        return parse_unit(unit).dimension

    def _keep(self, found, y, groups):
        """Keep the simplest adequate law beside the list."""
        self.selection_path_ = found.path
        models = tuple(replace(model, unit=self.columns_.target_unit) for model in found)
        found = replace(found, models=models)
        self.model_ = self._chosen(found, y, groups)
        self.models_ = replace(found, models=tuple(self._rank(models)), selected=self.model_)

    def _default_selection(self):
        """Exhaustive search, the mean among its answers."""
        return Exhaustive(max_terms="auto", min_terms=0, n_best=self.n_best, n_jobs=self.n_jobs)

    def _chosen(self, found, y, groups):
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
