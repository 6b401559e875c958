"""How a command speaks: consoles of any encoding, one JSON object, exit codes, whole folders."""

from __future__ import annotations

import codecs
import json
import logging
import math
import os
import shutil
import signal
import sys
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.usage import UsageError
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import (
    InputError,
    MissingDataError,
    MissingPackageError,
    NotInvertibleError,
    sentence,
)

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "Interruption",
    "collected_warnings",
    "console",
    "emit_json",
    "exit_code",
    "note_interrupt",
    "open_streams",
    "plain_values",
    "progress_console",
    "quiet",
    "say_failure",
    "staged_folder",
]

# Keys by number, because several of these look like other characters.
_SPELLED = {
    "\u00c5": "Angstrom",
    "\u212b": "Angstrom",
    "\u2212": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u00d7": "x",
    "\u00b7": "*",
    "\u2026": "...",
    "\u2192": "->",
    "\u00b1": "+/-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2248": "~",
    "\u03bc": "u",
    "\u00b5": "u",
    "\u03c7": "chi",
    "\u00b0": "deg",
    "\u201c": '"',
    "\u201d": '"',
    "\u2018": "'",
    "\u2019": "'",
}


def open_streams() -> None:
    """Let stdout and stderr write any text: what the console lacks is spelled out."""
    codecs.register_error("sozai", _spell_out)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="sozai")


def exit_code(error: BaseException) -> int | None:
    """Exit code of a failure: 2 for usage, 3 for data, 4 for numbers, 130 for Ctrl-C, None for our own error.

    Examples
    --------
    >>> exit_code(InputError("no such column")), exit_code(ZeroDivisionError()), exit_code(KeyError("bug"))
    (3, 4, None)
    """
    from numpy.linalg import LinAlgError

    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, (NotInvertibleError, LinAlgError, ArithmeticError, MemoryError)):
        return 4
    if isinstance(error, UsageError):
        return 2
    if isinstance(error, (InputError, MissingDataError, MissingPackageError, OSError, UnicodeError)):
        return 3
    return None


def say_failure(error: BaseException) -> None:
    """One sentence on stderr."""
    if isinstance(error, KeyboardInterrupt):
        text = "Interrupted; no answer was written."
    elif isinstance(error, OSError) and error.strerror:
        place = f" {error.filename}" if error.filename else ""
        text = f"{error.strerror}:{place}. Check this place and its rights."
    elif isinstance(error, MemoryError):
        text = f"Not enough memory. {error} Use fewer columns, a lower --order or fewer --operations."
    else:
        text = in_command_words(str(error.args[0]) if len(error.args) == 1 else str(error))
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def emit_json(payload: Mapping[str, Any], *, schema: str, source: str | None, notes: list[str]) -> None:
    """Write one JSON object on stdout, ASCII only, with the keys every command shares."""
    import sozai

    shared = {"schema": schema, "version": sozai.__version__, "input": source}
    whole = {**shared, **payload, "warnings": notes}
    sys.stdout.write(json.dumps(plain_values(whole), ensure_ascii=True, allow_nan=False) + "\n")
    sys.stdout.flush()


def plain_values(value: Any) -> Any:
    """Numbers, text, lists and objects as JSON knows them; NaN and inf become None.

    Examples
    --------
    >>> import numpy as np
    >>> plain_values({"q2": -np.inf, "terms": (np.int64(1), "a"), "x": np.array([0.5, np.nan])})
    {'q2': None, 'terms': [1, 'a'], 'x': [0.5, None]}
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain_values(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_values(part) for part in value]
    if hasattr(value, "tolist"):
        return plain_values(value.tolist())
    if isinstance(value, int):
        return value
    if hasattr(value, "__float__"):
        number = float(value)
        return number if math.isfinite(number) else None
    return str(value)


def console() -> Console:
    """Terminal on stdout; without a terminal, plain text of a fixed width."""
    return _console(sys.stdout)


def progress_console() -> Console:
    """Terminal on stderr, for progress; silent when stderr is no terminal."""
    return _console(sys.stderr)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """List that gains every warning of the block once, and what the package logged as a warning."""
    notes: list[str] = []
    handler = _NoteHandler(notes)
    logger = logging.getLogger("sozai")
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, category, *_, **__: _note(notes, str(message))
            yield notes
    finally:
        logger.removeHandler(handler)


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings: a law tried on parts of the table leaves its range by design."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass
class Interruption:
    """Whether Ctrl-C came during the block."""

    came: bool = field(default=False)


@contextmanager
def note_interrupt() -> Iterator[Interruption]:
    """Remember a Ctrl-C that the search itself answers with its best list so far."""
    state = Interruption()

    def interrupt(number: int, frame: Any) -> None:
        state.came = True
        signal.default_int_handler(number, frame)

    try:
        before = signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # not the main thread: Ctrl-C cannot come here
        yield state
        return
    try:
        yield state
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def staged_folder(output: Path) -> Iterator[Path]:
    """Folder beside ``output`` whose files move there when the block ends well, and vanish otherwise.

    Other files that lie in ``output`` stay.
    """
    output = output.absolute()
    if output.exists() and not output.is_dir():
        raise InputError(
            sentence(
                "--output", "DIR", "be a folder", str(output), remedy="Name a folder; it is made when needed."
            )
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    stage = output.with_name(f".{output.name}.{os.getpid()}.partial")
    stage.mkdir()
    try:
        yield stage
        for file in sorted(path for path in stage.rglob("*") if path.is_file()):
            target = output / file.relative_to(stage)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


class _NoteHandler(logging.Handler):
    """Logged warnings as notes."""

    def __init__(self, notes: list[str]):
        super().__init__(level=logging.WARNING)
        self.notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        _note(self.notes, record.getMessage())


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _console(stream: Any) -> Console:
    from rich.console import Console

    width = None if stream.isatty() else 120
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    """Spelling of the characters a console lacks: a known word, the bare letter, or the code point."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelled = "".join(
        _spelled(character, error.encoding) for character in error.object[error.start : error.end]
    )
    return spelled, error.end


def _spelled(character: str, encoding: str) -> str:
    known = _SPELLED.get(character)
    if known is None:
        normal = unicodedata.normalize("NFKD", character)
        raised = "^" if "<super>" in unicodedata.decomposition(character) else ""
        known = raised + "".join(part for part in normal if not unicodedata.combining(part))
    try:
        known.encode(encoding)
    except UnicodeEncodeError:
        return character.encode("ascii", "backslashreplace").decode("ascii")
    return known
