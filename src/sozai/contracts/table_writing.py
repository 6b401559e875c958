"""Write a table whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.whole_file import replace_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_table"]


def write_table(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    units: Mapping[str, str | None] | None = None,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Path:
    """Write a table whole or not at all, so that ``read_table`` reads the same numbers.

    Parameters
    ----------
    frame : DataFrame
        The index is not written.
    path : path-like
        Replaced only after the new file is complete.
    units : mapping of str to str, optional
        Unit of each column, written as ``name [unit]``.
    encoding : str
        The default opens in Excel with Japanese intact.
    delimiter : str
        ``","``, ``";"`` or tab.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        For a character that the encoding lacks, and for a folder that cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib, pandas as pd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "out.csv"
    >>> from sozai.contracts.tables import read_table
    >>> table = read_table(write_table(pd.DataFrame({"T": [0.1, 300.0]}), path, units={"T": "K"}))
    >>> table.frame["T"].tolist(), table.units["T"]
    ([0.1, 300.0], 'K')
    """
    target = Path(path)
    given = units or {}
    header = [f"{name} [{given[name]}]" if given.get(name) else str(name) for name in frame.columns]
    text = frame.set_axis(header, axis=1).to_csv(index=False, sep=delimiter, lineterminator="\n")
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError as error:
        row = text.count("\n", 0, error.start) + 1
        value = text[error.start : error.start + 1]
        raise InputError(
            sentence("write_table", "text", f"fit the encoding {encoding}", value, at=f"at row {row}",
                     remedy="Write with encoding='utf-8-sig'.")
        ) from None  # fmt: skip
    try:
        replace_file(target, data)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            sentence("write_table", "path", f"be writable ({reason})", str(target),
                     remedy="Close the file elsewhere, or choose an existing folder.")
        ) from error  # fmt: skip
    return target
