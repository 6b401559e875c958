"""Kernel mean of sites that are no table rows, with exact gradients back to each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import Gaussian, Kernel, Laplace, Matern

__all__ = ["KernelMeanPooling", "PoolingPart"]

PullBack = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

#: Similarities held at once: 32 MB.
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class PoolingPart:
    """Points that look at some columns of the site features.

    Attributes
    ----------
    columns : int ndarray of shape (q,)
    points : ndarray of shape (n_points, q)
        In scaled units.
    lengths : ndarray of shape (n_points,)
        Length scale of every point.
    center, scale : ndarray of shape (q,)
        ``scaled = (feature - center) / scale``.

    Examples
    --------
    >>> one = np.ones(1)
    >>> PoolingPart(np.array([0]), np.zeros((3, 1)), np.ones(3), 0 * one, one).points.shape
    (3, 1)
    """

    columns: np.ndarray
    points: np.ndarray
    lengths: np.ndarray
    center: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class KernelMeanPooling:
    r"""Pool the sites of each structure into one vector of fixed length.

    Site fingerprints, node features of a graph, or any other vectors take the
    place of table rows. The pull-back makes it a layer of a larger model.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        Where the kernel mean is read, in the unit of the features.
    kernel : Gaussian, Laplace or Matern, default=Gaussian()
    length : float, default=1.0
        Length scale in the unit of the features.
    parts : tuple of PoolingPart, optional
        In place of ``points``; see :meth:`from_descriptor`.

    See Also
    --------
    sozai.composition.kernel_mean.KernelMeanDescriptor : The same for rows of a table.

    Notes
    -----
    .. math:: \phi_{nj} = \sum_{s\in n} w_s\,k(\lambda_s, g_j)

    With :math:`G = \partial L/\partial\phi`:
    :math:`\partial L/\partial w_s = \sum_j G_{nj}k(\lambda_s,g_j)` and
    :math:`\partial L/\partial\lambda_s = w_s\sum_j G_{nj}\,\nabla_\lambda k(\lambda_s,g_j)`. For
    functions of :math:`r^2` with :math:`h = -2\,\mathrm dk/\mathrm d(r^2)` the gradient is
    :math:`-h\,(\lambda_s-g_j)/\ell^2`. For the Laplace kernel (and Matern 1/2) the gradient
    jumps where a site meets a point; it is 0 there.

    The order of the sites does not matter, and with equal shares a supercell
    gives the same vector. Cost O(sites x points x features), memory bounded.

    Examples
    --------
    >>> pooling = KernelMeanPooling(np.array([[0.0], [1.0]]))
    >>> sites = np.array([[0.0], [1.0], [0.5]])
    >>> pooling.pool(sites, np.array([0, 2, 3])).round(4).tolist()
    [[0.8033, 0.8033], [0.8825, 0.8825]]
    """

    points: Any = None
    kernel: Kernel = field(default_factory=Gaussian)
    length: float = 1.0
    parts: tuple[PoolingPart, ...] = ()

    def __post_init__(self):
        if not isinstance(self.kernel, (Gaussian, Laplace, Matern)):
            raise InputError(
                sentence(
                    "KernelMeanPooling", "kernel", "be Gaussian, Laplace or Matern, whose gradient is known",
                    type(self.kernel).__name__, remedy="Take Gaussian().",
                )
            )  # fmt: skip
        if self.parts:
            return
        points = np.asarray(self.points, dtype=np.float64)
        if points.ndim != 2 or not points.size or not np.isfinite(points).all():
            raise InputError(
                sentence(
                    "KernelMeanPooling", "points", "be finite numbers of shape (n_points, n_features)",
                    f"shape {points.shape}", remedy="Pass e.g. some sites of the training structures.",
                )
            )  # fmt: skip
        if not (np.isfinite(self.length) and self.length > 0):
            raise InputError(
                sentence(
                    "KernelMeanPooling", "length", "be a positive number", self.length,
                    remedy="Take a typical distance between nearest sites.",
                )
            )  # fmt: skip
        n_points, n_features = points.shape
        part = PoolingPart(
            np.arange(n_features), points, np.full(n_points, float(self.length)),
            np.zeros(n_features), np.ones(n_features),
        )  # fmt: skip
        object.__setattr__(self, "parts", (part,))

    @classmethod
    def from_descriptor(cls, descriptor: Any) -> KernelMeanPooling:
        """Take scaling, points, lengths and kernel of a fitted descriptor.

        Parameters
        ----------
        descriptor : KernelMeanDescriptor
            With a grid or landmarks that are points.

        Returns
        -------
        KernelMeanPooling
            Its features are those of ``descriptor.table_``, in their units.

        Raises
        ------
        InputError
            When the descriptor has random waves, or masks filled-in cells.

        Examples
        --------
        >>> import pandas as pd
        >>> from sozai.composition.kernel_mean import KernelMeanDescriptor
        >>> radii = pd.DataFrame({"radius": [186.0, 60.0]}, index=["Na", "O"])
        >>> descriptor = KernelMeanDescriptor(radii, grid=3).fit()
        >>> pooling = KernelMeanPooling.from_descriptor(descriptor)
        >>> phi = pooling.pool(np.array([[186.0], [186.0], [60.0]]), np.array([0, 3]))
        >>> bool(np.allclose(phi, descriptor.transform(["Na2O"]), atol=1e-14))
        True
        """
        fitted = descriptor._map
        if any(block.points is None for block in fitted.blocks) or not fitted.known.all():
            raise InputError(
                sentence(
                    "KernelMeanPooling.from_descriptor", "descriptor",
                    "have points and use every cell of its table", descriptor.landmarks or descriptor.imputed,
                    remedy="Take AllComponents() and imputed='use'.",
                )
            )  # fmt: skip
        column_of = {name: k for k, name in enumerate(fitted.table.features)}
        parts = tuple(
            PoolingPart(
                np.array([column_of[name] for name in block.features]),
                block.points, block.lengths, block.center, block.scale,
            )
            for block in fitted.blocks
        )  # fmt: skip
        return cls(kernel=fitted.kernel, parts=parts)

    @property
    def n_columns(self) -> int:
        """Length of a pooled vector."""
        return sum(len(part.points) for part in self.parts)

    def pool(self, features: Any, offsets: Any, weights: Any = None) -> np.ndarray:
        """Kernel means of structures.

        Parameters
        ----------
        features : array-like of shape (n_sites, n_features)
            Sites of all structures, one structure after the other.
        offsets : int array-like of shape (n_structures + 1,)
            Sites of structure n are ``features[offsets[n]:offsets[n + 1]]``.
        weights : array-like of shape (n_sites,), optional
            Used as they are; equal shares of sum 1 in every structure when left out.

        Returns
        -------
        ndarray of shape (n_structures, n_columns)
            Zeros for a structure without sites.

        Raises
        ------
        InputError
            When the arrays do not fit together.
        """
        features, offsets, weights = self._checked(features, offsets, weights)
        phi = np.zeros((len(offsets) - 1, self.n_columns))
        for first, last in self._blocks(offsets):
            sites = slice(offsets[first], offsets[last])
            weighted = weights[sites, None] * self._similarities(features[sites])
            filled = np.flatnonzero(np.diff(offsets[first : last + 1])) + first
            if len(filled):
                phi[filled] = np.add.reduceat(weighted, offsets[filled] - offsets[first], axis=0)
        return phi

    def pool_and_pullback(
        self, features: Any, offsets: Any, weights: Any = None
    ) -> tuple[np.ndarray, PullBack]:
        r"""Kernel means, and the map from their gradients to those of the sites.

        Parameters
        ----------
        features, offsets, weights
            As in :meth:`pool`.

        Returns
        -------
        phi : ndarray of shape (n_structures, n_columns)
        pullback : callable
            Takes :math:`\partial L/\partial\phi` and gives
            :math:`\partial L/\partial\lambda`, shape (n_sites, n_features), and
            :math:`\partial L/\partial w`, shape (n_sites,).

        Examples
        --------
        >>> pooling = KernelMeanPooling(np.array([[0.0]]))
        >>> phi, pullback = pooling.pool_and_pullback(np.array([[1.0]]), [0, 1])
        >>> by_site, by_weight = pullback(np.ones((1, 1)))
        >>> by_site.round(4).tolist(), by_weight.round(4).tolist()
        ([[-0.6065]], [0.6065])
        """
        features, offsets, weights = self._checked(features, offsets, weights)
        phi = self.pool(features, offsets, weights)

        def pullback(gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            gradient = np.asarray(gradient, dtype=np.float64)
            if gradient.shape != phi.shape:
                raise InputError(
                    sentence(
                        "KernelMeanPooling.pullback", "gradient", f"have the shape {phi.shape} of phi",
                        gradient.shape, remedy="Pass the derivative of the loss by phi.",
                    )
                )  # fmt: skip
            by_feature, by_weight = np.zeros(features.shape), np.zeros(len(features))
            counts = np.diff(offsets)
            for first, last in self._blocks(offsets):
                sites = slice(offsets[first], offsets[last])
                upstream = np.repeat(gradient[first:last], counts[first:last], axis=0)
                self._pull(features[sites], weights[sites], upstream, by_feature[sites], by_weight[sites])
            return by_feature, by_weight

        return phi, pullback

    # --- one block of sites --------------------------------------------------------------------------

    def _similarities(self, features: np.ndarray) -> np.ndarray:
        """Similarity of every site with every point, shape (n_sites, n_columns)."""
        return np.concatenate([self._part(features, part)[0] for part in self.parts], axis=1)

    def _part(self, features: np.ndarray, part: PoolingPart) -> tuple[np.ndarray, list[np.ndarray]]:
        """Similarities with the points of a part, and signed distances in lengths, feature by feature."""
        Z = (features[:, part.columns] - part.center) / part.scale
        lengths = self.kernel.width * part.lengths
        apart = [(Z[:, j, None] - part.points[:, j]) / lengths for j in range(Z.shape[1])]
        if isinstance(self.kernel, Laplace):
            return np.exp(-sum(np.abs(distance) for distance in apart)), apart
        return self.kernel.value_and_slope(sum(distance**2 for distance in apart))[0], apart

    def _pull(self, features, weights, upstream, by_feature, by_weight) -> None:
        """Add the gradients of one block of sites, in place."""
        start = 0
        for part in self.parts:
            G = upstream[:, start : start + len(part.points)]
            start += len(part.points)
            value, apart = self._part(features, part)
            by_weight += np.einsum("sj,sj->s", G, value)
            scaled = weights[:, None] * G / (self.kernel.width * part.lengths)
            if isinstance(self.kernel, Laplace):
                slopes = [value * np.sign(distance) for distance in apart]
            else:
                h = self.kernel.value_and_slope(sum(distance**2 for distance in apart))[1]
                slopes = [h * distance for distance in apart]
            for j, column in enumerate(part.columns):
                by_feature[:, column] -= np.einsum("sj,sj->s", scaled, slopes[j]) / part.scale[j]

    def _blocks(self, offsets: np.ndarray) -> list[tuple[int, int]]:
        """Ranges of whole structures whose similarities fit into the bound on memory."""
        most = max(1, _BLOCK_CELLS // self.n_columns)
        blocks, first = [], 0
        while first < len(offsets) - 1:
            last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + most, side="right")) - 1)
            blocks.append((first, last))
            first = last
        return blocks

    def _checked(self, features: Any, offsets: Any, weights: Any) -> tuple[np.ndarray, ...]:
        """Arrays that fit together."""
        features = np.asarray(features, dtype=np.float64)
        offsets = np.asarray(offsets, dtype=np.int64)
        n_features = 1 + max(int(part.columns.max()) for part in self.parts)
        place = "KernelMeanPooling.pool"
        if features.ndim != 2 or features.shape[1] != n_features or not np.isfinite(features).all():
            raise InputError(
                sentence(
                    place, "features", f"be finite numbers of shape (n_sites, {n_features})",
                    f"shape {features.shape}", remedy="Pass the features the points are made of.",
                )
            )  # fmt: skip
        rises = offsets.ndim == 1 and len(offsets) > 0 and bool((np.diff(offsets) >= 0).all())
        if not rises or offsets[0] != 0 or offsets[-1] != len(features):
            raise InputError(
                sentence(
                    place, "offsets", f"rise from 0 to the number of sites ({len(features)})", offsets,
                    remedy="Pass np.concatenate([[0], np.cumsum(n_sites)]).",
                )
            )  # fmt: skip
        if weights is None:
            counts = np.diff(offsets)
            return features, offsets, np.repeat(1.0 / np.maximum(counts, 1), counts)
        weights = np.asarray(weights, dtype=np.float64)
        if weights.shape != (len(features),) or not np.isfinite(weights).all():
            raise InputError(
                sentence(
                    place, "weights", f"be finite, one for each of the {len(features)} sites",
                    f"shape {weights.shape}", remedy="Leave them out for equal shares.",
                )
            )  # fmt: skip
        return features, offsets, weights
