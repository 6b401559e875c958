"""A posterior over candidates with data that are only pretended: many values, one variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.numerics.pool_posterior import PoolPosterior

__all__ = ["LEAST_VARIANCE", "FantasyPosterior"]

Array = NDArray[np.float64]

#: Smallest variance of a candidate, in units of the amplitude.
LEAST_VARIANCE = 1e-12


class FantasyPosterior:
    r"""A posterior with pretended data: k means that share one variance.

    Parameters
    ----------
    posterior : PoolPosterior

    Attributes
    ----------
    means : ndarray of shape (N, k)
    variance : ndarray of shape (N,)
    rows : list of ndarray of shape (N,)
        Change of the mean for a draw of 1, for each pretended candidate.
    pivots : list of float
        Standard deviation of a measurement of each, before it.

    Notes
    -----
    The variance after a datum does not depend on its value, so k pretended values cost one row r (the
    posterior covariance over :math:`\delta`): :math:`v \leftarrow v - r^2`,
    :math:`M \leftarrow M + r\epsilon`. Time :math:`O((n + q + k)N)` for the q-th.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Matern
    >>> from sozai.numerics.pool_posterior import PoolPosterior
    >>> posterior = PoolPosterior(np.linspace(0, 1, 3)[:, None], Matern(), [0.5]).condition(0, 1.0)
    >>> posterior.fantasise(2, [-1.0, 0.0, 1.0])
    FantasyPosterior(3 candidates, 1 pretended, 3 values each)
    """

    def __init__(self, posterior: PoolPosterior) -> None:
        self._posterior = posterior
        self.rows: list[Array] = []
        self.pivots: list[float] = []
        self.means = posterior.mean[:, None]
        self.variance = posterior.variance

    def __repr__(self) -> str:
        n, k = self.means.shape
        return f"FantasyPosterior({n} candidates, {len(self.rows)} pretended, {k} values each)"

    def fantasise(self, index: int, draws: Any, known_noise: float = 0.0) -> FantasyPosterior:
        """Pretend one candidate more; the draws continue those before, one for each.

        Parameters
        ----------
        index : int
        draws : array-like of shape (k,)
        known_noise : float

        Returns
        -------
        FantasyPosterior
            Itself.
        """
        epsilon = as_vector(draws, place="FantasyPosterior.fantasise", argument="draws")
        if self.rows and len(epsilon) != self.means.shape[1]:
            raise InputError(
                sentence(
                    "FantasyPosterior.fantasise", "draws", f"be {self.means.shape[1]} numbers, as before",
                    len(epsilon), remedy="Draw one number for each pretended history.",
                )
            )  # fmt: skip
        with self._posterior._thread():
            row = self._posterior.rows(index)[0]
            for past in self.rows:
                row -= past[index] * past
        least = LEAST_VARIANCE * self._posterior.amplitude
        latent = max(float(self.variance[index]), 0.0)
        pivot = np.sqrt(max(latent + self._posterior.noise + known_noise, least))
        row /= pivot
        self.rows.append(row)
        self.pivots.append(float(pivot))
        self.means = self.means + row[:, None] * epsilon[None, :]
        self.variance = np.maximum(self.variance - row**2, least)
        return self
