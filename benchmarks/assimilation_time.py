"""One row more against a fit of all, and a million rows in bounded memory.

    python benchmarks/assimilation_time.py --columns 56          one process a size, as run.py calls it
    python benchmarks/assimilation_time.py                       all sizes, each in a process of its own

*One row more*: 100,000 rows of two sources (the second in 1 %), basis of 4, 56 or 224 columns:
``partial_fit`` of one row, the sums alone and (*solved*) with the fit and the prediction of one point,
beside ``fit`` of all rows from the beginning. *Stream*: a million rows at 224 columns in portions of 20,000
through ``partial_fit``, then the fit; ``added_mb`` is what that adds to the largest resident size of the
process, ``state_mb`` what is kept of the data. One thread, processor time, after one unmeasured small fit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import peak_mb, timed  # noqa: E402

from sozai.assimilation import (  # noqa: E402
    CompositionPolynomial,
    GaussianAssimilator,
    Polynomial,
    TemperaturePolynomial,
    TensorProduct,
)

N_ROWS, N_STREAM, PORTION = 100_000, 1_000_000, 20_000
SIZES = ("4", "56", "224", "stream")


def fresh(columns: str) -> tuple[GaussianAssimilator, int]:
    """An assimilator that was told nothing, and its number of descriptors."""
    basis: Any = {
        "4": Polynomial(3),
        "56": CompositionPolynomial(3),
        "224": TensorProduct(CompositionPolynomial(3), TemperaturePolynomial(3)),
    }[columns]
    q = {"4": 1, "56": 5, "224": 6}[columns]
    return GaussianAssimilator(basis, domain=[(0.0, 1.0)] * q), q


def rows(n: int, q: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A smooth calculation, and in one row of a hundred a measurement that differs by a plane."""
    X = rng.random((n, q))
    simulation = 1.0 + np.sin(3.0 * X).sum(axis=1) + 0.03 * rng.standard_normal(n)
    experiment = simulation - 1.5 + 0.3 * X[:, 0] + 0.1 * rng.standard_normal(n)
    Y = np.column_stack([simulation, experiment])
    measured = rng.random(n) < 0.01
    Y[measured, 0] = np.nan
    Y[~measured, 1] = np.nan
    return X, Y


def row(task: str, size: str, peer: str, seconds: float, **more: Any) -> dict:
    stem = {"task": task, "size": size, "peer": peer, "version": version("sozai"), "seconds": seconds}
    return stem | {"peak_mb": None, "error": None, "success": True} | more


def one_row_more(columns: str) -> list[dict]:
    model, q = fresh(columns)
    X, Y = rows(N_ROWS, q, np.random.default_rng(0))
    fresh(columns)[0].partial_fit(X[:2000], Y[:2000])
    fit, model = timed(lambda: model.fit(X, Y), least=1, most=3, enough=10.0)
    more, values = rows(1000, q, np.random.default_rng(1))
    following = iter(range(1000))

    def tell() -> int:
        k = next(following)
        model.partial_fit(more[k : k + 1], values[k : k + 1])
        return k

    tell()
    told = timed(tell, least=50, most=200)[0]
    solved = timed(lambda: model.predict(more[tell()][None, :]), least=2, most=5, enough=5.0)[0]
    size = f"{int(columns)} columns"
    found = []
    for task, seconds in (("one row more", told), ("one row more, solved", solved)):
        found.append(row(task, size, "sozai", seconds))
        found.append(row(task, size, "a fit of 100,000 rows", fit))
    return found


def stream() -> list[dict]:
    model, q = fresh("224")
    rng = np.random.default_rng(0)
    fresh("4")[0].fit(*rows(200, 1, rng))
    rows(PORTION, q, rng)
    before, seconds = peak_mb() or 0.0, 0.0
    for _ in range(N_STREAM // PORTION):
        X, Y = rows(PORTION, q, rng)
        begun = time.process_time()
        model.partial_fit(X, Y)
        seconds += time.process_time() - begun
    folded = peak_mb() or 0.0
    begun = time.process_time()
    C = float(model.coupling_[1, 0])
    solving = time.process_time() - begun
    added = (peak_mb() or 0.0) - before
    return [
        row(
            "a million rows", "224 columns", "sozai", seconds, added_mb=folded - before, coupling=C,
            state_mb=model.statistics_.n_bytes / 1e6, rows_per_second=N_STREAM / seconds,
        ),
        row("their fit", "224 columns", "sozai", solving, added_mb=added),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", choices=SIZES)
    columns = parser.parse_args().columns
    warnings.simplefilter("ignore")
    if columns is None:
        for each in SIZES:
            command = [sys.executable, __file__, "--columns", each]
            print(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="", flush=True
            )
        return
    for found in stream() if columns == "stream" else one_row_more(columns):
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
