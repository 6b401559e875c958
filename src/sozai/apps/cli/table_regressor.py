"""The regressor that a question about a table asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_question import MOST_CANDIDATES, Plan, TableQuestion, make_selector

if TYPE_CHECKING:
    from sozai.apps.cli.table_reading import Reading

__all__ = ["make_regressor", "seconds_of_search"]

_SECONDS_PER_VALUE = (4e-10, 1.3e-9, 2e-9)  # of a formula and row in the screens for one, two, three terms
_SEARCH = 60.0  # seconds one search may take on one core where no number of formulas is asked for


def make_regressor(
    question: TableQuestion, reading: Reading, plan: Plan, *, select: str | None = None, **options: Any
) -> Any:
    """Unfitted regressor of the question; ``options`` go to the selector."""
    from sozai.symbolic import SymbolicRegressor

    regressor = SymbolicRegressor(
        operations=list(plan.operations) or None,
        pair_operations=list(plan.pair_operations) or None,
        dimensions=reading.feature_units or "infer",
        criterion=question.criterion,
        memory_limit=question.memory,
        n_jobs=question.n_jobs,
        random_state=question.seed,
    )
    if plan.large:
        search = _large_search(question, len(reading.y), **options)
        return regressor.set_params(max_rung=plan.order, search=search)
    return regressor.set_params(
        max_order=plan.order,
        symmetry=question.symmetry,
        selection=make_selector(
            select or question.select,
            max_terms=question.max_terms,
            criterion=question.criterion,
            n_jobs=question.n_jobs,
            **options,
        ),
        candidates=question.candidates,
    )


def seconds_of_search(n_candidates: float, n_rows: int, max_terms: int) -> float:
    """Rough time of one large search on one core.

    Examples
    --------
    >>> 20 < seconds_of_search(1e8, 80, 3) < 40
    True
    """
    per_value = sum(_SECONDS_PER_VALUE[min(k, 2)] for k in range(max_terms))
    return per_value * n_candidates * n_rows


def _large_search(question: TableQuestion, n_rows: int, **options: Any) -> Any:
    """Search object of a question that asks for the large search."""
    from sozai.symbolic import ScreenThenL0

    max_terms = question.max_terms or 3
    affordable = _SEARCH / seconds_of_search(1, n_rows, max_terms)
    return ScreenThenL0(
        max_terms=max_terms,
        max_candidates=question.max_candidates or min(MOST_CANDIDATES, affordable),
        n_jobs=question.n_jobs,
        **{"progress": False, **options},
    )
