"""The answer of every selection: one linear model of named terms, and the list of the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import overload

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.least_squares import ROUNDING, LeastSquares, Scores

__all__ = ["ModelList", "SymbolicModel"]

#: Relative difference below which two scores are one.
TIE = 1e-10
#: Criteria of which more is better, and the loss that orders them the same way.
_AS_LOSS = {"q2": "rmse_loo", "tq2": "rmse_loo", "r2": "rmse", "tr2": "rmse"}
_ERRORS = ("rmse", "mae", "max_abs_error", "rmse_loo")
_LOSSES = (*_ERRORS, "aic", "aicc", "bic", "gcv", "condition_number", "complexity", "n_terms")
_SCORES = tuple(score.name for score in fields(Scores))


@dataclass(frozen=True, eq=False, repr=False)
class SymbolicModel:
    """A linear combination of named terms with its errors and scores.

    Attributes
    ----------
    terms : tuple of str
        Names of the terms, the constant not among them unless it was an ordinary column.
    columns : tuple of int
        Column numbers of the terms in the table they were selected from.
    coefficients, standard_errors : ndarray of shape (n_terms,)
        Standard errors hold for a model fixed beforehand; after a selection they are too small.
    intercept, intercept_standard_error : float
        Zero when the model was fitted without intercept.
    has_intercept : bool
        Whether it was.
    n_terms, n_parameters : int
        Without and with the intercept (ridge regression: the effective number, a float).
    complexity : int
        Sum of the complexities of the terms.
    rmse, mae, max_abs_error, r2, adj_r2, tr2, aic, aicc, bic, gcv : float
        Fit, see :class:`sozai.numerics.least_squares.Scores`.
    q2, tq2, rmse_loo : float
        Leave-one-out scores of this model; the selection itself is not repeated in them.
    condition_number : float
        Of the unit-norm columns, the constant included.
    residual_variance : float
        s² = e²/(m − p).
    covariance : ndarray of shape (1 + n_terms, 1 + n_terms)
        P = (XᵀX)⁻¹ of [intercept, terms]; zeros for an intercept that is not there.
    leverages, fitted, residuals, loo_residuals : ndarray of shape (n_samples,)
        Per training row.
    unit : str or None
        Unit of the target.
    holds : str
        ``"always"`` or ``"in this sample"``, for a rewritten model.
    equivalents : tuple
        Other forms of the same model.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.selection import AllTerms
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = AllTerms().select(x, [1.0, 3.0, 5.0, 7.0], ["x"])[0]
    >>> model.terms, round(model.intercept, 9), model.coefficients.round(9).tolist()
    (('x',), 1.0, [2.0])
    """

    terms: tuple[str, ...]
    columns: tuple[int, ...]
    coefficients: np.ndarray
    standard_errors: np.ndarray
    intercept: float
    intercept_standard_error: float
    has_intercept: bool
    n_terms: int
    n_parameters: float
    complexity: int
    rmse: float
    mae: float
    max_abs_error: float
    r2: float
    adj_r2: float
    tr2: float
    rmse_loo: float
    q2: float
    tq2: float
    aic: float
    aicc: float
    bic: float
    gcv: float
    residual_variance: float
    condition_number: float
    covariance: np.ndarray
    leverages: np.ndarray
    fitted: np.ndarray
    residuals: np.ndarray
    loo_residuals: np.ndarray
    unit: str | None = None
    holds: str = ""
    equivalents: tuple = ()

    @classmethod
    def from_least_squares(
        cls,
        fit: LeastSquares,
        columns: Sequence[int],
        terms: Sequence[str],
        complexity: int,
        *,
        has_intercept: bool,
    ) -> SymbolicModel:
        """Record of a fit whose first column is the constant if ``has_intercept``."""
        first = int(has_intercept)
        size = len(terms) + 1
        covariance = np.zeros((size, size))
        covariance[1 - first :, 1 - first :] = fit.covariance
        errors = fit.standard_errors
        return cls(
            terms=tuple(terms),
            columns=tuple(int(j) for j in columns),
            coefficients=fit.coefficients[first:],
            standard_errors=errors[first:],
            intercept=float(fit.coefficients[0]) if has_intercept else 0.0,
            intercept_standard_error=float(errors[0]) if has_intercept else 0.0,
            has_intercept=has_intercept,
            n_terms=len(terms),
            n_parameters=fit.n_parameters,
            complexity=int(complexity),
            condition_number=fit.condition_number if fit.n_parameters else 1.0,
            covariance=covariance,
            leverages=fit.leverages,
            fitted=fit.fitted,
            residuals=fit.residuals,
            loo_residuals=fit.loo_residuals,
            **{name: getattr(fit.scores, name) for name in _SCORES},
        )

    @property
    def n_samples(self) -> int:
        """Rows the model was fitted to."""
        return len(self.fitted)

    @property
    def target(self) -> np.ndarray:
        """The target it was fitted to."""
        return self.fitted + self.residuals

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Value of the model for the values of its terms, shape (n_rows, n_terms)."""
        return self.intercept + np.asarray(values, dtype=np.float64) @ self.coefficients

    def prediction_variance(self, values: np.ndarray) -> np.ndarray:
        """s² (1 + xᵀPx) of new observations at the values of the terms, shape (n_rows, n_terms)."""
        values = np.asarray(values, dtype=np.float64)
        rows = np.column_stack([np.ones(len(values)), values])
        return self.residual_variance * (1.0 + np.einsum("ti,ij,tj->t", rows, self.covariance, rows))

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient: term, coefficient, standard error."""
        terms, values, errors = list(self.terms), list(self.coefficients), list(self.standard_errors)
        if self.has_intercept:
            terms, values = ["1", *terms], [self.intercept, *values]
            errors = [self.intercept_standard_error, *errors]
        return pd.DataFrame({"term": terms, "coefficient": values, "standard_error": errors})

    def __str__(self) -> str:
        parts = [f"{value:+.4g} {term}" for term, value in zip(self.terms, self.coefficients, strict=True)]
        if self.has_intercept or not parts:
            parts.append(f"{self.intercept:+.4g}")
        text = " ".join(parts)
        return text.removeprefix("+")

    def __repr__(self) -> str:
        text = str(self)
        text = text if len(text) <= 160 else f"{text[:120]} ... ({self.n_terms} terms)"
        unit = f" {self.unit}" if self.unit else ""
        errors = f"RMSE {self.rmse:.4g}{unit}, LOO {self.rmse_loo:.4g}{unit}"
        return f"SymbolicModel({text}; {errors}, Q2 {self.q2:.4f})"


@dataclass(frozen=True, eq=False, repr=False)
class ModelList(Sequence):
    """Models found by one selector, best first within every number of terms.

    Attributes
    ----------
    models : tuple of SymbolicModel
    path : DataFrame or None
        One row a step, for selectors that walk; the full path even where the models are thinned out.
    complete : bool
        False after an interrupt or a time limit, and for heuristics.
    notes : tuple of str
        What the selector left out, skipped or could not guarantee.
    selected : SymbolicModel or None
        The model the selector's own rule stopped at.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.selection import Exhaustive
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> models = Exhaustive(max_terms=2).select(X, 3 * X[:, 1] + 1, ["a", "b", "c", "d"])
    >>> models.simplest().terms
    ('b',)
    """

    models: tuple[SymbolicModel, ...]
    path: pd.DataFrame | None = None
    complete: bool = True
    notes: tuple[str, ...] = ()
    selected: SymbolicModel | None = field(default=None)

    def __len__(self) -> int:
        return len(self.models)

    @overload
    def __getitem__(self, index: int) -> SymbolicModel: ...
    @overload
    def __getitem__(self, index: slice) -> ModelList: ...
    def __getitem__(self, index):
        """One model, or a shorter list."""
        if isinstance(index, slice):
            return self._with(self.models[index])
        return self.models[index]

    def __iter__(self) -> Iterator[SymbolicModel]:
        return iter(self.models)

    def _with(self, models: Sequence[SymbolicModel]) -> ModelList:
        """Keep the search, with fewer models."""
        return ModelList(tuple(models), self.path, self.complete, self.notes, self.selected)

    def of_size(self, n_terms: int) -> ModelList:
        """Models with this many terms."""
        return self._with([model for model in self.models if model.n_terms == n_terms])

    def best(self, criterion: str = "q2") -> SymbolicModel:
        """Model with the best score; scores equal within 1e-10 go to less complexity, then lower columns.

        Parameters
        ----------
        criterion : str, default="q2"
            Any score of :class:`SymbolicModel`; R² and Q² are maximized, all others minimized.
        """
        self._need_models("best")
        return sort_models(self.models, criterion)[0]

    def simplest(self, criterion: str = "q2") -> SymbolicModel:
        """Fewest terms, then least complexity, among the models as good as the best.

        As good: the mean of the squared leave-one-out errors is above that of the best model (by
        ``criterion``) by no more than one standard error of their paired differences. Errors at
        rounding level count as none.
        """
        self._need_models("simplest")
        best = self.best(criterion)
        adequate = [model for model in self.models if as_good(model, best)]
        fewest = min(model.n_terms for model in adequate)
        adequate = [model for model in adequate if model.n_terms == fewest]
        least = min(model.complexity for model in adequate)
        return sort_models([model for model in adequate if model.complexity == least], "rmse_loo")[0]

    def pareto(self, criterion: str = "rmse", *, cost: str = "complexity") -> ModelList:
        """Models that no other model beats in both ``criterion`` and ``cost``, cheapest first."""
        front: list[SymbolicModel] = []
        groups = sorted({_loss(model, cost) for model in self.models})
        for price in groups:
            model = sort_models([m for m in self.models if _loss(m, cost) == price], criterion)[0]
            if not front or _loss(model, criterion) < _loss(front[-1], criterion) * (1 - TIE):
                front.append(model)
        return self._with(front)

    def to_frame(self) -> pd.DataFrame:
        """One row a model: terms, formula and every score."""
        rows = [
            {
                "n_terms": model.n_terms,
                "complexity": model.complexity,
                "formula": str(model),
                **{name: getattr(model, name) for name in _SCORES},
                "condition_number": model.condition_number,
                "n_parameters": model.n_parameters,
                "holds": model.holds,
                "terms": model.terms,
            }
            for model in self.models
        ]
        return pd.DataFrame(rows)

    def _need_models(self, method: str) -> None:
        if not self.models:
            raise InputError(
                sentence(
                    f"ModelList.{method}",
                    "the list",
                    "hold a model",
                    0,
                    remedy="The search ended before its first model: give it more time.",
                )
            )

    def __repr__(self) -> str:
        flag = "" if self.complete else ", incomplete"
        first = f": {self.models[0]!r}, ..." if self.models else ""
        return f"ModelList({len(self.models)} models{flag}{first})"


def sort_models(models: Sequence[SymbolicModel], criterion: str) -> list[SymbolicModel]:
    """Order best first; equal scores (within 1e-10, rounding is zero) by complexity, then columns."""
    losses = np.array([_loss(model, criterion) for model in models])
    losses = np.where(np.isnan(losses), np.inf, losses)
    order = np.argsort(losses, kind="stable")
    group = np.zeros(len(models), dtype=np.int64)
    anchor = 0
    for position, i in enumerate(order):
        first = losses[order[anchor]]
        if losses[i] > first + TIE * abs(first):
            anchor = position
        group[i] = anchor
    keys = sorted(range(len(models)), key=lambda i: (group[i], models[i].complexity, models[i].columns))
    return [models[i] for i in keys]


def _loss(model: SymbolicModel, criterion: str) -> float:
    """Value to minimize; errors at rounding level of the target are one value."""
    name = _AS_LOSS.get(criterion, criterion)
    if name == "adj_r2":
        return -float(model.adj_r2)
    if name not in _LOSSES:
        raise InputError(
            sentence(
                "ModelList",
                "criterion",
                f"be one of {', '.join([*_AS_LOSS, 'adj_r2', *_LOSSES])}",
                criterion,
                remedy="Use 'q2' when in doubt.",
            )
        )
    value = float(getattr(model, name))
    if name in _ERRORS:
        return max(value, rounding_error(model))
    return value


def rounding_error(model: SymbolicModel) -> float:
    """Size of an error that is only rounding: a small multiple of epsilon times the target."""
    return float(ROUNDING * np.sqrt(np.mean(model.target**2)))


def as_good(model: SymbolicModel, best: SymbolicModel) -> bool:
    """Tell whether the squared leave-one-out errors are within one paired standard error of the best."""
    if not np.isfinite(best.rmse_loo):
        return model is best
    if not np.isfinite(model.rmse_loo):
        return False
    difference = model.loo_residuals**2 - best.loo_residuals**2
    m = len(difference)
    spread = float(np.std(difference, ddof=1)) / np.sqrt(m) if m > 1 else 0.0
    return bool(difference.mean() <= spread + rounding_error(best) ** 2)
