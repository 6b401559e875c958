"""Evaluations until a good candidate is found: paired random starts on lists with every result known.

    python benchmarks/proposal_efficiency.py                       all campaigns without a record, peers too
    python benchmarks/proposal_efficiency.py --seeds 20 25 --legs "BoTorch, log EI"
    python benchmarks/proposal_efficiency.py --leg "PHYSBO, EI" --set s5 --seed 20            one of them

Every campaign starts with the same 10 random candidates of its seed and goes on for 30 more, parameters
learned again for each. One file a campaign in ``results/proposal_efficiency``, so that a study that was
stopped goes on where it was. ``to_top`` is the median number of evaluations, the start included, until one
of the best 1 % was found, ``to_best`` until the best (41 where it was not), ``rank`` the rank of the best
found after 40; with 90 % bootstrap intervals. ``sooner`` and ``later`` count the seeds in which a leg reached
the best 1 % sooner or later than ours, ``behind`` is by how many evaluations it was later, on average.
``held`` is the share of unseen candidates (1,000 at most) inside our 90 % intervals after 20 random ones,
mean and standard error over seeds.

Seeds 0 to 19 chose our defaults, 100 to 199 the range of the bend; these are 20 to 59.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
import proposal_sets as sets  # noqa: E402

KEPT = Path(__file__).resolve().parent / "results" / "proposal_efficiency"
SEEDS = (20, 60)
#: Leg: environment, candidates at a time.
LEGS = {
    "sozai": ("sozai", 1),
    "sozai, batches of 5": ("sozai", 5),
    "PHYSBO, EI": ("physbo", 1),
    "BoTorch, log EI": ("botorch", 1),
    "random": ("sozai", 0),
}


def campaign(leg: str, name: str, seed: int) -> dict:
    """Candidates in the order of their evaluation."""
    peer, at_once = LEGS[leg]
    X, y = sets.candidates(name)
    begun = time.process_time()
    if at_once == 0:
        told = sets.start(name, seed, sets.N_START + sets.N_MORE)
    elif peer == "physbo":
        told = sets.physbo_campaign(X, y, sets.start(name, seed), sets.N_MORE, seed)
    else:
        make = {"sozai": sets.ours, "botorch": sets.botorch}[peer]
        ask, told = make(X, y, seed), sets.start(name, seed)
        while len(told) < sets.N_START + sets.N_MORE:
            told += ask(list(told), at_once)
    seconds = time.process_time() - begun
    return {
        "leg": leg,
        "set": name,
        "seed": seed,
        "version": sets.release(peer),
        "seconds": seconds,
        "chosen": told,
    }


def kept(leg: str, name: str, seed: int) -> Path:
    return KEPT / f"{leg.replace(', ', '-').replace(' ', '-').lower()}-{name}-{seed}.json"


def measure(leg: str, name: str, seed: int) -> None:
    """One campaign in the environment of its package, unless its file is there."""
    from run import interpreter

    path = kept(leg, name, seed)
    if path.exists():
        return
    peer = LEGS[leg][0]
    if peer == "sozai":
        line = json.dumps(campaign(leg, name, seed))
    else:
        command = [str(interpreter(peer)), __file__, "--leg", leg, "--set", name, "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        line = done.stdout.strip().splitlines()[-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(line + "\n")
    os.replace(part, path)


def figures(name: str, chosen: list[int]) -> tuple[int, int, int]:
    """Evaluations to the best 1 % and to the best, and the rank of the best found."""
    rank = np.minimum.accumulate(sets.ranks(name)[chosen])
    limits = (int(np.ceil(0.01 * len(sets.ranks(name)))), 1)
    counts = [int(np.argmax(rank <= limit)) + 1 if rank[-1] <= limit else len(chosen) + 1 for limit in limits]
    return counts[0], counts[1], int(rank[-1])


def with_interval(values: np.ndarray, middle: Callable = np.median) -> list[float]:
    """Median (or mean) and the ends of its 90 % bootstrap interval."""
    rng = np.random.default_rng(0)
    drawn = middle(rng.choice(values, (2000, len(values))), axis=1)
    return [float(middle(values)), *(float(end) for end in np.quantile(drawn, (0.05, 0.95)))]


def held(name: str, seeds: range) -> list[float]:
    """Share of unseen results inside our intervals, mean and standard error."""
    from sozai.contracts.observations import Observations
    from sozai.proposals.bayesian import BayesianProposer
    from sozai.proposals.objectives import Objective

    X, y = sets.candidates(name)
    shares = []
    for seed in seeds:
        told = sets.start(name, seed, 20)
        seen = Observations.of(X, {row: y[row] for row in told}, objectives=[Objective("y")], seed=seed)
        proposer = BayesianProposer()
        proposer.propose(seen, 1)
        rest = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(y)), told))[:1000]
        found = proposer.predict(rest)
        shares.append(float(np.mean((found["low"] <= y[rest]) & (y[rest] <= found["high"]))))
    return [float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(len(shares)))]


def summary(leg: str, name: str, seeds: range) -> dict | None:
    """One row from the campaigns that there are."""
    found = {}
    for seed in seeds:
        if kept(leg, name, seed).exists():
            found[seed] = json.loads(kept(leg, name, seed).read_text())
    if not found:
        return None
    table = np.array([figures(name, record["chosen"]) for record in found.values()])
    row = {
        "task": "campaigns of 40", "size": name, "peer": leg, "n_seeds": len(found), "peak_mb": None,
        "version": next(iter(found.values()))["version"], "error": None, "success": True,
        "seconds": float(np.median([record["seconds"] for record in found.values()])),
        "to_top": with_interval(table[:, 0]), "to_best": with_interval(table[:, 1]),
        "rank": with_interval(table[:, 2]), "found_best": float(np.mean(table[:, 1] <= 40)),
    }  # fmt: skip
    ours = {
        s: json.loads(kept("sozai", name, s).read_text()) for s in found if kept("sozai", name, s).exists()
    }
    if leg == "sozai":
        row["held"] = held(name, seeds)
    elif ours:
        both = [(figures(name, found[s]["chosen"])[0], figures(name, ours[s]["chosen"])[0]) for s in ours]
        row["sooner"] = sum(theirs < own for theirs, own in both)
        row["later"] = sum(theirs > own for theirs, own in both)
        row["behind"] = with_interval(np.array([theirs - own for theirs, own in both]), np.mean)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leg", choices=tuple(LEGS))
    parser.add_argument("--set", choices=sets.SETS)
    parser.add_argument("--seed", type=int, default=SEEDS[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=SEEDS, metavar=("FIRST", "END"))
    parser.add_argument("--legs", nargs="*", default=list(LEGS), choices=tuple(LEGS))
    parser.add_argument("--report", action="store_true", help="only what has a record")
    options = parser.parse_args()
    if options.leg:
        print(json.dumps(campaign(options.leg, options.set, options.seed)))
        return
    seeds = range(*options.seeds)
    if not options.report:
        for seed in seeds:
            for leg in options.legs:
                for name in sets.SETS:
                    measure(leg, name, seed)
                    print(f"{leg} {name} {seed}", file=sys.stderr, flush=True)
    for name in sets.SETS:
        for leg in options.legs:
            row = summary(leg, name, seeds)
            if row is not None:
                print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
