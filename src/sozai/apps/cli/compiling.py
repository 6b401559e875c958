"""Say that the wait is for a compiler, and that it comes once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["COMPILING", "told_when_compiling"]

COMPILING = "compiling the fit for this machine, once; the next run starts at once"
"""What is said."""

_PATIENCE = 2.0


@contextmanager
def told_when_compiling(say: Callable[[str], object], *, patience: float = _PATIENCE) -> Iterator[None]:
    """Say :data:`COMPILING` once when numba has compiled for some seconds; what it finds on disk is no wait.

    Parameters
    ----------
    say : callable
        Takes the sentence, from another thread.
    patience : float, default=2
        Seconds of compiling before anything is said.

    Examples
    --------
    >>> said = []
    >>> with told_when_compiling(said.append):
    ...     pass
    >>> said
    []
    """
    from numba.core import event

    watch = _Watch(say, patience)
    # numba takes listeners of its own class alone
    listener = type("Compiling", (event.Listener,), {"on_start": watch.began, "on_end": watch.ended})()
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)
        watch.close()


class _Watch:
    """Count compilations under way, one inside another, and speak when they last."""

    def __init__(self, say: Callable[[str], object], patience: float) -> None:
        self._say, self._patience = say, patience
        self._lock, self._depth, self._over = threading.Lock(), 0, False
        self._timer: threading.Timer | None = None

    def began(self, _: Any) -> None:
        """One more begins."""
        with self._lock:
            self._depth += 1
            if self._timer is None and not self._over:
                self._timer = threading.Timer(self._patience, self._speak)
                self._timer.daemon = True
                self._timer.start()

    def ended(self, _: Any) -> None:
        """One has ended."""
        with self._lock:
            self._depth -= 1

    def close(self) -> None:
        """Nothing more is said."""
        with self._lock:
            self._over = True
            if self._timer is not None:
                self._timer.cancel()

    def _speak(self) -> None:
        with self._lock:
            if self._over:
                return
            if not self._depth:  # that one was short; the next one may not be
                self._timer = None
                return
            self._over = True
        self._say(COMPILING)
