"""Which box of compositions holds the largest expected improvement: the next library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.records import with_error
from sozai.proposals.spaces import Mixture

__all__ = ["NextLibrary", "boxes_around", "choose_boxes", "next_region"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Numbers gathered at once when the best point of every box is looked for: 64 MB.
_AT_ONCE = 8_000_000
#: Boxes with this share of the best score are as good.
_AS_GOOD = 0.98


@dataclass(frozen=True, eq=False)
class NextLibrary:
    """A box of compositions to spread the next library over.

    Attributes
    ----------
    low, high : dict of str to float
        Ends of every component that the sum allows.
    score : float
        Expected improvement of the best composition in the box over the best so far, in the unit of the
        property; beyond the boxes proposed before it.
    chance : float
        Probability that the box holds something better than the best so far.
    x : dict of str to float
        Composition of the box with the best expected property.
    mean, std : float
        Of the property there.
    total : float
    reason : str

    Examples
    --------
    >>> low, high, x = {"A": 0.2, "B": 0.6}, {"A": 0.4, "B": 0.8}, {"A": 0.3, "B": 0.7}
    >>> box = NextLibrary(low, high, 1.5, 0.7, x, mean=9.0, std=1.0)
    >>> box
    NextLibrary(A 0.2 to 0.4, B 0.6 to 0.8; improvement 1.5, chance 70 %)
    >>> box.space
    Mixture(A, B, total 1)
    """

    low: dict[str, float]
    high: dict[str, float]
    score: float
    chance: float
    x: dict[str, float]
    mean: float
    std: float
    total: float = 1.0
    reason: str = ""

    def __repr__(self) -> str:
        return f"NextLibrary({self.ranges}; improvement {self.score:.3g}, chance {100 * self.chance:.0f} %)"

    @property
    def ranges(self) -> str:
        """Ends of all components in words."""
        return ", ".join(f"{name} {self.low[name]:g} to {self.high[name]:g}" for name in self.low)

    @property
    def space(self) -> Mixture:
        """The box as a space for a campaign."""
        ends = {name: (self.low[name], self.high[name]) for name in self.low}
        return Mixture(list(self.low), total=self.total, bounds=ends)

    def to_frame(self) -> pd.DataFrame:
        """One row for each component: low, high, and the most hopeful composition."""
        return pd.DataFrame({"low": self.low, "high": self.high, "x": self.x})

    def with_reason(self, name: str, best: float, boxes_before: int) -> NextLibrary:
        """The same box with a sentence."""
        beyond = "" if not boxes_before else f", beyond {boxes_before} boxes before it"
        reason = (
            f"Between these ends something better than the best so far ({name} {best:.6g}) lies with "
            f"{100 * self.chance:.0f} % probability; the expected gain is {self.score:.3g}{beyond}. Most "
            f"hopeful: {name} {with_error(self.mean, self.std)}."
        )
        return NextLibrary(
            self.low, self.high, self.score, self.chance, self.x, self.mean, self.std, self.total, reason
        )


def choose_boxes(points: Array, low: Array, high: Array, gains: Array, n: int) -> tuple[Rows, Array, Array]:
    r"""Boxes whose best point is expected to gain most, one after the other.

    Parameters
    ----------
    points : ndarray of shape (m, k)
    low, high : ndarray of shape (b, k)
        Ends of the boxes; each holds at least one point.
    gains : ndarray of shape (m, S)
        Improvement at every point in every drawn function, 0 or more.
    n : int

    Returns
    -------
    chosen : ndarray of shape (n,)
        Fewer, but at least one, when no further box gains in any draw.
    scores : ndarray of shape (n,)
        Mean over the draws of what the best point of the box gains beyond the boxes before it.
    chances : ndarray of shape (n,)
        Share of the draws in which something in the box gains.

    Notes
    -----
    With :math:`B_{bs} = \max_{x\in b} I_s(x)` the score of a set of boxes is
    :math:`\tfrac1S\sum_s\max_b B_{bs}`, whose increments never grow: choosing one after the other reaches at
    least :math:`1 - 1/e` of the best set [1]_. Many boxes hold the same best point; of those within 2 % of
    the best score the one is taken whose points together gain most, so that the place lies inside it and not
    at its edge. Time :math:`O(b m S)` at worst, memory 64 MB beside
    ``gains`` and B.

    References
    ----------
    .. [1] G. L. Nemhauser, L. A. Wolsey, M. L. Fisher, An analysis of approximations for maximizing
       submodular set functions, Math. Program. 14, 265 (1978).

    Examples
    --------
    >>> points, gains = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0, 0.0], [0.0, 3.0], [0.5, 0.5]])
    >>> chosen, scores, _ = choose_boxes(points, points - 0.1, points + 0.1, gains, 2)
    >>> chosen.tolist(), scores.tolist()
    ([1, 0], [1.5, 0.5])
    """
    inside = np.ones((len(low), len(points)), dtype=np.bool_)
    for column, a, b in zip(points.T, low.T, high.T, strict=True):
        inside &= (column >= a[:, None]) & (column <= b[:, None])
    best = _best_of_boxes(inside, gains)
    reached = np.zeros(gains.shape[1])
    chosen, scores, chances = [], [], []
    for _ in range(n):
        more = np.maximum(best, reached).mean(axis=1) - reached.mean()
        if chosen and not more.max() > 0:
            break
        together = inside @ np.maximum(gains - reached, 0.0).mean(axis=1)
        k = int(np.argmax(np.where(more >= _AS_GOOD * more.max(), together, -1.0)))
        chosen.append(k)
        scores.append(float(more[k]))
        chances.append(float((best[k] > 0).mean()))
        reached = np.maximum(reached, best[k])
    return np.array(chosen), np.array(scores), np.array(chances)


def _best_of_boxes(inside: NDArray[np.bool_], gains: Array) -> Array:
    """Largest gain among the points inside every box, in every draw, shape (b, S)."""
    out = np.empty((len(inside), gains.shape[1]))
    counts = inside.sum(axis=1)
    ends = np.cumsum(counts)
    rows_at_once = max(_AT_ONCE // gains.shape[1], 1)
    first = 0
    while first < len(inside):
        begun = ends[first] - counts[first]
        last = max(int(np.searchsorted(ends, begun + rows_at_once, side="right")), first + 1)
        members = np.nonzero(inside[first:last])[1]
        starts = ends[first:last] - counts[first:last] - begun
        out[first:last] = np.maximum.reduceat(gains[members], starts, axis=0)
        first = last
    return out


def next_region(
    X: Array,
    components: Sequence[str],
    total: float,
    width: float | Mapping[str, float] | None,
    bounds: Mapping[str, tuple[float, float]] | None,
) -> tuple[Array, Mixture, list[int]]:
    """Size of a box, where it may lie, and the components that vary.

    Parameters
    ----------
    X : ndarray of shape (n, k)
        Compositions of the library.
    components : sequence of str
    total : float
    width : float, mapping of str to float, or None
        Half the range of the library where left out.
    bounds : mapping of str to (float, float), or None
        The range of the library, wider by one width on both sides, where left out.

    Returns
    -------
    size : ndarray of shape (k,)
    space : Mixture
        Of the components that vary.
    varying : list of int

    Examples
    --------
    >>> X = np.array([[0.2, 0.8], [0.4, 0.6]])
    >>> next_region(X, ["A", "B"], 1.0, None, None)[1].bounds.round(12).tolist()
    [[0.1, 0.5], [0.5, 0.9]]
    """
    place = "LibraryMap.next_library"
    low, high = X.min(axis=0), X.max(axis=0)
    span = high - low
    varying = np.flatnonzero(span > 1e-9 * total).tolist()
    given = width if isinstance(width, Mapping) else dict.fromkeys(components, width)
    for argument, named in (("width", given), ("bounds", bounds or {})):
        unknown = [name for name in named if name not in components]
        if unknown:
            raise InputError(
                sentence(place, argument, f"name components ({', '.join(components)})", unknown[0],
                         remedy="Correct the name.")
            )  # fmt: skip
    size = np.array([
        0.5 * span[k] if given.get(name) is None else float(given[name])
        for k, name in enumerate(components)
    ])  # fmt: skip
    bad = ~((size > 0) & np.isfinite(size))
    if bad[varying].any():
        k = varying[int(np.argmax(bad[varying]))]
        raise InputError(
            sentence(place, "width", "be positive", float(size[k]), at=f"for {components[k]!r}",
                     remedy="Leave it out for half the range of this library.")
        )  # fmt: skip
    fixed = [k for k in range(len(span)) if k not in varying]
    rest = total - float(X[:, fixed].mean(axis=0).sum())
    ends = np.column_stack([np.maximum(low - size, 0.0), np.minimum(high + size, rest)])
    for name, pair in (bounds or {}).items():
        ends[components.index(name)] = pair
    names = [components[k] for k in varying]
    return size, Mixture(names, rest, dict(zip(names, ends[varying].tolist(), strict=True))), varying


def boxes_around(centers: Array, size: Array, space: Mixture, varying: list[int]) -> tuple[Array, Array]:
    """Ends of boxes around some compositions, rounded outward to a power of ten, inside the region.

    Parameters
    ----------
    centers : ndarray of shape (b, k)
    size : ndarray of shape (k,)
    space : Mixture
        Of the components that vary.
    varying : list of int

    Returns
    -------
    low, high : ndarray of shape (b, k)

    Examples
    --------
    >>> low, high = boxes_around(np.array([[0.33, 0.67]]), np.full(2, 0.2), Mixture(["A", "B"]), [0, 1])
    >>> low.round(12).tolist(), high.round(12).tolist()
    ([[0.23, 0.57]], [[0.43, 0.77]])
    """
    step = 10.0 ** math.floor(math.log10(float(size[varying].min()) / 5.0))
    low, high = centers - 1e-9, centers + 1e-9
    low[:, varying] = np.floor((centers - 0.5 * size)[:, varying] / step + 1e-6) * step
    high[:, varying] = np.ceil((centers + 0.5 * size)[:, varying] / step - 1e-6) * step
    ends = space.bounds
    low[:, varying] = np.clip(low[:, varying], *ends.T)
    high[:, varying] = np.clip(high[:, varying], *ends.T)
    return low, high
