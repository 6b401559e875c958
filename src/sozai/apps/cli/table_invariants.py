"""Laws without a target: what stays constant from row to row, found, said and written down."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.output import collected_warnings, console, emit_json, progress_console, staged_folder
from sozai.apps.cli.report_parts import Figures, ranges_and_repairs, write_figures
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.table_reading import (
    Reading,
    _features,
    _numbers,
    _resolve,
    _row_names,
    left_out_note,
    read_asked,
    units_of,
)
from sozai.apps.cli.table_records import repair_records
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from sozai.study.report import Report

__all__ = [
    "InvariantAnswer",
    "InvariantColumns",
    "answer",
    "as_records",
    "columns_of",
    "figures_of",
    "find",
    "read_columns",
    "say",
    "table_of",
    "write_section",
]

_MOST_SUBSETS = 5e5  # of columns; with the shuffled tables half a minute
_N_FIGURES = 3


@dataclass(frozen=True)
class InvariantColumns:
    """Columns among which invariants are sought.

    Attributes
    ----------
    X : DataFrame
        The index names the rows as the file counts them.
    units : dict of str to str or None
    row_names : list of str
    table : Table
        The whole file with the report of its repairs.
    dropped : list of dict
    notes : tuple of str
    """

    X: pd.DataFrame
    units: dict[str, str | None]
    row_names: list[str]
    table: Any
    dropped: list[dict[str, Any]]
    notes: tuple[str, ...] = ()


@dataclass
class InvariantAnswer:
    """What stays constant.

    Attributes
    ----------
    columns : InvariantColumns
    lists : dict of str to InvariantList
        By form: ``"power"``, ``"linear"``.
    invariants : list of Invariant
        Those worth saying: products of powers, then sums of columns that no product joins.
    max_terms : int
    notes : list of str
    seconds : float
    """

    columns: InvariantColumns
    lists: dict[str, Any]
    invariants: list[Any]
    max_terms: int
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows_needed(self) -> int:
        """Rows from which a law of these columns can be told from chance."""
        return max((laws.n_samples_needed for laws in self.lists.values()), default=0)


def answer(question: TableQuestion) -> None:
    """Answer ``explain table FILE --invariants`` without a target."""
    start = time.perf_counter()
    with collected_warnings() as notes:
        screen = progress_console()
        with screen.status("reading the table", spinner="line") as status:
            columns = read_columns(question)
            found = find(
                columns, max_terms=question.max_terms, seed=question.seed, n_jobs=question.n_jobs,
                update=status.update,
            )  # fmt: skip
        found.seconds = time.perf_counter() - start
        found.notes = [in_command_words(note) for note in [*columns.notes, *found.notes, *notes]]
        if question.output is not None:
            with staged_folder(question.output) as stage:
                _write_folder(found, question, stage)
        if question.json:
            emit_json(
                as_records(found),
                schema="sozai.explain.table.invariants/1",
                source=str(question.file),
                notes=found.notes,
            )
        else:
            say(found)
            _say_end(found, question)


def read_columns(question: TableQuestion) -> InvariantColumns:
    """Read the file and take all numeric columns, or those that the question names."""
    table = read_asked(question.file, question, id_columns=question.identifiers, sheet=question.sheet)
    identifiers = [_resolve(table, name, "--id") for name in question.identifiers]
    taken = {*identifiers, *(_resolve(table, name, "--ignore") for name in question.ignore)}
    try:
        names, notes = _features(table, question, taken)
    except InputError as error:
        wanted = "have two columns of numbers"
        text = str(error).replace("have a column of numbers beside the target", wanted)
        raise InputError(text.replace("one that may explain the target", "columns")) from None
    values, dropped = _numbers(table, names, question.missing)
    _need(values, question)
    units, overruled = units_of(table, question)
    left_out = [{"row": row.row, "column": row.column, "text": row.text} for row in dropped]
    return InvariantColumns(
        X=values,
        units=units,
        row_names=_row_names(table, values.index, identifiers or _only_names(table, names)),
        table=table,
        dropped=left_out,
        notes=(*notes, *overruled, *left_out_note(left_out)),
    )


def columns_of(reading: Reading) -> InvariantColumns:
    """Columns of a question that has a target, the target among them."""
    X = reading.X.assign(**{reading.target: reading.y})
    return InvariantColumns(X, reading.units, reading.row_names, reading.table, reading.dropped)


def find(
    columns: InvariantColumns,
    *,
    max_terms: int | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    update: Callable[[str], object] | None = None,
) -> InvariantAnswer:
    """Products of powers and sums that are constant beyond chance."""
    from sozai.symbolic.invariants import find_invariants

    notes: list[str] = []
    terms = max_terms or _affordable(columns.X.shape[1], notes)
    lists = {}
    for form, X in (("power", _positive(columns.X, notes)), ("linear", columns.X)):
        if X.shape[1] < 2:
            continue
        if update is not None:
            update(f"seeking {'products' if form == 'power' else 'sums'} of {X.shape[1]} columns")
        known = {name: unit for name, unit in columns.units.items() if name in X and unit is not None}
        with warnings.catch_warnings():
            # The reading of the table has said which units are not known.
            warnings.filterwarnings("ignore", message="find_invariants: the unit")
            # The verdict says that the rows are too few.
            warnings.filterwarnings("ignore", message="find_invariants: so few rows")
            lists[form] = find_invariants(
                X, form, max_terms=terms, dimensions=known or "infer", n_best=20, rng=seed, n_jobs=n_jobs,
                progress=False,
            )  # fmt: skip
    for name, value in next(iter(lists.values())).constant_columns if lists else ():
        notes.append(f"Column {name!r} is constant by itself ({value:.6g}) and takes no part.")
    joined = [set(law.names) for law in lists.get("power", ())]
    sums = [law for law in lists.get("linear", ()) if set(law.names) not in joined]
    return InvariantAnswer(columns, lists, [*lists.get("power", ()), *sums], terms, notes)


def as_records(found: InvariantAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    columns = found.columns
    return {
        "features": list(columns.X.columns),
        "units": {name: columns.units.get(name) for name in columns.X.columns},
        "n_rows": len(columns.X),
        "rows": columns.row_names,
        "n_rows_needed": found.rows_needed,
        "dropped_rows": columns.dropped,
        "repairs": repair_records(columns.table),
        "max_terms": found.max_terms,
        "searches": {
            form: {
                "n_subsets": laws.n_subsets,
                "n_found": laws.n_found,
                "n_independent": laws.n_independent,
                "tolerance": laws.tolerance,
                "significance": laws.significance,
                "n_permutations": laws.n_permutations,
            }
            for form, laws in found.lists.items()
        },
        "invariants": [_record(law) for law in found.invariants],
        "seconds": found.seconds,
    }


def table_of(found: InvariantAnswer) -> pd.DataFrame:
    """One row an invariant, for ``invariants.csv`` and the report."""
    import pandas as pd

    frames = [laws.to_frame().assign(form=form) for form, laws in found.lists.items() if len(laws)]
    if not frames:
        return pd.DataFrame(columns=["formula", "constant", "unit", "spread", "ratio", "kind", "form"])
    shown = {law.formula for law in found.invariants}
    table = pd.concat(frames, ignore_index=True)
    return table[table["formula"].isin(shown)].reset_index(drop=True)


def figures_of(found: InvariantAnswer) -> Figures:
    """Displays of the first independent invariants with their captions, by file name."""
    from sozai.displays.invariants import InvariantDisplay

    best = [law for law in found.invariants if law.kind == "independent"][:_N_FIGURES]
    return {
        f"invariant_{k}": (
            InvariantDisplay.from_invariant(law, labels=found.columns.row_names),
            f"{law.equation}: every row's deviation; the band is the spread.",
        )
        for k, law in enumerate(best, start=1)
    }


def write_section(report: Report, found: InvariantAnswer, figures: Figures) -> None:
    """Put the section of a report: laws drawn, figures, the table with the figures of merit."""
    report.section("What stays constant", _verdict(found))
    for law in [law for law in found.invariants if law.kind == "independent"][:10]:
        report.formula(law.formula).text(law.equation)
    report.figures([figures[name] for name in sorted(figures) if name.startswith("invariant_")])
    if found.invariants:
        report.table(
            table_of(found),
            caption="Spread: root mean square relative deviation. Ratio: spread over the one expected if the "
            "columns had nothing to do with each other. p value: chance that a table of shuffled columns "
            "holds anything as firmly tied. Left-out spread: about the law that the other rows give. "
            "Exponent shift: the largest when one row is left out.",
        )


def say(found: InvariantAnswer) -> None:
    """Say what stays constant on the terminal."""
    from rich.table import Table

    screen = console()
    for law in [law for law in found.invariants if law.kind == "independent"][:10]:
        screen.print(law.equation, style="bold", soft_wrap=True)
    screen.print(_verdict(found), soft_wrap=True)
    if found.invariants:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("spread", "ratio", "p value", "shift"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("kind")
        table.add_column("invariant", overflow="fold")
        for law in found.invariants[:10]:
            figures = (law.spread, law.ratio, law.p_value, law.exponent_shift)
            table.add_row(*(f"{value:.2g}" for value in figures), law.kind, law.formula)
        screen.print()
        screen.print(table)


# --- parts -------------------------------------------------------------------------------------------


def _record(law: Any) -> dict[str, Any]:
    """One invariant as JSON; deviations in the order of the rows."""
    parts = zip(law.names, law.exponents, law.free_exponents, law.standard_errors, strict=True)
    return {
        "formula": law.formula,
        "equation": law.equation,
        "form": law.form,
        "kind": law.kind,
        "constant": law.constant,
        "unit": law.unit,
        **{
            name: getattr(law, name)
            for name in ("spread", "ratio", "p_value", "expected_by_chance", "left_out_spread")
        },
        "exponent_shift": law.exponent_shift,
        "terms": [
            {"name": name, "exponent": float(exponent), "found": free, "standard_error": error}
            for name, exponent, free, error in parts
        ],
        "deviations": law.deviations.tolist(),
    }


def _verdict(found: InvariantAnswer) -> str:
    """How many laws, among how many tries."""
    tries = sum(laws.n_subsets for laws in found.lists.values())
    n_rows, n_columns = found.columns.X.shape
    independent = sum(law.kind == "independent" for law in found.invariants)
    combinations = "1 combination" if tries == 1 else f"{tries:,} combinations"
    searched = f"{n_rows} rows, {n_columns} columns; {combinations} of up to {found.max_terms} columns tried"
    few = next((laws.too_few for laws in found.lists.values() if laws.too_few), "")
    if not independent and few:
        return f"{few.capitalize()} {searched}."
    if not independent:
        return f"Nothing stays constant beyond chance. {searched}."
    laws = "1 independent law stays" if independent == 1 else f"{independent} independent laws stay"
    level = max(laws.significance for laws in found.lists.values())
    return (
        f"{laws} constant beyond chance. {searched}. Where columns have nothing to do with each other, "
        f"products and sums each find something in {100 * level:g} of 100 tables at most."
    )


def _write_folder(found: InvariantAnswer, question: TableQuestion, folder: Path) -> None:
    """Write report.html, invariants.csv and the figures."""
    from sozai.contracts.tables import write_table
    from sozai.study.report import Report

    figures = figures_of(found)
    report = Report("What stays constant", lead=f"Columns of {question.file.name}; no target was named.")
    write_section(report, found, figures)
    _table_section(report, found)
    report.write(folder / "report.html")
    write_table(table_of(found), folder / "invariants.csv")
    write_figures(figures, folder)


def _table_section(report: Report, found: InvariantAnswer) -> None:
    """The table as read: ranges, repairs, rows left out, notes."""
    report.section("The table")
    ranges_and_repairs(report, found.columns.X, found.columns)
    for note in found.notes:
        report.note(note)


def _say_end(found: InvariantAnswer, question: TableQuestion) -> None:
    """Notes, where the files lie, and what to try next."""
    hints = [(question.output is None, "--output DIR writes a report with figures")]
    say_end(console(), found.notes, {}, question.output, hints)


def _affordable(n_columns: int, notes: list[str]) -> int:
    """Four columns in one law, or fewer where there are too many subsets."""
    sizes = [k for k in (4, 3, 2) if math.comb(n_columns, k) <= _MOST_SUBSETS]
    if not sizes or sizes[0] == 4:
        return 4 if sizes else 2
    notes.append(
        f"{n_columns} columns: laws of up to {sizes[0]} columns are sought; --max-terms asks for more."
    )
    return sizes[0]


def _positive(X: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Columns that have a logarithm, and a note on the others."""
    bad = (X <= 0).any()
    left_out = [str(name) for name in X.columns[bad] if X[name].max() > X[name].min()]
    if left_out:
        notes.append(
            f"Columns with values that are not positive take no part in products of powers: "
            f"{', '.join(left_out)}."
        )
    return X.loc[:, ~bad]


def _need(values: pd.DataFrame, question: TableQuestion) -> None:
    """At least four rows and two columns."""
    n_rows, n_columns = values.shape
    if n_columns < 2:
        raise InputError(
            sentence(
                "explain table --invariants", f"{question.file}", "have two columns of numbers or more",
                n_columns, remedy="Name them with --features, or add a column.",
            )
        )  # fmt: skip
    if n_rows < 4:
        raise InputError(
            sentence(
                "explain table --invariants", f"{question.file}", "have at least 4 complete rows", n_rows,
                remedy="Add rows, or leave out the columns with empty cells by --ignore.",
            )
        )  # fmt: skip


def _only_names(table: Any, taken: list[str]) -> list[str]:
    """The one column of distinct words, if there is just one: it names the rows."""
    from pandas.api.types import is_numeric_dtype

    words = [
        name
        for name in table.frame.columns
        if name not in taken and not is_numeric_dtype(table.frame[name]) and table.frame[name].is_unique
    ]
    return words if len(words) == 1 else []
