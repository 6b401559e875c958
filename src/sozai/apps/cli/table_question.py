"""What the user asked of a table, and the words turned into the objects they name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sozai.contracts.errors import InputError, sentence

__all__ = ["Plan", "TableQuestion", "default_plan", "make_selector", "read_units", "split_operations"]

_AFFORDABLE = 3000  # descriptors among which three terms are searched exhaustively in seconds


@dataclass(frozen=True)
class TableQuestion:
    """Options of ``sozai explain table`` as they were given.

    Examples
    --------
    >>> TableQuestion(file=Path("alloys.csv"), target="M").criterion
    'ebic'
    """

    file: Path
    target: str
    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    groups: str | None = None
    units: tuple[str, ...] = ()
    missing: str = "error"
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    order: int | str | None = None
    operations: tuple[str, ...] | None = None
    symmetry: str | None = None
    select: str = "exhaustive"
    max_terms: int | None = None
    criterion: str = "ebic"
    candidates: str = "auto"
    prefer: tuple[str, ...] = ()
    relations: bool = False
    compare: bool = False
    apply: Path | None = None
    save: Path | None = None
    output: Path | None = None
    json: bool = False
    seed: int = 0
    n_jobs: int | None = None


@dataclass(frozen=True)
class Plan:
    """How descriptors are made from the columns.

    Attributes
    ----------
    operations, pair_operations : tuple of str
    order : int or "auto"
    chosen_for_you : bool
        True when the user said nothing and the size of the table decided.
    """

    operations: tuple[str, ...]
    pair_operations: tuple[str, ...]
    order: int | str
    chosen_for_you: bool = False

    def __str__(self) -> str:
        named = ", ".join([*self.operations, *self.pair_operations]) or "none"
        return f"operations: {named}; products of up to {self.order} factors" + (
            " (chosen by the size of the table)" if self.chosen_for_you else ""
        )


def default_plan(question: TableQuestion, n_features: int) -> Plan:
    """Operations and order: the user's, or reciprocals and products of three while the search stays short.

    Examples
    --------
    >>> print(default_plan(TableQuestion(file=Path("a.csv"), target="y"), 4))
    operations: inverse; products of up to 3 factors (chosen by the size of the table)
    >>> default_plan(TableQuestion(file=Path("a.csv"), target="y"), 5000).order
    1
    """
    if question.operations is not None:
        return Plan(*split_operations(question.operations), question.order or 2)
    if question.order is not None:
        return Plan(("inverse",), (), question.order)
    for operations, order in ((("inverse",), 3), (("inverse",), 2), ((), 2)):
        n_first = n_features * (1 + len(operations))
        if math.comb(n_first + order, order) <= _AFFORDABLE:
            return Plan(operations, (), order, chosen_for_you=True)
    return Plan((), (), 1, chosen_for_you=True)


def split_operations(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split operations into those of one column and those of two; ``"none"`` stands for no operation.

    Examples
    --------
    >>> split_operations(["abs", "abs_sum", "a-", "r"])
    (('abs', 'r'), ('abs_sum', 'a-'))
    """
    from sozai.symbolic.operations import PAIR_OPERATIONS, UNARY_OPERATIONS

    words = [name.strip() for name in names if name.strip() and name.strip() != "none"]
    of_pairs, of_one = (
        {code for operation in table.values() for code in (operation.name, *operation.codes)}
        for table in (PAIR_OPERATIONS, UNARY_OPERATIONS)
    )
    for word in words:
        if word not in of_pairs | of_one:
            near = get_close_matches(word, [*UNARY_OPERATIONS, *PAIR_OPERATIONS], n=3, cutoff=0.5)
            remedy = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
            known = f"of one column {', '.join(UNARY_OPERATIONS)}; of two {', '.join(PAIR_OPERATIONS)}"
            raise InputError(
                sentence("--operations", "each name", f"be one of these: {known}", word, remedy=remedy)
            )
    return tuple(word for word in words if word in of_one), tuple(word for word in words if word in of_pairs)


def read_units(entries: Sequence[str]) -> dict[str, str]:
    """Read ``COL=UNIT`` entries; the last equals sign divides, so a column name may hold others.

    Examples
    --------
    >>> read_units(["r_A=angstrom", "T (a=b)=K"])
    {'r_A': 'angstrom', 'T (a=b)': 'K'}
    """
    units = {}
    for entry in entries:
        name, equals, unit = entry.rpartition("=")
        if not equals or not name.strip():
            raise InputError(
                sentence(
                    "--units",
                    "each entry",
                    "read COL=UNIT",
                    entry,
                    remedy='Write for example --units "r_A=angstrom".',
                )
            )
        units[name.strip()] = unit.strip()
    return units


def make_selector(
    name: str,
    *,
    max_terms: int | None = None,
    criterion: str = "ebic",
    n_jobs: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    on_interrupt: str = "raise",
) -> Any:
    """Build the selector that a word of ``--select`` names."""
    from sozai.symbolic import selection

    if name == "exhaustive":
        return selection.Exhaustive(
            max_terms=max_terms or 3, n_jobs=n_jobs, progress=progress, on_interrupt=on_interrupt
        )
    if name == "lasso-l0":
        return selection.LassoThenL0(max_terms=max_terms or 3, n_jobs=n_jobs)
    # The path is stored whole and the regressor chooses from it, so these two need no stop of their own.
    stop = "q2" if criterion in ("rmse", "ebic") else criterion
    if name == "backward":
        return selection.BackwardElimination(stop=stop)
    if name == "forward":
        return selection.ForwardSelection(max_terms, stop=stop)
    if name == "stepwise":
        return selection.Stepwise("bic" if criterion in ("rmse", "ebic") else criterion, max_terms=max_terms)
    return selection.Lasso()
