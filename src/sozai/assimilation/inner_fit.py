"""Given coupling and noise all else is one linear solve; the evidence of both, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from sozai.assimilation.evidence_sums import assemble, gradients
from sozai.assimilation.grams import StandardGrams
from sozai.assimilation.patterns import stack_rows
from sozai.assimilation.priors import AssimilationPrior

__all__ = ["InnerFit", "Kept", "Solution", "Unknowns"]

Array = NDArray[np.float64]

#: Bounds of the logarithm of a noise variance, standardized: the floor is 1e-6 of the variance of Y.
LOG_FLOOR, LOG_TOP = float(np.log(1e-6)), float(np.log(1e2))


@dataclass(frozen=True)
class Kept:
    """Terms of the correction of every source but the first.

    Attributes
    ----------
    terms : tuple of tuple of int
        One per source from the second on.
    maps : tuple of ndarray of shape (P, n_kept) or None
        Columns of a correction as combinations of basis columns; None selects ``terms``.
    """

    terms: tuple[tuple[int, ...], ...]
    maps: tuple[Array | None, ...]

    @classmethod
    def selection(cls, terms: list[NDArray[np.int64]]) -> Kept:
        """Basis columns themselves."""
        return cls(tuple(tuple(t.tolist()) for t in terms), (None,) * len(terms))

    @property
    def size(self) -> int:
        """Terms of all corrections."""
        return sum(len(terms) for terms in self.terms)

    def columns(self, j: int, P: int) -> Array:
        """Map of source j + 1, of shape (P, n_kept)."""
        found = self.maps[j]
        return np.eye(P)[:, list(self.terms[j])] if found is None else found


@dataclass(frozen=True)
class Unknowns:
    """Which source, column and laboratory every unknown belongs to.

    Attributes
    ----------
    source, column, group : ndarray of int of shape (p,)
        ``group`` is -1, or the laboratory of an offset.
    precision : ndarray of shape (p,)
        Prior; 0 says nothing. Of offsets it comes from the spread.
    """

    source: NDArray[np.int64]
    column: NDArray[np.int64]
    group: NDArray[np.int64]
    precision: Array

    @property
    def offsets(self) -> NDArray[np.bool_]:
        """Which unknowns are offsets."""
        return self.group >= 0


def unknowns_of(kept: Kept, P: int, prior: AssimilationPrior, n_labels: int, label_source: int) -> Unknowns:
    """All terms of the first source, kept terms of the others, one offset for every laboratory."""
    source, column, precision = [np.zeros(P, int)], [np.arange(P)], [np.full(P, 1 / prior.base_of(P))]
    extra = P
    for j, (terms, map_) in enumerate(zip(kept.terms, kept.maps, strict=True), start=1):
        n = len(terms)
        source.append(np.full(n, j))
        column.append(np.array(terms, dtype=int) if map_ is None else np.arange(extra, extra + n))
        precision.append(np.full(n, 1 / prior.correction_variance))
        extra += 0 if map_ is None else n
    group = np.concatenate([np.full(sum(map(len, source)), -1), np.arange(n_labels)])
    source.append(np.full(n_labels, label_source))
    column.append(np.zeros(n_labels, int))
    precision.append(np.zeros(n_labels))
    return Unknowns(np.concatenate(source), np.concatenate(column), group, np.concatenate(precision))


@dataclass(frozen=True)
class Solution:
    r"""Posterior of the unknowns for one coupling and noise, standardized.

    Attributes
    ----------
    theta : ndarray of shape (p,)
    triangle : ndarray of shape (p, p)
        Upper R with :math:`R^TR = A`; the covariance of the unknowns is :math:`A^{-1}`.
    """

    theta: Array
    triangle: Array

    def solve(self, H: Array) -> Array:
        """R^-T H^T, of shape (p, n): squared and summed it is the variance of H theta."""
        return np.asarray(solve_triangular(self.triangle, H.T, trans="T", check_finite=False))


class InnerFit:
    r"""Evidence of coupling and noise, with all linear coefficients integrated out.

    Parameters
    ----------
    grams : StandardGrams
    kept : Kept
        Terms of the corrections.
    prior : AssimilationPrior
    free : ndarray of bool of shape (d, d)
        Entries of C that are searched.
    fixed : ndarray of shape (d, d)
        Values of the others.
    label_source : int
        Source with offsets, or -1.
    offset_std : float or None
        Spread of the offsets, standardized; None searches it.
    profile : bool, default=False
        Maximize over the coefficients in place of integrating them out.

    Notes
    -----
    With :math:`J = (I-C)^{-1}`, :math:`\Sigma = J\,\mathrm{diag}(\tau^2)J^T`
    and :math:`K_o = \Sigma_{oo}^{-1}`

    .. math::

        A_{(jk),(j'k')} &= P_0 + \sum_o (J_o^TK_oJ_o)_{jj'}(G_o^{xx})_{kk'}, \qquad
        b_{(jk)} = \sum_o [G_o^{xy}K_oJ_o]_{kj}, \\
        \log p &= -\tfrac12\sum_o\{N_o(|o|\log 2\pi + \log|\Sigma_{oo}|) + \mathrm{tr}(K_oG_o^{yy})\}
        + \tfrac12 b^T\hat\theta + \tfrac12\log|P_0| - \tfrac12\log|A| + \log p(C, \tau).

    The point is :math:`\phi = (C, \log\tau^2, \log\tau_u^2)`. Gradients go through
    :math:`\partial J = J\,\partial C\,J`, cost of one evaluation :math:`O(p^3 + m p^2)` for p
    unknowns and m patterns, whatever the number of rows.
    """

    def __init__(
        self,
        grams: StandardGrams,
        kept: Kept,
        prior: AssimilationPrior,
        free: NDArray[np.bool_],
        fixed: Array,
        *,
        label_source: int = -1,
        offset_std: float | None = 0.0,
        profile: bool = False,
    ) -> None:
        self.prior, self.kept, self.profile = prior, kept, profile
        self.n_terms = grams.xx.shape[1]
        maps = [map_ for map_ in kept.maps if map_ is not None]
        if maps:
            grams = grams.in_columns(np.hstack([np.eye(self.n_terms), *maps]))
        self.grams = grams
        self.rows, self.columns = np.nonzero(free)
        self.fixed = np.where(free, 0.0, fixed)
        self.d, self.n_coupling = grams.n_sources, len(self.rows)
        n_labels = len(grams.labels) if label_source >= 0 and offset_std != 0 else 0
        self.offset_std = offset_std
        self.search_offset = n_labels > 0 and offset_std is None
        self.unknowns = unknowns_of(kept, self.n_terms, prior, n_labels, label_source)
        self.size = self.n_coupling + self.d + int(self.search_offset)

    # --- the point -----------------------------------------------------------------------------------

    def coupling(self, phi: Array) -> Array:
        """C of shape (d, d)."""
        C = self.fixed.copy()
        C[self.rows, self.columns] = phi[: self.n_coupling]
        return C

    def noise(self, phi: Array) -> Array:
        """Noise variances of shape (d,)."""
        return np.exp(phi[self.n_coupling : self.n_coupling + self.d])

    def offset_variance(self, phi: Array) -> float:
        """Variance of the offsets."""
        return float(np.exp(phi[-1])) if self.search_offset else float(self.offset_std or 0.0) ** 2

    @cached_property
    def bounds(self) -> Array:
        """Lowest and highest value of every entry of phi, shape (size, 2)."""
        n = self.size - self.n_coupling
        return np.array([[-1e3, 1e3]] * self.n_coupling + [[LOG_FLOOR, LOG_TOP]] * n)

    def starts(self) -> list[Array]:
        """Coupling at its mean, half of it and half as much again; noise at its mean."""
        means = self.prior.coupling_means(self.d)[self.rows, self.columns]
        rest = np.full(
            self.size - self.n_coupling, float(np.clip(self.prior.noise_log_mean, LOG_FLOOR, LOG_TOP))
        )
        factors = (1.0, 0.5, 1.5) if self.n_coupling else (1.0,)
        return [np.concatenate([factor * means, rest]) for factor in factors]

    def inverse_of(self, phi: Array) -> Array:
        """J of shape (d, d)."""
        C = self.coupling(phi)
        J = np.eye(self.d)
        for _ in range(self.d - 1):  # C is nilpotent: the series ends
            J = np.eye(self.d) + C @ J
        return J

    def precision(self, phi: Array) -> Array:
        """Prior precision of the unknowns."""
        out = self.unknowns.precision
        if self.unknowns.offsets.any():
            out = np.where(self.unknowns.offsets, 1 / max(self.offset_variance(phi), 1e-300), out)
        return out

    # --- evidence ------------------------------------------------------------------------------------

    def value_and_gradient(self, phi: Array) -> tuple[float, Array]:
        """Minus the log evidence (with log prior) and its gradient."""
        g, u = self.grams, self.unknowns
        J, noise, P0 = self.inverse_of(phi), self.noise(phi), self.precision(phi)
        A, b, total, K = assemble(
            J, noise, g.counts, g.observed, g.known, g.xx, g.xy, g.yy, g.label, u.source, u.column, u.group
        )
        A[np.diag_indices(len(A))] += P0
        lower, info = lapack.dpotrf(A, lower=1)
        if info:
            return np.inf, np.zeros(self.size)
        theta, _ = lapack.dpotrs(lower, b, lower=1)
        weight = 0.0 if self.profile else 1.0
        inverse = lapack.dpotri(lower, lower=1)[0] if weight else lower
        value = -0.5 * total + 0.5 * float(b @ theta)
        if weight:
            value -= float(np.log(np.diag(lower)).sum()) - 0.5 * float(np.log(P0[P0 > 0]).sum())
        by_C, by_noise = gradients(
            J, noise, g.counts, g.observed, g.xx, g.xy, g.yy, g.label, u.source, u.column, u.group, K, theta,
            inverse, weight,
        )  # fmt: skip
        gradient = np.empty(self.size)
        gradient[: self.n_coupling] = by_C[self.rows, self.columns]
        gradient[self.n_coupling : self.n_coupling + self.d] = by_noise * noise
        if self.search_offset:
            o = u.offsets
            spread = theta[o] ** 2 + weight * np.diag(inverse)[o]
            gradient[-1] = 0.5 * float((spread * P0[o] - weight).sum())
        prior, by_prior = self._log_prior(phi)
        return -(value + prior), -(gradient + by_prior)

    def _log_prior(self, phi: Array) -> tuple[float, Array]:
        """Log prior of coupling and noise, and its gradient."""
        n = self.n_coupling
        means = self.prior.coupling_means(self.d)[self.rows, self.columns]
        middle = np.concatenate([means, np.full(self.size - n, self.prior.noise_log_mean)])
        if self.search_offset:
            middle[-1] = self.prior.offset_log_mean
        spread = np.concatenate(
            [np.full(n, self.prior.coupling_std), np.full(self.size - n, self.prior.noise_log_std)]
        )
        said = np.isfinite(spread)
        z = np.where(said, (phi - middle) / spread, 0.0)
        logs = float(np.log(spread[said] * np.sqrt(2 * np.pi)).sum())
        return -0.5 * float(z @ z) - logs, -z / spread

    def quick_solution(self, phi: Array) -> Array:
        """The coefficients alone, from the sums."""
        g, u = self.grams, self.unknowns
        A, b, *_ = assemble(
            self.inverse_of(phi), self.noise(phi), g.counts, g.observed, g.known, g.xx, g.xy, g.yy, g.label,
            u.source, u.column, u.group,
        )  # fmt: skip
        A[np.diag_indices(len(A))] += self.precision(phi)
        lower, _ = lapack.dpotrf(A, lower=1)
        return np.asarray(lapack.dpotrs(lower, b, lower=1)[0])

    def solution(self, phi: Array) -> Solution:
        """Posterior from the triangular factors: no condition number is squared."""
        g, u = self.grams, self.unknowns
        J, noise, P0 = self.inverse_of(phi), self.noise(phi), self.precision(phi)
        p = len(u.source)
        stacked = np.zeros((p + 1, p + 1), order="F")
        for k, (x, y) in enumerate(g.triangles):
            seen = np.flatnonzero(g.observed[k])
            covariance = (J[seen] * noise) @ J[seen].T + np.diag(g.known[k, seen])
            white = solve_triangular(np.linalg.cholesky(covariance), np.eye(len(seen)), lower=True)
            active = (u.group < 0) | (u.group == g.label[k])
            columns = x[:, u.column] * active
            rows = [
                np.hstack([columns * (white[i] @ J[seen])[u.source], (y @ white[i])[:, None]])
                for i in range(len(seen))
            ]
            stacked = stack_rows(stacked, np.vstack(rows))
        prior = np.hstack([np.diag(np.sqrt(P0)), np.zeros((p, 1))])
        stacked = np.triu(stack_rows(stacked, prior[P0 > 0]))
        sign = np.where(np.diag(stacked)[:p] < 0, -1.0, 1.0)
        triangle = stacked[:p, :p] * sign[:, None]
        theta = solve_triangular(triangle, stacked[:p, p] * sign, check_finite=False)
        return Solution(np.asarray(theta), np.ascontiguousarray(triangle))

    def correction_of(self, theta: Array) -> Array:
        """R of shape (d, P) in basis columns, offsets left out."""
        R = np.zeros((self.d, self.n_terms))
        R[0] = theta[: self.n_terms]
        first = self.n_terms
        for j, terms in enumerate(self.kept.terms):
            part = theta[first : first + len(terms)]
            map_ = self.kept.maps[j]
            if map_ is None:
                R[j + 1, list(terms)] = part
            else:
                R[j + 1] = map_ @ part
            first += len(terms)
        return R

    def loadings(self, terms: Array, phi: Array, source: int) -> Array:
        """Rows H with H theta = mean of a source at some basis rows, of shape (n, p); offsets 0."""
        j = self.inverse_of(phi)[source]
        maps = [map_ for map_ in self.kept.maps if map_ is not None]
        wide = terms if not maps else np.hstack([terms, *(terms @ map_ for map_ in maps)])
        H = wide[:, self.unknowns.column] * j[self.unknowns.source]
        H[:, self.unknowns.offsets] = 0.0
        return np.asarray(H)
