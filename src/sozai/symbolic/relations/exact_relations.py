"""Relations without a tolerance: exact rank, exact coefficients, identity or coincidence."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numba import njit

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.modular_elimination import (
    ModularReduction,
    combine_residues,
    eliminate_modulo,
    multiply_modulo,
    random_primes,
    rational_from_residue,
)
from sozai.symbolic.relations.residues import SingularPrimeError

__all__ = [
    "ExactRelations",
    "exact_reduction",
    "exactly_dependent",
    "independent_functional",
    "regular_primes",
]

_CHUNK = 2048
_ROWS = 64
_MAX_PRIMES = 8
_AFFORDABLE_ENTRIES = 2000


def exact_reduction(columns, n_columns, order=None, *, rng=None):
    """Basis of rational columns in order of preference, confirmed by a second prime.

    Parameters
    ----------
    columns : DecimalColumns or ExpressionColumns
    n_columns : int
    order : ndarray of int, optional
        Columns from most to least preferred.
    rng : numpy Generator, optional
        Draws the primes; a fixed one by default.

    Returns
    -------
    ModularReduction
        The result that two primes agree on. A prime can only miss a pivot,
        so of two that differ the one of higher rank is nearer the truth.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.relations.residues import DecimalColumns
    >>> X = np.array([[1.0, 0.1, 0.3], [1.0, 0.2, 0.6]])
    >>> exact_reduction(DecimalColumns(X), 3).basis.tolist()
    [0, 1]
    """
    rng = np.random.default_rng(1618) if rng is None else rng
    wanted = np.arange(n_columns, dtype=np.int64)
    found: list[ModularReduction] = []
    for _, residues, prime in regular_primes(columns, wanted, rng):
        reduction = eliminate_modulo(residues, prime, order=order, rng=rng)
        for other in found:
            if other.rank == reduction.rank and np.array_equal(other.order, reduction.order):
                return other
        found = sorted([*found, reduction], key=lambda r: -r.rank)
        if len(found) == _MAX_PRIMES:
            break
    return found[0]


def regular_primes(columns, wanted, rng):
    """Yield (trial, residues, prime) for primes that divide no denominator."""
    refused = 0
    for trial in range(10 * _MAX_PRIMES):
        prime = random_primes(1, rng)[0]
        try:
            yield trial, columns.residues(wanted, prime), prime
        except (SingularPrimeError, InputError):
            refused += 1
            if refused > _MAX_PRIMES:
                break
    raise InputError(
        sentence(
            "find_relations",
            "X",
            "have finite columns at every sample for method='exact'",
            at=f"a denominator that is exactly 0 (refused by {refused} primes)",
            remedy="Drop that column or use method='qr'.",
        )
    )


@dataclass(eq=False)
class ExactRelations:
    """Rational coefficients of dependent columns in a basis, recovered from primes.

    Parameters
    ----------
    columns : DecimalColumns or ExpressionColumns
    basis : ndarray of int
        Independent columns.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.relations.residues import DecimalColumns
    >>> X = np.array([[1.0, 0.1, 0.7], [1.0, 0.2, 0.9]])
    >>> ExactRelations(DecimalColumns(X), np.array([0, 1])).fractions(np.array([2]))[0]
    [Fraction(1, 2), Fraction(2, 1)]
    """

    columns: object
    basis: np.ndarray

    def __post_init__(self):
        """Eliminate the basis modulo three primes; the third confirms what two find."""
        self._rng = np.random.default_rng(31415)
        self._reductions: list[ModularReduction] = []
        self._extend(3)

    def _extend(self, n):
        """Have ``n`` primes at hand."""
        rank = self.basis.size
        if len(self._reductions) >= n:
            return
        for _, residues, prime in regular_primes(self.columns, self.basis, self._rng):
            reduction = eliminate_modulo(residues, prime)
            if reduction.rank == rank:
                self._reductions.append(reduction)
            if len(self._reductions) >= n:
                return

    def _residues(self, reduction, wanted):
        """Coefficients of ``wanted`` modulo one prime, shape (rank, n)."""
        residues = self.columns.residues(wanted, reduction.prime)
        return multiply_modulo(reduction.transform[: reduction.rank], residues.T, reduction.prime)

    def coefficients(self, wanted):
        """Coefficients as floats, and which columns were recovered in full.

        Parameters
        ----------
        wanted : ndarray of int

        Returns
        -------
        values : ndarray of shape (rank, len(wanted))
            NaN where no fraction was found.
        complete : ndarray of bool, shape (len(wanted),)
        """
        numerators, denominators, good = self._pairs(wanted)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(good, numerators / denominators, np.nan)
        bad = np.argwhere(~good)
        if 0 < len(bad) <= _AFFORDABLE_ENTRIES:
            for (j, k), fraction in zip(bad, self._long(wanted, bad), strict=True):
                values[j, k] = np.nan if fraction is None else float(fraction)
        return values, ~np.isnan(values).any(axis=0)

    def fractions(self, wanted):
        """Coefficients as Fractions: one list per column, ``None`` for a column not recovered."""
        numerators, denominators, good = self._pairs(wanted)
        bad = np.argwhere(~good)
        long = dict(zip(map(tuple, bad.tolist()), self._long(wanted, bad), strict=True)) if len(bad) else {}
        result = []
        for k in range(wanted.size):
            column = [
                Fraction(int(numerators[j, k]), int(denominators[j, k])) if good[j, k] else long.get((j, k))
                for j in range(self.basis.size)
            ]
            result.append(None if None in column else column)
        return result

    def _pairs(self, wanted):
        """Numerators and denominators by two primes, confirmed by the third."""
        first, second, third = self._reductions[:3]
        a, b, c = (np.ascontiguousarray(self._residues(r, wanted)) for r in (first, second, third))
        shape = a.shape
        numerators, denominators = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=np.int64)
        good = np.zeros(shape, dtype=bool)
        inverse = pow(first.prime, -1, second.prime)
        _reconstruct(a, b, c, first.prime, second.prime, third.prime, inverse, numerators, denominators, good)
        return numerators, denominators, good

    def _long(self, wanted, entries):
        """Fractions too long for two primes; None where eight do not reach."""
        self._extend(_MAX_PRIMES)
        needed, place = np.unique(entries[:, 1], return_inverse=True)
        tables = [self._residues(r, wanted[needed]) for r in self._reductions]
        primes = [r.prime for r in self._reductions]
        result = []
        for (j, _), k in zip(entries, place, strict=True):
            residues = [int(t[j, k]) for t in tables]
            value, modulus = combine_residues(residues[:-1], primes[:-1])
            fraction = rational_from_residue(value, modulus)
            if fraction is not None:
                expected = fraction.numerator * pow(fraction.denominator, -1, primes[-1]) % primes[-1]
                fraction = fraction if expected == residues[-1] else None
            result.append(fraction)
        return result


@njit(cache=True, nogil=True)
def _reconstruct(a, b, c, p, q, s, inverse, numerators, denominators, good):  # pragma: no cover
    """Chinese remainder of a mod p and b mod q, half Euclid, check modulo s."""
    modulus = np.int64(p) * np.int64(q)
    bound = np.int64(np.sqrt(modulus / 2.0))
    for j in range(a.shape[0]):
        for k in range(a.shape[1]):
            x, y = np.int64(a[j, k]), np.int64(b[j, k])
            step = (((y - x) % q) * np.int64(inverse)) % q
            r0, r1 = modulus, x + np.int64(p) * step
            t0, t1 = np.int64(0), np.int64(1)
            while r1 > bound:
                quotient = r0 // r1
                r0, r1 = r1, r0 - quotient * r1
                t0, t1 = t1, t0 - quotient * t1
            if t1 < 0:
                r1, t1 = -r1, -t1
            if t1 == 0 or t1 > bound:
                continue
            if (r1 % s) == (np.int64(c[j, k]) * (t1 % s)) % s:
                numerators[j, k], denominators[j, k], good[j, k] = r1, t1, True


def exactly_dependent(columns, basis, wanted, *, rng=None):
    """Tell which ``wanted`` columns are combinations of ``basis``, without a tolerance.

    Parameters
    ----------
    columns : ExpressionColumns or DecimalColumns
        At the sample, for laws of these numbers; at random points of the
        domain, for identities.
    basis, wanted : ndarray of int
    rng : numpy Generator, optional

    Returns
    -------
    ndarray of bool, shape (len(wanted),)
        Wrong with probability about 1/p, a billionth.

    Notes
    -----
    One random functional that vanishes on the basis is applied to every column,
    in blocks of rows, so the table of residues is never held.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.relations.residues import DecimalColumns
    >>> X = np.array([[1.0, 0.1, 0.7, 3.0], [1.0, 0.2, 0.9, 3.0], [1.0, 0.4, 1.3, 9.0]])
    >>> exactly_dependent(DecimalColumns(X), np.array([0, 1]), np.array([2, 3])).tolist()
    [True, False]
    """
    rng = np.random.default_rng(2718) if rng is None else rng
    for _, residues, prime in regular_primes(columns, basis, rng):
        functional = independent_functional(residues, prime, rng)
        if functional is None:
            return np.ones(wanted.size, dtype=bool)
        try:
            return _apply(columns, functional, wanted, prime) == 0
        except SingularPrimeError:
            continue
    return np.zeros(wanted.size, dtype=bool)


def independent_functional(residues, prime, rng):
    """Draw a functional (n_points,) that vanishes on columns of residues; None if they fill the space."""
    reduction = eliminate_modulo(residues, prime, rng=rng)
    m = residues.shape[1]
    if reduction.rank == m:
        return None
    weights = rng.integers(1, prime, size=(1, m - reduction.rank), dtype=np.uint64)
    return multiply_modulo(weights, reduction.transform[reduction.rank :], prime)[0]


def _apply(columns, functional, wanted, prime):
    """Value of a functional on columns, rows by blocks where the columns allow it."""
    total = np.zeros(wanted.size, dtype=np.uint64)
    if not hasattr(columns, "points"):
        for start in range(0, wanted.size, _CHUNK):
            residues = columns.residues(wanted[start : start + _CHUNK], prime)
            total[start : start + _CHUNK] = multiply_modulo(functional[None, :], residues.T, prime)[0]
        return total
    for start in range(0, functional.size, _ROWS):
        rows = slice(start, min(start + _ROWS, functional.size))
        residues = columns.residues(wanted, prime, rows)
        piece = ModularReduction(np.arange(wanted.size), 0, prime, np.empty((0, 0), np.uint64), residues)
        total = (total + piece.products(functional[rows], np.arange(wanted.size))) % np.uint64(prime)
    return total
