"""Where the selector looks, and what a term must explain to be kept."""

from __future__ import annotations

import math
import warnings
from copy import copy
from dataclasses import replace

import numpy as np

from sozai.contracts.errors import ConvergenceWarning
from sozai.numerics.distinct_columns import distinct_columns
from sozai.numerics.least_squares import fit_least_squares
from sozai.symbolic.selectors.exhaustive import Exhaustive, most_terms
from sozai.symbolic.selectors.models import ModelList, SymbolicModel, rounding_error

__all__ = ["DescriptionLength", "search_laws"]

_AFFORDABLE = 2e8  # subsets scored in a fraction of a second


class DescriptionLength:
    r"""Extended Bayesian criterion with a prior that likes simple descriptors.

    Parameters
    ----------
    complexity : ndarray of int of shape (n_candidates,)
        Complexity of every descriptor that was searched.
    counts : ndarray of int of shape (n_candidates,), optional
        How many descriptors an entry stands for; 1 when left out. A search
        of a billion gives its histogram.

    Notes
    -----
    :math:`m \ln(e^2/m) + \frac{m}{m-p-2}(p \ln m - 2 \sum_j \ln w_j)` with the
    prior weight :math:`w_j \propto 1/N_j`, where :math:`N_j` is the number of
    candidates no more complex than term j [1]_. The more descriptors were tried,
    the more a term must explain. The factor is the small-sample correction of
    the Schwarz criterion [2]_: nine rows do not pay for four parameters.

    References
    ----------
    .. [1] J. Chen, Z. Chen, Biometrika 95, 759 (2008).
    .. [2] A. D. R. McQuarrie, Stat. Probab. Lett. 44, 79 (1999).

    Examples
    --------
    >>> import numpy as np
    >>> length = DescriptionLength(np.array([1, 1, 3, 3]))
    >>> [round(float(cost), 3) for cost in length.cost([1, 3])]
    [1.099, 1.792]
    """

    def __init__(self, complexity: np.ndarray, counts: np.ndarray | None = None) -> None:
        self._levels, member = np.unique(complexity, return_inverse=True)
        at_level = np.bincount(member, counts, minlength=1)
        self._up_to = np.concatenate([[0.0], np.cumsum(at_level)])
        self._total = float(np.sum(at_level / np.maximum(self._up_to[1:], 1.0)))

    def cost(self, complexity) -> np.ndarray:
        """Negative log prior weight of terms of this complexity."""
        up_to = self._up_to[np.searchsorted(self._levels, complexity, "right")]
        return np.log(np.maximum(up_to, 1.0) * self._total)

    def __call__(self, model: SymbolicModel, complexity: np.ndarray) -> tuple:
        """Criterion of a model with terms of this complexity; ties by complexity, then columns."""
        m = model.n_samples
        error = max(model.rmse, rounding_error(model), np.finfo(float).tiny)
        prior = float(np.sum(self.cost(complexity))) if model.n_terms else 0.0
        small_sample = m / max(m - model.n_parameters - 2, 0.5)
        value = 2 * m * math.log(error) + small_sample * (model.n_parameters * math.log(m) + 2 * prior)
        return round(float(value), 10), model.complexity, model.columns


def search_laws(generated, basis, y, selector, *, candidates, allowed) -> tuple[ModelList, np.ndarray]:
    """Run a selector over the columns it may see.

    Parameters
    ----------
    generated : Generated
    basis : ndarray of int
        Columns of an independent basis.
    y : ndarray of shape (n_samples,)
    selector : Selector
    candidates : {"auto", "basis", "all"}
        ``"auto"``: subsets of every size that can be afforded are searched over
        all distinct columns, larger ones over the basis.
    allowed : ndarray of int
        Columns that may be used, ascending, without the constant.

    Returns
    -------
    models : ModelList
        ``columns`` refer to ``generated``.
    searched : ndarray of int
        Columns that were searched.
    """
    basis = np.intersect1d(np.asarray(basis), allowed)
    if candidates == "basis" or (candidates == "auto" and not isinstance(selector, Exhaustive)):
        return _select(generated, basis, y, selector), basis
    distinct = allowed[distinct_columns(generated.values[:, allowed])[0]]
    if isinstance(selector, Exhaustive):
        most = most_terms(selector.max_terms, len(distinct), len(y))
        selector = copy(selector).set_params(max_terms=most)
    size = _affordable_size(len(distinct), selector) if candidates == "auto" else None
    if size is None:
        return _select(generated, distinct, y, selector), distinct
    short = _select(generated, distinct, y, copy(selector).set_params(max_terms=size))
    note = (
        f"laws of up to {size} terms were searched among all {len(distinct)} descriptors, "
        f"longer ones among a basis of {len(basis)}"
    )
    if len(basis) <= size or len(y) < size + 3:
        return replace(short, notes=(*short.notes, note)), distinct
    long = _select(generated, basis, y, copy(selector).set_params(min_terms=size + 1))
    models = (*short.models, *long.models)
    complete = short.complete and long.complete
    return ModelList(models, complete=complete, notes=(*short.notes, *long.notes, note)), distinct


def _affordable_size(n_columns: int, selector: Exhaustive) -> int | None:
    """Largest number of terms an exhaustive search can afford, None where that is all of them."""
    for size in range(selector.max_terms, max(selector.min_terms, 1), -1):
        if math.comb(n_columns, size) <= _AFFORDABLE:
            return None if size == selector.max_terms else size
    return None if selector.max_terms <= max(selector.min_terms, 1) else max(selector.min_terms, 1)


def _select(generated, columns, y, selector) -> ModelList:
    """Models over some columns of the descriptors."""
    if not len(columns):
        warnings.warn(
            "SymbolicRegressor.fit: no column varies; the law is the mean of y.",
            ConvergenceWarning,
            stacklevel=6,
        )
        mean = fit_least_squares(np.ones((len(y), 1)), y, names=["1"])
        return ModelList((SymbolicModel.from_least_squares(mean, (), (), 0, has_intercept=True),))
    texts = generated.expressions.texts(generated.ids[columns])
    found = selector.select(generated.values[:, columns], y, texts, complexity=generated.complexity[columns])
    models = [replace(model, columns=tuple(int(columns[j]) for j in model.columns)) for model in found]
    return replace(found, models=tuple(models), selected=None)
