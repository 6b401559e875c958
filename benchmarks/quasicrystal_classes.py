"""Quasicrystals, approximants and other compounds from their formulas: one JSON row a split.

    SOZAI_DATA=FOLDER uv run python benchmarks/quasicrystal_classes.py

The published split, then ten stratified random splits of 80 to 20 % (seeds 0 to 9). ``error`` is
1 - macro-F1.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np
from sklearn.model_selection import train_test_split

import sozai
from sozai.composition import CompositionClassifier, KernelMeanDescriptor, SummaryStatistics
from sozai.composition.property_scores import calibration_error, class_scores
from sozai.datasets import fetch_hypermaterials

DESCRIPTORS = {
    "kernel mean": lambda: KernelMeanDescriptor("published"),
    "kernel mean, own table": lambda: KernelMeanDescriptor(),
    "summary statistics": lambda: SummaryStatistics("published", ("mean", "var", "max", "min")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--decision", default="macro_f1")
    options = parser.parse_args()
    frame = fetch_hypermaterials().frame
    X, y = frame["formula"], frame["label"].to_numpy()
    published = frame["for_test"].to_numpy(dtype=bool)
    splits = {"published split": (np.flatnonzero(~published), np.flatnonzero(published))}
    rows = np.arange(len(y))
    repeats = [
        train_test_split(rows, test_size=0.2, stratify=y, random_state=s) for s in range(options.repeats)
    ]
    splits |= {f"random split {s}": pair for s, pair in enumerate(repeats)}
    import warnings

    warnings.simplefilter("ignore", UserWarning)
    for name, make in DESCRIPTORS.items():
        found = []
        for split, (train, test) in splits.items():
            start = time.perf_counter()
            model = CompositionClassifier(
                make(), random_state=0, n_jobs=os.cpu_count(), decision=options.decision
            )
            model.fit(X.iloc[train], y[train])
            scores = class_scores(y[test], model.predict(X.iloc[test]), model.classes_).set_index("class")
            error = calibration_error(y[test], model.predict_proba(X.iloc[test]), model.classes_)
            inside = model.predict_set(X.iloc[test])
            own = inside[np.arange(len(test)), np.searchsorted(model.classes_, y[test])]
            found.append(
                {
                    "macro_f1": scores["f1"].mean(),
                    "calibration": error,
                    "seconds": time.perf_counter() - start,
                    "coverage": own.mean(),
                    "rare_coverage": own[y[test] != "OTHERS"].mean(),
                    "inside": model.macro_f1_,
                }
                | {
                    f"{c}_{k}": scores.loc[c, k]
                    for c in model.classes_
                    for k in ("recall", "precision", "f1")
                }
            )
            if split in ("published split", list(splits)[-1]):
                part = found if split == "published split" else found[1:]
                mean = {k: float(np.mean([row[k] for row in part])) for k in part[0]}
                row = {
                    "task": "QC, AC, others",
                    "size": "published split" if split == "published split" else f"{len(part)} random splits",
                    "peer": f"sozai: {name}",
                    "version": sozai.__version__,
                    "seconds": mean.pop("seconds"),
                    "peak_mb": None,
                    "error": 1.0 - mean["macro_f1"],
                    "spread": float(np.std([r["macro_f1"] for r in part])),
                    "success": True,
                }
                print(json.dumps(row | mean), flush=True)


if __name__ == "__main__":
    main()
