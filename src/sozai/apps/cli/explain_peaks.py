"""The verb ``explain peaks``: which peaks are behind a spectrum, and how sure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sozai.apps.cli.peaks_options import (
    MODEL,
    SPECTRUM,
    AxisKindOption,
    BackgroundOption,
    Criterion,
    NoiseOption,
    PeaksOption,
    RangeOption,
    ShapeName,
    ShapeOption,
    UnitOption,
)
from sozai.apps.cli.run_options import SHOW, Folder, Jobs, Json, Seed
from sozai.apps.cli.table_options import Decimal, Delimiter, Encoding

__all__ = ["explain_peaks"]


def explain_peaks(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="VAMAS, text in columns, SPECS .xy, Scienta .txt, .xlsx, .npz, .h5."
        ),
    ],
    peaks: PeaksOption = "auto",
    shape: ShapeOption = ShapeName.pseudo_voigt,
    background: BackgroundOption = None,
    noise: NoiseOption = None,
    criterion: Annotated[
        Criterion,
        typer.Option(help="What decides between numbers of peaks.", rich_help_panel=MODEL),
    ] = Criterion.bic,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Start values: columns label, position, fwhm, area, lorentz_fraction; a table of -o does.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    starts: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Starts of every fit; by the number of peaks when left out.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    doublet: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIRST:SECOND:SPLITTING:RATIO",
            help="Peak SECOND lies SPLITTING above peak FIRST, with its width and RATIO of its area (p, d, f "
            "for 1:2, 2:3, 3:4); repeat.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            "--column",
            metavar="NAME",
            help="Label or number of a spectrum in a file with several, such as columns; repeat.",
            rich_help_panel=SPECTRUM,
        ),
    ] = None,
    window: RangeOption = None,
    axis_kind: AxisKindOption = None,
    unit: UnitOption = None,
    saturation: Annotated[
        float | None,
        typer.Option(
            metavar="COUNTS",
            min=0,
            help="Leave out channels with this many counts or more.",
            rich_help_panel=SPECTRUM,
        ),
    ] = None,
    despike: Annotated[
        bool,
        typer.Option(
            "--despike", help="Leave out channels that look like cosmic rays.", rich_help_panel=SPECTRUM
        ),
    ] = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "-o", metavar="TABLE", help="File for the peaks: .csv, .tsv or .xlsx.", rich_help_panel=SHOW
        ),
    ] = None,
    output: Folder = None,
    json: Json = False,
    seed: Seed = 0,
    n_jobs: Jobs = None,
) -> None:
    """Find the peaks of spectra: positions, widths and areas with errors, on a background fitted with them.

    [dim]sozai explain peaks C1s.vms --range 280:295 --output out/[/dim]
    [dim]sozai explain peaks *.csv --peaks 3 --shape voigt --background linear -o peaks.csv[/dim]
    """
    from sozai.apps.cli.peaks_answer import PeaksQuestion, answer
    from sozai.apps.cli.peaks_reading import SpectrumFile
    from sozai.apps.cli.peaks_words import PeakModel, read_peaks, read_range

    signs = {"encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    model = PeakModel(
        read_peaks(peaks), shape.value, background, noise, criterion.value, starts, seed, n_jobs,
        tuple(doublet or ()), saturation or None, despike,
    )  # fmt: skip
    how = SpectrumFile(
        tuple(region or ()),
        read_range(window),
        None if axis_kind is None else axis_kind.value,
        unit,
        {name: sign for name, sign in signs.items() if sign is not None},
    )
    code = answer(PeaksQuestion(tuple(dict.fromkeys(files)), model, how, start, table, output, json))
    if code:
        raise typer.Exit(code)
