"""The answer to a question about classes, as a folder: report.html, tables, class map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sozai.apps.cli.class_records import as_tables
from sozai.apps.cli.class_screen import accuracy_lines
from sozai.apps.cli.output import quiet
from sozai.apps.cli.report_parts import Figures, table_section
from sozai.apps.cli.table_report import write_files
from sozai.displays import ClassMapDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.class_rule import ClassAnswer

__all__ = ["write_folder"]


def write_folder(found: ClassAnswer, folder: Path) -> None:
    """Write report.html, the tables as CSV and the class map as PNG and SVG into ``folder``."""
    figures, tables = _figures(found), as_tables(found)
    write_files(_report(found, figures, tables), tables, figures, folder)


def _figures(found: ClassAnswer) -> Figures:
    """Map of the classes, where the rule has one or two formulas, or two classes."""
    law, n_terms = found.law, found.law.model_.n_terms
    if not n_terms or (n_terms > 2 and len(law.classes_) > 2):
        return {}
    with quiet():  # rows of the table itself
        display = ClassMapDisplay.from_estimator(law, found.reading.X, found.reading.y)
    along = "its formula" if n_terms == 1 else "its two formulas" if n_terms == 2 else "its log-odds"
    return {
        "class_map": (display, f"The rows of the table along {along}; regions in the color of the class.")
    }


def _report(found: ClassAnswer, figures: Figures, tables: dict[str, pd.DataFrame]) -> Report:
    """Page with rule, classes, list, new rows, table and settings."""
    reading = found.reading
    columns = f"{reading.X.shape[1]} columns of {found.question.file.name}"
    lead = f"Classes of {reading.target} told apart by {columns}."
    report = Report(f"A rule for {reading.target}", lead=lead)
    _rule_section(report, found, figures)
    _class_section(report, found, tables)
    report.section(
        "All rules, ranked",
        "Sets of formulas, best by the criterion first: it charges for every formula that was tried.",
    )
    report.table(tables["rules"].drop(columns="log_likelihood"), max_rows=50)
    if found.comparison is not None:
        report.section(
            "Other classifiers",
            "Same rows, same folds. Gains are rows a method gets right and the rule does not; losses the "
            "other way round.",
        )
        report.table(found.comparison)
    if found.predictions is not None:
        report.section("Predictions", f"Rows of {found.question.apply}, with the probability of every class.")
        report.table(found.predictions)
    table_section(report, reading, found.question.file)
    _settings_section(report, found)
    return report


def _rule_section(report: Report, found: ClassAnswer, figures: Figures) -> None:
    law, test = found.law, found.test
    report.section("The rule").text(law.rule_)
    parts = law.formula_.split("; ") if law.model_.n_terms else []
    cut = hasattr(law.boundary_, "rule")
    names = [str(label) for label in law.classes_.tolist()]
    for k, part in enumerate(parts):
        left = None if cut else f"log-odds of {names[1]}" if len(parts) == 1 else names[k]
        report.formula(part, left=left)
    low, high = (float("nan"),) * 2 if test is None else test.interval()
    report.facts(
        {
            "rows": len(found.reading.y),
            "classes": len(law.classes_),
            "accuracy, left out": "not tested" if test is None else f"{test.accuracy:.4f}",
            "95 % interval": "" if test is None else f"{low:.3f} to {high:.3f}",
            "accuracy on its own rows": f"{found.accuracy:.4f}",
            "largest class": f"{found.blind:.4f}",
        }
    )
    for line in accuracy_lines(found):
        report.text(f"{line}" if line.endswith(".") else f"{line}.")
    report.figures([figures[name] for name in figures])


def _class_section(report: Report, found: ClassAnswer, tables: dict[str, pd.DataFrame]) -> None:
    report.section("Classes", "Which rows are mistaken, and for what, when they are left out.")
    report.table(tables["classes"])
    if found.test is None:
        report.text(f"Rows left out: {found.protocol}.")
        return
    report.table(
        tables["confusion"], caption="Class of the row (down), class it was given when left out (across)."
    )
    wrong = tables["left_out"][~tables["left_out"]["right"]].drop(columns="right")
    if len(wrong):
        report.table(wrong, caption="Rows that were mistaken when left out.", max_rows=60)
    if found.test.rules:
        report.table(found.test.to_frame(), caption="The rule found in every fold.", max_rows=30)


def _settings_section(report: Report, found: ClassAnswer) -> None:
    import pandas as pd

    law = found.law
    report.section("How it was found", f"{found.plan}; formulas ranked by: {law.rank_by}; criterion: ebic.")
    screens = [
        {"pass": k, "scored": screen.n_scored, "kept": len(screen.ids), "seconds": screen.seconds}
        for k, screen in enumerate(law.screens_, start=1)
    ]
    report.table(pd.DataFrame(screens), caption="Passes over the formulas: what was scored, what was kept.")
    for line in found.search_log:
        report.text(f"{line}.")
    if len(law.generation_report_):
        report.table(law.generation_report_, caption="Formulas dropped, by reason.")
    for note in found.notes:
        report.note(note)
