"""From files of spectra to their peaks: read, fit one after another, keep what failed apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.compiling import told_when_compiling
from sozai.apps.cli.formula_places import check_result_folder, check_result_place, check_text_table
from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.peaks_fitting import fit_spectrum
from sozai.apps.cli.peaks_reading import SpectrumFile, in_range, read_file, read_starts, rows_for
from sozai.apps.cli.peaks_words import PeakModel, in_peak_words, read_background, read_doublets, read_noise
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, MissingPackageError, sentence
from sozai.contracts.optional import need

if TYPE_CHECKING:
    from sozai.spectra.spectrum import Spectrum

__all__ = ["FittedSpectrum", "PeaksAnswer", "PeaksQuestion", "answer"]


@dataclass(frozen=True)
class PeaksQuestion:
    """Options of ``sozai explain peaks`` as they were given.

    Examples
    --------
    >>> PeaksQuestion((Path("C1s.csv"),), PeakModel((0, 6))).json
    False
    """

    files: tuple[Path, ...]
    model: PeakModel
    how: SpectrumFile = field(default_factory=SpectrumFile)
    start: Path | None = None
    table: Path | None = None
    output: Path | None = None
    json: bool = False


@dataclass
class FittedSpectrum:
    """Peaks of one spectrum.

    Attributes
    ----------
    file : Path
    region : str
        Label of the spectrum.
    several : bool
        Whether the file holds more than this one.
    fit : PeakFit
    count : PeakCount or None
        How the number of peaks was chosen; None where it was given.
    model : PeakModel
        What was asked for.
    background : str
        Name of the background that was fitted.
    notes : list of str
    """

    file: Path
    region: str
    several: bool
    fit: Any
    count: Any
    model: PeakModel
    background: str
    notes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """File, and region where the file has several."""
        return f"{self.file.name}, {self.region}" if self.several else self.file.name


@dataclass
class PeaksAnswer:
    """Everything found for one question about peaks.

    Attributes
    ----------
    question : PeaksQuestion
    spectra : list of FittedSpectrum
    failures : list of dict
        ``{"file", "message"}`` of what could not be fitted.
    notes : list of str
    seconds : float
    """

    question: PeaksQuestion
    spectra: list[FittedSpectrum] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def answer(question: PeaksQuestion) -> int:
    """Answer on the terminal, as JSON and into files; return the exit code.

    Returns
    -------
    int
        0, or 3 where some of several spectra failed.
    """
    from sozai.apps.cli.peaks_output import deliver

    start = time.perf_counter()
    read_background(question.model.background_on(None))  # a wrong word is told before any file is read
    read_noise(question.model.noise)
    if question.start is None:
        read_doublets(question.model.doublets, question.model.peaks[0] if question.model.is_given else 0)
    check_text_table("-o", question.table, also=(".xlsx",))
    if question.table is not None and question.table.suffix.lower() == ".xlsx":
        need("openpyxl", for_="writing .xlsx files")
    check_result_place("-o", question.table, (*question.files, question.start), "peaks.csv")
    check_result_folder(question.output)
    found = PeaksAnswer(question)
    with collected_warnings() as notes:
        _fit_all(found)
    found.seconds = time.perf_counter() - start
    found.notes = list(dict.fromkeys([*(in_peak_words(note) for note in notes), *found.notes]))
    deliver(found)
    return 3 if found.failures else 0


def _fit_all(found: PeaksAnswer) -> None:
    """Fit every spectrum; one file with one spectrum fails loudly, others one by one."""
    question = found.question
    starts = read_starts(question.start)
    with (
        progress_console().status("reading the spectra", spinner="line") as status,
        told_when_compiling(status.update),
    ):
        waiting = _read_all(found)
        for k, (file, spectrum, several) in enumerate(waiting):
            status.update(f"fitting {k + 1} of {len(waiting)}: {spectrum.label or file.name}")
            with _kept_apart(found, f"{file}, {spectrum.label}" if several else str(file), len(waiting)):
                rows = rows_for(starts, file, spectrum.label)
                found.spectra.append(_fit_one(question, file, spectrum, several, rows))


def _read_all(found: PeaksAnswer) -> list[tuple[Path, Spectrum, bool]]:
    """Spectra of all files; a file that cannot be read is a failure among several."""
    waiting = []
    for file in found.question.files:
        with _kept_apart(found, str(file), 1):
            spectra, several = read_file(file, found.question.how)
            waiting += [(file, spectrum, several) for spectrum in spectra]
    return waiting


@contextmanager
def _kept_apart(found: PeaksAnswer, name: str, n_spectra: int) -> Iterator[None]:
    """Keep a failure among several files or spectra; let a single one speak for itself."""
    try:
        yield
    except UsageError:
        raise
    except (InputError, MissingPackageError, OSError, ArithmeticError) as error:
        message = in_peak_words(str(error))
        if len(found.question.files) == 1 and n_spectra <= 1:
            raise (InputError(message) if isinstance(error, InputError) else error) from None
        found.failures.append({"file": name, "message": message})


def _fit_one(
    question: PeaksQuestion, file: Path, spectrum: Spectrum, several: bool, rows: Any
) -> FittedSpectrum:
    """Peaks of one spectrum, with everything that was warned about on the way."""
    model = question.model
    part = in_range(spectrum, question.how.window)
    if rows is not None and model.is_given and len(rows) != model.peaks[0]:
        raise UsageError(
            sentence(
                "--start", "FILE", f"have as many rows as --peaks asks for ({model.peaks[0]})", len(rows),
                remedy="Leave --peaks out: the rows say how many.",
            )
        )  # fmt: skip
    background = model.background_on(part.axis_kind)
    with collected_warnings() as warned:
        fit, count = fit_spectrum(part, model, background, rows)
    notes = [in_peak_words(note) for note in (*fit.notes, *(() if count is None else count.notes), *warned)]
    notes += _floor_notes(fit, background)
    region, notes = spectrum.label or file.stem, list(dict.fromkeys(notes))
    return FittedSpectrum(file, region, several, fit, count, model, background, notes)


def _floor_notes(fit: Any, background: str) -> list[str]:
    """What to do where counts go below zero and the background must not."""
    levels = [value for name, (value, _) in fit.background.items() if not name.startswith("step")]
    if "signed-" in background or not (fit.counts < 0.0).any() or all(levels):
        return []
    return [
        (
            "Some counts are negative and the background is held at zero from below: areas may be too small. "
            "Give --background signed-constant or signed-linear."
        )
    ]
