"""Predictions from formulas, delivered: table, folder, JSON or terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import deliver_predictions
from sozai.apps.cli.output import console
from sozai.apps.cli.property_output import as_grid, q2_text, say_property_end
from sozai.apps.cli.table_records import repair_records

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.property_formula import FormulaAnswer

__all__ = [
    "as_payload",
    "deliver",
    "formula_table",
    "say_formula_predictions",
    "squared_correlation",
    "written_table",
]

_MARK = " (sozai)"  # of our columns whose name the file has taken
_N_SHOWN = 40


def deliver(found: FormulaAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    from sozai.apps.cli.property_formula_report import write_folder

    what = "classes" if found.is_class else "formulas"
    deliver_predictions(
        found, schema=f"sozai.predict.property.{what}/1", write_folder=write_folder, table_of=written_table,
        as_payload=as_payload, say=say_formula_predictions,
    )  # fmt: skip


def formula_table(found: FormulaAnswer) -> tuple[pd.DataFrame, dict[str, str | None]]:
    """Predictions beside formula and side columns, one cell each, and the unit of every column."""
    import pandas as pd

    reading, flat = found.measured.reading, flat_predictions(found)
    side = found.side.rename(
        columns={name: f"{name} (given)" for name in found.side.columns if name in flat.columns}
    )
    units = dict(zip(side.columns, (reading.units.get(name) for name in found.side.columns), strict=True))
    measured = {} if found.truth is None else {f"measured {reading.target}": found.truth}
    first = ["row", "id", "formula"] if found.question.reading.identifiers else ["row", "formula"]
    parts = [flat[first], side, pd.DataFrame(measured), flat.drop(columns=["row", "id", "formula"])]
    target = dict.fromkeys(("mean", "lower", "upper", *measured), reading.target_unit)
    return pd.concat(parts, axis=1), {**units, **target}


def written_table(found: FormulaAnswer) -> tuple[pd.DataFrame, dict[str, str | None]]:
    """Columns of the file of these rows, then the predictions; and the unit of every column."""
    import numpy as np
    import pandas as pd

    table = found.measured.rows.table if found.new is None else found.new.table
    own = flat_predictions(found).drop(columns=["id", "formula"])
    given = _as_written(table).iloc[np.searchsorted(table.rows, own["row"])].reset_index(drop=True)
    names = {name: _free_name(str(name), given.columns) for name in own.columns}
    target = {names.get(name): found.measured.reading.target_unit for name in ("mean", "lower", "upper")}
    return pd.concat([given, own.rename(columns=names)], axis=1), {**table.units, **target}


def _as_written(table: Any) -> pd.DataFrame:
    """Columns of a file, true and false spelled as there."""
    from pandas.api.types import is_bool_dtype

    frame = table.frame.copy()
    for name in [name for name in frame.columns if is_bool_dtype(frame[name])]:
        texts = table.texts.get(name, {})
        frame[name] = [texts.get(at, "") for at in range(len(frame))]
    return frame


def _free_name(name: str, taken: Any) -> str:
    """Name that no column of the file has."""
    while name in taken:
        name += _MARK
    return name


def flat_predictions(found: FormulaAnswer) -> pd.DataFrame:
    """Predictions with one cell for each class instead of lists."""
    import pandas as pd

    frame = found.predictions
    if not found.is_class:
        return frame
    names = found.model.classes_.tolist()
    shares = {
        f"probability of {name}": [math.nan if p is None else p[name] for p in frame["probabilities"]]
        for name in names
    }
    sets = [None if held is None else "; ".join(map(str, held)) or "none" for held in frame["set"]]
    before = frame[["row", "id", "formula", "class"]]
    after = frame[["in_domain", "reason", "nearest", "distance"]]
    return pd.concat([before, pd.DataFrame(shares), pd.DataFrame({"set": sets}), after], axis=1)


def as_payload(found: FormulaAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    reading, question, rows = found.measured.reading, found.question, found.measured.rows
    return {
        "new": None if question.reading.apply is None else str(question.reading.apply),
        "target": reading.target,
        "unit": reading.target_unit,
        "units": {name: reading.units.get(name) for name in [*reading.X.columns, reading.target]},
        "kind": found.kind,
        "model": found.model_name,
        "formula": rows.column,
        "table": question.components,
        "basis": rows.basis,
        "features": list(reading.X.columns),
        "groups": question.reading.groups or "formula",
        "n_rows": len(reading.y),
        "n_dropped": len(reading.dropped),
        "dropped_rows": reading.dropped,
        "issues": rows.issues,
        "repairs": repair_records(reading.table),
        "level": question.level,
        "validation": class_validation(found) if found.is_class else _validation(found),
        "left_out": question.reading.apply is None,
        "predictions": found.predictions.to_dict("records"),
        "seconds": found.seconds,
    }


def squared_correlation(found: FormulaAnswer) -> float:
    """Squared correlation of measured and left-out values, which a constant error does not lower."""
    import numpy as np

    y, p = found.measured.reading.y[found.model.validation_rows_], found.score.predictions
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        return math.nan
    return float(np.corrcoef(y, p)[0, 1] ** 2)


def _validation(found: FormulaAnswer) -> dict[str, Any]:
    """Scores of formulas left out."""
    score = found.score
    return {
        "protocol": score.protocol,
        "n_folds": len(score.folds),
        "n_rows": len(score.predictions),
        "mae": score.mae,
        "rmse": score.rmse,
        "rmse_standard_error": score.rmse_standard_error,
        "r2": score.q2,
        "squared_correlation": squared_correlation(found),
        "coverage": score.coverage,
        "level": score.level,
        "folds": found.model.cv_results_.to_dict("records"),
    }


def class_validation(found: FormulaAnswer) -> dict[str, Any]:
    """Scores of classes of formulas left out."""
    model, score = found.model, found.model.left_out(found.question.level)
    confusion = model.confusion_matrix_
    return {
        "protocol": score.protocol,
        "n_folds": len(score.folds),
        "n_rows": len(score.predictions),
        "accuracy": score.accuracy,
        "macro_f1": score.macro_f1,
        "calibration_error": score.calibration_error,
        "coverage": score.coverage,
        "level": score.level,
        "classes": model.class_scores_.to_dict("records"),
        "confusion": {
            "classes": [str(name) for name in confusion.index],
            "counts": confusion.to_numpy().tolist(),
        },
    }


def say_formula_predictions(found: FormulaAnswer) -> None:
    """Say the answer on the terminal: score, predictions, hints."""
    screen, question, reading = console(), found.question, found.measured.reading
    (_say_class_score if found.is_class else _say_score)(found, screen)
    screen.print()
    if question.reading.apply is not None:
        title = "Predictions"
    else:
        title = "Measured rows, each predicted by a fit that had not seen its formula"
    frame = flat_predictions(found).drop(columns=["distance"])
    drop = [] if question.reading.identifiers else ["id"]
    if question.reading.apply is None:
        drop += ["in_domain", "reason", "nearest"]
        frame.insert(3, f"measured {reading.target}", found.truth)
    screen.print(title, style="italic")
    screen.print(as_grid(frame.drop(columns=drop).head(_N_SHOWN)))
    if len(frame) > _N_SHOWN:
        screen.print(f"... and {len(frame) - _N_SHOWN} more rows (-o TABLE writes them all)")
    say_property_end(found, screen, "--groups system leaves whole chemical systems out")


def _say_score(found: FormulaAnswer, screen: Any) -> None:
    """How good the predictions of a quantity are."""
    reading, score = found.measured.reading, found.score
    unit = reading.target_unit
    named = f"{reading.target} [{unit}]" if unit else reading.target
    words = {"real": "", "positive": ", on a logarithmic scale", "fraction": ", as a fraction"}[found.kind]
    n_beside = reading.X.shape[1]
    beside = f" and {n_beside} column{'s' if n_beside > 1 else ''}" if n_beside else ""
    screen.print(
        f"{named} from formulas{beside} by a {found.model_name}{words}", style="bold", soft_wrap=True
    )
    tail = f" {unit}" if unit else ""
    screen.print(
        f"{len(reading.y)} rows; on formulas it had not seen ({score.protocol}): "
        f"MAE {score.mae:.4g}{tail}, RMSE {score.rmse:.4g} ± {score.rmse_standard_error:.2g}{tail}, "
        f"R2 {q2_text(score.q2)} (squared correlation {q2_text(squared_correlation(found))}); "
        f"{100 * score.coverage:.0f} % of them in their {100 * score.level:.3g} % interval; "
        f"{found.seconds:.1f} s",
        soft_wrap=True,
    )


def _say_class_score(found: FormulaAnswer, screen: Any) -> None:
    """How good the predictions of classes are."""
    reading, scores = found.measured.reading, class_validation(found)
    screen.print(f"{reading.target} from formulas by {found.model_name}", style="bold", soft_wrap=True)
    screen.print(
        f"{len(reading.y)} rows; on formulas it had not seen ({scores['protocol']}): "
        f"accuracy {scores['accuracy']:.3f}, macro-F1 {scores['macro_f1']:.3f}, calibration error "
        f"{scores['calibration_error']:.3f}; {found.seconds:.1f} s",
        soft_wrap=True,
    )
    screen.print()
    screen.print(as_grid(found.model.class_scores_))
