"""What the user asked of a property: the table as in ``explain``, the kind of target, the places to write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sozai.apps.cli.formula_places import check_result_place, check_text_table
from sozai.apps.cli.table_output import check_places
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np

    from sozai.apps.cli.table_reading import NewRows, Reading

__all__ = [
    "PropertyQuestion",
    "check_property_places",
    "choose_kind",
    "in_property_words",
    "refuse_few_rows",
    "refuse_formula_options",
    "refuse_no_rows",
    "refuse_table_options",
    "refuse_with_classes",
    "say_in_property_words",
]

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
    formula: str | None = None
    components: str = "sozai"
    model: str = "auto"
    basis: str | None = None
    values: Mapping[str, float | str] = field(default_factory=dict)


def refuse_formula_options(question: PropertyQuestion) -> None:
    """Refuse options about formulas where no column of them is named."""
    about_formulas = {
        "--table": (question.components, "sozai"),
        "--model": (question.model, "auto"),
        "--basis": (question.basis, None),
        "--values": (dict(question.values), {}),
        "--classify": (question.reading.classify, False),
    }
    for option, (value, default) in about_formulas.items():
        if value != default:
            remedy = "Name the column of chemical formulas: --formula COL."
            if option == "--classify":
                remedy += " A rule for classes of a table of numbers is found by sozai explain table."
            raise UsageError(
                sentence(option, "the option", "be left out without --formula", value, remedy=remedy)
            )


def refuse_table_options(question: PropertyQuestion) -> None:
    """Refuse what says which columns are left out where only named ones are used."""
    if question.reading.ignore:
        raise UsageError(
            sentence(
                "--ignore", "the option", "be left out with --formula", question.reading.ignore[0],
                remedy="Beside the formula only columns named by --features are used.",
            )
        )  # fmt: skip


def refuse_with_classes(question: PropertyQuestion) -> None:
    """Refuse options about a quantity where the target holds classes."""
    for option, value in (("--kind", question.kind), ("--model", question.model)):
        if value != "auto":
            raise UsageError(
                sentence(
                    option, "the option", "be left out where the target holds classes", value,
                    at=f"for column {question.reading.target!r}", remedy="Leave it out.",
                )
            )  # fmt: skip


def check_property_places(question: PropertyQuestion) -> None:
    """Refuse a place that cannot be written before the fits, not after them."""
    check_places(question.reading)
    check_text_table("-o", question.table)
    check_result_place("-o", question.table, (question.reading.file, question.reading.apply))


def refuse_few_rows(question: PropertyQuestion, n_rows: int) -> None:
    """At least five rows to learn from."""
    if n_rows < _LEAST_ROWS:
        remedy = "Measure more rows, or leave out the columns with empty cells by --ignore."
        if question.formula is not None:
            remedy = "Measure more formulas, or correct those that could not be read."
        raise InputError(
            sentence(
                "predict property", f"{question.reading.file}", f"have at least {_LEAST_ROWS} complete rows",
                n_rows, remedy=remedy,
            )
        )  # fmt: skip


def choose_kind(question: PropertyQuestion, reading: Reading) -> tuple[str, list[str]]:
    """Kind of target, and a note on what was chosen unasked or might be better.

    Raises
    ------
    InputError
        For fewer than five rows, and for a value that the kind asked for does not allow.
    """
    y, unit = reading.y, reading.target_unit
    refuse_few_rows(question, len(y))
    percent = unit is not None and unit.endswith("%")
    whole = 100.0 if percent or (unit is None and float(y.max()) > 1.0) else 1.0
    within = bool((y >= 0).all() and (y <= whole).all())
    if question.kind != "auto":
        _check_kind(question.kind, reading, whole)
        return question.kind, []
    named = f"{reading.target!r}"
    doubt = _maybe_shares(reading) if percent else []
    if percent and within:
        text = (
            "so it is modelled as a percentage and predictions stay within 0 and 100; --kind real lifts that."
        )
        return "fraction", [f"{named} has the unit {unit}, {text}", *doubt]
    if percent:
        row, value = _first((y < 0) | (y > whole), reading)
        text = f"values outside 0 to 100, the first {value:g} in row {row}, so any number is allowed."
        return "real", [f"{named} has the unit {unit} but {text}", *doubt]
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
    y = reading.y
    if kind == "real":
        return
    bad = y <= 0 if kind == "positive" else (y < 0) | (y > whole)
    if bad.any():
        row, value = _first(bad, reading)
        allowed = "be positive" if kind == "positive" else f"lie between 0 and {whole:g}"
        raise InputError(
            sentence(
                f"--kind {kind}", f"every value of {reading.target!r}", allowed, value,
                at=f"in row {row}", remedy="Correct the cell, or use --kind real.",
            )
        )  # fmt: skip


def _first(bad: np.ndarray, reading: Reading) -> tuple[int, float]:
    """Row, as the file counts it, and value of the first marked entry of the target."""
    place = int(bad.argmax())
    rows = reading.table.rows[reading.table.frame.index.get_indexer(reading.X.index)]
    return int(rows[place]), float(reading.y[place])


def _maybe_shares(reading: Reading) -> list[str]:
    """Doubt a target in percent of which nine values in ten lie between 0 and 1."""
    y = reading.y
    n_above = int(((y < 0) | (y > 1)).sum())
    if n_above > len(y) // 10:
        return []
    counted = "All values" if not n_above else f"All but {n_above} of the {len(y)} values"
    target = reading.target
    text = (
        f"{counted} of {target!r} lie between 0 and 1 although its unit is %: if these are fractions, write "
        f"the unit as 1 (header '{target} [1]', or --units \"{target}=1\") and add --kind fraction."
    )
    return [text]


def refuse_no_rows(question: PropertyQuestion, new: NewRows | None) -> None:
    """Say that a table of new rows has a header and nothing below it."""
    if new is not None and not new.rows:
        raise InputError(
            sentence(
                "predict property", f"{question.reading.apply}", "have rows below its header", "no row",
                remedy="Check that the right file was saved.",
            )
        )  # fmt: skip


@contextmanager
def in_property_words(question: PropertyQuestion) -> Iterator[None]:
    """Let what reading and fitting refuse be said of this command, its files and its options."""
    try:
        yield
    except InputError as error:
        raise type(error)(_of_this_command(str(error), question)) from None


def say_in_property_words(note: str, target: str) -> str:
    """Return a warning of the library without its places, the target by its name.

    Examples
    --------
    >>> say_in_property_words("TablePredictor.fit: y is 4 in all 9 rows.", "yield")
    'yield is 4 in all 9 rows.'
    """
    said = re.sub(r"^TablePredictor\.\w+: ", "", note)
    return f"{target}{said[1:]}" if said.startswith("y is ") else said


def _of_this_command(text: str, question: PropertyQuestion) -> str:
    """Return the sentence with the names of the files in it."""
    file, new = question.reading.file, question.reading.apply
    text = text.replace("explain table:", "predict property:")
    text = text.replace("TablePredictor.fit: X must", f"predict property: {file} must")
    return text if new is None else _of_new_rows(text, file, new)


def _of_new_rows(text: str, file: Path, new: Path) -> str:
    """Return the sentence with what to do about a table of new rows."""
    strange = re.match(r"Table\.numeric: column ('.*?') must hold numbers\.", text)
    if strange and f"of '{new}'" in text:
        remedy = f"empty it to skip its row, or learn without the column: --ignore {strange[1]}."
        text = text.replace("Correct the cell or choose another column.", f"Correct the cell, {remedy}")
    unlike = re.match(r"--apply: column ('.*?') of '.*?': convert: units must", text)
    if unlike:
        text = f"{new}: the unit of column {unlike[1]} and that in {file} must{text[unlike.end() :]}"
    return re.sub(r"^--apply:", lambda _: f"{new}:", text)
