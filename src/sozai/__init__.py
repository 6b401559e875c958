"""Materials informatics in one house: each room answers one question about your data."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_ROOMS = (
    "assimilation",
    "composition",
    "contracts",
    "datasets",
    "displays",
    "numerics",
    "proposals",
    "spectra",
    "study",
    "symbolic",
)

__all__ = ["__version__", "cite", "show_versions", *_ROOMS]

if TYPE_CHECKING:
    from sozai import assimilation as assimilation
    from sozai import composition as composition
    from sozai import contracts as contracts
    from sozai import datasets as datasets
    from sozai import displays as displays
    from sozai import numerics as numerics
    from sozai import proposals as proposals
    from sozai import spectra as spectra
    from sozai import study as study
    from sozai import symbolic as symbolic
    from sozai.contracts.citations import cite as cite
    from sozai.contracts.versions import show_versions as show_versions


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return importlib.import_module(f"sozai.{name}")
    if name == "cite":
        return importlib.import_module("sozai.contracts.citations").cite
    if name == "show_versions":
        return importlib.import_module("sozai.contracts.versions").show_versions
    raise AttributeError(f"module 'sozai' has no attribute {name!r}. Rooms are: {', '.join(_ROOMS)}.")


def __dir__() -> list[str]:
    return sorted(__all__)
