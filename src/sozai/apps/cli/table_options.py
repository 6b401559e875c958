"""Options of every verb that reads a table: which columns, and how the file is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "COLUMNS",
    "Decimal",
    "Delimiter",
    "Encoding",
    "Identifiers",
    "Ignore",
    "Missing",
    "MissingRows",
    "Sheet",
    "Units",
]

COLUMNS = "Columns"
"""Heading of these options in the help."""


class Missing(StrEnum):
    """What is done with rows that have empty cells."""

    error = "error"
    drop = "drop"


Ignore = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="Column to leave out; repeat.", rich_help_panel=COLUMNS),
]
Identifiers = Annotated[
    list[str] | None,
    typer.Option("--id", metavar="COL", help="Column that names the rows; repeat.", rich_help_panel=COLUMNS),
]
Units = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COL=UNIT",
        help="Unit of a column, if its header has none; COL= for a pure number; repeat.",
        rich_help_panel=COLUMNS,
    ),
]
MissingRows = Annotated[
    Missing,
    typer.Option(help="Rows with empty cells: refuse, or leave out and count.", rich_help_panel=COLUMNS),
]
Sheet = Annotated[
    str | None, typer.Option(metavar="NAME", help="Sheet of an XLSX file.", rich_help_panel=COLUMNS)
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="utf-8, cp932, ...; found when left out.", rich_help_panel=COLUMNS),
]
Delimiter = Annotated[
    str | None,
    typer.Option(metavar="SIGN", help="Sign between cells; found when left out.", rich_help_panel=COLUMNS),
]
Decimal = Annotated[
    str | None,
    typer.Option(metavar="SIGN", help="Point or comma; found when left out.", rich_help_panel=COLUMNS),
]
