"""The answer to a question about a table, delivered: saved law, folder, JSON or terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.formula_places import check_result_folder, need_open_folder, refuse_place
from sozai.apps.cli.output import emit_json, staged_folder

if TYPE_CHECKING:
    from sozai.apps.cli.class_rule import ClassAnswer
    from sozai.apps.cli.table_answer import TableAnswer
    from sozai.apps.cli.table_question import TableQuestion

__all__ = ["check_places", "deliver"]


def check_places(question: TableQuestion) -> None:
    """Refuse a place that cannot be written before the search, not after it."""
    check_result_folder(question.output)
    if question.save is None:
        return
    if question.save.is_dir():
        refuse_place("--save", "be a file", question.save, "Name a file inside this folder, e.g. law.zip.")
    there = next(parent for parent in question.save.absolute().parents if parent.exists())
    need_open_folder("--save", question.save, there)


def deliver(found: TableAnswer | ClassAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    question = found.question
    found.part_notes()
    if question.save is not None:
        _save(found.law, question.save)
    as_payload, say_answer, write_folder, schema = _ways(found.reading.is_class)
    if question.output is not None:
        with staged_folder(question.output) as stage:
            write_folder(found, stage)
    if question.json:
        emit_json(
            as_payload(found),
            schema=f"sozai.explain.{schema}/1",
            source=str(question.file),
            notes=found.notes,
        )
    else:
        say_answer(found)


def _ways(is_class: bool) -> tuple[Any, Any, Any, str]:
    """Records, terminal, folder and schema of an answer about a quantity or about classes."""
    if is_class:
        from sozai.apps.cli import class_records, class_report, class_screen

        return class_records.as_payload, class_screen.say_answer, class_report.write_folder, "table.classes"
    from sozai.apps.cli import table_records, table_report, table_screen

    return table_records.as_payload, table_screen.say_answer, table_report.write_folder, "table"


def _save(law: Any, path: Path) -> None:
    """Keep the fitted law, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    law.save(path)
