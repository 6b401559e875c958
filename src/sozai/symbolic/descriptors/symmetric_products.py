"""Sums over the orbits of products: one symmetrised descriptor per orbit."""

from __future__ import annotations

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.descriptors.products import product_factors
from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["orbit_representatives", "symmetric_products"]


def symmetric_products(
    store: Expressions,
    ids: np.ndarray,
    index: np.ndarray,
    sign: np.ndarray,
    characters: np.ndarray,
    order: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Orbit sums of all products of ``order`` expressions.

    Parameters
    ----------
    store : Expressions
    ids : ndarray of shape (n,)
        Descriptors of order 1, closed under the group.
    index, sign : ndarray of shape (n_elements, n)
        ``g * ids[j] = sign[g, j] * ids[index[g, j]]``.
    characters : ndarray of shape (n_elements,)
        Sign of the target under every element.
    order : int
        Number of factors.

    Returns
    -------
    sums : ndarray of int64
        One expression per orbit, in the order of their smallest members.
    vanished : ndarray of int64
        Representatives whose sum is zero by symmetry.
    """
    factors, keys, signs = orbit_representatives(index, sign, characters, order)
    n = ids.size
    distinct = np.ones(keys.shape, dtype=bool)
    for g in range(1, len(keys)):
        distinct[g] = (keys[:g] != keys[g]).all(axis=0)
    cancels = ((keys == keys[0]) & (signs < 0)).any(axis=0)
    total = _product_ids(store, ids, factors)
    vanished = total[cancels]
    keys, signs, distinct, total = (
        keys[:, ~cancels],
        signs[:, ~cancels],
        distinct[:, ~cancels],
        total[~cancels],
    )
    for g in range(1, len(keys)):
        for sense, name in ((1, "add"), (-1, "subtract")):
            pick = distinct[g] & (signs[g] == sense)
            image = _product_ids(store, ids, _unpacked(keys[g, pick], n, order))
            total[pick] = store.add(name, total[pick], image)
    return total, vanished


def orbit_representatives(
    index: np.ndarray, sign: np.ndarray, characters: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smallest member of every orbit of multisets, with the images under all elements.

    Returns
    -------
    factors : ndarray of shape (n_orbits, order)
        Sorted members of the representatives.
    keys : ndarray of shape (n_elements, n_orbits)
        Images as numbers in base n.
    signs : ndarray of shape (n_elements, n_orbits)
        Sign of every image, the character included.
    """
    n = index.shape[1]
    if n and order * np.log2(max(n, 2)) > 62:
        raise InputError(
            sentence(
                "generate",
                "order",
                "keep n_columns**order below 2**62 with a symmetry",
                f"{n} columns, order {order}",
                remedy="Lower the order.",
            )
        )
    factors = product_factors(n, order).astype(np.int64)
    own = _packed(factors, n)
    smallest = np.ones(len(factors), dtype=bool)
    for permutation in index[1:]:
        smallest &= _packed(np.sort(permutation[factors], axis=1), n) >= own
    factors = factors[smallest]
    keys = np.array([_packed(np.sort(permutation[factors], axis=1), n) for permutation in index])
    signs = np.array([chi * row[factors].prod(axis=1) for chi, row in zip(characters, sign, strict=True)])
    return factors, keys, signs


def _packed(factors: np.ndarray, n: int) -> np.ndarray:
    """Multisets as numbers in base n; their order is lexicographic."""
    key = np.zeros(len(factors), dtype=np.int64)
    for column in factors.T:
        key = key * n + column
    return key


def _unpacked(keys: np.ndarray, n: int, order: int) -> np.ndarray:
    """Inverse of ``_packed``."""
    factors = np.empty((keys.size, order), dtype=np.int64)
    for place in range(order - 1, -1, -1):
        keys, factors[:, place] = np.divmod(keys, n)
    return factors


def _product_ids(store: Expressions, ids: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Ids of products."""
    total = ids[factors[:, 0]]
    for column in factors.T[1:]:
        total = store.add("multiply", total, ids[column])
    return total
