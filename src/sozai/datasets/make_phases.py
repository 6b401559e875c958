"""Phase diagrams whose fields and tie-lines are known by construction: convex hulls of regular solutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from sozai.contracts.errors import InputError, sentence

__all__ = ["MadeSection", "make_binary_section", "make_ternary_section"]

Array = NDArray[np.float64]

#: Gas constant in J/(mol K).
_R = 8.31446261815324
#: Points of one facet in one phase nearer than so many steps belong to one composition.
_ONE = 2.1


@dataclass(frozen=True, eq=False, repr=False)
class MadeSection:
    """Fields of a section at one temperature.

    Attributes
    ----------
    components : tuple of str
    T : float
        Temperature in K.
    points : ndarray of shape (n, k)
        Hull points: fractions.
    phase : ndarray of int of shape (n,)
        Phase of every hull point.
    facets : ndarray of int of shape (m, k)
        Lower hull facets, by hull points.
    phases : tuple of str
    step : float
        Of the grid.

    Examples
    --------
    >>> made = make_ternary_section({"LIQUID": {(0, 1): 2.5e4}}, T=800, step=0.1)
    >>> made.equilibrium([0.45, 0.45, 0.1])[0]
    ('LIQUID', 'LIQUID')
    """

    components: tuple[str, ...]
    T: float
    points: Array
    phase: NDArray[np.int64]
    facets: NDArray[np.int64]
    phases: tuple[str, ...]
    step: float

    def __repr__(self) -> str:
        names = "-".join(self.components)
        return f"MadeSection({names} at {self.T:g} K, {len(self.phases)} phases, {len(self.facets)} facets)"

    def equilibrium(self, x: Any) -> tuple[tuple[str, ...], Array, Array]:
        """Phases, their compositions and amounts at one overall composition.

        Parameters
        ----------
        x : array-like of shape (k,)

        Returns
        -------
        phases : tuple of str
            The same name twice inside a miscibility gap.
        compositions : ndarray of shape (n_phases, k)
        amounts : ndarray of shape (n_phases,)
        """
        point = np.asarray(x, dtype=np.float64)
        weights = self._weights(point)
        facet = int(np.argmax(weights.min(axis=1)))
        return self._field(facet, np.maximum(weights[facet], 0.0))

    def table(self, step: float = 0.02) -> pd.DataFrame:
        """Labels of all compositions of a grid, phases ascending, joined by ``+``.

        Parameters
        ----------
        step : float, default=0.02

        Returns
        -------
        DataFrame
            One column a component, and ``phase``.
        """
        count = round(1.0 / step)
        grid = _simplex_grid(count, len(self.components)) / count
        labels = ["+".join(sorted(self.equilibrium(x)[0])) for x in grid]
        return pd.DataFrame(grid, columns=list(self.components)).assign(phase=labels)

    def _weights(self, point: Array) -> Array:
        """Barycentric coordinates of a point in every facet."""
        corners = self.points[self.facets]
        return np.asarray(np.linalg.solve(np.swapaxes(corners, 1, 2), np.broadcast_to(
            point[:, None], (len(corners), len(point), 1)))[..., 0])  # fmt: skip

    def _field(self, facet: int, weights: Array) -> tuple[tuple[str, ...], Array, Array]:
        """Corners of a facet, those of one phase that are neighbors on the grid taken together."""
        corners, phase = self.points[self.facets[facet]], self.phase[self.facets[facet]]
        groups: list[list[int]] = []
        for k in range(len(corners)):
            for group in groups:
                near = np.abs(corners[group] - corners[k]).max(axis=1).min() <= _ONE * self.step
                if phase[group[0]] == phase[k] and near:
                    group.append(k)
                    break
            else:
                groups.append([k])
        amounts = np.array([weights[group].sum() for group in groups])
        inside = [
            np.average(corners[group], axis=0, weights=weights[group])
            if weights[group].sum() > 0
            else corners[group].mean(axis=0)
            for group in groups
        ]
        keep = np.flatnonzero(amounts > 1e-9)
        names = tuple(self.phases[phase[groups[k][0]]] for k in keep)
        return names, np.array(inside)[keep], amounts[keep] / amounts[keep].sum()


def make_ternary_section(
    interactions: Mapping[str, Mapping[tuple[int, int], float]],
    T: float = 800.0,
    *,
    reference: Mapping[str, Sequence[float]] | None = None,
    components: Sequence[str] = ("A", "B", "C"),
    step: float = 0.01,
) -> MadeSection:
    r"""Make an isothermal section of a ternary system of regular solutions.

    Parameters
    ----------
    interactions : mapping of str to mapping of (int, int) to float
        For every phase :math:`\Omega_{ij}` in J/mol; pairs left out are 0.
    T : float, default=800
        Temperature in K.
    reference : mapping of str to sequence of float, optional
        :math:`G^\circ_i` of the components in each phase, J/mol; 0 when left out.
    components : sequence of str
    step : float, default=0.01
        Of the grid on which the free energies are computed.

    Returns
    -------
    MadeSection

    Raises
    ------
    InputError
        For a temperature that is not positive, a pair that does not exist, a step that does not divide 1.

    Notes
    -----
    :math:`G_\varphi = \sum_i x_iG^\circ_{i\varphi} + RT\sum_i x_i\ln x_i
    + \sum_{i<j}\Omega_{ij\varphi}x_ix_j` on a grid of compositions; the lower convex hull of all points
    (x, G) is the equilibrium [1]_. A facet within one phase belongs to a single field, one with two
    compositions is a strip of tie-lines, one with three a triangle. Nothing is shared with code that
    learns such diagrams. Tie-lines are exact for the tabulated free energies, and within a step for the
    continuous ones.

    References
    ----------
    .. [1] M. Hillert, Phase Equilibria, Phase Diagrams and Phase Transformations, Cambridge (2007).

    Examples
    --------
    >>> made = make_ternary_section({"FCC": {(0, 1): 2e4, (0, 2): 2e4, (1, 2): 2e4}}, T=700, step=0.05)
    >>> phases, compositions, amounts = made.equilibrium([1 / 3, 1 / 3, 1 / 3])
    >>> phases, amounts.round(2).tolist()
    (('FCC', 'FCC', 'FCC'), [0.33, 0.33, 0.33])
    """
    return _made("make_ternary_section", 3, interactions, T, reference, components, step)


def make_binary_section(
    interactions: Mapping[str, Mapping[tuple[int, int], float]],
    T: Sequence[float],
    *,
    reference: Mapping[str, Sequence[float]] | None = None,
    entropy: Mapping[str, Sequence[float]] | None = None,
    components: Sequence[str] = ("A", "B"),
    step: float = 0.01,
    grid: float = 0.02,
) -> pd.DataFrame:
    r"""Make a temperature-composition diagram of two components.

    Parameters
    ----------
    interactions : mapping of str to mapping of (int, int) to float
        As for :func:`make_ternary_section`.
    T : sequence of float
        Temperatures in K.
    reference, entropy : mapping of str to sequence of float, optional
        :math:`G^\circ_i = H_i - TS_i` in J/mol and J/(mol K), 0 when left out.
    components : sequence of str
    step, grid : float
        Of the free energies, and of the table.

    Returns
    -------
    DataFrame
        Columns of the components, ``T``, ``phase``.

    Examples
    --------
    >>> table = make_binary_section({"FCC": {(0, 1): 2e4}}, T=[600, 1500], grid=0.1)
    >>> table.groupby("T")["phase"].nunique().to_dict()
    {600.0: 2, 1500.0: 1}
    """
    tables = []
    for level in T:
        base = {}
        for name in interactions:
            H = np.array((reference or {}).get(name, (0.0, 0.0)), dtype=np.float64)
            S = np.array((entropy or {}).get(name, (0.0, 0.0)), dtype=np.float64)
            base[name] = (H - level * S).tolist()
        made = _made("make_binary_section", 2, interactions, level, base, components, step)
        table = made.table(grid)
        table.insert(2, "T", float(level))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _made(
    place: str, k: int, interactions: Any, T: float, reference: Any, components: Sequence[str], step: float
) -> MadeSection:
    """Hull of all phases."""
    if not (np.isfinite(T) and T > 0):
        raise InputError(sentence(place, "T", "be a positive temperature in K", T))
    count = round(1.0 / step) if 0 < step <= 0.5 else 0
    if count < 2 or abs(count * step - 1) > 1e-9:
        raise InputError(sentence(place, "step", "divide 1, such as 0.01", step))
    if len(components) != k or not interactions:
        raise InputError(sentence(place, "components", f"be {k} names", list(components)))
    grid = _simplex_grid(count, k) / count
    mixing = _R * T * np.where(grid > 0, grid * np.log(np.where(grid > 0, grid, 1.0)), 0.0).sum(axis=1)
    names = tuple(interactions)
    energies = []
    for name in names:
        base = np.asarray((reference or {}).get(name, np.zeros(k)), dtype=np.float64)
        if base.shape != (k,):
            raise InputError(
                sentence(place, "reference", f"hold {k} numbers", base.tolist(), at=f"for {name}")
            )
        energy = mixing + grid @ base
        for (i, j), omega in interactions[name].items():
            if not (0 <= i < k and 0 <= j < k and i != j):
                raise InputError(
                    sentence(place, "interactions", f"name two of components 0 to {k - 1}", (i, j))
                )
            energy = energy + omega * grid[:, i] * grid[:, j]
        energies.append(energy)
    points, phase = np.tile(grid, (len(names), 1)), np.repeat(np.arange(len(names)), len(grid))
    facets = _lower_facets(points, np.concatenate(energies), k)
    return MadeSection(tuple(components), float(T), points, phase, facets, names, step)


def _lower_facets(points: Array, energy: Array, k: int) -> NDArray[np.int64]:
    """Facets of the lower convex hull, without those of no extent."""
    scale = max(float(np.ptp(energy)), 1.0)
    above = 10.0 * scale * np.ones(k)
    cloud = np.column_stack([points[:, 1:], energy / scale])
    lid = np.column_stack([np.eye(k)[:, 1:], above / scale + energy.max() / scale])
    hull = ConvexHull(np.vstack([cloud, lid]))
    lower = hull.equations[:, k - 1] < -1e-9
    facets = hull.simplices[lower]
    facets = facets[(facets < len(cloud)).all(axis=1)]
    volume = np.abs(np.linalg.det(points[facets]))
    return np.asarray(facets[volume > 1e-12], dtype=np.int64)


def _simplex_grid(total: int, k: int) -> NDArray[np.int64]:
    """Rows of k whole numbers adding up to a total."""
    if k == 2:
        first = np.arange(total, -1, -1)
        return np.column_stack([first, total - first])
    rows = [(a, b, total - a - b) for a in range(total, -1, -1) for b in range(total - a, -1, -1)]
    return np.array(rows, dtype=np.int64)
