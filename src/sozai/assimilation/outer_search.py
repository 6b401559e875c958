"""Search over coupling and noise alone: a few numbers, whatever the size of the basis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sozai.assimilation.inner_fit import InnerFit

__all__ = ["Optimum", "maximize", "polish"]

Array = NDArray[np.float64]

#: Unknowns up to which every start is followed; with more, only the best one.
_SMALL = 80


@dataclass(frozen=True)
class Optimum:
    """Best point of a search.

    Attributes
    ----------
    phi : ndarray of shape (n,)
    value : float
        Log evidence with log prior.
    hessian : ndarray of shape (n, n)
        Of minus the value; rows of entries at a bound are those of the identity, and very stiff.
    at_bound : ndarray of bool of shape (n,)
    """

    phi: Array
    value: float
    hessian: Array
    at_bound: NDArray[np.bool_]

    @property
    def covariance(self) -> Array:
        """Laplace covariance of the point; 0 for entries at a bound."""
        inside = np.flatnonzero(~self.at_bound)
        out = np.zeros_like(self.hessian)
        if len(inside):
            values, vectors = np.linalg.eigh(self.hessian[np.ix_(inside, inside)])
            block = (vectors / np.maximum(values, 1e-6)) @ vectors.T
            out[np.ix_(inside, inside)] = block
        return out

    @property
    def log_volume(self) -> float:
        """Half the log determinant of 2 pi times the covariance."""
        inside = np.flatnonzero(~self.at_bound)
        values = np.linalg.eigvalsh(self.hessian[np.ix_(inside, inside)])
        return float(0.5 * (np.log(2 * np.pi) - np.log(np.maximum(values, 1e-6))).sum())


def maximize(fit: InnerFit, warm: Array | None = None) -> Optimum:
    """Best coupling and noise from three starts, or from where the last search ended.

    Parameters
    ----------
    fit : InnerFit
    warm : ndarray, optional
        End of an earlier search; the other starts are then only looked at, and
        followed where they are better.

    Returns
    -------
    Optimum
    """
    starts = fit.starts()
    if warm is not None and len(warm) == fit.size:
        best = _descend(fit, warm)
        height = fit.value_and_gradient(best)[0]
        better = [s for s in starts if fit.value_and_gradient(s)[0] < height]
        ends = [best, *(_descend(fit, s) for s in better)]
    else:
        if len(fit.unknowns.source) > _SMALL and len(starts) > 1:
            starts = [min(starts, key=lambda s: fit.value_and_gradient(s)[0])]
        ends = [_descend(fit, start) for start in starts]
    values = np.array([fit.value_and_gradient(end)[0] for end in ends])
    # Ends of one valley differ in the last bits: the first of them is taken, whatever the noise.
    return polish(fit, ends[int(np.flatnonzero(values <= values.min() + 1e-7)[0])])


def _descend(fit: InnerFit, start: Array) -> Array:
    if not fit.size:
        return start
    found = minimize(
        fit.value_and_gradient, np.clip(start, *fit.bounds.T), jac=True, method="L-BFGS-B", bounds=fit.bounds,
        options={"maxiter": 200, "ftol": 1e-10, "gtol": 1e-5},
    )  # fmt: skip
    return np.asarray(found.x)


def hessian_of(fit: InnerFit, phi: Array) -> Array:
    """Central differences of the gradient, symmetrized.

    The step is long on purpose: its error is the same for the same sums, and rounding is not.
    """
    step = 1e-3
    out = np.empty((fit.size, fit.size))
    for i in range(fit.size):
        ahead, behind = phi.copy(), phi.copy()
        ahead[i] += step
        behind[i] -= step
        out[i] = (fit.value_and_gradient(ahead)[1] - fit.value_and_gradient(behind)[1]) / (2 * step)
    return 0.5 * (out + out.T)


def polish(fit: InnerFit, phi: Array, n_steps: int = 20) -> Optimum:
    """Newton steps to the last digits, so that the way there leaves no trace.

    One Hessian serves several steps; it is made anew when steps stop shrinking.
    """
    low, high = fit.bounds.T
    value, gradient = fit.value_and_gradient(phi)
    hessian = hessian_of(fit, phi)
    last = np.inf
    for _ in range(n_steps):
        bound = ((phi <= low) & (gradient > 0)) | ((phi >= high) & (gradient < 0))
        inside = np.flatnonzero(~bound)
        if not len(inside):
            break
        values, vectors = np.linalg.eigh(hessian[np.ix_(inside, inside)])
        step = np.zeros(fit.size)
        step[inside] = -vectors @ ((vectors.T @ gradient[inside]) / np.maximum(np.abs(values), 1e-6))
        length = float(np.abs(step).max())
        if length < 1e-13 or (length < 1e-8 and length > 0.5 * last):
            break
        trial, fraction = np.clip(phi + step, low, high), 1.0
        height, slope = fit.value_and_gradient(trial)
        slack = 1e-9 * (1 + abs(value))
        while not height <= value + slack and fraction > 1e-3:
            fraction *= 0.25
            trial = np.clip(phi + fraction * step, low, high)
            height, slope = fit.value_and_gradient(trial)
        if not height <= value + slack:
            break
        if length > 0.3 * last or fraction < 1:
            hessian = hessian_of(fit, trial)
        phi, value, gradient, last = trial, height, slope, length
    hessian = hessian_of(fit, phi)
    bound = ((phi <= low) & (gradient > 0)) | ((phi >= high) & (gradient < 0))
    return Optimum(phi, -value, hessian, bound)
