"""What the user asked of a property: the table as in ``explain``, the kind of target, the places to write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sozai.apps.cli.table_output import check_places
from sozai.apps.cli.table_question import TableQuestion
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.apps.cli.table_reading import Reading

__all__ = ["PropertyQuestion", "check_property_places", "choose_kind", "in_property_words", "refuse_formula"]

_LEAST_ROWS = 5
_WIDE = 100.0  # largest over smallest positive value from which a logarithm is worth a word
_SHARES = ("yield", "conversion", "selectivity", "efficiency", "収率", "転化率", "選択率", "効率")


@dataclass(frozen=True)
class PropertyQuestion:
    """Options of ``sozai predict property`` as they were given.

    Examples
    --------
    >>> PropertyQuestion(TableQuestion(file=Path("a.csv"), target="y")).level
    0.9
    """

    reading: TableQuestion
    kind: str = "auto"
    level: float = 0.9
    table: Path | None = None


def refuse_formula(column: str) -> NoReturn:
    """Say that formulas are not turned into numbers yet, and what to do meanwhile."""
    raise InputError(
        sentence(
            "--formula", "a column of formulas", "wait until formulas can be turned into numbers", column,
            remedy="Give the composition as columns of numbers, one an element or feature.",
        )
    )  # fmt: skip


def check_property_places(question: PropertyQuestion) -> None:
    """Refuse a place that cannot be written before the fits, not after them."""
    check_places(question.reading)
    path = question.table
    if path is None:
        return
    if path.is_dir():
        _refuse("be a file", path, "Name a file inside this folder, e.g. predicted.csv.")
    if path.suffix.lower() in (".xlsx", ".xls"):
        _refuse("be a CSV or TSV file", path, "Name it .csv; Excel opens it with Japanese intact.")
    inputs = [given for given in (question.reading.file, question.reading.apply) if given is not None]
    if any(path.absolute() == given.absolute() for given in inputs):
        _refuse("not be one of the input files", path, "Name another file.")
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        _refuse("lie in a folder you may write", path, f"Choose another place than {folder}.")


def _refuse(requirement: str, path: Path, remedy: str) -> NoReturn:
    raise InputError(sentence("-o", "the place", requirement, str(path), remedy=remedy))


def choose_kind(question: PropertyQuestion, reading: Reading) -> tuple[str, list[str]]:
    """Kind of target, and a note on what was chosen unasked or might be better.

    Raises
    ------
    InputError
        For fewer than five rows, and for a value that the kind asked for does not allow.
    """
    y, unit = reading.y, reading.target_unit
    if len(y) < _LEAST_ROWS:
        raise InputError(
            sentence(
                "predict property", f"{question.reading.file}", f"have at least {_LEAST_ROWS} complete rows",
                len(y), remedy="Measure more rows, or leave out the columns with empty cells by --ignore.",
            )
        )  # fmt: skip
    percent = unit is not None and unit.endswith("%")
    whole = 100.0 if percent or (unit is None and float(y.max()) > 1.0) else 1.0
    within = bool((y >= 0).all() and (y <= whole).all())
    if question.kind != "auto":
        _check_kind(question.kind, reading, whole)
        return question.kind, []
    named = f"{reading.target!r}"
    if percent and within:
        text = (
            "so it is modelled as a percentage and predictions stay within 0 and 100; --kind real lifts that."
        )
        return "fraction", [f"{named} has the unit {unit}, {text}"]
    if percent:
        return "real", [f"{named} has the unit {unit} but values outside 0 to 100, so any number is allowed."]
    if within and any(word in reading.target.lower() for word in _SHARES):
        text = f"with --kind fraction its predictions stay within 0 and {whole:g}."
        return "real", [f"{named} looks like a percentage or fraction but has no unit %; {text}"]
    if (y > 0).all() and y.max() > _WIDE * y.min():
        ratio = float(y.max() / y.min())
        return "real", [
            f"{named} is positive and spans a factor {ratio:.3g}: --kind positive may fit better."
        ]
    return "real", []


def _check_kind(kind: str, reading: Reading, whole: float) -> None:
    """Name the first row whose value the kind does not allow."""
    import numpy as np

    y = reading.y
    if kind == "real":
        return
    bad = y <= 0 if kind == "positive" else (y < 0) | (y > whole)
    if bad.any():
        place = int(np.argmax(bad))
        rows = reading.table.rows[reading.table.frame.index.get_indexer(reading.X.index)]
        allowed = "be positive" if kind == "positive" else f"lie between 0 and {whole:g}"
        raise InputError(
            sentence(
                f"--kind {kind}", f"every value of {reading.target!r}", allowed, float(y[place]),
                at=f"in row {rows[place]}", remedy="Correct the cell, or use --kind real.",
            )
        )  # fmt: skip


@contextmanager
def in_property_words(question: PropertyQuestion) -> Iterator[None]:
    """Let what reading says of ``explain table`` and ``--apply`` be said of this command."""
    try:
        yield
    except InputError as error:
        text = str(error).replace("explain table:", "predict property:")
        new: Any = question.reading.apply
        raise type(error)(text.replace("--apply:", f"{new}:")) from None
