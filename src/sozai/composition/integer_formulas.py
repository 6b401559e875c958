"""Whole numbers of atoms near given fractions, scored by distance and by the number of atoms."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.composition.charge_balance import can_be_neutral

__all__ = ["search_integers"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _gcd(counts: Ints, k: int) -> int:
    """Greatest common divisor."""
    divisor = 0
    for i in range(k):
        a, b = counts[i], divisor
        while b:
            a, b = b, a % b
        divisor = a
    return divisor


@njit(cache=True, nogil=True)
def _largest_remainder(weights: Floats, k: int, total: int, counts: Ints, rests: Floats) -> None:
    """Round ``total * weights`` so that the sum is ``total``."""
    given = 0
    for i in range(k):
        counts[i] = int(np.floor(total * weights[i]))
        rests[i] = total * weights[i] - counts[i]
        given += counts[i]
    for _ in range(total - given):
        best = 0
        for i in range(1, k):
            if rests[i] > rests[best]:
                best = i
        counts[best] += 1
        rests[best] -= 1.0


@njit(cache=True, nogil=True)
def _offer(
    score: float, support: int, counts: Ints, k: int, scores: Floats, sources: Ints, numbers: Ints, n: int
) -> int:  # fmt: skip
    """Insert one formula into the sorted list of the best; returns the length."""
    place = n if n < scores.size else n - 1
    while place > 0 and scores[place - 1] > score:
        scores[place], sources[place] = scores[place - 1], sources[place - 1]
        numbers[place] = numbers[place - 1]
        place -= 1
    scores[place], sources[place] = score, support
    numbers[place, :] = 0
    numbers[place, :k] = counts[:k]
    return min(n + 1, scores.size)


@njit(cache=True, nogil=True)
def search_integers(
    products: Floats, members: Ints, sizes: Ints, weights: Floats, bounds: Floats, prices: Floats,
    max_atoms: int, price_of_atoms: float, states: Ints, n_states: Ints, valence: int, ranks: Ints,
    scores: Floats, sources: Ints, numbers: Ints,
) -> int:  # fmt: skip
    """Best integer formulas of many supports.

    For each support and each total M: largest-remainder rounding of M·w and all transfers of one
    atom between two components; multiples are left to their smaller total. A formula n scores
    nᵀDn/M² + price_of_atoms · ln M + prices[k]. A support whose bound alone is worse than
    the worst kept formula is passed over, which loses nothing.

    Parameters
    ----------
    products : (m, m) D, with wᵀDw the squared distance
    members, sizes, weights : supports, see :class:`~sozai.composition.decoding_supports.Supports`
    bounds : (n,) their least squared distance
    prices : (k_max + 1,) score of having k components
    max_atoms : largest M
    states, n_states, valence, ranks : see :func:`~sozai.composition.charge_balance.can_be_neutral`;
        valence 0 asks for nothing
    scores, sources, numbers : results (n_keep), (n_keep), (n_keep, k_max)

    Returns
    -------
    int
        Number of formulas found.
    """
    k_max, n = members.shape[1], 0
    counts, pulls, rests = np.zeros(k_max, np.int64), np.zeros(k_max), np.zeros(k_max)
    for support in range(sizes.size):
        k = sizes[support]
        floor = bounds[support] + prices[k]
        if n == scores.size and floor >= scores[n - 1]:
            continue
        here = members[support]
        for total in range(k, (1 if k == 1 else max_atoms) + 1):
            base = prices[k] + price_of_atoms * np.log(total)
            if n == scores.size and bounds[support] + base >= scores[n - 1]:
                break
            _largest_remainder(weights[support], k, total, counts, rests)
            square = 0.0
            for i in range(k):
                pulls[i] = 0.0
                for j in range(k):
                    pulls[i] += products[here[i], here[j]] * counts[j]
                square += counts[i] * pulls[i]
            for i in range(k):
                for j in range(k):
                    if i == j and i > 0:
                        continue  # the rounding itself is met once, as i = j = 0
                    moved = square
                    if i != j:
                        moved += 2 * (pulls[j] - pulls[i]) + products[here[i], here[i]]
                        moved += products[here[j], here[j]] - 2 * products[here[i], here[j]]
                    moved = max(moved, 0.0) / total**2
                    if n == scores.size and moved + base >= scores[n - 1]:
                        continue
                    counts[i] -= 1
                    counts[j] += 1
                    fits = counts[:k].min() >= 1 and _gcd(counts, k) == 1
                    if fits and valence > 0:
                        fits = can_be_neutral(here, counts, k, states, n_states, valence, ranks)
                    if fits:
                        n = _offer(moved + base, support, counts, k, scores, sources, numbers, n)
                    counts[i] += 1
                    counts[j] -= 1
    return n
