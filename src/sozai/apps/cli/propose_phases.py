"""The verb ``propose phases``: which sample draws a phase diagram soonest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.loop_options import LOOP, MODEL, CostColumn, NameColumn, Number, ProposalsTable, Start
from sozai.apps.cli.phases_question import BatchRule, Coordinates, Estimator, RuleOfPhases, Score
from sozai.apps.cli.run_options import RUN, SHOW, Folder, Json
from sozai.apps.cli.table_options import Decimal, Delimiter, Encoding, Ignore, Sheet

__all__ = ["propose_phases"]

_DIAGRAM = "The diagram"


def propose_phases(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Points with the phases found so far, blank where nothing was measured: CSV, TSV or XLSX; "
            "with --grid, a new list in which the grid is written.",
        ),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Column of phases, several joined by +; found when left out.",
            rich_help_panel=_DIAGRAM,
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="KIND:KEYS",
            help="Start from nothing: binary, ternary, quaternary or quinary, e.g. "
            "ternary:step=0.02,names=Cu-Mg-Zn or binary:step=2%,T=300..900..50 or ...,T=300/450/700.",
            rich_help_panel=_DIAGRAM,
        ),
    ] = None,
    composition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL",
            help="Column of a fraction; those that add up to 1 or 100 when left out; repeat.",
            rich_help_panel=_DIAGRAM,
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
            metavar="ROW=PHASE",
            help="Enter a sample into FILE: ROW as in actions, from 0; PHASE e.g. FCC_A1+LIQUID; repeat.",
            rich_help_panel=LOOP,
        ),
    ] = None,
    compositions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Measured compositions of coexisting phases: a table with row, phase (one a line) and the "
            "components. Tie-lines then need far fewer samples.",
            rich_help_panel=LOOP,
        ),
    ] = None,
    start: Start = False,
    release: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW", help="Undo --start for one row, or for all: all; repeat.", rich_help_panel=LOOP
        ),
    ] = None,
    withdraw: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW", help="Take the latest label of a row back; repeat.", rich_help_panel=LOOP
        ),
    ] = None,
    recheck: Annotated[
        bool,
        typer.Option("--recheck", help="Doubtful samples first, to be measured again.", rich_help_panel=LOOP),
    ] = False,
    estimator: Annotated[
        Estimator,
        typer.Option(
            help="Gaussian process over labels or over single phases, or label propagation or spreading.",
            rich_help_panel=MODEL,
        ),
    ] = Estimator.one_hot,
    score: Annotated[
        Score, typer.Option(help="What makes a point worth measuring.", rich_help_panel=MODEL)
    ] = Score.least_confident,
    batch: Annotated[
        BatchRule, typer.Option(help="How several are chosen at once.", rich_help_panel=MODEL)
    ] = BatchRule.fantasies,
    same: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL",
            help="The next points share this column with the last row measured, e.g. the temperature of a "
            "furnace; repeat.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    free: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Only these columns may change; repeat.", rich_help_panel=MODEL),
    ] = None,
    corners: Annotated[
        bool,
        typer.Option("--corners/--no-corners", help="Pure components first, or not.", rich_help_panel=MODEL),
    ] = True,
    coordinates: Annotated[
        Coordinates, typer.Option(help="What distance means.", rich_help_panel=MODEL)
    ] = Coordinates.auto,
    phase_rule: Annotated[
        RuleOfPhases,
        typer.Option(
            help="Labels of too many phases: warn, refuse, or no rule (films, pseudo-systems).",
            rich_help_panel=MODEL,
        ),
    ] = RuleOfPhases.auto,
    number: Number = 1,
    out: ProposalsTable = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The diagram so far: .svg, .png or .pdf; .gif shows how it came about.",
            rich_help_panel=SHOW,
        ),
    ] = None,
    output: Folder = None,
    json: Json = False,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Seed of --score random; 0.", rich_help_panel=RUN),
    ] = None,
) -> None:
    """Propose the samples that draw a phase diagram soonest, each with the phases it may show.

    [dim]sozai propose phases diagram.csv --grid ternary:step=0.02,names=Cu-Mg-Zn -n 9 -o proposals.csv[/dim]
    [dim]sozai propose phases diagram.csv --tell 0=FCC_A1 --tell 50=LIQUID -n 4 --figure map.svg[/dim]
    """
    from sozai.apps.cli.loop_question import read_release
    from sozai.apps.cli.phases_answer import answer
    from sozai.apps.cli.phases_question import PhasesQuestion

    answer(
        PhasesQuestion(
            file=file,
            grid=grid,
            phase=phase,
            composition=tuple(composition or ()),
            id=id,
            cost=cost,
            ignore=tuple(ignore or ()),
            sheet=sheet,
            encoding=encoding,
            delimiter=delimiter,
            decimal=decimal,
            tells=tuple(tell or ()),
            compositions=compositions,
            start=start,
            release=read_release(release or ()),
            withdraw=tuple(withdraw or ()),
            estimator=estimator.value,
            score=score.value.replace("-", "_"),
            batch=batch.value,
            coordinates=coordinates.value,
            phase_rule=phase_rule.value,
            corners=corners,
            same=tuple(same or ()),
            free=tuple(free or ()),
            recheck=recheck,
            number=number,
            out=out,
            figure=figure,
            output=output,
            json=json,
            seed=seed,
        )
    )
