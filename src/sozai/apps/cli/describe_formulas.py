"""A column of formulas as numbers: which descriptor, every row, what it rests on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.formula_columns import FormulaFile
from sozai.apps.cli.formula_places import check_result_folder, check_result_place, check_text_table
from sozai.apps.cli.formula_reading import (
    FormulaRows,
    in_option_words,
    read_components,
    read_formulas,
)
from sozai.apps.cli.formula_wording import in_formula_words
from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.usage import UsageError
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DescribedFormulas", "DescriptionQuestion", "answer"]

_METHODS = {"kmd": "kernel mean descriptor", "statistics": "summary statistics", "fractions": "fractions"}


@dataclass(frozen=True)
class DescriptionQuestion:
    """Options of ``sozai describe formulas`` as they were given.

    Examples
    --------
    >>> DescriptionQuestion(FormulaFile(Path("alloys.csv"))).method
    'kmd'
    """

    source: FormulaFile
    method: str = "kmd"
    representation: str | None = None
    grid: int | None = None
    every_element: bool = False
    dtype: str = "float64"
    on_error: str = "empty"
    place: Path | None = None
    output: Path | None = None
    json: bool = False
    n_jobs: int | None = None


@dataclass
class DescribedFormulas:
    """Numbers of every row of a file.

    Attributes
    ----------
    question : DescriptionQuestion
    rows : FormulaRows
    values : ndarray of shape (n_rows, n_columns)
        In the order of the file; NaN throughout for formulas that could not be read.
    names : tuple of str
        Of the columns.
    units : mapping of str to (str or None)
        Of the columns that have one.
    components : ComponentTable
    descriptor : transformer or None
        Fitted; None for fractions.
    notes : list of str
    seconds : float
    """

    question: DescriptionQuestion
    rows: FormulaRows
    values: np.ndarray
    names: tuple[str, ...]
    units: Mapping[str, str | None]
    components: Any
    descriptor: Any
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def method_name(self) -> str:
        """What was computed, in words."""
        name = _METHODS[self.question.method]
        isometric = self.question.representation == "isometric"
        return f"{name}, isometric coordinates" if isometric else name


def answer(question: DescriptionQuestion) -> None:
    """Describe the formulas on the terminal, as JSON, and into files."""
    from sozai.apps.cli.describe_output import deliver

    start = time.perf_counter()
    _refuse_idle_options(question)
    with collected_warnings() as notes:
        check_text_table("-o", question.place, also=(".npy", ".npz"))
        check_result_place("-o", question.place, (question.source.path,), "described.csv")
        check_result_folder(question.output)
        found = describe(question)
        found.seconds = time.perf_counter() - start
        spoken = (in_command_words(in_formula_words(note)) for note in [*found.notes, *notes])
        found.notes = list(dict.fromkeys(spoken))
        deliver(found)


def describe(question: DescriptionQuestion) -> DescribedFormulas:
    """Read the formulas and turn them into numbers, with a line of progress on a terminal."""
    with progress_console().status("reading the table", spinner="line") as status:
        components = read_components(question.source.table)
        rows = read_formulas(question.source, components.components)
        _refuse_first(question, rows)
        status.update(f"describing {len(rows.parsed)} formulas")
        with in_option_words():
            values, names, units, descriptor, notes = _values(question, rows, components)
    return DescribedFormulas(
        question, rows, values, names, units, components, descriptor, [*rows.notes, *notes]
    )


def _values(question: DescriptionQuestion, rows: FormulaRows, components: Any) -> tuple[Any, ...]:
    """Numbers, names and units of the columns, the descriptor behind them, notes."""
    if question.method == "fractions":
        return _fractions(question, rows)
    if question.method == "statistics":
        from sozai.composition import SummaryStatistics

        descriptor: Any = SummaryStatistics(components, on_error="nan", n_jobs=question.n_jobs).fit()
        values = descriptor.transform(rows.parsed).astype(question.dtype, copy=False)
        names = tuple(descriptor.get_feature_names_out())
        units = dict(zip(components.features, components.units, strict=True))
        own = {name: _statistic_unit(name, units) for name in names}
        return values, names, own, descriptor, []
    from sozai.composition import KernelMeanDescriptor

    descriptor = KernelMeanDescriptor(
        components, grid=question.grid or 10, representation=question.representation or "grid",
        dtype=question.dtype, on_error="nan", n_jobs=question.n_jobs,
    ).fit()  # fmt: skip
    return descriptor.transform(rows.parsed), tuple(descriptor.get_feature_names_out()), {}, descriptor, []


def _fractions(question: DescriptionQuestion, rows: FormulaRows) -> tuple[Any, ...]:
    """Fractions of the elements that occur, or of all of the table."""
    import numpy as np

    parsed = rows.parsed
    used = np.unique(parsed.fractions.indices)
    if question.every_element:
        used = np.arange(len(parsed.components))
    values = parsed.fractions[:, used].toarray().astype(question.dtype, copy=False)
    values[parsed.refused] = np.nan
    notes = []
    if len(used) < len(parsed.components):
        notes.append(
            f"{len(used)} of {len(parsed.components)} elements occur; the others have no column "
            "(--every-element gives them one)."
        )
    return values, tuple(parsed.components[j] for j in used), {}, None, notes


def _statistic_unit(name: str, units: Mapping[str, str | None]) -> str | None:
    """Unit of one statistic: that of the feature; none for the variance, whose unit is its square."""
    statistic, _, feature = name.partition(":")
    return None if statistic == "var" else units.get(feature)


def _refuse_idle_options(question: DescriptionQuestion) -> None:
    """Refuse options that the method does not have, rather than pass over them."""
    checks = (
        ("--representation", question.representation, "kmd"),
        ("--grid", question.grid, "kmd"),
        ("--every-element", question.every_element or None, "fractions"),
    )
    for option, value, method in checks:
        if value is not None and question.method != method:
            raise UsageError(
                sentence(
                    option, "the option", f"be left out without --method {method}", value,
                    at=f"with --method {question.method}", remedy="Leave it out.",
                )
            )  # fmt: skip


def _refuse_first(question: DescriptionQuestion, rows: FormulaRows) -> None:
    """With ``--on-error raise``, stop at the first formula that cannot be read."""
    refused = [issue for issue in rows.issues if issue["refused"]]
    if question.on_error != "raise" or not refused:
        return
    first, n_rows = refused[0], int(rows.refused.sum())
    more = f" {n_rows - 1} more cannot be read." if n_rows > 1 else ""
    raise InputError(
        f"Row {first['row']} of '{rows.table.source}', column {rows.column!r}: {first['message']} Got "
        f"{first['text']!r}.{more} --on-error empty leaves such rows empty."
    )
