"""The predictions of a property, as a folder: report.html, tables, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.property_output import prediction_table, q2_text
from sozai.contracts.tables import write_table
from sozai.displays.importance import ImportanceDisplay
from sozai.displays.interval_parity import IntervalParityDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    from sozai.apps.cli.property_answer import PropertyAnswer

__all__ = ["write_folder"]

Figures = dict[str, tuple[Any, str]]


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
    (folder / "figures").mkdir()
    for name, (display, _) in figures.items():
        display.save(folder / "figures" / f"{name}.png")
        display.save(folder / "figures" / f"{name}.svg")


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
    _table_section(report, found)
    report.section("Notes")
    for note in found.notes or ["None."]:
        report.note(note)
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


def _table_section(report: Report, found: PropertyAnswer) -> None:
    import pandas as pd

    reading = found.reading
    report.section("The table").facts(
        {
            "file": found.question.reading.file.name,
            "encoding": reading.table.encoding,
            "rows used": len(reading.y),
            "rows left out": len(reading.dropped),
        }
    )
    shown = reading.X.assign(**{reading.target: reading.y}).describe().T.reset_index(names="column")
    shown.insert(1, "unit", [reading.units.get(name) or "" for name in shown["column"]])
    report.table(shown.drop(columns=["count", "25%", "75%"]).rename(columns={"50%": "median"}))
    if reading.table.repairs:
        report.table(reading.table.repairs.to_frame().drop(columns="code"), caption="Repaired while reading.")
    if reading.dropped:
        report.table(pd.DataFrame(reading.dropped), caption="Rows left out.")
