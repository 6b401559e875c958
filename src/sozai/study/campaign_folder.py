"""A campaign kept in files: a list of candidates that stays as it was written, and a record beside it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.protocols import PoolProposer
from sozai.contracts.records import Proposal
from sozai.contracts.table_files import read_bytes
from sozai.contracts.whole_file import replace_file
from sozai.proposals.campaign import Campaign
from sozai.proposals.campaign_events import CampaignWarning
from sozai.proposals.candidate_identity import identities
from sozai.proposals.candidates_table import CandidatesTable, read_candidates
from sozai.proposals.objectives import Objective, as_objectives
from sozai.proposals.table_bytes import read_cells
from sozai.study.campaign_record import (
    CampaignRecord,
    pack_objectives,
    read_record,
    record_path,
    unpack_objectives,
    write_record,
)
from sozai.study.file_changes import among, cell_values, take_changes
from sozai.study.file_lock import file_lock

__all__ = ["open_campaign", "save_campaign", "write_proposals"]

_RETRIES = 5


def open_campaign(
    path: str | os.PathLike[str],
    n_objectives: int | None = None,
    dialect: str = "auto",
    *,
    objectives: Objective | str | Sequence[Objective | str] | None = None,
    label: str | None = None,
    id: str | None = None,
    cost: str | None = None,
    ignore: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    proposer: PoolProposer | None = None,
    retry_failed: bool = False,
    random_state: int | None = 0,
    settle: float = 1.0,
    timeout: float = 30.0,
) -> Campaign:
    r"""Open a list of candidates as a campaign, with everything that happened in it so far.

    Parameters
    ----------
    path : path-like
        The list, or the folder that holds ``candidates.csv``.
    n_objectives : int, optional
        The last so many columns are results; 1 when left out.
    dialect : {"auto", "nimo", "aiphad"}
    objectives : Objective, str or sequence of them, optional
        Goals, matched with the columns by name; a name alone is maximized. Kept
        in the record, so that they need not be given again.
    label, id, cost, ignore, encoding, delimiter, decimal
        As for :func:`~sozai.proposals.candidates_table.read_candidates`.
    proposer, retry_failed, random_state
        As for :class:`~sozai.proposals.campaign.Campaign`; ``random_state``
        counts when the campaign begins.
    settle : float
        A list that changed less than so many seconds ago is read only when it
        stays as it is for that long.
    timeout : float
        Seconds to wait for another process that is saving.

    Returns
    -------
    Campaign

    Raises
    ------
    InputError
        With file, row, column and remedy; for a record that was changed, is
        newer than this package, or is a pickle.

    Warns
    -----
    CampaignWarning
        For every difference between the list and the record: results entered by
        hand, candidates that joined or left, rows that moved.

    Notes
    -----
    The record ``candidates.sozai.json`` holds every event. Candidates are
    matched by their descriptor values, so that the list may be sorted, cut and
    extended by hand. A new result in the list is told; a changed one becomes a
    correction where the candidate has one result, and only a warning where it
    has several; an emptied one is a warning. What was found is put on record at
    once, so that it is reported once.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "candidates.csv")
    >>> _ = path.write_bytes(b"x,Tc [K]\r\n0.10,\r\n0.20,41.5\r\n0.30,\r\n")
    >>> campaign = open_campaign(path, settle=0)
    >>> campaign.tell(0, 39.25)
    TellReport(1 recorded)
    >>> _ = save_campaign(campaign, path)
    >>> path.read_bytes()
    b'x,Tc [K]\r\n0.10,39.25\r\n0.20,41.5\r\n0.30,\r\n'
    >>> open_campaign(path).status_
    CampaignStatus(2 of 3 observed, 0 failed, 0 running, 1 open, round 0)
    """
    place = _list_of(path)
    given = {"n_objectives": n_objectives, "label": label, "id": id, "cost": cost, "ignore": list(ignore)}
    reading = {"encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    goals = None if objectives is None else as_objectives(objectives, place="open_campaign")
    options = {"proposer": proposer, "retry_failed": retry_failed}
    with _locked(place, timeout):
        record = _record_of(place)
        data = _settled(place, settle, record)
        table = _table(data, place, record, given, dialect, goals, reading)
        if record is None:
            campaign = _begin(table, goals, options, random_state)
            _write(place, campaign, table, data, data, _roles(table, dialect), reading)
            return campaign
        known = unpack_objectives(record.objectives, str(record_path(place)))
        if goals is not None:
            known = _matched(goals, known, str(place))
        campaign = Campaign.from_events(
            _descriptors(table, record), known, record.events, cost=table.cost, **options
        )
        if _hash(data) not in (record.table["sha256"], record.table["before"]):
            take_changes(campaign, table, record.codes, str(place))
            _write(place, campaign, table, data, data, record.roles, record.dialect)
        return campaign


def save_campaign(campaign: Campaign, path: str | os.PathLike[str], *, timeout: float = 30.0) -> Path:
    """Write a campaign: the record first, then the results into the list of candidates.

    Parameters
    ----------
    campaign : Campaign
        Also takes in what other processes have saved since it was opened.
    path : path-like
        The list of candidates; written anew for a campaign that began without a file.
    timeout : float
        Seconds to wait for another process that is saving.

    Returns
    -------
    pathlib.Path
        The list of candidates.

    Raises
    ------
    InputError
        When the record belongs to another campaign, and for a space without any point.

    Warns
    -----
    CampaignWarning
        When the list is open in another program and could not be replaced: the
        record is complete, and the next save writes the list. When a campaign in a
        space is first saved: the list holds its points, and the space is to be given again.

    Notes
    -----
    Everything happens behind a lock file. Each file is written beside itself,
    flushed to the disk and put in place in one step, the record first: if the
    process dies in between, the record knows the list as it was before and as
    it was to be, and the next save completes it.
    """
    place = _list_of(path)
    with _locked(place, timeout):
        record = _record_of(place)
        if record is not None and record.events[0].id != campaign.events_[0].id:
            raise InputError(
                sentence("save_campaign", "path", "name the list of this campaign", str(place),
                         at=f"(its record began at {record.events[0].time})",
                         remedy="Choose another file name.")
            )  # fmt: skip
        data = read_bytes(place) if place.exists() else _fresh_list(campaign)
        if record is None:
            names = [objective.label for objective in campaign.objectives]
            table = read_candidates(data, objectives=names, source=str(place))
            roles, reading = _roles(table, "auto"), {}
            if place.exists():
                take_changes(campaign, table, campaign.pool.codes, str(place))
        else:
            table = _table(data, place, record, {}, "auto", None, {})
            roles, reading, events = record.roles, record.dialect, record.events
            if place.exists() and _hash(data) not in (record.table["sha256"], record.table["before"]):
                known = Campaign.from_events(campaign.pool.frame(), campaign.objectives, events)
                take_changes(known, table, record.codes, str(place), unsaved=campaign)
                events = known.events_
            campaign.merge(events)
        new = _with_results(campaign, table)
        _write(place, campaign, table, data, new, roles, reading)
    return place


def write_proposals(
    proposals: Sequence[Proposal], path: str | os.PathLike[str], candidates: str | os.PathLike[str]
) -> Path:
    r"""Write ``proposals.csv`` for a robot, and ``proposals.sozai.csv`` for people beside it.

    Parameters
    ----------
    proposals : sequence of Proposal
        Matched with the list by their descriptors, not by their row.
    path : path-like
    candidates : path-like
        The list, whose encoding, delimiter and spelling of descriptors are kept.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    InputError
        For a proposal that is not in the list.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "candidates.csv").write_bytes(b"x,Tc [K]\n0.10,\n0.20,41.5\n0.30,\n")
    >>> from sozai.proposals.model_free import ExhaustiveProposer
    >>> campaign = open_campaign(folder, proposer=ExhaustiveProposer(), settle=0)
    >>> write_proposals(campaign.ask(2), folder / "proposals.csv", folder).read_bytes()
    b'actions,x\n0,0.10\n2,0.30\n'
    """
    place, target = _list_of(candidates), Path(path)
    record = _record_of(place)
    table = _table(read_bytes(place), place, record, {}, "auto", None, {})
    frame = table.descriptors if record is None else _descriptors(table, record)
    salt = 0 if record is None else record.events[0].data["salt"]
    codes = identities(frame.to_numpy(dtype=np.float64), salt)
    rows = []
    for proposal in proposals:
        found = np.flatnonzero(codes == int(proposal.id, 16))
        if not len(found):
            raise InputError(
                sentence("write_proposals", "proposals", f"be candidates of '{place}'", proposal.x,
                         remedy="Save the campaign first, or propose again.")
            )  # fmt: skip
        rows.append(int(found[0]))
    _replace(target, table.proposals(rows))
    reasons = pd.DataFrame(
        {
            "actions": rows,
            "proposal_id": [proposal.id for proposal in proposals],
            "score": [proposal.score for proposal in proposals],
            **_predictions(proposals),
            "reason": [proposal.reason for proposal in proposals],
        }
    )
    _replace(target.with_name(f"{target.stem}.sozai.csv"), reasons.to_csv(index=False).encode("utf-8-sig"))
    return target


# --- steps --------------------------------------------------------------------------------------


def _list_of(path: str | os.PathLike[str]) -> Path:
    """The list of candidates; in a folder, ``candidates.csv``."""
    place = Path(path)
    if place.suffix in (".pkl", ".pickle", ".joblib"):
        raise InputError(
            sentence("open_campaign", "path", "name a CSV file; a pickle can run any program", str(place),
                     remedy="Name the list of candidates.")
        )  # fmt: skip
    return place / "candidates.csv" if place.is_dir() else place


@contextlib.contextmanager
def _locked(place: Path, timeout: float) -> Iterator[None]:
    """Behind the lock file; what a process that died left half written is removed."""
    if not place.parent.is_dir():
        raise InputError(
            sentence(
                "open_campaign", "path", "be in an existing folder", str(place), remedy="Create the folder."
            )
        )
    with file_lock(place.with_name(f"{place.stem}.sozai.lock"), timeout=timeout):
        for target in (place, record_path(place)):
            for part in place.parent.glob(f".{target.name}.*.part"):
                with contextlib.suppress(OSError):
                    part.unlink()
        yield


def _record_of(place: Path) -> CampaignRecord | None:
    """The record beside the list, if there is one."""
    beside = record_path(place)
    return read_record(beside.read_bytes(), str(beside)) if beside.exists() else None


def _settled(place: Path, settle: float, record: CampaignRecord | None) -> bytes:
    """Bytes of the list once nobody is writing it any more."""
    data = read_bytes(place)
    known = record is not None and _hash(data) in (record.table["sha256"], record.table["before"])
    while not known:
        before = place.stat()
        age = time.time() - before.st_mtime
        if not 0 <= age < settle:
            return read_bytes(place)
        time.sleep(min(settle - age, 0.2) + 0.01)
        data = read_bytes(place)
    return data


def _table(
    data: bytes, place: Path, record: CampaignRecord | None, given: dict[str, Any], dialect: str,
    goals: Sequence[Objective] | None, reading: dict[str, Any],
) -> CandidatesTable:  # fmt: skip
    """The list, with the roles that were given, or those of the record."""
    chosen = {key: value for key, value in given.items() if value}
    fixed = {key: value for key, value in (record.dialect if record else {}).items() if value}
    fixed |= {key: value for key, value in reading.items() if value}
    width = len(record.objectives) if record is not None else chosen.get("n_objectives")
    if chosen.get("n_objectives", width) != width:
        raise InputError(
            sentence("open_campaign", "n_objectives", f"be {width}, as when the campaign began",
                     chosen["n_objectives"], remedy="Leave it out.")
        )  # fmt: skip
    if record is not None and not chosen.keys() - {"n_objectives"} and dialect == "auto":
        roles = record.roles
        chosen = {key: roles[key] for key in ("id", "cost") if roles[key]}
        return read_candidates(
            data, objectives=roles["objectives"], ignore=_others(record, data, fixed), **chosen, **fixed,
            source=str(place),
        )  # fmt: skip
    if goals is not None and "label" not in chosen and "n_objectives" not in chosen:
        chosen["objectives"] = [goal.label for goal in goals]
    return read_candidates(data, dialect=dialect, **chosen, **fixed, source=str(place))


def _others(record: CampaignRecord, data: bytes, fixed: dict[str, Any]) -> list[str]:
    """Columns that the campaign does not know: ignored when it began, or new in the list."""
    header = read_cells(data, encoding=fixed.get("encoding"), delimiter=fixed.get("delimiter")).header
    roles = record.roles
    known = {*record.events[0].data["names"], *roles["objectives"], roles["id"], roles["cost"]}
    return [name for name in header if name and name not in known]


def _begin(
    table: CandidatesTable,
    goals: Sequence[Objective] | None,
    options: dict[str, Any],
    random_state: int | None,
) -> Campaign:
    """A new campaign from a list, its results included."""
    if table.roles.phases:
        raise InputError(
            sentence("open_campaign", "results", "be numbers", table.results[0].phases[:5],
                     at=f"in column {table.results[0].name!r} of '{table.source}'",
                     remedy="Open it by open_phase_diagram.")
        )  # fmt: skip
    frame = table.descriptors.copy()
    for column in table.results:
        header = table.header_of(column)
        there = column.status != "blank"
        frame[header] = column.values
        frame[f"{column.name}__sigma"] = column.sigma
        frame[f"{column.name}__status"] = np.where(there, column.status, None)
    found = [Objective(column.name, unit=column.unit) for column in table.results]
    objectives = _matched(goals, found, table.source) if goals is not None else tuple(found)
    return Campaign(frame, objectives, cost=table.cost, random_state=random_state, **options)


def _matched(goals: Sequence[Objective], found: Sequence[Objective], source: str) -> tuple[Objective, ...]:
    """Goals in the order of the result columns, in the unit of the columns."""
    by_name = {goal.name: goal for goal in goals}
    missing = [column.name for column in found if column.name not in by_name]
    if missing or len(goals) != len(found):
        raise InputError(
            sentence("open_campaign", "objectives", f"name the columns {[o.name for o in found]}",
                     list(by_name), at=f"in '{source}'")
        )  # fmt: skip
    matched = []
    for column in found:
        goal = by_name[column.name]
        if goal.unit is not None and column.unit is not None and goal.unit != column.unit:
            raise InputError(
                sentence("open_campaign", f"unit of {goal.name!r}", f"be that of the column ({column.unit})",
                         goal.unit, remedy=f"Write '{column.label}'.")
            )  # fmt: skip
        matched.append(Objective(goal.name, goal.goal, goal.unit or column.unit, goal.noise))
    return tuple(matched)


def _descriptors(table: CandidatesTable, record: CampaignRecord) -> pd.DataFrame:
    """Descriptors in the order of the record, whatever their order in the list."""
    names = record.events[0].data["names"]
    if sorted(names) != sorted(table.descriptors.columns):
        raise InputError(
            sentence("open_campaign", "descriptors", f"be {names}, as when the campaign began",
                     list(table.descriptors.columns), at=f"in '{table.source}'",
                     remedy="Restore the header, or begin a new campaign under another file name.")
        )  # fmt: skip
    return table.descriptors[names]


def _with_results(campaign: Campaign, table: CandidatesTable) -> bytes:
    """Bytes of the list with every result that belongs into it, and candidates that joined."""
    frame = table.descriptors[list(campaign.pool.names)]
    codes = identities(frame.to_numpy(dtype=np.float64), campaign.pool.salt)
    names = _joined(campaign)
    listed = set(codes[among(codes, np.array([int(name, 16) for name in names], dtype=np.uint64))].tolist())
    joined = [name for name in names if int(name, 16) not in listed]
    rows = campaign.pool.rows(joined)
    added = [campaign.pool.values(int(row)) for row in rows]
    every = np.concatenate([codes, campaign.pool.codes[rows]]) if len(rows) else codes
    return table.with_results(cell_values(campaign, every, table), added)


def _joined(campaign: Campaign) -> list[str]:
    """Candidates that joined after the start and are still there."""
    names = campaign.state.added if campaign.space is None else campaign.state.points
    return [name for name in names if name not in campaign.state.removed]


def _write(
    place: Path, campaign: Campaign, table: CandidatesTable, old: bytes, new: bytes, roles: dict[str, Any],
    reading: dict[str, Any],
) -> None:  # fmt: skip
    """The record first, then the list."""
    frame = table.descriptors[list(campaign.pool.names)]
    codes = identities(frame.to_numpy(dtype=np.float64), campaign.pool.salt)
    more = np.array([int(name, 16) for name in _joined(campaign)], dtype=np.uint64)
    record = CampaignRecord(
        list(campaign.events_),
        roles,
        pack_objectives(campaign.objectives),
        {key: reading.get(key) for key in ("encoding", "delimiter", "decimal")},
        {"name": place.name, "sha256": _hash(new), "before": _hash(old)},
        np.concatenate([codes, np.setdiff1d(more, codes[among(codes, more)])]),
    )
    _replace(record_path(place), write_record(record))
    if new != old or not place.exists():
        _replace_list(place, new)


def _replace_list(place: Path, new: bytes) -> None:
    """Put the list in place; a program that holds it open gets a little time to let go."""
    for attempt in range(_RETRIES):
        try:
            _replace(place, new)
        except PermissionError:
            if attempt + 1 < _RETRIES:
                time.sleep(0.2)
                continue
            warnings.warn(
                f"'{place}' is open in another program and was not changed. Nothing is lost: the results are "
                f"in '{record_path(place).name}'. Close it and save again.",
                CampaignWarning,
                stacklevel=4,
            )
        return


def _replace(path: Path, payload: bytes) -> None:
    """A file in one step, and its folder flushed to the disk."""
    replace_file(path, payload)
    if os.name == "nt":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


def _roles(table: CandidatesTable, dialect: str) -> dict[str, Any]:
    """Names of the columns by what they are for."""
    header = table.cells.header
    cost, name = table.roles.cost, table.roles.id
    return {
        "dialect": dialect,
        "descriptors": [header[k] for k in table.roles.descriptors],
        "objectives": [header[k] for k in table.roles.objectives],
        "id": None if name is None else header[name],
        "cost": None if cost is None else header[cost],
        "ignored": list(table.roles.dropped),
    }


def _fresh_list(campaign: Campaign) -> bytes:
    """A list for a campaign that began without a file."""
    words = [name for name, levels in zip(campaign.pool.names, _levels(campaign), strict=True) if levels]
    if words:
        raise InputError(
            sentence("save_campaign", "descriptors", "be numbers", words,
                     remedy="Keep [tuple(event) for event in campaign.events_] as JSON instead.")
        )  # fmt: skip
    if campaign.space is not None:
        if not len(campaign.pool):
            raise InputError(
                sentence("save_campaign", "campaign", "have a point to list", "a bare space",
                         remedy="Save it after the first tell() or start().")
            )  # fmt: skip
        warnings.warn(
            "save_campaign: the list holds the points told so far, not the space. To go on, write "
            "Campaign.from_events(space, objectives, open_campaign(path).events_).",
            CampaignWarning,
            stacklevel=3,
        )
    frame = campaign.pool.frame().assign(**{objective.label: "" for objective in campaign.objectives})
    return frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _levels(campaign: Campaign) -> Sequence[Any]:
    """Levels of each descriptor; None for numbers."""
    return getattr(campaign.space, "levels", None) or [None] * len(campaign.pool.names)


def _predictions(proposals: Sequence[Proposal]) -> dict[str, list[float]]:
    """Columns of means and standard deviations, one pair an objective."""
    found: dict[str, list[float]] = {}
    for word in ("mean", "std"):
        for proposal in proposals:
            value = getattr(proposal, word)
            pairs = value.items() if isinstance(value, dict) else [("", value)]
            for name, number in pairs:
                found.setdefault(f"{word} {name}".strip(), []).append(number)
    return found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
