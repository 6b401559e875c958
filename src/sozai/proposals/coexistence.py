"""Phases found together and their compositions: tie-lines, triangles, lever rule, points they imply."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.simplex_least_squares import solve_simplex_least_squares

__all__ = ["Coexistence", "LeverRule", "barycentric"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeverRule:
    """Amounts of the phases of one sample.

    Attributes
    ----------
    fractions : dict of str to float
        Amount of each phase, adding up to 1.
    residual : float
        Distance of the sample from the mixture of its phases, as a fraction of composition.

    Examples
    --------
    >>> LeverRule({"A": 0.25, "B": 0.75}, 0.002)
    LeverRule(A 0.25, B 0.75; residual 0.2 at.%)
    """

    fractions: dict[str, float]
    residual: float

    def __repr__(self) -> str:
        amounts = ", ".join(f"{name} {value:.3g}" for name, value in self.fractions.items())
        return f"LeverRule({amounts}; residual {100 * self.residual:.2g} at.%)"


@dataclass(frozen=True, eq=False, repr=False)
class Coexistence:
    r"""Phases of one sample and the composition of each.

    Parameters
    ----------
    phases : sequence of str
        Names; the same name twice for a miscibility gap.
    compositions : array-like of shape (n_phases, n_components), or mapping of str to array-like
        Measured fractions of the components in each phase, adding up to 1 or 100.

    Notes
    -----
    What a sample in an m-phase field says of its surroundings [1]_: the composition of every phase lies on
    the edge of its own field, every mixture of some of the phases lies in the field of these, and at fixed
    temperature and pressure a field of as many phases as components is the simplex of its corners.

    References
    ----------
    .. [1] K. Terayama et al., Acceleration of phase diagram construction by machine learning incorporating
       Gibbs' phase rule, Scripta Mater. 208, 114335 (2022), doi 10.1016/j.scriptamat.2021.114335.

    Examples
    --------
    >>> pair = Coexistence(("A", "B"), [[0.9, 0.1], [0.3, 0.7]])
    >>> pair
    Coexistence(A+B, 2 components)
    >>> pair.lever([0.6, 0.4])
    LeverRule(A 0.5, B 0.5; residual 0 at.%)
    >>> [(label, point.round(2).tolist()) for label, point in pair.implied()]
    [('A', [0.9, 0.1]), ('B', [0.3, 0.7]), ('A+B', [0.6, 0.4])]
    """

    phases: tuple[str, ...]
    compositions: Array

    def __init__(self, phases: Sequence[str], compositions: Any, *, place: str = "Coexistence") -> None:
        names = (phases,) if isinstance(phases, str) else tuple(phases)
        if isinstance(compositions, Mapping):
            missing = [name for name in names if name not in compositions]
            if missing or len(compositions) != len(names):
                raise InputError(
                    sentence(place, "compositions", f"name the phases {list(names)}", list(compositions))
                )
            compositions = [compositions[name] for name in names]
        table = np.asarray(compositions, dtype=np.float64)
        if table.ndim != 2 or len(table) != len(names) or table.shape[1] < 2:
            raise InputError(
                sentence(place, "compositions", f"have one row for each of {list(names)}",
                         f"shape {table.shape}", remedy="Give the fractions of all components.")
            )  # fmt: skip
        object.__setattr__(self, "phases", names)
        object.__setattr__(self, "compositions", _normalized(table, names, place))

    def __repr__(self) -> str:
        return f"Coexistence({self.label}, {self.compositions.shape[1]} components)"

    @property
    def label(self) -> str:
        """The set of phases."""
        return "+".join(self.phases)

    def lever(self, sample: Any) -> LeverRule:
        r"""Amounts of the phases: :math:`\min|x - \sum_\alpha f_\alpha x_\alpha|`, :math:`f \ge 0`, sum 1.

        Parameters
        ----------
        sample : array-like of shape (n_components,)
            Overall composition, adding up to 1.

        Returns
        -------
        LeverRule
        """
        point = np.asarray(sample, dtype=np.float64)
        found = solve_simplex_least_squares(self.compositions.T, point[None, :])
        names = _told_apart(self.phases)
        residual = float(np.sqrt(2.0 * found.objective[0]))
        amounts = {name: float(f) for name, f in zip(names, found.weights[0], strict=True)}
        return LeverRule(amounts, residual if residual > 1e-12 else 0.0)

    def implied(self, margin: float = 0.0) -> list[tuple[str, Array]]:
        """Labels that follow: for every set of the phases, the middle of their compositions.

        Parameters
        ----------
        margin : float, default=0
            A measured composition of a phase lies on the edge of its field. With a margin the label of the
            phase is put so far outside the field of all, and the label of all so far inside: a boundary is
            known from both sides.

        Returns
        -------
        list of (str, ndarray of shape (n_components,))
            Two phases: both ends of the tie-line and its middle. Three: three corners, three mid-points of
            the edges, the centroid. With a margin one more for each phase.
        """
        numbers, middle = range(len(self.phases)), self.compositions.mean(axis=0)
        found = []
        for size in range(1, len(self.phases) + 1):
            for some in itertools.combinations(numbers, size):
                label = "+".join(self.phases[k] for k in some)
                found.append((label, self.compositions[list(some)].mean(axis=0)))
        if margin <= 0.0 or len(self.phases) < 2:
            return found
        for k in numbers:
            corner = self.compositions[k]
            inward = middle - corner
            reach = min(margin / max(float(np.linalg.norm(inward)), 1e-12), 0.5)
            outside = corner - _within(corner, reach * inward) * reach * inward
            found[k] = (self.phases[k], np.maximum(outside, 0.0))
            found.append((self.label, corner + reach * inward))
        return found

    def contains(self, fractions: Array, tolerance: float = 1e-9) -> NDArray[np.bool_]:
        """Which compositions are mixtures of the phases.

        Parameters
        ----------
        fractions : ndarray of shape (n, n_components)
        tolerance : float
            Distance that counts as on the simplex.

        Returns
        -------
        ndarray of bool of shape (n,)
        """
        weights, distance = barycentric(fractions, self.compositions)
        return np.asarray((weights >= -tolerance).all(axis=1) & (distance <= tolerance))


def barycentric(points: Array, corners: Array) -> tuple[Array, Array]:
    """Weights of corners that make up each point, adding up to 1, and how far the point lies off their plane.

    Parameters
    ----------
    points : ndarray of shape (n, k)
    corners : ndarray of shape (m, k)

    Returns
    -------
    weights : ndarray of shape (n, m)
        Negative outside.
    distance : ndarray of shape (n,)

    Examples
    --------
    >>> weights, distance = barycentric(np.array([[0.25, 0.75]]), np.eye(2))
    >>> weights.round(6).tolist(), distance.round(6).tolist()
    ([[0.25, 0.75]], [0.0])
    """
    edges = (corners[1:] - corners[0]).T
    offset = (points - corners[0]).T
    inner = np.linalg.lstsq(edges, offset, rcond=None)[0] if edges.size else np.zeros((0, len(points)))
    distance = np.sqrt(((offset - edges @ inner) ** 2).sum(axis=0))
    return np.column_stack([1.0 - inner.sum(axis=0), inner.T]), distance


def _within(corner: Array, step: Array) -> float:
    """Largest part of a step backward, at most 1, that leaves no fraction negative."""
    falling = step > 0
    return min(1.0, float((corner[falling] / step[falling]).min())) if falling.any() else 1.0


def _normalized(table: Array, names: tuple[str, ...], place: str) -> Array:
    """Rows of fractions adding up to 1."""
    total = table.sum(axis=1)
    whole = 100.0 if np.median(total) > 10 else 1.0
    bad = ~(np.isfinite(table).all(axis=1) & (table.min(axis=1) >= 0) & (np.abs(total / whole - 1) <= 0.02))
    if bad.any():
        k = int(np.argmax(bad))
        raise InputError(
            sentence(place, "compositions", f"be 0 or more and add up to {whole:g} within 2 %",
                     table[k].tolist(), at=f"for {names[k]}", remedy="Correct or leave out this phase.")
        )  # fmt: skip
    return np.asarray(table / total[:, None])


def _told_apart(phases: tuple[str, ...]) -> list[str]:
    """Names made different, for two phases of one name."""
    return [
        name if phases.index(name) == k else f"{name}#{phases[: k + 1].count(name)}"
        for k, name in enumerate(phases)
    ]
