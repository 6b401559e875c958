"""What the user asked of two sources, and what the library says of them in the words of this command."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sozai.apps.cli.formula_places import check_result_place, check_text_table
from sozai.apps.cli.table_output import check_places
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.usage import UsageError, as_usage
from sozai.contracts.errors import InputError, sentence

__all__ = [
    "CombineQuestion",
    "check_combine_places",
    "in_combine_words",
    "read_basis",
    "read_coupling",
    "say_in_combine_words",
]


_NO_VALUE = r"--experiment, --simulation: every column must have a value. Got none in '\1'."


@dataclass(frozen=True)
class CombineQuestion:
    """Options of ``sozai combine sources`` as they were given.

    Examples
    --------
    >>> reading = TableQuestion(file=Path("a.csv"), target="M_expt", features=("T",))
    >>> CombineQuestion(reading, ("M_calc",)).sources
    ('M_calc', 'M_expt')
    """

    reading: TableQuestion
    simulations: tuple[str, ...]
    basis: str = "polynomial:3"
    restricted: str = "learn"
    coupling: str | float = "fit"
    allow_prior: bool = False
    level: float = 0.9
    table: Path | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the sources, from the cheapest calculation to the experiment."""
        return (*self.simulations, str(self.reading.target))


def read_coupling(text: str) -> str | float:
    """Read ``fit``, ``average`` or a number.

    Examples
    --------
    >>> read_coupling("1"), read_coupling("fit")
    (1.0, 'fit')
    """
    if text in ("fit", "average"):
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            sentence("--coupling", "the value", "be fit, average or a number", text, remedy="Write 1 to "
                     "take the calculations at their own size.")
        )  # fmt: skip
    return number


def read_basis(text: str) -> Any:
    """Read ``polynomial:3`` and its like.

    Examples
    --------
    >>> read_basis("sine:2")
    Sine(n=2, period=None)
    """
    from sozai.assimilation.basis import parse_basis

    with as_usage():
        try:
            return parse_basis(text)
        except InputError as error:
            raise InputError(str(error).replace("parse_basis: text", "--basis: the basis")) from None


def check_combine_places(question: CombineQuestion) -> None:
    """Refuse a place that cannot be written before the fit, not after it."""
    check_places(question.reading)
    check_text_table("-o", question.table)
    check_result_place("-o", question.table, (question.reading.file, question.reading.apply))


@contextmanager
def in_combine_words(question: CombineQuestion) -> Iterator[None]:
    """Let what reading and fitting refuse be said of this command, its files and its options."""
    try:
        yield
    except InputError as error:
        text = re.sub(r"^(?:explain table|Table\.numeric):", "combine sources:", str(error))
        text = re.sub(r"Y must have .*? only in column '(.*?)'\.", _NO_VALUE, text)
        if text.startswith("GaussianAssimilator"):
            text = f"combine sources: {say_in_combine_words(text)}"
        new = question.reading.apply
        if new is not None:
            text = re.sub(r"^--apply:", lambda _: f"{new}:", text)
            text = re.sub(r" or do without it: --ignore [^.]*\.$", " or leave its --descriptors out.", text)
        raise type(error)(text) from None


def say_in_combine_words(note: str) -> str:
    """Return a sentence of the library without its places, its remedies as options.

    Examples
    --------
    >>> say_in_combine_words("GaussianAssimilator.fit: the coupling C is not identified by these data.")
    'The coupling is not identified by these data.'
    """
    said = re.sub(r"^GaussianAssimilator(?:\.\w+)?: ", "", note)
    said = re.sub(r"\bcoupling=([\d.]+?)(?:\.0)?(?=\.?$|[ ,])", r"--coupling \1", said)
    said = said.replace("allow_prior=True", "--allow-prior").replace("the coupling C is", "the coupling is")
    return said[:1].upper() + said[1:]
