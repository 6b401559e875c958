"""A campaign: ask what to measure next, tell what came out, and forget nothing."""

from __future__ import annotations

import contextlib
import copy
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sozai import __version__
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import NotFittedError
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.protocols import PoolProposer
from sozai.contracts.records import Proposal
from sozai.proposals.campaign_events import Event
from sozai.proposals.campaign_intake import as_frame, as_list, as_seed
from sozai.proposals.campaign_ledger import CampaignLedger, warn_campaign
from sozai.proposals.campaign_records import TellReport
from sozai.proposals.campaign_results import ResultTable, gather
from sozai.proposals.campaign_views import nearest_results
from sozai.proposals.candidate_pool import CandidatePool
from sozai.proposals.objectives import Objective, as_objectives, in_units_of
from sozai.proposals.told_results import Told, fill, find_candidate, read_told, says_nothing

__all__ = ["SCHEMA", "Campaign"]

SCHEMA = 1
"""Version of the event list that this package writes, and the newest that it reads."""

_CONFLICT = 6.0
"""Replicates further apart than this many pooled standard deviations are pointed at."""


class Campaign(CampaignLedger):
    """Which candidate next? Ask, measure, tell, ask again.

    A campaign is the fold of a list of events that only grows: what was asked,
    started, told, corrected. Everything it answers follows from that list. It
    touches no disk; :func:`sozai.study.campaign_folder.open_campaign` does.

    Parameters
    ----------
    candidates : DataFrame or array-like of shape (n_candidates, n_descriptors)
        Finite numbers, one candidate a row. A frame may hold columns named like
        the objectives: results that are known already, blank where they are not.
        A space without a list (:class:`~sozai.proposals.spaces.Box`, mixture, categories, products)
        serves too: points then come and go by their descriptors, and have no row.
    objectives : Objective, str or sequence of them
        What is wanted of each result; a name alone is maximized. One without a unit takes that of its column.
    proposer : PoolProposer, optional
        Who chooses; :class:`~sozai.proposals.bayesian.BayesianProposer` when left out. In a space, a copy of
        it whose ``space`` is this one, unless it has one already.
    cost : str, array-like or callable, optional
        Cost of each candidate: a column of the frame, positive numbers, or a
        function of the frame of descriptors.
    allowed : array-like of bool, optional
        Candidates that may be proposed; all when left out.
    retry_failed : bool
        Propose candidates again whose experiment failed.
    random_state : int or None
        None draws one; it is kept in the first event.

    Attributes
    ----------
    events_ : tuple of Event
    table_ : DataFrame
        Candidates, mean results, status and number of results.
    results_ : DataFrame
        One row a result.
    best_ : BestResult or None
        For one objective.
    front_ : DataFrame
        Rows of ``table_`` that no other candidate beats in every objective.
    status_ : CampaignStatus
    observations_ : Observations
        What the proposer sees.

    See Also
    --------
    sozai.study.campaign_folder.open_campaign : A campaign kept in files.

    Notes
    -----
    ``ask(n)`` twice without news gives the same proposals, and ``ask(n + 1)``
    begins with ``ask(n)``. The order in which results are told changes nothing:
    replicates are summed in the order of their values, and the sub-stream of
    random numbers depends on how many results there are, not on their history.
    A result with the same ``run_id``, or told twice with the same proposal and
    value, is recorded once; any other second result of a candidate is a
    replicate. A candidate is known by its descriptor values, not by its row.

    Examples
    --------
    >>> import pandas as pd
    >>> from sozai.proposals.model_free import SpaceFillingProposer
    >>> pool = pd.DataFrame({"x": [0.0, 0.25, 0.5, 0.75, 1.0]})
    >>> campaign = Campaign(pool, "Tc [K]", proposer=SpaceFillingProposer())
    >>> first, second = campaign.ask(2)
    >>> first.index, second.index
    (2, 0)
    >>> campaign.start(first)
    >>> campaign.tell(first, 4.2)
    TellReport(1 recorded)
    >>> campaign.status_
    CampaignStatus(1 of 5 observed, 0 failed, 0 running, 4 open, round 1)
    >>> campaign.best_
    BestResult(row 2, x=0.5, Tc [K]: 4.2)
    """

    def __init__(
        self,
        candidates: Any,
        objectives: Objective | str | Sequence[Objective | str],
        *,
        proposer: PoolProposer | None = None,
        cost: str | ArrayLike | Callable[[pd.DataFrame], ArrayLike] | None = None,
        allowed: ArrayLike | None = None,
        retry_failed: bool = False,
        random_state: int | None = 0,
    ) -> None:
        self.objectives = in_units_of(as_objectives(objectives, place="Campaign"), candidates)
        frame, results = self._take(candidates, cost, allowed, proposer, retry_failed, None)
        self.proposer = self._in_space(proposer)
        seed = secrets.randbits(32) if random_state is None else as_seed(random_state)
        self._record(
            "created",
            {
                "schema": SCHEMA,
                "version": __version__,
                "names": list(self._pool.names),
                "objectives": [
                    {"name": o.name, "goal": repr(o.goal), "unit": o.unit} for o in self.objectives
                ],
                "n_candidates": len(frame),
                "salt": self._pool.salt,
                "random_state": seed,
            },
        )
        self._tell_table(results)

    @classmethod
    def from_events(
        cls,
        candidates: Any,
        objectives: Objective | str | Sequence[Objective | str],
        events: Iterable[Event],
        *,
        proposer: PoolProposer | None = None,
        cost: str | ArrayLike | Callable[[pd.DataFrame], ArrayLike] | None = None,
        allowed: ArrayLike | None = None,
        retry_failed: bool = False,
    ) -> Campaign:
        """The campaign that a list of events tells, over its candidates in any order.

        Parameters
        ----------
        candidates, objectives, proposer, cost, allowed, retry_failed
            As for the class. Result columns of ``candidates`` are not read: the
            events hold every result.
        events : iterable of Event
            Beginning with ``created``.

        Returns
        -------
        Campaign
        """
        history = list(events)
        if not history or history[0].kind != "created":
            raise InputError(
                sentence("Campaign.from_events", "events", "begin with 'created'",
                         history[0].kind if history else "no event")
            )  # fmt: skip
        if history[0].data["schema"] > SCHEMA:
            raise InputError(
                sentence("Campaign.from_events", "schema", f"be {SCHEMA} or older",
                         history[0].data["schema"], remedy="Run: pip install --upgrade sozai")
            )  # fmt: skip
        campaign = cls.__new__(cls)
        campaign.objectives = in_units_of(as_objectives(objectives, place="Campaign"), candidates)
        campaign._take(candidates, cost, allowed, proposer, retry_failed, history[0].data["salt"])
        campaign.proposer = campaign._in_space(proposer)
        campaign.merge(history)
        return campaign

    # --- what is asked and told -----------------------------------------------------------------

    def ask(self, n: int = 1) -> list[Proposal]:
        """What to measure next, best first.

        Parameters
        ----------
        n : int
            How many; fewer come back, with a warning, when fewer are left.

        Returns
        -------
        list of Proposal
            The same ones until something is told, started or changed.

        Raises
        ------
        InputError
            For ``n`` below 1, and when the proposer breaks its promises.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise InputError(sentence("Campaign.ask", "n", "be a whole number of 1 or more", n))
        if self._state.closed:
            warn_campaign("The campaign is closed; nothing is proposed.")
            return []
        seen = self.observations_
        left = len(seen.open) if self.space is None else int(n)
        if left < n:
            warn_campaign(
                f"{left} of {n} proposals: no more candidates are open."
                if left
                else f"Nothing is left to propose: {self.status_}."
            )
        wanted = min(int(n), left)
        news, proposals = self._asked
        if news != self._state.news:
            proposals = []
        if len(proposals) < wanted:
            proposals = self._propose(seen, wanted, proposals)
        return proposals[:wanted]

    def tell(
        self,
        index: Any,
        values: Any = None,
        *,
        sigma: Any = None,
        status: Any = "ok",
        run_id: Any = None,
        unit: Any = None,
        adopt: bool = False,
    ) -> TellReport:
        """Record what came out.

        Parameters
        ----------
        index : Proposal, int, str, mapping, DataFrame, or sequence of these
            The candidate: as proposed, by row, by identity or by descriptors. A
            frame holds one result a row: a column for each objective
            (``"Tc [°C]"`` is converted), the candidate in ``id``, ``index``,
            ``actions``, its descriptors or the row labels, and optionally
            ``sigma``, ``status``, ``run_id`` or ``Tc__sigma``, ``Tc__status``.
        values : float, str, mapping or sequence
            One value, one an objective (NaN where not measured), or one entry a
            candidate. Text such as ``"1.5 ± 0.2"``, ``"<0.1"`` or ``"failed"`` is read.
        sigma : float, optional
            Known standard deviation.
        status : {"ok", "failed", "censored_low", "censored_high", "invalid", "running"}
            ``censored_low``: the true value lies below the one given.
        run_id : str, optional
            Name of the measurement; the same one is recorded once.
        unit : str, optional
            Unit of ``values`` when it is not the one of the objective.
        adopt : bool
            Accept a candidate that is not in the list, told by its descriptors. A point outside the bounds,
            limits or steps of a space is accepted without it, too, but with a warning.

        Returns
        -------
        TellReport

        Raises
        ------
        InputError
            For a value that is no number, an unknown candidate, or a ``run_id``
            that was told with another value. Nothing is recorded then.
        UnitError
            For a unit of another dimension.
        """
        found, notes = read_told(
            self._pool, self.objectives, index, values, sigma=sigma, status=status, run_id=run_id, unit=unit
        )
        keys = [self._key(told) for told in found]
        known = [self._is_known(told, key) for told, key in zip(found, keys, strict=True)]
        missing = [told for told in found if not self._belongs(told)]
        if missing and not adopt:
            self._refuse_unknown(missing[0])
        if self._state.closed:
            notes.append(warn_campaign("The campaign is closed; the result was recorded all the same."))
        self._adopt(missing)
        events = []
        repeats = any(told.id in self._state.touched for told in found)
        before = self._gather() if repeats else gather([], len(self.objectives))
        for told, key, repeated in zip(found, keys, known, strict=True):
            if repeated or (key is not None and key in self._state.runs):
                continue
            notes += [] if adopt else self._strays(told)
            notes += self._doubts(told, before)
            events.append(self._record_told(told, key))
        return TellReport(tuple(events), len(events), len(found) - len(events), tuple(notes))

    def start(self, proposals: Any) -> None:
        """Mark proposals as running: the next ``ask`` reckons with them and gives others.

        Parameters
        ----------
        proposals : Proposal, int, str, mapping or sequence of these
        """
        found = [find_candidate(self._pool, address, "Campaign.start") for address in as_list(proposals)]
        for told in found:
            if not self._belongs(told):
                self._refuse_unknown(told, "Campaign.start")
        for told in found:
            if told.id not in self._state.running:
                self._record("started", {"id": told.id, "x": told.point, "round": self._state.round})

    def release(self, proposals: Any) -> None:
        """Undo ``start``.

        Parameters
        ----------
        proposals : Proposal, int, str, mapping or sequence of these
        """
        found = [find_candidate(self._pool, address, "Campaign.release") for address in as_list(proposals)]
        for told in found:
            if told.id in self._state.running:
                self._record("released", {"id": told.id})
            else:
                warn_campaign(
                    f"Candidate at {self._called(told)} is not running; there is nothing to release."
                )

    def correct(self, event_id: str | Event, value: Any, *, sigma: Any = None, status: Any = "ok") -> None:
        """Put another value in the place of one told before; the old one stays in the history.

        Parameters
        ----------
        event_id : str or Event
            As ``TellReport.events`` and ``results_`` list them.
        value : float, sequence or None
            None withdraws the result.
        sigma, status
            As for :meth:`tell`.
        """
        name = event_id.id if isinstance(event_id, Event) else event_id
        if name not in self._state.results:
            raise InputError(
                sentence("Campaign.correct", "event_id", "be a result that counts", name,
                         remedy="See results_['event'].")
            )  # fmt: skip
        if value is None:
            self._record("corrected", {"event": name, "values": None})
            return
        told = Told("", None, -1, [], None, [])
        before = self._state.results[name]
        told.id, told.row = before.id, int(self._pool.rows([before.id])[0])
        fill(told, self.objectives, value, sigma, status, None, [])
        self._record(
            "corrected",
            {"event": name, "values": told.values, "sigma": told.sigma, "status": told.status},
        )

    def rollback(self, round_: int) -> None:
        """Withdraw every result of round ``round_`` and later, and release what is running.

        Parameters
        ----------
        round_ : int
            Results known at the start belong to round 0 and stay for any larger number.
        """
        if isinstance(round_, bool) or not isinstance(round_, (int, np.integer)) or round_ < 0:
            raise InputError(
                sentence("Campaign.rollback", "round_", "be a whole number of 0 or more", round_)
            )
        for result in list(self._state.results.values()):
            if result.round >= round_:
                self._record("corrected", {"event": result.event, "values": None})
        for name in list(self._state.running):
            self._record("released", {"id": name})

    def add_candidates(self, candidates: Any) -> int:
        """Let more candidates join; those already there are left alone.

        Parameters
        ----------
        candidates : DataFrame or array-like
            With the descriptors of the campaign.

        Returns
        -------
        int
            How many joined.
        """
        frame = as_frame(candidates, self._pool.names)
        missing = [name for name in self._pool.names if name not in frame.columns]
        if missing:
            raise InputError(
                sentence("Campaign.add_candidates", "candidates", f"have the columns {missing}", list(frame))
            )
        joined = CandidatePool(frame[list(self._pool.names)], salt=self._pool.salt)
        there = self._pool.rows_of_codes(joined.codes.astype(np.int64)) >= 0
        back = [name for name in map(joined.identity, np.flatnonzero(there)) if name in self._state.removed]
        rows = np.flatnonzero(~there & (joined.first == np.arange(len(joined))))
        ids = [*map(joined.identity, rows), *back]
        if ids:
            points = [
                *joined.X[rows].tolist(),
                *(self._pool.X[self._pool.rows([i])[0]].tolist() for i in back),
            ]
            self._record("candidates_added", {"ids": ids, "points": points})
        return len(ids)

    def remove_candidates(self, candidates: Any) -> None:
        """Propose these candidates no more; a result that is still running is accepted.

        Parameters
        ----------
        candidates : Proposal, int, str, mapping or sequence of these
        """
        place = "Campaign.remove_candidates"
        found = [find_candidate(self._pool, address, place) for address in as_list(candidates)]
        running = [told.id for told in found if told.id in self._state.running]
        if running:
            warn_campaign(
                f"{len(running)} of the removed candidates are running; their results will be accepted."
            )
        if found:
            self._record("candidates_removed", {"ids": [told.id for told in found]})

    def list_changed(self, joined: pd.DataFrame, left: Sequence[str] = ()) -> None:
        """Note that the list itself was changed, as by hand in its file.

        Parameters
        ----------
        joined : DataFrame
            Descriptors of candidates that are new in the list.
        left : sequence of str
            Identities of candidates that are gone; late results are accepted.
        """
        pool = CandidatePool(joined[list(self._pool.names)], salt=self._pool.salt)
        rows = np.flatnonzero(pool.first == np.arange(len(pool)))
        if len(rows):
            ids = [pool.identity(row) for row in rows]
            self._record("candidates_added", {"ids": ids, "points": pool.X[rows].tolist()})
        if left:
            self._record("candidates_removed", {"ids": list(left)})

    def close(self) -> None:
        """End the campaign: nothing is proposed any more, late results are accepted with a warning."""
        if not self._state.closed:
            self._record("closed", {})

    def explain(self, proposal: Any, n: int = 5) -> pd.DataFrame:
        """Why this candidate: the proposer's own account where it has one, and the nearest results.

        Parameters
        ----------
        proposal : Proposal, int, str or mapping
        n : int
            Observed candidates to list.

        Returns
        -------
        DataFrame
            What the proposer's own ``explain`` says; without one, or before it has a
            model, the nearest observed candidates with their results and their
            distance, every descriptor scaled to the range of the list.
        """
        told = find_candidate(self._pool, proposal, "Campaign.explain")
        if told.point is None:
            self._refuse_unknown(told, "Campaign.explain")
        account = getattr(self.proposer, "explain", None)
        if account is not None and told.row >= 0:
            with contextlib.suppress(NotFittedError):  # without a model the distances must do
                return account(told.row, n)
        point = told.point or []
        frame = nearest_results(self.observations_, self._pool, point, self.objectives, n)
        frame.attrs |= {"x": self._pool.as_mapping(point)}
        if isinstance(proposal, Proposal):
            frame.attrs |= {"reason": proposal.reason, "score": proposal.score, "model": proposal.model}
        return frame

    def __repr__(self) -> str:
        goals = ", ".join(repr(objective) for objective in self.objectives)
        return f"Campaign({goals}; {self.status_})"

    # --- inside ---------------------------------------------------------------------------------

    def _record_told(self, told: Told, key: str | None) -> str:
        """Record one result under the kind of event that its status asks for; its id."""
        if all(word == "running" for word in told.status):
            return self._record("started", {"id": told.id, "x": told.point, "round": self._state.round})
        data: dict[str, Any] = {"id": told.id, "values": told.values, "status": told.status}
        data |= {"round": self._state.round}
        data |= {"x": told.point} if told.point is not None else {}
        data |= {"sigma": told.sigma} if told.sigma is not None else {}
        data |= {"run": key} if key is not None else {}
        return self._record("failed" if all(word == "failed" for word in told.status) else "told", data)

    def _tell_table(self, results: pd.DataFrame) -> None:
        """Results that stand in the table of candidates."""
        blank = results.apply(
            lambda column: column.map(says_nothing) if column.dtype.kind == "O" else column.isna()
        )
        rows = np.flatnonzero(~blank.to_numpy().all(axis=1)) if results.shape[1] else []
        if not len(rows):
            return
        frame = results.iloc[rows].set_axis(rows, axis=0)
        found, notes = read_told(
            self._pool, self.objectives, frame, None, sigma=None, status="ok", run_id=None, unit=None
        )
        for note in notes[:1]:
            warn_campaign(f"{note} ({len(notes)} such results in the table.)")
        times: dict[str, int] = {}
        for told in found:
            key = f"table:{told.id}:{told.values}"
            times[key] = times.get(key, 0) + 1
            self._record_told(told, f"{key}:{times[key]}")

    def _key(self, told: Told) -> str | None:
        """What makes a result the same observation when it is told again."""
        if told.run is not None:
            return f"run:{told.id}:{told.run}"
        return None if told.proposal is None else f"proposal:{told.proposal}:{told.values}:{told.status}"

    def _is_known(self, told: Told, key: str | None) -> bool:
        """Whether this observation was told before; refused when its value has changed."""
        if key is None or key not in self._state.runs:
            return False
        before = self._state.results.get(self._state.runs[key])
        if before is not None and (before.values != told.values or before.status != told.status):
            raise InputError(
                sentence("Campaign.tell", f"run_id {told.run!r}", f"keep its value {before.values}",
                         told.values, remedy=f"Use correct({before.event!r}, value).")
            )  # fmt: skip
        return True

    def _belongs(self, told: Told) -> bool:
        """Whether the candidate is in the list, or was, or lies in the space."""
        return (
            told.row >= 0
            or told.id in self._state.points
            or (self.space is not None and told.point is not None)
        )

    def _refuse_unknown(self, told: Told, place: str = "Campaign.tell") -> None:
        remedy = "Tell it by its descriptors with adopt=True to add it."
        raise InputError(
            sentence(place, "candidate", f"be one of the {len(self._pool)} in the list",
                     told.id if told.point is None else self._pool.as_mapping(told.point),
                     remedy=remedy if place == "Campaign.tell" else "Add it by add_candidates first.")
        )  # fmt: skip

    def _adopt(self, missing: list[Told]) -> None:
        """Add candidates that were told by their descriptors."""
        strangers = {told.id: told.point for told in missing if told.point is not None}
        unknown = [told for told in missing if told.point is None]
        if unknown:
            self._refuse_unknown(unknown[0])
        if strangers:
            self._record("candidates_added", {"ids": list(strangers), "points": list(strangers.values())})

    def _called(self, told: Told) -> str:
        """A candidate as the user knows it: its row, or its descriptors."""
        if told.row >= 0 and self.space is None:
            return f"row {told.row}"
        if told.point is None:
            return told.id
        return ", ".join(f"{name}={value}" for name, value in self._pool.as_mapping(told.point).items())

    def _strays(self, told: Told) -> list[str]:
        """Warning about a point that is new and outside the space."""
        if self.space is None or told.id in self._state.touched or told.point is None:
            return []
        misses = self.space.misses(np.array(told.point))
        if not misses:
            return []
        meant = "the result was recorded all the same. Say adopt=True if it is meant."
        return [warn_campaign(f"{'; '.join(misses)}; {meant}")]

    def _doubts(self, told: Told, before: ResultTable) -> list[str]:
        """Warnings about one result: an orphan, or a replicate far from the others."""
        notes = []
        gone = told.id in self._state.removed or (told.row < 0 and told.id not in self._state.added)
        if gone and self.space is None:
            notes.append(
                warn_campaign(
                    f"Candidate at {self._called(told)} left the list; its result was recorded all the same."
                )
            )
        at = np.flatnonzero(before.codes == int(told.id, 16))
        for k, objective in enumerate(self.objectives):
            value = told.values[k]
            if not len(at) or value is None or told.status[k] != "ok" or before.censored[at[0], k]:
                continue
            noise = objective.noise if objective.noise is not None else np.sqrt(before.replicate_variance[k])
            own = told.sigma[k] if told.sigma is not None and told.sigma[k] is not None else noise
            mean = float(before.Y[at[0], k])
            if abs(value - mean) > _CONFLICT * own > 0:
                notes.append(
                    warn_campaign(
                        f"{objective.label} of {self._called(told)}: {value:g} differs from {mean:g} by "
                        f"more than {_CONFLICT:g} standard deviations ({own:.3g}); both were kept."
                    )
                )
        return notes

    def _propose(self, seen: Observations, wanted: int, before: list[Proposal]) -> list[Proposal]:
        """Let the proposer choose, hold it to its promises, and record that it was asked."""
        if self.proposer is None:
            from sozai.proposals.bayesian import BayesianProposer

            own = getattr(self.objectives[0].goal, "proposer", None)
            self.proposer = self._in_space(BayesianProposer() if own is None else own())
        choices = self.proposer.propose(seen, wanted)
        self._check(choices, seen)
        round_ = self._state.round + (self._state.asked_at != self._state.news)
        taken = {proposal.id for proposal in before}
        fresh = [self._proposal(choice, round_) for choice in choices]
        proposals = [*before, *(proposal for proposal in fresh if proposal.id not in taken)][:wanted]
        data = {"round": round_, "n": wanted, "ids": [proposal.id for proposal in proposals]}
        if len(proposals) < wanted and self.space is None:
            warn_campaign(
                f"{len(proposals)} of {wanted} proposals: {type(self.proposer).__name__} found no more."
            )
        self._record("asked", data)
        self._asked = (self._state.news, proposals)
        return proposals

    def _in_space(self, proposer: Any) -> Any:
        """A proposer; in a space a copy that knows it, unless it has one; refused if it serves lists only."""
        if self.space is None or getattr(proposer, "space", None) is not None or proposer is None:
            return proposer
        if not hasattr(proposer, "space"):
            raise InputError(
                sentence("Campaign", "proposer", "serve a space: have an attribute space", proposer,
                         remedy="Leave it out, or list the points: Campaign(space.grid(), ...).")
            )  # fmt: skip
        own = copy.copy(proposer)
        own.space = self.space
        return own

    def _check(self, choices: list[Choice], seen: Observations) -> None:
        """Refuse choices that are closed, running, repeated or outside the list."""
        rows = [choice.row for choice in choices if choice.row is not None]
        is_open = seen.is_open
        bad = [row for row in rows if not 0 <= row < len(seen.X) or not is_open[row]]
        bad += [row for row, times in Counter(rows).items() if times > 1]
        if bad:
            raise InputError(
                sentence(f"{type(self.proposer).__name__}.propose", "choices",
                         "be open candidates, each once", f"row {bad[0]}",
                         remedy="Choose from observations.open.")
            )  # fmt: skip

    def _proposal(self, choice: Choice, round_: int) -> Proposal:
        """The record that the user gets."""
        if choice.row is not None:
            row: int | None = int(choice.row)
            name, x = self._pool.identity(choice.row), self._pool.values(choice.row)
        else:
            row, x = None, dict(choice.x or {})
            name = self._pool.identity_of(self._pool.point(x))
        mean, std = (np.asarray(part, dtype=np.float64).ravel() for part in (choice.mean, choice.std))
        if len(self.objectives) == 1:
            both: tuple[Any, Any] = float(mean[0]), float(std[0])
        else:
            names = [objective.name for objective in self.objectives]
            both = tuple(dict(zip(names, part.tolist(), strict=True)) for part in (mean, std))  # type: ignore[assignment]
        model = type(self.proposer).__name__
        return Proposal(
            name, row, x, float(choice.score), both[0], both[1], choice.reason, round_, model, __version__
        )
