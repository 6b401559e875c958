"""Spectra of the files named: which regions, which part of the axis, and start values from a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import pandas as pd

    from sozai.spectra.spectrum import Spectrum

__all__ = [
    "SpectrumFile", "in_range", "on_axis", "read_file", "read_starts", "refuse_empty_range", "rows_for",
]  # fmt: skip


@dataclass(frozen=True)
class SpectrumFile:
    """How the spectra of a file are read.

    Attributes
    ----------
    regions : tuple of str
        Labels or numbers, counted from 1; all spectra when empty.
    window : (low, high) or None
        Part of the axis.
    axis_kind, unit : str or None
        What the axis measures and its unit, where the file does not say.
    text : mapping
        Encoding, delimiter and decimal sign of text files.

    Examples
    --------
    >>> SpectrumFile(regions=("C 1s",)).window is None
    True
    """

    regions: tuple[str, ...] = ()
    window: tuple[float, float] | None = None
    axis_kind: str | None = None
    unit: str | None = None
    text: Mapping[str, str] = field(default_factory=dict)


def read_file(path: Path, how: SpectrumFile) -> tuple[list[Spectrum], bool]:
    """Spectra of one file that were asked for, and whether the file holds several."""
    from sozai.spectra.files import read_spectra

    spectra = read_spectra(path, **how.text)
    chosen = _regions(spectra, how.regions, path)
    return [on_axis(spectrum, how) for spectrum in chosen], len(spectra) > 1


def on_axis(spectrum: Spectrum, how: SpectrumFile) -> Spectrum:
    """Spectrum with what was said about its axis; a kinetic axis asked to be binding is turned over."""
    if how.unit is not None:
        _warn_of_other("--unit", spectrum.unit, how.unit)
        spectrum = replace(spectrum, unit=how.unit)
    if how.axis_kind == "binding" and spectrum.axis_kind == "kinetic":
        return spectrum.to_binding()
    _warn_of_other("--axis-kind", spectrum.axis_kind, how.axis_kind)
    return spectrum if how.axis_kind is None else replace(spectrum, axis_kind=how.axis_kind)


def _warn_of_other(option: str, told: str | None, asked: str | None) -> None:
    """Say where an option replaces what the file itself says."""
    if None not in (told, asked) and told != asked:
        warnings.warn(f"{option} {asked} replaces {told!r}, which the file says.", UserWarning, stacklevel=3)


def in_range(spectrum: Spectrum, window: tuple[float, float] | None) -> Spectrum:
    """Part of the axis that was asked for; the message names the whole of it."""
    if window is None:
        return spectrum
    low, high = window
    inside = (spectrum.axis >= low) & (spectrum.axis <= high)
    refuse_empty_range(spectrum, inside, low, high)
    return spectrum.with_range(low, high)


def refuse_empty_range(data: Any, inside: Any, low: float, high: float) -> None:
    """Refuse a range with no channel of a spectrum or of an image inside; say where its axis runs."""
    if not inside.any():
        unit = f" {data.unit}" if data.unit else ""
        raise InputError(
            sentence(
                "--range", "LOW:HIGH", "hold a part of the axis", f"{low:g}:{high:g}",
                remedy=f"The axis runs from {data.axis.min():.6g} to {data.axis.max():.6g}{unit}.",
            )
        )  # fmt: skip


def _regions(spectra: Sequence[Spectrum], wanted: Sequence[str], path: Path) -> list[Spectrum]:
    """Spectra with these labels or numbers, in the order asked for."""
    if not wanted:
        return list(spectra)
    chosen: list[Spectrum] = []
    for name in wanted:
        found = [spectrum for spectrum in spectra if _plain(spectrum.label) == _plain(name)]
        if not found and name.isdecimal() and 1 <= int(name) <= len(spectra):
            found = [spectra[int(name) - 1]]
        if not found:
            labels = ", ".join(f"{k + 1} {spectrum.label!r}" for k, spectrum in enumerate(spectra[:12]))
            raise InputError(
                sentence(
                    "--region", "NAME", f"be a label or number of the {_spectra(len(spectra))}", name,
                    at=f"in '{path}'", remedy=f"It holds {labels}{', ...' if len(spectra) > 12 else ''}.",
                )
            )  # fmt: skip
        chosen += found
    return chosen


def _spectra(number: int) -> str:
    return f"{number} spectra" if number > 1 else "only spectrum"


def _plain(text: str) -> str:
    """Label without spaces and case: ``C1s`` is ``C 1s``."""
    return "".join(text.split()).casefold()


# --- start values ------------------------------------------------------------------------------------


def read_starts(path: Path | None) -> pd.DataFrame | None:
    """Table of start values: a row for every peak, with position, width and what else is known.

    A table that ``-o`` wrote is one: its columns ``file`` and ``region`` say where each row belongs. Where
    all rows are of one spectrum, they are the start of every other one too.
    """
    if path is None:
        return None
    import numpy as np

    from sozai.contracts.tables import read_table

    frame = read_table(path).frame
    frame = frame.rename(columns={name: str(name).strip().lower() for name in frame.columns})
    lacking = [name for name in ("position", "fwhm") if name not in frame.columns]
    if lacking:
        raise InputError(
            sentence(
                "--start", "FILE", f"have a column '{lacking[0]}'", list(frame.columns), at=f"in '{path}'",
                remedy="Name its columns label, position, fwhm, area, lorentz_fraction.",
            )
        )  # fmt: skip
    for name in ("position", "fwhm", "area", "lorentz_fraction"):
        if name in frame.columns and not _is_number(frame[name]):
            raise InputError(
                sentence(
                    "--start", f"column {name!r}", "hold numbers", frame[name].iloc[0], at=f"in '{path}'",
                    remedy="Write one number in every row.",
                )
            )  # fmt: skip
    known = np.isfinite(frame[["position", "fwhm"]].to_numpy(dtype=np.float64)).all(axis=1)
    if not known.all() or not len(frame):
        raise InputError(
            sentence(
                "--start", "columns 'position' and 'fwhm'", "hold a number in every row",
                None if len(frame) else "no rows", at=f"in '{path}'", remedy="Remove rows without a peak.",
            )
        )  # fmt: skip
    return frame.reset_index(drop=True)


def rows_for(starts: pd.DataFrame | None, file: Path, region: str) -> pd.DataFrame | None:
    """Rows of the start table for one spectrum; None without a table."""
    if starts is None:
        return None
    rows = starts
    if _of_one_spectrum(starts):
        _warn_of_other_start(starts, file)
        return starts
    if "file" in rows.columns:
        own = rows["file"].astype(str).map(lambda name: Path(name).name) == file.name
        rows = rows[own] if own.any() else rows[rows["file"].isna()]
    if "region" in rows.columns and rows["region"].notna().any():
        own = rows["region"].fillna("").astype(str).map(_plain) == _plain(region)
        rows = rows[own]
    if not len(rows):
        raise InputError(
            sentence(
                "--start", "FILE", f"have a row for '{file.name}', {region!r}", "none",
                remedy="Leave its columns file and region out to use the same start for all spectra.",
            )
        )  # fmt: skip
    return rows.reset_index(drop=True)


def _of_one_spectrum(starts: pd.DataFrame) -> bool:
    """Whether all rows are peaks of the same spectrum."""
    told = [name for name in ("file", "region") if name in starts.columns]
    return bool(told) and len(starts[told].drop_duplicates()) == 1


def _warn_of_other_start(starts: pd.DataFrame, file: Path) -> None:
    """Say where start values come from another file."""
    source = starts["file"].iloc[0] if "file" in starts.columns else None
    if isinstance(source, str) and Path(source).name != file.name:
        warnings.warn(f"Start values are those of '{Path(source).name}'.", UserWarning, stacklevel=3)


def _is_number(column: Any) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return bool(is_numeric_dtype(column) and not is_bool_dtype(column))
