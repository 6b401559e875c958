"""Amounts to fractions: what atoms, percentages and fractions must sum to, and tables of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from sozai.composition.compositions import (
    ParsedFormulas,
    canonical_csr,
    issue_frame,
    offsets,
    row_of_entry,
    shown,
)
from sozai.composition.symbols import ATOMIC_WEIGHTS, SYMBOLS
from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence

__all__ = ["Entries", "Issue", "as_parsed", "parse_table"]

_WEIGHTS = dict(zip(SYMBOLS, ATOMIC_WEIGHTS, strict=True))
# basis -> (sum, how far a sum may be off, words for it)
_SUMS = {
    "at%": (100.0, 0.5, "amounts that sum to 100 % within 0.5"),
    "wt%": (100.0, 0.5, "amounts that sum to 100 % within 0.5"),
    "fraction": (1.0, 0.005, "fractions that sum to 1 within 0.005"),
}
_SUM_REMEDIES = {
    "at%": "Correct the amounts, or pass basis='amount' if only ratios are meant.",
    "wt%": "Correct the amounts or add what is missing.",
    "fraction": "Correct the amounts or divide each row by its sum.",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One repair (``repair`` is what was read) or one refusal of a row."""

    row: int
    code: str
    must: str
    remedy: str = ""
    repair: str = ""
    refused: bool = True
    column: int = -1
    pointer: str = ""

    def line(self, text: object) -> tuple[int, object, str, str, str]:
        """Line of the table of issues."""
        message = f"formula must {self.must}. {self.remedy}" if self.refused else self.must
        return self.row, text, self.code, message, self.repair


@dataclass(slots=True)
class Entries:
    """Amounts of many rows in CSR form, their charges, and what was repaired or refused."""

    indptr: NDArray[np.int64]
    codes: NDArray[np.int32]
    amounts: NDArray[np.float64]
    charge: NDArray[np.float64]
    issues: list[Issue] = field(default_factory=list)

    @classmethod
    def joined(cls, parts: Sequence[Entries]) -> Entries:
        """Rows of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(part.charge) for part in parts)])
        return cls(
            offsets(np.concatenate([np.diff(part.indptr) for part in parts])),
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.amounts for part in parts]),
            np.concatenate([part.charge for part in parts]),
            [
                replace(issue, row=issue.row + int(start))
                for part, start in zip(parts, starts, strict=False)
                for issue in part.issues
            ],
        )


def parse_table(
    table: Any,
    names: tuple[str, ...],
    *,
    basis: str,
    n_atoms: Any,
    place: str,
    on_error: str,
    index: pd.Index | None = None,
) -> ParsedFormulas:
    """Rows of numbers, one column for each component; sparse or dense.

    ``basis`` is "fraction" (rows sum to 1), "amount", "at%" or "wt%". Missing, infinite and
    negative cells are refused, as are amounts that sum to less than one atom.
    """
    if hasattr(table, "tocsr"):
        csr = sp.csr_array(table, dtype=np.float64, copy=True)
    else:
        csr = sp.csr_array(as_matrix(table, place=place, finite=False, names=names))
    if csr.shape[1] != len(names):
        what = f"have one column for each of the {len(names)} components"
        remedy = "Name the columns with components=."
        raise InputError(sentence(place, "X", what, f"{csr.shape[1]} columns", remedy=remedy))
    csr.sum_duplicates()
    csr.eliminate_zeros()
    issues: dict[int, Issue] = {}
    bad = np.flatnonzero(~(np.isfinite(csr.data) & (csr.data >= 0.0)))
    bad_rows = np.searchsorted(csr.indptr, bad, side="right") - 1
    for entry, row in zip(bad.tolist(), bad_rows.tolist(), strict=True):
        name, value = names[csr.indices[entry]], float(csr.data[entry])
        code, what = ("negative", "have amounts above zero") if value < 0 else ("missing", "have no gaps")
        remedy = (
            "Correct the cell."
            if value < 0
            else "Fill in the cell (0 for what is not there) or drop the row."
        )
        issues.setdefault(row, Issue(row, code, f"{what}; column {name!r} holds {value:g}", remedy))
    if basis == "amount":
        totals = np.bincount(row_of_entry(csr.indptr), weights=csr.data, minlength=csr.shape[0])
        for row in np.flatnonzero((totals > 0.0) & (totals < 0.995)).tolist():
            what = f"hold at least one atom; the amounts sum to {totals[row]:.6g}"
            remedy = "Add the missing component, or give whole formulas."
            issues.setdefault(row, Issue(row, "sum", what, remedy))
    entries = Entries(csr.indptr, csr.indices, csr.data, np.zeros(csr.shape[0]), list(issues.values()))
    texts = np.full(csr.shape[0], None, dtype=object)
    return as_parsed(
        entries, names, texts, basis=basis, n_atoms=n_atoms, place=place, on_error=on_error, index=index
    )


def as_parsed(
    entries: Entries,
    names: tuple[str, ...],
    texts: NDArray[np.object_],
    *,
    basis: str,
    place: str,
    on_error: str,
    n_atoms: Any = None,
    index: pd.Index | None = None,
    label: str = "",
    components: Sequence[str] | None = None,
) -> ParsedFormulas:
    """Amounts as fractions, after the rules on sums; refused rows raise, are emptied, or are left out.

    The totals are added in the order of the columns, so that every row has the same bits
    in any company.
    """
    n = len(texts)
    rows, amounts = row_of_entry(entries.indptr), entries.amounts
    refused = np.zeros(n, dtype=np.bool_)
    refused[[issue.row for issue in entries.issues if issue.refused]] = True
    totals = np.bincount(rows, weights=amounts, minlength=n)
    entries.issues.extend(_check_sums(totals, refused, basis))
    if basis == "wt%":
        amounts = amounts / _atomic_weights(names, entries.codes, place)[entries.codes]
    known = _given_atoms(n_atoms, n, place) if n_atoms is not None else None
    fractions, atoms = _normalized(amounts, rows, totals, basis, n)
    parsed = ParsedFormulas(
        fractions=canonical_csr(fractions, entries.codes, entries.indptr, (n, len(names))),
        components=names,
        n_atoms=atoms if known is None else known,
        charge=entries.charge,
        texts=texts,
        rows=np.arange(n),
        refused=refused,
        issues=issue_frame([issue.line(texts[issue.row]) for issue in entries.issues]),
        index=index,
    )
    if refused.any():
        if on_error == "raise":
            raise _first_of(entries.issues, texts, index, label, place)
        parsed = parsed.without_refused(drop=on_error == "skip")
    if components is not None and tuple(components) != names:
        parsed = parsed.with_components(components, place=place, on_error=on_error)
    return parsed


def _check_sums(totals: NDArray[np.float64], refused: NDArray[np.bool_], basis: str) -> list[Issue]:
    """Refuse rows without atoms or with a wrong sum (marked in ``refused``); note what is renormalized."""
    found = []
    bad = ~refused & ~((totals > 0.0) & (totals < np.inf))
    for row in np.flatnonzero(bad).tolist():
        too_large = not totals[row] <= 0.0
        what = "have finite amounts" if too_large else "hold at least one atom"
        remedy = "Write smaller amounts: only ratios count." if too_large else "Fill in or drop the row."
        found.append(Issue(row, "too large" if too_large else "zero", what, remedy))
    refused |= bad
    if basis not in _SUMS:
        return found
    wanted, slack, words = _SUMS[basis]
    away = np.abs(totals - wanted)
    for row in np.flatnonzero(~refused & (away > slack * (1 + 1e-9))).tolist():
        found.append(Issue(row, "sum", f"have {words}; they sum to {totals[row]:.6g}", _SUM_REMEDIES[basis]))
        refused[row] = True
    for row in np.flatnonzero(~refused & (away > 1e-9 * wanted)).tolist():
        what = f"amounts that sum to {totals[row]:.6g} divided by it"
        found.append(Issue(row, "renormalized", what, repair=f"sum {totals[row]:.6g}", refused=False))
    return found


def _normalized(
    amounts: NDArray[np.float64], rows: NDArray[np.int64], totals: NDArray[np.float64], basis: str, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fractions, and atoms of each row: the sum of amounts, 100 for percentages, unknown for fractions."""
    if basis == "wt%":
        totals = np.bincount(rows, weights=amounts, minlength=n)
    atoms = totals if basis == "amount" else np.full(n, np.nan if basis == "fraction" else 100.0)
    if basis == "fraction":  # what sums to 1 within rounding keeps its bits
        totals = np.where(np.abs(totals - 1.0) <= 1e-12, 1.0, totals)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):  # refused rows are emptied afterwards
        return amounts / totals[rows], atoms


def _atomic_weights(names: tuple[str, ...], codes: NDArray[np.int32], place: str) -> NDArray[np.float64]:
    """Atomic weight of every column; those that occur must have one."""
    weights = np.array([_WEIGHTS.get(name, np.nan) for name in names])
    for code in np.unique(codes).tolist():
        if not weights[code] > 0.0:
            remedy = "Give amounts in atoms for components that are no elements."
            what = "name elements when basis='wt%'"
            raise InputError(sentence(place, "components", what, names[code], remedy=remedy))
    return weights


def _given_atoms(n_atoms: Any, n: int, place: str) -> NDArray[np.float64]:
    """Number of atoms that the caller knows, one for each row."""
    known = np.array(as_vector(n_atoms, n, place=place, argument="n_atoms"))
    if (known <= 0.0).any():
        row = int(np.argmax(known <= 0.0))
        at = f"at row {row}"
        remedy = "Give the atoms of each formula."
        raise InputError(sentence(place, "n_atoms", "be positive", float(known[row]), at=at, remedy=remedy))
    return known


def _first_of(
    issues: list[Issue], texts: NDArray[np.object_], index: pd.Index | None, label: str, place: str
) -> InputError:
    """Error that names the first refused row and says how many more there are."""
    refused = sorted((issue for issue in issues if issue.refused), key=lambda issue: issue.row)
    first, n_more = refused[0], len({issue.row for issue in refused}) - 1
    where = f"at row {first.row}"
    if index is not None and not isinstance(index, pd.RangeIndex):
        where += f" (index {index[first.row]!r})"
    if label:
        where += f" of column {label!r}"
    if first.column >= 0:
        where += f", character {first.column + 1}"
    got = f"Got {shown(texts[first.row])}" if texts[first.row] is not None else "Found"
    text = f"{place}: formula must {first.must}. {got} {where}. {first.remedy}{first.pointer}"
    if n_more:
        are = "rows are" if n_more > 1 else "row is"
        rows = ", ".join(str(issue.row) for issue in refused[1:6]) + (", ..." if n_more > 5 else "")
        tail = f"{n_more} more {are} refused ({rows}): on_error='nan' or 'skip' lists them in .issues."
        text += f"\n{tail}" if first.pointer else f" {tail}"
    return InputError(text)
