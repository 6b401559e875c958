"""Peaks of an image of spectra as a folder: report.html, a summary, arrays, one sheet of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.explain_map_output import counted_peaks, status_counts, summary_table, summary_text
from sozai.apps.cli.peaks_report import cite_section
from sozai.contracts.tables import write_table
from sozai.displays.peak_images_display import PeakImagesDisplay
from sozai.displays.style import save_figure
from sozai.study.report import Report

if TYPE_CHECKING:
    from sozai.apps.cli.explain_map_answer import MapAnswer

__all__ = ["write_folder"]

_CAPTION = (
    "Each image has its own colors, from the 1 % to the 99 % quantile; gray is no value. The deviance is "
    "near 1 where peaks and background describe the counts. All arrays are in peaks.npz."
)


def write_folder(result: MapAnswer, folder: Path) -> None:
    """Write report.html, summary.csv, the arrays as peaks.npz, and all images on one sheet as PNG and SVG."""
    sheet = PeakImagesDisplay.from_map(result.found).to_figure()
    _report(result, sheet).write(folder / "report.html")
    write_table(summary_table(result), folder / "summary.csv")
    result.found.write(folder / "peaks.npz")
    (folder / "figures").mkdir()
    for ending in ("png", "svg"):
        save_figure(sheet, folder / "figures" / f"peaks.{ending}")


def _report(result: MapAnswer, sheet: Any) -> Report:
    """Page with images, summary, status and settings."""
    cube, question, found = result.cube, result.question, result.found
    size = " x ".join(str(k) for k in cube.shape)
    report = Report(
        "Peaks of an image", lead=f"{size} spectra of {question.file.name}: {counted_peaks(result)}."
    )
    counts = status_counts(found)
    report.section("How it went").facts(
        {"spectra": cube.n_spectra, **{name.replace("_", " "): count for name, count in counts.items()}}
    )
    report.section("All pixels").figure(sheet, _CAPTION)
    report.section("All numbers", "Median over the pixels, and the range of 90 in 100 of them.")
    report.table(summary_text(result), caption="The error is the median of the standard errors of a pixel.")
    _settings_section(report, result)
    cite_section(report, ["SpectrumMapPeaks", "PeakMixture"])
    if result.notes:
        report.section("Notes")
        for note in result.notes:
            report.note(note)
    return report


def _settings_section(report: Report, result: MapAnswer) -> None:
    """Everything that decides the numbers."""
    model, window = result.question.model, result.question.how.window
    low, high = model.peaks
    report.section("Settings").facts(
        {
            "peaks": str(low) if model.is_given else "found" if model.is_open else f"{low} to {high}",
            "in every pixel": "0 to all of them, by BIC" if model.chooses else "all of them",
            "line shape": model.shape,
            "background": result.background,
            "noise": model.noise or "found from the counts",
            "range": "whole axis" if window is None else f"{window[0]:g} to {window[1]:g}",
            "seed": model.seed,
        }
    )
