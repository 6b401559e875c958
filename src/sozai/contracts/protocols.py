"""What a room may expect of a guest: the protocols by which neighbours meet without importing each other."""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

from sozai.contracts.observations import Choice, Observations

__all__ = ["Assimilator", "PoolProposer"]


@runtime_checkable
class Assimilator(Protocol):
    """A joint model of several sources of one quantity, linear in its parameters: calculations, experiment.

    Notes
    -----
    Sources are numbered as the columns of ``Y``, from the cheapest to the truest; ``-1`` is the truest.
    Beside the methods a fitted assimilator has ``covariance_``, of shape (n_sources, n_sources), in the unit
    of ``Y``: its diagonal is the noise variance of a single value of every source. ``design_variance`` and
    ``design_covariance`` are of values without noise and in the same unit, squared; they do not depend on
    values still to come, as in every linear Gaussian model, so that designs can be pretended.

    Examples
    --------
    >>> import numpy as np
    >>> class Constant:
    ...     "One level for all sources: unit prior variance, unit noise."
    ...     covariance_, n, total = np.eye(2), 0, 0.0
    ...     def partial_fit(self, X, Y):
    ...         self.n, self.total = self.n + np.isfinite(Y).sum(), self.total + np.nansum(Y)
    ...         return self
    ...     def predict(self, X, source=-1, return_std=False):
    ...         mean = np.full(len(X), self.total / (self.n + 1))
    ...         return (mean, np.sqrt(self.design_variance(X, source))) if return_std else mean
    ...     def design_variance(self, X, source):
    ...         return np.full(len(X), 1 / (self.n + 1))
    ...     def design_covariance(self, X1, X2, source1, source2):
    ...         return np.full((len(X1), len(X2)), 1 / (self.n + 1))
    >>> isinstance(Constant(), Assimilator)
    True
    """

    def partial_fit(self, X: Any, Y: Any) -> Self:
        """Learn from further rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        Y : array-like of shape (n, n_sources)
            NaN where a source has no value.

        Returns
        -------
        Self
        """
        ...

    def predict(self, X: Any, source: int = -1, return_std: bool = False) -> Any:
        """Mean of a source without noise; with ``return_std`` also its standard deviation.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        source : int
        return_std : bool

        Returns
        -------
        ndarray of shape (n,), or two of them
        """
        ...

    def design_variance(self, X: Any, source: int) -> Any:
        """Variance of a source without noise.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        source : int

        Returns
        -------
        ndarray of shape (n,)
        """
        ...

    def design_covariance(self, X1: Any, X2: Any, source1: int, source2: int) -> Any:
        """Covariance between values without noise of one source and of another.

        Parameters
        ----------
        X1, X2 : array-like of shape (n1, n_features), (n2, n_features)
        source1, source2 : int

        Returns
        -------
        ndarray of shape (n1, n2)
        """
        ...


@runtime_checkable
class PoolProposer(Protocol):
    """Anything that chooses what to measure next from the observations it is handed.

    A proposer keeps no history: the campaign hands it candidates, results,
    failures and running experiments in one record, so that a proposer of one's
    own is one method.

    Notes
    -----
    ``propose`` must be *greedy* and repeatable: the same observations give the
    same choices, and ``propose(o, n + 1)[:n] == propose(o, n)``. It returns at
    most ``n`` choices, none of them closed or pending, fewer only when no more
    are open. It never runs an experiment, prints or writes.

    Examples
    --------
    >>> import numpy as np
    >>> class Last:
    ...     def propose(self, observations, n):
    ...         nan = np.full(observations.n_objectives, np.nan)
    ...         rows = observations.open[::-1][:n].tolist()
    ...         return [Choice(row, 0.0, nan, nan, "Last in the list.") for row in rows]
    >>> isinstance(Last(), PoolProposer)
    True
    """

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose ``n`` open candidates, best first.

        Parameters
        ----------
        observations : Observations
        n : int
            At least 1.

        Returns
        -------
        list of Choice
        """
        ...
