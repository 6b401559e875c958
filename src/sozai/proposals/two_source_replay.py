"""How many rounds a two-source loop takes, and at what price: replayed where both sources are known."""

from __future__ import annotations

import functools
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_matrix
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import run_chunks
from sozai.contracts.progress import Progress
from sozai.proposals.two_source import TwoSourceProposer

__all__ = ["rounds_to_best", "simulate_two_sources"]

Array = NDArray[np.float64]
_PLACE = "simulate_two_sources"


def simulate_two_sources(
    proposer: TwoSourceProposer,
    values: ArrayLike,
    n_rounds: int = 40,
    repeats: int = 20,
    *,
    noise: tuple[float, float] = (0.0, 0.0),
    n_start: int = 5,
    until_best: bool = True,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Replay two-source loops on candidates whose values are all known.

    Parameters
    ----------
    proposer : TwoSourceProposer
        Every repeat works on a copy that was told nothing.
    values : array-like of shape (N, 2)
        Both sources at every candidate without noise, the simulation first.
    n_rounds : int, default=40
        Rounds after the start; one call of ``ask`` each.
    repeats : int, default=20
    noise : (float, float), default=(0, 0)
        Standard deviations of what the proposer is told, drawn anew for each value.
    n_start : int, default=5
        Random candidates of each source before the first round. They depend on ``random_state`` and the
        number of the repeat, not on the proposer: two rules can be compared repeat by repeat.
    until_best : bool, default=True
        Whether a repeat ends when the best candidate was measured.
    random_state : int, default=0
    n_jobs : int, optional
        Repeats side by side.
    progress : object, bool or None

    Returns
    -------
    DataFrame
        One row a value: ``repeat``, ``round`` (0 is the start), ``source``, ``index``, ``value`` (without
        noise), ``spent`` (so far), ``best`` (of the measured candidates so far, without noise), ``found``
        (whether the best candidate was measured), ``seconds`` (of the question).

    Raises
    ------
    InputError
        For values of another shape, and sizes below 1.

    Examples
    --------
    >>> from sozai.proposals import MaximumVariance
    >>> class Same:
    ...     "Takes every candidate for the same."
    ...     covariance_ = np.eye(2)
    ...     def partial_fit(self, X, Y):
    ...         return self
    ...     def predict(self, X, source=-1, return_std=False):
    ...         return np.zeros(len(X))
    ...     def design_variance(self, X, source):
    ...         return np.ones(len(X))
    ...     def design_covariance(self, X1, X2, source1, source2):
    ...         return np.zeros((len(X1), len(X2)))
    >>> loop = TwoSourceProposer(np.arange(9.0)[:, None], Same(), explore=MaximumVariance(0))
    >>> table = simulate_two_sources(loop, np.ones((9, 2)) * np.arange(9.0)[:, None], repeats=2, n_start=1)
    >>> table.groupby("repeat")["found"].any().tolist()
    [True, True]
    """
    sizes = {"n_rounds": n_rounds, "repeats": repeats, "n_start": n_start}
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(sentence(_PLACE, name, "be a whole number of 1 or more", value))
    exact = as_matrix(values, place=_PLACE, argument="values")
    wanted = (len(proposer.candidates), 2)
    if exact.shape != wanted or n_start > wanted[0]:
        raise InputError(
            sentence(_PLACE, "values", f"have shape {wanted}, and n_start rows at least", exact.shape)
        )
    plan = {
        "proposer": proposer, "exact": exact, "noise": tuple(noise), "n_start": int(n_start),
        "n_rounds": int(n_rounds), "until_best": bool(until_best), "seed": int(random_state),
    }  # fmt: skip
    found = run_chunks(
        functools.partial(_replay, **plan), list(range(repeats)), n_jobs=n_jobs, progress=progress,
        description="Replaying",
    )  # fmt: skip
    return pd.concat(found, ignore_index=True)


def rounds_to_best(table: pd.DataFrame, column: str = "round") -> pd.Series:
    """Rounds until the best candidate was measured, for every repeat.

    Parameters
    ----------
    table : DataFrame
        From :func:`simulate_two_sources`.
    column : {"round", "spent"}, default="round"
        What is counted.

    Returns
    -------
    Series
        By repeat; infinite where it was not found.

    Examples
    --------
    >>> table = pd.DataFrame({"repeat": [0, 0, 1], "round": [0, 3, 0], "found": [False, True, False]})
    >>> rounds_to_best(table).tolist()
    [3.0, inf]
    """
    reached = table[table["found"]].groupby("repeat")[column].min()
    return reached.reindex(table["repeat"].unique()).fillna(np.inf).astype(float).rename(column)


def _replay(
    repeat: int,
    *,
    proposer: Any,
    exact: Array,
    noise: tuple[float, float],
    n_start: int,
    n_rounds: int,
    until_best: bool,
    seed: int,
) -> pd.DataFrame:
    """One loop."""
    rng = np.random.default_rng([seed & (2**63 - 1), repeat])
    guest = type(proposer)(**{**proposer.get_params(deep=False), "n_start": 0})
    guest._begin()
    names = guest.sources_
    records: list[tuple[int, str, int, float]] = []

    def tell(round_: int, row: int, source: int, seconds: float) -> None:
        guest.tell(row, exact[row, source] + noise[source] * rng.standard_normal(), names[source])
        records.append((round_, names[source], row, seconds))

    for source in (0, 1):
        for row in rng.permutation(len(exact))[:n_start]:
            tell(0, int(row), source, 0.0)
    truth = exact[:, 1] if guest.goal == "maximize" else -exact[:, 1]
    best = int(np.argmax(truth))
    for round_ in range(1, n_rounds + 1):
        if until_best and any(name == names[1] and row == best for _, name, row, _ in records):
            break
        clock = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            proposals = guest.ask()
        seconds = (time.perf_counter() - clock) / max(len(proposals), 1)
        if not proposals:
            break
        for proposal in proposals:
            tell(round_, int(proposal.index or 0), names.index(proposal.source), seconds)
    return _table(repeat, records, guest, exact, truth, best)


def _table(
    repeat: int, records: list[Any], guest: Any, exact: Array, truth: Array, best: int
) -> pd.DataFrame:
    """Rows of one repeat."""
    table = pd.DataFrame(records, columns=["round", "source", "index", "seconds"])
    table.insert(0, "repeat", repeat)
    measured = (table["source"] == guest.sources_[1]).to_numpy()
    rows = table["index"].to_numpy()
    so_far = np.maximum.accumulate(np.where(measured, truth[rows], -np.inf))
    sign = 1.0 if guest.goal == "maximize" else -1.0
    table["value"] = exact[rows, measured.astype(int)]
    table["spent"] = guest.history_["spent"].to_numpy()
    table["best"] = sign * np.where(np.isfinite(so_far), so_far, np.nan)
    table["found"] = np.logical_or.accumulate(measured & (rows == best))
    return table[["repeat", "round", "source", "index", "value", "spent", "best", "found", "seconds"]]
