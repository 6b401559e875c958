"""What the phase rule says of a map: fields closed by their corners, crossing tie-lines, odd neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, cKDTree

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import squared_distances
from sozai.proposals.coexistence import Coexistence
from sozai.proposals.phase_chances import phase_members

__all__ = ["PhaseRule", "PhaseRuleViolation", "closed_by_hull", "field_hulls", "neighbor_violations"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Samples of a cluster are nearer to each other than so many local spacings.
_LINK = 3.0
#: Two fields overlap when they share a mixture with at least this amount of every phase.
_OVERLAP = 0.02
#: Neighbors are at most so many times as far as the nearest.
_NEXT = 1.3
#: Corners of one field measured twice agree to this fraction of composition.
_AGREE = 0.02


@dataclass(frozen=True, slots=True)
class PhaseRuleViolation:
    """Two measured fields that cannot both be right.

    Attributes
    ----------
    kind : {"crossing", "overlap"}
        Two tie-lines, or two fields of which one is a triangle or more.
    labels : (str, str)
    samples : (int, int)
        Numbers of the two results, in the order told.
    depth : float
        Least amount of any phase in the mixture that both share; 0 for a touch.

    Examples
    --------
    >>> PhaseRuleViolation("crossing", ("A+B", "C+D"), (0, 1), 0.4)
    PhaseRuleViolation(crossing of A+B (sample 0) and C+D (sample 1), depth 0.4)
    """

    kind: str
    labels: tuple[str, str]
    samples: tuple[int, int]
    depth: float

    def __repr__(self) -> str:
        both = " and ".join(f"{a} (sample {k})" for a, k in zip(self.labels, self.samples, strict=True))
        return f"PhaseRuleViolation({self.kind} of {both}, depth {self.depth:.2g})"


@dataclass(frozen=True)
class PhaseRule:
    """How many phases can be found together.

    Parameters
    ----------
    n_components : int
    sections : bool, default=False
        Whether temperature varies: one phase more is then possible, at isolated temperatures.
    strict : bool, default=False
        Whether a label with more phases is an error instead of a warning.

    Notes
    -----
    Gibbs: F = C - P + 2; at fixed pressure and temperature P is at most C, at fixed pressure C + 1.

    Examples
    --------
    >>> PhaseRule(3).most, PhaseRule(3, sections=True).most
    (3, 4)
    """

    n_components: int
    sections: bool = False
    strict: bool = False

    @property
    def most(self) -> int:
        """Most phases found together."""
        return self.n_components + int(self.sections)

    def check(self, label: str, *, place: str, at: str) -> str | None:
        """Sentence about a label with too many phases; None for one that obeys.

        Raises
        ------
        InputError
            With ``strict``.
        """
        count = len(phase_members(label))
        if count <= self.most:
            return None
        text = sentence(
            place, "phase", f"hold at most {self.most} phases by the phase rule ({self.n_components} "
            "components)", f"{count} in {label!r}", at=at,
            remedy="Correct it, or pass phase_rule=None for a map out of equilibrium.",
        )  # fmt: skip
        if self.strict:
            raise InputError(text)
        return text

    def violations(self, fields: Sequence[tuple[int, Coexistence]]) -> list[PhaseRuleViolation]:
        """Tie-lines that cross and fields that overlap.

        Parameters
        ----------
        fields : sequence of (int, Coexistence)
            Results with measured compositions of two phases or more, all at one temperature.

        Returns
        -------
        list of PhaseRuleViolation

        Notes
        -----
        Two fields share the mixture in which the least amount of any phase is largest (a linear programme);
        measured twice, a field counts once when its corners agree within 2 at.%, and so do parallel
        tie-lines of one pair.
        """
        found = []
        listed = [(k, field) for k, field in fields if len(field.phases) > 1]
        for a, (i, first) in enumerate(listed):
            for j, second in listed[a + 1 :]:
                if _agree(first, second):
                    continue
                depth = _shared_depth(first.compositions, second.compositions)
                if depth > _OVERLAP:
                    kind = "crossing" if len(first.phases) == len(second.phases) == 2 else "overlap"
                    found.append(PhaseRuleViolation(kind, (first.label, second.label), (i, j), depth))
        return found


def field_hulls(nodes: Array, members: Array) -> list[tuple[Array, Mask]]:
    """Convex hulls of the clusters of samples of one label.

    Parameters
    ----------
    nodes : ndarray of shape (n, d)
        Points of one section, in composition coordinates.
    members : ndarray of shape (m, d)
        Samples of one label.

    Returns
    -------
    list of (planes, inside)
        Planes of a hull, shape (n_planes, d + 1), and the nodes inside. Clusters whose hull is flat are left
        out.

    Notes
    -----
    Single linkage: two samples belong together when they are nearer than three times the geometric mean of
    the distances to their nearest neighbors.

    Examples
    --------
    >>> nodes = np.linspace(0, 1, 6)[:, None]
    >>> [(planes, inside)] = field_hulls(nodes, np.array([[0.15], [0.45]]))
    >>> np.flatnonzero(inside).tolist()
    [1, 2]
    """
    d = nodes.shape[1]
    if len(members) < d + 1:
        return []
    spacing = cKDTree(members).query(members, k=2)[0][:, 1]
    distance = np.sqrt(squared_distances(members))
    near = distance < _LINK * np.sqrt(np.multiply.outer(spacing, spacing))
    count, parts = connected_components(near, directed=False)
    found = []
    for part in range(count):
        planes = _hull_planes(members[parts == part])
        if planes is not None:
            found.append((planes, _inside(planes, nodes)))
    return found


def closed_by_hull(
    nodes: Array,
    samples: Array,
    own: Mask,
    p: Array,
    least: float = 0.5,
    hulls: list[tuple[Array, Mask]] | None = None,
) -> tuple[Mask, int]:
    """Nodes between samples of one label, where that label may be taken for granted for now.

    Parameters
    ----------
    nodes : ndarray of shape (n, d)
        Points of one section, in composition coordinates.
    samples : ndarray of shape (m, d)
        Labeled points of the section.
    own : ndarray of bool of shape (m,)
        Samples with the label, one of as many phases as components.
    p : ndarray of shape (n,)
        Probability of the label at the nodes.
    least : float, default=0.5
    hulls : list, optional
        Result of :func:`field_hulls`, if known.

    Returns
    -------
    closed : ndarray of bool of shape (n,)
    n_clusters : int
        Clusters that were closed.

    Notes
    -----
    A field of as many phases as components is convex. Two separate fields may carry the same label, and a
    hull may miss a thin field inside: a cluster is closed only if no other label lies in its hull and the
    model agrees at every node there. The answer changes with the next label that contradicts it.

    Examples
    --------
    >>> nodes = np.linspace(0, 1, 11)[:, None]
    >>> closed, n = closed_by_hull(nodes, np.array([[0.2], [0.5], [0.9]]), np.array([True, True, False]),
    ...                            np.full(11, 0.9))
    >>> np.flatnonzero(closed).tolist(), n
    ([2, 3, 4, 5], 1)
    """
    closed = np.zeros(len(nodes), dtype=np.bool_)
    done = 0
    for planes, inside in field_hulls(nodes, samples[own]) if hulls is None else hulls:
        if inside.any() and (p[inside] > least).all() and not _inside(planes, samples[~own]).any():
            closed |= inside
            done += 1
    return closed, done


def neighbor_violations(
    labels: Sequence[str], Z: Array, n_components: int, n_neighbors: int | None = None
) -> list[tuple[int, int]]:
    r"""Neighboring points of a map whose fields cannot touch along a line.

    Parameters
    ----------
    labels : sequence of str
        Phases of every point.
    Z : ndarray of shape (n, p)
    n_components : int
    n_neighbors : int, optional
        Nearest points that count as neighbors; twice the dimension when left out.

    Returns
    -------
    list of (int, int)

    Notes
    -----
    Boundary rule: two fields that lose :math:`D^-` and gain :math:`D^+` phases meet in a boundary of
    :math:`R_1 = R - D^- - D^+ \ge 0` dimensions, R the dimension of the section [1]_.

    References
    ----------
    .. [1] L. S. Palatnik, A. I. Landau, Phase Equilibria in Multicomponent Systems, Holt (1964).

    Examples
    --------
    >>> neighbor_violations(["A", "A+B", "C+D", "C+D"], np.arange(4.0)[:, None], 2)
    [(1, 2)]
    """
    names = list(dict.fromkeys(labels))
    members = [set(phase_members(name)) for name in names]
    changed = np.array([[len(one ^ other) for other in members] for one in members])
    place = {name: k for k, name in enumerate(names)}
    codes = np.array([place[label] for label in labels], dtype=np.int64)
    k = (2 * Z.shape[1] if n_neighbors is None else n_neighbors) + 1
    distance, near = cKDTree(Z).query(Z, k=min(k, len(Z)))
    rows = np.broadcast_to(np.arange(len(Z))[:, None], near.shape)
    odd = (distance <= _NEXT * distance[:, 1:2]) & (near != rows)
    odd &= changed[codes[rows], codes[near]] > n_components - 1
    pairs = np.unique(np.sort(np.column_stack([rows[odd], near[odd]]), axis=1), axis=0)
    return [(int(i), int(j)) for i, j in pairs]


def _hull_planes(members: Array) -> Array | None:
    """Planes of the hull of points; None for a flat one."""
    d = members.shape[1]
    if len(members) <= d:
        return None
    if d == 1:
        return np.array([[1.0, -members.max()], [-1.0, members.min()]])
    spread = np.linalg.svd(members - members.mean(axis=0), compute_uv=False)
    if spread[-1] <= 1e-9 * max(float(spread[0]), 1e-300):
        return None
    return np.asarray(ConvexHull(members).equations)


def _inside(planes: Array, points: Array) -> Mask:
    """Which points lie within all planes; sums written out, for few columns."""
    height = planes[:, -1] + np.zeros((len(points), 1))
    for column in range(points.shape[1]):
        height += points[:, column, None] * planes[:, column]
    return np.asarray((height <= 1e-9).all(axis=1))


def _agree(first: Coexistence, second: Coexistence) -> bool:
    """Whether two results are one field measured twice, or lie on parallel tie-lines of one pair."""
    if sorted(first.phases) != sorted(second.phases):
        return False
    order = [second.phases.index(name) for name in first.phases]
    if len(set(order)) < len(order):
        return True
    return bool(np.abs(first.compositions - second.compositions[order]).max() <= _AGREE)


def _shared_depth(A: Array, B: Array) -> float:
    """Largest least amount of any corner in a mixture of A that is one of B too; -1 without any."""
    m, n = len(A), len(B)
    equations = np.vstack([
        np.column_stack([A.T, -B.T, np.zeros(A.shape[1])]),
        np.concatenate([np.ones(m), np.zeros(n + 1)])[None, :],
        np.concatenate([np.zeros(m), np.ones(n), [0.0]])[None, :],
    ])  # fmt: skip
    right = np.concatenate([np.zeros(A.shape[1]), [1.0, 1.0]])
    slack = np.column_stack([-np.eye(m + n), np.ones(m + n)])
    found = linprog(
        np.concatenate([np.zeros(m + n), [-1.0]]), A_ub=slack, b_ub=np.zeros(m + n),
        A_eq=equations, b_eq=right, bounds=[(0.0, 1.0)] * (m + n + 1),
    )  # fmt: skip
    return float(found.x[-1]) if found.success else -1.0
