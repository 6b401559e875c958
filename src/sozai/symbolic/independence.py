"""Which descriptors say the same thing: every linear relation, found and kept."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Real

import numpy as np

from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    Interval,
    StrOptions,
    TransformerMixin,
    check_is_fitted,
    fit_context,
    input_names,
    validate_table,
)
from sozai.numerics.row_reduction import row_reduce
from sozai.symbolic.relations.exact_relations import ExactRelations, exact_reduction, exactly_dependent
from sozai.symbolic.relations.preference import preference_order
from sozai.symbolic.relations.relation_engine import RelationEngine
from sozai.symbolic.relations.relation_record import Relation
from sozai.symbolic.relations.relation_table import RelationTable
from sozai.symbolic.relations.residues import DecimalColumns, ExpressionColumns

__all__ = ["IndependentDescriptors", "Relation", "RelationTable", "find_relations"]

#: Rounding floor above which double precision cannot say whether a column is dependent.
_UNDECIDABLE = 1e-8
_CLEAR_GAP = 100.0
_EXACT_RREF = 1e-8


def find_relations(
    X,
    *,
    names=None,
    method="qr",
    tolerance=None,
    pivot_tolerance=None,
    near_tolerance=1e-3,
    remove_near=False,
    prefer=None,
    domain=None,
    generated=None,
):
    r"""Find every linear relation among the columns of a table.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_columns)
        Include a column of ones if it is to take part. With ``generated``: the
        primary columns.
    names : sequence of str, optional
        Column names; a DataFrame brings its own.
    method : {"qr", "rref", "exact"}
        Order-preserving projection with a rounding floor; the published
        elimination; or elimination modulo primes, with no tolerance at all, of
        the decimals as written.
    tolerance : float, optional
        Relative residual up to which a column counts as dependent, 1e-10 (for
        ``"rref"`` the published weak-pivot limit 1/(100√m)).
    pivot_tolerance : float, optional
        ``"rref"`` only: zero-pivot limit, a hundredth of it.
    near_tolerance : float
        Columns kept with a residual up to this are reported as ``"near"``.
    remove_near : bool
        Remove those columns too.
    prefer : optional
        Which columns to keep, see :func:`~sozai.symbolic.relations.preference.preference_order`.
        Default: the constant, then the simplest, then left to right.
    domain : mapping of name to (low, high), optional
        Where identities are tested; default the declared or observed ranges.
    generated : Generated, optional
        Expressions of the columns, from ``generate``. Needed to tell an
        identity from a coincidence; also makes ``"exact"`` fast.

    Returns
    -------
    RelationTable

    Warns
    -----
    ConvergenceWarning
        The rank is not well defined (no gap in the singular values), or double
        precision cannot decide for some columns.

    See Also
    --------
    IndependentDescriptors : The same as a transformer.
    sozai.numerics.row_reduction.row_reduce : The linear algebra.

    Notes
    -----
    There are n − r relations, r the rank. A relation ``holds`` *always* when
    the column also lies in the span of the basis at random rational points of
    the domain, evaluated modulo a prime (probability of error about 1e-9);
    otherwise it is a coincidence of this sample.

    References
    ----------
    .. [1] Y. Kanda, H. Fujii, T. Oguchi, Sci. Technol. Adv. Mater. 20, 1178 (2019).
    .. [2] J. T. Schwartz, J. ACM 27, 701 (1980).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 1.0, 2.0, 5.0])
    >>> X = np.column_stack([np.ones(4), x, 1 - x])
    >>> list(find_relations(X, names=["one", "x", "y"]).relations)
    [y = one - x  (exact, in this sample)]
    """
    primary = as_matrix(X, place="find_relations")
    values, labels = _columns(X, primary, names, generated)
    _check_options(method, tolerance, near_tolerance)
    complexity = None if generated is None else np.asarray(generated.complexity)
    order = _default_order(values, complexity)
    if prefer is not None:
        order = preference_order(prefer, labels, default=order, complexity=complexity)
    limit = 1e-10 if tolerance is None or method == "rref" else float(tolerance)
    notes: list[str] = []
    if method == "exact":
        source = _source(primary, values, generated)
        if source.rational.all():
            return _exact_table(
                source, values, labels, order, limit, near_tolerance, generated, primary, domain
            )
        notes.append(
            f"{int((~source.rational).sum())} columns hold roots, exponentials or logarithms: "
            "method 'qr' was used"
        )
    if method == "rref":
        reduction = row_reduce(
            values, method="rref", tolerance=tolerance, pivot_tolerance=pivot_tolerance, order=order
        )
    else:
        reduction = row_reduce(
            values, tolerance=max(limit, near_tolerance) if remove_near else limit, order=order
        )
    limits = np.maximum(limit, reduction.floors)
    engine = RelationEngine(values, reduction, limits, generated=generated, primary=primary, domain=domain)
    kinds = _classify(reduction, limits, near_tolerance)
    _decide(kinds, reduction, primary, values, generated, notes)
    if not remove_near:
        _check_gap(engine.singular_values, reduction.rank)
    actual = reduction.method
    return RelationTable(
        labels, reduction, engine, reduction.residuals, reduction.floors, kinds, actual, tuple(notes)
    )


class IndependentDescriptors(TransformerMixin, BaseEstimator):
    """Keep a basis of the columns; what was dropped is a known combination of it.

    Nothing is lost: every dropped column is listed with its relation, and any
    independent choice of columns spans the same space.

    Parameters
    ----------
    method : {"qr", "rref", "exact"}, default="qr"
        See :func:`find_relations`.
    tolerance : float, optional
        Relative residual up to which a column counts as dependent.
    near_tolerance : float, default=1e-3
        Columns kept with a residual up to this are reported.
    remove_near : bool, default=False
        Remove those too.
    with_constant : bool, default=False
        Count combinations with a constant as relations, as a regression with
        intercept does; the constant itself is never put out.
    prefer : optional
        Which columns to keep where there is a choice.
    domain : mapping, optional
        Where identities are tested.

    Attributes
    ----------
    basis_ : ndarray of int
        Columns kept, ascending.
    rank_ : int
        Their number.
    relations_ : RelationTable
        Every relation.
    subspaces_ : tuple of SubspaceList
        Columns that may stand for one another.
    rank_report_ : dict
        Numbers of samples, columns, relations; rank; singular values around it.
    n_features_in_ : int
        Number of columns seen by ``fit``.

    See Also
    --------
    sklearn.feature_selection.VarianceThreshold : Looks at one column at a time.

    Notes
    -----
    The basis is a function of the columns alone, so no target can leak; learn
    it inside each fold anyway when the relations hold only in the sample.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> X = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [2.0, 4.0, 8.0], "c": [1.0, 0.0, 3.0]})
    >>> selector = IndependentDescriptors().fit(X)
    >>> selector.get_feature_names_out().tolist(), selector.relations_.relations[0]
    (['a', 'c'], b = 2 a  (exact, in this sample))
    """

    _parameter_constraints = {  # noqa: RUF012
        "method": [StrOptions({"qr", "rref", "exact"})],
        "tolerance": [None, Interval(Real, 0, None, closed="neither")],
        "near_tolerance": [Interval(Real, 0, None, closed="neither")],
        "remove_near": ["boolean"],
        "with_constant": ["boolean"],
        "prefer": "no_validation",
        "domain": [None, dict],
    }

    def __init__(
        self,
        method="qr",
        tolerance=None,
        *,
        near_tolerance=1e-3,
        remove_near=False,
        with_constant=False,
        prefer=None,
        domain=None,
    ):
        self.method = method
        self.tolerance = tolerance
        self.near_tolerance = near_tolerance
        self.remove_near = remove_near
        self.with_constant = with_constant
        self.prefer = prefer
        self.domain = domain

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the relations among the columns of ``X``.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)
        y : ignored

        Returns
        -------
        IndependentDescriptors
        """
        X = validate_table(self, X)
        names = input_names(self)
        if self.with_constant:
            X = np.column_stack([np.ones(X.shape[0]), X])
            names = (_free_name(names), *names)
        self.relations_ = self._find(X, names=names)
        kept = np.sort(self.relations_.basis)
        self.basis_ = kept[kept > 0] - 1 if self.with_constant else kept
        self.rank_ = self.relations_.rank
        self.rank_report_ = _rank_report(self.relations_, X.shape[0])
        return self

    def relate(self, X, generated):
        """Relations among generated descriptors, by the options of this object.

        Parameters
        ----------
        X : array of shape (n_samples, n_primary)
            The primary columns.
        generated : Generated

        Returns
        -------
        RelationTable
        """
        return self._find(X, generated=generated)

    def transform(self, X):
        """Keep the columns of the basis, in the order of ``X``."""
        check_is_fitted(self)
        return validate_table(self, X, reset=False)[:, self.basis_]

    def get_feature_names_out(self, input_features=None):
        """Names of the columns kept.

        Parameters
        ----------
        input_features : array-like of str, optional
            Must be the names seen in ``fit`` when there were any.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names = np.asarray(input_names(self), dtype=object)
        if input_features is not None:
            given = np.asarray(input_features, dtype=object)
            if given.shape != names.shape or (hasattr(self, "feature_names_in_") and (given != names).any()):
                raise ValueError(
                    "IndependentDescriptors.get_feature_names_out: input_features is not equal to "
                    f"feature_names_in_ or has not {names.size} entries."
                )
            names = given
        return names[self.basis_]

    @property
    def subspaces_(self):
        """Columns that may stand for one another."""
        check_is_fitted(self)
        return self.relations_.subspaces

    def _find(self, X, **source):
        return find_relations(
            X,
            method=self.method,
            tolerance=self.tolerance,
            near_tolerance=self.near_tolerance,
            remove_near=self.remove_near,
            prefer=self.prefer,
            domain=self.domain,
            **source,
        )


# --- steps of find_relations -----------------------------------------------------------


def _columns(X, primary, names, generated):
    """Values and names of the columns that are related."""
    if generated is not None:
        return np.asarray(generated.values), tuple(generated.names)
    if names is None and hasattr(X, "columns"):
        names = list(X.columns)
    return primary, as_names(names, primary.shape[1], place="find_relations")


def _check_options(method, tolerance, near_tolerance):
    """Refuse what cannot be meant."""
    if method not in ("qr", "rref", "exact"):
        raise InputError(
            sentence(
                "find_relations", "method", "be 'qr', 'rref' or 'exact'", method, remedy="Start with 'qr'."
            )
        )
    limit = 1e-10 if tolerance is None else tolerance
    if not (limit > 0 and near_tolerance > 0):
        raise InputError(
            sentence(
                "find_relations",
                "tolerance and near_tolerance",
                "be positive",
                (limit, near_tolerance),
                remedy="Leave them out to use the defaults.",
            )
        )


def _default_order(values, complexity):
    """Order of preference: the column of ones, then the simplest, then left to right."""
    n = values.shape[1]
    order = np.arange(n) if complexity is None else np.argsort(complexity, kind="stable")
    ones = np.flatnonzero(values[0] == 1.0)
    ones = ones[(values[:, ones] == 1.0).all(axis=0)][:1]
    return np.concatenate([ones, order[~np.isin(order, ones)]]).astype(np.int64)


def _source(primary, values, generated):
    """Read the columns as exact numbers."""
    if generated is None:
        return DecimalColumns(values)
    return ExpressionColumns(generated.expressions, np.asarray(generated.ids), primary)


def _classify(reduction, limits, near_tolerance):
    """Kind of every column."""
    rho, floors = reduction.residuals, reduction.floors
    kinds = np.full(rho.size, "independent", dtype=object)
    basis, dependents = reduction.basis, reduction.dependents
    kinds[basis[rho[basis] <= near_tolerance]] = "near"
    if reduction.method == "rref":
        kinds[basis] = "independent"
        kinds[dependents] = np.where(rho[dependents] <= _EXACT_RREF, "exact", "near")
        return kinds
    kinds[dependents] = np.where(rho[dependents] > limits[dependents], "near", "exact")
    unclear = (floors[dependents] > _UNDECIDABLE) & (rho[dependents] <= limits[dependents])
    kinds[dependents[unclear]] = "undecidable"
    return kinds


def _decide(kinds, reduction, primary, values, generated, notes):
    """Let exact arithmetic decide the undecidable columns where it can; otherwise warn."""
    unclear = np.flatnonzero(kinds == "undecidable")
    if unclear.size == 0:
        return
    source = _source(primary, values, generated)
    if generated is not None and source.rational[unclear].all() and source.rational[reduction.basis].all():
        exact = exactly_dependent(source, reduction.basis, unclear)
        kinds[unclear] = np.where(exact, "exact", "near")
        notes.append(
            f"{unclear.size} columns decided without rounding: "
            f"{int(exact.sum())} exact, {int((~exact).sum())} near"
        )
        return
    warnings.warn(
        f"find_relations: double precision cannot decide {unclear.size} of {kinds.size} columns "
        f"(rounding floor up to {reduction.floors[unclear].max():.1e}); they were taken as dependent. "
        "Use method='exact', or remove near relations with remove_near=True.",
        ConvergenceWarning,
        stacklevel=3,
    )


def _check_gap(sigma, rank):
    """Warn when the singular values have no gap at the rank."""
    if rank >= sigma.size or rank == 0 or sigma[rank - 1] >= _CLEAR_GAP * sigma[rank]:
        return
    other = int((sigma > np.finfo(np.float64).eps * sigma.size * sigma[0]).sum())
    low, high = sorted((rank, other))
    warnings.warn(
        f"find_relations: the rank is not well defined between {low} and {high}: singular values {rank} and "
        f"{rank + 1} are {sigma[rank - 1]:.2e} and {sigma[rank]:.2e}, a gap of "
        f"{sigma[rank - 1] / sigma[rank]:.1f} (clear: 100). Use method='exact' or another tolerance.",
        ConvergenceWarning,
        stacklevel=3,
    )


def _exact_table(source, values, labels, order, limit, near_tolerance, generated, primary, domain):
    """Table of the elimination modulo primes; floats only say how stable the basis is."""
    modular = exact_reduction(source, values.shape[1], order)
    numeric = row_reduce(values, tolerance=limit, order=order)
    basis = modular.basis
    kinds = np.full(values.shape[1], "exact", dtype=object)
    kinds[basis] = np.where(numeric.residuals[basis] <= near_tolerance, "near", "independent")
    residuals = numeric.residuals.copy()
    residuals[modular.dependents] = 0.0
    described = replace(
        numeric, order=modular.order, rank=modular.rank, pivots=residuals[basis], method="exact"
    )
    engine = RelationEngine(
        values,
        described,
        np.maximum(limit, numeric.floors),
        exact=ExactRelations(source, basis),
        generated=generated,
        primary=primary,
        domain=domain,
    )
    return RelationTable(labels, described, engine, residuals, numeric.floors, kinds, "exact")


def _free_name(names):
    """Name for the constant that no column has."""
    name = "1"
    while name in names:
        name += "'"
    return name


def _rank_report(table, n_samples):
    """Numbers that say how well defined the rank is."""
    sigma = table.singular_values
    r = table.rank
    last = float(sigma[r - 1]) if 0 < r <= sigma.size else 0.0
    following = float(sigma[r]) if r < sigma.size else 0.0
    return {
        "n_samples": int(n_samples),
        "n_columns": len(table.names),
        "rank": r,
        "n_relations": table.n_relations,
        "n_near": int((table.kinds == "near").sum()),
        "n_undecidable": int((table.kinds == "undecidable").sum()),
        "largest_singular_value": float(sigma[0]) if sigma.size else 0.0,
        "last_singular_value": last,
        "next_singular_value": following,
    }
