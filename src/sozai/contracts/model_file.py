"""A fitted model as JSON + npy in a zip with hashes."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sozai import __version__
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.whole_file import replace_file

__all__ = ["FORMAT", "digest", "load_model", "save_model"]

FORMAT = 1
"""Version of the file format that this package writes, and the newest that it reads."""

_MANIFEST = "manifest.json"
_STATE = "state.json"
_MARK = "$"  # the key of the JSON objects that stand for what JSON does not know
_SCALARS = (bool, int, str)
_ARRAYS = (np.ndarray, np.memmap)
# what zipfile raises for bytes that are no zip, depending on which byte is wrong
_UNREADABLE = (
    zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, LookupError, struct.error, zlib.error,
)  # fmt: skip


def save_model(path: str | os.PathLike[str], kind: str, state: Mapping[str, Any]) -> Path:
    """Write ``state`` to ``path``, all of it or nothing.

    The same state gives the same bytes on every machine: nothing in the file
    depends on the clock, the compression library or the operating system.

    Parameters
    ----------
    path : path-like
        File to write; an older one is replaced in one step.
    kind : str
        What the state belongs to, e.g. ``"SymbolicRegressor"``.
    state : mapping
        Nested dicts, lists and tuples of arrays, numbers, strings, ``None``
        and fractions. Types come back as they went in.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        When the state holds something else; its place is named.

    See Also
    --------
    load_model : Read the file back.

    Notes
    -----
    The zip holds ``manifest.json`` (format, kind, package version, SHA-256 of
    every member), ``state.json`` and one ``.npy`` per array. Nothing is
    pickled, so that opening a file never runs code.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = save_model(Path(folder, "law.sozai"), "Law", {"power": (1, 2), "slope": 0.5})
    ...     load_model(path, "Law")
    {'power': (1, 2), 'slope': 0.5}
    """
    path = Path(path)
    replace_file(path, _pack(kind, dict(state)))
    return path


def load_model(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Read what :func:`save_model` wrote, after checking every byte of it.

    Parameters
    ----------
    path : path-like
        File to read.
    kind : str
        What the file must hold.

    Returns
    -------
    dict
        The state, with the types it was saved with.

    Raises
    ------
    InputError
        When the file is no model file, holds another kind, was written by a
        newer format, or its bytes have changed.
    """
    path = Path(path)
    payload = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            manifest = _read_manifest(archive, path)
            _check_manifest(manifest, kind, path)
            members = _read_members(archive, manifest, path)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(
            sentence(
                "load_model",
                "path",
                "be a model file that sozai wrote",
                str(path),
                at=f"({error})",
                remedy="Save the model again.",
            )
        ) from error
    try:
        state = _decode(_parse(members[_STATE]), members)
    except (LookupError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise _damaged(path, _STATE, f"it cannot be read ({error})") from error
    if not isinstance(state, dict):
        raise _damaged(path, _STATE, "it is no mapping")
    return state


def digest(value: Any) -> str:
    """SHA-256 of nested containers of arrays, numbers and strings: same content, same digest.

    Parameters
    ----------
    value : object
        Anything :func:`save_model` can store.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> digest({"a": 1.0}) == digest({"a": 1.0}), digest([1]) == digest([1.0])
    (True, False)
    """
    return hashlib.sha256(_pack("digest", {"value": value}, version="")).hexdigest()


# --- writing -----------------------------------------------------------------------------------------


def _pack(kind: str, state: dict[str, Any], version: str = __version__) -> bytes:
    """Bytes of the zip: manifest first, members uncompressed in a fixed order."""
    members: dict[str, bytes] = {}
    members[_STATE] = _json(_encode(state, "state", members))
    manifest = {
        "format": FORMAT,
        "kind": kind,
        "package": "sozai",
        "version": version,
        "members": {name: hashlib.sha256(payload).hexdigest() for name, payload in sorted(members.items())},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, payload in [(_MANIFEST, _json(manifest)), *sorted(members.items())]:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, payload)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def _encode(value: Any, place: str, members: dict[str, bytes]) -> Any:
    """``value`` as plain JSON; arrays go to ``members`` and leave their name behind."""
    kind = type(value)
    if value is None or kind in _SCALARS:
        return value
    if kind is float:
        return value if math.isfinite(value) else {_MARK: "float", "value": repr(value)}
    if kind is Fraction:
        return {_MARK: "fraction", "value": str(value)}
    if kind is list:
        return [_encode(item, f"{place}[{k}]", members) for k, item in enumerate(value)]
    if kind is tuple:
        return {_MARK: "tuple", "items": _encode(list(value), place, members)}
    if kind is dict:
        if all(type(key) is str for key in value) and _MARK not in value:
            return {key: _encode(item, f"{place}[{key!r}]", members) for key, item in value.items()}
        pairs = [
            [_encode(key, f"a key of {place}", members), _encode(item, f"{place}[{key!r}]", members)]
            for key, item in value.items()
        ]
        return {_MARK: "dict", "items": pairs}
    if kind in _ARRAYS or isinstance(value, np.generic):
        return {_MARK: "array" if kind in _ARRAYS else "scalar", "member": _npy(value, place, members)}
    raise InputError(
        sentence(
            "save_model",
            place,
            "be a dict, list, tuple, array, number, string, fraction or None",
            kind.__name__,
            remedy="Turn it into one of these first.",
        )
    )


def _npy(value: Any, place: str, members: dict[str, bytes]) -> str:
    """Store one array as ``.npy`` and return the member's name."""
    buffer = io.BytesIO()
    try:
        np.lib.format.write_array(buffer, np.asarray(value), allow_pickle=False)
    except ValueError as error:
        raise InputError(
            sentence(
                "save_model",
                place,
                "be an array of numbers or fixed-width strings",
                f"dtype {value.dtype}",
                remedy="Convert it with .astype first.",
            )
        ) from error
    name = f"arrays/{len(members):05d}.npy"
    members[name] = buffer.getvalue()
    return name


# --- reading -----------------------------------------------------------------------------------------


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        manifest = _parse(archive.read(_MANIFEST))
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(
            sentence(
                "load_model",
                "path",
                "be a model file that sozai wrote",
                str(path),
                at="(a zip without a readable manifest.json)",
                remedy="Save the model again.",
            )
        ) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("members"), dict):
        raise _damaged(path, _MANIFEST, "it does not list the members")
    return manifest


def _check_manifest(manifest: dict[str, Any], kind: str, path: Path) -> None:
    """Refuse a newer format and another kind, naming both."""
    written = manifest.get("format")
    if type(written) is not int:
        raise _damaged(path, _MANIFEST, f"its format is {written!r}")
    if written > FORMAT:
        raise InputError(
            f"load_model: {path} must have format {FORMAT} or older. "
            f"Got format {written}, written by sozai {manifest.get('version')}; this is sozai {__version__}. "
            "Run: pip install --upgrade sozai"
        )
    if manifest.get("kind") != kind:
        raise InputError(
            sentence(
                "load_model",
                str(path),
                f"hold a {kind}",
                manifest.get("kind"),
                at=f"(written by sozai {manifest.get('version')})",
                remedy="Load it with the class that saved it.",
            )
        )


def _read_members(archive: zipfile.ZipFile, manifest: dict[str, Any], path: Path) -> dict[str, bytes]:
    """Every member named in the manifest and no other, each with its hash checked."""
    hashes = manifest["members"]
    present = [info.filename for info in archive.infolist()]
    if sorted(present) != sorted([_MANIFEST, *hashes]):
        odd = sorted(set(present) ^ {_MANIFEST, *hashes}) or ["a name twice"]
        raise _damaged(path, odd[0], "the file list differs from the manifest")
    members = {}
    for name, expected in hashes.items():
        if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
            raise _damaged(path, name, "it is compressed")
        members[name] = archive.read(name)
        found = hashlib.sha256(members[name]).hexdigest()
        if found != expected:
            raise _damaged(path, name, f"its SHA-256 is {found}, the manifest says {expected}")
    return members


def _damaged(path: Path, member: str, why: str) -> InputError:
    return InputError(
        f"load_model: {path} must be unchanged since it was saved. Member {member!r}: {why}. "
        "Copy the file again or save the model again."
    )


def _parse(payload: bytes) -> Any:
    return json.loads(payload.decode("ascii"))


def _decode(value: Any, members: Mapping[str, bytes]) -> Any:
    """Undo :func:`_encode`."""
    if isinstance(value, list):
        return [_decode(item, members) for item in value]
    if not isinstance(value, dict):
        return value
    if _MARK not in value:
        return {key: _decode(item, members) for key, item in value.items()}
    return _DECODERS[value[_MARK]](value, members)


def _decode_array(value: dict[str, Any], members: Mapping[str, bytes]) -> Any:
    return np.lib.format.read_array(io.BytesIO(members[value["member"]]), allow_pickle=False)


_DECODERS: dict[str, Callable[[dict[str, Any], Mapping[str, bytes]], Any]] = {
    "float": lambda value, members: float(value["value"]),
    "fraction": lambda value, members: Fraction(value["value"]),
    "tuple": lambda value, members: tuple(_decode(value["items"], members)),
    "dict": lambda value, members: {
        _decode(key, members): _decode(item, members) for key, item in value["items"]
    },
    "array": _decode_array,
    "scalar": lambda value, members: _decode_array(value, members)[()],
}
