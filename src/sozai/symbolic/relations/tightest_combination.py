"""The combination of a few columns that varies least: its weights, their errors, simple fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import gcd, lcm

import numpy as np
from scipy.stats import multivariate_t

__all__ = ["TightestCombination", "simple_weights", "tightest_combination", "unit_deviations"]

_ODDS = 3.0  # for simple fractions against any other numbers
_ROUNDING = 1e-10  # weights are not known better than this


@dataclass(frozen=True, eq=False)
class TightestCombination:
    """Weights of the combination of k columns that varies least.

    Attributes
    ----------
    weights : ndarray of shape (k,)
        One for the reference column.
    covariance : ndarray of shape (k, k)
        Of the weights; zero for the reference.
    reference : int
        The column that takes the largest part.
    ratio : float
        Spread of the combination over the one expected if the columns had
        nothing to do with each other.
    direction, direction_error : ndarray of shape (k,), float
        Weights times the columns' spreads at unit norm, and the standard error of that direction.
    left_out : ndarray of shape (m,)
        Every row's distance from the mean of the others, with the weights that the others give.
    left_out_weights : ndarray of shape (m, k)
    """

    weights: np.ndarray
    covariance: np.ndarray
    reference: int
    ratio: float
    direction: np.ndarray
    direction_error: float
    left_out: np.ndarray
    left_out_weights: np.ndarray


def tightest_combination(columns: np.ndarray) -> TightestCombination:
    r"""Find the combination of columns that varies least, every column measured by its own spread.

    Parameters
    ----------
    columns : ndarray of shape (m, k)
        At least k + 2 rows; no constant column.

    Returns
    -------
    TightestCombination

    Notes
    -----
    With centred columns at unit norm :math:`U = W\Sigma V^T`, the direction is the last right singular
    vector :math:`v`, the ratio :math:`\sigma_k`. Its covariance is that of principal components [1]_,
    :math:`\frac{\lambda_k}{m-k}\sum_{l<k}\frac{\lambda_l}{(\lambda_l-\lambda_k)^2}v_lv_l^T` with
    :math:`\lambda = \sigma^2`; the errors of ratios of weights follow to first order.

    References
    ----------
    .. [1] T. W. Anderson, Ann. Math. Stat. 34, 122 (1963).

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 4.0, 7.0])
    >>> tightest_combination(np.column_stack([x, 3 - 2 * x])).weights.round(12).tolist()
    [1.0, 0.5]
    """
    m, k = columns.shape
    unit, spreads = unit_deviations(columns)
    _, singular, right = np.linalg.svd(unit, full_matrices=False)
    direction = right[-1]
    # Equal parts differ by rounding only; the first of them is the reference on every machine.
    reference = int(np.argmax(np.abs(direction) > np.abs(direction).max() - 1e-9))
    error = _direction_covariance(singular, right, m - k)
    scale = spreads[reference] / spreads / direction[reference]
    turn = scale[:, None] * np.eye(k)
    turn[:, reference] -= scale * direction / direction[reference]
    left_out, left_out_weights = _leave_each_out(unit, spreads, direction, reference)
    return TightestCombination(
        weights=scale * direction,
        covariance=turn @ error @ turn.T,
        reference=reference,
        ratio=float(singular[-1]),
        direction=direction,
        direction_error=float(np.sqrt(np.trace(error))),
        left_out=left_out,
        left_out_weights=left_out_weights,
    )


def unit_deviations(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred columns at unit norm, (m, k), and their norms, (k,), without overflow.

    Examples
    --------
    >>> unit, spreads = unit_deviations(np.array([[1e200], [-1e200]]))
    >>> unit.round(6).ravel().tolist(), f"{spreads[0]:.4e}"
    ([0.707107, -0.707107], '1.4142e+200')
    """
    centred = columns - columns.mean(axis=0)
    largest = np.abs(centred).max(axis=0)
    centred = centred / largest
    norms = np.linalg.norm(centred, axis=0)
    return centred / norms, largest * norms


def _direction_covariance(singular: np.ndarray, right: np.ndarray, freedom: int) -> np.ndarray:
    """Covariance (k, k) of the last right singular vector."""
    variances = singular**2
    gaps = np.maximum(variances[:-1] - variances[-1], np.finfo(float).tiny)
    share = variances[-1] / freedom * variances[:-1] / gaps**2
    return (right[:-1].T * share) @ right[:-1]


def _leave_each_out(
    unit: np.ndarray, spreads: np.ndarray, direction: np.ndarray, reference: int
) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each row left out, (m,), and the weights without it, (m, k), from one Gram matrix."""
    m = unit.shape[0]
    grams = unit.T @ unit - m / (m - 1) * unit[:, :, None] * unit[:, None, :]
    # A column that varies in one row only is constant without it: nothing fixes its weight there.
    weights = np.linalg.eigh(grams)[1][:, :, 0] / spreads
    own = weights[:, reference]
    safe = np.abs(own) > 1e-6 * np.abs(weights).max(axis=1)
    weights = np.where(safe[:, None], weights, np.nan) / np.where(safe, own, 1.0)[:, None]
    distances = m / (m - 1) * np.einsum("tj,tj->t", unit * spreads, weights)
    return distances, weights


def simple_weights(
    found: TightestCombination, freedom: int, max_denominator: int
) -> tuple[Fraction, ...] | None:
    r"""Whole numbers in the ratio of the weights, where they are more probable than any other numbers.

    Parameters
    ----------
    found : TightestCombination
    freedom : int
        Degrees of freedom :math:`\nu` of the errors.
    max_denominator : int
        Largest common denominator of the weights, i.e. largest whole number of the reference.

    Returns
    -------
    tuple of Fraction or None
        Without common divisor, the first positive; None where the odds are below three to one.

    Notes
    -----
    There are :math:`N_q = \sum_{r \le q} J_d(r)` points with common denominators up to q in a unit cube
    of the d free weights, J Jordan's totient. Each has the prior probability :math:`1/N_q`; any other
    numbers have density one. The odds for fractions :math:`f` against other numbers, given weights
    :math:`w` with covariance :math:`C`, are :math:`t_\nu(f; w, C)/N_q` with the multivariate Student
    density :math:`t_\nu`: simple fractions may lie a few standard errors away if these are tiny, and
    vague weights get none.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 4.0, 7.0])
    >>> simple_weights(tightest_combination(np.column_stack([x, 3 - 1.5 * x])), 2, 6)
    (Fraction(3, 1), Fraction(2, 1))
    """
    others = [j for j in range(found.weights.size) if j != found.reference]
    weights = found.weights[others]
    covariance = found.covariance[np.ix_(others, others)]
    errors = np.sqrt(np.diag(covariance)) + _ROUNDING * np.maximum(1.0, np.abs(weights))
    # Scaled by the errors, so that no determinant underflows.
    shape = covariance / errors[:, None] / errors + _ROUNDING * np.eye(weights.size)
    best, numbers = np.log(_ODDS), None
    for denominator in range(1, max_denominator + 1):
        numerators = np.round(weights * denominator)
        distance = (numerators / denominator - weights) / errors
        odds = multivariate_t.logpdf(distance, shape=shape, df=freedom) - np.log(errors).sum()
        odds -= np.log(_points_in_a_cube(denominator, weights.size))
        if odds > best and numerators.all():
            best, numbers = odds, (numerators.astype(int).tolist(), denominator)
    if numbers is None:
        return None
    fractions = [Fraction(numerator, numbers[1]) for numerator in numbers[0]]
    fractions.insert(found.reference, Fraction(1))
    return whole_numbers(fractions)


@cache
def _points_in_a_cube(max_denominator: int, dimension: int) -> int:
    """Points of a unit cube with a common denominator up to this: a sum of Jordan's totients."""
    totients: dict[int, int] = {}
    for q in range(1, max_denominator + 1):
        totients[q] = q**dimension - sum(totients[divisor] for divisor in range(1, q) if q % divisor == 0)
    return sum(totients.values())


def whole_numbers(fractions: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Smallest whole numbers in the same ratio, the first positive."""
    multiple = lcm(*(fraction.denominator for fraction in fractions))
    divisor = gcd(*(int(fraction * multiple) for fraction in fractions))
    sign = 1 if fractions[0] > 0 else -1
    return tuple(fraction * multiple / divisor * sign for fraction in fractions)
