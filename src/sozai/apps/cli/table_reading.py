"""From a file to the columns a law is fitted to: which ones, which rows, which units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_question import TableQuestion, read_units
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Reading", "read_new_rows", "read_question"]


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
    target : str
    units : dict of str to str or None
        Of the features and the target.
    groups : ndarray or None
    row_names : list of str
        Identifiers joined by a space, or row numbers.
    dropped : list of dict
        Rows left out because a cell is missing.
    notes : tuple of str
        Columns left out, and why.
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

    @property
    def target_unit(self) -> str | None:
        """Unit of the target."""
        return self.units.get(self.target)

    @property
    def feature_units(self) -> dict[str, str]:
        """Units of the features that have one."""
        known = {name: self.units.get(name) for name in self.X.columns}
        return {name: unit for name, unit in known.items() if unit is not None}


def read_question(question: TableQuestion) -> Reading:
    """Read the file and take the columns that the question names."""
    from sozai.contracts.tables import read_table

    table = read_table(question.file, sheet=question.sheet, id_columns=question.identifiers)
    target = table.resolve(question.target)
    identifiers = [table.resolve(name) for name in question.identifiers]
    groups = None if question.groups is None else table.resolve(question.groups)
    ignored = {table.resolve(name) for name in question.ignore}
    features, notes = _features(
        table, question, {target, *identifiers, *([groups] if groups else [])} | ignored
    )
    values, dropped = _numbers(table, [*features, target], question.missing)
    _need_rows(values, question)
    units = dict(table.units) | {
        table.resolve(name): unit for name, unit in read_units(question.units).items()
    }
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
        X=values[features],
        y=values[target].to_numpy(),
        target=target,
        units=units,
        groups=labels,
        row_names=_row_names(table, values.index, identifiers),
        dropped=[{"row": row.row, "column": row.column, "text": row.text} for row in dropped],
        notes=tuple(notes),
    )


def read_new_rows(question: TableQuestion, reading: Reading) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Features of the rows to be predicted, in the units of the law; and what each row lacks."""
    from sozai.contracts.tables import read_table

    new = read_table(question.apply, sheet=None, id_columns=())
    where = {name: _resolve_feature(new, name, reading) for name in reading.X.columns}
    values, _, dropped = new.numeric(list(where.values()), missing="drop")
    values = values.rename(columns={label: name for name, label in where.items()})[list(where)]
    for name, label in where.items():
        values[name] = _in_law_unit(values[name], new.units.get(label), reading.units.get(name))
    found = [_resolve_or_none(new, name) for name in question.identifiers]
    identifiers = [name for name in found if name is not None]
    names = _row_names(new, new.frame.index, identifiers) if identifiers else [None] * len(new.frame)
    lacks = {row.label: f"no number in column {row.column!r}" for row in dropped}
    rows = [
        {"label": label, "row": int(row), "id": name, "missing": lacks.get(label, "")}
        for label, row, name in zip(new.frame.index, new.rows, names, strict=True)
    ]
    return values, rows


def _numbers(table: Any, columns: list[str], missing: str) -> tuple[pd.DataFrame, Sequence[Any]]:
    """Values and dropped rows; the remedy in a message is the option of the command."""
    try:
        values, _, dropped = table.numeric(columns, missing=missing)
    except InputError as error:
        raise InputError(str(error).replace("missing='drop'", "--missing drop")) from None
    return values, dropped


def _features(table: Any, question: TableQuestion, taken: set[str]) -> tuple[list[str], list[str]]:
    """Columns to explain by, and a note for every column that is left out unasked."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if question.features:
        chosen = [table.resolve(name) for name in question.features]
        double = [name for name in chosen if name in taken]
        if double:
            raise InputError(
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
        else:
            notes.append(f"Column {name!r} holds no numbers and is left out.")
    if not numeric:
        raise InputError(
            sentence(
                "explain table", "the table", "have a numeric column beside the target",
                ", ".join(map(str, table.frame.columns)), remedy="Name the columns with --features.",
            )
        )  # fmt: skip
    return numeric, notes


def _need_rows(values: pd.DataFrame, question: TableQuestion) -> None:
    """At least three rows with a number in every cell."""
    if len(values) < 3:
        raise InputError(
            sentence(
                "explain table", f"{question.file}", "have at least 3 complete rows", len(values),
                remedy="Add rows, or leave out the columns with empty cells by --ignore.",
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
    try:
        return str(new.resolve(name))
    except InputError:
        header = reading.table.headers.get(name, name)
        return (
            str(new.resolve(header))
            if header != name and header in new.headers.values()
            else str(new.resolve(name))
        )


def _resolve_or_none(table: Any, name: str) -> str | None:
    try:
        return str(table.resolve(name))
    except InputError:
        return None


def _in_law_unit(values: pd.Series, given: str | None, wanted: str | None) -> pd.Series:
    """Values in the unit of the law; a header without unit is taken to be in that unit."""
    if given is None or wanted is None or given == wanted:
        return values
    from sozai.contracts.units import convert

    return convert(values.to_numpy(), given, wanted)
