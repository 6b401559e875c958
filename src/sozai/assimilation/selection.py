"""Which terms of a correction are there: nested degrees, all sets, or one term at a time, by evidence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sozai.assimilation.inner_fit import InnerFit, Kept
from sozai.assimilation.outer_search import Optimum, maximize
from sozai.assimilation.term_gains import term_gains, term_losses

__all__ = ["PatternSearch", "Scored", "kept_terms"]

Array = NDArray[np.float64]
Terms = tuple[tuple[int, ...], ...]

#: Patterns that are tried one by one; with more, one source after the other is chosen.
_MOST = 256


@dataclass(frozen=True)
class Scored:
    """One pattern with its best coupling and noise.

    Attributes
    ----------
    terms : tuple of tuple of int
        Terms kept in the correction of every source but the first.
    fit : InnerFit
    optimum : Optimum
    score : float
        Log evidence with the prior of the pattern.
    """

    terms: Terms
    fit: InnerFit
    optimum: Optimum
    score: float


def kept_terms(terms: Terms, directions: Array | None) -> Kept:
    """Terms as columns: a selection, or an orthonormal basis of the plain terms among them.

    Parameters
    ----------
    terms : tuple of tuple of int
    directions : ndarray of shape (P, P), optional
        Column k is the plain term k in basis columns; None where these are the terms.
    """
    if directions is None:
        return Kept(terms, (None,) * len(terms))
    maps = []
    for chosen in terms:
        map_, triangle = np.linalg.qr(directions[:, list(chosen)])
        maps.append(map_ * np.where(np.diag(triangle) < 0, -1.0, 1.0))
    return Kept(terms, tuple(maps))


@dataclass
class PatternSearch:
    """Search for the pattern of the highest evidence.

    Parameters
    ----------
    make : callable
        Gives the inner fit of some kept terms.
    n_corrections : int
        d - 1.
    n_terms : int
        P.
    nested : sequence of tuple of int
        Sets of columns for :meth:`nested_sets`, the smallest first.
    limits : tuple of int
        Most terms of every correction: the count of values of its source.
    directions : ndarray of shape (P, P), optional
        As in :func:`kept_terms`.
    penalty : float
        For every term.
    warm : dict
        Ends of earlier searches, by pattern; those of this one are put in.
    """

    make: Callable[[Kept], InnerFit]
    n_corrections: int
    n_terms: int
    nested: Sequence[tuple[int, ...]]
    limits: tuple[int, ...]
    directions: Array | None
    penalty: float
    warm: dict[Terms, Array] = field(default_factory=dict)
    seen: dict[Terms, Scored] = field(default_factory=dict)

    def score(self, terms: Terms, *, plain: bool, near: Array | None = None) -> Scored:
        """Best coupling and noise of a pattern; ``plain`` terms are powers, others basis columns."""
        if terms not in self.seen:
            fit = self.make(kept_terms(terms, self.directions if plain else None))
            optimum = maximize(fit, self.warm.get(terms, near))
            self.warm[terms] = optimum.phi
            score = optimum.value - self.penalty * fit.kept.size
            self.seen[terms] = Scored(terms, fit, optimum, score)
        return self.seen[terms]

    def nested_sets(self) -> list[Scored]:
        """The nested sets, one for every correction."""
        least = len(self.nested[0])
        options = [[s for s in self.nested if len(s) <= max(limit, least)] for limit in self.limits]
        return self._best_of(options, plain=False)

    def all_sets(self) -> list[Scored]:
        """All sets of plain terms."""
        P = self.n_terms
        sets = [s for size in range(P + 1) for s in itertools.combinations(range(P), size)]
        options = [[s for s in sets if len(s) <= max(limit, 1)] for limit in self.limits]
        return self._best_of(options, plain=True)

    def _best_of(self, options: list[list[tuple[int, ...]]], *, plain: bool) -> list[Scored]:
        if np.prod([len(o) for o in options]) <= _MOST:
            return self._ranked(self.score(terms, plain=plain) for terms in itertools.product(*options))
        terms = tuple(o[0] for o in options)
        best = self.score(terms, plain=plain)
        while True:
            start = best
            for j, sets in enumerate(options):
                tried = ((*best.terms[:j], s, *best.terms[j + 1 :]) for s in sets)
                best = self._ranked(self.score(t, plain=plain) for t in tried)[0]
            if best.terms == start.terms:
                return self._ranked(self.seen.values())

    def greedy(self) -> list[Scored]:
        """Terms enter and leave one at a time while the evidence grows.

        The gain of every single term at the present coupling and noise is exact
        and costs O(P p^2) for all of them; coupling and noise follow each step.
        """
        best = self.score(tuple((0,) for _ in self.limits), plain=True)
        for _ in range(4 * sum(self.limits) + 8):
            step = self._step(best)
            if step is None or step.score <= best.score + 1e-9:
                break
            best = step
        return self._ranked(self.seen.values())

    def _step(self, best: Scored) -> Scored | None:
        """The best of a few most promising single changes."""
        changes = []
        for j in range(self.n_corrections):
            inside = best.terms[j]
            for k, loss in zip(
                inside, term_losses(best.fit, best.optimum.phi, j, self.directions), strict=True
            ):
                changes.append((self.penalty - float(loss), j, tuple(t for t in inside if t != k)))
            if len(inside) < min(self.limits[j], self.n_terms):
                outside = [k for k in range(self.n_terms) if k not in inside]
                gains = term_gains(best.fit, best.optimum.phi, j, outside, self.directions)
                for k, gain in zip(outside, gains, strict=True):
                    changes.append((float(gain) - self.penalty, j, tuple(sorted((*inside, k)))))
        changes.sort(key=lambda change: (-change[0], change[1:]))
        for gain, j, terms in changes[:3]:
            if gain < -1.0:
                break
            fresh = (*best.terms[:j], terms, *best.terms[j + 1 :])
            scored = self.score(fresh, plain=True, near=best.optimum.phi)
            if scored.score > best.score + 1e-9:
                return scored
        return None

    @staticmethod
    def _ranked(scored: Iterator[Scored] | list[Scored]) -> list[Scored]:
        """Highest first; of equal ones that of fewer terms."""
        return sorted(scored, key=lambda s: (-round(s.score, 9), s.fit.kept.size, s.terms))
