"""Everything about a spectrum that is no array, as JSON text and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.noise import GaussianNoise, Noise, PoissonNoise, RobustNoise
from sozai.spectra.spectrum import Spectrum, SpectrumMap

__all__ = ["FORMAT", "attributes_text", "fields_of"]

FORMAT = 1
"""Version of our layout in .npz and HDF5 files, and the newest that is read."""

_FIELDS = (
    "unit", "axis_kind", "label", "dwell", "sweeps", "photon_energy", "counts_unit", "source",
)  # fmt: skip
_NOISES = {noise.__name__: noise for noise in (PoissonNoise, GaussianNoise, RobustNoise)}


def attributes_text(thing: Spectrum | SpectrumMap) -> str:
    """Fields, noise and metadata as JSON.

    Raises
    ------
    InputError
        For metadata that is neither a number, text, truth value, None, list nor mapping of these.

    Examples
    --------
    >>> attributes_text(Spectrum([1.0], [2.0], "eV"))[:40]
    '{"format": 1, "unit": "eV", "axis_kind":'
    """
    held: dict[str, Any] = {"format": FORMAT, **{name: getattr(thing, name) for name in _FIELDS}}
    held["noise"] = _noise_dict(thing.noise)
    held["metadata"] = {str(name): _plain(value, str(name)) for name, value in thing.metadata.items()}
    return json.dumps(held, ensure_ascii=False, allow_nan=False)


def fields_of(text: str, source: str) -> dict[str, Any]:
    """Keyword arguments of a spectrum from its JSON.

    Examples
    --------
    >>> fields_of(attributes_text(Spectrum([1.0], [2.0], "eV", noise=PoissonNoise(2.5))), "a.npz")["noise"]
    PoissonNoise(gain=2.5, read=0.0)
    """
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict) or not isinstance(held.get("format"), int):
        raise InputError(
            sentence("read_spectra", "attrs", "be written by write_spectra", text[:40], at=f"in '{source}'")
        )
    if held["format"] > FORMAT:
        raise InputError(
            sentence(
                "read_spectra", "file", f"be of format {FORMAT} or older", held["format"],
                at=f"in '{source}'", remedy="Update sozai.",
            )
        )  # fmt: skip
    fields = {name: held.get(name) for name in _FIELDS}
    noise = held.get("noise")
    fields["noise"] = None if noise is None else _NOISES[noise["kind"]](**noise["values"])
    fields["metadata"] = held.get("metadata", {})
    return fields


def _noise_dict(noise: Noise | None) -> dict[str, Any] | None:
    """Kind and parameters."""
    if noise is None:
        return None
    values = {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for name, value in vars(noise).items()
    }
    return {"kind": type(noise).__name__, "values": values}


def _plain(value: Any, place: str) -> Any:
    """A value that JSON knows."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part, place) for part in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(part, f"{place}.{name}") for name, part in value.items()}
    raise InputError(
        sentence(
            "write_spectra", f"metadata {place!r}", "be numbers, text or lists of these",
            type(value).__name__, remedy="Turn it into text, or put an array into variables.",
        )
    )  # fmt: skip
