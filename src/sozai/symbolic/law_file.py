"""A fitted law as plain values, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.law_nodes import nodes_of, store_of
from sozai.symbolic.selectors.models import ModelList, SymbolicModel

__all__ = ["KIND", "PLAIN", "from_state", "record_of", "to_state"]

KIND = "SymbolicRegressor"

PLAIN = (bool, int, float, str, tuple, list, dict, type(None))
"""Types of parameters that a law file keeps."""

_RESULTS = (
    "formula_",
    "latex_",
    "order_",
    "rank_",
    "n_candidates_",
    "n_relations_",
    "symmetry_error_",
    "n_features_in_",
)


def to_state(law: Any) -> dict[str, Any]:
    """Everything a fitted ``SymbolicRegressor`` needs to predict and to explain itself.

    Parameters that are objects (a selector, a group) are left out: they say
    how the law was found, not what it is.
    """
    state: dict[str, Any] = {
        "parameters": {
            name: value for name, value in law.get_params(deep=False).items() if isinstance(value, PLAIN)
        },
        "results": {name: getattr(law, name) for name in _RESULTS},
        "columns": record_of(law.columns_),
        "domain": record_of(law.domain_),
        "models": [record_of(model) for model in law.models_],
        "nodes": nodes_of(law.expressions_, np.concatenate([law._ids(model) for model in law.models_])),
    }
    if hasattr(law, "feature_names_in_"):
        state["feature_names_in_"] = [str(name) for name in law.feature_names_in_]
    return state


def from_state(cls: type, state: dict[str, Any]) -> Any:
    """Build the fitted estimator back."""
    law = cls(**state["parameters"])
    for name, value in state["results"].items():
        setattr(law, name, value)
    if "feature_names_in_" in state:
        law.feature_names_in_ = np.array(state["feature_names_in_"], dtype=object)
    law.columns_ = PrimaryColumns(**state["columns"])
    law.units_ = dict(law.columns_.units)
    law.domain_ = TrainingDomain(**state["domain"])
    models = tuple(SymbolicModel(**record) for record in state["models"])
    law.models_ = ModelList(models, selected=models[0])
    law.model_ = models[0]
    law.expressions_ = Expressions(law.columns_.names)
    if "nodes" in state:  # files of the first versions hold text only
        law.expressions_, _ = store_of(state["nodes"])
    return law


def record_of(record: Any) -> dict[str, Any]:
    """Fields of a frozen record."""
    return {item.name: getattr(record, item.name) for item in fields(record) if item.name != "equivalents"}
