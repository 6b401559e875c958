"""Many plain formulas in one compiled pass over their bytes; what is not plain is left to the grammar."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.composition.reduced_formula import integer_ratio
from sozai.composition.symbols import CODES, ELEMENTS

__all__ = ["Scan", "hash_rows", "reduce_rows", "same_rows", "scan_texts"]

_MAX_BYTES, _MAX_DEPTH = 4096, 64
_POWERS = np.array([10.0**k for k in range(23)])
_SODIUM, _NITROGEN = CODES["Na"], CODES["N"]


def _lookup() -> NDArray[np.int16]:
    """Code of a capital and the small letter behind it (first column: none); -1 for no element."""
    table = np.full((26, 27), -1, dtype=np.int16)
    for code, symbol in enumerate(ELEMENTS):
        table[ord(symbol[0]) - 65, ord(symbol[1]) - 96 if len(symbol) == 2 else 0] = code
    return table


def _adducts() -> NDArray[np.int64]:
    """Adducts of hydrates, packed as bytes of one integer."""
    names = ("H2O", "D2O", "NH3", "CO2", "HCl", "C2H5OH", "CH3OH", "H2SO4")
    return np.array([int.from_bytes(name.encode(), "big") for name in names], dtype=np.int64)


_LOOKUP, _ADDUCTS = _lookup(), _adducts()


class Scan(NamedTuple):
    """Entries of the formulas that are plain.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Where the entries of each formula begin.
    codes : ndarray of int32
        Element codes, increasing within a row.
    amounts : ndarray of float64
        Their summed amounts.
    left : ndarray of bool, shape (n,)
        Rows without entries that the grammar must read.
    dots : ndarray of int32, shape (n,)
        Byte (1-based) of the dot that was read as a separator; 0 for none.
    """

    indptr: NDArray[np.int64]
    codes: NDArray[np.int32]
    amounts: NDArray[np.float64]
    left: NDArray[np.bool_]
    dots: NDArray[np.int32]


def scan_texts(texts: list[Any]) -> Scan:
    """Amounts of all plain formulas.

    Parameters
    ----------
    texts : list
        Formulas; whatever is no text is left.

    Returns
    -------
    Scan

    Notes
    -----
    One pass over the UTF-8 bytes. A decimal number of at most 15 digits and 22 places is an
    integer over a power of ten, both exact, so that the quotient is correctly rounded; longer
    numbers are left. Memory: 24 bytes a capital letter and 13 a formula, besides the bytes.

    Examples
    --------
    >>> scan = scan_texts(["Fe2O3", "Fe2Xx", "Ca(OH)2"])
    >>> scan.indptr.tolist(), scan.codes.tolist(), scan.amounts.tolist(), scan.left.tolist()
    ([0, 2, 2, 5], [7, 25, 0, 7, 19], [3.0, 2.0, 2.0, 2.0, 1.0], [False, True, False])
    """
    buffer = np.frombuffer(_joined(texts), dtype=np.uint8)
    n_capitals = int(np.count_nonzero((buffer >= 65) & (buffer <= 90)))
    indptr = np.zeros(len(texts) + 1, dtype=np.int64)
    left, dots = np.zeros(len(texts), dtype=np.bool_), np.zeros(len(texts), dtype=np.int32)
    codes, amounts = np.empty(n_capitals + 1, dtype=np.int32), np.empty(n_capitals + 1)
    n = _scan(buffer, _LOOKUP, _POWERS, _ADDUCTS, indptr, codes, amounts, left, dots)
    return Scan(indptr, codes[:n].copy(), amounts[:n].copy(), left, dots)


def _joined(texts: list[Any]) -> bytes:
    """All texts as lines of one buffer; whatever is no single line becomes a byte that no formula holds."""
    try:
        text = "\n".join(texts)
    except TypeError:
        texts = [text if isinstance(text, str) else "\0" for text in texts]
        text = "\n".join(texts)
    if text.count("\n") != len(texts) - 1:
        text = "\n".join([text if "\n" not in text else "\0" for text in texts])
    return (text + "\n").encode("utf-8", "surrogatepass")


@njit(cache=True, nogil=True)
def _is_adduct(buffer: Any, start: int, end: int, adducts: Any) -> bool:
    """Tell whether bytes spell an adduct when spaces and brackets are ignored."""
    packed = np.int64(0)
    size = 0
    for at in range(start, end):
        byte = buffer[at]
        if byte == 32 or byte == 9 or byte == 13 or byte == 40 or byte == 41 or byte == 91 or byte == 93:
            continue
        size += 1
        if size > 6:
            return False
        packed = packed * 256 + np.int64(byte)
    found = False
    for adduct in adducts:
        found |= adduct == packed
    return found


@njit(cache=True, nogil=True)
def _merge(codes: Any, amounts: Any, start: int, end: int) -> int:
    """Sort the entries of a row and sum those of one element, in the order of the text.

    Returns the new end, or -1 where an amount is zero or not finite.
    """
    for i in range(start, end):
        if not (amounts[i] > 0.0 and amounts[i] < np.inf):
            return -1
    if end - start > 32:  # insertion would be quadratic
        sums = np.zeros(118)
        for i in range(start, end):
            sums[codes[i]] += amounts[i]
        k = start
        for code in range(118):
            if sums[code] > 0.0:
                codes[k], amounts[k] = code, sums[code]
                k += 1
        return k
    k = start
    for i in range(start, end):
        code, amount = codes[i], amounts[i]
        j = k
        while j > start and codes[j - 1] > code:
            j -= 1
        if j > start and codes[j - 1] == code:
            amounts[j - 1] += amount
            continue
        for m in range(k, j, -1):
            codes[m], amounts[m] = codes[m - 1], amounts[m - 1]
        codes[j], amounts[j] = code, amount
        k += 1
    return k


@njit(cache=True, nogil=True)
def _number(buffer: Any, at: int, stop: int, powers: Any) -> tuple[float, int]:
    """Value and end of a plain number, read no further than ``stop``; -1 where the grammar must read it.

    A dot without a digit behind it is no part of the number.
    """
    mantissa, n_digits, n_places = np.int64(0), 0, 0
    dotted = False
    while at != stop:
        byte = buffer[at]
        if byte >= 48 and byte <= 57:
            mantissa = mantissa * 10 + np.int64(byte - 48)
            n_digits += mantissa > 0
            n_places += dotted
            if n_digits > 15 or n_places > 22:
                return -1.0, at
        elif byte == 46 and not dotted and buffer[at + 1] >= 48 and buffer[at + 1] <= 57:
            dotted = True
        else:
            break
        at += 1
    if mantissa == 0:
        return -1.0, at
    return float(mantissa) / powers[n_places], at


@njit(cache=True, nogil=True)
def _scale(amounts: Any, start: int, end: int, factor: float) -> None:
    """Multiply a run of amounts."""
    if factor != 1.0:
        for i in range(start, end):
            amounts[i] *= factor


@njit(cache=True, nogil=True)
def _line(
    buffer: Any, at: int, split: int, lookup: Any, powers: Any, adducts: Any,
    codes: Any, amounts: Any, k: int, stack: Any, factors: Any,
) -> tuple[int, int]:  # fmt: skip
    """Entries of the line that begins at ``at``, written from ``k``; a dot at ``split`` is a separator.

    Returns the new ``k``, or -1 where the line is left to the grammar, and where reading stopped;
    or -2 and the position of a dot that must be read as a separator.
    ``stack[d]`` holds bracket, first entry of the group and of the part around it; ``factors[d]`` its factor.
    """
    first, begin, depth = k, at, 0
    unit, part, factor, fresh = -1, k, 1.0, False
    number, dot, number_end = -1, -1, -1  # the last decimal number: its dot is perhaps that of a hydrate
    while True:
        byte = buffer[at]
        digit = byte >= 48 and byte <= 57
        if byte >= 65 and byte <= 90:
            small = buffer[at + 1]
            pair = small >= 97 and small <= 122
            code = lookup[byte - 65, small - 96 if pair else 0]
            if code < 0:
                return -1, at
            codes[k], amounts[k] = code, 1.0
            unit, fresh = k, False
            k += 1
            at += 2 if pair else 1
        elif digit or (byte == 46 and at != split and buffer[at + 1] >= 48 and buffer[at + 1] <= 57):
            amount, end = _number(buffer, at, split, powers)
            second = byte == 46 and dot >= 0 and _is_adduct(buffer, number_end, at, adducts)
            if amount < 0.0 or second:
                return -1, at
            if unit >= 0:
                for i in range(at, end):
                    if buffer[i] == 46:
                        number, dot, number_end = at, i, end
                _scale(amounts, unit, k, amount)
            elif fresh:
                factor = amount
            else:
                return -1, at
            unit, fresh = -1, False
            at = end
        elif byte == 32 or byte == 9 or byte == 13:
            at += 1
        elif byte == 40 or byte == 91 or byte == 123:
            if depth == _MAX_DEPTH:
                return -1, at
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = byte, k, part
            factors[depth] = factor
            depth += 1
            unit, part, factor, fresh = -1, k, 1.0, False
            at += 1
        else:
            closes = byte == 41 or byte == 93 or byte == 125
            middle_dot = byte == 194 and buffer[at + 1] == 183
            ends = byte == 10
            if not (closes or ends or middle_dot or byte == 42 or byte == 46) or k == part:
                return -1, at
            if dot >= 0 and _is_adduct(buffer, number_end, at, adducts):
                if split >= 0 or not _splits(buffer, number, dot):
                    return -1, at
                return -2, dot
            if byte == 46 and at != split:  # a dot without digits behind it separates
                symbol = buffer[at + 1] >= 65 and buffer[at + 1] <= 90
                return (-2 if split < 0 and symbol else -1), at
            _scale(amounts, part, k, factor)
            dot = -1
            if ends:
                break
            if closes:
                depth -= 1
                if depth < 0 or byte - stack[depth, 0] != (1 if byte == 41 else 2):
                    return -1, at
                unit, part, factor, fresh = stack[depth, 1], stack[depth, 2], factors[depth], False
            else:
                unit, part, factor, fresh = -1, k, 1.0, True
            at += 2 if middle_dot else 1
    if depth > 0 or at - begin > _MAX_BYTES:
        return -1, at
    if k - first == 2 and at - begin < 8 and codes[first] == _SODIUM and codes[first + 1] == _NITROGEN:
        return -1, at  # the word NaN, perhaps
    return _merge(codes, amounts, first, k), at


@njit(cache=True, nogil=True)
def _splits(buffer: Any, start: int, dot: int) -> bool:
    """Tell whether the digits before a dot are none, or a whole number of at least 2."""
    while start < dot and buffer[start] == 48:
        start += 1
        if start == dot:
            return False
    return start == dot or dot - start > 1 or buffer[start] > 49


@njit(cache=True, nogil=True)
def _scan(
    buffer: Any, lookup: Any, powers: Any, adducts: Any, indptr: Any, codes: Any, amounts: Any, left: Any,
    dots: Any,
) -> int:  # fmt: skip
    """Entries of all lines; returns how many."""
    stack, factors = np.empty((_MAX_DEPTH, 3), dtype=np.int64), np.empty(_MAX_DEPTH)
    at, k = 0, 0
    for row in range(left.shape[0]):
        begin, split = at, -1
        end, at = _line(buffer, begin, split, lookup, powers, adducts, codes, amounts, k, stack, factors)
        if end == -2:
            split = at
            end, at = _line(buffer, begin, split, lookup, powers, adducts, codes, amounts, k, stack, factors)
        if end < 0:
            left[row] = True
            while buffer[at] != 10:
                at += 1
        else:
            k = end
            dots[row] = split - begin + 1 if split >= 0 else 0
        at += 1
        indptr[row + 1] = k
    return k


# --- rows as keys ----------------------------------------------------------------------------------------

_integer_ratio = njit(cache=True, nogil=True)(integer_ratio)


@njit(cache=True, nogil=True)
def reduce_rows(indptr: Any, fractions: Any, n_atoms: Any) -> NDArray[np.int64]:
    """Smallest whole numbers in the ratio of every row; -1 throughout a row that has none, int64 (nnz,)."""
    counts = np.empty(fractions.shape[0], dtype=np.int64)
    for row in range(n_atoms.shape[0]):
        if not _integer_ratio(fractions, n_atoms[row], indptr[row], indptr[row + 1], counts):
            for i in range(indptr[row], indptr[row + 1]):
                counts[i] = -1
    return counts


@njit(cache=True, nogil=True)
def hash_rows(indptr: Any, indices: Any, numbers: Any) -> NDArray[np.uint64]:
    """64-bit hash of the pairs (index, number) of every row, uint64 (n,)."""
    n = indptr.shape[0] - 1
    hashes = np.empty(n, dtype=np.uint64)
    for row in range(n):
        value = np.uint64(0x9E3779B97F4A7C15)
        for i in range(indptr[row], indptr[row + 1]):
            for word in (np.uint64(indices[i]), np.uint64(numbers[i])):
                value = (value ^ word) * np.uint64(0xFF51AFD7ED558CCD)
                value ^= value >> np.uint64(32)
        hashes[row] = value
    return hashes


@njit(cache=True, nogil=True)
def same_rows(indptr: Any, indices: Any, numbers: Any, twins: Any) -> bool:
    """Tell whether every row holds the same pairs as the row ``twins`` names: no two hashes have collided."""
    for row in range(twins.shape[0]):
        start, other = indptr[row], indptr[twins[row]]
        if indptr[row + 1] - start != indptr[twins[row] + 1] - other:
            return False
        for i in range(indptr[row + 1] - start):
            if indices[start + i] != indices[other + i] or numbers[start + i] != numbers[other + i]:
                return False
    return True
