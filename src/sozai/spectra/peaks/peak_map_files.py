"""Peak maps as files: images in NumPy formats with their units as JSON, HDF5, tables."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.optional import need
from sozai.contracts.whole_file import replace_file
from sozai.spectra.npz_files import whole_path

__all__ = ["write_peak_map"]


def write_peak_map(peaks: Any, path: str | os.PathLike[str]) -> None:
    """Write a peak map in the format that the ending of the path names.

    Parameters
    ----------
    peaks : PeakMap
    path : path-like

    Raises
    ------
    InputError
        For another ending, or a folder that is not there.
    """
    target = Path(path)
    ending = target.suffix.lower()
    writers = {
        ".npz": _write_npz,
        "": _write_folder,
        ".h5": _write_hdf,
        ".hdf5": _write_hdf,
        ".csv": _write_csv,
    }
    if ending not in writers:
        raise InputError(
            sentence(
                "PeakMap.write", "path",
                "end in .npz, .h5, .hdf5, .csv, or have no ending for a folder of .npy", str(target),
                remedy="Rename the file.",
            )
        )  # fmt: skip
    if not target.parent.is_dir():
        raise InputError(
            sentence("PeakMap.write", "path", "lie in an existing folder", str(target),
                     remedy="Make the folder first.")
        )  # fmt: skip
    writers[ending](peaks, target)


def about(peaks: Any) -> dict[str, Any]:
    """What a reader of the images must know, as plain data."""
    return {
        "shape": list(peaks.shape), "labels": list(peaks.labels), "parameters": list(peaks.parameters),
        "units": peaks.units(), "unit": peaks.unit, "axis_kind": peaks.axis_kind,
        "counts_unit": peaks.counts_unit, "noise": peaks.noise_name, "label": peaks.label,
        "source": peaks.source, "notes": list(peaks.notes),
    }  # fmt: skip


def _write_npz(peaks: Any, target: Path) -> None:
    """Images by name, and ``units`` as JSON text."""
    arrays: dict[str, Any] = dict(peaks.images())
    arrays["units"] = np.array(json.dumps(about(peaks), ensure_ascii=False))
    with whole_path(target) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def _write_folder(peaks: Any, target: Path) -> None:
    """One .npy per image; the JSON comes last, so a folder with it is whole."""
    target.mkdir(exist_ok=True)
    for name, image in peaks.images().items():
        buffer = io.BytesIO()
        np.save(buffer, image, allow_pickle=False)
        replace_file(target / f"{_file_name(name)}.npy", buffer.getvalue())
    replace_file(target / "units.json", json.dumps(about(peaks), indent=1, ensure_ascii=False).encode())


def _file_name(name: str) -> str:
    """Name of an image without what file systems refuse."""
    return "".join("_" if letter in '/\\:*?"<>|' else letter for letter in name)


def _write_hdf(peaks: Any, target: Path) -> None:
    """Arrays in double precision, and the images as float32 for viewers."""
    h5py = need("h5py", for_="writing .h5 files")
    with whole_path(target) as part, h5py.File(part, "w") as file:
        for name in (
            "values",
            "errors",
            "status",
            "deviance",
            "dof",
            "background",
            "background_errors",
            "theta",
        ):
            file[name] = getattr(peaks, name)
        images = file.create_group("images")
        for name, image in peaks.images().items():
            images[name.replace("/", "\u2215")] = image
        file.attrs["about"] = json.dumps(about(peaks), ensure_ascii=False)


def _write_csv(peaks: Any, target: Path) -> None:
    """The table."""
    with whole_path(target) as part:
        peaks.to_frame().to_csv(part, index=False)
