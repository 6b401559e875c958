"""From a file to a column of formulas: which column, what each cell says, which cells cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.formula_columns import (
    FormulaFile,
    basis_of,
    formula_column,
    isotopes_of,
    read_file,
    without_isotope_warning,
)
from sozai.apps.cli.formula_wording import in_formula_words, listed_rows
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = [
    "FormulaRows",
    "in_option_words",
    "listed_issues",
    "read_components",
    "read_formulas",
    "read_values",
    "values_of",
]


@dataclass(frozen=True, eq=False)
class FormulaRows:
    """Every row of the file with its formula.

    Attributes
    ----------
    table : Table
        The whole file.
    column : str
        Label of the column of formulas.
    parsed : ParsedFormulas
        A row for every row of the file; those that cannot be read are marked.
    basis : str
        What the numbers were taken to count.
    issues : list of dict
        ``row`` (as the file counts, from 1), ``text, code, message, repair, refused``.
    notes : tuple of str
        What was chosen unasked, repaired or refused.
    """

    table: Any
    column: str
    parsed: Any
    basis: str
    issues: list[dict[str, Any]]
    notes: tuple[str, ...]

    @property
    def refused(self) -> np.ndarray:
        """Whether each row cannot be read."""
        mask: np.ndarray = self.parsed.refused
        return mask

    @property
    def reasons(self) -> dict[int, str]:
        """Why a row cannot be read, by its number in the file."""
        return {issue["row"]: issue["message"] for issue in self.issues if issue["refused"]}

    @property
    def beside(self) -> pd.DataFrame:
        """The other columns."""
        others: pd.DataFrame = self.table.frame.drop(columns=[self.column])
        return others

    def texts(self) -> list[str]:
        """Formulas as they stand in the file; empty where nothing stands."""
        return ["" if not isinstance(text, str) else text for text in self.parsed.texts]


def read_formulas(
    source: FormulaFile, components: Sequence[str], *, option: str = "--formula"
) -> FormulaRows:
    """Read the file, find the column and read every formula that can be read.

    Parameters
    ----------
    source : FormulaFile
    components : sequence of str
        What the table knows.
    option : str
        Named in messages about the column.

    Returns
    -------
    FormulaRows

    Raises
    ------
    InputError
        For a file without rows, a column that is not there or holds numbers, and when no formula at
        all can be read.
    """
    from sozai.composition.formula import parse_formulas

    table = read_file(source)
    column, notes = formula_column(table, source, option)
    basis, said = basis_of(table, column, source)
    with without_isotope_warning(), in_option_words():
        parsed = parse_formulas(
            table.frame[column], components=components, on_error="nan", basis=basis,
            values=values_of(table, source.values), isotopes=isotopes_of(components),
        )  # fmt: skip
    issues = _issues(table, parsed)
    if parsed.refused.all():
        _refuse_all(table, column, issues)
    return FormulaRows(
        table, column, parsed, basis, issues, (*notes, *said, *_issue_notes(issues, table, column))
    )


def values_of(table: Any, values: Mapping[str, float | str]) -> dict[str, Any] | None:
    """Values of variables for the rows of a file: numbers, or the cells of a column."""
    from sozai.apps.cli.formula_columns import resolve_column

    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, str):
            column = resolve_column(table, value, "--values")
            found[name] = _numbers_of(table, column)
        else:
            found[name] = value
    return found or None


def read_values(entries: Sequence[str]) -> dict[str, float | str]:
    """Read ``NAME=NUMBER`` and ``NAME=COLUMN`` entries.

    Examples
    --------
    >>> read_values(["x=0.3", "δ = 0.05", "y=Sr content"])
    {'x': 0.3, 'δ': 0.05, 'y': 'Sr content'}
    """
    values: dict[str, float | str] = {}
    for entry in entries:
        name, equals, text = (part.strip() for part in entry.partition("="))
        if not equals or not name or not text:
            raise UsageError(
                sentence(
                    "--values", "each entry", "read NAME=NUMBER or NAME=COLUMN", entry,
                    remedy="Write --values x=0.3, or --values x=x for the column x.",
                )
            )  # fmt: skip
        try:
            values[name] = float(text)
        except ValueError:
            values[name] = text
    return values


def _numbers_of(table: Any, column: str) -> Any:
    """Numbers of a column, NaN where a cell is empty."""
    import numpy as np
    from pandas.api.types import is_numeric_dtype

    cells = table.frame[column]
    if not is_numeric_dtype(cells):
        filled = [str(cell) for cell in cells.dropna()[:1]]
        raise InputError(
            sentence(
                "--values", f"column {column!r}", "hold numbers", filled[0] if filled else None,
                at=f"in '{table.source}'", remedy="Name a column of numbers, or write a number.",
            )
        )  # fmt: skip
    return cells.to_numpy(dtype=np.float64)


def read_components(table: str) -> Any:
    """Table of the elements that a word or a path of ``--table`` names.

    A file of one's own has the symbols in its first column and one feature in each of the others.
    """
    from sozai.composition.elements import as_table

    if table in ("sozai", "elements", "published") or not Path(table).is_file():
        with in_option_words():
            return as_table(table, place="--table")
    return _own_components(Path(table))


def _own_components(path: Path) -> Any:
    """Table of the elements from a file in any encoding that tables may have."""
    from sozai.composition.elements import ComponentTable
    from sozai.contracts.tables import read_table

    read = read_table(path)
    names, *features = read.frame.columns
    if not features or not len(read.frame):
        raise InputError(
            sentence(
                "--table", "the file", "hold a column of symbols and one or more of features",
                f"{len(read.frame)} rows and {len(read.frame.columns)} columns", at=f"in '{path}'",
                remedy="Put the symbols in the first column and one feature in each of the others.",
            )
        )  # fmt: skip
    try:
        values = read.numeric(features).values
    except InputError as error:
        said = re.sub(r"^Table\.numeric: ", "--table: ", str(error))
        raise InputError(said.replace(", or leave such rows out with missing='drop'", "")) from None
    frame = values.set_index(read.frame.loc[values.index, names].astype(str))
    with in_option_words():
        return ComponentTable.from_frame(
            frame, name=path.stem, units=[read.units.get(feature) for feature in features]
        )


@contextmanager
def in_option_words() -> Iterator[None]:
    """Let what the library refuses be said with the options of the command line."""
    try:
        yield
    except InputError as error:
        raise type(error)(in_formula_words(str(error))) from None


def listed_issues(issues: Sequence[dict[str, Any]], *, refused: bool) -> list[dict[str, Any]]:
    """Issues of rows that were refused, or of those that were repaired."""
    return [issue for issue in issues if issue["refused"] is refused]


# --- the rows --------------------------------------------------------------------------------------------


def _issues(table: Any, parsed: Any) -> list[dict[str, Any]]:
    """Issues with rows as the file counts them."""
    records = []
    for issue in parsed.issues.to_dict("records"):
        at = int(issue["row"])
        text = issue["text"] if isinstance(issue["text"], str) else None
        records.append(
            {
                "row": int(table.rows[at]),
                "text": text,
                "code": issue["code"],
                "message": in_formula_words(str(issue["message"])),
                "repair": issue["repair"] or None,
                "refused": bool(parsed.refused[at]),
            }
        )
    return records


def _refuse_all(table: Any, column: str, issues: list[dict[str, Any]]) -> None:
    """Nothing is left: the first row says why."""
    first = issues[0]
    count = len({issue["row"] for issue in issues})
    counted = "1 row" if count == 1 else f"{count} rows"
    raise InputError(
        f"No formula of column {column!r} of '{table.source}' can be read ({counted}). Row "
        f"{first['row']}: {first['message']} Got {first['text']!r}. Name another column by --formula, or "
        "correct the cells."
    )


def _issue_notes(issues: list[dict[str, Any]], table: Any, column: str) -> list[str]:
    """One note on the rows refused, one on those repaired, one on isotopes."""
    notes, where = [], f"column {column!r} of {table.source}"
    refused = listed_issues(issues, refused=True)
    if refused:
        rows = list(dict.fromkeys(issue["row"] for issue in refused))
        last = {issue["row"]: issue for issue in refused}
        first = last[rows[0]]
        notes.append(
            f"No formula could be read in {listed_rows(rows)} of {where}; row {first['row']}, "
            f"{first['text']!r}: {first['message']}"
        )
    repaired = [issue for issue in listed_issues(issues, refused=False) if issue["code"] != "isotope"]
    if repaired:
        first = repaired[0]
        rows = list(dict.fromkeys(issue["row"] for issue in repaired))
        result = f" ({first['repair']})" if first["repair"] else ""
        notes.append(
            f"Formulas were repaired in {listed_rows(rows)} of {where}; row {first['row']}, "
            f"{first['text']!r}: {first['message']}{result}."
        )
    isotopes = [issue["row"] for issue in issues if issue["code"] == "isotope" and not issue["refused"]]
    if isotopes:
        notes.append(f"D and T are counted as hydrogen in {listed_rows(isotopes)} of {where}.")
    return notes
