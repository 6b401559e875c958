"""Frozen result records shared by rooms."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Failure"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One piece of work that could not be done, among others that could.

    Attributes
    ----------
    index : int
        Which piece: the position in the list of results.
    name : str
        Name of the function that was to do it.
    kind : str
        The exception that ended it, e.g. ``"TerminatedWorkerError"``.
    message : str
        What happened and what to do, in one sentence.

    Examples
    --------
    >>> Failure(3, "screen", "KilledWorker", "The worker died twice. Use smaller chunks.")
    Failure: screen, chunk 3: The worker died twice. Use smaller chunks.
    """

    index: int
    name: str
    kind: str
    message: str

    def __repr__(self) -> str:
        return f"Failure: {self.name}, chunk {self.index}: {self.message}"
