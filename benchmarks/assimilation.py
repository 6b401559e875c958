"""The experiment where nothing was measured: ours, least squares, ridges, processes and co-kriging.

    python benchmarks/assimilation.py

*Extrapolation*: ten calculations of a cubic on [0, 1] and five measurements on [0, 0.5], 1.5 lower
(``make_assimilation_demo``, seeds 100 to 199, of which SMT does the first 20); error and bands on [0.5, 1],
where the curve ranges over 2.52. Every leg may use terms up to the third degree.

*Magnet*: 300 calculations over compositions and temperatures, 30 measurements in a corner
(``make_magnet_pair``, seeds 100 to 129, of which the two-level process does the first 5); error and bands
at 1,000 other points of the whole space, and the temperature at which cobalt begins to help (planted: 320 K).

``rmse`` is median and quartiles over the seeds, ``coverage`` the share of the true function inside 90 %
bands, ``times`` the median over that of our learned pattern on the same seeds, ``patterns`` how often which
terms of the difference were kept, ``crossing`` the median error in K (null where most have
no such temperature) and the share of seeds within 10 K.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from assimilation_peers import HERE, SMT, Band, own  # noqa: E402

from sozai.assimilation import (  # noqa: E402
    CompositionPolynomial,
    GaussianAssimilator,
    TemperaturePolynomial,
    TensorProduct,
)
from sozai.datasets import make_assimilation_demo, make_magnet_pair  # noqa: E402

DEMOS, N_SMT = range(100, 200), 20
MAGNETS, N_SLOW = range(100, 130), 5
LEARNED = "sozai"
DEMO_LEGS: dict[str, dict[str, Any]] = {
    LEARNED: {},
    "sozai: C held at 1": {"coupling": 1.0},
    "sozai: C integrated over": {"coupling": "average"},
    "sozai: average over patterns": {"restricted": "average"},
    "sozai: all sets of terms": {"pattern": "all"},
    "sozai: nothing restricted": {"restricted": "none"},
}


class Leg:
    """Errors of one way over the seeds."""

    def __init__(self, name: str, release: str) -> None:
        self.name, self.release = name, release
        self.errors: list[float] = []
        self.inside: list[float] = []
        self.seconds: list[float] = []
        self.kept: Counter[str] = Counter()
        self.crossings: list[float] = []

    def add(self, mean: np.ndarray, std: np.ndarray | None, truth: np.ndarray, seconds: float) -> None:
        self.errors.append(float(np.sqrt(np.mean((mean - truth) ** 2))))
        if std is not None:
            self.inside.append(float(np.mean(np.abs(mean - truth) <= 1.6449 * std)))
        self.seconds.append(seconds)

    def row(self, task: str, size: str, reference: Leg) -> dict:
        n = len(self.errors)
        found = {
            "task": task, "size": size, "peer": self.name, "version": self.release, "n_seeds": n,
            "seconds": float(np.median(self.seconds)), "peak_mb": None, "error": None, "success": True,
            "rmse_ends": [float(np.quantile(self.errors, q)) for q in (0.5, 0.25, 0.75)],
            "times": float(np.median(self.errors) / np.median(reference.errors[:n])),
        }  # fmt: skip
        if self.inside:
            found["coverage"] = float(np.mean(self.inside))
        if self.kept:
            found["patterns"] = dict(self.kept.most_common())
        if self.crossings:
            off = np.nan_to_num(np.abs(self.crossings), nan=np.inf)
            middle = float(np.median(off))
            found["crossing"] = [middle if np.isfinite(middle) else None, float(np.mean(off <= 10.0))]
        return found


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    found = work()
    return found, time.process_time() - begun


def extrapolation() -> Iterator[dict]:
    """The demonstration."""
    made = [make_assimilation_demo(rng=seed) for seed in DEMOS]
    tables = [(one.features.to_numpy(), one.sources.to_numpy()) for one in made]
    domain, new = np.array([[0.0, 1.0]]), np.linspace(0.5, 1.0, 101)[:, None]
    truth = made[0].exact(new)[:, 1]
    legs = [Leg(name, version("sozai")) for name in DEMO_LEGS]
    for leg in legs:
        for X, Y in tables:
            model = GaussianAssimilator("polynomial:3", domain=domain, **DEMO_LEGS[leg.name])
            (mean, std), seconds = timed(lambda m=model, X=X, Y=Y: m.fit(X, Y).predict(new, return_std=True))
            leg.add(mean, std, truth, seconds)
            leg.kept[" ".join(model.kept_terms_[1]).replace("x0", "x") or "nothing"] += 1
    for name, (work, package) in HERE.items():
        legs.append(Leg(name, version(package)))
        for X, Y in tables:
            (mean, std), seconds = timed(lambda work=work, X=X, Y=Y: work(X, Y, domain, new))
            legs[-1].add(mean, std, truth, seconds)
    legs += co_kriging(tables[:N_SMT], domain, new, truth)
    for leg in legs:
        yield leg.row("extrapolation", f"{len(made)} demonstrations", legs[0])


def co_kriging(tables: list[Any], domain: np.ndarray, new: np.ndarray, truth: np.ndarray) -> list[Leg]:
    """SMT in its own environment."""
    from run import interpreter

    python = str(interpreter("smt"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tasks.npz"
        arrays = {f"{name}_{k}": table[i] for k, table in enumerate(tables) for i, name in enumerate("XY")}
        np.savez(file, domain=domain, new=new, **arrays)
        script = str(Path(__file__).with_name("assimilation_peers.py"))
        done = subprocess.run(
            [python, script, "--tasks", str(file)], capture_output=True, text=True, check=True
        )
    ask = "from importlib.metadata import version; print(version('smt'))"
    release = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    legs = {name: Leg(name, release) for name in SMT}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found = json.loads(line)
            legs[found["leg"]].add(np.array(found["mean"]), np.array(found["std"]), truth, found["seconds"])
    return list(legs.values())


def magnet() -> Iterator[dict]:
    """Compositions and temperatures."""
    points = make_magnet_pair(1000, 1, rng=99_999)
    new = points.features.to_numpy()[:1000]
    truth = points.exact(new)[:, 1]
    tensor = TensorProduct(CompositionPolynomial(2), TemperaturePolynomial(3))
    bases = {LEARNED: "polynomial:3", "sozai: composition (degree 2) x temperature (degree 3)": tensor}
    legs = {name: Leg(name, version("sozai")) for name in (*bases, "sozai: experiments alone")}
    slow = {"two-level Gaussian process (scikit-learn's kernels)"}
    legs |= {name: Leg(name, version(package)) for name, (_, package) in HERE.items()}
    for count, seed in enumerate(MAGNETS):
        made = make_magnet_pair(rng=seed)
        line = co_line(made)
        both = np.vstack([new, line])
        for name, leg in legs.items():
            if name in slow and count >= N_SLOW:
                continue
            begun = time.process_time()
            mean, std = magnet_band(name, bases, made, both)
            seconds, n = time.process_time() - begun, len(new)
            leg.add(mean[:n], None if std is None else std[:n], truth, seconds)
            leg.crossings.append(crossing(mean[n:], line) - made.facts["crossover"])
    for leg in legs.values():
        yield leg.row("magnet", f"{len(MAGNETS)} magnets", legs[LEARNED])


def magnet_band(name: str, bases: dict[str, Any], made: Any, new: np.ndarray) -> Band:
    """Mean and band of one leg."""
    X, Y, domain = made.features.to_numpy(), made.sources.to_numpy(), made.domain.to_numpy()
    if name in HERE:
        return HERE[name][0](X, Y, domain, new)
    model = GaussianAssimilator(bases.get(name, "polynomial:3"), domain=domain)
    if name == "sozai: experiments alone":
        X, Y = own(X, Y, 1)
    return model.fit(X, Y).predict(new, return_std=True)


def co_line(made: Any, step: float = 0.02) -> np.ndarray:
    """Little less and little more cobalt at every temperature."""
    T = np.linspace(*made.domain.loc["T"], 501)
    points = np.zeros((2, len(T), 6))
    points[:, :, 3] = made.facts["crossover_Co"] + step * np.array([[-1.0], [1.0]])
    points[:, :, 5] = T
    return points.reshape(-1, 6)


def crossing(mean: np.ndarray, line: np.ndarray) -> float:
    """Temperature at which the slope with cobalt turns positive; NaN where it does not."""
    less, more = mean.reshape(2, -1)
    slope, T = more - less, line[: len(less), 5]
    up = np.flatnonzero((slope[:-1] < 0) & (slope[1:] >= 0))
    if not len(up):
        return float("nan")
    k = int(up[0])
    return float(T[k] - slope[k] * (T[k + 1] - T[k]) / (slope[k + 1] - slope[k]))


def main() -> None:
    warnings.simplefilter("ignore")
    for task in (extrapolation, magnet):
        for found in task():
            print(json.dumps(found, ensure_ascii=False), flush=True)
        print(f"{task.__name__} done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
