"""One leg of the octet task: a formula for the rock-salt / zinc-blende energy difference of 82 binaries.

    python benchmarks/octet_peers.py --peer sozai --size raw-10 --seed 0

Runs in the environment of the peer it names, so it imports nothing else at the top. Every leg gets the
same 82 rows and the same columns, one thread, one small unmeasured fit first (imports, compiled kernels),
and is then asked to fit (timed), to predict its own rows (``rmse``) and, untimed, five held-out folds
(``error``: RMSE of the folds, with everything that looks at the target repeated inside each fold). Peers
run with their own defaults unless said.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import sys
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)

RADII = [f"r_{shell}_{site}" for shell in "spd" for site in "AB"]
COLUMNS = {"radii-6": RADII, "raw-10": [*RADII, "IP_A", "IP_B", "EA_A", "EA_B"]}
TARGET = "energy_diff"
MEMORY_LIMIT = 12e9  # bytes a leg may ask for; a peer that wants more fails, and that is its result


def octet_table(columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The 82 rows in file order."""
    folder = os.environ.get("SOZAI_DATA")
    if not folder:
        raise SystemExit(
            "octet_peers.py: SOZAI_DATA must name the folder that holds symbolic/octet82.csv. Set it."
        )
    with (Path(folder) / "symbolic" / "octet82.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    X = np.array([[float(row[name]) for name in columns] for row in rows])
    return X, np.array([float(row[TARGET]) for row in rows])


def sozai_model(seed: int):
    from sozai.symbolic import SymbolicRegressor

    # Inverses and decaying exponentials, as in the study the data come from; the rest is default.
    return SymbolicRegressor(operations=("inverse", "exp_neg"), max_order=2, random_state=seed)


def gplearn_model(seed: int):
    from gplearn.genetic import SymbolicRegressor

    functions = ("add", "sub", "mul", "div", "abs", "inv", "sqrt", "log")
    return SymbolicRegressor(function_set=functions, random_state=seed, n_jobs=1)


def autofeat_model(seed: int):
    from autofeat import AutoFeatRegressor

    np.random.seed(seed)  # noqa: NPY002 (autofeat draws from the global generator)
    return AutoFeatRegressor(verbose=0, n_jobs=1)


def packing(peer: str, columns: list[str]):
    """How a peer wants its table: ours and autofeat take a DataFrame, gplearn an array."""
    if peer == "gplearn":
        return np.asarray
    pandas = importlib.import_module("pandas")
    return lambda X: pandas.DataFrame(X, columns=columns[: X.shape[1]])


def rmse(y: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.sqrt(np.mean((y - np.asarray(predicted).ravel()) ** 2)))


def held_out(make, pack, X: np.ndarray, y: np.ndarray, seed: int, n_folds: int = 5) -> float:
    """RMSE over folds whose rows the fit never saw; the folds depend on the seed only."""
    fold = np.random.default_rng(seed).permutation(np.arange(len(y)) % n_folds)
    predicted = np.empty_like(y)
    for k in range(n_folds):
        model = make(seed).fit(pack(X[fold != k]), y[fold != k])
        predicted[fold == k] = np.asarray(model.predict(pack(X[fold == k]))).ravel()
    return rmse(y, predicted)


def limit_memory() -> None:
    """Refuse allocations beyond the limit instead of driving the machine into swap."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (int(MEMORY_LIMIT), int(MEMORY_LIMIT)))


def peak_mb() -> float | None:
    """Largest resident size of this process so far."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )


def leg(peer: str, size: str, seed: int) -> dict:
    columns = COLUMNS[size]
    X, y = octet_table(columns)
    make = {"sozai": sozai_model, "gplearn": gplearn_model, "autofeat": autofeat_model}[peer]
    pack = packing(peer, columns)
    row = {"task": "octet", "size": size, "peer": peer, "repeat": seed, "error": None, "success": False}
    row["version"] = importlib.import_module(peer).__version__
    row["seconds"] = None
    try:
        make(seed).fit(pack(X[:40, :3]), y[:40])
        start = time.perf_counter()
        model = make(seed).fit(pack(X), y)
        row["seconds"] = time.perf_counter() - start
        row["peak_mb"] = peak_mb()
        row["rmse"] = rmse(y, model.predict(pack(X)))
        row["formula"] = str(
            getattr(model, "formula_", getattr(model, "_program", getattr(model, "new_feat_cols_", "")))
        )
        row["error"] = held_out(make, pack, X, y, seed)
        row["success"] = bool(np.isfinite(row["error"]))
    except Exception as error:
        row["peak_mb"] = peak_mb()
        row["message"] = f"{type(error).__name__}: {error}"[:300]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=("sozai", "gplearn", "autofeat"), default="sozai")
    parser.add_argument("--size", choices=tuple(COLUMNS), default="raw-10")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    limit_memory()
    print(json.dumps(leg(options.peer, options.size, options.seed), ensure_ascii=False))


if __name__ == "__main__":
    main()
