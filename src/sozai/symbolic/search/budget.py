"""The largest space of formulas that a budget allows, the simplest formulas first."""

from __future__ import annotations

from typing import Any

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import grow

__all__ = ["space_within"]


def space_within(
    X: Any,
    names: Any = None,
    *,
    operations: Any = (),
    pair_operations: Any = (),
    rung: int = 2,
    max_complexity: int | None = None,
    max_candidates: float = 1e9,
    memory_limit: float = 2e9,
    target_dimension: Any = None,
    **options: Any,
) -> CandidateSpace:
    """Candidates of the last rung, cut by complexity where there would be too many.

    Parameters
    ----------
    X, names, operations, pair_operations
        As in :func:`~sozai.symbolic.search.rungs.grow`.
    rung : int, default=2
        How deep formulas are nested; the rungs below are kept in memory.
    max_complexity : int, optional
        Most complex formula; found from the budget when left out.
    max_candidates : float, default=1e9
        Most formulas, counted before equal ones are merged.
    memory_limit : float, default=2e9
        Most bytes of the rungs below the last.
    target_dimension : optional
        As in :meth:`~sozai.symbolic.search.candidates.CandidateSpace.of`.
    **options
        ``dimensions``, ``dimensionless``, ``groups``, ``domain`` of ``grow``.

    Returns
    -------
    CandidateSpace
        Its ``max_complexity`` says where the space was cut.

    Raises
    ------
    InputError
        The given complexity, or the columns alone, exceed the budget.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).uniform(1, 2, (20, 3))
    >>> pairs = ["sum", "product", "ratio"]
    >>> whole = space_within(X, ["a", "b", "c"], pair_operations=pairs, rung=2)
    >>> part = space_within(X, ["a", "b", "c"], pair_operations=pairs, rung=2, max_candidates=100)
    >>> part.max_complexity, part.n_candidates <= 100 < whole.n_candidates
    (4, True)
    """

    def space_up_to(complexity: int | None) -> CandidateSpace:
        rungs = grow(
            X,
            names,
            operations=operations,
            pair_operations=pair_operations,
            rung=rung - 1,
            max_complexity=complexity,
            max_features=2**40,
            memory_limit=memory_limit,
            **options,
        )
        space = CandidateSpace.of(
            rungs,
            operations,
            pair_operations,
            target_dimension=target_dimension,
            max_complexity=complexity,
        )
        if space.n_candidates > max_candidates:
            raise InputError(
                sentence(
                    "space_within",
                    "max_candidates",
                    f"be at least the {space.n_candidates:,} formulas of this space",
                    max_candidates,
                    remedy="Lower max_rung or max_complexity, use fewer columns or operations, or raise it.",
                )
            )
        return space

    try:
        return space_up_to(max_complexity)
    except InputError as error:
        if max_complexity is not None or not _exceeds_budget(error):
            raise
        refused = error
    fitting = None
    for complexity in range(1, 1000):
        try:
            fitting = space_up_to(complexity)
        except InputError as error:
            if _exceeds_budget(error):
                break
    if fitting is None:
        raise refused
    return fitting


def _exceeds_budget(error: InputError) -> bool:
    """Whether a refusal is about size, which a lower complexity mends."""
    return "max_candidates" in str(error) or "memory_limit" in str(error) or "max_features" in str(error)
