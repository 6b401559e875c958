"""Rows of a list as people type them: their number from 0, or their name in the column of ``--id``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.proposals.candidates_table import CandidatesTable

__all__ = ["address_of", "counted_end", "find_row", "row_words"]

_COUNTED = re.compile(r"\s*row\s*:\s*(?P<row>[+-]?\d+)\s*(?=[:=]|$)", re.IGNORECASE)
_N_ROWS_SHOWN = 5


def counted_end(text: str) -> int:
    """Where ``row:N`` ends at the head of an entry; 0 where it has none.

    Examples
    --------
    >>> counted_end("row:10=5"), counted_end("10=5"), counted_end("row:Tc=5")
    (6, 0, 0)
    """
    counted = _COUNTED.match(text)
    return counted.end() if counted else 0


def find_row(
    option: str, head: str, text: str, table: CandidatesTable, form: str, remedy: str
) -> tuple[int, bool]:
    """Row of an entry, and whether it was counted: ``row:10`` is row 10, a name its row, else a number.

    Parameters
    ----------
    option : str
        As the user typed it, for the message.
    head : str
        The part of the entry that says which row.
    text : str
        The whole entry.
    table : CandidatesTable
    form, remedy : str
        What an entry reads like, for the message.

    Raises
    ------
    UsageError
        For an entry that is neither a number nor a name.
    InputError
        For a row that is not there, a name that stands twice, and one that is the number of another row.
    """
    counted = _COUNTED.fullmatch(head)
    number = counted["row"] if counted else head
    row = int(number) if re.fullmatch(r"[+-]?[0-9]+", number) else None
    n_rows = len(table.descriptors)
    if not counted and table.ids is not None and head in table.ids:
        named = _named_row(option, head, text, table)
        if row is not None and str(row) == head and row < n_rows and row != named:
            raise InputError(
                sentence(option, "the row",
                         f"be clear; {row_words(named, table)} has this name, {row_words(row, table)} this "
                         "number", text, remedy=f"Write row:{named} or row:{row}.")
            )  # fmt: skip
        return named, False
    if row is None:
        names = "" if table.ids is None else f", or a name of {_id_column(table)!r}"
        wanted = f"{form} a row from 0, as in 'actions'{names}"
        raise UsageError(sentence(option, "each entry", wanted, text, remedy=remedy))
    if not 0 <= row < n_rows:
        raise InputError(
            sentence(option, "the row", f"be one of the list, 0 to {n_rows - 1}", row,
                     remedy="Rows count from 0 without the header, as in 'actions' and 'index'.")
        )  # fmt: skip
    return row, True


def row_words(row: int, table: CandidatesTable) -> str:
    """A row as a sentence names it, with its name where the list has names."""
    return f"row {row}" if table.ids is None else f"row {row} ({_id_column(table)} {table.ids[row]})"


def address_of(row: int, table: CandidatesTable) -> str:
    """What to type for a row; ``row:`` where its number alone is also a name."""
    return f"row:{row}" if table.ids is not None and str(row) in table.ids else str(row)


def _named_row(option: str, name: str, text: str, table: CandidatesTable) -> int:
    """The one row of a name."""
    ids = table.ids or []
    rows = [row for row, known in enumerate(ids) if known == name]
    if len(rows) > 1:
        shown = ", ".join(map(str, rows[:-1][:_N_ROWS_SHOWN])) + f" and {rows[-1]}"
        raise InputError(
            sentence(option, "the name", f"stand once in {_id_column(table)!r}; {name!r} stands in rows "
                     f"{shown}", text, remedy=f"Name the row: row:{rows[0]} or row:{rows[-1]}.")
        )  # fmt: skip
    return rows[0]


def _id_column(table: CandidatesTable) -> str:
    return table.cells.header[table.roles.id or 0]
