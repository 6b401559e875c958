"""How counts scatter about their expectation: Poisson with a gain, Gaussian, or Gaussian with outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["GaussianNoise", "Noise", "PoissonNoise", "RobustNoise", "as_noise"]


@dataclass(frozen=True)
class PoissonNoise:
    r"""Counting noise: ``y`` is ``gain`` times a Poisson number, plus the noise of the read-out.

    Parameters
    ----------
    gain : float, default=1
        Size of one count in the unit of the data, :math:`g`. Counts per second collected for
        :math:`t` seconds have :math:`g = 1/t`.
    read : float, default=0
        Standard deviation of the read-out, in the unit of the data.

    See Also
    --------
    GaussianNoise : The same error in every channel, or one known for each.

    Notes
    -----
    :math:`\operatorname{var}(y) = g\,\mu + \mathrm{read}^2`. A known gain turns into the constant weight
    :math:`1/g` of the Poisson deviance: :math:`D(y/g, \mu/g) = D(y, \mu)/g`. Read-out noise turns into
    the constant :attr:`offset` :math:`\mathrm{read}^2/g`, added to data and expectation alike: a Poisson
    number of that mean has the right variance at every :math:`\mu`.

    Examples
    --------
    >>> PoissonNoise(gain=2.5).variance([40.0, 160.0])
    array([100., 400.])
    """

    gain: float = 1.0
    read: float = 0.0

    def __post_init__(self) -> None:
        _require("PoissonNoise", "gain", self.gain, positive=True)
        _require("PoissonNoise", "read", self.read, positive=False)

    @property
    def kernel(self) -> str:
        """Name of the deviance: ``"poisson"``."""
        return "poisson"

    @property
    def offset(self) -> float:
        """What is added to data and expectation alike, so that read-out noise counts too."""
        return self.read**2 / self.gain

    def variance(self, expected: ArrayLike) -> NDArray[np.float64]:
        """Variance of each channel about its expectation, in the square of the data's unit."""
        return np.asarray(self.gain * np.asarray(expected, dtype=np.float64) + self.read**2)

    def weights(self, repeats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of each channel in the deviance, from the number of averaged repeats."""
        return np.asarray(repeats / self.gain)


@dataclass(frozen=True, eq=False)
class GaussianNoise:
    """The same error in every channel, or one known for each.

    Parameters
    ----------
    sigma : float or array-like of shape (n_channels,), optional
        Standard deviation in the unit of the data. Left out, it follows from the residuals:
        ``RSS / (n - p)``.

    Examples
    --------
    >>> GaussianNoise(0.5).weights(np.ones(2))
    array([4., 4.])
    """

    sigma: Any = None

    def __post_init__(self) -> None:
        if self.sigma is None:
            return
        sigma = np.asarray(self.sigma, dtype=np.float64)
        bad = np.flatnonzero(~(np.isfinite(np.atleast_1d(sigma)) & (np.atleast_1d(sigma) > 0)))
        if bad.size:
            at = f"at channel {bad[0]}" if sigma.ndim else ""
            raise InputError(
                sentence(
                    "GaussianNoise", "sigma", "be positive and finite",
                    float(np.atleast_1d(sigma)[bad[0]]), at=at, remedy="Mask channels without an error.",
                )
            )  # fmt: skip

    @property
    def kernel(self) -> str:
        """Name of the deviance: ``"gaussian"``."""
        return "gaussian"

    def variance(self, expected: ArrayLike) -> NDArray[np.float64]:
        """Variance of each channel; one where it is unknown."""
        shape = np.shape(expected)
        return np.full(shape, 1.0) if self.sigma is None else np.broadcast_to(np.square(self.sigma), shape)

    def weights(self, repeats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of each channel in the sum of squares, from the number of averaged repeats."""
        return np.asarray(repeats / self.variance(repeats))

    def __repr__(self) -> str:
        if self.sigma is None or np.ndim(self.sigma) == 0:
            return f"GaussianNoise(sigma={self.sigma})"
        return f"GaussianNoise(sigma of {np.size(self.sigma)} channels)"


@dataclass(frozen=True)
class RobustNoise:
    r"""Gaussian noise with outliers: Student's t, fitted by reweighting.

    Parameters
    ----------
    df : float, default=4
        Degrees of freedom :math:`\nu`; the smaller, the heavier the tails.

    Notes
    -----
    A residual of :math:`r` standard deviations has the weight :math:`(\nu + 1)/(\nu + r^2)`.

    Examples
    --------
    >>> RobustNoise(df=4).reweight([0.0, 4.0])
    array([1.25, 0.25])
    """

    df: float = 4.0

    def __post_init__(self) -> None:
        _require("RobustNoise", "df", self.df, positive=True)

    @property
    def kernel(self) -> str:
        """Name of the deviance: ``"gaussian"``."""
        return "gaussian"

    def variance(self, expected: ArrayLike) -> NDArray[np.float64]:
        """Scale of one; the true one follows from the residuals."""
        return np.full(np.shape(expected), 1.0)

    def weights(self, repeats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of each channel before the first residual is known."""
        return np.asarray(repeats, dtype=np.float64)

    def reweight(self, residual: ArrayLike) -> NDArray[np.float64]:
        """Weight of each channel from its residual in standard deviations."""
        return np.asarray((self.df + 1) / (self.df + np.square(residual)))


Noise = PoissonNoise | GaussianNoise | RobustNoise

_NAMES = {"poisson": PoissonNoise, "gaussian": GaussianNoise, "robust": RobustNoise}


def as_noise(noise: Noise | str | None, *, place: str) -> Noise | None:
    """Turn the name of a kind of noise into the object with its defaults.

    Examples
    --------
    >>> as_noise("poisson", place="fit")
    PoissonNoise(gain=1.0, read=0.0)
    """
    if noise is None or isinstance(noise, PoissonNoise | GaussianNoise | RobustNoise):
        return noise
    if isinstance(noise, str) and noise in _NAMES:
        return _NAMES[noise]()
    raise InputError(
        sentence(
            place, "noise", "be PoissonNoise, GaussianNoise, RobustNoise or one of their names", noise,
            remedy="Pass e.g. noise=PoissonNoise(gain=2.5) or noise='gaussian'.",
        )
    )  # fmt: skip


def _require(place: str, argument: str, value: Any, *, positive: bool) -> None:
    """Refuse what is no finite number, or is negative."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if number and np.isfinite(value) and (value > 0 or (value == 0 and not positive)):
        return
    wanted = "be a positive number" if positive else "be zero or a positive number"
    raise InputError(sentence(place, argument, wanted, value, remedy="Leave it out for the default."))
