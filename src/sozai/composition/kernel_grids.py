"""Points at which the kernel mean of one feature is read, and how far each of them sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence

__all__ = ["Grid", "GridPoints", "QuantileGrid", "ScaledFeature", "UniformGrid", "as_grid", "local_lengths"]

#: Points nearer than this share of the range of a feature are one point.
_SAME_POINT = 1e-9


@dataclass(frozen=True, eq=False)
class ScaledFeature:
    """One feature of all components, from 0 at its minimum to 1 at its maximum.

    Attributes
    ----------
    name : str
    scaled : ndarray of shape (n_components,)
    low, span : float
        Minimum and range in the unit of the table: ``value = low + span * scaled``.
    weights : ndarray of shape (n_components,) or None
        Mean fraction of every component in the training compositions.

    Examples
    --------
    >>> import numpy as np
    >>> ScaledFeature("radius", np.array([0.0, 1.0]), low=60.0, span=126.0).physical(np.array([0.5]))
    array([123.])
    """

    name: str
    scaled: np.ndarray
    low: float
    span: float
    weights: np.ndarray | None = None

    def physical(self, points):
        """Points in the unit of the table.

        Parameters
        ----------
        points : ndarray
            Scaled points.

        Returns
        -------
        ndarray
        """
        return self.low + self.span * points


class Grid:
    """Where the kernel mean of one feature is read.

    A child says where its points are; how far each of them sees follows from
    the distances to its neighbors.

    See Also
    --------
    UniformGrid : The published choice.

    Examples
    --------
    >>> Grid().points(None)
    Traceback (most recent call last):
    ...
    NotImplementedError
    """

    def points(self, feature: ScaledFeature) -> np.ndarray:
        """Increasing distinct points in scaled units, shape (n_points,).

        Parameters
        ----------
        feature : ScaledFeature
        """
        raise NotImplementedError

    def lengths(self, points: np.ndarray) -> np.ndarray:
        """Length scale of every point, shape (n_points,); see :func:`local_lengths`.

        Parameters
        ----------
        points : ndarray of shape (n_points,)
        """
        return local_lengths(points)


@dataclass(frozen=True)
class UniformGrid(Grid):
    r"""Equal steps from the least to the largest value of a feature.

    Parameters
    ----------
    d : int, default=10
        Number of points. One point stands in the middle and needs ``sigma``.

    See Also
    --------
    QuantileGrid : More points where more components are.

    Notes
    -----
    With the step :math:`\Delta = 1/(d-1)` every point has
    :math:`\gamma = 1/\Delta^2`, that is the length :math:`\Delta/\sqrt2` [1]_.

    References
    ----------
    .. [1] M. Kusaba et al., Phys. Rev. B 108, 134107 (2023), doi:10.1103/PhysRevB.108.134107.

    Examples
    --------
    >>> grid = UniformGrid(3)
    >>> points = grid.points(None)
    >>> points, (0.5 / grid.lengths(points) ** 2).round(12)
    (array([0. , 0.5, 1. ]), array([4., 4., 4.]))
    """

    d: int = 10

    def __post_init__(self):
        """Refuse what is no number of points."""
        _check_count(self.d, "UniformGrid")

    def points(self, feature: ScaledFeature) -> np.ndarray:
        """Return the same points for every feature.

        Parameters
        ----------
        feature : ScaledFeature
            Not looked at.

        Returns
        -------
        ndarray of shape (d,)
        """
        return np.linspace(0.0, 1.0, self.d) if self.d > 1 else np.array([0.5])

    def lengths(self, points: np.ndarray) -> np.ndarray:
        r"""Return :math:`\Delta/\sqrt2` for every point.

        Parameters
        ----------
        points : ndarray of shape (d,)

        Returns
        -------
        ndarray of shape (d,)
        """
        if self.d == 1:
            return local_lengths(points)
        return np.full(self.d, np.sqrt(0.5) / (self.d - 1))


@dataclass(frozen=True)
class QuantileGrid(Grid):
    """Points that divide the components, or what the training data hold of them, into equal shares.

    Parameters
    ----------
    d : int, default=10
        Number of quantiles from the least to the largest value. Tied ones
        (counts of electrons) are merged, so a feature may have fewer points.
    of : {"components", "samples"}, default="components"
        ``"samples"`` weighs every component by its mean fraction in the
        compositions given to ``fit``; quantiles are then values that occur.

    See Also
    --------
    UniformGrid : Equal steps.

    Examples
    --------
    >>> import numpy as np
    >>> feature = ScaledFeature("radius", np.array([0.0, 0.1, 0.2, 0.3, 1.0]), 0.0, 1.0)
    >>> QuantileGrid(3).points(feature)
    array([0. , 0.2, 1. ])
    >>> counts = ScaledFeature("d electrons", np.array([0.0, 0.0, 0.0, 0.0, 1.0]), 0.0, 10.0)
    >>> QuantileGrid(4).points(counts)
    array([0., 1.])
    """

    d: int = 10
    of: str = "components"

    def __post_init__(self):
        """Refuse what is no number of points, and an unknown source of the quantiles."""
        _check_count(self.d, "QuantileGrid")
        if self.of not in ("components", "samples"):
            raise InputError(
                sentence(
                    "QuantileGrid", "of", "be 'components' or 'samples'", self.of,
                    remedy="Leave it out to weigh all components alike.",
                )
            )  # fmt: skip

    def points(self, feature: ScaledFeature) -> np.ndarray:
        """Quantiles of one feature, tied ones merged.

        Parameters
        ----------
        feature : ScaledFeature
            With ``weights`` when ``of="samples"``.

        Returns
        -------
        ndarray of shape (n_points,)

        Raises
        ------
        InputError
            When the quantiles of samples are wanted and ``fit`` saw none.
        """
        shares = np.linspace(0.0, 1.0, self.d) if self.d > 1 else np.array([0.5])
        known = np.isfinite(feature.scaled)
        if self.of == "components":
            return _merged(np.quantile(feature.scaled[known], shares))
        if feature.weights is None:
            raise InputError(
                "QuantileGrid: the quantiles of samples must be told the compositions. Got none in fit. "
                "Call fit(X), or take QuantileGrid(of='components')."
            )
        present = known & (feature.weights > 0)
        order = np.argsort(feature.scaled[present], kind="stable")
        values = feature.scaled[present][order]
        cumulative = np.cumsum(feature.weights[present][order])
        reached = np.searchsorted(cumulative / cumulative[-1], shares - 1e-12)
        return _merged(values[np.minimum(reached, len(values) - 1)])


@dataclass(frozen=True)
class GridPoints(Grid):
    """Points that you choose.

    Parameters
    ----------
    at : sequence of float, or mapping of str to sequence of float
        Scaled points (0 at the minimum of a feature, 1 at its maximum), the
        same for every feature; or for every feature its points in the unit of
        the table.

    See Also
    --------
    UniformGrid : Equal steps.

    Examples
    --------
    >>> import numpy as np
    >>> feature = ScaledFeature("radius", np.array([0.0, 1.0]), low=50.0, span=200.0)
    >>> GridPoints((0.0, 0.2, 1.0)).points(feature)
    array([0. , 0.2, 1. ])
    >>> GridPoints({"radius": (100.0, 150.0)}).points(feature)
    array([0.25, 0.5 ])
    """

    at: Sequence[float] | Mapping[str, Sequence[float]]

    def points(self, feature: ScaledFeature) -> np.ndarray:
        """Points of one feature, in order, equal ones merged.

        Parameters
        ----------
        feature : ScaledFeature

        Returns
        -------
        ndarray of shape (n_points,)

        Raises
        ------
        InputError
            When the mapping does not name the feature, or a point is no number.
        """
        if not isinstance(self.at, Mapping):
            return _merged(_numbers(self.at, feature.name))
        if feature.name not in self.at:
            named = ", ".join(map(str, self.at))
            raise InputError(
                sentence(
                    "GridPoints", "at", f"name the points of the feature {feature.name!r}", named,
                    remedy="Add it, or leave the feature out of the table.",
                )
            )  # fmt: skip
        return _merged((_numbers(self.at[feature.name], feature.name) - feature.low) / feature.span)


def local_lengths(points: np.ndarray) -> np.ndarray:
    r"""Length scale of every point from the distances to its neighbors.

    Parameters
    ----------
    points : ndarray of shape (n_points,)
        Increasing and distinct.

    Returns
    -------
    ndarray of shape (n_points,)
        :math:`\delta_j/\sqrt2` with the mean distance :math:`\delta_j` to the
        two neighbors (one at the ends), so that :math:`\gamma_j = 1/\delta_j^2`;
        NaN for a single point, which has no neighbor.

    Examples
    --------
    >>> import numpy as np
    >>> (0.5 / local_lengths(np.array([0.0, 0.2, 1.0])) ** 2).round(6).tolist()
    [25.0, 4.0, 1.5625]
    """
    if len(points) == 1:
        return np.array([np.nan])
    steps = np.diff(points)
    left, right = np.r_[steps[0], steps], np.r_[steps, steps[-1]]
    return np.sqrt(0.5) * 0.5 * (left + right)


def as_grid(grid: Any, *, place: str) -> Grid:
    """Turn a number of points into a :class:`UniformGrid`; let a grid through.

    Parameters
    ----------
    grid : int or Grid
    place : str
        Who asks, for the message.

    Returns
    -------
    Grid

    Examples
    --------
    >>> as_grid(10, place="example")
    UniformGrid(d=10)
    """
    if isinstance(grid, Integral) and not isinstance(grid, (bool, np.bool_)):
        return UniformGrid(int(grid))
    if isinstance(grid, Grid):
        return grid
    raise InputError(
        sentence(
            place, "grid", "be a number of points or UniformGrid, QuantileGrid, GridPoints", grid,
            remedy="Take 10 for the published setting.",
        )
    )  # fmt: skip


def _check_count(d: Any, place: str) -> None:
    """Refuse what is no whole number of at least one."""
    if isinstance(d, Integral) and not isinstance(d, (bool, np.bool_)) and d >= 1:
        return
    raise InputError(
        sentence(place, "d", "be a whole number of points, 1 or more", d, remedy="Take 10 to begin with.")
    )


def _numbers(points: Any, name: str) -> np.ndarray:
    """Points as finite float64, shape (n,)."""
    values = np.asarray(points, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise InputError(
            sentence(
                "GridPoints", "at", f"be a list of finite numbers for the feature {name!r}", points,
                remedy="Pass e.g. (0, 0.25, 0.5, 1).",
            )
        )  # fmt: skip
    return values


def _merged(points: np.ndarray) -> np.ndarray:
    """Points in order; those that differ by rounding are one."""
    ordered = np.sort(points)
    return ordered[np.r_[True, np.diff(ordered) > _SAME_POINT]]
