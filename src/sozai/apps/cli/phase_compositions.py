"""Measured compositions of coexisting phases, from a table of one line a phase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.study.phase_folder import PhaseStudy

__all__ = ["read_compositions"]

_ROWS = ("row", "actions", "index")
_PHASES = ("phase", "phase_name", "相")


def read_compositions(path: Path, study: PhaseStudy) -> dict[int, tuple[tuple[str, ...], Any]]:
    """Phases and their compositions by row of the list.

    Parameters
    ----------
    path : Path
        A table with a column ``row`` (from 0, or the name of ``--id``), a column ``phase``, and one column
        for each component, named as in the list.
    study : PhaseStudy

    Raises
    ------
    InputError
        For a missing column, a row that is not in the list, a cell that is no number, or a row whose phases
        are not those of its label.
    """
    from sozai.contracts.table_files import read_bytes
    from sozai.proposals.column_reader import ColumnReader
    from sozai.proposals.phase_cells import split_phases
    from sozai.proposals.table_bytes import read_cells

    place = "--compositions"
    cells = read_cells(read_bytes(path), source=str(path))
    grid = study.proposer.map_
    parts = [grid.names[j] for j in grid.composition]
    if not parts:
        raise InputError(
            sentence(place, "the list", "have columns of a composition", study.table.source,
                     remedy="Name them by --composition.")
        )  # fmt: skip
    row_name = _first(cells.header, _ROWS, path, "a column 'row'")
    phase_name = _first(cells.header, _PHASES, path, "a column 'phase'")
    missing = [name for name in parts if name not in cells.header]
    if missing:
        raise InputError(
            sentence(place, f"'{path}'", f"have a column for each of {', '.join(parts)}", cells.header,
                     remedy=f"Add {missing[0]!r}.")
        )  # fmt: skip
    reader = ColumnReader(cells, str(path), None, [])
    table = np.column_stack([reader.descriptor(cells.header.index(name)) for name in parts]).astype(float)
    found: dict[int, tuple[list[str], list[Any]]] = {}
    names = cells.column(cells.header.index(row_name))
    for k, phase in enumerate(cells.column(cells.header.index(phase_name))):
        row = _row(names[k].strip(), int(cells.lines[k]), path, study)
        one = split_phases(phase)
        if len(one) != 1:
            raise InputError(
                sentence(place, "phase", "be one phase a line", phase, at=f"at line {int(cells.lines[k])}")
            )
        phases, rows = found.setdefault(row, ([], []))
        phases.append(one[0])
        rows.append(table[k])
    _check_labels(found, study, path)
    return {row: (tuple(phases), np.array(rows)) for row, (phases, rows) in found.items()}


def _check_labels(found: dict[int, Any], study: PhaseStudy, path: Path) -> None:
    """Compositions belong to the phases of the label."""
    from sozai.proposals.phase_cells import split_phases

    for row, (phases, _) in found.items():
        label = study.results.get(row, [None])[-1]
        if label is not None and sorted(split_phases(label)) != sorted(phases):
            raise InputError(
                sentence("--compositions", f"the phases of row {row}", f"be those of its label ({label})",
                         "+".join(phases), at=f"in '{path}'", remedy="Correct one of the two.")
            )  # fmt: skip


def _first(header: tuple[str, ...], wanted: tuple[str, ...], path: Path, what: str) -> str:
    """Column of one of several names."""
    found = next((name for name in header if name.casefold() in wanted), None)
    if found is None:
        raise InputError(sentence("--compositions", f"'{path}'", f"have {what}", header))
    return found


def _row(head: str, line: int, path: Path, study: PhaseStudy) -> int:
    """First row of the point that a cell means."""
    ids, n = study.table.ids, len(study.table.descriptors)
    if ids is not None and ids.count(head) == 1:
        return study._row(ids.index(head), "compositions")
    if not head.isdecimal() or int(head) >= n:
        raise InputError(
            sentence("--compositions", "row", f"be one of the list, 0 to {n - 1}", head,
                     at=f"at line {line} of '{path}'")
        )  # fmt: skip
    return study._row(int(head), "compositions")
