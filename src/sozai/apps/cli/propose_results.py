"""Results typed on the command line: ``ROW=VALUE`` into the campaign, checked before anything is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.apps.cli.propose_reading import CandidateList
    from sozai.proposals.campaign import Campaign
    from sozai.proposals.objectives import Objective

__all__ = ["TypedResult", "enter_results", "read_results", "read_rows", "release_rows", "withdraw_results"]

_FORM = "Write e.g. --tell 17=41.5, --tell 17=failed or, for several objectives, --tell 17:NAME=41.5."


@dataclass(frozen=True)
class TypedResult:
    """One result as it was typed.

    Attributes
    ----------
    row : int
        Of the list, from 0.
    values : tuple of (str or None)
        One an objective; None where it was not measured.

    Examples
    --------
    >>> TypedResult(3, ("41.5", None)).row
    3
    """

    row: int
    values: tuple[str | None, ...]

    @property
    def words(self) -> str:
        """As one line says it."""
        return f"Row {self.row}: {', '.join(value or 'not measured' for value in self.values)}"


def read_results(texts: Sequence[str], listed: CandidateList) -> list[TypedResult]:
    """Read ``ROW=VALUE``, ``ROW=V1,V2`` and ``ROW:NAME=VALUE``; parts of one row are joined.

    Raises
    ------
    UsageError
        For an entry that is none of these.
    InputError
        For a row that is not in the list, or a value that is no result.
    """
    found: list[TypedResult] = []
    parts: dict[int, dict[int, str]] = {}
    for text in texts:
        address, _, rest = text.partition("=")
        named = ":" in address
        head, rest = text.split(":", 1) if named else (address, rest)
        row = _row("--tell", head.strip(), text, listed)
        if not named:
            found.append(TypedResult(row, _values(rest, text, listed.objectives)))
            continue
        k, value = _named_value(rest, text, listed.objectives)
        mine = parts.setdefault(row, {})
        if k in mine:  # a second value of one objective is a second measurement
            found.append(_joined(row, parts.pop(row), listed.objectives))
            mine = parts.setdefault(row, {})
        mine[k] = value
    return [*found, *(_joined(row, mine, listed.objectives) for row, mine in parts.items())]


def enter_results(campaign: Campaign, results: Sequence[TypedResult], notes: list[str]) -> int:
    """Tell the campaign what is new; its number.

    A result that the candidate has already, to the last digit, is taken for the same command given twice;
    within one command equal results are replicates.
    """
    before = Counter(_known_results(campaign))
    n_new = 0
    for result in results:
        row = int(campaign.pool.first[result.row])
        key = (row, tuple(_reading(value) for value in result.values))
        if before[key] > 0:
            before[key] -= 1
            notes.append(f"{result.words} was known already and is not entered again.")
            continue
        report = campaign.tell(result.row, list(result.values))
        notes += [note for note in report.notes if note not in notes]
        n_new += report.n_recorded
    notes += _replicate_notes(campaign, results)
    return n_new


def _replicate_notes(campaign: Campaign, results: Sequence[TypedResult]) -> list[str]:
    """What stands in the list where a candidate has several results now."""
    seen, notes = campaign.observations_, []
    for row in dict.fromkeys(result.row for result in results):
        at = list(seen.rows).index(first) if (first := int(campaign.pool.first[row])) in seen.rows else None
        for k, objective in enumerate(campaign.objectives):
            if at is not None and seen.counts[at, k] > 1 and not seen.censored[at, k]:
                notes.append(
                    f"Row {row} has {seen.counts[at, k]} results of {objective.name}; the list holds their "
                    f"mean, {seen.Y[at, k]:.6g}. --withdraw {row} takes the latest back."
                )
    return notes


def read_rows(option: str, entries: Sequence[str], listed: CandidateList) -> list[int]:
    """Rows behind numbers, or behind names in the column of ``--id``.

    Raises
    ------
    UsageError
        For an entry that is neither.
    InputError
        For a row that is not in the list.
    """
    return [_row(option, entry.strip(), entry, listed) for entry in entries]


def withdraw_results(campaign: Campaign, rows: Sequence[int]) -> list[str]:
    """Take the latest result of each row back; what was done, one line each.

    Raises
    ------
    InputError
        For a row without a result; nothing is taken back then.
    """
    history = campaign.results_
    left = {row: history[history["index"] == int(campaign.pool.first[row])] for row in rows}
    empty = next((row for row in rows if len(left[row]) < list(rows).count(row)), None)
    if empty is not None:
        raise InputError(
            sentence("--withdraw", "the row", "have a result", empty,
                     remedy="See results.csv of --output DIR for what was entered.")
        )  # fmt: skip
    deeds = []
    for row in rows:
        last, left[row] = left[row].iloc[-1], left[row].iloc[:-1]
        campaign.correct(str(last["event"]), None)
        said = ", ".join(
            f"{last[o.label]:.6g}" if last[o.label] == last[o.label] else str(last[f"{o.name}__status"])
            for o in campaign.objectives
        )
        deeds.append(f"Withdrawn: {said} of row {row}; it stays in the history.")
    return deeds


def release_rows(campaign: Campaign, rows: Sequence[int]) -> int:
    """Release some rows, or all that are running; how many there were."""
    running = [int(row) for row in campaign.observations_.pending]
    wanted = [int(campaign.pool.first[row]) for row in rows] or running
    if wanted:
        campaign.release(wanted)
    return len(set(wanted) & set(running))


def _known_results(campaign: Campaign) -> list[tuple[int, tuple[Any, ...]]]:
    """Row and readings of every result that counts."""
    rows = campaign.pool.rows([result.id for result in campaign.state.results.values()])
    return [
        (int(row), tuple(_kept(*pair) for pair in zip(result.values, result.status, strict=True)))
        for row, result in zip(rows, campaign.state.results.values(), strict=True)
    ]


def _kept(value: float | None, status: str) -> tuple[str, float | None]:
    """One objective of a result: status and value; ``blank`` where it was not measured."""
    if status == "failed":
        return "failed", None
    return ("blank", None) if value is None else (status, float(value))


def _reading(text: str | None) -> tuple[str, float | None]:
    """The same of a typed value."""
    from sozai.proposals.result_cells import read_result

    if text is None:
        return "blank", None
    cell = read_result(text)
    return cell.status, None if math.isnan(cell.value) else float(cell.value)


def _row(option: str, head: str, text: str, listed: CandidateList) -> int:
    """Row of an entry: its number from 0, or its name in the column of ``--id``."""
    table = listed.table
    if table.ids is not None and not head.isdecimal() and table.ids.count(head) == 1:
        return table.ids.index(head)
    try:
        row = int(head)
    except ValueError:
        names = "" if table.ids is None else f", or a name of {table.cells.header[table.roles.id or 0]!r}"
        tell = option == "--tell"
        form = f"{'read ROW=VALUE with' if tell else 'be'} a row from 0, as in 'actions'{names}"
        remedy = _FORM if tell else f"Write e.g. {option} 17."
        raise UsageError(sentence(option, "each entry", form, text, remedy=remedy)) from None
    _check_row(option, row, len(table.descriptors))
    _check_unmoved(option, row, listed)
    return row


def _check_unmoved(option: str, row: int, listed: CandidateList) -> None:
    """A row number that still means the candidate that it meant when proposals were last made."""
    from sozai.proposals.candidate_identity import identities

    if listed.record is None or row >= len(listed.record.codes):
        return
    created = listed.record.events[0].data
    now = listed.table.descriptors[created["names"]].iloc[[row]]
    if identities(now.to_numpy(dtype=float), created["salt"])[0] != listed.record.codes[row]:
        raise InputError(
            sentence(option, f"row {row}", "be the candidate that it was at the last call",
                     {name: float(value) for name, value in now.iloc[0].items()},
                     remedy="The list was sorted or edited since. Write the result into the list, or run the "
                     "command once without results and count the rows anew.")
        )  # fmt: skip


def _check_row(option: str, row: int, n_rows: int) -> None:
    """A row that is there."""
    if not 0 <= row < n_rows:
        raise InputError(
            sentence(option, "the row", f"be one of the list, 0 to {n_rows - 1}", row,
                     remedy="Rows count from 0 without the header, as in 'actions' and 'index'.")
        )  # fmt: skip


def _values(rest: str, text: str, objectives: Sequence[Objective]) -> tuple[str | None, ...]:
    """Values of all objectives."""
    if "=" not in text or not rest.strip():
        raise UsageError(sentence("--tell", "each entry", "read ROW=VALUE", text, remedy=_FORM))
    if rest.strip().casefold() == "failed":
        return ("failed",) * len(objectives)
    pieces = [rest] if len(objectives) == 1 else rest.split(",")
    if len(pieces) != len(objectives):
        names = ", ".join(objective.name for objective in objectives)
        raise UsageError(
            sentence("--tell", "each entry", f"have one value for each objective ({names})", text,
                     remedy="Write ROW=V1,V2 (a blank where one was not measured) or ROW:NAME=VALUE.")
        )  # fmt: skip
    values = tuple(piece.strip() or None for piece in pieces)
    for value, objective in zip(values, objectives, strict=True):
        _check_value(value, text, objective)
    return values


def _named_value(rest: str, text: str, objectives: Sequence[Objective]) -> tuple[int, str]:
    """Objective and value of ``NAME=VALUE``; the longest name that fits divides."""
    names = {name: k for k, o in enumerate(objectives) for name in (o.name, o.label)}
    fits = [name for name in names if rest.startswith(f"{name}=")]
    if not fits:
        known = " or ".join(repr(objective.name) for objective in objectives)
        raise InputError(
            sentence("--tell", "NAME", f"be an objective ({known})", text, remedy="Write ROW:NAME=VALUE.")
        )
    name = max(fits, key=len)
    value = rest[len(name) + 1 :].strip()
    if not value:
        raise UsageError(sentence("--tell", "each entry", "read ROW:NAME=VALUE", text, remedy=_FORM))
    _check_value(value, text, objectives[names[name]])
    return names[name], value


def _check_value(value: str | None, text: str, objective: Objective) -> None:
    """A value that can be a result, in a unit that fits."""
    from sozai.proposals.result_cells import read_result
    from sozai.proposals.told_results import told_values

    if value is None:
        return
    if read_result(value).status in ("text", "infinite", "noted", "blank"):
        comma = "Write a decimal point. " if "," in value else ""
        raise InputError(
            sentence("--tell", "the value", "be a finite number, a bound such as <0.1, or failed", text,
                     remedy=f"{comma}A measurement that gave nothing is ROW=failed.")
        )  # fmt: skip
    told_values(objective, value, None, "ok", None, f"in --tell {text}", [])


def _joined(row: int, parts: dict[int, str], objectives: Sequence[Objective]) -> TypedResult:
    """Parts of one row as one result."""
    return TypedResult(row, tuple(parts.get(k) for k in range(len(objectives))))
