"""The verb ``describe``: which numbers say what a material is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sozai.apps.cli.formula_options import (
    FORMULAS,
    Basis,
    BasisOption,
    ComponentTableOption,
    FormulaColumn,
    Values,
)
from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.run_options import SHOW, Folder, Jobs, Json
from sozai.apps.cli.table_options import Decimal, Delimiter, Encoding, Sheet

__all__ = ["app", "describe_database", "describe_formulas", "describe_similar"]

app = typer.Typer(help="Which numbers?", no_args_is_help=True, rich_markup_mode="rich")

_NUMBERS, _FILTERS = "The numbers", "Which ones"


class Method(StrEnum):
    """How formulas become numbers."""

    kmd = "kmd"
    statistics = "statistics"
    fractions = "fractions"


class Representation(StrEnum):
    """What a kernel mean is read on."""

    grid = "grid"
    isometric = "isometric"


class Precision(StrEnum):
    """How numbers are kept."""

    double = "float64"
    single = "float32"


class OnError(StrEnum):
    """What becomes of a formula that cannot be read."""

    empty = "empty"
    stop = "raise"


Formulas = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Table with formulas: CSV, TSV or XLSX in UTF-8, UTF-16 or CP932."),
]
ResultTable = Annotated[
    Path | None,
    typer.Option("-o", metavar="OUT", help="File for the result (CSV or TSV).", rich_help_panel=SHOW),
]


@app.callback()
def _verbs() -> None:
    """Describe materials by numbers."""


@app.command("formulas", cls=OnceCommand)
def describe_formulas(
    file: Formulas,
    formula: FormulaColumn = None,
    table: ComponentTableOption = "sozai",
    basis: BasisOption = None,
    values: Values = None,
    on_error: Annotated[
        OnError,
        typer.Option(
            help="Formulas that cannot be read: leave their rows empty and name them, or stop.",
            rich_help_panel=FORMULAS,
        ),
    ] = OnError.empty,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    method: Annotated[
        Method,
        typer.Option(
            help="Kernel means, summary statistics of the elements, or fractions.", rich_help_panel=_NUMBERS
        ),
    ] = Method.kmd,
    representation: Annotated[
        Representation | None,
        typer.Option(
            help="Kernel means on a grid (invertible), or coordinates whose distances are those of the "
            "kernel means; grid when left out.",
            rich_help_panel=_NUMBERS,
        ),
    ] = None,
    grid: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=2, help="Points for each feature; 10 when left out.", rich_help_panel=_NUMBERS
        ),
    ] = None,
    every_element: Annotated[
        bool,
        typer.Option(
            "--every-element",
            help="Fractions: a column also for elements that do not occur.",
            rich_help_panel=_NUMBERS,
        ),
    ] = False,
    dtype: Annotated[
        Precision, typer.Option(help="How numbers are kept.", rich_help_panel=_NUMBERS)
    ] = Precision.double,
    place: Annotated[
        Path | None,
        typer.Option(
            "-o",
            metavar="OUT",
            help="CSV or TSV with the other columns beside, .npy (numbers only), or .npz (with names).",
            rich_help_panel=SHOW,
        ),
    ] = None,
    output: Folder = None,
    json: Json = False,
    n_jobs: Jobs = None,
) -> None:
    """Turn a column of chemical formulas into numbers, row by row.

    [dim]sozai describe formulas compounds.csv --formula formula -o described.csv[/dim]
    """
    from sozai.apps.cli.describe_formulas import DescriptionQuestion, answer

    reading = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    source = _source(file, formula, table, reading, basis, values)
    answer(
        DescriptionQuestion(
            source=source,
            method=method.value,
            representation=None if representation is None else representation.value,
            grid=grid,
            every_element=every_element,
            dtype=dtype.value,
            on_error=on_error.value,
            place=place,
            output=output,
            json=json,
            n_jobs=n_jobs,
        )
    )


@app.command("similar", cls=OnceCommand)
def describe_similar(
    query: Annotated[str, typer.Argument(metavar="FORMULA", help="Chemical formula, e.g. LiFePO4.")],
    database: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table with formulas, or what 'describe database' kept; the 35,463 stable compounds of "
            "SOZAI_DATA when left out.",
            rich_help_panel=FORMULAS,
        ),
    ] = None,
    formula: FormulaColumn = None,
    table: ComponentTableOption = "sozai",
    basis: BasisOption = None,
    values: Values = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    k: Annotated[int, typer.Option("-k", metavar="N", min=1, help="Hits.", rich_help_panel=_FILTERS)] = 10,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="ELEMENT", help="Element that hits hold; repeat.", rich_help_panel=_FILTERS),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ELEMENT", help="Element that hits do not hold; repeat.", rich_help_panel=_FILTERS
        ),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="COL=LOW:HIGH",
            help="Range of a column of the database; either end may be left out; repeat.",
            rich_help_panel=_FILTERS,
        ),
    ] = None,
    different: Annotated[
        bool,
        typer.Option(
            "--different", help="Leave out rows of exactly this composition.", rich_help_panel=_FILTERS
        ),
    ] = False,
    place: ResultTable = None,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Find the materials of a database whose elements are most like those of a formula.

    [dim]sozai describe similar LiFePO4 --database compounds.csv --exclude Co -k 20[/dim]
    """
    from sozai.apps.cli.similar_materials import SimilarQuestion, answer, read_ranges

    reading = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    if database is None:
        chosen = None if basis is None else basis.value
        _refuse_without_database({"formula": formula, "basis": chosen, "values": values, **reading})
    answer(
        SimilarQuestion(
            formula=query,
            source=None if database is None else _source(database, formula, table, reading, basis, values),
            table=table,
            k=k,
            include=tuple(include or ()),
            exclude=tuple(exclude or ()),
            ranges=read_ranges(tuple(ranges or ())),
            different=different,
            place=place,
            output=output,
            json=json,
        )
    )


@app.command("database", cls=OnceCommand)
def describe_database(
    file: Formulas,
    save: Annotated[
        Path,
        typer.Option(
            metavar="INDEX.sozai",
            help="File for the database; its name ends in .sozai.",
            rich_help_panel=SHOW,
        ),
    ],
    formula: FormulaColumn = None,
    table: ComponentTableOption = "sozai",
    basis: BasisOption = None,
    values: Values = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    json: Json = False,
) -> None:
    """Keep a table of formulas so that 'describe similar' answers at once.

    [dim]sozai describe database compounds.csv --formula formula --save compounds.sozai[/dim]
    """
    from sozai.apps.cli.similar_database import DatabaseQuestion, keep_database

    reading = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    keep_database(DatabaseQuestion(_source(file, formula, table, reading, basis, values), save, json))


def _source(
    path: Path,
    formula: str | None,
    table: str,
    reading: dict[str, str | None],
    basis: Basis | None,
    values: list[str] | None,
) -> Any:
    """File of formulas, and how it is read."""
    from sozai.apps.cli.formula_columns import FormulaFile
    from sozai.apps.cli.formula_reading import read_values

    chosen = None if basis is None else basis.value
    return FormulaFile(
        path, formula=formula, table=table, basis=chosen, values=read_values(values or ()), **reading
    )


def _refuse_without_database(options: dict[str, Any]) -> None:
    """Refuse options about a file where none is named."""
    for name, value in options.items():
        if value is not None:
            raise typer.BadParameter(
                f"says how a file is read: name it with --database FILE. Got {value!r}.",
                param_hint=f"--{name}",
            )
