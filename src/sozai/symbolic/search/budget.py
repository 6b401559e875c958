"""The largest space of formulas that a budget allows, the simplest formulas first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.rungs import Rungs, grow

__all__ = ["space_within", "where_cut"]


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

    The rungs below the last are grown whole if ``memory_limit`` allows it, else
    up to the largest complexity that fits; then every operation on them is a
    candidate, up to the largest complexity that ``max_candidates`` allows.

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
        Its ``max_complexity`` and ``base.max_complexity`` say where it was cut.

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
    (3, True)
    """
    operators = {"operations": operations, "pair_operations": pair_operations}

    def grown(complexity: int | None) -> Rungs:
        limits = {"max_complexity": complexity, "max_features": 2**40, "memory_limit": memory_limit}
        return grow(X, names, rung=rung - 1, **operators, **limits, **options)

    try:
        rungs = grown(max_complexity)
    except InputError as error:
        if max_complexity is not None or not _exceeds_memory(error):
            raise
        rungs = _largest(grown, error)
    space = CandidateSpace.of(
        rungs, operations, pair_operations, target_dimension=target_dimension, max_complexity=max_complexity
    )
    if space.n_candidates <= max_candidates:
        return space
    levels, counts = space.complexity_counts
    affordable = levels[np.cumsum(counts) <= max_candidates]
    if max_complexity is not None or not affordable.size:
        raise InputError(
            sentence(
                "space_within",
                "max_candidates",
                f"be at least the {space.n_candidates if max_complexity else counts[0]:,} formulas of "
                f"{'this' if max_complexity else 'the simplest'} space",
                max_candidates,
                remedy="Lower max_rung or max_complexity, use fewer columns or operations, or raise it.",
            )
        )
    return space.up_to(int(affordable[-1]))


def where_cut(space: CandidateSpace) -> str:
    """Sentence that says where :func:`space_within` cut a space; empty for a whole one.

    Examples
    --------
    >>> X = np.random.default_rng(0).uniform(1, 2, (20, 3))
    >>> where_cut(space_within(X, pair_operations=["sum", "ratio"], rung=2, max_candidates=80))
    'formulas of complexity up to 3 were searched (12); more complex ones exceed max_candidates'
    """
    below, largest = space.base.max_complexity, int(space.complexity_counts[0].max())
    cut = space.max_complexity <= largest
    if not cut and below is None:
        return ""
    parts = "" if below is None else f" made of parts of complexity up to {below}"
    limits = " and ".join(["max_candidates"] * cut + ["memory_limit"] * (below is not None))
    return (
        f"formulas of complexity up to {largest}{parts} were searched ({space.n_candidates:,}); "
        f"more complex ones exceed {limits}"
    )


def _largest(grown: Callable[[int], Rungs], refused: InputError) -> Rungs:
    """Rungs of the largest complexity that fit into memory: every step costs several times the one before."""
    fitting = None
    for complexity in count(1):
        try:
            fitting = grown(complexity)
        except InputError as error:
            if not _exceeds_memory(error):
                raise
            break
    if fitting is None:
        raise refused
    return fitting


def _exceeds_memory(error: InputError) -> bool:
    """Whether a refusal is about size, which a lower complexity mends."""
    return "memory_limit" in str(error) or "max_features" in str(error)
