"""The predictions of a property, as a folder: report.html, tables, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sozai.apps.cli.property_output import prediction_table, q2_text
from sozai.apps.cli.report_parts import Figures, notes_section, table_section, write_figures
from sozai.contracts.tables import write_table
from sozai.displays.importance import ImportanceDisplay
from sozai.displays.interval_parity import IntervalParityDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    from sozai.apps.cli.property_answer import PropertyAnswer

__all__ = ["write_folder"]


def write_folder(found: PropertyAnswer, folder: Path) -> None:
    """Write report.html, the tables as CSV and the figures as PNG and SVG into ``folder``."""
    figures = _figures(found)
    _report(found, figures).write(folder / "report.html")
    frame, units = prediction_table(found)
    write_table(frame, folder / "predictions.csv", units=units)
    importances = found.predictor.importances_
    listed = importances.assign(columns=[" ; ".join(part) for part in importances["columns"]])
    write_table(listed.drop(columns="block"), folder / "importances.csv")
    left_out = found.score.to_frame().assign(measured=found.reading.y)
    left_out.insert(0, "row", found.reading.row_names)
    write_table(left_out, folder / "left_out.csv")
    write_figures(figures, folder)


def _figures(found: PropertyAnswer) -> Figures:
    """Make the displays with their captions, by file name."""
    naming = {"name": found.reading.target, "unit": found.reading.target_unit}
    return {
        "parity": (
            IntervalParityDisplay.from_score(found.score, found.reading.y, **naming),
            "Measured against predicted, every row by a fit that had not seen it, with its interval.",
        ),
        "importance": (
            ImportanceDisplay.from_estimator(found.predictor, unit=found.reading.target_unit),
            "Growth of the error of left-out rows when a block is taken from other rows; gray: noise.",
        ),
    }


def _report(found: PropertyAnswer, figures: Figures) -> Report:
    """Page with score, predictions, what matters, table and settings."""
    reading, question, score = found.reading, found.question, found.score
    unit = f" {reading.target_unit}" if reading.target_unit else ""
    lead = f"{reading.target} from {reading.X.shape[1]} columns of {question.reading.file.name}."
    report = Report(f"Prediction of {reading.target}", lead=lead)
    report.section("How good it is").facts(
        {
            "rows": len(reading.y),
            "model": found.model_name,
            "RMSE": f"{score.rmse:.4g} ± {score.rmse_standard_error:.2g}{unit}",
            "Q²": q2_text(score.q2),
            f"in their {100 * score.level:g} % interval": f"{100 * score.coverage:.1f} %",
        }
    )
    report.text(f"All figures are of rows the model had not seen ({score.protocol}).")
    report.figures(list(figures.values()))
    _prediction_section(report, found)
    report.section("What matters")
    report.table(
        found.predictor.importances_.drop(columns="columns"), units={"importance": reading.target_unit}
    )
    table_section(report, found.reading, found.question.reading.file)
    notes_section(report, found.notes)
    return report


def _prediction_section(report: Report, found: PropertyAnswer) -> None:
    question = found.question
    new = question.reading.apply
    text = f"The interval holds {100 * question.level:g} of 100 new values"
    if new is None:
        text = f"Measured rows, each by a fit without it. {text}."
    elif found.reading.groups is None:
        text = f"Rows of {new}. {text} of rows like the measured ones."
    else:
        text = f"Rows of {new}. {text} of rows in new groups like the measured ones."
    frame, units = prediction_table(found)
    report.section("Predictions", text).table(frame, units=units)
