"""From measured formulas to what a model learns from: target, side columns, rows that lack something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.class_reading import holds_classes, need_classes, whole_numbers
from sozai.apps.cli.formula_columns import (
    FormulaFile,
    isotopes_of,
    resolve_column,
    without_isotope_warning,
)
from sozai.apps.cli.formula_reading import FormulaRows, read_formulas, values_of
from sozai.apps.cli.formula_wording import listed_rows
from sozai.apps.cli.table_question import read_units
from sozai.apps.cli.table_reading import Reading, read_new_rows
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    from sozai.apps.cli.property_question import PropertyQuestion

__all__ = ["MeasuredFormulas", "NewFormulas", "formula_file", "read_measured", "read_new_formulas"]


@dataclass(frozen=True, eq=False)
class MeasuredFormulas:
    """Rows with a formula, a target and every side column.

    Attributes
    ----------
    rows : FormulaRows
        The whole file.
    reading : Reading
        Side columns, target and the rows left out, as in ``explain table``.
    X : ParsedFormulas or DataFrame
        What the model takes.
    texts : list of str
        Formulas as written, of the rows used.
    file_rows : list of int
        Rows as the file counts them, of the rows used.
    """

    rows: FormulaRows
    reading: Reading
    X: Any
    texts: list[str]
    file_rows: list[int]


@dataclass(frozen=True, eq=False)
class NewFormulas:
    """Rows to be predicted.

    Attributes
    ----------
    X : ParsedFormulas or DataFrame
        Of the rows that lack nothing.
    rows : list of dict
        Every row: ``row, id, formula, missing``.
    side : DataFrame
        Side columns of every row, NaN where there is none.
    notes : tuple of str
    table : Table
        The whole file.
    """

    X: Any
    rows: list[dict[str, Any]]
    side: pd.DataFrame
    notes: tuple[str, ...]
    table: Any


def formula_file(question: PropertyQuestion, *, new: bool = False) -> FormulaFile:
    """Say how the file of measured or of new rows is to be read."""
    reading = question.reading
    path = reading.apply if new else reading.file
    if path is None:
        raise ValueError("no file of new rows was named")
    return FormulaFile(
        path,
        formula=question.formula,
        table=question.components,
        basis=question.basis,
        values=question.values,
        identifiers=() if new else reading.identifiers,
        sheet=None if new else reading.sheet,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        decimal=reading.decimal,
        or_found=new,
    )


def read_measured(question: PropertyQuestion, components: Sequence[str]) -> MeasuredFormulas:
    """Read the measured rows; those that lack something are named and left out, or refused.

    Raises
    ------
    InputError
        For columns that are not there or hold no numbers, and with ``--missing error`` for the first row
        that lacks something.
    """
    rows = read_formulas(formula_file(question), components)
    table, asked = rows.table, question.reading
    target = resolve_column(table, str(asked.target), "--target")
    features = [resolve_column(table, name, "--features") for name in dict.fromkeys(asked.features)]
    identifiers = [resolve_column(table, name, "--id") for name in asked.identifiers]
    _refuse_double(target, features, rows.column)
    is_class = holds_classes(table, target, asked)
    lacking = _lacking(rows, target, features, is_class=is_class)
    if lacking and asked.missing == "error":
        _refuse_lacking(lacking[0], table)
    kept = _kept(table, lacking)
    y = _labels(table, target, kept) if is_class else _numbers(table, target, kept)
    side = table.frame.iloc[kept][features].astype("float64")
    file_rows = [int(row) for row in table.rows[kept]]
    notes = [*rows.notes, *_notes(lacking, rows.column)]
    if is_class:
        notes += need_classes(y, table.rows[kept], target) if len(y) else []
    reading = Reading(
        table=table,
        X=side,
        y=y,
        target=target,
        units=_units(table, asked.units),
        groups=None,
        row_names=_names(table, kept, identifiers),
        dropped=lacking,
        notes=tuple(notes),
        is_class=is_class,
    )
    texts = rows.texts()
    return MeasuredFormulas(
        rows, reading, model_input(rows, kept, side, question), [texts[at] for at in kept], file_rows
    )


def model_input(rows: FormulaRows, kept: np.ndarray, side: pd.DataFrame, question: PropertyQuestion) -> Any:
    """Formulas of some rows as a model takes them: alone, or in a table with the side columns."""
    import numpy as np

    from sozai.composition.formula import parse_formulas

    parsed = rows.parsed
    if not side.shape[1]:
        values = values_of(rows.table, question.values)
        own = {name: each[kept] if np.ndim(each) else each for name, each in (values or {}).items()}
        with without_isotope_warning():
            return parse_formulas(
                list(parsed.texts[kept]), components=parsed.components, basis=rows.basis,
                values=own or None, isotopes=isotopes_of(parsed.components),
            )  # fmt: skip
    fractions, amounts = parsed.fractions, []
    for at in kept.tolist():
        start, stop = fractions.indptr[at : at + 2]
        names = [parsed.components[j] for j in fractions.indices[start:stop]]
        shares = fractions.data[start:stop] * parsed.n_atoms[at]
        amounts.append(dict(zip(names, shares.tolist(), strict=True)))
    frame = side.reset_index(drop=True)
    label = rows.column
    while label in frame.columns:
        label = f"{label}_"
    frame.insert(0, label, amounts)
    return frame


def read_new_formulas(
    question: PropertyQuestion, measured: MeasuredFormulas, components: Sequence[str]
) -> NewFormulas:
    """Read the rows to be predicted, with what each lacks."""
    import numpy as np

    rows = read_formulas(formula_file(question, new=True), components)
    beside = read_new_rows(question.reading, measured.reading)
    reasons, texts = rows.reasons, rows.texts()
    records = [
        {
            "row": row["row"],
            "id": row["id"],
            "formula": text,
            "missing": reasons.get(row["row"], "") or row["missing"],
        }
        for row, text in zip(beside.rows, texts, strict=True)
    ]
    complete = np.flatnonzero([not record["missing"] for record in records])
    side = beside.values.reindex(rows.table.frame.index)
    X = model_input(rows, complete, side.iloc[complete], question) if len(complete) else None
    return NewFormulas(X, records, side.reset_index(drop=True), (*rows.notes, *beside.notes), rows.table)


# --- parts ---------------------------------------------------------------------------------------------


def _refuse_double(target: str, features: list[str], formula: str) -> None:
    """A column has one part to play."""
    for option, name, taken in (
        ("--target", target, [formula]),
        *(("--features", name, [target, formula]) for name in features),
    ):
        if name in taken:
            raise UsageError(
                sentence(
                    option, "the column", "not also be the target or that of the formulas", name,
                    remedy="Name it in one option only.",
                )
            )  # fmt: skip


def _lacking(rows: FormulaRows, target: str, features: list[str], *, is_class: bool) -> list[dict[str, Any]]:
    """Every row that lacks something: row, column, what stands there, why; in the order of the file."""
    import numpy as np

    table, found = rows.table, {}
    columns = features if is_class else [target, *features]
    for at in np.flatnonzero(rows.refused).tolist():
        row = int(table.rows[at])
        text = rows.parsed.texts[at]
        found[row] = _record(row, rows.column, text if isinstance(text, str) else "", rows.reasons[row])
    if is_class:
        for at in np.flatnonzero(table.frame[target].isna().to_numpy()).tolist():
            row = int(table.rows[at])
            text = str(table.texts.get(target, {}).get(at, ""))
            found.setdefault(row, _record(row, target, text, f"no class in column {target!r}"))
    try:
        dropped = table.numeric(columns, missing="drop").dropped if columns else ()
    except InputError as error:
        if f"column {target!r} must" not in str(error) or "kept as text" not in str(error):
            raise
        raise InputError(f"{error} Or take its values as classes with --classify.") from None
    for row in dropped:
        found.setdefault(
            row.row, _record(row.row, row.column, row.text, f"no number in column {row.column!r}")
        )
    return [found[row] for row in sorted(found)]


def _record(row: int, column: str, text: str, reason: str) -> dict[str, Any]:
    return {"row": row, "column": column, "text": text, "reason": reason}


def _refuse_lacking(first: dict[str, Any], table: Any) -> None:
    """Say what the first row lacks, and how such rows are left out."""
    raise InputError(
        f"Row {first['row']} of '{table.source}', column {first['column']!r}: {first['reason']} Got "
        f"{first['text']!r}. Correct the cell, or leave such rows out with --missing drop."
    )


def _kept(table: Any, lacking: list[dict[str, Any]]) -> np.ndarray:
    """Positions of the rows that lack nothing."""
    import numpy as np

    gone = {record["row"] for record in lacking}
    return np.flatnonzero([int(row) not in gone for row in table.rows])


def _numbers(table: Any, target: str, kept: np.ndarray) -> np.ndarray:
    values: np.ndarray = table.frame[target].iloc[kept].to_numpy(dtype="float64")
    return values


def _labels(table: Any, target: str, kept: np.ndarray) -> np.ndarray:
    """Classes as text, true and false as the file spells them, or as whole numbers."""
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    column = table.frame[target].iloc[kept]
    if is_bool_dtype(column):
        texts = table.texts[target]
        spelled = {bool(column[at]): texts[at] for at in reversed(column.index)}
        return np.array([spelled[bool(cell)] for cell in column])
    if not is_numeric_dtype(column):
        return np.array([str(cell) for cell in column])
    values = column.to_numpy(dtype=np.float64)
    return whole_numbers(values, table.rows[kept], target, table.source, "predict")


def _units(table: Any, entries: tuple[str, ...]) -> dict[str, str | None]:
    """Units of the columns, those of ``--units`` first."""
    given = {resolve_column(table, name, "--units"): unit for name, unit in read_units(entries).items()}
    return dict(table.units) | given


def _names(table: Any, kept: np.ndarray, identifiers: list[str]) -> list[str]:
    """Identifiers joined by a space, or rows as the file counts them."""
    if not identifiers:
        return [str(row) for row in table.rows[kept]]
    named = table.frame.iloc[kept][identifiers]
    return [" ".join(map(str, row)) for row in named.itertuples(index=False, name=None)]


def _notes(lacking: list[dict[str, Any]], formula: str) -> list[str]:
    """One note on the rows that are left out for another reason than their formula."""
    rows = [record["row"] for record in lacking if record["column"] != formula]
    columns = list(dict.fromkeys(record["column"] for record in lacking if record["column"] != formula))
    said = []
    if rows:
        named = ", ".join(map(repr, columns))
        are = "is" if len(rows) == 1 else "are"
        said.append(f"{listed_rows(rows)} {are} left out for an empty cell in column {named}.")
    return said
