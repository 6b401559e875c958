"""Peaks of an image of spectra as a folder: report.html, a summary, arrays, images."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.explain_map_output import parameter_unit, status_counts, summary_table
from sozai.apps.cli.peaks_report import cite_section
from sozai.contracts.tables import write_table
from sozai.displays.peak_map_display import PeakMapDisplay
from sozai.study.report import Report

if TYPE_CHECKING:
    from sozai.apps.cli.explain_map_answer import MapAnswer

__all__ = ["write_folder"]

_DRAWN = ("position", "fwhm", "area")
_N_DRAWN = 6  # peaks with images in the page; the folder has those of all


def write_folder(result: MapAnswer, folder: Path) -> None:
    """Write report.html, summary.csv, the arrays as peaks.npz, and every image as PNG and SVG."""
    figures = _figures(result)
    _report(result, figures).write(folder / "report.html")
    write_table(summary_table(result), folder / "summary.csv")
    result.found.write(folder / "peaks.npz")
    (folder / "figures").mkdir()
    for name, display in figures.items():
        file = re.sub(r"[^\w.+=-]+", "_", name)
        for ending in ("png", "svg"):
            display.save(folder / "figures" / f"{file}.{ending}")


def _figures(result: MapAnswer) -> dict[str, Any]:
    """Images by name: position, width and area of every peak, and how well the fit describes every pixel."""
    found = result.found
    drawn = [(label, name) for label in found.labels for name in _DRAWN if name in found.parameters]
    figures = {
        f"{label}.{name}": PeakMapDisplay.from_map(
            found, f"{label}.{name}", unit=parameter_unit(found, label, name)
        )
        for label, name in drawn
    }
    quality = PeakMapDisplay(found.image("reduced_deviance"), name="deviance per degree of freedom")
    return {**figures, "reduced_deviance": quality}


def _report(result: MapAnswer, figures: dict[str, Any]) -> Report:
    """Page with images, summary, status and settings."""
    cube, question, found = result.cube, result.question, result.found
    size = " x ".join(str(k) for k in cube.shape)
    report = Report("Peaks of an image", lead=f"{size} spectra of {question.file.name}.")
    counts = status_counts(found)
    report.section("How it went").facts(
        {"spectra": cube.n_spectra, **{name.replace("_", " "): count for name, count in counts.items()}}
    )
    report.figure(figures["reduced_deviance"], "Near 1 where peaks and background describe the counts.")
    for label in found.labels[:_N_DRAWN]:
        report.section(f"Peak {label}" if not label.startswith("peak") else label.capitalize())
        own = [name for name in figures if name.rpartition(".")[0] == label]
        report.figures([(figures[name], name) for name in own])
    if len(found.labels) > _N_DRAWN:
        report.text(f"Images of {len(found.labels) - _N_DRAWN} more peaks are in the folder figures.")
    report.section("All numbers", "Median over the pixels, and the range of 90 in 100 of them.")
    report.table(summary_table(result), caption="The error is the median of the standard errors.")
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
            "peaks": str(low) if model.is_given else f"{low} to {high}, chosen on the sum",
            "line shape": model.shape,
            "background": result.background,
            "noise": model.noise or "found from the counts",
            "range": "whole axis" if window is None else f"{window[0]:g} to {window[1]:g}",
            "seed": model.seed,
        }
    )
