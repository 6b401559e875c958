"""How often a planted law comes back from a large search, by noise: one JSON row each.

    python benchmarks/large_recovery.py

Sixty rows, six columns, operations ``+ - * /`` and the square; formulas nested two deep (about 10^5) for all
noises, three deep (about 10^7) without noise and with a hundredth. A law counts as found when it has as many
terms as the planted one and every planted term has its copy among them (correlation above 1 - 1e-9 on a
thousand new rows). ``error`` is the share of tables whose kept law is another one.
"""

from __future__ import annotations

import json
import time
import warnings

import numpy as np
import pandas as pd

import sozai
from sozai.symbolic import SymbolicRegressor, parse_expression
from sozai.symbolic.screening import ScreenThenL0

NAMES = list("abcdef")
N_SEEDS, N_ROWS = 10, 60
OPERATIONS, PAIRS = ["square"], ["sum", "difference", "product", "ratio"]
TWO_DEEP = {
    "one term": (("a*b/(c + d)",), ("(a - b)/c**2",), ("(a + b)*(c - d)",), ("(a*b)**2",)),
    "two terms": (("a*b", "c/d"), ("(a - b)**2", "c*d"), ("a/(b + c)", "d**2"), ("a*b/c", "e - f")),
}
THREE_DEEP = {
    "one term": (
        ("a/(b + (c + d))",),
        ("(a + b)**2/(c*d + e)",),
        ("a*b*(c - d)**2",),
        ("(a*b + c*d)/(e + f)",),
    ),
    "two terms": (("a*b/(c + d)", "e*f"), ("(a - b)/c**2", "d*e")),
}
WEIGHTS = (2.0, -1.5)


def table(terms: tuple[str, ...], seed: int, noise: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Columns and target; terms of equal spread, noise in units of the target's spread."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(1, 3, (N_ROWS, len(NAMES))), columns=NAMES)
    values = [parse_expression(term, NAMES).evaluate(X) for term in terms]
    y = 1.0 + sum(weight * part / part.std() for weight, part in zip(WEIGHTS, values, strict=False))
    return X, y + noise * y.std() * rng.normal(size=N_ROWS)


def is_found(law: SymbolicRegressor, terms: tuple[str, ...]) -> bool:
    """Whether the kept law has the planted terms, each in whatever form, and no others."""
    if law.model_.n_terms != len(terms):
        return False
    X = pd.DataFrame(np.random.default_rng(99).uniform(1, 3, (1000, len(NAMES))), columns=NAMES)
    kept = [parse_expression(term, NAMES).evaluate(X) for term in law.model_.terms]
    planted = [parse_expression(term, NAMES).evaluate(X) for term in terms]
    return all(any(abs(np.corrcoef(one, other)[0, 1]) > 1 - 1e-9 for other in kept) for one in planted)


def missed(terms: tuple[str, ...], rung: int, noise: float, max_candidates: float) -> tuple[int, int]:
    """Seeds whose kept law is another one, and the number of candidates."""
    wrong = 0
    for seed in range(N_SEEDS):
        search = ScreenThenL0(max_terms=3, max_candidates=max_candidates, n_jobs=2)
        law = SymbolicRegressor(OPERATIONS, PAIRS, max_rung=rung, search=search)
        law.fit(*table(terms, seed, noise))
        wrong += not is_found(law, terms)
    return wrong, law.n_candidates_


def main() -> None:
    warnings.simplefilter("ignore")
    missed(("a*b",), 1, 0.0, 1e6)  # compile first
    for rung, laws, noises, most in (
        (2, TWO_DEEP, (0.0, 0.01, 0.05, 0.1), 1e9),
        (3, THREE_DEEP, (0.0, 0.01), 3e7),
    ):
        for noise in noises:
            for kind, planted in laws.items():
                start = time.perf_counter()
                counts = [missed(terms, rung, noise, most) for terms in planted]
                row = {
                    "task": f"planted laws of {kind} missed among {counts[0][1]:,} formulas",
                    "size": f"noise {noise:.0%}",
                    "peer": "sozai",
                    "version": sozai.__version__,
                    "seconds": round(time.perf_counter() - start, 1),
                    "peak_mb": None,
                    "error": sum(wrong for wrong, _ in counts) / (len(planted) * N_SEEDS),
                    "success": True,
                }
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
