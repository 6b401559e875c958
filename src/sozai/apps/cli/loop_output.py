"""Proposals of the closed loop, delivered: files for a robot and for people, terminal, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.contracts.whole_file import replace_file

if TYPE_CHECKING:
    import pandas as pd

    from sozai.contracts.records import Proposal
    from sozai.proposals.candidates_table import CandidatesTable
    from sozai.study.report import Report

__all__ = ["N_SHOWN", "repaired_lines", "say_proposals", "started_words", "write_frames", "write_proposals"]

N_SHOWN = 20
"""Proposals, and remarks of one kind, that the terminal shows."""

_N_DESCRIPTORS = 8


def write_proposals(
    path: Path, table: CandidatesTable, proposals: Sequence[Proposal], frame: pd.DataFrame
) -> None:
    """``proposals.csv`` for a robot and ``proposals.sozai.csv`` for people beside it."""
    replace_file(path, table.proposals([int(proposal.index or 0) for proposal in proposals]))
    write_frames(path.parent, {f"{path.stem}.sozai.csv": frame})


def write_frames(folder: Path, frames: dict[str, pd.DataFrame], *, with_rows: str = "") -> None:
    """Tables by their file name; that of name ``with_rows`` begins with its rows."""
    for name, frame in frames.items():
        text = frame.to_csv(index=name == with_rows, index_label="row", lineterminator="\r\n")
        replace_file(folder / name, text.encode("utf-8-sig"))


def started_words(n: int, noun: str) -> str:
    """How many run now."""
    are = f"{noun}s are" if n > 1 else f"{noun} is"
    return f"Started: {n} {are} running; the next call gives others (--release undoes it)."


def say_proposals(
    screen: Any,
    proposals: Sequence[Proposal],
    names: Sequence[str],
    ids: Any,
    column: str,
    told: Callable[[Proposal], tuple[str, str]],
) -> None:
    """Table of proposals, ``told`` giving their ``column`` and score as text; then one reason each."""
    from rich.table import Table

    names = names[:_N_DESCRIPTORS]
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("row", *(["name"] if ids is not None else []), *names, column, "score"):
        grid.add_column(head, justify="left" if head in ("name", column) else "right", overflow="fold")
    for proposal in proposals[:N_SHOWN]:
        named = [] if ids is None else [ids[proposal.index or 0]]
        cells = [f"{proposal.x[name]:.6g}" for name in names]
        grid.add_row(str(proposal.index), *named, *cells, *told(proposal))
    screen.print(grid)
    screen.print()
    for proposal in proposals[:N_SHOWN]:
        screen.print(f"row {proposal.index}: {proposal.reason}", soft_wrap=True)
    if len(proposals) > N_SHOWN:
        screen.print(f"... and {len(proposals) - N_SHOWN} more (-o TABLE writes them all)")


def repaired_lines(report: Report, table: CandidatesTable) -> None:
    """What was repaired while reading the list, line by line."""
    if len(table.repairs):
        repaired = table.repairs.to_frame().drop(columns="code").rename(columns={"row": "line"})
        report.table(repaired, caption="Repaired while reading; lines of the file, its header is line 1.")
