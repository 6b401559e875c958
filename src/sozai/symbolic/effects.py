"""What each column does to the law: slopes, elasticities and finite effects with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.estimator import check_is_fitted
from sozai.contracts.units import convert, parse_unit
from sozai.symbolic.formulas.derivatives import derivatives

__all__ = ["Effects", "effects", "per_unit", "require_law", "unit_map"]

_QUANTILES = (0.25, 0.75)


@dataclass(frozen=True, eq=False, repr=False)
class Effects:
    r"""Slopes of a law at the rows of a table, and what they amount to.

    Attributes
    ----------
    names : tuple of str
        Columns that occur in the law; all others have no effect.
    column_units, units : tuple of str or None
        Unit of every column as the table has it, and of its slope.
    target, target_unit : str or None
    slopes, slopes_below : ndarray of shape (n_samples, n_columns)
        :math:`s_i = \partial \hat y / \partial x_i` towards larger and towards
        smaller values of the column; they differ at kinks of :math:`|u|` only.
        NaN where the law is not defined.
    standard_errors : ndarray of shape (n_samples, n_columns)
        Of ``slopes``, for a law fixed beforehand.
    elasticities : ndarray of shape (n_samples, n_columns)
        :math:`x_i s_i / \hat y`: percent of the target for one percent of the
        column, both counted from the true zero (kelvin for temperatures).
    mean_slopes, mean_slope_errors : ndarray of shape (n_columns,)
        Mean over the rows, and its standard error.
    quantiles : ndarray of shape (n_columns, 2)
        25 % and 75 % quantile of every column.
    finite_effects, finite_errors : ndarray of shape (n_columns,)
        Mean change of the law when the column moves from the first to the
        second quantile while the others stay as they are, and its standard error.
    same_sign : ndarray of shape (n_columns,)
        Share of the rows whose slope has the more frequent sign.
    index : sequence
        Names of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sozai.symbolic import SymbolicRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"base": rng.uniform(1, 2, 20), "height": rng.uniform(1, 2, 20)})
    >>> found = effects(SymbolicRegressor().fit(X, X["base"] * X["height"] / 2), X)
    >>> bool(np.allclose(found.slopes[:, 0], X["height"] / 2))
    True
    """

    names: tuple[str, ...]
    column_units: tuple[str | None, ...]
    units: tuple[str | None, ...]
    target: str | None
    target_unit: str | None
    slopes: np.ndarray
    slopes_below: np.ndarray
    standard_errors: np.ndarray
    elasticities: np.ndarray
    mean_slopes: np.ndarray
    mean_slope_errors: np.ndarray
    quantiles: np.ndarray
    finite_effects: np.ndarray
    finite_errors: np.ndarray
    same_sign: np.ndarray
    index: Any

    @property
    def n_undefined(self) -> int:
        """Rows at which the law has no value."""
        return int(np.isnan(self.slopes).all(axis=1).sum()) if self.names else 0

    def to_frame(self) -> pd.DataFrame:
        """One row a column: mean slope, elasticity, finite effect, share of rows with the same sign."""
        with np.errstate(all="ignore"):
            middle = [_median(column) for column in self.elasticities.T]
        return pd.DataFrame(
            {
                "column": list(self.names),
                "unit": list(self.column_units),
                "slope": self.mean_slopes,
                "slope_error": self.mean_slope_errors,
                "slope_unit": list(self.units),
                "elasticity": middle,
                "from": self.quantiles[:, 0],
                "to": self.quantiles[:, 1],
                "effect": self.finite_effects,
                "effect_error": self.finite_errors,
                "same_sign": self.same_sign,
            }
        )

    def rows(self) -> pd.DataFrame:
        """Slopes and standard errors at every row of the table, one row a sample and column."""
        n_samples, n_columns = self.slopes.shape
        return pd.DataFrame(
            {
                "row": np.repeat(np.asarray(self.index), n_columns),
                "column": list(self.names) * n_samples,
                "slope": self.slopes.ravel(),
                "slope_below": self.slopes_below.ravel(),
                "standard_error": self.standard_errors.ravel(),
                "elasticity": self.elasticities.ravel(),
            }
        )

    def __repr__(self) -> str:
        unit = f" {self.target_unit}" if self.target_unit else ""
        order = np.argsort(-np.abs(np.nan_to_num(self.finite_effects)), kind="stable")
        shown = ", ".join(
            f"{self.names[i]} {self.finite_effects[i]:+.3g} ± {self.finite_errors[i]:.1g}{unit}"
            for i in order[:4]
        )
        return f"Effects({shown or 'no column acts'}{', ...' if len(order) > 4 else ''})"


def effects(law: Any, X: Any) -> Effects:
    r"""Slopes and finite effects of a fitted law.

    Parameters
    ----------
    law : SymbolicRegressor
        Fitted.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows at which the slopes are wanted, usually the training table.

    Returns
    -------
    Effects
        In the units of the table the law was fitted to.

    Raises
    ------
    InputError
        Columns are missing, or hold no numbers; ``X`` has no row; ``law`` is
        not one law of one target.
    NotFittedError
        ``law`` has not been fitted.

    Notes
    -----
    The trees of :math:`\hat y = b_0 + \sum_j \beta_j f_j(x)` are differentiated
    forwards, :math:`s_i = \sum_j \beta_j\, \partial f_j / \partial x_i`. With
    :math:`P = (X^T X)^{-1}` of the coefficients,
    :math:`\mathrm{var}\, s_i = s^2 (\partial f/\partial x_i)^T P (\partial f/\partial x_i)`;
    means and finite effects are linear in the coefficients too and get their
    errors the same way. The errors hold for a law fixed beforehand; a search
    makes them too small.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic import SymbolicRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(1, 2, (20, 2))
    >>> law = SymbolicRegressor().fit(X, X[:, 0] * X[:, 1])
    >>> effects(law, [[1.0, 2.0]]).slopes.round(6).tolist()
    [[2.0, 1.0]]
    """
    require_law(law, "effects")
    primary, values = law._evaluate(X)
    store, model, columns = law.expressions_, law.model_, law.columns_
    ids = law._ids(model)
    used = sorted({column for node in ids.tolist() for column in store.columns_of(node)})
    scale = np.array([unit_map(columns, columns.names[j])[0] for j in used])
    _, above = derivatives(store, ids, primary)
    _, below = derivatives(store, ids, primary, side=-1)
    above, below = above[:, :, used] * scale, below[:, :, used] * scale
    names = tuple(columns.names[j] for j in used)
    given = tuple(columns.given_units[name] for name in names)
    target_unit = columns.target_unit
    slopes = np.einsum("tji,j->ti", above, model.coefficients)
    with np.errstate(all="ignore"):
        predicted = model.predict(values)[:, None]
        elasticities = primary[:, used] * (slopes / scale) / predicted
    defined = np.isfinite(slopes).all(axis=1)
    average = above[defined].mean(axis=0) if defined.any() else np.full(above.shape[1:], np.nan)
    quantiles, change = _finite_changes(law, ids, primary, used)
    return Effects(
        names=names,
        column_units=given,
        units=tuple(per_unit(target_unit, unit) for unit in given),
        target=columns.target,
        target_unit=target_unit,
        slopes=slopes,
        slopes_below=np.einsum("tji,j->ti", below, model.coefficients),
        standard_errors=_errors(model, above),
        elasticities=elasticities,
        mean_slopes=model.coefficients @ average,
        mean_slope_errors=_errors(model, average[None])[0],
        quantiles=np.array([_as_given(columns, j, quantiles[:, k]) for k, j in enumerate(used)]).reshape(
            -1, 2
        ),
        finite_effects=model.coefficients @ change,
        finite_errors=_errors(model, change[None])[0],
        same_sign=_same_sign(slopes),
        index=getattr(X, "index", np.arange(len(primary))),
    )


def require_law(law: Any, place: str) -> None:
    """Refuse what is not one fitted law of one target."""
    if not all(hasattr(law, name) for name in ("_ids", "_evaluate", "_reasons")):
        raise InputError(
            sentence(
                place,
                "law",
                "be a fitted SymbolicRegressor",
                type(law).__name__,
                remedy="Pass the estimator itself; of several tasks fit one at a time.",
            )
        )
    check_is_fitted(law, "model_")


def per_unit(target_unit: str | None, unit: str | None) -> str | None:
    """Unit of a slope; None where that of the target is not known.

    Examples
    --------
    >>> per_unit("m^2", "m"), per_unit("emu/g", None), per_unit(None, "m"), per_unit("m", "K s")
    ('m^2/m', 'emu/g', None, 'm/(K s)')
    """
    if not target_unit or not unit:
        return target_unit
    try:
        return str(parse_unit(target_unit) / parse_unit(unit))
    except UnitError:
        return f"({target_unit})/({unit})"


def unit_map(columns: Any, name: str) -> tuple[float, float]:
    """Scale and offset that take a column from the unit of the table to that of the law.

    Examples
    --------
    >>> from sozai.symbolic.columns import PrimaryColumns
    >>> unit_map(PrimaryColumns.read(["r [Å]", "a [nm]"]), "a")
    (10.0, 0.0)
    """
    given, unit = columns.given_units[name], columns.units[name]
    if given is None or given == unit:
        return 1.0, 0.0
    ends = convert(np.array([0.0, 1.0]), given, unit)
    return float(ends[1] - ends[0]), float(ends[0])


def _as_given(columns: Any, column: int, values: np.ndarray) -> np.ndarray:
    """Values of a column back in the unit of the table."""
    name = columns.names[column]
    given, unit = columns.given_units[name], columns.units[name]
    return values if given is None or given == unit else convert(values, unit, given)


def _errors(model: Any, slopes: np.ndarray) -> np.ndarray:
    """Standard errors of linear forms in the coefficients, shape (n_rows, n_terms, n_columns) of slopes."""
    terms = model.covariance[1:, 1:]
    with np.errstate(all="ignore"):
        variance = np.einsum("tji,jk,tki->ti", slopes, terms, slopes)
        return np.sqrt(model.residual_variance * np.maximum(variance, 0.0))


def _finite_changes(
    law: Any, ids: np.ndarray, primary: np.ndarray, used: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles in the law's units, and mean change of the terms between them, (n_terms, n_columns)."""
    quantiles = np.quantile(primary[:, used], _QUANTILES, axis=0)
    change = np.empty((len(ids), len(used)))
    for k, column in enumerate(used):
        ends = []
        for value in quantiles[:, k]:
            moved = primary.copy()
            moved[:, column] = value
            with np.errstate(all="ignore"):
                ends.append(law.expressions_.evaluate(ids, moved))
        difference = ends[1] - ends[0]
        defined = np.isfinite(difference).all(axis=1)
        change[:, k] = difference[defined].mean(axis=0) if defined.any() else np.nan
    return quantiles, change


def _same_sign(slopes: np.ndarray) -> np.ndarray:
    """Share of the defined rows with the more frequent sign."""
    defined = np.maximum(np.isfinite(slopes).sum(axis=0), 1)
    return np.maximum((slopes > 0).sum(axis=0), (slopes < 0).sum(axis=0)) / defined


def _median(values: np.ndarray) -> float:
    """Median of the finite values."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")
