"""The file beside a list of candidates: what happened in the campaign, as JSON with a hash."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai import __version__
from sozai.contracts.errors import InputError, sentence
from sozai.proposals.campaign_events import Event
from sozai.proposals.objectives import Objective, Range, Target
from sozai.proposals.phase_goal import PhaseGoal

__all__ = [
    "SCHEMA",
    "CampaignRecord",
    "pack_objectives",
    "read_record",
    "record_path",
    "unpack_objectives",
    "write_record",
]

SCHEMA = 1
"""Version of the file that this package writes, and the newest that it reads."""

_FORMAT = "sozai campaign"
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(dp", b"(lp", b"(i", b"ccopy_reg")


@dataclass(frozen=True, eq=False)
class CampaignRecord:
    """What the file says.

    Attributes
    ----------
    events : list of Event
    roles : dict
        Names of the columns: descriptors, objectives, id, cost, ignored.
    objectives : list of dict
        Name, unit, noise and goal of each objective.
    dialect : dict
        Encoding, delimiter, decimal signs.
    table : dict
        SHA-256 of the list of candidates as it was written (``sha256``) and
        before that (``before``).
    codes : ndarray of uint64
        Identities of the candidates in the order of the list.

    Examples
    --------
    >>> record = CampaignRecord([Event(0, "a.0", "closed", "", {})], {}, [], {}, {}, np.arange(2, dtype="u8"))
    >>> read_record(write_record(record), "campaign.json").events
    [Event(0, closed)]
    """

    events: list[Event]
    roles: dict[str, Any]
    objectives: list[dict[str, Any]]
    dialect: dict[str, Any]
    table: dict[str, Any]
    codes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))


def write_record(record: CampaignRecord) -> bytes:
    """Bytes of the file.

    Parameters
    ----------
    record : CampaignRecord

    Returns
    -------
    bytes
        JSON in ASCII, one event a line, with the SHA-256 of everything above it in the last line.
    """
    six = np.ascontiguousarray(record.codes.astype("<u8")).view(np.uint8).reshape(-1, 8)[:, :6].tobytes()
    head = {
        "format": _FORMAT,
        "schema": SCHEMA,
        "version": __version__,
        "roles": record.roles,
        "objectives": record.objectives,
        "dialect": record.dialect,
        "table": record.table,
        "candidates": base64.b64encode(six).decode("ascii"),
    }
    lines = [f'"{key}": {_dumps(value)},' for key, value in head.items()]
    events = ",\n".join(_dumps(list(event[1:])) for event in record.events)
    body = "{\n" + "\n".join(lines) + '\n"events": [\n' + events + "\n],\n"
    return (body + f'"sha256": "{_sha256(body.encode("ascii"))}"\n}}\n').encode("ascii")


def read_record(data: bytes, source: str) -> CampaignRecord:
    """Read what :func:`write_record` wrote, after checking every byte of it.

    Parameters
    ----------
    data : bytes
    source : str
        Name of the file, for messages.

    Returns
    -------
    CampaignRecord

    Raises
    ------
    InputError
        For a pickle, for anything that is no record of a campaign, for a newer
        schema and for a file that was changed. Nothing is loaded then.
    """
    if data.startswith(_PICKLES):
        _refuse(source, "be JSON", "a pickle", "A pickle can run any program and is never opened.")
    try:
        found = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        _refuse(source, "be JSON", str(error)[:80], "Restore the file from a copy.")
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        _refuse(
            source, "be the record of a campaign", str(type(found).__name__), "Name the list of candidates."
        )
    schema = found.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA:
        wanted = f"have schema {SCHEMA} or older"
        remedy = f"It was written by sozai {found.get('version')}. Run: pip install --upgrade sozai"
        _refuse(source, wanted, schema, remedy)
    body, mark, _ = data.rpartition(b'"sha256": ')
    if not mark or _sha256(body) != found.get("sha256"):
        _refuse(source, "be unchanged since it was saved", f"SHA-256 {_sha256(body)[:12]}...",
                f"It was {str(found.get('sha256'))[:12]}...; restore the file from a copy.")  # fmt: skip
    six = np.frombuffer(base64.b64decode(found["candidates"]), dtype=np.uint8).reshape(-1, 6)
    codes = np.zeros((len(six), 8), dtype=np.uint8)
    codes[:, :6] = six
    events = [Event(place, *entry) for place, entry in enumerate(found["events"])]
    return CampaignRecord(
        events, found["roles"], found["objectives"], found["dialect"], found["table"],
        codes.view("<u8").ravel().astype(np.uint64),
    )  # fmt: skip


def pack_objectives(objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """Objectives as plain JSON.

    Examples
    --------
    >>> pack_objectives([Objective("gap [eV]", Target(1.4))])
    [{'name': 'gap', 'unit': 'eV', 'noise': None, 'goal': {'target': 1.4}}]
    """
    return [
        {"name": o.name, "unit": o.unit, "noise": o.noise, "goal": _pack_goal(o.goal)} for o in objectives
    ]


def unpack_objectives(packed: Sequence[dict[str, Any]], source: str) -> tuple[Objective, ...]:
    """Objectives from plain JSON.

    Examples
    --------
    >>> unpack_objectives(pack_objectives([Objective("gap [eV]", Range(1.0, 2.0))]), "campaign.json")
    (Objective('gap', Range(low=1.0, high=2.0), unit 'eV'),)
    """
    return tuple(
        Objective(entry["name"], _unpack_goal(entry["goal"], source), entry["unit"], entry["noise"])
        for entry in packed
    )


def _pack_goal(goal: Any) -> Any:
    if isinstance(goal, Target):
        return {"target": goal.value}
    if isinstance(goal, Range):
        return {"range": [repr(goal.low), repr(goal.high)]}
    if isinstance(goal, PhaseGoal):
        return {"thresholds": list(goal.thresholds), "unit": goal.unit, "transform": goal.transform,
                "names": list(goal.names)}  # fmt: skip
    return goal if isinstance(goal, str) else {"object": repr(goal)}


def _unpack_goal(goal: Any, source: str) -> Any:
    if isinstance(goal, str):
        return goal
    if "target" in goal:
        return Target(goal["target"])
    if "range" in goal:
        return Range(*map(float, goal["range"]))
    if "thresholds" in goal:
        return PhaseGoal(goal["thresholds"], goal["unit"], goal["transform"], goal["names"])
    raise InputError(
        sentence("open_campaign", "objectives", f"be given again: a goal of '{source}' is an object",
                 goal.get("object"), remedy="Pass objectives=[Objective(name, goal)].")
    )  # fmt: skip


def _dumps(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refuse(source: str, requirement: str, value: object, remedy: str) -> None:
    raise InputError(sentence("open_campaign", f"'{source}'", requirement, value, remedy=remedy))


def record_path(path: Path) -> Path:
    """The record beside a list of candidates: ``candidates.sozai.json`` beside ``candidates.csv``."""
    return path.with_name(f"{path.stem}.sozai.json")
