"""Screening formulas that are never stored: millions and a billion of them, time, memory, and the plain way.

    python benchmarks/screening.py

Needs SOZAI_DATA (82 octet binaries). The peer *computed one by one in NumPy* makes every formula of the last
rung as a column, block by block, and correlates it with the target: what a program does that has no closed
forms. ``error``: largest difference of the best hundred scores from those of the peer; of a space that the
peer cannot finish, null.
"""

from __future__ import annotations

import json
import resource
import threading
import time
from pathlib import Path

import numpy as np

import sozai
from sozai.datasets import fetch_octet_binaries
from sozai.symbolic.screening import PartialGain, screen, space_within

OPERATIONS, PAIRS = ["square"], ["sum", "difference", "product", "ratio"]
RADII = [f"r_{shell}_{site}" for shell in "spd" for site in "AB"]
PLAIN_ROWS = 40  # left arguments the plain way gets; its time is scaled up


class PeakMemory(threading.Thread):
    """Largest resident size while it runs, beyond that at its start, in MB (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first = self.largest = self.now()
        self.over = threading.Event()

    @staticmethod
    def now() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6

    def run(self) -> None:
        while not self.over.wait(0.002):
            self.largest = max(self.largest, self.now())

    def __enter__(self) -> PeakMemory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


def space_of(data, max_candidates: float):
    columns = [*RADII, "IP_A", "IP_B", "EA_A", "EA_B"]
    units = {name: "Å" if name.startswith("r_") else "eV" for name in columns}
    X = data.features[columns].to_numpy()
    return space_within(
        X,
        columns,
        operations=OPERATIONS,
        pair_operations=PAIRS,
        rung=3,
        max_candidates=max_candidates,
        dimensions=units,
    )


def plain_products(space, y: np.ndarray) -> float:
    """Seconds per product when every one is computed as a column."""
    values = space.base.values
    y = (y - y.mean()) / np.linalg.norm(y - y.mean())
    start = time.perf_counter()
    for row in values[:PLAIN_ROWS]:
        block = values * row
        block -= block.mean(axis=1, keepdims=True)
        score = (block @ y) ** 2 / np.maximum((block**2).sum(axis=1), 1e-300)
        score.max()
    return (time.perf_counter() - start) / (PLAIN_ROWS * len(values))


def rows() -> list[dict]:
    data = fetch_octet_binaries()
    y = data.target.to_numpy()
    screen(space_of(data, 1e6), PartialGain(y), n_jobs=2)  # compiled kernels
    found = []
    for label, budget in (("millions", 1.2e7), ("a billion", 4e9)):
        with PeakMemory() as memory:
            start = time.perf_counter()
            space = space_of(data, budget)
            grown = time.perf_counter() - start
            result = screen(space, PartialGain(y), n_jobs=2)
        size = f"{space.n_candidates / 1e6:,.3g} million formulas, 82 rows"
        ours = {
            "task": f"screen {label}",
            "size": size,
            "peer": "sozai",
            "version": sozai.__version__,
            "seconds": result.seconds,
            "seconds_of_growth": grown,
            "peak_mb": None,
            "added_mb": round(memory.largest - memory.first, 1),
            "whole_mb": round(memory.largest, 1),
            "error": None,
            "success": len(result.ids) == 100,
            "features_per_second": space.n_candidates / result.seconds,
        }
        plain = plain_products(space, y) * space.n_candidates
        found += [
            ours,
            ours | {"peer": "computed one by one in NumPy (scaled up)", "seconds": plain, "peak_mb": None},
        ]
    return found


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row, ensure_ascii=False))
