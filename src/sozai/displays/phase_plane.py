"""The plane of a phase diagram: triangle, temperature over composition, two conditions, and its sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["PhasePlane", "in_triangle"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Height of a triangle of edge 1.
_HEIGHT = float(np.sqrt(3.0) / 2.0)
_KINDS = ("auto", "ternary", "binary", "line")


@dataclass(frozen=True, eq=False, repr=False)
class PhasePlane:
    """Where the points of a list lie in a drawing.

    Attributes
    ----------
    kind : {"ternary", "binary", "line"}
    axes : tuple of int
        Columns: three fractions of a triangle, the two of a plane, the one of a line.
    names : tuple of str
        Their headers.
    levels : tuple of int
        Columns that tell sections apart.
    columns : tuple of str
        All headers.
    composition : tuple of int
        Columns that are fractions of one composition.
    whole : float
        What fractions add up to.

    Examples
    --------
    >>> X = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    >>> plane = PhasePlane.of(X, ("A", "B", "C"), composition=(0, 1, 2))
    >>> plane.kind, plane.place(X).round(3).tolist()
    ('ternary', [[0.0, 0.0], [1.0, 0.0], [0.5, 0.866]])
    """

    kind: str
    axes: tuple[int, ...]
    levels: tuple[int, ...]
    columns: tuple[str, ...]
    composition: tuple[int, ...] = ()
    whole: float = 1.0

    @classmethod
    def of(
        cls,
        X: Array,
        columns: tuple[str, ...],
        *,
        composition: tuple[int, ...] = (),
        whole: float = 1.0,
        kind: str = "auto",
    ) -> PhasePlane:
        """Find the plane in which a list is drawn.

        Parameters
        ----------
        X : ndarray of shape (n, p)
        columns : tuple of str
        composition : tuple of int
            Columns that are fractions of one composition.
        whole : float
        kind : {"auto", "ternary", "binary", "line"}
            Three fractions that vary make a triangle, two fractions and a condition or two conditions a
            plane, one of them a line. Whatever else varies tells sections apart.

        Raises
        ------
        InputError
            For a kind that these columns do not allow.
        """
        if kind not in _KINDS:
            raise InputError(sentence("PhaseDiagramDisplay", "kind", f"be one of {', '.join(_KINDS)}", kind))
        varies = [j for j in range(X.shape[1]) if np.ptp(X[:, j]) > 0]
        parts = [j for j in composition if j in varies]
        others = [j for j in varies if j not in composition]
        # Of two fractions that vary, one tells all; of three, two.
        free = parts[1:2] if len(parts) == 2 else parts
        if kind in ("auto", "ternary") and len(parts) >= 3:
            return cls("ternary", tuple(parts[:3]), (*parts[3:], *others), columns, composition, whole)
        axes = [*free, *others]
        if len(parts) < 3 and kind in ("auto", "binary") and len(axes) >= 2:
            return cls("binary", tuple(axes[:2]), tuple(axes[2:]), columns, composition, whole)
        if len(parts) < 3 and kind in ("auto", "line") and len(axes) >= 1:
            return cls("line", tuple(axes[:1]), tuple(axes[1:]), columns, composition, whole)
        shown = [columns[j] for j in varies]
        raise InputError(
            sentence("PhaseDiagramDisplay", "kind", f"suit the columns that vary ({', '.join(shown)})", kind,
                     remedy="Write kind='auto'.")
        )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Headers of the axes."""
        return tuple(self.columns[j] for j in self.axes)

    def place(self, X: Any) -> Array:
        """Points in the drawing, shape (n, 2)."""
        table = np.atleast_2d(np.asarray(X, dtype=np.float64))[:, self.axes]
        if self.kind == "ternary":
            return in_triangle(table)
        if self.kind == "line":
            return np.column_stack([table[:, 0], np.zeros(len(table))])
        return np.ascontiguousarray(table)

    def sections(self, X: Array, at: Mapping[str, float] | None = None) -> list[tuple[str, Rows]]:
        """Title and rows of every section, ascending.

        Parameters
        ----------
        X : ndarray of shape (n, p)
        at : mapping of str to float, optional
            Values of columns that choose among them; the nearest value that is there counts.
        """
        keep = np.ones(len(X), dtype=np.bool_)
        for name, value in (at or {}).items():
            if name not in self.columns or self.columns.index(name) not in self.levels:
                wanted = [self.columns[j] for j in self.levels]
                raise InputError(sentence("PhaseDiagramDisplay", "at", f"name columns among {wanted}", name))
            column = X[:, self.columns.index(name)]
            keep &= column == column[np.argmin(np.abs(column - float(value)))]
        rows = np.flatnonzero(keep)
        if not self.levels:
            return [("", rows)]
        values, which = np.unique(X[np.ix_(rows, self.levels)], axis=0, return_inverse=True)
        which = which.ravel()
        titles = [
            ", ".join(f"{self.columns[j]} = {value:.6g}" for j, value in zip(self.levels, level, strict=True))
            for level in values
        ]
        return [(title, rows[which == k]) for k, title in enumerate(titles)]

    def scale(self, points: Array) -> Array:
        """Lengths by which the two axes are compared: one for a triangle, the spacing of levels else."""
        if self.kind == "ternary":
            return np.ones(2)
        low, high = self.span(points)
        return (high - low) / np.array([max(len(np.unique(points[:, j])), 2) for j in (0, 1)])

    def span(self, points: Array) -> tuple[Array, Array]:
        """Lower left and upper right corner of the drawing."""
        if self.kind == "ternary":
            return np.zeros(2), np.array([1.0, _HEIGHT])
        low, high = points.min(axis=0), points.max(axis=0)
        return low, np.where(high > low, high, low + 1.0)


def in_triangle(fractions: Any) -> Array:
    """Points of a triangle of edge 1 with these amounts of its three corners, shape (n, 2).

    Examples
    --------
    >>> in_triangle([[0.0, 50.0, 50.0]]).round(4).tolist()
    [[0.75, 0.433]]
    """
    table = np.atleast_2d(np.asarray(fractions, dtype=np.float64))
    total = table.sum(axis=1)
    table = table / np.where(total > 0, total, 1.0)[:, None]
    return np.column_stack([table[:, 1] + 0.5 * table[:, 2], _HEIGHT * table[:, 2]])
