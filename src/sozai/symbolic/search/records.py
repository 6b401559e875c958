"""What the large search is asked and what it answers: a target with its tasks, and laws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sozai.numerics.least_squares import ROUNDING
from sozai.numerics.task_tables import CenteredTask, number_tasks, weigh_tasks
from sozai.symbolic.generation import Generated
from sozai.symbolic.search.screening import ScreenResult
from sozai.symbolic.selectors.models import ModelList

__all__ = ["SearchResult", "SearchTarget"]


@dataclass(frozen=True, eq=False)
class SearchResult:
    """Laws found among the candidates of a space.

    Attributes
    ----------
    generated : Generated
        The constant, then the survivors of all screens, simplest first.
    models : ModelList
        Best laws of every number of terms; ``columns`` refer to ``generated``.
        Of several tasks, each is a
        :class:`~sozai.symbolic.search.task_models.TaskModel`.
    screens : tuple of ScreenResult
        What every screen kept.
    n_candidates : int
        Formulas in the space, before duplicates were merged.
    complexity_counts : tuple of (ndarray, ndarray)
        Complexities that occur in the space and how many formulas have each.
    complete : bool
        False after an interrupt.
    """

    generated: Generated
    models: ModelList
    screens: tuple[ScreenResult, ...]
    n_candidates: int
    complexity_counts: tuple[np.ndarray, np.ndarray]
    complete: bool

    def __repr__(self) -> str:
        flag = "" if self.complete else ", incomplete"
        return (
            f"SearchResult({len(self.models)} laws of {len(self.generated) - 1} survivors of "
            f"{self.n_candidates:,} candidates{flag})"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a law, as :meth:`ModelList.to_frame`."""
        return self.models.to_frame()


@dataclass(frozen=True, eq=False)
class SearchTarget:
    """The target, its tasks and their weights.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
    tasks : tuple or None
        Labels; None where the question knows no tasks.
    numbers : ndarray of int of shape (n_samples,)
        Task of every row.
    weights : ndarray of shape (n_tasks,)
    """

    y: np.ndarray
    tasks: tuple | None
    numbers: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, y, tasks, weights) -> SearchTarget:
        """Check the labels."""
        labels, numbers = number_tasks(tasks, len(y), place="ScreenThenL0.find")
        weights = weigh_tasks(weights, labels, y, numbers, place="ScreenThenL0.find")
        return cls(y, None if tasks is None else labels, numbers, weights)

    @property
    def rows(self) -> tuple[np.ndarray, ...]:
        """Rows of every task."""
        return tuple(np.flatnonzero(self.numbers == t) for t in range(len(self.weights)))

    @property
    def constant(self) -> bool:
        """Whether no task has anything to explain."""
        return all(np.ptp(self.y[r]) <= 1e-14 * np.abs(self.y[r]).max() for r in self.rows)

    @property
    def largest_size(self) -> int:
        """Most terms that leave a degree of freedom in every task."""
        return max(min(len(r) for r in self.rows) - 2, 0)

    def is_reproduced(self, values: np.ndarray) -> bool:
        """Whether these columns leave nothing but rounding."""
        columns = np.arange(values.shape[1])
        sse = sum(CenteredTask.of(values[r], self.y[r]).fit(columns, 0, 1e-9)[2] for r in self.rows)
        return math.sqrt(sse) <= ROUNDING * float(np.linalg.norm(self.y))
