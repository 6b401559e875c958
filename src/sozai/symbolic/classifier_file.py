"""A fitted classifier as plain values, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.classification.boundary import CutBoundary, LinearBoundary
from sozai.symbolic.classification.calibration import Calibration
from sozai.symbolic.classification.cut_rule import CutRule
from sozai.symbolic.classification.separating_terms import SeparatingTerms
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.law_file import PLAIN, record_of
from sozai.symbolic.law_nodes import nodes_of, store_of

__all__ = ["KIND", "from_state", "to_state"]

KIND = "SymbolicClassifier"

_RESULTS = ("formula_", "latex_", "rule_", "n_candidates_", "n_features_in_", "notes_")
_HIDDEN = ("_most_frequent", "_center", "_spread", "_covariance")


def to_state(law: Any) -> dict[str, Any]:
    """Everything a fitted ``SymbolicClassifier`` needs to class, to be sure, and to know its limits.

    What the passes over the space kept, and parameters that are objects, are
    left out: they say how the rule was found, not what it is.
    """
    terms = [node for model in law.models_ for node in model.ids]
    state: dict[str, Any] = {
        "parameters": {
            name: value
            for name, value in law.get_params(deep=False).items()
            if isinstance(value, PLAIN) and name not in ("store", "progress")
        },
        "results": {name: getattr(law, name) for name in _RESULTS},
        "hidden": {name: getattr(law, name) for name in _HIDDEN},
        "classes": _labels(law.classes_),
        "columns": record_of(law.columns_),
        "domain": record_of(law.domain_),
        "boundary": _boundary(law.boundary_),
        "calibration": record_of(law.calibration_),
        "models": [record_of(model) for model in law.models_],
        "kept": next(k for k, model in enumerate(law.models_) if model is law.model_),
        "nodes": nodes_of(law.expressions_, terms),
    }
    if hasattr(law, "feature_names_in_"):
        state["feature_names_in_"] = [str(name) for name in law.feature_names_in_]
    return state


def from_state(cls: type, state: dict[str, Any]) -> Any:
    """Build the fitted estimator back."""
    law = cls(**state["parameters"])
    for name, value in (state["results"] | state["hidden"]).items():
        setattr(law, name, value)
    if "feature_names_in_" in state:
        law.feature_names_in_ = np.array(state["feature_names_in_"], dtype=object)
    law.classes_ = np.array(state["classes"]["labels"], dtype=np.dtype(state["classes"]["dtype"]))
    law.columns_ = PrimaryColumns(**state["columns"])
    law.units_ = dict(law.columns_.units)
    law.domain_ = TrainingDomain(**state["domain"])
    law.boundary_ = _boundary_of(state["boundary"])
    law.calibration_ = Calibration(**state["calibration"])
    law.expressions_, ids = store_of(state["nodes"])
    left = iter(ids)
    law.models_ = [
        SeparatingTerms(**{**record, "ids": tuple(next(left) for _ in record["ids"])})
        for record in state["models"]
    ]
    law.model_ = law.models_[state["kept"]]
    return law


def _labels(classes: np.ndarray) -> dict[str, Any]:
    """Labels as Python values, and the kind of array they stand in."""
    kind = "O" if classes.dtype.kind == "O" else classes.dtype.str
    return {"labels": classes.tolist(), "dtype": kind}


def _boundary(boundary: Any) -> dict[str, Any]:
    """A cut or a plane."""
    if isinstance(boundary, CutBoundary):
        return {"kind": "cut", **record_of(boundary), "rule": record_of(boundary.rule)}
    return {"kind": "linear", **record_of(boundary)}


def _boundary_of(state: dict[str, Any]) -> Any:
    """Undo :func:`_boundary`."""
    values = {name: value for name, value in state.items() if name != "kind"}
    if state["kind"] == "cut":
        return CutBoundary(**{**values, "rule": CutRule(**values["rule"])})
    return LinearBoundary(**values)
