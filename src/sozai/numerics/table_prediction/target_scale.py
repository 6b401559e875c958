"""The scale on which a target is modelled: as it is, by its logarithm, or by its logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sozai.contracts.errors import InputError, sentence

__all__ = ["FractionScale", "PositiveScale", "RealScale", "choose_scale"]

Array = NDArray[np.float64]

#: Nodes of the Gauss-Hermite rule for the standard deviation in the user's unit.
_NODES = 32


@dataclass(frozen=True)
class RealScale:
    """Target modelled as it is.

    Examples
    --------
    >>> import numpy as np
    >>> RealScale().backward(np.array([-1.5])).tolist()
    [-1.5]
    """

    name = "real"

    def forward(self, y: Array) -> Array:
        """Target to model scale."""
        return y

    def backward(self, latent: Array) -> Array:
        """Model scale to target; increasing, so quantiles map to quantiles."""
        return latent

    def spread(self, latent: Array, std: Array) -> Array:
        """Standard deviation of the target from a normal on the model scale."""
        return std


@dataclass(frozen=True)
class PositiveScale(RealScale):
    r"""Positive target, modelled by its logarithm.

    Notes
    -----
    The prediction is the median :math:`e^\mu`; its standard deviation is that of the log-normal,
    :math:`e^{\mu + s^2/2}\sqrt{e^{s^2} - 1}`.

    Examples
    --------
    >>> import numpy as np
    >>> PositiveScale().backward(PositiveScale().forward(np.array([20.0]))).round(9).tolist()
    [20.0]
    """

    name = "positive"

    def forward(self, y: Array) -> Array:
        """Logarithm."""
        return np.asarray(np.log(y))

    def backward(self, latent: Array) -> Array:
        """Exponential; beyond the largest number it stops there."""
        return np.asarray(np.exp(np.minimum(latent, 700.0)))

    def spread(self, latent: Array, std: Array) -> Array:
        """Standard deviation of the log-normal."""
        variance = np.minimum(std**2, 300.0)
        return np.asarray(self.backward(latent + 0.5 * variance) * np.sqrt(np.expm1(variance)))


@dataclass(frozen=True)
class FractionScale(RealScale):
    r"""Fraction or percentage, modelled by its logit.

    Parameters
    ----------
    n_samples : int
        Rows the scale was made for.
    whole : float
        100 for a percentage, 1 for a fraction.

    Notes
    -----
    So that 0 and 1 have a logit, y is moved to :math:`y' = (y(n-1) + \tfrac12)/n` [1]_; the way back
    :math:`(n\,\mathrm{expit}(t) - \tfrac12)/(n-1)` undoes that exactly and is cut at 0 and 1.

    References
    ----------
    .. [1] M. Smithson, J. Verkuilen, Psychol. Methods 11, 54 (2006).

    Examples
    --------
    >>> import numpy as np
    >>> scale = FractionScale(10, 100.0)
    >>> scale.backward(scale.forward(np.array([0.0, 37.0, 100.0]))).round(9).tolist()
    [0.0, 37.0, 100.0]
    """

    n_samples: int
    whole: float

    name = "fraction"

    def forward(self, y: Array) -> Array:
        """Logit of the moved fraction."""
        n = self.n_samples
        return np.asarray(logit((y / self.whole * (n - 1) + 0.5) / n))

    def backward(self, latent: Array) -> Array:
        """Fraction from its logit, never below 0 nor above the whole."""
        n = self.n_samples
        return np.asarray(self.whole * np.clip((n * expit(latent) - 0.5) / (n - 1), 0.0, 1.0))

    def spread(self, latent: Array, std: Array) -> Array:
        """Standard deviation by Gauss-Hermite quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        weights = weights / weights.sum()
        values = self.backward(latent[:, None] + std[:, None] * nodes)
        mean = values @ weights
        return np.asarray(np.sqrt(np.maximum(values**2 @ weights - mean**2, 0.0)))


def choose_scale(target: str, y: Array, *, unit: str | None = None, place: str = "choose_scale") -> RealScale:
    """Scale for a word; a target that does not fit it is refused by row and value.

    Parameters
    ----------
    target : {"real", "positive", "fraction"}
    y : ndarray of shape (n,)
    unit : str, optional
        One that ends in ``%`` makes a fraction a percentage; without unit, one value above 1 does.
    place : str
        Who asks, for the message.

    Returns
    -------
    RealScale, PositiveScale or FractionScale

    Raises
    ------
    InputError
        For zero or less in a positive target, and for a fraction below 0 or above the whole.

    Examples
    --------
    >>> import numpy as np
    >>> choose_scale("fraction", np.array([0.0, 55.0, 98.0]))
    FractionScale(n_samples=3, whole=100.0)
    """
    if target == "real":
        return RealScale()
    if target == "positive":
        if (y <= 0).any():
            row = int(np.argmax(y <= 0))
            raise InputError(
                sentence(
                    place, "y", "be positive when target='positive'", float(y[row]), at=f"at row {row}",
                    remedy="Use target='real', or leave out what was below detection.",
                )
            )  # fmt: skip
        return PositiveScale()
    percent = float(y.max()) > 1.0 if unit is None else unit.endswith("%")
    whole = 100.0 if percent else 1.0
    outside = (y < 0) | (y > whole)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            sentence(
                place, "y", f"lie between 0 and {whole:g} when target='fraction'", float(y[row]),
                at=f"at row {row}", remedy="Correct the value, or use target='real'.",
            )
        )  # fmt: skip
    return FractionScale(len(y), whole)
