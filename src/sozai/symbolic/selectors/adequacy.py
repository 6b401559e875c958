"""When is a shorter law as good as a longer one: paired errors of left-out rows or groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sozai.numerics.least_squares import fit_least_squares
from sozai.symbolic.selectors.models import ModelList, rounding_error

__all__ = ["adequate_for_groups", "clearly_smaller", "folds_of"]


def folds_of(groups: np.ndarray) -> list[np.ndarray]:
    """Row numbers of every group, in order of first appearance."""
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    return [np.flatnonzero(member == k) for k in np.argsort(first)]


def clearly_smaller(new: np.ndarray, old: np.ndarray, *, groups: np.ndarray | None, floor: float) -> bool:
    """Whether the squared errors ``new`` are below ``old`` by more than one standard error.

    Parameters
    ----------
    new, old : ndarray of shape (n_samples,)
        Squared errors of the same rows.
    groups : ndarray of shape (n_samples,), optional
        The standard error is taken over groups where there are any.
    floor : float
        Mean squares below this are rounding.

    Examples
    --------
    >>> import numpy as np
    >>> old = np.array([1.0, 1.1, 0.9, 1.0])
    >>> clearly_smaller(old / 2, old, groups=None, floor=0.0)
    True
    """
    if not np.isfinite(new).all():
        return False
    if not np.isfinite(old).all():
        return True
    gain = old - new
    return bool(gain.mean() > _standard_error(gain, groups) + floor)


def adequate_for_groups(
    models: ModelList, values: np.ndarray, y: np.ndarray, groups: np.ndarray
) -> ModelList:
    """Models that predict left-out groups as well as the best one does, within its standard error.

    Parameters
    ----------
    models : ModelList
        ``columns`` of its models refer to ``values``.
    values : ndarray of shape (n_samples, n_columns)
    y : ndarray of shape (n_samples,)
    groups : ndarray of shape (n_samples,)

    Returns
    -------
    ModelList
        All models where none can predict a left-out group.

    Notes
    -----
    The errors of a left-out group F are :math:`(I - H_{FF})^{-1} e_F`, so no
    model is fitted again. The standard error is taken over groups.
    """
    folds = folds_of(groups)
    squares = []
    for model in models:
        design = np.column_stack([np.ones(len(y)), values[:, list(model.columns)]])
        residuals = fit_least_squares(design, y, names=["1", *model.terms]).kfold_residuals(folds)
        squares.append(residuals**2)
    means = np.array([square.mean() if np.isfinite(square).all() else np.inf for square in squares])
    if not np.isfinite(means).any():
        return models
    best = int(np.argmin(means))
    limit = means[best] + _standard_error(squares[best], groups) + rounding_error(models[best]) ** 2
    return replace(models, models=tuple(models[k] for k in np.flatnonzero(means <= limit)))


def _standard_error(difference: np.ndarray, groups: np.ndarray | None) -> float:
    """Standard error of a mean, over groups where there are any."""
    n_samples = len(difference)
    if groups is None:
        return float(np.std(difference, ddof=1) / np.sqrt(n_samples)) if n_samples > 1 else 0.0
    totals = np.array([difference[fold].sum() for fold in folds_of(groups)])
    n_groups = len(totals)
    spread = np.std(totals, ddof=1) if n_groups > 1 else 0.0
    return float(np.sqrt(n_groups) * spread / n_samples)
