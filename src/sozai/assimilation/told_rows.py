"""Checked rows on their way into the sums, and what is remembered of where they lay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.assimilation.intake import Sources
from sozai.assimilation.posterior import Node

__all__ = ["LearnedFrom", "Told"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """Checked rows with at least one value."""

    X: Array
    Y: Array
    sigma: Array | None
    labels: Any
    rows: NDArray[np.int64]
    names: tuple[str, ...]
    unit: str | None
    flat: bool

    @classmethod
    def of(cls, X: Array, sources: Sources, sigma: Array | None, labels: Any) -> Told:
        """Leave out rows without any value."""
        rows = np.flatnonzero(~np.isnan(sources.values).all(axis=1))
        return cls(
            X[rows], sources.values[rows], None if sigma is None else sigma[rows],
            None if labels is None else labels[rows], rows, sources.names, sources.unit, sources.flat,
        )  # fmt: skip

    @property
    def named(self) -> bool:
        """Whether the sources have names of their own."""
        return self.names not in (("y",), tuple(f"y{j}" for j in range(len(self.names))))

    def anchors(self) -> tuple[int, ...]:
        """First rows of descriptors that every laboratory measured."""
        if self.labels is None:
            return ()
        named = np.array([label is not None for label in self.labels])
        if not named.any():
            return ()
        _, first, number = np.unique(self.X[named], axis=0, return_index=True, return_inverse=True)
        labels = np.unique(self.labels[named].astype(str), return_inverse=True)[1]
        pairs = np.unique(np.stack([number.ravel(), labels]), axis=1)
        present = np.bincount(pairs[0], minlength=len(first))
        common = np.flatnonzero(present == labels.max() + 1)
        return tuple(sorted(self.rows[named][first[common]].tolist()))


@dataclass(frozen=True)
class LearnedFrom:
    """Where training rows lay, as far as it must be known to tell extrapolation.

    Attributes
    ----------
    edge : ndarray of shape (m, P)
        Columns at the rows farthest out; they are never written to a state.
    largest_seen : ndarray of shape (d,)
        Largest variances at training rows at the time of a state.
    radius : float
        Largest length of a row of columns.
    """

    edge: Array
    largest_seen: Array
    radius: float

    @classmethod
    def nothing(cls, P: int, d: int) -> LearnedFrom:
        """Before any row."""
        return cls(np.zeros((0, P)), np.zeros(d), 0.0)

    def seen(self, terms: Array, most: int) -> LearnedFrom:
        """With more rows."""
        lengths = np.einsum("np,np->n", terms, terms)
        radius = max(self.radius, float(np.sqrt(lengths.max(initial=0.0))))
        if len(terms) > most:
            terms = terms[np.argpartition(lengths, -most)[-most:]]
        edge = np.vstack([self.edge, terms])
        if len(edge) > most:
            lengths = np.einsum("np,np->n", edge, edge)
            edge = edge[np.sort(np.argsort(-lengths, kind="stable")[:most])]
        return LearnedFrom(edge, self.largest_seen, radius)

    def joined(self, other: LearnedFrom, most: int) -> LearnedFrom:
        """With what another has seen."""
        both = self.seen(other.edge, most)
        largest = np.maximum(self.largest_seen, other.largest_seen)
        return LearnedFrom(both.edge, largest, max(both.radius, other.radius))

    def largest(self, best: Node, source: int) -> float:
        """Largest variance of a source at a training row, standardized."""
        if not len(self.edge):
            return float(self.largest_seen[source])
        spread = best.solution.solve(best.fit.loadings(self.edge, best.phi, source))
        return max(float((spread**2).sum(axis=0).max()), float(self.largest_seen[source]))

    def outside(self, terms: Array) -> Array:
        """Rows of columns longer than any training row: only these are looked at more closely."""
        return terms[np.einsum("np,np->n", terms, terms) > self.radius**2 * (1 + 1e-9)]
