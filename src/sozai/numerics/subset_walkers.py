"""The walkers of the subset search: one a thread, each with its heap and its place in the tree."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.subset_kernels import QUANTUM, drop_subsets, push, scan_prefixes, scan_press

__all__ = ["BoundsWalk", "GramScan", "Heap", "PressScan", "SingleScan", "Walker", "drive"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int, int], object]

#: Work units (about one multiply-add each) between two looks at the keyboard.
BUDGET = 4_000_000


class Problem(Protocol):
    """What a walker reads: unit columns, their Gram matrix and their products with the target."""

    columns: Integers
    complexity: Integers
    matrix: Array
    gram: Array
    projection: Array
    target: Array
    leverage: Array
    tolerance: float


class Walker(Protocol):
    """One thread's share of a search: its heap and its position in the tree."""

    state: Integers
    keys: Integers
    costs: Integers
    ids: Integers

    def start(self, first: int) -> None:
        """Go to the subsets whose first column is ``first``."""

    def step(self) -> bool:
        """Walk until the budget is spent; True when the task is finished."""
        ...


class Heap:
    """Room for the best subsets of one thread; slot 0 is scratch."""

    def __init__(self, n_keep: int, size: int) -> None:
        self.keys = np.zeros(n_keep + 1, np.int64)
        self.costs = np.zeros(n_keep + 1, np.int64)
        self.ids = np.zeros((n_keep + 1, size), np.int64)
        self.state = np.zeros(5, np.int64)

    def start(self, first: int) -> None:
        """Nothing to walk."""

    def step(self) -> bool:
        """Nothing to walk."""
        return True


class SingleScan(Heap):
    """Subsets of one column."""

    def __init__(self, problem: Problem, size: int, n_keep: int) -> None:
        super().__init__(n_keep, size)
        self.problem = problem

    def start(self, first: int) -> None:
        """Go to the subsets whose first column is ``first``."""
        self.first = first

    def step(self) -> bool:
        """Walk until the budget is spent; True when the task is finished."""
        k, problem = self.first, self.problem
        gain = problem.projection[k] ** 2 / problem.gram[k, k]
        key = int(max(1.0 - gain, 0.0) / QUANTUM)
        cost = problem.complexity[k]
        chosen = np.array([k], np.int64)
        self.state[1] = push(self.keys, self.costs, self.ids, self.state[1], key, cost, chosen)
        self.state[2] += 1
        return True


class GramScan(Heap):
    """Subsets of two or more columns, scored from the deflated Gram matrix."""

    def __init__(self, problem: Problem, size: int, n_keep: int) -> None:
        super().__init__(n_keep, size)
        self.problem = problem
        n = len(problem.columns)
        self.gram = problem.gram[None]  # read only up to three columns: not copied
        if size > 3:
            self.gram = np.empty((size - 2, n, n))
            self.gram[0] = problem.gram
        self.projection = np.empty((size - 1, n))
        self.projection[0] = problem.projection
        self.diagonal = np.empty((size - 1, n))
        self.diagonal[0] = np.diag(problem.gram)
        self.gain = np.zeros(size)
        self.gain[0] = 1.0 - float(problem.target @ problem.target)
        self.prefix = np.zeros(size, np.int64)

    def start(self, first: int) -> None:
        """Go to the subsets whose first column is ``first``."""
        self.state[0] = 0
        self.prefix[0] = first

    def step(self) -> bool:
        """Walk until the budget is spent; True when the task is finished."""
        return bool(
            scan_prefixes(
                self.gram,
                self.projection,
                self.diagonal,
                self.gain,
                self.prefix,
                self.state,
                self.problem.complexity,
                self.keys,
                self.costs,
                self.ids,
                self.problem.tolerance,
                BUDGET,
            )
        )


class PressScan(Heap):
    """Subsets scored by their exact leave-one-out sum of squares."""

    def __init__(self, problem: Problem, size: int, n_keep: int) -> None:
        super().__init__(n_keep, size)
        self.problem = problem
        m, n = problem.matrix.shape
        self.stack = np.empty((size, n, m))
        self.stack[0] = problem.matrix.T
        self.residual = np.empty((size, m))
        self.residual[0] = problem.target
        self.leverage = np.empty((size, m))
        self.leverage[0] = problem.leverage
        self.rest = np.empty(size)
        self.rest[0] = problem.target @ problem.target
        self.prefix = np.zeros(size, np.int64)

    def start(self, first: int) -> None:
        """Go to the subsets whose first column is ``first``."""
        self.state[0] = 0
        self.prefix[0] = first

    def step(self) -> bool:
        """Walk until the budget is spent; True when the task is finished."""
        return bool(
            scan_press(
                self.stack,
                self.residual,
                self.leverage,
                self.rest,
                self.prefix,
                self.state,
                self.problem.complexity,
                self.keys,
                self.costs,
                self.ids,
                self.problem.tolerance,
                QUANTUM,
                BUDGET,
            )
        )


class BoundsWalk(Heap):
    """Leaps and bounds from the full model downwards."""

    def __init__(self, problem: Problem, size: int, n_keep: int) -> None:
        super().__init__(n_keep, size)
        self.problem = problem
        n = len(problem.columns)
        inverse = np.linalg.inv(problem.gram)
        coefficients = inverse @ problem.projection
        self.order = np.argsort(-(coefficients**2) / np.diag(inverse), kind="stable").astype(np.int64)
        levels = n - size
        self.inverse = np.empty((levels, n, n))
        self.inverse[0] = inverse[np.ix_(self.order, self.order)]
        self.coefficients = np.empty((levels, n))
        self.coefficients[0] = coefficients[self.order]
        self.sse = np.zeros(levels)
        left = problem.target - problem.matrix @ coefficients
        self.sse[0] = left @ left
        self.active = np.zeros((levels, n), np.int64)
        self.active[0] = np.arange(n)
        self.locked = np.zeros(levels, np.int64)
        self.cursor = np.full(levels, size, np.int64)

    def step(self) -> bool:
        """Walk until the budget is spent; True when the task is finished."""
        return bool(
            drop_subsets(
                self.inverse,
                self.coefficients,
                self.sse,
                self.active,
                self.locked,
                self.cursor,
                self.state,
                self.order,
                self.problem.complexity,
                self.keys,
                self.costs,
                self.ids,
                BUDGET,
            )
        )


def drive(
    workers: Sequence[Walker],
    tasks: int,
    total: int,
    progress: Progress | None,
    on_interrupt: str,
    time_limit: float | None,
) -> bool:
    """Let the workers share the tasks, watching the keyboard and the clock; True when all was done."""
    if on_interrupt not in ("raise", "return"):
        raise InputError(
            sentence("SubsetProblem.search", "on_interrupt", "be 'raise' or 'return'", on_interrupt)
        )
    stop = threading.Event()
    queue = itertools.count()
    deadline = np.inf if time_limit is None else time.monotonic() + time_limit

    def look() -> None:
        if progress is not None:
            progress(min(int(sum(int(w.state[2] + w.state[3]) for w in workers)), total), total)
        if time.monotonic() > deadline:
            stop.set()

    def work(worker: Walker, alone: bool) -> bool:
        while (task := next(queue)) < tasks:
            worker.start(task)
            finished = False
            while not finished:
                finished = worker.step()
                if alone:
                    look()
                if stop.is_set() and not (finished and task == tasks - 1):
                    return False
        return True

    try:
        done = _drive_threads(workers, work, stop, look) if len(workers) > 1 else work(workers[0], True)
    except KeyboardInterrupt:
        stop.set()
        if on_interrupt == "raise":
            raise
        return False
    if done and progress is not None:
        progress(total, total)
    return done


def _drive_threads(
    workers: Sequence[Walker],
    work: Callable[[Walker, bool], bool],
    stop: threading.Event,
    look: Callable[[], None],
) -> bool:
    """Run one thread a worker; the main thread stays free for Ctrl-C."""
    with ThreadPoolExecutor(len(workers)) as pool:
        futures = [pool.submit(work, worker, False) for worker in workers]
        try:
            waiting = set(futures)
            while waiting:
                waiting = wait(waiting, timeout=0.05).not_done
                look()
        except BaseException:
            stop.set()
            raise
        return all(future.result() for future in futures)
