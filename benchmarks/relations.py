"""Relations among the columns of a table: blocked projection and exact rank against plain methods.

Prints one JSON row per measurement. The tables are all products of the 97 first-order
columns of 99 alloys when SOZAI_DATA holds them, of random decimals of the same shape otherwise.
Run it alone on a quiet machine: ``python benchmarks/relations.py [--repeat 3]``.
"""

import argparse
import json
import os
import time
import tracemalloc
import warnings
from importlib.metadata import version
from itertools import combinations_with_replacement
from math import comb
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from sozai.numerics.row_reduction import row_reduce
from sozai.symbolic.generation import generate
from sozai.symbolic.independence import find_relations
from sozai.symbolic.operations import Expressions
from sozai.symbolic.relations.exact_relations import exact_reduction
from sozai.symbolic.relations.residues import ExpressionColumns

NAMES = ["x", "M_A", "Z_A", "M_B", "Z_B", "M_AB", "M_BA"]


def primary_columns():
    """The seven primary columns of the alloys, or decimals like them."""
    file = Path(os.environ.get("SOZAI_DATA", ""), "symbolic", "slater_pauling_99.dat")
    if file.is_file():
        lines = file.read_text(encoding="utf-8").splitlines()[1:]
        return np.array([line.split()[2:] for line in lines], dtype=float)
    return np.random.default_rng(0).uniform(-2, 3, size=(99, 7)).round(4)


def products(primary, order):
    """All products of the first-order columns."""
    return generate(
        primary,
        NAMES,
        operations=["abs", "inverse_abs"],
        pair_operations=["abs_sum", "abs_difference", "inverse_abs_sum", "inverse_abs_difference"],
        keep_constant=True,
        order=order,
    )


def unblocked_elimination(matrix, tolerance=1e-10):
    """Rank by projecting one column at a time on the columns kept so far, twice."""
    kept = np.empty((min(matrix.shape), matrix.shape[0]))
    rank = 0
    for column in matrix.T:
        w = column / np.linalg.norm(column)
        for _ in range(2):
            w = w - (kept[:rank] @ w) @ kept[:rank]
        size = np.linalg.norm(w)
        if size > tolerance and rank < kept.shape[0]:
            kept[rank] = w / size
            rank += 1
    return rank


def octet(order):
    """1, S, D, 1/S of 82 random pairs of radii, and their products; the rank is (order + 1)²."""
    radii = np.random.default_rng(1).uniform(0.4, 3.0, size=(82, 2)).round(2)
    store = Expressions(["r_A", "r_B"])
    s = store.add("add", 1, 2)
    first = [0, s, store.add("abs", store.add("subtract", 1, 2)), store.add("inverse", s)]
    ids = []
    for factors in combinations_with_replacement(first, order):
        product = factors[0]
        for factor in factors[1:]:
            product = store.add("multiply", product, factor)
        ids.append(int(product))
    return SimpleNamespace(expressions=store, ids=np.array(ids), primary=radii)


def measure(task, size, peer, run, *, truth=None, repeat=1, memory=True):
    """Best of ``repeat`` runs, then one under tracemalloc; print the row."""
    row = {
        "task": task,
        "size": size,
        "peer": peer,
        "version": version("sozai") if peer == "sozai" else np.__version__,
    }
    try:
        seconds, rank = [], None
        for _ in range(repeat):
            start = time.perf_counter()
            rank = run()
            seconds.append(time.perf_counter() - start)
        row["seconds"] = round(min(seconds), 4)
        row["peak_mb"] = round(_peak(run) / 1e6, 1) if memory else None
        row["error"] = None if truth is None else abs(int(rank) - truth)
        row["success"] = True
    except (ArithmeticError, ValueError, MemoryError) as error:
        row |= {"seconds": None, "peak_mb": None, "error": str(error), "success": False}
    print(json.dumps(row), flush=True)
    return row


def _peak(run):
    """Bytes allocated at most during one run, beyond what was there."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    warnings.simplefilter("ignore")
    primary = primary_columns()

    small = products(primary, 1)
    find_relations(primary, generated=small).holds  # noqa: B018  compiles the kernels
    exact_reduction(ExpressionColumns(small.expressions, small.ids, primary), len(small))

    for order in (2, 3):
        made = products(primary, order)
        table = np.asarray(made.values)
        size = f"{table.shape[0]}x{table.shape[1]}"
        measure("relations", size, "sozai", lambda t=table: find_relations(t).rank, repeat=repeat)
        measure("basis", size, "sozai", lambda t=table: row_reduce(t).rank, repeat=repeat)
        measure(
            "basis",
            size,
            "unblocked elimination",
            lambda t=table: unblocked_elimination(t),
            memory=order == 2,
        )
        exact = lambda g=made: exact_reduction(ExpressionColumns(g.expressions, g.ids, primary), len(g)).rank  # noqa: E731
        measure("exact rank", size, "sozai", exact, truth=99, repeat=repeat)
        if order == 2:
            measure(
                "exact rank", size, "numpy matrix_rank", lambda t=table: np.linalg.matrix_rank(t), truth=99
            )
            unit = table / np.linalg.norm(table, axis=0)
            measure(
                "exact rank",
                size,
                "numpy matrix_rank, unit columns",
                lambda u=unit: np.linalg.matrix_rank(u),
                truth=99,
            )
            measure(
                "exact rank",
                size,
                "unblocked elimination",
                lambda t=table: unblocked_elimination(t),
                truth=99,
            )
            identities = lambda g=made: len(find_relations(primary, generated=g).holds)  # noqa: E731
            measure("identity or coincidence", size, "sozai", identities)

    for order in (6, 8):
        made = octet(order)
        size = f"82x{comb(order + 3, 3)}"
        values = made.expressions.evaluate(made.ids, made.primary)
        columns = ExpressionColumns(made.expressions, made.ids, made.primary)
        truth = (order + 1) ** 2
        rank = lambda c=columns, n=made.ids.size: exact_reduction(c, n).rank  # noqa: E731
        measure("octet rank", size, "sozai", rank, truth=truth, repeat=repeat)
        measure(
            "octet rank", size, "numpy matrix_rank", lambda v=values: np.linalg.matrix_rank(v), truth=truth
        )
        measure(
            "octet rank",
            size,
            "unblocked elimination",
            lambda v=values: unblocked_elimination(v),
            truth=truth,
        )


if __name__ == "__main__":
    main()
