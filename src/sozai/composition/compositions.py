"""Many compositions as one sparse matrix of fractions, with what was repaired and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from sozai.composition.reduced_formula import reduced_formulas, row_keys
from sozai.contracts.errors import InputError, sentence

__all__ = [
    "ISSUE_COLUMNS",
    "ParsedFormulas",
    "canonical_csr",
    "check_on_error",
    "issue_frame",
    "offsets",
    "row_of_entry",
    "shown",
    "unique_names",
]

#: Columns of ``ParsedFormulas.issues``.
ISSUE_COLUMNS = ["row", "text", "code", "message", "repair"]

_ON_ERROR = ("raise", "nan", "skip")


@dataclass(frozen=True, eq=False, repr=False)
class ParsedFormulas:
    """Fractions of many compositions, row by row, and everything that was not plain.

    Attributes
    ----------
    fractions : csr_array of shape (n, m)
        Fractions, float64, row sums 1; sorted, no duplicates, no stored zeros. Refused rows are empty.
    components : tuple of str
        Names of the columns.
    n_atoms : ndarray of shape (n,)
        Atoms of the formula as written; 100 for percentages, NaN where unknown or refused.
    charge : ndarray of shape (n,)
        Charge in elementary charges; NaN where refused.
    texts : ndarray of object, shape (n,)
        What was given; ``None`` for tables of numbers.
    rows : ndarray of int64, shape (n,)
        Row in the input; with ``on_error="skip"`` refused rows are left out.
    refused : ndarray of bool, shape (n,)
        Rows that could not be read.
    issues : DataFrame
        Columns row, text, code, message, repair: one line for each repair and each refusal.
    index : Index or None
        Labels of the rows, when a Series or DataFrame was given.

    See Also
    --------
    sozai.composition.parse_formulas : Makes one from text.

    Examples
    --------
    >>> from sozai.composition.formula import parse_formulas
    >>> parsed = parse_formulas(["Fe2O3", "Fe4O6", "NaCl"])
    >>> parsed
    ParsedFormulas: 3 formulas, 4 of 118 components occur, 0 refused, 0 repaired
    >>> parsed.keys().tolist(), parsed.n_atoms.tolist()
    (['Fe2O3', 'Fe2O3', 'NaCl'], [5.0, 10.0, 2.0])
    """

    fractions: sp.csr_array
    components: tuple[str, ...]
    n_atoms: NDArray[np.float64]
    charge: NDArray[np.float64]
    texts: NDArray[np.object_]
    rows: NDArray[np.int64]
    refused: NDArray[np.bool_]
    issues: pd.DataFrame
    index: pd.Index | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.fractions.shape[0])

    def __repr__(self) -> str:
        n_used = len(np.unique(self.fractions.indices))
        refused = int(self.refused.sum())
        repaired = self.issues.loc[self.issues["repair"] != "", "row"].nunique()
        return (
            f"ParsedFormulas: {len(self)} formulas, {n_used} of {len(self.components)} components occur, "
            f"{refused} refused, {repaired} repaired"
        )

    def dense(self) -> NDArray[np.float64]:
        """Fractions as a full array of shape (n, m); refused rows are NaN throughout.

        Examples
        --------
        >>> from sozai.composition.formula import parse_formulas
        >>> parse_formulas(["NaCl"], components=["Na", "Cl", "K"]).dense()
        array([[0.5, 0.5, 0. ]])
        """
        full = self.fractions.toarray()
        full[self.refused] = np.nan
        return full

    def keys(self) -> NDArray[np.object_]:
        """Reduced formula of every row, the same text for the same composition; ``None`` where refused.

        Whole numbers when amounts have them, or when fractions are those of at most 10,000 atoms
        within 1e-9; otherwise amounts per least abundant component with six digits.

        Examples
        --------
        >>> from sozai.composition.formula import parse_formulas
        >>> parse_formulas(["O0.6Fe0.4", "La0.7Sr0.3MnO3"]).keys().tolist()
        ['Fe2O3', 'Sr3La7Mn10O30']
        """
        csr = self.fractions
        return reduced_formulas(csr.indptr, csr.indices, csr.data, self.n_atoms, self.components)

    def chemical_systems(self) -> NDArray[np.object_]:
        """Components of every row in alphabetical order, joined by hyphens; ``None`` where refused.

        Examples
        --------
        >>> from sozai.composition.formula import parse_formulas
        >>> parse_formulas(["LiFePO4"]).chemical_systems().tolist()
        ['Fe-Li-O-P']
        """
        csr = self.fractions
        codes, first = row_keys(csr.indptr, csr.indices, np.ones(csr.nnz, dtype=np.int64))
        found = np.empty(len(first), dtype=object)
        columns, indptr = csr.indices.tolist(), csr.indptr.tolist()
        for key, row in enumerate(first.tolist()):
            here = columns[indptr[row] : indptr[row + 1]]
            if here:
                found[key] = "-".join(sorted(self.components[j] for j in here))
        return found[codes]

    def to_frame(self) -> pd.DataFrame:
        """Text, reduced formula, atoms, charge, and one column of fractions for each component that occurs.

        Examples
        --------
        >>> from sozai.composition.formula import parse_formulas
        >>> list(parse_formulas(["NaCl"]).to_frame())
        ['text', 'formula', 'n_atoms', 'charge', 'Na', 'Cl']
        """
        used = np.unique(self.fractions.indices)
        shares = self.fractions[:, used].toarray()
        shares[self.refused] = np.nan
        index = pd.Index(self.rows, name="row") if self.index is None else self.index
        first = {"text": self.texts, "formula": self.keys(), "n_atoms": self.n_atoms, "charge": self.charge}
        columns = pd.DataFrame(shares, index=index, columns=[self.components[j] for j in used])
        return pd.concat([pd.DataFrame(first, index=index), columns], axis=1)

    def with_components(self, names: Sequence[str], *, place: str, on_error: str = "raise") -> ParsedFormulas:
        """Return the same rows with other columns.

        Parameters
        ----------
        names : sequence of str
            Columns of the result, in any order; new ones are empty.
        place : str
            Who asks, for the message.
        on_error : {"raise", "nan", "skip"}
            What becomes of a row that holds a component not in ``names``. It is never cut short.

        Raises
        ------
        InputError
            Naming the first row and the component that is not known.

        Examples
        --------
        >>> from sozai.composition.formula import parse_formulas
        >>> parsed = parse_formulas(["NaCl"]).with_components(["Cl", "Na"], place="example")
        >>> parsed.dense()
        array([[0.5, 0.5]])
        """
        check_on_error(on_error, place)
        names = unique_names(names, place)
        if names == self.components:
            return self
        places = {name: j for j, name in enumerate(names)}
        column = np.array([places.get(name, -1) for name in self.components], dtype=np.int64)
        csr = self.fractions
        moved = column[csr.indices]
        parsed = self
        if (moved < 0).any():
            strange = np.bincount(row_of_entry(csr.indptr), weights=moved < 0, minlength=len(self)) > 0
            parsed = self._refuse_unknown(np.flatnonzero(strange), column, names, place, on_error)
            csr = parsed.fractions
            moved = column[csr.indices]
        data, indptr = csr.data, csr.indptr
        kept = column[column >= 0]
        in_order = bool((np.diff(kept) > 0).all())
        order: Any = slice(None) if in_order else np.lexsort((moved, row_of_entry(indptr)))
        fractions = canonical_csr(data[order], moved[order], indptr, (len(parsed), len(names)))
        return replace(parsed, fractions=fractions, components=names)

    def _refuse_unknown(
        self,
        strange: NDArray[np.int64],
        column: NDArray[np.int64],
        names: tuple[str, ...],
        place: str,
        on_error: str,
    ) -> ParsedFormulas:
        """Refuse the rows that hold a component outside ``names``."""
        table = f"the table ({len(names)} components, {names[0]} to {names[-1]})" if names else "the table"
        lines, keys = [], None
        for row in strange.tolist():
            start, stop = self.fractions.indptr[row : row + 2]
            unknown = [self.components[j] for j in self.fractions.indices[start:stop] if column[j] < 0]
            if self.texts[row] is None:
                keys = self.keys() if keys is None else keys
            text = self.texts[row] if self.texts[row] is not None else keys[row]  # type: ignore[index]
            what = f"hold only components that {table} knows; it holds {', '.join(unknown)}"
            lines.append((int(self.rows[row]), text, "component", f"formula must {what}", ""))
        if on_error == "raise":
            row, text, _, message, _ = lines[0]
            more = f" {len(lines) - 1} more rows hold unknown components." if len(lines) > 1 else ""
            unknown_names = message.rpartition("it holds ")[2]
            raise InputError(
                f"{place}: {message}, which the table does not know. Got {shown(text)} at row {row}. Add "
                f"{unknown_names} with ComponentTable.with_components, or leave these rows out.{more}"
            )
        issues = pd.concat([self.issues, issue_frame(lines)])
        issues = issues.sort_values("row", kind="stable", ignore_index=True)
        refused = self.refused.copy()
        refused[strange] = True
        return replace(self, refused=refused, issues=issues).without_refused(drop=on_error == "skip")

    def without_refused(self, *, drop: bool) -> ParsedFormulas:
        """Empty the refused rows, or leave them out."""
        keep = ~self.refused
        indptr, indices, data = self.fractions.indptr, self.fractions.indices, self.fractions.data
        counts = np.diff(indptr)
        entries = np.repeat(keep, counts)
        counts = counts[keep] if drop else np.where(keep, counts, 0)
        shape = (len(counts), self.fractions.shape[1])
        fractions = canonical_csr(data[entries], indices[entries], offsets(counts), shape)
        if drop:
            index = None if self.index is None else self.index[keep]
            n_atoms, charge, texts, rows = (
                a[keep] for a in (self.n_atoms, self.charge, self.texts, self.rows)
            )
            return replace(
                self, fractions=fractions, n_atoms=n_atoms, charge=charge, texts=texts, rows=rows,
                refused=np.zeros(len(rows), dtype=np.bool_), index=index,
            )  # fmt: skip
        n_atoms, charge = np.where(keep, self.n_atoms, np.nan), np.where(keep, self.charge, np.nan)
        return replace(self, fractions=fractions, n_atoms=n_atoms, charge=charge)

    @classmethod
    def from_fractions(
        cls,
        W: Any,
        components: Sequence[str],
        *,
        n_atoms: Any = None,
        place: str,
        on_error: str = "raise",
        index: pd.Index | None = None,
    ) -> ParsedFormulas:
        """Take fractions that are there already, dense or sparse.

        Parameters
        ----------
        W : array-like or sparse matrix of shape (n, m)
            Fractions. Row sums between 0.995 and 1.005 are renormalized, with an issue where they
            differ from 1 by more than 1e-9; any other sum, a negative or a missing cell is refused.
        components : sequence of str
            Names of the columns.
        n_atoms : array-like of shape (n,), optional
            Atoms of each formula; unknown when left out.
        place : str
            Who asks, for the message.
        on_error : {"raise", "nan", "skip"}
            What becomes of refused rows.
        index : Index, optional
            Labels of the rows.

        Raises
        ------
        InputError
            Naming the row and what is wrong with it.

        Examples
        --------
        >>> ParsedFormulas.from_fractions([[0.4, 0.6]], ["Fe", "O"], place="example").keys().tolist()
        ['Fe2O3']
        """
        from sozai.composition.composition_tables import parse_table

        check_on_error(on_error, place)
        names = unique_names(components, place)
        return parse_table(
            W, names, basis="fraction", n_atoms=n_atoms, place=place, on_error=on_error, index=index
        )


def canonical_csr(data: Any, indices: Any, indptr: Any, shape: tuple[int, int]) -> sp.csr_array:
    """CSR array of entries that are sorted and distinct already; nothing is checked again."""
    kind = np.int64 if max(len(data), *shape) > np.iinfo(np.int32).max else np.int32
    csr = sp.csr_array((data, indices.astype(kind), np.asarray(indptr).astype(kind)), shape=shape)
    csr.has_sorted_indices = True
    csr.has_canonical_format = True
    return csr


def issue_frame(lines: list[tuple[int, Any, str, str, str]]) -> pd.DataFrame:
    """Issues as a table, in the order of the rows; text columns stay plain objects."""
    if not lines:
        return _no_issues().copy()
    columns = zip(*sorted(lines, key=itemgetter(0)), strict=True)
    pairs = zip(ISSUE_COLUMNS, columns, strict=True)
    frame = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in pairs})
    return frame.astype({"row": np.int64})


@cache
def _no_issues() -> pd.DataFrame:
    """Issues of a column without any; making it anew costs as much as reading ten thousand formulas."""
    empty = {name: pd.Series([], dtype=np.int64 if name == "row" else object) for name in ISSUE_COLUMNS}
    return pd.DataFrame(empty)


def check_on_error(on_error: object, place: str) -> None:
    """Refuse what is none of the three manners."""
    if on_error not in _ON_ERROR:
        remedy = "Use 'raise' to stop, 'nan' to mark the rows, 'skip' to leave them out."
        raise InputError(sentence(place, "on_error", "be 'raise', 'nan' or 'skip'", on_error, remedy=remedy))


def unique_names(names: Sequence[str], place: str) -> tuple[str, ...]:
    """Names of components as distinct strings."""
    found = tuple(str(name) for name in names)
    if len(set(found)) < len(found):
        twice = next(name for k, name in enumerate(found) if name in found[:k])
        remedy = "Name each component once."
        raise InputError(sentence(place, "components", "be distinct", twice, remedy=remedy))
    return found


def row_of_entry(indptr: Any) -> NDArray[np.int64]:
    """Row of every stored entry."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def offsets(counts: Any) -> NDArray[np.int64]:
    """Start of every row, from the numbers of entries."""
    indptr = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    return indptr


def shown(value: object) -> str:
    """Value for a message, cut at 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
