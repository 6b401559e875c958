"""Several properties of many points under one separable process: landmarks in place of all pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from sozai.contracts.errors import InputError, NotInvertibleError, sentence
from sozai.numerics.coregional_evidence import Cells, CoregionalParameters, Layout
from sozai.numerics.kernels import Kernel, squared_distances
from sozai.numerics.process_evidence import factorize

__all__ = ["LandmarkEvidence", "LandmarkPosterior", "choose_landmarks"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Points handled at once.
BLOCK = 4096
#: Share of the diagonal that keeps the landmarks' own matrix definite.
JITTER = 1e-8


def choose_landmarks(
    kernel: Kernel, Z: Array, length_scales: Array, n_landmarks: int, rng: np.random.Generator
) -> Ints:
    r"""Points that stand for all others, drawn where those drawn before say least.

    Parameters
    ----------
    kernel : Kernel
    Z : ndarray of shape (n, n_columns)
        Of more than 8,192 points a random part of that size is looked at.
    length_scales : ndarray of shape (n_columns,)
    n_landmarks : int
    rng : Generator

    Returns
    -------
    ndarray of int of shape (at most n_landmarks,)
        Fewer when the points are exhausted.

    Notes
    -----
    Randomly pivoted Cholesky [1]_: the next landmark is drawn with probability proportional to the
    variance that is left. :math:`O(n m^2)` time, :math:`8nm` bytes.

    References
    ----------
    .. [1] Y. Chen, E. N. Epperly, J. A. Tropp, R. J. Webber, Commun. Pure Appl. Math. 78, 995 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Z = np.repeat([[0.0], [5.0], [9.0]], 10, axis=0)
    >>> found = choose_landmarks(Gaussian(), Z, np.ones(1), 5, np.random.default_rng(0))
    >>> sorted(Z[found, 0].tolist())
    [0.0, 5.0, 9.0]
    """
    pool = np.arange(len(Z)) if len(Z) <= 8192 else np.sort(rng.permutation(len(Z))[:8192])
    points, left = Z[pool], kernel.diagonal(Z[pool]).copy()
    m = min(n_landmarks, len(pool))
    factor, chosen = np.empty((len(pool), m)), []
    for k in range(m):
        total = float(left.sum())
        if total <= 1e-10 * len(pool):
            break
        pivot = int(np.searchsorted(np.cumsum(left), rng.random() * total, side="right"))
        pivot = min(pivot, len(pool) - 1)
        column = kernel.matrix(points, points[pivot : pivot + 1], length_scales)[:, 0]
        column -= factor[:, :k] @ factor[pivot, :k]
        if column[pivot] <= 1e-12:
            left[pivot] = 0.0
            factor[:, k] = 0.0
            continue
        factor[:, k] = column / np.sqrt(column[pivot])
        left = np.maximum(left - factor[:, k] ** 2, 0.0)
        left[pivot] = 0.0
        chosen.append(pivot)
    return pool[np.array(chosen, dtype=np.int64)]


@dataclass(frozen=True, eq=False)
class _Block:
    """Some points seen through the landmarks.

    Attributes: rows; similar (b, m) kernel values; features z (b, m) with z.z' near k; rest (b,) = 1 - |z|^2;
    precision (b, t, t), inverse covariance of the cells of a point given the landmarks, 0 where not measured;
    log_determinant (b,) of that covariance.
    """

    rows: slice
    similar: Array
    features: Array
    rest: Array
    precision: Array
    log_determinant: Array


class LandmarkEvidence:
    r"""Negative log marginal likelihood with landmarks, points being independent given them.

    Parameters
    ----------
    kernel : Gaussian or Matern
    cells : Cells
    layout : Layout
    landmarks : ndarray of shape (m, n_columns)

    Notes
    -----
    With :math:`\hat k = k_{nm}K_{mm}^{-1}k_{mn} = z_n^Tz_{n'}` the covariance of two cells is
    :math:`\hat k(z_n, z_{n'})B_{tt'}` between points and the exact
    :math:`k(z_n, z_n)B_{tt'} + \delta\sigma^2` within a point, so that the
    properties of one material inform each other fully [1]_, [2]_.
    Let :math:`R_n` be the inverse of the cells' covariance given the landmarks, 0 where nothing was measured,
    :math:`A = I + \sum_n L^TR_nL \otimes z_nz_n^T`, :math:`H_n = [z_n^T(A^{-1})_{rs}z_n]_{rs}`,
    :math:`\alpha = C^{-1}y` and :math:`Q_n = R_n - R_nLH_nL^TR_n - \alpha_n\alpha_n^T`. Then

    .. math:: \frac{\partial J}{\partial L} = \sum_n R_nLH_n - (\alpha^TZ)(\alpha^TZ)^TL
       + \sum_n (1 - |z_n|^2)\,Q_nL,

    and for the kernel :math:`\partial J = \langle G, \partial K_{nm}\rangle
    - \tfrac12\langle PG, \partial K_{mm}\rangle` with :math:`P = K_{mm}^{-1}K_{mn}` and rows

    .. math:: G_n = \Big[\sum_{rs}(L^TR_nL)_{sr}\,z_n^T(A^{-1})_{rs} - \alpha_n^TB\,\alpha^TZ
       - \mathrm{tr}(Q_nB)\,z_n^T\Big]\,\mathrm{chol}(K_{mm})^{-1}.

    No array has as many rows as there are points and as many columns as landmarks: blocks of 4,096 points
    are made twice a value. :math:`O(n m^2 T^2)` time for T properties; memory :math:`16(mT)^2 + 33\,000\,m`
    bytes (83 MB for 1,000 landmarks and two properties).

    References
    ----------
    .. [1] E. Snelson, Z. Ghahramani, Proc. Mach. Learn. Res. 2, 524 (2007).
    .. [2] J. Quiñonero-Candela, C. E. Rasmussen, J. Mach. Learn. Res. 6, 1939 (2005).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Y = np.array([[0.0, 1.0], [1.0, np.nan], [2.0, 3.0]])
    >>> cells = Cells.from_table(np.linspace(0, 1, 3)[:, None], Y)
    >>> evidence = LandmarkEvidence(Gaussian(), cells, Layout(1, 2), cells.Z[:2])
    >>> evidence(evidence.layout.start(0.0, -2.0, np.eye(2)))[1].shape
    (6,)
    """

    def __init__(self, kernel: Kernel, cells: Cells, layout: Layout, landmarks: Array) -> None:
        if not hasattr(kernel, "value_and_slope"):
            raise InputError(
                sentence(
                    "LandmarkEvidence", "kernel", "be Gaussian or Matern with landmarks", kernel,
                    remedy="Take Matern(), or few enough cells for the dense route.",
                )
            )  # fmt: skip
        self.kernel, self.cells, self.layout, self.landmarks = kernel, cells, layout, landmarks

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient of J; a covariance that cannot be factorized counts as very bad."""
        part = self.layout.unpack(theta)
        try:
            known = LandmarkPosterior(self, part)
        except NotInvertibleError:
            return 1e10, np.zeros_like(theta)
        return known.level, self._gradient(part, known)

    def posterior(self, theta: Array, *, place: str) -> LandmarkPosterior:
        """Condition on the cells."""
        return LandmarkPosterior(self, self.layout.unpack(theta))

    def root(self, part: CoregionalParameters) -> Array:
        """Lower Cholesky factor of the landmarks' matrix."""
        K = self.kernel.matrix(self.landmarks, None, part.length_scales)
        K.flat[:: len(K) + 1] += JITTER
        return factorize(K)[0]

    def blocks(self, part: CoregionalParameters, root: Array, Z: Array | None = None) -> Iterator[_Block]:
        """All points in turn; of new points (``Z`` given) nothing was measured."""
        points = self.cells.Z if Z is None else Z
        B, n_properties = part.covariance, len(part.noise)
        for first in range(0, len(points), BLOCK):
            rows = slice(first, min(first + BLOCK, len(points)))
            similar = self.kernel.matrix(points[rows], self.landmarks, part.length_scales)
            features = solve_triangular(root, similar.T, lower=True, check_finite=False).T
            rest = np.maximum(1.0 - (features**2).sum(axis=1), 0.0)
            size = rows.stop - rows.start
            if Z is not None:
                empty = np.zeros((size, n_properties, n_properties))
                yield _Block(rows, similar, features, rest, empty, np.zeros(size))
                continue
            measured = self.cells.measured[rows]
            pairs = measured[:, :, None] & measured[:, None, :]
            within = rest[:, None, None] * B
            diagonal = np.arange(n_properties)
            within[:, diagonal, diagonal] += self.cells.noise(part.noise)[rows]
            within = np.where(pairs, within, np.eye(n_properties))
            precision = np.where(pairs, np.linalg.inv(within), 0.0)
            yield _Block(rows, similar, features, rest, precision, np.linalg.slogdet(within)[1])

    def _gradient(self, part: CoregionalParameters, known: LandmarkPosterior) -> Array:
        """Gradient from the weights that the kernel, the property covariance and the noise receive."""
        L, B = part.mixing, part.covariance
        n_properties, m = len(B), len(self.landmarks)
        carried = known.carried  # alpha^T Z, shape (n_properties, m)
        mixing, noise = -(carried @ carried.T) @ L, np.zeros(n_properties)
        inner, lengths = np.zeros((m, m)), np.zeros(len(part.length_scales))
        for block in self.blocks(part, known.root):
            alpha, z = known.alpha[block.rows], block.features
            H, products = known.spread(z)
            RL = block.precision @ L
            Q = block.precision - RL @ H @ RL.transpose(0, 2, 1)
            Q -= alpha[:, :, None] * alpha[:, None, :]
            mixing += (RL @ H).sum(axis=0) + np.einsum("b,bts->ts", block.rest, Q) @ L
            noise += (np.einsum("btt->bt", Q) * self.cells.share[block.rows]).sum(axis=0)
            M = L.T @ RL
            G = -(alpha @ B) @ carried - np.einsum("bts,ts->b", Q, B)[:, None] * z
            for (r, s), product in products.items():
                G += M[:, r, s, None] * product
            G = solve_triangular(known.root, G.T, lower=True, trans=1, check_finite=False).T
            P = solve_triangular(known.root, z.T, lower=True, trans=1, check_finite=False)
            inner += P @ G
            points = self.cells.Z[block.rows]
            lengths += self._pull(points, self.landmarks, G, part.length_scales)
        inner = 0.5 * (inner + inner.T)
        lengths -= 0.5 * self._pull(self.landmarks, self.landmarks, inner, part.length_scales)
        return self.layout.pack(lengths, mixing, 0.5 * part.noise * noise)

    def _pull(self, A: Array, B: Array, weights: Array, length_scales: Array) -> Array:
        """Sums of weights times the derivatives of kernel values by the logarithms of the length scales."""
        scales = self.kernel.width * length_scales
        center = B.mean(axis=0)
        left, right = (A - center) / scales, (B - center) / scales
        _, slope = self.kernel.value_and_slope(squared_distances(left, right))
        G = weights * slope
        if not self.layout.separate:
            total = np.zeros(len(length_scales))
            total[0] = float(np.vdot(G, squared_distances(left, right)))
            return total
        cross = ((G @ right) * left).sum(axis=0)
        return np.asarray(G.sum(axis=1) @ left**2 + G.sum(axis=0) @ right**2 - 2.0 * cross)


class LandmarkPosterior:
    r"""Process conditioned on the measured cells through the landmarks.

    Parameters
    ----------
    evidence : LandmarkEvidence
    parameters : CoregionalParameters

    Attributes
    ----------
    level : float
        Negative log marginal likelihood.
    alpha : ndarray of shape (n, n_properties)
        Weights of the cells, 0 where not measured.

    Notes
    -----
    Symbols as in :class:`LandmarkEvidence`, :math:`\rho_n = 1 - |z_n|^2`. At a new point the covariance of
    the properties is :math:`\rho B + LHL^T`; at a point of the table

    .. math:: (I - \rho BR)\,LHL^T(I - \rho RB) + \rho B - \rho^2 BRB.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> cells = Cells.from_table(np.array([[0.0], [1.0]]), np.array([[1.0, np.nan], [np.nan, 1.0]]))
    >>> evidence = LandmarkEvidence(Gaussian(), cells, Layout(1, 2), cells.Z[:1])
    >>> known = evidence.posterior(evidence.layout.start(0.0, -8.0, np.eye(2)), place="here")
    >>> known.at_cells()[0].round(2).tolist()
    [[1.0, 0.61], [0.61, 1.0]]
    """

    def __init__(self, evidence: LandmarkEvidence, parameters: CoregionalParameters) -> None:
        self.evidence, self.parameters = evidence, parameters
        self.root = evidence.root(parameters)
        n, n_properties = evidence.cells.Y.shape
        m, L = len(self.root), parameters.mixing
        grams = {pair: np.zeros((m, m)) for pair in self._pairs(n_properties)}
        b, level = np.zeros((n_properties, m)), 0.5 * len(evidence.cells) * np.log(2.0 * np.pi)
        for block in evidence.blocks(parameters, self.root):
            Y = evidence.cells.Y[block.rows]
            weighted = np.einsum("bts,bs->bt", block.precision, Y)
            level += 0.5 * float(block.log_determinant.sum()) + 0.5 * float(np.vdot(weighted, Y))
            b += (weighted @ L).T @ block.features
            M = L.T @ block.precision @ L
            for (r, s), gram in grams.items():
                gram += block.features.T @ (M[:, r, s, None] * block.features)
        self._solve(grams, b)
        self.level = level + float(np.log(np.diag(self._factor)).sum())
        self.level -= 0.5 * float(b.ravel() @ self._weights.ravel())
        self.alpha, self.carried = np.zeros((n, n_properties)), np.zeros((n_properties, m))
        for block in evidence.blocks(parameters, self.root):
            left = evidence.cells.Y[block.rows] - self._mean(block.features)
            self.alpha[block.rows] = np.einsum("bts,bs->bt", block.precision, left)
            self.carried += self.alpha[block.rows].T @ block.features

    def spread(self, features: Array) -> tuple[Array, dict[tuple[int, int], Array]]:
        """H of every point, shape (b, T, T), and the products behind it."""
        n_properties = len(self.parameters.noise)
        H = np.empty((len(features), n_properties, n_properties))
        products = {}
        for r, s in self._pairs(n_properties):
            product = features @ self._inverse_blocks[r, s]
            products[r, s] = product
            value = (product * features).sum(axis=1)
            H[:, r, s] = H[:, s, r] = value if r == s else 0.5 * value
        return H, products

    def at_points(self, Z: Array) -> tuple[Array, Array]:
        """Means and variances of all properties at new points, shapes (n, n_properties)."""
        mean, variance = self._empty(len(Z))
        B, L = self.parameters.covariance, self.parameters.mixing
        for block in self.evidence.blocks(self.parameters, self.root, Z):
            H, _ = self.spread(block.features)
            mean[block.rows] = self._mean(block.features)
            full = block.rest[:, None, None] * B + L @ H @ L.T
            variance[block.rows] = np.einsum("btt->bt", full)
        return mean, variance

    def at_cells(self) -> tuple[Array, Array]:
        """Means and variances at the points of the table, measured or not."""
        mean, variance = self._empty(len(self.alpha))
        B, L = self.parameters.covariance, self.parameters.mixing
        for block in self.evidence.blocks(self.parameters, self.root):
            H, _ = self.spread(block.features)
            rho = block.rest[:, None, None]
            mean[block.rows] = self._mean(block.features) + block.rest[:, None] * (self.alpha[block.rows] @ B)
            gain = np.eye(len(B)) - rho * (B @ block.precision)
            full = gain @ (L @ H @ L.T) @ gain.transpose(0, 2, 1)
            full += rho * B - rho**2 * (B @ block.precision @ B)
            variance[block.rows] = np.einsum("btt->bt", full)
        return mean, variance

    def leave_one_out(self) -> tuple[Array, Array]:
        """Every measured cell without itself: mean and variance of a new measurement, NaN elsewhere."""
        cells, L = self.evidence.cells, self.parameters.mixing
        mean, variance = self._empty(len(self.alpha))
        for block in self.evidence.blocks(self.parameters, self.root):
            H, _ = self.spread(block.features)
            RL = block.precision @ L
            full = block.precision - RL @ H @ RL.transpose(0, 2, 1)
            own = np.where(cells.measured[block.rows], np.einsum("btt->bt", full), np.nan)
            mean[block.rows] = cells.Y[block.rows] - self.alpha[block.rows] / own
            variance[block.rows] = 1.0 / own
        return mean, variance

    def _solve(self, grams: dict[tuple[int, int], Array], b: Array) -> None:
        """Factor of A, its inverse by blocks (both halves of a pair added), and A^-1 b."""
        n_properties, m = b.shape
        A = np.eye(n_properties * m)
        places = [slice(r * m, (r + 1) * m) for r in range(n_properties)]
        for (r, s), gram in grams.items():
            A[places[r], places[s]] += gram
            if r != s:
                A[places[s], places[r]] += gram.T
        self._factor, _ = factorize(A)
        del A
        half = solve_triangular(self._factor, b.ravel(), lower=True, check_finite=False)
        solved = solve_triangular(self._factor, half, lower=True, trans=1, check_finite=False)
        self._weights = solved.reshape(n_properties, m)
        inverse, _ = lapack.dpotri(self._factor, lower=1)
        self._inverse_blocks = {}
        for r, s in grams:
            part = inverse[places[r], places[s]]
            self._inverse_blocks[r, s] = np.tril(part) + np.tril(part, -1).T if r == s else part + part.T

    def _mean(self, features: Array) -> Array:
        """Means through the landmarks, shape (b, n_properties)."""
        return np.asarray(features @ self._weights.T @ self.parameters.mixing.T)

    def _empty(self, n: int) -> tuple[Array, Array]:
        """Two arrays for means and variances."""
        shape = (n, len(self.parameters.noise))
        return np.empty(shape), np.empty(shape)

    @staticmethod
    def _pairs(n_properties: int) -> list[tuple[int, int]]:
        """Pairs r >= s."""
        return [(r, s) for r in range(n_properties) for s in range(r + 1)]
