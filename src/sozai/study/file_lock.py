"""One writer at a time: a lock file that a dead process cannot hold."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from sozai.contracts.errors import InputError, sentence

__all__ = ["file_lock"]

_PAUSE = 0.02


@contextlib.contextmanager
def file_lock(path: Path, *, timeout: float = 30.0) -> Iterator[dict[str, object] | None]:
    """Hold a lock file while a block of code runs.

    Parameters
    ----------
    path : pathlib.Path
        The lock file, in an existing folder; removed at the end.
    timeout : float
        Seconds to wait for another process.

    Yields
    ------
    dict or None
        What a process that died with the lock in hand had written into it; None
        when the lock was free.

    Raises
    ------
    InputError
        When another process holds the lock all the time; its number is named.

    Notes
    -----
    The operating system holds the lock (``flock``, on Windows a locked byte)
    and lets go when the process ends, however it ends. The file itself only
    says who holds it. A file that was removed between opening and locking is
    noticed and opened again.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "campaign.lock")
    >>> with file_lock(path) as left_over:
    ...     path.exists(), left_over
    (True, None)
    >>> path.exists()
    False
    """
    until = time.monotonic() + timeout
    try:
        handle = _acquire(path, until)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            sentence("file_lock", "folder", f"be one that can be written ({reason})", str(path.parent),
                     remedy="Copy the files to a folder of your own.")
        ) from error  # fmt: skip
    while handle is None:
        if time.monotonic() > until:
            _refuse(path, timeout)
        time.sleep(_PAUSE)
        handle = _acquire(path, until)
    try:
        left_over = _read(handle)
        me = {"process": os.getpid(), "machine": socket.gethostname()}
        os.lseek(handle, 1, os.SEEK_SET)
        os.ftruncate(handle, 1)
        os.write(handle, json.dumps(me).encode("ascii"))
        yield left_over
    finally:
        _release(handle, path)


def _acquire(path: Path, until: float) -> int | None:
    """Handle of the locked file; None while another process holds it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    except PermissionError:
        if time.monotonic() < until and path.exists():
            return None
        raise
    try:
        held = _lock(handle) and _is_same_file(handle, path)
    except OSError:
        os.close(handle)
        raise
    if held:
        return handle
    os.close(handle)
    return None


def _lock(handle: int) -> bool:
    """Ask the operating system for the lock, without waiting."""
    try:
        import fcntl
    except ImportError:
        return _lock_byte(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_byte(handle: int) -> bool:
    """The same on Windows: lock the first byte."""
    import msvcrt

    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


def _is_same_file(handle: int, path: Path) -> bool:
    """Whether the path still leads to the file that was locked."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _read(handle: int) -> dict[str, object] | None:
    """What the last holder wrote, if it left anything."""
    os.lseek(handle, 1, os.SEEK_SET)
    text = os.read(handle, 4096)
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _release(handle: int, path: Path) -> None:
    """Remove the file, then let go of the lock; Windows wants it the other way round."""
    if os.name == "nt":
        os.close(handle)
        with contextlib.suppress(OSError):
            path.unlink()
        return
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    os.close(handle)


def _refuse(path: Path, timeout: float) -> None:
    """Error that names who holds the lock."""
    try:
        holder = path.read_bytes()[1:].decode("ascii", errors="replace")
    except OSError:
        holder = "unknown"
    raise InputError(
        sentence("file_lock", str(path), f"be free within {timeout:g} s", holder,
                 remedy="Wait until that process has saved, or end it.")
    )  # fmt: skip
