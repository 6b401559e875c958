"""Fitted laws of several tasks as plain values, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sozai.symbolic.applicability import TrainingDomain
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.law_file import PLAIN, record_of
from sozai.symbolic.law_nodes import nodes_of, store_of
from sozai.symbolic.search.task_models import TaskModel
from sozai.symbolic.selectors.models import ModelList, SymbolicModel

__all__ = ["KIND", "from_state", "to_state"]

KIND = "MultiTaskSymbolicRegressor"

_RESULTS = ("tasks_", "formulas_", "latex_", "n_candidates_", "n_features_in_")


def to_state(law: Any) -> dict[str, Any]:
    """Everything a fitted ``MultiTaskSymbolicRegressor`` needs to predict and to explain itself.

    The search, and the descriptors it chose from, are left out: they say how
    the laws were found, not what they are.
    """
    state: dict[str, Any] = {
        "parameters": {
            name: value for name, value in law.get_params(deep=False).items() if isinstance(value, PLAIN)
        },
        "results": {name: getattr(law, name) for name in _RESULTS},
        "columns": record_of(law.columns_),
        "domains": [record_of(law.domains_[task]) for task in law.tasks_],
        "kept": _law(law.model_),
        "others": [_law(model) for _, model in sorted(law._leaders.items()) if model is not law.model_],
        "path": law.selection_path_.to_dict("list"),
        "nodes": nodes_of(law.expressions_, law._ids(law.model_)),
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
    domains = [TrainingDomain(**record) for record in state["domains"]]
    law.domains_ = dict(zip(law.tasks_, domains, strict=True))
    law.model_, *others = (_law_of(record) for record in [state["kept"], *state["others"]])
    law._leaders = {model.n_terms: model for model in (law.model_, *others)}
    law.models_ = ModelList((law.model_, *others), selected=law.model_)
    law.selection_path_ = pd.DataFrame(state["path"])
    law.expressions_, ids = store_of(state["nodes"])
    law._tabulate(dict(zip(law.model_.columns, ids, strict=True)))
    return law


def _law(model: TaskModel) -> dict[str, Any]:
    """One law, the models of its tasks as records too."""
    return {**record_of(model), "models": [record_of(one) for one in model.models]}


def _law_of(record: dict[str, Any]) -> TaskModel:
    """Undo :func:`_law`."""
    return TaskModel(**{**record, "models": tuple(SymbolicModel(**one) for one in record["models"])})
