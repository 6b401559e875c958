"""Units written into cells move to their column, converted where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from sozai.contracts.errors import UnitError
from sozai.contracts.table_cells import as_ascii
from sozai.contracts.table_report import RepairLog, counted
from sozai.contracts.table_scan import Column
from sozai.contracts.unit_headers import suits
from sozai.contracts.units import convert, convertible, parse_unit

__all__ = ["report_column", "settle_units"]


def settle_units(column: Column, log: RepairLog) -> None:
    """Move units from cells to the column, converting where cells differ."""
    readings = column.readings
    with_unit = [k for k, reading in enumerate(readings) if reading.unit is not None]
    if not with_unit:
        return
    found = {k: _celsius(column, str(readings[k].unit)) for k in with_unit}
    first = with_unit[0]
    bare = [k for k, reading in enumerate(readings) if reading.kind == "number" and reading.unit is None]
    target = column.unit or found[first]
    differing = [k for k in with_unit if not _same_unit(found[k], target)]
    if bare and column.unit is None and differing:
        log.fail(
            "unit", f"be given for every cell; units differ ({found[first]} and {found[differing[0]]})",
            column.cells[bare[0]], row=int(column.rows[bare[0]]), column=column.label,
            remedy=f"Write the unit in the header, e.g. '{column.label} [{target}]'.",
        )  # fmt: skip
    assert column.numbers is not None
    for k in differing:
        column.numbers[k] = _converted(column, log, k, found[k], target)
    log.add_cells(
        column.rows[differing].tolist(), column.label, "unit_converted",
        [f"{column.cells[k]!r} is not in {target}" for k in differing], f"converted to {target}",
    )  # fmt: skip
    if len(differing) < len(with_unit):
        done = (
            "removed; it is the unit of the column" if column.unit else f"moved to the column as [{target}]"
        )
        done += (
            f"; {counted(len(bare), 'cell')} without unit taken as {target}"
            if bare and not column.unit
            else ""
        )
        same = [k in found and k not in set(differing) for k in range(len(readings))]
        report_column(column, log, "unit_in_cell", same, f"the unit {target}", done)
    elif column.unit is None:
        log.add(
            int(column.rows[first]),
            column.label,
            "unit_in_cell",
            "units in cells",
            f"column is in [{target}]",
        )
    column.unit = target


def _converted(column: Column, log: RepairLog, position: int, unit: str, target: str) -> float:
    """One value in the unit of its column."""
    assert column.numbers is not None
    try:
        return float(convert(column.numbers[position], unit, target))
    except UnitError as error:
        log.fail(
            "unit", f"be convertible to {target!r}, the unit of the column ({error})", column.cells[position],
            row=int(column.rows[position]), column=column.label, remedy="Correct the cell or its header.",
        )  # fmt: skip


def _celsius(column: Column, unit: str) -> str:
    """``C`` behind a temperature is a degree, not a coulomb."""
    temperature = suits(column.label, "K") or (column.unit is not None and convertible(column.unit, "K"))
    return "°C" if unit == "C" and temperature else unit


def _same_unit(a: str, b: str) -> bool:
    """Whether two texts are the same unit, spelled alike or not."""
    if as_ascii(a) == as_ascii(b):
        return True
    try:
        one, other = parse_unit(a), parse_unit(b)
    except UnitError:
        return False
    return (one.scale, one.offset, one.dimension, one.of) == (
        other.scale,
        other.offset,
        other.dimension,
        other.of,
    )


def report_column(
    column: Column, log: RepairLog, code: str, present: Sequence[bool], found: str, done: str
) -> None:
    """Report a habit of a whole column once, at its first row."""
    count = sum(present)
    if count:
        first = list(present).index(True)
        log.add(
            int(column.rows[first]),
            column.label,
            code,
            f"{found} in {counted(count, 'cell')}, first {column.cells[first]!r}",
            done,
        )
