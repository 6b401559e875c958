"""Read and write spectra and maps: the content of a file decides how to read, its name how to write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.hdf_files import read_hdf_map, read_hdf_spectra, write_hdf_map, write_hdf_spectra
from sozai.spectra.npz_files import read_npz_map, read_npz_spectra, write_npz_map, write_npz_spectra
from sozai.spectra.spectrum import Spectrum, SpectrumMap
from sozai.spectra.text_files import read_text_spectra, write_text_spectra
from sozai.spectra.vamas import FORMAT_LINE, read_vamas
from sozai.spectra.vamas_spectra import map_of, spectra_of, vamas_of
from sozai.spectra.vamas_writing import write_vamas

__all__ = ["read_map", "read_spectra", "write_map", "write_spectra"]

_HDF = b"\x89HDF\r\n\x1a\n"
_NPY = b"\x93NUMPY"
_TEXT = (".csv", ".tsv", ".txt", ".xy", ".dat")
_HDF_NAMES = (".h5", ".hdf5", ".hdf")
_FOREIGN = {
    b"SOFH": ("a PHI .spe file", "Export it as VAMAS or text in the instrument's program."),
    b"\x1f\x8b": ("a compressed file", "Unpack it first; Athena projects are not read here."),
    b"SQLite format 3": ("a SpecsLab .sle database", "Export it as .xy or VAMAS."),
    b"IGOR": ("an Igor text wave", "Export it as text in columns."),
}


def read_spectra(path: str | os.PathLike[str], **options: Any) -> list[Spectrum]:
    """Read every spectrum of a file.

    Parameters
    ----------
    path : path-like
        VAMAS (ISO 14976: .vms, .npl), text in columns (.csv, .tsv, .txt, .xy, .dat), SPECS .xy, Scienta
        .txt, .xlsx, and our .npz and .h5. The content decides, not the name.
    **options
        ``encoding``, ``delimiter``, ``decimal`` for text in columns.

    Returns
    -------
    list of Spectrum
        In file order, axes and numbers as in the file: nothing is sorted, converted or filled.
        Kinetic energies are turned into binding energies only by
        :meth:`~sozai.spectra.spectrum.Spectrum.to_binding`.

    Raises
    ------
    InputError
        With file, line and block or row, when a file is truncated or something in it cannot be read.
    MissingPackageError
        For .h5 without h5py, .xlsx without openpyxl.

    See Also
    --------
    read_map : An image of spectra, left on disk.

    Notes
    -----
    Cost: one pass over the file; text in columns takes less than twice pandas' time. A VAMAS file may
    hold several variables per channel; the first is the signal, the others are in ``variables``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "C1s.csv"
    >>> text = chr(10).join(["BE/eV,counts/s", "285.1,10.5", "285.0,12"])
    >>> _ = path.write_text(text, encoding="utf-8")
    >>> read_spectra(path)
    [Spectrum 'C1s': 2 channels, binding 285-285.1 eV, 22.5 counts/s]
    """
    source = Path(path)
    head = _head(source)
    if head.startswith(_HDF) or _is_npz(source, head) or _is_vamas(head):
        if options:
            raise InputError(
                sentence("read_spectra", "options", "belong to text in columns", sorted(options))
            )
        if head.startswith(_HDF):
            return read_hdf_spectra(source)
        return spectra_of(read_vamas(source)) if _is_vamas(head) else read_npz_spectra(source)
    if head.startswith(_NPY):
        raise InputError(
            sentence(
                "read_spectra", "file", "hold axis and counts", "a bare NumPy array", at=f"in '{source}'",
                remedy="Open it with read_map(path, axis=...).",
            )
        )  # fmt: skip
    return read_text_spectra(source, **options)


def write_spectra(path: str | os.PathLike[str], spectra: Sequence[Spectrum] | Spectrum) -> None:
    """Write spectra, all of them or none; reading the file back gives the same numbers to the last digit.

    Parameters
    ----------
    path : path-like
        The ending decides: ``.vms`` (VAMAS), ``.npz``, ``.h5`` keep everything; ``.csv``, ``.tsv``,
        ``.txt``, ``.xy``, ``.dat`` keep axis, counts, units and labels of spectra on one axis.
    spectra : sequence of Spectrum

    Raises
    ------
    InputError
        For an ending that is not known, spectra on different axes in a text file, and metadata that
        cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.npz"
    >>> write_spectra(path, [Spectrum([0.1, 0.2], [3, 4], "nm", label="a")])
    >>> read_spectra(path)
    [Spectrum 'a': 2 channels, axis 0.1-0.2 nm, 7 counts]
    """
    target = Path(path)
    given = [spectra] if isinstance(spectra, Spectrum) else list(spectra)
    if not given or not all(isinstance(spectrum, Spectrum) for spectrum in given):
        kinds = sorted({type(spectrum).__name__ for spectrum in given}) or "nothing"
        raise InputError(sentence("write_spectra", "spectra", "be one Spectrum or more", kinds))
    ending = target.suffix.lower()
    if ending in (".vms", ".npl"):
        write_vamas(target, vamas_of(given))
    elif ending in _TEXT:
        write_text_spectra(target, given)
    elif ending == ".npz":
        write_npz_spectra(target, given)
    elif ending in _HDF_NAMES:
        write_hdf_spectra(target, given)
    else:
        _unknown_ending("write_spectra", target, (".vms", ".npz", ".h5", *_TEXT))


def read_map(path: str | os.PathLike[str], *, axis: Any = None) -> SpectrumMap:
    """Open an image of spectra; counts stay on disk and are read tile by tile.

    Parameters
    ----------
    path : path-like
        Our .npz and .h5, any .npy of shape (ny, nx, n) or (m, n), a VAMAS file in mode MAP, or spectra on
        one axis in any other file that :func:`read_spectra` reads.
    axis : array-like of shape (n,), optional
        Needed for .npy, which holds counts alone.

    Returns
    -------
    SpectrumMap

    Raises
    ------
    InputError
        When axis and channels differ in number, spectra differ in their axes, or the file is truncated.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cube.npy"
    >>> np.save(path, np.zeros((4, 5, 3), dtype=np.uint16))
    >>> read_map(path, axis=[1.0, 2.0, 3.0])
    SpectrumMap: 4 x 5 spectra, 3 channels, axis 1-3
    """
    source = Path(path)
    head = _head(source)
    if head.startswith(_NPY):
        return SpectrumMap(_given_axis(axis, source), _npy(source), source=str(source))
    if head.startswith(_HDF):
        cube = read_hdf_map(source)
    elif _is_npz(source, head):
        cube = read_npz_map(source)
    elif _is_vamas(head) and (file := read_vamas(source)).map_size:
        cube = map_of(file)
    else:
        cube = _stacked(read_spectra(source), source)
    return cube if axis is None else replace(cube, axis=axis)


def write_map(path: str | os.PathLike[str], cube: SpectrumMap, *, tile: int = 4096) -> None:
    """Write an image of spectra tile by tile, all of it or nothing.

    Parameters
    ----------
    path : path-like
        ``.npz`` (uncompressed, so that it is read by memory mapping) or ``.h5``.
    cube : SpectrumMap
        The counts keep their type.
    tile : int, default=4096
        Pixels in memory at a time, and the largest chunk of the .h5 file.

    Raises
    ------
    InputError
        For another ending, and when the disk is full: the old file, if there is one, stays.
    """
    target = Path(path)
    if not isinstance(cube, SpectrumMap):
        raise InputError(sentence("write_map", "cube", "be a SpectrumMap", type(cube).__name__))
    if tile < 1:
        raise InputError(sentence("write_map", "tile", "be at least 1", tile))
    writers = {".npz": write_npz_map, **dict.fromkeys(_HDF_NAMES, write_hdf_map)}
    writer = writers.get(target.suffix.lower())
    if writer is None:
        _unknown_ending("write_map", target, tuple(writers))
        return
    try:
        writer(target, cube, tile=tile)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            sentence("write_map", "path", f"be writable ({reason})", str(target), remedy="Free some space.")
        ) from error


# --------------------------------------------------------------------------------------------
# What a file is
# --------------------------------------------------------------------------------------------


def _head(source: Path) -> bytes:
    """First bytes of a file, or one error that names it; formats of other programs are refused by name."""
    try:
        with source.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            sentence(
                "read_spectra", "path", f"name a readable file ({reason})", str(source),
                remedy="Check the spelling.",
            )
        ) from None  # fmt: skip
    for mark, (name, remedy) in _FOREIGN.items():
        if head.startswith(mark):
            raise InputError(
                sentence(
                    "read_spectra", "file", "be VAMAS, text, .npz or .h5", name, at=f"in '{source}'",
                    remedy=remedy,
                )
            )  # fmt: skip
    return head


def _is_vamas(head: bytes) -> bool:
    """Whether the first line that is not empty is that of the format."""
    return head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\r\n \t").startswith(FORMAT_LINE.encode())


def _is_npz(source: Path, head: bytes) -> bool:
    """Whether a zip is NumPy's and no workbook."""
    return head.startswith(b"PK") and (source.suffix.lower() == ".npz" or b".npy" in head[:100])


def _npy(source: Path) -> Any:
    """Memory map of an array file."""
    try:
        return np.load(source, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(
            sentence("read_map", "file", "be a whole .npy file", str(error), at=f"in '{source}'")
        ) from error


def _given_axis(axis: Any, source: Path) -> Any:
    """The axis that a bare array needs."""
    if axis is None:
        raise InputError(
            sentence(
                "read_map", "axis", "be given for a .npy file, which holds counts alone", None,
                at=f"for '{source}'", remedy="Pass axis=.",
            )
        )  # fmt: skip
    return axis


def _stacked(spectra: list[Spectrum], source: Path) -> SpectrumMap:
    """Spectra of one file, all on one axis, as a series."""
    first = spectra[0]
    for k, spectrum in enumerate(spectra):
        if not np.array_equal(spectrum.axis, first.axis):
            raise InputError(
                sentence(
                    "read_map", "spectra", "share one axis", f"spectrum {k} ({spectrum.label!r})",
                    at=f"in '{source}'", remedy="Read them with read_spectra.",
                )
            )  # fmt: skip
    return SpectrumMap(
        first.axis, np.stack([spectrum.counts for spectrum in spectra]), first.unit, first.axis_kind,
        dwell=first.dwell, sweeps=first.sweeps, photon_energy=first.photon_energy,
        counts_unit=first.counts_unit, noise=first.noise,
        metadata={"labels": [spectrum.label for spectrum in spectra]}, source=str(source),
    )  # fmt: skip


def _unknown_ending(place: str, target: Path, known: tuple[str, ...]) -> None:
    raise InputError(sentence(place, "path", f"end in one of {', '.join(known)}", str(target)))
