"""Results typed on the command line: ``ROW=VALUE`` into the campaign, checked before anything is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.loop_rows import address_of, counted_end, find_row, row_words
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.apps.cli.propose_reading import CandidateList
    from sozai.proposals.campaign import Campaign
    from sozai.proposals.objectives import Objective

__all__ = [
    "TypedResult", "enter_results", "entered_words", "read_results", "read_rows", "release_rows",
    "withdraw_results",
]  # fmt: skip

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
        start = counted_end(text)
        address, _, rest = text[start:].partition("=")
        named = ":" in address
        head, rest = text[start:].split(":", 1) if named else (address, rest)
        row = _row("--tell", f"{text[:start]}{head}".strip(), text, listed)
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


def enter_results(
    campaign: Campaign, results: Sequence[TypedResult], listed: CandidateList, notes: list[str]
) -> list[TypedResult]:
    """Tell the campaign what is new, and return that.

    A result that the candidate has already, to the last digit, is taken for the same command given twice;
    within one command equal results are replicates.
    """
    before = Counter(_known_results(campaign))
    entered = []
    for result in results:
        row = int(campaign.pool.first[result.row])
        key = (row, tuple(_reading(value) for value in result.values))
        if before[key] > 0:
            before[key] -= 1
            notes.append(f"{result.words} was known already and is not entered again.")
            continue
        notes += _approximate_notes(result)
        report = campaign.tell(result.row, list(result.values))
        notes += [note for note in report.notes if note not in notes]
        entered += [result] * bool(report.n_recorded)
    notes += _kept_notes(campaign, entered, listed)
    notes += _replicate_notes(campaign, results, listed)
    return entered


def entered_words(result: TypedResult, listed: CandidateList) -> str:
    """What was entered where, with the name of the row."""
    pairs = zip(listed.objectives, result.values, strict=True)
    told = [(objective.name, value) for objective, value in pairs if value is not None]
    if len({value for _, value in told}) == 1 and len(told) == len(result.values):
        values = str(told[0][1])
    else:
        values = ", ".join(f"{name} {value}" for name, value in told)
    return f"Entered {values} for {row_words(result.row, listed.table)}."


def _approximate_notes(result: TypedResult) -> list[str]:
    """A remark on a value such as ``~10``."""
    from sozai.contracts.table_cells import read_cell

    return [
        f"{value!r} for row {result.row} is approximate; it is taken as it is, without an error."
        for value in result.values
        if value is not None and "approximate" in read_cell(value).notes
    ]


def _kept_notes(campaign: Campaign, entered: Sequence[TypedResult], listed: CandidateList) -> list[str]:
    """Failures told of a candidate that has a result, which count for nothing."""
    rows = dict.fromkeys(result.row for result in entered if set(result.values) == {"failed"})
    if not rows:
        return []
    seen, notes = campaign.observations_, []
    for row in rows:
        told = seen.Y[seen.rows == campaign.pool.first[row]].ravel()
        values = [f"{value:.6g}" for value in told if not math.isnan(value)]
        if values:
            kept, address = ", ".join(values), address_of(row, listed.table)
            notes.append(
                f"Row {row} keeps its result {kept}: a failure does not undo it. --withdraw {address} takes "
                "the failure back; given twice, the result before it, too."
            )
    return notes


def _replicate_notes(campaign: Campaign, results: Sequence[TypedResult], listed: CandidateList) -> list[str]:
    """What stands in the list where a candidate has several results now."""
    seen, notes = campaign.observations_, []
    for row in dict.fromkeys(result.row for result in results):
        at = list(seen.rows).index(first) if (first := int(campaign.pool.first[row])) in seen.rows else None
        for k, objective in enumerate(campaign.objectives):
            if at is not None and seen.counts[at, k] > 1 and not seen.censored[at, k]:
                notes.append(
                    f"Row {row} has {seen.counts[at, k]} results of {objective.name}; the list holds their "
                    f"mean, {seen.Y[at, k]:.6g}. --withdraw {address_of(row, listed.table)} takes the latest "
                    "back."
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


def release_rows(campaign: Campaign, rows: Sequence[int], notes: list[str]) -> int:
    """Release some rows, or all that are running; how many there were, and a note on those that were not."""
    running = [int(row) for row in campaign.observations_.pending]
    wanted = {int(campaign.pool.first[row]): row for row in rows} or {row: row for row in running}
    if not wanted:
        notes.append("Nothing is running; there is nothing to release.")
    for first, row in wanted.items():
        if first not in running:
            notes.append(f"Row {row} is not running; there is nothing to release.")
    found = [first for first in wanted if first in running]
    if found:
        campaign.release(found)
    return len(found)


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
    tell = option == "--tell"
    form, remedy = ("read ROW=VALUE with", _FORM) if tell else ("be", f"Write e.g. {option} 17.")
    row, counted = find_row(option, head, text, listed.table, form, remedy)
    if counted:
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
