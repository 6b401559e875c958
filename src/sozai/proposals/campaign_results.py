"""From single results to what a proposer sees: means over replicates, their noise, bounds, failures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.proposals.campaign_events import Result

__all__ = ["ResultTable", "gather"]

_CODES = {"ok": 0, "censored_low": -1, "censored_high": 1}
_UNUSED = 9


@dataclass(frozen=True, eq=False)
class ResultTable:
    """Results by candidate.

    Attributes
    ----------
    codes : ndarray of shape (m,)
        Identity of each candidate with results, ascending.
    Y, noise, counts, censored : ndarray of shape (m, l)
        As in :class:`~sozai.contracts.observations.Observations`.
    replicate_variance : ndarray of shape (l,)
    failed : ndarray
        Identities of candidates that failed and have no result.
    n_results : int
        Results that count, failed ones too.

    Examples
    --------
    >>> ok = [Result(str(k), "0000000000ff", [y], None, ["ok"], 0, None) for k, y in enumerate([1.0, 2.0])]
    >>> table = gather(ok, 1)
    >>> table.Y.tolist(), table.counts.tolist(), table.replicate_variance.tolist()
    ([[1.5]], [[2]], [0.5])
    """

    codes: NDArray[np.int64]
    Y: NDArray[np.float64]
    noise: NDArray[np.float64]
    counts: NDArray[np.int64]
    censored: NDArray[np.int8]
    replicate_variance: NDArray[np.float64]
    failed: NDArray[np.int64]
    n_results: int


def gather(results: Iterable[Result], n_objectives: int) -> ResultTable:
    """Means over replicates, one row a candidate.

    Parameters
    ----------
    results : iterable of Result
    n_objectives : int

    Returns
    -------
    ResultTable

    Notes
    -----
    Replicates are summed in the order of their values, so that the order in
    which they were told changes no bit. The mean of ``m`` replicates with known
    standard deviations has the variance ``sum(sigma**2) / m**2``. A candidate
    with an exact value does without its bounds; of several bounds on one side
    the tightest counts, and bounds on both sides meet in the middle, with the
    variance ``width**2 / 12`` of a uniform value between them.
    """
    rows = list(results)
    codes = np.array([int(result.id, 16) for result in rows], dtype=np.int64)
    shape = (len(rows), n_objectives)
    values = np.array([result.values for result in rows], dtype=np.float64).reshape(shape)
    blank = [None] * n_objectives
    sigma = np.array([result.sigma or blank for result in rows], dtype=np.float64).reshape(shape)
    kinds = [[_CODES.get(word, _UNUSED) for word in result.status] for result in rows]
    status = np.where(np.isnan(values), _UNUSED, np.array(kinds, dtype=np.int64).reshape(shape))
    failed = np.array(["failed" in result.status for result in rows], dtype=bool)
    observed = np.unique(codes[(status != _UNUSED).any(axis=1)])
    parts = [
        _one_objective(observed, codes, values[:, k], sigma[:, k], status[:, k]) for k in range(n_objectives)
    ]
    stacked = [np.column_stack([part[j] for part in parts]) for j in range(4)]
    return ResultTable(
        codes=observed,
        Y=stacked[0],
        noise=stacked[1],
        counts=stacked[2].astype(np.int64),
        censored=stacked[3].astype(np.int8),
        replicate_variance=np.array([part[4] for part in parts]),
        failed=np.setdiff1d(codes[failed], observed),
        n_results=int(((status != _UNUSED).any(axis=1) | failed).sum()),
    )


def _one_objective(
    observed: NDArray[np.int64],
    codes: NDArray[np.int64],
    values: NDArray[np.float64],
    sigma: NDArray[np.float64],
    status: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Mean, noise, count and bound of one objective for each observed candidate; pooled variance."""
    m = len(observed)
    mean, noise = np.full(m, np.nan), np.full(m, np.nan)
    count, bound = np.zeros(m), np.zeros(m)
    exact = status == 0
    order = np.lexsort((sigma[exact], values[exact], codes[exact]))
    place = np.searchsorted(observed, codes[exact][order])
    y = values[exact][order]
    variance = np.nan_to_num(sigma[exact][order]) ** 2
    count += np.bincount(place, minlength=m)
    here = count > 0
    sums = np.bincount(place, weights=y, minlength=m)
    mean[here] = sums[here] / count[here]
    noise[here] = np.bincount(place, weights=variance, minlength=m)[here] / count[here] ** 2
    spread = float(((y - mean[place]) ** 2).sum()) if len(y) else 0.0
    freedom = len(y) - int(here.sum())
    _use_bounds(observed, codes, values, status, mean, noise, count, bound)
    return mean, noise, count, bound, spread / freedom if freedom else np.nan


def _use_bounds(
    observed: NDArray[np.int64],
    codes: NDArray[np.int64],
    values: NDArray[np.float64],
    status: NDArray[np.int64],
    mean: NDArray[np.float64],
    noise: NDArray[np.float64],
    count: NDArray[np.float64],
    bound: NDArray[np.float64],
) -> None:
    """Fill in candidates known by bounds alone, in place."""
    below, above = np.full(len(observed), np.inf), np.full(len(observed), -np.inf)
    low, high = status == -1, status == 1
    if not (low.any() or high.any()):
        return
    np.minimum.at(below, np.searchsorted(observed, codes[low]), values[low])
    np.maximum.at(above, np.searchsorted(observed, codes[high]), values[high])
    for side, only, value in ((-1, below < np.inf, below), (1, above > -np.inf, above)):
        other = (above > -np.inf) if side < 0 else (below < np.inf)
        use = only & ~other & (count == 0)
        mean[use], noise[use], bound[use] = value[use], 0.0, side
    both = (below < np.inf) & (above > -np.inf) & (count == 0)
    mean[both] = (below[both] + above[both]) / 2
    noise[both] = (below[both] - above[both]) ** 2 / 12
    count[bound != 0] = 1
    count[both] = 1
