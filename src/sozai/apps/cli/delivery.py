"""How an answer is delivered: report folder, table, JSON or terminal, and the last lines said there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sozai.apps.cli.formula_places import delimiter_of
from sozai.apps.cli.output import emit_json, staged_folder

__all__ = ["deliver_predictions", "say_end", "say_repairs"]


def deliver_predictions(
    found: Any,
    *,
    schema: str,
    write_folder: Callable[[Any, Path], None],
    table_of: Callable[[Any], tuple[Any, Mapping[str, str | None]]],
    as_payload: Callable[[Any], Mapping[str, Any]],
    say: Callable[[Any], None],
) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    reading, place = found.question.reading, found.question.table
    if reading.output is not None:
        with staged_folder(reading.output) as stage:
            write_folder(found, stage)
    if place is not None:
        from sozai.contracts.tables import write_table

        frame, units = table_of(found)
        write_table(frame, place, units=units, delimiter=delimiter_of(place))
    if reading.json:
        emit_json(as_payload(found), schema=schema, source=str(reading.file), notes=found.notes)
    else:
        say(found)


def say_repairs(repairs: list[dict[str, Any]], screen: Any) -> None:
    """First five repairs of a table, a line each."""
    for repair in repairs[:5]:
        place = f"row {repair['row']}, column {repair['column']!r}" if repair["row"] is not None else "table"
        screen.print(f"Repaired, {place}: {repair['message']}", soft_wrap=True)


def say_end(
    screen: Any,
    notes: Iterable[str],
    files: Mapping[str, Path | None],
    output: Path | None = None,
    hints: Iterable[tuple[bool, str]] = (),
) -> None:
    """Warnings, where the files and the report in ``output`` lie, and the hints that fit."""
    for note in notes:
        screen.print(f"Note: {note}", soft_wrap=True)
    for word, place in {**files, "Report": None if output is None else output / "report.html"}.items():
        if place is not None:
            screen.print(f"{word}: {place}", soft_wrap=True)
    shown = "; ".join(text for wanted, text in hints if wanted)
    if shown:
        screen.print(f"Next: {shown}.", style="dim", soft_wrap=True)
