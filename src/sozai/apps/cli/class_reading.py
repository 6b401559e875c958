"""From a column of a table to classes: is it one, which labels, which rows."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from sozai.apps.cli.table_question import TableQuestion

__all__ = ["Labeled", "holds_classes", "need_classes", "read_labeled", "whole_numbers"]

_FEWEST = 3  # rows of a class: one to be left out, and two to learn from
_MOST_CLASSES = 256


class Labeled(NamedTuple):
    """Rows that have a label and a number in every feature.

    Attributes
    ----------
    X : DataFrame
        Features, float64; the index labels the rows of the table.
    y : ndarray of shape (n_rows,)
        Labels: bool, int64 or text.
    dropped : list of dict
        Rows left out: row, column, what stood there.
    """

    X: pd.DataFrame
    y: np.ndarray
    dropped: list[dict[str, Any]]


def holds_classes(table: Any, target: str, question: TableQuestion) -> bool:
    """Whether the target is text or true and false, or is declared to hold classes by ``--classify``.

    A column of numbers with a few stray words is one of numbers.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    from sozai.contracts.table_cells import read_cell

    column = table.frame[target]
    if question.classify or is_bool_dtype(column):
        return True
    if is_numeric_dtype(column):
        return False
    kinds = [read_cell(str(cell)).kind for cell in column.dropna()]
    numbers = sum(kind in ("number", "censored", "infinite") for kind in kinds)
    return 5 * numbers < 4 * len(kinds)


def read_labeled(table: Any, features: list[str], target: str, question: TableQuestion) -> Labeled:
    """Features and labels of the rows that have them all.

    Raises
    ------
    InputError
        A cell without label unless such rows may be left out, numbers that are
        no whole ones, no label at all.
    """
    import numpy as np

    labels, gone = _labels(table, target), table.frame[target].isna().to_numpy()
    if len(gone) and gone.all():
        raise InputError(
            sentence(
                "--target", f"column {target!r}", "name a class in every row", "no label in any row",
                at=f"in '{table.source}'", remedy="Fill the column, or name another one.",
            )
        )  # fmt: skip
    if gone.any() and question.missing == "error":
        first = int(np.argmax(gone))
        raise InputError(
            sentence(
                "--target", f"column {target!r}", "name a class in every row", _text(table, target, first),
                at=f"at row {int(table.rows[first])} of '{table.source}'",
                remedy="Fill the cell, or leave such rows out with --missing drop.",
            )
        )  # fmt: skip
    values, _, dropped = table.numeric(features, missing=question.missing)
    unlabeled = [
        {"row": int(table.rows[k]), "column": target, "text": _text(table, target, int(k))}
        for k in np.flatnonzero(gone)
    ]
    known = {record["row"] for record in unlabeled}
    without = [row._asdict() for row in dropped if row.row not in known]
    unlabeled += [{name: row[name] for name in ("row", "column", "text")} for row in without]
    position = table.frame.index.get_indexer(values.index)
    kept = ~gone[position]
    return Labeled(values[kept], labels[position[kept]], sorted(unlabeled, key=lambda record: record["row"]))


def need_classes(y: np.ndarray, rows: np.ndarray, target: str) -> list[str]:
    """At least two classes, and enough rows of each; a note where two labels look like one.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    rows : ndarray of int
        Row of the file of every label.
    target : str

    Examples
    --------
    >>> import numpy as np
    >>> need_classes(np.array(["cubic", "Cubic", "hcp"] * 3), np.arange(9), "phase")
    ["Classes 'Cubic' and 'cubic' of column 'phase' differ only in case or width."]
    """
    import numpy as np

    labels, first, counts = np.unique(y, return_index=True, return_counts=True)
    if labels.size < 2:
        raise InputError(
            sentence(
                "--target", f"column {target!r}", "hold at least 2 classes", f"only {labels[0]}",
                remedy="Add rows of another class, or name another column.",
            )
        )  # fmt: skip
    if labels.size > _MOST_CLASSES:
        raise InputError(
            sentence(
                "--target", f"column {target!r}", f"hold at most {_MOST_CLASSES} classes", labels.size,
                remedy="Join classes, or name a column of classes instead of names.",
            )
        )  # fmt: skip
    rare = int(np.argmin(counts))
    if counts[rare] < _FEWEST:
        n = f"1 row of {labels[rare]}" if counts[rare] == 1 else f"{counts[rare]} rows of {labels[rare]}"
        raise InputError(
            sentence(
                "--target", f"column {target!r}", f"hold at least {_FEWEST} rows of every class", n,
                at=f"(row {int(rows[first[rare]])}; {labels.size} classes in {len(y)} rows)",
                remedy="Correct the label, join the class with another, leave the row out, or, if the "
                "column holds names, choose another.",
            )
        )  # fmt: skip
    alike = defaultdict(list)
    for label in labels.tolist():
        alike[unicodedata.normalize("NFKC", str(label)).casefold()].append(label)
    return [
        f"Classes {' and '.join(map(repr, same))} of column {target!r} differ only in case or width."
        for same in alike.values()
        if len(same) > 1
    ]


def _labels(table: Any, target: str) -> np.ndarray:
    """Labels of all rows as bool, whole numbers or text; what stands for a missing one means nothing."""
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    column = table.frame[target]
    missing = column.isna().to_numpy()
    if is_bool_dtype(column):
        return np.array(
            [bool(cell) and not gone for cell, gone in zip(column.fillna(False), missing, strict=True)]
        )
    if not is_numeric_dtype(column):
        return np.array(["" if gone else str(cell) for cell, gone in zip(column, missing, strict=True)])
    values = np.where(missing, 0.0, column.to_numpy(dtype=np.float64, na_value=0.0))
    return whole_numbers(values, table.rows, target, table.source, "explain")


def whole_numbers(values: np.ndarray, rows: np.ndarray, target: str, source: str, verb: str) -> np.ndarray:
    """Numbers that name classes; a part of one names none."""
    import numpy as np

    broken = np.flatnonzero(values != np.round(values))
    if broken.size:
        raise InputError(
            sentence(
                "--classify", f"column {target!r}", "hold whole numbers or text", float(values[broken[0]]),
                at=f"at row {int(rows[broken[0]])} of '{source}'",
                remedy=f"Leave --classify out to {verb} it as a quantity.",
            )
        )  # fmt: skip
    return values.astype(np.int64)


def _text(table: Any, target: str, position: int) -> str:
    """What stands in a cell that has no label."""
    return str(table.texts.get(target, {}).get(position, ""))
