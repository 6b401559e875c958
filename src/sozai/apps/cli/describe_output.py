"""Numbers of formulas, delivered: CSV or NumPy file, folder, JSON or terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.formula_columns import as_written
from sozai.apps.cli.formula_places import delimiter_of, write_arrays
from sozai.apps.cli.output import console, emit_json, progress_console, staged_folder
from sozai.apps.cli.property_output import as_grid
from sozai.apps.cli.table_records import repair_records
from sozai.contracts.tables import write_table

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.describe_formulas import DescribedFormulas

__all__ = ["as_payload", "deliver", "described_table", "write_numbers"]

_N_ROWS, _N_COLUMNS = 10, 6


def deliver(found: DescribedFormulas) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    question = found.question
    if question.place is not None:
        with progress_console().status(f"writing {question.place}", spinner="line"):
            write_numbers(found, question.place)
    if question.output is not None:
        from sozai.apps.cli.describe_report import write_folder

        with (
            progress_console().status("writing the report", spinner="line"),
            staged_folder(question.output) as stage,
        ):
            write_folder(found, stage)
    if question.json:
        source = str(question.source.path)
        emit_json(as_payload(found), schema="sozai.describe.formulas/1", source=source, notes=found.notes)
    else:
        _say(found)


def described_table(found: DescribedFormulas) -> tuple[pd.DataFrame, Mapping[str, str | None]]:
    """Columns of the file, then the numbers, row by row as in the file; and the unit of every column."""
    import pandas as pd

    given, taken = found.rows.table.frame, set(found.names)
    renamed = {name: f"{name} (given)" if name in taken else name for name in given.columns}
    given = as_written(given, found.rows.table.texts)
    numbers = pd.DataFrame(found.values, columns=list(found.names), index=given.index)
    units = {renamed[name]: found.rows.table.units.get(name) for name in given.columns}
    return pd.concat([given.rename(columns=renamed), numbers], axis=1), {**units, **found.units}


def write_numbers(found: DescribedFormulas, path: Path) -> None:
    """Write a text table with the other columns beside, or NumPy arrays, by the ending of ``path``."""
    import numpy as np

    kind = path.suffix.lower()
    if kind == ".npy":
        write_arrays(path, lambda file: np.save(file, found.values, allow_pickle=False))
    elif kind == ".npz":
        arrays = {
            "values": found.values,
            "columns": np.array(found.names, dtype=np.str_),
            "formulas": np.array(found.rows.texts(), dtype=np.str_),
            "rows": np.asarray(found.rows.table.rows, dtype=np.int64),
            "refused": found.rows.refused,
        }
        write_arrays(path, lambda file: np.savez_compressed(file, **arrays))
    else:
        frame, units = described_table(found)
        write_table(frame, path, units=units, delimiter=delimiter_of(path))


def as_payload(found: DescribedFormulas) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    question, rows = found.question, found.rows
    return {
        "formula": rows.column,
        "method": question.method,
        "representation": (question.representation or "grid") if question.method == "kmd" else None,
        "components": found.components.name,
        "basis": rows.basis,
        "n_rows": len(rows.parsed),
        "n_columns": len(found.names),
        "n_refused": int(rows.refused.sum()),
        "table": None if question.place is None else str(question.place),
        "columns": list(found.names),
        "units": {name: unit for name, unit in found.units.items() if unit},
        "issues": rows.issues,
        "repairs": repair_records(rows.table),
        "seconds": found.seconds,
    }


def _say(found: DescribedFormulas) -> None:
    """Say on the terminal what was made of how many rows, and show a corner of it."""
    import pandas as pd

    screen, question, rows = console(), found.question, found.rows
    n_refused = int(rows.refused.sum())
    unread = f", {n_refused} could not be read" if n_refused else ""
    named = f"{rows.column!r} as {found.method_name}, table {found.components.name!r}"
    screen.print(named, style="bold", soft_wrap=True)
    screen.print(
        f"{len(rows.parsed)} row{'s' if len(rows.parsed) != 1 else ''}{unread}; {len(found.names)} columns; "
        f"{found.seconds:.1f} s",
        soft_wrap=True,
    )
    screen.print()
    corner = pd.DataFrame({"row": rows.table.rows, "formula": rows.texts()})
    shown = pd.DataFrame(found.values[:_N_ROWS, :_N_COLUMNS], columns=list(found.names[:_N_COLUMNS]))
    screen.print(as_grid(pd.concat([corner.head(_N_ROWS), shown], axis=1)))
    more = [
        f"{n} more {what}"
        for n, what in ((len(corner) - _N_ROWS, "rows"), (len(found.names) - _N_COLUMNS, "columns"))
        if n > 0
    ]
    if more:
        screen.print(f"... and {' and '.join(more)}")
    hints = [
        (question.place is None, "-o OUT.csv (or .npy, .npz) writes all numbers"),
        (question.output is None, "--output DIR writes a report with figures"),
    ]
    say_end(screen, found.notes, {"Table": question.place}, question.output, hints)
