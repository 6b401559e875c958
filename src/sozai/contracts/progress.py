"""A bar on the terminal for work that takes more than two seconds, and nothing anywhere else."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any, Protocol

__all__ = ["Progress", "Silent", "TerminalBar", "progress_bar"]

DELAY = 2.0
"""Seconds before a bar appears."""


class Progress(Protocol):
    """What a loop may ask of the object that watches it."""

    def advance(self, n: int = 1) -> None:
        """Say that ``n`` more pieces are done."""


class Silent:
    """The bar that is not there: same interface, no effect, so that no loop needs an ``if``.

    Examples
    --------
    >>> with Silent() as bar:
    ...     bar.advance(3)
    """

    def advance(self, n: int = 1) -> None:
        """Do nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class TerminalBar(Silent):
    """A rich bar on standard error that shows itself only when the work outlasts ``DELAY``.

    Parameters
    ----------
    total : int
        Number of pieces.
    description : str
        Text before the bar.
    """

    def __init__(self, total: int, description: str) -> None:
        self._total, self._description = total, description
        self._done, self._over = 0, False
        self._bar: Any = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(DELAY, self._show)
        self._timer.daemon = True

    def advance(self, n: int = 1) -> None:
        """Move the bar by ``n`` pieces."""
        with self._lock:
            self._done += n
            if self._bar is not None:
                self._bar.update(0, completed=self._done)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        with self._lock:
            if self._over:
                return
            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task(self._description, total=self._total, completed=self._done)
            self._bar.start()

    def __enter__(self) -> TerminalBar:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()


class _Watched(Silent):
    """Hand every step on to an object of the caller's."""

    def __init__(self, watcher: Progress) -> None:
        self.advance = watcher.advance  # type: ignore[method-assign]


def progress_bar(total: int, description: str, *, progress: Progress | bool | None = None) -> Silent:
    """Choose what watches a loop of ``total`` pieces.

    Parameters
    ----------
    total : int
        Number of pieces.
    description : str
        Text before the bar.
    progress : object with ``advance(n)``, bool or None
        Your own watcher; ``False`` for none; ``None`` or ``True`` for a bar on
        standard error, drawn only on a terminal and after two seconds.

    Returns
    -------
    context manager with ``advance(n=1)``

    Examples
    --------
    >>> with progress_bar(3, "Fitting") as bar:
    ...     for _ in range(3):
    ...         bar.advance()
    """
    if progress is not None and not isinstance(progress, bool):
        return _Watched(progress)
    if progress is False or not sys.stderr.isatty():
        return Silent()
    return TerminalBar(total, description)
