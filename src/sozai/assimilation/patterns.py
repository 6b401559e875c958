"""What is kept of the data: one triangular factor for every pattern of missing values, and no row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sozai.contracts.errors import InputError, sentence

__all__ = ["PatternFactor", "PatternKey", "PatternStatistics", "stack_rows"]

Array = NDArray[np.float64]

#: Classes of known standard deviations per source; with more values, classes are joined.
MAX_CLASSES = 16
#: Width of the finest joined classes, in powers of two.
_FINEST = 1 / 64
#: Class of a value whose standard deviation is not known.
UNKNOWN = float("-inf")


class PatternKey(NamedTuple):
    """Which sources a row has, the class of each known standard deviation, and the laboratory."""

    observed: tuple[int, ...]
    classes: tuple[float, ...]
    label: str | None


def stack_rows(factor: Array, rows: Array) -> Array:
    r"""Upper triangle R' with :math:`R'^TR' = R^TR + B^TB`, of shape (p, p).

    Parameters
    ----------
    factor : ndarray of shape (p, p)
        R, upper triangular; may be overwritten.
    rows : ndarray of shape (m, p)
        B; O(m p^2) operations, one row O(p^2).

    Examples
    --------
    >>> bool(abs(stack_rows(np.zeros((1, 1)), np.array([[3.0], [4.0]]))[0, 0]) == 5.0)
    True
    """
    if not len(rows):
        return factor
    a = np.asfortranarray(factor)
    size = a.shape[1]
    out, _, _, info = lapack.dtpqrt(
        0, min(16, size), a, np.asfortranarray(rows), overwrite_a=1, overwrite_b=1
    )
    if info:
        raise InputError(
            sentence(
                "stack_rows",
                "rows",
                "be a finite table",
                f"LAPACK code {info}",
                remedy="Check for infinities.",
            )
        )
    return np.asarray(out)


@dataclass
class PatternFactor:
    r"""Sums over the rows of one pattern: count, triangle with :math:`R^TR = \sum (x, y_o)(x, y_o)^T`.

    Attributes
    ----------
    count : int
    triangle : ndarray of shape (P + n_observed, P + n_observed)
    known : ndarray of shape (n_observed,)
        Sums of the squared known standard deviations.

    Examples
    --------
    >>> one = PatternFactor.empty(3, 1)
    >>> one.absorb(np.ones((5, 4)), np.zeros((5, 1)))
    >>> one.count, bool(abs(one.gram()[0, 3] - 5) < 1e-12)
    (5, True)
    """

    count: int
    triangle: Array
    known: Array

    @classmethod
    def empty(cls, n_terms: int, n_observed: int) -> PatternFactor:
        """No rows."""
        size = n_terms + n_observed
        return cls(0, np.zeros((size, size), order="F"), np.zeros(n_observed))

    def absorb(self, rows: Array, sigma: Array) -> None:
        """Add rows (x, y_o) and their known standard deviations."""
        self.triangle = stack_rows(self.triangle, rows)
        self.count += len(rows)
        self.known = self.known + (sigma**2).sum(axis=0)

    def join(self, other: PatternFactor) -> None:
        """Add what another has seen."""
        self.triangle = stack_rows(self.triangle, np.triu(other.triangle))
        self.count += other.count
        self.known = self.known + other.known

    def gram(self) -> Array:
        """The sum itself, for looking at; fits work on the triangle."""
        upper = np.triu(self.triangle)
        return np.asarray(upper.T @ upper)

    def without(self, rows: Array, sigma: Array) -> PatternFactor | None:
        r"""What is left without some rows, or None where it would not be a sum of squares.

        With :math:`S = R^{-T}B^T = U\sigma V^T` what is left is :math:`R^T(I - SS^T)R`.
        """
        upper = np.triu(self.triangle)
        norms = np.linalg.norm(upper, axis=0)
        unit = np.where(norms > 0, norms, 1.0)
        scaled, wanted = upper / unit, rows / unit
        solved, *_ = np.linalg.lstsq(scaled.T, wanted.T, rcond=1e-13)
        if np.abs(scaled.T @ solved - wanted.T).max() > 1e-7 * max(1.0, float(np.abs(wanted).max())):
            return None
        left, singular, _ = np.linalg.svd(solved, full_matrices=False)
        rest = 1 - singular**2
        known = self.known - (sigma**2).sum(axis=0)
        if self.count < len(rows) or rest.min(initial=1.0) < -1e-8 or (known < -1e-9 * self.known).any():
            return None
        shrink = (np.sqrt(np.maximum(rest, 0)) - 1)[:, None] * (left.T @ upper)
        size = len(upper)
        fresh = stack_rows(np.zeros((size, size), order="F"), upper + left @ shrink)
        return PatternFactor(self.count - len(rows), fresh, np.maximum(known, 0.0))


@dataclass
class PatternStatistics:
    r"""Everything a fit needs to know of the data, in :math:`O(P^2)` numbers a pattern.

    Rows with the same sources present, the same classes of known standard
    deviations and the same laboratory share a pattern. Statistics of two
    laboratories add. Memory: at most :math:`2^d - 1` triangles of
    :math:`8(P + d)^2` bytes without known standard deviations and laboratories,
    and :math:`17^d` times the number of laboratories of them with.

    Parameters
    ----------
    n_terms : int
        P, columns of the basis.
    n_sources : int
        d.

    Attributes
    ----------
    factors : dict of PatternKey to PatternFactor
    levels : list of int
        Of every source: 0 while standard deviations are kept exactly; k > 0 for classes of
        :math:`2^{k-7}` in the logarithm to base 2.

    Examples
    --------
    >>> both = PatternStatistics(2, 2)
    >>> both.add(np.ones((3, 2)), np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, np.nan]]))
    >>> sorted((key.observed, factor.count) for key, factor in both.factors.items())
    [((0,), 1), ((0, 1), 1)]
    """

    n_terms: int
    n_sources: int
    factors: dict[PatternKey, PatternFactor] = field(default_factory=dict)
    levels: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.levels = self.levels or [0] * self.n_sources

    def add(self, terms: Array, Y: Array, sigma: Array | None = None, labels: Any = None) -> None:
        """Take rows in.

        Parameters
        ----------
        terms : ndarray of shape (n, P)
        Y : ndarray of shape (n, d)
            NaN where a source is missing.
        sigma : ndarray of shape (n, d), optional
            Known standard deviations; 0 or NaN where not known.
        labels : ndarray of str or None of shape (n,), optional
            Laboratory of every row.
        """
        for key, rows in self._groups(Y, sigma, labels):
            seen = list(key.observed)
            factor = self.factors.get(key)
            if factor is None:
                factor = self.factors[key] = PatternFactor.empty(self.n_terms, len(seen))
            factor.absorb(np.hstack([terms[rows], Y[np.ix_(rows, seen)]]), self._sigma_of(sigma, rows, seen))
        if sigma is not None:
            self._coarsen()

    def remove(self, terms: Array, Y: Array, sigma: Array | None = None, labels: Any = None) -> None:
        """Take rows back out; all of them or, with an error, none."""
        fresh: dict[PatternKey, PatternFactor] = {}
        for key, rows in self._groups(Y, sigma, labels):
            factor, seen = self.factors.get(key), list(key.observed)
            table = np.hstack([terms[rows], Y[np.ix_(rows, seen)]])
            left = None if factor is None else factor.without(table, self._sigma_of(sigma, rows, seen))
            if left is None:
                raise InputError(
                    sentence(
                        "GaussianAssimilator.downdate", "rows", "have been told before",
                        f"{len(rows)} rows with sources {seen}", at=f"first at row {int(rows[0])}",
                        remedy="Pass the very rows that were told; nothing was changed.",
                    )
                )  # fmt: skip
            fresh[key] = left
        self.factors.update(fresh)
        self.factors = {key: factor for key, factor in self.factors.items() if factor.count}

    def merge(self, other: PatternStatistics) -> None:
        """Add what another has seen; it stays as it is."""
        theirs = other.copy()
        for j in range(self.n_sources):
            while theirs.levels[j] != self.levels[j]:
                (self if self.levels[j] < theirs.levels[j] else theirs)._raise_level(j)
        for key, factor in theirs.factors.items():
            if key in self.factors:
                self.factors[key].join(factor)
            else:
                self.factors[key] = factor
        self._coarsen()

    def copy(self) -> PatternStatistics:
        """Deep copy."""
        factors = {
            key: PatternFactor(f.count, f.triangle.copy(order="F"), f.known.copy())
            for key, f in self.factors.items()
        }
        return PatternStatistics(self.n_terms, self.n_sources, factors, list(self.levels))

    def counts(self) -> NDArray[np.int64]:
        """Values seen of every source, shape (d,)."""
        out = np.zeros(self.n_sources, dtype=np.int64)
        for key, factor in self.factors.items():
            out[list(key.observed)] += factor.count
        return out

    @property
    def n_bytes(self) -> int:
        """Memory of the triangles."""
        return sum(factor.triangle.nbytes for factor in self.factors.values())

    def class_width(self) -> float:
        """Largest ratio of two standard deviations of one class, less 1; 0.0 while they are exact."""
        top = max(self.levels)
        return 0.0 if top == 0 else 2.0 ** (_FINEST * 2 ** (top - 1)) - 1

    # --- inside --------------------------------------------------------------------------------------

    def _groups(
        self, Y: Array, sigma: Array | None, labels: Any
    ) -> list[tuple[PatternKey, NDArray[np.int64]]]:
        """Rows of every pattern; rows without any value are in none."""
        seen = ~np.isnan(Y)
        code = seen @ (1 << np.arange(self.n_sources))
        columns: list[Array] = []
        for j in range(self.n_sources) if sigma is not None else ():
            classes = self._classes(sigma[:, j], j)
            columns.append(np.where(seen[:, j], classes, UNKNOWN))
        parts = [np.unique(column, return_inverse=True) for column in columns]
        names = None
        if labels is not None:
            names, inverse = np.unique(
                np.array(["" if v is None else f"={v}" for v in labels]), return_inverse=True
            )
            parts.append((names, inverse))
        for values, inverse in parts:
            code = code * len(values) + inverse
        order = np.argsort(code, kind="stable")
        starts = np.flatnonzero(np.diff(code[order], prepend=-1)) if len(order) else []
        groups = []
        for rows in np.split(order, starts[1:]) if len(starts) else []:
            first = rows[0]
            observed = tuple(np.flatnonzero(seen[first]).tolist())
            if not observed:
                continue
            classes_of = tuple(float(columns[j][first]) if columns else UNKNOWN for j in observed)
            label = None if names is None or not names[inverse[first]] else str(names[inverse[first]][1:])
            groups.append((PatternKey(observed, classes_of, label), rows))
        return groups

    def _classes(self, sigma: Array, j: int) -> Array:
        """Class of every standard deviation of source j."""
        known = sigma > 0
        if self.levels[j] == 0:
            return np.where(known, sigma, UNKNOWN)
        width = _FINEST * 2 ** (self.levels[j] - 1)
        return np.where(known, np.floor(np.log2(np.where(known, sigma, 1.0)) / width), UNKNOWN)

    @staticmethod
    def _sigma_of(sigma: Array | None, rows: NDArray[np.int64], seen: list[int]) -> Array:
        return np.zeros((len(rows), len(seen))) if sigma is None else np.nan_to_num(sigma[np.ix_(rows, seen)])

    def _coarsen(self) -> None:
        """Join classes of a source until there are few; the result does not depend on the order of rows."""
        for j in range(self.n_sources):
            while self._n_classes(j) > MAX_CLASSES:
                self._raise_level(j)

    def _n_classes(self, j: int) -> int:
        found = {key.classes[key.observed.index(j)] for key in self.factors if j in key.observed}
        return len(found - {UNKNOWN})

    def _raise_level(self, j: int) -> None:
        """Put source j on the next coarser classes, of twice the width."""
        old = self.levels[j]
        self.levels[j] = old + 1
        joined: dict[PatternKey, PatternFactor] = {}
        for key, factor in self.factors.items():
            fresh = key
            if j in key.observed:
                at = key.observed.index(j)
                classes = list(key.classes)
                if classes[at] != UNKNOWN:
                    value = np.log2(classes[at]) / _FINEST if old == 0 else classes[at] / 2
                    classes[at] = float(np.floor(value))
                fresh = key._replace(classes=tuple(classes))
            if fresh in joined:
                joined[fresh].join(factor)
            else:
                joined[fresh] = factor
        self.factors = joined
