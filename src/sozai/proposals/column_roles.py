"""Which column of a list of candidates is a descriptor, a result, a cost or a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_cells import read_cell
from sozai.contracts.unit_headers import split_unit
from sozai.proposals.result_cells import read_result
from sozai.proposals.table_bytes import TableBytes, plain_numbers

__all__ = ["ColumnRoles", "find_roles"]

_DIALECTS = ("auto", "nimo", "aiphad")


@dataclass(frozen=True, slots=True)
class ColumnRoles:
    """Columns of a table by what they are for, each from 0.

    Attributes
    ----------
    descriptors, objectives : tuple of int
    phases : bool
        The objective is a column of phases.
    id, cost : int or None
    dropped : tuple of str
        Headers of columns without a role.

    Examples
    --------
    >>> ColumnRoles((0, 1), (2,))
    ColumnRoles(descriptors=(0, 1), objectives=(2,), phases=False, id=None, cost=None, dropped=())
    """

    descriptors: tuple[int, ...]
    objectives: tuple[int, ...]
    phases: bool = False
    id: int | None = None
    cost: int | None = None
    dropped: tuple[str, ...] = ()


def find_roles(
    cells: TableBytes,
    *,
    n_objectives: int = 1,
    dialect: str = "auto",
    objectives: Sequence[str] | None = None,
    label: str | None = None,
    id: str | None = None,
    cost: str | None = None,
    ignore: Sequence[str] = (),
    source: str = "candidates.csv",
) -> ColumnRoles:
    r"""Roles of the columns, by their place or by their names.

    Parameters
    ----------
    cells : TableBytes
    n_objectives, dialect, objectives, label, id, cost, ignore, source
        As for :func:`~sozai.proposals.candidates_table.read_candidates`.

    Returns
    -------
    ColumnRoles

    Raises
    ------
    InputError
        For a name that is not in the header, and for more objectives than columns.

    Examples
    --------
    >>> from sozai.proposals.table_bytes import read_cells
    >>> cells = read_cells(b"x,y,Tc [K],price\n1,2,,5\n")
    >>> find_roles(cells, objectives=["Tc"], cost="price").descriptors
    (0, 1)
    """
    if dialect not in _DIALECTS:
        raise InputError(sentence("read_candidates", "dialect", f"be one of {list(_DIALECTS)}", dialect))
    named = {
        "id": None if id is None else _column(cells, id, "id", source),
        "cost": None if cost is None else _column(cells, cost, "cost", source),
    }
    out = {
        _column(cells, name, "ignore", source) for name in ([ignore] if isinstance(ignore, str) else ignore)
    }
    out |= _unnamed(cells, source)
    used = out | {column for column in named.values() if column is not None}
    left = [column for column in range(cells.n_columns) if column not in used]
    phases = label is not None
    if label is not None:
        goals = [_column(cells, label, "label", source)]
    elif objectives is not None:
        wanted = [objectives] if isinstance(objectives, str) else list(objectives)
        goals = [_column(cells, name, "objectives", source) for name in wanted]
    else:
        found = _phase_column(cells, left, dialect, n_objectives, source)
        phases = found is not None
        goals = [found] if found is not None else _last(cells, left, used, n_objectives, source)
    left = [column for column in left if column not in goals]
    texts = [column for column in left if objectives is not None and not _is_numeric(cells, column)]
    descriptors = tuple(column for column in left if column not in texts)
    if not descriptors:
        _refuse_roles(cells, goals, used, "have a descriptor", source, fewer=False)
    dropped = tuple(cells.header[column] for column in [*texts, *sorted(out)] if cells.header[column])
    return ColumnRoles(descriptors, tuple(goals), phases, named["id"], named["cost"], dropped)


def _last(cells: TableBytes, left: list[int], used: set[int], n_objectives: int, source: str) -> list[int]:
    """The last columns; at least one must be left for a descriptor."""
    if isinstance(n_objectives, bool) or n_objectives < 1:
        raise InputError(sentence("read_candidates", "n_objectives", "be 1 or more", n_objectives))
    if n_objectives >= len(left):
        wanted = f"leave a descriptor when the last {n_objectives} of {len(left)} columns are results"
        if n_objectives == 1:
            wanted = "leave a descriptor beside the column of results"
        _refuse_roles(cells, left[-n_objectives:], used, wanted, source, fewer=n_objectives > 1)
    return left[-n_objectives:]


def _phase_column(
    cells: TableBytes, left: list[int], dialect: str, n_objectives: int, source: str
) -> int | None:
    """Column of phases: the only first or last column that is no descriptor."""
    if dialect == "nimo" or (dialect == "auto" and n_objectives != 1) or len(left) < 2:
        return None
    ends = [left[0], left[-1]]
    if dialect == "auto":
        words = [column for column in ends if _holds_words(cells, column)]
        return words[0] if len(words) == 1 else None
    odd = [column for column in ends if not _is_numeric(cells, column) or _has_blanks(cells, column)]
    if len(odd) != 1:
        names = [cells.header[column] for column in ends]
        raise InputError(
            sentence("read_candidates", "label", "be given where not exactly one column is no descriptor",
                     names, at=f"in '{source}'", remedy=f"Pass label={names[0]!r} or label={names[-1]!r}.")
        )  # fmt: skip
    return odd[0]


def _holds_words(cells: TableBytes, column: int) -> bool:
    """Whether a column holds words that are neither results nor marks of missing ones."""
    _, odd, _, _ = plain_numbers(cells, column)
    texts = cells.column(column, odd[:200])
    return any(read_result(text).status == "text" and read_cell(text).kind != "number" for text in texts)


def _has_blanks(cells: TableBytes, column: int) -> bool:
    return bool(plain_numbers(cells, column)[2].any())


def _is_numeric(cells: TableBytes, column: int) -> bool:
    """Whether most cells of a column are numbers; a stray word is then an error, not a role."""
    _, odd, blank, _ = plain_numbers(cells, column)
    texts = cells.column(column, odd[:1000])
    words = sum(read_cell(text).kind not in ("number", "infinite") for text in texts)
    return 2 * (words + int(blank.sum())) < cells.n_rows


def _unnamed(cells: TableBytes, source: str) -> set[int]:
    """Columns without a name: empty ones, and the row numbers that pandas writes."""
    found = set()
    for column, name in enumerate(cells.header):
        if name:
            continue
        values, _, blank, _ = plain_numbers(cells, column)
        counted = column == 0 and np.array_equal(values, np.arange(len(values)))
        if not (blank.all() or counted):
            raise InputError(
                sentence("read_candidates", "header", "name every column", "a blank",
                         at=f"at column {column + 1} of '{source}'", remedy="Write a name above the column.")
            )  # fmt: skip
        found.add(column)
    return found


def _column(cells: TableBytes, name: str, argument: str, source: str) -> int:
    """Column of a name, with or without its unit."""
    if name in cells.header:
        return cells.header.index(name)
    found = [k for k, header in enumerate(cells.header) if split_unit(header)[0] == split_unit(name)[0]]
    if len(found) != 1:
        raise InputError(
            sentence("read_candidates", argument, f"name a column of '{source}'", name,
                     remedy=f"Columns are {', '.join(map(repr, cells.header))}.")
        )  # fmt: skip
    return found[0]


def _refuse_roles(
    cells: TableBytes, goals: Sequence[int], used: set[int], requirement: str, source: str, *, fewer: bool
) -> None:
    """Error that lists how every column was read; ``fewer`` results than were asked for would help."""
    roles = [
        f"{name!r} {'result' if column in goals else 'left out' if column in used else 'descriptor'}"
        for column, name in enumerate(cells.header)
    ]
    if fewer:
        remedy = "Lower n_objectives, or name the objectives."
    elif used:
        remedy = "Give fewer columns the role id, cost or ignore."
    else:
        remedy = "Add a column of numbers that describes the candidates."
    raise InputError(
        sentence("read_candidates", "columns", requirement, ", ".join(roles), at=f"in '{source}'",
                 remedy=remedy)
    )  # fmt: skip
