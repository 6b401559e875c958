"""Area that a front covers after 20 and 40 evaluations of two objectives: paired random starts.

    python benchmarks/proposal_fronts.py                       all campaigns without a record, peers too
    python benchmarks/proposal_fronts.py --leg "PHYSBO, HVPI" --set zdt3 --seed 3            one of them

Ten random candidates, the same for every leg, and 30 more, parameters learned again for each. Lists:
*circle*, 400 candidates with three descriptors, front on the unit circle; *zdt3*, 500 candidates with four,
whose front has gaps [1]_; *p3ht*, 178 measured films, high conductivity and little P3HT. ``area_20`` and
``area_40`` are the medians over seeds of the covered share of the area that all candidates cover above the
worst values, with 90 % bootstrap intervals; ``below`` and ``above`` count the seeds in which a leg covers
less or more than ours after 40. ``seconds`` is the processor time of one campaign. One file a campaign in
``results/proposal_fronts``, so that a study that was stopped goes on where it was.

.. [1] E. Zitzler, K. Deb, L. Thiele, Evol. Comput. 8, 173 (2000).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
import proposal_sets as sets  # noqa: E402

KEPT = Path(__file__).resolve().parent / "results" / "proposal_fronts"
SETS, SEEDS = ("circle", "zdt3", "p3ht"), (0, 10)
N_START, N_MORE = 10, 30
#: Leg: environment, and the name of the score there.
LEGS = {
    "sozai": ("sozai", None),
    "sozai, HVPI": ("sozai", "hvpi"),
    "sozai, ParEGO": ("sozai", "parego"),
    "PHYSBO, HVPI": ("physbo", "HVPI"),
    "PHYSBO, EHVI": ("physbo", "EHVI"),
    "random": ("sozai", "random"),
}


def candidates(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors and two results, large ones good."""
    rng = np.random.default_rng(7)
    if name == "p3ht":
        X, y = sets.candidates("p3ht")
        return X, np.column_stack([y, -X[:, 0]])
    if name == "circle":
        X = rng.random((400, 3))
        X[::10, 1:] = 0.5
        radius = 1.0 - 4.0 * ((X[:, 1:] - 0.5) ** 2).mean(axis=1)
        angle = 0.5 * np.pi * X[:, 0]
        return X, np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    X = rng.random((500, 4))
    X[::10, 1:] = 0.0
    g = 1.0 + 3.0 * X[:, 1:].mean(axis=1)
    share = X[:, 0] / g
    return X, -np.column_stack([X[:, 0], g * (1.0 - np.sqrt(share) - share * np.sin(10.0 * np.pi * X[:, 0]))])


def area(Y: np.ndarray, worst: np.ndarray) -> float:
    """Area that points cover above the worst values."""
    steps = Y[np.argsort(-Y[:, 0])] - worst
    height = np.maximum.accumulate(np.maximum(steps[:, 1], 0.0))
    rise = np.diff(height, prepend=0.0)
    return float((np.maximum(steps[:, 0], 0.0) * rise).sum())


def campaign(leg: str, name: str, seed: int) -> dict:
    """Candidates in the order of their evaluation."""
    peer, score = LEGS[leg]
    X, Y = candidates(name)
    told = np.random.default_rng(1000 + seed).permutation(len(X))[: N_START + N_MORE].tolist()
    begun = time.process_time()
    if score != "random":
        told = {"sozai": ours, "physbo": physbo}[peer](X, Y, told[:N_START], score, seed)
    seconds = time.process_time() - begun
    stem = {"leg": leg, "set": name, "seed": seed, "version": sets.release(peer)}
    return stem | {"seconds": seconds, "chosen": told}


def ours(X: np.ndarray, Y: np.ndarray, told: list[int], score: str | None, seed: int) -> list[int]:
    from sozai.contracts.observations import Observations
    from sozai.proposals.bayesian import BayesianProposer
    from sozai.proposals.objectives import Objective

    proposer, goals = BayesianProposer(score), [Objective("a"), Objective("b")]
    told = list(told)
    for _ in range(N_MORE):
        seen = Observations.of(X, {k: Y[k] for k in told}, objectives=goals, seed=1000 * seed + len(told))
        told.append(proposer.propose(seen, 1)[0].row)
    return told


def physbo(X: np.ndarray, Y: np.ndarray, told: list[int], score: str, seed: int) -> list[int]:
    """As its tutorial of several objectives: centered descriptors, parameters learned for every candidate."""
    import physbo as package

    centered = package.misc.centering(X)
    policy = package.search.discrete_multi.Policy(
        test_X=centered, num_objectives=2, initial_data=(told, Y[told])
    )
    policy.set_seed(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        policy.bayes_search(
            max_num_probes=N_MORE, simulator=lambda rows: Y[rows], score=score, interval=1, num_rand_basis=0
        )
    return [int(row) for row in np.ravel(policy.history.chosen_actions[: N_START + N_MORE])]


def kept(leg: str, name: str, seed: int) -> Path:
    return KEPT / f"{leg.replace(', ', '-').lower()}-{name}-{seed}.json"


def measure(leg: str, name: str, seed: int) -> None:
    """One campaign in the environment of its package, unless its file is there."""
    from run import interpreter

    path = kept(leg, name, seed)
    if path.exists():
        return
    if LEGS[leg][0] == "sozai":
        line = json.dumps(campaign(leg, name, seed))
    else:
        python = str(interpreter(LEGS[leg][0]))
        command = [python, __file__, "--leg", leg, "--set", name, "--seed", str(seed)]
        line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(line + "\n")
    os.replace(part, path)


def shares(name: str, chosen: list[int]) -> tuple[float, float]:
    """Covered share after 20 and after 40."""
    Y = candidates(name)[1]
    worst = Y.min(axis=0)
    return tuple(area(Y[chosen[:n]], worst) / area(Y, worst) for n in (20, 40))


def summary(leg: str, name: str, seeds: range) -> dict | None:
    """One row from the campaigns that there are."""
    from proposal_efficiency import with_interval

    found = {s: json.loads(kept(leg, name, s).read_text()) for s in seeds if kept(leg, name, s).exists()}
    if not found:
        return None
    table = np.array([shares(name, record["chosen"]) for record in found.values()])
    row = {
        "task": "two objectives, campaigns of 40", "size": name, "peer": leg, "n_seeds": len(found),
        "version": next(iter(found.values()))["version"], "error": None, "success": True, "peak_mb": None,
        "seconds": float(np.median([record["seconds"] for record in found.values()])),
        "area_20": with_interval(table[:, 0]), "area_40": with_interval(table[:, 1]),
    }  # fmt: skip
    own = {s: shares(name, json.loads(kept("sozai", name, s).read_text())["chosen"])[1] for s in found}
    if leg != "sozai":
        theirs = {s: shares(name, record["chosen"])[1] for s, record in found.items()}
        row["below"] = sum(theirs[s] < own[s] - 1e-12 for s in found)
        row["above"] = sum(theirs[s] > own[s] + 1e-12 for s in found)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leg", choices=tuple(LEGS))
    parser.add_argument("--set", choices=SETS)
    parser.add_argument("--seed", type=int, default=SEEDS[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=SEEDS, metavar=("FIRST", "END"))
    parser.add_argument("--legs", nargs="*", default=list(LEGS), choices=tuple(LEGS))
    parser.add_argument("--report", action="store_true", help="only what has a record")
    options = parser.parse_args()
    if options.leg:
        print(json.dumps(campaign(options.leg, options.set, options.seed)))
        return
    seeds = range(*options.seeds)
    for seed in () if options.report else seeds:
        for leg in options.legs:
            for name in SETS:
                measure(leg, name, seed)
                print(f"{leg} {name} {seed}", file=sys.stderr, flush=True)
    for name in SETS:
        for leg in options.legs:
            row = summary(leg, name, seeds)
            if row is not None:
                print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
