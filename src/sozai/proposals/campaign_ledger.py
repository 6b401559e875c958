"""What a campaign knows: its candidates, its events, and everything that follows from them."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.observations import Observations
from sozai.contracts.protocols import PoolProposer
from sozai.contracts.records import Proposal
from sozai.contracts.unit_headers import split_unit
from sozai.proposals.campaign_events import CampaignState, CampaignWarning, Event, fold, now
from sozai.proposals.campaign_intake import as_allowed, as_costs, as_frame, is_space
from sozai.proposals.campaign_records import BestResult, CampaignStatus
from sozai.proposals.campaign_results import ResultTable, gather
from sozai.proposals.campaign_views import best_result, front_table, result_history, result_table
from sozai.proposals.candidate_pool import CandidatePool
from sozai.proposals.objectives import Objective

__all__ = ["CampaignLedger", "warn_campaign"]


class CampaignLedger:
    """The books of a campaign; :class:`~sozai.proposals.campaign.Campaign` adds what is asked and told.

    Attributes
    ----------
    events_ : tuple of Event
    pool : CandidatePool
    state : CampaignState
    observations_ : Observations
    table_, results_, front_ : DataFrame
    best_ : BestResult or None
    status_ : CampaignStatus

    Notes
    -----
    Everything is computed from the events when it is asked for; observations
    are kept until the next event that is news.

    Examples
    --------
    >>> from sozai.proposals.campaign import Campaign
    >>> isinstance(Campaign([[0.0], [1.0]], "y"), CampaignLedger)
    True
    """

    objectives: tuple[Objective, ...]
    proposer: PoolProposer | None

    def _take(
        self, candidates: Any, cost: Any, allowed: Any, proposer: Any, retry_failed: bool, salt: int | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Take in the candidates; their frame and the result columns found in it."""
        self.space = candidates if is_space(candidates) else None
        frame = as_frame(candidates)
        mine = {objective.name for objective in self.objectives}
        mine |= {f"{name}__{word}" for name in mine for word in ("sigma", "status")}
        known = [name for name in frame.columns if name in mine or split_unit(str(name))[0] in mine]
        if self.space is not None and known:
            raise InputError(
                sentence("Campaign", "objectives", "have other names than the columns of the space", known[0])
            )
        costs = frame[cost] if isinstance(cost, str) and cost in frame.columns else cost
        base = frame.drop(columns=[*known, *([cost] if isinstance(cost, str) else [])], errors="ignore")
        self._pool = CandidatePool(base, salt=salt, space=self.space)
        self._base = base.reset_index(drop=True)
        self._n_listed = len(base)
        if self.space is None and not base.shape[0]:
            raise InputError(sentence("Campaign", "candidates", "have at least one row", base.shape))
        if not base.shape[1]:
            raise InputError(
                sentence("Campaign", "candidates", "have a column besides the objectives", list(frame))
            )
        self._cost = as_costs(costs, self._base)
        self._cost_of = cost if callable(cost) else None
        self._allowed = as_allowed(allowed, len(base))
        if proposer is not None and not callable(getattr(proposer, "propose", None)):
            raise InputError(
                sentence("Campaign", "proposer", "have a method propose(observations, n)", proposer,
                         remedy="Pass for example BayesianProposer().")
            )  # fmt: skip
        self.proposer = proposer
        self.retry_failed = bool(retry_failed)
        self.writer = secrets.token_hex(4)
        self._counter = 0
        self._events: list[Event] = []
        self._state = CampaignState()
        self._asked: tuple[int, list[Proposal]] = (-1, [])
        self._seen: tuple[int, Observations, ResultTable] | None = None
        repeated = self._pool.n_repeated
        if repeated:
            at = int(np.flatnonzero(self._pool.first != np.arange(len(base)))[0])
            rows = f"{repeated} rows repeat a candidate" if repeated > 1 else "1 row repeats a candidate"
            warn_campaign(
                f"{rows}, first row {at} (the same as row {int(self._pool.first[at])}); their results are "
                "replicates of one candidate."
            )
        return frame, frame[known]

    def merge(self, events: Iterable[Event]) -> int:
        """Take over events of another writer of the same campaign; those already here are left alone.

        Parameters
        ----------
        events : iterable of Event

        Returns
        -------
        int
            How many were new. They are placed before the own events that the
            other writer does not know.

        Raises
        ------
        InputError
            For events of another campaign, or not from its beginning.
        """
        theirs = list(events)
        if self._events and [event.id for event in theirs[:1]] != [self._events[0].id]:
            raise InputError(
                sentence("Campaign.merge", "events", f"begin with {self._events[0].id} of this campaign",
                         theirs[0].id if theirs else "no event",
                         remedy="Tell the results of another campaign instead.")
            )  # fmt: skip
        names = {event.id for event in theirs}
        mine = [event for event in self._events if event.id not in names]
        n_new = len(theirs) + len(mine) - len(self._events)
        self._events = [
            event if event.sequence == place else event._replace(sequence=place)
            for place, event in enumerate([*theirs, *mine])
        ]
        before = len(self._state.conflicts)
        self._state = fold(self._events)
        if len(self._state.conflicts) > before:
            more = len(self._state.conflicts) - before
            warn_campaign(
                f"{more} result{'s' * (more > 1)} came twice under one run_id with different values; the "
                "first counts."
            )
        mine_first = f"{self.writer}."
        used = (int(event.id.rpartition(".")[2]) for event in self._events if event.id.startswith(mine_first))
        self._counter = max(used, default=-1) + 1
        self._take_points()
        self._seen = None
        return n_new

    @property
    def events_(self) -> tuple[Event, ...]:
        """Everything that happened."""
        return tuple(self._events)

    @property
    def pool(self) -> CandidatePool:
        """Candidates by row and by identity; those that joined later stand at the end."""
        return self._pool

    @property
    def state(self) -> CampaignState:
        """What is true after all events."""
        return self._state

    @property
    def random_state(self) -> int:
        """Seed from which the sub-stream of every round follows."""
        return int(self._state.created["random_state"])

    @property
    def observations_(self) -> Observations:
        """What the proposer sees."""
        table = self._gather()
        if self._seen is not None and self._seen[0] == self._state.news:
            return self._seen[1]
        seen = self._observe(table)
        self._seen = (self._state.news, seen, table)
        return seen

    @property
    def table_(self) -> pd.DataFrame:
        """Candidates with mean results, status and number of results."""
        return result_table(self._base, self.observations_, self.objectives, self._removed_rows())

    @property
    def results_(self) -> pd.DataFrame:
        """Single results in the order in which they were told."""
        return result_history(self._state, self._pool, self.objectives)

    @property
    def best_(self) -> BestResult | None:
        """The best mean so far; bounds do not count. None before the first result."""
        if len(self.objectives) > 1:
            raise InputError(
                sentence("Campaign", "best_", "be asked of one objective", len(self.objectives),
                         remedy="Use front_.")
            )  # fmt: skip
        return best_result(self.observations_, self._pool, self.objectives[0])

    @property
    def front_(self) -> pd.DataFrame:
        """Rows of ``table_`` that no other candidate beats in every objective."""
        return front_table(self.observations_, self.table_, self.objectives)

    @property
    def status_(self) -> CampaignStatus:
        """How the campaign stands."""
        seen = self.observations_
        removed = self._removed_rows()
        different = int((self._pool.first == np.arange(len(self._pool))).sum()) - len(removed)
        observed, failed = (len(np.setdiff1d(rows, removed)) for rows in (seen.rows, seen.failed))
        left = len(seen.open)
        done = self._state.closed or (self.space is None and left == 0 and not len(seen.pending))
        return CampaignStatus(different, observed, failed, len(seen.pending), left, self._state.round, done)

    def _record(self, kind: str, data: dict[str, Any]) -> str:
        """Append one event and let it come true; its id."""
        event = Event(len(self._events), f"{self.writer}.{self._counter}", kind, now(), data)
        self._counter += 1
        self._events.append(event)
        self._state.apply(event)
        if kind == "candidates_added" or (self.space is not None and kind != "asked"):
            self._take_points()
        return event.id

    def _gather(self) -> ResultTable:
        """Results by candidate, made anew only after news."""
        if self._seen is not None and self._seen[0] == self._state.news:
            return self._seen[2]
        return gather(self._state.results.values(), len(self.objectives))

    def _observe(self, table: ResultTable) -> Observations:
        """What the proposer sees, by row."""
        n, rows = len(self._pool), self._pool.rows_of_codes(table.codes)
        order = np.argsort(rows, kind="stable")
        order = order[rows[order] >= 0]
        failed = np.sort(self._pool.rows_of_codes(table.failed))
        failed = failed[failed >= 0]
        pending = self._pool.rows(self._state.running)
        closed = self._pool.first != np.arange(n)
        closed[self._n_listed :] |= self.space is not None
        closed[: self._n_listed] |= ~self._allowed
        closed[self._removed_rows()] = True
        closed[rows[order]] = True
        closed[failed] |= not self.retry_failed
        entropy = [self.random_state, table.n_results, len(self._state.running)]
        return Observations(
            X=self._pool.X,
            names=self._pool.names,
            rows=rows[order],
            Y=table.Y[order],
            noise=table.noise[order],
            counts=table.counts[order],
            replicate_variance=table.replicate_variance,
            censored=table.censored[order],
            failed=failed,
            pending=pending[pending >= 0],
            closed=np.flatnonzero(closed),
            objectives=self.objectives,
            seed=int(np.random.SeedSequence(entropy).generate_state(1)[0]),
            cost=self._costs(),
        )

    def _removed_rows(self) -> NDArray[np.int64]:
        """Rows of candidates that left the list, and of orphans that only their results recall."""
        left = set(self._state.removed)
        if self.space is None:
            names = (self._pool.identity(row) for row in range(self._n_listed, len(self._pool)))
            left |= {name for name in names if name not in self._state.added}
        rows = self._pool.rows(left)
        return np.sort(rows[rows >= 0])

    def _costs(self) -> NDArray[np.float64] | None:
        """Cost of every candidate; those that joined later cost what the function says, or the median."""
        if self._cost is None or len(self._cost) == len(self._pool):
            return self._cost
        if self._cost_of is not None:
            self._cost = as_costs(self._cost_of, self._base)
        else:
            more = np.full(len(self._pool) - len(self._cost), np.median(self._cost))
            self._cost = np.concatenate([self._cost, more])
        return self._cost

    def _take_points(self) -> None:
        """Give candidates that only events know a row at the end; in a space hold those told or running."""
        if self.space is not None:
            held = [*self._state.touched, *self._state.running, *self._state.added]
            self._pool.hold(np.array([self._state.points[name] for name in dict.fromkeys(held)]))
            self._base = self._pool.frame()
            return
        names = list(self._state.points)
        if not names:
            return
        rows = self._pool.rows(names)
        fresh = [name for name, row in zip(names, rows, strict=True) if row < 0]
        if not fresh:
            return
        points = np.array([self._state.points[name] for name in fresh], dtype=np.float64)
        self._pool.append(points)
        more = pd.DataFrame([self._pool.as_mapping(point) for point in points])
        self._base = pd.concat([self._base, more], ignore_index=True) if len(self._base) else more


def warn_campaign(message: str) -> str:
    """Warn the caller of a public method, and return the message.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = warn_campaign("Have a look.")
    >>> str(caught[0].message)
    'Have a look.'
    """
    warnings.warn(message, CampaignWarning, stacklevel=4)
    return message
