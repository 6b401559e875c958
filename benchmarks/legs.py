"""What the legs of the composition benchmarks share: data, clock, memory, a look at the other answer.

Imports NumPy only, because it is read in the environment of every peer.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

N_POINTS = 10


def table(name: str) -> list[list[str]]:
    """Rows of a file of the folder ``composition``, header first."""
    folder = os.environ.get("SOZAI_DATA")
    if not folder:
        raise SystemExit(f"SOZAI_DATA must name the folder that holds composition/{name}. Set it.")
    with (Path(folder) / "composition" / name).open(encoding="utf-8") as file:
        return list(csv.reader(file))


def stable_formulas() -> list[str]:
    """The 35,463 formulas in file order."""
    return [row[1] for row in table("MP_stable_formula_20220807.csv")[1:]]


def element_features() -> tuple[list[str], np.ndarray]:
    """Symbols of 94 elements, and their 58 features."""
    rows = table("element_features.csv")[1:]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=np.float64)


def kernel_matrix(features: np.ndarray) -> np.ndarray:
    """Gaussian kernel of every component with ten equal steps of each feature, shape (m, 580); γ = 1/Δ²."""
    scaled = (features - features.min(axis=0)) / (features.max(axis=0) - features.min(axis=0))
    grid = np.linspace(0.0, 1.0, N_POINTS)
    blocks = [np.exp(-(((x[:, None] - grid) / grid[1]) ** 2)) for x in scaled.T]
    return np.concatenate(blocks, axis=1)


def timed(work: Callable[[], Any], least: int = 3, most: int = 9, enough: float = 2.0) -> tuple[float, Any]:
    """Median processor seconds of three passes, or of up to nine that take two seconds in all; last result.

    Legs have one thread; on a shared machine the time on the wall depends on who else is at work.
    """
    seconds: list[float] = []
    while len(seconds) < least or (len(seconds) < most and sum(seconds) < enough):
        result = None  # two answers need not fit into memory
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds)), result


def peak_mb() -> float | None:
    """Largest resident size of this process so far, in MB of 10⁶ bytes."""
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest * (1024 if sys.platform != "darwin" else 1) / 1e6


def difference(name: str, ours: bool, answer: np.ndarray) -> float | None:
    """Largest difference from what the other side of the record left behind; None when it has not run."""
    folder = os.environ.get("SOZAI_BENCHMARK_ANSWERS")
    if not folder:
        return None
    own, other = (Path(folder) / f"{name}-{side}.npy" for side in (("a", "b") if ours else ("b", "a")))
    if not own.exists():
        np.save(own, answer)
    return float(np.abs(np.load(other) - answer).max()) if other.exists() else None
