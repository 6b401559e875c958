"""Files of formulas: how they are read, and which of their columns holds the formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sozai.apps.cli.table_reading import read_asked
from sozai.contracts.errors import InputError, sentence

__all__ = [
    "FormulaFile",
    "as_written",
    "basis_of",
    "formula_column",
    "isotopes_of",
    "read_file",
    "resolve_column",
    "without_isotope_warning",
]

_TRIED = 500  # filled cells of a column, evenly over it, that tell whether it holds formulas
_LARGEST_EXACT = 2.0**53
_SHARE, _NAMED_SHARE = 0.8, 0.2  # of them that must be readable; of a column named so
_NAMES = re.compile(r"formula|composition|compound|組成|化学式|化合物", re.IGNORECASE)
_BASES = {"at%": "at%", "at.%": "at%", "mol%": "at%", "wt%": "wt%", "wt.%": "wt%", "mass%": "wt%"}


@dataclass(frozen=True)
class FormulaFile:
    """A file with formulas, and how the user says it is to be read.

    With ``or_found`` the column of formulas is sought when the file has none of that name.

    Examples
    --------
    >>> FormulaFile(Path("alloys.csv")).table
    'sozai'
    """

    path: Path
    formula: str | None = None
    table: str = "sozai"
    basis: str | None = None
    values: Mapping[str, float | str] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    or_found: bool = False


def read_file(source: FormulaFile) -> Any:
    """Table of a file that has rows; a sheet asked of a text file is refused."""
    table = read_asked(source.path, source, id_columns=source.identifiers, sheet=source.sheet)
    if not len(table.frame):
        remedy = "Check that the right file was saved."
        raise InputError(f"{source.path} must have rows below its header. {remedy}")
    return table


def resolve_column(table: Any, name: str, option: str) -> str:
    """Column of the table; a message names the option, and the other sheets of a workbook."""
    try:
        return str(table.resolve(name))
    except InputError as error:
        text = str(error).replace("Table.resolve: column", f"{option}: the column", 1)
        others = [repair.message for repair in table.repairs if repair.code == "sheet"]
        if table.sheet is not None:
            text += f" Read was sheet {table.sheet!r}" + (f"; {others[0]}." if others else ".")
        raise InputError(text) from None


def as_written(frame: Any, texts: Mapping[str, Mapping[int, str]] | None = None) -> Any:
    """Columns of a user with whole numbers as whole numbers, also beside gaps and decimal numbers.

    Columns of decimal numbers alone stay as they are (1.0, 2.0). ``texts`` of a Table puts back what stood
    in cells that hold no number, and the spelling of truth values.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"n": [1.0, None], "x": [1.0, 2.5], "y": [1.0, 2.0]})
    >>> as_written(table).to_csv(index=False, lineterminator=" ")
    'n,x,y 1,1,1.0 ,2.5,2.0 '
    """
    import numpy as np
    import pandas as pd

    frame = frame.copy()
    for name in frame.columns[[dtype == np.float64 for dtype in frame.dtypes]]:
        values = frame[name].to_numpy()
        whole = (values == np.rint(values)) & (np.abs(values) < _LARGEST_EXACT)
        if whole.any() and not whole.all():
            written = values.astype(object)
            written[whole] = values[whole].astype(np.int64)
            written[np.isnan(values)] = None
            frame[name] = pd.Series(written, index=frame.index, dtype=object)
    for name, cells in (texts or {}).items():
        written = np.array(frame[name].to_numpy(dtype=object, na_value=None))
        written[list(cells)] = list(cells.values())
        frame[name] = pd.Series(written, index=frame.index, dtype=object)
    return frame


@contextmanager
def without_isotope_warning() -> Iterator[None]:
    """No warning about isotopes: the notes name their rows as the file counts them."""
    import warnings

    from sozai.contracts.errors import FormulaWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormulaWarning)
        yield


def isotopes_of(components: Sequence[str]) -> str:
    """Whether D and T stand for themselves: when the table has a row for them.

    Examples
    --------
    >>> isotopes_of(["H", "O"]), isotopes_of(["D", "O"])
    ('merge', 'keep')
    """
    return "keep" if {"D", "T"} & set(components) else "merge"


def formula_column(table: Any, source: FormulaFile, option: str = "--formula") -> tuple[str, list[str]]:
    """Column of the formulas: the one named, else the one found, with a note that says so."""
    column = None if source.formula is None else _named_column(table, source, option)
    notes = []
    if column is None:
        column = _find_column(table, source)
        notes.append(f"Column {column!r} of {source.path} is taken as that of the formulas.")
    _refuse_numbers(table, column, option)
    return column, notes


def basis_of(table: Any, column: str, source: FormulaFile) -> tuple[str, list[str]]:
    """What the numbers count: as asked for, else as the header says, else atoms."""
    if source.basis is not None:
        return source.basis, []
    unit = table.units.get(column)
    basis = _BASES.get("".join(str(unit or "").lower().split()), "amount")
    if basis == "amount":
        return basis, []
    return basis, [f"Column {column!r} has the unit {unit}, so its numbers are read with --basis {basis}."]


# --- finding it ---------------------------------------------------------------------------------------


def _find_column(table: Any, source: FormulaFile) -> str:
    """Find the one column of text that reads as formulas; where several do, the one that is named so."""
    called = [name for name in table.frame.columns if _NAMES.search(table.headers.get(name, name))]
    found = [
        name
        for name in table.frame.columns
        if _reads_as_formulas(table.frame[name], source, _NAMED_SHARE if name in called else _SHARE)
    ]
    named = [name for name in found if name in called]
    chosen = found if len(found) == 1 else named
    if len(chosen) == 1:
        return str(chosen[0])
    listed = ", ".join(map(repr, found or table.frame.columns))
    must = "be named where several columns read as formulas" if found else "be named, since none reads as one"
    raise InputError(
        f"--formula: the column of formulas must {must}. Found {listed} in '{table.source}'. Name it: "
        "--formula COL."
    )


def _named_column(table: Any, source: FormulaFile, option: str) -> str | None:
    """Column that the user named; None where it is not there and may be sought."""
    try:
        return resolve_column(table, str(source.formula), option)
    except InputError:
        if source.or_found:
            return None
        raise


def _reads_as_formulas(column: Any, source: FormulaFile, share: float) -> bool:
    """Whether this share of the filled cells are formulas."""
    import numpy as np

    from sozai.composition.formula import parse_formulas

    if not _is_text(column):
        return False
    cells = column.dropna()
    if not len(cells):
        return False
    some = cells.iloc[np.unique(np.linspace(0, len(cells) - 1, min(len(cells), _TRIED)).astype(int))]
    basis = source.basis or "amount"
    with without_isotope_warning():
        numbers = {name: value for name, value in source.values.items() if not isinstance(value, str)}
        parsed = parse_formulas(some, on_error="nan", basis=basis, values=numbers or None)
    known = {"variable", "percent", "sum", "component"}  # formulas, though not readable as they stand
    other = parsed.refused.copy()
    rows = [
        row for row, code in zip(parsed.issues["row"], parsed.issues["code"], strict=True) if code in known
    ]
    other[rows] = False
    return bool(1.0 - other.mean() >= share)


def _is_text(column: Any) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return not (is_numeric_dtype(column) or is_bool_dtype(column))


def _refuse_numbers(table: Any, column: str, option: str) -> None:
    """Say that a column of numbers holds no formulas."""
    cells = table.frame[column]
    if _is_text(cells):
        return
    filled = cells.dropna()
    got = filled.iloc[0] if len(filled) else "no cell"
    raise InputError(
        sentence(
            option, f"column {column!r}", "hold chemical formulas such as Fe2O3",
            got.item() if hasattr(got, "item") else got, at=f"in '{table.source}'",
            remedy="Name the column of formulas.",
        )
    )  # fmt: skip
