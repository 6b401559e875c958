"""What people changed in a list of candidates by hand, found by comparing it with the record."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.campaign import Campaign
from sozai.proposals.campaign_events import CampaignWarning
from sozai.proposals.candidate_identity import identities, identity_text
from sozai.proposals.candidates_table import CandidatesTable

__all__ = ["among", "cell_values", "take_changes"]

_FROM_TABLE = "table:"
Cell = tuple[float | None, float | None, str]


def cell_values(
    campaign: Campaign, codes: NDArray[np.uint64], table: CandidatesTable
) -> dict[tuple[int, int], float | None]:
    """Numbers that belong into the result cells of a list.

    Parameters
    ----------
    campaign : Campaign
    codes : ndarray of uint64
        Identity of the candidate in each row.
    table : CandidatesTable
        The list as it is.

    Returns
    -------
    dict of (row, objective) to float
        Where a candidate stands in one row, the mean over its replicates. Where
        it stands in several, each row keeps its own result, and the mean of those
        told otherwise goes to the first row that has none. Bounds and failures are
        no numbers and stay in the record.
    """
    results = _by_candidate(campaign)
    touched = {int(name, 16) for name in campaign.state.touched} | set(results)
    wanted = np.array(sorted(touched), dtype=np.uint64)
    rows_of: dict[int, list[int]] = {}
    for row in np.flatnonzero(among(codes, wanted)).tolist():
        rows_of.setdefault(int(codes[row]), []).append(row)
    found: dict[tuple[int, int], float | None] = {}
    for code, rows in rows_of.items():
        for k in range(len(campaign.objectives)):
            mine = results.get(code, [])
            if len(rows) == 1:
                mean = _mean(mine, k)
                if mean is not None or _says_number(table, rows[0], k):
                    found[rows[0], k] = mean
                continue
            mean = _mean([result for result in mine if not _is_from_table(result)], k)
            blank = [row for row in rows if _is_blank(table, row, k)]
            if mean is not None and blank and not _is_written(table, rows, k, mean):
                found[blank[0], k] = mean
    return found


def take_changes(
    campaign: Campaign,
    table: CandidatesTable,
    known: NDArray[np.uint64],
    source: str,
    unsaved: Campaign | None = None,
) -> list[str]:
    """Take over what was changed by hand, and say so.

    Parameters
    ----------
    campaign : Campaign
        As the record tells it; grows by what is found.
    table : CandidatesTable
        The list as it is now.
    known : ndarray of uint64
        Identities of the candidates when the list was last written.
    source : str
        Name of the list, for messages.
    unsaved : Campaign, optional
        With events that the record does not have yet: what was told here and written into the list, too,
        is one result.

    Returns
    -------
    list of str
        One sentence a kind of change; each is a warning too.
    """
    frame = table.descriptors[list(campaign.pool.names)]
    codes = identities(frame.to_numpy(dtype=np.float64), campaign.pool.salt)
    notes = _compare_lists(campaign, table, codes, known, source)
    notes += _compare_results(campaign, table, codes, unsaved or campaign)
    for note in notes:
        warnings.warn(f"'{source}': {note}", CampaignWarning, stacklevel=3)
    return notes


def _compare_lists(
    campaign: Campaign,
    table: CandidatesTable,
    codes: NDArray[np.uint64],
    known: NDArray[np.uint64],
    source: str,
) -> list[str]:
    """Candidates that joined, left or moved."""
    fresh, gone = np.setdiff1d(codes, known), np.setdiff1d(known, codes)
    if len(known) and len(fresh) and not len(np.intersect1d(codes, known)):
        raise InputError(
            sentence("open_campaign", f"'{source}'", "hold candidates of the campaign", "none of them",
                     remedy="Restore the list, or begin a new campaign under another file name.")
        )  # fmt: skip
    notes = []
    left = [name for name in map(identity_text, gone) if name not in campaign.state.removed]
    points = table.descriptors[list(campaign.pool.names)][np.isin(codes, fresh)]
    if len(fresh) or left:
        campaign.list_changed(points, left)
    if len(fresh):
        line = int(table.cells.lines[int(np.flatnonzero(codes == fresh[0])[0])])
        notes.append(f"{_counted(len(fresh), 'candidate')} added, for example in line {line}.")
    if left:
        running = sum(name in campaign.state.running for name in left)
        tail = f" Still running: {running}; what comes out will be accepted." if running else ""
        first = ", ".join(f"{name}={value:.6g}" for name, value in _descriptors(campaign, left[0])) or left[0]
        notes.append(f"{_counted(len(left), 'candidate')} taken out, for example {first}.{tail}")
    common_now, common_then = codes[np.isin(codes, known)], known[np.isin(known, codes)]
    if len(common_now) == len(common_then):
        moved = int((common_now != common_then).sum())
        if moved:
            notes.append(f"{_counted(moved, 'row')} moved; candidates were matched by their descriptors.")
    return notes


def _compare_results(
    campaign: Campaign, table: CandidatesTable, codes: NDArray[np.uint64], unsaved: Campaign
) -> list[str]:
    """Results that were entered, changed or emptied."""
    expected, told_here = (cell_values(c, codes, table) for c in (campaign, unsaved))
    results, own = _by_candidate(campaign), _by_candidate(unsaved)
    repeated = set(codes[_stands_twice(codes)].tolist())
    seen: Counter[tuple[int, str]] = Counter()
    told: list[str] = []
    beside: list[str] = []
    changed: list[str] = []
    kept: list[str] = []
    rows = np.flatnonzero(np.any([column.status != "blank" for column in table.results], axis=0))
    emptied = [key for key, value in expected.items() if value is not None and _is_blank(table, *key)]
    for row in rows.tolist():
        code = int(codes[row])
        cells = [_cell(column, row) for column in table.results]
        key = (code, repr(cells))
        seen[key] += 1
        mine = results.get(code, [])
        if code in repeated:
            if _is_known(cells, mine, seen[key]):
                continue
        elif _is_expected(cells, row, expected, mine) or _is_expected(
            cells, row, told_here, own.get(code, [])
        ):
            continue
        line = f"in line {int(table.cells.lines[row])}"
        values, sigma = [cell[0] for cell in cells], [cell[1] for cell in cells]
        status = ["ok" if cell[2] == "blank" else cell[2] for cell in cells]
        if not mine or code in repeated:
            run = f"{_FROM_TABLE}{cells}:{seen[key]}"
            campaign.tell(identity_text(code), values, sigma=sigma, status=status, run_id=run)
            told.append(line)
            beside += [line] if not mine and code in own else []
        elif len(mine) == 1:
            campaign.correct(mine[0].event, values, sigma=sigma, status=status)
            changed.append(line)
        else:
            kept.append(line)
    notes = []
    if told:
        notes.append(f"{_counted(len(told), 'result')} entered by hand, for example {told[0]}.")
    if beside:
        notes.append(
            f"{_counted(len(beside), 'candidate')} also told another result here, for example the one "
            f"{beside[0]}: both count, as replicates."
        )
    if changed:
        notes.append(
            f"{_counted(len(changed), 'result')} changed by hand and corrected, for example {changed[0]}."
        )
    if kept:
        notes.append(
            f"{_counted(len(kept), 'mean of replicates', 'means of replicates')} changed by hand and not "
            f"taken over, for example {kept[0]}; use correct() for one of the replicates."
        )
    if emptied:
        line = int(table.cells.lines[emptied[0][0]])
        notes.append(
            f"{_counted(len(emptied), 'result')} emptied by hand and kept, for example in line {line}; "
            "use correct(event, None) to withdraw one."
        )
    return notes


def among(codes: NDArray[np.uint64], few: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of many identities are among a few.

    Examples
    --------
    >>> among(np.array([5, 7, 9], dtype=np.uint64), np.array([9, 5], dtype=np.uint64)).tolist()
    [True, False, True]
    """
    wanted = np.unique(few)
    if not len(wanted):
        return np.zeros(len(codes), dtype=bool)
    at = np.minimum(np.searchsorted(wanted, codes), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == codes
    return found


def _stands_twice(codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows whose candidate stands in more than one row."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    repeated: NDArray[np.bool_] = counts[inverse] > 1
    return repeated


def _is_expected(
    cells: list[Cell], row: int, expected: dict[tuple[int, int], float | None], results: list[Any]
) -> bool:
    """Whether every filled cell of a row says what the record says."""
    for k, (value, _, status) in enumerate(cells):
        if status == "blank" or (status == "ok" and expected.get((row, k)) == value):
            continue
        same = any(result.status[k] == status and result.values[k] == value for result in results)
        if status == "ok" or not same:
            return False
    return True


def _is_known(cells: list[Cell], results: list[Any], times: int) -> bool:
    """Whether a candidate of several rows has this result, as often as it was seen, or as a mean."""
    own = [result for result in results if not _is_from_table(result)]
    known = True
    for k, (value, _, status) in enumerate(cells):
        if status == "blank" or (status == "ok" and value == _mean(own, k)):
            continue
        same = sum(result.status[k] == status and result.values[k] == value for result in results)
        known &= same >= times
    return known


def _by_candidate(campaign: Campaign) -> dict[int, list[Any]]:
    """Results that count, by candidate."""
    found: dict[int, list[Any]] = {}
    for result in campaign.state.results.values():
        found.setdefault(int(result.id, 16), []).append(result)
    return found


def _mean(results: list[Any], k: int) -> float | None:
    """Mean over exact replicates, in order of size, to 15 digits; None without any."""
    values = sorted(
        float(result.values[k])
        for result in results
        if result.status[k] == "ok" and result.values[k] is not None
    )
    if len(values) < 2:
        return values[0] if values else None
    return float(f"{np.sum(values) / len(values):.15g}")


def _counted(number: int, one: str, more: str | None = None) -> str:
    """``1 result was``, ``2 results were``."""
    return f"{number} {one} was" if number == 1 else f"{number} {more or one + 's'} were"


def _descriptors(campaign: Campaign, name: str) -> list[tuple[str, float]]:
    """Descriptors of a candidate that is known by its identity."""
    row = int(campaign.pool.rows([name])[0])
    point = campaign.pool.X[row].tolist() if row >= 0 else campaign.state.points.get(name, [])
    return list(zip(campaign.pool.names, point, strict=False))


def _is_from_table(result: Any) -> bool:
    """Whether a result was read from the list."""
    run = result.run or ""
    return run.startswith(_FROM_TABLE) or f":{_FROM_TABLE}" in run


def _is_written(table: CandidatesTable, rows: list[int], k: int, mean: float) -> bool:
    """Whether one of the rows says this already."""
    return any(_says_number(table, row, k) and float(table.results[k].values[row]) == mean for row in rows)


def _says_number(table: CandidatesTable, row: int, k: int) -> bool:
    status = table.results[k].status
    return row < len(status) and status[row] == "ok"


def _cell(column: Any, row: int) -> Cell:
    """Value, standard deviation and status of one result cell."""
    value, sigma = float(column.values[row]), float(column.sigma[row])
    number = None if np.isnan(value) else value
    return number, None if np.isnan(sigma) else sigma, str(column.status[row])


def _is_blank(table: CandidatesTable, row: int, k: int) -> bool:
    """Whether a result cell is empty; rows below the list are."""
    status = table.results[k].status
    return row >= len(status) or status[row] == "blank"
