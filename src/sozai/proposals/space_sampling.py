"""Points spread over a polytope, and rounding that keeps a sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import linprog
from scipy.stats import qmc

__all__ = ["Polytope", "round_to_sum"]

Array = NDArray[np.float64]

#: Walkers side by side, and steps for each dimension before the first point counts.
_WALKERS, _BURN_IN = 128, 30


class Polytope:
    r"""The points with :math:`l \le x \le h`, :math:`Ex = e` and :math:`Gx \le g`.

    Parameters
    ----------
    low, high : ndarray of shape (n,)
    equal : ndarray of shape (q, n)
    total : ndarray of shape (q,)
    above : ndarray of shape (m, n)
        G.
    limit : ndarray of shape (m,)

    Attributes
    ----------
    center : ndarray of shape (n,) or None
        Center of the largest ball inside; None when there is no point at all.
    radius : float
        Of that ball within the equalities.

    Examples
    --------
    >>> none = np.zeros((0, 2))
    >>> body = Polytope(np.zeros(2), np.ones(2), np.ones((1, 2)), np.ones(1), none, np.zeros(0))
    >>> body.center.round(6).tolist()
    [0.5, 0.5]
    """

    def __init__(
        self, low: Array, high: Array, equal: Array, total: Array, above: Array, limit: Array
    ) -> None:
        self.low, self.high, self.equal, self.total = low, high, equal, total
        eye = np.eye(len(low))
        self.normals = np.vstack([eye, -eye, above])
        self.limits = np.concatenate([high, -low, limit])
        self.basis = null_space(equal) if len(equal) else eye
        self.center, self.radius = self._largest_ball()

    def __repr__(self) -> str:
        return f"Polytope({len(self.low)} dimensions, {len(self.total)} sums, radius {self.radius:.3g})"

    def _largest_ball(self) -> tuple[Array | None, float]:
        """Chebyshev center in units of the ranges: the distance within the equalities counts."""
        span = np.where(self.high > self.low, self.high - self.low, 1.0)
        lengths = np.linalg.norm((self.normals * span) @ (self.basis / span[:, None]), axis=1)
        n = len(self.low)
        fixed = lengths < 1e-12
        rows = np.column_stack([self.normals, np.where(fixed, 0.0, lengths)])
        equal = np.column_stack([self.equal, np.zeros(len(self.total))]) if len(self.total) else None
        goal = np.zeros(n + 1)
        goal[-1] = -1.0
        bounds = [(None, None)] * n + [(0.0, 1.0)]
        found = linprog(
            goal, A_ub=rows, b_ub=self.limits, A_eq=equal, b_eq=self.total if len(self.total) else None,
            bounds=bounds, method="highs",
        )  # fmt: skip
        if not found.success:
            return None, 0.0
        return np.asarray(found.x[:n]), float(found.x[n])

    def contains(self, X: Array, tolerance: float = 1e-9) -> NDArray[np.bool_]:
        """Which rows lie inside, up to a tolerance in units of the largest bound."""
        size = tolerance * max(float(np.abs(self.limits[np.isfinite(self.limits)]).max(initial=1.0)), 1e-300)
        inside = (self.limits + size >= X @ self.normals.T).all(axis=1)
        if len(self.total):
            inside &= (np.abs(X @ self.equal.T - self.total) <= size * len(self.low)).all(axis=1)
        return np.asarray(inside)

    @property
    def is_box(self) -> bool:
        """Whether the bounds are all there is."""
        return not len(self.total) and len(self.normals) == 2 * len(self.low)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Points spread evenly: a scrambled Sobol sequence in a box, hit and run elsewhere.

        Parameters
        ----------
        n : int
        rng : Generator

        Returns
        -------
        ndarray of shape (n, n_dimensions)
        """
        assert self.center is not None
        if self.is_box:
            power = max(int(np.ceil(np.log2(max(n, 1)))), 0)
            cube = qmc.Sobol(len(self.low), scramble=True, rng=rng).random_base2(power)[:n]
            return np.asarray(self.low + cube * (self.high - self.low))
        return self._walk(n, rng)

    def _walk(self, n: int, rng: np.random.Generator) -> Array:
        """Hit and run of many walkers at once; every tenth place in units of the dimension is kept."""
        n_free = self.basis.shape[1]
        if not n_free or self.radius <= 1e-12:
            return np.repeat(self.center[None, :], n, axis=0)  # type: ignore[index]
        places = np.repeat(self.center[None, :], _WALKERS, axis=0)  # type: ignore[index]
        rounds = -(-n // _WALKERS)
        apart, kept = 3 * n_free, []
        for step in range(_BURN_IN * n_free + apart * rounds):
            toward = rng.standard_normal((_WALKERS, n_free)) @ self.basis.T
            speed, room = toward @ self.normals.T, self.limits - places @ self.normals.T
            with np.errstate(divide="ignore", invalid="ignore"):
                times = np.maximum(room, 0.0) / speed
            furthest = np.where(speed > 1e-14, times, np.inf).min(axis=1)
            nearest = np.where(speed < -1e-14, times, -np.inf).max(axis=1)
            places = places + (nearest + rng.random(_WALKERS) * (furthest - nearest))[:, None] * toward
            if step >= _BURN_IN * n_free and (step - _BURN_IN * n_free) % apart == apart - 1:
                kept.append(places)
        return np.concatenate(kept)[:n]


def round_to_sum(X: Array, step: float, total: float, low: Array, high: Array) -> Array:
    """Round rows to multiples of a step so that they keep their sum: the largest remainders go up.

    Parameters
    ----------
    X : ndarray of shape (n, k)
    step, total : float
        ``total`` is a multiple of ``step``.
    low, high : ndarray of shape (k,)
        Bounds, between which there is a row of multiples with that sum.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> round_to_sum(np.array([[0.34, 0.33, 0.33]]), 0.1, 1.0, np.zeros(3), np.ones(3)).round(12).tolist()
    [[0.4, 0.3, 0.3]]
    """
    least, most = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    exact = X / step
    whole = np.clip(np.floor(exact + 1e-9), least, most)
    missing = np.rint(total / step) - whole.sum(axis=1)
    for _ in range(int(np.abs(missing).max(initial=0))):
        for sign in (1.0, -1.0):
            rest = sign * (exact - whole)
            free = whole < most if sign > 0 else whole > least
            best = np.where(free, rest, -np.inf)
            k = np.argmax(best, axis=1)
            at = np.flatnonzero((sign * missing > 0) & np.isfinite(best[np.arange(len(best)), k]))
            whole[at, k[at]] += sign
            missing[at] -= sign
        if not missing.any():
            break
    return np.asarray(whole * step)
