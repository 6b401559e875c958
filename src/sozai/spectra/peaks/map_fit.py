"""Fit many spectra of a map with one model, and say what the numbers mean: widths, areas, errors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.spectra.noise import Noise, PoissonNoise, RobustNoise
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.likelihood_fit import FitBatch, fit_spectra
from sozai.spectra.peaks.likelihood_sums import GAUSSIAN, POISSON
from sozai.spectra.peaks.map_kernels import score_rows
from sozai.spectra.peaks.shape_description import describe_peak
from sozai.spectra.peaks.wall_errors import wall_spread

__all__ = [
    "MapModel", "best_of", "bound_scores", "covariances", "describe_rows", "fit_map_rows", "view_names",
]  # fmt: skip

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


def covariances(
    model: CompiledModel, theta: Array, fisher: Array, dispersion: Array, *, score: Array | None = None,
    left_out: NDArray[np.bool_] | None = None, on_bound: float | None = np.nan,
) -> Array:  # fmt: skip
    """Covariance of θ for many rows at once, shape (S, p, p).

    As :func:`~sozai.spectra.peaks.fit_errors.covariance_of`, but without its warning: where two
    parameters cannot be told apart, their errors are huge.

    Parameters
    ----------
    model : CompiledModel
    theta : ndarray of shape (S, p)
    fisher : ndarray of shape (S, p, p)
    dispersion : ndarray of shape (S,)
    score : ndarray of shape (S, p), optional
        With it, parameters on a bound add what
        :func:`~sozai.spectra.peaks.wall_errors.wall_spread` says.
    left_out : ndarray of bool of shape (S, p), optional
        Parameters on a bound that add nothing.
    on_bound : float or None, default=nan
        Rows and columns of parameters that hang on a bound, or on which nothing depends; None leaves
        them.
    """
    T, q = model.T, model.n_free
    information, free, use = _free_block(model, theta, fisher)
    diagonal = np.einsum("sqq->sq", information)
    scale = np.where(use, 1.0 / np.sqrt(np.where(use, diagonal, 1.0)), 0.0)
    scaled = (
        np.where(use[:, :, None] & use[:, None, :], information, 0.0) * scale[:, :, None] * scale[:, None, :]
    )
    index = np.arange(q)
    scaled[:, index, index] = 1.0 + _RIDGE
    inverse = np.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :]
    spread = inverse * dispersion[:, None, None]
    if score is not None:
        gone = None if left_out is None else (left_out[:, :, None] & (T != 0.0)).any(axis=1)
        slope = (score - theta @ model.penalty if model.penalty.size else score) @ T
        spread = spread + wall_spread(
            model, free, information, inverse, slope, use, dispersion, left_out=gone
        )
    covariance = spread if model.ties.plain and q == len(T) else T @ spread @ T.T
    if on_bound is None:
        return covariance
    lost = (~use[:, None, :] & (T != 0.0)).any(axis=2)
    return np.where(lost[:, :, None] | lost[:, None, :], on_bound, covariance)


def _free_block(model: CompiledModel, theta: Array, fisher: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Information (S, q, q) and values of the free parameters, and which of them have errors."""
    T = model.T
    whole = fisher + model.penalty if model.penalty.size else fisher
    information = whole if model.ties.plain and model.n_free == len(T) else T.T @ whole @ T
    free = model.free_of(theta)
    slack = 1e-13 * np.maximum(np.abs(free), 1e-300)
    diagonal = np.einsum("sqq->sq", information)
    use = (free - slack > model.free_lower) & (free + slack < model.free_upper)
    use &= (diagonal > 0) & np.isfinite(diagonal) & np.isfinite(information).all(axis=2)
    return information, free, use


def held_rows(model: CompiledModel, theta: Array, fisher: Array) -> NDArray[np.bool_]:
    """Parameters that hang on a bound, or on which nothing depends, shape (S, p)."""
    use = _free_block(model, theta, fisher)[2]
    return np.asarray((~use[:, None, :] & (model.T != 0.0)).any(axis=2))


def bound_scores(setup: MapModel, counts: Array, weights: Array, fit: FitBatch) -> Array:
    """Slope of the log-likelihood of rows with a parameter on a bound, shape (S, p); 0 for the others.

    Under noise with outliers all are 0: the parameter then counts as free.

    Parameters
    ----------
    setup : MapModel
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    fit : FitBatch
    """
    score = np.zeros_like(fit.theta)
    rows = np.flatnonzero(fit.at_bound.any(axis=1) & np.isfinite(fit.theta).all(axis=1))
    if isinstance(setup.noise, RobustNoise) or not rows.size:
        return score
    p = fit.theta.shape[1]
    found, information = np.empty((len(rows), p)), np.empty((len(rows), p, p))
    score_rows(
        setup.model.program, counts[rows],
        np.ascontiguousarray(weights if len(weights) == 1 else weights[rows]),
        POISSON if setup.noise.kernel == "poisson" else GAUSSIAN, fit.theta[rows], np.empty(len(rows)), found,
        information,
    )  # fmt: skip
    score[rows] = found
    return score


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
    setup: MapModel, fit: FitBatch, *, fisher: Array | None = None, dispersion: Array | None = None,
    score: Array | None = None, present: NDArray[np.bool_] | None = None,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Values and errors of shape (S, K, n_param), and errors of θ (S, p).

    Parameters
    ----------
    setup : MapModel
    fit : FitBatch
        With its Fisher information.
    fisher, dispersion : ndarray, optional
        In the place of those of the fit.
    score : ndarray of shape (S, p), optional
        See :func:`bound_scores`; parameters on a bound count as held without it.
    present : ndarray of bool of shape (S, K), optional
        Peaks that take part.
    """
    model = setup.model
    information = fit.fisher if fisher is None else fisher
    assert information is not None
    if dispersion is None:
        dispersion = np.ones(len(fit))
        if setup.free_dispersion and not isinstance(setup.noise, RobustNoise):
            dispersion = fit.deviance / np.maximum(fit.dof, 1)
    gone = np.zeros(fit.theta.shape, dtype=bool)
    for k in range(len(model.shapes)) if present is not None else ():
        gone[:, model.block(k)] = ~present[:, k, None]  # type: ignore[index]
    whole = covariances(model, fit.theta, information, dispersion, score=score, left_out=gone, on_bound=None)
    lost = held_rows(model, fit.theta, information)
    names = view_names(model)
    values = np.full((len(fit), len(model.shapes), len(names)), np.nan)
    errors = np.full_like(values, np.nan)
    window = (float(model.grid.edges[0]), float(model.grid.edges[-1]))
    for k, shape in enumerate(model.shapes):
        block = model.block(k)
        seen = describe_peak(
            shape, fit.theta[:, block], whole[:, block, block], tail=model.grid.tail, window=window,
            held=lost[:, block],
        )  # fmt: skip
        for j, name in enumerate(names):
            if name in seen:
                values[:, k, j], errors[:, k, j] = seen[name], seen[f"{name}_error"]
    return values, errors, np.where(lost, np.nan, np.sqrt(np.einsum("spp->sp", whole)))
