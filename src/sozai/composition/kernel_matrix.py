"""Similarity of every component with every point at which a kernel mean is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sozai.composition.kernel_grids import Grid, ScaledFeature
from sozai.composition.kernel_landmarks import Landmarks
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import Gaussian, Kernel, Laplace, Matern, squared_distances

__all__ = [
    "KernelBlock",
    "UserKernel",
    "as_kernel",
    "feature_blocks",
    "group_blocks",
    "is_characteristic",
    "joint_block",
    "nearest_neighbor_length",
]

_PLACE = "KernelMeanDescriptor.fit"


@dataclass(frozen=True)
class UserKernel(Kernel):
    """Similarity of your own.

    Parameters
    ----------
    function : callable
        ``function(A, B)`` takes points of shapes (n_a, n_columns) and (n_b,
        n_columns), measured in length scales, and gives (n_a, n_b).
    characteristic : bool
        Whether the kernel mean determines the distribution. It does not for a
        polynomial, which sees some moments only.
    width : float, default=1.0
        Multiplies every length scale.

    See Also
    --------
    sozai.numerics.kernels.Gaussian : Characteristic, the published choice.

    Examples
    --------
    >>> import numpy as np
    >>> quadratic = UserKernel(lambda A, B: (1.0 + A @ B.T) ** 2, characteristic=False)
    >>> quadratic.matrix(np.array([[1.0]]), np.array([[2.0]]))
    array([[9.]])
    """

    function: Callable[[np.ndarray, np.ndarray], np.ndarray]
    characteristic: bool
    width: float = 1.0

    def matrix(self, A, B=None, length_scales=1.0):
        """Similarities of all pairs.

        Parameters
        ----------
        A, B : ndarray of shape (n, n_columns)
        length_scales : float or ndarray of shape (n_columns,)

        Returns
        -------
        ndarray of shape (n_a, n_b)

        Raises
        ------
        InputError
            When the function gives another shape, or what is not finite.
        """
        scales = self.width * np.asarray(length_scales, dtype=np.float64)
        left = A / scales
        right = left if B is None else B / scales
        value = np.asarray(self.function(left, right), dtype=np.float64)
        if value.shape != (len(left), len(right)) or not np.isfinite(value).all():
            raise InputError(
                sentence(
                    "UserKernel", "function",
                    f"give finite numbers of shape {(len(left), len(right))}",
                    f"shape {value.shape}, {int((~np.isfinite(value)).sum())} of them not finite",
                    remedy="Check it on two small arrays of points.",
                )
            )  # fmt: skip
        return value

    def diagonal(self, Z):
        """Similarity of every point with itself.

        Parameters
        ----------
        Z : ndarray of shape (n, n_columns)
            Points in length scales.

        Returns
        -------
        ndarray of shape (n,)
        """
        return np.array([self.matrix(z[None], z[None])[0, 0] for z in Z])


def _quadratic(A, B):
    """Polynomial of the second degree."""
    return (1.0 + A @ B.T) ** 2


_KERNELS: dict[str, Kernel] = {
    "gaussian": Gaussian(),
    "laplace": Laplace(),
    "matern": Matern(),
    "polynomial": UserKernel(_quadratic, characteristic=False),
}


def as_kernel(kernel: Any, *, place: str) -> Kernel:
    """Turn a name into a kernel; let a kernel through.

    Parameters
    ----------
    kernel : {"gaussian", "laplace", "matern", "polynomial"} or Kernel
    place : str
        Who asks, for the message.

    Returns
    -------
    Kernel

    Examples
    --------
    >>> as_kernel("gaussian", place="example")
    Gaussian(width=1.0)
    """
    if isinstance(kernel, str) and kernel in _KERNELS:
        return _KERNELS[kernel]
    if isinstance(kernel, Kernel):
        return kernel
    raise InputError(
        sentence(
            place, "kernel",
            f"be one of {', '.join(map(repr, _KERNELS))}, or Gaussian, Laplace, Matern, UserKernel",
            kernel, remedy="Take 'gaussian' for the published setting.",
        )
    )  # fmt: skip


def is_characteristic(kernel: Kernel) -> bool:
    """Whether a kernel mean determines the distribution it is the mean of.

    Parameters
    ----------
    kernel : Kernel

    Returns
    -------
    bool

    Examples
    --------
    >>> is_characteristic(Gaussian()), is_characteristic(as_kernel("polynomial", place="example"))
    (True, False)
    """
    return bool(getattr(kernel, "characteristic", True))


@dataclass(frozen=True, eq=False)
class KernelBlock:
    r"""Rows of :math:`H` that belong to one feature, or to one group of features.

    Attributes
    ----------
    name : str
        The feature or the group.
    features : tuple of str
    unit : str or None
    matrix : ndarray of shape (n_points, n_components)
        :math:`H_{ji} = k(\lambda_i, g_j)`.
    labels : tuple of str
        What stands after ``@`` in the names of the rows.
    scaled, physical : ndarray of shape (n_points,)
        Place of every point, in scaled units and in the unit of the table;
        NaN for a group.
    lengths : ndarray of shape (n_points,)
        Length scale of every point, scaled units, without the kernel's width.
    length : float
        Length scale of the kernel between components.
    points : ndarray of shape (n_points, n_features) or None
        In scaled units; None for random waves.
    coordinates : ndarray of shape (n_components, n_features)
        The components in scaled units.
    center, scale : ndarray of shape (n_features,)
        ``scaled = (value - center) / scale``.
    known : ndarray of shape (n_components,)
        False where a value of the component is filled in and shall not count.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.composition.kernel_grids import UniformGrid
    >>> table = np.array([[60.0], [70.0], [186.0]])
    >>> block, = feature_blocks(table, np.ones((3, 1), bool), ["r"], ["pm"], Gaussian(), UniformGrid(2))
    >>> block.matrix.round(3).tolist(), block.labels
    ([[1.0, 0.994, 0.368], [0.368, 0.428, 1.0]], ('0.000', '1.000'))
    """

    name: str
    features: tuple[str, ...]
    unit: str | None
    matrix: np.ndarray
    labels: tuple[str, ...]
    scaled: np.ndarray
    physical: np.ndarray
    lengths: np.ndarray
    length: float
    points: np.ndarray | None
    coordinates: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    known: np.ndarray

    def gram(self, kernel: Kernel) -> np.ndarray:
        """Similarity of every two components, without a grid.

        Parameters
        ----------
        kernel : Kernel

        Returns
        -------
        ndarray of shape (n_components, n_components)
        """
        return kernel.matrix(self.coordinates, None, self.length)


def feature_blocks(
    values: np.ndarray,
    known: np.ndarray,
    names: Sequence[str],
    units: Sequence[str | None],
    kernel: Kernel,
    grid: Grid,
    *,
    sigma: float | None = None,
    weights: np.ndarray | None = None,
) -> list[KernelBlock]:
    """One block for each feature, scaled from 0 at its minimum to 1 at its maximum.

    Parameters
    ----------
    values : ndarray of shape (n_components, n_features)
        Without constant columns.
    known : bool ndarray of the same shape
    names, units : sequence
        Of the features.
    kernel : Kernel
    grid : Grid
    sigma : float, optional
        Length in scaled units in place of the grid's.
    weights : ndarray of shape (n_components,), optional
        Mean fractions of the training compositions.

    Returns
    -------
    list of KernelBlock
    """
    low = np.min(values, axis=0, initial=np.inf, where=known)
    span = np.max(values, axis=0, initial=-np.inf, where=known) - low
    blocks = []
    for k, name in enumerate(names):
        z = (values[:, k] - low[k]) / span[k]
        feature = ScaledFeature(
            name, np.where(known[:, k], z, np.nan), float(low[k]), float(span[k]), weights
        )
        points = grid.points(feature)
        lengths = grid.lengths(points) if sigma is None else np.full(len(points), float(sigma))
        _require_lengths(lengths, name)
        blocks.append(
            KernelBlock(
                name=name,
                features=(name,),
                unit=units[k],
                matrix=_one_feature_matrix(kernel, points, lengths, z),
                labels=_point_labels(points),
                scaled=points,
                physical=feature.physical(points),
                lengths=lengths,
                length=float(np.median(lengths)),
                points=points[:, None],
                coordinates=z[:, None],
                center=low[k : k + 1],
                scale=span[k : k + 1],
                known=known[:, k],
            )
        )
    return blocks


def joint_block(
    name: str,
    values: np.ndarray,
    known: np.ndarray,
    features: Sequence[str],
    components: Sequence[str],
    kernel: Kernel,
    landmarks: Landmarks,
    *,
    sigma: float | None = None,
    scaling: str = "standard",
) -> KernelBlock:
    """One block for several features together.

    Parameters
    ----------
    name : str
    values : ndarray of shape (n_components, n_features)
        Without constant columns.
    known : bool ndarray of the same shape
        A component counts when all its features are known.
    features, components : sequence of str
    kernel : Kernel
    landmarks : Landmarks
    sigma : float, optional
        Length in scaled units in place of :func:`nearest_neighbor_length`.
    scaling : {"standard", "range"}
        Mean 0 and standard deviation 1 (ddof = 1), or minimum 0 and maximum 1.

    Returns
    -------
    KernelBlock
    """
    counted = known.all(axis=1)
    if scaling == "standard":
        center = values.mean(axis=0)
        scale = values.std(axis=0, ddof=1)
    else:
        center = values.min(axis=0)
        scale = values.max(axis=0) - center
    Z = (values - center) / scale
    length = nearest_neighbor_length(Z) if sigma is None else float(sigma)
    reading = landmarks.read(Z, kernel, length, components)
    nowhere = np.full(len(reading.labels), np.nan)
    return KernelBlock(
        name=name,
        features=tuple(features),
        unit=None,
        matrix=reading.matrix,
        labels=reading.labels,
        scaled=nowhere,
        physical=nowhere,
        lengths=np.full(len(reading.labels), length),
        length=length,
        points=reading.points,
        coordinates=Z,
        center=center,
        scale=scale,
        known=counted,
    )


def group_blocks(
    groups: Mapping[str, Sequence[str]],
    values: np.ndarray,
    known: np.ndarray,
    features: Sequence[str],
    components: Sequence[str],
    kernel: Kernel,
    landmarks: Landmarks,
    *,
    sigma: float | None = None,
) -> list[KernelBlock]:
    """One joint block for each group, its features scaled from 0 to 1.

    Parameters
    ----------
    groups : mapping of str to sequence of str
        Features of every group; a feature belongs to one group at most.
    values, known, features, components, kernel, landmarks, sigma
        As in :func:`joint_block`.

    Returns
    -------
    list of KernelBlock
    """
    place = {name: k for k, name in enumerate(features)}
    blocks = []
    for name, members in groups.items():
        columns = [place[member] for member in members]
        blocks.append(
            joint_block(
                name, values[:, columns], known[:, columns], members, components, kernel, landmarks,
                sigma=sigma, scaling="range",
            )
        )  # fmt: skip
    return blocks


def nearest_neighbor_length(Z: np.ndarray) -> float:
    r"""Length that makes the typical distance to the nearest component count.

    Parameters
    ----------
    Z : ndarray of shape (n_components, n_features)
        Scaled components, not all alike.

    Returns
    -------
    float
        :math:`\sqrt{s/2}` with the median :math:`s` over the components of the
        squared distance to the nearest other one, so that
        :math:`\gamma = 1/s` [1]_. Where most components have a twin (counts of
        electrons) and that median is 0, the median over the distances that
        are not 0.

    References
    ----------
    .. [1] M. Kusaba et al., Phys. Rev. B 108, 134107 (2023), doi:10.1103/PhysRevB.108.134107.

    Examples
    --------
    >>> import numpy as np
    >>> round(0.5 / nearest_neighbor_length(np.array([[0.0], [2.0], [6.0]])) ** 2, 12)
    0.25
    """
    nearest = np.empty(len(Z))
    for start in range(0, len(Z), 1000):
        squared = squared_distances(Z[start : start + 1000], Z)
        squared[np.arange(len(squared)), np.arange(start, start + len(squared))] = np.inf
        nearest[start : start + 1000] = squared.min(axis=1)
    nearest = np.maximum(nearest, 0.0)
    typical = np.median(nearest)
    if typical <= 0:
        apart = nearest[nearest > 0]
        if not len(apart):  # every component has a twin: distances between distinct ones
            return nearest_neighbor_length(np.unique(Z, axis=0))
        typical = np.median(apart)
    return float(np.sqrt(0.5 * typical))


def _one_feature_matrix(kernel: Kernel, points: np.ndarray, lengths: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Similarities of points that see differently far with values, shape (n_points, n_values)."""
    if hasattr(kernel, "value_and_slope"):  # a function of the distance alone
        apart = (points[:, None] - z[None, :]) / (kernel.width * lengths[:, None])
        return kernel.value_and_slope(apart**2)[0]
    matrix = np.empty((len(points), len(z)))
    for length in np.unique(lengths):
        alike = lengths == length
        matrix[alike] = kernel.matrix(points[alike, None], z[:, None], length)
    return matrix


def _require_lengths(lengths: np.ndarray, name: str) -> None:
    """Refuse a single point without a length of its own."""
    if np.isnan(lengths).any():
        raise InputError(
            sentence(
                _PLACE, "sigma", f"be given where a feature has one point, here {name!r}", None,
                remedy="Pass sigma in scaled units, e.g. sigma=0.1, or two points or more.",
            )
        )  # fmt: skip


def _point_labels(points: np.ndarray) -> tuple[str, ...]:
    """Scaled points with three decimals, more where two of them would read the same."""
    for digits in range(3, 17):
        labels = tuple(f"{point:.{digits}f}" for point in points)
        if len(set(labels)) == len(labels):
            return labels
    return tuple(repr(float(point)) for point in points)
