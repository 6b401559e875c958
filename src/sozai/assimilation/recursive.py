"""The state that laboratories exchange: parameters and sums, and no row of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from sozai.assimilation.basis import CLASSES, TensorProduct
from sozai.assimilation.patterns import PatternFactor, PatternKey, PatternStatistics
from sozai.assimilation.priors import AssimilationPrior, GroupOffset
from sozai.assimilation.told_rows import LearnedFrom
from sozai.contracts.errors import InputError, sentence

__all__ = ["from_state", "to_state"]

#: Version of the state.
VERSION = 1


def to_state(model: Any) -> dict[str, Any]:
    """Parameters and sums of a fitted assimilator as plain values."""
    best = model._solved().best
    largest = [model._learned.largest(best, j) for j in range(len(model.source_names_))]
    parameters = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if name not in ("basis", "prior", "offset", "domain", "random_state", "coupling", "restricted")
    }
    held = not isinstance(model.coupling, (str, int, float))
    return {
        "version": VERSION,
        "parameters": parameters,
        "coupling": np.asarray(model.coupling, float) if held else model.coupling,
        "restricted": model.restricted if isinstance(model.restricted, str) else list(model.restricted),
        "prior": None if model.prior is None else record_of(model.prior),
        "offset": None if model.offset is None else record_of(model.offset),
        "basis": basis_state(model.basis_),
        "domain": np.array(model.domain_),
        "descriptors": [str(name) for name in getattr(model, "feature_names_in_", ())],
        "n_features": int(model.n_features_in_),
        "reference_species": list(model.reference_species_),
        "sources": list(model.source_names_),
        "unit": model.unit_,
        "flat": model._flat,
        "levels": [int(level) for level in model.statistics_.levels],
        "patterns": [
            {
                "observed": list(key.observed), "classes": list(key.classes), "label": key.label,
                "count": int(f.count), "triangle": np.triu(f.triangle), "known": np.array(f.known),
            }
            for key, f in model.statistics_.factors.items()
        ],
        "largest": np.array(largest),
        "radius": float(model._learned.radius),
    }  # fmt: skip


def from_state(cls: type, state: Mapping[str, Any]) -> Any:
    """Build the assimilator back from plain values."""
    place = f"{cls.__name__}.from_state"
    if not isinstance(state, Mapping) or state.get("version") != VERSION:
        got = state.get("version") if isinstance(state, Mapping) else type(state).__name__
        raise InputError(
            sentence(place, "state", f"come from state() of version {VERSION}", got, remedy="Write it again.")
        )
    model = cls(
        basis_from(state["basis"]),
        domain=np.asarray(state["domain"]),
        coupling=state["coupling"],
        restricted=state["restricted"],
        prior=None if state["prior"] is None else AssimilationPrior(**state["prior"]),
        offset=None if state["offset"] is None else GroupOffset(**state["offset"]),
        **state["parameters"],
    )
    model.basis_, model.domain_ = model.basis, model.domain
    model.n_features_in_ = state["n_features"]
    if state["descriptors"]:
        model.feature_names_in_ = np.array(state["descriptors"], dtype=object)
    names = state["descriptors"] or [f"x{j}" for j in range(model.n_features_in_)]
    model.term_names_ = tuple(model.basis_.feature_names(names))
    model.reference_species_ = tuple(state["reference_species"])
    model.source_names_, model.unit_ = tuple(state["sources"]), state["unit"]
    model._flat, model._warm, model.anchors_ = state["flat"], {}, ()
    factors = {
        PatternKey(tuple(item["observed"]), tuple(item["classes"]), item["label"]): PatternFactor(
            item["count"], np.asfortranarray(item["triangle"]), np.asarray(item["known"])
        )
        for item in state["patterns"]
    }
    P, d = len(model.term_names_), len(model.source_names_)
    model.statistics_ = PatternStatistics(P, d, factors, list(state["levels"]))
    model._learned = LearnedFrom(np.zeros((0, P)), np.asarray(state["largest"]), state["radius"])
    return model


def record_of(record: Any) -> dict[str, Any]:
    """Fields of a frozen record; sequences as lists."""
    return {item.name: _plain(getattr(record, item.name)) for item in fields(record)}


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def basis_state(basis: Any) -> dict[str, Any]:
    """A basis as plain values."""
    if isinstance(basis, TensorProduct):
        return {
            "kind": "TensorProduct", "a": basis_state(basis.a), "b": basis_state(basis.b),
            "n_inputs": basis.n_inputs,
        }  # fmt: skip
    if type(basis).__name__ not in CLASSES or type(basis) is not CLASSES[type(basis).__name__]:
        raise InputError(
            sentence(
                "GaussianAssimilator.state", "basis", f"be one of {', '.join(CLASSES)} or a product of them",
                type(basis).__name__, remedy="Give the statistics_ on, or choose a basis of the room.",
            )
        )  # fmt: skip
    return {"kind": type(basis).__name__, **record_of(basis)}


def basis_from(state: Mapping[str, Any]) -> Any:
    """Build a basis back."""
    values = {name: value for name, value in state.items() if name != "kind"}
    if state["kind"] == "TensorProduct":
        return TensorProduct(basis_from(values["a"]), basis_from(values["b"]), values["n_inputs"])
    return CLASSES[state["kind"]](**values)
