"""Region headers of two instruments' text exports: SPECS .xy and Scienta .txt."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.axis_headers import axis_meaning, counts_meaning, plain_unit
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.spectrum_checks import SpectrumWarning

__all__ = ["is_scienta", "is_specs", "read_scienta", "read_specs"]

_SPECS_KEYS = {
    "excitation energy": "photon_energy", "pass energy": "pass_energy", "dwell time": "dwell",
    "eff. workfunction": "work_function", "number of scans": "sweeps", "values/curve": "n_values",
}  # fmt: skip


def is_specs(text: str) -> bool:
    r"""Whether a text is an .xy export of SpecsLab.

    Examples
    --------
    >>> is_specs("# Created by:        SpecsLab Prodigy, Version 4.1\n")
    True
    """
    head = text[:8192]
    return re.match(r"\s*#\s*Created by:\s*Specs", head, re.IGNORECASE) is not None


def is_scienta(text: str) -> bool:
    r"""Whether a text is a .txt export of Scienta's software.

    Examples
    --------
    >>> is_scienta("[Info]\nNumber of Regions=0001\n")
    True
    """
    head = text[:4096].lstrip("\ufeff \r\n")
    return head.startswith("[Info]") and "Number of Regions" in head


# --------------------------------------------------------------------------------------------
# SPECS .xy
# --------------------------------------------------------------------------------------------


def read_specs(text: str, source: Path) -> list[Spectrum]:
    """Spectra of a SPECS .xy export: one per curve, with the header of its region.

    Raises
    ------
    InputError
        Where a line is no row of numbers, or a curve has another number of values than declared.
    """
    settings: dict[str, str] = {}
    region: dict[str, str] = {}
    spectra: list[Spectrum] = []
    rows: list[str] = []
    start = 0
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate([*lines, "#"], start=1):
        bare = line.strip()
        if not bare:
            continue
        if not bare.startswith("#"):
            start = start or number
            rows.append(bare)
            continue
        if rows:
            spectra.append(_specs_curve(rows, start, settings, region, source, len(spectra) + 1))
            rows, start = [], 0
        key, found, value = bare.lstrip("# ").partition(":")
        if key.startswith("Cycle") and found:
            region["cycle"] = bare.lstrip("# ")
        elif found:
            if key.strip().casefold() in ("group", "region"):
                region = {name: kept for name, kept in region.items() if name == "Group"}
            (region if region or key.strip() in ("Group", "Region") else settings)[key.strip()] = (
                value.strip()
            )
    if not spectra:
        _fail(source, "SPECS file", "hold a curve", "none", len(lines))
    return spectra


def _specs_curve(
    rows: list[str], start: int, settings: dict[str, str], region: dict[str, str], source: Path, number: int
) -> Spectrum:
    """One block of rows with the header above it."""
    name = region.get("Region", f"curve {number}")
    values = _numbers(rows, start, f"curve {number} ({name!r})", source)
    fields = {key.casefold(): value for key, value in region.items()}
    declared = _number(fields.get("values/curve", ""))
    if declared is not None and len(values) != declared:
        _fail(
            source, f"curve {number} ({name!r})", f"have the declared {int(declared)} values", len(values),
            start + len(rows) - 1,
        )  # fmt: skip
    labels = region.get("ColumnLabels", "energy counts").split()
    told = _settings(fields, _SPECS_KEYS, f"{source}, line {start}")
    known = {ours: told[theirs] for theirs, ours in _SPECS_KEYS.items()}
    kind = axis_meaning(settings.get("Energy Axis", ""))[0]
    rate = counts_meaning(settings.get("Count Rate", ""))[1] if "Count Rate" in settings else ""
    unit = rate or counts_meaning(labels[1] if len(labels) > 1 else "")[1]
    metadata: dict[str, Any] = {**settings, **region}
    metadata |= {key: known[key] for key in ("pass_energy", "work_function") if known[key] is not None}
    others = {
        (labels[k] if k < len(labels) else f"column {k + 1}"): values[:, k] for k in range(2, values.shape[1])
    }
    return Spectrum(
        values[:, 0], values[:, 1], "eV", kind, name, known["dwell"],
        int(known["sweeps"]) if known["sweeps"] else None, known["photon_energy"], unit,
        metadata=metadata, source=f"{source}, line {start}", variables=others,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------
# Scienta .txt
# --------------------------------------------------------------------------------------------


def read_scienta(text: str, source: Path) -> list[Spectrum]:
    """Spectra of a Scienta .txt export: one per region and slice.

    Raises
    ------
    InputError
        Where the declared number of regions, channels or slices is not what follows, or the rows'
        energies are not the declared scale.
    """
    sections = _sections(text)
    general = _fields(sections.get("Info", (0, []))[1])
    names = [name for name in sections if re.fullmatch(r"Region \d+", name)]
    declared = _number(general.get("Number of Regions", ""))
    if declared is not None and declared != len(names):
        _fail(source, "Scienta file", f"hold the declared {int(declared)} regions", len(names), 1)
    spectra: list[Spectrum] = []
    for name in names:
        spectra += _scienta_region(name.split()[1], sections, source)
    return spectra


def _scienta_region(number: str, sections: dict[str, tuple[int, list[str]]], source: Path) -> list[Spectrum]:
    """All slices of one region."""
    region = _fields(sections[f"Region {number}"][1])
    info = _fields(sections.get(f"Info {number}", (0, []))[1])
    label = region.get("Region Name", f"region {number}")
    start, lines = sections.get(f"Data {number}", (0, []))
    filled = [line for line in lines if line.strip()]
    if not filled:
        _fail(source, f"region {number} ({label!r})", "have data", "none", start)
    values = _numbers(filled, start + 1, f"region {number} ({label!r})", source)
    last = start + len(lines)
    n_channels, n_slices = (_number(region.get(f"Dimension {k} size", "")) for k in (1, 2))
    wanted = (int(n_channels or len(values)), int(n_slices or 1))
    if (len(values), values.shape[1] - 1) != wanted:
        _fail(
            source, f"region {number} ({label!r})",
            f"have the declared {wanted[0]} channels in {wanted[1]} columns",
            f"{len(values)} channels in {values.shape[1] - 1} columns", last,
        )  # fmt: skip
    words = region.get("Dimension 1 scale", "").split()
    scale = np.array([_number(word) for word in words], dtype=np.float64)
    step = abs(values[-1, 0] - values[0, 0]) / max(len(values) - 1, 1)
    if scale.size and (len(scale) != len(values) or np.abs(scale - values[:, 0]).max() > 0.01 * step):
        _fail(source, f"region {number} ({label!r})", "have rows at the declared scale", len(scale), last)
    slices = region.get("Dimension 2 scale", "").split()
    return [
        _scienta_slice(values, k, label, slices, {**region, **info}, f"{source}, line {start + 1}")
        for k in range(wanted[1])
    ]


def _scienta_slice(
    values: NDArray[np.float64], k: int, label: str, slices: Sequence[str], fields: dict[str, str], place: str
) -> Spectrum:
    """One column of a region."""
    kind, unit = axis_meaning(fields.get("Dimension 1 name", ""))
    names = ("Pass Energy", "Excitation Energy", "Step Time", "Number of Sweeps")
    number = _settings(fields, names, place)
    metadata: dict[str, Any] = {
        name: value for name, value in fields.items() if not name.endswith("scale") and value
    }
    if number["Pass Energy"] is not None:
        metadata["pass_energy"] = number["Pass Energy"]
    if len(slices) == values.shape[1] - 1:
        metadata["slice"] = slices[k]
        label = f"{label} {slices[k]}"
    time, sweeps = number["Step Time"], number["Number of Sweeps"]
    return Spectrum(
        values[:, 0], values[:, k + 1], unit or plain_unit("eV"), kind, label,
        None if not time else time / 1000, None if not sweeps else int(sweeps), number["Excitation Energy"],
        metadata=metadata, source=place,
    )  # fmt: skip


def _sections(text: str) -> dict[str, tuple[int, list[str]]]:
    """Line and lines of each ``[name]`` section."""
    sections: dict[str, tuple[int, list[str]]] = {}
    current: list[str] = []
    for number, line in enumerate(text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"), start=1):
        head = re.fullmatch(r"\[([^\[\]]+)\]\s*", line)
        if head:
            current = []
            sections[head.group(1).strip()] = (number, current)
        else:
            current.append(line)
    return sections


def _fields(lines: list[str]) -> dict[str, str]:
    """``name=value`` lines."""
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


# --------------------------------------------------------------------------------------------
# Shared
# --------------------------------------------------------------------------------------------


def _numbers(rows: list[str], start: int, what: str, source: Path) -> NDArray[np.float64]:
    """Rows of numbers as an array; the first row that is none is named."""
    width = len(rows[0].split())
    try:
        values = np.array([row.split() for row in rows], dtype=np.float64)
    except ValueError:
        values = np.zeros((0, 0))
    if values.ndim == 2 and values.size and values.shape[1] >= 2:
        return values
    for k, row in enumerate(rows):
        cells = row.split()
        if len(cells) < 2 or len(cells) != width or any(_number(cell) is None for cell in cells):
            _fail(source, what, f"hold rows of {max(width, 2)} numbers", row, start + k)
    raise AssertionError


def _settings(fields: dict[str, str], names: Iterable[str], place: str) -> dict[str, float | None]:
    """Numbers of the header; what is written but no number stays text in the metadata, with a warning."""
    values = {name: _number(fields.get(name, "")) for name in names}
    odd = [
        f"{name!r} is {fields[name]!r}"
        for name, value in values.items()
        if value is None and fields.get(name)
    ]
    if odd:
        warnings.warn(
            f"read_spectra: {', '.join(odd)}, no number, at {place}; kept as text.",
            SpectrumWarning,
            stacklevel=2,
        )
    return values


def _number(text: str) -> float | None:
    """A number, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _fail(source: Path, what: str, requirement: str, value: object, line: int) -> NoReturn:
    """Raise an error that names line and file."""
    raise InputError(
        sentence(
            "read_spectra", what, requirement, value, at=f"at line {line} of '{source}'",
            remedy="The file may be truncated; export it again.",
        )
    )  # fmt: skip
