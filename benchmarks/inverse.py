"""One leg of the way back: 35,463 kernel mean descriptors to fractions, as computed or with noise.

    python benchmarks/inverse.py --peer sozai --size noise-free-35463 --seed 0

Needs SOZAI_DATA. One thread; processor time, medians of three to nine passes. Ours gets all rows;
*quadprog* every 50th (710 rows, *scaled up*) in two ways: as in the published program, the Gram matrix once
and then one call of qpsolvers with quadprog a row, rounded to 12 digits and normalized; and quadprog itself
with the inverse triangle of the Gram matrix made once. ``error`` is the distance Σ|Δw| from the true
fractions: largest of all rows without noise, mean with noise (0.01 on every entry). ``difference`` is the
largest |Δw| between the legs of a record on the common rows, ``kkt_residual`` the largest violation of the
optimality conditions.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from importlib.metadata import version

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import difference, element_features, kernel_matrix, peak_mb, stable_formulas, timed  # noqa: E402

NOISES = {"noise-free-35463": 0.0, "noise-0.01-35463": 0.01}
STEP = 50


def add_noise(phi: np.ndarray, rows: range, noise: float, seed: int) -> np.ndarray:
    """Each row has a generator of its own, so that a part of the rows gets the same noise as the whole."""
    if noise:
        for place, row in enumerate(rows):
            phi[place] += noise * np.random.default_rng([seed, row]).standard_normal(phi.shape[1])
    return phi


def distances(found: np.ndarray, truth: np.ndarray, noise: float) -> float:
    """Σ|Δw|: mean of the rows under noise, else the largest."""
    each = np.abs(found - truth).sum(axis=1)
    return float(each.mean() if noise else each.max())


def ours(noise: float, seed: int):
    from sozai.composition import KernelMeanDescriptor, parse_formulas

    descriptor = KernelMeanDescriptor("published").fit()
    truth = parse_formulas(stable_formulas(), components=descriptor.components_).dense()
    phi = add_noise(descriptor.transform(truth), range(len(truth)), noise, seed)
    descriptor.inverse_transform(phi[:200])
    seconds, found = timed(lambda: descriptor.inverse_transform(phi))
    more = {"kkt_residual": float(found.kkt_residual.max()), "unique": bool(found.unique.all())}
    return [("sozai", seconds, found.fractions, truth, more)]


def quadprog_legs(noise: float, seed: int):
    import quadprog
    from pymatgen.core import Composition
    from qpsolvers import solve_qp

    symbols, features = element_features()
    kernels, texts = kernel_matrix(features), stable_formulas()
    rows = range(0, len(texts), STEP)
    truth = np.zeros((len(rows), len(symbols)))
    for place, row in enumerate(rows):
        composition = Composition(texts[row])
        for element, amount in composition.items():
            truth[place, symbols.index(element.symbol)] = amount / composition.num_atoms
    phi = add_noise(truth @ kernels, rows, noise, seed)
    ones, m = np.ones(len(symbols)), len(symbols)

    def one_call_a_row():
        gram = kernels @ kernels.T
        below, zero, whole = np.diag(-ones), np.zeros(m), np.array([1.0])
        found = np.array(
            [solve_qp(gram, -(kernels @ row), below, zero, ones, whole, solver="quadprog") for row in phi]
        )
        found = np.round(np.abs(found), 12)
        return found / found.sum(axis=1, keepdims=True)

    def factorized_once():
        inverse = np.linalg.inv(np.linalg.cholesky(kernels @ kernels.T)).T
        bounds = np.column_stack([ones, np.eye(m)])
        limits = np.append(1.0, np.zeros(m))
        linear = phi @ kernels.T
        found = [quadprog.solve_qp(inverse, row, bounds, limits, 1, factorized=True)[0] for row in linear]
        return np.array(found)

    scale = len(texts) / len(rows)
    legs = []
    for name, route in (
        ("one quadprog call a row, as published", one_call_a_row),
        ("quadprog, Gram matrix factorized once", factorized_once),
    ):
        seconds, found = timed(route)
        legs.append((name, scale * seconds, found, truth, {"extrapolated": True, "n_timed": len(rows)}))
    return legs


def leg(peer: str, size: str, seed: int) -> list[dict]:
    noise, rows = NOISES[size], []
    for name, seconds, found, truth, more in (ours if peer == "sozai" else quadprog_legs)(noise, seed):
        common = found[::STEP] if peer == "sozai" else found
        apart = difference(size, peer == "sozai", common)
        right = apart is None or apart <= 1e-7
        if peer == "sozai":
            right = right and more["kkt_residual"] <= 1e-10
        rows.append(
            {
                "task": "inverse",
                "size": size,
                "peer": name,
                "version": version(peer),
                "repeat": seed,
                "seconds": seconds,
                "peak_mb": None if peer != "sozai" else peak_mb(),
                "error": distances(found, truth, noise),
                "difference": apart,
                "success": bool(right),
                **more,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=("sozai", "quadprog"), default="sozai")
    parser.add_argument("--size", choices=tuple(NOISES), default="noise-free-35463")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for row in leg(options.peer, options.size, options.seed):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
