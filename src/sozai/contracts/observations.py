"""What a campaign hands to a proposer, candidates and results, and the choice that comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.records import with_error

__all__ = ["Choice", "ObjectiveLike", "Observations"]

_PLACE = "Observations"


class ObjectiveLike(Protocol):
    """What a proposer may read of an objective: its name, its goal and its unit."""

    @property
    def name(self) -> str:
        """Name of the result column, without unit."""
        ...

    @property
    def goal(self) -> Any:
        """``"maximize"``, ``"minimize"`` or an object such as ``Target(300.0)``."""
        ...

    @property
    def unit(self) -> str | None:
        """Unit of the results, as the user writes it."""
        ...

    @property
    def noise(self) -> float | None:
        """Known standard deviation of one result; None when it is to be learned."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One candidate that a proposer chose.

    Attributes
    ----------
    row : int or None
        Row of ``Observations.X``; None for a point of a continuous space.
    score : float
        What was maximized.
    mean, std : ndarray of shape (n_objectives,)
        Prediction of the latent function, in the user's unit and sign; NaN without a model.
    reason : str
        One sentence.
    x : mapping of str to value, optional
        The descriptors, where there is no row.

    Examples
    --------
    >>> choice = Choice(3, 0.5, np.array([1.25]), np.array([0.5]), "Highest expected improvement.")
    >>> choice
    Choice(row 3, score 0.5, 1.25 ± 0.50)
    >>> choice == Choice(3, 0.5, np.array([1.25]), np.array([0.5]), "Highest expected improvement.")
    True
    """

    row: int | None
    score: float
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    reason: str
    x: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        where = f"row {self.row}" if self.row is not None else f"x {dict(self.x or {})}"
        values = [with_error(m, s) for m, s in zip(self.mean, self.std, strict=True) if np.isfinite(m)]
        return f"Choice({', '.join([where, f'score {self.score:.4g}', *values])})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Choice):
            return NotImplemented
        same = (self.row, self.score, self.reason, self.x) == (other.row, other.score, other.reason, other.x)
        means = np.array_equal(self.mean, other.mean, equal_nan=True)
        return same and means and np.array_equal(self.std, other.std, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False, repr=False)
class Observations:
    """Everything a proposer needs to choose: it keeps no history of its own.

    Attributes
    ----------
    X : ndarray of shape (n_candidates, n_descriptors)
        Descriptors of all candidates; in a continuous space the points told so far.
    names : tuple of str
        Descriptors.
    rows : ndarray of shape (m,)
        Candidates with results, ascending, each once.
    Y : ndarray of shape (m, l)
        Mean over replicates in the user's unit; NaN where an objective was not measured.
    noise : ndarray of shape (m, l)
        Known *variance* of that mean, 0 where none is known; NaN where ``Y`` is.
    counts : ndarray of shape (m, l)
        Replicates behind each mean.
    replicate_variance : ndarray of shape (l,)
        Variance of one result, pooled over replicates; NaN where there are none.
    censored : ndarray of shape (m, l)
        0 exact, -1 the true value lies below ``Y``, +1 above.
    failed : ndarray of shape (f,)
        Rows whose experiment failed.
    pending : ndarray of shape (q,)
        Rows that are running, in the order of their start.
    closed : ndarray of shape (c,)
        Rows never to be proposed, ascending: observed, failed, removed or masked.
        Running rows are in ``pending`` and not to be proposed either.
    objectives : tuple of ObjectiveLike
    seed : int
        Sub-stream of this round.
    cost : ndarray of shape (n_candidates,), optional

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> goal = SimpleNamespace(name="Tc", goal="maximize", unit="K", noise=None)
    >>> seen = Observations.of([[0.0], [0.5], [1.0]], {1: 4.2}, objectives=[goal], pending=[2])
    >>> seen
    Observations(3 candidates, 1 descriptor, 1 observed, 0 failed, 1 pending, objectives: Tc)
    >>> seen.open.tolist(), seen.Y.tolist()
    ([0], [[4.2]])
    """

    X: NDArray[np.float64]
    names: tuple[str, ...]
    rows: NDArray[np.int64]
    Y: NDArray[np.float64]
    noise: NDArray[np.float64]
    counts: NDArray[np.int64]
    replicate_variance: NDArray[np.float64]
    censored: NDArray[np.int8]
    failed: NDArray[np.int64]
    pending: NDArray[np.int64]
    closed: NDArray[np.int64]
    objectives: tuple[ObjectiveLike, ...]
    seed: int = 0
    cost: NDArray[np.float64] | None = field(default=None)

    def __post_init__(self) -> None:
        shape = (len(self.rows), len(self.objectives))
        if self.X.ndim != 2 or self.X.shape[1] != len(self.names):
            self._fail("X", f"have one column for each of the {len(self.names)} names", self.X.shape)
        for name in ("Y", "noise", "counts", "censored"):
            found = getattr(self, name).shape
            if found != shape:
                self._fail(name, f"have shape {shape} (rows, objectives)", found)
        if self.replicate_variance.shape != shape[1:]:
            self._fail("replicate_variance", f"have shape {shape[1:]}", self.replicate_variance.shape)
        for name in ("rows", "failed", "pending", "closed"):
            self._check_rows(name, getattr(self, name), ordered=name != "pending")
        self._check_values()
        if self.cost is not None and (self.cost.shape != (len(self.X),) or not (self.cost > 0).all()):
            self._fail("cost", f"hold {len(self.X)} positive numbers", self.cost.shape)

    @classmethod
    def of(
        cls,
        X: ArrayLike,
        results: Mapping[int, Any],
        *,
        objectives: Sequence[ObjectiveLike],
        names: Sequence[str] | None = None,
        sigma: float = 0.0,
        failed: Sequence[int] = (),
        pending: Sequence[int] = (),
        closed: Sequence[int] = (),
        cost: ArrayLike | None = None,
        seed: int = 0,
    ) -> Observations:
        """Observations from plain results, one value (or one row of values) a candidate.

        Parameters
        ----------
        X : array-like of shape (n_candidates, n_descriptors)
        results : mapping of int to float or sequence of float
            Result of each candidate row; NaN where an objective was not measured.
        objectives : sequence of ObjectiveLike
        names : sequence of str, optional
            ``x0, x1, ...`` when left out.
        sigma : float
            Known standard deviation of every result.
        failed, pending, closed : sequence of int
            Rows; observed and failed rows are closed in any case.
        cost : array-like, optional
        seed : int

        Returns
        -------
        Observations
        """
        matrix = np.asarray(X, dtype=np.float64)
        width = len(objectives)
        rows = np.array(sorted(results), dtype=np.int64)
        values = [results[row] for row in rows.tolist()]
        if all(isinstance(value, float) for value in values):
            Y = np.repeat(np.array(values, dtype=np.float64)[:, None], width, axis=1)
        else:
            each = [np.broadcast_to(np.asarray(value, dtype=np.float64), (width,)) for value in values]
            Y = np.array(each)
        gone = np.array(sorted(set(failed)), dtype=np.int64)
        return cls(
            X=matrix,
            names=tuple(names) if names is not None else tuple(f"x{j}" for j in range(matrix.shape[1])),
            rows=rows,
            Y=Y,
            noise=np.where(np.isnan(Y), np.nan, float(sigma) ** 2),
            counts=(~np.isnan(Y)).astype(np.int64),
            replicate_variance=np.full(width, np.nan),
            censored=np.zeros(Y.shape, dtype=np.int8),
            failed=gone,
            pending=np.array(list(pending), dtype=np.int64),
            closed=np.array(sorted({*rows.tolist(), *gone.tolist(), *closed}), dtype=np.int64),
            objectives=tuple(objectives),
            seed=int(seed),
            cost=None if cost is None else np.asarray(cost, dtype=np.float64),
        )

    @property
    def n_candidates(self) -> int:
        """Number of rows of ``X``."""
        return len(self.X)

    @property
    def n_objectives(self) -> int:
        """Number of objectives."""
        return len(self.objectives)

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Mask over all candidates: neither closed nor running."""
        mask = np.ones(len(self.X), dtype=bool)
        mask[self.closed] = False
        mask[self.pending] = False
        return mask

    @property
    def open(self) -> NDArray[np.int64]:
        """Rows that may be proposed, ascending."""
        return np.flatnonzero(self.is_open)

    def __repr__(self) -> str:
        n, p = self.X.shape
        counts = f"{len(self.rows)} observed, {len(self.failed)} failed, {len(self.pending)} pending"
        goals = ", ".join(objective.name for objective in self.objectives)
        plural = "" if p == 1 else "s"
        return f"Observations({n} candidates, {p} descriptor{plural}, {counts}, objectives: {goals})"

    def _check_rows(self, name: str, rows: NDArray[np.int64], *, ordered: bool) -> None:
        """Rows exist, once each, ascending unless their order means something."""
        if rows.ndim != 1 or rows.dtype.kind != "i":
            self._fail(name, "be a 1D array of integers", f"{rows.dtype} of shape {rows.shape}")
        if not len(rows):
            return
        outside = rows[(rows < 0) | (rows >= len(self.X))]
        if len(outside):
            self._fail(name, f"be rows of X (0 to {len(self.X) - 1})", int(outside[0]))
        twice = (np.diff(rows) <= 0).any() if ordered else len(set(rows.tolist())) < len(rows)
        if twice:
            self._fail(name, "name each row once" + (", ascending" if ordered else ""), rows.tolist()[:8])

    def _check_values(self) -> None:
        """Variances go with values, and no value is infinite."""
        measured = ~np.isnan(self.Y)
        if np.isinf(self.Y).any():
            row, column = (int(k) for k in np.argwhere(np.isinf(self.Y))[0])
            self._fail("Y", "be finite or NaN", f"{self.Y[row, column]} at row {int(self.rows[row])}")
        if (np.isnan(self.noise) != ~measured).any() or (self.noise[measured] < 0).any():
            self._fail(
                "noise", "be a variance of 0 or more wherever Y has a value, NaN elsewhere", self.noise
            )

    def _fail(self, argument: str, requirement: str, value: object) -> None:
        raise InputError(sentence(_PLACE, argument, requirement, value))
