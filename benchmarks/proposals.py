"""Time and memory of one proposal from 17,982 candidates, with and without learning the parameters again.

    python benchmarks/proposals.py --peer sozai --size s5-17982
    python benchmarks/proposals.py                                     a million candidates, ours alone

The list of compositions with three descriptors (``s5-210.csv``), 20 results. *Fit and propose*: from the
results to one candidate, everything learned anew. *Propose*: parameters as learned before; one result more
than then. *Batch of 8*: fit included. One thread, processor time, after one unmeasured call.

*Tell and ask*: a million candidates with eight descriptors, 100 to 105 results, parameters as learned
before; ``passes`` is that time in units of one weighted pass over the stored cross-covariance.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
import proposal_sets as sets  # noqa: E402
from legs import peak_mb, timed  # noqa: E402

SIZES = ("s5-17982", "random-1000000")
N_TOLD, N_BATCH = 20, 8


def row(task: str, peer: str, release: str, seconds: float, **more) -> dict:
    stem = {"task": task, "size": "17,982 candidates", "peer": peer, "version": release, "seconds": seconds}
    return stem | {"peak_mb": peak_mb(), "error": None, "success": True} | more


def our_legs(X, y, told, seed):
    ask, release = sets.ours(X, y, seed), sets.release("sozai")
    yield row("fit and propose", "sozai", release, timed(lambda: ask(told))[0])
    kept = sets.ours(X, y, seed, refit=10**6)
    kept(told)
    more = iter(np.random.default_rng(seed).permutation(len(y))[:200].tolist())
    known = list(told)

    def tell_and_ask():
        known.append(next(row for row in more if row not in known))
        return kept(known)

    yield row("propose", "sozai", release, timed(tell_and_ask, least=5, most=9)[0])
    yield row(f"batch of {N_BATCH}", "sozai", release, timed(lambda: ask(told, N_BATCH))[0])


def physbo_legs(X, y, told, seed):
    release = sets.release("physbo")
    for name, basis in (("PHYSBO, Gaussian process", 0), ("PHYSBO, 5000 random features", 5000)):
        ask = sets.physbo(X, y, seed, n_basis=basis)
        yield row("fit and propose", name, release, timed(lambda ask=ask: ask(told), least=1, most=5)[0])
        policy = ask.policy_of(told)
        ask.learned(policy, 1, 0)
        again = timed(lambda ask=ask, policy=policy: ask.learned(policy, 1, -1), least=1)[0]
        yield row("propose", name, release, again)
        if not basis:
            batch = timed(lambda ask=ask: ask(told, N_BATCH), least=1, most=3)[0]
            yield row(f"batch of {N_BATCH}", name, release, batch)


def nimo_legs(X, y, told, seed):
    ask = sets.nimo(X, y, seed)
    ask.write(told)
    yield row(
        "fit and propose", "NIMO, files included", sets.release("nimo"), timed(lambda: ask(told), most=5)[0]
    )


def botorch_legs(X, y, told, seed):
    warnings.simplefilter("ignore")
    ask, name, release = sets.botorch(X, y, seed), "BoTorch, log EI", sets.release("botorch")
    ask(told)
    yield row("fit and propose", name, release, timed(lambda: ask(told))[0])
    model = ask.fit(told)
    more = sets.start("s5", seed, N_TOLD + 1)
    yield row("propose", name, release, timed(lambda: ask.choose(ask.fit(more, model), more, 1))[0])
    yield row(f"batch of {N_BATCH}", name, release, timed(lambda: ask(told, N_BATCH), least=1, most=3)[0])


def skopt_legs(X, y, told, seed):
    ask = sets.skopt(X, y, seed)
    yield row("fit and propose", "scikit-optimize, EI", sets.release("skopt"), timed(lambda: ask(told))[0])


LEGS = {
    "sozai": our_legs,
    "physbo": physbo_legs,
    "nimo": nimo_legs,
    "botorch": botorch_legs,
    "skopt": skopt_legs,
}


def a_million(seed: int) -> dict:
    """Our leg on random candidates."""
    from sozai.numerics.pool_kernels import subtract_rows

    rng = np.random.default_rng(seed)
    X = rng.random((10**6, 8))
    y = np.sin(3 * X).sum(axis=1)
    order = rng.permutation(len(X)).tolist()
    from sozai.contracts.observations import Observations
    from sozai.proposals.bayesian import BayesianProposer
    from sozai.proposals.objectives import Objective

    proposer, goal = BayesianProposer(refit=10**6), [Objective("y")]
    n_told = iter(range(100, 200))

    def tell_and_ask():
        told = order[: next(n_told)]
        return proposer.propose(Observations.of(X, {k: y[k] for k in told}, objectives=goal), 1)

    tell_and_ask()
    seconds, _ = timed(tell_and_ask, least=5, most=5)
    V = proposer.posterior_._chunks[0]
    out, weights = np.zeros(len(X)), np.ones(len(V))
    one_pass, _ = timed(lambda: subtract_rows(V, weights, out))
    found = row("tell and ask", "sozai", sets.release("sozai"), seconds, passes=seconds / one_pass)
    return found | {"size": "1,000,000 candidates", "whole_mb": peak_mb(), "success": seconds < 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=tuple(LEGS), default="sozai")
    parser.add_argument("--size", choices=SIZES, default=SIZES[1])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.size == SIZES[1]:
        print(json.dumps(a_million(options.seed)), flush=True)
        return
    X, y = sets.candidates("s5")
    told = sets.start("s5", options.seed, N_TOLD)
    for found in LEGS[options.peer](X, y, told, options.seed):
        print(json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
