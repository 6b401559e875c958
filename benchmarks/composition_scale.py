"""A million formulas to fractions and to a file of descriptors, each in its own process; similar formulas.

    SOZAI_DATA=FOLDER uv run python benchmarks/composition_scale.py

A million random formulas of two to five elements (984,990 distinct ones), as a list of strings.
``whole_mb`` is the largest resident size of the process with imported libraries and the strings; of a file
that is mapped into memory it counts the pages that the system has not dropped yet. ``own_mb`` is the
largest size without mapped files (libraries are such, too), ``added_mb`` the part of it that came after the
strings. The search asks 300 formulas for ten neighbors among 35,463; ``seconds`` is the median of a query,
``error`` the largest difference of a distance from that of a full search (30 queries).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import peak_mb, stable_formulas  # noqa: E402

import sozai  # noqa: E402
from sozai.composition import (  # noqa: E402
    ELEMENTS,
    KernelMeanDescriptor,
    SimilarMaterials,
    as_compositions,
    parse_formulas,
)

N_FORMULAS, BLOCK = 1_000_000, 5_000
MOST_MB = 500.0


class OwnMemory(threading.Thread):
    """Largest resident size without mapped files while it runs, and that at its start, in MB (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first = self.largest = self.now()
        self.over = threading.Event()

    @staticmethod
    def now() -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024 / 1e6

    def run(self) -> None:
        while not self.over.wait(0.005):
            self.largest = max(self.largest, self.now())

    def __enter__(self) -> OwnMemory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


def random_formulas() -> list[str]:
    """Two to five of the first 94 elements, one to twelve atoms of each."""
    rng = np.random.default_rng(0)
    texts: list[str] = []
    for _ in range(0, N_FORMULAS, BLOCK):
        members = np.argsort(rng.random((BLOCK, 94)), axis=1)[:, :5].tolist()
        amounts = rng.integers(1, 13, (BLOCK, 5)).tolist()
        counts = rng.choice([2, 3, 4, 5], BLOCK, p=[0.2, 0.5, 0.2, 0.1]).tolist()
        for held, atoms, count in zip(members, amounts, counts, strict=True):
            pairs = zip(held[:count], atoms, strict=False)
            texts.append("".join(f"{ELEMENTS[j]}{n if n > 1 else ''}" for j, n in pairs))
    return texts


def to_fractions(texts: list[str], folder: Path) -> Callable[[], tuple[int, int]]:
    parse_formulas(texts[:50])
    return lambda: parse_formulas(texts).fractions.shape


def to_file(texts: list[str], folder: Path) -> Callable[[], tuple[int, int]]:
    descriptor = KernelMeanDescriptor("published", dtype="float32").fit()
    descriptor.transform(texts[:50])
    return lambda: descriptor.transform_to(texts, folder / "columns.npy").shape


PARTS = {"to fractions": to_fractions, "to a file of 580 columns, float32": to_file}


def million(part: str) -> dict:
    """One row, measured in this process."""
    texts = random_formulas()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        work = PARTS[part](texts, Path(folder))
        with OwnMemory() as memory:
            start = time.perf_counter()
            shape = work()
            seconds = time.perf_counter() - start
    whole = peak_mb()
    row = {
        "task": "a million formulas",
        "size": part,
        "peer": "sozai",
        "version": sozai.__version__,
        "seconds": seconds,
        "peak_mb": whole,
        "whole_mb": whole,
        "own_mb": memory.largest,
        "added_mb": memory.largest - memory.first,
        "error": None,
        "success": shape[0] == N_FORMULAS and memory.largest < MOST_MB,
    }
    if memory.largest >= MOST_MB:
        row["message"] = f"{memory.largest:.0f} MB of its own"
    return row


def similar() -> dict:
    """Ten nearest formulas."""
    texts = stable_formulas()
    database = SimilarMaterials(texts, KernelMeanDescriptor("published"))
    queries = [texts[k] for k in range(0, len(texts), 237)] + random_formulas()[:150]
    database.find(queries[0])
    seconds, apart = [], 0.0
    for k, query in enumerate(queries):
        start = time.perf_counter()
        hits = database.find(query, k=10)
        seconds.append(time.perf_counter() - start)
        if k % 10 == 0:
            apart = max(apart, np.abs(full_search(database, query)[:10] - hits.frame["distance"]).max())
    return {
        "task": "similar formulas, one query",
        "size": f"among {len(texts):,}",
        "peer": "sozai",
        "version": sozai.__version__,
        "seconds": float(np.median(seconds)),
        "slowest": max(seconds),
        "peak_mb": peak_mb(),
        "error": float(apart),
        "success": bool(apart < 1e-12),
    }


def full_search(database: SimilarMaterials, query: str) -> np.ndarray:
    """All distances from the kernel between elements, sorted."""
    descriptor = KernelMeanDescriptor("published").fit()
    held = as_compositions(list(database.formulas), descriptor.components_, place="full_search").fractions
    asked = parse_formulas([query], components=descriptor.components_).dense()[0]
    gram = descriptor.gram_
    gaps = held.toarray() - asked
    return np.sort(np.sqrt(np.maximum(np.einsum("ij,ij->i", gaps @ gram, gaps), 0.0)))


def main() -> None:
    warnings.simplefilter("ignore")
    if len(sys.argv) > 1:
        print(json.dumps(million(sys.argv[1])))
        return
    for part in PARTS:
        done = subprocess.run([sys.executable, __file__, part], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        print(done.stdout.strip(), flush=True)
    print(json.dumps(similar()))


if __name__ == "__main__":
    main()
