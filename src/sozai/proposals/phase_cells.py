"""What a phase cell says: the set of phases found together, whatever their order and spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sozai.contracts.table_cells import as_ascii

__all__ = ["PhaseLabels", "read_phases", "split_phases"]

_WHOLE_NUMBER = re.compile(r"([+-]?\d+)(?:\.0*)?")


class PhaseLabels(NamedTuple):
    """Phases of a column.

    Attributes
    ----------
    labels : list of (str or None)
        One canonical text per cell; None where nothing was measured.
    phases : list of str
        The distinct labels, in the order in which they first appear.
    repairs : list of (int, str, str)
        Position, what was found, what was done.
    """

    labels: list[str | None]
    phases: list[str]
    repairs: list[tuple[int, str, str]]


def split_phases(text: str, separators: str = "+/&") -> tuple[str, ...]:
    """Phases of one cell, as written; a number stands for the phase of that number.

    Parameters
    ----------
    text : str
    separators : str
        Characters that stand between phases. A cell in which one of them would
        leave a phase without a name is one phase. Full-width forms count too.

    Returns
    -------
    tuple of str
        Empty for an empty cell.

    Examples
    --------
    >>> split_phases("FCC_A1 + LIQUID"), split_phases("1.0"), split_phases("Cu2+")
    (('FCC_A1', 'LIQUID'), ('1',), ('Cu2+',))
    """
    if not text.strip():
        return ()
    clean = as_ascii(text)
    parts = [part.strip() for part in re.split(f"[{re.escape(separators)}]", clean)]
    if not all(parts):
        parts = [clean]
    return tuple(_as_name(part) for part in parts)


def read_phases(cells: Sequence[str], separators: str = "+/&") -> PhaseLabels:
    """Phases of a column of cells.

    Parameters
    ----------
    cells : sequence of str
        As they stand in the file. ``NA`` is a phase.
    separators : str

    Returns
    -------
    PhaseLabels

    Notes
    -----
    The order of phases in a cell means nothing, their number does: ``A+A`` is a
    miscibility gap and not ``A``. A set is written as it was first seen. Among
    labels that are all whole numbers, ``-1`` stands for not measured.

    Examples
    --------
    >>> found = read_phases(["A+B", "B+A", "", "A+A", "A"])
    >>> found.labels, found.phases
    (['A+B', 'A+B', None, 'A+A', 'A'], ['A+B', 'A+A', 'A'])
    >>> read_phases(["1", "-1", "2.0"]).labels
    ['1', None, '2']
    """
    known: dict[str, str | None] = {"": None}
    canonical: dict[tuple[str, ...], str] = {}
    for cell in dict.fromkeys(cells):
        parts = split_phases(cell, separators)
        known[cell] = canonical.setdefault(tuple(sorted(parts)), "+".join(parts)) if parts else None
    numbers = {text for text in canonical.values() if _WHOLE_NUMBER.fullmatch(text)}
    repairs: list[tuple[int, str, str]] = []
    if "-1" in numbers and numbers == set(canonical.values()) and len(numbers) > 1:
        for cell, label in known.items():
            known[cell] = None if label == "-1" else label
        at = next(k for k, cell in enumerate(cells) if split_phases(cell, separators) == ("-1",))
        repairs.append((at, "'-1' among phases that are whole numbers", "read as not measured"))
    labels = [known[cell] for cell in cells]
    phases = list(dict.fromkeys(label for label in labels if label is not None))
    return PhaseLabels(labels, phases, repairs)


def _as_name(part: str) -> str:
    """A phase called by a number: 1, 1.0 and +1 are the same."""
    match = _WHOLE_NUMBER.fullmatch(part)
    return str(int(match[1])) if match else part
