"""What a parameter on a bound adds to the errors of the others: it may be inside, never outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

from sozai.spectra.peaks.compiled_model import CompiledModel

__all__ = ["half_normal_square", "wall_spread"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Standardized scores from which on the asymptotic form holds, and the least share of its own information
#: that a parameter must keep when the others follow it.
_FAR, _TOLD_APART = 30.0, 1e-9


def half_normal_square(push: Array) -> Array:
    r"""Mean square of a normal number of unit variance, centered ``push`` behind a wall, given it is before.

    Parameters
    ----------
    push : ndarray
        Distance of the center behind the wall, not negative.

    Returns
    -------
    ndarray
        :math:`1 + a^2 - a\,h(a)` with the hazard h of the normal distribution: 1 at 0, and
        (2 - 10/a²)/a² far behind.

    Examples
    --------
    >>> half_normal_square(np.array([0.0, 1.0, 100.0])).round(6).tolist()
    [1.0, 0.474865, 0.0002]
    """
    a = np.maximum(np.asarray(push, dtype=np.float64), 0.0)
    near = np.minimum(a, _FAR)
    hazard = np.sqrt(2.0 / np.pi) / erfcx(near / np.sqrt(2.0))
    close = 1.0 + near * (near - hazard)
    far = np.maximum(a, 1.0) ** 2
    return np.where(a < _FAR, close, 2.0 / far * (1.0 - 5.0 / far))


def wall_spread(
    model: CompiledModel, free: Array, information: Array, inverse: Array, score: Array, use: Flags,
    dispersion: Array, *, left_out: Flags | None = None,
) -> Array:  # fmt: skip
    r"""Mean squares that free parameters on their bounds add, shape (S, q, q).

    Parameters
    ----------
    model : CompiledModel
    free : ndarray of shape (S, q)
    information, inverse : ndarray of shape (S, q, q)
        Of the free parameters, and the inverse of its block ``use``, zero elsewhere.
    score : ndarray of shape (S, q)
        Slope of the log-likelihood.
    use : ndarray of bool of shape (S, q)
        Parameters that are not on a bound.
    dispersion : ndarray of shape (S,)
        Factor of all variances.
    left_out : ndarray of bool of shape (S, q), optional
        Parameters that do not take part at all.

    Notes
    -----
    Held at its bound, a parameter would make the others look better known than they are: a Gaussian share
    that is on its bound by chance takes the area of the tails with it. With a flat prior before the
    wall, its distance d from it is a normal number of variance
    :math:`s^2 = 1/(F_{jj} - F_{jU} F_{UU}^{-1} F_{Uj})` centered :math:`s^2 |g_j|` behind the wall, cut
    there. The others follow it by :math:`-F_{UU}^{-1} F_{Uj}\,d`, so that their mean square about
    the reported values grows by that times :math:`\overline{d^2}`. Without a push from the data
    (:math:`g_j = 0`) this is the covariance with the parameter free; with a strong one, nothing. Several
    parameters on bounds are taken one by one.
    """
    extra = np.zeros_like(information)
    width = model.free_upper - model.free_lower
    slack = 1e-13 * np.maximum(np.abs(free), 1e-300)
    walled = (free - slack <= model.free_lower) | (free + slack >= model.free_upper)
    walled &= ~use & (width > 1e-12 * np.maximum(np.abs(free), 1e-300))
    if left_out is not None:
        walled &= ~left_out
    for j in np.flatnonzero(walled.any(axis=0)):
        rows = np.flatnonzero(walled[:, j])
        steep = information[rows, j, j]
        column = np.where(use[rows], information[rows, :, j], 0.0)
        follow = -np.einsum("sab,sb->sa", inverse[rows], column)
        own = steep + (column * follow).sum(axis=1)
        fine = np.isfinite(own) & (own > _TOLD_APART * steep) & (steep > 0.0)
        rows, follow, own = rows[fine], follow[fine], own[fine]
        follow[:, j] = 1.0
        variance = dispersion[rows] / own
        push = np.abs(score[rows, j]) * np.sqrt(variance) / dispersion[rows]
        square = np.minimum(variance * half_normal_square(push), width[j] ** 2 / 3.0)
        extra[rows] += square[:, None, None] * follow[:, :, None] * follow[:, None, :]
    return extra
