"""Sets of terms that separate classes: found among screened formulas, compared at equal footing."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sozai.symbolic.classification.boundary import fit_boundary
from sozai.symbolic.classification.calibration import calibration_slope, probabilities
from sozai.symbolic.classification.classes import Classes
from sozai.symbolic.classification.domain_overlap import DomainOverlap
from sozai.symbolic.classification.logistic import LogisticScore, fit_logistic, null_likelihood, score_subsets
from sozai.symbolic.classification.logistic_gain import LogisticGain
from sozai.symbolic.classification.overlap_search import hull_overlap, search_overlap
from sozai.symbolic.classification.thresholds import AreaScore, ThresholdScore
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.scanning import Plan
from sozai.symbolic.search.screening import screen
from sozai.symbolic.selectors.law_search import DescriptionLength

__all__ = ["SCORES", "SeparatingTerms", "TermSearch"]

SCORES = ("threshold", "interval", "auc", "domain_overlap", "logistic")
"""How a single formula may be scored."""

_MOST_SUBSETS = 200_000  # sets of terms that are compared


@dataclass(frozen=True, eq=False, repr=False)
class SeparatingTerms:
    """A set of formulas and how well it separates the classes of the training rows.

    Attributes
    ----------
    terms : tuple of str
        Formulas; empty for the class frequencies alone.
    ids : tuple of int
        Their ids in the store.
    n_terms, complexity : int
    score : float
        What they were ranked by: that of one term, or of the set (the pseudo-R²
        of a logistic model, minus the number of samples inside the hull of
        another class); NaN without terms.
    log_likelihood : float
        Of a logistic model of the terms; for a single term that is cut, of the
        class frequencies in its pieces or of a sigmoid of the distance to the
        cut, whichever the criterion prefers.
    n_parameters : int
        Of that model.
    criterion : float
        Extended Bayesian criterion; less is better.
    n_correct : int
        Rows that model classes correctly.

    Examples
    --------
    >>> SeparatingTerms(("a",), (1,), 1, 1, 0.9, -4.0, 2, 12.5, 9)
    SeparatingTerms(a; 9 correct, criterion 12.5)
    """

    terms: tuple[str, ...]
    ids: tuple[int, ...]
    n_terms: int
    complexity: int
    score: float
    log_likelihood: float
    n_parameters: int
    criterion: float
    n_correct: int

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([{name: getattr(self, name) for name in self.__dataclass_fields__}])

    def __repr__(self) -> str:
        names = ", ".join(self.terms) or "no term"
        return f"SeparatingTerms({names}; {self.n_correct} correct, criterion {self.criterion:.4g})"


class TermSearch:
    r"""Search of a space of formulas for sets that separate classes.

    Parameters
    ----------
    space : CandidateSpace
        Formulas to search.
    classes : Classes
    rank_by : str
        One of :data:`SCORES`.
    max_terms : int
    n_keep : int
        Formulas kept from every pass over the space.
    n_residuals : int
        Sets that a further pass starts from.
    n_best : int
        Sets of every size that are compared by the criterion.
    n_jobs : int or None
    boundary : str, default="auto"
        What separates the classes in the end, see
        :func:`~sozai.symbolic.classification.boundary.fit_boundary`.
    store : path-like, optional
        Folder in which finished parts of the passes are kept, each pass in one
        that bears the digest of all it depends on.
    progress : object with ``advance(n)``, bool or None

    Attributes
    ----------
    screens : list of ScreenResult
        One a pass.
    notes : list of str
        What was cut short.

    Notes
    -----
    Pass 1 keeps the ``n_keep`` best single formulas. Pass d keeps the best
    partners of the ``n_residuals`` best sets of d - 1 terms: by the overlap on the
    samples those left undecided (``"domain_overlap"``), else by the score test of
    their logistic models. All sets of d formulas kept so far are then compared
    by the hulls of the classes, or by the likelihood of their logistic models;
    above 200,000 sets the best of every pass only, and ``notes`` says so.

    The criterion is
    :math:`-2\ell + \frac{m}{m - p - 2}\left(p \ln m + 2 \sum_j \ln(N_j c)\right)`
    with :math:`N_j` candidates no more complex than term j [1]_: the more formulas
    were tried, the more a term must explain.

    References
    ----------
    .. [1] J. Chen, Z. Chen, Biometrika 95, 759 (2008).

    Examples
    --------
    >>> from sozai.symbolic.search.rungs import grow
    >>> X = np.random.default_rng(0).uniform(1, 2, size=(60, 3))
    >>> space = CandidateSpace.of(grow(X, ["a", "b", "c"], rung=0), (), ["ratio"])
    >>> search = TermSearch(space, Classes.of(X[:, 0] > 1.2 * X[:, 1]), "threshold", 1, 5, 5, 5, None)
    >>> search.run()[0].terms
    ('a/b',)
    """

    def __init__(
        self,
        space: CandidateSpace,
        classes: Classes,
        rank_by: str,
        max_terms: int,
        n_keep: int,
        n_residuals: int,
        n_best: int,
        n_jobs: int | None,
        boundary: str = "auto",
        *,
        store: str | os.PathLike[str] | None = None,
        progress: Any = None,
    ) -> None:
        self.space, self.classes, self.rank_by = space, classes, rank_by
        self.cuts_one = boundary in ("auto", "cut")
        self.max_terms, self.n_keep, self.n_residuals = max_terms, n_keep, n_residuals
        self.n_best, self.n_jobs = n_best, n_jobs
        self.store, self.progress = None if store is None else Path(store), progress
        self.length = DescriptionLength(*space.complexity_counts)
        self.screens: list[Any] = []
        self.notes: list[str] = []

    def run(self) -> list[SeparatingTerms]:
        """Sets of every size, best by the criterion first."""
        found = [self._record((), np.nan)]
        self._screen(self._first_score())
        sets, scores = np.arange(len(self.ids))[:, None], self.screens[0].scores
        found += [self._record(tuple(s), float(v)) for s, v in self._best(sets, scores)]
        for n_terms in range(2, self.max_terms + 1):
            if len(self.ids) < n_terms:
                break
            base = [list(s) for s, _ in self._best(sets, scores)[: self.n_residuals]]
            self._screen(self._further_score(base))
            sets, scores = self._sets_of(n_terms)
            found += [self._record(tuple(s), float(v)) for s, v in self._best(sets, scores)]
        return sorted(found, key=lambda each: (each.criterion, each.complexity, each.terms))

    # -- passes over the space --------------------------------------------------------------------

    def _first_score(self) -> Any:
        """Score of one formula."""
        codes = self.classes.codes
        if self.rank_by in ("threshold", "interval"):
            return ThresholdScore(codes, interval=self.rank_by == "interval")
        return {"auc": AreaScore, "domain_overlap": DomainOverlap, "logistic": LogisticScore}[self.rank_by](
            codes
        )

    def _further_score(self, base: list[list[int]]) -> Any:
        """Score of a partner of the best sets so far."""
        models = [self.values[rows] for rows in base]
        if self.rank_by == "domain_overlap":
            undecided = [hull_overlap(model, self.classes)[2] for model in models]
            return DomainOverlap(self.classes.codes, remaining=undecided)
        return LogisticGain(self.classes.codes, models)

    def _screen(self, score: Any) -> None:
        """One pass; formulas that are new join the pool."""
        folder = None
        if self.store is not None:  # the name says whose parts they are: folds share the store
            folder = self.store / Plan(self.space, score, self.n_keep, True).content()
        result = screen(
            self.space,
            score,
            n_keep=self.n_keep,
            n_jobs=self.n_jobs,
            store=folder,
            progress=self.progress,
        )
        rank = np.arange(len(result))
        if not self.screens:
            self.ids, self.values, self.rank = result.ids, result.values, rank
        else:
            new = ~np.isin(result.ids, self.ids)
            self.ids = np.r_[self.ids, result.ids[new]]
            self.values = np.vstack([self.values, result.values[new]])
            self.rank = np.r_[self.rank, rank[new]]
        self.screens.append(result)
        self.complexity = self.space.base.expressions.complexity[self.ids].astype(np.int64)

    # -- sets of terms ----------------------------------------------------------------------------

    def _sets_of(self, n_terms: int) -> tuple[np.ndarray, np.ndarray]:
        """All sets of formulas kept so far, as places in the pool, and their scores."""
        pool = np.flatnonzero(self.rank < self._depth(n_terms))
        if self.rank_by == "domain_overlap":
            found = search_overlap(
                self.values[pool],
                self.classes,
                n_terms,
                n_best=self.n_best,
                complexity=self.complexity[pool],
                n_jobs=self.n_jobs,
            )
            self.notes.extend(found.notes)
            return pool[found.columns], -(found.n_overlap + 0.5 * found.overlap)
        sets, scores = score_subsets(self.values[pool], self.classes, n_terms, n_jobs=self.n_jobs)
        return pool[sets], scores

    def _depth(self, n_terms: int) -> int:
        """How many formulas of every pass take part, so that their sets can be compared."""
        depth = int(self.rank.max()) + 1
        while math.comb(int(np.sum(self.rank < depth)), n_terms) > _MOST_SUBSETS:
            depth -= 1
        if depth <= self.rank.max():
            self.notes.append(f"sets of {n_terms} were sought among the best {depth} formulas of every pass")
        return depth

    def _best(self, sets: np.ndarray, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """The best sets; equal scores by complexity, then places."""
        complexity = self.complexity[sets].sum(axis=1)
        order = np.lexsort((*sets.T[::-1], complexity, -np.round(scores, 12)))
        return [(sets[k], scores[k]) for k in order[: self.n_best]]

    def _record(self, places: tuple[int, ...], score: float) -> SeparatingTerms:
        """Judge one set by the criterion."""
        rows, ids = self.values[list(places)] if places else None, [int(self.ids[k]) for k in places]
        complexity = [int(self.complexity[k]) for k in places]
        fits = self._fits(rows)
        value, likelihood, n_parameters, n_correct = min(
            (self._criterion(fit[0], fit[1], complexity), *fit) for fit in fits
        )
        return SeparatingTerms(
            tuple(self.space.base.expressions.texts(ids)) if ids else (),
            tuple(ids),
            len(ids),
            sum(complexity),
            score,
            likelihood,
            n_parameters,
            value,
            n_correct,
        )

    def _fits(self, rows: np.ndarray | None) -> list[tuple[float, int, int]]:
        """Log-likelihood, parameters and correct rows of the models of some terms."""
        classes = self.classes
        if rows is None:
            return [(null_likelihood(classes), len(classes) - 1, int(classes.sizes.max()))]
        if len(rows) == 1 and self.cuts_one:
            return self._cut_fits(rows)
        model = fit_logistic(rows, classes)
        odds = np.column_stack([np.zeros(rows.shape[1]), model.log_odds(rows)])
        right = int(np.sum(odds.argmax(axis=1) == classes.codes))
        return [(model.log_likelihood, model.n_parameters, right)]

    def _cut_fits(self, rows: np.ndarray) -> list[tuple[float, int, int]]:
        """The same for a cut term: one probability a piece, or a sigmoid of the distance to the cut."""
        classes = self.classes
        boundary = fit_boundary("cut", rows, classes, interval=self.rank_by == "interval", rounded=False)
        rule, margins = boundary.rule, boundary.margins(rows)
        chance = probabilities(margins, calibration_slope(margins, classes))
        likelihood = float(np.sum(np.log(chance[np.arange(classes.codes.size), classes.codes])))
        n_chances = len(rule.pieces) * (len(classes) - 1)
        return [
            (rule.log_likelihood, len(rule.cuts) + n_chances, rule.n_correct),
            (likelihood, len(rule.cuts) + 1, rule.n_correct),
        ]

    def _criterion(self, likelihood: float, n_parameters: int, complexity: list[int]) -> float:
        """Extended Bayesian criterion with the small-sample factor."""
        m = self.classes.codes.size
        prior = float(np.sum(self.length.cost(complexity))) if complexity else 0.0
        factor = m / max(m - n_parameters - 2, 0.5)
        return round(-2 * likelihood + factor * (n_parameters * math.log(m) + 2 * prior), 9)
