"""What a room may expect of a guest: the protocols by which neighbours meet without importing each other."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sozai.contracts.observations import Choice, Observations

__all__ = ["PoolProposer"]


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
