"""Options of the verbs that fit peaks: how many, of which shape, on what, and where."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "MODEL",
    "RUN",
    "SHOW",
    "SPECTRUM",
    "AxisKind",
    "AxisKindOption",
    "BackgroundOption",
    "Criterion",
    "JobsOption",
    "JsonOption",
    "NoiseOption",
    "OutputOption",
    "PeaksOption",
    "RangeOption",
    "SeedOption",
    "ShapeName",
    "ShapeOption",
    "UnitOption",
]

MODEL, SPECTRUM, SHOW, RUN = "The model", "The spectrum", "What you get", "Running"
"""Headings of these options in the help."""


def _jobs(n_jobs: int | None) -> int | None:
    """Refuse 0 threads."""
    if n_jobs == 0:
        raise typer.BadParameter("must be 1, 2, ..., or -1 for all. Got 0.")
    return n_jobs


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
OutputOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder for report.html, tables, curves and figures.", rich_help_panel=SHOW
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=SHOW)]
SeedOption = Annotated[
    int, typer.Option(metavar="N", min=0, help="Seed of everything random.", rich_help_panel=RUN)
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Threads; the answer does not depend on it.", callback=_jobs, rich_help_panel=RUN
    ),
]
