r"""How sure a fit is: covariance, profile intervals, limits at bounds, number of parameters decided."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.likelihood_fit import FitBatch, fit_spectra
from sozai.spectra.peaks.wall_errors import wall_spread

__all__ = [
    "ONE_SIDED",
    "covariance_of",
    "effective_parameters",
    "one_sided_limit",
    "profile_interval",
    "standard_errors",
]

Array = NDArray[np.float64]

#: Rise of the deviance at a one-sided 95 % limit.
ONE_SIDED = 2.71
#: Condition numbers of the scaled information above this leave no digits to the errors.
ILL_CONDITIONED = 1e10
#: Evaluations of a profile on either side, and its relative accuracy in the rise of the deviance.
_MAX_TRIALS, _ACCURACY = 60, 1e-6


def covariance_of(
    model: CompiledModel,
    fit: FitBatch,
    index: int = 0,
    *,
    dispersion: float = 1.0,
    on_bound: float | None = np.nan,
    score: Array | None = None,
) -> Array:
    r"""Covariance of θ at one result.

    Parameters
    ----------
    model : CompiledModel
    fit : FitBatch
        With its Fisher information.
    index : int, default=0
        Which spectrum.
    dispersion : float, default=1.0
        Factor of all variances: ``fit.deviance[index] / fit.dof[index]`` where the σ of Gaussian noise is not
        known.
    on_bound : float or None, default=nan
        Rows and columns of parameters that hang on a bound, or on which the spectrum does not depend; 0
        holds them for errors of quantities made of several parameters, None leaves what the score gives.
    score : ndarray of shape (p,), optional
        Slope of the log-likelihood at the result. With it, parameters on a bound count as free on its inner
        side, see :func:`~sozai.spectra.peaks.wall_errors.wall_spread`; they count as held without.

    Returns
    -------
    ndarray of shape (p, p)
        :math:`T (T^TFT + T^TRT)^{-1} T^T` over free parameters that are not on a bound; 0 for fixed ones.

    Raises
    ------
    InputError
        When the fit did not keep its Fisher information.

    Warns
    -----
    ConvergenceWarning
        When the condition number of the information, scaled to a unit diagonal, exceeds 1e10; the two
        most correlated parameters are named.

    Notes
    -----
    The inverse Fisher information is the Cramér-Rao bound, reached by maximum likelihood at high counts.
    Cost O(p³).

    Examples
    --------
    >>> from sozai.spectra.peaks.compiled_model import Grid, compile_model
    >>> model = compile_model([], "constant", Grid.of(np.arange(25.0)))
    >>> fit = fit_spectra(model, np.full(25, 4.0), [1.0])
    >>> covariance_of(model, fit).round(6).tolist()  # 4 counts / 25 channels
    [[0.16]]
    """
    information = _free_information(model, fit, index)
    diagonal = np.diagonal(information)
    use = ~_free_on_bound(model, fit.theta[index]) & (diagonal > 0) & np.isfinite(diagonal)
    p = model.n_parameters
    covariance = np.zeros((p, p))
    if use.any():
        scale = 1.0 / np.sqrt(diagonal[use])
        scaled = information[np.ix_(use, use)] * np.outer(scale, scale)
        values, vectors = np.linalg.eigh(scaled)
        largest, least = values[-1], values[0]
        condition = np.inf if least <= 0 else largest / least
        if condition > ILL_CONDITIONED:
            _warn_condition(model, scaled, use, condition)
        kept = values > largest * 1e-15
        root = (vectors[:, kept] / np.sqrt(values[kept])) * scale[:, None]
        spread = model.T[:, use] @ root
        covariance = dispersion * (spread @ spread.T)
    if score is not None:
        covariance += _from_walls(model, fit.theta[index], information, use, score, dispersion)
    if on_bound is None:
        return covariance
    lost = (model.T[:, ~use] != 0.0).any(axis=1)
    covariance[lost, :] = on_bound
    covariance[:, lost] = on_bound
    return covariance


def standard_errors(model: CompiledModel, fit: FitBatch, index: int = 0, *, dispersion: float = 1.0) -> Array:
    """Square roots of the diagonal of :func:`covariance_of`; NaN on bounds, 0 where fixed.

    Returns
    -------
    ndarray of shape (p,)

    Examples
    --------
    >>> from sozai.spectra.peaks.compiled_model import Grid, compile_model
    >>> model = compile_model([], "constant", Grid.of(np.arange(25.0)))
    >>> standard_errors(model, fit_spectra(model, np.full(25, 4.0), [1.0])).round(6).tolist()
    [0.4]
    """
    return np.sqrt(np.diagonal(covariance_of(model, fit, index, dispersion=dispersion)))


def effective_parameters(model: CompiledModel, fit: FitBatch, index: int = 0) -> float:
    """Number of parameters that the data decide, tr[(F + R)⁻¹ F]; less than the free ones with a penalty.

    Returns
    -------
    float

    Examples
    --------
    >>> from sozai.spectra.peaks.compiled_model import Grid, compile_model
    >>> model = compile_model([], "linear", Grid.of(np.arange(25.0)))
    >>> round(effective_parameters(model, fit_spectra(model, np.full(25, 4.0), [3.0, 3.0])), 9)
    2.0
    """
    whole = _free_information(model, fit, index)
    data = _free_information(model, fit, index, punished=False)
    use = ~_free_on_bound(model, fit.theta[index]) & (np.diagonal(data) > 0)
    if not use.any():
        return 0.0
    here = np.ix_(use, use)
    return float(np.trace(np.linalg.lstsq(whole[here], data[here], rcond=None)[0]))


def profile_interval(
    model: CompiledModel,
    counts: ArrayLike,
    theta: ArrayLike,
    name: str,
    delta: float = 1.0,
    *,
    noise: str = "poisson",
    weights: ArrayLike | None = None,
    dispersion: float = 1.0,
    max_iter: int = 100,
) -> tuple[float, float]:
    r"""Interval in which the deviance, minimized over all other parameters, rises by less than ``delta``.

    Parameters
    ----------
    model : CompiledModel
    counts : array-like of shape (n,)
    theta : array-like of shape (p,)
        The optimum.
    name : str
        A parameter that is free, or that one free parameter alone decides.
    delta : float, default=1.0
        1 for 68 %, 3.84 for 95 %.
    noise, weights, max_iter
        As in :func:`~sozai.spectra.peaks.likelihood_fit.fit_spectra`.
    dispersion : float, default=1.0
        Factor of ``delta``: the residual variance where the σ of Gaussian noise is not known.

    Returns
    -------
    low, high : float
        Where no such rise is met before a bound, the bound; infinite where there is none.

    Raises
    ------
    InputError
        For a parameter that is fixed or tied to several others.

    Notes
    -----
    Every trial is a fit of the other parameters from the last one. Brackets grow from the
    standard error by doubling and are closed by the Illinois variant of the secant rule, some ten fits in
    all.

    Examples
    --------
    >>> from sozai.spectra.peaks.compiled_model import Grid, compile_model
    >>> model = compile_model([], "constant", Grid.of(np.arange(25.0)))
    >>> low, high = profile_interval(model, np.full(25, 4.0), [4.0], "background.level")
    >>> round(low, 4), round(high, 4)  # wider above than below: counts are not Gaussian
    (3.6132, 4.4134)
    """
    walk = _Profile(model, counts, theta, name, noise, weights, max_iter)
    low, high = (walk.crossing(side, delta * dispersion) for side in (-1, 1))
    ends = walk.outer(low), walk.outer(high)
    return min(ends), max(ends)


def one_sided_limit(
    model: CompiledModel,
    counts: ArrayLike,
    theta: ArrayLike,
    name: str,
    delta: float = ONE_SIDED,
    **options: object,
) -> float:
    """Limit of a parameter that lies on a bound: where the deviance has risen by ``delta`` (95 %).

    Parameters
    ----------
    model, counts, theta, name, delta, **options
        As in :func:`profile_interval`.

    Returns
    -------
    float
        An upper limit on a lower bound and the other way round.

    Raises
    ------
    InputError
        When the parameter is not on a bound.

    Examples
    --------
    >>> from sozai.spectra.peaks.compiled_model import Grid, compile_model
    >>> grid = Grid.of(np.arange(10.0))
    >>> model = compile_model([], "constant", grid, bounds={"background.level": (3, None)})
    >>> counts = [2.0] * 10
    >>> fit = fit_spectra(model, counts, [3.0])
    >>> round(one_sided_limit(model, counts, fit.theta[0], "background.level"), 3)
    3.365
    """
    value = float(np.asarray(theta, dtype=np.float64)[model.index(name)])
    low, high = profile_interval(model, counts, theta, name, delta, **options)  # type: ignore[arg-type]
    if value <= low:
        return high
    if value >= high:
        return low
    raise InputError(
        sentence("one_sided_limit", "name", "be a parameter on its bound", name, at=f"at {value:.6g}",
                 remedy="Use profile_interval.")
    )  # fmt: skip


# --- pieces ------------------------------------------------------------------------------------------


def _free_information(model: CompiledModel, fit: FitBatch, index: int, *, punished: bool = True) -> Array:
    """TᵀFT, with the penalty if there is one."""
    if fit.fisher is None:
        raise InputError(
            sentence("covariance_of", "fit", "hold its Fisher information",
                     remedy="Call fit_spectra with want_fisher=True.")
        )  # fmt: skip
    whole = fit.fisher[index] + (model.penalty if punished and model.penalty.size else 0.0)
    return model.T.T @ whole @ model.T


def _free_on_bound(model: CompiledModel, theta: Array) -> NDArray[np.bool_]:
    """Free parameters on their box."""
    free = model.free_of(theta)
    slack = 1e-13 * np.maximum(np.abs(free), 1e-300)
    return (free - slack <= model.free_lower) | (free + slack >= model.free_upper)


def _from_walls(
    model: CompiledModel, theta: Array, information: Array, use: NDArray[np.bool_], score: Array,
    dispersion: float,
) -> Array:  # fmt: skip
    """What parameters on a bound add to the covariance of θ."""
    inverse = np.zeros_like(information)
    if use.any():
        inverse[np.ix_(use, use)] = np.linalg.pinv(information[np.ix_(use, use)], hermitian=True)
    slope = (score - theta @ model.penalty if model.penalty.size else score) @ model.T
    extra = wall_spread(
        model, model.free_of(theta)[None], information[None], inverse[None], slope[None], use[None],
        np.array([dispersion]),
    )  # fmt: skip
    return np.asarray(model.T @ extra[0] @ model.T.T)


def _free_names(model: CompiledModel) -> list[str]:
    """Name of the first parameter that hangs on each free one."""
    return [model.names[int(np.flatnonzero(column)[0])] for column in model.T.T]


def _warn_condition(model: CompiledModel, scaled: Array, use: NDArray[np.bool_], condition: float) -> None:
    """Name the two parameters that are hardest to tell apart."""
    names = [name for name, used in zip(_free_names(model), use, strict=True) if used]
    off = np.abs(scaled - np.diag(np.diagonal(scaled)))
    a, b = sorted(int(k) for k in np.unravel_index(np.argmax(off), off.shape))
    shown = "infinite" if not np.isfinite(condition) else f"{condition:.1e}"
    warnings.warn(
        f"covariance_of: the condition number of the Fisher information is {shown}, above "
        f"{ILL_CONDITIONED:.0e}; errors have few digits. {names[a]!r} and {names[b]!r} are most correlated "
        f"({scaled[a, b]:+.6f}). Fix or tie one of them.",
        ConvergenceWarning,
        stacklevel=3,
    )


class _Profile:
    """Deviance along one parameter, the others fitted at every value."""

    def __init__(
        self,
        model: CompiledModel,
        counts: ArrayLike,
        theta: ArrayLike,
        name: str,
        noise: str,
        weights: ArrayLike | None,
        max_iter: int,
    ) -> None:
        row = model.index(name)
        (columns,) = np.nonzero(model.T[row])
        if columns.size != 1:
            why = "be free, not fixed" if columns.size == 0 else "depend on one free parameter alone"
            raise InputError(
                sentence("profile_interval", "name", why, name, remedy="Profile another parameter.")
            )
        self.model, self.counts = model, np.asarray(counts)
        self.options = {"noise": noise, "weights": weights, "max_iter": max_iter, "tol": 1e-12}
        self.column, self.factor, self.offset = int(columns[0]), model.T[row, columns[0]], model.t0[row]
        fit = fit_spectra(model, self.counts, theta, **self.options)
        self.best = model.free_of(fit.theta[0])
        self.least = self._objective(fit)
        information = _free_information(model, fit, 0)
        steep = float(information[self.column, self.column])
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.linalg.pinv(information)[self.column, self.column]
        self.error = float(np.sqrt(inverse if inverse > 0 else 1.0 / max(steep, 1e-300)))

    def outer(self, free: float) -> float:
        """Value of the named parameter."""
        return float(self.factor * free + self.offset)

    def _objective(self, fit: FitBatch) -> float:
        theta = fit.theta[0]
        return float(
            fit.deviance[0] + (theta @ self.model.penalty @ theta if self.model.penalty.size else 0.0)
        )

    def _rise(self, value: float, free: Array) -> tuple[float, Array]:
        """Rise of the profile at a value, and the other parameters there."""
        lower, upper = self.model.free_lower.copy(), self.model.free_upper.copy()
        lower[self.column] = upper[self.column] = value
        start = free.copy()
        start[self.column] = value
        held = replace(
            self.model,
            free_lower=lower,
            free_upper=upper,
            ties=self.model.ties._replace(lower=lower, upper=upper),
        )
        fit = fit_spectra(held, self.counts, self.model.theta_of(start), **self.options)
        return self._objective(fit) - self.least, self.model.free_of(fit.theta[0])

    def _least_rise(self, value: float, free: Array, delta: float) -> tuple[float, Array]:
        """From the last trial; where that is above ``delta``, from the optimum, too.

        A trial far out may end in another valley, from where no later one would come back.
        """
        rise, found = self._rise(value, free)
        if rise < delta or free is self.best:
            return rise, found
        again, other = self._rise(value, self.best)
        return (again, other) if again < rise else (rise, found)

    def crossing(self, side: int, delta: float) -> float:
        """Where the profile crosses ``delta`` on one side; the bound where it does not."""
        here, free = float(self.best[self.column]), self.best
        wall = float((self.model.free_lower if side < 0 else self.model.free_upper)[self.column])
        inner, low, reach = here, -delta, self.error * np.sqrt(delta)
        if (wall - here) * side <= 0:
            return wall
        for _ in range(_MAX_TRIALS):
            outer = here + side * reach
            at_wall = (wall - outer) * side <= 0
            outer = wall if at_wall else outer
            rise, free = self._least_rise(outer, free, delta)
            if rise >= delta:
                return self._close(inner, low, outer, rise - delta, free, delta)
            if at_wall:
                return wall
            inner, low, reach = outer, rise - delta, 2.0 * reach
        return side * np.inf

    def _close(self, a: float, at_a: float, b: float, at_b: float, free: Array, delta: float) -> float:
        """Illinois rule between a value below and one above the crossing."""
        for _ in range(_MAX_TRIALS):
            c = b - at_b * (b - a) / (at_b - at_a)
            rise, free = self._least_rise(c, free, delta)
            at_c = rise - delta
            if abs(at_c) <= _ACCURACY * delta:
                return c
            if at_c * at_b < 0:
                a, at_a = b, at_b
            else:
                at_a *= 0.5
            b, at_b = c, at_c
        return b
