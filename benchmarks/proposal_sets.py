"""Candidate lists with every result known, and how every leg of the proposal benchmarks uses them.

Imports NumPy only, because it is read in the environment of every peer.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import warnings
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

SETS = ("s5", "barrel", "al", "p3ht")
FILES = {
    "s5": "s5-210.csv",
    "barrel": "Crossed_barrel_dataset.csv",
    "al": "nimo_al-si-zn_352.csv",
    "p3ht": "P3HT_dataset.csv",
}
SMALL_IS_GOOD = ("s5", "al")
N_START, N_MORE = 10, 30


@lru_cache
def candidates(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors and results, large ones good; equal rows become one with their mean."""
    folder = os.environ.get("SOZAI_DATA")
    if not folder:
        raise SystemExit(f"SOZAI_DATA must name the folder that holds proposals/{FILES[name]}. Set it.")
    with (Path(folder) / "proposals" / FILES[name]).open(encoding="utf-8-sig") as file:
        rows = np.array(list(csv.reader(file))[1:], dtype=np.float64)
    n_columns = 3 if name in SMALL_IS_GOOD else rows.shape[1] - 1
    X, y = rows[:, :n_columns], rows[:, n_columns]
    if name in SMALL_IS_GOOD:
        return X, -y
    distinct, which = np.unique(X, axis=0, return_inverse=True)
    which = which.ravel()
    return distinct, np.bincount(which, weights=y) / np.bincount(which)


def start(name: str, seed: int, n: int = N_START) -> list[int]:
    """Random candidates, the same for every leg; fewer are the first of more."""
    return np.random.default_rng(1000 + seed).permutation(len(candidates(name)[1]))[:n].tolist()


def ranks(name: str) -> np.ndarray:
    """Rank of every candidate, 1 for the best."""
    results = candidates(name)[1]
    return np.searchsorted(np.sort(-results), -results) + 1


# --- one question to each package: a function (rows told, n wanted) -> rows -----------------------------


def ours(X: np.ndarray, y: np.ndarray, seed: int, **options) -> Callable:
    from sozai.contracts.observations import Observations
    from sozai.proposals.bayesian import BayesianProposer
    from sozai.proposals.objectives import Objective

    proposer, goal = BayesianProposer(**options), [Objective("y")]

    def ask(told: list[int], n: int = 1) -> list[int]:
        seen = Observations.of(X, {k: y[k] for k in told}, objectives=goal, seed=seed)
        return [choice.row for choice in proposer.propose(seen, n)]

    return ask


def physbo(X: np.ndarray, y: np.ndarray, seed: int, *, score: str = "EI", n_basis: int = 0) -> Callable:
    """As its tutorials: centered descriptors; a Gaussian process, or that many random features."""
    import physbo as package

    centered = package.misc.centering(X)

    def policy_of(told: list[int]):
        policy = package.search.discrete.Policy(test_X=centered, initial_data=(told, y[told]))
        policy.set_seed(seed)
        return policy

    def learned(policy, n: int, interval: int) -> list[int]:
        with contextlib.redirect_stdout(io.StringIO()):
            found = policy.bayes_search(
                max_num_probes=1, num_search_each_probe=n, simulator=None, score=score, interval=interval,
                num_rand_basis=n_basis, is_disp=False,
            )  # fmt: skip
        return [int(row) for row in found]

    def ask(told: list[int], n: int = 1) -> list[int]:
        return learned(policy_of(told), n, 0)

    ask.policy_of, ask.learned = policy_of, learned
    return ask


def physbo_campaign(X: np.ndarray, y: np.ndarray, told: list[int], n_more: int, seed: int) -> list[int]:
    """One policy through the whole campaign, parameters learned again for every candidate."""
    import physbo as package

    policy = package.search.discrete.Policy(test_X=package.misc.centering(X), initial_data=(told, y[told]))
    policy.set_seed(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        policy.bayes_search(
            max_num_probes=n_more, simulator=lambda rows: y[rows], score="EI", interval=1, num_rand_basis=0
        )
    chosen = np.ravel(policy.history.chosen_actions[: len(told) + n_more])
    return [int(row) for row in chosen]


def nimo(X: np.ndarray, y: np.ndarray, seed: int) -> Callable:
    """Its selection by Bayesian optimization, from file to file (written before the clock starts)."""
    import tempfile

    import nimo as package

    folder = Path(tempfile.mkdtemp())

    def write(told: list[int]) -> None:
        known = set(told)
        with (folder / "candidates.csv").open("w") as file:
            file.write(",".join([f"x{j}" for j in range(X.shape[1])] + ["y"]) + "\n")
            for k, row in enumerate(X):
                file.write(
                    ",".join(map(repr, row.tolist())) + "," + (repr(float(y[k])) if k in known else "") + "\n"
                )

    def ask(told: list[int], n: int = 1) -> list[int]:
        with contextlib.redirect_stdout(io.StringIO()):
            package.selection(
                method="PHYSBO", input_file=str(folder / "candidates.csv"),
                output_file=str(folder / "proposals.csv"), num_objectives=1, num_proposals=n,
                physbo_score="EI",
            )  # fmt: skip
        with (folder / "proposals.csv").open() as file:
            return [int(float(row[0])) for row in list(csv.reader(file))[1:]]

    ask.write = write
    return ask


def botorch(X: np.ndarray, y: np.ndarray, seed: int) -> Callable:
    """Its default process, unit cube and standardized results, log EI over the list."""
    import torch
    from botorch.acquisition import LogExpectedImprovement, qLogExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Normalize, Standardize
    from botorch.optim import optimize_acqf_discrete
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.set_num_threads(1)
    pool = torch.as_tensor(X, dtype=torch.float64)
    values = torch.as_tensor(y, dtype=torch.float64)[:, None]
    ends = torch.stack([pool.min(dim=0).values, pool.max(dim=0).values])

    def fit(told: list[int], model=None):
        torch.manual_seed(seed)
        made = SingleTaskGP(
            pool[told], values[told], input_transform=Normalize(X.shape[1], bounds=ends),
            outcome_transform=Standardize(1),
        )  # fmt: skip
        if model is None:
            fit_gpytorch_mll(ExactMarginalLogLikelihood(made.likelihood, made))
        else:
            made.load_state_dict(model.state_dict())
        return made.eval()

    def choose(model, told: list[int], n: int) -> list[int]:
        best = values[told].max()
        score = LogExpectedImprovement(model, best) if n == 1 else qLogExpectedImprovement(model, best)
        open_rows = np.setdiff1d(np.arange(len(X)), told)
        found, _ = optimize_acqf_discrete(score, q=n, choices=pool[open_rows], max_batch_size=2048)
        distance = ((pool[open_rows][:, None] - found[None]) ** 2).sum(dim=2)
        return open_rows[distance.argmin(dim=0).numpy()].tolist()

    def ask(told: list[int], n: int = 1) -> list[int]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return choose(fit(told), told, n)

    ask.fit, ask.choose = fit, choose
    return ask


def skopt(X: np.ndarray, y: np.ndarray, seed: int) -> Callable:
    """Its process for ``gp_minimize`` and its EI, over the list (its own optimizer knows boxes only)."""
    from skopt.acquisition import gaussian_ei
    from skopt.space import Space
    from skopt.utils import cook_estimator

    low, high = X.min(axis=0), X.max(axis=0)
    Z = (X - low) / (high - low)

    def ask(told: list[int], n: int = 1) -> list[int]:
        space = Space([(0.0, 1.0)] * X.shape[1])
        process = cook_estimator("GP", space=space, random_state=seed, noise="gaussian")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            process.fit(Z[told], -y[told])
            score = gaussian_ei(Z, process, y_opt=float((-y[told]).min()))
        score[told] = -np.inf
        return [int(np.argmax(score))]

    return ask


PACKAGES = {
    "sozai": "sozai",
    "physbo": "physbo",
    "botorch": "botorch",
    "nimo": "nimo",
    "skopt": "scikit-optimize",
}


def release(peer: str) -> str:
    return version(PACKAGES[peer])
