"""Options of the verbs that fit peaks: how many, of which shape, on what, and where."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "MODEL",
    "SPECTRUM",
    "AxisKind",
    "AxisKindOption",
    "BackgroundOption",
    "Criterion",
    "NoiseOption",
    "PeaksOption",
    "RangeOption",
    "ShapeName",
    "ShapeOption",
    "UnitOption",
]

MODEL, SPECTRUM = "The model", "The spectrum"
"""Headings of these options in the help."""


class ShapeName(StrEnum):
    """Line shapes."""

    gaussian = "gaussian"
    lorentzian = "lorentzian"
    pseudo_voigt = "pseudo-voigt"
    voigt = "voigt"
    doniach_sunjic = "doniach-sunjic"
    doniach_sunjic_gaussian = "doniach-sunjic-gaussian"
    asymmetric_pseudo_voigt = "asymmetric-pseudo-voigt"
    pearson_vii = "pearson-vii"


class Criterion(StrEnum):
    """What decides how many peaks there are."""

    bic = "bic"
    aic = "aic"
    aicc = "aicc"
    dirichlet = "dirichlet"
    evidence = "evidence"


class AxisKind(StrEnum):
    """What an axis measures."""

    binding = "binding"
    kinetic = "kinetic"
    photon = "photon"
    loss = "loss"
    shift = "shift"
    wavelength = "wavelength"
    angle = "angle"


PeaksOption = Annotated[
    str,
    typer.Option(
        "--peaks",
        metavar="K|LOW:HIGH|auto",
        help="Number of peaks; auto tries 0 to 6, LOW:HIGH these, and the criterion decides.",
        rich_help_panel=MODEL,
    ),
]
ShapeOption = Annotated[ShapeName, typer.Option(help="Line shape of every peak.", rich_help_panel=MODEL)]
BackgroundOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="none, constant, linear, polynomial:DEGREE, exponential, bspline:SECTIONS, shirley, tougaard, "
        "or several joined by +; signed-constant and signed-linear may go below zero. Left out: "
        "constant+shirley on an electron energy axis, else linear.",
        rich_help_panel=MODEL,
    ),
]
NoiseOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="poisson, poisson:GAIN (size of one count), gaussian, gaussian:SIGMA or robust; found when "
        "left out.",
        rich_help_panel=MODEL,
    ),
]
RangeOption = Annotated[
    str | None,
    typer.Option(
        "--range", metavar="LOW:HIGH", help="Part of the axis; an end may be left out.",
        rich_help_panel=SPECTRUM,
    ),
]  # fmt: skip
AxisKindOption = Annotated[
    AxisKind | None,
    typer.Option(
        help="What the axis measures, if the file does not say. binding turns kinetic energies into binding "
        "energies where the file knows the photon energy.",
        rich_help_panel=SPECTRUM,
    ),
]
UnitOption = Annotated[
    str | None,
    typer.Option(
        metavar="UNIT", help="Unit of the axis, if the file does not say.", rich_help_panel=SPECTRUM
    ),
]
