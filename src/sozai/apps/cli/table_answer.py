"""Everything found for one question about a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.table_question import Plan, TableQuestion
    from sozai.apps.cli.table_reading import Reading

__all__ = ["Conversions", "TableAnswer"]


class Conversions:
    """What an answer with a ``law`` and a ``reading`` says about units."""

    law: Any
    reading: Reading

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
    def simplified(self) -> str | None:
        """The kept law with coefficients as simple fractions, where that is no coincidence; else None."""
        text = self.law.formula_of(self.law.model_, snap=True)
        return None if text == self.law.formula_ else str(text)
