"""What was told of both sources, and how far a two-source loop has come."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.records import with_error

__all__ = ["SourceResult", "SourceResults", "TwoSourceStatus"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SourceResult:
    """One value of one source; NaN for a failure."""

    row: int
    source: int
    value: float
    cost: float

    @property
    def failed(self) -> bool:
        """Whether there is no value."""
        return math.isnan(self.value)


@dataclass(eq=False)
class SourceResults:
    """All results in the order in which they were told.

    Examples
    --------
    >>> told = SourceResults([SourceResult(3, 0, 1.0, 1.0), SourceResult(3, 1, 2.0, 50.0)])
    >>> told.spent, told.table()[1].tolist()
    (51.0, [[1.0, 2.0]])
    """

    entries: list[SourceResult] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """Cost of everything told, failures too."""
        return float(sum(entry.cost for entry in self.entries))

    def rows(self, source: int, *, failed: bool = False) -> list[int]:
        """Candidates of which this source was told a value, or that it failed."""
        return [entry.row for entry in self.entries if entry.source == source and entry.failed is failed]

    def values(self, source: int) -> Array:
        """Values of a source in the order told, without failures."""
        return np.array([e.value for e in self.entries if e.source == source and not e.failed])

    def table(self) -> tuple[NDArray[np.int64], Array]:
        """Candidate and values of both sources, NaN where there is none.

        A calculation and a measurement of one candidate share a row. The order depends on the results
        alone, not on when they were told.
        """
        found: dict[int, tuple[list[float], list[float]]] = {}
        for entry in self.entries:
            if not entry.failed:
                found.setdefault(entry.row, ([], []))[entry.source].append(entry.value)
        rows, values = [], []
        for row in sorted(found):
            pair = [sorted(part) for part in found[row]]
            for k in range(max(map(len, pair))):
                rows.append(row)
                values.append([part[k] if k < len(part) else np.nan for part in pair])
        return np.array(rows, dtype=np.int64), np.array(values, dtype=np.float64).reshape(-1, 2)

    def history(self, names: tuple[str, ...], *, minimize: bool) -> pd.DataFrame:
        """One row a result: source, candidate, value, status, cost, cost so far, best experiment so far."""
        best = np.minimum.accumulate if minimize else np.maximum.accumulate
        worst = np.inf if minimize else -np.inf
        measured = [e.value if e.source == 1 and not e.failed else worst for e in self.entries]
        so_far = best(np.array(measured)) if measured else np.empty(0)
        cost = np.array([entry.cost for entry in self.entries])
        return pd.DataFrame(
            {
                "source": [names[entry.source] for entry in self.entries],
                "index": [entry.row for entry in self.entries],
                "value": [entry.value for entry in self.entries],
                "status": ["failed" if entry.failed else "ok" for entry in self.entries],
                "cost": cost,
                "spent": np.cumsum(cost),
                "best": np.where(np.isfinite(so_far), so_far, np.nan),
            }
        )


@dataclass(frozen=True)
class TwoSourceStatus:
    """How far the loop has come.

    Attributes
    ----------
    n_simulations, n_experiments, n_failed : int
        Results told; failures are counted once more.
    spent, left : float
        Of the budget; ``left`` is infinite without one.
    uncertainty : float
        Largest standard deviation of the calculation at a candidate not yet calculated; NaN without model.
    noise : float
        Standard deviation of a single calculation.
    established : bool
        Whether the first is smaller than the second: the simulation is known as well as it need be.
    best_index : int or None
        Candidate of the best measured value.
    best_value : float
    finished : bool
        Whether nothing can be done any more, for want of candidates or of budget.

    Examples
    --------
    >>> TwoSourceStatus(49, 8, 0, 449.0, 51.0, 0.012, 0.03, True, 924, 2.46, False)
    TwoSourceStatus(49 simulations, 8 experiments, 449 spent, best 2.46, simulation established)
    """

    n_simulations: int
    n_experiments: int
    n_failed: int
    spent: float
    left: float
    uncertainty: float
    noise: float
    established: bool
    best_index: int | None
    best_value: float
    finished: bool

    def __repr__(self) -> str:
        parts = [
            f"{self.n_simulations} simulations", f"{self.n_experiments} experiments", f"{self.spent:g} spent"
        ]  # fmt: skip
        if self.n_failed:
            parts.insert(2, f"{self.n_failed} failed")
        if self.best_index is not None:
            parts.append(f"best {with_error(self.best_value, math.nan)}")
        parts.append("simulation established" if self.established else "simulation not established")
        return f"TwoSourceStatus({', '.join(parts)}{', finished' if self.finished else ''})"

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([asdict(self)])
