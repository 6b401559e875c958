"""The table of all relations among columns, worked out as far as it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.relations.relation_record import Relation
from sozai.symbolic.subspaces import SubspaceList, connected_lists, merged_lists

__all__ = ["RelationTable"]

_BLOCK = 1024


class _Records(Sequence):
    """Relations built when looked at, so that a table of 10⁵ costs nothing until then."""

    def __init__(self, table):
        self._table = table

    def __len__(self):
        return self._table.n_relations

    def __getitem__(self, k):
        if isinstance(k, slice):
            return list(self._table._records(np.arange(len(self))[k]))
        size = len(self)
        if not -size <= k < size:
            raise IndexError(f"relation {k} of {size}")
        return self._table._records(np.array([k % size]))[0]

    def __iter__(self):
        for start in range(0, len(self), _BLOCK):
            yield from self._table._records(np.arange(start, min(start + _BLOCK, len(self))))

    def __repr__(self):
        return f"<{len(self)} relations>"


@dataclass(frozen=True, eq=False)
class RelationTable:
    """Every linear relation among the columns of a table, in terms of a basis.

    The number of relations is ``n - rank``, always. Coefficients, validity and
    subspace lists are computed when they are asked for.

    Attributes
    ----------
    names : tuple of str
        Column names.
    basis, dependents : ndarray of int
        Columns kept, and columns that are combinations of them, both in order
        of preference.
    rank, n_relations : int
        Their numbers.
    residuals, floors : ndarray of shape (n_columns,)
        Relative distance from the span of the earlier basis columns, and the
        part that rounding alone can produce.
    kinds : ndarray of str, shape (n_columns,)
        ``"independent"``, ``"near"``, ``"exact"``, ``"undecidable"``.
    method : str
        ``"qr"``, ``"rref"`` or ``"exact"``.
    notes : tuple of str
        What the user should know.

    See Also
    --------
    find_relations : Makes this table.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sozai.symbolic.independence import find_relations
    >>> r = np.array([1.0, 2.0, 4.0, 7.0])
    >>> table = find_relations(pd.DataFrame({"one": 1.0, "r": r, "d": 2 * r, "s": r + 3}))
    >>> table.rank, list(table.relations)
    (2, [d = 2 r  (exact, in this sample), s = 3 one + r  (exact, in this sample)])
    """

    names: tuple[str, ...]
    reduction: object = field(repr=False)
    engine: object = field(repr=False)
    residuals: np.ndarray = field(repr=False)
    floors: np.ndarray = field(repr=False)
    kinds: np.ndarray = field(repr=False)
    method: str
    notes: tuple[str, ...] = ()

    @property
    def order(self):
        """The basis, then the dependents, shape (n_columns,)."""
        return self.reduction.order

    @property
    def rank(self):
        """Number of basis columns."""
        return int(self.reduction.rank)

    @property
    def basis(self):
        """Column numbers of the basis, in order of preference."""
        return self.reduction.order[: self.rank]

    @property
    def dependents(self):
        """Column numbers of the dependent columns."""
        return self.reduction.order[self.rank :]

    @property
    def n_relations(self):
        """Number of dependent columns, n − rank."""
        return len(self.names) - self.rank

    @property
    def basis_names(self):
        """Names of the basis columns."""
        return tuple(self.names[j] for j in self.basis)

    @property
    def singular_values(self):
        """Singular values of the unit-norm columns, largest first."""
        return self.engine.singular_values

    @cached_property
    def coefficients(self):
        """Dependents in terms of the basis, original units, shape (rank, n − rank)."""
        return self.coefficients_of(np.arange(self.n_relations))

    def coefficients_of(self, which):
        """Coefficients of some dependents.

        Parameters
        ----------
        which : array-like of int
            Places in ``dependents``.

        Returns
        -------
        ndarray of shape (rank, len(which))
        """
        which = np.asarray(which, dtype=np.int64)
        result = np.empty((self.rank, which.size))
        for start in range(0, which.size, _BLOCK):
            block = which[start : start + _BLOCK]
            result[:, start : start + _BLOCK] = self.engine.coefficients(self.dependents[block])
        return result

    @cached_property
    def holds(self):
        """Per dependent: ``"always"``, ``"numerically always"`` or ``"in this sample"``."""
        return self.engine.holds(self.basis, self.dependents, self.kinds)

    @cached_property
    def generic_rank(self):
        """Rank at random points of the domain: what remains independent for every sample."""
        return self.engine.generic_rank(self.order, self.rank)

    @cached_property
    def identities(self):
        """Relations that hold for every sample, n − generic rank of them, in terms of the generic basis.

        A relation of this sample may join an identity and a coincidence; here
        the identities stand alone, so a column that is dependent by chance may
        occur on the right.
        """
        return self.engine.identities(self.order, self.rank, self.names)

    @property
    def n_identities(self):
        """Relations that hold for every sample, n − generic rank."""
        return len(self.names) - self.generic_rank

    @property
    def relations(self):
        """The relations as a sequence of :class:`Relation`, built when looked at."""
        return _Records(self)

    @cached_property
    def near_relations(self):
        """Approximate relations of columns that were kept."""
        places = np.flatnonzero(self.kinds[self.basis] == "near")
        return tuple(self._near_record(int(k)) for k in places)

    def relation(self, name):
        """Look up the relation of one dependent column by name.

        Parameters
        ----------
        name : str

        Returns
        -------
        Relation
        """
        column = self.column(name)
        place = np.flatnonzero(self.dependents == column)
        if place.size == 0:
            raise InputError(
                sentence(
                    "RelationTable.relation",
                    "name",
                    "be a dependent column",
                    name,
                    remedy="It is in the basis.",
                )
            )
        return self.relations[int(place[0])]

    def column(self, name):
        """Look up the number of a column by name."""
        if name not in self._places:
            shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
            raise InputError(
                sentence("RelationTable", "name", "be a column", name, remedy=f"Columns are: {shown}.")
            )
        return self._places[name]

    @cached_property
    def _places(self):
        """Column number by name."""
        return {name: j for j, name in enumerate(self.names)}

    @cached_property
    def space(self):
        """All columns as one :class:`SubspaceList`: any independent choice keeps every bit of information."""
        return self._list(np.arange(self.n_relations), np.arange(self.rank))

    @cached_property
    def subspaces(self):
        """Published subspace lists: dependents with the same support, with that support."""
        groups = merged_lists(self._support(), self.basis, self.dependents)
        return tuple(self._list(members, support) for members, support in groups)

    @cached_property
    def components(self):
        """Blocks of columns that can be chosen independently of one another."""
        return tuple(self._list(m, s) for m, s in connected_lists(self._support()))

    def choose(self, prefer):
        """Best basis of the whole table for a preference, see :meth:`SubspaceList.choose`."""
        return self.space.choose(prefer)

    def _support(self):
        """Non-zero pattern (n − rank, rank), packed row by row from blocks."""
        pattern = np.empty((self.n_relations, self.rank), dtype=bool)
        for start in range(0, self.n_relations, _BLOCK):
            which = np.arange(start, min(start + _BLOCK, self.n_relations))
            pattern[which] = (self.coefficients_of(which) != 0).T
        return pattern

    def _list(self, members, support):
        """Subspace list of some dependents on some basis columns."""
        basis, dependents = self.basis[support], self.dependents[members]
        unit = self.coefficients_of(members)[support] * (
            self.engine.scales[basis][:, None]
            / np.where(self.engine.scales[dependents] > 0, self.engine.scales[dependents], 1)
        )
        columns = np.concatenate([dependents, basis])
        return SubspaceList(
            names=tuple(self.names[j] for j in columns),
            coordinates=np.hstack([unit, np.eye(basis.size)]),
            basis=tuple(range(dependents.size, columns.size)),
            triangle=self.engine.triangle(basis),
            complexity=None if self.engine.complexity is None else self.engine.complexity[columns],
            units=self.engine.dimensions(columns),
            validity=np.concatenate([self.holds[members], np.full(basis.size, "always", dtype=object)]),
            scales=self.engine.scales[columns],
        )

    def _records(self, which):
        """Relations of some dependents."""
        b = self.coefficients_of(which)
        columns = self.dependents[which]
        residuals = self.engine.relative_residuals(columns, b)
        fractions = self.engine.fractions(columns, b)
        result = []
        for k, column in enumerate(columns):
            support = np.flatnonzero(b[:, k])
            known = None if fractions[k] is None else tuple(fractions[k][j] for j in support)
            result.append(
                Relation(
                    self.names[column],
                    tuple(self.names[self.basis[j]] for j in support),
                    tuple(float(b[j, k]) for j in support),
                    float(residuals[k]),
                    str(self.kinds[column]),
                    str(self.holds[which[k]]),
                    known,
                )
            )
        return result

    def _near_record(self, k):
        """Approximate relation of basis column k on the basis columns before it."""
        column, before = self.basis[k], self.basis[:k]
        b = self.engine.least_squares(column, before)
        support = np.flatnonzero(b)
        return Relation(
            self.names[column],
            tuple(self.names[before[j]] for j in support),
            tuple(float(b[j]) for j in support),
            float(self.residuals[column]),
            "near",
            "in this sample",
        )

    def to_frame(self, max_rows=None):
        """Table of the relations.

        Parameters
        ----------
        max_rows : int, optional
            Only the first relations.

        Returns
        -------
        DataFrame with columns dependent, equation, n_terms, relative_residual, kind, holds
        """
        records = self.relations[:max_rows] if max_rows is not None else list(self.relations)
        rows = [
            (r.dependent, r.equation, len(r.basis), r.relative_residual, r.kind, r.holds) for r in records
        ]
        rows += [
            (r.dependent, r.equation, len(r.basis), r.relative_residual, r.kind, r.holds)
            for r in self.near_relations
        ]
        return pd.DataFrame(
            rows, columns=["dependent", "equation", "n_terms", "relative_residual", "kind", "holds"]
        )

    def __repr__(self):
        """One line: sizes and method."""
        return (
            f"RelationTable({len(self.names)} columns, rank {self.rank}, {self.n_relations} relations, "
            f"method={self.method!r})"
        )
