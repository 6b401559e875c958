"""The verb ``predict``: what a property will be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sozai.apps.cli.formula_options import FORMULAS, BasisOption, ComponentTableOption, Values
from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.run_options import Folder, Jobs, Json, PredictionsTable, Seed
from sozai.apps.cli.table_options import (
    COLUMNS,
    Decimal,
    Delimiter,
    Encoding,
    Identifiers,
    Ignore,
    Missing,
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


class Model(StrEnum):
    """What predicts from formulas."""

    auto = "auto"
    process = "gp"
    networks = "networks"


_MODEL = "The model"


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
            help="Column to predict it from; repeat. All numeric ones when left out, none with --formula.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    ignore: Ignore = None,
    identifiers: Identifiers = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Rows with the same value are left out together, and new rows are of new groups. "
            "With --formula also the words formula (the default), system and rows.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    formula: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Column of chemical formulas to predict from.", rich_help_panel=FORMULAS
        ),
    ] = None,
    components: ComponentTableOption = "sozai",
    basis: BasisOption = None,
    values: Values = None,
    classify: Annotated[
        bool,
        typer.Option(
            "--classify",
            help="Take whole numbers of the target as classes; text and true/false always are.",
            rich_help_panel=FORMULAS,
        ),
    ] = False,
    units: Units = None,
    missing: Annotated[
        Missing | None,
        typer.Option(
            help="Rows with empty cells: refuse, or leave out and count; error when left out, drop with "
            "--formula.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
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
    model: Annotated[
        Model,
        typer.Option(
            help="With --formula: a Gaussian process up to 2,000 rows and networks above, or one of them.",
            rich_help_panel=_MODEL,
        ),
    ] = Model.auto,
    level: Annotated[
        float,
        typer.Option(metavar="P", help="Share of new values the intervals hold.", rich_help_panel=_MODEL),
    ] = 0.9,
    table: PredictionsTable = None,
    output: Folder = None,
    json: Json = False,
    seed: Seed = 0,
    n_jobs: Jobs = None,
) -> None:
    """Predict one column of a table, with intervals that hold and a word on where they do.

    [dim]sozai predict property measured.csv new.csv --target "yield [%]" -o predicted.csv[/dim]
    [dim]sozai predict property measured.csv new.csv --formula formula --target "gap [eV]"[/dim]
    """
    if not 0.0 < level < 1.0:
        raise typer.BadParameter(f"must lie between 0 and 1. Got {level:g}.", param_hint="--level")
    from sozai.apps.cli.formula_reading import read_values
    from sozai.apps.cli.property_question import PropertyQuestion
    from sozai.apps.cli.table_question import TableQuestion

    usual = Missing.error if formula is None else Missing.drop
    reading = TableQuestion(
        file=file,
        target=target,
        classify=classify,
        features=tuple(features or ()),
        ignore=tuple(ignore or ()),
        identifiers=tuple(identifiers or ()),
        groups=groups,
        units=tuple(units or ()),
        missing=(missing or usual).value,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        apply=new,
        output=output,
        json=json,
        seed=seed,
        n_jobs=n_jobs,
    )
    _answer(
        PropertyQuestion(
            reading=reading,
            kind=kind.value,
            level=level,
            table=table,
            formula=formula,
            components=components,
            model=model.value,
            basis=None if basis is None else basis.value,
            values=read_values(values or ()),
        )
    )


def _answer(question: Any) -> None:
    """Answer from the column of formulas, or from the columns of numbers."""
    from sozai.apps.cli.property_question import refuse_formula_options, refuse_table_options

    if question.formula is None:
        from sozai.apps.cli.property_answer import answer

        refuse_formula_options(question)
        answer(question)
    else:
        from sozai.apps.cli.property_formula import answer_from_formulas

        refuse_table_options(question)
        answer_from_formulas(question)
