"""The exceptions and the sentence form they share."""

from __future__ import annotations

__all__ = [
    "ConvergenceWarning",
    "ExtrapolationWarning",
    "FormulaWarning",
    "InputError",
    "MissingDataError",
    "MissingPackageError",
    "NotIndependentError",
    "NotInvertibleError",
    "UnitError",
    "sentence",
]


class InputError(ValueError):
    """What the user gave cannot be used; the message says what to do."""


class UnitError(InputError):
    """Two physical dimensions that do not fit were combined."""


class NotIndependentError(InputError):
    """Chosen columns obey a linear relation, so they cannot stand side by side."""


class NotInvertibleError(ValueError):
    """A map has no inverse at the requested point."""


class MissingPackageError(ImportError):
    """An optional package is needed; the message says how to install it."""


class MissingDataError(LookupError):
    """A data set is not on this machine; the message says where it comes from."""


class ConvergenceWarning(UserWarning):
    """A numerical answer exists but is less certain than it looks."""


class ExtrapolationWarning(UserWarning):
    """A prediction was asked for outside the region the model has seen."""


class FormulaWarning(UserWarning):
    """A chemical formula was read in a way that leaves something out, such as an isotope."""


_NOT_GIVEN = object()


def sentence(
    place: str,
    argument: str,
    requirement: str,
    value: object = _NOT_GIVEN,
    *,
    at: str = "",
    remedy: str = "",
) -> str:
    """Say what must hold, what came, where, and what to do, in one form.

    Parameters
    ----------
    place : str
        ``"Class.method"`` or ``"function"``.
    argument : str
        Name of the argument.
    requirement : str
        What it must do, e.g. ``"be positive"``.
    value : object, optional
        What came instead; shown by ``repr``, cut at 120 characters.
    at : str
        Where it came from, e.g. ``"at row 3, column 'T'"``.
    remedy : str
        One imperative sentence.

    Returns
    -------
    str
        ``"{place}: {argument} must {requirement}. Got {value} {at}. {remedy}"``

    Examples
    --------
    >>> sentence("row_reduce", "tolerance", "be positive", -1, remedy="Leave it out to use the default.")
    'row_reduce: tolerance must be positive. Got -1. Leave it out to use the default.'
    """
    text = f"{place}: {argument} must {requirement}."
    if value is not _NOT_GIVEN:
        shown = repr(value)
        shown = shown if len(shown) <= 120 else shown[:117] + "..."
        text += f" Got {shown}{' ' + at if at else ''}."
    elif at:
        text += f" Found {at}."
    return f"{text} {remedy}" if remedy else text
