"""Tables whose truth is known by construction, not by a solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.checks import as_generator, as_names
from sozai.contracts.errors import InputError, sentence
from sozai.datasets.dataset import Dataset

__all__ = ["make_collinear", "make_planted_law"]

_LARGEST = 5  # integers of the exact relations lie between -5 and 5


def make_planted_law(
    function: Callable[..., Any],
    names: Sequence[str],
    *,
    n_samples: int = 60,
    noise: float = 0.0,
    domain: tuple[float, float] | Mapping[str, tuple[float, float]] = (0.5, 2.0),
    n_distractors: int = 0,
    rng: Any = None,
) -> Dataset:
    """Make samples of a law that you know, with noise and columns that have no part in it.

    Parameters
    ----------
    function : callable
        The law: called with one array per name, in order.
    names : sequence of str
        Columns of the law.
    n_samples : int, default=60
        Rows, drawn uniformly from the domain.
    noise : float, default=0
        Standard deviation of the Gaussian noise, as a fraction of the
        standard deviation of the law's values.
    domain : (low, high) or mapping of name to (low, high)
        Range of every column, or of each.
    n_distractors : int, default=0
        Further columns ``other0, other1, ...`` drawn like the others.
    rng : None, int, RandomState or Generator
        Source of the random numbers.

    Returns
    -------
    Dataset
        Target ``y``; ``truth`` holds the values of the law without noise.

    Examples
    --------
    >>> fall = make_planted_law(lambda g, t: g * t**2 / 2, ["g", "t"], n_samples=30, rng=0)
    >>> fall
    Dataset planted_law: 30 rows, features g, t, target y
    >>> bool((fall.frame.y == fall.frame.g * fall.frame.t**2 / 2).all())
    True
    """
    place = "make_planted_law"
    names = as_names(names, len(names), place=place)
    _at_least(place, "n_samples", n_samples, 1)
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(sentence(place, "noise", "be zero or a positive number", noise))
    rng = as_generator(rng)
    features = (*names, *(f"other{k}" for k in range(n_distractors)))
    columns = {name: rng.uniform(*_range(place, domain, name), size=n_samples) for name in features}
    exact = np.broadcast_to(
        np.asarray(function(*(columns[name] for name in names)), dtype=np.float64), (n_samples,)
    )
    if not np.isfinite(exact).all():
        row = int(np.argmin(np.isfinite(exact)))
        raise InputError(
            sentence(
                place,
                "function",
                "be finite on the whole domain",
                float(exact[row]),
                at=f"at {', '.join(f'{name} = {columns[name][row]:.6g}' for name in names)}",
                remedy="Choose a domain without the singularity.",
            )
        )
    target = exact + noise * exact.std() * rng.standard_normal(n_samples) if noise else exact
    return _made("planted_law", {**columns, "y": target}, features, "y", pd.DataFrame({"y": exact}))


def make_collinear(
    n_samples: int = 40,
    n_independent: int = 5,
    *,
    relations: int = 3,
    near: Sequence[float] = (),
    rng: Any = None,
) -> Dataset:
    r"""Make columns with a known number of exact and near linear relations.

    Parameters
    ----------
    n_samples : int, default=40
        Rows.
    n_independent : int, default=5
        Columns ``x0, x1, ...`` of integers, linearly independent.
    relations : int, default=3
        Columns ``exact0, ...``, each an integer combination of the independent
        ones, without rounding.
    near : sequence of float
        One column ``near0, ...`` per entry :math:`\rho`: a combination plus a
        part orthogonal to all other columns, such that
        :math:`\lVert x - X B\rVert / \lVert x\rVert = \rho`.
    rng : None, int, RandomState or Generator
        Source of the random numbers.

    Returns
    -------
    Dataset
        No target; ``truth`` is the matrix :math:`B`: a row per independent
        column, a column per dependent one. The rank is ``n_independent``, plus one for
        every near column.

    Notes
    -----
    The independent columns hold a unit lower triangular matrix, so that they
    are independent whatever the random numbers are.

    Examples
    --------
    >>> table = make_collinear(8, 2, relations=1, near=[1e-3], rng=0)
    >>> list(table.frame), table.truth.shape
    (['x0', 'x1', 'exact0', 'near0'], (2, 2))
    """
    place = "make_collinear"
    _at_least(place, "n_independent", n_independent, 1)
    _at_least(place, "relations", relations, 0)
    _at_least(place, "n_samples", n_samples, n_independent + len(near))
    near = [float(size) for size in near]
    for size in near:
        if not 0 < size < 1:
            raise InputError(sentence(place, "near", "hold numbers between 0 and 1", size))
    rng = as_generator(rng)
    basis = rng.integers(-_LARGEST, _LARGEST + 1, size=(n_samples, n_independent)).astype(np.float64)
    basis[:n_independent] = np.tril(basis[:n_independent], -1) + np.eye(n_independent)
    basis = basis[rng.permutation(n_samples)]
    coefficients = rng.integers(1, _LARGEST + 1, size=(n_independent, relations + len(near)))
    coefficients = coefficients * rng.choice([-1, 1], size=coefficients.shape)
    dependent = basis @ coefficients
    away = _orthogonal_directions(basis, len(near), rng)
    for k, size in enumerate(near):
        combination = dependent[:, relations + k]
        length = np.linalg.norm(combination) * size / np.sqrt(1 - size**2)
        dependent[:, relations + k] = combination + length * away[:, k]
    features = tuple(f"x{k}" for k in range(n_independent))
    added = (*(f"exact{k}" for k in range(relations)), *(f"near{k}" for k in range(len(near))))
    columns = dict(zip((*features, *added), np.hstack([basis, dependent]).T, strict=True))
    truth = pd.DataFrame(coefficients.astype(np.float64), index=list(features), columns=list(added))
    return _made("collinear", columns, (*features, *added), None, truth)


def _orthogonal_directions(
    basis: np.ndarray[Any, Any], n: int, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    """``n`` unit vectors orthogonal to the columns of ``basis`` and to each other."""
    filled = np.hstack([basis, rng.standard_normal((basis.shape[0], n))])
    return np.linalg.qr(filled)[0][:, basis.shape[1] :]


def _range(
    place: str, domain: tuple[float, float] | Mapping[str, tuple[float, float]], name: str
) -> tuple[float, float]:
    """Bounds of one column, checked."""
    if isinstance(domain, Mapping):
        if name not in domain and not name.startswith("other"):
            raise InputError(sentence(place, "domain", f"have a range for {name!r}", list(domain)))
        low, high = domain.get(name, (0.5, 2.0))
    else:
        low, high = domain
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(
            sentence(place, "domain", f"be (low, high) with low < high for {name!r}", (low, high))
        )
    return float(low), float(high)


def _at_least(place: str, argument: str, value: int, smallest: int) -> None:
    if value < smallest:
        raise InputError(sentence(place, argument, f"be at least {smallest}", value))


def _made(
    name: str,
    columns: Mapping[str, Any],
    features: tuple[str, ...],
    target: str | None,
    truth: pd.DataFrame,
) -> Dataset:
    """Wrap a made table; pure numbers, nothing to cite."""
    return Dataset(
        name=name,
        frame=pd.DataFrame(columns),
        units=dict.fromkeys(columns),
        description=f"Made by sozai.datasets.make_{name}; the truth is known by construction.",
        feature_names=features,
        target_name=target,
        truth=truth,
    )
