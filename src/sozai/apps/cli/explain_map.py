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
    RangeOption,
    ShapeName,
    ShapeOption,
    UnitOption,
)
from sozai.apps.cli.run_options import RUN, SHOW, Jobs, Json, Seed

__all__ = ["explain_map"]


def explain_map(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help=".npz, .h5, .npy with --axis, VAMAS, or a table of spectra."),
    ],
    peaks: Annotated[
        str,
        typer.Option(
            metavar="K|LOW:HIGH|auto",
            help="Number of peaks: K in every pixel; auto finds 0 to 8, LOW:HIGH these, of which every pixel "
            "keeps as many as it needs.",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    shape: ShapeOption = ShapeName.pseudo_voigt,
    background: BackgroundOption = None,
    noise: NoiseOption = None,
    per_pixel: Annotated[
        bool,
        typer.Option(
            "--per-pixel",
            help="Every pixel keeps 0 to all of --peaks K, by BIC; so it is anyway where K is left out.",
            rich_help_panel=MODEL,
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
            "-o", metavar="FILE", help="Peaks of all pixels: .csv, .tsv, .npz or .h5.", rich_help_panel=SHOW
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.html, tables and images; finished tiles stay in it while "
            "the map is being fitted.",
            rich_help_panel=SHOW,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from the finished tiles that --output DIR holds.", rich_help_panel=RUN
        ),
    ] = False,
    json: Json = False,
    seed: Seed = 0,
    n_jobs: Jobs = None,
) -> None:
    """Fit the same peaks in every pixel of an image of spectra: images of position, width and area.

    [dim]sozai explain map image.h5 --output out/[/dim]
    [dim]sozai explain map cube.npy --axis energies.txt --range 280:295 --output out/ --resume[/dim]
    """
    from sozai.apps.cli.explain_map_answer import MapQuestion, answer
    from sozai.apps.cli.peaks_reading import SpectrumFile
    from sozai.apps.cli.peaks_words import PeakModel, read_peaks, read_range

    model = PeakModel(
        read_peaks(peaks), shape.value, background, noise, seed=seed, n_jobs=n_jobs, per_pixel=per_pixel
    )
    kind = None if axis_kind is None else axis_kind.value
    how = SpectrumFile(window=read_range(window), axis_kind=kind, unit=unit)
    answer(MapQuestion(file, model, how, axis, table, output, resume, json))
