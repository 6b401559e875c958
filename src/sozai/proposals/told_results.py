"""Turn whatever a user tells into results: which candidate, which values, which status."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.records import Proposal
from sozai.contracts.unit_headers import split_unit
from sozai.contracts.units import convert
from sozai.proposals.campaign_events import STATUSES
from sozai.proposals.candidate_identity import identities, identity_text
from sozai.proposals.candidate_pool import CandidatePool
from sozai.proposals.objectives import Objective
from sozai.proposals.result_cells import read_result

__all__ = ["Told", "fill", "find_candidate", "read_told", "says_nothing", "told_values"]

_PLACE = "Campaign.tell"
_SILENT = ("blank", "noted")
_ADDRESSES = ("id", "proposal_id", "index", "actions", "row")


@dataclass(slots=True)
class Told:
    """One result on its way into the campaign.

    Attributes
    ----------
    id : str
        Identity of the candidate.
    point : list of float or None
        Descriptors; None when only an identity was given that the list lacks.
    row : int
        First row of the candidate, -1 for one that is not in the list.
    values : list of (float or None)
    sigma : list of (float or None), optional
    status : list of str
    proposal : str or None
        What ties it to one proposal of one round.
    run : str or None
    """

    id: str
    point: list[float] | None
    row: int
    values: list[float | None]
    sigma: list[float | None] | None
    status: list[str]
    proposal: str | None = None
    run: str | None = None


def read_told(
    pool: CandidatePool,
    objectives: Sequence[Objective],
    index: Any,
    values: Any,
    *,
    sigma: Any,
    status: Any,
    run_id: Any,
    unit: Any,
) -> tuple[list[Told], list[str]]:
    """Results from an address and values, or from a frame; with notes on what was converted.

    Parameters
    ----------
    pool : CandidatePool
    objectives : sequence of Objective
    index : int, str, Proposal, mapping, sequence of them, or DataFrame
    values : float, str, sequence or mapping of them
    sigma, status, run_id, unit
        As in :meth:`Campaign.tell`.

    Returns
    -------
    told : list of Told
    notes : list of str
    """
    notes: list[str] = []
    if isinstance(index, pd.DataFrame):
        if values is not None:
            raise InputError(
                sentence(_PLACE, "values", "be left out when a frame is given", values,
                         remedy="Put the results into columns of the frame.")
            )  # fmt: skip
        return _from_frame(pool, objectives, index, sigma, status, run_id, unit, notes), notes
    several = isinstance(index, (list, tuple, np.ndarray, range, pd.Index))
    addresses = list(index) if several else [index]
    rows_of_values = _rows_of_values(values, len(addresses), len(objectives), several)
    found = []
    for place, (address, given) in enumerate(zip(addresses, rows_of_values, strict=True)):
        told = find_candidate(pool, address)
        own = [_one_of(option, place, len(addresses), several) for option in (sigma, status, run_id)]
        fill(told, objectives, given, own[0], own[1], unit, notes)
        told.run = None if own[2] is None else str(own[2])
        found.append(told)
    return found, notes


def find_candidate(pool: CandidatePool, address: Any, place: str = _PLACE) -> Told:
    """The candidate behind a row, an identity, a proposal or a mapping of descriptors."""
    blank: list[float | None] = []
    if isinstance(address, Proposal):
        point = pool.point(address.x)
        told = Told(address.id, point.tolist(), int(pool.rows([address.id])[0]), blank, None, [])
        told.proposal = f"{address.id}:{address.round}"
        return told
    if isinstance(address, str):
        row = int(pool.rows([address])[0])
        point_of = pool.X[row].tolist() if row >= 0 else None
        return Told(address, point_of, row, blank, None, [], proposal=f"{address}:")
    if isinstance(address, (Mapping, pd.Series)) or (pool.space is not None and np.ndim(address) == 1):
        point = pool.point(address)
        name = pool.identity_of(point)
        return Told(name, point.tolist(), int(pool.rows([name])[0]), blank, None, [])
    if isinstance(address, (int, np.integer)) and not isinstance(address, bool):
        if not 0 <= address < len(pool):
            raise InputError(
                sentence(place, "index", f"be a row of the candidates (0 to {len(pool) - 1})", int(address),
                         remedy="Add the candidate first, or tell it by its descriptors with adopt=True.")
            )  # fmt: skip
        row = int(pool.first[address])
        return Told(pool.identity(row), pool.X[row].tolist(), row, blank, None, [])
    raise InputError(
        sentence(place, "index", "be a row, an identity, a Proposal, descriptors or a frame", address)
    )


def fill(
    told: Told,
    objectives: Sequence[Objective],
    values: Any,
    sigma: Any,
    status: Any,
    unit: Any,
    notes: list[str],
) -> None:
    """Put values, standard deviations and statuses into a result."""
    units = _per_objective(unit, objectives, "unit")
    given = _per_objective(values, objectives, "values")
    errors = _per_objective(sigma, objectives, "sigma")
    words = _per_objective(status, objectives, "status")
    where = f"for candidate {told.id}" if told.row < 0 else f"for candidate {told.row}"
    told.values, told.status, sigmas = [], [], []
    for objective, value, error, word, from_unit in zip(objectives, given, errors, words, units, strict=True):
        number, size, kind = told_values(objective, value, error, word or "ok", from_unit, where, notes)
        told.values.append(number)
        told.status.append(kind)
        sigmas.append(size)
    told.sigma = sigmas if any(size is not None for size in sigmas) else None
    if all(value is None and kind == "ok" for value, kind in zip(told.values, told.status, strict=True)):
        raise InputError(
            sentence(_PLACE, "value", "be a number", math.nan, at=where,
                     remedy="Give status='failed', or leave it out.")
        )  # fmt: skip


def told_values(
    objective: Objective, value: Any, sigma: Any, status: str, unit: str | None, where: str, notes: list[str]
) -> tuple[float | None, float | None, str]:
    """Value, standard deviation and status of one objective, in its own unit.

    Raises
    ------
    InputError
        For a value that is no number, is infinite, or has an unknown status.
    UnitError
        When the unit cannot be converted to the one of the objective.
    """
    if status not in STATUSES:
        raise InputError(sentence(_PLACE, "status", f"be one of {list(STATUSES)}", status, at=where))
    if isinstance(value, str):
        cell = read_result(value)
        if cell.status in ("text", "infinite"):
            raise InputError(
                sentence(_PLACE, "value", "be a finite number", value, at=f"{where}, {objective.name!r}",
                         remedy="Write a number, 'failed', or a bound such as '<0.1'.")
            )  # fmt: skip
        status = cell.status if status == "ok" and cell.status not in ("ok", "blank", "noted") else status
        value, unit = cell.value, cell.unit or unit
        sigma = cell.sigma if sigma is None and not math.isnan(cell.sigma) else sigma
    number = _as_float(value, objective, where)
    if status in ("failed", "running"):
        return None, None, status
    if number is None:
        if status != "ok":
            raise InputError(
                sentence(_PLACE, "value", f"be a number with status {status!r}", value, at=where,
                         remedy="Give the bound, or status='failed'.")
            )  # fmt: skip
        return None, None, "ok"
    size = _as_sigma(sigma, where)
    if unit is not None and unit != objective.unit:
        number, size = _converted(objective, number, size, unit, where, notes)
    return number, size, status


def _converted(
    objective: Objective, number: float, size: float | None, unit: str, where: str, notes: list[str]
) -> tuple[float, float | None]:
    """Value and standard deviation in the unit of the objective."""
    if objective.unit is None:
        raise UnitError(
            sentence(_PLACE, "unit", f"be left out, {objective.name!r} has none", unit, at=where,
                     remedy=f"Name the objective '{objective.name} [{unit}]'.")
        )  # fmt: skip
    try:
        both = convert([number, number + (size or 0.0)], unit, objective.unit)
    except UnitError as error:
        raise UnitError(
            sentence(_PLACE, "unit", f"fit {objective.label!r}", unit, at=where, remedy=str(error))
        ) from None
    moved = float(both[0])
    notes.append(f"{number:g} {unit} {where} was read as {moved:g} {objective.unit}.")
    return moved, None if size is None else abs(float(both[1]) - moved)


def _from_frame(
    pool: CandidatePool, objectives: Sequence[Objective], frame: pd.DataFrame, sigma: Any, status: Any,
    run_id: Any, unit: Any, notes: list[str],
) -> list[Told]:  # fmt: skip
    """One result a row of the frame."""
    headers = _objective_columns(frame, objectives)
    found = _candidates_of(pool, frame)
    cells = {name: [_plain(cell) for cell in frame[name].tolist()] for name in frame.columns}
    units = [split_unit(str(header))[1] if header is not None else None for header in headers]
    units = [own or unit for own in units]
    n = len(found)
    values = [cells[header] if header is not None else [None] * n for header in headers]
    sigmas = [_option(cells, objective, "sigma", sigma, n) for objective in objectives]
    words = [_option(cells, objective, "status", status, n) for objective in objectives]
    runs = cells.get("run_id", [run_id] * n)
    for place, told in enumerate(found):
        given = [[column[place] for column in columns] for columns in (values, sigmas, words)]
        fill(told, objectives, *given, units, notes)
        run = runs[place]
        told.run = None if run is None or run != run or run == "" else str(run)
    return found


def _candidates_of(pool: CandidatePool, frame: pd.DataFrame) -> list[Told]:
    """The candidate of each row: by a column that names it, by its descriptors, or by the row label."""
    address = next((name for name in _ADDRESSES if name in frame.columns), None)
    if address is not None or not all(name in frame.columns for name in pool.names):
        labels = (frame[address] if address is not None else frame.index).tolist()
        return [find_candidate(pool, _plain(label)) for label in labels]
    points = pool.points(frame)
    codes = identities(points, pool.salt)
    rows = pool.rows_of_codes(codes.astype(np.int64)).tolist()
    return [
        Told(identity_text(code), point, row, [], None, [])
        for code, point, row in zip(codes, points.tolist(), rows, strict=True)
    ]


def _objective_columns(frame: pd.DataFrame, objectives: Sequence[Objective]) -> list[Any]:
    """Header of each objective in the frame; None where it has none, though not for all."""
    headers = {split_unit(str(name))[0]: name for name in frame.columns}
    found = [
        objective.label if objective.label in frame.columns else headers.get(objective.name)
        for objective in objectives
    ]
    if all(header is None for header in found):
        raise InputError(
            sentence(_PLACE, "frame", f"have a column for one of {[o.label for o in objectives]}",
                     [str(name) for name in frame.columns], remedy="Rename the column of results.")
        )  # fmt: skip
    return found


def _option(
    cells: Mapping[Any, list[Any]], objective: Objective, word: str, default: Any, n: int
) -> list[Any]:
    """Column ``Tc__sigma``, ``Tc [K]__sigma`` or ``sigma``; the default where there is none or a blank."""
    for header in (f"{objective.name}__{word}", f"{objective.label}__{word}", word):
        if header in cells:
            return [default if cell is None or cell == "" or cell != cell else cell for cell in cells[header]]
    return [default] * n


def _rows_of_values(values: Any, n: int, width: int, several: bool) -> list[Any]:
    """One entry an address."""
    if not several:
        return [values]
    if isinstance(values, pd.DataFrame):
        return [dict(row) for row in values.to_dict("records")]
    if values is None or np.ndim(values) == 0:
        return [values] * n
    rows = list(values)
    if len(rows) != n:
        raise InputError(
            sentence(_PLACE, "values", f"have one entry for each candidate ({n})", len(rows),
                     remedy=f"Pass {n} row{'s' * (n != 1)} of {width} value{'s' * (width != 1)}.")
        )  # fmt: skip
    return rows


def _one_of(option: Any, place: int, n: int, several: bool) -> Any:
    """The entry of an option that belongs to one address."""
    if several and isinstance(option, (list, tuple, np.ndarray, pd.Series)) and len(option) == n:
        return option[place] if not isinstance(option, pd.Series) else option.iloc[place]
    return option


def _per_objective(given: Any, objectives: Sequence[Objective], argument: str) -> list[Any]:
    """One entry an objective, from one for all, a sequence or a mapping by name."""
    if isinstance(given, (Mapping, pd.Series)):
        by_name = {split_unit(str(name))[0]: value for name, value in given.items()}
        unknown = [name for name in by_name if name not in {o.name for o in objectives}]
        if unknown:
            raise InputError(
                sentence(_PLACE, argument, f"name objectives ({[o.name for o in objectives]})", unknown[0])
            )
        return [by_name.get(objective.name) for objective in objectives]
    if given is None or isinstance(given, str) or np.ndim(given) == 0:
        for_all = given is None or (
            isinstance(given, str) and read_result(given).status in ("failed", *_SILENT)
        )
        if argument == "values" and len(objectives) > 1 and not for_all:
            raise InputError(
                sentence(_PLACE, argument, f"have one entry for each of {len(objectives)} objectives", given)
            )
        return [_plain(given)] * len(objectives)
    entries = [_plain(entry) for entry in given]
    if len(entries) != len(objectives):
        raise InputError(
            sentence(_PLACE, argument, f"have one entry for each of {len(objectives)} objectives", entries)
        )
    return entries


def says_nothing(cell: Any) -> bool:
    """Whether a cell of results is blank, or a word for not measured.

    Examples
    --------
    >>> [says_nothing(cell) for cell in ("", "NA", None, float("nan"), "failed", 0.0)]
    [True, True, True, True, False, False]
    """
    return read_result(cell).status in _SILENT if isinstance(cell, str) else bool(pd.isna(cell))


def _plain(value: Any) -> Any:
    """NumPy scalars as Python numbers, missing values as None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NA or value is pd.NaT else value


def _as_float(value: Any, objective: Objective, where: str) -> float | None:
    """A finite number, or None for NaN and None."""
    if value is None:
        return None
    try:
        number = math.inf if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.inf
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise InputError(
            sentence(_PLACE, "value", "be a finite number", value, at=f"{where}, {objective.name!r}",
                     remedy="Give status='failed', or leave it out.")
        )  # fmt: skip
    return number


def _as_sigma(sigma: Any, where: str) -> float | None:
    """A standard deviation of 0 or more."""
    if sigma is None or (isinstance(sigma, float) and math.isnan(sigma)):
        return None
    try:
        size = float(sigma)
    except (TypeError, ValueError):
        size = math.nan
    if not 0 <= size < math.inf:
        raise InputError(sentence(_PLACE, "sigma", "be a finite number of 0 or more", sigma, at=where))
    return size
