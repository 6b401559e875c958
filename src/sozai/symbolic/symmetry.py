"""Symmetry of the target: symmetrised descriptors, and tables augmented with their images."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from sozai.contracts.checks import as_matrix, as_names, as_vector
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import Interval
from sozai.symbolic.descriptors.permutations import SymmetryGroup, as_group, count_orbits
from sozai.symbolic.descriptors.symmetric_products import orbit_representatives, symmetric_products
from sozai.symbolic.generation import DescriptorTransformer

__all__ = [
    "AugmentedTable",
    "Symmetrizer",
    "SymmetryGroup",
    "as_group",
    "augment",
    "count_orbits",
    "orbit_representatives",
    "symmetric_products",
]


class Symmetrizer(DescriptorTransformer):
    r"""Columns that do not change under a symmetry, one per orbit of products.

    Parameters
    ----------
    symmetry : str, dict or SymmetryGroup, optional
        Exchange such as ``"A<->B"`` or ``"r_A<->r_B, x_A<->x_B"``, a column
        mapping, or a group. Left out: nothing is exchanged.
    order : int, default=1
        Largest number of factors of the products that are symmetrised.

    Attributes
    ----------
    expressions_ : sequence of Expression
        One formula per column of the result.
    group_ : SymmetryGroup or None
        The group, closed.
    ids_ : ndarray of int64
        Ids of the formulas in their store.
    generation_report_ : DataFrame
        What was dropped: reason, operation, count, examples.

    See Also
    --------
    augment : Add the images of the rows instead.

    Notes
    -----
    The sum over an orbit, :math:`\sum_{f' \in G f} \chi\, f'`, is taken after
    the products are formed: sums of products span all invariants of a degree,
    products of sums only a part. Columns that vanish by symmetry, or do not
    vary, are dropped and counted.

    Examples
    --------
    >>> X = pd.DataFrame({"x_A": [0.1, 0.4, 0.5], "x_B": [0.9, 0.7, 0.5]})
    >>> Symmetrizer("A<->B", order=2).fit(X).get_feature_names_out().tolist()
    ['x_A + x_B', 'x_A**2 + x_B**2', 'x_A*x_B']
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "symmetry": [str, dict, list, SymmetryGroup, None],
        "order": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, symmetry=None, *, order=1):
        self.symmetry = symmetry
        self.order = order

    def _options(self) -> dict[str, Any]:
        self.group_ = as_group(self.symmetry, self._columns.names)
        return {"symmetry": self.group_, "order": self.order}


@dataclass(frozen=True)
class AugmentedTable:
    """A table with the images of its rows.

    Attributes
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        Original rows first, then the images.
    y : ndarray of shape (n_rows,)
        Target, with the sign of the element.
    origin : ndarray of int64 of shape (n_rows,)
        Original row of each row. Pass it as ``groups`` of every
        cross-validation, or the image of a test row is trained on.
    weight : ndarray of shape (n_rows,)
        One over the size of the orbit, so that each material counts once.
    element : ndarray of int64 of shape (n_rows,)
        Group element that made the row.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"r_A": [1.0, 2.0], "r_B": [3.0, 2.0]})
    >>> table = augment(X, [4.0, 5.0], "A<->B")
    >>> table.origin.tolist(), table.weight.tolist()
    ([0, 1, 0], [0.5, 1.0, 0.5])
    """

    X: Any
    y: np.ndarray
    origin: np.ndarray
    weight: np.ndarray
    element: np.ndarray

    def __repr__(self) -> str:
        n_origin = int(self.origin.max(initial=-1)) + 1
        return f"AugmentedTable({len(self.y)} rows from {n_origin})"

    def to_frame(self) -> pd.DataFrame:
        """Everything in one table."""
        frame = pd.DataFrame(self.X).reset_index(drop=True)
        return frame.assign(target=self.y, origin=self.origin, weight=self.weight)


def augment(X: Any, y: Any, group: Any, *, tolerance: float = 1e-9) -> AugmentedTable:
    r"""Add the images of every row under a symmetry, with the same target.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_columns)
    y : array-like of shape (n_samples,)
        Target with :math:`y(gX) = \chi(g) y(X)`.
    group : str, dict or SymmetryGroup
        As in :class:`Symmetrizer`.
    tolerance : float, default=1e-9
        Targets of rows that are images of each other may differ by this part
        of the range of ``y``; beyond it a warning names the pairs.

    Returns
    -------
    AugmentedTable

    Notes
    -----
    A row that is its own image is not doubled. Weighted least squares on the
    augmented rows over a span that the group maps into itself gives the
    predictions of least squares on the projected span; greedy and L1
    selections do not obey this law.

    Examples
    --------
    >>> table = pd.DataFrame({"r_A": [1.0, 3.0], "r_B": [2.0, 3.0]})
    >>> more = augment(table, [5.0, 6.0], "A<->B")
    >>> more.X.to_numpy().tolist(), more.origin.tolist(), more.weight.tolist()
    ([[1.0, 2.0], [3.0, 3.0], [2.0, 1.0]], [0, 1, 0], [0.5, 1.0, 0.5])
    """
    labels = getattr(X, "columns", None)
    names: Sequence[str] | None = None if labels is None else [str(name) for name in labels]
    values = as_matrix(X, place="augment", names=names)
    y = as_vector(y, values.shape[0], place="augment")
    if names is None and isinstance(group, SymmetryGroup) and len(group.names) == values.shape[1]:
        names = group.names
    group = as_group(group, as_names(names, values.shape[1], place="augment"))
    if group is None:
        raise InputError(sentence("augment", "group", "be a symmetry", None, remedy="Write e.g. 'A<->B'."))
    values = values + 0.0  # -0.0 and 0.0 are one value
    images = np.array([group.permute(values, g) for g in range(len(group))])
    fresh = np.ones(images.shape[:2], dtype=bool)
    for g in range(1, len(group)):
        fresh[g] = (images[:g] != images[g]).any(axis=2).all(axis=0)
    element, origin = np.nonzero(fresh)
    rows = images[element, origin]
    target = group.characters[element] * y[origin]
    _warn_about_signs(group, images, y, tolerance)
    _warn_about_twins(values, rows, y, target, origin, tolerance)
    weight = 1.0 / fresh.sum(axis=0)[origin]
    table = rows if labels is None else pd.DataFrame(rows, columns=labels, index=X.index[origin])
    return AugmentedTable(table, target, origin, weight, element)


def _warn_about_signs(group: SymmetryGroup, images: np.ndarray, y: np.ndarray, tolerance: float) -> None:
    """A row that is its own image under a sign change has the target zero."""
    own = (images == images[0]).all(axis=2)
    impossible = (own & (group.characters[:, None] < 0)).any(axis=0) & (np.abs(y) > tolerance * np.ptp(y))
    if impossible.any():
        row = int(np.flatnonzero(impossible)[0])
        warnings.warn(
            f"augment: {int(impossible.sum())} rows are their own images under a change of sign, "
            f"so their target must be 0, first row {row} with y = {y[row]:.6g}.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _warn_about_twins(
    values: np.ndarray,
    rows: np.ndarray,
    y: np.ndarray,
    target: np.ndarray,
    origin: np.ndarray,
    tolerance: float,
) -> None:
    """Warn about original rows that are images of each other and have different targets."""
    first: dict[bytes, int] = {row.tobytes(): k for k, row in reversed(list(enumerate(values)))}
    pairs = []
    limit = tolerance * (np.ptp(y) if y.size else 0.0)
    for row, wanted, source in zip(rows, target, origin.tolist(), strict=True):
        twin = first.get(row.tobytes())
        if twin is not None and twin < source and abs(y[twin] - wanted) > limit:
            pairs.append((twin, source, y[twin], wanted))
    if pairs:
        shown = "; ".join(f"rows {a} and {b}: {u:.6g} and {v:.6g}" for a, b, u, v in pairs[:5])
        warnings.warn(
            f"augment: {len(pairs)} pairs of rows are images of each other and have different targets "
            f"({shown}). They are kept as replicates.",
            ConvergenceWarning,
            stacklevel=3,
        )
