"""From a file to descriptors and sources: which columns, which rows, one unit for all sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.combine_question import CombineQuestion
from sozai.apps.cli.table_reading import Reading, left_out_note, read_asked, units_of
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, UnitError, sentence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SourcesReading", "read_sources"]


@dataclass(frozen=True)
class SourcesReading:
    """Columns and rows of one question.

    Attributes
    ----------
    table : Reading
        Descriptors and experiment, as other verbs read them.
    sources : DataFrame
        Values of all sources in the unit of the experiment, NaN where there is none; rows of ``table.X``.
    rows : list of int
        Row of the file of each.
    notes : list of str
    """

    table: Reading
    sources: pd.DataFrame
    rows: list[int]
    notes: list[str]

    @property
    def unit(self) -> str | None:
        """Unit of all sources."""
        return self.table.target_unit


def read_sources(question: CombineQuestion) -> SourcesReading:
    """Read the file and take the columns that the question names."""
    asked = question.reading
    table = read_asked(asked.file, asked, id_columns=asked.identifiers, sheet=asked.sheet)
    named = [
        *(("--descriptors", name) for name in asked.features),
        *(("--simulation", name) for name in question.simulations),
        ("--experiment", str(asked.target)),
    ]
    labels = [_resolve(table, name, option) for option, name in named]
    _refuse_twice([option for option, _ in named], labels)
    identifiers = [_resolve(table, name, "--id") for name in asked.identifiers]
    units, notes = units_of(table, asked, _resolve)
    features, sources = labels[: len(asked.features)], labels[len(asked.features) :]
    X, _, dropped = table.numeric(features, missing=asked.missing)
    if not len(X):
        raise InputError(
            sentence("combine sources", str(asked.file), "have rows with a number in every descriptor",
                     "none", remedy="Check that the right file and columns are named.")
        )  # fmt: skip
    values = _values(table, sources, units, notes).loc[X.index]
    left_out = [{"row": row.row, "column": row.column, "text": row.text} for row in dropped]
    rows = [int(row) for row in table.rows[table.frame.index.get_indexer(X.index)]]
    told = table.frame.loc[X.index, identifiers].astype(str) if identifiers else None
    reading = Reading(
        table=table,
        X=X,
        y=values[sources[-1]].to_numpy(),
        target=sources[-1],
        units=units,
        groups=None,
        row_names=[str(row) for row in rows] if told is None else [" ".join(r) for r in told.to_numpy()],
        dropped=left_out,
        notes=(),
    )
    empty = int(values.isna().all(axis=1).sum())
    if empty:
        counted = "1 row has" if empty == 1 else f"{empty} rows have"
        notes.append(f"{counted} neither a calculated nor a measured value and teach nothing.")
    return SourcesReading(reading, values, rows, [*notes, *left_out_note(left_out)])


def _resolve(table: Any, name: str, option: str) -> str:
    """Column of the table; a message names the option."""
    try:
        return str(table.resolve(name))
    except InputError as error:
        raise InputError(str(error).replace("Table.resolve: column", f"{option}: the column", 1)) from None


def _refuse_twice(options: list[str], labels: list[str]) -> None:
    """One column plays one part."""
    for place, label in enumerate(labels):
        if label in labels[:place]:
            raise UsageError(
                sentence(options[place], "the column", "be named once", label,
                         remedy=f"It is named by {options[labels.index(label)]} too.")
            )  # fmt: skip


def _values(table: Any, sources: list[str], units: dict[str, str | None], notes: list[str]) -> pd.DataFrame:
    """Values of all sources in the unit of the experiment, empty cells kept."""
    import pandas as pd

    known = [label for label in reversed(sources) if units.get(label)]
    wanted = units[known[0]] if known else None
    columns = {}
    for label in sources:
        if table.frame[label].isna().all():
            columns[label] = pd.Series(float("nan"), index=table.frame.index)
            continue
        numbers, _, _ = table.numeric([label], missing="drop")
        columns[label] = _in_unit(numbers[label], label, units, wanted, notes).reindex(table.frame.index)
        units[label] = wanted
    return pd.DataFrame(columns, columns=sources)


def _in_unit(
    values: pd.Series, label: str, units: dict[str, str | None], wanted: str | None, notes: list[str]
) -> pd.Series:
    """One source in the unit of the experiment; one without unit is taken to be in it."""
    import pandas as pd

    given = units.get(label)
    if given == wanted or not wanted:
        return values
    if not given:
        notes.append(f"Column {label!r} has no unit and is read in {wanted}.")
        return values
    from sozai.contracts.units import convert

    try:
        converted = convert(values.to_numpy(), given, wanted)
    except UnitError as error:
        raise UnitError(f"combine sources: column {label!r} beside the experiment: {error}") from None
    notes.append(f"Column {label!r} is converted from {given} to {wanted}.")
    return pd.Series(converted, index=values.index)
