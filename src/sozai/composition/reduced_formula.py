"""Fractions as the shortest formula: whole numbers where there are some, elements in the written order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.composition.symbols import CODES, FORMULA_RANK

__all__ = ["integer_ratio", "reduced_formula", "reduced_formulas", "row_keys"]

_TOLERANCE = 1e-9
_MAX_ATOMS = 10_000
_FEW = 100  # below this many rows compiled code is not worth loading


def integer_ratio(fractions: Any, n_atoms: float, start: int, stop: int, counts: Any) -> bool:
    """Write whole numbers in the ratio ``fractions[start:stop]`` into ``counts``; False when there are none.

    Amounts as written (``fractions * n_atoms``) that are whole within 1e-9 are divided by their
    greatest common divisor. Otherwise the smallest multiple of the least fraction is sought
    whose whole numbers, at most 10,000 atoms, give every fraction within 1e-9. Loops over
    numbers only: the same source runs plain and compiled, with the same bits.
    """
    least = 1.0
    divisor, whole = 0, n_atoms > 0.0 and n_atoms < 1e15
    for i in range(start, stop):
        least = min(least, fractions[i])
        if whole:
            amount = fractions[i] * n_atoms
            count = math.floor(amount + 0.5)
            counts[i] = count
            if count == 0 or abs(amount - count) > _TOLERANCE * max(1.0, amount * 1e-6):
                whole = False
            while count > 0:
                divisor, count = count, divisor % count
    if whole:
        for i in range(start, stop):
            counts[i] //= divisor
        return True
    for multiple in range(1, int(least * (_MAX_ATOMS + 1)) + 1):
        total, fits = 0, True
        for i in range(start, stop):
            scaled = fractions[i] / least * multiple
            count = math.floor(scaled + 0.5)
            if abs(scaled - count) > 0.05:
                fits = False
                break
            counts[i] = count
            total += count
        if not fits or total > _MAX_ATOMS:
            continue
        for i in range(start, stop):
            if abs(fractions[i] - counts[i] / total) > _TOLERANCE:
                fits = False
                break
        if fits:
            return True
    return False


def reduced_formula(symbols: Sequence[str], fractions: Sequence[float], n_atoms: float) -> str:
    """Shortest formula of one composition.

    Parameters
    ----------
    symbols : sequence of str
        Names of the components.
    fractions : sequence of float
        Their positive fractions, sum 1.
    n_atoms : float
        Atoms of the formula as written; NaN when unknown.

    Examples
    --------
    >>> reduced_formula(["O", "Fe"], [0.6, 0.4], 10.0)
    'Fe2O3'
    """
    counts: list[Any] = [0] * len(fractions)
    if not integer_ratio(fractions, n_atoms, 0, len(fractions), counts):
        least = min(fractions)
        counts = [share / least for share in fractions]
    return _written(symbols, counts)


def _written(symbols: Sequence[str], counts: Sequence[float]) -> str:
    """Symbols and amounts, least electronegative first; names that are no symbols last, in brackets."""
    order = sorted(range(len(symbols)), key=lambda i: _place(symbols[i]))
    return _told_apart("".join(_name(symbols[i]) + _amount(counts[i]) for i in order))


def _told_apart(text: str) -> str:
    """One nitrogen beside one sodium, written so that nobody takes it for a missing value."""
    return "Na1N1" if text == "NaN" else text


def _place(symbol: str) -> tuple[int, str]:
    code = CODES.get(symbol)
    return (len(CODES), symbol) if code is None else (FORMULA_RANK[code], symbol)


def _name(symbol: str) -> str:
    return symbol if symbol in CODES else f"({symbol})"


def _amount(count: float) -> str:
    """Nothing for 1, whole numbers in full, others with six significant digits."""
    if count == int(count):
        return "" if count == 1.0 else str(int(count))
    text = np.format_float_positional(count, precision=6, fractional=False, trim="-")
    return "" if text == "1" else text


def reduced_formulas(
    indptr: NDArray[Any],
    indices: NDArray[Any],
    fractions: NDArray[np.float64],
    n_atoms: NDArray[np.float64],
    components: Sequence[str],
) -> NDArray[np.object_]:
    """Shortest formula of every row; ``None`` for empty rows.

    Whole numbers are found by compiled code, and each distinct row is written once.
    """
    if len(n_atoms) < _FEW:
        return _one_by_one(indptr, indices, fractions, n_atoms, components)
    from sozai.composition.formula_scan import reduce_rows

    counts = reduce_rows(indptr, fractions, n_atoms)
    # rows without whole numbers are told apart by the bits of their fractions
    codes, first = row_keys(indptr, indices, np.where(counts > 0, counts, fractions.view(np.int64)))
    sizes = np.diff(indptr)[first]
    ends = np.cumsum(sizes)
    entries = np.arange(ends[-1] if len(ends) else 0) + np.repeat(indptr[first] - (ends - sizes), sizes)
    ranks = np.empty(len(components), dtype=np.int64)
    ranks[sorted(range(len(components)), key=lambda j: _place(components[j]))] = np.arange(len(components))
    row = np.repeat(np.arange(len(first)), sizes)
    entries = entries[np.argsort(row * len(components) + ranks[indices[entries]], kind="stable")]
    amounts = _amounts_of(fractions[entries], counts[entries], row, len(first))
    pieces = _pieces([_name(name) for name in components], indices[entries], amounts)
    stops = ends.tolist()
    found = np.empty(len(first), dtype=object)
    for key, (start, stop) in enumerate(pairwise([0, *stops])):
        if start < stop:
            found[key] = _told_apart("".join(pieces[start:stop]))
    return found[codes]


def _one_by_one(
    indptr: NDArray[Any], indices: NDArray[Any], fractions: NDArray[np.float64], n_atoms: NDArray[np.float64],
    components: Sequence[str],
) -> NDArray[np.object_]:  # fmt: skip
    """Shortest formula of a few rows."""
    found = np.empty(len(n_atoms), dtype=object)
    for row, (start, stop) in enumerate(pairwise(indptr.tolist())):
        if start < stop:
            names = [components[j] for j in indices[start:stop].tolist()]
            found[row] = reduced_formula(names, fractions[start:stop].tolist(), float(n_atoms[row]))
    return found


def _amounts_of(
    fractions: NDArray[np.float64], counts: NDArray[np.int64], row: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """Whole numbers, or amounts per least abundant component where a row has none."""
    least = np.ones(n)
    np.minimum.at(least, row, fractions)
    return np.where(counts > 0, counts, fractions / least[row])


def _pieces(names: Sequence[str], columns: NDArray[Any], amounts: NDArray[np.float64]) -> list[str]:
    """Name and amount of every entry as text; each distinct pair is written once."""
    distinct, number = np.unique(amounts, return_inverse=True)
    pair, place = np.unique(columns.astype(np.int64) * len(distinct) + number, return_inverse=True)
    written, n = [_amount(value) for value in distinct.tolist()], len(distinct)
    texts = np.array([names[p // n] + written[p % n] for p in pair.tolist()], dtype=object)
    return list(texts[place].tolist())


def row_keys(
    indptr: NDArray[Any], indices: NDArray[Any], numbers: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group of every row, and the first row of every group; rows are equal when all pairs are."""
    import pandas as pd

    if len(indptr) > _FEW:
        from sozai.composition.formula_scan import hash_rows, same_rows

        codes, distinct = pd.factorize(hash_rows(indptr, indices, numbers))
        first = _first_rows(codes, len(distinct))
        if same_rows(indptr, indices, numbers, first[codes]):
            return codes.astype(np.int64), first
    keys = np.empty(len(indptr) - 1, dtype=object)
    keys[:] = [(indices[a:b].tobytes(), numbers[a:b].tobytes()) for a, b in pairwise(indptr.tolist())]
    codes, distinct = pd.factorize(keys)
    return codes.astype(np.int64), _first_rows(codes, len(distinct))


def _first_rows(codes: NDArray[Any], n: int) -> NDArray[np.int64]:
    """First row of every group."""
    first = np.full(n, len(codes), dtype=np.int64)
    np.minimum.at(first, codes, np.arange(len(codes)))
    return first
