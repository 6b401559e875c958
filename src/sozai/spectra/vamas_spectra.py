"""Blocks of a VAMAS file as spectra or a map, and spectra as blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.tables import Repair, Repairs
from sozai.spectra.axis_headers import axis_meaning, counts_meaning, plain_unit
from sozai.spectra.spectrum import Spectrum, SpectrumMap
from sozai.spectra.vamas import ITEMS_AFTER, ITEMS_BEFORE, MISSING, VamasBlock, VamasFile, item_stands

__all__ = ["map_of", "spectra_of", "vamas_of"]

_LARGEST = 0.999 * MISSING
_AXIS_LABELS = {
    "binding": "binding energy", "kinetic": "kinetic energy", "photon": "photon energy",
    "loss": "energy loss", "shift": "shift", "wavelength": "wavelength", "angle": "angle",
}  # fmt: skip
_HEAD = ("institution", "instrument", "operator", "experiment")
_DATE = ("year", "month", "day", "hour", "minute", "second", "hours_ahead")


def spectra_of(file: VamasFile) -> list[Spectrum]:
    """One spectrum per block; the first variable is the signal, the others stay beside it.

    Parameters
    ----------
    file : VamasFile

    Returns
    -------
    list of Spectrum
        Axis as in the file: kinetic energies stay kinetic. Missing ordinates (1e37) are NaN. ``metadata``
        holds every other item that has a value.

    Examples
    --------
    >>> file = vamas_of([Spectrum([700.0, 700.5], [3, 5], "eV", "kinetic", "Fe 2p", photon_energy=1486.6)])
    >>> spectra_of(file)
    [Spectrum 'Fe 2p': 2 channels, kinetic 700-700.5 eV, 8 counts]
    """
    return [_spectrum(file, block, k) for k, block in enumerate(file.blocks, start=1)]


def map_of(file: VamasFile) -> SpectrumMap:
    """Blocks of an experiment in mode MAP as an image: one block per position, all on one axis.

    Positions of the full map that no block holds are masked.
    """
    if not file.map_size or file.scan_mode == "MAPPING":
        raise InputError(
            sentence(
                "read_map", "VAMAS file", "be in experiment mode MAP or MAPDP with one spectrum per position",
                f"{file.experiment_mode} {file.scan_mode}", remedy="Read it with read_spectra.",
            )
        )  # fmt: skip
    _, nx, ny = file.map_size
    spectra = spectra_of(file)
    axis = spectra[0].axis
    counts = np.zeros((ny, nx, len(axis)))
    dead = np.ones((ny, nx), dtype=bool)
    for k, (block, spectrum) in enumerate(zip(file.blocks, spectra, strict=True), start=1):
        x, y = block.position
        at = f"in block {k} ({block.name.strip()!r}) of '{file.source}'"
        if x != int(x) or y != int(y) or not (1 <= x <= nx and 1 <= y <= ny):
            raise InputError(
                sentence(
                    "read_map", "position", f"lie inside the declared map of {nx} x {ny}", (x, y), at=at,
                    remedy="Read it with read_spectra.",
                )
            )  # fmt: skip
        if not np.array_equal(spectrum.axis, axis):
            raise InputError(
                sentence(
                    "read_map", "axis", "be that of the first block", f"{len(spectrum.axis)} channels",
                    at=at, remedy="Read one region at a time with read_spectra.",
                )
            )  # fmt: skip
        counts[int(y) - 1, int(x) - 1], dead[int(y) - 1, int(x) - 1] = spectrum.counts, False
    first = spectra[0]
    return SpectrumMap(
        axis, counts, first.unit, first.axis_kind, first.label, first.dwell, first.sweeps,
        first.photon_energy, first.counts_unit, mask=dead if dead.any() else None,
        metadata=first.metadata, source=file.source,
    )  # fmt: skip


def vamas_of(spectra: Sequence[Spectrum]) -> VamasFile:
    """Spectra as a VAMAS file; axes that are not ``start + k * step`` to the last digit make it irregular.

    Metadata that came from a VAMAS file goes back to its item; other metadata is written into the
    comment of the block as ``key = value``.

    Examples
    --------
    >>> vamas_of([Spectrum([1.0, 2.0, 4.0], [1, 2, 3])])
    VamasFile NORM IRREGULAR: 1 blocks
    """
    steps = [_start_and_step(spectrum) for spectrum in spectra]
    scan_mode = "REGULAR" if all(step is not None for step in steps) else "IRREGULAR"
    known = spectra[0].metadata
    blocks = [_block(spectrum, step, scan_mode) for spectrum, step in zip(spectra, steps, strict=True)]
    return VamasFile(
        **{name: str(known.get(name, "")) for name in _HEAD},
        comment=tuple(known.get("experiment_comment", ())),
        scan_mode=scan_mode,
        n_regions=len(spectra),
        blocks=tuple(blocks),
    )


# --------------------------------------------------------------------------------------------
# Block to spectrum
# --------------------------------------------------------------------------------------------


def _spectrum(file: VamasFile, block: VamasBlock, number: int) -> Spectrum:
    """One block."""
    values = np.where(np.abs(block.values) >= _LARGEST, np.nan, block.values)
    labels = [(label.strip("\0 "), unit.strip("\0 ")) for label, unit in block.variables]
    regular = file.scan_mode == "REGULAR"
    if regular:
        label, unit = (str(block.items[f"abscissa_{name}"]).strip() for name in ("label", "unit"))
        axis = block.items["abscissa_start"] + block.items["abscissa_increment"] * np.arange(len(values))
    elif file.scan_mode == "MAPPING":
        label, unit, axis = "", "", np.arange(len(values), dtype=np.float64)
    else:
        (label, unit), axis = labels[0], values[:, 0]
        labels, values = labels[1:], values[:, 1:]
    (signal, signal_unit), *others = labels
    seconds, scans = _known(block.items["collection_time"]), _known(block.items["n_scans"])
    return Spectrum(
        axis,
        values[:, 0].copy(),
        plain_unit(unit) or None,
        axis_meaning(label)[0],
        block.name.strip("\0 ") or _species(block) or f"block {number}",
        dwell=seconds if seconds else None,
        sweeps=int(scans) if scans else None,
        photon_energy=_photon_energy(block),
        counts_unit=_counts_unit(signal, signal_unit, str(block.items["signal_mode"])),
        metadata=_metadata(file, block, (label, unit), labels, regular=regular),
        source=f"{file.source}, line {block.line}",
        variables=dict(zip(_unique(others), values[:, 1:].T.copy(), strict=True)),
        repairs=Repairs(
            Repair(None, None, "terminator", note, "read all declared blocks") for note in file.notes
        ),
    )


def _known(value: Any) -> Any:
    """A value, or None where the file says that it is missing."""
    return None if isinstance(value, int | float) and abs(value) >= _LARGEST else value


def _species(block: VamasBlock) -> str:
    """``Fe 2p`` from species and transition."""
    words = (str(block.items[name]).strip("\0 ") for name in ("species", "transition"))
    return " ".join(word for word in words if word)


def _photon_energy(block: VamasBlock) -> float | None:
    """Energy of the source where the source is light."""
    energy = _known(block.items["source_energy"])
    return float(energy) if block.technique in ("XPS", "UPS") and energy and energy > 0 else None


def _counts_unit(label: str, unit: str, signal_mode: str) -> str:
    """``counts``, ``counts/s`` or the unit of the file."""
    if unit not in ("d", "n", ""):
        return counts_meaning(f"y [{unit}]")[1]
    if "count" in signal_mode:
        return counts_meaning(label)[1]
    return "a.u."


def _unique(labels: list[tuple[str, str]]) -> list[str]:
    """Labels of further variables, numbered where they repeat."""
    names: list[str] = []
    for label, _ in labels:
        name, k = label or "variable", 2
        while name in names:
            name, k = f"{label} {k}", k + 1
        names.append(name)
    return names


def _metadata(
    file: VamasFile,
    block: VamasBlock,
    abscissa: tuple[str, str],
    labels: list[tuple[str, str]],
    *,
    regular: bool,
) -> dict[str, Any]:
    """Every item that has a value, by name."""
    data: dict[str, Any] = {name: getattr(file, name) for name in _HEAD if getattr(file, name).strip()}
    data |= {"technique": block.technique, "sample": block.sample} if block.sample.strip() else {
        "technique": block.technique
    }  # fmt: skip
    known = {name: _known(value) for name, value in block.items.items()}
    data |= {
        name: value for name, value in known.items()
        if value is not None and value != "" and not name.startswith("abscissa")
    }  # fmt: skip
    if block.date[0] > 0:
        data["date"] = [float(part) for part in block.date]
    data |= {"abscissa_label": abscissa[0], "variables": [list(pair) for pair in labels]}
    if regular:
        data |= {name: block.items[name] for name in ("abscissa_start", "abscissa_increment")}
    if block.comment:
        data["comment"] = list(block.comment)
    if file.comment:
        data["experiment_comment"] = list(file.comment)
    if block.position:
        data["position"] = list(block.position)
    pairs = zip(file.experiment_variables, block.experiment_values, strict=True)
    data |= {f"experiment: {label.strip()}": f"{value} {unit}".strip() for (label, unit), value in pairs}
    if block.extras:
        data["additional"] = [list(extra) for extra in block.extras]
    return data


# --------------------------------------------------------------------------------------------
# Spectrum to block
# --------------------------------------------------------------------------------------------


def _start_and_step(spectrum: Spectrum) -> tuple[float, float] | None:
    """Start and step that give the axis to the last digit; None where no such pair is found."""
    axis, known = spectrum.axis, spectrum.metadata
    pairs = []
    if {"abscissa_start", "abscissa_increment"} <= set(known):
        pairs.append((float(known["abscissa_start"]), float(known["abscissa_increment"])))
    if len(axis) > 1:
        mean = (axis[-1] - axis[0]) / (len(axis) - 1)
        pairs += [(float(axis[0]), float(step)) for step in (axis[1] - axis[0], mean, round(mean, 9))]
    for start, step in pairs:
        if np.array_equal(start + step * np.arange(len(axis)), axis):
            return start, step
    return None


def _block(spectrum: Spectrum, step: tuple[float, float] | None, scan_mode: str) -> VamasBlock:
    """One spectrum."""
    known = dict(spectrum.metadata)
    technique = str(known.pop("technique", "XPS"))
    kept = [list(map(str, pair)) for pair in known.pop("variables", [])]
    unit = {"counts/s": "c/s", "counts": "d", "a.u.": "d"}.get(spectrum.counts_unit, spectrum.counts_unit)
    variables = [tuple(kept[0]) if kept else ("Intensity", unit)]
    variables += [
        tuple(kept[k]) if k < len(kept) else (name, "d") for k, name in enumerate(spectrum.variables, start=1)
    ]
    columns = [spectrum.counts, *spectrum.variables.values()]
    label = known.pop("abscissa_label", _AXIS_LABELS.get(spectrum.axis_kind or "", "channel"))
    if scan_mode == "IRREGULAR":
        variables.insert(0, (label, spectrum.unit or "d"))
        columns.insert(0, spectrum.axis)
    items, used = _items(spectrum, known, technique, scan_mode)
    if step is not None:
        items |= {"abscissa_start": step[0], "abscissa_increment": step[1]}
    items |= {"abscissa_label": label, "abscissa_unit": spectrum.unit or "d"}
    values = np.column_stack(columns)
    skipped = {*used, *_HEAD, "experiment_comment", "abscissa_start", "abscissa_increment", "position"}
    comment = [*map(str, known.pop("comment", ())), *_rest(known, skipped)]
    date = known.get("date", [0.0] * 7)
    return VamasBlock(
        spectrum.label, str(known.get("sample", "")), tuple(float(part) for part in date), tuple(comment),
        technique, (), (), items, tuple(variables),
        tuple(tuple(map(str, extra)) for extra in known.get("additional", ())), (),  # type: ignore[misc]
        _limits(values), values,
    )  # fmt: skip


def _items(
    spectrum: Spectrum, known: dict[str, Any], technique: str, scan_mode: str
) -> tuple[dict[str, Any], set[str]]:
    """Single values of a block, and the metadata they were taken from."""
    blank = {"text": "", "float": MISSING, "int": -1}
    head = {"experiment_mode": "NORM", "scan_mode": scan_mode}
    items = {}
    used = {"sample", "date", "additional", "comment"}
    for _, names, condition in (*ITEMS_BEFORE, *ITEMS_AFTER):
        for name, kind in names if item_stands(condition, head, technique) else ():
            value = known.get(name)
            fits = isinstance(value, str) == (kind == "text") and isinstance(value, str | int | float)
            items[name] = value if fits else blank[kind]
            used |= {name} if fits else set()
    items["n_scans"] = spectrum.sweeps or 1
    items["collection_time"] = spectrum.dwell or MISSING
    if spectrum.photon_energy is not None:
        items["source_energy"] = spectrum.photon_energy
    counting = spectrum.counts_unit in ("counts", "counts/s")
    items["signal_mode"] = known.get("signal_mode", "pulse counting" if counting else "analogue")
    return items, used


def _rest(known: dict[str, Any], used: set[str]) -> list[str]:
    """Metadata that the format has no item for, as comment lines."""
    lines = (f"{name} = {value}" for name, value in known.items() if name not in used)
    return [" ".join(line.split()) for line in lines]


def _limits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minimum and maximum of each variable."""
    empty = np.isnan(values).all(axis=0)
    filled = np.where(empty, MISSING, values)
    return np.column_stack([np.nanmin(filled, axis=0), np.nanmax(filled, axis=0)])
