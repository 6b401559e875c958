"""A phase diagram kept in files: a list whose phase cells are the results, and a record beside it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sozai import __version__
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.records import Proposal
from sozai.contracts.table_files import read_bytes
from sozai.contracts.whole_file import replace_file
from sozai.proposals.candidate_identity import identities, identity_text
from sozai.proposals.candidates_table import CandidatesTable, read_candidates
from sozai.proposals.coexistence import Coexistence
from sozai.proposals.phase_cells import split_phases
from sozai.proposals.phase_diagram import PhaseDiagramProposer
from sozai.proposals.phase_samples import canonical_phase
from sozai.study.file_lock import file_lock

__all__ = ["PhaseStudy", "open_phase_diagram", "phase_record_path"]

_FORMAT, _SCHEMA = "sozai phase diagram", 1


class PhaseStudy:
    r"""Samples, running points and what to measure next, of one list of points with a column of phases.

    Parameters
    ----------
    table : CandidatesTable
        Read with ``label``.
    proposer : PhaseDiagramProposer, optional
        Its settings count; its candidates are those of the table.
    path : Path, optional
        Where :meth:`save` writes.
    record : mapping, optional
        What was remembered beside the list.
    compositions : mapping of int to (sequence of str, array-like), optional
        Measured compositions of the phases of some rows.

    Attributes
    ----------
    results : dict of int to list of str
        Labels of every measured row, the latest last.
    running : list of int
        Rows that are being measured, in the order of their start.
    notes : list of str
        What was found to differ from the record.

    See Also
    --------
    sozai.study.open_campaign : The same for results that are numbers.

    Notes
    -----
    The cells hold the results; the record ``NAME.phases.json`` holds only what no cell can: which points
    are running, and earlier labels of a point that was labeled twice. A list without a record is complete.
    Points are known by their descriptors, so that the list may be sorted, cut and extended by hand.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "diagram.csv")
    >>> _ = path.write_bytes(b"A,B,phase\n1.00,0,FCC\n0.50,0.50,\n0,1.00,\n")
    >>> study = open_phase_diagram(path)
    >>> study.tell(2, "BCC").save().read_bytes()
    b'A,B,phase\n1.00,0,FCC\n0.50,0.50,\n0,1.00,BCC\n'
    >>> [proposal.index for proposal in study.ask()]
    [1]
    """

    def __init__(
        self,
        table: CandidatesTable,
        proposer: PhaseDiagramProposer | None = None,
        *,
        path: Path | None = None,
        record: Mapping[str, Any] | None = None,
        compositions: Mapping[int, Any] | None = None,
    ):
        if not table.roles.phases:
            raise InputError(
                sentence("PhaseStudy", "table", "have a column of phases", table.cells.header,
                         at=f"in '{table.source}'", remedy="Name it by label=.")
            )  # fmt: skip
        self.table, self.path = table, path
        self.settings = {} if proposer is None else proposer.get_params(deep=False)
        self.settings["candidates"] = table.descriptors
        self.compositions = dict(compositions or {})
        self.notes: list[str] = []
        self._codes = self._identities(table)
        self._edits: dict[str, str | None] = {}
        self._changes: set[str] = set()
        self._proposer: PhaseDiagramProposer | None = None
        self._take(record or {})

    def __repr__(self) -> str:
        column = self.table.results[0].name
        return (
            f"PhaseStudy({len(self.results)} of {len(self._codes)} points labeled in {column!r}, "
            f"{len(self.running)} running)"
        )

    # --- reading -------------------------------------------------------------------------------------

    @property
    def proposer(self) -> PhaseDiagramProposer:
        """The proposer that knows all results."""
        if self._proposer is None:
            made = PhaseDiagramProposer(**self.settings)
            made.to_frame()  # a list that cannot be used is refused before any label is
            for row in sorted(self.results):
                for label in self.results[row]:
                    made.tell(row, label, self._measured(row, label))
            self._proposer = made
        return self._proposer

    def with_compositions(self, compositions: Mapping[int, tuple[Sequence[str], Any]]) -> PhaseStudy:
        """Take in measured compositions of the phases of some rows: phases, and a row of fractions each."""
        self.compositions |= {int(row): (tuple(phases), table) for row, (phases, table)
                              in compositions.items()}  # fmt: skip
        self._proposer = None
        return self

    def ask(self, n: int = 1, *, recheck: bool = False) -> list[Proposal]:
        """Points to measure next; running ones are reckoned with and not proposed again."""
        return self.proposer.ask(n, recheck=recheck, running=self.running)

    # --- changing ------------------------------------------------------------------------------------

    def tell(self, row: int | Proposal, phase: str, compositions: Any = None) -> PhaseStudy:
        """Record the phases of a point.

        Parameters
        ----------
        row : int or Proposal
        phase : str
            A second, different label of a point is kept beside the first; the cell holds the latest.
        compositions : optional
            As for :meth:`~sozai.proposals.phase_diagram.PhaseDiagramProposer.tell`.

        Returns
        -------
        PhaseStudy
            Itself.
        """
        at = self._row(row, "tell")
        known = list(dict.fromkeys(label for labels in self.results.values() for label in labels))
        label = canonical_phase(phase, known, place="PhaseStudy.tell", at=f"for row {at}")
        if compositions is not None:
            self.compositions[at] = _pairs(label, compositions)
        self.proposer.tell(at, label, self._measured(at, label))
        self.results.setdefault(at, []).append(label)
        self._note_change(at)
        if at in self.running:
            self.running.remove(at)
        return self

    def withdraw(self, row: int) -> str:
        """Take the latest label of a point back, and return it."""
        at = self._row(row, "withdraw")
        if at not in self.results:
            raise InputError(sentence("PhaseStudy.withdraw", "the row", "have a label", at))
        label = self.results[at].pop()
        if not self.results[at]:
            del self.results[at]
        self._note_change(at)
        self._proposer = None
        return label

    def start(self, proposals: Sequence[Proposal | int]) -> PhaseStudy:
        """Mark points as being measured."""
        for one in proposals:
            row = self._row(one, "start")
            if row not in self.running:
                self.running.append(row)
                self._changes.add(self._name(row))
        return self

    def release(self, rows: Sequence[int] | None = None) -> int:
        """Undo :meth:`start` for some points or all; how many there were."""
        wanted = list(self.running) if rows is None else [self._row(row, "release") for row in rows]
        gone = [row for row in self.running if row in wanted]
        self._changes |= {self._name(row) for row in gone}
        self.running = [row for row in self.running if row not in gone]
        return len(gone)

    def save(self, *, timeout: float = 30.0) -> Path:
        """Write the record, then the changed cells of the list; what others wrote meanwhile stays.

        Parameters
        ----------
        timeout : float
            Seconds to wait for another process that is saving.

        Returns
        -------
        Path
            The list.
        """
        if self.path is None:
            raise InputError(
                sentence("PhaseStudy.save", "path", "name a text table", None,
                         remedy="Open the list by open_phase_diagram.")
            )  # fmt: skip
        with file_lock(self.path.with_name(f"{self.path.stem}.phases.lock"), timeout=timeout):
            data = read_bytes(self.path)
            table = read_candidates(data, **self._reading(), source=str(self.path))
            place = {identity_text(code): k for k, code in reversed(list(enumerate(self._identities(table))))}
            cells = {(place[name], 0): text for name, text in self._edits.items() if name in place}
            record = self._merged_record(phase_record_path(self.path))
            if record is not None:
                replace_file(phase_record_path(self.path), record)
            new = table.with_results(cells)
            if new != data:
                replace_file(self.path, new)
        self._edits, self._changes = {}, set()
        return self.path

    # --- inside --------------------------------------------------------------------------------------

    def _take(self, record: Mapping[str, Any]) -> None:
        """Results of the cells, and what the record adds."""
        column = self.table.results[0]
        names = [identity_text(code) for code in self._codes]
        place = {name: k for k, name in reversed(list(enumerate(names)))}
        self.results: dict[int, list[str]] = {}
        for row, label in enumerate(column.labels or []):
            if label is not None:
                self.results.setdefault(place[names[row]], []).append(label)
        for name, labels in record.get("labels", {}).items():
            row = place.get(name, -1)
            if row < 0 or len(labels) < 2:
                continue
            if self.results.get(row, [None])[-1] == labels[-1]:
                self.results[row] = list(labels)
            else:
                self.notes.append(
                    f"Row {row} was changed by hand; its earlier labels ({', '.join(labels)}) are forgotten."
                )
        known = [place[name] for name in record.get("running", ()) if name in place]
        self.running: list[int] = [row for row in known if row not in self.results]

    def _measured(self, row: int, label: str) -> Coexistence | None:
        """Compositions of the phases of a row, if they are those of this label."""
        if row not in self.compositions:
            return None
        phases, table = self.compositions[row]
        if sorted(phases) != sorted(split_phases(label)):
            return None
        return Coexistence(phases, table, place="PhaseStudy")

    def _note_change(self, row: int) -> None:
        """Remember what the cell of a row is to hold."""
        labels = self.results.get(row)
        self._edits[self._name(row)] = labels[-1] if labels else None
        self._changes.add(self._name(row))

    def _merged_record(self, place: Path) -> bytes | None:
        """The record with our changes in it; None where there is nothing to remember."""
        before = read_phase_record(place) if place.exists() else {}
        labels, running = dict(before.get("labels", {})), list(before.get("running", ()))
        mine = {self._name(row): texts for row, texts in self.results.items()}
        ours = [self._name(row) for row in self.running]
        for name in self._changes:
            labels.pop(name, None)
            if len(mine.get(name, ())) > 1:
                labels[name] = mine[name]
            running = [other for other in running if other != name]
        running += [name for name in ours if name in self._changes]
        if not (labels or running or before):
            return None
        head = {"format": _FORMAT, "schema": _SCHEMA, "version": __version__,
                "label": self.table.results[0].name, "running": running, "labels": labels}  # fmt: skip
        body = json.dumps(head, ensure_ascii=True, indent=1)
        whole = {**head, "sha256": hashlib.sha256(body.encode()).hexdigest()}
        return (json.dumps(whole, ensure_ascii=True, indent=1) + "\n").encode("ascii")

    def _reading(self) -> dict[str, Any]:
        """How the list is read."""
        roles, header = self.table.roles, self.table.cells.header
        return {
            "label": header[roles.objectives[0]],
            "id": None if roles.id is None else header[roles.id],
            "ignore": [name for name in roles.dropped if name],
            "encoding": self.table.cells.wire,
            "delimiter": self.table.cells.delimiter,
            "decimal": "," if "," in self.table.decimals.values() else None,
        }

    def _row(self, where: Any, what: str) -> int:
        """First row of the point that is meant."""
        row = where.index if isinstance(where, Proposal) else where
        if isinstance(row, bool) or not isinstance(row, (int, np.integer)) or not 0 <= row < len(self._codes):
            raise InputError(
                sentence(f"PhaseStudy.{what}", "row", f"lie in the list (0 to {len(self._codes) - 1})", row,
                         remedy="Count rows from 0 without the header.")
            )  # fmt: skip
        return int(np.flatnonzero(self._codes == self._codes[int(row)])[0])

    def _name(self, row: int) -> str:
        return identity_text(self._codes[row])

    @staticmethod
    def _identities(table: CandidatesTable) -> Any:
        return identities(table.descriptors.to_numpy(dtype=np.float64), 0)


def _pairs(label: str, compositions: Any) -> tuple[tuple[str, ...], Any]:
    """Phases and their compositions, in one order."""
    if isinstance(compositions, Coexistence):
        return compositions.phases, compositions.compositions
    if isinstance(compositions, Mapping):
        return tuple(compositions), list(compositions.values())
    return split_phases(label), compositions


def open_phase_diagram(
    path: str | os.PathLike[str],
    label: str | None = None,
    *,
    id: str | None = None,
    ignore: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    proposer: PhaseDiagramProposer | None = None,
) -> PhaseStudy:
    r"""Open a list of points with a column of phases, and what was remembered of it.

    Parameters
    ----------
    path : path-like
        The list, or the folder that holds ``candidates.csv``.
    label : str, optional
        Column of phases; the only first or last column that is no descriptor when left out.
    id, ignore, encoding, delimiter, decimal
        As for :func:`~sozai.proposals.candidates_table.read_candidates`.
    proposer : PhaseDiagramProposer, optional
        Settings.

    Returns
    -------
    PhaseStudy

    Raises
    ------
    InputError
        With file, row, column and remedy; for a record that was changed or is newer than this package.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "diagram.csv")
    >>> _ = path.write_bytes("相,Zn,Cu\n液相,100,0\n,50,50\n".encode("cp932"))
    >>> open_phase_diagram(path)
    PhaseStudy(1 of 2 points labeled in '相', 0 running)
    """
    place = Path(path)
    place = place / "candidates.csv" if place.is_dir() else place
    beside = phase_record_path(place)
    record = read_phase_record(beside) if beside.exists() else {}
    table = read_candidates(
        read_bytes(place), label=label or record.get("label"), id=id, ignore=ignore, encoding=encoding,
        delimiter=delimiter, decimal=decimal, dialect="aiphad", source=str(place),
    )  # fmt: skip
    return PhaseStudy(table, proposer, path=place, record=record)


def phase_record_path(path: Path) -> Path:
    """The record beside a list.

    Examples
    --------
    >>> phase_record_path(Path("diagram.csv")).name
    'diagram.phases.json'
    """
    return path.with_name(f"{path.stem}.phases.json")


def read_phase_record(path: Path) -> dict[str, Any]:
    """Read a record, after checking every byte of it."""
    try:
        found = json.loads(path.read_bytes().decode("ascii"))
    except (ValueError, RecursionError) as error:
        _refuse(path, "be JSON", str(error)[:80])
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        _refuse(path, "be the record of a phase diagram", type(found).__name__)
    if found.get("schema") != _SCHEMA:
        _refuse(path, f"have schema {_SCHEMA}", found.get("schema"))
    given = found.pop("sha256", None)
    body = json.dumps(found, ensure_ascii=True, indent=1)
    if given != hashlib.sha256(body.encode()).hexdigest():
        _refuse(path, "be as it was written", "other bytes")
    return found


def _refuse(path: Path, requirement: str, value: object) -> Any:
    raise InputError(
        sentence("open_phase_diagram", "the record", requirement, value, at=f"in '{path}'",
                 remedy="Restore it from a copy, or remove it: results are in the list.")
    )  # fmt: skip
