"""The simple part of a space of formulas: a pool that is kept, and steps above it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest

__all__ = ["Ladder", "in_turn", "n_simplest"]

#: Formulas of the pool, at most; all of them are kept in memory.
POOL = 6000
#: Every other step has this many times the formulas of the one before, and the space as many times its own.
GROWTH = 5
#: Pairs, and larger subsets, of the simplest formulas that are compared in passing.
PAIRS, SUBSETS = 2e6, 2e7
#: Entries of their Gram matrices, all tasks together.
GRAM = 8e6
_NOTHING = object()


@dataclass(frozen=True)
class Ladder:
    """Complexities that mark out the simple part of a space, ascending.

    Attributes
    ----------
    pool : tuple of int
        Steps so low that all their formulas can be kept: every complexity up
        to 6,000 formulas.
    passes : tuple of int
        Steps above, each with at least five times as many formulas as the one
        before, and at most a fifth of the space.

    Examples
    --------
    >>> Ladder((2, 3, 4), (7, 9)).steps
    (2, 3, 4, 7, 9)
    """

    pool: tuple[int, ...]
    passes: tuple[int, ...]

    @classmethod
    def of(cls, space) -> Ladder:
        """Ladder of a :class:`~sozai.symbolic.search.candidates.CandidateSpace`."""
        levels, counts = (column.tolist() for column in space.complexity_counts)
        totals = list(accumulate(counts))
        pool = tuple(level for level, total in zip(levels, totals, strict=True) if total <= POOL)
        least = GROWTH * max((total for total in totals if total <= POOL), default=POOL // GROWTH)
        passes = []
        for level, total in zip(levels, totals, strict=True):
            if total >= max(least, POOL + 1) and total * GROWTH <= space.n_candidates:
                passes.append(level)
                least = total * GROWTH
        return cls(pool, tuple(passes))

    @property
    def steps(self) -> tuple[int, ...]:
        """All complexities."""
        return (*self.pool, *self.passes)


def n_simplest(size: int, n_tasks: int) -> int:
    """How many of the simplest formulas can be compared in all subsets of ``size`` in passing.

    Parameters
    ----------
    size : int
        At least 2.
    n_tasks : int

    Returns
    -------
    int

    Examples
    --------
    >>> n_simplest(2, 1), n_simplest(3, 1)
    (2000, 494)
    """
    limit = (PAIRS if size == 2 else SUBSETS) / n_tasks
    count = size
    while math.comb(count + 1, size) <= limit and (count + 1) ** 2 * n_tasks <= GRAM:
        count += 1
    return count


def in_turn(lists: Sequence[Sequence], n: int, without: Iterable = ()) -> list:
    """Different items of several ranked lists: all the first ones, all the second ones, until there are n.

    Parameters
    ----------
    lists : sequence of sequences
        Hashable items, best first.
    n : int
    without : iterable
        Items to leave out.

    Returns
    -------
    list

    Examples
    --------
    >>> in_turn([["a", "b"], ["a", "c", "d"]], 3)
    ['a', 'b', 'c']
    """
    left_out = set(without)
    ranked = (item for rank in zip_longest(*lists, fillvalue=_NOTHING) for item in rank)
    distinct = dict.fromkeys(item for item in ranked if item is not _NOTHING and item not in left_out)
    return list(distinct)[:n]
