"""Ask and tell without a campaign of one's own: the proposer keeps one."""

from __future__ import annotations

from typing import Any, Self

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import NotFittedError
from sozai.contracts.records import Proposal

__all__ = ["AskTell"]


class AskTell:
    """Adds ``open``, ``ask`` and ``tell`` to a class with ``propose``.

    Attributes
    ----------
    campaign_ : Campaign
        After ``open``: its events, table, best result.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.proposals.bayesian import BayesianProposer
    >>> proposer = BayesianProposer().open(np.linspace(0, 1, 11)[:, None], "Tc [K]")
    >>> (proposal,) = proposer.ask()
    >>> proposer.tell(proposal, 4.2)
    TellReport(1 recorded)
    """

    def open(self, candidates: Any = None, objectives: Any = None, **options: Any) -> Self:
        """Begin with a list of candidates, or with the space of the proposer.

        Parameters
        ----------
        candidates, objectives, **options
            As for :class:`~sozai.proposals.campaign.Campaign`; for a proposer with a space leave the
            candidates out.

        Returns
        -------
        Self
        """
        from sozai.proposals.campaign import Campaign
        from sozai.proposals.spaces import Pool

        space = getattr(self, "space", None)
        if objectives is None or (candidates is None) == (space is None):
            wanted = "be left out: the proposer has a space" if space is not None else "be given"
            argument = "objectives" if objectives is None else "candidates"
            wanted = "be given" if objectives is None else wanted
            raise InputError(
                sentence(f"{type(self).__name__}.open", argument, wanted,
                         remedy="Write open(candidates, objectives), or open(objectives=...) for a space.")
            )  # fmt: skip
        candidates = candidates.candidates if isinstance(candidates, Pool) else candidates
        source = space if space is not None else candidates
        self.campaign_: Any = Campaign(source, objectives, proposer=self, **options)  # type: ignore[arg-type]
        return self

    def ask(self, n: int = 1) -> list[Proposal]:
        """What to measure next; the same until something is told.

        Parameters
        ----------
        n : int, default=1

        Returns
        -------
        list of Proposal
        """
        return self._campaign("ask").ask(n)

    def tell(self, index: Any, values: Any = None, **options: Any) -> Any:
        """Record results.

        Parameters
        ----------
        index, values, **options
            As for :meth:`sozai.proposals.campaign.Campaign.tell`.

        Returns
        -------
        TellReport
        """
        return self._campaign("tell").tell(index, values, **options)

    def _campaign(self, what: str) -> Any:
        """The campaign, once there is one."""
        if not hasattr(self, "campaign_"):
            raise NotFittedError(
                sentence(
                    f"{type(self).__name__}.{what}", "the list of candidates", "be known",
                    remedy="Call open(candidates, objectives) first.",
                )
            )  # fmt: skip
        return self.campaign_
