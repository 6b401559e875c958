"""Non-linear least squares and Poisson likelihood, many fits at once: damped steps by orthogonal factors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_names, require_finite
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.damped_rows import CONVERGED, EXHAUSTED, NUMERICAL, Rows, Rules, judge, open_rows, propose

__all__ = ["DevianceMinimum", "minimize_deviance"]

Array = NDArray[np.float64]
Model = Callable[..., tuple[ArrayLike, ArrayLike]]

#: Fits worked on at once: their Jacobians take about this many bytes.
CHUNK_BYTES = 2**26
#: Relative step at which polishing ends.
POLISHED = 1e-12
#: Condition number of the scaled information above which two parameters are named.
ILL_CONDITIONED = 1e10


@dataclass(frozen=True, eq=False, repr=False)
class DevianceMinimum:
    """Parameters of least deviance, with errors, one row per fit.

    Attributes
    ----------
    theta : ndarray of shape (S, p)
    errors : ndarray of shape (S, p)
        Standard errors; NaN for a parameter on a bound and where the information is singular.
    covariance : ndarray of shape (S, p, p)
        Inverse of F over the parameters that are on no bound, times the dispersion.
    fisher : ndarray of shape (S, p, p)
        F at the result, for unit dispersion.
    deviance : ndarray of shape (S,)
        Poisson deviance, or weighted sum of squared residuals.
    dispersion : ndarray of shape (S,)
        Mean squared residual D/(n − p) where no weights were given, else 1.
    dof : ndarray of shape (S,) of int
        Channels with weight less parameters on no bound.
    status : ndarray of shape (S,) of int8
        0 converged, 1 stopped after ``max_iter``, 2 numerical: the model is not finite at the start, or no
        step lowers the deviance although the slope says so (a wrong Jacobian).
    n_iter : ndarray of shape (S,) of int
        Steps tried.
    at_bound : ndarray of bool of shape (S, p)
    condition : ndarray of shape (S,)
        Condition number of F scaled to a diagonal of ones, over the parameters on no bound.
    relative_step : ndarray of shape (S,)
        ‖d‖/‖θ‖ of the last step, in the metric diag F.
    names : tuple of str

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(5.0)
    >>> def line(theta):
    ...     return theta @ [x**0, x], np.broadcast_to(np.stack([x**0, x], 1), (len(theta), 5, 2))
    >>> minimize_deviance(line, [1.0, 3.0, 5.0, 7.0, 9.5], [0.0, 0.0], names=["offset", "slope"])
    DevianceMinimum(1 fit, offset = 0.9 ± 0.141, slope = 2.1 ± 0.0577, deviance 0.1)
    """

    theta: Array
    errors: Array
    covariance: Array
    fisher: Array
    deviance: Array
    dispersion: Array
    dof: NDArray[np.int64]
    status: NDArray[np.int8]
    n_iter: NDArray[np.int64]
    at_bound: NDArray[np.bool_]
    condition: Array
    relative_step: Array
    names: tuple[str, ...]

    def __repr__(self) -> str:
        n = self.theta.shape[0]
        if n != 1:
            converged = int((self.status == CONVERGED).sum())
            return f"DevianceMinimum({n} fits of {len(self.names)} parameters, {converged} converged)"
        values = zip(self.names, self.theta[0], self.errors[0], strict=True)
        shown = ", ".join(f"{name} = {value:.6g} ± {error:.3g}" for name, value, error in values)
        return f"DevianceMinimum(1 fit, {shown}, deviance {self.deviance[0]:.6g})"

    def to_frame(self) -> pd.DataFrame:
        """One row per fit: every parameter with its error, deviance, status and iterations."""
        columns: dict[str, Any] = {}
        for j, name in enumerate(self.names):
            columns[name], columns[f"{name} error"] = self.theta[:, j], self.errors[:, j]
        return pd.DataFrame(
            {**columns, "deviance": self.deviance, "status": self.status, "n_iter": self.n_iter}
        )


def minimize_deviance(
    model: Model,
    counts: ArrayLike,
    start: ArrayLike,
    *,
    noise: Literal["gaussian", "poisson"] = "gaussian",
    weights: ArrayLike | None = None,
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    max_iter: int = 100,
    tol: float = 1e-9,
    polish: bool = False,
    by_row: bool = False,
) -> DevianceMinimum:
    r"""Fit a model with a Jacobian to many data rows, or to one from many starts.

    Parameters
    ----------
    model : callable
        ``model(theta)`` with theta (a, p) returns the expectations (a, n) and their Jacobian (a, n, p). It is
        called with the rows that are still running, and every row of the answer must depend on
        its own row of theta only.
    counts : array-like of shape (S, n) or (n,)
        Data y. One row is compared with every start.
    start : array-like of shape (S, p) or (p,)
        Clipped to the bounds.
    noise : {"gaussian", "poisson"}, default="gaussian"
        Gaussian: :math:`D = \sum w(y-\mu)^2`. Poisson: :math:`D = 2\sum w[\mu - y + y\ln(y/\mu)]`.
    weights : array-like of shape (S, n) or (n,), optional
        1/σ² for Gaussian noise; left out, σ² is estimated as D/(n − p). 0 leaves a channel out (its
        data may be NaN).
    bounds : pair of array-like of shape (p,), optional
        Lower and upper; may be infinite; equal ones hold a parameter.
    names : sequence of str, optional
        Of the parameters, for messages and tables.
    max_iter : int, default=100
        Steps tried per row; as many again for polishing.
    tol : float, default=1e-9
        Relative decrease of the deviance below which a row may stop.
    polish : bool, default=False
        Go on with undamped steps until ‖d‖/‖θ‖ < 1e-12, or until rounding lets no step get smaller.
    by_row : bool, default=False
        Call ``model(theta, rows)`` with the numbers of the rows, for models that differ between rows.

    Returns
    -------
    DevianceMinimum

    Raises
    ------
    InputError
        Shapes that do not fit, fewer channels than parameters, negative counts with Poisson noise, NaN.

    Warns
    -----
    ConvergenceWarning
        Rows that did not converge; converged rows whose scaled information has a condition number above 1e10,
        with the two most correlated parameters.

    See Also
    --------
    scipy.optimize.least_squares : One fit at a time, trust region, no Poisson deviance.

    Notes
    -----
    =========================================== ============================= ===========
    Symbol                                      Code                          Shape
    =========================================== ============================= ===========
    :math:`y, \mu, J`                           counts, expected, jacobian    n, n, (n, p)
    :math:`g = J^TW(y-\mu)`                     score                         p
    :math:`F = J^TWJ,\ W = w` or :math:`w/\mu`  triangle, norms               (p, p), p
    :math:`\lambda`                             damping                       1
    =========================================== ============================= ===========

    Each step solves :math:`(F + \lambda\,\mathrm{diag}F)\,d = g` [1]_, with the largest diag F so far
    [2]_, and is taken only if D falls; λ follows Nielsen's rule [3]_ from 1e-3, or more where the first
    step would be longer than θ. The equations are never formed: with s the column norms of
    :math:`\sqrt W J`, one QR of :math:`\sqrt W J\,\mathrm{diag}(1/s)` per accepted step and one of the
    p rows of R above :math:`\sqrt\lambda I` per trial [2]_, so that half of the digits are not lost
    where parameters are nearly dependent, and units do not matter. A parameter on its bound that the
    score pushes outward is frozen, and set free when the sign turns; one that a step would take out of
    the box is put on its bound and the others are solved again.

    A row stops when the promised decrease of D is below 1e-7 (in units of the dispersion) and the last
    decrease below ``tol`` D; this is confirmed with λ ≤ 1e-13, since a damped step may be short for no
    good reason. μ is floored at 1e-9 of the mean count in the Poisson deviance.

    Cost per row and step: one call of the model, 2np² for the factor, O(p³). Memory: about 64 MiB of
    Jacobians at once, whatever S is. Results of a row do not depend on the other rows, to the last bit, if
    those of the model do not. With no good start the answer is a local minimum: give several starts.

    References
    ----------
    .. [1] D. W. Marquardt, J. Soc. Ind. Appl. Math. 11, 431 (1963).
    .. [2] J. J. Moré, The Levenberg-Marquardt algorithm: implementation and theory, Lecture Notes in
       Mathematics 630, 105 (1978).
    .. [3] H. B. Nielsen, IMM-REP-1999-05, Technical University of Denmark (1999).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0.0, 4.0, 40)
    >>> def decay(theta):
    ...     shape = np.exp(-theta[:, 1:] * x)
    ...     return theta[:, :1] * shape, np.stack([shape, -theta[:, :1] * x * shape], axis=2)
    >>> exact = decay(np.array([[90.0, 0.7]]))[0]
    >>> fit = minimize_deviance(decay, exact, [[50.0, 0.2]], noise="poisson", names=["height", "rate"])
    >>> bool(np.allclose(fit.theta, [[90.0, 0.7]], rtol=1e-9)), fit.status.tolist()
    (True, [0])
    """
    fit = _checked(model, counts, start, noise, weights, bounds, names, (max_iter, tol, polish, by_row))
    S, p = fit.start.shape
    chunk = max(1, CHUNK_BYTES // (8 * (p + 2) * fit.counts.shape[1]))
    with one_thread():  # the same bits everywhere
        parts = [_run_chunk(fit, np.arange(k, min(k + chunk, S))) for k in range(0, S, chunk)]
    joined: dict[str, Any] = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    result = DevianceMinimum(**joined, names=fit.names)
    _warn(result)
    return result


@dataclass(frozen=True, eq=False)
class _Task:
    """Checked input; counts and weights are views where one row serves all."""

    model: Model
    counts: Array
    start: Array
    weights: Array
    lower: Array
    upper: Array
    names: tuple[str, ...]
    rules: Rules
    by_row: bool


def _refuse(argument: str, requirement: str, value: object, *, at: str = "", remedy: str = "") -> InputError:
    return InputError(sentence("minimize_deviance", argument, requirement, value, at=at, remedy=remedy))


def _checked(
    model: Model, counts: ArrayLike, start: ArrayLike, noise: str, weights: ArrayLike | None,
    bounds: tuple[ArrayLike, ArrayLike] | None, names: Sequence[str] | None,
    how: tuple[int, float, bool, bool],
) -> _Task:  # fmt: skip
    """Check everything that can be checked before the model is called."""
    if noise not in ("gaussian", "poisson"):
        raise _refuse("noise", "be 'gaussian' or 'poisson'", noise)
    max_iter, tol, polish, by_row = how
    if not max_iter >= 1 or not tol > 0:
        raise _refuse("max_iter and tol", "be positive", (max_iter, tol))
    theta, y = np.atleast_2d(_numbers(start, "start")), np.atleast_2d(_numbers(counts, "counts"))
    w = np.ones(y.shape[1]) if weights is None else _numbers(weights, "weights")
    labels = as_names(names, theta.shape[1], place="minimize_deviance", prefix="theta")
    require_finite(theta, place="minimize_deviance", argument="start", names=labels)
    S = max(theta.shape[0], y.shape[0])
    if {theta.shape[0], y.shape[0]} - {1, S} or w.shape not in (y.shape[1:], y.shape):
        shapes = f"start {theta.shape}, counts {y.shape}, weights {w.shape}"
        remedy = "Give one row of counts per start, or one row for all."
        raise _refuse("start, counts and weights", "have matching shapes", shapes, remedy=remedy)
    y, w = np.broadcast_to(y, (S, y.shape[1])), np.broadcast_to(w, (S, y.shape[1]))
    _check_channels(y, w, theta.shape[1], noise)
    lower, upper = _box(bounds, labels)
    rules = Rules(
        noise == "poisson", weights is not None or noise == "poisson", polish, max_iter, tol, POLISHED
    )
    begin = np.clip(np.broadcast_to(theta, (S, theta.shape[1])), lower, upper)
    return _Task(model, y, begin, w, lower, upper, labels, rules, by_row)


def _numbers(values: ArrayLike, argument: str) -> Array:
    """Float array of one or two dimensions."""
    array = np.asarray(values)
    if array.ndim not in (1, 2) or array.size == 0 or array.dtype.kind not in "biuf":
        raise _refuse(argument, "be a 1D or 2D array of real numbers", f"{array.dtype}, shape {array.shape}")
    return array.astype(np.float64)


def _check_channels(counts: Array, weights: Array, p: int, noise: str) -> None:
    """Weights are not negative; data are finite where they count, and not negative with Poisson noise."""
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row, channel = (int(k) for k in np.argwhere(bad)[0])
        raise _refuse(
            "weights",
            "be finite and >= 0",
            float(weights[row, channel]),
            at=f"at row {row}, channel {channel}",
        )
    used = weights > 0
    bad = used & ~np.isfinite(counts)
    if bad.any():
        row, channel = (int(k) for k in np.argwhere(bad)[0])
        remedy = "Give such channels the weight 0."
        value = float(counts[row, channel])
        raise _refuse("counts", "be finite", value, at=f"at row {row}, channel {channel}", remedy=remedy)
    bad = used & (counts < 0)
    if noise == "poisson" and bad.any():
        row, channel = (int(k) for k in np.argwhere(bad)[0])
        remedy = "Use noise='gaussian' or leave out no dark level."
        value = float(counts[row, channel])
        raise _refuse(
            "counts", "be >= 0 for Poisson noise", value, at=f"at row {row}, channel {channel}", remedy=remedy
        )
    row = int(used.sum(axis=1).argmin())
    if used[row].sum() < p:
        requirement = f"have at least as many channels with weight as parameters ({p})"
        raise _refuse(
            "counts", requirement, int(used[row].sum()), at=f"at row {row}", remedy="Hold some parameters."
        )


def _box(bounds: tuple[ArrayLike, ArrayLike] | None, names: tuple[str, ...]) -> tuple[Array, Array]:
    """Lower and upper bounds, one per parameter."""
    p = len(names)
    if bounds is None:
        return np.full(p, -np.inf), np.full(p, np.inf)
    lower, upper = (np.array(np.broadcast_to(np.asarray(side, float), (p,))) for side in bounds)
    for j in np.flatnonzero(~(lower <= upper)):  # NaN too
        value = (float(lower[j]), float(upper[j]))
        raise _refuse("bounds", "be lower <= upper", value, at=f"for {names[j]!r}", remedy="Swap the two.")
    return lower, upper


def _run_chunk(task: _Task, numbers: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Fit some rows; returns the fields of the result, without names."""
    y, w = np.ascontiguousarray(task.counts[numbers]), np.ascontiguousarray(task.weights[numbers])
    rows = open_rows(task.start[numbers], y, w, task.rules)
    active = np.arange(len(numbers))
    while len(active):
        expected, jacobian = _evaluate(task, rows.trial[active], numbers[active])
        judge(rows, active, y, w, expected, jacobian, task.rules, task.lower, task.upper)
        active = np.flatnonzero(rows.status > NUMERICAL)
        propose(rows, active, task.lower, task.upper)
    return _report(task, rows, (w > 0).sum(axis=1))


def _evaluate(task: _Task, theta: Array, numbers: NDArray[np.int64]) -> tuple[Array, Array]:
    """Call the model; overflow is no matter, since a step that is not finite is refused."""
    with np.errstate(all="ignore"):
        answer = task.model(theta, numbers) if task.by_row else task.model(theta)
    expected, jacobian = (np.ascontiguousarray(part, dtype=np.float64) for part in answer)
    (a, p), n = theta.shape, task.counts.shape[1]
    if expected.shape != (a, n) or jacobian.shape != (a, n, p):
        value = f"{expected.shape} and {jacobian.shape}"
        raise _refuse(
            "model", f"return arrays of shapes {(a, n)} and {(a, n, p)}", value, remedy="Check the axes."
        )
    return expected, jacobian


def _report(task: _Task, rows: Rows, n_used: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Errors and condition numbers from the factors at the optimum."""
    at_bound = (rows.theta <= task.lower) | (rows.theta >= task.upper)
    dof = n_used - (~at_bound).sum(axis=1)
    dispersion = np.ones(len(dof)) if task.rules.known else rows.deviance / np.maximum(dof, 1)
    covariance, condition = _invert(rows, at_bound)
    covariance *= dispersion[:, None, None]
    errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    factor = rows.triangle * rows.norms[:, None, :]
    fisher = factor.transpose(0, 2, 1) @ factor
    status = np.where(np.isfinite(rows.deviance), rows.status, NUMERICAL).astype(np.int8)
    return {
        "theta": rows.theta, "errors": errors, "covariance": covariance, "fisher": fisher,
        "deviance": rows.deviance, "dispersion": dispersion, "dof": dof, "status": status,
        "n_iter": rows.n_iter, "at_bound": at_bound, "condition": condition,
        "relative_step": rows.relative_step,
    }  # fmt: skip


def _invert(rows: Rows, at_bound: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Inverse of F and the condition number of its scaled form; NaN on bounds and where F is singular.

    Columns of parameters on a bound are replaced by unit vectors below the others, whose
    singular value 1 lies between the others'.
    """
    m, p = at_bound.shape
    tall = np.zeros((m, 2 * p, p))
    tall[:, :p] = np.where(at_bound[:, None, :], 0.0, rows.triangle)
    tall[:, np.arange(p, 2 * p), np.arange(p)] = at_bound
    scale = np.where(at_bound | (rows.norms == 0.0), 1.0, rows.norms)
    _, values, right = np.linalg.svd(tall, full_matrices=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = (values[:, 0] / values[:, -1]) ** 2
        half = right.transpose(0, 2, 1) / values[:, None, :] / scale[:, :, None]
    singular = ~(values[:, -1] > p * np.finfo(np.float64).eps * values[:, 0])
    half[singular] = np.nan
    condition[singular] = np.inf
    covariance = half @ half.transpose(0, 2, 1)
    covariance[at_bound[:, :, None] | at_bound[:, None, :]] = np.nan
    return covariance, condition


def _warn(result: DevianceMinimum) -> None:
    """One warning for rows that did not converge, one for nearly dependent parameters."""
    S = len(result.status)
    reasons = {
        EXHAUSTED: "had not converged after max_iter steps",
        NUMERICAL: "ended because the model is not finite or no step lowers the deviance",
    }
    for code, reason in reasons.items():
        bad = np.flatnonzero(result.status == code)
        if len(bad):
            text = f"minimize_deviance: {len(bad)} of {S} fits {reason}, first in row {bad[0]}."
            warnings.warn(f"{text} Try other starts.", ConvergenceWarning, stacklevel=3)
    bad = np.flatnonzero((result.condition > ILL_CONDITIONED) & (result.status == CONVERGED))
    if len(bad):
        row = int(bad[0])
        text = (
            f"minimize_deviance: {len(bad)} of {S} fits have nearly dependent parameters; in row {row}, "
            f"{_most_correlated(result, row)} (condition number {result.condition[row]:.1e}). "
            "Hold one of them or tie them."
        )
        warnings.warn(text, ConvergenceWarning, stacklevel=3)


def _most_correlated(result: DevianceMinimum, row: int) -> str:
    """Name the two parameters, on no bound, that the data tell apart worst."""
    inside, names = np.flatnonzero(~result.at_bound[row]), result.names
    fisher = result.fisher[row][np.ix_(inside, inside)]
    for j in np.flatnonzero(np.diag(fisher) == 0.0):
        return f"{names[inside[j]]!r} has no effect"
    covariance = result.covariance[row][np.ix_(inside, inside)]
    table = covariance if np.isfinite(covariance).all() else fisher
    scale = np.sqrt(np.diag(table))
    correlation = np.abs(np.tril(table / np.outer(scale, scale), -1))
    high, low = np.unravel_index(correlation.argmax(), correlation.shape)
    pair = f"{names[inside[low]]!r} and {names[inside[high]]!r}"
    return f"most of all {pair}, correlated {correlation[high, low]:.8f}"
