"""Subset search and backward elimination beside plain NumPy, one JSON row a measurement.

Run ``python benchmarks/selection.py``; a row has task, size, peer, version, seconds, peak_mb, error, success.
Loops of ``numpy.linalg.lstsq`` are timed on a part of the work and scaled up (``extrapolated``).
``success`` says whether the answers of the legs agree. All legs run with one BLAS thread.
"""

import itertools
import json
import resource
import time
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_limits

from sozai.numerics.subset_search import SubsetProblem
from sozai.symbolic.selection import AllTerms, BackwardElimination, Exhaustive

SEED = 20_240_501


def row(task, size, peer, seconds, error, success, **more):
    """Print one measurement."""
    package = "sozai" if peer.startswith("sozai") else "numpy"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    record = {
        "task": task,
        "size": size,
        "peer": peer,
        "version": version(package),
        "seconds": seconds,
        "peak_mb": round(peak, 1),
        "error": error,
        "success": bool(success),
    }
    print(json.dumps(record | more), flush=True)


def timed(function, repeats=3):
    """Shortest of several runs, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def random_table(m, n):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(m, n))
    return X, X[:, 1] - X[:, n // 2] + 0.5 * X[:, n - 1] + rng.normal(size=m)


def rmse_of(X, y, subset):
    A = np.column_stack([np.ones(len(y)), X[:, list(subset)]])
    e = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
    return float(np.sqrt(np.mean(e**2)))


def lstsq_loop(X, y, size, limit):
    """Seconds for all subsets, from the first ``limit`` of them (the optimum is not looked at)."""
    subsets = list(itertools.islice(itertools.combinations(range(X.shape[1]), size), limit))
    start = time.perf_counter()
    for subset in subsets:
        rmse_of(X, y, subset)
    return (time.perf_counter() - start) / len(subsets)


def subsets(n, size, n_jobs, m=82):
    """Best subsets of ``size`` of ``n`` columns."""
    X, y = random_table(m, n)
    problem = SubsetProblem(X, y)
    seconds, found = timed(lambda: problem.search(size, n_jobs=n_jobs, max_subsets=1e12))
    error = rmse_of(X, y, found.subsets[0])
    each = lstsq_loop(X, y, size, 2000)
    task = f"best {size} of {n} columns, {m} rows"
    row(task, found.n_subsets, f"sozai, {n_jobs} threads", seconds, error, True)
    row(task, found.n_subsets, "lstsq loop", each * found.n_subsets, None, True, extrapolated=True)


def small_subsets():
    """A search small enough to do both ways, with selector and refits included."""
    X, y = random_table(82, 30)
    Exhaustive(3, min_terms=3).select(X, y)
    seconds, models = timed(lambda: Exhaustive(3, min_terms=3).select(X, y))
    start = time.perf_counter()
    errors = {s: rmse_of(X, y, s) for s in itertools.combinations(range(30), 3)}
    loop = time.perf_counter() - start
    same = min(errors, key=errors.get) == models[0].columns
    row("Exhaustive(3) of 30 columns", len(errors), "sozai", seconds, models[0].rmse, same)
    row("Exhaustive(3) of 30 columns", len(errors), "lstsq loop", loop, min(errors.values()), same)


def refit_path(X, y, steps):
    """Backward path as written in the textbook: refit without each term, drop the cheapest."""
    left, order = list(range(X.shape[1])), []
    for _ in range(steps):
        errors = [rmse_of(X, y, [k for k in left if k != j]) for j in left]
        order.append(left.pop(int(np.argmin(errors))))
    return order


def qr_path(X, y, steps):
    """Backward path with one QR a step, all t-values from it."""
    left, order = list(range(X.shape[1])), []
    for _ in range(steps):
        A = np.column_stack([np.ones(len(y)), X[:, left]])
        q, r = np.linalg.qr(A)
        inverse = np.linalg.inv(r)
        rise = (inverse @ (q.T @ y)) ** 2 / (inverse**2).sum(axis=1)
        order.append(left.pop(int(np.argmin(rise[1:]))))
    return order


def dropped(models, n):
    return [int(change[3:]) for change in models.path["change"].iloc[1 : n + 1]]


def backward(m, n, steps, qr_steps):
    """Path from ``n`` terms; refitting legs are timed on the first steps and scaled by p**3 and p**2."""
    X, y = random_table(m, n)
    names = [f"x{j}" for j in range(n)]
    seconds, models = timed(lambda: BackwardElimination().select(X, y, names), repeats=1)
    ours = dropped(models, max(steps, qr_steps))
    task = f"backward path from {n} terms, {m} rows"
    row(task, n, "sozai", seconds, models.selected.rmse, True)
    for peer, walk, count, power in (
        ("refit each", refit_path, steps, 3),
        ("one QR a step", qr_path, qr_steps, 2),
    ):
        if not count:
            continue
        start = time.perf_counter()
        order = walk(X, y, count)
        spent = time.perf_counter() - start
        p = np.arange(n, 0, -1.0)
        total = spent * (p**power).sum() / (p[:count] ** power).sum()
        row(task, n, peer, total, None, order == ours[:count], extrapolated=count < n - 1)


def one_refit_step(m, n, candidates=4):
    """Refitting path from ``n`` terms, from a few candidates of the first step; cost scaled by p**3."""
    X, y = random_table(m, n)
    start = time.perf_counter()
    for j in range(candidates):
        rmse_of(X, y, [k for k in range(n) if k != j])
    each = (time.perf_counter() - start) / candidates
    total = each * n * (np.arange(n, 0, -1.0) ** 3).sum() / n**3
    row(f"backward path from {n} terms, {m} rows", n, "refit each", total, None, True, extrapolated=True)


def main():
    """Every measurement."""
    warm, y = random_table(40, 12)
    for size in (2, 3, 4):
        SubsetProblem(warm, y).search(size)
    AllTerms().select(warm, y)
    BackwardElimination().select(warm, y)
    small_subsets()
    subsets(300, 3, 1)
    subsets(1000, 3, 1)
    subsets(1000, 3, 2)
    subsets(300, 4, 2)
    subsets(28, 7, 1, m=99)
    backward(120, 40, 39, 39)
    backward(1000, 700, 0, 3)
    one_refit_step(1000, 700)


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main()
