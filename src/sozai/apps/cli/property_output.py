"""The predictions of a property, delivered: table, folder, JSON or terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import deliver_predictions, say_end, say_repairs
from sozai.apps.cli.output import console
from sozai.apps.cli.table_records import repair_records
from sozai.study.report import number_text

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.property_answer import PropertyAnswer

__all__ = [
    "as_grid", "as_payload", "deliver", "prediction_table", "q2_text", "say_predictions", "say_property_end",
]  # fmt: skip

_N_SHOWN = 40


def deliver(found: PropertyAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    from sozai.apps.cli.property_report import write_folder

    deliver_predictions(
        found, schema="sozai.predict.property/1", write_folder=write_folder, table_of=prediction_table,
        as_payload=as_payload, say=say_predictions,
    )  # fmt: skip


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
    say_repairs(repair_records(reading.table), screen)
    say_property_end(found, screen, "--groups COL leaves whole groups out")


def q2_text(q2: float) -> str:
    """Return Q2 with three digits; a target that never varies has none."""
    return f"{q2:.3f}" if math.isfinite(q2) else "undefined"


def say_property_end(found: Any, screen: Any, about_groups: str) -> None:
    """Warnings, where the files lie, and what to try next."""
    question = found.question
    hints = [
        (question.reading.apply is None, "name a second file to predict its rows"),
        (question.table is None, "-o TABLE writes the predictions"),
        (question.reading.output is None, "--output DIR writes a report with figures"),
        (question.reading.groups is None, about_groups),
    ]
    say_end(screen, found.notes, {"Table": question.table}, question.reading.output, hints)


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
