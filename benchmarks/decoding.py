"""Formulas behind noisy kernel mean descriptors: how often the right one comes first.

    SOZAI_DATA=FOLDER uv run python benchmarks/decoding.py

Three draws of 600 of the stable formulas with at most 20 atoms; noise of one standard deviation on every of
the 580 entries. The decoder is told nothing but its default limits (5 elements, 40 atoms; formulas of more
elements are not drawn). ``error`` is the share of formulas where the first answer is not the right one, or
has other elements; the peer takes every element that has at least 1/40 in the convex optimum. ``seconds``
is the time of one formula.
"""

from __future__ import annotations

import json
import os
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import peak_mb, stable_formulas  # noqa: E402

import sozai  # noqa: E402
from sozai.composition import KernelMeanDescriptor, parse_formulas  # noqa: E402

SEEDS, N_FORMULAS, MOST_ATOMS, MOST_ELEMENTS = range(3), 600, 20, 5
REQUIRED = {("exact formula first", 1e-3): 0.05, ("elements of the first", 1e-2): 0.03}
SMALLEST = 1 / 40
CONVEX = "elements of the convex optimum"


def draw(descriptor, parsed, seed: int, noise: float):
    """Fractions of some formulas, and their descriptors with noise."""
    rng = np.random.default_rng(seed)
    few = np.diff(parsed.fractions.indptr) <= MOST_ELEMENTS
    usable = np.flatnonzero((parsed.n_atoms <= MOST_ATOMS) & few)
    chosen = np.sort(rng.choice(usable, N_FORMULAS, replace=False))
    truth = parsed.fractions[chosen].toarray()
    phi = descriptor.transform(truth)
    return truth, phi + noise * rng.standard_normal(phi.shape)


def compare(descriptor, parsed, noise: float):
    """Shares of formulas that come first, and seconds for one."""
    exact, same, convex, seconds = [], [], [], []
    place = {name: k for k, name in enumerate(descriptor.components_)}
    descriptor.decode(draw(descriptor, parsed, 99, noise)[1][:2])
    for seed in SEEDS:
        truth, phi = draw(descriptor, parsed, seed, noise)
        start = time.perf_counter()
        answers = descriptor.decode(phi)
        seconds.append((time.perf_counter() - start) / len(phi))
        first = np.zeros_like(truth)
        for row, found in enumerate(answers):
            for name, share in found[0].fractions.items():
                first[row, place[name]] = share
        exact += (np.abs(first - truth).max(axis=1) < 1e-12).tolist()
        same += ((first > 0) == (truth > 0)).all(axis=1).tolist()
        optimum = descriptor.inverse_transform(phi).fractions
        convex += ((optimum >= SMALLEST) == (truth > 0)).all(axis=1).tolist()
    return {"exact formula first": exact, "elements of the first": same, CONVEX: convex}, np.median(seconds)


def main() -> None:
    warnings.simplefilter("ignore")
    descriptor = KernelMeanDescriptor("published").fit()
    parsed = parse_formulas(stable_formulas(), components=descriptor.components_)
    for noise in (1e-3, 1e-2):
        hits, seconds = compare(descriptor, parsed, noise)
        for task, right in hits.items():
            error = 1.0 - float(np.mean(right))
            ours = task != CONVEX
            row = {
                "task": task if ours else "elements of the first",
                "size": f"{len(right):,} formulas, noise {noise:g}",
                "peer": "sozai" if ours else CONVEX,
                "version": sozai.__version__,
                "seconds": float(seconds) if ours else None,
                "peak_mb": peak_mb() if ours else None,
                "error": error,
                "success": error <= REQUIRED.get((task, noise), 1.0),
            }
            print(json.dumps(row))


if __name__ == "__main__":
    main()
