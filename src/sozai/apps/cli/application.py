"""The verbs together, and the one door through which every failure leaves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import sozai
from sozai.apps.cli import cite, combine, describe, design, explain, predict, propose, tour
from sozai.apps.cli.output import exit_code, open_streams, say_failure

__all__ = ["app", "main"]

app = typer.Typer(
    name="sozai",
    help="Materials informatics: a question about your data, then the object in your hand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(describe.app, name="describe")
app.add_typer(explain.app, name="explain")
app.add_typer(predict.app, name="predict")
app.add_typer(design.app, name="design")
app.add_typer(combine.app, name="combine")
app.add_typer(propose.app, name="propose")
app.command("tour")(tour.tour)
app.command("cite")(cite.cite)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sozai {sozai.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop."),
    ] = False,
) -> None:
    """Materials informatics: a question about your data, then the object in your hand."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with one of the exit codes 0, 2, 3, 4 or 130.

    Wrong data and numerical trouble are said in one sentence on stderr; an
    error that is ours keeps its traceback.
    """
    open_streams()
    try:
        app(args=None if arguments is None else list(arguments), prog_name="sozai")
    except KeyboardInterrupt as error:
        say_failure(error)
        raise SystemExit(130) from None
    except SystemExit as left:
        if left.code == 130:  # typer turns Ctrl-C into a silent exit
            say_failure(KeyboardInterrupt())
        raise
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        ImportError,
        OSError,
        MemoryError,
        UserWarning,
    ) as error:
        code = exit_code(error)
        if code is None:
            raise
        say_failure(error)
        raise SystemExit(code) from None
    sys.exit(0)
