"""Experiment and simulation in one model: a few measurements calibrate many calculations."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sozai.assimilation.basis import Basis as Basis
    from sozai.assimilation.basis import Custom as Custom
    from sozai.assimilation.basis import Fourier as Fourier
    from sozai.assimilation.basis import Sine as Sine
    from sozai.assimilation.basis import TensorProduct as TensorProduct
    from sozai.assimilation.basis import parse_basis as parse_basis
    from sozai.assimilation.expectation_maximization import ExpectationMaximization as ExpectationMaximization
    from sozai.assimilation.gaussian import GaussianAssimilator as GaussianAssimilator
    from sozai.assimilation.magnetisation import MagnetisationShape as MagnetisationShape
    from sozai.assimilation.magnetisation import reduced_magnetization as reduced_magnetization
    from sozai.assimilation.paths import OptimumPath as OptimumPath
    from sozai.assimilation.patterns import PatternStatistics as PatternStatistics
    from sozai.assimilation.polynomials import CompositionPolynomial as CompositionPolynomial
    from sozai.assimilation.polynomials import Legendre as Legendre
    from sozai.assimilation.polynomials import Polynomial as Polynomial
    from sozai.assimilation.polynomials import TemperaturePolynomial as TemperaturePolynomial
    from sozai.assimilation.priors import AssimilationPrior as AssimilationPrior
    from sozai.assimilation.priors import GroupOffset as GroupOffset

# The room opens a module when a name of it is first asked for: a basis needs no estimator.
_HOMES = {
    "sozai.assimilation.basis": ("Basis", "Custom", "Fourier", "Sine", "TensorProduct", "parse_basis"),
    "sozai.assimilation.expectation_maximization": ("ExpectationMaximization",),
    "sozai.assimilation.gaussian": ("GaussianAssimilator",),
    "sozai.assimilation.magnetisation": ("MagnetisationShape", "reduced_magnetization"),
    "sozai.assimilation.paths": ("OptimumPath",),
    "sozai.assimilation.patterns": ("PatternStatistics",),
    "sozai.assimilation.polynomials": (
        "CompositionPolynomial",
        "Legendre",
        "Polynomial",
        "TemperaturePolynomial",
    ),
    "sozai.assimilation.priors": ("AssimilationPrior", "GroupOffset"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AssimilationPrior",
    "Basis",
    "CompositionPolynomial",
    "Custom",
    "ExpectationMaximization",
    "Fourier",
    "GaussianAssimilator",
    "GroupOffset",
    "Legendre",
    "MagnetisationShape",
    "OptimumPath",
    "PatternStatistics",
    "Polynomial",
    "Sine",
    "TemperaturePolynomial",
    "TensorProduct",
    "parse_basis",
    "reduced_magnetization",
]


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'sozai.assimilation' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
