"""Columns of a list of candidates to numbers: descriptors, results, phases, with notes on every repair."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.table_cells import as_ascii, read_cell
from sozai.contracts.table_report import Repair
from sozai.contracts.unit_headers import split_unit
from sozai.contracts.units import convert
from sozai.proposals.campaign_events import CampaignWarning
from sozai.proposals.phase_cells import read_phases
from sozai.proposals.result_cells import read_result
from sozai.proposals.table_bytes import TableBytes, plain_numbers

__all__ = ["ColumnReader", "ResultColumn"]

_SHOWN = 20


@dataclass(frozen=True, eq=False)
class ResultColumn:
    r"""Results of one objective as they stand in a table.

    Attributes
    ----------
    name : str
        Without unit.
    unit : str or None
    values, sigma : ndarray of shape (n_rows,)
        NaN where there is none.
    status : ndarray of str, shape (n_rows,)
        ``ok``, ``failed``, ``censored_low``, ``censored_high``; ``blank`` where nothing was measured.
    labels : list of (str or None), optional
        Phases, for a column of phases; ``values`` then numbers them in the order of ``phases``.
    phases : list of str
    decimal : str
        Decimal sign of the column.

    Examples
    --------
    >>> from sozai.proposals.candidates_table import read_candidates
    >>> column = read_candidates(b"x,y [K]\n1,<0.1\n2,3.5\n").results[0]
    >>> column.name, column.unit, column.status.tolist()
    ('y', 'K', ['censored_low', 'ok'])
    """

    name: str
    unit: str | None
    values: NDArray[np.float64]
    sigma: NDArray[np.float64]
    status: NDArray[np.str_]
    labels: list[str | None] | None = None
    phases: list[str] = field(default_factory=list)
    decimal: str = "."


class ColumnReader:
    r"""Columns of one file to numbers, with notes on what was repaired.

    Parameters
    ----------
    cells : TableBytes
    source : str
        Name of the file, for messages.
    decimal : {None, ".", ","}
        Found column by column when None.
    notes : list of Repair
        Receives what was repaired.

    Examples
    --------
    >>> from sozai.proposals.table_bytes import read_cells
    >>> notes = []
    >>> ColumnReader(read_cells(b"x;y\n1,5;2\n"), "list.csv", None, notes).descriptor(0)
    array([1.5])
    >>> [note.code for note in notes]
    ['decimal_comma']
    """

    def __init__(self, cells: TableBytes, source: str, decimal: str | None, notes: list[Repair]) -> None:
        if decimal not in (None, ".", ","):
            raise InputError(sentence("read_candidates", "decimal", "be '.' or ','", decimal))
        self.cells, self.source, self.decimal, self.notes = cells, source, decimal, notes
        self.decimals: dict[int, str] = {}

    def descriptor(self, column: int, *, hint: str = "") -> NDArray[Any]:
        """Numbers of a column in which every cell must hold one; ``hint`` where a blank may mean another."""
        sign, (values, odd, blank, whole) = self._plain(column)
        header = self.cells.header[column]
        unit = split_unit(header)[1]
        if blank.any():
            remedy = f"Fill the cell, or leave the row out{hint}."
            self._refuse(column, int(np.argmax(blank)), "a blank", remedy)
        words_only = len(odd) == len(values)
        for row, text in zip(odd.tolist(), self.cells.column(column, odd), strict=True):
            reading = read_cell(text)
            value = reading.dot if sign == "." else reading.comma
            if reading.kind != "number" or value is None:
                remedy = "Give its column the role id or ignore." if words_only else "Write a finite number."
                if "," in text and reading.kind == "number":
                    remedy = "Write a decimal point, or use ';' between cells."
                self._refuse(column, row, text, remedy)
            values[row] = self._in_unit(value, reading.unit, unit, column, row, text)
        self._note(column, odd, "repaired", "read as numbers")
        return values.astype(np.int64) if whole and not len(odd) and np.abs(values).max() < 2**53 else values

    def results(self, column: int) -> ResultColumn:
        """Results of a column, with errors, bounds and failures."""
        sign, (values, odd, blank, _) = self._plain(column)
        name, unit = split_unit(self.cells.header[column])
        sigma = np.full(len(values), np.nan)
        status = np.where(blank, "blank", "ok").astype("<U13")
        noted: list[int] = []
        about: list[int] = []
        for row, text in zip(odd.tolist(), self.cells.column(column, odd), strict=True):
            cell = read_result(text, sign)
            if cell.status in ("infinite", "text"):
                self._refuse(
                    column, row, text, "Write a number, 'failed', a bound such as '<0.1', or nothing."
                )
            if cell.status in ("noted", "blank"):
                noted += [row] if cell.status == "noted" else []
                status[row] = "blank"
                continue
            status[row] = cell.status
            if cell.status == "ok" and "approximate" in read_cell(text).notes:
                about.append(row)
            if cell.status != "failed":
                values[row] = self._in_unit(cell.value, cell.unit, unit, column, row, text)
                sigma[row] = cell.sigma
        left = np.array(sorted(set(odd.tolist()) - set(noted)), dtype=np.int64)
        self._note(column, left, "repaired", "read as a result with an error, a bound, a unit, or as failed")
        if noted:
            self._note(column, np.array(noted), "not_measured", "read as not measured")
            self._warn(column, noted, "was read as not measured")
        if about:
            self._warn(column, about, "is approximate; it was taken as it is, without an error")
        return ResultColumn(name, unit, values, sigma, status, decimal=sign)

    def phases(self, column: int) -> ResultColumn:
        """Phases of a column."""
        found = read_phases(self.cells.column(column))
        number = {label: float(k) for k, label in enumerate(found.phases)}
        values = np.array([np.nan if label is None else number[label] for label in found.labels])
        for row, message, repair in found.repairs:
            self.notes.append(
                Repair(self._line(row), self.cells.header[column], "not_measured", message, repair)
            )
            warnings.warn(
                f"{message} at line {self._line(row)} of '{self.source}': {repair}.",
                CampaignWarning,
                stacklevel=4,
            )
        status = np.where(np.isnan(values), "blank", "ok").astype("<U13")
        sigma = np.full(len(values), np.nan)
        name = self.cells.header[column]
        return ResultColumn(name, None, values, sigma, status, found.labels, found.phases)

    def _plain(
        self, column: int
    ) -> tuple[str, tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_], bool]]:
        """Decimal sign of a column, and its plain numbers."""
        found = plain_numbers(self.cells, column)
        sign = self.decimal or "."
        if self.decimal is None and self.cells.delimiter != "," and len(found[1]):
            sign = self._decimal_of(column, found)
        if sign == ",":
            found = plain_numbers(self.cells, column, decimal=",")
            self.notes.append(
                Repair(None, self.cells.header[column], "decimal_comma", "a decimal comma", "read as a point")
            )
        self.decimals[column] = sign
        return sign, found

    def _decimal_of(self, column: int, found: tuple[Any, NDArray[np.int64], Any, bool]) -> str:
        """Decimal sign that the odd cells of a column show; refused where two meanings are left."""
        values, odd, _, _ = found
        texts = self.cells.column(column, odd)
        evidence = [read_cell(text).evidence for text in texts]
        if "," not in evidence and "?," not in evidence:
            return "."
        points = np.flatnonzero(np.isfinite(values) & (values != np.round(values)))
        if "." in evidence or len(points):
            if "," in evidence:
                row = int(odd[evidence.index(",")])
                self._refuse(column, row, texts[evidence.index(",")], "Write one decimal sign in the column.")
            return "."
        if "," not in evidence and not self._comma_elsewhere(column):
            at = evidence.index("?,")
            self._refuse(
                column, int(odd[at]), texts[at], "It has two meanings; pass decimal=',' or decimal='.'."
            )
        return ","

    def _comma_elsewhere(self, column: int) -> bool:
        """Whether another column shows plainly that the file writes decimal commas."""
        rows = np.arange(min(self.cells.n_rows, 1000))
        others = (k for k in range(self.cells.n_columns) if k != column)
        return any(read_cell(text).evidence == "," for k in others for text in self.cells.column(k, rows))

    def _in_unit(
        self, value: float, from_: str | None, to: str | None, column: int, row: int, text: str
    ) -> float:
        """A number in the unit of its column."""
        if from_ is None or (to is not None and as_ascii(from_) == as_ascii(to)):
            return value
        where = f"at line {self._line(row)}, column {self.cells.header[column]!r} of '{self.source}'"
        if to is None:
            raise UnitError(
                sentence("read_candidates", "unit", "stand in the header", text, at=where,
                         remedy=f"Write the header '{self.cells.header[column]} [{from_}]'.")
            )  # fmt: skip
        try:
            return float(convert(value, from_, to))
        except UnitError as error:
            raise UnitError(
                sentence(
                    "read_candidates", "unit", f"fit the column ({to})", text, at=where, remedy=str(error)
                )
            ) from error

    def _note(self, column: int, rows: NDArray[np.int64], code: str, repair: str) -> None:
        """Note the first cells of a kind, and how many more there are."""
        name = self.cells.header[column]
        texts = self.cells.column(column, rows[:_SHOWN])
        for row, text in zip(rows[:_SHOWN].tolist(), texts, strict=True):
            self.notes.append(Repair(self._line(row), name, code, repr(text), repair))
        if len(rows) > _SHOWN:
            n_more = len(rows) - _SHOWN
            more = f"{n_more} more such cell{'s' * (n_more > 1)}"
            self.notes.append(Repair(self._line(int(rows[_SHOWN])), name, code, more, repair))

    def _warn(self, column: int, rows: Sequence[int], what: str) -> None:
        """Warn of the first of some cells, and say how many there are."""
        where = f"at line {self._line(rows[0])}, column {self.cells.header[column]!r} of '{self.source}'"
        such = f"{len(rows)} such cell{'s' * (len(rows) > 1)}"
        text = self.cells.text(rows[0], column)
        warnings.warn(f"{text!r} {where} {what} ({such}).", CampaignWarning, stacklevel=5)

    def _line(self, row: int) -> int:
        return int(self.cells.lines[row])

    def _refuse(self, column: int, row: int, value: object, remedy: str) -> None:
        at = f"at line {self._line(row)}, column {self.cells.header[column]!r} of '{self.source}'"
        raise InputError(
            sentence("read_candidates", "cell", "hold a finite number", value, at=at, remedy=remedy)
        )
