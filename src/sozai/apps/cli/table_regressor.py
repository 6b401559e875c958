"""The regressor that a question about a table asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.table_question import Plan, TableQuestion, make_selector

if TYPE_CHECKING:
    from sozai.apps.cli.table_reading import Reading

__all__ = ["make_regressor"]


def make_regressor(
    question: TableQuestion, reading: Reading, plan: Plan, *, select: str | None = None, **options: Any
) -> Any:
    """Unfitted regressor of the question; ``options`` go to the selector."""
    from sozai.symbolic import SymbolicRegressor

    return SymbolicRegressor(
        operations=list(plan.operations) or None,
        pair_operations=list(plan.pair_operations) or None,
        max_order=plan.order,
        symmetry=question.symmetry,
        dimensions=reading.feature_units or "infer",
        selection=make_selector(
            select or question.select,
            max_terms=question.max_terms,
            criterion=question.criterion,
            n_jobs=question.n_jobs,
            **options,
        ),
        candidates=question.candidates,
        criterion=question.criterion,
        n_jobs=question.n_jobs,
        random_state=question.seed,
    )
