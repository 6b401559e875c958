"""How many labels a proposer needs until its phase diagram is right: campaigns replayed on known maps."""

from __future__ import annotations

import functools
import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.chunk_store import ChunkStore
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import run_chunks
from sozai.contracts.progress import Progress

__all__ = ["evaluate_phase_sampling", "labels_to_reach", "phase_map_scores"]

Array = NDArray[np.float64]
_PLACE = "evaluate_phase_sampling"
_COLUMNS = ("f1", "accuracy", "n_found", "brier", "calibration_error")


def evaluate_phase_sampling(
    candidates: Any,
    truth: Sequence[str],
    make_proposer: Callable[[Any, int], Any],
    n_start: int = 9,
    n_labels: int = 200,
    repeats: int = 20,
    *,
    every: int = 10,
    batch_size: int = 1,
    compositions: Callable[[int], Any] | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Replay the making of a phase diagram whose labels are all known.

    Parameters
    ----------
    candidates : DataFrame or array-like of shape (N, p)
    truth : sequence of str
        Label of every candidate.
    make_proposer : callable
        ``make_proposer(candidates, seed)`` gives a fresh
        :class:`~sozai.proposals.phase_diagram.PhaseDiagramProposer`. With a ``store`` a function of a module.
    n_start : int, default=9
        Random labels at the beginning; they depend on ``random_state`` and the number of the repeat alone,
        so that two proposers can be compared repeat by repeat.
    n_labels : int, default=200
        Labels at the end.
    repeats : int, default=20
    every : int, default=10
        Labels between two rows of the table.
    batch_size : int, default=1
        Points measured at once.
    compositions : callable, optional
        ``compositions(row)`` gives what ``tell`` takes as compositions of the phases.
    random_state : int, default=0
    n_jobs : int, optional
        Repeats side by side.
    store : path-like, optional
        Folder where finished repeats are kept, so that a stopped study goes on.
    progress : object, bool or None

    Returns
    -------
    DataFrame
        ``repeat, n_labels, f1`` (mean over all true classes; one that is not found counts 0), ``accuracy``,
        ``n_found`` (true classes among the labels), ``brier``, ``calibration_error`` (ten bins, points that
        were not measured), ``seconds`` (asking and telling so far).

    Raises
    ------
    InputError
        For sizes that do not fit.

    See Also
    --------
    labels_to_reach : From this table, how many labels it took.

    Examples
    --------
    >>> from sozai.proposals.phase_diagram import PhaseDiagramProposer
    >>> from sozai.proposals.phase_grids import parse_grid
    >>> line = parse_grid("binary:step=0.02")
    >>> truth = ["A" if x > 0.6 else "B" for x in line["A"]]
    >>> def make(points, seed):
    ...     return PhaseDiagramProposer(points, random_state=seed)
    >>> table = evaluate_phase_sampling(line, truth, make, 2, 10, repeats=2, every=4)
    >>> table["n_labels"].tolist(), bool(table["f1"].iloc[-1] > 0.9)
    ([2, 6, 10, 2, 6, 10], True)
    """
    labels = [str(label) for label in truth]
    size = len(candidates)
    for name, value in (("n_start", n_start), ("repeats", repeats), ("every", every),
                        ("batch_size", batch_size)):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(sentence(_PLACE, name, "be a whole number of 1 or more", value))
    if len(labels) != size:
        raise InputError(sentence(_PLACE, "truth", f"have {size} labels, one a candidate", len(labels)))
    if not n_start <= n_labels <= size:
        raise InputError(
            sentence(_PLACE, "n_labels", f"lie between n_start ({n_start}) and {size} candidates", n_labels)
        )
    plan = {
        "truth": labels, "sizes": [int(n_start), int(n_labels), int(every), int(batch_size)],
        "seed": int(random_state),
    }  # fmt: skip
    shelf, done = None, {}
    if store is not None:
        words = f"{getattr(make_proposer, '__module__', '')}.{getattr(make_proposer, '__qualname__', '')}"
        named = functools.partial(_replay, maker=words, measured=compositions is not None, **plan)
        shelf = ChunkStore.open(Path(store), named, list(range(repeats)), random_state)
        done = shelf.finished()
    missing = [k for k in range(repeats) if k not in done]
    task = functools.partial(
        _replay, candidates=candidates, make_proposer=make_proposer, compositions=compositions,
        shelf=shelf, **plan,
    )  # fmt: skip
    found = run_chunks(task, missing, n_jobs=n_jobs, progress=progress, description="Replaying")
    done |= dict(zip(missing, found, strict=True))
    tables = [
        pd.DataFrame(np.asarray(done[k]["rows"]), columns=["n_labels", *_COLUMNS, "seconds"]).assign(repeat=k)
        for k in range(repeats)
    ]
    whole = {"repeat": int, "n_labels": int, "n_found": int}
    return pd.concat(tables, ignore_index=True)[["repeat", "n_labels", *_COLUMNS, "seconds"]].astype(whole)


def labels_to_reach(table: pd.DataFrame, f1: Sequence[float] = (0.7, 0.8, 0.9, 0.95)) -> pd.DataFrame:
    """Labels until the mean F1 was reached, for every repeat.

    Parameters
    ----------
    table : DataFrame
        From :func:`evaluate_phase_sampling`.
    f1 : sequence of float

    Returns
    -------
    DataFrame
        One row a repeat, one column a level; interpolated between rows of the table, infinite where it was
        not reached.

    Examples
    --------
    >>> table = pd.DataFrame({"repeat": 0, "n_labels": [10, 20], "f1": [0.5, 0.9]})
    >>> labels_to_reach(table, (0.7, 0.95)).loc[0].tolist()
    [15.0, inf]
    """
    rows = {}
    for repeat, part in table.groupby("repeat"):
        counts, values = part["n_labels"].to_numpy(float), part["f1"].to_numpy()
        found = []
        for level in f1:
            above = np.flatnonzero(values >= level)
            if not len(above):
                found.append(np.inf)
                continue
            k = int(above[0])
            slope = (level - values[k - 1]) / (values[k] - values[k - 1]) if k else 1.0
            found.append(counts[k - 1] + slope * (counts[k] - counts[k - 1]) if k else counts[0])
        rows[repeat] = found
    return pd.DataFrame.from_dict(rows, orient="index", columns=[float(level) for level in f1])


def phase_map_scores(
    truth: NDArray[Any], classes: NDArray[Any], p: Array, measured: NDArray[np.bool_]
) -> dict[str, float]:
    """How right a map of probabilities is.

    Parameters
    ----------
    truth : ndarray of str of shape (N,)
    classes : ndarray of str of shape (C,)
    p : ndarray of shape (N, C)
    measured : ndarray of bool of shape (N,)
        Left out of the calibration error and the Brier score.

    Returns
    -------
    dict
        ``f1, accuracy, n_found, brier, calibration_error``.

    Examples
    --------
    >>> truth, p = np.array(["A", "B"]), np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> scores = phase_map_scores(truth, np.array(["A", "B"]), p, np.zeros(2, dtype=bool))
    >>> scores["f1"], round(scores["calibration_error"], 2)
    (1.0, 0.15)
    """
    real, codes = np.unique(truth, return_inverse=True)
    position = {name: k for k, name in enumerate(real)}
    lookup = np.array([position.get(name, -1) for name in classes])
    guess = lookup[p.argmax(axis=1)]
    right = guess == codes
    counts = np.bincount(codes, minlength=len(real))
    hits = np.bincount(codes[right], minlength=len(real))
    claimed = np.bincount(guess[guess >= 0], minlength=len(real))
    f1 = 2.0 * hits / np.maximum(counts + claimed, 1)
    open_ = ~measured
    own = np.zeros(len(truth))
    back = np.full(len(real), -1)
    back[lookup[lookup >= 0]] = np.flatnonzero(lookup >= 0)
    known = back[codes]
    own[known >= 0] = p[np.flatnonzero(known >= 0), known[known >= 0]]
    brier = (p**2).sum(axis=1) - 2.0 * own + 1.0
    return {
        "f1": float(f1.mean()),
        "accuracy": float(right.mean()),
        "n_found": float(len(set(classes) & set(real))),
        "brier": float(brier[open_].mean()) if open_.any() else 0.0,
        "calibration_error": _calibration_error(p.max(axis=1)[open_], right[open_]),
    }


def _calibration_error(confidence: Array, right: NDArray[np.bool_]) -> float:
    """Mean distance between confidence and rate of right answers, over ten bins of confidence."""
    if not len(confidence):
        return 0.0
    bins = np.minimum((10.0 * confidence).astype(np.int64), 9)
    size = np.bincount(bins, minlength=10)
    gap = np.bincount(bins, confidence, 10) - np.bincount(bins, right.astype(np.float64), 10)
    return float(np.abs(gap).sum() / size.sum())


def _replay(
    repeat: int,
    *,
    candidates: Any = None,
    truth: Sequence[str],
    make_proposer: Any = None,
    sizes: Sequence[int],
    seed: int,
    compositions: Any = None,
    shelf: ChunkStore | None = None,
    maker: str = "",
    measured: bool = False,
) -> dict[str, Any]:
    """One campaign: a row of scores at every count."""
    n_start, n_labels, every, batch_size = sizes
    labels = np.array(list(truth), dtype=object)
    rng = np.random.default_rng([seed & (2**63 - 1), repeat])
    start = [int(row) for row in rng.permutation(len(labels))[:n_start]]
    proposer = make_proposer(candidates, int(rng.integers(2**31)))
    taken = np.zeros(len(labels), dtype=np.bool_)
    rows, spent, count = [], 0.0, 0
    waiting = start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while waiting:
            clock = time.perf_counter()
            for row in waiting:
                known = None if compositions is None else compositions(row)
                proposer.tell(row, labels[row], known)
            taken[waiting] = True
            before, count = count, count + len(waiting)
            due = count == n_start or (count - n_start) // every > (before - n_start) // every
            ahead = min(batch_size, n_labels - count)
            waiting = [int(one.index) for one in proposer.ask(ahead)] if ahead > 0 else []
            spent += time.perf_counter() - clock
            if due or not waiting:
                scores = phase_map_scores(
                    labels.astype(str), proposer.classes_.astype(str), proposer.probabilities_, taken
                )
                rows.append([count, *(scores[name] for name in _COLUMNS), spent])
    result = {"rows": np.array(rows)}
    if shelf is not None:
        shelf.keep(repeat, result)
    return result
