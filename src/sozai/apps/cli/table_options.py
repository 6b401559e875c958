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


_ENCODINGS = ("utf-8", "utf-16", "cp932", "shift_jis", "euc_jp", "iso2022_jp", "cp1252", "latin-1")
_DELIMITERS = (",", ";", "tab", "|", "whitespace", "\t", "\\t", " ")


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


def _encoding(name: str | None) -> str | None:
    """Refuse what is no encoding of text, before any file is read."""
    try:
        "".encode(name or "utf-8")
    except (LookupError, ValueError):
        raise typer.BadParameter(
            f"must name an encoding of text, such as {', '.join(_ENCODINGS)}. Got {name!r}."
        ) from None
    return name


def _delimiter(sign: str | None) -> str | None:
    """Refuse what separates no cells; a tab may be spelled."""
    if sign is not None and sign not in _DELIMITERS:
        raise typer.BadParameter(f"must be one of {' '.join(_DELIMITERS[:-3])}. Got {sign!r}.")
    return "\t" if sign in ("tab", "\\t") else sign


def _decimal(sign: str | None) -> str | None:
    """Refuse what is no decimal sign; words are signs, too."""
    found = {"point": ".", "comma": ","}.get((sign or "").lower(), sign)
    if found not in (None, ".", ","):
        raise typer.BadParameter(f"must be '.' or ','. Got {sign!r}.")
    return found


Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="utf-8, cp932, ...; found when left out.", callback=_encoding,
        rich_help_panel=COLUMNS,
    ),
]  # fmt: skip
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN", help="Sign between cells; found when left out.", callback=_delimiter,
        rich_help_panel=COLUMNS,
    ),
]  # fmt: skip
Decimal = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN",
        help="Point or comma; found when left out.",
        callback=_decimal,
        rich_help_panel=COLUMNS,
    ),
]
