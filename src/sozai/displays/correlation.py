"""Near multicollinearity of columns in three measures: correlation, cosine, partial correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import INK, diverging, dress, readable

__all__ = ["CorrelationDisplay"]

_KINDS = {
    "r": "r: correlation",
    "n": "n: cosine of the raw columns",
    "g": "g: partial correlation, the other columns held",
}


class CorrelationDisplay(Display):
    r"""Which columns say nearly the same, alone (r, n) and when all others are held (g).

    Parameters
    ----------
    names : sequence of str
        Columns.
    correlation, cosine, partial : array-like of shape (n_columns, n_columns), optional
        The matrices r, n and g; at least one.
    kind : {"r", "n", "g"}, optional
        Which one :meth:`plot` draws; the first that is given by default.

    See Also
    --------
    RelationMapDisplay : Relations among more than two columns.

    Notes
    -----
    :math:`r_{ij}` compares centered columns, :math:`n_{ij} = x_i\cdot x_j/|x_i||x_j|` raw ones, and
    :math:`g_{ij} = -P_{ij}/\sqrt{P_{ii}P_{jj}}` with :math:`P = (X^TX)^{-1}`. At \|g\| ≈ 1 one of the
    two columns can go.

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 0.5]])
    >>> shown = CorrelationDisplay.from_columns(columns, names=["a", "b"])
    >>> shown.matrices["r"].round(3).tolist()
    [[1.0, -0.982], [-0.982, 1.0]]
    """

    size = (5.4, 4.8)

    def __init__(
        self,
        names: Sequence[str],
        *,
        correlation: ArrayLike | None = None,
        cosine: ArrayLike | None = None,
        partial: ArrayLike | None = None,
        kind: str | None = None,
    ):
        self.names = [str(name) for name in names]
        given = {"r": correlation, "n": cosine, "g": partial}
        self.matrices = {
            key: np.asarray(value, dtype=float) for key, value in given.items() if value is not None
        }
        kind = next(iter(self.matrices), None) if kind is None else kind
        if kind not in self.matrices:
            raise InputError(
                sentence(
                    "CorrelationDisplay",
                    "kind",
                    f"name a matrix that was given ({', '.join(self.matrices) or 'none was'})",
                    kind,
                    remedy="Pass correlation=, cosine= or partial=.",
                )
            )
        self.kind = kind

    @classmethod
    def from_columns(cls, X: Any, *, names: Sequence[str] | None = None, kind: str | None = None) -> Self:
        """Compute r, n and g of the columns of ``X``; g is NaN where the columns obey an exact relation."""
        values = as_matrix(X, place="CorrelationDisplay.from_columns", min_samples=2)
        given = names if names is not None else getattr(X, "columns", None)
        labels = as_names(given, values.shape[1], place="CorrelationDisplay.from_columns")
        unit = _unit_columns(values)
        centered = _unit_columns(values - values.mean(axis=0))
        r, n = np.clip(centered.T @ centered, -1, 1), np.clip(unit.T @ unit, -1, 1)
        return cls(labels, correlation=r, cosine=n, partial=_partial(unit), kind=kind)

    def strongest(self, n: int = 5) -> list[tuple[str, str, float]]:
        """List the ``n`` pairs with the largest absolute entry, largest first."""
        matrix = np.nan_to_num(self.matrices[self.kind])
        left, right = np.triu_indices(len(self.names), k=1)
        order = np.argsort(-np.abs(matrix[left, right]), kind="stable")[:n]
        return [(self.names[left[k]], self.names[right[k]], float(matrix[left[k], right[k]])) for k in order]

    def _draw(self, ax: Any) -> None:
        matrix, n_columns = self.matrices[self.kind], len(self.names)
        image = ax.imshow(matrix, cmap=diverging(), vmin=-1, vmax=1, interpolation="nearest")
        labels = [readable(name, 22) for name in self.names]
        step = max(1, -(-n_columns // 40))
        ax.set_xticks(range(0, n_columns, step), labels[::step], rotation=90)
        ax.set_yticks(range(0, n_columns, step), labels[::step])
        if n_columns <= 12:
            for i, j in np.ndindex(matrix.shape):
                text = "–" if np.isnan(matrix[i, j]) else f"{matrix[i, j]:.2f}".replace("-", "−")
                ax.text(j, i, text, ha="center", va="center", fontsize=7, color="#000000")
        dress(ax, title=_KINDS[self.kind], grid="")
        bar = ax.figure.colorbar(image, ax=ax, shrink=0.85)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8, labelcolor=INK, length=2)


def _unit_columns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns of unit norm; a zero column stays zero."""
    largest = np.abs(values).max(axis=0)
    scaled = values / np.where(largest > 0, largest, 1.0)
    norm = np.linalg.norm(scaled, axis=0)
    return scaled / np.where(norm > 0, norm, 1.0)


def _partial(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Partial correlations from P = (X'X)^-1 of unit columns; NaN when X'X is singular."""
    singular = np.linalg.svd(unit, compute_uv=False)
    n_columns = unit.shape[1]
    if unit.shape[0] < n_columns or singular[-1] < 1e-10 * singular[0]:
        return np.full((n_columns, n_columns), np.nan)
    R = np.linalg.qr(unit, mode="r")
    inverse = np.linalg.solve(R, np.eye(n_columns))
    P = inverse @ inverse.T
    scale = np.sqrt(np.diag(P))
    partial = -P / np.outer(scale, scale)
    np.fill_diagonal(partial, 1.0)
    return partial
