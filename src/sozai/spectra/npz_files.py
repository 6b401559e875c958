"""Spectra and maps as NumPy arrays in an uncompressed zip; a map is read by memory mapping, not loading."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import zipfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.spectrum import Spectrum, SpectrumMap
from sozai.spectra.spectrum_attributes import attributes_text, fields_of

__all__ = ["read_npz_map", "read_npz_spectra", "whole_path", "write_npz_map", "write_npz_spectra"]


@contextlib.contextmanager
def whole_path(target: Path) -> Generator[Path]:
    """Yield a temporary path beside ``target`` that takes its place when everything went well.

    Examples
    --------
    >>> target = Path(tempfile.mkdtemp()) / "note"
    >>> with whole_path(target) as path:
    ...     _ = path.write_text("whole")
    >>> target.read_text(), len(list(target.parent.iterdir()))
    ('whole', 1)
    """
    if not target.parent.is_dir():
        raise InputError(
            sentence(
                "write_spectra", "path", "lie in an existing folder", str(target),
                remedy="Make the folder first.",
            )
        )  # fmt: skip
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb+") as file:
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def write_npz_spectra(path: Path, spectra: Sequence[Spectrum]) -> None:
    """Write spectra into one .npz: ``0/axis``, ``0/counts``, ``0/attrs``, ...; nothing is pickled."""
    arrays: dict[str, Any] = {}
    for k, spectrum in enumerate(spectra):
        arrays |= {f"{k}/axis": spectrum.axis, f"{k}/counts": spectrum.counts}
        arrays[f"{k}/attrs"] = np.array(attributes_text(spectrum))
        if spectrum.mask is not None:
            arrays[f"{k}/mask"] = spectrum.mask
        for name, values in spectrum.variables.items():
            arrays[f"{k}/variables/{name}"] = values
    with whole_path(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def read_npz_spectra(path: Path) -> list[Spectrum]:
    """Read what :func:`write_npz_spectra` wrote."""
    with _opened(path, "read_spectra") as archive:
        n = sum(name.endswith("/attrs") for name in archive.files)
        if n == 0:
            raise InputError(
                sentence(
                    "read_spectra", ".npz file", "be written by write_spectra", archive.files[:6],
                    at=f"in '{path}'", remedy="Read a map with read_map, or build Spectrum objects yourself.",
                )
            )  # fmt: skip
        return [_npz_spectrum(archive, k, path) for k in range(n)]


def _npz_spectrum(archive: Any, k: int, path: Path) -> Spectrum:
    """One spectrum of an archive."""
    prefix = f"{k}/variables/"
    return Spectrum(
        archive[f"{k}/axis"],
        archive[f"{k}/counts"],
        mask=archive[f"{k}/mask"] if f"{k}/mask" in archive.files else None,
        variables={name[len(prefix) :]: archive[name] for name in archive.files if name.startswith(prefix)},
        **fields_of(str(archive[f"{k}/attrs"]), str(path)),
    )


@contextlib.contextmanager
def _opened(path: Path, place: str) -> Generator[Any]:
    """An .npz file, or one error that names it; damaged members are found while they are read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            sentence(
                place, "file", "be a whole .npz file", f"{type(error).__name__}: {error}", at=f"in '{path}'",
                remedy="It may be truncated; write it again.",
            )
        ) from error  # fmt: skip


# --------------------------------------------------------------------------------------------
# Maps
# --------------------------------------------------------------------------------------------


def write_npz_map(path: Path, cube: SpectrumMap, *, tile: int) -> None:
    """Write a map: ``counts.npy`` tile by tile and never compressed, ``axis.npy``, ``attrs.npy``."""
    dtype = np.dtype(cube.counts.dtype)
    with whole_path(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(zipfile.ZipInfo("counts.npy"), "w", force_zip64=True) as member:
            header = {
                "descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False,
                "shape": tuple(cube.counts.shape),
            }  # fmt: skip
            np.lib.format.write_array_header_2_0(member, header)  # type: ignore[arg-type]
            for _, counts in cube.tiles(tile):
                member.write(np.ascontiguousarray(counts, dtype=dtype).tobytes())
        _add(archive, "axis.npy", cube.axis)
        _add(archive, "attrs.npy", np.array(attributes_text(cube)))
        if cube.mask is not None:
            _add(archive, "mask.npy", cube.mask)


def read_npz_map(path: Path) -> SpectrumMap:
    """Open a map; its counts stay in the file and are read tile by tile."""
    with _opened(path, "read_map") as archive:
        missing = {"axis", "counts"} - set(archive.files)
        if missing:
            raise InputError(
                sentence(
                    "read_map", ".npz file", "hold axis and counts", archive.files[:6], at=f"in '{path}'",
                    remedy="Write it with write_map.",
                )
            )  # fmt: skip
        axis = archive["axis"]
        fields = fields_of(str(archive["attrs"]), str(path)) if "attrs" in archive.files else {}
        mask = archive["mask"] if "mask" in archive.files else None
        counts = _mapped(path, "counts.npy")
        return SpectrumMap(axis, archive["counts"] if counts is None else counts, mask=mask, **fields)


def _add(archive: zipfile.ZipFile, name: str, values: NDArray[Any]) -> None:
    """One small array as a member."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, values, allow_pickle=False)
    archive.writestr(zipfile.ZipInfo(name), buffer.getvalue())


def _mapped(path: Path, name: str) -> NDArray[Any] | None:
    """Memory map of a stored member; None where it is compressed."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        return None
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)  # local header: lengths of name and extra field
        start = int.from_bytes(file.read(2), "little") + int.from_bytes(file.read(2), "little")
        file.seek(info.header_offset + 30 + start)
        shape, fortran, dtype = _array_header(file)
        offset = file.tell()
    if offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize > path.stat().st_size:
        raise InputError(
            sentence("read_map", "file", "be whole", f"{path.stat().st_size} bytes", at=f"in '{path}'",
                     remedy="It may be truncated; write it again.")
        )  # fmt: skip
    return np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")


def _array_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of a .npy stream."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)
