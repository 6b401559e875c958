"""The answer to a question about a table, delivered: saved law, folder, JSON or terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sozai.apps.cli.output import emit_json, staged_folder
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.apps.cli.class_rule import ClassAnswer
    from sozai.apps.cli.table_answer import TableAnswer
    from sozai.apps.cli.table_question import TableQuestion

__all__ = ["check_places", "deliver"]


def check_places(question: TableQuestion) -> None:
    """Refuse a place that cannot be written before the search, not after it."""
    for option, path in (("--output", question.output), ("--save", question.save)):
        if path is None:
            continue
        if option == "--output" and path.exists() and not path.is_dir():
            _refuse(option, "be a folder", path, "Name a folder; it is made when needed.")
        if option == "--save" and path.is_dir():
            _refuse(option, "be a file", path, "Name a file inside this folder, e.g. law.zip.")
        there = path.absolute()
        if option == "--save" or not there.exists():
            there = next(parent for parent in there.parents if parent.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            _refuse(option, "lie in a folder you may write", path, f"Choose another place than {there}.")


def _refuse(option: str, requirement: str, path: Path, remedy: str) -> NoReturn:
    raise InputError(sentence(option, "the place", requirement, str(path), remedy=remedy))


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
