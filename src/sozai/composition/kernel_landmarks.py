"""Points in the space of all features at which a joint kernel mean is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence

__all__ = [
    "AllComponents",
    "KMeansLandmarks",
    "LandmarkReading",
    "Landmarks",
    "PivotedCholeskyLandmarks",
    "RandomFourierFeatures",
    "as_landmarks",
]

#: Above this many components a square matrix of them takes more than 3 GB.
_MOST_COMPONENTS = 20_000


@dataclass(frozen=True, eq=False)
class LandmarkReading:
    """What the points of a joint kernel see of the components.

    Attributes
    ----------
    matrix : ndarray of shape (n_points, n_components)
    labels : tuple of str
        One per row of ``matrix``.
    points : ndarray of shape (n_points, n_features) or None
        The points in scaled units; None for random waves, which have none.
    """

    matrix: np.ndarray
    labels: tuple[str, ...]
    points: np.ndarray | None


class Landmarks:
    """Where a joint kernel mean is read.

    See Also
    --------
    AllComponents : The published choice.

    Examples
    --------
    >>> Landmarks().read(None, None, 1.0, ())
    Traceback (most recent call last):
    ...
    NotImplementedError
    """

    def read(self, Z: np.ndarray, kernel: Any, length: float, names: Sequence[str]) -> LandmarkReading:
        """Similarity of every point with every component.

        Parameters
        ----------
        Z : ndarray of shape (n_components, n_features)
            Components in scaled units.
        kernel : Kernel
        length : float
            A distance of one length counts as 1.
        names : sequence of str
            Names of the components.

        Returns
        -------
        LandmarkReading
        """
        raise NotImplementedError


@dataclass(frozen=True)
class AllComponents(Landmarks):
    """Every component is a point: the published joint descriptor.

    See Also
    --------
    PivotedCholeskyLandmarks : Only those components that add something.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> reading = AllComponents().read(np.array([[0.0], [1.0]]), Gaussian(), 1.0, ["Li", "O"])
    >>> reading.labels, reading.matrix.round(3).tolist()
    (('Li', 'O'), [[1.0, 0.607], [0.607, 1.0]])
    """

    def read(self, Z: np.ndarray, kernel: Any, length: float, names: Sequence[str]) -> LandmarkReading:
        """Similarities of all components with each other.

        Parameters
        ----------
        Z, kernel, length, names
            As in :meth:`Landmarks.read`.

        Returns
        -------
        LandmarkReading

        Raises
        ------
        InputError
            When the square matrix would not fit into memory.
        """
        if len(Z) > _MOST_COMPONENTS:
            raise InputError(
                sentence(
                    "AllComponents", "the table", f"hold at most {_MOST_COMPONENTS} components", len(Z),
                    remedy="Pass landmarks=KMeansLandmarks(500).",
                )
            )  # fmt: skip
        return LandmarkReading(kernel.matrix(Z, None, length), tuple(names), Z)


@dataclass(frozen=True)
class KMeansLandmarks(Landmarks):
    """Centers of clusters of components.

    Parameters
    ----------
    m : int
        Number of centers.
    random_state : int, default=0

    See Also
    --------
    sklearn.cluster.KMeans : Finds them.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> reading = KMeansLandmarks(2).read(Z, Gaussian(), 1.0, list("abcd"))
    >>> sorted(reading.points[:, 0].round(3).tolist()), reading.labels
    ([0.05, 5.05], ('center0', 'center1'))
    """

    m: int
    random_state: int = 0

    def __post_init__(self):
        """Refuse what is no number of points."""
        _check_count(self.m, "KMeansLandmarks", "m")

    def read(self, Z: np.ndarray, kernel: Any, length: float, names: Sequence[str]) -> LandmarkReading:
        """Similarities of the centers with all components.

        Parameters
        ----------
        Z, kernel, length, names
            As in :meth:`Landmarks.read`.

        Returns
        -------
        LandmarkReading

        Raises
        ------
        InputError
            When there are fewer distinct components than centers.
        """
        from sklearn.cluster import KMeans

        n_distinct = len(np.unique(Z, axis=0))
        if self.m > n_distinct:
            raise InputError(
                sentence(
                    "KMeansLandmarks", "m", f"be at most the number of distinct components ({n_distinct})",
                    self.m, remedy="Take fewer centers, or AllComponents().",
                )
            )  # fmt: skip
        centers = KMeans(self.m, n_init=10, random_state=self.random_state).fit(Z).cluster_centers_
        labels = tuple(f"center{k}" for k in range(self.m))
        return LandmarkReading(kernel.matrix(centers, Z, length), labels, centers)


@dataclass(frozen=True)
class PivotedCholeskyLandmarks(Landmarks):
    r"""Components picked one by one, each the one that those before it describe worst.

    Parameters
    ----------
    m : int, optional
        Most components to pick; all of them when left out.
    tolerance : float, default=1e-6
        Stop when the part of :math:`\mathrm{tr} K` that is not described falls below this share.

    See Also
    --------
    AllComponents : All of them.

    Notes
    -----
    Cholesky factorization of the matrix of similarities with the largest
    remaining diagonal element as pivot; O(n m^2) time, O(n m) memory, the
    square matrix is never formed.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Z = np.array([[0.0], [1e-6], [3.0]])
    >>> PivotedCholeskyLandmarks().read(Z, Gaussian(), 1.0, ["a", "a'", "b"]).labels
    ('a', 'b')
    """

    m: int | None = None
    tolerance: float = 1e-6

    def __post_init__(self):
        """Refuse what is no number of points, and a share outside [0, 1)."""
        if self.m is not None:
            _check_count(self.m, "PivotedCholeskyLandmarks", "m")
        if not 0 <= self.tolerance < 1:
            raise InputError(
                sentence(
                    "PivotedCholeskyLandmarks", "tolerance", "be a share from 0 up to 1", self.tolerance,
                    remedy="Take 1e-6.",
                )
            )  # fmt: skip

    def read(self, Z: np.ndarray, kernel: Any, length: float, names: Sequence[str]) -> LandmarkReading:
        """Similarities of the picked components with all components.

        Parameters
        ----------
        Z, kernel, length, names
            As in :meth:`Landmarks.read`.

        Returns
        -------
        LandmarkReading
        """
        n, most = len(Z), len(Z) if self.m is None else min(self.m, len(Z))
        left = np.array(kernel.diagonal(Z / length), dtype=np.float64)
        total, picked = left.sum(), []
        factor, rows = np.zeros((most, n)), np.zeros((most, n))
        for k in range(most):
            pivot = int(np.argmax(left))
            if left[pivot] <= 0 or (k > 0 and left.sum() <= self.tolerance * total):
                break
            rows[k] = kernel.matrix(Z[pivot : pivot + 1], Z, length)[0]
            factor[k] = (rows[k] - factor[:k, pivot] @ factor[:k]) / np.sqrt(left[pivot])
            left = np.maximum(left - factor[k] ** 2, 0.0)
            left[pivot] = 0.0
            picked.append(pivot)
        return LandmarkReading(rows[: len(picked)], tuple(names[j] for j in picked), Z[picked])


@dataclass(frozen=True)
class RandomFourierFeatures(Landmarks):
    r"""Random waves in place of points: similarities become products of columns.

    Parameters
    ----------
    D : int, default=200
        Number of columns, even: a cosine and a sine of each frequency.
    random_state : int, default=0

    See Also
    --------
    sklearn.kernel_approximation.RBFSampler : For the Gaussian kernel only.

    Notes
    -----
    With frequencies :math:`\omega` from the spectral density of the kernel the rows
    :math:`\sqrt{2/D}\,(\cos\omega^Tz, \sin\omega^Tz)` have
    :math:`H^TH \to K`, with an error of order :math:`1/\sqrt D` [1]_.

    References
    ----------
    .. [1] A. Rahimi, B. Recht, Advances in Neural Information Processing Systems 20 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Z = np.array([[0.0], [1.0]])
    >>> H = RandomFourierFeatures(4000).read(Z, Gaussian(), 1.0, ["a", "b"]).matrix
    >>> bool(abs((H.T @ H)[0, 1] - Gaussian().matrix(Z)[0, 1]) < 0.03)
    True
    """

    D: int = 200
    random_state: int = 0

    def __post_init__(self):
        """Refuse what is no even number of columns."""
        _check_count(self.D, "RandomFourierFeatures", "D")
        if self.D % 2:
            raise InputError(
                sentence(
                    "RandomFourierFeatures", "D", "be even", self.D, remedy=f"Take {self.D + 1} columns."
                )
            )

    def read(self, Z: np.ndarray, kernel: Any, length: float, names: Sequence[str]) -> LandmarkReading:
        """Waves at the places of the components.

        Parameters
        ----------
        Z, kernel, length, names
            As in :meth:`Landmarks.read`.

        Returns
        -------
        LandmarkReading

        Raises
        ------
        InputError
            When the spectral density of the kernel is not known.
        """
        if not hasattr(kernel, "sample_frequencies"):
            raise InputError(
                sentence(
                    "RandomFourierFeatures", "kernel", "be Gaussian, Laplace or Matern",
                    type(kernel).__name__, remedy="Take AllComponents() for a kernel of your own.",
                )
            )  # fmt: skip
        rng = np.random.default_rng(self.random_state)
        frequencies = kernel.sample_frequencies(self.D // 2, Z.shape[1], rng) / length
        phases = frequencies @ Z.T
        matrix = np.sqrt(2.0 / self.D) * np.concatenate([np.cos(phases), np.sin(phases)])
        labels = [f"{wave}{k}" for wave in ("cos", "sin") for k in range(self.D // 2)]
        return LandmarkReading(matrix, tuple(labels), None)


def as_landmarks(landmarks: Any, *, place: str) -> Landmarks:
    """Turn None into all components; let landmarks through.

    Parameters
    ----------
    landmarks : Landmarks or None
    place : str
        Who asks, for the message.

    Returns
    -------
    Landmarks

    Examples
    --------
    >>> as_landmarks(None, place="example")
    AllComponents()
    """
    if landmarks is None:
        return AllComponents()
    if isinstance(landmarks, Landmarks):
        return landmarks
    raise InputError(
        sentence(
            place, "landmarks",
            "be AllComponents, KMeansLandmarks, PivotedCholeskyLandmarks or RandomFourierFeatures",
            landmarks, remedy="Leave it out to take all components.",
        )
    )  # fmt: skip


def _check_count(value: Any, place: str, argument: str) -> None:
    """Refuse what is no whole number of at least one."""
    if isinstance(value, Integral) and not isinstance(value, (bool, np.bool_)) and value >= 1:
        return
    raise InputError(
        sentence(place, argument, "be a whole number, 1 or more", value, remedy="Take some tens of points.")
    )
