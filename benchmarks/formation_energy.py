"""Formation energies of 35,463 compounds from their formulas alone: one JSON row a descriptor and protocol.

    SOZAI_DATA=FOLDER uv run python benchmarks/formation_energy.py
    SOZAI_DATA=FOLDER uv run python benchmarks/formation_energy.py --folds 1 --only kernel

``KFold(5, shuffle=True, random_state=0)`` over the formulas (each occurs once), or five folds of whole
chemical systems. In every fold the same five networks learn from the training part (a part of which they
keep back for their intervals) and predict the test part. ``error`` is the mean absolute error in eV/atom,
mean over the folds, ``spread`` its standard deviation. One file per fold in ``results/formation_energy``,
so that a study that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupKFold, KFold

import sozai
from sozai.composition import CompositionRegressor, KernelMeanDescriptor, SummaryStatistics, parse_formulas
from sozai.datasets import fetch_stable_formulas
from sozai.numerics.kernels import Gaussian

KEPT = Path(__file__).resolve().parent / "results" / "formation_energy"

DESCRIPTORS = {
    "kernel mean, isometric, 94 columns": lambda: KernelMeanDescriptor(
        "published", kernel=Gaussian(2.0), representation="isometric"
    ),
    "summary statistics, 290 columns": lambda: SummaryStatistics("published"),
    "kernel mean, own table": lambda: KernelMeanDescriptor(kernel=Gaussian(2.0), representation="isometric"),
}
PLAN = [
    ("5 random folds", "kernel mean, isometric, 94 columns"),
    ("5 random folds", "summary statistics, 290 columns"),
    ("5 folds of chemical systems", "kernel mean, isometric, 94 columns"),
    ("5 random folds", "kernel mean, own table"),
]


def one_fold(descriptor: str, formulas, energy: np.ndarray, train: np.ndarray, test: np.ndarray) -> dict:
    """Errors and intervals of one test part."""
    start = time.perf_counter()
    regressor = CompositionRegressor(DESCRIPTORS[descriptor](), random_state=0, n_jobs=os.cpu_count())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # linear relations of the published table
        regressor.fit(formulas.iloc[train], energy[train])
    found = regressor.predict(formulas.iloc[test])
    lower, upper = regressor.predict_interval(formulas.iloc[test], level=0.9)
    truth = energy[test]
    square = float(((truth - found) ** 2).mean())
    return {
        "mae": float(np.abs(truth - found).mean()),
        "rmse": square**0.5,
        "r2": 1.0 - square / float(truth.var()),
        "coverage": float(((lower <= truth) & (truth <= upper)).mean()),
        "width": float(np.median(upper - lower)),
        "seconds": time.perf_counter() - start,
    }


def folds_of(protocol: str, formulas) -> list:
    if "systems" in protocol:
        systems = parse_formulas(formulas).chemical_systems()
        return list(GroupKFold(5).split(formulas, groups=systems))
    return list(KFold(5, shuffle=True, random_state=0).split(formulas))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5, help="stop after this many folds")
    parser.add_argument("--only", default="", help="descriptors with this text")
    options = parser.parse_args()
    data = fetch_stable_formulas()
    formulas, energy = data.frame["formula"], data.target.to_numpy()
    KEPT.mkdir(parents=True, exist_ok=True)
    for protocol, descriptor in PLAN:
        for fold in range(options.folds if options.only in descriptor else 0):
            path = KEPT / f"{protocol} {descriptor} {fold}.json".replace(",", "").replace(" ", "-")
            if not path.exists():
                answer = one_fold(descriptor, formulas, energy, *folds_of(protocol, formulas)[fold])
                path.write_text(json.dumps(answer | {"protocol": protocol, "descriptor": descriptor}))
    for protocol, descriptor in PLAN:
        rows = [json.loads(path.read_text()) for path in sorted(KEPT.glob("*.json"))]
        rows = [r for r in rows if (r["protocol"], r["descriptor"]) == (protocol, descriptor)]
        if rows:
            mean = {
                k: float(np.mean([r[k] for r in rows]))
                for k in rows[0]
                if k not in ("protocol", "descriptor")
            }
            print(
                json.dumps(
                    {
                        "task": "formation energy",
                        "size": protocol,
                        "peer": f"sozai: {descriptor}",
                        "version": sozai.__version__,
                        "seconds": mean["seconds"],
                        "peak_mb": None,
                        "error": mean["mae"],
                        "spread": float(np.std([r["mae"] for r in rows])),
                        "rmse": mean["rmse"],
                        "r2": mean["r2"],
                        "coverage": mean["coverage"],
                        "width": mean["width"],
                        "folds": len(rows),
                        "success": True,
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
