"""How often a planted law comes back exactly, by the criterion that keeps it: one JSON row each.

Five laws of one to two terms over five columns, ten seeds each, forty rows, products of three with
reciprocals (about 230 candidates); ``error`` is the share of tables whose kept law has other terms.
"""

from __future__ import annotations

import json
import time
import warnings

import numpy as np
import pandas as pd

import sozai
from sozai.symbolic import SymbolicRegressor, parse_expression

LAWS = {
    "3*a*b/e + 2": {"a*b/e"},
    "a**2*b - 1": {"a**2*b"},
    "2*b - 1.5*c*d": {"b", "c*d"},
    "a/b + 2*c": {"a/b", "c"},
    "a*b*c": {"a*b*c"},
}
CRITERIA = ("ebic", "bic", "aicc", "q2")
N_SEEDS, N_ROWS, NAMES = 10, 40, list("abcde")


def table(law: str, seed: int, noise: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Columns and target with noise in units of the target's spread."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(1, 3, (N_ROWS, len(NAMES))), columns=NAMES)
    y = parse_expression(law, NAMES).evaluate(X)
    return X, y + noise * y.std() * rng.normal(size=N_ROWS)


def kept(law: SymbolicRegressor, criterion: str) -> set[str]:
    """Terms of the law that a criterion keeps from the same list."""
    if criterion == "ebic":
        return set(law.model_.terms)
    model = law.models_.simplest("q2") if criterion == "q2" else law.models_.best(criterion)
    return set(model.terms)


def main() -> None:
    warnings.simplefilter("ignore")
    SymbolicRegressor().fit(*table("a*b*c", 0, 0.0))  # compile first
    for noise in (0.0, 0.01, 0.05, 0.1):
        missed = dict.fromkeys(CRITERIA, 0)
        start = time.perf_counter()
        for text, truth in LAWS.items():
            for seed in range(N_SEEDS):
                law = SymbolicRegressor(["inverse"], max_order=3, n_best=200).fit(*table(text, seed, noise))
                for criterion in CRITERIA:
                    missed[criterion] += kept(law, criterion) != truth
        seconds = time.perf_counter() - start
        for criterion in CRITERIA:
            row = {
                "task": "planted laws missed",
                "size": f"noise {noise:.0%}",
                "peer": "sozai" if criterion == "ebic" else f"criterion {criterion}",
                "version": sozai.__version__,
                "seconds": round(seconds, 2) if criterion == "ebic" else None,
                "peak_mb": None,
                "error": missed[criterion] / (len(LAWS) * N_SEEDS),
                "success": True,
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
