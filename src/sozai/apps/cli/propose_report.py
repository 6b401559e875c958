"""The proposals of a campaign, as a folder: report.html with the why of every point, tables, figures."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.loop_output import repaired_lines, write_frames
from sozai.apps.cli.propose_output import (
    best_so_far,
    finished_words,
    new_result_text,
    prediction_text,
    proposal_frame,
)
from sozai.apps.cli.propose_question import goal_words
from sozai.apps.cli.report_parts import Figures, notes_section, write_figures
from sozai.contracts.unit_headers import split_unit
from sozai.study.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.propose_answer import ProposeAnswer

__all__ = ["remove_old_figures", "write_folder"]

_EXPLAINED = 5
_FIGURE = re.compile(r"(?:history|front|why(?:_\d+)?)\.(?:png|svg)")
"""Every figure that this command writes."""
_NEAREST = (
    "The candidate and the measured ones nearest to it (distance in ranges of the descriptors). The score is "
    "that of the candidate alone, before others were chosen beside it."
)


def write_folder(found: ProposeAnswer, folder: Path) -> list[str]:
    """Write report.html, the tables as CSV and the figures as PNG and SVG; the names of the figures."""
    figures = _figures(found)
    _report(found, figures).write(folder / "report.html")
    tables = {
        "proposals.csv": proposal_frame(found),
        "results.csv": found.campaign.results_,
        "overview.csv": found.campaign.table_,
    }
    write_frames(folder, tables, with_rows="overview.csv")
    write_figures(figures, folder)
    return list(figures)


def remove_old_figures(folder: Path, names: Sequence[str]) -> None:
    """Remove the figures of an earlier call that this one, with figures ``names``, did not write."""
    for file in (folder / "figures").glob("*.*"):
        if _FIGURE.fullmatch(file.name) and file.stem not in names:
            file.unlink(missing_ok=True)


def _figures(found: ProposeAnswer) -> Figures:
    """Displays with their captions, by file name."""
    from sozai.displays import AcquisitionDisplay, FrontDisplay, HistoryDisplay
    from sozai.proposals.model_slices import posterior_slices

    campaign, figures = found.campaign, {}
    several = len(campaign.objectives) > 1
    if len(campaign.results_) and not several:
        caption = "Best result so far, in the order in which results were entered."
        figures["history"] = (HistoryDisplay.from_campaign(campaign), caption)
    if several and len(campaign.observations_.rows):
        caption = "Results, the best compromises among them, and what the proposals are expected to give."
        figures["front"] = (FrontDisplay.from_campaign(campaign, found.proposals), caption)
    if found.proposals and getattr(campaign.proposer, "gp_", None):
        row = int(found.proposals[0].index or 0)
        slices = posterior_slices(campaign.proposer, campaign.observations_, row)
        for k, name in enumerate(slices.curves["objective"].unique()):
            caption = (
                f"{name} along each descriptor through row {row}, the first proposal: mean, one standard "
                "deviation, results (paler where they lie far from the line); below, the highest score."
            )
            display = AcquisitionDisplay.from_slices(slices, name)
            figures["why" if k == 0 else f"why_{k + 1}"] = (display, caption)
    return figures


def _report(found: ProposeAnswer, figures: Figures) -> Report:
    """Page with proposals, reasons, history, and how the campaign stands."""
    campaign, question = found.campaign, found.question
    goals = ", ".join(f"{o.label} ({goal_words(o.goal)})" for o in campaign.objectives)
    report = Report("What to measure next", lead=f"{goals}; candidates of {question.list_path.name}.")
    _proposal_section(report, found)
    why = [figure for name, figure in figures.items() if name.startswith("why")]
    if found.proposals:
        _why_section(report, found, why)
    _standing_section(report, found, [figures[name] for name in ("history", "front") if name in figures])
    report.section("The list").facts(
        {
            "file": question.list_path.name,
            "encoding": found.listed.table.cells.wire,
            "descriptors": len(campaign.pool.names),
            "method": question.method,
        }
    )
    repaired_lines(report, found.listed.table)
    notes_section(report, [*getattr(campaign.proposer, "hyper_status_", ()), *found.notes])
    return report


def _proposal_section(report: Report, found: ProposeAnswer) -> None:
    """Proposals, best first."""
    import pandas as pd

    report.section("Proposals")
    if not found.proposals:
        report.text(finished_words(found))
        return
    ids = found.listed.table.ids
    rows = [
        {
            "row": proposal.index,
            **({} if ids is None else {"name": ids[proposal.index or 0]}),
            **proposal.x,
            "prediction": prediction_text(found, proposal),
            "90 % of new results": new_result_text(found, k),
            "score": proposal.score,
            "reason": proposal.reason,
        }
        for k, proposal in enumerate(found.proposals)
    ]
    report.table(pd.DataFrame(rows), caption="Rows count from 0 without the header, as in proposals.csv.")


def _why_section(report: Report, found: ProposeAnswer, figures: list[tuple[Any, str]]) -> None:
    """For the first proposals: reason, and the results nearest to them."""
    report.section("Why these")
    if figures:
        report.figures(figures)
    for proposal in found.proposals[:_EXPLAINED]:
        report.heading(f"Row {proposal.index}").text(proposal.reason)
        account = found.campaign.explain(proposal)
        if len(account):
            report.table(_named(account, found), caption=_NEAREST)


def _named(account: pd.DataFrame, found: ProposeAnswer) -> pd.DataFrame:
    """An account of the proposer with the descriptors beside its rows."""
    if "row" not in account:
        return account
    pool, seen = found.campaign.pool, found.campaign.observations_
    parts = account.replace({"score": {-math.inf: math.nan}})
    sides = {int(row): int(side) for row, side in zip(seen.rows, seen.censored[:, 0], strict=True) if side}
    if "result" in parts and sides:  # a bound is shown as it was told
        bounds = {int(row): float(value) for row, value in zip(seen.rows, seen.Y[:, 0], strict=True)}
        parts["result"] = [
            f"{'<' if sides[row] < 0 else '>'}{bounds[row]:.6g}" if row in sides else value
            for row, value in zip(parts["row"], parts["result"], strict=True)
        ]
    for place, name in enumerate(pool.names):
        parts.insert(1 + place, name, [pool.values(int(row))[name] for row in account["row"]])
    return parts


def _standing_section(report: Report, found: ProposeAnswer, figures: list[tuple[Any, str]]) -> None:
    """Counts, the best so far, history."""
    import pandas as pd

    campaign = found.campaign
    status = campaign.status_
    report.section("How the campaign stands").facts(
        {
            "candidates": status.n_candidates,
            "measured": status.n_observed,
            "failed": status.n_failed,
            "running": status.n_running,
            "open": status.n_open,
            "round": status.round,
        }
    )
    if figures:
        report.figures(figures)
    best = [{"row": entry["index"], **entry["x"], **entry["values"]} for entry in best_so_far(found)]
    if best:
        units = {o.name: o.unit for o in campaign.objectives}
        units |= {name: None if "[" in name else split_unit(name)[1] for name in campaign.pool.names}
        several = len(campaign.objectives) > 1
        caption = "Best compromises: no other result is better in everything." if several else "Best so far."
        report.table(pd.DataFrame(best), units=units, caption=caption)
