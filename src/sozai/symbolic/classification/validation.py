"""Honest accuracy: the whole search repeated in every fold, judged on rows it has not seen."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut

from sozai.contracts.checks import RandomState, as_generator
from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.contracts.parallel import run_chunks
from sozai.contracts.records import Failure
from sozai.symbolic.classification.classes import Classes

__all__ = ["NestedAccuracy", "fold_labels", "nested_accuracy"]


@dataclass(frozen=True, eq=False, repr=False)
class NestedAccuracy:
    """How well a whole procedure classes rows it has not seen.

    Attributes
    ----------
    accuracy, accuracy_standard_error : float
        Share of rows classed correctly.
    balanced_accuracy, balanced_accuracy_standard_error : float
        Mean over the classes of the share of their rows.
    log_loss, log_loss_standard_error : float
        Mean of -ln p of the true class, p at least 1e-12; NaN for a classifier without
        probabilities. A row without a probability counts with the class
        frequencies of its training rows.
    n_undefined : int
        Such rows: the formula has no value there.
    folds : tuple of ndarray
        Test rows of every fold.
    predictions : ndarray of shape (n_samples,)
        Class of every row by the fit that did not see it; rows in no fold have their place in
        ``seen`` false.
    probabilities : ndarray of shape (n_samples, n_classes)
    seen : ndarray of bool of shape (n_samples,)
    rules : tuple of str
        Rule found in every fold, where the classifier has one.
    truth : ndarray of shape (n_samples,)
        The classes as they were given.
    n_independent : int
        Rows, or groups where whole groups were left out.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> nested_accuracy(DecisionTreeClassifier(max_depth=1), X, X[:, 1] > 0, cv=5).accuracy > 0.9
    True
    """

    accuracy: float
    accuracy_standard_error: float
    balanced_accuracy: float
    balanced_accuracy_standard_error: float
    log_loss: float
    log_loss_standard_error: float
    n_undefined: int
    folds: tuple[np.ndarray, ...]
    predictions: np.ndarray
    probabilities: np.ndarray
    seen: np.ndarray
    rules: tuple[str, ...] = ()
    truth: np.ndarray = field(default_factory=lambda: np.empty(0))
    n_independent: int = 0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        r"""Interval of the accuracy.

        Parameters
        ----------
        level : float, default=0.95

        Returns
        -------
        low, high : float
            Inside [0, 1]; not of zero width when every row is right.

        Notes
        -----
        Wilson's interval [1]_ of a share p of n rows,
        :math:`(p + z^2/2n \pm z\sqrt{p(1-p)/n + z^2/4n^2})/(1 + z^2/n)`. With groups
        n is the number of independent rows with the same standard error,
        :math:`p(1-p)/s^2`, between the number of groups and that of rows.

        References
        ----------
        .. [1] E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
        """
        if not 0 < level < 1:
            raise InputError(
                sentence("NestedAccuracy.interval", "level", "lie between 0 and 1", level, remedy="Use 0.95.")
            )
        p, n_rows = self.accuracy, int(self.seen.sum())
        n = float(n_rows)
        if 0 < self.n_independent < n_rows:
            spread = p * (1 - p)
            n = spread / self.accuracy_standard_error**2 if spread * self.accuracy_standard_error else 0.0
            n = min(max(n, float(self.n_independent)), float(n_rows))
        z = float(norm.ppf((1 + level) / 2))
        middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max(float((middle - half) / scale), 0.0), min(float((middle + half) / scale), 1.0)

    def confusion(self) -> pd.DataFrame:
        """How often rows of every class (down) that were left out were given every class (across)."""
        truth = pd.Series(self.truth[self.seen], name="class")
        given = pd.Series(self.predictions[self.seen], name="given")
        labels = np.unique(self.truth)
        return pd.crosstab(truth, given).reindex(index=labels, columns=labels, fill_value=0)

    def to_frame(self) -> pd.DataFrame:
        """One row a fold."""
        frame = pd.DataFrame({"n_test": [len(fold) for fold in self.folds]})
        if self.rules:
            frame["rule"] = list(self.rules)
        return frame

    def __repr__(self) -> str:
        return (
            f"NestedAccuracy({self.accuracy:.4f} ± {self.accuracy_standard_error:.4f}, balanced "
            f"{self.balanced_accuracy:.4f} ± {self.balanced_accuracy_standard_error:.4f}, log loss "
            f"{self.log_loss:.4f} ± {self.log_loss_standard_error:.4f}, {len(self.folds)} folds)"
        )


def nested_accuracy(
    classifier: Any,
    X: Any,
    y: Any,
    cv: Any = None,
    groups: Any = None,
    *,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
    progress: Any = None,
) -> NestedAccuracy:
    r"""Class every row by a fit that saw neither it nor its group, the search repeated in each fold.

    Parameters
    ----------
    classifier : object with ``fit`` and ``predict``
        Cloned for every fold; probabilities are used where it has ``predict_proba``.
    X : DataFrame or array of shape (n_samples, n_columns)
    y : array-like of shape (n_samples,)
        Class labels.
    cv : int, "loo", splitter or iterable of (train, test), optional
        Left out: one group at a time if ``groups`` are given, otherwise 10
        shuffled folds with the class frequencies of the whole.
    groups : array-like of shape (n_samples,), optional
        Rows of one group are left out together.
    random_state : int, RandomState, Generator or None, default=0
        Shuffles the folds.
    n_jobs : int, optional
        Folds at once, on the joblib backend in force; the scores do not depend on it.
    progress : object with ``advance(n)``, bool or None
        See :func:`sozai.contracts.progress.progress_bar`.

    Returns
    -------
    NestedAccuracy

    Notes
    -----
    Standard errors treat left-out rows as independent: that of a share p of n
    rows is :math:`\sqrt{p(1-p)/n}`; with groups, the spread of the group totals.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> score = nested_accuracy(GaussianNB(), X, X[:, 0] > 0, cv=4)
    >>> score.accuracy > 0.9, len(score.folds), bool(score.seen.all())
    (True, 4, True)
    """
    place = "nested_accuracy"
    classes = Classes.of(y, place=place)
    m = classes.codes.size
    for name, given in (("X", X), ("groups", groups)):
        if given is not None and len(given) != m:
            raise InputError(
                sentence(place, name, f"have one row per label of y ({m})", len(given), remedy="Check both.")
            )
    splits = _splits(classes, cv, groups, random_state)
    for train, test in splits:
        _check_split(classes, groups, train, test)
    run = partial(_class_fold, classifier, X, np.asarray(y), classes)
    answers = run_chunks(run, splits, n_jobs=n_jobs, progress=progress, description="Leaving rows out")
    chance, codes, seen = np.full((m, len(classes)), np.nan), np.zeros(m, np.int64), np.zeros(m, bool)
    undefined, rules = 0, []
    for (_, test), answer in zip(splits, answers, strict=True):
        if isinstance(answer, Failure):
            continue  # its rows stay unseen
        codes[test], chance[test], missing, rule = answer
        seen[test] = True
        undefined += int(missing)
        rules.append(rule)
    folds = tuple(test for _, test in splits)
    return _summarize(
        classes, codes, chance, seen, folds, groups, undefined, tuple(rules) if all(rules) else ()
    )


def fold_labels(classes: Classes, n_folds: int, groups: Any = None, random_state: Any = None) -> np.ndarray:
    """Fold of every row, shape (n_samples,): members of a class are dealt out in turn, groups kept together.

    Parameters
    ----------
    classes : Classes
    n_folds : int
    groups : array-like of shape (n_samples,), optional
        Whole groups are dealt to the fold that has fewest rows.
    random_state : int, RandomState, Generator, optional
        Shuffles before dealing; in the order of the rows when left out.

    Examples
    --------
    >>> fold_labels(Classes.of([0, 0, 0, 1, 1, 1]), 3).tolist()
    [0, 1, 2, 0, 1, 2]
    """
    m = classes.codes.size
    order = np.arange(m) if random_state is None else as_generator(random_state).permutation(m)
    folds = np.empty(m, dtype=np.int64)
    if groups is None:
        dealt = order[np.argsort(classes.codes[order], kind="stable")]
        folds[dealt] = np.arange(m) % n_folds
        return folds
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    first = np.unique(member[order], return_index=True)[1]
    filled = np.zeros(n_folds, dtype=np.int64)
    sizes = np.bincount(member)
    for group in sorted(range(sizes.size), key=lambda g: (-sizes[g], first[g])):
        fold = int(np.argmin(filled))
        folds[member == group] = fold
        filled[fold] += sizes[group]
    return folds


def _splits(classes: Classes, cv: Any, groups: Any, random_state: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Train and test rows of every fold."""
    m = classes.codes.size
    if cv is None:
        cv = min(10, m) if groups is None else LeaveOneGroupOut()
    if isinstance(cv, str):
        if cv != "loo":
            raise InputError(sentence("nested_accuracy", "cv", "be 'loo', a number or a splitter", cv))
        cv = LeaveOneOut() if groups is None else LeaveOneGroupOut()
    if isinstance(cv, (int, np.integer)):
        n_members = m if groups is None else len(np.unique(groups))
        if not 2 <= cv <= n_members:
            what = "samples" if groups is None else "groups"
            raise InputError(sentence("nested_accuracy", "cv", f"lie between 2 and {n_members} {what}", cv))
        label = fold_labels(classes, int(cv), groups, random_state)
        return [(np.flatnonzero(label != fold), np.flatnonzero(label == fold)) for fold in range(int(cv))]
    if hasattr(cv, "split"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            cv = list(cv.split(np.zeros((m, 1)), classes.codes, groups))
    return [(np.asarray(train), np.asarray(test)) for train, test in cv]


def _check_split(classes: Classes, groups: Any, train: np.ndarray, test: np.ndarray) -> None:
    """Refuse a group on both sides of a split, and a class that the training rows lack."""
    missing = np.setdiff1d(classes.codes, classes.codes[train])
    if missing.size:
        raise InputError(
            sentence(
                "nested_accuracy",
                "cv",
                "leave rows of every class to train on",
                str(classes.labels[missing[0]]),
                at="in no training row of a fold",
                remedy="Use fewer folds, or leave out classes that occur once.",
            )
        )
    if groups is None:
        return
    shared = np.intersect1d(np.asarray(groups)[train], np.asarray(groups)[test])
    if shared.size:
        raise InputError(
            sentence(
                "nested_accuracy",
                "cv",
                "keep groups together",
                str(shared[0]),
                at="on both sides of a split",
                remedy="Use a group splitter, a number of folds, or leave cv out.",
            )
        )


def _class_fold(
    classifier: Any, X: Any, y: np.ndarray, classes: Classes, fold: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, int, str]:
    """Codes and probabilities of the test rows of one fold, rows without a value, and the rule."""
    train, test = fold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)  # rows are left out on purpose
        fitted = clone(classifier).fit(_rows(X, train), y[train])
        rows = _rows(X, test)
        codes = np.searchsorted(classes.labels, fitted.predict(rows))
        if not hasattr(fitted, "predict_proba"):
            return codes, np.full((test.size, len(classes)), np.nan), 0, str(getattr(fitted, "rule_", ""))
        chance = np.asarray(fitted.predict_proba(rows), dtype=np.float64)
    missing = ~np.isfinite(chance).all(axis=1)
    chance[missing] = np.bincount(classes.codes[train], minlength=len(classes)) / train.size
    return codes, chance, int(missing.sum()), str(getattr(fitted, "rule_", ""))


def _rows(X: Any, rows: np.ndarray) -> Any:
    """Rows of a DataFrame or an array."""
    return X.iloc[rows] if hasattr(X, "iloc") else np.asarray(X)[rows]


def _summarize(
    classes: Classes,
    codes: np.ndarray,
    chance: np.ndarray,
    seen: np.ndarray,
    folds: tuple[np.ndarray, ...],
    groups: Any,
    n_undefined: int,
    rules: tuple[str, ...],
) -> NestedAccuracy:
    """Scores and standard errors from the classes of left-out rows."""
    if not seen.any():
        raise InputError(sentence("nested_accuracy", "cv", "leave rows out", "no row classed"))
    truth = classes.codes[seen]
    right = (codes[seen] == truth).astype(np.float64)
    sizes = np.bincount(truth, minlength=len(classes))
    present = sizes > 0
    weight = right.size / (present.sum() * np.maximum(sizes, 1))[truth]  # of a row in the balanced mean
    loss = -np.log(np.maximum(chance[seen, truth], 1e-12))
    member = None if groups is None else np.unique(np.asarray(groups)[seen], return_inverse=True)[1]
    per_class = np.bincount(truth, right, minlength=len(classes))[present] / sizes[present]
    deviation = right - (np.bincount(truth, right, minlength=len(classes)) / np.maximum(sizes, 1))[truth]
    return NestedAccuracy(
        accuracy=float(right.mean()),
        accuracy_standard_error=_error_of_mean(right - right.mean(), member),
        balanced_accuracy=float(per_class.mean()),
        balanced_accuracy_standard_error=_error_of_mean(weight * deviation, member),
        log_loss=float(loss.mean()),
        log_loss_standard_error=_error_of_mean(loss - loss.mean(), member),
        n_undefined=n_undefined,
        folds=folds,
        predictions=classes.labels[codes],
        probabilities=chance,
        seen=seen,
        rules=rules,
        truth=classes.labels[classes.codes],
        n_independent=truth.size if member is None else len(np.unique(member)),
    )


def _error_of_mean(deviation: np.ndarray, member: np.ndarray | None) -> float:
    """Standard error of a mean from deviations about it; over groups where there are any."""
    totals = deviation if member is None else np.bincount(member, weights=deviation)
    n = totals.size
    factor = 1.0 if member is None else n / max(n - 1, 1)
    return float(np.sqrt(np.sum(totals**2) * factor) / deviation.size)
