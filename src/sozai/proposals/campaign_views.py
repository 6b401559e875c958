"""Tables of a campaign: candidates with their results, single results, the best one, the front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.observations import Observations
from sozai.proposals.campaign_events import CampaignState
from sozai.proposals.campaign_records import BestResult
from sozai.proposals.candidate_pool import CandidatePool
from sozai.proposals.objectives import Objective

__all__ = ["best_result", "front_table", "nearest_results", "result_history", "result_table"]


def result_table(
    base: pd.DataFrame, seen: Observations, objectives: Sequence[Objective], removed: NDArray[np.int64]
) -> pd.DataFrame:
    """Candidates with the mean of their results, their status and the number of results."""
    frame = base.copy()
    words = np.full(len(frame), "", dtype=object)
    words[removed] = "removed"
    words[seen.failed] = "failed"
    words[seen.rows] = "ok"
    words[seen.pending] = "running"
    only_bounds = seen.rows[((seen.censored != 0) | np.isnan(seen.Y)).all(axis=1)]
    words[only_bounds] = "censored"
    counts = np.zeros(len(frame), dtype=np.int64)
    counts[seen.rows] = seen.counts.max(axis=1, initial=0)
    for k, objective in enumerate(objectives):
        column = np.full(len(frame), np.nan)
        column[seen.rows] = seen.Y[:, k]
        frame[objective.label] = column
    return frame.assign(status=words, n_results=counts)


def result_history(
    state: CampaignState, pool: CandidatePool, objectives: Sequence[Objective]
) -> pd.DataFrame:
    """One row a result, in the order in which they were told."""
    results = list(state.results.values())
    rows = pool.rows([result.id for result in results])
    columns: dict[str, Any] = {
        "event": [result.event for result in results],
        "id": [result.id for result in results],
        "index": rows,
        "round": [result.round for result in results],
    }
    for k, objective in enumerate(objectives):
        columns[objective.label] = np.array([result.values[k] for result in results], dtype=np.float64)
        columns[f"{objective.name}__sigma"] = np.array(
            [result.sigma[k] if result.sigma else None for result in results], dtype=np.float64
        )
        columns[f"{objective.name}__status"] = [result.status[k] for result in results]
    return pd.DataFrame(columns)


def best_result(seen: Observations, pool: CandidatePool, objective: Objective) -> BestResult | None:
    """The candidate whose mean serves the only objective best; ties go to the earlier row."""
    values = seen.Y[:, 0]
    usable = np.flatnonzero((seen.censored[:, 0] == 0) & ~np.isnan(values))
    if not len(usable):
        return None
    losses = np.array([objective.loss(float(value)) for value in values[usable]])
    at = int(usable[int(np.argmin(losses))])
    row = int(seen.rows[at])
    noise = float(np.sqrt(seen.noise[at, 0])) or np.nan
    count = int(seen.counts[at, 0])
    index = row if pool.space is None else None
    return BestResult(
        pool.identity(row), index, pool.values(row), float(values[at]), noise, count, objective.label
    )


def front_table(seen: Observations, table: pd.DataFrame, objectives: Sequence[Objective]) -> pd.DataFrame:
    """Rows of the table that no other candidate beats in every objective."""
    exact = (seen.censored == 0).all(axis=1) & ~np.isnan(seen.Y).any(axis=1)
    rows, Y = seen.rows[exact], seen.Y[exact]
    merits = np.column_stack(
        [[-objective.loss(float(value)) for value in Y[:, k]] for k, objective in enumerate(objectives)]
    ).reshape(len(rows), len(objectives))
    if not len(rows):
        return table.iloc[rows]
    from sozai.proposals.pareto import nondominated

    return table.iloc[rows[np.asarray(nondominated(merits), dtype=bool)]]


def nearest_results(
    seen: Observations, pool: CandidatePool, point: Sequence[float], objectives: Sequence[Objective], n: int
) -> pd.DataFrame:
    """Observed candidates nearest to a point, in the coordinates of the space or the range of the list."""
    X, at = seen.X, np.array([point], dtype=np.float64)
    if pool.space is not None:
        steps = pool.space.encode(X[seen.rows]) - pool.space.encode(at)
    else:
        width = np.ptp(X, axis=0)
        steps = (X[seen.rows] - at) / np.where(width > 0, width, 1.0)
    distance = np.sqrt((steps**2).sum(axis=1))
    order = np.argsort(distance, kind="stable")[:n]
    frame = pd.DataFrame([pool.values(row) for row in seen.rows[order]], columns=list(seen.names))
    frame.insert(0, "index", seen.rows[order])
    for k, objective in enumerate(objectives):
        frame[objective.label] = seen.Y[order, k]
    return frame.assign(distance=distance[order])
