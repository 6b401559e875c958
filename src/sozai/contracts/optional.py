"""Import an optional package late, and explain how to install it when it is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from sozai.contracts.errors import MissingPackageError

__all__ = ["need"]


def need(module: str, *, for_: str, extra: str | None = None) -> ModuleType:
    """Import ``module``, or say in one sentence how to install it.

    Parameters
    ----------
    module : str
        Name as in ``import``; dots are allowed.
    for_ : str
        What needs it, e.g. ``"reading .xlsx files"``.
    extra : str, optional
        The extra of ``sozai`` that installs it; the package itself is named when left out.

    Returns
    -------
    module
        The imported module itself, also for a dotted name.

    Raises
    ------
    MissingPackageError
        When the package is absent. A package that is there but fails to import
        keeps its own error.

    Examples
    --------
    >>> need("json", for_="reading the settings").loads("[1, 2]")
    [1, 2]
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        wanted = f'"sozai[{extra}]"' if extra else package
        raise MissingPackageError(
            f"{for_} needs the package {package!r}, which is not installed. Run: pip install {wanted}",
            name=package,
        ) from error
