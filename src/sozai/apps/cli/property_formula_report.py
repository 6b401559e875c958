"""Predictions from formulas, as a folder: report.html, tables, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.property_formula_output import (
    class_validation,
    formula_table,
    squared_correlation,
    written_table,
)
from sozai.apps.cli.property_output import q2_text
from sozai.apps.cli.report_parts import Figures, notes_section, write_figures
from sozai.contracts.tables import write_table
from sozai.displays.composition_map import CompositionMapDisplay
from sozai.displays.interval_parity import IntervalParityDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    from sozai.apps.cli.property_formula import FormulaAnswer

__all__ = ["write_folder"]


def write_folder(found: FormulaAnswer, folder: Path) -> None:
    """Write report.html, the tables as CSV and the figures as PNG and SVG into ``folder``."""
    figures = _figures(found)
    _report(found, figures).write(folder / "report.html")
    frame, units = written_table(found)
    write_table(frame, folder / "predictions.csv", units=units)
    _write_validation(found, folder)
    write_figures(figures, folder)


def _write_validation(found: FormulaAnswer, folder: Path) -> None:
    """Rows left out and folds, or classes and their confusion."""
    measured, model = found.measured, found.model
    if found.is_class:
        write_table(model.class_scores_, folder / "classes.csv")
        confusion = model.confusion_matrix_.rename_axis("measured").rename(columns=str).reset_index()
        write_table(confusion, folder / "confusion.csv")
        return
    rows = model.validation_rows_
    left_out = found.score.to_frame().assign(measured=measured.reading.y[rows])
    left_out.insert(0, "formula", [measured.texts[at] for at in rows])
    left_out.insert(0, "row", [measured.file_rows[at] for at in rows])
    write_table(left_out, folder / "left_out.csv")
    write_table(model.cv_results_, folder / "folds.csv")


def _figures(found: FormulaAnswer) -> Figures:
    """Make the displays with their captions, by file name."""
    reading = found.measured.reading
    figures: Figures = {}
    if not found.is_class:
        y = reading.y[found.model.validation_rows_]
        figures["parity"] = (
            IntervalParityDisplay.from_score(found.score, y, name=reading.target, unit=reading.target_unit),
            "Measured against predicted, every row by a fit that had not seen its formula.",
        )
    caption = "Measured formulas, near each other where their elements are alike"
    if found.new is not None:
        caption += "; new ones as rings in the domain, crosses outside"
    figures["map"] = (_map(found), f"{caption}.")
    return figures


def _map(found: FormulaAnswer) -> CompositionMapDisplay:
    """Map of the measured formulas and of the new ones that could be read."""
    import numpy as np

    from sozai.apps.cli.formula_reading import read_components
    from sozai.composition import KernelMeanDescriptor

    reading = found.measured.reading
    table = read_components(found.question.components)
    place = KernelMeanDescriptor(table, representation="isometric").fit()
    rows = found.measured.rows
    at = np.searchsorted(rows.table.rows, found.measured.file_rows)
    options: dict[str, Any] = {"values": reading.y, "name": reading.target, "unit": reading.target_unit}
    if found.new is not None and found.new.X is not None:
        predictions = found.predictions
        readable = [not row["missing"] for row in found.new.rows]
        options |= {
            "new_coordinates": place.transform(_formulas(found.new.X)),
            "in_domain": predictions["in_domain"].to_numpy(dtype=bool)[readable],
            "new_labels": predictions["formula"][readable].to_list(),
        }
    return CompositionMapDisplay.from_coordinates(place.transform(rows.parsed)[at], **options)


def _formulas(X: Any) -> Any:
    """Formulas alone: the first column of a table with side columns."""
    return X.iloc[:, 0] if hasattr(X, "iloc") else X


def _report(found: FormulaAnswer, figures: Figures) -> Report:
    """Page with score, predictions, table and settings."""
    reading, question = found.measured.reading, found.question
    beside = f" and {', '.join(map(str, reading.X.columns))}" if reading.X.shape[1] else ""
    lead = f"{reading.target} from the formulas{beside} of {question.reading.file.name}."
    report = Report(f"Prediction of {reading.target}", lead=lead)
    report.section("How good it is").facts(_class_facts(found) if found.is_class else _facts(found))
    protocol = class_validation(found)["protocol"] if found.is_class else found.score.protocol
    report.text(f"All figures are of formulas the model had not seen ({protocol}).")
    if found.is_class:
        report.table(found.model.class_scores_)
        confusion = found.model.confusion_matrix_.rename_axis("measured").rename(columns=str).reset_index()
        report.table(confusion, caption="Measured classes by predicted ones.")
    report.figures(list(figures.values()))
    if not found.is_class and len(found.model.cv_results_) > 1:
        report.table(found.model.cv_results_, caption="Fold by fold. R2 is 1 - SSE/SST.")
    _prediction_section(report, found)
    _table_section(report, found)
    notes_section(report, found.notes)
    return report


def _facts(found: FormulaAnswer) -> dict[str, object]:
    reading, score = found.measured.reading, found.score
    unit = f" {reading.target_unit}" if reading.target_unit else ""
    return {
        "rows": len(reading.y),
        "model": found.model_name,
        "MAE": f"{score.mae:.4g}{unit}",
        "RMSE": f"{score.rmse:.4g} ± {score.rmse_standard_error:.2g}{unit}",
        "R²": q2_text(score.q2),
        "squared correlation": q2_text(squared_correlation(found)),
        f"in their {100 * score.level:.3g} % interval": f"{100 * score.coverage:.1f} %",
    }


def _class_facts(found: FormulaAnswer) -> dict[str, object]:
    scores = class_validation(found)
    return {
        "rows": scores["n_rows"],
        "model": found.model_name,
        "accuracy": f"{scores['accuracy']:.3f}",
        "macro-F1": f"{scores['macro_f1']:.3f}",
        "calibration error": f"{scores['calibration_error']:.3f}",
    }


def _prediction_section(report: Report, found: FormulaAnswer) -> None:
    question = found.question
    level = f"{100 * question.level:g} of 100"
    text = f"The interval holds {level} new values of formulas like the measured ones."
    if found.is_class:
        text = f"The set holds the true class of {level} formulas of every class."
    if question.reading.apply is None:
        text = f"Measured rows, each by a fit that had not seen its formula. {text}"
    else:
        text = f"Rows of {question.reading.apply}. {text}"
    frame, units = formula_table(found)
    report.section("Predictions", text).table(frame, units=units)


def _table_section(report: Report, found: FormulaAnswer) -> None:
    import pandas as pd

    measured = found.measured
    reading = measured.reading
    report.section("The table").facts(
        {
            "file": found.question.reading.file.name,
            "encoding": reading.table.encoding,
            "formulas": measured.rows.column,
            "rows used": len(reading.y),
            "rows left out": len(reading.dropped),
            "different formulas": len(found.model.known_.formulas),
            "elements": len(found.model.known_.elements),
        }
    )
    if reading.dropped:
        report.table(pd.DataFrame(reading.dropped), caption="Rows left out.")
    repaired = [issue for issue in measured.rows.issues if not issue["refused"]]
    if repaired:
        report.table(pd.DataFrame(repaired).drop(columns="refused"), caption="Formulas repaired.")
    if reading.table.repairs:
        report.table(reading.table.repairs.to_frame().drop(columns="code"), caption="Repaired while reading.")
