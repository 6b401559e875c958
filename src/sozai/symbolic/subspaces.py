"""Subspace lists: which columns may stand for which, and the researcher's preference."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sozai.contracts.errors import InputError, NotIndependentError, sentence
from sozai.numerics.row_reduction import row_reduce
from sozai.symbolic.relations.preference import is_name_list, preference_order

__all__ = ["SubspaceList", "combination", "connected_lists", "merged_lists"]

#: Smallest singular value of a choice, relative to the largest, that counts as independent.
REGULAR = 1e-8
_NOTHING = 1e-12
_MAX_CHOICES = 200_000


@dataclass(frozen=True, eq=False)
class SubspaceList:
    """Columns that span one subspace: any independent choice of ``dimension`` members keeps it.

    Attributes
    ----------
    names : tuple of str
        Members, first those outside the present basis.
    coordinates : ndarray of shape (dimension, n_members)
        Unit-norm members in terms of the unit-norm basis members.
    basis : tuple of int
        Places of the present basis among the members.
    triangle : ndarray of shape (dimension, dimension)
        R of the unit-norm basis columns (QR), for volumes and conditions.
    complexity : ndarray of int or None
        Per member.
    units : tuple of str or None
        Physical dimension per member.
    validity : ndarray of str
        Per member: does its relation hold ``"always"`` or ``"in this sample"``.
    scales : ndarray of shape (n_members,)
        2-norms of the members, for relations in original units.

    Notes
    -----
    Independent sets of columns form a matroid, so taking columns greedily from
    most to least preferred gives the basis of largest total preference, for
    every weighting that keeps the order [1]_. "Any choice" is true only of
    independent ones: a choice J is valid iff the matrix of its coordinates is
    regular, and every choice is checked.

    References
    ----------
    .. [1] J. Edmonds, Matroids and the greedy algorithm, Math. Program. 1, 127 (1971).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sozai.symbolic.independence import find_relations
    >>> a, b = np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0, 2.0])
    >>> table = find_relations(pd.DataFrame({"a": a, "b": b, "sum": a + b, "difference": a - b}))
    >>> table.subspaces[0]
    [sum, difference, [a, b]]
    >>> table.subspaces[0].choose(["sum", "a"])
    ('sum', 'a')
    """

    names: tuple[str, ...]
    coordinates: np.ndarray = field(repr=False)
    basis: tuple[int, ...] = field(repr=False)
    triangle: np.ndarray = field(repr=False)
    complexity: np.ndarray | None = field(default=None, repr=False)
    units: tuple[str, ...] | None = field(default=None, repr=False)
    validity: np.ndarray | None = field(default=None, repr=False)
    scales: np.ndarray | None = field(default=None, repr=False)

    def __repr__(self):
        """Write the published form: members outside the basis, then the basis in its own brackets."""
        outside = "".join(f"{name}, " for name in self.members if name not in set(self.basis_names))
        return f"[{outside}[{', '.join(self.basis_names)}]]"

    @property
    def members(self):
        """Names of all members."""
        return self.names

    @property
    def dimension(self):
        """Number of members that can be chosen."""
        return len(self.basis)

    @property
    def basis_names(self):
        """Names of the present basis."""
        return tuple(self.names[j] for j in self.basis)

    @cached_property
    def _places(self):
        return {name: j for j, name in enumerate(self.names)}

    def choose(self, prefer=None, *, strict=False):
        """Choose the independent members of largest total preference.

        Parameters
        ----------
        prefer : list of str, weights, mapping or callable, optional
            See :func:`preference_order`; without it the present basis.
        strict : bool
            Every name of a ``prefer`` list must be chosen, or
            :class:`NotIndependentError` names the relation that forbids it.

        Returns
        -------
        tuple of str
            ``dimension`` names, most preferred first.
        """
        if prefer is None:
            return self.basis_names
        order = preference_order(
            prefer, self.names, default=self._default_order(), complexity=self.complexity
        )
        chosen = self._greedy(order)
        if strict and is_name_list(prefer):
            wanted = [self._place(name) for name in prefer]
            if not set(wanted) <= set(chosen):
                self._refuse("choose", wanted)
        return tuple(self.names[j] for j in chosen)

    def is_valid(self, names):
        """Tell whether ``names`` are ``dimension`` independent members."""
        places = [self._place(name) for name in names]
        return len(set(places)) == self.dimension == len(places) and self._regular(places)

    def check(self, names):
        """Raise :class:`NotIndependentError` with the relation and a valid neighbour, or return ``names``."""
        places = [self._place(name) for name in names]
        if len(places) != self.dimension or len(set(places)) != len(places):
            raise InputError(
                sentence(
                    "SubspaceList.check",
                    "names",
                    f"be {self.dimension} different members",
                    f"{len(set(places))} different of {len(places)}",
                    remedy="Choose as many as the dimension.",
                )
            )
        if not self._regular(places):
            self._refuse("check", places)
        return tuple(names)

    def exchange(self, out, into):
        """Replace one basis member by one other member: a single pivot step.

        Parameters
        ----------
        out, into : str
            Leaving basis member and entering member.

        Returns
        -------
        SubspaceList
            The same subspace with the new basis.
        """
        leaving, entering = self._place(out), self._place(into)
        if leaving not in self.basis:
            raise InputError(
                sentence(
                    "SubspaceList.exchange",
                    "out",
                    "be a basis member",
                    out,
                    remedy=f"They are: {', '.join(self.basis_names)}.",
                )
            )
        if entering in self.basis:
            raise InputError(
                sentence(
                    "SubspaceList.exchange",
                    "into",
                    "be outside the basis",
                    into,
                    remedy="Choose another member.",
                )
            )
        j = self.basis.index(leaving)
        a = self.coordinates
        if abs(a[j, entering]) <= REGULAR * np.abs(a[:, entering]).max(initial=0.0):
            self._refuse("exchange", [*(k for k in self.basis if k != leaving), entering])
        return self._pivot(j, entering)

    def alternatives(self, name):
        """Members that may replace a basis member, best conditioned first.

        Parameters
        ----------
        name : str
            A basis member.

        Returns
        -------
        DataFrame with columns name, complexity, dimension, volume, condition, holds
            ``volume`` is √det XᵀX of the unit-norm basis after the exchange:
            the old volume times the coefficient's size.
        """
        leaving = self._place(name)
        if leaving not in self.basis:
            raise InputError(
                sentence(
                    "SubspaceList.alternatives",
                    "name",
                    "be a basis member",
                    name,
                    remedy=f"They are: {', '.join(self.basis_names)}.",
                )
            )
        j = self.basis.index(leaving)
        size = np.abs(self.coordinates[j])
        largest = np.abs(self.coordinates).max(axis=0)
        rest = [k for k in self.basis if k != leaving]
        found = [k for k in np.flatnonzero(size > REGULAR * largest) if k not in self.basis]
        rows = [
            (
                self.names[k],
                None if self.complexity is None else int(self.complexity[k]),
                None if self.units is None else self.units[k],
                self._volume(self.basis) * size[k],
                self._condition([*rest, k]),
                "in this sample" if self.validity is None else str(self.validity[k]),
            )
            for k in found
        ]
        frame = pd.DataFrame(
            rows, columns=["name", "complexity", "dimension", "volume", "condition", "holds"]
        )
        return frame.sort_values("condition", kind="stable", ignore_index=True)

    def volume(self, names):
        """Volume √det XᵀX spanned by the unit-norm columns ``names``."""
        return self._volume([self._place(name) for name in names])

    def condition(self, names):
        """Condition number of the unit-norm columns ``names``."""
        return self._condition([self._place(name) for name in names])

    def rank_choices(self, fixed, candidates, n_chosen, *, max_results=None):
        """List choices of ``n_chosen`` candidates beside ``fixed`` members, largest volume first.

        Parameters
        ----------
        fixed, candidates : sequence of str
        n_chosen : int
        max_results : int, optional
            Only the best.

        Returns
        -------
        DataFrame with columns choice, volume, log_volume, condition
            Every combination is listed up to 200,000 of them; beyond that the
            choice of pivoting (largest remaining distance first) and its single
            exchanges.
        """
        base = [self._place(name) for name in fixed]
        pool = [self._place(name) for name in candidates if self._place(name) not in base]
        if not 1 <= n_chosen <= len(pool):
            raise InputError(
                sentence(
                    "SubspaceList.rank_choices",
                    "n_chosen",
                    f"lie between 1 and the number of candidates ({len(pool)})",
                    n_chosen,
                    remedy="Name more candidates.",
                )
            )
        vectors = self.triangle @ self.coordinates
        q, r = np.linalg.qr(vectors[:, base])
        rest = vectors[:, pool] - q @ (q.T @ vectors[:, pool])
        rest -= q @ (q.T @ rest)
        start = float(np.log(np.maximum(np.abs(np.diagonal(r)), np.finfo(float).tiny)).sum())
        choices = _choices(rest, n_chosen)
        stacked = np.moveaxis(rest[:, choices], 1, 0)
        diagonal = np.abs(np.diagonal(np.linalg.qr(stacked, mode="r"), axis1=1, axis2=2))
        log_volume = start + np.log(np.maximum(diagonal, np.finfo(float).tiny)).sum(axis=1)
        best = np.argsort(-log_volume, kind="stable")[:max_results]
        rows = [
            (
                tuple(self.names[pool[k]] for k in choices[i]),
                float(np.exp(log_volume[i])),
                float(log_volume[i]),
                self._condition([*base, *(pool[k] for k in choices[i])]),
            )
            for i in best
        ]
        return pd.DataFrame(rows, columns=["choice", "volume", "log_volume", "condition"])

    # -- geometry ---------------------------------------------------------------------

    def _place(self, name):
        """Place of a member."""
        if name not in self._places:
            shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
            raise InputError(
                sentence("SubspaceList", "name", "be a member", name, remedy=f"Members are: {shown}.")
            )
        return self._places[name]

    def _regular(self, places):
        """Whether the coordinates of a choice form a regular matrix."""
        a = self.coordinates[:, places]
        sigma = np.linalg.svd(
            a / np.maximum(np.linalg.norm(a, axis=0), np.finfo(float).tiny), compute_uv=False
        )
        return bool(sigma[-1] >= REGULAR * sigma[0] > 0)

    def _volume(self, places):
        r = np.linalg.qr(self.triangle @ self.coordinates[:, list(places)], mode="r")
        return float(np.prod(np.abs(np.diagonal(r))))

    def _condition(self, places):
        sigma = np.linalg.svd(self.triangle @ self.coordinates[:, list(places)], compute_uv=False)
        return float(sigma[0] / sigma[-1]) if sigma[-1] > 0 else np.inf

    def _default_order(self):
        """Order the present basis before the other members."""
        outside = np.setdiff1d(np.arange(len(self.names)), self.basis)
        return np.concatenate([np.asarray(self.basis, dtype=np.int64), outside])

    def _greedy(self, order):
        """Places kept when walking the members in ``order``."""
        reduction = row_reduce(self.coordinates, tolerance=REGULAR, order=order)
        chosen = [int(k) for k in reduction.basis]
        present = set(chosen)
        missing = [k for k in self._default_order() if k not in present][: self.dimension - len(chosen)]
        return chosen + [int(k) for k in missing]

    def _pivot(self, j, entering):
        """Coordinates after basis member j left for ``entering``: O(r(n − r))."""
        a = self.coordinates
        column = a[:, entering]
        row = a[j] / column[j]
        new = a - np.outer(column, row)
        new[j] = row
        new[np.abs(new) < _NOTHING * np.abs(a).max()] = 0.0
        basis = list(self.basis)
        basis[j] = entering
        new[:, basis] = np.eye(self.dimension)
        triangle = np.linalg.qr(self.triangle @ a[:, basis], mode="r")
        return replace(self, coordinates=new, basis=tuple(basis), triangle=triangle)

    def rebased(self, names):
        """Describe the same subspace by another basis.

        Parameters
        ----------
        names : sequence of str
            ``dimension`` independent members.

        Returns
        -------
        SubspaceList
        """
        places = [self._place(name) for name in self.check(names)]
        new = np.linalg.solve(self.coordinates[:, places], self.coordinates)
        new[np.abs(new) < 1e-10 * np.abs(new).max(axis=0)] = 0.0
        new[:, places] = np.eye(self.dimension)
        triangle = np.linalg.qr(self.triangle @ self.coordinates[:, places], mode="r")
        return replace(self, coordinates=new, basis=tuple(places), triangle=triangle)

    def _refuse(self, method, places):
        """Raise with the relation among ``places`` and the nearest valid choice."""
        reduction = row_reduce(self.coordinates[:, places], tolerance=REGULAR)
        dependent = int(reduction.dependents[0])
        b = reduction.coefficients([dependent], unit=True)[:, 0]
        support = np.flatnonzero(np.abs(b) > REGULAR)
        columns = [places[int(reduction.basis[k])] for k in support]
        size = np.ones(len(self.names)) if self.scales is None else self.scales
        norms = np.linalg.norm(self.coordinates[:, places], axis=0)
        b = (
            b[support]
            * norms[dependent]
            / norms[reduction.basis[support]]
            * size[places[dependent]]
            / size[columns]
        )
        relation = f"{self.names[places[dependent]]} = {combination([self.names[k] for k in columns], b)}"
        nearest = self._greedy(
            np.array([*places, *(k for k in self._default_order() if k not in set(places))])
        )
        raise NotIndependentError(
            sentence(
                f"SubspaceList.{method}",
                "names",
                "be independent",
                tuple(self.names[k] for k in places),
                remedy=f"They obey {relation}. Choose {', '.join(self.names[k] for k in nearest)} instead.",
            )
        )


def _choices(rest, n_chosen):
    """List combinations of columns, all or those near the pivoted one, shape (n, n_chosen)."""
    n = rest.shape[1]
    if comb(n, n_chosen) <= _MAX_CHOICES:
        return np.array(list(combinations(range(n), n_chosen)), dtype=np.int64)
    left, chosen = rest.copy(), []
    for _ in range(n_chosen):
        norms = np.linalg.norm(left, axis=0)
        norms[chosen] = -1.0
        chosen.append(int(np.argmax(norms)))
        q = left[:, chosen[-1]] / max(float(norms[chosen[-1]]), np.finfo(float).tiny)
        left -= np.outer(q, q @ left)
    found = [chosen]
    outside = [k for k in range(n) if k not in set(chosen)]
    for j in range(n_chosen):
        found += [[*chosen[:j], k, *chosen[j + 1 :]] for k in outside]
    return np.array(found[:_MAX_CHOICES], dtype=np.int64)


def merged_lists(support, basis, dependents):
    """Group dependents by identical support, in the published order.

    Parameters
    ----------
    support : ndarray of bool, shape (n_dependents, rank)
    basis, dependents : ndarray of int
        Column numbers, for the order.

    Returns
    -------
    list of (members, support)
        Places among the dependents and among the basis, sorted by support
        size, then number of members, then later basis columns first.

    Examples
    --------
    >>> import numpy as np
    >>> merged_lists(np.array([[1, 0], [1, 1], [1, 0]], bool), np.array([0, 1]), np.array([2, 3, 4]))
    [([0, 2], [0]), ([1], [0, 1])]
    """
    groups: dict[bytes, list[int]] = {}
    for k, row in enumerate(np.packbits(support, axis=1)):
        groups.setdefault(row.tobytes(), []).append(k)
    found = [(members, np.flatnonzero(support[members[0]]).tolist()) for members in groups.values()]
    found = [(members, place) for members, place in found if place]
    return sorted(found, key=lambda g: (len(g[1]), len(g[0]), [-int(basis[j]) for j in g[1]]))


def connected_lists(support):
    """Blocks of dependents and basis columns that no relation joins.

    Parameters
    ----------
    support : ndarray of bool, shape (n_dependents, rank)

    Returns
    -------
    list of (members, basis)
        Places; a basis column in no relation is a block of its own.

    Examples
    --------
    >>> import numpy as np
    >>> connected_lists(np.array([[1, 0, 0], [0, 1, 0]], bool))
    [([0], [0]), ([1], [1]), ([], [2])]
    """
    n, r = support.shape
    rows, columns = np.nonzero(support)
    graph = coo_array((np.ones(rows.size), (rows, columns + n)), shape=(n + r, n + r))
    _, label = connected_components(graph, directed=False)
    result = []
    for block in dict.fromkeys(label[n:].tolist()):
        result.append(
            (np.flatnonzero(label[:n] == block).tolist(), np.flatnonzero(label[n:] == block).tolist())
        )
    return result


def combination(names, coefficients):
    """Text of a linear combination, ``0`` when empty.

    Examples
    --------
    >>> combination(["a", "b"], [-1.0, 2.5])
    '-a + 2.5 b'
    """
    parts = []
    for name, value in zip(names, coefficients, strict=True):
        size = f"{abs(value):.6g}"
        name = f"({name})" if _is_sum(name) else name
        term = name if size == "1" else f"{size} {name}"
        sign = "-" if value < 0 else "+"
        parts.append(f"{sign} {term}" if parts else (f"-{term}" if value < 0 else term))
    return " ".join(parts) or "0"


def _is_sum(name):
    """Tell whether a + or - stands outside all brackets of a name."""
    depth = 0
    for before, character in zip(" " + name, name, strict=False):
        depth += (character in "([") - (character in ")]")
        if character in "+-" and depth == 0 and before not in "(^*`":
            return True
    return False
