"""The verb ``explain``: which law is behind a table, which peaks are behind a spectrum."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sozai.apps.cli.explain_map import explain_map
from sozai.apps.cli.explain_peaks import explain_peaks
from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.run_options import RUN, SHOW, Jobs, Json, Seed
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

if TYPE_CHECKING:
    from sozai.apps.cli.table_question import TableQuestion

__all__ = ["app", "explain_table"]

app = typer.Typer(help="What is behind it?", no_args_is_help=True, rich_markup_mode="rich")


class Criterion(StrEnum):
    """How the kept law is chosen from the list."""

    ebic = "ebic"
    q2 = "q2"
    rmse = "rmse"
    aic = "aic"
    aicc = "aicc"
    bic = "bic"


class Selection(StrEnum):
    """How terms are selected."""

    exhaustive = "exhaustive"
    backward = "backward"
    forward = "forward"
    stepwise = "stepwise"
    lasso = "lasso"
    lasso_then_l0 = "lasso-l0"


class Candidates(StrEnum):
    """Which descriptors the selection sees."""

    auto = "auto"
    basis = "basis"
    every = "all"


class Search(StrEnum):
    """How many formulas are tried."""

    small = "small"
    large = "large"


_LAW = "The law"


@app.callback()
def _verbs() -> None:
    """Explain what is behind a table, a spectrum or an image of spectra."""


@app.command("table", cls=OnceCommand)
def explain_table(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV or XLSX in UTF-8, UTF-16 or CP932.")],
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Column to explain.", rich_help_panel=COLUMNS)
    ] = None,
    classify: Annotated[
        bool,
        typer.Option(
            "--classify",
            help="Take whole numbers of the target as classes; text and true/false always are.",
            rich_help_panel=COLUMNS,
        ),
    ] = False,
    features: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL",
            help="Column to explain it by; repeat. All numeric ones when left out.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    ignore: Ignore = None,
    identifiers: Identifiers = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Rows with the same value are left out together when the law is tested.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    units: Units = None,
    missing: MissingRows = Missing.error,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    order: Annotated[
        str | None, typer.Option(metavar="N|auto", help="Most factors in one product.", rich_help_panel=_LAW)
    ] = None,
    operations: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=_LAW,
            help="abs, inverse, sqrt, ... or of pairs abs_sum, abs_difference, ...; repeat; 'none' for none.",
        ),
    ] = None,
    symmetry: Annotated[
        str | None,
        typer.Option(
            metavar="A<->B", help="Exchange that leaves the target unchanged.", rich_help_panel=_LAW
        ),
    ] = None,
    select: Annotated[Selection, typer.Option(help="How terms are selected.", rich_help_panel=_LAW)] = (
        Selection.exhaustive
    ),
    max_terms: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Most terms of a law.", rich_help_panel=_LAW)
    ] = None,
    criterion: Annotated[
        Criterion, typer.Option(help="How one law is kept from the list.", rich_help_panel=_LAW)
    ] = (Criterion.ebic),
    candidates: Annotated[
        Candidates, typer.Option(help="Select from an independent basis or from all.", rich_help_panel=_LAW)
    ] = Candidates.auto,
    search: Annotated[
        Search,
        typer.Option(
            help="Small: every descriptor and its relations. Large: millions of nested formulas.",
            rich_help_panel=_LAW,
        ),
    ] = Search.small,
    max_rung: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How deep formulas are nested; asks for --search large.",
            rich_help_panel=_LAW,
        ),
    ] = None,
    max_candidates: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Most formulas of the large search, the simplest first; a minute of them when left out.",
            rich_help_panel=_LAW,
        ),
    ] = None,
    prefer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPRESSION",
            help="Descriptor you would rather see in the law; repeat.",
            rich_help_panel=_LAW,
        ),
    ] = None,
    relations: Annotated[
        bool,
        typer.Option(
            "--relations", help="List every linear relation among the descriptors.", rich_help_panel=SHOW
        ),
    ] = False,
    invariants: Annotated[
        bool,
        typer.Option(
            "--invariants",
            help="Seek products of columns that stay constant; needs no target.",
            rich_help_panel=SHOW,
        ),
    ] = False,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LOW:HIGH",
            help="How far the law can go: an interval, a value, 'a+b<=1', or 'data'; repeat.",
            rich_help_panel=SHOW,
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Score other methods and black boxes on the same rows and folds.",
            rich_help_panel=SHOW,
        ),
    ] = False,
    apply: Annotated[
        Path | None,
        typer.Option(metavar="NEW.csv", help="Predict the rows of another table.", rich_help_panel=SHOW),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="LAW.zip", help="Keep the fitted law.", rich_help_panel=SHOW)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.html, tables and figures; a killed large search goes on from there.",
            rich_help_panel=SHOW,
        ),
    ] = None,
    json: Json = False,
    memory: Annotated[
        str,
        typer.Option(metavar="SIZE", help="Most memory for descriptors, e.g. 200MB.", rich_help_panel=RUN),
    ] = "2GB",
    seed: Seed = 0,
    n_jobs: Jobs = None,
) -> None:
    """Find short laws for a column of a table, ranked by simplicity and error, or a rule for its classes.

    [dim]sozai explain table alloys.csv --target M --output out/[/dim]
    """
    from sozai.apps.cli.table_question import TableQuestion, read_memory

    question = TableQuestion(
        file=file,
        target=target,
        classify=classify,
        features=tuple(features or ()),
        ignore=tuple(ignore or ()),
        identifiers=tuple(identifiers or ()),
        groups=groups,
        units=tuple(units or ()),
        missing=missing.value,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        order=_order(order),
        operations=None if not operations else tuple(operations),
        symmetry=symmetry,
        select=select.value,
        max_terms=max_terms,
        criterion=criterion.value,
        candidates=candidates.value,
        search="small" if search is Search.small and max_rung is None else "large",
        max_rung=max_rung,
        memory=read_memory(memory),
        max_candidates=max_candidates,
        prefer=tuple(prefer or ()),
        relations=relations,
        invariants=invariants,
        limits=tuple(limits or ()),
        compare=compare,
        apply=apply,
        save=save,
        output=output,
        json=json,
        seed=seed,
        n_jobs=n_jobs,
    )
    if not invariants and target is None:
        raise typer.BadParameter(
            "name the column to explain, or ask for --invariants.", param_hint="--target"
        )
    _answer(question)


def _answer(question: TableQuestion) -> None:
    """Answer by a law of the target, or by what stays constant."""
    if question.invariants:
        from sozai.apps.cli.table_invariants import answer
        from sozai.apps.cli.table_question import refuse_with_invariants

        refuse_with_invariants(question)
    else:
        from sozai.apps.cli.table_law import answer
    answer(question)


def _order(text: str | None) -> int | str | None:
    """Positive whole number or ``"auto"``; anything else is a usage error."""
    if text is None or text == "auto":
        return text
    try:
        order = int(text)
    except ValueError:
        order = 0
    if order < 1:
        raise typer.BadParameter(f"must be 1, 2, 3, ... or auto. Got {text!r}.", param_hint="--order")
    return order


app.command("peaks", cls=OnceCommand)(explain_peaks)
app.command("map", cls=OnceCommand)(explain_map)
