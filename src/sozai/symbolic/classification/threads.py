"""Chunks of compiled work on threads, which share the samples instead of copying them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import joblib
import numpy as np

from sozai.contracts.parallel import run_chunks

__all__ = ["bounds_of", "on_threads"]


def on_threads(function: Callable[..., Any], chunks: Sequence[Any], n_jobs: int | None) -> list[Any]:
    """Results of ``function(chunk)`` in the order of the chunks; the kernels inside release the lock.

    Examples
    --------
    >>> on_threads(sum, [(1, 2), (3, 4)], n_jobs=2)
    [3, 7]
    """
    with joblib.parallel_config(backend="threading"):
        return run_chunks(function, chunks, n_jobs=n_jobs, progress=False)


def bounds_of(n: int, n_chunks: int) -> list[tuple[int, int]]:
    """First and last of at most ``n_chunks`` even stretches of ``range(n)``.

    Examples
    --------
    >>> bounds_of(5, 2), bounds_of(0, 2)
    ([(0, 2), (2, 5)], [])
    """
    ends = np.unique(np.linspace(0, n, min(n_chunks, max(n, 1)) + 1).astype(int)).tolist()
    return list(pairwise(ends))
