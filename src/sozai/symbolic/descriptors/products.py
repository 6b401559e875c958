"""Direct products of columns: every multiset once, one multiplication each, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from sozai.contracts.checks import as_matrix
from sozai.contracts.errors import InputError, sentence

__all__ = ["ProductBlock", "count_products", "iterate_products", "product_factors"]

_MOST_BYTES = 64e6


@dataclass(frozen=True)
class ProductBlock:
    """Consecutive products.

    Attributes
    ----------
    start : int
        Number of the first product in lexicographic order.
    factors : ndarray of shape (n_block, order)
        Column numbers, ascending in every row.
    values : ndarray of shape (n_samples, n_block)
        Products, in Fortran order.
    """

    start: int
    factors: np.ndarray
    values: np.ndarray


def count_products(n_columns: int, order: int) -> int:
    r"""Multisets of ``order`` columns, :math:`\binom{n+k-1}{k}`.

    Examples
    --------
    >>> count_products(97, 3)
    156849
    """
    return math.comb(n_columns + order - 1, order) if n_columns else int(order == 0)


def product_factors(n_columns: int, order: int) -> np.ndarray:
    """All multisets in the order of ``itertools.combinations_with_replacement``.

    Parameters
    ----------
    n_columns, order : int

    Returns
    -------
    ndarray of int32 of shape (count_products(n_columns, order), order)

    Examples
    --------
    >>> product_factors(2, 2).tolist()
    [[0, 0], [0, 1], [1, 1]]
    """
    factors = np.empty((count_products(n_columns, order), order), dtype=np.int32)
    if factors.size:
        _fill_factors(n_columns, np.zeros(order, dtype=np.int64), factors)
    return factors


def iterate_products(
    values: Any, order: int, *, block_bytes: float = 2**22, start: int = 0, stop: int | None = None
) -> Iterator[ProductBlock]:
    """Products of ``order`` columns without storing them all.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_columns)
        Order-1 columns, constant left out.
    order : int
        Number of factors.
    block_bytes : float, default=4 MiB
        Size of one block, at most 64 MB.
    start, stop : int, optional
        Range of products, so that parts can be made side by side.

    Yields
    ------
    ProductBlock
        The arrays are the caller's: each block is new.

    Notes
    -----
    One multiplication per column: the products of the first ``order - 1``
    factors are kept while the last one runs. The result does not depend on the
    size of the blocks.

    Examples
    --------
    >>> block, = iterate_products(np.array([[2.0, 3.0]]), 2)
    >>> block.values.tolist()
    [[4.0, 6.0, 9.0]]
    """
    columns = np.require(
        as_matrix(values, place="iterate_products", argument="values", finite=False).T, np.float64, ["C", "W"]
    )
    n_columns, n_samples = columns.shape
    if order < 1:
        raise InputError(
            sentence(
                "iterate_products", "order", "be at least 1", order, remedy="Give the number of factors."
            )
        )
    total = count_products(n_columns, order)
    stop = total if stop is None else min(stop, total)
    width = max(1, int(min(block_bytes, _MOST_BYTES) // (8 * n_samples)))
    for first in range(start, stop, width):
        n_block = min(width, stop - first)
        factors = np.empty((n_block, order), dtype=np.int32)
        _fill_factors(n_columns, _multiset(first, n_columns, order), factors)
        block = np.empty((n_block, n_samples))
        _fill_products(columns, factors, block)
        yield ProductBlock(first, factors, block.T)


def _multiset(rank: int, n_columns: int, order: int) -> np.ndarray:
    """Multiset with a given lexicographic number."""
    index = np.empty(order, dtype=np.int64)
    lowest = 0
    for place in range(order):
        rest = order - place - 1
        while (skipped := count_products(n_columns - lowest, rest)) <= rank:
            rank -= skipped
            lowest += 1
        index[place] = lowest
    return index


@numba.njit(cache=True, nogil=True)
def _fill_factors(n_columns, index, factors):
    """Consecutive multisets from ``index`` on."""
    order = index.size
    for row in range(factors.shape[0]):
        for place in range(order):
            factors[row, place] = index[place]
        place = order - 1
        while place >= 0 and index[place] == n_columns - 1:
            place -= 1
        if place >= 0:
            following = index[place] + 1
            for later in range(place, order):
                index[later] = following


@numba.njit(cache=True, nogil=True)
def _fill_products(columns, factors, block):
    """Products of rows of ``columns``; the product of all factors but the last is kept while it stays."""
    order = factors.shape[1]
    prefix = np.empty((max(order - 1, 1), columns.shape[1]))
    for row in range(factors.shape[0]):
        fresh = 0
        if row > 0:
            while fresh < order - 1 and factors[row, fresh] == factors[row - 1, fresh]:
                fresh += 1
        for place in range(fresh, order - 1):
            factor = columns[factors[row, place]]
            if place == 0:
                prefix[0, :] = factor
            else:
                for t in range(factor.size):
                    prefix[place, t] = prefix[place - 1, t] * factor[t]
        last = columns[factors[row, order - 1]]
        target = block[row]
        if order == 1:
            target[:] = last
        else:
            head = prefix[order - 2]
            for t in range(last.size):
                target[t] = head[t] * last[t]
