"""Rounds and cost until the best experiment was measured: loops of calculations and experiments, replayed.

    python benchmarks/two_source_loops.py

1,681 points of a landscape of 49 waves (``make_sine_pair(2, 41)``), five random calculations and five random
measurements at the start, the same for all legs, noise 0.03 and 0.1; an experiment costs as much as 50
calculations. *Least squares* knows the experiments alone (NumPy, the shortest solution while they are too
few). Ours learn pattern and coupling, with default priors. Twenty repeats with the seed that the rules were
tried with, and twenty fresh ones; at most 60 rounds.

``rounds``, ``experiments``, ``cost`` (without the start) and ``total``: median and quartiles until the best
point was measured (of two middle values the higher); null where too few got there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib.metadata import version
from typing import Any, Self

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
import pandas as pd  # noqa: E402

from sozai.assimilation import GaussianAssimilator, Sine  # noqa: E402
from sozai.datasets import make_sine_pair  # noqa: E402
from sozai.proposals import (  # noqa: E402
    CostAware,
    MaximumVariance,
    TwoSourceProposer,
    simulate_two_sources,
)

N_ROUNDS, N_REPEATS = 60, 20
SEEDS = {"first seeds": 0, "fresh seeds": 1000}


class LeastSquares:
    """The experiments alone; calculations say nothing of them."""

    def partial_fit(self, X: Any, Y: Any) -> Self:
        told = ~np.isnan(Y[:, 1])
        columns = self.columns(X[told])
        self.coef = np.linalg.lstsq(columns, Y[told, 1], rcond=None)[0]
        self.covariance_ = np.eye(2)
        return self

    def columns(self, X: Any) -> np.ndarray:
        return Sine(6).evaluate(np.asarray(X, dtype=float), np.array([[0.0, 1.0]] * 2))

    def predict(self, X: Any, source: int = -1, return_std: bool = False) -> Any:
        mean = self.columns(X) @ self.coef
        return (mean, np.zeros(len(X))) if return_std else mean

    def design_variance(self, X: Any, source: int = -1) -> np.ndarray:
        return np.zeros(len(X))

    def design_covariance(self, X1: Any, X2: Any, source1: int = -1, source2: int = -1) -> np.ndarray:
        return np.zeros((len(X1), len(X2)))


def legs() -> dict[str, tuple[Any, Any]]:
    ours = GaussianAssimilator(Sine(6))
    found: dict[str, tuple[Any, Any]] = {
        "least squares, experiments only (NumPy)": (LeastSquares(), MaximumVariance(0))
    }
    found |= {f"sozai: published rule, m = {m}": (ours, MaximumVariance(m)) for m in (1, 2, 5)}
    return found | {"sozai: by price": (ours, CostAware())}


def ends(values: np.ndarray) -> list[float | None]:
    """Median and quartiles; None where they were not reached."""
    found = np.quantile(values, (0.5, 0.25, 0.75), method="higher")
    return [float(value) if np.isfinite(value) else None for value in found]


def to_best(table: pd.DataFrame) -> pd.DataFrame:
    """Rounds, experiments, calculations and costs of every repeat; infinite where it was not found."""
    rows = []
    for _, one in table.groupby("repeat"):
        asked = one[one["round"] > 0]
        start = one.loc[one["round"] == 0, "spent"].max()
        until = asked[~asked["found"].shift(fill_value=False)]
        reached = bool(one["found"].any())
        rows.append(
            {
                "rounds": until["round"].max() if len(until) else 0,
                "experiments": (until["source"] == "experiment").sum(),
                "calculations": (until["source"] == "simulation").sum(),
                "cost": until["spent"].max() - start if len(until) else 0.0,
                "total": until["spent"].max() if len(until) else start,
            }
            if reached
            else dict.fromkeys(("rounds", "experiments", "calculations", "cost", "total"), np.inf)
        )
    return pd.DataFrame(rows).astype(float)


def main() -> None:
    made = make_sine_pair(2, 41, rng=0)
    points, exact = made.features.to_numpy(), made.truth.to_numpy()
    for words, seed in SEEDS.items():
        for name, (model, rule) in legs().items():
            begun = time.process_time()
            table = simulate_two_sources(
                TwoSourceProposer(points, model, explore=rule), exact, N_ROUNDS, N_REPEATS,
                noise=(0.03, 0.1), random_state=seed, n_jobs=1,
            )  # fmt: skip
            seconds = time.process_time() - begun
            found = to_best(table)
            own = name.startswith("sozai")
            row = {
                "task": "two-source loops", "size": words, "peer": name, "n_seeds": N_REPEATS,
                "version": version("sozai" if own else "numpy"), "peak_mb": None, "error": None,
                "success": True, "seconds": seconds / len(table["repeat"].unique()),
                "found": float(np.isfinite(found["rounds"]).mean()),
            }  # fmt: skip
            row |= {f"{column}_ends": ends(found[column].to_numpy()) for column in found}
            print(json.dumps(row), flush=True)
            print(f"{words} {name}: {seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
