"""From a file of an image of spectra to the peaks of every pixel; a run that was stopped goes on."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.compiling import told_when_compiling
from sozai.apps.cli.formula_places import check_result_folder, check_result_place, check_text_table
from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.peaks_fitting import fit_cube
from sozai.apps.cli.peaks_reading import SpectrumFile, refuse_empty_range
from sozai.apps.cli.peaks_words import PeakModel, in_peak_words, read_background, read_noise
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.spectra.spectrum import SpectrumMap

__all__ = ["MapAnswer", "MapQuestion", "answer", "cut_channels", "read_cube"]

_NAME = ".resume"


@dataclass(frozen=True)
class MapQuestion:
    """Options of ``sozai explain map`` as they were given.

    Examples
    --------
    >>> MapQuestion(Path("image.h5"), PeakModel((3, 3))).resume
    False
    """

    file: Path
    model: PeakModel
    how: SpectrumFile = field(default_factory=SpectrumFile)
    axis: Path | None = None
    table: Path | None = None
    output: Path | None = None
    resume: bool = False
    json: bool = False

    @property
    def store(self) -> Path | None:
        """Where finished tiles are kept until the answer is there."""
        return None if self.output is None else self.output / _NAME


@dataclass
class MapAnswer:
    """Peaks of every pixel of one file.

    Attributes
    ----------
    question : MapQuestion
    cube : SpectrumMap
        What was fitted, after cutting the axis.
    found : PeakMap
    background : str
    notes : list of str
    seconds : float
    """

    question: MapQuestion
    cube: SpectrumMap
    found: Any
    background: str
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def answer(question: MapQuestion) -> None:
    """Answer on the terminal, as JSON and into files."""
    from sozai.apps.cli.explain_map_output import deliver

    start = time.perf_counter()
    read_background(question.model.background_on(None))
    read_noise(question.model.noise)
    _check_peaks(question)
    check_text_table("-o", question.table, also=(".npz", ".h5"))
    check_result_place("-o", question.table, (question.file, question.axis), "pixels.csv")
    check_result_folder(question.output)
    _check_store(question)
    with collected_warnings() as notes:
        try:
            result = _find(question)
        except InputError as error:
            if isinstance(error, UsageError):
                raise
            raise InputError(in_peak_words(str(error))) from None
        except KeyboardInterrupt:
            if question.store is not None and question.store.exists():
                sys.stderr.write(
                    f"Finished tiles are kept in {question.store}: --resume goes on from there.\n"
                )
            raise
    result.seconds = time.perf_counter() - start
    told = (*getattr(result.found, "notes", ()), *notes)
    result.notes = list(dict.fromkeys(in_peak_words(note) for note in told))
    if result.cube.n_spectra == 1:
        result.notes.append("This is one spectrum: sozai explain peaks says more about it.")
    deliver(result)
    if question.store is not None:
        shutil.rmtree(question.store, ignore_errors=True)


def read_cube(question: MapQuestion) -> SpectrumMap:
    """Read the image with its axis, as it was said to be, cut to the range."""
    from sozai.spectra.axis_files import read_axis
    from sozai.spectra.files import read_map

    given = None if question.axis is None else read_axis(question.axis)
    cube = read_map(question.file, axis=None if given is None else given.values)
    how = question.how
    if given is not None:
        cube = replace(
            cube, unit=cube.unit if given.unit is None else given.unit,
            axis_kind=cube.axis_kind if given.kind is None else given.kind,
        )  # fmt: skip
    if how.unit is not None:
        cube = replace(cube, unit=how.unit)
    if how.axis_kind == "binding" and cube.axis_kind == "kinetic":
        turned = cube.spectrum(*(0,) * len(cube.shape)).to_binding()
        cube = replace(cube, axis=turned.axis, axis_kind="binding", unit="eV")
    elif how.axis_kind is not None:
        cube = replace(cube, axis_kind=how.axis_kind)
    return cube if how.window is None else cut_channels(cube, *how.window)


def cut_channels(cube: SpectrumMap, low: float, high: float) -> SpectrumMap:
    """Channels between two axis values, read from disk only when they are needed."""
    import numpy as np

    inside = (cube.axis >= low) & (cube.axis <= high)
    refuse_empty_range(cube, inside, low, high)
    return replace(cube, axis=cube.axis[inside], counts=_Channels(cube.counts, np.flatnonzero(inside)))


class _Channels:
    """Some channels of an image that stays where it is.

    Parameters
    ----------
    counts : array-like of shape (..., n_channels)
    channels : ndarray of int
    """

    def __init__(self, counts: Any, channels: Any):
        self._counts, self._channels = counts, channels
        self.shape = (*counts.shape[:-1], len(channels))
        self.dtype = counts.dtype
        self.ndim = len(self.shape)

    def __getitem__(self, pixels: Any) -> Any:
        import numpy as np

        return np.asarray(self._counts[pixels])[..., self._channels]


def _find(question: MapQuestion) -> MapAnswer:
    """Read and fit; the fit shows its own progress on a terminal."""
    with progress_console().status("reading the image", spinner="line"):
        cube = read_cube(question)
    background = question.model.background_on(cube.axis_kind)
    with told_when_compiling(_say_on_terminal):
        found = fit_cube(cube, question.model, background, question.store)
    return MapAnswer(question, cube, found, background)


def _say_on_terminal(text: str) -> None:
    """One line on stderr for whoever waits there."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{text[0].upper()}{text[1:]}.\n")


def _check_peaks(question: MapQuestion) -> None:
    """Refuse an image without peaks, of which nothing could be drawn."""
    if question.model.peaks[1] == 0:
        raise UsageError(
            sentence(
                "--peaks", "K", "be at least 1 for an image", "0",
                remedy="Use sozai explain peaks to fit a background alone.",
            )
        )  # fmt: skip


def _check_store(question: MapQuestion) -> None:
    """Refuse to resume from nowhere, and to overwrite the tiles of a run that was stopped."""
    if question.resume and question.store is None:
        raise UsageError(
            sentence(
                "--resume", "the option", "come with --output DIR, which keeps the finished tiles", None,
                remedy="Name the folder of the run that was stopped.",
            )
        )  # fmt: skip
    if question.store is not None and question.store.exists() and not question.resume:
        raise InputError(
            sentence(
                "--output", "DIR", "hold no tiles of a run that was stopped", str(question.store),
                remedy="Add --resume to go on from them, or remove that folder to begin anew.",
            )
        )  # fmt: skip
