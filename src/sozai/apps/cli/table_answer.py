"""Everything found for one question about a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.wording import in_command_words

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.table_question import Plan, TableQuestion
    from sozai.apps.cli.table_reading import Reading

__all__ = ["Conversions", "TableAnswer"]


# What a search says of itself and the user must know: something was not searched.
_NOT_SEARCHED = re.compile(r"more complex ones exceed|stopped after|interrupted|laws end at")


class Conversions:
    """What an answer with a ``law`` and a ``reading`` says about units, and the log of its search."""

    law: Any
    reading: Reading
    notes: list[str]

    @property
    def search_notes(self) -> tuple[str, ...]:
        """What the search says of itself."""
        raise NotImplementedError

    @property
    def search_log(self) -> list[str]:
        """Steps of a large search, in its own words: a record, no warning."""
        return [in_command_words(note) for note in self.search_notes if not _NOT_SEARCHED.search(note)]

    def part_notes(self) -> None:
        """Keep in ``notes`` what is a warning, each once; the log of the search has its own place."""
        log = set(self.search_log)
        self.notes = [note for note in dict.fromkeys(self.notes) if note not in log]

    @property
    def formula_units(self) -> dict[str, str | None]:
        """Unit in which each column enters the formula; it may differ from that of the file."""
        columns = self.law.columns_
        return {name: columns.units.get(name) for name in self.reading.X.columns}

    @property
    def conversions(self) -> list[str]:
        """Say which columns enter the formula in another unit than the file has."""
        given = self.reading.units
        return [
            f"In the law {name!r} is meant in {unit}; the file has it in {given[name]}."
            for name, unit in self.formula_units.items()
            if unit and given.get(name) and unit != given[name]
        ]


@dataclass
class TableAnswer(Conversions):
    """Everything found for one question; the parts that were not asked for stay None.

    Attributes
    ----------
    question : TableQuestion
    reading : Reading
    plan : Plan
    law : SymbolicRegressor
        Fitted.
    models : list of SymbolicModel
        The kept law first, then the best of every other size, then the rest.
    validation : dict
        Score with the whole search repeated in every fold.
    rewritten : list
        Equivalent forms with the preferred descriptors.
    comparison : DataFrame or None
    price : Price or None
        What the formula costs against the best black box.
    limits : TableLimits or None
    predictions : DataFrame or None
    notes : list of str
        Warnings.
    seconds : float
    """

    question: TableQuestion
    reading: Reading
    plan: Plan
    law: Any
    models: list[Any]
    validation: dict[str, Any] = field(default_factory=dict)
    rewritten: list[Any] = field(default_factory=list)
    comparison: pd.DataFrame | None = None
    price: Any = None
    limits: Any = None
    predictions: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def search_notes(self) -> tuple[str, ...]:
        """What the large search says of itself; nothing for the small one."""
        return tuple(self.law.models_.notes) if self.plan.large else ()

    @property
    def simplified(self) -> str | None:
        """The kept law with coefficients as simple fractions, where that is no coincidence; else None."""
        text = self.law.formula_of(self.law.model_, snap=True)
        return None if text == self.law.formula_ else str(text)
