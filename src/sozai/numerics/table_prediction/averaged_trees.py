"""Gradient boosting and extremely randomized trees, averaged: for tables too long for a Gaussian process."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

from sozai.contracts.checks import RandomState, as_generator
from sozai.contracts.estimator import (
    BaseEstimator,
    Interval,
    RegressorMixin,
    check_is_fitted,
    fit_context,
    validate_table,
)

__all__ = ["AveragedTrees"]


class AveragedTrees(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Mean of boosted and of randomized trees; the spread of the latter is its standard deviation.

    Boosting follows steps and interactions, randomized trees are steadier
    between the rows; their errors differ, so the mean is better than either.

    Parameters
    ----------
    n_trees : int, default=200
        Of each kind.
    random_state : int, RandomState or Generator, optional

    Attributes
    ----------
    boosting_ : HistGradientBoostingRegressor
    trees_ : ExtraTreesRegressor

    See Also
    --------
    sklearn.ensemble.HistGradientBoostingRegressor : One half.
    sklearn.ensemble.ExtraTreesRegressor : The other half [1]_.

    Notes
    -----
    Time grows as n log n. The standard deviation says where the trees disagree; only after calibration
    on rows left out is it an error bar.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, Mach. Learn. 63, 3 (2006).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).uniform(size=(200, 2))
    >>> model = AveragedTrees(50, random_state=0).fit(X, X[:, 0] > 0.5)
    >>> model.predict([[0.9, 0.5], [0.1, 0.5]]).round(1).tolist()
    [1.0, 0.0]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(self, n_trees: int = 200, *, random_state: RandomState = None) -> None:
        self.n_trees = n_trees
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> AveragedTrees:
        """Grow both kinds of trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        AveragedTrees
        """
        X, y = validate_table(self, X, y, need_target=True, min_samples=2)
        seeds = as_generator(self.random_state).integers(2**31, size=2)
        self.boosting_ = HistGradientBoostingRegressor(
            max_iter=self.n_trees,
            learning_rate=0.08,
            min_samples_leaf=max(2, min(20, len(y) // 20)),
            random_state=int(seeds[0]),
        ).fit(X, y)
        self.trees_ = ExtraTreesRegressor(self.n_trees, min_samples_leaf=2, random_state=int(seeds[1])).fit(
            X, y
        )
        spread = float(y.std())
        self._least_std = 0.02 * spread if spread > 0 else 1.0  # no row is certain
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Mean of both, and the spread among the randomized trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False

        Returns
        -------
        ndarray of shape (n_samples,), or a pair of them
        """
        check_is_fitted(self)
        X = validate_table(self, X, reset=False)
        per_tree = np.array([tree.predict(X) for tree in self.trees_.estimators_])
        mean = 0.5 * (self.boosting_.predict(X) + per_tree.mean(axis=0))
        if not return_std:
            return mean
        return mean, np.maximum(per_tree.std(axis=0), self._least_std)
