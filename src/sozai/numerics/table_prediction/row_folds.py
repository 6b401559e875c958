"""Which rows are left out together: folds that hold every row once and never split a group."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold

from sozai.contracts.errors import InputError, sentence

__all__ = ["Fold", "check_groups", "make_folds"]

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]

#: Most folds, the rows up to which there are so many, and the rows up to which there are ten.
_MOST, _FEW, _MANY = 20, 50, 1000


def make_folds(
    n_samples: int,
    *,
    cv: Any = None,
    groups: NDArray[Any] | None = None,
    seed: int = 0,
    place: str = "make_folds",
) -> list[Fold]:
    """Train and test rows of every fold.

    Parameters
    ----------
    n_samples : int
    cv : int, splitter or iterable of (train, test), optional
        Left out: every row for itself up to 20 rows, then 20 shuffled folds, 10 above 50 rows and 5 above
        1,000; with groups as many folds as groups, at most 10.
    groups : ndarray of shape (n_samples,), optional
    seed : int
        Shuffles the rows.
    place : str
        Who asks, for the message.

    Returns
    -------
    list of (train, test)

    Raises
    ------
    InputError
        If a row is in no fold or in two, or a group on both sides.

    Examples
    --------
    >>> [test.tolist() for _, test in make_folds(4, cv=2, groups=np.array([0, 0, 1, 1]))]
    [[2, 3], [0, 1]]
    """
    n_members = n_samples if groups is None else len(np.unique(groups))
    if cv is None:
        cv = _n_folds(n_samples) if groups is None else min(n_members, 10)
    if isinstance(cv, (int, np.integer)):
        if not 2 <= cv <= n_members:
            what = "rows" if groups is None else "groups"
            raise InputError(sentence(place, "cv", f"lie between 2 and {n_members} {what}", int(cv)))
        cv = KFold(int(cv), shuffle=True, random_state=seed) if groups is None else GroupKFold(int(cv))
    pairs = cv.split(np.zeros((n_samples, 1)), groups=groups) if hasattr(cv, "split") else cv
    folds = [(np.asarray(train), np.asarray(test)) for train, test in pairs]
    _check_folds(folds, n_samples, groups, place)
    return folds


def _n_folds(n_samples: int) -> int:
    """As many as the time allows: errors of fits to nearly all rows make the narrowest honest intervals."""
    if n_samples <= _FEW:
        return min(n_samples, _MOST)
    return 10 if n_samples <= _MANY else 5


def check_groups(groups: Any, n_samples: int, *, place: str) -> NDArray[Any]:
    """One label a row, of at least two groups."""
    labels = np.asarray(groups)
    if labels.shape != (n_samples,):
        raise InputError(
            sentence(
                place, "groups", f"have one label per row ({n_samples})", f"shape {labels.shape}",
                remedy="Pass the column that names the group of every row.",
            )
        )  # fmt: skip
    if len(np.unique(labels)) < 2:
        raise InputError(
            sentence(
                place, "groups", "name at least two groups", str(labels[0]),
                remedy="Leave groups out if all rows belong together.",
            )
        )  # fmt: skip
    return labels


def _check_folds(folds: list[Fold], n_samples: int, groups: NDArray[Any] | None, place: str) -> None:
    """Every row tested once, no group on both sides."""
    counts = np.zeros(n_samples, dtype=np.int64)
    for _, test in folds:
        counts[test] += 1
    if (counts != 1).any():
        row = int(np.argmax(counts != 1))
        raise InputError(
            sentence(
                place, "cv", "leave every row out exactly once", int(counts[row]), at=f"times for row {row}",
                remedy="Use a number of folds, KFold or GroupKFold.",
            )
        )  # fmt: skip
    for train, test in folds if groups is not None else []:
        shared = np.intersect1d(groups[train], groups[test])  # type: ignore[index]
        if len(shared):
            raise InputError(
                sentence(
                    place, "cv", "keep groups together", shared[0], at="on both sides of a split",
                    remedy="Use a number of folds or GroupKFold.",
                )
            )  # fmt: skip
