"""Options of verbs that read chemical formulas: how they are meant, which table knows the elements."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "FORMULAS",
    "Basis",
    "BasisOption",
    "ComponentTableOption",
    "FormulaColumn",
    "Values",
]

FORMULAS = "Formulas"
"""Heading of these options in the help."""


class Basis(StrEnum):
    """What the numbers in a formula count."""

    amount = "amount"
    atomic_percent = "at%"
    weight_percent = "wt%"


FormulaColumn = Annotated[
    str | None,
    typer.Option(
        "--formula",
        metavar="COL",
        help="Column of chemical formulas; found when left out.",
        rich_help_panel=FORMULAS,
    ),
]
ComponentTableOption = Annotated[
    str,
    typer.Option(
        "--table",
        metavar="sozai|published|PATH",
        help="Features of the elements: the bundled table, that of the paper, or a CSV file of your own.",
        rich_help_panel=FORMULAS,
    ),
]
BasisOption = Annotated[
    Basis | None,
    typer.Option(
        help="What the numbers count: atoms, or percentages; amount, or what the header says, when left out.",
        rich_help_panel=FORMULAS,
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=NUMBER",
        help="Value of a variable such as the x of La1-xSrxMnO3; repeat.",
        rich_help_panel=FORMULAS,
    ),
]
