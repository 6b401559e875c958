"""From a file to the columns a law is fitted to: which ones, which rows, which units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.class_reading import Labeled, holds_classes, need_classes, read_labeled
from sozai.apps.cli.table_question import TableQuestion, read_units
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, UnitError, sentence

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

__all__ = [
    "NewRows", "Reading", "answered_rows", "left_out_note", "outside", "read_asked", "read_new_rows",
    "read_question", "units_of",
]  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """Columns and rows of one question.

    Attributes
    ----------
    table : Table
        The whole file with the report of its repairs.
    X : DataFrame
        Features, float64; the index names the rows as the file counts them.
    y : ndarray of shape (n_rows,)
        Numbers, or labels of classes.
    target : str
    units : dict of str to str or None
        Of the features and the target.
    groups : ndarray or None
    row_names : list of str
        Identifiers joined by a space, or row numbers.
    dropped : list of dict
        Rows left out because a cell is missing.
    notes : tuple of str
        Columns and rows left out, and why.
    is_class : bool
        Whether the target holds classes.
    """

    table: Any
    X: pd.DataFrame
    y: np.ndarray
    target: str
    units: dict[str, str | None]
    groups: np.ndarray | None
    row_names: list[str]
    dropped: list[dict[str, Any]]
    notes: tuple[str, ...]
    is_class: bool = False

    @property
    def target_unit(self) -> str | None:
        """Unit of the target."""
        return self.units.get(self.target)

    @property
    def feature_units(self) -> dict[str, str]:
        """Units of the features that have one."""
        known = {name: self.units.get(name) for name in self.X.columns}
        return {name: unit for name, unit in known.items() if unit is not None}


def read_question(question: TableQuestion, *, classes: bool = False) -> Reading:
    """Read the file and take the columns that the question names.

    With ``classes`` the target may hold classes; otherwise it must hold numbers.
    """
    table = read_asked(question.file, question, id_columns=question.identifiers, sheet=question.sheet)
    target = _resolve(table, question.target, "--target")
    identifiers = [_resolve(table, name, "--id") for name in question.identifiers]
    groups = None if question.groups is None else _resolve(table, question.groups, "--groups")
    ignored = {_resolve(table, name, "--ignore") for name in question.ignore}
    features, notes = _features(
        table, question, {target, *identifiers, *([groups] if groups else [])} | ignored
    )
    is_class = classes and holds_classes(table, target, question)
    taken = (read_labeled if is_class else _quantity)(table, features, target, question)
    values = taken.X
    _need_rows(values, question)
    if is_class:
        rows = table.rows[table.frame.index.get_indexer(values.index)]
        notes += need_classes(taken.y, rows, target)
    elif classes:
        _need_variation(taken.y, target, table.source)
    units, overruled = units_of(table, question)
    kept = table.frame.loc[values.index]
    labels = None if groups is None else kept[groups].astype(str).to_numpy()
    if labels is not None and len(set(labels)) < 2:
        raise InputError(
            sentence(
                "--groups", repr(groups), "hold at least 2 different values", len(set(labels)),
                remedy="Name a column that tells the groups apart.",
            )
        )  # fmt: skip
    return Reading(
        table=table,
        X=values,
        y=taken.y,
        target=target,
        units=units,
        groups=labels,
        row_names=_row_names(table, values.index, identifiers),
        dropped=taken.dropped,
        notes=(*notes, *overruled, *left_out_note(taken.dropped)),
        is_class=is_class,
    )


@dataclass(frozen=True)
class NewRows:
    """Rows to be predicted.

    Attributes
    ----------
    values : DataFrame
        Features in the units of the law, of the rows that have them all.
    rows : list of dict
        Every row: its label, its place in the file, its name and what it lacks.
    notes : list of str
        Units that had to be assumed.
    """

    values: pd.DataFrame
    rows: list[dict[str, Any]]
    notes: list[str]


def read_new_rows(question: TableQuestion, reading: Reading) -> NewRows:
    """Read the rows of ``--apply``: features in the units of the law, and what each row lacks."""
    new = read_asked(question.apply, question, id_columns=())
    where = {name: _resolve_feature(new, name, reading) for name in reading.X.columns}
    values, _, dropped = new.numeric(list(where.values()), missing="drop")
    values = values.rename(columns={label: name for name, label in where.items()})[list(where)]
    for name, label in where.items():
        values[name] = _in_law_unit(values[name], new, label, reading.units.get(name))
    assumed = [
        f"Column {label!r} of {question.apply} has no unit and is read in {reading.units[name]}."
        for name, label in where.items()
        if reading.units.get(name) and not new.units.get(label)
    ]
    found = [_resolve_or_none(new, name) for name in question.identifiers]
    identifiers = [name for name in found if name is not None]
    names = _row_names(new, new.frame.index, identifiers) if identifiers else [None] * len(new.frame)
    lacks = {row.label: f"no number in column {row.column!r}" for row in dropped}
    rows = [
        {"label": label, "row": int(row), "id": name, "missing": lacks.get(label, "")}
        for label, row, name in zip(new.frame.index, new.rows, names, strict=True)
    ]
    return NewRows(values, rows, assumed)


def answered_rows(new: NewRows, known: pd.DataFrame, nothing: dict[str, Any]) -> pd.DataFrame:
    """One row a new row: what is known of it by its label, or nothing and what it lacks."""
    import pandas as pd

    records = []
    for row in new.rows:
        lacking = {**nothing, "in_domain": False, "reason": row["missing"]}
        cells = lacking if row["missing"] else known.loc[row["label"]].to_dict()
        records.append({"row": row["row"], "id": row["id"], **cells})
    return pd.DataFrame(records, columns=["row", "id", *nothing, "in_domain", "reason"])


def outside(predictions: pd.DataFrame, file: Path | None, where: str) -> list[str]:
    """Say how many rows lie outside ``where``, and the first of them as the file counts it."""
    outside = predictions[~predictions["in_domain"].astype(bool)]
    if outside.empty:
        return []
    first, counts = outside.iloc[0], f"{len(outside)} of {len(predictions)} rows of {file}"
    return [f"{counts} lie outside {where} or lack a number; row {first['row']}: {first['reason']}."]


def left_out_note(dropped: Sequence[dict[str, Any]]) -> list[str]:
    """One note on all rows left out for an empty cell, the first ten by number; none without such rows.

    Examples
    --------
    >>> left_out_note([{"row": 6, "column": "T", "text": ""}, {"row": 9, "column": "p", "text": ""}])
    ['2 rows are left out for a missing cell: 6, 9.']
    """
    if not dropped:
        return []
    numbers = [str(record["row"]) for record in dropped]
    more = f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    counted = "1 row is" if len(numbers) == 1 else f"{len(numbers)} rows are"
    return [f"{counted} left out for a missing cell: {', '.join(numbers[:10])}{more}."]


def read_asked(path: Any, asked: Any, *, id_columns: Sequence[str], sheet: str | None = None) -> Any:
    """Table of one file; a sheet asked of a text file is refused."""
    from sozai.contracts.tables import read_table

    table = read_table(
        path, sheet=sheet, encoding=asked.encoding, delimiter=asked.delimiter, decimal=asked.decimal,
        id_columns=id_columns,
    )  # fmt: skip
    if sheet is not None and table.sheet is None:
        raise InputError(
            sentence("--sheet", "the file", "be a workbook", str(path), remedy="Leave --sheet out.")
        )
    return table


def _resolve(table: Any, name: str, option: str) -> str:
    """Column of the table; a message names the option, and the other sheets of a workbook."""
    try:
        return str(table.resolve(name))
    except InputError as error:
        text = str(error).replace("Table.resolve: column", f"{option}: the column", 1)
        if table.sheet is not None:
            others = [repair.message for repair in table.repairs if repair.code == "sheet"]
            found = f" Read was sheet {table.sheet!r}"
            text += f"{found}; {others[0]}. Choose one with --sheet." if others else f"{found}."
        raise InputError(text) from None


def units_of(
    table: Any, question: TableQuestion, resolve: Callable[[Any, str, str], str] = _resolve
) -> tuple[dict[str, str | None], list[str]]:
    """Units of the columns, those of ``--units`` first; and a note where the file says otherwise."""
    given = {resolve(table, name, "--units"): unit for name, unit in read_units(question.units).items()}
    notes = [
        f"--units: column {name!r} is taken in {unit or 'no unit'}; the file says {table.units[name]}."
        for name, unit in given.items()
        if table.units.get(name) and table.units[name] != unit
    ]
    return dict(table.units) | given, notes


def _numbers(table: Any, columns: list[str], missing: str) -> tuple[pd.DataFrame, Sequence[Any]]:
    """Values and dropped rows."""
    values, _, dropped = table.numeric(columns, missing=missing)
    return values, dropped


def _quantity(table: Any, features: list[str], target: str, question: TableQuestion) -> Labeled:
    """Features and target of the rows that have a number in all of them."""
    try:
        values, dropped = _numbers(table, [*features, target], question.missing)
    except InputError as error:
        if "kept as text" not in str(error) or f"column {target!r} must" not in str(error):
            raise
        raise InputError(f"{error} Or take its values as classes with --classify.") from None
    left_out = [{"row": row.row, "column": row.column, "text": row.text} for row in dropped]
    return Labeled(values[features], values[target].to_numpy(), left_out)


def _features(table: Any, question: TableQuestion, taken: set[str]) -> tuple[list[str], list[str]]:
    """Columns to explain by, and a note for every column that is left out unasked."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if question.features:
        chosen = [_resolve(table, name, "--features") for name in question.features]
        double = [name for name in chosen if name in taken]
        if double:
            raise UsageError(
                sentence(
                    "--features", "a feature", "not also be target, identifier, group or ignored", double[0],
                    remedy="Name it in one option only.",
                )
            )  # fmt: skip
        return list(dict.fromkeys(chosen)), []
    numeric, notes = [], []
    for name in table.frame.columns:
        if name in taken:
            continue
        column = table.frame[name]
        if is_numeric_dtype(column) and not is_bool_dtype(column) and column.notna().any():
            numeric.append(name)
        elif _mostly_numbers(column):
            _refuse_stray_text(table, name)
        else:
            notes.append(f"Column {name!r} holds no numbers and is left out.")
    if not len(table.frame):
        raise InputError(
            sentence(
                "explain table", f"{question.file}", "have rows below its header", "no row",
                remedy="Check that the right file was saved.",
            )
        )  # fmt: skip
    if not numeric:
        raise InputError(
            sentence(
                "explain table", f"{question.file}", "have a column of numbers beside the target",
                ", ".join(map(str, table.frame.columns)),
                remedy="Add one that may explain the target, or correct the cells that are no numbers.",
            )
        )  # fmt: skip
    return numeric, notes


def _mostly_numbers(column: pd.Series) -> bool:
    """Whether a column of text is one of numbers with a few stray words: four filled cells of five."""
    from pandas.api.types import is_bool_dtype

    from sozai.contracts.table_cells import read_cell

    if is_bool_dtype(column):
        return False
    kinds = [read_cell(str(cell)).kind for cell in column.dropna()]
    numbers = kinds.count("number")
    return numbers >= 2 and numbers < len(kinds) and 5 * numbers >= 4 * len(kinds)


def _refuse_stray_text(table: Any, name: str) -> None:
    """Say which cell keeps a column of numbers from being one: leaving it out unasked would mislead."""
    try:
        table.numeric([name])
    except InputError as error:
        remedy = f"Correct the cell, or leave the column out with --ignore {name!r}."
        raise InputError(str(error).replace("Correct the cell or choose another column.", remedy)) from None


def _need_rows(values: pd.DataFrame, question: TableQuestion) -> None:
    """At least three rows with a number in every cell."""
    if len(values) < 3:
        raise InputError(
            sentence(
                "explain table", f"{question.file}", "have at least 3 complete rows", len(values),
                remedy="Add rows, or leave out the columns with empty cells by --ignore.",
            )
        )  # fmt: skip


def _need_variation(y: np.ndarray, target: str, source: str) -> None:
    """A target that is the same in every row has no law."""
    if (y == y[0]).all():
        raise InputError(
            sentence(
                "--target", f"column {target!r}", "hold different values", float(y[0]),
                at=f"in all {len(y)} rows of '{source}'",
                remedy="There is nothing to explain: name another column, or add rows that differ.",
            )
        )  # fmt: skip


def _row_names(table: Any, labels: Any, identifiers: Sequence[str]) -> list[str]:
    """Names of the rows: identifiers joined by a space, or rows as the file counts them."""
    if not identifiers:
        return [str(row) for row in table.rows[table.frame.index.get_indexer(labels)]]
    named = table.frame.loc[labels, list(identifiers)]
    return [" ".join(map(str, row)) for row in named.itertuples(index=False, name=None)]


def _resolve_feature(new: Any, name: str, reading: Reading) -> str:
    """Column of the new table, by name or by the header of the first table."""
    header = reading.table.headers.get(name, name)
    known = header if _resolve_or_none(new, name) is None and header in new.headers.values() else name
    try:
        return _resolve(new, known, "--apply")
    except InputError as error:
        raise InputError(f"{error} Add the column, or do without it: --ignore {known!r}.") from None


def _resolve_or_none(table: Any, name: str) -> str | None:
    try:
        return str(table.resolve(name))
    except InputError:
        return None


def _in_law_unit(values: pd.Series, new: Any, label: str, wanted: str | None) -> pd.Series:
    """Values in the unit of the law; a header without unit is taken to be in that unit."""
    given = new.units.get(label)
    if not given or given == wanted:
        return values
    if not wanted:
        raise UnitError(
            sentence(
                "--apply", f"column {label!r} of '{new.source}'", "have no unit, as in the law", given,
                remedy=f"Name the unit of the first table with --units {label}={given} if it is the same.",
            )
        )  # fmt: skip
    from sozai.contracts.units import convert

    try:
        return convert(values.to_numpy(), given, wanted)
    except UnitError as error:
        raise UnitError(f"--apply: column {label!r} of '{new.source}': {error}") from None
