"""A phase diagram so far, as a folder: report.html, the map of probabilities, doubts, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sozai.apps.cli.loop_output import repaired_lines, write_frames
from sozai.apps.cli.phases_output import chances_text, finished_words, phase_frame, suspects_of
from sozai.apps.cli.report_parts import Figures, notes_section, write_figures
from sozai.study.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.phases_answer import PhasesAnswer

__all__ = ["write_folder"]

_CAPTIONS = {
    "phases": "Most probable phases, paler where they are less sure; samples, doubts and next points.",
    "probability": "Probability of the most probable phases.",
    "uncertainty": "Score of every point: where the next sample tells most.",
}


def write_folder(found: PhasesAnswer, folder: Path) -> None:
    """Write report.html, the tables as CSV and the figures as PNG and SVG into ``folder``."""
    figures = _figures(found)
    _report(found, figures).write(folder / "report.html")
    tables = {"proposals.csv": phase_frame(found), "map.csv": probability_map(found)}
    if suspects_of(found):
        tables["suspects.csv"] = found.study.proposer.suspects_
    write_frames(folder, tables, with_rows="map.csv")
    write_figures(figures, folder)


def probability_map(found: PhasesAnswer) -> pd.DataFrame:
    """Every point with its measured and predicted phases and the probability of each label."""
    proposer = found.study.proposer
    frame = proposer.to_frame()
    if found.study.results:
        p = proposer.probabilities_
        for k, name in enumerate(proposer.classes_):
            frame[f"p {name}"] = p[:, k].round(6)
    return frame


def _figures(found: PhasesAnswer) -> Figures:
    """Displays with their captions, by file name."""
    from sozai.displays import PhaseDiagramDisplay

    proposer, figures = found.study.proposer, {}
    shows = ("phases", "probability", "uncertainty") if found.study.results else ("phases",)
    for show in shows:
        proposals = found.proposals if show != "probability" else ()
        display = PhaseDiagramDisplay.from_proposer(proposer, proposals=proposals, show=show)
        figures["diagram" if show == "phases" else show] = (display, _CAPTIONS[show])
    return figures


def _report(found: PhasesAnswer, figures: Figures) -> Report:
    """Page with the diagram, proposals, doubts and how it stands."""
    study, question = found.study, found.question
    proposer = study.proposer
    source = question.list_path.name if question.file is not None else str(question.grid)
    lead = f"{len(study.results)} of {len(study.table.descriptors)} points of {source} measured."
    report = Report("Phase diagram so far", lead=lead)
    report.section("The diagram").figures([figures["diagram"]])
    _proposal_section(report, found)
    more = [figure for name, figure in figures.items() if name != "diagram"]
    if more:
        report.section("How sure it is").figures(more)
    _doubt_section(report, found)
    _label_section(report, found)
    report.section("How it was made").facts(
        {
            "file": source,
            "points": len(study.table.descriptors),
            "measured": len(study.results),
            "running": len(study.running),
            "known by the phase rule": int(proposer.closed_.sum()) - len(study.results),
            "estimator": question.estimator,
            "score": question.score,
            "batch": question.batch,
        }
    )
    repaired_lines(report, study.table)
    notes_section(report, found.notes)
    return report


def _proposal_section(report: Report, found: PhasesAnswer) -> None:
    """Proposals, best first."""
    import pandas as pd

    report.section("Measure next")
    if not found.proposals:
        report.text(finished_words(found))
        return
    ids = found.study.table.ids
    rows = [
        {
            "row": proposal.index,
            **({} if ids is None else {"name": ids[proposal.index or 0]}),
            **proposal.x,
            "probable phases": chances_text(found, proposal),
            "score": proposal.score,
            "reason": proposal.reason,
        }
        for proposal in found.proposals
    ]
    report.table(pd.DataFrame(rows), caption="Rows count from 0 without the header, as in proposals.csv.")


def _doubt_section(report: Report, found: PhasesAnswer) -> None:
    """Samples that contradict others, and fields that cannot be."""
    import pandas as pd

    proposer, doubts = found.study.proposer, suspects_of(found)
    report.section("Doubts")
    if doubts:
        caption = "Samples that contradict others; --recheck proposes them again."
        report.table(pd.DataFrame(doubts).rename(columns={"index": "row"}), caption=caption)
    crossed = [
        {"kind": one.kind, "fields": " and ".join(one.labels), "shared amount": one.depth}
        for one in proposer.phase_rule_violations_
    ]
    if crossed:
        report.table(pd.DataFrame(crossed), caption="Measured fields that the phase rule forbids.")
    pairs = proposer.boundary_violations() if found.study.results and proposer.phase_rule else []
    if pairs:
        labels = proposer.labels_
        kinds = [tuple(sorted((str(labels[i]), str(labels[j])))) for i, j in pairs]
        counts = pd.Series(kinds).value_counts()
        rows = [{"fields": " | ".join(kind), "neighbors": int(n)} for kind, n in counts.items()]
        report.table(
            pd.DataFrame(rows),
            caption="Predicted fields that touch although two of their phases change at once: more samples "
            "are needed there (dashed in the diagram).",
        )
    if not (doubts or crossed or pairs):
        report.text("None.")


def _label_section(report: Report, found: PhasesAnswer) -> None:
    """How many samples and predicted points each label has."""
    import numpy as np
    import pandas as pd

    study = found.study
    if not study.results:
        return
    proposer = study.proposer
    told = [labels[-1] for labels in study.results.values()]
    predicted = proposer.labels_
    rows = [
        {"phases": name, "samples": told.count(name), "share of the map": float(np.mean(predicted == name))}
        for name in proposer.classes_
    ]
    table = pd.DataFrame(rows).sort_values("share of the map", ascending=False, ignore_index=True)
    report.section("Phases").table(table)
