"""candidates.csv and proposals.csv: roles of columns, cells of results, bytes that stay."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.records import Proposal
from sozai.contracts.table_cells import read_cell
from sozai.contracts.table_report import Repair, Repairs
from sozai.proposals.campaign_events import CampaignWarning
from sozai.proposals.column_reader import ColumnReader, ResultColumn
from sozai.proposals.column_roles import ColumnRoles, find_roles
from sozai.proposals.table_bytes import TableBytes, plain_numbers, read_cells

__all__ = ["CandidatesTable", "ResultColumn", "read_candidates", "read_proposals"]


@dataclass(frozen=True, eq=False, repr=False)
class CandidatesTable:
    r"""A list of candidates with results, and the bytes it was read from.

    Attributes
    ----------
    cells : TableBytes
    roles : ColumnRoles
    descriptors : DataFrame
        One column a descriptor, named as in the header; integers where the file has integers.
    results : tuple of ResultColumn
    cost : ndarray or None
    ids : list of str or None
        The user's own names of the candidates.
    repairs : Repairs
        What was not taken as it stood.
    source : str

    Examples
    --------
    >>> data = "x,T [K],Tc [K]\r\n0.10,300,\r\n0.20,300,41.5\r\n0.30,300,failed\r\n".encode()
    >>> table = read_candidates(data)
    >>> table
    CandidatesTable(3 candidates, descriptors: x, T [K]; objectives: Tc [K]; 1 measured, 1 failed)
    >>> table.to_bytes() == data
    True
    >>> table.with_results({(0, 0): 39.25})
    b'x,T [K],Tc [K]\r\n0.10,300,39.25\r\n0.20,300,41.5\r\n0.30,300,failed\r\n'
    """

    cells: TableBytes
    roles: ColumnRoles
    descriptors: pd.DataFrame
    results: tuple[ResultColumn, ...]
    cost: NDArray[np.float64] | None
    ids: list[str] | None
    repairs: Repairs
    source: str
    decimals: dict[int, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        header = self.cells.header
        measured = sum(int((column.status != "blank").sum()) for column in self.results)
        failed = sum(int((column.status == "failed").sum()) for column in self.results)
        names = (", ".join(header[k] for k in ks) for ks in (self.roles.descriptors, self.roles.objectives))
        descriptors, objectives = names
        counts = f"{measured - failed} measured" + (f", {failed} failed" if failed else "")
        return (
            f"CandidatesTable({len(self.descriptors)} candidates, descriptors: {descriptors}; "
            f"objectives: {objectives or 'none'}; {counts})"
        )

    def to_bytes(self) -> bytes:
        """The file as it was read."""
        return self.cells.to_bytes()

    def frame(self) -> pd.DataFrame:
        """Descriptors and results, ready for a campaign: NaN where nothing was measured."""
        frame = self.descriptors.copy()
        for column in self.results:
            frame[self.header_of(column)] = column.values
        return frame

    def header_of(self, column: ResultColumn) -> str:
        """Header of a result column, with its unit."""
        return f"{column.name} [{column.unit}]" if column.unit else column.name

    def with_results(
        self,
        values: Mapping[tuple[int, int], float | str | None],
        added: Iterable[Mapping[str, Any]] = (),
    ) -> bytes:
        """The file with results written into it; every other cell keeps its bytes.

        Parameters
        ----------
        values : mapping of (row, objective) to float, str or None
            ``row`` from 0, ``objective`` by its place among the objectives. A
            number is written as the shortest text that reads the same, None
            empties the cell. A cell that holds the number already is left alone.
        added : iterable of mapping
            Candidates to add below, by header.

        Returns
        -------
        bytes
        """
        edits: dict[tuple[int, int], str] = {}
        n_old = len(self.descriptors)
        rows = [self._new_row(x) for x in added]
        for (row, k), value in values.items():
            column = self.roles.objectives[k]
            text = self._number_text(value, self.results[k].decimal)
            if row >= n_old:
                rows[row - n_old][column] = text
            elif not self._says(row, k, value):
                edits[row, column] = text
        return self.cells.replaced(edits, rows)

    def proposals(self, proposals: Sequence[Proposal | int]) -> bytes:
        """``proposals.csv``: the row of each proposal and its descriptors as written in this table.

        Parameters
        ----------
        proposals : sequence of Proposal or int
            Rows of this table, from 0.

        Returns
        -------
        bytes
            With the encoding, byte-order mark, line end and delimiter of this table.
        """
        columns = self.roles.descriptors
        lines = [[b"actions", *(cell.strip() for cell in self.cells.raw(-1, columns))]]
        for proposal in proposals:
            row = proposal.index if isinstance(proposal, Proposal) else int(proposal)
            if row is None or not 0 <= row < len(self.descriptors):
                raise InputError(
                    sentence("CandidatesTable.proposals", "proposals",
                             f"be rows of '{self.source}' (0 to {len(self.descriptors) - 1})", row)
                )  # fmt: skip
            lines.append([str(row).encode(), *self.cells.raw(row, columns)])
        return self.cells.sent(lines)

    def _says(self, row: int, k: int, value: float | str | None) -> bool:
        """Whether the cell says this already."""
        column = self.results[k]
        if isinstance(value, str):
            return self.cells.text(row, self.roles.objectives[k]) == value
        if value is None or np.isnan(value):
            return not self.cells.text(row, self.roles.objectives[k]).strip()
        return column.status[row] == "ok" and float(column.values[row]) == float(value)

    def _new_row(self, x: Mapping[str, Any]) -> list[str]:
        """Cells of a candidate that joins the table."""
        cells = [""] * self.cells.n_columns
        for name, column in zip(self.descriptors.columns, self.roles.descriptors, strict=True):
            cells[column] = self._number_text(x[name], self.decimals.get(column, "."))
        return cells

    @staticmethod
    def _number_text(value: Any, decimal: str) -> str:
        """Shortest text that reads as the same number."""
        if isinstance(value, str):
            return value
        if value is None or np.isnan(value):
            return ""
        number = int(value) if isinstance(value, (int, np.integer)) else float(value)
        return repr(number).replace(".", decimal)


def read_candidates(
    data: bytes,
    *,
    n_objectives: int = 1,
    dialect: str = "auto",
    objectives: Sequence[str] | None = None,
    label: str | None = None,
    id: str | None = None,
    cost: str | None = None,
    ignore: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    source: str = "candidates.csv",
) -> CandidatesTable:
    r"""Read a list of candidates from the bytes of a file.

    Parameters
    ----------
    data : bytes
    n_objectives : int
        The last so many columns are results, unless ``objectives`` says otherwise.
    dialect : {"auto", "nimo", "aiphad"}
        ``"nimo"``: descriptors first, results last. ``"aiphad"``: one column of
        phases, first or last. ``"auto"`` takes a first or last column of words for phases.
    objectives : sequence of str, optional
        Columns of results, with or without their unit; descriptors are then all
        columns of numbers that have no other role.
    label : str, optional
        Column of phases.
    id, cost : str, optional
        Columns with the user's names of candidates, and with their cost.
    ignore : sequence of str
        Columns to leave alone.
    encoding, delimiter, decimal : str, optional
        Found when left out. A decimal comma is read only between semicolons or tabs.
    source : str
        Name of the file, for messages.

    Returns
    -------
    CandidatesTable

    Raises
    ------
    InputError
        With file, row, column and remedy.
    UnitError
        For a cell in a unit that does not fit its column.

    Notes
    -----
    A plain table is read in whole columns, well under a microsecond a cell;
    only cells that are no plain numbers are looked at one by one.

    Examples
    --------
    >>> read_candidates(b"phase,Zn,Cu\nA+B,0,100\nB+A,50,50\n").results[0].labels
    ['A+B', 'A+B']
    """
    cells = read_cells(data, encoding=encoding, delimiter=delimiter, source=source)
    if not cells.n_rows:
        raise InputError(
            sentence("read_candidates", "file", "have rows", "a file that has only a header",
                     at=f"in '{source}' ({', '.join(cells.header)})", remedy="Add one row a candidate.")
        )  # fmt: skip
    notes: list[Repair] = []
    _doubt_header(cells, source, notes)
    roles = find_roles(
        cells, n_objectives=n_objectives, dialect=dialect, objectives=objectives, label=label, id=id,
        cost=cost, ignore=ignore, source=source,
    )  # fmt: skip
    reader = ColumnReader(cells, source, decimal, notes)
    by_place = objectives is None and not roles.phases
    hint = _more_objectives(cells, roles) if by_place else ""
    descriptors = {cells.header[k]: reader.descriptor(k, hint=hint) for k in roles.descriptors}
    results = tuple(reader.phases(k) if roles.phases else reader.results(k) for k in roles.objectives)
    costs = reader.descriptor(roles.cost).astype(np.float64) if roles.cost is not None else None
    names = None if roles.id is None else [name.strip() for name in cells.column(roles.id)]
    for name in roles.dropped:
        notes.append(Repair(None, name, "ignored", "a column without a role", "left alone"))
    return CandidatesTable(
        cells,
        roles,
        pd.DataFrame(descriptors),
        results,
        costs,
        names,
        Repairs(notes),
        source,
        reader.decimals,
    )


def read_proposals(data: bytes, table: CandidatesTable, *, source: str = "proposals.csv") -> list[int]:
    r"""Rows of the candidates that a ``proposals.csv`` names.

    Parameters
    ----------
    data : bytes
    table : CandidatesTable
        The list that the proposals belong to.
    source : str
        Name of the file, for messages.

    Returns
    -------
    list of int
        Rows of ``table``, from 0.

    Raises
    ------
    InputError
        When a row does not exist, or when its descriptors are not those of the
        candidate: the list was sorted or edited since.

    Examples
    --------
    >>> table = read_candidates(b"x,y\n1.50,\n2,\n")
    >>> table.proposals([1]), read_proposals(b"actions,x\n1,2.0\n", table)
    (b'actions,x\n1,2\n', [1])
    """
    cells = read_cells(data, source=source)
    reader = ColumnReader(cells, source, None, [])
    names = [name for name in cells.header if name in table.descriptors.columns]
    if not cells.header or cells.header[0] != "actions":
        raise InputError(
            sentence(
                "read_proposals", "header", "begin with 'actions'", list(cells.header), at=f"in '{source}'"
            )
        )
    if not cells.n_rows:
        return []
    rows = reader.descriptor(0).astype(np.int64)
    n = len(table.descriptors)
    for place, row in enumerate(rows.tolist()):
        if not 0 <= row < n:
            raise InputError(
                sentence("read_proposals", "actions", f"be rows of '{table.source}' (0 to {n - 1})", row,
                         at=f"at line {int(cells.lines[place])} of '{source}'")
            )  # fmt: skip
    for name in names:
        given = reader.descriptor(cells.header.index(name)).astype(np.float64)
        known = table.descriptors[name].to_numpy(dtype=np.float64)[rows]
        differs = np.flatnonzero(given != known)
        if len(differs):
            at = int(differs[0])
            raise InputError(
                sentence("read_proposals", f"column {name!r}",
                         f"be {known[at]:g}, as in data row {int(rows[at])} of '{table.source}'",
                         float(given[at]), at=f"at line {int(cells.lines[at])} of '{source}'",
                         remedy="The list was sorted or edited since; propose again.")
            )  # fmt: skip
    return [int(row) for row in rows]


def _more_objectives(cells: TableBytes, roles: ColumnRoles) -> str:
    """A remedy where the last descriptors have the blanks of results."""
    unmeasured = plain_numbers(cells, roles.objectives[0])[2]
    more = 0
    for column in reversed(roles.descriptors):
        blank = plain_numbers(cells, column)[2]
        if not blank.any() or 2 * (blank & unmeasured).sum() < blank.sum():
            break
        more += 1
    return f"; if it holds results, pass n_objectives={len(roles.objectives) + more}" if more else ""


def _doubt_header(cells: TableBytes, source: str, notes: list[Repair]) -> None:
    """A first row of numbers is most likely no header."""
    if all(read_cell(name).kind == "number" for name in cells.header if name):
        message = f"the first row of '{source}' holds only numbers ({', '.join(cells.header)}): no header?"
        warnings.warn(message, CampaignWarning, stacklevel=3)
        notes.append(Repair(cells.header_line, None, "numeric_header", message, "taken as the header"))
