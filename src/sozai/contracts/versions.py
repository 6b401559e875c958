"""What is installed here: the first thing a bug report needs."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

__all__ = ["Versions", "show_versions"]

_PACKAGES = (
    "numpy", "scipy", "scikit-learn", "pandas", "numba", "joblib", "typer", "rich", "matplotlib", "pooch",
    "openpyxl", "dask", "distributed",
)  # fmt: skip


class Versions(dict[str, str]):
    """Name to version, shown as a table.

    Examples
    --------
    >>> print(Versions(sozai="0.1.0", numpy="2.4.6"))
    sozai  0.1.0
    numpy  2.4.6
    """

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:<{width}}  {version}" for name, version in self.items())

    __str__ = __repr__


def show_versions() -> Versions:
    """Versions of sozai, Python, the machine and every package that sozai uses.

    Nothing is imported for it: the versions are read from the installed
    packages' metadata.

    Returns
    -------
    Versions
        A dict whose ``repr`` is the table to paste into a report.

    Examples
    --------
    >>> show_versions()["numpy"].split(".")[0]
    '2'
    """
    from sozai import __version__

    versions = Versions(sozai=__version__, python=sys.version.split()[0], machine=platform.platform())
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
