"""Cells of a table to numbers in one pass over the bytes, exactly rounded."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["BLANK", "LONG", "ODD", "PLAIN", "parse_column"]

PLAIN, BLANK, ODD, LONG = 0, 1, 2, 3
"""Kinds of cells: a number, nothing, something else, a number with too many digits to read here."""

_POWERS = 10.0 ** np.arange(23)
_LARGEST_EXACT = 2**53
_MOST_DIGITS = 18


@njit(cache=True, nogil=True, error_model="numpy")
def parse_column(data, ends, first, counts, lines, column, has_return, decimal, values, kinds):
    """Read one column; ``values`` and ``kinds`` are filled, the answer is whether all numbers are whole.

    Parameters
    ----------
    data : ndarray of uint8
        Bytes of the file.
    ends : ndarray of int
        Where the delimiter or line end behind each cell stands.
    first, counts : ndarray of int
        Place in ``ends`` of the first cell of each line, and the cells of each line.
    lines : ndarray of int
        Line of each row, from 1.
    column : int
    has_return : bool
        Whether a carriage return may stand before a line end.
    decimal : int
        Code of the decimal sign.
    values : ndarray of float64, shape (n_rows,)
    kinds : ndarray of int8, shape (n_rows,)

    Notes
    -----
    Up to 18 digits make an integer; where it is at most ``2**53`` and the power
    of ten at most 22, one multiplication or division rounds exactly [1]_. Other
    numbers are left to Python's ``float`` (kind ``LONG``).

    References
    ----------
    .. [1] W. D. Clinger, "How to read floating point numbers accurately",
       PLDI 1990, doi 10.1145/93542.93557.
    """
    whole = True
    for row in range(len(lines)):
        line = lines[row] - 1
        values[row] = np.nan
        kinds[row] = BLANK
        if column >= counts[line]:
            continue
        at = first[line] + column
        end = ends[at]
        start = ends[at - 1] + 1 if at > 0 else 0
        if has_return and column == counts[line] - 1 and end > start and data[end - 1] == 13:
            end -= 1
        if end - start > 1 and data[start] == 34 and data[end - 1] == 34:
            start += 1
            end -= 1
        while start < end and data[start] == 32:
            start += 1
        while end > start and data[end - 1] == 32:
            end -= 1
        if start == end:
            continue
        kind, value, integer = _parse(data, start, end, decimal)
        kinds[row] = kind
        values[row] = value
        if kind != ODD:
            whole &= integer
    return whole


@njit(cache=True, nogil=True, error_model="numpy")
def _parse(data, start, end, decimal):
    """Kind, value and whether it is written as an integer, of the bytes between two places."""
    place = start
    negative = data[place] == 45
    if negative or data[place] == 43:
        place += 1
    mantissa = np.int64(0)
    n_digits, n_written, n_fraction = 0, 0, 0
    after_point, has_exponent = False, False
    exponent = 0
    while place < end:
        letter = data[place]
        if 48 <= letter <= 57:
            n_written += 1
            n_fraction += after_point
            if mantissa > 0 or letter > 48:
                n_digits += 1
            if n_digits <= _MOST_DIGITS:
                mantissa = mantissa * 10 + (letter - 48)
        elif letter == decimal and not after_point:
            after_point = True
        elif (letter == 101 or letter == 69) and n_written > 0:
            has_exponent = True
            place += 1
            break
        else:
            return ODD, np.nan, False
        place += 1
    if n_written == 0:
        return ODD, np.nan, False
    if has_exponent:
        down = place < end and data[place] == 45
        if place < end and (down or data[place] == 43):
            place += 1
        if place == end or end - place > 4:
            return ODD, np.nan, False
        while place < end:
            if not 48 <= data[place] <= 57:
                return ODD, np.nan, False
            exponent = exponent * 10 + (data[place] - 48)
            place += 1
        if down:
            exponent = -exponent
    power = exponent - n_fraction
    integer = not after_point and not has_exponent
    if n_digits > _MOST_DIGITS or mantissa > _LARGEST_EXACT or power > 22 or power < -22:
        return LONG, np.nan, integer
    value = mantissa * _POWERS[power] if power >= 0 else mantissa / _POWERS[-power]
    return PLAIN, -value if negative else value, integer
