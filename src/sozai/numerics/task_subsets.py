"""Best subsets of columns shared by several tasks, or with coefficients of one sign, all of them scored."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.subset_kernels import QUANTUM, push
from sozai.numerics.subset_walkers import BUDGET, Heap, drive
from sozai.numerics.task_subset_kernels import NO_SIGN, scan_task_prefixes
from sozai.numerics.task_tables import CenteredTask, number_tasks, weigh_tasks

__all__ = ["TaskSubsetProblem", "TaskSubsetResult", "best_task_subsets"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int, int], object]

#: Subsets of one task scored per second on one core, for estimates.
SPEED = 1.3e8


@dataclass(frozen=True, eq=False)
class TaskSubsetResult:
    """The best subsets of one size for all tasks together.

    Attributes
    ----------
    tasks : tuple
        Labels of the tasks, in the order of the second axis below.
    subsets : ndarray of int, shape (n_found, size)
        Ascending column numbers; best first by (score, complexity, columns).
    scores : ndarray of shape (n_found,)
        Weighted residual sum of squares in units of the weighted sum of squares of the targets, each about
        the mean of its task; rounded to 1e-13.
    coefficients : ndarray of shape (n_found, n_tasks, size)
        Zero where a column depends on others of the subset within a task.
    intercepts, task_sse : ndarray of shape (n_found, n_tasks)
        Constants, and residual sums of squares in units of the squared target.
    n_subsets, n_scored, n_skipped : int
        Subsets that exist; scored; left out because a column depends on others of the subset in every task.
    n_collinear_pivots : int
        Pairs of a prefix and a task in which the last column of the prefix depends on those before it.
    complete : bool
        False after an interrupt or a time limit.
    """

    tasks: tuple[Hashable, ...]
    subsets: Integers
    scores: Array
    coefficients: Array
    intercepts: Array
    task_sse: Array
    n_subsets: int
    n_scored: int
    n_skipped: int
    n_collinear_pivots: int
    complete: bool

    def __repr__(self) -> str:
        flag = "complete" if self.complete else "incomplete"
        found = f"{len(self.subsets)} best of {self.n_subsets:,} subsets"
        return f"TaskSubsetResult({found}, {len(self.tasks)} tasks, {flag})"

    def to_frame(self) -> pd.DataFrame:
        """One row a subset and task: rank, columns, score, task, SSE, intercept, coefficients."""
        return pd.DataFrame(
            [
                {
                    "rank": rank,
                    "columns": tuple(subset),
                    "score": self.scores[rank],
                    "task": task,
                    "sse": self.task_sse[rank, t],
                    "intercept": self.intercepts[rank, t],
                    "coefficients": tuple(self.coefficients[rank, t].tolist()),
                }
                for rank, subset in enumerate(self.subsets.tolist())
                for t, task in enumerate(self.tasks)
            ]
        )


def best_task_subsets(
    X: Any,
    y: Any,
    tasks: Any = None,
    size: int = 2,
    *,
    weights: Any = None,
    sign: int | None = None,
    complexity: Any = None,
    n_keep: int = 50,
    n_jobs: int | None = None,
) -> TaskSubsetResult:
    r"""Find the best subsets of ``size`` columns for several tasks at once.

    Every task t has an intercept and coefficients of its own; the columns are
    shared. All subsets are scored.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
    y : array-like of shape (n_samples,)
    tasks : array-like of shape (n_samples,), optional
        Label of the task of every row; one task when left out.
    size : int, default=2
        Columns in a subset.
    weights : None, "variance", mapping or array-like, optional
        :math:`w_t` of every task: one; the reciprocal of the variance of its
        target, so that tasks in different units count alike; by label; or in
        the order of the sorted labels.
    sign : None, 1 or -1
        Only subsets whose least-squares coefficients all have that sign, in
        every task.
    complexity : array-like of int of shape (n_columns,), optional
        Cost of every column; subsets of equal score are ordered by its sum.
    n_keep : int, default=50
        Subsets to return.
    n_jobs : int, optional
        Threads; -1 for all cores. The result does not depend on it, bit for bit.

    Returns
    -------
    TaskSubsetResult

    Raises
    ------
    InputError
        Lengths that differ, weights or signs that make no sense, more than
        1e10 subsets.

    Notes
    -----
    Score :math:`\sum_t w_t\,\mathrm{SSE}_t / \sum_t w_t\,\mathrm{SST}_t`; see
    :class:`TaskSubsetProblem` for the algorithm and the law of the signs.
    Cost O(T n^d / d!), independent of the number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(30, 6))
    >>> task = np.repeat(["a", "b"], 15)
    >>> y = np.where(task == "a", X[:, 1] + X[:, 4], 5 - 2 * X[:, 1] + 3 * X[:, 4])
    >>> best = best_task_subsets(X, y, task, 2, n_keep=1)
    >>> best.subsets.tolist(), best.coefficients[0].round(9).tolist()
    ([[1, 4]], [[1.0, 1.0], [-2.0, 3.0]])
    """
    X = as_matrix(X, place="best_task_subsets", min_samples=2)
    y = as_vector(y, X.shape[0], place="best_task_subsets")
    problem = TaskSubsetProblem(X, y, tasks, weights=weights, sign=sign, complexity=complexity)
    return problem.search(size, n_keep=n_keep, n_jobs=n_jobs)


class TaskSubsetProblem:
    r"""Least squares of one target a task on subsets of shared columns, prepared once for every subset size.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Finite.
    y : ndarray of shape (n_samples,)
    tasks : array-like of shape (n_samples,), optional
        Label of the task of every row; one task when left out.
    weights, sign, complexity
        As in :func:`best_task_subsets`.
    tolerance : float, default=1e-9
        A column whose squared norm within a task falls below this fraction
        after deflation is collinear there.

    Attributes
    ----------
    tasks : tuple
        Labels, sorted where they can be.
    columns : ndarray of int
        Columns that vary within at least one task; the others are ``excluded``.

    See Also
    --------
    sozai.numerics.subset_search.SubsetProblem : One task without signs, faster, with more methods.

    Notes
    -----
    In every task the columns and the target are centred and the columns scaled
    to unit norm; :math:`C_t = X_t^TX_t` and :math:`c_t = X_t^Ty_t`, the latter in
    units that make :math:`\sum_t w_t\,\mathrm{SST}_t = 1`. Fixing column i leaves
    :math:`C_t' = C_t - C_{t:i}C_{ti:}/C_{tii}` and the like for :math:`c_t`; behind the last
    prefix column j the gain of column k is
    :math:`\sum_t (c'_{tk} - C'_{tjk}c'_{tj}/C'_{tjj})^2 / (C'_{tkk} - C'^2_{tjk}/C'_{tjj})`,
    summed task by task over a row of k, so that the loop is vectorised. A column
    that depends on the prefix within one task adds nothing there and is counted;
    a subset is left out only where it does so in every task.

    **Signs.** Only a subset that would enter the list is solved, by a Cholesky
    factorisation of at most d rows, and dropped when a coefficient lacks the
    sign. For one task the best of these over all sizes up to d is the best
    non-negative least-squares model of at most d columns: let :math:`\beta \ge 0` be the
    optimum on S, and A the columns with :math:`\beta_j > 0`. The bounds of the other
    columns are active; on A no bound is, so the gradient of the convex sum of
    squares vanishes there and :math:`\beta_A` is the ordinary least-squares solution on
    A, with all signs right: an active bound is a smaller subset. Conversely a
    subset whose ordinary solution is positive attains its non-negative optimum
    there. For *several* tasks a bound may be active in one task alone, where
    the column then is missing; such models have not all coefficients of one
    sign and are not among the results.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(30, 8))
    >>> y = X[:, 2] - X[:, 5] + 0.1 * X[:, 3]
    >>> TaskSubsetProblem(X, y).search(2, n_keep=1).subsets.tolist()
    [[2, 5]]
    >>> TaskSubsetProblem(X, y, sign=1).search(2, n_keep=1).subsets.tolist() != [[2, 5]]
    True
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        tasks: Any = None,
        *,
        weights: Any = None,
        sign: int | None = None,
        complexity: Any = None,
        tolerance: float = 1e-9,
    ) -> None:
        m, n = X.shape
        self.sign = _check_sign(sign)
        self.tolerance = float(tolerance)
        self.tasks, number = number_tasks(tasks, m, place="TaskSubsetProblem")
        rows = [np.flatnonzero(number == t) for t in range(len(self.tasks))]
        self.weights = weigh_tasks(weights, self.tasks, y, number, place="TaskSubsetProblem")
        self._tables = [CenteredTask.of(X[r], y[r]) for r in rows]
        usable = np.array([table.norms > 0 for table in self._tables]).any(axis=0)
        self.columns = np.flatnonzero(usable).astype(np.int64)
        self.excluded = np.flatnonzero(~usable)
        costs = _check_complexity(complexity, n)
        self.complexity = np.ascontiguousarray(costs[self.columns])
        self._prepare()

    def _prepare(self) -> None:
        """Gram matrices and projections of all tasks."""
        largest = max((table.largest for table in self._tables), default=0.0)
        # a common unit for the targets keeps their squares inside float64
        shares = np.array([table.largest / largest if largest > 0 else 0.0 for table in self._tables])
        squares = np.array([float(table.target @ table.target) for table in self._tables])
        total = float(self.weights @ (shares**2 * squares))
        scales = np.sqrt(self.weights / total) * shares if total > 0 else np.zeros(len(self.tasks))
        blocks = [np.ascontiguousarray(table.matrix[:, self.columns]) for table in self._tables]
        targets = [table.target * scale for table, scale in zip(self._tables, scales, strict=True)]
        n = len(self.columns)
        self.gram = np.zeros((len(blocks), n, n))
        self.projection = np.zeros((len(blocks), n))
        for t, (block, target) in enumerate(zip(blocks, targets, strict=True)):
            self.gram[t] = block.T @ block
            self.projection[t] = block.T @ target
        self.norms = np.array([float(np.linalg.norm(target)) for target in targets])
        self.unexplained = float(sum(target @ target for target in targets))

    @property
    def largest_size(self) -> int:
        """Largest subset that leaves a degree of freedom in every task."""
        smallest = min(len(table.target) for table in self._tables)
        return int(max(min(len(self.columns), smallest - 2), 0))

    def count(self, size: int) -> int:
        """Count the subsets of this size, collinear ones included."""
        return comb(len(self.columns), size) if size >= 0 else 0

    def search(
        self,
        size: int,
        *,
        n_keep: int = 50,
        n_jobs: int | None = None,
        max_subsets: float = 1e10,
        progress: Progress | None = None,
        on_interrupt: str = "raise",
        time_limit: float | None = None,
    ) -> TaskSubsetResult:
        """Find the best subsets of one size.

        Parameters
        ----------
        size : int
            Columns in a subset; more than exist gives an empty result.
        n_keep : int, default=50
            Subsets to return.
        n_jobs : int, optional
            Threads; -1 for all cores.
        max_subsets : float, default=1e10
            Refuse a larger search, with an estimate of its time.
        progress : callable, optional
            Called as ``progress(done, total)``.
        on_interrupt : {"raise", "return"}
            After Ctrl-C raise ``KeyboardInterrupt``, or return the best so far with ``complete=False``.
        time_limit : float, optional
            Seconds after which the best so far is returned.

        Returns
        -------
        TaskSubsetResult
        """
        place = "TaskSubsetProblem.search"
        if n_keep < 1:
            raise InputError(sentence(place, "n_keep", "be at least 1", n_keep, remedy="Keep one subset."))
        if size < 0:
            raise InputError(sentence(place, "size", "be at least 0", size, remedy="0 is the mean alone."))
        if on_interrupt not in ("raise", "return"):
            raise InputError(sentence(place, "on_interrupt", "be 'raise' or 'return'", on_interrupt))
        total = self.count(size)
        self._refuse(size, total, max_subsets)
        workers: list[Any] = []
        complete = True
        if total and size == 0:
            workers = [self._mean_only()]
        elif total and size == 1:
            workers = [self._singles(n_keep)]
        elif total:
            n_tasks = len(self.columns) - size + 1
            workers = [_TaskScan(self, size, n_keep) for _ in range(min(_threads(n_jobs), n_tasks))]
            complete = drive(workers, n_tasks, total, progress, on_interrupt, time_limit)
        return self._merge(workers, size, n_keep, complete)

    def _refuse(self, size: int, total: int, max_subsets: float) -> None:
        """Refuse a search that is too long, with the number of subsets and the time they take."""
        if total <= max_subsets:
            return
        seconds = total * len(self.tasks) / SPEED
        raise InputError(
            sentence(
                "TaskSubsetProblem.search",
                "max_subsets",
                f"be at least the {total:.4g} subsets of {size} of {len(self.columns)} columns",
                max_subsets,
                remedy=f"They take about {seconds:.3g} s on one core: raise it, or search fewer columns.",
            )
        )

    def _mean_only(self) -> Heap:
        """One subset: no column."""
        heap = Heap(1, 0)
        key = int(self.unexplained / QUANTUM)
        heap.state[1] = push(heap.keys, heap.costs, heap.ids, 0, key, 0, np.zeros(0, np.int64))
        heap.state[2] = 1
        return heap

    def _singles(self, n_keep: int) -> Heap:
        """Subsets of one column."""
        heap = Heap(n_keep, 1)
        square = np.einsum("tii->ti", self.gram)
        fine = square > 0
        gains = np.where(fine, self.projection**2 / np.where(fine, square, 1.0), 0.0)
        keys = (np.maximum(1.0 - (1.0 - self.unexplained + gains.sum(axis=0)), 0.0) / QUANTUM).astype(
            np.int64
        )
        allowed = np.ones(len(self.columns), dtype=bool)
        if self.sign:
            small = NO_SIGN * self.norms[:, None]
            free = ~fine | (self.norms == 0)[:, None]  # tasks that say nothing about the sign
            allowed = (free | (self.sign * self.projection > small)).all(axis=0)
        for k in np.flatnonzero(allowed):
            chosen = np.array([k], np.int64)
            heap.state[1] = push(
                heap.keys, heap.costs, heap.ids, heap.state[1], keys[k], self.complexity[k], chosen
            )
        heap.state[2] = len(self.columns)
        heap.state[4] = int((~fine).sum())
        return heap

    def _merge(self, workers: Sequence[Any], size: int, n_keep: int, complete: bool) -> TaskSubsetResult:
        """Join the heaps by (score, complexity, columns) and refit the best."""
        keys, costs = np.zeros(0, np.int64), np.zeros(0, np.int64)
        local, counts = np.zeros((0, size), np.int64), np.zeros(5, np.int64)
        for worker in workers:
            kept = slice(1, int(worker.state[1]) + 1)
            keys = np.concatenate([keys, worker.keys[kept]])
            costs = np.concatenate([costs, worker.costs[kept]])
            local = np.concatenate([local, worker.ids[kept]])
            counts = counts + worker.state
        order = np.lexsort((*local.T[::-1], costs, keys))[:n_keep]
        subsets = self.columns[local[order]].reshape(len(order), size)
        fits = [[table.fit(s, self.sign, self.tolerance) for table in self._tables] for s in subsets]
        shape = (len(order), len(self.tasks))
        return TaskSubsetResult(
            tasks=self.tasks,
            subsets=subsets,
            scores=np.asarray(keys[order] * QUANTUM, dtype=np.float64),
            coefficients=np.array([[fit[0] for fit in row] for row in fits]).reshape(*shape, size),
            intercepts=np.array([[fit[1] for fit in row] for row in fits]).reshape(shape),
            task_sse=np.array([[fit[2] for fit in row] for row in fits]).reshape(shape),
            n_subsets=self.count(size),
            n_scored=int(counts[2]),
            n_skipped=int(counts[3]),
            n_collinear_pivots=int(counts[4]),
            complete=complete,
        )


class _TaskScan(Heap):
    """One thread's walk through subsets of two or more columns."""

    def __init__(self, problem: TaskSubsetProblem, size: int, n_keep: int) -> None:
        super().__init__(n_keep, size)
        self.problem = problem
        n_tasks, n = problem.projection.shape
        self.deflated = np.empty((max(size - 3, 0), n_tasks, n, n))
        self.projection = np.empty((size - 1, n_tasks, n))
        self.projection[0] = problem.projection
        self.diagonal = np.empty((size - 1, n_tasks, n))
        self.diagonal[0] = np.einsum("tii->ti", problem.gram)
        self.gain = np.zeros(size)
        self.gain[0] = 1.0 - problem.unexplained
        self.prefix = np.zeros(size, np.int64)
        self.room = np.zeros((4 + size, max(n, size)))

    def start(self, first: int) -> None:
        """Go to the subsets whose first column is ``first``."""
        self.state[0] = 0
        self.prefix[0] = first

    def step(self) -> bool:
        """Walk until the budget is spent; True when the task is finished."""
        problem = self.problem
        return bool(
            scan_task_prefixes(
                problem.gram,
                self.deflated,
                self.projection,
                self.diagonal,
                self.gain,
                problem.norms,
                self.prefix,
                self.state,
                problem.complexity,
                self.keys,
                self.costs,
                self.ids,
                self.room,
                problem.sign,
                problem.tolerance,
                BUDGET,
            )
        )


def _check_sign(sign: Any) -> int:
    """+1, -1, or 0 for None."""
    if sign is None:
        return 0
    if isinstance(sign, bool) or sign not in (1, -1):
        raise InputError(sentence("TaskSubsetProblem", "sign", "be None, 1 or -1", sign))
    return int(sign)


def _check_complexity(complexity: Any, n_columns: int) -> Integers:
    """One cost a column."""
    if complexity is None:
        return np.ones(n_columns, np.int64)
    costs = np.asarray(complexity).astype(np.int64)
    if costs.shape != (n_columns,):
        requirement = f"have one entry per column ({n_columns})"
        raise InputError(sentence("TaskSubsetProblem", "complexity", requirement, f"shape {costs.shape}"))
    return costs


def _threads(n_jobs: int | None) -> int:
    """Threads for ``n_jobs``; None is 1, negative counts back from the cores."""
    if n_jobs is None:
        return 1
    cores = os.cpu_count() or 1
    return max(1, cores + 1 + n_jobs) if n_jobs < 0 else max(1, n_jobs)
