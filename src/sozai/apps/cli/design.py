"""The verb ``design``: which composition to make."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.run_options import SHOW, Jobs, Json, Seed
from sozai.apps.cli.table_options import COLUMNS, Decimal, Delimiter, Encoding, Sheet

__all__ = ["app", "design_formula"]

app = typer.Typer(help="Which composition?", no_args_is_help=True, rich_markup_mode="rich")

_GOAL, _LIMITS = "What is wished for", "Which formulas"


class Charges(StrEnum):
    """Whether formulas must be neutral."""

    auto = "auto"
    yes = "yes"
    no = "no"


@app.callback()
def _verbs() -> None:
    """Propose compositions for wished-for properties or descriptors."""


@app.command("formula", cls=OnceCommand)
def design_formula(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[MEASURED]", help="Formulas with measured properties, to learn from."),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="COL=GOAL",
            help="Property and goal: a number, LOW:HIGH (an end may be left out), max or min; repeat.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    descriptor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead: rows of a kernel mean descriptor, as describe formulas writes them.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            metavar="SD",
            min=0.0,
            help="Standard deviation of the descriptor's entries; estimated when left out.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    grid: Annotated[
        int, typer.Option(metavar="N", min=1, help="Grid points of the descriptor.", rich_help_panel=_GOAL)
    ] = 10,
    formula: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of formulas.", rich_help_panel=COLUMNS)
    ] = None,
    table: Annotated[
        str,
        typer.Option(metavar="sozai|published|PATH", help="Table of the elements.", rich_help_panel=COLUMNS),
    ] = "sozai",
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    elements: Annotated[
        list[str] | None,
        typer.Option(metavar="EL", help="Only these: --elements Ga --elements O.", rich_help_panel=_LIMITS),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="EL", help="Element that must be in; repeat.", rich_help_panel=_LIMITS),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="EL", help="Element that must not be in; repeat.", rich_help_panel=_LIMITS),
    ] = None,
    max_elements: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most elements.", rich_help_panel=_LIMITS)
    ] = 5,
    max_atoms: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most atoms.", rich_help_panel=_LIMITS)
    ] = 40,
    charge_balance: Annotated[
        Charges,
        typer.Option(help="Only neutral formulas; auto lets alloys pass.", rich_help_panel=_LIMITS),
    ] = Charges.auto,
    anywhere: Annotated[
        bool,
        typer.Option("--anywhere", help="Also formulas unlike all measured ones.", rich_help_panel=_LIMITS),
    ] = False,
    number: Annotated[
        int, typer.Option("-n", metavar="N", min=1, help="Formulas to propose.", rich_help_panel=SHOW)
    ] = 10,
    level: Annotated[float, typer.Option(metavar="P", help="Of the intervals.", rich_help_panel=SHOW)] = 0.9,
    out: Annotated[
        Path | None,
        typer.Option("-o", metavar="TABLE", help="File for the formulas (CSV or TSV).", rich_help_panel=SHOW),
    ] = None,
    json: Json = False,
    seed: Seed = 0,
    n_jobs: Jobs = None,
) -> None:
    """Propose formulas for wished-for properties, each with its interval, nearest known material and hints.

    [dim]sozai design formula measured.csv --target "band gap [eV]=1.2:1.5" --include O -n 20[/dim]
    """
    if not 0.0 < level < 1.0:
        raise typer.BadParameter(f"must lie between 0 and 1. Got {level:g}.", param_hint="--level")
    if (descriptor is None) == (file is None):
        raise typer.BadParameter(
            "give either MEASURED with --target, or --descriptor FILE.", param_hint="MEASURED"
        )
    for option, symbols in (("--elements", elements), ("--include", include), ("--exclude", exclude)):
        _refuse_lists(option, symbols or ())
    from sozai.apps.cli.design_answer import DesignQuestion, answer
    from sozai.apps.cli.formula_reading import FormulaFile

    reading = FormulaFile(
        path=file if file is not None else descriptor,
        formula=formula,
        table=table,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
    )
    answer(
        DesignQuestion(
            reading=reading,
            targets=tuple(targets or ()),
            is_descriptor=descriptor is not None,
            noise=noise,
            grid=grid,
            limits={
                "elements": elements or None,
                "include": tuple(include or ()),
                "exclude": tuple(exclude or ()),
                "max_elements": max_elements,
                "max_atoms": max_atoms,
            },
            charge_balance=charge_balance.value,
            anywhere=anywhere,
            number=number,
            level=level,
            out=out,
            json=json,
            seed=seed,
            n_jobs=n_jobs,
        )
    )


def _refuse_lists(option: str, symbols: list[str] | tuple[()]) -> None:
    """Say how several elements are given."""
    for entry in symbols:
        parts = [part for part in re.split(r"[,;、，\s]+", entry) if part]
        if len(parts) > 1:
            remedy = " ".join(f"{option} {part}" for part in parts)
            raise typer.BadParameter(
                f"must be one element each time. Got {entry!r}. Write {remedy}.", param_hint=option
            )
