"""The predictions of a property, delivered: table, folder, JSON or terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.formula_places import delimiter_of
from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.apps.cli.table_records import repair_records
from sozai.contracts.tables import write_table
from sozai.study.report import number_text

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.property_answer import PropertyAnswer

__all__ = ["as_grid", "as_payload", "deliver", "prediction_table", "q2_text", "say_predictions"]

_N_SHOWN = 40


def deliver(found: PropertyAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    question = found.question
    if question.reading.output is not None:
        from sozai.apps.cli.property_report import write_folder

        with staged_folder(question.reading.output) as stage:
            write_folder(found, stage)
    if question.table is not None:
        frame, units = prediction_table(found)
        write_table(frame, question.table, units=units, delimiter=delimiter_of(question.table))
    if question.reading.json:
        payload = as_payload(found)
        source = str(question.reading.file)
        emit_json(payload, schema="sozai.predict.property/1", source=source, notes=found.notes)
    else:
        say_predictions(found)


def prediction_table(found: PropertyAnswer) -> tuple[pd.DataFrame, dict[str, str | None]]:
    """Predictions beside the columns they were made from, and the unit of every column."""
    import pandas as pd

    reading, predictions = found.reading, found.predictions
    features = found.shown.rename(
        columns={name: f"{name} (given)" for name in found.shown.columns if name in predictions.columns}
    )
    units = dict(
        zip(features.columns, (reading.units.get(name) for name in found.shown.columns), strict=True)
    )
    measured = {} if found.question.reading.apply is not None else {f"measured {reading.target}": reading.y}
    frame = pd.concat(
        [
            predictions[["row", "id"]],
            features,
            pd.DataFrame(measured),
            predictions.drop(columns=["row", "id"]),
        ],
        axis=1,
    )
    target = dict.fromkeys(("mean", "lower", "upper", *measured), reading.target_unit)
    if found.question.reading.identifiers == ():
        frame = frame.drop(columns="id")
    return frame, {**units, **target}


def as_payload(found: PropertyAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    reading, question, score = found.reading, found.question, found.score
    return {
        "new": None if question.reading.apply is None else str(question.reading.apply),
        "target": reading.target,
        "unit": reading.target_unit,
        "units": {name: reading.units.get(name) for name in [*reading.X.columns, reading.target]},
        "kind": found.kind,
        "model": found.model_name,
        "features": list(reading.X.columns),
        "n_rows": len(reading.y),
        "dropped_rows": reading.dropped,
        "repairs": repair_records(reading.table),
        "level": question.level,
        "validation": {
            "protocol": score.protocol,
            "n_folds": len(score.folds),
            "rmse": score.rmse,
            "rmse_standard_error": score.rmse_standard_error,
            "mae": score.mae,
            "q2": score.q2,
            "coverage": score.coverage,
        },
        "left_out": question.reading.apply is None,
        "predictions": found.predictions.to_dict("records"),
        "importances": [
            {
                "columns": list(row["columns"]),
                "importance": row["importance"],
                "standard_error": row["standard_error"],
            }
            for row in found.predictor.importances_.to_dict("records")
        ],
        "seconds": found.seconds,
    }


def say_predictions(found: PropertyAnswer) -> None:
    """Say the answer on the terminal: score, what matters, predictions, hints."""
    screen = console()
    reading, score, unit = found.reading, found.score, found.reading.target_unit
    named = f"{reading.target} [{unit}]" if unit else reading.target
    words = {"real": "", "positive": ", on a logarithmic scale", "fraction": ", as a fraction"}[found.kind]
    screen.print(f"{named} by a {found.model_name}{words}", style="bold", soft_wrap=True)
    tail = f" {unit}" if unit else ""
    screen.print(
        f"{len(reading.y)} rows, {reading.X.shape[1]} columns; on rows it had not seen ({score.protocol}): "
        f"RMSE {score.rmse:.4g} ± {score.rmse_standard_error:.2g}{tail}, Q2 {q2_text(score.q2)}; "
        f"{100 * score.coverage:.0f} % of them in their {100 * score.level:g} % interval; "
        f"{found.seconds:.1f} s",
        soft_wrap=True,
    )
    screen.print()
    importances = found.predictor.importances_.drop(columns="columns")
    growth = f"growth of the RMSE{f' [{unit}]' if unit else ''} when shuffled"
    screen.print(f"What matters ({growth})", style="italic")
    screen.print(as_grid(importances.head(10)))
    screen.print()
    left_out = found.question.reading.apply is None
    title = "Measured rows, each predicted by a fit without it" if left_out else "Predictions"
    named_rows = found.question.reading.identifiers
    frame = found.predictions if named_rows else found.predictions.drop(columns="id")
    screen.print(title, style="italic")
    screen.print(as_grid(frame.head(_N_SHOWN)))
    if len(frame) > _N_SHOWN:
        screen.print(f"... and {len(frame) - _N_SHOWN} more rows (-o TABLE writes them all)")
    for repair in repair_records(reading.table)[:5]:
        place = f"row {repair['row']}, column {repair['column']!r}" if repair["row"] is not None else "table"
        screen.print(f"Repaired, {place}: {repair['message']}", soft_wrap=True)
    _say_end(found, screen)


def q2_text(q2: float) -> str:
    """Return Q2 with three digits; a target that never varies has none."""
    return f"{q2:.3f}" if math.isfinite(q2) else "undefined"


def _say_end(found: PropertyAnswer, screen: Any) -> None:
    """Warnings, where the files lie, and what to try next."""
    question = found.question
    for note in found.notes:
        screen.print(f"Note: {note}", soft_wrap=True)
    if question.table is not None:
        screen.print(f"Table: {question.table}", soft_wrap=True)
    if question.reading.output is not None:
        screen.print(f"Report: {question.reading.output / 'report.html'}", soft_wrap=True)
    hints = [
        (question.reading.apply is None, "name a second file to predict its rows"),
        (question.table is None, "-o TABLE writes the predictions"),
        (question.reading.output is None, "--output DIR writes a report with figures"),
        (question.reading.groups is None, "--groups COL leaves whole groups out"),
    ]
    shown = "; ".join(text for wanted, text in hints if wanted)
    if shown:
        screen.print(f"Next: {shown}.", style="dim", soft_wrap=True)


def as_grid(frame: Any) -> Any:
    """Table for the terminal, numbers to the right."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        numeric = is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])
        table.add_column(str(name), justify="right" if numeric else "left", overflow="fold")
    for row in frame.itertuples(index=False, name=None):
        table.add_row(*(number_text(value).replace("−", "-") for value in row))
    return table
