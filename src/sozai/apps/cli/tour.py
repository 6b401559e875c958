"""The verb ``tour``: every method on real data, beside the published figure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["tour"]


def tour(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the slow stops.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ROOM", help="Run the stops of one room; repeat for more.")
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object on stdout; found, published and tolerance map name to value."
        ),
    ] = False,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report.")] = Path("sozai-tour"),
) -> None:
    """Answer real questions and put every figure found beside the published one.

    Stops whose data are not bundled run when SOZAI_DATA names their folder. A failed verdict exits 4.
    """
    from sozai.apps.cli.output import collected_warnings, console, emit_json, staged_folder
    from sozai.apps.tour.stops import ROOMS, stops_of, summary
    from sozai.apps.tour.tour_report import as_report, as_table, closing_line

    unknown = [room for room in only or () if room not in ROOMS]
    if unknown:
        raise typer.BadParameter(
            f"no room {unknown[0]!r}. Rooms are: {', '.join(ROOMS)}.", param_hint="--only"
        )
    with collected_warnings() as notes, staged_folder(output) as stage:
        results = _walk(stops_of(only), quick)
        as_report(results).write(stage / "report.html")
    found = summary(results)
    if json:
        emit_json(found, schema="sozai.tour/1", source=None, notes=notes)
    else:
        screen = console()
        screen.print(as_table(results))
        screen.print()
        screen.print(closing_line(results))
        screen.print(f"Report: {output / 'report.html'}", soft_wrap=True)
    if found["n_failed"]:
        raise typer.Exit(4)


def _walk(stops, quick):
    """Run the stops with a line of progress on a terminal."""
    from sozai.apps.cli.output import progress_console
    from sozai.apps.tour.stops import run_stops

    screen, results = progress_console(), []
    with screen.status("", spinner="line") as status:
        running = run_stops(stops, quick=quick)
        for k, stop in enumerate(stops, start=1):
            status.update(f"{k}/{len(stops)}  {stop.room}: {stop.name}")
            result = next(running)
            results.append(result)
            if screen.is_terminal:
                screen.print(
                    f"{result.status.replace('_', ' '):>8}  {stop.room}: {stop.name}  {result.seconds:.1f} s"
                )
    return results
