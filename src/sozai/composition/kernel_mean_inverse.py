"""From a kernel mean descriptor back to the fractions behind it, with a certificate for every row."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.composition.inverse_certificate import certify
from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import (
    ConvergenceWarning,
    ExtrapolationWarning,
    InputError,
    NotInvertibleError,
    sentence,
)
from sozai.numerics.simplex_least_squares import SimplexSystem

__all__ = ["InverseResult", "Invertibility", "invert", "invertibility", "read_descriptors"]

Array = NDArray[np.float64]

#: A residual above this share of the descriptor's norm lies outside what compositions can reach.
FAR = 0.1


@dataclass(frozen=True, repr=False)
class Invertibility:
    r"""Whether a descriptor matrix H fixes the fractions of its components.

    Attributes
    ----------
    rank : int
        Singular values of H above ``tolerance``.
    sigma_max, sigma_min : float
        Largest and smallest singular value; the smallest is 0 with more components than features.
    condition_number : float
        Their ratio; infinite when the rank is below the number of components.
    tolerance : float
        :math:`\sigma_{max}\,\max(p, m)\,\epsilon`.
    unique : bool
        Whether the columns of :math:`[H; 1^T]` are independent: every descriptor then has one composition.

    Examples
    --------
    >>> invertibility([[1.0, 0.0], [0.0, 1.0]])
    Invertibility(rank 2, condition number 1, unique)
    """

    rank: int
    sigma_max: float
    sigma_min: float
    condition_number: float
    tolerance: float
    unique: bool

    def __repr__(self) -> str:
        word = "unique" if self.unique else "not unique"
        return f"Invertibility(rank {self.rank}, condition number {self.condition_number:.3g}, {word})"

    def to_frame(self) -> pd.DataFrame:
        """One row with all fields."""
        return pd.DataFrame([vars(self)])


def invertibility(matrix: ArrayLike) -> Invertibility:
    """Rank and condition of a descriptor matrix, by its singular values.

    Parameters
    ----------
    matrix : array-like of shape (p, m)
        H: column i is the descriptor of pure component i.

    Returns
    -------
    Invertibility

    Raises
    ------
    InputError
        NaN or text in the matrix.

    Notes
    -----
    Cost O(p m²). Even where ``unique`` is false, most descriptors of few components have one
    composition only, since fractions are not negative: :func:`invert` says so for each row.

    Examples
    --------
    >>> invertibility([[1.0, 1.0, 0.0]])
    Invertibility(rank 1, condition number inf, not unique)
    """
    return _invertibility(SimplexSystem.from_matrix(matrix, place="invertibility"))


def _invertibility(system: SimplexSystem) -> Invertibility:
    """The record of a factorized matrix."""
    p, m = system.matrix.shape
    sigma = system.singular_values
    return Invertibility(
        rank=system.rank,
        sigma_max=float(sigma[0]),
        sigma_min=float(sigma[-1]) if m <= p else 0.0,
        condition_number=system.condition_number,
        tolerance=system.tolerance,
        unique=system.unique,
    )


@dataclass(frozen=True, eq=False, repr=False)
class InverseResult:
    """Fractions behind descriptors.

    Attributes
    ----------
    fractions : ndarray of shape (n, m)
        Not negative, rows sum to 1.
    components : tuple of str
        Names of the columns.
    objective : ndarray of shape (n,)
        Half the squared residual, in the metric.
    residual_ratio : ndarray of shape (n,)
        Norm of the residual over the norm of the descriptor, in the metric; 0 below 4e-7 (rounding).
    unique : ndarray of shape (n,), bool
        Whether no other composition is as near to the descriptor.
    n_iter : ndarray of shape (n,)
        Exchanges of components; 0 where the descriptor is one of a composition exactly.
    kkt_residual : ndarray of shape (n,)
        Violation of the optimality conditions, relative to the largest possible slope.
    null_directions : tuple of (str or None)
        For a row that is not unique, what can replace what at no cost.
    std : ndarray of shape (n, m) or None
        Standard errors of the fractions with the set of positive components held fixed.
    invertibility : Invertibility

    Examples
    --------
    >>> invert([[1.0, 0.0], [0.0, 1.0]], [[0.25, 0.75]], ["Fe", "O"])
    InverseResult(1 row, 2 components, 1 unique, largest residual 0 %)
    """

    fractions: Array
    components: tuple[str, ...]
    objective: Array
    residual_ratio: Array
    unique: NDArray[np.bool_]
    n_iter: NDArray[np.int64]
    kkt_residual: Array
    null_directions: tuple[str | None, ...]
    std: Array | None
    invertibility: Invertibility

    def __len__(self) -> int:
        return len(self.fractions)

    def __repr__(self) -> str:
        n, m = self.fractions.shape
        worst = 100 * float(self.residual_ratio.max(initial=0.0))
        rows = "1 row" if n == 1 else f"{n} rows"
        unique = int(self.unique.sum())
        return f"InverseResult({rows}, {m} components, {unique} unique, largest residual {worst:.2g} %)"

    def to_frame(self) -> pd.DataFrame:
        """One row per descriptor: fractions, ratio of the residual, uniqueness, standard errors if any."""
        frame = pd.DataFrame(self.fractions, columns=list(self.components))
        extra: dict[str, Any] = {
            "residual_ratio": self.residual_ratio,
            "unique": self.unique,
            "null_direction": np.array(self.null_directions, dtype=object),
        }
        if self.std is not None:
            extra |= {f"std:{name}": self.std[:, j] for j, name in enumerate(self.components)}
        return pd.concat([frame, pd.DataFrame(extra)], axis=1)


def invert(
    matrix: ArrayLike,
    phi: ArrayLike,
    components: Sequence[str],
    *,
    metric: ArrayLike | None = None,
    return_std: bool = False,
    on_not_unique: str = "warn",
    n_jobs: int | None = None,
    place: str = "invert",
) -> InverseResult:
    r"""Fractions w whose descriptor Hw is nearest to each row of ``phi``.

    Parameters
    ----------
    matrix : array-like of shape (p, m)
        H: column i is the descriptor of pure component i. Leave columns out to leave components out.
    phi : array-like of shape (n, p) or (p,)
        Descriptors.
    components : sequence of str
        Names of the m columns.
    metric : array-like of shape (p,) or (p, p), optional
        Standard errors of the entries of ``phi``, or their covariance: a designed descriptor is
        not equally sure everywhere.
    return_std : bool
        Also give standard errors of the fractions.
    on_not_unique : {"warn", "raise", "ignore"}
        What to do about rows that have more than one nearest composition.
    n_jobs : int, optional
        Workers.
    place : str
        Who asks, for messages.

    Returns
    -------
    InverseResult

    Raises
    ------
    InputError
        Sizes that do not fit (both are stated), NaN, unknown option.
    NotInvertibleError
        A row is not unique and ``on_not_unique="raise"``.

    Warns
    -----
    ExtrapolationWarning
        A residual above 10 % of the norm of the descriptor: no composition is near.
    ConvergenceWarning
        Rows that are not unique, with what can replace what; rows given up by the solver.

    Notes
    -----
    .. math:: \min_w \tfrac12\|\phi - Hw\|^2 \quad\text{s.t.}\quad 1^Tw = 1,\ w \ge 0.

    Solved exactly (:class:`~sozai.numerics.simplex_least_squares.SimplexSystem`); clipping the
    unconstrained solution instead is an order of magnitude farther from the truth under noise.

    *Certificate.* Where the columns of :math:`[H; 1^T]` are independent every row is unique. Elsewhere
    let P be the positive components and Z those whose multiplier is zero. Another optimum differs by
    v with :math:`[H; 1^T]v = 0`, v zero outside P and Z, not negative on Z. With the columns
    of P projected out, such a v exists when :math:`\min \|B s\|`, s on the simplex over Z, is 0: the
    same problem once more. The answer of a row that is not unique is the optimum of smallest
    norm (least distance programming [2]_), and v is said in words.

    *Standard errors.* With the support held fixed the covariance is
    :math:`\sigma^2 Z(Z^TH^THZ)^{-1}Z^T` (Z: directions that keep the sum), where
    :math:`\sigma^2` is 1 in a metric, else the squared residual over p − k + 1. Components
    that are zero get 0: their error is one-sided and not linear. NaN where p − k + 1 is not positive.

    Cost: see SimplexSystem; a certificate O(m³) for a row of a matrix that is not invertible.

    References
    ----------
    .. [1] M. Kusaba, Y. Hayashi, C. Liu, A. Wakiuchi, R. Yoshida, Representation of materials by kernel
       mean embedding, Phys. Rev. B 108, 134107 (2023). https://doi.org/10.1103/PhysRevB.108.134107
    .. [2] C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, SIAM (1995), chapter 23.
       https://doi.org/10.1137/1.9781611971217

    Examples
    --------
    >>> result = invert([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]], [[0.2, 0.8]], ["Hf", "O", "HfO"],
    ...                 on_not_unique="ignore")
    >>> result.null_directions[0]
    'HfO can replace 0.5 Hf + 0.5 O at no cost'
    """
    _require_option(on_not_unique, place)
    system = SimplexSystem.from_matrix(matrix, metric=metric, place=place)
    names = as_names(components, system.matrix.shape[1], place=place)
    rows = read_descriptors(phi, system, place)
    solution = system.solve(rows, n_jobs=n_jobs, place=place, argument="phi")
    fractions, unique, words = certify(system, solution, names, n_jobs)
    ratio = solution.residual_ratio
    _say_far(ratio, place)
    _say_given_up(solution.n_iter, place)
    _say_not_unique(unique, words, on_not_unique, place)
    return InverseResult(
        fractions, names, solution.objective, ratio, unique, solution.n_iter, solution.kkt_residual,
        words, _standard_errors(system, fractions, solution.objective) if return_std else None,
        _invertibility(system),
    )  # fmt: skip


def _require_option(on_not_unique: str, place: str) -> None:
    """Refuse an unknown way to treat rows that are not unique."""
    if on_not_unique not in {"warn", "raise", "ignore"}:
        raise InputError(
            sentence(
                place, "on_not_unique", "be 'warn', 'raise' or 'ignore'", on_not_unique,
                remedy="Use 'warn' to get the composition of smallest norm.",
            )
        )  # fmt: skip


def read_descriptors(phi: ArrayLike, system: SimplexSystem, place: str) -> Array:
    """Rows of descriptors, or an error that states both lengths.

    Parameters
    ----------
    phi : array-like of shape (n, p) or (p,)
    system : SimplexSystem
        Of the descriptor matrix.
    place : str
        Who asks, for messages.

    Examples
    --------
    >>> read_descriptors([0.5, 0.5], SimplexSystem.from_matrix([[1.0], [0.0]]), "invert").shape
    (1, 2)
    """
    raw = phi if hasattr(phi, "columns") or np.ndim(phi) != 1 else np.asarray(phi)[None, :]
    rows = as_matrix(raw, place=place, argument="phi", min_samples=0, finite=False)
    length = system.matrix.shape[0]
    if rows.shape[1] != length:
        raise InputError(
            sentence(
                place, "phi", f"have {length} columns, the length of the fitted descriptor",
                f"{rows.shape[1]} columns", remedy="Compute phi with the same table, grid and scaling.",
            )
        )  # fmt: skip
    return rows


def _standard_errors(system: SimplexSystem, fractions: Array, objective: Array) -> Array:
    """Linearized standard errors on the support."""
    variances = system.variances(fractions)
    if system.metric is None:
        free = system.matrix.shape[0] - (fractions > 0).sum(axis=1) + 1
        noise = np.divide(2 * objective, free, out=np.full(len(fractions), np.nan), where=free > 0)
        variances = variances * noise[:, None]
    return np.sqrt(variances)


# --- warnings ----------------------------------------------------------------------------------------


def _say_far(ratio: Array, place: str) -> None:
    """Warn of descriptors that no composition comes near to."""
    far = np.flatnonzero(ratio > FAR)
    if far.size:
        worst = int(far[np.argmax(ratio[far])])
        warnings.warn(
            f"{place}: {far.size} of {ratio.size} descriptors are not near any composition: the residual of "
            f"row {worst} is {100 * ratio[worst]:.3g} % of the norm of phi (limit {100 * FAR:.0f} %). "
            "Check that phi comes from the same table, grid and scaling.",
            ExtrapolationWarning,
            stacklevel=3,
        )


def _say_given_up(n_iter: NDArray[np.int64], place: str) -> None:
    """Warn of rows whose active set did not settle."""
    lost = np.flatnonzero(n_iter < 0)
    if lost.size:
        warnings.warn(
            f"{place}: the search stopped early in {lost.size} of {n_iter.size} rows, first row {lost[0]}; "
            "see kkt_residual. Scale the columns of phi to similar size.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _say_not_unique(
    unique: NDArray[np.bool_], words: tuple[str | None, ...], on_not_unique: str, place: str
) -> None:
    """Warn of, or refuse, rows with more than one nearest composition."""
    lost = np.flatnonzero(~unique)
    if not lost.size or on_not_unique == "ignore":
        return
    text = (
        f"{place}: {lost.size} of {unique.size} rows have more than one nearest composition; "
        f"first row {lost[0]}: {words[lost[0]]}. "
    )
    remedy = "Choose fewer components, or more features or grid points."
    if on_not_unique == "raise":
        raise NotInvertibleError(text + remedy)
    warnings.warn(text + "The one of smallest norm is returned. " + remedy, ConvergenceWarning, stacklevel=3)
