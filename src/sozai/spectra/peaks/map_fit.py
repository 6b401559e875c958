"""Fit many spectra of a map with one model, and say what the numbers mean: widths, areas, errors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.noise import Noise, PoissonNoise, RobustNoise
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.likelihood_fit import FitBatch, fit_spectra
from sozai.spectra.peaks.shape_description import describe_peak

__all__ = ["MapModel", "best_of", "covariances", "describe_rows", "fit_map_rows", "view_names"]

Array = NDArray[np.float64]

#: What every peak has, whatever its shape.
_COMMON = ("position", "fwhm", "area", "lorentz_fraction", "height")
#: Rounds of reweighting for noise with outliers, and the change of the objective that ends them.
_ROUNDS, _SETTLED = 100, 1e-6
_MAD = 1.4826
#: Added to the unit diagonal of a scaled information, so that it always has an inverse.
_RIDGE = 1e-12


@dataclass(frozen=True, eq=False)
class MapModel:
    """All that the fit of a pixel depends on besides its counts and its neighbors.

    Attributes
    ----------
    model : CompiledModel
    noise : Noise
    template : ndarray of shape (p,)
        The named peaks, at the size of the sum of the map.
    template_counts : float
        Total counts that the template belongs to.
    solutions : ndarray of shape (C, p)
        Blind solutions of the sums of groups of alike pixels.
    solution_counts : ndarray of shape (C,)
    seed : tuple of int
    unknown_gain : bool
        Errors follow from the residuals.
    max_iter, tol, width_range
        As for a single spectrum.
    """

    model: CompiledModel
    noise: Noise
    template: Array
    template_counts: float
    solutions: Array
    solution_counts: Array
    seed: tuple[int, ...]
    unknown_gain: bool = False
    max_iter: int = 100
    tol: float = 1e-9
    width_range: tuple[float | None, float | None] = (None, None)
    scales: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", scaling_rows(self.model))

    @property
    def free_dispersion(self) -> bool:
        """Whether variances are multiplied by deviance per degree of freedom."""
        if isinstance(self.noise, PoissonNoise):
            return self.unknown_gain
        return isinstance(self.noise, RobustNoise) or getattr(self.noise, "sigma", None) is None

    def scaled(self, theta: Array, factor: Array | float) -> Array:
        """Parameters for spectra with ``factor`` times the counts."""
        return np.where(self.scales, theta * np.asarray(factor)[..., None], theta)

    def with_template(self, template: Array, counts: float, solutions: Array, sizes: Array) -> MapModel:
        """Return the same model with what the reference found."""
        return replace(
            self, template=template, template_counts=counts, solutions=solutions, solution_counts=sizes
        )


def scaling_rows(model: CompiledModel) -> NDArray[np.bool_]:
    """Rows of θ that are proportional to the counts: areas, curves, amplitudes of exponentials."""
    names = [name.rpartition(".")[2] for name in model.names]
    scales = np.array([name in ("area", "area_gauss", "area_lorentz") for name in names], dtype=bool)
    scales[model.program.basis_rows] = True
    scales[model.program.exponential_firsts] = True
    return scales


def fit_map_rows(setup: MapModel, counts: Array, weights: Array, start: Array) -> FitBatch:
    """Fit every row from its start; noise with outliers is fitted by reweighting.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    start : ndarray of shape (S, p) or (p,)

    Returns
    -------
    FitBatch
        With outliers, ``deviance`` is twice the negative log-likelihood of Student's t.
    """
    options: dict[str, Any] = {
        "noise": setup.noise.kernel, "max_iter": setup.max_iter, "tol": setup.tol,
    }  # fmt: skip
    if isinstance(setup.noise, RobustNoise):
        theta = np.broadcast_to(start, (len(counts), setup.model.n_parameters))
        return _reweighted(setup, setup.noise, counts, np.broadcast_to(weights, counts.shape), theta, options)
    return fit_spectra(setup.model, counts, start, weights=weights, **options)


def _reweighted(
    setup: MapModel, noise: RobustNoise, counts: Array, weights: Array, theta: Array, options: dict[str, Any]
) -> FitBatch:
    """Expectation-maximization of Student's t, row by row; its likelihood never falls."""
    used = weights > 0
    n_used = np.maximum(used.sum(axis=1), 1)
    steps, objective = np.zeros(len(counts), dtype=np.int64), np.full(len(counts), np.inf)
    squares = _squares(setup.model, counts, theta) * weights
    median = np.array(
        [np.median(row[seen]) if seen.any() else 1.0 for row, seen in zip(squares, used, strict=True)]
    )
    scale2 = np.maximum(_MAD**2 * median, 1e-300)
    running = np.arange(len(counts))
    result = fit_spectra(setup.model, counts, theta, weights=weights, **(options | {"max_iter": 0}))
    for _ in range(_ROUNDS):
        w, seen, n = weights[running], used[running], n_used[running]
        factor = np.where(seen, noise.reweight(np.sqrt(squares[running] / scale2[running, None])), 0.0)
        fit = fit_spectra(setup.model, counts[running], result.theta[running], weights=w * factor, **options)
        rest = _squares(setup.model, counts[running], fit.theta) * w
        scale = np.maximum((factor * rest).sum(axis=1) / n, 1e-300)
        tails = np.where(seen, np.log1p(rest / (noise.df * scale[:, None])), 0.0).sum(axis=1)
        now = (noise.df + 1.0) * tails + n * np.log(scale)
        settled = np.abs(objective[running] - now) < _SETTLED
        squares[running], scale2[running], objective[running] = rest, scale, now
        for name in ("theta", "status", "at_bound", "dof"):
            getattr(result, name)[running] = getattr(fit, name)
        steps[running] += fit.n_iter
        running = running[~settled]
        if not len(running):
            break
    plain = fit_spectra(setup.model, counts, result.theta, weights=weights, **(options | {"max_iter": 0}))
    assert plain.fisher is not None
    spread = scale2 * (noise.df + 3.0) / (noise.df + 1.0)  # inverse information of Student's t
    return replace(result, deviance=objective, n_iter=steps, fisher=plain.fisher / spread[:, None, None])


def _squares(model: CompiledModel, counts: Array, theta: Array) -> Array:
    """Squared residuals of all rows."""
    expected = np.array([model.expected(row) for row in theta])
    return np.asarray((counts - expected) ** 2)


def best_of(
    setup: MapModel, counts: Array, weights: Array, starts: Array, groups: NDArray[np.int64]
) -> tuple[FitBatch, Array]:
    """Fit every row from several starts and keep the lowest deviance.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    starts : ndarray of shape (R, p)
    groups : ndarray of int of shape (R,)
        Row of counts that each start belongs to, ascending; every row has one.

    Returns
    -------
    fit : FitBatch of S rows
    deviance : ndarray of shape (R,)
        Of every start; inf where it failed.
    """
    lines = weights if len(weights) == 1 else weights[groups]
    fit = fit_map_rows(setup, counts[groups], lines, starts)
    deviance = np.where(np.isfinite(fit.deviance), fit.deviance, np.inf)
    order = np.lexsort((np.arange(len(groups)), deviance, groups))
    first = order[np.searchsorted(groups[order], np.arange(len(counts)))]
    return take(fit, first), deviance


def take(fit: FitBatch, rows: NDArray[Any]) -> FitBatch:
    """Some rows of a batch."""
    return FitBatch(
        fit.theta[rows], fit.deviance[rows], fit.status[rows], fit.n_iter[rows],
        None if fit.fisher is None else fit.fisher[rows], fit.at_bound[rows], fit.dof[rows], fit.noise,
    )  # fmt: skip


def covariances(model: CompiledModel, theta: Array, fisher: Array, dispersion: Array) -> Array:
    """Covariance of θ for many rows at once, shape (S, p, p).

    Rows and columns are NaN for parameters that hang on a bound, or on which nothing depends; 0
    for fixed ones. As :func:`~sozai.spectra.peaks.fit_errors.covariance_of`, but without its warning: where
    two parameters cannot be told apart, their errors are huge.
    """
    T, q = model.T, model.n_free
    whole = fisher + model.penalty if model.penalty.size else fisher
    information = whole if model.ties.plain and q == len(T) else T.T @ whole @ T
    free = model.free_of(theta)
    slack = 1e-13 * np.maximum(np.abs(free), 1e-300)
    diagonal = np.einsum("sqq->sq", information)
    use = (free - slack > model.free_lower) & (free + slack < model.free_upper)
    use &= (diagonal > 0) & np.isfinite(diagonal) & np.isfinite(information).all(axis=2)
    scale = np.where(use, 1.0 / np.sqrt(np.where(use, diagonal, 1.0)), 0.0)
    scaled = (
        np.where(use[:, :, None] & use[:, None, :], information, 0.0) * scale[:, :, None] * scale[:, None, :]
    )
    index = np.arange(q)
    scaled[:, index, index] = 1.0 + _RIDGE
    inverse = np.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :] * dispersion[:, None, None]
    covariance = inverse if model.ties.plain and q == len(T) else T @ inverse @ T.T
    lost = (~use[:, None, :] & (T != 0.0)).any(axis=2)
    return np.where(lost[:, :, None] | lost[:, None, :], np.nan, covariance)


def view_names(model: CompiledModel) -> tuple[str, ...]:
    """Quantities that a map of this model reports for its peaks."""
    names = list(_COMMON)
    for shape in model.shapes:
        skip = ("position", "fwhm", "area", "area_gauss", "area_lorentz")
        names += [name for name in shape.parameters if name not in skip and name not in names]
        if shape.code > 2 and "maximum" not in names:
            names.append("maximum")
        if shape.code == 6 and "fwhm_internal" not in names:
            names.append("fwhm_internal")
    return tuple(names)


def describe_rows(
    setup: MapModel, fit: FitBatch, *, fisher: Array | None = None, dispersion: Array | None = None
) -> tuple[Array, Array, Array]:
    """Values and errors of shape (S, K, n_param), and errors of θ (S, p).

    Parameters
    ----------
    setup : MapModel
    fit : FitBatch
        With its Fisher information.
    fisher, dispersion : ndarray, optional
        In the place of those of the fit.
    """
    model = setup.model
    information = fit.fisher if fisher is None else fisher
    assert information is not None
    if dispersion is None:
        dispersion = np.ones(len(fit))
        if setup.free_dispersion and not isinstance(setup.noise, RobustNoise):
            dispersion = fit.deviance / np.maximum(fit.dof, 1)
    covariance = covariances(model, fit.theta, information, dispersion)
    names = view_names(model)
    values = np.full((len(fit), len(model.shapes), len(names)), np.nan)
    errors = np.full_like(values, np.nan)
    window = (float(model.grid.edges[0]), float(model.grid.edges[-1]))
    for k, shape in enumerate(model.shapes):
        block = model.block(k)
        seen = describe_peak(
            shape, fit.theta[:, block], covariance[:, block, block], tail=model.grid.tail, window=window
        )
        for j, name in enumerate(names):
            if name in seen:
                values[:, k, j], errors[:, k, j] = seen[name], seen[f"{name}_error"]
    with np.errstate(invalid="ignore"):
        return values, errors, np.sqrt(np.einsum("spp->sp", covariance))
