"""Experiment and simulation joined, as a folder: report.html, tables, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sozai.apps.cli.combine_output import (
    coupling_words,
    kept_words,
    prediction_table,
    reader_table,
    scatter_words,
    told_repairs,
)
from sozai.apps.cli.report_parts import Figures, notes_section, write_figures
from sozai.contracts.tables import write_table
from sozai.displays.assimilation import AssimilationDisplay, CouplingDisplay, PatternDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    from sozai.apps.cli.combine_answer import CombineAnswer

__all__ = ["write_folder"]
_MOST = 4  # descriptors drawn


def write_folder(found: CombineAnswer, folder: Path) -> None:
    """Write report.html, the tables as CSV and the figures as PNG and SVG into ``folder``."""
    figures = _figures(found)
    _report(found, figures).write(folder / "report.html")
    frame, units = prediction_table(found)
    write_table(frame, folder / "predictions.csv", units=units)
    write_table(_patterns(found), folder / "patterns.csv")
    write_figures(figures, folder)


def _figures(found: CombineAnswer) -> Figures:
    """Make the displays with their captions, by file name."""
    reading, model = found.reading, found.model
    X, Y = reading.table.X, reading.sources
    figures: Figures = {}
    for number, name in enumerate(X.columns[:_MOST]):
        others = (
            "" if X.shape[1] == 1 else "; the other descriptors at their medians, with the data near them"
        )
        unit = reading.table.units.get(name)
        display = AssimilationDisplay.from_estimator(
            model, X, Y, along=name, level=found.question.level, name=found.experiment, unit=reading.unit,
            descriptor=f"{name} [{unit}]" if unit else name,
        )  # fmt: skip
        figures[f"along_{number + 1}"] = (display, f"Data and predictions along {name}{others}.")
    figures["coupling"] = (
        CouplingDisplay.from_estimator(model, sources=list(Y.columns)),
        "How strongly each source follows the cheaper ones; gray: what was expected before the data.",
    )
    if len(model.pattern_table_):
        caption = "How well the data speak for each set of terms by which the experiment differs."
        figures["patterns"] = (PatternDisplay(_patterns(found)), caption)
    return figures


def _patterns(found: CombineAnswer) -> Any:
    """Patterns with their terms as text."""
    table = found.model.pattern_table_[["terms", "log_evidence", "weight"]]
    words = [terms if isinstance(terms, str) else ", ".join(map(str, terms)) for terms in table["terms"]]
    return table.assign(terms=words)


def _report(found: CombineAnswer, figures: Figures) -> Report:
    """Page with coupling, predictions, patterns and settings."""
    reading, question = found.reading, found.question
    lead = f"{', '.join(reading.sources.columns)} of {question.reading.file.name} in one model."
    report = Report(f"{found.experiment}, calculated and measured", lead=lead)
    counts = {f"values of {name}": int(n) for name, n in reading.sources.notna().sum().items()}
    facts = {**counts, "basis": question.basis, "log evidence": f"{found.model.log_evidence_:.3f}"}
    report.section("What both say together").facts(facts)
    for line in [*coupling_words(found), *kept_words(found), scatter_words(found)]:
        report.text(f"{line[0].upper()}{line[1:]}.")
    report.text(
        "The model assumes that which cells are empty does not depend on the values that would stand there, "
        "given the descriptors and the other sources."
    )
    report.figures(list(figures.values()))
    where = "Rows of the file" if question.reading.apply is None else f"Rows of {question.reading.apply}"
    held = f"lower to upper of {found.experiment} holds {100 * question.level:g} % of true values"
    text = f"{where}; mean ± standard error, without the scatter of single values; {held}."
    report.section("Predictions", text).table(reader_table(found))
    report.section("Sets of terms").table(_patterns(found))
    repairs = told_repairs(found)
    if repairs:
        frame = pd.DataFrame(repairs).drop(columns="code")
        report.section("The table").table(frame, caption="Repaired while reading.")
    notes_section(report, found.notes)
    return report
