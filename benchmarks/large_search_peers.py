"""One leg of the large search: three terms for 82 binaries, chosen among all formulas nested two deep.

    python benchmarks/large_search_peers.py --peer sozai --size rung-2-raw-10 --seed 0

Runs in the environment of the peer it names, so it imports nothing else at the top. Every leg gets the same
82 rows, the same columns without units and the operations ``+ - * /`` and the square, nested two deep, and
one thread. The feature set of TorchSISSO (two expansions of its ``n_expansion=3``) is then the same as ours;
gplearn draws formulas of any depth from the same operations. Timed: one fit, after a small unmeasured one
(imports, compiled kernels). ``error``: RMSE of the three-term law on the fitted rows (gplearn: of its one
program after the best linear scaling, which its fit does not do). ``features_per_second``: formulas looked
at in that fit, by that time, passes over the same formulas counted once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import io
import json
import os
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from octet_peers import COLUMNS, limit_memory, octet_table, peak_mb, rmse  # noqa: E402

SIZES = {"rung-2-radii-6": "radii-6", "rung-2-raw-10": "raw-10"}
N_TERMS, N_KEEP = 3, 20


def sozai_fit(X: np.ndarray, y: np.ndarray, columns: list[str], seed: int) -> dict:
    import pandas as pd

    from sozai.symbolic import ScreenThenL0, SymbolicRegressor

    law = SymbolicRegressor(
        ["square"],
        ["sum", "difference", "product", "ratio"],
        max_rung=2,
        search=ScreenThenL0(n_keep=N_KEEP, max_terms=N_TERMS, n_jobs=1),
        dimensions="ignore",
    ).fit(pd.DataFrame(X, columns=columns), y)
    best = min((m for m in law.models_ if m.n_terms == N_TERMS), key=lambda model: model.rmse)
    return {"n_features": law.n_candidates_, "rmse": best.rmse, "formula": law.formula_of(best)}


def torchsisso_fit(X: np.ndarray, y: np.ndarray, columns: list[str], seed: int) -> dict:
    import pandas as pd
    import torch
    from TorchSisso import SissoModel
    from TorchSisso.FeatureSpaceConstruction import feature_space_construction

    torch.set_num_threads(1)
    counted = {}
    build = feature_space_construction.feature_space

    def counting(self):
        answer = build(self)
        counted["n_features"] = int(answer[0].shape[1])
        return answer

    feature_space_construction.feature_space = counting
    table = pd.DataFrame(np.column_stack([y, X]), columns=["target", *columns])
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model = SissoModel(table, ["+", "-", "*", "/", "pow(2)"], n_expansion=3, n_term=N_TERMS, k=N_KEEP)
            error, equation, *_ = model.fit()
    finally:
        feature_space_construction.feature_space = build
    return {**counted, "rmse": float(error), "formula": str(equation)}


def gplearn_fit(X: np.ndarray, y: np.ndarray, columns: list[str], seed: int) -> dict:
    from gplearn.genetic import SymbolicRegressor

    model = SymbolicRegressor(
        population_size=2000,
        generations=30,
        function_set=("add", "sub", "mul", "div"),
        random_state=seed,
        n_jobs=1,
    ).fit(X, y)
    value = model.predict(X)
    design = np.column_stack([np.ones_like(value), value])
    scaled = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    n_programs = 2000 * len(model.run_details_["generation"])
    return {"n_features": n_programs, "rmse": rmse(y, scaled), "formula": str(model._program)}


FITS = {"sozai": sozai_fit, "torchsisso": torchsisso_fit, "gplearn": gplearn_fit}
PACKAGES = {"sozai": "sozai", "torchsisso": "TorchSisso", "gplearn": "gplearn"}


def leg(peer: str, size: str, seed: int) -> dict:
    columns = COLUMNS[SIZES[size]]
    X, y = octet_table(columns)
    row = {
        "task": "large-search",
        "size": size,
        "peer": peer,
        "repeat": seed,
        "error": None,
        "success": False,
    }
    row["version"] = importlib.metadata.version(PACKAGES[peer])
    row["seconds"] = None
    try:
        FITS[peer](X[:40, :3], y[:40], columns[:3], seed)
        before = peak_mb()
        start = time.perf_counter()
        found = FITS[peer](X, y, columns, seed)
        row["seconds"] = time.perf_counter() - start
        row["peak_mb"], row["peak_mb_before"] = peak_mb(), before
        row["error"] = found["rmse"]
        row["features_per_second"] = found["n_features"] / row["seconds"]
        row |= {"n_features": found["n_features"], "formula": found["formula"][:400]}
        row["success"] = bool(np.isfinite(row["error"]))
    except Exception as error:
        row["peak_mb"] = peak_mb()
        row["message"] = f"{type(error).__name__}: {error}"[:300]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=tuple(FITS), default="sozai")
    parser.add_argument("--size", choices=tuple(SIZES), default="rung-2-raw-10")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    limit_memory()
    print(json.dumps(leg(options.peer, options.size, options.seed), ensure_ascii=False))


if __name__ == "__main__":
    main()
