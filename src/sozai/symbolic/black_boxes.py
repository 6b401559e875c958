"""Predictors that explain nothing: what a formula is measured against."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.table_prediction.averaged_trees import AveragedTrees
from sozai.numerics.table_predictor import TablePredictor

__all__ = ["BLACK_BOXES", "NeuralNetwork", "make_black_boxes"]

#: Rows up to which the Gaussian process takes part unasked.
_PROCESS_ROWS = 3000


class NeuralNetwork(RegressorMixin, BaseEstimator):
    """Perceptron on standardized columns, its weight decay chosen by folds inside the training rows.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(32, 32)
    random_state : int, optional

    Attributes
    ----------
    model_ : fitted pipeline

    See Also
    --------
    sklearn.neural_network.MLPRegressor : Without scaling of columns and target, and with a fixed decay.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 40)[:, None]
    >>> network = NeuralNetwork((8,), random_state=0).fit(x, np.sin(6 * x[:, 0]))
    >>> bool(abs(network.predict([[0.5]])[0] - np.sin(3.0)) < 0.1)
    True
    """

    decays = (0.03, 0.3, 3.0, 30.0)  # a finer grid is chosen from by chance, and errs more

    def __init__(self, hidden_layer_sizes=(32, 32), *, random_state=None):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.random_state = random_state

    def fit(self, X, y):
        """Try every weight decay on three folds, keep the best for all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        NeuralNetwork
        """
        network = MLPRegressor(
            hidden_layer_sizes=self.hidden_layer_sizes,
            solver="lbfgs",
            max_iter=200,
            random_state=self.random_state,
        )
        scaled = TransformedTargetRegressor(
            make_pipeline(StandardScaler(), network), transformer=StandardScaler()
        )
        search = GridSearchCV(
            scaled,
            {"regressor__mlpregressor__alpha": list(self.decays)},
            scoring="neg_mean_squared_error",
            cv=KFold(3, shuffle=True, random_state=0),
        )
        with warnings.catch_warnings():  # a descent cut short is a regularized one, and is judged like it
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model_ = search.fit(X, y).best_estimator_
        return self

    def predict(self, X):
        """Prediction of every row, shape (n_rows,)."""
        check_is_fitted(self)
        return self.model_.predict(X)


def _forest(n_samples: int, seed: int) -> Any:
    return RandomForestRegressor(150, random_state=seed)


def _boosting(n_samples: int, seed: int) -> Any:
    leaf = max(2, min(20, n_samples // 20))
    return HistGradientBoostingRegressor(
        max_iter=200, learning_rate=0.08, min_samples_leaf=leaf, random_state=seed
    )


def _process(n_samples: int, seed: int) -> Any:
    return TablePredictor("gp", conformal=False, random_state=seed)


def _network(n_samples: int, seed: int) -> Any:
    return NeuralNetwork(random_state=seed)


def _trees(n_samples: int, seed: int) -> Any:
    return AveragedTrees(random_state=seed)


BLACK_BOXES = {
    "forest": _forest,
    "boosting": _boosting,
    "gp": _process,
    "mlp": _network,
    "trees": _trees,
}
"""Makers by name, each called with the number of rows and a seed."""


def make_black_boxes(
    models: Sequence[str] | Mapping[str, Any] | None,
    n_samples: int,
    *,
    seed: int = 0,
    place: str = "black boxes",
) -> dict[str, Any]:
    """Unfitted predictors by name.

    Parameters
    ----------
    models : sequence of {"forest", "boosting", "gp", "mlp", "trees"}, or mapping of name to estimator
        The first four when left out, without the Gaussian process above 3,000 rows.
    n_samples : int
    seed : int
    place : str
        Who asks, for the message.

    Returns
    -------
    dict of str to estimator

    Raises
    ------
    InputError
        For a name that is not known, and for none at all.

    Examples
    --------
    >>> list(make_black_boxes(None, 5000))
    ['forest', 'boosting', 'mlp']
    """
    if models is None:
        names = ["forest", "boosting", *(["gp"] if n_samples <= _PROCESS_ROWS else []), "mlp"]
        return {name: BLACK_BOXES[name](n_samples, seed) for name in names}
    if isinstance(models, str) or not len(models):
        remedy = f"Choose from {', '.join(BLACK_BOXES)}."
        raise InputError(
            sentence(place, "models", "be a list of names, or a dict of estimators", models, remedy=remedy)
        )
    if isinstance(models, Mapping):
        return dict(models)
    for name in models:
        if name not in BLACK_BOXES:
            raise InputError(
                sentence(
                    place, "each model", f"be one of {', '.join(BLACK_BOXES)}", name,
                    remedy="Pass a dict for estimators of your own.",
                )
            )  # fmt: skip
    return {name: BLACK_BOXES[name](n_samples, seed) for name in models}
