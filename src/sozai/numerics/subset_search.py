"""Best subsets of columns for least squares, by Gram deflation of every one of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.subset_kernels import QUANTUM, push
from sozai.numerics.subset_walkers import BoundsWalk, GramScan, Heap, PressScan, SingleScan, Walker, drive

__all__ = ["SubsetProblem", "SubsetResult"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int, int], object]

#: More subsets than this are cut by leaps and bounds where that is possible.
BOUNDS_FROM = 20_000_000
#: Subsets scored per second on one core, for estimates.
SPEED = 2e8


@dataclass(frozen=True, eq=False)
class SubsetResult:
    """The best subsets of one size.

    Attributes
    ----------
    subsets : ndarray of int, shape (n_found, size)
        Ascending column numbers, fixed columns included; best first by (score, complexity, columns).
    screening_scores : ndarray of shape (n_found,)
        Residual (or leave-one-out) sum of squares in units of the target's, rounded to 1e-13.
    method : str
        ``"direct"``, ``"bounds"`` or ``"beam"``.
    n_subsets, n_scored, n_skipped, n_collinear_pivots : int
        Subsets that exist; scored; left out because a column depends on others of the subset or (bounds)
        because they cannot be among the best; prefixes cut at a collinear pivot.
    complete : bool
        False after an interrupt or a time limit, and for beam search.
    """

    subsets: Integers
    screening_scores: Array
    method: str
    n_subsets: int
    n_scored: int
    n_skipped: int
    n_collinear_pivots: int
    complete: bool

    def __repr__(self) -> str:
        flag = "complete" if self.complete else "incomplete"
        return f"SubsetResult({len(self.subsets)} best of {self.n_subsets:,} subsets, {self.method}, {flag})"


class SubsetProblem:
    r"""Least squares of one target on subsets of many columns, prepared once for every subset size.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    y : ndarray of shape (n_samples,)
    center : bool, default=True
        Take the mean out of every column, i.e. every subset has an intercept.
    fixed : sequence of int
        Columns that are part of every subset.
    complexity : ndarray of int, optional
        Cost of every column; subsets of equal score are ordered by its sum.
    tolerance : float, default=1e-9
        A column whose squared norm falls below this fraction after deflation is collinear.

    Notes
    -----
    With unit-norm columns, :math:`C = X^TX` and :math:`c = X^Ty`, fixing column i leaves
    :math:`C' = C - C_{:i}C_{i:}/C_{ii}` and :math:`c' = c - C_{:i}c_i/C_{ii}`; after the last prefix column j
    the gain of column k is :math:`(c'_k - C'_{jk}c'_j/C'_{jj})^2 / (C'_{kk} - C'^2_{jk}/C'_{jj})`. The scan
    over k compares products, so it holds no division and is vectorized. The cost per subset does not depend
    on n_samples.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(30, 8))
    >>> SubsetProblem(X, X[:, 2] - X[:, 5]).search(2, n_keep=1).subsets.tolist()
    [[2, 5]]
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        *,
        center: bool = True,
        fixed: Sequence[int] = (),
        complexity: NDArray[Any] | None = None,
        tolerance: float = 1e-9,
    ) -> None:
        m, n = X.shape
        self.n_samples, self.tolerance = m, tolerance
        self.fixed = np.array(sorted(fixed), dtype=np.int64)
        costs = np.ones(n, np.int64) if complexity is None else np.asarray(complexity, dtype=np.int64)
        work, norms = _unit_columns(X, center)
        scale = float(np.abs(y).max(initial=0.0)) or 1.0
        target = y / scale
        target = target - target.mean() if center else target
        floor = 64 * np.finfo(np.float64).eps * float(np.linalg.norm(y / scale))
        basis = np.linalg.qr(work[:, self.fixed])[0] if len(self.fixed) else np.zeros((m, 0))
        for _ in range(2):
            target = target - basis @ (basis.T @ target)
            work = work - basis @ (basis.T @ work)
        square = np.einsum("ti,ti->i", work, work)
        usable = (norms > 0) & (square > tolerance)
        usable[self.fixed] = False
        self.columns = np.flatnonzero(usable).astype(np.int64)
        self.excluded = np.setdiff1d(np.flatnonzero(~usable), self.fixed)
        self.complexity = np.ascontiguousarray(costs[self.columns])
        length = float(np.linalg.norm(target))
        self.target = target / length if length > floor else np.zeros(m)
        self.matrix = np.ascontiguousarray(work[:, self.columns])
        self.gram = np.ascontiguousarray(self.matrix.T @ self.matrix)
        self.projection = self.matrix.T @ self.target
        self.leverage = (1.0 / m if center else 0.0) + (basis**2).sum(axis=1)
        self._intercept = int(center)

    @property
    def largest_size(self) -> int:
        """Largest subset that leaves a degree of freedom."""
        return int(min(len(self.fixed) + len(self.columns), self.n_samples - 1 - self._intercept))

    def count(self, size: int) -> int:
        """Count the subsets of this size, collinear ones included."""
        free = size - len(self.fixed)
        return comb(len(self.columns), free) if free >= 0 else 0

    def search(
        self,
        size: int,
        *,
        n_keep: int = 50,
        score: str = "sse",
        method: str = "auto",
        n_jobs: int | None = None,
        max_subsets: float = 1e10,
        beam_width: int = 1000,
        progress: Progress | None = None,
        on_interrupt: str = "raise",
        time_limit: float | None = None,
    ) -> SubsetResult:
        """Find the best subsets of one size.

        Parameters
        ----------
        size : int
            Columns in a subset, fixed ones included.
        n_keep : int, default=50
            Subsets to return.
        score : {"sse", "press"}
            Rank by residual or by leave-one-out sum of squares.
        method : {"auto", "direct", "bounds", "beam"}
            ``"direct"`` scores all; ``"bounds"`` leaves out what cannot be among the best (needs more
            samples than columns); ``"beam"`` extends the ``beam_width`` best subsets column by column and is
            a heuristic.
        n_jobs : int, optional
            Threads; -1 for all cores. The result does not depend on it, bit for bit.
        max_subsets : float, default=1e10
            Refuse a larger direct search.
        progress : callable, optional
            Called as ``progress(done, total)``.
        on_interrupt : {"raise", "return"}
            After Ctrl-C raise ``KeyboardInterrupt``, or return the best so far with ``complete=False``.
        time_limit : float, optional
            Seconds after which the best so far is returned.

        Returns
        -------
        SubsetResult
        """
        free = size - len(self.fixed)
        n = len(self.columns)
        if free < 0 or free > n:
            return self._empty(size)
        method = self.plan(size, score=score, method=method, max_subsets=max_subsets)
        complete = True
        if free == 0:
            workers: list[Walker] = [self._fixed_only()]
        elif method == "beam":
            workers, complete = [self._beam(free, n_keep, beam_width)], False
        else:
            workers, tasks = self._workers(free, n_keep, score, method, _n_threads(n_jobs))
            total = self.count(size)
            complete = drive(workers, tasks, total, progress, on_interrupt, time_limit)
        return self._merge(workers, size, n_keep, method, complete)

    def _fixed_only(self) -> Walker:
        """One subset: the fixed columns."""
        heap = Heap(1, 0)
        key = int(self.target @ self.target / QUANTUM)
        heap.state[1] = push(heap.keys, heap.costs, heap.ids, 0, key, 0, np.zeros(0, np.int64))
        heap.state[2] = 1
        return heap

    def plan(self, size: int, *, score: str = "sse", method: str = "auto", max_subsets: float = 1e10) -> str:
        """Pick the algorithm, or refuse with the number of subsets and the time they take."""
        place = "SubsetProblem.search"
        free = size - len(self.fixed)
        if method not in ("auto", "direct", "bounds", "beam"):
            raise InputError(sentence(place, "method", "be 'auto', 'direct', 'bounds' or 'beam'", method))
        if score not in ("sse", "press"):
            raise InputError(sentence(place, "score", "be 'sse' or 'press'", score))
        n = len(self.columns)
        total = comb(n, free)
        bounded = score == "sse" and 1 < free < n and self._full_rank()
        if method == "bounds" and not bounded and 1 < free < n:
            raise InputError(
                sentence(
                    place,
                    "method='bounds'",
                    "have independent columns, fewer than samples, and score='sse'",
                    f"{n} columns, {self.n_samples} samples, score={score!r}",
                    remedy="Use method='direct' or method='beam'.",
                )
            )
        if method in ("bounds", "beam") and 1 < free < n:
            return method
        if method == "auto" and bounded and total > BOUNDS_FROM and n <= 64:
            return "bounds"
        if total > max_subsets:
            raise InputError(
                sentence(
                    place,
                    "max_combinations",
                    f"be at least the {total:.4g} subsets of {free} of {n} columns",
                    max_subsets,
                    remedy=f"They take about {total / SPEED:.3g} s on one core: raise it, search fewer "
                    "columns or smaller subsets, or use method='beam' (a heuristic).",
                )
            )
        return "direct"

    def _full_rank(self) -> bool:
        """Tell whether there are fewer columns than samples, far from dependent."""
        n = len(self.columns)
        if n >= self.n_samples - self._intercept - len(self.fixed) or n > 512:
            return False
        values = np.linalg.eigvalsh(self.gram)
        return bool(values[0] > 1e-8 * values[-1])

    def _workers(
        self, free: int, n_keep: int, score: str, method: str, n_threads: int
    ) -> tuple[list[Walker], int]:
        """One worker a thread and the number of tasks they share."""
        if method == "bounds":
            return [BoundsWalk(self, free, n_keep)], 1
        n = len(self.columns)
        tasks = n - free + 1
        kind = PressScan if score == "press" else (GramScan if free > 1 else SingleScan)
        return [kind(self, free, n_keep) for _ in range(max(1, min(n_threads, tasks)))], tasks

    def _beam(self, free: int, n_keep: int, width: int) -> Walker:
        """Extend the best subsets column by column."""
        kept: Integers = np.zeros((1, 0), dtype=np.int64)
        scored = 0
        n = len(self.columns)
        heap = Heap(n_keep, free)
        for size in range(1, free + 1):
            gains = np.concatenate([self._extension_gains(block) for block in _blocks(kept, 256)])
            scored += int(np.isfinite(gains).sum())
            order = np.argsort(-gains, axis=None, kind="stable")[: 4 * size * max(width, n_keep)]
            order = order[np.isfinite(gains.ravel()[order])]
            candidates = np.sort(np.column_stack([kept[order // n], order % n]), axis=1)
            _, first = np.unique(candidates, axis=0, return_index=True)
            first = np.sort(first)[: max(width, n_keep)]
            kept, values = candidates[first], gains.ravel()[order][first]
        for subset, gain in zip(kept, values, strict=True):
            key = int(max(1.0 - gain, 0.0) / QUANTUM)
            cost = int(self.complexity[subset].sum())
            heap.state[1] = push(heap.keys, heap.costs, heap.ids, heap.state[1], key, cost, subset)
        heap.state[2] = scored
        return heap

    def _extension_gains(self, subsets: Integers) -> Array:
        """Total gain of every subset (b, s) with every column (n,) added; -inf where collinear."""
        inner = self.gram[subsets[:, :, None], subsets[:, None, :]]
        rows = self.gram[subsets]
        own = self.projection[subsets]
        solved = np.linalg.solve(inner, rows)
        base = np.einsum("bs,bs->b", own, np.linalg.solve(inner, own[..., None])[..., 0])
        left = np.diag(self.gram) - np.einsum("bsn,bsn->bn", rows, solved)
        along = self.projection - np.einsum("bs,bsn->bn", own, solved)
        fine = left > self.tolerance
        gains = np.where(fine, base[:, None] + along**2 / np.where(fine, left, 1.0), -np.inf)
        np.put_along_axis(gains, subsets, -np.inf, axis=1)
        return np.asarray(gains, dtype=np.float64)

    def _merge(
        self, workers: Sequence[Walker], size: int, n_keep: int, method: str, complete: bool
    ) -> SubsetResult:
        """Join the heaps by (score, complexity, columns)."""
        sizes = [int(worker.state[1]) for worker in workers]
        keys = np.concatenate([w.keys[1 : k + 1] for w, k in zip(workers, sizes, strict=True)])
        costs = np.concatenate([w.costs[1 : k + 1] for w, k in zip(workers, sizes, strict=True)])
        local = np.concatenate([w.ids[1 : k + 1] for w, k in zip(workers, sizes, strict=True)])
        order = np.lexsort((*local.T[::-1], costs, keys))[:n_keep]
        fixed = np.broadcast_to(self.fixed, (len(order), len(self.fixed)))
        subsets = np.sort(np.concatenate([self.columns[local[order]], fixed], axis=1), axis=1)
        counts = np.sum([worker.state for worker in workers], axis=0)
        return SubsetResult(
            subsets=subsets,
            screening_scores=keys[order] * QUANTUM,
            method=method,
            n_subsets=self.count(size),
            n_scored=int(counts[2]),
            n_skipped=int(counts[3]),
            n_collinear_pivots=int(counts[4]),
            complete=complete,
        )

    def _empty(self, size: int) -> SubsetResult:
        """No subset of this size exists."""
        return SubsetResult(np.zeros((0, size), np.int64), np.zeros(0), "direct", 0, 0, 0, 0, True)


def _unit_columns(X: Array, center: bool) -> tuple[Array, Array]:
    """Columns (centred) at unit norm, and the norms; constant columns get norm 0 when centred."""
    largest = np.abs(X).max(axis=0, initial=0.0)
    work = X / np.where(largest > 0, largest, 1.0)
    if center:
        work = work - work.mean(axis=0)
        work = work - work.mean(axis=0)
    norms = np.sqrt(np.einsum("ti,ti->i", work, work))
    norms = np.where(norms > 1e-12 * np.sqrt(X.shape[0]), norms, 0.0)
    return work / np.where(norms > 0, norms, 1.0), norms


def _blocks(rows: Integers, size: int) -> list[Integers]:
    """Slices of at most ``size`` rows."""
    return [rows[start : start + size] for start in range(0, max(len(rows), 1), size)]


def _n_threads(n_jobs: int | None) -> int:
    """Threads for ``n_jobs``; None is 1, negative counts back from the cores."""
    if n_jobs is None:
        return 1
    cores = os.cpu_count() or 1
    return max(1, cores + 1 + n_jobs) if n_jobs < 0 else max(1, n_jobs)
