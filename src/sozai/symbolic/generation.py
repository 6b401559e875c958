"""Descriptors from a table: basic operations, then direct products, every drop counted."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    Interval,
    TransformerMixin,
    check_is_fitted,
    fit_context,
    input_names,
    validate_table,
)
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.descriptors.descriptor_maker import DescriptorMaker, Limits
from sozai.symbolic.descriptors.permutations import SymmetryGroup, as_group
from sozai.symbolic.descriptors.products import count_products, iterate_products
from sozai.symbolic.formulas.dimension_table import unknown_unit
from sozai.symbolic.operations import ExpressionList, Expressions, resolve_operations

__all__ = ["BasicOperations", "DirectProducts", "Generated", "count_products", "generate", "iterate_products"]


@dataclass(frozen=True)
class Generated:
    """Descriptors of one table.

    Attributes
    ----------
    expressions : Expressions
        The store.
    ids : ndarray of int64 of shape (n,)
        Descriptors in preference order; the constant 1 (id 0) is first.
    values : ndarray of shape (n_samples, n)
        Their values, in Fortran order.
    report : DataFrame
        What was dropped: ``reason``, ``operation``, ``count``, ``examples``.

    Examples
    --------
    >>> made = generate(np.array([[1.0, 2.0], [3.0, 5.0]]), ["x", "y"], order=2)
    >>> made.names
    ('1', 'x', 'y', 'x**2', 'x*y', 'y**2')
    """

    expressions: Expressions
    ids: np.ndarray
    values: np.ndarray
    report: pd.DataFrame

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Descriptors as text, each different; written when first asked for."""
        return tuple(self.expressions.texts(self.ids))

    @property
    def complexity(self) -> np.ndarray:
        """Complexity of every descriptor."""
        return self.expressions.complexity[self.ids]

    @property
    def order(self) -> np.ndarray:
        """Number of factors of every descriptor."""
        return self.expressions.order[self.ids]

    @property
    def unsafe(self) -> np.ndarray:
        """Descriptors with a singular point between training values."""
        return self.expressions.unsafe[self.ids]

    def __len__(self) -> int:
        return self.ids.size

    def __repr__(self) -> str:
        dropped = int(self.report["count"].sum())
        return f"Generated({len(self)} descriptors, {self.values.shape[0]} rows, {dropped} dropped)"

    def to_frame(self) -> pd.DataFrame:
        """Descriptor table: one column per descriptor."""
        return pd.DataFrame(self.values, columns=list(self.names))


def generate(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    operations: Iterable[str] = (),
    pair_operations: Iterable[str] = (),
    columns: Iterable[str] | None = None,
    order: int = 1,
    cumulative: bool = True,
    dimensions: Mapping[str, Any] | None = None,
    dimensionless: Iterable[str] = (),
    groups: Any = None,
    domain: Mapping[str, tuple[float, float]] | None = None,
    symmetry: Any = None,
    keep_constant: bool = False,
    max_features: int = 1_000_000,
    memory_limit: float = 2e9,
) -> Generated:
    r"""Make descriptors from the columns of a table.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        Primary columns, finite.
    names : sequence of str, optional
        Their names; read off a DataFrame when left out.
    operations : iterable of str
        Basic operations on one column: ``inverse`` (``r``), ``abs`` (``a``),
        ``inverse_abs`` (``b``), ``sqrt``, ``cbrt``, ``square``, ``cube``,
        ``exp``, ``exp_neg``, ``log``.
    pair_operations : iterable of str
        Basic operations on two columns: ``sum``, ``difference``, ``product``
        (``+ - *``), each also ``inverse_``, ``abs_`` or ``inverse_abs_``
        (``r+ a+ b+ ...``), and ``ratio``.
    columns : iterable of str, optional
        Columns the basic operations act on; default all. Every column enters
        the products.
    order : int, default=1
        Number of factors of the direct products, k.
    cumulative : bool, default=True
        Keep the products of fewer factors too.
    dimensions : mapping of str to unit, optional
        Units of columns. Where no column has one, nothing is forbidden;
        otherwise a column without unit is never added to another.
    dimensionless : iterable of str
        Columns that are pure numbers.
    groups : mapping of str to str or iterable of iterables of str, optional
        Columns of different groups are never added.
    domain : mapping of str to (low, high), optional
        Interval a column may ever take; singular operations inside it are
        dropped.
    symmetry : str, mapping or SymmetryGroup, optional
        One symmetrised descriptor per orbit of products.
    keep_constant : bool, default=False
        Keep columns that do not vary in this sample, as a search for relations
        wants them. Columns of zeros are always dropped.
    max_features : int, default=1,000,000
        Most columns made.
    memory_limit : float, default=2e9
        Most bytes.

    Returns
    -------
    Generated

    Raises
    ------
    InputError
        Too many columns or bytes (nothing has been allocated then), unknown
        operations or columns.

    Notes
    -----
    Products are taken from the list of order 1, so that
    :math:`\binom{n+k-1}{k}` columns appear in lexicographic order, each by one
    multiplication. Order of columns: 1, primaries, one block per unary
    operation, one block per pair operation over pairs :math:`i < j`, then the
    products of two, of three, ... Cost O(m) per column.

    Examples
    --------
    >>> table = pd.DataFrame({"r_A": [1.0, 2.0, 4.0], "r_B": [2.0, 1.0, 1.0]})
    >>> generate(table, pair_operations=["sum", "abs_difference"]).names
    ('1', 'r_A', 'r_B', 'r_A + r_B', 'abs(r_A - r_B)')
    """
    if names is None and hasattr(X, "columns"):
        names = [str(name) for name in X.columns]
    X = as_matrix(X, place="generate", names=names)
    names = as_names(names, X.shape[1], place="generate")
    unary = resolve_operations(operations, pair=False, place="generate")
    pairs = resolve_operations(pair_operations, pair=True, place="generate")
    chosen = _columns(columns, names)
    if order < 1:
        raise InputError(
            sentence("generate", "order", "be at least 1", order, remedy="Give the number of factors.")
        )
    limits = Limits(X.shape[0], int(max_features), float(memory_limit))
    limits.check_basic(len(names), len(chosen), unary, pairs)
    group = as_group(symmetry, names)
    store = Expressions(
        names,
        dimensions=_shared_by_symmetry(_with_dimensionless(dimensions, dimensionless, names), group),
        groups=_group_labels(groups, names),
        domain=domain,
        observed=np.array([X.min(axis=0), X.max(axis=0)]),
    )
    maker = DescriptorMaker(store, np.ascontiguousarray(X.T), keep_constant, limits)
    basic = maker.basic(chosen, unary, pairs)
    if group is None or len(group) == 1:
        ids, values = maker.products(basic, order, cumulative)
    else:
        ids, values = maker.symmetrized(basic, order, cumulative, group)
    return Generated(store, ids, values, maker.report())


# -- transformers ---------------------------------------------------------------------------------


class DescriptorTransformer(TransformerMixin, BaseEstimator):
    """What transformers that make descriptors share: they generate in ``fit`` and evaluate in ``transform``.

    A child says in ``_options`` what ``generate`` gets. Labels such as
    ``"r_A [Å]"`` are taken apart: the name enters the formulas, the unit the
    dimensional analysis, and values are converted to one unit per dimension.
    """

    def _options(self) -> dict[str, Any]:
        """Arguments of ``generate``."""
        raise NotImplementedError

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the descriptors that exist and vary on the rows of ``X``."""
        X = validate_table(self, X, min_samples=2)
        self._columns = PrimaryColumns.read(input_names(self))
        options = self._options()
        made = generate(
            self._columns.convert(X),
            self._columns.names,
            **{"dimensions": self._columns.dimensions, **options},
        )
        self._store = made.expressions
        self.ids_ = made.ids[1:]
        self.expressions_ = ExpressionList(self._store, self.ids_)
        self.generation_report_ = made.report
        self._n_features_out = self.ids_.size
        return self

    def transform(self, X):
        """Values of the descriptors; NaN where one is singular, with a warning."""
        check_is_fitted(self, "ids_")
        X = validate_table(self, X, reset=False)
        with np.errstate(all="ignore"):
            values = self._store.evaluate(self.ids_, self._columns.convert(X))
        bad = ~np.isfinite(values)
        if bad.any():
            columns = np.flatnonzero(bad.any(axis=0))
            shown = ", ".join(self._store.text(self.ids_[k]) for k in columns[:5])
            warnings.warn(
                f"{type(self).__name__}.transform: {int(bad.sum())} values in {columns.size} descriptors "
                f"are not defined and set to NaN, first in {shown}.",
                ExtrapolationWarning,
                stacklevel=2,
            )
            values[bad] = np.nan
        return values

    def get_feature_names_out(self, input_features=None):
        """Descriptors as text.

        Parameters
        ----------
        input_features : ignored
            Names come from ``fit``.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "ids_")
        return np.array(self._store.texts(self.ids_), dtype=object)


class BasicOperations(DescriptorTransformer):
    """Columns, and what basic operations make of them and of their pairs.

    Parameters
    ----------
    operations : iterable of str, default=("abs", "inverse")
        Operations on one column, see :func:`generate`.
    pair_operations : iterable of str, default=("abs_sum", "abs_difference")
        Operations on two columns.
    columns : iterable of str, optional
        Columns they act on; default all.
    groups : mapping or iterable of iterables, optional
        Columns of different groups are never added.
    domain : mapping of str to (low, high), optional
        Interval a column may ever take.
    dimensionless : iterable of str, default=()
        Columns that are pure numbers, where others have units.

    Attributes
    ----------
    expressions_ : sequence of Expression
        One formula per column of the result.
    ids_ : ndarray of int64
        Their ids in the store.
    generation_report_ : DataFrame
        What was dropped: reason, operation, count, examples.

    See Also
    --------
    sklearn.preprocessing.PolynomialFeatures : Products only, without units or formulas.

    Examples
    --------
    >>> X = pd.DataFrame({"r_A": [1.0, 2.0, 5.0], "r_B": [2.0, 3.0, 3.0]})
    >>> BasicOperations((), pair_operations=["a-"]).fit(X).get_feature_names_out().tolist()
    ['r_A', 'r_B', 'abs(r_A - r_B)']
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "operations": ["array-like"],
        "pair_operations": ["array-like"],
        "columns": ["array-like", None],
        "groups": [dict, "array-like", None],
        "domain": [dict, None],
        "dimensionless": ["array-like"],
    }

    def __init__(
        self,
        operations=("abs", "inverse"),
        *,
        pair_operations=("abs_sum", "abs_difference"),
        columns=None,
        groups=None,
        domain=None,
        dimensionless=(),
    ):
        self.operations = operations
        self.pair_operations = pair_operations
        self.columns = columns
        self.groups = groups
        self.domain = domain
        self.dimensionless = dimensionless

    def _options(self) -> dict[str, Any]:
        return dict(self.get_params(deep=False))


class DirectProducts(DescriptorTransformer):
    r"""Products of ``order`` columns, every multiset once.

    Parameters
    ----------
    order : int, default=2
        Number of factors, k.
    cumulative : bool, default=True
        Keep the products of fewer factors too.
    max_features : int, default=1,000,000
        Most columns made.
    memory_limit : float, default=2e9
        Most bytes; the estimate is checked before anything is allocated.

    Attributes
    ----------
    expressions_ : sequence of Expression
        One formula per column of the result.
    ids_ : ndarray of int64
        Their ids in the store.
    generation_report_ : DataFrame
        What was dropped: reason, operation, count, examples.

    See Also
    --------
    sklearn.preprocessing.PolynomialFeatures : The same numbers without formulas, report or limit.

    Notes
    -----
    :math:`\binom{n+k-1}{k}` products of k factors, O(m) each.

    Examples
    --------
    >>> X = pd.DataFrame({"base": [1.0, 2.0, 4.0], "height": [2.0, 3.0, 3.0]})
    >>> DirectProducts(2).fit(X).get_feature_names_out().tolist()
    ['base', 'height', 'base**2', 'base*height', 'height**2']
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "order": [Interval(Integral, 1, None, closed="left")],
        "cumulative": ["boolean"],
        "max_features": [Interval(Integral, 1, None, closed="left")],
        "memory_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, order=2, *, cumulative=True, max_features=1_000_000, memory_limit=2e9):
        self.order = order
        self.cumulative = cumulative
        self.max_features = max_features
        self.memory_limit = memory_limit

    def _options(self) -> dict[str, Any]:
        return dict(self.get_params(deep=False))


# -- arguments ------------------------------------------------------------------------------------


def _columns(columns: Iterable[str] | None, names: tuple[str, ...]) -> np.ndarray:
    """Leaf ids the basic operations act on, in table order."""
    if columns is None:
        return np.arange(1, len(names) + 1)
    wanted = [columns] if isinstance(columns, str) else list(columns)
    for name in wanted:
        if name not in names:
            raise InputError(_not_a_column("columns", name, names))
    return np.array([j + 1 for j, name in enumerate(names) if name in wanted], dtype=np.int64)


def _not_a_column(argument: str, name: object, names: Sequence[str]) -> str:
    """Sentence for a name that is not in the table."""
    return sentence(
        "generate", argument, f"name columns ({', '.join(names[:20])})", name, remedy="Check the name."
    )


def _with_dimensionless(
    dimensions: Mapping[str, Any] | None, dimensionless: Iterable[str], names: Sequence[str]
) -> dict[str, Any] | None:
    """Units with the declared pure numbers among them; None where nothing is declared."""
    pure = [dimensionless] if isinstance(dimensionless, str) else list(dimensionless)
    for name in pure:
        if name not in names:
            raise InputError(_not_a_column("dimensionless", name, names))
    if not pure and not dimensions:
        return None
    return {**(dimensions or {}), **dict.fromkeys(pure, "")}


def _shared_by_symmetry(units: dict[str, Any] | None, group: SymmetryGroup | None) -> dict[str, Any] | None:
    """Columns that change places and have no unit are in one unknown unit, so that their sum is legal."""
    if units is None or group is None:
        return units
    first = group.permutations.min(axis=0)
    shared = {
        name: unknown_unit(group.names[first[j]]) for j, name in enumerate(group.names) if first[j] != j or
        (group.permutations[:, j] != j).any()
    }  # fmt: skip
    return {**{name: unit for name, unit in shared.items() if units.get(name) is None}, **units}


def _group_labels(groups: Any, names: Sequence[str]) -> dict[str, str] | None:
    """Group of each column from a mapping or from lists of columns."""
    if groups is None or isinstance(groups, Mapping):
        return groups
    labels: dict[str, str] = {}
    for number, members in enumerate(groups):
        for name in [members] if isinstance(members, str) else members:
            if name not in names:
                raise InputError(_not_a_column("groups", name, names))
            if name in labels:
                raise InputError(
                    sentence(
                        "generate",
                        "groups",
                        "hold every column at most once",
                        name,
                        remedy="Remove one entry.",
                    )
                )
            labels[name] = f"{number + 1}"
    return labels
