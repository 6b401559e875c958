"""The best candidates of a space of formulas, found without storing the space."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from time import perf_counter
from typing import Any

import joblib
import numpy as np
import pandas as pd
from joblib.parallel import ThreadingBackend, get_active_backend
from threadpoolctl import threadpool_limits

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import run_chunks
from sozai.contracts.progress import Progress
from sozai.contracts.records import Failure
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.partial_gain import PartialGain
from sozai.symbolic.search.scanning import WORDS, BoundPlan, Plan, Scan, screen_chunk
from sozai.symbolic.search.screening_kernels import NOT_FINITE
from sozai.symbolic.search.shortlist import Shortlist, best_formulas, candidate_values

__all__ = ["PartialGain", "ScreenResult", "screen"]

_CHUNK_SECONDS = (0.04, 0.5)  # least and most work of a chunk
_N_LISTED = 5  # equivalents written out


@dataclass(frozen=True, eq=False)
class ScreenResult:
    """The best distinct candidates of a space, best first.

    Attributes
    ----------
    expressions : Expressions
        The store, which now holds the candidates kept.
    ids : ndarray of int64 of shape (k,)
        Their ids; ties in score are ordered by complexity, then structural hash.
    values : ndarray of shape (k, m)
        Their values, one row each.
    scores : ndarray of shape (k,)
        Their scores.
    complexity : ndarray of int64 of shape (k,)
        Their complexity, after simplification.
    n_scored : int
        Candidates scored.
    n_suspects : int
        Candidates whose closed form cancelled, and that were computed instead.
    n_rejected : DataFrame
        Candidates without a score: ``reason``, ``operation``, ``count``.
    n_equivalents : ndarray of int64 of shape (k,)
        Other formulas in the space with the same values up to a + b f.
    equivalent_ids : tuple of ndarray of int64
        The five simplest of them.
    seconds : float
        Wall time.

    Examples
    --------
    >>> from sozai.symbolic.search.rungs import grow
    >>> X = np.random.default_rng(0).uniform(1, 2, size=(20, 3))
    >>> space = CandidateSpace.of(grow(X, rung=0), ["square"], ["product"])
    >>> screen(space, PartialGain(X[:, 0] * X[:, 2] + 1), n_keep=2)
    ScreenResult(2 of 9 candidates, best score 1)
    """

    expressions: Expressions
    ids: np.ndarray
    values: np.ndarray
    scores: np.ndarray
    complexity: np.ndarray
    n_scored: int
    n_suspects: int
    n_rejected: pd.DataFrame
    n_equivalents: np.ndarray
    equivalent_ids: tuple[np.ndarray, ...]
    seconds: float

    @cached_property
    def equivalents(self) -> tuple[tuple[str, ...], ...]:
        """The five simplest of the other formulas of every candidate, as text."""
        return tuple(tuple(self.expressions.texts(ids)) for ids in self.equivalent_ids)

    @property
    def names(self) -> tuple[str, ...]:
        """Candidates as text."""
        return tuple(self.expressions.texts(self.ids))

    def __len__(self) -> int:
        return self.ids.size

    def __repr__(self) -> str:
        best = f", best score {self.scores[0]:.6g}" if len(self) else ""
        return f"ScreenResult({len(self)} of {self.n_scored:,} candidates{best})"

    def to_frame(self) -> pd.DataFrame:
        """One row per candidate: formula, score, complexity, equivalents."""
        return pd.DataFrame(
            {
                "formula": self.names,
                "score": self.scores,
                "complexity": self.complexity,
                "n_equivalents": self.n_equivalents,
                "equivalents": self.equivalents,
            }
        )


def screen(
    space: CandidateSpace,
    score: Any,
    *,
    n_keep: int = 100,
    merge_affine: bool = True,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Progress | bool | None = None,
) -> ScreenResult:
    r"""Find the best distinct candidates of a space.

    Parameters
    ----------
    space : CandidateSpace
        Base and operations.
    score : PartialGain or object with ``evaluate``
        ``evaluate(values)`` gets features as rows (b, m), finite and varying,
        and returns their scores (b,); larger is better, NaN is no score. It must
        be picklable and must not change. For :class:`PartialGain` most
        candidates are never computed at all.
    n_keep : int, default=100
        Candidates to return.
    merge_affine : bool, default=True
        Count f and a + b f as one (:math:`|\mathrm{corr}| \ge 1 - 10^{-10}`);
        otherwise only equal values, up to sign.
    n_jobs : int, optional
        Workers; threads unless ``joblib.parallel_config`` names another backend.
    store : path-like, optional
        Folder in which finished chunks are kept, so that a run that was stopped
        goes on where it was.
    progress : object with ``advance(n)``, bool or None
        See :func:`~sozai.contracts.progress.progress_bar`.

    Returns
    -------
    ScreenResult
        The same bits for any number of workers, any backend, and after a
        restart.

    Raises
    ------
    InputError
        The score belongs to another number of samples, or the folder to
        another run.

    Notes
    -----
    Three sieves of rising cost. (1) Sums of whole rectangles of pairs by
    products of matrices (:class:`~sozai.symbolic.search.closed_forms.ClosedForms`), or, where no
    closed form exists, of computed values. (2) What passes the running threshold, with a
    margin for rounding, is computed and scored in two passes; so is every
    *suspect* whose denominator is smaller than :math:`10^{-9}\sum f^2` and may be
    rounding. (3) Formulas are brought into canonical form, equal ones and equal
    values merged; the n_keep-th best distinct score, less a margin, is the new
    threshold. The result is that of computing every candidate.

    Candidates that are singular inside a declared domain, not finite, zero or
    constant are rejected and counted: ``n_scored`` and the counts of ``n_rejected``
    add up to ``space.n_candidates``.

    References
    ----------
    .. [1] J. Fan, J. Lv, J. R. Stat. Soc. B 70, 849 (2008).
    .. [2] R. Ouyang et al., Phys. Rev. Materials 2, 083802 (2018).

    Examples
    --------
    >>> from sozai.symbolic.search.rungs import grow
    >>> X = np.random.default_rng(0).uniform(1, 2, size=(30, 4))
    >>> y = X[:, 0] / (X[:, 1] + X[:, 2])
    >>> space = CandidateSpace.of(grow(X, pair_operations=["sum"]), (), ["sum", "product", "ratio"])
    >>> found = screen(space, PartialGain(y), n_keep=3)
    >>> found.names[0], round(float(found.scores[0]), 6)
    ('x0/(x1 + x2)', 1.0)
    """
    return _screen(space, score, n_keep, merge_affine, n_jobs, store, progress)


def _screen(
    space: CandidateSpace,
    score: Any,
    n_keep: int,
    merge_affine: bool,
    n_jobs: int | None,
    store: str | os.PathLike[str] | None,
    progress: Progress | bool | None,
    chunk_seconds: tuple[float, float] = _CHUNK_SECONDS,
) -> ScreenResult:
    """``screen`` with a choice of the chunk size, on which nothing depends."""
    begin = perf_counter()
    _check(space, score, n_keep)
    plan = Plan(space, score, n_keep, merge_affine)
    with threadpool_limits(limits=1):
        features = Scan(plan).base_features()
        plan.threshold = plan.reached = Scan(plan).sample(features["members"])
    results = [features, *_run(plan, _chunks(plan, *chunk_seconds), n_jobs, store, progress)]
    shortlist = Shortlist(space, n_keep, merge_affine, left=plan.left)
    for result in results:
        shortlist.add_records(result["members"])
    return _assemble(plan, shortlist, results, begin)


def _check(space: CandidateSpace, score: Any, n_keep: int) -> None:
    """Refuse what cannot be screened."""
    place, m = "screen", space.base.values.shape[1]
    if not callable(getattr(score, "evaluate", None)):
        raise InputError(
            sentence(
                place,
                "score",
                "have a method evaluate(values)",
                type(score).__name__,
                remedy="Pass PartialGain(y), or an object of your own.",
            )
        )
    n = getattr(score, "n_samples", m)
    if n != m:
        raise InputError(
            sentence(place, "score", f"be made of the {m} samples of the space", n, remedy="Check y.")
        )
    if n_keep < 1:
        raise InputError(sentence(place, "n_keep", "be at least 1", n_keep, remedy="Raise it."))


# -- chunks ---------------------------------------------------------------------------------------


def _chunks(plan: Plan, least: float, most: float) -> list[tuple[int, int]]:
    """Ranges of tiles of about equal work."""
    seconds = plan.seconds()
    if not seconds.size:
        return []
    total = float(seconds.sum())
    size = min(most, max(least, total / 16))
    label = np.floor((np.cumsum(seconds) - seconds / 2) / size)
    edges = [0, *(np.flatnonzero(np.diff(label)) + 1).tolist(), seconds.size]
    return list(pairwise(edges))


def _run(
    plan: Plan,
    chunks: Sequence[tuple[int, int]],
    n_jobs: int | None,
    store: str | os.PathLike[str] | None,
    progress: Progress | bool | None,
) -> list[Any]:
    """Results of all chunks, on threads unless the user chose a backend."""
    function = functools.partial(screen_chunk, plan) if store is None else BoundPlan(screen_chunk, plan)
    backend: Any = contextlib.nullcontext()
    if isinstance(get_active_backend(prefer="threads")[0], ThreadingBackend):
        plan.prepare()
        n_jobs = joblib.effective_n_jobs(n_jobs)
        backend = joblib.parallel_config(backend="threading", n_jobs=n_jobs)
    with backend:
        results = run_chunks(
            function, chunks, n_jobs=n_jobs, store=store, progress=progress, description="Screening"
        )
    for result in results:
        if isinstance(result, Failure):
            raise RuntimeError(f"screen: {result.message}")
    return results


# -- the answer -----------------------------------------------------------------------------------


def _assemble(plan: Plan, shortlist: Shortlist, results: Sequence[Any], begin: float) -> ScreenResult:
    """Put the best into the store, in order."""
    space, expressions = plan.space, plan.space.base.expressions
    best, others = best_formulas(shortlist)
    ids = best["id"].copy()
    rejected = np.sum([result["rejected"] for result in results], axis=0)
    return ScreenResult(
        expressions=expressions,
        ids=ids,
        values=candidate_values(space, best) / best["factor"][:, None],
        scores=best["score"].copy(),
        complexity=best["complexity"].copy(),
        n_scored=space.n_candidates - int(rejected.sum()),
        n_suspects=sum(int(result["n_suspects"]) for result in results),
        n_rejected=_rejection_table(space, rejected),
        n_equivalents=np.array([len(group) for group in others], dtype=np.int64),
        equivalent_ids=tuple(group["id"][:_N_LISTED].copy() for group in others),
        seconds=perf_counter() - begin,
    )


def _rejection_table(space: CandidateSpace, rejected: np.ndarray) -> pd.DataFrame:
    """Rejected candidates by reason and operation; the last row of counts is that of the base."""
    rows = []
    names = [*(operation.name for operation in space.operations), "feature"]
    singular = [*(operation.singular for operation in space.operations), False]
    for op, state in np.argwhere(rejected).tolist():
        reason = "overflow" if state == NOT_FINITE and not singular[op] else WORDS[state]
        rows.append((reason, names[op], int(rejected[op, state])))
    return pd.DataFrame(rows, columns=["reason", "operation", "count"]).astype({"count": np.int64})
