"""The verb ``cite``: the papers behind what you ran."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["cite"]


def cite(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Class or function; everything when left out."),
    ] = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="BibTeX instead of a list.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Name the papers behind a method, ready to paste into a list of references."""
    from sozai.apps.cli.output import emit_json
    from sozai.contracts.citations import Citations
    from sozai.contracts.citations import cite as papers_of

    papers = Citations([paper for name in names or [None] for paper in papers_of(name)])
    if json:
        fields = (
            "key",
            "kind",
            "authors",
            "title",
            "journal",
            "volume",
            "pages",
            "publisher",
            "year",
            "doi",
            "note",
        )
        records = [{name: getattr(paper, name) for name in fields} for paper in papers]
        emit_json(
            {"papers": records, "bibtex": papers.bibtex()}, schema="sozai.cite/1", source=None, notes=[]
        )
    else:
        typer.echo(papers.bibtex() if bibtex else str(papers))
