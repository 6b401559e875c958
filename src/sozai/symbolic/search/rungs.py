"""Features built rung by rung: operations on operations, each kept once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.generation import _group_labels, _with_dimensionless
from sozai.symbolic.operations import Expressions
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rung_growth import REASONS, Books, Limits, RungGrowth, find_twins, fingerprints
from sozai.symbolic.search.screening_kernels import FINE, fill_states

__all__ = ["Rungs", "grow"]


@dataclass(frozen=True, eq=False)
class Rungs:
    """All features up to one depth, de-duplicated and kept in memory.

    Attributes
    ----------
    expressions : Expressions
        The store.
    ids : ndarray of int64 of shape (n,)
        Features: primary columns first, then rung by rung.
    values : ndarray of shape (n, n_samples)
        Their values in C order, one *row* per feature.
    rung : ndarray of int8 of shape (n,)
        Rung in which each was born; 0 for primary columns.
    report : DataFrame
        What was dropped: ``reason``, ``operation``, ``count``, ``examples``.
    max_complexity : int or None
        Complexity up to which features were made.

    Examples
    --------
    >>> made = grow(np.array([[1.0, 2.0], [2.0, 5.0], [4.0, 3.0]]), ["x", "y"], pair_operations=["sum"])
    >>> made.names
    ('x', 'y', 'x + y')
    """

    expressions: Expressions
    ids: np.ndarray
    values: np.ndarray
    rung: np.ndarray
    report: pd.DataFrame
    max_complexity: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Features as text."""
        return tuple(self.expressions.texts(self.ids))

    @cached_property
    def complexity(self) -> np.ndarray:
        """Complexity of every feature."""
        return self.expressions.complexity[self.ids]

    @cached_property
    def magnitudes(self) -> np.ndarray:
        """Smallest and largest magnitude of every feature, shape (2, n)."""
        found = np.empty((2, len(self)))
        for start in range(0, len(self), 4096):
            block = np.abs(self.values[start : start + 4096])
            block.min(axis=1, out=found[0, start : start + 4096])
            block.max(axis=1, out=found[1, start : start + 4096])
        return found

    def __len__(self) -> int:
        return self.ids.size

    def __repr__(self) -> str:
        dropped = int(self.report["count"].sum())
        return f"Rungs({len(self):,} features, rung {self.rung.max(initial=0)}, {dropped:,} dropped)"

    def to_frame(self) -> pd.DataFrame:
        """One row per feature: formula, rung, complexity."""
        return pd.DataFrame({"formula": self.names, "rung": self.rung, "complexity": self.complexity})


def grow(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    operations: Iterable[str] = (),
    pair_operations: Iterable[str] = (),
    rung: int = 1,
    dimensions: Mapping[str, Any] | None = None,
    dimensionless: Iterable[str] = (),
    groups: Any = None,
    domain: Mapping[str, tuple[float, float]] | None = None,
    max_complexity: int | None = None,
    max_features: int = 1_000_000,
    memory_limit: float = 2e9,
) -> Rungs:
    r"""Make all features of depth ``rung`` and less.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        Primary columns, finite.
    names : sequence of str, optional
        Their names; read off a DataFrame when left out.
    operations : iterable of str
        Operations on one feature: ``inverse``, ``abs``, ``inverse_abs``,
        ``sqrt``, ``cbrt``, ``square``, ``cube``, ``exp``, ``exp_neg``, ``log``.
    pair_operations : iterable of str
        Operations on two features: ``sum``, ``difference``, ``product``, each
        also ``inverse_``, ``abs_`` or ``inverse_abs_``, and ``ratio``.
    rung : int, default=1
        Depth q of the deepest features.
    dimensions, dimensionless, groups, domain
        As in :func:`sozai.symbolic.generation.generate`.
    max_complexity : int, optional
        Drop features that are more complex.
    max_features : int, default=1,000,000
        Most features made, equal ones counted each time.
    memory_limit : float, default=2e9
        Most bytes.

    Returns
    -------
    Rungs

    Raises
    ------
    InputError
        Too many features or bytes (nothing has been allocated then), unknown
        operations or columns.

    Notes
    -----
    .. math:: \Phi_q = \Phi_{q-1} \cup \{u(f),\ b(f, g):\ f, g \in \Phi_{q-1}\},

    at least one argument born in rung q - 1. Arguments may come from one rung,
    so that :math:`A/(B + (C + D))` is reached in rung 3.

    A feature is dropped, and counted by reason and operation, when dimensions
    forbid it, when it is singular inside a declared domain, too complex, not
    finite, zero, or constant (range :math:`\le 10^{-12}\max|x|`). Of equal
    formulas, and of equal values up to sign (two random projections, relative
    difference :math:`10^{-10}`), the least complex stays, the oldest rung
    first. A number in front is taken off: 2*x is x.

    Cost O(m) per feature made. Values are computed twice, first to compare,
    then to keep, so that memory stays near what is kept.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [3.0, 1.0, 2.0]})
    >>> grow(table, operations=["square"], pair_operations=["product"], rung=1).names
    ('a', 'b', 'a**2', 'b**2', 'a*b')
    """
    if names is None and hasattr(X, "columns"):
        names = [str(name) for name in X.columns]
    X = as_matrix(X, place="grow", names=names)
    names = as_names(names, X.shape[1], place="grow")
    if not 0 <= rung <= 100:
        raise InputError(
            sentence("grow", "rung", "lie in 0...100", rung, remedy="Give the depth of the formulas.")
        )
    store = Expressions(
        names,
        dimensions=_with_dimensionless(dimensions, dimensionless, names),
        groups=_group_labels(groups, names),
        domain=domain,
        observed=np.array([X.min(axis=0), X.max(axis=0)]),
        cancel=True,
    )
    limits = Limits(X.shape[0], int(max_features), float(memory_limit))
    books = Books(store)
    grown = _primaries(store, np.ascontiguousarray(X.T), books)
    for number in range(1, rung + 1):
        if not (grown.rung == number - 1).any():
            break
        space = CandidateSpace.of(grown, operations, pair_operations, max_complexity=max_complexity)
        limits.check(space, number)
        ids, values = RungGrowth(space, books).features()
        born = np.concatenate([grown.rung, np.full(ids.size, number, np.int8)])
        grown = Rungs(store, np.concatenate([grown.ids, ids]), values, born, grown.report)
    return Rungs(store, grown.ids, grown.values, grown.rung, books.report(), max_complexity)


def _primaries(store: Expressions, rows: np.ndarray, books: Books) -> Rungs:
    """Rung 0: columns that vary, each once."""
    ids = np.arange(1, len(store.names) + 1, dtype=np.int64)
    state = np.empty(ids.size, np.int64)
    fill_states(rows, state)
    for code, reason in REASONS.items():
        books.drop(reason, "column", ids[state == code])
    keep = np.flatnonzero(state == FINE)
    if not keep.size:
        raise InputError(
            sentence(
                "grow",
                "X",
                "have a column that varies",
                f"{ids.size} constant columns",
                remedy="Add a column or rows.",
            )
        )
    twins = find_twins(fingerprints(rows[keep]), np.zeros(keep.size), ids[keep])
    books.drop("equal values", "column", ids[keep[twins]])
    keep = keep[~twins]
    return Rungs(store, ids[keep], rows[keep], np.zeros(keep.size, np.int8), books.report())
