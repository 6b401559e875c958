"""Options of every verb: what you get, and how it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["RUN", "SHOW", "Folder", "Jobs", "Json", "PredictionsTable", "Seed"]

SHOW = "What you get"
RUN = "Running"
"""Headings of these options in the help."""


def _jobs(number: int | None) -> int | None:
    """Refuse what is no number of processes."""
    if number == 0:
        raise typer.BadParameter("must be 1, 2, ..., or -1 for all. Got 0.")
    return number


Folder = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="DIR", help="Folder for report.html, tables and figures.", rich_help_panel=SHOW
    ),
]
PredictionsTable = Annotated[
    Path | None,
    typer.Option("-o", metavar="TABLE", help="File for the predictions (CSV or TSV).", rich_help_panel=SHOW),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=SHOW)]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, help="Seed of everything random.", rich_help_panel=RUN)
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--n-jobs",
        metavar="N",
        help="Parts of the work done at once; the answer does not depend on it.",
        callback=_jobs,
        rich_help_panel=RUN,
    ),
]
