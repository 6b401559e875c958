"""Formulas near one descriptor: sets of elements, then whole numbers, then charges."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.composition.charge_balance import MIXED
from sozai.composition.decoding_request import Request
from sozai.composition.decoding_supports import Supports, find_supports, solve_two_sums
from sozai.composition.integer_formulas import search_integers

__all__ = [
    "Found",
    "Row",
    "bound_outside",
    "force_included",
    "neutral_supports",
    "prices",
    "read_row",
    "search",
]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Supports that get the second equality, choices of states for each, and kept results of both.
_CHARGED, _STATE_CHOICES, _KEPT = 30, 4096, 300
#: Supports to which included elements are added by force.
_FORCED = 50


@dataclass(frozen=True, eq=False)
class Row:
    """One descriptor: distances to its components and what the convex optimum says."""

    shifted: Array  # (m, r) components minus descriptor, inside the span of H
    products: Array  # (m, m) D of these
    outside: float  # squared norm of the part outside
    norm: float
    weights: Array  # of the convex optimum
    multipliers: Array
    convex_square: float  # inside the span
    variance: float
    unique: bool
    order: Ints

    @property
    def convex_residual(self) -> float:
        """Residual of the convex optimum."""
        return float(np.sqrt(self.convex_square + self.outside))


@dataclass(frozen=True, eq=False)
class Found:
    """Integer formulas in the order of their score."""

    members: list[Ints]
    counts: list[Ints]


def read_row(job: Request, phi: Array, weights: Array, multipliers: Array, unique: bool) -> Row:
    """Distances to all components, and the noise."""
    system = job.system
    projected = phi @ system.orthonormal
    rest = phi - system.orthonormal @ projected
    shifted = system.triangular.T - projected
    free = max(len(phi) - int((weights > 0).sum()) + 1, 1)
    inside = weights @ shifted
    square = float(rest @ rest + inside @ inside)
    variance = square / free if job.noise is None else job.noise**2
    order = np.lexsort((multipliers, -weights)).astype(np.int64)
    return Row(
        shifted, np.ascontiguousarray(shifted @ shifted.T), float(rest @ rest), float(np.sqrt(phi @ phi)),
        weights, multipliers, float(inside @ inside), float(variance), bool(unique), order,
    )  # fmt: skip


def prices(job: Request, row: Row, k_max: int) -> Array:
    """Score of having 0, 1, ... elements."""
    return 2.0 * row.variance * np.log(len(job.names)) * np.arange(k_max + 1)


def search(job: Request, row: Row, supports: Supports, valence: int, n_best: int) -> Found:
    """Whole numbers near the fractions of the supports."""
    k_max = supports.members.shape[1]
    price = prices(job, row, k_max)
    rank = np.argsort(supports.squares + price[supports.sizes], kind="stable")
    scores = np.full(n_best, np.inf)
    sources, numbers = np.zeros(n_best, dtype=np.int64), np.zeros((n_best, k_max), dtype=np.int64)
    n = search_integers(
        row.products, supports.members[rank], supports.sizes[rank], supports.weights[rank],
        supports.squares[rank], price, job.max_atoms, row.variance, job.states, job.n_states,
        valence, job.ranks, scores, sources, numbers,
    )  # fmt: skip
    picked = rank[sources[:n]]
    sizes = supports.sizes[picked]
    members = [supports.members[picked[k], : sizes[k]] for k in range(n)]
    return Found(members, [numbers[k, : sizes[k]] for k in range(n)])


def force_included(job: Request, row: Row, found: Supports) -> Supports:
    """Add the nearest free supports with the smallest amount of every included element they lack.

    A descriptor may speak against an included element; its best weight is then not positive.
    """
    free = find_supports(row.products, row.order, np.zeros(0, np.int64), job.max_elements)
    members, weights = [], []
    for k in range(min(_FORCED, len(free.sizes))):
        held = free.members[k, : free.sizes[k]]
        new = np.setdiff1d(job.include, held)
        if not len(new) or len(held) + len(new) > job.max_elements:
            continue  # all there already, or no room
        share = np.full(len(new), 1.0 / job.max_atoms)
        both = np.concatenate([held, new])
        amounts = np.concatenate([free.weights[k, : free.sizes[k]], share])
        members.append(both[np.argsort(both)])
        weights.append(amounts[np.argsort(both)] / amounts.sum())
    if not members and not found.sizes.size:
        members, weights = [np.sort(job.include)], [np.full(len(job.include), 1.0 / len(job.include))]
    added = _packed(members, weights, np.zeros(len(members)), job.max_elements)
    return Supports(
        np.concatenate([found.members, added.members]), np.concatenate([found.sizes, added.sizes]),
        np.concatenate([found.weights, added.weights]), np.concatenate([found.squares, added.squares]),
        found.pool,
    )  # fmt: skip


def _packed(members: list[Ints], weights: list[Array], squares: Array, k_max: int) -> Supports:
    """Lists of sets as one record."""
    sizes = np.array([len(held) for held in members], dtype=np.int64)
    table, shares = np.full((len(members), k_max), -1, dtype=np.int64), np.zeros((len(members), k_max))
    for k, (held, share) in enumerate(zip(members, weights, strict=True)):
        table[k, : len(held)], shares[k, : len(held)] = held, share
    return Supports(table, sizes, shares, squares, np.zeros(0, np.int64))


def neutral_supports(job: Request, row: Row, supports: Supports) -> Supports:
    """Fractions of the nearest supports under the second equality, for each choice of states."""
    members, weights, squares = [], [], []
    for k in range(min(_CHARGED, len(supports.sizes))):
        held = supports.members[k, : supports.sizes[k]]
        charges = _state_choices(job, held)
        if len(held) < 2 or not len(charges):
            continue
        found, square = solve_two_sums(row.products[np.ix_(held, held)], charges)
        good = np.flatnonzero((found > 1e-9).all(axis=1))
        members += [held] * len(good)
        weights += list(found[good])
        squares += np.maximum(square[good], 0.0).tolist()
    best = np.argsort(squares, kind="stable")[:_KEPT]
    kept = np.array([squares[k] for k in best], dtype=np.float64)
    return _packed([members[k] for k in best], [weights[k] for k in best], kept, job.max_elements)


def _state_choices(job: Request, held: Ints) -> Array:
    """Mean charges of the members, one choice a row; with mixed valence one member may lie between."""
    pure = [job.states[j, : job.n_states[j]].astype(np.float64) for j in held]
    options = [pure]
    if job.valence == MIXED:
        for k, states in enumerate(pure):
            parts = [
                a + (b - a) * share
                for a, b in itertools.combinations(states, 2)
                for share in (1 / 3, 0.5, 2 / 3)
            ]
            options.append([*pure[:k], np.array(parts), *pure[k + 1 :]])
    choices = itertools.chain.from_iterable(itertools.product(*option) for option in options)
    return np.array(list(itertools.islice(choices, _STATE_CHOICES)), dtype=np.float64).reshape(-1, len(held))


def bound_outside(job: Request, row: Row, pool: Ints) -> float:
    """Score that no formula with an element outside the pool can go below.

    From the convex optimum, share t of element j costs at least 2 d_j t + t²/V_j: d its
    multiplier, V_j the variance of its unconstrained weight per unit noise.
    """
    others = np.setdiff1d(np.arange(len(job.names)), pool)
    if not others.size:
        return np.inf
    slopes, curvatures = 2 * np.maximum(row.multipliers[others], 0.0), job.curvatures[others]
    pure = row.convex_square + float((slopes + curvatures).min()) + prices(job, row, 1)[1]
    if job.max_elements == 1 or job.max_atoms == 1:
        return float(pure)
    share = 1.0 / job.max_atoms
    least = row.convex_square + float((slopes * share + curvatures * share**2).min())
    return float(min(pure, least + prices(job, row, 2)[2] + row.variance * np.log(2)))
