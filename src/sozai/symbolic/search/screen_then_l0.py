"""Laws of several terms out of millions of candidates: screen, extend the best, search what survived."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from numbers import Integral

import numpy as np

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import BaseEstimator
from sozai.symbolic.search.records import SearchResult, SearchTarget
from sozai.symbolic.search.search_run import SearchRun
from sozai.symbolic.selectors.exhaustive import Exhaustive

__all__ = ["ScreenThenL0", "SearchResult"]

#: Candidates times rows screened per second on one core, for estimates.
SPEED = 1e9


class ScreenThenL0(BaseEstimator):
    r"""Sure independence screening, then every subset of what survived.

    Screen 1 keeps the candidates that explain most of the target alone. Screen
    d keeps those that explain most beside the best laws of d - 1 terms found so
    far. Each does so among all formulas, and among the simple ones. All subsets
    of the survivors are then scored.

    Parameters
    ----------
    n_keep : int or sequence of int, default=100
        Candidates each screen keeps; a sequence has one number a screen.
    max_terms : int, default=3
        Largest number of terms, and of screens.
    n_residuals : int, default=10
        Laws of d - 1 terms that screen d extends.
    n_simple : int, default=100
        Candidates each screen keeps besides, taken in turn from the best of the
        formulas up to some complexity, for a ladder of complexities (see
        Notes); laws to extend are taken in turn likewise. 0 leaves the ladder
        out: the search of references 1 and 2.
    n_best : int, default=50
        Laws kept of every number of terms; beside them at most as many again
        whose terms are simple.
    min_terms : int, default=0
        Smallest number of terms; 0 has the mean among the answers.
    coefficient_sign : {None, 1, -1}, default=None
        Only laws whose coefficients all have this sign, in every task. The sign
        is that before the term as it is written: a difference stands with its
        first column in front, so prefer operations without differences.
    merge_affine : bool, default=True
        Keep one of the candidates that are equal up to scale and shift. With a
        ``coefficient_sign``, whose direction they may differ in, none is merged.
    max_candidates : float, default=1e9
        Refuse a larger space, with an estimate of its time.
    store : path-like, optional
        Folder in which finished parts of every screen are kept, so that a run
        that was killed goes on. Searches of other tables or settings, such as
        the folds of a test, may share it.
    n_jobs : int, optional
        Workers of the screens, threads of the search; -1 for all cores. The
        result does not depend on it.
    progress : object with ``advance(n)``, bool or None
        See :func:`sozai.contracts.progress.progress_bar`.
    on_interrupt : {"raise", "return"}, default="raise"
        Ctrl-C raises ``KeyboardInterrupt``, or returns the best so far with
        ``complete=False``.

    See Also
    --------
    sozai.symbolic.selection.Exhaustive : The search alone, over a table that fits into memory.

    Notes
    -----
    Sure independence screening [1]_ [2]_ correlates candidates with the
    residual :math:`e` of a law. Here the score of a candidate is the exact drop
    of the squared error when it *joins* the law and all coefficients are fitted
    again, :math:`(x^Te)^2 / \|x - P x\|^2` with P the projection on the terms
    the law has: one step of forward selection over the whole space, from the
    ``n_residuals`` best starting points at once. It is never below the squared
    correlation with the residual, and a candidate that resembles a term of
    the law is not punished for it. So the best pair that contains one of the
    terms extended is found with certainty.

    Which laws are extended decides. Among a hundred million formulas the best
    single ones are intricate imitations of the whole target, all alike, and a
    true term comes after thousands of them; among the formulas as simple as
    itself the leading term is among the first. Hence the *ladder*: a pool of up
    to 6,000 of the simplest formulas is kept in memory and ranked for every
    complexity it has; above it are steps with five times as many formulas as
    the one before, each with a pass of its own, which together cost a fraction
    of the pass over the whole space. Besides, all pairs of the 2,000 simplest
    formulas, all triples of 494 and all quadruples of 149 (fewer for several
    tasks) are compared, so that terms are found that explain little unless they
    stand together. The list of laws has the best of the steps too: a criterion
    that charges for complexity could not find them behind the imitations. Laws
    of a size that has more than 2e9 subsets of survivors (four terms of more
    than 469) leave the last of the simple ones out; a note says so.

    Several tasks share the terms; each has an intercept and coefficients of
    its own [3]_.

    References
    ----------
    .. [1] J. Fan, J. Lv, J. R. Stat. Soc. B 70, 849 (2008).
    .. [2] R. Ouyang et al., Phys. Rev. Materials 2, 083802 (2018).
    .. [3] R. Ouyang et al., J. Phys. Mater. 2, 024002 (2019).

    Examples
    --------
    >>> from sozai.symbolic.search.candidates import CandidateSpace
    >>> from sozai.symbolic.search.rungs import grow
    >>> X = np.random.default_rng(0).uniform(1, 2, (30, 3))
    >>> operations, pairs = ["exp_neg"], ["sum", "product", "ratio"]
    >>> base = grow(X, ["a", "b", "c"], operations=operations, pair_operations=pairs, rung=1)
    >>> space = CandidateSpace.of(base, operations, pairs)
    >>> y = 3 * X[:, 0] * X[:, 1] / X[:, 2] + 1
    >>> ScreenThenL0(n_keep=20, max_terms=2).find(space, y).models.of_size(1)[0].terms
    ('a*b/c',)
    """

    def __init__(
        self,
        n_keep=100,
        max_terms=3,
        *,
        n_residuals=10,
        n_simple=100,
        n_best=50,
        min_terms=0,
        coefficient_sign=None,
        merge_affine=True,
        max_candidates=1e9,
        store=None,
        n_jobs=None,
        progress=None,
        on_interrupt="raise",
    ):
        self.n_keep = n_keep
        self.max_terms = max_terms
        self.n_residuals = n_residuals
        self.n_simple = n_simple
        self.n_best = n_best
        self.min_terms = min_terms
        self.coefficient_sign = coefficient_sign
        self.merge_affine = merge_affine
        self.max_candidates = max_candidates
        self.store = store
        self.n_jobs = n_jobs
        self.progress = progress
        self.on_interrupt = on_interrupt

    def find(self, space, y, *, tasks=None, weights=None) -> SearchResult:
        """Search the laws of one target, or of one target a task.

        Parameters
        ----------
        space : CandidateSpace
        y : array-like of shape (n_samples,)
        tasks : array-like of shape (n_samples,), optional
            Label of the task of every row.
        weights : None, "variance", mapping or array-like, optional
            Weight of every task, see
            :func:`sozai.numerics.task_subsets.best_task_subsets`.

        Returns
        -------
        SearchResult

        Raises
        ------
        InputError
            More candidates than ``max_candidates``, parameters that make no
            sense, fewer than three rows. Nothing has been computed then.
        """
        y = as_vector(y, space.base.values.shape[1], place="ScreenThenL0.find")
        sizes = self._check(space, y)
        target = SearchTarget.of(y, tasks, weights)
        search = SearchRun(self, space, target, sizes)
        if self.min_terms > search.max_terms:
            rows = min(len(r) for r in target.rows)
            raise _error(
                "min_terms",
                f"be at most {search.max_terms} for {rows} rows a task",
                self.min_terms,
                "Add rows.",
            )
        if target.constant:
            warnings.warn(
                "ScreenThenL0.find: y is constant; the law is its mean.", ConvergenceWarning, stacklevel=2
            )
            search.notes.append("y is constant")
        else:
            search.screen_all()
        return search.result()

    def _check(self, space, y) -> tuple[int, ...]:
        """Refuse what makes no sense or takes too long; candidates to keep in every screen."""
        for name, lowest in (("min_terms", 0), ("n_residuals", 1), ("n_simple", 0), ("n_best", 1)):
            self._need(name, lowest)
        self._need("max_terms", max(int(self.min_terms), 1))
        if self.on_interrupt not in ("raise", "return"):
            raise _error("on_interrupt", "be 'raise' or 'return'", self.on_interrupt)
        if self.coefficient_sign is not None and self.coefficient_sign not in (1, -1):
            raise _error("coefficient_sign", "be None, 1 or -1", self.coefficient_sign)
        if len(y) < 3:
            raise _error("y", "have at least 3 rows", len(y), "Add rows.")
        sizes = self._sizes()
        if space.n_candidates > self.max_candidates:
            seconds = space.n_candidates * len(y) * (1 + 3 * (self.max_terms - 1)) / SPEED
            raise _error(
                "max_candidates",
                f"be at least the {space.n_candidates:.4g} formulas of this space",
                self.max_candidates,
                f"{self.max_terms} screens take about {seconds:.2g} s on one core: raise it, or use fewer "
                "columns, fewer operations, a smaller rung or max_complexity.",
            )
        subsets = math.comb(min(sum(sizes), space.n_candidates), self.max_terms)
        limit = Exhaustive().max_combinations
        if subsets > limit:
            raise _error(
                "n_keep",
                f"leave at most {limit:.4g} subsets of {self.max_terms} survivors to search",
                self.n_keep,
                f"These are {subsets:.4g} subsets: keep fewer, or lower max_terms.",
            )
        return sizes

    def _need(self, name, lowest) -> None:
        """Whole number, not too small."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < lowest:
            raise _error(name, f"be a whole number of at least {lowest}", value)

    def _sizes(self) -> tuple[int, ...]:
        """Candidates to keep in every screen."""
        given = self.n_keep
        if isinstance(given, Integral) and not isinstance(given, bool):
            given = [given] * self.max_terms
        if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, str):
            raise _error("n_keep", "be a number or one number a screen", self.n_keep)
        if len(given) != self.max_terms:
            raise _error("n_keep", f"have one number a screen ({self.max_terms})", self.n_keep)
        if not all(isinstance(size, Integral) and size >= 1 for size in given):
            raise _error("n_keep", "be at least 1", self.n_keep)
        return tuple(int(size) for size in given)


def _error(argument: str, requirement: str, value, remedy: str = "") -> InputError:
    """What is wrong with the question."""
    return InputError(sentence("ScreenThenL0.find", argument, requirement, value, remedy=remedy))
