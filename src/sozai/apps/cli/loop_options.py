"""Options of the closed loop: what the columns are, what is running, how many come next and where to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sozai.apps.cli.once import OnceCommand
from sozai.apps.cli.run_options import SHOW
from sozai.apps.cli.table_options import COLUMNS

__all__ = [
    "LOOP", "MODEL", "CostColumn", "LoopCommand", "NameColumn", "Number", "ProposalsTable", "Start",
]  # fmt: skip

LOOP, MODEL = "The loop", "How it is chosen"
"""Headings of these options in the help."""


class LoopCommand(OnceCommand):
    """Command whose ``--release`` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let a bare ``--release`` mean everything that is running."""
        whole: list[str] = []
        for place, word in enumerate(args):
            whole.append(word)
            follows = args[place + 1] if place + 1 < len(args) else ""
            if word == "--release" and (not follows or follows.startswith("-") or Path(follows).exists()):
                whole.append("all")
        return super().parse_args(ctx, whole)


NameColumn = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="COL",
        help="Column that names the rows; a name may stand for ROW, and row:10 is always row 10.",
        rich_help_panel=COLUMNS,
    ),
]
CostColumn = Annotated[
    str | None,
    typer.Option(metavar="COL", help="Column with the cost of a measurement.", rich_help_panel=COLUMNS),
]
Start = Annotated[
    bool,
    typer.Option(
        "--start", help="Mark the proposals as running: the next call gives others.", rich_help_panel=LOOP
    ),
]
Number = Annotated[int, typer.Option("-n", metavar="N", min=1, help="Proposals.", rich_help_panel=SHOW)]
ProposalsTable = Annotated[
    Path | None,
    typer.Option(
        "-o",
        metavar="TABLE",
        help="File for the proposals: actions (row from 0) and descriptors as written in FILE.",
        rich_help_panel=SHOW,
    ),
]
