"""Relation map: which column is made of which, in independent blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_matrix
from sozai.displays.display import Display
from sozai.displays.style import BLUE, GRID, INK, MUTED, VERMILION, dress, readable

__all__ = ["RelationMapDisplay"]


class RelationMapDisplay(Display):
    """Bipartite map of dependent columns (rows) on the columns they are made of.

    Rows and columns are ordered so that connected parts stand together: inside one
    frame columns may replace each other, across frames they never do.

    Parameters
    ----------
    dependents : sequence of str
        Columns that are linear combinations of others, one row each.
    basis : sequence of str
        Columns that are kept, one column each.
    coefficients : array-like of shape (n_dependents, n_basis)
        Coefficient of each basis column, in original units; 0 is no link.
    always : sequence of bool, optional
        True where the relation is an identity; others hold in this sample only.
    n_more : int, default=0
        Relations that are not among these rows; their number is written below.

    See Also
    --------
    CorrelationDisplay : Pairs of columns that are nearly alike.

    Examples
    --------
    >>> shown = RelationMapDisplay(["2a", "b+c", "4a"], ["a", "b", "c"], [[2, 0, 0], [0, 1, 1], [4, 0, 0]])
    >>> [sorted(block) for block in shown.blocks]
    [['2a', '4a', 'a'], ['b', 'b+c', 'c']]
    """

    def __init__(
        self,
        dependents: Sequence[str],
        basis: Sequence[str],
        coefficients: ArrayLike,
        *,
        always: Sequence[bool] | None = None,
        n_more: int = 0,
    ):
        matrix = np.asarray(coefficients, dtype=float).reshape(len(dependents), len(basis))
        matrix = as_matrix(
            matrix, place="RelationMapDisplay", argument="coefficients", min_samples=0, min_columns=0
        )
        held = np.ones(len(dependents), dtype=bool) if always is None else np.asarray(always, dtype=bool)
        row_block, column_block = _components(matrix != 0)
        rows = np.lexsort((np.arange(len(dependents)), row_block))
        columns = np.lexsort((np.arange(len(basis)), column_block))
        columns = columns[(matrix[:, columns] != 0).any(axis=0)]
        self.dependents = [str(dependents[k]) for k in rows]
        self.basis = [str(basis[k]) for k in columns]
        self.coefficients = matrix[np.ix_(rows, columns)]
        self.always = held[rows]
        self._row_block, self._column_block = row_block[rows], column_block[columns]
        self.n_more = n_more

    @classmethod
    def from_relations(cls, table: Any, *, max_shown: int = 60) -> Self:
        """Map of a table of relations (records ``dependent, basis, coefficients, holds``)."""
        relations = list(table.relations[:max_shown])
        members: dict[str, int] = {}
        for relation in relations:
            for name in relation.basis:
                members.setdefault(str(name), len(members))
        matrix = np.zeros((len(relations), len(members)))
        for row, relation in enumerate(relations):
            for name, value in zip(relation.basis, relation.coefficients, strict=True):
                matrix[row, members[str(name)]] = float(value)
        always = [str(relation.holds).endswith("always") for relation in relations]
        dependents = [str(relation.dependent) for relation in relations]
        return cls(
            dependents, list(members), matrix, always=always, n_more=len(table.relations) - len(relations)
        )

    @property
    def blocks(self) -> list[list[str]]:
        """Names of each connected part, dependents first."""
        return [
            [name for name, block in zip(self.dependents, self._row_block, strict=True) if block == k]
            + [name for name, block in zip(self.basis, self._column_block, strict=True) if block == k]
            for k in sorted(set(self._row_block.tolist()))
        ]

    @property
    def size(self) -> tuple[float, float]:  # type: ignore[override]
        """Figure size that leaves every name readable."""
        n_rows = len(self.dependents)
        longest = max((len(readable(name, 30)) for name in self.dependents), default=1)
        width = 1.6 + 0.075 * longest + 0.42 * len(self.basis)
        return min(max(4.0, width), 14.0), min(max(2.4, 1.5 + 0.2 * n_rows), 16.0)

    def _draw(self, ax: Any) -> None:
        n_rows, n_columns, matrix = len(self.dependents), len(self.basis), self.coefficients
        self._draw_frames(ax)
        for sign, color in ((1, BLUE), (-1, VERMILION)):
            row, column = np.nonzero(np.sign(matrix) == sign)
            if row.size:
                ax.scatter(
                    column, row, s=70, color=color, label="+" if sign > 0 else "−", linewidths=0, zorder=3
                )
        self._write_coefficients(ax, matrix)
        if matrix.any():
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, handletextpad=0.1, columnspacing=0.8)
        ax.set_xticks(range(n_columns), [readable(name, 26) for name in self.basis], rotation=90)
        marks = ["" if held else " *" for held in self.always]
        ax.set_yticks(
            range(n_rows), [readable(n, 30) + m for n, m in zip(self.dependents, marks, strict=True)]
        )
        ax.set(xlim=(-0.7, max(n_columns, 1) - 0.15), ylim=(max(n_rows, 1) - 0.4, -0.6))
        notes = ["* in this sample only"] if not self.always.all() else []
        notes += [f"{self.n_more} more relations are not drawn"] if self.n_more else []
        dress(ax, x="made of" + (f"   ({'; '.join(notes)})" if notes else ""), y="column", grid="")

    def _draw_frames(self, ax: Any) -> None:
        """One pale frame behind each connected part."""
        from matplotlib.patches import Rectangle

        for block in np.unique(self._row_block):
            rows = np.flatnonzero(self._row_block == block)
            columns = np.flatnonzero(self._column_block == block)
            if columns.size:
                corner = (columns[0] - 0.48, rows[0] - 0.46)
                extent = (columns[-1] - columns[0] + 0.96, rows[-1] - rows[0] + 0.92)
                ax.add_patch(
                    Rectangle(corner, *extent, facecolor=GRID, alpha=0.35, edgecolor=MUTED, linewidth=0.6)
                )

    def _write_coefficients(self, ax: Any, matrix: NDArray[np.float64]) -> None:
        """Value of each link beside its dot, unless it is plus or minus one or there are too many."""
        row, column = np.nonzero(matrix)
        if row.size > 250:
            return
        for i, j in zip(row, column, strict=True):
            if abs(abs(matrix[i, j]) - 1) > 1e-9:
                text = f"{abs(matrix[i, j]):.3g}"
                ax.annotate(
                    text, (j, i), (5, -2), textcoords="offset points", fontsize=6.5, color=INK, zorder=4
                )


def _components(links: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the connected parts of a bipartite graph: block number of each row and of each column."""
    from scipy.sparse import bmat, csr_array
    from scipy.sparse.csgraph import connected_components

    n_rows, n_columns = links.shape
    if n_rows + n_columns == 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    graph = csr_array(links.astype(np.int8)) if n_rows and n_columns else None
    if graph is None:
        return np.arange(n_rows), np.arange(n_columns)
    _, label = connected_components(bmat([[None, graph], [graph.T, None]]), directed=False)
    return label[:n_rows].astype(np.intp), label[n_rows:].astype(np.intp)
