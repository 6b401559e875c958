"""Prediction intervals that hold what they promise, from errors on rows left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence

__all__ = ["CrossConformal", "conformal_quantile"]

Array = NDArray[np.float64]

#: Cells of the table (new rows by training rows) sorted at once.
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True, eq=False, repr=False)
class CrossConformal:
    r"""Errors of rows predicted by fits that had not seen them, ready to become intervals.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        :math:`R_i = |y_i - \hat\mu_{-k(i)}(x_i)|/\hat\sigma_{-k(i)}(x_i)`; the model's own standard
        deviation divides (normalized scores) or is left out (:math:`\hat\sigma = 1`).
    folds : ndarray of int of shape (n,)
        Number :math:`k(i)` of the fit that had not seen row i.
    groups : ndarray of int of shape (n,), optional
        Group of every row; whole groups were left out, and new rows belong to new groups.

    See Also
    --------
    sklearn.model_selection.cross_val_predict : Gives the predictions behind the scores.

    Notes
    -----
    CV+ [1]_ (the jackknife+ when every row is a fold of its own): the interval of a new row is

    .. math:: \big[\,q^-_\alpha\{\hat\mu_{-k(i)}(x) - R_i\hat\sigma_{-k(i)}(x)\},\;
       q^+_\alpha\{\hat\mu_{-k(i)}(x) + R_i\hat\sigma_{-k(i)}(x)\}\,\big],

    where :math:`q^+` is the :math:`\lceil(1-\alpha)(n+1)\rceil`-th smallest of n values and :math:`q^-`
    the :math:`\lfloor\alpha(n+1)\rfloor`-th. It holds :math:`1-2\alpha` of new values for any model and
    any distribution, and in practice a little more than :math:`1-\alpha`: the rank is
    :math:`\lceil(1-\alpha)(n+1)\rceil/(n+1)` (0.902 for 40 rows at 90 %), the errors are those of fits to a
    share :math:`1-1/K` of the rows, and where the fits disagree the ends of all of them are pooled. More
    folds bring it nearer to :math:`1-\alpha`; the errors of the fit to all rows
    (:meth:`interval_around`) do so too, but promise nothing.

    With groups every group weighs the same, whatever its number of rows, as in the pooling of
    distribution functions [2]_, and the quantile is that of :math:`(1-\alpha)(1 + 1/n)` of the weight.
    Scores known exactly, 9 to 40 groups of 5 rows, the groups deciding nothing up to nearly everything:
    at 90 % such intervals held 0.89 to 0.91 of a new group's values. Counting groups instead of rows for
    n holds 0.90 to 0.94 and is up to half as wide again. How many independent rows the scores are worth
    is estimated by

    .. math:: n_\mathrm{ind} = G \Big/ \Big(\rho + (1-\rho)\,\frac1G\sum_g \frac1{m_g}\Big),

    with :math:`\rho` the intraclass correlation of the ranks of the scores: G where the groups decide
    everything, n where they decide nothing. Below about :math:`(1-\alpha)/\alpha` of them no interval is
    trustworthy at that level.

    References
    ----------
    .. [1] R. F. Barber, E. J. Candès, A. Ramdas, R. J. Tibshirani, Ann. Statist. 49, 486 (2021).
    .. [2] R. Dunn, L. Wasserman, A. Ramdas, J. Am. Stat. Assoc. 118, 2491 (2023).

    Examples
    --------
    >>> import numpy as np
    >>> errors = CrossConformal(np.arange(1.0, 20.0), np.arange(19))
    >>> lower, upper = errors.interval(np.zeros((19, 1)), level=0.9)
    >>> lower.tolist(), upper.tolist()
    ([-18.0], [18.0])
    """

    scores: Array
    folds: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, y: Any, mean: Any, folds: Any, *, std: Any = None, groups: Any = None) -> CrossConformal:
        """Read the scores off targets and left-out predictions.

        Parameters
        ----------
        y, mean : array-like of shape (n,)
            Targets, and predictions by fits that had not seen the row.
        folds : array-like of int of shape (n,)
        std : array-like of shape (n,), optional
            Standard deviations from the same fits.
        groups : array-like of shape (n,), optional
            Labels of any kind.

        Returns
        -------
        CrossConformal

        Raises
        ------
        InputError
            For lengths that differ, and a standard deviation that is not positive.
        """
        place = "CrossConformal.of"
        target = as_vector(y, place=place)
        errors = np.abs(target - as_vector(mean, len(target), place=place, argument="mean"))
        if std is not None:
            spread = as_vector(std, len(target), place=place, argument="std")
            if (spread <= 0).any():
                row = int(np.argmax(spread <= 0))
                raise InputError(
                    sentence(
                        place, "std", "be positive", float(spread[row]), at=f"at row {row}",
                        remedy="Leave std out for plain errors.",
                    )
                )  # fmt: skip
            errors = errors / spread
        numbers = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        return cls(errors, np.asarray(folds, dtype=np.int64), numbers)

    @cached_property
    def weights(self) -> Array:
        """Weight of every row: equal rows, or equal groups."""
        if self.groups is None:
            return np.full(len(self.scores), 1.0 / len(self.scores))
        sizes = np.bincount(self.groups)
        return np.asarray(1.0 / (len(sizes) * sizes[self.groups]))

    @cached_property
    def n_independent(self) -> float:
        """Number of independent rows that the scores are worth."""
        if self.groups is None:
            return float(len(self.scores))
        sizes = np.bincount(self.groups)
        correlation = _intraclass_correlation(self.scores, self.groups)
        return float(len(sizes) / (correlation + (1.0 - correlation) * np.mean(1.0 / sizes)))

    @property
    def highest_level(self) -> float:
        """Largest level with finite intervals: that of the largest score."""
        return len(self.scores) / (len(self.scores) + 1.0)

    @property
    def trusted_level(self) -> float:
        """Largest level for which there are enough independent rows."""
        return self.n_independent / (self.n_independent + 1.0)

    def interval(self, means: Any, stds: Any = None, *, level: float = 0.9) -> tuple[Array, Array]:
        """Interval of every new row by CV+, from the predictions of all fits.

        Parameters
        ----------
        means : array-like of shape (n_fits, n_rows)
            Prediction of every fit for every new row; row k belongs to fold k.
        stds : array-like of shape (n_fits, n_rows), optional
            Standard deviations, where the scores are normalized.
        level : float, default=0.9

        Returns
        -------
        lower, upper : ndarray of shape (n_rows,)
            Infinite where too few rows were left out for the level.
        """
        center = np.asarray(means, dtype=np.float64)
        spread = np.ones_like(center) if stds is None else np.asarray(stds, dtype=np.float64)
        n_rows = center.shape[1]
        lower, upper = np.empty(n_rows), np.empty(n_rows)
        step = max(1, _BLOCK_CELLS // len(self.scores))
        for first in range(0, n_rows, step):
            block = slice(first, first + step)
            middle, reach = center[self.folds, block], self.scores[:, None] * spread[self.folds, block]
            upper[block] = self._quantile(middle + reach, level)
            lower[block] = -self._quantile(reach - middle, level)
        return lower, upper

    def interval_around(self, mean: Any, std: Any = None, *, level: float = 0.9) -> tuple[Array, Array]:
        """Interval around the prediction of one fit to all rows, for many rows the same as CV+.

        Parameters
        ----------
        mean, std : array-like of shape (n_rows,)
        level : float, default=0.9

        Returns
        -------
        lower, upper : ndarray of shape (n_rows,)
        """
        center = np.asarray(mean, dtype=np.float64)
        reach = self.score_quantile(level) * (1.0 if std is None else np.asarray(std, dtype=np.float64))
        return center - reach, center + reach

    def left_out_reach(self, std: Any = None, *, level: float = 0.9) -> Array:
        """Half width of the interval of every scored row, made from the errors of the other folds.

        Parameters
        ----------
        std : array-like of shape (n,), optional
            Standard deviations, where the scores are normalized.
        level : float, default=0.9
            Lowered to what the rows of the other folds can give.

        Returns
        -------
        ndarray of shape (n,)
        """
        spread = np.ones(len(self.scores)) if std is None else np.asarray(std, dtype=np.float64)
        reach = np.empty(len(self.scores))
        for k in np.unique(self.folds):
            inside = self.folds == k
            groups = None if self.groups is None else np.unique(self.groups[~inside], return_inverse=True)[1]
            rest = CrossConformal(self.scores[~inside], self.folds[~inside], groups)
            reach[inside] = rest.score_quantile(min(level, rest.highest_level)) * spread[inside]
        return reach

    def score_quantile(self, level: float) -> float:
        """Finite-sample quantile of the scores."""
        return float(self._quantile(self.scores[:, None], level)[0])

    def _quantile(self, values: Array, level: float) -> Array:
        """Upper quantile of every column of values (n, n_rows)."""
        if self.groups is None:
            return conformal_quantile(values, level)
        return conformal_quantile(values, level, weights=self.weights)

    def to_frame(self) -> pd.DataFrame:
        """One row a training row."""
        frame = pd.DataFrame({"score": self.scores, "fold": self.folds, "weight": self.weights})
        return frame if self.groups is None else frame.assign(group=self.groups)

    def __repr__(self) -> str:
        groups = "" if self.groups is None else f" in {self.groups.max() + 1} groups"
        return (
            f"CrossConformal({len(self.scores)} rows{groups}, {len(np.unique(self.folds))} folds, "
            f"90 % quantile {self.score_quantile(0.9):.4g})"
        )


def conformal_quantile(values: Any, level: float, *, weights: Any = None) -> Array:
    r"""Smallest value that holds ``level`` of the values and of one more that is still to come.

    Parameters
    ----------
    values : array-like of shape (n,) or (n, n_columns)
    level : float
        Between 0 and 1.
    weights : array-like of shape (n,), optional
        Non-negative, their sum 1; equal when left out.

    Returns
    -------
    ndarray of shape () or (n_columns,)
        The :math:`\lceil \mathrm{level}\,(n+1)\rceil`-th smallest; infinite when n is too small.

    Raises
    ------
    InputError
        For a level outside (0, 1) and for no values.

    Examples
    --------
    >>> float(conformal_quantile([3.0, 1.0, 2.0, 4.0], 0.8)), float(conformal_quantile([1.0, 2.0], 0.9))
    (4.0, inf)
    """
    if not 0.0 < level < 1.0:
        raise InputError(
            sentence("conformal_quantile", "level", "lie between 0 and 1", level, remedy="Pass e.g. 0.9.")
        )
    table = np.asarray(values, dtype=np.float64)
    n = table.shape[0]
    if n == 0:
        raise InputError(sentence("conformal_quantile", "values", "hold at least one value", 0))
    rank = int(np.ceil(level * (n + 1.0) - 1e-9))
    if rank > n:
        return np.full(table.shape[1:], np.inf)
    if weights is None:
        return np.asarray(np.partition(table, rank - 1, axis=0)[rank - 1])
    share = level * (1.0 + 1.0 / n)
    order = np.argsort(table, axis=0, kind="stable")
    reached = np.cumsum(np.asarray(weights)[order], axis=0) >= share - 1e-9
    place = np.argmax(reached, axis=0)
    return np.asarray(np.take_along_axis(np.take_along_axis(table, order, 0), place[None, ...], 0)[0])


def _intraclass_correlation(scores: Array, groups: NDArray[np.int64]) -> float:
    """Share of the variance of the ranks that lies between groups, by the analysis of variance, in [0, 1]."""
    sizes = np.bincount(groups)
    n, n_groups = len(scores), len(sizes)
    if n_groups < 2 or n == n_groups:
        return 1.0
    ranks = np.asarray(rankdata(scores), dtype=np.float64)
    means = np.bincount(groups, weights=ranks) / sizes
    between = float((sizes * (means - ranks.mean()) ** 2).sum()) / (n_groups - 1)
    within = float(((ranks - means[groups]) ** 2).sum()) / (n - n_groups)
    size = (n - float((sizes**2).sum()) / n) / (n_groups - 1)
    total = between + (size - 1.0) * within
    return float(np.clip((between - within) / total, 0.0, 1.0)) if total > 0 else 1.0
