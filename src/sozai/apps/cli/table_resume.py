"""Finished parts of a long search, kept beside the output until the answer is there."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sozai.apps.cli.table_question import TableQuestion

__all__ = ["forget_parts", "kept_parts", "parts_folder"]

_NAME = ".resume"
_ELSEWHERE = {"file", "output", "json", "save", "apply", "n_jobs", "compare", "limits", "prefer", "relations"}


def parts_folder(question: TableQuestion) -> Path | None:
    """Folder for the parts of this question inside the output folder; None without one.

    Another table or another option has another folder, so that parts of one
    question never meet those of another.
    """
    if question.output is None:
        return None
    import sozai

    content = hashlib.sha256(question.file.read_bytes())
    asked = {
        item.name: getattr(question, item.name) for item in fields(question) if item.name not in _ELSEWHERE
    }
    content.update(repr([sozai.__version__, sorted(asked.items())]).encode())
    return question.output / _NAME / content.hexdigest()[:16]


@contextmanager
def kept_parts(folder: Path | None, notes: list[str]) -> Iterator[Path | None]:
    """Folder in which a search keeps its parts; says what was found there, and what is left after Ctrl-C."""
    n_before = 0 if folder is None else sum(1 for _ in folder.rglob("chunk-*.zip"))
    if n_before:
        parts = "1 finished part" if n_before == 1 else f"{n_before:,} finished parts"
        notes.append(f"{parts} of an earlier run, kept in {folder}, made this one shorter.")
    try:
        yield folder
    except KeyboardInterrupt:
        if folder is not None and folder.exists():
            sys.stderr.write(f"Finished parts are kept in {folder}: the same command goes on from there.\n")
        raise


def forget_parts(question: TableQuestion) -> None:
    """Remove all parts: the answer is there."""
    if question.output is not None:
        shutil.rmtree(question.output / _NAME, ignore_errors=True)
