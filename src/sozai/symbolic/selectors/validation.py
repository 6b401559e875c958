"""Honest scores: repeat the whole search in every fold, and see which terms come back."""

from __future__ import annotations

import logging
import threading
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, LeaveOneOut

from sozai.contracts.checks import RandomState, as_generator, as_vector
from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.contracts.parallel import run_chunks
from sozai.contracts.records import Failure
from sozai.numerics.least_squares import ROUNDING
from sozai.symbolic.selectors.models import SymbolicModel
from sozai.symbolic.selectors.selector import Selector

__all__ = ["NestedScore", "SelectionFrequency", "nested_score", "selection_frequency"]


@dataclass(frozen=True, eq=False, repr=False)
class NestedScore:
    """How well a whole procedure predicts rows it has not seen.

    Attributes
    ----------
    q2, q2_standard_error : float
        1 - (sum of squared errors)/(sum of squares about the mean), and its standard error.
    rmse, rmse_standard_error : float
        Over all left-out rows; the errors are over rows, or over groups where groups were left out.
    fold_rmse, fold_q2 : ndarray of shape (n_folds,)
        Per fold (fold Q² against the mean of the whole target).
    folds : tuple of ndarray
        Test rows of every fold.
    predictions : ndarray of shape (n_samples,)
        Prediction of every row by the fit that did not see it; NaN for rows in no fold.
    formulas : tuple of str
        Formula found in every fold, where the estimator has one.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.selection import Exhaustive
    >>> X = np.random.default_rng(0).normal(size=(30, 4))
    >>> score = nested_score(Exhaustive(1), X, X[:, 2], cv=3)
    >>> [len(fold) for fold in score.folds], bool(np.isfinite(score.predictions).all())
    ([10, 10, 10], True)
    """

    q2: float
    q2_standard_error: float
    rmse: float
    rmse_standard_error: float
    fold_rmse: np.ndarray
    fold_q2: np.ndarray
    folds: tuple[np.ndarray, ...]
    predictions: np.ndarray
    formulas: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a fold."""
        frame = pd.DataFrame(
            {"n_test": [len(f) for f in self.folds], "rmse": self.fold_rmse, "q2": self.fold_q2}
        )
        if self.formulas:
            frame["formula"] = list(self.formulas)
        return frame

    def __repr__(self) -> str:
        return (
            f"NestedScore(Q2 {self.q2:.4f} ± {self.q2_standard_error:.4f}, "
            f"RMSE {self.rmse:.4g} ± {self.rmse_standard_error:.2g}, {len(self.folds)} folds)"
        )


@dataclass(frozen=True, eq=False, repr=False)
class SelectionFrequency:
    """How often terms and whole formulas are found again in half of the data.

    Attributes
    ----------
    terms : dict of str to float
        Share of the half-samples in which the term was selected, most frequent first.
    models : dict of tuple of str to float
        The same for whole sets of terms.
    n_repeats : int

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.selection import Exhaustive
    >>> X = np.random.default_rng(0).normal(size=(30, 4))
    >>> selection_frequency(Exhaustive(1), X, X[:, 2], n_repeats=4).models
    {('x2',): 1.0}
    """

    terms: dict[str, float]
    models: dict[tuple[str, ...], float]
    n_repeats: int

    def to_frame(self) -> pd.DataFrame:
        """One row a term."""
        return pd.DataFrame({"term": list(self.terms), "frequency": list(self.terms.values())})

    def __repr__(self) -> str:
        terms, share = next(iter(self.models.items()), ((), 0.0))
        return (
            f"SelectionFrequency({self.n_repeats} half-samples; most often {' + '.join(terms)}: {share:.0%})"
        )


def nested_score(
    estimator, X, y, *, cv=None, groups=None, random_state: RandomState = 0, n_jobs=None, progress=None
) -> NestedScore:
    """Predict every row by a fit that saw neither it nor its group, everything repeated in each fold.

    Parameters
    ----------
    estimator : object with ``fit`` and ``predict``, or a selector
        Cloned for every fold. A selector is fitted, and its ``simplest()`` model predicts.
    X : DataFrame or array of shape (n_samples, n_columns)
    y : array-like of shape (n_samples,)
    cv : int, "loo", splitter or iterable of (train, test), optional
        Left out: one group at a time if ``groups`` are given, otherwise 10 shuffled folds. Folds given as a
        number never split a group.
    groups : array-like of shape (n_samples,), optional
        Rows of one group are left out together (the alloy system, or the twins made by augmentation).
    random_state : int, RandomState, Generator or None, default=0
        Shuffles the folds.
    n_jobs : int, optional
        Folds at once, on the joblib backend in force; the scores do not depend on it.
    progress : object with ``advance(n)``, bool or None
        See :func:`sozai.contracts.progress.progress_bar`.

    Returns
    -------
    NestedScore

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.selection import Exhaustive
    >>> X = np.random.default_rng(0).normal(size=(30, 5))
    >>> nested_score(Exhaustive(2), X, X[:, 1] - X[:, 3], cv=5).q2 > 0.999999
    True
    """
    place = "nested_score"
    y = as_vector(y, place=place)
    if len(X) != len(y):
        raise InputError(sentence(place, "y", f"have one value per row of X ({len(X)})", len(y)))
    splits = [
        (np.asarray(train), np.asarray(test)) for train, test in _splits(len(y), cv, groups, random_state)
    ]
    for train, test in splits:
        _refuse_split_groups(groups, train, test)
    run = partial(_predict_fold, estimator, X, y)
    answers = run_chunks(run, splits, n_jobs=n_jobs, progress=progress, description="Leaving rows out")
    predictions = np.full(len(y), np.nan)
    formulas = []
    for (_, test), answer in zip(splits, answers, strict=True):
        if isinstance(answer, Failure):
            continue  # its rows stay NaN
        predictions[test], formula = answer
        formulas.append(formula)
    folds = [test for _, test in splits]
    return _summarize(y, predictions, folds, groups, tuple(formulas) if all(formulas) else ())


def _predict_fold(estimator, X, y, fold):
    """Predictions for the test rows of one fold, and the formula behind them."""
    train, test = fold
    # what the fit of every fold would log again is told once, by the user's own fit
    with SILENCE.kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)  # rows are left out on purpose
        fitted, formula = _fit(estimator, _rows(X, train), y[train])
        return np.asarray(fitted(_rows(X, test)), dtype=np.float64), formula


class _Silence(logging.Filter):
    """Drops everything below an error while any fold, in whatever thread, is being fitted."""

    def __init__(self):
        super().__init__()
        self.folds, self.lock = 0, threading.Lock()

    def filter(self, record):
        return self.folds == 0 or record.levelno >= logging.ERROR

    @contextmanager
    def kept(self):
        with self.lock:
            self.folds += 1
        try:
            yield
        finally:
            with self.lock:
                self.folds -= 1


SILENCE = _Silence()
logging.getLogger("sozai.symbolic").addFilter(SILENCE)


def _summarize(y, predictions, folds, groups, formulas) -> NestedScore:
    """Scores and standard errors from the out-of-fold predictions."""
    seen = np.isfinite(predictions)
    if not seen.any():
        raise InputError(sentence("nested_score", "predictions", "be finite", "none finite"))
    square = (y - predictions) ** 2
    spread = float(np.mean((y[seen] - y[seen].mean()) ** 2))
    spread = spread if spread > (ROUNDING * np.abs(y[seen]).max()) ** 2 else 0.0
    mse = float(square[seen].mean())
    error = _error_of_mean(square[seen], None if groups is None else np.asarray(groups)[seen])
    fold_mse = np.array([np.nanmean(square[fold]) if seen[fold].any() else np.nan for fold in folds])
    return NestedScore(
        q2=1.0 - mse / spread if spread > 0 else np.nan,
        q2_standard_error=error / spread if spread > 0 else np.nan,
        rmse=float(np.sqrt(mse)),
        rmse_standard_error=error / (2 * np.sqrt(mse)) if mse > 0 else 0.0,
        fold_rmse=np.sqrt(fold_mse),
        fold_q2=1.0 - fold_mse / spread if spread > 0 else np.full(len(folds), np.nan),
        folds=tuple(folds),
        predictions=predictions,
        formulas=formulas,
    )


def _error_of_mean(square: np.ndarray, groups: np.ndarray | None) -> float:
    """Compute the standard error of the mean squared error; over groups where there are any."""
    if groups is not None:
        _, member = np.unique(groups, return_inverse=True)
        totals = np.bincount(member, weights=square - square.mean())
        n = len(totals)
        return float(np.sqrt((totals**2).sum() * n / (n - 1)) / len(square)) if n > 1 else np.nan
    return float(np.std(square, ddof=1) / np.sqrt(len(square))) if len(square) > 1 else np.nan


def selection_frequency(
    estimator, X, y, *, n_repeats=100, groups=None, rng: RandomState = 0, n_jobs=None, progress=None
) -> SelectionFrequency:
    """Repeat the selection on random halves of the rows and count what is selected.

    Parameters
    ----------
    estimator : object with ``fit`` and, fitted, ``model_.terms``; or a selector
    X : DataFrame or array of shape (n_samples, n_columns)
    y : array-like of shape (n_samples,)
    n_repeats : int, default=100
    groups : array-like of shape (n_samples,), optional
        Halve the groups instead of the rows.
    rng : int, RandomState, Generator or None, default=0
    n_jobs, progress
        As in :func:`nested_score`.

    Returns
    -------
    SelectionFrequency

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.selection import Exhaustive
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> selection_frequency(Exhaustive(2), X, X[:, 1] - X[:, 3], n_repeats=5).terms
    {'x1': 1.0, 'x3': 1.0}
    """
    if n_repeats < 1:
        raise InputError(sentence("selection_frequency", "n_repeats", "be at least 1", n_repeats))
    y = as_vector(y, len(X), place="selection_frequency")
    labels = np.arange(len(y)) if groups is None else np.asarray(groups)
    members = np.unique(labels)
    generator = as_generator(rng)
    size = (len(members) + 1) // 2
    halves = [
        np.flatnonzero(np.isin(labels, generator.permutation(members)[:size])) for _ in range(n_repeats)
    ]
    run = partial(_terms_of_half, estimator, X, y)
    found = run_chunks(run, halves, n_jobs=n_jobs, progress=progress, description="Halving the rows")
    answers = [answer for answer in found if not isinstance(answer, Failure)]
    terms = Counter(term for answer in answers for term in answer)
    models = Counter(tuple(sorted(answer)) for answer in answers)
    return SelectionFrequency(_shares(terms, len(answers)), _shares(models, len(answers)), len(answers))


def _terms_of_half(estimator, X, y, rows):
    """Terms selected on some rows."""
    with SILENCE.kept():
        return tuple(_fitted_model(estimator, _rows(X, rows), y[rows])[0].terms)


def _shares(counts: Counter, n_repeats: int) -> dict:
    """Shares, most frequent first, then by name."""
    return {key: count / n_repeats for key, count in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))}


def _fitted_model(estimator, X, y) -> tuple[SymbolicModel, object]:
    """Model of a fitted clone, and the clone (None for a selector)."""
    if isinstance(estimator, Selector):
        return estimator.select(X, y).simplest(), None
    fitted = clone(estimator).fit(X, y)
    return fitted.model_, fitted


def _fit(estimator, X, y):
    """Prediction function of a fitted clone, and its formula if it has one."""
    if isinstance(estimator, Selector):
        model, _ = _fitted_model(estimator, X, y)
        return lambda rows: model.predict(np.asarray(rows, dtype=np.float64)[:, list(model.columns)]), str(
            model
        )
    fitted = clone(estimator).fit(X, y)
    return fitted.predict, str(getattr(fitted, "formula_", ""))


def _rows(X, rows: np.ndarray):
    """Rows of a DataFrame or an array."""
    return X.iloc[rows] if hasattr(X, "iloc") else np.asarray(X)[rows]


def _splits(n_samples: int, cv, groups, random_state):
    """Train and test rows of every fold."""
    dummy = np.zeros((n_samples, 1))
    if groups is not None and len(groups) != n_samples:
        raise InputError(
            sentence("nested_score", "groups", f"have one label per row ({n_samples})", len(groups))
        )
    if cv is None:
        cv = LeaveOneGroupOut() if groups is not None else min(10, n_samples)
    if isinstance(cv, str):
        if cv != "loo":
            raise InputError(sentence("nested_score", "cv", "be 'loo', a number or a splitter", cv))
        cv = LeaveOneOut() if groups is None else LeaveOneGroupOut()
    if isinstance(cv, (int, np.integer)):
        n_members = n_samples if groups is None else len(np.unique(groups))
        if not 2 <= cv <= n_members:
            what = "samples" if groups is None else "groups"
            raise InputError(sentence("nested_score", "cv", f"lie between 2 and {n_members} {what}", cv))
        if groups is not None:
            cv = GroupKFold(int(cv))
        else:
            seed = int(as_generator(random_state).integers(2**31))
            cv = KFold(int(cv), shuffle=True, random_state=seed)
    if not hasattr(cv, "split"):
        return cv
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="The groups parameter is ignored"
        )  # split groups are refused
        return list(cv.split(dummy, groups=groups))


def _refuse_split_groups(groups, train, test) -> None:
    """Refuse a group on both sides of a split: it would leak."""
    if groups is None:
        return
    shared = np.intersect1d(np.asarray(groups)[train], np.asarray(groups)[test])
    if len(shared):
        raise InputError(
            sentence(
                "nested_score",
                "cv",
                "keep groups together",
                shared[0],
                at="on both sides of a split",
                remedy="Use a group splitter, a number of folds, or leave cv out.",
            )
        )
