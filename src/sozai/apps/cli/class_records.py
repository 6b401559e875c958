"""The answer to a question about classes as plain records, for JSON and for tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_records import repair_records

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.class_rule import ClassAnswer

__all__ = ["as_payload", "as_tables", "rule_records"]

_N_LISTED = 50


def as_payload(found: ClassAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    law, reading, plan = found.law, found.reading, found.plan
    payload = {
        "target": reading.target,
        "classes": class_records(found),
        "units": {name: reading.units.get(name) for name in reading.X.columns},
        "formula_units": found.formula_units,
        "features": list(reading.X.columns),
        "n_rows": len(reading.y),
        "dropped_rows": reading.dropped,
        "repairs": repair_records(reading.table),
        "operations": {"unary": plan.operations, "pair": plan.pair_operations, "order": plan.rung},
        "search": {
            "max_candidates": plan.max_candidates,
            "screens": [
                {"n_scored": screen.n_scored, "n_kept": len(screen.ids), "seconds": screen.seconds}
                for screen in law.screens_
            ],
            "log": found.search_log,
        },
        "n_candidates": law.n_candidates_,
        "rule": law.rule_,
        "formula": law.formula_,
        "latex": law.latex_,
        "terms": list(law.model_.terms),
        "boundary": _boundary_record(law),
        "training": {
            "n_right": found.n_right,
            "accuracy": found.accuracy,
            "conditional_on_search": True,
            "largest_class": found.blind,
        },
        "validation": _validation_record(found),
        "calibration": {
            "slope": law.calibration_.slope,
            "n_folds": law.calibration_.n_folds,
            "search_repeated": plan.calibration == "search",
            "log_loss": law.calibration_.log_loss,
        },
        "rules": rule_records(found),
        "seconds": found.seconds,
    }
    if found.comparison is not None:
        payload["comparison"] = found.comparison.to_dict("records")
    if found.predictions is not None:
        payload["predictions"] = _prediction_records(found)
    return payload


def as_tables(found: ClassAnswer) -> dict[str, pd.DataFrame]:
    """Every result table by its file name."""
    import pandas as pd

    tables = {
        "classes": pd.DataFrame(class_records(found)),
        "rules": pd.DataFrame(
            [{"rank": k, **record} for k, record in enumerate(rule_records(found), start=1)]
        ).assign(terms=lambda frame: [" ; ".join(terms) for terms in frame["terms"]]),
    }
    if found.test is not None:
        tables["confusion"] = found.test.confusion().reset_index()
        tables["left_out"] = _left_out(found)
    if found.comparison is not None:
        tables["comparison"] = found.comparison
    if found.predictions is not None:
        tables["predictions"] = found.predictions
    return tables


def class_records(found: ClassAnswer) -> list[dict[str, Any]]:
    """Every class: its rows, and the share of them classed correctly when left out."""
    recalls = found.recalls
    return [
        {"class": label, "n_rows": count, "right_when_left_out": recalls[label]}
        for label, count in found.classes.items()
    ]


def rule_records(found: ClassAnswer) -> list[dict[str, Any]]:
    """Sets of formulas that were compared, best by the criterion first."""
    names = ("terms", "n_terms", "complexity", "n_correct", "score", "log_likelihood", "criterion")
    return [
        {**{name: getattr(model, name) for name in names}, "accuracy": model.n_correct / len(found.reading.y)}
        for model in found.law.models_[:_N_LISTED]
    ]


def _boundary_record(law: Any) -> dict[str, Any]:
    """Where the classes meet."""
    boundary, labels = law.boundary_, law.classes_.tolist()
    if hasattr(boundary, "rule"):
        pieces = [labels[code] for code in boundary.rule.pieces]
        return {"kind": "cut", "cuts": list(boundary.rule.cuts), "pieces": pieces}
    odds_of = [labels[1]] if len(boundary.intercepts) == 1 else labels
    return {
        "kind": "linear",
        "of": odds_of,
        "coefficients": boundary.coefficients,
        "intercepts": boundary.intercepts,
    }


def _validation_record(found: ClassAnswer) -> dict[str, Any]:
    """Accuracy of rows left out, with its interval, and what became of every class."""
    test = found.test
    names = (
        "accuracy",
        "accuracy_standard_error",
        "balanced_accuracy",
        "balanced_accuracy_standard_error",
        "log_loss",
        "log_loss_standard_error",
        "n_undefined",
    )
    nothing = {"protocol": found.protocol, "n_folds": 0, **dict.fromkeys(names), "accuracy_interval": None}
    if test is None:
        return {**nothing, "confusion": None, "folds": []}
    return {
        "protocol": found.protocol,
        "n_folds": len(test.folds),
        **{name: getattr(test, name) for name in names},
        "accuracy_interval": list(test.interval()),
        "confusion": test.confusion().to_numpy(),
        "folds": test.to_frame().to_dict("records"),
    }


def _left_out(found: ClassAnswer) -> pd.DataFrame:
    """Every row: its class, the one it was given when left out, and how likely that was."""
    import pandas as pd

    test, labels = found.test, found.law.classes_.tolist()
    frame = pd.DataFrame({"row": found.reading.row_names, "class": test.truth, "given": test.predictions})
    frame["right"] = frame["class"] == frame["given"]
    frame[[f"p({label})" for label in labels]] = test.probabilities
    left_out: pd.DataFrame = frame[test.seen]
    return left_out


def _prediction_records(found: ClassAnswer) -> list[dict[str, Any]]:
    """New rows, the probabilities gathered under the names of the classes."""
    assert found.predictions is not None
    labels = found.law.classes_.tolist()
    records: list[dict[str, Any]] = []
    for record in found.predictions.to_dict("records"):
        chance = {str(label): record.pop(f"p({label})") for label in labels}
        records.append({**{str(name): value for name, value in record.items()}, "probabilities": chance})
    return records
