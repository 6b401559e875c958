"""Slices through a fitted model, and how the best place moves as one descriptor changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import qmc

from sozai.contracts.errors import InputError, sentence

__all__ = ["OptimumPath", "find_optimum_path", "slice_points"]

Array = NDArray[np.float64]

#: Points in the free descriptors at which functions are compared.
_GRID = {1: 401, 2: 41}
_SCATTERED = 2048


@dataclass(frozen=True)
class OptimumPath:
    """Best place in some descriptors along another one.

    Attributes
    ----------
    frame : DataFrame
        Column of the descriptor along, then for every free one its best value
        (of the mean), ``lo`` and ``hi`` (5 and 95 % of the draws), and ``p_interior``, the share
        of draws whose best place is on no bound.
    along : str
    crossover : float
        Value along at which ``p_interior`` passes 1/2 for the first time; NaN where it does not.
    crossover_interval : tuple of (float, float)
        5 and 95 % of where single draws leave or reach the bound; infinite where they never do.

    Examples
    --------
    >>> OptimumPath(pd.DataFrame({"T": [300.0]}), "T", 320.0, (310.0, 331.0))
    OptimumPath(crossover at T = 320 (310 to 331))
    """

    frame: pd.DataFrame
    along: str
    crossover: float
    crossover_interval: tuple[float, float]

    def __repr__(self) -> str:
        low, high = self.crossover_interval
        return f"OptimumPath(crossover at {self.along} = {self.crossover:.4g} ({low:.4g} to {high:.4g}))"

    def to_frame(self) -> pd.DataFrame:
        """The path as a table."""
        return self.frame.copy()


def column_number(name: Any, names: Sequence[str], argument: str) -> int:
    """Position of a descriptor given by name or number."""
    if isinstance(name, str) and name in names:
        return list(names).index(name)
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and 0 <= name < len(names):
        return int(name)
    raise InputError(
        sentence(
            "GaussianAssimilator", argument, f"name descriptors ({', '.join(names)})", name,
            remedy="Use the columns of X.",
        )
    )  # fmt: skip


def column_numbers(given: Any, names: Sequence[str], argument: str) -> list[int]:
    """Positions of one or several descriptors."""
    several = given if isinstance(given, (list, tuple)) else [given]
    return [column_number(name, names, argument) for name in several]


def slice_points(
    names: Sequence[str], domain: Array, free: Any, fixed: Mapping[Any, float] | None,
    at: Mapping[Any, Any] | None, n_points: int,
) -> pd.DataFrame:  # fmt: skip
    """Points along free descriptors, the others held."""
    chosen = column_numbers(free, names, "free")
    axes = [np.linspace(*domain[j], n_points) for j in chosen]
    for name, values in (at or {}).items():
        j = column_number(name, names, "at")
        if j not in chosen:
            raise InputError(
                sentence(
                    "GaussianAssimilator.slice", "at", f"name free descriptors {[names[k] for k in chosen]}",
                    name, remedy="Put the others into fixed.",
                )
            )  # fmt: skip
        axes[chosen.index(j)] = np.atleast_1d(np.asarray(values, dtype=np.float64))
    mesh = np.stack([m.ravel() for m in np.meshgrid(*axes, indexing="ij")], axis=1)
    return pd.DataFrame(held_points(names, domain, chosen, mesh, fixed, "slice"), columns=list(names))


def held_points(
    names: Sequence[str], domain: Array, chosen: list[int], values: Array, fixed: Mapping[Any, float] | None,
    method: str,
) -> Array:  # fmt: skip
    """Rows with some descriptors given and the others fixed, or in the middle of the domain."""
    X = np.tile(domain.mean(axis=1), (len(values), 1))
    for name, value in (fixed or {}).items():
        j = column_number(name, names, "fixed")
        if j in chosen:
            raise InputError(
                sentence(
                    f"GaussianAssimilator.{method}", "fixed", "name descriptors that are not free", name,
                    remedy="Leave it out of free or of fixed.",
                )
            )  # fmt: skip
        X[:, j] = float(value)
    X[:, chosen] = values
    return X


def find_optimum_path(
    evaluate: Callable[[Array], Array], draws: Array, mean: Array, names: Sequence[str], domain: Array,
    free: Any, along: Any, limits: Mapping[Any, tuple[float, float]], fixed: Mapping[Any, float], sign: float,
    n_steps: int,
) -> OptimumPath:  # fmt: skip
    """Best place of the mean and of every draw at each step.

    Free descriptors are compared on 401 points (one), 41 by 41 (two) or 2048
    scattered points and all corners (more). O(steps x points x P x draws).
    """
    chosen, j = column_numbers(free, names, "free"), column_number(along, names, "along")
    if j in chosen:
        raise InputError(
            sentence(
                "GaussianAssimilator.optimum_path", "along", "differ from the free descriptors", names[j],
                remedy="Leave it out of free.",
            )
        )  # fmt: skip
    domain = domain.copy()
    for name, bounds in limits.items():
        domain[column_number(name, names, "domain")] = bounds
    points, on_bound = search_points(domain[chosen])
    steps = np.linspace(*domain[j], n_steps)
    rows, inside = [], np.zeros((n_steps, len(draws)), dtype=bool)
    for k, value in enumerate(steps):
        X = held_points(
            names,
            domain,
            [*chosen, j],
            np.column_stack([points, np.full(len(points), value)]),
            fixed,
            "optimum_path",
        )
        terms = sign * evaluate(X)
        best = points[np.argmax(terms @ mean)]
        found = np.argmax(terms @ draws.T, axis=0)
        inside[k] = ~on_bound[found]
        low, high = np.quantile(points[found], [0.05, 0.95], axis=0)
        row = {names[j]: value}
        for i, column in enumerate(chosen):
            row |= {names[column]: best[i], f"{names[column]} lo": low[i], f"{names[column]} hi": high[i]}
        rows.append(row | {"p_interior": inside[k].mean()})
    crossover, interval = crossings(steps, inside)
    return OptimumPath(pd.DataFrame(rows), names[j], crossover, interval)


def search_points(domain: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Places to compare, and which of them lie on a bound."""
    q = len(domain)
    if q in _GRID:
        unit = np.array(list(itertools.product(np.linspace(0, 1, _GRID[q]), repeat=q)))
    else:
        scattered = qmc.Halton(q, scramble=False).random(_SCATTERED + 1)[1:]
        faces = scattered.copy()
        which = np.arange(len(faces)) % (2 * q)
        faces[np.arange(len(faces)), which % q] = which >= q
        unit = np.vstack([scattered, faces, np.array(list(itertools.product((0.0, 1.0), repeat=q)))])
    on_bound = ((unit == 0) | (unit == 1)).any(axis=1)
    return domain[:, 0] + unit * (domain[:, 1] - domain[:, 0]), on_bound


def crossings(steps: Array, inside: NDArray[np.bool_]) -> tuple[float, tuple[float, float]]:
    """Where the share inside passes 1/2, and the spread of where single draws change sides."""
    share = inside.mean(axis=1) - 0.5
    turns = np.flatnonzero(np.diff(np.sign(share)) != 0)
    crossover = float("nan")
    if len(turns):
        k = int(turns[0])
        crossover = float(steps[k] + (steps[k + 1] - steps[k]) * share[k] / (share[k] - share[k + 1]))
    starts_inside = share[0] > 0
    changed = inside != starts_inside
    never = ~changed.any(axis=0)
    first = np.argmax(changed, axis=0)
    middle = np.where(first > 0, 0.5 * (steps[first] + steps[np.maximum(first - 1, 0)]), -np.inf)
    places = np.where(never, np.inf, middle)
    low, high = np.quantile(places, [0.05, 0.95], method="nearest")
    return crossover, (float(low), float(high))
