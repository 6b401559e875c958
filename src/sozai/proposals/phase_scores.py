"""How unsure a classifier is of every point: least confidence, margin, entropy, boundaries, chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = [
    "EntropyApproach",
    "LeastConfident",
    "MarginSampling",
    "PhaseScore",
    "RandomSampling",
    "Straddle",
    "as_phase_score",
]

Array = NDArray[np.float64]


class PhaseScore:
    """Score of every point from the probabilities of its classes; the largest is measured next.

    Attributes
    ----------
    words : str
        What it says of the chosen point, after its value.
    draws : bool
        Whether it is drawn once for all, whatever the probabilities.

    Examples
    --------
    >>> p = np.array([[0.5, 0.9], [0.3, 0.1], [0.2, 0.0]])
    >>> LeastConfident()(p).round(3).tolist(), MarginSampling()(p).round(3).tolist()
    ([0.5, 0.1], [0.8, 0.2])
    """

    words = "score"
    draws = False

    def __call__(self, p: Array, *, rng: np.random.Generator | None = None, values: Any = None) -> Array:
        """Score every point.

        Parameters
        ----------
        p : ndarray of shape (n_classes, n_points)
            Columns sum to 1.
        rng : Generator, optional
            For scores that draw.
        values : (mean, std, thresholds), optional
            For scores of a measured number.

        Returns
        -------
        ndarray of shape (n_points,)
        """
        raise NotImplementedError


@dataclass(frozen=True)
class LeastConfident(PhaseScore):
    r"""One minus the largest probability, :math:`1 - p_1`.

    Examples
    --------
    >>> LeastConfident()(np.array([[0.7], [0.3]])).round(2).tolist()
    [0.3]
    """

    words = "least confidence"

    def __call__(self, p: Array, *, rng: np.random.Generator | None = None, values: Any = None) -> Array:
        """Score every point."""
        return np.asarray(1.0 - p.max(axis=0))


@dataclass(frozen=True)
class MarginSampling(PhaseScore):
    r"""One minus the margin between the two largest probabilities, :math:`1 - (p_1 - p_2)`.

    Examples
    --------
    >>> MarginSampling()(np.array([[0.6], [0.4]])).round(2).tolist()
    [0.8]
    """

    words = "smallest margin"

    def __call__(self, p: Array, *, rng: np.random.Generator | None = None, values: Any = None) -> Array:
        """Score every point."""
        if len(p) < 2:
            return np.zeros(p.shape[1])
        largest = np.partition(p, len(p) - 2, axis=0)[-2:]
        return np.asarray(1.0 - (largest[1] - largest[0]))


@dataclass(frozen=True)
class EntropyApproach(PhaseScore):
    r"""Entropy of the probabilities, :math:`-\sum_c p_c\ln p_c`.

    Examples
    --------
    >>> EntropyApproach()(np.array([[0.5], [0.5]])).round(4).tolist()
    [0.6931]
    """

    words = "largest entropy"

    def __call__(self, p: Array, *, rng: np.random.Generator | None = None, values: Any = None) -> Array:
        """Score every point."""
        safe = np.maximum(p, 1e-300)
        return np.asarray(-(p * np.log(safe)).sum(axis=0))


@dataclass(frozen=True)
class RandomSampling(PhaseScore):
    """A random number: what every other score is compared with.

    Examples
    --------
    >>> RandomSampling()(np.ones((1, 2)), rng=np.random.default_rng(0)).round(3).tolist()
    [0.637, 0.27]
    """

    words = "drawn at random"
    draws = True

    def __call__(self, p: Array, *, rng: np.random.Generator | None = None, values: Any = None) -> Array:
        """Score every point."""
        return (np.random.default_rng(0) if rng is None else rng).random(p.shape[1])


@dataclass(frozen=True)
class Straddle(PhaseScore):
    r"""How near a measured number may be to a threshold: :math:`1.96 s - \min_k|\mu - t_k|`.

    Notes
    -----
    For phases that are defined by a number; without one it falls back to least confidence [1]_.

    References
    ----------
    .. [1] B. Bryan et al., Active learning for identifying function threshold boundaries, NIPS 18 (2005).

    Examples
    --------
    >>> numbers = np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.array([0.5])
    >>> Straddle()(np.full((2, 2), 0.5), values=numbers).round(2).tolist()
    [1.46, 0.46]
    """

    words = "nearest to a threshold"

    def __call__(self, p: Array, *, rng: np.random.Generator | None = None, values: Any = None) -> Array:
        """Score every point."""
        if values is None:
            return LeastConfident()(p)
        mean, std, thresholds = values
        nearest = np.abs(mean[:, None] - thresholds[None, :]).min(axis=1)
        return np.asarray(1.96 * std - nearest)


_BY_NAME: dict[str, type[PhaseScore]] = {
    "least_confident": LeastConfident,
    "margin": MarginSampling,
    "entropy": EntropyApproach,
    "random": RandomSampling,
    "straddle": Straddle,
}


def as_phase_score(score: Any, *, place: str) -> PhaseScore:
    """Score from an object or the name of one's defaults.

    Examples
    --------
    >>> as_phase_score("margin", place="ask")
    MarginSampling()
    """
    if isinstance(score, PhaseScore):
        return score
    if isinstance(score, str) and score in _BY_NAME:
        return _BY_NAME[score]()
    raise InputError(
        sentence(place, "score", f"be a score object or one of {', '.join(_BY_NAME)}", score,
                 remedy="Write LeastConfident().")
    )  # fmt: skip
