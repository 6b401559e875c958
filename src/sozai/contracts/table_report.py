"""What was repaired in a user's table, row by row, and how an error points into the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Repair", "RepairLog", "Repairs", "counted"]

_SHOWN_PER_KIND = 20


class Repair(NamedTuple):
    """One thing that was not taken as it stood in the file.

    Attributes
    ----------
    row : int or None
        Row as the user sees it in the file, counted from 1; None for the whole file.
    column : str or None
        Column label; None for the whole row or file.
    code : str
        Kind, for filtering: ``missing``, ``decimal_comma``, ``unit_row``, ...
    message : str
        What was found.
    repair : str
        What was done.
    """

    row: int | None
    column: str | None
    code: str
    message: str
    repair: str


class Repairs(tuple[Repair, ...]):
    """The repairs of one table, in file order.

    Examples
    --------
    >>> report = Repairs([Repair(3, "M", "missing", "'failed' is no number", "read as missing")])
    >>> report.to_frame()["code"].tolist(), report.codes()
    (['missing'], {'missing': 1})
    """

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a repair, ready for a report or a CSV file."""
        import pandas as pd

        return pd.DataFrame(list(self), columns=list(Repair._fields))

    def codes(self) -> dict[str, int]:
        """How often each kind occurs."""
        count: dict[str, int] = defaultdict(int)
        for repair in self:
            count[repair.code] += 1
        return dict(count)


def counted(n: int, noun: str) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@dataclass
class RepairLog:
    """Collects repairs while a file is read and words the errors that name it.

    Parameters
    ----------
    source : Path
        The file, for messages.
    """

    source: Path
    entries: list[Repair] = field(default_factory=list)

    def add(self, row: int | None, column: str | None, code: str, message: str, repair: str) -> None:
        """Note one repair."""
        self.entries.append(Repair(row, column, code, message, repair))

    def add_cells(
        self, rows: Iterable[int], column: str, code: str, messages: Iterable[str], repair: str
    ) -> None:
        """Note a repair a cell; beyond twenty of a kind the rest is one line with their number."""
        pairs = list(zip(rows, messages, strict=True))
        for row, message in pairs[:_SHOWN_PER_KIND]:
            self.add(row, column, code, message, repair)
        if len(pairs) > _SHOWN_PER_KIND:
            row, message = pairs[_SHOWN_PER_KIND]
            more = len(pairs) - _SHOWN_PER_KIND
            self.add(
                row,
                column,
                code,
                f"{message}, and {more - 1} more such cells below" if more > 1 else message,
                repair,
            )

    def finish(self) -> Repairs:
        """All repairs in file order, those of the whole file first."""
        return Repairs(sorted(self.entries, key=lambda repair: repair.row or 0))

    def fail(
        self,
        argument: str,
        requirement: str,
        value: object,
        *,
        row: int | None = None,
        column: str | None = None,
        remedy: str,
    ) -> NoReturn:
        """Raise the error that names file, row, column and remedy."""
        places = [f"row {row}"] if row is not None else []
        places += [f"column {column!r}"] if column is not None else []
        at = f"at {', '.join(places)} of '{self.source}'" if places else f"in '{self.source}'"
        raise InputError(sentence("read_table", argument, requirement, value, at=at, remedy=remedy))
