"""Sums of columns that are the same in every row, and what is written to hold them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from sozai.symbolic.formulas.typography import number_text, quoted

__all__ = ["ExactSum", "exact_sums"]

_SAME = 1e-9  # spread of a sum, relative to that of its parts, below which it is one number
_SIMPLE = 1e-7  # distance from a simple fraction that is tried
_LARGEST_DENOMINATOR = 100


@dataclass(frozen=True)
class ExactSum:
    r"""A linear relation :math:`\sum_j c_j x_j = c` that every row of a table meets.

    Attributes
    ----------
    coefficients : dict of str to Fraction
        :math:`c_j` by column, the first one positive.
    constant : Fraction
        :math:`c`.

    Examples
    --------
    >>> print(ExactSum({"x_A": Fraction(1), "x_B": Fraction(2)}, Fraction(1)))
    x_A + 2*x_B = 1
    """

    coefficients: dict[str, Fraction]
    constant: Fraction

    def __str__(self) -> str:
        """Text as ``--limits`` reads it."""
        parts = []
        for name, value in self.coefficients.items():
            size = "" if abs(value) == 1 else f"{number_text(abs(value))}*"
            parts.append(f"{'- ' if value < 0 else '+ '}{size}{quoted(name)}")
        text = " ".join(parts).removeprefix("+ ")
        return f"{text} = {number_text(self.constant)}"


def exact_sums(X: pd.DataFrame) -> tuple[ExactSum, ...]:
    """Linear relations that hold in every row, each between as few columns as possible.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Numbers without gaps.

    Returns
    -------
    tuple of ExactSum
        None of columns that are constant; none at all where there are not at
        least two rows more than columns, as rows so few are always tied.

    Notes
    -----
    QR decomposition of the centered columns with pivots: every column beyond
    the rank (1e-9 of the largest) is written by the pivots, which gives the
    smallest set that holds it. Coefficients are relative to the smallest of
    them, the first is positive, and they are taken as simple fractions where
    the relation stays exact with these.

    Examples
    --------
    >>> x = np.array([0.1, 0.2, 0.4, 0.5, 0.7])
    >>> print(*exact_sums(pd.DataFrame({"x_A": x, "x_B": 1 - x, "T": x**2})))
    x_A + x_B = 1
    """
    from scipy.linalg import qr, solve_triangular

    values = X.to_numpy(dtype=np.float64)
    centered = values - values.mean(axis=0) if len(values) else values
    length = np.sqrt((centered**2).sum(axis=0))
    moving = np.flatnonzero(length > 1e-12 * np.abs(values).max(axis=0, initial=0.0) * np.sqrt(len(values)))
    if len(moving) < 2 or len(values) < len(moving) + 2:
        return ()
    _, upper, pivots = qr(centered[:, moving] / length[moving], mode="economic", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(upper)) > _SAME * abs(upper[0, 0])))
    weights = solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    found = []
    for k, column in enumerate(pivots[rank:]):
        relation = np.zeros(len(moving))
        relation[pivots[:rank]], relation[column] = -weights[:, k], 1.0
        relation[np.abs(relation) < 1e-7] = 0.0
        members = np.flatnonzero(relation)
        columns = moving[members]
        one = _simplest(X.iloc[:, columns], relation[members] / length[columns])
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: [list(X.columns).index(name) for name in one.coefficients]))


def _simplest(X: pd.DataFrame, coefficients: np.ndarray) -> ExactSum | None:
    """Relation with simple coefficients where these hold, else with those found; None if neither is exact."""
    values = X.to_numpy(dtype=np.float64)
    relative = coefficients / (np.abs(coefficients).min() * np.sign(coefficients[0]))
    for simple in (True, False):
        fractions = [_fraction(float(value), simple) for value in relative]
        forms = values @ np.array([float(value) for value in fractions])
        parts = np.abs(values * relative).max()
        constant = _fraction(float(forms.mean()), simple, parts)
        if np.abs(forms - float(constant)).max() <= _SAME * parts:
            return ExactSum(dict(zip(map(str, X.columns), fractions, strict=True)), constant)
    return None


def _fraction(value: float, simple: bool, size: float = 1.0) -> Fraction:
    """Near fraction with a small denominator if there is one, else twelve digits."""
    near = Fraction(value).limit_denominator(_LARGEST_DENOMINATOR)
    if simple and abs(float(near) - value) <= _SIMPLE * max(abs(value), size):
        return near
    return Fraction(f"{value:.12g}") if abs(value) > 1e-12 * size else Fraction(0)
