"""Speed of descriptor generation: one JSON row per measurement.

Run with ``python benchmarks/generation.py [--small]``. The reference rate is that
of the published program, about 1,500 columns per second at 99 rows.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

import sozai
from sozai.symbolic.generation import count_products, generate, iterate_products
from sozai.symbolic.operations import Expressions

REFERENCE_RATE = 1_500.0


def measure(task: str, size: str, run: Callable[[], dict], repeats: int = 3) -> None:
    """Best of a few runs as one JSON row."""
    row = {"task": task, "size": size, "peer": "sozai", "version": sozai.__version__}
    try:
        run()
        seconds, facts = [], {}
        for _ in range(repeats):
            begin = time.perf_counter()
            facts = run()
            seconds.append(time.perf_counter() - begin)
        tracemalloc.start()
        run()
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        row |= {"seconds": round(min(seconds), 4), "peak_mb": round(peak, 1), "error": None, "success": True}
        row |= {key: value(min(seconds)) if callable(value) else value for key, value in facts.items()}
    except Exception as error:
        row |= {"seconds": None, "peak_mb": None, "error": str(error), "success": False}
    print(json.dumps(row), flush=True)


def stored_products() -> dict:
    """Products of three from 97 columns, stored with their expressions."""
    made = generate(TABLE[:, :97], order=3, cumulative=False)
    return {
        "columns": len(made) - 1,
        "times_reference": lambda s: round((len(made) - 1) / s / REFERENCE_RATE),
    }


def streamed_products(n_columns: int) -> Callable[[], dict]:
    """Products of three, block by block, each block summed so that it is read once."""

    def run() -> dict:
        total, count = 0.0, count_products(n_columns, 3)
        for block in iterate_products(TABLE[:, :n_columns], 3):
            total += float(block.values[0, 0])
        return {
            "columns": count,
            "times_reference": lambda s: round(count / s / REFERENCE_RATE),
            "gb_per_second": lambda s: round(count * TABLE.shape[0] * 8 / s / 1e9, 2),
        }

    return run


def memory_bandwidth() -> dict:
    """Write fresh 4 MiB blocks, as the streamed products do."""
    for _ in range(100):
        block = np.empty(2**19)
        np.multiply(SOURCE, 1.5, out=block)
    return {"gb_per_second": lambda s: round(100 * 2**22 / s / 1e9, 2)}


def interned_expressions() -> dict:
    """A million sums and products of 1,000 columns, then the same again."""
    store = Expressions([f"x{j}" for j in range(1000)])
    left, right = (index[:500_000] + 1 for index in np.triu_indices(1000))
    for _ in range(2):
        for name in ("add", "multiply"):
            store.add(name, left[left != right], right[left != right])
    return {"expressions": len(store), "adds_per_second": lambda s: round(2e6 / s)}


def rendered_names() -> dict:
    """Text of 156,850 products."""
    return {"names": len(MADE.expressions.texts(MADE.ids))}


def symmetric_orbits() -> dict:
    """Products of three from 60 columns under an exchange of 30 pairs."""
    names = [f"p{k}_{side}" for k in range(30) for side in "AB"]
    made = generate(TABLE[:, :60], names, order=3, cumulative=False, symmetry="A<->B")
    return {"columns": len(made) - 1}


TABLE = np.random.default_rng(0).uniform(0.5, 2.0, (99, 560))
SOURCE = np.ones(2**19)
MADE = generate(TABLE[:, :97], order=3, cumulative=False)

if __name__ == "__main__":
    n_streamed = 200 if "--small" in sys.argv else 560
    measure("direct products stored", "97 columns x 99 rows, order 3", stored_products)
    measure("memory bandwidth", "4 MiB blocks", memory_bandwidth)
    measure(
        "direct products streamed",
        f"{n_streamed} columns x 99 rows, order 3",
        streamed_products(n_streamed),
        1,
    )
    measure("expressions interned", "1,000 columns, 2e6 adds", interned_expressions)
    measure("names rendered", "156,850 products", rendered_names, 1)
    measure("symmetrised products", "60 columns x 99 rows, order 3", symmetric_orbits, 1)
    print(
        json.dumps(
            {"task": "whole process", "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}
        ),
        file=sys.stderr,
    )
