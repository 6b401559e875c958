"""What decides the number of peaks: information criteria, annealing with a prior on areas, or evidence."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["AIC", "BIC", "AICc", "AnnealedDirichlet", "Criterion", "Evidence", "as_criterion"]


@dataclass(frozen=True)
class BIC:
    r"""Bayesian information criterion, :math:`D + p\ln n`.

    Notes
    -----
    D is the deviance (twice the negative log-likelihood), p the number of fitted parameters, n the number
    of channels in use [1]_. The logarithm of all counts in the place of n finds fewer of the weak peaks.

    References
    ----------
    .. [1] G. Schwarz, Ann. Stat. 6, 461 (1978). https://doi.org/10.1214/aos/1176344136

    Examples
    --------
    >>> round(BIC().value(100.0, 5, 400), 3)
    129.957
    """

    name: ClassVar[str] = "BIC"

    def value(self, objective: float, n_free: int, n_channels: int) -> float:
        """Criterion; the smaller the better."""
        return objective + n_free * float(np.log(n_channels))


@dataclass(frozen=True)
class AIC:
    r"""Akaike's information criterion, :math:`D + 2p`: for prediction; it finds peaks that are not there.

    Notes
    -----
    A peak that is not there has four parameters and may be anywhere in the window: of two peaks that are
    well apart it makes three or four in every second spectrum [1]_.

    References
    ----------
    .. [1] H. Akaike, IEEE Trans. Autom. Control 19, 716 (1974). https://doi.org/10.1109/TAC.1974.1100705

    Examples
    --------
    >>> AIC().value(100.0, 5, 400)
    110.0
    """

    name: ClassVar[str] = "AIC"

    def value(self, objective: float, n_free: int, n_channels: int) -> float:
        """Criterion; the smaller the better."""
        return objective + 2.0 * n_free


@dataclass(frozen=True)
class AICc:
    r"""AIC corrected for few channels, :math:`D + 2p + 2p(p+1)/(n-p-1)` [1]_.

    References
    ----------
    .. [1] C. M. Hurvich, C.-L. Tsai, Biometrika 76, 297 (1989). https://doi.org/10.1093/biomet/76.2.297

    Examples
    --------
    >>> AICc().value(100.0, 5, 17) - AIC().value(100.0, 5, 17)
    5.454545454545453
    """

    name: ClassVar[str] = "AICc"

    def value(self, objective: float, n_free: int, n_channels: int) -> float:
        """Criterion; infinite where there are no more channels than parameters."""
        left = n_channels - n_free - 1
        if left <= 0:
            return float("inf")
        return objective + 2.0 * n_free + 2.0 * n_free * (n_free + 1) / left


@dataclass(frozen=True, eq=False)
class AnnealedDirichlet:
    r"""Start with many peaks and let a prior on their areas take the needless ones away, from hot to cold.

    Parameters
    ----------
    n_max : int, default=8
        Peaks at the beginning, K; at least the largest number asked for.
    alpha : float or array-like of shape (n_max,), optional
        Exponent α of the Dirichlet prior, one for all or one for each peak; 1 is no prior. Left out, 1 − d/2
        with d shape parameters per peak [2]_.
    n_temperatures : int, default=5
        Effective counts βN, spaced logarithmically from 1000 to all counts N.
    n_runs : int, default=4
        Runs from different starts.

    Notes
    -----
    In the expectation-maximization the M-step is

    .. math:: N_k \leftarrow \sum_n \beta y_n \gamma_{nk}, \qquad \pi_k \propto \max(0, N_k + \alpha_k - 1)

    [1]_; a peak whose weight has become zero is gone. After the last temperature the smallest peak is taken
    away until the least number asked for is left [2]_. Every number of peaks met on the way is started from
    there, fitted by likelihood, and compared by BIC: the answer does not hang on α, which decides
    about which peaks are met only.

    References
    ----------
    .. [1] Sci. Technol. Adv. Mater.: Methods 4, 2373046 (2024).
       https://doi.org/10.1080/27660400.2024.2373046
    .. [2] M. A. T. Figueiredo, A. K. Jain, IEEE Trans. Pattern Anal. Mach. Intell. 24, 381 (2002).
       https://doi.org/10.1109/34.990138

    Examples
    --------
    >>> AnnealedDirichlet(alpha=0.5)
    AnnealedDirichlet(n_max=8, alpha=0.5, n_temperatures=5, n_runs=4)
    """

    n_max: int = 8
    alpha: Any = None
    n_temperatures: int = 5
    n_runs: int = 4

    name: ClassVar[str] = "BIC"

    def __post_init__(self) -> None:
        _require_whole("AnnealedDirichlet", "n_max", self.n_max, 1)
        _require_whole("AnnealedDirichlet", "n_temperatures", self.n_temperatures, 1)
        _require_whole("AnnealedDirichlet", "n_runs", self.n_runs, 1)
        if self.alpha is None:
            return
        alpha = np.asarray(self.alpha, dtype=np.float64)
        if alpha.shape not in ((), (self.n_max,)) or not np.isfinite(alpha).all():
            raise InputError(
                sentence(
                    "AnnealedDirichlet", "alpha", f"be one finite number, or {self.n_max} of them",
                    self.alpha,
                    remedy="Leave it out for 1 - d/2.",
                )
            )  # fmt: skip

    def value(self, objective: float, n_free: int, n_channels: int) -> float:
        """BIC of the fits."""
        return BIC().value(objective, n_free, n_channels)

    def alphas(self, n_peaks: int, n_shape_parameters: int) -> NDArray[np.float64]:
        """α of every peak.

        Examples
        --------
        >>> AnnealedDirichlet(n_max=2).alphas(2, 3).tolist()
        [-0.5, -0.5]
        """
        if self.alpha is None:
            return np.full(n_peaks, 1.0 - 0.5 * n_shape_parameters)
        given = np.asarray(self.alpha, dtype=np.float64)
        return np.array(np.broadcast_to(given, (n_peaks,)) if given.ndim == 0 else given[:n_peaks])


@dataclass(frozen=True)
class Evidence:
    r"""Probability of the counts given the number of peaks alone, by replica exchange Monte Carlo.

    Parameters
    ----------
    n_replicas : int, default=28
        Length of the ladder of temperatures.
    n_sweeps : int, default=3000
        Sweeps that are kept at most, shared by the ladders; each has a burn-in of half as many before.
        Numbers of peaks that cannot win any more stop earlier, see
        :func:`~sozai.spectra.peaks.peak_evidence.sample_posteriors`.
    n_ladders : int, default=2
        Independent ladders, which R-hat compares.
    thin : int, default=1
        Keep one sweep in so many.

    Notes
    -----
    .. math:: Z_K = \int p(\theta)\,e^{-E(\theta)}\,d\theta, \qquad E = -\ln L

    is compared as −2 ln Z, which is what BIC approximates [1]_ [2]_. Priors: centers uniform in the window,
    ln of widths uniform in the width range, Lorentz shares and asymmetries uniform, areas and the contents of
    background functions exponential with mean N/(K + M), N counts, M background functions.

    Gaussian noise of unknown size: the β of the ladder is :math:`b = 1/\sigma^2`, and the free energy
    :math:`F(b) = -\ln Z(b) - (n/2)\ln(b/2\pi)` is minimized over it, where the mean residual sum of squares
    is n/b [2]_.

    It costs hundreds of times a comparison by BIC, needs peaks that nothing distinguishes (no ties, fixed
    values or bounds) and a background that is linear in its coefficients.

    References
    ----------
    .. [1] K. Nagata, S. Sugita, M. Okada, Neural Netw. 28, 82 (2012).
       https://doi.org/10.1016/j.neunet.2011.12.001
    .. [2] S. Tokuda, K. Nagata, M. Okada, J. Phys. Soc. Jpn. 86, 024001 (2017).
       https://doi.org/10.7566/JPSJ.86.024001

    Examples
    --------
    >>> Evidence(n_sweeps=1000)
    Evidence(n_replicas=28, n_sweeps=1000, n_ladders=2, thin=1)
    """

    n_replicas: int = 28
    n_sweeps: int = 3000
    n_ladders: int = 2
    thin: int = 1

    name: ClassVar[str] = "-2 ln Z"

    def __post_init__(self) -> None:
        _require_whole("Evidence", "n_replicas", self.n_replicas, 4)
        _require_whole("Evidence", "n_ladders", self.n_ladders, 1)
        _require_whole("Evidence", "thin", self.thin, 1)
        _require_whole("Evidence", "n_sweeps", self.n_sweeps, 64 * self.thin * self.n_ladders)


Criterion = BIC | AIC | AICc | AnnealedDirichlet | Evidence

_NAMES = {"bic": BIC, "aic": AIC, "aicc": AICc, "dirichlet": AnnealedDirichlet, "evidence": Evidence}


def as_criterion(criterion: Criterion | str, *, place: str) -> Criterion:
    """Turn the name of a criterion into the object with its defaults.

    Examples
    --------
    >>> as_criterion("bic", place="demo")
    BIC()
    """
    if isinstance(criterion, BIC | AIC | AICc | AnnealedDirichlet | Evidence):
        return criterion
    if isinstance(criterion, str) and criterion.lower() in _NAMES:
        return _NAMES[criterion.lower()]()
    raise InputError(
        sentence(
            place, "criterion", f"be one of {', '.join(_NAMES)}, or an object such as Evidence()", criterion,
            remedy="Use criterion='bic'.",
        )
    )  # fmt: skip


def _require_whole(place: str, argument: str, value: Any, least: int) -> None:
    """Refuse what is no whole number, or too small."""
    if not (isinstance(value, Integral) and isinstance(value, Real) and value >= least):
        raise InputError(
            sentence(place, argument, f"be a whole number of at least {least}", value, remedy="Leave it out.")
        )
