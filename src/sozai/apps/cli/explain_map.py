"""The verb ``explain map``: the peaks of every pixel of an image of spectra."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.peaks_options import (
    MODEL,
    SPECTRUM,
    AxisKindOption,
    BackgroundOption,
    NoiseOption,
    PeaksOption,
    RangeOption,
    ShapeName,
    ShapeOption,
    UnitOption,
)

__all__ = ["explain_map"]

_SHOW, _RUN = "What you get", "Running"


def explain_map(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help=".npz, .h5, .npy with --axis, VAMAS, or a table of spectra."),
    ],
    peaks: PeaksOption = "auto",
    shape: ShapeOption = ShapeName.pseudo_voigt,
    background: BackgroundOption = None,
    noise: NoiseOption = None,
    per_pixel: Annotated[
        bool,
        typer.Option(
            "--per-pixel", help="Every pixel keeps as many of the peaks as it needs.", rich_help_panel=MODEL
        ),
    ] = False,
    window: RangeOption = None,
    axis: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Axis values, one per channel (.npy or text), for .npy files of counts alone.",
            rich_help_panel=SPECTRUM,
        ),
    ] = None,
    axis_kind: AxisKindOption = None,
    unit: UnitOption = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "-o", metavar="FILE", help="Peaks of all pixels: .csv, .tsv, .npz or .h5.", rich_help_panel=_SHOW
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.html, tables and images; finished tiles stay in it while "
            "the map is being fitted.",
            rich_help_panel=_SHOW,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from the finished tiles that --output DIR holds.", rich_help_panel=_RUN
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=_SHOW)
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of everything random.", rich_help_panel=_RUN)
    ] = 0,
    n_jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Threads; the answer does not depend on it.", rich_help_panel=_RUN),
    ] = None,
) -> None:
    """Fit the same peaks in every pixel of an image of spectra: images of position, width and area.

    [dim]sozai explain map image.h5 --peaks 3 --output out/[/dim]
    [dim]sozai explain map cube.npy --axis energies.txt --range 280:295 --output out/ --resume[/dim]
    """
    if n_jobs == 0:
        raise typer.BadParameter("must be 1, 2, ..., or -1 for all. Got 0.", param_hint="--n-jobs")
    from sozai.apps.cli.explain_map_answer import MapQuestion, answer
    from sozai.apps.cli.peaks_reading import SpectrumFile
    from sozai.apps.cli.peaks_words import PeakModel, read_peaks, read_range

    model = PeakModel(
        read_peaks(peaks), shape.value, background, noise, seed=seed, n_jobs=n_jobs, per_pixel=per_pixel
    )
    kind = None if axis_kind is None else axis_kind.value
    how = SpectrumFile(window=read_range(window), axis_kind=kind, unit=unit)
    answer(MapQuestion(file, model, how, axis, table, output, resume, json))
