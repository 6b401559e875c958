"""What the user asked of a table, and the words turned into the objects they name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import sentence

__all__ = [
    "LARGE_OPERATIONS",
    "MOST_CANDIDATES",
    "Plan",
    "TableQuestion",
    "default_plan",
    "make_selector",
    "read_memory",
    "read_units",
    "refuse_with_invariants",
    "split_operations",
]

_AFFORDABLE = 3000  # descriptors among which three terms are searched exhaustively in seconds
LARGE_OPERATIONS = (("square",), ("sum", "difference", "product", "ratio"))
_LARGE_RUNG = 2
MOST_CANDIDATES = 1e8
_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}


@dataclass(frozen=True)
class TableQuestion:
    """Options of ``sozai explain table`` as they were given.

    Examples
    --------
    >>> TableQuestion(file=Path("alloys.csv"), target="M").criterion
    'ebic'
    """

    file: Path
    target: str | None = None
    classify: bool = False
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
    search: str = "small"
    max_rung: int | None = None
    memory: float = 2e9
    max_candidates: float | None = None
    prefer: tuple[str, ...] = ()
    relations: bool = False
    invariants: bool = False
    limits: tuple[str, ...] = ()
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
        Factors of a product; of a large search, the rung.
    chosen_for_you : bool
        True when the user said nothing and the size of the table decided.
    large : bool
        Formulas are nested and screened instead of multiplied and stored.
    """

    operations: tuple[str, ...]
    pair_operations: tuple[str, ...]
    order: int | str
    chosen_for_you: bool = False
    large: bool = False

    def __str__(self) -> str:
        named = ", ".join([*self.operations, *self.pair_operations]) or "none"
        if self.large:
            return f"operations: {named}; formulas nested up to {self.order} deep"
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
    >>> print(default_plan(TableQuestion(file=Path("a.csv"), target="y", search="large", max_rung=3), 4))
    operations: square, sum, difference, product, ratio; formulas nested up to 3 deep
    """
    if question.search == "large":
        _refuse_small_options(question)
        named = LARGE_OPERATIONS if question.operations is None else split_operations(question.operations)
        return Plan(*named, question.max_rung or _LARGE_RUNG, large=True)
    if question.max_candidates is not None:
        raise UsageError(
            sentence(
                "--max-candidates", "the option", "be left out without --search large or classes",
                question.max_candidates, remedy="Add --search large.",
            )
        )  # fmt: skip
    if question.operations is not None:
        return Plan(*split_operations(question.operations), question.order or 2)
    if question.order is not None:
        return Plan(("inverse",), (), question.order)
    for operations, order in ((("inverse",), 3), (("inverse",), 2), ((), 2)):
        n_first = n_features * (1 + len(operations))
        if math.comb(n_first + order, order) <= _AFFORDABLE:
            return Plan(operations, (), order, chosen_for_you=True)
    return Plan((), (), 1, chosen_for_you=True)


def _refuse_small_options(question: TableQuestion) -> None:
    """Refuse options that the large search does not have, rather than pass over them."""
    small = {
        "--order": (question.order, None),
        "--symmetry": (question.symmetry, None),
        "--select": (question.select, "exhaustive"),
        "--candidates": (question.candidates, "auto"),
    }
    for option, (value, default) in small.items():
        if value != default:
            remedy = "--max-rung says how deep formulas are nested." if option == "--order" else ""
            raise UsageError(
                sentence(option, "the option", "be left out with --search large", value, remedy=remedy)
            )


def refuse_with_invariants(question: TableQuestion) -> None:
    """Refuse options about a law where none is sought."""
    about_laws = {
        "--target": question.target,
        "--classify": question.classify,
        "--groups": question.groups,
        "--prefer": question.prefer,
        "--relations": question.relations,
        "--limits": question.limits,
        "--compare": question.compare,
        "--apply": question.apply,
        "--save": question.save,
        "--order": question.order,
        "--operations": question.operations,
        "--symmetry": question.symmetry,
        "--max-rung": question.max_rung,
        "--max-candidates": question.max_candidates,
    }
    for option, value in about_laws.items():
        if value:
            raise UsageError(
                sentence(
                    option, "the option", "be left out with --invariants", value,
                    remedy="No column is explained there: ask for a law in a command of its own.",
                )
            )  # fmt: skip


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
            raise UsageError(
                sentence("--operations", "each name", f"be one of these: {known}", word, remedy=remedy)
            )
    return tuple(word for word in words if word in of_one), tuple(word for word in words if word in of_pairs)


def read_memory(text: str) -> float:
    """Read a size such as ``200MB`` in bytes.

    Examples
    --------
    >>> read_memory("200MB"), read_memory("1.5 GiB"), read_memory("4e8")
    (200000000.0, 1610612736.0, 400000000.0)
    """
    match = re.fullmatch(r"\s*(\d+\.?\d*(?:[eE]\d+)?|\.\d+)\s*([KMG]I?)?B?\s*", text.upper())
    size = float(match[1]) * _BYTES[match[2] or ""] if match else 0.0
    if not 0 < size < math.inf:
        raise UsageError(
            sentence("--memory", "the size", "be a number of bytes, MB or GB", text, remedy="Write 200MB.")
        )
    return size


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
            raise UsageError(
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
            max_terms=max_terms or "auto", n_jobs=n_jobs, progress=progress, on_interrupt=on_interrupt
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
