"""Databases of formulas that can be asked for what is similar: made from a file, kept, read back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.formula_columns import FormulaFile
from sozai.apps.cli.formula_places import check_result_place
from sozai.apps.cli.formula_reading import (
    FormulaRows,
    in_option_words,
    read_components,
    read_formulas,
)
from sozai.apps.cli.formula_wording import in_formula_words
from sozai.apps.cli.output import collected_warnings, console, emit_json, progress_console
from sozai.apps.cli.table_records import repair_records
from sozai.apps.cli.usage import UsageError
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, MissingDataError, sentence

__all__ = [
    "INDEX",
    "Database",
    "DatabaseQuestion",
    "keep_database",
    "known_database",
    "make_database",
    "read_index",
]

INDEX = ".sozai"
"""How the name of a kept database ends."""

_OWN = ("formula", "row", "distance", "percentile", "rank")


@dataclass(frozen=True)
class DatabaseQuestion:
    """Options of ``sozai describe database`` as they were given.

    Examples
    --------
    >>> DatabaseQuestion(FormulaFile(Path("compounds.csv")), Path("compounds.sozai")).json
    False
    """

    source: FormulaFile
    save: Path
    json: bool = False


@dataclass(frozen=True, eq=False)
class Database:
    """Formulas that can be asked, and where they come from.

    Attributes
    ----------
    similar : SimilarMaterials
    source : str
        File, or the name of the data set.
    rows : FormulaRows or None
        The file; None for a kept database and for a data set.
    """

    similar: Any
    source: str
    rows: FormulaRows | None = None
    notes: list[str] = field(default_factory=list)


def keep_database(question: DatabaseQuestion) -> None:
    """Make a database from a file and keep it."""
    start = time.perf_counter()
    if question.save.suffix.lower() != INDEX:
        raise UsageError(
            sentence(
                "--save", "the name", f"end in {INDEX}", str(question.save),
                remedy=f"Write --save {question.save.with_suffix(INDEX).name}.",
            )
        )  # fmt: skip
    with collected_warnings() as notes:
        check_result_place("--save", question.save, (question.source.path,), f"compounds{INDEX}")
        with progress_console().status("reading the table", spinner="line") as status:
            found = make_database(question.source, status)
            status.update(f"writing {question.save}")
            with in_option_words():
                found.similar.save(question.save)
        seconds = time.perf_counter() - start
        spoken = [in_command_words(in_formula_words(note)) for note in [*found.notes, *notes]]
        _deliver(question, found, list(dict.fromkeys(spoken)), seconds)


def make_database(source: FormulaFile, status: Any) -> Database:
    """Database of the formulas of a file; those that cannot be read are left out and named."""
    import numpy as np

    components = read_components(source.table)
    rows = read_formulas(source, components.components)
    readable = np.flatnonzero(~rows.refused)
    if len(readable) < 2:
        raise InputError(
            sentence(
                "describe", f"{source.path}", "have at least 2 formulas that can be read", len(readable),
                remedy="Add formulas, or name another column by --formula.",
            )
        )  # fmt: skip
    texts = rows.texts()
    frame = rows.beside.iloc[readable].reset_index(drop=True)
    frame.columns = [_property_name(name, rows.table.units.get(name)) for name in frame.columns]
    frame.insert(0, "row", np.asarray(rows.table.rows, dtype=np.int64)[readable])
    frame.insert(0, "formula", [texts[at] for at in readable])
    status.update(f"arranging {len(frame)} formulas")
    notes = list(rows.notes)
    if rows.basis != "amount":
        notes.append(f"The numbers of the database count {rows.basis}, those of a FORMULA asked for atoms.")
    similar = _arranged(frame, components, rows.parsed.without_refused(drop=True))
    return Database(similar, str(source.path), rows, notes)


def known_database(table: str, status: Any) -> Database:
    """The stable compounds of the Materials Project, where they are on this machine."""
    from sozai.datasets import fetch_stable_formulas

    try:
        dataset = fetch_stable_formulas()
    except MissingDataError as error:
        raise MissingDataError(
            f"{error} Or ask a table of your own: --database FILE --formula COL."
        ) from None
    frame = dataset.frame.rename(
        columns={
            name: _property_name(name, dataset.units.get(name))
            for name in dataset.frame.columns
            if name != "formula"
        }
    )
    frame.insert(1, "row", range(2, len(frame) + 2))
    status.update(f"arranging {len(frame)} formulas")
    return Database(_arranged(frame, read_components(table)), f"data set {dataset.name}")


def read_index(path: Path) -> Database:
    """Read a kept database."""
    from sozai.composition import load_similar_materials
    from sozai.contracts.parallel import one_thread

    if not path.is_file():
        raise InputError(
            sentence("--database", "the file", "exist", str(path), remedy="Check the name and the folder.")
        )
    with one_thread():
        return Database(load_similar_materials(path), str(path))


def _arranged(frame: Any, components: Any, parsed: Any = None) -> Any:
    """Arrange formulas by their kernel means; ``parsed`` where they have been read."""
    from sozai.composition import KernelMeanDescriptor, SimilarMaterials
    from sozai.contracts.parallel import one_thread

    with one_thread(), in_option_words():
        descriptor = KernelMeanDescriptor(components).fit()
        return SimilarMaterials(frame, descriptor, formula="formula", parsed=parsed)


def _property_name(name: str, unit: str | None) -> str:
    """Name of a property with its unit, apart from what is found."""
    name = f"{name} (given)" if name in _OWN else str(name)
    return f"{name} [{unit}]" if unit else name


def _deliver(question: DatabaseQuestion, found: Database, notes: list[str], seconds: float) -> None:
    """Say what was kept."""
    rows = found.rows
    if rows is None:
        raise ValueError("a database of a file has rows")
    n_refused = int(rows.refused.sum())
    properties = [name for name in found.similar.properties.columns if name != "row"]
    if question.json:
        payload = {
            "formula": rows.column,
            "components": question.source.table,
            "basis": rows.basis,
            "n_rows": len(rows.parsed),
            "n_formulas": len(found.similar),
            "n_refused": n_refused,
            "properties": properties,
            "saved": str(question.save),
            "issues": rows.issues,
            "repairs": repair_records(rows.table),
            "seconds": seconds,
        }
        source = str(question.source.path)
        emit_json(payload, schema="sozai.describe.database/1", source=source, notes=notes)
        return
    screen = console()
    unread = f", {n_refused} could not be read and are left out" if n_refused else ""
    screen.print(f"{len(found.similar)} formulas of {rows.column!r}{unread}; {seconds:.1f} s", style="bold")
    screen.print(f"Properties beside them: {', '.join(properties) or 'none'}", soft_wrap=True)
    say_end(screen, notes, {"Database": question.save})
    screen.print(
        f"Next: sozai describe similar FORMULA --database {question.save}", style="dim", soft_wrap=True
    )
