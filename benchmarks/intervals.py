"""How many new values the 90 % intervals of a black box hold, and how wide they are: one JSON row each.

Every family is a way to make a table whose truth is known; each repeat fits a fresh table and asks for the
intervals of a thousand new rows (of new groups, where rows come in groups). ``coverage`` is the mean share
of new values held, ``standard_error`` its error over the repeats, ``width`` the mean width of the intervals
over that of the true ones (5 to 95 % of what can be measured at that point by who knows the law).
Measured tables are split at random instead, and have no true width.

    uv run python benchmarks/intervals.py
    uv run python benchmarks/intervals.py --only groups --sizes 40
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

import sozai
from sozai.numerics.table_predictor import TablePredictor

LEVEL, N_NEW = 0.9, 1000
#: Repeats by number of rows: the share of a table varies as sqrt(0.09/n), its mean is known to 0.6 %.
REPEATS = {40: 48, 80: 36, 200: 18}


def linear(X: np.ndarray) -> np.ndarray:
    return 2 * X[:, 0] - 3 * X[:, 1] + X[:, 2]


def curved(X: np.ndarray) -> np.ndarray:
    return np.sin(5 * X[:, 0]) + 2 * (X[:, 1] - 0.4) ** 2 + X[:, 0] * X[:, 2]


def stepped(X: np.ndarray) -> np.ndarray:
    return 1.5 * (X[:, 0] > 0.6) + X[:, 1]


def nothing(X: np.ndarray) -> np.ndarray:
    return np.zeros(len(X))


def same(X: np.ndarray) -> np.ndarray:
    return np.full(len(X), 0.3)


def growing(X: np.ndarray) -> np.ndarray:
    """Noise five times as large at one end of a column as at the other."""
    return 0.12 + 0.48 * X[:, 0]


@dataclass(frozen=True)
class Family:
    """Tables of one kind.

    ``law`` and ``noise`` (standard deviation) act on the scale of ``back``; ``group_noise`` is shared by the
    rows of a group; ``degrees`` is that of a Student t, whose standard deviation is ``noise``.
    """

    name: str
    law: Callable[[np.ndarray], np.ndarray]
    n_columns: int = 5
    noise: Callable[[np.ndarray], np.ndarray] = same
    target: str = "real"
    back: Callable[[np.ndarray], np.ndarray] = lambda t: t
    group_noise: float = 0.0
    group_size: int = 0
    degrees: float = np.inf
    column_groups: bool = False

    def draw(
        self, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
        """Columns, target, groups and true width of n rows."""
        X = rng.uniform(size=(n, self.n_columns))
        groups = np.arange(n) // self.group_size if self.group_size else None
        if groups is not None and self.column_groups:  # the first columns belong to the group
            X[:, :2] = rng.uniform(size=(groups[-1] + 1, 2))[groups]
        spread = self.noise(X)
        error = rng.normal(size=n)
        if np.isfinite(self.degrees):
            error = rng.standard_t(self.degrees, size=n) * np.sqrt(1 - 2 / self.degrees)
        latent = self.law(X) + spread * error
        if groups is not None:
            latent = latent + self.group_noise * rng.normal(size=groups[-1] + 1)[groups]
        reach = self.quantile() * np.sqrt(spread**2 + self.group_noise**2)
        width = self.back(self.law(X) + reach) - self.back(self.law(X) - reach)
        return X, self.back(latent), groups, width

    def quantile(self) -> float:
        from scipy.stats import norm, t

        if np.isfinite(self.degrees):
            return float(t.ppf(0.5 + LEVEL / 2, self.degrees)) * float(np.sqrt(1 - 2 / self.degrees))
        return float(norm.ppf(0.5 + LEVEL / 2))


def percent(t: np.ndarray) -> np.ndarray:
    return 100 * expit(2 * t)


def clipped(t: np.ndarray) -> np.ndarray:
    """Percentages of which many are exactly 0 or 100."""
    return np.clip(50 + 40 * t, 0, 100)


FAMILIES = (
    Family("linear", linear),
    Family("linear, 8 columns", linear, 8),
    Family("linear, noise grows", linear, noise=growing),
    Family("curved, 3 columns", curved, 3),
    Family("curved, 8 columns", curved, 8),
    Family("curved, noise grows", curved, noise=growing),
    Family("a step", stepped),
    Family("nothing but noise", nothing),
    Family("outliers (Student t, 3 degrees)", curved, degrees=3.0),
    Family("positive, curved, noise grows", curved, target="positive", back=np.exp, noise=growing),
    Family("fraction", linear, target="fraction", back=percent),
    Family("fraction, many at 0 and 100", linear, target="fraction", back=clipped),
    Family("groups of 4", linear, group_noise=0.3, group_size=4),
    Family("groups of 4, strong", linear, group_noise=0.6, group_size=4),
    Family("groups of 4 that share columns", curved, group_noise=0.3, group_size=4, column_groups=True),
)


def one_table(family: Family, n: int, seed: int) -> tuple[float, float]:
    """Share of new values held, and mean width over the true one."""
    rng = np.random.default_rng([seed, n])
    X, y, groups, _ = family.draw(n, rng)
    new, truth, _, width = family.draw(N_NEW, rng)
    whole = pd.Series(y, name="y [%]" if family.target == "fraction" else "y")
    predictor = TablePredictor(target=family.target, random_state=seed).fit(X, whole, groups=groups)
    lower, upper = predictor.predict_interval(new, level=LEVEL)
    return held(truth, lower, upper), float((upper - lower).mean() / width.mean())


def held(truth: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    return float(np.mean((lower - 1e-9 <= truth) & (truth <= upper + 1e-9)))


@dataclass(frozen=True)
class Measured:
    """A measured table, split at random."""

    name: str
    X: pd.DataFrame
    y: pd.Series
    target: str = "real"
    groups: np.ndarray | None = None


def measured_tables(folder: Path) -> Iterator[Measured]:
    """Tables of this project's data folder."""
    octet = pd.read_csv(folder / "symbolic" / "octet82.csv")
    columns = ["IP_A", "IP_B", "r_s_A", "r_s_B", "r_p_A", "r_p_B"]
    yield Measured("octet binaries", octet[columns], octet["energy_diff"])
    compounds = octet[["A", "B"]]
    yield Measured("octet binaries, new cations", octet[columns], octet["energy_diff"], groups=compounds["A"])
    barrel = pd.read_csv(folder / "proposals" / "Crossed_barrel_dataset.csv")
    columns = ["n", "theta", "r", "t"]
    yield Measured("crossed barrels", barrel[columns], barrel["toughness"], "positive")
    designs = barrel.groupby(columns).ngroup().to_numpy()
    yield Measured(
        "crossed barrels, new designs", barrel[columns], barrel["toughness"], "positive", groups=designs
    )
    polymer = pd.read_csv(folder / "proposals" / "P3HT_dataset.csv")
    yield Measured("P3HT conductivity", polymer.iloc[:, :-1], polymer.iloc[:, -1], "positive")


def one_split(table: Measured, n: int, seed: int) -> float:
    """Share of the other rows held by the intervals learned from about n rows, or from whole groups."""
    rng = np.random.default_rng([seed, n])
    if table.groups is None:
        order = rng.permutation(len(table.y))
        known, other = order[:n], order[n:]
        groups = None
    else:
        labels = np.asarray(table.groups)
        mixed = rng.permutation(np.unique(labels))
        sizes = np.cumsum([np.sum(labels == one) for one in mixed])
        chosen = mixed[: int(np.searchsorted(sizes, n)) + 1]
        known, other = np.flatnonzero(np.isin(labels, chosen)), np.flatnonzero(~np.isin(labels, chosen))
        groups = labels[known]
    predictor = TablePredictor(target=table.target, random_state=seed)
    predictor.fit(table.X.iloc[known], table.y.iloc[known], groups=groups)
    lower, upper = predictor.predict_interval(table.X.iloc[other], level=LEVEL)
    truth = table.y.iloc[other].to_numpy()
    if table.groups is None:
        return held(truth, lower, upper)
    inside = pd.Series((lower <= truth) & (truth <= upper)).groupby(np.asarray(table.groups)[other]).mean()
    return float(inside.mean())  # new groups weigh the same


def report(task: str, n: int, results: list[tuple[float, ...]], seconds: float) -> dict:
    table = np.array(results)
    mean = table.mean(axis=0)
    return {
        "task": task,
        "size": f"{n} rows",
        "peer": "sozai",
        "version": sozai.__version__,
        "seconds": round(seconds / len(table), 3),
        "peak_mb": None,
        "error": round(abs(float(mean[0]) - LEVEL), 4),
        "coverage": round(float(mean[0]), 4),
        "standard_error": round(float(table[:, 0].std(ddof=1) / np.sqrt(len(table))), 4),
        "width": round(float(mean[1]), 3) if table.shape[1] > 1 else None,
        "success": 0.85 <= float(mean[0]) <= 0.95,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="families with this text in their name")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(REPEATS))
    parser.add_argument("--repeats", type=int, help="repeats of every size")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = os.environ.get("SOZAI_DATA")
    measured = list(measured_tables(Path(data))) if data else []
    for n in options.sizes:
        seeds = range(options.repeats or REPEATS.get(n, 24))
        for family in FAMILIES:
            if options.only in family.name:
                start = time.perf_counter()
                results = [one_table(family, n, seed) for seed in seeds]
                print(json.dumps(report(family.name, n, results, time.perf_counter() - start)), flush=True)
        for table in measured:
            if options.only in table.name and n <= 0.75 * len(table.y):
                start = time.perf_counter()
                shares = [(one_split(table, n, seed),) for seed in seeds]
                print(json.dumps(report(table.name, n, shares, time.perf_counter() - start)), flush=True)


if __name__ == "__main__":
    main()
