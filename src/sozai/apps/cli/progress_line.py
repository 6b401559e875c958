"""What is done so far, on the one line of progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

__all__ = ["Steps"]


class Steps:
    """Count what is done and say it.

    Parameters
    ----------
    update : callable
        Takes the text of the line.
    text : str
        With ``{done}`` where the number belongs.

    Examples
    --------
    >>> said = []
    >>> steps = Steps(said.append, "{done} of 5 folds")
    >>> steps.advance()
    >>> steps.advance(2)
    >>> said
    ['1 of 5 folds', '3 of 5 folds']
    """

    def __init__(self, update: Callable[[str], object], text: str) -> None:
        self._update, self._text, self._done = update, text, 0

    def advance(self, n: int = 1) -> None:
        """Say that ``n`` more are done."""
        self._done += n
        self._update(self._text.format(done=f"{self._done:,}"))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A copied search talks to the same line."""
        return self
