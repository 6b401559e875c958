"""Lists of candidates whose best ones are known by construction, not by a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.checks import as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.datasets.dataset import Dataset

__all__ = ["make_noisy_pool", "make_two_objective_pool"]

_HEIGHT, _WIDTH = 0.6, 0.25


def make_noisy_pool(
    n_candidates: int = 500, n_features: int = 3, *, noise: float = 0.05, rng: Any = None
) -> Dataset:
    r"""Make a list of candidates with one broad and one high, narrow optimum, and noise on every result.

    Parameters
    ----------
    n_candidates : int, default=500
        Rows, uniform in the unit cube, the top of the high optimum among them; the best is row 0.
    n_features : int, default=3
        Descriptors ``x0, x1, ...``.
    noise : float, default=0.05
        Standard deviation of one result. Values without noise lie between 0 and about 1.
    rng : None, int, RandomState or Generator

    Returns
    -------
    Dataset
        Target ``y``, one noisy result a candidate. ``truth`` has the value without noise and its rank (1 is
        the best) in each row; ``truth.attrs`` the row of the best (0) and the noise.

    Notes
    -----
    With tops a (at 0.25 in every descriptor) and b (at 0.7), and squared distances averaged over the
    descriptors,

    .. math:: f(x) = 0.6\,e^{-|x - a|^2/(2 \cdot 0.25^2)} + e^{-|x - b|^2/(2 \cdot 0.125^2)} .

    The broad hill leans on the high one, so that the largest value of a list may lie a little off b; the
    best candidate, by these values and not by a search, is put into row 0.

    Examples
    --------
    >>> made = make_noisy_pool(100, 2, rng=0)
    >>> made
    Dataset noisy_pool: 100 rows, features x0, x1, target y
    >>> made.truth.attrs["best_row"], int(made.truth["rank"].iloc[0])
    (0, 1)
    """
    place = "make_noisy_pool"
    _at_least(place, "n_candidates", n_candidates, 2)
    _at_least(place, "n_features", n_features, 1)
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(sentence(place, "noise", "be a standard deviation of 0 or more", noise))
    rng = as_generator(rng)
    X = rng.uniform(size=(n_candidates, n_features))
    X[0] = 0.7
    exact = _HEIGHT * _bump(X, 0.25, _WIDTH) + _bump(X, 0.7, _WIDTH / 2)
    best = int(np.argmax(exact))
    X[[0, best]], exact[[0, best]] = X[[best, 0]], exact[[best, 0]]
    rank = np.empty(n_candidates, dtype=np.int64)
    rank[np.argsort(-exact, kind="stable")] = np.arange(1, n_candidates + 1)
    truth = pd.DataFrame({"y": exact, "rank": rank})
    truth.attrs |= {"best_row": 0, "noise": float(noise)}
    columns = {f"x{j}": X[:, j] for j in range(n_features)}
    return _made("noisy_pool", {**columns, "y": exact + noise * rng.standard_normal(n_candidates)}, truth)


def make_two_objective_pool(n_candidates: int = 400, n_features: int = 3, *, rng: Any = None) -> Dataset:
    r"""Make a list of candidates with two objectives whose front is known.

    Parameters
    ----------
    n_candidates : int, default=400
        Rows; every tenth lies on the front.
    n_features : int, default=3
        Descriptors ``x0, x1, ...``, 2 or more.
    rng : None, int, RandomState or Generator

    Returns
    -------
    Dataset
        Columns ``a`` (to be maximized, the target) and ``b`` (to be maximized). ``truth`` says of each row
        whether it lies on the front; ``truth.attrs["hypervolume"]`` is the area that the front covers
        above (0, 0).

    Notes
    -----
    With t the first descriptor and g the mean square of the others about 1/2, times 4,

    .. math:: a = (1 - g)\cos(\pi t/2), \qquad b = (1 - g)\sin(\pi t/2) ,

    so that candidates with g = 0 lie on the unit circle and no other beats them; all others lie inside it.
    Inside, only a candidate so near to the circle that none of the front covers it belongs to the front of
    this list too; the truth counts them, by comparing all pairs.

    Examples
    --------
    >>> made = make_two_objective_pool(100, rng=0)
    >>> made
    Dataset two_objective_pool: 100 rows, features x0, x1, x2, target a
    >>> bool(made.truth["on_front"].iloc[::10].all()), 0.6 < made.truth.attrs["hypervolume"] < np.pi / 4
    (True, True)
    """
    place = "make_two_objective_pool"
    _at_least(place, "n_candidates", n_candidates, 10)
    _at_least(place, "n_features", n_features, 2)
    rng = as_generator(rng)
    X = rng.uniform(size=(n_candidates, n_features))
    X[::10, 1:] = 0.5
    short = 4.0 * ((X[:, 1:] - 0.5) ** 2).mean(axis=1)
    angle = np.pi / 2 * X[:, 0]
    a, b = (1.0 - short) * np.cos(angle), (1.0 - short) * np.sin(angle)
    beaten = np.array([((a >= a[k]) & (b >= b[k]) & ((a > a[k]) | (b > b[k]))).any() for k in range(len(a))])
    truth = pd.DataFrame({"on_front": ~beaten})
    truth.attrs["hypervolume"] = _staircase(a[~beaten], b[~beaten])
    columns = {f"x{j}": X[:, j] for j in range(n_features)}
    return _made("two_objective_pool", {**columns, "a": a, "b": b}, truth, target="a")


def _bump(X: NDArray[np.float64], top: float, width: float) -> NDArray[np.float64]:
    """Gaussian hill of height 1."""
    bump: NDArray[np.float64] = np.exp(-((X - top) ** 2).mean(axis=1) / (2 * width**2))
    return bump


def _staircase(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Area under the steps of a front, above zero."""
    order = np.argsort(-a)
    a, b = a[order], b[order]
    rise = np.diff(np.concatenate([[0.0], b]))
    return float((a * rise).sum())


def _made(
    name: str, columns: dict[str, NDArray[np.float64]], truth: pd.DataFrame, target: str = "y"
) -> Dataset:
    """Dataset of made columns."""
    return Dataset(
        name=name,
        frame=pd.DataFrame(columns),
        units=dict.fromkeys(columns),
        description=f"Made by sozai.datasets.make_{name}; the truth is known by construction.",
        feature_names=tuple(column for column in columns if column.startswith("x")),
        target_name=target,
        truth=truth,
    )


def _at_least(place: str, argument: str, value: object, least: int) -> None:
    """A whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(sentence(place, argument, f"be a whole number of {least} or more", value))
