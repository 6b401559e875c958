"""Posterior of all sources: one Gaussian for every coupling and pattern that counts, mixed by evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.assimilation.inner_fit import InnerFit, Solution
from sozai.assimilation.selection import Scored

__all__ = ["Node", "Posterior", "make_node", "point_node"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    r"""One coupling, noise and pattern, with its weight.

    Attributes
    ----------
    weight : float
    fit : InnerFit
    phi : ndarray
        Coupling and logarithms of the noise variances.
    spread : ndarray of shape (n, n)
        Covariance of phi that this node stands for.
    solution : Solution
    slopes : ndarray of shape (n, d, P)
        :math:`\partial W/\partial\phi`, how the coefficients of all sources follow phi.
    """

    weight: float
    fit: InnerFit
    phi: Array
    spread: Array
    solution: Solution
    slopes: Array

    def coefficients(self, theta: Array | None = None) -> Array:
        """W = J R of shape (d, P), standardized."""
        theta = self.solution.theta if theta is None else theta
        return np.asarray(self.fit.inverse_of(self.phi) @ self.fit.correction_of(theta))

    def covariance(self) -> Array:
        """Sigma of shape (d, d), standardized."""
        J = self.fit.inverse_of(self.phi)
        return np.asarray((J * self.fit.noise(self.phi)) @ J.T)

    def mean_and_variance(
        self, terms: Array, source: int, labels: NDArray[np.int64] | None
    ) -> tuple[Array, Array]:
        """At some basis rows, standardized; labels are laboratories, -1 for none, -2 for a new one."""
        H = self.fit.loadings(terms, self.phi, source)
        extra = np.zeros(len(H))
        if labels is not None and self.fit.unknowns.offsets.any():
            columns = np.flatnonzero(self.fit.unknowns.offsets)
            share = self.fit.inverse_of(self.phi)[source, self.fit.unknowns.source[columns[0]]]
            known = np.flatnonzero(labels >= 0)
            H[known, columns[labels[known]]] = share
            extra[labels == -2] = share**2 * self.fit.offset_variance(self.phi)
        variance = (self.solution.solve(H) ** 2).sum(axis=0) + extra
        moved = np.einsum("ipq,nq->nip", self.slopes[:, source : source + 1], terms)[:, :, 0]
        return H @ self.solution.theta, variance + np.einsum("ni,ij,nj->n", moved, self.spread, moved)


def make_node(fit: InnerFit, phi: Array, spread: Array, weight: float) -> Node:
    """Solve at a point and see how the coefficients follow it."""
    slopes = np.zeros((fit.size, fit.d, fit.n_terms))
    for i in range(fit.size):
        if spread[i, i] <= 0:
            continue
        step, ends = min(1e-4, 0.1 * float(np.sqrt(spread[i, i]))), []
        for sign in (1, -1):
            moved = phi.copy()
            moved[i] += sign * step
            ends.append(fit.inverse_of(moved) @ fit.correction_of(fit.quick_solution(moved)))
        slopes[i] = (ends[0] - ends[1]) / (2 * step)
    return Node(weight, fit, phi, spread, fit.solution(phi), slopes)


def point_node(scored: Scored, weight: float = 1.0) -> Node:
    """The best coupling and noise, with the covariance of both around it (Laplace)."""
    return make_node(scored.fit, scored.optimum.phi, scored.optimum.covariance, weight)


@dataclass(frozen=True)
class Posterior:
    """Mixture of nodes, with the shift and scale back to the unit of Y.

    Attributes
    ----------
    nodes : tuple of Node
        Highest weight first.
    shift, scale : float
    """

    nodes: tuple[Node, ...]
    shift: float
    scale: float

    @classmethod
    def of(cls, nodes: list[Node], shift: float, scale: float) -> Posterior:
        """Sort by weight and make the weights sum to 1."""
        total = sum(node.weight for node in nodes)
        ranked = sorted(nodes, key=lambda node: -node.weight)
        return cls(
            tuple(Node(x.weight / total, x.fit, x.phi, x.spread, x.solution, x.slopes) for x in ranked),
            shift, scale,
        )  # fmt: skip

    def moments(
        self, terms: Array, source: int, labels: NDArray[np.int64] | None = None, *, observation: bool = False
    ) -> tuple[Array, Array]:
        """Mean and standard deviation in the unit of Y, by the law of total variance."""
        mean, square = np.zeros(len(terms)), np.zeros(len(terms))
        parts = [node.mean_and_variance(terms, source, labels) for node in self.nodes]
        for node, (m, _) in zip(self.nodes, parts, strict=True):
            mean += node.weight * m
        for node, (m, v) in zip(self.nodes, parts, strict=True):
            noise = node.covariance()[source, source] if observation else 0.0
            square += node.weight * (v + noise + (m - mean) ** 2)
        return self.shift + self.scale * mean, self.scale * np.sqrt(square)

    def mean(self, terms: Array, source: int, labels: NDArray[np.int64] | None = None) -> Array:
        """Mean alone: one product with the mixed coefficients."""
        if labels is not None and (labels >= 0).any():
            return self.moments(terms, source, labels)[0]
        return np.asarray(terms @ self.coefficients()[source])

    def coefficients(self) -> Array:
        """W of shape (d, P) in the unit of Y."""
        W = self.scale * sum(node.weight * node.coefficients() for node in self.nodes)
        W[:, 0] += self.shift
        return np.asarray(W)

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Coefficients of n functions of every source from the posterior, of shape (n, d, P)."""
        weights = np.array([node.weight for node in self.nodes])
        chosen = rng.choice(len(weights), size=n, p=weights / weights.sum())
        out = np.empty((n, *self.nodes[0].coefficients().shape))
        normal = rng.standard_normal((n, max(len(node.solution.theta) for node in self.nodes)))
        moved = rng.standard_normal((n, max(len(node.phi) for node in self.nodes)))
        for k in np.unique(chosen):
            node, rows = self.nodes[k], np.flatnonzero(chosen == k)
            p, size = len(node.solution.theta), len(node.phi)
            theta = node.solution.theta + np.linalg.solve(node.solution.triangle, normal[rows, :p].T).T
            values, vectors = np.linalg.eigh(node.spread)
            shifts = moved[rows, :size] @ (vectors * np.sqrt(np.maximum(values, 0))).T
            for row, t, s in zip(rows, theta, shifts, strict=True):
                out[row] = node.coefficients(t) + np.einsum("i,ijp->jp", s, node.slopes)
        out *= self.scale
        out[:, :, 0] += self.shift
        return out
