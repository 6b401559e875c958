"""Which new rows the training rows can speak for, and why the others lie outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["RowDomain"]

Array = NDArray[np.float64]

#: Share of the training rows that count as neither far nor uncertain.
_SHARE = 0.99


@dataclass(frozen=True, eq=False)
class RowDomain:
    """Intervals of the columns, and how far a row may be from its nearest training row.

    Attributes
    ----------
    names : tuple of str
    low, high : ndarray of shape (n_columns,)
    tree : scipy.spatial.cKDTree
        Training rows, every column scaled to its range.
    limit : float
        99 % of the training rows are nearer than this to another training row.

    Examples
    --------
    >>> import numpy as np
    >>> domain = RowDomain.of(np.array([[0.0], [1.0], [2.0], [9.0]]), ["T"])
    >>> domain.reasons(np.array([[1.5], [12.0]]))
    ['', 'T = 12 is above 9']
    """

    names: tuple[str, ...]
    low: Array
    high: Array
    tree: Any
    limit: float

    @classmethod
    def of(cls, X: Array, names: Sequence[str]) -> RowDomain:
        """Read the domain off training rows of shape (n_samples, n_columns)."""
        low, high = X.min(axis=0), X.max(axis=0)
        span = np.where(high > low, high - low, 1.0)
        tree = cKDTree(X / span)
        nearest = tree.query(X / span, k=2)[0][:, 1] if len(X) > 1 else np.zeros(1)
        return cls(tuple(names), low, high, tree, float(np.quantile(nearest, _SHARE, method="higher")))

    def reasons(self, X: Array, *, std: Array | None = None, std_limit: float = np.inf) -> list[str]:
        """One sentence a row: empty inside, else every way the row leaves the domain.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns)
        std : ndarray of shape (n_rows,), optional
            The model's own standard error, which then decides instead of the distance.
        std_limit : float
            What 99 % of the training rows stay below, each left out.
        """
        found: list[list[str]] = [[] for _ in range(len(X))]
        slack = 1e-9 * np.maximum(self.high - self.low, np.abs(self.high))
        for j, name in enumerate(self.names):
            for row in np.flatnonzero(X[:, j] > self.high[j] + slack[j]):
                found[row].append(f"{name} = {X[row, j]:.6g} is above {self.high[j]:.6g}")
            for row in np.flatnonzero(X[:, j] < self.low[j] - slack[j]):
                found[row].append(f"{name} = {X[row, j]:.6g} is below {self.low[j]:.6g}")
        if std is not None:
            for row in np.flatnonzero(std > std_limit * (1.0 + 1e-9)):
                found[row].append(
                    f"the model knows little here: its standard error is {std[row] / std_limit:.2g} times "
                    f"what {_SHARE:.0%} of the training rows stay below"
                )
        else:
            self._far(X, found)
        return ["; ".join(row) for row in found]

    def _far(self, X: Array, found: list[list[str]]) -> None:
        """Rows farther from the nearest training row than training rows are from each other."""
        span = np.where(self.high > self.low, self.high - self.low, 1.0)
        distance = self.tree.query(X / span)[0]
        for row in np.flatnonzero(distance > self.limit * (1.0 + 1e-9) + 1e-12):
            found[row].append(
                f"the nearest training row is {distance[row]:.2g} column ranges away; "
                f"{_SHARE:.0%} of them are within {self.limit:.2g}"
            )

    @staticmethod
    def frame(reasons: list[str], index: Any = None) -> pd.DataFrame:
        """Put the reasons beside a flag, one row a sample."""
        return pd.DataFrame({"in_domain": [not reason for reason in reasons], "reason": reasons}, index=index)
