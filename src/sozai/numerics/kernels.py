"""Stationary kernels, their length-scale derivatives, their spectral samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["Gaussian", "Kernel", "Laplace", "Matern", "squared_distances"]

Array = NDArray[np.float64]
PullBack = Callable[[Array], Array]

#: Below this share of the two squared norms the expanded square has lost its digits.
_CANCELLED = 1e-7


class Kernel:
    """Similarity of two points, 1 where they coincide; its amplitude lives in the process.

    A child says how similarity falls with distance, and nothing else.

    Attributes
    ----------
    width : float
        Multiplies every length scale.

    See Also
    --------
    sklearn.gaussian_process.kernels.Kernel : Carries its parameters itself.

    Notes
    -----
    Later kernels (of compositions, categories, graphs) need the three methods
    ``matrix``, ``matrix_and_pullback`` and ``diagonal`` to take part in a process.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[0.0], [1.0]])
    >>> Gaussian(width=2.0).matrix(points).round(4).tolist()
    [[1.0, 0.8825], [0.8825, 1.0]]
    """

    width: float

    def __post_init__(self) -> None:
        """Refuse a width that is no length."""
        if not (np.isfinite(self.width) and self.width > 0):
            raise InputError(
                sentence(
                    type(self).__name__, "width", "be a positive number", self.width,
                    remedy="Pass a length in the unit of the points.",
                )
            )  # fmt: skip

    def matrix(self, A: Array, B: Array | None = None, length_scales: Array | float = 1.0) -> Array:
        """Similarities of all pairs, shape (n_a, n_b); of ``A`` with itself when ``B`` is left out.

        Parameters
        ----------
        A, B : ndarray of shape (n, n_columns)
        length_scales : float or ndarray of shape (n_columns,)
            A distance of one length scale counts as 1.
        """
        raise NotImplementedError

    def matrix_and_pullback(self, Z: Array, length_scales: Array) -> tuple[Array, PullBack]:
        r"""Similarities of ``Z`` with itself, and the map from weights to gradients.

        Returns
        -------
        matrix : ndarray of shape (n, n)
        pullback : callable
            Takes symmetric weights :math:`W_{ab}`, gives
            :math:`\sum_{ab} W_{ab}\, \partial K_{ab}/\partial\log\ell_j`, shape (n_columns,).
        """
        raise NotImplementedError

    def diagonal(self, Z: Array) -> Array:
        """Similarity of every point with itself: ones."""
        return np.ones(len(Z))


class _Radial(Kernel):
    r"""Kernel of the Euclidean distance :math:`r^2 = \sum_j (z_j - z'_j)^2/\ell_j^2`.

    Notes
    -----
    With :math:`h(r) = -2\,\mathrm dk/\mathrm d(r^2)` and :math:`D_j = (z_j - z'_j)/\ell_j`,
    :math:`\partial k/\partial\log\ell_j = h(r) D_j^2`. For weights :math:`W`, with
    :math:`G = W \circ h` and :math:`g = G1`, all gradients need no n by n by p tensor:
    :math:`\sum_{ab} W_{ab}\,\partial k_{ab}/\partial\log\ell_j
    = 2\ell_j^{-2}(\sum_a g_a z_{aj}^2 - z_j^T G z_j)`.
    """

    def value_and_slope(self, squared: Array) -> tuple[Array, Array]:
        """Return k and h at squared distances."""
        raise NotImplementedError

    def matrix(self, A: Array, B: Array | None = None, length_scales: Array | float = 1.0) -> Array:
        """Similarities of all pairs from their distances."""
        scales = self.width * np.asarray(length_scales, dtype=np.float64)
        squared = squared_distances(A / scales, None if B is None else B / scales)
        return self.value_and_slope(squared)[0]

    def matrix_and_pullback(self, Z: Array, length_scales: Array) -> tuple[Array, PullBack]:
        """Similarities, and weights to gradients by one product of matrices."""
        scaled = (Z - Z.mean(axis=0)) / (self.width * length_scales)
        value, slope = self.value_and_slope(squared_distances(scaled))

        def pullback(weights: Array) -> Array:
            weighted = weights * slope
            inner = (weighted @ scaled * scaled).sum(axis=0)
            return np.asarray(2.0 * (weighted.sum(axis=1) @ scaled**2 - inner))

        return value, pullback

    def sample_frequencies(self, n: int, n_columns: int, rng: np.random.Generator) -> Array:
        r"""Draw from the spectral density, so that :math:`k(z, z') = E\cos\omega^T(z - z')/\ell`.

        Parameters
        ----------
        n, n_columns : int
        rng : Generator

        Returns
        -------
        ndarray of shape (n, n_columns)
            Frequencies for points measured in length scales.
        """
        return rng.standard_normal((n, n_columns)) / self.width


@dataclass(frozen=True)
class Gaussian(_Radial):
    r"""Infinitely smooth: :math:`k = e^{-r^2/2}`.

    Parameters
    ----------
    width : float, default=1.0
        Multiplies every length scale.

    See Also
    --------
    sklearn.gaussian_process.kernels.RBF : The same function.

    Examples
    --------
    >>> import numpy as np
    >>> float(Gaussian().matrix(np.array([[0.0]]), np.array([[2.0]]))[0, 0].round(6))
    0.135335
    """

    width: float = 1.0

    def value_and_slope(self, squared: Array) -> tuple[Array, Array]:
        """Return k and h; here they are equal."""
        value = np.exp(-0.5 * squared)
        return value, value


@dataclass(frozen=True)
class Matern(_Radial):
    r"""Smooth to a chosen order: :math:`\nu` = 1/2, 3/2 or 5/2.

    Parameters
    ----------
    nu : {0.5, 1.5, 2.5}, default=2.5
        Samples have 0, 1 or 2 derivatives.
    width : float, default=1.0
        Multiplies every length scale.

    See Also
    --------
    sklearn.gaussian_process.kernels.Matern : The same function for any order.

    Notes
    -----
    ======  ==============================================  =====================================
    nu      k                                               h
    ======  ==============================================  =====================================
    1/2     :math:`e^{-r}`                                  :math:`e^{-r}/r`, 0 at r = 0
    3/2     :math:`(1 + \sqrt3 r) e^{-\sqrt3 r}`            :math:`3 e^{-\sqrt3 r}`
    5/2     :math:`(1 + \sqrt5 r + 5r^2/3) e^{-\sqrt5 r}`   :math:`(5/3)(1+\sqrt5 r)e^{-\sqrt5 r}`
    ======  ==============================================  =====================================

    Examples
    --------
    >>> import numpy as np
    >>> float(Matern(1.5).matrix(np.array([[0.0]]), np.array([[1.0]]))[0, 0].round(6))
    0.483358
    """

    nu: float = 2.5
    width: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an order without a closed form, and a width that is no length."""
        super().__post_init__()
        if self.nu not in (0.5, 1.5, 2.5):
            raise InputError(
                sentence(
                    "Matern", "nu", "be 0.5, 1.5 or 2.5", self.nu,
                    remedy="Take 2.5, or Gaussian() for a smoother one.",
                )
            )  # fmt: skip

    def value_and_slope(self, squared: Array) -> tuple[Array, Array]:
        """Return k and h at squared distances."""
        root = np.sqrt(2.0 * self.nu * squared)
        fall = np.exp(-root)
        if self.nu == 0.5:
            slope = np.divide(fall, root, out=np.zeros_like(fall), where=root > 0)
            return fall, slope
        if self.nu == 1.5:
            return (1.0 + root) * fall, 3.0 * fall
        slope = (1.0 + root) * fall
        return slope + (5.0 / 3.0) * squared * fall, (5.0 / 3.0) * slope

    def sample_frequencies(self, n: int, n_columns: int, rng: np.random.Generator) -> Array:
        r"""Draw from the spectral density: normal over :math:`\sqrt{\chi^2_{2\nu}/2\nu}`, a Student t."""
        normal = super().sample_frequencies(n, n_columns, rng)
        return normal / np.sqrt(rng.chisquare(2.0 * self.nu, size=(n, 1)) / (2.0 * self.nu))


@dataclass(frozen=True)
class Laplace(Kernel):
    r"""Rough along every axis: :math:`k = e^{-\sum_j |z_j - z'_j|/\ell_j}`.

    Parameters
    ----------
    width : float, default=1.0
        Multiplies every length scale.

    See Also
    --------
    sklearn.metrics.pairwise.laplacian_kernel : The same function.
    Matern : With ``nu=0.5`` the same of the Euclidean distance.

    Examples
    --------
    >>> import numpy as np
    >>> float(Laplace().matrix(np.array([[0.0, 0.0]]), np.array([[1.0, 1.0]]))[0, 0].round(6))
    0.135335
    """

    width: float = 1.0

    def matrix(self, A: Array, B: Array | None = None, length_scales: Array | float = 1.0) -> Array:
        """Similarities of all pairs, column by column."""
        scales = self.width * np.asarray(length_scales, dtype=np.float64)
        left = A / scales
        right = left if B is None else B / scales
        total = np.zeros((len(left), len(right)))
        for j in range(left.shape[1]):
            total += np.abs(left[:, j, None] - right[None, :, j])
        return np.exp(-total)

    def matrix_and_pullback(self, Z: Array, length_scales: Array) -> tuple[Array, PullBack]:
        r"""Similarities, and weights to gradients by :math:`\partial k/\partial\log\ell_j = k|D_j|`."""
        value = self.matrix(Z, None, length_scales)
        scaled = Z / (self.width * length_scales)

        def pullback(weights: Array) -> Array:
            weighted = weights * value
            spread = [np.abs(column[:, None] - column[None, :]) for column in scaled.T]
            return np.array([np.vdot(weighted, part) for part in spread], dtype=np.float64)

        return value, pullback

    def sample_frequencies(self, n: int, n_columns: int, rng: np.random.Generator) -> Array:
        """Draw from the spectral density: independent Cauchy numbers."""
        return rng.standard_cauchy((n, n_columns)) / self.width


def squared_distances(A: Array, B: Array | None = None) -> Array:
    r"""Squared Euclidean distances of all pairs by one matrix product.

    Parameters
    ----------
    A : ndarray of shape (n_a, n_columns)
    B : ndarray of shape (n_b, n_columns), optional
        ``A`` itself when left out; its diagonal is then exactly zero.

    Returns
    -------
    ndarray of shape (n_a, n_b)

    Notes
    -----
    :math:`|a|^2 + |b|^2 - 2a^Tb` on centered points; pairs so near that the
    digits cancel are computed from their difference.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[1e6], [1e6 + 1e-4]])
    >>> squared_distances(points)[0, 1].round(12)
    np.float64(1e-08)
    """
    center = A.mean(axis=0)
    left = A - center
    right = left if B is None else B - center
    norms_left, norms_right = (left**2).sum(axis=1), (right**2).sum(axis=1)
    size = norms_left[:, None] + norms_right[None, :]
    squared = size - 2.0 * (left @ right.T)
    near = squared < _CANCELLED * size
    if B is None:
        np.fill_diagonal(near, False)
        np.fill_diagonal(squared, 0.0)
    rows, columns = np.nonzero(near)
    if rows.size:
        squared[rows, columns] = ((left[rows] - right[columns]) ** 2).sum(axis=1)
    return np.asarray(squared)
