"""Exact linear algebra modulo primes: rank without a tolerance, coefficients as fractions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = [
    "ModularReduction",
    "combine_residues",
    "eliminate_modulo",
    "inverse_modulo",
    "multiply_modulo",
    "random_primes",
    "rational_from_residue",
    "residues_of",
    "residues_of_fractions",
]

Residues = NDArray[np.uint64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ModularReduction:
    """Basis and dependents of integer columns modulo a prime.

    Attributes
    ----------
    order : ndarray of shape (n_columns,)
        The basis, then every other column in order of preference.
    rank : int
        Number of basis columns; never above the rational rank.
    prime : int
    transform : ndarray of shape (n_samples, n_samples)
        Turns the basis columns into the first ``rank`` unit vectors, modulo ``prime``.
    columns : ndarray of shape (n_columns, n_samples)
        The residues, one column of the matrix per row.
    """

    order: Index
    rank: int
    prime: int
    transform: Residues = field(repr=False)
    columns: NDArray[np.uint32] = field(repr=False)

    @property
    def basis(self) -> Index:
        """Columns kept, shape (rank,)."""
        return self.order[: self.rank]

    @property
    def dependents(self) -> Index:
        """Columns that are combinations of the basis."""
        return self.order[self.rank :]

    def coefficients(self, columns: ArrayLike | None = None) -> Residues:
        """Residues of the coefficients of ``columns`` in the basis, shape (rank, len(columns))."""
        wanted = self.dependents if columns is None else np.asarray(columns, dtype=np.int64)
        result = np.empty((wanted.size, self.rank), dtype=np.uint64)
        _apply_rows(self.transform[: self.rank], self.columns, wanted, np.uint64(self.prime), result)
        return result.T

    def annihilates(self, functional: Residues, columns: Index) -> NDArray[np.bool_]:
        """Tell for which ``columns`` the linear ``functional`` (n_samples,) is 0 modulo the prime."""
        return np.equal(self.products(functional, columns), 0)

    def products(self, functional: Residues, columns: Index) -> Residues:
        """Value of the linear ``functional`` (n_samples,) on ``columns``, modulo the prime."""
        result = np.empty((columns.size, 1), dtype=np.uint64)
        _apply_rows(
            np.ascontiguousarray(functional[None, :]), self.columns, columns, np.uint64(self.prime), result
        )
        return result[:, 0]


def eliminate_modulo(
    columns: NDArray[np.uint32],
    prime: int,
    *,
    order: ArrayLike | None = None,
    rng: np.random.Generator | None = None,
) -> ModularReduction:
    r"""Keep each column that is not a combination of the earlier kept ones, modulo a prime.

    Parameters
    ----------
    columns : ndarray of uint32, shape (n_columns, n_samples)
        Residues below ``prime``, one column of the matrix per row.
    prime : int
        Below :math:`2^{31}`.
    order : array-like of int, optional
        Columns from most to least preferred.
    rng : numpy Generator, optional
        Draws the random test vector; a fixed one by default.

    Returns
    -------
    ModularReduction

    See Also
    --------
    sozai.numerics.row_reduction.row_reduce : The same in floating point.

    Notes
    -----
    A random vector v from the left null space of the kept columns decides in m
    products whether a column is new: :math:`v\cdot x \ne 0` proves it,
    :math:`v\cdot x = 0` is wrong with probability 1/p. Only new columns cost
    m² operations, so n columns of rank r cost :math:`nm + 2rm^2` instead of
    :math:`2nmr`. Both errors (this and p dividing a minor) make the rank too low.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1, 1, 1], [1, 2, 4], [5, 8, 14]], dtype=np.uint32)
    >>> reduction = eliminate_modulo(x, 2147483647)
    >>> reduction.basis.tolist(), reduction.coefficients().tolist()
    ([0, 1], [[2], [3]])
    """
    n, m = columns.shape
    rng = np.random.default_rng(20240229) if rng is None else rng
    preference = np.arange(n, dtype=np.int64) if order is None else np.asarray(order, dtype=np.int64)
    test = rng.integers(1, prime, size=m, dtype=np.uint64)
    kept = np.zeros(n, dtype=bool)
    transform = np.eye(m, dtype=np.uint64)
    rank = _eliminate(np.ascontiguousarray(columns), preference, np.uint64(prime), test, transform, kept)
    flags = kept[preference]
    sorted_order = np.concatenate([preference[flags], preference[~flags]])
    return ModularReduction(sorted_order, int(rank), int(prime), transform, columns)


def random_primes(n: int, rng: np.random.Generator) -> list[int]:
    """Draw ``n`` different primes between 2³⁰ and 2³¹.

    Examples
    --------
    >>> import numpy as np
    >>> [2**30 < p < 2**31 for p in random_primes(2, np.random.default_rng(0))]
    [True, True]
    """
    found: list[int] = []
    while len(found) < n:
        candidate = int(rng.integers(2**29, 2**30)) * 2 + 1
        if candidate not in found and _is_prime(candidate):
            found.append(candidate)
    return found


def residues_of(values: ArrayLike, prime: int) -> NDArray[np.uint32]:
    """Decimals as the user wrote them, modulo a prime.

    A float stands for the shortest decimal that reads back as the same float:
    0.1 is 1/10, not the binary fraction beside it.

    Examples
    --------
    >>> import numpy as np
    >>> residues_of(np.array([0.5, -1.0, 3.0]), 7).tolist()
    [4, 6, 3]
    """
    x = np.asarray(values, dtype=np.float64)
    unique, place = np.unique(x, return_inverse=True)
    exact = np.array([_residue(Fraction(Decimal(repr(float(v)))), prime) for v in unique], dtype=np.uint32)
    return exact[place].reshape(x.shape)


def residues_of_fractions(values: ArrayLike, prime: int) -> NDArray[np.uint32]:
    """Fractions modulo a prime, same shape."""
    x = np.asarray(values, dtype=object)
    flat = np.array([_residue(Fraction(v), prime) for v in x.ravel()], dtype=np.uint32)
    return flat.reshape(x.shape)


def inverse_modulo(values: ArrayLike, prime: int) -> Residues:
    """Multiplicative inverses modulo a prime; the inverse of 0 is 0."""
    x = np.ascontiguousarray(values, dtype=np.uint64)
    result = np.empty(x.size, dtype=np.uint64)
    _inverses(x.ravel(), np.uint64(prime), result)
    return result.reshape(x.shape)


def multiply_modulo(a: ArrayLike, b: ArrayLike, prime: int) -> Residues:
    """Matrix product of residues below 2³¹, modulo a prime."""
    left, right = np.asarray(a, dtype=np.uint64), np.asarray(b, dtype=np.uint64)
    result = np.empty((right.shape[1], left.shape[0]), dtype=np.uint64)
    columns = np.ascontiguousarray(right.T).astype(np.uint32)
    _apply_rows(np.ascontiguousarray(left), columns, np.arange(right.shape[1]), np.uint64(prime), result)
    return result.T


def combine_residues(residues: list[int], primes: list[int]) -> tuple[int, int]:
    """Chinese remainder: the number modulo the product of the primes, and that product.

    Examples
    --------
    >>> combine_residues([2, 3], [5, 7])
    (17, 35)
    """
    value, modulus = 0, 1
    for residue, prime in zip(residues, primes, strict=True):
        step = (residue - value) * pow(modulus, -1, prime) % prime
        value, modulus = value + modulus * step, modulus * prime
    return value, modulus


def rational_from_residue(residue: int, modulus: int) -> Fraction | None:
    r"""Fraction with the smallest numerator and denominator that has this residue.

    Numerator and denominator up to :math:`\sqrt{M/2}` are found uniquely;
    ``None`` when there is no such fraction.

    Examples
    --------
    >>> rational_from_residue((5 * pow(7, -1, 10007)) % 10007, 10007)
    Fraction(5, 7)
    """
    bound = math.isqrt(modulus // 2)
    r0, r1, t0, t1 = modulus, residue % modulus, 0, 1
    while r1 > bound:
        q = r0 // r1
        r0, r1, t0, t1 = r1, r0 - q * r1, t1, t0 - q * t1
    if t1 == 0 or abs(t1) > bound or math.gcd(r1, t1) != 1:
        return None
    return Fraction(r1, t1)


def _residue(value: Fraction, prime: int) -> int:
    """Residue of one fraction; a denominator that the prime divides is an error."""
    if value.denominator % prime == 0:
        raise InputError(
            sentence(
                "residues_of",
                "values",
                f"have denominators that the prime {prime} does not divide",
                value,
                remedy="Take another prime.",
            )
        )
    return value.numerator * pow(value.denominator, -1, prime) % prime


def _is_prime(n: int) -> bool:
    """Miller-Rabin with bases that decide every n below 3.2e9."""
    if n < 2 or any(n % q == 0 and n != q for q in (2, 3, 5, 7)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in (2, 3, 5, 7):
        x = pow(base, d, n)
        if x in (1, n - 1, 0):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


# --- kernels: residues below 2**31, so that four products fit 64 bits -----------------


@njit(cache=True, nogil=True)
def _dot(a, b, p):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Sum of a[i] b[i] modulo p; a uint64 (m,), b uint32 (m,)."""
    m = a.size
    total = np.uint64(0)
    i = 0
    while i + 4 <= m:
        total += (
            a[i] * np.uint64(b[i])
            + a[i + 1] * np.uint64(b[i + 1])
            + a[i + 2] * np.uint64(b[i + 2])
            + a[i + 3] * np.uint64(b[i + 3])
        )
        total %= p
        i += 4
    while i < m:
        total = (total + a[i] * np.uint64(b[i])) % p
        i += 1
    return total


@njit(cache=True, nogil=True)
def _power(base, exponent, p):  # type: ignore[no-untyped-def]  # pragma: no cover
    """base**exponent modulo p."""
    result = np.uint64(1)
    while exponent > np.uint64(0):
        if exponent & np.uint64(1):
            result = result * base % p
        base = base * base % p
        exponent >>= np.uint64(1)
    return result


@njit(cache=True, nogil=True)
def _inverses(x, p, result):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Inverses by Fermat's theorem."""
    for i in range(x.size):
        result[i] = _power(x[i] % p, p - np.uint64(2), p)


@njit(cache=True, nogil=True)
def _apply_rows(rows, columns, wanted, p, result):  # type: ignore[no-untyped-def]  # pragma: no cover
    """result[k, i] = rows[i] . columns[wanted[k]] modulo p."""
    for k in range(wanted.size):
        for i in range(rows.shape[0]):
            result[k, i] = _dot(rows[i], columns[wanted[k]], p)


@njit(cache=True, nogil=True)
def _eliminate(columns, order, p, test, transform, kept):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Walk the columns in order; update transform (m, m), kept (n,) and test (m,); return the rank."""
    m = columns.shape[1]
    rank = 0
    image = np.empty(m, dtype=np.uint64)
    for k in order:
        if rank == m:
            break
        shadow = _dot(test, columns[k], p)
        if shadow == 0:
            continue
        pivot = -1
        for i in range(m):
            image[i] = _dot(transform[i], columns[k], p)
            if pivot < 0 and i >= rank and image[i] != 0:
                pivot = i
        kept[k] = True
        if pivot != rank:
            image[pivot], image[rank] = image[rank], image[pivot]
            for j in range(m):
                transform[pivot, j], transform[rank, j] = transform[rank, j], transform[pivot, j]
        scale = _power(image[rank], p - np.uint64(2), p)
        for j in range(m):
            transform[rank, j] = transform[rank, j] * scale % p
        for i in range(m):
            if i != rank and image[i] != 0:
                factor = p - image[i]
                for j in range(m):
                    transform[i, j] = (transform[i, j] + factor * transform[rank, j]) % p
        for j in range(m):  # keeps the test vector random among those that vanish on the basis
            test[j] = (test[j] + (p - shadow) * transform[rank, j]) % p
        rank += 1
    return rank
