"""The verb ``predict``: what a property will be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.table_options import (
    COLUMNS,
    Decimal,
    Delimiter,
    Encoding,
    Identifiers,
    Ignore,
    Missing,
    MissingRows,
    Sheet,
    Units,
)

__all__ = ["app", "predict_property"]

app = typer.Typer(help="What will it be?", no_args_is_help=True, rich_markup_mode="rich")


class Kind(StrEnum):
    """Which values the target can take."""

    auto = "auto"
    real = "real"
    positive = "positive"
    fraction = "fraction"


_MODEL, _SHOW, _RUN = "The model", "What you get", "Running"


@app.callback()
def _verbs() -> None:
    """Predict a property of rows that were not measured."""


@app.command("property", cls=OnceCommand)
def predict_property(
    file: Annotated[
        Path,
        typer.Argument(metavar="TRAIN", help="Measured rows: CSV, TSV or XLSX in UTF-8, UTF-16 or CP932."),
    ],
    target: Annotated[str, typer.Option(metavar="COL", help="Column to predict.", rich_help_panel=COLUMNS)],
    new: Annotated[
        Path | None,
        typer.Argument(metavar="NEW", help="Rows to predict; without it the measured rows, each left out."),
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL",
            help="Column to predict it from; repeat. All numeric ones when left out.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    ignore: Ignore = None,
    identifiers: Identifiers = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Rows with the same value are left out together, and new rows are of new groups.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    formula: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Column of chemical formulas (not available yet).", rich_help_panel=COLUMNS
        ),
    ] = None,
    units: Units = None,
    missing: MissingRows = Missing.error,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    kind: Annotated[
        Kind,
        typer.Option(
            help="Any number, positive, or a fraction or percentage; auto: fraction where the unit is %.",
            rich_help_panel=_MODEL,
        ),
    ] = Kind.auto,
    level: Annotated[
        float,
        typer.Option(metavar="P", help="Share of new values the intervals hold.", rich_help_panel=_MODEL),
    ] = 0.9,
    table: Annotated[
        Path | None,
        typer.Option("-o", metavar="TABLE", help="File for the predictions (CSV).", rich_help_panel=_SHOW),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for report.html, tables and figures.", rich_help_panel=_SHOW
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=_SHOW)
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of everything random.", rich_help_panel=_RUN)
    ] = 0,
    n_jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Fits at once; the answer does not depend on it.", rich_help_panel=_RUN
        ),
    ] = None,
) -> None:
    """Predict one column of a table, with intervals that hold and a word on where they do.

    [dim]sozai predict property measured.csv new.csv --target "yield [%]" -o predicted.csv[/dim]
    """
    if not 0.0 < level < 1.0:
        raise typer.BadParameter(f"must lie between 0 and 1. Got {level:g}.", param_hint="--level")
    if n_jobs == 0:
        raise typer.BadParameter("must be 1, 2, ..., or -1 for all. Got 0.", param_hint="--n-jobs")
    from sozai.apps.cli.property_answer import answer
    from sozai.apps.cli.property_question import PropertyQuestion, refuse_formula
    from sozai.apps.cli.table_question import TableQuestion

    if formula is not None:
        refuse_formula(formula)
    reading = TableQuestion(
        file=file,
        target=target,
        features=tuple(features or ()),
        ignore=tuple(ignore or ()),
        identifiers=tuple(identifiers or ()),
        groups=groups,
        units=tuple(units or ()),
        missing=missing.value,
        sheet=sheet,
        encoding=encoding,
        delimiter="\t" if delimiter in ("tab", "\\t") else delimiter,
        decimal=decimal,
        apply=new,
        output=output,
        json=json,
        seed=seed,
        n_jobs=n_jobs,
    )
    answer(PropertyQuestion(reading=reading, kind=kind.value, level=level, table=table))
