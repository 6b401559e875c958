"""Every subset of the columns, up to a number of terms."""

from __future__ import annotations

from sozai.contracts.errors import InputError, NotIndependentError, sentence
from sozai.numerics.subset_search import SubsetProblem, SubsetResult
from sozai.symbolic.selectors.models import ModelList, SymbolicModel, sort_models
from sozai.symbolic.selectors.selector import SelectionTask, Selector

__all__ = ["Exhaustive", "most_terms"]

_FEW = 12  # columns of which all subsets are searched


class Exhaustive(Selector):
    """Best subsets of every size, found by scoring all of them.

    Parameters
    ----------
    max_terms : int or "auto", default=3
        Largest number of terms, fixed ones included (and the constant, where it is a column). ``"auto"``: 3,
        and of at most 12 columns any number, but no more than one term for five samples.
    min_terms : int, default=1
        Smallest number of terms; 0 adds the mean alone.
    n_best : int, default=50
        Models kept of every size.
    rank_by : {"rmse", "q2"}, default="rmse"
        Order within a size. For ``"q2"`` the ``10 * n_best`` best by RMSE are refitted and ranked, and a note
        says so, unless ``exact_press``.
    exact_press : bool, default=False
        Compute the leave-one-out error of every subset, so that ``rank_by="q2"`` is exact.
    method : {"auto", "direct", "bounds", "beam"}, default="auto"
        See :meth:`sozai.numerics.subset_search.SubsetProblem.search`. ``"beam"`` is a heuristic and says so.
    fixed : sequence of str or int
        Columns that are part of every model.
    max_combinations : float, default=1e10
        Refuse a larger search, with an estimate of its time.
    beam_width : int, default=1000
        Subsets extended per step of ``method="beam"``.
    n_jobs : int, optional
        Threads; -1 for all cores. The models do not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)`` several times a second, separately for every size.
    on_interrupt : {"raise", "return"}, default="raise"
        Ctrl-C raises ``KeyboardInterrupt``, or returns the best so far as a list with ``complete=False``.
    time_limit : float, optional
        Seconds per size, after which the best so far is returned with ``complete=False``.

    See Also
    --------
    LassoThenL0 : First a LASSO path, then this search on the columns that entered first.

    Notes
    -----
    Gram deflation, see :class:`sozai.numerics.subset_search.SubsetProblem`; the cost per subset does not
    depend on the number of samples. The best are refitted by QR. Sums of squares equal within 1e-10 are
    ordered by complexity, then by column numbers, so the answer is reproducible bit for bit.

    References
    ----------
    .. [1] G. M. Furnival and R. W. Wilson, Technometrics 16, 499 (1974).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(1).normal(size=(30, 6))
    >>> models = Exhaustive(max_terms=2).select(X, X[:, 0] - 2 * X[:, 3], list("abcdef"))
    >>> models.best("rmse").terms
    ('a', 'd')
    """

    def __init__(
        self,
        max_terms=3,
        *,
        min_terms=1,
        n_best=50,
        rank_by="rmse",
        exact_press=False,
        method="auto",
        fixed=(),
        max_combinations=1e10,
        beam_width=1000,
        n_jobs=None,
        progress=None,
        on_interrupt="raise",
        time_limit=None,
    ):
        self.max_terms = max_terms
        self.min_terms = min_terms
        self.n_best = n_best
        self.rank_by = rank_by
        self.exact_press = exact_press
        self.method = method
        self.fixed = fixed
        self.max_combinations = max_combinations
        self.beam_width = beam_width
        self.n_jobs = n_jobs
        self.progress = progress
        self.on_interrupt = on_interrupt
        self.time_limit = time_limit

    def _select(self, task: SelectionTask) -> ModelList:
        self._check(task)
        fixed = task.positions(self.fixed, "fixed")
        task.fit(fixed) if fixed else None  # dependent fixed columns are named here
        options = {"center": task.fit_intercept, "fixed": fixed, "complexity": task.complexity}
        problem = SubsetProblem(task.X, task.y, **options)
        smallest = max(self.min_terms, len(fixed))
        most = most_terms(self.max_terms, task.n_columns, task.n_samples)
        largest = min(most, problem.largest_size)
        if largest < smallest:
            self._refuse_sizes(task, problem, smallest)
        notes = self._first_notes(task, problem, largest, most)
        score = "press" if self.rank_by == "q2" and self.exact_press else "sse"
        problem.plan(largest, score=score, method=self.method, max_subsets=self.max_combinations)
        models: list[SymbolicModel] = []
        complete = True
        for size in range(smallest, largest + 1):
            found = self._search(problem, size, score)
            complete = complete and found.complete
            notes += _describe(found, size)
            models += self._refit(task, found)
            if not found.complete and found.method != "beam":
                break
        return ModelList(tuple(models), complete=complete, notes=tuple(notes))

    def _search(self, problem: SubsetProblem, size: int, score: str) -> SubsetResult:
        """Find the best subsets of one size, some more than asked for."""
        screened = 10 * self.n_best if self.rank_by == "q2" and score == "sse" else self.n_best + 16
        return problem.search(
            size,
            n_keep=screened,
            score=score,
            method=self.method,
            n_jobs=self.n_jobs,
            max_subsets=self.max_combinations,
            beam_width=self.beam_width,
            progress=self.progress,
            on_interrupt=self.on_interrupt,
            time_limit=self.time_limit,
        )

    def _refit(self, task: SelectionTask, found: SubsetResult) -> list[SymbolicModel]:
        """Refit the best subsets and order them as asked for."""
        models = []
        for subset in found.subsets.tolist():
            try:
                models.append(task.model(subset))
            except NotIndependentError:  # a relation the Gram matrix is too coarse to see
                continue
        return sort_models(models, self.rank_by)[: self.n_best]

    def _first_notes(self, task: SelectionTask, problem: SubsetProblem, largest: int, most: int) -> list[str]:
        """Say what was left out before the search."""
        notes = []
        if len(problem.excluded):
            shown = ", ".join(task.names[j] for j in problem.excluded[:5])
            count = len(problem.excluded)
            notes.append(f"{count} columns left out: constant, zero or dependent on fixed ones ({shown})")
        if largest < most:
            notes.append(f"models end at {largest} terms: {task.n_samples} samples, {task.n_columns} columns")
        if self.rank_by == "q2" and not self.exact_press:
            notes.append(f"ranked by Q2 among the {10 * self.n_best} best by RMSE of every size")
        return notes

    def _refuse_sizes(self, task: SelectionTask, problem: SubsetProblem, smallest: int) -> None:
        """No model of the wanted size leaves a degree of freedom."""
        raise InputError(
            sentence(
                task.place,
                "min_terms",
                f"be at most {problem.largest_size} for {task.n_samples} samples and "
                f"{len(problem.columns) + len(problem.fixed)} usable columns",
                smallest,
                remedy=f"{smallest} terms need at least {smallest + 1 + task.fit_intercept} rows.",
            )
        )

    def _check(self, task: SelectionTask) -> None:
        """Refuse parameters that make no sense."""
        if self.rank_by not in ("rmse", "q2"):
            raise InputError(sentence(task.place, "rank_by", "be 'rmse' or 'q2'", self.rank_by))
        for name, lowest in (("max_terms", max(self.min_terms, 0)), ("min_terms", 0), ("n_best", 1)):
            value = getattr(self, name)
            if value != "auto" and value < lowest:
                raise InputError(sentence(task.place, name, f"be at least {lowest}", value))


def most_terms(max_terms: int | str, n_columns: int, n_samples: int) -> int:
    """Largest number of terms that ``max_terms`` stands for.

    Examples
    --------
    >>> most_terms("auto", 500, 100), most_terms("auto", 6, 100), most_terms("auto", 6, 20)
    (3, 6, 4)
    """
    if max_terms != "auto":
        return int(max_terms)
    return 3 if n_columns > _FEW else min(max(3, n_samples // 5), n_columns)


def _describe(found: SubsetResult, size: int) -> list[str]:
    """Write the notes on one size."""
    notes = []
    scored = f"{found.n_scored:,} of {found.n_subsets:,}"
    if found.n_collinear_pivots:
        notes.append(f"{size} terms: {found.n_collinear_pivots} collinear pivots skipped")
    if found.method == "beam":
        notes.append(f"{size} terms: beam search, a heuristic ({scored} subsets scored)")
    elif not found.complete:
        notes.append(f"{size} terms: stopped after {scored} subsets")
    return notes
