"""How many measurements a proposer needs: campaigns replayed on a list whose results are all known."""

from __future__ import annotations

import copy
import functools
import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_matrix, as_vector
from sozai.contracts.chunk_store import ChunkStore
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.observations import Observations
from sozai.contracts.parallel import run_chunks
from sozai.contracts.progress import Progress
from sozai.contracts.protocols import PoolProposer
from sozai.proposals.model_free import farthest_points
from sozai.proposals.objectives import Objective

__all__ = ["evaluations_to", "simulate_campaign"]

Array = NDArray[np.float64]
_PLACE = "simulate_campaign"


def simulate_campaign(
    pool: Any,
    y: ArrayLike,
    proposer: PoolProposer,
    n_start: int = 10,
    n_total: int = 40,
    repeats: int = 20,
    *,
    objective: Objective | None = None,
    start: str = "random",
    batch_size: int = 1,
    noise: float = 0.0,
    random_state: int = 0,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Replay campaigns on a list of candidates whose results are known.

    Parameters
    ----------
    pool : DataFrame or array-like of shape (N, p)
    y : array-like of shape (N,)
        Result of every candidate; means, where there are replicates.
    proposer : PoolProposer
        Every repeat works on a copy of it.
    n_start : int, default=10
        Results at the beginning.
    n_total : int, default=40
        Results at the end.
    repeats : int, default=20
    objective : Objective, optional
        Largest ``y`` when left out.
    start : {"random", "farthest"}, default="random"
        Random starting rows depend on ``random_state`` and the number of the repeat, not on the proposer:
        two proposers can be compared repeat by repeat. ``"farthest"`` fills the list and is the same in
        every repeat.
    batch_size : int, default=1
        Proposals measured at once.
    noise : float, default=0.0
        Standard deviation of normal noise on what the proposer is told; ranks are those of ``y``.
    random_state : int, default=0
    n_jobs : int, optional
        Repeats side by side.
    store : path-like, optional
        Folder where finished repeats are kept, so that a stopped study goes on.
    progress : object, bool or None
        See :func:`~sozai.contracts.progress.progress_bar`.

    Returns
    -------
    DataFrame
        One row per repeat and evaluation: ``repeat``, ``evaluation`` (from 1), ``row``, ``value``, ``best``
        (so far), ``rank`` (of the best so far, 1 is the best of the list), ``regret`` (loss above the best
        of the list), ``seconds`` (of its proposal). All but the seconds are the same for any ``n_jobs``.

    Raises
    ------
    InputError
        For sizes that do not fit the list, or a store of another study.

    See Also
    --------
    evaluations_to : From this table, how many measurements it took.

    Examples
    --------
    >>> from sozai.proposals.model_free import RandomProposer
    >>> x = np.linspace(0, 1, 50)
    >>> table = simulate_campaign(x[:, None], x * (1 - x), RandomProposer(), 2, 5, repeats=3)
    >>> table.shape, int(table["evaluation"].max())
    ((15, 8), 5)
    """
    X = as_matrix(pool, place=_PLACE, argument="pool")
    values = as_vector(y, len(X), place=_PLACE)
    wanted = Objective("y") if objective is None else objective
    _check_sizes(len(X), n_start, n_total, repeats, batch_size, start, noise)
    plan = {
        "X": X, "y": values, "sizes": [int(n_start), int(n_total), int(batch_size)], "noise": float(noise),
        "start": start, "seed": int(random_state), "objective": repr(wanted),
    }  # fmt: skip
    shelf, done = None, {}
    if store is not None:
        named = functools.partial(_replay, proposer=_words(proposer), **plan)
        shelf = ChunkStore.open(Path(store), named, list(range(repeats)), random_state)
        done = shelf.finished()
    plan |= {"objective": wanted, "proposer": proposer, "shelf": shelf}
    missing = [k for k in range(repeats) if k not in done]
    found = run_chunks(
        functools.partial(_replay, **plan), missing, n_jobs=n_jobs, progress=progress,
        description="Replaying",
    )  # fmt: skip
    done |= dict(zip(missing, found, strict=True))
    return pd.concat([_table(k, done[k], values, wanted) for k in range(repeats)], ignore_index=True)


def evaluations_to(table: pd.DataFrame, rank: int) -> pd.Series:
    """Measurements until a candidate of this rank or better was found, for every repeat.

    Parameters
    ----------
    table : DataFrame
        From :func:`simulate_campaign`.
    rank : int
        1 for the best; 1 % of the list for "the top 1 %".

    Returns
    -------
    Series
        By repeat; infinite where it was not found.

    Examples
    --------
    >>> table = pd.DataFrame({"repeat": [0, 0, 1, 1], "evaluation": [1, 2, 1, 2], "rank": [5, 1, 7, 4]})
    >>> evaluations_to(table, 3).tolist()
    [2.0, inf]
    """
    reached = table[table["rank"] <= rank].groupby("repeat")["evaluation"].min()
    return reached.reindex(table["repeat"].unique()).fillna(np.inf).rename("evaluations")


def _replay(
    repeat: int,
    *,
    X: Array,
    y: Array,
    sizes: Sequence[int],
    noise: float,
    start: str,
    seed: int,
    objective: Any,
    proposer: Any,
    shelf: ChunkStore | None = None,
) -> dict[str, Any]:
    """One campaign: rows in the order of measurement, and the seconds of each."""
    n_start, n_total, batch_size = sizes
    rng = np.random.default_rng([seed & (2**63 - 1), repeat])
    rows = _starting_rows(X, objective, n_start, start, rng)
    told = y + noise * rng.standard_normal(len(y)) if noise else y
    seconds = [0.0] * len(rows)
    guest = copy.deepcopy(proposer)
    while len(rows) < n_total:
        seen = Observations.of(
            X, {row: told[row] for row in rows}, objectives=[objective], seed=int(rng.integers(2**31))
        )
        clock = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            choices = guest.propose(seen, min(batch_size, n_total - len(rows)))
        spent = time.perf_counter() - clock
        rows += [int(choice.row) for choice in choices]
        seconds += [spent / len(choices)] * len(choices)
    result = {"rows": np.array(rows, dtype=np.int64), "seconds": np.array(seconds)}
    if shelf is not None:
        shelf.keep(repeat, result)
    return result


def _starting_rows(X: Array, objective: Any, n: int, start: str, rng: np.random.Generator) -> list[int]:
    """Rows measured at the beginning."""
    random = rng.permutation(len(X))[:n]
    if start == "random":
        return [int(row) for row in random]
    return [row for row, _ in farthest_points(Observations.of(X, {}, objectives=[objective]), n)]


def _table(repeat: int, result: dict[str, Any], y: Array, objective: Objective) -> pd.DataFrame:
    """Rows of one repeat."""
    rows = np.asarray(result["rows"])
    loss = np.array([objective.loss(float(value)) for value in y])
    best = np.minimum.accumulate(loss[rows])
    at = np.array([int(np.argmin(loss[rows[: k + 1]])) for k in range(len(rows))])
    return pd.DataFrame(
        {
            "repeat": repeat,
            "evaluation": np.arange(1, len(rows) + 1),
            "row": rows,
            "value": y[rows],
            "best": y[rows[at]],
            "rank": np.searchsorted(np.sort(loss), best) + 1,
            "regret": best - loss.min(),
            "seconds": np.asarray(result["seconds"]),
        }
    )


def _check_sizes(
    n: int, n_start: int, n_total: int, repeats: int, batch_size: int, start: str, noise: float
) -> None:
    """Sizes that fit."""
    for name, value in (("n_start", n_start), ("repeats", repeats), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(sentence(_PLACE, name, "be a whole number of 1 or more", value))
    if not n_start <= n_total <= n:
        raise InputError(
            sentence(_PLACE, "n_total", f"lie between n_start ({n_start}) and the candidates ({n})", n_total)
        )
    if start not in ("random", "farthest"):
        raise InputError(sentence(_PLACE, "start", "be 'random' or 'farthest'", start))
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(sentence(_PLACE, "noise", "be a standard deviation of 0 or more", noise))


def _words(proposer: Any) -> str:
    """All settings of a proposer as text, so that a store can tell two studies apart."""
    settings = proposer.get_params() if hasattr(proposer, "get_params") else vars(proposer)
    return f"{type(proposer).__module__}.{type(proposer).__qualname__}({sorted(settings.items())})"
