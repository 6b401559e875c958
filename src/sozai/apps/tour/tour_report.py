"""The tour on paper: one HTML page, and the table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sozai.apps.tour.stops import StopResult, summary
from sozai.study.report import Report, Verdict

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_report", "as_table", "closing_line"]

_N_SHOWN = 6  # figures of one stop in the terminal; failed ones are always shown
_LOOKS = {"passed": "green", "failed": "bold red", "not_run": "dim"}
_WORDS = {"passed": "passed", "failed": "FAILED", "not_run": "not run"}


def as_report(results: Sequence[StopResult]) -> Report:
    """Page with one section a stop: question, law, figures, found beside published."""
    counts = summary(results)
    report = Report("sozai tour", lead="Every method on real data, beside the published figure.")
    report.section("Verdicts").facts(
        {"passed": counts["n_passed"], "failed": counts["n_failed"], "not run": counts["n_not_run"]}
    )
    overview = [
        Verdict(f"{result.stop.room}: {result.stop.name}", *_counted(result), result.status, result.reason)
        for result in results
    ]
    report.overview(overview)
    for result in results:
        _add_stop(report, result)
    return report


def as_table(results: Sequence[StopResult]) -> Table:
    """Found beside published: the first figures of every stop, and all that failed."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure", overflow="fold")
    for name in ("found", "published", "tolerance"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    for result in results:
        rows = result.finding.verdicts if result.finding else ()
        title = f"{result.stop.room}: {result.stop.name}  {result.seconds:.1f} s"
        table.add_row(Text(title, style="bold"), "", "", "", _verdict(Text, result.status))
        shown = [row for k, row in enumerate(rows) if k < _N_SHOWN or row.status == "failed"]
        for row in shown:
            texts = [text.replace("−", "-") for text in row.texts]
            table.add_row(f"  {row.name}", *texts, _verdict(Text, row.status))
        if len(shown) < len(rows):
            table.add_row(
                f"  ... and {len(rows) - len(shown)} more, in the report",
                "",
                "",
                "",
                _verdict(Text, "passed"),
            )
        if not rows:
            table.add_row(f"  {result.reason}")
    return table


def closing_line(results: Sequence[StopResult]) -> str:
    """Say the counts in one line."""
    counts = summary(results)
    seconds = sum(result.seconds for result in results)
    return (
        f"{counts['n_passed']} passed, {counts['n_failed']} failed, {counts['n_not_run']} not run "
        f"in {seconds:.1f} s"
    )


def _add_stop(report: Report, result: StopResult) -> None:
    report.section(result.stop.name.capitalize(), result.stop.question)
    finding = result.finding
    if finding is None:
        report.note(f"{_WORDS[result.status]}: {result.reason}")
        return
    for left, expression in finding.formulas:
        report.formula(expression, left=left)
    if finding.text:
        report.text(finding.text)
    report.verdicts(finding.verdicts, caption=f"Published: {finding.source}" if finding.source else "")
    if finding.figures:
        report.figures(finding.figures)


def _counted(result: StopResult) -> tuple[Any, Any, Any]:
    """How many figures agree, out of how many, in how many seconds."""
    rows = result.finding.verdicts if result.finding else ()
    return sum(row.status == "passed" for row in rows), len(rows), f"{result.seconds:.1f} s"


def _verdict(text: Any, status: str) -> Any:
    return text(_WORDS[status], style=_LOOKS[status])
