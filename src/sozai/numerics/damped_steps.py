r"""Damped steps on small dense systems inside a box, to be called from compiled loops.

The pieces of one Levenberg-Marquardt iteration for a deviance :math:`D(\theta)` with score
:math:`g = -\tfrac12\partial D/\partial\theta` and information
:math:`F \approx \tfrac12\partial^2 D/\partial\theta^2`:

1. :func:`free_of_bounds`: which parameters may move;
2. :func:`step_in_box` (or :func:`solve_damped` and :func:`clip_step`):
   :math:`(F + \lambda\,\mathrm{diag} F)\,d = g` on those;
3. :func:`predicted_decrease`: :math:`2d^Tg - d^TFd`, what the quadratic model promises;
4. :func:`nielsen`: :math:`\lambda` of the next iteration from (actual decrease)/(predicted decrease).

All of them leave units alone: the system is solved for :math:`u_j = \sqrt{F_{jj}}\,d_j`, whose matrix
has a diagonal of ones.

References
----------
.. [1] D. W. Marquardt, J. Soc. Ind. Appl. Math. 11, 431 (1963). https://doi.org/10.1137/0111030
.. [2] H. B. Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05, Technical University
   of Denmark (1999).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "DAMPING_START",
    "GROWTH_START",
    "clip_step",
    "free_of_bounds",
    "nielsen",
    "predicted_decrease",
    "solve_damped",
    "step_in_box",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: λ and its growth factor at the start of a fit.
DAMPING_START, GROWTH_START = 1e-3, 2.0
#: λ stays within these: below, it is nothing beside rounding; above, a step moves no digit.
_LEAST_DAMPING, _MOST_DAMPING = 1e-20, 1e20
#: A pivot of the scaled matrix, whose diagonal is one, below this share is rounding.
_SINGULAR = 1e-14


@njit(cache=True, nogil=True, error_model="numpy")
def solve_damped(information: Floats, score: Floats, damping: float, free: Flags, step: Floats) -> bool:
    """Solve (F + λ diag F) d = g for the free parameters by a Cholesky factor; the others get 0.

    Parameters
    ----------
    information : ndarray of shape (p, p)
        F, symmetric; the lower triangle is read. A free parameter with F_jj = 0 has no effect and
        gets 0.
    score : ndarray of shape (p,)
        g, the direction in which the deviance falls.
    damping : float
        λ ≥ 0.
    free : ndarray of bool of shape (p,)
    step : ndarray of shape (p,)
        Filled with d.

    Returns
    -------
    bool
        False when the damped matrix is not positive definite in double precision (or not finite): raise
        λ and try again. ``step`` is then 0.

    Notes
    -----
    Cost p³/6 for p free parameters; one scratch matrix is allocated.

    Examples
    --------
    >>> step = np.empty(2)
    >>> information = np.array([[4.0, 0.0], [0.0, 1e-12]])
    >>> solve_damped(information, np.array([2.0, 1e-12]), 3.0, np.ones(2, bool), step), step.tolist()
    (True, [0.125, 0.25])
    """
    p = score.shape[0]
    members = np.empty(p, np.int64)
    scale = np.empty(p)
    size = 0
    for j in range(p):
        step[j] = 0.0
        if free[j] and information[j, j] != 0.0:
            members[size] = j
            scale[size] = 1.0 / np.sqrt(information[j, j])
            size += 1
    lower = np.empty((size, size))
    for a in range(size):
        for b in range(a + 1):
            i, j = members[a], members[b]
            rest = information[i, j] * scale[a] * scale[b] if a != b else 1.0 + damping
            for k in range(b):
                rest -= lower[a, k] * lower[b, k]
            if a != b:
                lower[a, b] = rest / lower[b, b]
            elif rest > _SINGULAR and np.isfinite(scale[a]):
                lower[a, a] = np.sqrt(rest)
            else:  # also where rest is NaN
                return False
    for a in range(size):
        rest = score[members[a]] * scale[a]
        for k in range(a):
            rest -= lower[a, k] * step[members[k]]
        step[members[a]] = rest / lower[a, a]
    for a in range(size - 1, -1, -1):
        rest = step[members[a]]
        for k in range(a + 1, size):
            rest -= lower[k, a] * step[members[k]]
        step[members[a]] = rest / lower[a, a]
    for a in range(size):
        step[members[a]] *= scale[a]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def free_of_bounds(theta: Floats, score: Floats, lower: Floats, upper: Floats, free: Flags) -> int:
    """Tell which parameters may move: all but those on a bound that the score pushes outward.

    A frozen parameter is set free again as soon as the sign of its score turns. Equal bounds hold a
    parameter for good.

    Parameters
    ----------
    theta, score, lower, upper : ndarray of shape (p,)
        The score is the direction in which the deviance falls. Bounds may be infinite.
    free : ndarray of bool of shape (p,)
        Filled.

    Returns
    -------
    int
        How many are free.

    Examples
    --------
    >>> free = np.empty(3, bool)
    >>> theta, zero, one = np.array([0.0, 0.0, 0.4]), np.zeros(3), np.ones(3)
    >>> free_of_bounds(theta, np.array([-1.0, 1.0, -1.0]), zero, one, free), free.tolist()
    (2, [False, True, True])
    """
    n_free = 0
    for j in range(theta.shape[0]):
        down = theta[j] <= lower[j] and not score[j] > 0.0
        up = theta[j] >= upper[j] and not score[j] < 0.0
        free[j] = not (down or up or lower[j] == upper[j])
        n_free += free[j]
    return n_free


@njit(cache=True, nogil=True, error_model="numpy")
def clip_step(theta: Floats, lower: Floats, upper: Floats, step: Floats, trial: Floats) -> int:
    """Add the step and clip to the box; ``step`` is shortened to what is left of it.

    Parameters
    ----------
    theta, lower, upper : ndarray of shape (p,)
    step : ndarray of shape (p,)
        Changed in place.
    trial : ndarray of shape (p,)
        Filled with θ + d; a clipped entry equals its bound to the last bit.

    Returns
    -------
    int
        Number of clipped entries.

    Examples
    --------
    >>> step, trial = np.array([-3.0, 0.5]), np.empty(2)
    >>> clip_step(np.array([1.0, 1.0]), np.zeros(2), np.full(2, 9.0), step, trial)
    1
    >>> step.tolist(), trial.tolist()
    ([-1.0, 0.5], [0.0, 1.5])
    """
    n_clipped = 0
    for j in range(theta.shape[0]):
        trial[j] = theta[j] + step[j]
        if trial[j] < lower[j] or trial[j] > upper[j]:
            trial[j] = lower[j] if trial[j] < lower[j] else upper[j]
            step[j] = trial[j] - theta[j]
            n_clipped += 1
    return n_clipped


@njit(cache=True, nogil=True, error_model="numpy")
def step_in_box(
    information: Floats, score: Floats, damping: float, theta: Floats, lower: Floats, upper: Floats,
    free: Flags, step: Floats, trial: Floats,
) -> bool:  # fmt: skip
    """Damped step that stays in the box: what would leave is put on its bound, the rest is solved again.

    With B the parameters put on their bounds, (F + λ diag F) d = g − F d_B for the others. Clipping alone
    leaves the others at values that belong to a point outside the box, which costs many iterations
    where parameters are correlated.

    Parameters
    ----------
    information, score, damping, free
        As in :func:`solve_damped`; ``free`` usually from :func:`free_of_bounds`.
    theta, lower, upper : ndarray of shape (p,)
        θ lies in the box.
    step, trial : ndarray of shape (p,)
        Filled with d and θ + d; an entry put on a bound equals it to the last bit.

    Returns
    -------
    bool
        As in :func:`solve_damped`.

    Notes
    -----
    At most p solves, one where nothing leaves the box.

    Examples
    --------
    >>> step, trial = np.empty(2), np.empty(2)
    >>> information, score = np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([-2.0, 1.0])
    >>> bounds = np.array([-1.0, -9.0]), np.array([9.0, 9.0])
    >>> step_in_box(information, score, 0.0, np.zeros(2), *bounds, np.ones(2, bool), step, trial)
    True
    >>> trial.tolist()
    [-1.0, 1.5]
    """
    p = theta.shape[0]
    moving = free.copy()
    rest = score.copy()
    solution = np.empty(p)
    for j in range(p):
        step[j], trial[j] = 0.0, theta[j]
    while True:
        if not solve_damped(information, rest, damping, moving, solution):
            return False
        left = False
        for j in range(p):
            if not moving[j]:
                continue
            step[j], trial[j] = solution[j], theta[j] + solution[j]
            if trial[j] < lower[j] or trial[j] > upper[j]:
                trial[j] = lower[j] if trial[j] < lower[j] else upper[j]
                step[j] = trial[j] - theta[j]
                moving[j], left = False, True
                for i in range(p):  # the lower triangle is the one that is filled
                    rest[i] -= (information[i, j] if i > j else information[j, i]) * step[j]
        if not left:
            return True


@njit(cache=True, nogil=True, error_model="numpy")
def predicted_decrease(information: Floats, score: Floats, step: Floats) -> float:
    """Decrease of the deviance in the quadratic model, 2 dᵀg − dᵀFd, for any step.

    Parameters
    ----------
    information : ndarray of shape (p, p)
        The lower triangle is read.
    score, step : ndarray of shape (p,)

    Returns
    -------
    float
        For a step of :func:`solve_damped` this is dᵀg + λ dᵀ diag(F) d ≥ 0; after clipping it may be
        negative, and the step is to be refused.

    Examples
    --------
    >>> predicted_decrease(np.eye(2), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    1.0
    """
    total = 0.0
    for i in range(step.shape[0]):
        half = 0.5 * information[i, i] * step[i]
        for j in range(i):
            half += information[i, j] * step[j]
        total += 2.0 * step[i] * (score[i] - half)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def nielsen(gain: float, damping: float, growth: float) -> tuple[float, float]:
    """Damping λ and its growth factor for the next iteration.

    An accepted step (gain ρ > 0) multiplies λ by max(1/3, 1 − (2ρ − 1)³) and sets the factor to 2; a
    refused one multiplies λ by the factor and doubles it.

    Parameters
    ----------
    gain : float
        ρ = actual decrease / predicted decrease, or any negative number for a refused step; NaN counts as
        refused.
    damping, growth : float
        λ and its factor now; start with :data:`DAMPING_START` and :data:`GROWTH_START`.

    Returns
    -------
    damping, growth : float

    Examples
    --------
    >>> [nielsen(gain, 1.0, 4.0) for gain in (1.0, 0.5, -1.0)]
    [(0.3333333333333333, 2.0), (1.0, 2.0), (4.0, 8.0)]
    """
    if gain > 0.0:
        shrink = 1.0 - (2.0 * min(gain, 1.5) - 1.0) ** 3
        return max(damping * max(1.0 / 3.0, shrink), _LEAST_DAMPING), GROWTH_START
    return min(damping * growth, _MOST_DAMPING), 2.0 * growth
