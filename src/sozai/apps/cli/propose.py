"""The verb ``propose``: what to measure next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.loop_options import (
    LOOP,
    MODEL,
    CostColumn,
    LoopCommand,
    NameColumn,
    Number,
    ProposalsTable,
    Start,
)
from sozai.apps.cli.propose_phases import propose_phases
from sozai.apps.cli.run_options import RUN, Folder, Jobs, Json
from sozai.apps.cli.table_options import Decimal, Delimiter, Encoding, Ignore, Sheet

__all__ = ["app", "propose_candidates"]

app = typer.Typer(help="What to measure next?", no_args_is_help=True, rich_markup_mode="rich")

_GOAL = "What is wanted"


class Method(StrEnum):
    """Who chooses."""

    bayesian = "bayesian"
    random = "random"
    exhaustive = "exhaustive"
    space_filling = "space-filling"
    evolutionary = "evolutionary"


@app.callback()
def _verbs() -> None:
    """Propose what to measure next, and remember what came out."""


@app.command("candidates", cls=LoopCommand)
def propose_candidates(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Candidates with the results so far, blank where nothing was measured: CSV, TSV or XLSX "
            "in UTF-8, UTF-16 or CP932; or a folder with candidates.csv.",
        ),
    ],
    objective: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:GOAL",
            help="Column of results and its goal: max, min, target=V, range=LOW..HIGH (an end may be left "
            "out), or thresholds=T1/T2 (log-thresholds= over decades) to map where they are crossed; repeat.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    objectives: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Without --objective: the last N columns are results (1 when left out), all others "
            "descriptors.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    maximize: Annotated[
        bool | None,
        typer.Option(
            "--maximize/--minimize",
            help="Without --objective: large or small is good; large when left out.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    id: NameColumn = None,
    cost: CostColumn = None,
    ignore: Ignore = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    tell: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW=VALUE",
            help="Enter a result into FILE: ROW as in actions, from 0; VALUE a number, 1.5+-0.2, <0.1 or "
            "failed. Several objectives: ROW=V1,V2 or ROW:NAME=VALUE; repeat.",
            rich_help_panel=LOOP,
        ),
    ] = None,
    start: Start = False,
    release: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[ROW]",
            help="Undo --start for one row, or for all that are running; repeat.",
            rich_help_panel=LOOP,
        ),
    ] = None,
    withdraw: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW",
            help="Take the latest result of a row back, as after a slip of the hand; repeat.",
            rich_help_panel=LOOP,
        ),
    ] = None,
    method: Annotated[
        Method, typer.Option(help="A model, or one of four ways without.", rich_help_panel=MODEL)
    ] = Method.bayesian,
    acquisition: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Score of the model: ei, nei, pi, ucb, ts, variance; with several objectives ehvi, hvpi, "
            "parego, ts, rank. The goal chooses one when left out.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    number: Number = 1,
    out: ProposalsTable = None,
    output: Folder = None,
    json: Json = False,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Seed of everything random; 0.", rich_help_panel=RUN),
    ] = None,
    n_jobs: Jobs = None,
) -> None:
    """Propose the candidates worth measuring next, each with its prediction and the reason.

    [dim]sozai propose candidates list.csv --objective "Tc [K]:max" -n 4 -o proposals.csv --start[/dim]
    [dim]sozai propose candidates list.csv --tell 17=41.5 --tell 3=failed -n 4 -o proposals.csv --start[/dim]
    """
    for option, value in (("--objectives", objectives), ("--maximize/--minimize", maximize)):
        if objective and value is not None:
            raise typer.BadParameter(
                f"must be left out with --objective, which names every goal. Got {value!r}.",
                param_hint=option,
            )
    if acquisition is not None and method is not Method.bayesian:
        raise typer.BadParameter(
            f"must be left out with --method {method.value}, which has no model. Got {acquisition!r}.",
            param_hint="--acquisition",
        )
    from sozai.apps.cli.loop_question import read_release
    from sozai.apps.cli.propose_answer import answer
    from sozai.apps.cli.propose_question import ProposeQuestion, read_goal

    answer(
        ProposeQuestion(
            file=file,
            goals=tuple(read_goal(text) for text in objective or ()),
            n_objectives=objectives,
            direction=None if maximize is None else ("maximize" if maximize else "minimize"),
            id=id,
            cost=cost,
            ignore=tuple(ignore or ()),
            sheet=sheet,
            encoding=encoding,
            delimiter=delimiter,
            decimal=decimal,
            tells=tuple(tell or ()),
            start=start,
            release=read_release(release or ()),
            withdraw=tuple(withdraw or ()),
            method=method.value,
            acquisition=acquisition,
            number=number,
            out=out,
            output=output,
            json=json,
            seed=seed,
            n_jobs=n_jobs,
        )
    )


app.command("phases", cls=LoopCommand)(propose_phases)
