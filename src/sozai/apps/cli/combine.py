"""The verb ``combine``: experiment and simulation in one model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.run_options import SHOW, Folder, Json, PredictionsTable
from sozai.apps.cli.table_options import (
    COLUMNS,
    Decimal,
    Delimiter,
    Encoding,
    Identifiers,
    Missing,
    MissingRows,
    Sheet,
    Units,
)

__all__ = ["app", "combine_sources"]

app = typer.Typer(
    help="What do experiment and simulation say together?", no_args_is_help=True, rich_markup_mode="rich"
)

_MODEL = "The model"


class Restricted(StrEnum):
    """Which terms the correction of the simulation may have."""

    learn = "learn"
    average = "average"


@app.callback()
def _verbs() -> None:
    """Join measurements with calculations of the same quantity."""


@app.command("sources", cls=OnceCommand)
def combine_sources(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Calculated and measured rows, empty where not known: CSV, TSV or XLSX."
        ),
    ],
    descriptors: Annotated[
        list[str],
        typer.Option(
            metavar="COL",
            help="Column that both depend on, such as a composition or T; repeat.",
            rich_help_panel=COLUMNS,
        ),
    ],
    simulation: Annotated[
        list[str],
        typer.Option(
            metavar="COL",
            help="Column of calculated values; repeat, from the cheapest to the best.",
            rich_help_panel=COLUMNS,
        ),
    ],
    experiment: Annotated[
        str, typer.Option(metavar="COL", help="Column of measured values.", rich_help_panel=COLUMNS)
    ],
    identifiers: Identifiers = None,
    units: Units = None,
    missing: MissingRows = Missing.error,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    basis: Annotated[
        str,
        typer.Option(
            metavar="NAME:N", help="polynomial:3, sine:6, fourier:4, legendre:3 ...", rich_help_panel=_MODEL
        ),
    ] = "polynomial:3",
    restricted: Annotated[
        Restricted,
        typer.Option(
            help="Terms by which the experiment differs: the most probable set, or all sets by their weight.",
            rich_help_panel=_MODEL,
        ),
    ] = Restricted.learn,
    coupling: Annotated[
        str,
        typer.Option(
            metavar="fit|average|C",
            help="How much of the simulation the experiment follows: learned, averaged over, or a number.",
            rich_help_panel=_MODEL,
        ),
    ] = "fit",
    allow_prior: Annotated[
        bool,
        typer.Option(
            "--allow-prior",
            help="Predict an experiment without a single value, from what is believed of the coupling.",
            rich_help_panel=_MODEL,
        ),
    ] = False,
    predict: Annotated[
        Path | None,
        typer.Option(
            metavar="GRID", help="Rows to predict; without it the rows of FILE.", rich_help_panel=SHOW
        ),
    ] = None,
    level: Annotated[
        float,
        typer.Option(metavar="P", help="Share of true values the intervals hold.", rich_help_panel=SHOW),
    ] = 0.9,
    table: PredictionsTable = None,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Predict the experiment everywhere from many calculations and few measurements, with error bars.

    [dim]sozai combine sources magnets.csv --descriptors Co --descriptors T --simulation M_calc
    --experiment M_expt --predict grid.csv -o predicted.csv[/dim]
    """  # fmt: skip
    if not 0.0 < level < 1.0:
        raise typer.BadParameter(f"must lie between 0 and 1. Got {level:g}.", param_hint="--level")
    from sozai.apps.cli.combine_answer import answer
    from sozai.apps.cli.combine_question import CombineQuestion, read_coupling
    from sozai.apps.cli.table_question import TableQuestion

    reading = TableQuestion(
        file=file,
        target=experiment,
        features=tuple(descriptors),
        identifiers=tuple(identifiers or ()),
        units=tuple(units or ()),
        missing=missing.value,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        apply=predict,
        output=output,
        json=json,
    )
    answer(
        CombineQuestion(
            reading=reading,
            simulations=tuple(simulation),
            basis=basis,
            restricted=restricted.value,
            coupling=read_coupling(coupling),
            allow_prior=allow_prior,
            level=level,
            table=table,
        )
    )
