"""Wrong use of the options themselves, told apart from wrong data: it leaves with exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sozai.contracts.errors import InputError

__all__ = ["UsageError", "as_usage"]


class UsageError(InputError):
    """An option that cannot be read, or options that do not go together, whatever the table holds."""


@contextmanager
def as_usage() -> Iterator[None]:
    """Let what a part of the library refuses be a wrong use of an option.

    Examples
    --------
    >>> with as_usage():
    ...     raise InputError("--limits: each entry must be an interval.")
    Traceback (most recent call last):
    sozai.apps.cli.usage.UsageError: --limits: each entry must be an interval.
    """
    try:
        yield
    except InputError as error:
        raise UsageError(str(error)) from None
