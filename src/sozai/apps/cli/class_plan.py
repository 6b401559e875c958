"""How a rule for classes is sought: which formulas, how many, and how it is tested."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_question import LARGE_OPERATIONS, TableQuestion, split_operations
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import sentence

if TYPE_CHECKING:
    from sozai.apps.cli.table_reading import Reading

__all__ = ["ClassPlan", "make_classifier", "plan_classes", "refuse_with_classes", "seconds_of_search"]

_N_KEEP = 100
_MOST_SETS = 200_000  # sets of formulas that are compared
_SHORT, _LONG = 10.0, 60.0  # seconds one search may take: by itself, and where a large one is asked for
_CALIBRATION, _TEST = 60.0, 600.0  # seconds all searches without some rows may take


@dataclass(frozen=True)
class ClassPlan:
    """Formulas to search, and how the rule is tested.

    Attributes
    ----------
    operations, pair_operations : tuple of str
    rung : int
        How deep formulas are nested.
    max_terms : int
    max_candidates : float
        Most formulas, by the time one search may take.
    n_candidates : int
        Formulas there are, at most that many.
    calibration : {"search", "boundary"}
        Whether the search is repeated to calibrate probabilities.
    n_folds : int
        Searches without some rows that test the rule; 0 where they would take too long.
    seconds : float
        Rough time of one search.
    """

    operations: tuple[str, ...]
    pair_operations: tuple[str, ...]
    rung: int
    max_terms: int
    max_candidates: float
    n_candidates: int
    calibration: str
    n_folds: int
    seconds: float

    def __str__(self) -> str:
        named = ", ".join([*self.operations, *self.pair_operations]) or "none"
        terms = "1 formula" if self.max_terms == 1 else f"up to {self.max_terms} formulas"
        return f"operations: {named}; formulas nested up to {self.rung} deep; {terms} in a rule"


def plan_classes(question: TableQuestion, reading: Reading) -> ClassPlan:
    """Two rungs of the four arithmetic operations and the square, cut to what is searched in seconds.

    The plan depends on the table and the options, never on the machine.

    Raises
    ------
    InputError
        Options that say something about a quantity, columns beyond the budget.
    """
    from sozai.symbolic.columns import PrimaryColumns
    from sozai.symbolic.screening import space_within

    refuse_with_classes(question)
    operations, pairs = (
        LARGE_OPERATIONS if question.operations is None else split_operations(question.operations)
    )
    rung, max_terms = question.max_rung or 2, question.max_terms or 2
    m, n_classes = len(reading.y), len(set(reading.y.tolist()))
    asked = question.search == "large" or question.max_rung is not None
    most = question.max_candidates or _affordable(m, n_classes, max_terms, _LONG if asked else _SHORT)
    most = max(most, reading.X.shape[1])
    columns = PrimaryColumns.read(list(reading.X.columns), reading.feature_units or "infer")
    space = space_within(
        columns.convert(reading.X.to_numpy()),
        columns.names,
        operations=operations,
        pair_operations=pairs,
        rung=rung,
        dimensions=columns.dimensions,
        max_candidates=most,
        memory_limit=question.memory,
    )
    n_candidates = int(space.n_candidates)
    seconds = seconds_of_search(n_candidates, m, n_classes, max_terms)
    return ClassPlan(
        operations=tuple(operations),
        pair_operations=tuple(pairs),
        rung=rung,
        max_terms=max_terms,
        max_candidates=float(most),
        n_candidates=n_candidates,
        calibration="search" if 5 * seconds <= _CALIBRATION else "boundary",
        n_folds=_folds(reading, seconds),
        seconds=seconds,
    )


def seconds_of_search(n_candidates: float, n_rows: int, n_classes: int, max_terms: int) -> float:
    """Rough time of one search on one core.

    Examples
    --------
    >>> seconds_of_search(2000, 500, 2, 1) < 0.1 < seconds_of_search(2000, 500, 2, 2) < 10
    True
    """
    seconds = 8e-9 * n_candidates * n_rows
    for n_terms in range(2, max_terms + 1):
        n_sets = min(math.comb(min(int(n_candidates), n_terms * _N_KEEP), n_terms), _MOST_SETS)
        seconds += 1.2e-7 * (n_candidates + n_sets) * n_rows * max(n_classes - 1, 1)
    return seconds


def refuse_with_classes(question: TableQuestion) -> None:
    """Refuse options about a quantity where classes are told apart, rather than pass over them."""
    of_quantities = {
        "--order": (question.order, None),
        "--symmetry": (question.symmetry, None),
        "--select": (question.select, "exhaustive"),
        "--criterion": (question.criterion, "ebic"),
        "--candidates": (question.candidates, "auto"),
        "--prefer": (question.prefer, ()),
        "--relations": (question.relations, False),
        "--limits": (question.limits, ()),
    }
    for option, (value, default) in of_quantities.items():
        if value != default:
            raise UsageError(
                sentence(
                    option, "the option", "be left out where the target holds classes",
                    ", ".join(value) if isinstance(value, tuple) else value,
                    remedy="--max-rung says how deep formulas are nested." if option == "--order" else "",
                )
            )  # fmt: skip
    if question.max_terms is not None and question.max_terms > 3:
        raise UsageError(
            sentence(
                "--max-terms", "the number", "be at most 3 where the target holds classes",
                question.max_terms, remedy="Give 1, 2 or 3.",
            )
        )  # fmt: skip


def make_classifier(question: TableQuestion, reading: Reading, plan: ClassPlan, **options: Any) -> Any:
    """Unfitted classifier of the question; ``options`` are parameters of it."""
    from sozai.symbolic import SymbolicClassifier

    return SymbolicClassifier(
        list(plan.operations) or None,
        list(plan.pair_operations) or None,
        max_rung=plan.rung,
        max_terms=plan.max_terms,
        n_keep=_N_KEEP,
        calibration=plan.calibration,
        dimensions=reading.feature_units or "infer",
        max_candidates=plan.max_candidates,
        memory_limit=question.memory,
        n_jobs=question.n_jobs,
        random_state=question.seed,
    ).set_params(**{"progress": False, **options})


def _affordable(m: int, n_classes: int, max_terms: int, seconds: float) -> float:
    """Formulas of m rows that are searched in this time; a thousand in any case."""
    few, many = 1e3, 1e9
    fixed = seconds_of_search(few, m, n_classes, max_terms)
    one = (seconds_of_search(many, m, n_classes, max_terms) - fixed) / many
    return max((seconds - fixed) / one, few)


def _folds(reading: Reading, seconds: float) -> int:
    """Folds that test the rule: ten or every group where that is short, else five, else none."""
    n_parts = min(10, len(reading.y)) if reading.groups is None else len(set(reading.groups.tolist()))
    if n_parts * seconds <= _SHORT:
        return n_parts
    fewer = min(5, n_parts)
    return fewer if fewer * seconds <= _TEST else 0
