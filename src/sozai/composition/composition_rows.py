"""Cells of a column as entries: texts by the fast scan or the grammar, dictionaries by their names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from sozai.composition.composition_tables import Entries, Issue
from sozai.composition.compositions import offsets
from sozai.composition.formula_grammar import Reading, hydrate_repair, merge_entries, read_formula
from sozai.composition.formula_repairs import Refusal, Repair, refuse_symbol
from sozai.composition.symbols import CODES, ELEMENTS

__all__ = ["READERS", "BoundText", "Options", "read_entries"]

#: Names that formulas and dictionaries may hold, beside those of the caller's components.
READERS = CODES

# below this many rows the compiled pass is not worth loading
_FEW = 300


@dataclass(frozen=True, slots=True)
class Options:
    """How formulas are read."""

    values: dict[str, Fraction] | None = None
    isotopes: str = "merge"
    allow_nan_like: bool = False
    percent: bool = False


@dataclass(frozen=True, slots=True)
class BoundText:
    """A formula with the values that its variables have in its row."""

    text: str
    values: dict[str, Fraction]


def read_entries(cells: list[Any], *, options: Options, extra: tuple[str, ...] = ()) -> Entries:
    """Amounts of every cell, in the codes of ``SYMBOLS + extra``.

    Plain texts go through the compiled pass, the others one by one; equal texts are read once.
    """
    n = len(cells)
    if n >= _FEW:
        from sozai.composition.formula_scan import scan_texts

        scan = scan_texts(cells)
        entries = Entries(scan.indptr, scan.codes, scan.amounts, np.zeros(n))
        rows = np.flatnonzero(scan.left)
        for row in np.flatnonzero(scan.dots).tolist():
            entries.issues.append(Issue(row, *_read_dot(cells[row], int(scan.dots[row]) - 1)))
    else:
        entries = Entries(offsets(np.zeros(n)), np.empty(0, np.int32), np.empty(0), np.zeros(n))
        rows = np.arange(n)
    if not len(rows):
        return entries
    return _read_with_care(cells, rows, entries, options, extra)


def _read_with_care(
    cells: list[Any], rows: Any, entries: Entries, options: Options, extra: tuple[str, ...]
) -> Entries:
    """Read some rows by the grammar and put them between the others."""
    names = CODES | {name: len(CODES) + k for k, name in enumerate(extra)}
    known: dict[str, Reading | Refusal] = {}
    counts, codes, amounts = np.zeros(len(rows), dtype=np.int64), [], []
    for k, row in enumerate(rows.tolist()):
        cell = cells[row]
        reading = known.get(cell) if isinstance(cell, str) else None
        if reading is None:
            reading = _read_cell(cell, names, options)
            if isinstance(cell, str):
                known[cell] = reading
        if isinstance(reading, Refusal):
            entries.issues.append(_refused(row, reading))
            continue
        entries.charge[row] = reading.charge
        entries.issues.extend(
            Issue(row, repair.code, repair.message, repair=repair.read_as, refused=False)
            for repair in reading.repairs
        )
        counts[k] = len(reading.codes)
        codes += reading.codes
        amounts += reading.amounts
    for issue in entries.issues:
        if issue.refused:
            entries.charge[issue.row] = np.nan
    all_counts = np.diff(entries.indptr)
    all_counts[rows] = counts
    with_care = np.zeros(len(cells), dtype=np.bool_)
    with_care[rows] = True
    mask = np.repeat(with_care, all_counts)
    merged = Entries(
        offsets(all_counts),
        np.empty(len(mask), np.int32),
        np.empty(len(mask)),
        entries.charge,
        entries.issues,
    )
    merged.codes[mask], merged.codes[~mask] = codes, entries.codes
    merged.amounts[mask], merged.amounts[~mask] = amounts, entries.amounts
    return merged


def _read_dot(text: str, byte: int) -> tuple[Any, ...]:
    """Issue of a dot that the compiled pass has read as a separator."""
    column = byte if text.isascii() else len(text.encode()[:byte].decode())
    repair = hydrate_repair(text, column)
    return repair.code, repair.message, "", repair.read_as, False


def _read_cell(cell: Any, names: Mapping[str, int], options: Options) -> Reading | Refusal:
    """One cell with summed entries in the order of the codes, or why it cannot be read."""
    try:
        if isinstance(cell, str):
            reading = read_formula(
                cell, values=options.values, percent=options.percent, allow_nan_like=options.allow_nan_like
            )
        elif isinstance(cell, BoundText):
            return _read_cell(cell.text, names, replace(options, values=cell.values))
        elif isinstance(cell, bytes):
            return _read_cell(cell.decode("utf-8", "replace"), names, options)
        elif isinstance(cell, Mapping) or hasattr(cell, "get_el_amt_dict"):
            reading = _read_mapping(cell, names)
        else:
            return read_formula(cell)  # type: ignore[return-value]
    except Refusal as refusal:
        return refusal
    codes, repairs = reading.codes, reading.repairs
    if options.isotopes == "merge" and any(len(ELEMENTS) <= code < len(CODES) for code in codes):
        codes = [0 if len(ELEMENTS) <= code < len(CODES) else code for code in codes]
        repairs += (Repair("isotope", "D and T counted as hydrogen", str(cell)),)
    return Reading(*merge_entries(codes, reading.amounts), reading.charge, repairs)


def _read_mapping(cell: Any, names: Mapping[str, int]) -> Reading:
    """Names and amounts of a dictionary or a composition of another package; zeros are left out."""
    pairs = cell if isinstance(cell, Mapping) else cell.get_el_amt_dict()
    codes, amounts = [], []
    for name, amount in pairs.items():
        code = names.get(str(name))
        if code is None:
            raise refuse_symbol("", -1, str(name))
        number = float(amount) if isinstance(amount, Real) and not isinstance(amount, bool) else math.nan
        if not 0.0 <= number < math.inf:
            must = f"have finite amounts of zero or more; {name} has {amount!r}"
            raise Refusal("amount", must, "Correct the amount.")
        codes.append(code)
        amounts.append(number)
    if not any(amounts):
        raise Refusal("zero", "hold at least one atom", "Fill in or drop the row.")
    return Reading(codes, amounts)


def _refused(row: int, refusal: Refusal) -> Issue:
    """Issue of a cell that cannot be read."""
    code, must, remedy, meant = refusal.code, refusal.must, refusal.remedy, refusal.suggestion
    return Issue(row, code, must, remedy, meant, True, refusal.column, refusal.pointer())
