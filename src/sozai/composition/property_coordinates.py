"""Numbers for a property model: coordinates of the composition, then the columns beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from sozai.composition.formula import as_compositions
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.mean_discrepancy import nearest_rows
from sozai.composition.side_columns import split_side_columns
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import Gaussian

__all__ = ["KnownMaterials", "PropertyCoordinates", "default_descriptor", "row_labels"]

#: Width of the kernels in steps of the grid: twice the published one predicts better from few rows.
_WIDTH = 2.0
#: Share of the training formulas whose distance to their nearest neighbor is called usual.
_USUAL = 0.95
#: Training formulas, evenly over the list, whose neighbors tell what is usual.
_ASKED = 2000


def default_descriptor(extra: tuple[str, ...] = ()) -> KernelMeanDescriptor:
    """Coordinates in which the distance of two compositions is the discrepancy of their kernel means.

    Parameters
    ----------
    extra : tuple of str
        Columns that stand beside the formula.

    Returns
    -------
    KernelMeanDescriptor

    Examples
    --------
    >>> default_descriptor().representation
    'isometric'
    """
    return KernelMeanDescriptor(kernel=Gaussian(_WIDTH), representation="isometric", extra=extra)


@dataclass(frozen=True, eq=False)
class PropertyCoordinates:
    """A fitted descriptor, and which of its columns belong together.

    Attributes
    ----------
    descriptor : transformer
        Fitted.
    n_side : int
        Columns beside the formula, the last ones.
    divisor : ndarray of shape (n_columns,)
        What the columns are divided by.
    groups : ndarray of int of shape (n_columns,)
        0 for the composition, then one number for every side column.

    Examples
    --------
    >>> coordinates, Z = PropertyCoordinates.learn(default_descriptor(), ["NaCl", "KCl", "LiF"])
    >>> Z.shape[0], set(coordinates.groups.tolist())
    (3, {0})
    """

    descriptor: Any
    n_side: int
    divisor: np.ndarray
    groups: np.ndarray

    @classmethod
    def learn(cls, descriptor: Any, X: Any) -> tuple[PropertyCoordinates, np.ndarray]:
        """Fit the descriptor on formulas and find the scale of its columns.

        Parameters
        ----------
        descriptor : transformer
            Cloned.
        X : formulas, or a DataFrame of formulas and side columns

        Returns
        -------
        coordinates : PropertyCoordinates
        Z : ndarray of shape (n_samples, n_columns)
        """
        fitted = clone(descriptor).fit(X)
        raw = _dense(fitted.transform(X))
        n_side = len(getattr(fitted, "extra", ()))
        n_formula = raw.shape[1] - n_side
        spread = raw.std(axis=0)
        largest = float(np.abs(raw[:, :n_formula]).max(initial=1.0))
        spread = np.where(spread > 1e-12 * largest, spread, 1.0)
        if getattr(fitted, "representation", None) == "isometric":
            spread[:n_formula] = float(raw[:, :n_formula].std(axis=0).max(initial=0.0)) or 1.0
        groups = np.concatenate([np.zeros(n_formula, dtype=np.int64), np.arange(1, n_side + 1)])
        coordinates = cls(fitted, n_side, spread, groups)
        return coordinates, raw / spread

    def __call__(self, X: Any) -> np.ndarray:
        """Coordinates of formulas, shape (n_samples, n_columns)."""
        return _dense(self.descriptor.transform(X)) / self.divisor

    def compositions(self, X: Any, place: str) -> Any:
        """Parse the formulas of ``X``."""
        formulas, _ = split_side_columns(X, tuple(getattr(self.descriptor, "extra", ())), place=place)
        components = getattr(self.descriptor, "components_", None)
        return as_compositions(formulas, components, place=place)


@dataclass(frozen=True, eq=False)
class KnownMaterials:
    """Training formulas as places in descriptor space: what a new formula is near to.

    Attributes
    ----------
    points : ndarray of shape (n_known, n_columns)
        One per distinct formula, the composition's columns only.
    formulas : ndarray of shape (n_known,)
        Reduced formulas.
    elements : frozenset of str
    usual : float
        Distance to the nearest other training formula that 95 % of them stay below.

    Examples
    --------
    >>> coordinates, Z = PropertyCoordinates.learn(default_descriptor(), ["NaCl", "KCl", "LiF"])
    >>> known = KnownMaterials.of(coordinates.compositions(["NaCl", "KCl", "LiF"], "example"), Z)
    >>> known.reasons(coordinates.compositions(["KI"], "example"), coordinates(["KI"]))
    ['holds I, which no training formula holds']
    """

    points: np.ndarray
    formulas: np.ndarray
    elements: frozenset[str]
    usual: float

    @classmethod
    def of(cls, parsed: Any, points: np.ndarray) -> KnownMaterials:
        """Keep one point per formula and learn which distances are usual.

        Parameters
        ----------
        parsed : ParsedFormulas
        points : ndarray of shape (n_samples, n_columns)

        Returns
        -------
        KnownMaterials
        """
        formulas, first = np.unique(parsed.keys().astype(str), return_index=True)
        distinct = np.ascontiguousarray(points[first])
        usual = float("inf")
        if len(distinct) > 1:
            asked = distinct[np.linspace(0, len(distinct) - 1, min(len(distinct), _ASKED)).astype(np.int64)]
            _, distances = nearest_rows(asked, distinct, 2)
            usual = float(np.quantile(distances[:, 1], _USUAL, method="higher"))
        held = np.flatnonzero(np.bincount(parsed.fractions.indices, minlength=len(parsed.components)))
        return cls(distinct, formulas, frozenset(parsed.components[j] for j in held), usual)

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest training formula of every point, and its distance."""
        rows, distances = nearest_rows(points, self.points, 1)
        return self.formulas[rows[:, 0]], distances[:, 0]

    def applicability(self, parsed: Any, points: np.ndarray, index: Any = None) -> pd.DataFrame:
        """Whether every row lies where training formulas were: ``in_domain, reason, nearest, distance``.

        Parameters
        ----------
        parsed : ParsedFormulas
        points : ndarray of shape (n_samples, n_columns)
        index : Index, optional

        Returns
        -------
        DataFrame
        """
        reasons = self.reasons(parsed, points)
        nearest, distance = self.nearest(points)
        inside = [not reason for reason in reasons]
        columns = {"in_domain": inside, "reason": reasons, "nearest": nearest, "distance": distance}
        return pd.DataFrame(columns, index=index)

    def reasons(self, parsed: Any, points: np.ndarray) -> list[str]:
        """Why every row lies outside the domain; empty text inside."""
        formulas, distances = self.nearest(points)
        fractions, found = parsed.fractions, []
        strange = np.array([name not in self.elements for name in parsed.components])
        for row, (formula, distance) in enumerate(zip(formulas, distances, strict=True)):
            held = fractions.indices[fractions.indptr[row] : fractions.indptr[row + 1]]
            new = [parsed.components[j] for j in held if strange[j]]
            if new:
                found.append(f"holds {', '.join(new)}, which no training formula holds")
            elif distance > self.usual:
                found.append(
                    f"is {distance:.3g} away from the nearest training formula {formula}; "
                    f"{_USUAL:.0%} of these have one within {self.usual:.3g}"
                )
            else:
                found.append("")
        return found


def row_labels(X: Any) -> Any:
    """Index of a DataFrame or Series, else None.

    Examples
    --------
    >>> row_labels(["NaCl"]) is None
    True
    """
    return X.index if isinstance(X, (pd.DataFrame, pd.Series)) else None


def _dense(columns: Any) -> np.ndarray:
    """Finite float64 columns, or the row that has none."""
    values = columns.toarray() if hasattr(columns, "toarray") else np.asarray(columns, dtype=np.float64)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise InputError(
            sentence(
                "PropertyCoordinates", "X", "be described by finite numbers", "NaN",
                at=f"at row {int(np.flatnonzero(bad)[0])}", remedy="Leave out rows without a formula.",
            )
        )  # fmt: skip
    return np.asarray(values, dtype=np.float64)
