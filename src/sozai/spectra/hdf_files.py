"""Spectra and maps in HDF5, written whole or not at all, read tile by tile; needs h5py."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.optional import need
from sozai.spectra.npz_files import whole_path
from sozai.spectra.spectrum import Spectrum, SpectrumMap
from sozai.spectra.spectrum_attributes import attributes_text, fields_of

__all__ = ["StoredCounts", "read_hdf_map", "read_hdf_spectra", "write_hdf_map", "write_hdf_spectra"]


@dataclass(frozen=True)
class StoredCounts:
    """Counts of a map in an HDF5 file, opened for each slice that is asked for.

    No file stays open, so that threads, processes and later writers do not meet.

    Attributes
    ----------
    path : Path
    shape : tuple of int
    dtype : dtype
    name : str

    Examples
    --------
    >>> StoredCounts(Path("map.h5"), (64, 64, 400), np.dtype("uint16")).shape
    (64, 64, 400)
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    name: str = "counts"

    def __getitem__(self, key: Any) -> NDArray[Any]:
        with _opened(self.path, "read_map") as file:
            return np.asarray(file[self.name][key])


def write_hdf_spectra(path: Path, spectra: Sequence[Spectrum]) -> None:
    """Write spectra as groups ``spectrum0``, ...; what is no array goes to the attribute ``attrs``."""
    h5py = need("h5py", for_="writing .h5 files")
    with whole_path(path) as part, h5py.File(part, "w") as file:
        for k, spectrum in enumerate(spectra):
            group = file.create_group(f"spectrum{k}")
            group.attrs["attrs"] = attributes_text(spectrum)
            group["axis"], group["counts"] = spectrum.axis, spectrum.counts
            if spectrum.mask is not None:
                group["mask"] = spectrum.mask
            others = group.create_group("variables", track_order=True)
            for name, values in spectrum.variables.items():
                others[name.replace("/", "\u2215")] = values


def read_hdf_spectra(path: Path) -> list[Spectrum]:
    """Read what :func:`write_hdf_spectra` wrote."""
    with _opened(path, "read_spectra") as file:
        n = sum(name.startswith("spectrum") for name in file)
        if n == 0:
            _foreign(path, "read_spectra", "hold spectra written by write_spectra", list(file))
        return [_hdf_spectrum(file[f"spectrum{k}"], path) for k in range(n)]


def _hdf_spectrum(group: Any, path: Path) -> Spectrum:
    """One group."""
    return Spectrum(
        group["axis"][()],
        group["counts"][()],
        mask=group["mask"][()] if "mask" in group else None,
        variables={name.replace("\u2215", "/"): values[()] for name, values in group["variables"].items()},
        **fields_of(str(group.attrs["attrs"]), str(path)),
    )


def write_hdf_map(path: Path, cube: SpectrumMap, *, tile: int) -> None:
    """Write a map tile by tile; one chunk of the file is at most one tile of whole spectra."""
    h5py = need("h5py", for_="writing .h5 files")
    shape = tuple(int(size) for size in cube.counts.shape)
    with whole_path(path) as part, h5py.File(part, "w") as file:
        counts = file.create_dataset("counts", shape, cube.counts.dtype, chunks=_chunk(shape, tile))
        width = shape[1] if len(shape) == 3 else 1
        rows = max(1, tile // width)
        for start in range(0, shape[0], rows):
            counts[start : start + rows] = np.asarray(cube.counts[start : start + rows])
        file["axis"] = cube.axis
        file.attrs["attrs"] = attributes_text(cube)
        if cube.mask is not None:
            file["mask"] = cube.mask


def read_hdf_map(path: Path) -> SpectrumMap:
    """Open a map; its counts stay in the file."""
    with _opened(path, "read_map") as file:
        if not {"axis", "counts"} <= set(file):
            _foreign(path, "read_map", "hold the data sets axis and counts", list(file))
        stored = StoredCounts(path, tuple(file["counts"].shape), file["counts"].dtype)
        fields = fields_of(str(file.attrs["attrs"]), str(path)) if "attrs" in file.attrs else {}
        mask = file["mask"][()] if "mask" in file else None
        return SpectrumMap(file["axis"][()], stored, mask=mask, **fields)


def _chunk(shape: tuple[int, ...], tile: int) -> tuple[int, ...]:
    """Whole spectra, ``tile`` of them or fewer: rows of an image, or a part of one row."""
    if len(shape) == 2:
        return (max(1, min(tile, shape[0])), shape[1])
    width = min(tile, shape[1])
    return (max(1, min(shape[0], tile // width)), width, shape[2])


@contextmanager
def _opened(path: Path, place: str) -> Generator[Any]:
    """An HDF5 file, or one error that names it."""
    h5py = need("h5py", for_="reading .h5 files")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            sentence(
                place, "file", "be a whole HDF5 file", str(error), at=f"in '{path}'",
                remedy="It may be truncated; write it again.",
            )
        ) from error  # fmt: skip
    with file:
        yield file


def _foreign(path: Path, place: str, requirement: str, names: list[str]) -> None:
    """A file of another layout."""
    raise InputError(
        sentence(
            place, "HDF5 file", requirement, sorted(names)[:6], at=f"in '{path}'",
            remedy="Open it with h5py and pass the data sets to Spectrum or SpectrumMap.",
        )
    )  # fmt: skip
