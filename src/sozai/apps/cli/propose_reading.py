"""From a file to a campaign: the list of candidates, its goals, and the record beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from sozai.apps.cli.loop_question import refuse_workbook
from sozai.apps.cli.propose_question import ProposeQuestion
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.proposals.campaign import Campaign
    from sozai.proposals.candidates_table import CandidatesTable
    from sozai.proposals.objectives import Objective
    from sozai.study.campaign_record import CampaignRecord

__all__ = ["CandidateList", "begin_campaign", "header_of", "read_list", "sheet_as_text", "unused_words"]


@dataclass(frozen=True)
class CandidateList:
    """A list of candidates as it was read.

    Attributes
    ----------
    table : CandidatesTable
    objectives : tuple of Objective
        In the order of the columns of results, in their units.
    record : CampaignRecord or None
        What was remembered of it.
    """

    table: CandidatesTable
    objectives: tuple[Objective, ...]
    record: CampaignRecord | None = None


def read_list(question: ProposeQuestion) -> CandidateList:
    """Read the list with the roles and goals that were asked for, or that the record remembers.

    Raises
    ------
    InputError
        With file, row, column and remedy.
    """
    from sozai.contracts.table_files import read_bytes
    from sozai.contracts.table_sheets import is_workbook
    from sozai.study.campaign_record import read_record, record_path

    place = question.list_path
    data = read_bytes(place)
    if is_workbook(data, place):
        refuse_workbook(question, "results")
        table = _as_asked(question, sheet_as_text(data, question))
        return CandidateList(table, _goals(question, table))
    if question.sheet is not None:
        raise InputError(
            sentence("--sheet", f"'{place}'", "be an XLSX file", question.sheet, remedy="Leave it out.")
        )
    beside = record_path(place)
    if beside.exists():
        return _remembered(question, data, read_record(beside.read_bytes(), str(beside)))
    table = _as_asked(question, data)
    return CandidateList(table, _goals(question, table))


def begin_campaign(
    listed: CandidateList, question: ProposeQuestion, proposer: Any, *, remember: bool
) -> Campaign:
    """The campaign of a list; with ``remember`` its record is written, otherwise nothing is.

    Parameters
    ----------
    listed : CandidateList
    question : ProposeQuestion
    proposer : PoolProposer
    remember : bool
    """
    from sozai.study.campaign_folder import open_campaign

    if listed.record is None and not remember:
        return _passing_campaign(listed, question.seed or 0, proposer)
    if listed.record is not None:
        began = int(listed.record.events[0].data["random_state"])
        if question.seed not in (None, began):
            raise UsageError(
                sentence("--seed", "the seed", f"be {began}, as when the campaign began", question.seed,
                         remedy="Leave it out.")
            )  # fmt: skip
        if set(listed.table.roles.dropped) <= set(listed.record.roles["ignored"]):
            return open_campaign(
                question.list_path, objectives=listed.objectives, proposer=proposer, **_reading(question)
            )
    roles, header = listed.table.roles, listed.table.cells.header
    return open_campaign(
        question.list_path,
        objectives=listed.objectives,
        id=None if roles.id is None else header[roles.id],
        cost=None if roles.cost is None else header[roles.cost],
        ignore=roles.dropped,
        proposer=proposer,
        random_state=question.seed or 0,
        **_reading(question),
    )


def unused_words(listed: CandidateList, question: ProposeQuestion) -> list[str]:
    """Columns that nobody asked to leave out: of words, or new in the list; a descriptor that only counts."""
    import numpy as np

    table, notes = listed.table, []
    header = table.cells.header
    asked = {header_of(name, header, "--ignore", table.source) for name in question.ignore}
    left = [name for name in table.roles.dropped if name not in asked]
    if listed.record is not None:
        new = [name for name in left if name not in listed.record.roles["ignored"]]
        were = "were" if len(new) > 1 else "was"
        began = f"({were} not there when the campaign began)"
        return [f"Not used: {', '.join(map(repr, new))} {began}."] if new else []
    if left:
        notes.append(f"Not used: {', '.join(map(repr, left))} (not numbers).")
    for name, column in table.descriptors.items():
        steps = np.diff(column.to_numpy(dtype=np.float64))
        if len(steps) > 2 and (steps == 1).all() and len(table.descriptors.columns) > 1:
            notes.append(
                f"Column {name!r} only counts the rows, and is used as a descriptor. If it means nothing, "
                "give it to --id or --ignore."
            )
    return notes


def _reading(question: ProposeQuestion) -> dict[str, str | None]:
    """How the file is read, where that was said."""
    return {key: getattr(question, key) for key in ("encoding", "delimiter", "decimal")}


# --- the table ------------------------------------------------------------------------------------------


def _as_asked(question: ProposeQuestion, data: bytes) -> CandidatesTable:
    """The table with the roles of the options."""
    from sozai.proposals.candidates_table import read_candidates
    from sozai.proposals.table_bytes import read_cells

    source = str(question.list_path)
    reading = {"encoding": question.encoding, "delimiter": question.delimiter}
    header = read_cells(data, **reading, source=source).header
    named = [header_of(name, header, "--objective", source) for name, _ in question.goals]
    twice = next((name for k, name in enumerate(named) if name in named[:k]), None)
    if twice is not None:
        raise UsageError(
            sentence("--objective", "each column", "have one goal", twice, remedy="Name it once.")
        )
    roles: dict[str, Any] = {
        "id": question.id and header_of(question.id, header, "--id", source),
        "cost": question.cost and header_of(question.cost, header, "--cost", source),
        "ignore": [header_of(name, header, "--ignore", source) for name in question.ignore],
    }
    _refuse_double_roles(named, roles)
    if named:
        roles["objectives"] = named
    else:
        roles |= {"n_objectives": question.n_objectives or 1, "dialect": "nimo"}
    return read_candidates(data, **roles, **reading, decimal=question.decimal, source=source)


def header_of(name: str, header: tuple[str, ...], option: str, source: str) -> str:
    """Column of a name, with or without its unit; the nearest names where there is none."""
    from sozai.contracts.unit_headers import split_unit

    if name in header:
        return name
    wanted, unit = split_unit(name)
    found = [
        column
        for column in header
        if split_unit(column)[0] == wanted and unit in (None, split_unit(column)[1])
    ]
    if len(found) == 1:
        return found[0]
    folded = {column.casefold(): column for column in header if column}
    folded |= {split_unit(column)[0].casefold(): column for column in header if column}
    same = [folded[word] for word in (name.casefold(), wanted.casefold()) if word in folded]
    close = get_close_matches(name.casefold(), folded, n=4, cutoff=0.5)
    near = found or same[:1] or [folded[word] for word in close]
    listed = " or ".join(map(repr, dict.fromkeys(near)))
    remedy = f"Did you mean {listed}?" if near else f"Columns are {', '.join(map(repr, header))}."
    raise InputError(sentence(option, "the name", f"be a column of '{source}'", name, remedy=remedy))


def _refuse_double_roles(named: list[str], roles: dict[str, Any]) -> None:
    """One column, one role."""
    others = {"--id": [roles["id"]], "--cost": [roles["cost"]], "--ignore": roles["ignore"]}
    for option, columns in others.items():
        both = next((name for name in columns if name in named), None)
        if both is not None:
            raise UsageError(
                sentence(option, "the column", "not be an objective", both, remedy="Name it once.")
            )


def sheet_as_text(data: bytes, question: Any) -> bytes:
    """One sheet of a workbook as CSV in UTF-8; rows stay on their lines.

    Parameters
    ----------
    data : bytes
    question : ProposeQuestion or PhasesQuestion
        Its ``list_path`` and ``sheet``.
    """
    from sozai.contracts.table_report import RepairLog
    from sozai.contracts.table_sheets import read_sheet, refuse_merged

    log = RepairLog(question.list_path)
    records, _, merged = read_sheet(data, question.sheet, log)
    filled = [record for record in records if any(str(cell).strip() for cell in record.cells)]
    if not filled:
        raise InputError(
            sentence(
                "read_candidates", "file", "have rows", "an empty sheet", at=f"in '{question.list_path}'"
            )
        )
    refuse_merged(merged, filled[0].row, log)
    width = max(
        place + 1 for record in filled for place, cell in enumerate(record.cells) if str(cell).strip()
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    line = 1
    for record in filled:
        text.write("\r\n" * (record.row - line))
        writer.writerow([_cell_text(cell) for cell in (*record.cells, *[""] * width)[:width]])
        line = record.row + 1
    return text.getvalue().encode("utf-8-sig")


def _cell_text(cell: Any) -> str:
    """Cell as one would type it."""
    return repr(cell) if isinstance(cell, float) else str(cell)


# --- goals ----------------------------------------------------------------------------------------------


def _goals(question: ProposeQuestion, table: CandidatesTable) -> tuple[Objective, ...]:
    """Goals in the order of the columns of results."""
    from sozai.proposals.objectives import Objective

    if not question.goals:
        goal = question.direction or "maximize"
        return tuple(Objective(column.name, goal, column.unit) for column in table.results)
    return tuple(
        Objective(column.name, goal, column.unit)
        for column, (_, goal) in zip(table.results, question.goals, strict=True)
    )


def _remembered(question: ProposeQuestion, data: bytes, record: CampaignRecord) -> CandidateList:
    """The list with the roles of its record; goals that are given count in the place of the remembered."""
    from sozai.proposals.candidates_table import read_candidates
    from sozai.proposals.table_bytes import read_cells

    source = str(question.list_path)
    reading = {
        key: getattr(question, key) or record.dialect.get(key) for key in ("encoding", "delimiter", "decimal")
    }
    cells = read_cells(data, encoding=reading["encoding"], delimiter=reading["delimiter"], source=source)
    roles: dict[str, Any] = {key: record.roles[key] for key in ("id", "cost", "objectives")}
    for key in ("id", "cost"):
        if getattr(question, key) is not None:
            roles[key] = header_of(getattr(question, key), cells.header, f"--{key}", source)
    given = [header_of(name, cells.header, "--ignore", source) for name in question.ignore]
    names = record.events[0].data["names"]
    used = {*names, *roles["objectives"], roles["id"], roles["cost"]}
    others = [name for name in cells.header if name and name not in used]
    roles["ignore"] = list(dict.fromkeys([*given, *others]))
    goals = {header_of(name, cells.header, "--objective", source): goal for name, goal in question.goals}
    n_given = question.n_objectives or len(goals) or len(roles["objectives"])
    if set(goals) - set(roles["objectives"]) or n_given != len(roles["objectives"]):
        asked = list(goals) or f"{n_given} columns"
        _refuse_change("objectives", roles["objectives"], asked, source)
    table = read_candidates(data, **roles, **reading, source=source)
    found = [table.cells.header[k] for k in table.roles.descriptors]
    if sorted(found) != sorted(names):
        lost = [name for name in names if name not in cells.header]
        _refuse_change("descriptors", names, found, source, lost)
    return CandidateList(table, _goals_of_record(question, record, goals), record)


def _goals_of_record(
    question: ProposeQuestion, record: CampaignRecord, goals: dict[str, Any]
) -> tuple[Objective, ...]:
    """Goals in the order of the record: given now, or remembered."""
    from sozai.proposals.objectives import Objective
    from sozai.study.campaign_record import record_path, unpack_objectives

    known = unpack_objectives(record.objectives, str(record_path(question.list_path)))
    return tuple(
        Objective(o.name, goals.get(header, question.direction or o.goal), o.unit, o.noise)
        for o, header in zip(known, record.roles["objectives"], strict=True)
    )


def _refuse_change(
    word: str, wanted: list[str], found: object, source: str, lost: Sequence[str] = ()
) -> NoReturn:
    """A campaign keeps its descriptors and its columns of results."""
    columns = f"column{'s' * (len(lost) > 1)} {', '.join(map(repr, lost))}"
    first = f"Restore the {columns}" if lost else "Leave these options out"
    raise InputError(
        sentence("propose candidates", word, f"be {wanted}, as when the campaign began", found,
                 at=f"in '{source}'",
                 remedy=f"{first}, or begin anew with a copy under another file name.")
    )  # fmt: skip


def _passing_campaign(listed: CandidateList, seed: int, proposer: Any) -> Campaign:
    """A campaign that nobody keeps: what the list says, and nothing else."""
    import numpy as np

    from sozai.proposals.campaign import Campaign

    table = listed.table
    frame = table.descriptors.copy()
    for column in table.results:
        frame[table.header_of(column)] = column.values
        frame[f"{column.name}__sigma"] = column.sigma
        frame[f"{column.name}__status"] = np.where(column.status != "blank", column.status, None)
    return Campaign(frame, listed.objectives, cost=table.cost, random_state=seed, proposer=proposer)
