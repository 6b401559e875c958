"""Where a result may be written, told before the work and not after it; and the writing of large results."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from sozai.contracts.errors import InputError, sentence

__all__ = [
    "check_result_folder", "check_result_place", "check_text_table", "delimiter_of", "need_open_folder",
    "refuse_place", "write_arrays",
]  # fmt: skip

_TABLES = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def check_result_place(
    option: str, path: Path | None, inputs: Sequence[Path | None] = (), example: str = "predicted.csv"
) -> None:
    """Refuse a place that cannot be written, or that is one of the files read.

    Parameters
    ----------
    option : str
        As the user typed it, for the message.
    path : Path or None
        Nothing to check when None.
    inputs : sequence of Path or None
    example : str
        A name for the message.
    """
    if path is None:
        return
    if path.is_dir():
        refuse_place(option, "be a file", path, f"Name a file inside this folder, e.g. {example}.")
    if any(given is not None and path.absolute() == given.absolute() for given in inputs):
        refuse_place(option, "not be one of the input files", path, "Name another file.")
    folder = path.absolute().parent
    need_open_folder(option, path, folder)


def check_result_folder(path: Path | None) -> None:
    """Refuse a report folder that cannot be made."""
    if path is None:
        return
    if path.exists() and not path.is_dir():
        refuse_place("--output", "be a folder", path, "Name a folder; it is made when needed.")
    there = path.absolute()
    there = there if there.exists() else next(parent for parent in there.parents if parent.exists())
    need_open_folder("--output", path, there)


def need_open_folder(option: str, path: Path, folder: Path) -> None:
    """Refuse a place in a folder that cannot be written to."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK) or not _takes_files(folder):
        refuse_place(option, "lie in a folder you may write", path, f"Choose another place than {folder}.")


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made there, which rights alone do not say (``/proc``)."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def check_text_table(option: str, path: Path | None, also: Sequence[str] = ()) -> None:
    """Refuse a name whose ending does not say how the table is to be written.

    Parameters
    ----------
    option : str
        As the user typed it, for the message.
    path : Path or None
        Nothing to check when None.
    also : sequence of str
        Endings known beside those of text tables.
    """
    if path is None or path.is_dir() or path.suffix.lower() in (*_TABLES, *also):
        return
    known = [*_TABLES, *also]
    remedy = f"End its name in {', '.join(known[:-1])} or {known[-1]}."
    if path.suffix.lower() in (".xlsx", ".xls") and ".xlsx" not in also:
        remedy = "Name it .csv; Excel opens it with Japanese intact."
    others = "".join(f" or {ending}" for ending in also).replace(" or", ",", max(len(also) - 1, 0))
    refuse_place(option, f"be a CSV or TSV file{others}", path, remedy)


def delimiter_of(path: Path) -> str:
    r"""Sign between cells that the name of a file asks for.

    Examples
    --------
    >>> delimiter_of(Path("a.csv")), delimiter_of(Path("a.tsv"))
    (',', '\t')
    """
    return _TABLES[path.suffix.lower()]


def write_arrays(path: Path, save: Callable[[Any], object]) -> None:
    """Let ``save`` write into a file beside ``path``, which takes its name when it is complete.

    Parameters
    ----------
    path : Path
    save : callable
        Takes the open binary file.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "wb") as file:
            save(file)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def refuse_place(option: str, requirement: str, path: Path, remedy: str) -> NoReturn:
    """Say what a place must be; ``option`` as the user typed it."""
    raise InputError(sentence(option, "the place", requirement, str(path), remedy=remedy))
