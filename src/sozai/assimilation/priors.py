"""What is believed before any data: sizes of coupling, corrections, terms and noise."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["AssimilationPrior", "GroupOffset"]


@dataclass(frozen=True)
class AssimilationPrior:
    r"""Gaussian beliefs, in units of the spread that all sources share.

    Parameters
    ----------
    coupling_mean, coupling_std : float, default=1.0, 0.3
        Of C between a source and the one before it; between others the mean is 0.
        An infinite standard deviation says nothing.
    base_variance : float, optional
        Of every term of the first source. Left out, 3/P for P terms: the columns are orthonormal over the
        domain, so that the source may stray by the square root of 3 spreads, however many terms it has.
    correction_variance : float, default=1.0
        Of every term of a correction R.
    noise_log_mean, noise_log_std : float, default=log(0.01), 2.0
        Of :math:`\log\tau^2`.
    offset_log_mean : float, default=log(0.1)
        Of :math:`\log\tau_u^2`, the spread of laboratories; its standard deviation is that of the noise.
    penalty : float, default=log(2)
        Subtracted from the log evidence for every term that a correction keeps:
        the prior of a pattern of s terms is :math:`2^{-s}`.

    Examples
    --------
    >>> AssimilationPrior(coupling_std=0.1).coupling_std
    0.1
    """

    coupling_mean: float = 1.0
    coupling_std: float = 0.3
    base_variance: float | None = None
    correction_variance: float = 1.0
    noise_log_mean: float = float(np.log(0.01))
    noise_log_std: float = 2.0
    offset_log_mean: float = float(np.log(0.1))
    penalty: float = float(np.log(2.0))

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "base_variance" and value is None:
                continue
            free = item.name in ("coupling_mean", "noise_log_mean", "offset_log_mean", "penalty")
            if np.isnan(value) or (not free and value <= 0) or (free and not np.isfinite(value)):
                raise InputError(
                    sentence(
                        "AssimilationPrior", item.name, "be finite" if free else "be positive", value,
                        remedy="Leave it out for the default.",
                    )
                )  # fmt: skip

    def base_of(self, n_terms: int) -> float:
        """Variance of every term of the first source."""
        return 3.0 / n_terms if self.base_variance is None else float(self.base_variance)

    def coupling_means(self, d: int) -> NDArray[np.float64]:
        """Mean of C, shape (d, d): 1 beside the diagonal, 0 below."""
        return np.diag(np.full(d - 1, float(self.coupling_mean)), -1) if d > 1 else np.zeros((1, 1))


@dataclass(frozen=True)
class GroupOffset:
    r"""A constant of its own for every laboratory, added to one source.

    Parameters
    ----------
    column : str
        Column of X that names the laboratory; it is no descriptor.
    source : int, default=-1
        Source whose values carry the offset.
    std : "fit" or float, default="fit"
        :math:`\tau_u`, spread of the offsets, in the unit of Y; 0 switches them off.

    Notes
    -----
    Offsets have the prior :math:`N(0, \tau_u^2)`; with ``"fit"`` its logarithm
    joins the outer search with the prior of the noise. A laboratory that was
    not seen is predicted with :math:`\tau_u^2` more variance.

    Examples
    --------
    >>> GroupOffset("lab")
    GroupOffset(column='lab', source=-1, std='fit')
    """

    column: str
    source: int = -1
    std: str | float = "fit"

    def __post_init__(self) -> None:
        fine = self.std == "fit" if isinstance(self.std, str) else 0 <= self.std < np.inf
        if not fine:
            raise InputError(
                sentence(
                    "GroupOffset", "std", "be 'fit' or a number of 0 or more", self.std,
                    remedy="Leave it out to learn it.",
                )
            )  # fmt: skip
