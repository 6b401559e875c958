"""The regressor that a question about a table asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_question import MOST_CANDIDATES, Plan, TableQuestion, make_selector

if TYPE_CHECKING:
    from sozai.apps.cli.table_reading import Reading

__all__ = ["make_regressor"]


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
        return regressor.set_params(max_rung=plan.order, search=_large_search(question, **options))
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


def _large_search(question: TableQuestion, **options: Any) -> Any:
    """Search object of a question that asks for the large search."""
    from sozai.symbolic import ScreenThenL0

    return ScreenThenL0(
        max_terms=question.max_terms or 3,
        max_candidates=question.max_candidates or MOST_CANDIDATES,
        n_jobs=question.n_jobs,
        **{"progress": False, **options},
    )
